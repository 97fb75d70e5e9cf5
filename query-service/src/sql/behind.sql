-- Of the wanted (kind, id, version), those whose rows have not seen that version yet.
SELECT w.kind, w.id
  FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS w (kind, id, version)
 WHERE w.version > coalesce(
           CASE w.kind
               WHEN 'ord'  THEN (SELECT version FROM order_view WHERE order_id = w.id)
               WHEN 'prod' THEN (SELECT version FROM product_view WHERE product_id = w.id)
               WHEN 'stk'  THEN (SELECT max(stock_version) FROM stock_view WHERE product_id = w.id)
               WHEN 'inv'  THEN (SELECT 1::bigint FROM invoice_view WHERE document_id = w.id)
           END, 0)
