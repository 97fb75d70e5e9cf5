SELECT id AS user_id, email, email_verified_at IS NOT NULL AS email_verified, name, phone, role, custom_role,
       (SELECT c.scopes FROM roles c WHERE c.name = custom_role) AS custom_scopes, disabled_at, version,
       created_at, password_hash
FROM users
WHERE email = $1
