-- A mail that is to be sent: $1 notification_id, $2 kind, $3 order_id, $4 the order's version. The same one again is there already.
INSERT INTO notification_delivery (notification_id, kind, order_id, order_version)
VALUES ($1, $2, $3, $4)
ON CONFLICT (notification_id) DO NOTHING
