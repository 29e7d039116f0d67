"""Forms: a line that says nothing yet opens one, and what is filled in is recorded together or not at all.

Each view that is opened here is looked at by slack_sdk's models and for the limits of Slack's pages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from bot.core import commands as cmd
from bot.core.answers import Heard, Recorded
from bot.core.events import Kind
from bot.core.incident import Incident, fold
from bot.core.times import When
from bot.press import Press
from bot.slack.buttons import say_button
from bot.workspace import Answer, Channel, User, View
from bot.workspace.stage import Stage
from tests.conftest import Bare
from tests.test_blocks import HOSTILE, of_view

NOW = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)


def stamp(at: datetime) -> int:
    return int(at.timestamp())


class Room:
    """Three people, a channel in which Scribe is, and one in which it is not."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.workspace = stage, stage.workspace
        add = self.workspace.add_user
        self.ada = add("ada", display_name="Ada", tz="Europe/London")
        self.ben = add("ben", display_name="Ben", tz="America/New_York")
        self.chidi = add("chidi", display_name="Chidi", tz="Africa/Lagos")
        everybody = [self.ada, self.ben, self.chidi]
        self.channel = self.workspace.add_channel("payments-oncall", members=everybody, bot_in=True)
        self.other = self.workspace.add_channel("general", members=everybody, bot_in=True)

    def type(self, line: str, who: User | None = None, channel: Channel | None = None) -> Answer:
        answer = self.workspace.command(who or self.ada, channel or self.channel, line)
        assert answer.ok, (line, answer.failure)
        self.stage.pump()
        return answer

    def record(self, *lines: str) -> None:
        """Types lines that are recorded, a minute apart."""
        for line in lines:
            answer = self.type(line)
            assert answer.in_channel, (line, answer.text)
            self.stage.clock.advance(timedelta(minutes=1))

    def form(self, line: str, who: User | None = None, channel: Channel | None = None) -> View:
        """The form that a line opens, which says nothing else."""
        answer = self.type(line, who, channel)
        assert (answer.raw, answer.text) == (b"", ""), answer.text
        assert answer.view is not None
        assert list(of_view(answer.view.given)) == []
        return answer.view

    def many(self, *commands: cmd.Change) -> None:
        """Records a lot at once."""
        for start in range(0, len(commands), 100):
            heard = Heard(self.workspace.team, self.channel.id, self.ada.id, f"many {start}")
            part = [(command, "text", "when") for command in commands[start : start + 100]]
            assert isinstance(self.stage.app.scribe.handle_all(part, heard), Recorded)

    def submit(self, view: View, who: User | None = None, **values: Any) -> Answer:
        answer = self.workspace.submit(who or self.ada, view, values)
        assert answer.ok, answer.failure
        self.stage.pump()
        return answer

    def refused(self, view: View, **values: Any) -> dict[str, str]:
        """The errors beside the fields; the form stays open."""
        answer = self.submit(view, **values)
        assert answer.errors
        assert view in self.workspace.views(self.ada)
        return answer.errors

    def incident(self, channel: Channel | None = None) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.in_channel(self.workspace.team, (channel or self.channel).id)
            assert place is not None
            return fold(tx.events(place.key), place.number)

    def told(self) -> list[tuple[int, Kind, str]]:
        return [(one.number, one.kind, one.text) for one in self.incident().entries.values() if one.live]

    def said(self) -> str:
        """What Scribe posted last."""
        ours = (one for one in self.workspace.messages(self.channel) if one.user == self.workspace.bot_user)
        return [one.text for one in ours][-1]

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.workspace.calls)


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


@pytest.fixture
def kind_of_stage() -> type[Stage]:
    return Bare


# ---- how a form comes ----------------------------------------------------------------------------


def test_the_command_alone_opens_the_form_of_a_new_incident_and_the_status_of_one_that_is_open(room: Room) -> None:
    view = room.form("")
    room.submit(view, title="Checkout returns errors", severity="1")
    assert room.incident().title == "Checkout returns errors"
    assert room.incident().severity == 1
    assert "INC-1" in room.type("").text
    assert room.workspace.views(room.ada) == []


FORMS = {
    "start": "start_incident",
    "declare": "start_incident",
    "resolve": "resolve_incident",
    "todo": "add_task",
    "impact": "record_entry",
    "edit": "choose_entry",
    "edit 2": "edit_entry",
    "move 2": "edit_entry",
    "todo T1": "change_task",
    "drop T1": "drop_task",
    "title": "title",
    "timeline whole": "timeline",
    **dict.fromkeys(
        (
            *("note", "action", "did", "suspect", "ruledout", "told", "update", "decision", "escalate", "mitigation"),
            *("again", "summary", "services", "trigger", "cause", "factor", "fix", "verified", "improve", "well"),
            *("wrong", "lucky", "takeaway", "question", "lead", "role", "handover", "severity", "link"),
        ),
        "record_entry",
    ),
}


