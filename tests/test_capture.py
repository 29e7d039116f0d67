"""Stories of messages that are taken over: reactions, pins, the shortcut, and what becomes of those messages."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.events import Kind
from bot.core.incident import Incident, fold
from bot.settings import MADE_BY_REACTIONS, REACTIONS, reaction_kinds
from bot.slack import capture, shortcut
from bot.store import Store
from bot.workspace import Answer, Channel, DoorReply, Message, User
from bot.workspace.stage import SIGNING_SECRET, Stage
from tests.test_blocks import HOSTILE, of_message, of_view

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


class Room:
    """Ada and Ben in a channel with Scribe, at every second something else."""

    def __init__(self, stage: Stage, *, start: bool = True, **channel: Any) -> None:
        self.stage, self.ws = stage, stage.workspace
        self.ada = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.ws.add_user("ben", display_name="Ben", tz="America/New_York")
        self.channel = self.ws.add_channel("payments", members=[self.ada, self.ben], bot_in=True, **channel)
        if start:
            self.type(self.ada, "start Checkout returns errors")
            self.later(6)

    def type(self, who: User, line: str, channel: Channel | None = None) -> Answer:
        answer = self.ws.command(who, channel or self.channel, line)
        assert answer.ok, answer.failure
        self.pump()
        return answer

    def pump(self) -> None:
        self.stage.pump()
        self.stage.clock.advance(timedelta(seconds=1))

    def later(self, seconds: float) -> None:
        """Time passes; what falls due on the way leaves at its time."""
        until = self.stage.clock() + timedelta(seconds=seconds)
        while (due := self.stage.app.outbox.next_due()) is not None and due <= until:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(until)

    def says(self, who: User, text: str, thread: Message | None = None) -> Message:
        said = self.ws.say(who, self.channel, text, thread_ts=thread)
        self.pump()
        return said

    def react(self, who: User, message: Message, sign: str, *, pump: bool = True) -> None:
        assert self.ws.react(who, self.channel, message, sign).status == 200
        self.stage.clock.advance(timedelta(seconds=1))
        if pump:
            self.pump()

    def unreact(self, who: User, message: Message, sign: str, *, pump: bool = True) -> None:
        assert self.ws.unreact(who, self.channel, message, sign).status == 200
        self.stage.clock.advance(timedelta(seconds=1))
        if pump:
            self.pump()

    def incident(self, number: int = 1) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.by_number(self.ws.team, number)
            assert place is not None
            return fold(tx.events(place.key), number)

    def entries(self, number: int = 1) -> list[tuple[int, Kind, str]]:
        """What counts of an incident, but for its first line."""
        found = self.incident(number).entries.values()
        return [(one.number, one.kind, one.text) for one in found if one.live and one.number > 1]

    def whispers(self, who: User) -> list[str]:
        return [one.text for one in self.ws.ephemerals(who, self.channel)]

    def calls(self, since: int = 0) -> dict[str, int]:
        """The calls of Slack since so many were made, but for those of the board and the people who are met."""
        ours = ("conversations.history", "conversations.replies", "chat.postEphemeral", "chat.postMessage")
        return dict(Counter(one.method for one in self.ws.calls[since:] if one.method in ours))

    def envelopes(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind, as Slack delivered them."""
        bodies = [json.loads(one.body) for one in self.ws.requests if one.kind == "event"]
        return [one for one in bodies if one["event"]["type"] == kind]

    def again(self, envelope: dict[str, Any]) -> DoorReply:
        """Slack delivers an event once more."""
        reply = self.ws.event(envelope["event"], event_id=envelope["event_id"], retry_num=1)
        self.pump()
        return reply


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


# ---- reactions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "kind"), [one for one in REACTIONS.items() if one[1] != "key"])
def test_a_reaction_records_the_message_with_its_own_text_author_and_time(room: Room, sign: str, kind: str) -> None:
    message = room.says(room.ben, "halved the pool & it is `better` (see https://graphs.example.org/1)")
    room.later(200)
    room.react(room.ada, message, sign)
    entry = room.incident().entries[2]
    assert (entry.kind, entry.text) == (
        Kind(kind),
        "halved the pool & it is `better` (see https://graphs.example.org/1)",
    )
    assert entry.at == capture.said_at(message.ts)
    assert entry.event.said_in == f"{room.channel.id}/{message.ts}"
    with room.stage.app.store.reading() as tx:
        people = tx.people([entry.by, entry.event.by])
    assert (people[entry.by].name, people[entry.event.by].name) == ("Ben", "Ada")


def test_who_reacted_is_shown_the_entry_and_nobody_else(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    before = len(room.ws.messages(room.channel))
    room.react(room.ada, message, "mag_right")
    assert [one for one in room.whispers(room.ada) if "#2" in one] == [room.whispers(room.ada)[-1]]
    assert not [one for one in room.whispers(room.ben) if "#2" in one]
    assert len(room.ws.messages(room.channel)) == before


def test_peers_3_a_second_reaction_records_no_second_entry(room: Room) -> None:
    """PEERS.md, defect 3: one entry, whoever reacts how often, and nobody is told that it is there already."""
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "pushpin")
    told = len(room.whispers(room.ben))
    room.react(room.ben, message, "pushpin")
    room.react(room.ben, message, "pushpin::skin-tone-3")
    assert room.entries() == [(2, Kind.NOTE, "halved the pool")]
    assert len(room.whispers(room.ben)) == told


