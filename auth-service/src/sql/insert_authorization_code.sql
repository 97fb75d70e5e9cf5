INSERT INTO authorization_codes
    (hash, client_id, user_id, browser_login_id, authenticated_at, redirect_uri, scope, nonce, code_challenge, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10::int))
