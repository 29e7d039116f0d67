"""A postmortem as data, without any markup: what each part of the document and of the annex says.

Texts that people recorded stand in fields of their own, whole; everything else is labels, times, durations and counts.
Lists say how many items were left out (`more`), so that a budget can shorten them without touching the templates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from bot.core.events import Kind
from bot.core.facts import FactState


@dataclass(frozen=True, slots=True)
class Shape:
    """A form of the document: it has `least` to `limit` words; `lists` are those that it prints (see budget.py)."""

    least: int = 400
    limit: int = 600
    lists: frozenset[str] | None = None


UNLIMITED = 1_000_000

SHAPES: dict[str, Shape] = {
    "default": Shape(),
    "eight": Shape(),
    "sre": Shape(),
    "executive": Shape(least=0, limit=149, lists=frozenset({"impacts", "tasks"})),
    "customer": Shape(least=0, limit=UNLIMITED, lists=frozenset()),
}
"""The forms that come with Scribe; one of a folder of one's own has the measures of the default."""

CUSTOMER = "customer"
"""The form that leaves the house: it is given nothing but a `CustomerVersion`, and a person has approved it."""

TEMPLATES = tuple(SHAPES)
"""The names of the forms that come with Scribe."""

FORMATS = ("md", "html", "json", "csv")
"""The kinds of file in which it can be asked for."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the record does not say about its document: numbers and file names.

    `chain` is the head of the chain; it is printed in the annex and in the JSON. A document has `least` to `limit`
    words. `files` is the folder of what was attached. `messages` is where messages lie: an address to which channel and
    number of a message are joined, "" when it is not known.
    """

    number: int = 0
    revision: int = 1
    document: str = "postmortem.md"
    annex: str = "postmortem.timeline.md"
    picture: str = "postmortem.svg"
    files: str = "postmortem.files"
    chain: str = ""
    template: str = "default"
    messages: str = ""
    limit: int = 600
    least: int = 400


class Missing(StrEnum):
    """How something that is not there is printed in its place (POSTMORTEM.md, rule 6)."""

    UNKNOWN = "unknown"
    NOT_RECORDED = "not recorded"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Items that are printed, and how many more stand in the annex only."""

    items: tuple[T, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """A labelled line: `text` is what is said, `missing` is printed instead (or before it), `entries` are the evidence.

    `see` is the time of the timeline line to look at, where the text stands there already; `said` marks the words of
    a person; `cut` says that only their first sentence is printed. `more` stands for so many others, in the annex.
    `late`: recorded after the document was published.
    """

    label: str = ""
    text: str = ""
    entries: tuple[int, ...] = ()
    missing: Missing | None = None
    question: int | None = None
    see: str = ""
    said: bool = False
    cut: bool = False
    more: int = 0
    late: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the first part."""

    title: str
    number: int
    severity: int | None
    drill: bool
    status: str
    stage: str
    revision: int
    approvals: tuple[str, ...]
    reviewed: str
    entries: int


@dataclass(frozen=True, slots=True)
class File:
    """A file of a captured message: its name, and how it is called in the folder `Options.files`.

    `path` is "" where it is not kept, `why` says why not, `destroyed` that somebody had it destroyed: then its name is
    "" as well. `words` are kind and size ("PNG image, 240 kB"); `image`: a browser shows it.
    """

    name: str
    path: str
    words: str
    media_type: str
    size: int
    digest: str
    image: bool
    destroyed: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline.

    `clock` is the time as printed (with ~ and, where it changes, the day), `label` the kind in words, `mark` ✗ or "",
    `notes` short remarks of Scribe's after the text, `about` and `about_clock` the hypothesis of a dead end; `cut` says
    that only the first sentence is printed. `weight` orders lines by how much they must stand in the document. `images`
    are those of an entry with a star, `alt` what they show in the entry's words.
    """

    entry: int
    at: datetime
    kind: Kind
    clock: str
    label: str
    text: str
    mark: str = ""
    milestone: bool = False
    notes: tuple[str, ...] = ()
    about: int | None = None
    about_clock: str = ""
    cut: bool = False
    weight: int = 0
    images: tuple[File, ...] = ()
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase of the timeline; `day` where all of it happened on a day that was not named before."""

    name: str
    day: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The phases, the line about zones that opens them, and what has been looked for in vain."""

    zones: str
    phases: tuple[Stretch, ...]
    missing: tuple[str, ...] = ()
    question: int | None = None
    more: int = 0
    more_dead_ends: int = 0


@dataclass(frozen=True, slots=True)
class ActionItem:
    """An action item: owner, due date and category as printed, "" where unknown; `url` is where a tracker has it."""

    number: int
    entry: int
    text: str
    owner: str
    due: str
    category: str
    state: str
    done: str
    why_dropped: str
    cut: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Actions:
    """The action items; `ownerless` says that no open one has an owner or a due date, which is then said once."""

    tasks: Listed[ActionItem]
    ownerless: bool
    missing: Missing | None
    question: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """An open question: `key` names the kind of gap, `ask` whom, `hint` the entry that may say it."""

    number: int
    key: str
    text: str
    ask: str = ""
    hint: int | None = None
    said: bool = False
    in_document: bool = True


@dataclass(frozen=True, slots=True)
class GuidingQuestion:
    """A question of the review and its answers, if any."""

    name: str
    text: str
    entry: int | None
    answers: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Lengths in seconds, None where a part is unknown. All count from the onset of impact, save `acknowledge`."""

    impact: int | None = None
    detect: int | None = None
    acknowledge: int | None = None
    mitigate: int | None = None
    resolve: int | None = None
    windows: int = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in words, for the annex."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Responder:
    """Somebody who took part."""

    name: str
    roles: tuple[str, ...]
    entries: int


