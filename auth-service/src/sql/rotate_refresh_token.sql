WITH spent AS (
    UPDATE refresh_tokens
    SET used_at = now(), successor_hash = $2, successor_salt = $3
    WHERE hash = $1 AND used_at IS NULL AND expires_at > now()
    RETURNING session_id
), heir AS (
    INSERT INTO refresh_tokens (hash, session_id, expires_at)
    SELECT $2, session_id, now() + make_interval(secs => $4::int) FROM spent
)
UPDATE sessions
SET last_used_at = now()
FROM spent
WHERE id = spent.session_id AND ended_at IS NULL AND expires_at > now()
RETURNING id
