"""How a document words times, people and texts: labels, durations and counts, never a sentence around a recorded text.

Knows POSTMORTEM.md, rules 1 and 2. Must not know any markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.core import events as ev
from bot.core import times
from bot.core.events import Kind, Source
from bot.core.incident import Entry, Incident

REDACTED = "[redacted]"
SOMEBODY = "somebody"

LABELS: dict[Kind, str] = {
    Kind.STARTED: "Started",
    Kind.NOTE: "Note",
    Kind.DETECTION: "Detected",
    Kind.ACK: "Acknowledged",
    Kind.ACTION: "Action",
    Kind.HYPOTHESIS: "Hypothesis",
    Kind.DEAD_END: "Dead end",
    Kind.DECISION: "Decision",
    Kind.ESCALATION: "Escalated",
    Kind.UPDATE: "Update",
    Kind.MITIGATION: "Mitigation",
    Kind.MITIGATED: "Mitigated",
    Kind.AGAIN: "Impact again",
    Kind.SUMMARY: "Summary",
    Kind.SERVICES: "Services",
    Kind.IMPACT: "Impact",
    Kind.TRIGGER: "Trigger",
    Kind.CAUSE: "Cause",
    Kind.FACTOR: "Contributing factor",
    Kind.FIX: "Fix",
    Kind.VERIFIED: "Confirmed",
    Kind.IMPROVEMENT: "Improvement",
    Kind.TASK: "Task",
    Kind.WELL: "Went well",
    Kind.WRONG: "Went badly",
    Kind.LUCKY: "Lucky",
    Kind.TAKEAWAY: "Takeaway",
    Kind.QUESTION: "Question",
    Kind.ANSWER: "Answer",
    Kind.ROLE: "Role",
    Kind.HANDOVER: "Handover",
    Kind.SEVERITY: "Severity",
    Kind.LINK: "Link",
    Kind.RESOLUTION: "Resolved",
    Kind.REOPENED: "Reopened",
    Kind.CANCELLED: "Cancelled",
    Kind.DUPLICATE: "Duplicate",
}

SOURCES: dict[Source, str] = {
    Source.MONITORING: "monitoring",
    Source.ENGINEER: "an engineer",
    Source.CUSTOMER: "a customer",
}

LONG = 40
"""An entry of more words than this prints its first sentence in the timeline (POSTMORTEM.md, rule 1)."""

_SENTENCE = re.compile(r"[.!?…][\"”’')\]]*(?=\s+[\"“‘'(\[]*[^\W\d_a-z])|[。！？]|\n", re.UNICODE)
_NOT_AN_END = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|approx|ca|no|nr|fig|dr|mr|mrs|ms|st|inc|ltd)|(?<!\w)[A-Za-z])\.$", re.I
)


def words(text: str) -> int:
    """How many words a reader sees: what holds a letter or a digit, between white space."""
    return sum(any(sign.isalnum() for sign in word) for word in text.split())


def first_sentence(text: str) -> str:
    """The text up to the end of its first sentence (or line); all of it when no end is found."""
    for end in _SENTENCE.finditer(text):
        sentence = text[: end.end()].rstrip()
        if sentence and not _NOT_AN_END.search(sentence):
            return sentence
    return text.strip()


def opening(text: str) -> str:
    """What is printed of a long text: its first sentence; of one that has none, its first words."""
    sentence = first_sentence(text)
    if words(sentence) <= 2 * LONG:
        return sentence
    end = 0
    for number, word in enumerate(re.finditer(r"\S+", sentence), start=1):
        end = word.end()
        if number == LONG:
            break
    return f"{sentence[:end]} …"


_NEWLINES = re.compile(r"\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(r"[\u202a-\u202e\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def harmless(text: str) -> str:
    """The text with every line end as a newline, control signs made visible, and without what turns its direction."""
    return _CONTROL.sub(_visible, _INVISIBLE.sub("", _NEWLINES.sub("\n", text)))


def readable(text: str) -> str:
    """The same without white space at the ends of lines and without empty lines."""
    return "\n".join(line for line in (line.strip() for line in harmless(text.replace("\t", " ")).split("\n")) if line)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 task", "3 tasks" """
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(items: list[str]) -> str:
    """ "T1, T2 and T3" """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def minute(at: datetime) -> datetime:
    """The minute that is printed for a time: lengths are counted between printed times, so that they add up."""
    return at.replace(second=0, microsecond=0)


