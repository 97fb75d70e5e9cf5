-- Reserved is what the open reservations hold, product by product.
with held as (
    select l.key::uuid as product_id, sum(l.value::bigint) as pieces
    from inventory.reservation r cross join lateral jsonb_each_text(r.lines) l
    where r.state in ('PENDING', 'ATTACHED', 'CONFIRMED')
    group by 1
)
select coalesce(s.product_id, h.product_id), coalesce(s.reserved, 0), coalesce(h.pieces, 0)::bigint
from inventory.stock s
full join held h on h.product_id = s.product_id
where coalesce(s.reserved, 0) <> coalesce(h.pieces, 0)
order by 1
