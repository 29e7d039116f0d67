"""Stories of action items that live on: lists, digests, taps, who may see them; and how they read."""

from __future__ import annotations

import json
import re
import runpy
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core import tasks
from bot.core.answers import Tasks, TasksTold
from bot.core.incident import Incident, fold
from bot.core.record import Place
from bot.slack import tasks as wording
from bot.workspace import Answer, Channel, Message, User
from bot.workspace.stage import Stage
from tests.test_blocks import HOSTILE, of_element, of_message

FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
QUIET = "commander=off,told=off,busy=off,detection=off,resolve=off,facts=off,review=off"
"""No reminders but those of action items."""


class Cast:
    """Three people in three zones, a public and a private channel, and time that passes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        ws = stage.workspace
        self.ada = ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = ws.add_user("ben", display_name="Ben", tz="America/New_York")
        self.chidi = ws.add_user("chidi", display_name="Chidi", tz="Africa/Lagos")
        self.people = [self.ada, self.ben, self.chidi]
        self.channel = ws.add_channel("payments", members=self.people)
        self.secret = ws.add_channel("audit", members=[self.ada, self.chidi], private=True)
        ws.invite_bot(self.secret)

    def type(self, who: User, *lines: str, channel: Channel | None = None) -> Answer:
        for line in lines:
            answer = self.stage.workspace.command(who, channel or self.channel, line)
            assert answer.ok, answer.failure
            self.stage.pump()
        return answer

    def until(self, at: datetime) -> None:
        """Time passes; what falls due on the way leaves at its time."""
        while (due := self.stage.app.outbox.next_due()) is not None and due <= at:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(at)

    def direct(self, who: User) -> list[Message]:
        """The digests that somebody got."""
        channel = self.stage.workspace.direct(who)
        return [one for one in self.stage.workspace.messages(channel) if "Your action items" in one.text]

    def whispers(self, who: User) -> list[str]:
        return [self.stage.workspace.text(one) for one in self.stage.workspace.ephemerals(who)]

    def tap(self, who: User, message: Message | Answer, button: str) -> None:
        self.stage.workspace.click(who, message, button)
        self.stage.pump()

    def incident(self, number: int = 1) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.by_number(self.stage.workspace.team, number)
            assert place is not None
            return fold(tx.events(place.key), place.number)


def shown(answer: Answer | Message) -> list[str]:
    """The lines that a message shows."""
    blocks: Iterable[dict[str, Any]] = answer.blocks
    return [line for one in blocks if one["type"] == "section" for line in one["text"]["text"].split("\n")]


def says(message: Answer | Message) -> dict[str, str]:
    """What its buttons say: action id and line."""
    found = {}
    for block in message.blocks:
        for one in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
            found[one["action_id"]] = one["value"]
    return found


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of November 2026, UTC; day 31 is the first of December."""
    return datetime(2026, 11, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)


@pytest.fixture
def cast(stage_with: Callable[..., Stage]) -> Cast:
    made = Cast(stage_with(FRIDAY, nudges=QUIET))
    for who in made.people:
        made.type(who, "list")
    made.type(made.ada, "start sev1 Checkout returns errors")
    return made


# ---- the list ------------------------------------------------------------------------------------


def test_the_list_of_an_incident_has_owner_date_state_and_link_of_each_and_buttons_beside_the_open_ones(
    cast: Cast,
) -> None:
    cast.type(cast.ada, "todo @ben prevent: Cap the pool by 2026-11-27", "todo Write it down", "todo x", "todo y")
    cast.type(cast.ada, "todo for the DBA team: Check the replicas by 2026-11-21")
    cast.type(cast.ada, "todo T1 https://tracker.example.org/PAY-1?a=1&b=2", "done T3", "drop T4 too dear")
    cast.until(at(24, 12))
    answer = cast.type(cast.ada, "tasks")
    assert not answer.in_channel
    assert shown(answer) == [
        "☑️ *Action items of INC-1* Checkout returns errors: 3 open, 1 overdue, 2 done or dropped.",
        "*T5* Check the replicas · the DBA team · *overdue* since Saturday 21 November (3 days)",
        "*T1* Cap the pool · Ben · due Friday 27 November · prevent · "
        "<https://tracker.example.org/PAY-1?a=1&amp;b=2|tracker>",
        "*T2* Write it down · no owner yet · due by default Friday 4 December (SEV1: 14 days), nobody said a date",
        "*T3* x · no owner yet · ✅ done Friday 20 November",
        "*T4* y · no owner yet · dropped: too dear",
    ]
    assert list(says(answer).values()) == [
        f"{verb} INC-1: T{number}" for number in (5, 1, 2) for verb in ("done", "drop", "todo")
    ]
    assert [*of_message({"text": answer.text, "blocks": answer.blocks}, posted=True)] == []


