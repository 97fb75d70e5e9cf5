-- Rows of stock_movement that are not what the log says, and lines of the log that its reader has passed and that are not
-- there.
with line as (
    select e.event_id, e.partition, e.position, e.type, coalesce(l.value ->> 'location', 'default') as location,
           (l.value ->> 'quantity')::bigint as quantity, (l.value ->> 'onHand')::bigint as on_hand,
           (l.value ->> 'reserved')::bigint as reserved, (l.value ->> 'stockVersion')::bigint as version
    from inventory.event_log e
    cross join lateral jsonb_array_elements(
        case when e.payload ? 'line' then jsonb_build_array(e.payload -> 'line') else e.payload -> 'lines' end) l
    where e.type in ('StockReceived', 'StockAdjusted', 'StockReserved', 'ReservationChanged', 'ReservationReleased',
                     'ReservationExpired', 'StockShipped', 'StockRestocked')
)
select coalesce(m.product_id::text, line.event_id::text) as what, coalesce(m.stock_version, line.version) as version,
       case when m.event_id is null then 'is missing'
            when line.event_id is null then 'is not in the log'
            else 'differs from the log' end
from line
full join inventory.stock_movement m on m.event_id = line.event_id and m.stock_version = line.version
left join inventory.reader_checkpoint c
       on c.reader = 'stock-movements' and c.log = 'inventory' and c.partition = line.partition
where (m.event_id is null and line.position <= c.position)
   or line.event_id is null
   or (m.event_type, m.location, m.quantity, m.on_hand, m.reserved)
      is distinct from (line.type, line.location, line.quantity, line.on_hand, line.reserved) and m.event_id is not null
order by what, version
