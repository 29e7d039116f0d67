"""How things leave: every letter once, in order, whatever Slack, the disk or we ourselves do wrong."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from bot.core.record import JSON, Letter
from bot.documents import Documents
from bot.outbox import FAULTS_BEFORE_PARKING, LEASE_SECONDS, LONGEST_PAUSE, Outbox
from bot.press import Press
from bot.slack import blocks
from bot.slack.client import Slack
from bot.workspace import Answer, Call, Message
from bot.workspace.stage import Stage, Wire
from tests.conftest import Bare, Remembering

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    press = Remembering()
    yield press
    press.close()


@pytest.fixture
def kind_of_stage() -> type[Stage]:
    return Bare


class Incident:
    """Ada, a channel that Scribe is in, and an incident there."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.workspace = stage.workspace
        self.ada = self.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
        self.channel = self.workspace.add_channel("payments", members=[self.ada], bot_in=True)
        self.type("start Checkout fails since 02:50")
        stage.pump()

    def type(self, line: str) -> Answer:
        answer = self.workspace.command(self.ada, self.channel, line)
        assert answer.ok, answer.failure
        return answer

    def resolve(self) -> None:
        """Resolves, and lets the time pass after which the draft is due."""
        self.type("resolve at now")
        self.stage.clock.advance(15 * SECOND)

    def drafts(self) -> list[Message]:
        return [one for one in self.workspace.messages(self.channel) if "Postmortem draft" in one.text]

    def letters(self, state: str) -> list[tuple[str, str]]:
        """Kind and error of the letters in a state."""
        with self.stage.app.store.reading() as tx:
            return [(letter.kind, error) for letter, error in tx.letters(state)]

    def enqueue(self, kind: str, *, lane: str = "", incident: int | None = 1, **body: Any) -> None:
        letter = Letter(kind, self.workspace.team, lane or kind, body, self.stage.clock(), incident)
        with self.stage.app.store.writing() as tx:
            tx.enqueue([letter])

    def shown(self) -> list[str]:
        """What the channel shows: posts, their threads and files; ids of files and names of keys put aside."""
        seen = []
        for one in self.workspace.messages(self.channel):
            if one.user != self.workspace.bot_user:
                continue
            text = re.sub(r"\bF[0-9A-Z]{6,}\b", "FILE", self.workspace.text(one) + repr(one.text))
            names = [f"[{file.name} {len(file.content or b'')}]" for file in one.files if not file.deleted]
            seen.append(" ".join(["reply:" if one.is_reply else "post:", *names, text]))
        return sorted(seen)

    def written(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.stage.settings.export_dir.glob("*")}


@pytest.fixture
def incident(stage: Stage) -> Incident:
    return Incident(stage)


def gaps(calls: Sequence[Call]) -> list[float]:
    """Seconds between calls."""
    return [(after.at - before.at).total_seconds() for before, after in itertools.pairwise(calls)]


# ---- trying again --------------------------------------------------------------------------------


def test_pauses_grow_until_they_are_ten_minutes(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", status=500, times=12)
    incident.resolve()
    incident.stage.settle()
    pauses = gaps(incident.workspace.called("chat.postMessage")[:13])
    assert len(pauses) == 12
    for number, pause in enumerate(pauses):
        least = min(2.0 * 2**number, LONGEST_PAUSE)
        assert least <= pause <= 1.5 * least, number
    assert len(set(pauses[-3:])) == 3  # those that failed together do not come back together
    assert len(incident.drafts()) == 1


def test_slack_says_how_long_to_wait(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", status=429, retry_after=30)
    incident.resolve()
    incident.stage.settle()
    assert gaps(incident.workspace.called("chat.postMessage")[:2]) == [30.0]
    assert len(incident.drafts()) == 1


def test_a_short_wait_that_slack_asks_for_does_not_shorten_ours(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", status=429, retry_after=1, times=4)
    incident.resolve()
    incident.stage.settle()
    assert gaps(incident.workspace.called("chat.postMessage")[:5])[-1] >= 16.0


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"drop": "before"}, {"drop": "after"}, {"error": "internal_error"}, {"error": "ratelimited"}],
)
def test_after_a_failure_there_is_one_post(incident: Incident, fault: dict[str, Any]) -> None:
    incident.workspace.fail("chat.postMessage", times=3, **fault)
    incident.resolve()
    incident.stage.settle()
    assert len(incident.drafts()) == 1
    assert incident.letters("parked") == []
    assert incident.letters("waiting") == []


