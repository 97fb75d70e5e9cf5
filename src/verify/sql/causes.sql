-- The events that these invoices name as their cause, by ordinal.
select c.ordinal, e.event_id
from unnest($1::bigint[], $2::integer[], $3::text[], $4::bigint[]) as c (ordinal, partition, stream_id, version)
join orders.events e on e.partition = c.partition and e.stream_id = c.stream_id and e.version = c.version
