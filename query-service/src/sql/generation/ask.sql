WITH begun AS (
    INSERT INTO query.generation (shape, state)
    SELECT shape, 'building' FROM query.generation WHERE state = 'live'
    ON CONFLICT DO NOTHING
    RETURNING generation
)
SELECT generation, pg_notify($1, '') FROM begun
