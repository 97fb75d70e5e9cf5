WITH session AS (
    INSERT INTO sessions (id, user_id, client_id, scope, address, user_agent, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7::int))
    RETURNING id
)
INSERT INTO refresh_tokens (hash, session_id, expires_at)
SELECT $8, id, now() + make_interval(secs => $9::int) FROM session
