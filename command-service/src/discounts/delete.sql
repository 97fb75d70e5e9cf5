-- A discount and its uses: another one of the same code begins at none.
WITH gone AS (
    DELETE FROM discount
    WHERE lower(code) = lower($1) AND version = coalesce($2, version)
    RETURNING code
), forgotten AS (
    DELETE FROM discount_use WHERE code = (SELECT lower(code) FROM gone)
)
SELECT count(*) FROM gone