@pytest.mark.parametrize(("line", "callback"), FORMS.items())
def test_a_line_that_says_nothing_yet_opens_its_form_with_one_call(room: Room, line: str, callback: str) -> None:
    room.record("start Checkout returns errors", "note CPU is at 100 %", "todo cap the pool")
    before = len(room.workspace.calls)
    view = room.form(line)
    assert view.callback_id == callback
    assert [call.method for call in room.workspace.calls[before:]] == ["views.open"]


def test_nothing_is_written_down_for_a_form_that_is_only_opened(room: Room) -> None:
    room.record("start Checkout returns errors")

    def written() -> tuple[int, int]:
        with room.stage.app.store.reading() as tx:
            place = tx.in_channel(room.workspace.team, room.channel.id)
            assert place is not None
            return len(tx.letters("waiting")), place.seq

    before = written()
    room.form("resolve")
    assert written() == before


def test_what_needs_no_text_is_recorded_at_once_where_it_is_typed(room: Room) -> None:
    room.record("start Checkout returns errors", "ack", "mitigated")
    assert room.type("resolve 03:07").in_channel
    assert [kind for _, kind, _ in room.told()] == [Kind.STARTED, Kind.ACK, Kind.MITIGATED, Kind.RESOLUTION]


@pytest.fixture
def whole(tmp_path: Path, press: Press) -> Iterator[Room]:
    """A room on a stage where boards and reminders leave as well."""
    stage = Stage(tmp_path / "whole", NOW, press=press)
    yield Room(stage)
    stage.app.store.close()


def test_the_buttons_of_the_board_open_forms(whole: Room) -> None:
    room = whole
    room.record("start sev1 Checkout returns errors")
    room.stage.settle()
    (board,) = (one for one in room.workspace.pins(room.channel))
    for label, callback in (
        ("Note", "record_entry"),
        ("Update", "record_entry"),
        ("Mitigated", "record_entry"),
        ("Resolve", "resolve_incident"),
    ):
        answer = room.workspace.click(room.ada, board, label)
        assert answer.view is not None
        assert answer.view.callback_id == callback
        assert list(of_view(answer.view.given)) == []
        room.workspace.close(room.ada)
    assert room.incident().seq == 1


def test_a_trigger_that_came_too_late_is_answered_with_a_button_that_opens_the_form_anew(room: Room) -> None:
    room.record("start Checkout returns errors")
    late = room.workspace.new_trigger(room.ada.id, room.channel.id)
    room.stage.clock.advance(timedelta(seconds=4))
    answer = room.workspace.command(room.ada, room.channel, "todo", trigger_id=late)
    assert answer.text == (
        "“todo” needs a text. Type /incident todo [@owner|for &lt;name&gt;:] [prevent:|detect:|mitigate:|process:] "
        "&lt;task&gt; [by &lt;date&gt;] [#public] | T3 @owner by Friday | T3 &lt;url&gt; | T3 again, for example: todo "
        "@ben prevent: Cap the connection pool by Friday"
    )
    assert not answer.in_channel
    again = room.workspace.click(room.ada, answer, "Open the form")
    assert again.view is not None
    room.submit(again.view, text="cap the pool")
    assert room.told()[1:] == [(2, Kind.TASK, "cap the pool")]


@pytest.mark.parametrize("fault", [{"error": "exchanged_trigger_id"}, {"drop": "after"}, {"status": 503}])
def test_a_button_whose_form_slack_does_not_open_is_answered_with_another(room: Room, fault: dict[str, Any]) -> None:
    room.record("start Checkout returns errors")
    room.workspace.say(room.ben, room.channel, "@scribe todo")
    room.stage.pump()
    (words,) = room.workspace.ephemerals(room.ben)
    room.workspace.fail("views.open", **fault)
    room.workspace.click(room.ben, words, "Open the form")
    room.stage.pump()
    (_, anew) = room.workspace.ephemerals(room.ben)
    assert anew.text == words.text
    room.workspace.close(room.ben, everything=True) if room.workspace.views(room.ben) else None
    assert room.workspace.click(room.ben, anew, "Open the form").view is not None


