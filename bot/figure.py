"""How an incident looks: its entries on a time axis, as SVG (through templates/figure.svg.j2) and as PNG.

Only numbers and times are visible, drawn with strokes of our own, so that no font decides how the picture looks: the
same document gives the same bytes on every machine. Words stand in <title> and <desc>, where readers of a screen find
them; every mark is a link to its entry in the annex. What a kind is can be told by its shape, never by colour alone.

Knows where things stand on the paper. Must not know how texts are composed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from urllib.parse import quote

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.core import times
from bot.core.document import AnnexEntry, Postmortem
from bot.core.events import Kind
from bot.core.facts import HAPPENING
from bot.core.timeline import PHASES
from bot.core.wording import LABELS, LONG, counted, first_sentence, minute, readable, words
from bot.resources import resources

WIDTH = 720
"""In pixels: narrow, so that numbers can still be read where a phone shows the picture 360 pixels wide."""
SIDE = 36
"""The margin: half a time with the shape before it has room in it."""
BREAK = 36
"""The width of a break, where nothing happened for long."""
SHORTEST = 26
"""The least width of a stretch between breaks."""
MOST_BREAKS = 8
WASTE = 100
"""A gap that would take more than this of the paper may become a break."""
UNLIKE = 10
"""How many times longer than the middle one a gap must be for that."""
SILENCE = timedelta(hours=2)
"""A shorter gap tells how long people waited: it becomes a break only where more than FEW moments need its room."""
FEW = 8

CLOCK = 11
"""The height of the digits of a time; NUMBER is that of an entry's number."""
NUMBER = 10
REACH = 8
"""How far a mark reaches to each side of its time."""
GAP = 3
"""The least distance between a mark with its number and the next one."""
ROW = 20
ROWS = 9
"""As many marks of a lane stand below each other; what does not fit becomes one mark with a count."""
HEADS = 3
"""As many rows of times stand above the band of impact."""

MOST_WINDOWS = 5
"""As many windows of impact are told one by one in the description."""

LANES: tuple[tuple[Kind, ...], ...] = (
    (Kind.DETECTION, Kind.NOTE, Kind.ACK, Kind.SEVERITY, Kind.HANDOVER, Kind.TRIGGER, Kind.AGAIN, Kind.REOPENED),
    (Kind.HYPOTHESIS, Kind.DEAD_END),
    (Kind.ACTION, Kind.DECISION, Kind.MITIGATION, Kind.MITIGATED, Kind.RESOLUTION),
    (Kind.ESCALATION, Kind.UPDATE),
)
"""From top to bottom: what was seen, what was thought, what was done, what was said."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a mark looks like: its name in words, its class (colour), whether it is filled, its outline around 0 0."""

    name: str
    css: str
    filled: bool
    path: str


SHAPES: dict[Kind, Shape] = {
    Kind.DETECTION: Shape("triangle", "found", True, "M0 -7L6.5 5H-6.5Z"),
    Kind.NOTE: Shape("disc", "plain", True, "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z"),
    Kind.ACK: Shape("ring", "found", False, "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z"),
    Kind.SEVERITY: Shape("rising bars", "plain", True, "M-6 6V3H-4V6ZM-1 6V-1H1V6ZM4 6V-6H6V6Z"),
    Kind.HANDOVER: Shape("two arrows", "plain", False, "M-6 -3H6L3 -6M6 3H-6L-3 6"),
    Kind.TRIGGER: Shape("bolt", "harm", True, "M2 -7L-5 1H0L-2 7L5 -1H0Z"),
    Kind.AGAIN: Shape("triangle pointing down", "harm", True, "M0 6.5L6.5 -5.5H-6.5Z"),
    Kind.REOPENED: Shape("hollow triangle pointing down", "harm", False, "M0 6.5L6.5 -5.5H-6.5Z"),
    Kind.HYPOTHESIS: Shape("hollow diamond", "thought", False, "M0 -6.5L6.5 0L0 6.5L-6.5 0Z"),
    Kind.DEAD_END: Shape("cross", "thought", False, "M-5 -5L5 5M5 -5L-5 5"),
    Kind.ACTION: Shape("square", "done", True, "M-5 -5H5V5H-5Z"),
    Kind.DECISION: Shape("hollow square", "done", False, "M-5 -5H5V5H-5Z"),
    Kind.MITIGATION: Shape("plus", "good", True, "M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z"),
    Kind.MITIGATED: Shape("tick", "good", False, "M-6 0L-2 5L6 -5"),
    Kind.RESOLUTION: Shape("flag", "good", True, "M-4.5 7V-7H6L2.5 -3.5L6 0H-4.5"),
    Kind.ESCALATION: Shape("arrow pointing up", "said", True, "M0 -7L6 0H2V6H-2V0H-6Z"),
    Kind.UPDATE: Shape("speech bubble", "said", False, "M-6 -6H6V3H0L-4 7V3H-6Z"),
}
SEVERAL = Shape("pile", "plain", False, "M-6 -2H2V6H-6ZM-3 -2V-6H6V3H2")
"""Several entries that found no room of their own."""

