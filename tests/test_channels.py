"""Other channels of an incident: one of its own, and the one in which all are announced."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.channels import TRIES
from bot.core.incident import Incident, fold
from bot.workspace import Answer, Channel, Message, User
from bot.workspace.stage import Stage
from tests.test_board import Nth

START = "start sev2 Search is down in new channel"


class House:
    """Three people, the channel in which they talk, and the one in which incidents are announced."""

    def __init__(self, stage: Stage, *, private: bool = False, bot_in: bool = False) -> None:
        self.stage, self.ws = stage, stage.workspace
        self.ada = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.ws.add_user("ben", display_name="Ben", tz="Europe/London")
        people = [self.ada, self.ben]
        self.channel = self.ws.add_channel("payments", private=private, members=people, bot_in=bot_in)
        self.news = self.ws.add_channel("incidents", members=people)

    def type(self, line: str, channel: Channel | None = None, who: User | None = None) -> Answer:
        answer = self.ws.command(who or self.ada, channel or self.channel, line)
        assert answer.ok, answer.failure
        self.stage.pump()
        return answer

    def wait(self, by: timedelta = timedelta(seconds=12)) -> None:
        until = self.stage.clock() + by
        while (due := self.stage.app.outbox.next_due()) is not None and due <= until:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(until)
        self.stage.pump()

    def own(self) -> list[Channel]:
        return [one for one in self.ws.channels.values() if one.name.startswith("inc-") and one.kind == "channel"]

    def posts(self, channel: Channel, ending: str) -> list[Message]:
        def key(one: Message) -> str:
            return str(((one.metadata or {}).get("event_payload") or {}).get("key", ""))

        return [one for one in self.ws.messages(channel) if key(one).endswith(ending)]

    def announced(self) -> list[str]:
        return [self.ws.text(one) for one in self.posts(self.news, "-announcement")]

    def incident(self, number: int = 1) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.by_number(self.ws.team, number)
            assert place is not None
            return fold(tx.events(place.key), number)

    def letters(self, state: str) -> list[str]:
        with self.stage.app.store.reading() as tx:
            return [letter.kind for letter, _ in tx.letters(state)]

    def called(self, method: str) -> int:
        return len(self.ws.called(method))


@pytest.fixture
def house(stage: Stage) -> House:
    return House(stage)


# ---- a channel of its own ------------------------------------------------------------------------


def test_an_incident_moves_into_the_channel_that_was_asked_for(house: House) -> None:
    house.type("note before", house.news)
    answer = house.type(START)
    assert answer.in_channel
    assert "Board pinned" not in answer.text
    house.wait()
    (own,) = house.own()
    assert own.name == "inc-1-search-is-down"
    assert own.topic == f"INC-1 · SEV2 · Search is down · from <#{house.channel.id}>"
    assert set(own.members) == {house.ws.bot_user, house.ada.id}
    assert [house.ws.text(one) for one in house.posts(house.channel, "-moved")] == [
        "🔴 INC-1 · Search is down goes on in #inc-1-search-is-down."
    ]
    assert (house.posts(house.channel, "-board"), len(house.posts(own, "-board"))) == ([], 1)
    assert len(house.ws.pins(own)) == 1

    assert house.type("note slow", own).text.startswith("📝 #2")
    assert house.incident().own_channel == own.id
    assert house.stage.app.store.verify()[2] == []


def test_the_draft_of_an_incident_goes_to_its_own_channel(house: House) -> None:
    house.type(START)
    (own,) = house.own()
    house.type("resolve calm", own)
    house.wait(timedelta(seconds=30))
    assert ["Postmortem draft" in one.text for one in house.posts(own, "-draft")] == [True]
    assert house.posts(house.channel, "-draft") == []


def test_what_is_typed_where_it_was_opened_is_offered_to_it(house: House) -> None:
    house.type("start An older one")
    house.type("resolve over")
    house.wait(timedelta(minutes=1))
    house.type(START)
    answer = house.type("note slow")
    assert not answer.in_channel  # not quietly recorded to the one before
    house.ws.click(house.ada, answer, "Record to INC-2")
    house.stage.pump()
    assert [one.text for one in house.incident(2).live()][-1] == "slow"
    assert house.type("note INC-2: slower").in_channel
    house.type("resolve INC-2: calm")
    assert house.type("note for the older one").in_channel


def test_those_who_have_a_part_are_asked_into_the_channel(house: House) -> None:
    house.type(START)
    (own,) = house.own()
    chidi = house.ws.add_user("chidi", display_name="Chidi")
    house.type("lead @ben", own)
    house.type("escalated @chidi: connections are taken", own)
    house.wait()
    assert {house.ben.id, chidi.id} <= set(own.members)
    assert "commander @ben" in own.topic


def test_the_topic_follows_what_it_says_and_is_set_no_oftener(house: House) -> None:
    house.type(START)
    house.wait()
    (own,) = house.own()
    before = house.called("conversations.setTopic")
    for line in ("note slow", "sev1", "title Search returns nothing", "mitigated", "again", "note slower"):
        house.type(line if line != "again" else "again it is back", own)
    house.wait(timedelta(minutes=1))
    assert own.topic == f"INC-1 · SEV1 · Search returns nothing · from <#{house.channel.id}>"
    assert house.called("conversations.setTopic") - before <= 2


def test_a_destroyed_title_stands_in_neither_name_nor_topic(house: House) -> None:
    house.type("start Search shows hunter2secret in new channel")
    house.wait()
    (own,) = house.own()
    assert own.name == "inc-1-search-shows-hunter2secret"
    answer = house.type("redact 1", own)
    house.ws.click(house.ada, answer, "Destroy the text")
    house.wait()
    assert own.name == "inc-1"
    assert "hunter2" not in own.topic
    left = [*house.posts(own, "-board"), *house.posts(house.channel, "-moved")]
    assert len(left) == 2
    assert "hunter2" not in json.dumps([[one.text, one.blocks] for one in left])


@pytest.mark.parametrize("put_out", [False, True])
def test_a_channel_that_becomes_private_is_not_named_where_it_was_opened(house: House, put_out: bool) -> None:
    house.type(START)
    house.wait()
    (own,) = house.own()
    own.kind = "group"
    house.stage.clock.advance(timedelta(days=1, minutes=1))
    if put_out:
        house.ws.kick_bot(own)
    house.type("note slow", own)
    house.wait()
    house.type("title Mallory has the key", own)
    house.wait(timedelta(minutes=1))
    assert house.posts(house.channel, "-moved") == []
    assert house.stage.app.store.verify()[2] == []


def test_a_name_that_is_taken_gets_a_number(house: House) -> None:
    house.ws.add_channel("inc-1-search-is-down")
    house.type(START)
    assert [one.name for one in house.own()] == ["inc-1-search-is-down", "inc-1-search-is-down-2"]


@pytest.mark.parametrize("error", ["restricted_action", "missing_scope", "name_taken", "ratelimited"])
def test_where_no_channel_is_to_be_had_the_incident_stays_and_its_starter_is_told(house: House, error: str) -> None:
    house.ws.fail("conversations.create", error=error, times=99)
    house.type(START)
    house.wait(timedelta(minutes=10))
    assert house.own() == []
    assert house.called("conversations.create") <= TRIES
    (told,) = [one.text for one in house.ws.ephemerals(house.ada, house.channel) if "stays in this" in one.text]
    assert told.startswith("INC-1 stays in this channel:")
    assert house.type("note slow").in_channel
    assert len(house.ws.pins(house.channel)) == 1  # the board comes here, then
    assert house.letters("parked") == []


def test_an_incident_of_a_private_channel_never_leaves_it(stage: Stage) -> None:
    house = House(stage, private=True, bot_in=True)
    answer = house.type(START)
    assert "if this one is public" in answer.text
    house.wait()
    assert (house.own(), house.called("conversations.create")) == ([], 0)
    assert "private" in house.ws.ephemerals(house.ada, house.channel)[-1].text
    assert len(house.ws.pins(house.channel)) == 1


def test_an_incident_that_ends_before_its_channel_is_there_gets_none(house: House) -> None:
    house.ws.command(house.ada, house.channel, START)
    house.ws.command(house.ada, house.channel, "resolve it was nothing")
    house.wait()
    assert house.own() == []
    assert house.posts(house.channel, "-moved") == []


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 500, "after": True}, {"retry_after": 20}, {"drop": "before"}, {"drop": "after"}],
    ids=["500", "500 after the effect", "rate limit", "broken before", "broken after"],
)
def test_whichever_call_goes_wrong_once_there_is_one_channel_with_everybody_in_it(
    stage_with: Callable[..., Stage], fault: dict[str, Any]
) -> None:
    number = 0
    while True:
        house = House(stage_with(announce_channel="#incidents"))
        house.ws.fail("*", **fault, when=Nth(number))
        house.type(START)
        house.wait(timedelta(minutes=3))
        (own,) = house.own()
        assert own.name == "inc-1-search-is-down", number
        assert house.ada.id in own.members, number
        assert own.topic, number
        assert len(house.posts(house.channel, "-moved")) == 1, number
        assert len(house.posts(own, "-board")) == 1, number
        (announced,) = house.announced()
        assert announced.splitlines()[1].startswith("In #inc-1-search-is-down · Impact since 03:06 "), number
        assert house.letters("parked") == [], number
        number += 1
        if number > len(house.ws.calls):
            break
    assert number > 10


@pytest.mark.parametrize("method", ["conversations.create", "conversations.setTopic", "conversations.invite"])
def test_a_process_that_dies_while_a_channel_is_made_makes_no_second_one(stage: Stage, method: str) -> None:
    house = House(stage)
    house.ws.fail(method, drop="after")
    house.type(START)
    stage.restart()
    house.wait(timedelta(minutes=2))
    assert len(house.own()) == 1
    assert house.incident().own_channel == house.own()[0].id


def test_board_and_announcement_do_not_wait_for_the_sender_that_made_the_channel(
    stage_with: Callable[..., Stage],
) -> None:
    house = House(stage_with(announce_channel="#incidents"))
    house.ws.command(house.ada, house.channel, START)
    store, outbox = house.stage.app.store, house.stage.app.outbox
    kind = ""
    while kind != "own_channel":  # a sender takes it in hand …
        with store.writing() as tx:
            taken = tx.lease(house.stage.clock(), 180)
        assert taken is not None
        kind = taken.kind
    outbox.also[kind](taken)
    house.wait()  # … and another one sends what follows before that is settled
    (own,) = house.own()
    assert len(house.posts(own, "-board")) == 1
    assert len(house.announced()) == 1


def test_a_start_that_slack_sends_twice_makes_one_channel(house: House) -> None:
    house.type(START)
    house.wait()
    with house.stage.app.store.writing() as tx:  # the same letter, leased by somebody who thought it lost
        (sent,) = (letter for letter, _ in tx.letters("sent") if letter.kind == "own_channel")
        tx.enqueue([sent])
    house.wait()
    assert len(house.own()) == 1
    assert len(house.posts(house.channel, "-moved")) == 1


# ---- announcements -------------------------------------------------------------------------------


@pytest.fixture
def told(stage_with: Callable[..., Stage]) -> House:
    return House(stage_with(announce_channel="#incidents"))


def test_a_public_incident_is_announced_once_and_kept_current(told: House) -> None:
    told.type("start sev1 Checkout returns errors since 02:50")
    assert told.announced() == ["🔴 INC-1 · SEV1 · Checkout returns errors\nIn #payments · Impact since 02:50 GMT"]
    for line in ("note slow", "lead @ben", "mitigated pool halved"):
        told.type(line)
        told.wait()
    assert told.announced() == [
        "🟡 INC-1 · SEV1 · Checkout returns errors · mitigated\n"
        "In #payments · Impact 02:50 GMT to 03:06 GMT, 16 min · Commander @ben"
    ]
    told.type("resolve calm")
    told.wait(timedelta(minutes=1))
    (said,) = told.announced()
    assert said.splitlines()[0].endswith("resolved")
    assert "after 16 min" in said
    assert "The draft of the postmortem" in said
    assert len(told.ws.messages(told.news)) == 1
    assert "calm" not in said  # what was said stays where it was said


def test_notes_cost_the_announcement_nothing(told: House) -> None:
    told.type("start Checkout returns errors")
    told.wait()
    before = len([call for call in told.ws.calls if call.args.get("channel") == told.news.id])
    for number in range(30):
        told.type(f"note line {number}")
    told.wait()
    assert len([call for call in told.ws.calls if call.args.get("channel") == told.news.id]) == before


def test_an_id_serves_as_well_as_a_name(stage_with: Callable[..., Stage]) -> None:
    house = House(stage_with(announce_channel="C0NEWS"))
    news = house.ws.add_channel("news", id="C0NEWS")
    house.type("start Checkout returns errors")
    assert len(house.posts(news, "-announcement")) == 1
    assert house.called("conversations.list") == 0


def test_neither_drills_nor_private_incidents_are_announced(stage_with: Callable[..., Stage]) -> None:
    house = House(stage_with(announce_channel="#incidents"), private=True, bot_in=True)
    house.type("start Salaries were leaked")
    house.type("sev1")
    house.wait()
    drill = house.ws.add_channel("drills", members=[house.ada])
    house.type("start drill The game day", drill)
    house.wait()
    assert house.ws.messages(house.news) == []


def test_what_becomes_private_is_taken_back(told: House) -> None:
    told.type("start Checkout returns errors")
    assert len(told.announced()) == 1
    told.ws.channel(told.channel).kind = "group"  # Slack sends no event for it; the channel is looked at once a day
    told.stage.clock.advance(timedelta(days=1, minutes=1))
    told.type("note slow")
    told.wait()
    assert told.announced() == []
    told.type("sev1")
    told.wait()
    assert told.announced() == []


def test_a_cancelled_incident_is_said_to_be_one_and_never_announced_afterwards(told: House) -> None:
    told.type("start Checkout returns errors")
    told.ws.click(told.ada, told.type("cancel a test of hunter2secret"), "Cancel it")
    told.wait()
    (said,) = told.announced()
    assert said.splitlines() == [
        "⚪ INC-1 · severity not set · Checkout returns errors · cancelled",
        "In #payments · Cancelled",
    ]
    told.ws.away = True
    told.type("start Another one")
    answer = told.ws.command(told.ada, told.channel, "cancel a test, too")
    told.ws.click(told.ada, answer, "Cancel it")
    told.ws.away = False
    told.wait(timedelta(minutes=15))
    assert len(told.announced()) == 1


def test_a_destroyed_title_leaves_the_announcement(told: House) -> None:
    told.type("start Checkout shows hunter2secret")
    told.ws.click(told.ada, told.type("redact 1"), "Destroy the text")
    told.wait()
    assert "hunter2secret" not in json.dumps([[one.text, one.blocks] for one in told.ws.messages(told.news)])


@pytest.mark.parametrize("wrong", ["shared", "archived", "missing"])
def test_a_channel_that_cannot_hear_of_it_disturbs_nothing(stage_with: Callable[..., Stage], wrong: str) -> None:
    house = House(stage_with(announce_channel="#nowhere" if wrong == "missing" else "#incidents"))
    house.news.ext_shared, house.news.archived = wrong == "shared", wrong == "archived"
    house.type("start Checkout returns errors")
    house.type("sev1")
    house.ws.click(house.ada, house.type("redact 1"), "Destroy the text")
    house.wait()
    assert house.ws.messages(house.news) == []
    assert house.letters("parked") == []
    assert "Not delivered" not in house.type("status").text


def test_an_announcement_that_somebody_deletes_is_not_posted_again(told: House) -> None:
    told.type("start Checkout returns errors")
    (one,) = told.posts(told.news, "-announcement")
    told.ws.call("chat.delete", {"channel": told.news.id, "ts": one.ts}, told.ws.bot_token)
    told.type("sev1")
    told.wait()
    assert told.announced() == []
