-- A guest's cart whose lines are in another now.
UPDATE cart
SET status      = 'MERGED',
    merged_into = $3,
    version     = version + 1,
    updated_at  = now()
WHERE cart_id = $1 AND version = $2 AND status = 'OPEN' AND customer_id IS NULL
