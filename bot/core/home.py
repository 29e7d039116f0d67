"""What a person's Home tab tells: incidents that are going on, action items, drafts to review, recent postmortems.

Knows who took part in an incident, and for whose review a draft waits. Must not know how it reads, or how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.core import events as ev
from bot.core import facts
from bot.core.incident import Incident, Stage, Status, history
from bot.core.questions import Questions
from bot.core.record import Place
from bot.core.tasks import Item
from bot.core.wording import Wording

LEADS, ASKED, COMMANDED, OPENED = "leads", "asked", "commanded", "opened"
"""Why a draft waits for somebody: they lead its review, were asked to it, commanded the incident, or opened it."""


@dataclass(frozen=True, slots=True)
class Active:
    """An incident that is going on: since when users are affected, who commands it, and the person's own roles."""

    place: Place
    drill: bool
    since: datetime | None
    impact_on: bool
    commander: str
    mine: tuple[str, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that waits for the person's review: why, when it is talked about, how many questions are open."""

    place: Place
    why: str
    held_at: datetime | None
    questions: int
    link: str = ""


@dataclass(frozen=True, slots=True)
class Recent:
    """A postmortem of late: whether it is published, who approved it, when the incident was over."""

    place: Place
    published: bool
    approved: tuple[str, ...]
    over: datetime
    link: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """What one person sees, on `today` in their `zone`; the numbers say how many more there are of each, of drafts at
    most.

    `outside`: they belong to another company, and see nothing.
    """

    today: date
    zone: str
    active: tuple[Active, ...] = ()
    more_active: int = 0
    tasks: tuple[Item, ...] = ()
    more_tasks: int = 0
    overdue: int = 0
    drafts: tuple[Draft, ...] = ()
    more_drafts: int = 0
    recent: tuple[Recent, ...] = ()
    more_recent: int = 0
    outside: bool = False


def takes_part(incident: Incident, key: str) -> bool:
    """Whether a person said something that is recorded, was named in it, or wrote a message that was captured.

    What was taken back does not count: it may have named the wrong person.
    """
    return any(seq not in incident.undone and key in people_of(one) for seq, one in history(incident))


def people_of(happened: ev.Event) -> frozenset[str]:
    """The keys of everybody whom an event names."""
    named = {getattr(happened, name, "") or "" for name in ("by", "person", "author")}
    return frozenset(named | set(getattr(happened, "asked", ()))) - {""}


def reviewers(incident: Incident) -> Mapping[str, str]:
    """For whose review the draft waits, and why: who was asked, and the commander, else the one who opened it.

    Nobody's where there is no draft, or it is published; whoever approved it has done so.
    """
    if incident.status is not Status.RESOLVED or incident.stage is Stage.PUBLISHED:
        return {}
    found: dict[str, str] = {}
    if incident.review is not None:
        found[incident.review.person] = LEADS
        found |= {key: ASKED for key in incident.review.asked if key not in found}
    if commander := incident.roles.get("commander", ""):
        found.setdefault(commander, COMMANDED)
    elif not any(found):
        found[incident.entries[1].by] = OPENED
    done = {one.by for one in incident.approvals}
    return {key: why for key, why in found.items() if key and key not in done}


def active(place: Place, incident: Incident, key: str, names: Mapping[str, str]) -> Active:
    """An incident that is going on, for the person with that key."""
    windows = incident.windows()
    commander = incident.roles.get("commander", "")
    said = names.get(commander, "") or incident.role_names.get("commander", "")
    return Active(
        place=place,
        drill=incident.drill,
        since=incident.onset,
        impact_on=bool(windows) and windows[-1].end is None,
        commander=said.removeprefix("@"),
        mine=tuple(role for role, person in incident.roles.items() if person == key and key),
        zone=incident.zone,
    )


def draft(place: Place, incident: Incident, key: str, link: str = "") -> Draft | None:
    """A draft that waits for the person with that key; None where it does not."""
    why = reviewers(incident).get(key)
    if why is None:
        return None
    held_at = incident.review.held_at if incident.review else None
    questions = Questions(Wording(incident, {}), facts.states(incident)).asked
    return Draft(place, why, held_at, len(questions), link)


def recent(
    place: Place, incident: Incident, names: Mapping[str, str], since: datetime, link: str = ""
) -> Recent | None:
    """A postmortem of an incident that was over, or was published, after `since`; None for any other."""
    over = incident.resolution
    if over is None:
        return None
    published = incident.published
    last = max([over.recorded_at, *([published.recorded_at] if published else [])])
    if last < since:
        return None
    approved = dict.fromkeys(names.get(one.by, "") for one in incident.approvals)
    return Recent(place, published is not None, tuple(filter(None, approved)), over.at, link)
