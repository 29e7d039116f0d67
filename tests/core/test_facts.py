"""The contract of POSTMORTEM.md, row by row: known, open or not applicable, and what to type."""

from __future__ import annotations

import re
from datetime import date

import pytest

from bot.core import events as ev
from bot.core.events import Category, Kind, Source
from bot.core.facts import FACTS, GUIDING, Phase, State, gaps, meant, states
from bot.core.grammar import GAP_WORDS, find
from tests.core.builder import Record


def state(record: Record) -> dict[str, State]:
    return {s.fact.id: s.state for s in states(record.incident())}


def entries(record: Record, fact: str) -> tuple[int, ...]:
    return next(s.entries for s in states(record.incident()) if s.fact.id == fact)


def test_every_row_of_the_contract_has_its_fact() -> None:
    numbers = {int(re.sub(r"\D", "", fact.id)) for fact in FACTS}
    assert numbers == set(range(1, 29))
    assert len({fact.id for fact in FACTS}) == len(FACTS)


def test_every_word_of_the_verb_none_belongs_to_a_fact_and_every_fact_to_a_known_word() -> None:
    assert {fact.gap for fact in FACTS} - {""} == set(GAP_WORDS)


def test_every_line_begins_with_a_verb() -> None:
    assert [fact.line for fact in FACTS if fact.line and find(fact.line.split()[0]) is None] == []


def test_people_never_see_the_ids() -> None:
    assert [fact.id for fact in FACTS if re.search(r"\bS\d", fact.name + fact.line)] == []


def test_a_fresh_incident_knows_its_severity_and_little_else() -> None:
    known = {fact for fact, how in state(Record()).items() if how is State.KNOWN}
    assert known == {"S14", "S15", "S25", "S26"}


@pytest.mark.parametrize(
    ("kind", "more", "facts"),
    [
        (Kind.SERVICES, {"added": ("checkout",)}, {"S2a"}),
        (Kind.IMPACT, {}, {"S2b", "S20"}),
        (Kind.IMPACT, {"share": "34"}, {"S2b", "S2c", "S20"}),
        (Kind.CAUSE, {}, {"S3", "S10"}),
        (Kind.DETECTION, {}, {"S4"}),
        (Kind.DETECTION, {"source": Source.CUSTOMER}, {"S4", "S5"}),
        (Kind.ACTION, {}, {"S6a"}),
        (Kind.HYPOTHESIS, {}, {"S6b"}),
        (Kind.DEAD_END, {}, {"S7"}),
        (Kind.ESCALATION, {}, {"S8"}),
        (Kind.MITIGATED, {}, {"S9"}),
        (Kind.FIX, {}, {"S11"}),
        (Kind.IMPROVEMENT, {}, {"S12"}),
        (Kind.VERIFIED, {}, {"S16"}),
        (Kind.TAKEAWAY, {}, {"S17"}),
        (Kind.WRONG, {}, {"S17"}),
        (Kind.FACTOR, {}, {"S19"}),
        (Kind.ROLE, {"role": "commander", "person": "b"}, {"S22"}),
        (Kind.UPDATE, {}, {"S24"}),
        (Kind.LINK, {"url": "https://example.org"}, {"S28"}),
    ],
)
def test_an_entry_makes_its_fact_known_and_its_removal_opens_it_again(
    kind: Kind, more: dict[str, object], facts: set[str]
) -> None:
    record = Record()
    before = state(record)
    number = record.say(kind, "said", **more)
    told = {fact for fact, how in state(record).items() if how is not before[fact]}
    assert told == facts
    assert {entries(record, fact) for fact in facts} == {(number,)}
    record.mark(ev.Removed, entry=number)
    assert state(record) == before


def test_the_duration_is_known_once_it_is_resolved() -> None:
    record = Record()
    record.say(Kind.MITIGATED, at=10)
    assert state(record)["S1"] is State.OPEN
    record.say(Kind.RESOLUTION, at=20)
    assert (state(record)["S1"], entries(record, "S1")) == (State.KNOWN, (1, 2, 3))


def test_tasks_are_known_when_each_open_one_has_an_owner_and_a_date() -> None:
    record = Record()
    record.say(Kind.TASK, "one", owner="DBAs", due=date(2026, 12, 1), category=Category.PREVENT)
    record.say(Kind.TASK, "two")
    assert state(record)["S13"] is State.OPEN
    record.mark(ev.TaskDropped, task=2, text="not needed")
    assert (state(record)["S13"], entries(record, "S13")) == (State.KNOWN, (2, 3))


def test_what_does_not_apply_is_neither_open_nor_asked_for_until_it_is_recorded_after_all() -> None:
    record = Record()
    record.mark(ev.NotApplicable, gap="escalation")
    assert state(record)["S8"] is State.NOT_APPLICABLE
    assert "escalation" not in {gap.word for gap in gaps(record.incident())}
    record.say(Kind.ESCALATION, "help")
    assert state(record)["S8"] is State.KNOWN


def test_each_question_of_the_review_is_asked_until_it_is_answered() -> None:
    def asked() -> list[tuple[str, str]]:
        return [(gap.fact.name, gap.line) for gap in gaps(record.incident()) if gap.line.startswith("answer")]

    record = Record()
    assert asked() == [(f"R{n}: {text}", f"answer R{n} …") for n, text in enumerate(GUIDING, start=1)]
    record.say(Kind.ANSWER, "the deploy", question=1)
    assert [line for _, line in asked()] == [f"answer R{n} …" for n in range(2, 6)]
    assert state(record)["S18"] is State.OPEN
    for number in range(2, 6):
        record.say(Kind.ANSWER, "said", question=number)
    assert (asked(), state(record)["S18"], entries(record, "S18")) == ([], State.KNOWN, (2, 3, 4, 5, 6))


def test_a_word_of_none_names_each_fact_that_it_stands_for_and_that_is_not_known() -> None:
    record = Record()
    record.mark(ev.NotApplicable, gap="dead end")
    assert meant(record.incident(), "dead end") == ("What was assumed about the cause?", "Which paths misled?")
    record.say(Kind.HYPOTHESIS, "the pool")
    assert meant(record.incident(), "dead end") == ("Which paths misled?",)


def test_gaps_that_are_due_now_come_first_and_are_numbered() -> None:
    record = Record()
    found = gaps(record.incident())
    assert [gap.number for gap in found] == list(range(1, len(found) + 1))
    assert [gap.line for gap in found if gap.due] == [
        "services …",
        "impact …",
        "detected 14:05 by …",
        "action …",
        "lead @person",
    ]
    assert {gap.fact.phase for gap in found if gap.due} == {Phase.NOW}
    record.say(Kind.RESOLUTION)
    assert {gap.line for gap in gaps(record.incident()) if gap.due} > {"cause …", "fix …", "verified …"}


def test_a_gap_is_asked_for_once_with_the_line_that_fits() -> None:
    record = Record()
    record.say(Kind.DETECTION)
    record.say(Kind.TASK, "one", owner="DBAs")
    record.say(Kind.WELL, "good")
    lines = [gap.line for gap in gaps(record.incident())]
    assert len(lines) == len(set(lines))
    assert [line for line in lines if line.startswith("detected")] == ["detected by monitoring|engineer|customer …"]
    assert "todo T1 by Friday" in lines
    assert "wrong … · lucky …" in lines
