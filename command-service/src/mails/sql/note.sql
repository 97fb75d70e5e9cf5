-- What came of a mail: $1 notification_id, $2 lease, $3 state, $4 error, $5 seconds until the next attempt (null: it is over).
UPDATE notification_delivery
SET state = $3, last_error = $4, lease = NULL,
    next_at = clock_timestamp() + make_interval(secs => coalesce($5::float8, 0)),
    completed_at = CASE WHEN $5::float8 IS NULL THEN clock_timestamp() END
WHERE notification_id = $1 AND lease = $2
