"""An incident is the fold of its events: given events, this is what is true."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import events as ev
from bot.core.events import Category, Event, Kind, Source
from bot.core.incident import REDACTED, Entry, Incident, Stage, Status, Task, Window, fold, history, services_of

ONSET = datetime(2026, 11, 21, 2, 50, tzinfo=UTC)
STARTED = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Minutes after 03:00 UTC, when the incident was declared."""
    return STARTED + timedelta(minutes=minutes)


class Log:
    """A record in the making: entries are numbered as they come, a minute apart."""

    def __init__(self) -> None:
        self.happened: list[Event] = []
        self.entries = 0
        self.entry(
            ev.Started, at=0, text="Checkout", severity=1, drill=False, onset=ONSET, onset_approx=False, zone="UTC"
        )

    def entry(self, cls: type[ev.Numbered], text: str = "", at: float | None = None, by: str = "a", **more: Any) -> int:
        self.entries += 1
        minute = len(self.happened) if at is None else at
        head: dict[str, Any] = {"by": by, "recorded_at": now(len(self.happened)), "entry": self.entries}
        self.happened.append(cls(**head, at=now(minute), text=text, **more))
        return self.entries

    def mark(self, cls: type[Event], by: str = "a", **more: Any) -> int:
        self.happened.append(cls(by=by, recorded_at=now(len(self.happened)), **more))
        return len(self.happened)

    def undo(self, seq: int | None = None) -> int:
        return self.mark(ev.Undone, seq=len(self.happened) if seq is None else seq)

    @property
    def incident(self) -> Incident:
        return fold(self.happened, 42)


now = at


@pytest.fixture
def log() -> Log:
    return Log()


def window(start: float, end: float | None, started_by: int = 1, ended_by: int | None = None, **more: Any) -> Window:
    return Window(at(start), None if end is None else at(end), started_by=started_by, ended_by=ended_by, **more)


# ---- the beginning -------------------------------------------------------------------------------


def test_nothing_has_happened_to_an_incident_without_events() -> None:
    assert fold([]) == Incident()
    assert (Incident().status, Incident().windows(), Incident().impact(STARTED)) == (Status.OPEN, [], timedelta())


def test_an_incident_that_was_declared_is_open_since_its_onset(log: Log) -> None:
    found = log.incident
    first = log.happened[0]
    assert isinstance(first, ev.Started)
    opened = Entry(
        number=1,
        seq=1,
        event=first,
        kind=Kind.STARTED,
        at=STARTED,
        approx=False,
        zone="UTC",
        text="Checkout",
        by="a",
        recorded_at=STARTED,
    )
    assert found == Incident(
        number=42,
        seq=1,
        happened=[first],
        title="Checkout",
        severity=1,
        onset=ONSET,
        onset_given=True,
        started_at=STARTED,
        entries={1: opened},
        authors={"a"},
        of_kind={Kind.STARTED: {1: opened}},
        last_entry=1,
        last_said={"a": first},
    )
    assert (found.status, found.is_open, found.windows()) == (Status.OPEN, True, [window(-10, None)])


def test_an_onset_that_nobody_gave_is_the_time_of_declaring(log: Log) -> None:
    first = log.happened[0]
    assert isinstance(first, ev.Started)
    log.happened[0] = replace(first, onset=STARTED)
    assert (log.incident.onset, log.incident.onset_given) == (STARTED, False)
    log.mark(ev.OnsetSet, at=ONSET, approx=True)
    assert (log.incident.onset, log.incident.onset_approx, log.incident.onset_given) == (ONSET, True, True)


# ---- windows of impact ---------------------------------------------------------------------------

M, A, R, O = ev.Mitigated, ev.Recurred, ev.Resolved, ev.Reopened  # noqa: E741 - a letter a mark, to be read in a row


