"""Messages of a channel: as events bring them, as Slack's history has them, and those that look like entries -> a form.

The form shows ten at a time: each can be recorded, as another kind if need be, or dismissed; its own button records all
that it shows. What is tapped becomes a letter, which brings the form up to date (see bot/chat.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from slack_bolt import Ack, App

from bot.core import times
from bot.core.answers import Heard, Outcome, Suggested, Suggesting, Suggestions
from bot.core.errors import Undelivered
from bot.core.events import Kind
from bot.core.record import Place, Said
from bot.slack import blocks, payloads
from bot.slack.buttons import SAY, say_button
from bot.slack.dialogs import from_form
from bot.slack.listeners import _from_command
from bot.slack.payloads import Malformed, clip, escape, object_at, text_at

JSON = dict[str, Any]

FORM = "suggest"
"""The callback of the form, and how its action ids begin."""

KINDS = (
    Kind.NOTE,
    Kind.ACTION,
    Kind.HYPOTHESIS,
    Kind.DEAD_END,
    Kind.DETECTION,
    Kind.DECISION,
    Kind.ESCALATION,
    Kind.UPDATE,
    Kind.MITIGATION,
    Kind.TRIGGER,
)
"""What a message can be recorded as."""

SPOKEN = frozenset({"", "bot_message", "me_message", "thread_broadcast", "file_share"})
"""Subtypes of what somebody says; all others are notices of Slack's own."""

CHANNELS = frozenset({"channel", "group"})
"""Kinds of conversation in which messages are kept: not direct ones."""

TEXT, NAME = 300, 60

MOST_NUMBER = 10**9

_ID = re.compile(r"[A-Z0-9]{1,40}/[0-9]{1,12}\.[0-9]{1,6}")
_WHEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z")
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_UNNAMED = re.compile(r"@([UW][A-Z0-9]{6,})\b")


class Chat(Protocol):
    """The room that keeps, suggests and records (see bot/chat.py)."""

    def hear(self, team: str, said: Said, *, changed: bool = False, shared: bool = False) -> None: ...
    def unhear(self, team: str, channel: str, ts: str) -> None: ...
    def place(self, team: str, number: int) -> Place | None: ...
    def ask(self, place: Place, user: str, view: str, page: int = 1) -> None: ...
    def accept(self, place: Place, user: str, view: str, page: int, rows: Sequence[Sequence[Any]]) -> None: ...
    def accept_all(self, place: Place, user: str, view: str) -> None: ...
    def dismiss(self, place: Place, user: str, view: str, page: int, messages: Sequence[str]) -> None: ...


class Scribe(Protocol):
    """What a line leads to (see bot/scribe.py)."""

    def say(self, line: str, heard: Heard) -> Outcome: ...


class Slack(Protocol):
    """The one call that a listener makes: a form's trigger lives three seconds."""

    def open_form(self, trigger: str, view: JSON) -> str: ...


# ---- hearing -------------------------------------------------------------------------------------


def listening(chat: Chat, scribe: Scribe, slack: Slack, command: str) -> Callable[[App], None]:
    """Registers who hears messages, the verb, and what is tapped in the form."""

    def register(app: App) -> None:
        _messages(app, chat)
        _verb(app, chat, scribe, slack, command)
        _taps(app, chat)

    return register


def _messages(app: App, chat: Chat) -> None:
    @app.middleware  # a listener would keep the event from other rooms
    def keep(body: JSON, context: JSON, next: Callable[[], Any]) -> Any:
        event = body.get("event")
        told = isinstance(event, dict) and event.get("type") == "message" and str(event.get("channel_type")) in CHANNELS
        ours = context.get("bot_user_id")  # None until Slack has said who we are: then our own words look like others'
        if told and ours:
            _heard(chat, body, object_at(body, "event"), str(ours), str(context.get("bot_id")))
        return next()


def _heard(chat: Chat, body: JSON, event: Mapping[str, Any], bot_user: str, bot_id: str) -> None:
    team, channel, shared = (
        text_at(body, "team_id"),
        text_at(event, "channel"),
        body.get("is_ext_shared_channel") is True,
    )
    match event.get("subtype"):
        case "message_deleted":
            chat.unhear(team, channel, text_at(event, "deleted_ts"))
        case "message_changed":
            message = object_at(event, "message")
            if message.get("subtype") == "tombstone":  # deleted, and others have answered it
                chat.unhear(team, channel, text_at(message, "ts"))
            elif (found := said(channel, message, bot_user, bot_id)) is not None:
                chat.hear(team, found, changed=True, shared=shared)
        case _:
            if (found := said(channel, event, bot_user, bot_id)) is not None:
                chat.hear(team, found, shared=shared)


