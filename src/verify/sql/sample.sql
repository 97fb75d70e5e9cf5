-- Orders at random, the same ones for the same seed.
select partition, stream_id
from orders.events
where version = 1
order by hashtextextended(stream_id, $1)
limit $2
