"""`scribe serve` as a process of its own: real HTTP, real signals, and a Slack that answers over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import pytest

from bot.core.events import Kind
from bot.core.incident import fold
from bot.store import Finding, Store
from bot.web import MAX_BODY
from bot.workspace import Answer, Channel, DoorReply, User, Workspace

ROOT = Path(__file__).resolve().parent.parent
SIGNING_SECRET = "5e7f1c0d9a8b4c3d2e1f0a9b8c7d6e5f"
BOT_TOKEN = "xoxb-1234567890-not-a-real-token"
OWN_SECRET = "the secret that signs links and the record"
PATIENCE = 20.0
GRACE = 10.0
"""Seconds in which a process has to be gone after SIGTERM."""

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], what: str, seconds: float = PATIENCE) -> Found:
    """Looks until there is something to see."""
    until = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > until:
            pytest.fail(f"after {seconds:.0f} s still waiting for {what}")
        time.sleep(0.01)
    return found


# ---- Slack, over HTTP ----------------------------------------------------------------------------


class SlackOverHTTP:
    """The workspace in memory behind a real Web API address. Methods named in `held` wait until they are let go."""

    def __init__(self) -> None:
        self.workspace = Workspace(
            clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, seed=7
        )
        self.held: dict[str, threading.Event] = {}
        self.waiting: list[tuple[str, str]] = []
        slack = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                path = self.path.strip("/")
                if path.startswith("upload/"):
                    reply = slack.workspace.upload(slack.site + self.path, body)
                else:
                    method, given = path.removeprefix("api/"), dict(parse_qsl(body.decode()))
                    if method in slack.held:
                        slack.waiting.append((method, given.get("user", "")))
                        slack.held[method].wait(PATIENCE)
                    token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
                    reply = slack.workspace.call(method, given, token)
                content = json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Whoever called is gone; a test that stops a process expects that."""

        self.server = Server(("127.0.0.1", 0), Door)
        self.site = f"http://127.0.0.1:{self.server.server_port}"
        self.workspace.upload_site = self.site
        self.address = f"{self.site}/api/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @contextmanager
    def holding(self, method: str) -> Iterator[None]:
        """Keeps whoever calls the method waiting while the block runs."""
        self.waiting.clear()
        self.held[method] = threading.Event()
        try:
            yield
        finally:
            self.held.pop(method).set()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


# ---- Scribe, as a process ------------------------------------------------------------------------