def _verb(app: App, chat: Chat, scribe: Scribe, slack: Slack, command: str) -> None:
    def asks(line: str) -> bool:
        return line.split(None, 1)[:1] == ["suggest"]

    def opened(body: JSON, place: Place) -> bool:
        """Whether the form could be opened: its trigger lives three seconds."""
        try:
            view = slack.open_form(
                text_at(body, "trigger_id", usual=""), waiting(place, "Looking through what was said…")
            )
        except Undelivered:
            return False
        chat.ask(place, text_at(body, "user_id", usual="") or text_at(body, "user", "id"), view, 0)
        return True

    @app.command(command, matchers=[lambda body: asks(str(body.get("text") or "").casefold())])
    def suggest(ack: Ack, body: JSON) -> None:
        line, mentions = payloads.plain(text_at(body, "text", usual=""))
        outcome = scribe.say(line, _from_command(body, mentions))
        if isinstance(outcome, Suggesting) and opened(body, outcome.place):
            ack()
        else:
            ack(blocks.answer(outcome, command))

    @app.action(re.compile(rf"^{SAY}:\d+$"), matchers=[lambda action: asks(str(action.get("value") or ""))])
    def tapped(ack: Ack, body: JSON, action: JSON) -> None:
        line, heard = text_at(action, "value"), from_form(body)
        outcome = scribe.say(line, replace(heard, by_letter=False, origin=f"{FORM} {heard.origin}"))
        if not (isinstance(outcome, Suggesting) and opened(body, outcome.place)):
            scribe.say(line, heard)
        ack()


def _taps(app: App, chat: Chat) -> None:
    def about(body: JSON, view: JSON) -> tuple[Place, str, str, JSON]:
        """The incident, the person, the form, and what it was given to remember."""
        try:
            kept = json.loads(text_at(view, "private_metadata"))
        except ValueError:
            kept = None
        place = None
        if isinstance(kept, dict) and isinstance(kept.get("rows"), dict) and all(map(_is_row, kept["rows"].items())):
            number, page = kept.get("incident"), kept.get("page")
            team = text_at(body, "team", "id", usual="") or text_at(body, "user", "team_id", usual="")
            if isinstance(number, int) and isinstance(page, int) and max(number, page) < MOST_NUMBER:
                place = chat.place(team, number)
        if place is None:
            raise Malformed("private_metadata is not what the form was given")
        return place, text_at(body, "user", "id"), text_at(view, "id"), kept

    def rows(view: JSON, kept: JSON, wanted: Sequence[str]) -> list[list[Any]]:
        """What is to be recorded: each message as the kind that is chosen beside it."""
        found: list[list[Any]] = []
        for one in wanted:
            row = kept["rows"].get(one)
            chosen = object_at(view, "state", "values", one, f"{FORM}:kind", "selected_option")
            if row is None:
                raise Malformed("the form has no such message")
            kind = text_at(chosen, "value", usual=row[0])
            if kind not in KINDS:
                raise Malformed("kind is none that the form offers")
            found.append([one, kind, *row[1:]])
        return found

    @app.action(re.compile(rf"^{FORM}:(add|drop|page|all|none)(:\d+)?$"))
    def tap(ack: Ack, body: JSON, action: JSON) -> None:
        view = dict(object_at(body, "view"))
        place, user, form_id, kept = about(body, view)
        given = text_at(action, "value", usual="")
        match action["action_id"].split(":")[1]:
            case "add":
                chat.accept(place, user, form_id, kept["page"], rows(view, kept, [given]))
            case "drop":
                rows(view, kept, [given])
                chat.dismiss(place, user, form_id, kept["page"], [given])
            case "none":
                chat.dismiss(place, user, form_id, kept["page"], list(kept["rows"]))
            case "all":
                chat.accept_all(place, user, form_id)
            case _:
                chat.ask(place, user, form_id, int(given) if given.isdecimal() and len(given) < 6 else 1)
        ack()

    @app.view(FORM)
    def submitted(ack: Ack, body: JSON, view: JSON) -> None:
        place, user, form_id, kept = about(body, view)
        chat.accept(place, user, form_id, kept["page"], rows(view, kept, list(kept["rows"])))
        ack(response_action="update", view=waiting(place, "Adding…"))


