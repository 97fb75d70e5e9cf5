-- By how much what lies of a product ($1) at a location ($2) has changed since a moment ($3) but for counts, up to a stock
-- version ($4), and whether it was counted at that moment or a later one. Times of a product rise with its versions, so
-- only what happened since is looked at.
with before as (
    select coalesce((select stock_version from stock_movement
                     where product_id = $1 and occurred_at < $3
                     order by stock_version desc limit 1), 0) as version
)
select coalesce(sum(m.on_hand - coalesce(p.on_hand, 0)) filter (where m.counted_at is null and m.occurred_at > $3), 0)::bigint,
       coalesce(bool_or(m.counted_at >= $3), false)
from before
join stock_movement m on m.product_id = $1 and m.location = $2 and m.stock_version > before.version and m.stock_version <= $4
left join lateral (
    select on_hand from stock_movement
    where product_id = $1 and location = $2 and stock_version < m.stock_version
    order by stock_version desc limit 1
) p on true
