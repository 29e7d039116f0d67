"""How Slack is heard: payload -> Heard -> scribe -> answer. Registered once, at start.

Listeners never call Slack but to open a form (its trigger lives three seconds), and never use Bolt's own client. What
Slack would not show as a response is answered by a letter (`Heard.by_letter`).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.response import BoltResponse

from bot import logs
from bot.core.answers import Heard, Refused
from bot.core.errors import Refusal, Unrecorded
from bot.core.grammar import find
from bot.core.record import Channel, fingerprint
from bot.scribe import Scribe
from bot.slack import blocks
from bot.slack.dialogs import Dialogs, Forms, from_form
from bot.slack.forms import START_INCIDENT as START_INCIDENT
from bot.slack.payloads import Malformed, plain, text_at, ts_to_time
from bot.slack.shortcut import ADD_TO_TIMELINE as ADD_TO_TIMELINE

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


def register(
    app: App,
    scribe: Scribe,
    slack: Forms,
    clock: Callable[[], datetime],
    command: str = "/incident",
    others: Sequence[Callable[[App], None]] = (),
) -> None:
    """Registers every listener with a Bolt app; those of `others` come before the ones that catch what is left."""
    for register_others in others:
        register_others(app)
    dialogs = Dialogs(scribe, slack, clock)
    dialogs.listen(app)
    _commands(app, scribe, command, dialogs)
    _buttons(app, scribe, dialogs)
    _forms(app)
    _events(app, scribe, command)
    _errors(app, scribe, command)


def _commands(app: App, scribe: Scribe, command: str, dialogs: Dialogs) -> None:
    @app.command(command)
    def incident(ack: Ack, body: JSON) -> None:
        line, mentions = plain(text_at(body, "text", usual=""))
        heard = _from_command(body, mentions)
        outcome = scribe.say(line, replace(heard, opens=True))
        if isinstance(outcome, Refused) and outcome.form:
            left = dialogs.open(outcome, heard, body)
            if left is None:
                ack()
                return
            outcome = left
        ack(blocks.answer(outcome, command))


def _buttons(app: App, scribe: Scribe, dialogs: Dialogs) -> None:
    @app.action(re.compile(rf"^{blocks.CHOOSE}:\d{{1,3}}$"))
    def choose(ack: Ack, body: JSON, action: JSON) -> None:
        heard = replace(from_form(body), opens=True)
        number = int(action["action_id"].rpartition(":")[2])
        dialogs.tapped(scribe.choose(text_at(action, "value", usual=""), number, heard), "", heard, body)
        ack()

    @app.action(re.compile(rf"^{blocks.SAY}:\d+$"))
    def say(ack: Ack, body: JSON, action: JSON) -> None:
        line = text_at(action, "value", usual="") or text_at(action, "selected_option", "value", usual="")
        dialogs.say(line, body)
        ack()

    @app.action(re.compile(""))
    def anything_else(ack: Ack) -> None:
        ack()


def _forms(app: App) -> None:
    @app.view(re.compile(""))
    def any_other_form(ack: Ack) -> None:
        ack()

    @app.shortcut(re.compile(""))
    def any_other_shortcut(ack: Ack) -> None:
        ack()


def _events(app: App, scribe: Scribe, command: str) -> None:
    @app.event("app_mention")
    def mentioned(body: JSON, event: JSON, context: JSON) -> None:
        said = _addressed(text_at(event, "text", usual=""), context.get("bot_user_id") or "", command)
        user = text_at(event, "user", usual="")
        if said is None or not user:
            return
        line, mentions = plain(said)
        line = re.sub(rf"^{re.escape(command)}\s+", "", line)
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


_COURTESY = re.compile(
    r"(?:(?:thanks|thank you|thx|ty|cheers|ok(?:ay)?|great|nice|good (?:bot|job|work)|well done|hi|hello|hey|sorry|"
    r"so much|a lot|all|everybody|:?[a-z0-9_+-]+:)[\s,.!]*)+",
    re.IGNORECASE,
)
"""What is said out of politeness, and is to be answered as little as it is to be recorded."""


def _addressed(text: str, bot: str, command: str) -> str | None:
    """What is said to the bot: what follows a mention at the beginning, or one further on that a verb follows.

    None where people only speak of it, or thank it.
    """
    text = text.lstrip()
    first = _MENTION.match(text)
    if first is not None and (not bot or first[1] == bot):
        said = text[first.end() :]
        return None if _COURTESY.fullmatch(said.strip()) else said
    for found in _MENTION.finditer(text):
        said = text[found.end() :]
        words = said.removeprefix(command).split(None, 1)
        if found[1] == bot and words and find(words[0]) is not None:
            return said
    words = text.split(None, 1)
    return text if not bot or (words and find(words[0]) is not None) else None


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
        heard = from_form(body)
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
    origin = body.get("trigger_id") or fingerprint(body)
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
