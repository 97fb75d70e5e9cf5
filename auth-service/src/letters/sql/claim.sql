-- Takes letters that are due, at most $1, for $2 seconds. Others skip what is taken.
UPDATE letters
SET lease = gen_random_uuid(), attempts = attempts + 1, next_at = now() + make_interval(secs => $2)
FROM users
WHERE users.id = letters.user_id AND mail_id IN (
    SELECT mail_id FROM letters
    WHERE state = 'PENDING' AND next_at <= now()
    ORDER BY next_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED)
RETURNING mail_id, purpose, users.email, users.name, sealed_code, nonce, sealed_with, attempts, lease, letters.expires_at > now() AS alive