def test_a_mention_in_a_thread_is_answered_with_a_button_in_the_thread(room: Room) -> None:
    room.record("start Checkout returns errors")
    root = room.workspace.say(room.ben, room.channel, "it is worse")
    room.workspace.say(room.ben, room.channel, "@scribe resolve", thread_ts=root)
    room.stage.pump()
    (words,) = room.workspace.ephemerals(room.ben)
    assert words.thread_ts == root.ts
    assert words.text == (
        "“resolve” alone opens a form; nothing is recorded yet. Type /incident resolve at now, or with a text: resolve "
        "graphs flat for an hour"
    )
    opened = room.workspace.click(room.ben, words, "Open the form")
    assert opened.view is not None
    assert opened.view.callback_id == "resolve_incident"


def test_a_form_for_an_incident_that_is_open_elsewhere_is_one_tap_away(room: Room) -> None:
    room.record("start Checkout returns errors")
    answer = room.type("todo", channel=room.other)
    assert answer.text.startswith(
        "No incident is open in this channel. Open elsewhere: INC-1 “Checkout returns errors”."
    )
    opened = room.workspace.click(room.ada, answer, "Record to INC-1")
    assert opened.view is not None
    room.submit(opened.view, text="cap the pool")
    assert room.told()[1:] == [(2, Kind.TASK, "cap the pool")]


def test_no_form_opens_where_nothing_is_open_or_nothing_can_be_recorded(room: Room) -> None:
    assert room.type("todo").text == (
        "No incident is open in this channel. Type /incident start &lt;title&gt; to open one, or /incident list to see "
        "the open ones."
    )
    room.record("start Checkout returns errors", "resolve calm")
    assert room.type("resolve").text.startswith("INC-1 is already resolved at 21 November 2026 03:07 GMT.")
    assert room.type("edit 9").text.startswith("There is no entry 9.")
    assert room.type("drop T3").text.startswith("There is no action item T3.")
    assert room.type("note INC-7:").text.startswith("There is no INC-7 that you may see from here.")
    assert room.calls("views.open") == 0


def test_a_private_incident_opens_no_form_from_another_channel(room: Room) -> None:
    secret = room.workspace.add_channel("secret", private=True, members=[room.ada], bot_in=True)
    assert room.type("start Keys are leaked", channel=secret).in_channel
    for line in ("note INC-1:", "timeline INC-1: whole", "edit INC-1:", "resolve INC-1:"):
        assert room.type(line).text.startswith("There is no INC-1 that you may see from here.")
    assert room.calls("views.open") == 0


# ---- an incident ---------------------------------------------------------------------------------


def test_the_form_of_an_incident_opens_one_in_the_channel_that_is_chosen(room: Room) -> None:
    view = room.form("start")
    room.submit(
        view,
        title="  Checkout\nreturns errors ",
        channel=room.other.id,
        severity="2",
        since=stamp(NOW - timedelta(minutes=16)),
        also=["drill"],
    )
    found = room.incident(room.other)
    assert (found.title, found.severity, found.drill) == ("Checkout returns errors", 2, True)
    assert found.onset == NOW - timedelta(minutes=16)
    assert found.entries[1].zone == "Europe/London"


def test_what_is_wrong_in_the_form_of_an_incident_stands_beside_its_field(room: Room) -> None:
    view = room.form("start")
    assert room.refused(view, title="  ", channel=room.channel.id) == {"title": "Say in a few words what is wrong."}
    assert room.refused(view, title="Checkout", since=stamp(NOW + timedelta(hours=1))) == {
        "since": "That is still to come: choose a time that is past."
    }
    room.record("start Login is slow")
    assert room.refused(view, title="Checkout")["channel"].startswith("INC-1 “Login is slow” is already open")
    room.workspace.archive(room.other)
    assert room.refused(view, title="Checkout", channel=room.other.id) == {
        "channel": "That channel is archived: nobody can write there. Choose another one."
    }
    fresh = room.workspace.add_channel("fresh", members=[room.ada], bot_in=True)
    room.submit(view, title="Checkout", channel=fresh.id)
    assert room.incident(fresh).title == "Checkout"
    assert room.workspace.views(room.ada) == []


def test_the_global_shortcut_opens_the_same_form_with_one_call(room: Room) -> None:
    answer = room.workspace.shortcut(room.ada, "start_incident")
    assert answer.view is not None
    assert list(of_view(answer.view.given)) == []
    assert [call.method for call in room.workspace.calls if call.method.startswith("views")] == ["views.open"]
    room.submit(answer.view, title="Checkout", channel=room.channel.id)
    assert room.incident().title == "Checkout"


