-- One invoice per order that was covered, in series without gaps, and the read table has the same.
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
select format('series %s has %s invoices up to number %s', series, count(*), max(version))
from faults.invoice group by series having count(*) <> max(version) or min(version) <> 1
union all
select format('invoice %s-%s is not in the table, or not in the log', series, version)
from (select series, version from faults.invoice) i full join invoices.invoice t using (series, version)
where i is null or t.document_id is null
