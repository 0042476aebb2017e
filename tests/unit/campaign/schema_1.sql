-- SPDX-License-Identifier: LGPL-3.0-or-later
--
-- The database of a campaign. Version 1 (PRAGMA user_version, see database.hpp).
-- Times are Unix times in milliseconds. Nothing here holds an absolute path: a campaign may move.

CREATE TABLE campaign (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    seed       TEXT    NOT NULL,             -- 64 bits without sign, in decimal digits
    epoch      INTEGER NOT NULL,             -- how many programs have owned the campaign
    created_ms INTEGER NOT NULL
);

CREATE TABLE inputs (
    name        TEXT    NOT NULL PRIMARY KEY,
    content     TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Written with a job's first attempt: a job that never began leaves no trace.
CREATE TABLE specifications (
    key           TEXT    NOT NULL PRIMARY KEY,
    specification TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL
);

CREATE TABLE attempts (
    key        TEXT    NOT NULL REFERENCES specifications (key),
    number     INTEGER NOT NULL CHECK (number > 0),
    token      TEXT    NOT NULL UNIQUE,      -- 128 random bits in hex
    submission TEXT    NOT NULL DEFAULT '',  -- where it runs, in the words of its queue
    state      TEXT    NOT NULL CHECK (state IN ('started', 'finished', 'failed', 'interrupted', 'cancelled')),
    began_ms   INTEGER NOT NULL,
    ended_ms   INTEGER,
    result     TEXT,                         -- JSON, see queue::JobResult::to_json()
    PRIMARY KEY (key, number),
    CHECK ((state = 'started') = (result IS NULL)),
    CHECK ((state = 'started') = (ended_ms IS NULL))
);

-- What a job's attempts add up to: the state of the last one, the result of the last that ended.
CREATE VIEW jobs AS
SELECT job.key, job.specification, last.state, last.number AS attempts, last.submission,
       (SELECT result FROM attempts
        WHERE key = job.key AND result IS NOT NULL ORDER BY number DESC LIMIT 1) AS result,
       job.recorded_ms, last.began_ms, last.ended_ms
FROM specifications AS job
JOIN attempts AS last
  ON last.key = job.key AND last.number = (SELECT max(number) FROM attempts WHERE key = job.key);
