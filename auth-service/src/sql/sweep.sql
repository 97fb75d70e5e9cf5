DELETE FROM revocations WHERE expires_at < now();
DELETE FROM used_assertions WHERE expires_at < now();
-- Nothing that a withdrawn key signed is alive any more.
DELETE FROM signing_keys WHERE published_until < now() - interval '1 day';
DELETE FROM browser_logins WHERE expires_at < now();
DELETE FROM mailed_codes WHERE expires_at < now() - interval '1 day';
DELETE FROM letters WHERE expires_at < now() - interval '30 days';
-- A used code stays a day, so that a late second use still ends what it gave.
DELETE FROM authorization_codes WHERE expires_at < now() - interval '1 day';
-- Spent tokens stay as long as their session: presenting one must still end it.
DELETE FROM sessions
WHERE expires_at < now() - interval '1 day' OR ended_at < now() - interval '1 day';
DELETE FROM refresh_tokens WHERE used_at IS NULL AND expires_at < now() - interval '1 day'
