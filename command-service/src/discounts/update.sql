UPDATE discount
SET kind               = $2,
    value              = $3,
    currency           = $4,
    written            = $5,
    valid_from         = $6,
    valid_to           = $7,
    use_limit          = $8,
    limit_per_customer = $9,
    version            = version + 1
WHERE lower(code) = lower($1) AND version = coalesce($10, version)
RETURNING code, kind, value, currency, written, valid_from, valid_to, use_limit, limit_per_customer, version,
          created_at,
          (SELECT count(DISTINCT order_id) FROM discount_use used WHERE used.code = lower($1)) AS uses,
          0::bigint AS uses_of_customer
