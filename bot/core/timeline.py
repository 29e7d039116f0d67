"""The timeline: which entries it shows, in which phase, and how each line reads (POSTMORTEM.md, rules 3 and 4)."""

from __future__ import annotations

from datetime import date, datetime

from bot.core import events as ev
from bot.core import media, times
from bot.core.document import Line, Stretch, Timeline
from bot.core.events import Kind
from bot.core.facts import HAPPENING
from bot.core.incident import Entry, Incident
from bot.core.wording import LONG, Wording, minute, opening, words

PHASES = ("Lead-up", "Discovery", "Investigation", "Resolution", "Afterwards")

MILESTONES = frozenset({Kind.MITIGATED, Kind.AGAIN, Kind.RESOLUTION, Kind.REOPENED})

BORDERS = frozenset({Kind.AGAIN, Kind.RESOLUTION, Kind.REOPENED, Kind.ESCALATION})
"""Milestones in the order of the timeline; the first detection, the trigger and the last mitigation are others."""

LED_TO_IT = (Kind.HYPOTHESIS, Kind.DEAD_END, Kind.ACTION)
"""Of these the last one before a milestone led to what followed."""

WEIGHTS: dict[Kind, int] = {
    Kind.RESOLUTION: 80,
    Kind.TRIGGER: 80,
    Kind.REOPENED: 75,
    Kind.AGAIN: 75,
    Kind.ESCALATION: 70,
    Kind.DEAD_END: 50,
    Kind.HYPOTHESIS: 45,
    Kind.DECISION: 45,
    Kind.MITIGATION: 40,
    Kind.MITIGATED: 40,
    Kind.ACTION: 35,
    Kind.DETECTION: 35,
    Kind.SEVERITY: 30,
    Kind.UPDATE: 25,
    Kind.ACK: 20,
    Kind.HANDOVER: 15,
    Kind.NOTE: 10,
}
ALT = 200
"""Signs of an entry's text that stand for its images where they are not seen."""
STARRED = 100
"""The weight of what a person wants to see in the document; the first detection and the last mitigation weigh 80."""


def on_timeline(incident: Incident) -> list[Entry]:
    """The entries that tell what happened, in order; a trigger only if it is known when it happened."""
    return [e for e in incident.live() if e.kind in HAPPENING and (e.kind is not Kind.TRIGGER or happened(incident, e))]


def happened(incident: Incident, trigger: Entry) -> bool:
    """Whether the time of a trigger is that of the trigger: one said when impact was over is the time of saying it."""
    windows = incident.windows()
    end = windows[-1].end if windows else None
    return end is None or trigger.at < end


def compose(
    wording: Wording, missing: tuple[str, ...], question: int | None, chosen: frozenset[int] | None = None
) -> Timeline:
    """The timeline of the `chosen` entries, or of all; `missing` names what was looked for in vain, `question` the one
    that asks for it."""
    incident = wording.incident
    entries = on_timeline(incident)
    if not entries:
        return Timeline("", (), missing, question)
    groups: dict[str, list[Entry]] = {name: [] for name in PHASES}
    shown: list[Entry] = []
    left_out: list[Entry] = []
    for entry, phase in zip(entries, phases(incident, entries), strict=True):
        if chosen is None or entry.number in chosen:
            groups[phase].append(entry)
            shown.append(entry)
        else:
            left_out.append(entry)
    more = len(left_out)
    dead_ends = sum(entry.kind is Kind.DEAD_END for entry in left_out)
    if not shown:
        return Timeline("", (), missing, question, more, dead_ends)
    zones = wording.zones(shown[0].at, shown[-1].at, any(e.approx for e in shown))
    lines = _Lines(wording, shown)
    stretches = tuple(lines.stretch(name, group) for name, group in groups.items() if group)
    return Timeline(zones, stretches, missing, question, more, dead_ends)