def test_peers_13_a_reaction_in_a_thread_reads_the_reply_and_answers_there(room: Room) -> None:
    """PEERS.md, defect 13: the history knows no replies, and gives the message before."""
    root = room.says(room.ada, "who looks at the database?")
    room.says(room.ben, "something else in the channel")
    reply = room.says(room.ben, "all connections are taken", root)
    room.react(room.ada, reply, "bulb")
    assert room.entries() == [(2, Kind.HYPOTHESIS, "all connections are taken")]
    assert room.ws.ephemerals(room.ada, room.channel)[-1].thread_ts == root.ts


def test_two_people_react_at_once_and_there_is_one_entry(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag", pump=False)
    room.react(room.ben, message, "mag_right", pump=False)
    room.pump()
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]


def test_two_kinds_are_two_entries(room: Room) -> None:
    message = room.says(room.ben, "I think it is the pool, halving it")
    room.react(room.ada, message, "bulb")
    room.react(room.ada, message, "mag_right")
    assert [kind for _, kind, _ in room.entries()] == [Kind.HYPOTHESIS, Kind.ACTION]
    room.unreact(room.ada, message, "bulb")
    assert [kind for _, kind, _ in room.entries()] == [Kind.ACTION]


def test_the_entry_goes_with_the_last_such_reaction_and_stays_in_the_history(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    room.react(room.ben, message, "mag")
    room.unreact(room.ada, message, "mag_right")
    assert len(room.entries()) == 1
    room.unreact(room.ben, message, "mag")
    assert room.entries() == []
    assert room.incident().entries[2].withdrawn == "removed"
    assert "removed" in room.whispers(room.ben)[-1]


def test_who_reacts_again_makes_one_new_entry(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    for _ in range(3):
        room.react(room.ada, message, "mag_right")
        room.unreact(room.ada, message, "mag_right")
    room.react(room.ada, message, "mag_right")
    assert room.entries() == [(5, Kind.ACTION, "halved the pool")]


def test_a_reaction_that_is_taken_back_before_the_message_was_read_records_nothing(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    before = len(room.ws.calls)
    room.react(room.ada, message, "mag_right", pump=False)
    room.unreact(room.ada, message, "mag_right", pump=False)
    room.pump()
    assert room.incident().last_entry == 1
    assert room.calls(before) == {}


def test_an_entry_that_somebody_removed_does_not_come_back_with_another_reaction(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "pushpin")
    room.type(room.ben, "remove 2 that was a joke")
    room.react(room.ben, message, "bulb")
    assert room.entries() == [(3, Kind.HYPOTHESIS, "halved the pool")]


def test_an_entry_that_somebody_corrected_stays_and_who_took_the_reaction_away_is_told(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    room.type(room.ben, "edit 2 halved the pool of orders-db")
    room.unreact(room.ada, message, "mag_right")
    assert room.entries() == [(2, Kind.ACTION, "halved the pool of orders-db")]
    assert "Entry 2 of INC-1 stays" in room.whispers(room.ada)[-1]


def test_a_reaction_from_before_the_incident_keeps_the_entry(stage: Stage) -> None:
    """Nobody told Scribe of it, so Slack is asked whether the last one that it knows was the last."""
    room = Room(stage, start=False)
    message = room.says(room.ben, "halved the pool")
    room.react(room.ben, message, "mag_right")
    room.type(room.ada, "start Checkout returns errors")
    room.react(room.ada, message, "mag_right")
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]
    room.unreact(room.ada, message, "mag_right")
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]
    room.unreact(room.ben, message, "mag_right")
    assert room.entries() == []


def test_a_hypothesis_that_was_ruled_out_stays_though_its_reaction_goes(room: Room) -> None:
    message = room.says(room.ben, "it is the pool")
    room.react(room.ada, message, "bulb")
    room.type(room.ben, "ruledout 2 halving it changed nothing")
    room.unreact(room.ada, message, "bulb")
    assert [kind for _, kind, _ in room.entries()] == [Kind.HYPOTHESIS, Kind.DEAD_END]


def test_files_of_a_marked_message_are_kept_with_its_entry(room: Room) -> None:
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + b"0" * 64
    message = room.ws.share_file(room.ben, room.channel, "graph.png", png)
    room.react(room.ada, message, "pushpin")
    room.later(5)
    entry = room.incident().entries[2]
    assert (entry.text, [(one.file, one.media_type) for one in entry.files]) == (
        "(image) graph.png",
        [("graph.png", "image/png")],
    )


# ---- the star ------------------------------------------------------------------------------------


def test_a_star_keeps_the_entry_in_the_main_document_until_the_last_one_goes(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    room.react(room.ada, message, "star")
    room.react(room.ben, message, "star")
    assert room.incident().entries[2].starred
    room.unreact(room.ada, message, "star")
    assert room.incident().entries[2].starred
    room.unreact(room.ben, message, "star")
    assert not room.incident().entries[2].starred
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]


def test_a_star_on_a_message_without_an_entry_makes_a_note_of_it_that_goes_with_the_star(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "star")
    assert (room.entries(), room.incident().entries[2].starred) == ([(2, Kind.NOTE, "halved the pool")], True)
    room.unreact(room.ada, message, "star")
    assert room.entries() == []


def test_a_note_that_is_starred_and_pinned_stays_when_one_of_both_goes(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "star")
    room.react(room.ada, message, "pushpin")
    room.unreact(room.ada, message, "star")
    assert (room.entries(), room.incident().entries[2].starred) == ([(2, Kind.NOTE, "halved the pool")], False)
    room.unreact(room.ada, message, "pushpin")
    assert room.entries() == []


# ---- pins ----------------------------------------------------------------------------------------


def test_a_pin_is_a_note_whoever_takes_it_away(room: Room) -> None:
    message = room.says(room.ben, "the runbook is in the wiki")
    room.ws.pin(room.ada, room.channel, message)
    room.pump()
    assert room.entries() == [(2, Kind.NOTE, "the runbook is in the wiki")]
    room.ws.unpin(room.ben, room.channel, message)
    room.pump()
    assert room.entries() == []


def test_a_message_that_is_pinned_and_marked_is_one_note_until_both_are_gone(room: Room) -> None:
    message = room.says(room.ben, "the runbook is in the wiki")
    room.ws.pin(room.ada, room.channel, message)
    room.pump()
    room.react(room.ben, message, "pushpin")
    room.ws.unpin(room.ada, room.channel, message)
    room.pump()
    assert room.entries() == [(2, Kind.NOTE, "the runbook is in the wiki")]
    room.unreact(room.ben, message, "pushpin")
    assert room.entries() == []


def test_what_scribe_itself_says_and_pins_is_never_recorded(room: Room) -> None:
    assert room.ws.pins(room.channel)  # its board
    for message in list(room.ws.messages(room.channel)):
        room.react(room.ada, message, "pushpin")
        room.react(room.ada, message, "star")
    board = room.ws.pins(room.channel)[0]
    room.ws.unpin(room.ada, room.channel, board)
    room.ws.pin(room.ada, room.channel, board)
    room.pump()
    assert room.incident().last_entry == 1


# ---- whatever comes twice, late, swapped, or in between ----------------------------------------------


def test_an_event_that_comes_again_changes_nothing(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    room.unreact(room.ada, message, "mag_right")
    for envelope in room.envelopes("reaction_added") + room.envelopes("reaction_removed"):
        assert room.again(envelope).status == 200
    assert room.entries() == []
    assert room.incident().last_entry == 2


def test_a_reaction_whose_removal_comes_first_records_nothing(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    with undelivered(room) as events:
        room.ws.react(room.ada, room.channel, message, "mag_right")
        room.stage.clock.advance(timedelta(seconds=1))
        room.ws.unreact(room.ada, room.channel, message, "mag_right")
    for event in reversed(events):
        room.ws.event(event)
    room.pump()
    assert room.incident().last_entry == 1


def test_a_reaction_that_was_taken_back_and_made_again_counts_in_whatever_order_that_is_heard(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    with undelivered(room) as events:
        for act in (room.ws.react, room.ws.unreact, room.ws.react):
            act(room.ada, room.channel, message, "mag_right")
            room.stage.clock.advance(timedelta(seconds=1))
    for event in (events[2], events[0], events[1]):
        room.ws.event(event)
        room.pump()
    assert [kind for _, kind, _ in room.entries()] == [Kind.ACTION]


class undelivered:
    """What happens inside is not heard of: the events are kept, to be delivered by hand."""

    def __init__(self, room: Room) -> None:
        self.room, self.events = room, []

    def __enter__(self) -> list[dict[str, Any]]:
        self.door = self.room.ws.door

        def keep(path: str, body: bytes, headers: Any) -> DoorReply:
            self.events.append(json.loads(body)["event"])
            return DoorReply(200)

        self.room.ws.attach(keep)
        return self.events

    def __exit__(self, *_: object) -> None:
        self.room.ws.attach(self.door)


def test_a_restart_between_the_reaction_and_the_reading_loses_nothing(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right", pump=False)
    assert room.incident().last_entry == 1
    room.stage.restart()
    room.pump()
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]


def test_while_slack_asks_to_wait_nobody_asks_again_and_nothing_is_lost(room: Room) -> None:
    messages = [room.says(room.ben, f"step {n}") for n in range(4)]
    room.ws.fail("conversations.history", status=429, retry_after=30)
    before = len(room.ws.calls)
    for message in messages:
        room.react(room.ada, message, "mag_right", pump=False)
    room.pump()
    assert room.calls(before) == {"conversations.history": 1}
    assert room.incident().last_entry == 1
    room.later(60)
    assert sorted(text for _, _, text in room.entries()) == [f"step {n}" for n in range(4)]
    assert room.calls(before)["conversations.history"] == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reaction", 7),
        ("user", 7),
        ("item", {"type": "message"}),
        ("item", {"type": "message", "channel": "C1", "ts": "yesterday"}),
        ("item", {"type": "message", "channel": ["C1"], "ts": "1700000000.000100"}),
        ("event_ts", "soon"),
    ],
)
def test_an_event_of_another_shape_is_no_fault(room: Room, name: str, value: Any) -> None:
    message = room.says(room.ben, "halved the pool")
    with undelivered(room) as events:
        room.ws.react(room.ada, room.channel, message, "mag_right")
    assert room.ws.event({**events[0], name: value}).status == 400
    room.pump()
    assert room.incident().last_entry == 1


# ---- edits and deletions -------------------------------------------------------------------------


def test_an_edit_follows_as_a_correction(room: Room) -> None:
    message = room.says(room.ben, "halved the pol")
    room.react(room.ada, message, "mag_right")
    room.ws.edit_message(room.ben, room.channel, message, "halved the pool")
    room.pump()
    entry = room.incident().entries[2]
    assert (entry.text, entry.event.text) == ("halved the pool", "halved the pol")
    with room.stage.app.store.reading() as tx:
        assert tx.people([entry.history[-1].by])[entry.history[-1].by].name == "Ben"
    assert "edit" not in "".join(room.whispers(room.ben))


def test_edits_follow_one_after_another_and_come_again_without_effect(room: Room) -> None:
    message = room.says(room.ben, "one")
    room.react(room.ada, message, "pushpin")
    for text in ("two", "three", "three"):
        room.ws.edit_message(room.ben, room.channel, message, text)
        room.pump()
    for envelope in room.envelopes("message"):
        room.again(envelope)
    entry = room.incident().entries[2]
    assert (entry.text, len(entry.history)) == ("three", 2)


def test_words_that_a_person_put_into_the_record_win_over_a_later_edit(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    room.type(room.ada, "edit 2 Ben halved the pool of orders-db")
    room.ws.edit_message(room.ben, room.channel, message, "halved it")
    room.pump()
    assert room.entries() == [(2, Kind.ACTION, "Ben halved the pool of orders-db")]


def test_an_edit_that_somebody_took_back_in_the_record_stays_so(room: Room) -> None:
    message = room.says(room.ben, "one")
    room.react(room.ada, message, "pushpin")
    room.ws.edit_message(room.ben, room.channel, message, "two")
    room.pump()
    room.type(room.ben, "undo")
    room.ws.edit_message(room.ben, room.channel, message, "three")
    room.pump()
    assert room.entries() == [(2, Kind.NOTE, "one")]


def test_an_edit_before_the_message_is_read_is_what_is_recorded(room: Room) -> None:
    message = room.says(room.ben, "halved the pol")
    room.react(room.ada, message, "mag_right", pump=False)
    room.ws.edit_message(room.ben, room.channel, message, "halved the pool")
    room.pump()
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]
    assert room.incident().entries[2].history == []


def test_a_message_that_is_deleted_leaves_the_record_and_says_why(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    before = len(room.ws.calls)
    room.ws.delete_message(room.ben, room.channel, message)
    room.pump()
    entry = room.incident().entries[2]
    assert (room.entries(), entry.why_withdrawn) == ([], "the message was deleted")
    assert room.calls(before) == {}


def test_a_message_with_replies_that_is_deleted_leaves_a_tombstone_and_no_entry(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.says(room.ada, "and?", message)
    room.react(room.ada, message, "mag_right")
    previous = room.ws.message_json(message)
    message.text, message.subtype = "This message was deleted.", "tombstone"
    now = f"{room.stage.clock().timestamp():.6f}"
    event = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": room.channel.id, "ts": now}
    room.ws.event(event | {"event_ts": now, "message": room.ws.message_json(message), "previous_message": previous})
    room.pump()
    assert room.entries() == []


def test_a_message_that_is_deleted_before_it_is_read_is_told_once_to_who_marked_it(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right", pump=False)
    room.react(room.ada, message, "bulb", pump=False)
    room.ws.delete_message(room.ben, room.channel, message)
    room.pump()
    assert room.incident().last_entry == 1
    assert len([one for one in room.whispers(room.ada) if "could not be read" in one]) == 1


def test_what_slack_adds_to_a_message_is_no_edit(room: Room) -> None:
    """It unfolds links, and says so with the event of an edit."""
    message = room.says(room.ben, "see https://graphs.example.org/1")
    room.react(room.ada, message, "pushpin")
    before = len(room.ws.calls)
    said = room.ws.message_json(message)
    now = f"{room.stage.clock().timestamp():.6f}"
    event = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": room.channel.id, "ts": now}
    unfolded = said | {"attachments": [{"title": "Graph", "text": "errors"}]}
    room.ws.event(event | {"event_ts": now, "message": unfolded, "previous_message": said})
    room.pump()
    assert room.calls(before) == {}
    assert room.incident().entries[2].history == []


def test_a_redacted_text_does_not_come_back_from_its_message(room: Room) -> None:
    message = room.says(room.ben, "the password is hunter2")
    room.react(room.ada, message, "pushpin")
    asked = room.type(room.ada, "redact 2")
    room.ws.click(room.ada, asked, "Destroy the text")
    room.ws.edit_message(room.ben, room.channel, message, "the password is hunter3")
    room.pump()
    for sign in ("pushpin", "white_check_mark", "star"):
        room.react(room.ben, message, sign)
    room.ws.pin(room.ben, room.channel, message)
    room.pump()
    incident = room.incident()
    assert incident.entries[2].redacted
    assert "hunter" not in repr([one for one in incident.happened])
    assert "was destroyed, with entry 2" in room.whispers(room.ben)[-1]


def test_an_incident_whose_own_channel_became_private_is_not_told_where_it_was_opened(room: Room) -> None:
    room.type(room.ada, "resolve calm")
    room.type(room.ada, "start The vault is open in new channel")
    room.later(20)
    own = next(one for one in room.ws.channels.values() if one.name.startswith("inc-2"))
    corrected = room.says(room.ben, "the lock gave way")
    room.react(room.ada, corrected, "pushpin")
    room.type(room.ada, "edit 2 Mallory has the key", own)
    own.kind = "group"
    room.later(timedelta(days=1, minutes=1).total_seconds())
    room.type(room.ada, "note looked again", own)
    room.later(20)
    for message in (corrected, room.says(room.ben, "who has the key?")):
        assert room.ws.message_shortcut(room.ben, room.channel, message, shortcut.ADD_TO_TIMELINE).ok
        (shown,) = room.ws.views(room.ben)
        assert "INC-2" not in json.dumps(shown.blocks)
        assert "Mallory" not in json.dumps(shown.blocks)
        room.ws.close(room.ben)


# ---- what a message is ---------------------------------------------------------------------------


def test_names_are_read_for_mentions_and_asked_for_once(room: Room) -> None:
    message = room.says(room.ben, "@ada and @ben look at #payments")
    room.react(room.ada, message, "mag_right")
    assert room.entries() == [(2, Kind.ACTION, "@Ada and @Ben look at #payments")]
    before = len(room.ws.called("users.info"))
    room.react(room.ada, room.says(room.ada, "@ben looks"), "mag_right")
    assert len(room.ws.called("users.info")) == before


def posted(room: Room, **fields: Any) -> Message:
    """A message of a program, as its fields say."""
    message = room.ws.post(room.channel, user=None, text="", subtype="bot_message")
    real, json_of = room.ws.message_json, {"bot_id": "B0ALERTS", "username": "Pager", **fields}

    def shown(one: Message, *, metadata: bool = False) -> dict[str, Any]:
        return real(one, metadata=metadata) | (json_of if one is message else {})

    room.ws.message_json = shown  # type: ignore[method-assign]
    room.pump()
    return message


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"text": "ALERT 5xx &gt; 20%"}, "ALERT 5xx > 20%"),
        ({"attachments": [{"fallback": "ALERT", "title": "5xx", "text": "above 20%"}]}, "5xx\nabove 20%"),
        ({"attachments": [{"fallback": "ALERT 5xx"}]}, "ALERT 5xx"),
        (
            {
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "5xx <b>"}},
                    {"type": "section", "text": {"type": "mrkdwn", "text": "on *checkout*"}, "fields": [7, None]},
                    {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [
                        {"type": "text", "text": "x < y"}]}]},
                ]
            },
            "5xx <b>\non *checkout*\n```\nx < y\n```",
        ),
        ({"files": [{"id": "F1", "name": "graph.png", "mimetype": "image/png"}]}, "(image) graph.png"),
        ({"blocks": "x", "attachments": {"y": 1}, "files": 3}, "(no words)"),
    ],
)  # fmt: skip
def test_a_message_of_a_program_is_recorded_under_its_own_name(room: Room, fields: dict[str, Any], text: str) -> None:
    message = posted(room, **fields)
    room.react(room.ada, message, "rotating_light")
    entry = room.incident().entries[2]
    assert (entry.kind, entry.text) == (Kind.DETECTION, text)
    with room.stage.app.store.reading() as tx:
        assert tx.people([entry.by])[entry.by].name == "Pager"


