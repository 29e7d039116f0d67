"""The edge: whatever a client sends, however slowly and however often, nothing breaks, leaks or is recorded twice.

The property tests here try `examples(n)` inputs each: n in `make test`, more where SCRIBE_EXAMPLES says so
(`make ci-full`).
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import os
import re
import resource
import select
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import yaml
from click.testing import CliRunner
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from waitress import wasyncore

from bot import render, scenarios
from bot.cli import cli
from bot.core.errors import Refusal
from bot.core.grammar import VERBS
from bot.press import Press, in_time
from bot.resources import resources
from bot.server import MAX_HEADER, Limits, listen
from bot.web import HEADERS, MAX_BODY, headers
from bot.workspace import Answer, Channel, NotFilled, Request, User, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import SIGNING_SECRET, Stage
from tests.conftest import SATURDAY, started_serve
from tests.core.builder import OPTIONS, SCENARIOS, Record

PATIENCE = 20.0
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SITE = "https://scribe.example.org"
OWN_SECRET = "the-secret-that-signs-links-and-the-record"
TIMES = int(os.environ.get("SCRIBE_EXAMPLES", "1"))

Found = TypeVar("Found")


def examples(number: int) -> settings:
    return settings(
        max_examples=number * TIMES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


def eventually(look: Callable[[], Found], what: Callable[[], str]) -> Found:
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > until:
            pytest.fail(what())
        time.sleep(0.02)
    return found


# ---- scribe serve, over bare sockets -------------------------------------------------------------


class Served:
    """`scribe serve` as a process that hears Slack both ways, and the workspace that it reaches over HTTP."""

    def __init__(self, folder: Path, server: WorkspaceServer, workspace: Workspace, **more: str) -> None:
        self.folder, self.workspace = folder, workspace
        self.out, self.log = folder / "out.txt", folder / "log.txt"
        self.popen = started_serve(
            workspace,
            server.api_url,
            folder,
            self.out,
            self.log,
            SLACK_SIGNING_SECRET=workspace.signing_secret,
            SCRIBE_PUBLIC_URL=SITE,
            SCRIBE_SECRET=OWN_SECRET,
            **more,
        )
        self.url = eventually(self._address, self.said)
        parts = urlsplit(self.url)
        self.at = (parts.hostname or "", parts.port or 0)
        server.attach_http(self.url, PATIENCE)
        number = workspace.count("scene")
        self.ada = workspace.add_user(f"ada{number}", display_name="Ada", tz="Europe/London")
        self.channel = workspace.add_channel(f"payments-{number}", members=[self.ada], bot_in=True)

    def _address(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+", self.out.read_text())
        return found[0] if found else ""

    def said(self) -> str:
        return self.out.read_text() + self.log.read_text()

    def type(self, line: str) -> Answer:
        return self.workspace.command(self.ada, self.channel, line)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.at, timeout=PATIENCE)

    def send(self, *parts: bytes) -> bytes:
        """All that is answered to these bytes until the server hangs up."""
        with self.connect() as connection:
            try:
                for part in parts:
                    connection.sendall(part)
            except ConnectionError:
                pass  # it has heard enough
            return everything(connection)

    def get(self, path: str, method: str = "GET", **more: str) -> tuple[int, dict[str, str], bytes]:
        with closing(http.client.HTTPConnection(*self.at, timeout=PATIENCE)) as connection:
            connection.request(method, path, headers=more)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def stop(self) -> None:
        self.popen.terminate()
        try:
            assert self.popen.wait(PATIENCE) == 0, self.said()
        finally:
            self.popen.kill()
            self.popen.wait()


def everything(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:  # it hung up on what was still on its way
        pass
    return b"".join(parts)


@contextmanager
def serving(folder: Path, **more: str) -> Iterator[Served]:
    workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
    with WorkspaceServer(workspace) as server:
        made = Served(folder, server, workspace, **more)
        try:
            yield made
            made.stop()
        finally:
            made.popen.kill()
            made.popen.wait()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One process for all that does not need its own: it has to get over every one of these requests in any order."""
    with serving(tmp_path_factory.mktemp("served"), PYTHONWARNINGS="error") as made:
        yield made
        assert "Traceback" not in made.said()
        assert "uncaptured" not in made.said()


GET = b"GET /healthz HTTP/1.1\r\n"
POST = b"POST /slack/events HTTP/1.1\r\n"
HOST = b"Host: scribe\r\n"
END = b"Connection: close\r\n\r\n"

