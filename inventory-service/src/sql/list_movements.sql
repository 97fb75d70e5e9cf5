-- The movements of a product before a stock version, newest first.
select product_id, stock_version, event_id, event_type, location, quantity, on_hand, reserved, order_id, reason, occurred_at, counted_at
from stock_movement
where product_id = $1 and stock_version < $2
order by stock_version desc
limit $3
