"""The picture: well-formed, the same everywhere, readable from a minute to months, by eye and by ear.

Properties are checked on what is drawn: the coordinates of the SVG, and the bytes of the PNG.
"""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import figure
from bot.core import events as ev
from bot.core.document import Postmortem
from bot.core.events import Kind
from bot.core.facts import HAPPENING
from tests.core.builder import OPTIONS, SCENARIOS, START, Record, postmortem_of, scenario

SVG = "{http://www.w3.org/2000/svg}"
KINDS = sorted(HAPPENING - {Kind.SEVERITY, Kind.TRIGGER, Kind.HANDOVER, Kind.AGAIN, Kind.REOPENED, Kind.RESOLUTION})
"""Kinds that say no more than their text and end nothing."""

Box = tuple[float, float, float, float]


def drawing(postmortem: Postmortem) -> ET.Element:
    return ET.fromstring(figure.svg(postmortem))  # noqa: S314 - our own picture


def points(path: str) -> list[tuple[float, float]]:
    """Where the strokes of a drawn number or time begin and turn."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def box(path: str) -> Box:
    xs, ys = zip(*points(path), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def apart(one: Box, other: Box) -> bool:
    return one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


def overlapping(boxes: list[Box]) -> list[tuple[Box, Box]]:
    return [(one, other) for one, other in combinations(boxes, 2) if not apart(one, other)]


def written(picture: figure.Picture) -> list[Box]:
    """Every number and time of a picture, as the paper that it takes."""
    paths = [mark.number for mark in picture.marks]
    paths += [milestone.clock for milestone in picture.milestones]
    paths += [part.number for part in picture.severities if part.number]
    return [box(path) for path in paths] + [box(path) for tick in picture.ticks for path in tick_lines(tick)]


def tick_lines(tick: figure.Tick) -> list[str]:
    """A time and what stands below it, line by line."""
    top = box(tick.clock)[1]
    rows: dict[int, str] = {}
    for one in re.findall(r"M[^M]+", tick.clock + tick.day):
        row = int((box(one)[1] - top) // 17)
        rows[row] = rows.get(row, "") + one
    return list(rows.values())


def series(*minutes: float, kinds: list[Kind] | None = None, **head: object) -> Record:
    """An incident with an entry at each of these minutes after 03:00."""
    record = Record(**head)  # type: ignore[arg-type]
    for number, at in enumerate(minutes):
        record.say((kinds or KINDS)[number % len(kinds or KINDS)], "text", at=at)
    return record


def titles(root: ET.Element, path: str = ".//") -> list[str]:
    return [title.text or "" for title in root.findall(f"{path}{SVG}title")]


def links(root: ET.Element) -> list[tuple[str, str]]:
    return [(a.get("href", ""), a.findtext(f"{SVG}title") or "") for a in root.findall(f"{SVG}a")]


# ---- what is drawn -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem[:12])
def test_every_entry_that_happened_is_a_mark_that_leads_to_its_place_in_the_annex(path: Path) -> None:
    postmortem = postmortem_of(path)
    root = drawing(postmortem)
    marks = [(href, title) for href, title in links(root) if re.match(r"\d+ · ", title)]
    happened = [e for e in postmortem.entries if e.kind in HAPPENING]
    assert {href for href, _ in marks} == {f"{path.stem}.timeline.md#e{e.number}" for e in happened}
    assert len(marks) == len(happened)
    for entry in happened:
        (title,) = (title for href, title in marks if href.endswith(f"#e{entry.number}"))
        assert title.startswith(f"{entry.number} · {entry.when} · {entry.label}")
        assert title.removesuffix(" …") in f"{entry.number} · {entry.when} · {entry.label}: {entry.text}"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem[:12])
def test_nothing_written_covers_anything_else_that_is_written(path: Path) -> None:
    assert overlapping(written(figure.draw(postmortem_of(path)))) == []


def test_impact_severity_phases_and_milestones_say_what_they_are() -> None:
    record = Record(severity=3)
    record.say(Kind.DETECTION, at=10)
    record.say(Kind.SEVERITY, at=20, severity=1)
    record.say(Kind.MITIGATED, at=60)
    record.say(Kind.SEVERITY, at=70, severity=4)
    record.say(Kind.RESOLUTION, at=120)
    record.say(Kind.NOTE, "afterwards", at=150)
    root = drawing(record.postmortem())
    day = "21 November 2026"
    assert titles(root, f".//{SVG}g/")[:8] == [
        f"Severity SEV3 from {day} 03:00 UTC",
        f"Severity SEV1 from {day} 03:20 UTC",
        f"Severity SEV4 from {day} 04:10 UTC",
        f"Impact for 1 h, {day} 03:00 UTC to {day} 04:00 UTC",
        f"Discovery, {day} 03:00 UTC to {day} 03:10 UTC",
        f"Investigation, {day} 03:10 UTC to {day} 04:00 UTC",
        f"Resolution, {day} 04:00 UTC to {day} 05:00 UTC",
        f"Afterwards, {day} 05:00 UTC to {day} 05:30 UTC",
    ]
    assert [one for one in links(root) if not re.match(r"\d", one[1])] == [
        ("0042-x.timeline.md#e1", f"Impact begins: {day} 03:00 UTC"),
        ("0042-x.timeline.md#e2", f"Detected: {day} 03:10 UTC"),
        ("0042-x.timeline.md#e4", f"Mitigated: {day} 04:00 UTC"),
        ("0042-x.timeline.md#e6", f"Resolved: {day} 05:00 UTC"),
    ]


def test_a_severity_that_never_changed_is_drawn_for_the_whole_incident() -> None:
    record = series(10, 30)
    record.say(Kind.RESOLUTION, at=60)
    (severity,) = figure.draw(record.postmortem()).severities
    assert (severity.title, severity.css) == ("Severity SEV1 from 21 November 2026 03:00 UTC", "sev1")
    nobody_said = figure.draw(series(10, severity=None).postmortem())
    assert nobody_said.severities == ()


def test_each_window_of_impact_is_drawn_and_one_that_goes_on_is_an_arrow() -> None:
    record = Record()
    for again, end in ((None, 30), (50, 70), (90, 110)):
        if again:
            record.say(Kind.AGAIN, at=again)
        record.say(Kind.MITIGATED, at=end)
    record.say(Kind.AGAIN, at=130)
    record.say(Kind.NOTE, "still", at=140)
    picture = figure.draw(record.postmortem())
    assert [window.css for window in picture.windows] == ["closed", "closed", "closed", "open"]
    assert max(x for x, _ in points(picture.windows[-1].path)) == figure.WIDTH - 4
    assert [m.css for m in picture.milestones] == ["harm", "good", "harm", "good", "harm", "good", "harm"]


def test_phases_begin_where_the_timeline_begins_them() -> None:
    record = Record()
    record.say(Kind.ACTION, "rollout", at=-60)
    record.say(Kind.NOTE, "what nobody saw", at=5)
    record.say(Kind.DETECTION, at=10)
    record.say(Kind.HYPOTHESIS, "the cache", at=20)
    record.say(Kind.MITIGATED, at=30)
    record.say(Kind.RESOLUTION, at=50)
    record.say(Kind.NOTE, "later", at=70)
    postmortem = record.postmortem()
    drawn = [part.title.split(",")[0] for part in figure.draw(postmortem).phases]
    assert drawn == [phase.name for phase in postmortem.timeline.phases]


def test_a_trigger_told_after_the_end_is_not_drawn_as_if_it_had_happened_then() -> None:
    record = series(5)
    record.say(Kind.MITIGATED, at=20)
    told = record.say(Kind.TRIGGER, "a deploy", at=40)
    record.say(Kind.RESOLUTION, at=60)
    hrefs = [mark.href for mark in figure.draw(record.postmortem()).marks]
    assert [href for href in hrefs if href.endswith(f"#e{told}")] == []
    assert len(hrefs) == 3


def test_removed_entries_are_not_drawn_and_an_empty_record_still_gives_a_picture() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "wrong", at=3)
    record.mark(ev.Removed, entry=note)
    assert figure.draw(record.postmortem()).marks == ()
    nothing = replace(record.postmortem(), entries=(), windows=())
    assert drawing(nothing).findtext(f"{SVG}desc") == "Nothing is recorded."
    for postmortem in (record.postmortem(), nothing):
        assert figure.png(figure.svg(postmortem))[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_resolution_that_was_reopened_is_no_milestone() -> None:
    record = series(5)
    record.say(Kind.RESOLUTION, at=20)
    record.say(Kind.REOPENED, at=30)
    picture = figure.draw(record.postmortem())
    assert [m.css for m in picture.milestones] == ["harm"]
    assert picture.description.count("Not resolved.") == 1


def test_about_is_drawn_as_a_wave_before_the_mark() -> None:
    record = Record()
    record.say(Kind.DETECTION, at=10, approx=True)
    record.say(Kind.NOTE, "exactly then", at=20)
    first, second = figure.draw(record.postmortem()).marks
    assert (box(first.number)[0] < float(first.x), box(second.number)[0] < float(second.x)) == (True, False)
    assert float(first.left) <= box(first.number)[0]
    found = figure.draw(record.postmortem()).milestones[1]
    assert found.title == "Detected: ~21 November 2026 03:10 UTC"


def test_a_drill_has_a_frame_and_says_so() -> None:
    frames = {drill: drawing(series(5, drill=drill).postmortem()) for drill in (True, False)}
    assert {d: len(root.findall(f".//{SVG}path[@class='ink frame']")) for d, root in frames.items()} == {
        True: 1,
        False: 0,
    }
    assert (frames[True].findtext(f"{SVG}desc") or "").startswith("Drill, not a real incident. ")


def test_each_kind_has_a_shape_of_its_own() -> None:
    looks = [(shape.path, shape.filled) for kind, shape in figure.SHAPES.items()]
    names = [shape.name for shape in figure.SHAPES.values()]
    assert (len(set(looks)), len(set(names))) == (len(HAPPENING), len(HAPPENING))
    assert {kind for lane in figure.LANES for kind in lane} == set(figure.SHAPES) == HAPPENING


# ---- the axis ------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, 1, 45, 300, 1440, 10 * 1440, 60 * 1440, 1000 * 1440])
def test_the_axis_serves_a_minute_and_years(minutes: int) -> None:
    record = series(*(minutes * part / 4 for part in range(5)))
    picture = figure.draw(record.postmortem())
    assert 1 <= len(picture.ticks) <= 11
    places = [float(tick.x) for tick in picture.ticks]
    assert places == sorted(places)
    assert picture.ticks[0].day != ""
    assert picture.breaks == ()  # evenly spread: nothing is unlike the rest


def test_a_long_gap_becomes_a_break_and_order_is_kept() -> None:
    moments = [START + timedelta(minutes=m) for m in (0, 10, 20, 30 * 1440, 30 * 1440 + 5, 30 * 1440 + 30)]
    axis = figure.axis(moments)
    assert [(s.start, s.end) for s in axis.segments] == [(moments[0], moments[2]), (moments[3], moments[5])]
    assert [axis.x(at) for at in moments] == sorted(axis.x(at) for at in moments)
    assert axis.x(START + timedelta(days=3)) == axis.x(moments[2])
    assert (axis.x(moments[0]), axis.x(moments[-1])) == (figure.SIDE, figure.WIDTH - figure.SIDE)


def test_an_hour_of_waiting_is_seen_as_long_as_it_was() -> None:
    assert figure.draw(series(1, 60).postmortem()).breaks == ()
    hectic = figure.draw(series(*range(9), 69).postmortem())
    assert [one.title for one in hectic.breaks] == ["1 h 1 min in which nothing was recorded"]


def test_empty_nights_are_left_out_and_said_and_cut_the_band_of_impact() -> None:
    record = series(*(day * 1440 + hour * 40 for day in range(4) for hour in range(12)))
    picture = figure.draw(record.postmortem())
    assert [one.title for one in picture.breaks] == ["16 h 40 min in which nothing was recorded"] * 3
    assert [one.path.count("M") for one in picture.breaks] == [4] * 3  # two strokes on the axis, two on the band
    assert [tick.title.removesuffix(" UTC").split()[0::3] for tick in picture.ticks] == [
        ["21", "03:00"], ["21", "06:00"], ["22", "03:00"], ["22", "06:00"],
        ["23", "03:00"], ["23", "06:00"], ["24", "03:00"], ["24", "06:00"],
    ]  # fmt: skip
    assert overlapping(written(picture)) == []


def test_a_lead_up_of_months_leaves_room_for_the_incident() -> None:
    record = series(-120 * 1440, -33 * 1440, 5, 8, 11, 13, 20, 29, kinds=[Kind.ACTION])
    record.say(Kind.MITIGATED, at=40)
    record.say(Kind.RESOLUTION, at=55)
    picture = figure.draw(record.postmortem())
    begin, end = (float(m.x) for m in (picture.milestones[0], picture.milestones[-1]))
    assert end - begin > figure.WIDTH / 2
    assert [one.path.count("M") for one in picture.breaks] == [2, 2]  # no impact meanwhile


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), ["+01:00", "+00:00"]),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), ["+00:00", "+01:00"]),
        (datetime(2026, 6, 1, 23, 0, tzinfo=UTC), []),
    ],
)
def test_a_change_of_the_clocks_is_said_below_the_axis(begin: datetime, expected: list[str]) -> None:
    onset = (begin - START).total_seconds() / 60
    record = Record(zone="Europe/London", onset=onset)
    record.minute = int(onset)
    for hour in range(7):
        record.say(Kind.NOTE, at=onset + 60 * hour)
    picture = figure.draw(record.postmortem())
    places = [tick.x for tick in picture.ticks]
    assert len(set(places)) == len(places)
    row = float(picture.base) + 38 + 2 * 17
    found = [text for tick in picture.ticks for text in ("+01:00", "+00:00") if stands(text, float(tick.x), row, tick)]
    assert found == expected


def test_round_times_are_round_on_the_clocks_of_the_incident() -> None:
    begin = datetime(2026, 10, 24, 9, 20, tzinfo=UTC)
    onset = (begin - START).total_seconds() / 60
    record = Record(zone="Europe/London", onset=onset)
    record.minute = int(onset)
    for part in range(9):
        record.say(Kind.NOTE, at=onset + part * 6 * 60)
    said = [tick.title.replace(" October 2026", "") for tick in figure.draw(record.postmortem()).ticks]
    assert said == [
        "24 10:20 BST", "24 18:00 BST", "25 00:00 BST", "25 06:00 GMT", "25 12:00 GMT", "25 18:00 GMT",
        "26 00:00 GMT", "26 06:00 GMT",
    ]  # fmt: skip


def stands(text: str, x: float, y: float, tick: figure.Tick) -> bool:
    """Whether a text is drawn there, but for the rounding of its place."""
    there = points(tick.day)
    wanted = points(figure.stroke(text, x, y))
    return all(any(abs(x - px) < 0.2 and abs(y - py) < 0.2 for px, py in there) for x, y in wanted)


# ---- many entries --------------------------------------------------------------------------------


def test_what_finds_no_room_becomes_one_mark_with_a_count() -> None:
    record = Record()
    for _ in range(30):
        record.say(Kind.NOTE, "flood", at=10)
    for _ in range(12):
        record.say(Kind.ACTION, "a", at=20)
        record.say(Kind.DECISION, "b", at=20)
    record.say(Kind.NOTE, "alone", at=60)
    day = "21 November 2026"
    marks = figure.draw(record.postmortem()).marks
    assert [(mark.title, mark.path == figure.SEVERAL.path) for mark in marks] == [
        (f"30 entries between 2 and 31 · {day} 03:10 UTC to {day} 03:10 UTC · note (30)", False),
        (f"56 · {day} 04:00 UTC · Note: alone", False),
        (f"24 entries between 32 and 55 · {day} 03:20 UTC to {day} 03:20 UTC · action (12), decision (12)", True),
    ]
    assert [mark.href for mark in marks] == [f"0042-x.timeline.md#e{n}" for n in (2, 56, 32)]
    said = "A mark with × and a count is several entries; a pile is of several kinds."
    assert figure.draw(record.postmortem()).description.endswith(said)


@pytest.mark.parametrize("spread", [0, 3000], ids=["in one minute", "over two days"])
def test_ten_thousand_entries_are_drawn_at_once(spread: int) -> None:
    def seconds(count: int) -> float:
        postmortem = crowd(count, spread)
        begin = time.perf_counter()
        picture = figure.svg(postmortem)
        figure.png(picture)
        assert len(picture) < 200_000
        return time.perf_counter() - begin

    assert seconds(10_000) < 3


def test_long_numbers_stay_on_the_paper() -> None:
    small = series(1).postmortem()
    last = replace(small.entries[-1], number=123_456, at=START + timedelta(hours=1))
    boxes = written(figure.draw(replace(small, entries=(*small.entries, last))))
    assert figure.WIDTH - 12 < max(right for _, _, right, _ in boxes) < figure.WIDTH


def crowd(count: int, spread: int) -> Postmortem:
    """A document with that many entries over so many minutes; the entry of a small one, repeated."""
    small = series(1).postmortem()
    one = next(e for e in small.entries if e.number == 2)
    at = (START + timedelta(minutes=n * spread // count) for n in range(count))
    entries = (replace(one, number=n + 2, at=when, kind=KINDS[n % len(KINDS)]) for n, when in enumerate(at))
    return replace(small, entries=(small.entries[0], *entries))


def test_a_flood_of_windows_still_fits_on_the_paper() -> None:
    record = Record()
    for at in range(0, 450, 3):
        record.say(Kind.MITIGATED, at=at + 1)
        record.say(Kind.AGAIN, at=at + 2)
    picture = figure.draw(record.postmortem())
    assert overlapping([box(m.clock) for m in picture.milestones]) == []
    assert picture.height < figure.WIDTH
    assert picture.description.count("Impact in 151 windows.") == 1
    assert picture.milestones[0].title == "Impact begins: 21 November 2026 03:00 UTC"
    assert len(picture.milestones) <= 45


# ---- for everybody -------------------------------------------------------------------------------


def test_readers_of_a_screen_hear_what_is_seen() -> None:
    root = drawing(postmortem_of(scenario("13")))
    (seen,) = root.findall(f"{SVG}g[@role='img']")
    assert seen.get("aria-labelledby") == root.find(f"{SVG}title").get("id")  # type: ignore[union-attr]
    assert seen.get("aria-describedby") == root.find(f"{SVG}desc").get("id")  # type: ignore[union-attr]
    assert seen.findall(f".//{SVG}a") == []  # an image has no parts: the links stand beside it
    assert root.findtext(f"{SVG}desc") == (
        "17 entries on a time axis, 12 March 2026 14:06 GMT to 30 March 2026 14:41 BST. "
        "Impact for 2 h 32 min, 30 March 2026 07:11 BST to 30 March 2026 09:43 BST (06:11–08:43 UTC). "
        "Detected 30 March 2026 08:56 BST. Resolved 30 March 2026 14:39 BST. "
        "Shapes: triangle detected (1), disc note (2), square action (6), plus mitigation (2), tick mitigated (1), "
        "flag resolved (1), speech bubble update (4)."
    )


def rules() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """The stylesheet for light and for dark paper: properties by class."""
    style = drawing(series(1).postmortem()).findtext(f"{SVG}style") or ""
    light, _, dark = style.partition("@media (prefers-color-scheme:dark){")
    found: list[dict[str, dict[str, str]]] = []
    for text in (light, light + dark):
        classes: dict[str, dict[str, str]] = {}
        for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
            said = dict(one.split(":", 1) for one in body.split(";"))
            for selector in selectors.split(","):
                classes.setdefault(selector.strip().removeprefix("."), {}).update(said)
        found.append(classes)
    return found[0], found[1]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 counts it."""

    def luminance(colour: str) -> float:
        full = colour[1:] if len(colour) == 7 else "".join(2 * sign for sign in colour[1:])
        parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_stands_out_from_the_paper(dark: bool) -> None:
    classes = rules()[dark]
    paper = classes["paper"]["fill"]
    assert classes["ground"]["fill"] == classes["hollow"]["fill"] == paper
    # Milestones write their times in their own colour, so that every colour must do for text.
    used = {shape.css for shape in (*figure.SHAPES.values(), figure.SEVERAL)} | {"ink", "over", "harm"}
    assert {css for css in used if contrast(classes[css]["color"], paper) < 4.5} == set()
    assert contrast(classes["a:focus .ground"]["stroke"], paper) >= 3
    assert classes["impact"]["stroke"] == "currentColor"  # the band is bounded by a line that stands out as well


