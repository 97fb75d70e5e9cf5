-- Each partition's head beside what is in it.
select h.partition, h.position, h.last_recorded_at,
       coalesce(e.events, 0), coalesce(e.first, 0), coalesce(e.last, 0), e.last_recorded_at
from log_head h
left join (
    select partition, count(*) as events, min(position) as first, max(position) as last,
           max(recorded_at) as last_recorded_at
    from events
    group by partition
) e on e.partition = h.partition
order by h.partition
