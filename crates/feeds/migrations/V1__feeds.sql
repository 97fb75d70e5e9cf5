-- How far each reader got in each partition of each log, and who may move it. A move names the position it starts
-- from and the lease it holds, in the transaction of the work itself.
CREATE TABLE reader_checkpoint (
    reader         text        NOT NULL,
    reader_version integer     NOT NULL,
    log            text        NOT NULL,
    epoch          uuid        NOT NULL,
    partition      integer     NOT NULL,
    position       bigint      NOT NULL CHECK (position >= 0),
    -- The event at that position: what tells a clean failover from another history. Null at position 0.
    event_id       uuid,
    owner          uuid,
    lease_epoch    bigint      NOT NULL DEFAULT 0,
    lease_until    timestamptz NOT NULL DEFAULT '-infinity',
    -- Why the partition stands still, for people; tried again whenever the partition changes hands.
    stopped        text,
    moved_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, reader_version, log, epoch, partition),
    UNIQUE (reader, reader_version, log, partition)
) WITH (fillfactor = 20);

-- The processes that run a reader, so that they can share its partitions evenly.
CREATE TABLE reader_member (
    reader         text        NOT NULL,
    reader_version integer     NOT NULL,
    instance       uuid        NOT NULL DEFAULT gen_random_uuid(),
    alive_until    timestamptz NOT NULL,
    PRIMARY KEY (reader, reader_version, instance)
) WITH (fillfactor = 20);

-- Streams with an event that the reader's handler refuses, and the events that wait behind it.
CREATE TABLE parked_stream (
    reader          text        NOT NULL,
    reader_version  integer     NOT NULL,
    log             text        NOT NULL,
    partition       integer     NOT NULL,
    stream_id       text        NOT NULL,
    error           text        NOT NULL,
    attempts        integer     NOT NULL DEFAULT 1,
    retry_requested boolean     NOT NULL DEFAULT false,
    parked_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, reader_version, log, stream_id)
);

CREATE TABLE parked_event (
    reader         text    NOT NULL,
    reader_version integer NOT NULL,
    log            text    NOT NULL,
    partition      integer NOT NULL,
    position       bigint  NOT NULL,
    stream_id      text    NOT NULL,
    PRIMARY KEY (reader, reader_version, log, partition, position),
    FOREIGN KEY (reader, reader_version, log, stream_id)
        REFERENCES parked_stream (reader, reader_version, log, stream_id) ON DELETE CASCADE
);
CREATE INDEX parked_event_by_stream ON parked_event (reader, reader_version, log, stream_id, position);

-- What is to happen at a time. A row is gone once its firing succeeded; due_at is what was asked for, next_at when
-- the next attempt may begin (a lease while one is running).
CREATE TABLE timer (
    timer_id   text        PRIMARY KEY,
    kind       text        NOT NULL,
    stream_id  text        NOT NULL,
    payload    jsonb       NOT NULL,
    due_at     timestamptz NOT NULL,
    next_at    timestamptz NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0,
    lease      uuid,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE INDEX timer_by_next_attempt ON timer (kind, next_at);
CREATE INDEX timer_by_stream ON timer (stream_id);
