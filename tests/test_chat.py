"""Stories of what is said in a channel: kept for some days or read from Slack, offered as entries, accepted or not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.models.views import View as SlackView

from bot import chat
from bot.core import suggest
from bot.core.answers import Suggested, Suggestions
from bot.core.events import Kind
from bot.core.incident import Entry, Incident, fold
from bot.core.record import Place
from bot.press import Press
from bot.slack import suggestions as wording
from bot.workspace import Answer, Channel, Message, User, View
from bot.workspace.stage import Stage
from tests.test_blocks import of_blocks, of_message

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
HOSTILE = "<!channel> *x* `y` &lt; </script> 🔥 \n\n> " + "é" * 4000

TALK = (
    "Restarted the payment pods",
    "lunch anyone?",
    "I rolled back the payment service to 4.2.1",
    "thanks!",
    "Could it be the new certificate?",
    "Failed over the orders database to its replica",
)


THINGS = (
    *("proxy", "cache", "queue", "worker", "broker", "gateway", "cron", "scheduler", "indexer", "mailer"),
    *("replica", "primary", "router", "firewall", "balancer", "registry", "vault", "exporter", "collector", "sidecar"),
)
PLACES = (
    *("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"),
    *("india", "juliet", "kilo", "lima", "mike", "november", "oscar"),
)


class Cast:
    """Two people, a channel, and what they say there."""

    def __init__(self, stage: Stage, **channel: Any) -> None:
        self.stage = stage
        ws = stage.workspace
        self.ada = ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.dana = ws.add_user("dana", display_name="Dana", tz="Europe/Berlin")
        self.channel = ws.add_channel("payments", members=[self.ada, self.dana], **channel)

    def type(self, who: User, line: str, channel: Channel | None = None) -> Answer:
        answer = self.stage.workspace.command(who, channel or self.channel, line)
        assert answer.ok, answer.failure
        self.stage.pump()
        return answer

    def say(self, who: User, text: str, thread: Message | None = None, channel: Channel | None = None) -> Message:
        self.stage.clock.advance(timedelta(minutes=1))
        return self.stage.workspace.say(who, channel or self.channel, text, thread)

    def talk(self) -> list[Message]:
        return [self.say((self.ada, self.dana)[number % 2], text) for number, text in enumerate(TALK)]

    def later(self, **time: float) -> None:
        until = self.stage.clock() + timedelta(**time)
        while (due := self.stage.app.outbox.next_due()) is not None and due <= until:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(until)

    def form(self, who: User) -> View:
        """The form that somebody sees."""
        view = self.stage.workspace.modals[who.id][-1]
        assert list(of_form(view.given)) == []
        return view

    def tap(self, who: User, label: str, row: int = 0, kinds: dict[str, str] | None = None) -> None:
        """Taps a button of the form, the one beside suggestion number `row` (0: the first of that name)."""
        view = self.form(who)
        rows = [block["elements"] for block in view.given["blocks"] if block["type"] == "actions"]
        found = [one for row in rows for one in row if one["type"] == "button" and one["text"]["text"] == label]
        self.stage.workspace.click(who, view, found[row]["action_id"], values=kinds)
        self.stage.pump()

    def incident(self, number: int = 1) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.by_number(self.stage.workspace.team, number)
            assert place is not None
            return fold(tx.events(place.key), place.number)

    def entries(self) -> list[Entry]:
        """What was captured."""
        return [one for one in self.incident().entries.values() if one.event.said_in]

    def recorded(self) -> list[str]:
        """The texts of what was captured."""
        return [one.text for one in self.entries()]

    def calls(self, *methods: str) -> list[str]:
        return [one.method for one in self.stage.workspace.calls if not methods or one.method in methods]

    def whispers(self, who: User) -> list[str]:
        return [one.text for one in self.channel.ephemerals if one.only_for == who.id]

    def rows(self) -> list[tuple[str, str]]:
        """Author and text of all that is kept."""
        with sqlite3.connect(self.stage.settings.database) as db:
            return db.execute("SELECT author, text FROM messages ORDER BY ts").fetchall()


def of_form(view: dict[str, Any]) -> Any:
    """What is wrong with a form."""
    if (kept := SlackView(**view).to_dict()) != view:
        yield f"slack_sdk makes something else of it: {kept}"
    if len(view["private_metadata"]) > 3000 or len(json.dumps(view)) > 250_000:
        yield "too large"
    yield from of_blocks(view["blocks"], 100)


def shown(view: View) -> list[str]:
    """What the form shows of each message: the words after its author."""
    sections = [block["text"]["text"] for block in view.given["blocks"] if block["type"] == "section"][1:]
    return [text.partition(": ")[2] for text in sections]


def head(view: View) -> str:
    return str(view.given["blocks"][0]["text"]["text"])


@pytest.fixture
def cast(stage_with: Callable[..., Stage]) -> Cast:
    return Cast(stage_with(TUESDAY, keep_chat_days=7))


@pytest.fixture
def forgetful(stage_with: Callable[..., Stage]) -> Cast:
    """Where no message is kept."""
    return Cast(stage_with(TUESDAY))


def test_start_says_that_messages_are_kept_and_says_nothing_where_they_are_not(cast: Cast, forgetful: Cast) -> None:
    said = "Messages are kept for 7 days to suggest entries from"
    answer = cast.type(cast.ada, "start sev1 Checkout returns errors")
    assert said in answer.text
    assert len(answer.text.splitlines()) == 2
    assert "kept" not in forgetful.type(forgetful.ada, "start sev1 Checkout returns errors").text


def test_what_was_said_is_offered_and_taken_one_by_one_and_together(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.type(cast.dana, "suggest")
    view = cast.form(cast.dana)
    assert shown(view) == [TALK[0], TALK[2], TALK[4], TALK[5]]
    cast.tap(cast.dana, "Add", row=1)
    assert cast.recorded() == [TALK[2]]
    assert shown(cast.form(cast.dana)) == [TALK[0], TALK[4], TALK[5]]


# ---- taking --------------------------------------------------------------------------------------


def test_what_is_taken_has_the_words_the_author_and_the_time_of_the_message(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    said = cast.say(cast.dana, "Restarted the payment pods 2 minutes ago, @ada & me")
    cast.type(cast.ada, "suggest")
    cast.tap(cast.ada, "Add")
    (entry,) = cast.entries()
    assert entry.text == "Restarted the payment pods 2 minutes ago, @Ada & me"
    assert entry.event.said_in == f"{cast.channel.id}/{said.ts}"
    assert entry.at == wording.at(said.ts) - timedelta(minutes=2)
    with cast.stage.app.store.reading() as tx:
        author = tx.person(cast.stage.workspace.team, cast.dana.id)
        by = tx.person(cast.stage.workspace.team, cast.ada.id)
    assert author is not None
    assert by is not None
    assert (entry.event.author, entry.event.by) == (author.key, by.key)


def test_a_message_is_recorded_as_the_kind_that_is_chosen_beside_it(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, *_ = cast.talk()
    cast.type(cast.dana, "suggest")
    cast.tap(cast.dana, "Add", kinds={f"{cast.channel.id}/{first.ts}": "decision"})
    assert [(one.kind, one.text) for one in cast.entries()] == [(Kind.DECISION, TALK[0])]


def test_the_forms_own_button_records_all_that_it_shows_with_their_kinds(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, *_ = cast.talk()
    cast.type(cast.dana, "suggest")
    view = cast.form(cast.dana)
    assert view.given["submit"]["text"] == "Add these 4"
    cast.stage.workspace.submit(cast.dana, view, {f"{cast.channel.id}/{first.ts}": "decision"})
    assert "Adding" in head(cast.form(cast.dana))
    cast.stage.pump()
    assert cast.recorded() == [TALK[0], TALK[2], TALK[4], TALK[5]]
    assert cast.entries()[0].kind is Kind.DECISION
    assert "4 entries added: #2 to #5." in head(cast.form(cast.dana))
    assert shown(cast.form(cast.dana)) == []


def test_what_one_dismissed_is_suggested_to_nobody_again(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.type(cast.dana, "suggest")
    cast.tap(cast.dana, "Not this")
    assert shown(cast.form(cast.dana)) == [TALK[2], TALK[4], TALK[5]]
    cast.stage.restart()
    cast.type(cast.ada, "suggest")
    assert shown(cast.form(cast.ada)) == [TALK[2], TALK[4], TALK[5]]
    cast.tap(cast.ada, "None of these 3")
    assert shown(cast.form(cast.ada)) == []
    assert cast.recorded() == []


def test_two_who_accept_the_same_make_one_entry(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.say(cast.ada, TALK[5])
    cast.type(cast.ada, "suggest")
    cast.type(cast.dana, "suggest")
    cast.tap(cast.ada, "Add")
    cast.tap(cast.dana, "Add")
    assert cast.recorded() == [TALK[5]]
    assert "1 message not added: That message is recorded already, as entry 2." in head(cast.form(cast.dana))


def test_what_was_undone_is_suggested_again_and_what_was_removed_is_not(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.say(cast.ada, TALK[2])
    cast.say(cast.dana, TALK[5])
    cast.type(cast.ada, "suggest")
    cast.stage.workspace.submit(cast.ada)
    cast.stage.pump()
    cast.type(cast.ada, "undo")
    cast.type(cast.ada, "remove 2 not ours")
    cast.type(cast.ada, "suggest")
    assert shown(cast.form(cast.ada)) == [TALK[5]]


def test_nothing_is_posted_in_the_channel_by_itself(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.stage.pump()
    before = [one.ts for one in cast.stage.workspace.messages(cast.channel)]
    cast.type(cast.dana, "suggest")
    cast.stage.workspace.submit(cast.dana)
    cast.stage.pump()
    assert [one.ts for one in cast.stage.workspace.messages(cast.channel)] == before


def test_a_tap_is_done_once_when_scribe_is_stopped_before_and_in_the_middle(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.type(cast.dana, "suggest")
    cast.stage.workspace.submit(cast.dana)
    cast.stage.restart()
    cast.stage.workspace.fail("views.update", error="internal_error")
    cast.stage.pump()
    cast.later(minutes=1)
    assert len(cast.recorded()) == 4
    assert "4 entries added: #2 to #5." in head(cast.form(cast.dana))


def test_three_hundred_suggestions_come_in_pages_and_can_be_taken_at_once(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    for number in range(300):
        cast.say((cast.ada, cast.dana)[number % 2], f"Restarted the {THINGS[number % 20]} {PLACES[number // 20]}")
    cast.type(cast.dana, "suggest")
    view = cast.form(cast.dana)
    assert "300 of 300 messages look like entries, 1 to 10 here." in head(view)
    cast.tap(cast.dana, "More")
    assert "11 to 20 here" in head(cast.form(cast.dana))
    assert shown(cast.form(cast.dana))[0] == f"Restarted the {THINGS[10]} {PLACES[0]}"
    cast.tap(cast.dana, "Back")
    assert "1 to 10 here" in head(cast.form(cast.dana))
    cast.tap(cast.dana, "Add all 300")
    assert len(cast.recorded()) == 300
    assert "300 entries added" in head(cast.form(cast.dana))


# ---- keeping -------------------------------------------------------------------------------------


def test_messages_are_kept_while_an_incident_is_open_and_at_no_other_time(cast: Cast) -> None:
    cast.say(cast.ada, "before")
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.say(cast.ada, "while it is open")
    cast.say(
        cast.dana, "elsewhere", channel=cast.stage.workspace.add_channel("other", members=[cast.dana], bot_in=True)
    )
    cast.type(cast.ada, "resolve all is well")
    cast.say(cast.ada, "after")
    assert [text for _, text in cast.rows()] == ["while it is open"]


def test_direct_messages_and_what_is_said_to_or_by_scribe_are_not_kept(cast: Cast) -> None:
    ws = cast.stage.workspace
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    direct = ws.channels[ws.call("conversations.open", {"users": cast.ada.id}, ws.bot_token).body["channel"]["id"]]
    cast.type(cast.ada, "start sev1 A direct one", direct)
    cast.say(cast.ada, "to myself", channel=direct)
    cast.say(cast.ada, "@scribe note hello")
    cast.stage.pump()
    cast.later(hours=1)  # reminders
    assert cast.incident().entries[2].text == "hello"
    assert cast.rows() == []


def test_in_a_channel_that_is_shared_with_another_company_nothing_is_kept(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(TUESDAY, keep_chat_days=7), ext_shared=True)
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    assert cast.rows() == []
    cast.type(cast.ada, "suggest")
    assert shown(cast.form(cast.ada)) == [TALK[0], TALK[2], TALK[4], TALK[5]]


def test_nothing_is_kept_without_the_setting(forgetful: Cast) -> None:
    forgetful.type(forgetful.ada, "start sev1 Checkout returns errors")
    forgetful.talk()
    assert forgetful.rows() == []


def test_an_edit_and_a_deletion_are_followed(cast: Cast) -> None:
    ws = cast.stage.workspace
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, second = cast.say(cast.ada, "Restarted the pots"), cast.say(cast.ada, TALK[2])
    ws.edit_message(cast.ada, cast.channel, first, "Restarted the pods")
    ws.delete_message(cast.ada, cast.channel, second)
    assert cast.rows() == [(cast.ada.id, "Restarted the pods"), ("", "")]
    cast.type(cast.ada, "suggest")
    assert shown(cast.form(cast.ada)) == ["Restarted the pods"]


def test_events_that_come_again_late_and_swapped_leave_the_same(cast: Cast) -> None:
    ws = cast.stage.workspace
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, second = cast.say(cast.ada, "one"), cast.say(cast.ada, "two")
    for words in ("one, edited", "one, edited twice"):
        cast.stage.clock.advance(timedelta(seconds=5))
        ws.edit_message(cast.ada, cast.channel, first, words)
    ws.delete_message(cast.ada, cast.channel, second)
    heard = [one for one in ws.requests if one.kind == "event" and b'"type": "message"' in one.body]
    assert len(heard) >= 5
    kept = cast.rows()
    for request in [*heard, *reversed(heard)]:
        ws.redeliver(request)
    assert cast.rows() == kept == [(cast.ada.id, "one, edited twice"), ("", "")]
    with sqlite3.connect(cast.stage.settings.database) as db:
        db.execute("DELETE FROM messages")
    for request in reversed(heard):
        ws.redeliver(request)
    assert cast.rows() == kept


def test_messages_are_gone_after_their_days_from_the_file_as_well(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.say(cast.ada, "The zebra crossed the finishing line")
    cast.later(days=6, hours=23)
    assert len(cast.rows()) == 1
    cast.stage.restart()
    cast.later(hours=8)
    assert cast.rows() == []
    database = cast.stage.settings.database
    for path in database.parent.glob(f"{database.name}*"):
        assert b"zebra" not in path.read_bytes()
    cast.say(cast.ada, "and on it goes")
    cast.later(days=8)
    assert cast.rows() == []


def test_what_was_kept_goes_when_the_setting_is_turned_off(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    assert len(cast.rows()) == len(TALK)
    cast.stage.settings = replace(cast.stage.settings, keep_chat_days=0)
    cast.stage.restart()
    cast.stage.app.learn()
    assert cast.rows() == []


def test_to_redact_an_entry_destroys_the_message_that_was_kept(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.say(cast.ada, "Restarted the payment pods with password zebra99")
    cast.type(cast.ada, "suggest")
    cast.tap(cast.ada, "Add")
    asked = cast.type(cast.ada, "redact 2")
    cast.stage.workspace.click(cast.ada, asked, asked.blocks[-1]["elements"][0]["action_id"])
    cast.stage.pump()
    assert cast.rows() == [("", "")]
    cast.type(cast.ada, "suggest")
    assert shown(cast.form(cast.ada)) == []
    database = cast.stage.settings.database
    for path in database.parent.glob(f"{database.name}*"):
        assert b"zebra99" not in path.read_bytes()


def test_a_message_that_is_kept_costs_no_call_to_slack(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    before = len(cast.calls())
    cast.talk()
    assert len(cast.rows()) == len(TALK)
    assert cast.calls()[before:] == []


@pytest.mark.parametrize(
    "message",
    [
        {"channel_type": {}},
        {"channel_type": [{}]},
        {"channel": None},
        {"channel": 7},
        {"subtype": "message_deleted"},
        {"subtype": "message_deleted", "deleted_ts": []},
        {"subtype": "message_changed", "message": "x"},
        {"subtype": "message_changed", "message": {"subtype": "tombstone"}},
        {"subtype": ["x"]},
        {"text": {"a": 1}},
        {"ts": "x", "text": "y"},
        {"attachments": {"a": 1}, "text": ""},
        {"edited": "x", "files": 3, "bot_profile": []},
    ],
)
def test_an_event_of_another_shape_is_refused_and_never_a_defect(cast: Cast, message: dict[str, Any]) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    event = {"type": "message", "channel_type": "channel", "channel": cast.channel.id, "user": cast.ada.id, "text": "a"}
    reply = cast.stage.workspace.event({**event, "ts": "1795000000.000100", **message})
    assert reply.status in (200, 400)


# ---- what is not kept is read from Slack ---------------------------------------------------------


def test_without_keeping_messages_are_read_when_asked_with_those_of_threads(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, *_ = cast.talk()
    cast.say(cast.dana, "Blocked the address range at the firewall", first)
    cast.stage.pump()
    before = len(cast.calls())
    cast.type(cast.dana, "suggest")
    assert cast.calls()[before:] == [
        "views.open",
        "conversations.history",
        "conversations.replies",
        *["users.info"] * cast.calls()[before:].count("users.info"),
        "views.update",
    ]
    assert shown(cast.form(cast.dana)) == [TALK[0], *TALK[2:6:2], TALK[5], "Blocked the address range at the firewall"]
    cast.tap(cast.dana, "Add", row=4)
    assert cast.recorded() == ["Blocked the address range at the firewall"]
    assert cast.rows() == []
    assert "no message is kept" in json.dumps(cast.form(cast.dana).given)


def test_what_was_said_since_the_last_look_is_read_in_addition(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.type(cast.dana, "suggest")
    cast.say(cast.ada, "Blocked the address range at the firewall")
    cast.type(cast.dana, "suggest")
    assert shown(cast.form(cast.dana))[-1] == "Blocked the address range at the firewall"


def test_a_message_that_was_deleted_before_it_was_taken_is_not_recorded(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    said = cast.say(cast.ada, TALK[2])
    cast.say(cast.ada, TALK[5])
    cast.type(cast.dana, "suggest")
    cast.later(minutes=20)
    cast.stage.workspace.delete_message(cast.ada, cast.channel, said)
    cast.tap(cast.dana, "Add")
    assert cast.recorded() == []
    assert "1 message not added: the message is gone." in head(cast.form(cast.dana))


def test_what_was_read_follows_edits_and_deletions(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, second = cast.say(cast.ada, "Restarted the payment pots"), cast.say(cast.ada, TALK[2])
    cast.type(cast.dana, "suggest")
    cast.stage.workspace.edit_message(cast.ada, cast.channel, first, "Restarted the payment pods")
    cast.stage.workspace.delete_message(cast.ada, cast.channel, second)
    cast.stage.workspace.submit(cast.dana)
    cast.stage.pump()
    assert cast.recorded() == ["Restarted the payment pods"]
    assert "1 message not added: the message is gone." in head(cast.form(cast.dana))


def test_replies_to_earlier_messages_are_found_at_the_next_look(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, *_ = cast.talk()
    cast.type(cast.dana, "suggest")
    cast.say(cast.ada, "Blocked the address range at the firewall", first)
    cast.type(cast.dana, "suggest")
    assert shown(cast.form(cast.dana))[-1] == "Blocked the address range at the firewall"


def test_after_a_restart_what_was_read_is_read_again(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.type(cast.dana, "suggest")
    cast.stage.restart()
    cast.tap(cast.dana, "Add", row=1)
    assert cast.recorded() == [TALK[2]]


def test_where_slack_lets_us_read_slowly_it_is_said_and_comes_later(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.stage.workspace.fail("conversations.history", retry_after=60, times=2)
    cast.type(cast.dana, "suggest")
    assert "Slack lets Scribe read only slowly." in head(cast.form(cast.dana))
    cast.stage.workspace.close(cast.dana)
    cast.later(minutes=3)
    assert [text for text in cast.whispers(cast.dana) if "look like entries" in text] == [
        "🧭 *INC-1*: 4 messages look like entries of its timeline. Nothing is recorded before you add it."
    ]
    message = next(one for one in cast.channel.ephemerals if "look like entries" in one.text)
    assert list(of_message({"text": message.text, "blocks": message.blocks}, posted=True)) == []
    cast.stage.workspace.click(cast.dana, message, "Look at them")
    cast.stage.pump()
    assert len(shown(cast.form(cast.dana))) == 4


def test_a_form_that_is_still_open_is_filled_when_slack_lets_us_read_again(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.stage.workspace.fail("conversations.history", retry_after=60)
    cast.type(cast.dana, "suggest")
    cast.later(minutes=3)
    assert len(shown(cast.form(cast.dana))) == 4
    assert not any("look like entries" in text for text in cast.whispers(cast.dana))


@pytest.mark.parametrize("error", ["missing_scope", "not_in_channel", "channel_not_found", "internal_error"])
def test_where_slack_says_no_the_form_says_why(forgetful: Cast, error: str) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.stage.workspace.fail("conversations.history", error=error, times=99)
    cast.type(cast.dana, "suggest")
    cast.later(minutes=10)
    words = {
        "missing_scope": "The Slack app lacks",
        "not_in_channel": "Scribe is not in the channel.",
        "channel_not_found": "Scribe cannot see the channel",
        "internal_error": "Slack could not be asked for what was said before.",
    }
    assert words[error] in head(cast.form(cast.dana))


def test_an_archived_channel_is_read(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.stage.workspace.archive(cast.channel)
    other = cast.stage.workspace.add_channel("other", members=[cast.ada], bot_in=True)
    cast.type(cast.ada, "suggest INC-1:", other)
    assert len(shown(cast.form(cast.ada))) == 4


def test_of_very_many_messages_the_newest_are_looked_through(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    ws = cast.stage.workspace
    for number in range(2400):
        ws.post(cast.channel, user=cast.ada.id, text=f"chit chat number {number}, nothing else")
    ws.post(cast.channel, user=cast.ada.id, text=TALK[2])
    before = len(cast.calls("conversations.history"))
    cast.type(cast.dana, "suggest")
    assert len(cast.calls("conversations.history")) - before <= 11
    assert shown(cast.form(cast.dana))[-1] == TALK[2]
    assert f"Only the newest {chat.MOST_MESSAGES:,} messages are looked through." in head(cast.form(cast.dana))


# ---- at the start --------------------------------------------------------------------------------


def test_who_opens_an_incident_late_is_offered_what_was_said_before(cast: Cast) -> None:
    cast.talk()
    cast.type(cast.ada, "start sev1 Checkout returns errors since 5 minutes ago")
    cast.later(minutes=1)
    (offered,) = [one for one in cast.channel.ephemerals if "look like entries" in one.text]
    assert offered.only_for == cast.ada.id
    assert list(of_message({"text": offered.text, "blocks": offered.blocks}, posted=True)) == []
    cast.stage.workspace.click(cast.ada, offered, "Look at them")
    cast.stage.pump()
    assert shown(cast.form(cast.ada)) == [TALK[0], TALK[2], TALK[4], TALK[5]]


def test_nothing_is_offered_where_nothing_looks_like_it_or_it_was_opened_at_once(cast: Cast) -> None:
    cast.say(cast.ada, "lunch anyone?")
    cast.type(cast.ada, "start sev1 Checkout returns errors since 5 minutes ago")
    other = cast.stage.workspace.add_channel("other", members=[cast.ada])
    cast.say(cast.ada, TALK[2], channel=other)
    cast.type(cast.ada, "start sev1 Search is slow", other)
    cast.later(minutes=1)
    assert not [one for one in (*cast.channel.ephemerals, *other.ephemerals) if "look" in one.text]


def test_where_scribe_is_not_in_the_channel_nothing_is_offered_and_nothing_waits(
    stage_with: Callable[..., Stage],
) -> None:
    cast = Cast(stage_with(TUESDAY, keep_chat_days=7), private=True)
    cast.talk()
    cast.type(cast.ada, "start sev1 Checkout returns errors since 5 minutes ago")
    cast.later(hours=1)
    with cast.stage.app.store.reading() as tx:
        assert [one for one, _ in tx.letters("waiting") if one.kind == chat.LOOK] == []
        assert [one for one, _ in tx.letters("parked") if one.kind != "arrive"] == []
    assert cast.whispers(cast.ada) == []


def test_earlier_messages_are_read_in_addition_to_those_that_are_kept(cast: Cast) -> None:
    cast.say(cast.ada, TALK[2])
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.say(cast.ada, TALK[5])
    cast.type(cast.ada, "suggest")
    assert shown(cast.form(cast.ada)) == [TALK[2], TALK[5]]
    assert [text for _, text in cast.rows()] == [TALK[5]]


def test_long_after_the_end_what_is_said_is_about_something_else(cast: Cast, forgetful: Cast) -> None:
    for one in (cast, forgetful):
        one.type(one.ada, "start sev1 Checkout returns errors")
        one.say(one.ada, TALK[2])
        one.type(one.ada, "resolve all is well")
        one.later(minutes=30)
        one.say(one.ada, "The fix was to raise the timeout of the gateway to 30 s")
        one.later(hours=3)
        one.type(one.ada, "start sev2 Search is slow")
        one.say(one.ada, TALK[5])
        one.type(one.ada, "suggest INC-1:")
    assert shown(cast.form(cast.ada)) == [TALK[2]]
    assert shown(forgetful.form(forgetful.ada))[0] == TALK[2]
    assert TALK[5] not in shown(forgetful.form(forgetful.ada))


def test_what_is_read_from_slack_is_nowhere_on_the_disk(forgetful: Cast) -> None:
    cast = forgetful
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.say(cast.ada, "Restarted the zebra77 service")
    cast.type(cast.ada, "suggest")
    assert shown(cast.form(cast.ada)) == ["Restarted the zebra77 service"]
    database = cast.stage.settings.database
    for path in database.parent.glob(f"{database.name}*"):
        assert b"zebra77" not in path.read_bytes()


def test_an_entry_that_was_suggested_follows_when_its_message_is_edited(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    said = cast.say(cast.ada, "Restarted the payment pots")
    cast.type(cast.dana, "suggest")
    cast.tap(cast.dana, "Add")
    cast.stage.workspace.edit_message(cast.ada, cast.channel, said, "Restarted the payment pods")
    cast.later(minutes=1)
    assert cast.recorded() == ["Restarted the payment pods"]


def test_the_press_looks_messages_through_in_a_process_of_its_own() -> None:
    press = Press()
    try:
        said = [suggest.Message(f"C/{n}", TUESDAY + timedelta(minutes=n), "U1", text) for n, text in enumerate(TALK)]
        assert press.looked_through(said) == suggest.suggest(said, under_way=True) != []
    finally:
        press.close()


# ---- ways in -------------------------------------------------------------------------------------


def test_a_trigger_that_has_expired_is_answered_with_a_button_that_opens_the_form(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.stage.workspace.fail("views.open", error="expired_trigger_id")
    answer = cast.type(cast.ada, "suggest")
    assert list(of_message({"text": answer.text, "blocks": answer.blocks}, posted=False)) == []
    cast.stage.workspace.click(cast.ada, answer, "Look at it")
    cast.stage.pump()
    assert len(shown(cast.form(cast.ada))) == 4


def test_a_mention_is_answered_with_that_button_in_its_thread(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    first, *_ = cast.talk()
    cast.say(cast.dana, "@scribe suggest", first)
    cast.stage.pump()
    answer = cast.channel.ephemerals[-1]
    assert (answer.only_for, answer.thread_ts) == (cast.dana.id, first.ts)
    cast.stage.workspace.click(cast.dana, answer, "Look at it")
    cast.stage.pump()
    assert len(shown(cast.form(cast.dana))) == 4


def test_the_button_of_a_reminder_opens_the_form(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.type(cast.ada, "lead @dana")
    for _ in range(4):
        cast.talk()
        cast.stage.pump()
    cast.later(minutes=10)
    asked = next(one for one in cast.channel.messages if "nothing recorded" in one.text)
    cast.stage.workspace.click(cast.dana, asked, "Show what looks like it")
    cast.stage.pump()
    assert len(shown(cast.form(cast.dana))) > 3


def test_a_form_of_which_something_was_changed_on_the_way_is_refused(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.talk()
    cast.type(cast.dana, "suggest")
    view = cast.form(cast.dana)
    ours = view.given["private_metadata"]
    known = json.loads(ours)
    one, row = next(iter(known["rows"].items()))
    wrong = [
        {**known, "page": "1"},
        {**known, "incident": 10**400},
        {**known, "incident": 99},
        {**known, "rows": {one: ["note", "soon", False, "UTC"]}},
        {**known, "rows": {one: [*row, 1]}},
        {**known, "rows": {"../..": row}},
    ]
    for kept in ("", "x", "[]", "{}", *map(json.dumps, wrong)):
        view.given["private_metadata"] = kept
        assert cast.stage.workspace.click(cast.dana, view, "suggest:add:0").status == 400
        assert cast.stage.workspace.submit(cast.dana, view).status == 400
    cast.stage.pump()
    assert cast.recorded() == []


def test_where_nothing_is_open_it_is_refused(cast: Cast) -> None:
    assert "No incident is open in this channel." in cast.type(cast.ada, "suggest").text
    assert cast.stage.workspace.modals.get(cast.ada.id, []) == []


def test_the_form_and_the_offer_read_well(golden: Callable[[str, str], None]) -> None:
    place = Place(1, "T", 42, "C042PAY", False, 1, "", "Checkout returns errors", "open", 1, TUESDAY)

    def row(minute: int, kind: Kind, text: str, *, told: int = 0, author: str = "U001ADAXXX") -> Suggested:
        said_at = TUESDAY + timedelta(minutes=minute)
        return Suggested(
            id=f"C042PAY/{wording.ts(said_at)}",
            kind=kind.value,
            at=said_at - timedelta(minutes=told),
            approx=bool(told),
            zone="Europe/London",
            text=text,
            author=author,
            program=not author.startswith("U0"),
            said_at=said_at,
        )

    rows = (
        row(1, Kind.DETECTION, "5xx on /pay > 10 % <prod>", author="Pager & Co"),
        row(4, Kind.HYPOTHESIS, "Could it be the *new* certificate, @U002DANAXX?"),
        row(9, Kind.MITIGATION, "I rolled back about 5 minutes ago", told=5),
    )
    notes = ("2 entries added: #2 to #3.", "1 message not added: the message is gone.")
    found = Suggestions(place, "Europe/London", rows, 13, 120, 1, 2, notes, TUESDAY + timedelta(hours=1), 7)
    shown = [wording.form(found), wording.offer(found), wording.waiting(place, "Looking through what was said…")]
    golden("suggestions.json", json.dumps(shown, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def test_a_form_with_hostile_texts_and_the_longest_names_is_one_that_slack_takes() -> None:
    place = Place(1, "T", 123456, "C0123456789", True, 1, "", HOSTILE, "open", 1, TUESDAY)
    rows = tuple(
        Suggested(
            id=f"C0123456789/{1795000000 + number}.000100",
            kind=kind.value,
            at=TUESDAY,
            approx=True,
            zone="America/Argentina/ComodRivadavia",
            text=HOSTILE,
            author=HOSTILE,
            program=True,
            said_at=TUESDAY + timedelta(days=900),
        )
        for number, kind in enumerate(wording.KINDS)
    )
    notes = (HOSTILE[:200], "x" * 3000)
    found = Suggestions(place, "Asia/Kathmandu", rows, 5000, 1, 3, 500, notes, TUESDAY, 7)
    assert list(of_form(wording.form(found))) == []
    assert list(of_message(wording.offer(found), posted=True)) == []
    assert list(of_form(wording.waiting(place, "Adding…"))) == []