def ranked(incident: Incident) -> list[tuple[int, int]]:
    """The entries of the timeline in the order in which they may stand in the document, each with its class.

    0: starred; 1: milestones; 2: the last hypothesis, dead end and action before each milestone; 3: the rest, by weight
    (POSTMORTEM.md, rule 4). Within a class what happened first comes first.
    """
    entries = on_timeline(incident)
    found, mitigated = incident.detection, _last_mitigated(incident)
    turns = {one.number for one in (found, mitigated, incident.latest(Kind.TRIGGER), workaround(incident)) if one}
    classes: dict[int, int] = {}
    last: dict[Kind, int] = {}
    for entry in entries:
        if entry.number in turns or entry.kind in BORDERS:
            classes[entry.number] = 1
            classes |= {number: 2 for number in last.values() if number not in classes}
            last = {}
        elif entry.kind in LED_TO_IT:
            last[entry.kind] = entry.number
    classes |= {entry.number: 0 for entry in entries if entry.starred}
    order = sorted(
        entries, key=lambda e: (classes.get(e.number, 3), -WEIGHTS[e.kind] if e.number not in classes else 0)
    )
    return [(entry.number, classes.get(entry.number, 3)) for entry in order]


def phases(incident: Incident, entries: list[Entry]) -> list[str]:
    """The phase of each entry: by onset, first detection, last mitigation and resolution, whichever are known."""
    found, over = incident.detection, incident.resolution
    mitigated = _last_mitigated(incident)
    begin = min((at for at in (incident.onset, found.at if found else None) if at), default=None)
    turn = mitigated or over
    result: list[str] = []
    for entry in entries:
        if over and entry.order > over.order:
            phase = "Afterwards"
        elif begin and entry.order[0] < minute(begin):
            phase = "Lead-up"
        elif turn and entry.order >= turn.order:
            phase = "Resolution"
        elif found and entry.order <= found.order:
            phase = "Discovery"
        else:
            phase = "Investigation"
        result.append(phase)
    return result


def workaround(incident: Incident) -> Entry | None:
    """What stopped the impact: the last `mitigated` that says how, else the last step before it."""
    told = [e for e in incident.live(Kind.MITIGATED) if e.text]
    if told:
        return told[-1]
    steps = incident.live(Kind.MITIGATION)
    last = _last_mitigated(incident)
    before = [e for e in steps if last is None or e.order <= last.order]
    found = before or steps or incident.live(Kind.MITIGATED)
    return found[-1] if found else None


def _last_mitigated(incident: Incident) -> Entry | None:
    """The `mitigated` that ended the last window, unless impact came back after it."""
    windows = incident.windows()
    number = windows[-1].ended_by if windows else None
    entry = incident.entries.get(number) if number else None
    return entry if entry and entry.kind is Kind.MITIGATED else None


