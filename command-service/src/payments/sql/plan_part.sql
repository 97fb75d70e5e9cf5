INSERT INTO refund_part (refund_id, number, order_id, provider, payment_id, amount, currency)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING
