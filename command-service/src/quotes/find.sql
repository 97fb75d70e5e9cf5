SELECT order_id, cart_id, cart_version, customer_id, content, shipping_address, expires_at
FROM quote
WHERE quote_id = $1
