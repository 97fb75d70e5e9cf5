INSERT INTO clients (id, name, secret_hash, scopes, grants, redirect_uris, post_logout_redirect_uris, first_party, jwks)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (name) DO NOTHING
RETURNING id, name, secret_hash IS NOT NULL OR jwks IS NOT NULL AS confidential, secret_hash, jwks, scopes, grants,
       redirect_uris, post_logout_redirect_uris, first_party, disabled_at, version, created_at
