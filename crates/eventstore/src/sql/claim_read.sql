select body_hash, expires_at <= clock_timestamp(), status, headers, body,
       extract(epoch from lease_until - clock_timestamp())::double precision
from idempotency_claim
where scope_hash = $1