def test_a_guest_of_another_company_is_recorded_under_their_name(stage: Stage) -> None:
    room = Room(stage, start=False, ext_shared=True)
    guest = room.ws.add_user("gina", display_name="Gina", tz="Asia/Tokyo", team="T0OTHER")
    room.ws.channels[room.channel.id].members.append(guest.id)
    room.type(room.ada, "start Checkout returns errors")
    message = room.says(guest, "our side is fine")
    room.react(room.ada, message, "pushpin")
    entry = room.incident().entries[2]
    assert entry.text == "our side is fine"
    with room.stage.app.store.reading() as tx:
        assert tx.people([entry.by])[entry.by].name == "Gina"
    other = room.says(room.ben, "ours is not")
    room.react(guest, other, "pushpin")
    assert room.entries()[-1] == (3, Kind.NOTE, "ours is not")


def test_a_notice_of_slacks_own_is_not_recorded_and_that_is_said(room: Room) -> None:
    message = posted(room, subtype="channel_topic", text="set the topic")
    room.react(room.ada, message, "pushpin")
    assert room.incident().last_entry == 1
    assert "notice of Slack's own" in room.whispers(room.ada)[-1]


@pytest.mark.parametrize("text", [*HOSTILE.values(), "x" * 40_000])
def test_whatever_is_written_is_recorded_as_it_is(room: Room, text: str) -> None:
    message = room.says(room.ben, "…")
    message.text = text
    room.react(room.ada, message, "pushpin")
    assert len(room.entries()) == 1
    assert not room.ws.undelivered


