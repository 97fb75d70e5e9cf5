WITH checkpoint AS (
    SELECT * FROM query.reader_checkpoint WHERE reader = 'query'
)
SELECT (SELECT state FROM query.generation WHERE generation = $1) AS state,
       (SELECT coalesce(sum(position), 0)::bigint FROM checkpoint WHERE reader_version = $1) AS handled,
       (SELECT coalesce(sum(position), 0)::bigint FROM checkpoint WHERE reader_version = (
            SELECT generation FROM query.generation WHERE state = 'live')) AS wanted,
       (SELECT count(*) FROM query.generation_member
        WHERE generation = $1 AND alive_until > clock_timestamp()) AS members,
       (SELECT count(*) FROM query.parked_stream WHERE reader = 'query' AND reader_version = $1) AS parked,
       (SELECT count(*) FROM checkpoint WHERE reader_version = $1 AND stopped IS NOT NULL) AS stopped
