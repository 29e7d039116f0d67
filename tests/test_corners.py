"""Corners of delivery: destroyed texts, links taken back, refusals in the middle, two senders, upgrades."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.press import Press
from bot.resources import resources
from bot.store import Store
from bot.workspace.stage import Stage
from tests.conftest import SATURDAY

SECRET = "hunter2-is-the-password"


class Told:
    """Ada, a public channel, an incident in it."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.ws = stage, stage.workspace
        self.ada = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.channel = self.ws.add_channel("payments", members=[self.ada], bot_in=True)
        self.type("start Checkout fails since 02:50")
        stage.pump()

    def type(self, line: str, channel: Any = None) -> Any:
        answer = self.ws.command(self.ada, channel or self.channel, line)
        assert answer.ok, answer.failure
        return answer

    def confirm(self, line: str, label: str) -> None:
        self.ws.click(self.ada, self.type(line), label)

    def redact(self, entry: int) -> None:
        self.confirm(f"redact {entry}", "Destroy the text")

    def drafts(self) -> list[Any]:
        return [m for m in self.ws.messages(self.channel) if "Postmortem draft" in m.text]

    def posted(self, channel: Any = None) -> str:
        """Everything that Scribe posted by itself: posts, replies, files; not answers to commands."""
        where = channel or self.channel
        said = []
        for m in self.ws.messages(where):
            if m.by_bot and (m.is_reply or "Postmortem" in m.text):
                said.append(m.text + repr(m.blocks))
                said += [(f.content or b"").decode(errors="replace") for f in m.files if not f.deleted]
        return "\n".join(said)

    def letters(self, state: str) -> list[tuple[str, str]]:
        with self.stage.app.store.reading() as tx:
            return [(one.kind, error) for one, error in tx.letters(state)]

    def advance(self, seconds: float) -> None:
        self.stage.clock.advance(timedelta(seconds=seconds))
        self.stage.pump()


@pytest.fixture
def told(stage: Stage) -> Told:
    return Told(stage)


def quietly_settle(told: Told) -> None:
    """Settles although a letter raises a defect of ours: the loop of `serve` goes on after one as well."""
    for _ in range(8):
        try:
            told.stage.settle()
        except AssertionError:
            continue


def raw(told: Told) -> bytes:
    return b"".join(p.read_bytes() for p in told.stage.settings.database.parent.glob("scribe.db*"))


def holding(told: Told, *channels: Any) -> list[str]:
    """Where the secret can still be read, of what Scribe itself posted, uploaded or wrote."""
    found = [f"#{one.name}" for one in (told.channel, *channels) if SECRET in told.posted(one)]
    found += [f.name for f in told.ws.files if not f.deleted and SECRET.encode() in (f.content or b"")]
    return found + [p.name for p in told.stage.settings.export_dir.glob("*") if SECRET.encode() in p.read_bytes()]


def once(act: Any) -> Any:
    """A `when` of a fault that never happens: does something in the middle of a call, the first time."""
    done: list[int] = []

    def look(args: dict[str, Any]) -> bool:
        if not done:
            done.append(1)
            act()
        return False

    return look


@pytest.mark.parametrize("said", ["before it is sent", "while it is tried again", "while it is in hand"])
def test_a_redaction_is_not_put_off_by_people_who_go_on_talking(told: Told, said: str) -> None:
    told.type(f"note {SECRET}")
    told.type("resolve at now")
    told.stage.settle()
    if said == "while it is in hand":
        told.ws.fail("files.completeUploadExternal", status=500, when=once(lambda: told.type("note thanks")))
    if said == "while it is tried again":
        told.ws.fail("chat.update", status=500)
    told.redact(2)
    if said != "before it is sent":
        told.stage.pump()
    for number in range(12):  # an hour
        told.type(f"note talk {number}")
        told.advance(300)
    assert holding(told) == []