def test_a_message_is_recorded_whole_in_a_private_channel_too(stage: Stage) -> None:
    room = Room(stage, private=True)
    room.react(room.ada, room.says(room.ben, "halved the pool"), "mag_right")
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]


# ---- to which incident ---------------------------------------------------------------------------


def test_where_nothing_is_open_a_reaction_is_a_reaction(stage: Stage) -> None:
    room = Room(stage, start=False)
    message = room.says(room.ben, "lunch?")
    before = len(room.ws.calls)
    for sign in ("white_check_mark", "star", "eyes"):
        room.react(room.ada, message, sign)
    room.ws.pin(room.ada, room.channel, message)
    room.ws.edit_message(room.ben, room.channel, message, "lunch at one?")
    room.pump()
    assert room.ws.calls[before:] == []
    with room.stage.app.store.reading() as tx:
        assert tx.marks(room.ws.team, room.channel.id, message.ts) == []


def test_a_message_belongs_to_the_incident_that_was_on_when_it_was_written(room: Room) -> None:
    first = room.says(room.ben, "of the first")
    room.type(room.ada, "resolve it is over")
    room.later(60)
    between = room.says(room.ben, "between both")
    room.type(room.ada, "start Search is slow")
    second = room.says(room.ben, "of the second")
    for message in (first, between, second):
        room.react(room.ada, message, "pushpin")
    assert [text for _, kind, text in room.entries(1) if kind is Kind.NOTE] == ["of the first"]
    assert [text for _, _, text in room.entries(2)] == ["between both", "of the second"]