@pytest.mark.parametrize(
    ("marks", "windows", "status"),
    [
        ([], [window(-10, None)], Status.OPEN),
        ([(M, 5)], [window(-10, 5, 1, 2)], Status.MITIGATED),
        ([(M, 5), (M, 8)], [window(-10, 8, 1, 3)], Status.MITIGATED),
        ([(M, 5), (A, 8)], [window(-10, 5, 1, 2), window(8, None, 3)], Status.OPEN),
        ([(M, 5), (A, 8), (A, 9)], [window(-10, 5, 1, 2), window(8, None, 3)], Status.OPEN),
        ([(A, 3)], [window(-10, None)], Status.OPEN),
        (
            [(M, 5), (A, 8), (M, 9), (A, 12), (M, 20), (R, 30)],
            [window(-10, 5, 1, 2), window(8, 9, 3, 4), window(12, 20, 5, 6)],
            Status.RESOLVED,
        ),
        ([(R, 30)], [window(-10, 30, 1, 2)], Status.RESOLVED),
        ([(M, 5), (R, 30)], [window(-10, 5, 1, 2)], Status.RESOLVED),
        ([(M, 5), (A, 8), (R, 30)], [window(-10, 5, 1, 2), window(8, 30, 3, 4)], Status.RESOLVED),
        ([(R, 30), (M, 5)], [window(-10, 5, 1, 3)], Status.RESOLVED),  # said late
        ([(R, 30), (M, 40)], [window(-10, 30, 1, 2)], Status.RESOLVED),  # only one before `resolve` counts
        ([(M, 5), (R, 30), (M, 40)], [window(-10, 5, 1, 2)], Status.RESOLVED),
        ([(R, 30), (M, 5), (A, 8)], [window(-10, 5, 1, 3), window(8, 30, 4, 2)], Status.RESOLVED),
        ([(R, 30), (O, 35)], [window(-10, None)], Status.OPEN),
        ([(R, 30), (O, 35), (A, 35)], [window(-10, 30, 1, 2), window(35, None, 4)], Status.OPEN),
        ([(R, 30), (O, 35), (M, 40)], [window(-10, 40, 1, 4)], Status.MITIGATED),
        ([(R, 30), (O, 35), (A, 35), (R, 50)], [window(-10, 30, 1, 2), window(35, 50, 4, 5)], Status.RESOLVED),
        ([(M, 5.5), (A, 5.2)], [window(-10, 5.5, 1, 2), window(5.2, None, 3)], Status.OPEN),  # told order in a minute
    ],
)  # fmt: skip
def test_impact_is_the_sum_of_its_windows(
    log: Log, marks: list[tuple[type[ev.Numbered], float]], windows: list[Window], status: Status
) -> None:
    for cls, minute in marks:
        log.entry(cls, at=minute)
    assert (log.incident.windows(), log.incident.status) == (windows, status)


def test_impact_counts_up_to_now_while_it_goes_on(log: Log) -> None:
    log.entry(ev.Mitigated, at=5)
    assert log.incident.impact(at(60)) == timedelta(minutes=15)
    log.entry(ev.Recurred, at=8)
    assert log.incident.impact(at(60)) == timedelta(minutes=15 + 52)
    log.entry(ev.Mitigated, at=10)
    assert log.incident.impact(at(60)) == timedelta(minutes=15 + 2)


def test_a_window_that_would_end_before_it_begins_has_no_length() -> None:
    assert window(5, 2).length(at(60)) == timedelta()


def test_approximate_borders_of_a_window_stay_approximate(log: Log) -> None:
    log.mark(ev.OnsetSet, at=at(-12), approx=True)
    log.entry(ev.Mitigated, at=5, approx=True)
    log.entry(ev.Recurred, at=8, approx=True)
    assert log.incident.windows() == [
        window(-12, 5, 1, 2, start_approx=True, end_approx=True),
        window(8, None, 3, start_approx=True),
    ]


def test_a_mitigated_that_is_moved_removed_or_made_another_kind_moves_the_window(log: Log) -> None:
    log.entry(ev.Mitigated, at=5)
    log.mark(ev.TimeCorrected, entry=2, at=at(3), approx=True, zone="Europe/London")
    assert log.incident.windows() == [window(-10, 3, 1, 2, end_approx=True)]
    log.mark(ev.KindCorrected, entry=2, to=Kind.MITIGATION)
    assert log.incident.windows() == [window(-10, None)]
    log.mark(ev.KindCorrected, entry=2, to=Kind.MITIGATED)
    assert log.incident.windows() == [window(-10, 3, 1, 2, end_approx=True)]
    log.mark(ev.Removed, entry=2)
    assert log.incident.windows() == [window(-10, None)]


