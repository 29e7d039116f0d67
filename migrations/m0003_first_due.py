"""What watching needs: since when a letter should have left, however often it was put off since."""

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Adds it; it is noted when a letter is put off for the first time, and NULL until then."""
    db.execute("ALTER TABLE letters ADD COLUMN first_due_at TEXT")
