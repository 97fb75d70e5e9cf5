SELECT cart_id, customer_id, currency, lines, order_id, status, merged_into, ordered_at, version, created_at, updated_at,
    expires_at
FROM cart
WHERE customer_id = $1 AND status = 'OPEN' AND expires_at > now()
