INSERT INTO refresh_tokens (hash, session_id, expires_at)
VALUES ($1, $2, now() + make_interval(secs => $3::int))
