-- Which of these commands are in the log: asked after a commit whose outcome is unknown.
select e.command_id
from unnest($1::integer[], $2::text[], $3::uuid[]) as c (partition, stream_id, command_id)
join events e on e.partition = c.partition and e.stream_id = c.stream_id and e.command_id = c.command_id
