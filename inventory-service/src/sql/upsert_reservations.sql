-- Of two processes that make the same reservation at once, the log's unique key on stream and version lets one in.
insert into reservation (order_id, revision, state, lines, expires_at, version, order_version)
select u.*
from unnest($1::uuid[], $2::integer[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::bigint[], $7::bigint[])
     as u (order_id, revision, state, lines, expires_at, version, order_version)
on conflict (order_id) do update
set revision = excluded.revision, state = excluded.state, lines = excluded.lines, expires_at = excluded.expires_at,
    version = excluded.version, order_version = excluded.order_version