def test_a_shortcut_whose_form_slack_does_not_open_is_answered_in_a_direct_message(room: Room) -> None:
    room.workspace.fail("views.open", error="expired_trigger_id")
    room.workspace.shortcut(room.ada, "start_incident")
    room.stage.pump()
    (direct,) = (one for one in room.workspace.channels.values() if one.kind == "im")
    (message,) = room.workspace.messages(direct)
    assert message.text == "The form to start an incident did not open. Try it again."
    view = room.workspace.click(room.ada, message, "Open the form").view
    assert view is not None
    room.submit(view, title="Checkout", channel=room.channel.id)
    assert room.incident().title == "Checkout"


# ---- entries -------------------------------------------------------------------------------------


def test_the_form_of_an_entry_records_kind_text_and_time(room: Room) -> None:
    room.record("start Checkout returns errors since 02:50")
    view = room.form("note", room.ben)
    room.submit(view, room.ben, kind="hypothesis", text="the pool is full", when=stamp(NOW - timedelta(minutes=5)))
    (entry,) = room.incident().live(Kind.HYPOTHESIS)
    assert (entry.text, entry.at, entry.zone) == ("the pool is full", NOW - timedelta(minutes=5), "America/New_York")
    assert room.said() == "💡 #2 · 03:01 GMT / 22:01 EST (6 min ago) · Suspected: the pool is full"


def test_the_particulars_of_each_kind_are_recorded(room: Room) -> None:
    room.record("start Checkout returns errors since 02:50", "hypothesis the deploy")
    room.submit(room.form("told"), audience="customers", text="Some payments fail. Next news in 30 minutes.")
    room.submit(room.form("impact"), text="nobody can pay", share="34", services="checkout, orders-db")
    room.submit(room.form("escalate"), person=room.ben.id, text="the database takes no connections")
    room.submit(room.form("escalate"), target="DBA team", text="the same")
    room.submit(room.form("ruledout"), number="2", text="the rollback changed nothing")
    room.submit(room.form("lead"), person=room.chidi.id)
    room.submit(room.form("role"), role="communications", person=room.ada.id)
    room.submit(room.form("severity"), severity="1", text="everybody is hit")
    room.submit(room.form("link"), url="https://grafana.example.org/d/1", text="5xx")
    room.submit(room.form("services"), text="-checkout, payments")
    room.submit(room.form("mitigated INC-1:"), text="pool halved")
    found = room.incident()
    (told,) = found.live(Kind.UPDATE)
    assert told.event.audience == "customers"  # type: ignore[attr-defined]
    assert told.event.promised == told.at + timedelta(minutes=30)  # type: ignore[attr-defined]
    assert [one.share for one in found.live(Kind.IMPACT)] == ["34"]
    assert [name for name, _ in found.services()] == ["orders-db", "payments"]
    assert [one.event.target for one in found.live(Kind.ESCALATION)] == [f"@{room.ben.id}", "DBA team"]  # type: ignore[attr-defined]
    (dead_end,) = found.live(Kind.DEAD_END)
    assert (dead_end.text, dead_end.event.hypothesis) == ("the rollback changed nothing", 2)  # type: ignore[attr-defined]
    assert set(found.role_names) == {"commander", "communications"}
    assert found.severity == 1
    assert found.status.value == "mitigated"


def test_what_must_be_said_stands_before_what_may_be_left_out_of_an_impact(room: Room) -> None:
    room.record("start Checkout returns errors")
    fields = [block["block_id"] for block in room.form("impact").blocks]
    assert fields == ["text", "share", "services", "when"]


def test_nothing_is_lost_when_a_form_is_filled_in_wrongly(room: Room) -> None:
    room.record("start Checkout returns errors")
    view = room.form("impact")
    assert room.refused(view, text="nobody can pay", share="34", when=stamp(NOW + timedelta(hours=1))) == {
        "when": "That is still to come: choose a time that is past."
    }
    assert room.refused(view, text="nobody can pay", services=",") == {
        "services": "Name a service, for example: checkout, orders-db."
    }
    assert room.told() == [(1, Kind.STARTED, "Checkout returns errors")]
    room.submit(view, text="nobody can pay", services="checkout")
    assert room.told()[1:] == [(2, Kind.SERVICES, "checkout"), (3, Kind.IMPACT, "nobody can pay")]
    assert room.said().splitlines()[1] == "With it: #2 Services"


def test_the_same_words_twice_are_an_error_beside_the_text(room: Room) -> None:
    room.record("start Checkout returns errors")
    room.type("note it burns")
    view = room.form("note")
    (error,) = room.refused(view, text="it burns", when=None).values()
    assert error.startswith("You recorded the same line just now as entry 2.")
    room.submit(view, text="it burns still")


