"""The form that opens an incident. Pure."""

from __future__ import annotations

from bot.core.commands import Start
from bot.core.errors import Refusal
from bot.slack.forms.pieces import (
    JSON,
    Filled,
    Form,
    Given,
    Occasion,
    Saying,
    asked,
    boxes,
    chosen,
    modal,
    moment,
    option,
    typed,
)
from bot.slack.payloads import Malformed

START_INCIDENT = "start_incident"

SEVERITIES = ("1", "2", "3", "4", "5")
TITLE = 200
DRILL, NEW_CHANNEL = "drill", "new_channel"


def severities() -> list[JSON]:
    """The severities to choose from."""
    return [option(f"SEV{n}", n) for n in SEVERITIES]


def severity_of(given: Given, name: str = "severity") -> int | None:
    """The severity that was chosen."""
    said = given.text(name)
    if said not in {"", *SEVERITIES}:
        raise Malformed("severity is none that the form offers")
    return int(said) if said else None


def view(occasion: Occasion) -> JSON:
    """The form behind `start` and the shortcut "Start an incident"."""
    where: JSON = {
        "type": "conversations_select",
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
        "response_url_enabled": False,
    }
    if occasion.channel.startswith(("C", "G")):
        where["initial_conversation"] = occasion.channel
    else:
        where["default_to_current_conversation"] = True
    also = [option("Only a drill", DRILL), option("Make a new channel for it", NEW_CHANNEL)]
    return modal(
        START_INCIDENT,
        "Start an incident",
        "Start",
        [
            asked("title", "What is wrong?", typed(most=TITLE, lines=False)),
            asked("channel", "In which channel?", where, "Everybody there sees the incident and can record."),
            asked("severity", "Severity", chosen(severities()), optional=True),
            asked("since", "When did impact begin?", moment(occasion.now), optional=True),
            asked("also", "Also", boxes(also), optional=True),
        ],
        occasion.about,
    )


def read(given: Given) -> Filled:
    """What the start form says, and the channel it names."""
    title = " ".join(given.text("title").split())
    if not title:
        raise Refusal("Say in a few words what is wrong.", field="title")
    since = given.time("since")
    channel = given.text("channel")
    if not channel:
        raise Refusal("Choose the channel in which the incident is.", field="channel")
    command = Start(
        title=title,
        severity=severity_of(given),
        since=since,
        drill=given.has("also", DRILL),
        new_channel=given.has("also", NEW_CHANNEL),
    )
    return Filled((Saying(command, "channel", "since"),), channel)


FORM = Form(START_INCIDENT, view, read)
