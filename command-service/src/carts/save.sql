-- A cart as it is now, if nobody changed it meanwhile.
UPDATE cart
SET customer_id = $3,
    currency    = $4,
    lines       = $5,
    status      = $6,
    version     = version + 1,
    updated_at  = now(),
    expires_at  = $7
WHERE cart_id = $1 AND version = $2 AND status = 'OPEN' AND expires_at > now()
RETURNING cart_id, customer_id, currency, lines, order_id, status, merged_into, ordered_at, version, created_at, updated_at,
    expires_at
