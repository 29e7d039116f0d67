"""What was acknowledged is on the disk: after kill -9, and where the disk is full, fails or is read-only."""

from __future__ import annotations

import fcntl
import logging
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.errors import Unrecorded
from bot.exporters import write_one
from bot.store import Store
from bot.workspace import Answer, Channel, User, Workspace
from bot.workspace.server import WorkspaceServer, over_http
from bot.workspace.stage import Stage
from tests.torture import OWN_SECRET, SIGNING_SECRET, Plan, Serving, World

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
FULL = (
    "Nothing was recorded: the disk of the machine that runs Scribe is full. Whoever runs Scribe has to make room.\n"
    "Your line, for when you send it again:\n"
)
FAILED = FULL.replace("is full", "has failed").replace("make room", "look after it")


# ---- kill -9 -------------------------------------------------------------------------------------


def test_nothing_is_lost_and_nothing_doubled_however_often_it_is_killed(tmp_path: Path) -> None:
    plan = Plan(kills=3, clients=2, crowd=1, seed=int(time.time()), births=1, pause=0.15)
    figures = World(plan, tmp_path, lambda words: None).run()
    assert sum(figures.kills.values()) >= 4
    assert figures.documents == figures.incidents > 0


def test_every_connection_waits_until_a_commit_has_reached_the_disk(stage: Stage) -> None:
    def looked() -> tuple[int, str]:
        connection = stage.app.store._connection()
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        return level, mode

    found = [looked()]
    other = threading.Thread(target=lambda: found.append(looked()))
    other.start()
    other.join()
    assert found == [(2, "wal"), (2, "wal")]  # 2 is FULL


KILLED = """
import os, sys
from pathlib import Path
from bot.store import Store
store = Store(Path(sys.argv[1]), migrations=Path("migrations"), secret=b"s", randomness=os.urandom)
store._connection().set_trace_callback(lambda said: said == "VACUUM" and os.kill(os.getpid(), 9))
with store.writing() as tx:
    tx.destroy_words(tx.all_places()[0].key, [2])
"""


def test_a_text_that_was_destroyed_right_before_a_kill_leaves_the_file_at_the_next_start(room: Room) -> None:
    room.type("note the password is hunter2-hunter2")
    path = room.stage.app.store.path
    room.stage.app.store.close()
    subprocess.run([sys.executable, "-c", KILLED, path], cwd=ROOT, timeout=PATIENCE, check=False)

    def holding() -> list[str]:
        return sorted(one.name for one in path.parent.glob("scribe.db*") if b"hunter2-hunter2" in one.read_bytes())

    assert "scribe.db" in holding()
    room.stage.restart()
    assert holding() == []
    room.stage.restart()
    assert room.texts() == ["Checkout returns errors"]


# ---- a disk that takes nothing -------------------------------------------------------------------


class Room:
    """A stage with somebody and an open incident, whose disk can be full."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.workspace = stage, stage.workspace
        self.ada: User = self.workspace.add_user("ada", display_name="Ada", tz="UTC")
        self.channel: Channel = self.workspace.add_channel("payments", members=[self.ada])
        self.type("start Checkout returns errors")
        stage.pump()

    def type(self, line: str) -> Answer:
        return self.workspace.command(self.ada, self.channel, line)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not one page more, as on a disk without room."""
        connection = self.stage.app.store._connection()
        connection.execute("CREATE TABLE ballast (filler BLOB)")
        connection.execute("PRAGMA max_page_count=1")  # SQLite makes of it what the file has by now
        for size in (3000, 300, 30):  # and the pages that it has are filled
            with suppress(sqlite3.OperationalError):
                while True:
                    connection.execute("INSERT INTO ballast VALUES (zeroblob(?))", (size,))
        try:
            yield
        finally:
            connection.execute("PRAGMA max_page_count=4294967294")

    def texts(self) -> list[str]:
        with self.stage.app.store.reading() as tx:
            (place,) = tx.all_places()
            return [text for one in tx.events(place.key) if (text := getattr(one, "text", ""))]


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


