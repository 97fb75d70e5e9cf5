SELECT s.id AS session_id, s.client_id, s.scope, s.authenticated_at, r.expires_at AS token_expires_at, r.created_at AS token_created_at,
       r.successor_salt,
       s.ended_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL AS session_is_live,
       CASE
           WHEN r.used_at IS NULL AND r.expires_at > now() THEN 'unused'
           WHEN r.used_at IS NULL THEN 'expired'
           WHEN r.used_at > now() - make_interval(secs => $2::int) AND heir.hash IS NOT NULL AND heir.used_at IS NULL
               THEN 'just_used'
           ELSE 'spent'
       END AS state,
       u.id AS user_id, u.email, u.email_verified_at IS NOT NULL AS email_verified, u.name, u.phone, u.role, u.custom_role,
       (SELECT c.scopes FROM roles c WHERE c.name = u.custom_role) AS custom_scopes, u.disabled_at,
       u.version, u.created_at
FROM refresh_tokens r
JOIN sessions s ON s.id = r.session_id
JOIN users u ON u.id = s.user_id
LEFT JOIN refresh_tokens heir ON heir.hash = r.successor_hash
WHERE r.hash = $1
