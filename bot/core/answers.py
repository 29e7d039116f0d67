"""What is answered to a person, as plain data: `slack/blocks.py` and the command line find the words for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.core import events as ev
from bot.core import facts
from bot.core.errors import Choice
from bot.core.events import Kind, Source
from bot.core.grammar import Verb
from bot.core.incident import REDACTED, Entry, Incident, Window
from bot.core.record import Person, Place
from bot.core.tasks import Item


@dataclass(frozen=True, slots=True)
class Beside:
    """How what was recorded stands to the rest of the record.

    `first`: the first escalation, or message to others. `over_since`: impact was over already when it was said to
    stop; `stays_over`: and ends as it did. `on_already`: impact was on when it was said to be back. `back` are the
    number and time of the entry with which impact came back after the stop that was told. `asked` is the question of
    the review that was answered, `meant` what a word of `none` stands for. `over_at` is when the incident was
    resolved. `no_entry` is a number that a dead end begins with and no entry has.
    """

    first: bool = False
    over_since: datetime | None = None
    stays_over: bool = False
    on_already: bool = False
    back: tuple[int, datetime] | None = None
    asked: str = ""
    meant: tuple[str, ...] = ()
    over_at: datetime | None = None
    no_entry: int = 0


def beside(incident: Incident, last: ev.Event) -> Beside:
    """How the last event of an incident stands to the rest; `incident` is as it was right after."""
    over_at = incident.resolution.at if incident.resolution else None
    if isinstance(last, ev.NotApplicable):
        return Beside(over_at=over_at, meant=facts.meant(incident, last.gap))
    if not isinstance(last, ev.Numbered):
        return Beside(over_at=over_at)
    found = Beside(over_at=over_at)
    match last:
        case ev.Escalated() | ev.ToldStakeholders():
            earlier = (one.event.kind for one in incident.entries.values() if one.number < last.entry)
            return replace(found, first=last.kind not in earlier)
        case ev.Mitigated() | ev.Recurred():
            return _impact_moved(incident, last, found)
        case ev.QuestionAnswered() if last.question and last.question <= len(facts.GUIDING):
            return replace(found, asked=facts.GUIDING[last.question - 1])
        case ev.RuledOut(hypothesis=None) if number := re.match(r"#?(\d{1,9})[.,:;)]?\s", last.text):
            return found if int(number[1]) in incident.entries else replace(found, no_entry=int(number[1]))
        case _:
            return found


def _impact_moved(incident: Incident, last: ev.Numbered, found: Beside) -> Beside:
    """What an end or a return of impact did to its windows."""
    before, after = _windows_without(incident, last), incident.windows()
    if not before or not after:
        return found
    if isinstance(last, ev.Recurred):
        return replace(found, on_already=before == after)
    came_back = after[-1].started_by if after[-1].end is None else None
    if came_back is not None:
        return replace(found, back=(came_back, after[-1].start))
    end = before[-1].end
    if end is not None and last.at >= end:
        return replace(found, over_since=end, stays_over=after[-1].end == end)
    return found


def _windows_without(incident: Incident, last: ev.Numbered) -> list[Window]:
    others = {number: one for number, one in incident.of_kind[last.kind].items() if number != last.entry}
    return replace(incident, of_kind={**incident.of_kind, last.kind: others}).windows()


@dataclass(frozen=True, slots=True)
class Recorded:
    """Something is on disk. `happened` are the events, in order; the rest is what an answer may want to say.

    `about` is the text of the entry that a mark, a correction or a dead end is about, `about_kind` its kind. `total`
    and `impact` are how long the incident and its impact lasted, where this ended one of them, `window` how long the
    last of its `windows` did. `undone` is what an undo took back. `choices` are buttons, kept as offer `offer`.
    `keeps_chat` is for how many days the channel's messages are kept, where this opened an incident.
    `understood` are clauses about how the line was read. `reminded` are the keys of those who will be reminded of what
    was promised.
    """

    place: Place
    happened: tuple[ev.Event, ...]
    by: Person
    people: Mapping[str, Person]
    now: datetime
    zone: str
    drill: bool = False
    onset: datetime | None = None
    onset_approx: bool = False
    about: str = ""
    about_kind: Kind | None = None
    total: timedelta | None = None
    impact: timedelta | None = None
    window: timedelta | None = None
    windows: int = 0
    impact_on: bool = False
    undone: ev.Event | None = None
    addendum: bool = False
    invite: bool = False
    draft_delay: timedelta = timedelta()
    offer: str = ""
    choices: tuple[Choice, ...] = ()
    understood: tuple[str, ...] = ()
    beside: Beside = Beside()
    reminded: tuple[str, ...] = ()
    keeps_chat: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was recorded: what was wrong, what to type, which field of a form it concerns.

    `form` is the line that opens a form in which it can be filled in.
    """

    message: str
    hint: str = ""
    field: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Nothing is recorded yet: the person chooses. The choices are kept as offer `offer`."""

    message: str
    choices: tuple[Choice, ...]
    offer: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry as it stands, for a list; `event` is what was recorded first, `dead_end` the entry that ruled it out."""

    event: ev.Numbered
    number: int
    kind: Kind
    at: datetime
    approx: bool
    text: str
    by: str
    withdrawn: str = ""
    corrected: bool = False
    starred: bool = False
    worked: bool | None = None
    dead_end: int = 0


