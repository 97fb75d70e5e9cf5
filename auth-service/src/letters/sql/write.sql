-- $1 hash, $2 purpose, $3 user_id, $4 lifetime in seconds, $5 mail_id, $6 sealed code, $7 nonce, $8 what sealed it.
WITH code AS (
    INSERT INTO mailed_codes (code_hash, purpose, user_id, expires_at)
    VALUES ($1, $2, $3, now() + make_interval(secs => $4))
    RETURNING expires_at
)
INSERT INTO letters (mail_id, purpose, user_id, sealed_code, nonce, sealed_with, expires_at)
SELECT $5, $2, $3, $6, $7, $8, expires_at FROM code
