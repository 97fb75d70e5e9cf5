-- Event ids that are there more than once, and commands that were appended twice to a stream.
select 'event ' || event_id::text || ' is there ' || count(*) || ' times'
from events
group by event_id
having count(*) > 1
union all
select 'command ' || command_id::text || ' was appended ' || count(*) || ' times to ' || stream_id
from events
where command_id is not null
group by stream_id, command_id
having count(*) > 1
