-- The rows of a read table before and after a rebuild.
select format('only before the rebuild: %s', row)
from (select row from faults.kept_{table} except all select to_jsonb(t) from query.{table} t) before
union all
select format('only after the rebuild: %s', row)
from (select to_jsonb(t) as row from query.{table} t except all select row from faults.kept_{table}) after
