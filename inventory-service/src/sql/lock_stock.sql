-- Ascending by product id, everywhere: so batches of several processes can't deadlock.
select product_id, on_hand, reserved, backorder, low_stock_threshold, version, stream_version, elsewhere
from stock
where product_id = any ($1::uuid[])
order by product_id
for update
