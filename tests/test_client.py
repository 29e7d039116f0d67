"""The Web API calls that Scribe makes: to the workspace in memory, directly and over HTTP, and to bad servers."""

from __future__ import annotations

import http.server
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest

from bot.core.errors import Undelivered
from bot.core.record import Channel, Installation
from bot.slack.client import PAUSES, Answer, OverHTTP, Profile, Reply, Shared, Slack, Transport
from bot.workspace import Workspace

NOW = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
TOKEN = "xoxb-workspace"


class InMemory:
    """The workspace as a transport: it wants to hear the token with each call."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.upload = workspace.upload

    def call(self, method: str, args: Mapping[str, Any], *, timeout: float | None = None) -> Answer:
        return self.workspace.call(method, args, TOKEN)


# --- servers ----------------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """A request as it reached a server."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Behaviour = Callable[["Door", Asked], None]


class Door(http.server.BaseHTTPRequestHandler):
    """Does with each request what its server was told to."""

    def do_POST(self) -> None:
        server = cast(Server, self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.path, dict(self.headers.items()), body)
        server.asked.append(asked)
        server.behaviour(self, asked)

    def answer(self, status: int, body: bytes | dict[str, Any], **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        usual = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        for name, value in (usual | {name.replace("_", "-"): value for name, value in headers.items()}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.behaviour = behaviour
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Server]]:
    """Start servers, which end with the test."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(behaviour: Behaviour) -> Server:
        server = Server(behaviour)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def front(workspace: Workspace) -> Behaviour:
    """Put the workspace behind HTTP."""

    def behave(door: Door, asked: Asked) -> None:
        if asked.path.startswith("/upload/"):
            reply = workspace.upload(f"{workspace.upload_site}{asked.path}", asked.body)
        else:
            method = asked.path.removeprefix("/api/")
            reply = workspace.call(method, asked.form, asked.headers["Authorization"].removeprefix("Bearer "))
        door.answer(reply.status, reply.body, **reply.headers)

    return behave


@dataclass
class Place:
    """A workspace with #incidents, in which Scribe and Ada are."""

    workspace: Workspace
    slack: Slack
    channel: str
    ada: str
    pauses: list[float] = field(default_factory=list)


@pytest.fixture(params=["in memory", "over HTTP"])
def place(request: pytest.FixtureRequest, serve: Callable[[Behaviour], Server]) -> Place:
    workspace = Workspace(clock=lambda: NOW)
    ada = workspace.add_user("ada", real_name="Ada Lovelace", display_name="", tz="Europe/London")
    channel = workspace.add_channel("incidents", members=[ada], bot_in=True)
    transport: Transport = InMemory(workspace)
    if request.param == "over HTTP":
        server = serve(front(workspace))
        workspace.upload_site = server.url
        transport = OverHTTP(TOKEN, f"{server.url}/api/")
    pauses: list[float] = []
    return Place(workspace, Slack(transport, pause=pauses.append), channel.id, ada.id, pauses)


BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*INC-1* & <https://x.example|the ünicode>"}}]
MESSAGE = {"text": "INC-1", "blocks": BLOCKS}


# --- what is called ---------------------------------------------------------------------------------------------------


def test_scribe_learns_whose_token_it_has(place: Place) -> None:
    assert place.slack.whoami() == Installation(
        team="T0SCRIBE", name="Example", bot_user="U0SCRIBE", bot_id="B0SCRIBE", url="https://example.slack.com/"
    )


def test_a_person_has_the_name_that_people_see_and_a_zone(place: Place) -> None:
    grace = place.workspace.add_user("grace", real_name="Grace Hopper", display_name="amazing", tz="UTC", is_bot=True)
    ours = frozenset({place.workspace.team})
    ada = Profile(place.ada, "Ada Lovelace", "Europe/London", False, teams=ours)
    assert place.slack.person(place.ada) == ada
    assert place.slack.person(grace.id, timeout=2) == Profile(grace.id, "amazing", "UTC", True, teams=ours)


def test_a_guest_is_told_from_a_member(place: Place) -> None:
    guest = place.workspace.add_user("guest")
    guest.guest = True
    assert place.slack.person(guest.id).guest
    assert not place.slack.person(place.ada).guest


