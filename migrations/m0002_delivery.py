"""What delivery needs: names as they were, channels that other companies share, letters that replace each other."""

from sqlite_utils import Database

SCHEMA = """
CREATE TABLE names (                    -- what people were called, and since when: '' is from the beginning
  person TEXT NOT NULL REFERENCES people (key),
  since TEXT NOT NULL,
  team TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (person, since)
) STRICT;
INSERT INTO names SELECT key, '', team, name FROM people WHERE learned_at IS NOT NULL;

-- whether people of other workspaces are in it: NULL until known
ALTER TABLE channels ADD COLUMN shared INTEGER;
-- when Slack was last asked about it
ALTER TABLE channels ADD COLUMN looked_at TEXT;
-- the message or file that it brings up to date: a later letter about the same replaces it
ALTER TABLE letters ADD COLUMN about TEXT;
-- whether the last try may have arrived all the same: then it is looked for before another
ALTER TABLE letters ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0;
UPDATE letters SET unsure = 1 WHERE attempts > 0;
-- what people were called when something of a revision left, by key: another try prints the same bytes
ALTER TABLE revisions ADD COLUMN names TEXT;
CREATE INDEX letters_by_about ON letters (about) WHERE state = 'waiting' AND about IS NOT NULL;
CREATE INDEX letters_by_age ON letters (settled_at) WHERE settled_at IS NOT NULL;
"""


def migrate(db: Database) -> None:
    """Adds them; who is known keeps the name under which documents were printed so far."""
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            db.execute(statement)
