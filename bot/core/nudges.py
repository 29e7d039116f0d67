"""Which reminders an incident calls for, and when: each once, none after what it asks for is done.

Knows what is missing, from when on it is worth a word, and at which hours nobody is written to. Must not know how a
reminder reads, how it is sent, or what was sent: that one was said is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from bot.core import facts, promises, times
from bot.core.events import Kind
from bot.core.incident import Entry, Incident, Stage, Status


class Nudge(StrEnum):
    """What is reminded of; the names are those of SCRIBE_NUDGES."""

    COMMANDER = "commander"
    TOLD = "told"
    PROMISED = "promised"
    BUSY = "busy"
    DETECTION = "detection"
    RESOLVE = "resolve"
    FACTS = "facts"
    REVIEW = "review"


NIGHT_BEGINS, NIGHT_ENDS = time(22), time(8)
"""Between these hours, in a person's own zone, nobody is written to about what can wait for the morning."""

OFFICE = time(10)
"""What waits for a working day comes at this hour, Monday to Friday."""

WAITS = frozenset({Nudge.RESOLVE, Nudge.FACTS, Nudge.REVIEW})
"""What can wait for the morning. The others concern people who are awake in an incident that is going on."""

DIRECT = frozenset({Nudge.FACTS, Nudge.REVIEW})
"""What goes to one person, on a working day."""

APART = timedelta(minutes=5)
"""Between two reminders of an incident, but for a promise, which is due when it is due."""

LATE = timedelta(hours=1)
"""After a longer outage a reminder is not said any more; one that waits for the morning is for `LATE_MORNING`."""
LATE_MORNING = timedelta(days=3)

MESSAGES, PEOPLE = 6, 2
"""So many messages by so many people make a channel busy."""

COMMUNICATIONS = frozenset({"communications", "communication", "comms", "communications lead", "comms lead"})


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to come: `key` names it among those that were said, `to` are the keys of those it is meant for.

    After `until` it is not said any more. `since` is what it counts from; `audience` to whom something was promised;
    `count` how many questions are open, or messages were written.
    """

    what: Nudge
    key: str
    at: datetime
    until: datetime
    to: tuple[str, ...] = ()
    since: datetime | None = None
    audience: str = ""
    count: int = 0

    @property
    def direct(self) -> bool:
        """Whether it goes to a person instead of the channel."""
        return self.what in DIRECT


After = Mapping[str, timedelta]
"""How long each reminder waits, by the name of its `Nudge`; one that is absent or zero is off."""


def coming(
    incident: Incident,
    after: After,
    said: Mapping[str, datetime],
    zone_of: Callable[[str], str],
    now: datetime,
    messages: int = 0,
) -> list[Due]:
    """The reminders that the incident calls for as it stands, the next one first; those due by `now` can be said now.

    `said` are those that were said, with the time; `zone_of` gives the zone of a person by key; `messages` how many
    were written in its channel during the last quarter of an hour, where that is known.
    """
    if not incident.nudged or incident.status in {Status.CANCELLED, Status.DUPLICATE} or not incident.happened:
        return []
    rest = max(said.values()) + APART if said else None
    found: list[Due] = []
    for due in _called_for(incident, after, now, messages):
        if due.key in said:
            continue
        if due.what in WAITS:
            due = _at_a_fitting_hour(due, zone_of(due.to[0]), now)
        if rest is not None and due.what is not Nudge.PROMISED:
            due = replace(due, at=max(due.at, rest))
        if now <= due.until:
            found.append(due)
    return sorted(found, key=lambda due: (due.at, due.key))


def _at_a_fitting_hour(due: Due, zone: str, now: datetime) -> Due:
    """The same at an hour of the person's at which it may come; after an outage that may be a later one."""
    fitting = working_morning if due.direct else quiet_until
    at = fitting(due.at, zone)
    until = at + LATE_MORNING
    if at < now and not (is_working_day(now, zone) if due.direct else quiet_until(now, zone) == now):
        at = fitting(now, zone)
    return replace(due, at=at, until=until)


def reminded_of(incident: Incident, entry: Entry, after: After) -> tuple[str, ...]:
    """The keys of those who are reminded of the promise that an entry makes, none where nobody will be."""
    promised = promises.promise_of(entry)
    if not (incident.nudged and after.get(Nudge.TOLD) and promised and promised > entry.recorded_at):
        return ()
    return _people(_commander(incident), entry.by)


# ---- what is called for --------------------------------------------------------------------------


def _called_for(incident: Incident, after: After, now: datetime, messages: int) -> Iterator[Due]:
    """What is called for, whether it was said or not, at the time at which it is worth a word."""
    for what, called in _TABLE.items():
        length = after.get(_SETTING.get(what, what))
        if length:
            yield from called(incident, length)
    quiet = after.get(Nudge.BUSY)
    if quiet and messages and incident.is_open:
        last = incident.entries[incident.last_entry].recorded_at
        if last + quiet <= now:
            yield _due(Nudge.BUSY, now, since=last, count=messages)


def _due(
    what: Nudge,
    at: datetime,
    to: tuple[str, ...] = (),
    *,
    key: str = "",
    since: datetime | None = None,
    audience: str = "",
    count: int = 0,
) -> Due:
    return Due(what, key or what.value, at, at + LATE, to, since, audience, count)


