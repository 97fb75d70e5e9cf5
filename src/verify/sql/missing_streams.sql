-- Of these orders, those that have no event.
select w.stream_id
from unnest($1::integer[], $2::text[]) as w (partition, stream_id)
where not exists (select from orders.events e where e.partition = w.partition and e.stream_id = w.stream_id)