def test_a_form_that_is_sent_twice_is_recorded_once(room: Room) -> None:
    room.record("start Checkout returns errors")
    view = room.form("note")
    answer = room.submit(view, text="it burns")
    assert answer.request is not None
    again = room.workspace.redeliver(answer.request)
    assert again.status == 200
    room.workspace.modals[room.ada.id] = [view]  # a second tap, before the form was gone
    room.submit(view, text="it burns")
    assert room.told()[1:] == [(2, Kind.NOTE, "it burns")]
    assert room.workspace.views(room.ada) == []


def test_a_form_that_comes_after_the_end_keeps_what_was_typed(room: Room) -> None:
    room.record("start Checkout returns errors")
    view = room.form("mitigated INC-1:")
    room.workspace.click(room.ada, room.type("cancel false alarm"), "Cancel it")
    assert room.refused(view, text="pool halved") == {
        "text": "INC-1 is cancelled. Type reopen INC-1: <why> if it is an incident after all, or start <title> to open "
        "another."
    }


# ---- the end -------------------------------------------------------------------------------------


def labels(view: View) -> list[str]:
    return [block["label"]["text"] for block in view.blocks if block["type"] == "input"]


def test_the_form_of_the_end_asks_for_what_is_open_and_goes_without(room: Room) -> None:
    room.record("start Checkout returns errors since 02:50")
    view = room.form("resolve")
    assert labels(view) == [
        "When was it over?",
        "When did impact stop?",
        "How did it end?",
        "How do you know it is over?",
        "Which services are affected?",
        "What did users experience, and what share of them?",
        "Why did it happen?",
        "What will keep it from coming back?",
        "How was it found?",
        "When was it found?",
        "How severe was it?",
    ]
    room.submit(view)
    assert room.told()[1:] == [(2, Kind.RESOLUTION, "")]
    assert room.said().startswith("🟢 *INC-1* resolved 03:07 GMT")


def test_what_the_form_of_the_end_says_is_recorded_together(room: Room) -> None:
    room.record("start sev1 Checkout returns errors since 02:50", "services checkout", "note the graphs are flat again")
    view = room.form("resolve")
    assert "How severe was it?" not in labels(view)
    assert "Which services are affected?" not in labels(view)
    (known,) = (block for block in view.blocks if block.get("block_id") == "verified")
    assert known["element"]["initial_value"] == "the graphs are flat again"
    room.submit(
        view,
        stopped=stamp(NOW - timedelta(minutes=3)),
        text="halved the pool",
        cause="The pool had no upper limit.",
        found="monitoring",
        found_at=stamp(NOW - timedelta(minutes=8)),
    )
    assert room.told()[2:] == [
        (3, Kind.VERIFIED, "the graphs are flat again"),
        (4, Kind.MITIGATED, ""),
        (5, Kind.DETECTION, ""),
        (6, Kind.CAUSE, "The pool had no upper limit."),
        (7, Kind.RESOLUTION, "halved the pool"),
    ]
    assert room.incident().impact(NOW) == timedelta(minutes=13)
    assert room.said().splitlines() == [
        "🟢 *INC-1* resolved 03:09 GMT after 19 min (impact 13 min): halved the pool",
        "With it: #4 Impact stopped, #5 Detected, #6 Cause, #3 is “Confirmed over” · The draft follows here in 15 s. "
        "Entries, causes and tasks can be added until it is published.",
    ]


def test_one_wrong_field_of_the_end_and_nothing_is_recorded(room: Room) -> None:
    room.record("start Checkout returns errors since 02:50")
    view = room.form("resolve")
    assert room.refused(view, cause="the pool", when=stamp(NOW - timedelta(hours=1)))["when"].startswith(
        "That is 21 November 2026 02:06 GMT, before impact began"
    )
    assert room.refused(view, stopped=stamp(NOW), when=stamp(NOW - timedelta(minutes=2))) == {
        "stopped": "That is after it was over: choose when users were well again."
    }
    assert room.refused(view, cause="the pool", stopped=stamp(NOW - timedelta(hours=2)))["stopped"].startswith(
        "That is"
    )
    assert room.told() == [(1, Kind.STARTED, "Checkout returns errors")]
    room.type("resolve somebody was quicker", room.ben)
    assert room.refused(view, cause="the pool")["when"].startswith("INC-1 is already resolved")


# ---- action items --------------------------------------------------------------------------------


