"""The record on disk: real files, real threads, real processes."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core import events as ev
from bot.core.errors import Choice, Refusal, Unrecorded
from bot.core.record import Channel, Installation, Letter, Offer, Place, Revision
from bot.core.times import iso
from bot.store import GENESIS, PATIENCE, Finding, Reading, Store, Writing
from bot.workspace.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "migrations"
SECRET = b"a secret that opens nothing"
TEAM = "T0SCRIBE"
CHANNEL = "C1"
NOW = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def open_at(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Opens a store; called again it opens the same file once more, as another process would."""
    opened: list[Store] = []

    def build(path: Path = tmp_path / "scribe.db", migrations: Path = MIGRATIONS) -> Store:
        opened.append(Store(path, migrations=migrations, secret=SECRET, randomness=os.urandom))
        return opened[-1]

    yield build
    for store in opened:
        store.close()


@pytest.fixture
def store(open_at: Callable[..., Store]) -> Store:
    made = open_at()
    made.migrate()
    return made


def noted(entry: int, text: str = "CPU is at 100 %") -> ev.Noted:
    return ev.Noted(by="p1", recorded_at=NOW, entry=entry, at=NOW, text=text)


def opened(
    store: Store, title: str = "Checkout fails", *, channel: str = CHANNEL, private: bool = False, team: str = TEAM
) -> Place:
    """An incident with its first event."""
    with store.writing() as tx:
        place = tx.open_incident(team, channel, private=private, now=NOW)
        started = ev.Started(
            by="p1",
            recorded_at=NOW,
            entry=1,
            at=NOW,
            text=title,
            severity=None,
            drill=False,
            onset=NOW,
            onset_approx=False,
        )
        tx.append(place, [started])
        tx.summarise(place.key, title=title, status="open", severity=None)
        return now_of(tx, place)


def now_of(tx: Reading, place: Place) -> Place:
    found = tx.by_key(place.key)
    assert found is not None
    return found


def record(store: Store, place: Place, *happened: ev.Event) -> list[int]:
    with store.writing() as tx:
        return tx.append(now_of(tx, place), happened)


def tamper(store: Store, *statements: str) -> None:
    """Changes the file behind the program's back."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement


def in_files(store: Store, text: str) -> list[str]:
    """The files of the database in which a text stands."""
    return [p.name for p in store.path.parent.glob(f"{store.path.name}*") if text.encode() in p.read_bytes()]


def together(program: str, *arguments: Sequence[str]) -> list[str]:
    """Starts Python processes, lets them go at one moment, gives what each printed."""
    lines = "import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n" + program
    started = [
        subprocess.Popen(
            [sys.executable, "-c", lines, *map(str, one)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in arguments
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    printed = []
    for one in started:
        out, err = one.communicate(timeout=60)
        assert (one.returncode, err) == (0, "")
        printed.append(out)
    return printed


# ---- schema --------------------------------------------------------------------------------------


def tables(path: Path) -> dict[str, tuple[bool, set[str]]]:
    """Whether each table is STRICT, and its columns; without the ledger, which is sqlite-utils' own."""
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("PRAGMA table_list").fetchall()
        return {
            name: (bool(strict), {row[1] for row in connection.execute(f"PRAGMA table_info({name})")})
            for schema, name, kind, _, _, strict in listed
            if schema == "main" and kind == "table" and not name.startswith(("sqlite_", "_sqlite_"))
        }


def test_every_table_is_strict_and_every_row_belongs_to_a_workspace(store: Store) -> None:
    found = tables(store.path)
    assert len(found) >= 11
    assert [name for name, (strict, _) in found.items() if not strict] == []
    assert [name for name, (_, columns) in found.items() if "team" not in columns] == []


def test_a_connection_is_durable_checked_and_does_not_stand_in_the_way_of_readers(store: Store) -> None:
    with store.reading() as tx:
        row = tx.row(
            "SELECT (SELECT journal_mode FROM pragma_journal_mode) AS journal, "
            "(SELECT synchronous FROM pragma_synchronous) AS synchronous, "
            "(SELECT foreign_keys FROM pragma_foreign_keys) AS keys, "
            "(SELECT timeout FROM pragma_busy_timeout) AS busy, "
            "(SELECT secure_delete FROM pragma_secure_delete) AS secure"
        )
    assert row is not None
    assert tuple(row) == ("wal", 2, 1, 10_000, 1)


def test_migrating_twice_changes_nothing_the_second_time(store: Store, open_at: Callable[..., Store]) -> None:
    opened(store)
    assert store.migrate() == []
    assert open_at().migrate() == []
    with store.reading() as tx:
        assert [place.name for place in tx.all_places()] == ["INC-1"]


def test_migrating_names_what_was_applied(open_at: Callable[..., Store]) -> None:
    names = sorted(path.stem for path in MIGRATIONS.glob("m[0-9]*.py"))
    assert open_at().migrate() == names