@pytest.mark.parametrize(
    ("cls", "more", "status"),
    [
        (ev.Resolved, {}, Status.RESOLVED),
        (ev.Cancelled, {}, Status.CANCELLED),
        (ev.DuplicateFound, {"of": 41}, Status.DUPLICATE),
    ],
)
def test_an_incident_that_ended_is_open_again_once_it_is_reopened(
    log: Log, cls: type[ev.Numbered], more: dict[str, Any], status: Status
) -> None:
    log.entry(cls, at=30, **more)
    assert (log.incident.status, log.incident.is_open) == (status, False)
    log.entry(ev.Reopened, at=31)
    assert (log.incident.is_open, log.incident.resolution) == (True, None)


def test_the_resolution_is_the_one_that_was_recorded_last(log: Log) -> None:
    log.entry(ev.Resolved, "first", at=30)
    log.entry(ev.Reopened, at=31)
    log.entry(ev.Resolved, "second", at=29)
    resolution = log.incident.resolution
    assert resolution is not None
    assert resolution.text == "second"


# ---- entries in order ----------------------------------------------------------------------------


def test_entries_sort_by_minute_and_in_told_order_within_one(log: Log) -> None:
    for minute in (9, 5.9, 5.1, 5.5, -60):
        log.entry(ev.Noted, at=minute)
    assert [entry.number for entry in log.incident.live()] == [6, 1, 3, 4, 5, 2]


def test_an_entry_that_was_moved_stands_where_it_happened(log: Log) -> None:
    log.entry(ev.Noted, at=5)
    log.entry(ev.Noted, at=6)
    log.mark(ev.TimeCorrected, entry=3, at=at(2), zone="Africa/Lagos", approx=True)
    moved = log.incident.entries[3]
    assert [entry.number for entry in log.incident.live(Kind.NOTE)] == [3, 2]
    assert (moved.at, moved.zone, moved.approx) == (at(2), "Africa/Lagos", True)


def test_entries_that_left_the_record_do_not_count_and_keep_their_numbers(log: Log) -> None:
    log.entry(ev.Noted, "one")
    log.entry(ev.Noted, "two")
    log.undo()
    log.mark(ev.Removed, entry=2, text="twice")
    log.entry(ev.Noted, "three")
    found = log.incident
    assert [entry.number for entry in found.live(Kind.NOTE)] == [4]
    assert [(e.number, e.withdrawn, e.why_withdrawn, e.live) for e in found.entries.values()] == [
        (1, "", "", True),
        (2, "removed", "twice", False),
        (3, "undone", "", False),
        (4, "", "", True),
    ]
    assert found.last_entry == 4


def test_an_entry_captured_from_a_message_is_its_authors(log: Log) -> None:
    log.entry(ev.Noted, "slow", by="a", author="b", said_in="C1/1.2")
    assert log.incident.entries[2].by == "b"


# ---- what is latest, first, named ----------------------------------------------------------------


@pytest.mark.parametrize("cls", [ev.CauseFound, ev.Fixed, ev.Summarised, ev.TakenAway])
def test_what_was_recorded_last_replaces_what_was_said_before(log: Log, cls: type[ev.Numbered]) -> None:
    assert log.incident.latest(cls.kind) is None
    log.entry(cls, "first", at=9)
    second = log.entry(cls, "second", at=5)
    latest = log.incident.latest(cls.kind)
    assert latest is not None
    assert latest.number == second
    log.mark(ev.Removed, entry=second)
    latest = log.incident.latest(cls.kind)
    assert latest is not None
    assert latest.text == "first"


def test_the_first_detection_is_the_one_that_happened_first(log: Log) -> None:
    assert (log.incident.detection, log.incident.source()) == (None, None)
    log.entry(ev.Detected, at=5, source=Source.CUSTOMER)
    log.entry(ev.Detected, at=2, source=None)
    detection = log.incident.detection
    assert detection is not None
    assert (detection.number, log.incident.source()) == (3, Source.CUSTOMER)


