"""What is taken over from messages: reactions, pins, the message shortcut; and what becomes of those messages.

A mark on a message is written down when Slack tells of it, and nothing is asked while Slack waits. A letter then
compares the marks with the record: it reads the message, and what was marked is recorded with the message's own words,
author and time; what is marked no more is removed; words that were edited are corrected. Whatever order the events come
in, and however often, the record ends up as the message is marked. The room knows no shape of Slack's: `reading` does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from bot.core import commands as cmd
from bot.core import events as ev
from bot.core.answers import Heard, Outcome, Recorded, Refused
from bot.core.errors import Undelivered
from bot.core.events import Kind
from bot.core.incident import Incident, history
from bot.core.record import DELETED, EDITED, JSON, PIN, Captured, Channel, Installation, Letter, Mark, Person, Place
from bot.core.times import When, iso, parse_utc

CAPTURE = "capture"
"""The letter that brings the record in line with the marks of a message."""

CHOSEN = "capture_chosen"
"""The letter that records a message as somebody chose in a form, where the form could not hold its words."""

TOLD = "capture_told"
"""The letter that tells the person alone why nothing was recorded, or removed."""

STAR = "key"
"""In the table of reactions: not a kind of entry, but that the entry stands in the main document."""

NOTE = Kind.NOTE.value
"""What a pin records."""

LATER = timedelta(days=3)
"""For so long after the end what is said in the channel still belongs to the incident, until it is published."""

EARLIER = timedelta(days=30)
"""A message that is older than this when the incident is opened is taken for a slip of the hand."""

GONE = "gone"
NOTICE = "notice"
OLD = "old"
WAITS = "waits"
STAYS = "stays"
"""What a person is told: the words are in slack/capture.py."""

DELETED_WHY = "the message was deleted"

Files = Callable[[Place, int, Sequence[JSON]], Iterable[Letter]]
"""A message was captured as that entry, and these files (Slack's objects) came with it: the letters that follow."""

log = logging.getLogger("scribe.capture")


class Said(Protocol):
    """A message, read (see slack/capture.py)."""

    @property
    def text(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def called(self) -> str: ...
    @property
    def thread(self) -> str: ...
    @property
    def files(self) -> Sequence[JSON]: ...


class Reading(Protocol):
    """How Slack's message objects are read (see slack/capture.py)."""

    def said_at(self, ts: str) -> datetime: ...
    def is_gone(self, message: Mapping[str, Any]) -> bool: ...
    def is_notice(self, message: Mapping[str, Any]) -> bool: ...
    def is_by(self, message: Mapping[str, Any], bot_user: str, bot_id: str) -> bool: ...
    def named(self, message: Mapping[str, Any]) -> set[str]: ...
    def read(self, message: Mapping[str, Any], names: Mapping[str, str]) -> Said: ...
    def marked(self, message: Mapping[str, Any], channel: str) -> Mapping[str, Iterable[str]]: ...


class Wording(Protocol):
    """What people are told (see slack/capture.py)."""

    def told(self, what: str, about: Mapping[str, Any], prefix: str) -> JSON: ...


class Looking(Protocol):
    """What the store lets us look up."""

    def heard(self, team: str, origin: str) -> JSON | None: ...
    def in_channel(self, team: str, channel: str, at: datetime | None = None) -> Place | None: ...
    def moved_from(self, team: str, channel: str) -> Place | None: ...
    def visible(self, team: str, channel: str, words: str = "", *, only_open: bool = False) -> list[Place]: ...
    def by_key(self, key: int) -> Place | None: ...
    def by_number(self, team: str, number: int) -> Place | None: ...
    def ended(self, incident: int) -> dict[str, datetime]: ...
    def marks(self, team: str, channel: str, ts: str) -> list[Mark]: ...
    def captured(self, team: str, channel: str, ts: str) -> list[Captured]: ...
    def person(self, team: str, user: str) -> Person | None: ...
    def channel(self, team: str, channel: str) -> Channel: ...
    def installation(self, team: str) -> Installation | None: ...


class Writing(Looking, Protocol):
    """What the store lets us write."""

    def remember(self, team: str, origin: str, outcome: JSON, now: datetime) -> None: ...
    def mark(self, mark: Mark) -> bool: ...
    def marks_done(self, marks: Iterable[Mark]) -> None: ...
    def keep_captured(self, captured: Captured) -> None: ...
    def learn_person(self, team: str, user: str, *, name: str, zone: str | None, now: datetime) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...


class Store(Protocol):
    """Where marks are kept."""

    def writing(self) -> AbstractContextManager[Writing]: ...
    def reading(self) -> AbstractContextManager[Looking]: ...


class Scribe(Protocol):
    """What is done about an incident (see scribe.py)."""

    def standing(self, key: int, read: Callable[[Any, Place, Incident], Any]) -> Any: ...
    def handle(
        self,
        command: cmd.Change,
        heard: Heard,
        *,
        incident: int | None = None,
        then: Callable[[Any, Recorded], None] | None = None,
    ) -> Outcome: ...
    def handle_all(
        self,
        commands: Sequence[tuple[cmd.Change, str, str]],
        heard: Heard,
        *,
        incident: int | None = None,
        then: Callable[[Any, Recorded], None] | None = None,
    ) -> Outcome: ...


class Slack(Protocol):
    """What is asked of Slack (see slack/client.py)."""

    def message(self, channel: str, ts: str) -> Mapping[str, Any] | None: ...
    def person(self, user: str, timeout: float | None = None) -> Any: ...
    def whisper(self, channel: str, user: str, message: Mapping[str, Any], *, thread: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was made from a message, as it stands now.

    `kind` is what it was recorded as. `reworded`: a person has put other words in place of the message's; `by_hand`: a
    person has worked on it in any way: corrected it, said that it helped, ruled it out.
    """

    row: Captured
    place: Place
    kind: str
    now: str
    at: datetime
    text: str
    starred: bool
    reworded: bool
    by_hand: bool

    @property
    def number(self) -> int:
        """Its number in the incident."""
        return self.row.entry


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a message is."""

    team: str
    channel: str
    ts: str

    @property
    def name(self) -> str:
        """As entries name it."""
        return f"{self.channel}/{self.ts}"


class Capture:
    """What is taken over from messages. `kinds` is the table: by the name of a reaction a kind of entry, or `STAR`."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        scribe: Scribe,
        *,
        slack: Slack,
        reading: Reading,
        wording: Wording,
        kinds: Mapping[str, str],
        prefix: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._scribe = scribe
        self._slack = slack
        self._reading = reading
        self._wording = wording
        self._kinds = {**kinds, PIN: NOTE} if kinds else {}
        self._prefix = prefix
        self._asked_to_wait: tuple[datetime, datetime] | None = None
        self.files: Files = lambda place, entry, files: ()
        """Another room's: what is done about the files of captured messages."""

    # ---- what Slack tells of: nothing is asked here ----------------------------------------------

    def marks(self, sign: str) -> bool:
        """Whether a reaction means anything here."""
        return sign in self._kinds

    def marked(self, mark: Mark, origin: str) -> None:
        """A reaction or a pin came or went; told again under the same `origin`, it is old news."""
        if mark.sign not in self._kinds:
            return
        spot = Spot(mark.team, mark.channel, mark.ts)
        with self._store.reading() as tx:
            place = self.place_of(tx, spot)
            known = bool(place) or (not mark.stands and bool(tx.captured(spot.team, spot.channel, spot.ts)))
        if known:
            self._keep(mark, origin, place)

    def changed(self, mark: Mark, origin: str) -> None:
        """A message was edited or deleted: that matters where it was captured, or is about to be."""
        spot = (mark.team, mark.channel, mark.ts)
        with self._store.reading() as tx:
            rows = tx.captured(*spot)
            if not rows and not tx.marks(*spot):
                return
            place = tx.by_key(rows[-1].incident) if rows else None
        self._keep(mark, origin, place)

    def _keep(self, mark: Mark, origin: str, place: Place | None) -> None:
        """The mark and the letter that sees to it, in one transaction."""
        origin = f"mark {origin}"
        with self._store.writing() as tx:
            if tx.heard(mark.team, origin) is not None:
                return
            now = self._clock()
            tx.remember(mark.team, origin, {"kind": "mark"}, now)
            if tx.mark(mark):
                tx.enqueue([letter_about(CAPTURE, Spot(mark.team, mark.channel, mark.ts), {}, now, place)])

    def place_of(self, tx: Looking, spot: Spot) -> Place | None:
        """The incident to which what is said in a message belongs, None where there is none.

        One that is going on; else one that was going on when it was written; else one that ended a short time before
        and is not published.
        """
        said_at = self._reading.said_at(spot.ts)
        here = tx.in_channel(spot.team, spot.channel)
        then = tx.in_channel(spot.team, spot.channel, said_at)
        if then is not None and _goes_on(then):
            return then
        if then is not None and then.opened_at <= said_at <= tx.ended(then.key).get(ev.Resolved.name, said_at):
            return then
        moved = tx.moved_from(spot.team, spot.channel)
        if moved is not None and moved.private:  # its own channel has become private since: nothing is told of it here
            moved = None
        if moved is not None and (here is None or moved.number > here.number):
            return moved
        if here is None or _goes_on(here):
            return here
        ended = tx.ended(here.key)
        late = said_at - ended.get(ev.Resolved.name, said_at) > LATER
        if ev.Published.name in ended or said_at < here.opened_at - EARLIER:
            return None
        return here if bool(here.origin) or not late else None

    # ---- what is written down when an entry is made from a message --------------------------------

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> Iterable[Letter]:
        """Keeps which entries were made from which message, whichever way they came in."""
        first = incident.seq - len(happened) + 1
        for seq, one in enumerate(happened, start=first):
            if isinstance(one, ev.Numbered) and "/" in one.said_in:
                channel, _, ts = one.said_in.partition("/")
                tx.keep_captured(Captured(place.team, channel, ts, place.key, one.entry, followed=seq))
        return ()

    def entries(self, spot: Spot) -> list[Entry]:
        """The entries made from a message that count."""
        with self._store.reading() as tx:
            rows = tx.captured(spot.team, spot.channel, spot.ts)
        found = (self._scribe.standing(row.incident, partial(_entry, row)) for row in rows)
        return [one for one in found if one is not None]

    # ---- for the shortcut ------------------------------------------------------------------------

    def places(self, team: str, channel: str, ts: str) -> list[Place]:
        """The incidents to which a message may belong, the likeliest first."""
        spot = Spot(team, channel, ts)
        with self._store.reading() as tx:
            here = self.place_of(tx, spot) or tx.in_channel(team, channel)
            others = tx.visible(team, channel, only_open=True)
        found = [here, *others] if here is not None else others
        return list({one.key: one for one in found}.values())

    def entries_of(self, team: str, channel: str, ts: str) -> list[Entry]:
        """The entries made from a message that count, and may be seen where it stands."""
        found = self.entries(Spot(team, channel, ts))
        return [one for one in found if not one.place.private or one.place.channel == channel]

    def names(self, team: str, ids: set[str], *, here: str = "") -> dict[str, str]:
        """What these people and channels are called, as far as it is known; nobody is asked.

        A private channel is not named outside itself.
        """
        found: dict[str, str] = {}
        with self._store.reading() as tx:
            for one in ids:
                if _is_channel(one):
                    channel = tx.channel(team, one)
                    found[one] = channel.name if channel.private is False or one == here else ""
                elif (person := tx.person(team, one)) is not None:
                    found[one] = person.name
        return {one: name for one, name in found.items() if name}

    def is_ours(self, team: str, message: Mapping[str, Any]) -> bool:
        """Whether Scribe wrote it."""
        with self._store.reading() as tx:
            us = tx.installation(team)
        return us is not None and self._reading.is_by(message, us.bot_user, us.bot_id)

    def add(self, number: int, command: cmd.Record, heard: Heard, *, files: Sequence[JSON], words: bool) -> Outcome:
        """Records a message as somebody filled it in; `words` says that they left its words as they are.

        The command's `target` is what the message calls its author.
        """
        self._introduce(heard.team, command.author, command.target)
        channel, _, ts = command.said_in.partition("/")

        def then(tx: Writing, done: Recorded) -> None:
            entry = getattr(done.happened[-1], "entry", 0)
            followed = done.place.seq if words else 0
            tx.keep_captured(Captured(heard.team, channel, ts, done.place.key, entry, followed=followed))
            if files:
                tx.enqueue(self.files(done.place, entry, files))

        said = [(replace(command, target=""), "text", "when")]
        return self._scribe.handle_all(said, heard, incident=number, then=then)

    def add_later(self, number: int, channel: str, ts: str, kind: Kind, at: datetime, heard: Heard) -> None:
        """Has a message recorded whose words the form could not hold."""
        origin = f"capture {heard.origin}"
        with self._store.writing() as tx:
            place = tx.by_number(heard.team, number)
            if place is None or tx.heard(heard.team, origin) is not None:
                return
            now = self._clock()
            tx.remember(heard.team, origin, {"kind": "mark"}, now)
            body = {
                "kind": kind.value,
                "at": iso(at),
                "user": heard.user,
                "origin": heard.origin,
                "thread": heard.thread,
            }
            tx.enqueue([letter_about(CHOSEN, Spot(heard.team, channel, ts), body, now, place)])

    # ---- the letter ------------------------------------------------------------------------------

    def take(self, letter: Letter) -> list[Letter]:
        """Brings the record in line with the marks of a message."""
        spot = Spot(letter.team, letter.body["channel"], letter.body["ts"])
        with self._store.reading() as tx:
            marks = tx.marks(spot.team, spot.channel, spot.ts)
            place = self.place_of(tx, spot)
        pending = [one for one in marks if not one.done]
        if not pending:
            return []
        message = _Once(lambda: self._fetched(letter, spot, pending, place))
        gone = next((one for one in pending if one.sign == DELETED and one.stands), None)
        letters: list[Letter] = []
        if gone is None and any(one.sign == EDITED for one in pending):
            found = message()
            edited = next(one for one in pending if one.sign == EDITED)
            if found is None:
                gone = replace(edited, sign=DELETED)
            else:
                self._correct(spot, edited, found)
        if gone is not None:
            self._withdraw_all(spot, gone)
        letters += self._take_away(letter, spot, [one for one in pending if not one.stands], marks, message, gone)
        letters += self._add(letter, spot, place, [one for one in pending if one.stands], message, gone)
        with self._store.writing() as tx:
            tx.marks_done(pending)
        return letters

    def choose(self, letter: Letter) -> list[Letter]:
        """Records a message as somebody chose in a form that could not hold its words."""
        body = letter.body
        spot = Spot(letter.team, body["channel"], body["ts"])
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident or 0)
        if place is None:
            return []
        message = self._asked(spot)
        if message is None or self._reading.is_gone(message):
            return [self._tell(letter, spot, body["user"], GONE, body["thread"])]
        said = self._read(spot, message)
        when = When(at=parse_utc(body["at"]), zone=self._zone(place))
        heard = Heard(spot.team, spot.channel, body["user"], body["origin"], by_letter=True, thread=body["thread"])
        self._record(spot, place, Kind(body["kind"]), said, heard, marked=False, when=when)
        return []

    def tell(self, letter: Letter) -> list[Letter]:
        """Tells the person alone why nothing was recorded, or removed."""
        body = letter.body
        message = self._wording.told(body["what"], body, self._prefix)
        self._slack.whisper(body["channel"], body["user"], message, thread=body["thread"])
        return []

    # ---- its steps -------------------------------------------------------------------------------

    def _correct(self, spot: Spot, edited: Mark, message: Mapping[str, Any]) -> None:
        """What was edited in the message is corrected in the record, unless a person has chosen other words there."""
        said = self._read(spot, message)
        for entry in self.entries(spot):
            if entry.reworded or not said.text or entry.text == said.text:
                continue
            heard = self._of_author(spot, said.author or edited.by, "edited", edited, entry)
            if heard is None:
                continue

            def then(tx: Writing, done: Recorded, row: Captured = entry.row) -> None:
                tx.keep_captured(replace(row, followed=done.place.seq))

            command = cmd.CorrectText(entry=entry.number, text=said.text)
            self._scribe.handle(command, heard, incident=entry.place.number, then=then)

    def _withdraw_all(self, spot: Spot, gone: Mark) -> None:
        """A message that was deleted leaves the record, but for what a person has worked on since."""
        for entry in self.entries(spot):
            heard = None if entry.by_hand else self._of_author(spot, gone.by, "deleted", gone, entry)
            if heard is not None:
                command = cmd.Remove(entry=entry.number, why=DELETED_WHY)
                self._scribe.handle(command, heard, incident=entry.place.number)

    def _of_author(self, spot: Spot, author: str, what: str, mark: Mark, entry: Entry) -> Heard | None:
        """What the author of a message did to it is said by them, and nobody is answered."""
        if not author:
            return None
        origin = f"capture {spot.name} {what} {iso(mark.at)} {entry.place.number}/{entry.number} {entry.row.followed}"
        return Heard(spot.team, spot.channel, author, origin)

    def _take_away(
        self,
        letter: Letter,
        spot: Spot,
        taken: Sequence[Mark],
        marks: Sequence[Mark],
        message: Callable[[], Mapping[str, Any] | None],
        gone: Mark | None,
    ) -> list[Letter]:
        """What is marked no more is removed: the entry that a mark made, when the last such mark is gone."""
        letters: list[Letter] = []
        for kind in _in_order(self._kinds[one.sign] for one in taken if one.sign in self._kinds):
            last = max((one for one in taken if self._kinds.get(one.sign) == kind), key=lambda one: one.at)
            signs = self._signs(kind)
            if any(one.stands for one in marks if one.sign in signs):
                continue
            if kind == STAR:
                entries = [one for one in self.entries(spot) if one.starred]
            else:
                entries = [one for one in self.entries(spot) if one.kind == kind and one.row.marked]
            if not entries or gone is not None:
                continue
            found = message()
            if found is not None and self._still_marked(found, spot, signs, marks):
                continue
            thread = self._read(spot, found).thread if found is not None else ""
            for entry in entries:
                letters += self._undo(letter, spot, entry, kind, last, thread, marks)
        return letters

    def _undo(
        self, letter: Letter, spot: Spot, entry: Entry, kind: str, last: Mark, thread: str, marks: Sequence[Mark]
    ) -> list[Letter]:
        """Takes back what a mark did: an entry that it made, or that an entry stands in the main document."""
        made = entry.row.marked and (kind != STAR or self._made_by_star(entry, marks))
        heard = self._of_person(spot, last, f"{kind} off {entry.number}", thread)
        if not made:
            unkey = cmd.MarkEntry(entry=entry.number, mark=cmd.Mark.UNKEY)
            self._scribe.handle(unkey, heard, incident=entry.place.number)
            return []
        if entry.by_hand:
            return [self._tell(letter, spot, last.by, STAYS, thread, entry=entry.number, incident=entry.place.name)]
        self._scribe.handle(cmd.Remove(entry=entry.number), heard, incident=entry.place.number)
        return []

    def _made_by_star(self, entry: Entry, marks: Sequence[Mark]) -> bool:
        """Whether nothing but a star ever made this note."""
        others = [sign for sign, kind in self._kinds.items() if kind == NOTE]
        return entry.kind == NOTE and not any(one.sign in others and one.stands for one in marks)

    def _add(
        self,
        letter: Letter,
        spot: Spot,
        place: Place | None,
        added: Sequence[Mark],
        message: Callable[[], Mapping[str, Any] | None],
        gone: Mark | None,
    ) -> list[Letter]:
        """Records what was marked: once for each kind, whoever marked it how often."""
        added = [one for one in added if one.sign in self._kinds]
        if not added or place is None:
            return []
        first = {
            kind: next(one for one in added if self._kinds[one.sign] == kind)
            for kind in _in_order(self._kinds[one.sign] for one in added)
        }
        live = [one for one in self.entries(spot) if one.place.key == place.key]
        wanted = {kind: one for kind, one in first.items() if kind != STAR}
        wanted = {kind: one for kind, one in wanted.items() if not any(kind in (e.kind, e.now) for e in live)}
        star = first.get(STAR)
        if star is not None and not live and not wanted:
            wanted[NOTE] = star
        if wanted:
            found = None if gone is not None else message()
            asked = list(dict.fromkeys(one.by for one in added))
            if found is None:
                return [self._tell(letter, spot, who, GONE) for who in asked]
            if self.is_ours(spot.team, found):
                return []
            thread = self._read(spot, found).thread
            if self._reading.is_notice(found):
                return [self._tell(letter, spot, who, NOTICE, thread) for who in asked]
            if self._reading.said_at(spot.ts) < place.opened_at - EARLIER:
                about = {"incident": place.name, "at": iso(self._reading.said_at(spot.ts))}
                return [self._tell(letter, spot, who, OLD, thread, **about) for who in asked]
            said = self._read(spot, found)
            with self._store.reading() as tx:
                earlier = len(tx.captured(spot.team, spot.channel, spot.ts))  # marked anew it is recorded anew
            for kind, one in wanted.items():
                heard = self._of_person(spot, one, f"{kind} {earlier}", thread)
                self._record(spot, place, Kind(kind), said, heard, marked=True)
        if star is not None:
            self._star(spot, place, star, message)
        return []

    def _star(self, spot: Spot, place: Place, star: Mark, message: Callable[[], Mapping[str, Any] | None]) -> None:
        """What was made from a starred message stands in the main document."""
        for entry in self.entries(spot):
            if entry.place.key == place.key and not entry.starred:
                heard = self._of_person(spot, star, f"key {entry.number}", "")
                fresh = entry.row.marked and entry.place.seq == entry.row.followed
                heard = replace(heard, by_letter=heard.by_letter and not fresh)  # it has just been answered
                key = cmd.MarkEntry(entry=entry.number, mark=cmd.Mark.KEY)
                self._scribe.handle(key, heard, incident=place.number)

    def _record(
        self, spot: Spot, place: Place, kind: Kind, said: Said, heard: Heard, *, marked: bool, when: When | None = None
    ) -> Outcome:
        """Records a message as one kind of entry, with what came with it."""
        command = cmd.Record(
            kind=kind,
            text=said.text,
            when=when or When(at=min(self._reading.said_at(spot.ts), self._clock()), zone=self._zone(place)),
            said_in=spot.name,
            author=said.author,
        )

        def then(tx: Writing, done: Recorded) -> None:
            number = getattr(done.happened[-1], "entry", 0)
            row = Captured(spot.team, spot.channel, spot.ts, place.key, number, marked, done.place.seq)
            tx.keep_captured(row)
            if said.files:
                tx.enqueue(self.files(done.place, number, said.files))

        outcome = self._scribe.handle(command, heard, incident=place.number, then=then)
        if isinstance(outcome, Refused):
            log.info("a message of %s was not recorded: %s", place.name, outcome.message)
        return outcome

    def _of_person(self, spot: Spot, mark: Mark, what: str, thread: str) -> Heard:
        """What somebody did to a message, as a request of theirs: the same at each try."""
        origin = f"capture {spot.name} {what} {iso(mark.at)} {mark.by}"
        return Heard(spot.team, spot.channel, mark.by, origin, by_letter=True, quiet=True, thread=thread)

    def _signs(self, kind: str) -> set[str]:
        """The marks that keep an entry of a kind: a starred message is at least a note."""
        return {sign for sign, of in self._kinds.items() if of == kind or (kind == NOTE and of == STAR)}

    def _still_marked(self, message: Mapping[str, Any], spot: Spot, signs: set[str], marks: Sequence[Mark]) -> bool:
        """Whether Slack shows such a mark by somebody of whom it was never told, or whose mark is forgotten here."""
        off = {(one.sign, one.holder) for one in marks if not one.stands}
        shown = self._reading.marked(message, spot.channel)
        return any((sign, holder) not in off for sign in signs for holder in shown.get(sign, ()))

    # ---- asking Slack ----------------------------------------------------------------------------

    def _fetched(
        self, letter: Letter, spot: Spot, pending: Sequence[Mark], place: Place | None
    ) -> Mapping[str, Any] | None:
        """The message, None where it is gone. Where Slack refuses it for good, those who marked it are told, once."""
        try:
            found = self._asked(spot)
        except Undelivered as failure:
            if failure.permanent:
                self._tell_that_it_waits(letter, spot, pending, failure)
            raise
        return None if found is None or self._reading.is_gone(found) else found

    def _asked(self, spot: Spot) -> Mapping[str, Any] | None:
        """Asks for the message; while Slack asks to wait, nobody asks."""
        now = self._clock()
        asked_at, until = self._asked_to_wait or (now, now)
        if asked_at <= now < until:
            raise Undelivered("Slack asks to wait.", retry_after=(until - now).total_seconds(), code="ratelimited")
        try:
            return self._slack.message(spot.channel, spot.ts)
        except Undelivered as failure:
            if failure.retry_after:
                self._asked_to_wait = (now, now + timedelta(seconds=failure.retry_after))
            raise

    def _read(self, spot: Spot, message: Mapping[str, Any]) -> Said:
        """The message in plain words, with the names of those whom it mentions."""
        mentioned = self._reading.named(message)
        for user in sorted(one for one in mentioned if not _is_channel(one)):
            self._ask_for(spot.team, user)
        said = self._reading.read(message, self.names(spot.team, mentioned, here=spot.channel))
        self._introduce(spot.team, said.author, said.called)
        return said

    def _introduce(self, team: str, author: str, called: str) -> None:
        """Keeps what a message calls its author: of a program, or of another company, Slack may not say it."""
        if not author or not called:
            return
        with self._store.reading() as tx:
            known = tx.person(team, author)
        if known is None or not known.name:
            with self._store.writing() as tx:
                tx.learn_person(team, author, name=called, zone=None, now=self._clock())

    def _ask_for(self, team: str, user: str) -> None:
        """Asks what a person is called, where that is not known."""
        with self._store.reading() as tx:
            known = tx.person(team, user)
        if known is not None and known.learned_at is not None:
            return
        try:
            found = self._slack.person(user)
        except Undelivered as failure:
            if not failure.permanent:
                raise
            return
        with self._store.writing() as tx:
            tx.learn_person(team, user, name=found.name, zone=found.zone, now=self._clock())

    def _zone(self, place: Place) -> str:
        found: str | None = self._scribe.standing(place.key, lambda tx, place, incident: incident.zone)
        return found or "UTC"

    # ---- telling ---------------------------------------------------------------------------------

    def _tell(self, letter: Letter, spot: Spot, user: str, what: str, thread: str = "", **about: Any) -> Letter:
        body = {"channel": spot.channel, "user": user, "thread": thread, "what": what, **about}
        return Letter(TOLD, spot.team, f"{spot.team}/{user}", body, self._clock(), letter.incident, blocking=False)

    def _tell_that_it_waits(self, letter: Letter, spot: Spot, pending: Sequence[Mark], failure: Undelivered) -> None:
        added = [one for one in pending if one.stands and one.sign in self._kinds]
        with self._store.writing() as tx:
            for one in added:
                origin = f"capture {spot.name} {WAITS} {one.by}"
                if tx.heard(spot.team, origin) is None:
                    tx.remember(spot.team, origin, {"kind": "mark"}, self._clock())
                    tx.enqueue([self._tell(letter, spot, one.by, WAITS, reason=failure.message)])


class _Once:
    """What is asked for once at most, and only where somebody needs it."""

    def __init__(self, ask: Callable[[], Mapping[str, Any] | None]) -> None:
        self._ask = ask
        self._found: list[Mapping[str, Any] | None] = []

    def __call__(self) -> Mapping[str, Any] | None:
        if not self._found:
            self._found.append(self._ask())
        return self._found[0]


def letter_about(kind: str, spot: Spot, body: JSON, now: datetime, place: Place | None) -> Letter:
    """A letter about a message; those about one message leave in order, and nothing waits for them."""
    lane = f"{spot.team}/{spot.name}"
    body = {"channel": spot.channel, "ts": spot.ts, **body}
    about = f"{CAPTURE}/{lane}" if kind == CAPTURE else ""
    return Letter(kind, spot.team, lane, body, now, place.key if place else None, blocking=False, about=about)


def _is_channel(mentioned: str) -> bool:
    return mentioned.startswith(("C", "G"))


def _goes_on(place: Place) -> bool:
    return place.status in ("open", "mitigated")


def _in_order(kinds: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(kinds))


def _entry(row: Captured, tx: Any, place: Place, incident: Incident) -> Entry | None:
    """The entry as it stands, None where it left the record or its words were destroyed."""
    entry = incident.entries.get(row.entry)
    if entry is None or not entry.live or entry.redacted:
        return None
    touched = [one for one in entry.history if not isinstance(one, ev.TextCorrected | ev.Starred | ev.Attached)]
    worded = [
        seq
        for seq, one in history(incident)
        if isinstance(one, ev.TextCorrected) and one.entry == row.entry and seq not in incident.undone
    ]
    reworded = max([entry.seq, *worded]) != row.followed
    return Entry(
        row=row,
        place=place,
        kind=entry.event.kind.value,
        now=entry.kind.value,
        at=entry.at,
        text=entry.text,
        starred=entry.starred,
        reworded=reworded,
        by_hand=bool(touched) or reworded or incident.dead_end_of(row.entry) is not None,
    )
