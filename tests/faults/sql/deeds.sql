-- Payments, cancellations and amendments: acknowledged ones are in the log, nothing is there twice or unasked.
select format('the acknowledged payment %s of %s over %s is not in the log', d.reference, d.order_id, d.amount)
from faults.deed d
where d.kind = 'paid' and d.outcome = 'acknowledged' and not exists (
    select from faults.order_event e
    where e.order_id = d.order_id and e.type = 'PaymentCompleted' and e.payload ->> 'paymentId' = d.reference
      and (e.payload ->> 'amount')::numeric = d.amount)
union all
select format('payment %s of %s was recorded %s times', payload ->> 'paymentId', order_id, count(*))
from faults.order_event where type = 'PaymentCompleted'
group by order_id, payload ->> 'paymentId' having count(*) > 1
union all
select format('nobody made the payment %s of %s', e.payload ->> 'paymentId', e.order_id)
from faults.order_event e
where e.type = 'PaymentCompleted' and not exists (
    select from faults.deed d
    where d.order_id = e.order_id and d.kind = 'paid' and d.outcome <> 'refused'
      and d.reference = e.payload ->> 'paymentId')
union all
select format('order %s was cancelled, acknowledged, and is not', d.order_id)
from faults.deed d
where d.kind = 'cancelled' and d.outcome = 'acknowledged' and not exists (
    select from faults.order_event e where e.order_id = d.order_id and e.type = 'OrderCancelled')
union all
select format('order %s was cancelled %s times', order_id, count(*))
from faults.order_event where type = 'OrderCancelled' group by order_id having count(*) > 1
union all
select format('nobody cancelled order %s because "%s"', e.order_id, e.payload ->> 'reason')
from faults.order_event e
where e.type = 'OrderCancelled' and e.payload ->> 'reason' is distinct from 'the stock is gone' and not exists (
    select from faults.deed d
    where d.order_id = e.order_id and d.kind = 'cancelled' and d.outcome <> 'refused'
      and d.reference = e.payload ->> 'reason')
union all
select format('order %s was amended %s times, of %s acknowledged and %s unknown', d.order_id, e.amended, d.certain,
              d.possible)
from (select order_id, count(*) filter (where outcome = 'acknowledged') as certain,
             count(*) filter (where outcome = 'unknown') as possible
      from faults.deed where kind = 'noted' group by order_id) d
left join lateral (select count(*) as amended from faults.order_event e
                   where e.order_id = d.order_id and e.type = 'OrderAmended') e on true
where e.amended not between d.certain and d.certain + d.possible
union all
select format('nobody amended order %s', order_id)
from faults.order_event e
where type = 'OrderAmended'
  and not exists (select from faults.deed d where d.order_id = e.order_id and d.kind = 'noted')
union all
select format('order %s of %s was paid %s and confirmed %s times', order_id, total, paid, confirmations)
from faults.order_fact
where confirmations > 1 or (confirmations = 1) <> (paid >= total) and ends = 0 or confirmations = 1 and paid < total
