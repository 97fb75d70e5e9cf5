select document_id, kind, series, version, order_id, customer_id, issued_at, schema_version, payload
from invoices.invoice
where document_id = any($1)
