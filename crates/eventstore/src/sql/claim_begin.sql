-- Claims a key that is new, whose owner's lease ran out, or that is past its time. An expired lease leaves the reserved
-- values as they are; a key past its time starts afresh.
insert into idempotency_claim as c
    (scope_hash, body_hash, reserved, owner, lease_epoch, lease_until, expires_at)
values ($1, $2, $3, gen_random_uuid(), 1, clock_timestamp() + interval '30 seconds',
        clock_timestamp() + interval '24 hours')
on conflict (scope_hash) do update
set owner = excluded.owner,
    lease_epoch = c.lease_epoch + 1,
    lease_until = excluded.lease_until,
    body_hash = excluded.body_hash,
    reserved = case when c.expires_at <= clock_timestamp() then excluded.reserved else c.reserved end,
    expires_at = case when c.expires_at <= clock_timestamp() then excluded.expires_at else c.expires_at end,
    answered_at = null, status = null, headers = null, body = null, concerns = '{}'
where c.expires_at <= clock_timestamp()
   or (c.answered_at is null and c.body_hash = excluded.body_hash and c.lease_until <= clock_timestamp())
returning reserved, owner
