"""Stories of reminders: what the channel sees by itself, when, and how it ends. And who hears of earlier incidents."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.core import similar
from bot.core.events import Kind
from bot.core.incident import Incident, fold
from bot.core.nudges import MESSAGES, Due, Nudge
from bot.core.record import Person, Place
from bot.nudges import CHANNELS, COUNTED, Talk
from bot.slack import nudges as wording
from bot.store import Store
from bot.workspace import Answer, Channel, Message, User, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import SIGNING_SECRET, Stage
from tests.conftest import started_serve
from tests.test_blocks import of_message

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
HOSTILE = "<!channel> *x* `y` &lt; </script> 🔥 \n\n> " + "é" * 4000


class Cast:
    """Three people in three zones, one channel, and time that passes."""

    def __init__(self, stage: Stage, **channel: Any) -> None:
        self.stage = stage
        ws = stage.workspace
        self.ada = ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.chidi = ws.add_user("chidi", display_name="Chidi", tz="Africa/Lagos")
        self.dana = ws.add_user("dana", display_name="Dana", tz="Europe/Berlin")
        self.channel = ws.add_channel("payments", members=[self.ada, self.chidi, self.dana], **channel)

    def type(self, who: User, line: str, channel: Channel | None = None) -> Answer:
        answer = self.stage.workspace.command(who, channel or self.channel, line)
        assert answer.ok, answer.failure
        self.stage.pump()
        return answer

    def later(self, minutes: float) -> None:
        """Time passes; what falls due on the way leaves at its time."""
        until = self.stage.clock() + timedelta(minutes=minutes)
        while (due := self.stage.app.outbox.next_due()) is not None and due <= until:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(until)

    def reminders(self, channel: Channel | str | None = None) -> list[Message]:
        """What was posted there and has the button that ends reminders."""
        return [
            one
            for one in self.stage.workspace.messages(channel or self.channel)
            if any("reminders INC-" in line for line in lines(one).values())
        ]

    def said(self, channel: Channel | str | None = None) -> list[str]:
        """The first words of each, names put aside."""
        return [kind(one) for one in self.reminders(channel)]

    def direct(self, who: User) -> list[Message]:
        channel = self.stage.workspace.call("conversations.open", {"users": who.id}, self.stage.workspace.bot_token)
        return self.reminders(channel.body["channel"]["id"])

    def incident(self, number: int = 1) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.by_number(self.stage.workspace.team, number)
            assert place is not None
            return fold(tx.events(place.key), place.number)

    def tap(self, who: User, message: Message, label: str) -> None:
        self.stage.workspace.click(who, message, label)
        self.stage.pump()


def lines(message: Message) -> dict[str, str]:
    """The buttons of a message: label and the line that each says."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {one["text"]["text"]: one.get("value", "") for row in rows for one in row}


KINDS = {
    "commands": "commander",
    "was found": "detection",
    "nobody outside": "told",
    "was promised": "promised",
    "nothing recorded": "busy",
    "Is it over": "resolve",
    "open. Review": "facts",
    "reviewed the draft": "review",
}


def kind(message: Message) -> str:
    (found,) = (name for words, name in KINDS.items() if words in message.text)
    return found


@pytest.fixture
def cast(stage_with: Callable[..., Stage]) -> Cast:
    return Cast(stage_with(TUESDAY))


# ---- each once, at its time ----------------------------------------------------------------------


