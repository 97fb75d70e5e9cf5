INSERT INTO stock_view (product_id, location, on_hand, reserved, stock_version, updated_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])
    ON CONFLICT (product_id, location) DO UPDATE
   SET on_hand = excluded.on_hand, reserved = excluded.reserved, stock_version = excluded.stock_version,
       updated_at = excluded.updated_at
 WHERE stock_view.stock_version < excluded.stock_version
