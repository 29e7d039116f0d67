"""The workspace as a server: what slack_sdk's own clients, which know Slack and nothing of us, make of it."""

from __future__ import annotations

import contextlib
import errno
import gc
import http.client
import json
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.websocket_client import SocketModeClient
from slack_sdk.webhook import WebhookClient

from bot.slack.client import OverHTTP
from bot.workspace import Answer, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.wire import Opcode, Reader, Violation, accept

NOW = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)
PATIENCE = 5
"""Seconds for what comes in milliseconds."""


@pytest.fixture
def ws() -> Workspace:
    made = Workspace(clock=lambda: NOW)
    made.add_user("ada", tz="Europe/London")
    made.add_channel("ops", members=["ada"], bot_in=True)
    made.add_channel("lobby", members=["ada"])
    return made


@pytest.fixture
def server(ws: Workspace) -> Iterator[WorkspaceServer]:
    before = set(threading.enumerate())
    with WorkspaceServer(ws) as running:
        yield running
    left = {one for one in set(threading.enumerate()) - before if "workspace" in one.name or "request" in one.name}
    assert left == set()


@pytest.fixture
def client(server: WorkspaceServer, ws: Workspace) -> WebClient:
    return plain(server, ws.bot_token)


def plain(server: WorkspaceServer, token: str | None = None, timeout: float = PATIENCE) -> WebClient:
    return WebClient(token=token, base_url=server.api_url, timeout=cast(int, timeout), retry_handlers=[])


