INSERT INTO discount (code, kind, value, currency, written, valid_from, valid_to, use_limit, limit_per_customer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING code, kind, value, currency, written, valid_from, valid_to, use_limit, limit_per_customer, version,
          created_at, 0::bigint AS uses, 0::bigint AS uses_of_customer
