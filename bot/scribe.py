"""What we do about it: every way in comes through `say`, `choose` or `handle`; one transaction each.

This room knows the order of things (heard before? decide, append, enqueue, remember) and nothing of SQL, Slack or
wording. What was said is committed when these functions return.
"""

from __future__ import annotations

import functools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, ParamSpec, Protocol, TypeVar

from bot import logs
from bot.core import commands as cmd
from bot.core import customers, document, facts, language, tasks
from bot.core import events as ev
from bot.core.answers import (
    Asked,
    Gap,
    Gaps,
    Heard,
    Help,
    Listed,
    OnItsWay,
    Outcome,
    Recorded,
    Refused,
    Status,
    Suggesting,
    Tasks,
    TasksTold,
    Timeline,
    beside,
    line_of,
)
from bot.core.decide import LINE_TO_CONFIRM, Speaker, decide
from bot.core.errors import Choice, Question, Refusal
from bot.core.events import Kind
from bot.core.grammar import (
    FIRST_EIGHT,
    TABLE,
    VERBS,
    Context,
    Parsed,
    aimed,
    asks_first,
    find,
    kind_of,
    nearest,
    parse,
    parts_of,
)
from bot.core.incident import LIFE_KINDS, Entry, Incident, Stage, fold, history, words_of
from bot.core.incident import Status as State
from bot.core.nudges import reminded_of
from bot.core.recognise import CLUES, clue, may_tell
from bot.core.record import JSON, Channel, Letter, Offer, OpenTask, Person, Place, Revision
from bot.core.times import iso, localize
from bot.core.wording import length

OFFER_LIFE = timedelta(hours=24)
QUIET = timedelta(minutes=10)
"""A document that was posted is revised when nothing was recorded for this long."""
REMEMBERED_INCIDENTS = 64
REMEMBERED_ANSWERS = 256
"""Answers that need no fold when their letter leaves, or their request comes again; by the hash of their last event."""
LATE = timedelta(minutes=1)
"""Slack delivers an event within seconds; after an outage, hours later."""
FRESH = timedelta(days=1)
"""People and channels that are heard of are looked up again after this time."""
TIMELINE_LINES = 30
LIST_LINES = 20
TASK_LINES = 10
DRAFT_LETTERS = ("export", "announce")
UNCOUNTED = frozenset(
    {"agenda", "post_anew", "section", "board", "board_down", "topic", "announcement", "nudge", "digest"}
)
"""Letters that bring something up to date, or ring at a time: `status` does not count them as still to be sent."""
DESTROYING = (ev.Redacted.name, ev.WordsDestroyed.name)


class Reading(Protocol):
    """What the store lets us look up (see store.py)."""

    def heard(self, team: str, origin: str) -> JSON | None: ...
    def offer(self, team: str, key: str) -> Offer | None: ...
    def in_channel(self, team: str, channel: str, at: datetime | None = None) -> Place | None: ...
    def by_number(self, team: str, number: int) -> Place | None: ...
    def moved_from(self, team: str, channel: str) -> Place | None: ...
    def by_key(self, key: int) -> Place | None: ...
    def visible(self, team: str, channel: str, words: str = "", *, only_open: bool = False) -> list[Place]: ...
    def events(self, incident: int, after: int = 0, upto: int | None = None) -> list[ev.Event]: ...
    def person(self, team: str, user: str) -> Person | None: ...
    def people(self, keys: Iterable[str]) -> dict[str, Person]: ...
    def channel(self, team: str, channel: str) -> Channel: ...
    def letters(
        self, state: str, incident: int | None = None, kinds: Sequence[str] = ()
    ) -> list[tuple[Letter, str]]: ...
    def is_waiting(self, about: str) -> bool: ...
    def has_after(self, incident: int, seq: int, names: Sequence[str]) -> bool: ...
    def head_at(self, incident: int, seq: int) -> str: ...
    def revision(self, incident: int, revision: int) -> Revision | None: ...
    def latest_revision(self, incident: int) -> Revision | None: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...
    def nudges(self, incident: int) -> dict[str, datetime]: ...
    def open_tasks(self, team: str, person: str = "") -> list[OpenTask]: ...
    def waiting_about(self, about: str) -> Letter | None: ...


class Writing(Reading, Protocol):
    """What the store lets us write (see store.py)."""

    def remember(self, team: str, origin: str, outcome: JSON, now: datetime) -> None: ...
    def make_offer(
        self,
        team: str,
        channel: str,
        by: str,
        line: str,
        said_at: datetime,
        choices: Sequence[Choice],
        mentions: JSON,
        incident: int | None = None,
    ) -> str: ...
    def take_offer(self, team: str, key: str, choice: int) -> None: ...
    def open_incident(self, team: str, channel: str, *, private: bool, now: datetime) -> Place: ...
    def append(self, place: Place, happened: Sequence[ev.Event]) -> list[int]: ...
    def summarise(self, incident: int, *, title: str, status: str, severity: int | None) -> None: ...
    def move(self, place: Place, channel: str) -> None: ...
    def destroy_words(self, incident: int, seqs: Sequence[int]) -> None: ...
    def know(self, team: str, user: str, name: str = "") -> Person: ...
    def learn_person(self, team: str, user: str, *, name: str, zone: str | None, now: datetime) -> None: ...
    def learn_channel(self, found: Channel) -> None: ...
    def revise(self, place: Place, upto: int) -> tuple[int, bool]: ...
    def forget_unsent_revision(self, incident: int) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...
    def postpone(self, incident: int, kinds: Sequence[str], due_at: datetime) -> int: ...
    def drop(self, incident: int, kinds: Sequence[str]) -> int: ...
    def wake(self, team: str, channel: str, now: datetime) -> None: ...
    def send_again(self, now: datetime, incident: int | None = None) -> int: ...
    def want_to_be_told_of_tasks(self, team: str, person: str, wanted: bool, today: date) -> None: ...


class Store(Protocol):
    """Where the record is."""

    def writing(self) -> AbstractContextManager[Writing]: ...
    def reading(self) -> AbstractContextManager[Reading]: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """How this installation behaves; from the settings."""

    zone: str = "UTC"
    draft_delay: timedelta = timedelta(seconds=15)
    authors_only: bool = False
    command: str = "/incident"
    exports: tuple[str, ...] = ("file",)
    templates: Callable[[], Sequence[str]] = lambda: document.TEMPLATES
    nudges: Mapping[str, timedelta] = field(default_factory=dict)
    task_days: tasks.Days = field(default_factory=dict)
    keep_chat_days: int = 0


Follower = Callable[["Writing", Place, Incident, Sequence[ev.Event], datetime], Iterable[Letter]]
"""What else shall leave because of what happened: (transaction, place, the incident as it is now, the events, now)."""

Answer = TypeVar("Answer")

ZoneOf = Callable[[str, str], tuple[str, str] | None]
"""Name and zone of a person (team, Slack id), looked up with a short time-out; None when that fails."""


P = ParamSpec("P")


def _noting(way_in: Callable[P, Outcome]) -> Callable[P, Outcome]:
    """A way in that notes for the log what became of a request: verb, incident and number, and never what was said."""

    @functools.wraps(way_in)
    def noted(*args: P.args, **kwargs: P.kwargs) -> Outcome:
        outcome = way_in(*args, **kwargs)
        match outcome:
            case Recorded(place=place, happened=happened):
                entry = getattr(happened[-1], "entry", None)
                logs.note(outcome="recorded", incident=place.name, verb=happened[-1].name, entry=entry, event=place.seq)
            case Refused():
                logs.note(outcome="refused")
            case Asked():
                logs.note(outcome="asked")
            case _:
                logs.note(outcome="looked")
        return outcome

    return noted


