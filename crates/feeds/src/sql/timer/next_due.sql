SELECT extract(epoch FROM min(next_at) - clock_timestamp())::float8 FROM timer WHERE kind = ANY($1)
