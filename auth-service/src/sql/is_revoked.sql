SELECT EXISTS (
    SELECT FROM revocations
    WHERE (kind = 'token' AND subject = $1) OR (kind = 'session' AND subject = $2)
)
