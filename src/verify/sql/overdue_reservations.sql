-- $1 now, $2 how late is too late.
select order_id, expires_at from inventory.reservation
where state = 'PENDING' and expires_at < $1::timestamptz - make_interval(secs => $2)
order by expires_at