def test_services_are_added_taken_away_and_corrected(log: Log) -> None:
    log.entry(ev.ServicesNamed, at=9, added=("Checkout", "Search"))
    log.entry(ev.ServicesNamed, at=5, added=("checkout", "Mail"), removed=("search",))
    assert log.incident.services() == [("Checkout", 2), ("Mail", 3)]
    log.mark(ev.TextCorrected, entry=2, text="Pay", added=("Pay",), removed=())
    assert log.incident.services() == [("Pay", 2), ("checkout", 3), ("Mail", 3)]
    log.mark(ev.Removed, entry=2)
    assert log.incident.services() == [("checkout", 3), ("Mail", 3)]
    assert services_of(log.incident.entries[1]) == ((), ())


def test_the_share_of_users_is_the_highest_that_is_named(log: Log) -> None:
    assert log.incident.share() is None
    log.entry(ev.ImpactDescribed, "34 % of users", at=5, share="34")
    log.entry(ev.ImpactDescribed, "50 % of users", at=3, share="50")
    log.entry(ev.ImpactDescribed, "worse", at=9)
    share = log.incident.share()
    assert share is not None
    assert (share.number, share.share) == (3, "50")
    log.mark(ev.TextCorrected, entry=3, text="some users")
    share = log.incident.share()
    assert share is not None
    assert (share.number, share.share) == (2, "34")


def test_a_note_that_becomes_an_impact_brings_its_share_along(log: Log) -> None:
    log.entry(ev.Noted, "34 % of users cannot pay")
    log.mark(ev.KindCorrected, entry=2, to=Kind.IMPACT, share="34")
    share = log.incident.share()
    assert share is not None
    assert share.number == 2


def test_a_dead_end_belongs_to_its_hypothesis(log: Log) -> None:
    log.entry(ev.Suspected, "the pool")
    log.entry(ev.RuledOut, "no", hypothesis=2)
    log.entry(ev.RuledOut, "the network", hypothesis=None)
    dead_end = log.incident.dead_end_of(2)
    assert dead_end is not None
    assert (dead_end.number, log.incident.dead_end_of(4)) == (3, None)
    log.mark(ev.Removed, entry=3)
    assert log.incident.dead_end_of(2) is None


# ---- marks and corrections -----------------------------------------------------------------------


def test_marks_and_corrections_change_an_entry_and_stay_in_its_history(log: Log) -> None:
    log.entry(ev.Acted, "x")
    marks = [
        log.mark(ev.EffectSeen, entry=2, worked=True),
        log.mark(ev.EffectSeen, entry=2, worked=False),
        log.mark(ev.Starred, entry=2, on=True),
        log.mark(ev.TextCorrected, entry=2, text="y"),
        log.mark(ev.KindCorrected, entry=2, to=Kind.HYPOTHESIS),
        log.mark(ev.HypothesisConfirmed, entry=2),
    ]
    event = log.happened[1]
    assert isinstance(event, ev.Acted)
    assert log.incident.entries[2] == Entry(
        number=2,
        seq=2,
        event=event,
        kind=Kind.HYPOTHESIS,
        at=event.at,
        approx=False,
        zone="UTC",
        text="y",
        by="a",
        recorded_at=event.recorded_at,
        worked=False,
        confirmed=True,
        starred=True,
        history=[log.happened[seq - 1] for seq in marks],
    )
    log.mark(ev.Starred, entry=2, on=False)
    assert log.incident.entries[2].starred is False


def test_the_title_follows_the_first_entry_and_a_new_title(log: Log) -> None:
    log.mark(ev.TextCorrected, entry=1, text="Checkout is down")
    assert log.incident.title == "Checkout is down"
    log.mark(ev.Retitled, text="Payments are down")
    assert log.incident.title == "Payments are down"
    log.undo()
    assert log.incident.title == "Checkout is down"


def test_roles_and_severity_are_those_given_last(log: Log) -> None:
    log.entry(ev.RoleGiven, role="commander", person="c", who="@chidi")
    log.entry(ev.RoleGiven, role="communications", person="d", who="@dana")
    log.entry(ev.HandedOver, person="a", who="@ada")
    log.entry(ev.SeveritySet, severity=3)
    found = log.incident
    assert found.roles == {"commander": "a", "communications": "d"}
    assert found.role_names == {"commander": "@ada", "communications": "@dana"}
    assert found.severity == 3


