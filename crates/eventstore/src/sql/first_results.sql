-- What is in the log of these commands already: by command_id, or by the event_id at the version that an attempt
-- with an unknown outcome would have taken.
select c.ordinal, found.position, found.version, found.recorded_at, found.metadata, found.event_id = c.event_id
from unnest($1::bigint[], $2::integer[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[])
     as c (ordinal, partition, stream_id, command_id, event_id, tried)
join lateral (
    select e.position, e.version, e.recorded_at, e.metadata, e.event_id
    from events e
    where e.partition = c.partition and e.stream_id = c.stream_id and e.command_id = c.command_id
    union all
    select e.position, e.version, e.recorded_at, e.metadata, e.event_id
    from events e
    where e.partition = c.partition and e.stream_id = c.stream_id and e.version = c.tried and e.event_id = c.event_id
    limit 1
) found on true
