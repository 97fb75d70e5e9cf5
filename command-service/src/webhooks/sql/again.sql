-- $1 endpoint_id, $2 delivery_id.
UPDATE webhook_delivery
SET state = 'PENDING', completed_at = NULL,
    attempts = CASE WHEN lease IS NULL THEN 0 ELSE attempts END,
    next_at = CASE WHEN lease IS NULL THEN clock_timestamp() ELSE next_at END
WHERE endpoint_id = $1 AND delivery_id = $2