@dataclass(frozen=True, slots=True)
class Change:
    """A correction, mark or other change of the record, in words; `undone` when it was taken back."""

    seq: int
    what: str
    text: str
    by: str
    at: str
    undone: bool


@dataclass(frozen=True, slots=True)
class AnnexEntry:
    """An entry with all that is known about it.

    `by` wrote it, `recorded_by` (if another) recorded it; `withdrawn` is "removed", "undone" or "". `said_in` is the
    message that it was captured from, `message` its address, "" where that is not known. `about` and `about_text` are
    the hypothesis that a dead end belongs to.
    """

    number: int
    seq: int
    kind: Kind
    at: datetime
    recorded: datetime
    label: str
    when: str
    approx: bool
    text: str
    by: str
    recorded_by: str
    recorded_at: str
    withdrawn: str
    why_withdrawn: str
    redacted: bool
    starred: bool
    late: bool
    said_in: str
    message: str
    history: tuple[Change, ...]
    about: int | None = None
    about_text: str = ""
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """A window of impact, for the picture."""

    start: datetime
    end: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class Link:
    """Supporting information."""

    url: str
    text: str
    entry: int


@dataclass(frozen=True, slots=True)
class Length:
    """How long the main document is: `over` the limit although everything that may be shortened is; `fill` names the
    open facts that would fill it where it is short."""

    words: int = 0
    over: bool = False
    fill: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewNote:
    """Something for reviewers to look at: where (an entry, a section), the words or what about it, why, what instead.

    `entries` are those that a section does not know of yet, or does not show.
    """

    where: str
    entry: int | None
    text: str
    why: str = ""
    instead: str = ""
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Headlines:
    """The words of the channel's post: the values of the summary without evidence, "" where unknown."""

    duration: str
    impact_duration: str
    impact: str
    found_by: str
    root_cause: str
    ask: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that was told to customers, and when."""

    when: str
    text: str


@dataclass(frozen=True, slots=True)
class PublicTask:
    """An action item that customers may read."""

    text: str
    done: bool


@dataclass(frozen=True, slots=True)
class CustomerVersion:
    """What customers may see (see customers.py): "" and () where it is unknown, which is then left out.

    `start` to `restored` is how long users were affected (`affected_for`, the sum where it came back, in
    `times_affected` windows), `start` to `end` the whole incident (`lasted`).
    """

    title: str
    status: str
    start: str
    restored: str
    affected_for: str
    times_affected: int
    end: str
    lasted: str
    summary: str
    impact: tuple[str, ...]
    seen: tuple[str, ...]
    told: tuple[Passage, ...]
    tasks: tuple[PublicTask, ...]


@dataclass(frozen=True, slots=True)
class Postmortem:
    """The whole document and its annex.

    `severities` says from when on which severity held, for the picture; `written` holds the sections that a person
    wrote, by name, `signed` by whom and when, `newer` the entries that came after each of them; `review` is for
    reviewers alone. `life` says who asked for its review, approved and published it.
    """

    options: Options
    zone: str
    header: Header
    summary: tuple[Statement, ...]
    timeline: Timeline
    cause: Statement
    trigger: Statement | None
    factors: Listed[Statement]
    factors_missing: Statement | None
    workaround: Statement | None
    fix: Statement
    confirmed: Listed[Statement]
    improvements: Listed[Statement]
    improvements_missing: Statement | None
    actions: Actions
    lessons: Listed[Statement]
    answers: Listed[Statement]
    questions: tuple[Question, ...]
    guiding: tuple[GuidingQuestion, ...]
    metrics: Metrics
    metric_lines: tuple[Metric, ...]
    responders: tuple[Responder, ...]
    entries: tuple[AnnexEntry, ...]
    all_factors: tuple[Statement, ...]
    all_tasks: tuple[ActionItem, ...]
    all_lessons: tuple[Statement, ...]
    links: tuple[Link, ...]
    changes: tuple[Change, ...]
    windows: tuple[Impact, ...]
    severities: tuple[tuple[datetime, int], ...]
    facts: tuple[FactState, ...]
    headlines: Headlines
    customer: CustomerVersion
    written: dict[str, str] = field(default_factory=dict)
    signed: dict[str, str] = field(default_factory=dict)
    newer: dict[str, tuple[int, ...]] = field(default_factory=dict)
    review: tuple[ReviewNote, ...] = ()
    length: Length = Length()
    life: str = ""
