-- Does the role exist, may the login become it, may the login create it, and what server is this?
SELECT
    owner.oid IS NOT NULL,
    owner.oid IS NOT NULL AND pg_has_role(login.rolname, owner.oid, 'MEMBER'),
    login.rolsuper OR login.rolcreaterole,
    current_setting('server_version_num')::int
FROM pg_roles AS login
LEFT JOIN pg_roles AS owner ON owner.rolname = $1
WHERE login.rolname = current_user
