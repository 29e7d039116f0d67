"""The Slack workspace in memory: what it takes, refuses, sends and shows.

The app behind the door is a plain function here; where slack_sdk knows what Slack does, slack_sdk is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View as SdkView
from slack_sdk.signature import SignatureVerifier

from bot.workspace import Answer, DoorReply, NotFilled, Reply, SlackError, Workspace, check_blocks, check_view

TOKEN = "xoxb-workspace"
SECRET = "a secret of the tests"
Answering = Callable[[dict[str, Any]], Any]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class Door:
    """An app that answers commands with `answer` and everything else with `others`, and remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.answer: Answering = lambda form: {"response_type": "in_channel", "text": f"heard {form['text']}"}
        self.others: Answering = lambda payload: DoorReply(200)

    def __call__(self, path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        assert path == "/slack/events"
        self.headers.append(dict(headers))
        self.bodies.append(body)
        if headers["Content-Type"] == "application/json":
            payload = json.loads(body)
        else:
            form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            payload = json.loads(form["payload"]) if "payload" in form else form
        self.heard.append(payload)
        reply = (self.answer if "command" in payload else self.others)(payload)
        if isinstance(reply, DoorReply):
            return reply
        return DoorReply(200, {"Content-Type": "application/json"}, json.dumps(reply).encode())

    @property
    def events(self) -> list[dict[str, Any]]:
        return [one["event"] for one in self.heard if one.get("type") == "event_callback"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def ws(clock: Clock, door: Door) -> Workspace:
    made = Workspace(clock=clock, signing_secret=SECRET)
    made.add_user("ada", tz="Europe/London")
    made.add_user("ben", tz="America/New_York")
    made.add_channel("ops", members=["ada", "ben"], bot_in=True)
    made.add_channel("war-room", private=True, members=["ada"])
    made.add_channel("lobby", members=["ada"])
    made.attach(door)
    return made


def ok(ws: Workspace, method: str, **args: Any) -> dict[str, Any]:
    reply = ws.call(method, args, TOKEN)
    assert reply.body["ok"], reply.body
    return reply.body


def error(ws: Workspace, method: str, **args: Any) -> str:
    body = ws.call(method, args, TOKEN).body
    assert body["ok"] is False
    return str(body["error"])


def ops(ws: Workspace) -> str:
    return ws.channel("ops").id


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(label: str, action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action_id, **more}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def text_input(block_id: str, label: str, **element: Any) -> dict[str, Any]:
    optional = element.pop("optional", False)
    field = {"type": "plain_text_input", "action_id": "value", **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": field, "optional": optional}


def modal(*blocks: dict[str, Any], title: str = "Resolve", **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "resolve",
        "title": plain(title),
        "submit": plain("Save"),
        "blocks": list(blocks),
        **more,
    }


# --- the Web API: who may call


def test_a_call_without_token_or_with_a_wrong_one_is_refused(ws: Workspace) -> None:
    assert ws.call("auth.test", {}).body == {"ok": False, "error": "not_authed"}
    assert ws.call("auth.test", {}, "xoxb-other").body["error"] == "invalid_auth"
    assert ws.call("auth.test", {}, TOKEN).body["user_id"] == ws.bot_user


def test_an_unknown_method_and_a_missing_argument_are_named(ws: Workspace) -> None:
    assert error(ws, "chat.shout") == "unknown_method"
    body = ws.call("chat.postMessage", {"text": "x"}, TOKEN).body
    assert body["error"] == "invalid_arguments"
    assert body["response_metadata"] == {"messages": ["[ERROR] missing required field: channel"]}


def test_a_scope_that_was_not_granted_is_missed(ws: Workspace) -> None:
    ws.scopes -= {"pins:write"}
    assert error(ws, "pins.add", channel=ops(ws), timestamp="1") == "missing_scope"


def test_every_call_is_counted_with_its_arguments(ws: Workspace) -> None:
    ok(ws, "auth.test")
    ws.call("chat.postMessage", {"channel": "C404", "text": "x"}, TOKEN)
    assert [(one.method, one.args) for one in ws.calls] == [
        ("auth.test", {}),
        ("chat.postMessage", {"channel": "C404", "text": "x"}),
    ]


# --- messages


def test_ts_rises_while_the_clock_stands_still(ws: Workspace) -> None:
    stamps = [ok(ws, "chat.postMessage", channel=ops(ws), text=str(n))["ts"] for n in range(3)]
    assert stamps == ["1795230360.000100", "1795230360.000200", "1795230360.000300"]


def test_ts_rises_when_the_clock_goes_back(ws: Workspace, clock: Clock) -> None:
    first = ok(ws, "chat.postMessage", channel=ops(ws), text="a")["ts"]
    clock.go(minutes=-5)
    assert ok(ws, "chat.postMessage", channel=ops(ws), text="b")["ts"] > first


def test_the_same_run_gives_the_same_ids() -> None:
    def run() -> list[Any]:
        ws = Workspace(clock=Clock(), seed=7)
        ws.add_user("ada")
        ws.add_channel("ops", members=["ada"], bot_in=True)
        ws.command("ada", "ops", "note x")
        made = ok(ws, "conversations.create", name="inc-1")
        return [ws.requests[0].body, ws.requests[0].headers, made]

    assert run() == run()


def test_text_is_kept_as_the_app_gave_it(ws: Workspace) -> None:
    ok(ws, "chat.postMessage", channel=ops(ws), text="5 &lt; 6 & <!here>")
    assert ws.messages("ops")[0].text == "5 &lt; 6 & <!here>"


def test_a_channel_that_the_bot_is_not_in_takes_no_message(ws: Workspace) -> None:
    lobby, secret = ws.channel("lobby").id, ws.channel("war-room").id
    assert error(ws, "chat.postMessage", channel=lobby, text="x") == "not_in_channel"
    assert error(ws, "chat.postMessage", channel=secret, text="x") == "channel_not_found"
    assert error(ws, "conversations.info", channel=secret) == "channel_not_found"
    ws.scopes |= {"chat:write.public"}
    ok(ws, "chat.postMessage", channel=lobby, text="x")


def test_a_private_channel_opens_with_an_invitation(ws: Workspace) -> None:
    secret = ws.channel("war-room").id
    assert error(ws, "conversations.join", channel=secret) == "channel_not_found"
    ws.invite_bot("war-room")
    ok(ws, "chat.postMessage", channel=secret, text="x")
    assert ok(ws, "conversations.info", channel=secret)["channel"]["is_private"] is True
    assert error(ws, "conversations.join", channel=secret) == "method_not_supported_for_channel_type"


def test_an_archived_channel_takes_nothing(ws: Workspace) -> None:
    ws.archive("ops")
    assert error(ws, "chat.postMessage", channel=ops(ws), text="x") == "is_archived"
    with pytest.raises(LookupError):
        ws.command("ada", "ops", "note x")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"text": "x" * 4000}, None),
        ({"text": "x" * 4001}, "msg_too_long"),
        ({"text": ""}, "no_text"),
        ({"blocks": []}, "no_text"),
        ({"blocks": "{no json"}, "invalid_blocks_format"),
        ({"blocks": {"type": "section"}}, "invalid_blocks_format"),
        ({"text": "x", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"markdown_text": "y" * 12_001}, "msg_too_long"),
        ({"text": "x", "metadata": "no json"}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "posted"}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": {"event_type": "posted", "event_payload": {"key": "k"}}}, None),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ],
)
def test_what_a_message_may_be(ws: Workspace, args: dict[str, Any], code: str | None) -> None:
    body = ws.call("chat.postMessage", {"channel": ops(ws), **args}, TOKEN).body
    assert body.get("error") == code


