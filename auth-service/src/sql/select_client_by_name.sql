SELECT id, name, secret_hash IS NOT NULL OR jwks IS NOT NULL AS confidential, secret_hash, jwks, scopes, grants,
       redirect_uris, post_logout_redirect_uris, first_party, disabled_at, version, created_at
FROM clients
WHERE name = $1
