-- The read tables have every order and every invoice of the logs, at their versions.
select format('order %s is at version %s in the log and at %s in the read table', f.order_id, e.version, v.version)
from faults.order_fact f
join lateral (select max(version) as version from faults.order_event e where e.order_id = f.order_id) e on true
left join query.order_view v on v.number = f.number
where v.version is distinct from e.version
union all
select format('the read table has %s orders and the log %s', v.orders, f.orders)
from (select count(*) as orders from query.order_view) v,
     (select count(*) as orders from orders.events where type = 'OrderPlaced') f
where v.orders <> f.orders
union all
select format('the read table has %s documents and the log %s', v.documents, i.documents)
from (select count(*) as documents from query.invoice_view) v,
     (select count(*) as documents from invoices.events) i
where v.documents <> i.documents
