"""When somebody is reminded, and who hears of earlier incidents: timers as letters, each reminder once.

Knows the order of things: which reminder is due is `core.nudges`, which incident is like another `core.similar`, how
both read `slack.nudges`. Must not know SQL or Slack's JSON. A timer is a letter that is due later: it survives
restarts, and when it rings the incident is looked at anew, so that nobody is reminded of what was done meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from bot.core import events as ev
from bot.core import nudges, similar, times
from bot.core.errors import Undelivered
from bot.core.incident import Incident
from bot.core.record import CAME_BACK, JSON, Channel, Letter, Person, Place

BUSY_FOR = timedelta(minutes=15)
"""Messages of so long are counted."""
LOOK_AGAIN = timedelta(minutes=1)
"""A busy channel is looked up in the record at most so often."""
CHANNELS, COUNTED = 500, 60
"""So many channels, and messages of each, are kept in mind."""

SIMILAR = "similar/"
STALE = timedelta(minutes=15)
"""Earlier incidents are of no use to somebody who opened theirs longer ago."""

MATTERS = (
    ev.Started,
    ev.ToldStakeholders,
    ev.Mitigated,
    ev.Recurred,
    ev.Resolved,
    ev.Reopened,
    ev.Undone,
    ev.Removed,
    ev.KindCorrected,
    ev.TextCorrected,
    ev.TimeCorrected,
    ev.NudgesSet,
)
"""What can make a reminder due, or due earlier. All else at most makes one needless: that shows when a timer rings."""

log = logging.getLogger("scribe.nudges")


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def in_channel(self, team: str, channel: str) -> Place | None: ...
    def visible(self, team: str, channel: str, words: str = "", *, only_open: bool = False) -> list[Place]: ...
    def people(self, keys: Iterable[str]) -> dict[str, Person]: ...
    def channel(self, team: str, channel: str) -> Channel: ...
    def nudges(self, incident: int) -> dict[str, datetime]: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...
    def waiting_about(self, about: str) -> Letter | None: ...
    def texts(self, incidents: Sequence[int], names: Sequence[str]) -> dict[int, list[tuple[str, str]]]: ...


class Writing(Reading, Protocol):
    """What the store lets us write."""

    def keep_nudge(self, place: Place, what: str, now: datetime) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...


class Store(Protocol):
    """Where the record is."""

    def writing(self) -> AbstractContextManager[Writing]: ...
    def reading(self) -> AbstractContextManager[Reading]: ...


class Outbox(Protocol):
    """What posts a message once (see outbox.py)."""

    def post(
        self, letter: Letter, channel: str, message: JSON, key: str, *, thread: str = "", look: bool = False
    ) -> str: ...


class Slack(Protocol):
    """What else leaves for Slack (see slack/client.py)."""

    def direct(self, user: str) -> str: ...
    def whisper(self, channel: str, user: str, message: Mapping[str, Any], *, thread: str = "") -> None: ...


class Wording(Protocol):
    """How it reads (see slack/nudges.py)."""

    def reminder(
        self, place: Place, zone: str, due: nudges.Due, people: Sequence[Person], now: datetime, prefix: str
    ) -> JSON: ...
    def precedents(self, words: Sequence[str], found: Sequence[similar.Precedent], zone: str) -> JSON: ...


Standing = Callable[[int, Callable[[Any, Place, Incident], Any]], Any]
"""What a function of (transaction, place, incident) makes of an incident as it stands (see Scribe.standing)."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is due in an incident, and who is meant."""

    place: Place
    zone: str
    due: tuple[nudges.Due, ...]
    people: Mapping[str, Person]


