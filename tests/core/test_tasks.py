"""Action items afterwards: which date counts, whose they are, and on which days their owners hear of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import events as ev
from bot.core import tasks, times
from bot.core.commands import ChangeTask
from bot.core.decide import Speaker, decide
from bot.core.errors import Refusal
from bot.core.events import Kind
from bot.core.facts import open_tasks
from bot.core.record import OpenTask, Place
from tests.core.builder import NAMES, START, Record

DAYS = {0: 30, 1: 14, 2: 30}
PLACE = Place(7, "T1", 42, "C1", True, 0, "", "Checkout", "resolved", 1, START)
ADDED = date(2026, 11, 21)  # a Saturday
MONDAY = date(2026, 11, 23)


def row(due: date | None = None, severity: int = 1) -> OpenTask:
    return OpenTask(7, 1, "b", due, ADDED, severity)


def on(day: int, hour: int = 10, minute: int = 0) -> datetime:
    """A moment of November 2026, UTC; day 31 is the first of December."""
    return datetime(2026, 11, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)


def day(number: int) -> date:
    return on(number).date()


# ---- which date counts ---------------------------------------------------------------------------


def test_a_date_that_was_said_counts_and_else_the_days_of_the_severity() -> None:
    said = date(2026, 12, 24)
    assert [tasks.until(row(said), DAYS), tasks.until(row(), DAYS), tasks.until(row(severity=0), DAYS)] == [
        said,
        date(2026, 12, 5),
        date(2026, 12, 21),
    ]
    assert tasks.until(row(severity=3), DAYS) is None
    assert tasks.until(row(), {}) is None


def test_an_expected_date_is_never_taken_for_one_that_was_said() -> None:
    record = Record()
    record.say(Kind.TASK, "cap the pool")
    record.say(Kind.TASK, "write it down", due=day(27))
    first, second = tasks.items(PLACE, record.incident(), NAMES, DAYS)
    assert (first.number, first.due, first.expected, first.until) == (2, day(27), None, day(27))
    assert (second.number, second.due, second.expected, second.until) == (1, None, date(2026, 12, 5), date(2026, 12, 5))
    assert record.incident().tasks[1].due is None


def test_what_is_overdue_is_open_and_its_date_is_past() -> None:
    record = Record()
    for due in (day(26), day(27), None, day(20), day(20)):
        record.say(Kind.TASK, "x", due=due)
    record.mark(ev.TaskDone, task=4, at=START)
    record.mark(ev.TaskDropped, task=5, text="no")
    incident = record.incident()
    assert [task.number for task in tasks.overdue(incident, day(27), DAYS)] == [1]
    assert [task.number for task in tasks.overdue(incident, date(2026, 12, 6), DAYS)] == [1, 2, 3]
    assert [task.number for task in tasks.overdue(incident, date(2026, 12, 6), {})] == [1, 2]
    assert [task.number for task in open_tasks(incident)] == [1, 2, 3]


def test_open_items_come_first_by_date_and_those_without_one_behind_them() -> None:
    record = Record(severity=None)
    for due in (None, day(28), day(27), day(26)):
        record.say(Kind.TASK, "x", due=due)
    record.mark(ev.TaskDone, task=4, at=START)
    assert [item.number for item in tasks.items(PLACE, record.incident(), NAMES, {})] == [3, 2, 1, 4]


def test_an_item_that_is_open_again_is_neither_done_nor_dropped() -> None:
    record = Record()
    record.say(Kind.TASK, "x")
    record.mark(ev.TaskDropped, task=1, text="too dear")
    record.mark(ev.TaskReopened, task=1)
    (item,) = tasks.items(PLACE, record.incident(), NAMES, DAYS)
    assert (item.state, item.why_dropped, item.done_on) == ("open", "", None)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//x.example", "https://x.example/|a", "https://" + "x" * 2_000]
)
def test_only_an_address_of_the_web_is_a_link_to_a_tracker(url: str) -> None:
    record = Record()
    record.say(Kind.TASK, "x")
    with pytest.raises(Refusal, match="no link to a tracker"):
        decide(record.incident(), ChangeTask(task=1, url=url), Speaker("a"), START + timedelta(hours=1))


# ---- whose it is ---------------------------------------------------------------------------------


def test_the_owner_hears_of_it_else_the_commander_else_who_opened_the_incident() -> None:
    record = Record()
    record.say(Kind.TASK, "a", owner="@ben", person="b")
    record.say(Kind.TASK, "b", owner="the DBA team")
    assert [one.person for one in tasks.rows(7, record.incident())] == ["b", "a"]
    record.say(Kind.ROLE, role="commander", person="c", who="@chidi")
    assert [one.person for one in tasks.rows(7, record.incident())] == ["b", "c"]


def test_an_incident_that_turned_out_to_be_none_has_no_action_items_to_do() -> None:
    record = Record()
    record.say(Kind.TASK, "a")
    record.say(Kind.CANCELLED, "a test")
    assert tasks.rows(7, record.incident()) == []


def test_destroyed_words_stand_in_no_list() -> None:
    record = Record()
    number = record.say(Kind.TASK, "the password is hunter2", owner="hunter2")
    record.mark(ev.Redacted, entry=number)
    (item,) = tasks.items(PLACE, record.incident(), NAMES, DAYS)
    assert "hunter2" not in f"{item}"


# ---- when they hear of it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dates", "told", "now", "then"),
    [
        ([day(25)], day(20), on(21), on(23)),  # Wednesday's on the Monday before it
        ([day(25)], day(23), on(23, 10, 1), on(25)),  # and on its day
        ([day(28)], day(23), on(24), on(30)),  # what falls due on a Saturday on the Monday after it
        ([day(30)], day(23), on(23, 11), on(30)),
        ([day(40)], day(23), on(23, 11), on(37)),  # a week ahead of that, and no earlier
        ([day(10)], day(23), on(23, 11), on(30)),  # what stays overdue once a week
        ([day(10), day(24)], day(23), on(23, 11), on(24)),
        ([day(23)], day(22), on(23, 9, 59), on(23)),
        ([day(23)], day(22), on(23, 10, 1), on(24)),  # ten o'clock is over
        ([], day(22), on(23), None),
    ],
)
def test_the_next_time_is_ten_on_a_working_day(
    dates: list[date], told: date, now: datetime, then: datetime | None
) -> None:
    assert tasks.next_digest(dates, told, now, "UTC") == then


@pytest.mark.parametrize(
    ("zone", "then"),
    [
        ("America/New_York", on(23, 15)),
        ("Asia/Tokyo", on(23, 1)),
        ("Asia/Kathmandu", on(23, 4, 15)),
        ("Pacific/Kiritimati", on(22, 20)),
    ],
)
def test_ten_is_by_the_clock_of_the_person(zone: str, then: datetime) -> None:
    assert tasks.next_digest([day(25)], day(20), on(21), zone) == then


def test_ten_stays_ten_when_the_clocks_change() -> None:
    fridays = [date(2026, 10, 23), date(2026, 10, 30)]
    found = [tasks.next_digest([by], by - timedelta(days=3), on(-20), "Europe/Berlin") for by in fridays]
    assert found == [on(-8, 8), on(-1, 9)]


@pytest.mark.parametrize(
    ("now", "so"),
    [
        (on(25), True),
        (on(25, 9, 59), False),
        (on(25, 21, 59), True),
        (on(25, 22), False),  # at night nobody is written to
        (on(26, 3), False),
        (on(26, 14), True),  # after an outage
        (on(28, 12), False),  # a Saturday
        (on(30, 15), True),
    ],
)
def test_after_an_outage_it_is_told_on_the_next_working_day(now: datetime, so: bool) -> None:
    assert tasks.is_time([day(25)], day(23), now, "UTC") is so


def test_who_was_told_today_is_not_told_again_today() -> None:
    assert not tasks.is_time([day(10), day(25)], day(25), on(25, 15), "UTC")


DAYS_OF_A_YEAR = st.integers(0, 364).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Africa/Casablanca"])


AHEAD = st.sampled_from([timedelta(minutes=5), timedelta(days=1), tasks.WEEK, timedelta(days=30)])


@given(st.lists(DAYS_OF_A_YEAR, min_size=1, max_size=5), DAYS_OF_A_YEAR, st.integers(0, 30 * 24), ZONES, AHEAD)
def test_a_timer_rings_when_it_is_time_not_before_now_and_for_something(
    dates: Sequence[date], told: date, hours: int, zone: str, ahead: timedelta
) -> None:
    now = datetime(told.year, told.month, told.day, tzinfo=UTC) + timedelta(hours=hours)
    at = tasks.next_digest(dates, told, now, zone, ahead)
    assert at is not None
    assert at >= now
    assert tasks.is_time(dates, told, at, zone, ahead)
    assert any(tasks.in_digest(by, times.localize(at, zone).date(), ahead) for by in dates)


@settings(max_examples=25)
@given(st.lists(DAYS_OF_A_YEAR, max_size=6), ZONES)
def test_over_a_year_nobody_is_told_twice_a_day_and_everybody_on_the_day(dates: list[date], zone: str) -> None:
    told, now = date(2025, 12, 31), datetime(2026, 1, 1, tzinfo=UTC)
    heard: list[date] = []
    while (at := tasks.next_digest(dates, told, now, zone)) and at.year < 2027:
        now, told = at, times.localize(at, zone).date()
        heard.append(told)
    assert len(heard) == len(set(heard))
    assert all(one.weekday() < 5 for one in heard)
    assert all(by in heard for by in dates if by.weekday() < 5 and by > date(2026, 1, 1))