def test_a_role_or_a_severity_that_leaves_the_record_is_as_it_was_before(log: Log) -> None:
    log.entry(ev.RoleGiven, role="commander", person="c", who="@chidi")
    handover = log.entry(ev.HandedOver, person="a", who="@ada")
    severity = log.entry(ev.SeveritySet, severity=3)
    log.mark(ev.Removed, entry=handover)
    log.mark(ev.Removed, entry=severity)
    found = log.incident
    assert (found.roles, found.role_names, found.severity) == ({"commander": "c"}, {"commander": "@chidi"}, 1)
    log.mark(ev.Removed, entry=2)
    assert (log.incident.roles, log.incident.role_names) == ({}, {})


def test_a_role_whose_words_were_destroyed_is_no_role(log: Log) -> None:
    log.entry(ev.RoleGiven, role="", person="c", who="")
    assert (log.incident.roles, log.incident.role_names) == ({}, {})


def test_what_customers_may_read_is_approved_apart_and_can_be_taken_back(log: Log) -> None:
    seq = log.mark(ev.Approved, upto=1, what="customer")
    assert (log.incident.approvals, log.incident.approved_for_customers) == ([], log.happened[seq - 1])
    log.mark(ev.Undone, seq=seq)
    assert log.incident.approved_for_customers is None


def test_a_record_from_before_there_were_customers_reads_the_same() -> None:
    head = {"by": "a", "recorded_at": "2026-11-21T03:06:00Z"}
    task = {**head, "entry": 2, "at": "2026-11-21T03:06:00Z", "task": 1, "category": None, "due": None}
    old = [
        ev.from_json("retitled", head, {"text": "Checkout"}),
        ev.from_json("approved", {**head, "upto": 3}, {}),
        ev.from_json("task", task, {"text": "Cap it", "owner": ""}),
        ev.from_json("task_changed", {**head, "task": 1}, {"owner": "Ben"}),
    ]
    assert [getattr(one, name) for one, name in zip(old, ("audience", "what", "public", "public"), strict=True)] == [
        "",
        "",
        False,
        None,
    ]


def test_what_a_person_wrote_for_a_section_is_given_back_by_an_empty_text(log: Log) -> None:
    seq = log.mark(ev.SectionWritten, section="summary", text="mine")
    assert (log.incident.sections, log.incident.section_seq) == ({"summary": log.happened[seq - 1]}, {"summary": seq})
    log.mark(ev.SectionWritten, section="summary", text="")
    assert (log.incident.sections, log.incident.section_seq) == ({}, {})


def test_the_document_goes_from_draft_to_review_to_published(log: Log) -> None:
    assert log.incident.stage is Stage.DRAFT
    log.mark(ev.ReviewCalled, text="Tue 14:00", person="d", who="@dana")
    assert (log.incident.stage, log.incident.review) == (Stage.IN_REVIEW, log.happened[-1])
    log.mark(ev.Approved, upto=2)
    log.mark(ev.Published, upto=3)
    log.mark(ev.SharedTo, channel="C1")
    log.mark(ev.ReviewCalled)
    found = log.incident
    assert (found.stage, found.approvals, found.published, found.shared) == (
        Stage.PUBLISHED,
        [log.happened[2]],
        log.happened[3],
        ["C1"],
    )


def test_the_zone_and_what_does_not_apply_are_kept(log: Log) -> None:
    log.mark(ev.ZoneSet, zone="Africa/Lagos")
    log.mark(ev.NotApplicable, gap="escalation")
    assert (log.incident.zone, log.incident.not_applicable) == ("Africa/Lagos", {"escalation": 3})


# ---- tasks and questions -------------------------------------------------------------------------


def task(log: Log, number: int = 1, **more: Any) -> int:
    return log.entry(ev.TaskAdded, "Cap it", task=number, **more)


def test_an_action_item_is_changed_bit_by_bit(log: Log) -> None:
    task(log, owner="@ben", person="b")
    due = log.mark(ev.TaskChanged, task=1, due=date(2026, 12, 1))
    kind = log.mark(ev.TaskChanged, task=1, category=Category.PREVENT, text="Cap the pool")
    owner = log.mark(ev.TaskChanged, task=1, owner="DBA team")
    done = log.mark(ev.TaskDone, task=1, at=at(9))
    found = log.incident
    assert found.tasks == {
        1: Task(
            number=1,
            entry=2,
            owner="DBA team",
            person="",
            category=Category.PREVENT,
            due=date(2026, 12, 1),
            state="done",
            done_at=at(9),
            history=[log.happened[seq - 1] for seq in (due, kind, owner, done)],
        )
    }
    assert (found.entries[2].text, found.entries[2].history) == ("Cap the pool", [log.happened[kind - 1]])