def test_what_slack_keeps_does_not_change_with_what_the_caller_holds(ws: Workspace) -> None:
    blocks = [section("a")]
    ok(ws, "chat.postMessage", channel=ops(ws), blocks=blocks)
    blocks[0]["text"]["text"] = "b"
    assert ws.messages("ops")[0].blocks == [section("a")]


def test_json_text_is_taken_for_lists_and_objects(ws: Workspace) -> None:
    metadata = {"event_type": "posted", "event_payload": {"key": "k1"}}
    ok(ws, "chat.postMessage", channel=ops(ws), blocks=json.dumps([section("a")]), metadata=json.dumps(metadata))
    plainly = ok(ws, "conversations.history", channel=ops(ws))["messages"][0]
    fully = ok(ws, "conversations.history", channel=ops(ws), include_all_metadata="true")["messages"][0]
    assert "metadata" not in plainly
    assert fully["metadata"] == metadata


def test_only_own_messages_can_be_changed(ws: Workspace, door: Door) -> None:
    mine = ok(ws, "chat.postMessage", channel=ops(ws), text="a", blocks=[section("a")])["ts"]
    theirs = ws.say("ada", "ops", "hello").ts
    ok(ws, "chat.update", channel=ops(ws), ts=mine, text="b")
    assert [(one.text, one.blocks) for one in ws.messages("ops")][:1] == [("b", [])]
    assert error(ws, "chat.update", channel=ops(ws), ts=theirs, text="b") == "cant_update_message"
    assert error(ws, "chat.update", channel=ops(ws), ts="9.000009", text="b") == "message_not_found"
    assert error(ws, "chat.delete", channel=ops(ws), ts=theirs) == "cant_delete_message"
    ok(ws, "chat.delete", channel=ops(ws), ts=mine)
    assert [one.ts for one in ws.messages("ops")] == [theirs]


def test_what_was_answered_to_a_command_is_not_a_message_of_the_bot_user(ws: Workspace, door: Door) -> None:
    answer = ws.command("ada", "ops", "note x")
    assert answer.message is not None
    assert error(ws, "chat.update", channel=ops(ws), ts=answer.message.ts, text="b") == "cant_update_message"
    ws.react("ben", "ops", answer.message, "eyes")
    assert "item_user" not in door.events[-1]


def test_history_is_newest_first_and_leaves_replies_out(ws: Workspace, clock: Clock) -> None:
    stamps = []
    for n in range(4):
        clock.go(seconds=1)
        stamps.append(ok(ws, "chat.postMessage", channel=ops(ws), text=str(n))["ts"])
    reply = ok(ws, "chat.postMessage", channel=ops(ws), text="reply", thread_ts=stamps[1])["ts"]

    def texts(**args: Any) -> list[str]:
        return [one["text"] for one in ok(ws, "conversations.history", channel=ops(ws), **args)["messages"]]

    assert texts() == ["3", "2", "1", "0"]
    assert texts(latest=stamps[2], inclusive=True, limit=1) == ["2"]
    assert texts(latest=stamps[2]) == ["1", "0"]
    assert texts(oldest=stamps[1], inclusive="true") == ["3", "2", "1"]
    first = ok(ws, "conversations.history", channel=ops(ws), limit=3)
    assert first["has_more"] is True
    assert texts(limit=3, cursor=first["response_metadata"]["next_cursor"]) == ["0"]
    thread = ok(ws, "conversations.replies", channel=ops(ws), ts=stamps[1])["messages"]
    assert [one["text"] for one in thread] == ["1", "reply"]
    assert thread[0]["reply_count"] == 1
    assert [one["text"] for one in ok(ws, "conversations.replies", channel=ops(ws), ts=reply)["messages"]] == ["reply"]
    assert error(ws, "conversations.replies", channel=ops(ws), ts="1.000001") == "thread_not_found"


def test_an_ephemeral_message_is_for_one_member_only(ws: Workspace) -> None:
    ok(ws, "chat.postEphemeral", channel=ops(ws), user=ws.user("ben").id, text="psst")
    assert [one.text for one in ws.ephemerals("ben")] == ["psst"]
    assert ws.ephemerals("ada") == []
    assert ws.messages("ops") == []
    stranger = ws.add_user("eve").id
    assert error(ws, "chat.postEphemeral", channel=ops(ws), user=stranger, text="x") == "user_not_in_channel"


def test_marks_are_made_once(ws: Workspace) -> None:
    ts = ok(ws, "chat.postMessage", channel=ops(ws), text="board")["ts"]
    mark = {"channel": ops(ws), "timestamp": ts}
    ok(ws, "pins.add", **mark)
    assert error(ws, "pins.add", **mark) == "already_pinned"
    assert [one["message"]["text"] for one in ok(ws, "pins.list", channel=ops(ws))["items"]] == ["board"]
    assert [one.text for one in ws.pins("ops")] == ["board"]
    ok(ws, "pins.remove", **mark)
    assert error(ws, "pins.remove", **mark) == "no_pin"
    ok(ws, "reactions.add", name="memo", **mark)
    assert error(ws, "reactions.add", name="memo", **mark) == "already_reacted"
    assert ok(ws, "reactions.get", **mark)["message"]["reactions"] == [
        {"name": "memo", "users": [ws.bot_user], "count": 1}
    ]
    ok(ws, "reactions.remove", name="memo", **mark)
    assert error(ws, "reactions.remove", name="memo", **mark) == "no_reaction"
    assert error(ws, "reactions.add", channel=ops(ws), timestamp="1.000001", name="memo") == "message_not_found"