def test_the_form_of_an_action_item(stage_with: Callable[..., Stage]) -> None:
    room = Room(stage_with(task_days="sev1=14"))
    room.record("start sev1 Checkout returns errors")
    view = room.form("todo")
    (due,) = (block for block in view.blocks if block.get("block_id") == "due")
    assert due["hint"]["text"] == "Without a date it is expected by 5 December 2026 (SEV1: 14 days)."
    room.submit(view, text="cap the pool", person=room.ben.id, due="2026-11-27", category="prevent", readers=["public"])
    task = room.incident().tasks[1]
    assert (str(task.due), task.category, task.public) == ("2026-11-27", "prevent", True)
    assert task.person
    change = room.form("todo T1")
    room.submit(change, owner="DBA team", url="https://tracker.example.org/1", text="cap the pool at 200")
    task = room.incident().tasks[1]
    assert (task.owner, task.url, str(task.due), task.public) == (
        "DBA team",
        "https://tracker.example.org/1",
        "2026-11-27",
        True,
    )
    room.submit(room.form("drop T1"), why="replaced by another")
    assert room.incident().tasks[1].state == "dropped"


def test_a_form_of_an_action_item_that_is_sent_as_it_was_changes_nothing(room: Room) -> None:
    room.record("start sev1 Checkout returns errors", "todo @ben prevent: cap the pool by 27 November #public")
    before = room.incident().seq
    room.submit(room.form("todo T1"))
    assert room.incident().seq == before


def test_an_action_item_that_somebody_else_changed_meanwhile_is_not_written_over(room: Room) -> None:
    room.record("start sev1 Checkout returns errors", "todo cap the pool")
    view = room.form("todo T1")
    room.type("todo T1 by 27 November", room.ben)
    assert room.refused(view, due="2026-12-24") == {
        "due": "T1 was changed meanwhile by somebody else. Copy what you typed, and open the form again."
    }


def test_who_is_told_of_an_action_item_of_a_private_incident_drops_it_from_there_and_nobody_else(room: Room) -> None:
    secret = room.workspace.add_channel("secret", private=True, members=[room.ada, room.ben], bot_in=True)
    room.type("start Keys are leaked", channel=secret)
    room.type("todo @ben change the keys", channel=secret)
    slack = room.stage.app.slack
    button = {"type": "actions", "elements": [say_button(0, "Drop…", "drop INC-1: T1")]}
    for who in (room.chidi, room.ben):
        direct = slack.direct(who.id)
        slack.post(direct, {"text": "due", "blocks": [button]})
        view = room.workspace.click(who, room.workspace.messages(direct)[-1], "Drop…").view
        room.stage.pump()
        if who is room.chidi:
            assert view is None
            (refused,) = room.workspace.ephemerals(who)
            assert refused.text.startswith("There is no INC-1 that you may see from here.")
            continue
        assert view is not None
        room.submit(view, who, why="done by the vendor")
    assert room.incident(secret).tasks[1].state == "dropped"


# ---- corrections ---------------------------------------------------------------------------------


def test_only_what_was_changed_of_an_entry_is_recorded(room: Room) -> None:
    room.record("start Checkout returns errors since 02:50", "note rolled back 4711")
    choice = room.form("edit")
    form = room.submit(choice, number="2").view
    assert form is not None
    assert list(of_view(form.given)) == []
    before = room.incident().seq
    room.submit(form)
    assert room.incident().seq == before
    view = room.form("edit 2")
    room.submit(view, kind="action", text0="rolled back 4712", when=stamp(NOW - timedelta(minutes=4)))
    entry = room.incident().entries[2]
    assert (entry.kind, entry.text, entry.at) == (Kind.ACTION, "rolled back 4712", NOW - timedelta(minutes=4))
    assert room.incident().seq == before + 3
    assert room.said().splitlines() == [
        "✏️ #2 corrected by Ada: rolled back 4712",
        "With it: #2 is an action, the other time of #2",
    ]
    room.submit(room.form("edit 2"), remove=["remove"])
    assert room.incident().entries[2].withdrawn == "removed"


def test_what_somebody_else_corrected_meanwhile_is_not_written_over(room: Room) -> None:
    room.record("start Checkout returns errors", "note rolled back 4711")
    view = room.form("edit 2")
    room.type("edit 2 rolled back 4713", room.ben)
    assert room.refused(view, text0="rolled back 4712") == {
        "text0": "Entry 2 was corrected meanwhile: rolled back 4713 Copy what you typed, and open the form again."
    }


