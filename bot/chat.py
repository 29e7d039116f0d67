"""What is said in the channel of an incident: kept for some days where a setting says so, and offered as entries.

Knows the order of things: what is kept and for how long, what else is read from Slack, who accepts what. Which messages
look like entries says `core.suggest`, run by the press. Must not know SQL or Slack's JSON. Whatever a person taps
becomes a letter: messages are read, entries recorded and forms brought up to date off the request path. What is read
from Slack stays in this process's memory.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core import commands as cmd
from bot.core import events as ev
from bot.core import suggest, times
from bot.core.answers import Heard, Outcome, Recorded, Suggested, Suggestions
from bot.core.errors import Undelivered
from bot.core.events import Kind
from bot.core.grammar import MAX_TEXT
from bot.core.incident import Incident
from bot.core.record import JSON, Channel, Installation, Letter, Person, Place, Said
from bot.core.times import When, iso, parse_utc

LOOK, TAKE, PURGE = "suggest", "suggest_take", "purge"

BEFORE = timedelta(minutes=30)
"""So long before impact began messages are looked through: what led to it was often said before anybody knew."""
AFTER_END = timedelta(hours=1)
"""So long after it was resolved people still say what fixed it; what comes then is about something else."""
AFTER_OPENING = timedelta(minutes=15)
"""So long the channel in which an incident was opened is looked through where it has one of its own."""
FRESH = timedelta(hours=1)
"""So long what was read from Slack is good enough to suggest from; what is newer is read in addition."""
RECENT = timedelta(minutes=10)
"""So long it is good enough to be recorded; after that a message is looked up again, as it may have been edited."""
ENDLESS = "9"
"""Later than every message."""
PURGE_EVERY = timedelta(hours=6)
SINCE_LEAST = timedelta(minutes=2)
"""An incident that began so much before it was opened has messages that may tell of it."""

CALLS = 10
"""Calls to Slack in one go; a letter goes on after that."""
MOST_CALLS, MOST_THREADS, MOST_MESSAGES = 40, 20, 2000
"""Calls for one channel, threads that are read, messages that are looked through: the newest."""
PEOPLE = 20
"""People who are looked up for their zone before their messages are read."""
REMEMBERED = 16
PAGE = 10
"""Suggestions in one view."""
TRIES = 3
"""After so many failures what is there is shown."""

KINDS: dict[str, Kind] = {word: Kind(word) for word in suggest.KINDS if word not in ("resolution", "cause")}
"""Kinds of a suggestion that are recorded as what they are; nothing that is suggested resolves an incident."""

_MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)")

log = logging.getLogger("scribe.chat")


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def by_number(self, team: str, number: int) -> Place | None: ...
    def in_channel(self, team: str, channel: str) -> Place | None: ...
    def person(self, team: str, user: str) -> Person | None: ...
    def people(self, keys: Iterable[str]) -> dict[str, Person]: ...
    def channel(self, team: str, channel: str) -> Channel: ...
    def installation(self, team: str) -> Installation | None: ...
    def kept(self, team: str, channel: str, since: str, after: datetime, most: int) -> list[Said]: ...
    def kept_message(self, team: str, channel: str, ts: str) -> Said | None: ...
    def oldest_kept(self) -> datetime | None: ...
    def dismissed(self, team: str, channel: str) -> set[str]: ...


class Writing(Reading, Protocol):
    """What the store lets us write."""

    def keep(self, team: str, said: Said, now: datetime) -> None: ...
    def forget_kept(self, team: str, channel: str, ts: str, now: datetime | None = None) -> None: ...
    def purge_kept(self, before: datetime | None) -> int: ...
    def dismiss(self, team: str, channel: str, ts: str, user: str, now: datetime) -> None: ...
    def learn_person(self, team: str, user: str, *, name: str, zone: str | None, now: datetime) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...


class Store(Protocol):
    """Where the record is."""

    def writing(self) -> AbstractContextManager[Writing]: ...
    def reading(self) -> AbstractContextManager[Reading]: ...


class Scribe(Protocol):
    """What records (see scribe.py)."""

    def handle(
        self, command: cmd.Change, heard: Heard, *, incident: int | None = None, confirmed: bool = False
    ) -> Outcome: ...
    def standing(self, key: int, read: Callable[[Any, Place, Incident], Any]) -> Any: ...


class Slack(Protocol):
    """What is asked of Slack (see slack/client.py)."""

    def message(self, channel: str, ts: str) -> Mapping[str, Any] | None: ...
    def messages(self, channel: str, since: str, until: str = "", cursor: str = "") -> tuple[list[Any], str]: ...
    def replies(self, channel: str, thread: str) -> list[Any]: ...
    def person(self, user: str, timeout: float | None = None) -> Any: ...
    def change_form(self, view_id: str, view: Mapping[str, Any]) -> None: ...
    def whisper(self, channel: str, user: str, message: Mapping[str, Any], *, thread: str = "") -> None: ...


class Wording(Protocol):
    """How it reads, and how Slack's messages are read (see slack/suggestions.py)."""

    def said(self, channel: str, message: Mapping[str, Any], bot_user: str, bot_id: str) -> Said | None: ...
    def plain(self, text: str, names: Mapping[str, str]) -> str: ...
    def ts(self, at: datetime) -> str: ...
    def at(self, ts: str) -> datetime: ...
    def replied_to(self, message: Mapping[str, Any]) -> bool: ...
    def form(self, found: Suggestions) -> JSON: ...
    def offer(self, found: Suggestions) -> JSON: ...


