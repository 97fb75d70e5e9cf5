-- A cancellation that says nothing, appended as the log's rules want it: head locked, next position, next version.
with head as (
    update orders.log_head h
    set position = h.position + 1, last_recorded_at = greatest(clock_timestamp(), h.last_recorded_at)
    where h.partition = (select partition from orders.events where stream_id = '{order}' limit 1)
    returning h.partition, h.position, h.last_recorded_at
)
insert into orders.events
select head.partition, head.position, e.stream_id, e.stream_type, e.version + 1, gen_random_uuid(), null,
       'OrderCancelled', 1, '{"lines": "all of them"}', e.metadata, head.last_recorded_at
from head, orders.events e
where e.stream_id = '{order}' and e.version = 1