def test_an_action_item_that_is_dropped_says_why(log: Log) -> None:
    task(log)
    log.mark(ev.TaskDropped, task=1, text="replaced")
    assert (log.incident.tasks[1].state, log.incident.tasks[1].why_dropped) == ("dropped", "replaced")


def test_a_change_whose_words_were_destroyed_leaves_the_owner_alone(log: Log) -> None:
    task(log, owner="Ben")
    log.mark(ev.TaskChanged, task=1, owner="", text="", due=date(2026, 12, 1))
    assert (log.incident.tasks[1].owner, log.incident.tasks[1].due) == ("Ben", date(2026, 12, 1))
    log.mark(ev.TaskChanged, task=1, owner="", person="b", text="")
    assert (log.incident.tasks[1].owner, log.incident.tasks[1].person) == ("", "b")


def test_an_action_item_that_left_the_record_takes_what_was_said_about_it_along(log: Log) -> None:
    task(log)
    added = len(log.happened)
    log.mark(ev.TaskDone, task=1, at=at(5))
    log.undo(added)
    log.mark(ev.TaskChanged, task=1, owner="Ben")
    assert log.incident.tasks == {}
    second = task(log, 2)
    log.mark(ev.Removed, entry=second)
    log.mark(ev.TaskDropped, task=2)
    assert (log.incident.tasks, log.incident.last_task) == ({}, 2)


def test_numbers_of_tasks_and_questions_are_never_used_again(log: Log) -> None:
    task(log)
    log.undo()
    log.entry(ev.QuestionAsked, "Why?", question=6)
    log.undo()
    assert (log.incident.last_task, log.incident.last_question, log.incident.questions) == (1, 6, {})
    log.entry(ev.QuestionAsked, "How?", question=7)
    assert (log.incident.questions, log.incident.last_question) == ({7: 4}, 7)
    log.mark(ev.Removed, entry=4)
    assert (log.incident.questions, log.incident.last_question) == ({}, 7)


# ---- redaction -----------------------------------------------------------------------------------


def test_an_entry_whose_text_was_destroyed_says_so(log: Log) -> None:
    log.entry(ev.Noted, "")
    log.mark(ev.Redacted, entry=2)
    assert (log.incident.entries[2].redacted, log.incident.entries[2].live) == (True, True)


def test_a_title_that_was_destroyed_is_printed_as_such_but_a_new_one_stays(log: Log) -> None:
    log.mark(ev.Redacted, entry=1)
    assert log.incident.title == REDACTED
    log.mark(ev.Retitled, text="Checkout")
    assert log.incident.title == "Checkout"


def test_a_title_that_was_given_before_the_first_was_destroyed_stays(log: Log) -> None:
    log.mark(ev.Retitled, text="Payments")
    log.mark(ev.Redacted, entry=1)
    assert log.incident.title == "Payments"


def test_undoing_something_else_does_not_bring_a_destroyed_text_back(log: Log) -> None:
    log.entry(ev.Noted, "")
    log.mark(ev.Redacted, entry=2)
    log.entry(ev.Noted, "x")
    log.undo()
    assert log.incident.entries[2].redacted is True
    log.undo(3)
    assert log.incident.entries[2].redacted is True


# ---- undo ----------------------------------------------------------------------------------------

OF_THE_RECORD = {
    "seq", "happened", "undone", "entries", "of_kind", "last_entry", "last_task", "last_question", "last_said",
}  # fmt: skip
"""What an undone event leaves behind: its place, its number, itself in the history."""


def state(incident: Incident) -> dict[str, Any]:
    """What is true, history aside."""
    known = {f.name: getattr(incident, f.name) for f in fields(Incident) if f.name not in OF_THE_RECORD}
    entries = {n: replace(e, seq=0) for n, e in incident.entries.items() if e.withdrawn != "undone"}
    derived = {"windows": incident.windows(), "services": incident.services(), "status": incident.status}
    return {**known, **derived, "entries": entries}


