"""How an incident looks: its entries on a time axis, as SVG (through templates/figure.svg.j2) and as PNG.

Only numbers and times are visible, drawn with strokes of our own, so that no font decides how the picture looks: the
same document gives the same bytes on every machine. Words stand in <title>, where readers of a screen find them.

Knows where things stand on the paper. Must not know how texts are composed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.core import times
from bot.core.document import AnnexEntry, Postmortem
from bot.core.events import Kind
from bot.core.facts import HAPPENING
from bot.core.wording import readable
from bot.resources import resources

WIDTH = 960
SIDE = 40
BREAK = 46
"""The width of a break, where nothing happened for long."""
SHORTEST = 26
"""The least width of a stretch between breaks."""
MARK = 26
"""The least distance between two marks in a row."""
ROW = 22
TICK = 68
"""The least distance between two times on the axis."""
MOST_BREAKS = 12

LANES: tuple[tuple[Kind, ...], ...] = (
    (Kind.DETECTION, Kind.NOTE, Kind.ACK, Kind.SEVERITY, Kind.HANDOVER, Kind.TRIGGER, Kind.AGAIN, Kind.REOPENED),
    (Kind.HYPOTHESIS, Kind.DEAD_END),
    (Kind.ACTION, Kind.DECISION, Kind.MITIGATION, Kind.MITIGATED, Kind.RESOLUTION),
    (Kind.ESCALATION, Kind.UPDATE),
)
"""From top to bottom: what was seen, what was thought, what was done, what was said."""

SHAPES: dict[Kind, str] = {
    Kind.DETECTION: "M0 -7L6 5H-6Z",
    Kind.TRIGGER: "M2 -7L-5 1H0L-2 7L5 -1H0Z",
    Kind.AGAIN: "M0 7L6 -5H-6Z",
    Kind.REOPENED: "M0 7L6 -5H-6Z",
    Kind.HYPOTHESIS: "M0 -6L6 0L0 6L-6 0Z",
    Kind.DEAD_END: "M-5 -5L5 5M5 -5L-5 5",
    Kind.ACTION: "M-5 -5H5V5H-5Z",
    Kind.DECISION: "M-5 -5H5V5H-5Z",
    Kind.MITIGATION: "M-5 -5H5V5H-5Z",
    Kind.MITIGATED: "M-6 0L-2 5L6 -5",
    Kind.RESOLUTION: "M-6 0L-2 5L6 -5",
    Kind.ESCALATION: "M-6 -5L6 0L-6 5Z",
    Kind.UPDATE: "M-6 -5L6 0L-6 5Z",
}
ROUND = "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z"

STEPS = tuple(
    timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10080, 20160, 43200)
)

# ---- numbers and times, drawn --------------------------------------------------------------------

GLYPHS: dict[str, str] = {
    "0": "M0 1L1 0H3L4 1V7L3 8H1L0 7Z",
    "1": "M1 2L2.5 0V8",
    "2": "M0 1L1 0H3L4 1V3L0 8H4",
    "3": "M0 1L1 0H3L4 1V3L3 4H1.5M3 4L4 5V7L3 8H1L0 7",
    "4": "M3 8V0L0 5.5H4",
    "5": "M4 0H0V3.5H3L4 4.5V7L3 8H1L0 7",
    "6": "M4 1L3 0H1L0 1V7L1 8H3L4 7V5L3 4H0",
    "7": "M0 0H4L1.5 8",
    "8": "M1 4L0 3V1L1 0H3L4 1V3L3 4H1L0 5V7L1 8H3L4 7V5L3 4",
    "9": "M4 4H1L0 3V1L1 0H3L4 1V7L3 8H1L0 7",
    ":": "M2 2.4V2.6M2 5.9V6.1",
    "-": "M0.5 4H3.5",
    "~": "M0 4.6L1.2 3.6L2.8 4.6L4 3.6",
}
ADVANCE = 6.0


def stroke(text: str, x: float, y: float, size: float = 9, anchor: str = "middle") -> str:
    """The path that draws digits, `:`, `-` and `~`; y is the base line, other signs leave a space."""
    scale = size / 8
    width = (len(text) * ADVANCE - 2) * scale
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    parts = []
    for place, sign in enumerate(text):
        parts.append(_placed(GLYPHS.get(sign, ""), left + place * ADVANCE * scale, y - size, scale))
    return "".join(parts)


def _placed(path: str, dx: float, dy: float, scale: float) -> str:
    """A path of absolute M, L, H and V commands, moved and scaled."""
    out: list[str] = []
    number = ""
    command = ""
    values: list[float] = []

    def flush() -> None:
        match command, values:
            case (("M" | "L"), [x, y]):
                out.append(f"{command}{_n(dx + x * scale)} {_n(dy + y * scale)}")
            case "H", [x]:
                out.append(f"H{_n(dx + x * scale)}")
            case "V", [y]:
                out.append(f"V{_n(dy + y * scale)}")
            case "Z", []:
                out.append("Z")
            case _:
                pass

    for sign in path + " ":
        if sign.isdigit() or sign in ".-":
            number += sign
            continue
        if number:
            values.append(float(number))
            number = ""
        if sign.isalpha():
            flush()
            command, values = sign, []
    flush()
    return "".join(out)


def _n(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{round(value, 1):g}"


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


def axis(moments: list[datetime], left: float = SIDE, right: float = WIDTH - SIDE) -> Axis:
    """An axis through these moments: gaps that would take most of it, unlike the others, become breaks."""
    points = sorted(set(moments))
    gaps = [(later - earlier, number) for number, (earlier, later) in enumerate(pairwise(points))]
    total = points[-1] - points[0]
    broken: set[int] = set()
    for gap, number in sorted(gaps, key=lambda pair: (-pair[0], pair[1])):
        others = len(gaps) - len(broken) - 1
        if len(broken) == MOST_BREAKS or gap < total * 0.3 or gap * others < (total - gap) * 6 or not others:
            break
        broken.add(number)
        total -= gap
    stretches: list[tuple[datetime, datetime]] = []
    first = points[0]
    for number in sorted(broken):
        stretches.append((first, points[number]))
        first = points[number + 1]
    stretches.append((first, points[-1]))
    room = right - left - BREAK * len(broken) - SHORTEST * len(stretches)
    whole = sum((end - start).total_seconds() for start, end in stretches) or 1.0
    segments: list[Segment] = []
    x = left
    for start, end in stretches:
        width = SHORTEST + room * (end - start).total_seconds() / whole
        if len(stretches) == 1:
            width = right - left
        segments.append(Segment(start, end, x, width))
        x += width + BREAK
    return Axis(tuple(segments))


# ---- the picture ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drawn:
    """A path at a place, with its class and the words behind it."""

    css: str
    path: str
    x: str
    y: str
    title: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A window of impact; `open` when it still goes on."""

    x: str
    width: str
    title: str
    open: bool


