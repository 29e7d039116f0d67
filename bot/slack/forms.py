"""The forms that Scribe opens: views for Slack, and what a person filled in -> commands. Pure; it calls nobody.

A form that is filled in wrongly comes back with the error beside the field and nothing lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core.commands import Record, Start
from bot.core.errors import Refusal
from bot.core.events import Kind
from bot.core.times import When
from bot.slack.blocks import LABELS
from bot.slack.payloads import Malformed, clip, object_at, plain, text_at, ts_to_time

JSON = dict[str, Any]

START_INCIDENT = "start_incident"
ADD_TO_TIMELINE = "add_to_timeline"

CAPTURED_KINDS = (
    Kind.NOTE,
    Kind.ACTION,
    Kind.HYPOTHESIS,
    Kind.DEAD_END,
    Kind.DETECTION,
    Kind.DECISION,
    Kind.ESCALATION,
    Kind.UPDATE,
    Kind.MITIGATION,
)
SEVERITIES = ("1", "2", "3", "4", "5")
AHEAD_SECONDS = 120
INPUT_LIMIT = 3000  # Slack's limit for a text input


def start_form(now: datetime) -> JSON:
    """The form behind the shortcut "Start an incident"."""
    severities = [_option(f"SEV{n}", n) for n in SEVERITIES]
    return _modal(
        START_INCIDENT,
        "Start an incident",
        "Start",
        [
            _input("title", "What is wrong?", {"type": "plain_text_input", "max_length": 200}),
            _input(
                "channel",
                "In which channel?",
                {
                    "type": "conversations_select",
                    "default_to_current_conversation": True,
                    "response_url_enabled": False,
                },
                "Everybody there sees the incident and can record.",
            ),
            _input("severity", "Severity", {"type": "static_select", "options": severities}, optional=True),
            _input(
                "since",
                "When did impact begin?",
                {"type": "datetimepicker", "initial_date_time": int(now.timestamp())},
                optional=True,
            ),
        ],
        {},
    )


def started(view: JSON, now: datetime) -> tuple[Start, str]:
    """What the start form says, and the channel it names. Raises Refusal with the field that is wrong."""
    title = " ".join(_value(view, "title").split())
    if not title:
        raise Refusal("Say in a few words what is wrong.", field="title")
    severity = _value(view, "severity")
    since = _value(view, "since")
    when: When | None = None
    if since:
        at = ts_to_time(since)
        if (at - now).total_seconds() > AHEAD_SECONDS:
            raise Refusal("That is still to come: choose when impact began.", field="since")
        when = When(at=min(at, now), zone="UTC")
    channel = _value(view, "channel")
    if not channel:
        raise Refusal("Choose the channel in which the incident is.", field="channel")
    if severity not in {"", *SEVERITIES}:
        raise Malformed("severity is none that the form offers")
    return Start(title=title, severity=int(severity) if severity else None, since=when), channel


def capture_form(channel: str, message: Mapping[str, Any]) -> JSON:
    """The form behind the shortcut "Add to the timeline": kind and text of a message, prefilled."""
    text, _ = plain(text_at(message, "text", usual=""))
    kinds = [_option(LABELS[kind], kind.value) for kind in CAPTURED_KINDS]
    text_input: JSON = {"type": "plain_text_input", "multiline": True, "max_length": INPUT_LIMIT}
    if text.strip():
        text_input["initial_value"] = clip(text, INPUT_LIMIT)
    about = {
        "channel": channel,
        "ts": text_at(message, "ts"),
        "author": text_at(message, "user", usual=""),
        "thread": text_at(message, "thread_ts", usual=""),
    }
    return _modal(
        ADD_TO_TIMELINE,
        "Add to the timeline",
        "Add",
        [
            _input("kind", "What is it?", {"type": "static_select", "options": kinds, "initial_option": kinds[0]}),
            _input("text", "What happened?", text_input, "It is recorded with the message's own time and author."),
        ],
        about,
    )


def captured(view: JSON) -> tuple[Record, str, str]:
    """What the capture form says, the channel and the thread of the message. Raises Refusal with the wrong field."""
    about = _about(view)
    text = _value(view, "text").strip()
    if not text:
        raise Refusal("Say what happened.", field="text")
    kind = _value(view, "kind")
    if kind not in CAPTURED_KINDS:
        raise Refusal("Choose what it is.", field="kind")
    channel, ts = text_at(about, "channel"), text_at(about, "ts")
    record = Record(
        kind=Kind(kind),
        text=text,
        when=When(at=ts_to_time(ts), zone="UTC"),
        said_in=f"{channel}/{ts}",
        author=text_at(about, "author", usual=""),
    )
    return record, channel, text_at(about, "thread", usual="")


def _about(view: JSON) -> JSON:
    """What the form was given to remember."""
    try:
        about = json.loads(text_at(view, "private_metadata"))
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise Malformed("private_metadata is not what the form was given")
    return about


def field_errors(refusal: Refusal, fields: tuple[str, ...]) -> JSON:
    """The response to a form that was filled in wrongly: the error beside its field, else beside the first."""
    field = refusal.field if refusal.field in fields else fields[0]
    return {"response_action": "errors", "errors": {field: clip(str(refusal), 300)}}


def _modal(callback: str, title: str, submit: str, blocks: list[JSON], about: JSON) -> JSON:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": _plain_text(title),
        "submit": _plain_text(submit),
        "close": _plain_text("Cancel"),
        "private_metadata": json.dumps(about, sort_keys=True),
        "blocks": blocks,
    }


def _plain_text(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def _option(text: str, value: str) -> JSON:
    return {"text": _plain_text(text), "value": value}


def _input(block: str, label: str, element: JSON, hint: str = "", *, optional: bool = False) -> JSON:
    made: JSON = {
        "type": "input",
        "block_id": block,
        "label": _plain_text(label),
        "optional": optional,
        "element": {"action_id": block, **element},
    }
    if hint:
        made["hint"] = _plain_text(hint)
    return made


def _value(view: JSON, field: str) -> str:
    """What was filled into a field, as text; "" where nothing was."""
    given = object_at(view, "state", "values", field, field)
    if isinstance(moment := given.get("selected_date_time"), int):
        return str(moment)
    places = [("value",), ("selected_conversation",), ("selected_option", "value")]
    return next((found for one in places if (found := text_at(given, *one, usual=""))), "")