def test_there_is_a_rule_for_each_class_and_no_style_beside_them() -> None:
    light, _ = rules()
    root = drawing(postmortem_of(scenario("01")))
    used = {name for element in root.iter() for name in element.get("class", "").split()}
    assert {name for name in used if name not in light and f"{name} .line" not in light} <= {"closed"}
    attributes = {name for element in root.iter() for name in element.keys()}  # noqa: SIM118 - an Element is no dict
    assert attributes & {"style", "fill", "stroke", "font-size", "onclick", "onload"} == set()


def test_nothing_visible_is_text_so_no_font_is_needed() -> None:
    root = drawing(postmortem_of(scenario("01")))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "desc", "style", "rect", "g", "path", "a",
    }  # fmt: skip


def test_the_png_is_opaque_and_twice_as_large() -> None:
    empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 2" width="3" height="2"/>'
    data = figure.png(empty)
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), data[24], data[25]) == (6, 4, 8, 6)
    begin = data.index(b"IDAT")
    pixels = zlib.decompress(data[begin + 4 : begin + 4 + int.from_bytes(data[begin - 4 : begin])])
    assert pixels[1:25] == b"\xff" * 4 + (b"\xff" * 20 if pixels[0] in (0, 2) else b"\0" * 20)  # as filtered