def test_a_channel_is_looked_at(place: Place) -> None:
    private = place.workspace.add_channel("secret", private=True, bot_in=True, archived=True)
    other = place.workspace.add_channel("other")
    direct = place.slack.direct(place.ada)
    assert [place.slack.look_at("T0SCRIBE", one) for one in (place.channel, private.id, other.id, direct)] == [
        Channel("T0SCRIBE", place.channel, "incidents", private=False, member=True, archived=False, shared=False),
        Channel("T0SCRIBE", private.id, "secret", private=True, member=True, archived=True, shared=False),
        Channel("T0SCRIBE", other.id, "other", private=False, member=False, archived=False, shared=False),
        Channel("T0SCRIBE", direct, "", private=True, member=True, archived=False, shared=False),
    ]


def test_joining_twice_is_fine(place: Place) -> None:
    other = place.workspace.add_channel("other")
    place.slack.join(other.id)
    place.slack.join(other.id)
    assert other.members == ["U0SCRIBE"]


def test_a_posted_message_is_what_was_given_and_slack_fetches_nothing_in_it(place: Place) -> None:
    root = place.slack.post(place.channel, MESSAGE)
    reply = place.slack.post(place.channel, {"text": "more"}, thread=root)
    shown = place.workspace.messages(place.channel)
    assert [(one.ts, one.text, one.blocks, one.thread_ts, one.metadata) for one in shown] == [
        (root, "INC-1", BLOCKS, None, None),
        (reply, "more", [], root, None),
    ]
    unfurled = {
        str(call.args[name]).lower()
        for call in place.workspace.called("chat.postMessage")
        for name in ("unfurl_links", "unfurl_media")
    }
    assert unfurled == {"false"}


def test_a_message_is_found_again_by_its_key(place: Place) -> None:
    root = place.slack.post(place.channel, MESSAGE, key="letter-1")
    reply = place.slack.post(place.channel, MESSAGE, thread=root, key="letter-2")
    place.slack.edit(place.channel, root, {"text": "INC-1, revised"})
    slack, channel = place.slack, place.channel
    assert slack.find(channel, "letter-1") == root
    assert slack.find(channel, "letter-1", since=root) == root
    assert slack.find(channel, "letter-2") is None
    assert slack.find(channel, "letter-2", thread=root) == reply
    assert slack.find(channel, "letter-2", thread=root, since=reply) == reply
    assert slack.find(channel, "letter-1", thread=root) is None
    assert slack.find(channel, "letter-3") is None


def test_a_message_is_found_some_pages_back_but_not_forever(place: Place) -> None:
    old = place.slack.post(place.channel, MESSAGE, key="old")
    for number in range(900):
        place.workspace.say(place.ada, place.channel, f"message {number}")
    assert place.slack.find(place.channel, "old") == old
    for number in range(100):
        place.workspace.say(place.ada, place.channel, f"message {number}")
    assert place.slack.find(place.channel, "old") is None
    assert len(place.workspace.called("conversations.history")) == 10


def test_an_edit_replaces_text_and_blocks(place: Place) -> None:
    ts = place.slack.post(place.channel, MESSAGE)
    place.slack.edit(place.channel, ts, {"text": "later"})
    assert [(one.text, one.blocks) for one in place.workspace.messages(place.channel)] == [("later", [])]


def test_deleting_twice_is_fine(place: Place) -> None:
    ts = place.slack.post(place.channel, MESSAGE)
    place.slack.delete(place.channel, ts)
    place.slack.delete(place.channel, ts)
    assert place.workspace.messages(place.channel) == []


def test_a_whisper_is_seen_by_one_person(place: Place) -> None:
    place.slack.whisper(place.channel, place.ada, {"text": "between us"})
    assert [one.text for one in place.workspace.ephemerals(place.ada)] == ["between us"]
    assert place.workspace.messages(place.channel) == []


def test_a_person_can_be_written_to_directly(place: Place) -> None:
    direct = place.slack.direct(place.ada)
    place.slack.post(direct, {"text": "hello"})
    assert [one.text for one in place.workspace.messages(direct)] == ["hello"]


def test_a_message_has_an_address(place: Place) -> None:
    ts = place.slack.post(place.channel, MESSAGE)
    assert place.slack.permalink(place.channel, ts) == (
        f"https://example.slack.com/archives/{place.channel}/p{ts.replace('.', '')}"
    )


def test_a_form_is_opened(place: Place) -> None:
    trigger = place.workspace.new_trigger(place.ada, place.channel)
    title = {"type": "plain_text", "text": "Start"}
    place.slack.open_form(trigger, {"type": "modal", "title": title, "blocks": BLOCKS})
    assert [view.title for view in place.workspace.views(place.ada)] == ["Start"]
    with pytest.raises(Undelivered, match=r"opened already|too late"):
        place.slack.open_form(trigger, {"type": "modal", "title": title, "blocks": BLOCKS})


