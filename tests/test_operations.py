"""Backup, restore, verify, upgrade, and a secret that is gone: what operating the record takes."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import app, backups, settings
from bot.cli import cli
from bot.core.errors import Refusal
from bot.core.incident import fold
from bot.core.record import JSON
from bot.documents import Documents
from bot.press import Press
from bot.resources import resources
from bot.settings import TABLE, Settings
from bot.store import Store
from bot.workspace import Answer, Channel, User
from bot.workspace.stage import SIGNING_SECRET, Stage

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = Path(__file__).parent / "schemas"
SATURDAY = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)
PATIENCE = 30.0
SECRET = SIGNING_SECRET.encode()
HUNTER = "hunter2-hunter2"

Scribe = Callable[..., Result]


def run(*arguments: object, **given: str) -> Result:
    """Runs a command with no settings but those given; a defect is raised, not shown."""
    environment = {row.name: None for row in TABLE} | {name: str(value) for name, value in given.items()}
    return CliRunner().invoke(cli, [str(one) for one in arguments], env=environment, catch_exceptions=False)


def refused(result: Result) -> str:
    """What was said by a command that could not do it."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr


def done(result: Result) -> str:
    """What was said by a command that did it."""
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def change(path: Path, *statements: str) -> None:
    """Changes a file behind the program's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            assert database.execute(statement).rowcount != 0, statement


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr) for name in names}  # noqa: S608


class Told:
    """A stage with a story on it; what has to be recorded is."""

    def __init__(self, folder: Path, press: Press) -> None:
        self.stage = Stage(folder, SATURDAY, press=press)
        self.ws = self.stage.workspace
        self.ada: User = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.payments: Channel = self.ws.add_channel("payments", members=[self.ada])
        self.database = self.stage.settings.database
        self.given = {"SCRIBE_DATABASE": str(self.database), "SCRIBE_SECRET": SIGNING_SECRET}

    def type(self, line: str) -> Answer:
        self.stage.clock.advance(timedelta(minutes=1))
        answer = self.ws.command(self.ada, self.payments, line)
        assert answer.in_channel, answer.text
        return answer

    def begin(self) -> None:
        self.type("start sev1 Checkout returns errors since 20m ago")
        self.stage.pump()
        self.type("note CPU is at 100 %")

    def posts(self, words: str) -> list[str]:
        return [one.text for one in self.ws.messages(self.payments) if words in one.text]

    def lose(self) -> None:
        """Closes the record and moves it away, with what lies beside it."""
        self.stage.app.store.close()
        for path in self.database.parent.glob("scribe.db*"):
            path.rename(path.with_name(f"lost-{path.name}"))

    def open(self) -> None:
        self.stage.restart()


@pytest.fixture
def told(tmp_path: Path, press: Press) -> Iterator[Told]:
    made = Told(tmp_path / "data", press)
    made.begin()
    yield made
    made.stage.app.store.close()


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record that nobody has open, and its secret beside it."""
    folder = tmp_path_factory.mktemp("at-rest")
    press = Press(inline=True)
    made = Told(folder, press)
    made.begin()
    made.type(f"note the password is {HUNTER}")
    made.type("resolve Back to normal")
    made.stage.settle()
    made.stage.app.store.close()
    press.close()
    secret = folder / "scribe.db.secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{SIGNING_SECRET}\n")
    return folder


@pytest.fixture
def record(at_rest: Path, tmp_path: Path) -> Path:
    """A copy of that record, in a folder of its own."""
    folder = tmp_path / "data"
    shutil.copytree(at_rest, folder)
    return folder / "scribe.db"


def of(database: Path, **more: str) -> dict[str, str]:
    exports = str(database.parent / "postmortems")
    return {"SCRIBE_DATABASE": str(database), "SCRIBE_EXPORT_DIR": exports, **more}


# ---- backup --------------------------------------------------------------------------------------


