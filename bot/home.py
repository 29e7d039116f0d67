"""Who sees what on their Home tab, and when it is brought up to date.

Knows which tabs were opened and what is shown there; a tab that says nothing new is not published again. Must not know
SQL or Slack's JSON. All of it happens by letters: whoever opens the tab waits for nothing, nor does who records.

What is in a private channel is shown to nobody but those who take part in it (PEERS.md, defect 20): Slack is not asked
who is in a channel, and to be in it is not enough.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from bot.core import events as ev
from bot.core import home, tasks, times
from bot.core.errors import Undelivered
from bot.core.home import Active, Draft, Home, Recent
from bot.core.incident import Incident, Status
from bot.core.record import JSON, HomeTab, Installation, Letter, OpenTask, Person, Place, fingerprint

SHOW, SPREAD = "home", "homes"
"""The letter that brings one tab up to date, and the one that finds those that something concerns."""

PACE = timedelta(minutes=1)
"""A tab is brought up to date at most so often by what others do."""
AT_ONCE = timedelta(seconds=3)
"""And so often by what its own person does."""
LET_GO = timedelta(days=30)
"""A tab that nobody opened for so long is cleared, and kept up to date no more."""
LATELY = timedelta(days=30)
"""Postmortems of so long are recent."""

MOST_ACTIVE, MOST_TASKS, MOST_DRAFTS, MOST_RECENT = 20, 15, 10, 10
LOOKED_THROUGH = 200
"""So many unpublished postmortems are looked through for those that wait for somebody."""

MATTERS = (
    ev.Started,
    ev.RoleGiven,
    ev.HandedOver,
    ev.SeveritySet,
    ev.Mitigated,
    ev.Recurred,
    ev.Resolved,
    ev.Reopened,
    ev.Cancelled,
    ev.DuplicateFound,
    ev.TaskAdded,
    ev.TaskChanged,
    ev.TaskDone,
    ev.TaskDropped,
    ev.TaskReopened,
    ev.Retitled,
    ev.OnsetSet,
    ev.ZoneSet,
    ev.ChannelOpened,
    ev.TextCorrected,
    ev.KindCorrected,
    ev.TimeCorrected,
    ev.Removed,
    ev.Undone,
    ev.Redacted,
    ev.WordsDestroyed,
)
"""What a tab may tell of. Of an incident that is over everything may be: how many questions are open, who approved."""

BRINGS_A_REVIEW = (ev.Started.name, ev.RoleGiven.name, ev.HandedOver.name, ev.ReviewCalled.name)
"""The events that can make a draft wait for somebody whom they name."""

NOT_THEIRS = {"not_enabled", "user_not_found", "user_not_visible", "user_disabled"}
"""Slack's words for a tab that there is not, or not any more."""

log = logging.getLogger("scribe.home")


class Reading(Protocol):
    """What the store lets us look up."""

    def person(self, team: str, user: str) -> Person | None: ...
    def people(self, keys: Iterable[str]) -> dict[str, Person]: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...
    def installation(self, team: str) -> Installation | None: ...
    def waiting_about(self, about: str) -> Letter | None: ...
    def open_tasks(self, team: str, person: str = "") -> list[OpenTask]: ...
    def going_on(self, team: str) -> list[Place]: ...
    def unpublished(self, team: str, most: int) -> list[Place]: ...
    def over_since(self, team: str, since: datetime) -> list[Place]: ...
    def naming(self, incidents: Iterable[int], person: str, names: Sequence[str] = ()) -> set[int]: ...
    def homes(self, team: str) -> list[HomeTab]: ...
    def home(self, team: str, user: str) -> HomeTab | None: ...
    def has_homes(self, team: str) -> bool: ...


class Writing(Reading, Protocol):
    """What the store lets us write."""

    def keep_home(self, tab: HomeTab) -> None: ...
    def forget_home(self, team: str, user: str) -> None: ...
    def learn_person(self, team: str, user: str, *, name: str, zone: str | None, now: datetime) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...


class Store(Protocol):
    """Where it is kept whose tab was opened."""

    def writing(self) -> AbstractContextManager[Writing]: ...
    def reading(self) -> AbstractContextManager[Reading]: ...


class Slack(Protocol):
    """What leaves for Slack (see slack/client.py)."""

    def person(self, user: str, timeout: float | None = None) -> Any: ...
    def publish_home(self, user: str, view: Mapping[str, Any]) -> None: ...


class Wording(Protocol):
    """How it reads (see slack/home.py)."""

    def home(self, h: Home, channel: str, prefix: str) -> JSON: ...
    def cleared(self) -> JSON: ...


Standing = Callable[[int, Callable[[Any, Place, Incident], Any]], Any]
ItemsOf = Callable[[Sequence[OpenTask]], list[tasks.Item]]


