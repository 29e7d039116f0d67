"""What holds for every record: the same document from the same facts, and texts that stay texts whatever they hold."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import interchange, render
from bot.core import events as ev
from bot.core.document import TEMPLATES, Line, Options, Postmortem
from bot.core.events import Kind, Source
from bot.core.incident import fold
from bot.core.postmortem import compose
from bot.core.wording import LONG, readable, words
from bot.press import Order, Press
from tests.core.builder import NAMES, OPTIONS, SCENARIOS, Record, replayed

ROOT = Path(__file__).parent.parent

COMMONMARK = MarkdownIt("commonmark")
GITHUB = MarkdownIt("gfm-like")
READERS = {"commonmark": COMMONMARK, "github": GITHUB}

FEW = settings(max_examples=15, deadline=None)


# ---- the same record, the same document ----------------------------------------------------------

TELLING = (
    Kind.NOTE, Kind.DETECTION, Kind.ACK, Kind.ACTION, Kind.DECISION, Kind.ESCALATION, Kind.UPDATE, Kind.MITIGATION,
    Kind.MITIGATED, Kind.AGAIN, Kind.DEAD_END,
)  # fmt: skip
KNOWN = (
    Kind.SUMMARY, Kind.SERVICES, Kind.IMPACT, Kind.TRIGGER, Kind.CAUSE, Kind.FACTOR, Kind.FIX, Kind.VERIFIED,
    Kind.IMPROVEMENT, Kind.TASK, Kind.WELL, Kind.WRONG, Kind.LUCKY, Kind.TAKEAWAY, Kind.LINK,
)  # fmt: skip
SAYING = ("the pool is full", "restarted it", "5xx above 20 %. Nobody knows why.", "ruled out the deploy", "x")
MORE: dict[Kind, dict[str, Any]] = {
    Kind.DETECTION: {"source": Source.MONITORING},
    Kind.ESCALATION: {"target": "the DBAs"},
    Kind.UPDATE: {"audience": "customers"},
    Kind.SERVICES: {"added": ("checkout", "orders")},
    Kind.IMPACT: {"share": "34"},
    Kind.LINK: {"url": "https://example.org/1"},
}

said = st.tuples(st.sampled_from((*TELLING, *KNOWN)), st.integers(-30, 200), st.sampled_from(SAYING))
records = st.lists(said, max_size=14)


def record_of(lines: Sequence[tuple[Kind, int, str]], resolved: bool = True) -> Record:
    record = Record(onset=-10)
    for kind, minute, text in lines:
        record.say(kind, text, at=minute, by="abc"[minute % 3], **MORE.get(kind, {}))
    if resolved:
        record.say(Kind.RESOLUTION, "graphs are flat", at=201)
    return record


def count(draft: Postmortem) -> int:
    return render.words(render.document(draft))


def document(record: Record) -> str:
    return render.document(compose(record.incident(), NAMES, OPTIONS, count))


@FEW
@given(records, st.booleans())
def test_a_document_is_a_function_of_the_record(lines: list[tuple[Kind, int, str]], resolved: bool) -> None:
    one, two = (compose(record_of(lines, resolved).incident(), dict(NAMES), OPTIONS, count) for _ in range(2))
    assert one == two
    assert render.document(one) == render.document(two)
    assert render.timeline(one) == render.timeline(two)


PRINT = """
import hashlib, json, sys
from bot.core.document import Options
from bot.press import Order, Press
press = Press(inline=True)
for line in sys.stdin:
    events, names = json.loads(line)
    order = Order(tuple(tuple(one) for one in events), names, Options(), png=False, also=("csv",))
    page = press.page(order)
    for made in (page.document, page.annex, page.json, page.svg, page.csv):
        print(hashlib.sha256(made).hexdigest())
