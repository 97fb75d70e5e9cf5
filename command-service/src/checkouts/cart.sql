UPDATE cart
SET status     = 'CHECKED_OUT',
    ordered_at = now(),
    version    = version + 1,
    updated_at = now()
WHERE cart_id = $1 AND ordered_at IS NULL
