"""What customers may see: an allow-list, whatever else is recorded; and when it counts as approved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core import customers
from bot.core import events as ev
from bot.core.document import CustomerVersion, Passage, PublicTask
from bot.core.events import Category, Kind
from tests.core.builder import START, Record


@pytest.mark.parametrize(
    "audience",
    [
        "customers", "Customers", "all customers", "our affected users", "the users", "clients", "status page",
        "statuspage", "Status-Page", "the public", "public", "all paying customers", "end users", "subscribers",
        "status page subscribers", "every customer", "each affected user", "customers and support",
        "support, customers", "CTO / status page", "customers & partners", "customers via mail",
        "users in Europe", "customers on the status page", "external users", "merchants", "account holders",
    ],
)  # fmt: skip
def test_what_was_told_to_customers_as_a_whole_may_be_shown(audience: str) -> None:
    assert customers.are_customers(audience)


@pytest.mark.parametrize(
    "audience",
    [
        "", "support", "customer support", "customer success", "internal users", "the customer", "customer", "user",
        "customer Acme", "customers of Acme", "users' managers", "management", "everybody", "all", "team", "CTO",
        "customer care, legal", "user research", "client team", "press", "no customers", "not customers",
        "public relations", "publicity", "internal status page", "support about customers", "status page team",
    ],
)  # fmt: skip
def test_what_was_told_to_anybody_else_may_not(audience: str) -> None:
    assert not customers.are_customers(audience)


def told() -> Record:
    """An incident of which customers were told, among much else."""
    record = Record("db1 is on fire", onset=-10, severity=1)
    record.say(Kind.DETECTION, "the pager", source=None)
    record.say(Kind.IMPACT, "Payments fail.")
    record.say(Kind.IMPACT, "An empty basket.", seen_by_users=True)
    record.say(Kind.UPDATE, "We are looking into it.", at=5, audience="customers")
    record.say(Kind.UPDATE, "Refund nobody yet.", audience="customer support")
    record.say(Kind.UPDATE, "Nobody knows who hears this.")
    record.say(Kind.CAUSE, "The pool had no limit.")
    record.say(Kind.SUMMARY, "Some payments failed for an hour.")
    record.say(Kind.TASK, "Cap the pool.", owner="Ben", category=Category.PREVENT, public=True)
    record.say(Kind.TASK, "Sack nobody.", owner="Ben")
    record.say(Kind.MITIGATED, "halved the pool", at=30)
    record.say(Kind.UPDATE, "It is over.", at=60, audience="status page")
    record.say(Kind.RESOLUTION, "calm", at=60)
    return record


def test_customers_see_times_impact_what_they_were_told_the_summary_and_public_tasks() -> None:
    record = told()
    record.mark(ev.Retitled, text="Payments failed", audience="customers")
    record.mark(ev.TaskDone, task=1, at=START)
    assert customers.version(record.incident()) == CustomerVersion(
        title="Payments failed",
        status="resolved",
        start="21 November 2026 02:50 UTC",
        restored="21 November 2026 03:30 UTC",
        affected_for="40 min",
        times_affected=1,
        end="21 November 2026 04:00 UTC",
        lasted="1 h 10 min",
        summary="Some payments failed for an hour.",
        impact=("Payments fail.",),
        seen=("An empty basket.",),
        told=(
            Passage("21 November 2026 03:05 UTC", "We are looking into it."),
            Passage("21 November 2026 04:00 UTC", "It is over."),
        ),
        tasks=(PublicTask("Cap the pool.", True),),
    )


def test_the_title_of_the_responders_is_never_theirs() -> None:
    assert customers.version(Record("db1 is on fire").incident()).title == "Incident of 21 November 2026"


def test_what_is_unknown_or_was_destroyed_is_left_out() -> None:
    assert customers.version(Record().incident()) == CustomerVersion(
        title="Incident of 21 November 2026",
        status="still going on",
        start="21 November 2026 03:00 UTC",
        restored="",
        affected_for="",
        times_affected=1,
        end="",
        lasted="",
        summary="",
        impact=(),
        seen=(),
        told=(),
        tasks=(),
    )
    record = told()
    for number in (3, 4, 5, 9, 10):
        record.mark(ev.Redacted, entry=number)
    found = customers.version(record.incident())
    assert (found.summary, found.impact, found.seen, found.tasks) == ("", (), (), ())
    assert [one.text for one in found.told] == ["It is over."]


def test_a_task_that_was_dropped_and_an_entry_of_another_kind_are_left_out() -> None:
    record = told()
    record.mark(ev.TaskDropped, task=1, text="too dear")
    record.mark(ev.KindCorrected, entry=5, to=Kind.NOTE)
    record.mark(ev.KindCorrected, entry=7, to=Kind.IMPACT)
    record.mark(ev.Removed, entry=4)
    found = customers.version(record.incident())
    assert (found.tasks, found.seen, [one.text for one in found.told]) == ((), (), ["It is over."])
    assert found.impact == ("Payments fail.", "Nobody knows who hears this.")


def test_an_approval_counts_until_customers_would_see_something_else() -> None:
    record = told()
    assert customers.approved(record.incident()) is None
    assert not customers.is_behind(record.incident())
    upto = len(record.happened)
    record.mark(ev.Approved, upto=upto, what="customer")
    record.say(Kind.NOTE, "a note", at=70)
    record.say(Kind.CAUSE, "another cause", at=71)
    record.mark(ev.Retitled, text="db2 as well")
    assert (customers.approved(record.incident()), customers.is_behind(record.incident())) == (upto, False)
    record.say(Kind.UPDATE, "We pay you back.", at=72, audience="customers")
    assert (customers.approved(record.incident()), customers.is_behind(record.incident())) == (upto, True)
    record.mark(ev.Approved, upto=len(record.happened), what="customer")
    assert not customers.is_behind(record.incident())


INSIDE = (
    Kind.NOTE, Kind.DETECTION, Kind.ACK, Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.DECISION, Kind.ESCALATION,
    Kind.UPDATE, Kind.MITIGATION, Kind.MITIGATED, Kind.AGAIN, Kind.SERVICES, Kind.TRIGGER, Kind.CAUSE, Kind.FACTOR,
    Kind.FIX, Kind.VERIFIED, Kind.IMPROVEMENT, Kind.TASK, Kind.WELL, Kind.WRONG, Kind.LUCKY, Kind.TAKEAWAY,
    Kind.QUESTION, Kind.ANSWER, Kind.ROLE, Kind.HANDOVER, Kind.SEVERITY, Kind.LINK, Kind.RESOLUTION,
)  # fmt: skip
"""Every kind of entry but those that are made for customers, the first and the last one."""

TOKEN = "tok"
SECRETS: dict[Kind, dict[str, Any]] = {
    Kind.ESCALATION: {"target": f"{TOKEN}target"},
    Kind.UPDATE: {"audience": f"{TOKEN}audience"},
    Kind.SERVICES: {"added": (f"{TOKEN}service",)},
    Kind.TASK: {"owner": f"{TOKEN}owner", "category": Category.PREVENT},
    Kind.ROLE: {"role": f"{TOKEN}role", "person": "b", "who": f"{TOKEN}who"},
    Kind.HANDOVER: {"person": "b", "who": f"{TOKEN}who"},
    Kind.SEVERITY: {"severity": 2},
    Kind.LINK: {"url": f"https://{TOKEN}.example.org"},
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=st.lists(st.tuples(st.sampled_from(INSIDE), st.integers(0, 50)), max_size=15))
def test_whatever_else_is_recorded_none_of_it_is_for_their_eyes(said: list[tuple[Kind, int]]) -> None:
    record = Record(f"{TOKEN}title")
    for number, (kind, at) in enumerate(said):
        record.say(kind, f"{TOKEN}{number}", at=at, **SECRETS.get(kind, {}))
    for section in ("summary", "timeline", "cause", "measures", "questions"):
        record.mark(ev.SectionWritten, section=section, text=f"{TOKEN}{section}")
    record.mark(ev.Retitled, text=f"{TOKEN}other")
    record.mark(ev.ReviewCalled, text=f"{TOKEN}when", who=f"{TOKEN}who")
    found = customers.version(record.incident())
    assert TOKEN not in repr(found)


def test_a_text_of_signs_that_python_takes_for_blanks_is_shown_like_any_other() -> None:
    record = Record()
    record.say(Kind.IMPACT, "\x1f")
    assert record.postmortem().customer.impact == ("\x1f",)
