-- Takes mails that are due, at most $1, for $2 seconds. Others skip what is taken.
UPDATE notification_delivery
SET lease = gen_random_uuid(), attempts = attempts + 1, next_at = clock_timestamp() + make_interval(secs => $2)
WHERE notification_id IN (
    SELECT notification_id FROM notification_delivery
    WHERE state = 'PENDING' AND next_at <= clock_timestamp()
    ORDER BY next_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED)
RETURNING notification_id, kind, order_id, order_version, attempts, lease