# --- files ------------------------------------------------------------------------------------------------------------


def upload(place: Place, thread: str = "") -> Shared:
    return place.slack.upload(
        place.channel, name="0001-x.md", title="INC-1", content="# Ünicode\n".encode(), thread=thread, comment="Here"
    )


def test_an_uploaded_file_is_in_the_channel_with_a_permalink(place: Place) -> None:
    shared = upload(place)
    [file], [message] = place.workspace.files, place.workspace.messages(place.channel)
    assert (file.name, file.title, file.content) == ("0001-x.md", "INC-1", "# Ünicode\n".encode())
    assert (message.text, message.files) == ("Here", [file])
    assert shared == Shared(file.id, place.workspace.file_json(file)["permalink"], message.ts)
    assert place.pauses == []


def test_an_uploaded_file_can_be_put_in_a_thread(place: Place) -> None:
    root = place.slack.post(place.channel, MESSAGE)
    shared = upload(place, root)
    assert [one.ts for one in place.workspace.thread(place.channel, root)] == [shared.ts]


def test_an_upload_waits_until_slack_has_shared_the_file(place: Place) -> None:
    place.workspace.share_delay = 3
    shared = upload(place)
    assert [one.ts for one in place.workspace.messages(place.channel)] == [shared.ts]
    assert place.pauses == list(PAUSES[:3])


def test_a_file_that_slack_never_shares_is_given_without_its_message(place: Place) -> None:
    place.workspace.share_delay = 1000
    shared = upload(place)
    [file] = place.workspace.files
    assert shared == Shared(file.id, place.workspace.file_json(file)["permalink"], "")
    assert place.pauses == list(PAUSES)


def test_an_upload_that_broke_after_it_was_completed_is_not_made_twice(place: Place) -> None:
    place.workspace.fail("files.completeUploadExternal", drop="after")
    shared = upload(place)
    assert [one.ts for one in place.workspace.messages(place.channel)] == [shared.ts]


def test_an_upload_that_broke_before_it_was_completed_is_reported(place: Place) -> None:
    place.workspace.fail("files.completeUploadExternal", drop="before")
    with pytest.raises(Undelivered) as caught:
        upload(place)
    assert (caught.value.permanent, caught.value.uncertain) == (False, True)
    assert place.workspace.messages(place.channel) == []


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "upload"])
def test_an_upload_that_broke_while_nobody_could_see_it_surely_did_not_arrive(place: Place, step: str) -> None:
    place.workspace.fail(step, drop="after")
    with pytest.raises(Undelivered) as caught:
        upload(place)
    assert (caught.value.permanent, caught.value.uncertain) == (False, False)


def test_an_upload_outlives_a_hiccup_while_it_waits(place: Place) -> None:
    place.workspace.fail("files.info", status=503, times=2)
    assert upload(place).ts == place.workspace.messages(place.channel)[0].ts


def test_the_bytes_can_be_refused_too(place: Place) -> None:
    place.workspace.fail("upload", status=500)
    with pytest.raises(Undelivered, match="HTTP 500") as caught:
        upload(place)
    assert not caught.value.permanent
    place.workspace.fail("upload", retry_after=7)
    with pytest.raises(Undelivered) as caught:
        upload(place)
    assert caught.value.retry_after == 7


def test_an_empty_file_is_refused_before_slack_does(place: Place) -> None:
    with pytest.raises(Undelivered, match="empty") as caught:
        place.slack.upload(place.channel, name="x.md", title="x", content=b"")
    assert caught.value.permanent
    assert place.workspace.calls == []


def test_deleting_a_file_twice_is_fine(place: Place) -> None:
    shared = upload(place)
    place.slack.delete_file(shared.file)
    place.slack.delete_file(shared.file)
    assert place.workspace.files == []


# --- what goes wrong --------------------------------------------------------------------------------------------------


def refused(act: Callable[[], object]) -> tuple[str, bool, bool, float | None, str]:
    with pytest.raises(Undelivered) as caught:
        act()
    error = caught.value
    return error.message, error.permanent, error.uncertain, error.retry_after, error.code


