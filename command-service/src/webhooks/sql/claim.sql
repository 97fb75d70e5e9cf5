-- Takes what is due: at most $1, and of each endpoint at most $2 together with what this process sends to it already ($3 endpoints, $4 how many). $5 the
-- lease in seconds. Others skip what is taken, so several instances share the work.
WITH due AS MATERIALIZED (
    SELECT waiting.delivery_id
    FROM webhook_endpoint AS endpoint
    CROSS JOIN LATERAL (
        SELECT delivery.delivery_id
        FROM webhook_delivery AS delivery
        WHERE delivery.endpoint_id = endpoint.endpoint_id AND delivery.state = 'PENDING' AND delivery.next_at <= clock_timestamp()
        ORDER BY delivery.next_at
        LIMIT greatest(0, $2::bigint - coalesce(
            (SELECT busy.sending FROM unnest($3::uuid[], $4::bigint[]) AS busy (endpoint_id, sending) WHERE busy.endpoint_id = endpoint.endpoint_id), 0))
        FOR UPDATE SKIP LOCKED
    ) AS waiting
    WHERE endpoint.enabled
    LIMIT $1
)
UPDATE webhook_delivery AS delivery
SET lease = gen_random_uuid(), attempts = delivery.attempts + 1, next_at = clock_timestamp() + make_interval(secs => $5)
FROM webhook_endpoint AS endpoint
WHERE delivery.delivery_id IN (SELECT delivery_id FROM due) AND endpoint.endpoint_id = delivery.endpoint_id
RETURNING delivery.delivery_id, delivery.endpoint_id, delivery.notification_id, delivery.body, delivery.attempts, delivery.lease,
          endpoint.url, endpoint.sealed_secret, endpoint.nonce, endpoint.sealed_with