def test_a_tap_in_the_list_does_it(cast: Cast) -> None:
    cast.type(cast.ada, "todo Write it down")
    answer = cast.type(cast.chidi, "tasks")
    cast.tap(cast.chidi, answer, "Done")
    assert cast.incident().tasks[1].state == "done"
    assert "✅ T1 is done: “Write it down”" in cast.stage.workspace.messages(cast.channel)[-1].text
    cast.tap(cast.chidi, answer, "Drop…")
    assert cast.incident().tasks[1].state == "done"
    assert "T1 is done already" in cast.whispers(cast.chidi)[-1]


def test_of_several_incidents_the_open_ones_are_listed_and_of_oneself_the_own(cast: Cast) -> None:
    other = cast.stage.workspace.add_channel("search", members=cast.people)
    cast.type(cast.ada, "todo @ben a by 2026-12-04", "todo @ada b", "done T2")
    cast.type(cast.ada, "start sev2 Search is slow", "todo @ben c by 2026-11-25", "todo @chidi d", channel=other)
    lobby = cast.stage.workspace.add_channel("lobby", members=cast.people)
    assert shown(cast.type(cast.ben, "tasks", channel=lobby)) == [
        "☑️ *Action items of the incidents that you may see from here*: 3 open.",
        "*INC-2 T1* c · Ben · due Wednesday 25 November",
        "*INC-1 T1* a · Ben · due Friday 4 December",
        "*INC-2 T2* d · Chidi · due by default Sunday 20 December (SEV2: 30 days), nobody said a date",
    ]
    assert shown(cast.type(cast.ben, "tasks mine")) == [
        "☑️ *Your action items*: 2 open.",
        "*INC-2 T1* c · due Wednesday 25 November",
        "*INC-1 T1* a · due Friday 4 December",
    ]
    cast.until(at(26, 12))
    assert shown(cast.type(cast.ada, "tasks all overdue"))[1:] == [
        "*INC-2 T1* c · Ben · *overdue* since Wednesday 25 November (1 day)"
    ]
    assert shown(cast.type(cast.ada, "tasks overdue")) == [
        "☑️ *Action items of INC-1* Checkout returns errors: none is overdue.",
    ]
    cast.type(cast.ada, "drop T1 no")
    other = cast.stage.workspace.add_channel("mail", members=cast.people)
    cast.type(cast.ada, "start sev2 No mail", channel=other)
    assert shown(cast.type(cast.ada, "tasks", channel=other)) == [
        "☑️ *Action items of INC-3* No mail: none.",
        "`/incident todo @owner … by Friday` adds one.",
    ]


def test_many_action_items_are_paged_and_none_is_left_out(cast: Cast) -> None:
    for number in range(1, 106):
        cast.stage.workspace.command(cast.ada, cast.channel, f"todo @ben task {number}")
    answer, seen = cast.type(cast.ben, "tasks all"), []
    for page in range(1, 12):
        seen += re.findall(r"task \d+", "\n".join(shown(answer)))
        assert shown(answer)[-1] == f"Page {page} of 11"
        assert [*of_message({"text": answer.text, "blocks": answer.blocks}, posted=True)] == []
        answer = cast.type(cast.ben, [*says(answer).values()][-1])
    assert seen == [f"task {number}" for number in range(1, 106)]


def test_tasks_that_are_spoken_of_are_text(cast: Cast) -> None:
    answer = cast.type(cast.ada, "tasks of the scheduler pile up")
    assert "Nothing is recorded yet" in answer.text


# ---- what can be said of one ---------------------------------------------------------------------


