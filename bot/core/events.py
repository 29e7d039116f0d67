"""The things that can happen to an incident: frozen facts, to and from JSON.

An event says what was said, by whom, when it was recorded and, for an entry, when it happened. It holds facts, never a
sentence of Scribe's and never Slack markup. Free text (what a person wrote) is marked with `words()`, so that the
store keeps it beside the chain and a text can be destroyed without breaking it.

People are named by a random key (`by`, `person`, `owner`): the store maps keys to Slack ids and names.

A kind that is no longer written stays listed here, so that old rows stay readable.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from bot.core.times import iso, parse_utc

JSON = dict[str, Any]


class Kind(StrEnum):
    """What an entry of the record is; the value is its name in JSON and in `edit <n> as <kind>`."""

    STARTED = "started"
    NOTE = "note"
    DETECTION = "detection"
    ACK = "ack"
    ACTION = "action"
    HYPOTHESIS = "hypothesis"
    DEAD_END = "dead_end"
    DECISION = "decision"
    ESCALATION = "escalation"
    UPDATE = "update"
    MITIGATION = "mitigation"
    MITIGATED = "mitigated"
    AGAIN = "again"
    SUMMARY = "summary"
    SERVICES = "services"
    IMPACT = "impact"
    TRIGGER = "trigger"
    CAUSE = "cause"
    FACTOR = "factor"
    FIX = "fix"
    VERIFIED = "verified"
    IMPROVEMENT = "improvement"
    TASK = "task"
    WELL = "well"
    WRONG = "wrong"
    LUCKY = "lucky"
    TAKEAWAY = "takeaway"
    QUESTION = "question"
    ANSWER = "answer"
    ROLE = "role"
    HANDOVER = "handover"
    SEVERITY = "severity"
    LINK = "link"
    RESOLUTION = "resolution"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"


class Source(StrEnum):
    """How an incident was found (POSTMORTEM.md S5)."""

    MONITORING = "monitoring"
    ENGINEER = "engineer"
    CUSTOMER = "customer"


class Category(StrEnum):
    """What an action item is for (POSTMORTEM.md S13)."""

    PREVENT = "prevent"
    DETECT = "detect"
    MITIGATE = "mitigate"
    PROCESS = "process"


def words(default: Any = MISSING) -> Any:
    """A field that holds what a person wrote: kept beside the chain, destroyed by `redact`."""
    return field(metadata={"words": True}) if default is MISSING else field(default=default, metadata={"words": True})


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to the record. `by` is a person's key, `recorded_at` the true time of recording (UTC)."""

    name: ClassVar[str] = ""
    by: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Numbered(Event):
    """A numbered line of the record.

    `entry` is its number, never reused; `at` when it happened (UTC), `approx` when that is about; `zone` the zone in
    which the time was typed. For an entry that was captured from a message, `said_in` is the message (channel/ts) and
    `author` the key of the person who wrote it.
    """

    kind: ClassVar[Kind]
    entry: int
    at: datetime
    approx: bool = False
    zone: str = "UTC"
    text: str = words("")
    said_in: str = ""
    author: str = ""


EVENTS: dict[str, type[Event]] = {}


def event(cls: type[Event]) -> type[Event]:
    """Lists an event under its `name` (for an entry: its kind)."""
    key = cls.name or cls.kind.value  # type: ignore[attr-defined]
    cls.name = key
    assert key not in EVENTS, key
    EVENTS[key] = cls
    return cls


# ---- entries: they take a number -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Started(Numbered):
    """An incident was declared: `text` is its title, `onset` when impact began, `zone` the zone of the incident.

    `new_channel`: a channel of its own was asked for.
    """

    kind = Kind.STARTED
    severity: int | None
    drill: bool
    onset: datetime
    onset_approx: bool
    new_channel: bool = False


@dataclass(frozen=True, kw_only=True)
class Noted(Numbered):
    """What was seen."""

    kind = Kind.NOTE


@dataclass(frozen=True, kw_only=True)
class Detected(Numbered):
    """When the incident was found, and how."""

    kind = Kind.DETECTION
    source: Source | None


@dataclass(frozen=True, kw_only=True)
class Acknowledged(Numbered):
    """Somebody is on it."""

    kind = Kind.ACK


@dataclass(frozen=True, kw_only=True)
class Acted(Numbered):
    """What was done or looked at."""

    kind = Kind.ACTION


@dataclass(frozen=True, kw_only=True)
class Suspected(Numbered):
    """An assumption about the cause."""

    kind = Kind.HYPOTHESIS


