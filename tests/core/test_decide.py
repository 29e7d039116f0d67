"""What a command does: given a record, when a line is said, then these events follow, or a refusal, or a question."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.core import commands as cmd
from bot.core import events as ev
from bot.core import times
from bot.core.decide import LINE_TO_CONFIRM, Speaker, decide
from bot.core.errors import Choice, Question, Refusal
from bot.core.events import Category, Event, Kind, Source
from bot.core.grammar import GAP_WORDS, VERBS, Context, parse
from bot.core.incident import Incident, Status

BEGIN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # a Saturday
MENTIONS = {"@ada": "a", "@ben": "b", "@chidi": "c"}
"""Who is mentioned in these lines is known by the key already."""


def at(hhmm: str, day: int = 21) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day:02}T{hhmm}:00+00:00")


class Story:
    """The record of INC-42, told line by line: by Ada unless said otherwise, a minute apart, beginning at 03:00 UTC."""

    def __init__(self, *lines: str) -> None:
        self.incident = Incident(number=42)
        self.now = BEGIN
        if lines and not lines[0].startswith("start"):
            lines = ("start sev1 Checkout since 02:50", *lines)
        self.given(*lines)

    def given(self, *lines: str | cmd.Change, by: str = "a") -> Story:
        for line in lines:
            name, _, said = line.partition("| ") if isinstance(line, str) else ("", "", "")
            for happened in self.when(said if said else line, by=name.strip() if said else by, confirmed=True):
                self.incident.apply(happened)
            self.now += timedelta(minutes=1)
        return self

    def when(self, said: str | cmd.Change, by: str = "a", zone: str = "UTC", **how: Any) -> list[Event]:
        """What follows, if it is said now; nothing is applied."""
        how.setdefault("confirmed", False)
        if isinstance(said, str):
            command = parse(said, Context(how.get("said_at", self.now), zone, MENTIONS)).command
            assert not isinstance(command, cmd.Look)
        else:
            command = said
        before = None if self.incident.seq == 0 else self.incident
        return decide(before, command, Speaker(by, zone), self.now, **how)

    def refused(self, said: str | cmd.Change, **how: Any) -> tuple[str, str]:
        with pytest.raises(Refusal) as caught:
            self.when(said, **how)
        assert not isinstance(caught.value, Question), caught.value
        return caught.value.message, caught.value.hint

    def asked(self, said: str | cmd.Change, **how: Any) -> tuple[str, tuple[Choice, ...]]:
        """The question, after which the same line, confirmed, is recorded."""
        with pytest.raises(Question) as caught:
            self.when(said, **how)
        assert self.when(said, **{**how, "confirmed": True}) != []
        return caught.value.message, caught.value.choices

    # ---- what is expected ------------------------------------------------------------------------

    def mark(self, by: str = "a") -> dict[str, Any]:
        return {"by": by, "recorded_at": self.now}

    def entry(self, by: str = "a", **more: Any) -> dict[str, Any]:
        return {**self.mark(by), "entry": self.incident.last_entry + 1, "at": self.now, **more}


def yes(label: str) -> tuple[Choice, ...]:
    return (Choice(label, LINE_TO_CONFIRM, confirmed=True),)


# ---- start ---------------------------------------------------------------------------------------


def test_an_incident_is_declared() -> None:
    story = Story()
    assert story.when("start sev2 drill Lost a region", zone="Africa/Lagos") == [
        ev.Started(
            **story.mark(), entry=1, at=BEGIN, zone="Africa/Lagos", text="Lost a region", severity=2, drill=True,
            onset=BEGIN, onset_approx=False,
        )
    ]  # fmt: skip


def test_since_is_when_impact_began() -> None:
    story = Story()
    assert story.when("start Checkout since ~02:50") == [
        ev.Started(
            **story.mark(), entry=1, at=BEGIN, text="Checkout", severity=None, drill=False, onset=at("02:50"),
            onset_approx=True,
        )
    ]  # fmt: skip


def test_a_second_incident_in_the_channel_is_refused_while_one_is_open() -> None:
    message, _ = Story("note x").refused("start Another")
    assert message == "INC-42 “Checkout” is already open in this channel."
    message, _ = Story("mitigated").refused("start Another")
    assert message == "INC-42 “Checkout” is already open in this channel."


@pytest.mark.parametrize("end", ["resolve", "cancel no", "duplicate of 41"])
def test_after_the_end_of_one_incident_another_is_declared(end: str) -> None:
    story = Story(end)
    assert [type(one) for one in story.when("start Another")] == [ev.Started]
    assert story.when("start Another")[0].entry == 1  # type: ignore[attr-defined]


def test_an_onset_more_than_twelve_hours_ago_by_the_clock_is_asked_about() -> None:
    assert Story().asked("start Checkout since 03:05") == (
        "03:05 UTC would be 20 November 2026 03:05 UTC, 23 h 55 min before now; "
        "21 November 2026 03:05 UTC is still to come.",
        yes("Yes, 20 November 2026 03:05 UTC"),
    )


@pytest.mark.parametrize("since", ["15:00", "2026-11-20 03:05", "yesterday 03:05", "20h ago"])
def test_an_onset_with_a_date_or_within_twelve_hours_is_not(since: str) -> None:
    assert len(Story().when(f"start Checkout since {since}")) == 1


@pytest.mark.parametrize("line", ["note x", "resolve", "undo", "todo x", "edit 1 x", "cancel x", "publish"])
def test_without_an_incident_nothing_is_recorded(line: str) -> None:
    assert Story().refused(line) == (
        "No incident is open in this channel.",
        "Type start <title> to open one, or list to see the open ones.",
    )


# ---- entries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cls", "more"),
    [
        ("note x", ev.Noted, {}),
        ("detected by alert x", ev.Detected, {"source": Source.MONITORING}),
        ("detected x", ev.Detected, {"source": None}),
        ("ack x", ev.Acknowledged, {}),
        ("action x", ev.Acted, {}),
        ("hypothesis x", ev.Suspected, {}),
        ("ruledout x", ev.RuledOut, {"hypothesis": None}),
        ("decision x", ev.Decided, {}),
        ("escalated @ben x", ev.Escalated, {"target": "@ben", "person": "b"}),
        ("told customers: x", ev.ToldStakeholders, {"audience": "customers"}),
        ("mitigation x", ev.MitigationTried, {}),
        ("mitigated x", ev.Mitigated, {}),
        ("again x", ev.Recurred, {}),
        ("summary x", ev.Summarised, {}),
        ("services x", ev.ServicesNamed, {"added": ("x",)}),
        ("impact users saw: x", ev.ImpactDescribed, {"seen_by_users": True}),
        ("trigger x", ev.TriggerFound, {}),
        ("cause x", ev.CauseFound, {}),
        ("factor x", ev.FactorFound, {}),
        ("fix x", ev.Fixed, {}),
        ("verified x", ev.Verified, {}),
        ("improve x", ev.ImprovementProposed, {}),
        ("well x", ev.WentWell, {}),
        ("wrong x", ev.WentWrong, {}),
        ("lucky x", ev.GotLucky, {}),
        ("takeaway x", ev.TakenAway, {}),
        ("question x", ev.QuestionAsked, {"question": 6}),
        ("answer R5 x", ev.QuestionAnswered, {"question": 5, "about": None}),
        ("answer 1 x", ev.QuestionAnswered, {"question": None, "about": 1}),
        ("role dba @ben x", ev.RoleGiven, {"role": "dba", "person": "b", "who": "@ben"}),
        ("handover @ben x", ev.HandedOver, {"person": "b", "who": "@ben"}),
        ("sev2 x", ev.SeveritySet, {"severity": 2}),
        ("link https://a.example x", ev.LinkAdded, {"url": "https://a.example"}),
        ("resolve x", ev.Resolved, {}),
        (
            "todo @ben prevent: x by 2026-12-01",
            ev.TaskAdded,
            {"task": 1, "owner": "@ben", "person": "b", "category": Category.PREVENT, "due": date(2026, 12, 1)},
        ),
    ],
)
def test_a_line_becomes_an_entry(line: str, cls: type[ev.Numbered], more: dict[str, Any]) -> None:
    story = Story("start Checkout")
    assert story.when(line) == [cls(**story.entry(text="x", **more))]


def test_an_entry_happened_when_it_is_said_unless_a_time_is_given() -> None:
    story = Story("start Checkout")
    assert story.when("note x", zone="Africa/Lagos") == [ev.Noted(**story.entry(text="x", zone="Africa/Lagos"))]
    assert story.when("note ~02:58 UTC x", zone="Africa/Lagos") == [
        ev.Noted(**story.entry(text="x", at=at("02:58"), approx=True, zone="UTC"))
    ]


def test_a_line_that_was_typed_earlier_happened_then() -> None:
    story = Story("start Checkout", "note x", "note y")
    assert story.when("action x", said_at=at("03:01")) == [ev.Acted(**story.entry(text="x", at=at("03:01")))]
    assert story.when("action -5m x", said_at=at("03:01")) == [ev.Acted(**story.entry(text="x", at=at("02:56")))]
    story.given("todo x")
    assert story.when("done T1", said_at=at("03:02")) == [ev.TaskDone(**story.mark(), task=1, at=at("03:02"))]


def test_impact_says_its_share_of_users() -> None:
    story = Story("start Checkout")
    assert story.when("impact 34 % of users") == [ev.ImpactDescribed(**story.entry(text="34 % of users", share="34"))]


def test_a_service_that_was_never_named_cannot_be_taken_away() -> None:
    story = Story("services Checkout, Mail")
    assert story.when("services -checkout") == [
        ev.ServicesNamed(**story.entry(text="-checkout", added=(), removed=("checkout",)))
    ]
    assert story.refused("services -search") == (
        "“search” is not among the affected services.",
        "Recorded so far: Checkout, Mail.",
    )


def test_the_severity_that_it_has_is_no_change() -> None:
    message, _ = Story("note x").refused("sev1")
    assert message == "INC-42 is SEV1 already."


# ---- references ----------------------------------------------------------------------------------


def test_a_dead_end_is_paired_with_its_hypothesis() -> None:
    story = Story("suspect the pool")
    why = "rollback changed nothing"
    assert story.when(f"ruledout 2 {why}") == [ev.RuledOut(**story.entry(text=why, hypothesis=2))]
    assert story.when("ruledout #2") == [ev.RuledOut(**story.entry(text="", hypothesis=2))]
    assert story.when(f"ruledout 2 at 02:58 {why}") == [
        ev.RuledOut(**story.entry(text=why, hypothesis=2, at=at("02:58")))
    ]


def test_a_number_that_is_no_hypothesis_is_text() -> None:
    story = Story("note x", "suspect y", "suspect z", "remove 3", "edit 4 as note")
    for number in (1, 2, 3, 4, 99):
        assert story.when(f"ruledout {number} bad disks") == [
            ev.RuledOut(**story.entry(text=f"{number} bad disks", hypothesis=None))
        ]


def test_a_note_that_became_a_hypothesis_can_be_ruled_out() -> None:
    story = Story("note x", "edit 2 as hypothesis")
    assert story.when("ruledout 2") == [ev.RuledOut(**story.entry(text="", hypothesis=2))]


@pytest.mark.parametrize(
    ("number", "message"),
    [(2, "Entry 2 is no hypothesis."), (99, "There is no entry 99."), (3, "Entry 3 was removed.")],
)
def test_a_number_alone_must_be_a_hypothesis(number: int, message: str) -> None:
    assert Story("note x", "suspect y", "remove 3").refused(f"ruledout {number}")[0] == message


@pytest.mark.parametrize(
    ("line", "happened"),
    [
        ("worked 2", ev.EffectSeen(by="a", recorded_at=at("03:05"), entry=2, worked=True)),
        ("noeffect 2", ev.EffectSeen(by="a", recorded_at=at("03:05"), entry=2, worked=False)),
        ("worked 5", ev.EffectSeen(by="a", recorded_at=at("03:05"), entry=5, worked=True)),
        ("confirmed 3", ev.HypothesisConfirmed(by="a", recorded_at=at("03:05"), entry=3)),
        ("key 4", ev.Starred(by="a", recorded_at=at("03:05"), entry=4, on=True)),
        ("unkey 4", ev.Starred(by="a", recorded_at=at("03:05"), entry=4, on=False)),
    ],
)
def test_a_mark_takes_no_number(line: str, happened: Event) -> None:
    assert Story("did x", "suspect x", "note x", "mitigation x").when(line) == [happened]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("worked 3", "Entry 3 is not an action or a mitigation: it is recorded as note."),
        ("noeffect 4", "Entry 4 is not an action or a mitigation: it is recorded as dead end."),
        ("confirmed 2", "Entry 2 is not a hypothesis: it is recorded as action."),
        ("worked 9", "There is no entry 9."),
        ("key 9", "There is no entry 9."),
        ("key 0", "There is no entry 0."),
        ("key 5", "Entry 5 was removed."),
        ("worked 6", "Entry 6 was undone."),
    ],
)
def test_a_mark_that_does_not_fit_is_refused(line: str, message: str) -> None:
    assert Story("did x", "note x", "ruledout x", "did y", "remove 5", "did z", "undo").refused(line)[0] == message


def test_an_answer_is_to_a_question_that_exists() -> None:
    story = Story("question Why?", "note x")
    assert story.when("answer R6 x") == [ev.QuestionAnswered(**story.entry(text="x", question=6, about=None))]
    assert story.when("answer 2 x") == [ev.QuestionAnswered(**story.entry(text="x", question=6, about=2))]
    assert story.when("answer 3 x") == [ev.QuestionAnswered(**story.entry(text="x", question=None, about=3))]
    assert [story.refused(f"answer {what} x")[0] for what in ("R0", "R7", "0", "9")] == [
        "There is no question R0.",
        "There is no question R7.",
        "There is no entry 0.",
        "There is no entry 9.",
    ]


def test_a_question_takes_the_next_number_even_after_an_undo() -> None:
    story = Story("question Why?", "undo")
    assert story.when("question How?") == [ev.QuestionAsked(**story.entry(text="How?", question=7))]
    assert story.incident.last_entry == 2


# ---- the end of impact, the end ------------------------------------------------------------------


def test_impact_may_stop_and_come_back_as_often_as_it_likes() -> None:
    story = Story("mitigated", "again x", "mitigated", "mitigated for good", "again y", "again z")
    assert [(w.start, w.end) for w in story.incident.windows()] == [
        (at("02:50"), at("03:01")),
        (at("03:02"), at("03:04")),
        (at("03:05"), None),
    ]


@pytest.mark.parametrize("line", ["mitigated 02:49", "resolve 02:49", "again 02:49 x"])
def test_nothing_ends_or_comes_back_before_it_began(line: str) -> None:
    assert Story("note x").refused(line)[0] == (
        "That is 21 November 2026 02:49 UTC, before impact began at 21 November 2026 02:50 UTC."
    )


def test_within_the_minute_of_onset_it_may() -> None:
    story = Story()
    story.now = BEGIN.replace(second=40, microsecond=123)
    story.given("start Checkout")
    assert story.when("mitigated 03:00") == [ev.Mitigated(**story.entry(at=BEGIN))]


def test_what_is_resolved_is_not_resolved_again() -> None:
    assert Story("resolve 03:00").refused("resolve x") == (
        "INC-42 is already resolved at 21 November 2026 03:00 UTC.",
        "Type reopen <why> if it is not over; note, cause, fix, … still record.",
    )


def test_what_is_open_is_not_reopened() -> None:
    assert Story("note x").refused("reopen") == ("INC-42 is open.", "Type again <text> if impact came back.")


def test_what_was_resolved_is_reopened_and_resolved() -> None:
    story = Story("resolve")
    assert story.when("reopen errors") == [ev.Reopened(**story.entry(text="errors"))]
    story.given("reopen errors")
    assert story.when("resolve") == [ev.Resolved(**story.entry())]


@pytest.mark.parametrize("line", ["note x", "cause x", "todo x", "mitigated 02:59", "edit 1 x", "again 02:59 x"])
def test_after_the_resolution_everything_records(line: str) -> None:
    assert len(Story("resolve").when(line)) == 1


def test_impact_that_comes_back_after_the_resolution_needs_a_reopen_first() -> None:
    story = Story("resolve")
    assert story.refused("again x") == (
        "INC-42 was resolved at 21 November 2026 03:01 UTC.",
        "Type reopen <why> first, then again <text>; or again with the earlier time at which impact came back.",
    )
    story.given("again 02:59 x")
    assert story.refused("move 3 03:02")[0] == "INC-42 was resolved at 21 November 2026 03:01 UTC."
    story.given("reopen")
    assert story.when("again x") == [ev.Recurred(**story.entry(text="x"))]


def test_cancelling_asks_first() -> None:
    story = Story("note x")
    assert story.asked("cancel false alarm") == ("Cancel INC-42 “Checkout”? The record is kept.", yes("Cancel it"))
    assert story.when("cancel false alarm", confirmed=True) == [ev.Cancelled(**story.entry(text="false alarm"))]


def test_closing_as_a_duplicate_asks_first() -> None:
    story = Story("note x")
    assert story.asked("duplicate of 41") == (
        "Close INC-42 as a duplicate of INC-41? The record is kept.",
        yes("It is INC-41"),
    )
    assert story.when("duplicate of 41", confirmed=True) == [ev.DuplicateFound(**story.entry(of=41))]
    assert story.refused("duplicate of 42")[0] == "An incident is no duplicate of itself."


@pytest.mark.parametrize("line", ["cancel x", "duplicate of 41"])
def test_what_is_resolved_is_neither_cancelled_nor_a_duplicate(line: str) -> None:
    assert Story("resolve").refused(line) == ("INC-42 is resolved already.", "Type reopen first.")


@pytest.mark.parametrize(("end", "said"), [("cancel no", "cancelled"), ("duplicate of 41", "closed as a duplicate")])
def test_what_was_none_records_nothing_until_it_is_brought_back(end: str, said: str) -> None:
    story = Story("note x", end)
    for line in ("note y", "resolve", "todo x", "cancel y", "edit 2 x", "publish"):
        assert story.refused(line) == (
            f"INC-42 is {said}.",
            "Type reopen INC-42: <why> if it is an incident after all, or start <title> to open another.",
        )
    assert story.when("undo") == [ev.Undone(**story.mark(), seq=3)]
    assert story.when("reopen it is one", by="b") == [ev.Reopened(**story.entry("b", text="it is one"))]
    story.given("reopen")
    assert story.incident.status is Status.OPEN


# ---- twice, and far away -------------------------------------------------------------------------


def test_the_same_line_within_ninety_seconds_is_asked_about() -> None:
    story = Story("note slow")
    story.now = at("03:01") + timedelta(seconds=90)
    assert story.asked("note slow") == (
        "You recorded the same line 1 min ago as entry 2.",
        yes("Record it again"),
    )
    assert story.when("note slow", confirmed=True) == [ev.Noted(**story.entry(text="slow"))]
    story.now += timedelta(seconds=1)
    assert story.when("note slow") == [ev.Noted(**story.entry(text="slow"))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("note slow", "b| note slow"),
        ("note slow", "note slower"),
        ("note slow", "action slow"),
        ("note slow", "note 02:55 slow"),
        ("note 02:55 slow", "note 02:56 slow"),
        ("lead @ada", "lead @ben"),
        ("role dba @ada", "role communications @ada"),
        ("escalated @ada look", "escalated @ben look"),
        ("told customers: look", "told management: look"),
        ("ruledout 2", "ruledout 3"),
        ("answer R1 yes", "answer R2 yes"),
        ("sev2", "sev3"),
        ("link https://a.example", "link https://b.example"),
        ("detected by us", "detected by user"),
        ("impact users saw: x", "impact x"),
        ("todo @ada x", "todo @ben x"),
        ("ack", "b| ack"),
    ],
)
def test_another_line_is_not_the_same_line(first: str, second: str) -> None:
    story = Story("suspect a", "suspect b", first)
    by, _, line = second.rpartition("| ")
    story.now -= timedelta(seconds=30)
    assert len(story.when(line, by=by or "a")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "note slow",
        "note 02:55 slow",
        "todo @ben x by Friday",
        "question Why?",
        "mitigated",
        "services a, b",
        "lead @ada",
    ],
)
def test_the_same_line_of_any_kind_is_asked_about(line: str) -> None:
    story = Story(line)
    story.now -= timedelta(seconds=30)
    assert story.asked(line)[0] == "You recorded the same line just now as entry 2."


def test_a_line_that_was_taken_back_may_be_said_again() -> None:
    story = Story("note slow", "undo")
    story.now -= timedelta(minutes=1)
    assert story.when("note slow") == [ev.Noted(**story.entry(text="slow"))]


@pytest.mark.parametrize("line", ["note 14:00 x", "detected 14:00", "mitigated 14:00", "todo 14:00 x", "move 2 14:00"])
def test_a_clock_time_far_before_onset_is_asked_about(line: str) -> None:
    story = Story("note x")
    with pytest.raises(Question) as caught:
        story.when(line)
    assert (caught.value.message, caught.value.choices, caught.value.field) == (
        "14:00 UTC would be 20 November 2026 14:00 UTC, 12 h 50 min before impact began; "
        "21 November 2026 14:00 UTC is still to come.",
        yes("Yes, 20 November 2026 14:00 UTC"),
        "when",
    )
    assert caught.value.hint == (
        "Nothing is recorded yet. Otherwise type the time with its date and zone, for example: at 2026-11-21 02:52 UTC"
    )


def test_a_clock_time_far_before_onset_that_is_meant_is_recorded() -> None:
    story = Story("note x")
    assert story.when("note 14:00 a warning", confirmed=True) == [
        ev.Noted(**story.entry(text="a warning", at=at("14:00", 20)))
    ]


@pytest.mark.parametrize("when", ["15:00", "Fri 10:00", "2026-11-20 14:00", "yesterday 14:00"])
def test_a_time_that_is_near_or_has_a_day_is_not_asked_about(when: str) -> None:
    assert len(Story("note x").when(f"note {when} x")) == 1


# ---- captured messages ---------------------------------------------------------------------------


def captured(text: str = "slow", kind: Kind = Kind.NOTE, said_in: str = "C1/1.2") -> cmd.Record:
    return cmd.Record(kind=kind, text=text, said_in=said_in, author="b")


def test_a_captured_message_is_recorded_with_where_it_was_said_and_by_whom() -> None:
    story = Story("start Checkout")
    assert story.when(captured()) == [ev.Noted(**story.entry(text="slow", said_in="C1/1.2", author="b"))]


def test_a_message_is_captured_once_as_each_kind() -> None:
    story = Story("start Checkout").given(captured())
    assert story.refused(captured("edited"), by="c") == (
        "That message is recorded already, as entry 2.",
        "Type edit 2 <text> to change it.",
    )
    assert len(story.when(captured(kind=Kind.ACTION))) == 1
    assert len(story.when(captured(said_in="C1/3.4"))) == 1


@pytest.mark.parametrize("kind", [Kind.NOTE, Kind.ACTION])
def test_a_message_whose_text_was_destroyed_is_captured_as_nothing(kind: Kind) -> None:
    story = Story("start Checkout").given(captured("the password is hunter2")).given(cmd.Redact(entry=2))
    assert story.refused(captured("the password is hunter2", kind), by="c") == (
        "The text of that message was destroyed, with entry 2.",
        "Record it in other words, without what must not be kept.",
    )
    assert len(story.when(captured(said_in="C1/3.4"))) == 1


def test_two_messages_with_the_same_words_are_two() -> None:
    story = Story("start Checkout").given(captured())
    story.now -= timedelta(seconds=50)
    assert len(story.when(captured(said_in="C1/3.4"))) == 1


@pytest.mark.parametrize("line", ["undo", "remove 2"])
def test_a_message_whose_entry_left_the_record_may_be_captured_again(line: str) -> None:
    story = Story("start Checkout").given(captured()).given(line)
    assert len(story.when(captured())) == 1


# ---- tasks ---------------------------------------------------------------------------------------


def test_an_action_item_is_changed_by_its_number() -> None:
    story = Story("todo Cap the pool")
    assert story.when("todo T1 @ben by Friday") == [
        ev.TaskChanged(**story.mark(), task=1, owner="@ben", person="b", due=date(2026, 11, 27))
    ]
    assert story.when("todo T1 detect: Watch it") == [
        ev.TaskChanged(**story.mark(), task=1, category=Category.DETECT, text="Watch it")
    ]


def test_text_that_begins_like_an_unknown_action_item_may_be_a_new_one() -> None:
    story = Story("todo x")
    assert story.asked("todo T3 instances are too small") == (
        "There is no action item T3. Nothing is recorded yet.",
        yes("Add it as a new one"),
    )
    line = "todo T3 @ben prevent: instances are too small by 2026-12-01"
    assert story.when(line, confirmed=True) == [
        ev.TaskAdded(
            **story.entry(text="T3 instances are too small"), task=2, owner="@ben", person="b",
            category=Category.PREVENT, due=date(2026, 12, 1),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["todo T3 @ben", "todo T3 by Friday", "done T3", "drop T3 no"])
def test_an_action_item_that_does_not_exist_is_refused(line: str) -> None:
    assert Story("todo x", "todo y", "remove 2").refused(line) == (
        "There is no action item T3.",
        "Action items: T2. Type todo <task> to add one.",
    )


def test_an_action_item_is_done_or_dropped_once() -> None:
    story = Story("todo x", "todo y")
    assert story.when("done T1 02:59") == [ev.TaskDone(**story.mark(), task=1, at=at("02:59"))]
    assert story.when("drop T2 no use") == [ev.TaskDropped(**story.mark(), task=2, text="no use")]
    story.given("done T1", "drop T2 no use")
    refusals = [story.refused(line) for line in ("done T1", "drop T1 x", "done T2", "drop T2 x")]
    assert refusals == [
        (f"T{n} is {state}; nothing is left to do.", f"Type todo INC-42: T{n} again if it is to be done after all.")
        for n, state in [(1, "done already since 21 November 2026")] * 2 + [(2, "dropped already")] * 2
    ]


def test_the_number_of_an_action_item_is_never_used_again() -> None:
    story = Story("todo x", "undo")
    assert story.when("todo y") == [ev.TaskAdded(**story.entry(text="y"), task=2)]


# ---- corrections ---------------------------------------------------------------------------------


def test_a_text_is_corrected_with_what_hangs_on_it() -> None:
    story = Story("note x", "impact 34 % of users", "services a")
    assert story.when("edit 2 y", by="b") == [ev.TextCorrected(**story.mark("b"), entry=2, text="y")]
    assert story.when("edit 3 5 % of users") == [
        ev.TextCorrected(**story.mark(), entry=3, text="5 % of users", share="5")
    ]
    assert story.when("edit 4 b, -a") == [
        ev.TextCorrected(**story.mark(), entry=4, text="b, -a", added=("b",), removed=("a",))
    ]
    assert story.when("edit 2 5 % of users") == [ev.TextCorrected(**story.mark(), entry=2, text="5 % of users")]


def test_a_title_stays_one_line() -> None:
    story = Story("note x")
    assert story.when("edit 1 Checkout\nis down") == [
        ev.TextCorrected(**story.mark(), entry=1, text="Checkout is down")
    ]
    assert story.when("title Checkout\nis down") == [ev.Retitled(**story.mark(), text="Checkout is down")]


@pytest.mark.parametrize("line", ["edit 9 x", "edit 9 as note", "move 9 03:00", "remove 9", "redact 9"])
def test_an_entry_that_does_not_exist_is_not_corrected(line: str) -> None:
    assert Story("note x").refused(line) == (
        "There is no entry 9.",
        "The last one is 2; type timeline to see the numbers.",
    )


@pytest.mark.parametrize("line", ["edit 2 x", "edit 2 as note", "move 2 03:00", "remove 2"])
def test_an_entry_that_left_the_record_is_not_corrected(line: str) -> None:
    assert Story("action x", "remove 2").refused(line)[0] == "Entry 2 was removed."
    assert Story("action x", "undo").refused(line)[0] == "Entry 2 was undone."


@pytest.mark.parametrize("line", ["edit 2 x", "edit 2 as note", "move 2 03:00", "remove 2"])
def test_an_entry_whose_text_was_destroyed_is_not_corrected(line: str) -> None:
    assert Story("action x", "redact 2").refused(line)[0] == "The text of entry 2 was destroyed."


def test_an_entry_becomes_another_kind() -> None:
    story = Story("note 34 % of users cannot pay")
    assert story.when("edit 2 as action") == [ev.KindCorrected(**story.mark(), entry=2, to=Kind.ACTION)]
    assert story.when("edit 2 as impact") == [ev.KindCorrected(**story.mark(), entry=2, to=Kind.IMPACT, share="34")]
    assert story.refused("edit 2 as note")[0] == "Entry 2 is that already."


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("edit 1 as note", "What opens, ends or reopens an incident keeps its kind."),
        ("edit 2 as resolution", "What opens, ends or reopens an incident keeps its kind."),
        ("edit 2 as cancelled", "What opens, ends or reopens an incident keeps its kind."),
        ("edit 2 as task", "An entry cannot be turned into or out of a task: it says more than a text."),
        ("edit 2 as answer", "An entry cannot be turned into or out of an answer: it says more than a text."),
        ("edit 3 as note", "An entry cannot be turned into or out of a task: it says more than a text."),
        ("edit 3 as task", "Entry 3 is that already."),
        ("edit 4 as mitigated",
         "That is 21 November 2026 02:40 UTC, before impact began at 21 November 2026 02:50 UTC."),
    ],
)  # fmt: skip
def test_a_kind_that_does_not_fit_is_refused(line: str, message: str) -> None:
    assert Story("note x", "todo x", "note 02:40 x").refused(line)[0] == message


def test_an_entry_is_moved() -> None:
    story = Story("note x", "mitigated")
    assert story.when("move 2 ~02:58", zone="Europe/London") == [
        ev.TimeCorrected(**story.mark(), entry=2, at=at("02:58"), approx=True, zone="Europe/London")
    ]
    assert story.refused("move 1 02:58")[0] == "Entry 1 opened the record; its time stays."
    assert story.refused("move 3 02:40")[0] == (
        "That is 21 November 2026 02:40 UTC, before impact began at 21 November 2026 02:50 UTC."
    )


def test_onset_is_set_but_not_after_impact_ended() -> None:
    story = Story("mitigated 03:00", "again x")
    assert story.when("onset ~02:40") == [ev.OnsetSet(**story.mark(), at=at("02:40"), approx=True)]
    assert story.refused("onset 03:01")[0] == (
        "That is 21 November 2026 03:01 UTC, after impact ended at 21 November 2026 03:00 UTC."
    )


def test_an_onset_far_before_now_by_the_clock_is_asked_about() -> None:
    assert Story("note x").asked("onset 14:00")[0] == (
        "14:00 UTC would be 20 November 2026 14:00 UTC, 13 h 2 min before now; "
        "21 November 2026 14:00 UTC is still to come."
    )


def test_the_zone_of_the_document_is_set() -> None:
    story = Story("note x")
    assert story.when("zone africa/lagos") == [ev.ZoneSet(**story.mark(), zone="Africa/Lagos")]


def test_an_entry_is_removed_with_a_reason_or_without() -> None:
    story = Story("note x")
    assert story.when("remove 2 said twice", by="b") == [ev.Removed(**story.mark("b"), entry=2, text="said twice")]
    assert story.when("remove 2") == [ev.Removed(**story.mark(), entry=2)]


def test_what_opens_and_ends_an_incident_is_not_removed() -> None:
    story = Story("resolve", "reopen")
    refusals = [story.refused(f"remove {number}")[0] for number in (1, 2, 3)]
    assert refusals == [
        f"Entry {number} opens, ends or reopens the incident and cannot be removed." for number in (1, 2, 3)
    ]


def test_a_section_is_written_and_given_back() -> None:
    story = Story("note x")
    assert story.when("edit section summary mine") == [
        ev.SectionWritten(**story.mark(), section="summary", text="mine")
    ]
    assert story.refused("edit section summary")[0] == (
        "Section “summary” is as Scribe composes it; nothing of yours is there."
    )
    story.given("edit section summary mine")
    assert story.when("edit section summary") == [ev.SectionWritten(**story.mark(), section="summary", text="")]


# ---- redaction -----------------------------------------------------------------------------------


def test_redaction_asks_first() -> None:
    story = Story("note hunter2")
    message, choices = story.asked("redact 2")
    assert message.startswith("Destroy the text of entry 2 for good?")
    assert choices == yes("Destroy the text")
    assert story.when("redact 2", by="b", confirmed=True) == [ev.Redacted(**story.mark("b"), entry=2)]


@pytest.mark.parametrize("line", ["remove 2", "undo"])
def test_the_text_of_an_entry_that_left_the_record_can_still_be_destroyed(line: str) -> None:
    story = Story("note hunter2", line)
    assert story.when("redact 2", confirmed=True) == [ev.Redacted(**story.mark(), entry=2)]


def test_a_text_is_destroyed_once() -> None:
    assert Story("note x", "redact 2").refused("redact 2", confirmed=True) == (
        "The text of entry 2 is destroyed already.",
        "There is nothing left to redact.",
    )


# ---- the web link --------------------------------------------------------------------------------


def test_taking_the_web_link_back_asks_first() -> None:
    story = Story("note x")
    message, choices = story.asked("link revoke")
    assert message.startswith("Take the web link of INC-42 back?")
    assert choices == yes("Take the link back")
    assert story.when("link revoke", by="b", confirmed=True) == [ev.LinkRevoked(**story.mark("b"))]


def test_the_web_link_is_taken_back_as_often_as_it_takes() -> None:
    story = Story("note x", "link revoke")
    assert story.when("link revoke", confirmed=True) == [ev.LinkRevoked(**story.mark())]


@pytest.mark.parametrize("line", ["resolve", "cancel false alarm", "duplicate of 41"])
def test_the_web_link_can_be_taken_back_when_it_is_over(line: str) -> None:
    story = Story("note x", line)
    assert story.when("link revoke", confirmed=True) == [ev.LinkRevoked(**story.mark())]


# ---- undo ----------------------------------------------------------------------------------------


def test_undo_takes_back_ones_own_last() -> None:
    story = Story("note x", "b| note y", "c| note z")
    assert story.when("undo") == [ev.Undone(**story.mark(), seq=2)]
    assert story.when("undo", by="b") == [ev.Undone(**story.mark("b"), seq=3)]


@pytest.mark.parametrize(
    "line",
    [
        "note x", "todo x", "key 1", "title x", "onset 02:40", "zone Africa/Lagos", "none share", "resolve",
        "mitigated", "edit 1 x", "review", "approve", "sev2", "cancel x", "edit section summary x",
    ],
)  # fmt: skip
def test_undo_takes_back_whatever_it_was(line: str) -> None:
    story = Story("start Checkout", line)
    assert story.when("undo") == [ev.Undone(**story.mark(), seq=2)]


def test_one_undo_after_the_other_goes_further_back() -> None:
    story = Story("note x", "b| note y", "note z", "undo")
    assert story.when("undo") == [ev.Undone(**story.mark(), seq=2)]
    story.given("undo")
    assert story.refused("undo") == ("Your last line opened the incident.", "Type cancel <why> if it was none.")


def test_nobody_takes_back_what_another_said() -> None:
    nothing = ("There is nothing of yours to take back.", "Type remove <n> for an entry of somebody else.")
    story = Story("note x")
    assert story.refused("undo", by="b") == nothing
    assert story.refused(cmd.Undo(seq=2), by="b") == nothing
    assert story.when(cmd.Undo(seq=2)) == [ev.Undone(**story.mark(), seq=2)]


def test_an_event_is_taken_back_once_and_an_undo_never() -> None:
    story = Story("note x", "undo")
    assert story.refused(cmd.Undo(seq=2))[0] == "That was taken back already."
    assert story.refused(cmd.Undo(seq=3))[0] == "There is nothing of yours to take back."
    assert story.refused(cmd.Undo(seq=99))[0] == "There is nothing of yours to take back."
    assert story.refused(cmd.Undo(seq=1))[0] == "Your last line opened the incident."


def test_a_captured_message_is_taken_back_by_the_one_who_captured_it() -> None:
    story = Story("start Checkout").given(captured())
    assert story.when("undo") == [ev.Undone(**story.mark(), seq=2)]
    assert story.refused("undo", by="b")[0] == "There is nothing of yours to take back."


def test_undo_does_not_pass_over_what_cannot_be_taken_back() -> None:
    assert Story("note x", "note y", "redact 2").refused("undo")[0] == "Your last line destroyed a text; it is gone."
    assert Story("note x", "resolve", "publish").refused("undo")[0] == "What is published stays published."
    assert Story("note x", "link revoke").refused("undo")[0] == "Your last line took a web link back; it stays so."


# ---- none, review, publish, share ----------------------------------------------------------------


@pytest.mark.parametrize("gap", GAP_WORDS)
def test_a_gap_may_not_apply(gap: str) -> None:
    story = Story("note x")
    assert story.when(f"none {gap}") == [ev.NotApplicable(**story.mark(), gap=gap)]


def test_the_number_of_a_gap_must_have_become_its_word() -> None:
    assert Story("note x").refused("none 6") == (
        "There is no gap 6.",
        f"Type gaps to see them, or none with one of: {', '.join(GAP_WORDS)}.",
    )


def test_the_document_is_reviewed_approved_published_and_shared() -> None:
    story = Story("resolve")
    assert story.when("review Tue 14:00 @chidi") == [
        ev.ReviewCalled(**story.mark(), person="c", who="@chidi", text="Tue 14:00", held_at=at("14:00", 24))
    ]
    assert story.when("review after lunch") == [ev.ReviewCalled(**story.mark(), text="after lunch")]
    assert story.when("approve") == [ev.Approved(**story.mark(), upto=2)]
    assert story.when("publish") == [ev.Published(**story.mark(), upto=2)]
    assert story.when(cmd.Share(channel="C1", name="#general")) == [ev.SharedTo(**story.mark(), channel="C1")]


def test_what_customers_read_is_approved_as_it_was_shown() -> None:
    story = Story("impact customers cannot pay", "resolve")
    assert story.refused("approve customer") == (
        "What customers will read is looked at before it is approved; nothing is changed.",
        "Type draft customer: below it stands the line with which to approve it.",
    )
    assert story.refused("approve customer 4") == story.refused("approve customer")
    assert story.when("approve customer 3") == [ev.Approved(**story.mark(), upto=3, what="customer")]
    story.given("note a thing that customers never see")
    assert story.when("approve customer 3") == [ev.Approved(**story.mark(), upto=3, what="customer")]
    story.given("impact nor log in")
    assert story.refused("approve customer 3") == (
        "What customers would read has changed since that was shown; nothing is changed.",
        "Type draft customer to see how it reads now.",
    )
    assert story.when("approve customer 5") == [ev.Approved(**story.mark(), upto=5, what="customer")]


def test_of_a_drill_nothing_goes_to_customers() -> None:
    story = Story("start drill Checkout", "impact customers cannot pay")
    assert story.refused("approve customer 2")[0] == "INC-42 is a drill: customers hear nothing of it."


def test_a_title_and_tasks_are_meant_for_customers() -> None:
    story = Story("title customers: Payments failed", "todo Cap it #public", "todo Sack nobody")
    assert (story.incident.title, story.incident.title_for_customers) == ("Checkout", "Payments failed")
    assert [task.public for task in story.incident.tasks.values()] == [True, False]
    assert story.when("todo T1 #internal") == [ev.TaskChanged(**story.mark(), task=1, public=False)]
    assert story.when("todo T2 #public") == [ev.TaskChanged(**story.mark(), task=2, public=True)]
    assert story.when("todo T9 instances are small #public", confirmed=True) == [
        ev.TaskAdded(**story.entry(), text="T9 instances are small", task=3, public=True)
    ]
    story.given("todo T1 #internal", "todo T2 #public", "todo T2 by 2026-12-01")
    assert [task.public for task in story.incident.tasks.values()] == [False, True]


def test_only_what_is_resolved_is_published_and_only_once() -> None:
    assert Story("note x").refused("publish") == ("INC-42 is not resolved yet.", "Type resolve <text> first.")
    assert Story("resolve", "publish").refused("publish") == (
        "The document is published already.",
        "What is recorded now becomes an addendum.",
    )


@pytest.mark.parametrize("line", ["note x", "cause x", "todo x", "edit 2 x", "well x", "move 2 03:00", "remove 2"])
def test_after_publication_everything_records_as_an_addendum(line: str) -> None:
    assert len(Story("note y", "resolve", "publish").when(line)) == 1


# ---- who may correct -----------------------------------------------------------------------------

CORRECTIONS = ["edit 2 y", "edit 2 as action", "move 2 03:00", "remove 2", "redact 2"]


@pytest.mark.parametrize("line", CORRECTIONS)
def test_everybody_in_the_channel_corrects(line: str) -> None:
    assert len(Story("note x").when(line, by="b", confirmed=True)) == 1


@pytest.mark.parametrize("line", CORRECTIONS)
def test_only_who_recorded_it_corrects_where_the_settings_say_so(line: str) -> None:
    story = Story("note x")
    assert story.refused(line, by="b", authors_only=True, confirmed=True) == (
        "Only who recorded entry 2 may correct it here (SCRIBE_CORRECTIONS=author).",
        "Record what is right as a note.",
    )
    assert len(story.when(line, authors_only=True, confirmed=True)) == 1


@pytest.mark.parametrize("by", ["a", "b"])
def test_a_captured_message_is_corrected_by_its_author_and_by_who_captured_it(by: str) -> None:
    story = Story("start Checkout").given(captured())
    assert len(story.when("edit 2 y", by=by, authors_only=True)) == 1
    assert story.refused("edit 2 y", by="c", authors_only=True)[0].startswith("Only who recorded entry 2")


@pytest.mark.parametrize("line", ["note x", "worked 2", "key 2", "todo T1 @ben", "title x", "undo", "cause x"])
def test_what_is_no_correction_of_an_entry_is_open_to_everybody(line: str) -> None:
    story = Story("action x", "todo x", "b| note y")
    assert len(story.when(line, by="b", authors_only=True)) == 1


# ---- always --------------------------------------------------------------------------------------


def test_deciding_changes_nothing() -> None:
    story = Story("note x", "todo y", "suspect z")
    before = replace(story.incident)
    entries = {number: replace(entry, history=[*entry.history]) for number, entry in story.incident.entries.items()}
    for line in ("note y", "worked 2", "remove 2", "undo", "edit 1 x", "done T1", "ruledout 4", "resolve", "title y"):
        try:
            story.when(line)
        except Refusal:
            continue
    assert (story.incident, story.incident.entries) == (before, entries)


def test_every_command_takes_the_one_now_that_it_is_given() -> None:
    story = Story("action x", "todo x", "suspect x", "question x")
    lines = [row.example for row in VERBS.values() if not row.looks and row.name not in {"start", "answer", "share"}]
    told = dict.fromkeys(("done T3", "drop T3 replaced by T5"), "T1")
    numbers = {"worked": 2, "noeffect": 2, "confirmed": 4, "ruledout": 4}
    recorded: list[datetime] = []
    for line in lines:
        verb, _, rest = line.partition(" ")
        if line in told:
            rest = rest.replace("T3", told[line])
        elif rest.split(" ")[0].isdecimal():
            rest = " ".join([str(numbers.get(verb, 2)), *rest.split(" ")[1:]])
        rest = rest.replace("@dana", "@chidi")
        story.now = at("05:00")
        try:
            recorded += [one.recorded_at for one in story.when(f"{verb} {rest}", confirmed=True)]
        except Refusal as refusal:
            assert verb in {"reopen", "publish"}, (line, refusal)  # noqa: PT017
    assert set(recorded) == {at("05:00")}
    assert len(recorded) == len(lines) - 2


def test_the_question_about_a_far_time_names_it_in_the_zone_in_which_it_was_typed() -> None:
    when = times.When(at("14:00", 20), "Africa/Lagos", clock_only=True, zone_used=True)
    message, _ = Story("note x").asked(cmd.SetOnset(when=when))
    assert message.startswith("15:00 WAT would be 20 November 2026 15:00 WAT")


# ---- what was understood otherwise than it was meant ---------------------------------------------


def line_of(question: Question, number: int, typed: str) -> str:
    """The line of a choice, written out for what was typed."""
    return question.within(typed).choices[number].line


def test_a_task_is_not_overwritten_by_a_date_that_cannot_be_read() -> None:
    story = Story("todo Cap the pool")
    message, hint = story.refused("todo T1 @ben by the next full moon")
    assert message == "“by the next full moon” has no date that can be read; T1 is as it was."
    assert "/incident todo T1 by next Friday" in hint
    assert story.when("todo T1 @ben by next Friday") == [
        ev.TaskChanged(**story.mark(), task=1, owner="@ben", person="b", due=date(2026, 11, 27), text=None)
    ]
    (changed,) = story.when("todo T1 : by hand")
    assert isinstance(changed, ev.TaskChanged)
    assert changed.text == "by hand"


def test_an_end_of_impact_before_its_return_is_asked_about() -> None:
    story = Story("mitigated", "again errors are back", "note x")
    with pytest.raises(Question) as caught:
        story.when("mitigated 03:00 pool halved")
    assert caught.value.message == "That is before impact came back (#3, 03:02 UTC)."
    assert caught.value.choices == (
        Choice("It stopped now", "mitigated INC-42: at now pool halved"),
        Choice("Keep 21 November 2026 03:00 UTC", LINE_TO_CONFIRM, confirmed=True),
    )
    (now,) = story.when("mitigated INC-42: at now pool halved")
    assert isinstance(now, ev.Mitigated)
    assert (now.at, now.text) == (story.now, "pool halved")
    story.given("mitigated 03:00 pool halved")
    assert story.incident.windows()[-1].end is None
    assert story.when("mitigated 03:02 x") != []


def test_after_the_resolution_a_clock_time_may_be_of_the_incidents_own_day() -> None:
    story = Story("resolve 03:01")
    story.now = at("09:30", 22)
    with pytest.raises(Question) as caught:
        story.when("note 03:05 the graphs were flat")
    assert caught.value.message == (
        "INC-42 was resolved at 21 November 2026 03:01 UTC. "
        "03:05 UTC may be 21 November 2026 03:05 UTC, or 22 November 2026 03:05 UTC."
    )
    assert [choice.label for choice in caught.value.choices] == [
        "21 November 2026 03:05 UTC",
        "22 November 2026 03:05 UTC",
    ]
    own = line_of(caught.value, 0, "note 03:05 the graphs were flat")
    assert own == "note 2026-11-21 03:05 +00:00 the graphs were flat"
    (noted,) = story.when(own)
    assert isinstance(noted, ev.Noted)
    assert (noted.at, noted.text) == (at("03:05"), "the graphs were flat")
    (today,) = story.when("note 03:05 x", confirmed=True)
    assert isinstance(today, ev.Noted)
    assert today.at == at("03:05", 22)


def test_a_clock_time_that_only_today_has_is_not_asked_about() -> None:
    story = Story("resolve 03:01")
    story.now = at("16:00")
    assert story.when("note 15:50 x") != []
    assert story.when("note 03:05 x") != []
    assert story.when("note -5m x") != []


def test_a_far_time_is_read_first_off_the_clocks_of_the_incident() -> None:
    story = Story("note x")
    story.now = at("03:20")
    with pytest.raises(Question) as caught:
        story.when("note 03:17 x", zone="America/New_York")
    assert [choice.label for choice in caught.value.choices] == [
        "21 November 2026 03:17 UTC, 3 min ago",
        "Yes, 20 November 2026 03:17 EST",
    ]
    assert caught.value.hint.endswith("with its date and zone, for example: at 2026-11-21 03:10 UTC")
    written = line_of(caught.value, 0, "note 03:17 x")
    (noted,) = story.when(written, zone="America/New_York")
    assert isinstance(noted, ev.Noted)
    assert (noted.at, noted.text) == (at("03:17"), "x")


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("note ~14:00 x", "note ~2026-11-20 14:00 +00:00 x"),
        ("note at 14:00, x at 14:00", "note at 2026-11-20 14:00 +00:00, x at 14:00"),
        ("start Errors of 14:00 since 14:00", "start Errors of 14:00 since 2026-11-20 14:00 +00:00"),
    ],
)
def test_a_choice_puts_the_date_where_the_time_stands(line: str, written: str) -> None:
    verb, _, said = line.partition(" ")
    when = times.trailing(said, "since", BEGIN, "UTC")[1] if verb == "start" else times.leading(said, BEGIN, "UTC")[0]
    assert when is not None
    instead = times.dated(when, at("14:00", 20), "UTC")
    written_out = Choice("x", "", typed=when.before + when.typed, instead=instead).within(line)
    assert written_out is not None
    assert written_out.line == written


def test_done_with_a_bare_number_means_the_task_of_that_number() -> None:
    story = Story("note x", "todo one", "todo two")
    assert story.when("done 2") == [ev.TaskDone(**story.mark(), task=2, at=story.now)]
    with pytest.raises(Question) as caught:
        story.when("done 7")
    assert [choice.line for choice in caught.value.choices] == ["note done 7", "action done 7"]


def test_none_is_refused_for_what_is_known() -> None:
    story = Story("cause The pool had no limit.", "factor No alert.")
    message, _ = story.refused("none cause")
    assert message == (
        "Why did it happen? Why did it happen, in detail? Which conditions contributed? That is known: #2, #3."
    )
    assert story.when("none escalation") == [ev.NotApplicable(**story.mark(), gap="escalation")]
