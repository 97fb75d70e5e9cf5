UPDATE clients
SET secret_hash = coalesce($2, secret_hash), scopes = $3, grants = $4, redirect_uris = $5,
    version = version + 1, updated_at = now()
WHERE name = $1
  AND (secret_hash, scopes, grants, redirect_uris) IS DISTINCT FROM (coalesce($2, secret_hash), $3, $4, $5)
RETURNING id, name, secret_hash IS NOT NULL AS confidential, secret_hash, scopes, grants, redirect_uris, disabled_at, version,
       created_at
