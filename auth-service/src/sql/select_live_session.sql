SELECT s.id AS session_id, s.client_id, s.scope, s.authenticated_at, u.id AS user_id, u.email,
       u.email_verified_at IS NOT NULL AS email_verified, u.name, u.phone, u.role, u.custom_role,
       (SELECT c.scopes FROM roles c WHERE c.name = u.custom_role) AS custom_scopes, u.disabled_at, u.version, u.created_at
FROM sessions s
JOIN users u ON u.id = s.user_id
WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL
