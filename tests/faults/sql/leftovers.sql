-- Nothing is left standing: no open claims but those of requests that were given up, no parked streams, no stopped
-- partitions.
select format('%s claims are open and %s requests were given up', open.claims, given_up.requests)
from (select count(*) as claims from orders.idempotency_claim where answered_at is null) open,
     (select (select count(*) from faults.placed where outcome = 'unknown')
           + (select count(*) from faults.deed where outcome = 'unknown') as requests) given_up
where open.claims > given_up.requests
union all
select format('%s parked %s of %s: %s', reader, stream_id, log, error) from orders.parked_stream
union all
select format('%s parked %s of %s: %s', reader, stream_id, log, error) from inventory.parked_stream
union all
select format('%s parked %s of %s: %s', reader, stream_id, log, error) from invoices.parked_stream
union all
select format('%s parked %s of %s: %s', reader, stream_id, log, error) from query.parked_stream
union all
select format('%s stands still in partition %s of %s: %s', reader, partition, log, stopped) from {checkpoints} c
where stopped is not null
