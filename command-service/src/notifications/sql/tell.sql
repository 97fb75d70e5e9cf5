-- $1 notification_id, $2 type, $3 order_id, $4 message. Answers how many webhooks are to be called; a repeat tells nobody.
-- It need not wait for the disk: the checkpoint that moves past the event is later in the same server's WAL, and if that is lost, so is the move.
WITH hurry AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS off
), told AS (
    INSERT INTO notification (notification_id, type, order_id, message)
    SELECT $1::uuid, $2::text, $3::uuid, $4::text FROM hurry WHERE off IS NOT NULL
    ON CONFLICT (notification_id) DO NOTHING
    RETURNING notification_id
), hooks AS (
    INSERT INTO webhook_delivery (delivery_id, endpoint_id, notification_id, type, order_id, body)
    SELECT gen_random_uuid(), endpoint_id, notification_id, $2, $3, $4
    FROM told CROSS JOIN webhook_endpoint
    WHERE enabled AND events && ARRAY[$2, '*']
    RETURNING 1
)
SELECT count(*) FROM hooks
