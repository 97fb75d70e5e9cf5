INSERT INTO quote (quote_id, order_id, cart_id, cart_version, customer_id, content, shipping_address, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