def test_after_the_end_what_is_said_counts_for_three_days_until_it_is_published(room: Room) -> None:
    room.type(room.ada, "resolve it is over")
    during = room.says(room.ben, "the pool was too small")
    room.react(room.ada, during, "pushpin")
    assert room.entries()[-1][2] == "the pool was too small"
    room.later(4 * 86400)
    late = room.says(room.ben, "lunch?")
    room.react(room.ada, late, "white_check_mark")
    assert room.entries()[-1][2] == "the pool was too small"
    room.type(room.ada, "publish")


def test_after_it_was_published_a_reaction_is_a_reaction(room: Room) -> None:
    room.type(room.ada, "resolve it is over")
    room.type(room.ada, "publish")
    room.react(room.ada, room.says(room.ben, "well done"), "white_check_mark")
    assert [kind for _, kind, _ in room.entries()] == [Kind.RESOLUTION]


def test_a_message_from_long_before_is_not_recorded_and_that_is_said(stage: Stage) -> None:
    room = Room(stage, start=False)
    old = room.says(room.ben, "from another time")
    near = room.says(room.ben, "deploy 4711 is out")
    room.later(20 * 86400)
    room.type(room.ada, "start Checkout returns errors")
    room.react(room.ada, near, "pushpin")
    assert room.incident().entries[2].at == capture.said_at(near.ts)
    room.later(15 * 86400)
    room.type(room.ada, "resolve over")
    room.type(room.ada, "publish")
    room.type(room.ada, "start Search is slow")
    room.react(room.ada, old, "pushpin")
    assert room.entries(2) == []
    told = room.whispers(room.ada)[-1]
    assert "long before INC-2" in told
    (line,) = re.findall(r"`/incident (.*) …`", told)
    room.type(room.ada, f"{line} from another time")
    (entry,) = [one for one in room.incident(2).entries.values() if one.kind is Kind.NOTE]
    assert entry.at == capture.said_at(old.ts).replace(second=0, microsecond=0)


