"""The annex loses nothing that was said: what a change replaced stands in the history of its entry."""

from __future__ import annotations

from datetime import date

from bot.core import events as ev
from bot.core.events import Kind
from tests.core.builder import Record


def history(record: Record, number: int) -> list[tuple[str, str]]:
    entry = next(one for one in record.postmortem().entries if one.number == number)
    return [(change.what, change.text) for change in entry.history]


def test_the_first_text_of_a_task_that_was_changed_is_kept() -> None:
    record = Record()
    record.say(Kind.TASK, "Cap the pool")
    record.mark(ev.TaskChanged, task=1, owner="DBAs", text=None)
    record.mark(ev.TaskChanged, task=1, owner=None, text="Cap every pool", due=date(2026, 12, 1))
    assert history(record, 2) == [
        ("recorded as task of 21 November 2026 03:02 UTC", "Cap the pool"),
        ("owner DBAs", ""),
        ("due 2026-12-01, text corrected", "Cap every pool"),
    ]


def test_the_first_text_is_kept_whatever_else_was_marked_before() -> None:
    record = Record()
    record.say(Kind.ACTION, "rolled back")
    record.mark(ev.Starred, entry=2, on=True)
    record.mark(ev.TextCorrected, entry=2, text="rolled back 4711")
    assert [text for _, text in history(record, 2)] == ["rolled back", "", "rolled back 4711"]


def test_a_task_of_which_only_the_owner_changed_tells_no_first_text() -> None:
    record = Record()
    record.say(Kind.TASK, "Cap the pool")
    record.mark(ev.TaskChanged, task=1, owner="DBAs", text=None)
    assert history(record, 2) == [("owner DBAs", "")]
