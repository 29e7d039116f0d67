"""An incident as it stands: the fold of its events.

`fold(events)` and `Incident.apply(event)` are the only ways in which an incident comes to be or changes. What a command
does to it is decided in `decide.py`; what people may say is in `commands.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.core import events as ev
from bot.core.events import Category, Kind, Source

GUIDING_QUESTIONS = 5  # R1 to R5 (POSTMORTEM.md S18); people's own begin at R6

REDACTED = "[redacted]"
"""What stands where a text was destroyed."""

LIFE_KINDS = frozenset({Kind.STARTED, Kind.RESOLUTION, Kind.REOPENED, Kind.CANCELLED, Kind.DUPLICATE})
"""Kinds that change the state of the incident itself: `edit <n> as <kind>` and `remove` refuse them."""


class Status(StrEnum):
    """Where an incident is in its life."""

    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"


class Stage(StrEnum):
    """Where its document is in its life (POSTMORTEM.md S26)."""

    DRAFT = "draft"
    IN_REVIEW = "in review"
    PUBLISHED = "published"


@dataclass(slots=True)
class Entry:
    """A numbered line of the record as it stands now: what was said, with every correction applied.

    `event` is what was recorded first, `history` the corrections and marks since, in order; `seq` the place of the
    first event in the record. `withdrawn` is how it left the record ("removed" or "undone"), else "".
    """

    number: int
    seq: int
    event: ev.Numbered
    kind: Kind
    at: datetime
    approx: bool
    zone: str
    text: str
    by: str
    recorded_at: datetime
    worked: bool | None = None
    confirmed: bool = False
    starred: bool = False
    withdrawn: str = ""
    why_withdrawn: str = ""
    redacted: bool = False
    share: str = ""
    files: list[ev.Attached] = field(default_factory=list)
    history: list[ev.Event] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether it counts: neither removed nor undone."""
        return not self.withdrawn

    @property
    def order(self) -> tuple[datetime, int]:
        """Entries sort by the minute in which they happened, told order within a minute (POSTMORTEM.md rule 3)."""
        return self.at.replace(second=0, microsecond=0), self.number


