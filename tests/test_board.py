"""The board: one message per incident, kept current, hung on the wall, and no burden to anything else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.board import PACE, TAKEN_DOWN_AFTER
from bot.core import events as ev
from bot.core.board import board, channel_name
from bot.core.events import Kind
from bot.core.grammar import Context, parse
from bot.core.incident import REDACTED
from bot.slack import board as wording
from bot.workspace import Answer, Call, Channel, Message
from bot.workspace.stage import Stage
from tests.conftest import bare
from tests.core.builder import Record
from tests.test_blocks import of_message

SECOND = timedelta(seconds=1)
HOSTILE = [
    "<!channel> <@U1> <https://evil.example|ok> & > <",
    "&" * 4_000,
    "<" * 4_000,
    "*_~`" * 900,
    "a\nb\r\nc\u2028d\x00e",
    "🔴" * 1_000,
    "‮evil",
    " ",
]


class Wall:
    """Ada and Ben, a channel, and what hangs there."""

    def __init__(self, stage: Stage, *, private: bool = False, bot_in: bool = False) -> None:
        self.stage, self.ws = stage, stage.workspace
        self.ada = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.ws.add_user("ben", display_name="Ben", tz="Europe/London")
        self.channel = self.ws.add_channel("payments", private=private, members=[self.ada, self.ben], bot_in=bot_in)

    def type(self, line: str, channel: Channel | None = None) -> Answer:
        answer = self.ws.command(self.ada, channel or self.channel, line)
        assert answer.ok, answer.failure
        self.stage.pump()
        return answer

    def wait(self, by: timedelta = PACE) -> None:
        """Lets time pass, and what is due on the way leave."""
        until = self.stage.clock() + by
        while (due := self.stage.app.outbox.next_due()) is not None and due <= until:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(until)
        self.stage.pump()

    def say(self, line: str) -> str:
        """Types a line and gives the board as it reads three seconds later."""
        self.type(line)
        self.wait()
        return self.text()

    def boards(self) -> list[Message]:
        found = [one for one in self.ws.messages(self.channel) if one.user == self.ws.bot_user and not one.is_reply]
        return [one for one in found if self.key(one).endswith("-board")]

    @staticmethod
    def key(message: Message) -> str:
        return str(((message.metadata or {}).get("event_payload") or {}).get("key", ""))

    def text(self) -> str:
        (one,) = self.boards()
        return self.ws.text(one)

    def called(self, *methods: str) -> list[Call]:
        return [call for call in self.ws.calls if call.method in methods]

    def letters(self, state: str) -> list[tuple[str, str]]:
        with self.stage.app.store.reading() as tx:
            return [(letter.kind, error) for letter, error in tx.letters(state)]

    def hangs(self) -> tuple[list[str], list[str]]:
        """What is pinned, and what is bookmarked."""
        pins = [self.key(one) for one in self.ws.pins(self.channel)]
        return pins, [one["title"] for one in self.ws.bookmarks(self.channel)]


@pytest.fixture
def wall(stage: Stage) -> Wall:
    return Wall(stage)


UP = (["INC-1-board"], ["INC-1 board"])
DOWN: tuple[list[str], list[str]] = ([], [])


# ---- what it says --------------------------------------------------------------------------------


def test_a_board_is_pinned_and_bookmarked_at_start_and_the_answer_says_so(wall: Wall) -> None:
    answer = wall.type("start sev1 Checkout returns errors since 02:50")
    assert answer.text.splitlines()[1] == (
        "Board pinned. Say what happens: /incident note … · Commander? /incident lead @name"
    )
    assert wall.hangs() == UP
    (bookmark,) = wall.ws.bookmarks(wall.channel)
    assert bookmark["link"].endswith(f"/archives/{wall.channel.id}/p{wall.boards()[0].ts.replace('.', '')}")
    assert wall.text().splitlines() == [
        "🔴 INC-1 · SEV1 · Checkout returns errors",
        "No commander yet: `/incident lead @name`",
        "Impact since 02:50 GMT",
        "Say next: Which services are affected? `/incident services …` · also `impact …` · `detected 14:05 by …`",
        "[ Note ]  [ Update ]  [ Mitigated ]  [ Resolve ]  [ What is missing ]",
    ]


def test_the_board_is_edited_in_place_as_the_incident_goes_on(wall: Wall) -> None:
    wall.type("start Checkout returns errors since 02:50")
    wall.say("sev1")
    wall.say("lead @ben")
    wall.say("role comms @ada")
    wall.say("impact 34% of customers cannot pay")
    wall.say("told customers: some payments fail")
    said = wall.say("did doubled max_connections")
    assert said.splitlines()[:-2] == [
        "🔴 INC-1 · SEV1 · Checkout returns errors",
        "Commander @ben · Comms @ada",
        "Impact since 02:50 GMT: 34% of customers cannot pay",
        "Last told customers 03:06 GMT",
        "Last #7 · 03:06 GMT · 🔧 Action: doubled max_connections – Ada",
    ]
    assert "services …" in said.splitlines()[-2]
    assert "1 task, 1 open" in wall.say("todo cap the pool")
    wall.say("mitigated pool halved")
    assert "mitigated" in wall.text().splitlines()[0]
    assert "[ Impact is back ]" in wall.text()
    assert wall.say("again errors are back").startswith("🔴")
    assert len(wall.boards()) == 1
    assert "<@" not in json.dumps([one.blocks for one in wall.boards()])  # an edit calls nobody


def test_the_board_says_how_it_ended_and_where_the_draft_is(wall: Wall) -> None:
    wall.type("start Checkout returns errors since 02:50")
    assert "The draft of the postmortem follows in this channel." in wall.say("resolve calm")
    wall.wait(timedelta(seconds=20))
    (draft,) = (one for one in wall.ws.messages(wall.channel) if "Postmortem draft" in one.text)
    address = f"/p{draft.ts.replace('.', '')}|The draft of the postmortem>"
    assert address in json.dumps(wall.boards()[0].blocks)
    assert wall.text().splitlines()[:2] == [
        "🟢 INC-1 · severity not set · Checkout returns errors · resolved",
        "Resolved 03:06 GMT after 16 min: calm",
    ]
    assert "[ Answer the open questions ]  [ Add a task ]  [ Reopen ]" in wall.text()


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        (["mitigated pool halved"], "🟡"),
        (["resolve calm"], "🟢"),
        (["cancel a test"], "⚪"),
    ],
)
def test_every_button_says_a_line_that_is_understood(wall: Wall, lines: list[str], first: str) -> None:
    wall.type("start Checkout returns errors")
    for line in lines:
        answer = wall.type(line)
        for block in answer.blocks:
            if block["type"] == "actions" and "Cancel it" in json.dumps(block):
                wall.ws.click(wall.ada, answer, "Cancel it")
    wall.wait()
    (board_,) = wall.boards()
    assert wall.text().startswith(first)
    buttons = [one for block in board_.blocks if block["type"] == "actions" for one in block["elements"]]
    assert buttons
    for button in buttons:
        word = button["value"].split()[0]
        written = f"{button['value']} x" if word not in ("gaps",) else button["value"]
        assert parse(written, Context(wall.stage.clock(), "UTC", {}, "/incident")).incident == 1


def test_a_tap_on_the_board_shows_what_is_missing_to_the_one_who_taps(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.ws.click(wall.ben, wall.boards()[0], "What is missing")
    wall.stage.pump()
    assert "facts known" in wall.ws.ephemerals(wall.ben, wall.channel)[-1].text


def test_the_board_is_what_slack_takes_whatever_people_write() -> None:
    for text in HOSTILE:
        record = Record(text, onset=-5)
        for kind in (Kind.NOTE, Kind.IMPACT, Kind.UPDATE, Kind.MITIGATED):
            record.say(kind, text, **({"audience": text[:40]} if kind is Kind.UPDATE else {}))
        for number in range(12):
            record.say(Kind.ROLE, role=f"{number}{text[:30]}", person="b", who=text[:80])
        record.say(Kind.TASK, text)
        for _ in range(300 - len(record.happened)):
            record.say(Kind.NOTE, text)
        for end in (None, Kind.RESOLUTION, Kind.CANCELLED):
            if end:
                record.say(end, text)
            seen = board(record.incident(), {"a": text, "b": text})
            for message in (
                wording.board(seen, "/incident", "https://example.slack.com/archives/C1/p1"),
                wording.announcement(seen, "C0123ABCD", "https://example.slack.com/archives/C1/p1"),
                wording.moved(seen, "C0123ABCD"),
                wording.stays("INC-1", text),
            ):
                assert list(of_message(message, posted=True)) == []
            assert len(wording.topic(seen, "C0123ABCD")) <= wording.TOPIC
            assert channel_name(42, text).startswith("inc-42")
            assert set(channel_name(42, text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_channel_is_named_after_number_and_title() -> None:
    assert channel_name(42, "Checkout returns errors!") == "inc-42-checkout-returns-errors"
    assert channel_name(42, "Zahlung über Café") == "inc-42-zahlung-uber-cafe"
    assert channel_name(42, "決済") == "inc-42"
    assert channel_name(42, REDACTED) == "inc-42"
    assert len(channel_name(42, "a b " * 100)) <= 80


def test_golden_boards(golden: Callable[[str, str], None]) -> None:
    record = Record("Checkout returns errors", onset=-5)
    record.say(Kind.ROLE, role="commander", person="c", who="@chidi")
    record.say(Kind.IMPACT, "34% of customers cannot pay", share="34")
    record.say(Kind.UPDATE, "some payments fail", audience="customers")
    record.say(Kind.ACTION, "doubled max_connections", by="b")
    shown = []
    for end in (None, Kind.MITIGATED, Kind.RESOLUTION, Kind.REOPENED, Kind.CANCELLED):
        if end:
            record.say(end, "graphs are flat")
        seen = board(record.incident(), {"a": "Ada", "b": "Ben"})
        shown.append([wording.board(seen, "/incident"), wording.announcement(seen, "C0123ABCD")])
    golden("board.json", json.dumps(shown, indent=1, ensure_ascii=False) + "\n")


# ---- how often -----------------------------------------------------------------------------------


def gaps(calls: list[Call]) -> list[float]:
    return [(after.at - before.at).total_seconds() for before, after in itertools.pairwise(calls)]


def test_three_hundred_entries_in_a_burst_make_one_edit_in_three_seconds(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.wait()
    for number in range(300):
        wall.type(f"note line {number}")
        wall.stage.clock.advance(0.1 * SECOND)
    wall.wait()
    edits = wall.called("chat.update")
    assert len(edits) <= 12  # thirty seconds, and the last one
    assert min(gaps(edits)) >= PACE.total_seconds()
    assert max(gaps(edits)) <= 2 * PACE.total_seconds()  # a steady stream does not postpone it
    assert "line 299" in wall.text()
    assert len(wall.boards()) == 1
    assert "board" not in [kind for kind, _ in wall.letters("waiting")]


def test_what_changes_nothing_on_the_board_costs_no_call(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.say("note slow")
    before = len(wall.ws.calls)
    wall.say("key 2")
    assert wall.ws.calls[before:] == []


def test_no_command_waits_for_the_board(wall: Wall) -> None:
    wall.ws.command(wall.ada, wall.channel, "start Checkout returns errors")
    before = len(wall.ws.calls)
    for number in range(5):
        wall.ws.command(wall.ada, wall.channel, f"note line {number}")
    assert wall.ws.calls[before:] == []


# ---- the wall ------------------------------------------------------------------------------------


def test_a_board_that_somebody_deletes_comes_back_while_the_incident_is_open(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    (first,) = wall.boards()
    wall.ws.call("chat.delete", {"channel": wall.channel.id, "ts": first.ts}, wall.ws.bot_token)
    wall.say("note slow")
    (second,) = wall.boards()
    assert second.ts != first.ts
    assert "slow" in wall.text()
    assert wall.hangs() == UP

    wall.say("resolve calm")
    wall.say("publish")
    wall.ws.call("chat.delete", {"channel": wall.channel.id, "ts": second.ts}, wall.ws.bot_token)
    wall.type("note an addendum")
    wall.wait()
    assert wall.boards() == []


@pytest.mark.parametrize("method", ["pins.add", "bookmarks.add", "chat.getPermalink"])
@pytest.mark.parametrize("error", ["too_many_pins", "missing_scope", "restricted_action"])
def test_a_wall_that_takes_nothing_keeps_no_board_from_standing(wall: Wall, method: str, error: str) -> None:
    wall.ws.fail(method, error=error, times=99)
    wall.type("start Checkout returns errors")
    for line in ("note slow", "note slower"):
        wall.say(line)
    assert "slower" in wall.text()
    assert len(wall.called(method)) == 1
    assert wall.letters("parked") == []
    assert "Not delivered" not in wall.type("status").text


def test_a_pin_that_a_person_takes_away_stays_away(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.ws.unpin(wall.ben, wall.channel, wall.boards()[0])
    wall.say("note slow")
    wall.say("note slower")
    assert wall.hangs() == ([], ["INC-1 board"])


def test_a_board_leaves_the_wall_when_the_postmortem_is_published(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.say("resolve calm")
    wall.wait(timedelta(minutes=1))
    assert wall.hangs() == UP
    said = wall.say("publish")
    assert wall.hangs() == DOWN
    assert "The postmortem" in said
    assert "[" not in said.splitlines()[-1]


def test_a_board_leaves_the_wall_when_the_incident_was_none_and_comes_back_with_it(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    answer = wall.type("cancel it was a test")
    wall.ws.click(wall.ada, answer, "Cancel it")
    wall.wait()
    assert wall.hangs() == DOWN
    assert wall.text().splitlines() == [
        "⚪ INC-1 · severity not set · Checkout returns errors · cancelled",
        "Cancelled: it was a test",
        "[ Reopen ]",
    ]
    wall.say("reopen INC-1: it was none")
    assert wall.hangs() == UP


def test_a_board_that_nobody_publishes_hangs_for_a_week(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.say("resolve calm")
    wall.wait(TAKEN_DOWN_AFTER - timedelta(minutes=5))
    assert wall.hangs() == UP
    assert "still to be sent" not in wall.type("status").text
    wall.wait(timedelta(minutes=10))
    assert wall.hangs() == DOWN
    assert len(wall.boards()) == 1


# ---- where Slack says no -------------------------------------------------------------------------


def test_a_private_channel_without_scribe_gets_its_board_with_the_invitation(stage: Stage) -> None:
    wall = Wall(stage, private=True)
    answer = wall.type("start Checkout returns errors")
    assert "Board pinned" not in answer.text
    wall.wait(timedelta(minutes=1))
    before = len(wall.called("chat.postMessage"))
    for line in ("note slow", "note slower"):
        wall.type(line)
        wall.wait()
    assert len(wall.called("chat.postMessage")) == before  # nothing is tried in vain
    wall.ws.click(wall.ada, wall.type("redact 2"), "Destroy the text")
    wall.wait()
    assert [one for one in wall.letters("parked") if one[0] == "board"] == []
    wall.ws.invite_bot(wall.channel)
    wall.wait()
    assert wall.hangs() == UP
    assert "slower" in wall.text()


def test_an_archived_channel_parks_no_board(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.type("note slow")
    wall.ws.channel(wall.channel).archived = True  # and Slack's event is still on its way
    wall.wait(timedelta(minutes=5))
    assert [one for one in wall.letters("parked") if one[0] == "board"] == []
    wall.ws.channel(wall.channel).archived = False
    assert "slower" in wall.say("note slower")


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 500, "after": True}, {"retry_after": 20}, {"drop": "before"}, {"drop": "after"}],
    ids=["500", "500 after the effect", "rate limit", "broken before", "broken after"],
)
def test_whichever_call_goes_wrong_once_there_is_one_board_that_is_current(
    stage_with: Callable[..., Stage], fault: dict[str, Any]
) -> None:
    number = 0
    while True:
        wall = Wall(stage_with())
        wall.ws.fail("*", **fault, when=Nth(number))
        wall.type("start Checkout returns errors")
        wall.wait(timedelta(minutes=2))
        wall.say("note slow")
        wall.wait(timedelta(minutes=2))
        assert "slow" in wall.text(), number
        assert wall.hangs()[0] == UP[0], number
        assert len(wall.hangs()[1]) <= 1, number
        assert wall.letters("parked") == [], number
        number += 1
        if number > len(wall.ws.calls):
            break
    assert number > 5


@dataclass
class Nth:
    """Is true at the call of this number, whatever is called."""

    number: int
    seen: int = field(default=0)

    def __call__(self, _: dict[str, Any]) -> bool:
        self.seen += 1
        return self.seen == self.number + 1


@pytest.mark.parametrize("method", ["chat.postMessage", "pins.add", "bookmarks.add"])
def test_a_process_that_dies_between_two_steps_leaves_one_board(stage: Stage, method: str) -> None:
    wall = Wall(stage)
    wall.ws.fail(method, drop="after")
    wall.type("start Checkout returns errors")
    stage.restart()
    wall.wait(timedelta(minutes=1))
    wall.say("note slow")
    assert "slow" in wall.text()
    assert wall.hangs()[0] == UP[0]


def test_while_slack_asks_to_wait_what_is_said_does_not_make_it_wait_longer(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.wait()
    wall.ws.fail("chat.update", retry_after=30)
    for number in range(20):
        wall.say(f"note line {number}")
    edits = wall.called("chat.update")
    assert gaps(edits)[0] >= 30.0
    assert "line 19" in wall.text()


def test_after_a_long_outage_the_next_line_brings_the_board_up_to_date(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.wait()
    wall.ws.away = True
    wall.type("note slow")
    wall.wait(timedelta(hours=2))
    wall.ws.away = False
    assert "slower" in wall.say("note slower")
    assert len(wall.boards()) == 1


# ---- words that must not stay --------------------------------------------------------------------


def test_a_destroyed_text_leaves_the_board_within_three_seconds(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.say("note the password is hunter2secret")
    answer = wall.type("redact 2")
    wall.ws.click(wall.ada, answer, "Destroy the text")
    wall.wait()
    assert "hunter2secret" not in json.dumps([[one.text, one.blocks] for one in wall.boards()])


def test_a_text_that_slack_will_not_let_us_take_away_is_not_forgotten(wall: Wall) -> None:
    wall.type("start Checkout returns errors")
    wall.say("note the password is hunter2secret")
    answer = wall.type("redact 2")
    wall.ws.fail("chat.update", error="is_archived")
    wall.ws.click(wall.ada, answer, "Destroy the text")
    wall.wait()
    assert [kind for kind, _ in wall.letters("parked")] == ["board"]
    assert "Not delivered" in wall.type("status").text
    wall.type("resend")
    wall.wait()
    assert "hunter2secret" not in json.dumps([[one.text, one.blocks] for one in wall.boards()])


def test_neither_pin_nor_bookmark_nor_letter_holds_anybodys_words(wall: Wall) -> None:
    wall.type("start Checkout returns hunter2secret")
    wall.say("note hunter2secret")
    held = [call.args for call in wall.called("pins.add", "bookmarks.add")]
    with wall.stage.app.store.reading() as tx:
        held += [letter.body for state in ("waiting", "sent") for letter, _ in tx.letters(state)]
        held += [tx.receipts(1)["board"]]
    assert "hunter2secret" not in json.dumps(held)


def test_a_board_shows_moments_with_their_day_when_it_is_another_one() -> None:
    record = Record("Checkout returns errors", onset=-600)
    seen = board(record.incident(), {})
    assert "Impact since 20 November 2026 17:00 UTC" in json.dumps(wording.board(seen, "/incident"))
    assert isinstance(record.happened[0], ev.Started)
    assert isinstance(seen.day, datetime)


def test_a_clock_that_is_put_back_holds_up_no_board(stage: Stage) -> None:
    wall = Wall(stage)
    wall.type("start Checkout returns errors")
    wall.wait()
    stage.clock.at -= timedelta(hours=1)
    assert "CPU is at 100 %" in wall.say("note CPU is at 100 %")
    assert len(wall.ws.called("chat.update")) == 1


def test_an_incident_that_was_over_before_there_were_boards_gets_none(stage: Stage) -> None:
    wall = Wall(stage)
    followers, then = list(stage.app.scribe.followers), dict(stage.app.outbox.then)
    bare(stage.app)
    wall.type("start Checkout returns errors")
    wall.type("resolve calm")
    stage.app.scribe.followers.extend(followers)
    stage.app.outbox.then.update(then)
    wall.type("cause The pool had no limit")
    wall.wait()
    assert wall.boards() == []
