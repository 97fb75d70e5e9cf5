UPDATE clients
-- A client proves itself in one way: who gets a secret has no keys any more.
SET secret_hash = coalesce($2, secret_hash), jwks = CASE WHEN $2::bytea IS NULL THEN jwks END, scopes = $3, grants = $4, redirect_uris = $5,
    post_logout_redirect_uris = $6, first_party = $7, version = version + 1, updated_at = now()
WHERE name = $1
  AND (secret_hash, scopes, grants, redirect_uris, post_logout_redirect_uris, first_party)
      IS DISTINCT FROM (coalesce($2, secret_hash), $3, $4, $5, $6, $7)
RETURNING id, name, secret_hash IS NOT NULL OR jwks IS NOT NULL AS confidential, secret_hash, jwks, scopes, grants,
       redirect_uris, post_logout_redirect_uris, first_party, disabled_at, version, created_at