@dataclass(slots=True)
class Task:
    """An action item as it stands now. `state` is "open", "done" or "dropped"."""

    number: int
    entry: int
    owner: str
    person: str
    category: Category | None
    due: date | None
    state: str = "open"
    done_at: datetime | None = None
    why_dropped: str = ""
    public: bool = False
    url: str = ""
    history: list[ev.Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of impact. `end` is None while it goes on; `ended_by` is the entry that ended it."""

    start: datetime
    end: datetime | None
    start_approx: bool = False
    end_approx: bool = False
    started_by: int | None = None
    ended_by: int | None = None

    def length(self, now: datetime) -> timedelta:
        """How long it lasted, or has lasted by `now`: between the minutes that are printed, so that they add up."""

        def minute(at: datetime) -> datetime:
            return at.replace(second=0, microsecond=0)

        return max(minute(self.end or now) - minute(self.start), timedelta())


@dataclass(slots=True)
class Incident:
    """The state of one incident. `number` is its number in the workspace (INC-42)."""

    number: int = 0
    seq: int = 0
    happened: list[ev.Event] = field(default_factory=list)
    title: str = ""
    drill: bool = False
    severity: int | None = None
    zone: str = "UTC"
    onset: datetime | None = None
    onset_approx: bool = False
    onset_given: bool = False
    started_at: datetime | None = None
    entries: dict[int, Entry] = field(default_factory=dict)
    authors: set[str] = field(default_factory=set)
    of_kind: dict[Kind, dict[int, Entry]] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    questions: dict[int, int] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    role_names: dict[str, str] = field(default_factory=dict)
    not_applicable: dict[str, int] = field(default_factory=dict)
    sections: dict[str, ev.SectionWritten] = field(default_factory=dict)
    section_seq: dict[str, int] = field(default_factory=dict)
    stage: Stage = Stage.DRAFT
    review: ev.ReviewCalled | None = None
    approvals: list[ev.Approved] = field(default_factory=list)
    title_for_customers: str = ""
    approved_for_customers: ev.Approved | None = None
    published: ev.Published | None = None
    shared: list[str] = field(default_factory=list)
    links_revoked: int = 0
    own_channel: str = ""
    nudged: bool = True
    destroyed_files: set[str] = field(default_factory=set)
    undone: set[int] = field(default_factory=set)
    ended: Kind | None = None
    last_entry: int = 0
    last_task: int = 0
    last_question: int = GUIDING_QUESTIONS
    last_said: dict[str, ev.Numbered] = field(default_factory=dict)

    # ---- what is true now ------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """Open, mitigated, resolved, cancelled or a duplicate."""
        match self.ended:
            case Kind.RESOLUTION:
                return Status.RESOLVED
            case Kind.CANCELLED:
                return Status.CANCELLED
            case Kind.DUPLICATE:
                return Status.DUPLICATE
            case _:
                windows = self.windows()
                return Status.MITIGATED if windows and windows[-1].end is not None else Status.OPEN

    @property
    def is_open(self) -> bool:
        """Whether it is still going on (open or mitigated)."""
        return self.ended is None

    def live(self, *kinds: Kind) -> list[Entry]:
        """The entries that count, of these kinds (of all when none is named), in the order in which they happened."""
        found = (self.of_kind.get(kind, {}) for kind in kinds) if kinds else (self.entries,)
        return sorted((e for entries in found for e in entries.values() if e.live), key=lambda e: e.order)

    def is_addendum(self, entry: Entry) -> bool:
        """Whether an entry was recorded after the document was published."""
        return self.published is not None and entry.seq > self.published.upto

    def latest(self, kind: Kind) -> Entry | None:
        """The entry of that kind that was recorded last and counts: a later cause or fix replaces the earlier."""
        return max((e for e in self.of_kind.get(kind, {}).values() if e.live), key=lambda e: e.number, default=None)

    def windows(self) -> list[Window]:
        """The stretches of impact, in order: from onset or `again` to the last `mitigated`, or to the resolution.

        What is called mitigated after a resolution moves its end no more, unless that was reopened.
        """
        if self.onset is None:
            return []
        start, start_approx, started_by = self.onset, self.onset_approx, 1
        end: Entry | None = None
        lapsed: Entry | None = None  # a resolution that was reopened: the end of impact only if it came back after it
        over = False
        found: list[Window] = []
        for mark in self.live(Kind.MITIGATED, Kind.AGAIN, Kind.RESOLUTION, Kind.REOPENED):
            match mark.kind:
                case Kind.MITIGATED:
                    end = end if over and end else mark
                case Kind.RESOLUTION:
                    end, over = end or mark, True
                case Kind.REOPENED:
                    over = False
                    if end is not None and end.kind is Kind.RESOLUTION:
                        end, lapsed = None, end
                case _ if (end := end or lapsed) is not None:  # again: a second window
                    lapsed = None
                    found.append(Window(start, end.at, start_approx, end.approx, started_by, end.number))
                    start, start_approx, started_by, end, over = mark.at, mark.approx, mark.number, None, False
                case _:  # again while impact was on says nothing new
                    pass
        if end is None and self.resolution is not None:  # resolved at a time before impact came back: it ended at once
            found.append(Window(start, start, start_approx, start_approx, started_by, self.resolution.number))
        elif end is None:
            found.append(Window(start, None, start_approx, False, started_by, None))
        else:
            found.append(Window(start, end.at, start_approx, end.approx, started_by, end.number))
        return found

    def impact(self, now: datetime) -> timedelta:
        """How long users were affected: the sum of the windows, by `now` where the last still goes on."""
        return sum((w.length(now) for w in self.windows()), timedelta())

    @property
    def resolution(self) -> Entry | None:
        """The entry that resolved it, when it is resolved."""
        return self.latest(Kind.RESOLUTION) if self.ended is Kind.RESOLUTION else None

    @property
    def detection(self) -> Entry | None:
        """The first detection."""
        return next(iter(self.live(Kind.DETECTION)), None)

    def source(self) -> Source | None:
        """How it was found: what the first detection that says it says."""
        said = (e.event.source for e in self.live(Kind.DETECTION) if isinstance(e.event, ev.Detected))
        return next((source for source in said if source), None)

    def services(self) -> list[tuple[str, int]]:
        """The affected services in the order named, each with the number of the entry that named it."""
        named: dict[str, tuple[str, int]] = {}
        for entry in sorted(self.live(Kind.SERVICES), key=lambda e: e.number):
            added, removed = services_of(entry)
            for name in removed:
                named.pop(name.casefold(), None)
            for name in added:
                named.setdefault(name.casefold(), (name, entry.number))
        return list(named.values())

    def share(self) -> Entry | None:
        """The impact entry that names the highest share of users; the latest of these."""
        named = [e for e in self.live(Kind.IMPACT) if e.share]
        return max(named, key=lambda e: (float(e.share), e.order), default=None)

    def dead_end_of(self, hypothesis: int) -> Entry | None:
        """The dead end that a hypothesis led to."""
        for entry in self.live(Kind.DEAD_END):
            if isinstance(entry.event, ev.RuledOut) and entry.event.hypothesis == hypothesis:
                return entry
        return None

    # ---- how it changes --------------------------------------------------------------------------

    def apply(self, happened: ev.Event) -> None:
        """Takes the next event in. Undoing folds the record again without the event that was taken back."""
        self.seq += 1
        self.happened.append(happened)
        if isinstance(happened, ev.Undone):
            self._fold_again(happened)
        else:
            self._take(happened, self.seq)

    def _fold_again(self, undone: ev.Undone) -> None:
        number, happened, gone = self.number, self.happened, self.undone | {undone.seq}
        fresh = Incident(number=number, undone=gone)
        fresh._take_all(happened)
        for name in Incident.__slots__:
            if name not in {"happened", "seq"}:
                setattr(self, name, getattr(fresh, name))

    def _take_all(self, happened: Sequence[ev.Event]) -> None:
        """Takes in what was not taken back, and keeps the numbers of what was. A text that was destroyed stays so."""
        for seq, one in enumerate(happened, start=1):
            if isinstance(one, ev.Undone) or (
                seq in self.undone and not isinstance(one, ev.Redacted | ev.WordsDestroyed)
            ):
                self._reserve(one, seq)
            else:
                self._take(one, seq)

    def _reserve(self, happened: ev.Event, seq: int) -> None:
        """An event that was taken back: its numbers are never used again and it stays in the history."""
        if isinstance(happened, ev.Numbered):
            entry = self._enter(happened, seq)
            entry.withdrawn = "undone"
        if isinstance(happened, ev.TaskAdded):
            self.last_task = max(self.last_task, happened.task)
        if isinstance(happened, ev.QuestionAsked):
            self.last_question = max(self.last_question, happened.question)

    def _enter(self, said: ev.Numbered, seq: int) -> Entry:
        entry = Entry(
            number=said.entry,
            seq=seq,
            event=said,
            kind=said.kind,
            at=said.at,
            approx=said.approx,
            zone=said.zone,
            text=said.text,
            by=said.author or said.by,
            recorded_at=said.recorded_at,
            share=said.share if isinstance(said, ev.ImpactDescribed) else "",
        )
        self.entries[entry.number] = entry
        self.authors.add(entry.by)
        self.of_kind.setdefault(entry.kind, {})[entry.number] = entry
        self.last_entry = max(self.last_entry, entry.number)
        self.last_said[said.by] = said
        return entry

    def _take(self, happened: ev.Event, seq: int) -> None:
        if isinstance(happened, ev.Numbered):
            self._enter(happened, seq)
            self._take_entry(happened)
        else:
            self._take_mark(happened, seq)

    def _take_entry(self, said: ev.Numbered) -> None:
        match said:
            case ev.Started():
                self.title, self.drill, self.severity = said.text, said.drill, said.severity
                self.zone, self.started_at = said.zone, said.at
                self.onset, self.onset_approx = said.onset, said.onset_approx
                self.onset_given = said.onset != said.at
            case ev.TaskAdded():
                self.tasks[said.task] = Task(
                    said.task, said.entry, said.owner, said.person, said.category, said.due, public=said.public
                )
                self.last_task = max(self.last_task, said.task)
            case ev.QuestionAsked():
                self.questions[said.question] = said.entry
                self.last_question = max(self.last_question, said.question)
            case ev.RoleGiven() | ev.HandedOver() | ev.SeveritySet():
                self._take_rank(said)
            case ev.Resolved() | ev.Cancelled() | ev.DuplicateFound():
                self.ended = said.kind
            case ev.Reopened():
                self.ended = None
            case _:
                pass

    def _take_rank(self, said: ev.Numbered) -> None:
        """Who has which role, and the severity."""
        match said:
            case ev.RoleGiven(role=""):
                pass  # its words were destroyed
            case ev.RoleGiven():
                self.roles[said.role] = said.person
                self.role_names[said.role] = said.who
            case ev.HandedOver():
                self.roles["commander"] = said.person
                self.role_names["commander"] = said.who
            case ev.Started() | ev.SeveritySet():
                self.severity = said.severity
            case _:
                pass

    def _take_mark(self, mark: ev.Event, seq: int) -> None:
        match mark:
            case ev.EffectSeen():
                self._marked(mark.entry, mark).worked = mark.worked
            case ev.HypothesisConfirmed():
                self._marked(mark.entry, mark).confirmed = True
            case ev.Starred():
                self._marked(mark.entry, mark).starred = mark.on
            case ev.TextCorrected():
                entry = self._marked(mark.entry, mark)
                entry.text, entry.share = mark.text, mark.share
                if entry.kind is Kind.STARTED:
                    self.title = mark.text
            case ev.KindCorrected():
                entry = self._marked(mark.entry, mark)
                del self.of_kind[entry.kind][entry.number]
                entry.kind, entry.share = mark.to, mark.share
                self.of_kind.setdefault(entry.kind, {})[entry.number] = entry
            case ev.TimeCorrected():
                entry = self._marked(mark.entry, mark)
                entry.at, entry.approx, entry.zone = mark.at, mark.approx, mark.zone
            case ev.Removed():
                entry = self._marked(mark.entry, mark)
                entry.withdrawn, entry.why_withdrawn = "removed", mark.text
                self._withdraw(entry)
            case ev.Redacted():
                entry = self._marked(mark.entry, mark)
                entry.redacted = True
                self.destroyed_files |= {one.digest for one in entry.files if one.digest}
                if entry.kind is Kind.STARTED and self.title == entry.text:
                    self.title = REDACTED
            case ev.TaskChanged() | ev.TaskDone() | ev.TaskDropped() | ev.TaskReopened() if mark.task not in self.tasks:
                pass  # the task itself was taken back
            case ev.TaskChanged():
                task = self.tasks[mark.task]
                task.history.append(mark)
                if mark.owner or mark.person:  # a name that was destroyed reads as empty
                    task.owner, task.person = mark.owner or "", mark.person
                task.category = mark.category or task.category
                task.due = mark.due or task.due
                task.public = task.public if mark.public is None else mark.public
                task.url = mark.url or task.url
                if mark.text:
                    self.entries[task.entry].text = mark.text
                    self.entries[task.entry].history.append(mark)
            case ev.TaskDone():
                task = self.tasks[mark.task]
                task.state, task.done_at = "done", mark.at
                task.history.append(mark)
            case ev.TaskDropped():
                task = self.tasks[mark.task]
                task.state, task.why_dropped = "dropped", mark.text
                task.history.append(mark)
            case ev.TaskReopened():
                task = self.tasks[mark.task]
                task.state, task.done_at, task.why_dropped = "open", None, ""
                task.history.append(mark)
            case ev.Attached():
                self._marked(mark.entry, mark).files.append(mark)
                self.destroyed_files.discard(mark.digest)
            case ev.ChannelOpened():
                self.own_channel = mark.channel
            case ev.NudgesSet():
                self.nudged = mark.on
            case ev.Retitled(audience="customers"):
                self.title_for_customers = mark.text
            case ev.Retitled():
                self.title = mark.text
            case ev.WordsDestroyed(what="title"):
                self.title, self.title_for_customers = REDACTED, ""
            case ev.WordsDestroyed():
                section = mark.what.removeprefix("section ")
                self.sections.pop(section, None)
                self.section_seq.pop(section, None)
            case ev.OnsetSet():
                self.onset, self.onset_approx, self.onset_given = mark.at, mark.approx, True
            case ev.ZoneSet():
                self.zone = mark.zone
            case ev.NotApplicable():
                self.not_applicable[mark.gap] = seq
            case ev.SectionWritten():
                self.sections[mark.section] = mark
                self.section_seq[mark.section] = seq
                if not mark.text:
                    del self.sections[mark.section], self.section_seq[mark.section]
            case ev.ReviewCalled():
                self.review = mark
                if self.stage is Stage.DRAFT:
                    self.stage = Stage.IN_REVIEW
            case ev.Approved(what="customer"):
                self.approved_for_customers = mark
            case ev.Approved():
                self.approvals.append(mark)
            case ev.Published():
                self.published, self.stage = mark, Stage.PUBLISHED
            case ev.SharedTo():
                self.shared.append(mark.channel)
            case ev.LinkRevoked():
                self.links_revoked += 1
            case _:
                raise AssertionError(f"no fold for {mark.name}")

    def _marked(self, number: int, mark: ev.Event) -> Entry:
        entry = self.entries[number]
        entry.history.append(mark)
        return entry

    def _withdraw(self, entry: Entry) -> None:
        """Takes back what hung on an entry that left the record."""
        for number in [n for n, task in self.tasks.items() if task.entry == entry.number]:
            del self.tasks[number]
        for number in [n for n, asked in self.questions.items() if asked == entry.number]:
            del self.questions[number]
        if isinstance(entry.event, ev.RoleGiven | ev.HandedOver | ev.SeveritySet):
            self.roles, self.role_names = {}, {}
            for other in self.entries.values():
                if other.live:
                    self._take_rank(other.event)


def services_of(entry: Entry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The services that an entry adds and takes away, after the last correction of its text."""
    for correction in reversed(entry.history):
        if isinstance(correction, ev.TextCorrected):
            return correction.added, correction.removed
    if isinstance(entry.event, ev.ServicesNamed):
        return entry.event.added, entry.event.removed
    return (), ()


def words_of(happened: ev.Event) -> str:
    """What the words of an event are that stand in no entry: "title", "review", "section cause"; "" for any other."""
    match happened:
        case ev.Retitled():
            return "title"
        case ev.ReviewCalled():
            return "review"
        case ev.SectionWritten():
            return f"section {happened.section}"
        case _:
            return ""


def fold(happened: Iterable[ev.Event], number: int = 0) -> Incident:
    """The incident that these events make, in order; in one pass, however much was taken back."""
    events = list(happened)
    incident = Incident(number=number, undone={one.seq for one in events if isinstance(one, ev.Undone)})
    incident.seq, incident.happened = len(events), events
    incident._take_all(events)
    return incident


def history(incident: Incident) -> Iterator[tuple[int, ev.Event]]:
    """Every event with its place in the record, from 1 on."""
    return iter(enumerate(incident.happened, start=1))
