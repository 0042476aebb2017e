-- SPDX-License-Identifier: LGPL-3.0-or-later
--
-- The database of a campaign. Version 2 (PRAGMA user_version, see database.hpp; migrations.cpp).
-- Times are Unix times in milliseconds. Nothing here holds an absolute path: a campaign may move.

CREATE TABLE campaign (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    seed       TEXT    NOT NULL,             -- 64 bits without sign, in decimal digits
    epoch      INTEGER NOT NULL,             -- how many programs have owned the campaign
    created_ms INTEGER NOT NULL,
    place      TEXT    NOT NULL,             -- what tells the campaign from a copy of it, see place.hpp
    spool      TEXT    NOT NULL              -- the folder of the records of its jobs: a copy has another one
);

-- Who has owned the campaign, and when.
CREATE TABLE sessions (
    epoch    INTEGER PRIMARY KEY,
    host     TEXT    NOT NULL,
    pid      INTEGER NOT NULL,
    version  TEXT    NOT NULL,               -- of coromd
    began_ms INTEGER NOT NULL,
    ended_ms INTEGER                         -- empty: it runs, or was killed
);

-- What the campaign was begun with. A change that the user wanted is one more version.
CREATE TABLE inputs (
    name        TEXT    NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    content     TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) WITHOUT ROWID;

-- Each job as its events add up (journal.hpp); written in the transaction of the event.
-- A job that never began leaves no trace.
CREATE TABLE jobs (
    id            INTEGER PRIMARY KEY,
    key           TEXT    NOT NULL UNIQUE,
    specification TEXT    NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('started', 'finished', 'failed', 'interrupted', 'cancelled')),
    attempts      INTEGER NOT NULL CHECK (attempts > 0),
    submission    TEXT    NOT NULL,          -- where the last attempt runs, in the words of its queue
    result_seq    INTEGER,                   -- the event of the last end
    began_ms      INTEGER NOT NULL,          -- of the last attempt
    ended_ms      INTEGER                    -- of the last attempt; empty where it has not ended
);
CREATE INDEX jobs_by_state ON jobs (state);

-- The journal: only ever appended to.
CREATE TABLE events (
    seq     INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    job     INTEGER NOT NULL REFERENCES jobs (id),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    kind    TEXT    NOT NULL CHECK (kind IN ('begun', 'submitted', 'finished', 'failed', 'interrupted',
                                             'cancelled', 'changed')),
    -- begun: the attempt's token, 128 random bits in hex; submitted: the words of its queue; an end: JSON,
    -- see queue::JobResult::to_json(); changed: the new specification
    data    TEXT    NOT NULL
);
CREATE INDEX events_by_job ON events (job, seq);

-- What a program has decided or seen, see memo.hpp.
CREATE TABLE memos (
    key         TEXT    NOT NULL PRIMARY KEY,
    type        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    value       BLOB    NOT NULL,            -- CBOR
    recorded_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Where files come from: Product of recorder.hpp.
CREATE TABLE products (
    key         TEXT    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL,
    document    TEXT    NOT NULL,            -- JSON: sources, files, details
    recorded_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE product_files (
    path    TEXT NOT NULL PRIMARY KEY,       -- relative to the campaign's directory
    product TEXT NOT NULL REFERENCES products (key)
) WITHOUT ROWID;

-- How far walkers have come, at most some seconds ago.
CREATE TABLE walkers (
    name       TEXT    NOT NULL PRIMARY KEY,
    phase      TEXT    NOT NULL,
    time_ps    REAL    NOT NULL,
    ns_per_day REAL    NOT NULL,
    part       INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE notes (
    seq     INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    subject TEXT    NOT NULL,
    text    TEXT    NOT NULL
);
