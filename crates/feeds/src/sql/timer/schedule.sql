INSERT INTO timer (timer_id, kind, stream_id, payload, due_at, next_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (timer_id) DO NOTHING
