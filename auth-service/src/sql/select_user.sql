SELECT id AS user_id, email, email_verified_at IS NOT NULL AS email_verified, name, phone, role, disabled_at, version,
       created_at
FROM users
WHERE id = $1
