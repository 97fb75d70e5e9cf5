SELECT user_id, browser_login_id, authenticated_at, redirect_uri, scope, nonce, code_challenge, session_id,
       expires_at > now() AS is_good
FROM authorization_codes
WHERE hash = $1 AND client_id = $2
FOR UPDATE