def test_bookmarks_are_added_and_edited(ws: Workspace) -> None:
    made = ok(ws, "bookmarks.add", channel_id=ops(ws), title="INC-1", type="link", link="https://example.org/1")
    ok(ws, "bookmarks.edit", channel_id=ops(ws), bookmark_id=made["bookmark"]["id"], title="INC-1 resolved")
    assert [(one["title"], one["link"]) for one in ws.bookmarks("ops")] == [("INC-1 resolved", "https://example.org/1")]
    assert ok(ws, "bookmarks.list", channel_id=ops(ws))["bookmarks"] == ws.bookmarks("ops")
    assert error(ws, "bookmarks.edit", channel_id=ops(ws), bookmark_id="Bk1", title="x") == "not_found"


# --- channels and people


def test_channels_are_created_joined_listed(ws: Workspace) -> None:
    made = ok(ws, "conversations.create", name="inc-42")["channel"]
    assert error(ws, "conversations.create", name="inc-42") == "name_taken"
    assert error(ws, "conversations.create", name="Inc 42") == "invalid_name_specials"
    ok(ws, "conversations.invite", channel=made["id"], users=f"{ws.user('ada').id},{ws.user('ben').id}")
    assert error(ws, "conversations.invite", channel=made["id"], users=ws.user("ada").id) == "already_in_channel"
    ok(ws, "conversations.setTopic", channel=made["id"], topic="INC-42")
    assert ok(ws, "conversations.info", channel=made["id"])["channel"]["topic"]["value"] == "INC-42"
    assert len(ok(ws, "conversations.members", channel=made["id"])["members"]) == 3
    ok(ws, "conversations.join", channel=ws.channel("lobby").id)
    kinds = "public_channel,private_channel"
    assert [one["name"] for one in ok(ws, "conversations.list", types=kinds)["channels"]] == ["ops", "lobby", "inc-42"]


def test_people_have_zones(ws: Workspace, clock: Clock) -> None:
    ben = ok(ws, "users.info", user=ws.user("ben").id)["user"]
    assert (ben["tz"], ben["tz_label"], ben["tz_offset"]) == ("America/New_York", "Eastern Standard Time", -18000)
    clock.go(days=-120)
    assert ok(ws, "users.info", user=ben["id"])["user"]["tz_offset"] == -14400
    assert error(ws, "users.info", user="U404") == "user_not_found"


def test_a_direct_message_reaches_a_person(ws: Workspace) -> None:
    direct = ok(ws, "conversations.open", users=ws.user("ada").id)["channel"]["id"]
    ok(ws, "chat.postMessage", channel=direct, text="one")
    ok(ws, "chat.postMessage", channel=ws.user("ada").id, text="two")
    assert [one.text for one in ws.messages(direct)] == ["one", "two"]


# --- limits


def too_much(block: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(SlackError) as caught:
        check_blocks([block])
    assert caught.value.code == "invalid_blocks"
    return caught.value.messages


def test_wrong_blocks_are_named_with_their_place(ws: Workspace) -> None:
    body = ws.call("chat.postMessage", {"channel": ops(ws), "blocks": [section("x" * 3001)]}, TOKEN).body
    assert body["error"] == "invalid_blocks"
    assert body["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "shout"},
        {"text": "no type"},
        {"type": "section"},
        section(""),
        {"type": "section", "text": "only a string"},
        {"type": "section", "text": {"type": "markdown", "text": "x"}},
        section("x", colour="red"),
        {"type": "section", "fields": [plain("x")] * 11},
        {"type": "section", "fields": [plain("x" * 2001)]},
        {"type": "header", "text": plain("x" * 151)},
        {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "context", "elements": [plain("x")] * 11},
        {"type": "context", "elements": []},
        {"type": "actions", "elements": [button("x", str(n)) for n in range(26)]},
        {"type": "actions", "elements": [button("x", "same"), button("y", "same")]},
        {"type": "actions", "elements": [button("x" * 76, "a")]},
        {"type": "actions", "elements": [button("x", "a" * 256)]},
        {"type": "actions", "elements": [button("x", "a", value="v" * 2001)]},
        {"type": "actions", "elements": [button("x", "a", style="loud")]},
        {"type": "actions", "elements": [{"type": "plain_text_input", "action_id": "a"}]},
        section("x", accessory={"type": "static_select", "options": [{"text": plain("x" * 76), "value": "v"}]}),
        section("x", accessory={"type": "static_select", "options": []}),
        section("x", block_id="b" * 256),
        {"type": "markdown", "text": "x" * 12_001},
        {"type": "image", "image_url": "https://example.org/a.png"},
        {"type": "rich_text", "elements": [{"type": "paragraph", "elements": []}]},
        text_input("b", "x" * 2001),
        text_input("b", "Label", max_length=3001),
        text_input("b", "Label", max_length=3, initial_value="four"),
    ],
)
def test_slack_would_refuse_this_block(block: dict[str, Any]) -> None:
    assert all(message.startswith("[ERROR] ") for message in too_much(block))


GOOD = [
    {"type": "header", "text": plain("INC-42")},
    section("*bold* <https://example.org|link>", fields=[{"type": "mrkdwn", "text": "a"}, plain("b")]),
    section(
        "menu",
        accessory={
            "type": "overflow",
            "action_id": "more",
            "options": [{"text": plain("Edit"), "value": "edit"}, {"text": plain("Drop"), "value": "drop"}],
        },
    ),
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}, plain("print")]},
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "ask",
        "elements": [
            button("Note", "note", value="1", style="primary"),
            {
                "type": "static_select",
                "action_id": "sev",
                "placeholder": plain("Severity"),
                "options": [{"text": plain("SEV1"), "value": "sev1"}, {"text": plain("SEV2"), "value": "sev2"}],
            },
            {"type": "users_select", "action_id": "who", "placeholder": plain("Who")},
            {"type": "datepicker", "action_id": "day", "initial_date": "2026-11-21"},
        ],
    },
    {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "time axis"},
    {"type": "markdown", "text": "# Title\n\n* one"},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": "said "}, {"type": "emoji", "name": "x"}],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "item"}]}],
            },
        ],
    },
]  # fmt: skip


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_what_is_taken_here_slack_sdk_takes_too(block: dict[str, Any]) -> None:
    check_blocks([block])
    parsed = Block.parse(block)
    assert parsed is not None
    parsed.validate_json()