DASHES = "– " * 1400
"""In bytes more than a page holds."""
LONG = f"note CPU is at 100 % & <falling> {DASHES}".strip()


def test_on_a_full_disk_a_line_is_given_back_and_recorded_when_it_is_sent_again(room: Room) -> None:
    with room.full():
        answer = room.type(LONG)
        assert (answer.status, answer.in_channel) == (200, False)
        assert answer.text.startswith(FULL.replace("&", "&amp;"))
        given_back = "".join(block["text"]["text"] for block in answer.blocks)
        assert "/incident note CPU is at 100 % &amp; &lt;falling&gt; – –" in given_back
        assert room.texts() == ["Checkout returns errors"]
    assert answer.request is not None
    assert room.workspace.redeliver(answer.request).text.startswith("📝 #2 ")
    assert room.workspace.redeliver(answer.request).text.startswith("📝 #2 ")
    assert room.texts() == ["Checkout returns errors", LONG.removeprefix("note ")]
    assert room.stage.app.store.verify()[2] == []


def test_on_a_full_disk_one_can_still_look(room: Room) -> None:
    with room.full():
        assert "Checkout returns errors" in room.type("timeline").text
        assert "sev1" in room.type("help start").text


def test_on_a_full_disk_a_line_that_is_refused_is_no_fault(room: Room) -> None:
    with room.full():
        answer = room.type(f"the cache looks odd {DASHES}")
    assert answer.text.startswith(FULL)


def test_on_a_full_disk_a_form_keeps_what_was_filled_in(room: Room) -> None:
    said = room.workspace.say(room.ada, room.channel, "We rolled back")
    room.workspace.message_shortcut(room.ada, room.channel, said, "add_to_timeline")
    with room.full():
        answer = room.workspace.submit(room.ada, values={"kind": "action", "text": DASHES})
        assert set(answer.errors.values()) == {FULL.partition("\n")[0]}
    assert room.workspace.submit(room.ada, values={"kind": "action", "text": "We rolled back"}).errors == {}
    assert room.texts() == ["Checkout returns errors", "We rolled back"]


def test_on_a_full_disk_slack_keeps_an_event_and_marks_a_button(room: Room) -> None:
    asked = room.type(f"the cache looks odd {DASHES}")
    with room.full():
        room.workspace.say(room.ada, room.channel, f"@scribe {LONG}")
        tapped = room.workspace.click(room.ada, asked, "Note")
    assert [one["event"]["type"] for one in room.workspace.undelivered] == ["app_mention"]
    assert (tapped.status, tapped.failure) == (500, "dispatch_failed")
    (kept,) = room.workspace.undelivered
    for retry in (1, 2):
        assert room.workspace.event(kept["event"], event_id=kept["event_id"], retry_num=retry).status == 200
        assert room.workspace.click(room.ada, asked, "Note").ok
    wanted = ["Checkout returns errors", LONG.removeprefix("note "), f"the cache looks odd {DASHES}".strip()]
    assert [text.strip() for text in room.texts()] == wanted


def test_the_log_hears_of_a_full_disk_once_and_never_with_a_stack_trace(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    with room.full(), caplog.at_level(logging.INFO):
        for _ in range(5):
            room.type(LONG)
    told = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.name for one in told] == ["scribe.store"]
    assert "is full (database or disk is full, SQLITE_FULL)" in told[0].getMessage()
    assert not any(one.exc_info for one in caplog.records)


def read_only(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA query_only=ON")


def held_by_another(connection: sqlite3.Connection, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    connection.create_function("keep", 0, lambda: other)  # as long as the connection is there


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (read_only, "the disk of the machine that runs Scribe cannot be written to"),
        pytest.param(held_by_another, "another program holds Scribe's database", marks=pytest.mark.slow),
    ],
)
def test_what_else_is_wrong_with_the_file_is_said_to_the_person(
    room: Room, trouble: Callable[[sqlite3.Connection, Path], None], reason: str
) -> None:
    store = room.stage.app.store
    trouble(store._connection(), store.path)
    assert room.type("note CPU is at 100 %").text.startswith(f"Nothing was recorded: {reason}.")


