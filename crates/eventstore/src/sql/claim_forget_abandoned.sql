-- Claims that began within $1 seconds (a key is kept for 24 hours from then) and were given up.
-- An index on the open ones would cost every command; the one on expires_at finds the young ones well enough.
delete from idempotency_claim
where answered_at is null
  and lease_until < clock_timestamp() - interval '10 minutes'
  and expires_at > clock_timestamp() + interval '24 hours' - make_interval(secs => $1)
