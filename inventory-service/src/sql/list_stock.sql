select product_id, on_hand, reserved, backorder, low_stock_threshold, version, stream_version, elsewhere
from stock
where product_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') and ($2::bigint is null or on_hand - reserved < $2)
order by product_id
limit $3
