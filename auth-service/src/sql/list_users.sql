SELECT id AS user_id, email, email_verified_at IS NOT NULL AS email_verified, name, phone, role, custom_role,
       (SELECT c.scopes FROM roles c WHERE c.name = custom_role) AS custom_scopes, disabled_at, version,
       created_at
FROM users
WHERE $1::uuid IS NULL OR id > $1
ORDER BY id
LIMIT $2