def test_a_modal_that_is_taken_here_slack_sdk_takes_too() -> None:
    view = modal(text_input("cause", "Cause", multiline=True, max_length=500), section("x"), private_metadata="{}")
    check_view(view, "modal")
    SdkView(**view).validate_json()


def test_counts_are_limited_per_surface() -> None:
    check_blocks([section("x")] * 50)
    check_view(modal(*[section("x")] * 100), "modal")
    with pytest.raises(SlackError, match="invalid_blocks"):
        check_blocks([section("x")] * 51)
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view(modal(*[section("x")] * 101), "modal")
    with pytest.raises(SlackError, match="in all markdown blocks"):
        check_blocks([{"type": "markdown", "text": "x" * 6001}] * 2)
    with pytest.raises(SlackError, match="already exists"):
        check_blocks([section("x", block_id="b"), section("y", block_id="b")])


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (modal(section("x"), title="x" * 25), "invalid_arguments"),
        (modal(section("x"), private_metadata="x" * 3001), "invalid_arguments"),
        (modal({"type": "markdown", "text": "x"}), "invalid_arguments"),
        ({"type": "modal", "title": plain("x"), "blocks": [text_input("a", "A")]}, "invalid_arguments"),
        ({"type": "home", "blocks": []}, "invalid_arguments"),
        (modal(*[section("ä" * 2900, block_id=str(n)) for n in range(50)]), "view_too_large"),
    ],
)
def test_slack_would_refuse_this_view(view: dict[str, Any], code: str) -> None:
    with pytest.raises(SlackError) as caught:
        check_view(view, "modal")
    assert caught.value.code == code


# --- faults


def test_faults_go_wrong_as_often_as_they_were_told(ws: Workspace) -> None:
    post = {"channel": ops(ws), "text": "x"}
    ws.fail("chat.postMessage", retry_after=30)
    ws.fail("chat.postMessage", error="internal_error", times=2)
    ws.fail("chat.postMessage", status=503)
    replies = [ws.call("chat.postMessage", post, TOKEN) for _ in range(5)]
    assert [(one.status, one.body.get("error")) for one in replies] == [
        (429, "ratelimited"),
        (200, "internal_error"),
        (200, "internal_error"),
        (503, "internal_error"),
        (200, None),
    ]
    assert replies[0].headers["Retry-After"] == "30"
    assert len(ws.messages("ops")) == 1


def test_a_connection_breaks_before_or_after_the_effect(ws: Workspace) -> None:
    ws.fail("chat.postMessage", drop="before")
    ws.fail("chat.postMessage", drop="after")
    for said in ("a", "b"):
        with pytest.raises(ConnectionResetError):
            ws.call("chat.postMessage", {"channel": ops(ws), "text": said}, TOKEN)
    assert [one.text for one in ws.messages("ops")] == ["b"]
    assert len(ws.called("chat.postMessage")) == 2


def test_a_fault_may_look_at_the_arguments(ws: Workspace) -> None:
    ws.fail("*", error="fatal_error", when=lambda args: args.get("text") == "b")
    ok(ws, "chat.postMessage", channel=ops(ws), text="a")
    assert error(ws, "chat.postMessage", channel=ops(ws), text="b") == "fatal_error"


def test_slack_can_be_away(ws: Workspace) -> None:
    ws.away = True
    with pytest.raises(ConnectionRefusedError):
        ws.call("auth.test", {}, TOKEN)
    ws.away = False
    ok(ws, "auth.test")


# --- files


def uploaded(ws: Workspace, content: bytes = b"# Draft", **share: Any) -> str:
    made = ok(ws, "files.getUploadURLExternal", filename="draft.md", length=len(content))
    assert ws.upload(made["upload_url"], content).status == 200
    ok(ws, "files.completeUploadExternal", files=json.dumps([{"id": made["file_id"], "title": "Draft"}]), **share)
    return str(made["file_id"])


def test_a_file_is_announced_uploaded_shared(ws: Workspace) -> None:
    root = ok(ws, "chat.postMessage", channel=ops(ws), text="root")["ts"]
    file_id = uploaded(ws, channel_id=ops(ws), thread_ts=root, initial_comment="here it is")
    found = ok(ws, "files.info", file=file_id)["file"]
    reply = ws.thread("ops", root)[0]
    assert reply.text == "here it is"
    assert found["shares"]["public"][ops(ws)][0]["ts"] == reply.ts
    assert found["permalink"].startswith("https://example.slack.com/files/")
    assert [one.content for one in ws.files] == [b"# Draft"]
    ok(ws, "files.delete", file=file_id)
    assert error(ws, "files.info", file=file_id) == "file_deleted"
    assert ws.files == []


def test_a_share_becomes_visible_later(ws: Workspace) -> None:
    ws.share_delay = 2
    file_id = uploaded(ws, channel_id=ops(ws))
    seen = [bool(ok(ws, "files.info", file=file_id)["file"]["shares"]) for _ in range(4)]
    assert seen == [False, False, True, True]
    assert len(ws.messages("ops")) == 1


def test_an_upload_that_is_not_right_is_refused(ws: Workspace) -> None:
    assert error(ws, "files.getUploadURLExternal", filename="a.md", length=0) == "missing_argument"
    made = ok(ws, "files.getUploadURLExternal", filename="a.md", length=5)
    assert ws.upload(made["upload_url"], b"four").status == 400
    assert error(ws, "files.completeUploadExternal", files=[{"id": made["file_id"]}]) == "file_not_found"
    assert ws.upload(made["upload_url"], b"fives").status == 200
    lobby = ws.channel("lobby").id
    assert error(ws, "files.completeUploadExternal", files=[{"id": made["file_id"]}], channel_id=lobby) == (
        "not_in_channel"
    )


# --- commands


def test_a_command_comes_as_slack_sends_it(ws: Workspace, door: Door) -> None:
    ws.command("ada", "ops", "note @ben: a < b & c in #lobby, not @nobody; see https://example.org/x?a=1&b=2.")
    form = dict(door.heard[0])
    assert form.pop("trigger_id")
    assert form.pop("response_url").startswith("https://hooks.slack.com/commands/")
    ben, lobby = ws.user("ben").id, ws.channel("lobby").id
    assert form == {
        "token": "verification-token",
        "team_id": "T0SCRIBE",
        "team_domain": "example",
        "channel_id": ops(ws),
        "channel_name": "ops",
        "user_id": ws.user("ada").id,
        "user_name": "ada",
        "command": "/incident",
        "text": f"note <@{ben}|ben>: a &lt; b &amp; c in <#{lobby}|lobby>, not @nobody;"
        " see <https://example.org/x?a=1&amp;b=2>.",
        "api_app_id": "A0SCRIBE",
        "is_enterprise_install": "false",
    }


