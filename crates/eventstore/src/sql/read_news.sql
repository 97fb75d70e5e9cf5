-- $1 is the last known position of every partition, from 0.
select e.partition, e.position, e.stream_id, e.stream_type, e.version, e.event_id, e.command_id, e.type,
       e.schema_version, e.payload, e.metadata, e.recorded_at
from unnest($1::bigint[]) with ordinality as known (position, number)
join log_head h on h.partition = known.number - 1 and h.position > known.position
cross join lateral (
    select * from events
    where events.partition = h.partition and events.position > known.position
    order by events.position
    limit $2
) as e
order by e.partition, e.position