class Homes:
    """The Home tabs. `days` is how long an action item has by severity, `zone` where a person's own is not known;
    `linked` says that documents have pages of their own."""

    def __init__(
        self,
        store: Store,
        standing: Standing,
        items_of: ItemsOf,
        slack: Slack,
        clock: Callable[[], datetime],
        wording: Wording,
        *,
        days: tasks.Days,
        zone: str,
        prefix: str,
        linked: bool,
    ) -> None:
        self._store = store
        self._standing = standing
        self._items_of = items_of
        self._slack = slack
        self._clock = clock
        self._wording = wording
        self._days = days
        self._zone = zone
        self._prefix = prefix
        self._links = ("link", "slack_file") if linked else ("slack_file",)

    # ---- when one is due -------------------------------------------------------------------------

    def opened(self, team: str, user: str, channel: str, *, blank: bool) -> None:
        """Somebody opened their tab; `blank`: Slack showed them nothing there yet."""
        now = self._clock()
        with self._store.writing() as tx:
            tab = tx.home(team, user) or HomeTab(team, user, channel, now)
            tx.keep_home(replace(tab, channel=channel, opened_at=now, sees="", said="" if blank else tab.said))
            tx.enqueue([_letter(tab, now)])

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> Iterable[Letter]:
        """Something was recorded: the tab of who did it says so at once, those of others soon."""
        over = incident.status is Status.RESOLVED
        if not (over or any(isinstance(one, MATTERS) for one in happened)) or not tx.has_homes(place.team):
            return
        for person in tx.people({one.by for one in happened}).values():
            tab = tx.home(place.team, person.user)
            if tab is not None:
                yield from self._due(tx, tab, now, AT_ONCE)
        yield from self._spread(tx, place.team, now + AT_ONCE)

    def looked(self, letter: Letter) -> Sequence[Letter]:
        """A channel was looked at, a document has left: who may see what, and where it is, may be another now."""
        with self._store.reading() as tx:
            now = self._clock()
            return list(self._spread(tx, letter.team, now + AT_ONCE)) if tx.has_homes(letter.team) else []

    def _spread(self, tx: Reading, team: str, due: datetime) -> Iterable[Letter]:
        about = f"{SPREAD}/{team}"
        if tx.waiting_about(about) is None:
            yield Letter(SPREAD, team, about, {}, due, blocking=False, about=about)

    def _due(self, tx: Reading, tab: HomeTab, now: datetime, pace: timedelta) -> Iterable[Letter]:
        """The letter for a tab, unless one waits that leaves no later."""
        due = times.not_before(tab.shown_at, pace, now) if tab.shown_at else now
        letter = _letter(tab, due)
        there = tx.waiting_about(letter.about)
        if there is None or (not there.attempts and there.due_at > due):
            yield letter

    def spread(self, letter: Letter) -> Sequence[Letter]:
        """Has every tab looked at."""
        now = self._clock()
        with self._store.reading() as tx:
            return [one for tab in tx.homes(letter.team) for one in self._due(tx, tab, now, PACE)]

    # ---- one tab ---------------------------------------------------------------------------------

    def show(self, letter: Letter) -> Sequence[Letter]:
        """Brings a tab up to date; one that was not opened for a month is cleared."""
        with self._store.reading() as tx:
            tab = tx.home(letter.team, letter.body["user"])
        if tab is None:
            return ()
        now = self._clock()
        forgotten = now - tab.opened_at > LET_GO
        try:
            if not tab.sees and not forgotten:
                tab = self._met(tab, now)
            view = self._wording.cleared() if forgotten else self._view(tab, now)
            said = fingerprint(view)
            if said != tab.said:
                self._slack.publish_home(tab.user, view)
        except Undelivered as failure:
            if failure.code == "hash_conflict":
                raise Undelivered(failure.message, code=failure.code) from failure
            if not failure.permanent or failure.code not in NOT_THEIRS:
                raise
            log.info("the Home tab of %s is let go: %s", tab.user, failure.message)
            forgotten = True
        with self._store.writing() as tx:
            kept = tx.home(tab.team, tab.user)
            if kept is None:
                return ()
            if forgotten and kept.opened_at == tab.opened_at:
                tx.forget_home(tab.team, tab.user)
            else:  # it may have been opened again meanwhile
                tx.keep_home(replace(kept, sees=tab.sees, said=said, shown_at=now))
        return ()

    def _met(self, tab: HomeTab, now: datetime) -> HomeTab:
        """The same with who the person is; name and zone are learned on the way."""
        found = self._slack.person(tab.user)
        outside = found.teams and tab.team not in found.teams
        if not outside:
            with self._store.writing() as tx:
                tx.learn_person(tab.team, tab.user, name=found.name, zone=found.zone, now=now)
        return replace(tab, sees="nothing" if outside else "own" if found.guest else "all")

    def _view(self, tab: HomeTab, now: datetime) -> JSON:
        if tab.sees == "nothing":
            return self._wording.home(Home(now.date(), self._zone, outside=True), tab.channel, self._prefix)
        with self._store.reading() as tx:
            person = tx.person(tab.team, tab.user)
        zone = self._zone_of(person)
        found = Home(times.localize(now, zone).date(), zone)
        key = person.key if person else ""
        found = self._with_active(found, tab, key)
        found = self._with_tasks(found, tab, key, found.today)
        found = self._with_drafts(found, tab, key)
        found = self._with_recent(found, tab, key, now)
        return self._wording.home(found, tab.channel, self._prefix)

    def _zone_of(self, person: Person | None) -> str:
        return times.known_zone(person.zone if person else None, self._zone)

    # ---- what stands there -----------------------------------------------------------------------

    def _seen(self, tab: HomeTab, key: str, places: Sequence[Place]) -> list[Place]:
        """Those that the person may see: public ones, unless they are a guest, and those that they take part in."""
        hidden = {one.key for one in places if one.private or tab.sees != "all"}
        with self._store.reading() as tx:
            theirs = tx.naming(hidden, key) if hidden and key else set()
        return [one for one in places if one.key not in hidden or one.key in theirs]

    def _may_see(self, tab: HomeTab, key: str, place: Place, incident: Incident) -> bool:
        """The same of an incident as it stands now: its channel may have become private a moment ago."""
        return (tab.sees == "all" and not place.private) or home.takes_part(incident, key)

    def _with_active(self, found: Home, tab: HomeTab, key: str) -> Home:
        with self._store.reading() as tx:
            places = tx.going_on(tab.team)
        seen = self._seen(tab, key, places)
        seen.sort(key=lambda one: (one.severity or 9, -one.number))

        def read(tx: Reading, place: Place, incident: Incident) -> Active | None:
            names = {person.key: person.name for person in tx.people(incident.roles.values()).values()}
            fits = incident.is_open and self._may_see(tab, key, place, incident)
            return home.active(place, incident, key, names) if fits else None

        shown = [one for place in seen[:MOST_ACTIVE] if (one := self._standing(place.key, read))]
        return replace(found, active=tuple(shown), more_active=max(0, len(seen) - MOST_ACTIVE))

    def _with_tasks(self, found: Home, tab: HomeTab, key: str, today: date) -> Home:
        with self._store.reading() as tx:
            rows = tx.open_tasks(tab.team, key) if key else []
        dates = {row: tasks.until(row, self._days) or date.max for row in rows}
        rows = sorted(rows, key=lambda row: (dates[row], row.incident, row.number))
        return replace(
            found,
            tasks=tuple(self._items_of(rows[:MOST_TASKS])),
            more_tasks=max(0, len(rows) - MOST_TASKS),
            overdue=sum(by < today for by in dates.values()),
        )

    def _with_drafts(self, found: Home, tab: HomeTab, key: str) -> Home:
        if not key:
            return found
        with self._store.reading() as tx:
            places = tx.unpublished(tab.team, LOOKED_THROUGH)
            named = tx.naming([one.key for one in places], key, BRINGS_A_REVIEW)

        def read(tx: Reading, place: Place, incident: Incident) -> Draft | None:
            return home.draft(place, incident, key, self._link(tx, place))

        drafts: list[Draft] = []
        waiting = [one for one in places if one.key in named]
        while waiting and len(drafts) < MOST_DRAFTS:
            if one := self._standing(waiting.pop(0).key, read):
                drafts.append(one)
        return replace(found, drafts=tuple(drafts), more_drafts=len(waiting))

    def _with_recent(self, found: Home, tab: HomeTab, key: str, now: datetime) -> Home:
        since = now - LATELY
        with self._store.reading() as tx:
            places = tx.over_since(tab.team, since)
        listed = {one.place.key for one in found.drafts}
        seen = [one for one in self._seen(tab, key, places) if one.key not in listed]

        def read(tx: Reading, place: Place, incident: Incident) -> Recent | None:
            if not self._may_see(tab, key, place, incident):
                return None
            names = {person.key: person.name for person in tx.people(one.by for one in incident.approvals).values()}
            return home.recent(place, incident, names, since, self._link(tx, place))

        shown = [one for place in seen[:MOST_RECENT] if (one := self._standing(place.key, read))]
        return replace(found, recent=tuple(shown), more_recent=max(0, len(seen) - MOST_RECENT))

    def _link(self, tx: Reading, place: Place) -> str:
        """Where the document is: its page, its file, else its post; "" where nothing has left."""
        receipts = tx.receipts(place.key)
        found = (str(receipts[name].get("link") or "") for name in self._links if name in receipts)
        if link := next(filter(None, found), ""):
            return link
        workspace, post = tx.installation(place.team), receipts.get("post")
        if workspace is None or not workspace.url or post is None:
            return ""
        return f"{workspace.url.rstrip('/')}/archives/{post['channel']}/p{post['ts'].replace('.', '')}"


def _letter(tab: HomeTab, due: datetime) -> Letter:
    about = f"{SHOW}/{tab.team}/{tab.user}"
    return Letter(SHOW, tab.team, about, {"user": tab.user}, due, blocking=False, about=about)