STEPS = tuple(
    timedelta(minutes=m)
    for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10080, 20160, 43200, 129600, 525600)
)
HOUR = timedelta(hours=1)

# ---- numbers and times, drawn --------------------------------------------------------------------

GLYPHS: dict[str, str] = {
    "0": "0,1 1,0 3,0 4,1 4,7 3,8 1,8 0,7 0,1",
    "1": "1,2 2.5,0 2.5,8",
    "2": "0,1 1,0 3,0 4,1 4,3 0,8 4,8",
    "3": "0,1 1,0 3,0 4,1 4,3 3,4 4,5 4,7 3,8 1,8 0,7|1.5,4 3,4",
    "4": "3,8 3,0 0,5.5 4,5.5",
    "5": "4,0 0,0 0,3.5 3,3.5 4,4.5 4,7 3,8 1,8 0,7",
    "6": "4,1 3,0 1,0 0,1 0,7 1,8 3,8 4,7 4,5 3,4 0,4",
    "7": "0,0 4,0 1.5,8",
    "8": "1,4 0,3 0,1 1,0 3,0 4,1 4,3 3,4 1,4 0,5 0,7 1,8 3,8 4,7 4,5 3,4",
    "9": "4,4 1,4 0,3 0,1 1,0 3,0 4,1 4,7 3,8 1,8 0,7",
    ":": "2,2.4 2,2.6|2,5.9 2,6.1",
    "-": "0.5,4 3.5,4",
    "+": "0.5,4 3.5,4|2,2.5 2,5.5",
    "~": "0,4.6 1.2,3.6 2.8,4.6 4,3.6",
    "×": "0.5,3 3.5,7|3.5,3 0.5,7",
}
"""The signs in a box 4 wide and 8 high: points x,y of a stroke, strokes between |."""
ADVANCE = 6.0


def extent(text: str, size: float) -> float:
    """How wide a number or a time is when drawn `size` high."""
    return max(len(text) * ADVANCE - 2, 0) * size / 8


def stroke(text: str, x: float, y: float, size: float = CLOCK, anchor: str = "middle") -> str:
    """The path that draws digits and the few signs of times; y is the base line, `anchor` is "middle" or "start"."""
    scale = size / 8
    left = x - extent(text, size) / 2 if anchor == "middle" else x
    lines = []
    for place, sign in enumerate(text):
        for line in GLYPHS[sign].split("|"):
            points = (point.split(",") for point in line.split())
            moved = ((left + (place * ADVANCE + float(dx)) * scale, y - size + float(dy) * scale) for dx, dy in points)
            lines.append("M" + "L".join(f"{_n(px)} {_n(py)}" for px, py in moved))
    return "".join(lines)