STARTING = """
import os, pathlib
from bot.store import Store
store = Store(pathlib.Path(sys.argv[1]), migrations=pathlib.Path("migrations"), secret=b"s", randomness=os.urandom)
print(len(store.migrate()))
store.close()
"""


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    expected = len(list(MIGRATIONS.glob("m[0-9]*.py")))
    for turn in range(3):
        path = tmp_path / str(turn) / "scribe.db"
        printed = together(STARTING, *[[path]] * 3)
        assert sorted(map(int, printed)) == [0, 0, expected]
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone() == (expected,)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a program that is newer than this one."""
    folder = tmp_path / "newer"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "m9999_future.py").write_text(
        "def migrate(db):\n    db.execute('CREATE TABLE future (x INTEGER) STRICT')\n"
    )
    return folder


def test_a_file_of_a_newer_program_is_refused_and_left_alone(open_at: Callable[..., Store], newer: Path) -> None:
    ahead = open_at(migrations=newer)
    ahead.migrate()
    ahead.close()
    store = open_at()
    with pytest.raises(Refusal, match="newer Scribe") as refused:
        store.migrate()
    assert "m9999_future" in refused.value.message
    assert refused.value.hint
    assert "future" in tables(store.path)
    with ahead.writing() as tx:  # nothing is left open
        assert tx.all_places() == []


@pytest.mark.parametrize("content", [b"a letter to my aunt. " * 100, b"SQLite format 3\0" + b"x" * 4080])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, open_at: Callable[..., Store], content: bytes
) -> None:
    path = tmp_path / "aunt.db"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=r"aunt\.db cannot be opened"):
        open_at(path).migrate()
    assert path.read_bytes() == content


def test_a_migration_that_fails_leaves_the_file_as_it_was(open_at: Callable[..., Store], newer: Path) -> None:
    (newer / "m9999_future.py").write_text(
        "def migrate(db):\n    db.execute('CREATE TABLE future (x INTEGER) STRICT')\n    raise ValueError('broken')\n"
    )
    store = open_at(migrations=newer)
    with pytest.raises(ValueError, match="broken"):
        store.migrate()
    assert tables(store.path) == {}
    assert open_at().migrate() != []


def test_sqlite_utils_applies_the_same_folder_by_hand(tmp_path: Path, open_at: Callable[..., Store]) -> None:
    path = tmp_path / "by-hand.db"
    command = [sys.executable, "-m", "sqlite_utils", "migrate", str(path), str(MIGRATIONS)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    store = open_at(path)
    assert store.migrate() == []
    opened(store)
    other = open_at(tmp_path / "by-itself.db")
    other.migrate()
    assert tables(path) == tables(other.path)


# ---- transactions --------------------------------------------------------------------------------


def test_eight_threads_read_and_append_and_nothing_is_lost(store: Store) -> None:
    place = opened(store)
    failures: list[BaseException] = []
    go = threading.Barrier(8)

    def write(worker: int) -> None:
        try:
            go.wait()
            for turn in range(50):
                with store.writing() as tx:
                    here = tx.in_channel(TEAM, CHANNEL)
                    assert here is not None
                    last = tx.events(here.key, after=here.seq - 1)[-1]
                    assert isinstance(last, ev.Numbered)
                    tx.append(here, [noted(last.entry + 1, f"worker {worker} turn {turn}")])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.reading() as tx:
        happened = tx.events(place.key)
    assert [one.entry for one in happened if isinstance(one, ev.Numbered)] == list(range(1, 402))
    expected = sorted(f"worker {worker} turn {turn}" for worker in range(8) for turn in range(50))
    assert sorted(one.text for one in happened if isinstance(one, ev.Noted)) == expected
    assert store.verify() == (1, 401, [])


APPENDING = """
import os, pathlib
from datetime import UTC, datetime
from bot.core import events as ev
from bot.store import Store
store = Store(pathlib.Path(sys.argv[1]), migrations=pathlib.Path("migrations"), secret=sys.argv[2].encode(), \
randomness=os.urandom)
now = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)
for turn in range(40):
    with store.writing() as tx:
        place = tx.in_channel("T0SCRIBE", "C1")
        last = tx.events(place.key, after=place.seq - 1)[-1]
        text = f"{sys.argv[3]} {turn}"
        tx.append(place, [ev.Noted(by="p1", recorded_at=now, entry=last.entry + 1, at=now, text=text)])
