-- A quote that became an order is known for a month, so that a second order from it is told apart from one of nothing.
DELETE FROM quote
WHERE quote_id IN (
    SELECT quote_id FROM quote
    WHERE ordered_at IS NOT NULL AND ordered_at <= now() - interval '30 days'
    ORDER BY ordered_at
    LIMIT 1000
    FOR UPDATE SKIP LOCKED)
