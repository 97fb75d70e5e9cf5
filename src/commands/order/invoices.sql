-- The table says which they are, the log what they say. A series is in one partition.
select e.partition, e.position, e.stream_id, e.stream_type, e.version, e.event_id, e.command_id, e.type,
       e.schema_version, e.payload, e.metadata, e.recorded_at
from invoices.invoice i
join invoices.events e on e.stream_id = i.series and e.version = i.version
where i.order_id = $1
order by e.recorded_at
