-- $1 order, $2 customer, ($3, $4) the place after which to go on, $5 how many. Newest first.
SELECT document_id, kind, series, version, issued_at, schema_version, payload
FROM invoice
WHERE ($1::uuid IS NULL OR order_id = $1)
  AND ($2::uuid IS NULL OR customer_id = $2)
  AND ($3::timestamptz IS NULL OR (issued_at, document_id) < ($3, $4))
ORDER BY issued_at DESC, document_id DESC
LIMIT $5
