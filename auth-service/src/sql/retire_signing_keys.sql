UPDATE signing_keys
SET published_until = greatest(active_from, now()) + make_interval(secs => $1::int + $2::int)
WHERE published_until IS NULL