def test_channels_of_other_kinds_have_other_names(ws: Workspace, door: Door) -> None:
    ws.command("ada", "war-room", "status")
    ws.command("ada", ws.direct("ada"), "status")
    assert [one["channel_name"] for one in door.heard] == ["privategroup", "directmessage"]
    with pytest.raises(LookupError):
        ws.command("ben", "war-room", "status")


def test_a_signature_is_what_slack_sdk_expects(ws: Workspace, door: Door, clock: Clock) -> None:
    class Fixed:
        def now(self) -> float:
            return clock.now.timestamp()

    ws.command("ada", "ops", "note x")
    ws.say("ada", "ops", "hello")
    verifier = SignatureVerifier(SECRET, clock=Fixed())  # type: ignore[arg-type]
    headers = [{name.lower(): value for name, value in one.items()} for one in door.headers]
    assert [verifier.is_valid_request(body, one) for body, one in zip(door.bodies, headers, strict=True)] == [True] * 2
    assert not verifier.is_valid_request(door.bodies[0] + b"x", headers[0])
    clock.go(minutes=6)
    assert not verifier.is_valid_request(door.bodies[0], headers[0])


def test_an_answer_is_seen_by_all_or_by_one(ws: Workspace, door: Door) -> None:
    everybody = ws.command("ada", "ops", "note x")
    door.answer = lambda form: {"text": "psst", "blocks": [section("psst")]}
    alone = ws.command("ada", "ops", "status")
    assert (everybody.status, everybody.text, everybody.in_channel) == (200, "heard note x", True)
    assert (alone.text, alone.in_channel, alone.blocks) == ("psst", False, [section("psst")])
    assert [one.text for one in ws.messages("ops")] == ["heard note x"]
    assert [one.text for one in ws.ephemerals("ada", "ops")] == ["psst"]


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (DoorReply(500, {}, b"oops"), "dispatch_failed"),
        (DoorReply(404), "dispatch_failed"),
        (DoorReply(200, {"content-type": "application/json"}, b"{no json"), "dispatch_failed"),
        (DoorReply(200, {"content-type": "application/json"}, b"[]"), "dispatch_failed"),
        ({"text": "x" * 4001}, "msg_too_long"),
        ({"text": "x", "blocks": [{"type": "shout"}]}, "invalid_blocks"),
        ({"text": "x", "respond_type": "in_channel"}, "invalid_response"),
    ],
)
def test_an_answer_that_slack_cannot_show_is_said_to_be_so(ws: Workspace, door: Door, reply: Any, failure: str) -> None:
    door.answer = lambda form: reply
    answer = ws.command("ada", "ops", "note x")
    assert (answer.ok, answer.failure) == (False, failure)
    assert f'Slack (only Ada): /incident failed with the error "{failure}"' in ws.transcript(channel="ops")
    assert ws.messages("ops") == []


def test_an_app_that_takes_more_than_three_seconds_is_too_late(ws: Workspace, door: Door, clock: Clock) -> None:
    def slow(form: dict[str, Any]) -> dict[str, str]:
        clock.go(seconds=4)
        return {"text": "late"}

    door.answer = slow
    assert ws.command("ada", "ops", "note x").failure == "operation_timeout"


def test_an_empty_answer_shows_nothing_and_plain_text_shows_itself(ws: Workspace, door: Door) -> None:
    door.answer = lambda form: DoorReply(200)
    assert ws.command("ada", "ops", "note x").ok
    door.answer = lambda form: DoorReply(200, {"content-type": "text/plain;charset=utf-8"}, "täglich".encode())
    assert ws.command("ada", "ops", "note x").text == "täglich"
    assert [one.text for one in ws.ephemerals("ada")] == ["täglich"]


def test_a_request_can_come_again_unchanged(ws: Workspace, door: Door, clock: Clock) -> None:
    answer = ws.command("ada", "ops", "note x", retry=1)
    clock.go(seconds=10)
    assert answer.request is not None
    ws.redeliver(answer.request)
    assert len(set(door.bodies)) == 1
    assert door.headers[0] == door.headers[1] == door.headers[2]
    assert len(ws.messages("ops")) == 1


# --- response_url


def test_a_response_url_serves_five_times(ws: Workspace, door: Door) -> None:
    ws.command("ada", "ops", "note x")
    url = door.heard[0]["response_url"]
    statuses = [ws.respond(url, {"text": str(n)}).status for n in range(6)]
    assert statuses == [200] * 5 + [404]
    assert ws.respond(url, {"text": "x"}) == Reply(404, {"ok": False, "error": "used_url"})
    assert [one.text for one in ws.ephemerals("ada")] == ["0", "1", "2", "3", "4"]


def test_a_response_url_serves_thirty_minutes(ws: Workspace, door: Door, clock: Clock) -> None:
    ws.command("ada", "ops", "note x")
    url = door.heard[0]["response_url"]
    assert ws.respond(url, {"text": "x", "response_type": "in_channel"}).status == 200
    clock.go(minutes=31)
    assert ws.respond(url, {"text": "x"}).body["error"] == "expired_url"
    assert [one.text for one in ws.messages("ops")] == ["heard note x", "x"]


def test_a_click_can_replace_or_delete_what_was_clicked(ws: Workspace, door: Door) -> None:
    door.answer = lambda form: {"text": "?", "blocks": [{"type": "actions", "elements": [button("Hide", "hide")]}]}
    answer = ws.command("ada", "ops", "status")
    ws.click("ada", answer, "Hide")
    url = door.heard[-1]["response_url"]
    ws.respond(url, {"text": "better", "replace_original": True})
    assert [one.text for one in ws.ephemerals("ada")] == ["better"]
    ws.respond(url, {"delete_original": True})
    assert ws.ephemerals("ada") == []


# --- clicks, shortcuts, forms


def test_a_click_tells_what_was_clicked_and_where(ws: Workspace, door: Door) -> None:
    blocks = [{"type": "actions", "block_id": "row", "elements": [button("Action", "as-action", value="offer-1")]}]
    ts = ok(ws, "chat.postMessage", channel=ops(ws), text="?", blocks=blocks)["ts"]
    assert ws.click("ben", ws.messages("ops")[0], "Action").ok
    payload = door.heard[-1]
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == ws.user("ben").id
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": ops(ws),
        "is_ephemeral": False,
    }
    assert payload["message"]["ts"] == ts
    (action,) = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("as-action", "row", "offer-1")
    assert payload["response_url"].startswith("https://hooks.slack.com/actions/")
    with pytest.raises(LookupError, match="Action"):
        ws.click("ben", ws.messages("ops")[0], "Nothing of the kind")


