"""The document as data: what each part says, given what was recorded."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.core import events as ev
from bot.core import timeline
from bot.core.document import Metrics, Missing, Options, Postmortem, ReviewNote, Statement
from bot.core.events import Category, Kind, Source
from bot.core.wording import Wording, first_sentence, readable, words
from tests.core.builder import START, Record


def summary(postmortem: Postmortem, label: str) -> Statement:
    return next(s for s in postmortem.summary if s.label == label)


def lines(postmortem: Postmortem) -> list[str]:
    """The timeline as `phase · day` and `clock label: text [notes]`."""
    said: list[str] = []
    for phase in postmortem.timeline.phases:
        said.append(f"{phase.name} · {phase.day}" if phase.day else phase.name)
        for line in phase.lines:
            notes = f" [{' '.join(line.notes)}]" if line.notes else ""
            said.append(f"{line.clock} {line.label}: {line.text}{notes}")
    return said


def questions(postmortem: Postmortem) -> list[str]:
    return [f"{q.number} {q.text}{f' Ask {q.ask}.' if q.ask else ''}" for q in postmortem.questions]


# ---- summary -------------------------------------------------------------------------------------


def test_a_summary_has_one_line_a_fact_in_the_order_of_the_default_form() -> None:
    record = Record()
    record.say(Kind.IMPACT, "Orders fail.")
    record.say(Kind.IMPACT, "Error pages.", seen_by_users=True)
    record.say(Kind.SUMMARY, "The shop is down.")
    record.say(Kind.SERVICES, "checkout, orders", added=("checkout", "orders"))
    assert [(s.label, s.text, s.entries, s.missing) for s in record.postmortem().summary] == [
        ("Summary", "The shop is down.", (4,), None),
        ("Duration", "still going on, since 21 November 2026 03:00 UTC.", (), None),
        ("Affected", "checkout, orders", (5,), None),
        ("Impact", "Orders fail.", (2,), None),
        ("Users saw", "Error pages.", (3,), None),
        ("Share of users", "", (), Missing.UNKNOWN),
        ("Found by", "", (), Missing.UNKNOWN),
        ("Root cause", "", (), Missing.UNKNOWN),
        ("Takeaway", "", (), Missing.UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("zone", "marks", "said"),
    [
        (
            "UTC",
            [(Kind.RESOLUTION, 128)],
            "2 h 8 min, 21 November 2026 03:00 UTC to 21 November 2026 05:08 UTC.",
        ),
        (
            "UTC",
            [(Kind.MITIGATED, 55), (Kind.RESOLUTION, 128)],
            "2 h 8 min, 21 November 2026 03:00 UTC to 21 November 2026 05:08 UTC. "
            "Users were affected for 55 min, until 03:55 UTC.",
        ),
        (
            "UTC",
            [(Kind.MITIGATED, 10), (Kind.AGAIN, 30), (Kind.MITIGATED, 50), (Kind.RESOLUTION, 60)],
            "1 h, 21 November 2026 03:00 UTC to 21 November 2026 04:00 UTC. "
            "Users were affected for 30 min in 2 windows, the last until 03:50 UTC.",
        ),
        (
            "Asia/Kolkata",
            [(Kind.MITIGATED, 55), (Kind.RESOLUTION, 3 * 1440)],
            "3 d, 21 November 2026 08:30 IST to 24 November 2026 08:30 IST "
            "(21 November 2026 03:00 UTC to 24 November 2026 03:00 UTC). "
            "Users were affected for 55 min, until 09:25 IST (03:55 UTC).",
        ),
        (
            "America/New_York",
            [(Kind.RESOLUTION, 60)],
            "1 h, 20 November 2026 22:00 EST to 20 November 2026 23:00 EST "
            "(21 November 2026 03:00 UTC to 21 November 2026 04:00 UTC).",
        ),
        (
            "Europe/London",
            [(Kind.MITIGATED, 1500)],
            "mitigated; it began 21 November 2026 03:00 GMT. "
            "Users were affected for 25 h, until 22 November 2026 04:00 GMT.",
        ),
        ("UTC", [(Kind.RESOLUTION, 5), (Kind.REOPENED, 9)], "still going on, since 21 November 2026 03:00 UTC."),
    ],
)  # fmt: skip
def test_the_duration_has_dates_zones_and_the_time_of_impact(
    zone: str, marks: list[tuple[Kind, int]], said: str
) -> None:
    record = Record(zone=zone)
    for kind, at in marks:
        record.say(kind, at=at)
    assert summary(record.postmortem(), "Duration").text == said


def test_an_approximate_end_is_marked_and_so_is_what_follows_from_it() -> None:
    record = Record()
    record.say(Kind.RESOLUTION, at=60, approx=True)
    assert (
        summary(record.postmortem(), "Duration").text
        == "~1 h, 21 November 2026 03:00 UTC to 21 November 2026 ~04:00 UTC."
    )


def test_durations_agree_with_the_times_that_are_printed() -> None:
    record = Record(onset=0.9)
    record.say(Kind.RESOLUTION, at=60.1)
    duration = summary(record.postmortem(), "Duration").text
    assert duration == "1 h, 21 November 2026 03:00 UTC to 21 November 2026 04:00 UTC."


@pytest.mark.parametrize(
    ("source", "at", "said"),
    [
        (Source.CUSTOMER, 105, "a customer at 04:45 UTC, 1 h 45 min after the start."),
        (Source.ENGINEER, 0, "an engineer at 03:00 UTC, at the start."),
        (Source.MONITORING, -5, "monitoring at 02:55 UTC, 5 min before the start."),
        (Source.MONITORING, 1440, "monitoring at 22 November 2026 03:00 UTC, 24 h after the start."),
    ],
)
def test_who_found_it_is_said_with_the_time_since_the_start(source: Source, at: int, said: str) -> None:
    record = Record()
    record.say(Kind.DETECTION, "errors", at=at, source=source)
    assert summary(record.postmortem(), "Found by") == Statement("Found by", said, (2,))


def test_a_detection_without_its_source_says_when_and_asks_how() -> None:
    record = Record()
    record.say(Kind.DETECTION, "errors", at=3)
    found = summary(record.postmortem(), "Found by")
    asked = next(q for q in record.postmortem().questions if q.number == found.question)
    assert (found.missing, found.text) == (Missing.UNKNOWN, "at 03:03 UTC, 3 min after the start.")
    assert (asked.text, asked.ask) == ("How was it found?", "Ada")


def test_the_summary_holds_the_first_sentence_of_the_cause_and_the_share_of_users() -> None:
    record = Record()
    record.say(Kind.CAUSE, "First guess.")
    record.say(Kind.CAUSE, "The pool, e.g. of db1, was full. Nobody saw it.")
    record.say(Kind.IMPACT, "34 % of users cannot pay", share="34")
    postmortem = record.postmortem()
    assert summary(postmortem, "Root cause").text == "The pool, e.g. of db1, was full."
    assert postmortem.cause == Statement("Cause", "The pool, e.g. of db1, was full. Nobody saw it.", (3,), said=True)
    assert summary(postmortem, "Share of users").text == "34 %"
    assert [e.text for e in postmortem.entries if e.kind is Kind.CAUSE] == [
        "First guess.",
        "The pool, e.g. of db1, was full. Nobody saw it.",
    ]


def test_without_a_takeaway_the_first_bad_lesson_moves_up_and_is_not_repeated() -> None:
    record = Record()
    record.say(Kind.WRONG, "No alert.")
    postmortem = record.postmortem()
    assert summary(postmortem, "Takeaway").text == "No alert."
    assert [(s.label, s.text, s.missing) for s in postmortem.lessons.items] == [
        ("Went well", "", Missing.NOT_RECORDED),
        ("Went badly", "see the takeaway above.", None),
        ("Lucky", "", Missing.NOT_RECORDED),
    ]
    record.say(Kind.TAKEAWAY, "Alert on it.")
    postmortem = record.postmortem()
    assert summary(postmortem, "Takeaway").text == "Alert on it."
    assert [s.text for s in postmortem.lessons.items] == ["", "No alert.", ""]


def test_what_does_not_apply_is_said_and_not_asked() -> None:
    record = Record()
    record.mark(ev.NotApplicable, gap="share")
    postmortem = record.postmortem()
    assert summary(postmortem, "Share of users") == Statement("Share of users", missing=Missing.NOT_APPLICABLE)
    assert "share" not in {q.key for q in postmortem.questions}


# ---- header --------------------------------------------------------------------------------------


def test_the_header_says_drill_severity_state_and_review() -> None:
    record = Record(drill=True)
    record.say(Kind.SEVERITY, "worse", severity=2)
    header = record.postmortem().header
    assert (header.drill, header.severity, header.status, header.stage, header.reviewed, header.entries) == (
        True, 2, "still going on", "draft", "not reviewed", 2,
    )  # fmt: skip
    record.say(Kind.RESOLUTION)
    record.mark(ev.ReviewCalled)
    assert (record.postmortem().header.status, record.postmortem().header.reviewed) == ("", "not approved yet")
    record.mark(ev.Approved, by="b", upto=3)
    record.mark(ev.Published, upto=3)
    late = record.say(Kind.NOTE, "an addendum")
    postmortem = record.postmortem(Options(revision=3))
    assert (postmortem.header.stage, postmortem.header.revision, postmortem.header.reviewed) == (
        "published", 3, "approved by Ben on 21 November 2026 03:05 UTC, 1 entry since",
    )  # fmt: skip
    assert [e.number for e in postmortem.entries if e.late] == [late]


def test_an_approval_is_of_what_was_read_and_says_what_came_since() -> None:
    record = Record(zone="Europe/Berlin")
    record.say(Kind.RESOLUTION)
    record.mark(ev.ReviewCalled)
    record.mark(ev.Approved, by="a", upto=2)
    assert record.postmortem().header.reviewed == "approved by Ada"
    record.mark(ev.ReviewCalled)
    record.mark(ev.Retitled, audience="customers", text="Orders failed")
    assert record.postmortem().header.reviewed == "approved by Ada", "neither changes what she read"
    note = record.say(Kind.NOTE, "a late thought")
    record.say(Kind.CAUSE, "the pool")
    record.mark(ev.TextCorrected, entry=2, text="calm")
    record.mark(ev.Approved, by="b", upto=len(record.happened))
    both = record.postmortem().header
    assert both.approvals == ("Ada", "Ben")
    assert both.reviewed == (
        "approved by Ben; approved by Ada on 21 November 2026 04:04 CET (03:04 UTC), 2 entries and 1 change since"
    )
    record.mark(ev.Removed, entry=note)
    record.mark(ev.Approved, by="a", upto=len(record.happened))
    assert record.postmortem().header.reviewed == (
        "approved by Ada; approved by Ben on 21 November 2026 04:10 CET (03:10 UTC), 1 change since"
    )


def test_a_cancelled_incident_and_a_duplicate_say_so() -> None:
    cancelled, duplicate = Record(), Record()
    cancelled.say(Kind.CANCELLED, "a false alarm")
    duplicate.say(Kind.DUPLICATE, of=41)
    assert cancelled.postmortem().header.status == "cancelled"
    assert duplicate.postmortem().header.status == "duplicate of INC-41"


# ---- timeline ------------------------------------------------------------------------------------


def test_the_timeline_has_phases_and_says_where_impact_begins_and_ends() -> None:
    record = Record()
    record.say(Kind.ACTION, "deploy", at=-15)
    record.say(Kind.NOTE, "errors", at=0)
    record.say(Kind.DETECTION, "alert", at=8, source=Source.MONITORING)
    record.say(Kind.ESCALATION, "help", at=10, target="DBAs")
    record.say(Kind.MITIGATED, "pool halved", at=55)
    record.say(Kind.UPDATE, "back", at=56, audience="customers")
    record.say(Kind.RESOLUTION, "flat", at=60)
    record.say(Kind.NOTE, "still flat", at=70)
    record.say(Kind.CAUSE, "the pool")
    assert lines(record.postmortem()) == [
        "Lead-up · 21 November 2026",
        "02:45 Action: deploy",
        "Discovery",
        "03:00 Note: errors [Impact begins.]",
        "03:08 Detected by monitoring: alert",
        "Investigation",
        "03:10 Escalated to DBAs: help",
        "Resolution",
        "03:55 Mitigated: pool halved [Impact ends.]",
        "03:56 Told customers: back",
        "04:00 Resolved: flat",
        "Afterwards",
        "04:10 Note: still flat",
    ]


def test_entries_of_one_minute_stand_as_they_were_told() -> None:
    record = Record()
    record.say(Kind.NOTE, "second by the clock, told first", at=5.9)
    record.say(Kind.NOTE, "first by the clock, told second", at=5.1)
    record.say(Kind.NOTE, "earlier", at=4)
    told = [line.text for phase in record.postmortem().timeline.phases for line in phase.lines]
    assert told == ["earlier", "second by the clock, told first", "first by the clock, told second"]


def test_on_the_day_of_the_change_the_zones_are_told_apart_by_the_hour() -> None:
    """On 25 October 2026 the clocks of London go back at 02:00 BST."""
    record = Record(zone="Europe/London", onset=-27 * 1440 - 180)
    record.say(Kind.NOTE, "before", at=-27 * 1440 - 170)
    record.say(Kind.NOTE, "after", at=-27 * 1440 - 110)
    assert record.postmortem().timeline.zones == (
        "Times in Europe/London: BST (UTC+1) until 25 October 2026 02:00, GMT after that."
    )


def test_the_day_is_named_where_it_changes_and_the_zone_where_it_changes() -> None:
    record = Record(zone="Europe/London", onset=-240 * 1440)
    for day in (-240, -239, -1, 0):
        record.say(Kind.NOTE, f"day {day}", at=day * 1440)
    record.say(Kind.NOTE, "about then", at=30, approx=True)
    postmortem = record.postmortem()
    assert postmortem.timeline.zones == (
        "Times in Europe/London: GMT until 28 March 2026, BST (UTC+1) from 29 March 2026 until 24 October 2026, "
        "GMT from 25 October 2026; ~ means about."
    )
    assert lines(postmortem) == [
        "Investigation",
        "26 March 2026 03:00 Note: day -240 [Impact begins.]",
        "27 March 03:00 Note: day -239",
        "20 November 03:00 Note: day -1",
        "21 November 03:00 Note: day 0",
        "~03:30 Note: about then",
    ]


def test_letters_of_the_zone_are_named_when_they_changed_with_the_day() -> None:
    record = Record(zone="Europe/London", onset=-40 * 1440)
    record.say(Kind.NOTE, "summer", at=-40 * 1440)
    record.say(Kind.NOTE, "winter", at=0)
    assert lines(record.postmortem()) == [
        "Investigation",
        "12 October 2026 04:00 Note: summer [Impact begins.]",
        "21 November 03:00 GMT Note: winter",
    ]


def test_each_window_of_impact_is_marked() -> None:
    record = Record()
    for kind, at in ((Kind.MITIGATED, 10), (Kind.AGAIN, 30), (Kind.MITIGATED, 50)):
        record.say(kind, at=at)
    assert lines(record.postmortem())[1:] == [
        "03:10 Mitigated:  [Impact began at 03:00. Impact ends.]",
        "03:30 Impact again:  [Impact begins.]",
        "Resolution",
        "03:50 Mitigated:  [Impact ends.]",
    ]


def test_impact_that_no_entry_tells_of_is_said_on_the_next_line_with_its_time() -> None:
    record = Record(onset=-10)
    record.say(Kind.ACTION, "deploy", at=-30)
    record.say(Kind.DETECTION, "alert", at=5)
    record.say(Kind.RESOLUTION, "flat", at=50)
    assert lines(record.postmortem()) == [
        "Lead-up · 21 November 2026",
        "02:30 Action: deploy",
        "Discovery",
        "03:05 Detected: alert [Impact began at 02:50.]",
        "Resolution",
        "03:50 Resolved: flat [Impact ends.]",
    ]


def test_impact_of_the_day_before_is_said_with_its_day_and_its_zone() -> None:
    record = Record(zone="Europe/London", onset=-27 * 1440 - 180, onset_approx=True)
    record.say(Kind.NOTE, "seen at last", at=1)
    assert lines(record.postmortem())[1:] == ["03:01 Note: seen at last [Impact began at 25 October 2026 ~01:00 BST.]"]


def test_an_end_of_impact_that_does_not_fit_is_said_on_the_line_after_it() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "errors", at=0)
    record.say(Kind.MITIGATED, "pool halved", at=40)
    after = record.say(Kind.NOTE, "calm", at=50)
    wording = Wording(record.incident(), {})

    def notes(*chosen: int) -> list[tuple[str, ...]]:
        made = timeline.compose(wording, (), None, frozenset(chosen))
        return [line.notes for phase in made.phases for line in phase.lines]

    assert notes(note, after) == [("Impact begins.",), ("Impact ended at 03:40.",)]
    assert notes(note) == [("Impact begins.", "Impact ended at 03:40.")]


def test_two_hypotheses_of_one_minute_are_told_apart_by_their_numbers() -> None:
    record = Record()
    first = record.say(Kind.HYPOTHESIS, "the deploy", at=2)
    second = record.say(Kind.HYPOTHESIS, "the cache", at=2)
    record.say(Kind.DEAD_END, at=9, hypothesis=second)
    record.say(Kind.DEAD_END, at=9, hypothesis=first)
    postmortem = record.postmortem()
    assert [line.label for phase in postmortem.timeline.phases for line in phase.lines] == [
        "Hypothesis 2", "Hypothesis 3", "Dead end", "Dead end",
    ]  # fmt: skip
    dead = [line for phase in postmortem.timeline.phases for line in phase.lines if line.mark]
    assert [(line.about, line.about_clock) for line in dead] == [(second, "03:02"), (first, "03:02")]
    assert [(e.about, e.about_text) for e in postmortem.entries if e.kind is Kind.DEAD_END] == [
        (second, "the cache"), (first, "the deploy"),
    ]  # fmt: skip


def test_a_dead_end_is_paired_with_its_hypothesis_and_marks_are_short() -> None:
    record = Record()
    wrong = record.say(Kind.HYPOTHESIS, "the deploy", at=9)
    right = record.say(Kind.HYPOTHESIS, "the pool", at=11)
    useless = record.say(Kind.ACTION, "rolled back", at=12)
    record.say(Kind.DEAD_END, "changed nothing", at=16, hypothesis=wrong)
    helpful = record.say(Kind.ACTION, "halved the pool", at=20)
    record.mark(ev.HypothesisConfirmed, entry=right)
    record.mark(ev.EffectSeen, entry=useless, worked=False)
    record.mark(ev.EffectSeen, entry=helpful, worked=True)
    postmortem = record.postmortem()
    assert lines(postmortem)[1:] == [
        "03:09 Hypothesis 2: the deploy [Ruled out. Impact began at 03:00.]",
        "03:11 Hypothesis: the pool [Confirmed.]",
        "03:12 Action: rolled back [No effect.]",
        "03:16 Dead end: changed nothing",
        "03:20 Action: halved the pool [Helped.]",
    ]
    dead_end = next(line for line in postmortem.timeline.phases[0].lines if line.mark)
    assert (dead_end.mark, dead_end.about, dead_end.about_clock) == ("✗", wrong, "03:09")


def test_a_long_entry_prints_its_first_sentence() -> None:
    record = Record()
    record.say(Kind.NOTE, "It began. " + "Then word " * 21, at=1)
    (line,) = record.postmortem().timeline.phases[0].lines
    assert (line.text, line.cut) == ("It began.", True)


def test_starred_entries_and_milestones_weigh_most() -> None:
    record = Record()
    note = record.say(Kind.NOTE, at=1)
    record.say(Kind.DETECTION, at=2)
    record.say(Kind.DETECTION, at=3)
    record.say(Kind.NOTE, at=4)
    record.mark(ev.Starred, entry=note, on=True)
    (*phases,) = record.postmortem().timeline.phases
    assert [line.weight for phase in phases for line in phase.lines] == [100, 80, 35, 10]


def test_a_trigger_that_was_said_afterwards_stands_with_the_cause() -> None:
    record = Record()
    early = record.say(Kind.TRIGGER, "a deploy", at=1)
    assert record.postmortem().trigger == Statement("Trigger", entries=(early,), see="03:01 UTC")
    record.mark(ev.Removed, entry=early)
    record.say(Kind.RESOLUTION, at=30)
    late = record.say(Kind.TRIGGER, "a deploy", at=1500)
    postmortem = record.postmortem()
    assert postmortem.trigger == Statement("Trigger", "a deploy", (late,), said=True)
    assert "Trigger" not in " ".join(lines(postmortem))


# ---- cause, measures -----------------------------------------------------------------------------


def test_the_workaround_stands_apart_from_the_fix() -> None:
    record = Record()
    record.say(Kind.MITIGATED, "pool halved", at=55)
    record.say(Kind.FIX, "pool sized by load")
    postmortem = record.postmortem()
    assert postmortem.workaround == Statement("Workaround", entries=(2,), see="03:55 UTC")
    assert postmortem.fix.text == "pool sized by load"


def test_tasks_show_owner_date_kind_and_state() -> None:
    record = Record()
    record.say(Kind.TASK, "alert", owner="DBAs", due=date(2026, 12, 1), category=Category.DETECT)
    record.say(Kind.TASK, "limit", person="b")
    record.say(Kind.TASK, "rewrite")
    record.mark(ev.TaskDone, task=1, at=START + timedelta(days=9))
    record.mark(ev.TaskDropped, task=3, text="too dear")
    postmortem = record.postmortem()
    assert [
        (t.number, t.text, t.owner, t.due, t.category, t.state, t.done, t.why_dropped) for t in postmortem.all_tasks
    ] == [
        (1, "alert", "DBAs", "1 December 2026", "detect", "done", "30 November 2026", ""),
        (2, "limit", "Ben", "", "", "open", "", ""),
        (3, "rewrite", "", "", "", "dropped", "", "too dear"),
    ]
    assert "When is T2 due?" in {q.text for q in postmortem.questions}


# ---- questions -----------------------------------------------------------------------------------


def test_five_questions_at_most_stand_in_the_document_in_its_order() -> None:
    postmortem = Record().postmortem()
    assert [q.text for q in postmortem.questions if q.in_document] == [
        "What was affected, and what did users see?",
        "What share of users was affected?",
        "When and how was it found?",
        "What was the root cause?",
        "What will keep it from coming back?",
    ]
    assert [q.number for q in postmortem.questions] == list(range(1, len(postmortem.questions) + 1))


def test_questions_name_whom_to_ask_and_which_entry_may_say() -> None:
    record = Record()
    record.say(Kind.ROLE, role="communications", person="c", who="chidi")
    record.say(Kind.IMPACT, "errors", by="c")
    right = record.say(Kind.HYPOTHESIS, "the pool", by="b")
    record.mark(ev.HypothesisConfirmed, entry=right)
    record.say(Kind.MITIGATED, "halved", by="b")
    over = record.say(Kind.RESOLUTION, "graphs are back to normal")
    asked = {q.key: (q.text, q.ask, q.hint) for q in record.postmortem().questions}
    assert asked["share"] == ("What share of users was affected?", "Chidi", None)
    assert asked["cause"] == ("What was the root cause?", "Ben", right)
    assert asked["confirmation"] == ("How was the resolution confirmed?", "", over)
    assert asked["messages"] == ("What was told to whom?", "Chidi", None)


def test_many_tasks_without_an_owner_are_one_question() -> None:
    record = Record()
    for number in range(10):
        record.say(Kind.TASK, f"task {number}")
    postmortem = record.postmortem()
    assert [q.text for q in postmortem.questions if q.key == "tasks"] == ["Who owns the 10 tasks, and until when?"]
    assert postmortem.actions.ownerless


def test_an_answer_closes_a_question_and_stands_with_the_lessons() -> None:
    record = Record()
    asked = record.say(Kind.QUESTION, "Who saw it first?")
    assert "Who saw it first?" in {q.text for q in record.postmortem().questions}
    record.say(Kind.ANSWER, "Support.", question=6, about=asked)
    record.say(Kind.ANSWER, "The disk alert of Monday.", question=2)
    postmortem = record.postmortem()
    assert "Who saw it first?" not in {q.text for q in postmortem.questions}
    assert [(s.label, s.text) for s in postmortem.answers.items] == [
        ("Which warnings were missed?", "The disk alert of Monday."),
        ("Who saw it first?", "Support."),
    ]


# ---- corrections ---------------------------------------------------------------------------------


def test_a_correction_counts_and_the_history_keeps_what_was_said() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "CPU at 80 %", at=4)
    record.mark(ev.TextCorrected, by="b", entry=note, text="CPU at 90 %")
    record.mark(ev.TimeCorrected, by="b", entry=note, at=START + timedelta(minutes=2), approx=True)
    record.mark(ev.KindCorrected, by="b", entry=note, to=Kind.ACTION)
    postmortem = record.postmortem()
    assert lines(postmortem)[1:] == ["~03:02 Action: CPU at 90 % [Impact began at 03:00.]"]
    entry = next(e for e in postmortem.entries if e.number == note)
    assert [(c.what, c.text, c.by) for c in entry.history] == [
        ("recorded as note of 21 November 2026 03:04 UTC", "CPU at 80 %", "Ada"),
        ("text corrected", "CPU at 90 %", "Ben"),
        ("moved to 21 November 2026 ~03:02 UTC", "", "Ben"),
        ("kind corrected to action", "", "Ben"),
    ]


def test_removed_and_undone_entries_stay_in_the_annex_alone() -> None:
    record = Record()
    removed = record.say(Kind.NOTE, "said twice", at=1)
    undone = record.say(Kind.NOTE, "said by mistake", at=2)
    record.mark(ev.Removed, by="b", entry=removed, text="twice")
    record.mark(ev.Undone, seq=3)
    postmortem = record.postmortem()
    assert postmortem.timeline.phases == ()
    assert [(e.number, e.text, e.withdrawn, e.why_withdrawn) for e in postmortem.entries[1:]] == [
        (removed, "said twice", "removed", "twice"),
        (undone, "said by mistake", "undone", ""),
    ]
    assert postmortem.header.entries == 1


def test_a_correction_that_was_taken_back_is_shown_as_such() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "first", at=1)
    seq = record.mark(ev.TextCorrected, entry=note, text="second")
    record.mark(ev.Undone, seq=seq)
    entry = record.postmortem().entries[1]
    assert (entry.text, [(c.text, c.undone) for c in entry.history]) == (
        "first",
        [("first", False), ("second", True)],
    )


def test_a_destroyed_text_stands_nowhere() -> None:
    record = Record()
    entries = [
        record.say(Kind.NOTE, "secret hunter2"),
        record.say(Kind.ESCALATION, "hunter2", target="hunter2"),
        record.say(Kind.UPDATE, "hunter2", audience="hunter2"),
        record.say(Kind.SERVICES, "hunter2", added=("hunter2",)),
        record.say(Kind.CAUSE, "hunter2"),
        record.say(Kind.TASK, "hunter2", owner="hunter2"),
        record.say(Kind.LINK, "hunter2", url="https://hunter2.example"),
        record.say(Kind.IMPACT, "hunter2"),
    ]
    record.mark(ev.TextCorrected, entry=entries[0], text="secret hunter2, corrected")
    for entry in [1, *entries]:
        record.mark(ev.Redacted, entry=entry)
    record.happened[0] = Record("hunter2").happened[0]
    postmortem = record.postmortem()
    assert "hunter2" not in repr(postmortem)
    assert postmortem.header.title == "[redacted]"
    assert postmortem.cause.text == "[redacted]"
    assert summary(postmortem, "Affected").text == "[redacted]"


def test_a_text_written_anew_after_a_redaction_is_printed() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "hunter2", at=1)
    record.mark(ev.Redacted, entry=note)
    record.mark(ev.TextCorrected, entry=note, text="the password was changed")
    assert lines(record.postmortem())[1:] == ["03:01 Note: the password was changed [Impact began at 03:00.]"]


# ---- people, metrics, the whole ------------------------------------------------------------------


def test_responders_are_named_with_roles_and_number_of_entries() -> None:
    record = Record()
    record.say(Kind.NOTE, by="b")
    record.say(Kind.ROLE, role="commander", person="c", who="chidi")
    record.say(Kind.ESCALATION, "help", target="DBAs")
    record.say(Kind.HANDOVER, person="b", who="ben")
    assert [(r.name, r.roles, r.entries) for r in record.postmortem().responders] == [
        ("Ben", ("commander",), 1),
        ("Chidi", ("commander",), 0),
        ("DBAs", ("called in",), 0),
        ("Ada", (), 4),
    ]


def test_metrics_are_seconds_from_the_onset_and_unknown_where_a_part_is() -> None:
    record = Record()
    assert record.postmortem().metrics == Metrics(windows=1)
    record.say(Kind.DETECTION, at=8)
    record.say(Kind.ACK, at=10)
    record.say(Kind.MITIGATED, at=30)
    record.say(Kind.AGAIN, at=40)
    record.say(Kind.MITIGATED, at=60)
    record.say(Kind.RESOLUTION, at=90)
    assert record.postmortem().metrics == Metrics(
        impact=50 * 60, detect=8 * 60, acknowledge=2 * 60, mitigate=60 * 60, resolve=90 * 60, windows=2
    )


def test_the_length_of_impact_is_one_everywhere() -> None:
    record = Record(onset=0.2)
    record.say(Kind.MITIGATED, at=10.9)
    record.say(Kind.AGAIN, at=20.9)
    record.say(Kind.RESOLUTION, at=31.1)
    impact = record.incident().impact(START + timedelta(minutes=90))
    assert impact == timedelta(minutes=10 + 11)
    postmortem = record.postmortem()
    assert postmortem.metrics.impact == impact.total_seconds()
    assert postmortem.headlines.impact_duration == postmortem.customer.affected_for == "21 min"
    assert "Users were affected for 21 min in 2 windows" in summary(postmortem, "Duration").text


def test_impact_that_still_goes_on_is_counted_between_printed_minutes() -> None:
    assert Record(onset=0.9).incident().impact(START + timedelta(minutes=5.1)) == timedelta(minutes=5)
    assert Record(onset=9).incident().impact(START) == timedelta()


def test_a_window_of_impact_says_what_is_about() -> None:
    record = Record(onset=-10, onset_approx=True)
    assert [w.words for w in record.postmortem().windows] == ["Impact since 21 November 2026 ~02:50 UTC"]
    record.say(Kind.RESOLUTION, at=20)
    assert [w.words for w in record.postmortem().windows] == [
        "Impact for ~30 min, 21 November 2026 ~02:50 UTC to 21 November 2026 03:20 UTC"
    ]


def test_a_section_written_by_hand_is_signed_and_what_it_leaves_out_is_named_to_reviewers() -> None:
    record = Record()
    told = record.say(Kind.CAUSE, "The pool of *orders-db* was full.")
    fix = record.say(Kind.FIX, "Cap the pool at 40.")
    record.say(Kind.NOTE, "belongs to another part")
    record.mark(ev.SectionWritten, by="b", section="cause", text="Why: the pool of \\*orders-db\\*\nwas full.")
    postmortem = record.postmortem()
    assert postmortem.signed == {"cause": "Ben, 21 November 2026 03:05 UTC"}
    assert postmortem.review == (ReviewNote("section cause", None, "its words do not show these:", entries=(fix,)),)
    late = record.say(Kind.TRIGGER, "the campaign")
    assert [note.entries for note in record.postmortem().review] == [(late,), (fix,)]
    assert told not in {number for note in record.postmortem().review for number in note.entries}


def test_of_many_entries_that_a_section_leaves_out_the_first_are_named_and_the_rest_counted() -> None:
    record = Record()
    for number in range(60):
        record.say(Kind.NOTE, f"seen {number} times")
    record.mark(ev.SectionWritten, section="timeline", text="It broke, and was mended.")
    (note,) = record.postmortem().review
    assert (note.text, note.entries) == ("its words do not show these and 10 more:", tuple(range(2, 52)))


def test_a_section_written_by_hand_is_kept_and_can_be_given_back() -> None:
    record = Record()
    record.mark(ev.SectionWritten, section="cause", text="Our own words.")
    assert record.postmortem().written == {"cause": "Our own words."}
    record.mark(ev.SectionWritten, section="cause", text="")
    assert record.postmortem().written == {}


def test_the_same_record_gives_the_same_document() -> None:
    def made() -> Postmortem:
        record = Record()
        record.say(Kind.NOTE, "seen")
        record.say(Kind.RESOLUTION)
        return record.postmortem()

    assert made() == made()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("Version 2.4 of e.g. Redis failed. Then more.", "Version 2.4 of e.g. Redis failed."),
        ("No end", "No end"),
        ("First line\nSecond line", "First line"),
        ("Really?! Yes.", "Really?!"),
        ("It was db1. and not db2. Sure.", "It was db1. and not db2."),
        ("最初。次。", "最初。"),
    ],
)
def test_the_first_sentence_ends_where_a_reader_would_end_it(text: str, first: str) -> None:
    assert first_sentence(text) == first


def test_words_are_what_holds_a_letter_or_a_digit() -> None:
    assert words("34 % of users – ↗ · pg_dump ✗") == 4


def test_unreadable_signs_are_shown_or_left_out() -> None:
    assert readable("a\u202eb\x00c\r\n\r\n  d\te \x7f") == "ab␀c\nd e ␡"
