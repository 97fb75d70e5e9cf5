update stock s
set on_hand = u.on_hand, reserved = u.reserved, version = u.version, stream_version = u.stream_version,
    elsewhere = u.elsewhere
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::jsonb[])
     as u (product_id, on_hand, reserved, version, stream_version, elsewhere)
where s.product_id = u.product_id