@dataclass(frozen=True, kw_only=True)
class RuledOut(Numbered):
    """A path that misled; `hypothesis` is the number of the entry it belonged to, `text` why or what."""

    kind = Kind.DEAD_END
    hypothesis: int | None


@dataclass(frozen=True, kw_only=True)
class Decided(Numbered):
    """A choice that was made."""

    kind = Kind.DECISION


@dataclass(frozen=True, kw_only=True)
class Escalated(Numbered):
    """Who was called in: `target` as it was said, `person` the key of the person where one was mentioned."""

    kind = Kind.ESCALATION
    target: str = words("")
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class ToldStakeholders(Numbered):
    """What was told to whom; `audience` as it was said, may be empty; `promised` when the next message was promised."""

    kind = Kind.UPDATE
    audience: str = words("")
    promised: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MitigationTried(Numbered):
    """A step towards the end of the impact."""

    kind = Kind.MITIGATION


@dataclass(frozen=True, kw_only=True)
class Mitigated(Numbered):
    """Impact stopped: it ends the open window of impact."""

    kind = Kind.MITIGATED


@dataclass(frozen=True, kw_only=True)
class Recurred(Numbered):
    """Impact came back: it opens another window of impact."""

    kind = Kind.AGAIN


@dataclass(frozen=True, kw_only=True)
class Summarised(Numbered):
    """What is going on, in plain words; a later one replaces it."""

    kind = Kind.SUMMARY


@dataclass(frozen=True, kw_only=True)
class ServicesNamed(Numbered):
    """Which services are affected: `text` as typed, `added` and `removed` as names."""

    kind = Kind.SERVICES
    added: tuple[str, ...] = words(())
    removed: tuple[str, ...] = words(())


@dataclass(frozen=True, kw_only=True)
class ImpactDescribed(Numbered):
    """What the incident did; `seen_by_users` for what users experienced, `share` the percentage of users it names."""

    kind = Kind.IMPACT
    seen_by_users: bool = False
    share: str = ""


@dataclass(frozen=True, kw_only=True)
class TriggerFound(Numbered):
    """What set it off, apart from the cause."""

    kind = Kind.TRIGGER


@dataclass(frozen=True, kw_only=True)
class CauseFound(Numbered):
    """The root cause; a later one replaces it."""

    kind = Kind.CAUSE


@dataclass(frozen=True, kw_only=True)
class FactorFound(Numbered):
    """A condition that contributed."""

    kind = Kind.FACTOR


@dataclass(frozen=True, kw_only=True)
class Fixed(Numbered):
    """The lasting fix; a later one replaces it."""

    kind = Kind.FIX


@dataclass(frozen=True, kw_only=True)
class Verified(Numbered):
    """How it is known to be over."""

    kind = Kind.VERIFIED


@dataclass(frozen=True, kw_only=True)
class ImprovementProposed(Numbered):
    """A broad improvement."""

    kind = Kind.IMPROVEMENT


@dataclass(frozen=True, kw_only=True)
class TaskAdded(Numbered):
    """An action item: `task` is the number in T3, `owner` a name as said, `person` the key of a mentioned owner.

    `public` says that customers may read it.
    """

    kind = Kind.TASK
    task: int
    owner: str = words("")
    person: str = ""
    category: Category | None = None
    due: date | None = None
    public: bool = False


@dataclass(frozen=True, kw_only=True)
class WentWell(Numbered):
    """A lesson: what went well."""

    kind = Kind.WELL


@dataclass(frozen=True, kw_only=True)
class WentWrong(Numbered):
    """A lesson: what went wrong."""

    kind = Kind.WRONG


@dataclass(frozen=True, kw_only=True)
class GotLucky(Numbered):
    """A lesson: where luck helped."""

    kind = Kind.LUCKY


@dataclass(frozen=True, kw_only=True)
class TakenAway(Numbered):
    """The key takeaway; a later one replaces it."""

    kind = Kind.TAKEAWAY


@dataclass(frozen=True, kw_only=True)
class QuestionAsked(Numbered):
    """A question for the review; `question` is the number in R6 (R1 to R5 are the guiding questions of S18)."""

    kind = Kind.QUESTION
    question: int


@dataclass(frozen=True, kw_only=True)
class QuestionAnswered(Numbered):
    """The answer to review question `question`, or to the entry `about`."""

    kind = Kind.ANSWER
    question: int | None
    about: int | None


@dataclass(frozen=True, kw_only=True)
class RoleGiven(Numbered):
    """A person took a role: `role` as it was said ("commander", "communications", …); `who` is the name as said."""

    kind = Kind.ROLE
    role: str = words()
    person: str
    who: str = words("")