def test_a_menu_tells_what_was_chosen(ws: Workspace, door: Door) -> None:
    ok(ws, "chat.postMessage", channel=ops(ws), text="?", blocks=GOOD)
    message = ws.messages("ops")[0]
    ws.click("ada", message, "sev", value="SEV2")
    assert door.heard[-1]["actions"][0]["selected_option"]["value"] == "sev2"
    ws.click("ada", message, "more", value="drop")
    assert door.heard[-1]["actions"][0]["selected_option"]["value"] == "drop"
    ws.click("ada", message, "who", value=ws.user("ben").id)
    assert door.heard[-1]["actions"][0]["selected_user"] == ws.user("ben").id


def test_only_the_one_who_sees_an_ephemeral_message_can_click_it(ws: Workspace, door: Door) -> None:
    door.answer = lambda form: {"text": "?", "blocks": [{"type": "actions", "elements": [button("Hide", "hide")]}]}
    answer = ws.command("ada", "ops", "status")
    with pytest.raises(LookupError):
        ws.click("ben", answer, "hide")
    ws.click("ada", answer, "hide")
    assert door.heard[-1]["container"]["is_ephemeral"] is True
    assert "message" not in door.heard[-1]


def test_a_trigger_opens_one_modal_within_three_seconds(ws: Workspace, door: Door, clock: Clock) -> None:
    view = modal(text_input("cause", "Cause"))
    ws.command("ada", "ops", "resolve")
    first = door.heard[-1]["trigger_id"]
    ok(ws, "views.open", trigger_id=first, view=json.dumps(view))
    assert [one.title for one in ws.views("ada")] == ["Resolve"]
    assert error(ws, "views.open", trigger_id=first, view=view) == "exchanged_trigger_id"
    ws.command("ada", "ops", "resolve")
    clock.go(seconds=3.5)
    assert error(ws, "views.open", trigger_id=door.heard[-1]["trigger_id"], view=view) == "expired_trigger_id"
    assert error(ws, "views.open", trigger_id="1.2.3", view=view) == "invalid_trigger_id"


def opened(ws: Workspace, door: Door, *blocks: dict[str, Any], **more: Any) -> Answer:
    def opening(form: dict[str, Any]) -> DoorReply:
        ok(ws, "views.open", trigger_id=form["trigger_id"], view=modal(*blocks, **more))
        return DoorReply(200)

    door.answer = opening
    return ws.command("ada", "ops", "resolve")


def test_a_form_brings_its_values(ws: Workspace, door: Door) -> None:
    severities = [{"text": plain("SEV1"), "value": "sev1"}, {"text": plain("SEV2"), "value": "sev2"}]
    select = {"type": "static_select", "action_id": "pick", "options": severities, "initial_option": severities[0]}
    boxes = {"type": "checkboxes", "action_id": "pick", "options": severities}
    answer = opened(
        ws,
        door,
        text_input("cause", "Cause"),
        text_input("fix", "Fix", optional=True),
        {"type": "input", "block_id": "sev", "label": plain("Severity"), "element": select},
        {"type": "input", "block_id": "past", "label": plain("Past"), "element": boxes},
        {
            "type": "input",
            "block_id": "day",
            "label": plain("Day"),
            "element": {"type": "datepicker", "action_id": "pick"},
        },
        private_metadata="INC-1",
    )
    assert answer.view is not None
    with pytest.raises(NotFilled, match="'Cause' is required"):
        ws.submit("ada", answer.view, {"past": "sev1", "Day": "2026-11-21"})
    with pytest.raises(KeyError, match="colour"):
        ws.submit("ada", answer.view, {"colour": "red"})
    done = ws.submit("ada", answer.view, {"Cause": "pool <5", "past": ["SEV1", "sev2"], "day": "2026-11-21"})
    assert (done.ok, done.view, ws.views("ada")) == (True, None, [])
    view = door.heard[-1]["view"]
    assert view["private_metadata"] == "INC-1"
    assert view["state"]["values"] == {
        "cause": {"value": {"type": "plain_text_input", "value": "pool <5"}},
        "fix": {"value": {"type": "plain_text_input", "value": None}},
        "sev": {"pick": {"type": "static_select", "selected_option": severities[0]}},
        "past": {"pick": {"type": "checkboxes", "selected_options": severities}},
        "day": {"pick": {"type": "datepicker", "selected_date": "2026-11-21"}},
    }


def test_a_form_can_be_refused_field_by_field(ws: Workspace, door: Door) -> None:
    view = opened(ws, door, text_input("cause", "Cause")).view
    door.others = lambda payload: {"response_action": "errors", "errors": {"cause": "Say more."}}
    answer = ws.submit("ada", view, {"cause": "x"})
    assert (answer.ok, answer.errors, answer.view) == (True, {"cause": "Say more."}, view)
    assert "Slack (only Ada): Cause: Say more." in ws.transcript(channel="ops")
    door.others = lambda payload: {"response_action": "errors", "errors": {"no_such_field": "x"}}
    assert ws.submit("ada", view, {"cause": "x"}).failure == "dispatch_failed"


def test_forms_are_pushed_updated_and_cleared(ws: Workspace, door: Door) -> None:
    opened(ws, door, text_input("a", "A"))
    for title in ("Second", "Third"):
        pushed = {"response_action": "push", "view": modal(text_input("a", "A"), title=title)}
        door.others = lambda payload, pushed=pushed: pushed  # type: ignore[misc]
        assert ws.submit("ada", values={"a": "x"}).ok
    assert [one.title for one in ws.views("ada")] == ["Resolve", "Second", "Third"]
    assert ws.submit("ada", values={"a": "x"}).failure == "dispatch_failed"
    door.others = lambda payload: {"response_action": "update", "view": modal(text_input("a", "A"), title="New")}
    updated = ws.submit("ada", values={"a": "x"})
    assert updated.view is not None
    assert updated.view.title == "New"
    door.others = lambda payload: {"response_action": "clear"}
    ws.submit("ada", values={"a": "x"})
    assert ws.views("ada") == []


