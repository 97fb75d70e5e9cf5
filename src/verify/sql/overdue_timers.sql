-- $1 now, $2 how late is too late.
select timer_id, due_at, attempts, coalesce(last_error, 'never tried')
from timer
where due_at < $1::timestamptz - make_interval(secs => $2)
order by due_at
