UPDATE timer
SET lease = gen_random_uuid(), next_at = clock_timestamp() + make_interval(secs => $3), attempts = attempts + 1
WHERE timer_id IN (
    SELECT timer_id FROM timer
    WHERE kind = ANY($1) AND next_at <= clock_timestamp()
    ORDER BY next_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED)
RETURNING timer_id, kind, stream_id, payload, due_at, attempts, lease
