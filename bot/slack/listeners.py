"""How Slack is heard: payload -> Heard -> scribe -> answer. Registered once, at start.

Listeners never call Slack but to open a form (its trigger lives three seconds), and never use Bolt's own client. What
Slack would not show as a response is answered by a letter (`Heard.by_letter`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from slack_bolt import Ack, App
from slack_bolt.response import BoltResponse

from bot import logs
from bot.core.answers import Heard, Refused
from bot.core.errors import Refusal, Undelivered, Unrecorded
from bot.core.grammar import find
from bot.core.record import Channel
from bot.scribe import Scribe
from bot.slack import blocks, forms
from bot.slack.forms import ADD_TO_TIMELINE, START_INCIDENT
from bot.slack.payloads import Malformed, object_at, plain, text_at, ts_to_time

JSON = dict[str, Any]

SUBSCRIBED = frozenset(
    {
        "app_mention",
        "app_home_opened",
        "app_uninstalled",
        "tokens_revoked",
        "message",
        "reaction_added",
        "reaction_removed",
        "pin_added",
        "pin_removed",
        "member_joined_channel",
        "member_left_channel",
        "channel_left",
        "channel_archive",
        "channel_unarchive",
        "channel_rename",
        "group_left",
        "group_archive",
        "group_unarchive",
        "group_rename",
        "user_change",
    }
)
"""The events that manifest.json subscribes to: each has a listener, so that none is left unanswered."""

log = logging.getLogger("scribe.slack")


class Forms(Protocol):
    """The one call that a listener makes: a form's trigger lives three seconds."""

    def open_form(self, trigger: str, view: JSON) -> None: ...


def register(app: App, scribe: Scribe, slack: Forms, clock: Callable[[], datetime], command: str = "/incident") -> None:
    """Registers every listener with a Bolt app."""
    _commands(app, scribe, command)
    _buttons(app, scribe)
    _forms(app, scribe, slack, clock)
    _events(app, scribe, command)
    _errors(app, scribe, command)


def _commands(app: App, scribe: Scribe, command: str) -> None:
    @app.command(command)
    def incident(ack: Ack, body: JSON) -> None:
        line, mentions = plain(text_at(body, "text", usual=""))
        ack(blocks.answer(scribe.say(line, _from_command(body, mentions)), command))


def _buttons(app: App, scribe: Scribe) -> None:
    @app.action(re.compile(rf"^{blocks.CHOOSE}:\d{{1,3}}$"))
    def choose(ack: Ack, body: JSON, action: JSON) -> None:
        scribe.choose(text_at(action, "value", usual=""), int(action["action_id"].rpartition(":")[2]), _from_form(body))
        ack()

    @app.action(re.compile(""))
    def anything_else(ack: Ack) -> None:
        ack()


def _forms(app: App, scribe: Scribe, slack: Forms, clock: Callable[[], datetime]) -> None:
    @app.shortcut(START_INCIDENT)
    def start_incident(ack: Ack, body: JSON) -> None:
        _open(slack, body, forms.start_form(clock()))
        ack()

    @app.shortcut(ADD_TO_TIMELINE)
    def add_to_timeline(ack: Ack, body: JSON) -> None:
        _open(slack, body, forms.capture_form(text_at(body, "channel", "id"), object_at(body, "message")))
        ack()

    @app.view(START_INCIDENT)
    def started(ack: Ack, body: JSON, view: JSON) -> None:
        fields = ("title", "channel", "severity", "since")
        heard = _from_form(body)
        if (earlier := scribe.recall(heard.team, heard.origin)) is not None:  # what was filled in may have grown old
            _close(ack, earlier, fields)
            return
        try:
            command, channel = forms.started(view, clock())
        except Refusal as refusal:
            ack(forms.field_errors(refusal, fields))
            return
        outcome = scribe.handle(command, replace(heard, channel=channel))
        _close(ack, outcome, fields)

    @app.view(ADD_TO_TIMELINE)
    def captured(ack: Ack, body: JSON, view: JSON) -> None:
        fields = ("kind", "text")
        try:
            command, channel, thread = forms.captured(view)
        except Refusal as refusal:
            ack(forms.field_errors(refusal, fields))
            return
        _close(ack, scribe.handle(command, replace(_from_form(body), channel=channel, thread=thread)), fields)

    @app.view(re.compile(""))
    def any_other_form(ack: Ack) -> None:
        ack()

    @app.shortcut(re.compile(""))
    def any_other_shortcut(ack: Ack) -> None:
        ack()


