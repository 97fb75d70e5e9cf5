-- The one use that counts, in place of what other attempts at the same order have claimed.
WITH others AS (
    DELETE FROM discount_use WHERE code = lower($1) AND order_id = $3 AND order_number <> $2
)
INSERT INTO discount_use (code, order_number, order_id, customer, used)
VALUES (lower($1), $2, $3, $4, true)
ON CONFLICT (code, order_number) DO UPDATE SET used = true WHERE NOT discount_use.used
