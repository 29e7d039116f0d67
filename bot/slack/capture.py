"""How Slack tells what people do to messages: reactions, pins, edits, deletions; and how a message is read.

Reads message objects (https://docs.slack.dev/reference/events/message) as plain words, and finds the words for what
people are told. What is done about a message is decided in bot/capture.py; the message shortcut is in shortcut.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from slack_bolt import App

from bot.core import times
from bot.core.record import DELETED, EDITED, PIN, Mark
from bot.slack.payloads import Malformed, clip, escape, object_at, plain, text_at, time_to_ts, ts_to_time

JSON = dict[str, Any]

LONGEST = 40_000
"""Characters of a message that are kept: Slack's own limit."""

_SKIN = re.compile(r"::skin-tone-\d$")
_NAMELESS = re.compile(r"<[@#]([UWCG][A-Z0-9]+)\|?>")

_SPOKEN = frozenset(
    {"", "bot_message", "me_message", "thread_broadcast", "reply_broadcast", "file_share", "file_comment"}
)
"""Subtypes of what somebody says; all others are notices of Slack's own."""

# ---- a message of Slack's ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """A message in plain words: `author` is a Slack id, or for a program without one what it calls itself.

    `called` is the name that the message itself gives to its author, where Slack may not be asked. `thread` is the
    message that it answers, "" for none. `files` are Slack's objects.
    """

    text: str
    author: str
    called: str
    thread: str
    files: tuple[JSON, ...]


def said_at(ts: str) -> datetime:
    """When a message was written."""
    return ts_to_time(ts)


def is_gone(message: Mapping[str, Any]) -> bool:
    """Whether all that is left of a message is that its thread is there."""
    return message.get("subtype") == "tombstone"


def is_notice(message: Mapping[str, Any]) -> bool:
    """Whether Slack itself wrote it: that somebody joined, that a topic was set."""
    return str(message.get("subtype") or "") not in _SPOKEN


def is_by(message: Mapping[str, Any], bot_user: str, bot_id: str) -> bool:
    """Whether that bot wrote it: what an app answers to a command belongs to no user."""
    return bool(bot_user and message.get("user") == bot_user) or bool(bot_id and message.get("bot_id") == bot_id)


def named(message: Mapping[str, Any]) -> set[str]:
    """The ids of the people and channels that a message mentions without saying what they are called."""
    return set(_NAMELESS.findall(_markup(message)))


def read(message: Mapping[str, Any], names: Mapping[str, str]) -> Said:
    """The message in plain words; `names` are those of the people and channels that it mentions."""
    files = (*_objects(message.get("files")), *_images(message.get("blocks")))
    words = clip(plain(_markup(message), names)[0].strip(), LONGEST)
    if not words:
        words = ", ".join(_file(one) for one in files) or "(no words)"
    author, called = _author(message)
    thread = _text(message, "thread_ts")
    return Said(words, author, called, "" if thread == _text(message, "ts") else thread, files)


def marked(message: Mapping[str, Any], channel: str) -> dict[str, list[str]]:
    """Who reacted to a message with what, and whether it is pinned, as Slack shows it."""
    found: dict[str, list[str]] = {}
    for one in _objects(message.get("reactions")):
        users = one.get("users")
        sign = _SKIN.sub("", _text(one, "name"))
        if isinstance(users, list):
            found.setdefault(sign, []).extend(user for user in users if isinstance(user, str))
    pinned = message.get("pinned_to")
    if isinstance(pinned, list) and channel in pinned:
        found[PIN] = [""]
    return found


def _markup(message: Mapping[str, Any]) -> str:
    """What a message says, as Slack writes it. What programs put into blocks or attachments counts where no text is."""
    if (text := _text(message, "text")).strip():
        return text
    for parts in (_of_blocks(message.get("blocks")), _of_attachments(message.get("attachments"))):
        if words := "\n".join(part for part in parts if part.strip()):
            return words
    return ""


def _of_attachments(attachments: Any) -> Iterator[str]:
    for one in _objects(attachments):
        parts = [_text(one, name) for name in ("pretext", "title", "text")]
        parts += [
            ": ".join(filter(None, [_text(field, "title"), _text(field, "value")]))
            for field in _objects(one.get("fields"))
        ]
        parts += _of_blocks(one.get("blocks"))
        yield "\n".join(part for part in parts if part.strip()) or _text(one, "fallback")


def _of_blocks(blocks: Any) -> Iterator[str]:
    for block in _objects(blocks):
        match block.get("type"):
            case "section":
                yield _of_text(block.get("text"))
                yield "\n".join(_of_text(field) for field in _objects(block.get("fields")))
            case "header":
                yield _of_text(block.get("text"))
            case "markdown":
                yield _text(block, "text")
            case "context":
                yield " ".join(_of_text(one) for one in _objects(block.get("elements")) if "text" in one)
            case "rich_text":
                yield "".join(_of_rich(one) for one in _objects(block.get("elements"))).strip("\n")
            case _:
                pass


def _of_text(found: Any) -> str:
    """A text object; in one of plain text nothing is markup."""
    if not isinstance(found, dict):
        return ""
    return escape(_text(found, "text")) if found.get("type") == "plain_text" else _text(found, "text")


def _of_rich(element: JSON) -> str:
    match element.get("type"):
        case "text":
            return escape(_text(element, "text"))
        case "link":
            label = _text(element, "text")
            return f"<{_text(element, 'url')}{'|' + escape(label) if label else ''}>"
        case "user":
            return f"<@{_text(element, 'user_id')}>"
        case "channel":
            return f"<#{_text(element, 'channel_id')}>"
        case "broadcast":
            return f"@{_text(element, 'range')}"
        case "emoji":
            return f":{_text(element, 'name')}:"
        case "rich_text_preformatted":
            return f"```\n{''.join(map(_of_rich, _objects(element.get('elements'))))}\n```\n"
        case "rich_text_quote":
            return f"> {''.join(map(_of_rich, _objects(element.get('elements'))))}\n"
        case "rich_text_list":
            return "".join(f"• {_of_rich(one).rstrip()}\n" for one in _objects(element.get("elements")))
        case "rich_text_section":
            return "".join(map(_of_rich, _objects(element.get("elements")))) + "\n"
        case _:
            return ""


def _author(message: Mapping[str, Any]) -> tuple[str, str]:
    user, bot = _text(message, "user"), _text(message, "bot_id")
    profile = message.get("user_profile")
    if user:
        names = ("display_name", "real_name", "name") if isinstance(profile, dict) else ()
        return user, next((name for one in names if (name := _text(cast(JSON, profile), one))), "")
    made = message.get("bot_profile")
    called = _text(message, "username") or (_text(made, "name") if isinstance(made, dict) else "")
    return (f"{bot}/{called}".strip("/"), called or bot)


def _images(blocks: Any) -> Iterator[JSON]:
    """The images of Slack's own that stand in blocks."""
    for block in _objects(blocks):
        inside = block.get("slack_file")
        if block.get("type") == "image" and isinstance(inside, dict) and _text(inside, "id"):
            yield {"mimetype": "image/", "name": _of_text(block.get("title")) or _text(block, "alt_text"), **inside}


