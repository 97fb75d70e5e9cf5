-- Every change of a product's stock beside the one before it, by the log alone: its count goes up by one, and the levels
-- of its location change by its own quantity. What has left can't be refused, so it may take fewer off the shelf than the
-- books had; what it was promised is counted at the default location, whichever sends it.
, step as (
    select line.*,
           lag(version, 1, 0::bigint) over (partition by product order by version) as version_before,
           lag(on_hand, 1, 0::bigint) over steps as on_hand_before,
           lag(reserved, 1, 0::bigint) over steps as reserved_before
    from line
    window steps as (partition by product, location order by version)
), judged as (
    select step.*,
           on_hand - on_hand_before as shelf, reserved - reserved_before as promised
    from step
)
select product, version, type,
       case
           when version <> version_before + 1 then 'follows version ' || version_before
           when on_hand < 0 or reserved < 0 then 'leaves ' || on_hand || ' on hand and ' || reserved || ' reserved'
           else 'moves ' || quantity || ' pieces, but on hand goes from ' || on_hand_before || ' to ' || on_hand
                || ' and reserved from ' || reserved_before || ' to ' || reserved
       end
from judged
where version <> version_before + 1 or on_hand < 0 or reserved < 0
   or not case
       when type in ('StockReceived', 'StockAdjusted', 'StockRestocked') then shelf = quantity and promised = 0
       when type in ('StockReserved', 'ReservationChanged') then shelf = 0 and promised = quantity
       when type in ('ReservationReleased', 'ReservationExpired') then shelf = 0 and promised = -quantity
       else shelf between -quantity and 0 and promised <= 0 and (promised = 0 or location = 'default')
   end
order by product, version
