-- Stock is what came in, and what is reserved is what the orders that stand demand: by the rows, by the reservations,
-- by the log's own last word, and by the read table.
with demanded as (
    select p.product_id, p.product_uuid, p.delivered, coalesce(sum(l.quantity), 0) as reserved
    from faults.product p
    left join (select l.* from faults.order_line l join faults.order_fact f using (order_id) where f.ends = 0) l
        using (product_id)
    group by p.product_id
), held as (
    select (h.key)::uuid as product_uuid, sum((h.value)::bigint) as reserved
    from inventory.reservation r, jsonb_each_text(r.lines) h
    where r.state in ('PENDING', 'ATTACHED', 'CONFIRMED')
    group by h.key
), lines as (
    select e.payload -> 'line' as line from inventory.event_log e where e.payload ? 'line'
    union all
    select l from inventory.event_log e, jsonb_array_elements(e.payload -> 'lines') l
    where e.payload ? 'lines' and jsonb_typeof(e.payload -> 'lines') = 'array'
), last_word as (
    select distinct on (line ->> 'productId') line ->> 'productId' as product_id,
           (line ->> 'onHand')::bigint as on_hand, (line ->> 'reserved')::bigint as reserved
    from lines
    where line ? 'stockVersion'
    order by line ->> 'productId', (line ->> 'stockVersion')::bigint desc
)
select format('%s: %s came in and %s are ordered; rows say %s and %s, reservations %s, the log %s and %s, the read table %s and %s',
              d.product_id, d.delivered, d.reserved, s.on_hand, s.reserved, coalesce(held.reserved, 0),
              w.on_hand, w.reserved, v.on_hand, v.reserved)
from demanded d
left join inventory.stock s on s.product_id = d.product_uuid
left join held on held.product_uuid = d.product_uuid
left join last_word w on w.product_id = d.product_id
left join query.stock_view v on v.product_id = d.product_uuid
where (d.delivered, d.reserved) is distinct from (s.on_hand, s.reserved::numeric)
   or d.reserved <> coalesce(held.reserved, 0)
   or (d.delivered, d.reserved) is distinct from (w.on_hand, w.reserved::numeric)
   or (d.delivered, d.reserved) is distinct from (v.on_hand, v.reserved::numeric)
   or d.reserved > d.delivered
union all
select format('%s: stock version %s is there %s times', line ->> 'productId', line ->> 'stockVersion', count(*))
from lines where line ? 'stockVersion'
group by line ->> 'productId', line ->> 'stockVersion' having count(*) > 1
