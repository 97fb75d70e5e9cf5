-- $1 endpoint_id, $2 one delivery or null for all, $3 and $4 the place after which to go on, $5 how many.
SELECT delivery.delivery_id, delivery.endpoint_id, delivery.notification_id, delivery.type, delivery.order_id, delivery.state, delivery.next_at,
       delivery.created_at, delivery.completed_at, delivery.body,
       coalesce((
           SELECT json_agg(json_build_object('attemptedAt', attempt.attempted_at, 'statusCode', attempt.status_code, 'durationMs', attempt.duration_ms,
                                             'error', attempt.error) ORDER BY attempt.attempted_at)
           FROM webhook_attempt AS attempt WHERE attempt.delivery_id = delivery.delivery_id), '[]') AS tried
FROM webhook_delivery AS delivery
WHERE delivery.endpoint_id = $1 AND ($2::uuid IS NULL OR delivery.delivery_id = $2)
  AND ($3::timestamptz IS NULL OR (delivery.created_at, delivery.delivery_id) < ($3, $4::uuid))
ORDER BY delivery.created_at DESC, delivery.delivery_id DESC
LIMIT $5