def _open(slack: Forms, body: JSON, view: JSON) -> None:
    try:
        slack.open_form(text_at(body, "trigger_id", usual=""), view)
    except Undelivered as failure:
        log.warning("a form could not be opened: %s", failure.message)


def _close(ack: Ack, outcome: object, fields: tuple[str, ...]) -> None:
    if isinstance(outcome, Refused):
        ack(forms.field_errors(Refusal(outcome.message, outcome.hint, outcome.field), fields))
    else:
        ack()


def _events(app: App, scribe: Scribe, command: str) -> None:
    @app.event("app_mention")
    def mentioned(body: JSON, event: JSON, context: JSON) -> None:
        line, mentions = plain(_addressed(text_at(event, "text", usual=""), context.get("bot_user_id") or "", command))
        line = re.sub(rf"^{re.escape(command)}\s+", "", line)
        user = text_at(event, "user", usual="")
        if not user:
            return
        heard = Heard(
            team=_team(body),
            channel=text_at(event, "channel"),
            user=user,
            origin=text_at(body, "event_id"),
            mentions=mentions,
            by_letter=True,
            thread=text_at(event, "thread_ts", usual=""),
            shared=_told(body, "is_ext_shared_channel"),
            said_at=_said_at(event),
        )
        scribe.say(line, heard)

    def learned(body: JSON, channel: str, **what: Any) -> None:
        origin = f"channel {text_at(body, 'event_id')}"  # apart from those of what is said, which is answered again
        scribe.channel_changed(Channel(_team(body), channel, **what), origin)

    @app.event("member_joined_channel")
    def joined(body: JSON, event: JSON, context: JSON) -> None:
        if event.get("user") == context.get("bot_user_id"):
            learned(body, text_at(event, "channel"), member=True, private=_private(event))

    @app.event("member_left_channel")
    def left(body: JSON, event: JSON, context: JSON) -> None:
        if event.get("user") == context.get("bot_user_id"):
            learned(body, text_at(event, "channel"), member=False)

    for name in ("channel_left", "group_left"):

        @app.event(name)
        def removed(body: JSON, event: JSON) -> None:
            learned(body, text_at(event, "channel"), member=False)

    for name in ("channel_archive", "group_archive"):

        @app.event(name)
        def archived(body: JSON, event: JSON) -> None:
            learned(body, text_at(event, "channel"), archived=True)

    for name in ("channel_unarchive", "group_unarchive"):

        @app.event(name)
        def unarchived(body: JSON, event: JSON) -> None:
            learned(body, text_at(event, "channel"), archived=False)

    for name in ("channel_rename", "group_rename"):

        @app.event(name)
        def renamed(body: JSON, event: JSON) -> None:
            learned(body, text_at(event, "channel", "id"), name=text_at(event, "channel", "name"))

    @app.event("user_change")
    def changed(body: JSON, event: JSON) -> None:
        user = text_at(event, "user", "id")
        names = [("profile", "display_name"), ("profile", "real_name"), ("real_name",), ("name",)]
        name = next((found for one in names if (found := text_at(event, "user", *one, usual=""))), "")
        scribe.person_changed(_team(body), user, name, text_at(event, "user", "tz", usual="") or None)

    @app.event(re.compile(""))
    def anything_else(body: JSON) -> None:
        """Subscribed, and nothing to do: answered with 200, so that Slack does not send it again."""


_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>[\s:,]*")


def _addressed(text: str, bot: str, command: str) -> str:
    """What is said to the bot: what follows a mention at the beginning, or one further on that a verb follows."""
    if first := _MENTION.match(text.lstrip()):
        return text.lstrip()[first.end() :]
    for found in _MENTION.finditer(text):
        said = text[found.end() :]
        words = said.removeprefix(command).split(None, 1)
        if found[1] == bot and words and find(words[0]) is not None:
            return said
    return text