def full() -> Log:
    """A record with an event of every name."""
    log = Log()
    special: dict[type[Event], dict[str, Any]] = {
        ev.Detected: {"source": Source.MONITORING},
        ev.RuledOut: {"hypothesis": 6},
        ev.Escalated: {"target": "@ben", "person": "b"},
        ev.ServicesNamed: {"added": ("checkout",)},
        ev.ImpactDescribed: {"share": "34"},
        ev.TaskAdded: {"task": 1, "owner": "@ben", "person": "b"},
        ev.QuestionAsked: {"question": 6},
        ev.QuestionAnswered: {"question": 6, "about": None},
        ev.RoleGiven: {"role": "commander", "person": "c", "who": "@chidi"},
        ev.HandedOver: {"person": "d", "who": "@dana"},
        ev.SeveritySet: {"severity": 3},
        ev.LinkAdded: {"url": "https://a.example"},
        ev.DuplicateFound: {"of": 41},
    }
    for cls in ev.ENTRY_EVENTS.values():
        if cls is not ev.Started:
            log.entry(cls, f"a {cls.kind}", **special.get(cls, {}))
    log.mark(ev.EffectSeen, entry=5, worked=True)
    log.mark(ev.HypothesisConfirmed, entry=6)
    log.mark(ev.Starred, entry=5, on=True)
    log.mark(ev.TaskChanged, task=1, owner="DBA team", due=date(2026, 12, 1), text="Cap")
    log.mark(ev.TaskDone, task=1, at=at(60))
    log.mark(ev.TaskDropped, task=1, text="no")
    log.mark(ev.TaskReopened, task=1)
    log.mark(ev.TextCorrected, entry=5, text="other")
    log.mark(ev.KindCorrected, entry=5, to=Kind.NOTE)
    log.mark(ev.TimeCorrected, entry=5, at=at(1))
    log.mark(ev.Removed, entry=6, text="no")
    log.mark(ev.Redacted, entry=7)
    log.mark(ev.Retitled, text="Payments")
    log.mark(ev.OnsetSet, at=at(-20), approx=True)
    log.mark(ev.ZoneSet, zone="Africa/Lagos")
    log.mark(ev.NotApplicable, gap="share")
    log.mark(ev.SectionWritten, section="summary", text="mine")
    log.mark(ev.ReviewCalled, text="Tue")
    log.mark(ev.Approved, upto=3)
    log.mark(ev.Published, upto=4)
    log.mark(ev.SharedTo, channel="C1")
    log.mark(ev.LinkRevoked)
    log.mark(ev.Attached, entry=8, digest="ab" * 32, media_type="image/png", size=7, file="graph.png")
    log.mark(ev.ChannelOpened, channel="C2")
    log.mark(ev.NudgesSet, on=False)
    log.mark(ev.WordsDestroyed, what="section summary")
    return log


FULL = full().happened


def test_the_record_below_has_an_event_of_every_name_but_undo() -> None:
    assert {one.name for one in FULL} == set(ev.EVENTS) - {"undone"}
    assert [seq for seq, _ in history(fold(FULL))] == list(range(1, len(FULL) + 1))


def test_undoing_the_last_event_restores_what_was_true_before_it() -> None:
    for seq in range(2, len(FULL) + 1):
        if isinstance(FULL[seq - 1], ev.Redacted | ev.WordsDestroyed):
            continue  # nothing brings a text back
        undone = ev.Undone(by="a", recorded_at=at(90), seq=seq)
        assert state(fold([*FULL[:seq], undone])) == state(fold(FULL[: seq - 1])), FULL[seq - 1].name


def test_undoing_an_event_in_the_middle_is_as_if_it_had_not_happened() -> None:
    for seq in range(2, len(FULL) + 1):
        undone, gone = ev.Undone(by="a", recorded_at=at(90), seq=seq), FULL[seq - 1]
        if isinstance(gone, ev.Redacted | ev.WordsDestroyed):
            continue
        number = gone.entry if isinstance(gone, ev.Numbered) else 0
        rest = [one for one in FULL if one is not gone and (not number or getattr(one, "entry", 0) != number)]
        after, without = state(fold([*FULL, undone])), state(fold(rest))
        after["entries"].pop(number, None)
        for one in (after, without):  # the place in the record of what came later is another
            del one["not_applicable"], one["section_seq"]
        assert after == without, gone.name