def fetch(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """What a program without any library gets: the status and the text."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET" if body is None else "POST", url.partition(urlsplit(url).netloc)[2], body, given)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def ops(ws: Workspace) -> str:
    return ws.channel("ops").id


def texts(ws: Workspace) -> list[str]:
    return [one.text for one in ws.messages("ops")]


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(SlackApiError) as failure:
        call()
    return failure.value.response.status_code, failure.value.response["error"]


# --- the Web API ------------------------------------------------------------------------------------------------------


def test_auth_test_tells_whose_token_it_is(client: WebClient, ws: Workspace) -> None:
    answer = client.auth_test()
    assert (answer["team_id"], answer["user_id"]) == (ws.team, ws.bot_user)
    assert "chat:write" in answer.headers["X-OAuth-Scopes"]


def test_an_answer_tells_the_time_by_slacks_clock(client: WebClient) -> None:
    assert client.api_test().headers["Date"] == "Sat, 21 Nov 2026 03:06:00 GMT"


@pytest.mark.parametrize("token", [None, "xoxb-another"])
def test_without_the_right_token_nothing_is_answered(server: WorkspaceServer, token: str | None) -> None:
    assert refused(plain(server, token).auth_test) == (200, "invalid_auth" if token else "not_authed")


def test_a_message_is_posted_in_json_and_in_a_form(server: WorkspaceServer, client: WebClient, ws: Workspace) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Ü*"}}]
    posted = client.chat_postMessage(channel=ops(ws), text="Ü & <b>", blocks=blocks)
    OverHTTP(ws.bot_token, server.api_url).call(
        "chat.postMessage", {"channel": ops(ws), "text": "zwei", "blocks": blocks, "thread_ts": posted["ts"]}
    )
    first, second = ws.messages("ops")
    assert (first.ts, first.text, first.blocks) == (posted["ts"], "Ü & <b>", blocks)
    assert (second.text, second.blocks, second.thread_ts) == ("zwei", blocks, first.ts)


def test_a_call_may_come_as_get_with_the_token_in_the_query(server: WorkspaceServer, ws: Workspace) -> None:
    status, text = fetch(f"{server.api_url}users.info?token={ws.bot_token}&user={ws.user('ada').id}")
    assert (status, json.loads(text)["user"]["tz"]) == (200, "Europe/London")


def test_refusals_are_those_of_the_workspace(client: WebClient, ws: Workspace) -> None:
    lobby = ws.channel("lobby").id
    assert [
        refused(lambda: client.chat_postMessage(channel=lobby, text="hello")),
        refused(lambda: client.chat_postMessage(channel="C404", text="hello")),
        refused(lambda: client.users_info(user="U404")),
        refused(lambda: client.api_call("chat.shout")),
    ] == [(200, "not_in_channel"), (200, "channel_not_found"), (200, "user_not_found"), (200, "unknown_method")]


def test_a_body_that_cannot_be_read_is_refused_in_slacks_words(server: WorkspaceServer, ws: Workspace) -> None:
    def said(content_type: str, body: bytes) -> str:
        url = server.api_url + "chat.postMessage"
        _, text = fetch(url, body, Content_Type=content_type, Authorization=f"Bearer {ws.bot_token}")
        return str(json.loads(text)["error"])

    assert [said("application/json", b"{"), said("application/json", b"[]"), said("text/plain", b"hello")] == [
        "invalid_json",
        "json_not_object",
        "invalid_post_type",
    ]


def test_history_shows_the_metadata_that_was_posted(client: WebClient, ws: Workspace) -> None:
    metadata = {"event_type": "letter", "event_payload": {"key": "L1"}}
    client.chat_postMessage(channel=ops(ws), text="with a key", metadata=metadata)
    ws.say("ada", "ops", "thanks")
    pages = client.conversations_history(channel=ops(ws), include_all_metadata=True, limit=1)
    found = [message.get("metadata") for page in pages for message in page["messages"]]
    assert found == [None, metadata]


def test_a_modal_opens_by_a_trigger_once(client: WebClient, ws: Workspace) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Note"}, "blocks": [{"type": "divider"}]}
    trigger = ws.new_trigger(ws.user("ada").id, ops(ws))
    assert client.views_open(trigger_id=trigger, view=view)["view"]["id"] == ws.views("ada")[0].id
    assert refused(lambda: client.views_open(trigger_id=trigger, view=view)) == (200, "exchanged_trigger_id")


def test_files_go_through_the_upload_url_of_this_server(
    server: WorkspaceServer, client: WebClient, ws: Workspace
) -> None:
    root = client.chat_postMessage(channel=ops(ws), text="the draft")["ts"]
    content = bytes(range(256)) * 300
    answer = client.files_upload_v2(
        filename="draft.bin", content=content, title="Draft", channel=ops(ws), thread_ts=root, initial_comment="here"
    )
    (file,) = ws.files
    assert (answer["file"]["id"], file.content, file.upload_url.startswith(server.url)) == (file.id, content, True)
    assert [(one.text, one.thread_ts) for one in ws.messages("ops") if one.files] == [("here", root)]


def test_a_response_url_leads_here_and_ends_after_five_answers(server: WorkspaceServer, ws: Workspace) -> None:
    url = ws.new_response_url("commands", ws.user("ada").id, ops(ws))
    assert url.startswith(server.url + "/")
    hook = WebhookClient(url, retry_handlers=[])
    answers = [hook.send(text=f"answer {n}", response_type="ephemeral") for n in range(6)]
    assert [(one.status_code, one.body) for one in answers] == [(200, "ok")] * 5 + [(404, "used_url")]
    assert [one.text for one in ws.ephemerals("ada")] == [f"answer {n}" for n in range(5)]


def test_addresses_lead_to_slack_again_when_the_server_is_closed(ws: Workspace) -> None:
    before = ws.hooks_site, ws.upload_site
    with WorkspaceServer(ws) as server:
        assert (ws.hooks_site, ws.upload_site) == (f"{server.url}/hooks", server.url)
    assert (ws.hooks_site, ws.upload_site) == before


def test_many_calls_at_once_are_all_answered(client: WebClient, ws: Workspace) -> None:
    def post(n: int) -> None:
        client.chat_postMessage(channel=ops(ws), text=f"{n}")

    threads = [threading.Thread(target=post, args=(n,)) for n in range(40)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert sorted(int(text) for text in texts(ws)) == list(range(40))


# --- what goes wrong with the Web API ---------------------------------------------------------------------------------


def test_too_many_requests_say_when_to_come_back(client: WebClient, ws: Workspace) -> None:
    ws.fail("chat.postMessage", retry_after=7)
    with pytest.raises(SlackApiError) as failure:
        client.chat_postMessage(channel=ops(ws), text="hello")
    response = failure.value.response
    assert (response.status_code, response["error"], response.headers["Retry-After"]) == (429, "ratelimited", "7")


@pytest.mark.parametrize(("after", "left"), [(False, []), (True, ["hello"])])
def test_a_500_comes_before_or_after_the_effect(client: WebClient, ws: Workspace, after: bool, left: list[str]) -> None:
    ws.fail("chat.postMessage", status=500, after=after)
    assert refused(lambda: client.chat_postMessage(channel=ops(ws), text="hello")) == (500, "internal_error")
    assert texts(ws) == left


@pytest.mark.parametrize(("moment", "left"), [("before", []), ("after", ["hello"])])
def test_a_connection_breaks_before_or_after_the_effect(
    client: WebClient, ws: Workspace, moment: Any, left: list[str]
) -> None:
    ws.fail("chat.postMessage", drop=moment)
    with pytest.raises(http.client.RemoteDisconnected):
        client.chat_postMessage(channel=ops(ws), text="hello")
    assert (texts(ws), len(ws.called("chat.postMessage"))) == (left, 1)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_upload_can_break_too(client: WebClient, ws: Workspace, moment: Any) -> None:
    ws.fail("upload", drop=moment)
    with pytest.raises(http.client.RemoteDisconnected):
        client.files_upload_v2(filename="draft.md", content="text", channel=ops(ws))
    assert (ws.files, [one.content for one in ws.stored_files.values()]) == (
        [],
        [b"text" if moment == "after" else None],
    )


def test_a_slow_answer_runs_into_the_callers_time_out_after_the_effect(server: WorkspaceServer, ws: Workspace) -> None:
    server.slow("chat.postMessage", 60)
    with pytest.raises(TimeoutError):
        plain(server, ws.bot_token, timeout=0.2).chat_postMessage(channel=ops(ws), text="hello")
    assert texts(ws) == ["hello"]
    server.close()  # does not wait for the minute to end


def test_slack_away_resets_what_comes_in(client: WebClient, ws: Workspace) -> None:
    ws.away = True
    with pytest.raises((ConnectionResetError, URLError)) as failure:
        client.auth_test()
    reason = getattr(failure.value, "reason", failure.value)
    assert reason.errno == errno.ECONNRESET


def test_slack_goes_away_and_comes_back_at_the_same_address(
    server: WorkspaceServer, client: WebClient, ws: Workspace
) -> None:
    server.go_away()
    with pytest.raises(URLError) as failure:
        client.auth_test()
    assert cast(OSError, failure.value.reason).errno == errno.ECONNREFUSED
    server.come_back()
    assert client.auth_test()["ok"]


def test_what_does_not_exist_is_404(server: WorkspaceServer) -> None:
    assert [fetch(server.url + "/archives/C1")[0], fetch(server.url + "/hooks/x", b"{}")] == [404, (404, "no_service")]


def test_a_client_that_says_nothing_does_not_hold_the_server_up(ws: Workspace) -> None:
    with WorkspaceServer(ws) as server:
        idle = socket.create_connection(address(server))
        plain(server, ws.bot_token).auth_test()
    with idle:
        assert idle.recv(1) == b""


def address(server: WorkspaceServer) -> tuple[str, int]:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


# --- signed requests over HTTP ----------------------------------------------------------------------------------------


class Site(ThreadingHTTPServer):
    """An app behind HTTP that answers what `answer` gives: a status and an object. It may refuse to answer."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SiteRequest)
        self.heard: list[tuple[str, dict[str, str], str]] = []
        self.answer: tuple[int, dict[str, Any]] | None = (200, {"response_type": "in_channel", "text": "noted"})
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class SiteRequest(BaseHTTPRequestHandler):
    server: Site

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.heard.append((self.path, dict(self.headers.items()), body))
        if self.server.answer is None:
            self.server.released.wait(PATIENCE)
            return
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.released.set()
        made.shutdown()
        thread.join()


def test_requests_reach_the_app_signed_over_http(server: WorkspaceServer, ws: Workspace, site: Site) -> None:
    server.attach_http(site.url)
    answer = ws.command("ada", "ops", "note it is <slow>")
    assert (answer.text, answer.in_channel) == ("noted", True)
    site.answer = (200, {})
    message = ws.say("ada", "ops", "hello")
    (path, headers, body), (_, _, event) = site.heard
    clock = type("Clock", (), {"now": staticmethod(NOW.timestamp)})()
    assert (path, SignatureVerifier(ws.signing_secret, clock).is_valid_request(body, headers)) == (
        "/slack/events",
        True,
    )
    assert json.loads(event)["event"]["ts"] == message.ts


def test_the_whole_request_url_may_be_given(server: WorkspaceServer, ws: Workspace, site: Site) -> None:
    server.attach_http(f"{site.url}/hooks/slack")
    ws.command("ada", "ops", "start")
    assert [path for path, _, _ in site.heard] == ["/hooks/slack"]
    with pytest.raises(ValueError, match="give http"):
        server.attach_http("localhost:3000")


def test_an_app_that_fails_is_seen_as_slack_shows_it(server: WorkspaceServer, ws: Workspace, site: Site) -> None:
    server.attach_http(site.url, patience=0.2)
    site.answer = (500, {})
    broken = ws.command("ada", "ops", "start")
    site.answer = None
    silent = ws.command("ada", "ops", "start")
    site.released.set()
    empty = socket.socket()
    with empty:
        empty.bind(("127.0.0.1", 0))
        server.attach_http(f"http://127.0.0.1:{empty.getsockname()[1]}")
        absent = ws.command("ada", "ops", "start")
    assert [one.failure for one in (broken, silent, absent)] == [
        "dispatch_failed",
        "operation_timeout",
        "dispatch_failed",
    ]


# --- Socket Mode ------------------------------------------------------------------------------------------------------


class Client(SocketModeClient):
    """The SDK's client, with one thread that connects where there are two, so that it does the same every time.

    As it is, it waits half a second before each connection; sleeps ten (or the ping_timeout, which it does not set)
    when the thread that closes a connection reads the other side's close frame before the thread that listens sees it;
    and its monitor may replace a connection that is just being opened, which then stands with nobody listening.
    """

    def __init__(self, **given: Any) -> None:
        self.asked = threading.Event()
        self.over: Any = None
        super().__init__(**given)
        self.current_session_runner.interval_seconds = 0.01
        self.current_app_monitor_started = True  # so that nobody starts it: the thread below does its work

    def connect(self) -> None:
        super().connect()
        self.asked.set()

    def _run_current_session(self) -> None:
        self.asked.wait(PATIENCE)
        if self.current_session is self.over:
            self._monitor_current_session()
        session = self.current_session
        if session is not self.over and session is not None:
            session.run_forever(ping_interval=60, ping_timeout=0.1)
            self.over = session


class Socketed:
    """An app on slack_sdk's Socket Mode client: it acks what it hears, with what `answer` gives as the payload."""

    def __init__(self, server: WorkspaceServer) -> None:
        web = plain(server)
        web._logger.setLevel(100)  # refusals are meant here
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.heard: queue.Queue[SocketModeRequest] = queue.Queue()
        self.answer: Callable[[SocketModeRequest], dict[str, Any] | None] = lambda request: None
        self.acks = True
        self.client = Client(app_token=server.workspace.app_token, logger=web._logger, web_client=web)
        self.client.message_listeners.append(lambda _, message, __: self.said.put(message))  # type: ignore[arg-type]
        self.client.socket_mode_request_listeners.append(self._hear)  # type: ignore[arg-type]

    def connect(self) -> Socketed:
        self.client.connect()
        return self

    def _hear(self, client: SocketModeClient, request: SocketModeRequest) -> None:
        self.heard.put(request)
        if not self.acks:
            return
        ack: dict[str, Any] = {"envelope_id": request.envelope_id}
        payload = self.answer(request)
        with contextlib.suppress(Exception):  # the connection may be gone on purpose
            client.send_socket_mode_response(ack if payload is None else ack | {"payload": payload})

    def close(self) -> None:
        self.client.closed = True
        self.client.auto_reconnect_enabled = False
        self.client.asked.set()
        self.client.message_queue.put(None)  # wakes the thread that waits a second for a message
        self.client.close()


@pytest.fixture
def connect(server: WorkspaceServer) -> Iterator[Callable[[], Socketed]]:
    made: list[Socketed] = []

    def build() -> Socketed:
        made.append(Socketed(server))
        return made[-1]

    server.attach_sockets(patience=PATIENCE)
    yield build
    for one in made:
        one.close()


@pytest.fixture
def app(server: WorkspaceServer, connect: Callable[[], Socketed]) -> Socketed:
    made = connect().connect()
    server.sockets.wait()
    return made


def test_the_first_word_is_hello(app: Socketed, ws: Workspace) -> None:
    hello = app.said.get(timeout=PATIENCE)
    assert (hello["type"], hello["num_connections"], hello["connection_info"]) == ("hello", 1, {"app_id": ws.app_id})
    assert hello["debug_info"]["approximate_connection_time"] > 0


def test_a_command_is_answered_through_the_payload_of_its_ack(app: Socketed, ws: Workspace) -> None:
    app.answer = lambda request: {"response_type": "in_channel", "text": f"noted {request.payload['text']}"}
    answer = ws.command("ada", "ops", "the disk is full")
    request = app.heard.get(timeout=PATIENCE)
    assert (answer.text, answer.in_channel, texts(ws)) == (
        "noted the disk is full",
        True,
        ["noted the disk is full"],
    )
    assert (request.type, request.accepts_response_payload) == ("slash_commands", True)
    assert (request.payload["command"], request.payload["user_id"]) == ("/incident", ws.user("ada").id)


def test_an_ack_without_a_payload_shows_nothing(app: Socketed, ws: Workspace) -> None:
    answer = ws.command("ada", "ops", "start")
    assert (answer.ok, answer.text, texts(ws)) == (True, "", [])


def test_a_form_is_answered_through_the_payload_too(app: Socketed, client: WebClient, ws: Workspace) -> None:
    field = {"type": "plain_text_input", "action_id": "text"}
    block = {"type": "input", "block_id": "note", "label": {"type": "plain_text", "text": "Note"}, "element": field}
    title = {"type": "plain_text", "text": "Note"}
    view = {"type": "modal", "title": title, "submit": title, "blocks": [block]}
    client.views_open(trigger_id=ws.new_trigger(ws.user("ada").id, ops(ws)), view=view)
    app.answer = lambda request: {"response_action": "errors", "errors": {"note": "too short"}}
    answer = ws.submit("ada", values={"note": "x"})
    request = app.heard.get(timeout=PATIENCE)
    assert (answer.errors, request.type, request.accepts_response_payload) == (
        {"note": "too short"},
        "interactive",
        True,
    )


def test_a_click_is_acked_and_any_payload_passed_over(app: Socketed, client: WebClient, ws: Workspace) -> None:
    button = {"type": "button", "action_id": "undo", "text": {"type": "plain_text", "text": "Undo"}}
    client.chat_postMessage(channel=ops(ws), text="noted", blocks=[{"type": "actions", "elements": [button]}])
    app.answer = lambda request: {"text": "nobody sees this"}
    answer: Answer = ws.click("ada", ws.messages("ops")[0], "Undo")
    request = app.heard.get(timeout=PATIENCE)
    assert (answer.ok, answer.raw, request.accepts_response_payload) == (True, b"", False)
    assert request.payload["response_url"].startswith(ws.hooks_site)


def test_an_event_is_acked(app: Socketed, server: WorkspaceServer, ws: Workspace) -> None:
    message = ws.say("ada", "ops", "hello")
    request = app.heard.get(timeout=PATIENCE)
    assert (request.type, request.payload["event"]["ts"], request.retry_attempt) == ("events_api", message.ts, 0)
    assert (server.sockets.answers, server.sockets.unacked, ws.undelivered) == (
        [{"envelope_id": request.envelope_id}],
        [],
        [],
    )


def test_an_event_that_is_not_acked_is_sent_again_on_demand(
    app: Socketed, server: WorkspaceServer, ws: Workspace
) -> None:
    server.sockets.patience = 0.05
    app.acks = False
    ws.say("ada", "ops", "hello")
    assert (server.resend_unacked(), len(ws.undelivered)) == (0, 1)
    app.acks, server.sockets.patience = True, PATIENCE
    assert (server.resend_unacked(), ws.undelivered, server.sockets.unacked) == (1, [], [])
    requests = [app.heard.get(timeout=PATIENCE) for _ in range(3)]
    assert [(one.retry_attempt, one.retry_reason) for one in requests] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert (len({one.envelope_id for one in requests}), len({one.payload["event_id"] for one in requests})) == (3, 1)


def test_slack_gives_an_event_up_after_three_more_times(server: WorkspaceServer, ws: Workspace) -> None:
    server.attach_sockets()
    ws.say("ada", "ops", "nobody is connected")
    assert [server.resend_unacked() for _ in range(5)] == [0] * 5
    assert (len(server.sockets.envelopes), server.sockets.unacked, len(ws.undelivered)) == (4, [], 1)


def test_a_command_that_is_not_acked_times_out(app: Socketed, server: WorkspaceServer, ws: Workspace) -> None:
    server.sockets.patience = 0.05
    app.acks = False
    assert ws.command("ada", "ops", "start").failure == "operation_timeout"


def test_a_command_without_a_connection_fails_at_once(server: WorkspaceServer, ws: Workspace) -> None:
    server.attach_sockets()
    assert ws.command("ada", "ops", "start").failure == "dispatch_failed"


def test_an_envelope_can_come_twice(app: Socketed, server: WorkspaceServer, ws: Workspace) -> None:
    server.sockets.duplicate()
    ws.say("ada", "ops", "hello")
    (envelope,) = server.sockets.envelopes
    assert len(server.sockets.answers_to(envelope["envelope_id"], 2)) == 2
    server.sockets.repeat()
    assert len(server.sockets.answers_to(envelope["envelope_id"], 3)) == 3
    requests = [app.heard.get(timeout=PATIENCE) for _ in range(3)]
    assert {(one.envelope_id, one.retry_attempt) for one in requests} == {(envelope["envelope_id"], 0)}


def test_any_connection_may_get_an_envelope(
    server: WorkspaceServer, ws: Workspace, connect: Callable[[], Socketed]
) -> None:
    one, two = connect().connect(), connect().connect()
    server.sockets.wait(2)
    assert {app.said.get(timeout=PATIENCE)["num_connections"] for app in (one, two)} == {1, 2}
    for n in range(4):
        ws.say("ada", "ops", f"{n}")
    assert [len(connection.sent) for connection in server.sockets.connections] == [2, 2]
    for app in (one, two):
        assert [app.heard.get(timeout=PATIENCE).type for _ in range(2)] == ["events_api"] * 2


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled"])
def test_who_is_asked_to_leave_opens_another_connection(
    app: Socketed, server: WorkspaceServer, ws: Workspace, reason: Any
) -> None:
    (old,) = server.sockets.disconnect(reason)
    server.sockets.wait(newer_than=old.number)
    assert old.gone.wait(PATIENCE)
    app.answer = lambda request: {"text": "here"}
    assert ws.command("ada", "ops", "start").text == "here"


def test_who_was_cut_off_connects_again(app: Socketed, server: WorkspaceServer, ws: Workspace) -> None:
    (old,) = server.sockets.reset()
    server.sockets.wait(newer_than=old.number)
    app.answer = lambda request: {"text": "here"}
    assert ws.command("ada", "ops", "start").text == "here"


# websocket-client 1.9 leaves the socket of a connection that the server closed to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_whose_connection_was_closed_connects_again(app: Socketed, server: WorkspaceServer, ws: Workspace) -> None:
    (old,) = server.sockets.close()
    server.sockets.wait(newer_than=old.number)
    assert old.gone.wait(PATIENCE)
    app.answer = lambda request: {"text": "here"}
    assert ws.command("ada", "ops", "start").text == "here"
    gc.collect()


@pytest.mark.parametrize(("moment", "heard"), [("before", 0), ("after", 1)])
def test_a_connection_breaks_with_an_envelope_on_its_way(
    app: Socketed, server: WorkspaceServer, ws: Workspace, moment: Any, heard: int
) -> None:
    (old,) = server.sockets.connections
    server.sockets.drop(moment)
    answer = ws.command("ada", "ops", "start")
    server.sockets.wait(newer_than=old.number)
    assert (answer.failure, app.heard.qsize()) == ("operation_timeout", heard)
    assert ws.command("ada", "ops", "again").ok


@pytest.mark.parametrize("fault", [{"status": 500, "times": 2}, {"retry_after": 1}, {"drop": "before"}])
def test_apps_connections_open_can_be_refused(
    app: Socketed, server: WorkspaceServer, ws: Workspace, fault: dict[str, Any]
) -> None:
    ws.fail("apps.connections.open", **fault)
    (old,) = server.sockets.reset()
    server.sockets.wait(newer_than=old.number, timeout=10)
    assert len(ws.called("apps.connections.open")) >= 2 + fault.get("times", 1)
    assert ws.command("ada", "ops", "start").ok


@pytest.mark.parametrize("refusal", [{"status": 500}, {"status": 429, "retry_after": 1}])
def test_connections_can_be_refused(
    app: Socketed, server: WorkspaceServer, ws: Workspace, refusal: dict[str, Any]
) -> None:
    server.sockets.refuse(2, **refusal)
    (old,) = server.sockets.reset()
    server.sockets.wait(newer_than=old.number, timeout=10)
    assert ws.command("ada", "ops", "start").ok


def test_slack_away_takes_the_sockets_with_it(app: Socketed, server: WorkspaceServer, ws: Workspace) -> None:
    (old,) = server.sockets.connections
    server.go_away()
    assert (server.sockets.connections, ws.command("ada", "ops", "start").failure) == ([], "dispatch_failed")
    server.come_back()
    server.sockets.wait(newer_than=old.number, timeout=10)
    assert ws.command("ada", "ops", "start").ok


def test_only_the_apps_token_opens_a_connection(server: WorkspaceServer, ws: Workspace) -> None:
    client = plain(server)
    assert refused(lambda: client.apps_connections_open(app_token=ws.bot_token)) == (200, "not_allowed_token_type")
    assert refused(lambda: client.apps_connections_open(app_token="xapp-another")) == (200, "invalid_auth")
    assert client.apps_connections_open(app_token=ws.app_token)["url"].startswith("ws://127.0.0.1:")


def test_bolts_own_adapter_is_served(server: WorkspaceServer, ws: Workspace) -> None:
    def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=ws.team, bot_user_id=ws.bot_user, bot_id=ws.bot_id, bot_token=ws.bot_token
        )

    bolt = App(signing_secret=ws.signing_secret, authorize=authorize, process_before_response=True)
    bolt.command("/incident")(lambda ack, body: ack(f"heard {body['text']}"))
    handler = SocketModeHandler(bolt, ws.app_token, web_client=plain(server))
    server.attach_sockets(patience=PATIENCE)
    handler.connect()
    try:
        server.sockets.wait()
        assert ws.command("ada", "ops", "it is late").text == "heard it is late"
    finally:
        handler.client.auto_reconnect_enabled = False
        server.sockets.reset()  # see Client: closing it from here could take ten seconds
        handler.client.closed = True
        handler.client.message_queue.put(None)
        handler.close()