store.close()
"""


def test_two_processes_write_to_one_database(store: Store) -> None:
    place = opened(store)
    together(APPENDING, *[[store.path, SECRET.decode(), name] for name in ("left", "right")])
    with store.reading() as tx:
        happened = [one for one in tx.events(place.key) if isinstance(one, ev.Numbered)]
    assert [one.entry for one in happened] == list(range(1, 82))
    for name in ("left", "right"):
        assert [one.text for one in happened if one.text.startswith(name)] == [f"{name} {turn}" for turn in range(40)]
    assert store.verify() == (1, 81, [])


def test_reading_sees_one_state_from_its_first_look_on(store: Store, open_at: Callable[..., Store]) -> None:
    place = opened(store)
    other = open_at()
    with store.reading() as tx:
        assert len(tx.events(place.key)) == 1
        record(other, place, noted(2))
        assert len(tx.events(place.key)) == 1
    with store.reading() as tx:
        assert len(tx.events(place.key)) == 2


def test_what_raised_leaves_nothing(store: Store) -> None:
    place = opened(store)

    def write_and_fail() -> None:
        with store.writing() as tx:
            tx.append(place, [noted(2)])
            tx.know(TEAM, "U1", "Ada")
            tx.remember(TEAM, "origin", {"kind": "refused"}, NOW)
            tx.enqueue([letter()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with store.reading() as tx:
        assert now_of(tx, place) == place
        assert len(tx.events(place.key)) == 1
        assert tx.person(TEAM, "U1") is None
        assert tx.heard(TEAM, "origin") is None
        assert tx.letters("waiting") == []
    assert store.verify() == (1, 1, [])


def test_a_full_disk_is_said_as_it_is_and_the_next_write_goes_on(store: Store) -> None:
    place = opened(store)
    connection = store._connection()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unrecorded, match="is full"):
        record(store, place, noted(2, "x" * 100_000))
    connection.execute("PRAGMA max_page_count=1000000")
    assert record(store, place, noted(2)) == [2]
    assert store.verify() == (1, 2, [])


def test_a_record_that_was_closed_opens_again(store: Store) -> None:
    place = opened(store)
    store.close()
    assert record(store, place, noted(2)) == [2]


@pytest.mark.parametrize("fresh", [False, True], ids=["a thread that has it open", "a new thread"])
@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_written_into_a_file_that_was_moved_away(store: Store, replaced: bool, fresh: bool) -> None:
    place = opened(store)
    files = [path for path in store.path.parent.iterdir() if path.name.startswith(store.path.name)]
    away = store.path.parent / "lost"
    away.mkdir()
    for path in files:
        path.rename(away / path.name)
    if replaced:
        shutil.copy(away / store.path.name, store.path)
    before = sorted(store.path.parent.glob("*.db*"))
    reason = "another file lies in the place" if replaced else "cannot be opened"
    said: list[str] = []

    def tried() -> None:
        with pytest.raises(Unrecorded, match=reason) as found:
            record(store, place, noted(2))
        said.append(found.value.reason)

    if fresh:
        thread = threading.Thread(target=tried)
        thread.start()
        thread.join()
    else:
        tried()
    assert said == [store.glance(NOW, 1.0).problem]
    assert sorted(store.path.parent.glob("*.db*")) == before  # nor is another one made
    for path in files:
        (away / path.name).rename(path)
    assert record(store, place, noted(2)) == [2]


def test_through_a_link_the_log_and_who_serves_are_found_where_the_file_is(
    open_at: Callable[..., Store], tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "scribe.db").symlink_to(tmp_path / "disk" / "scribe.db")
    linked = open_at()
    linked.migrate()
    record(linked, opened(linked), noted(2))  # what is recorded stands in the log still
    assert linked.serves_alone()
    assert not open_at(tmp_path / "disk" / "scribe.db").serves_alone()
    looking = Store(linked.path, migrations=MIGRATIONS, secret=SECRET, randomness=os.urandom, look_only=True)
    with closing(looking):
        assert looking.verify() == (1, 2, [])
        assert looking.is_served()


def test_what_was_committed_stands_though_the_file_cannot_be_wiped_because_it_is_damaged(
    open_at: Callable[..., Store], store: Store
) -> None:
    place = opened(store)
    record(store, place, noted(2, "the password is hunter2-hunter2"))
    connection = store._connection()
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'receipts'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    store.close()
    with store.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with store.writing() as tx:  # does not say that nothing was recorded
        tx.destroy_words(place.key, [2])
    with open_at().reading() as tx:
        assert tx.texts_gone(place.key, 2) == 1


# ---- the chain -----------------------------------------------------------------------------------


def test_append_builds_the_chain_that_the_design_describes(store: Store) -> None:
    place = opened(store)
    assert record(store, place, noted(2), noted(3, "two at once")) == [2, 3]
    with store.reading() as tx:
        rows = list(
            tx.rows("SELECT e.*, w.salt, w.words FROM events e JOIN words w USING (incident, seq) ORDER BY e.seq")
        )
        head = now_of(tx, place)
    before = GENESIS
    for row in rows:
        assert row["digest"] == hashlib.sha256(bytes.fromhex(row["salt"]) + row["words"].encode()).hexdigest()
        linked = "\n".join([before, str(row["seq"]), row["name"], row["facts"], row["digest"]])
        before = hashlib.sha256(linked.encode()).hexdigest()
        assert row["hash"] == before
    assert (head.seq, head.head) == (3, before)
    assert len({row["salt"] for row in rows}) == 3
    assert "two at once" not in rows[2]["facts"]


def test_events_are_read_by_their_place_in_the_chain(store: Store) -> None:
    place = opened(store)
    record(store, place, noted(2), noted(3), noted(4))
    with store.reading() as tx:
        numbers = [one.entry for one in tx.events(place.key, after=1, upto=3) if isinstance(one, ev.Numbered)]
        assert numbers == [2, 3]
        assert tx.events(place.key, after=4) == []


def test_a_place_that_is_no_longer_the_newest_cannot_fork_the_chain(store: Store) -> None:
    stale = opened(store)
    record(store, stale, noted(2))
    with pytest.raises(sqlite3.IntegrityError), store.writing() as tx:
        tx.append(stale, [noted(2, "a second number two")])
    assert store.verify() == (1, 2, [])


CHANGED = "the event does not fit the chain: it or the one before was changed"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        pytest.param(
            ["UPDATE words SET words = replace(words, 'three', 'four') WHERE seq = 3"],
            [(3, "the text was changed after it was recorded")],
            id="a changed text",
        ),
        pytest.param(
            ["UPDATE words SET salt = 'no salt' WHERE seq = 3"],
            [(3, "the text was changed after it was recorded")],
            id="a changed salt",
        ),
        pytest.param(
            ["UPDATE events SET facts = replace(facts, '\"p1\"', '\"p2\"') WHERE seq = 3"],
            [(3, CHANGED)],
            id="a changed fact",
        ),
        pytest.param(
            ['UPDATE events SET facts = replace(facts, \'"at":"2026\', \'"at":"2025\') WHERE seq = 3'],
            [(3, CHANGED)],
            id="a changed time",
        ),
        pytest.param(
            ["UPDATE events SET facts = '[' WHERE seq = 3"],
            [(3, CHANGED), (3, "the time of recording was changed")],
            id="facts that cannot be read",
        ),
        pytest.param(
            ["UPDATE events SET recorded_at = '2025-01-01T00:00:00.000000Z' WHERE seq = 3"],
            [(3, "the time of recording was changed")],
            id="a changed time of recording",
        ),
        pytest.param(
            ["UPDATE events SET name = 'action' WHERE seq = 3"],
            [(3, CHANGED)],
            id="a changed kind",
        ),
        pytest.param(
            ["DELETE FROM words WHERE seq = 3", "DELETE FROM events WHERE seq = 3"],
            [(3, "an event is missing from the chain"), (4, CHANGED)],
            id="a deleted event in the middle",
        ),
        pytest.param(
            ["DELETE FROM words WHERE seq = 5", "DELETE FROM events WHERE seq = 5"],
            [(4, "the chain ends at event 4, its head says 5"), (4, "the seal of the chain's head is not ours")],
            id="a deleted tail",
        ),
        pytest.param(
            [
                "DELETE FROM words WHERE seq = 5",
                "DELETE FROM events WHERE seq = 5",
                "UPDATE incidents SET seq = 4, head = (SELECT hash FROM events WHERE seq = 4)",
            ],
            [
                (4, "the seal of the chain's head is not ours"),
                (0, "its title in the list of incidents is not that of the record"),
            ],
            id="a deleted tail and a head that was moved",
        ),
        pytest.param(
            [
                "UPDATE events SET seq = -seq WHERE seq IN (3, 4)",
                "UPDATE events SET seq = 7 + seq WHERE seq < 0",
                "UPDATE words SET seq = -seq WHERE seq IN (3, 4)",
                "UPDATE words SET seq = 7 + seq WHERE seq < 0",
            ],
            [(3, CHANGED), (4, CHANGED), (5, CHANGED)],
            id="a swapped order",
        ),
        pytest.param(
            ["UPDATE incidents SET seal = 'ab' || substr(seal, 3)"],
            [(5, "the seal of the chain's head is not ours")],
            id="a forged seal",
        ),
        pytest.param(
            ["UPDATE incidents SET seal = 'Siegel ß'"],
            [(5, "the seal of the chain's head is not ours")],
            id="a seal that is no seal",
        ),
        pytest.param(
            ["UPDATE incidents SET number = 2"],
            [(0, "the incident is missing"), (5, "the seal of the chain's head is not ours")],
            id="a chain under another number",
        ),
        pytest.param(
            ["DELETE FROM words WHERE seq = 3"],
            [(3, "the text is gone and nobody redacted it")],
            id="a text removed without a redaction",
        ),
        pytest.param(
            ["DELETE FROM words WHERE seq = 5"],
            [(5, "the text is gone and nobody redacted it")],
            id="a text removed that belongs to no entry",
        ),
    ],
)
def test_verify_finds_what_was_changed_behind_the_programs_back(
    store: Store, statements: list[str], found: list[tuple[int, str]]
) -> None:
    place = opened(store)
    record(store, place, noted(2, "entry two"), noted(3, "entry three"), noted(4, "entry four"))
    record(store, place, ev.Retitled(by="p1", recorded_at=NOW, text="Checkout is down"))
    with store.writing() as tx:
        tx.summarise(place.key, title="Checkout is down", status="open", severity=None)
    assert store.verify() == (1, 5, [])
    tamper(store, *statements)
    findings = store.verify()[2]
    assert [(one.seq, one.problem) for one in findings] == found


def test_verify_finds_a_chain_that_somebody_without_the_secret_built_anew(store: Store, tmp_path: Path) -> None:
    forged = Store(tmp_path / "forged.db", migrations=MIGRATIONS, secret=b"another", randomness=os.urandom)
    forged.migrate()
    opened(forged)
    forged.close()
    store.close()
    shutil.copy(tmp_path / "forged.db", store.path)
    assert store.verify()[2] == [Finding("INC-1", 1, "the seal of the chain's head is not ours")]


def test_several_incidents_that_vanished_are_counted_in_each_workspace(store: Store) -> None:
    for team in ("T1", "T2"):
        for number in range(1, 5):
            opened(store, team=team, channel=f"C{number}")
    tamper(
        store,
        "DELETE FROM words WHERE incident IN (5, 6, 7)",
        "DELETE FROM events WHERE incident IN (5, 6, 7)",
        "DELETE FROM incidents WHERE key IN (5, 6, 7)",
    )
    assert store.verify() == (5, 5, [Finding("INC-1", 0, "3 incidents are missing from here on")])


def test_verify_names_the_incident_and_looks_at_every_one(store: Store) -> None:
    for number in range(1, 4):
        opened(store, channel=f"C{number}")
    tamper(store, "UPDATE words SET words = '{}' WHERE incident = 2")
    assert store.verify() == (3, 3, [Finding("INC-2", 1, "the text was changed after it was recorded")])


def test_an_incident_that_vanished_is_found(store: Store) -> None:
    for number in range(1, 4):
        opened(store, channel=f"C{number}")
    tamper(
        store,
        "DELETE FROM words WHERE incident = 2",
        "DELETE FROM events WHERE incident = 2",
        "DELETE FROM incidents WHERE key = 2",
    )
    assert store.verify() == (2, 2, [Finding("INC-2", 0, "the incident is missing")])


# ---- redaction -----------------------------------------------------------------------------------


def redact(store: Store, place: Place, entry: int, *seqs: int) -> None:
    with store.writing() as tx:
        tx.append(now_of(tx, place), [ev.Redacted(by="p1", recorded_at=NOW, entry=entry)])
        tx.destroy_words(place.key, seqs)


def test_a_proper_redaction_is_no_finding_and_reads_as_empty(store: Store) -> None:
    place = opened(store)
    record(store, place, noted(2, "the password is hunter2"), noted(3, "kept"))
    redact(store, place, 2, 2)
    assert store.verify() == (1, 4, [])
    with store.reading() as tx:
        texts = [one.text for one in tx.events(place.key) if isinstance(one, ev.Numbered)]
        assert tx.stored(place.key)[1][2] is None
    assert texts == ["Checkout fails", "", "kept"]


def test_a_redaction_of_one_entry_does_not_excuse_the_loss_of_another(store: Store) -> None:
    place = opened(store)
    record(store, place, noted(2, "the password is hunter2"), noted(3, "kept"))
    redact(store, place, 2, 2)
    tamper(store, "DELETE FROM words WHERE seq = 3")
    assert store.verify()[2] == [Finding("INC-1", 3, "the text is gone and nobody redacted it")]


@pytest.mark.parametrize("seed", range(4))
def test_redacted_texts_are_in_no_file_wherever_sqlite_moved_them(store: Store, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  which texts go is chosen, not kept secret
    places = [opened(store, channel=f"C{number}") for number in range(4)]
    kept: dict[tuple[int, int], str] = {}
    gone: list[str] = []
    for turn in range(60):
        with store.writing() as tx:
            for _ in range(5):
                place = now_of(tx, chance.choice(places))
                text = f"hunter-{seed}-{len(kept) + len(gone):05d}-"
                seqs = tx.append(place, [noted(place.seq + 1, text + "y" * chance.choice([5, 50, 300, 900, 5000]))])
                kept[place.key, seqs[0]] = text
        if turn % 3 == 0:
            with store.writing() as tx:
                for key, seq in chance.sample(sorted(kept), 3):
                    tx.destroy_words(key, [seq])
                    gone.append(kept.pop((key, seq)))
    assert [text for text in gone if in_files(store, text)] == []
    assert [text for text in kept.values() if not in_files(store, text)] == []


def test_what_a_reader_kept_from_being_wiped_is_wiped_by_the_next_writing(
    store: Store, open_at: Callable[..., Store]
) -> None:
    place = opened(store)
    record(store, place, noted(2, "the password is hunter2"))
    with open_at().reading() as tx:
        assert len(tx.events(place.key)) == 2
        redact(store, place, 2, 2)
        assert [one.text for one in tx.events(place.key) if isinstance(one, ev.Noted)] == ["the password is hunter2"]
    with store.writing() as tx:
        tx.know(TEAM, "U1", "Ada")
    assert in_files(store, "hunter2") == []


def test_an_offer_that_repeats_a_redacted_text_goes_with_it(store: Store) -> None:
    place = opened(store)
    record(store, place, noted(2, "the password is hunter2"))
    with store.writing() as tx:
        again = tx.make_offer(TEAM, CHANNEL, "p1", "note the password is hunter2", NOW, (), {})
        choices = (Choice("Make it a note", "note the password is hunter2"),)
        button = tx.make_offer(TEAM, CHANNEL, "p1", "", NOW, choices, {})
        other = tx.make_offer(TEAM, CHANNEL, "p1", "note graphs are flat", NOW, (), {})
        foreign = tx.make_offer("T1", CHANNEL, "p1", "note graphs are flat", NOW, (), {})
    redact(store, place, 2, 2)
    with store.reading() as tx:
        assert [tx.offer(TEAM, key) for key in (again, button)] == [None, None]
        assert tx.offer(TEAM, other) is not None
        assert tx.offer("T1", foreign) is not None
    assert in_files(store, "hunter2") == []


@pytest.mark.parametrize(
    ("lines", "entry"),
    [
        (["note the password is hunter2"], 2),
        (["note the passwort is hunter1", "edit 2 the password is hunter2", "edit 2 a third wording: hunter3"], 2),
        (["todo @hunter2 rotate hunter2 by 2026-12-01", "todo T1 for hunter3 team:", "done T1"], 2),
        (["services hunter2, hunter3"], 2),
        (["escalated hunter2 please come"], 2),
        (["told hunter2: we are on hunter3"], 2),
        (["suspect a leak", "ruledout 2 hunter2 is fine"], 3),
        (["well the password is hunter2"], 2),
        (["note the password is hunter2", "note the password is hunter2"], 2),
        (["the password is hunter2", "note the password is hunter2"], 2),
        (["note hunter2", "remove 2"], 2),
    ],
)
def test_after_a_redaction_nothing_of_the_text_is_left_and_the_chain_holds(
    stage: Stage, lines: list[str], entry: int
) -> None:
    ws = stage.workspace
    ada = ws.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = ws.add_channel("payments", members=[ada])
    for line in ["start Checkout fails", *lines]:
        assert ws.command(ada, channel, line).ok
    store = stage.app.store
    assert in_files(store, "hunter2") != []
    asked = ws.command(ada, channel, f"redact {entry}")
    ws.click(ada, asked, "Destroy the text")
    with store.reading() as tx:
        assert isinstance(tx.events(1)[-1], ev.Redacted)
    assert store.verify()[2] == []
    assert [in_files(store, text) for text in ("hunter1", "hunter2", "hunter3")] == [[], [], []]


# ---- requests and offers -------------------------------------------------------------------------


def test_a_request_is_remembered_once_and_for_its_workspace_alone(store: Store) -> None:
    with store.writing() as tx:
        tx.remember(TEAM, "trigger", {"kind": "refused", "message": "“é” is no verb"}, NOW)
    with pytest.raises(sqlite3.IntegrityError), store.writing() as tx:
        tx.remember(TEAM, "trigger", {"kind": "recorded"}, NOW)
    with store.reading() as tx:
        assert tx.heard(TEAM, "trigger") == {"kind": "refused", "message": "“é” is no verb"}
        assert tx.heard("T1", "trigger") is None
        assert tx.heard(TEAM, "another") is None


def test_requests_are_let_go_after_a_week(store: Store) -> None:
    with store.writing() as tx:
        tx.remember(TEAM, "old", {}, NOW)
    with store.writing() as tx:
        tx.remember(TEAM, "younger", {}, NOW + timedelta(days=7))
        assert tx.heard(TEAM, "old") == {}
        tx.remember(TEAM, "youngest", {}, NOW + timedelta(days=7) + SECOND)
        assert tx.heard(TEAM, "old") is None
        assert tx.heard(TEAM, "younger") == {}


def test_an_offer_comes_back_as_it_was_made_and_forgets_its_line_when_taken(store: Store) -> None:
    choices = (Choice("Action", "action rolled back"), Choice("Undo", "", confirmed=True, undoes=3))
    with store.writing() as tx:
        key = tx.make_offer(TEAM, CHANNEL, "p1", "rolled back", NOW, choices, {"U1": "ada"})
    with store.reading() as tx:
        assert tx.offer("T1", key) is None
        assert tx.offer(TEAM, key) == Offer(key, TEAM, CHANNEL, "p1", "rolled back", NOW, choices, {"U1": "ada"}, None)
    with store.writing() as tx:
        tx.take_offer(TEAM, key, 1)
        assert tx.offer(TEAM, key) == Offer(key, TEAM, CHANNEL, "p1", "", NOW, (), {"U1": "ada"}, 1)


def test_offers_are_let_go_after_a_day(store: Store) -> None:
    with store.writing() as tx:
        key = tx.make_offer(TEAM, CHANNEL, "p1", "rolled back", NOW, (), {})
        tx.remember(TEAM, "a day later", {}, NOW + timedelta(hours=24))
        assert tx.offer(TEAM, key) is not None
        tx.remember(TEAM, "later", {}, NOW + timedelta(hours=24) + SECOND)
        assert tx.offer(TEAM, key) is None


# ---- incidents, and who may see them -------------------------------------------------------------


def test_incidents_are_numbered_without_a_gap_in_each_workspace(store: Store) -> None:
    numbers = [(team, opened(store, team=team, channel="C1").number) for team in ("T1", "T1", "T2", "T1", "T2")]
    assert numbers == [("T1", 1), ("T1", 2), ("T2", 1), ("T1", 3), ("T2", 2)]
    with store.reading() as tx:
        assert [(place.team, place.number) for place in tx.all_places()] == [
            ("T1", 1),
            ("T1", 2),
            ("T1", 3),
            ("T2", 1),
            ("T2", 2),
        ]
        assert tx.by_number("T2", 3) is None


@pytest.mark.parametrize("status", ["cancelled", "duplicate"])
def test_the_incident_of_a_channel_is_the_newest_that_counts(store: Store, status: str) -> None:
    first, second = opened(store), opened(store)
    with store.writing() as tx:
        tx.summarise(first.key, title="first", status="resolved", severity=2)
        assert now_of(tx, first) == replace(first, title="first", status="resolved", severity=2)
        here = tx.in_channel(TEAM, CHANNEL)
        assert here is not None
        assert here.key == second.key
        tx.summarise(second.key, title="second", status=status, severity=None)
        here = tx.in_channel(TEAM, CHANNEL)
        assert here is not None
        assert here.key == first.key
        assert tx.in_channel("T1", CHANNEL) is None
        assert tx.in_channel(TEAM, "C2") is None


def seen(tx: Reading, channel: str, words: str = "", *, only_open: bool = False, team: str = TEAM) -> list[int]:
    return [place.number for place in tx.visible(team, channel, words, only_open=only_open)]


def test_a_private_incident_is_seen_from_its_own_channel_only(store: Store) -> None:
    opened(store, channel="C1")
    opened(store, channel="C2", private=True)
    opened(store, channel="C3", private=True)
    opened(store, channel="C1", team="T1")
    with store.reading() as tx:
        assert [seen(tx, channel) for channel in ("C1", "C2", "C3", "C9")] == [[1], [2, 1], [3, 1], [1]]
        assert seen(tx, "C2", "checkout") == [2, 1]
        assert seen(tx, "C2", team="T1") == [1]
        assert seen(tx, "C2", team="T9") == []


def test_an_incident_becomes_as_private_as_its_channel(store: Store) -> None:
    opened(store, channel="C1", private=True)
    with store.writing() as tx:
        tx.learn_channel(Channel(TEAM, "C1", "payments", private=False, member=True))
        assert seen(tx, "C9") == [1]
        tx.learn_channel(Channel(TEAM, "C1", "payments-2"))
        tx.learn_channel(Channel("T1", "C1", private=True))
        assert seen(tx, "C9") == [1]
        tx.learn_channel(Channel(TEAM, "C1", private=True, archived=True))
        assert seen(tx, "C9") == []
        assert tx.channel(TEAM, "C1") == Channel(TEAM, "C1", "payments-2", True, True, True)
        assert tx.channel(TEAM, "C2") == Channel(TEAM, "C2")


def test_only_open_ones_are_listed_where_that_is_asked(store: Store) -> None:
    for number, status in enumerate(["open", "mitigated", "resolved", "cancelled", "duplicate"], start=1):
        place = opened(store, channel=f"C{number}")
        with store.writing() as tx:
            tx.summarise(place.key, title="x", status=status, severity=None)
    with store.reading() as tx:
        assert seen(tx, "C9", only_open=True) == [2, 1]
        assert seen(tx, "C9") == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("pool at 100% of max_connections", "100%", True),
        ("pool at 100 of maxXconnections", "100%", False),
        ("pool at 100% of max_connections", "max_con", True),
        ("pool at 100 of maxXconnections", "max_con", False),
        (r"log in C:\temp\scribe", r"c:\temp\scribe", True),
        (r"log in C:temp", "\\", False),
        ('she said “no” and "yes"', '"yes"', True),
        ("first line\nsecond line", "SECOND first", True),
        ("first line", "first third", False),
        ("Störung der Übertragung", "STÖRUNG übertragung", True),
        ("graphs are flat", "text", False),
        ("graphs are flat", "{", False),
        ("graphs are flat", "checkout flat", True),
        ("graphs are flat", "   ", True),
        ("graphs are flat", "x" * 60_000, False),
    ],
)
def test_a_search_takes_every_sign_as_itself(store: Store, text: str, words: str, found: bool) -> None:
    place = opened(store)
    record(store, place, noted(2, text))
    with store.reading() as tx:
        assert seen(tx, "C9", words) == ([1] if found else [])


def test_a_search_looks_into_lists_of_names_too(store: Store) -> None:
    place = opened(store)
    named = ev.ServicesNamed(by="p1", recorded_at=NOW, entry=2, at=NOW, text="", added=("orders-db", "cart"))
    record(store, place, named)
    with store.reading() as tx:
        assert (seen(tx, "C9", "orders-db cart"), seen(tx, "C9", "added")) == ([1], [])


# ---- people and workspaces -----------------------------------------------------------------------


def test_a_person_has_one_random_key_in_a_workspace(store: Store) -> None:
    with store.writing() as tx:
        first = tx.know(TEAM, "U1")
        assert (first.name, first.zone) == ("U1", None)
        assert tx.know(TEAM, "U1", "ada").name == "ada"
        assert tx.know(TEAM, "U1", "somebody else").name == "ada"
        tx.learn_person(TEAM, "U1", name="Ada", zone="Europe/London", now=NOW)
        tx.learn_person(TEAM, "U1", name="Ada L.", zone=None, now=NOW + HOUR)
        known = tx.person(TEAM, "U1")
        assert known is not None
        assert (known.key, known.name, known.zone) == (first.key, "Ada L.", "Europe/London")
        assert tx.person("T1", "U1") is None
        assert tx.know("T1", "U1").key != first.key
        assert tx.people([first.key, first.key, "", "nobody"]) == {first.key: known}


def test_a_document_names_people_as_they_were_called_then(store: Store) -> None:
    with store.writing() as tx:
        key = tx.know(TEAM, "U1", "ada").key

        def named(at: datetime) -> str:
            return tx.names_in([("note", {"by": key, "author": "nobody", "recorded_at": iso(at)}, None)])[key]

        assert named(NOW) == "ada", "the user name, as long as nothing better is known"
        tx.learn_person(TEAM, "U1", name="Ada Lovelace", zone=None, now=NOW)
        assert named(NOW - HOUR) == "Ada Lovelace", "the first name that was learned was hers before, too"
        tx.learn_person(TEAM, "U1", name="Ada King", zone=None, now=NOW + HOUR)
        tx.learn_person(TEAM, "U1", name="Ada King", zone=None, now=NOW + 2 * HOUR)
        assert (named(NOW), named(NOW + HOUR), named(NOW + 9 * HOUR)) == ("Ada Lovelace", "Ada King", "Ada King")
        tx.learn_person(TEAM, "U1", name="Ada Lovelace", zone=None, now=NOW + 3 * HOUR)
        assert (named(NOW + HOUR), named(NOW + 4 * HOUR)) == ("Ada King", "Ada Lovelace")


def test_a_workspace_is_learned_and_learned_anew(store: Store) -> None:
    with store.writing() as tx:
        assert tx.installation(TEAM) is None
        tx.learn_installation(Installation(TEAM, "Example", "UBOT", "B1", "https://example.org/"), NOW)
        tx.learn_installation(Installation(TEAM, "Example Ltd", "UBOT2", "B2"), NOW)
        tx.learn_installation(Installation("T1", "Another", "UBOT", "B1"), NOW)
        assert tx.installation(TEAM) == Installation(TEAM, "Example Ltd", "UBOT2", "B2")
        assert [one.team for one in tx.installations()] == [TEAM, "T1"]


# ---- documents -----------------------------------------------------------------------------------


def test_a_revision_moves_on_until_something_of_it_has_left(store: Store) -> None:
    place = opened(store)
    with store.writing() as tx:
        assert tx.latest_revision(place.key) is None
        assert tx.revise(place, 3) == (1, True)
        assert tx.revise(place, 5) == (1, False)
        assert tx.latest_revision(place.key) == Revision(place.key, 1, 5)
        tx.pin(place.key, 1)
        assert tx.revise(place, 7) == (2, True)
        assert tx.revision(place.key, 1) == Revision(place.key, 1, 5)
        tx.forget_unsent_revision(place.key)
        assert tx.latest_revision(place.key) == Revision(place.key, 1, 5)
        assert tx.revision(place.key, 2) is None


def test_a_receipt_takes_the_place_of_the_one_before(store: Store) -> None:
    place = opened(store)
    with store.writing() as tx:
        tx.keep_receipt(place, "file", 1, {"path": "a"})
        tx.keep_receipt(place, "file", 2, {"path": "b"})
        tx.keep_receipt(place, "post", 1, {"ts": "1.2"})
        assert tx.receipts(place.key) == {
            "file": {"path": "b", "revision": 2},
            "post": {"ts": "1.2", "revision": 1},
        }


# ---- letters -------------------------------------------------------------------------------------


def letter(
    kind: str = "share",
    *,
    lane: str = "lane",
    due: datetime = NOW,
    incident: int | None = None,
    blocking: bool = True,
) -> Letter:
    return Letter(kind, TEAM, lane, {"é": 1}, due, incident, blocking)


def enqueue(store: Store, *letters: Letter) -> None:
    with store.writing() as tx:
        tx.enqueue(letters)


def leased(tx: Writing, at: datetime = NOW) -> str | None:
    """The kind of the letter that was taken, leased for two minutes."""
    taken = tx.lease(at, 120)
    return taken.kind if taken else None


def take(store: Store, at: datetime = NOW) -> Letter:
    with store.writing() as tx:
        taken = tx.lease(at, 120)
    assert taken is not None
    return taken


def test_a_letter_comes_back_as_it_was_written_and_only_when_it_is_due(store: Store) -> None:
    enqueue(store, letter(due=NOW + SECOND))
    with store.writing() as tx:
        assert tx.next_due() == NOW + SECOND
        assert tx.lease(NOW, 120) is None
        taken = tx.lease(NOW + SECOND, 120)
        assert taken == Letter("share", TEAM, "lane", {"é": 1}, NOW + SECOND, None, True, key=1, attempts=1)
        assert tx.lease(NOW + SECOND, 120) is None
        assert tx.next_due() == NOW + 121 * SECOND
        assert tx.settle(taken, "sent", NOW + SECOND)
        assert tx.next_due() is None
        assert [one.key for one, _ in tx.letters("sent")] == [1]


def test_two_threads_and_two_processes_never_take_the_same_letter(store: Store, open_at: Callable[..., Store]) -> None:
    enqueue(store, *[letter(lane=f"lane {number}") for number in range(120)])
    go = threading.Barrier(4)
    taken: list[list[int]] = [[], [], [], []]

    def work(mine: list[int], where: Store) -> None:
        go.wait()
        while True:
            with where.writing() as tx:
                found = tx.lease(NOW, 120)
            if found is None:
                return
            mine.append(found.key)

    other = open_at()
    threads = [
        threading.Thread(target=work, args=(mine, at))
        for mine, at in zip(taken, [store, store, other, other], strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key for mine in taken for key in mine) == list(range(1, 121))


def test_a_lease_that_ran_out_is_taken_anew_and_the_late_one_settles_nothing(store: Store) -> None:
    enqueue(store, letter())
    late = take(store)
    with store.writing() as tx:
        assert tx.lease(NOW + 119 * SECOND, 120) is None
    again = take(store, NOW + 120 * SECOND)
    assert (again.key, again.attempts) == (late.key, 2)
    with store.writing() as tx:
        assert not tx.again(late, NOW, "too late")
        assert not tx.settle(late, "parked", NOW, "too late")
        assert [one.key for one, _ in tx.letters("leased")] == [1]
        assert tx.settle(again, "sent", NOW + 121 * SECOND)
        assert not tx.settle(again, "parked", NOW)
        assert [(one.key, error) for one, error in tx.letters("sent")] == [(1, "")]


def test_letters_of_a_lane_leave_in_order_and_lanes_do_not_wait_for_each_other(store: Store) -> None:
    enqueue(store, letter("a1", lane="a"), letter("a2", lane="a"), letter("b1", lane="b"))
    first = take(store)
    with store.writing() as tx:
        assert first.kind == "a1"
        assert [leased(tx), leased(tx)] == ["b1", None]
        tx.settle(first, "sent", NOW)
        assert [leased(tx), leased(tx)] == ["a2", None]


def test_a_letter_that_is_due_later_holds_back_nothing_that_is_due_before(store: Store) -> None:
    enqueue(store, letter("later", due=NOW + 15 * SECOND), letter("now", due=NOW), letter("with it", due=NOW))
    with store.writing() as tx:
        assert tx.next_due() == NOW
        assert leased(tx) == "now"
        assert leased(tx) is None


def test_a_blocking_letter_that_slack_never_takes_does_not_hold_its_lane_for_ever(store: Store) -> None:
    enqueue(store, letter("never"), letter("next"))
    now = NOW
    for tried in range(1, PATIENCE + 2):
        with store.writing() as tx:
            never = tx.lease(now, 60)
            assert never is not None
            assert (never.kind, never.attempts) == ("never", tried)
            tx.again(never, now + 60 * SECOND, "no")
            held = tx.lease(now, 60)
            assert (held.kind if held else None) == ("next" if tried > PATIENCE else None)
        now += 60 * SECOND


def test_a_blocking_letter_holds_back_its_lane_until_it_is_settled(store: Store) -> None:
    enqueue(store, letter("first"), letter("second"))
    first = take(store)
    with store.writing() as tx:
        tx.again(first, NOW + 60 * SECOND, "Slack is away.")
        assert leased(tx) is None
        assert tx.next_due() == NOW + 60 * SECOND
    first = take(store, NOW + 60 * SECOND)
    assert (first.kind, first.attempts) == ("first", 2)
    with store.writing() as tx:
        tx.settle(first, "parked", NOW, "Scribe is not in the channel.")
        assert leased(tx) == "second"
        assert [(one.kind, error) for one, error in tx.letters("parked")] == [
            ("first", "Scribe is not in the channel.")
        ]


def test_another_letter_holds_back_its_lane_only_until_it_was_tried_once(store: Store) -> None:
    enqueue(store, letter("first", blocking=False), letter("second"))
    first = take(store)
    with store.writing() as tx:
        assert leased(tx) is None
        tx.again(first, NOW + 60 * SECOND, "the disk is full")
        assert leased(tx) == "second"
        assert [(one.kind, error) for one, error in tx.letters("waiting")] == [("first", "the disk is full")]


def test_letters_of_an_incident_are_postponed_and_taken_back_by_their_kind(store: Store) -> None:
    place, other = opened(store), opened(store, channel="C2")
    for where in (place, other):
        enqueue(
            store,
            letter("export", lane=where.name, incident=where.key, blocking=False),
            letter("announce", lane=where.name, incident=where.key),
            letter("share", lane="share", incident=where.key),
        )
    held = take(store)
    assert (held.kind, held.incident) == ("export", place.key)
    later = NOW + 600 * SECOND
    with store.writing() as tx:
        assert tx.postpone(place.key, ("export", "announce"), later) == 1
        assert [one.due_at for one, _ in tx.letters("waiting", place.key)] == [later, NOW]
        assert tx.drop(place.key, ("export", "announce")) == 1
        assert [one.kind for one, _ in tx.letters("waiting", place.key)] == ["share"]
        assert [one.kind for one, _ in tx.letters("dropped")] == ["announce"]
        assert [one.kind for one, _ in tx.letters("leased")] == ["export"]
        assert [one.due_at for one, _ in tx.letters("waiting", other.key)] == [NOW] * 3


def test_a_channel_that_opens_up_wakes_what_waits_for_it_and_nothing_else(store: Store) -> None:
    place, other = opened(store), opened(store, channel="C2")
    enqueue(
        store,
        letter("draft", lane="INC-1", incident=place.key),
        letter("answer", lane=f"{TEAM}/{CHANNEL}"),
        letter("elsewhere", lane="INC-2", incident=other.key),
        letter("another workspace", lane=f"T1/{CHANNEL}"),
    )
    for _ in range(4):
        taken = take(store)
        with store.writing() as tx:
            if taken.kind == "answer":
                tx.again(taken, NOW + 600 * SECOND, "Slack is away.")
            else:
                tx.settle(taken, "parked", NOW, "Scribe is not in the channel.")
    enqueue(store, letter("not tried yet", lane="new", incident=place.key, due=NOW + 600 * SECOND))
    with store.writing() as tx:
        tx.wake(TEAM, CHANNEL, NOW + SECOND)
        waiting = {one.kind: one.due_at for one, _ in tx.letters("waiting")}
        assert waiting == {"draft": NOW, "answer": NOW + SECOND, "not tried yet": NOW + 600 * SECOND}
        assert [one.kind for one, _ in tx.letters("parked")] == ["elsewhere", "another workspace"]


# ---- upgrades ------------------------------------------------------------------------------------


def test_a_record_of_the_first_schema_is_whole_after_the_upgrade(tmp_path: Path, open_at: Callable[..., Store]) -> None:
    first = tmp_path / "first"
    shutil.copytree(MIGRATIONS, first)
    for step in first.glob("m000[2-9]*.py"):
        step.unlink()
    path = tmp_path / "upgraded.db"
    open_at(path, first).migrate()
    with closing(sqlite3.connect(path)) as old, old:
        at = "2026-11-21T03:00:00.000000Z"
        old.execute("INSERT INTO people VALUES ('p1', 'T1', 'U1', 'Ada', 'Europe/London', ?)", (at,))
        old.execute("INSERT INTO people VALUES ('p2', 'T1', 'U2', 'ben', NULL, NULL)")
        old.execute("INSERT INTO channels VALUES ('T1', 'C1', 'payments', 0, 1, 0)")
        old.execute(
            "INSERT INTO incidents VALUES (1, 'T1', 1, 'C1', 0, ?, 'x', 'open', 1, 0, 'h', 's')",
            (at,),
        )
        old.execute("INSERT INTO revisions VALUES (1, 1, 'T1', 0, 1)")
        old.execute(
            "INSERT INTO letters (team, lane, kind, body, blocking, due_at, attempts) "
            "VALUES ('T1', 'a', 'meet', '{}', 0, '2026-11-21T03:00:00.000000Z', 2)"
        )
    store = open_at(path)
    assert store.migrate() == ["m0002_delivery", "m0003_first_due", "m0004_at_home"]
    with store.writing() as tx:
        said = [("note", {"by": "p1", "recorded_at": iso(NOW)}, None), ("note", {"by": "p2", "recorded_at": ""}, None)]
        assert tx.names_in(said) == {"p1": "Ada", "p2": "ben"}
        assert [person.key for person in tx.unmet(said)] == ["p2"]
        tx.learn_person("T1", "U1", name="Ada King", zone=None, now=NOW + HOUR)
        assert tx.names_in(said)["p1"] == "Ada", "what she was called then"
        assert tx.channel("T1", "C1") == Channel("T1", "C1", "payments", False, True, False)
        assert tx.names_of(1, 1) is None
        letter = tx.lease(NOW, 60)
        assert letter is not None
        assert (letter.attempts, letter.unsure, letter.about) == (3, True, "")
