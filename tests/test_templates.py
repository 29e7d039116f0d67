"""The other shapes of the document: what they say, what customers may read, and templates of one's own."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import render
from bot.cli import cli
from bot.core import document
from bot.core import events as ev
from bot.core.document import SHAPES, TEMPLATES, Options, Postmortem, Shape
from bot.core.errors import Refusal, Undelivered
from bot.core.events import Kind
from bot.core.postmortem import compose
from bot.press import Order, Press
from bot.settings import TABLE
from bot.workspace import Answer
from bot.workspace.stage import SIGNING_SECRET, Stage
from tests.core.builder import NAMES, OPTIONS, SCENARIOS, Record, replayed, scenario
from tests.core.test_customers import INSIDE, SECRETS, TOKEN, told

ROOT = Path(__file__).resolve().parent.parent
INTERNAL = ("default", "eight", "sre", "executive")
READ_BY_EYE = ("01", "05", "07", "13", "20")
GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HEADINGS = {
    "eight": [
        "Incident summary", "Timeline", "Root cause", "Resolution and recovery",
        "Corrective and preventative measures", "Impact", "Lessons learned", "Action items",
    ],
    "sre": [
        "Summary", "Impact", "Root causes", "Trigger", "Resolution", "Detection", "Action items", "Lessons learned",
        "Timeline", "Supporting information",
    ],
    "executive": ["Summary", "Impact", "What we do next"],
}  # fmt: skip


def options(template: str, **more: Any) -> Options:
    shape = SHAPES.get(template, Shape())
    return replace(OPTIONS, template=template, limit=shape.limit, least=shape.least, **more)


def printed(record: Record, template: str, own: Path | None = None) -> tuple[Postmortem, str]:
    """The document as the press makes it, within its budget."""
    made = compose(record.incident(), NAMES, options(template), lambda p: render.words(render.document(p, own)))
    return made, render.document(made, own)


def scenario_in(path: Path, template: str) -> tuple[Postmortem, str]:
    record = Record()
    happened, names = replayed(path)
    record.happened = list(happened)
    files = {"document": f"{path.stem}.md", "annex": f"{path.stem}.timeline.md", "picture": f"{path.stem}.svg"}
    chosen = replace(options(template), **files)
    made = compose(record.incident(), names, chosen, lambda p: render.words(render.document(p)))
    return made, render.document(made)


def headings(text: str) -> list[str]:
    return re.findall(r"(?m)^## (.*)$", text)


# ---- what they say ---------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("number", READ_BY_EYE)
def test_documents_that_were_read_by_eye_stay_so(
    number: str, template: str, golden: Callable[[str, str], None]
) -> None:
    golden(f"templates/{number}-{template}.md", scenario_in(scenario(number), template)[1])


def test_the_version_for_customers_that_were_told_stays_as_it_was_read(golden: Callable[[str, str], None]) -> None:
    golden("templates/told-customer.md", printed(told(), "customer")[1])
    golden("templates/told-executive.md", printed(told(), "executive")[1])


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name[:2])
@pytest.mark.parametrize("template", ["eight", "sre", "executive"])
def test_every_scenario_has_its_parts_in_order_and_keeps_within_its_words(path: Path, template: str) -> None:
    made, text = scenario_in(path, template)
    assert headings(text) == HEADINGS[template]
    assert made.length.words == render.words(text) <= SHAPES[template].limit
    assert made.length.words >= SHAPES[template].least or made.length.fill


def test_the_executive_page_has_fewer_than_150_words() -> None:
    assert SHAPES["executive"].limit < 150


@pytest.mark.parametrize("template", INTERNAL)
def test_an_empty_record_says_of_everything_that_it_is_unknown(template: str) -> None:
    _, text = printed(Record(), template)
    if template != "default":
        assert headings(text) == HEADINGS[template]
    for heading, body in zip(headings(text), re.split(r"(?m)^## .*$", text)[1:], strict=True):
        assert body.strip(), heading
    assert "- **Share of users:** *unknown*" in text
    assert "- **Root cause:** *unknown*" in text
    assert "*not recorded*" in text


def long_record(words: int) -> Record:
    """Everything there is, in texts of so many words."""

    def text(name: str) -> str:
        return " ".join(f"{name}{n}" for n in range(words)) + "."

    record = Record()
    for kind in (
        Kind.SUMMARY, Kind.IMPACT, Kind.DETECTION, Kind.ACTION, Kind.CAUSE, Kind.FACTOR, Kind.FIX, Kind.VERIFIED,
        Kind.IMPROVEMENT, Kind.WELL, Kind.WRONG, Kind.LUCKY, Kind.TASK, Kind.TASK, Kind.TRIGGER, Kind.MITIGATED,
        Kind.RESOLUTION,
    ):  # fmt: skip
        record.say(kind, text(kind.value))
    return record


@pytest.mark.parametrize("words", [5, 15, 25, 40])
def test_the_executive_page_counts_what_does_not_fit(words: int) -> None:
    made, text = printed(long_record(words), "executive")
    assert made.length.words == render.words(text) < 150
    assert "summary0" in text
    assert "impact0" in text
    assert "task0" in text or re.search(r"2 action items: \[annex\]", text)


@pytest.mark.parametrize("template", INTERNAL)
def test_what_people_wrote_stands_in_its_place(template: str) -> None:
    record = long_record(5)
    record.mark(ev.SectionWritten, section="summary", text="In short: it broke.")
    record.mark(ev.SectionWritten, section="timeline", text="First this, then that.")
    record.mark(ev.SectionWritten, section="cause", text="It had no limit.")
    record.mark(ev.SectionWritten, section="measures", text="We will give it one.")
    record.mark(ev.SectionWritten, section="questions", text="Who knew?")
    late = record.say(Kind.SUMMARY, "newer than the text")
    _, text = printed(record, template)
    parts = dict(zip(headings(text), re.split(r"(?m)^## .*$", text)[1:], strict=True))
    places = {
        "default": ("Issue summary", "Timeline", "Root cause and resolution", "Corrective and preventative measures"),
        "eight": ("Incident summary", "Timeline", "Root cause", "Corrective and preventative measures"),
        "sre": ("Summary", "Timeline", "Root causes", "Action items"),
        "executive": ("Summary", "", "", "What we do next"),
    }[template]
    texts = ("In short: it broke.", "First this, then that.", "It had no limit.", "We will give it one.")
    for place, said in zip(places, texts, strict=True):
        assert said in parts[place] if place else said not in text
    assert ("Who knew?" in text) is (template != "executive")
    assert f'*Newer than this text:* [↗](0042-x.timeline.md#e{late} "entry {late}")' in parts[places[0]]
    for word in ("cause0", "fix0", "factor0", "wrong0", "improvement0", "task0", "impact0"):
        assert word not in text, f"{word} is told twice"


@pytest.mark.parametrize("template", TEMPLATES)
def test_recorded_text_becomes_neither_table_nor_html(template: str) -> None:
    hostile = "| a | b |\n|---|---|\n<b>bold</b> <script>alert(1)</script> [x](javascript:alert(1)) # no\n## heading"
    plain = "plain\nwords\nand\nmore"
    made: list[list[str]] = []
    for text in (hostile, plain):
        record = Record(text)
        for kind in (
            Kind.SUMMARY, Kind.IMPACT, Kind.ACTION, Kind.CAUSE, Kind.FACTOR, Kind.FIX, Kind.VERIFIED,
            Kind.IMPROVEMENT, Kind.WELL, Kind.WRONG, Kind.LUCKY, Kind.TRIGGER, Kind.MITIGATED, Kind.RESOLUTION,
        ):  # fmt: skip
            record.say(kind, text)
        record.say(Kind.IMPACT, text, seen_by_users=True)
        record.say(Kind.UPDATE, text, audience="customers")
        record.say(Kind.TASK, text, public=True, owner=text)
        record.mark(ev.Retitled, text=text, audience="customers")
        _, document = printed(record, template)
        tokens = GFM.parse(document)
        assert not {t.type for t in tokens} & {"table_open", "html_block"}
        assert not {c.type for t in tokens for c in t.children or ()} & {"html_inline"}
        made.append([t.type + t.tag for t in tokens])
    assert made[0] == made[1]


@pytest.mark.parametrize("template", ["eight", "sre", "executive"])
def test_evidence_leads_into_the_annex(template: str) -> None:
    made, text = scenario_in(scenario("01"), template)
    annex = render.timeline(made)
    targets = re.findall(r"01-gitlab-2017-database-deletion\.timeline\.md#(\w+)", text)
    assert len(targets) > 4
    for anchor in targets:
        assert f'<a id="{anchor}"></a>' in annex


def test_supporting_information_is_listed_up_to_five() -> None:
    record = Record()
    for number in range(7):
        record.say(Kind.LINK, f"graph {number}", url=f"https://example.org/{number}")
    _, text = printed(record, "sre")
    listed = text.split("## Supporting information")[1]
    assert "- graph 4 · https://example.org/4 [↗]" in listed
    assert "graph 5" not in listed
    assert "- *2 more: [annex](0042-x.timeline.md).*" in listed


# ---- customers -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=st.lists(st.tuples(st.sampled_from(INSIDE), st.integers(0, 50)), max_size=12))
def test_nothing_else_of_the_record_is_in_what_customers_read(said: list[tuple[Kind, int]]) -> None:
    record = Record(f"{TOKEN}title")
    for number, (kind, at) in enumerate(said):
        record.say(kind, f"{TOKEN}{number}", at=at, **SECRETS.get(kind, {}))
    record.say(Kind.IMPACT, "No payments.")
    order = Order(
        tuple((one.name, *ev.to_json(one)) for one in record.happened),
        {"a": f"{TOKEN}Ada", "b": f"{TOKEN}Ben"},
        options("customer", chain=f"{TOKEN}chain"),
        also=("csv",),
    )
    page = Press(inline=True).page(order)
    text = page.document.decode()
    assert TOKEN not in text
    assert "No payments." in text
    assert not re.search(r"#e\d|\]\(|!\[|\b[Uu]nknown|not recorded|SEV|INC-|cause|\bT\d", text)
    assert page.annex == page.json == page.svg == page.png == page.csv == b""


def test_the_template_for_customers_cannot_reach_the_rest(tmp_path: Path) -> None:
    (tmp_path / "customer.md.j2").write_text("{{ c.title | line }}\n{{ p.cause.text }}\n", encoding="utf-8")
    with pytest.raises(Refusal, match=r"customer\.md\.j2, line 2: 'p' is undefined\."):
        printed(Record(), "customer", tmp_path)


# ---- templates of one's own --------------------------------------------------------------------------


def test_own_templates_stand_beside_those_that_come_with_scribe(tmp_path: Path) -> None:
    for name in ("postmortem.md.j2", "sre.md.j2", "annex.md.j2", "parts.md.j2", "Capital.md.j2", "notes.txt", "x.j2"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert render.templates(tmp_path) == (*TEMPLATES, "postmortem")
    assert render.templates(None) == render.templates(tmp_path / "gone") == TEMPLATES


def test_what_is_changed_or_added_there_counts_at_once(tmp_path: Path) -> None:
    own = tmp_path / "short.md.j2"
    own.write_text("one {{ p.header.title | line }}\n", encoding="utf-8")
    assert printed(Record(), "short", tmp_path)[1] == "one Checkout returns errors\n"
    own.write_text("two, {{ p.header.title | line }}\n", encoding="utf-8")
    assert printed(Record(), "short", tmp_path)[1] == "two, Checkout returns errors\n"
    (tmp_path / "default.md.j2").write_text("mine\n", encoding="utf-8")
    assert printed(Record(), "default", tmp_path)[1] == "mine\n"
    (tmp_path / "default.md.j2").unlink()
    assert "## Issue summary" in printed(Record(), "default", tmp_path)[1]
    own.unlink()
    with pytest.raises(Refusal, match=r"There is no template “short”\. Templates: default, eight, "):
        printed(Record(), "short", tmp_path)


def test_an_own_template_may_use_the_pieces_of_ours(tmp_path: Path) -> None:
    (tmp_path / "brief.md.j2").write_text(
        '{% from "parts.md.j2" import header, timeline with context %}\n{{ header() }}\n\n{{ timeline() }}\n',
        encoding="utf-8",
    )
    text = printed(long_record(5), "brief", tmp_path)[1]
    head = "*SEV1 · draft, revision 1 · not reviewed · [annex: all 18 entries]"
    assert text.startswith(f"# Checkout returns errors\n\n{head}")
    assert "**Mitigated:** mitigated0 mitigated1" in text


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("# {{ p.header.title }}\n\n{{ p.sumary }}", "line 3: Postmortem has no 'sumary'; did you mean 'summary'?."),
        ("\n{{ sumary }}", "line 2: 'sumary' is undefined."),
        ("a\nb\n{% if p %}\n", "line 3: Unexpected end of template."),
        ("{{ p.header.title | markdown }}", "line 1: No filter named 'markdown'."),
        ("x\n{{ 1 / 0 }}", "line 2: division by zero."),
        ("{{ p.summary[99].text }}", "line 1: tuple object has no element 99."),
        ("{{ p.header.severity + 'x' }}", "line 1: unsupported operand type"),
        ("{% include 'nothing.md.j2' %}", "line 1: 'nothing.md.j2' not found in search path"),
        ("{% for n in range(999999) %}{{ n }}{% endfor %}", "line 1: Range too big."),
        ("{{ 10 ** 999999999 }}", "line 1: a power is at most 64."),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "line 1: maximum recursion depth exceeded"),
        ("{{ p.__class__.__mro__ }}", "line 1: access to attribute '__class__'"),
        ("{% set _ = p.all_tasks.append(1) %}", "line 1: 'tuple object' has no attribute 'append'."),
        ("{# nothing #}\n", ": it writes nothing."),
    ],
)
def test_what_is_wrong_with_an_own_template_is_said_with_its_line(tmp_path: Path, template: str, said: str) -> None:
    (tmp_path / "mine.md.j2").write_text(template, encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        printed(Record(), "mine", tmp_path)
    assert caught.value.message.startswith("mine.md.j2")
    assert said.rstrip(".") in caught.value.message, caught.value.message
    assert caught.value.hint == "Put it right in the folder that SCRIBE_TEMPLATES names."


def test_a_defect_in_a_template_of_ours_stays_a_defect(tmp_path: Path) -> None:
    broken = replace(Record().postmortem(), header=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="has no attribute 'title'") as caught:
        render.document(broken, tmp_path)
    assert not isinstance(caught.value, Refusal)


def test_an_own_template_that_writes_without_end_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "huge.md.j2").write_text("{% for n in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", encoding="utf-8")
    with pytest.raises(Refusal, match=r"huge\.md\.j2.*20,000,000 signs"):
        printed(Record(), "huge", tmp_path)


def order(own: Path, template: str, record: Record | None = None) -> Order:
    happened = (record or Record()).happened
    stored = tuple((one.name, *ev.to_json(one)) for one in happened)
    return Order(stored, NAMES, options(template), png=False, templates=str(own))


ENDLESS = "{% for a in range(99999) %}\n{% for b in range(99999) %}{% endfor %}{% endfor %}"


def test_an_endless_template_is_stopped_named_and_the_worker_prints_on(tmp_path: Path) -> None:
    (tmp_path / "endless.md.j2").write_text(ENDLESS, encoding="utf-8")
    (tmp_path / "greedy.md.j2").write_text("{{ 'x' * 99999999999 }}", encoding="utf-8")
    press = Press(seconds=3.0)
    try:
        worker = press.page(order(tmp_path, "default"))
        with pytest.raises(Refusal, match=r"endless\.md\.j2, line 2: it took longer than 3 seconds"):
            press.page(order(tmp_path, "endless"))
        with pytest.raises(Refusal, match=r"greedy\.md\.j2, line 1: MemoryError"):
            press.page(order(tmp_path, "greedy"))
        assert press.page(order(tmp_path, "default")) == worker
    finally:
        press.close()


def test_an_own_default_that_is_wrong_keeps_nobody_from_the_draft(tmp_path: Path) -> None:
    ours = Press(inline=True).page(order(tmp_path, "default"))
    for name in ("default.md.j2", "annex.md.j2", "parts.md.j2", "figure.svg.j2"):
        (tmp_path / name).write_text("{{ nonsense }}", encoding="utf-8")
        page = Press(inline=True).page(order(tmp_path, "default"))
        assert page.fault.startswith(name), name
        assert replace(page, fault="") == ours
        (tmp_path / name).unlink()
    assert ours.fault == ""


def test_a_document_that_takes_too_long_without_an_own_template_is_tried_again() -> None:
    record = Record()
    for number in range(3000):
        record.say(Kind.NOTE, f"note {number}")
    press = Press(seconds=0.2)
    try:
        with pytest.raises(Undelivered, match=r"could not be composed: it took longer than 0\.2 seconds") as caught:
            press.page(replace(order(ROOT, "default", record), templates=""))
        assert not caught.value.permanent
    finally:
        press.close()


# ---- asked for in Slack ------------------------------------------------------------------------------


class Room:
    """Ada and Ben in a channel with an incident."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.workspace = stage.workspace
        self.ada = self.workspace.add_user("ada", display_name="Ada Obi", tz="Europe/London")
        self.ben = self.workspace.add_user("ben", display_name="Ben Roe", tz="Europe/London")
        self.channel = self.workspace.add_channel("payments", members=[self.ada, self.ben], bot_in=True)
        self.type("start sev1 db1 is on fire since 02:50")
        self.type("impact Payments fail.")

    def type(self, line: str, by: Any = None) -> Answer:
        answer = self.workspace.command(by or self.ada, self.channel, line)
        assert answer.ok, answer.failure
        self.stage.pump()
        return answer

    def seen(self, by: Any = None) -> str:
        """What somebody alone has been shown."""
        messages = self.workspace.ephemerals(by or self.ada)
        return "\n".join(self.workspace.text(one) for one in messages)

    def files(self) -> list[tuple[str, str]]:
        """Names and contents of the files that are there, in order."""
        there = [one for one in self.workspace.files if not one.deleted]
        return [(one.name, (one.content or b"").decode(errors="replace")) for one in there]


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


