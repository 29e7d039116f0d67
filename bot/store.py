"""How we remember: one SQLite file. The only room that says SQL; it knows no Slack and no wording.

`writing()` gives a transaction that began IMMEDIATE behind the process's lock, `reading()` a snapshot. What was written
is on disk when `writing()` ends. The chain of an incident's events is kept here: see `Writing.append` and `verify`.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import hmac
import json
import logging
import os
import runpy
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

from bot.core import events as ev
from bot.core.errors import Choice, Refusal, Unrecorded
from bot.core.incident import fold
from bot.core.record import (
    CAME_BACK,
    JSON,
    TIMERS,
    Captured,
    Channel,
    Glance,
    HomeTab,
    Installation,
    Letter,
    Mark,
    Offer,
    OpenTask,
    Person,
    Place,
    Revision,
    Said,
)
from bot.core.times import iso, parse_utc

BUSY_SECONDS = 10.0
TRY_SECONDS = 0.001
WIPE_SECONDS = 0.25
TO_WIPE = 1
"""SQLite's `user_version` of a file out of which destroyed words have still to be wiped."""
GENESIS = "0" * 64
OFFER_LIFE = timedelta(hours=24)
REQUEST_LIFE = timedelta(days=7)
LETTER_LIFE = timedelta(days=30)
"""For so long it can be seen what was sent."""
MARK_LIFE = timedelta(days=60)
"""For so long it is known whose reaction made an entry."""
GONE = "[redacted]"
SKIPPED = 1_000_000
"""So many letters are left out after a restore: more than were written since the backup."""
REPEATED = 8
"""A destroyed text of this length is looked for inside waiting lines; a shorter one stands in too many by chance."""

PATIENCE = 6
"""Tries after which a blocking letter no longer holds back its lane: Slack may never take that one."""

NOT_HELD_BACK = (
    "NOT EXISTS (SELECT 1 FROM letters b WHERE b.state IN ('waiting', 'leased') "  # in the words of its index
    "AND b.lane = l.lane AND b.key < l.key AND (b.state = 'leased' "
    f"OR (b.state = 'waiting' AND ((b.blocking = 1 AND b.attempts BETWEEN 1 AND {PATIENCE}) "
    "OR (b.attempts = 0 AND b.due_at <= l.due_at)))))"
)
"""No letter before this one in its lane holds it back (see `Letter`)."""

TIMER_KINDS = ", ".join(repr(kind) for kind in sorted(TIMERS))

NOT_TIMERS = f"AND kind NOT IN ({TIMER_KINDS})"
"""A letter that is more than a clock that will ring."""

AT_THE_END = "e.name IN ('resolution', 'published')"
"""The events of an index of their own (see the migration), which is used where a condition says exactly this."""

SQLITE: tuple[int, ...] = sqlite3.sqlite_version_info
"""The version of the SQLite that is installed."""
OLDEST_SQLITE = (3, 37, 0)
"""The first one with STRICT tables (https://www.sqlite.org/stricttables.html)."""

COMPLAIN_SECONDS = 60.0
"""So often the log says that the disk takes nothing, while that lasts."""
SCANT = 1 << 20
"""With fewer bytes free than this the disk is full, whatever SQLite calls it: its log needs room even for reading."""

_FULL = ("the disk of the machine that runs Scribe is full", "Whoever runs Scribe has to make room.")
_OTHER_FILE = (
    "another file lies in the place of Scribe's database",
    "Whoever runs Scribe has to see which of the two is the record, and to restart it.",
)
_UNUSABLE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: (
        "the disk of the machine that runs Scribe has failed",
        "Whoever runs Scribe has to look after it.",
    ),
    sqlite3.SQLITE_READONLY: (
        "the disk of the machine that runs Scribe cannot be written to",
        "Whoever runs Scribe has to look at the rights of its database and its folder.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "Scribe's database cannot be opened",
        "Whoever runs Scribe has to look at the file and its folder.",
    ),
    sqlite3.SQLITE_BUSY: ("another program holds Scribe's database", "Try again in a minute."),
    sqlite3.SQLITE_LOCKED: ("another program holds Scribe's database", "Try again in a minute."),
    sqlite3.SQLITE_CORRUPT: (
        "Scribe's database is damaged",
        "Whoever runs Scribe has to restore a backup (scribe doctor says more).",
    ),
    sqlite3.SQLITE_NOTADB: (
        "Scribe's database is damaged",
        "Whoever runs Scribe has to restore a backup (scribe doctor says more).",
    ),
}
"""What is wrong with the file or its disk, and who can do what, by SQLite's result code
(https://www.sqlite.org/rescode.html); any other failure is a defect."""

log = logging.getLogger("scribe.store")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that `verify` found: which incident, which event, what is wrong with it."""

    incident: str
    seq: int
    problem: str
    seal: bool = dataclasses.field(default=False, compare=False)
    """Only the seal is another one: the chain itself is sound."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What `check` found: the damage in SQLite's words ("" for none), schema changes to come, and unknown ones."""

    damage: str
    pending: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()
    blank: bool = False
    """No Scribe has ever made its tables in it."""
    closed: bool = False
    """It could not be opened: that says nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a file holds: how many incidents and events, when the last one was recorded, and what waits to be sent."""

    incidents: int
    events: int
    latest: datetime | None
    unsent: int


