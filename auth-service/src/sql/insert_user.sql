INSERT INTO users (id, email, password_hash, role, name, phone)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (email) DO NOTHING
RETURNING id AS user_id, email, email_verified_at IS NOT NULL AS email_verified, name, phone, role, disabled_at, version,
          created_at
