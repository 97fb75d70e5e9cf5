select order_id, revision, state, lines, expires_at, version, order_version
from inventory.reservation
where order_id = any($1)
