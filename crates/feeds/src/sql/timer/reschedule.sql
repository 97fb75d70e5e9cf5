INSERT INTO timer (timer_id, kind, stream_id, payload, due_at, next_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (timer_id) DO UPDATE
SET kind = excluded.kind, stream_id = excluded.stream_id, payload = excluded.payload,
    due_at = excluded.due_at, next_at = excluded.next_at, attempts = 0, lease = NULL, last_error = NULL