def test_a_backup_holds_every_row_and_the_secret_for_its_owner_only(record: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    said = done(run("backup", folder / "monday.db", **of(record)))
    assert re.match(
        rf"{folder}/monday\.db: 1 incident with \d+ events, the last of 2026-11-21 03:\d\d UTC, 0\.\d MB, checked\.\n"
        rf"{folder}/monday\.db\.secret: the secret, which belongs to it\.",
        said,
    )
    assert rows(folder / "monday.db") == rows(record)
    assert sorted(files(folder)) == ["monday.db", "monday.db.secret"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert (folder / "monday.db.secret").read_text().strip() == SIGNING_SECRET
    done(run("verify", folder / "monday.db"))


def test_a_secret_of_the_settings_is_not_put_beside_the_backup(record: Path, tmp_path: Path) -> None:
    record.with_name("scribe.db.secret").unlink()
    said = done(run("backup", tmp_path / "monday.db", **of(record, SCRIBE_SECRET=SIGNING_SECRET)))
    assert "SCRIBE_SECRET is not in it" in said
    assert sorted(files(tmp_path)) == ["monday.db"]


def test_a_backup_overwrites_nothing_and_says_what_is_in_the_way(record: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("a letter")
    (tmp_path / "other.db.secret").write_text("of another record")
    given = of(record)
    assert f"{taken} is there already" in refused(run("backup", taken, **given))
    assert f"{tmp_path} is a folder" in refused(run("backup", tmp_path, **given))
    assert f"There is no folder {tmp_path}/none." in refused(run("backup", tmp_path / "none" / "b.db", **given))
    assert f"{record} is there already" in refused(run("backup", record, **given))
    assert "other.db.secret is there already, and holds something else" in refused(
        run("backup", tmp_path / "other.db", **given)
    )
    assert "There is no database at" in refused(run("backup", tmp_path / "b.db", **of(tmp_path / "none.db")))
    assert files(tmp_path) == {"other.db.secret": b"of another record", "taken.db": b"a letter"}


def test_a_name_that_is_taken_while_the_copy_is_made_stays_with_whoever_took_it(record: Path, tmp_path: Path) -> None:
    target = tmp_path / "monday.db"
    opened = partial(app.file_at, secret=SECRET)
    with closing(opened(record, look_only=False)) as store, pytest.raises(Refusal, match="is there already"):
        backups.back_up(store, target, opened, lambda: target.write_text("the other one") and None)
    assert files(tmp_path) == {"monday.db": b"the other one"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_backup_is_named(record: Path, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert "Permission denied" in refused(run("backup", folder / "monday.db", **of(record)))


def as_a_process(*arguments: object, limit: int = 0, **given: str) -> subprocess.CompletedProcess[str]:
    """The same as a process of its own, which may write no file larger than `limit`."""
    # no byte code: it would be cut short for everybody
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **given}

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "bot", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=limited if limit else None,
    )


def test_a_copy_that_does_not_fit_leaves_nothing(record: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    ended = as_a_process("backup", folder / "monday.db", limit=60_000, **of(record))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"The copy could not be written to {folder}: " in ended.stderr
    assert files(folder) == {}
    before = rows(record)
    done(run("verify", **of(record)))
    assert rows(record) == before


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own with little room; needs the right to mount one."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_takes_no_backup_and_says_so(record: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "64k") as folder:
        said = refused(run("backup", folder / "monday.db", **of(record)))
        assert "database or disk is full. Make room there, or name another place." in said
        assert files(folder) == {}


def test_a_full_disk_is_not_migrated_and_the_record_stays_as_it_was(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "400k") as folder:
        path = folder / "scribe.db"
        built("m0001", path)
        free = shutil.disk_usage(folder).free
        (folder / "ballast").write_bytes(b"x" * (free - 40_000))
        before = rows(path)
        assert "is full" in refused(run("migrate", **of(path, SCRIBE_SECRET=SIGNING_SECRET)))
        assert rows(path) == before
        (folder / "ballast").unlink()
        assert "applied m0002_delivery" in done(run("migrate", **of(path, SCRIBE_SECRET=SIGNING_SECRET)))


WRITER = """
import os, pathlib, sys
from datetime import UTC, datetime
from bot.core import events as ev
from bot.store import Store
path, migrations, secret = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3].encode()
store = Store(path, migrations=migrations, secret=secret, randomness=os.urandom)
number = 1000
while True:
    with store.writing() as tx:
        place = tx.all_places()[0]
        at = datetime.now(UTC)
        tx.append(place, [
            ev.Noted(by="p1", recorded_at=at, entry=number + more, at=at, approx=False, zone="UTC", text="x" * 200)
            for more in (1, 2)
        ])
    number += 2
    print(number, flush=True)
"""


def test_a_backup_made_while_somebody_writes_is_one_moment_of_the_record(record: Path, tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(record), str(resources("migrations")), SIGNING_SECRET],
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    counts = []
    try:
        with closing(sqlite3.connect(record)) as database:
            (told,) = database.execute("SELECT count(*) FROM events").fetchone()
        for number in range(2):
            for _ in range(5):  # it goes on writing between the backups
                assert writer.stdout.readline()
            target = tmp_path / f"{number}.db"
            ended = as_a_process("backup", target, **of(record))
            assert (ended.returncode, ended.stderr) == (0, "")
            with closing(sqlite3.connect(target)) as database:
                counts.append(database.execute("SELECT count(*) FROM events").fetchone()[0])
            done(run("verify", target))
    finally:
        writer.kill()
        writer.communicate()
    assert [(count - told) % 2 for count in counts] == [0] * 2
    assert counts == sorted(set(counts))


def test_what_was_redacted_is_in_no_backup_even_before_the_file_was_wiped(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert HUNTER.encode() in record.read_bytes()
    with closing(app.file_at(record, SECRET, look_only=False)) as store, closing(sqlite3.connect(record)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM incidents").fetchone()  # an old state that keeps the log from being emptied
        with store.writing() as tx:
            found = [row["seq"] for row in tx.rows("SELECT seq FROM words WHERE words LIKE ?", f"%{HUNTER}%")]
            tx.destroy_words(1, found)
        log = record.with_name("scribe.db-wal").read_bytes()
        assert HUNTER.encode() in record.read_bytes() + log
        backups.back_up(store, tmp_path / "monday.db", partial(app.file_at, secret=SECRET), lambda: None)
    assert HUNTER.encode() not in (tmp_path / "monday.db").read_bytes()


def test_one_who_reads_all_the_time_does_not_have_the_file_rewritten_with_every_line(record: Path) -> None:
    """So does Litestream, which replicates the log before anybody else may empty it."""
    said: list[str] = []
    with closing(app.file_at(record, SECRET, look_only=False)) as store:
        with closing(sqlite3.connect(record)) as replica:
            replica.execute("BEGIN")
            replica.execute("SELECT * FROM incidents").fetchone()
            store._connection().set_trace_callback(said.append)
            with store.writing() as tx:
                tx.destroy_words(1, [3])
            for number in range(5):
                with store.writing() as tx:
                    tx.know("T0SCRIBE", f"U{number}")
            assert said.count("VACUUM") == 1
            assert record.with_name("scribe.db-wal").stat().st_size > 0
        with store.writing() as tx:
            tx.know("T0SCRIBE", "U9")
        header, frame = 32, 24 + 4096  # of the page that says that there is nothing to wipe any more
        assert record.with_name("scribe.db-wal").stat().st_size <= header + frame


def test_a_record_with_a_fault_is_backed_up_and_the_fault_is_told(record: Path, tmp_path: Path) -> None:
    change(record, 'UPDATE words SET words = \'{"text":"other"}\' WHERE seq = 2')
    result = run("backup", tmp_path / "monday.db", **of(record))
    assert result.exit_code == 1
    assert "INC-1, event 2: the text was changed after it was recorded" in result.stderr
    assert rows(tmp_path / "monday.db") == rows(record)


def test_a_damaged_record_gives_no_backup(record: Path, tmp_path: Path) -> None:
    content = bytearray(record.read_bytes())
    content[8192 : 8192 * 6] = b"\xff" * (8192 * 5)
    record.write_bytes(content)
    refused(run("backup", tmp_path / "monday.db", **of(record, SCRIBE_SECRET=SIGNING_SECRET)))
    assert files(tmp_path) == {}


# ---- restore -------------------------------------------------------------------------------------


@pytest.fixture
def backup(record: Path, tmp_path: Path) -> Path:
    """A backup of the record, in a folder of its own, with the secret beside it."""
    folder = tmp_path / "backups"
    folder.mkdir()
    done(run("backup", folder / "monday.db", **of(record)))
    return folder / "monday.db"


def documents(database: Path, out: Path) -> dict[str, bytes]:
    done(run("export", "--all", "--out", out, **of(database, SCRIBE_SECRET=SIGNING_SECRET)))
    return files(out)


def test_what_was_restored_is_the_record_with_its_secret_and_its_documents(
    record: Path, backup: Path, tmp_path: Path
) -> None:
    kept = files(backup.parent)
    new = tmp_path / "new" / "data" / "scribe.db"
    said = done(run("restore", backup, **of(new)))
    assert re.match(rf"{new}: 1 incident with \d+ events, the last of 2026-11-21 03:\d\d UTC, .* restored from", said)
    assert sorted(files(new.parent)) == ["scribe.db", "scribe.db.secret"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in new.parent.iterdir()} == {0o600}
    assert (new.parent / "scribe.db.secret").read_bytes() == record.with_name("scribe.db.secret").read_bytes()
    done(run("verify", **of(new)))
    for table in ("incidents", "events", "words", "people", "requests", "revisions"):
        assert rows(new)[table] == rows(record)[table], table
    assert documents(new, tmp_path / "after") == documents(record, tmp_path / "before")
    assert files(backup.parent) == kept


def test_a_restore_overwrites_nothing_and_reads_no_log_of_another_database(backup: Path, tmp_path: Path) -> None:
    for name in ("scribe.db", "scribe.db-wal", "scribe.db-shm", "scribe.db-journal"):
        folder = tmp_path / f"new-{name}"
        folder.mkdir()
        (folder / name).write_text("another")
        said = refused(run("restore", backup, **of(folder / "scribe.db")))
        assert str(folder / name) in said
        assert files(folder) == {name: b"another"}


def test_nothing_is_restored_under_a_running_serve(backup: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "scribe.db"
    with closing(app.file_at(new, SECRET, look_only=False)) as serving:
        serving.migrate()
        serving.serves_alone()
        for path in new.parent.glob("scribe.db*"):  # its files were moved away, and it goes on
            if not path.name.endswith(".serving"):
                path.rename(path.with_name(f"moved-{path.name}"))
        assert f"scribe serve is running on {new}. Stop it first." in refused(run("restore", backup, **of(new)))
    assert not new.exists()
    done(run("restore", backup, **of(new)))


def test_a_copy_whose_log_could_not_be_taken_into_it_is_not_put_anywhere(backup: Path, tmp_path: Path) -> None:
    new, readers = tmp_path / "new" / "scribe.db", []

    class Held(Store):
        def close(self) -> None:  # as on a full disk: SQLite leaves the log where it is, and says nothing
            reader = sqlite3.connect(self.path)
            readers.append(reader)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()
            super().close()

    def opened(path: Path, *, look_only: bool) -> Store:
        kind = Store if look_only else Held
        return kind(path, migrations=resources("migrations"), secret=SECRET, randomness=os.urandom, look_only=look_only)

    with pytest.raises(Refusal, match="The copy could not be finished"):
        backups.restore(backup, new, opened, SATURDAY, anyway=False, before=lambda: None)
    for reader in readers:
        reader.close()
    assert files(new.parent) == {}


def test_a_file_that_cannot_be_opened_is_not_called_damaged(record: Path, backup: Path, tmp_path: Path) -> None:
    for path in (record, backup):
        path.with_name(f"{path.name}-wal").mkdir()  # as a log that this user may not read
    assert f"{record} cannot be opened." in refused(run("verify", **of(record)))
    assert f"{record} cannot be opened. → Run scribe doctor as" in " ".join(run("doctor", **of(record)).stdout.split())
    assert f"{backup} cannot be opened." in refused(run("verify", backup, **of(record)))
    assert f"{backup} cannot be opened." in refused(run("restore", backup, **of(tmp_path / "new" / "scribe.db")))


@pytest.mark.parametrize("made", [lambda path: path.touch(), lambda path: sqlite3.connect(path).execute("VACUUM")])
def test_a_file_without_a_record_is_neither_verified_nor_restored(
    made: Callable[[Path], object], tmp_path: Path
) -> None:
    other, new = tmp_path / "other.db", tmp_path / "new" / "scribe.db"
    made(other)
    given = of(new, SCRIBE_SECRET=SIGNING_SECRET)
    assert f"{other} is no record of Scribe's" in refused(run("verify", other, **given))
    assert f"{other} is no record of Scribe's" in refused(run("verify", **{**given, "SCRIBE_DATABASE": str(other)}))
    assert f"{other} is no record of Scribe's" in refused(run("restore", other, **given))
    assert f"{other} is no record of Scribe's" in refused(run("backup", tmp_path / "b.db", **of(other)))
    assert not new.exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda content: content[: len(content) // 2], "is damaged, or no database"),
        (lambda content: b"Dear colleagues, " * 2000, "is damaged, or no database: file is not a database"),
        (lambda content: content[:8192] + b"\xff" * 20_000 + content[28_192:], "is damaged, or no database"),
    ],
)
def test_a_damaged_backup_is_not_restored(
    backup: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    backup.write_bytes(spoil(backup.read_bytes()))
    new = tmp_path / "new" / "scribe.db"
    assert words in refused(run("restore", backup, **of(new)))
    assert words in refused(run("verify", backup))
    assert not new.parent.exists() or files(new.parent) == {}


def test_a_backup_in_which_something_was_changed_is_restored_only_when_that_is_wanted(
    backup: Path, tmp_path: Path
) -> None:
    change(backup, "UPDATE events SET facts = replace(facts, 'T03:0', 'T02:0') WHERE seq = 2")
    new = tmp_path / "new" / "scribe.db"
    result = run("restore", backup, **of(new))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "INC-1, event 2: the event does not fit the chain" in result.stderr
    assert files(new.parent) == {}
    result = run("restore", backup, "--anyway", **of(new))
    assert result.exit_code == 0
    assert run("verify", **of(new)).exit_code == 1


def test_a_backup_needs_the_secret_it_was_sealed_with(backup: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "scribe.db"
    other = {"SCRIBE_SECRET": "another one, of sixteen letters"}
    result = run("restore", backup, **of(new, **other))
    assert result.exit_code == 1
    assert "INC-1, event" in result.stderr
    backup.with_name("monday.db.secret").unlink()
    assert f"There is no secret for {backup}" in refused(run("restore", backup, **of(new)))
    assert not new.exists()
    done(run("restore", backup, **of(new, SCRIBE_SECRET=SIGNING_SECRET)))
    assert sorted(files(new.parent)) == ["scribe.db"]


def test_a_backup_whose_secret_is_lost_comes_back_and_is_sealed_anew(backup: Path, tmp_path: Path) -> None:
    backup.with_name("monday.db.secret").unlink()
    new = tmp_path / "new" / "scribe.db"
    assert run("restore", backup, "--anyway", **of(new)).exit_code == 0
    assert sorted(files(new.parent)) == ["scribe.db"]
    assert "is gone, with which" in refused(run("verify", **of(new)))
    assert "1 incident sealed with the secret of now" in done(run("verify", "--reseal", **of(new)))
    done(run("verify", **of(new)))


def test_a_draft_that_was_posted_after_the_backup_is_found_again_and_not_posted_twice(
    told: Told, tmp_path: Path
) -> None:
    done(run("backup", tmp_path / "monday.db", **told.given))
    told.type("note the pool is full")
    told.type("resolve Back to normal")
    told.stage.settle()
    (draft,) = told.posts("Postmortem draft")
    told.lose()
    done(run("restore", tmp_path / "monday.db", **told.given))
    told.open()
    told.stage.settle()
    assert told.posts("Postmortem draft") == [draft]  # the incident is open again, and nothing is due
    told.type("note the disk is full")
    told.type("resolve A larger disk")
    told.stage.settle()
    (after,) = told.posts("Postmortem draft")
    assert after != draft
    post = next(one for one in told.ws.messages(told.payments) if one.text == after)
    thread = told.ws.thread(told.payments, post)
    texts = [one for one in thread if one.ts != post.ts and not one.files]
    assert [("the disk is full" in str(one.blocks), "the pool is full" in str(one.blocks)) for one in texts] == [
        (True, False)
    ], [one.blocks for one in texts]
    assert sum(len(one.files) for one in thread) == 4  # picture and Markdown of then stay beside those of now
    done(run("verify", **told.given))


def test_letters_that_waited_at_the_backup_and_left_since_do_not_leave_twice(told: Told, tmp_path: Path) -> None:
    told.type("resolve Back to normal")
    done(run("backup", tmp_path / "monday.db", **told.given))
    told.stage.settle()
    assert len(told.posts("Postmortem draft")) == 1
    told.lose()
    said = done(run("restore", tmp_path / "monday.db", **told.given))
    assert re.search(r"^\d messages? waited when the backup was made\.", said, re.MULTILINE)
    told.open()
    told.stage.settle()
    assert len(told.posts("Postmortem draft")) == 1


def test_an_answer_that_left_after_the_backup_is_not_posted_again(told: Told, tmp_path: Path) -> None:
    told.ws.say(told.ada, told.payments, "@scribe note the pool is full")
    done(run("backup", tmp_path / "monday.db", **told.given))
    told.stage.settle()
    answers = [one.ts for one in told.ws.messages(told.payments) if one.user == told.ws.bot_user]
    assert answers
    told.lose()
    done(run("restore", tmp_path / "monday.db", **told.given))
    told.open()
    told.stage.settle()
    assert [one.ts for one in told.ws.messages(told.payments) if one.user == told.ws.bot_user] == answers


def test_a_letter_after_a_restore_has_a_number_that_no_lost_one_had(told: Told, tmp_path: Path) -> None:
    done(run("backup", tmp_path / "monday.db", **told.given))
    told.ws.say(told.ada, told.payments, "@scribe note a lost one")
    told.stage.settle()

    def keys() -> set[str]:
        sent = [one.metadata for one in told.ws.messages(told.payments) if one.metadata]
        return {str(one["event_payload"]["key"]) for one in sent if one["event_payload"]["key"].startswith("letter-")}

    lost = keys()
    told.lose()
    done(run("restore", tmp_path / "monday.db", **told.given))
    told.open()
    told.ws.say(told.ada, told.payments, "@scribe note a new one")
    told.stage.settle()
    assert len(keys()) == len(lost) + 1


# ---- verify --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE incidents SET title = 'Nothing happened'", "INC-1: its title in the list of incidents"),
        ("UPDATE incidents SET status = 'cancelled'", "INC-1: its status in the list of incidents"),
        ("UPDATE incidents SET severity = 5", "INC-1: its severity in the list of incidents"),
        ("UPDATE incidents SET private = 1 - private", "INC-1: its private in the list of incidents"),
        ("UPDATE incidents SET opened_at = '2020-01-01T00:00:00.000000Z'", "INC-1: its opened in the list"),
        ("UPDATE words SET entry = 7 WHERE seq = 2", "INC-1, event 2: the text is filed under another entry"),
        ("UPDATE events SET team = 'T2' WHERE seq = 2", "INC-1, event 2: the event is filed under another workspace"),
        ("UPDATE revisions SET upto = 999", "INC-1: revision 1 reaches beyond the record"),
        ("UPDATE receipts SET revision = 9 WHERE target = 'file'", "INC-1: the receipt “file” names a revision"),
        (
            "INSERT INTO words (incident, seq, team, salt, words) VALUES (1, 999, 'T', '00', '{}')",
            "database: 1 of words belongs to nothing that is there",
        ),
        (
            "INSERT INTO receipts (incident, target, team, revision, receipt) VALUES (9, 'file', 'T', 1, '{}')",
            "database: 1 of receipts belongs to nothing that is there",
        ),
        ("UPDATE revisions SET incident = 9", "database: 1 of revisions belongs to nothing that is there"),
        ("UPDATE letters SET incident = 9 WHERE key = 2", "database: 1 of letters belongs to nothing that is there"),
    ],
)
def test_what_repeats_the_record_is_held_to_it(record: Path, statement: str, words: str) -> None:
    done(run("verify", **of(record)))
    change(record, statement)
    result = run("verify", **of(record))
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_backup_is_verified_where_it_lies_and_stays_as_it_is(backup: Path) -> None:
    before = files(backup.parent)
    assert done(run("verify", backup)).startswith(f"{backup}: 1 incident with ")
    assert files(backup.parent) == before
    change(backup, "DELETE FROM words WHERE seq = 2")
    result = run("verify", backup)
    assert result.exit_code == 1
    assert f"1 thing is wrong in {backup}; take another backup." in result.stderr


@pytest.mark.parametrize("schema", ["m0001", "m0002"])
def test_a_file_of_an_earlier_schema_is_verified_as_it_is(schema: str, tmp_path: Path) -> None:
    path = tmp_path / "scribe.db"
    built(schema, path)
    before = files(tmp_path)
    done(run("verify", path, SCRIBE_SECRET=SIGNING_SECRET))
    done(run("verify", **of(path, SCRIBE_SECRET=SIGNING_SECRET)))
    done(run("backup", tmp_path / "monday.db", **of(path, SCRIBE_SECRET=SIGNING_SECRET)))
    assert rows(tmp_path / "monday.db") == rows(path)
    (tmp_path / "monday.db").unlink()
    assert files(tmp_path) == before


# ---- the secret ----------------------------------------------------------------------------------

SLACK = {"SLACK_BOT_TOKEN": "xoxb-1-1-x", "SLACK_SIGNING_SECRET": SIGNING_SECRET}


@pytest.mark.parametrize("arguments", [("serve",), ("verify",), ("export", "1"), ("migrate",), ("backup", "b.db")])
def test_a_lost_secret_is_not_made_anew_under_a_record(record: Path, arguments: tuple[str, ...]) -> None:
    kept = record.with_name("scribe.db.secret")
    kept.unlink()
    before = files(record.parent)
    said = refused(run(*arguments, **of(record, **SLACK)))
    assert f"{kept} is gone, with which {record} was sealed" in said
    assert "verify --reseal" in said
    assert files(record.parent) == before


def test_a_lost_secret_is_a_problem_for_the_doctor_and_resealing_is_the_way_out(record: Path) -> None:
    record.with_name("scribe.db.secret").unlink()
    looked = " ".join(run("doctor", **of(record)).stdout.split())
    assert "scribe serve does not start without it. If it is lost for good: scribe verify --reseal." in looked
    assert "1 incident sealed with the secret of now" in done(run("verify", "--reseal", **of(record)))
    assert stat.S_IMODE(record.with_name("scribe.db.secret").stat().st_mode) == 0o600
    done(run("verify", **of(record)))
    assert "is there, for its owner only" in " ".join(run("doctor", **of(record)).stdout.split())


def test_nothing_is_sealed_anew_under_a_running_serve_which_keeps_its_secret(record: Path) -> None:
    record.with_name("scribe.db.secret").unlink()
    with closing(app.file_at(record, SECRET, look_only=False)) as serving:
        serving.serves_alone()
        said = refused(run("verify", "--reseal", **of(record)))
    assert f"scribe serve is running on {record}. Stop it first." in said
    assert not record.with_name("scribe.db.secret").exists()
    done(run("verify", "--reseal", **of(record)))


def test_a_record_without_an_incident_needs_no_old_secret(tmp_path: Path) -> None:
    done(run("migrate", **of(tmp_path / "scribe.db", SCRIBE_SECRET=SIGNING_SECRET)))
    done(run("verify", **of(tmp_path / "scribe.db")))
    assert (tmp_path / "scribe.db.secret").exists()


def test_nothing_is_sealed_anew_while_something_else_is_wrong(record: Path) -> None:
    change(record, 'UPDATE words SET words = \'{"text":"other"}\' WHERE seq = 2')
    before = rows(record)
    result = run("verify", "--reseal", **of(record, SCRIBE_SECRET="another one, of sixteen letters"))
    assert result.exit_code == 1
    assert "the text was changed" in result.stderr
    assert rows(record) == before


def test_a_head_that_somebody_else_sealed_is_not_sealed_by_what_is_recorded_after(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    place = told.stage.app.store
    place.close()
    change(told.database, "UPDATE incidents SET seal = '00'")
    told.open()
    assert "was sealed with another secret" in caplog.text
    told.type("note the log is full")
    result = run("verify", **told.given)
    assert result.exit_code == 1
    assert "the seal of the chain's head is not ours" in result.stderr
    assert "it is not the one with which the record was sealed" in " ".join(run("doctor", **told.given).stdout.split())
    done(run("verify", "--reseal", **told.given))
    told.type("note there is room again")
    done(run("verify", **told.given))


# ---- schemas -------------------------------------------------------------------------------------


def built(schema: str, path: Path) -> None:
    """A record as a program of that schema left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript((SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8"))
        database.execute("PRAGMA journal_mode=WAL")


def store_on(path: Path, migrations: Path | None = None) -> Store:
    return Store(path, migrations=migrations or resources("migrations"), secret=SECRET, randomness=os.urandom)


def as_it_was(path: Path, number: int, press: Press) -> dict[str, bytes]:
    """The documents of an incident, composed from the rows of an earlier schema as they lie there."""
    with closing(store_on(path)) as store, closing(sqlite3.connect(path)) as database, store.reading() as tx:
        place = tx.by_number("T0SCRIBE", number)
        assert place is not None
        stored: list[tuple[str, JSON, JSON | None]] = tx.stored(place.key)
        names = dict(database.execute("SELECT key, name FROM people"))
    named = {facts[field] for _, facts, _ in stored for field in ("by", "person", "author") if facts.get(field)}
    names = {key: name for key, name in names.items() if key in named}
    page, _ = app.compose(press, place, stored, names, 1)
    return {"document": page.document, "annex": page.annex, "json": page.json}


@pytest.mark.parametrize("schema", sorted(path.stem for path in SCHEMAS.glob("*.sql")))
def test_a_record_of_each_earlier_schema_is_upgraded_with_all_that_it_holds(
    schema: str, tmp_path: Path, press: Press
) -> None:
    path = tmp_path / "scribe.db"
    built(schema, path)
    before = rows(path)
    assert all(before[name] for name in before), "every table has a row"
    composed = {number: as_it_was(path, number, press) for number in (1, 2)}
    given = of(path, SCRIBE_SECRET=SIGNING_SECRET)
    said = done(run("migrate", **given))
    assert "applied m000" in said
    after = rows(path)
    for name in ("teams", "people", "incidents", "events", "words", "requests", "offers", "receipts"):
        width = len(before[name][0])  # a later schema may have columns of its own behind
        assert [row[:width] for row in after[name]] == before[name], name
    for name in ("channels", "revisions", "letters"):
        assert len(after[name]) == len(before[name]), name
    done(run("verify", **given))
    with closing(store_on(path)) as store:
        kept = Documents(store, partial(app.compose, press))
        for number in (1, 2):
            page = kept.at(number, len([row for row in before["events"] if row[0] == number]), 1).page
            assert {"document": page.document, "annex": page.annex, "json": page.json} == composed[number]


@pytest.mark.parametrize("schema", sorted(path.stem for path in SCHEMAS.glob("*.sql")))
def test_a_backup_of_an_earlier_schema_is_restored_to_that_of_today(schema: str, tmp_path: Path, press: Press) -> None:
    old = tmp_path / "old.db"
    built(schema, old)
    kept = files(tmp_path)
    given = of(tmp_path / "data" / "scribe.db", SCRIBE_SECRET=SIGNING_SECRET)
    said = done(run("restore", old, **given))
    assert "Its schema was brought up to date: " in said
    assert files(tmp_path) == kept
    done(run("verify", **given))
    # other chance than that of the stage on which the schemas were made, which gave the same keys
    stage = Stage(tmp_path / "data", datetime(2026, 11, 21, 5, 0, tzinfo=UTC), press=press, seed=7)
    ada = stage.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = stage.workspace.add_channel("search", members=[ada])
    for line in ("start sev3 Search is slow", "note CPU is at 100 %", "resolve Back to normal"):
        stage.clock.advance(timedelta(minutes=1))
        assert stage.workspace.command(ada, channel, line).in_channel
    stage.settle()
    with stage.app.store.reading() as tx:
        assert [fold(tx.events(one.key), one.number).title for one in tx.all_places()][2:] == ["Search is slow"]
    assert [one for one in stage.workspace.messages(channel) if "Postmortem draft" in one.text]
    stage.app.store.close()
    done(run("verify", **given))


def newer(path: Path) -> None:
    change(
        path,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scribe', 'm9999_future', '2031')",
    )


EVERY = [("serve",), ("export", "1"), ("verify",), ("verify", "--reseal"), ("migrate",), ("doctor", "--resend")]


@pytest.mark.parametrize("arguments", [*EVERY, ("backup", "b.db"), ("doctor",)], ids=" ".join)
@pytest.mark.parametrize("log", [False, True], ids=["closed", "with a log"])
def test_a_newer_schema_is_refused_by_every_command_and_left_as_it_is(
    record: Path, arguments: tuple[str, ...], log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(record.parent)
    newer(record)
    if log:  # as a newer program leaves it that was killed
        with closing(sqlite3.connect(record)) as other:
            other.execute("UPDATE incidents SET private = private")
            other.commit()
            left = files(record.parent)
        for name, content in left.items():
            (record.parent / name).write_bytes(content)
        assert "scribe.db-wal" in left

    def there() -> dict[str, bytes]:  # SQLite keeps in the -shm who reads what at the moment
        return {name: content for name, content in files(record.parent).items() if not name.endswith("-shm")}

    before = there()
    result = run(*arguments, **of(record, **SLACK))
    assert result.exit_code == 2
    assert "was written by a newer Scribe (it has m9999_future)" in " ".join(result.output.split())
    assert there() == before


def test_a_backup_of_a_newer_program_is_neither_verified_nor_restored(backup: Path, tmp_path: Path) -> None:
    newer(backup)
    before = files(backup.parent)
    new = tmp_path / "new" / "scribe.db"
    assert "was written by a newer Scribe" in refused(run("verify", backup))
    assert "was written by a newer Scribe" in refused(run("restore", backup, **of(new)))
    assert files(new.parent) == {}
    assert files(backup.parent) == before


MIGRATE = """
import os, pathlib, sys
from bot.store import Store
store = Store(pathlib.Path(sys.argv[1]), migrations=pathlib.Path(sys.argv[2]), secret=b"s", randomness=os.urandom)
print(",".join(store.migrate()), flush=True)
"""


def migrating(path: Path, migrations: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MIGRATE, str(path), str(migrations)],
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("schema", sorted(path.stem for path in SCHEMAS.glob("*.sql")))
def test_a_migration_that_is_killed_leaves_the_record_as_it_was(schema: str, tmp_path: Path) -> None:
    path, steps = tmp_path / "scribe.db", tmp_path / "migrations"
    built(schema, path)
    before = rows(path)
    shutil.copytree(resources("migrations"), steps, ignore=shutil.ignore_patterns("__pycache__"))
    (steps / "m9998_slow.py").write_text(  # after the others are applied; larger than what SQLite keeps in memory
        "def migrate(db):\n"
        "    db.execute('CREATE TABLE slow (x BLOB) STRICT')\n"
        "    for _ in range(400):\n"
        "        db.execute('INSERT INTO slow VALUES (zeroblob(20000))')\n"
        "    print('in the middle', flush=True)\n"
        "    input()\n"
    )
    process = migrating(path, steps)
    assert process.stdout is not None
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert rows(path) == before
    given = of(path, SCRIBE_SECRET=SIGNING_SECRET)
    assert "applied m000" in done(run("migrate", **given))
    done(run("verify", **given))


@pytest.mark.parametrize("schema", sorted(path.stem for path in SCHEMAS.glob("*.sql")))
def test_processes_that_start_together_upgrade_a_record_once(schema: str, tmp_path: Path) -> None:
    path = tmp_path / "scribe.db"
    built(schema, path)
    processes = [migrating(path, resources("migrations")) for _ in range(3)]
    said = sorted(process.communicate(timeout=PATIENCE)[0].strip() for process in processes)
    assert said[:2] == ["", ""]
    assert said[2].split(",")[-1] == sorted(one.stem for one in resources("migrations").glob("m0*.py"))[-1]
    assert [process.returncode for process in processes] == [0, 0, 0]
    done(run("verify", **of(path, SCRIBE_SECRET=SIGNING_SECRET)))


def test_settings_name_the_file_of_the_secret() -> None:
    assert settings.beside(Settings().database) == Path("data/scribe.db.secret")
