SELECT b.id AS login_id, b.authenticated_at,
       greatest(extract(epoch FROM now() - b.authenticated_at)::bigint, 0) AS age_seconds,
       u.id AS user_id, u.email, u.email_verified_at IS NOT NULL AS email_verified, u.name, u.phone, u.role, u.custom_role,
       (SELECT c.scopes FROM roles c WHERE c.name = u.custom_role) AS custom_scopes, u.disabled_at,
       u.version, u.created_at
FROM browser_logins b
JOIN users u ON u.id = b.user_id
WHERE b.hash = $1 AND b.expires_at > now() AND u.disabled_at IS NULL
