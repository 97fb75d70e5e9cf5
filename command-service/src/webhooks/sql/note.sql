-- What came of an attempt. $1 delivery_id, $2 lease, $3 status_code, $4 duration_ms, $5 error (null: it succeeded), $6 seconds until the next attempt
-- (null: none), $7 seconds of failing after which the endpoint is disabled, $8 whether it is disabled at once (410).
WITH attempted AS (
    INSERT INTO webhook_attempt (delivery_id, status_code, duration_ms, error)
    SELECT delivery_id, $3::integer, $4::integer, $5::text FROM webhook_delivery WHERE delivery_id = $1
), settled AS (
    UPDATE webhook_delivery
    SET lease = NULL,
        state = CASE WHEN $5::text IS NULL THEN 'DELIVERED' WHEN $6::float8 IS NULL THEN 'DEAD' ELSE 'PENDING' END,
        next_at = clock_timestamp() + make_interval(secs => coalesce($6::float8, 0)),
        completed_at = CASE WHEN $5::text IS NULL OR $6::float8 IS NULL THEN clock_timestamp() END
    WHERE delivery_id = $1 AND lease = $2
    RETURNING endpoint_id
)
UPDATE webhook_endpoint AS endpoint
SET failing_since = CASE WHEN $5::text IS NULL THEN NULL ELSE coalesce(endpoint.failing_since, clock_timestamp()) END,
    enabled = endpoint.enabled AND NOT over.disable,
    disabled_reason = CASE WHEN endpoint.enabled AND over.disable THEN
        CASE WHEN $8::boolean THEN 'it answered 410 Gone' ELSE 'nothing was delivered since ' || endpoint.failing_since::text || '; last: ' || $5::text END
        ELSE endpoint.disabled_reason END
FROM settled
CROSS JOIN LATERAL (
    SELECT coalesce($5::text IS NOT NULL AND ($8::boolean OR e.failing_since < clock_timestamp() - make_interval(secs => $7::float8)), false) AS disable
    FROM webhook_endpoint AS e WHERE e.endpoint_id = settled.endpoint_id
) AS over
WHERE endpoint.endpoint_id = settled.endpoint_id AND ($5::text IS NOT NULL OR endpoint.failing_since IS NOT NULL)