def test_a_damaged_file_is_said_to_be_damaged(room: Room) -> None:
    store = room.stage.app.store
    store.close()
    size = store.path.stat().st_size
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(Unrecorded, match="is damaged"), store.writing() as tx:
        tx.all_places()


def test_a_defect_in_a_query_is_still_a_defect(room: Room) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), room.stage.app.store.reading() as tx:
        tx.row("SELECT * FROM nowhere")


# ---- files ---------------------------------------------------------------------------------------

WRITING = """
import resource, sys
from pathlib import Path
from bot.exporters import write_one
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_one(Path(sys.argv[1]), "0001-checkout.md", b"new" * 1000)
except OSError as failure:
    print(failure.strerror)
"""


def test_a_document_that_does_not_fit_leaves_the_one_before_as_it_was(tmp_path: Path) -> None:
    write_one(tmp_path, "0001-checkout.md", b"old")
    done = subprocess.run(
        [sys.executable, "-c", WRITING, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.stderr) == ("File too large\n", "")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"0001-checkout.md": b"old"}


def test_what_a_killed_process_left_unfinished_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / ".0001-checkout.md.part").write_bytes(b"half of something longer")
    write_one(tmp_path, "0001-checkout.md", b"whole")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"0001-checkout.md": b"whole"}


def test_two_who_write_the_same_file_wait_for_each_other(tmp_path: Path) -> None:
    draft, path = tmp_path / ".0001-checkout.md.part", tmp_path / "0001-checkout.md"
    writing = threading.Thread(target=write_one, args=(tmp_path, path.name, b"second"))
    with draft.open("wb") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        writing.start()
        first.write(b"first")
        first.flush()
        draft.replace(path)
        assert path.read_bytes() == b"first"
    writing.join(PATIENCE)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {path.name: b"second"}


# ---- the process beside such a disk --------------------------------------------------------------