class Process:
    """`scribe serve` on a folder of its own; started again, it finds what it left."""

    def __init__(self, folder: Path, api_url: str, **settings: str) -> None:
        self.folder = folder
        self.database = folder / "data" / "scribe.db"
        self.exports = folder / "postmortems"
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": api_url,
            "SCRIBE_DATABASE": str(self.database),
            "SCRIBE_EXPORT_DIR": str(self.exports),
            "SCRIBE_SECRET": OWN_SECRET,
            "SCRIBE_DRAFT_DELAY": "0",
            "HOST": "127.0.0.1",
            "PORT": "0",
            **settings,
        }
        self.out = folder / "stdout.txt"
        self.log = folder / "stderr.txt"
        self.host, self.port = "127.0.0.1", 0
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        """Starts it; returns when it says that it listens."""
        with self.out.open("wb") as out, self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"], cwd=self.folder, env=self.environment, stdout=out, stderr=log
            )
        self.port = int(wait_for(self._listening, "the line that says where Scribe listens"))
        return self

    def _listening(self) -> str:
        assert self.popen is not None
        if self.popen.poll() is not None:
            pytest.fail(f"scribe serve ended with {self.popen.returncode}:\n{self.said()}")
        found = re.search(r"listens on http://127\.0\.0\.1:(\d+)", self.out.read_text())
        return found[1] if found else ""

    def said(self) -> str:
        """Everything that it wrote."""
        return "\n".join(path.read_text() for path in (self.out, self.log) if path.exists())

    @property
    def pid(self) -> int:
        assert self.popen is not None
        return self.popen.pid

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> DoorReply:
        """A request on a connection of its own."""
        with closing(self.connect()) as connection:
            connection.request(method, path, body, dict(headers or {}))
            return replied(connection)

    def door(self, path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        """The door at which the workspace knocks."""
        try:
            return self.ask("POST", path, body, headers)
        except http.client.HTTPException as broken:
            raise ConnectionError("the connection broke in the middle of the answer") from broken

    def refuses_connections(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        return False

    def ended(self, within: float = GRACE) -> int:
        """Its exit status, once it is gone."""
        assert self.popen is not None
        return self.popen.wait(within)

    def terminate(self) -> int:
        """SIGTERM, and the exit status."""
        assert self.popen is not None
        self.popen.terminate()
        return self.ended()

    def kill(self) -> None:
        """What a crash or a lost machine does."""
        assert self.popen is not None
        self.popen.kill()
        self.popen.wait(PATIENCE)

    def close(self) -> None:
        if self.popen is not None and self.popen.poll() is None:
            self.kill()

    # ---- what is on disk -------------------------------------------------------------------------

    def entries(self, number: int = 1) -> list[tuple[int, Kind, str]]:
        """The entries of an incident, read from the file as another process reads them."""
        with closing(self._store()) as store, store.reading() as tx:
            place = next(one for one in tx.all_places() if one.number == number)
            return [(e.number, e.kind, e.text) for e in fold(tx.events(place.key)).entries.values()]

    def findings(self) -> list[Finding]:
        """What `scribe verify` would find."""
        with closing(self._store()) as store:
            return store.verify()[2]

    def files(self) -> list[str]:
        return sorted(path.name for path in self.exports.glob("*")) if self.exports.exists() else []

    def half_written(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob(".*.part"))

    def _store(self) -> Store:
        return Store(
            self.database, migrations=ROOT / "migrations", secret=OWN_SECRET.encode(), randomness=lambda n: b"\0" * n
        )


def replied(connection: http.client.HTTPConnection) -> DoorReply:
    answer = connection.getresponse()
    return DoorReply(answer.status, dict(answer.getheaders()), answer.read())


class Scene:
    """A Slack workspace with two people and a channel, and the process at its door."""

    def __init__(self, slack: SlackOverHTTP, process: Process) -> None:
        self.slack, self.process, self.workspace = slack, process, slack.workspace
        number = slack.workspace.count("scene")
        self.ada: User = self.workspace.add_user(f"ada{number}", display_name="Ada", tz="Europe/London")
        self.ben: User = self.workspace.add_user(f"ben{number}", display_name="Ben", tz="America/New_York")
        self.channel: Channel = self.workspace.add_channel(f"payments-{number}", members=[self.ada, self.ben])
        self.workspace.attach(process.door)

    def type(self, who: User, line: str) -> Answer:
        """Types a command that has to be answered."""
        answer = self.workspace.command(who, self.channel, line)
        assert answer.ok, (line, answer.failure, answer.raw, self.process.said())
        return answer

    def record(self, who: User, line: str) -> Answer:
        """Types a command that has to be recorded."""
        answer = self.type(who, line)
        assert answer.in_channel, (line, answer.text)
        return answer

    def drafts(self) -> list[str]:
        """The posts in the channel that are the draft."""
        return [one.text for one in self.workspace.messages(self.channel) if "Postmortem draft" in one.text]

    def draft_with_its_link(self) -> str:
        return wait_for(
            lambda: next((text for text in self.drafts() if re.search(r"Markdown: <http", text)), ""),
            f"the draft and its link; the log says\n{self.process.said()}",
        )


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackOverHTTP]:
    made = SlackOverHTTP()
    yield made
    made.close()


@pytest.fixture(scope="module")
def standing(slack: SlackOverHTTP, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process for everything that does not stop it."""
    made = Process(tmp_path_factory.mktemp("standing"), slack.address)
    yield made.start()
    made.close()


@pytest.fixture
def scene(slack: SlackOverHTTP, standing: Process) -> Scene:
    return Scene(slack, standing)


@pytest.fixture
def scene_with(slack: SlackOverHTTP, tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """A process of one's own, which may be stopped."""
    with ExitStack() as stack:

        def build(api_url: str = slack.address, **settings: str) -> Scene:
            process = Process(tmp_path, api_url, **settings)
            stack.callback(process.close)
            return Scene(slack, process.start())

        yield build


# ---- the main job --------------------------------------------------------------------------------


def test_an_incident_told_over_http_ends_with_its_draft_and_link_in_the_channel(scene: Scene) -> None:
    started = scene.record(scene.ada, "start sev1 Checkout returns errors since 20m ago")
    scene.record(scene.ada, "detected -15m by monitoring 5xx rate above 20 %")
    scene.record(scene.ben, "suspect the connection pool is too small")
    scene.record(scene.ben, "did -10m doubled max_connections")
    scene.record(scene.ada, "ruledout deploy 4711: rolling it back changed nothing")
    scene.record(scene.ben, "cause The pool had 20 connections for 40 workers.")
    scene.record(scene.ada, "todo @ben prevent: alert on waiting connections by 2031-01-31")
    scene.record(scene.ben, "mitigated -2m error rate back to 0.1 %")
    number = int(re.findall(r"INC-(\d+)", started.text)[0])
    resolved = scene.record(scene.ada, "resolve graphs are flat")
    assert resolved.text.startswith(f"🟢 *INC-{number}* resolved")

    draft = scene.draft_with_its_link()
    assert len(scene.drafts()) == 1
    stem = f"{number:04d}-checkout-returns-errors"
    shared = {file.name: file for file in scene.workspace.files if scene.channel.id in file.shares}
    assert set(shared) == {f"{stem}.md", f"{stem}.png"}
    assert shared[f"{stem}.png"].content[:8] == b"\x89PNG\r\n\x1a\n"
    assert f"{shared[f'{stem}.md'].id}/{stem}.md|" in draft
    mine = [name for name in scene.process.files() if name.startswith(stem)]
    assert mine == [f"{stem}.json", f"{stem}.md", f"{stem}.svg", f"{stem}.timeline.md"]
    assert (scene.process.exports / f"{stem}.md").read_bytes() == shared[f"{stem}.md"].content
    assert scene.process.half_written() == []
    kinds = [kind for _, kind, _ in scene.process.entries(number)]
    assert kinds == [
        Kind.STARTED,
        Kind.DETECTION,
        Kind.HYPOTHESIS,
        Kind.ACTION,
        Kind.DEAD_END,
        Kind.CAUSE,
        Kind.TASK,
        Kind.MITIGATED,
        Kind.RESOLUTION,
    ]
    assert scene.process.findings() == []


def test_a_button_taps_over_http(scene: Scene) -> None:
    scene.record(scene.ada, "start Checkout returns errors")
    offer = scene.type(scene.ada, "the queue is growing quickly")
    assert not offer.in_channel
    tapped = scene.workspace.click(scene.ada, offer, "Note")
    assert tapped.ok
    wait_for(
        lambda: any("the queue is growing" in m.text for m in scene.workspace.messages(scene.channel)),
        "the answer to the button",
    )


def test_the_log_and_the_command_line_hold_no_secret(scene: Scene) -> None:
    scene.record(scene.ada, "start Checkout returns errors")
    scene.record(scene.ada, "resolve at now")
    scene.draft_with_its_link()
    scene.process.ask("POST", "/slack/events", b"command=x", {"X-Slack-Signature": "v0=" + SIGNING_SECRET})
    said = scene.process.said()
    running = [scene.process.pid, *children(scene.process.pid)]
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in running] if Path("/proc").exists() else []
    for secret in (BOT_TOKEN, SIGNING_SECRET, OWN_SECRET):
        assert secret not in said
        assert not any(secret in line for line in lines)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


# ---- what is not let in --------------------------------------------------------------------------


def command(text: str = "note it burns") -> bytes:
    return urlencode(
        {"command": "/incident", "text": text, "team_id": "T1", "user_id": "U1", "channel_id": "C1"}
    ).encode()


def signed(body: bytes, *, secret: str = SIGNING_SECRET, stamp: str | None = None) -> dict[str, str]:
    """The headers of a request as Slack signs it."""
    stamp = stamp if stamp is not None else str(int(time.time()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def ago(age: timedelta) -> str:
    return str(int((datetime.now(UTC) - age).timestamp()))


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        pytest.param(401, command(), lambda b: signed(b, secret="f" * 32), id="a foreign signature"),
        pytest.param(401, command(), lambda b: signed(b + b"&x=1"), id="the signature of another body"),
        pytest.param(401, command(), lambda b: signed(b, stamp=ago(timedelta(minutes=6))), id="a stale request"),
        pytest.param(401, command(), lambda b: signed(b, stamp=ago(timedelta(minutes=-6))), id="one from the future"),
        pytest.param(400, command(), lambda b: signed(b, stamp="yesterday"), id="a time stamp that is no number"),
        pytest.param(400, command(), lambda b: {}, id="no signature"),
        pytest.param(400, b"payload=%7Bnot+json", signed, id="a payload that is no JSON"),
        pytest.param(400, b"payload=%5B1%5D", signed, id="a payload that is no object"),
        pytest.param(400, b"\xff\xfe", signed, id="a body that is no text"),
        pytest.param(400, b"", signed, id="an empty body"),
    ],
)
def test_what_slack_did_not_send_is_refused(
    standing: Process, status: int, body: bytes, headers: Callable[[bytes], dict[str, str]]
) -> None:
    before = sizes(standing)
    answer = standing.ask("POST", "/slack/events", body, headers(body))
    assert answer.status == status
    assert b"Traceback" not in answer.body
    assert sizes(standing) == before


def sizes(process: Process) -> dict[str, int]:
    """How many rows the tables of the record have, those of the outbox excepted."""
    with closing(sqlite3.connect(f"file:{process.database}?mode=ro", uri=True)) as database:
        return {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - four names of ours
            for table in ("incidents", "events", "requests", "offers")
        }


def test_a_path_that_is_not_there_is_404(standing: Process) -> None:
    assert standing.ask("GET", "/postmortems/../../etc/passwd").status == 404
    assert standing.ask("POST", "/slack/other", command(), signed(command())).status == 404
    assert standing.ask("GET", "/slack/events").status == 405


@pytest.mark.parametrize("announced", [MAX_BODY + 1, 2**30, 2**62])
def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(standing: Process, announced: int) -> None:
    with closing(standing.connect()) as connection:
        connection.putrequest("POST", "/slack/events")
        connection.putheader("Content-Length", str(announced))
        connection.endheaders(b"command=%2Fincident")
        assert replied(connection).status == 413


def test_a_body_of_unknown_length_is_cut_at_the_limit(standing: Process) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = b"POST /slack/events HTTP/1.1\r\nHost: scribe\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((standing.host, standing.port), timeout=PATIENCE) as connection:
        connection.sendall(head)
        sent = 0
        while not readable(connection) and sent < 64 * MAX_BODY:
            try:
                connection.sendall(chunk)
            except ConnectionError:
                break
            sent += 0x10000
        assert connection.recv(100).split()[1] == b"413"
        assert sent < 8 * MAX_BODY


def readable(connection: socket.socket) -> bool:
    """Whether something has come."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(PATIENCE)


def test_the_largest_body_that_is_allowed_is_read(standing: Process) -> None:
    body = b"x" * MAX_BODY
    assert standing.ask("POST", "/slack/events", body, signed(body)).status == 400


def test_health_is_told_to_everybody(standing: Process) -> None:
    answer = standing.ask("GET", "/healthz")
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "ok")


# ---- stopping ------------------------------------------------------------------------------------


def test_a_request_that_is_half_sent_at_sigterm_is_answered_and_recorded(scene_with: Callable[..., Scene]) -> None:
    scene = scene_with()
    process = scene.process
    scene.record(scene.ada, "start Checkout returns errors")

    def interrupted(path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        """Half of the body, then SIGTERM, then the rest."""
        half = len(body) // 2
        with closing(process.connect()) as connection:
            connection.putrequest("POST", path)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders(body[:half])
            process.ask("GET", "/healthz")  # whatever was sent before has been read by now
            os.kill(process.pid, signal.SIGTERM)
            wait_for(process.refuses_connections, "new connections to be refused")
            connection.send(body[half:])
            return replied(connection)

    scene.workspace.attach(interrupted)
    answer = scene.record(scene.ada, "note CPU is at 100 %")
    assert (answer.status, answer.text.partition(" · ")[0]) == (200, "📝 #2")
    assert process.ended() == 0
    assert process.entries() == [
        (1, Kind.STARTED, "Checkout returns errors"),
        (2, Kind.NOTE, "CPU is at 100 %"),
    ]
    assert process.findings() == []
    assert process.half_written() == []
    assert "Traceback" not in process.said()


def test_a_request_that_is_in_hand_at_sigterm_is_answered_and_recorded(
    scene_with: Callable[..., Scene], slack: SlackOverHTTP
) -> None:
    scene = scene_with()
    process = scene.process
    scene.record(scene.ada, "start Checkout returns errors")
    clock = datetime.now(ZoneInfo(scene.ben.tz)).strftime("%H:%M")
    answers: list[Answer] = []
    typing = threading.Thread(target=lambda: answers.append(scene.type(scene.ben, f"note {clock} load is at 40")))
    with slack.holding("users.info"):  # asked for the zone of somebody who types a clock time
        typing.start()
        wait_for(lambda: ("users.info", scene.ben.id) in slack.waiting, "the look-up of a time zone")
        os.kill(process.pid, signal.SIGTERM)
        wait_for(process.refuses_connections, "new connections to be refused")
    typing.join(PATIENCE)
    assert [answer.status for answer in answers] == [200]
    assert process.ended() == 0
    assert process.entries()[1:] == [(2, Kind.NOTE, "load is at 40")]
    assert process.findings() == []
    assert "Traceback" not in process.said()


@pytest.mark.slow
def test_a_request_that_never_comes_whole_keeps_no_process_from_ending(scene_with: Callable[..., Scene]) -> None:
    process = scene_with().process
    with closing(process.connect()) as connection:
        connection.putrequest("POST", "/slack/events")
        connection.putheader("Content-Length", "100")
        connection.endheaders(b"command=")
        process.ask("GET", "/healthz")
        assert process.terminate() == 0
    assert "Traceback" not in process.said()


@pytest.mark.slow
def test_a_slack_that_does_not_answer_keeps_no_process_from_ending(
    scene_with: Callable[..., Scene], slack: SlackOverHTTP
) -> None:
    scene = scene_with()
    scene.record(scene.ada, "start Checkout returns errors")
    with slack.holding("chat.postMessage"):
        scene.record(scene.ada, "resolve at now")
        wait_for(lambda: slack.waiting, "the draft to be on its way")
        assert scene.process.terminate() == 0
    assert scene.process.findings() == []
    assert "Traceback" not in scene.process.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nobody_waits_for_connections_that_say_nothing(scene_with: Callable[..., Scene], number: int) -> None:
    scene = scene_with()
    with socket.create_connection((scene.process.host, scene.process.port), timeout=PATIENCE):
        scene.record(scene.ada, "start Checkout returns errors")
        os.kill(scene.process.pid, number)
        assert scene.process.ended(within=5) == 0
    assert "Traceback" not in scene.process.said()


def test_a_draft_that_was_promised_before_a_stop_comes_after_the_next_start(scene_with: Callable[..., Scene]) -> None:
    scene = scene_with(SCRIBE_DRAFT_DELAY="2")
    scene.record(scene.ada, "start Checkout returns errors")
    scene.record(scene.ada, "resolve at now")
    assert scene.process.terminate() == 0
    assert scene.drafts() == []
    scene.process.start()
    scene.draft_with_its_link()
    assert len(scene.drafts()) == 1


# ---- crashing ------------------------------------------------------------------------------------


def test_what_was_acknowledged_before_a_crash_is_there_after_it(scene_with: Callable[..., Scene]) -> None:
    scene = scene_with(SCRIBE_DRAFT_DELAY="3600")
    process, channel = scene.process, scene.channel
    scene.record(scene.ada, "start Checkout returns errors")
    answers: dict[str, Answer] = {}

    def chatter(who: User, first: int) -> None:
        for number in range(first, first + 1000):
            line = f"note reading {number}"
            answers[line] = scene.workspace.command(who, channel, line)
            if not answers[line].ok:
                return

    names = [f"{channel.name}-{n}" for n in range(4)]
    people = [scene.workspace.add_user(name, display_name=name) for name in names]
    talking = [threading.Thread(target=chatter, args=(who, n * 1000)) for n, who in enumerate(people)]
    for one in talking:
        one.start()
    wait_for(lambda: len(answers) >= 40, "forty notes")
    process.kill()
    for one in talking:
        one.join(PATIENCE)
    process.start()
    assert process.findings() == []
    acknowledged = {line.removeprefix("note ") for line, answer in answers.items() if answer.ok}
    assert len(acknowledged) >= 36
    assert acknowledged - {text for _, _, text in process.entries()} == set()

    for line, before in list(answers.items()):
        assert before.request is not None
        again = scene.workspace.redeliver(before.request)
        assert again.ok
        if before.ok:
            assert json.loads(again.raw) == json.loads(before.raw), line
    texts = [text for _, kind, text in process.entries() if kind is Kind.NOTE]
    assert sorted(texts) == sorted(line.removeprefix("note ") for line in answers)
    assert process.findings() == []


# ---- Slack is away -------------------------------------------------------------------------------


def test_it_starts_and_records_while_slack_is_away(scene_with: Callable[..., Scene]) -> None:
    scene = scene_with(api_url=f"http://127.0.0.1:{free_port()}/api/")
    scene.record(scene.ada, "start sev2 Checkout returns errors")
    clock = datetime.now(UTC).strftime("%H:%M")
    noted = scene.record(scene.ben, f"note {clock} CPU is at 100 %")
    assert f"{clock} UTC" in noted.text
    scene.record(scene.ada, "resolve at now")
    wait_for(lambda: "0001-checkout-returns-errors.md" in scene.process.files(), "the Markdown")
    assert scene.process.ask("GET", "/healthz").status == 200
    assert [text for _, _, text in scene.process.entries()] == ["Checkout returns errors", "CPU is at 100 %", ""]
    assert scene.drafts() == []
    assert scene.process.terminate() == 0
    assert "Traceback" not in scene.process.said()


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# ---- what keeps it from starting -----------------------------------------------------------------


def refused_to_start(folder: Path, **settings: str | None) -> str:
    """What `scribe serve` says on standard error when it ends with exit status 2 at once."""
    given = Process(folder, "http://127.0.0.1:9/api/").environment | settings
    done = subprocess.run(
        [sys.executable, "-m", "bot", "serve"],
        cwd=folder,
        env={name: value for name, value in given.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_every_problem_of_the_settings_is_named_at_once_and_no_secret_is_shown(tmp_path: Path) -> None:
    said = refused_to_start(
        tmp_path,
        SLACK_BOT_TOKEN="xoxp-not-a-bot",
        SLACK_SIGNING_SECRET=None,
        SCRIBE_TIMEZONE="Mars/Olympus",
        SCRIBE_SECRET="hush-hush",
        SCRIBE_DRAFT_DELAY="soon",
        PORT="eighty",
    )
    named = re.findall(r"^  ([A-Z_]+) ", said, re.MULTILINE)
    wrong = ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SCRIBE_SECRET", "SCRIBE_TIMEZONE", "SCRIBE_DRAFT_DELAY", "PORT"]
    assert named == wrong
    assert "https://api.slack.com/apps" in said
    assert "not-a-bot" not in said
    assert "hush" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = refused_to_start(tmp_path, PORT=str(port))
    assert f"127.0.0.1:{port}" in said
    assert "PORT" in said


def test_a_host_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "no-such-host.invalid" in refused_to_start(tmp_path, HOST="no-such-host.invalid")
