-- The read tables move into schemas of their own, query_1, query_2, …: one for each generation, filled by one version
-- of the reader, so that a new one can be built beside the one that is read from. What was here is dropped, and
-- generation 1 is filled from the logs at the next start.
DROP TABLE order_view, product_view, stock_view, invoice_view;
DELETE FROM reader_checkpoint WHERE reader = 'query';
DELETE FROM reader_member WHERE reader = 'query';
DELETE FROM parked_stream WHERE reader = 'query';

-- The pointer: one generation is live, at most one is being built. A retired one is dropped once nobody uses it.
CREATE TABLE generation (
    generation integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shape      integer     NOT NULL,
    state      text        NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    live_at    timestamptz,
    retired_at timestamptz
);
CREATE UNIQUE INDEX generation_one_live     ON generation (state) WHERE state = 'live';
CREATE UNIQUE INDEX generation_one_building ON generation (state) WHERE state = 'building';

COMMENT ON COLUMN generation.shape IS 'what the tables look like: a binary reads and fills generations of its own shape only';

-- Instances that run or read a generation. Who is not here by then does not use it.
CREATE TABLE generation_member (
    generation  integer     NOT NULL REFERENCES generation,
    instance    uuid        NOT NULL,
    alive_until timestamptz NOT NULL,
    PRIMARY KEY (generation, instance)
);