def test_a_draft_in_another_form_is_shown_to_the_one_who_asked(room: Room) -> None:
    room.type("draft SRE", by=room.ben)
    assert "## Supporting information" in room.seen(room.ben)
    assert room.seen(room.ada) == ""


def test_an_export_in_another_form_has_a_name_of_its_own(room: Room) -> None:
    room.type("export md eight")
    room.type("export executive")
    (first, eight), (second, executive) = room.files()
    assert (first, second) == ("0001-db1-is-on-fire.eight.md", "0001-db1-is-on-fire.executive.md")
    assert "## Resolution and recovery" in eight
    assert "## What we do next" in executive


def test_a_form_that_is_not_there_is_refused_with_those_that_are(
    stage_with: Callable[..., Stage], tmp_path: Path
) -> None:
    (tmp_path / "house-style.md.j2").write_text("# {{ p.header.title | line }}\n\nOurs.\n", encoding="utf-8")
    room = Room(stage_with(templates=tmp_path))
    for line in ("draft nonsense", "export md nonsense", "draft ../../etc/passwd", "draft parts"):
        answer = room.type(line)
        assert "Templates: default, eight, sre, executive, customer, house-style." in room.workspace.text(answer)
    room.type("draft house-style")
    assert "Ours." in room.seen()


def test_a_wrong_template_is_said_to_the_one_who_asked_and_holds_nothing_up(
    stage_with: Callable[..., Stage], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mine.md.j2").write_text("a\n{{ p.sumary }}\n", encoding="utf-8")
    (tmp_path / "default.md.j2").write_text("{{ nonsense }}\n", encoding="utf-8")
    (tmp_path / "torn.md.j2").write_text("{% if %}\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING, "scribe"):
        room = Room(stage_with(templates=tmp_path))
        assert [one.getMessage() for one in caplog.records] == [
            "a template of your own cannot be used: torn.md.j2, line 1: Expected an expression, got 'end of statement "
            "block'."
        ]
        for line in ("draft mine", "export md mine"):
            room.type(line)
        assert room.seen().count("mine.md.j2, line 2: Postmortem has no 'sumary'; did you mean 'summary'?.") == 2
        room.type("resolve calm")
        room.stage.settle()
    posts = [one for one in room.workspace.messages(room.channel) if "Postmortem draft" in one.text]
    assert len(posts) == 1
    assert any("## Issue summary" in text for _, text in room.files())
    assert "default.md.j2, line 1: 'nonsense' is undefined. – INC-1 was printed through the template" in caplog.text


def test_an_edited_template_counts_for_the_next_document(stage_with: Callable[..., Stage], tmp_path: Path) -> None:
    own = tmp_path / "mine.md.j2"
    own.write_text("first\n", encoding="utf-8")
    room = Room(stage_with(templates=tmp_path))
    room.type("draft mine")
    own.write_text("second\n", encoding="utf-8")
    room.type("draft mine")
    assert [word in room.seen() for word in ("first", "second")] == [True, True]


# ---- what customers read: shown, approved, given away ----------------------------------------------


def test_customers_read_what_somebody_has_seen_and_approved(room: Room) -> None:
    refusal = room.workspace.text(room.type("export md customer"))
    assert "Nobody has approved what customers will read." in refusal
    assert room.files() == []
    room.type("title customers: Payments failed")
    room.type("todo @ben prevent: Cap the pool #public")
    room.type("cause the pool of db1")
    room.type("draft customer", by=room.ben)
    shown = room.seen(room.ben)
    assert "# Payments failed" in shown
    assert "- [ ] Cap the pool" in shown
    line = re.search(r"`/incident (approve customer \d+)`", shown)
    assert line is not None
    assert "db1" not in shown.replace("INC-1", "")
    answer = room.type(line[1], by=room.ben)
    assert answer.in_channel
    assert "Ben Roe approved what customers may read of INC-1" in room.workspace.text(answer)
    room.type("note nobody outside hears of this")
    room.type("export md customer")
    ((name, text),) = room.files()
    assert name == "0001-payments-failed.customer.md"
    assert text.startswith("# Payments failed\n\n*Status: still going on*\n")


def test_what_changes_for_customers_is_approved_again(room: Room) -> None:
    room.type("draft customer")
    room.type("approve customer 2")
    room.type("told customers: We are on it.")
    room.type("draft customer")
    assert "It is not what was approved" in room.seen()
    answer = room.workspace.text(room.type("export md customer"))
    assert "as it was approved" in answer
    assert ["We are on it." in text for _, text in room.files()] == [False]
    refusal = room.workspace.text(room.type("approve customer 2"))
    assert "What customers would read has changed since that was shown" in refusal
    line = re.findall(r"`/incident (approve customer \d+)`", room.seen())[-1]
    room.type(line)
    room.type("draft customer")
    assert "This is what was approved for customers" in room.seen()
    room.type("export md customer")
    assert ["We are on it." in text for _, text in room.files()] == [False, True]


def test_customers_get_no_other_format(room: Room) -> None:
    room.type("draft customer")
    room.type("approve customer 2")
    assert "Customers get no json" in room.workspace.text(room.type("export json customer"))
    assert room.files() == []


def test_what_was_handed_to_customers_is_taken_back_when_a_text_is_destroyed(room: Room) -> None:
    room.type("impact password hunter2 was shown")
    room.type("draft customer")
    room.type("approve customer 3")
    room.type("export md customer")
    assert ["hunter2" in text for _, text in room.files()] == [True]
    room.workspace.click(room.ada, room.type("redact 3"), "Destroy the text")
    room.stage.settle()
    assert room.files() == []
    room.type("export md customer")
    assert ["hunter2" in text for _, text in room.files()] == [False]


# ---- on the command line -----------------------------------------------------------------------------


STORY = """
title: The printer is on fire
timezone: Africa/Lagos
severity: sev3
started_at: 2026-02-01T09:00:00+01:00
resolved_at: 2026-02-01T09:30:00+01:00
impact:
  description: Nobody can print.
timeline:
- at: 2026-02-01T09:30:00+01:00
  kind: resolution
  text: It smokes no more.
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in an empty folder, with no settings but those given."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, **settings: object) -> Result:
        given = {row.name: None for row in TABLE} | {name: str(value) for name, value in settings.items()}
        return CliRunner().invoke(cli, list(arguments), env=given, catch_exceptions=False)

    return invoke


def test_a_replay_takes_any_form(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "short.md.j2").write_text("# {{ p.header.title | line }}\n", encoding="utf-8")
    (tmp_path / "story.yaml").write_text(STORY, encoding="utf-8")
    story = "story.yaml"
    result = run("replay", story, "--out", "here", "--template", "short", SCRIBE_TEMPLATES=tmp_path / "mine")
    assert (result.exit_code, Path(result.stdout.split()[-1]).read_text(encoding="utf-8")) == (
        0,
        "# The printer is on fire\n",
    )
    refused = run("replay", story, "--template", "short")
    assert (refused.exit_code, "Templates: default, eight, sre, executive, customer." in refused.stderr) == (2, True)
    (tmp_path / "mine" / "short.md.j2").write_text("{{ p.titel }}\n", encoding="utf-8")
    wrong = run("replay", story, "--template", "short", SCRIBE_TEMPLATES=tmp_path / "mine")
    assert (wrong.exit_code, "short.md.j2, line 1: Postmortem has no 'titel'" in wrong.stderr) == (2, True)


def test_an_export_for_customers_is_what_was_approved_or_refused(
    run: Callable[..., Result], room: Room, tmp_path: Path
) -> None:
    database = {"SCRIBE_DATABASE": room.stage.settings.database, "SCRIBE_SECRET": SIGNING_SECRET}
    refused = run("export", "1", "--template", "customer", "--out", "out", **database)
    assert (refused.exit_code, "Nobody has approved what customers will read of INC-1." in refused.stderr) == (2, True)
    everything = run("export", "--all", "--template", "customer", "--out", "out", **database)
    assert (everything.exit_code, everything.stdout) == (0, "")
    assert "Nobody has approved" in everything.stderr
    room.type("draft customer")
    room.type("approve customer 2")
    room.type("impact nor log in")
    result = run("export", "1", "--template", "customer", "--out", "out", **database)
    assert (result.exit_code, result.stdout) == (0, "out/0001-incident-of-21-november-2026.customer.md\n")
    assert [path.name for path in Path("out").iterdir()] == ["0001-incident-of-21-november-2026.customer.md"]
    assert "nor log in" not in Path(result.stdout.strip()).read_text(encoding="utf-8")
    result = run("export", "1", "--template", "customer", "--format", "json", **database)
    assert (result.exit_code, "Customers get no json" in result.stderr) == (2, True)


def test_an_export_in_another_form_leaves_the_default_alone(run: Callable[..., Result], room: Room) -> None:
    database = {"SCRIBE_DATABASE": room.stage.settings.database, "SCRIBE_SECRET": SIGNING_SECRET}
    run("export", "1", "--out", "out", **database)
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    result = run("export", "1", "--template", "sre", "--out", "out", **database)
    assert result.stdout == "out/0001-db1-is-on-fire.sre.md\n"
    assert {name: Path("out", name).read_bytes() for name in before} == before
    assert "](0001-db1-is-on-fire.sre.timeline.md" in Path(result.stdout.strip()).read_text(encoding="utf-8")


# ---- the documentation -------------------------------------------------------------------------------


def model() -> dict[str, type]:
    """The dataclasses that a template can reach."""
    found: dict[str, type] = {}

    def walk(hint: Any) -> None:
        for part in get_args(hint):
            walk(part)
        origin = hint if isinstance(hint, type) else getattr(hint, "__origin__", None)
        if isinstance(origin, type) and is_dataclass(origin) and origin.__name__ not in found:
            found[origin.__name__] = origin
            for one in get_type_hints(origin).values():
                walk(one)

    walk(Postmortem)
    walk(document.CustomerVersion)
    return found


def test_every_variable_of_the_model_is_documented_and_nothing_else() -> None:
    text = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    sections = re.split(r"(?m)^### `(\w+)`", text)
    documented: dict[str, dict[str, str]] = {}
    for name, body in zip(sections[1::2], sections[2::2], strict=True):
        rows = re.findall(r"(?m)^\| `(\w+)` \| `([^`]+)` \| (.+) \|$", body.split("\n## ")[0])
        assert all(meaning.strip() for _, _, meaning in rows)
        documented[name] = {field: kind.replace("\\|", "|") for field, kind, _ in rows}
    assert documented == {name: {f.name: str(f.type) for f in fields(cls)} for name, cls in model().items()}


def test_every_form_and_filter_is_documented() -> None:
    text = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    for name in (*TEMPLATES, *render.PIECES, "md", "line", "section", "href"):
        assert f"`{name}`" in text, name


def test_the_example_of_the_documentation_is_a_template_that_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```jinja\n(.*?)```", text, re.DOTALL)
    (tmp_path / "example.md.j2").write_text(example, encoding="utf-8")
    assert "## What happened" in printed(long_record(5), "example", tmp_path)[1]
