-- Uses are counted where somebody wants to see them ($3) or a limit depends on them.
SELECT code, kind, value, currency, written, valid_from, valid_to, use_limit, limit_per_customer, version, created_at,
       CASE WHEN $3 OR use_limit IS NOT NULL
           THEN (SELECT count(DISTINCT order_id) FROM discount_use used WHERE used.code = lower($1))
           ELSE 0
       END AS uses,
       CASE WHEN limit_per_customer IS NOT NULL
           THEN (SELECT count(DISTINCT order_id) FROM discount_use used
                 WHERE used.code = lower($1) AND used.customer = $2)
           ELSE 0
       END AS uses_of_customer
FROM discount
WHERE lower(code) = lower($1)
