"""How the agenda of a review reads, and what people are told of one -> text and Block Kit. Pure.

What people wrote is escaped and clipped; an agenda calls those who shall come, each once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core import times
from bot.core.agenda import Agenda, Topic
from bot.core.errors import Refusal
from bot.core.record import Person, Place
from bot.slack.blocks import cut, say_button
from bot.slack.payloads import clip, escape

JSON = dict[str, Any]

TITLE = 120
TOPIC = 240
WHEN = 80
NAME = 80
MOST_PEOPLE = 20

MINUTES = {"read": 5, "questions": 15, "misled": 10, "stood out": 5, "tasks": 10}


def agenda(a: Agenda, people: Mapping[str, Person], prefix: str) -> JSON:
    """The agenda of a review, for the thread of the draft."""
    name = a.place.name
    head = [f"🗓️ *Review of {name}* {_cut(a.place.title, TITLE)}", _when(a, a.zone), _led(a, people)]
    parts = [
        " · ".join([*filter(None, head), f"{sum(MINUTES.values())} minutes"]),
        f"*1. Read the draft* ({MINUTES['read']} min): the words that blame nobody, the times that are right.",
        _part(2, "Open questions", "questions", a.questions, a.more_questions, "None is open."),
        _part(3, "What misled us", "misled", a.misled, a.more_misled, "No dead end is recorded. Was there none?"),
        _part(4, "What stood out", "stood out", a.highlights, a.more_highlights, "What went well, badly, by luck?"),
        f"*5. Action items* ({MINUTES['tasks']} min): {_tasks(a)}",
        f"What is said goes into the record: the buttons, or `{prefix} answer {name}: R1 …`.",
    ]
    buttons = [
        say_button(0, "Answer the open questions", f"answer {name}:"),
        say_button(1, "Add a task", f"todo {name}:"),
    ]
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": part}} for part in parts]
    return {"text": parts[0], "blocks": [*sections, {"type": "actions", "elements": buttons}]}


def no_agenda(place: Place) -> JSON:
    """What stands in its place when the call for a review was taken back."""
    return _message(f"🗓️ The review of *{place.name}* was called off.")


def told(a: Agenda, to: Person, people: Mapping[str, Person], *, soon: bool) -> JSON:
    """What somebody is told of a review in a direct message: that they are asked to it, or (`soon`) that it is near.

    When it is, is told in their own zone. Of an incident in a private channel not even the title is told elsewhere.
    """
    named = f"*{a.place.name}*" + ("" if a.place.private else f" {_cut(a.place.title, TITLE)}")
    asked = people.get(a.by)
    by = escape(clip(_flat(asked.name), NAME)) if asked else "Somebody"
    leads = a.led_by == to.key
    when, where = _when(a, _zone_of(to) or a.zone), f"The agenda is in the draft's thread in <#{a.place.channel}>."
    if soon:
        return _message(f"⏰ The review of {named} is near: {when}. {where}")
    first = f"🔎 {by} asks you to {'lead' if leads else 'come to'} the review of {named}"
    return _message(f"{first}{f', {when}' if when else ''}. {where}")


def _when(a: Agenda, zone: str) -> str:
    if a.held_at is None:
        return _cut(a.when, WHEN)
    return f"{times.localize(a.held_at, zone):%A} {times.moment(a.held_at, zone)}"


def _zone_of(person: Person) -> str:
    """A person's own zone; nothing where that is unknown, or one that Slack has and this machine does not."""
    try:
        return times.zone_name(person.zone) if person.zone else ""
    except Refusal:
        return ""


def _led(a: Agenda, people: Mapping[str, Person]) -> str:
    said = f"led by {_mention(a.led_by, a.leader, people)}" if a.led_by or a.leader else ""
    others = [f"<@{people[key].user}>" for key in a.asked if key in people and key != a.led_by]
    more = f" and {len(others) - MOST_PEOPLE} more" if len(others) > MOST_PEOPLE else ""
    came = f"with {', '.join(others[:MOST_PEOPLE])}{more}" if others else ""
    return " · ".join(filter(None, [said, came]))


def _mention(key: str, said: str, people: Mapping[str, Person]) -> str:
    person = people.get(key)
    return f"<@{person.user}>" if person else _cut(said, NAME)


def _part(number: int, name: str, length: str, topics: Sequence[Topic], more: int, none: str) -> str:
    head = f"*{number}. {name}* ({MINUTES[length]} min)"
    if not topics:
        return f"{head}: {none}"
    mark = "" if length == "questions" else "#"
    lines = [
        f"• {mark}{one.number}{'.' if not mark else ''} {_cut(one.text, TOPIC)}"
        + (f" Ask {_cut(one.ask, NAME)}." if one.ask else "")
        for one in topics
    ]
    return "\n".join([head, *lines, *([f"… and {more} more"] if more else [])])


def _tasks(a: Agenda) -> str:
    if not a.tasks:
        return "none is recorded yet. What will be done, by whom, until when?"
    unowned = f", {a.without_owner} without an owner" if a.without_owner else ""
    return f"{a.tasks} open{unowned}. Is each worth doing, and does it prevent this?"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, limit: int) -> str:
    """A text in one line, escaped, of at most `limit` characters as Slack counts them."""
    return cut(escape(_flat(text)), limit)


def _message(text: str) -> JSON:
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}
