-- Whoever had the code reads the mail: the address is verified with it.
UPDATE users
SET password_hash = $2, email_verified_at = coalesce(email_verified_at, now()), version = version + 1, updated_at = now()
WHERE id = $1