def _file(file: JSON) -> str:
    """A file for which nobody found words: "(image) graph.png"."""
    what = "image" if _text(file, "mimetype").startswith("image/") else "file"
    return f"({what}) {_text(file, 'name') or _text(file, 'title')}".strip()


def _objects(found: Any) -> list[JSON]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


# ---- what people are told ------------------------------------------------------------------------


def told(what: str, about: Mapping[str, Any], prefix: str) -> JSON:
    """Why nothing was recorded of a message, or removed."""
    match what:
        case "gone":
            words = (
                "That message could not be read: it was deleted, or is older than what Slack still shows. Nothing is "
                f"recorded of it. `{prefix} note 14:05 …` records what it said."
            )
        case "notice":
            words = "That is a notice of Slack's own, which nobody wrote. Nothing is recorded of it."
        case "old":
            at = times.parse_utc(str(about["at"]))
            words = (
                f"That message is of {times.moment(at, 'UTC')}, long before {about['incident']}. Nothing is recorded "
                f"of it. If it belongs there: `{prefix} note {about['incident']}: {at:%Y-%m-%d %H:%M} UTC …`"
            )
        case "stays":
            words = (
                f"Entry {about['entry']} of {about['incident']} stays: somebody has worked on it since. "
                f"`{prefix} remove {about['incident']}: {about['entry']}` takes it out."
            )
        case "waits":
            words = (
                f"That message cannot be read now: {escape(str(about['reason']))} It is recorded as soon as it can be."
            )
        case _:
            raise AssertionError(f"no words for {what}")
    return {"text": words, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": words}}]}


# ---- listening -----------------------------------------------------------------------------------


class Capture(Protocol):
    """What is done about messages (see bot/capture.py)."""

    def marks(self, sign: str) -> bool: ...
    def marked(self, mark: Mark, origin: str) -> None: ...
    def changed(self, mark: Mark, origin: str) -> None: ...


def register(app: App, capture: Capture) -> None:
    """Registers the listeners for reactions and pins; edits and deletions are seen on the way past."""
    for name, stands in (("reaction_added", True), ("reaction_removed", False)):
        _reactions(app, capture, name, stands=stands)
    for name, stands in (("pin_added", True), ("pin_removed", False)):
        _pins(app, capture, name, stands=stands)

    @app.middleware  # a listener would keep the event from other rooms
    def seen(body: JSON, next: Callable[[], Any]) -> Any:
        event = body.get("event")
        told = isinstance(event, dict) and event.get("type") == "message"
        if told and (change := _change(body, cast(JSON, event))) is not None:
            capture.changed(*change)
        return next()


def _reactions(app: App, capture: Capture, name: str, *, stands: bool) -> None:
    @app.event(name)
    def reacted(body: JSON, event: JSON, context: JSON) -> None:
        sign = _SKIN.sub("", text_at(event, "reaction"))
        item = object_at(event, "item")
        ours = context.get("bot_user_id")
        if item.get("type") != "message" or not capture.marks(sign) or (ours and event.get("item_user") == ours):
            return
        user = text_at(event, "user")
        spot = text_at(item, "channel"), _ts(text_at(item, "ts"))
        mark = Mark(text_at(body, "team_id"), *spot, sign, user, user, stands, _event_time(event, body))
        capture.marked(mark, text_at(body, "event_id"))


def _pins(app: App, capture: Capture, name: str, *, stands: bool) -> None:
    @app.event(name)
    def pinned(body: JSON, event: JSON, context: JSON) -> None:
        item = object_at(event, "item")
        ours = context.get("bot_user_id")
        user = text_at(event, "user", usual="")
        if item.get("type") != "message" or (ours and ours in (user, event.get("item_user"))):
            return
        channel = text_at(event, "channel_id", usual="") or text_at(item, "channel")
        spot = channel, _ts(text_at(item, "message", "ts", usual="") or text_at(item, "ts"))
        mark = Mark(text_at(body, "team_id"), *spot, PIN, "", user, stands, _event_time(event, body))
        if user:
            capture.marked(mark, text_at(body, "event_id"))


def _change(body: JSON, event: JSON) -> tuple[Mark, str] | None:
    """An edit or a deletion, None where a message event is neither: that Slack unfolded a link is no edit."""
    now, before = event.get("message"), event.get("previous_message")
    now = now if isinstance(now, dict) else {}
    before = before if isinstance(before, dict) else {}
    team, channel, origin = (_text(body, "team_id"), _text(event, "channel"), _text(body, "event_id"))
    author = _author(before or now)[0]
    match event.get("subtype"):
        case "message_deleted":
            ts, sign = _text(event, "deleted_ts") or _text(before, "ts"), DELETED
        case "message_changed" if is_gone(now):
            ts, sign = _text(now, "ts"), DELETED
        case "message_changed" if _says_else(now, before):
            ts, sign = _text(now, "ts"), EDITED
        case _:
            return None
    try:
        mark = Mark(team, channel, _ts(ts), sign, "", author, True, _event_time(event, body))
    except Malformed:
        return None
    return (mark, origin) if channel and origin else None


def _says_else(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    if not before or _markup(now) != _markup(before):
        return True
    program = bool(_text(now, "bot_id")) and not _text(now, "text").strip()
    return program and any(now.get(name) != before.get(name) for name in ("blocks", "attachments"))


def _ts(ts: str) -> str:
    """A message's id as Slack writes it. Raises Malformed for what is none."""
    return time_to_ts(ts_to_time(ts))


def _event_time(event: JSON, body: JSON) -> datetime:
    """When it was done, by Slack's clock. Raises Malformed where the event does not say it."""
    told = _text(event, "event_ts")
    since = body.get("event_time")
    return ts_to_time(told or (str(since) if isinstance(since, int) else ""))
