SELECT refund_id, number, provider, payment_id, amount, currency, state, reference, reason
FROM refund_part
WHERE order_id = $1
ORDER BY refund_id, number
