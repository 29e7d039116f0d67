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

from bot.core.answers import Heard, Refused
from bot.core.errors import Refusal, Undelivered
from bot.core.grammar import find
from bot.core.record import Channel
from bot.scribe import Scribe
from bot.slack import blocks, forms
from bot.slack.forms import ADD_TO_TIMELINE, START_INCIDENT
from bot.slack.payloads import plain, ts_to_time

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
    _errors(app, scribe)


def _commands(app: App, scribe: Scribe, command: str) -> None:
    @app.command(command)
    def incident(ack: Ack, body: JSON) -> None:
        line, mentions = plain(body.get("text") or "")
        ack(blocks.answer(scribe.say(line, _from_command(body, mentions)), command))


def _buttons(app: App, scribe: Scribe) -> None:
    @app.action(re.compile(rf"^{blocks.CHOOSE}:\d+$"))
    def choose(ack: Ack, body: JSON, action: JSON) -> None:
        scribe.choose(str(action.get("value", "")), int(action["action_id"].rpartition(":")[2]), _from_form(body))
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
        _open(slack, body, forms.capture_form(body["channel"]["id"], body["message"]))
        ack()

    @app.view(START_INCIDENT)
    def started(ack: Ack, body: JSON, view: JSON) -> None:
        fields = ("title", "channel", "severity", "since")
        try:
            command, channel = forms.started(view, clock())
        except Refusal as refusal:
            ack(forms.field_errors(refusal, fields))
            return
        outcome = scribe.handle(command, replace(_from_form(body), channel=channel))
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
        slack.open_form(body.get("trigger_id", ""), view)
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
        line, mentions = plain(_addressed(event.get("text", ""), context.get("bot_user_id") or "", command))
        line = re.sub(rf"^{re.escape(command)}\s+", "", line)
        user = event.get("user")
        if not user:
            return
        heard = Heard(
            team=_team(body),
            channel=event["channel"],
            user=user,
            origin=str(body["event_id"]),
            mentions=mentions,
            by_letter=True,
            thread=event.get("thread_ts", ""),
            shared=body.get("is_ext_shared_channel"),
            said_at=_said_at(event),
        )
        scribe.say(line, heard)

    def learned(body: JSON, channel: str, **what: Any) -> None:
        scribe.channel_changed(Channel(_team(body), channel, **what))

    @app.event("member_joined_channel")
    def joined(body: JSON, event: JSON, context: JSON) -> None:
        if event.get("user") == context.get("bot_user_id"):
            learned(body, event["channel"], member=True, private=_private(event))

    @app.event("member_left_channel")
    def left(body: JSON, event: JSON, context: JSON) -> None:
        if event.get("user") == context.get("bot_user_id"):
            learned(body, event["channel"], member=False)

    for name in ("channel_left", "group_left"):

        @app.event(name)
        def removed(body: JSON, event: JSON) -> None:
            learned(body, event["channel"], member=False)

    for name in ("channel_archive", "group_archive"):

        @app.event(name)
        def archived(body: JSON, event: JSON) -> None:
            learned(body, event["channel"], archived=True)

    for name in ("channel_unarchive", "group_unarchive"):

        @app.event(name)
        def unarchived(body: JSON, event: JSON) -> None:
            learned(body, event["channel"], archived=False)

    for name in ("channel_rename", "group_rename"):

        @app.event(name)
        def renamed(body: JSON, event: JSON) -> None:
            learned(body, event["channel"]["id"], name=event["channel"]["name"])

    @app.event("user_change")
    def changed(body: JSON, event: JSON) -> None:
        user = event["user"]
        profile = user.get("profile") or {}
        name = profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name", "")
        scribe.person_changed(_team(body), user["id"], name, user.get("tz") or None)

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


def _errors(app: App, scribe: Scribe) -> None:
    @app.error
    def failed(error: Exception, body: JSON) -> BoltResponse:
        """A defect: logged with a reference that the person sees. Only events are sent again, so only they get 500."""
        reference = secrets.token_hex(4)
        log.error("a request failed, reference %s", reference, exc_info=error)
        text = blocks.FAULT.format(reference=reference)
        if "command" in body:
            return _json(blocks.refusal(text))
        if body.get("type") == "view_submission":
            inputs = [b["block_id"] for b in body["view"].get("blocks", []) if b.get("type") == "input"]
            return _json({"response_action": "errors", "errors": {inputs[0]: text}} if inputs else {})
        if "event" in body:
            return BoltResponse(status=500, body="")
        heard = _from_form(body)
        if heard.channel and heard.user:
            scribe.fault(heard, reference)
        return BoltResponse(status=200, body="")


def _json(body: JSON) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"content-type": "application/json"})


# ---- payload -> Heard ----------------------------------------------------------------------------


def _from_command(body: JSON, mentions: dict[str, str]) -> Heard:
    """A slash command. In a private channel Slack gives "privategroup" for its name, in a direct message likewise."""
    name = body.get("channel_name", "")
    hidden = name in {"privategroup", "directmessage"}
    origin = body.get("trigger_id") or hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return Heard(
        team=body["team_id"],
        channel=body["channel_id"],
        user=body["user_id"],
        origin=origin,
        user_name=body.get("user_name", ""),
        channel_name="" if hidden else name,
        private=True if hidden else None,
        mentions=mentions,
    )


def _from_form(body: JSON) -> Heard:
    """A button, a shortcut or a form; its answer leaves by letter."""
    user, channel = body.get("user") or {}, body.get("channel") or {}
    return Heard(
        team=(body.get("team") or {}).get("id") or user.get("team_id", ""),
        channel=channel.get("id") or (body.get("container") or {}).get("channel_id", ""),
        user=user.get("id", ""),
        origin=str(body.get("trigger_id") or (body.get("view") or {}).get("id") or secrets.token_hex(8)),
        user_name=user.get("username") or user.get("name", ""),
        by_letter=True,
    )


def _team(body: JSON) -> str:
    return str(body.get("team_id", ""))


def _said_at(event: JSON) -> datetime | None:
    ts = str(event.get("ts", ""))
    return ts_to_time(ts) if ts else None


def _private(event: JSON) -> bool | None:
    return {"C": None, "G": True}.get(str(event.get("channel_type", "")))