def test_where_scribe_is_not_the_remedy_is_named(place: Place) -> None:
    other, secret = place.workspace.add_channel("other"), place.workspace.add_channel("secret", private=True)
    for channel, code in ((other.id, "not_in_channel"), (secret.id, "channel_not_found")):
        message, *rest = refused(lambda channel=channel: place.slack.post(channel, MESSAGE))
        assert message.endswith("Type /invite @Scribe in the channel.")
        assert rest == [True, False, None, code]


def test_a_missing_scope_is_named(place: Place) -> None:
    place.workspace.scopes -= {"chat:write"}
    message, *rest = refused(lambda: place.slack.post(place.channel, MESSAGE))
    assert message.startswith("The Slack app lacks chat:write (chat.postMessage). Add it under OAuth & Permissions")
    assert rest == [True, False, None, "missing_scope"]


def test_what_slack_says_about_malformed_blocks_is_passed_on(place: Place) -> None:
    message, permanent, _, _, code = refused(
        lambda: place.slack.post(place.channel, {"text": "x", "blocks": [{"type": "header"}]})
    )
    assert message.startswith("Slack refused chat.postMessage: invalid_blocks. [ERROR] ")
    assert (permanent, code) == (True, "invalid_blocks")


def test_a_rate_limit_says_when_to_come_back(place: Place) -> None:
    place.workspace.fail("chat.postMessage", retry_after=30)
    assert refused(lambda: place.slack.post(place.channel, MESSAGE)) == (
        "Slack asks to wait.", False, False, 30.0, "ratelimited",
    )  # fmt: skip


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_outage_may_have_let_the_message_through(place: Place, status: int) -> None:
    place.workspace.fail("chat.postMessage", status=status)
    message, *rest = refused(lambda: place.slack.post(place.channel, MESSAGE))
    assert message == f"Slack had an error of its own (HTTP {status}, chat.postMessage)."
    assert rest == [False, True, None, "internal_error"]


@pytest.mark.parametrize(
    ("code", "permanent", "uncertain"),
    [
        ("is_archived", True, False),
        ("invalid_auth", True, False),
        ("account_inactive", True, False),
        ("token_revoked", True, False),
        ("msg_too_long", True, False),
        ("restricted_action", True, False),
        ("a_code_of_tomorrow", True, False),
        ("internal_error", False, True),
        ("fatal_error", False, True),
        ("service_unavailable", False, False),
        ("request_timeout", False, False),
        ("team_added_to_org", False, False),
    ],
)
def test_a_code_says_whether_another_try_can_help(place: Place, code: str, permanent: bool, uncertain: bool) -> None:
    place.workspace.fail("chat.postMessage", error=code)
    message, *rest = refused(lambda: place.slack.post(place.channel, MESSAGE))
    assert rest == [permanent, uncertain, None, code]
    assert message.endswith((".", ")"))


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_connection_that_broke_leaves_it_open_and_nothing_is_sent_twice(place: Place, drop: Any) -> None:
    place.workspace.fail("chat.postMessage", drop=drop)
    assert refused(lambda: place.slack.post(place.channel, MESSAGE, key="k")) == (
        "The connection to Slack broke (chat.postMessage).", False, True, None, "",
    )  # fmt: skip
    shown = [one.ts for one in place.workspace.messages(place.channel)]
    assert len(shown) == (drop == "after")
    assert place.slack.find(place.channel, "k") == (shown[0] if shown else None)


def test_slack_that_is_away_has_surely_received_nothing() -> None:
    workspace = Workspace(clock=lambda: NOW)
    workspace.away = True
    message, *rest = refused(Slack(InMemory(workspace)).whoami)
    assert message == "Slack could not be reached (auth.test)."
    assert rest == [False, False, None, ""]


# --- over HTTP alone --------------------------------------------------------------------------------------------------


def test_over_http_a_call_is_a_form_with_the_token_in_its_header(serve: Callable[[Behaviour], Server]) -> None:
    server = serve(lambda door, asked: door.answer(200, {"ok": True, "ts": "1.000001"}, X_Test="yes"))
    reply = OverHTTP("xoxb-1", f"{server.url}/api/").call(
        "chat.postMessage", {"text": "ü", "blocks": BLOCKS, "flag": False}
    )
    assert (reply.status, reply.body, reply.headers["X-Test"]) == (200, {"ok": True, "ts": "1.000001"}, "yes")
    [asked] = server.asked
    assert (asked.path, asked.headers["Authorization"]) == ("/api/chat.postMessage", "Bearer xoxb-1")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert {name: value if name != "blocks" else json.loads(value) for name, value in asked.form.items()} == {
        "text": "ü",
        "blocks": BLOCKS,
        "flag": "false",
    }


