-- What each of these orders should be by its events alone, beside its row; one line for every difference. Only events
-- that the row has seen count. Nothing here is taken from the code that fills the table. Each step is computed once:
-- where statistics are missing, as after a rebuild, it would be computed again for every row of the next.
with wanted as (
    select * from unnest($1::uuid[], $2::integer[], $3::text[]) as w (order_id, partition, stream_id)
), viewed as materialized (
    select w.partition as home, w.stream_id, v.*, v.state::jsonb as document
    from wanted w
    join order_view v on v.order_id = w.order_id
), event as materialized (
    select v.order_id, e.version, e.type, e.payload
    from viewed v
    join orders.event_log e on e.partition = v.home and e.stream_id = v.stream_id and e.version <= v.version
), placed as materialized (
    select order_id, payload from event where type = 'OrderPlaced'
), bought as materialized (
    -- The lines and sums that the last event gave which gave any.
    select distinct on (order_id) order_id, version, payload
    from event
    where type = 'OrderPlaced' or (type = 'OrderAmended' and payload ? 'lines')
    order by order_id, version desc
), line as materialized (
    select b.order_id, l.value as line
    from bought b cross join lateral jsonb_array_elements(b.payload -> 'lines') l
), cancelled as materialized (
    select e.order_id, e.payload ->> 'lineId' as line_id, sum((e.payload ->> 'quantity')::bigint) as pieces
    from event e join bought b on b.order_id = e.order_id
    where e.type = 'LineCancelled' and e.version > b.version
    group by 1, 2
), goods as materialized (
    select l.order_id, count(*) as lines,
           sum((l.line ->> 'quantity')::bigint - coalesce(c.pieces, 0)) as pieces,
           sum((l.line ->> 'quantity')::numeric * (l.line ->> 'unitPrice')::numeric) as price,
           coalesce(sum((l.line ->> 'discount')::numeric), 0) as discount,
           coalesce(sum((l.line ->> 'taxAmount')::numeric), 0) as tax,
           count(c.pieces) as cut
    from line l
    left join cancelled c on c.order_id = l.order_id and c.line_id = l.line ->> 'lineId'
    group by l.order_id
), sums as materialized (
    select b.order_id, g.lines, g.pieces, g.cut,
           b.payload -> 'totals' as totals,
           g.price - g.discount
               + case when (p.payload ->> 'pricesIncludeTax')::boolean then 0 else g.tax end as goods,
           s.amount - s.discount
               + case when (p.payload ->> 'pricesIncludeTax')::boolean then 0 else s.tax end as shipping
    from bought b
    join placed p on p.order_id = b.order_id
    join goods g on g.order_id = b.order_id
    cross join lateral (
        select coalesce((f.value ->> 'amount')::numeric, 0) as amount,
               coalesce((f.value ->> 'discount')::numeric, 0) as discount,
               coalesce((f.value ->> 'taxAmount')::numeric, 0) as tax
        from (select coalesce(b.payload -> 'shipping', p.payload -> 'shipping') as value) f
    ) s
), captured as materialized (
    select order_id, sum(amount) as amount
    from (
        select distinct on (order_id, payload ->> 'paymentId') order_id, (payload ->> 'amount')::numeric as amount
        from event where type = 'PaymentCompleted'
        order by order_id, payload ->> 'paymentId', version desc
    ) payment
    group by order_id
), asked_back as materialized (
    select order_id, payload ->> 'refundId' as refund_id, (payload ->> 'amount')::numeric as amount
    from event where type = 'RefundRequested'
    union all
    select order_id, payload #>> '{refund,refundId}', (payload #>> '{refund,amount}')::numeric
    from event where type = 'OrderAmended' and payload ? 'refund'
), outcome as materialized (
    select distinct on (order_id, payload ->> 'refundId') order_id, payload ->> 'refundId' as refund_id, type
    from event where type in ('RefundCompleted', 'RefundFailed')
    order by order_id, payload ->> 'refundId', version desc
), refunded as materialized (
    select a.order_id, sum(a.amount) as amount
    from asked_back a join outcome o on o.order_id = a.order_id and o.refund_id = a.refund_id
    where o.type = 'RefundCompleted'
    group by a.order_id
), latest as materialized (
    select order_id,
           max(version) filter (where type = 'OrderCancelled') as cancelled,
           max(version) filter (where type = 'OrderExpired') as expired,
           max(version) filter (where type = 'PaymentCompleted' and payload ? 'reservationRevision') as revived,
           max(version) filter (where type = 'OrderHeld') as held,
           max(version) filter (where type in ('OrderResumed', 'OrderCancelled', 'OrderExpired')) as resumed,
           max(version) as version,
           count(*) as events
    from event
    group by order_id
), compared as (
    select v.stream_id, fact.what, fact.expected, fact.found
    from viewed v
    join placed p on p.order_id = v.order_id
    join sums s on s.order_id = v.order_id
    join latest l on l.order_id = v.order_id
    left join captured c on c.order_id = v.order_id
    left join refunded r on r.order_id = v.order_id
    cross join lateral (values
        ('number', p.payload ->> 'orderNumber', v.number),
        ('customer', p.payload ->> 'customerId', v.document ->> 'customerId'),
        ('currency', p.payload ->> 'currency', v.currency),
        ('placed at', ((p.payload ->> 'occurredAt')::timestamptz)::text, v.placed_at::text),
        ('events', l.events::text, v.version::text),
        ('lines', s.lines::text, jsonb_array_length(v.document -> 'lines')::text),
        -- A cancelled order keeps its pieces; an order keeps those that are cut from a line as cancelled.
        ('pieces', s.pieces::text,
         (select sum((line ->> 'quantity')::bigint)::text from jsonb_array_elements(v.document -> 'lines') line)),
        -- What is cut from a line takes its share of discount and tax with it, which only the crate can tell.
        ('total', case when s.cut = 0 then trim_scale(s.goods + s.shipping)::text else trim_scale(v.total)::text end,
         trim_scale(v.total)::text),
        ('total in its document', trim_scale(v.total)::text,
         trim_scale((v.document #>> '{totals,total}')::numeric)::text),
        ('captured', trim_scale(coalesce(c.amount, 0))::text,
         (select trim_scale(coalesce(sum((payment ->> 'captured')::numeric), 0))::text
          from jsonb_array_elements(v.document -> 'payments') payment)),
        ('refunded', trim_scale(coalesce(r.amount, 0))::text,
         (select trim_scale(coalesce(sum((refund ->> 'amount')::numeric), 0))::text
          from jsonb_array_elements(v.document -> 'refunds') refund
          where refund ->> 'status' = 'COMPLETED')),
        ('payment status',
         case when coalesce(c.amount, 0) > 0 and coalesce(r.amount, 0) >= c.amount then 'REFUNDED'
              when coalesce(r.amount, 0) > 0 then 'PARTIALLY_REFUNDED'
              when coalesce(c.amount, 0) >= v.total then 'PAID'
              when v.payment_status in ('PAID', 'REFUNDED', 'PARTIALLY_REFUNDED') then 'not ' || v.payment_status
              else v.payment_status end,
         v.payment_status),
        ('status',
         case when l.cancelled is not null then 'CANCELLED'
              when l.expired > coalesce(l.revived, 0) then 'EXPIRED'
              when l.held > coalesce(l.resumed, 0) then 'ON_HOLD'
              when v.status in ('CANCELLED', 'EXPIRED', 'ON_HOLD') then 'not ' || v.status
              else v.status end,
         v.status)
    ) as fact (what, expected, found)
)
select stream_id, what, coalesce(expected, 'none'), coalesce(found, 'none')
from compared
where expected is distinct from found
order by stream_id, what
