"""The word budget: at most 600 words whatever was recorded, what weighs most first, nothing passed over in silence."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import render
from bot.core import events as ev
from bot.core.document import Options, Postmortem
from bot.core.events import Kind
from bot.core.postmortem import compose
from tests.core.builder import NAMES, OPTIONS, Record

WORD = st.text(string.ascii_lowercase, min_size=2, max_size=9)


def count(draft: Postmortem) -> int:
    return render.words(render.document(draft))


def made(record: Record, options: Options = OPTIONS) -> tuple[Postmortem, str]:
    postmortem = compose(record.incident(), NAMES, options, count)
    return postmortem, render.document(postmortem)


def sentence(words: int, start: str = "word") -> str:
    return " ".join(f"{start}{number}" for number in range(words))


def lines(document: str) -> list[int]:
    """The entries in the timeline of a document."""
    return [int(found) for found in re.findall(r"(?m)^- \*\*\[[^\]]*\]\([^)]*#e(\d+)\)\*\*", document)]


def long_incident(notes: int, words: int = 12) -> Record:
    record = Record()
    record.say(Kind.DETECTION, "the alert fired")
    for number in range(notes):
        record.say(Kind.NOTE, sentence(words, f"n{number}x"))
    record.say(Kind.MITIGATED, "errors are gone")
    record.say(Kind.RESOLUTION, "calm for an hour")
    return record


def test_what_fits_stands_there_whole() -> None:
    postmortem, document = made(long_incident(5))
    assert postmortem.timeline.more == 0
    assert postmortem.length.words == count(postmortem) < 600
    assert "more" not in document.replace("for the review", "").split("## Open questions")[0]


@pytest.mark.parametrize("notes", [30, 60, 300, 1000])
def test_what_does_not_fit_is_counted(notes: int) -> None:
    postmortem, document = made(long_incident(notes))
    assert 540 < postmortem.length.words <= 600
    shown = lines(document)
    assert postmortem.timeline.more == notes + 3 - len(shown)
    assert f"*{postmortem.timeline.more} more: [annex]" in document
    assert {2, notes + 3, notes + 4} <= set(shown), "detection, mitigation and resolution"


def test_entries_of_little_weight_go_first() -> None:
    record = Record()
    record.say(Kind.DETECTION, "the alert fired")
    heavy = []
    for number in range(25):
        for kind in (Kind.NOTE, Kind.ACTION, Kind.DEAD_END, Kind.DECISION):
            entry = record.say(kind, sentence(10, f"x{number}"))
            if kind in (Kind.DEAD_END, Kind.DECISION):
                heavy.append(entry)
    record.say(Kind.RESOLUTION, "calm for an hour")
    postmortem, document = made(record)
    kinds = {line.kind for phase in postmortem.timeline.phases for line in phase.lines}
    assert Kind.NOTE not in kinds
    assert Kind.DEAD_END in kinds
    left_out = 25 - sum(line.kind is Kind.DEAD_END for phase in postmortem.timeline.phases for line in phase.lines)
    of_them = f", {left_out} of them dead ends" if left_out else ""
    assert f"{postmortem.timeline.more} more{of_them}: [annex]" in document


def test_the_last_hypothesis_dead_end_and_action_before_a_milestone_stay() -> None:
    record = Record()
    record.say(Kind.DETECTION, "the alert fired")
    for number in range(20):
        record.say(Kind.HYPOTHESIS, sentence(11, f"h{number}x"))
        record.say(Kind.DEAD_END, sentence(11, f"d{number}x"))
        record.say(Kind.ACTION, sentence(11, f"a{number}x"))
    led = {record.entries - 2, record.entries - 1, record.entries}
    record.say(Kind.MITIGATED, "errors are gone")
    record.say(Kind.RESOLUTION, "calm for an hour")
    _, document = made(record)
    assert led <= set(lines(document))


def test_a_star_keeps_an_entry_and_its_end_lets_it_go() -> None:
    record = long_incident(200)
    _, document = made(record)
    hidden = next(number for number in range(150, 200) if number not in lines(document))
    record.mark(ev.Starred, entry=hidden, on=True)
    _, document = made(record)
    assert hidden in lines(document)
    record.mark(ev.Starred, entry=hidden, on=False)
    _, document = made(record)
    assert hidden not in lines(document)


def test_long_lists_are_capped_with_a_count() -> None:
    record = long_incident(60)
    for number in range(30):
        record.say(
            Kind.TASK, sentence(9, f"t{number}x"), category=ev.Category.PREVENT if number else ev.Category.DETECT
        )
        record.say(Kind.FACTOR, sentence(9, f"f{number}x"))
        record.say(Kind.WELL, sentence(9, f"w{number}x"))
        record.say(Kind.LUCKY, sentence(9, f"l{number}x"))
        record.say(Kind.IMPROVEMENT, sentence(9, f"i{number}x"))
        record.say(Kind.IMPACT, sentence(9, f"p{number}x"))
        record.say(Kind.VERIFIED, sentence(9, f"v{number}x"))
    postmortem, document = made(record)
    assert postmortem.length.words <= 600
    assert not postmortem.length.over
    for listed, total in (
        (postmortem.factors, 30),
        (postmortem.improvements, 30),
        (postmortem.actions.tasks, 30),
        (postmortem.confirmed, 30),
    ):
        assert 1 <= len(listed.items) <= 5
        assert len(listed.items) + listed.more == total
    assert {task.number for task in postmortem.actions.tasks.items} >= {1, 2}, "one of each category first"
    labels = [one.label for one in postmortem.lessons.items if one.said]
    assert labels == ["Went well", "Lucky"], "one a kind"
    assert re.search(r"- \*\*Impact:\*\* \*\d+ more: \[annex\]", document)


def test_one_text_of_four_thousand_characters_prints_its_first_sentence() -> None:
    record = long_incident(3)
    record.say(Kind.CAUSE, "The pool was empty. It " + sentence(650))
    postmortem, document = made(record)
    assert postmortem.length.words <= 600
    assert "The pool was empty." in document
    assert "See the root cause above. [… more]" in document


def test_a_text_that_was_pasted_and_has_no_sentence_is_cut_after_forty_words() -> None:
    record = long_incident(3)
    entry = record.say(Kind.IMPACT, sentence(650))
    record.say(Kind.MITIGATED, sentence(650, "log"))
    postmortem, document = made(record)
    assert postmortem.length.words <= 600
    assert f"{sentence(40)} … [… more](0042-x.timeline.md#e{entry})" in document
    assert f"{sentence(40, 'log')} … [… more]" in document


def test_texts_of_forty_words_are_never_cut() -> None:
    record = long_incident(300)
    texts = [sentence(38, "f."), sentence(38, "c."), sentence(38, "i.")]
    for kind, text in zip((Kind.FIX, Kind.CAUSE, Kind.IMPACT), texts, strict=True):
        record.say(kind, f"First. {text}")
    _, document = made(record)
    assert all(text in document for text in texts)


def test_what_a_person_wrote_is_not_touched_and_the_document_says_that_it_is_over() -> None:
    record = long_incident(300)
    mine = sentence(700, "mine")
    record.mark(ev.SectionWritten, section="summary", text=mine)
    postmortem, document = made(record)
    assert mine in document
    assert postmortem.length.over
    assert "More than 600 words: what people wrote is never shortened." in document


def test_a_short_document_says_what_would_fill_it() -> None:
    record = Record()
    record.say(Kind.RESOLUTION, "calm")
    postmortem, document = made(record)
    assert postmortem.length.words == count(postmortem) < 400
    assert postmortem.length.fill == (
        "services", "impact", "share", "cause", "detection",
        "dead end", "escalation", "fix", "confirmation", "messages",
    )  # fmt: skip
    assert (
        "*Fewer than 400 words: services, impact, share, cause, detection, dead end and 4 more would fill it.*"
    ) in document


def test_only_what_can_be_known_by_now_would_fill_a_document_and_nothing_a_drill() -> None:
    record = Record()
    assert set(made(record)[0].length.fill) == {"services", "impact", "detection"}
    postmortem, document = made(Record(drill=True))
    assert (postmortem.length.fill, "Fewer than" in document) == ((), False)


def test_another_limit_holds_as_well() -> None:
    postmortem, _ = made(long_incident(100), Options(**{**vars_of(OPTIONS), "limit": 450}))
    assert postmortem.length.words <= 450


def vars_of(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in Options.__dataclass_fields__}


KINDS = (
    Kind.NOTE, Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.DECISION, Kind.ESCALATION, Kind.UPDATE,
    Kind.MITIGATION, Kind.MITIGATED, Kind.AGAIN, Kind.IMPACT, Kind.CAUSE, Kind.FACTOR, Kind.FIX, Kind.VERIFIED,
    Kind.IMPROVEMENT, Kind.TASK, Kind.WELL, Kind.WRONG, Kind.LUCKY, Kind.TRIGGER, Kind.DETECTION, Kind.SUMMARY,
    Kind.TAKEAWAY,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 39)), min_size=1, max_size=120))
def test_any_record_of_ordinary_lines_fits_and_every_row_keeps_a_statement(said: list[tuple[Kind, int]]) -> None:
    record = Record()
    for number, (kind, words) in enumerate(said):
        record.say(kind, sentence(words, f"{kind.value[:2]}{number}x"))
    record.say(Kind.RESOLUTION, "calm for an hour")
    postmortem, document = made(record)
    assert postmortem.length.words == count(postmortem)
    every = [line.kind for phase in postmortem.timeline.phases for line in phase.lines]
    shown = set(every)
    if postmortem.length.words > 600:  # what is left is the least: a statement for each row, none of them long
        assert postmortem.length.over
        assert {kind: every.count(kind) for kind in shown if kind is not Kind.MITIGATED} == dict.fromkeys(
            shown - {Kind.MITIGATED}, 1
        )
        assert not re.search(r"\*\*Cause\.\*\* (?!See the root cause above)", document)
        for listed in (postmortem.factors, postmortem.improvements, postmortem.confirmed, postmortem.actions.tasks):
            assert len(listed.items) <= 1
    told = {kind for kind, _ in said}
    for kind in (Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.ESCALATION, Kind.UPDATE, Kind.DETECTION):
        assert kind not in told or kind in shown, kind
    for kind, listed in ((Kind.FACTOR, postmortem.factors), (Kind.IMPROVEMENT, postmortem.improvements)):
        assert kind not in told or listed.items
    assert Kind.TASK not in told or postmortem.actions.tasks.items
    incident = record.incident()
    over = incident.windows()[-1].end
    assert over is not None
    triggers = [e for e in incident.live(Kind.TRIGGER) if e.at < over]  # later ones say what, but not when
    happened = [e for e in incident.live() if e.kind in TIMELINE - {Kind.TRIGGER}]
    assert postmortem.timeline.more + len(lines(document)) == len(happened) + len(triggers)
    assert Kind.TRIGGER not in told or postmortem.trigger is not None


TIMELINE = frozenset(
    {
        Kind.NOTE, Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.DECISION, Kind.ESCALATION, Kind.UPDATE,
        Kind.MITIGATION, Kind.MITIGATED, Kind.AGAIN, Kind.DETECTION, Kind.RESOLUTION, Kind.TRIGGER,
    }
)  # fmt: skip