def _is_row(row: tuple[str, Any]) -> bool:
    """Whether it is what the form was given to remember of a message: kind, time, whether about then, zone."""
    match row:
        case (str(one), [str(), str(when), bool(), str()]) if _ID.fullmatch(one) and _WHEN.fullmatch(when):
            return True
        case _:
            return False


# ---- messages ------------------------------------------------------------------------------------


def said(channel: str, message: Mapping[str, Any], bot_user: str, bot_id: str) -> Said | None:
    """A message as Slack gives it; None for a notice, for what has no words, and for what Scribe says or is told."""
    ts, user, bot = (_text(message, name) for name in ("ts", "user", "bot_id"))
    text = _words(message)
    ours = (bot_user and user == bot_user) or (bot_id and bot == bot_id) or (bot_user and f"<@{bot_user}>" in text)
    if not ts or not text.strip() or ours or _text(message, "subtype") not in SPOKEN or message.get("hidden") is True:
        return None
    try:
        payloads.ts_to_time(ts)
    except Malformed:
        return None
    program = bool(bot) or _text(message, "subtype") == "bot_message"
    profile, edited, files = (message.get(name) for name in ("bot_profile", "edited", "files"))
    named = _text(message, "username") or (_text(profile, "name") if isinstance(profile, dict) else "")
    thread = _text(message, "thread_ts")
    return Said(
        channel=channel,
        ts=ts,
        author=(named or user or bot) if program else user,
        text=text,
        thread=thread if thread != ts else "",
        program=program,
        files=len(files) if isinstance(files, list) else 0,
        edited=_text(edited, "ts") if isinstance(edited, dict) else "",
    )


def _words(message: Mapping[str, Any]) -> str:
    """The text of a message; where a program left it empty, that of what hangs on it."""
    text = _text(message, "text")
    if text.strip():
        return text
    parts: list[str] = []
    attachments = message.get("attachments")
    for hanging in attachments if isinstance(attachments, list) else ():
        if isinstance(hanging, dict):
            words = [_text(hanging, name) for name in ("pretext", "title", "text")]
            parts += [one for one in words if one.strip()] or [_text(hanging, "fallback")]
    return "\n".join(filter(str.strip, parts))


def _text(message: Mapping[str, Any], name: str) -> str:
    found = message.get(name)
    return found if isinstance(found, str) else ""


def plain(text: str, names: Mapping[str, str]) -> str:
    """The words of a message, people by name where `names` has it for their id."""
    return payloads.plain(text, names)[0]


def ts(at: datetime) -> str:
    """A moment as Slack writes it."""
    return payloads.time_to_ts(at)


def at(ts: str) -> datetime:
    """When a message was written."""
    return payloads.ts_to_time(ts)


def replied_to(message: Mapping[str, Any]) -> bool:
    """Whether a message of the history has answers in a thread."""
    count = message.get("reply_count")
    return isinstance(count, int) and count > 0


# ---- the form ------------------------------------------------------------------------------------


def waiting(place: Place, words: str) -> JSON:
    """The form until there is something to show."""
    return _modal(place, 1, {}, [_section(f"*{place.name}* · {words}")], 0)


def form(found: Suggestions) -> JSON:
    """What looks like entries, a page of it."""
    head = [f"*{found.place.name}* {escape(clip(_flat(found.place.title), 150))}", *map(escape, found.notes)]
    if found.shown:
        which = f", {found.first} to {found.first + len(found.shown) - 1} here" if found.pages > 1 else ""
        of = f"{found.messages:,} {'message' if found.messages == 1 else 'messages'}"
        head.append(f"{found.total:,} of {of} look like entries{which}. Nothing is recorded before you add it.")
    else:
        head.append(f"Nothing {'more ' if found.notes else ''}looks like an entry that is not recorded.")
    parts = [_section("\n".join(head))]
    rows: dict[str, list[Any]] = {}
    for number, one in enumerate(found.shown):
        rows[one.id] = [one.kind, times.iso(one.at), one.approx, one.zone]
        parts += [_section(_line(one, found)), _ways(one, number)]
    if buttons := _rest(found):
        parts.append(_actions(buttons, "rest"))
    parts.append(_whence(found))
    return _modal(found.place, found.page, rows, parts, len(rows))


