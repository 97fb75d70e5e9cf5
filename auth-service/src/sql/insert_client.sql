INSERT INTO clients (id, name, secret_hash, scopes, grants, redirect_uris)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING
RETURNING id, name, secret_hash IS NOT NULL AS confidential, secret_hash, scopes, grants, redirect_uris, disabled_at, version,
       created_at