class Nudges:
    """Reminders. `after` says how long each waits (by name, those that are off left out), `zone` where people's own
    zone is not known, `prefix` how the command is called."""

    def __init__(
        self,
        store: Store,
        standing: Standing,
        outbox: Outbox,
        slack: Slack,
        clock: Callable[[], datetime],
        wording: Wording,
        *,
        after: Mapping[str, timedelta],
        zone: str,
        prefix: str,
    ) -> None:
        self._store = store
        self._standing = standing
        self._outbox = outbox
        self._slack = slack
        self._clock = clock
        self._wording = wording
        self._after = after
        self._zone = zone
        self._prefix = prefix
        self._talk = Talk()

    # ---- timers ----------------------------------------------------------------------------------

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> Iterable[Letter]:
        """Sets the incident's timer where a reminder became due earlier than what it waits for."""
        if not self._after or not any(isinstance(one, MATTERS) for one in happened):
            return ()
        plan = self._plan(tx, place, incident, now)
        return self._timer(tx, plan, now)

    def _plan(self, tx: Reading, place: Place, incident: Incident, now: datetime, messages: int = 0) -> _Plan:
        keys = {incident.entries[1].by, *incident.roles.values()}
        people = tx.people(keys)

        def zone_of(key: str) -> str:
            person = people.get(key)
            return times.known_zone(person.zone if person else None, self._zone)

        said = {what: at for what, at in tx.nudges(place.key).items() if not what.startswith(SIMILAR)}
        due = nudges.coming(incident, self._after, said, zone_of, now, messages)
        people = {**people, **tx.people({key for one in due for key in one.to} - people.keys())}
        return _Plan(place, incident.zone, tuple(due), people)

    def _timer(self, tx: Reading, plan: _Plan, now: datetime) -> Iterable[Letter]:
        """The timer of the next reminder, unless one is set that rings no later; it may ring too early."""
        if not plan.due:
            return ()
        timer = self._letter(plan.place, max(plan.due[0].at, now))
        there = tx.waiting_about(timer.about)
        return () if there and (there.attempts or there.due_at <= timer.due_at) else (timer,)

    def _letter(self, place: Place, due_at: datetime, messages: int = 0) -> Letter:
        # Without an incident of its own: `status`, `resend` and the return to a channel are not about timers.
        lane = f"{place.team}/{place.name}/nudges"
        body = {"incident": place.key, "messages": messages}
        return Letter("nudge", place.team, lane, body, due_at, blocking=False, about=f"nudge/{place.key}")

    # ---- one reminder ----------------------------------------------------------------------------

    def ring(self, letter: Letter) -> Sequence[Letter]:
        """A timer rang: says the one reminder that is due, if one still is, and sets the next timer."""
        if not self._after:  # turned off since
            return ()
        now = self._clock()
        messages = int(letter.body.get("messages", 0))
        plan = self._look(letter.body["incident"], now, messages)
        if plan is not None and plan.due and plan.due[0].at <= now:
            self._say(letter, plan, plan.due[0], now)
            with self._store.writing() as tx:
                tx.keep_nudge(plan.place, plan.due[0].key, now)
            plan = self._look(letter.body["incident"], now)
        if plan is not None:
            with self._store.writing() as tx:
                tx.enqueue(self._timer(tx, plan, now))
        return ()

    def _look(self, incident: int, now: datetime, messages: int = 0) -> _Plan | None:
        def read(tx: Reading, place: Place, standing: Incident) -> _Plan:
            return self._plan(tx, place, standing, now, messages)

        found: _Plan | None = self._standing(incident, read)
        return found

    def _say(self, letter: Letter, plan: _Plan, due: nudges.Due, now: datetime) -> None:
        """Posts it in the channel; what is for one person goes to them, unless the channel is private.

        What Slack refuses for good (Scribe is not in the channel, which is archived) is let go.
        """
        place = plan.place
        people = [plan.people[key] for key in due.to if key in plan.people]
        message = self._wording.reminder(place, plan.zone, due, people, now, self._prefix)
        key = f"{place.name}-nudge-{due.key}"
        try:
            if due.direct and people and not place.private:
                if not letter.unsure:  # in a direct message nothing can be looked for: rather none than two
                    self._outbox.post(letter, self._slack.direct(people[0].user), message, key)
            else:
                with self._store.reading() as tx:
                    look = CAME_BACK in tx.receipts(place.key)  # it may have been said after the backup was made
                self._outbox.post(letter, place.channel, message, key, look=look)
        except Undelivered as failure:
            if not failure.permanent:
                raise
            with self._store.reading() as tx:
                known = tx.channel(place.team, place.channel).looked_at is not None
            if not known:  # Scribe is on its way into the channel
                raise Undelivered(failure.message, code=failure.code) from failure
            log.info("the reminder %s of %s is let go: %s", due.key, place.name, failure.message)

    # ---- a busy channel --------------------------------------------------------------------------

    def listen(self, app: Any) -> None:
        """Counts the messages of channels that Bolt brings; the text is not looked at."""
        if not self._after.get(nudges.Nudge.BUSY):
            return

        @app.middleware  # type: ignore[untyped-decorator]  # a listener would keep the event from other rooms
        def count(body: JSON, next: Callable[[], Any]) -> Any:
            event = body.get("event")
            if isinstance(event, dict) and event.get("type") == "message":
                self._heard(str(body.get("team_id", "")), event)
            return next()

    def _heard(self, team: str, event: JSON) -> None:
        if event.get("bot_id") or event.get("subtype") not in (None, "file_share", "thread_broadcast"):
            return
        channel, user, ts = (str(event.get(name, "")) for name in ("channel", "user", "ts"))
        now = self._clock()
        messages = self._talk.count(team, channel, user, ts, now)
        if not messages:
            return
        with self._store.reading() as tx:
            place = tx.in_channel(team, channel)
        if place is None or place.status not in ("open", "mitigated"):
            return
        plan = self._look(place.key, now, messages)
        if plan is not None and any(one.what is nudges.Nudge.BUSY and one.at <= now for one in plan.due):
            with self._store.writing() as tx:
                tx.enqueue([self._letter(place, now, messages)])


