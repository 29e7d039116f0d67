"""How `scribe serve` ends: what is in hand is finished or put back, within ten seconds, whatever hangs meanwhile."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.store import Store
from bot.workspace import Answer, Message, Workspace
from bot.workspace.server import WorkspaceServer
from tests.conftest import started_serve

SIGNING_SECRET = "9a8b4c3d2e1f0a9b8c7d6e5f5e7f1c0d"
PATIENCE = 30.0
GRACE = 10.0
"""Seconds in which it has to be gone."""
FOREVER = 120.0
"""Seconds for which a Slack that hangs says nothing: it is let go when the test is over."""


class Scene:
    """Ada and a channel in a workspace on a port, and processes that serve it from one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "scribe.db"
        self.workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
        self.server = WorkspaceServer(self.workspace).start()
        self.ada = self.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.workspace.add_user("ben", display_name="Ben", tz="America/New_York")
        self.channel = self.workspace.add_channel("payments", members=[self.ada, self.ben])
        self.started: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def serve(self, **settings: str) -> subprocess.Popen[bytes]:
        """Another process; what is typed from now on goes there."""
        number = len(self.started)
        out, log = self.folder / f"stdout-{number}.txt", self.folder / f"stderr-{number}.txt"
        given = {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "SCRIBE_DATABASE": str(self.database)} | settings
        one = started_serve(self.workspace, self.server.api_url, self.folder, out, log, **given)
        self.started.append(one)
        self.eventually(lambda: "listens on" in out.read_text(), "the line that says where it listens")
        found = re.search(r"http://127\.0\.0\.1:\d+", out.read_text())
        assert found
        self.address = found[0]
        if "SLACK_APP_TOKEN" in settings:
            self.server.attach_sockets(PATIENCE)
            self.server.sockets.wait(timeout=PATIENCE)
        else:
            self.server.attach_http(self.address, PATIENCE)
        return one

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("stderr-*.txt")))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log().splitlines()]

    def eventually(self, true: Callable[[], object], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < until, f"{what} did not come in {PATIENCE:.0f} s:\n{self.log()}"
            time.sleep(0.02)

    def record(self, line: str) -> Answer:
        answer = self.workspace.command(self.ada, self.channel, line)
        assert answer.in_channel, (line, answer.failure, answer.text)
        return answer

    def typing_a_clock_time(self) -> tuple[list[Answer], threading.Thread]:
        """Ben types, and his zone is being looked up."""
        answers: list[Answer] = []
        line = f"note {datetime.now(ZoneInfo(self.ben.tz)):%H:%M} load is at 40"
        typing = threading.Thread(target=lambda: answers.append(self.workspace.command(self.ben, self.channel, line)))
        typing.start()
        self.eventually(lambda: not any(wait.times for wait in self.server.waits), "the look-up of a zone")
        return answers, typing

    def letters(self) -> dict[str, str]:
        """The state of the letters, by kind."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return dict(database.execute("SELECT kind, state FROM letters ORDER BY key").fetchall())

    def drafts(self) -> list[Message]:
        return [one for one in self.workspace.messages(self.channel) if "Postmortem draft" in one.text]

    def resolve_into_silence(self) -> None:
        """Resolves; Slack takes the draft and never says so."""
        self.record("start Checkout fails")
        self.eventually(lambda: self.letters().get("board") == "sent", "Scribe and the board in the channel")
        self.server.slow("chat.postMessage", FOREVER)
        self.record("resolve at now")
        self.eventually(lambda: len(self.drafts()) == 1, "the draft")

    def the_draft_is_settled(self) -> None:
        self.eventually(lambda: self.letters()["announce"] == "sent", "the draft to be settled")

    def close(self) -> None:
        for one in self.started:
            if one.poll() is None:
                one.kill()
                one.wait(PATIENCE)
        self.server.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def ended(one: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    """The exit status after a signal."""
    one.send_signal(number)
    return one.wait(GRACE)


def test_what_slack_does_not_confirm_is_put_back_at_sigterm_and_posted_once(scene: Scene) -> None:
    first = scene.serve()
    scene.resolve_into_silence()
    assert scene.letters()["announce"] == "leased"
    assert ended(first) == 0
    assert scene.letters()["announce"] == "waiting"
    assert "Traceback" not in scene.log()
    assert any("sent after the next start: 1" in line["message"] for line in scene.lines())
    scene.serve()
    scene.the_draft_is_settled()
    assert len(scene.drafts()) == 1


def test_what_a_killed_process_had_in_hand_is_taken_over_at_the_next_start(scene: Scene) -> None:
    first = scene.serve()
    scene.resolve_into_silence()
    first.kill()
    first.wait(PATIENCE)
    assert scene.letters()["announce"] == "leased"
    scene.serve()
    scene.the_draft_is_settled()
    assert len(scene.drafts()) == 1


@pytest.mark.slow
def test_what_a_living_process_has_in_hand_is_left_to_it(scene: Scene) -> None:
    scene.serve()
    scene.resolve_into_silence()
    scene.serve()
    scene.record("start Search is slow")
    scene.eventually(lambda: len(scene.workspace.called("conversations.info")) >= 2, "a letter of the second process")
    with closing(sqlite3.connect(f"file:{scene.database}?mode=ro", uri=True)) as database:
        (found,) = database.execute("SELECT state, attempts FROM letters WHERE kind = 'announce'").fetchall()
    assert found == ("leased", 1)


@pytest.mark.slow
def test_a_letter_in_hand_is_finished_first(scene: Scene) -> None:
    one = scene.serve()
    scene.record("start Checkout fails")
    scene.eventually(lambda: scene.letters().get("arrive") == "sent", "Scribe in the channel")
    scene.server.slow("chat.postMessage", 1.5, moment="before")
    scene.record("resolve at now")
    scene.eventually(lambda: scene.letters().get("announce") == "leased", "the draft to be in hand")
    scene.eventually(lambda: not any(wait.times for wait in scene.server.waits), "the call")
    assert ended(one) == 0
    assert scene.letters()["announce"] == "sent"
    assert len(scene.drafts()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGHUP])
def test_to_be_told_again_and_again_changes_nothing_for_a_request_in_hand(scene: Scene, number: int) -> None:
    one = scene.serve()
    scene.record("start Checkout fails")
    scene.server.slow("users.info", 1.2, moment="before")
    answers, typing = scene.typing_a_clock_time()
    while typing.is_alive():  # one comes while another is being heard
        one.send_signal(number)
    assert [(answer.status, answer.in_channel) for answer in answers] == [(200, True)]
    until = time.monotonic() + GRACE
    while one.poll() is None and time.monotonic() < until:  # and while the interpreter ends
        one.send_signal(number)
    assert one.poll() == 0
    assert "Traceback" not in scene.log()


@pytest.mark.slow
def test_nohup_keeps_it_running(scene: Scene) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        one = scene.serve()
    finally:
        signal.signal(signal.SIGHUP, before)
    one.send_signal(signal.SIGHUP)
    scene.record("start Checkout fails")
    assert ended(one) == 0


def test_while_it_finishes_it_says_that_it_is_stopping(scene: Scene) -> None:
    one = scene.serve()
    scene.record("start Checkout fails")
    with closing(http.client.HTTPConnection(scene.address.removeprefix("http://"), timeout=PATIENCE)) as kept:
        assert readiness(kept) == (200, "ready", {})
        scene.server.slow("users.info", 2.0, moment="before")
        answers, typing = scene.typing_a_clock_time()
        one.terminate()
        scene.eventually(lambda: "stopping: " in scene.log(), "the signal")
        assert readiness(kept) == (503, "not ready", {"stopping": "it is stopping"})
    typing.join(PATIENCE)
    assert [answer.in_channel for answer in answers] == [True]
    assert one.wait(GRACE) == 0


def readiness(connection: http.client.HTTPConnection) -> tuple[int, str, dict[str, str]]:
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    found = json.loads(answer.read())
    return answer.status, found["status"], found["problems"]


def test_over_socket_mode_what_is_in_hand_is_recorded_and_acknowledged(scene: Scene) -> None:
    one = scene.serve(SLACK_APP_TOKEN=scene.workspace.app_token, SLACK_SIGNING_SECRET="")
    scene.record("start Checkout fails")
    scene.server.slow("users.info", 1.0, moment="before")
    answers, typing = scene.typing_a_clock_time()
    assert ended(one) == 0
    typing.join(PATIENCE)
    assert [(answer.status, answer.in_channel) for answer in answers] == [(200, True)]
    with closing(sqlite3.connect(f"file:{scene.database}?mode=ro", uri=True)) as database:
        assert database.execute("SELECT count(*) FROM events").fetchone() == (2,)
    assert "Traceback" not in scene.log()


@pytest.mark.slow
def test_a_page_that_never_ends_keeps_no_process_from_ending_and_leaves_no_orphan(scene: Scene) -> None:
    own = scene.folder / "own"
    own.mkdir()
    long = "{% for a in range(90000) %}" * 2 + "{% endfor %}" * 2
    (own / "endless.md.j2").write_text(long)
    one = scene.serve(SCRIBE_TEMPLATES=str(own))
    scene.record("start Checkout fails")
    assert scene.workspace.command(scene.ada, scene.channel, "draft endless").ok
    scene.eventually(lambda: any(busy(child) for child in children(one.pid)), "the press")
    pressing = children(one.pid)
    assert ended(one) == 0
    scene.eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pressing), "the end of the press")
    assert scene.letters()["show"] == "waiting"
    assert "Traceback" not in scene.log()


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def busy(pid: int) -> bool:
    """Whether a process has computed for more than two seconds."""
    with suppress(OSError):
        used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(used[11]) / os.sysconf("SC_CLK_TCK") > 2
    return False


def test_who_starts_alone_takes_over_before_anybody_else_can_start(tmp_path: Path) -> None:
    def opened() -> Store:
        return Store(tmp_path / "scribe.db", migrations=Path("migrations"), secret=b"s" * 16, randomness=os.urandom)

    told: list[str] = []
    with closing(opened()) as first, closing(opened()) as second, closing(opened()) as third:
        second_starts = threading.Thread(target=lambda: told.append(f"second {second.serves_alone()}"))

        def alone() -> None:
            second_starts.start()
            told.append("first takes over")

        assert first.serves_alone(alone)
        second_starts.join(PATIENCE)
        assert told == ["first takes over", "second False"]
        first.close()
        assert not third.serves_alone(), "the second is there still"
        second.close()
        third.close()
        assert third.serves_alone(), "whoever is gone holds nothing"


def test_where_no_lock_can_be_had_nobody_is_alone_and_all_the_same_it_starts(tmp_path: Path) -> None:
    (tmp_path / "scribe.db.serving").mkdir()
    store = Store(tmp_path / "scribe.db", migrations=Path("migrations"), secret=b"s" * 16, randomness=os.urandom)
    with closing(store):
        assert not store.serves_alone(pytest.fail)