def length(start: datetime, end: datetime) -> timedelta:
    """From one printed time to another, never negative."""
    return max(minute(end) - minute(start), timedelta())


def until_long(d: timedelta) -> str:
    """A duration in words; `0 min` where both ends are the same minute."""
    return times.duration(d) if d >= timedelta(minutes=1) else "less than 1 min"


def share(value: str) -> str:
    """ "34 %" """
    return f"{value} %"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for one incident: its people, its zone, its texts as they stand now."""

    incident: Incident
    names: Mapping[str, str]

    # ---- people ----------------------------------------------------------------------------------

    def person(self, key: str, said: str = "") -> str:
        """A person's name: as kept for the key, else as said."""
        return (self.names.get(key, "") if key else "") or said or (SOMEBODY if key else "")

    # ---- texts -----------------------------------------------------------------------------------

    def destroyed(self, entry: Entry) -> bool:
        """Whether the words of an entry were destroyed and nobody has written new ones since."""
        last = ""
        for mark in entry.history:
            if isinstance(mark, ev.Redacted):
                last = "redacted"
            elif isinstance(mark, ev.TextCorrected | ev.TaskChanged):
                last = "written"
        return last == "redacted" or (entry.redacted and last != "written")

    def text(self, entry: Entry) -> str:
        """What an entry says now."""
        if self.destroyed(entry):
            return REDACTED
        return self.title if entry.kind is Kind.STARTED else entry.text

    @property
    def title(self) -> str:
        """The title of the incident."""
        first = self.incident.entries.get(1)
        if first is None:
            return self.incident.title
        gone = False
        for one in self.incident.happened:
            if (isinstance(one, ev.Redacted) and one.entry == 1) or (
                isinstance(one, ev.WordsDestroyed) and one.what == "title"
            ):
                gone = True
            elif (isinstance(one, ev.Retitled) and not one.audience) or (
                isinstance(one, ev.TextCorrected) and one.entry == 1
            ):
                gone = False
        return REDACTED if gone or (first.redacted and not self.incident.title) else self.incident.title

    def label(self, entry: Entry) -> str:
        """The kind of an entry in words, with whom it was about: "Detected by a customer", "Escalated to the DBAs"."""
        gone = self.destroyed(entry)
        match entry.kind, entry.event:
            case Kind.DETECTION, ev.Detected(source=Source() as source):
                return f"Detected by {SOURCES[source]}"
            case Kind.ESCALATION, ev.Escalated(target=target, person=person):
                to = self.person(person, "" if gone else target)
                return f"Escalated to {to}" if to else "Escalated"
            case Kind.UPDATE, ev.ToldStakeholders(audience=audience) if audience and not gone:
                return f"Told {audience}"
            case Kind.HANDOVER, ev.HandedOver(person=person, who=who):
                return f"Handover to {self.person(person, who) or SOMEBODY}"
            case Kind.ROLE, ev.RoleGiven(role=role, person=person, who=who):
                return f"{role[:1].upper()}{role[1:]}: {self.person(person, who) or SOMEBODY}"
            case Kind.SEVERITY, ev.SeveritySet(severity=severity):
                return f"Severity SEV{severity}"
            case Kind.TASK, ev.TaskAdded(task=task):
                return f"Task T{task}"
            case Kind.QUESTION, ev.QuestionAsked(question=question):
                return f"Question R{question}"
            case Kind.ANSWER, ev.QuestionAnswered(question=int() as question):
                return f"Answer to R{question}"
            case Kind.ANSWER, ev.QuestionAnswered(about=int() as about):
                return f"Answer to entry {about}"
            case Kind.IMPACT, ev.ImpactDescribed(seen_by_users=True):
                return "Users saw"
            case Kind.DUPLICATE, ev.DuplicateFound(of=of):
                return f"Duplicate of INC-{of}"
            case kind, _:
                return LABELS[kind]

    # ---- times -----------------------------------------------------------------------------------

    @property
    def zone(self) -> str:
        """The zone in which times are printed."""
        return self.incident.zone

    def date(self, at: datetime) -> date:
        """The day on which something happened, on the clocks of the incident."""
        return times.localize(at, self.zone).date()

    def hour(self, at: datetime, approx: bool = False) -> str:
        """ "~18:00", for lines whose zone is said elsewhere."""
        return f"{'~' if approx else ''}{times.localize(at, self.zone):%H:%M}"

    def letters(self, at: datetime) -> str:
        """ "BST" """
        return times.clock(at, self.zone).split(" ", 1)[1]

    def is_utc(self, at: datetime) -> bool:
        """Whether the clocks show UTC at that time, whatever the zone is called."""
        return times.localize(at, self.zone).utcoffset() == timedelta()

    def moment(self, at: datetime, approx: bool = False, *, utc: bool = True) -> str:
        """ "30 March 2026 07:11 BST (06:11 UTC)"; with ~ before the clock time where that is about."""
        said = f"{times.day(at, self.zone)} {self.hour(at, approx)} {self.letters(at)}"
        return f"{said}{self._beside(at)}" if utc else said

    def near(self, at: datetime, reference: datetime, approx: bool = False) -> str:
        """The time alone where it is the day of `reference`, else with its date; UTC beside it."""
        if self.date(at) != self.date(reference):
            return self.moment(at, approx)
        return f"{self.hour(at, approx)} {self.letters(at)}{self._beside(at)}"

    def _beside(self, at: datetime) -> str:
        if self.is_utc(at):
            return ""
        day = "" if at.astimezone(UTC).date() == self.date(at) else f"{times.day(at, 'UTC')} "
        return f" ({day}{times.clock(at, 'UTC')})"

    def span(self, start: datetime, end: datetime, start_approx: bool = False, end_approx: bool = False) -> str:
        """ "30 March 2026 07:11 BST to 30 March 2026 14:39 BST (06:11–13:39 UTC)" """
        said = f"{self.moment(start, start_approx, utc=False)} to {self.moment(end, end_approx, utc=False)}"
        if self.is_utc(start) and self.is_utc(end):
            return said
        days = {at.astimezone(UTC).date() for at in (start, end)} | {self.date(start), self.date(end)}
        if len(days) == 1:
            return f"{said} ({start.astimezone(UTC):%H:%M}–{end.astimezone(UTC):%H:%M} UTC)"
        return f"{said} ({times.moment(start, 'UTC')} to {times.moment(end, 'UTC')})"

    def zones(self, first: datetime, last: datetime, approx: bool) -> str:
        """The line that opens the timeline: the zone, where its offset changes, and what ~ means."""
        about = "; ~ means about" if approx else ""
        changes = times.offset_changes(first, last, self.zone)
        if not changes:
            said = self._letters_with_offset(first)
            return f"Times in {said if said == self.zone else f'{self.zone}, {said}'}{about}."
        days = {self.date(first), self.date(last)}  # on these the hour of the change matters
        parts = [f"{self._letters_with_offset(first)} until {self._last_of(changes[0][0], days)}"]
        for number, (at, _) in enumerate(changes):
            later = changes[number + 1][0] if number + 1 < len(changes) else None
            until = f" until {self._last_of(later, days)}" if later else ""
            since = "after that" if self.date(at) in days else f"from {times.day(at, self.zone)}"
            parts.append(f"{self._letters_with_offset(at)} {since}{until}")
        return f"Times in {self.zone}: {', '.join(parts)}{about}."

    def _letters_with_offset(self, at: datetime) -> str:
        said, local = self.letters(at), times.localize(at, self.zone)
        if self.is_utc(at) or said.startswith("UTC"):
            return said
        offset = f"{local:%z}"
        minutes = "" if offset[3:5] == "00" else f":{offset[3:5]}"
        return f"{said} (UTC{offset[0]}{int(offset[1:3])}{minutes})"

    def _last_of(self, at: datetime, days: Set[Any]) -> str:
        """Until when an offset held that changes at that time: the day before, or the hour on a day of the incident."""
        if self.date(at) not in days:
            return self._day_before(at)
        before = times.localize(at - timedelta(minutes=1), self.zone) + timedelta(minutes=1)
        return f"{times.day(at, self.zone)} {before:%H:%M}"

    def _day_before(self, at: datetime) -> str:
        """The last whole day before the clocks change."""
        before = self.date(at) - timedelta(days=1)
        return times.day(datetime(before.year, before.month, before.day, 12, tzinfo=UTC), "UTC")
