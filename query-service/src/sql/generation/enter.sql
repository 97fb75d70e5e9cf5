INSERT INTO generation_member (generation, instance, alive_until)
SELECT generation, $2, clock_timestamp() + make_interval(secs => $3)
FROM generation
WHERE generation = $1
FOR KEY SHARE
ON CONFLICT (generation, instance) DO UPDATE SET alive_until = excluded.alive_until