WIRE = {
    "a plain request": (200, [GET, HOST, END]),
    "bytes one by one": (200, [bytes([one]) for one in GET + HOST + END]),
    "HTTP/1.0": (200, [b"GET / HTTP/1.0\r\n\r\n"]),
    "a version that is to come": (200, [b"GET / HTTP/2.0\r\n", HOST, b"\r\n"]),
    "no host": (400, [GET, END]),
    "no request line": (400, [b"HELLO\r\n\r\n"]),
    "TLS": (400, [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n"]),
    "a method in small letters": (400, [b"get / HTTP/1.1\r\n", HOST, END]),
    "an unknown method": (405, [b"BREW / HTTP/1.1\r\n", HOST, END]),
    "TRACE": (405, [b"TRACE / HTTP/1.1\r\n", HOST, END]),
    "OPTIONS for everything": (404, [b"OPTIONS * HTTP/1.1\r\n", HOST, END]),
    "CONNECT": (404, [b"CONNECT elsewhere:443 HTTP/1.1\r\n", HOST, END]),
    "an address in full": (200, [b"GET http://elsewhere.example/healthz HTTP/1.1\r\n", HOST, END]),
    "a null in the path": (404, [b"GET /\x00 HTTP/1.1\r\n", HOST, END]),
    "a null in the path, escaped": (404, [b"GET /%00 HTTP/1.1\r\n", HOST, END]),
    "a path that is no UTF-8": (404, [b"GET /%ff%fe HTTP/1.1\r\n", HOST, END]),
    "a path of raw bytes": (400, [b"GET /\xff HTTP/1.1\r\n", HOST, END]),
    "a path that leads out": (404, [b"GET /p/../../../etc/passwd HTTP/1.1\r\n", HOST, END]),
    "one with escaped slashes": (404, [b"GET /p/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n", HOST, END]),
    "a null in a header": (400, [GET, HOST, b"X: a\x00b\r\n", END]),
    "a header that is folded": (200, [GET, HOST, b"X: a\r\n b\r\n", END]),
    "a header without a colon": (400, [GET, HOST, b"nothing\r\n", END]),
    "a space before the colon": (400, [GET, HOST, b"Content-Length : 0\r\n", END]),
    "a bare line feed": (400, [b"GET / HTTP/1.1\nHost: scribe\n\n", b"\r\n\r\n"]),
    "a host that is none": (404, [b"GET /nothing HTTP/1.1\r\nHost: [::1\xff a\r\n", END]),
    "headers that are too large": (431, [GET, HOST, b"X: " + b"a" * MAX_HEADER + b"\r\n", END]),
    "too many headers": (431, [GET, HOST, b"".join(b"X-%d: a\r\n" % n for n in range(4000)), END]),
    "an address that is too long": (431, [b"GET /" + b"a" * MAX_HEADER + b" HTTP/1.1\r\n", HOST, END]),
    "two lengths": (400, [POST, HOST, b"Content-Length: 4\r\nContent-Length: 5\r\n", END, b"abcd"]),
    "a length below zero": (400, [POST, HOST, b"Content-Length: -4\r\n", END]),
    "a length with a sign": (400, [POST, HOST, b"Content-Length: +4\r\n", END, b"abcd"]),
    "a length of 5,000 digits": (400, [POST, HOST, b"Content-Length: " + b"9" * 5000 + b"\r\n", END]),
    "a length that is too large": (413, [POST, HOST, b"Content-Length: %d\r\n" % (MAX_BODY + 1), END]),
    "a length and chunks": (
        400,
        [POST, HOST, b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", GET, HOST, b"\r\n"],
    ),
    "chunks in HTTP/1.0": (
        400,
        [b"POST /slack/events HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", GET],
    ),
    "an encoding that is none": (400, [POST, HOST, b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"]),
    "chunked twice over": (400, [POST, HOST, b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"]),
    "a chunk without a size": (400, [POST, HOST, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"]),
    "a chunk that is too long": (400, [POST, HOST, b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n"]),
    "no signature": (400, [POST, HOST, b"Content-Length: 3\r\n", END, b"a=b"]),
    "no signature, in chunks": (
        400,
        [POST, HOST, b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\na=b\r\n0\r\n\r\n"],
    ),
}


@pytest.mark.parametrize("name", WIRE)
def test_every_request_has_one_answer_that_keeps_browsers_in_check(served: Served, name: str) -> None:
    status, parts = WIRE[name]
    whole = served.send(*parts)
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    found = dict(line.split(": ", 1) for line in lines[1:])
    assert (int(lines[0].split()[1]), whole.count(b"HTTP/1.")) == (status, 1), whole
    assert {one: found.get(one) for one in headers(SITE)} == headers(SITE)
    assert "Server" not in found
    assert "Set-Cookie" not in found
    assert b"waitress" not in whole.lower()
    if status != 200:
        assert body.decode().count("\n") == 1, "a sentence, and nothing of what was sent"


def test_a_body_that_ends_too_early_is_not_heard(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(POST + HOST + b"Content-Length: 30\r\n" + END + b"abc")
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection) == b""


def test_requests_in_a_row_are_answered_in_their_order(served: Served) -> None:
    whole = served.send((b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 3 + GET + HOST + END)
    assert whole.count(b"HTTP/1.1 200 OK") == 4
    assert whole.rindex(b"Scribe records incidents") < whole.index(b'"status"')


@pytest.mark.parametrize("path", ["/", "/healthz", "/p/x", "/p/x/", "/nothing", "/slack/events"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_who_asks_under_another_name_reads_nothing_of_it(served: Served, path: str, method: str) -> None:
    names = {name: "elsewhere.example" for name in ("Host", "X-Forwarded-Host", "X-Forwarded-For", "Forwarded")}
    status, found, body = served.get(path, method, **names, X_Forwarded_Proto="gopher")
    assert status < 500
    assert "elsewhere" not in f"{found}{body!r}"
    assert method != "HEAD" or body == b""


def test_browsers_come_by_https_where_people_do() -> None:
    assert headers("https://scribe.example.org")["Strict-Transport-Security"] == "max-age=31536000"
    assert headers("http://scribe.example.org") == headers(None) == HEADERS


# ---- slow clients, and many ----------------------------------------------------------------------


def many(number: int) -> None:
    """Lets this process have so many connections."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, number + 200), most))


@pytest.mark.parametrize("said", [b"", POST + HOST, POST + HOST + b"Content-Length: 100\r\n\r\ncommand="])
def test_a_thousand_clients_that_dawdle_keep_nobody_from_recording(served: Served, said: bytes) -> None:
    many(1000)
    served.type("start Checkout fails")
    with ExitStack() as stack:
        for _ in range(1000):
            connection = stack.enter_context(served.connect())
            connection.sendall(said)
        answer = served.type(f"note they said {len(said)} bytes")
        # not `in_channel`: where tests crowd each other it may come later than Slack would show it
        assert json.loads(answer.raw)["response_type"] == "in_channel", answer.failure
    assert served.get("/healthz")[0] == 200


class Impatient:
    """The server with a large page behind it and hardly any patience."""

    def __init__(self, limits: Limits) -> None:
        site = Flask("edge")
        site.add_url_rule("/", view_func=lambda: b"x" * (16 << 20))
        self._sockets: dict[int, Any] = {}
        self.server = listen(site, "127.0.0.1", 0, self._sockets, max_body=1000, headers={}, limits=limits)
        self._stop = threading.Event()
        self._loop = threading.Thread(target=self._run)
        self._loop.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            wasyncore.loop(timeout=0.02, map=self._sockets, count=1)

    def connect(self) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(PATIENCE)
        made.connect(("127.0.0.1", int(self.server.effective_port)))
        return made

    def close(self) -> None:
        self._stop.set()
        self._loop.join()
        self.server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)


@pytest.fixture(scope="module")
def impatient() -> Iterator[Impatient]:
    made = Impatient(Limits(whole=0.3, taken=0.3, idle=0.3, connections=20))
    yield made
    made.close()


DRIPS = {"headers": b"GET / HTTP/1.1\r\nX: ", "a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n"}


@pytest.mark.parametrize("name", DRIPS)
def test_a_request_that_drips_in_is_given_up(impatient: Impatient, name: str) -> None:
    with impatient.connect() as connection:
        connection.sendall(DRIPS[name])
        until = time.monotonic() + PATIENCE
        while not select.select([connection], [], [], 0.02)[0]:
            assert time.monotonic() < until, "it is still listened to"
            try:
                connection.sendall(b"a")
            except ConnectionError:
                return
        assert everything(connection) == b""


def test_a_connection_that_says_nothing_is_given_up(impatient: Impatient) -> None:
    with impatient.connect() as connection:
        assert everything(connection) == b""


def test_an_answer_that_nobody_takes_is_given_up(impatient: Impatient) -> None:
    with impatient.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert select.select([connection], [], [], PATIENCE)[0]
        eventually(lambda: not impatient.server.active_channels, lambda: "it is still waited for")
        assert 0 < len(everything(connection)) < 16 << 20


def test_a_client_that_goes_on_asking_is_kept(impatient: Impatient) -> None:
    until = time.monotonic() + 1.0  # three times as long as anything else may take
    with impatient.connect() as connection:
        while time.monotonic() < until:
            connection.sendall(b"HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 404")


# ---- the same request again ----------------------------------------------------------------------


def told_every_way(stage: Stage) -> None:
    """An incident that is told by every way in."""
    world = stage.workspace
    ada, ben = world.add_user("ada", display_name="Ada", tz="Europe/London"), world.add_user("ben", tz="Asia/Tokyo")
    channel = world.add_channel("payments", members=[ada, ben], bot_in=True)
    other = world.add_channel("other", members=[ada])
    world.command(ada, channel, "start sev2 Checkout fails since 10m ago")
    world.click(ben, world.command(ben, channel, "the queue is growing quickly"), "Note")
    world.say(ben, channel, "@scribe note it burns")
    said = world.say(ben, channel, "restarted the pool")
    world.react(ada, channel, said, "eyes")
    world.pin(ada, channel, said)
    world.unpin(ada, channel, said)
    world.message_shortcut(ada, channel, said, "add_to_timeline")
    world.submit(ada, values={"text": "restarted the pool, all of it"})
    world.shortcut(ada, "start_incident")
    world.submit(ada, values={"title": "Search is slow", "channel": other.id})
    world.shortcut(ada, "start_incident")
    world.close(ada)
    world.join(ben, other)
    world.leave(ben, other)
    world.invite_bot(other, ada)
    world.rename(other, "elsewhere", ada)
    world.archive(other, ada)
    world.unarchive(other, ada)
    world.kick_bot(other)
    world.open_home(ada)
    stage.settle()
    by_buttons_and_forms(world, ada, ben, channel)
    stage.settle()
    world.command(ada, channel, "resolve it is over")
    stage.settle()


def by_buttons_and_forms(world: Workspace, ada: User, ben: User, channel: Channel) -> None:
    """The same incident by what can be reacted with, tapped and filled in."""
    said = world.say(ben, channel, "I think the pool is too small")
    world.react(ada, channel, said, "pushpin")
    world.unreact(ada, channel, said, "pushpin")
    world.react(ada, channel, said, "bulb")
    world.edit_message(ben, channel, said, "I think the pool is far too small")
    world.delete_message(ben, channel, said)
    world.say(ben, channel, "rolled back the deploy of 10:02")
    world.command(ada, channel, "todo @ben cap the pool by friday")
    for line in ("edit 2", "todo", "todo T1", "impact", "resolve", "suggest", "timeline"):
        world.command(ada, channel, line)
        if world.views(ada) and any(block["type"] == "input" for block in world.views(ada)[-1].blocks):
            with suppress(NotFilled):
                world.submit(ada)
        world.close(ada, everything=True) if world.views(ada) else None
    home = world.home(ben)
    if home is not None:
        world.click(ben, home, "Done")


def rows(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """The record, its requests and its letters."""
    with closing(sqlite3.connect(stage.settings.database)) as database:
        tables = ("incidents", "events", "texts", "requests", "offers", "letters", "channels", "people", "revisions")
        there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr)  # noqa: S608 - names of ours
            for name in tables
            if name in there
        }


def test_a_captured_request_changes_nothing_within_five_minutes_and_is_refused_afterwards(stage: Stage) -> None:
    told_every_way(stage)
    captured = list(stage.workspace.requests)
    assert {one.kind for one in captured} == {"command", "action", "shortcut", "view", "event"}
    fresh = [one for one in captured if abs(stage.clock().timestamp() - stamp(one)) <= 300]
    door = stage.app.web.test_client()

    before, messages = rows(stage), len(stage.workspace.called("chat.postMessage"))
    for one in fresh:
        assert door.post(one.path, data=one.body, headers=list(one.headers.items())).status_code == 200
    stage.pump()
    assert rows(stage) == before
    assert len(stage.workspace.called("chat.postMessage")) == messages

    stage.clock.advance(timedelta(minutes=6))
    for one in captured:
        assert door.post(one.path, data=one.body, headers=list(one.headers.items())).status_code == 401
    assert rows(stage) == before


def stamp(request: Request) -> int:
    return int(request.headers["X-Slack-Request-Timestamp"])


def test_a_request_of_another_workspace_is_refused_and_nobody_is_called_back(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hook:
        hook.setblocking(False)
        fields = {
            "command": "/incident",
            "text": "start Checkout fails",
            **{"team_id": "T0OTHER", "channel_id": "C1", "user_id": "U1", "trigger_id": "1.1"},
            "response_url": f"http://127.0.0.1:{hook.getsockname()[1]}/commands/x",
        }
        body = urlencode(fields).encode()
        signed = {**stage.workspace.sign(body), "Content-Type": FORM}
        answer = stage.app.web.test_client().post("/slack/events", data=body, headers=signed)
        with pytest.raises(BlockingIOError):
            hook.accept()
    assert (answer.status_code, answer.get_json()["response_type"]) == (200, "ephemeral")
    assert "belongs to another workspace" in answer.text
    assert rows(stage)["incidents"] == []


# ---- secrets -------------------------------------------------------------------------------------


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        if parent == pid:
            found += [int(path.parent.name), *children(int(path.parent.name))]
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system does not show processes as files")
def test_no_secret_is_said_stored_or_handed_on(tmp_path: Path) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    (own / "broken.md.j2").write_text("{{ p.nothing }}", encoding="utf-8")
    app_token = "xapp-1-A0-edge-edge"
    with serving(tmp_path, SLACK_APP_TOKEN=app_token, SCRIBE_TEMPLATES=str(own)) as served:
        world = served.workspace
        secrets = {world.bot_token, world.signing_secret, app_token, OWN_SECRET}
        for line in ("start Checkout fails", "note CPU is at 100 %", "resolve it is over"):
            assert served.type(line).in_channel, served.said()
        posts = eventually(
            lambda: re.findall(rf"{SITE}(/p/[^/|>]+)", repr(world.messages(served.channel))), served.said
        )
        token = posts[0].removeprefix("/p/")
        assert served.get(f"/p/{token}/")[0] == 200

        started = children(served.popen.pid)
        lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in [served.popen.pid, *started]]
        inherited = [Path(f"/proc/{pid}/environ").read_text() for pid in started]
        assert started, "the press runs in a process of its own"

        # what goes wrong in each room: the template, the file, the store, Slack, a signature, a link
        served.type("draft broken")
        (tmp_path / "postmortems" / "0002-search-fails.md").mkdir(parents=True)
        with closing(sqlite3.connect(tmp_path / "scribe.db")) as database:
            database.execute("ALTER TABLE offers RENAME TO elsewhere")
        told = [served.type("a line without a verb").raw.decode()]
        served.type("link revoke")
        served.send(POST + HOST + b"X-Slack-Signature: v0=" + world.signing_secret.encode() + b"\r\n" + END)
        with served.connect() as connection:
            connection.sendall(f"GET /p/{token}/timeline HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        shown = [served.get(path)[2].decode() for path in ("/healthz", "/readyz", "/metrics", f"/p/{token}x/")]
        forms = [dict(parse_qsl(one.body.decode())) for one in world.requests if one.kind == "command"]
    said = served.said()
    assert "Traceback" in said, "nothing went wrong at all"
    told += [said, *shown, *lines, *inherited]
    hooks = {one["response_url"].partition("/commands/")[2] for one in forms}
    triggers = {one["trigger_id"] for one in forms}
    assert len(hooks) == len(triggers) == len(forms) == 6
    assert [one for one in {*secrets, token} if any(one in text for text in told)] == []
    assert [one for one in {*hooks, *triggers} if any(one in text for text in told)] == []
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("scribe.db*") if not path.name.endswith(".secret"))
    assert [one for one in {*secrets, *hooks} if one.encode() in kept] == []


def test_a_database_that_scribe_makes_is_read_by_nobody_else(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        stage = Stage(tmp_path, SATURDAY, press=Press(inline=True))
        stage.close()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("scribe.db*")}
    assert set(modes.values()) == {0o600}, modes


# ---- names of files ------------------------------------------------------------------------------

TITLES = (
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "a\x00b",
    "x" * 200,
    "🔥🔥🔥",
    "CON",
    "-rf --no-preserve-root",
    "\u202egpj.exe",
    "~root; $(touch x) `touch y` | z",
    'a"; filename="b.html',
    "line\u2028break\r\nX-Injected: yes",
)


def test_no_title_leads_a_file_out_of_its_folder_or_names_it_badly(stage: Stage, tmp_path: Path) -> None:
    world = stage.workspace
    ada = world.add_user("ada", display_name="Ada")
    for number, title in enumerate(TITLES):
        channel = world.add_channel(f"room-{number}", members=[ada], bot_in=True)
        assert world.command(ada, channel, f"start {title}").in_channel, title
        world.command(ada, channel, "resolve at now")
        stage.settle()
    shape = re.compile(r"[0-9]{4}-[a-z0-9]+(-[a-z0-9]+)*(\.timeline)?\.(md|svg|json|png)")
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith("scribe.db")]
    assert len(kept) >= 4 * len(TITLES)
    assert {path.parent for path in kept} == {stage.settings.export_dir}
    assert len(world.files) >= len(TITLES)
    called = [*(path.name for path in kept), *(file.name for file in world.files)]
    assert [name for name in called if not shape.fullmatch(name)] == []


def test_a_link_that_lies_in_a_files_place_is_replaced_and_not_followed(stage: Stage, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine", encoding="utf-8")
    stage.settings.export_dir.mkdir()
    for name in ("0001-checkout-fails.md", "0001-checkout-fails.json"):
        (stage.settings.export_dir / name).symlink_to(outside)
    ada = stage.workspace.add_user("ada")
    channel = stage.workspace.add_channel("payments", members=[ada], bot_in=True)
    for line in ("start Checkout fails", "resolve at now"):
        stage.workspace.command(ada, channel, line)
    stage.settle()
    document = stage.settings.export_dir / "0001-checkout-fails.md"
    assert outside.read_text(encoding="utf-8") == "mine"
    assert not document.is_symlink()
    assert "Checkout fails" in document.read_text(encoding="utf-8")


# ---- templates of one's own ----------------------------------------------------------------------

OUTBREAKS = (
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__.os }}",
    "{{ namespace.__init__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ p|attr('__class__') }}",
    "{{ p['__class__'] }}",
    "{{ p.header.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''.__class__.__base__ }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(p) }}",
    "{{ '{p.__class__}'.format_map({'p': p}) }}",
    "{{ ('{0.__class__}' | format)(p) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context.environment }}",
    "{{ (1).__reduce__() }}",
    "{% import 'os' as os %}",
    "{% include '../outside.md.j2' %}",
    "{% include '/etc/passwd' %}",
    "{% extends '../../etc/passwd' %}",
    "{% set p.header.title = 'x' %}",
    "{% do p.header.__setattr__('title', 'x') %}",
    "{{ p.header.title.__len__() }}",
    "{% for n in range(10 ** 9) %}x{% endfor %}",
    "{{ 'x' * 10 ** 60 }}",
    "{{ [0] * (10 ** 12) }}",
    "{{ 9 ** 65 }}",
    "{{ '%0999999999999d' | format(1) }}",
)


@pytest.mark.parametrize("template", OUTBREAKS)
def test_no_template_reaches_what_it_was_not_given(tmp_path: Path, template: str) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "outside.md.j2").write_text("root:x:0:0", encoding="utf-8")
    (own / "mine.md.j2").write_text(f"seen: {template}", encoding="utf-8")
    try:
        postmortem = Record().postmortem(replace(OPTIONS, template="mine"))
        text = in_time(lambda _: render.document(postmortem, own), None, PATIENCE)
    except Refusal:
        return
    assert re.fullmatch(r"seen:[\s.]*", text), text


OURS = {path.name: path.read_text(encoding="utf-8") for path in resources("templates").glob("*.md.j2")}
PATCHES = st.sampled_from(["", "{{", "}}", "{% if %}", "x.y", "|", "'", "("])
CUTS = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 40), PATCHES), min_size=1, max_size=3)
Cuts = list[tuple[int, int, str]]


def cut(text: str, cuts: Cuts) -> str:
    """The text with pieces of it replaced by others."""
    for place, length, put in cuts:
        at = place % len(text)
        text = text[:at] + put + text[at + length :]
    return text


@examples(15)
@given(st.sampled_from(sorted(OURS)), CUTS)
def test_a_template_that_was_cut_about_prints_or_is_refused(tmp_path: Path, name: str, cuts: Cuts) -> None:
    text = cut(OURS[name], cuts)
    own = tmp_path / hashlib.sha256(text.encode()).hexdigest()
    own.mkdir(exist_ok=True)
    (own / name).write_text(text, encoding="utf-8")
    postmortem = Record().postmortem()
    said = name
    try:
        assert in_time(lambda _: render.document(postmortem, own) + render.timeline(postmortem, own), None, PATIENCE)
    except Refusal as refused:
        said = refused.message
    assert said.startswith(name)


# ---- whatever is sent ----------------------------------------------------------------------------


class Faults(logging.Handler):
    """What is logged as a fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class House:
    """The real app with an incident in it, all that Slack sent meanwhile, and what was logged as a fault."""

    def __init__(self, folder: Path, press: Press) -> None:
        self.stage = Stage(folder, SATURDAY, press=press)
        told_every_way(self.stage)
        self.world = self.stage.workspace
        self.ada = self.world.user("ada")
        self.channel = self.world.add_channel("edge", members=[self.ada], bot_in=True)
        self.world.command(self.ada, self.channel, "start Everything is sent here")
        self.door = self.stage.app.web.test_client()
        self.faults = Faults()
        self.count = 0
        logging.getLogger().addHandler(self.faults)

    def knock(self, body: bytes, kind: str, **more: str) -> int:
        """The status of the answer to what was signed; nothing may be a fault."""
        self.faults.lines.clear()
        signed = {"Content-Type": kind, **self.world.sign(body), **more}
        status = self.door.post("/slack/events", data=body, headers=list(signed.items())).status_code
        assert (status < 500, self.faults.lines) == (True, []), body
        return status

    def close(self) -> None:
        """What was let in can also be sent on."""
        self.stage.settle()
        logging.getLogger().removeHandler(self.faults)
        self.stage.app.store.close()
        assert self.faults.lines == []


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, press: Press) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), press)
    yield made
    made.close()


def heard(request: Request) -> tuple[str, dict[str, Any]]:
    """What a request of Slack's holds, and in which wrapping."""
    if request.headers["Content-Type"].startswith(JSON):
        return "event", json.loads(request.body)
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return ("payload", json.loads(fields["payload"])) if "payload" in fields else ("form", fields)


MORE_EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "user_change", "user": {"id": "U1", "tz": "Europe/London", "profile": {"display_name": "Ada"}}},
    {"type": "group_rename", "channel": {"id": "C1", "name": "x"}},
    {"type": "channel_left", "channel": "C1"},
    {"type": "app_uninstalled"},
    {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": ["U2"]}},
    {"type": "member_joined_channel", "user": "U1", "channel": "C1", "channel_type": "G", "team": "T1"},
)

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 5, 2**63, 10**400, 1e308, "", "x", "event", "C1", "U1", "1.5", "9" * 50, "1" * 5000,
    "99999999999999.000001", "\x00", "<@U1|x> <!channel> {{7*7}}", "\u202e", "a" * 5000, "../../etc", "Mars/Phobos",
    [], [1], [None], [{}], [[]], {}, {"id": 5}, {"id": None}, {"type": "x"}, {"a": {"b": [{}]}},
    {"id": "U9", "name": []},
)  # fmt: skip
DROP, NEST, LIST = object(), object(), object()
CHANGES = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from([DROP, DROP, NEST, LIST, *ODD])), min_size=1, max_size=3
)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree of JSON: what holds it, and under which name."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in list(inner):
        yield tree, name
        yield from places(value)


def changed(tree: dict[str, Any], changes: list[tuple[int, Any]]) -> dict[str, Any]:
    """The tree with some of its places dropped, wrapped or replaced."""
    tree = deepcopy(tree)
    for number, change in changes:
        found = list(places(tree))
        if not found:
            break
        holder, name = found[number % len(found)]
        if change is DROP:
            del holder[name]
        elif change is NEST:
            holder[name] = {"x": holder[name]}
        elif change is LIST:
            holder[name] = [holder[name]]
        else:
            holder[name] = deepcopy(change)
    return tree


@examples(300)
@given(st.integers(0, 10_000), CHANGES)
def test_no_payload_makes_a_fault(house: House, which: int, changes: list[tuple[int, Any]]) -> None:
    known = [heard(one) for one in house.world.requests]
    envelope = next(tree for kind, tree in known if kind == "event")
    known += [("event", {**envelope, "event": event}) for event in MORE_EVENTS]
    kind, tree = known[which % len(known)]
    house.count += 1
    for origin in ("trigger_id", "event_id"):  # else it is what was heard before, and nobody looks at it
        if origin in tree:
            tree = {**tree, origin: f"{tree[origin]}.{house.count}"}
    tree = changed(tree, changes)
    if kind == "event":
        house.knock(json.dumps(tree).encode(), JSON)
    elif kind == "payload":
        house.knock(urlencode({"payload": json.dumps(tree)}).encode(), FORM)
    else:
        house.knock(urlencode({name: str(value) for name, value in tree.items()}).encode(), FORM)


PIECES = (
    *("at", "~", "now", "5m ago", "-90m", "02:50", "0312", "2:05pm", "yesterday 23:50", "Thu 14:00", "since", "IST"),
    *("2026-11-20 14:05 PST", "2026-03-29 02:30 Europe/London", "99:99", "24:00", "-9999999h", "9999-12-31 23:59"),
    *("0000-00-00", "by Friday", "by 9999-99-99", "1", "#2", "T1", "R1", "E9", "INC-1:", "INC-999999999:", "sev1"),
    *("sev9", "drill", "@ada", "<@U1>", "<@U1|x>", "<#C1|y>", "<!here>", "<https://x.example|y>", "for Ada:", "as"),
    *("prevent:", "#detect", "cause", "section", "summary", "all", "md", "json", "customer", "of", "to", "customers:"),
    *("34 %", "9" * 400, "-", "a, b", "-a"),
    *("{{ 7*7 }}", "<b>", "|", "`", "\n", "\t", "\u00a0", "\u202e", "🔥", "\x00", "&lt;", "'", '"', "\\", "x" * 4001),
)  # fmt: skip
LINES = st.tuples(
    st.sampled_from([*VERBS, *(word for verb in VERBS.values() for word in verb.also), "", "nothing"]),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=6),
    st.sampled_from([" ", "  ", ""]),
).map(lambda one: " ".join([one[0], one[2].join(one[1])]).encode("utf-8", "ignore").decode())


@examples(250)
@given(LINES)
@example("zone Mars/Phobos")
@example("start")
@example("")
def test_no_line_makes_a_fault(house: House, line: str) -> None:
    house.count += 1
    fields = {
        "command": "/incident",
        "text": line,
        "team_id": house.world.team,
        "channel_id": house.channel.id,
        "channel_name": house.channel.name,
        "user_id": house.ada.id,
        "user_name": house.ada.name,
        "trigger_id": f"edge.{house.count}",
    }
    assert house.knock(urlencode(fields).encode(), FORM) == 200


@examples(100)
@given(st.binary(max_size=300), st.sampled_from([JSON, FORM, "text/plain", "multipart/form-data", ""]))
def test_no_bytes_make_a_fault(house: House, body: bytes, kind: str) -> None:
    house.knock(body, kind)


HEADER = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f\x85\xa0"), max_size=80)


@examples(100)
@given(st.one_of(HEADER, st.integers().map(str)), st.one_of(HEADER, HEADER.map("v0={}".format)))
def test_no_time_stamp_and_no_signature_is_taken_for_slacks(house: House, stamp: str, signature: str) -> None:
    before = rows(house.stage)
    status = house.knock(
        b"command=%2Fincident&text=note+x", FORM, **{"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    )
    assert status in {400, 401}
    assert rows(house.stage) == before


TREES = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in SCENARIOS[:6]]
for whole in TREES:
    whole["timeline"] = whole["timeline"][:4]
STORIES = [yaml.safe_dump(tree, allow_unicode=True) for tree in TREES]


@examples(150)
@given(st.integers(0, 10_000), CHANGES, st.booleans())
def test_no_scenario_is_read_with_a_fault(which: int, changes: list[tuple[int, Any]], as_json: bool) -> None:
    tree = changed(TREES[which % len(TREES)], changes)
    text = json.dumps(tree, default=str) if as_json else yaml.safe_dump(tree, allow_unicode=True)
    scenario(text)


@examples(150)
@given(st.integers(0, 10_000), CUTS)
def test_no_scenario_that_was_cut_about_is_read_with_a_fault(which: int, cuts: Cuts) -> None:
    scenario(cut(STORIES[which % len(STORIES)], cuts))


def scenario(text: str) -> None:
    """Reads a scenario, which may be refused, and nothing worse."""
    said = "some-story.yaml"
    try:
        scenarios.parse(text, Path("some-story.yaml"))
    except Refusal as refused:
        said = str(refused)
    assert "some-story.yaml" in said


@examples(4)
@given(st.integers(0, 10_000), CHANGES)
def test_a_replay_of_whatever_is_done_or_refused(tmp_path: Path, which: int, changes: list[tuple[int, Any]]) -> None:
    tree = TREES[which % len(TREES)]
    path = tmp_path / "some-story.yaml"
    path.write_text(yaml.safe_dump(changed(tree, changes), allow_unicode=True), encoding="utf-8")
    run = CliRunner().invoke(cli, ["replay", str(path), "--out", str(tmp_path / "out")])
    assert run.exit_code in {0, 2}, (run.output, run.exception)
    assert "Traceback" not in run.output
