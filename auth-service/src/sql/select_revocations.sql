SELECT position, kind, subject, expires_at
FROM revocations
WHERE position > $1
ORDER BY position
LIMIT $2
