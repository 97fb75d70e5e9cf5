INSERT INTO order_view
       (order_id, number, customer_id, status, payment_status, fulfilment_status, currency, total, placed_at, updated_at,
        open_exception, tags, product_ids, version, partition, position, state)
SELECT u.order_id, u.number, u.customer_id, u.status, u.payment_status, u.fulfilment_status, u.currency, u.total,
       u.placed_at, u.updated_at, u.open_exception,
       ARRAY(SELECT json_array_elements_text(u.tags)),
       ARRAY(SELECT json_array_elements_text(u.product_ids)::uuid),
       u.version, u.partition, u.position, u.state
  FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::numeric[],
              $9::timestamptz[], $10::timestamptz[], $11::boolean[], $12::json[], $13::json[], $14::bigint[],
              $15::integer[], $16::bigint[], $17::json[])
       AS u (order_id, number, customer_id, status, payment_status, fulfilment_status, currency, total, placed_at,
             updated_at, open_exception, tags, product_ids, version, partition, position, state)
    ON CONFLICT (order_id) DO UPDATE
   SET number = excluded.number, customer_id = excluded.customer_id, status = excluded.status,
       payment_status = excluded.payment_status, fulfilment_status = excluded.fulfilment_status,
       currency = excluded.currency, total = excluded.total, placed_at = excluded.placed_at,
       updated_at = excluded.updated_at, open_exception = excluded.open_exception, tags = excluded.tags,
       product_ids = excluded.product_ids, version = excluded.version, partition = excluded.partition,
       position = excluded.position, state = excluded.state
 WHERE order_view.version < excluded.version
