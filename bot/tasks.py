"""Who hears of their action items, and when: one direct message for all of them, never two a day.

Knows the order of things: when it is time is `core.tasks`, how it reads `slack.tasks`. Must not know SQL or Slack's
JSON. For each person there is one timer, a letter that is due later: it survives restarts, and when it rings the items
are looked at anew. Which incidents have open ones is listed by the store in the transaction that records, so that
nothing is folded to find out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from bot.core import events as ev
from bot.core import tasks, times
from bot.core.errors import Undelivered
from bot.core.incident import Incident
from bot.core.record import JSON, Letter, OpenTask, Person, Place

KIND = "digest"

ABOUT_TASKS = ev.TaskAdded | ev.TaskChanged | ev.TaskDone | ev.TaskDropped | ev.TaskReopened
MAY_MATTER = (
    ev.RoleGiven,
    ev.HandedOver,
    ev.Undone,
    ev.Removed,
    ev.SeveritySet,
    ev.Cancelled,
    ev.DuplicateFound,
    ev.Reopened,
    ev.NudgesSet,
)
"""What changes whose an action item is, until when, or whether it counts, where there are any."""

log = logging.getLogger("scribe.tasks")


class Reading(Protocol):
    """What the store lets us look up."""

    def people(self, keys: Iterable[str]) -> dict[str, Person]: ...
    def open_tasks(self, team: str, person: str = "") -> list[OpenTask]: ...
    def told_of_tasks(self, team: str, person: str) -> tuple[date, bool] | None: ...
    def without_timer(self, about: str, furthest: datetime) -> list[tuple[str, str]]: ...
    def waiting_about(self, about: str) -> Letter | None: ...


class Writing(Reading, Protocol):
    """What the store lets us write."""

    def keep_open_tasks(
        self, place: Place, found: Sequence[OpenTask], numbers: Sequence[int] | None = None
    ) -> None: ...
    def keep_told_of_tasks(self, team: str, person: str, on: date) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...


class Store(Protocol):
    """Where the record is."""

    def writing(self) -> AbstractContextManager[Writing]: ...
    def reading(self) -> AbstractContextManager[Reading]: ...


class Outbox(Protocol):
    """What posts a message (see outbox.py)."""

    def post(
        self, letter: Letter, channel: str, message: JSON, key: str, *, thread: str = "", look: bool = False
    ) -> str: ...


class Slack(Protocol):
    """What else leaves for Slack (see slack/client.py)."""

    def direct(self, user: str) -> str: ...


class Wording(Protocol):
    """How it reads (see slack/tasks.py)."""

    def digest(self, items: Sequence[tasks.Item], later: int, today: date, prefix: str) -> JSON: ...


ItemsOf = Callable[[Sequence[OpenTask]], list[tasks.Item]]
"""The action items of these rows that are still to be done (see Scribe.tasks_of)."""


class Digests:
    """Tells people of their action items.

    `ahead` is how long before its date one is told of, None where nobody is told of any; `days` how many it has by
    severity where nobody said a date; `zone` counts where a person's own is not known; `prefix` is what the command is
    called.
    """

    def __init__(
        self,
        store: Store,
        items_of: ItemsOf,
        outbox: Outbox,
        slack: Slack,
        clock: Callable[[], datetime],
        wording: Wording,
        *,
        ahead: timedelta | None,
        days: tasks.Days,
        zone: str,
        prefix: str,
    ) -> None:
        self._store = store
        self._items_of = items_of
        self._outbox = outbox
        self._slack = slack
        self._clock = clock
        self._wording = wording
        self._ahead = ahead
        self._days = days
        self._zone = zone
        self._prefix = prefix

    # ---- timers ----------------------------------------------------------------------------------

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> Iterable[Letter]:
        """Lists the open action items of an incident where they changed, and sets the timers of those concerned."""
        numbers: list[int] | None = [one.task for one in happened if isinstance(one, ABOUT_TASKS)]
        if incident.last_task and any(isinstance(one, MAY_MATTER) for one in happened):
            numbers = None
        elif not numbers:
            return ()
        rows = tasks.rows(place.key, incident, numbers)
        tx.keep_open_tasks(place, rows, numbers)
        found: list[Letter] = []
        for key in sorted(
            {row.person for row in rows}
        ):  # what is over makes a timer needless: that shows when it rings
            found += self._timer(tx, place.team, key, [row for row in rows if row.person == key], now)
        return found

    def catch_up(self) -> None:
        """Sets the timers of those who have none, or one that a clock has set that ran ahead."""
        now = self._clock()
        with self._store.writing() as tx:
            for team, key in tx.without_timer(KIND, now + tasks.WEEK):
                tx.enqueue(self._timer(tx, team, key, tx.open_tasks(team, key), now))

    def _timer(self, tx: Writing, team: str, key: str, rows: Sequence[OpenTask], now: datetime) -> Iterable[Letter]:
        """The timer of a person for these items, unless one is set that rings no later; it may ring too early."""
        if self._ahead is None:
            return ()
        zone = self._zone_of(tx, key)
        kept, today = tx.told_of_tasks(team, key), times.localize(now, zone).date()
        if kept is None or kept[0] > today:  # a clock ran ahead
            tx.keep_told_of_tasks(team, key, today)
        told = min(kept[0], today) if kept else today
        at = tasks.next_digest(self._dates(rows), told, now, zone, self._ahead)
        about = f"{KIND}/{team}/{key}"
        there = tx.waiting_about(about)
        if at is None or (there is not None and (there.attempts or there.due_at <= at)):
            return ()
        body = {"person": key}
        return (Letter(KIND, team, about, body, at, blocking=False, about=about),)

    def _dates(self, rows: Iterable[OpenTask]) -> list[date]:
        return [by for row in rows if row.reminded and (by := tasks.until(row, self._days)) is not None]

    def _zone_of(self, tx: Reading, key: str) -> str:
        person = tx.people([key]).get(key)
        return times.known_zone(person.zone if person else None, self._zone)

    # ---- one digest ------------------------------------------------------------------------------

    def ring(self, letter: Letter) -> Sequence[Letter]:
        """A timer rang: tells its person of what is due, if it is time and something still is; sets the next timer.

        What may have arrived at an earlier try is not sent again: a direct message cannot be looked for, and rather
        none than two.
        """
        if self._ahead is None:  # turned off since
            return ()
        team, key, now = letter.team, letter.body["person"], self._clock()
        with self._store.reading() as tx:
            person = tx.people([key]).get(key)
            zone = self._zone_of(tx, key)
            kept = tx.told_of_tasks(team, key)
            rows = [row for row in tx.open_tasks(team, key) if row.reminded]
        today = times.localize(now, zone).date()
        told, wanted = kept or (today, True)
        is_time = tasks.is_time(self._dates(rows), told, now, zone, self._ahead)
        if is_time and wanted and person is not None and not letter.unsure:
            self._tell(letter, person, rows, today, self._ahead)
        with self._store.writing() as tx:
            if is_time:
                tx.keep_told_of_tasks(team, key, today)
            tx.enqueue(self._timer(tx, team, key, tx.open_tasks(team, key), now))
        return ()

    def _tell(self, letter: Letter, person: Person, rows: Sequence[OpenTask], today: date, ahead: timedelta) -> None:
        """Sends the digest; a person whom Slack does not let us write to (who left, who is a bot) is let go."""
        due = [row for row in rows if tasks.in_digest(tasks.until(row, self._days), today, ahead)]
        found = sorted(self._items_of(due), key=lambda item: item.order)
        if not found:
            return
        message = self._wording.digest(found, len(rows) - len(due), today, self._prefix)
        try:
            channel = self._slack.direct(person.user)
            self._outbox.post(letter, channel, message, f"digest-{person.key}-{today.isoformat()}")
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.info("the action items of %s are told to nobody: %s", person.key, failure.message)