class _Lines:
    """Writes lines in order; remembers which day and which letters of the zone were named last."""

    def __init__(self, wording: Wording, entries: list[Entry]) -> None:
        self.wording = wording
        self.incident = wording.incident
        self.named: date | None = None
        self.letters = wording.letters(entries[0].at)
        self.borders = _borders(wording, entries)
        self.turns = {e.number for e in (self.incident.detection, _last_mitigated(self.incident)) if e}
        self.ruled_out = {
            e.event.hypothesis for e in entries if e.kind is Kind.DEAD_END and isinstance(e.event, ev.RuledOut)
        }

    def stretch(self, name: str, group: list[Entry]) -> Stretch:
        days = {self.wording.date(e.at) for e in group}
        heading = ", ".join(self._day(group[0].at)) if len(days) == 1 and self.named not in days else ""
        return Stretch(name, heading, tuple(self._line(entry) for entry in group))

    def _day(self, at: datetime) -> list[str]:
        """The day as it is named where it changes: with its year when that is new; then the zone when that changed."""
        day, letters = self.wording.date(at), self.wording.letters(at)
        said = times.day(at, self.wording.zone)
        if self.named and self.named.year == day.year:
            said = said.rsplit(" ", 1)[0]
        changed = letters != self.letters
        self.named, self.letters = day, letters
        return [said, letters] if changed else [said]

    def _line(self, entry: Entry) -> Line:
        wording = self.wording
        clock = wording.hour(entry.at, entry.approx)
        if self.named != wording.date(entry.at):
            said, *letters = self._day(entry.at)
            clock = " ".join([said, clock, *letters])
        elif self.letters != wording.letters(entry.at):
            self.letters = wording.letters(entry.at)
            clock = f"{clock} {self.letters}"
        text = wording.text(entry)
        sentence = opening(text) if words(text) > LONG else text.strip()
        about = self._hypothesis(entry)
        files = media.files(self.incident, entry) if entry.starred else ()
        images = tuple(one for one in files if one.image and one.path)
        return Line(
            entry=entry.number,
            at=entry.at,
            kind=entry.kind,
            clock=clock,
            label=f"{wording.label(entry)} {entry.number}" if self._is_named(entry) else wording.label(entry),
            text=sentence,
            mark="✗" if entry.kind is Kind.DEAD_END else "",
            milestone=entry.kind in MILESTONES,
            notes=self._notes(entry),
            about=about.number if about else None,
            about_clock=wording.hour(about.at, about.approx) if about else "",
            cut=sentence != text.strip(),
            weight=self._weight(entry),
            images=images,
            alt=" ".join(text.split())[:ALT] if images else "",
        )

    def _hypothesis(self, entry: Entry) -> Entry | None:
        if entry.kind is Kind.DEAD_END and isinstance(entry.event, ev.RuledOut) and entry.event.hypothesis:
            found = self.incident.entries.get(entry.event.hypothesis)
            return found if found and found.live and found.kind is Kind.HYPOTHESIS else None
        return None

    def _is_named(self, entry: Entry) -> bool:
        """Whether a dead end names this hypothesis: two of one minute are told apart by their numbers."""
        return entry.kind is Kind.HYPOTHESIS and entry.number in self.ruled_out

    def _notes(self, entry: Entry) -> tuple[str, ...]:
        notes: list[str] = []
        if entry.kind in (Kind.ACTION, Kind.MITIGATION) and entry.worked is not None:
            notes.append("Helped." if entry.worked else "No effect.")
        if entry.kind is Kind.HYPOTHESIS:
            if entry.confirmed:
                notes.append("Confirmed.")
            elif entry.number in self.ruled_out:
                notes.append("Ruled out.")
        notes += self.borders.get(entry.number, [])
        if self.incident.is_addendum(entry):
            notes.append("Added after publication.")
        return tuple(notes)

    def _weight(self, entry: Entry) -> int:
        if entry.starred:
            return STARRED
        return 80 if entry.number in self.turns else WEIGHTS[entry.kind]


def _borders(wording: Wording, entries: list[Entry]) -> dict[int, list[str]]:
    """What entries say of the begin and the end of impact: the one that caused it, else the first of that minute.

    Where none is of the minute in which it began first or ended last, the next one says when that was (POSTMORTEM.md,
    rule 3); of the last end, which nothing may follow, the last one.
    """
    said: dict[int, list[str]] = {}
    shown = {e.number for e in entries}
    first_of: dict[datetime, int] = {}
    for entry in entries:
        first_of.setdefault(entry.order[0], entry.number)
    windows = wording.incident.windows()
    for window in windows:
        first, last = window is windows[0], window is windows[-1]
        for at, by, approx, begins, outer in (
            (window.start, window.started_by, window.start_approx, True, first),
            (window.end, window.ended_by, window.end_approx, False, last),
        ):
            if at is None:
                continue
            number = by if by in shown else first_of.get(minute(at))
            if number is not None:
                said.setdefault(number, []).append("Impact begins." if begins else "Impact ends.")
            elif outer:
                near = next((e for e in entries if e.at >= at), entries[-1])
                what = "Impact began" if begins else "Impact ended"
                said.setdefault(near.number, []).append(f"{what} at {_when(wording, at, approx, near.at)}.")
    return said


def _when(wording: Wording, at: datetime, approx: bool, line: datetime) -> str:
    """A time as a remark on a line of the timeline: the day and the zone where the line has others."""
    day = "" if wording.date(at) == wording.date(line) else f"{times.day(at, wording.zone)} "
    letters = "" if wording.letters(at) == wording.letters(line) else f" {wording.letters(at)}"
    return f"{day}{wording.hour(at, approx)}{letters}"
