"""The picture: well-formed, the same everywhere, marks in order and on the paper, for a minute as for two months."""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot import figure
from bot.core import events as ev
from bot.core.document import Postmortem
from bot.core.events import Kind
from bot.core.facts import HAPPENING
from tests.core.builder import SCENARIOS, Record, postmortem_of, scenario

SVG = "{http://www.w3.org/2000/svg}"


def drawing(postmortem: Postmortem) -> ET.Element:
    return ET.fromstring(figure.svg(postmortem))  # noqa: S314 - our own picture


def titles(root: ET.Element) -> list[str]:
    return [title.text or "" for title in root.iter(f"{SVG}title")]


def coordinates(root: ET.Element) -> list[float]:
    return [
        float(value)
        for path in root.iter(f"{SVG}path")
        for value in re.findall(r"[MLH ](-?\d+(?:\.\d+)?)", path.get("d", "").replace("M", " M"))
        if path.get("transform") is None
    ]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem[:12])
def test_every_entry_that_happened_is_a_mark_with_its_words(path: Path) -> None:
    postmortem = postmortem_of(path)
    root = drawing(postmortem)
    happened = [e for e in postmortem.entries if e.kind in HAPPENING]
    said = titles(root)
    assert said[0] == postmortem.header.title
    marks = [title for title in said if re.match(r"\d+ · ", title)]
    assert sorted(marks) == sorted(
        f"{e.number} · {e.when} · {e.label}{': ' if e.text else ''}{e.text}" for e in happened
    )
    assert len(root.findall(f"{SVG}rect[@class='impact']")) == len(postmortem.windows)
    width = float(root.get("width", "0"))
    assert {x for x in coordinates(root) if not -1 <= x <= max(width, float(root.get("height", "0")))} == set()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem[:12])
def test_no_two_marks_cover_each_other(path: Path) -> None:
    marks = figure.draw(postmortem_of(path)).marks
    places = [(float(mark.y), float(mark.x)) for mark in marks]
    rows = {y: sorted(x for other, x in places if other == y) for y, _ in places}
    assert min(b - a for row in rows.values() for a, b in pairwise([-100.0, *row])) >= 25.9


@pytest.mark.parametrize("minutes", [0, 1, 45, 300, 1440, 10 * 1440, 60 * 1440])
def test_the_axis_serves_a_minute_and_two_months(minutes: int) -> None:
    record = Record()
    for part in range(5):
        record.say(Kind.NOTE, f"part {part}", at=minutes * part / 4)
    record.say(Kind.RESOLUTION, at=minutes)
    picture = figure.draw(record.postmortem())
    assert 1 <= len(picture.ticks) <= 14
    places = [float(tick[0]) for tick in picture.ticks]
    assert places == sorted(places)
    assert len(picture.days) >= 1


def test_a_long_gap_becomes_a_break_and_order_is_kept() -> None:
    start = datetime(2026, 11, 21, tzinfo=UTC)
    moments = [start + timedelta(minutes=m) for m in (0, 10, 20, 30 * 1440, 30 * 1440 + 5, 30 * 1440 + 30)]
    axis = figure.axis(moments)
    assert [(s.start, s.end) for s in axis.segments] == [(moments[0], moments[2]), (moments[3], moments[5])]
    assert [axis.x(at) for at in moments] == sorted(axis.x(at) for at in moments)
    assert axis.x(start + timedelta(days=3)) == axis.x(moments[2])
    assert (axis.x(moments[0]), axis.x(moments[-1])) == (figure.SIDE, figure.WIDTH - figure.SIDE)


def test_impact_that_still_goes_on_reaches_the_edge() -> None:
    record = Record()
    record.say(Kind.NOTE, "errors", at=30)
    root = drawing(record.postmortem())
    (band,) = root.findall(f"{SVG}rect[@class='impact-open']")
    assert float(band.get("x", "")) + float(band.get("width", "")) == figure.WIDTH - figure.SIDE / 2


def test_removed_entries_are_not_drawn_and_an_empty_record_still_gives_a_picture() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "wrong", at=3)
    record.mark(ev.Removed, entry=note)
    root = drawing(record.postmortem())
    assert [title for title in titles(root) if title.startswith("2 ")] == []
    assert figure.png(figure.svg(record.postmortem()))[:8] == b"\x89PNG\r\n\x1a\n"


def test_words_cannot_break_the_picture() -> None:
    record = Record('</title><script>alert("1")</script> & \x00 \ufffe \ud800')
    record.say(Kind.NOTE, "<b> & ]]> --> \x1b", at=3)
    root = drawing(record.postmortem())
    assert root.findall(f".//{SVG}script") == []
    assert titles(root)[0].startswith('</title><script>alert("1")</script> & ␀')
    figure.svg(record.postmortem()).encode()


def test_nothing_visible_is_text_so_no_font_is_needed() -> None:
    root = drawing(postmortem_of(scenario("01")))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "desc", "style", "rect", "g", "path",
    }  # fmt: skip


def test_the_same_record_gives_the_same_picture_to_the_byte() -> None:
    first, second = (figure.svg(postmortem_of(scenario("13"))) for _ in range(2))
    assert first == second
    assert hashlib.sha256(figure.png(first)).digest() == hashlib.sha256(figure.png(second)).digest()


def test_digits_are_drawn_with_strokes() -> None:
    assert figure.stroke("1", 10, 20, 8) == "M9 14L10.5 12V20"
    assert figure.stroke("", 10, 20) == ""