class Scribe:
    """The application. `clock` gives aware UTC; `zone_of` asks Slack for a person's zone when a line needs it."""

    def __init__(self, store: Store, clock: Callable[[], datetime], rules: Rules, zone_of: ZoneOf) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._zone_of = zone_of
        self.followers: list[Follower] = []
        """Rooms that have letters of their own to write in the transaction that records (see app.py)."""
        self._lock = threading.RLock()
        self._remembered: OrderedDict[int, Incident] = OrderedDict()
        self._answered: OrderedDict[str, Recorded] = OrderedDict()

    # ---- ways in ---------------------------------------------------------------------------------

    @_noting
    def say(self, line: str, heard: Heard) -> Outcome:
        """What a line of the /incident language leads to: recorded, refused, asked about, or something to look at."""
        with self._store.reading() as tx:
            earlier = tx.heard(heard.team, heard.origin)
        if earlier is not None:
            return self._as_before(earlier, heard.team)
        now = self._clock()
        self._note_channel(heard)
        said_at = min(heard.said_at or now, now)
        try:
            parsed, zone = self._parse(line, heard, said_at)
            if (heard.opens or heard.by_letter) and (asked := asks_first(parsed)):
                raise asked
            if isinstance(parsed.command, cmd.Look):
                return self._show(parsed.command, heard, parsed.incident, now)
        except Refusal as refusal:
            refusal = self._with_form(refusal, line, heard, said_at)
            if refusal.form and heard.opens:
                return Refused(refusal.message, refusal.hint, refusal.field, refusal.form)
            return self._refuse(refusal, line, heard, said_at)
        return self.handle(
            parsed.command,
            heard,
            line=line,
            incident=parsed.incident,
            said_at=said_at,
            default_zone=zone is None,
        )

    @_noting
    def choose(self, offer_key: str, choice: int, heard: Heard) -> Outcome:
        """What a tap on a choice of an offer leads to; a second tap is answered like the first."""
        tapped, heard = heard, replace(heard, origin=f"offer:{offer_key}")
        with self._store.reading() as tx:
            earlier = self._heard(tx, heard, tapped)
            offer = tx.offer(heard.team, offer_key)
            person = tx.person(heard.team, heard.user)
        if earlier is not None:
            return self._as_before(earlier, heard.team)
        now = self._clock()
        if offer is None or now - offer.said_at > OFFER_LIFE or choice >= len(offer.choices):
            return self._refuse(Refusal("That button is older than 24 hours.", "Type the line again."), "", tapped, now)
        if offer.by and (person is None or person.key != offer.by):
            return self._refuse(
                Refusal("Only who typed the line can choose here.", "Type a line of your own."), "", tapped, now
            )
        taken = offer.choices[choice]
        undo = cmd.Undo(seq=taken.undoes) if taken.undoes else None
        if undo and not taken.line:
            return self.handle(undo, heard, incident=offer.incident, offer=offer, choice=choice, tapped=tapped)
        line = taken.line or offer.line
        heard = replace(heard, mentions=offer.mentions, channel=offer.channel)
        try:
            parsed, _ = self._parse(line, heard, offer.said_at)
            if not taken.confirmed and (asked := asks_first(parsed)):
                raise asked
            if isinstance(parsed.command, cmd.Look):
                return self._show(parsed.command, heard, parsed.incident, now)
            return self.handle(
                parsed.command,
                heard,
                line=line,
                incident=parsed.incident or offer.incident,
                confirmed=taken.confirmed,
                said_at=offer.said_at,
                offer=offer,
                choice=choice,
                tapped=tapped,
                after=undo,
            )
        except Refusal as refusal:
            refusal = self._with_form(refusal, line, heard, offer.said_at)
            if refusal.form and tapped.opens:
                return Refused(refusal.message, refusal.hint, refusal.field, refusal.form)
            return self._refuse(refusal, line, tapped, offer.said_at)

    @_noting
    def handle(
        self,
        command: cmd.Change,
        heard: Heard,
        *,
        line: str = "",
        incident: int | None = None,
        confirmed: bool = False,
        said_at: datetime | None = None,
        default_zone: bool = False,
        offer: Offer | None = None,
        choice: int = 0,
        tapped: Heard | None = None,
        after: cmd.Undo | None = None,
        then: Callable[[Writing, Recorded], None] | None = None,
    ) -> Outcome:
        """Records what a command leads to and what shall leave because of it, in one transaction.

        `line` is the text it was read from, `incident` the number that it named, `said_at` when it was typed if that is
        not now, `offer` and `choice` the offer that it answers, `tapped` the tap itself: a refusal answers that.
        `after` is taken back first; both happen, or neither does and Refusal is raised. `then` is what else is written
        down in the same transaction where something was recorded.
        """
        with self._lock, self._forgetting_on_failure(), self._store.writing() as tx:
            earlier = self._heard(tx, heard, tapped)
            if earlier is None:
                now = self._clock()
                if after is not None:
                    undone, _ = self._change(tx, after, heard, now, "", incident, False, now, False)
                    if isinstance(undone, Refused):
                        raise Refusal(undone.message, undone.hint)
                outcome, kept = self._change(
                    tx, command, heard, now, line, incident, confirmed, said_at or now, default_zone
                )
                if after is not None and isinstance(outcome, Refused):
                    raise Refusal(outcome.message, outcome.hint)
                if then is not None and isinstance(outcome, Recorded):
                    then(tx, outcome)
                if tapped is not None and isinstance(outcome, Refused):
                    heard = replace(tapped, by_letter=heard.by_letter)  # the offer still stands, for another tap
                tx.remember(heard.team, heard.origin, kept, now)
                self._reply(tx, heard, outcome, now)
                if offer is not None and not isinstance(outcome, Refused):
                    tx.take_offer(heard.team, offer.key, choice)
                return outcome
        return self._as_before(earlier, heard.team)

    @_noting
    def handle_all(
        self,
        commands: Sequence[tuple[cmd.Change, str, str]],
        heard: Heard,
        *,
        incident: int | None = None,
        still: Callable[[Incident], None] | None = None,
        then: Callable[[Writing, Recorded], None] | None = None,
    ) -> Outcome:
        """Records what a form says: all of it in one transaction, or nothing.

        Each command comes with the field that says it and the one that says when. `still` raises Refusal where the
        incident is no more as the form showed it. What is refused is not remembered: the form stays open, with the
        reason beside the field, and comes again. `then` is as for `handle`.
        """
        try:
            with self._lock, self._forgetting_on_failure(), self._store.writing() as tx:
                earlier = tx.heard(heard.team, heard.origin)
                if earlier is None:
                    now = self._clock()
                    self._look_before(tx, commands, heard, incident, still)
                    outcome, kept = self._recorded_together(tx, commands, heard, now, incident)
                    if then is not None:
                        then(tx, outcome)
                    tx.remember(heard.team, heard.origin, kept, now)
                    self._reply(tx, heard, outcome, now)
                    return outcome
        except Refusal as refusal:
            return Refused(refusal.message, refusal.hint, refusal.field)
        return self._as_before(earlier, heard.team)

    def _look_before(
        self,
        tx: Writing,
        commands: Sequence[tuple[cmd.Change, str, str]],
        heard: Heard,
        number: int | None,
        still: Callable[[Incident], None] | None,
    ) -> None:
        """Raises Refusal where a form cannot be recorded, whatever it says."""
        if isinstance(commands[0][0], cmd.Start) and tx.channel(heard.team, heard.channel).archived:
            raise Refusal("That channel is archived: nobody can write there.", "Choose another one.", "channel")
        if still is not None:
            place = self._place(tx, heard, number, commands[0][0])
            try:
                if place is not None:
                    still(self._incident(tx, place))
            except Refusal as other:
                raise Refusal(other.message, other.hint, other.field or commands[0][1]) from None

    def _recorded_together(
        self,
        tx: Writing,
        commands: Sequence[tuple[cmd.Change, str, str]],
        heard: Heard,
        now: datetime,
        number: int | None,
    ) -> tuple[Recorded, JSON]:
        """Records commands one after another; what is answered is the last one, with the others beside it."""
        happened: list[ev.Event] = []
        seqs: list[int] = []
        for command, name, when in commands:
            outcome, kept = self._change(tx, command, heard, now, "", number, False, now, False)
            if isinstance(outcome, Refused):
                raise Refusal(outcome.message, outcome.hint, outcome.field.replace("when", when) or name)
            if isinstance(outcome, Asked):
                raise Refusal(outcome.message, outcome.hint, when or name)
            assert isinstance(outcome, Recorded)
            last = outcome
            happened += outcome.happened
            seqs += kept["seqs"]
        last = replace(last, happened=tuple(happened))
        self._answered[last.place.head] = last
        return last, {**kept, "seqs": seqs}

    # ---- forms -----------------------------------------------------------------------------------

    def refuse(self, refusal: Refusal, line: str, heard: Heard) -> Outcome:
        """Answers a line that was refused, where no form could be opened for it."""
        return self._refuse(refusal, line, heard, self._clock())

    def form_of(
        self, line: str, heard: Heard, read: Callable[[Place | None, Incident | None, Mapping[str, str]], Answer]
    ) -> Answer:
        """What `read` makes of the incident that a form's line names, and of the names of its people by key.

        Raises Refusal where that incident may not be seen from here. Where the line opens one, there is none. It runs
        behind the lock: it must be quick and keep nothing of the incident.
        """
        verb, number, rest = parts_of(line)
        with self._lock, self._store.reading() as tx:
            if verb == "start":
                return read(None, None, {})
            place = self._place(tx, heard, number, _about_task(verb, rest))
            if place is None:
                raise _nothing_open()
            incident = self._incident(tx, place)
            people = tx.people(one.by for one in incident.entries.values())
            return read(place, incident, {key: person.name for key, person in people.items()})

    def zone(self, heard: Heard, *, ask: bool = False) -> str:
        """The zone in which times are printed that somebody picks; with `ask`, Slack is asked where it is not known."""
        with self._store.reading() as tx:
            person = tx.person(heard.team, heard.user)
        known = person.zone if person else None
        if known is None and ask:
            known = self._find_zone(heard, self._clock())
        return known or self._rules.zone

    def called(self, team: str, user: str) -> str:
        """What a person is called whom somebody picked: @ada, or @U0ADA where the name is not known yet."""
        with self._store.reading() as tx:
            person = tx.person(team, user)
        return f"@{(person.name if person else '') or user}"

    @property
    def task_days(self) -> tasks.Days:
        """How many days an action item may take, by severity."""
        return self._rules.task_days

    def _with_form(self, refusal: Refusal, line: str, heard: Heard, said_at: datetime) -> Refusal:
        """The refusal of a line that has a form, the form aimed at the incident it is about; another where none is."""
        verb, number, rest = parts_of(refusal.form)
        if not verb or verb == "start":
            return refusal
        with self._lock, self._store.reading() as tx:
            try:
                place = self._place(tx, heard, number, _about_task(verb, rest), _if_late(said_at, self._clock()))
            except Refusal as unseen:
                return unseen
            if place is None:
                return self._elsewhere(tx, _nothing_open(), None, line, heard, None)
        return Refusal(refusal.message, refusal.hint, refusal.field, aimed(f"{verb} {rest}", place.number))

    def _heard(self, tx: Reading, heard: Heard, tapped: Heard | None) -> JSON | None:
        """The outcome of a request that came before: of this very tap, which may have been refused, or of its offer."""
        refused = tx.heard(tapped.team, tapped.origin) if tapped else None
        return refused or tx.heard(heard.team, heard.origin)

    @contextmanager
    def _forgetting_on_failure(self) -> Iterator[None]:
        """What is remembered was changed together with the store; when that fails, both go back."""
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self._remembered.clear()
                self._answered.clear()

    # ---- one change ------------------------------------------------------------------------------

    def _change(
        self,
        tx: Writing,
        command: cmd.Change,
        heard: Heard,
        now: datetime,
        line: str,
        number: int | None,
        confirmed: bool,
        said_at: datetime,
        default_zone: bool,
    ) -> tuple[Outcome, JSON]:
        person = tx.know(heard.team, heard.user, heard.user_name)
        self._meet(tx, person, now)
        self._learn_channel(tx, heard)
        speaker = Speaker(person.key, person.zone or self._rules.zone)
        command = self._with_keys(tx, command, heard.team)
        place: Place | None = None
        try:
            then = None if isinstance(command, cmd.Start) else _if_late(said_at, now)
            place = self._place(tx, heard, number, command, then)
            if place is not None:
                self._look_again(tx, place, now)
                if place.channel != heard.channel and tx.channel(heard.team, heard.channel).looked_at is None:
                    self._look_at(tx, heard.team, heard.channel, now)
            before = self._incident(tx, place) if place else None
            command = self._checked(tx, command, heard, before)
            happened = decide(
                before,
                command,
                speaker,
                now,
                confirmed=confirmed,
                authors_only=self._rules.authors_only,
                said_at=said_at,
            )
        except Refusal as refusal:
            refusal = self._elsewhere(tx, refusal, place, line, heard, number)
            return self._refused(tx, refusal, line, heard, said_at, place)
        if isinstance(command, cmd.Start):
            place = tx.open_incident(heard.team, heard.channel, private=self._is_private(tx, heard), now=now)
        assert place is not None
        return self._append(tx, place, happened, person, heard, now, line, default_zone)

    def _append(
        self,
        tx: Writing,
        place: Place,
        happened: list[ev.Event],
        person: Person,
        heard: Heard,
        now: datetime,
        line: str,
        default_zone: bool,
    ) -> tuple[Outcome, JSON]:
        incident = self._incident(tx, place)
        was = incident.status
        seqs = tx.append(place, happened)
        for one in happened:
            incident.apply(one)
        for one in happened:
            if isinstance(one, ev.Redacted | ev.WordsDestroyed):
                tx.destroy_words(place.key, _words_of(incident, one))
                self._remembered.pop(place.key, None)
                self._answered.clear()
                incident = self._incident(tx, replace(place, seq=place.seq + len(happened)))
        tx.summarise(place.key, title=incident.title, status=incident.status.value, severity=incident.severity)
        if any(isinstance(one, ev.ChannelOpened) for one in happened):
            tx.move(place, incident.own_channel)
            place = replace(place, channel=incident.own_channel, origin=place.origin or place.channel)
        self._send(tx, place, incident, was, happened, now)
        for follower in self.followers:
            tx.enqueue(follower(tx, place, incident, happened, now))
        self._hint(tx, place, incident, happened, seqs, heard, now)
        choices = _buttons(incident, happened, seqs, line)
        offer = ""
        if choices:
            own = any(choice.undoes for choice in choices)
            offer = tx.make_offer(
                heard.team, heard.channel, person.key if own else "", "", now, choices, {}, place.number
            )
        fresh = tx.by_key(place.key)
        assert fresh is not None
        kept: JSON = {"kind": "recorded", "incident": place.key, "seqs": seqs, "offer": offer, "by": person.key}
        if default_zone:
            kept["zone"] = self._rules.zone
        outcome = self._recorded(tx, fresh, incident, happened, person, choices, kept, now)
        self._answered[fresh.head] = outcome
        if len(self._answered) > REMEMBERED_ANSWERS:
            self._answered.popitem(last=False)
        return outcome, kept

    def _recorded(
        self,
        tx: Reading,
        place: Place,
        incident: Incident,
        happened: Sequence[ev.Event],
        person: Person,
        choices: tuple[Choice, ...],
        kept: JSON,
        now: datetime,
    ) -> Recorded:
        """The answer to what was recorded; `incident` is as it was right after."""
        last = happened[-1]
        about = _about(incident, last)
        windows = incident.windows()
        resolved = incident.resolution
        keys = {incident.entries[1].by, person.key}
        keys |= {getattr(one, name, "") for one in happened for name in ("person", "author")}
        reminded = (
            reminded_of(incident, incident.entries[last.entry], self._rules.nudges)
            if isinstance(last, ev.ToldStakeholders)
            else ()
        )
        keys |= set(reminded)
        return Recorded(
            place=place,
            happened=tuple(happened),
            by=person,
            people=tx.people(keys),
            now=now,
            zone=incident.zone,
            drill=incident.drill,
            onset=incident.onset,
            onset_approx=incident.onset_approx,
            about=about.text if about else "",
            about_kind=about.kind if about else None,
            total=length(incident.onset, resolved.at) if resolved and incident.onset else None,
            impact=incident.impact(now) if incident.onset else None,
            window=windows[-1].length(now) if windows else None,
            windows=len(windows),
            impact_on=bool(windows) and windows[-1].end is None,
            undone=incident.happened[last.seq - 1] if isinstance(last, ev.Undone) else None,
            addendum=incident.stage is Stage.PUBLISHED and not isinstance(last, ev.Published),
            invite=self._invite(tx, place),
            draft_delay=self._rules.draft_delay,
            offer=kept.get("offer", ""),
            choices=choices,
            understood=(f"read in {kept['zone']}: your zone is not known yet",) if kept.get("zone") else (),
            beside=beside(incident, last),
            reminded=reminded,
            keeps_chat=self._keeps_chat(tx, place) if isinstance(last, ev.Started) else 0,
        )

    def _keeps_chat(self, tx: Reading, place: Place) -> int:
        """For how many days the messages of an incident's channel are kept; what is shared with others is not."""
        return 0 if tx.channel(place.team, place.channel).shared else self._rules.keep_chat_days

    def _invite(self, tx: Reading, place: Place) -> bool:
        """Whether somebody has to invite Scribe before it can post where the incident is told."""
        channel = tx.channel(place.team, place.channel)
        return channel.private is True and not channel.member

    def _send(
        self,
        tx: Writing,
        place: Place,
        incident: Incident,
        was: State,
        happened: Sequence[ev.Event],
        now: datetime,
    ) -> None:
        """Puts into the outbox what leaves because of these events."""
        lane = channel_lane(place.team, place.channel)
        for one in happened:
            match one:
                case ev.Started():
                    body = {"channel": place.channel}
                    tx.enqueue([Letter("arrive", place.team, lane, body, now, place.key, blocking=False)])
                case ev.Undone() if isinstance(shared := incident.happened[one.seq - 1], ev.SharedTo):
                    body = {"channel": shared.channel}
                    other = channel_lane(place.team, shared.channel)
                    tx.enqueue([Letter("unshare", place.team, other, body, now, place.key, blocking=False)])
                case ev.SharedTo():
                    body = {"channel": one.channel}
                    other = channel_lane(place.team, one.channel)
                    tx.enqueue([Letter("share", place.team, other, body, now, place.key, blocking=False)])
                case _:
                    pass
        redacted = any(isinstance(one, ev.Redacted | ev.WordsDestroyed) for one in happened)
        prompt = redacted or any(isinstance(one, ev.LinkRevoked | ev.Published) for one in happened)
        revision = 0
        if all(
            isinstance(one, ev.SharedTo | ev.ChannelOpened | ev.NudgesSet) or _takes_back_sharing(incident, one)
            for one in happened
        ):
            return  # no sentence of the document is another
        if incident.status is State.RESOLVED:
            quiet = timedelta() if prompt else QUIET
            due = now + (self._rules.draft_delay if was is not State.RESOLVED else quiet)
            revision = self._revise(tx, place, incident.seq, due, prompt=prompt)
        elif redacted or (prompt and _is_posted(tx, place)):  # what was posted, shared or handed over before holds it
            if tx.latest_revision(place.key) is not None:
                revision = self._revise(tx, place, incident.seq, now, prompt=True)
        elif was is not incident.status and (was is State.RESOLVED or _is_posted(tx, place)):
            tx.drop(place.key, DRAFT_LETTERS)
            tx.forget_unsent_revision(place.key)
            if _is_posted(tx, place):  # the post says that it is open again, or was cancelled
                self._revise(tx, place, incident.seq, now)
        revoked = any(isinstance(one, ev.LinkRevoked) for one in happened)
        if (redacted or revoked) and revision:  # what holds the text, or the link, elsewhere
            scrubbed: JSON = {"revision": revision, "texts": redacted}
            tx.enqueue([Letter("scrub", place.team, draft_lane(place), scrubbed, now, place.key, blocking=False)])

    def _hint(
        self,
        tx: Writing,
        place: Place,
        incident: Incident,
        happened: Sequence[ev.Event],
        seqs: Sequence[int],
        heard: Heard,
        now: datetime,
    ) -> None:
        """Tells the author alone of words that blame, and of what looks like a secret."""
        people = [one.name for one in tx.people(incident.authors).values()]
        for seq, one in zip(seqs, happened, strict=True):
            text = getattr(one, "text", "") or ""
            blame, secrets = language.blaming(text, people), language.secrets(text)
            if not (blame or secrets):
                continue
            # where the words stand, and never the words: they are in the record alone
            body = {
                "seq": seq,
                "channel": heard.channel,
                "user": heard.user,
                "thread": heard.thread,
                "blame": [[p.start, p.end, p.why, p.instead] for p in blame],
                "secrets": [[p.start, p.end, p.why, p.instead] for p in secrets],
            }
            lane = f"{place.team}/{heard.user}"
            tx.enqueue([Letter("hint", place.team, lane, body, now, place.key, blocking=False)])

    def _revise(self, tx: Writing, place: Place, upto: int, due: datetime, *, prompt: bool = False) -> int:
        """Makes the document's newest revision reach to event `upto`, and leave at `due`; gives its number.

        `prompt`: somebody waits for it, as a text was destroyed; nothing that is said since puts it off, and the thread
        is told what changed with the next one that comes after a quiet time. The first draft was promised for a time
        as well.
        """
        revision, new = tx.revise(place, upto)
        posted = _is_posted(tx, place)
        waiting = [one for one, _ in tx.letters("waiting", place.key, DRAFT_LETTERS)]
        urgent = [one.due_at for one in waiting if not posted or one.body.get("prompt")]
        due = min([due, *urgent])
        prompt = prompt or bool(posted and urgent)
        if not new and not (prompt and posted):
            if posted:
                tx.postpone(place.key, DRAFT_LETTERS, due)
            return revision
        lane, body = draft_lane(place), {"revision": revision, "prompt": prompt}

        def export(target: str) -> Letter:
            about = "" if target == "file" else f"{lane}/{target}"  # each revision has a file of its own
            said = {**body, "target": target}
            return Letter("export", place.team, lane, said, due, place.key, blocking=False, about=about)

        announce = Letter("announce", place.team, lane, body, due, place.key, about=lane)
        tx.enqueue([*map(export, self._rules.exports), announce])
        return revision

    # ---- for other rooms -------------------------------------------------------------------------

    def standing(self, key: int, read: Callable[[Reading, Place, Incident], Answer]) -> Answer | None:
        """What `read` makes of an incident as it stands, None where there is no such incident.

        It runs behind the lock: it must be quick, change nothing and keep nothing of the incident.
        """
        with self._lock, self._store.reading() as tx:
            place = tx.by_key(key)
            return read(tx, place, self._incident(tx, place)) if place is not None else None

    def tasks_of(self, rows: Sequence[OpenTask]) -> list[tasks.Item]:
        """The action items that the store lists in these rows, those that are still to be done, in that order."""
        with self._lock, self._store.reading() as tx:
            return self._of_rows(tx, rows)

    # ---- links -----------------------------------------------------------------------------------

    def links_revoked(self, key: int) -> int:
        """How often the web link of an incident was taken back: the generation of the link that is good now."""
        with self._lock, self._store.reading() as tx:
            place = tx.by_key(key)
            return self._incident(tx, place).links_revoked if place else 0

    def behind_link(self, team: str, number: int, generation: int) -> tuple[int, int, int] | None:
        """What a link of that generation shows: incident key, event, revision of what was posted last.

        None when the link was taken back, or nothing has been posted.
        """
        with self._lock, self._store.reading() as tx:
            place = tx.by_number(team, number)
            if place is None or self._incident(tx, place).links_revoked != generation:
                return None
            receipts = tx.receipts(place.key)
            posted = receipts.get("post") or receipts.get("link")  # somebody may click before the post is noted down
            found = tx.revision(place.key, posted["revision"]) if posted else None
            return (place.key, found.upto, found.revision) if found else None

    # ---- refusing --------------------------------------------------------------------------------

    def _refuse(self, refusal: Refusal, line: str, heard: Heard, said_at: datetime) -> Outcome:
        with self._lock, self._store.writing() as tx:
            earlier = tx.heard(heard.team, heard.origin)
            if earlier is None:
                now = self._clock()
                refusal = self._with_nothing_open(tx, refusal, line, heard)
                here = tx.in_channel(heard.team, heard.channel, _if_late(said_at, now))
                outcome, kept = self._refused(tx, refusal, line, heard, said_at, here)
                tx.remember(heard.team, heard.origin, kept, now)
                self._reply(tx, heard, outcome, now)
                return outcome
        return self._as_before(earlier, heard.team)

    def _refused(
        self, tx: Writing, refusal: Refusal, line: str, heard: Heard, said_at: datetime, place: Place | None = None
    ) -> tuple[Outcome, JSON]:
        if isinstance(refusal, Question) and refusal.choices:
            by = tx.know(heard.team, heard.user, heard.user_name).key
            mentions = dict(heard.mentions)
            here = place or tx.in_channel(heard.team, heard.channel)
            about = here.number if here else None
            offer = tx.make_offer(heard.team, heard.channel, by, line, said_at, refusal.choices, mentions, about)
            kept: JSON = {"kind": "asked", "message": refusal.message, "hint": refusal.hint, "offer": offer}
            return Asked(refusal.message, refusal.choices, offer, refusal.hint), kept
        kept = {"kind": "refused", "message": refusal.message, "hint": refusal.hint, "field": refusal.field}
        if refusal.form:
            kept["form"] = refusal.form
        return Refused(refusal.message, refusal.hint, refusal.field, refusal.form), kept

    def _with_nothing_open(self, tx: Reading, refusal: Refusal, line: str, heard: Heard) -> Refusal:
        """Where a line without a verb is typed and nothing is open here, one tap opens an incident with it."""
        word = line.split(None, 1)[0] if line.split() else ""
        if not isinstance(refusal, Question) or find(word) is not None or tx.in_channel(heard.team, heard.channel):
            return refusal
        title = " ".join(line.split())
        opened = [Choice(f"Start “{title}”", f"start {title}")]
        for meant in refusal.choices[:1]:
            if find(meant.line.split(None, 1)[0]) is VERBS["start"]:  # "strat sev1 Checkout is down"
                opened.insert(0, meant)
        others = tx.visible(heard.team, heard.channel, only_open=True)[:3]
        elsewhere = [Choice(f"Note in {one.name}", f"note {one.name}: {line}") for one in others]
        hint = f"No incident is open in this channel. {refusal.hint}"
        return Question(refusal.message, (*opened, *elsewhere), hint)

    def _elsewhere(
        self, tx: Reading, refusal: Refusal, place: Place | None, line: str, heard: Heard, number: int | None
    ) -> Refusal:
        """Where no incident is open here but one is elsewhere, the refusal offers to record it there."""
        if isinstance(refusal, Question):
            return refusal.within(line)
        if place is not None or number is not None or not line:
            return refusal
        others = tx.visible(heard.team, heard.channel, only_open=True)
        others = sorted(others, key=lambda one: one.origin != heard.channel)[:3]  # what was opened here, first
        verb, _, rest = line.strip().partition(" ")
        if not others and rest.strip() and kind_of(verb) in facts.HAPPENING - LIFE_KINDS:
            title = " ".join(rest.split())
            return Question(refusal.message, (Choice(f"Start “{title}”", f"start {title}"),), refusal.hint)
        if not others or find(verb) is None:
            return refusal
        choices = tuple(Choice(f"Record to {one.name}", f"{verb} {one.name}: {rest}".strip()) for one in others)
        names = "; ".join(f"{one.name} “{one.title}”" for one in others)
        return Question(refusal.message, choices, f"Open elsewhere: {names}. Nothing is recorded yet.")

    def _as_before(self, kept: JSON, team: str) -> Outcome:
        """The outcome of a request that was heard before: the same answer, and nothing changes."""
        logs.note(repeated=True)
        if kept["kind"] == "look":
            look = cmd.Look(view=cmd.View(kept["view"]), words=kept["words"])
            try:
                return self._look(look, Heard(**kept["heard"]), kept["number"])
            except Refusal as refusal:
                return Refused(refusal.message, refusal.hint)
        with self._store.reading() as tx:
            match kept["kind"]:
                case "refused":
                    return Refused(kept["message"], kept["hint"], kept["field"], kept.get("form", ""))
                case "asked":
                    offer = tx.offer(team, kept["offer"])
                    return Asked(kept["message"], offer.choices if offer else (), kept["offer"], kept["hint"])
                case "sent":
                    place = tx.by_key(kept["incident"])
                    assert place is not None
                    return OnItsWay(place, kept["what"], kept.get("count", 0), kept.get("behind", False))
                case _:
                    place = tx.by_key(kept["incident"])
                    assert place is not None
                    upto = kept["seqs"][-1]
                    person = tx.people([kept["by"]])[kept["by"]]
                    offer = tx.offer(team, kept["offer"]) if kept["offer"] else None
                    choices = offer.choices if offer else ()
                    said = self._answered.get(tx.head_at(place.key, upto))
                    if said is not None and not tx.has_after(place.key, upto, DESTROYING):
                        people, invite = tx.people(said.people), self._invite(tx, place)
                        return replace(said, place=place, by=person, people=people, choices=choices, invite=invite)
                    then = fold(tx.events(place.key, upto=upto), place.number)
                    happened = [then.happened[seq - 1] for seq in kept["seqs"]]
                    now = happened[-1].recorded_at
                    return self._recorded(tx, place, then, happened, person, choices, kept, now)

    def _reply(self, tx: Writing, heard: Heard, outcome: Outcome, now: datetime) -> None:
        """Where the way in cannot carry the answer, a letter does."""
        if not heard.by_letter:
            return
        everybody = isinstance(outcome, Recorded) or (isinstance(outcome, Status) and outcome.for_everybody)
        everybody = everybody and not heard.quiet
        body = {
            "origin": heard.origin,
            "channel": heard.channel,
            "user": heard.user,
            "thread": heard.thread,
            "everybody": everybody,
        }
        lane = channel_lane(heard.team, heard.channel)
        about = outcome.place.key if isinstance(outcome, Recorded) else None
        tx.enqueue([Letter("answer", heard.team, lane, body, now, about, blocking=everybody)])

    def fault(self, heard: Heard, reference: str) -> None:
        """A defect kept a request from being done: its author is told by letter, as the way in carries no answer."""
        body = {"channel": heard.channel, "user": heard.user, "thread": heard.thread, "reference": reference}
        lane = f"{heard.team}/{heard.user}"
        with self._store.writing() as tx:
            tx.enqueue([Letter("fault", heard.team, lane, body, self._clock(), blocking=False)])

    def recall(self, team: str, origin: str) -> Outcome | None:
        """The outcome of a request that was heard, for the letter that answers it."""
        with self._store.reading() as tx:
            kept = tx.heard(team, origin)
        return self._as_before(kept, team) if kept is not None else None

    # ---- what Slack tells us ---------------------------------------------------------------------

    def channel_changed(self, found: Channel, origin: str = "") -> None:
        """A channel was renamed, archived, or Scribe came or went; what waited for it to come leaves now.

        Told again under the same `origin`, it is old news.
        """
        with self._store.writing() as tx:
            if origin and tx.heard(found.team, origin) is not None:
                return
            tx.learn_channel(found)
            if origin:
                tx.remember(found.team, origin, {"kind": "channel"}, self._clock())
            if found.member or found.archived is False:
                tx.wake(found.team, found.channel, self._clock())

    def person_changed(self, team: str, user: str, name: str, zone: str | None) -> None:
        """Somebody has another name or zone."""
        with self._store.writing() as tx:
            if tx.person(team, user) is not None:
                tx.learn_person(team, user, name=name, zone=zone, now=self._clock())

    # ---- looking ---------------------------------------------------------------------------------

    def _show(self, look: cmd.Look, heard: Heard, number: int | None, now: datetime) -> Outcome:
        """What somebody asked to see; where the way in carries no answer, a letter shows it."""
        if look.view in {cmd.View.DRAFT, cmd.View.EXPORT}:
            return self._send_document(look, heard, number)
        if look.view is cmd.View.RESEND:
            return self._send_again(heard, number)
        if look.view is cmd.View.TASKS and look.words in ("on", "off"):
            with self._store.writing() as tx:
                person = tx.know(heard.team, heard.user, heard.user_name)
                today = localize(now, person.zone or self._rules.zone).date()
                tx.want_to_be_told_of_tasks(heard.team, person.key, look.words == "on", today)
        if not heard.by_letter:
            return self._look(look, heard, number)
        outcome = self._look(look, heard, number)
        with self._store.writing() as tx:
            asked = {name: getattr(heard, name) for name in ("team", "channel", "user", "origin", "shared")}
            kept = {"kind": "look", "view": look.view.value, "words": look.words, "number": number, "heard": asked}
            if tx.heard(heard.team, heard.origin) is None:
                tx.remember(heard.team, heard.origin, kept, now)
                self._reply(tx, heard, outcome, now)
        return outcome

    def _send_again(self, heard: Heard, number: int | None) -> Outcome:
        """What could not be sent is tried again, after somebody put right what was in the way."""
        with self._lock, self._store.writing() as tx:
            earlier = tx.heard(heard.team, heard.origin)
            if earlier is None:
                place = self._place_to_look(tx, heard, number)
                now = self._clock()
                count = tx.send_again(now, place.key)
                kept = {"kind": "sent", "incident": place.key, "what": "resend", "count": count}
                tx.remember(heard.team, heard.origin, kept, now)
                outcome = OnItsWay(place, "resend", count)
                self._reply(tx, heard, outcome, now)
                return outcome
        return self._as_before(earlier, heard.team)

    def _look(self, look: cmd.Look, heard: Heard, number: int | None) -> Outcome:
        if look.view is cmd.View.HELP:
            return self._help(look.words)
        if look.view is cmd.View.LIST:
            with self._store.reading() as tx:
                return self._list(tx, look.words, heard)
        with self._lock, self._store.reading() as tx:
            if look.view is cmd.View.TASKS and look.words in ("on", "off"):
                return TasksTold(look.words == "on")
            if look.view is cmd.View.TASKS:
                return self._tasks(tx, look.words, heard, number)
            place = self._place_to_look(tx, heard, number, "start" if look.view is cmd.View.HERE else "")
            incident = self._incident(tx, place)
            people = {k: p.name for k, p in tx.people(e.by for e in incident.entries.values()).items()}
            match look.view:
                case cmd.View.TIMELINE:
                    return _timeline(place, incident, people, whole="all" in look.words.casefold().split())
                case cmd.View.GAPS:
                    return _gaps(place, incident)
                case cmd.View.SUGGEST:
                    return Suggesting(place)
                case _:
                    # of an incident that is told elsewhere only where no other company reads along, surely
                    here = place.channel == heard.channel or tx.channel(heard.team, heard.channel).shared is False
                    brief = look.view is cmd.View.BRIEF and here
                    return self._status(tx, place, incident, people, for_everybody=brief)

    def _place_to_look(self, tx: Reading, heard: Heard, number: int | None, form: str = "") -> Place:
        """The incident that somebody asks about; refused, with those that are open elsewhere, where there is none.

        `form` is the line that opens a form there.
        """
        place = self._place(tx, heard, number)
        if place is not None:
            return place
        others = tx.visible(heard.team, heard.channel, only_open=True)[:5]
        listed = "; ".join(f"{one.name} “{one.title}”" for one in others)
        raise Refusal(
            "No incident is open in this channel.",
            (f"Open elsewhere: {listed}. " if listed else "")
            + f"Type {self._rules.command} start <title> to open one.",
            form=form,
        )

    def _status(
        self, tx: Reading, place: Place, incident: Incident, people: dict[str, str], *, for_everybody: bool
    ) -> Status:
        now = self._clock()
        windows = incident.windows()
        resolved = incident.resolution
        detection, summary = incident.detection, incident.latest(Kind.SUMMARY)
        impact = incident.live(Kind.IMPACT)
        asserted = incident.live(Kind.HYPOTHESIS)
        untested = [h for h in asserted if not h.confirmed and incident.dead_end_of(h.number) is None]
        recorded = sorted(incident.live(), key=lambda e: -e.number)
        waiting = [letter for letter, _ in tx.letters("waiting", place.key) if letter.kind not in UNCOUNTED]
        told = sorted(incident.live(Kind.UPDATE), key=lambda e: e.order, reverse=True)
        return Status(
            place=place,
            now=now,
            zone=incident.zone,
            title=incident.title,
            drill=incident.drill,
            channel=tx.channel(place.team, place.channel).name,
            onset=incident.onset,
            impact_on=bool(windows) and windows[-1].end is None,
            impact=incident.impact(now),
            total=length(incident.onset, resolved.at) if resolved and incident.onset else None,
            detected_at=detection.at if detection else None,
            source=incident.source(),
            roles=tuple(incident.role_names.items()),
            hypotheses=tuple(line_of(one, people) for one in untested),
            latest=tuple(
                line_of(one, people, end.number if (end := incident.dead_end_of(one.number)) else 0)
                for one in recorded[:3]
            ),
            stage=incident.stage.value,
            told=tuple(line_of(one, people) for one in told[:2]),
            entries=len(recorded),
            people=len({one.by for one in recorded}),
            tasks=len(incident.tasks),
            tasks_open=sum(task.state == "open" for task in incident.tasks.values()),
            summary=summary.text if summary else "",
            impact_text=impact[-1].text if impact else "",
            gaps=_open_gaps(incident),
            waiting=len(waiting),
            parked=tuple(error for _, error in tx.letters("parked", place.key)),
            for_everybody=for_everybody,
        )

    def _list(self, tx: Reading, words: str, heard: Heard) -> Listed:
        found = tx.visible(heard.team, heard.channel, words)
        person = tx.person(heard.team, heard.user)
        zone = person.zone if person and person.zone else self._rules.zone
        return Listed(words, tuple(found[:LIST_LINES]), max(0, len(found) - LIST_LINES), zone)

    def _tasks(self, tx: Reading, words: str, heard: Heard, number: int | None) -> Tasks:
        """Action items: all of one incident, or the open ones of all that may be seen from here, or of the person."""
        said, _, asked = words.partition("page ")
        chosen = set(said.split())
        person = tx.person(heard.team, heard.user)
        today = localize(self._clock(), person.zone if person and person.zone else self._rules.zone).date()
        mine, late = "mine" in chosen, "overdue" in chosen
        place = None if chosen & {"mine", "all"} else self._place(tx, heard, number)
        if place is not None:
            found = [one for one in self._items(tx, place) if not late or one.is_overdue(today)]
            (page, pages), total = _page(asked, len(found)), len(found)
            shown = found[(page - 1) * TASK_LINES : page * TASK_LINES]
            still_open = sum(one.state == "open" for one in found)
            overdue = sum(one.is_overdue(today) for one in found)
        else:
            rows = self._rows_to_show(tx, heard, person, mine=mine)
            dates = {row: tasks.until(row, self._rules.task_days) or date.max for row in rows}
            rows = sorted((row for row in rows if not late or dates[row] < today), key=lambda row: dates[row])
            (page, pages), total = _page(asked, len(rows)), len(rows)
            shown = self._of_rows(tx, rows[(page - 1) * TASK_LINES : page * TASK_LINES])
            still_open, overdue = total, sum(dates[row] < today for row in rows)
        return Tasks(place, mine, tuple(shown), total, still_open, overdue, page, pages, today, said.strip())

    def _rows_to_show(self, tx: Reading, heard: Heard, person: Person | None, *, mine: bool) -> list[OpenTask]:
        """Those that a person hears of, wherever they are; or those of the incidents that may be seen from here."""
        if mine:
            return tx.open_tasks(heard.team, person.key) if person else []
        seen = {one.key for one in tx.visible(heard.team, heard.channel)}
        return [row for row in tx.open_tasks(heard.team) if row.incident in seen]

    def _of_rows(self, tx: Reading, rows: Sequence[OpenTask]) -> list[tasks.Item]:
        """The action items that the store lists in these rows, as they stand; each incident is folded once."""
        found: dict[tuple[int, int], tasks.Item] = {}
        for key in dict.fromkeys(row.incident for row in rows):
            if place := tx.by_key(key):
                found |= {(key, one.number): one for one in self._items(tx, place) if one.state == "open"}
        return [found[row.incident, row.number] for row in rows if (row.incident, row.number) in found]

    def _items(self, tx: Reading, place: Place) -> list[tasks.Item]:
        incident = self._incident(tx, place)
        people = tx.people(task.person for task in incident.tasks.values())
        names = {key: person.name for key, person in people.items()}
        return tasks.items(place, incident, names, self._rules.task_days)

    def _help(self, words: str) -> Help:
        word = words.split()[0] if words.split() else ""
        if not word:
            return Help(tuple(VERBS[name] for name in FIRST_EIGHT), False, self._rules.command)
        if word.casefold() == "all":
            return Help(TABLE, True, self._rules.command)
        row = find(word)
        if row is None:
            near = nearest(word)
            raise Refusal(
                f"“{word}” is no verb.",
                (f"Did you mean “{near}”? " if near else "") + "Type help all to see every verb.",
            )
        return Help((row,), False, self._rules.command, one=True)

    def _send_document(self, look: cmd.Look, heard: Heard, number: int | None) -> Outcome:
        """`draft` and `export`: the press composes it, a letter brings it to the one who asked."""
        words = look.words.split()
        named = look.view is cmd.View.EXPORT and bool(words) and words[0].casefold() in document.FORMATS
        form = words.pop(0) if named else "md"
        known = self._rules.templates()
        template = words.pop(0).casefold() if words else "default"
        if template not in known or words:
            said = " ".join([template, *words])
            if look.view is cmd.View.EXPORT and not named:
                raise Refusal(
                    f"“{said}” is neither a format nor a template.",
                    f"Formats: {', '.join(document.FORMATS)}; templates: {', '.join(known)}. Type export md",
                )
            raise Refusal(f"There is no template “{said}”.", f"Templates: {', '.join(known)}.")
        if template == document.CUSTOMER and form.casefold() != "md":
            raise Refusal(f"Customers get no {form}: it holds the whole record.", "Type export md customer.")
        with self._lock, self._store.writing() as tx:
            earlier = tx.heard(heard.team, heard.origin)
            if earlier is None:
                place = self._place_to_look(tx, heard, number)
                now = self._clock()
                body = {"user": heard.user, "channel": heard.channel, "upto": place.seq, "format": form.casefold()}
                lane = f"{place.team}/{heard.user}"
                kind = "hand_over" if look.view is cmd.View.EXPORT else "show"
                if template != "default":
                    body["template"] = template
                behind = False
                if template == document.CUSTOMER:
                    incident = self._incident(tx, place)
                    behind = kind == "hand_over" and customers.is_behind(incident)
                    body |= self._for_customers(incident) if kind == "show" else _approved_for_customers(incident)
                kept = {"kind": "sent", "incident": place.key, "what": look.view.value, "behind": behind}
                tx.remember(heard.team, heard.origin, kept, now)
                outcome = OnItsWay(place, look.view.value, behind=behind)
                self._reply(tx, heard, outcome, now)
                tx.enqueue([Letter(kind, place.team, lane, body, now, place.key, blocking=False)])
                return outcome
        return self._as_before(earlier, heard.team)

    def _for_customers(self, incident: Incident) -> JSON:
        """What stands below the customer version for the one who looks at it: whether and how it can be approved."""
        if customers.approved(incident) is None:
            standing = "drill" if incident.drill else "new"
        else:
            standing = "behind" if customers.is_behind(incident) else "approved"
        return {"approve": f"{self._rules.command} approve customer {incident.seq}", "standing": standing}

    # ---- pieces ----------------------------------------------------------------------------------

    def _parse(self, line: str, heard: Heard, now: datetime) -> tuple[Parsed, str | None]:
        """The line as a command, read in the person's zone, and that zone (None when Slack did not say it).

        The zone is looked up once, when a line needs it: it has a clock time, or opens an incident, whose document is
        printed in the zone of the one who opened it.
        """
        with self._store.reading() as tx:
            person = tx.person(heard.team, heard.user)
        zone = person.zone if person else None
        called = f"@{person.name if person else heard.user_name or heard.user}"
        speaker = (called, heard.user)
        context = Context(now, zone or self._rules.zone, heard.mentions, self._rules.command, speaker)
        if zone is not None:
            return parse(line, context), zone
        refusal: Refusal | None = None
        try:
            parsed = parse(line, context)
            if not parsed.zone_used and not isinstance(parsed.command, cmd.Start):
                return parsed, self._rules.zone
        except Question:
            raise
        except Refusal as problem:
            refusal = problem
        if refusal is not None and not any(sign.isdigit() for sign in line):
            raise refusal
        zone = self._find_zone(heard, now)
        if zone is not None:
            return parse(line, replace(context, zone=zone)), zone
        if refusal is not None:
            raise refusal
        return parsed, None

    def _find_zone(self, heard: Heard, now: datetime) -> str | None:
        found = self._zone_of(heard.team, heard.user)
        if found is None:
            return None
        name, zone = found
        with self._store.writing() as tx:
            tx.learn_person(heard.team, heard.user, name=name, zone=zone, now=now)
        return zone

    def _place(
        self,
        tx: Reading,
        heard: Heard,
        number: int | None,
        command: cmd.Change | None = None,
        at: datetime | None = None,
    ) -> Place | None:
        """The incident that a line is about: the one it names, if it may be seen from here; else the channel's.

        `at` is when it was said, if it comes late: another incident may have been opened there since.
        """
        if number is None:
            here = tx.in_channel(heard.team, heard.channel, at)
            moved = tx.moved_from(heard.team, heard.channel)
            if moved and here and moved.number > here.number and here.status == State.RESOLVED.value:
                return None  # what is typed here is hardly meant for the one before
            return here
        place = tx.by_number(heard.team, number)
        if place is None or not (self._may_see(tx, heard, place) or self._is_told(tx, heard, place, command)):
            raise Refusal(f"There is no INC-{number} that you may see from here.", "Type list to see the incidents.")
        return place

    def _may_see(self, tx: Reading, heard: Heard, place: Place) -> bool:
        """A channel sees its own incidents, and public ones unless people of another company are in it."""
        if place.channel == heard.channel:
            return True
        return not place.private and not (heard.shared or tx.channel(heard.team, heard.channel).shared)

    def _is_told(self, tx: Reading, heard: Heard, place: Place, command: cmd.Change | None) -> bool:
        """Whether a direct message is about an action item of which Scribe tells this person there."""
        if not heard.direct or not isinstance(command, cmd.FinishTask | cmd.DropTask | cmd.ChangeTask | cmd.ReopenTask):
            return False
        person = tx.person(heard.team, heard.user)
        incident = self._incident(tx, place)
        task = incident.tasks.get(command.task)
        return person is not None and task is not None and tasks.responsible(incident, task) == person.key

    def _checked(self, tx: Reading, command: cmd.Change, heard: Heard, incident: Incident | None) -> cmd.Change:
        """The command, with what only this room knows: other incidents, and which gap has which number."""
        match command:
            case cmd.MarkDuplicate() if incident is not None and command.of != incident.number:
                other = tx.by_number(heard.team, command.of)
                if other is None or not self._may_see(tx, heard, other):
                    raise Refusal(
                        f"There is no INC-{command.of} that you may see from here.", "Type list to see the incidents."
                    )
            case cmd.Share() if incident is not None:
                place = tx.by_number(heard.team, incident.number)
                if place is not None and place.private and command.channel != place.channel:
                    raise Refusal(
                        f"{place.name} was told in a private channel; it is shared to no other.",
                        "Type export md for the file, and give it to those whom it concerns.",
                    )
            case cmd.SayNone() if command.gap.isdigit() and incident is not None:
                gap = next((gap for gap in facts.gaps(incident) if gap.number == int(command.gap)), None)
                if gap is None:
                    raise Refusal(f"There is no gap {command.gap}.", "Type gaps to see them with their numbers.")
                if not gap.word:
                    raise Refusal(f"“{gap.fact.name}” stays open until somebody says it.", f"Type {gap.line}")
                return replace(command, gap=gap.word)
            case _:
                pass
        return command

    def _with_keys(self, tx: Writing, command: cmd.Change, team: str) -> cmd.Change:
        """The command with people's keys instead of Slack's ids."""
        spoken: Any = command
        said = str(getattr(command, "target", "") or getattr(command, "owner", "") or getattr(command, "who", ""))
        for name, called in (("person", said), ("author", "")):
            handle: str = getattr(spoken, name, "")
            if handle:
                known = tx.person(team, handle) or tx.know(team, handle, called.lstrip("@"))
                self._meet(tx, known, self._clock())
                spoken = replace(spoken, **{name: known.key})
                if isinstance(spoken, cmd.CallReview) and not spoken.who:
                    spoken = replace(spoken, who=f"@{known.name}")
        if isinstance(spoken, cmd.CallReview) and spoken.asked:
            asked = [tx.know(team, handle) for handle in spoken.asked]
            for known in asked:
                self._meet(tx, known, self._clock())
            spoken = replace(spoken, asked=tuple(dict.fromkeys(known.key for known in asked)))
        changed: cmd.Change = spoken
        return changed

    def _meet(self, tx: Writing, person: Person, now: datetime) -> None:
        """Has a person's name and zone looked up, once a day at most."""
        if person.learned_at is not None and now - person.learned_at < FRESH:
            return
        lane, about = f"{person.team}/people", f"meet/{person.team}/{person.user}"
        if not tx.is_waiting(about):
            tx.enqueue([Letter("meet", person.team, lane, {"user": person.user}, now, blocking=False, about=about)])

    def _note_channel(self, heard: Heard) -> None:
        """Keeps what a request says of its channel before anything is shown there."""
        if heard.shared is None:  # a command does not say it
            return
        with self._store.reading() as tx:
            known = tx.channel(heard.team, heard.channel)
        if heard.shared != known.shared:
            with self._store.writing() as tx:
                self._learn_channel(tx, heard)

    def _learn_channel(self, tx: Writing, heard: Heard) -> None:
        """Keeps what a request says of its channel, where that is new."""
        known = tx.channel(heard.team, heard.channel)
        private = heard.private if known.private is None else None
        renamed = heard.channel_name and known.name != heard.channel_name
        shared = heard.shared if known.shared != heard.shared else None
        if private is not None or renamed or shared is not None:
            tx.learn_channel(Channel(heard.team, heard.channel, heard.channel_name, private=private, shared=shared))

    def _look_again(self, tx: Writing, place: Place, now: datetime) -> None:
        """Has an incident's channel looked up once a day: it may have become private, or be shared by now."""
        known = tx.channel(place.team, place.channel)
        if known.looked_at is not None and now - known.looked_at >= FRESH:  # a new one is looked at on arrival
            self._look_at(tx, place.team, place.channel, now)

    def _look_at(self, tx: Writing, team: str, channel: str, now: datetime) -> None:
        """Has Slack asked what a channel is."""
        lane = channel_lane(team, channel)
        tx.enqueue([Letter("look", team, lane, {"channel": channel}, now, blocking=False, about=f"look/{lane}")])

    def _is_private(self, tx: Reading, heard: Heard) -> bool:
        known = tx.channel(heard.team, heard.channel)
        private = known.private if known.private is not None else heard.private
        return private is not False

    def _incident(self, tx: Reading, place: Place) -> Incident:
        """The incident as it stands, folded from where it was remembered."""
        incident = self._remembered.pop(place.key, None)
        if incident is None or incident.seq > place.seq:
            incident = Incident(number=place.number)
        fresh = tx.events(place.key, after=incident.seq, upto=place.seq)
        if any(
            isinstance(happened, ev.Redacted | ev.WordsDestroyed) for happened in fresh
        ):  # by another process: its words are gone
            incident, fresh = Incident(number=place.number), tx.events(place.key, upto=place.seq)
        for happened in fresh:
            incident.apply(happened)
        self._remembered[place.key] = incident
        if len(self._remembered) > REMEMBERED_INCIDENTS:
            self._remembered.popitem(last=False)
        return incident