@dataclass(frozen=True, slots=True)
class Milestone:
    """A vertical line with its time."""

    css: str
    x: str
    top: str
    clock: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the template draws."""

    title: str
    description: str
    width: int
    height: int
    base: str
    band_top: str
    bands: tuple[Band, ...]
    milestones: tuple[Milestone, ...]
    lines: tuple[tuple[str, str], ...]
    breaks: tuple[str, ...]
    ticks: tuple[tuple[str, str], ...]
    days: tuple[str, ...]
    marks: tuple[Drawn, ...]


def svg(postmortem: Postmortem, own: Path | None = None) -> str:
    """The picture of a postmortem: every live entry that happened, the windows of impact, the milestones."""
    return _environment(own).get_template("figure.svg.j2").render(f=draw(postmortem))


@lru_cache(maxsize=4)
def _environment(own: Path | None) -> jinja2.Environment:
    folders = [*([own] if own else []), resources("templates")]
    return ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders), undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=True
    )


def png(picture: str) -> bytes:
    """The same picture as PNG, twice as large, on white; needs no font."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=picture, background="#ffffff", zoom=2.0, skip_system_fonts=True))


def draw(postmortem: Postmortem) -> Picture:
    """Where everything stands."""
    entries = [e for e in postmortem.entries if e.kind in HAPPENING and not e.withdrawn]
    moments = [e.at for e in entries] + [w.start for w in postmortem.windows]
    moments += [w.end for w in postmortem.windows if w.end]
    moments += [] if moments else [e.at for e in postmortem.entries]
    if not moments:
        return _empty(postmortem)
    scale = axis(moments)
    milestones, floor = _milestones(postmortem, entries, scale)
    band_top = floor + 8
    marks, bottom = _marks(entries, scale, band_top + 22)
    base = bottom + 4
    ticks, days = _ticks(scale, postmortem.zone, base)
    return Picture(
        title=_words(postmortem.header.title),
        description=_description(postmortem, entries),
        width=WIDTH,
        height=int(base + 42),
        base=_n(base),
        band_top=_n(band_top),
        bands=_bands(postmortem, scale),
        milestones=milestones,
        lines=tuple((_n(s.x), _n(s.x + s.width)) for s in scale.segments),
        breaks=tuple(_break(earlier.x + earlier.width, base) for earlier in scale.segments[:-1]),
        ticks=ticks,
        days=days,
        marks=marks,
    )


def _empty(postmortem: Postmortem) -> Picture:
    title = _words(postmortem.header.title)
    line = ((_n(SIDE), _n(WIDTH - SIDE)),)
    return Picture(title, "Nothing is recorded.", WIDTH, 60, "30", "0", (), (), line, (), (), (), ())


def _words(text: str) -> str:
    """Recorded text for <title>: without what no XML file may hold."""
    return "".join(sign for sign in readable(text).replace("\n", " ") if sign not in "\ufffe\uffff")


def _description(postmortem: Postmortem, entries: list[AnnexEntry]) -> str:
    said = f"{len(entries)} entries on a time axis, times in {postmortem.zone}. {postmortem.headlines.duration}"
    return _words(said)


