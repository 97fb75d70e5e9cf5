INSERT INTO consents (user_id, client_id, scope)
VALUES ($1, $2, $3)
ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, given_at = now()
