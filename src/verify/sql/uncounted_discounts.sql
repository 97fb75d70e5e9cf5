-- Orders that a discount does not count. One that was removed forgets its uses, also where another took its code later.
select used.order_id, used.code
from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as used (order_id, code, recorded_at)
join orders.discount on lower(discount.code) = lower(used.code) and discount.created_at <= used.recorded_at
where not exists (
    select 1 from orders.discount_use counted
    where counted.code = lower(used.code) and counted.order_id = used.order_id and counted.used)
