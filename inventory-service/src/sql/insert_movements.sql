insert into stock_movement (product_id, stock_version, event_id, event_type, location, quantity, on_hand, reserved,
                            order_id, reason, occurred_at, counted_at)
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                     $8::bigint[], $9::uuid[], $10::text[], $11::timestamptz[], $12::timestamptz[])
on conflict (product_id, stock_version) do nothing
