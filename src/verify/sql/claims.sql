-- Claims that nobody answered. $1 now, $2 how long ago a lease ended that nobody takes over any more, $3 how much later
-- than its time a claim may go.
select left(encode(scope_hash, 'hex'), 16), lease_until, reserved::text,
       case when expires_at < $1::timestamptz - make_interval(secs => $3) then 'was to be deleted at ' || expires_at
            when lease_until > $1::timestamptz + make_interval(secs => $2) then 'is held until ' || lease_until
            else 'was given up' end
from idempotency_claim
where expires_at < $1::timestamptz - make_interval(secs => $3)
   or (answered_at is null and lease_until < $1::timestamptz - make_interval(secs => $2))
   or (answered_at is null and lease_until > $1::timestamptz + make_interval(secs => $2))
order by lease_until