# ---- what people write ---------------------------------------------------------------------------


def test_words_cannot_break_the_picture() -> None:
    record = Record('</title><script>alert("1")</script> & \x00 \ufffe \ud800 \u202eabc\u200f ' + "x" * 4000)
    record.say(Kind.NOTE, "<b> & ]]> --> \x1b", at=3)
    text = figure.svg(record.postmortem(replace(OPTIONS, annex='a"b<c>#d.md')))
    root = ET.fromstring(text.encode())  # noqa: S314 - our own picture
    assert root.findall(f".//{SVG}script") == []
    assert (root.findtext(f"{SVG}title") or "").startswith('</title><script>alert("1")</script> & ␀')
    assert (root.findtext(f"{SVG}title") or "").endswith("x" * 4000)
    assert "\u202e" not in text
    assert links(root)[-1] == ("a%22b%3Cc%3E%23d.md#e2", "2 · 21 November 2026 03:03 UTC · Note: <b> & ]]> --> ␛")
    assert figure.png(text)[:4] == b"\x89PNG"


def test_of_a_long_entry_the_title_says_the_first_sentence() -> None:
    record = Record()
    record.say(Kind.NOTE, "The first sentence. " + "Word " * 50, at=3)
    (mark,) = figure.draw(record.postmortem()).marks
    assert mark.title == "2 · 21 November 2026 03:03 UTC · Note: The first sentence. …"


