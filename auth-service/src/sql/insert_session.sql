INSERT INTO sessions
    (id, user_id, client_id, scope, address, user_agent, expires_at, authenticated_at, browser_login_id)
VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7::int), $8, $9)
