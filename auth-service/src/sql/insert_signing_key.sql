INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, nonce, sealed_with, active_from)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::int))
