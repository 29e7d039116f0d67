"""What a plain note is recognised as, and what it is not."""

from __future__ import annotations

import pytest

from bot.core.events import Kind
from bot.core.recognise import clue, may_tell
from tests.core.builder import Record


def verb_of(text: str, *before: tuple[Kind, str]) -> str:
    record = Record()
    for kind, said in before:
        record.say(kind, said)
    number = record.say(Kind.NOTE, text)
    incident = record.incident()
    found = clue(incident, incident.entries[number])
    return found.verb if found else ""


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("alert fired for checkout 5xx", "detected"),
        ("the disk alarm went off at 02:50", "detected"),
        ("PagerDuty: alert on orders-db", "detected"),
        ("customers report that they cannot pay", "detected"),
        ("customers are complaining on Twitter", "detected"),
        ("tickets are piling up", "detected"),
        ("paged the DBA team", "escalated"),
        ("escalated to network on-call", "escalated"),
        ("called in Ben", "escalated"),
        ("dba on-call is on it", "escalated"),
        ("posted on the status page", "told"),
        ("status page updated", "told"),
        ("emailed all customers", "told"),
        ("34 % of requests fail", "impact"),
        ("about 12% of users see errors", "impact"),
        ("users cannot log in", "impact"),
    ],
)
def test_what_is_certain_is_recognised(text: str, verb: str) -> None:
    assert verb_of(text) == verb


@pytest.mark.parametrize(
    "text",
    [
        "CPU is at 100 %",
        "the alert rules were changed last week",
        "rolled back 4711",
        "pages are slow to load",
        "no tickets so far",
        "looks like the pool is empty",
        "checked the status of the page cache",
        "the customer table is locked",
        "db1 is at 34 % of its disk quota",
        "users table has 4 million rows",
    ],
)
def test_what_is_not_certain_is_not(text: str) -> None:
    assert verb_of(text) == ""


def test_nobody_is_asked_about_what_is_known() -> None:
    assert verb_of("paged the DBA team", (Kind.ESCALATION, "DBA team called")) == ""
    assert verb_of("alert fired", (Kind.DETECTION, "found by support")) == ""


def test_that_it_is_over_is_recognised_once_it_is_resolved() -> None:
    assert verb_of("graphs are flat") == ""
    assert verb_of("graphs are flat", (Kind.RESOLUTION, "done")) == "verified"


def test_other_kinds_are_left_alone() -> None:
    record = Record()
    number = record.say(Kind.ACTION, "paged the DBA team")
    incident = record.incident()
    assert clue(incident, incident.entries[number]) is None


def test_a_gap_names_the_newest_note_that_may_tell_it() -> None:
    record = Record()
    record.say(Kind.NOTE, "paged the DBA team")
    record.say(Kind.NOTE, "CPU is at 100 %")
    last = record.say(Kind.NOTE, "called in Ben as well")
    found = may_tell(record.incident(), "S8")
    assert found is not None
    assert found.number == last
    assert may_tell(record.incident(), "S4") is None
