INSERT INTO invoice_view (document_id, kind, number, order_id, customer_id, issued_at, version, partition, position, document)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::bigint[],
                     $8::integer[], $9::bigint[], $10::json[])
    ON CONFLICT (document_id) DO NOTHING
