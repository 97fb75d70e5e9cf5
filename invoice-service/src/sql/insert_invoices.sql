-- Documents never change, so a second delivery of one is nothing new.
INSERT INTO invoice (document_id, kind, series, version, order_id, customer_id, issued_at, schema_version, payload)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::smallint[], $9::bytea[]
)
ON CONFLICT (document_id) DO NOTHING