def test_where_scribe_was_taken_out_what_was_marked_waits_until_it_is_back(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right", pump=False)
    room.ws.kick_bot(room.channel)
    room.pump()
    assert room.incident().last_entry == 1
    room.ws.invite_bot(room.channel, room.ada)
    room.pump()
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]


def test_who_marked_what_slack_refuses_is_told_once(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    room.ws.fail("conversations.history", error="missing_scope", times=2)
    room.react(room.ada, message, "mag_right")
    room.type(room.ada, "resend")
    assert len([one for one in room.whispers(room.ada) if "cannot be read now" in one]) == 1
    room.type(room.ada, "resend")
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]


# ---- what it costs -------------------------------------------------------------------------------


def test_a_captured_message_costs_two_calls_and_none_while_slack_waits(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    reply = room.says(room.ben, "errors are gone", message)
    before = len(room.ws.calls)
    room.react(room.ada, message, "mag_right", pump=False)
    room.react(room.ada, reply, "mag_right", pump=False)
    assert room.ws.calls[before:] == []
    room.pump()
    assert room.calls(before) == {
        "conversations.history": 2,
        "conversations.replies": 1,
        "chat.postEphemeral": 2,
    }
    before = len(room.ws.calls)
    room.react(room.ben, message, "mag")
    assert room.calls(before) == {}


def test_a_hundred_marked_messages_are_a_hundred_entries(room: Room) -> None:
    room.type(room.ada, "reminders off")
    messages = [room.ws.say(room.ben, room.channel, f"step {n}") for n in range(100)]
    before = len(room.ws.calls)
    for message in messages:
        room.ws.react(room.ada, room.channel, message, "mag_right")
    room.stage.pump()
    assert len(room.entries()) == 100
    assert room.calls(before)["conversations.history"] == 100


# ---- the shortcut --------------------------------------------------------------------------------


def form(room: Room, who: User, message: Message) -> dict[str, Any]:
    assert room.ws.message_shortcut(who, room.channel, message, shortcut.ADD_TO_TIMELINE).ok
    given = dict(room.ws.views(who)[-1].given)
    assert list(of_view(given)) == []
    return given


def field(view: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one["element"] for one in view["blocks"] if one.get("block_id") == name)


def test_the_shortcut_is_prefilled_with_kind_time_and_text_and_works_in_threads(room: Room) -> None:
    root = room.says(room.ada, "what now?")
    reply = room.says(room.ben, "rolled back deploy 4711", root)
    room.later(600)
    view = form(room, room.ada, reply)
    assert field(view, "kind")["initial_option"]["value"] == "mitigation"
    assert field(view, "when")["initial_date_time"] == int(capture.said_at(reply.ts).timestamp())
    assert field(view, "text")["initial_value"] == "rolled back deploy 4711"
    assert not room.ws.submit(room.ada).errors
    room.pump()
    entry = room.incident().entries[2]
    assert (entry.kind, entry.text, entry.at) == (Kind.MITIGATION, "rolled back deploy 4711", capture.said_at(reply.ts))
    assert any("#2" in one.text for one in room.ws.thread(room.channel, root.ts))


def test_the_shortcut_takes_another_time_but_none_that_is_to_come(room: Room) -> None:
    message = room.says(room.ben, "rolled back deploy 4711")
    now = int(room.stage.clock().timestamp())
    form(room, room.ada, message)
    wrong = room.ws.submit(room.ada, values={"when": now + 3600})
    assert list(wrong.errors) == ["when"]
    assert not room.ws.submit(room.ada, values={"when": now - 3600}).errors
    assert room.incident().entries[2].at == datetime.fromtimestamp(now - 3600, UTC)


def test_the_shortcut_on_a_recorded_message_shows_its_entry_and_corrects_it(room: Room) -> None:
    message = room.says(room.ben, "halved the pol")
    room.react(room.ada, message, "pushpin")
    view = form(room, room.ben, message)
    assert "INC-1*, entry 2" in view["blocks"][0]["elements"][0]["text"]
    assert not room.ws.submit(room.ben, values={"kind": "action", "text": "halved the pool"}).errors
    assert room.entries() == [(2, Kind.ACTION, "halved the pool")]
    form(room, room.ben, message)
    before = room.incident().seq
    assert not room.ws.submit(room.ben).errors
    assert room.incident().seq == before  # nothing was changed in the form


def test_the_shortcut_where_nothing_is_open_offers_what_is_open_elsewhere(stage: Stage) -> None:
    room = Room(stage, start=False)
    message = room.says(room.ben, "our checkout fails, too")
    assert "No incident is open" in form(room, room.ada, message)["blocks"][0]["text"]["text"]
    room.ws.close(room.ada)
    others = [room.ws.add_channel(name, members=[room.ada], bot_in=True) for name in ("search", "login")]
    for other in others:
        room.type(room.ada, f"start {other.name} is down", other)
    view = form(room, room.ada, message)
    assert [one["value"] for one in field(view, "number")["options"]] == ["2", "1"]
    assert not room.ws.submit(room.ada, values={"number": "1"}).errors
    assert room.entries(1) == [(2, Kind.NOTE, "our checkout fails, too")]


def test_a_message_that_is_longer_than_a_field_is_recorded_whole(room: Room) -> None:
    message = room.says(room.ben, "…")
    message.text = "line\n" * 2000 + "the end"
    view = form(room, room.ada, message)
    assert "initial_value" not in field(view, "text")
    assert not room.ws.submit(room.ada, values={"kind": "cause"}).errors
    room.pump()
    assert room.entries() == [(2, Kind.CAUSE, message.text)]
    form(room, room.ada, message)
    assert not room.ws.submit(room.ada, values={"kind": "trigger"}).errors
    assert room.entries() == [(2, Kind.TRIGGER, message.text)]
    form(room, room.ada, message)
    assert not room.ws.submit(room.ada, values={"text": "the end"}).errors
    assert room.entries() == [(2, Kind.TRIGGER, "the end")]


def test_taking_a_reaction_away_leaves_what_somebody_filled_into_a_form(room: Room) -> None:
    message = room.says(room.ben, "halved the pool")
    form(room, room.ada, message)
    room.ws.submit(room.ada, values={"kind": "action", "text": "Ben halved the pool of orders-db"})
    room.react(room.ben, message, "mag_right")
    room.unreact(room.ben, message, "mag_right")
    room.ws.edit_message(room.ben, room.channel, message, "halved it")
    room.pump()
    assert room.entries() == [(2, Kind.ACTION, "Ben halved the pool of orders-db")]


@pytest.mark.parametrize("text", HOSTILE.values())
def test_the_form_of_any_message_is_what_slack_takes(room: Room, text: str) -> None:
    message = room.says(room.ben, "…")
    message.text = text
    form(room, room.ada, message)


def test_the_form_offers_a_hundred_incidents_at_most_and_remembers_little(room: Room) -> None:
    with room.stage.app.store.reading() as tx:
        place = tx.by_number(room.ws.team, 1)
    assert place is not None
    files = tuple({"id": f"F{n:08}"} for n in range(12))
    said = capture.Said("x" * 3000, "B1/" + "p" * 60, "n" * 400, "1700000000.000100", files)
    view = shortcut.form("C1", "1700000000.000200", said, [place] * 120)
    assert list(of_view(view)) == []
    assert len(field(view, "number")["options"]) == 100


@pytest.mark.parametrize("what", ["gone", "notice", "old", "stays", "waits"])
def test_what_people_are_told_is_what_slack_takes(what: str) -> None:
    about = {"incident": "INC-1", "entry": 5, "at": "2026-01-01T00:00:00.000000Z", "reason": "<!channel> & " * 50}
    message = capture.told(what, about, "/incident")
    assert list(of_message(message, posted=True)) == []
    assert "<!channel>" not in message["text"]


# ---- mentions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chatter",
    ["thanks @scribe", "@scribe thanks!", "@ada, what does @scribe do?", "we could ask @scribe about it", "@scribe 👍"],
)
def test_who_only_speaks_of_scribe_is_not_answered(room: Room, chatter: str) -> None:
    told = len(room.whispers(room.ben))
    room.says(room.ben, chatter.replace("👍", ":+1:"))
    assert (len(room.whispers(room.ben)), room.incident().last_entry) == (told, 1)


