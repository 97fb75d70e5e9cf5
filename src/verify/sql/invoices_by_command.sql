-- The invoices that these commands issued, by the ordinal of the command.
select c.ordinal, e.stream_id, e.version, e.type, e.schema_version, e.payload
from unnest($1::bigint[], $2::integer[], $3::text[], $4::uuid[]) as c (ordinal, partition, series, command_id)
join invoices.events e on e.partition = c.partition and e.stream_id = c.series and e.command_id = c.command_id
