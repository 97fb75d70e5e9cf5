select order_id, revision, state, lines, expires_at, version, order_version
from reservation
where order_id = any ($1::uuid[])
order by order_id
for update