def _errors(app: App, scribe: Scribe, command: str) -> None:
    @app.error
    def failed(error: Exception, body: JSON) -> BoltResponse:
        """A defect: logged with a reference that the person sees. Only events are sent again, so only they get 500."""
        if isinstance(error, Unrecorded):
            logs.note(outcome="unrecorded")
            return _unrecorded(error, body, command)
        if isinstance(error, Refusal):  # it came before any listener: of a workspace that is not ours
            return _json(blocks.refusal(str(error)) if "command" in body else {})
        if isinstance(error, Malformed):
            log.info("a request was refused: %s", error)
            return BoltResponse(status=400, body=f"{error}.\n", headers={"content-type": "text/plain; charset=utf-8"})
        reference = logs.reference()
        logs.note(outcome="faulty")
        log.error("a request failed, reference %s", reference, exc_info=error)
        text = blocks.FAULT.format(reference=reference)
        if "command" in body:
            return _json(blocks.refusal(text))
        if body.get("type") == "view_submission":
            return _beside_a_field(body, text)
        if "event" in body:
            return BoltResponse(status=500, body="")
        heard = _from_form(body)
        if heard.channel and heard.user:
            scribe.fault(heard, reference)
        return BoltResponse(status=200, body="")


def _unrecorded(error: Unrecorded, body: JSON, command: str) -> BoltResponse:
    """The disk said no, and the store has told the log.

    No letter can be written, so Slack itself has to mark a button that failed.
    """
    if "command" in body:
        line, _ = plain(body.get("text") or "")
        return _json(blocks.unrecorded(error.reason, error.remedy, f"{command} {line}".strip()))
    if body.get("type") == "view_submission":
        return _beside_a_field(body, blocks.NOT_RECORDED.format(reason=error.reason, remedy=error.remedy))
    return BoltResponse(status=500, body="")


def _beside_a_field(body: JSON, text: str) -> BoltResponse:
    inputs = [b["block_id"] for b in body["view"].get("blocks", []) if b.get("type") == "input"]
    return _json({"response_action": "errors", "errors": {inputs[0]: text}} if inputs else {})


def _json(body: JSON) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"content-type": "application/json"})


# ---- payload -> Heard ----------------------------------------------------------------------------


def _from_command(body: JSON, mentions: dict[str, str]) -> Heard:
    """A slash command. In a private channel Slack gives "privategroup" for its name, in a direct message likewise."""
    name = body.get("channel_name", "")
    hidden = name in {"privategroup", "directmessage"}
    origin = body.get("trigger_id") or hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return Heard(
        team=text_at(body, "team_id"),
        channel=text_at(body, "channel_id"),
        user=text_at(body, "user_id"),
        origin=origin,
        user_name=body.get("user_name", ""),
        channel_name="" if hidden else name,
        private=True if hidden else None,
        mentions=mentions,
    )


def _from_form(body: JSON) -> Heard:
    """A button, a shortcut or a form; its answer leaves by letter."""
    channel = text_at(body, "channel", "id", usual="") or text_at(body, "container", "channel_id", usual="")
    origin = text_at(body, "trigger_id", usual="") or text_at(body, "view", "id", usual="")
    return Heard(
        team=text_at(body, "team", "id", usual="") or text_at(body, "user", "team_id", usual=""),
        channel=channel,
        user=text_at(body, "user", "id"),
        origin=origin or secrets.token_hex(8),
        user_name=text_at(body, "user", "username", usual="") or text_at(body, "user", "name", usual=""),
        by_letter=True,
    )


def _team(body: JSON) -> str:
    return text_at(body, "team_id")


def _told(body: JSON, name: str) -> bool | None:
    found = body.get(name)
    return found if isinstance(found, bool) else None


def _said_at(event: JSON) -> datetime | None:
    ts = text_at(event, "ts", usual="")
    return ts_to_time(ts) if ts else None


def _private(event: JSON) -> bool | None:
    return {"C": None, "G": True}.get(str(event.get("channel_type", "")))