"""


@pytest.mark.parametrize("seed", ["1", "2718281828"])
def test_another_process_with_another_order_of_sets_makes_the_same_bytes(seed: str) -> None:
    chosen = [path for path in SCENARIOS if path.name[:2] in {"01", "07", "20"}]
    lines = []
    for path in chosen:
        happened, names = replayed(path)
        lines.append(json.dumps([[(one.name, *ev.to_json(one)) for one in happened], names]))
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.split() == [digest for path in chosen for digest in digests(path)]


@cache
def digests(path: Path) -> list[str]:
    happened, names = replayed(path)
    stored = tuple((one.name, *ev.to_json(one)) for one in happened)
    page = Press(inline=True).page(Order(stored, names, Options(), png=False, also=("csv",)))
    return [hashlib.sha256(one).hexdigest() for one in (page.document, page.annex, page.json, page.svg, page.csv)]


@FEW
@given(
    st.lists(st.tuples(st.sampled_from(TELLING), st.sampled_from(SAYING)), max_size=10),
    st.lists(st.sampled_from(SAYING), max_size=3),
    st.randoms(use_true_random=False),
)
def test_the_order_in_which_facts_arrive_does_not_change_the_timeline(
    told: list[tuple[Kind, str]], guessed: list[str], chance: Any
) -> None:
    """Minutes are distinct: within a minute the told order is the order of the timeline."""
    lines = [(kind, minute, text) for minute, (kind, text) in enumerate(told, start=1)]
    guesses = [(Kind.HYPOTHESIS, 100 + minute, text) for minute, text in enumerate(guessed)]
    arrived, first = list(lines), list(guesses)
    chance.shuffle(arrived)
    chance.shuffle(first)
    orders = (guesses + lines, first + arrived)
    one, two = (compose(record_of(order).incident(), NAMES, OPTIONS).timeline for order in orders)
    assert [(p.name, p.day, [without_number(line) for line in p.lines]) for p in one.phases] == [
        (p.name, p.day, [without_number(line) for line in p.lines]) for p in two.phases
    ]
    assert replace(one, phases=(), question=None) == replace(two, phases=(), question=None)


def without_number(line: Line) -> Line:
    return replace(line, entry=0, about=None)


MARKS: tuple[tuple[type[ev.Event], dict[str, Any]], ...] = (
    (ev.EffectSeen, {"entry": 2, "worked": False}),
    (ev.HypothesisConfirmed, {"entry": 3}),
    (ev.Starred, {"entry": 3, "on": True}),
    (ev.TextCorrected, {"entry": 2, "text": "something else"}),
    (ev.KindCorrected, {"entry": 2, "to": Kind.DECISION}),
    (ev.TimeCorrected, {"entry": 2, "at": Record().happened[0].recorded_at, "approx": True}),
    (ev.Removed, {"entry": 3, "text": "twice"}),
    (ev.TaskChanged, {"task": 1, "owner": "@ben", "person": "b", "text": "another task"}),
    (ev.TaskDone, {"task": 1, "at": Record().happened[0].recorded_at}),
    (ev.TaskDropped, {"task": 1, "text": "not worth it"}),
    (ev.Retitled, {"text": "Something else"}),
    (ev.OnsetSet, {"at": Record().happened[0].recorded_at}),
    (ev.ZoneSet, {"zone": "Asia/Tokyo"}),
    (ev.NotApplicable, {"gap": "share"}),
    (ev.SectionWritten, {"section": "cause", "text": "by hand"}),
)


@FEW
@given(records, st.one_of(st.sampled_from(MARKS), said))
def test_undo_gives_the_document_back_and_the_annex_shows_what_was_undone(
    lines: list[tuple[Kind, int, str]], act: Any
) -> None:
    def begun() -> Record:
        record = Record()
        record.say(Kind.ACTION, "restarted it", at=1)
        record.say(Kind.HYPOTHESIS, "the pool", at=2)
        record.say(Kind.TASK, "limit the pool", at=3)
        for kind, minute, text in lines:
            record.say(kind, text, at=minute, **MORE.get(kind, {}))
        return record

    before, after = begun(), begun()
    if isinstance(act[0], Kind):
        kind, minute, _ = act
        after.say(kind, "unique-words", at=minute, **MORE.get(kind, {}))
    else:
        after.mark(act[0], **act[1])
    done = len(after.happened)
    after.mark(ev.Undone, seq=done)
    assert document(after) == document(before)
    annex = render.timeline(compose(after.incident(), NAMES, OPTIONS, count))
    assert "taken back" in annex
    assert ("unique-words" in annex) == isinstance(act[0], Kind)


# ---- texts stay texts ----------------------------------------------------------------------------

HOSTILE = (
    "<!channel> <@U1> <https://example.org|click> <!subteam^S1>",
    "\u202eevil\u202c \u2066iso\u2069 \u200f\u200eمرحبا שלום",
    "null\x00 bell\x07 esc\x1b[31m del\x7f \x85 \ud800",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "a | b\n- | -\n1 | 2",
    "```sh\nrm -rf /\n```\nafter",
    "~~~\n# open fence",
    "    indented",
    "<script>alert(1)</script><!-- <details open><summary>",
    "</li></ul><h1>Title</h1> <!DOCTYPE x> <?php ?> <![CDATA[",
    "Title\n=====\nSub\n---",
    "# one\n## two ##\n###### six",
    "text[^1]\n\n[^1]: a footnote",
    "[ref]: https://example.org 'title'\n[ref] [x] [ref][ref] ![ref]",
    "- [x] done\n- [ ] open\n1. one\n2) two\n+ plus\n* star\n> quote",
    "[x] done",
    "www.example.org example.com mailto:a@b.cc a@b.cc https://example.org/a_b_(c)?d=1&e=2#f, ftp://x.y",
    "&amp; &#35; &#x3c;b&#x3e; &copy &nbsp;",
    "$x^2$ costs $5 and $$\\int$$ $`y`$",
    "*a* _b_ **c** __d__ ~~e~~ ***f*** `g` ``h`` \\* \\\\",
    "[a](javascript:alert(1)) ![b](data:text/html,c) <javascript:d>",
    "{{ 7*7 }} {% raw %} {# no #} ${x} %s %(y)s",
    "ends with a backslash\\",
    "ends with two spaces  \nand goes on\\\nand on",
    "a\n\n\n\nb\n \n\tc",
    ":tada: :-) @here @channel #general #12 T1 R2 !5 GH-1 a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
    "=HYPERLINK(\"https://example.org\")",
    "\ufeff\u200b\u00ad\u2028\u2029 zero width",
)  # fmt: skip

LONGEST = (
    "a" * 4000,
    "[" * 2000 + "]" * 2000,
    "*" * 1999 + " " + "_" * 2000,
    "# <b> `code` [x](y) | " * 180,
    "> " * 2000,
    "&lt;" * 1000,
)  # fmt: skip

SIGNS = [
    *"*_`~[]()<>#+-.!|&$^\\ :=/\n\t\"'0aA{}@;",
    *("```", "](", "<!--", "</", "http://a.bc", "- [x] ", "\u202e", "\x00"),
]
texts = st.lists(st.one_of(st.sampled_from(SIGNS), st.characters()), max_size=30).map("".join)


def every_place(*texts: str) -> Record:
    """A record that holds a text wherever a person can put one; several texts take turns."""
    turns = itertools.cycle(texts)

    def text() -> str:
        return next(turns)

    record = Record(text())
    hypothesis = record.say(Kind.HYPOTHESIS, text(), at=1)
    record.say(Kind.DEAD_END, text(), at=2, hypothesis=hypothesis)
    for minute, kind in enumerate((Kind.NOTE, Kind.ACTION, Kind.DECISION, Kind.MITIGATION, Kind.ACK), start=3):
        record.say(kind, text(), at=minute)
    record.say(Kind.DETECTION, text(), at=8, source=Source.ENGINEER)
    record.say(Kind.ESCALATION, text(), at=9, target=text())
    record.say(Kind.UPDATE, text(), at=10, audience=text())
    record.say(Kind.MITIGATED, text(), at=11)
    record.say(Kind.RESOLUTION, text(), at=12)
    for kind in (Kind.SUMMARY, Kind.IMPACT, Kind.CAUSE, Kind.FACTOR, Kind.FIX, Kind.VERIFIED, Kind.WELL, Kind.WRONG):
        record.say(kind, text())
    for kind in (Kind.IMPROVEMENT, Kind.LUCKY, Kind.TAKEAWAY, Kind.QUESTION):
        record.say(kind, text())
    record.say(Kind.IMPACT, text(), seen_by_users=True)
    record.say(Kind.SERVICES, text(), added=(text(), "b"))
    record.say(Kind.TASK, text(), owner=text(), due=date(2026, 12, 1))
    record.say(Kind.TASK, text(), public=True)
    record.say(Kind.TASK, text())
    record.say(Kind.ANSWER, text(), question=1)
    record.say(Kind.LINK, text(), url=text())
    record.say(Kind.ROLE, role="commander", person="", who=text())
    record.mark(ev.TaskDone, task=2, at=record.happened[0].recorded_at)
    record.mark(ev.TaskDropped, task=3, text=text())
    record.mark(ev.TextCorrected, entry=4, text=text())
    record.mark(ev.Removed, entry=5, text=text())
    record.mark(ev.Retitled, text=text())
    record.mark(ev.Retitled, text=text(), audience="customers")
    return record


def shape(markdown: str, reader: MarkdownIt) -> list[tuple[str, str, str]]:
    """The structure of a document, without what its texts say; an address in a text is text, linked or not."""
    found: list[tuple[str, str, str]] = []
    for block in reader.parse(markdown):
        found.append((block.type, block.tag, ""))
        written = 0
        for token in block.children or ():
            if token.markup in ("autolink", "linkify"):
                written += token.nesting
            elif token.type not in ("text", "softbreak", "hardbreak") and not written:
                found.append((token.type, token.tag, str(token.attrGet("href") or token.attrGet("src") or "")))
    return found


def seen(markdown: str) -> str:
    """The words that a reader sees, with single spaces."""
    parts: list[str] = []
    for block in COMMONMARK.parse(markdown):
        for token in block.children or ():
            parts.append(" " if token.type in ("softbreak", "hardbreak") else token.content)
        parts.append(" ")
    return flat("".join(parts))


def flat(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())


Shapes = tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]


@cache
def quiet(template: str, reader: str, count: int) -> Shapes:
    """The shapes of document and annex of a record that holds so many harmless texts."""
    document, annex = printed(template, *(f"quiet{number}" for number in range(count)))
    return shape(document, READERS[reader]), shape(annex, READERS[reader])


def printed(template: str, *texts: str) -> tuple[str, str]:
    postmortem = every_place(*texts).postmortem(replace(OPTIONS, template=template))
    return render.document(postmortem), render.timeline(postmortem)


def check(template: str, *texts: str) -> str:
    """Gives what is read in the document."""
    document, annex = printed(template, *texts)
    for name, reader in READERS.items():
        assert (shape(document, reader), shape(annex, reader)) == quiet(template, name, len(texts))
    read = seen(annex)
    assert [text for text in texts if flat(readable(text)) not in read] == []
    return seen(document)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_a_hostile_text_is_read_as_it_was_recorded_and_changes_nothing_else(text: str) -> None:
    assert words(text) <= LONG
    assert flat(readable(text)) in check("default", text)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("first", [0, len(HOSTILE) // 2])
def test_hostile_texts_change_no_form_of_the_document(template: str, first: int) -> None:
    check(template, *HOSTILE[first:], *HOSTILE[:first])


@pytest.mark.parametrize("template", TEMPLATES)
@settings(max_examples=8, deadline=None)
@given(text=texts)
@example(text="a\u3000*b*")
def test_any_text_is_read_as_it_was_recorded_and_changes_nothing_else(text: str, template: str) -> None:
    assume(words(text) <= LONG and flat(readable(text)))
    check(template, text)


@pytest.mark.parametrize("text", LONGEST, ids=lambda text: repr(text[:20]))
def test_a_text_of_four_thousand_signs_is_read_as_it_was_recorded_and_changes_nothing_else(text: str) -> None:
    def told(said: str) -> tuple[str, str]:
        record = Record()
        for kind in (Kind.NOTE, Kind.CAUSE):
            record.say(kind, said, at=1)
        postmortem = record.postmortem()
        return render.document(postmortem), render.timeline(postmortem)

    harmless = told("quiet " * 3 * LONG if words(text) > LONG else "quiet")
    for made, wanted in zip(told(text), harmless, strict=True):
        for reader in READERS.values():
            assert shape(made, reader) == shape(wanted, reader)
    assert flat(readable(text)) in seen(told(text)[1])


@FEW
@given(texts)
def test_any_text_at_all_can_be_exported_in_every_format(text: str) -> None:
    record = every_place(text)
    stored = tuple((one.name, *ev.to_json(one)) for one in record.happened)
    page = Press(inline=True).page(Order(stored, {"a": text}, OPTIONS, png=False, also=("csv",)))
    recorded = text.encode("utf-8", "replace").decode()
    assert {one["text"] for one in json.loads(page.json)["entries"] if one["kind"] != "role"} == {recorded}
    table = list(csv.DictReader(io.StringIO(page.csv.decode("utf-8-sig"), newline=""), strict=True))
    assert {interchange.recorded(row["text"]) for row in table if row["kind"] != "role"} == {recorded}


# ---- sections that people write ------------------------------------------------------------------

SECTIONS = ("summary", "timeline", "cause", "measures", "questions")

MARKDOWN = (
    "# Why\n\n## Really\n\n### Yes",
    "Title\n===\n\nSub\n---",
    "> # quoted\n> ## too",
    ">===\n>a\n>===\n>b\n>---",
    "- # in a list\n  ## too\n\n1. a\n   ===",
    "```\nopen fence\n## inside",
    "~~~~\n```\n~~~\n# inside",
    "``` a`b\n# not in a fence",
    "- ```\n  fence in a list\n# after",
    "> ```\n# after",
    "\\`<b>bold</b>` ``<i>` <u>",
    "<!-- comment\n\n## gone?",
    "<script>\n\nalert(1)\n\n",
    "<details>\n\n",
    "`a\n<b>`c",
    "a <https://example.org> <a@b.cc> 1 < 2 > 3",
    "[x]: https://example.org\n[X]: y\n\n[x]",
    "[\nx\n]: https://example.org",
    "> [x]: https://example.org",
    "- [ x ]: <y> 'z'",
    "[↗]: https://example.org\n[… more]: y",
    "| a | b |\n|---|---|\n| # 1 | <b> |",
    "a | b\n--|--",
    "[^1]: note\n\na[^1]",
    "*open _open **open [open](",
    "    code\n\n    # code",
    "`a|<b>` | c\n--|--\n`<i>|</i>` | d",
    "1. one\n\n\n   two\n- [x] task\n\t- deep\n\t\t# deeper",
    "$$\n\\int",
    "---\n***\n___\n===",
    "text\n    ===",
    "a\\\n===\n\\# no\n\\\n---",
    "{{ 7*7 }} {% endraw %}",
    "\u202eevil\x00",
    "a\n-\nb\n=\n",
    "* * *\n- - -",
    "-\n  # a\n+\n\n  # b",
    "&lt;b&gt; &#35; x",
)  # fmt: skip

LINES = (
    "# a", "## b", "### c", "===", "---", "- ", "> ", "1. ", "    ", "\t", "```", "~~~", "`", "``", "<b>", "</p>",
    "<!--",
    "[x]", "[x]:", " y", "\n", "\n\n", "a", "\\", "|", "* ", "<", ">", "#", "=", "-", "[", "]", "x", ":", "&", "$",
)  # fmt: skip
written = st.lists(st.sampled_from(LINES), max_size=14).map("".join)


def parts(markdown: str, reader: MarkdownIt) -> dict[str, list[tuple[str, str, str, str]]]:
    """What stands below each heading of a part: the blocks with their text."""
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    tokens = reader.parse(markdown)
    name = ""
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag in ("h1", "h2"):
            assert token.level == 0
            name = tokens[place + 1].content
            assert name not in found
        inner = " ".join(f"{t.type}{t.attrGet('href') or ''}" for t in token.children or ())
        found.setdefault(name, []).append((token.type, token.tag, token.content, inner))
    return found


def told_by_hand(section: str, text: str) -> str:
    record = Record()
    for kind in (Kind.NOTE, Kind.CAUSE, Kind.TASK, Kind.TASK, Kind.QUESTION):
        record.say(kind, "quiet", at=1)
    record.mark(ev.TaskDone, task=1, at=record.happened[0].recorded_at)
    record.mark(ev.SectionWritten, section=section, text=text)
    for kind in (Kind.NOTE, Kind.CAUSE, Kind.IMPROVEMENT, Kind.QUESTION):
        record.say(kind, "later", at=13)
    return render.document(record.postmortem())


PARTS = {
    "summary": "Issue summary",
    "timeline": "Timeline",
    "cause": "Root cause and resolution",
    "measures": "Corrective and preventative measures",
    "questions": "Open questions",
}


@cache
def told_quietly(section: str, reader: str) -> dict[str, list[tuple[str, str, str, str]]]:
    return parts(told_by_hand(section, "quiet"), READERS[reader])


def check_section(section: str, text: str) -> None:
    document = told_by_hand(section, text)
    for name, reader in READERS.items():
        around, wanted = parts(document, reader), dict(told_quietly(section, name))
        inside = around.pop(PARTS[section])
        wanted.pop(PARTS[section])
        assert around == wanted
        assert [one for one in inside if "html" in one[0] or "html" in one[3]] == []
        assert [one for one in inside if one[0] == "heading_open" and one[1] in ("h1", "h2")][1:] == []


@pytest.mark.parametrize("text", MARKDOWN, ids=lambda text: repr(text[:20]))
def test_a_section_written_by_hand_stays_in_its_place(text: str) -> None:
    for section in SECTIONS:
        check_section(section, text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SECTIONS), written)
def test_no_section_written_by_hand_leaves_its_place(section: str, text: str) -> None:
    assume(text.strip())
    check_section(section, text)


# ---- scenarios -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem[:12])
def test_every_text_of_a_scenario_stands_unchanged_in_annex_json_and_csv(path: Path) -> None:
    happened, names = replayed(path)
    incident = fold(happened, 1)
    postmortem = compose(incident, names, OPTIONS, count)
    wanted = [entry.text for entry in incident.entries.values() if entry.text]
    assert len(wanted) > 15
    annex = seen(render.timeline(postmortem))
    assert [text for text in wanted if flat(text) not in annex] == []
    whole = json.loads(interchange.as_json(postmortem, incident, names, 0))
    assert {one["entry"]: one["text"] for one in whole["entries"]} == {
        entry.number: entry.text for entry in incident.entries.values()
    }
    table = csv.DictReader(io.StringIO(interchange.as_csv(postmortem, incident)[1:], newline=""), strict=True)
    assert {int(row["entry"]): interchange.recorded(row["text"]) for row in table} == {
        entry.number: entry.text for entry in incident.entries.values()
    }
