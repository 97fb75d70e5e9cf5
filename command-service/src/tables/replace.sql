UPDATE price_table
SET content = $2, version = version + 1
WHERE name = $1 AND version = coalesce($3, version)
RETURNING version