class Scene:
    """A workspace, `scribe serve` before it, and somebody with an open incident."""

    def __init__(self, slack: WorkspaceServer, serving: Serving) -> None:
        self.slack, self.workspace, self.serving = slack, slack.workspace, serving
        self.ada: User = self.workspace.add_user("ada", display_name="Ada", tz="UTC")
        self.channel: Channel = self.workspace.add_channel("payments", members=[self.ada])

    def start(self) -> None:
        self.serving.spawn()
        self.serving.await_ready()
        self.workspace.attach(over_http(f"http://127.0.0.1:{self.serving.port}", PATIENCE))

    def type(self, line: str) -> Answer:
        answer = self.workspace.command(self.ada, self.channel, line)
        assert answer.ok, (line, answer.failure, self.said())
        return answer

    def record(self, line: str) -> None:
        answer = self.type(line)
        assert answer.in_channel, (line, answer.text, self.said())

    def said(self) -> str:
        return self.serving.log.read_text(encoding="utf-8")

    def draft(self) -> str:
        """The draft's post, once it is there."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for one in self.channel.messages:
                if one.metadata and not one.is_reply:
                    return one.text
            time.sleep(0.02)
        pytest.fail(f"no draft came:\n{self.said()}")

    def findings(self, database: Path) -> tuple[int, int, list[object]]:
        store = Store(
            database, migrations=ROOT / "migrations", secret=OWN_SECRET.encode(), randomness=os.urandom, look_only=True
        )
        with closing(store):
            incidents, events, found = store.verify()
            return incidents, events, list(found)


@pytest.fixture
def scene_on(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """Scenes on a disk, with what starts the process."""
    workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
    made: list[Scene] = []
    with WorkspaceServer(workspace) as slack:

        def build(disk: Path | None = None, within: tuple[str, ...] = ()) -> Scene:
            serving = Serving(tmp_path, slack.api_url, workspace.bot_token, disk=disk, within=within)
            made.append(Scene(slack, serving))
            return made[-1]

        yield build
        for one in made:
            one.serving.close()


def test_a_disk_that_takes_no_more_and_then_does_again_needs_no_restart(scene_on: Callable[..., Scene]) -> None:
    scene = scene_on()
    scene.start()
    serving, log = scene.serving, scene.serving.database.with_name("scribe.db-wal")
    scene.record("start Checkout returns errors")
    assert serving.popen is not None
    _, most = resource.prlimit(serving.popen.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(serving.popen.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, most))  # the log grows no more
    lost = scene.type("note CPU is at 100 %")
    assert lost.text == f"{FAILED}/incident note CPU is at 100 %"
    assert "Checkout returns errors" in scene.type("timeline").text
    assert not scene.type("resolve at now").in_channel
    resource.prlimit(serving.popen.pid, resource.RLIMIT_FSIZE, (most, most))
    assert lost.request is not None
    assert scene.workspace.redeliver(lost.request).in_channel
    scene.record("resolve at now")
    assert "Checkout returns errors" in scene.draft()
    assert serving.stop()
    assert scene.findings(serving.database) == (1, 3, [])
    said = scene.said()
    assert "Traceback" not in said
    assert said.count("cannot be used") == 1


@pytest.mark.slow
def test_a_full_disk_is_refused_clearly_and_recovered_from(
    small_disk: tuple[Path, Path, tuple[str, ...]], scene_on: Callable[..., Scene]
) -> None:
    disk, seen, within = small_disk
    scene = scene_on(disk, within)
    scene.start()
    scene.record("start Checkout returns errors")
    filler = seen / "filler"
    fill(filler)
    refused = scene.type(LONG)
    assert refused.text.startswith(FULL)
    assert not scene.type("resolve at now").in_channel
    filler.unlink()
    assert refused.request is not None
    assert scene.workspace.redeliver(refused.request).in_channel

    scene.record("resolve at now")
    assert "Checkout returns errors" in scene.draft()
    assert [path.name for path in (seen / "postmortems").glob(".*")] == []

    # It starts on a full disk, or says why not; with room it starts.
    scene.serving.kill()
    fill(filler)
    scene.serving.spawn()
    assert scene.serving.popen is not None
    assert scene.serving.popen.stdout is not None
    if not scene.serving.popen.stdout.readline():
        assert scene.serving.popen.wait(PATIENCE) == 2
        assert "is full" in scene.said().splitlines()[-1]
    else:
        scene.serving.kill()
    filler.unlink()
    scene.start()
    scene.record("note and on it goes")
    assert scene.serving.stop()
    assert "Traceback" not in scene.said()
    copied = shutil.copytree(seen / "data", scene.serving.folder / "copied")  # SQLite goes by the real path
    assert scene.findings(copied / "scribe.db")[2] == []


def fill(path: Path) -> None:
    """Writes until the disk is full."""
    with path.open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Path, tuple[str, ...]]]:
    """A file system of 3 MB of its own: where it is, where it is seen from here, and how to start a program in it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=3m none {disk} && echo there && exec cat"
    ways = {("unshare", "-m"): ("-m",), ("unshare", "-rm"): ("-U", "--preserve-credentials", "-m")}
    for way, entered in ways.items():
        if shutil.which(way[0]) is None or shutil.which("nsenter") is None:
            continue
        with subprocess.Popen(
            [*way, "sh", "-c", mount], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as keeper:
            assert keeper.stdout is not None
            if keeper.stdout.readline() == b"there\n":
                yield disk, Path(f"/proc/{keeper.pid}/root{disk}"), ("nsenter", "-t", str(keeper.pid), *entered)
                return
    pytest.skip("no file system can be mounted here, neither as root nor in a namespace of one's own")