@dataclass(frozen=True, kw_only=True)
class HandedOver(Numbered):
    """Command went to another person."""

    kind = Kind.HANDOVER
    person: str
    who: str = words("")


@dataclass(frozen=True, kw_only=True)
class SeveritySet(Numbered):
    """The severity is now `severity` (1 to 5); `text` says why."""

    kind = Kind.SEVERITY
    severity: int


@dataclass(frozen=True, kw_only=True)
class LinkAdded(Numbered):
    """Supporting information: a graph, a change, a ticket, a run book."""

    kind = Kind.LINK
    url: str = words("")


@dataclass(frozen=True, kw_only=True)
class Resolved(Numbered):
    """The incident is over."""

    kind = Kind.RESOLUTION


@dataclass(frozen=True, kw_only=True)
class Reopened(Numbered):
    """The incident is not over after all."""

    kind = Kind.REOPENED


@dataclass(frozen=True, kw_only=True)
class Cancelled(Numbered):
    """It was no incident; `text` says why."""

    kind = Kind.CANCELLED


@dataclass(frozen=True, kw_only=True)
class DuplicateFound(Numbered):
    """It is the same incident as number `of`."""

    kind = Kind.DUPLICATE
    of: int


# ---- marks, corrections and the document's life: no number ---------------------------------------


@dataclass(frozen=True, kw_only=True)
class EffectSeen(Event):
    """Action `entry` helped (`worked`), or did not."""

    name = "effect_seen"
    entry: int
    worked: bool


@dataclass(frozen=True, kw_only=True)
class HypothesisConfirmed(Event):
    """Hypothesis `entry` was right."""

    name = "hypothesis_confirmed"
    entry: int


@dataclass(frozen=True, kw_only=True)
class Starred(Event):
    """Entry `entry` stands in the main document (`key`), or no longer must (`unkey`)."""

    name = "starred"
    entry: int
    on: bool


@dataclass(frozen=True, kw_only=True)
class TaskChanged(Event):
    """Task `task` got another owner, category or due date, or customers may read it now; what is None stays.

    `url` is where a tracker has it.
    """

    name = "task_changed"
    task: int
    owner: str | None = words(None)
    person: str = ""
    category: Category | None = None
    due: date | None = None
    text: str | None = words(None)
    public: bool | None = None
    url: str | None = words(None)


@dataclass(frozen=True, kw_only=True)
class TaskDone(Event):
    """Task `task` is done, since `at`."""

    name = "task_done"
    task: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TaskDropped(Event):
    """Task `task` will not be done; `text` says why."""

    name = "task_dropped"
    task: int
    text: str = words("")


@dataclass(frozen=True, kw_only=True)
class TaskReopened(Event):
    """Task `task`, which was done or dropped, is to be done after all."""

    name = "task_reopened"
    task: int


@dataclass(frozen=True, kw_only=True)
class TextCorrected(Event):
    """The text of `entry` is now `text`; what hung on the old text (`share`, names of services) comes with it."""

    name = "text_corrected"
    entry: int
    text: str = words()
    share: str = ""
    added: tuple[str, ...] = words(())
    removed: tuple[str, ...] = words(())


@dataclass(frozen=True, kw_only=True)
class KindCorrected(Event):
    """Entry `entry` is of another kind; what its text says for that kind (`share`) comes with it."""

    name = "kind_corrected"
    entry: int
    to: Kind
    share: str = ""


@dataclass(frozen=True, kw_only=True)
class TimeCorrected(Event):
    """Entry `entry` happened at `at`."""

    name = "time_corrected"
    entry: int
    at: datetime
    approx: bool = False
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Removed(Event):
    """Entry `entry` does not belong into the record; it stays in the history. `text` says why."""

    name = "removed"
    entry: int
    text: str = words("")


@dataclass(frozen=True, kw_only=True)
class Undone(Event):
    """Event number `seq` was taken back by the one who caused it."""

    name = "undone"
    seq: int


@dataclass(frozen=True, kw_only=True)
class Redacted(Event):
    """The words of entry `entry`, and of every correction of it, were destroyed."""

    name = "redacted"
    entry: int


@dataclass(frozen=True, kw_only=True)
class WordsDestroyed(Event):
    """Words that stand in no entry were destroyed: `what` is "title", "review" or "section cause" …"""

    name = "words_destroyed"
    what: str


