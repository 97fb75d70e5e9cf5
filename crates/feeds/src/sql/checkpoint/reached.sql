SELECT NOT EXISTS (
    SELECT FROM unnest($3::text[], $4::int4[], $5::int8[]) AS target (log, partition, position)
    WHERE NOT EXISTS (
        SELECT FROM reader_checkpoint AS checkpoint
        WHERE checkpoint.reader = $1 AND checkpoint.reader_version = $2 AND checkpoint.log = target.log
          AND checkpoint.partition = target.partition AND checkpoint.position >= target.position
    )
)
