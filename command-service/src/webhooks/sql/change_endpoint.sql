-- $1 endpoint_id, $2 url, $3 events, $4 enabled; null leaves as it is.
UPDATE webhook_endpoint
SET url = coalesce($2::text, url), events = coalesce($3::text[], events), enabled = coalesce($4::boolean, enabled),
    disabled_reason = CASE WHEN $4::boolean IS NULL THEN disabled_reason END,
    failing_since = CASE WHEN $4::boolean THEN NULL ELSE failing_since END,
    version = version + 1, updated_at = clock_timestamp()
WHERE endpoint_id = $1
