-- $3: the customer that alone may see it; null for the shop.
SELECT document_id, kind, series, version, issued_at, schema_version, payload
FROM invoice
WHERE document_id = $1 AND kind = $2 AND ($3::uuid IS NULL OR customer_id = $3)
