DELETE FROM discount_use
WHERE code = $1 AND order_number = $2 AND NOT used AND claimed_at = $3