class Store:
    """The record on disk.

    `secret` seals the head of each chain; `randomness(n)` gives n random bytes (keys and salts); `migrations` is the
    folder with `migrations.py`. With `look_only` nothing can be written, and no file is made.
    """

    def __init__(
        self,
        path: Path,
        *,
        migrations: Path,
        secret: bytes,
        randomness: Callable[[int], bytes],
        look_only: bool = False,
    ) -> None:
        self.path = path
        self._look_only = look_only
        self._migrations = migrations
        self._secret = secret
        self._random = randomness
        self._lock = threading.RLock()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connecting = threading.Lock()
        self._to_wipe = self._to_empty = False
        self._not_newer = False
        self._file: tuple[int, int] | None = None
        self._complained: dict[str, float] = {}
        self._schema: frozenset[str] | None = None
        self._presence = -1
        self.committed: Callable[[float], None] = lambda seconds: None
        """Told how long a transaction took that wrote something, with the wait for its turn."""

    # ---- connections and transactions ------------------------------------------------------------

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._looking() if self._look_only else self._open()
            self._local.connection = connection
            with self._connecting:
                self._connections.append(connection)
        elif lost := self._lost():
            raise lost
        return connection

    def _lost(self) -> Unrecorded | None:
        """What is wrong where the file that is open lies no longer at its place: what is written there is not found."""
        if self._file is None:
            return None
        try:
            there = self.path.stat()
        except OSError as failure:
            return Unrecorded(*_UNUSABLE[sqlite3.SQLITE_CANTOPEN], str(failure))
        return None if (there.st_dev, there.st_ino) == self._file else Unrecorded(*_OTHER_FILE)

    def _beside(self, end: str) -> Path:
        """A file that SQLite, or `serves_alone`, keeps beside the database: where a link to it leads."""
        path = Path(os.path.realpath(self.path))
        return path.with_name(path.name + end)

    def _open(self) -> sqlite3.Connection:
        if lost := self._lost():
            raise lost
        self._refuse_newer()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # it is there already; what else is wrong, SQLite says
            place = Path(os.path.realpath(self.path))
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # its logs take the same mode
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            # WAL: readers never wait; FULL: a commit has reached the disk (https://www.sqlite.org/pragma.html)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
            connection.execute("PRAGMA secure_delete=ON")
            there = self.path.stat()
        except (sqlite3.Error, OSError):
            connection.close()
            raise
        self._file = self._file or (there.st_dev, there.st_ino)
        return connection

    def _looking(self) -> sqlite3.Connection:
        """A connection that cannot write.

        Where no write-ahead log lies beside the file nobody has it open, and SQLite is told that it will not change:
        otherwise even a reader would make a log, and leave it there (https://www.sqlite.org/uri.html).
        """
        alone = "" if self._beside("-wal").exists() else "&immutable=1"
        address = f"{self.path.absolute().as_uri()}?mode=ro{alone}"
        return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A transaction that may write: committed when the block ends, rolled back when it raises.

        Raises Unrecorded where the disk does not take it: then nothing of it stays.
        """
        began = time.perf_counter()
        with self._lock, self._on_the_disk():
            connection = self._connection()
            self._begin(connection)
            changes = connection.total_changes
            writing = Writing(connection, self._secret, self._random)
            try:
                yield writing
                if writing.destroyed:
                    connection.execute(f"PRAGMA user_version={TO_WIPE}")
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:  # the block or the commit raised: nothing of it stays
                    connection.execute("ROLLBACK")
            if connection.total_changes != changes:
                self.committed(time.perf_counter() - began)
            self._to_wipe = self._to_wipe or writing.destroyed
            if self._to_wipe or self._to_empty:
                self._wipe(connection)

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begins to write as soon as no other process does.

        SQLite itself looks again after ever longer pauses, so that a process that writes all the time starves another
        (https://www.sqlite.org/c3ref/busy_timeout.html).
        """
        until = time.monotonic() + BUSY_SECONDS
        connection.execute("PRAGMA busy_timeout=0")
        try:
            while True:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as failure:
                    if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                        raise
                time.sleep(TRY_SECONDS)
        finally:
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A snapshot: what was committed when the block first looked. Raises Unrecorded where it cannot be read."""
        with self._on_the_disk():
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                yield Reading(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _on_the_disk(self) -> Iterator[None]:
        """Turns what SQLite says of the file or its disk into Unrecorded, and tells the log once a minute."""
        try:
            yield
        except Unrecorded as lost:
            self._complain(lost)
            raise
        except sqlite3.DatabaseError as failure:
            found = self._unusable(failure)
            if found is None:
                raise
            self._complain(found)
            raise found from failure

    def _complain(self, found: Unrecorded) -> None:
        now = time.monotonic()
        if now - self._complained.get(found.reason, now - COMPLAIN_SECONDS) >= COMPLAIN_SECONDS:
            self._complained[found.reason] = now
            log.error("%s cannot be used: %s", self.path, found)

    def _unusable(self, failure: sqlite3.DatabaseError) -> Unrecorded | None:
        code = getattr(failure, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the higher bits say where it failed
        if code not in _UNUSABLE:
            return None
        reason, remedy = _UNUSABLE[code]
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and self._no_room():
            reason, remedy = _FULL
        return Unrecorded(reason, remedy, f"{failure}, {getattr(failure, 'sqlite_errorname', 'no code')}")

    def _no_room(self) -> bool:
        try:
            return shutil.disk_usage(self.path.parent).free < SCANT
        except OSError:
            return False

    def _wipe(self, connection: sqlite3.Connection) -> None:
        """Takes destroyed words out of the files; where it cannot, the next writing tries again.

        `secure_delete` alone leaves copies of cells that SQLite moved from page to page, so every page is written anew
        (half a second for 100,000 events). The write-ahead log cannot be emptied while somebody reads an older state;
        who replicates the file does so all the time, so later tries do not wait (https://litestream.io/how-it-works/).
        """
        connection.execute(f"PRAGMA busy_timeout={int(WIPE_SECONDS * 1000) if self._to_wipe else 0}")
        try:
            if self._to_wipe:
                connection.execute("VACUUM")
                self._to_wipe, self._to_empty = False, True
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._to_empty = bool(busy)
            if not busy:
                connection.execute("PRAGMA user_version=0")
        except sqlite3.DatabaseError as failure:  # what was written stands: it is committed
            log.warning("destroyed words are still in the file, which is tried again: %s", failure)
        finally:
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")

    def close(self) -> None:
        """Closes every connection."""
        with self._lock, self._connecting:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()
            self._file = None
            if self._presence >= 0:
                os.close(self._presence)
                self._presence = -1

    # ---- schema ----------------------------------------------------------------------------------

    def migrate(self) -> list[str]:
        """Brings the schema up to date and names the changes that were applied.

        Raises Refusal where the file was written by a newer program, or is no database; Unrecorded where the disk does
        not take it.
        """
        found, known = self._known()
        with self._lock, self._on_the_disk():
            try:
                connection = self._connection()
            except sqlite3.DatabaseError as failure:
                if self._no_room():
                    raise
                raise Refusal(
                    f"{self.path} cannot be opened: {failure}.", "Set SCRIBE_DATABASE to another file."
                ) from failure
            database = Database(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._compare(connection, known)
                pending = [one.name for one in found.pending(database)]
                found.apply(database)
                if connection.in_transaction:
                    connection.execute("COMMIT")
                self._schema = frozenset(known)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            (marked,) = connection.execute("PRAGMA user_version").fetchone()
            if marked == TO_WIPE:  # a process was killed between destroying words and wiping the file
                self._to_wipe = True
                self._wipe(connection)
        return pending

    def _refuse_newer(self) -> None:
        """Raises Refusal before a file of a newer program is touched: its log is not even taken into it."""
        if self._not_newer or not self.path.exists():
            return
        _, known = self._known()
        with suppress(sqlite3.DatabaseError), closing(self._looking()) as connection:  # opening it says what is wrong
            self._compare(connection, known)
        self._not_newer = True

    def _compare(self, connection: sqlite3.Connection, known: Sequence[str]) -> None:
        newer = sorted(self._applied(connection) - set(known))
        if newer:
            raise Refusal(
                f"{self.path} was written by a newer Scribe (it has {', '.join(newer)}).",
                "Install that version, or set SCRIBE_DATABASE to another file.",
            )

    def check(self, *, thorough: bool = False) -> Checkup:
        """Looks whether the file is a whole database, and of which schema; changes nothing.

        `thorough` also compares each index with its table.
        """
        found = self._checked(thorough)
        if found.damage and self._look_only:
            # A `serve` that starts meanwhile looks like damage to a reader who was told that nobody has the file open.
            self.close()
            found = self._checked(thorough)
        return found

    def _checked(self, thorough: bool) -> Checkup:
        _, known = self._known()
        try:
            connection = self._connection()
            said = [text for (text,) in connection.execute(f"PRAGMA {'integrity' if thorough else 'quick'}_check(3)")]
            applied = self._applied(connection)
        except sqlite3.DatabaseError as failure:
            code = getattr(failure, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            return Checkup(str(failure), closed=code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM))
        return Checkup(
            "" if said == ["ok"] else "; ".join(" ".join(text.split()) for text in said),
            tuple(name for name in known if name not in applied),
            tuple(sorted(applied - set(known))),
            blank=not applied,
        )

    def _known(self) -> tuple[Migrations, list[str]]:
        """The schema changes of this program, and their names in order."""
        found = runpy.run_path(str(self._migrations / "migrations.py"))["migrations"]
        assert isinstance(found, Migrations)
        with closing(sqlite3.connect(":memory:")) as empty:
            return found, [one.name for one in found.pending(Database(empty))]

    @staticmethod
    def _applied(connection: sqlite3.Connection) -> set[str]:
        there = connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlite_migrations'"
        ).fetchone()
        if not there:
            return set()
        rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'scribe'")
        return {name for (name,) in rows}

    # ---- how it is doing -------------------------------------------------------------------------

    def glance(self, now: datetime, patience: float) -> Glance:
        """How the record is doing, and whether it takes what is written; waits for its turn `patience` seconds at most.

        By a connection of its own, which finds the file that is there now. Raises nothing.
        """
        sizes = {"database": _size(self.path), "log": _size(self._beside("-wal"))}
        if lost := self._lost():
            return Glance(lost.reason, sizes=sizes)
        try:
            address = f"{self.path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)) as connection:
                problem = self._try_to_write(connection, patience)
                return replace(Reading(connection).glance(now), problem=problem, sizes=sizes)
        except sqlite3.DatabaseError as failure:
            return Glance(self._why(failure), sizes=sizes)

    def _try_to_write(self, connection: sqlite3.Connection, patience: float) -> str:
        """Writes a page as it is, which finds a full disk; gives what keeps the record from being written."""
        if not self._lock.acquire(timeout=patience):
            return "nobody else gets a turn to write"
        try:
            if self._schema is not None and self._applied(connection) - self._schema:
                return "a newer Scribe has changed the database"
            connection.execute("BEGIN IMMEDIATE")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as failure:
            return self._why(failure)
        finally:
            self._lock.release()
        return ""

    def _why(self, failure: sqlite3.DatabaseError) -> str:
        found = self._unusable(failure)
        return found.reason if found else "Scribe's database cannot be read"

    def serves_alone(self, alone: Callable[[], None] = lambda: None) -> bool:
        """Notes that this process serves the record, until it ends in whichever way; whether no other one does.

        Then `alone` is called, and no other process gets past this point meanwhile. By a lock on a file beside the
        record, which the system lets go of with the process. SQLite's own log needs all processes on one machine too,
        so the lock reaches as far. Where there are no locks, nobody is alone.
        """
        try:
            if self._presence < 0:
                self._presence = os.open(self._beside(".serving"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fcntl.flock(self._presence, fcntl.LOCK_SH)
                return False
        except OSError as failure:
            log.info("whether another process serves the record cannot be seen: %s", failure)
            return False
        try:
            alone()
        finally:
            fcntl.flock(self._presence, fcntl.LOCK_SH)
        return True

    def is_served(self) -> bool:
        """Whether a process serves a record of this name, be the file there or not (see `serves_alone`)."""
        try:
            presence = os.open(self._beside(".serving"), os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(presence)
        return False

    # ---- copies ----------------------------------------------------------------------------------

    def copy(self, target: Path) -> None:
        """Writes the record as it is at this moment into an empty file; who writes meanwhile does not wait.

        Every row is written anew (https://www.sqlite.org/lang_vacuum.html): of what was destroyed nothing comes along,
        not even between the pages. Raises Refusal where the copy cannot be written.
        """
        with self._on_the_disk():
            connection = self._connection()
            try:
                connection.execute("VACUUM INTO ?", (str(target),))
            except sqlite3.OperationalError as failure:
                raise Refusal(
                    f"The copy could not be written to {target.parent}: {failure}.",
                    "Make room there, or name another place.",
                ) from failure

    def holdings(self) -> Holdings:
        """What the file holds, of whichever schema it is. Raises Refusal where it is no record."""
        with self.reading() as tx:
            if not tx.is_record():
                raise Refusal(
                    f"{self.path} is no record of Scribe's: it holds none of its tables.", "Name another file."
                )
            row = tx.row(
                "SELECT count(*) AS incidents, coalesce(sum(seq), 0) AS events, "
                "(SELECT max(recorded_at) FROM events) AS latest, "
                "(SELECT count(*) FROM letters WHERE state IN ('waiting', 'leased')) AS unsent FROM incidents"
            )
        assert row is not None
        latest = parse_utc(row["latest"]) if row["latest"] else None
        return Holdings(row["incidents"], row["events"], latest, row["unsent"])

    def is_told(self) -> bool:
        """Whether the file holds any incident."""
        with self.reading() as tx:
            return tx.is_record() and tx.row("SELECT 1 FROM incidents LIMIT 1") is not None

    def seals(self, secret: bytes | None = None) -> tuple[int, int]:
        """How many incidents there are, and how many of their heads were sealed with a secret (ours)."""
        with self.reading() as tx:
            rows = list(tx.rows("SELECT team, number, seq, head, seal FROM incidents"))
        return len(rows), sum(_is_ours(secret or self._secret, row) for row in rows)

    def reseal(self) -> int:
        """Seals every head with our secret, whoever sealed it before; gives how many there are."""
        with self.writing() as tx:
            return tx.reseal()

    # ---- verify ----------------------------------------------------------------------------------

    def verify(self) -> tuple[int, int, list[Finding]]:
        """Walks every chain: how many incidents and events were looked at, and what was found changed.

        It finds what was changed behind the program's back, not by one who has both the database and the secret. That
        the newest incidents are missing, or the whole file is an older one, only an exported document can show. It asks
        for nothing that the first schema did not have, so that a file of any earlier program can be verified as it is.
        """
        findings: list[Finding] = []
        incidents = events = number = 0
        team = ""
        with self.reading() as tx:
            findings.extend(self._orphans(tx))
            findings.extend(self._changed_files(tx))
            for row in tx.rows("SELECT * FROM incidents ORDER BY team, number"):
                incidents += 1
                number = number if row["team"] == team else 0
                if (lost := row["number"] - number - 1) > 0:
                    problem = "the incident is missing" if lost == 1 else f"{lost} incidents are missing from here on"
                    findings.append(Finding(f"INC-{number + 1}", 0, problem))
                team, number = row["team"], row["number"]
                count, found = self._verify_one(tx, row)
                events += count
                findings.extend(found)
                if all(one.seal for one in found):
                    findings.extend(self._repeated(tx, row))
        return incidents, events, findings

    @staticmethod
    def _orphans(tx: Reading) -> list[Finding]:
        """Rows that belong to nothing."""
        lost: dict[str, int] = {}
        for row in tx.rows("PRAGMA foreign_key_check"):
            lost[row["table"]] = lost.get(row["table"], 0) + 1
        return [
            Finding("database", 0, f"{count} of {table} belong{'s' if count == 1 else ''} to nothing that is there")
            for table, count in sorted(lost.items())
        ]

    @staticmethod
    def _changed_files(tx: Reading) -> list[Finding]:
        """Files whose bytes are not those that the record names, are gone, or that it does not name."""
        if tx.row("SELECT 1 FROM sqlite_master WHERE name = 'files'") is None:  # of an earlier program
            return []
        findings: list[Finding] = []
        named: dict[tuple[int, str], tuple[str, int, set[str]]] = {}
        destroyed: set[tuple[int, str]] = set()
        told = tx.rows(
            "SELECT e.incident, e.seq, e.name, e.facts, i.number FROM events e JOIN incidents i ON i.key = e.incident "
            "WHERE e.name IN ('attached', 'redacted') ORDER BY e.incident, e.seq"
        )
        for row in told:
            facts = _facts(row["facts"])
            entry = str(facts.get("entry"))
            if row["name"] == "redacted":
                destroyed |= {one for one, (_, _, of) in named.items() if one[0] == row["incident"] and entry in of}
            elif facts.get("digest"):
                one = (row["incident"], str(facts["digest"]))
                of = named[one][2] if one in named else set()
                named[one] = (f"INC-{row['number']}", row["seq"], of | {entry})
                destroyed.discard(one)
        kept: set[tuple[int, str]] = set()
        for row in tx.rows("SELECT incident, digest, content FROM files ORDER BY incident, digest"):
            one = (row["incident"], row["digest"])
            kept.add(one)
            name, seq, _ = named.get(one, ("database", 0, set()))
            if one not in named or one in destroyed:
                findings.append(Finding(name, seq, "a file is kept that the record does not name"))
            elif hashlib.sha256(row["content"]).hexdigest() != row["digest"]:
                findings.append(Finding(name, seq, "the file was changed after it was recorded"))
        for one in sorted(named.keys() - kept - destroyed):
            name, seq, _ = named[one]
            findings.append(Finding(name, seq, "the file is gone and nobody redacted it"))
        return findings

    @staticmethod
    def _repeated(tx: Reading, row: sqlite3.Row) -> list[Finding]:
        """What stands beside a sound chain and repeats it, or what is known of its channel, and says something else."""
        name, key = f"INC-{row['number']}", row["key"]
        happened = tx.events(key)
        incident = fold(happened, row["number"])
        private = tx.row("SELECT private FROM channels WHERE team = ? AND channel = ?", row["team"], row["channel"])
        said = {
            "title": incident.title,
            "status": incident.status.value,
            "severity": incident.severity,
            "opened_at": iso(happened[0].recorded_at) if happened else row["opened_at"],
            "private": private["private"] if private and private["private"] is not None else row["private"],
        }
        findings = [
            Finding(name, 0, f"its {column.replace('_at', '')} in the list of incidents is not that of the record")
            for column, value in said.items()
            if row[column] != value
        ]
        beyond = tx.rows("SELECT revision FROM revisions WHERE incident = ? AND upto > ?", key, row["seq"])
        findings += [Finding(name, 0, f"revision {one['revision']} reaches beyond the record") for one in beyond]
        unknown = tx.rows(
            "SELECT target FROM receipts r WHERE incident = ? AND revision > 0 AND NOT EXISTS "
            "(SELECT 1 FROM revisions v WHERE v.incident = r.incident AND v.revision = r.revision)",
            key,
        )
        findings += [
            Finding(name, 0, f"the receipt “{one['target']}” names a revision that is not there") for one in unknown
        ]
        return findings

    def _verify_one(self, tx: Reading, incident: sqlite3.Row) -> tuple[int, list[Finding]]:
        name = f"INC-{incident['number']}"
        findings: list[Finding] = []
        before, seq = GENESIS, 0
        redacted: set[str] = set()
        missing: list[tuple[int, str]] = []
        tasks: dict[str, str] = {}
        rows = tx.rows(
            "SELECT e.*, w.salt, w.words, w.entry AS words_entry FROM events e LEFT JOIN words w "
            "ON w.incident = e.incident AND w.seq = e.seq WHERE e.incident = ? ORDER BY e.seq",
            incident["key"],
        )
        for row in rows:
            seq += 1
            facts = _facts(row["facts"])
            if row["seq"] != seq:
                findings.append(Finding(name, seq, "an event is missing from the chain"))
                seq = row["seq"]
            if row["name"] == "task":
                tasks[str(facts.get("task"))] = str(facts.get("entry"))
            if row["hash"] != _link(before, row["seq"], row["name"], row["facts"], row["digest"]):
                findings.append(
                    Finding(name, seq, "the event does not fit the chain: it or the one before was changed")
                )
            if row["words"] is None:
                entry = str(facts.get("entry") or tasks.get(str(facts.get("task")), ""))
                missing.append((seq, entry or _WORDS_OF.get(row["name"], "").format(facts.get("section"))))
            elif not _fits(row["digest"], row["salt"], row["words"]):
                findings.append(Finding(name, seq, "the text was changed after it was recorded"))
            if row["name"] == "redacted":
                redacted.add(str(facts.get("entry")))
            if row["name"] == "words_destroyed":
                redacted.add(str(facts.get("what")))
            if row["recorded_at"] != facts.get("recorded_at"):
                findings.append(Finding(name, seq, "the time of recording was changed"))
            if row["words"] is not None and facts and row["words_entry"] != facts.get("entry"):
                findings.append(Finding(name, seq, "the text is filed under another entry"))
            if row["team"] != incident["team"]:
                findings.append(Finding(name, seq, "the event is filed under another workspace"))
            before = row["hash"]
        for lost, entry in missing:
            if entry not in redacted:
                findings.append(Finding(name, lost, "the text is gone and nobody redacted it"))
        if seq != incident["seq"] or before != incident["head"]:
            findings.append(Finding(name, seq, f"the chain ends at event {seq}, its head says {incident['seq']}"))
        if not _is_ours(self._secret, incident, seq, before):
            sound = not findings
            findings.append(Finding(name, seq, "the seal of the chain's head is not ours", seal=sound))
        return seq, findings


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


_WORDS_OF = {"retitled": "title", "review_called": "review", "section_written": "section {}"}
"""What the words of an event are that stand in no entry (see `incident.words_of`)."""


def _facts(text: str) -> JSON:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _texts(words: str) -> list[str]:
    """What somebody wrote, out of a row of words."""
    values = json.loads(words).values()
    return [text for value in values for text in ([value] if isinstance(value, str) else value or ()) if text]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(salt: str, words: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + words.encode()).hexdigest()


def _fits(digest: str, salt: str, words: str) -> bool:
    try:
        return _digest(salt, words) == digest
    except ValueError:  # the salt is no longer hexadecimal
        return False


def _link(before: str, seq: int, name: str, facts: str, digest: str) -> str:
    return hashlib.sha256("\n".join((before, str(seq), name, facts, digest)).encode()).hexdigest()


def _seal(secret: bytes, team: str, number: int, seq: int, head: str) -> str:
    return hmac.new(secret, f"{team}/{number}/{seq}/{head}".encode(), hashlib.sha256).hexdigest()


def _is_ours(secret: bytes, incident: sqlite3.Row, seq: int | None = None, head: str | None = None) -> bool:
    """Whether this secret sealed the head that is kept with an incident (or the one that was found)."""
    seq, head = incident["seq"] if seq is None else seq, incident["head"] if head is None else head
    seal = _seal(secret, incident["team"], incident["number"], seq, head)
    return hmac.compare_digest(incident["seal"].encode(), seal.encode())


class Reading:
    """What can be looked up; everything belongs to one workspace."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, *values: Any) -> Iterator[sqlite3.Row]:
        """The rows of a query, by name."""
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        return iter(cursor.execute(sql, values))

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, if there is one."""
        return next(self.rows(sql, *values), None)

    def is_record(self) -> bool:
        """Whether the tables of a record are there at all."""
        return self.row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'incidents'") is not None

    # ---- requests and offers ---------------------------------------------------------------------

    def heard(self, team: str, origin: str) -> JSON | None:
        """The outcome of a request that was heard before."""
        row = self.row("SELECT outcome FROM requests WHERE team = ? AND origin = ?", team, origin)
        return json.loads(row["outcome"]) if row else None

    def offer(self, team: str, key: str) -> Offer | None:
        """A line that waits for a tap."""
        row = self.row("SELECT * FROM offers WHERE team = ? AND key = ?", team, key)
        if row is None:
            return None
        return Offer(
            key=row["key"],
            team=row["team"],
            channel=row["channel"],
            by=row["by"],
            line=row["line"],
            said_at=parse_utc(row["said_at"]),
            choices=tuple(Choice(**one) for one in json.loads(row["choices"])),
            mentions=json.loads(row["mentions"]),
            chosen=row["chosen"],
            incident=row["incident"],
        )

    # ---- incidents -------------------------------------------------------------------------------

    def in_channel(self, team: str, channel: str, at: datetime | None = None) -> Place | None:
        """The incident that a line in this channel is about: the newest that was neither cancelled nor a duplicate.

        For what was said at some time before now the newest that was there then, if there was one.
        """
        row = self.row(
            "SELECT * FROM incidents WHERE team = ? AND channel = ? AND status NOT IN ('cancelled', 'duplicate') "
            "ORDER BY ? IS NOT NULL AND opened_at <= ? DESC, number DESC LIMIT 1",
            team,
            channel,
            *[iso(at) if at else None] * 2,
        )
        return _place(row) if row else None

    def moved_from(self, team: str, channel: str) -> Place | None:
        """The newest open incident that was opened in this channel and has one of its own now."""
        row = self.row(
            "SELECT * FROM incidents WHERE team = ? AND origin = ? AND status IN ('open', 'mitigated') "
            "ORDER BY number DESC LIMIT 1",
            team,
            channel,
        )
        return _place(row) if row else None

    def by_number(self, team: str, number: int) -> Place | None:
        """The incident with that number."""
        row = self.row("SELECT * FROM incidents WHERE team = ? AND number = ?", team, number)
        return _place(row) if row else None

    def by_key(self, key: int) -> Place | None:
        """The incident with the store's own key."""
        row = self.row("SELECT * FROM incidents WHERE key = ?", key)
        return _place(row) if row else None

    def visible(self, team: str, channel: str, words: str = "", *, only_open: bool = False) -> list[Place]:
        """The incidents that may be seen from a channel, newest first: public ones, and those of the channel itself.

        From a channel that is shared with another company only its own can be seen.

        `words` are looked for in titles and texts; each must occur.
        """
        found = self.rows(
            "SELECT * FROM incidents WHERE team = ? AND (channel = ? OR (private = 0 AND NOT EXISTS (SELECT 1 FROM "
            "channels c WHERE c.team = incidents.team AND c.channel = ? AND c.shared = 1))) "
            "AND (? = 0 OR status IN ('open', 'mitigated')) ORDER BY number DESC",
            team,
            channel,
            channel,
            int(only_open),
        )
        sought = words.casefold().split()
        return [place for place in map(_place, found) if not sought or self._says(place, sought)]

    def _says(self, place: Place, sought: Sequence[str]) -> bool:
        """Whether each of these words occurs in the title or a text; small and capital letters are alike."""
        rows = self.rows("SELECT words FROM words WHERE incident = ?", place.key)
        said = "\n".join([place.title, *(text for row in rows for text in _texts(row["words"]))]).casefold()
        return all(word in said for word in sought)

    def all_places(self) -> list[Place]:
        """Every incident, by workspace and number."""
        return [_place(row) for row in self.rows("SELECT * FROM incidents ORDER BY team, number")]

    def events(self, incident: int, after: int = 0, upto: int | None = None) -> list[ev.Event]:
        """The events of an incident in order, those after event `after`, at most up to event `upto`."""
        return [ev.from_json(*stored) for stored in self.stored(incident, after, upto)]

    def stored(self, incident: int, after: int = 0, upto: int | None = None) -> list[tuple[str, JSON, JSON | None]]:
        """The same as (name, facts, words), as they are stored; words are None where they were destroyed."""
        rows = self.rows(
            "SELECT e.name, e.facts, w.words FROM events e LEFT JOIN words w ON w.incident = e.incident "
            "AND w.seq = e.seq WHERE e.incident = ? AND e.seq > ? AND e.seq <= ? ORDER BY e.seq",
            incident,
            after,
            upto if upto is not None else 2**62,
        )
        return [
            (row["name"], json.loads(row["facts"]), json.loads(row["words"]) if row["words"] is not None else None)
            for row in rows
        ]

    def has_after(self, incident: int, seq: int, names: Sequence[str]) -> bool:
        """Whether an event of one of these names came after event `seq`."""
        marks = ", ".join("?" for _ in names)
        sql = f"SELECT 1 FROM events WHERE incident = ? AND seq > ? AND name IN ({marks}) LIMIT 1"
        return self.row(sql, incident, seq, *names) is not None

    def texts_gone(self, incident: int, upto: int) -> int:
        """How many texts of the events up to that one were destroyed."""
        row = self.row("SELECT count(*) AS kept FROM words WHERE incident = ? AND seq <= ?", incident, upto)
        assert row is not None
        return upto - int(row["kept"])

    def head_at(self, incident: int, seq: int) -> str:
        """The hash of an event: what the head of the chain was when it was the last one."""
        row = self.row("SELECT hash FROM events WHERE incident = ? AND seq = ?", incident, seq)
        return row["hash"] if row else GENESIS

    # ---- people, channels, workspaces ------------------------------------------------------------

    def person(self, team: str, user: str) -> Person | None:
        """Somebody, by Slack id."""
        row = self.row("SELECT * FROM people WHERE team = ? AND slack_user = ?", team, user)
        return _person(row) if row else None

    def people(self, keys: Iterable[str]) -> dict[str, Person]:
        """The people behind these keys."""
        wanted = json.dumps(sorted(set(keys)))
        rows = self.rows("SELECT * FROM people WHERE key IN (SELECT value FROM json_each(?))", wanted)
        return {row["key"]: _person(row) for row in rows}

    def names_in(self, stored: Iterable[tuple[str, JSON, JSON | None]]) -> dict[str, str]:
        """The names of everybody whom these stored events name, by key, as they were when they were last named."""
        named: dict[str, str] = {}
        for _, facts, _ in stored:
            for key in _keys(facts):
                named[key] = max(named.get(key, ""), str(facts.get("recorded_at", "")))
        return {key: self._called(key, named[key]) or person.name for key, person in self.people(named).items()}

    def _called(self, person: str, at: str) -> str:
        row = self.row(
            "SELECT name FROM names WHERE person = ? "
            "ORDER BY since > ?, CASE WHEN since > ? THEN since END, since DESC LIMIT 1",
            person,
            at,
            at,
        )
        return row["name"] if row else ""

    def channel(self, team: str, channel: str) -> Channel:
        """What is known of a channel."""
        row = self.row("SELECT * FROM channels WHERE team = ? AND channel = ?", team, channel)
        if row is None:
            return Channel(team, channel)
        return Channel(
            team,
            channel,
            row["name"],
            None if row["private"] is None else bool(row["private"]),
            None if row["member"] is None else bool(row["member"]),
            bool(row["archived"]),
            None if row["shared"] is None else bool(row["shared"]),
            parse_utc(row["looked_at"]) if row["looked_at"] else None,
        )

    def installation(self, team: str) -> Installation | None:
        """What is known of a workspace."""
        row = self.row("SELECT * FROM teams WHERE team = ?", team)
        if row is None:
            return None
        return Installation(row["team"], row["name"], row["bot_user"], row["bot_id"], row["url"])

    def installations(self) -> list[Installation]:
        """Every workspace that is known."""
        rows = self.rows("SELECT * FROM teams ORDER BY team")
        return [Installation(r["team"], r["name"], r["bot_user"], r["bot_id"], r["url"]) for r in rows]

    # ---- documents and letters -------------------------------------------------------------------

    def revision(self, incident: int, revision: int) -> Revision | None:
        """A revision of an incident's document."""
        row = self.row("SELECT * FROM revisions WHERE incident = ? AND revision = ?", incident, revision)
        return Revision(row["incident"], row["revision"], row["upto"]) if row else None

    def names_of(self, incident: int, revision: int) -> dict[str, str] | None:
        """What people are called in a revision of which something has left; None for any other."""
        row = self.row("SELECT names FROM revisions WHERE incident = ? AND revision = ?", incident, revision)
        return json.loads(row["names"]) if row and row["names"] else None

    def unmet(self, stored: Iterable[tuple[str, JSON, JSON | None]]) -> list[Person]:
        """The people of these events of whom Slack has not said yet what they are called."""
        keys = {key for _, facts, _ in stored for key in _keys(facts)}
        found = sorted(self.people(keys).values(), key=lambda person: person.key)
        return [person for person in found if person.learned_at is None]

    def latest_revision(self, incident: int) -> Revision | None:
        """The newest revision of an incident's document."""
        row = self.row("SELECT * FROM revisions WHERE incident = ? ORDER BY revision DESC LIMIT 1", incident)
        return Revision(row["incident"], row["revision"], row["upto"]) if row else None

    def receipts(self, incident: int) -> dict[str, JSON]:
        """Where the document stands: for each way out what it answered, with the revision under "revision"."""
        rows = self.rows("SELECT * FROM receipts WHERE incident = ?", incident)
        return {row["target"]: {**json.loads(row["receipt"]), "revision": row["revision"]} for row in rows}

    def next_due(self) -> datetime | None:
        """When the next letter may leave: one that waits and is not held back, or whose lease runs out."""
        row = self.row(
            "SELECT min(CASE l.state WHEN 'leased' THEN l.leased_until ELSE l.due_at END) AS due FROM letters l "
            f"WHERE l.state IN ('waiting', 'leased') AND {NOT_HELD_BACK}"
        )
        return parse_utc(row["due"]) if row and row["due"] else None

    def waiting_about(self, about: str) -> Letter | None:
        """The letter that still waits to bring this up to date."""
        row = self.row("SELECT * FROM letters WHERE about = ? AND state = 'waiting' ORDER BY key DESC LIMIT 1", about)
        return _letter(row) if row else None

    def marks(self, team: str, channel: str, ts: str) -> list[Mark]:
        """What was done to a message, in the order in which it happened."""
        rows = self.rows(
            "SELECT * FROM marks WHERE team = ? AND channel = ? AND ts = ? ORDER BY marked_at, sign, holder",
            team,
            channel,
            ts,
        )
        return [
            Mark(
                team,
                channel,
                ts,
                row["sign"],
                row["holder"],
                row["slack_user"],
                bool(row["stands"]),
                parse_utc(row["marked_at"]),
                bool(row["done"]),
            )
            for row in rows
        ]

    def captured(self, team: str, channel: str, ts: str) -> list[Captured]:
        """The entries that were made from a message, in the order in which they were."""
        rows = self.rows(
            "SELECT * FROM captured WHERE team = ? AND channel = ? AND ts = ? ORDER BY incident, entry",
            team,
            channel,
            ts,
        )
        return [
            Captured(team, channel, ts, row["incident"], row["entry"], bool(row["marked"]), row["followed"])
            for row in rows
        ]

    def ended(self, incident: int) -> dict[str, datetime]:
        """When an incident was resolved, and its postmortem published, for the last time, by the name of the event."""
        rows = self.rows(
            "SELECT name, max(recorded_at) AS at FROM events WHERE incident = ? AND name IN (?, ?) GROUP BY name",
            incident,
            ev.Resolved.name,
            ev.Published.name,
        )
        return {row["name"]: parse_utc(row["at"]) for row in rows}

    def nudges(self, incident: int) -> dict[str, datetime]:
        """What people were reminded of in an incident, and when."""
        rows = self.rows("SELECT what, said_at FROM nudges WHERE incident = ?", incident)
        return {row["what"]: parse_utc(row["said_at"]) for row in rows}

    def file(self, incident: int, digest: str) -> bytes | None:
        """The bytes of a file that is kept with an incident."""
        row = self.row("SELECT content FROM files WHERE incident = ? AND digest = ?", incident, digest)
        return bytes(row["content"]) if row else None

    def files(self, incident: int) -> dict[str, int]:
        """The files that are kept with an incident, by digest, and how many bytes each has."""
        rows = self.rows("SELECT digest, length(content) AS size FROM files WHERE incident = ?", incident)
        return {row["digest"]: row["size"] for row in rows}

    def kept(self, team: str, channel: str, since: str, after: datetime, most: int) -> list[Said]:
        """The newest messages of a channel from that ts on that were kept after a moment, oldest first."""
        rows = self.rows(
            "SELECT * FROM (SELECT * FROM messages WHERE team = ? AND channel = ? AND ts >= ? AND kept_at > ? "
            "AND text <> '' ORDER BY ts DESC LIMIT ?) ORDER BY ts",
            team,
            channel,
            since,
            iso(after),
            most,
        )
        return [_said(row) for row in rows]

    def kept_message(self, team: str, channel: str, ts: str) -> Said | None:
        """A message that is kept; without a text where it was deleted."""
        row = self.row("SELECT * FROM messages WHERE team = ? AND channel = ? AND ts = ?", team, channel, ts)
        return _said(row) if row else None

    def oldest_kept(self) -> datetime | None:
        """Since when the oldest message has been kept."""
        row = self.row("SELECT min(kept_at) AS oldest FROM messages")
        return parse_utc(row["oldest"]) if row and row["oldest"] else None

    def dismissed(self, team: str, channel: str) -> set[str]:
        """The messages of a channel of which somebody said that they are no entries, by ts."""
        rows = self.rows("SELECT ts FROM dismissals WHERE team = ? AND channel = ?", team, channel)
        return {row["ts"] for row in rows}

    def open_tasks(self, team: str, person: str = "") -> list[OpenTask]:
        """The action items of a workspace that are to be done, those that one person hears of or all."""
        rows = self.rows(
            "SELECT t.*, i.severity FROM open_tasks t JOIN incidents i ON i.key = t.incident "
            "WHERE t.team = ? AND (? = '' OR t.person = ?) ORDER BY t.incident, t.number",
            team,
            person,
            person,
        )
        return [_open_task(row) for row in rows]

    def told_of_tasks(self, team: str, person: str) -> tuple[date, bool] | None:
        """The day on which somebody was told of their action items, and whether they want to be; None for nobody."""
        row = self.row("SELECT told_on, wanted FROM digests WHERE team = ? AND person = ?", team, person)
        return (date.fromisoformat(row["told_on"]), bool(row["wanted"])) if row else None

    def without_timer(self, about: str, furthest: datetime) -> list[tuple[str, str]]:
        """Workspace and key of those who have action items and for whom no letter about `about`/workspace/key waits
        that is due by `furthest`."""
        rows = self.rows(
            "SELECT DISTINCT t.team, t.person FROM open_tasks t WHERE NOT EXISTS (SELECT 1 FROM letters l "
            "WHERE l.about = ? || '/' || t.team || '/' || t.person AND l.state IN ('waiting', 'leased') "
            "AND l.due_at <= ?) ORDER BY t.team, t.person",
            about,
            iso(furthest),
        )
        return [(row["team"], row["person"]) for row in rows]

    def going_on(self, team: str) -> list[Place]:
        """The incidents that are going on, newest first."""
        rows = self.rows(
            "SELECT * FROM incidents WHERE team = ? AND status IN ('open', 'mitigated') ORDER BY number DESC", team
        )
        return [_place(row) for row in rows]

    def unpublished(self, team: str, most: int) -> list[Place]:
        """The newest resolved incidents whose postmortem is not published."""
        rows = self.rows(
            "SELECT * FROM incidents i WHERE team = ? AND status = 'resolved' AND NOT EXISTS (SELECT 1 FROM events e "
            f"WHERE e.incident = i.key AND {AT_THE_END} AND e.name = 'published') ORDER BY number DESC LIMIT ?",
            team,
            most,
        )
        return [_place(row) for row in rows]

    def over_since(self, team: str, since: datetime) -> list[Place]:
        """The resolved incidents that were resolved or published since, newest first."""
        rows = self.rows(
            "SELECT * FROM incidents i WHERE team = ? AND status = 'resolved' AND EXISTS (SELECT 1 FROM events e "
            f"WHERE e.incident = i.key AND {AT_THE_END} AND e.recorded_at >= ?) ORDER BY number DESC",
            team,
            iso(since),
        )
        return [_place(row) for row in rows]

    def naming(self, incidents: Iterable[int], person: str, names: Sequence[str] = ()) -> set[int]:
        """Of these incidents, those with an event that names the person with that key and was not taken back.

        Of all events, or of those of these names.
        """
        rows = self.rows(
            "SELECT i.value AS incident FROM json_each(?) i WHERE EXISTS (SELECT 1 FROM events e "
            "WHERE e.incident = i.value AND instr(e.facts, ?) > 0 "
            "AND (? = '[]' OR e.name IN (SELECT value FROM json_each(?))) "
            "AND NOT EXISTS (SELECT 1 FROM events u WHERE u.incident = e.incident AND u.seq > e.seq "
            "AND u.name = 'undone' AND json_extract(u.facts, '$.seq') = e.seq))",
            json.dumps(sorted(set(incidents))),
            json.dumps(person),
            *[json.dumps(sorted(names))] * 2,
        )
        return {row["incident"] for row in rows}

    def homes(self, team: str) -> list[HomeTab]:
        """The Home tabs that were opened."""
        return [_home(row) for row in self.rows("SELECT * FROM homes WHERE team = ? ORDER BY slack_user", team)]

    def home(self, team: str, user: str) -> HomeTab | None:
        """The Home tab of a person, by Slack id, where they opened it."""
        row = self.row("SELECT * FROM homes WHERE team = ? AND slack_user = ?", team, user)
        return _home(row) if row else None

    def has_homes(self, team: str) -> bool:
        """Whether anybody opened their Home tab."""
        return self.row("SELECT 1 FROM homes WHERE team = ? LIMIT 1", team) is not None

    def texts(self, incidents: Sequence[int], names: Sequence[str]) -> dict[int, list[tuple[str, str]]]:
        """What was written in the events of these names, by incident: as it was recorded, corrected or not."""
        found: dict[int, list[tuple[str, str]]] = {key: [] for key in incidents}
        for key in incidents:
            rows = self.rows(
                "SELECT e.name, w.words FROM events e JOIN words w ON w.incident = e.incident AND w.seq = e.seq "
                f"WHERE e.incident = ? AND e.name IN ({', '.join('?' for _ in names)})",
                key,
                *names,
            )
            found[key] = [(row["name"], text) for row in rows for text in _texts(row["words"])]
        return found

    def glance(self, now: datetime) -> Glance:
        """How many letters have not left but for timers, since when the oldest should, how many incidents are on."""
        counts = {"waiting": 0, "leased": 0, "parked": 0}
        for row in self.rows(
            "SELECT state, count(*) AS letters FROM letters WHERE state IN ('waiting', 'leased', 'parked') "
            f"{NOT_TIMERS} GROUP BY 1"
        ):
            counts[row["state"]] = row["letters"]
        late = self.row(
            "SELECT min(coalesce(first_due_at, due_at)) AS since FROM letters WHERE state IN ('waiting', 'leased') "
            f"{NOT_TIMERS}"
        )
        on = self.row("SELECT count(*) AS incidents FROM incidents WHERE status IN ('open', 'mitigated')")
        assert late is not None
        assert on is not None
        oldest = parse_utc(late["since"]) if late["since"] else None
        return Glance(
            waiting=counts["waiting"],
            in_hand=counts["leased"],
            parked=counts["parked"],
            oldest=oldest if oldest and oldest <= now else None,
            open=on["incidents"],
        )

    def letters(self, state: str, incident: int | None = None, kinds: Sequence[str] = ()) -> list[tuple[Letter, str]]:
        """The letters in a state ("waiting", "leased", "sent", "parked", "dropped") with what went wrong last.

        Those of one incident or all, of these kinds or all.
        """
        values: list[Any] = [state]
        sql = "SELECT * FROM letters WHERE state = ?"
        if incident is not None:
            sql += " AND incident = ?"
            values.append(incident)
        if kinds:
            sql += f" AND kind IN ({', '.join('?' for _ in kinds)})"
            values.extend(kinds)
        return [(_letter(row), row["error"]) for row in self.rows(f"{sql} ORDER BY key", *values)]

    def is_waiting(self, about: str) -> bool:
        """Whether a letter about this waits to leave."""
        return self.row("SELECT 1 FROM letters WHERE about = ? AND state = 'waiting' LIMIT 1", about) is not None

    def to_send(self, now: datetime) -> tuple[int, bool] | None:
        """The next letter that is due and not held back by one before it in its lane: its key, whether it is unsure.

        A lease that ran out (the process died while sending) counts as due.
        """
        row = self.row(
            "SELECT l.key, l.unsure FROM letters l WHERE l.state IN ('waiting', 'leased') AND l.due_at <= ? "
            f"AND (l.state = 'waiting' OR (l.state = 'leased' AND l.leased_until <= ?)) AND {NOT_HELD_BACK} "
            "ORDER BY l.due_at, l.key LIMIT 1",
            iso(now),
            iso(now),
        )
        return (row["key"], bool(row["unsure"])) if row else None

    def is_due_after(self, at: datetime) -> bool:
        """Whether a letter that is no timer waits for a time after this one."""
        after = f"SELECT 1 FROM letters WHERE state IN ('waiting', 'leased') AND due_at > ? {NOT_TIMERS} LIMIT 1"
        return self.row(after, iso(at)) is not None


class Writing(Reading):
    """What can be written, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection, secret: bytes, randomness: Callable[[int], bytes]) -> None:
        super().__init__(connection)
        self.destroyed = False
        self._secret = secret
        self._random = randomness

    def _run(self, sql: str, *values: Any) -> int:
        return self._connection.execute(sql, values).rowcount

    # ---- requests and offers ---------------------------------------------------------------------

    def remember(self, team: str, origin: str, outcome: JSON, now: datetime) -> None:
        """Keeps the outcome of a request, and lets go of those that nobody will send again."""
        self._run("INSERT INTO requests VALUES (?, ?, ?, ?)", team, origin, iso(now), _canonical(outcome))
        self._run("DELETE FROM requests WHERE heard_at < ?", iso(now - REQUEST_LIFE))
        self._run("DELETE FROM offers WHERE said_at < ?", iso(now - OFFER_LIFE))

    def make_offer(
        self,
        team: str,
        channel: str,
        by: str,
        line: str,
        said_at: datetime,
        choices: Sequence[Choice],
        mentions: JSON,
        incident: int | None = None,
    ) -> str:
        """Keeps a line until somebody taps a choice; gives the offer's key."""
        key = self._random(8).hex()
        listed = [asdict(choice) for choice in choices]
        self._run(
            "INSERT INTO offers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            key,
            team,
            channel,
            incident,
            by,
            line,
            iso(said_at),
            _canonical(listed),
            _canonical(mentions),
        )
        return key

    def take_offer(self, team: str, key: str, choice: int) -> None:
        """Marks an offer as taken; its line stands in the record now and is not kept twice."""
        self._run(
            "UPDATE offers SET chosen = ?, line = '', choices = '[]' WHERE team = ? AND key = ?", choice, team, key
        )

    # ---- incidents -------------------------------------------------------------------------------

    def open_incident(self, team: str, channel: str, *, private: bool, now: datetime) -> Place:
        """Makes room for a new incident with the next number of its workspace."""
        row = self.row("SELECT coalesce(max(number), 0) + 1 AS number FROM incidents WHERE team = ?", team)
        assert row is not None
        number = int(row["number"])
        seal = _seal(self._secret, team, number, 0, GENESIS)
        self._run(
            "INSERT INTO incidents (team, number, channel, private, opened_at, title, status, severity, seq, head, "
            "seal) VALUES (?, ?, ?, ?, ?, '', 'open', NULL, 0, ?, ?)",
            team,
            number,
            channel,
            int(private),
            iso(now),
            GENESIS,
            seal,
        )
        place = self.by_number(team, number)
        assert place is not None
        return place

    def append(self, place: Place, happened: Sequence[ev.Event]) -> list[int]:
        """Appends events to an incident's chain and gives their numbers in it.

        A head that somebody else sealed is not sealed anew by what comes after it: `verify` would find nothing then.
        """
        seq, head, seqs = place.seq, place.head, []
        before = self.row("SELECT team, number, seq, head, seal FROM incidents WHERE key = ?", place.key)
        assert before is not None
        for one in happened:
            seq += 1
            facts, said = ev.to_json(one)
            salt, words, listed = self._random(16).hex(), _canonical(said), _canonical(facts)
            digest = _digest(salt, words)
            head = _link(head, seq, one.name, listed, digest)
            self._run(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                place.key,
                seq,
                place.team,
                one.name,
                listed,
                digest,
                head,
                facts["recorded_at"],
            )
            self._run(
                "INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)",
                place.key,
                seq,
                place.team,
                facts.get("entry"),
                salt,
                words,
            )
            seqs.append(seq)
        ours = _is_ours(self._secret, before)
        seal = _seal(self._secret, place.team, place.number, seq, head) if ours else before["seal"]
        self._run("UPDATE incidents SET seq = ?, head = ?, seal = ? WHERE key = ?", seq, head, seal, place.key)
        return seqs

    def reseal(self) -> int:
        """Seals every head with our secret, whoever sealed it before; gives how many there are."""
        rows = list(self.rows("SELECT key, team, number, seq, head FROM incidents"))
        for row in rows:
            seal = _seal(self._secret, row["team"], row["number"], row["seq"], row["head"])
            self._run("UPDATE incidents SET seal = ? WHERE key = ?", seal, row["key"])
        return len(rows)

    def came_back(self, now: datetime) -> None:
        """The file is an earlier one that took the place of a later one, of which Slack has seen more than we know.

        So before anything is posted it is looked for, and no letter gets a number that the lost ones may have had:
        posts are found again by it. A timer that is still to ring has told nobody yet.
        """
        self._run(
            "UPDATE letters SET state = 'waiting', lease = NULL, leased_until = NULL, "
            f"unsure = (unsure OR NOT (due_at > ? AND kind IN ({TIMER_KINDS}))) WHERE state IN ('waiting', 'leased')",
            iso(now),
        )
        self._run(
            "INSERT OR IGNORE INTO receipts (incident, target, team, revision, receipt) "
            "SELECT key, ?, team, 0, '{}' FROM incidents",
            CAME_BACK,
        )
        self._run(
            "INSERT INTO letters (key, team, lane, kind, body, blocking, due_at, state, settled_at) "
            "SELECT coalesce(max(key), 0) + ?, '', 'workspace', ?, '{}', 0, ?, 'dropped', ? FROM letters",
            SKIPPED,
            CAME_BACK,
            iso(now),
            iso(now),
        )

    def summarise(self, incident: int, *, title: str, status: str, severity: int | None) -> None:
        """Repeats for lists what the record says."""
        self._run(
            "UPDATE incidents SET title = ?, status = ?, severity = ? WHERE key = ?", title, status, severity, incident
        )

    def move(self, place: Place, channel: str) -> None:
        """The incident is told in another channel from now on, and is as private as that one is known to be."""
        known = self.channel(place.team, channel).private
        self._run(
            "UPDATE incidents SET origin = coalesce(origin, channel), channel = ?, private = ? WHERE key = ?",
            channel,
            int(known is not False),
            place.key,
        )

    def wipe(self) -> None:
        """Has what was overwritten or deleted taken out of the files when this transaction ends."""
        self.destroyed = True

    def destroy_words(self, incident: int, seqs: Sequence[int]) -> None:
        """Destroys what people wrote in these events, here and in offers that repeat it; the chain stays whole."""
        self.destroyed = True
        texts: set[str] = set()
        for seq in seqs:
            row = self.row("SELECT words FROM words WHERE incident = ? AND seq = ?", incident, seq)
            texts.update(_texts(row["words"]) if row else ())
            self._run("DELETE FROM words WHERE incident = ? AND seq = ?", incident, seq)
        self._forget_offers(incident, texts, set(seqs))
        self._forget_quotes(incident, texts)

    def _forget_offers(self, incident: int, texts: Iterable[str], seqs: Set[int]) -> None:
        offers = self.rows(
            "SELECT o.key, o.line, o.choices, o.incident = i.number AS own FROM offers o "
            "JOIN incidents i ON i.team = o.team WHERE i.key = ?",
            incident,
        )
        for row in list(offers):
            choices = json.loads(row["choices"])
            said = "\n".join([row["line"], *(choice["line"] for choice in choices)])
            brings_back = row["own"] and any(choice["undoes"] in seqs for choice in choices)
            if brings_back or any(text == row["line"] or (len(text) >= REPEATED and text in said) for text in texts):
                self._run("DELETE FROM offers WHERE key = ?", row["key"])

    def _forget_quotes(self, incident: int, texts: Iterable[str]) -> None:
        """Refusals that quoted a text (a title, most of all) are kept without it."""
        quoted = [text for text in texts if len(text) >= REPEATED]
        requests = self.rows(
            "SELECT r.origin, r.outcome FROM requests r JOIN incidents i ON i.team = r.team WHERE i.key = ?", incident
        )
        for row in list(requests) if quoted else ():
            outcome = json.loads(row["outcome"])
            for name in {"message", "hint"} & outcome.keys():
                for text in quoted:
                    outcome[name] = outcome[name].replace(text, GONE)
            kept = _canonical(outcome)
            if kept != row["outcome"]:
                self._run(
                    "UPDATE requests SET outcome = ? WHERE origin = ? AND team = "
                    "(SELECT team FROM incidents WHERE key = ?)",
                    kept,
                    row["origin"],
                    incident,
                )

    # ---- people, channels, workspaces ------------------------------------------------------------

    def know(self, team: str, user: str, name: str = "") -> Person:
        """The person with that Slack id, made known with a random key where they were not."""
        found = self.person(team, user)
        if found is None:
            key = "p" + self._random(8).hex()
            self._run("INSERT INTO people VALUES (?, ?, ?, ?, NULL, NULL)", key, team, user, name or user)
            return Person(key, team, user, name or user)
        if name and found.name == user:
            self._run("UPDATE people SET name = ? WHERE key = ?", name, found.key)
            return replace(found, name=name)
        return found

    def learn_person(self, team: str, user: str, *, name: str, zone: str | None, now: datetime) -> None:
        """Keeps name and zone as Slack knows them; an earlier name stays that of the time until now."""
        known = self.know(team, user, name)
        self._run(
            "UPDATE people SET name = ?, zone = coalesce(?, zone), learned_at = ? WHERE key = ?",
            name,
            zone,
            iso(now),
            known.key,
        )
        since = iso(now) if known.learned_at else ""
        if self._called(known.key, iso(now)) != name:
            self._run("INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?)", known.key, since, team, name)

    def learn_channel(self, found: Channel) -> None:
        """Keeps what was learned of a channel; None leaves what was known. Its incidents become as private as it is."""
        self._run("INSERT OR IGNORE INTO channels (team, channel, name) VALUES (?, ?, '')", found.team, found.channel)
        self._run(
            "UPDATE channels SET name = coalesce(?, name), private = coalesce(?, private), "
            "member = coalesce(?, member), archived = coalesce(?, archived), shared = coalesce(?, shared), "
            "looked_at = coalesce(?, looked_at) WHERE team = ? AND channel = ?",
            found.name or None,
            found.private,
            found.member,
            found.archived,
            found.shared,
            iso(found.looked_at) if found.looked_at else None,
            found.team,
            found.channel,
        )
        if found.private is not None:
            self._run(
                "UPDATE incidents SET private = ? WHERE team = ? AND channel = ?",
                int(found.private),
                found.team,
                found.channel,
            )

    def learn_installation(self, found: Installation, now: datetime) -> None:
        """Keeps which workspace the bot token belongs to."""
        self._run(
            "INSERT INTO teams VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (team) DO UPDATE SET name = excluded.name, "
            "bot_user = excluded.bot_user, bot_id = excluded.bot_id, url = excluded.url, "
            "learned_at = excluded.learned_at",
            found.team,
            found.name,
            found.bot_user,
            found.bot_id,
            found.url,
            iso(now),
        )

    # ---- documents and letters -------------------------------------------------------------------

    def revise(self, place: Place, upto: int) -> tuple[int, bool]:
        """The revision that will reach to event `upto`, and whether it is a new one.

        The newest one is moved on as long as nothing of it has left, and stays while there is nothing new; else there
        is another.
        """
        row = self.row("SELECT * FROM revisions WHERE incident = ? ORDER BY revision DESC LIMIT 1", place.key)
        if row is not None and (not row["pinned"] or row["upto"] >= upto):
            upto = max(upto, row["upto"])  # what a revision reaches to never goes back
            self._run(
                "UPDATE revisions SET upto = ? WHERE incident = ? AND revision = ?", upto, place.key, row["revision"]
            )
            return row["revision"], False
        revision = row["revision"] + 1 if row else 1
        self._run(
            "INSERT INTO revisions (incident, revision, team, upto) VALUES (?, ?, ?, ?)",
            place.key,
            revision,
            place.team,
            upto,
        )
        return revision, True

    def pin(self, incident: int, revision: int) -> None:
        """From now on this revision never reaches further, and calls people what they are called now."""
        found = self.revision(incident, revision)
        if found is None or self.names_of(incident, revision) is not None:
            return
        names = self.names_in(self.stored(incident, upto=found.upto))
        self._run(
            "UPDATE revisions SET pinned = 1, names = ? WHERE incident = ? AND revision = ?",
            _canonical(names),
            incident,
            revision,
        )

    def forget_unsent_revision(self, incident: int) -> None:
        """Takes back a revision of which nothing has left."""
        self._run("DELETE FROM revisions WHERE incident = ? AND pinned = 0", incident)

    def keep_receipt(self, place: Place, target: str, revision: int, receipt: JSON) -> None:
        """Keeps where the document stands."""
        self._run(
            "INSERT INTO receipts VALUES (?, ?, ?, ?, ?) ON CONFLICT (incident, target) DO UPDATE SET "
            "revision = excluded.revision, receipt = excluded.receipt",
            place.key,
            target,
            place.team,
            revision,
            _canonical(receipt),
        )

    def forget_receipt(self, incident: int, target: str) -> None:
        """The document is there no more."""
        self._run("DELETE FROM receipts WHERE incident = ? AND target = ?", incident, target)

    def enqueue(self, letters: Iterable[Letter]) -> None:
        """Puts letters into the outbox."""
        for letter in letters:
            if letter.about:  # what it says is newer: an earlier one that still waits need not leave any more
                self._run(
                    "UPDATE letters SET state = 'dropped', settled_at = due_at WHERE about = ? AND state = 'waiting'",
                    letter.about,
                )
            self._run(
                "INSERT INTO letters (team, lane, incident, kind, body, blocking, due_at, about) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                letter.team,
                letter.lane,
                letter.incident,
                letter.kind,
                _canonical(letter.body),
                int(letter.blocking),
                iso(letter.due_at),
                letter.about or None,
            )

    def keep_file(self, place: Place, digest: str, media_type: str, content: bytes) -> None:
        """Keeps the bytes of a file with an incident, once however often it was attached."""
        self._run(
            "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?)", place.key, digest, place.team, media_type, content
        )

    def destroy_files(self, incident: int, digests: Iterable[str]) -> None:
        """Destroys the bytes of files, also where they lay on the disk."""
        for digest in digests:
            if self._run("DELETE FROM files WHERE incident = ? AND digest = ?", incident, digest):
                self.destroyed = True

    def mark(self, mark: Mark) -> bool:
        """Keeps what was done to a message; False where what is kept of it happened later. Old marks go."""
        self._run("DELETE FROM marks WHERE marked_at < ?", iso(mark.at - MARK_LIFE))
        return bool(
            self._run(
                "INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (team, channel, ts, sign, holder) "
                "DO UPDATE SET slack_user = excluded.slack_user, marked_at = excluded.marked_at, done = (done AND "
                "stands = excluded.stands AND excluded.holder <> ''), stands = excluded.stands "
                "WHERE excluded.marked_at >= marks.marked_at",
                mark.team,
                mark.channel,
                mark.ts,
                mark.sign,
                mark.holder,
                mark.by,
                int(mark.stands),
                iso(mark.at),
            )
        )

    def marks_done(self, marks: Iterable[Mark]) -> None:
        """The record says what these marks said; one that has changed since is still to be looked at."""
        for mark in marks:
            self._run(
                "UPDATE marks SET done = 1 WHERE team = ? AND channel = ? AND ts = ? AND sign = ? AND holder = ? "
                "AND stands = ? AND marked_at = ?",
                mark.team,
                mark.channel,
                mark.ts,
                mark.sign,
                mark.holder,
                int(mark.stands),
                iso(mark.at),
            )

    def keep_captured(self, captured: Captured) -> None:
        """Keeps which entry was made from a message, or what became of that since."""
        self._run(
            "INSERT OR REPLACE INTO captured VALUES (?, ?, ?, ?, ?, ?, ?)",
            captured.team,
            captured.channel,
            captured.ts,
            captured.incident,
            captured.entry,
            int(captured.marked),
            captured.followed,
        )

    def keep_nudge(self, place: Place, what: str, now: datetime) -> None:
        """Keeps that people were reminded of something, so that it is said once."""
        self._run("INSERT OR IGNORE INTO nudges VALUES (?, ?, ?, ?)", place.key, what, place.team, iso(now))

    def keep_home(self, tab: HomeTab) -> None:
        """Keeps that somebody opened their Home tab, and what is shown there."""
        self._run(
            "INSERT INTO homes VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (team, slack_user) DO UPDATE SET "
            "channel = excluded.channel, opened_at = excluded.opened_at, sees = excluded.sees, "
            "shown_at = excluded.shown_at, said = excluded.said",
            tab.team,
            tab.user,
            tab.channel,
            iso(tab.opened_at),
            tab.sees,
            iso(tab.shown_at) if tab.shown_at else None,
            tab.said,
        )

    def forget_home(self, team: str, user: str) -> None:
        """A Home tab is kept up to date no more."""
        self._run("DELETE FROM homes WHERE team = ? AND slack_user = ?", team, user)

    def keep(self, team: str, said: Said, now: datetime) -> None:
        """Keeps a message; of several states of it, in whichever order they come, the one that was edited last."""
        self._run(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (team, channel, ts) DO UPDATE "
            "SET text = excluded.text, files = excluded.files, edited = excluded.edited "
            "WHERE excluded.edited > messages.edited AND messages.text <> ''",
            team,
            said.channel,
            said.ts,
            said.thread,
            said.author,
            int(said.program),
            said.files,
            said.text,
            said.edited,
            iso(now),
        )

    def forget_kept(self, team: str, channel: str, ts: str, now: datetime | None = None) -> None:
        """Forgets a message; only that it was there is kept, so that Slack cannot bring it again.

        `now` is when it was told, to note that of a message that is not kept.
        """
        if now is not None:
            self._run(
                "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, '', '', 0, 0, '', '', ?)", team, channel, ts, iso(now)
            )
        self._run(
            "UPDATE messages SET text = '', author = '', files = 0 WHERE team = ? AND channel = ? AND ts = ?",
            team,
            channel,
            ts,
        )

    def purge_kept(self, before: datetime | None) -> int:
        """Destroys the messages that were kept before that, or all; gives how many there were."""
        gone = self._run("DELETE FROM messages WHERE kept_at <= ?", iso(before) if before else "9")
        if gone:
            self.wipe()
        return gone

    def dismiss(self, team: str, channel: str, ts: str, user: str, now: datetime) -> None:
        """Keeps that somebody said of a message that it is no entry."""
        self._run("INSERT OR IGNORE INTO dismissals VALUES (?, ?, ?, ?, ?)", team, channel, ts, user, iso(now))

    def keep_open_tasks(self, place: Place, found: Sequence[OpenTask], numbers: Sequence[int] | None = None) -> None:
        """Lists the action items of an incident that are to be done: of those with these numbers, or of all."""
        if numbers is None:
            self._run("DELETE FROM open_tasks WHERE incident = ?", place.key)
        for number in numbers or ():
            self._run("DELETE FROM open_tasks WHERE incident = ? AND number = ?", place.key, number)
        for task in found:
            self._run(
                "INSERT INTO open_tasks VALUES (?, ?, ?, ?, ?, ?, ?)",
                place.key,
                task.number,
                place.team,
                task.person,
                task.due.isoformat() if task.due else None,
                task.added_on.isoformat(),
                int(task.reminded),
            )

    def keep_told_of_tasks(self, team: str, person: str, on: date) -> None:
        """Keeps the day on which somebody was told of their action items."""
        self._run(
            "INSERT INTO digests (team, person, told_on) VALUES (?, ?, ?) "
            "ON CONFLICT (team, person) DO UPDATE SET told_on = excluded.told_on",
            team,
            person,
            on.isoformat(),
        )

    def want_to_be_told_of_tasks(self, team: str, person: str, wanted: bool, today: date) -> None:
        """Keeps whether somebody wants to be told of their action items; `today` counts where nothing is kept yet."""
        self._run(
            "INSERT INTO digests VALUES (?, ?, ?, ?) ON CONFLICT (team, person) DO UPDATE SET wanted = excluded.wanted",
            team,
            person,
            today.isoformat(),
            int(wanted),
        )

    def postpone(self, incident: int, kinds: Sequence[str], due_at: datetime) -> int:
        """Makes the untried letters of these kinds leave at another time; gives how many there were."""
        marks = ", ".join("?" for _ in kinds)
        return self._run(
            "UPDATE letters SET due_at = ? WHERE incident = ? AND state = 'waiting' AND attempts = 0 "
            f"AND kind IN ({marks})",
            iso(due_at),
            incident,
            *kinds,
        )

    def drop(self, incident: int, kinds: Sequence[str]) -> int:
        """Takes back the waiting letters of these kinds; gives how many there were."""
        marks = ", ".join("?" for _ in kinds)
        return self._run(
            "UPDATE letters SET state = 'dropped', settled_at = due_at WHERE incident = ? AND state = 'waiting' "
            f"AND kind IN ({marks})",
            incident,
            *kinds,
        )

    def lease(self, now: datetime, seconds: float) -> Letter | None:
        """Takes the next letter that is to be sent; None when there is none. A lease that ran out is taken anew."""
        found = self.to_send(now)
        if found is None:
            return None
        key, unsure = found
        lease = self._random(8).hex()
        won = self._run(
            "UPDATE letters SET state = 'leased', lease = ?, leased_until = ?, attempts = attempts + 1, unsure = 1 "
            "WHERE key = ? "
            "AND (state = 'waiting' OR (state = 'leased' AND leased_until <= ?))",
            lease,
            iso(now + timedelta(seconds=seconds)),
            key,
            iso(now),
        )
        taken = self.row("SELECT * FROM letters WHERE key = ?", key)
        return replace(_letter(taken), unsure=unsure) if won and taken else None

    def bring_forward(self, now: datetime, furthest: timedelta, seconds: float) -> int:
        """What was put off or taken by a clock that has been put back since goes by this one; gives how much it was.

        Letters that are due further from now than `furthest` leave as many seconds apart as they would have, the first
        of them now. A lease that lasts longer lasts `seconds` from now: whoever holds it may still be at it.
        """
        limit = iso(now + furthest)
        leases = self._run(
            "UPDATE letters SET leased_until = ? WHERE state = 'leased' AND leased_until > ?",
            iso(now + timedelta(seconds=seconds)),
            limit,
        )
        ahead = (
            f"SELECT key, due_at FROM letters WHERE state IN ('waiting', 'leased') AND due_at > ? {NOT_TIMERS} "
            "ORDER BY due_at"
        )
        put_off = [(row["key"], parse_utc(row["due_at"])) for row in self.rows(ahead, limit)]
        for key, due in put_off:
            self._run("UPDATE letters SET due_at = ? WHERE key = ?", iso(now + (due - put_off[0][1])), key)
        return leases + len(put_off)

    def renew(self, letter: Letter, until: datetime) -> bool:
        """Holds a lease for longer; False where it ran out and somebody else took the letter since."""
        held = self._run(
            "UPDATE letters SET leased_until = ? WHERE key = ? AND state = 'leased' AND attempts = ?",
            iso(until),
            letter.key,
            letter.attempts,
        )
        return held == 1

    def settle(self, letter: Letter, state: str, now: datetime, error: str = "") -> bool:
        """The letter is "sent", "parked" (with the reason) or "dropped".

        False where the lease ran out and somebody else took the letter since: then it is theirs to settle.
        """
        self._run("DELETE FROM letters WHERE state IN ('sent', 'dropped') AND settled_at < ?", iso(now - LETTER_LIFE))
        settled = self._run(
            "UPDATE letters SET state = ?, error = ?, settled_at = ?, lease = NULL, leased_until = NULL "
            "WHERE key = ? AND state = 'leased' AND attempts = ?",
            state,
            error,
            iso(now),
            letter.key,
            letter.attempts,
        )
        return settled == 1

    def again(self, letter: Letter, due_at: datetime, error: str, *, unsure: bool = True) -> bool:
        """The letter will be tried again; False as with `settle`. `unsure`: this try may have arrived all the same."""
        put_back = self._run(
            "UPDATE letters SET state = 'waiting', first_due_at = coalesce(first_due_at, due_at), due_at = ?, "
            "error = ?, unsure = ?, lease = NULL, leased_until = NULL "
            "WHERE key = ? AND state = 'leased' AND attempts = ?",
            iso(due_at),
            error,
            int(unsure or letter.unsure),
            letter.key,
            letter.attempts,
        )
        return put_back == 1

    def free(self) -> int:
        """Puts back every letter that is in hand; gives how many there were. For when nobody can have one in hand."""
        return self._run(
            "UPDATE letters SET state = 'waiting', lease = NULL, leased_until = NULL WHERE state = 'leased'"
        )

    def send_again(self, now: datetime, incident: int | None = None) -> int:
        """Puts parked letters back into the outbox, those of one incident or all; gives how many there were."""
        return self._run(
            "UPDATE letters SET state = 'waiting', attempts = 1, due_at = ?, settled_at = NULL WHERE state = 'parked' "
            "AND (? IS NULL OR incident = ?)",
            iso(now),
            incident,
            incident,
        )

    def wake(self, team: str, channel: str, now: datetime) -> None:
        """What waits for a channel, or was parked because of it, is tried again now."""
        self._run(
            "UPDATE letters SET state = 'waiting', due_at = min(due_at, ?) WHERE (state = 'parked' OR (state = "
            "'waiting' AND attempts > 0)) AND (lane = ? OR incident IN "
            "(SELECT key FROM incidents WHERE team = ? AND channel = ?))",
            iso(now),
            f"{team}/{channel}",
            team,
            channel,
        )


def _place(row: sqlite3.Row) -> Place:
    return Place(
        key=row["key"],
        team=row["team"],
        number=row["number"],
        channel=row["channel"],
        private=bool(row["private"]),
        seq=row["seq"],
        head=row["head"],
        title=row["title"],
        status=row["status"],
        severity=row["severity"],
        opened_at=parse_utc(row["opened_at"]),
        origin=(row["origin"] if "origin" in row.keys() else "") or "",  # noqa: SIM118  an earlier schema has none
    )


def _open_task(row: sqlite3.Row) -> OpenTask:
    due = date.fromisoformat(row["due"]) if row["due"] else None
    added_on = date.fromisoformat(row["added_on"])
    severity, reminded = row["severity"] or 0, bool(row["reminded"])
    return OpenTask(row["incident"], row["number"], row["person"], due, added_on, severity, reminded)


def _keys(facts: JSON) -> set[str]:
    """The keys of everybody whom a stored event names."""
    return {str(facts.get(field, "")) for field in ("by", "person", "author")} | set(facts.get("asked", ()))


def _home(row: sqlite3.Row) -> HomeTab:
    shown_at = parse_utc(row["shown_at"]) if row["shown_at"] else None
    opened_at = parse_utc(row["opened_at"])
    return HomeTab(row["team"], row["slack_user"], row["channel"], opened_at, row["sees"], shown_at, row["said"])


def _said(row: sqlite3.Row) -> Said:
    return Said(
        row["channel"],
        row["ts"],
        row["author"],
        row["text"],
        row["thread"],
        bool(row["program"]),
        row["files"],
        row["edited"],
    )


def _person(row: sqlite3.Row) -> Person:
    learned_at = parse_utc(row["learned_at"]) if row["learned_at"] else None
    return Person(row["key"], row["team"], row["slack_user"], row["name"], row["zone"], learned_at)


def _letter(row: sqlite3.Row) -> Letter:
    return Letter(
        kind=row["kind"],
        team=row["team"],
        lane=row["lane"],
        body=json.loads(row["body"]),
        due_at=parse_utc(row["due_at"]),
        incident=row["incident"],
        blocking=bool(row["blocking"]),
        key=row["key"],
        attempts=row["attempts"],
        about=row["about"] or "",
    )
