"""What people can ask for: imperative, frozen, free of Slack. `grammar.py` reads them from a line of text.

`person` fields hold the handle that the way in gave for a mention; `scribe.py` replaces it with the person's key before
`decide` sees the command. A number that may be a reference or plain text stays with the text that follows it: `decide`
looks whether such an entry exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.core.events import Category, Kind, Source
from bot.core.times import When


class Mark(StrEnum):
    """What can be said about an entry without making another."""

    WORKED = "worked"
    NO_EFFECT = "noeffect"
    CONFIRMED = "confirmed"
    KEY = "key"
    UNKEY = "unkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Declare an incident in this channel."""

    title: str
    severity: int | None = None
    drill: bool = False
    since: When | None = None
    new_channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Record an entry of `kind`; what else it says depends on the kind.

    `number` and `rest`: the text may begin with the number of another entry (`ruledout 4 rollback changed nothing`).
    """

    kind: Kind
    text: str = ""
    when: When | None = None
    source: Source | None = None
    target: str = ""
    person: str = ""
    number: int | None = None
    rest: str = ""
    rest_when: When | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    seen_by_users: bool = False
    share: str = ""
    url: str = ""
    severity: int = 0
    role: str = ""
    question: int | None = None
    promised: When | None = None
    said_in: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkEntry:
    """Say something about entry `entry`: that it helped, was confirmed, must stand in the document."""

    entry: int
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTask:
    """Add an action item."""

    text: str
    when: When | None = None
    owner: str = ""
    person: str = ""
    category: Category | None = None
    due: date | None = None
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTask:
    """Change owner, kind, due date or wording of action item `task`, or whether customers may read it.

    `whole` is the text with "T3" before it: what a new one says where T3 is no task ("T3 instances are too small").
    """

    task: int
    owner: str | None = None
    person: str = ""
    category: Category | None = None
    due: date | None = None
    text: str = ""
    whole: str = ""
    public: bool | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishTask:
    """Action item `task` is done; `bare` says that its number was typed without the T."""

    task: int
    when: When | None = None
    bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTask:
    """Action item `task` will not be done."""

    task: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenTask:
    """Action item `task` is to be done after all."""

    task: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectText:
    """Entry `entry` should read `text`."""

    entry: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectKind:
    """Entry `entry` is of another kind."""

    entry: int
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSection:
    """A person's own words for a section of the document; an empty text gives it back to Scribe."""

    section: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Entry `entry` happened at another time."""

    entry: int
    when: When


@dataclass(frozen=True, slots=True, kw_only=True)
class Retitle:
    """The incident gets another title, or one for `audience` ("customers")."""

    title: str
    audience: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOnset:
    """Impact began at another time."""

    when: When


@dataclass(frozen=True, slots=True, kw_only=True)
class SetZone:
    """The document's times are printed in another zone."""

    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Entry `entry` does not belong into the record."""

    entry: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Take back one's own last, or the event with that number."""

    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Redact:
    """Destroy the words of entry `entry`, or where that is 0 those of `what`: "title", "review", "section cause" …"""

    entry: int = 0
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeLink:
    """Take the document's web link back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SayNone:
    """There is nothing to say about a gap: its word, or its number in `gaps`."""

    gap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """It was no incident."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDuplicate:
    """It is the same incident as number `of`."""

    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReview:
    """Ask for a review of the draft; `on` is what `when` says, where that is a time; `asked` are others who come."""

    when: str = ""
    on: When | None = None
    person: str = ""
    who: str = ""
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approve the draft as it is, or with `what` "customer" the version for customers as it was after event `upto`."""

    what: str = ""
    upto: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Publish the document as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Keep a file of a captured message with entry `entry`, or name it there: see events.Attached."""

    entry: int
    digest: str
    media_type: str
    size: int
    file: str
    unkept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChannel:
    """A channel of its own was made for the incident."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNudges:
    """Turn the nudges of this incident on or off."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Share the document to a channel (its handle and its name)."""

    channel: str
    name: str


Change = (
    Start
    | Record
    | MarkEntry
    | AddTask
    | ChangeTask
    | FinishTask
    | DropTask
    | ReopenTask
    | CorrectText
    | CorrectKind
    | WriteSection
    | Move
    | Retitle
    | SetOnset
    | SetZone
    | Remove
    | Undo
    | Redact
    | RevokeLink
    | SayNone
    | Cancel
    | MarkDuplicate
    | CallReview
    | Approve
    | Publish
    | Attach
    | OpenChannel
    | SetNudges
    | Share
)


class View(StrEnum):
    """What can be looked at."""

    HERE = "here"
    STATUS = "status"
    BRIEF = "brief"
    TIMELINE = "timeline"
    GAPS = "gaps"
    SUGGEST = "suggest"
    DRAFT = "draft"
    EXPORT = "export"
    LIST = "list"
    TASKS = "tasks"
    RESEND = "resend"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Look at something; nothing is recorded. `words` is what stood after the verb."""

    view: View
    words: str = ""


Command = Change | Look