# ---- whatever happened ---------------------------------------------------------------------------

Made = Callable[[st.DrawFn], Record]


@st.composite
def incidents(draw: st.DrawFn) -> Record:
    """An incident of up to sixty entries; close together, far apart, or both."""
    near = st.integers(0, 90)
    far = st.integers(-200 * 1440, 60 * 1440)
    ats = sorted(draw(st.lists(st.one_of(near, near, near.map(lambda m: m * 40), far), max_size=60)))
    zone = draw(st.sampled_from(["UTC", "Europe/London", "Asia/Kathmandu", "-03:30"]))
    record = Record(zone=zone, severity=draw(st.sampled_from([None, 1, 5])), drill=draw(st.booleans()))
    for at in ats:
        kind = draw(st.sampled_from([*KINDS, Kind.SEVERITY, Kind.AGAIN]))
        more = {"severity": draw(st.integers(1, 5))} if kind is Kind.SEVERITY else {}
        record.say(kind, "text", at=at, approx=draw(st.booleans()), **more)
    if ats and draw(st.booleans()):
        record.say(Kind.RESOLUTION, at=max(*ats, 0) + draw(near))
    return record


@given(incidents())
@settings(max_examples=40, deadline=None)
def test_nothing_leaves_the_paper_and_nothing_written_overlaps(record: Record) -> None:
    picture = figure.draw(record.postmortem())
    boxes = written(picture)
    assert [b for b in boxes if b[0] < 0 or b[1] < 0 or b[2] > picture.width or b[3] > picture.height] == []
    assert overlapping(boxes) == []
    for mark in picture.marks:
        left, width, x, y = (float(value) for value in (mark.left, mark.width, mark.x, mark.y))
        assert 0 <= left <= x <= left + width <= picture.width
        assert float(picture.band) + 8 <= y - 9
        assert y + 9 <= float(picture.base)