def _no_commander(incident: Incident, length: timedelta) -> Iterator[Due]:
    opened = incident.happened[0].recorded_at
    if incident.is_open and not _commander(incident):
        yield _due(Nudge.COMMANDER, opened + length, since=opened)


def _not_detected(incident: Incident, length: timedelta) -> Iterator[Due]:
    opened = incident.happened[0].recorded_at
    if incident.is_open and incident.detection is None and "detection" not in incident.not_applicable:
        yield _due(Nudge.DETECTION, opened + length, since=incident.started_at or opened)


def _nothing_told(incident: Incident, length: timedelta) -> Iterator[Due]:
    """While users are affected; where a message is promised, that is waited for."""
    windows = incident.windows()
    if not incident.is_open or not windows or windows[-1].end is not None or "messages" in incident.not_applicable:
        return
    told = incident.live(Kind.UPDATE)
    opened = incident.happened[0].recorded_at
    since = max([opened, *(one.at for one in told)])
    began = max([since, windows[-1].start, *(at for one in told if (at := promises.promise_of(one)))])
    to = _people(*(key for role, key in incident.roles.items() if role.casefold() in COMMUNICATIONS))
    yield _due(Nudge.TOLD, began + length, to or _people(_commander(incident)), since=since if told else None)


def _promise_due(incident: Incident, length: timedelta) -> Iterator[Due]:
    """The promises that no later message to the same people has kept."""
    heard: set[str] = set()
    for one in sorted(incident.live(Kind.UPDATE), key=lambda one: -one.number):
        audience = _audience(one)
        if audience not in heard and (promised := promises.promise_of(one)) and promised > one.recorded_at:
            to = _people(_commander(incident), one.by)
            yield _due(Nudge.PROMISED, promised, to, key=f"promised/{one.number}", since=one.at, audience=audience)
        heard.add(audience)
        if not audience:  # told to everybody
            return


def _audience(told: Entry) -> str:
    return str(getattr(told.event, "audience", "") or "").casefold()


def _not_resolved(incident: Incident, length: timedelta) -> Iterator[Due]:
    if incident.status is not Status.MITIGATED:
        return
    window = incident.windows()[-1]
    ended = incident.entries.get(window.ended_by or 0)
    assert window.end is not None
    recorded = ended.recorded_at if ended else window.end
    at = max(window.end + length, recorded + length / 4)  # what is told late is not asked about at once
    yield _due(Nudge.RESOLVE, at, _people(_commander(incident), _starter(incident))[:1], since=window.end)


def _open_facts(incident: Incident, length: timedelta) -> Iterator[Due]:
    over = incident.resolution
    if over is None or incident.stage is Stage.PUBLISHED:
        return
    count = sum(gap.due for gap in facts.gaps(incident))
    if count:
        to = _people(_commander(incident), _starter(incident))[:1]
        yield _due(Nudge.FACTS, over.recorded_at + length, to, since=over.at, count=count)


def _not_reviewed(incident: Incident, length: timedelta) -> Iterator[Due]:
    over = incident.resolution
    if over is None or incident.stage is not Stage.DRAFT or incident.review or incident.approvals:
        return
    to = _people(_commander(incident), _starter(incident))[:1]
    yield _due(Nudge.REVIEW, over.recorded_at + length, to, since=over.at)


_TABLE: dict[Nudge, Callable[[Incident, timedelta], Iterator[Due]]] = {
    Nudge.COMMANDER: _no_commander,
    Nudge.DETECTION: _not_detected,
    Nudge.TOLD: _nothing_told,
    Nudge.PROMISED: _promise_due,
    Nudge.RESOLVE: _not_resolved,
    Nudge.FACTS: _open_facts,
    Nudge.REVIEW: _not_reviewed,
}

_SETTING = {Nudge.PROMISED: Nudge.TOLD}
"""A promise is reminded of where messages to others are."""


def _commander(incident: Incident) -> str:
    return incident.roles.get("commander", "")


def _starter(incident: Incident) -> str:
    return incident.entries[1].by


def _people(*keys: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for key in keys if key))


# ---- hours ---------------------------------------------------------------------------------------


def quiet_until(now: datetime, zone: str) -> datetime:
    """The moment from which a person in `zone` may be written to about what can wait: now, or eight in the morning."""
    local = times.localize(now, zone)
    if NIGHT_ENDS <= local.time() < NIGHT_BEGINS:
        return now
    day = local.date() + timedelta(days=local.time() >= NIGHT_BEGINS)
    return datetime.combine(day, NIGHT_ENDS, tzinfo=local.tzinfo).astimezone(UTC)


def working_morning(at: datetime, zone: str) -> datetime:
    """The first ten o'clock of a working day in `zone` that is not before `at`."""
    local = times.localize(at, zone)
    for days in range(8):
        morning = datetime.combine(local.date() + timedelta(days=days), OFFICE, tzinfo=local.tzinfo).astimezone(UTC)
        if morning >= at and morning.astimezone(local.tzinfo).weekday() < 5:
            return morning
    raise AssertionError("a week has a working day")


def is_working_day(now: datetime, zone: str) -> bool:
    """Whether it is Monday to Friday in `zone`, and not night."""
    return times.localize(now, zone).weekday() < 5 and quiet_until(now, zone) == now