class Talk:
    """How many messages channels had lately, in this process and since it started: times and people, no text."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: OrderedDict[tuple[str, str], OrderedDict[str, tuple[datetime, str]]] = OrderedDict()
        self._looked: dict[tuple[str, str], datetime] = {}

    def count(self, team: str, channel: str, user: str, ts: str, now: datetime) -> int:
        """Counts a message, a redelivered one once; gives how many there were where the channel is busy and is to be
        looked up, else 0."""
        where = (team, channel)
        with self._lock:
            heard = self._channels.setdefault(where, OrderedDict())
            self._channels.move_to_end(where)
            heard[ts] = (now, user)
            while len(heard) > COUNTED or now - next(iter(heard.values()))[0] > BUSY_FOR:
                heard.popitem(last=False)
            if len(self._channels) > CHANNELS:
                gone, _ = self._channels.popitem(last=False)
                self._looked.pop(gone, None)
            busy = len(heard) >= nudges.MESSAGES and len({by for _, by in heard.values()}) >= nudges.PEOPLE
            if not busy or timedelta() <= now - self._looked.get(where, now - LOOK_AGAIN) < LOOK_AGAIN:
                return 0
            self._looked[where] = now
            return len(heard)


# ---- earlier incidents ---------------------------------------------------------------------------


class Precedents:
    """Shows the one who opens an incident, and its commander, which earlier ones are like it and what fixed those."""

    def __init__(
        self, store: Store, standing: Standing, slack: Slack, clock: Callable[[], datetime], wording: Wording
    ) -> None:
        self._store = store
        self._standing = standing
        self._slack = slack
        self._clock = clock
        self._wording = wording

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> Iterable[Letter]:
        """The letter to whoever opened it, or was named commander."""
        for one in happened:
            match one:
                case ev.Started():
                    keys = {one.by}
                case ev.RoleGiven(role="commander") if one.person and now - place.opened_at <= STALE:
                    keys = {one.person}
                case _:
                    continue
            for person in tx.people(keys).values():
                body = {"incident": place.key, "person": person.key, "user": person.user}
                # behind the letter that learns the channel, in the same lane: it may be shared with another company
                lane = f"{place.team}/{place.channel}"
                yield Letter("similar", place.team, lane, body, now, blocking=False)

    def show(self, letter: Letter) -> Sequence[Letter]:
        """Shows it to the person alone, once; nothing where nothing is like it."""
        body = letter.body
        read = self._standing(body["incident"], lambda tx, place, standing: (place, self._sought(standing)))
        if read is None or letter.unsure:  # the last try may have arrived, and it cannot be looked for
            return ()
        place, (title, services, zone) = read
        said = f"{SIMILAR}{body['person']}"
        now = self._clock()
        with self._store.reading() as tx:
            channel = tx.channel(place.team, place.channel)
            if now - place.opened_at > STALE or said in tx.nudges(place.key):
                return ()
            if channel.looked_at is None:
                raise Undelivered("Slack has not said yet who is in the channel.")
            if channel.shared is not False:  # with another company in it, or nobody can say
                return ()
            seen = [one for one in tx.visible(place.team, place.channel) if one.number < place.number]
            earlier = [one for one in seen if one.status not in ("cancelled", "duplicate")][: similar.COMPARED]
            texts = tx.texts([one.key for one in earlier], tuple(similar.PLACES))
        known = [similar.Known(one.number, _said(one.title, texts[one.key])) for one in earlier]
        keys = {one.number: one.key for one in earlier}
        found: list[similar.Precedent] = []
        words: list[str] = []
        for like in similar.rank(title, services, known):
            shown = self._standing(keys[like.number], partial(_shown, like.words))
            if shown is not None:
                found.append(shown)
                words += [word for word in like.words if word not in words]
            if len(found) == similar.MOST:
                break
        if found:
            message = self._wording.precedents(words[: similar.NAMED], found, zone)
            self._slack.whisper(place.channel, body["user"], message)
            with self._store.writing() as tx:
                tx.keep_nudge(place, said, now)
        return ()

    @staticmethod
    def _sought(incident: Incident) -> tuple[str, tuple[str, ...], str]:
        return incident.title, tuple(name for name, _ in incident.services()), incident.zone


def _said(title: str, texts: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"title": [title]}
    for name, text in texts:
        found.setdefault(similar.PLACES[name], []).append(text)
    return found


def _shown(words: Sequence[str], tx: Reading, place: Place, incident: Incident) -> similar.Precedent | None:
    """What is shown of an earlier incident, if it says as it stands now what made it look alike."""
    if not similar.rank(" ".join(words), (), [similar.as_it_stands(incident)]):
        return None
    return similar.precedent(incident)
