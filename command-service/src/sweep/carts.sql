DELETE FROM cart
WHERE cart_id IN (
    SELECT cart_id FROM cart
    WHERE expires_at <= now()
    ORDER BY expires_at
    LIMIT 1000
    FOR UPDATE SKIP LOCKED)
