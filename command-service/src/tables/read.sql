SELECT name, content, version
FROM price_table
WHERE (name = $1 AND version <> $2) OR (name = $3 AND version <> $4)
