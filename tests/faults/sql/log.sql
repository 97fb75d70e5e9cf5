-- A log is dense, its versions are contiguous, its times rise, and no event is in it twice.
select format('partition %s has %s events from %s to %s, and its head is at %s', h.partition, e.events, e.first, e.last,
              h.position)
from {log}.log_head h
left join (select partition, count(*) as events, min(position) as first, max(position) as last
           from {log}.events group by partition) e using (partition)
where h.position <> coalesce(e.events, 0) or h.position <> coalesce(e.last, 0) or coalesce(e.first, 1) <> 1
union all
select format('partition %s has events and no head', partition)
from {log}.events where partition not in (select partition from {log}.log_head) group by partition
union all
select format('stream %s has %s events from %s to %s in %s partitions', stream_id, count(*), min(version), max(version),
              count(distinct partition))
from {log}.events
group by stream_id
having count(*) <> max(version) or min(version) <> 1 or count(distinct partition) <> 1
union all
select format('event %s is there %s times', event_id, count(*))
from {log}.events group by event_id having count(*) > 1
union all
select format('time runs backwards at position %s of partition %s', position, partition)
from (select partition, position, recorded_at,
             lag(recorded_at) over (partition by partition order by position) as before
      from {log}.events) e
where recorded_at < before
union all
select format('a version of %s stands before an earlier one', stream_id)
from (select stream_id, position, lag(position) over (partition by stream_id order by version) as before
      from {log}.events) e
where position < before
