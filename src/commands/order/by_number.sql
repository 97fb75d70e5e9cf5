-- Where two orders have the same number, the newest is meant.
select stream_id
from orders.event_log
where version = 1 and type = 'OrderPlaced' and payload ->> 'orderNumber' = $1
order by recorded_at desc
limit 1
