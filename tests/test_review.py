"""Stories of a review: the buttons under the draft, their forms, the agenda, who is told, and how all of it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core import events as ev
from bot.core import incident as state
from bot.core.agenda import agenda, remind_at
from bot.core.events import Kind
from bot.core.grammar import GAP_WORDS
from bot.core.incident import Incident, fold
from bot.core.record import Person, Place
from bot.press import Press
from bot.slack import review as wording
from bot.slack.forms import answers, section
from bot.slack.forms import review as forms
from bot.slack.forms.pieces import Occasion
from bot.workspace import Answer, Channel, Message, User, View
from bot.workspace.stage import Stage
from tests.conftest import Remembering
from tests.core.builder import Record
from tests.test_blocks import HOSTILE, of_message, of_view

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    made = Remembering()
    yield made
    made.close()


class Cast:
    """Ada, who opened it, Ben, who commands, Chidi and Dana, and a resolved incident with its draft."""

    def __init__(self, stage: Stage, *, private: bool = False) -> None:
        self.stage, self.ws = stage, stage.workspace
        self.ada = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.ws.add_user("ben", display_name="Ben", tz="Europe/London")
        self.chidi = self.ws.add_user("chidi", display_name="Chidi", tz="Africa/Lagos")
        self.dana = self.ws.add_user("dana", display_name="Dana", tz="America/New_York")
        people = [self.ada, self.ben, self.chidi, self.dana]
        self.channel = self.ws.add_channel("payments", members=people, private=private, bot_in=True)
        for one in people:
            self.type(one, "status")
            self.type(one, "list")
        self.type(self.ada, "start sev1 Checkout returns errors", "lead @ben")

    def type(self, who: User, *lines: str, channel: Channel | None = None) -> Answer:
        for line in lines:
            answer = self.ws.command(who, channel or self.channel, line)
            assert answer.ok, answer.failure
            self.stage.pump()
        return answer

    def resolved(self, *lines: str) -> Cast:
        """The same with the incident over, and its draft posted."""
        self.type(self.ada, *lines, "resolve calm")
        self.wait(timedelta(seconds=20))
        return self

    def wait(self, by: timedelta) -> None:
        self.until(self.stage.clock() + by)

    def until(self, at: datetime) -> None:
        """Time passes; what falls due on the way leaves at its time."""
        while (due := self.stage.app.outbox.next_due()) is not None and due <= at:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(at)
        self.stage.pump()

    def draft(self) -> Message:
        return next(one for one in self.ws.messages(self.channel) if "Postmortem" in one.text and not one.is_reply)

    def buttons(self) -> list[str]:
        found = [block for block in self.draft().blocks if block["type"] == "actions"]
        return [one["text"]["text"] for block in found for one in block["elements"]]

    def tap(self, who: User, button: str, message: Message | None = None) -> Answer:
        answer = self.ws.click(who, message or self.draft(), button)
        assert answer.ok, answer.failure
        return answer

    def form(self, who: User, button: str) -> View:
        """The form that a button under the draft opens."""
        view = self.tap(who, button).view
        assert view is not None
        return view

    def send(self, who: User, **values: Any) -> Answer:
        answer = self.ws.submit(who, values=values)
        assert not answer.failure, answer.failure
        self.stage.pump()
        return answer

    def agenda(self) -> list[Message]:
        found = [one for one in self.ws.messages(self.channel) if one.is_reply and one.text.startswith("🗓️")]
        assert all(one.thread_ts == self.draft().ts for one in found)
        return found

    def direct(self, who: User) -> list[str]:
        return [self.ws.text(one) for one in self.ws.messages(self.ws.direct(who)) if not one.text.startswith("📄")]

    def incident(self) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.by_number(self.ws.team, 1)
            assert place is not None
            return fold(tx.events(place.key), 1)

    def said(self, since: int) -> list[tuple[str, str]]:
        """What was recorded after event `since`: name and text."""
        return [(one.name, getattr(one, "text", "")) for one in self.incident().happened[since:]]


@pytest.fixture
def cast(stage_with: Callable[..., Stage]) -> Cast:
    return Cast(stage_with(MONDAY, nudges="off"))


def labels(view: View) -> list[str]:
    return [block["label"]["text"] for block in view.blocks if block["type"] == "input"]


# ---- the post ------------------------------------------------------------------------------------


def test_the_draft_offers_what_can_be_done_about_it_by_now_and_says_who_did_what(cast: Cast) -> None:
    cast.resolved()
    assert cast.buttons() == ["Answer the open questions", "Edit", "Ask for a review", "Share"]
    cast.type(cast.ada, "review Tue 14:00 @dana")
    assert cast.buttons() == ["Answer the open questions", "Edit", "Approve", "Publish", "Share"]
    assert (
        cast.ws.text(cast.draft()).splitlines()[-2]
        == "Review 24 November 2026 14:00 GMT, led by Dana, asked for by Ada"
    )
    cast.tap(cast.ben, "Approve")
    cast.stage.pump()
    assert cast.ws.text(cast.draft()).splitlines()[-2].endswith(" · Approved by Ben, 23 November 2026")
    cast.type(cast.ada, "note one more thing", "approve")
    cast.wait(timedelta(minutes=11))
    life = cast.ws.text(cast.draft()).splitlines()[-2]
    assert "Approved by Ben, 23 November 2026 (1 entry since) · Approved by Ada, 23 November 2026" in life
    cast.tap(cast.ben, "Publish")
    cast.wait(timedelta(minutes=1))
    assert cast.ws.text(cast.draft()).splitlines()[0].startswith("📄 Postmortem · INC-1")
    assert cast.ws.text(cast.draft()).splitlines()[-2].endswith(" · Published by Ben, 23 November 2026")
    assert cast.buttons() == ["Edit", "Share"]
    assert len(cast.ws.text(cast.draft()).splitlines()) <= 12


def test_approving_and_publishing_ask_first_and_publishing_names_what_is_open(cast: Cast) -> None:
    cast.resolved()
    cast.type(cast.ada, "review")
    asked = {
        one["text"]["text"]: one["confirm"]
        for block in cast.draft().blocks
        if block["type"] == "actions"
        for one in block["elements"]
        if "confirm" in one
    }
    assert set(asked) == {"Approve", "Publish"}
    assert re.match(r"\d+ open questions are still there\. ", asked["Publish"]["text"]["text"])
    assert asked["Publish"]["confirm"]["text"] == "Publish anyway"


def test_a_draft_of_an_incident_that_is_open_again_offers_nothing(cast: Cast) -> None:
    cast.resolved()
    cast.type(cast.ada, "reopen it is back")
    cast.wait(timedelta(minutes=1))
    assert cast.buttons() == []


def test_the_post_in_another_channel_has_no_buttons(cast: Cast) -> None:
    cast.resolved()
    general = cast.ws.add_channel("general", members=[cast.ada])
    cast.form(cast.ada, "Share")
    cast.send(cast.ada, channel=general.id)
    (post,) = [one for one in cast.ws.messages(general) if "Postmortem draft" in one.text]
    assert all(block["type"] != "actions" for block in post.blocks)


def test_what_was_told_in_a_private_channel_is_shared_to_none(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(MONDAY, nudges="off"), private=True).resolved()
    assert cast.tap(cast.ada, "Share").view is None
    cast.stage.pump()
    assert "it is shared to no other" in cast.ws.ephemerals(cast.ada, cast.channel)[-1].text


def test_two_people_who_approve_at_once_both_stand_there_once(cast: Cast) -> None:
    cast.resolved()
    cast.type(cast.ada, "review")
    request = cast.tap(cast.ben, "Approve").request
    cast.tap(cast.chidi, "Approve")
    assert request is not None
    cast.ws.redeliver(request)
    cast.stage.pump()
    assert [one.name for one in cast.incident().happened].count("approved") == 2
    assert (
        cast.ws.text(cast.draft())
        .splitlines()[-2]
        .endswith("Approved by Ben, 23 November 2026 · Approved by Chidi, 23 November 2026")
    )


# ---- the open questions --------------------------------------------------------------------------


def test_the_open_questions_are_answered_together_in_one_form(cast: Cast) -> None:
    cast.resolved("todo Cap the pool", "note errors at 02:50")
    before = cast.incident().seq
    view = cast.form(cast.ben, "Answer the open questions")
    assert sum(block["type"] == "input" for block in view.blocks) <= 20
    assert "Why did it happen?" in labels(view)
    assert "Who owns T1 “Cap the pool”?" in labels(view)
    values = {
        "cause": "the pool was too small",
        "fix": "the pool is larger",
        "owner_1": cast.chidi.id,
        "due_1": "2026-12-04",
        "found": "engineer",
        "found_at": int((MONDAY - timedelta(minutes=5)).timestamp()),
    }
    assert not cast.send(cast.ben, **values).errors
    assert {name for name, _ in cast.said(before)} == {"cause", "fix", "task_changed", "detection"}
    task = cast.incident().tasks[1]
    assert str(task.due) == "2026-12-04"
    with cast.stage.app.store.reading() as tx:
        assert tx.people([task.person])[task.person].user == cast.chidi.id
    detection = cast.incident().detection
    assert detection is not None
    assert detection.at == MONDAY - timedelta(minutes=5)


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_recorded(cast: Cast) -> None:
    cast.resolved()
    before = cast.incident().seq
    view = cast.form(cast.ben, "Answer the open questions")
    answer = cast.send(cast.ben, cause="the pool", ruledout="the DNS")
    assert set(answer.errors) == {"ruledout"}
    assert "Begin with the time" in answer.errors["ruledout"]
    assert answer.view is view
    assert cast.incident().seq == before
    answer = cast.send(cast.ben, cause="the pool", ruledout="09:50 the DNS", found="customer")
    assert set(answer.errors) == {"found_at"}
    assert cast.incident().seq == before
    assert not cast.send(cast.ben, cause="the pool", ruledout="09:50 the DNS").errors
    assert sorted(cast.said(before)) == [("cause", "the pool"), ("dead_end", "the DNS")]


def test_a_form_that_is_sent_twice_is_recorded_once(cast: Cast) -> None:
    cast.resolved()
    cast.form(cast.ben, "Answer the open questions")
    answer = cast.send(cast.ben, cause="the pool")
    after = cast.incident().seq
    assert answer.request is not None
    cast.ws.redeliver(answer.request)
    assert cast.incident().seq == after


def test_two_people_who_say_the_cause_at_once_do_not_overwrite_each_other(cast: Cast) -> None:
    cast.resolved()
    cast.form(cast.ben, "Answer the open questions")
    cast.form(cast.chidi, "Answer the open questions")
    assert not cast.send(cast.ben, cause="the pool").errors
    answer = cast.send(cast.chidi, cause="the network", takeaway="watch the pool")
    assert list(answer.errors) == ["cause"]
    assert "“the pool”" in answer.errors["cause"]
    assert not cast.send(cast.chidi, cause=None, takeaway="watch the pool").errors
    cause = cast.incident().latest(Kind.CAUSE)
    assert cause is not None
    assert cause.text == "the pool"


def test_three_hundred_questions_come_page_by_page_and_none_is_lost(cast: Cast) -> None:
    lines = [f"question what about {number}" for number in range(60)]
    cast.resolved(*lines)
    view: View | None = cast.form(cast.ben, "Answer the open questions")
    seen: list[str] = []
    while view is not None:
        names = [block["block_id"] for block in view.blocks if block["type"] == "input"]
        assert len(names) <= 20
        assert list(of_view(view.given)) == []
        seen += names
        first = next((name for name in names if name.startswith("answer_")), None)
        view = cast.send(cast.ben, **({first: "because"} if first else {})).view
    assert len(seen) == len(set(seen))
    assert {f"answer_{number}" for number in range(1, 66)} <= set(seen)
    answered = [one for one in cast.incident().happened if isinstance(one, ev.QuestionAnswered)]
    assert len(answered) > 3


def test_where_nothing_is_open_the_button_says_so(cast: Cast) -> None:
    cast.resolved()
    gaps = sorted(set(GAP_WORDS) - {"dead end"})
    cast.type(cast.ada, *(f"none {gap}" for gap in gaps), "none dead end", "link https://example.org x")
    cast.type(cast.ada, *(f"answer R{number} x" for number in range(1, 6)))
    cast.type(cast.ada, "did a thing at 10:00", "note at 09:00 calm")
    answer = cast.ws.command(cast.ada, cast.channel, "answer")
    assert answer.view is None, labels(answer.view)
    assert "is open" in answer.text


# ---- a section -----------------------------------------------------------------------------------


def choose(cast: Cast, who: User, name: str) -> View:
    """The form with a section in it, as it is a moment after the section was chosen."""
    view = cast.form(who, "Edit")
    cast.ws.click(who, view, section.PICK, value=name)
    cast.stage.pump()
    return view


def text_of(view: View) -> str:
    return next(
        str(block["element"].get("initial_value", ""))
        for block in view.blocks
        if block.get("block_id", "").startswith("text_")
    )


def test_a_section_is_rewritten_from_the_words_that_scribe_composed(cast: Cast) -> None:
    cast.resolved("cause the pool was too small")
    view = choose(cast, cast.ben, "cause")
    assert "the pool was too small" in text_of(view)
    assert "↗" not in text_of(view)
    before = cast.incident().seq
    cast.send(cast.ben)
    assert cast.incident().seq == before  # unchanged words record nothing
    view = choose(cast, cast.ben, "cause")
    cast.send(cast.ben, text_cause="The pool held 20 connections.")
    assert cast.said(before) == [("section_written", "The pool held 20 connections.")]
    view = choose(cast, cast.chidi, "cause")
    assert text_of(view) == "The pool held 20 connections."
    cast.send(cast.chidi, how_cause="back")
    assert cast.said(before + 1) == [("section_written", "")]
    assert cast.incident().sections == {}


def test_a_section_of_which_the_record_tells_more_by_now_is_not_overwritten_unasked(cast: Cast) -> None:
    cast.resolved("cause the pool was too small")
    choose(cast, cast.ben, "cause")
    cast.type(cast.ada, "factor nobody watched it")
    number = cast.incident().last_entry
    answer = cast.send(cast.ben, text_cause="Mine.")
    assert f"#{number}" in answer.errors["text_cause"]
    assert cast.incident().sections == {}
    assert not cast.send(cast.ben, text_cause="Mine.", how_cause="all_the_same").errors
    assert cast.incident().sections["cause"].text == "Mine."
    choose(cast, cast.chidi, "cause")
    cast.type(cast.ada, "edit section cause Hers.")
    answer = cast.send(cast.chidi, text_cause="His.")
    assert "Somebody else rewrote" in answer.errors["text_cause"]
    assert cast.incident().sections["cause"].text == "Hers."


def test_a_section_that_is_too_long_for_a_form_says_how_else(cast: Cast) -> None:
    cast.resolved()
    cast.type(cast.ada, "edit section measures " + "word " * 700)
    view = choose(cast, cast.ben, "measures")
    assert "a form takes 3,000" in json.dumps(view.given, ensure_ascii=False)
    before = cast.incident().seq
    cast.send(cast.ben)
    assert cast.incident().seq == before


def test_a_form_that_was_closed_before_its_text_came_troubles_nobody(cast: Cast) -> None:
    cast.resolved()
    view = cast.form(cast.ben, "Edit")
    cast.ws.click(cast.ben, view, section.PICK, value="summary")
    cast.ws.close(cast.ben)
    cast.stage.pump()
    with cast.stage.app.store.reading() as tx:
        assert tx.letters("parked") == []
        assert [one.kind for one, _ in tx.letters("waiting")] == ["board_down"]


# ---- asking for a review -------------------------------------------------------------------------


def test_a_review_is_asked_for_in_a_form_and_brings_its_agenda(cast: Cast) -> None:
    cast.resolved("hypothesis the DNS", "ruledout 3 it answered all along", "wrong nobody looked", "todo x")
    cast.form(cast.ada, "Ask for a review")
    at = int(TUESDAY.timestamp())
    cast.send(cast.ada, when=at, leads=cast.dana.id, asked=[cast.chidi.id, cast.ben.id])
    called = cast.incident().review
    assert called is not None
    assert (called.held_at, len(called.asked)) == (TUESDAY, 2)
    assert cast.incident().stage is state.Stage.IN_REVIEW
    (post,) = cast.agenda()
    lines = cast.ws.text(post).splitlines()
    assert lines[0] == (
        "🗓️ Review of INC-1 Checkout returns errors · Tuesday 24 November 2026 14:00 GMT · led by @dana · "
        "with @chidi, @ben · 45 minutes"
    )
    assert "• #4 the DNS – it answered all along" in lines
    assert "• #5 nobody looked" in lines
    assert any(line.startswith("5. Action items (10 min): 1 open, 1 without an owner") for line in lines)


def test_the_agenda_goes_with_the_record_and_is_posted_once(cast: Cast) -> None:
    cast.resolved("wrong hunter22 was the password")
    cast.type(cast.ada, "review Tue 14:00 @dana")
    number = cast.incident().last_entry - 1
    assert "hunter22" in cast.ws.text(cast.agenda()[0])
    answer = cast.type(cast.ada, f"redact {number}")
    cast.ws.click(cast.ada, answer, answer.blocks[-1]["elements"][0]["text"]["text"])
    cast.wait(timedelta(minutes=1))
    (post,) = cast.agenda()
    assert "hunter22" not in json.dumps(post.blocks)
    cast.type(cast.ada, "review Thu 14:00 @ben")
    cast.wait(timedelta(minutes=1))
    (post,) = cast.agenda()
    assert "Thursday 26 November 2026" in cast.ws.text(post)
    cast.type(cast.ada, "undo")
    cast.wait(timedelta(minutes=1))
    assert "Tuesday 24 November 2026" in cast.ws.text(cast.agenda()[0])


def test_a_review_that_was_called_off_says_so_in_the_place_of_its_agenda(cast: Cast) -> None:
    cast.resolved()
    cast.type(cast.ada, "review Tue 14:00 @ben", "undo")
    cast.wait(timedelta(minutes=1))
    assert [cast.ws.text(one) for one in cast.agenda()] == ["🗓️ The review of INC-1 was called off."]
    assert cast.buttons() == ["Answer the open questions", "Edit", "Ask for a review", "Share"]
    cast.until(TUESDAY)
    assert [one for one in cast.direct(cast.ben) if one.startswith("⏰")] == []


def test_a_review_that_was_asked_for_before_the_draft_has_its_agenda_when_that_is_posted(cast: Cast) -> None:
    cast.type(cast.ada, "review Tue 14:00 @dana")
    assert not [one for one in cast.ws.messages(cast.channel) if one.text.startswith("🗓️")]
    cast.resolved()
    assert len(cast.agenda()) == 1


def test_those_who_shall_come_are_told_by_day_and_the_one_who_leads_again_the_day_before(cast: Cast) -> None:
    cast.resolved()
    cast.form(cast.ada, "Ask for a review")
    cast.send(cast.ada, when=int((TUESDAY + timedelta(days=2)).timestamp()), leads=cast.dana.id, asked=[cast.chidi.id])
    told = (
        "🔎 Ada asks you to come to the review of INC-1 Checkout returns errors, Thursday 26 November 2026 15:00 WAT."
    )
    assert cast.direct(cast.chidi) == [f"{told} The agenda is in the draft's thread in #payments."]
    assert cast.direct(cast.dana) == []  # it is five in the morning in New York
    cast.until(MONDAY + timedelta(hours=4))
    (told,) = cast.direct(cast.dana)
    assert told.startswith("🔎 Ada asks you to lead the review of INC-1 Checkout returns errors, ")
    assert ", Thursday 26 November 2026 09:00 EST. " in told
    cast.until(TUESDAY + timedelta(hours=25))  # Wednesday 15:00 UTC is ten in New York
    assert len(cast.direct(cast.dana)) == 2
    assert cast.direct(cast.dana)[1].startswith("⏰ The review of INC-1 Checkout returns errors is near: Thursday")
    assert len(cast.direct(cast.chidi)) == 1


def test_nobody_is_reminded_of_a_review_that_was_moved_or_is_over(cast: Cast) -> None:
    cast.resolved()
    cast.type(cast.ada, "review Thu 14:00 @ben", "review Fri 14:00 @ben")
    cast.until(TUESDAY + timedelta(days=1))
    assert [one for one in cast.direct(cast.ben) if one.startswith("⏰")] == []
    cast.type(cast.ada, "publish")
    cast.until(TUESDAY + timedelta(days=4))
    assert [one for one in cast.direct(cast.ben) if one.startswith("⏰")] == []


def test_of_a_private_incident_not_even_the_title_is_told_elsewhere(stage_with: Callable[..., Stage]) -> None:
    cast = Cast(stage_with(MONDAY, nudges="off"), private=True).resolved()
    cast.type(cast.ada, "review Tue 14:00 @chidi")
    (told,) = cast.direct(cast.chidi)
    assert "INC-1" in told
    assert "Checkout" not in told


def test_a_time_that_is_past_is_refused_beside_its_field(cast: Cast) -> None:
    cast.resolved()
    cast.form(cast.ada, "Ask for a review")
    answer = cast.send(cast.ada, when=int(MONDAY.timestamp()))
    assert answer.errors == {"when": "That is past: choose a time to come."}
    assert cast.incident().review is None


@pytest.mark.parametrize(
    ("held_at", "zone", "now", "expected"),
    [
        (TUESDAY, "UTC", datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)),
        (MONDAY, "UTC", datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 20, 10, tzinfo=UTC)),
        (TUESDAY, "America/New_York", datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 23, 15, tzinfo=UTC)),
        (TUESDAY, "UTC", datetime(2026, 11, 23, 9, tzinfo=UTC), None),
    ],
)
def test_the_reminder_comes_on_the_last_working_day_before(
    held_at: datetime, zone: str, now: datetime, expected: datetime | None
) -> None:
    assert remind_at(held_at, zone, now) == expected


# ---- roles ---------------------------------------------------------------------------------------


def test_roles_are_taken_given_and_handed_over_and_whoever_is_named_is_mentioned(cast: Cast) -> None:
    assert f"<@{cast.chidi.id}>" in cast.type(cast.ben, "handover @chidi I go to bed").text
    assert "*Roles*  commander @chidi" in cast.type(cast.ada, "status").text
    refused = cast.ws.command(cast.dana, cast.channel, "lead Dana")
    assert "No person is mentioned" in refused.text
    assert f"<@{cast.dana.id}>" in cast.type(cast.dana, "lead me").text
    assert f"<@{cast.ben.id}>" in cast.type(cast.ada, "role scribe @ben").text
    cast.type(cast.ada, "role scribe @chidi")
    cast.wait(timedelta(seconds=5))
    (board,) = (one for one in cast.ws.messages(cast.channel) if "[ Resolve ]" in cast.ws.text(one))
    assert cast.ws.text(board).splitlines()[1] == "Commander @dana · Scribe @chidi"


# ---- what Slack takes ----------------------------------------------------------------------------


def place(title: str = "Checkout returns errors") -> Place:
    return Place(1, "T1", 42, "C1", False, 9, "", title, "resolved", 1, MONDAY)


def hostile(text: str) -> Record:
    record = Record(text[:300], onset=-5)
    for number in range(300):
        kind = (Kind.NOTE, Kind.DEAD_END, Kind.WRONG, Kind.QUESTION, Kind.TASK)[number % 5]
        extra: dict[str, Any] = {"question": 6 + number} if kind is Kind.QUESTION else {}
        extra |= {"owner": "", "person": "", "category": None, "due": None} if kind is Kind.TASK else {}
        record.say(kind, text, **extra)
    record.mark(ev.ReviewCalled, person="b", who=text[:60], text=text[:200], asked=("a", "c"))
    return record


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_words_and_three_hundred_of_everything_are_what_slack_takes(text: str) -> None:
    incident = hostile(text).incident()
    people = {key: Person(key, "T1", f"U{key.upper()}", text[:60]) for key in "abc"}
    made = agenda(place(text), incident, {key: person.name for key, person in people.items()})
    assert made is not None
    for message in (
        wording.agenda(made, people, "/incident"),
        wording.no_agenda(place(text)),
        wording.told(made, people["b"], people, soon=False),
        wording.told(made, people["b"], people, soon=True),
    ):
        assert list(of_message(message, posted=True)) == []
    occasion = Occasion(MONDAY, "UTC", "C1", verb="answer", what="", place=place(text), incident=incident)
    start = part = 0
    while start < len(answers.asking(incident)):
        part += 1
        view = answers.view(replace(occasion, what=f"from {start} part {part}"))
        assert list(of_view(view)) == []
        start += json.loads(view["private_metadata"])["count"]
    assert list(of_view(forms.view(occasion))) == []
    assert list(of_view(forms.share_view(occasion))) == []
    about = occasion.about
    for name in section.NAMES:
        document = f"# x\n\n## {section.NAMES[name]}\n\n{text}\n"
        assert list(of_view(section.filled(about, incident, name, document, 9, text[:80]))) == []


def test_the_views_of_a_review_read_like_this(golden: Callable[[str, str], None]) -> None:
    record = Record("Checkout returns errors", onset=-5)
    record.say(Kind.HYPOTHESIS, "the DNS")
    record.say(Kind.DEAD_END, "it answered all along", hypothesis=2)
    record.say(Kind.WRONG, "nobody looked at the dashboard")
    record.say(Kind.TASK, "Cap the pool", owner="", person="", category=None, due=None)
    record.say(Kind.QUESTION, "Why did the second page come so late?")
    record.say(Kind.RESOLUTION, "calm")
    record.mark(ev.ReviewCalled, person="b", who="@ben", held_at=TUESDAY, zone="UTC", asked=("c",))
    incident = record.incident()
    people = {
        key: Person(key, "T1", f"U{key.upper()}", name) for key, name in (("a", "Ada"), ("b", "Ben"), ("c", "Chidi"))
    }
    made = agenda(place(), incident, {key: person.name for key, person in people.items()})
    assert made is not None
    occasion = Occasion(MONDAY, "UTC", "C1", verb="answer", place=place(), incident=incident)
    document = (
        '# x\n\n## Root cause and resolution\n\n**Root cause.** *unknown* [↗](x.md#e3 "entry 3")\n\n## Open questions\n'
    )
    shown = {
        "agenda": wording.agenda(made, people, "/incident"),
        "told": wording.told(made, people["b"], people, soon=False),
        "soon": wording.told(made, people["b"], people, soon=True),
        "answers": answers.view(occasion),
        "review": forms.view(occasion),
        "share": forms.share_view(occasion),
        "sections": section.view(occasion),
        "section": section.filled(occasion.about, incident, "cause", document, incident.seq, ""),
    }
    for name, one in shown.items():
        modal = one.get("type") == "modal"
        assert (
            list(
                of_view({"submit": {"type": "plain_text", "text": "-"}, **one})
                if modal
                else of_message(one, posted=True)
            )
            == []
        ), name
    golden("review.json", json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
