UPDATE timer
SET lease = NULL, last_error = $3, next_at = clock_timestamp() + make_interval(secs => $4)
WHERE timer_id = $1 AND lease = $2
