INSERT INTO shipment_order (shipment_id, order_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[])
ON CONFLICT (shipment_id) DO NOTHING
