-- What is still to come: events that readers have not reached, and reservations that nobody has taken up yet.
with heads as (
    select 'orders' as log, partition, position from orders.log_head
    union all select 'inventory', partition, position from inventory.log_head
    union all select 'invoices', partition, position from invoices.log_head
)
select format('%s is at %s of %s in partition %s of %s', c.reader, c.position, h.position, c.partition, c.log)
from {checkpoints} c join heads h using (log, partition)
where c.position < h.position
  and (c.reader <> 'query' or c.reader_version in (select generation from query.generation where state = 'live'))
union all
select format('the reservation of %s is pending', order_id) from inventory.reservation where state = 'PENDING'
