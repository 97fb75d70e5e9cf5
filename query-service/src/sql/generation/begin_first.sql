INSERT INTO generation (shape, state, live_at)
SELECT $1, 'live', clock_timestamp()
WHERE NOT EXISTS (SELECT FROM generation WHERE state = 'live')
ON CONFLICT DO NOTHING