def test_over_http_refusals_are_answers(serve: Callable[[Behaviour], Server]) -> None:
    answers = iter([(200, {"ok": False, "error": "x"}), (429, {"ok": False}), (500, {"ok": False, "error": "y"})])
    server = serve(lambda door, asked: door.answer(*next(answers), Retry_After="9"))
    transport = OverHTTP("xoxb-1", f"{server.url}/api/")
    replies = [transport.call("auth.test", {}) for _ in range(3)]
    assert [(reply.status, reply.body, reply.headers["Retry-After"]) for reply in replies] == [
        (200, {"ok": False, "error": "x"}, "9"),
        (429, {"ok": False}, "9"),
        (500, {"ok": False, "error": "y"}, "9"),
    ]


def reset(door: Door, asked: Asked) -> None:
    """Break the connection with a reset, as a proxy that restarts does."""
    door.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    door.connection.close()


def hang_up(door: Door, asked: Asked) -> None:
    door.close_connection = True


def stop_half_way(door: Door, asked: Asked) -> None:
    door.answer(200, b'{"ok": true,', Content_Length="9999")


@pytest.mark.parametrize("behaviour", [reset, hang_up, stop_half_way])
@pytest.mark.parametrize("timeout", [None, 5.0])
def test_over_http_a_dropped_connection_is_uncertain_and_sent_once(
    serve: Callable[[Behaviour], Server], behaviour: Behaviour, timeout: float | None
) -> None:
    server = serve(behaviour)
    transport = OverHTTP("xoxb-1", f"{server.url}/api/")
    message, *rest = refused(lambda: transport.call("chat.postMessage", {"text": "x"}, timeout=timeout))
    assert message == "The connection to Slack broke (chat.postMessage)."
    assert rest == [False, True, None, ""]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "uncertain"),
    [
        (200, b"<html>log in to the guest network</html>", True),
        (200, b"[1, 2]", True),
        (200, b"\xff\xfe", True),
        (200, b"", True),
        (403, b"<html>blocked by the proxy</html>", False),
    ],
)
def test_over_http_an_answer_that_is_not_slacks_is_not_held_for_one(
    serve: Callable[[Behaviour], Server], status: int, body: bytes, uncertain: bool
) -> None:
    server = serve(lambda door, asked: door.answer(status, body, Content_Type="text/html"))
    message, *rest = refused(Slack(OverHTTP("xoxb-1", f"{server.url}/api/")).whoami)
    assert message == f"The answer to auth.test could not be read (HTTP {status})."
    assert rest == [False, uncertain, None, ""]


def test_over_http_a_server_that_is_silent_is_given_up(serve: Callable[[Behaviour], Server]) -> None:
    done = threading.Event()
    server = serve(lambda door, asked: cast(None, done.wait(30)))
    slack = Slack(OverHTTP("xoxb-1", f"{server.url}/api/"))
    found = refused(lambda: slack.person("U1", timeout=0.05))
    done.set()
    assert found == ("Slack did not answer in time (users.info).", False, True, None, "")


def test_over_http_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    slack = Slack(OverHTTP("xoxb-1", f"http://127.0.0.1:{port}/api/"))
    assert refused(slack.whoami) == ("Slack could not be reached (auth.test).", False, False, None, "")


def test_an_upload_goes_to_nothing_but_a_web_address() -> None:
    message, permanent, *_ = refused(lambda: OverHTTP("xoxb-1", "http://x.example/").upload("file:///etc/passwd", b"x"))
    assert (message, permanent) == ("Slack gave no address to upload to: file:///etc/passwd", True)


def test_an_answer_without_what_was_asked_for_is_not_held_for_one() -> None:
    class Curt:
        def call(self, method: str, args: Mapping[str, Any], *, timeout: float | None = None) -> Answer:
            return Reply(200, {"ok": True}, {})

        def upload(self, url: str, content: bytes) -> Answer:
            return Reply(200, {}, {})

    slack = Slack(Curt())
    for act in (slack.whoami, lambda: slack.person("U1"), lambda: slack.post("C1", MESSAGE)):
        message, permanent, uncertain, *_ = refused(act)
        assert message.startswith("Slack's answer lacks ")
        assert (permanent, uncertain) == (False, True)
