SELECT id, client_id, scope, address, user_agent, created_at, last_used_at, expires_at
FROM sessions
WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() AND ($2::uuid IS NULL OR id > $2)
ORDER BY id
LIMIT $3
