-- What came of a letter: $1 mail_id, $2 lease, $3 state, $4 error, $5 seconds until the next attempt. One that is over keeps no code.
UPDATE letters
SET state = $3, last_error = $4, lease = NULL, next_at = now() + make_interval(secs => $5),
    sealed_code = CASE WHEN $3 = 'PENDING' THEN sealed_code END,
    nonce = CASE WHEN $3 = 'PENDING' THEN nonce END,
    sealed_with = CASE WHEN $3 = 'PENDING' THEN sealed_with END
WHERE mail_id = $1 AND lease = $2
