-- For a day a quote that was not used can still be answered with a fresh one.
DELETE FROM quote
WHERE quote_id IN (
    SELECT quote_id FROM quote
    WHERE ordered_at IS NULL AND expires_at <= now() - interval '1 day'
    ORDER BY expires_at
    LIMIT 1000
    FOR UPDATE SKIP LOCKED)
