-- A new cart, or the open one of the customer: the change of nothing makes the row come back.
INSERT INTO cart (cart_id, customer_id, currency, order_id, expires_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (customer_id) WHERE status = 'OPEN' AND customer_id IS NOT NULL
DO UPDATE SET expires_at = greatest(cart.expires_at, excluded.expires_at)
RETURNING cart_id, customer_id, currency, lines, order_id, status, merged_into, ordered_at, version, created_at, updated_at,
    expires_at