def test_a_link_that_was_taken_back_is_not_shown_for_an_hour(tmp_path: Path, press: Press) -> None:
    told = Told(Stage(tmp_path, SATURDAY, press=press, settings={"public_url": "https://scribe.example.com"}))
    told.type("resolve at now")
    told.stage.settle()
    old = told.drafts()[0].text.split("<")[1].split("|")[0]
    told.confirm("link revoke", "Take the link back")
    for number in range(12):
        told.type(f"note talk {number}")
        told.advance(300)
    assert old not in told.drafts()[0].text


@pytest.mark.parametrize(
    ("method", "error"),
    [("files.getUploadURLExternal", "storage_limit_reached"), ("chat.update", "edit_window_closed")],
)
def test_one_refused_call_does_not_stop_a_redaction(told: Told, method: str, error: str) -> None:
    told.type(f"cause {SECRET}")
    told.type("resolve at now")
    told.stage.settle()
    managers = told.ws.add_channel("managers", members=[told.ada], bot_in=True)
    told.type("share #managers")
    told.stage.settle()
    told.ws.fail(method, error=error, times=1000, when=lambda args: args.get("channel") != managers.id)
    told.redact(2)
    told.stage.settle()
    left = holding(told, managers)
    assert set(left) <= ({"#payments"} if method == "chat.update" else set()), left


def test_a_share_in_an_archived_channel_keeps_no_other_from_being_put_right(told: Told) -> None:
    told.type(f"cause {SECRET}")
    told.type("resolve at now")
    told.stage.settle()
    first = told.ws.add_channel("aaa", members=[told.ada], bot_in=True)
    second = told.ws.add_channel("bbb", members=[told.ada], bot_in=True)
    told.type("share #aaa")
    told.type("share #bbb")
    told.stage.settle()
    told.ws.fail("chat.update", error="is_archived", times=1000, when=lambda args: args.get("channel") == first.id)
    told.redact(2)
    told.stage.settle()
    assert SECRET not in told.posted(second)


def test_an_export_that_is_tried_again_does_not_take_the_end_out_of_the_draft(told: Told) -> None:
    told.ws.fail("conversations.open", status=500, times=2)
    told.type("export md")
    told.stage.pump()
    told.type("resolve at now")
    told.stage.settle()  # two days
    assert "open again" not in told.drafts()[0].text
    assert "still going on" not in told.drafts()[0].text


def test_a_text_that_arrived_unknown_to_us_is_put_right_and_not_doubled(told: Told) -> None:
    told.type(f"note {SECRET}")
    told.type("resolve at now")
    told.ws.fail("chat.postMessage", drop="after", when=lambda args: "whole draft" in str(args.get("text")))
    told.advance(15)
    told.redact(2)
    told.stage.settle()
    assert len([m for m in told.ws.messages(told.channel) if "whole draft" in m.text]) == 1
    assert holding(told) == []


def test_a_share_that_arrived_unknown_to_us_is_put_right(told: Told) -> None:
    told.type(f"cause {SECRET}")
    told.type("resolve at now")
    told.stage.settle()
    managers = told.ws.add_channel("managers", members=[told.ada], bot_in=True)
    told.ws.fail("chat.postMessage", drop="after", when=lambda args: args.get("channel") == managers.id)
    told.type("share #managers")
    told.stage.pump()
    told.redact(2)
    told.stage.settle()
    assert holding(told, managers) == []


def test_a_file_that_is_being_handed_over_while_its_text_is_destroyed(told: Told) -> None:
    told.type(f"cause {SECRET}")
    told.ws.share_delay = 3
    state: list[int] = []

    def pause(seconds: float) -> None:
        told.stage.clock.advance(timedelta(seconds=seconds))
        if not state:
            state.append(1)
            told.redact(2)
            told.stage.pump()  # what another sender thread does meanwhile

    told.stage.app.slack._pause = pause
    told.type("export md")
    told.stage.settle()
    assert state
    assert holding(told) == []