def _page(asked: str, count: int) -> tuple[int, int]:
    """Which page is shown, and how many there are; one that is not there is the nearest that is."""
    pages = max(1, -(-count // TASK_LINES))
    return min(max(1, int(asked or 1)), pages), pages


def _approved_for_customers(incident: Incident) -> JSON:
    """Which state of the record customers may read. Raises Refusal where nobody has approved one."""
    upto = customers.approved(incident)
    if upto is None:
        raise Refusal(
            "Nobody has approved what customers will read.",
            "Type draft customer to look at it; below it stands the line with which to approve it.",
        )
    return {"approved": upto}


def _nothing_open() -> Refusal:
    return Refusal(
        "No incident is open in this channel.", "Type start <title> to open one, or list to see the open ones."
    )


def _about_task(verb: str, rest: str) -> cmd.Change | None:
    """The command that a form about an action item leads to: who may open it is who may say it."""
    task = re.match(r"#?t(\d{1,9})\b", rest, re.IGNORECASE) if verb in ("todo", "drop") else None
    return cmd.ChangeTask(task=int(task[1])) if task else None


def _if_late(said_at: datetime, now: datetime) -> datetime | None:
    """When something was said that is heard late; None for what is heard at once."""
    return said_at if now - said_at > LATE else None


def _is_posted(tx: Reading, place: Place) -> bool:
    """Whether a draft of an incident stands in its channel."""
    return "post" in tx.receipts(place.key)


def _takes_back_sharing(incident: Incident, happened: ev.Event) -> bool:
    return isinstance(happened, ev.Undone) and isinstance(incident.happened[happened.seq - 1], ev.SharedTo)


def channel_lane(team: str, channel: str) -> str:
    """The lane of the letters that go to a channel."""
    return f"{team}/{channel}"


def draft_lane(place: Place) -> str:
    """The lane of the letters that make up an incident's document."""
    return f"{place.team}/{place.name}/draft"


def _words_of(incident: Incident, destroyed: ev.Redacted | ev.WordsDestroyed) -> list[int]:
    """The events that hold the words of an entry, its corrections and changes of its task; of a title, a section."""
    if isinstance(destroyed, ev.WordsDestroyed):
        return [seq for seq, one in history(incident) if words_of(one) == destroyed.what]
    entry = destroyed.entry
    tasks = {one.task for one in incident.happened if isinstance(one, ev.TaskAdded) and one.entry == entry}
    return [
        seq
        for seq, one in history(incident)
        if not isinstance(one, ev.Redacted)
        and (getattr(one, "entry", None) == entry or getattr(one, "task", None) in tasks)
    ]


def _about(incident: Incident, happened: ev.Event) -> Entry | None:
    """The entry that a mark, a correction, an undo, a dead end or an answer is about."""
    match happened:
        case ev.RuledOut():
            return incident.entries.get(happened.hypothesis or 0)
        case ev.QuestionAnswered():
            number = happened.about or incident.questions.get(happened.question or 0, 0)
            return incident.entries.get(number)
        case ev.Numbered():
            return None
        case ev.Undone():
            undone = incident.happened[happened.seq - 1]
            if isinstance(undone, ev.Numbered):
                return incident.entries.get(undone.entry)
            return _about(incident, undone)
        case ev.TaskChanged() | ev.TaskDone() | ev.TaskDropped() | ev.TaskReopened():
            task = incident.tasks.get(happened.task)
            return incident.entries.get(task.entry) if task else None
        case _:
            return incident.entries.get(getattr(happened, "entry", 0))


def _buttons(incident: Incident, happened: Sequence[ev.Event], seqs: Sequence[int], line: str) -> tuple[Choice, ...]:
    """The one-tap ways to put right what was recorded."""
    last, seq = happened[-1], seqs[-1]
    typed = line.split(None, 1)[0].casefold() if line.split() else ""
    row = find(typed)
    choices: list[Choice] = []
    if isinstance(last, ev.Resolved):
        choices.append(Choice("Undo", LINE_TO_CONFIRM, undoes=seq))
    if isinstance(last, ev.Reopened):
        when = "" if last.at == last.recorded_at else f"at {'~' if last.approx else ''}{iso(last.at)} "
        why = last.text or "impact is back"
        choices.append(Choice("Users are affected again", f"again INC-{incident.number}: {when}{why}"))
    if isinstance(last, ev.Numbered) and row is not None and row.everyday and typed != "resolve":
        at = "" if last.at == last.recorded_at else f"at {'~' if last.approx else ''}{iso(last.at)} "
        text = f"{typed} {last.text}".strip() if at else line  # a time that was given stays with it
        choices.append(Choice("Make it a note", f"note {at}{text}", undoes=seq))
    if isinstance(last, ev.Noted) and (told := clue(incident, incident.entries[last.entry])):
        choices.append(Choice(f"Record as “{told.verb}”", f"edit INC-{incident.number}: {last.entry} as {told.verb}"))
    windows = incident.windows()
    impact_on = bool(windows) and windows[-1].end is None
    if isinstance(last, ev.CauseFound) and impact_on:
        choices.append(Choice("It is a guess", f"edit INC-{incident.number}: {last.entry} as hypothesis"))
    if isinstance(last, ev.Fixed) and impact_on:
        choices.append(Choice("It is a step", f"edit INC-{incident.number}: {last.entry} as mitigation"))
    return tuple(choices)


def _timeline(place: Place, incident: Incident, people: dict[str, str], *, whole: bool) -> Timeline:
    chosen = sorted((e for e in incident.entries.values() if whole or e.live), key=lambda e: e.order)
    hidden = 0 if whole else max(0, len(chosen) - TIMELINE_LINES)
    return Timeline(place, incident.zone, tuple(line_of(e, people) for e in chosen[hidden:]), hidden)


def _open_gaps(incident: Incident) -> tuple[Gap, ...]:
    found: list[Gap] = []
    for gap in facts.gaps(incident):
        told = may_tell(incident, gap.fact.id)
        verb = next((clue.verb for clue in CLUES if clue.fact == gap.fact.id), "")
        as_line = f"edit {told.number} as {verb}" if told else ""
        found.append(Gap(gap.number, gap.fact.name, gap.line, gap.due, told.number if told else None, as_line))
    return tuple(found)


def _gaps(place: Place, incident: Incident) -> Gaps:
    states = facts.states(incident)
    return Gaps(
        place,
        _open_gaps(incident),
        tuple(s.fact.name for s in states if s.state == "known"),
        tuple(s.fact.name for s in states if s.state == "not applicable"),
    )
