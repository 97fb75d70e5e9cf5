-- The events after a place in each partition of the log on the search path, the oldest first.
select e.*
from unnest($1::integer[], $2::bigint[]) as seen (partition, position)
cross join lateral (
    select partition, position, stream_id, stream_type, version, event_id, command_id, type, schema_version, payload,
           metadata, recorded_at
    from events e
    where e.partition = seen.partition and e.position > seen.position
    order by e.position
    limit $3
) e
order by e.recorded_at, e.partition, e.position
limit $3