def test_a_file_that_was_handed_over_goes_though_the_incident_was_reopened(told: Told) -> None:
    told.type(f"cause {SECRET}")
    told.type("export md")
    told.stage.settle()
    told.type("resolve at now")
    told.redact(2)
    told.type("reopen it is back")  # within the 15 seconds
    quietly_settle(told)
    assert told.letters("parked") == []
    assert holding(told) == []


def test_a_guest_is_not_told_the_titles_of_other_incidents(told: Told) -> None:
    told.stage.settle()
    shared = told.ws.add_channel("with-acme", members=[told.ada], bot_in=True, ext_shared=True)
    guest = told.ws.add_user("eve", team="T0ACME")
    told.ws.join(guest, shared)
    told.ws.say(guest, shared, "@scribe draft")
    told.stage.settle()
    assert "Checkout" not in repr([call.args for call in told.ws.called("chat.postEphemeral")])


def test_another_incident_is_not_told_to_everybody_in_a_channel_with_another_company(told: Told) -> None:
    told.stage.settle()
    shared = told.ws.add_channel("with-acme", members=[told.ada], bot_in=True, ext_shared=True)
    answer = told.type("brief INC-1:", shared)
    assert not (answer.in_channel and "Checkout" in answer.text)


def test_a_secret_in_a_cancelled_incident_can_be_destroyed(told: Told) -> None:
    told.type(f"note {SECRET}")
    told.confirm("cancel false alarm", "Cancel it")
    assert "Destroy" in told.type("redact INC-1: 2").text


def test_where_uploads_are_off_the_whole_text_is_in_the_thread_all_the_same(told: Told) -> None:
    told.ws.fail("files.getUploadURLExternal", error="file_uploads_disabled", times=1000)
    told.type("resolve at now")
    told.stage.settle()
    assert [m for m in told.ws.messages(told.channel) if "whole draft" in m.text]


@pytest.mark.parametrize("settled", [True, False], ids=["later", "right after resolve"])
def test_the_link_in_a_shared_post_leads_somewhere(told: Told, settled: bool) -> None:
    managers = told.ws.add_channel("managers", members=[told.ada], bot_in=True)
    told.type("resolve at now")
    if settled:
        told.stage.settle()
    told.type("share #managers")
    told.stage.settle()
    live = [f.id for f in told.ws.files if not f.deleted and f.name.endswith(".md")]
    assert any(one in told.posted(managers) for one in live)


def test_undo_says_what_is_so(told: Told) -> None:
    managers = told.ws.add_channel("managers", members=[told.ada], bot_in=True)
    told.type("resolve at now")
    told.stage.settle()
    told.type("share #managers")
    told.stage.settle()
    answer = told.type("undo")
    told.stage.settle()
    assert "took back the sharing" not in answer.text or told.posted(managers) == ""


def test_the_first_draft_has_its_link_though_people_talk_on(told: Told) -> None:
    told.ws.fail("files.completeUploadExternal", status=500, when=once(lambda: told.type("note I write it up")))
    told.type("resolve at now")
    told.advance(15)
    for number in range(12):  # an hour
        told.advance(300)
        told.type(f"note talk {number}")
    assert "Markdown:" in told.drafts()[0].text


def test_an_answer_that_slack_never_takes_does_not_silence_the_channel(told: Told) -> None:
    told.ws.fail("chat.postMessage", error="internal_error", times=10_000, when=lambda args: "poison" in str(args))
    told.ws.say(told.ada, told.channel, "@scribe note poison")
    told.ws.say(told.ada, told.channel, "@scribe note bread")
    for _ in range(36):  # six hours
        told.advance(600)
    assert any("bread" in m.text for m in told.ws.messages(told.channel) if m.by_bot)


def test_a_destroyed_title_does_not_stay_in_the_answers_that_quoted_it(told: Told) -> None:
    other = told.ws.add_channel("other", members=[told.ada], bot_in=True)
    told.type(f"start {SECRET}", other)
    told.type("start again", other)  # refused: INC-2 “…” is already open
    told.ws.click(told.ada, told.type("redact 1", other), "Destroy the text")
    told.stage.settle()
    assert SECRET.encode() not in raw(told)