def test_who_changed_what_and_when_stands_in_the_annex(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben Cap the pool by 2026-11-27")
    cast.type(cast.ben, "todo T1 @chidi by 2026-12-04", "link T1 https://tracker.example.org/PAY-1")
    cast.type(cast.chidi, "done T1", "todo T1 again", "drop T1 replaced")
    cast.type(cast.ada, "resolve fixed")
    cast.until(at(20, 13))
    (file,) = cast.stage.settings.export_dir.glob("*.timeline.md")
    annex = file.read_text()
    assert "**T1** Cap the pool · Chidi · *dropped*: replaced · [tracker](https://tracker.example.org/PAY-1)" in annex
    assert [line.strip() for line in annex.splitlines() if line.startswith("  - ") and "Nov" in line] == [
        "- owner Chidi, due 2026-12-04 · *Ben, 20 November 2026 12:00 GMT*",
        "- linked to a tracker · *Ben, 20 November 2026 12:00 GMT*",
        "- done 20 November 2026 · *Chidi, 20 November 2026 12:00 GMT*",
        "- open again · *Chidi, 20 November 2026 12:00 GMT*",
        "- dropped: replaced · *Chidi, 20 November 2026 12:00 GMT*",
    ]


def test_the_second_of_two_who_say_that_it_is_done_is_answered_gently(cast: Cast) -> None:
    cast.type(cast.ada, "todo x")
    answers: list[Answer] = []
    both = [
        threading.Thread(
            target=lambda who=who: answers.append(cast.stage.workspace.command(who, cast.channel, "done T1"))
        )
        for who in (cast.ben, cast.chidi)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(answer.in_channel for answer in answers) == [False, True]
    (late,) = (answer for answer in answers if not answer.in_channel)
    assert late.text == (
        "T1 is done already since 20 November 2026; nothing is left to do. "
        "Type /incident todo INC-1: T1 again if it is to be done after all."
    )


def test_after_publishing_an_action_item_goes_on_and_is_no_addendum(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben x by 2026-11-27", "resolve fixed")
    cast.until(at(20, 13))
    cast.type(cast.ada, "publish")
    assert cast.type(cast.ben, "done T1").text == "✅ T1 is done: “x”"
    cast.until(at(20, 14))
    documents = {one.name: one.read_text() for one in cast.stage.settings.export_dir.glob("*.md")}
    assert "- [ ] **T1** x" in documents["0001-checkout-returns-errors.r2.md"]  # as it was published
    assert "- [x] **T1** x" in documents["0001-checkout-returns-errors.r3.md"]


def test_a_cancelled_incident_lists_none_and_one_that_is_opened_again_lists_them(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben x by 2026-11-27")
    answer = cast.type(cast.ada, "cancel a test")
    cast.tap(cast.ada, answer, "Cancel it")
    assert shown(cast.type(cast.ben, "tasks mine"))[0] == "☑️ *Your action items*: none."
    cast.type(cast.ada, "reopen INC-1: no test")
    assert shown(cast.type(cast.ben, "tasks mine"))[0] == "☑️ *Your action items*: 1 open."


@pytest.mark.parametrize("url", ["ftp://x.example", "javascript:alert(1)", "https://x.example/|evil", "https:// x"])
def test_only_a_web_address_links_to_a_tracker(cast: Cast, url: str) -> None:
    cast.type(cast.ada, "todo x")
    cast.type(cast.ada, f"link T1 {url}")
    assert cast.incident().tasks[1].url == ""


# ---- digests -------------------------------------------------------------------------------------


def test_the_owner_is_told_once_a_week_and_on_the_day_in_their_own_zone(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben Cap the pool by 2026-11-25", "todo @ben Write it down by 2026-11-25")
    cast.type(cast.ada, "todo @ben Later by 2026-12-11")
    cast.until(at(23, 14, 59))
    assert cast.direct(cast.ben) == []
    cast.until(at(23, 15))  # ten in New York
    (first,) = cast.direct(cast.ben)
    assert shown(first) == [
        "☑️ *Your action items*: 2 due soon.",
        "*INC-1 T1* Cap the pool · due Wednesday 25 November",
        "*INC-1 T2* Write it down · due Wednesday 25 November",
        "… and 1 more: `/incident tasks mine`",
    ]
    assert list(says(first).values()) == ["done INC-1: T1", "done INC-1: T2", "tasks mine", "tasks off"]
    cast.until(at(25, 15))
    assert [shown(one)[0] for one in cast.direct(cast.ben)[1:]] == ["☑️ *Your action items*: 2 due today."]
    cast.until(at(30, 14, 59))
    assert len(cast.direct(cast.ben)) == 2
    cast.until(at(30, 15))
    third = cast.direct(cast.ben)[2]
    assert shown(third)[0] == "☑️ *Your action items*: 2 overdue."
    assert [cast.direct(who) for who in (cast.ada, cast.chidi)] == [[], []]


def test_what_is_done_is_told_to_nobody_and_when_all_is_done_nothing_is(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25", "todo @ben b by 2026-11-25", "done T1")
    cast.until(at(23, 16))
    (first,) = cast.direct(cast.ben)
    assert shown(first)[1:] == ["*INC-1 T2* b · due Wednesday 25 November"]
    cast.tap(cast.ben, first, "Done")
    assert cast.incident().tasks[2].state == "done"
    cast.until(at(60))
    assert len(cast.direct(cast.ben)) == 1


def test_with_another_owner_the_other_is_told(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25", "todo T1 @chidi")
    cast.until(at(24))
    assert [len(cast.direct(who)) for who in (cast.ben, cast.chidi)] == [0, 1]


def test_what_nobody_in_slack_owns_is_told_to_the_commander_and_whose_it_is(cast: Cast) -> None:
    cast.type(cast.ada, "todo for the DBA team: Check the replicas by 2026-11-25", "todo Write it down by 2026-11-25")
    cast.type(cast.ada, "lead @chidi")
    cast.until(at(24))
    (digest,) = cast.direct(cast.chidi)
    assert shown(digest)[1:] == [
        "*INC-1 T1* Check the replicas · for the DBA team · due Wednesday 25 November",
        "*INC-1 T2* Write it down · no owner yet · due Wednesday 25 November",
    ]
    assert cast.direct(cast.ada) == []


def test_a_date_by_default_counts_for_the_digest_and_is_said_to_be_one(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben Cap the pool")
    cast.until(at(30, 14))
    assert cast.direct(cast.ben) == []
    cast.until(at(30, 15))
    (digest,) = cast.direct(cast.ben)
    assert shown(digest)[1] == (
        "*INC-1 T1* Cap the pool · due by default Friday 4 December (SEV1: 14 days), nobody said a date"
    )


def test_without_default_dates_nobody_is_told_of_what_has_none(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(FRIDAY, nudges=QUIET, task_days="off"))
    cast.type(cast.ada, "start sev1 x", "todo @ben Cap the pool")
    cast.until(at(90))
    assert cast.direct(cast.ben) == []


def test_another_severity_moves_the_date_by_default(cast: Cast) -> None:
    cast.type(cast.ada, "severity sev3", "todo @ben Cap the pool", "severity sev1")
    cast.until(at(30, 15))
    assert len(cast.direct(cast.ben)) == 1


def test_who_wants_no_digest_gets_none_until_they_do(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25")
    cast.until(at(23, 16))
    (first,) = cast.direct(cast.ben)
    cast.tap(cast.ben, first, "Stop these messages")
    assert "You are not told of your action items any more" in cast.whispers(cast.ben)[-1]
    cast.until(at(40))
    assert len(cast.direct(cast.ben)) == 1
    assert "You are told of your action items" in cast.type(cast.ben, "tasks on").text
    cast.until(at(45))
    assert [shown(one)[0] for one in cast.direct(cast.ben)[1:]] == ["☑️ *Your action items*: 1 overdue."]


def test_where_reminders_are_off_nobody_is_told(cast: Cast, stage_with: Callable[..., Stage]) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25", "reminders off")
    cast.until(at(30))
    assert cast.direct(cast.ben) == []
    assert len(shown(cast.type(cast.ben, "tasks mine"))) == 2
    cast.type(cast.ada, "reminders on")
    cast.until(at(31))
    assert len(cast.direct(cast.ben)) == 1
    for value in ("off", f"{QUIET},tasks=off"):
        other = Cast(stage_with(FRIDAY, nudges=value))
        other.type(other.ada, "start sev1 x", "todo @ben a by 2026-11-25")
        other.until(at(40))
        assert other.direct(other.ben) == []


def test_how_far_ahead_people_are_told_is_a_setting(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(FRIDAY, nudges=f"{QUIET},tasks=21d"))
    cast.type(cast.ada, "start sev1 x", "todo @ben a by 2026-12-11")
    cast.until(at(23, 16))
    assert [shown(one)[0] for one in cast.direct(cast.ben)] == ["☑️ *Your action items*: 1 due soon."]


def test_after_an_outage_one_digest_comes_and_it_names_everything(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25", "todo @ben b by 2026-11-27")
    cast.stage.clock.move_to(at(42, 3))  # Saturday, two weeks later, at night
    cast.stage.restart()
    cast.stage.pump()
    assert cast.direct(cast.ben) == []
    cast.until(at(44, 20))
    (only,) = cast.direct(cast.ben)
    assert shown(only)[0] == "☑️ *Your action items*: 2 overdue."


def test_two_processes_send_one(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25")
    cast.until(at(23, 14))
    cast.stage.clock.move_to(at(23, 15))
    second = cast.stage.open()
    both = [threading.Thread(target=app.outbox.pump) for app in (cast.stage.app, second)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(cast.direct(cast.ben)) == 1
    second.store.close()


def test_a_digest_that_may_have_arrived_is_not_sent_again(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25")
    cast.until(at(23, 14))
    cast.stage.workspace.fail("chat.postMessage", drop="after", when=lambda args: str(args["channel"]).startswith("D"))
    cast.until(at(24))
    assert len(cast.direct(cast.ben)) == 1
    cast.until(at(26))
    assert len(cast.direct(cast.ben)) == 2  # on the day it falls due


def test_one_that_slack_did_not_take_is_tried_again(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25")
    cast.until(at(23, 14))
    cast.stage.workspace.fail("conversations.open", retry_after=30, times=2)
    cast.until(at(24))
    assert len(cast.direct(cast.ben)) == 1


def test_an_owner_whom_slack_does_not_let_us_write_to_is_let_go_quietly(cast: Cast) -> None:
    robot = cast.stage.workspace.add_user("robot", is_bot=True)
    cast.stage.workspace.join(robot, cast.channel)
    cast.type(cast.ada, "todo @robot a by 2026-11-25")
    cast.until(at(60))
    with cast.stage.app.store.reading() as tx:
        assert tx.letters("parked") == []
    assert "Not delivered" not in cast.type(cast.ada, "status").text


def test_a_timer_is_nothing_that_waits_to_be_sent(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25")
    cast.until(at(20, 13))
    assert "Waiting" not in cast.type(cast.ada, "status").text


def test_a_digest_that_was_still_to_come_comes_after_a_restore(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ada a by 2026-11-25")
    with cast.stage.app.store.writing() as tx:
        tx.came_back(cast.stage.clock())
    cast.until(at(24))
    assert len(cast.direct(cast.ada)) == 1


def test_a_digest_comes_though_the_last_one_was_told_by_a_clock_that_ran_ahead(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25")
    now = cast.stage.clock()
    cast.stage.clock.at = now + timedelta(days=60)
    cast.stage.pump()
    cast.stage.clock.at = now
    told = len(cast.direct(cast.ben))
    cast.stage.restart()
    cast.stage.app.learn()
    cast.until(at(24))
    assert len(cast.direct(cast.ben)) == told + 1


def test_items_from_before_there_were_digests_are_told_of(cast: Cast) -> None:
    cast.type(cast.ada, "todo @ben a by 2026-11-25")
    with cast.stage.app.store.writing() as tx:
        tx._run("DELETE FROM digests")
        tx._run("DELETE FROM letters WHERE kind = 'digest'")
    cast.stage.restart()
    cast.stage.app.learn()
    cast.until(at(23, 15))
    assert len(cast.direct(cast.ben)) == 1


def test_the_upgrade_lists_what_an_older_program_left_open(cast: Cast) -> None:
    cast.type(
        cast.ada, "todo @ben a by 2026-11-25", "todo b", "todo c", "todo d", "todo e", "todo for DBA: f", "todo g"
    )
    cast.type(
        cast.ada, "lead @chidi", "todo T1 @ada", "todo T6 by 2026-12-01", "done T2", "drop T3 no", "remove 5", "undo"
    )
    cast.type(cast.ben, "todo h", "undo")
    with cast.stage.app.store.writing() as tx:
        listed = tx.open_tasks(cast.stage.workspace.team)
        tx._run("DELETE FROM open_tasks")
        tx._run(upgrade())
        assert tx.open_tasks(cast.stage.workspace.team) == listed
    assert [row.number for row in listed] == [1, 4, 5, 6, 7]


def upgrade() -> str:
    """The statement that lists the action items of a record from before they were listed."""
    steps = (Path(__file__).parents[1] / "migrations").glob("m*.py")
    schemas = [runpy.run_path(str(step))["SCHEMA"] for step in steps if "INTO open_tasks" in step.read_text()]
    (statement,) = re.findall(r"INSERT INTO open_tasks\n.*?;\n", schemas[0], re.DOTALL)
    return str(statement)


def test_a_digest_costs_two_calls_and_none_while_somebody_waits(cast: Cast) -> None:
    cast.until(at(20, 13))
    calls = cast.stage.workspace.calls
    before = len(calls)
    for line in ("todo @ben a by 2026-11-25", "todo @ben b by 2026-11-25", "todo T1 https://x.example", "done T1"):
        cast.stage.workspace.command(cast.ada, cast.channel, line)
    cast.stage.workspace.command(cast.ada, cast.channel, "tasks")
    assert len(calls) == before
    cast.until(at(23, 14))
    before = len(calls)
    cast.until(at(23, 16))
    assert [one.method for one in calls[before:]] == ["conversations.open", "chat.postMessage"]


# ---- private incidents ---------------------------------------------------------------------------


@pytest.fixture
def private(cast: Cast) -> Cast:
    """Ben owns an item of a private incident whose channel he is not in."""
    cast.type(cast.ada, "start sev1 Somebody reads our mail", channel=cast.secret)
    cast.until(at(20, 13))
    cast.type(cast.chidi, "todo @ben Rotate the keys by 2026-11-25", "todo @ada Ask legal", channel=cast.secret)
    return cast


def test_items_of_a_private_incident_are_listed_in_its_channel_and_to_their_owner_alone(private: Cast) -> None:
    for line in ("tasks all", "tasks", "tasks overdue", "list keys"):
        for who in (private.ada, private.ben, private.chidi):
            answer = private.type(who, line)
            assert "Rotate" not in answer.text
            assert "INC-2" not in answer.text
    assert "INC-2" not in private.type(private.chidi, "tasks mine").text
    assert (
        shown(private.type(private.ben, "tasks mine"))[1] == "🔒 *INC-2 T1* Rotate the keys · due Wednesday 25 November"
    )
    assert not private.type(private.ben, "tasks mine").in_channel
    assert "Rotate the keys" in private.type(private.chidi, "tasks", channel=private.secret).text
    assert "There is no INC-2" in private.type(private.ben, "tasks INC-2:").text


def test_where_another_company_reads_along_only_its_own_items_are_listed(private: Cast) -> None:
    private.type(private.ada, "todo @ben Cap the pool")
    shared = private.stage.workspace.add_channel("partners", members=private.people, ext_shared=True, bot_in=True)
    private.type(private.ada, "start sev3 The feed is late", "todo @chidi Ask them", channel=shared)
    assert shown(private.type(private.ada, "tasks all", channel=shared))[1:] == [
        "*INC-3 T1* Ask them · Chidi · due by default Tuesday 19 January 2027 (SEV3: 60 days), nobody said a date"
    ]


def test_its_owner_may_say_in_the_direct_message_that_it_is_done_and_nowhere_else(private: Cast) -> None:
    private.until(at(23, 16))
    (digest,) = private.direct(private.ben)
    assert "There is no INC-2" in private.type(private.ben, "done INC-2: T1").text
    assert private.incident(2).tasks[1].state == "open"
    private.tap(private.ben, digest, "Done")
    assert private.incident(2).tasks[1].state == "done"
    everywhere = [one.text for one in private.stage.workspace.messages(private.channel)]
    assert "Rotate" not in "\n".join(everywhere)


def test_a_direct_message_opens_no_item_of_somebody_else(private: Cast) -> None:
    private.until(at(23, 16))
    (digest,) = private.direct(private.ben)
    for line in ("done INC-2: T2", "note INC-2: I was here", "drop INC-2: T2 no", "redact INC-2: 2"):
        digest.blocks[1]["accessory"]["value"] = line
        before = private.incident(2).seq
        private.tap(private.ben, digest, "Done")
        assert private.incident(2).seq == before
        assert "There is no INC-2" in private.whispers(private.ben)[-1]


# ---- how it reads --------------------------------------------------------------------------------


def item(**more: Any) -> tasks.Item:
    place = Place(1, "T1", 42, "C1", False, 0, "", "Checkout", "resolved", 1, FRIDAY)
    plain = tasks.Item(place, 3, "Cap the pool", "Ben", True, "open", None, None, 1, 14, None, "", None, "")
    return replace(plain, **more)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"due": TODAY}, "due today"),
        ({"due": TODAY + timedelta(days=1)}, "due tomorrow"),
        ({"due": TODAY + timedelta(days=2)}, "due Wednesday 25 November"),
        ({"due": date(2027, 1, 4)}, "due Monday 4 January 2027"),
        ({"due": TODAY - timedelta(days=1)}, "*overdue* since Sunday 22 November (1 day)"),
        ({"due": date(2025, 11, 24)}, "*overdue* since Monday 24 November 2025 (364 days)"),
        ({}, "no date yet"),
        (
            {"expected": date(2026, 11, 20)},
            "*overdue* · by default Friday 20 November (SEV1: 14 days), nobody said a date",
        ),
        (
            {"expected": date(2026, 12, 4), "severity": 0, "days": 30},
            "due by default Friday 4 December (without a severity: 30 days), nobody said a date",
        ),
        ({"state": "dropped"}, "dropped"),
        ({"state": "done", "done_on": TODAY, "due": date(2026, 1, 1)}, "✅ done Monday 23 November"),
    ],
)
def test_a_date_reads_in_words(given: dict[str, Any], state: str) -> None:
    message = wording.digest([item(**given)], 0, TODAY, "/incident")
    assert message["blocks"][1]["text"]["text"] == f"*INC-42 T3* Cap the pool · {state}"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_words_make_messages_that_slack_takes(text: str) -> None:
    hostile = item(text=text, owner=text, why_dropped=text, url="https://x.example/" + "&" * 400, due=TODAY)
    place = replace(hostile.place, title=text)
    dropped = replace(hostile, state="dropped")
    listed = Tasks(place, False, (hostile, dropped) * 5, 300, 200, 7, 2, 30, TODAY, "all overdue")
    for message in (
        wording.digest([hostile] * 300, 7, TODAY, "/incident"),
        wording.listed(listed, "/incident"),
        wording.listed(replace(listed, place=None), "/incident"),
        wording.told(TasksTold(True), "/incident"),
        wording.told(TasksTold(False), "/incident"),
    ):
        assert [*of_message(message, posted=True)] == []
        beside = [block["accessory"] for block in message["blocks"] if "accessory" in block]
        assert [wrong for one in beside for wrong in of_element(one)] == []
        names = [one["action_id"] for block in message["blocks"] for one in block.get("elements", [])]
        names += [one["action_id"] for one in beside]
        assert len(names) == len(set(names))


def test_golden_lists_and_digest(golden: Callable[[str, str], None]) -> None:
    open_ones = (
        item(due=TODAY - timedelta(days=3), url="https://tracker.example.org/PAY-3"),
        item(number=4, text="Write it down", owner="the DBA team", named=False, due=TODAY),
        item(number=5, text="Check <the> replicas & more", owner="", named=False, expected=date(2026, 12, 5)),
    )
    over = (item(number=1, state="done", done_on=TODAY), item(number=2, state="dropped", why_dropped="too dear"))
    here = Tasks(open_ones[0].place, False, (*open_ones, *over), 25, 13, 1, 2, 3, TODAY, "")
    shown = [
        wording.listed(here, "/incident"),
        wording.listed(replace(here, place=None, mine=True, items=open_ones, total=13, pages=1), "/incident"),
        wording.listed(Tasks(None, False, (), 0, 0, 0, 1, 1, TODAY, "all overdue"), "/incident"),
        wording.digest(open_ones, 2, TODAY, "/incident"),
        wording.told(TasksTold(False), "/incident"),
    ]
    golden("tasks.json", json.dumps(shown, indent=1, ensure_ascii=False) + "\n")


def test_a_digest_names_twenty_and_counts_the_rest() -> None:
    message = wording.digest([item(number=n, due=TODAY) for n in range(1, 301)], 5, TODAY, "/incident")
    assert message["blocks"][0]["text"]["text"] == "☑️ *Your action items*: 300 due today."
    assert len([block for block in message["blocks"] if "accessory" in block]) == 20
    assert message["blocks"][-2]["text"]["text"] == "… and 285 more: `/incident tasks mine`"


def test_a_zone_that_this_machine_does_not_have_keeps_no_action_item_from_being_recorded(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors", "lead @ben")
    with cast.stage.app.store.writing() as tx:
        now = cast.stage.clock()
        tx.learn_person(cast.stage.workspace.team, cast.ben.id, name="Ben", zone="Mars/Olympus", now=now)
    cast.type(cast.ada, "todo @ben: Cap the pool by 2026-12-01")
    assert [task.owner for task in cast.incident().tasks.values()] == ["@ben"]