# ---- the setting ---------------------------------------------------------------------------------


def test_the_table_of_reactions_is_a_setting(stage_with: Callable[..., Stage]) -> None:
    room = Room(stage_with(reactions=":eyes:=note, 🔧=did star=off pushpin=off"))
    message = room.says(room.ben, "halved the pool")
    for sign in ("pushpin", "star", "eyes", "wrench"):
        room.react(room.ada, message, sign)
    assert [kind for _, kind, _ in room.entries()] == [Kind.NOTE, Kind.ACTION]


def test_reactions_and_pins_can_be_turned_off(stage_with: Callable[..., Stage]) -> None:
    room = Room(stage_with(reactions="off"))
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    room.ws.pin(room.ada, room.channel, message)
    room.pump()
    assert room.incident().last_entry == 1


def test_every_reaction_makes_an_entry_of_a_kind_that_there_is() -> None:
    assert set(REACTIONS.values()) | set(MADE_BY_REACTIONS.values()) <= {kind.value for kind in Kind} | {"key"}
    assert reaction_kinds("on") == (REACTIONS, [])
    assert reaction_kinds("off") == ({}, [])


@pytest.mark.parametrize("value", ["yes", "eyes", "eyes=", "=note", "eyes=resolution", "ey(es=note"])
def test_a_wrong_table_of_reactions_is_named(value: str) -> None:
    assert reaction_kinds(value)[1]


# ---- an older record -----------------------------------------------------------------------------


def test_what_was_captured_before_this_table_was_there_is_known(room: Room, tmp_path: Path) -> None:
    message = room.says(room.ben, "halved the pool")
    room.react(room.ada, message, "mag_right")
    path = room.stage.settings.database
    secret = SIGNING_SECRET.encode()
    with closing(Store(path, migrations=MIGRATIONS, secret=secret, randomness=lambda n: b"0" * n)) as store:
        with store.writing() as tx:
            tx._run("DELETE FROM captured")
            script = (MIGRATIONS / "m0004_at_home.py").read_text()
            fill = (
                script[script.index("INSERT INTO captured") : script.index("entry IS NOT NULL;")] + "entry IS NOT NULL"
            )
            tx._run(fill)
        with store.reading() as tx:
            (found,) = tx.captured(room.ws.team, room.channel.id, message.ts)
    assert (found.entry, found.marked, found.followed) == (2, False, 0)