@dataclass(slots=True)
class _History:
    """What was read of a channel from Slack: its messages by ts, and how far that went.

    `begin` is where this round began, `calls` how many it took, `cost` how many all rounds did; `read_at` is when all
    of it was read.
    """

    since: str
    until: str
    said: dict[str, Said] = field(default_factory=dict)
    begin: str = ""
    cursor: str = ""
    threads: list[str] = field(default_factory=list)
    calls: int = 0
    cost: int = 0
    done: bool = False
    read_at: datetime | None = None
    cut: bool = False


class Chat:
    """Messages of incidents. `days` is for how long they are kept (0: they are not), `seen` looks messages through,
    `zone` is where people's own is not known."""

    def __init__(
        self,
        store: Store,
        scribe: Scribe,
        slack: Slack,
        clock: Callable[[], datetime],
        wording: Wording,
        *,
        seen: Callable[[Sequence[suggest.Message]], list[suggest.Suggestion]],
        days: int,
        zone: str,
    ) -> None:
        self._store = store
        self._scribe = scribe
        self._slack = slack
        self._clock = clock
        self._wording = wording
        self._seen = seen
        self._days = days
        self._zone = zone
        self._histories: OrderedDict[tuple[int, str], _History] = OrderedDict()
        self._unknown: set[tuple[str, str]] = set()
        self._found: OrderedDict[int, tuple[int, list[suggest.Suggestion]]] = OrderedDict()

    # ---- keeping ---------------------------------------------------------------------------------

    @property
    def keeps(self) -> bool:
        """Whether messages are kept at all."""
        return self._days > 0

    def hear(self, team: str, said: Said, *, changed: bool = False, shared: bool = False) -> None:
        """Keeps a message that was written, or edited (`changed`), where an incident is open.

        An edited one from before is put right where it is kept, and not kept anew. `shared`: another company is in the
        channel, and nothing is kept of it.
        """
        if changed:
            self._put_right(said.channel, said.ts, said)
        if shared or not self.keeps:
            return
        with self._store.reading() as tx:
            place = tx.in_channel(team, said.channel)
            shared = place is not None and tx.channel(team, said.channel).shared is True
            known = changed and tx.kept_message(team, said.channel, said.ts) is not None
        is_open = place is not None and place.status in ("open", "mitigated") and not shared
        if changed and place is not None and self._wording.at(said.ts) < place.opened_at:
            is_open = False
        if known or is_open:
            with self._store.writing() as tx:
                tx.keep(team, said, self._clock())

    def unhear(self, team: str, channel: str, ts: str) -> None:
        """A message was deleted: it is not kept any longer, and not kept when Slack delivers it late."""
        self._put_right(channel, ts, None)
        if not self.keeps:
            return
        with self._store.reading() as tx:
            place = tx.in_channel(team, channel)
            known = tx.kept_message(team, channel, ts) is not None
        if known or (place is not None and place.status in ("open", "mitigated")):
            with self._store.writing() as tx:
                tx.forget_kept(team, channel, ts, self._clock())

    def catch_up(self) -> None:
        """At the start: what has been kept long enough goes, everything where nothing is to be kept any more."""
        with self._store.writing() as tx:
            self._purge(tx, self._clock())

    def ring(self, letter: Letter) -> Sequence[Letter]:
        """The timer rang: what has been kept long enough goes."""
        with self._store.writing() as tx:
            self._purge(tx, self._clock())
        return ()

    def _purge(self, tx: Writing, now: datetime) -> None:
        kept_for = timedelta(days=self._days)
        gone = tx.purge_kept(now - kept_for if self.keeps else None)
        if gone:
            log.info("messages that had been kept for %d days are gone: %d", self._days, gone)
        if self.keeps:
            due = max((tx.oldest_kept() or now) + kept_for, now + PURGE_EVERY)
            tx.enqueue([Letter(PURGE, "", PURGE, {}, due, blocking=False, about=PURGE)])

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> Iterable[Letter]:
        """The words of a message go with those of its entry; who opens an incident late is offered what was said."""
        for one in happened:
            match one:
                case ev.Redacted():
                    channel, _, ts = incident.entries[one.entry].event.said_in.partition("/")
                    if ts:
                        tx.forget_kept(place.team, channel, ts)
                        self._put_right(channel, ts, None)
                case ev.Started() if one.at - one.onset >= SINCE_LEAST:
                    user = tx.people([one.by])[one.by].user
                    yield self._letter(LOOK, place, user, {"offer": True}, now)

    # ---- asking ----------------------------------------------------------------------------------

    def place(self, team: str, number: int) -> Place | None:
        """The incident with that number."""
        with self._store.reading() as tx:
            return tx.by_number(team, number)

    def ask(self, place: Place, user: str, view: str, page: int = 1) -> None:
        """Has a form that is open filled with what looks like entries; `page` 0 has the newest messages read first."""
        self._send(LOOK, place, user, {"view": view, "page": page})

    def accept(self, place: Place, user: str, view: str, page: int, rows: Sequence[Sequence[Any]]) -> None:
        """Has messages recorded. A row: channel/ts, kind, when it happened (ISO), whether about then, its zone."""
        self._send(TAKE, place, user, {"view": view, "page": page, "add": [list(row) for row in rows]})

    def accept_all(self, place: Place, user: str, view: str) -> None:
        """Has everything recorded that is suggested now."""
        self._send(TAKE, place, user, {"view": view, "page": 1, "all": True})

    def dismiss(self, place: Place, user: str, view: str, page: int, messages: Sequence[str]) -> None:
        """Has messages (channel/ts) suggested to nobody again."""
        self._send(TAKE, place, user, {"view": view, "page": page, "drop": list(messages)})

    def _send(self, kind: str, place: Place, user: str, body: JSON) -> None:
        with self._store.writing() as tx:
            tx.enqueue([self._letter(kind, place, user, body, self._clock())])

    @staticmethod
    def _letter(kind: str, place: Place, user: str, body: JSON, due: datetime) -> Letter:
        # Without an incident of its own, as `status` and `resend` are not about it; in one lane for each incident, so
        # that nothing is read or recorded twice at a time.
        lane = f"{place.team}/{place.name}/suggest"
        said = {"incident": place.key, "user": user, **body}
        return Letter(kind, place.team, lane, said, due, blocking=False)

    # ---- looking ---------------------------------------------------------------------------------

    def look(self, letter: Letter) -> Sequence[Letter]:
        """Shows somebody what looks like entries: in the form that is open, or as a message to them alone."""
        body, now = letter.body, self._clock()
        with self._store.reading() as tx:
            place = tx.by_key(body["incident"])
            assert place is not None
            looked = tx.channel(place.team, place.channel).looked_at is not None
        if body.get("offer") and not looked and letter.attempts <= TRIES:
            raise Undelivered("Scribe is on its way into the channel.")
        notes: list[str] = []
        try:
            if not self._read(place, now, anew=not body.get("page")):
                return [replace(letter, due_at=now, body={**body, "page": body.get("page") or 1})]
        except Undelivered as failure:
            if failure.permanent:
                notes.append(failure.message)
            elif failure.retry_after and not letter.body.get("gone_on", 0) > MOST_CALLS:
                return self._wait(letter, place, failure.retry_after, now)
            elif letter.attempts <= TRIES:
                raise
            else:
                notes.append("Slack could not be asked for what was said before.")
        self._show(letter, place, body, notes, now)
        return ()

    def _wait(self, letter: Letter, place: Place, seconds: float, now: datetime) -> Sequence[Letter]:
        """Slack lets us read slowly: says so, shows what is there, and goes on later."""
        body = letter.body
        if not body.get("told") and body.get("view"):
            minutes = max(1, round(seconds / 60))
            slow = (
                "Slack lets Scribe read only slowly. When it has read the rest, you alone get a message, "
                f"in {minutes} min or more."
            )
            self._show(letter, place, body, [slow], now)
        later = {**body, "told": True, "page": 1, "gone_on": body.get("gone_on", 0) + 1}
        return [replace(letter, due_at=now + timedelta(seconds=seconds), body=later)]

    def _show(self, letter: Letter, place: Place, body: JSON, notes: Sequence[str], now: datetime) -> None:
        found = self.suggestions(place, body.get("page") or 1, notes, now)
        if body.get("view") and self._shown(body["view"], self._wording.form(found)):
            return
        asked_and_left = bool(body.get("view")) and not body.get("told")
        if asked_and_left or letter.unsure or (not found.total and body.get("offer")):
            return  # closed by now; perhaps said already; or nobody asked, and there is nothing
        try:
            self._slack.whisper(place.channel, body["user"], self._wording.offer(found))
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.info("suggestions of %s are offered to nobody: %s", place.name, failure.message)

    def _shown(self, view: str, form: JSON) -> bool:
        """Whether the form was still open."""
        try:
            self._slack.change_form(view, form)
        except Undelivered as failure:
            if not failure.permanent:
                raise
            if failure.code != "not_found":
                log.warning("suggestions could not be shown: %s", failure.message)
            return False
        return True

    # ---- what was said ---------------------------------------------------------------------------

    def _sources(self, place: Place) -> list[tuple[str, str, str]]:
        """The channels that are looked through, from and up to which message ("": now)."""

        def read(tx: Any, place: Place, incident: Incident) -> tuple[datetime, datetime | None]:
            over = incident.resolution
            return min(incident.onset or place.opened_at, place.opened_at), over.recorded_at if over else None

        began, over = self._scribe.standing(place.key, read)
        since = self._wording.ts(began - BEFORE)
        found = [(place.channel, since, self._wording.ts(over + AFTER_END) if over else "")]
        if place.origin and place.origin != place.channel:
            found.append((place.origin, since, self._wording.ts(place.opened_at + AFTER_OPENING)))
        return found

    def _kept(self, tx: Reading, place: Place, source: tuple[str, str, str], now: datetime) -> list[Said]:
        channel, since, until = source
        if not self.keeps:
            return []
        kept = tx.kept(place.team, channel, since, now - timedelta(days=self._days), MOST_MESSAGES)
        return [one for one in kept if one.ts <= (until or ENDLESS)]

    def _read(self, place: Place, now: datetime, *, anew: bool) -> bool:
        """Reads from Slack what is not kept; False where there is more to read. Raises Undelivered.

        `anew` reads what was written since the last time, too.
        """
        left = CALLS
        for source in self._sources(place):
            channel, since, until = source
            with self._store.reading() as tx:
                kept = self._kept(tx, place, source, now)
                ours = tx.installation(place.team)
            until = kept[0].ts if kept else until
            history = self._history(place, channel, since, until, now)
            if history.done and anew and not until:
                history = self._again(place, channel, history)
            left = self._go_on(history, channel, ours, left, now)
            if not history.done:
                return False
        return True

    def _history(self, place: Place, channel: str, since: str, until: str, now: datetime) -> _History:
        there = self._histories.pop((place.key, channel), None)
        stale = there is not None and there.done and there.read_at is not None and now - there.read_at > FRESH
        if there is None or stale or there.since > since or (there.until and there.until < (until or ENDLESS)):
            there = _History(since, until, begin=since)
        self._histories[place.key, channel] = there
        while len(self._histories) > REMEMBERED:
            self._histories.popitem(last=False)
        return there

    def _again(self, place: Place, channel: str, read: _History) -> _History:
        """What is read anew: everything, or where that took many calls what was written since."""
        if read.cost <= CALLS:
            read = self._histories[place.key, channel] = _History(read.since, read.until, begin=read.since)
        else:
            read.begin, read.cursor, read.done, read.calls = max(read.said, default=read.since), "", False, 0
        return read

    def _go_on(self, history: _History, channel: str, ours: Installation | None, left: int, now: datetime) -> int:
        """Reads on with at most `left` calls; gives how many are left."""

        def take(found: Iterable[Mapping[str, Any]]) -> None:
            for message in found:
                said = self._wording.said(channel, message, ours.bot_user if ours else "", ours.bot_id if ours else "")
                if said is not None:
                    history.said[said.ts] = said

        while left and not history.done:
            if history.calls >= MOST_CALLS or len(history.said) >= MOST_MESSAGES:
                history.cut, history.done = True, True
            elif history.threads and not history.cursor and history.calls:
                take(self._slack.replies(channel, history.threads[0]))
                history.threads.pop(0)
            elif history.cursor or not history.calls:
                found, history.cursor = self._slack.messages(channel, history.begin, history.until, history.cursor)
                take(found)
                roots = [str(one["ts"]) for one in found if self._wording.replied_to(one)]
                history.threads = (history.threads + roots)[:MOST_THREADS]
            else:
                history.done = True
                break
            history.calls, history.cost = history.calls + 1, history.cost + 1
            left -= 1
        if history.calls and not history.cursor and not history.threads:
            history.done = True
        if history.done and (history.read_at is None or history.begin == history.since):
            history.read_at = now
        return left

    def _put_right(self, channel: str, ts: str, said: Said | None) -> None:
        """What was read of a message is as it is now; None where it is gone."""
        for (_, where), history in list(self._histories.items()):
            if where == channel and history.said.pop(ts, None) is not None and said is not None:
                history.said[ts] = said

    def _said(self, place: Place, now: datetime, good_for: timedelta = FRESH) -> dict[str, Said]:
        """All that was said, by channel/ts: kept, and read from Slack not long ago; the newest of it."""
        found: dict[str, Said] = {}
        for source in self._sources(place):
            channel = source[0]
            history = self._histories.get((place.key, channel))
            if history is not None and (history.read_at is None or now - history.read_at <= good_for):
                found |= {f"{channel}/{ts}": one for ts, one in list(history.said.items())}
            with self._store.reading() as tx:
                found |= {f"{channel}/{one.ts}": one for one in self._kept(tx, place, source, now)}
        newest = sorted(found, key=lambda key: found[key].ts)[-MOST_MESSAGES:]
        return {key: found[key] for key in newest}

    def _messages(self, place: Place, said: Mapping[str, Said], now: datetime) -> list[suggest.Message]:
        """Messages as plain words, with the zones of their authors."""
        authors = {one.author for one in said.values() if one.author and not one.program}
        people = self._meet(place.team, sorted(authors), now)
        mentioned = {user for one in said.values() for user in _MENTIONED.findall(one.text)}
        with self._store.reading() as tx:
            met = {user: person.name for user in mentioned if (person := tx.person(place.team, user)) is not None}
        return [
            suggest.Message(
                id=key,
                said_at=self._wording.at(one.ts),
                author=one.author,
                text=self._wording.plain(one.text, met),
                program=one.program,
                thread=f"{one.channel}/{one.thread}" if one.thread else "",
                zone=self._zone_name(people.get(one.author)),
                files=one.files,
            )
            for key, one in said.items()
        ]

    def _zone_name(self, person: Person | None) -> str:
        return times.known_zone(person.zone if person else None, self._zone)

    def _meet(self, team: str, users: Sequence[str], now: datetime) -> dict[str, Person]:
        """These people, by Slack id; some of those whose zone is not known are looked up."""
        with self._store.reading() as tx:
            known = {user: person for user in users if (person := tx.person(team, user)) is not None}
        unmet = [user for user in users if user not in known or known[user].learned_at is None]
        for user in [user for user in unmet if (team, user) not in self._unknown][:PEOPLE]:
            try:
                profile = self._slack.person(user)
            except Undelivered as failure:
                log.info("a person could not be looked up: %s", failure.message)
                if not failure.permanent:
                    break
                self._unknown.add((team, user))
                continue
            with self._store.writing() as tx:
                tx.learn_person(team, user, name=profile.name, zone=profile.zone, now=now)
                if (person := tx.person(team, user)) is not None:
                    known[user] = person
        return known

    def suggestions(self, place: Place, page: int, notes: Sequence[str], now: datetime) -> Suggestions:
        """A page of what looks like entries and is neither recorded nor dismissed, in the order of the messages."""
        rows, zone, count = self._rows(place, now)
        read = [self._histories.get((place.key, channel)) for channel, *_ in self._sources(place)]
        if any(one is not None and one.cut for one in read) or count >= MOST_MESSAGES:
            notes = [*notes, f"Only the newest {MOST_MESSAGES:,} messages are looked through."]
        pages = max(1, -(-len(rows) // PAGE))
        page = min(max(1, page), pages)
        first = (page - 1) * PAGE
        shown = tuple(rows[first : first + PAGE])
        told = tuple(notes)
        return Suggestions(place, zone, shown, len(rows), count, page, pages, told, now, self._days, first + 1)

    def _rows(self, place: Place, now: datetime) -> tuple[list[Suggested], str, int]:
        """All of it, the zone of the incident, and how many messages were looked through."""
        said = self._said(place, now)
        messages = self._messages(place, said, now)
        texts = {one.id: one.text for one in messages}
        seen = self._seen_in(place, messages)

        def read(tx: Any, place: Place, incident: Incident) -> tuple[str, bool, set[str]]:
            captured = {entry.event.said_in for entry in incident.entries.values() if _stays_out(entry)}
            return incident.zone, bool(incident.live(Kind.TRIGGER)), captured

        zone, has_trigger, left_out = self._scribe.standing(place.key, read)
        channels = [channel for channel, *_ in self._sources(place)]
        with self._store.reading() as tx:
            for channel in channels:
                left_out |= {f"{channel}/{ts}" for ts in tx.dismissed(place.team, channel)}
        rows = [
            Suggested(
                id=one.id,
                kind=_kind(one.kind, has_trigger),
                at=one.at,
                approx=one.approx,
                zone=one.zone,
                text=texts[one.id].strip(),
                author=one.author,
                program=said[one.id].program,
                said_at=self._wording.at(said[one.id].ts),
            )
            for one in seen
            if one.id not in left_out
        ]
        return rows, zone, len(said)

    def _seen_in(self, place: Place, messages: Sequence[suggest.Message]) -> list[suggest.Suggestion]:
        """What looks like entries; looked through again only where something else was said. The texts are not kept."""
        stamp = hash(tuple(messages))
        before = self._found.pop(place.key, None)
        found = before[1] if before is not None and before[0] == stamp else self._seen(messages) if messages else []
        self._found[place.key] = (stamp, [replace(one, text="", why=()) for one in found])
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)
        return self._found[place.key][1]

    # ---- taking ----------------------------------------------------------------------------------

    def take(self, letter: Letter) -> Sequence[Letter]:
        """Records what somebody accepted, marks what they dismissed, and brings their form up to date."""
        body, now = letter.body, self._clock()
        with self._store.reading() as tx:
            place = tx.by_key(body["incident"])
        assert place is not None
        rows = body.get("add", [])
        if body.get("all"):
            with _as_far_as_slack_lets():
                if not self._read(place, now, anew=False):
                    return [replace(letter, due_at=now)]
            found, _, _ = self._rows(place, now)
            rows = [[one.id, one.kind, iso(one.at), one.approx, one.zone] for one in found]
        notes = self._add(letter, place, body["user"], rows, now)
        if dropped := body.get("drop", []):
            with self._store.writing() as tx:
                for one in dropped:
                    channel, _, ts = one.partition("/")
                    tx.dismiss(place.team, channel, ts, body["user"], now)
            notes.append(f"{_count(len(dropped), 'message')} will not be suggested again.")
        with self._store.reading() as tx:
            place = tx.by_key(place.key) or place
        self._shown(body["view"], self._wording.form(self.suggestions(place, body.get("page") or 1, notes, now)))
        return ()

    def _add(self, letter: Letter, place: Place, user: str, rows: Sequence[Sequence[Any]], now: datetime) -> list[str]:
        """Records messages; gives what is to be said of it."""
        there, added, failed = self._said(place, now, RECENT), list[int](), dict[str, int]()
        for message, kind, at, approx, zone in rows:
            channel, _, ts = message.partition("/")
            why = ""
            try:
                said = there.get(message) or self._look_up(place.team, channel, ts)
            except Undelivered as failure:
                if not failure.permanent:
                    raise
                said, why = None, failure.message
            if said is None or not said.text.strip():
                why = why or "the message is gone"
                failed[why] = failed.get(why, 0) + 1
                continue
            outcome = self._record(letter, place, user, said, kind, When(parse_utc(at), zone, approx=approx), now)
            if isinstance(outcome, Recorded):
                entry = next(one for one in outcome.happened if isinstance(one, ev.Numbered))
                added.append(entry.entry)
            else:
                why = getattr(outcome, "message", "it could not be recorded").rstrip(".")
                failed[why] = failed.get(why, 0) + 1
        notes = []
        if added:
            which = f"#{added[0]}" if len(added) == 1 else f"#{min(added)} to #{max(added)}"
            notes.append(f"{_count(len(added), 'entry')} added: {which}.")
        return notes + [f"{_count(count, 'message')} not added: {why}." for why, count in failed.items()]

    def _look_up(self, team: str, channel: str, ts: str) -> Said | None:
        """A message as it is kept, or as Slack has it now."""
        with self._store.reading() as tx:
            kept = tx.kept_message(team, channel, ts)
            ours = tx.installation(team)
        if kept is not None and self.keeps:
            return kept
        found = self._slack.message(channel, ts)
        if found is None:
            return None
        return self._wording.said(channel, found, ours.bot_user if ours else "", ours.bot_id if ours else "")

    def _record(
        self, letter: Letter, place: Place, user: str, said: Said, kind: str, when: When, now: datetime
    ) -> Outcome:
        mentioned = _MENTIONED.findall(said.text)
        people = self._meet(place.team, mentioned, now)
        text = self._wording.plain(said.text, {key: one.name for key, one in people.items()}).strip()
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - 1] + "…"
        if said.program and said.author:  # Slack's users.info knows no programs
            with self._store.writing() as tx:
                tx.learn_person(place.team, said.author, name=said.author, zone=None, now=now)
        command = cmd.Record(
            kind=Kind(kind),
            text=text,
            when=replace(when, at=min(when.at, now)),
            said_in=f"{said.channel}/{said.ts}",
            author=said.author,
        )
        heard = Heard(place.team, place.channel, user, f"{TAKE}:{letter.key}:{said.channel}/{said.ts}")
        return self._scribe.handle(command, heard, incident=place.number, confirmed=True)


@contextmanager
def _as_far_as_slack_lets() -> Iterator[None]:
    """What Slack refuses for good is done without."""
    try:
        yield
    except Undelivered as failure:
        if not failure.permanent:
            raise


def _stays_out(entry: Any) -> bool:
    """Whether the message of an entry is suggested no more: all but that of one that was undone."""
    return bool(entry.event.said_in) and entry.withdrawn != "undone"


def _kind(word: str, has_trigger: bool) -> str:
    """The kind of entry that a suggestion becomes, as `scribe import` does it (docs/suggestions.md)."""
    if word == "resolution":
        return Kind.MITIGATION.value
    if word == "cause":
        return (Kind.NOTE if has_trigger else Kind.TRIGGER).value
    return KINDS[word].value


def _count(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {what.removesuffix('y')}ies" if what.endswith("y") else f"{number} {what}s"