def test_an_incident_that_nobody_tends_is_reminded_of_three_things_once_each(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.later(4.9)
    assert cast.said() == []
    cast.later(0.2)
    assert cast.said() == ["commander"]
    cast.later(14.9)
    assert cast.said() == ["commander", "detection"]
    cast.later(10)
    assert cast.said() == ["commander", "detection", "told"]
    cast.later(60 * 24 * 6)
    assert cast.said() == ["commander", "detection", "told"]


def test_an_incident_that_is_tended_hears_nothing(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.type(cast.ada, "lead @chidi")
    cast.type(cast.ada, "detected by alert 5xx")
    for _ in range(4):
        cast.later(25)
        cast.type(cast.dana, "told customers: Some payments fail.")
    cast.type(cast.ada, "mitigated")
    cast.later(50)
    cast.type(cast.ada, "resolve at now")
    cast.later(60)
    assert cast.said() == []


def test_a_tap_takes_command(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.later(5)
    (asked,) = cast.reminders()
    cast.tap(cast.chidi, asked, "I take command")
    incident = cast.incident()
    with cast.stage.app.store.reading() as tx:
        person = tx.person(cast.stage.workspace.team, cast.chidi.id)
    assert person is not None
    assert incident.roles == {"commander": person.key}
    assert incident.role_names == {"commander": "@chidi"}
    assert f"<@{cast.chidi.id}> is commander." in [m.text for m in cast.stage.workspace.messages(cast.channel)][-1]


def test_lead_me_is_the_one_who_types_it(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    assert cast.type(cast.dana, "lead me").text.endswith(f"<@{cast.dana.id}> is commander.")
    assert cast.type(cast.ada, "handover to me 10:00 end of shift").text.endswith(
        f"<@{cast.ada.id}> is commander. end of shift"
    )


def test_a_tap_says_how_it_was_found_at_the_time_at_which_it_was_opened(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.later(20)
    cast.tap(cast.dana, cast.reminders()[-1], "A customer")
    (found,) = cast.incident().live(Kind.DETECTION)
    assert (found.at, found.approx, cast.incident().source()) == (TUESDAY, True, "customer")


def test_the_reminders_of_one_incident_end_with_a_tap_and_those_of_another_go_on(cast: Cast) -> None:
    other = cast.stage.workspace.add_channel("search", members=[cast.ada])
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.type(cast.ada, "start sev2 Search is slow", other)
    cast.later(5)
    cast.tap(cast.chidi, cast.reminders()[0], "No more reminders")
    cast.later(60)
    assert cast.said() == ["commander"]
    assert cast.said(other) == ["commander", "detection", "told"]
    assert "Chidi turned the reminders of INC-1 off." in cast.stage.workspace.messages(cast.channel)[-1].text
    cast.type(cast.ada, "reminders on")
    cast.type(cast.dana, "told customers: sorry")
    cast.later(31)
    assert cast.said() == ["commander", "detection", "told"]


def test_one_setting_turns_them_off(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(TUESDAY, nudges="off"))
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    answer = cast.type(cast.dana, "told customers: Some payments fail. Next news in 30 minutes.")
    assert "remind" not in answer.text
    cast.later(60 * 24 * 9)
    assert cast.said() == []
    with cast.stage.app.store.reading() as tx:
        assert not any(letter.kind == "nudge" for letter, _ in [*tx.letters("waiting"), *tx.letters("sent")])


def test_times_are_those_of_the_setting(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(TUESDAY, nudges="commander=off,detection=90s,told=2h"))
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.later(1.5)
    assert cast.said() == ["detection"]
    cast.later(118)
    assert cast.said() == ["detection"]
    cast.later(1)
    assert cast.said() == ["detection", "told"]


# ---- promises ------------------------------------------------------------------------------------


def test_what_was_promised_is_said_with_whom_it_will_be_reminded_of_and_when(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.type(cast.ada, "lead @chidi")
    cast.type(cast.dana, "ack")
    answer = cast.type(cast.dana, "told customers: Some payments fail. We are on it. Next news 10:30 GMT.")
    assert answer.text.splitlines()[1] == (
        "Recorded only: Scribe posts it nowhere. I will remind @Chidi and @Dana at 10:30 GMT."
    )
    cast.later(29.9)
    assert "promised" not in cast.said()
    cast.later(0.2)
    (asked,) = (one for one in cast.reminders() if kind(one) == "promised")
    assert asked.text == (
        f"<@{cast.chidi.id}> <@{cast.dana.id}> ⏰ *INC-1*: the next message to customers was promised for 10:30 GMT."
    )
    cast.later(600)
    assert cast.said().count("promised") == 1


def test_a_promise_that_was_kept_is_not_reminded_of(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.type(cast.dana, "told customers: Some payments fail. Next update in 20 minutes.")
    cast.later(15)
    second = cast.type(cast.dana, "told customers: It is the database. Next update in 40 minutes.")
    assert second.text.splitlines()[1] == "I will remind @Dana at 10:55 GMT."
    cast.later(39)
    assert "promised" not in cast.said()
    cast.later(2)
    assert cast.said().count("promised") == 1


def test_a_promise_in_the_speakers_own_zone_is_read_in_it_and_printed_in_the_incidents(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    answer = cast.type(cast.dana, "told management: Down. We will report again at 12:15")
    assert answer.text.endswith("I will remind @Dana at 11:15 GMT.")


# ---- a busy channel ------------------------------------------------------------------------------


def chat(cast: Cast, count: int, *people: User) -> None:
    for number in range(count):
        cast.stage.workspace.say(people[number % len(people)], cast.channel, f"message {number}")
    cast.stage.pump()


def tended(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.type(cast.ada, "lead @chidi")
    cast.type(cast.ada, "detected by alert 5xx")


def test_a_busy_channel_with_no_entry_for_a_quarter_of_an_hour_is_asked_once(cast: Cast) -> None:
    tended(cast)
    chat(cast, 9, cast.ada, cast.dana)
    assert cast.said() == []
    cast.later(15.5)
    chat(cast, 2, cast.ada, cast.dana)
    assert cast.said() == []  # what was said before counts no more
    cast.later(1)
    chat(cast, MESSAGES, cast.ada, cast.dana)
    (asked,) = cast.reminders()
    assert asked.text == (
        "💬 *INC-1*: 6 messages here, and nothing recorded since 10:00 GMT. What of it should be remembered?"
    )
    cast.later(5)
    chat(cast, 20, cast.ada, cast.dana)
    assert cast.said() == ["busy"]


def test_one_person_alone_makes_no_busy_channel_nor_does_one_where_entries_are_made(cast: Cast) -> None:
    tended(cast)
    cast.later(16)
    chat(cast, 20, cast.ada)
    assert cast.said() == []
    cast.type(cast.ada, "note it is the database")
    cast.later(1.5)
    chat(cast, 20, cast.ada, cast.dana)
    assert cast.said() == []


def test_a_channel_without_an_open_incident_may_be_as_busy_as_it_likes(cast: Cast) -> None:
    tended(cast)
    cast.type(cast.ada, "resolve at now")
    cast.later(20)
    chat(cast, 20, cast.ada, cast.dana)
    assert "busy" not in cast.said()


def test_a_redelivered_message_counts_once_and_what_is_kept_in_mind_is_bounded() -> None:
    talk = Talk()
    assert [talk.count("T", "C", f"U{n % 2}", "1.0", TUESDAY) for n in range(20)] == [0] * 20
    found = [talk.count("T", "C", f"U{n % 2}", f"2.{n}", TUESDAY) for n in range(200)]
    assert [one for one in found if one] == [MESSAGES]  # then it is not looked up for a minute
    assert talk.count("T", "C", "U1", "3.0", TUESDAY + timedelta(minutes=1)) == COUNTED
    for number in range(CHANNELS + 20):
        talk.count("T", f"C{number}", "U1", "1.0", TUESDAY)
    assert len(talk._channels) == CHANNELS


# ---- afterwards ----------------------------------------------------------------------------------


def resolved(cast: Cast) -> None:
    tended(cast)
    cast.type(cast.ada, "mitigated pool halved")
    cast.type(cast.ada, "resolve calm")


def test_what_is_open_goes_to_the_commander_alone_on_the_next_working_morning(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(datetime(2026, 11, 21, 3, 6, tzinfo=UTC)))  # Saturday
    resolved(cast)
    cast.later(60 * 53.8)
    assert cast.direct(cast.chidi) == []
    cast.later(60 * 0.2)
    (asked,) = cast.direct(cast.chidi)
    assert cast.stage.clock() == datetime(2026, 11, 23, 9, 6, tzinfo=UTC)  # Monday, ten in Lagos
    assert re.fullmatch(
        r"📄 \*INC-1\* Checkout returns errors: \d+ questions are open. "
        r"Review meeting\? `/incident review INC-1: Tue 14:00 @name`",
        asked.text,
    )
    cast.tap(cast.chidi, asked, "What is missing")
    assert "Copy a line." in cast.stage.workspace.ephemerals(cast.chidi, asked.channel)[-1].text
    assert cast.direct(cast.ada) == cast.direct(cast.dana) == cast.reminders() == []


def test_a_draft_that_nobody_reviewed_is_asked_about_once_and_not_once_a_review_is_called(cast: Cast) -> None:
    resolved(cast)
    cast.later(60 * 24 * 8)
    facts, review = cast.direct(cast.chidi)
    assert (kind(facts), kind(review)) == ("facts", "review")
    cast.tap(cast.chidi, review, "Ask for a review")
    cast.stage.workspace.submit(cast.chidi)
    cast.stage.pump()
    assert cast.incident().review is not None
    cast.type(cast.ada, "reopen it is back")
    cast.type(cast.ada, "resolve again calm")
    cast.later(60 * 24 * 8)
    assert len(cast.direct(cast.chidi)) == 2


def test_a_zone_that_this_machine_does_not_have_keeps_nothing_from_being_recorded(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.type(cast.ada, "lead @chidi")
    with cast.stage.app.store.writing() as tx:
        now = cast.stage.clock()
        tx.learn_person(cast.stage.workspace.team, cast.chidi.id, name="Chidi", zone="Mars/Olympus", now=now)
    assert cast.type(cast.ada, "resolve calm").in_channel
    cast.later(60 * 23.5)
    assert cast.direct(cast.chidi) == []
    cast.later(60)
    assert [kind(one) for one in cast.direct(cast.chidi)] == ["facts"]


def test_what_was_told_in_a_private_channel_is_asked_about_there(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(TUESDAY), private=True, bot_in=True)
    cast.type(cast.ada, "start sev1 Secret things")
    cast.type(cast.ada, "lead @chidi")
    cast.type(cast.ada, "resolve calm")
    cast.later(60 * 24 * 2)
    assert cast.direct(cast.chidi) == []
    (asked,) = cast.reminders()
    assert (kind(asked), asked.text.startswith(f"<@{cast.chidi.id}> ")) == ("facts", True)


def test_at_night_the_one_who_sleeps_is_not_asked_whether_it_is_over(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(datetime(2026, 11, 24, 21, 30, tzinfo=UTC)))  # 22:30 in Lagos
    tended(cast)
    cast.type(cast.ada, "mitigated pool halved")
    cast.later(60 * 9.4)
    assert cast.said() == []
    cast.later(60 * 0.2)
    assert cast.said() == ["resolve"]
    cast.tap(cast.chidi, cast.reminders()[0], "Resolve")


# ---- nothing twice, nothing lost -----------------------------------------------------------------


def test_a_timer_outlives_a_restart(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.stage.restart()
    cast.later(5)
    cast.stage.restart()
    cast.later(30)
    assert cast.said() == ["commander", "detection", "told"]


def test_after_hours_away_there_is_no_burst(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.stage.clock.advance(timedelta(hours=6))  # the machine was off
    cast.stage.pump()
    cast.later(120)
    assert cast.said() == []


def test_after_a_short_time_away_reminders_come_five_minutes_apart(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.stage.clock.advance(timedelta(minutes=35))
    cast.stage.pump()
    assert cast.said() == ["commander"]
    cast.later(5)
    assert cast.said() == ["commander", "detection"]


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "before"}, {"drop": "after"}, {"error": "ratelimited"}])
def test_whatever_goes_wrong_on_the_way_it_is_posted_once(cast: Cast, fault: dict[str, Any]) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.stage.workspace.fail("chat.postMessage", times=2, **fault)
    cast.later(15)
    assert cast.said() == ["commander"]


def test_a_process_that_dies_after_posting_does_not_post_again(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.later(4.9)
    cast.stage.clock.advance(timedelta(minutes=0.1))
    with cast.stage.app.store.writing() as tx:
        letter = tx.lease(cast.stage.clock(), 180)  # and it is never settled
    assert letter is not None
    assert letter.kind == "nudge"
    due = Due(Nudge.COMMANDER, "commander", TUESDAY, TUESDAY, since=TUESDAY)
    posted = wording.reminder(PLACE, "UTC", due, (), cast.stage.clock(), "/incident")
    cast.stage.app.slack.post(cast.channel.id, posted, key="INC-1-nudge-commander")
    cast.stage.restart()
    cast.later(14)
    assert cast.said() == ["commander"]
    assert "INC-1" in cast.reminders()[0].text  # it says what is so now


def test_two_processes_remind_once(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first = cast.stage.app
    second: App = cast.stage.open()
    try:
        for _ in range(40):
            cast.stage.clock.advance(timedelta(minutes=1))
            for app in (first, second):
                app.outbox.send_one()
            cast.stage.pump()
            second.outbox.pump()
        assert cast.said() == ["commander", "detection", "told"]
    finally:
        second.store.close()


def test_a_clock_that_jumps_back_and_forth_says_nothing_twice(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    for minutes in (6, -5, 20, -15, 40, -30, 60):
        cast.stage.clock.at += timedelta(minutes=minutes)
        cast.stage.pump()
    said = cast.said()
    assert len(said) == len(set(said))
    assert said[0] == "commander"


def test_a_server_that_is_killed_before_a_reminder_says_it_after_its_return_once(tmp_path: Path) -> None:
    workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
    server = WorkspaceServer(workspace).start()
    ada = workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = workspace.add_channel("payments", members=[ada], bot_in=True)
    settings = {
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SCRIBE_SECRET": SIGNING_SECRET,
        "SCRIBE_NUDGES": "commander=2s,detection=off,told=off",
    }

    def reminders() -> list[str]:
        return [one.text for one in workspace.messages(channel) if "commands" in one.text]

    def served(number: int) -> subprocess.Popen[bytes]:
        out, log = tmp_path / f"out{number}", tmp_path / f"log{number}"
        process = started_serve(workspace, server.api_url, tmp_path, out, log, **settings)
        eventually(lambda: "listens on" in out.read_text(), process, log)
        found = re.search(r"http://127\.0\.0\.1:\d+", out.read_text())
        assert found
        server.attach_http(found[0])
        return process

    def eventually(true: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
        until = time.monotonic() + 30
        while not true():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)

    process = served(1)
    try:
        assert workspace.command(ada, channel, "start sev1 Checkout returns errors").in_channel
        process.kill()
        process.wait()
        assert reminders() == []
        process = served(2)
        store = Store(tmp_path / "scribe.db", migrations=MIGRATIONS, secret=b"", randomness=bytes)

        def noted() -> bool:
            with store.reading() as tx:
                return "commander" in tx.nudges(1)

        with closing(store):
            eventually(noted, process, tmp_path / "log2")
            assert len(reminders()) == 1
            with store.reading() as tx:
                left = [one.kind for state in ("waiting", "parked") for one, _ in tx.letters(state)]
            assert "nudge" not in left  # the one that rang was all that was on
    finally:
        process.kill()
        process.wait()
        server.close()


@pytest.mark.parametrize("gone", ["archive", "kick_bot"])
def test_where_the_channel_is_gone_reminders_are_let_go_without_a_word(cast: Cast, gone: str) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    getattr(cast.stage.workspace, gone)(cast.channel)
    cast.later(60)
    with cast.stage.app.store.reading() as tx:
        assert [letter.kind for letter, _ in tx.letters("parked") if letter.kind == "nudge"] == []
        (place,) = tx.all_places()
        assert set(tx.nudges(place.key)) >= {"commander", "detection", "told"}


def test_a_reminder_waits_for_scribe_to_come_into_the_channel(cast: Cast) -> None:
    cast.stage.workspace.fail("conversations.info", status=500, times=9)
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.later(7)
    assert cast.said() == []  # Scribe is not there yet: Slack refuses the post
    cast.later(40)
    assert cast.said()[0] == "commander"


def test_a_timer_is_nothing_that_waits_to_be_sent(cast: Cast) -> None:
    tended(cast)
    cast.later(1)
    assert "*Record*  3 entries by 1 person · 0 tasks, 0 open" in cast.type(cast.ada, "status").text.splitlines()
    with cast.stage.app.store.reading() as tx:
        assert [letter.kind for letter, _ in tx.letters("waiting")] == ["nudge"]


def test_an_entry_asks_the_record_nothing_about_reminders(cast: Cast) -> None:
    tended(cast)
    asked: list[str] = []
    connection = cast.stage.app.store._connection()
    connection.set_trace_callback(asked.append)
    for line in ("note x", "did y", "suspect z", "impact some", "services a"):
        assert cast.stage.workspace.command(cast.ada, cast.channel, line).in_channel
    connection.set_trace_callback(None)
    assert any("INSERT INTO events" in one for one in asked)
    assert not any("nudges" in one for one in asked)


def test_there_is_one_timer_however_much_is_recorded(cast: Cast) -> None:
    tended(cast)
    for number in range(12):
        cast.type(cast.dana, f"told customers: {number}. Next update in {number + 5} minutes")
        cast.later(1)
    with cast.stage.app.store.reading() as tx:
        assert len([letter for letter, _ in tx.letters("waiting") if letter.kind == "nudge"]) == 1


# ---- earlier incidents ---------------------------------------------------------------------------


def earlier(cast: Cast, title: str, fix: str = "", channel: Channel | None = None) -> None:
    cast.type(cast.ada, f"start sev2 {title}", channel)
    if fix:
        cast.type(cast.ada, f"fix {fix}", channel)
    cast.type(cast.ada, "resolve calm", channel)
    cast.stage.clock.advance(timedelta(days=1))


def test_who_starts_one_and_who_commands_it_are_shown_the_two_that_are_most_alike(cast: Cast) -> None:
    earlier(cast, "Checkout times out", "The pool was halved.")
    earlier(cast, "Search is slow")
    earlier(cast, "Checkout has no prices")
    cast.type(cast.ada, "start sev1 Checkout returns errors since 09:50")
    *_, shown = cast.stage.workspace.ephemerals(cast.ada, cast.channel)
    assert shown.text.splitlines() == [
        "🕰️ Two earlier incidents name “Checkout”:",
        "• *INC-3* Checkout has no prices (26 November 2026)",
        "• *INC-1* Checkout times out (24 November 2026, fixed: The pool was halved.)",
    ]
    assert lines(shown) == {"Open INC-3": "status INC-3:", "Open INC-1": "status INC-1:"}
    cast.tap(cast.ada, shown, "Open INC-1")
    assert "*INC-1*" in cast.stage.workspace.ephemerals(cast.ada, cast.channel)[-1].text

    cast.type(cast.ada, "lead @chidi")
    cast.type(cast.chidi, "lead @ada")
    cast.type(cast.ada, "lead @chidi")
    assert [one.text for one in cast.stage.workspace.ephemerals(cast.chidi)] == [shown.text]
    assert [one.text for one in cast.stage.workspace.ephemerals(cast.ada)].count(shown.text) == 1
    assert cast.stage.workspace.ephemerals(cast.dana) == []


def test_where_nothing_is_alike_nothing_is_shown(cast: Cast) -> None:
    earlier(cast, "Search is slow")
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    assert cast.stage.workspace.ephemerals(cast.ada) == []


def test_what_was_private_is_shown_in_its_own_channel_only(cast: Cast) -> None:
    secret = cast.stage.workspace.add_channel("security", private=True, members=[cast.ada], bot_in=True)
    earlier(cast, "Checkout leaks cards", channel=secret)
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    assert cast.stage.workspace.ephemerals(cast.ada, cast.channel) == []
    cast.type(cast.ada, "start sev1 Checkout leaks again", secret)
    assert "INC-1" in cast.stage.workspace.ephemerals(cast.ada, secret)[-1].text


def test_nothing_is_shown_where_another_company_reads_along(cast: Cast) -> None:
    shared = cast.stage.workspace.add_channel("with-acme", members=[cast.ada], ext_shared=True)
    earlier(cast, "Checkout times out", channel=shared)
    cast.type(cast.ada, "start sev1 Checkout returns errors", shared)
    assert cast.stage.workspace.ephemerals(cast.ada) == []


def test_a_text_that_was_removed_makes_no_likeness(cast: Cast) -> None:
    cast.type(cast.ada, "start sev2 Something is slow")
    cast.type(cast.ada, "services checkout")
    cast.type(cast.ada, "remove 2 wrong")
    cast.type(cast.ada, "resolve calm")
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    assert cast.stage.workspace.ephemerals(cast.ada) == []


def test_who_waits_for_slack_is_not_shown_it_an_hour_later(cast: Cast) -> None:
    earlier(cast, "Checkout times out")
    cast.stage.workspace.fail("chat.postEphemeral", status=500, times=50)
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.later(60)
    assert cast.stage.workspace.ephemerals(cast.ada) == []
    with cast.stage.app.store.reading() as tx:
        assert not any(letter.kind == "similar" for state in ("waiting", "parked") for letter, _ in tx.letters(state))


# ---- wording -------------------------------------------------------------------------------------

PLACE = Place(1, "T", 42, "C1", False, 9, "", HOSTILE, "open", 1, TUESDAY)
PEOPLE = [Person(f"p{number}", "T", f"U{number}", "x") for number in range(2)]


@pytest.mark.parametrize("what", list(Nudge))
@pytest.mark.parametrize("private", [False, True])
def test_every_reminder_is_one_that_slack_takes_whatever_people_wrote(what: Nudge, private: bool) -> None:
    due = Due(what, what.value, TUESDAY, TUESDAY, ("p0",), TUESDAY - timedelta(days=3), HOSTILE, 300)
    place = replace(PLACE, private=private)
    message = wording.reminder(place, "Europe/London", due, PEOPLE, TUESDAY, "/incident")
    assert list(of_message(message, posted=True)) == []
    assert len(message["text"].splitlines()) <= 2
    (row,) = (block["elements"] for block in message["blocks"] if block["type"] == "actions")
    assert row[-1]["value"] == "reminders INC-42: off"
    assert all(re.match(r"[a-z]+ INC-42:", one["value"]) for one in row)
    assert ("<@U0>" in message["text"]) is (not due.direct or private)


def test_earlier_incidents_are_shown_in_blocks_that_slack_takes_whatever_people_wrote() -> None:
    found = [similar.Precedent(number, HOSTILE, TUESDAY, HOSTILE, number > 1) for number in (1, 999_999_999)]
    message = wording.precedents([HOSTILE, HOSTILE], found, "Asia/Kolkata")
    assert list(of_message(message, posted=True)) == []