def test_an_entry_that_is_gone_meanwhile_is_not_corrected_and_what_was_typed_stays(room: Room) -> None:
    room.record("start Checkout returns errors", "note rolled back 4711", "note the password is hunter2")
    first, second = room.form("edit 2"), room.form("edit 3")
    room.type("remove 2", room.ben)
    room.workspace.click(room.ben, room.type("redact 3", room.ben), "Destroy the text")
    room.workspace.modals[room.ada.id] = [first]
    assert room.refused(first, text0="rolled back 4712")["text0"].startswith("Entry 2 was removed.")
    room.workspace.modals[room.ada.id] = [second]
    assert room.refused(second, text0="the password is hunter3")["text0"].startswith(
        "The text of entry 3 was destroyed."
    )


@pytest.mark.parametrize("text", ["word " * 780 + "end", "x" * 3_990, "line\n" * 790 + "end", "é" * 3_001])
def test_a_text_that_is_longer_than_a_field_is_kept_whole(room: Room, text: str) -> None:
    room.record("start Checkout returns errors", f"note {text}")
    before = room.incident().entries[2].text
    view = room.form("edit 2")
    room.submit(view, kind="action")
    assert room.incident().entries[2].text == before
    view = room.form("edit 2")
    (first,) = (block for block in view.blocks if block.get("block_id") == "text0")
    room.submit(view, text0="New: " + first["element"]["initial_value"][10:])
    assert room.incident().entries[2].text == "New: " + before[10:]


def test_an_entry_among_many_is_chosen_from_groups_or_typed(room: Room) -> None:
    room.type("start Checkout returns errors")
    words = "<of> many & " + "more words " * 12
    room.many(*(cmd.Record(kind=Kind.NOTE, text=f"step {number} {words}") for number in range(620)))
    view = room.form("edit")
    assert room.refused(view) == {"number": "Choose an entry, or type its number."}
    assert room.refused(view, typed="9999")["number"].startswith("There is no entry 9999.")
    form = room.submit(view, typed="3").view
    assert form is not None
    assert form.title == "Correct #3"


# ---- the whole timeline --------------------------------------------------------------------------


def shown(view: View) -> list[int]:
    return [int(block["block_id"].removeprefix("entry")) for block in view.blocks if block["type"] == "section"]


def test_three_hundred_entries_are_all_shown_page_by_page_and_never_the_first_25(room: Room) -> None:
    """PEERS.md, defect 19."""
    room.type("start Checkout returns errors")
    texts = [*HOSTILE.values()]
    whens = [When(at=NOW - timedelta(minutes=7 * number), zone="UTC") for number in range(299)]
    room.many(
        *(cmd.Record(kind=Kind.NOTE, text=f"step {n} {texts[n % 12][:900]}", when=w) for n, w in enumerate(whens))
    )
    answer = room.type("timeline")
    opened = room.workspace.click(room.ada, answer, "Whole timeline").view
    assert opened is not None
    pages = []
    while True:
        assert list(of_view(opened.given)) == []
        pages.append(shown(opened))
        if not any(
            one.get("text", {}).get("text") == "◀ Earlier"
            for b in opened.blocks
            if b["type"] == "actions"
            for one in b["elements"]
        ):
            break
        turned = room.workspace.click(room.ada, opened, "◀ Earlier")
        assert turned.view is not None
        opened = turned.view
    assert len(pages) == 10
    assert sorted(number for page in pages for number in page) == list(range(1, 301))
    forward = room.workspace.click(room.ada, opened, "Later ▶").view
    assert forward is not None
    assert shown(forward) == pages[-2]
    assert len(room.workspace.views(room.ada)) == 1


def test_entries_are_corrected_kept_and_removed_from_the_timeline_which_follows(room: Room) -> None:
    room.record("start Checkout returns errors", "note it burns", "note it smokes")
    timeline = room.form("timeline whole")
    room.workspace.click(room.ada, timeline, "say:2", value="⭐ Keep it in the document")
    room.workspace.click(room.ada, timeline, "say:3", value="Remove")
    text = json.dumps(timeline.given, ensure_ascii=False)
    assert "it burns ⭐" in text
    assert "~it smokes~ _(removed)_" in text
    laid = room.workspace.click(room.ada, timeline, "say:2", value="Correct").view
    assert laid is not None
    assert [one.callback_id for one in room.workspace.views(room.ada)] == ["timeline", "edit_entry"]
    room.submit(laid, text0="it burns brightly")
    assert [one.callback_id for one in room.workspace.views(room.ada)] == ["timeline"]
    assert "it burns brightly ⭐ (corrected)" in json.dumps(timeline.given, ensure_ascii=False)
    found = room.incident()
    assert (found.entries[2].text, found.entries[2].starred) == ("it burns brightly", True)
    assert found.entries[3].withdrawn == "removed"