def line_of(entry: Entry, names: Mapping[str, str], dead_end: int = 0) -> EntryLine:
    """An entry as it stands, for a list; `names` are people's, by key."""
    return EntryLine(
        event=entry.event,
        number=entry.number,
        kind=entry.kind,
        at=entry.at,
        approx=entry.approx,
        text=REDACTED if entry.redacted else entry.text,
        by=names.get(entry.by, ""),
        withdrawn=entry.withdrawn,
        corrected=any(isinstance(one, ev.TextCorrected | ev.KindCorrected | ev.TimeCorrected) for one in entry.history),
        starred=entry.starred,
        worked=entry.worked,
        dead_end=dead_end,
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """Something a postmortem needs and nobody has said: its number in `gaps`, in people's words, the line to type.

    `hint` is the number of a note that may say it, `as_line` what to type to make that note tell it.
    """

    number: int
    name: str
    line: str
    due: bool
    hint: int | None = None
    as_line: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Where an incident stands."""

    place: Place
    now: datetime
    zone: str
    title: str
    drill: bool
    channel: str
    onset: datetime | None
    impact_on: bool
    impact: timedelta
    total: timedelta | None
    detected_at: datetime | None
    source: Source | None
    roles: tuple[tuple[str, str], ...]
    hypotheses: tuple[EntryLine, ...]
    latest: tuple[EntryLine, ...]
    told: tuple[EntryLine, ...]
    entries: int
    people: int
    tasks: int
    tasks_open: int
    summary: str
    impact_text: str
    gaps: tuple[Gap, ...]
    waiting: int
    parked: tuple[str, ...]
    for_everybody: bool = False
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The entries of an incident in the order in which they happened; `hidden` earlier ones are left out."""

    place: Place
    zone: str
    lines: tuple[EntryLine, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is still missing, and what is known or does not apply."""

    place: Place
    gaps: tuple[Gap, ...]
    known: tuple[str, ...]
    not_applicable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """Incidents that may be seen from here."""

    words: str
    places: tuple[Place, ...]
    more: int
    zone: str


@dataclass(frozen=True, slots=True)
class Tasks:
    """Action items: those of `place`, or of several incidents where that is None, those of the one who asks if `mine`.

    `items` are those of page `page` of `pages`; `total` is how many there are, `open` and `overdue` of them, on `today`
    where the one who asks is. `words` are those of the line that asked for them, without the page.
    """

    place: Place | None
    mine: bool
    items: tuple[Item, ...]
    total: int
    open: int
    overdue: int
    page: int
    pages: int
    today: date
    words: str


@dataclass(frozen=True, slots=True)
class TasksTold:
    """Whether somebody is told of their action items from now on."""

    on: bool


@dataclass(frozen=True, slots=True)
class Help:
    """How to type it: the rows to show; `whole` when it is the whole table."""

    rows: tuple[Verb, ...]
    whole: bool
    prefix: str
    one: bool = False


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """A document ("draft", "export") was asked for and will come as a message of its own, or `count` letters that could
    not be sent are tried again ("resend"). `behind`: customers would see something else by now than what was approved.
    """

    place: Place
    what: str
    count: int = 0
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Suggesting:
    """What looks like entries of an incident was asked for; it is shown in a form."""

    place: Place


@dataclass(frozen=True, slots=True)
class Suggested:
    """A message that looks like an entry: `id` is channel/ts, `kind` what it would be recorded as, at `at`."""

    id: str
    kind: str
    at: datetime
    approx: bool
    zone: str
    text: str
    author: str
    program: bool
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Page `page` of `pages` of the `total` messages, of `messages`, that look like entries; `notes` are to be told.

    `first` is the place of the first that is shown among all. Times are shown in `zone`; `days` is for how long
    messages are kept, 0 where they are not.
    """

    place: Place
    zone: str
    shown: tuple[Suggested, ...]
    total: int
    messages: int
    page: int
    pages: int
    notes: tuple[str, ...]
    now: datetime
    days: int
    first: int = 1


Shown = Status | Timeline | Gaps | Listed | Tasks | TasksTold | Help | OnItsWay | Suggesting
Outcome = Recorded | Refused | Asked | Shown


@dataclass(frozen=True, slots=True)
class Heard:
    """A request: who said it, where, and its origin (unique in its workspace; a redelivery has the same).

    `mentions` maps "@ada" or "#general", as they stand in the text, to Slack's ids. `by_letter` says that the way in
    cannot carry an answer: it leaves by the outbox, into thread `thread` where that is given. `shared`: people of other
    workspaces are in the channel. `said_at` is when it was said, where Slack brings it later. `quiet`: the answer is
    for the person alone. `direct`: it was said in Scribe's direct messages with the person, where nobody reads along.
    `opens`: the way in can open a form; a line that says nothing yet is refused with it, and nothing is written down.
    """

    team: str
    channel: str
    user: str
    origin: str
    user_name: str = ""
    channel_name: str = ""
    private: bool | None = None
    mentions: Mapping[str, str] = field(default_factory=dict)
    by_letter: bool = False
    thread: str = ""
    shared: bool | None = None
    said_at: datetime | None = None
    quiet: bool = False
    direct: bool = False
    opens: bool = False
