"""Which reminders an incident calls for, when, and at which hours; which promises are read out of a message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from bot.core import events as ev
from bot.core import nudges
from bot.core.events import Kind
from bot.core.nudges import Due, Nudge
from bot.core.promises import promise_of, promised
from tests.core.builder import START, Record

AFTER = {
    "commander": timedelta(minutes=5),
    "told": timedelta(minutes=30),
    "busy": timedelta(minutes=15),
    "detection": timedelta(minutes=20),
    "resolve": timedelta(hours=1),
    "facts": timedelta(hours=8),
    "review": timedelta(days=3),
}
ZONES = {"a": "Europe/London", "b": "America/New_York", "c": "Africa/Lagos"}


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def coming(
    record: Record,
    now: float | datetime = 1,
    said: Mapping[str, datetime] | None = None,
    after: Mapping[str, timedelta] = AFTER,
    messages: int = 0,
) -> list[Due]:
    at = now if isinstance(now, datetime) else minutes(now)
    return nudges.coming(record.incident(), after, said or {}, lambda key: ZONES[key], at, messages)


def times(found: list[Due]) -> dict[str, datetime]:
    return {due.key: due.at for due in found}


def only(record: Record, what: Nudge, now: float | datetime = 1, **more: object) -> list[Due]:
    return [due for due in coming(record, now, **more) if due.what is what]  # type: ignore[arg-type]


# ---- while it goes on ----------------------------------------------------------------------------


def test_an_incident_that_was_just_opened_has_three_reminders_to_come() -> None:
    opened = START + timedelta(minutes=1)  # when it was recorded
    assert times(coming(Record())) == {
        "commander": opened + timedelta(minutes=5),
        "detection": opened + timedelta(minutes=20),
        "told": opened + timedelta(minutes=30),
    }


def test_what_was_said_is_not_said_again_and_the_next_keeps_its_distance() -> None:
    record = Record()
    assert times(coming(record, 21, {"commander": minutes(20)})) == {"detection": minutes(25), "told": minutes(31)}


def test_whoever_leads_needs_no_reminder_of_it() -> None:
    record = Record()
    record.say(Kind.ROLE, person="c", who="@chidi", role="commander")
    assert only(record, Nudge.COMMANDER) == []
    handed = Record()
    handed.say(Kind.HANDOVER, person="c", who="@chidi")
    assert only(handed, Nudge.COMMANDER) == []


def test_a_role_that_is_no_commander_leaves_the_question() -> None:
    record = Record()
    record.say(Kind.ROLE, person="c", who="@chidi", role="communications")
    assert [due.at for due in only(record, Nudge.COMMANDER)] == [minutes(6)]


def test_how_it_was_found_is_asked_until_somebody_says_it_or_that_nobody_can() -> None:
    found, none = Record(), Record()
    found.say(Kind.DETECTION, "the graph")
    none.mark(ev.NotApplicable, gap="detection")
    assert only(found, Nudge.DETECTION) == only(none, Nudge.DETECTION) == []
    found.mark(ev.Removed, entry=2, text="wrong")
    assert [due.at for due in only(found, Nudge.DETECTION)] == [minutes(21)]


def test_nothing_told_counts_from_the_last_message_and_waits_for_what_is_promised() -> None:
    record = Record()
    record.say(Kind.UPDATE, "Some payments fail.", at=10)
    assert [(due.at, due.since) for due in only(record, Nudge.TOLD)] == [(minutes(40), minutes(10))]
    record.say(Kind.UPDATE, "Next news 03:50.", at=20, promised=minutes(50))
    assert [due.at for due in only(record, Nudge.TOLD)] == [minutes(80)]


def test_nothing_told_asks_the_one_who_has_communications_else_the_commander_else_everybody() -> None:
    record = Record()
    assert [due.to for due in only(record, Nudge.TOLD)] == [()]
    record.say(Kind.ROLE, person="c", who="@chidi", role="commander")
    assert [due.to for due in only(record, Nudge.TOLD)] == [("c",)]
    record.say(Kind.ROLE, person="b", who="@ben", role="Comms")
    assert [due.to for due in only(record, Nudge.TOLD)] == [("b",)]


@pytest.mark.parametrize(
    "lifted",
    [
        lambda record: record.say(Kind.MITIGATED, at=10),
        lambda record: record.say(Kind.RESOLUTION, at=10),
        lambda record: record.mark(ev.NotApplicable, gap="messages"),
        lambda record: record.say(Kind.CANCELLED, "no"),
        lambda record: record.mark(ev.NudgesSet, on=False),
    ],
)
def test_nobody_needs_to_be_told_once_users_are_not_affected(lifted) -> None:  # type: ignore[no-untyped-def]
    record = Record()
    lifted(record)
    assert only(record, Nudge.TOLD) == []


def test_impact_that_comes_back_starts_the_clock_anew() -> None:
    record = Record()
    record.say(Kind.MITIGATED, at=10)
    record.say(Kind.AGAIN, "back", at=100)
    assert [due.at for due in only(record, Nudge.TOLD, 100)] == [minutes(130)]


# ---- promises ------------------------------------------------------------------------------------


def told(record: Record, minute: int, audience: str = "customers", promise: int | None = None, by: str = "b") -> int:
    at = minutes(promise) if promise else None
    return record.say(Kind.UPDATE, "We are on it.", at=minute, by=by, audience=audience, promised=at)


def test_a_promise_is_due_when_it_was_promised_for_to_the_commander_and_who_made_it() -> None:
    record = Record()
    record.say(Kind.ROLE, person="c", who="@chidi", role="commander")
    number = told(record, 20, promise=50)
    (due,) = only(record, Nudge.PROMISED)
    assert (due.key, due.at, due.to, due.audience) == (f"promised/{number}", minutes(50), ("c", "b"), "customers")


def test_a_later_message_to_the_same_people_keeps_it_and_one_to_others_does_not() -> None:
    record = Record()
    first = told(record, 20, promise=50)
    told(record, 30, audience="management")
    assert [due.key for due in only(record, Nudge.PROMISED)] == [f"promised/{first}"]
    told(record, 40, audience="Customers")
    assert only(record, Nudge.PROMISED) == []


def test_a_message_to_everybody_keeps_every_promise() -> None:
    record = Record()
    told(record, 20, promise=50)
    told(record, 40, audience="")
    assert only(record, Nudge.PROMISED) == []


def test_a_promise_outlives_the_resolution_as_people_still_wait_for_it() -> None:
    record = Record()
    first = told(record, 20, promise=50)
    record.say(Kind.RESOLUTION, at=40)
    assert [due.key for due in only(record, Nudge.PROMISED)] == [f"promised/{first}"]


def test_each_promise_is_reminded_of_once_and_keeps_no_distance() -> None:
    record = Record()
    first = told(record, 20, promise=50)
    second = told(record, 30, audience="management", promise=51)
    said = {f"promised/{first}": minutes(50)}
    assert times(only(record, Nudge.PROMISED, 50, said=said)) == {f"promised/{second}": minutes(51)}


def test_a_promise_of_the_past_that_is_only_recorded_now_is_not_reminded_of() -> None:
    record = Record()
    record.say(Kind.NOTE, "later", at=90)
    record.say(Kind.UPDATE, "Next news 03:50.", at=20, promised=minutes(50))
    assert only(record, Nudge.PROMISED, 91) == []


def test_a_promise_that_was_removed_or_corrected_is_no_longer_that_promise() -> None:
    record = Record()
    number = record.say(Kind.UPDATE, "Next news 03:50.", at=20, promised=minutes(50))
    record.mark(ev.TextCorrected, entry=number, text="Next news 04:10.")
    assert [due.at for due in only(record, Nudge.PROMISED)] == [minutes(70)]
    record.mark(ev.Removed, entry=number, text="")
    assert only(record, Nudge.PROMISED) == []


def test_a_note_that_was_turned_into_a_message_promises_what_it_says() -> None:
    record = Record()
    number = record.say(Kind.NOTE, "Status page: next update in 30 minutes", at=20)
    record.mark(ev.KindCorrected, entry=number, to=Kind.UPDATE)
    assert promise_of(record.incident().entries[number]) == minutes(50)


AT = utc("2026-11-21T03:20:00")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Some payments fail. We are on it. Next news 03:50 GMT.", "2026-11-21T03:50"),
        ("Next update in 30 minutes", "2026-11-21T03:50"),
        ("next update: 03:50", "2026-11-21T03:50"),
        ("Next update at 0400.", "2026-11-21T04:00"),
        ("We will update you again at 5pm.", "2026-11-21T17:00"),
        ("We’ll post another update by 04:00 UTC", "2026-11-21T04:00"),
        ("we will update again within the hour", "2026-11-21T04:20"),
        ("more news in half an hour", "2026-11-21T03:50"),
        ("Updates every 20 minutes.", "2026-11-21T03:40"),
        ("Next update tomorrow 10:00", "2026-11-22T10:00"),
        ("Next update Monday 09:00", "2026-11-23T09:00"),
        ("Expect an update at 4pm CET", "2026-11-21T15:00"),
        ("I will get back to you in two hours", "2026-11-21T05:20"),
        ("Next message at noon", "2026-11-21T12:00"),
        ("The next update will follow at 03:50 GMT.", "2026-11-21T03:50"),
        ("next update 03:30. Correction: next update 03:45", "2026-11-21T03:45"),
        ("We will provide further updates in 60 minutes", "2026-11-21T04:20"),
        ("Nächste Meldung 03:50; next update ~03:55 OK?", "2026-11-21T03:55"),
    ],
)
def test_a_promised_time_is_read(text: str, wanted: str) -> None:
    found = promised(text, AT, "Europe/London")
    assert found is not None
    assert found.at == utc(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We restarted at 03:50. No next update.",
        "next release at 15:00",
        "Next update when we know more; the deploy is at 15:00",
        "Next update when we know more. The deploy is at 15:00",
        "next update 0400 users",
        "next update in 1200 requests",
        "next update 04:00 IST",
        "next update at 03:10",
        "next update at 16:90",
        "next update 2026",
        "we will update the config in 5 servers",
        "<!channel> next update `at` & > 99:99",
        "next update " * 300,
    ],
)
def test_what_promises_no_certain_time_promises_nothing(text: str) -> None:
    assert promised(text, AT, "Europe/London") is None


@pytest.mark.parametrize(("zone", "wanted"), [("", 3), (" GMT", 4), (" UTC", 4), (" WAT", 3), (" EST", 9)])
def test_a_clock_time_is_the_speakers_unless_a_zone_is_said(zone: str, wanted: int) -> None:
    found = promised(f"Next news 04:50{zone}", AT, "Africa/Lagos")
    assert found is not None
    assert (found.at, found.zone_used) == (utc(f"2026-11-21T{wanted:02}:50"), zone == "")


# ---- a busy channel ------------------------------------------------------------------------------


def test_a_busy_channel_is_reminded_of_when_nothing_was_recorded_for_a_quarter_of_an_hour() -> None:
    record = Record()
    record.say(Kind.NOTE, "something", at=10)
    assert only(record, Nudge.BUSY, 24, messages=9) == []
    (due,) = only(record, Nudge.BUSY, 25, messages=9)
    assert (due.at, due.since, due.count) == (minutes(25), minutes(10), 9)
    assert only(record, Nudge.BUSY, 25) == []
    record.say(Kind.RESOLUTION, at=11)
    assert only(record, Nudge.BUSY, 40, messages=9) == []


# ---- after it ------------------------------------------------------------------------------------


def over(at: float, *, commander: str = "c") -> Record:
    record = Record()
    record.say(Kind.ROLE, person=commander, who="@someone", role="commander")
    record.say(Kind.MITIGATED, at=at - 1)
    record.say(Kind.RESOLUTION, at=at)
    return record


def test_what_was_mitigated_an_hour_ago_and_is_not_resolved_waits_for_the_morning_of_the_commander() -> None:
    record = Record()
    record.say(Kind.ROLE, person="c", who="@chidi", role="commander")
    record.say(Kind.MITIGATED, at=55)  # 03:55, it is 04:55 in Lagos
    (due,) = only(record, Nudge.RESOLVE, 56)
    assert (due.at, due.to, due.since) == (utc("2026-11-21T07:00"), ("c",), minutes(55))
    record.say(Kind.RESOLUTION, at=60)
    assert only(record, Nudge.RESOLVE, 61) == []


def test_by_day_it_comes_after_an_hour_and_a_late_line_is_not_asked_about_at_once() -> None:
    record = Record()
    record.say(Kind.MITIGATED, at=600)  # 13:00 in London
    assert [due.at for due in only(record, Nudge.RESOLVE, 601)] == [minutes(660)]
    late = Record()
    late.say(Kind.NOTE, "long after", at=700)
    late.say(Kind.MITIGATED, at=600)
    assert [due.at for due in only(late, Nudge.RESOLVE, 701)] == [minutes(716)]


def test_what_is_open_after_a_saturday_is_asked_on_monday_at_ten_in_the_commanders_zone() -> None:
    (due,) = only(over(118), Nudge.FACTS, 119)  # Saturday 04:58
    assert (due.at, due.to, due.direct) == (utc("2026-11-23T09:00"), ("c",), True)
    assert due.count > 0


def test_a_draft_that_nobody_reviews_is_asked_about_after_three_days() -> None:
    record = over(118)
    (due,) = only(record, Nudge.REVIEW, 119)
    assert due.at == utc("2026-11-24T09:00")  # Tuesday: three days were over at 05:00
    record.mark(ev.ReviewCalled, text="Tue 14:00")
    assert only(record, Nudge.REVIEW, 130) == []
    approved = over(118)
    approved.mark(ev.Approved, upto=3)
    assert only(approved, Nudge.REVIEW, 130) == []


def test_what_is_known_is_not_asked_for() -> None:
    record = over(118)
    before = only(record, Nudge.FACTS, 119)[0].count
    record.say(Kind.CAUSE, "The pool had no limit.")
    assert only(record, Nudge.FACTS, 120)[0].count == before - 1
    record.mark(ev.Published, upto=record.incident().seq)
    assert only(record, Nudge.FACTS, 121) == []


def test_an_incident_that_was_none_is_left_alone() -> None:
    cancelled, duplicate = Record(), Record()
    cancelled.say(Kind.CANCELLED, "false alarm")
    duplicate.say(Kind.DUPLICATE, of=41)
    assert coming(cancelled, 6) == coming(duplicate, 6) == []


def test_a_setting_that_is_off_leaves_its_reminder_out_and_a_promise_goes_with_messages() -> None:
    record = Record()
    told(record, 20, promise=50)
    without = {name: length for name, length in AFTER.items() if name != "told"}
    assert set(times(coming(record, after=without))) == {"commander", "detection"}
    assert coming(record, after={}) == []


# ---- outages and clocks --------------------------------------------------------------------------


def test_after_an_hour_away_what_was_due_is_not_said_any_more() -> None:
    record = Record()
    assert set(times(coming(record, 6 + 60))) == {"commander", "detection", "told"}
    assert set(times(coming(record, 6 + 61))) == {"detection", "told"}
    assert coming(record, 31 + 61) == []


def test_after_an_outage_reminders_come_one_by_one() -> None:
    record = Record()
    now = minutes(60)
    first, *_ = coming(record, now)
    assert first.at <= now
    assert all(due.at > now for due in coming(record, now, {first.key: now}))


def test_after_an_outage_what_goes_to_a_person_still_waits_for_the_day() -> None:
    for_monday = over(118)
    night = utc("2026-11-23T23:30")
    (due,) = only(for_monday, Nudge.FACTS, night)
    assert due.at == utc("2026-11-24T09:00")
    assert only(for_monday, Nudge.FACTS, utc("2026-11-27T09:01")) == []


def test_a_clock_that_went_back_makes_nothing_due() -> None:
    assert all(due.at > minutes(-600) for due in coming(Record(), -600))


# ---- hours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2026-11-21T03:20", "Europe/London", "2026-11-21T08:00"),
        ("2026-11-21T03:20", "America/New_York", "2026-11-21T13:00"),  # Friday 22:20 there
        ("2026-11-21T03:20", "Asia/Tokyo", "2026-11-21T03:20"),
        ("2026-11-21T21:59", "UTC", "2026-11-21T21:59"),
        ("2026-11-21T22:00", "UTC", "2026-11-22T08:00"),
        ("2026-11-21T07:59:59", "UTC", "2026-11-21T08:00"),
        ("2026-11-21T08:00", "UTC", "2026-11-21T08:00"),
        ("2026-11-21T18:00", "Asia/Kolkata", "2026-11-22T02:30"),
        ("2026-03-28T23:30", "Europe/Berlin", "2026-03-29T06:00"),  # the clocks go forward that night
        ("2026-10-24T22:30", "Europe/Berlin", "2026-10-25T07:00"),  # and back in this one
        ("2026-11-21T12:00", "Pacific/Kiritimati", "2026-11-21T18:00"),
    ],
)
def test_at_night_one_waits_until_eight(now: str, zone: str, until: str) -> None:
    assert nudges.quiet_until(utc(now), zone) == utc(until)


@pytest.mark.parametrize(
    ("at", "zone", "morning"),
    [
        ("2026-11-21T04:58", "Africa/Lagos", "2026-11-23T09:00"),
        ("2026-11-20T10:00", "Europe/London", "2026-11-20T10:00"),
        ("2026-11-20T10:00:01", "Europe/London", "2026-11-23T10:00"),
        ("2026-03-27T12:00", "Europe/Berlin", "2026-03-30T08:00"),
        ("2026-10-23T12:00", "Europe/Berlin", "2026-10-26T09:00"),
        ("2026-11-22T21:30", "Pacific/Auckland", "2026-11-23T21:00"),  # Monday 10:30 there: Tuesday
    ],
)
def test_what_waits_for_a_working_day_comes_at_ten(at: str, zone: str, morning: str) -> None:
    assert nudges.working_morning(utc(at), zone) == utc(morning)


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
def test_nobody_is_ever_written_to_at_night_or_at_the_weekend(zone: str) -> None:
    for hour in range(0, 24 * 370, 7):
        now = START + timedelta(hours=hour)
        awake, working = nudges.quiet_until(now, zone), nudges.working_morning(now, zone)
        assert now <= awake <= now + timedelta(hours=11)
        assert awake == nudges.quiet_until(awake, zone)
        assert now <= working <= now + timedelta(days=3, hours=2)
        assert nudges.is_working_day(working, zone)
