"""What Slack's own ways in need: marks on messages, messages that are kept for a while, files, nudges, Home tabs."""

from sqlite_utils import Database

SCHEMA = """
-- the channel it was opened in, where it has one of its own since
ALTER TABLE incidents ADD COLUMN origin TEXT;
CREATE INDEX incidents_by_origin ON incidents (team, origin) WHERE origin IS NOT NULL;

CREATE TABLE marks (                    -- what was done to a message: reactions, pins, that it was edited or deleted
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL,
  sign TEXT NOT NULL,                   -- the name of the reaction; '(pin)', '(edited)', '(deleted)'
  holder TEXT NOT NULL,                 -- whose reaction it is, by Slack id; '' for what is nobody's own
  slack_user TEXT NOT NULL,             -- who put it there or took it away
  stands INTEGER NOT NULL,              -- 0: it was taken away
  marked_at TEXT NOT NULL,              -- when, by Slack's clock
  done INTEGER NOT NULL DEFAULT 0,      -- whether the record says so
  PRIMARY KEY (team, channel, ts, sign, holder)
) STRICT;
CREATE INDEX marks_by_age ON marks (marked_at);

CREATE TABLE captured (                 -- which entries were made from which message
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL,
  incident INTEGER NOT NULL REFERENCES incidents (key),
  entry INTEGER NOT NULL,
  marked INTEGER NOT NULL,              -- whether a mark made it, so that taking that away removes it
  followed INTEGER NOT NULL,            -- the last event with the message's words, 0 where a person chose others
  PRIMARY KEY (team, channel, ts, incident, entry)
) STRICT;
INSERT INTO captured
SELECT team, substr(said_in, 1, instr(said_in, '/') - 1), substr(said_in, instr(said_in, '/') + 1), incident, entry, 0,
  0
FROM (SELECT team, incident, json_extract(facts, '$.said_in') AS said_in, json_extract(facts, '$.entry') AS entry
  FROM events)
WHERE instr(said_in, '/') > 1 AND entry IS NOT NULL;

CREATE TABLE messages (                 -- what was written in a channel while an incident was open, for some days
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL,
  thread TEXT NOT NULL,                 -- the message that it replies to, '' for none
  author TEXT NOT NULL,                 -- a Slack id; the name of a bot
  program INTEGER NOT NULL,             -- whether a bot wrote it
  files INTEGER NOT NULL,               -- how many came with it
  text TEXT NOT NULL,                   -- as Slack delivers it, '' where it was deleted
  edited TEXT NOT NULL,                 -- when it was edited last, as Slack says it, '' for never
  kept_at TEXT NOT NULL,
  PRIMARY KEY (team, channel, ts)
) STRICT;
CREATE INDEX messages_by_age ON messages (kept_at);

CREATE TABLE dismissals (               -- messages that are not suggested again
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL,
  slack_user TEXT NOT NULL,             -- who said so
  dismissed_at TEXT NOT NULL,
  PRIMARY KEY (team, channel, ts)
) STRICT;

CREATE TABLE files (                    -- what was attached to captured messages; the record names it by its digest
  incident INTEGER NOT NULL REFERENCES incidents (key),
  digest TEXT NOT NULL,                 -- SHA-256 of the content, hexadecimal
  team TEXT NOT NULL,
  media_type TEXT NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (incident, digest)
) STRICT;

CREATE TABLE nudges (                   -- what was said once and is not said again
  incident INTEGER NOT NULL REFERENCES incidents (key),
  what TEXT NOT NULL,
  team TEXT NOT NULL,
  said_at TEXT NOT NULL,
  PRIMARY KEY (incident, what)
) STRICT;

CREATE TABLE open_tasks (               -- action items that are to be done, and who hears of them
  incident INTEGER NOT NULL REFERENCES incidents (key),
  number INTEGER NOT NULL,
  team TEXT NOT NULL,
  person TEXT NOT NULL,                 -- the key of the owner, or of who hears of it instead
  due TEXT,                             -- the date that was said
  added_on TEXT NOT NULL,
  reminded INTEGER NOT NULL,            -- 0: the reminders of its incident were turned off
  PRIMARY KEY (incident, number)
) STRICT;
CREATE INDEX open_tasks_by_person ON open_tasks (team, person);

CREATE TABLE digests (                  -- who was told when of their action items
  team TEXT NOT NULL,
  person TEXT NOT NULL,
  told_on TEXT NOT NULL,                -- the day in their zone; at first that on which they got one
  wanted INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (team, person)
) STRICT;

-- what was added before this table was there; the rest of it is looked up when the incident changes
INSERT INTO open_tasks
WITH taken_back AS (
  SELECT incident, json_extract(facts, '$.seq') AS seq FROM events WHERE name = 'undone'),
said AS (
  SELECT incident, seq, name, team, json_extract(facts, '$.task') AS task,
    json_extract(facts, '$.entry') AS entry, json_extract(facts, '$.due') AS due, json_extract(facts, '$.by') AS by,
    nullif(json_extract(facts, '$.person'), '') AS person,
    substr(recorded_at, 1, 10) AS day
  FROM events
  WHERE (seq = 1 OR name IN ('task', 'task_changed', 'task_done', 'task_dropped', 'removed', 'role', 'handover'))
    AND (incident, seq) NOT IN taken_back)
SELECT t.incident, t.task, t.team,
  coalesce(
    (SELECT c.person FROM said c WHERE c.incident = t.incident AND c.name = 'task_changed' AND c.task = t.task
      AND c.person IS NOT NULL ORDER BY c.seq DESC LIMIT 1),
    t.person,
    (SELECT r.person FROM said r LEFT JOIN words w ON w.incident = r.incident AND w.seq = r.seq
      WHERE r.incident = t.incident AND r.person IS NOT NULL AND (r.name = 'handover'
        OR (r.name = 'role' AND json_extract(w.words, '$.role') = 'commander')) ORDER BY r.seq DESC LIMIT 1),
    (SELECT s.by FROM said s WHERE s.incident = t.incident AND s.seq = 1)),
  coalesce(
    (SELECT c.due FROM said c WHERE c.incident = t.incident AND c.name = 'task_changed' AND c.task = t.task
      AND c.due IS NOT NULL ORDER BY c.seq DESC LIMIT 1),
    t.due),
  t.day, 1
FROM said t JOIN incidents i ON i.key = t.incident
WHERE t.name = 'task' AND i.status NOT IN ('cancelled', 'duplicate')
  AND NOT EXISTS (SELECT 1 FROM said e WHERE e.incident = t.incident AND (
    (e.name IN ('task_done', 'task_dropped') AND e.task = t.task) OR (e.name = 'removed' AND e.entry = t.entry)));

CREATE TABLE homes (                    -- whose Home tab was opened, and is kept up to date
  team TEXT NOT NULL,
  slack_user TEXT NOT NULL,
  channel TEXT NOT NULL,                -- Scribe's direct messages with them
  opened_at TEXT NOT NULL,
  sees TEXT NOT NULL DEFAULT '',        -- 'all', 'own' for a guest, 'nothing' for another company; '' until it is known
  shown_at TEXT,
  said TEXT NOT NULL DEFAULT '',        -- SHA-256 of what is shown
  PRIMARY KEY (team, slack_user)
) STRICT;

CREATE INDEX events_at_the_end ON events (incident, recorded_at) WHERE name IN ('resolution', 'published');
"""


def migrate(db: Database) -> None:
    """Makes the tables."""
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            db.execute(statement)