def test_a_form_that_is_closed_says_so_if_it_was_asked_to(ws: Workspace, door: Door) -> None:
    opened(ws, door, text_input("a", "A"), notify_on_close=True)
    ws.close("ada")
    assert door.heard[-1]["type"] == "view_closed"
    opened(ws, door, text_input("a", "A"))
    ws.close("ada")
    assert "command" in door.heard[-1]


def test_views_are_updated_under_a_hash(ws: Workspace, door: Door) -> None:
    view = opened(ws, door, text_input("a", "A")).view
    assert view is not None
    old = view.hash
    ok(ws, "views.update", view_id=view.id, hash=old, view=modal(section("done")))
    assert error(ws, "views.update", view_id=view.id, hash=old, view=modal(section("x"))) == "hash_conflict"
    assert error(ws, "views.update", view_id="V404", view=modal(section("x"))) == "not_found"
    assert ws.text(view) == "done"


def test_a_home_tab_is_published_and_clicked(ws: Workspace, door: Door) -> None:
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button("Open", "open")]}]}
    ok(ws, "views.publish", user_id=ws.user("ada").id, view=home)
    ws.open_home("ada")
    assert door.events[-1]["type"] == "app_home_opened"
    shown = ws.home("ada")
    assert shown is not None
    ws.click("ada", shown, "Open")
    assert door.heard[-1]["container"] == {"type": "view", "view_id": shown.id}
    assert "channel" not in door.heard[-1]


def test_shortcuts_come_with_what_they_were_used_on(ws: Workspace, door: Door) -> None:
    message = ws.say("ben", "ops", "pool is full")
    ws.message_shortcut("ada", "ops", message, "record")
    payload = door.heard[-1]
    assert (payload["type"], payload["callback_id"], payload["message_ts"]) == ("message_action", "record", message.ts)
    assert payload["message"]["text"] == "pool is full"
    ws.shortcut("ada", "start")
    assert (door.heard[-1]["type"], "channel" in door.heard[-1]) == ("shortcut", False)


# --- events


def test_what_happens_where_the_bot_is_becomes_an_event(ws: Workspace, door: Door) -> None:
    message = ws.say("ada", "ops", "@scribe the <pool> is full")
    ws.react("ben", "ops", message, "memo")
    ws.unreact("ben", "ops", message, "memo")
    ws.pin("ben", "ops", message)
    ws.edit_message("ada", "ops", message, "the pool was full")
    ws.delete_message("ada", "ops", message)
    ws.rename("ops", "ops-eu")
    ws.archive("ops-eu")
    assert [(one["type"], one.get("subtype")) for one in door.events] == [
        ("message", None),
        ("app_mention", None),
        ("reaction_added", None),
        ("reaction_removed", None),
        ("pin_added", None),
        ("message", "message_changed"),
        ("message", "message_deleted"),
        ("channel_rename", None),
        ("channel_archive", None),
    ]
    assert door.events[0]["text"] == f"<@{ws.bot_user}> the &lt;pool&gt; is full"
    assert door.events[2]["item"] == {"type": "message", "channel": message.channel, "ts": message.ts}
    assert door.events[2]["item_user"] == ws.user("ada").id


def test_what_happens_elsewhere_is_not_heard(ws: Workspace, door: Door) -> None:
    ws.say("ada", "lobby", "hello")
    ws.say("ada", "war-room", "psst")
    assert door.heard == []
    ws.invite_bot("war-room")
    ws.say("ada", "war-room", "now")
    ws.kick_bot("war-room")
    ws.say("ada", "war-room", "gone")
    assert [one["type"] for one in door.events] == [
        "member_joined_channel",
        "message",
        "member_left_channel",
        "group_left",
    ]


def test_only_what_was_subscribed_is_heard(ws: Workspace, door: Door) -> None:
    ws.subscriptions = frozenset({"reaction_added"})
    ws.react("ben", "ops", ws.say("ada", "ops", "x"), "memo")
    assert [one["type"] for one in door.events] == ["reaction_added"]


def test_the_envelope_names_workspace_app_and_event(ws: Workspace, door: Door) -> None:
    guest = ws.add_user("gast", team="T0OTHER")
    ws.event({"type": "reaction_added", "user": guest.id, "item": {"channel": ops(ws)}}, event_id="Ev1")
    envelope = door.heard[0]
    assert (envelope["team_id"], envelope["api_app_id"], envelope["event_id"]) == ("T0SCRIBE", "A0SCRIBE", "Ev1")
    assert envelope["event_time"] == 1795230360
    assert envelope["authorizations"][0]["user_id"] == ws.bot_user
    assert envelope["is_ext_shared_channel"] is True


def test_an_event_comes_again_until_it_is_taken(ws: Workspace, door: Door) -> None:
    replies = iter([500, 500, 200])
    door.others = lambda payload: DoorReply(next(replies))
    ws.say("ada", "ops", "x")
    assert [one.get("X-Slack-Retry-Num") for one in door.headers] == [None, "1", "2"]
    assert door.headers[1]["X-Slack-Retry-Reason"] == "http_error"
    assert len({one["event_id"] for one in door.heard}) == 1
    assert ws.undelivered == []


def test_an_event_comes_four_times_at_most(ws: Workspace, door: Door) -> None:
    door.others = lambda payload: DoorReply(500)
    ws.say("ada", "ops", "x")
    assert len(door.heard) == 4
    assert len(ws.undelivered) == 1
    door.others = lambda payload: DoorReply(500, {"X-Slack-No-Retry": "1"})
    ws.say("ada", "ops", "y")
    assert len(door.heard) == 5


