"""Action items after the incident: until when one is expected, whose it is, and when its owner hears of it.

Knows due dates, working days and what is overdue. Must not know how that reads, how it is sent, or what was sent: when
somebody was told last is an argument. A date that nobody said is never taken for one that was: it is `expected`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.core import times
from bot.core.events import Category
from bot.core.facts import open_tasks
from bot.core.incident import Incident, Status, Task
from bot.core.nudges import NIGHT_BEGINS, OFFICE
from bot.core.record import OpenTask, Place
from bot.core.wording import Wording

WEEK = timedelta(days=7)
DAY = timedelta(days=1)

Days = Mapping[int, int]
"""How many days an action item has where nobody said a date, by severity (0: none was set); what is absent has none."""


@dataclass(frozen=True, slots=True)
class Item:
    """An action item for a list.

    `owner` is what the owner is called, "" where nobody owns it, and `named` says that they were mentioned. `due` is
    the date that was said; `expected` the one that counts where none was, `severity` and `days` its reason.
    """

    place: Place
    number: int
    text: str
    owner: str
    named: bool
    state: str
    due: date | None
    expected: date | None
    severity: int
    days: int
    category: Category | None
    url: str
    done_on: date | None
    why_dropped: str

    @property
    def until(self) -> date | None:
        """The date that counts."""
        return self.due or self.expected

    def is_overdue(self, today: date) -> bool:
        """Whether it is still to do, and its date is past."""
        return self.state == "open" and self.until is not None and self.until < today

    @property
    def order(self) -> tuple[bool, bool, date, int, int]:
        """Open ones first, by date; those without one behind them."""
        return self.state != "open", self.until is None, self.until or date.max, self.place.number, self.number


def items(place: Place, incident: Incident, names: Mapping[str, str], days: Days) -> list[Item]:
    """The action items of an incident, in their order; `names` are people's, by key."""
    wording = Wording(incident, names)
    found = []
    for task in incident.tasks.values():
        entry = incident.entries[task.entry]
        gone = wording.destroyed(entry)
        row = row_of(place.key, incident, task)
        found.append(
            Item(
                place=place,
                number=task.number,
                text=wording.text(entry),
                owner=wording.person(task.person, "" if gone else task.owner),
                named=bool(task.person),
                state=task.state,
                due=task.due,
                expected=None if task.due else until(row, days),
                severity=row.severity,
                days=days.get(row.severity, 0),
                category=task.category,
                url=task.url,
                done_on=times.localize(task.done_at, incident.zone).date() if task.done_at else None,
                why_dropped=task.why_dropped,
            )
        )
    return sorted(found, key=lambda item: item.order)


def overdue(incident: Incident, today: date, days: Days) -> list[Task]:
    """The open action items whose date is past: the one that was said, else the one expected by default."""
    found = ((until(row_of(0, incident, task), days), task) for task in open_tasks(incident))
    return [task for by, task in found if by is not None and by < today]


def responsible(incident: Incident, task: Task) -> str:
    """The key of the person who hears of an action item: its owner; where Slack knows none, the commander, else the one
    who opened the incident."""
    return task.person or incident.roles.get("commander", "") or incident.entries[1].by


def rows(key: int, incident: Incident, numbers: Iterable[int] | None = None) -> list[OpenTask]:
    """The open action items of an incident as the store lists them, those with these numbers or all.

    Those of an incident that was cancelled, or closed as a duplicate, do not count.
    """
    if incident.status in {Status.CANCELLED, Status.DUPLICATE}:
        return []
    named = [incident.tasks[n] for n in numbers if n in incident.tasks] if numbers is not None else open_tasks(incident)
    return [row_of(key, incident, task) for task in named if task.state == "open"]


def row_of(key: int, incident: Incident, task: Task) -> OpenTask:
    """An action item as the store lists it."""
    added = times.localize(incident.entries[task.entry].recorded_at, incident.zone).date()
    severity, person = incident.severity or 0, responsible(incident, task)
    return OpenTask(key, task.number, person, task.due, added, severity, incident.nudged)


def until(row: OpenTask, days: Days) -> date | None:
    """The date that counts: the one that was said, else the days that its severity gives it since it was added."""
    length = days.get(row.severity)
    return row.due or (row.added_on + timedelta(days=length) if length else None)


# ---- when its owner hears of it ------------------------------------------------------------------


def next_digest(
    dates: Iterable[date], told: date, now: datetime, zone: str, ahead: timedelta = WEEK
) -> datetime | None:
    """When a person in `zone` is told next of action items with these dates, None where they have none.

    At ten on a working day: on the day when one falls due, or the first after it; and on Monday of what is due within
    `ahead` or overdue. `told` is the day of the last time, or when the first of them came to them; never two a day.
    """
    local = times.localize(now, zone)
    first = max(local.date() + (DAY if local.time() > OFFICE else timedelta()), told + DAY)
    found = []
    for by in dates:
        if by > told:
            found.append(_working_day(max(by, first)))
        found.append(_monday(max(by - ahead + DAY, first)))
    if not found:
        return None
    return datetime.combine(min(found), OFFICE, tzinfo=local.tzinfo).astimezone(UTC)


def is_time(dates: Sequence[date], told: date, now: datetime, zone: str, ahead: timedelta = WEEK) -> bool:
    """Whether a person in `zone` is told now: something is due that they were not told of on its day or after it, or
    they have not been told this week. After an outage that may be a later day, and never at night or on a weekend."""
    local = times.localize(now, zone)
    today = local.date()
    if told >= today or today.weekday() > 4 or not OFFICE <= local.time() < NIGHT_BEGINS:
        return False
    monday = today - timedelta(days=today.weekday())
    weekly = told < monday and any(by < monday + ahead for by in dates)
    return weekly or any(told < by <= today for by in dates)


def in_digest(by: date | None, today: date, ahead: timedelta = WEEK) -> bool:
    """Whether an item of that date stands in a digest: overdue, due today, or within `ahead`."""
    return by is not None and by < today + max(ahead, DAY)


def _working_day(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() > 4 else day


def _monday(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)
