INSERT INTO users (id, email, password_hash, role, name, phone, custom_role)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (email) DO NOTHING
RETURNING id AS user_id, email, email_verified_at IS NOT NULL AS email_verified, name, phone, role, custom_role,
       (SELECT c.scopes FROM roles c WHERE c.name = custom_role) AS custom_scopes, disabled_at, version,
          created_at
