-- Claims a key that is new, whose owner's lease ran out, or that is past its time. An expired lease leaves the reserved
-- values as they are; a key past its time starts afresh.
-- The claim does not wait for the disk: the append that answers it is committed later in the same WAL, so if that is
-- durable the claim is too, and a claim that a crash of the server takes back has nothing that depends on it.
with hurry as materialized (
    select set_config('synchronous_commit', 'off', true) as synchronous_commit
)
insert into idempotency_claim as c
    (scope_hash, body_hash, reserved, owner, lease_epoch, lease_until, expires_at)
select $1::bytea, $2::bytea, $3::jsonb, gen_random_uuid(), 1, clock_timestamp() + interval '30 seconds',
       clock_timestamp() + interval '24 hours'
from hurry where synchronous_commit is not null
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
