INSERT INTO timer (timer_id, kind, stream_id, payload, due_at, next_at)
SELECT timer_id, kind, stream_id, payload, due_at, due_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[])
     AS new (timer_id, kind, stream_id, payload, due_at)
ON CONFLICT (timer_id) DO UPDATE
SET kind = excluded.kind, stream_id = excluded.stream_id, payload = excluded.payload,
    due_at = excluded.due_at, next_at = excluded.next_at, attempts = 0, lease = NULL, last_error = NULL
