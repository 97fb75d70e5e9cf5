INSERT INTO one_time_secrets (user_id, sealed_secret, nonce, sealed_with)
VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE
SET sealed_secret = excluded.sealed_secret, nonce = excluded.nonce, sealed_with = excluded.sealed_with, last_step = 0,
    created_at = now()
WHERE one_time_secrets.confirmed_at IS NULL
