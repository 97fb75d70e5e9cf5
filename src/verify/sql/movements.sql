-- Rows of stock_movement that are not what the log says, and lines of the log that its reader has passed and that are not
-- there.
, named as (
    -- Ids are 26 digits of five bits in the log: an event moves several products, often at the same version each.
    select p.product_id, 'prod_' || (
        select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
                                 substring(B'00' || ('x' || replace(p.product_id::text, '-', ''))::bit(128)
                                           from 5 * digit + 1 for 5)::int + 1, 1), '' order by digit)
        from generate_series(0, 25) digit) as product
    from (select distinct product_id from inventory.stock_movement) p
), moved as (
    select named.product, m.* from inventory.stock_movement m join named using (product_id)
)
select coalesce(m.product, line.product) as what, coalesce(m.stock_version, line.version) as version,
       case when m.event_id is null then 'is missing'
            when line.event_id is null then 'is not in the log'
            else 'differs from the log' end
from line
full join moved m on m.event_id = line.event_id and m.product = line.product and m.stock_version = line.version
left join inventory.reader_checkpoint c
       on c.reader = 'stock-movements' and c.log = 'inventory' and c.partition = line.partition
where (m.event_id is null and line.position <= c.position)
   or line.event_id is null
   or (m.event_type, m.location, m.quantity, m.on_hand, m.reserved)
      is distinct from (line.type, line.location, line.quantity, line.on_hand, line.reserved) and m.event_id is not null
order by what, version
