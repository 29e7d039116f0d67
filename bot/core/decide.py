"""What a command does to an incident: `decide` gives the events that follow, or refuses. Pure; it changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from bot.core import commands as cmd
from bot.core import customers, facts, promises, times
from bot.core import events as ev
from bot.core.errors import Choice, Question, Refusal
from bot.core.events import Kind
from bot.core.grammar import GAP_WORDS, VERBS, service_names, share_of_users
from bot.core.incident import GUIDING_QUESTIONS, LIFE_KINDS, Entry, Incident, Status, Task, words_of

TWICE_WITHIN = timedelta(seconds=90)
"""The same line by the same person within this time is asked about, not doubled."""

FAR_BEFORE = timedelta(hours=12)
"""A clock time without a date that lands further than this before onset is asked about."""

FAR_AFTER = timedelta(hours=6)
"""One that lands further than this after the resolution is asked about, where the incident's own day has it too."""

LONGEST_URL = 2_000

_GIVEN = ("entry", "recorded_at", "at", "approx", "zone", "task", "promised")
"""What the record gives to a line, or is compared apart: the same line twice differs in nothing else."""

STRUCTURED = frozenset(
    {
        Kind.TASK, Kind.ROLE, Kind.HANDOVER, Kind.SEVERITY, Kind.SERVICES, Kind.LINK, Kind.QUESTION, Kind.ANSWER,
    }
)  # fmt: skip
"""Kinds that say more than a text: `edit <n> as <kind>` refuses them."""

LINE_TO_CONFIRM = ""
"""A choice with this line stands for the line that was typed."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says it: the person's key and zone."""

    key: str
    zone: str = "UTC"


def decide(
    incident: Incident | None,
    command: cmd.Change,
    by: Speaker,
    now: datetime,
    *,
    confirmed: bool = False,
    authors_only: bool = False,
    said_at: datetime | None = None,
) -> list[ev.Event]:
    """The events that a command leads to, in order.

    `incident` is the one that the command is about (None where there is none), `now` the time of recording, `said_at`
    when it was typed if that is not now. `confirmed` says that the person has been asked and means it; `authors_only`
    that only who recorded an entry may correct it.

    Raises Refusal, or Question where the person has to choose.
    """
    if isinstance(command, cmd.Start):
        return [_start(incident, command, by, now, said_at or now, confirmed=confirmed)]
    if incident is None:
        raise Refusal(
            "No incident is open in this channel.", "Type start <title> to open one, or list to see the open ones."
        )
    if incident.status in {Status.CANCELLED, Status.DUPLICATE} and not _heard_after_the_end(command):
        name = f"INC-{incident.number}"
        raise Refusal(
            f"{name} is {'cancelled' if incident.status is Status.CANCELLED else 'closed as a duplicate'}.",
            f"Type reopen {name}: <why> if it is an incident after all, or start <title> to open another.",
        )
    return _Decision(incident, by, now, said_at or now, confirmed, authors_only).of(command)


def _heard_after_the_end(command: cmd.Change) -> bool:
    """Whether a command is heard by an incident that was cancelled or closed as a duplicate.

    What brings it back is; so is destroying a text or taking its web link back: both may be in wrong hands.
    """
    if isinstance(command, cmd.Record):
        return command.kind is Kind.REOPENED
    return isinstance(command, cmd.Undo | cmd.RevokeLink | cmd.Redact)


def _start(
    incident: Incident | None, command: cmd.Start, by: Speaker, now: datetime, said_at: datetime, *, confirmed: bool
) -> ev.Started:
    if incident is not None and incident.is_open:
        raise Refusal(
            f"INC-{incident.number} “{incident.title}” is already open in this channel.",
            "Record to it with note, action, …; or resolve it first, or start the other in another channel.",
        )
    since = command.since
    if since is not None and since.clock_only and now - since.at > FAR_BEFORE and not confirmed:
        raise _far(since, now, "before now", said_at)
    return ev.Started(
        by=by.key,
        recorded_at=now,
        entry=1,
        at=said_at,
        zone=by.zone,
        text=command.title,
        severity=command.severity,
        drill=command.drill,
        onset=since.at if since else said_at,
        onset_approx=bool(since and since.approx),
        new_channel=command.new_channel,
    )


