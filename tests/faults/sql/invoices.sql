-- One invoice per order that was covered, and credit notes over all of it where the order was cancelled afterwards; each
-- once per cause, in series without gaps, and the read table has the same.
select format('order %s has %s invoices', order_id, count(*)) from faults.invoice group by order_id having count(*) > 1
union all
select format('order %s is confirmed and has no invoice', order_id)
from faults.order_fact f
where confirmations > 0 and not exists (select from faults.invoice i where i.order_id = f.order_id)
union all
select format('order %s has an invoice and was paid %s of %s', f.order_id, f.paid, f.total)
from faults.order_fact f join faults.invoice i using (order_id)
where f.paid < f.total
union all
select format('order %s was invoiced %s and credited %s', i.order_id, i.total, coalesce(c.credited, 0))
from faults.invoice i
left join (select order_id, sum(total) as credited from faults.document where type = 'CreditNoteIssued' group by order_id) c
     using (order_id)
where c.credited > i.total
   or c.credited is distinct from i.total
      and exists (select from faults.order_event e where e.order_id = i.order_id and e.type = 'OrderCancelled')
union all
select format('%s has %s documents %s', cause, count(*), type) from faults.document group by cause, type having count(*) > 1
union all
select format('series %s has %s documents up to number %s', series, count(*), max(version))
from faults.document group by series having count(*) <> max(version) or min(version) <> 1
union all
select format('document %s-%s is not in the table, or not in the log', series, version)
from (select series, version from faults.document) i full join invoices.invoice t using (series, version)
where i is null or t.document_id is null
