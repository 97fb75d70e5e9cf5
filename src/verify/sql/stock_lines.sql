-- The lines by which events changed stock; moves.sql and movements.sql go on from here.
with line as (
    select e.event_id, e.partition, e.position, l.value ->> 'productId' as product, e.type,
           coalesce(l.value ->> 'location', 'default') as location,
           (l.value ->> 'quantity')::bigint as quantity, (l.value ->> 'onHand')::bigint as on_hand,
           (l.value ->> 'reserved')::bigint as reserved, (l.value ->> 'stockVersion')::bigint as version
    from inventory.event_log e
    cross join lateral jsonb_array_elements(
        case when e.payload ? 'line' then jsonb_build_array(e.payload -> 'line') else e.payload -> 'lines' end) l
    where e.type in ('StockReceived', 'StockAdjusted', 'StockReserved', 'ReservationChanged', 'ReservationReleased',
                     'ReservationExpired', 'StockShipped', 'StockRestocked')
)
