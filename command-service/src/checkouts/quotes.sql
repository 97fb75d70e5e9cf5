UPDATE quote
SET ordered_at = now(), shipping_address = NULL
WHERE order_id = $1 AND ordered_at IS NULL
