select order_id, number, customer_id, status, payment_status, fulfilment_status, currency, total, placed_at, updated_at,
       open_exception, tags, product_ids, version, partition, position, state
from order_view
where order_id = any($1)
