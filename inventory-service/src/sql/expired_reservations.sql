select order_id
from reservation
where state = 'PENDING' and expires_at <= clock_timestamp()
order by expires_at
limit $1
