-- For a day a quote that was not used can still be answered with a fresh one; one that became an order is known for a
-- month, so that a second order from it is told apart from one of nothing.
DELETE FROM quote
WHERE quote_id IN (
    SELECT quote_id FROM quote
    WHERE expires_at <= now() - interval '1 day'
      AND (ordered_at IS NULL OR ordered_at <= now() - interval '30 days')
    ORDER BY expires_at
    LIMIT 1000
    FOR UPDATE SKIP LOCKED)
