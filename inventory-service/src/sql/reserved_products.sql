-- The products that these orders hold, read before anything is locked, because stock is locked before reservations.
select distinct product::uuid
from reservation r, jsonb_object_keys(r.lines) as product
where r.order_id = any ($1::uuid[])