def _far(when: times.When, reference: datetime, of_what: str, now: datetime, zone: str = "") -> Question:
    """Asks about a time that lands far back: first whether it was read off the clocks of the incident's zone."""
    choices = [Choice(f"Yes, {times.moment(when.at, when.zone)}", LINE_TO_CONFIRM, confirmed=True)]
    if zone and not when.zone_typed and when.typed:
        there = times.same_clock(when, zone, now)
        if there != when.at and reference - there <= FAR_BEFORE:
            choices.insert(0, _reading(when, there, zone, f"{times.moment(there, zone)}, {times.ago(there, now)}"))
    typed = times.clock(when.at, when.zone)
    earlier = times.moment(when.at, when.zone)
    tomorrow = times.localize(when.at, when.zone) + timedelta(days=1)  # by the clock: the zone's offset may change
    later = times.moment(tomorrow.astimezone(UTC), when.zone)
    return Question(
        f"{typed} would be {earlier}, {times.duration(reference - when.at)} {of_what}; {later} is still to come.",
        tuple(choices),
        "Nothing is recorded yet. Otherwise type the time with its date and zone, for example: at "
        + times.localize(now - timedelta(minutes=10), "UTC").strftime("%Y-%m-%d %H:%M UTC"),
        "when",
    )


def _reading(when: times.When, at: datetime, zone: str, label: str) -> Choice:
    """The choice of another moment that a typed clock time may mean."""
    return Choice(label, "", typed=when.before + when.typed, instead=times.dated(when, at, zone))


