insert into raw
select 0, $1::bigint + n, 'stream-' || ($1::bigint + n), 'Test', 1, gen_random_uuid(), null, 'Happened', 1, $3::bytea,
       $3::bytea, clock_timestamp()
from generate_series(1, $2::bigint) n