def _bands(postmortem: Postmortem, scale: Axis) -> tuple[Band, ...]:
    bands = []
    for window in postmortem.windows:
        left = scale.x(window.start)
        right = scale.x(window.end) if window.end else WIDTH - SIDE / 2
        bands.append(Band(_n(left), _n(max(right - left, 2)), _words(window.words), window.end is None))
    return tuple(bands)


def _milestones(postmortem: Postmortem, entries: list[AnnexEntry], scale: Axis) -> tuple[tuple[Milestone, ...], float]:
    """Onset, first detection, ends of impact, resolution: a line each, their times in rows that do not collide."""
    wanted: list[tuple[datetime, str, str]] = []
    wanted += [(w.start, "onset", f"Impact begins: {_clock(w.start, postmortem.zone)}") for w in postmortem.windows]
    found = next((e for e in entries if e.kind is Kind.DETECTION), None)
    over = next((e for e in reversed(entries) if e.kind is Kind.RESOLUTION), None)
    ends = {w.end for w in postmortem.windows if w.end}
    stopped = [(e, "mitigated") for e in entries if e.kind is Kind.MITIGATED and e.at in ends]
    for entry, css in [*([(found, "found")] if found else []), *stopped, *([(over, "over")] if over else [])]:
        wanted.append((entry.at, css, f"{entry.label}: {_clock(entry.at, postmortem.zone)}"))
    placed: list[tuple[datetime, str, str, float, int]] = []
    ends_of_rows: list[float] = []
    for at, css, title in sorted(wanted, key=lambda item: item[0]):
        x = min(max(scale.x(at), SIDE / 2), WIDTH - SIDE / 2)
        row = next((r for r, end in enumerate(ends_of_rows) if x - 24 >= end), len(ends_of_rows))
        ends_of_rows[row:] = [x + 24] if row == len(ends_of_rows) else [x + 24, *ends_of_rows[row + 1 :]]
        placed.append((at, css, title, x, row))
    milestones = tuple(
        Milestone(
            css,
            _n(x),
            _n(row * 16 + 22),
            stroke(f"{times.localize(at, postmortem.zone):%H:%M}", x, row * 16 + 18),
            _words(title),
        )
        for at, css, title, x, row in placed
    )
    return milestones, 12.0 + 16 * len(ends_of_rows)


def _clock(at: datetime, zone: str) -> str:
    return times.moment(at, zone)


def _marks(entries: list[AnnexEntry], scale: Axis, top: float) -> tuple[tuple[Drawn, ...], float]:
    """The entries as marks: one lane for each sort, as many rows in a lane as keep marks apart."""
    drawn: list[Drawn] = []
    for lane in LANES:
        rows: list[float] = []
        for entry in (e for e in entries if e.kind in lane):
            x = scale.x(entry.at)
            row = next((r for r, last in enumerate(rows) if x - last >= MARK), len(rows))
            rows[row:] = [x, *rows[row + 1 :]]
            y = top + row * ROW + ROW / 2
            drawn.append(_mark(entry, x, y))
        top += max(len(rows), 1) * ROW
    return tuple(drawn), top


def _mark(entry: AnnexEntry, x: float, y: float) -> Drawn:
    title = f"{entry.number} · {entry.when} · {entry.label}{': ' if entry.text else ''}{entry.text}"
    path = SHAPES.get(entry.kind, ROUND)
    return Drawn(
        entry.kind.value.replace("_", "-"),
        path,
        _n(x),
        _n(y),
        _words(title),
        stroke(str(entry.number), x + 8, y + 3, 6, "start"),
    )


def _break(x: float, y: float) -> str:
    middle = x + BREAK / 2
    return "".join(f"M{_n(middle + dx - 3)} {_n(y + 6)}L{_n(middle + dx + 3)} {_n(y - 6)}" for dx in (-4, 4))


def _ticks(scale: Axis, zone: str, base: float) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Times along the axis (with a short line each) and, below, the days where they change (month-day)."""
    ticks: list[tuple[str, str]] = []
    days: list[str] = []
    named: set[str] = set()
    last_day = last_tick = -1000.0
    for segment in scale.segments:
        for at in _round_times(segment, zone):
            x = scale.x(at)
            if x - last_tick < TICK * 0.6:
                continue
            local = times.localize(at, zone)
            ticks.append((_n(x), stroke(f"{local:%H:%M}", x, base + 17)))
            last_tick = x
            day = f"{local:%m-%d}"
            if day not in named and x - last_day >= 40:
                days.append(stroke(day if named else f"{local:%Y-%m-%d}", x, base + 33))
                last_day = x + (0 if named else 10)
                named.add(day)
    return tuple(ticks), tuple(days)


def _round_times(segment: Segment, zone: str) -> list[datetime]:
    """The times that are written below a stretch: its beginning, then round ones as dense as fits."""
    length = segment.end - segment.start
    found = [segment.start]
    fitting = max(int(segment.width // TICK), 1)
    step = next((s for s in STEPS if length / s <= fitting), None)
    if step is None or not length:
        return found
    local = times.localize(segment.start, zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    number = int((local - midnight) / step) + 1
    while (at := (midnight + step * number).astimezone(segment.start.tzinfo)) <= segment.end:
        found.append(at)
        number += 1
    return found
