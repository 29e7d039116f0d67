"""An incident at a glance, as it stands: what its board shows, and what other channels hear of it. Pure.

Moments, not ages: "impact since 02:50" stays true when nobody edits the message, "for 34 min" does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core import events as ev
from bot.core import facts
from bot.core.answers import EntryLine
from bot.core.events import Kind
from bot.core.incident import REDACTED, Entry, Incident, Stage, Status
from bot.core.wording import length

SAY_NEXT = 3
"""So many facts are asked for at once; `gaps` has them all."""

LONGEST_NAME = 80
"""Characters in a channel's name (https://docs.slack.dev/reference/methods/conversations.create)."""

_SHOWN_ELSEWHERE = frozenset({Kind.STARTED, Kind.ROLE, Kind.HANDOVER, Kind.RESOLUTION, Kind.CANCELLED, Kind.DUPLICATE})
"""Kinds that have a line of their own on the board: they are not its last entry."""

_HAS_A_BUTTON = frozenset({"S1"})
"""Facts that are not asked for in words; who leads has a line of its own while nobody does."""


@dataclass(frozen=True, slots=True)
class Told:
    """The last message to others: to whom, when, and for when the next one was promised."""

    audience: str
    at: datetime
    promised: datetime | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Something to say next: the question, and the line to type."""

    question: str
    line: str


@dataclass(frozen=True, slots=True)
class Board:
    """What a board shows. `windows` counts the stretches of impact; `impact` is their sum, None while impact is on."""

    number: int
    title: str
    severity: int | None
    drill: bool
    status: Status
    published: bool
    zone: str
    day: datetime
    roles: tuple[tuple[str, str], ...]
    since: datetime | None
    until: datetime | None
    windows: int
    impact: timedelta | None
    impact_text: str
    told: Told | None
    last: EntryLine | None
    entries: int
    tasks: int
    tasks_open: int
    asks: tuple[Ask, ...]
    ended_at: datetime | None
    total: timedelta | None
    ended_why: str
    duplicate_of: int | None

    @property
    def hangs(self) -> bool:
        """Whether it belongs on the wall: until the incident turned out to be none, or its postmortem is published."""
        return self.status in (Status.OPEN, Status.MITIGATED) or (self.status is Status.RESOLVED and not self.published)


def board(incident: Incident, names: Mapping[str, str]) -> Board:
    """What the board of an incident shows; `names` are people's, by key."""
    windows = incident.windows()
    on = bool(windows) and windows[-1].end is None
    live = sorted(incident.live(), key=lambda one: one.number)
    impact, told = incident.live(Kind.IMPACT), incident.live(Kind.UPDATE)
    last = next((one for one in reversed(live) if one.kind not in _SHOWN_ELSEWHERE), None)
    end = incident.latest(incident.ended) if incident.ended else None
    led = "commander" in incident.role_names
    known = _HAS_A_BUTTON if led else _HAS_A_BUTTON | {"S22"}
    asks = [Ask(gap.fact.name, gap.line) for gap in facts.gaps(incident) if gap.due and gap.fact.id not in known]
    return Board(
        number=incident.number,
        title=incident.title,
        severity=incident.severity,
        drill=incident.drill,
        status=incident.status,
        published=incident.stage is Stage.PUBLISHED,
        zone=incident.zone,
        day=incident.happened[-1].recorded_at,
        roles=tuple((role, who) for role, who in incident.role_names.items() if role and who),
        since=windows[-1].start if on else windows[0].start if windows else None,
        until=windows[-1].end if windows else None,
        windows=len(windows),
        impact=None if on or not windows else incident.impact(incident.happened[-1].recorded_at),
        impact_text=_said(impact[-1]) if impact else "",
        told=_told(told[-1]) if told else None,
        last=_line(last, names) if last else None,
        entries=len(live),
        tasks=len(incident.tasks),
        tasks_open=len(facts.open_tasks(incident)),
        asks=tuple(asks[:SAY_NEXT]),
        ended_at=end.at if end else None,
        total=length(incident.onset, end.at) if end and incident.onset else None,
        ended_why=_said(end) if end else "",
        duplicate_of=end.event.of if end and isinstance(end.event, ev.DuplicateFound) else None,
    )


def _said(entry: Entry) -> str:
    return REDACTED if entry.redacted else " ".join(entry.text.split())


def _told(entry: Entry) -> Told:
    event = entry.event
    audience, promised = (event.audience, event.promised) if isinstance(event, ev.ToldStakeholders) else ("", None)
    return Told("" if entry.redacted else audience, entry.at, promised)


def _line(entry: Entry, names: Mapping[str, str]) -> EntryLine:
    return EntryLine(
        event=entry.event,
        number=entry.number,
        kind=entry.kind,
        at=entry.at,
        approx=entry.approx,
        text=_said(entry),
        by=names.get(entry.by, ""),
    )


def channel_name(number: int, title: str) -> str:
    """ "inc-42-checkout-returns-errors": small letters, digits and hyphens; the number alone without a title."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    words = "" if title == REDACTED else re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return f"inc-{number}-{words}"[:LONGEST_NAME].rstrip("-")
