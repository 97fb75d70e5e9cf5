-- Partitions that the log does not have and events are in.
select e.partition, count(*)
from events e
where not exists (select from log_head h where h.partition = e.partition)
group by e.partition
order by e.partition
