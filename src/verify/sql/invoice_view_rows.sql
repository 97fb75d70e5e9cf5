select document_id, kind, number, order_id, customer_id, issued_at, version, partition, position, document
from invoice_view
where document_id = any($1)
