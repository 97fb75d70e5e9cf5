-- What the logs say of orders, invoices and stock, for the questions after it. `import`s are not the clients'.
create table faults.order_event as
select stream_id as order_id, version, type, payload
from orders.event_log
where stream_type = 'Order' and not coalesce((metadata ->> 'import')::boolean, false);
create index on faults.order_event (order_id, type);
create index on faults.order_event (type);
create table faults.order_fact as
select p.order_id, p.payload ->> 'externalId' as key, p.payload ->> 'orderNumber' as number,
       (p.payload #>> '{totals,total}')::numeric as total, e.paid, e.confirmations, e.ends
from faults.order_event p
join (select order_id,
             coalesce(sum((payload ->> 'amount')::numeric) filter (where type = 'PaymentCompleted'), 0) as paid,
             count(*) filter (where type = 'OrderConfirmed') as confirmations,
             count(*) filter (where type in ('OrderCancelled', 'OrderExpired')) as ends
      from faults.order_event group by order_id) e using (order_id)
where p.type = 'OrderPlaced';
create index on faults.order_fact (order_id);
create index on faults.order_fact (key);
create index on faults.order_fact (number);
create table faults.order_line as
select p.order_id, l ->> 'productId' as product_id, (l ->> 'quantity')::bigint as quantity
from faults.order_event p, jsonb_array_elements(p.payload -> 'lines') l
where p.type = 'OrderPlaced';
create index on faults.order_line (order_id);
create index on faults.line (key);
create table faults.document as
select stream_id as series, version, type, payload ->> 'orderId' as order_id, payload ->> 'causeEventId' as cause,
       (payload #>> '{totals,total}')::numeric as total
from invoices.event_log
where type in ('InvoiceIssued', 'CreditNoteIssued');
create table faults.invoice as select * from faults.document where type = 'InvoiceIssued';
create index on faults.invoice (order_id);
analyze;