# --- the bytes of a WebSocket -----------------------------------------------------------------------------------------


class Raw:
    """A WebSocket client without a library, which may do what is forbidden."""

    def __init__(self, server: WorkspaceServer) -> None:
        url = plain(server).apps_connections_open(app_token=server.workspace.app_token)["url"]
        self.place = url.partition(urlsplit(url).netloc)[2]
        self.sock = socket.create_connection(address(server), timeout=PATIENCE)
        self.stream = self.sock.makefile("rb")

    def shake_hands(self, **headers: str) -> int:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        given = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        given |= {"Sec-WebSocket-Key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = [f"GET {self.place} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode())
        status = int(self.stream.readline().split()[1])
        answered = dict(line.decode().strip().split(": ", 1) for line in iter(self.stream.readline, b"\r\n"))
        if status == 101:
            assert answered["Sec-WebSocket-Accept"] == accept(key)
        return status

    def send(self, opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True) -> None:
        self.sock.sendall(client_frame(opcode, payload, final=final, masked=masked))

    def receive(self) -> tuple[int, bytes]:
        head = self.stream.read(2)
        if not head:
            return -1, b""
        length = head[1]
        if length == 126:
            (length,) = struct.unpack("!H", self.stream.read(2))
        return head[0] & 0x0F, self.stream.read(length)

    def closed_with(self) -> int:
        while True:
            opcode, payload = self.receive()
            if opcode in (-1, Opcode.CLOSE):
                return struct.unpack("!H", payload[:2])[0] if payload else 0

    def close(self) -> None:
        self.stream.close()
        self.sock.close()


