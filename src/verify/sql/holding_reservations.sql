select order_id, state from inventory.reservation
where state in ('ATTACHED', 'CONFIRMED') and lines <> '{}' and order_id > $1
order by order_id
limit 5000