@dataclass(frozen=True, kw_only=True)
class Retitled(Event):
    """The incident has another title; with `audience` "customers" it is the one that customers see."""

    name = "retitled"
    text: str = words()
    audience: str = ""


@dataclass(frozen=True, kw_only=True)
class OnsetSet(Event):
    """Impact began at `at`."""

    name = "onset_set"
    at: datetime
    approx: bool = False


@dataclass(frozen=True, kw_only=True)
class ZoneSet(Event):
    """The document's times are printed in `zone` (an IANA name)."""

    name = "zone_set"
    zone: str


@dataclass(frozen=True, kw_only=True)
class NotApplicable(Event):
    """A person said that there is nothing to say about `gap` (a word of the verb `none`)."""

    name = "not_applicable"
    gap: str


@dataclass(frozen=True, kw_only=True)
class SectionWritten(Event):
    """A person wrote section `section` of the document; an empty text gives it back to Scribe."""

    name = "section_written"
    section: str
    text: str = words("")


@dataclass(frozen=True, kw_only=True)
class ReviewCalled(Event):
    """A review was asked for, perhaps led by `person`; `text` says when, as it was typed.

    `held_at` is that time where it could be read as one, `zone` what it was read in. `asked` are the keys of others who
    shall come.
    """

    name = "review_called"
    person: str = ""
    asked: tuple[str, ...] = ()
    text: str = words("")
    who: str = words("")
    held_at: datetime | None = None
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Approved(Event):
    """A reviewer approved the document as it was after event `upto`; `what` is "customer" for what customers see."""

    name = "approved"
    upto: int
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class Published(Event):
    """The document was published as it was after event `upto`; later entries are addenda."""

    name = "published"
    upto: int


@dataclass(frozen=True, kw_only=True)
class Attached(Event):
    """A file of a captured message belongs to entry `entry`: SHA-256 of its content, media type, bytes, and name.

    Of one that is only named, and not kept, `digest` is "" and `unkept` says why (see media.py).
    """

    name = "attached"
    entry: int
    digest: str
    media_type: str
    size: int
    unkept: str = ""
    file: str = words("")


@dataclass(frozen=True, kw_only=True)
class ChannelOpened(Event):
    """A channel of its own was made for the incident."""

    name = "channel_opened"
    channel: str


@dataclass(frozen=True, kw_only=True)
class NudgesSet(Event):
    """Nudges of this incident are `on`, or silenced."""

    name = "nudges_set"
    on: bool


@dataclass(frozen=True, kw_only=True)
class SharedTo(Event):
    """The document was shared to a channel."""

    name = "shared_to"
    channel: str


@dataclass(frozen=True, kw_only=True)
class LinkRevoked(Event):
    """The web link was taken back: whoever has it sees nothing any more; the next post has another."""

    name = "link_revoked"


def _leaves(cls: type[Event]) -> list[type[Event]]:
    subclasses = cls.__subclasses__()
    return [leaf for sub in subclasses for leaf in _leaves(sub)] if subclasses else [cls]


for _leaf in _leaves(Event):
    event(_leaf)

ENTRY_EVENTS: dict[Kind, type[Numbered]] = {cls.kind: cls for cls in EVENTS.values() if issubclass(cls, Numbered)}


# ---- to and from JSON ----------------------------------------------------------------------------


def to_json(happened: Event) -> tuple[JSON, JSON]:
    """The facts of an event and, apart, its words: two JSON objects that together give it back."""
    facts: JSON = {}
    said: JSON = {}
    for f in fields(happened):
        value = _plain(getattr(happened, f.name))
        (said if f.metadata.get("words") else facts)[f.name] = value
    return facts, said


def from_json(name: str, facts: JSON, said: JSON | None) -> Event:
    """The event of that name. `said` is None where its words were destroyed: they read as empty.

    Raises KeyError for a name that this program does not know (a record written by a newer one).
    """
    cls = EVENTS[name]
    hints = _hints(cls)
    values: JSON = {}
    for f in fields(cls):
        if f.metadata.get("words") and said is None:
            values[f.name] = () if "tuple" in str(hints[f.name]) else ""
        else:
            given = (said if f.metadata.get("words") else facts) or {}
            if f.name in given:
                values[f.name] = _typed(hints[f.name], given[f.name])
    return cls(**values)


_HINTS: dict[type[Event], dict[str, Any]] = {}


def _hints(cls: type[Event]) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return iso(value)
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case StrEnum():
            return value.value
        case _:
            return value


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if hint is datetime:
        return parse_utc(value)
    if hint is date:
        return date.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if typing.get_origin(hint) is tuple:
        return tuple(value)
    return value