def client_frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    size = len(payload)
    bit = 0x80 if masked else 0
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    if size < 126:
        head += bytes([bit | size])
    else:
        head += struct.pack("!BH", bit | 126, size) if size < 1 << 16 else struct.pack("!BQ", bit | 127, size)
    if not masked:
        return head + payload
    mask = b"\x01\x02\x03\x04"
    key = (mask * (size // 4 + 1))[:size]
    return head + mask + bytes(one ^ other for one, other in zip(payload, key, strict=True))


@pytest.fixture
def raw(server: WorkspaceServer) -> Iterator[Callable[[], Raw]]:
    made: list[Raw] = []

    def build() -> Raw:
        made.append(Raw(server))
        return made[-1]

    server.attach_sockets(patience=PATIENCE)
    yield build
    for one in made:
        one.close()


def test_a_ticket_lets_in_once(server: WorkspaceServer, raw: Callable[[], Raw]) -> None:
    first, second = raw(), raw()
    second.place = first.place
    assert (first.shake_hands(), second.shake_hands()) == (101, 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": ""}, 400),
        ({"Upgrade": "h2c"}, 400),
        ({"Connection": "close"}, 400),
    ],
)
def test_what_is_no_handshake_is_refused(raw: Callable[[], Raw], headers: dict[str, str], status: int) -> None:
    assert raw().shake_hands(**headers) == status


def test_the_eleventh_connection_is_one_too_many(server: WorkspaceServer, raw: Callable[[], Raw]) -> None:
    statuses = [raw().shake_hands() for _ in range(10)]
    server.sockets.wait(10)
    one_more = raw()
    statuses.append(one_more.shake_hands())
    assert statuses == [101] * 11
    assert json.loads(one_more.receive()[1])["reason"] == "too_many_websockets"
    assert (one_more.closed_with(), len(server.sockets.connections)) == (1000, 10)


def test_an_ack_may_come_in_fragments_with_a_ping_between(server: WorkspaceServer, raw: Callable[[], Raw]) -> None:
    app = raw()
    app.shake_hands()
    assert json.loads(app.receive()[1])["type"] == "hello"
    ws = server.workspace
    answers: list[Answer] = []
    typing = threading.Thread(target=lambda: answers.append(ws.command("ada", "ops", "start")))
    typing.start()
    envelope = json.loads(app.receive()[1])
    ack = json.dumps({"envelope_id": envelope["envelope_id"], "payload": {"text": "ü" * 100}}, ensure_ascii=False)
    parts = ack.encode()
    app.send(Opcode.TEXT, parts[:7], final=False)
    app.send(Opcode.PING, b"still there?")
    assert app.receive() == (Opcode.PONG, b"still there?")
    app.send(Opcode.CONTINUATION, parts[7:-101], final=False)
    app.send(Opcode.CONTINUATION, parts[-101:])
    typing.join(PATIENCE)
    assert [one.text for one in answers] == ["ü" * 100]
    app.send(Opcode.CLOSE, struct.pack("!H", 1000))
    assert app.closed_with() == 1000


def test_what_is_no_ack_is_kept_and_harms_nothing(server: WorkspaceServer, raw: Callable[[], Raw]) -> None:
    app = raw()
    app.shake_hands()
    app.send(Opcode.TEXT, b"not json")
    app.send(Opcode.TEXT, b'{"envelope_id": "unknown"}')
    assert server.sockets.answers_to("unknown") == [{"envelope_id": "unknown"}]
    assert server.sockets.answers[0] == {"unreadable": "not json"}


def test_slack_pings_and_counts_the_pongs(server: WorkspaceServer, raw: Callable[[], Raw]) -> None:
    app = raw()
    app.shake_hands()
    (connection,) = server.sockets.wait()
    connection.ping()
    assert app.receive()[0] == Opcode.TEXT
    opcode, payload = app.receive()
    app.send(Opcode.PONG, payload)
    app.send(Opcode.CLOSE, b"")
    assert (opcode, app.closed_with(), connection.gone.wait(PATIENCE), connection.pongs) == (Opcode.PING, 0, True, 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (client_frame(Opcode.TEXT, b"{}", masked=False), 1002),
        (client_frame(Opcode.TEXT, b"{}", reserved=0x40), 1002),
        (client_frame(0x3, b"{}"), 1002),
        (client_frame(Opcode.CONTINUATION, b"{}"), 1002),
        (client_frame(Opcode.TEXT, b"{", final=False) + client_frame(Opcode.TEXT, b"}"), 1002),
        (client_frame(Opcode.PING, b"x" * 126), 1002),
        (client_frame(Opcode.PING, final=False), 1002),
        (client_frame(Opcode.CLOSE, b"x"), 1002),
        (client_frame(Opcode.CLOSE, struct.pack("!H", 1005)), 1002),
        (client_frame(Opcode.BINARY, b"{}"), 1003),
        (client_frame(Opcode.TEXT, b"\xff"), 1007),
        (struct.pack("!BBQ", 0x80 | Opcode.TEXT, 0x80 | 127, 1024 * 1024 + 1), 1009),
    ],
)
def test_a_client_that_breaks_the_protocol_is_told_how(raw: Callable[[], Raw], content: bytes, code: int) -> None:
    app = raw()
    app.shake_hands()
    app.sock.sendall(content)
    assert app.closed_with() == code


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_messages_of_every_length_are_read(size: int) -> None:
    payload = os.urandom(size)
    read, write = os.pipe()
    with open(read, "rb") as stream, open(write, "wb") as sink:
        writing = threading.Thread(target=lambda: (sink.write(client_frame(Opcode.BINARY, payload)), sink.close()))
        writing.start()
        reader = Reader(stream)
        assert (reader.read(), reader.read()) == ((Opcode.BINARY, payload), None)
        writing.join()


def test_many_small_fragments_are_bounded_together() -> None:
    class Endless:
        """Fragments of ten bytes without an end."""

        def __init__(self) -> None:
            self.waiting = client_frame(Opcode.TEXT, b"x" * 10, final=False)

        def read(self, size: int, /) -> bytes:
            if not self.waiting:
                self.waiting = client_frame(Opcode.CONTINUATION, b"x" * 10, final=False)
            taken, self.waiting = self.waiting[:size], self.waiting[size:]
            return taken

    with pytest.raises(Violation, match="at most 100 bytes") as failure:
        Reader(Endless(), limit=100).read()
    assert failure.value.code == 1009
