SELECT code, kind, value, currency, written, valid_from, valid_to, use_limit, limit_per_customer, version, created_at,
       (SELECT count(DISTINCT order_id) FROM discount_use used WHERE used.code = lower(discount.code)) AS uses,
       0::bigint AS uses_of_customer
FROM discount
WHERE lower(code) > coalesce($1, '')
ORDER BY lower(code)
LIMIT $2
