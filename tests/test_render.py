"""How documents read: the structure that templates give, and recorded text that comes out as it went in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import render
from bot.core import events as ev
from bot.core.document import Options, Postmortem
from bot.core.errors import Refusal
from bot.core.events import Kind, Source
from bot.core.wording import readable
from tests.core.builder import OPTIONS, SCENARIOS, Record, postmortem_of, scenario

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HOSTILE = [
    "# heading",
    "### heading ###",
    "- item",
    "* item",
    "+ item",
    "1. item",
    "23) item",
    "> quote",
    "---",
    "===",
    "***",
    "- - -",
    "a\n---",
    "a\n===",
    "a\n:-",
    "a | b\n--- | ---",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "```\ncode",
    "~~~",
    "    indented",
    "*emphasis* **strong** _em_ __strong__ ~~gone~~ `code`",
    "*open",
    "closed* and **",
    "a * b * c",
    "2 ** 3",
    "_private __dunder__ snake_case_name pg_basebackup *.out",
    "[link](javascript:alert(1))",
    "![image](http://x/y.png)",
    "[ref]: http://x",
    "[ ] not a task",
    "[x]",
    "<script>alert(1)</script>",
    "<!-- comment",
    "<b>bold</b> a < b > c",
    "<https://example.org>",
    "HTTP://[] http://XN--a.B/%41_",
    "https://example.org/a_b?x=1&y=2#z",
    "https://example.org/~user/*.log, and http://x.example/[1].",
    "see https://example.org/a_(b)_. Then",
    "&amp; &copy; &#35; AT&T a&b;",
    "back\\slash \\* \\\\ \\",
    "costs $5 and $6, $x$",
    "~300 of ~4 ~ 5~",
    "two  \nlines",
    "trailing backslash\\\nnext",
    "tab\tand\u00a0space",
    "\u202eevil\u202c \u2066iso\u2069",
    "null\x00 bell\x07 esc\x1b",
    "line\u2028separator\u2029paragraph\x85next",
    "emoji 🙈 مرحبا שלום हिन्दी ₹40,600",
    "{{ 7*7 }} {% raw %} ${x}",
    "a#b # c #",
    "#12 and T3",
    "1986. A great year",
    "-1 is less",
    "\ud800 lone",
    ":tada: ::: :-",
    "a\n: definition",
    "^1] [^1]",
    "\\",
    "`",
    "``` `` `",
    "*",
    "_",
    "**a*b_c**",
    "x\n\n\ny",
]


def seen(markdown: str) -> str:
    """What is read after rendering: the plain text of all inline content."""
    said = []
    for block in GFM.parse(markdown):
        if block.type == "inline":
            parts = ["\n" if t.type in ("softbreak", "hardbreak") else t.content for t in block.children or ()]
            said.append("".join(parts))
        elif block.content:
            said.append(block.content)
    return "\n".join(said)


def shape(markdown: str) -> list[tuple[str, str, str]]:
    """The structure of a document: its tokens without what a text says; addresses that stand in a text are text."""
    found: list[tuple[str, str, str]] = []
    for block in GFM.parse(markdown):
        found.append((block.type, block.tag, str(block.attrGet("href") or "")))
        written = 0
        for token in block.children or ():
            if token.markup == "autolink":
                written += token.nesting
            elif token.type in ("text", "softbreak", "hardbreak") or written:
                pass
            else:
                found.append((token.type, token.tag, str(token.attrGet("href") or token.attrGet("src") or "")))
    return found


def normal(text: str) -> str:
    text = re.sub(r"[ \u00a0]+", " ", readable(text))
    return text.encode("utf-8", "replace").decode()


def unfolded(text: str) -> str:
    return re.sub(r"[ \u00a0]+", " ", "\n".join(line.strip() for line in text.split("\n")))


def check_text(text: str) -> None:
    for written in (
        f"- **Impact:** {render.markdown(text)} [↗](a#e1)",
        f"- {render.markdown(text)}",
        f"1. {render.markdown(text)}",
    ):
        plain = "- **Impact:** x [↗](a#e1)" if written.startswith("- **Impact:** ") else f"{written[:2].strip()} x"
        if normal(text):
            assert shape(written) == shape(plain), written
        if normal(text).strip():
            assert normal(text) in unfolded(seen(written)), written
    line = render.one_line(text)
    assert "\n" not in line
    if normal(text).strip():
        assert unfolded(seen(f"# {line}")) == " ".join(normal(text).split("\n")).strip(), line


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_reads_as_it_was_recorded_and_changes_nothing_around_it(text: str) -> None:
    check_text(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.one_of(st.sampled_from(list("*_`~[]()<>#+-.!|&$\\ :=/\n\"'0aA")), st.characters()), max_size=40))
@example("a\u3000*b*")
def test_any_text_reads_as_it_was_recorded_and_changes_nothing_around_it(text: str) -> None:
    check_text(text)


def every_text(postmortem: Postmortem) -> set[str]:
    return {entry.text for entry in postmortem.entries if entry.text}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem[:12])
def test_every_text_of_a_scenario_stands_unaltered_in_document_or_annex(path: Path) -> None:
    postmortem = postmortem_of(path)
    document, annex = unfolded(seen(render.document(postmortem))), unfolded(seen(render.timeline(postmortem)))
    assert {text for text in every_text(postmortem) if normal(text) not in annex} == set()
    shown = {line.text for phase in postmortem.timeline.phases for line in phase.lines}
    shown |= {s.text for s in (*postmortem.summary, postmortem.cause, postmortem.fix, *postmortem.factors.items)}
    shown |= {s.text for s in (*postmortem.lessons.items, *postmortem.improvements.items)}
    shown |= {task.text for task in postmortem.all_tasks}
    assert {text for text in shown if normal(text) not in document} == set()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem[:12])
def test_a_document_has_its_four_parts_one_title_no_html_no_tables_and_links_that_lead_somewhere(path: Path) -> None:
    postmortem = postmortem_of(path)
    document, annex = render.document(postmortem), render.timeline(postmortem)
    tokens = GFM.parse(document)
    headings = [
        (token.tag, tokens[place + 1].content) for place, token in enumerate(tokens) if token.type == "heading_open"
    ]
    assert headings == [
        ("h1", postmortem.header.title),
        ("h2", "Issue summary"),
        ("h2", "Timeline"),
        ("h2", "Root cause and resolution"),
        ("h2", "Corrective and preventative measures"),
        ("h3", "Action items"),
        ("h3", "Lessons learned"),
        ("h2", "Open questions"),
    ]
    kinds = {token.type for token in tokens} | {c.type for token in tokens for c in token.children or ()}
    assert {kind for kind in kinds if "html" in kind or "table" in kind or "code" in kind} == set()
    anchors = set(re.findall(r'<a id="([^"]+)"></a>', annex))
    to_annex = set(re.findall(rf"{re.escape(postmortem.options.annex)}#(\w+)", document))
    assert to_annex - anchors == set()
    assert set(re.findall(r"\]\(#(\w+)", annex)) - anchors == set()
    assert {f"e{entry.number}" for entry in postmortem.entries} <= anchors
    asked = {int(n) for n in re.findall(r"question (\d+)\]\(#open-questions\)", document)}
    assert asked <= {int(n) for n in re.findall(r"^(\d)\. ", document, re.MULTILINE)}


def test_everything_hostile_at_once_leaves_the_structure_of_the_document_alone() -> None:
    def document(text: str, annex: bool) -> list[tuple[str, str, str]]:
        record = Record(text)
        hypothesis = record.say(Kind.HYPOTHESIS, text, at=1)
        for kind in (Kind.NOTE, Kind.SUMMARY, Kind.IMPACT, Kind.CAUSE, Kind.FACTOR, Kind.FIX, Kind.VERIFIED, Kind.WELL):
            record.say(kind, text)
        for kind in (Kind.IMPROVEMENT, Kind.WRONG, Kind.LUCKY, Kind.TAKEAWAY, Kind.QUESTION):
            record.say(kind, text)
        record.say(Kind.DEAD_END, text, hypothesis=hypothesis)
        record.say(Kind.ESCALATION, text, target=text)
        record.say(Kind.UPDATE, text, audience=text)
        record.say(Kind.SERVICES, text, added=(text, "b"))
        record.say(Kind.TASK, text, owner=text, due=date(2026, 12, 1))
        record.say(Kind.TASK, text)
        record.say(Kind.ANSWER, text, question=1)
        record.say(Kind.LINK, text, url=text)
        record.say(Kind.ROLE, role="commander", person="", who=text)
        record.mark(ev.TaskDropped, task=2, text=text)
        record.mark(ev.Removed, entry=3, text=text)
        record.mark(ev.TextCorrected, entry=4, text=text)
        made = replace(record.postmortem(), options=OPTIONS)
        return shape(render.timeline(made) if annex else render.document(made))

    quiet = {annex: document("quiet", annex) for annex in (False, True)}
    for text in HOSTILE:
        if normal(text).strip():
            assert document(text, False) == quiet[False], text
            assert document(text, True) == quiet[True], text


# ---- what the document looks like ----------------------------------------------------------------


def test_a_small_incident_reads_like_this() -> None:
    record = Record("Checkout returns errors", zone="Europe/London", onset=-13)
    record.say(Kind.DETECTION, "5xx above 20 %", at=-5, source=Source.MONITORING)
    deploy = record.say(Kind.HYPOTHESIS, "deploy 4711", at=6)
    record.say(Kind.DEAD_END, "rollback changed nothing", at=13, hypothesis=deploy)
    record.say(Kind.ESCALATION, "all connections are taken", at=14, person="b", target="@ben")
    record.say(Kind.IMPACT, "34% of customers cannot pay", share="34")
    record.say(Kind.MITIGATED, "pool halved", at=52)
    record.say(Kind.RESOLUTION, "graphs flat for an hour", at=115)
    record.say(Kind.CAUSE, "The pool of orders-db was full. It has no limit.")
    record.say(Kind.TASK, "limit the pool", person="b", owner="@ben", due=date(2026, 12, 1))
    assert render.document(record.postmortem()) == SMALL


SMALL = """\
# Checkout returns errors