def test_what_cannot_succeed_is_parked_and_shown_by_status(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", error="restricted_action")
    incident.resolve()
    incident.stage.settle()
    said = "The workspace's settings do not let Scribe post there. An admin can allow it."
    assert incident.letters("parked") == [("announce", said)]
    assert len(incident.workspace.called("chat.postMessage")) == 1
    assert said in incident.type("status").text.replace("’", "'")
    assert sorted(incident.written()) == [
        "0001-checkout-fails.json",
        "0001-checkout-fails.md",
        "0001-checkout-fails.svg",
        "0001-checkout-fails.timeline.md",
    ]


def test_what_waits_is_shown_by_status(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", status=500, times=1000)
    incident.resolve()
    incident.stage.pump()
    assert "1 message still to be sent" in incident.type("status").text


# ---- what nobody expects -------------------------------------------------------------------------


def test_a_letter_of_an_unknown_kind_is_parked(incident: Incident) -> None:
    incident.enqueue("sing")
    incident.stage.settle()
    assert incident.letters("parked") == [("sing", "nobody knows how to send a letter of kind sing")]


@dataclass
class Turns:
    """Stands in for the event that ends the loop: time passes while the loop waits, and ends after so many waits."""

    stage: Stage
    left: int

    def is_set(self) -> bool:
        return self.left <= 0

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.left -= 1
        due = self.stage.app.outbox.next_due()
        if due is None:
            self.left = 0
        else:
            self.stage.clock.move_to(due)


class Defect(Exception):
    """A fault of ours."""


def broken(*_: object) -> tuple[Any, Any]:
    raise Defect("the press broke")


def outbox_of(stage: Stage, compose: Callable[..., tuple[Any, Any]]) -> Outbox:
    return Outbox(
        stage.app.store,
        stage.clock,
        slack=Slack(Wire(stage.workspace)),
        documents=Documents(stage.app.store, compose),
        exporters={},
        in_thread=(),
        wording=blocks,
        recall=stage.app.scribe.recall,
        jitter=lambda: 0.0,
        pause=lambda seconds: None,
    )


def test_a_defect_is_tried_again_then_parked_and_the_loop_lives_on(
    incident: Incident, caplog: pytest.LogCaptureFixture
) -> None:
    stage = incident.stage
    incident.enqueue("show", lane="broken", user=incident.ada.id, channel=incident.channel.id, upto=1)
    incident.enqueue("sing", lane="broken")
    incident.enqueue("meet", lane="fine", user=incident.ada.id)
    began = stage.clock()
    outbox_of(stage, broken).run(Turns(stage, 100))  # type: ignore[arg-type]
    parked = dict(incident.letters("parked"))
    assert list(parked) == ["show", "sing"]
    assert "fault of Scribe" in parked["show"]
    assert "the press broke" not in parked["show"]
    assert "meet" in [kind for kind, _ in incident.letters("sent")]
    assert incident.letters("waiting") == incident.letters("leased") == []
    tracebacks = [record for record in caplog.records if record.exc_info and record.exc_info[0] is Defect]
    assert len(tracebacks) == FAULTS_BEFORE_PARKING
    assert stage.clock() - began == sum((2**n for n in range(1, FAULTS_BEFORE_PARKING)), 0) * SECOND
    assert "fault of Scribe" in incident.type("status").text


def test_the_loop_outlives_a_store_that_takes_nothing(incident: Incident, caplog: pytest.LogCaptureFixture) -> None:
    incident.enqueue("meet", user=incident.ada.id)
    connection = incident.stage.app.store._connection()
    turns = Turns(incident.stage, 3)
    connection.execute("PRAGMA query_only=ON")
    incident.stage.app.outbox.run(turns)  # type: ignore[arg-type]
    connection.execute("PRAGMA query_only=OFF")
    assert incident.letters("waiting") == [("meet", "")]
    assert caplog.records
    incident.stage.app.outbox.run(Turns(incident.stage, 3))  # type: ignore[arg-type]
    assert incident.letters("waiting") == []


# ---- order ---------------------------------------------------------------------------------------


def said_by_scribe(incident: Incident) -> list[str]:
    numbers = [re.findall(r"#(\d+)", one.text) for one in incident.workspace.messages(incident.channel)]
    return [found[0] for found in numbers if found]


def test_answers_leave_in_the_order_in_which_people_spoke(incident: Incident) -> None:
    for text in ("one", "two", "three"):
        incident.workspace.say(incident.ada, incident.channel, f"@scribe note {text}")
    incident.stage.settle()
    assert said_by_scribe(incident) == ["2", "3", "4"]


def test_a_draft_that_waits_holds_back_the_file_in_its_thread_and_nothing_else(incident: Incident) -> None:
    def draft(args: dict[str, Any]) -> bool:
        return "Postmortem draft" in str(args.get("text"))

    incident.workspace.fail("chat.postMessage", status=500, times=3, when=draft)
    incident.resolve()
    incident.stage.pump()
    incident.workspace.say(incident.ada, incident.channel, "@scribe note after all this")
    incident.stage.pump()
    assert said_by_scribe(incident) == ["3"]
    assert incident.drafts() == []
    assert incident.workspace.files == []
    incident.stage.settle()
    assert len(incident.drafts()) == 1
    assert "Markdown:" in incident.drafts()[0].text


def test_a_second_revision_waits_for_the_first(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", status=500, times=9)  # about seventeen minutes
    incident.resolve()
    incident.stage.pump()
    incident.type("cause The pool had no upper limit.")
    incident.stage.settle()
    assert len(incident.drafts()) == 1
    assert "revision 2" in incident.drafts()[0].text
    assert [file.name for file in incident.workspace.files] == [
        "0001-checkout-fails.r2.png",
        "0001-checkout-fails.r2.md",
    ]


# ---- a process that dies -------------------------------------------------------------------------


def died_with(incident: Incident, kind: str) -> Letter:
    """A process took the letter of this kind and was never seen again."""
    with incident.stage.app.store.writing() as tx:
        while (letter := tx.lease(incident.stage.clock(), LEASE_SECONDS)) is not None and letter.kind != kind:
            tx.settle(letter, "dropped", incident.stage.clock())
    assert letter is not None
    incident.stage.restart()
    return letter


def test_a_letter_whose_process_died_is_sent_after_its_lease_ran_out(incident: Incident) -> None:
    incident.resolve()
    died_with(incident, "announce")
    incident.stage.clock.advance((LEASE_SECONDS - 1) * SECOND)
    incident.stage.pump()
    assert incident.drafts() == []
    incident.stage.clock.advance(SECOND)
    incident.stage.pump()
    assert len(incident.drafts()) == 1


def test_a_process_that_died_between_post_and_record_leaves_one_post(incident: Incident) -> None:
    incident.resolve()
    died_with(incident, "announce")
    message: JSON = {"text": "Postmortem draft, half told"}
    first = incident.stage.app.slack.post(incident.channel.id, message, key="INC-1-draft")
    incident.stage.settle()
    with incident.stage.app.store.reading() as tx:
        assert tx.receipts(1)["post"]["ts"] == first
    assert len(incident.drafts()) == 1
    assert "Duration" in incident.drafts()[0].text


# ---- each call goes wrong once -------------------------------------------------------------------


class Nth:
    """Lets the n-th call from now on go wrong, whatever it is; counts them."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = 0

    def __call__(self, args: dict[str, Any]) -> bool:
        self.seen += 1
        return self.seen == self.number + 1


def first_revision(incident: Incident) -> None:
    incident.resolve()
    incident.stage.settle()


def second_revision(incident: Incident) -> None:
    incident.type("cause The pool had no upper limit.")
    incident.stage.settle()


def played(stage: Stage, second: bool, **fault: Any) -> tuple[Incident, list[str]]:
    """An incident that was told to its end; the calls of its first or second revision, one of which went wrong."""
    incident = Incident(stage)
    if second:
        first_revision(incident)
    before = len(incident.workspace.calls)
    if fault:
        incident.workspace.fail("*", **fault)
    (second_revision if second else first_revision)(incident)
    return incident, [call.method for call in incident.workspace.calls[before:]]


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        pytest.param(False, {"status": 500}, id="first revision, 500"),
        pytest.param(False, {"drop": "before"}, id="first revision, broken before the effect"),
        pytest.param(False, {"drop": "after"}, id="first revision, broken after the effect"),
        pytest.param(True, {"status": 500}, id="second revision, 500"),
        pytest.param(True, {"drop": "before"}, id="second revision, broken before the effect"),
        pytest.param(True, {"drop": "after"}, id="second revision, broken after the effect"),
    ],
)
def test_whichever_call_goes_wrong_once_the_channel_ends_the_same(
    stage_with: Callable[..., Stage], second: bool, fault: dict[str, Any]
) -> None:
    undisturbed, calls = played(stage_with(), second)
    assert len(undisturbed.drafts()) == 1
    assert len(undisturbed.workspace.files) == 2
    assert {"chat.update", "files.completeUploadExternal", "upload"} <= set(calls)
    different = []
    for number, method in enumerate(calls):
        incident, _ = played(stage_with(), second, **fault, when=Nth(number))
        same = (
            incident.shown() == undisturbed.shown(),
            incident.written() == undisturbed.written(),
            [state for state in ("waiting", "leased", "parked") if incident.letters(state)] == [],
        )
        if same != (True, True, True):
            different.append((number, method, same))
    assert different == []


# ---- what a revision is --------------------------------------------------------------------------


def test_a_revision_that_is_tried_again_later_is_the_same_to_the_byte(stage_with: Callable[..., Stage]) -> None:
    """The letter says up to which event the document goes; what is recorded after that belongs to the next one."""
    undisturbed = Incident(stage_with())
    first_revision(undisturbed)
    expected = undisturbed.written()

    incident = Incident(stage_with())
    folder = incident.stage.settings.export_dir
    folder.write_text("a file stands where the folder should be")
    incident.resolve()
    incident.stage.pump()
    incident.type("title Checkout is down")
    incident.type("cause The pool had no upper limit.")
    folder.unlink()
    incident.stage.settle()
    written = incident.written()
    assert {name: content for name, content in written.items() if ".r2." not in name} == expected


def test_a_letter_of_a_revision_that_was_taken_back_is_sent_to_nobody(incident: Incident) -> None:
    incident.enqueue("announce", revision=7)
    incident.stage.settle()
    assert incident.drafts() == []
    assert incident.letters("parked") == []


def test_two_outboxes_on_one_record_send_a_letter_once_even_if_the_first_was_very_slow(incident: Incident) -> None:
    """The first works so long that its lease runs out; the second takes over, and what follows is sent once."""
    stage = incident.stage

    def slow(*order: Any) -> tuple[Any, Any]:
        stage.clock.advance((LEASE_SECONDS + 1) * SECOND)
        stage.pump()
        return compose(*order)

    compose = stage.app.outbox._documents._compose  # type: ignore[attr-defined]
    incident.type("resolve at now")
    stage.clock.advance(15 * SECOND)
    with stage.app.store.writing() as tx:
        tx.drop(1, ["export"])
    outbox_of(stage, slow).send_one()
    stage.settle()
    assert len(incident.drafts()) == 1
    assert [file.name for file in incident.workspace.files] == ["0001-checkout-fails.png", "0001-checkout-fails.md"]
    assert [kind for kind, _ in incident.letters("sent")].count("announce") == 1
    assert [kind for kind, _ in incident.letters("sent")].count("export") == 1


# ---- the pace of a channel -----------------------------------------------------------------------


def test_a_channel_gets_one_message_a_second(incident: Incident) -> None:
    for number in range(4):
        incident.workspace.say(incident.ada, incident.channel, f"@scribe note line {number}")
    incident.stage.settle()
    posts = [call for call in incident.workspace.calls if call.method == "chat.postMessage"]
    assert len(posts) == 4
    assert all(gap >= 1 for gap in gaps(posts))
    assert said_by_scribe(incident) == ["2", "3", "4", "5"]


def test_channels_do_not_wait_for_each_other(incident: Incident) -> None:
    other = incident.workspace.add_channel("search", members=[incident.ada], bot_in=True)
    incident.workspace.command(incident.ada, other, "start Search is slow")
    incident.stage.pump()
    for channel in (incident.channel, other):
        incident.workspace.say(incident.ada, channel, "@scribe note seen")
    incident.stage.settle()
    first, second = [call for call in incident.workspace.calls if call.method == "chat.postMessage"]
    assert second.at - first.at < SECOND


def test_a_clock_that_jumped_back_holds_nothing_up(incident: Incident) -> None:
    mention = "@scribe note"
    incident.workspace.say(incident.ada, incident.channel, f"{mention} one")
    incident.stage.pump()
    incident.stage.clock.advance(-3600 * SECOND)
    incident.workspace.say(incident.ada, incident.channel, f"{mention} two")
    before = incident.stage.clock()
    incident.stage.pump()
    assert incident.stage.clock() - before < 10 * SECOND


# ---- later edits replace earlier ones ------------------------------------------------------------


def test_a_revision_that_still_waits_is_replaced_by_the_next_one(incident: Incident) -> None:
    first_revision(incident)
    incident.workspace.fail("chat.update", status=503, times=3)
    incident.type("cause The pool had no upper limit.")
    incident.stage.clock.advance(601 * SECOND)
    incident.stage.pump()  # revision 2 is in hand and cannot be sent
    incident.type("factor The alert was muted.")
    assert [kind for kind, _ in incident.letters("waiting")].count("announce") == 1
    incident.stage.settle()
    assert len(incident.drafts()) == 1
    assert "revision 3" in incident.drafts()[0].text
    assert {name for name in incident.written() if name.endswith(".md") and "timeline" not in name} == {
        "0001-checkout-fails.md",
        "0001-checkout-fails.r2.md",
        "0001-checkout-fails.r3.md",
    }


def test_a_first_draft_that_could_not_be_sent_is_not_put_off_by_what_is_said_since(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", status=503, times=2)
    incident.resolve()
    incident.stage.pump()
    incident.type("cause The pool had no upper limit.")
    for _ in range(3):
        incident.stage.clock.advance(10 * SECOND)
        incident.stage.pump()
    assert len(incident.drafts()) == 1
    assert "The pool had no upper limit." in incident.drafts()[0].text


# ---- what a revision changed ---------------------------------------------------------------------


def thread_lines(incident: Incident, start: str) -> list[str]:
    return [one.text for one in incident.workspace.messages(incident.channel) if one.text.startswith(start)]


def test_the_thread_is_told_what_a_revision_changed_once_in_ten_quiet_minutes(incident: Incident) -> None:
    first_revision(incident)
    assert thread_lines(incident, "Revision") == []
    incident.type("cause The pool had no upper limit.")
    incident.stage.clock.advance(300 * SECOND)
    incident.type("factor The alert was muted.")
    incident.type("todo @ada set a limit")
    incident.stage.settle()
    assert thread_lines(incident, "Revision") == ["Revision 2: entries 3–5 added."]
    incident.type("edit 4 The alert was muted since May.")
    incident.type("remove 3 wrong")
    incident.type("edit section cause Nobody had set a limit.")
    incident.type("done T1")
    incident.type("title Checkout was down")
    incident.stage.settle()
    assert thread_lines(incident, "Revision")[1:] == [
        "Revision 3: entry 4 corrected · entry 3 taken out · T1 changed · cause rewritten · 1 other change."
    ]


def test_what_came_and_went_between_two_revisions_is_not_told(incident: Incident) -> None:
    first_revision(incident)
    incident.type("note a slip")
    incident.type("undo")
    incident.stage.settle()
    assert thread_lines(incident, "Revision") == []


def test_a_redaction_is_posted_at_once_and_told_with_the_next_quiet_revision(incident: Incident) -> None:
    incident.type("note password is hunter22")
    first_revision(incident)
    asked = incident.type("redact 2")
    incident.workspace.click(incident.ada, asked, "Destroy the text")
    incident.stage.clock.advance(60 * SECOND)
    incident.stage.pump()
    assert "revision 2" in incident.drafts()[0].text
    assert thread_lines(incident, "Revision") == []
    incident.type("note the password was changed")
    incident.stage.settle()
    assert thread_lines(incident, "Revision") == ["Revision 3: entry 4 added · text of entry 2 destroyed."]


# ---- what people do to the draft -----------------------------------------------------------------


def test_a_draft_that_somebody_deleted_is_posted_anew_with_the_next_revision(incident: Incident) -> None:
    first_revision(incident)
    (draft,) = incident.drafts()
    incident.workspace.delete_message(incident.workspace.bot_user, incident.channel, draft)
    incident.type("cause The pool had no upper limit.")
    incident.stage.settle()
    (again,) = [one for one in incident.drafts() if not one.deleted]
    assert again.ts != draft.ts
    assert incident.workspace.thread(incident.channel, again)
    assert incident.letters("parked") == []


def test_a_text_that_somebody_deleted_from_the_thread_is_posted_anew(incident: Incident) -> None:
    first_revision(incident)
    (draft,) = incident.drafts()
    text = next(one for one in incident.workspace.thread(incident.channel, draft) if "whole draft" in one.text)
    incident.workspace.delete_message(incident.workspace.bot_user, incident.channel, text)
    incident.type("cause The pool had no upper limit.")
    incident.stage.settle()
    texts = [one for one in incident.workspace.thread(incident.channel, draft) if "whole draft" in one.text]
    assert len([one for one in texts if not one.deleted]) == 1
    assert incident.letters("parked") == []


def test_the_post_of_an_incident_that_was_reopened_says_so(incident: Incident) -> None:
    first_revision(incident)
    incident.type("reopen errors are back")
    incident.stage.settle()
    (draft,) = incident.drafts()
    assert "the incident is open again" in draft.text
    incident.resolve()
    incident.stage.settle()
    (draft,) = incident.drafts()
    assert "open again" not in draft.text


def test_no_first_draft_is_posted_of_an_incident_that_was_reopened_while_it_was_in_hand(incident: Incident) -> None:
    stage = incident.stage
    compose = stage.app.outbox._documents._compose  # type: ignore[attr-defined]

    def meanwhile(*order: Any) -> tuple[Any, Any]:
        incident.type("reopen errors are back")
        return compose(*order)

    incident.resolve()
    with stage.app.store.writing() as tx:
        tx.drop(1, ["export"])
    outbox_of(stage, meanwhile).send_one()
    stage.settle()
    assert incident.drafts() == []
    assert incident.letters("parked") == []


# ---- where the document went, and a redaction ----------------------------------------------------


def test_a_redaction_reaches_posts_in_other_channels_and_files_that_were_handed_over(incident: Incident) -> None:
    other = incident.workspace.add_channel("general", members=[incident.ada])
    incident.type("impact the key is hunter22")
    first_revision(incident)
    incident.type("share #general")
    incident.type("export md")
    incident.stage.settle()
    (shared,) = [one for one in incident.workspace.messages(other) if one.by_bot]
    (handed,) = [file for file in incident.workspace.files if not set(file.shares) & {incident.channel.id, other.id}]
    assert "hunter22" in shared.text
    assert b"hunter22" in (handed.content or b"")
    incident.workspace.click(incident.ada, incident.type("redact 2"), "Destroy the text")
    incident.stage.settle()
    assert "hunter22" not in shared.text
    assert handed.deleted
    assert incident.letters("parked") == []


def test_what_was_shared_is_taken_back_where_the_channel_becomes_private(incident: Incident) -> None:
    other = incident.workspace.add_channel("general", members=[incident.ada])
    first_revision(incident)
    incident.type("share #general")
    incident.stage.settle()
    (shared,) = [one for one in incident.workspace.messages(other) if one.by_bot]
    incident.channel.kind = "group"
    incident.stage.clock.advance(timedelta(days=1, minutes=1))
    incident.type("title Mallory has the key")
    incident.stage.settle()
    assert shared.deleted
    assert [one for one in incident.workspace.messages(other) if one.by_bot and not one.deleted] == []
    assert incident.letters("parked") == []


def test_an_incident_is_not_shared_to_a_channel_where_people_of_another_company_are(incident: Incident) -> None:
    other = incident.workspace.add_channel("with-acme", members=[incident.ada], ext_shared=True)
    first_revision(incident)
    incident.type("share #with-acme")
    incident.stage.settle()
    assert [one for one in incident.workspace.messages(other) if one.by_bot] == []
    ((kind, error),) = incident.letters("parked")
    assert kind == "share"
    assert "another company" in error
    assert "another company" in incident.type("status").text


def test_one_number_of_a_revision_never_stands_for_two_documents(incident: Incident) -> None:
    """What is handed over before the draft is posted is a revision of its own."""
    incident.type("export md")
    incident.stage.settle()
    (handed,) = incident.workspace.files
    incident.type("cause The pool had no upper limit.")
    first_revision(incident)
    assert handed.name == "0001-checkout-fails.md"
    assert "0001-checkout-fails.r2.md" in incident.written()
    assert "revision 2" in incident.drafts()[0].text


# ---- what could not be sent ----------------------------------------------------------------------


def test_parked_letters_are_sent_again_when_somebody_asks_for_it(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", error="restricted_action", times=1)
    first_revision(incident)
    assert incident.drafts() == []
    status = incident.type("status").text
    assert "An admin can allow it" in status
    assert "/incident resend" in status
    answer = incident.type("resend")
    assert not answer.in_channel
    assert "will be tried again now" in answer.text
    incident.stage.settle()
    assert len(incident.drafts()) == 1
    assert "resend" not in incident.type("status").text
    assert "Everything" in incident.type("resend").text


def test_resend_with_a_text_is_no_command_and_the_text_is_not_lost(incident: Incident) -> None:
    answer = incident.type("resend the mails to customers")
    assert "Nothing is recorded yet" in answer.text
    incident.workspace.click(incident.ada, answer, "Action")
    assert "resend the mails to customers" in incident.type("timeline").text


def test_letters_that_were_sent_a_month_ago_are_forgotten_and_parked_ones_never(incident: Incident) -> None:
    incident.workspace.fail("chat.postMessage", error="restricted_action", times=1)
    first_revision(incident)
    incident.stage.clock.advance(31 * 24 * 3600 * SECOND)
    incident.enqueue("meet", user=incident.ada.id)
    incident.stage.pump()
    assert [kind for kind, _ in incident.letters("sent")] == ["meet"]
    assert [kind for kind, _ in incident.letters("parked")] == ["announce"]
