SELECT id
FROM users
WHERE role = 'admin' AND disabled_at IS NULL
ORDER BY id
FOR UPDATE