def offer(found: Suggestions) -> JSON:
    """The message that there is something to look at, for one person alone."""
    if not found.total:
        words = f"Nothing that was said looks like an entry of {found.place.name}."
        return {"text": words, "blocks": [_section(words)]}
    look = "1 message looks like an entry" if found.total == 1 else f"{found.total:,} messages look like entries"
    words = f"🧭 *{found.place.name}*: {look} of its timeline. Nothing is recorded before you add it."
    button = say_button(0, "Look at it" if found.total == 1 else "Look at them", f"suggest {found.place.name}:")
    return {"text": words, "blocks": [_section(words), {"type": "actions", "elements": [button]}]}


def _modal(place: Place, page: int, rows: JSON, parts: list[JSON], count: int) -> JSON:
    view: JSON = {
        "type": "modal",
        "callback_id": FORM,
        "title": _plain_text("Add what was said"),
        "close": _plain_text("Done"),
        "private_metadata": json.dumps({"incident": place.number, "page": page, "rows": rows}),
        "blocks": parts,
    }
    if count:
        view["submit"] = _plain_text("Add it" if count == 1 else f"Add these {count}")
    return view


def _line(one: Suggested, found: Suggestions) -> str:
    when = f"{'~' if one.approx else ''}{_when(one.at, found)}"
    written = "" if abs((one.said_at - one.at).total_seconds()) < 60 else f" (written {_when(one.said_at, found)})"
    is_person = not one.program and _PERSON.fullmatch(one.author)
    who = f"<@{one.author}>" if is_person else escape(clip(_flat(one.author), NAME)) or "somebody"
    words = _UNNAMED.sub(r"<@\1>", escape(clip(_flat(one.text), TEXT)))
    return f"*{when}*{written} · {who}: {words}"


def _when(at: datetime, found: Suggestions) -> str:
    same_day = times.localize(at, found.zone).date() == times.localize(found.now, found.zone).date()
    return times.clock(at, found.zone) if same_day else times.moment(at, found.zone)


def _ways(one: Suggested, number: int) -> JSON:
    options = [{"text": _plain_text(blocks.LABELS[kind]), "value": kind.value} for kind in KINDS]
    chosen = next((option for option in options if option["value"] == one.kind), options[0])
    select = {"type": "static_select", "action_id": f"{FORM}:kind", "options": options, "initial_option": chosen}
    add, drop = _button(f"add:{number}", "Add", one.id), _button(f"drop:{number}", "Not this", one.id)
    return _actions([select, add, drop], one.id)


def _rest(found: Suggestions) -> list[JSON]:
    count = len(found.shown)
    buttons: list[JSON] = []
    if found.page < found.pages:
        buttons.append(_button("page:1", "More", str(found.page + 1)))
    if found.page > 1:
        buttons.append(_button("page:0", "Back", str(found.page - 1)))
    if count > 1:
        buttons.append(_button("none", f"None of these {count}", "none"))
    if found.total > count:
        confirm = {
            "title": _plain_text("Add all?"),
            "text": _plain_text(
                f"All {found.total:,} are recorded as suggested, those on other pages too. Each can be removed later."
            ),
            "confirm": _plain_text(f"Add all {found.total:,}"),
            "deny": _plain_text("No"),
        }
        buttons.append({**_button("all", f"Add all {found.total:,}", "all"), "confirm": confirm})
    return buttons


def _whence(found: Suggestions) -> JSON:
    days = "1 day" if found.days == 1 else f"{found.days} days"
    words = (
        f"Messages are kept for {days} while an incident is open; earlier ones were read from Slack just now."
        if found.days
        else "Read from Slack just now: no message is kept. What you add is recorded with its author and time."
    )
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]}


def _section(text: str) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip(text, 3000)}}


def _actions(elements: list[JSON], block: str) -> JSON:
    return {"type": "actions", "block_id": block, "elements": elements}


def _button(action: str, label: str, value: str) -> JSON:
    return {"type": "button", "action_id": f"{FORM}:{action}", "text": _plain_text(label), "value": value}


def _plain_text(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def _flat(text: str) -> str:
    return " ".join(text.split())
