SELECT (SELECT count(*) FROM reader_member
        WHERE reader = $1 AND reader_version = $2 AND instance <> $3 AND alive_until > clock_timestamp()) AS others,
       (SELECT count(*) FROM parked_stream WHERE reader = $1 AND reader_version = $2) AS parked,
       (SELECT count(*) FROM parked_stream WHERE reader = $1 AND reader_version = $2 AND retry_requested) AS retries
