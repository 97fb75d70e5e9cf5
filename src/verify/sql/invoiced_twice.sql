select payload ->> 'orderId', string_agg(stream_id || '-' || lpad(version::text, 6, '0'), ', ' order by version)
from invoices.event_log
where type = 'InvoiceIssued'
group by payload ->> 'orderId'
having count(*) > 1
order by 1
