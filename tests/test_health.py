"""How it says that it is doing: alive, ready and why not, and figures that Prometheus reads."""

from __future__ import annotations

import http.client
import json
import re
import resource
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.app import _revive
from bot.health import Health
from bot.workspace import Channel, User, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import Stage
from tests.conftest import started_serve

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
SIGNING_SECRET = "0a9b8c7d6e5f5e7f1c0d9a8b4c3d2e1f"
OWN_SECRET = "the secret that signs links and the record"


class Ward:
    """The app on a stage, with Ada and a channel, and what it says of itself; nothing that was seen is kept."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ada: User = stage.workspace.add_user("ada", display_name="Ada Lovelace", tz="Europe/London")
        self.channel: Channel = stage.workspace.add_channel("payments", members=[self.ada], bot_in=True)
        self.health: Health = stage.app.health
        self.health._kept = 0.0

    def type(self, line: str) -> None:
        assert self.stage.workspace.command(self.ada, self.channel, line).ok

    def ready(self) -> tuple[int, dict[str, Any]]:
        answer = self.stage.app.web.test_client().get("/readyz")
        return answer.status_code, answer.get_json()

    def problems(self) -> dict[str, str]:
        status, found = self.ready()
        assert (status, found["status"]) == ((503, "not ready") if found["problems"] else (200, "ready"))
        return dict(found["problems"])

    def figures(self) -> dict[str, float]:
        """Every figure, under its name with its labels."""
        answer = self.stage.app.web.test_client().get("/metrics")
        assert answer.status_code == 200
        return samples(answer.text)


def samples(text: str) -> dict[str, float]:
    return {
        one.name + "".join(f" {name}={value}" for name, value in sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def ward(stage: Stage) -> Ward:
    return Ward(stage)


# ---- ready ---------------------------------------------------------------------------------------


def test_who_can_record_is_ready_and_says_how_the_outbox_is_doing(ward: Ward) -> None:
    ward.type("start Checkout fails")
    ward.stage.clock.advance(timedelta(seconds=40))
    status, found = ward.ready()
    assert (status, found["status"], found["problems"]) == (200, "ready", {})
    assert found["last_request_seconds"] == 40
    assert found["letters"]["oldest_late_seconds"] == 40
    ward.stage.pump()
    assert ward.ready()[1]["letters"] == {"waiting": 0, "in_hand": 0, "parked": 0, "oldest_late_seconds": None}


def test_a_letter_that_is_put_off_again_and_again_is_as_late_as_it_is(ward: Ward) -> None:
    ward.stage.workspace.away = True
    ward.type("start Checkout fails")
    for _ in range(40):
        ward.stage.pump()
        ward.stage.clock.advance(timedelta(seconds=30))
    assert ward.ready()[1]["letters"]["oldest_late_seconds"] == 1200
    assert ward.problems() == {}, "Slack is away, and what people type is recorded all the same"


def test_a_letter_that_is_not_due_is_not_late(ward: Ward) -> None:
    ward.type("start Checkout fails")
    ward.stage.pump()
    ward.type("resolve at now")
    letters = ward.ready()[1]["letters"]
    assert letters["waiting"] > 0
    assert letters["oldest_late_seconds"] is None


def test_a_letter_that_nobody_takes_is_counted_as_parked(ward: Ward) -> None:
    ward.type("start Checkout fails")
    ward.stage.pump()
    ward.stage.workspace.fail("chat.postMessage", error="restricted_action", times=50)
    ward.type("resolve at now")
    ward.stage.settle()
    parked = ward.ready()[1]["letters"]["parked"]
    assert parked > 0
    assert ward.figures()["scribe_letters state=parked"] == parked


def test_a_database_that_somebody_else_holds_is_named_and_nobody_waits_for_long(ward: Ward) -> None:
    with closing(sqlite3.connect(ward.stage.settings.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert ward.problems() == {"database": "another program holds Scribe's database"}
        other.execute("ROLLBACK")
    assert ward.problems() == {}


def test_a_database_that_is_gone_is_named_though_it_is_open_still(ward: Ward) -> None:
    database = ward.stage.settings.database
    away = database.rename(database.with_name("elsewhere.db"))
    assert ward.problems() == {"database": "Scribe's database cannot be opened"}
    assert ward.figures()["scribe_database_writable"] == 0
    away.rename(database)
    assert ward.problems() == {}


def test_a_database_that_a_newer_program_has_changed_is_named(ward: Ward) -> None:
    with closing(sqlite3.connect(ward.stage.settings.database)) as other, other:
        other.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scribe', 'm9999_future', '')"
        )
    assert ward.problems() == {"database": "a newer Scribe has changed the database"}


def test_a_thread_that_died_is_counted(ward: Ward) -> None:
    done, waiting = threading.Event(), threading.Thread(target=lambda: None)
    alive = threading.Thread(target=done.wait)
    for one in (waiting, alive):
        one.start()
    waiting.join()
    ward.health.senders = (waiting, alive)
    try:
        assert ward.problems() == {"senders": "1 of 2 have died"}
        assert ward.figures()["scribe_senders"] == 1
    finally:
        done.set()
        alive.join()


def test_a_thread_that_died_is_started_again(ward: Ward) -> None:
    stop, dead = threading.Event(), threading.Thread(target=lambda: None, name="outbox-1")
    dead.start()
    dead.join()
    ward.health.senders = (dead,)
    _revive(ward.stage.app, stop)
    (sender,) = ward.health.senders
    assert (sender.name, ward.problems()) == ("outbox-1", {})
    assert ward.figures()["scribe_senders_revived_total"] == 1
    stop.set()
    sender.join(PATIENCE)


class Line:
    """Socket Mode as the health knows it."""

    envelopes = 7

    def connected(self) -> bool:
        return False

    def age(self) -> timedelta:
        return timedelta(seconds=90)

    def close(self) -> None:
        """Nothing is open."""


def test_a_socket_that_is_not_connected_is_told_and_takes_no_readiness_away(ward: Ward) -> None:
    ward.health.sockets = Line()
    status, found = ward.ready()
    assert (status, found["socket_mode"]) == (200, {"connected": False, "last_envelope_seconds": 90})
    figures = ward.figures()
    assert figures["scribe_socket_mode_connected"] == 0
    assert figures["scribe_socket_mode_envelopes_total"] == 7
    assert figures["scribe_socket_mode_last_envelope_seconds"] == 90


def test_what_was_seen_is_shown_again_for_a_second(ward: Ward) -> None:
    ward.health._kept = 60.0
    assert ward.problems() == {}
    database = ward.stage.settings.database
    database.rename(database.with_name("elsewhere.db"))
    assert ward.problems() == {}


# ---- figures -------------------------------------------------------------------------------------


def test_what_happens_is_counted_by_kind_and_outcome(ward: Ward) -> None:
    before, workspace = ward.figures(), ward.stage.workspace
    workspace.fail("conversations.info", retry_after=1)
    ward.type("start Checkout fails")
    ward.type("note it burns")
    ward.type("status")
    ward.type("move 77 yesterday")
    offer = workspace.command(ward.ada, ward.channel, "the pool is empty")
    assert offer.request is not None
    workspace.redeliver(offer.request)
    workspace.click(ward.ada, offer, "Note")
    workspace.say(ward.ada, ward.channel, "@scribe note once more")
    ward.type("resolve at now")
    ward.stage.settle()
    after = ward.figures()
    grown = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
    counted = {name: value for name, value in grown.items() if name.startswith("scribe_requests_total")}
    assert counted.pop("scribe_requests_total kind=event outcome=heard") > 0
    assert counted == {
        "scribe_requests_total kind=command outcome=recorded": 3,
        "scribe_requests_total kind=command outcome=looked": 1,
        "scribe_requests_total kind=command outcome=refused": 1,
        "scribe_requests_total kind=command outcome=asked": 1,
        "scribe_requests_total kind=command outcome=repeated": 1,
        "scribe_requests_total kind=button outcome=recorded": 1,
        "scribe_requests_total kind=mention outcome=recorded": 1,
    }
    assert grown["scribe_request_duration_seconds_count kind=command"] == 7
    assert grown["scribe_commit_duration_seconds_count"] >= 5
    assert grown["scribe_letters_total kind=announce outcome=sent"] == 1
    assert grown["scribe_slack_calls_total method=chat.postMessage result=ok"] >= 2
    assert grown["scribe_slack_calls_total method=upload result=ok"] == 2
    assert grown["scribe_slack_calls_total method=conversations.info result=rate_limited"] == 1
    assert grown["scribe_press_duration_seconds_count work=document"] >= 1
    assert grown["scribe_http_requests_total route=/slack/events status=200"] >= 8
    assert after["scribe_incidents_open"] == 0
    assert after["scribe_database_writable"] == 1
    assert after["scribe_database_size_bytes file=database"] > 0


def test_a_defect_and_what_the_disk_refuses_are_counted(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.type("start Checkout fails")
    with monkeypatch.context() as broken:
        broken.setattr("bot.scribe.decide", None)
        ward.type("note it burns")
    connection = ward.stage.app.store._connection()
    connection.execute("PRAGMA query_only=ON")
    ward.type("note it burns")
    connection.execute("PRAGMA query_only=OFF")
    found = ward.figures()
    assert found["scribe_requests_total kind=command outcome=faulty"] == 1
    assert found["scribe_requests_total kind=command outcome=unrecorded"] == 1


def test_an_address_that_is_not_there_makes_no_series_of_its_own(ward: Ward) -> None:
    client = ward.stage.app.web.test_client()
    before = set(ward.figures())
    for number in range(50):
        client.get(f"/wp-admin/{number}")
        client.post("/slack/events", data=b"x", headers={"X-Slack-Request-Timestamp": str(number)})
    new = set(ward.figures()) - before
    assert new <= {
        "scribe_http_requests_total route=none status=404",
        "scribe_http_requests_total route=/slack/events status=401",
        "scribe_http_requests_total route=/metrics status=200",
    }


NAMES = re.compile(r"scribe_[a-z0-9_]+|process_[a-z0-9_]+")
LABELS = {"kind", "outcome", "route", "status", "method", "result", "work", "state", "file", "version", "le"}


def test_names_keep_to_the_conventions_and_nothing_is_told_of_anybody(ward: Ward) -> None:
    ward.type("start sev1 Zanzibar is unreachable")
    ward.type("resolve at now")
    ward.stage.settle()
    text = ward.stage.app.web.test_client().get("/metrics").text
    for family in text_string_to_metric_families(text):
        assert NAMES.fullmatch(family.name), family.name
        assert family.documentation.endswith("."), family.name
        if family.name.startswith("process_"):
            continue
        assert family.type != "unknown"
        for one in family.samples:
            assert set(one.labels) <= LABELS, one
            assert (family.type == "counter") == one.name.endswith("_total"), one.name
    told = text + json.dumps(ward.ready()[1])
    team = ward.stage.workspace.team
    for word in ("Zanzibar", "Lovelace", "payments", "INC-1", ward.ada.id, ward.channel.id, team, SIGNING_SECRET):
        assert word not in told


def test_the_documents_name_every_figure_and_no_other(ward: Ward) -> None:
    ward.health.sockets = Line()
    ward.type("start Checkout fails")
    text = ward.stage.app.web.test_client().get("/metrics").text
    told = {name for name in re.findall(r"^# HELP scribe_(\S+) ", text, re.MULTILINE)}
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = guide.partition("| figure | labels |")[2].partition("\n\n")[0]
    documented = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert documented == told
    for name in re.findall(r"scribe_(\w+)", guide):
        assert name.removesuffix("_bucket") in told, name


# ---- a process -----------------------------------------------------------------------------------


class Process:
    """`scribe serve` in front of a workspace on a port."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
        self.server = WorkspaceServer(self.workspace).start()
        self.out, self.log, self.database = folder / "out.txt", folder / "log.txt", folder / "scribe.db"
        self.popen: subprocess.Popen[bytes] = started_serve(
            self.workspace,
            self.server.api_url,
            folder,
            self.out,
            self.log,
            SLACK_SIGNING_SECRET=SIGNING_SECRET,
            SCRIBE_SECRET=OWN_SECRET,
            PYTHONDONTWRITEBYTECODE="1",  # a limit on files would cut those short too
        )
        self.eventually(lambda: "listens on" in self.out.read_text(), "the line that says where it listens")
        found = re.search(r"http://(127\.0\.0\.1:\d+)", self.out.read_text())
        assert found
        self.address = found[1]

    def eventually(self, true: Callable[[], object], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < until, f"{what} did not come in {PATIENCE:.0f} s:\n{self.log.read_text()}"
            time.sleep(0.05)

    def get(self, path: str) -> tuple[int, str]:
        with closing(http.client.HTTPConnection(self.address, timeout=PATIENCE)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def ready(self) -> tuple[int, dict[str, str]]:
        status, text = self.get("/readyz")
        return status, json.loads(text)["problems"]

    def close(self) -> None:
        self.popen.kill()
        self.popen.wait(PATIENCE)
        self.server.close()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    made = Process(tmp_path_factory.mktemp("serve"))
    yield made
    made.close()


def test_a_process_that_serves_is_ready_and_tells_figures(process: Process) -> None:
    assert process.ready() == (200, {})
    assert json.loads(process.get("/healthz")[1]) == {"status": "ok"}
    status, text = process.get("/metrics")
    found = samples(text)
    assert (status, found["scribe_senders"]) == (200, 3)
    assert found["process_resident_memory_bytes"] > 0


def test_its_log_is_json_where_no_terminal_reads_along(process: Process) -> None:
    process.eventually(lambda: "a letter was sent" in process.log.read_text(), "the first letter")
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    (sent,) = [line for line in lines if line.get("kind") == "learn"]
    assert (sent["level"], sent["logger"], sent["message"]) == ("info", "scribe.outbox", "a letter was sent")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_disk_that_takes_nothing_makes_it_not_ready_until_it_does_again(process: Process) -> None:
    assert process.ready() == (200, {})
    before = resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
    process.eventually(lambda: process.ready()[0] == 503, "the disk to be noticed")
    assert list(process.ready()[1]) == ["database"]
    assert process.get("/healthz")[0] == 200
    resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, before)
    process.eventually(lambda: process.ready() == (200, {}), "the disk to be noticed again")
