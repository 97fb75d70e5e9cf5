select coalesce(last.version, 0)
from unnest($1::integer[], $2::text[]) with ordinality as s (partition, stream_id, ordinal)
left join lateral (
    select e.version
    from events e
    where e.partition = s.partition and e.stream_id = s.stream_id
    order by e.version desc
    limit 1
) last on true
order by s.ordinal