def test_an_app_that_is_down_hears_the_event_when_it_is_up(ws: Workspace, door: Door) -> None:
    def down(path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        raise ConnectionRefusedError

    ws.attach(down)
    ws.say("ada", "ops", "x")
    assert [one.headers.get("X-Slack-Retry-Reason") for one in ws.requests] == [None] + ["connection_failed"] * 3
    assert ws.command("ada", "ops", "note x").failure == "dispatch_failed"
    ws.attach(door)
    assert ws.redeliver(ws.requests[0]).ok
    assert [one["text"] for one in door.events] == ["x"]


# --- the real thing on the other side


def test_bolt_understands_what_is_sent(clock: Clock) -> None:
    heard: list[Any] = []
    clock.now = datetime.now(UTC)
    app = App(
        signing_secret=SECRET,
        process_before_response=True,
        token_verification_enabled=False,
        authorize=lambda: AuthorizeResult(
            enterprise_id=None, team_id="T0SCRIBE", bot_token=TOKEN, bot_user_id="U0SCRIBE", bot_id="B0SCRIBE"
        ),
    )
    app.command("/incident")(lambda ack, command: ack(f"you said {command['text']}"))
    app.view("resolve")(lambda ack, view: ack(response_action="errors", errors={"cause": "more"}))
    app.event("reaction_added")(lambda event: heard.append(event["reaction"]))

    @app.action("go")
    def _(ack: Callable[[], Any], action: dict[str, Any]) -> None:
        ack()
        heard.append(action["value"])

    @app.shortcut("record")
    def _(ack: Callable[[], Any], shortcut: dict[str, Any]) -> None:
        ack()
        heard.append(shortcut["message"]["text"])

    def door(path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        found = app.dispatch(BoltRequest(body=body.decode(), headers=dict(headers)))
        return DoorReply(found.status, found.first_headers(), found.body.encode())

    ws = Workspace(clock=clock, signing_secret=SECRET)
    ws.add_user("ada")
    ws.add_channel("ops", members=["ada"], bot_in=True)
    ws.attach(door)
    answer = ws.command("ada", "ops", "note x")
    assert (answer.status, answer.text, answer.failure) == (200, "you said note x", "")
    blocks = [{"type": "actions", "elements": [button("Go", "go", value="7")]}]
    ok(ws, "chat.postMessage", channel=ops(ws), text="?", blocks=blocks)
    message = ws.messages("ops")[0]
    assert ws.click("ada", message, "Go").ok
    ws.react("ada", "ops", message, "memo")
    assert ws.message_shortcut("ada", "ops", message, "record").ok
    assert heard == ["7", "memo", "?"]
    trigger = ws.new_trigger(ws.user("ada").id, ops(ws))
    ok(ws, "views.open", trigger_id=trigger, view=modal(text_input("cause", "Cause")))
    assert ws.submit("ada", values={"cause": "x"}).errors == {"cause": "more"}


# --- the transcript

TRANSCRIPT = """\
Channel #ops (times in Europe/London)

--- Saturday 21 November 2026 ---

03:06 Ada:    /incident start sev1 Checkout & cart return errors
      Scribe: 🔴 INC-42 · SEV1 · Checkout & cart return errors
              Commander? /incident lead @ben
      Scribe (only Ada): Two earlier incidents name "checkout".
              [ Open ]  [ Hide ]
03:07 Ada:    (taps Hide)
      Scribe: INC-42
              a long line that goes on and on and on and on and on and on and on and on and on and on and on and on
              and on and on and on and on and on and on and on and on and on
              small · print
              ----------------------------------------
              (image: time axis)
              1. first
              (pinned)
03:08 Ben:    @scribe look at https://example.org/graph (edited)
              (:eyes: Ada)
              └─ 03:08 Scribe: (file: draft.md, 4.2 kB)
              └─ 22 Nov 00:30 Ada: thanks

--- Sunday 22 November 2026 ---

00:31 Ada:    /incident status
      Slack (only Ada): /incident failed with the error "dispatch_failed"
"""


def test_a_transcript_reads_as_people_saw_it(ws: Workspace, door: Door, clock: Clock) -> None:
    ben = ws.user("ben").id
    door.answer = lambda form: {
        "response_type": "in_channel",
        "text": f"🔴 INC-42 · SEV1 · *{form['text'].partition(' sev1 ')[2]}*\nCommander? /incident lead <@{ben}>",
    }
    ws.command("ada", "ops", "start sev1 Checkout & cart return errors")
    hint = [
        section('Two earlier incidents name "checkout".'),
        {"type": "actions", "elements": [button("Open", "open"), button("Hide", "hide")]},
    ]
    ok(ws, "chat.postEphemeral", channel=ops(ws), user=ws.user("ada").id, text="fallback", blocks=hint)
    clock.go(minutes=1)
    ws.click("ada", ws.ephemerals("ada")[0], "Hide")
    board = [
        {"type": "header", "text": plain("INC-42")},
        section("a long line that goes on" + " and on" * 20),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "_small_"}, plain("print")]},
        {"type": "divider"},
        {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "time axis"},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "first"}]}],
                }
            ],
        },
    ]
    ts = ok(ws, "chat.postMessage", channel=ops(ws), text="fallback", blocks=[section("first state")])["ts"]
    ok(ws, "chat.update", channel=ops(ws), ts=ts, text="fallback", blocks=board)
    ok(ws, "pins.add", channel=ops(ws), timestamp=ts)
    clock.go(minutes=1)
    asked = ws.say("ben", "ops", "@scribe look")
    ws.edit_message("ben", "ops", asked, "@scribe look at https://example.org/graph")
    ws.react("ada", "ops", asked, "eyes")
    uploaded(ws, b"x" * 4200, channel_id=ops(ws), thread_ts=asked.ts)
    clock.now = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
    ws.say("ada", "ops", "thanks", asked)
    clock.go(minutes=1)
    door.answer = lambda form: DoorReply(500)
    ws.command("ada", "ops", "status")
    assert ws.transcript(channel="ops", zone="Europe/London") == TRANSCRIPT
    assert max(len(line) for line in TRANSCRIPT.splitlines()) < 160


def test_a_transcript_shows_a_picked_time_as_the_person_has_it_before_their_eyes(ws: Workspace, door: Door) -> None:
    """A number of seconds tells nobody anything."""
    at = int(datetime(2026, 11, 21, 3, 6, tzinfo=UTC).timestamp())
    picker = {"type": "datetimepicker", "action_id": "at", "initial_date_time": at}
    ws.user("ada").tz = "America/New_York"
    opened(ws, door, {"type": "input", "block_id": "at", "label": plain("When?"), "element": picker})
    assert "When?: [ 20 November 2026 22:06 ▾ ]" in ws.transcript(channel="ops")
    assert ws.text(ws.views("ada")[0]) == "When?: [ 20 November 2026 22:06 ▾ ]"


def test_a_transcript_shows_forms_and_channels_apart(ws: Workspace, door: Door) -> None:
    opened(ws, door, text_input("cause", "Cause"), text_input("fix", "Fix", optional=True))
    ws.submit("ada", values={"cause": "pool"})
    ws.say("ada", "war-room", "psst")
    assert (
        ws.transcript()
        == """\
Channel #ops (times in UTC)

--- Saturday 21 November 2026 ---

03:06 Ada:    /incident resolve
      Scribe (only Ada): Form: Resolve
                Cause: […]
                Fix (optional): […]
                [ Save ]
03:06 Ada:    (submits Resolve)

Private channel #war-room (times in UTC)

--- Saturday 21 November 2026 ---

03:06 Ada:    psst
"""
    )
