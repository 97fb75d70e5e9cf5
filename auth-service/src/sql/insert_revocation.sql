WITH taken AS (
    UPDATE revocation_head SET position = position + 1
    WHERE NOT EXISTS (SELECT FROM revocations WHERE kind = $1 AND subject = $2)
    RETURNING position
)
INSERT INTO revocations (position, kind, subject, expires_at)
SELECT position, $1, $2, now() + make_interval(secs => $3::int) FROM taken
ON CONFLICT DO NOTHING