def _n(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{round(value, 1):.1f}".removesuffix(".0")


# ---- the axis ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time that is drawn to scale, from x to x + width."""

    start: datetime
    end: datetime
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Axis:
    """Stretches to scale with breaks between them."""

    segments: tuple[Segment, ...]

    def x(self, at: datetime) -> float:
        """Where a time stands; within a break or outside of the axis, at the nearest end of a stretch."""
        before = self.segments[0]
        for segment in self.segments:
            if at < segment.start:
                return before.x + before.width if before is not segment else segment.x
            if at <= segment.end:
                length = (segment.end - segment.start).total_seconds()
                part = (at - segment.start).total_seconds() / length if length else 0.5
                return segment.x + segment.width * part
            before = segment
        return before.x + before.width


def axis(moments: Sequence[datetime], left: float = SIDE, right: float = WIDTH - SIDE) -> Axis:
    """An axis through these moments: gaps that would take much of it, unlike the others, become breaks."""
    points = sorted(set(moments))
    broken = _breaks([later - earlier for earlier, later in pairwise(points)], right - left)
    stretches: list[tuple[datetime, datetime]] = []
    first = points[0]
    for number in broken:
        stretches.append((first, points[number]))
        first = points[number + 1]
    stretches.append((first, points[-1]))
    if len(stretches) == 1:
        return Axis((Segment(first, points[-1], left, right - left),))
    room = right - left - BREAK * len(broken) - SHORTEST * len(stretches)
    whole = sum((end - start).total_seconds() for start, end in stretches)
    segments: list[Segment] = []
    x = left
    for start, end in stretches:
        part = (end - start).total_seconds() / whole if whole else 1 / len(stretches)
        segments.append(Segment(start, end, x, SHORTEST + room * part))
        x += segments[-1].width + BREAK
    return Axis(tuple(segments))


def _breaks(gaps: list[timedelta], width: float) -> list[int]:
    """Which gaps become breaks, the longest first, as long as each is worth it."""
    if len(gaps) < 2:
        return []
    total = sum(gaps, timedelta())
    usual = median_low(gaps)
    broken: list[int] = []
    for number in sorted(range(len(gaps)), key=lambda place: (-gaps[place], place))[:MOST_BREAKS]:
        if gaps[number] < SILENCE and len(gaps) < FEW:
            break
        room = width - (BREAK + SHORTEST) * len(broken)
        if gaps[number] < usual * UNLIKE or room * (gaps[number] / total) < WASTE:
            break
        broken.append(number)
        total -= gaps[number]
    return sorted(broken)


# ---- the picture ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry, or several: a shape at a place with its number, the words behind it and where they lead.

    `left` and `width` say how much of the paper it takes; `until` is where the last of several stands.
    """

    css: str
    filled: bool
    path: str
    x: str
    y: str
    left: str
    width: str
    number: str
    title: str
    href: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a band – severity, impact, phase – with the words behind it; `number` is drawn in front of it."""

    path: str
    title: str
    css: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """Where the axis leaves out time: what it cuts away, and the strokes that show it."""

    x: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Milestone:
    """A vertical line with a shape and its time above it, and the paper that these take."""

    css: str
    x: str
    top: str
    filled: bool
    shape: str
    shape_x: str
    shape_y: str
    clock: str
    left: str
    width: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A time below the axis; `day` is what is named below it where that changes."""

    x: str
    title: str
    clock: str
    day: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the template draws."""

    title: str
    description: str
    drill: bool
    width: int
    height: int
    base: str
    band: str
    severities: tuple[Part, ...] = ()
    windows: tuple[Part, ...] = ()
    phases: tuple[Part, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    breaks: tuple[Break, ...] = ()
    ticks: tuple[Tick, ...] = ()
    marks: tuple[Mark, ...] = ()


def svg(postmortem: Postmortem, own: Path | None = None) -> str:
    """The picture of a postmortem: every live entry that happened, the windows of impact, the milestones."""
    return _environment(own).get_template("figure.svg.j2").render(f=draw(postmortem))


@lru_cache(maxsize=4)
def _environment(own: Path | None) -> jinja2.Environment:
    folders = [*([own] if own else []), resources("templates")]
    return ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=True,
        cache_size=0,  # one that is put beside ours counts at once
    )


def png(picture: str) -> bytes:
    """The same picture as PNG, twice as large, on white (Slack shows it on dark paper too); needs no font."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=picture, background="#ffffff", zoom=2.0, skip_system_fonts=True))


def draw(postmortem: Postmortem) -> Picture:
    """Where everything stands."""
    story = _Story(postmortem)
    if not story.moments:
        return Picture(story.title, "Nothing is recorded.", postmortem.header.drill, WIDTH, 60, "30", "0")
    widest = extent(f"×{max((e.number for e in story.entries), default=1)}", NUMBER)
    scale = axis(story.moments, right=WIDTH - max(SIDE, REACH + GAP + widest + GAP))
    milestones, floor = _milestones(story, scale)
    severities = _severities(story, scale, floor + 6)
    band = floor + (16 if severities else 0)
    marks, bottom = _marks(story, scale, band + 24, widest)
    base = bottom + 8
    ticks, depth = _ticks(scale, postmortem.zone, base)
    return Picture(
        title=story.title,
        description=story.description(piles=any(mark.until for mark in marks)),
        drill=postmortem.header.drill,
        width=WIDTH,
        height=int(base + depth + 8),
        base=_n(base),
        band=_n(floor),
        severities=severities,
        windows=_windows(story, scale, band + 4),
        phases=_phases(story, scale, base),
        milestones=milestones,
        breaks=_gaps(story, scale, band + 10, base),
        ticks=ticks,
        marks=marks,
    )


def _plain(text: str) -> str:
    """Recorded text for <title>: without what no XML file may hold."""
    return "".join(sign for sign in readable(text).replace("\n", " ") if sign not in "\ufffe\uffff")


class _Story:
    """What of a postmortem is drawn: times count by the minute that is printed, as everywhere in the document."""

    def __init__(self, postmortem: Postmortem) -> None:
        self.postmortem = postmortem
        self.zone = postmortem.zone
        self.title = _plain(postmortem.header.title)
        windows = postmortem.windows
        self.windows = [(minute(w.start), minute(w.end) if w.end else None, _plain(w.words)) for w in windows]
        ended = windows[-1].end if windows else None
        live = [e for e in postmortem.entries if e.kind in HAPPENING and not e.withdrawn]
        # A trigger that was told after the end has the time of telling: the timeline leaves it out as well.
        self.entries = [e for e in live if not (e.kind is Kind.TRIGGER and ended and e.at >= ended)]
        self.found = next((e for e in self.entries if e.kind is Kind.DETECTION), None)
        resolutions = [e for e in self.entries if e.kind is Kind.RESOLUTION]
        resolved = postmortem.metrics.resolve is not None
        self.over = max(resolutions, key=lambda e: e.number) if resolved and resolutions else None
        ends = {end for _, end, _ in self.windows if end}
        self.mitigated = [e for e in self.entries if e.kind is Kind.MITIGATED and minute(e.at) in ends]
        known = {minute(e.at) for e in self.entries}
        known |= {at for start, end, _ in self.windows for at in (start, end) if at}
        self.moments = sorted(known or {minute(e.at) for e in postmortem.entries})

    @property
    def begin(self) -> datetime | None:
        """When it began: the onset, or the detection where that came first."""
        known = [*(start for start, _, _ in self.windows[:1]), *([minute(self.found.at)] if self.found else [])]
        return min(known, default=None)

    def phase(self, at: datetime) -> str:
        """The phase that a time belongs to (as bot.core.timeline has it for entries)."""
        lead_up, discovery, investigation, resolution, afterwards = PHASES
        over = minute(self.over.at) if self.over else None
        last = self.windows[-1][1] if self.windows else None
        turn = last if any(minute(e.at) == last for e in self.mitigated) else over
        if over and at > over:
            return afterwards
        if self.begin and at < self.begin:
            return lead_up
        if turn and at >= turn:
            return resolution
        return discovery if self.found and at <= minute(self.found.at) else investigation

    def when(self, at: datetime) -> str:
        return times.moment(at, self.zone)

    def href(self, entry: int) -> str:
        """Where an entry stands in the annex."""
        return f"{quote(self.postmortem.options.annex)}#e{entry}"

    def description(self, piles: bool) -> str:
        """What somebody sees who can see the picture; `piles` says whether entries were drawn together."""
        first, last = self.when(self.moments[0]), self.when(self.moments[-1])
        windows = [f"{said}." for _, _, said in self.windows]
        parts = [
            *(["Drill, not a real incident."] if self.postmortem.header.drill else []),
            f"{counted(len(self.entries), 'entry', 'entries')} on a time axis, {first} to {last}.",
            *(windows if len(windows) <= MOST_WINDOWS else [f"Impact in {len(windows)} windows."]),
            *([f"Detected {self.when(self.found.at)}."] if self.found else []),
            f"Resolved {self.when(self.over.at)}." if self.over else "Not resolved.",
        ]
        kinds = Counter(e.kind for e in self.entries)
        shapes = [f"{SHAPES[k].name} {LABELS[k].lower()} ({kinds[k]})" for lane in LANES for k in lane if kinds[k]]
        parts += [f"Shapes: {', '.join(shapes)}."] if shapes else []
        parts += (
            [f"A mark with × and a count is several entries; a {SEVERAL.name} is of several kinds."] if piles else []
        )
        return " ".join(parts)


# ---- bands ---------------------------------------------------------------------------------------


def _windows(story: _Story, scale: Axis, top: float) -> tuple[Part, ...]:
    """The windows of impact; one that still goes on ends as an arrow at the edge of the paper."""
    parts = []
    for start, end, title in story.windows:
        left = scale.x(start)
        if end is None:
            edge = WIDTH - 4.0
            path = f"M{_n(left)} {_n(top)}H{_n(edge - 8)}L{_n(edge)} {_n(top + 6)}l-8 6H{_n(left)}Z"
        else:
            path = f"M{_n(left)} {_n(top)}H{_n(max(scale.x(end), left + 3))}v12H{_n(left)}Z"
        parts.append(Part(path, title, "open" if end is None else "closed"))
    return tuple(parts)


def _severities(story: _Story, scale: Axis, y: float) -> tuple[Part, ...]:
    """The severity as a line, the thicker the worse, with its digit."""
    changes = [(minute(at), severity) for at, severity in story.postmortem.severities]
    last = scale.segments[-1]
    stop = scale.x(minute(story.over.at)) if story.over else last.x + last.width
    parts = []
    for number, (at, severity) in enumerate(changes):
        left = scale.x(at)
        right = scale.x(changes[number + 1][0]) if number + 1 < len(changes) else max(stop, left + 20)
        if right - left < 3:
            continue
        shown = right - left >= 20
        path = f"M{_n(left + 14 if shown else left + 2)} {_n(y)}H{_n(right - 2 if shown else right)}"
        digit = stroke(str(severity), left + 5, y + NUMBER / 2, NUMBER, "start") if shown else ""
        parts.append(Part(path, f"Severity SEV{severity} from {story.when(at)}", f"sev{severity}", digit))
    return tuple(parts)


def _phases(story: _Story, scale: Axis, base: float) -> tuple[Part, ...]:
    """The phases as pieces of the axis, hollow and filled in turn: the scale of a map."""
    borders = {minute(e.at) for e in (story.found, story.over, *story.mitigated) if e}
    borders |= {story.begin} if story.begin else set()
    parts: list[Part] = []
    for segment in scale.segments:
        cuts = sorted({segment.start, segment.end} | {at for at in borders if segment.start < at < segment.end})
        pieces: list[tuple[str, datetime, datetime]] = []
        for start, end in list(pairwise(cuts)) or [(segment.start, segment.end)]:
            name = story.phase(start + (end - start) / 2)
            first = pieces.pop()[1] if pieces and pieces[-1][0] == name else start
            pieces.append((name, first, end))
        for name, start, end in pieces:
            # A stretch without length is drawn as wide as the least of them.
            left, right = (scale.x(start), scale.x(end)) if start < end else (segment.x, segment.x + segment.width)
            path = f"M{_n(left)} {_n(base - 3)}H{_n(right)}v6H{_n(left)}Z"
            css = "filled" if PHASES.index(name) % 2 else "hollow"
            parts.append(Part(path, f"{name}, {story.when(start)} to {story.when(end)}", css))
    return tuple(parts)


def _gaps(story: _Story, scale: Axis, band: float, base: float) -> tuple[Break, ...]:
    """The breaks: two strokes across the axis, and across the band where impact went on meanwhile."""
    found = []
    for earlier, later in pairwise(scale.segments):
        middle = (earlier.x + earlier.width + later.x) / 2
        meanwhile = any(w <= earlier.end and (end is None or end >= later.start) for w, end, _ in story.windows)
        heights = [band, base] if meanwhile else [base]
        strokes = [
            f"M{_n(middle + dx - 3)} {_n(y + 7)}L{_n(middle + dx + 3)} {_n(y - 7)}" for y in heights for dx in (-4, 4)
        ]
        left_out = times.duration(later.start - earlier.end)
        found.append(Break(_n(middle - 4), "".join(strokes), f"{left_out} in which nothing was recorded"))
    return tuple(found)


# ---- milestones ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Turn:
    """A moment that deserves a line; of low `rank` are those that get their room first."""

    rank: int
    at: datetime
    css: str
    kind: Kind
    label: str
    entry: int
    approx: bool = False


def _turns(story: _Story) -> list[_Turn]:
    again = {minute(e.at): e.number for e in reversed(story.entries) if e.kind is Kind.AGAIN}
    found: list[_Turn] = []
    for number, (start, _, _) in enumerate(story.windows):
        entry = again.get(start, 1) if number else 1
        found.append(_Turn(4 if number else 0, start, "harm", Kind.AGAIN, "Impact begins", entry))
    chosen = [(3, e, "good") for e in story.mitigated]
    chosen += [(1, story.over, "over")] if story.over else []
    chosen += [(2, story.found, "found")] if story.found else []
    found += [_Turn(rank, minute(e.at), css, e.kind, e.label, e.number, e.approx) for rank, e, css in chosen]
    return found


def _milestones(story: _Story, scale: Axis) -> tuple[tuple[Milestone, ...], float]:
    """Begins and ends of impact, first detection, resolution: a line each, with times in rows that do not collide.

    The important ones get their room first; what finds none, or would stand on another of its sort, is left to the
    band and the marks.
    """
    drawn: set[tuple[str, int]] = set()
    rows: list[list[tuple[float, float]]] = [[] for _ in range(HEADS)]
    milestones: list[tuple[float, Milestone]] = []
    for turn in sorted(_turns(story), key=lambda one: (one.rank, one.at)):
        x = scale.x(turn.at)
        place = (turn.css, round(x / 2))
        if place in drawn:
            continue
        drawn.add(place)
        clock = f"{'~' if turn.approx else ''}{times.localize(turn.at, story.zone):%H:%M}"
        half = extent(clock, CLOCK) / 2 + 10
        row = next((r for r, taken in enumerate(rows) if all(abs(x - m) >= half + h + 3 for m, h in taken)), None)
        if row is None:
            continue
        rows[row].append((x, half))
        y = 18.0 + 17 * row
        milestone = Milestone(
            css=turn.css,
            x=_n(x),
            top=_n(y + 4),
            filled=SHAPES[turn.kind].filled,
            shape=SHAPES[turn.kind].path,
            shape_x=_n(x - half + 6),
            shape_y=_n(y - CLOCK / 2),
            clock=stroke(clock, x + 8, y),
            left=_n(x - half),
            width=_n(2 * half),
            title=_plain(f"{turn.label}: {'~' if turn.approx else ''}{story.when(turn.at)}"),
            href=story.href(turn.entry),
        )
        milestones.append((x, milestone))
    floor = 8.0 + 17 * sum(bool(taken) for taken in rows)
    return tuple(milestone for _, milestone in sorted(milestones, key=lambda pair: pair[0])), floor


# ---- marks ---------------------------------------------------------------------------------------


def _marks(story: _Story, scale: Axis, top: float, widest: float) -> tuple[tuple[Mark, ...], float]:
    """The entries as marks: one lane for each sort, as many rows in a lane as keep them apart, ROWS at most."""
    before = REACH + (extent("~", NUMBER) + GAP if any(e.approx for e in story.entries) else 0)
    room = before + REACH + GAP + widest + GAP
    drawn: list[Mark] = []
    for lane in LANES:
        entries = sorted((e for e in story.entries if e.kind in lane), key=lambda e: minute(e.at))
        places = [scale.x(minute(e.at)) for e in entries]
        rows: list[float] = []
        for first, end in _together(places, room):
            group, x = entries[first:end], places[first]
            label = str(group[0].number) if len(group) == 1 else f"×{len(group)}"
            right = x + REACH + GAP + extent(label, NUMBER)
            row = next((r for r, taken in enumerate(rows) if x - before >= taken + GAP), len(rows))
            rows[row:] = [right, *rows[row + 1 :]]
            y = top + row * ROW + ROW / 2
            until = _n(max(places[end - 1], x)) if len(group) > 1 else ""
            drawn.append(_mark(story, group, label, (x, y, right), until))
        top += len(rows) * ROW + (6 if rows else 0)
    return tuple(drawn), top


def _together(places: list[float], room: float) -> list[tuple[int, int]]:
    """Which marks become one: those that stand where more than ROWS would need the same room, by stretches of `room`.

    Takes places in order; gives (first, end) for each mark. At most ROWS of the marks reach into one another.
    """
    crowded = [False] * len(places)
    first = done = 0
    for number, x in enumerate(places):
        while places[first] <= x - room:
            first += 1
        if number - first >= ROWS:
            for one in range(max(first, done), number + 1):
                crowded[one] = True
            done = number + 1
    starts = [number for number, _ in enumerate(places) if not (number and crowded[number] and crowded[number - 1])]
    groups: list[tuple[int, int]] = []
    for start, end in pairwise([*starts, len(places)]):
        head = start
        for number in range(start + 1, end):
            if places[number] - places[head] >= room:
                groups.append((head, number))
                head = number
        groups.append((head, end))
    return groups


def _mark(story: _Story, group: list[AnnexEntry], label: str, at: tuple[float, float, float], until: str) -> Mark:
    x, y, right = at
    one = group[0]
    shape = SHAPES[one.kind] if len({e.kind for e in group}) == 1 else SEVERAL
    number = stroke(label, x + REACH + GAP, y + NUMBER / 2, NUMBER, "start")
    left = x - REACH
    if len(group) == 1 and one.approx:
        left -= extent("~", NUMBER) + GAP
        number += stroke("~", left, y + NUMBER / 2, NUMBER, "start")
    return Mark(
        css=shape.css,
        filled=shape.filled,
        path=shape.path,
        x=_n(x),
        y=_n(y),
        left=_n(left),
        width=_n(right + 1 - left),
        number=number,
        title=_said(one) if len(group) == 1 else _counted(story, group),
        href=story.href(one.number),
        until=until,
    )


def _said(entry: AnnexEntry) -> str:
    """An entry in words; of a long one the first sentence, as in the timeline (POSTMORTEM.md, rule 1)."""
    text = f"{first_sentence(entry.text)} …" if words(entry.text) > LONG else entry.text
    return _plain(f"{entry.number} · {entry.when} · {entry.label}{': ' if text else ''}{text}")


def _counted(story: _Story, group: list[AnnexEntry]) -> str:
    numbers = [e.number for e in group]
    kinds = Counter(e.kind for e in group)
    parts = ", ".join(f"{LABELS[kind].lower()} ({count})" for kind, count in kinds.most_common())
    span = f"{story.when(group[0].at)} to {story.when(group[-1].at)}"
    return f"{len(group)} entries between {min(numbers)} and {max(numbers)} · {span} · {parts}"


# ---- times below the axis ------------------------------------------------------------------------


def _ticks(scale: Axis, zone: str, base: float) -> tuple[tuple[Tick, ...], float]:
    """Times along the axis; below them the day, the year and the distance from UTC, each where it changes.

    Every stretch says when it begins; round times stand where they leave that room. Also says how deep they reach.
    """
    room = extent("00:00", CLOCK) + 8
    wanted = [(scale.x(segment.start), segment.start) for segment in scale.segments]
    for segment in scale.segments:
        for at in _round_times(segment, zone):
            x = scale.x(at)
            if all(abs(x - other) >= room for other, _ in wanted):
                wanted.append((x, at))
    offsets = {f"{times.localize(at, zone):%z}" for _, at in wanted}
    forms = ["%m-%d", "%Y", *(["%:z"] if len(offsets) > 1 else [])]
    said: list[str] = ["" for _ in forms]
    free: list[float] = [0.0 for _ in forms]
    ticks = []
    for x, at in sorted(wanted):
        local = times.localize(at, zone)
        below = []
        for row, form in enumerate(forms):
            text = _offset(local) if form == "%:z" else f"{local:{form}}"
            half = extent(text, CLOCK) / 2
            if text != said[row] and x - half >= free[row]:
                below.append(stroke(text, x, base + 38 + 17 * row))
                said[row], free[row] = text, x + half + 6
        ticks.append(Tick(_n(x), times.moment(at, zone), stroke(f"{local:%H:%M}", x, base + 21), "".join(below)))
    return tuple(ticks), 21.0 + 17 * len(forms)


def _offset(local: datetime) -> str:
    """ "+01:00" """
    plain = f"{local:%z}"
    return f"{plain[:3]}:{plain[3:5]}"


def _round_times(segment: Segment, zone: str) -> list[datetime]:
    """Round times within a stretch, on the clocks of the incident, as dense as fits."""
    length = segment.end - segment.start
    fitting = max(int(segment.width // (extent("00:00", CLOCK) + 22)), 1)
    step = next((s for s in STEPS if length / s <= fitting), None)
    if step is None or not length:
        return []
    midnight = times.localize(segment.start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    utc = segment.start.tzinfo
    found: list[datetime] = []
    number = int((segment.start - midnight.astimezone(utc)) / step)
    while True:
        # Up to an hour a step is so much time; longer ones are steps of the clock, which change with its offset.
        at = midnight.astimezone(utc) + step * number if step <= HOUR else (midnight + step * number).astimezone(utc)
        if at > segment.end:
            return found
        if at >= segment.start:
            found.append(at)
        number += 1
