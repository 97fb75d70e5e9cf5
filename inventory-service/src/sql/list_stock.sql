select product_id, on_hand, reserved, backorder, low_stock_threshold, version, stream_version
from stock
where ($1::uuid is null or product_id > $1) and ($2::bigint is null or on_hand - reserved < $2)
order by product_id
limit $3