*SEV1 · draft, revision 1 · not reviewed · [annex: all 10 entries](0042-x.timeline.md)*

![The incident on a time axis](0042-x.svg)

## Issue summary

- **Duration:** 2 h 8 min, 21 November 2026 02:47 GMT to 21 November 2026 04:55 GMT. Users \
were affected for 1 h 5 min, until 03:52 GMT.
- **Affected:** *unknown* ([question 1](#open-questions))
- **Impact:** 34% of customers cannot pay [↗](0042-x.timeline.md#e6 "entry 6")
- **Share of users:** 34 % [↗](0042-x.timeline.md#e6 "entry 6")
- **Found by:** monitoring at 02:55 GMT, 8 min after the start. [↗](0042-x.timeline.md#e2 "entry 2")
- **Root cause:** The pool of orders-db was full. [↗](0042-x.timeline.md#e9 "entry 9")
- **Takeaway:** *unknown* ([question 5](#open-questions))

## Timeline

Times in Europe/London, GMT.

**Discovery · 21 November 2026**

- **[02:55](0042-x.timeline.md#e2)** – Detected by monitoring: 5xx above 20 % *Impact began at 02:47.*

**Investigation**

- **[03:06](0042-x.timeline.md#e3)** – Hypothesis 3: deploy 4711 *Ruled out.*
- **[03:13](0042-x.timeline.md#e4)** – ✗ Dead end (hypothesis [3, 03:06](0042-x.timeline.md#e3)): \
rollback changed nothing
- **[03:14](0042-x.timeline.md#e5)** – Escalated to Ben: all connections are taken

**Resolution**

- **[03:52](0042-x.timeline.md#e7)** – **Mitigated:** pool halved *Impact ends.*
- **[04:55](0042-x.timeline.md#e8)** – **Resolved:** graphs flat for an hour

*Not recorded: actions, messages ([question 4](#open-questions)).*

## Root cause and resolution

**Cause.** The pool of orders-db was full. It has no limit. [↗](0042-x.timeline.md#e9 "entry 9")

**Contributing factors:** *not recorded* ([question 6](0042-x.timeline.md#q6))

**Workaround.** See [03:52 GMT](0042-x.timeline.md#e7) in the timeline.

**Fix:** *unknown* ([question 2](#open-questions))

**Confirmed:** *not recorded* ([question 3](#open-questions))

## Corrective and preventative measures

Improvements: *not recorded* ([question 7](0042-x.timeline.md#q7))

### Action items

- [ ] **T1** limit the pool · Ben · due 1 December 2026

### Lessons learned

- **Went well:** *not recorded* ([question 5](#open-questions))
- **Went badly:** *not recorded* ([question 5](#open-questions))
- **Lucky:** *not recorded* ([question 5](#open-questions))

## Open questions

1. Which services were affected? Ask Ada.
2. What will keep it from coming back? Ask Ada.
3. How was the resolution confirmed? [Entry 8](0042-x.timeline.md#e8) may say.
4. What was told to whom?
5. What went well, badly and by luck?

*2 more, and 5 for the review: [annex](0042-x.timeline.md#questions).*
"""


def test_a_section_written_by_hand_replaces_the_composed_one_and_stays_within_its_part() -> None:
    record = Record()
    record.mark(ev.SectionWritten, section="cause", text="# Why\n\nIt *was* the <b>pool</b>.\n\n```\nopen <fence>")
    document = render.document(record.postmortem())
    part = document.split("## Root cause and resolution\n\n")[1].split("\n## Corrective")[0]
    signed, part = part.split("\n\n", 1)
    assert signed == "*Written by Ada, 21 November 2026 03:02 UTC.*"
    assert part == "### Why\n\nIt *was* the \\<b>pool\\</b>.\n\n```\nopen <fence>\n```\n"
    record.mark(ev.Published, upto=2)
    assert "Written by" not in render.document(record.postmortem())


def test_what_a_dead_end_ruled_out_is_named_in_the_annex() -> None:
    record = Record()
    wrong = record.say(Kind.HYPOTHESIS, "the *deploy*\n4711", at=2)
    record.say(Kind.DEAD_END, at=9, hypothesis=wrong)
    postmortem = record.postmortem()
    assert f"· **Dead end.** · [hypothesis {wrong}](#e{wrong}): the \\*deploy\\* 4711\n" in render.timeline(postmortem)
    assert f"✗ Dead end (hypothesis [{wrong}, 03:02](0042-x.timeline.md#e{wrong})).\n" in render.document(postmortem)


def test_a_document_that_is_only_looked_at_has_no_revision() -> None:
    postmortem = Record().postmortem(replace(OPTIONS, revision=0))
    assert "· draft, as it stands · not reviewed ·" in render.document(postmortem)
    assert "· draft, as it stands · times in UTC*" in render.timeline(postmortem)


def test_entries_that_a_section_leaves_out_are_linked_by_number_in_the_notes_for_reviewers() -> None:
    record = Record()
    record.say(Kind.CAUSE, "the pool")
    record.say(Kind.FIX, "a cap")
    record.mark(ev.SectionWritten, section="cause", text="It broke.")
    assert "- section cause: its words do not show these: [2](#e2) [3](#e3)\n" in render.timeline(record.postmortem())


def test_an_entry_of_several_lines_keeps_them() -> None:
    record = Record()
    record.say(Kind.NOTE, "begin", at=0)
    record.say(Kind.NOTE, "first\n# second\n- third", at=1)
    assert "– Note: first  \n  \\# second  \n  \\- third\n" in render.document(record.postmortem())


def test_words_are_counted_as_a_reader_sees_them() -> None:
    document = (
        '# One two\n\n![picture words](x.svg)\n\n- [x] **T1** three [↗](a.md#e1 "entry 1")\n- ✗ four – five · *six*\n'
    )
    assert render.words(document) == 7


def test_the_annex_says_who_said_what_when_and_what_became_of_it() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "CPU at 80 %", at=1, author="b", said_in="C1/1700000000.000100")
    record.mark(ev.TextCorrected, entry=note, text="CPU at 90 %")
    record.mark(ev.Removed, entry=note, text="wrong graph")
    annex = render.timeline(record.postmortem())
    assert annex.split("## Entries\n\n")[1].split("\n## ")[0] == (
        '- <a id="e1"></a>**1** · 21 November 2026 03:00 UTC · **Started:** Checkout returns errors\n'
        "  *Ada, recorded 21 November 2026 03:01 UTC*\n\n"
        '- <a id="e2"></a>**2** · 21 November 2026 03:01 UTC · **Note:** CPU at 90 % · *removed* (wrong graph)\n'
        "  *Ben, recorded by Ada 21 November 2026 03:02 UTC, from Slack message C1/1700000000.000100*\n"
        "\n"
        "  - recorded as note of 21 November 2026 03:01 UTC: CPU at 80 % · *Ben, 21 November 2026 03:02 UTC*\n"
        "  - text corrected: CPU at 90 % · *Ada, 21 November 2026 03:03 UTC*\n"
        "  - removed: wrong graph · *Ada, 21 November 2026 03:04 UTC*\n"
    )
    assert "Head of the chain: `c0ffee`" in annex


# ---- templates, sameness -------------------------------------------------------------------------


def test_a_lone_surrogate_can_be_written_to_a_file() -> None:
    record = Record()
    record.say(Kind.NOTE, "half a pair: \ud83d")
    postmortem = record.postmortem()
    for text in (render.document(postmortem), render.timeline(postmortem)):
        assert text.encode()


def test_the_same_record_gives_the_same_bytes() -> None:
    assert render.document(postmortem_of(scenario("01"))) == render.document(postmortem_of(scenario("01")))


def test_a_template_of_ones_own_goes_before_those_that_come_with_scribe(tmp_path: Path) -> None:
    (tmp_path / "short.md.j2").write_text("{{ p.header.title | line }}\n", encoding="utf-8")
    record = Record("A *star*")
    assert render.document(record.postmortem(Options(template="short")), tmp_path) == "A \\*star\\*\n"


def test_a_template_cannot_reach_out_of_its_sandbox_and_names_what_it_misses(tmp_path: Path) -> None:
    (tmp_path / "bad.md.j2").write_text("{{ p.header.__class__.__mro__ }}", encoding="utf-8")
    (tmp_path / "typo.md.j2").write_text("{{ p.headr }}", encoding="utf-8")
    postmortem = Record().postmortem()
    with pytest.raises(Refusal, match=r"bad\.md\.j2, line 1: .*unsafe"):
        render.document(replace(postmortem, options=Options(template="bad")), tmp_path)
    with pytest.raises(Refusal, match=r"typo\.md\.j2, line 1: Postmortem has no 'headr'; did you mean 'header'\?"):
        render.document(replace(postmortem, options=Options(template="typo")), tmp_path)