@dataclass(frozen=True, slots=True)
class _Decision:
    """One command about one incident."""

    incident: Incident
    by: Speaker
    now: datetime
    said_at: datetime
    confirmed: bool
    authors_only: bool

    def of(self, command: cmd.Change) -> list[ev.Event]:
        match command:
            case cmd.Start():
                raise AssertionError("decided before")
            case cmd.Record():
                return [self._record(command)]
            case cmd.MarkEntry():
                return [self._mark(command)]
            case cmd.AddTask():
                return [self._add_task(command)]
            case cmd.ChangeTask():
                return [self._change_task(command)]
            case cmd.FinishTask():
                if command.bare and command.task not in self.incident.tasks:
                    raise self._no_task(f"done {command.task}", command.task)
                task = self._open_task(command.task)
                at = self._when(command.when)
                return [ev.TaskDone(**self._head(), task=task.number, at=at.at if at else self.said_at)]
            case cmd.DropTask():
                task = self._open_task(command.task)
                return [ev.TaskDropped(**self._head(), task=task.number, text=command.why)]
            case cmd.ReopenTask():
                return [self._reopen_task(command)]
            case cmd.CorrectText():
                return [self._correct_text(command)]
            case cmd.CorrectKind():
                return [self._correct_kind(command)]
            case cmd.WriteSection():
                if not command.text and command.section not in self.incident.sections:
                    raise Refusal(
                        f"Section “{command.section}” is as Scribe composes it; nothing of yours is there.",
                        f"Type edit section {command.section} <text> to write it yourself.",
                    )
                return [ev.SectionWritten(**self._head(), section=command.section, text=command.text)]
            case cmd.Move():
                return [self._move(command)]
            case cmd.Retitle():
                return [ev.Retitled(**self._head(), text=command.title, audience=command.audience)]
            case cmd.SetOnset():
                return [self._set_onset(command)]
            case cmd.SetZone():
                return [ev.ZoneSet(**self._head(), zone=command.zone)]
            case cmd.Remove():
                return [self._remove(command)]
            case cmd.Undo():
                return [ev.Undone(**self._head(), seq=self._to_undo(command.seq))]
            case cmd.Redact():
                return [self._redact(command)]
            case cmd.RevokeLink():
                self._ask(
                    f"Take the web link of INC-{self.incident.number} back? Whoever has it sees nothing any more, for "
                    "good. The draft's post gets another one.",
                    "Take the link back",
                )
                return [ev.LinkRevoked(**self._head())]
            case cmd.SayNone():
                return [ev.NotApplicable(**self._head(), gap=self._gap(command.gap))]
            case cmd.Cancel():
                self._must_be_open()
                self._ask(
                    f"Cancel INC-{self.incident.number} “{self.incident.title}”? The record is kept.", "Cancel it"
                )
                return [ev.Cancelled(**self._entry_head(), text=command.why)]
            case cmd.MarkDuplicate():
                return [self._duplicate(command)]
            case cmd.CallReview():
                return [self._call_review(command)]
            case cmd.Approve(what="customer"):
                return [self._approve_for_customers(command.upto)]
            case cmd.Approve():
                return [ev.Approved(**self._head(), upto=self.incident.seq)]
            case cmd.Publish():
                return [self._publish()]
            case cmd.Attach():
                entry = self._any(command.entry)
                if entry.redacted:
                    raise Refusal(f"The text of entry {entry.number} was destroyed, and its files with it.")
                if command.digest and any(one.digest == command.digest for one in entry.files):
                    raise Refusal(f"That file is kept with entry {entry.number} already.")
                return [
                    ev.Attached(
                        **self._head(),
                        entry=entry.number,
                        digest=command.digest,
                        media_type=command.media_type,
                        size=command.size,
                        unkept=command.unkept,
                        file=command.file,
                    )
                ]
            case cmd.OpenChannel():
                return [ev.ChannelOpened(**self._head(), channel=command.channel)]
            case cmd.SetNudges():
                return [ev.NudgesSet(**self._head(), on=command.on)]
            case cmd.Share():
                return [ev.SharedTo(**self._head(), channel=command.channel)]
            case _:
                assert_never(command)

    # ---- entries ---------------------------------------------------------------------------------

    def _record(self, said: cmd.Record) -> ev.Event:
        kind = said.kind
        if kind is Kind.RESOLUTION and not self.incident.is_open:
            over = self.incident.resolution
            at = f" at {times.moment(over.at, self.incident.zone)}" if over else ""
            raise Refusal(
                f"INC-{self.incident.number} is already resolved{at}.",
                "Type reopen <why> if it is not over; note, cause, fix, … still record.",
            )
        if kind is Kind.REOPENED and self.incident.is_open:
            raise Refusal(f"INC-{self.incident.number} is open.", "Type again <text> if impact came back.")
        text, when, extra = self._particulars(said)
        head = self._entry_head(when)
        self._not_captured_twice(said)
        self._not_before_onset(kind, head["at"])
        self._not_after_the_end(kind, head["at"])
        self._not_before_it_came_back(kind, head["at"], text)
        recorded = ev.ENTRY_EVENTS[kind](**head, text=text, said_in=said.said_in, author=said.author, **extra)
        return self._not_twice(recorded, when)

    def _particulars(self, said: cmd.Record) -> tuple[str, times.When | None, dict[str, Any]]:
        """Text, time and what else the kind of entry holds."""
        text, when = said.text, said.when
        extra: dict[str, Any] = {}
        match said.kind:
            case Kind.DETECTION:
                extra = {"source": said.source}
            case Kind.DEAD_END:
                hypothesis = said.number is not None and self._fits(said.number, Kind.HYPOTHESIS)
                if hypothesis:
                    text, when = said.rest, said.when or said.rest_when
                elif said.number is not None and not said.rest:
                    self._existing(said.number)
                    raise Refusal(
                        f"Entry {said.number} is no hypothesis.", "Type ruledout <text> to say what was ruled out."
                    )
                extra = {"hypothesis": said.number if hypothesis else None}
            case Kind.ESCALATION:
                extra = {"target": said.target, "person": said.person}
            case Kind.UPDATE:
                at = when.at if when else self.said_at
                promised = said.promised or promises.promised(text, at, self.by.zone)
                extra = {"audience": said.target, "promised": promised.at if promised else None}
            case Kind.SERVICES:
                extra = {"added": said.added, "removed": self._named_services(said.removed)}
            case Kind.IMPACT:
                extra = {"seen_by_users": said.seen_by_users, "share": said.share}
            case Kind.QUESTION:
                extra = {"question": self.incident.last_question + 1}
            case Kind.ANSWER:
                extra = self._answered(said)
            case Kind.ROLE:
                extra = {"role": said.role, "person": said.person, "who": said.target}
            case Kind.HANDOVER:
                extra = {"person": said.person, "who": said.target}
            case Kind.SEVERITY:
                if said.severity == self.incident.severity:
                    raise Refusal(
                        f"INC-{self.incident.number} is SEV{said.severity} already.", "Type severity sev1 to sev5."
                    )
                extra = {"severity": said.severity}
            case Kind.LINK:
                extra = {"url": said.url}
            case _:
                pass
        return text, when, extra

    def _named_services(self, names: tuple[str, ...]) -> tuple[str, ...]:
        known = {name.casefold() for name, _ in self.incident.services()}
        for name in names:
            if name.casefold() not in known:
                listed = ", ".join(n for n, _ in self.incident.services()) or "none"
                raise Refusal(f"“{name}” is not among the affected services.", f"Recorded so far: {listed}.")
        return names

    def _answered(self, said: cmd.Record) -> dict[str, Any]:
        if said.question is not None:
            if said.question not in {*range(1, GUIDING_QUESTIONS + 1), *self.incident.questions}:
                raise Refusal(f"There is no question R{said.question}.", "Type gaps to see the open questions.")
            return {"question": said.question, "about": None}
        entry = self._existing(said.number or 0)
        asked = next((q for q, number in self.incident.questions.items() if number == entry.number), None)
        return {"question": asked, "about": entry.number}

    def _not_captured_twice(self, said: cmd.Record) -> None:
        """A captured message has at most one live entry of a kind, and none once its text was destroyed."""
        if not said.said_in:
            return
        gone = next((e for e in self.incident.entries.values() if e.redacted and e.event.said_in == said.said_in), None)
        if gone is not None:
            raise Refusal(
                f"The text of that message was destroyed, with entry {gone.number}.",
                "Record it in other words, without what must not be kept.",
            )
        for entry in self.incident.of_kind.get(said.kind, {}).values():
            if entry.live and entry.event.said_in == said.said_in:
                raise Refusal(
                    f"That message is recorded already, as entry {entry.number}.",
                    f"Type edit {entry.number} <text> to change it.",
                )

    def _not_twice(self, said: ev.Numbered, when: times.When | None) -> ev.Numbered:
        """What is to be recorded, unless it is word for word what the same person recorded a moment ago."""
        last = self.incident.last_said.get(self.by.key)
        if self.confirmed or last is None or type(last) is not type(said):
            return said
        given = {name: getattr(said, name) for name in _GIVEN if hasattr(said, name)}
        if isinstance(said, ev.QuestionAsked):
            given["question"] = said.question
        if replace(last, **given) != said:
            return said
        entry = self.incident.entries[last.entry]
        same_time = when.at == entry.at if when else not self._typed_apart(last)
        # a line that the clock has still to come to: it was put back since
        if entry.live and same_time and self.now - last.recorded_at <= TWICE_WITHIN:
            ago = times.ago(min(last.recorded_at, self.now), self.now)
            raise Question(
                f"You recorded the same line {ago} as entry {last.entry}.",
                (Choice("Record it again", LINE_TO_CONFIRM, confirmed=True),),
                "It is not recorded twice unless you say so.",
            )
        return said

    def _typed_apart(self, last: ev.Numbered) -> bool:
        """Whether it was typed at another time than the last line: what comes late, comes late together."""
        apart = self.said_at - last.at
        late = self.now - self.said_at > TWICE_WITHIN
        return (abs(apart) if late else apart) > TWICE_WITHIN

    def _not_before_onset(self, kind: Kind, at: datetime) -> None:
        onset = self.incident.onset
        begun = onset.replace(second=0, microsecond=0) if onset else None
        if kind in {Kind.MITIGATED, Kind.RESOLUTION, Kind.AGAIN} and onset and begun and at < begun:
            zone = self.incident.zone
            raise Refusal(
                f"That is {times.moment(at, zone)}, before impact began at {times.moment(onset, zone)}.",
                "Type the time with its date, or onset <when> to correct when impact began.",
                "when",
            )

    def _not_after_the_end(self, kind: Kind, at: datetime) -> None:
        """Impact that comes back after the resolution means that it is not over."""
        over = self.incident.resolution
        if kind is Kind.AGAIN and over is not None and at >= over.at:
            raise Refusal(
                f"INC-{self.incident.number} was resolved at {times.moment(over.at, self.incident.zone)}.",
                "Type reopen <why> first, then again <text>; or again with the earlier time at which impact came back.",
                "when",
            )

    def _not_before_it_came_back(self, kind: Kind, at: datetime, text: str) -> None:
        """An end of impact that lies before its last return ends nothing: it is asked about."""
        windows = self.incident.windows()
        back = self.incident.entries.get(windows[-1].started_by or 0) if windows and not windows[-1].end else None
        if self.confirmed or kind is not Kind.MITIGATED or back is None or back.kind is not Kind.AGAIN:
            return
        if at >= back.at.replace(second=0, microsecond=0):
            return
        zone = self.incident.zone
        raise Question(
            f"That is before impact came back (#{back.number}, {times.clock(back.at, zone)}).",
            (
                Choice("It stopped now", f"mitigated INC-{self.incident.number}: at now {text}".strip()),
                Choice(f"Keep {times.moment(at, zone)}", LINE_TO_CONFIRM, confirmed=True),
            ),
            "Nothing is recorded yet. With the time that you gave, impact still counts as on.",
            "when",
        )

    def _when(self, when: times.When | None) -> times.When | None:
        onset, over = self.incident.onset, self.incident.resolution
        if when is None or not when.clock_only or self.confirmed:
            return when
        if onset and onset - when.at > FAR_BEFORE:
            raise _far(when, onset, "before impact began", self.said_at, self.incident.zone)
        if onset and over and when.at - over.at > FAR_AFTER:
            own = times.same_clock(when, when.zone, over.at + FAR_AFTER)
            if own >= onset - FAR_AFTER:
                raise self._late(when, own, over.at)
        return when

    def _late(self, when: times.When, own: datetime, over: datetime) -> Question:
        """After the resolution a clock time may be of the incident's own day, or of today."""
        earlier, later = times.moment(own, when.zone), times.moment(when.at, when.zone)
        choices = [Choice(later, LINE_TO_CONFIRM, confirmed=True)]
        if when.typed:
            choices.insert(0, _reading(when, own, when.zone, earlier))
        return Question(
            f"INC-{self.incident.number} was resolved at {times.moment(over, self.incident.zone)}. "
            f"{times.clock(when.at, when.zone)} may be {earlier}, or {later}.",
            tuple(choices),
            f"Nothing is recorded yet. To type it with its date: at {own.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            "when",
        )

    # ---- tasks -----------------------------------------------------------------------------------

    def _add_task(self, said: cmd.AddTask) -> ev.Event:
        added = ev.TaskAdded(
            **self._entry_head(said.when),
            text=said.text,
            task=self.incident.last_task + 1,
            owner=said.owner,
            person=said.person,
            category=said.category,
            due=said.due,
            public=said.public,
        )
        return self._not_twice(added, said.when)

    def _change_task(self, said: cmd.ChangeTask) -> ev.Event:
        if said.whole and said.task not in self.incident.tasks:  # "T3 instances are too small"
            if not self.confirmed:
                raise Question(
                    f"There is no action item T{said.task}. Nothing is recorded yet.",
                    (Choice("Add it as a new one", LINE_TO_CONFIRM, confirmed=True),),
                    self._known_tasks(),
                )
            new = cmd.AddTask(
                text=said.whole,
                owner=said.owner or "",
                person=said.person,
                category=said.category,
                due=said.due,
                public=bool(said.public),
            )
            return self._add_task(new)
        task = self._task(said.task)
        fine = re.fullmatch(r"https?://[^\s<>|]+", said.url or "", re.IGNORECASE)
        if said.url and (not fine or len(said.url) > LONGEST_URL):
            raise Refusal(
                f"That is no link to a tracker: it begins with https:// or http:// and has up to {LONGEST_URL:,} "
                "characters.",
                f"Type todo {self._named_task(task.number)} https://…",
                "url",
            )
        return ev.TaskChanged(
            **self._head(),
            task=task.number,
            owner=said.owner,
            person=said.person,
            category=said.category,
            due=said.due,
            text=said.text or None,
            public=said.public,
            url=said.url,
        )

    def _task(self, number: int) -> Task:
        if number not in self.incident.tasks:
            raise Refusal(f"There is no action item T{number}.", self._known_tasks())
        return self.incident.tasks[number]

    def _no_task(self, line: str, number: int) -> Question:
        return Question(
            f"There is no action item T{number}. Nothing is recorded yet.",
            (Choice("Note", f"note {line}"), Choice("Action", f"action {line}")),
            self._known_tasks(),
        )

    def _known_tasks(self) -> str:
        known = ", ".join(f"T{n}" for n in self.incident.tasks) or "none yet"
        return f"Action items: {known}. Type todo <task> to add one."

    def _open_task(self, number: int) -> Task:
        task = self._task(number)
        if task.state != "open":
            since = f" since {times.day(task.done_at, self.incident.zone)}" if task.done_at else ""
            raise Refusal(
                f"T{number} is {task.state} already{since}; nothing is left to do.",
                f"Type todo {self._named_task(number)} again if it is to be done after all.",
            )
        return task

    def _named_task(self, number: int) -> str:
        """How an action item is named from anywhere: INC-42: T3."""
        return f"INC-{self.incident.number}: T{number}"

    def _reopen_task(self, said: cmd.ReopenTask) -> ev.Event:
        task = self._task(said.task)
        if task.state == "open":
            raise Refusal(
                f"T{said.task} is open.", f"Type todo {self._named_task(said.task)} : again if that is its new text."
            )
        return ev.TaskReopened(**self._head(), task=task.number)

    # ---- marks and corrections -------------------------------------------------------------------

    def _mark(self, said: cmd.MarkEntry) -> ev.Event:
        match said.mark:
            case cmd.Mark.WORKED | cmd.Mark.NO_EFFECT:
                entry = self._existing(said.entry)
                if entry.kind not in {Kind.ACTION, Kind.MITIGATION, Kind.MITIGATED}:
                    raise self._wrong_kind(entry, "an action or a mitigation", said.mark.value)
                return ev.EffectSeen(**self._head(), entry=entry.number, worked=said.mark is cmd.Mark.WORKED)
            case cmd.Mark.CONFIRMED:
                entry = self._existing(said.entry)
                if entry.kind is not Kind.HYPOTHESIS:
                    raise self._wrong_kind(entry, "a hypothesis", said.mark.value)
                return ev.HypothesisConfirmed(**self._head(), entry=entry.number)
            case cmd.Mark.KEY | cmd.Mark.UNKEY:
                entry = self._existing(said.entry)
                return ev.Starred(**self._head(), entry=entry.number, on=said.mark is cmd.Mark.KEY)
            case _:
                assert_never(said.mark)

    def _wrong_kind(self, entry: Entry, wanted: str, verb: str) -> Refusal:
        label = entry.kind.value.replace("_", " ")
        return Refusal(
            f"Entry {entry.number} is not {wanted}: it is recorded as {label}.",
            f"Type timeline to see the numbers, or {VERBS[verb].usage}.",
        )

    def _correct_text(self, said: cmd.CorrectText) -> ev.Event:
        entry = self._correctable(said.entry)
        text, share = said.text, ""
        added: tuple[str, ...] = ()
        removed: tuple[str, ...] = ()
        if entry.kind is Kind.IMPACT:
            share = share_of_users(text)
        if entry.kind is Kind.SERVICES:
            added, removed = service_names(text)
        if entry.kind is Kind.STARTED:  # a title is one line
            text = " ".join(text.split())
        return ev.TextCorrected(
            **self._head(), entry=entry.number, text=text, share=share, added=added, removed=removed
        )

    def _correct_kind(self, said: cmd.CorrectKind) -> ev.Event:
        entry = self._correctable(said.entry)
        if entry.kind in LIFE_KINDS or said.kind in LIFE_KINDS:
            raise Refusal(
                "What opens, ends or reopens an incident keeps its kind.",
                "Use undo, reopen, resolve or cancel instead.",
            )
        if entry.kind is said.kind:
            raise Refusal(f"Entry {entry.number} is that already.", "Type edit <n> <text> to change its text.")
        if entry.kind in STRUCTURED or said.kind in STRUCTURED:
            kind = said.kind if said.kind in STRUCTURED else entry.kind
            raise Refusal(
                f"An entry cannot be turned into or out of {_a(kind.value)}: it says more than a text.",
                f"Type remove {entry.number} and record it anew.",
            )
        self._not_before_onset(said.kind, entry.at)
        self._not_after_the_end(said.kind, entry.at)
        share = share_of_users(entry.text) if said.kind is Kind.IMPACT else ""
        return ev.KindCorrected(**self._head(), entry=entry.number, to=said.kind, share=share)

    def _move(self, said: cmd.Move) -> ev.Event:
        entry = self._correctable(said.entry)
        if entry.kind is Kind.STARTED:
            raise Refusal("Entry 1 opened the record; its time stays.", "Type onset <when> for when impact began.")
        when = said.when
        self._when(when)
        self._not_before_onset(entry.kind, when.at)
        self._not_after_the_end(entry.kind, when.at)
        return ev.TimeCorrected(**self._head(), entry=entry.number, at=when.at, approx=when.approx, zone=when.zone)

    def _set_onset(self, said: cmd.SetOnset) -> ev.Event:
        when = said.when
        if when.clock_only and self.now - when.at > FAR_BEFORE and not self.confirmed:
            raise _far(when, self.now, "before now", self.said_at, self.incident.zone)
        over = next((w.end for w in self.incident.windows() if w.end), None)
        if over is not None and when.at > over:
            zone = self.incident.zone
            raise Refusal(
                f"That is {times.moment(when.at, zone)}, after impact ended at {times.moment(over, zone)}.",
                "Type the time with its date, or move the entry that ended it.",
                "when",
            )
        return ev.OnsetSet(**self._head(), at=when.at, approx=when.approx)

    def _remove(self, said: cmd.Remove) -> ev.Event:
        entry = self._correctable(said.entry)
        if entry.kind in LIFE_KINDS:
            raise Refusal(
                f"Entry {entry.number} opens, ends or reopens the incident and cannot be removed.",
                "Use undo, reopen, resolve or cancel instead.",
            )
        return ev.Removed(**self._head(), entry=entry.number, text=said.why)

    def _redact(self, said: cmd.Redact) -> ev.Event:
        if said.what:
            if not any(words_of(one) == said.what for one in self.incident.happened):
                raise Refusal(f"Nobody has written a {said.what}.", "Type redact <n> for the text of an entry.")
            self._ask(f"Destroy every {said.what} that was written, for good? Nobody can bring it back.", "Destroy it")
            return ev.WordsDestroyed(**self._head(), what=said.what)
        entry = self._any(said.entry)
        self._may_correct(entry)
        if entry.redacted:
            raise Refusal(f"The text of entry {entry.number} is destroyed already.", "There is nothing left to redact.")
        self._ask(
            f"Destroy the text of entry {entry.number} for good? Its time, kind and author stay; nobody can bring the "
            "text back. What Slack still shows in the channel you delete there yourself.",
            "Destroy the text",
        )
        return ev.Redacted(**self._head(), entry=entry.number)

    def _to_undo(self, wanted: int) -> int:
        """The event to take back: the one that is wanted, else one's own last; nobody takes back another's."""
        if wanted in self.incident.undone:
            raise Refusal("That was taken back already.", "Type timeline to see what stands.")
        for seq in (wanted,) if wanted else range(self.incident.seq, 0, -1):
            happened = self.incident.happened[seq - 1] if seq <= self.incident.seq else None
            if happened is None or happened.by != self.by.key or seq in self.incident.undone:
                continue
            match happened:
                case ev.Undone() | ev.ChannelOpened() | ev.Attached():  # a channel stays; a file goes with its entry
                    continue
                case ev.Started():
                    raise Refusal("Your last line opened the incident.", "Type cancel <why> if it was none.")
                case ev.Redacted() | ev.WordsDestroyed():
                    raise Refusal("Your last line destroyed a text; it is gone.", "Type remove <n> for another entry.")
                case ev.LinkRevoked():  # an undo would let everybody in again who was shut out
                    raise Refusal(
                        "Your last line took a web link back; it stays so.", "The draft's post has the new one."
                    )
                case ev.Resolved() if self.incident.published:
                    raise Refusal("The postmortem is published.", "Type reopen <why> if it is not over.")
                case ev.Published():
                    raise Refusal("What is published stays published.", "Record what is new: it becomes an addendum.")
                case _:
                    return seq
        raise Refusal("There is nothing of yours to take back.", "Type remove <n> for an entry of somebody else.")

    def _gap(self, gap: str) -> str:
        if gap in GAP_WORDS:
            meant = [state for state in facts.states(self.incident) if state.fact.gap == gap]
            if all(state.state is facts.State.KNOWN for state in meant):
                told = ", ".join(f"#{n}" for n in dict.fromkeys(n for state in meant for n in state.entries))
                raise Refusal(
                    f"{' '.join(dict.fromkeys(state.fact.name for state in meant))} That is known: {told}.",
                    f"Type gaps to see what is missing{', or edit <n> <text> to correct the entry' if told else ''}.",
                )
            return gap
        raise Refusal(f"There is no gap {gap}.", f"Type gaps to see them, or none with one of: {', '.join(GAP_WORDS)}.")

    # ---- the end ---------------------------------------------------------------------------------

    def _duplicate(self, said: cmd.MarkDuplicate) -> ev.Event:
        self._must_be_open()
        if said.of == self.incident.number:
            raise Refusal("An incident is no duplicate of itself.", "Type duplicate of <number of the other>.")
        self._ask(
            f"Close INC-{self.incident.number} as a duplicate of INC-{said.of}? The record is kept.",
            f"It is INC-{said.of}",
        )
        return ev.DuplicateFound(**self._entry_head(), text="", of=said.of)

    def _approve_for_customers(self, upto: int) -> ev.Event:
        """Approved is what was shown: the number says what that was, and nothing of it has changed since."""
        if self.incident.drill:
            raise Refusal(f"INC-{self.incident.number} is a drill: customers hear nothing of it.", "Type approve.")
        if not 0 < upto <= self.incident.seq:
            raise Refusal(
                "What customers will read is looked at before it is approved; nothing is changed.",
                "Type draft customer: below it stands the line with which to approve it.",
            )
        if customers.at(self.incident, upto) != customers.version(self.incident):
            raise Refusal(
                "What customers would read has changed since that was shown; nothing is changed.",
                "Type draft customer to see how it reads now.",
            )
        return ev.Approved(**self._head(), upto=upto, what="customer")

    def _call_review(self, said: cmd.CallReview) -> ev.Event:
        return ev.ReviewCalled(
            **self._head(),
            person=said.person,
            asked=said.asked,
            who=said.who,
            text=said.when,
            held_at=said.on.at if said.on else None,
            zone=said.on.zone if said.on else self.by.zone,
        )

    def _publish(self) -> ev.Event:
        if self.incident.is_open:
            raise Refusal(f"INC-{self.incident.number} is not resolved yet.", "Type resolve <text> first.")
        if self.incident.published:
            raise Refusal("The document is published already.", "What is recorded now becomes an addendum.")
        return ev.Published(**self._head(), upto=self.incident.seq)

    def _must_be_open(self) -> None:
        if not self.incident.is_open:
            raise Refusal(f"INC-{self.incident.number} is {self.incident.status.value} already.", "Type reopen first.")

    # ---- pieces ----------------------------------------------------------------------------------

    def _head(self) -> dict[str, Any]:
        return {"by": self.by.key, "recorded_at": self.now}

    def _entry_head(self, when: times.When | None = None) -> dict[str, Any]:
        when = self._when(when)
        return {
            **self._head(),
            "entry": self.incident.last_entry + 1,
            "at": when.at if when else self.said_at,
            "approx": bool(when and when.approx),
            "zone": when.zone if when else self.by.zone,
        }

    def _ask(self, question: str, label: str) -> None:
        if not self.confirmed:
            raise Question(question, (Choice(label, LINE_TO_CONFIRM, confirmed=True),), "Nothing is changed yet.")

    def _any(self, number: int) -> Entry:
        entry = self.incident.entries.get(number)
        if entry is None:
            raise Refusal(
                f"There is no entry {number}.",
                f"The last one is {self.incident.last_entry}; type timeline to see the numbers.",
            )
        return entry

    def _existing(self, number: int) -> Entry:
        entry = self._any(number)
        if not entry.live:
            raise Refusal(f"Entry {number} was {entry.withdrawn}.", "Type timeline to see the numbers.")
        return entry

    def _fits(self, number: int, kind: Kind) -> bool:
        entry = self.incident.entries.get(number)
        return entry is not None and entry.live and entry.kind is kind

    def _correctable(self, number: int) -> Entry:
        entry = self._existing(number)
        if entry.redacted:
            raise Refusal(
                f"The text of entry {number} was destroyed.", "Record it anew, without what must not be kept."
            )
        self._may_correct(entry)
        return entry

    def _may_correct(self, entry: Entry) -> None:
        if self.authors_only and self.by.key not in {entry.by, entry.event.by}:
            raise Refusal(
                f"Only who recorded entry {entry.number} may correct it here (SCRIBE_CORRECTIONS=author).",
                "Record what is right as a note.",
            )


def _a(noun: str) -> str:
    """ "a note", "an action" """
    noun = noun.replace("_", " ")
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
