"""The first schema: incidents and their chained events, people, requests heard, offers, revisions and the outbox.

Times are ISO 8601 in UTC with microseconds and a Z, of fixed width, so that they sort as text. Every row belongs to a
Slack workspace (`team`).
"""

from sqlite_utils import Database

SCHEMA = """
CREATE TABLE teams (                    -- the workspaces whose requests are answered
  team TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  bot_user TEXT NOT NULL,
  bot_id TEXT NOT NULL,
  url TEXT NOT NULL,
  learned_at TEXT NOT NULL
) STRICT;

CREATE TABLE people (                   -- events name people by key; this is the only place that says who that is
  key TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  slack_user TEXT NOT NULL,
  name TEXT NOT NULL,
  zone TEXT,                            -- IANA name, NULL until known
  learned_at TEXT,
  UNIQUE (team, slack_user)
) STRICT;

CREATE TABLE channels (
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  name TEXT NOT NULL,
  private INTEGER,                      -- NULL until known: then it counts as private
  member INTEGER,                       -- whether the bot is in it; NULL until known
  archived INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (team, channel)
) STRICT;

CREATE TABLE incidents (
  key INTEGER PRIMARY KEY,
  team TEXT NOT NULL,
  number INTEGER NOT NULL,
  channel TEXT NOT NULL,
  private INTEGER NOT NULL,
  opened_at TEXT NOT NULL,
  title TEXT NOT NULL,                  -- title, status and severity repeat the record, for lists
  status TEXT NOT NULL,
  severity INTEGER,
  seq INTEGER NOT NULL,                 -- the head of the chain: how many events,
  head TEXT NOT NULL,                   -- the hash of the last one,
  seal TEXT NOT NULL,                   -- and an HMAC over both
  UNIQUE (team, number)
) STRICT;
CREATE INDEX incidents_by_channel ON incidents (team, channel, number);

CREATE TABLE events (                   -- append-only: no row is ever changed
  incident INTEGER NOT NULL REFERENCES incidents (key),
  seq INTEGER NOT NULL,
  team TEXT NOT NULL,
  name TEXT NOT NULL,
  facts TEXT NOT NULL,                  -- canonical JSON
  digest TEXT NOT NULL,                 -- SHA-256 (salt + words)
  hash TEXT NOT NULL,                   -- SHA-256 over the hash before it, seq, name, facts and digest
  recorded_at TEXT NOT NULL,
  PRIMARY KEY (incident, seq)
) STRICT;

CREATE TABLE words (                    -- what people wrote, beside the chain: a row may be destroyed
  incident INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  team TEXT NOT NULL,
  entry INTEGER,                        -- the entry whose words these are, if any
  salt TEXT NOT NULL,
  words TEXT NOT NULL,                  -- canonical JSON
  PRIMARY KEY (incident, seq),
  FOREIGN KEY (incident, seq) REFERENCES events (incident, seq)
) STRICT;

CREATE TABLE requests (                 -- every request heard, with its outcome: a redelivery is answered alike
  team TEXT NOT NULL,
  origin TEXT NOT NULL,
  heard_at TEXT NOT NULL,
  outcome TEXT NOT NULL,                -- JSON, without anybody's words where an event holds them
  PRIMARY KEY (team, origin)
) STRICT;
CREATE INDEX requests_by_age ON requests (heard_at);

CREATE TABLE offers (                   -- lines that wait for a tap, kept for 24 hours
  key TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  incident INTEGER,                     -- the number of the incident that the line is about, if there was one
  by TEXT NOT NULL,                     -- who may tap; '' for everybody
  line TEXT NOT NULL,
  said_at TEXT NOT NULL,
  choices TEXT NOT NULL,                -- JSON
  mentions TEXT NOT NULL,               -- JSON
  chosen INTEGER
) STRICT;
CREATE INDEX offers_by_age ON offers (said_at);

CREATE TABLE revisions (                -- numbered states of an incident's document
  incident INTEGER NOT NULL REFERENCES incidents (key),
  revision INTEGER NOT NULL,
  team TEXT NOT NULL,
  upto INTEGER NOT NULL,                -- the event that it reaches to
  pinned INTEGER NOT NULL DEFAULT 0,    -- 1 once something of it has left: upto then never moves
  PRIMARY KEY (incident, revision)
) STRICT;

CREATE TABLE receipts (                 -- where the newest revision of a document stands, per way out
  incident INTEGER NOT NULL REFERENCES incidents (key),
  target TEXT NOT NULL,
  team TEXT NOT NULL,
  revision INTEGER NOT NULL,
  receipt TEXT NOT NULL,                -- JSON
  PRIMARY KEY (incident, target)
) STRICT;

CREATE TABLE letters (                  -- the outbox: everything that leaves the process
  key INTEGER PRIMARY KEY,
  team TEXT NOT NULL,
  lane TEXT NOT NULL,
  incident INTEGER REFERENCES incidents (key),
  kind TEXT NOT NULL,
  body TEXT NOT NULL,                   -- JSON
  blocking INTEGER NOT NULL,
  due_at TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'leased', 'sent', 'parked', 'dropped')),
  leased_until TEXT,
  lease TEXT,
  error TEXT NOT NULL DEFAULT '',
  settled_at TEXT
) STRICT;
CREATE INDEX letters_to_send ON letters (due_at, key) WHERE state IN ('waiting', 'leased');
CREATE INDEX letters_by_lane ON letters (lane, key) WHERE state IN ('waiting', 'leased');
CREATE INDEX letters_by_incident ON letters (incident, kind);
"""


def migrate(db: Database) -> None:
    """Makes the tables."""
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            db.execute(statement)
