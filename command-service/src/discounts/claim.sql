-- A use, if the limits allow one more order. Attempts at the same order count once. A repeat of the same attempt has its
-- use already.
INSERT INTO discount_use (code, order_number, order_id, customer)
SELECT lower($1), $2, $3, $4
FROM discount
WHERE lower(discount.code) = lower($1)
  AND (use_limit IS NULL OR use_limit > (
      SELECT count(DISTINCT used.order_id) FROM discount_use used WHERE used.code = lower($1) AND used.order_id <> $3))
  AND (limit_per_customer IS NULL OR $4::text IS NOT NULL AND limit_per_customer > (
      SELECT count(DISTINCT used.order_id) FROM discount_use used
      WHERE used.code = lower($1) AND used.customer = $4 AND used.order_id <> $3))
ON CONFLICT (code, order_number) DO UPDATE SET claimed_at = now()
