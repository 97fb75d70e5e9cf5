-- What the logs say of orders, invoices and stock, for the questions after it. `import`s are not the clients'.
create table faults.order_event as
select stream_id as order_id, version, type, payload
from orders.event_log
where stream_type = 'Order' and not coalesce((metadata ->> 'import')::boolean, false);
create index on faults.order_event (order_id);
create index on faults.order_event (type);
create table faults.order_fact as
select p.order_id, p.payload ->> 'externalId' as key, p.payload ->> 'orderNumber' as number,
       (p.payload #>> '{totals,total}')::numeric as total,
       (select coalesce(sum((e.payload ->> 'amount')::numeric), 0) from faults.order_event e
        where e.order_id = p.order_id and e.type = 'PaymentCompleted') as paid,
       (select count(*) from faults.order_event e
        where e.order_id = p.order_id and e.type = 'OrderConfirmed') as confirmations,
       (select count(*) from faults.order_event e
        where e.order_id = p.order_id and e.type in ('OrderCancelled', 'OrderExpired')) as ends
from faults.order_event p
where p.type = 'OrderPlaced';
create index on faults.order_fact (order_id);
create table faults.order_line as
select p.order_id, l ->> 'productId' as product_id, (l ->> 'quantity')::bigint as quantity
from faults.order_event p, jsonb_array_elements(p.payload -> 'lines') l
where p.type = 'OrderPlaced';
create table faults.invoice as
select stream_id as series, version, payload ->> 'orderId' as order_id
from invoices.event_log
where type = 'InvoiceIssued';
create index on faults.invoice (order_id);
analyze;
