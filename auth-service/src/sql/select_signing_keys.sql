SELECT kid, public_jwk, sealed_private_key, nonce, sealed_with, active_from <= now() AS active
FROM signing_keys
WHERE published_until IS NULL OR published_until > now()
ORDER BY active_from DESC, kid
