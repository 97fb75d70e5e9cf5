INSERT INTO product_view (product_id, sku, name, status, version, partition, position, document)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::integer[], $7::bigint[], $8::json[])
    ON CONFLICT (product_id) DO UPDATE
   SET sku = excluded.sku, name = excluded.name, status = excluded.status, version = excluded.version,
       partition = excluded.partition, position = excluded.position, document = excluded.document
 WHERE product_view.version < excluded.version