def test_a_page_that_was_turned_by_an_older_view_is_left_alone(room: Room) -> None:
    room.type("start Checkout returns errors")
    room.many(*(cmd.Record(kind=Kind.NOTE, text=f"step {number}") for number in range(70)))
    view = room.form("timeline whole")
    room.workspace.fail("views.update", error="hash_conflict")
    room.workspace.click(room.ada, view, "◀ Earlier")
    assert shown(view)[0] == 61


# ---- what is not as Slack documents it -----------------------------------------------------------


def paths(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a payload."""
    if path:
        yield path
    children = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, child in children:
        yield from paths(child, (*path, name))


LATER = stamp(NOW + timedelta(days=1))
WRONG = {
    "resolve": {"when": LATER},
    "edit 2": {"when": LATER},
    "todo T1": {"url": "no link"},
    "impact": {"text": "nobody can pay", "when": LATER},
}


@pytest.mark.parametrize(("line", "wrong"), WRONG.items())
def test_a_form_of_another_shape_is_refused_and_never_a_defect(room: Room, line: str, wrong: dict[str, Any]) -> None:
    room.record("start Checkout returns errors", "note the graphs are flat again", "todo cap the pool")
    view = room.form(line)
    answer = room.submit(view, **wrong)
    assert answer.errors
    assert answer.request is not None
    body = json.loads(parse_qs(answer.request.body.decode())["payload"][0])
    about = json.loads(body["view"]["private_metadata"])
    door = room.workspace.door
    assert door is not None
    seen = set()

    def knock(payload: Any) -> None:
        raw = urlencode({"payload": json.dumps(payload)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", **room.workspace.sign(raw)}
        seen.add(door("/slack/events", raw, headers).status)

    for name in ("state", "blocks"):
        for path in [*paths(body["view"][name])][::3]:
            for other in (None, 7, [], "x"):
                payload = json.loads(json.dumps(body))
                place = payload["view"][name]
                for step in path[:-1]:
                    place = place[step]
                place[path[-1]] = other
                knock(payload)
    for name in about:
        for other in (None, 7, [], "x", {}, True):
            payload = json.loads(json.dumps(body))
            payload["view"]["private_metadata"] = json.dumps(about | {name: other})
            knock(payload)
    assert seen <= {200, 400}


# ---- hostile words, and sizes --------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_form_of_hostile_words_is_what_slack_takes(room: Room, text: str) -> None:
    words = text[:3_900]
    room.type(f"start {words}")
    for verb in ("note", "hypothesis", "action", "todo for DBA:"):
        room.type(f"{verb} : {words}" if verb == "todo for DBA:" else f"{verb} {words}")
    number = room.incident().last_entry
    for line in (*(line for line in FORMS if not line.endswith(("2", "T1"))), f"edit {number}", f"edit {number - 2}"):
        room.form(line)
        room.workspace.close(room.ada, everything=True)
    for line in ("todo T1", "drop T1"):
        if room.incident().tasks:
            room.form(line)
            room.workspace.close(room.ada, everything=True)


def test_forms_of_three_hundred_entries_are_what_slack_takes(room: Room) -> None:
    room.type("start Checkout returns errors")
    words, kinds = "<&> the graphs are flat again 😀 " * 60, (Kind.HYPOTHESIS, Kind.NOTE, Kind.ACTION)
    room.many(*(cmd.Record(kind=kinds[number % 3], text=f"{number} {words}") for number in range(300)))
    for line in ("resolve", "edit", "timeline whole", "ruledout", "note", "todo"):
        room.form(line)
        room.workspace.close(room.ada)


GOLDEN = (
    *("start", "resolve", "note", "told", "impact", "escalate", "ruledout", "severity", "lead", "role", "link"),
    *("mitigated INC-1:", "todo", "todo T1", "drop T1", "edit", "edit 2", "title", "timeline whole"),
)


@pytest.mark.parametrize("line", GOLDEN)
def test_views_are_the_golden_ones(room: Room, golden: Callable[[str, str], None], line: str) -> None:
    room.record(
        "start sev1 Checkout returns errors since 02:50",
        "hypothesis deploy 4711 at 02:45",
        "todo @ben prevent: cap the pool by 27 November",
        "note graphs are flat again",
    )
    name = line.replace("INC-1:", "").strip().replace(" ", "-")
    view = room.form(line).given
    golden(f"forms/{name}.json", json.dumps(view, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