def test_an_undone_event_stays_in_the_history_and_keeps_its_number(log: Log) -> None:
    log.entry(ev.Noted, "x")
    log.mark(ev.Undone, seq=2)
    found = log.incident
    assert (found.happened, found.seq, found.undone, found.last_entry) == (log.happened, 3, {2}, 2)
    assert (found.entries[2].withdrawn, found.entries[2].text) == ("undone", "x")


def test_undoing_one_after_the_other_goes_all_the_way_back(log: Log) -> None:
    before = state(log.incident)
    log.entry(ev.SeveritySet, severity=3)
    log.mark(ev.Retitled, text="x")
    log.entry(ev.Resolved)
    for seq in (4, 3, 2):
        log.undo(seq)
    assert state(log.incident) == before


# ---- folding -------------------------------------------------------------------------------------


@st.composite
def records(draw: st.DrawFn) -> list[Event]:
    """Parts of the full record in order, with undos between: an incident's events as a machine may make them up."""
    kept = [FULL[0], *(one for one in FULL[1:] if draw(st.booleans()))]
    entries = {one.entry for one in kept if isinstance(one, ev.Numbered)}
    happened: list[Event] = []
    for one in kept:
        if isinstance(one, ev.Numbered) or getattr(one, "entry", None) in entries or not hasattr(one, "entry"):
            happened.append(one)
            if len(happened) > 1 and draw(st.integers(0, 9)) == 0:
                happened.append(ev.Undone(by="a", recorded_at=at(90), seq=draw(st.integers(2, len(happened)))))
    return happened


@settings(max_examples=10, deadline=None)
@given(records())
def test_folding_at_once_is_applying_one_by_one(happened: list[Event]) -> None:
    incident = Incident(number=42)
    for seq, one in enumerate(happened, 1):
        incident.apply(one)
        if seq == len(happened) // 2:
            assert incident == fold(happened[:seq], 42)
    assert incident == fold(happened, 42)
    assert (incident.seq, incident.happened) == (len(happened), happened)


@settings(max_examples=10, deadline=None)
@given(records())
def test_every_entry_is_found_under_the_kind_that_it_has_now(happened: list[Event]) -> None:
    incident = fold(happened)
    assert {kind: {*entries} for kind, entries in incident.of_kind.items() if entries} == {
        kind: {n for n, e in incident.entries.items() if e.kind is kind}
        for kind in {e.kind for e in incident.entries.values()}
    }
    assert all(incident.entries[n] is e for entries in incident.of_kind.values() for n, e in entries.items())


@settings(max_examples=10, deadline=None)
@given(records())
def test_events_that_went_through_json_fold_to_the_same_incident(happened: list[Event]) -> None:
    again = [ev.from_json(one.name, *ev.to_json(one)) for one in happened]
    assert fold(again) == fold(happened)


@settings(max_examples=10, deadline=None)
@given(records())
def test_a_record_whose_words_were_all_destroyed_still_folds(happened: list[Event]) -> None:
    bare = fold(ev.from_json(one.name, ev.to_json(one)[0], None) for one in happened)
    assert (bare.status, bare.windows()) == (fold(happened).status, fold(happened).windows())


@settings(max_examples=10, deadline=None)
@given(records())
def test_numbers_only_grow(happened: list[Event]) -> None:
    incident = Incident()
    for one in happened:
        before = (incident.last_entry, incident.last_task, incident.last_question)
        incident.apply(one)
        after = (incident.last_entry, incident.last_task, incident.last_question)
        assert all(new >= old for new, old in zip(after, before, strict=True))


# ---- one pass ------------------------------------------------------------------------------------


def test_a_record_folds_the_same_at_once_and_event_by_event(log: Log) -> None:
    """However much was taken back: what is remembered grows event by event, after a start it is folded at once."""
    for number in range(12):
        log.entry(ev.Noted, f"note {number}")
        log.entry(ev.TaskAdded, f"task {number}", task=number + 1, owner="", category=None, due=None)
        if number % 3 == 0:
            log.undo()
        if number % 4 == 1:
            log.mark(ev.Redacted, entry=2 * number + 2)
    slowly = Incident(number=42)
    for one in log.happened:
        slowly.apply(one)
    assert fold(log.happened, 42) == slowly
    assert [entry.number for entry in slowly.entries.values() if entry.withdrawn]