@given(incidents())
@settings(max_examples=40, deadline=None)
def test_what_came_later_never_stands_further_left_and_breaks_hide_no_entry(record: Record) -> None:
    postmortem = record.postmortem()
    moments = sorted(e.at for e in postmortem.entries)
    axis = figure.axis(moments)
    places = [axis.x(at) for at in moments]
    assert places == sorted(places)
    for earlier, later in pairwise(axis.segments):
        assert later.x - (earlier.x + earlier.width) == pytest.approx(figure.BREAK)
        assert [at for at in moments if earlier.end < at < later.start] == []
    assert axis.segments[-1].x + axis.segments[-1].width == pytest.approx(figure.WIDTH - figure.SIDE)
    lanes = {kind: number for number, lane in enumerate(figure.LANES) for kind in lane}
    at_of = {e.number: e for e in postmortem.entries}
    drawn_in: dict[int, list[tuple[float, datetime]]] = {}
    for mark in figure.draw(postmortem).marks:
        entry = at_of[int(mark.href.rpartition("#e")[2])]
        drawn_in.setdefault(lanes[entry.kind], []).append((float(mark.x), entry.at))
    for marks in drawn_in.values():
        assert sorted(marks) == sorted(marks, key=lambda pair: (pair[1], pair[0]))


@given(incidents())
@settings(max_examples=15, deadline=None)
def test_every_entry_is_in_exactly_one_mark(record: Record) -> None:
    postmortem = record.postmortem()
    picture = figure.draw(postmortem)
    counts = [int(found[1]) if (found := re.match(r"(\d+) entries between", m.title)) else 1 for m in picture.marks]
    assert sum(counts) == sum(e.kind in HAPPENING for e in postmortem.entries)


@given(incidents())
@settings(max_examples=15, deadline=None)
def test_the_same_record_gives_the_same_bytes(record: Record) -> None:
    first, second = figure.svg(record.postmortem()), figure.svg(record.postmortem())
    assert first == second
    ET.fromstring(first)  # noqa: S314 - our own picture


def test_the_same_picture_gives_the_same_png() -> None:
    picture = figure.svg(postmortem_of(scenario("13")))
    assert figure.png(picture) == figure.png(picture)


def test_digits_are_drawn_with_strokes() -> None:
    assert figure.stroke("1", 10, 20, 8) == "M9 14L10.5 12L10.5 20"
    assert figure.stroke("", 10, 20) == ""
