-- Every acknowledged order is in the log as it was acknowledged, every order was asked for, and none is there twice.
select format('the acknowledged order %s (%s) is not in the log as it was acknowledged', p.order_id, p.key)
from faults.placed p
where p.outcome = 'acknowledged' and not exists (
    select from faults.order_fact f
    where f.order_id = p.order_id and f.key = p.key and f.number = p.number and f.total = p.total)
union all
select format('the lines of order %s (%s) are not those that were sent', f.order_id, f.key)
from faults.order_fact f
where (select array_agg((product_id, quantity)::text order by product_id) from faults.order_line l
       where l.order_id = f.order_id)
      is distinct from
      (select array_agg((product_id, quantity)::text order by product_id) from faults.line l where l.key = f.key)
union all
select format('%s orders have the key %s', count(*), key) from faults.order_fact group by key having count(*) > 1
union all
select format('%s orders have the number %s', count(*), number)
from faults.order_fact group by number having count(*) > 1
union all
select format('order %s was placed %s times', order_id, count(*))
from faults.order_event where type = 'OrderPlaced' group by order_id having count(*) > 1 or min(version) <> 1
union all
select format('order %s does not begin with its placing', order_id)
from faults.order_event where version = 1 and type <> 'OrderPlaced'
union all
select format('order %s (%s) was refused, or nobody asked for it', f.order_id, f.key)
from faults.order_fact f
where not exists (select from faults.placed p where p.key = f.key and p.outcome <> 'refused')
