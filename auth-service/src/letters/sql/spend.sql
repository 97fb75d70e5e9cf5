UPDATE mailed_codes
SET used_at = now()
FROM users
WHERE code_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()
  AND users.id = user_id AND users.disabled_at IS NULL
RETURNING user_id
