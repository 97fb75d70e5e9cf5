-- Longer than any attempt takes.
SELECT code, order_number, order_id, claimed_at
FROM discount_use
WHERE NOT used AND claimed_at < now() - interval '10 minutes'
ORDER BY claimed_at
LIMIT 100
