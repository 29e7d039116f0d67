"""The agenda of a review: what it is about, from the record as it stands.

Knows what a review talks about and for how long. Must not know how that reads or where it is posted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from bot.core import facts, times
from bot.core.events import Kind, RuledOut
from bot.core.incident import Entry, Incident
from bot.core.nudges import OFFICE
from bot.core.questions import Questions
from bot.core.record import Place
from bot.core.wording import Wording

MOST_QUESTIONS, MOST_MISLED, MOST_HIGHLIGHTS = 8, 5, 5
LEAST_AHEAD = timedelta(hours=2)
"""A review that is called for so soon needs no reminder."""

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to talk about: its number (of an entry or a question) and text; `ask` names who may know."""

    number: int
    text: str
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a review is about.

    `held_at` is when, or `when` as it was typed; `led_by` is a key, `leader` what that person is called; `asked` are
    keys. The lists hold the first of each, the numbers how many more there are; `tasks` are still open.
    """

    place: Place
    zone: str
    held_at: datetime | None
    when: str
    led_by: str
    leader: str
    asked: tuple[str, ...]
    by: str
    questions: tuple[Topic, ...]
    more_questions: int
    misled: tuple[Topic, ...]
    more_misled: int
    highlights: tuple[Topic, ...]
    more_highlights: int
    tasks: int
    without_owner: int


def agenda(place: Place, incident: Incident, names: Mapping[str, str]) -> Agenda | None:
    """The agenda of the review that was asked for last, None where none is asked for."""
    called = incident.review
    if called is None:
        return None
    wording = Wording(incident, names)
    asked = [Topic(one.number, one.text, one.ask) for one in Questions(wording, facts.states(incident)).asked]
    misled = [Topic(one.number, _dead_end(wording, one)) for one in incident.live(Kind.DEAD_END)]
    stood_out = [one for one in incident.live() if one.starred] or incident.live(Kind.WRONG, Kind.LUCKY)
    highlights = [Topic(one.number, wording.text(one)) for one in stood_out]
    return Agenda(
        place=place,
        zone=incident.zone,
        held_at=called.held_at,
        when=called.text,
        led_by=called.person,
        leader=wording.person(called.person, called.who),
        asked=called.asked,
        by=called.by,
        questions=_first(asked, MOST_QUESTIONS),
        more_questions=max(0, len(asked) - MOST_QUESTIONS),
        misled=_first(misled, MOST_MISLED),
        more_misled=max(0, len(misled) - MOST_MISLED),
        highlights=_first(highlights, MOST_HIGHLIGHTS),
        more_highlights=max(0, len(highlights) - MOST_HIGHLIGHTS),
        tasks=len(facts.open_tasks(incident)),
        without_owner=len(facts.tasks_without_owner(incident)),
    )


def _first(found: Sequence[One], most: int) -> tuple[One, ...]:
    return tuple(found[:most])


def _dead_end(wording: Wording, entry: Entry) -> str:
    """What was ruled out, and why: the hypothesis is an entry of its own."""
    said = wording.text(entry)
    about = entry.event.hypothesis if isinstance(entry.event, RuledOut) else None
    assumed = wording.incident.entries.get(about or 0)
    return " – ".join(filter(None, [wording.text(assumed) if assumed else "", said]))


def remind_at(held_at: datetime, zone: str, now: datetime) -> datetime | None:
    """When the one who leads a review, in `zone`, is reminded of it: at ten on the last working day before.

    None where that is past, or the review is soon.
    """
    day: date = times.localize(held_at, zone).date() - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    at = datetime.combine(day, OFFICE, tzinfo=times.localize(held_at, zone).tzinfo).astimezone(UTC)
    return at if at > now + LEAST_AHEAD else None