def test_a_short_text_that_was_destroyed_does_not_come_back_at_a_tap(told: Told) -> None:
    answer = told.type("again hunter2")
    told.redact(2)
    assert b"hunter2" not in raw(told)
    told.ws.click(told.ada, answer, "Make it a note")
    assert b"hunter2" not in raw(told)


def test_the_thread_of_a_draft_that_was_deleted_is_put_right(told: Told) -> None:
    told.type(f"cause {SECRET}")
    told.type("resolve at now")
    told.stage.settle()
    told.ws.call("chat.delete", {"channel": told.channel.id, "ts": told.drafts()[0].ts}, told.ws.bot_token)
    told.redact(2)
    told.stage.settle()
    assert holding(told) == []


def test_a_cancelled_incident_gets_no_draft_when_scribe_is_invited(told: Told) -> None:
    hidden = told.ws.add_channel("hush", members=[told.ada], private=True, bot_in=False)
    told.type("start Something", hidden)
    told.type("resolve at now", hidden)
    told.stage.settle()  # the draft is parked: Scribe is not in the channel
    told.type("reopen no", hidden)
    told.ws.click(told.ada, told.type("cancel nothing", hidden), "Cancel it")
    told.ws.invite_bot(hidden)
    told.stage.settle()
    assert [m for m in told.ws.messages(hidden) if "Postmortem draft" in m.text] == []


def test_a_cancelled_incident_gets_no_draft_when_its_link_is_taken_back(told: Told) -> None:
    told.type("export md")
    told.stage.settle()
    told.confirm("cancel false alarm", "Cancel it")
    told.confirm("link INC-1: revoke", "Take the link back")
    told.stage.settle()
    assert told.drafts() == []


def test_the_post_does_not_say_open_again_of_an_incident_that_was_cancelled(told: Told) -> None:
    told.type("resolve at now")
    told.stage.settle()
    told.type("reopen hm")
    told.stage.settle()
    told.confirm("cancel false alarm", "Cancel it")
    told.stage.settle()
    assert "open again" not in told.drafts()[0].text


def test_a_lease_that_runs_out_makes_no_second_text(told: Told) -> None:
    told.ws.fail("files.info", status=429, retry_after=30, times=8)
    inside: list[int] = []

    def pause(seconds: float) -> None:
        told.stage.clock.advance(timedelta(seconds=seconds))
        if not inside:
            inside.append(1)
            told.stage.pump()  # what another sender thread does meanwhile
            inside.clear()

    told.stage.app.slack._pause = pause
    told.type("resolve at now")
    told.stage.settle()
    assert len([m for m in told.ws.messages(told.channel) if "whole draft" in m.text]) == 1


def test_after_an_upgrade_a_letter_that_was_in_hand_is_looked_for_first(tmp_path: Path) -> None:
    before = tmp_path / "migrations"
    shutil.copytree(resources("migrations"), before)
    for step in before.glob("m000[2-9]*.py"):
        step.unlink()
    path = tmp_path / "scribe.db"
    store = Store(path, migrations=before, secret=b"x", randomness=bytes)
    store.migrate()
    store.close()
    with sqlite3.connect(path) as db:  # a process of the version before was killed while it posted
        db.execute(
            "INSERT INTO letters (team, lane, kind, body, blocking, due_at, attempts, state, leased_until, lease) "
            "VALUES ('T', 'T/C', 'answer', '{}', 1, '2026-11-21T03:00:00.000000Z', 1, 'leased', "
            "'2026-11-21T03:01:00.000000Z', 'aa')"
        )
    store = Store(path, migrations=resources("migrations"), secret=b"x", randomness=bytes)
    store.migrate()
    with store.writing() as tx:
        letter = tx.lease(SATURDAY, 180)
    store.close()
    assert letter is not None
    assert letter.unsure
