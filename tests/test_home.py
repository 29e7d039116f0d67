"""Stories of the Home tab: what stands there, who sees what, when it is brought up to date, and what Slack takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.models.views import View

from bot.core import events as ev
from bot.core import home as core
from bot.core.events import Kind
from bot.core.home import Active, Draft, Home, Recent, reviewers, takes_part
from bot.core.record import Place
from bot.core.tasks import Item
from bot.home import AT_ONCE, LET_GO, MOST_ACTIVE, MOST_RECENT, MOST_TASKS, PACE
from bot.press import Press
from bot.slack import home as wording
from bot.workspace import Channel, User
from bot.workspace.stage import Stage
from tests.conftest import Remembering
from tests.core.builder import Record
from tests.test_blocks import HOSTILE, of_blocks

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
EMPTY = [
    "[Start an incident]",
    "Going on",
    "Nothing is going on that you may see. 🌿",
    "My action items",
    "You have none. `/incident todo @name … by Friday` adds one to an incident.",
    "In a channel: `/incident note …` records a line, `/incident help` shows the words.",
]


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    made = Remembering()
    yield made
    made.close()


def lines(view: Mapping[str, Any]) -> list[str]:
    """What a view says, line by line, buttons in brackets."""
    found: list[str] = []
    for block in view["blocks"]:
        match block["type"]:
            case "actions":
                found += [f"[{one['text']['text']}]" for one in block["elements"]]
            case "context":
                found += [one["text"] for one in block["elements"]]
            case _:
                button = f" [{block['accessory']['text']['text']}]" if "accessory" in block else ""
                found += (block["text"]["text"] + button).split("\n")
    return found


class Cast:
    """Ada and Ben in a public channel, Ada and Chidi in a private one."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.ws = stage, stage.workspace
        self.ada = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.ws.add_user("ben", display_name="Ben", tz="America/New_York")
        self.chidi = self.ws.add_user("chidi", display_name="Chidi", tz="Africa/Lagos")
        self.channel = self.ws.add_channel("payments", members=[self.ada, self.ben])
        self.secret = self.ws.add_channel("audit", members=[self.ada, self.chidi], private=True, bot_in=True)

    def type(self, who: User, *said: str, channel: Channel | None = None) -> None:
        for line in said:
            answer = self.ws.command(who, channel or self.channel, line)
            assert answer.ok, answer.failure
            self.stage.pump()

    def wait(self, by: timedelta) -> None:
        until = self.stage.clock() + by
        while (due := self.stage.app.outbox.next_due()) is not None and due <= until:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(until)
        self.stage.pump()

    def open(self, who: User) -> list[str]:
        """What somebody sees a moment after they opened their tab."""
        self.ws.open_home(who)
        self.stage.pump()
        return self.seen(who)

    def seen(self, who: User) -> list[str]:
        return lines(self.ws.homes[who.id].given)

    def published(self, who: User | None = None) -> int:
        calls = [one for one in self.ws.calls if one.method == "views.publish"]
        return len([one for one in calls if who is None or one.args["user_id"] == who.id])

    def tap(self, who: User, button: str) -> None:
        answer = self.ws.click(who, self.ws.homes[who.id], button)
        assert answer.ok, answer.failure
        self.stage.pump()


@pytest.fixture
def cast(stage_with: Callable[..., Stage]) -> Cast:
    return Cast(stage_with(MONDAY, nudges="off"))


# ---- what stands there ---------------------------------------------------------------------------


def test_an_empty_tab_is_friendly_and_is_shown_off_the_request_path(cast: Cast) -> None:
    cast.ws.open_home(cast.ada)
    assert cast.published() == 0
    cast.stage.pump()
    assert cast.seen(cast.ada) == EMPTY


def test_a_tab_shows_what_goes_on_ones_own_tasks_drafts_to_review_and_postmortems(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors since 09:50", "lead @ben", "todo @ben Cap it by today")
    assert cast.open(cast.ben) == [
        "[Start an incident]",
        "Going on",
        f"🔴 *INC-1* · SEV1 · Checkout returns errors · <#{cast.channel.id}>",
        "Commander Ben · users affected since 23 November 2026 04:50 EST · *you are commander*",
        "My action items",
        "*INC-1 T1* Cap it · due today [Done]",
        EMPTY[-1],
    ]
    cast.type(cast.ada, "resolve calm")
    cast.wait(timedelta(minutes=2))
    seen = "\n".join(cast.seen(cast.ben))
    assert "Going on\nNothing is going on that you may see. 🌿" in seen
    assert "Waiting for my review\n📄 *INC-1* <https://" in seen
    assert "|Checkout returns errors>\nyou commanded the incident · " in seen
    assert "Postmortems of the last 30 days" not in seen
    cast.type(cast.ben, "approve", "publish")
    cast.wait(timedelta(minutes=2))
    seen = "\n".join(cast.seen(cast.ben))
    assert "Waiting for my review" not in seen
    assert "|Checkout returns errors> · 23 November 2026 · published, approved by Ben" in seen
    cast.wait(timedelta(days=31))
    cast.open(cast.ben)
    assert "Postmortems of the last" not in "\n".join(cast.seen(cast.ben))


def test_a_draft_has_as_many_open_questions_on_the_tab_as_on_its_post(cast: Cast) -> None:
    cast.type(cast.ada, "start sev1 Checkout returns errors", "lead @ben", "resolve calm", "review Tue 14:00 @ben")
    cast.wait(timedelta(minutes=20))
    post = next(one for one in cast.ws.messages(cast.channel) if "Postmortem" in one.text)
    (counted,) = re.findall(r"\d+ open questions", post.text)
    assert re.findall(r"\d+ open questions", "\n".join(cast.open(cast.ben))) == [counted]


def test_done_is_one_tap_and_the_tab_says_so_at_once(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors", "todo @ben Cap the pool by 2026-11-27")
    cast.type(cast.ada, "start An audit", "todo @ben Read the log by 2026-11-27", channel=cast.secret)
    assert [one for one in cast.open(cast.ben) if "[Done]" in one] == [
        "*INC-1 T1* Cap the pool · due Friday 27 November [Done]",
        "🔒 *INC-2 T1* Read the log · due Friday 27 November [Done]",
    ]
    for left in (1, 0):
        cast.wait(AT_ONCE)
        cast.tap(cast.ben, "Done")
        cast.wait(AT_ONCE)
        assert len([one for one in cast.seen(cast.ben) if "[Done]" in one]) == left
    said = [one.text for one in cast.ws.messages(cast.ws.direct(cast.ben))]
    assert said == ["✅ T1 is done: “Cap the pool”", "✅ T1 is done: “Read the log”"]


def test_an_incident_is_started_from_there(cast: Cast) -> None:
    cast.open(cast.ada)
    view = cast.ws.click(cast.ada, cast.ws.homes[cast.ada.id], "Start an incident").view
    assert view is not None
    assert view.title == "Start an incident"


# ---- who sees what (PEERS.md, defect 20) ---------------------------------------------------------


def test_a_private_incident_is_seen_by_those_alone_who_take_part_in_it(cast: Cast) -> None:
    cast.type(cast.ada, "start The audit", channel=cast.secret)
    dana = cast.ws.add_user("dana")
    cast.ws.invite(cast.ada, cast.secret, dana)  # to be in the channel is not enough
    seen = {who.name: "The audit" in "\n".join(cast.open(who)) for who in (cast.ada, cast.ben, cast.chidi, dana)}
    assert seen == {"ada": True, "ben": False, "chidi": False, "dana": False}
    cast.type(cast.chidi, "note I look", channel=cast.secret)
    cast.type(cast.ada, "role scribe @dana", channel=cast.secret)
    assert "🔒 The audit" in "\n".join(cast.open(cast.chidi))
    assert "🔒 The audit" in "\n".join(cast.open(dana))
    cast.type(cast.ada, "undo", channel=cast.secret)  # it was another Dana
    assert "The audit" not in "\n".join(cast.open(dana))
    cast.type(cast.ada, "resolve calm", channel=cast.secret)
    cast.wait(timedelta(minutes=2))
    assert "The audit" not in "\n".join(cast.open(cast.ben))
    assert "The audit" in "\n".join(cast.open(cast.chidi))


def test_a_channel_that_becomes_private_takes_its_incident_off_the_tabs_of_others(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    assert "Checkout" in "\n".join(cast.open(cast.ben))
    cast.channel.kind = "group"
    cast.wait(timedelta(days=2))
    cast.type(cast.ada, "note x")  # has the channel looked at
    cast.wait(timedelta(minutes=2))
    assert cast.seen(cast.ben) == EMPTY
    assert "Checkout" in "\n".join(cast.open(cast.ada))


def test_a_guest_sees_what_they_take_part_in_and_another_company_nothing(cast: Cast) -> None:
    guest, outside = cast.ws.add_user("guest"), cast.ws.add_user("eve", team="T0OTHER")
    guest.guest = True
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "start Another one", channel=cast.ws.add_channel("search", members=[cast.ada]))
    assert cast.open(guest) == EMPTY
    cast.type(cast.ada, "role scribe @guest")
    assert "Checkout" in "\n".join(cast.open(guest))
    assert "Another one" not in "\n".join(cast.seen(guest))
    assert cast.open(outside) == [
        "Scribe keeps the incidents of another company's workspace. There is nothing for you here."
    ]
    cast.wait(timedelta(minutes=2))
    assert len(cast.seen(outside)) == 1


def test_a_title_that_was_destroyed_leaves_every_tab(cast: Cast) -> None:
    cast.type(cast.ada, "start hunter22 is down")
    assert "hunter22" in "\n".join(cast.open(cast.ben))
    answer = cast.ws.command(cast.ada, cast.channel, "redact 1")
    cast.ws.click(cast.ada, answer, answer.blocks[-1]["elements"][0]["text"]["text"])
    cast.wait(timedelta(minutes=2))
    assert "hunter22" not in json.dumps(cast.ws.homes[cast.ben.id].given)


# ---- when it is brought up to date ---------------------------------------------------------------


def test_tabs_follow_at_most_once_a_minute_and_say_nothing_twice(cast: Cast) -> None:
    cast.open(cast.ada)
    cast.open(cast.ben)
    before = cast.published(cast.ben)
    cast.type(cast.ada, "start Checkout returns errors")
    for number in range(10):
        cast.type(cast.ada, f"sev{1 + number % 5}")
        cast.wait(timedelta(seconds=5))
    assert cast.published(cast.ben) <= before + 1
    cast.wait(PACE)
    assert "SEV5" in "\n".join(cast.seen(cast.ben))
    before = cast.published()
    for number in range(10):
        cast.type(cast.ada, f"note {number}")
    cast.wait(PACE * 3)
    assert cast.published() == before


def test_opening_it_again_publishes_only_what_is_new(cast: Cast) -> None:
    cast.open(cast.ada)
    before = cast.published()
    cast.open(cast.ada)
    assert cast.published() == before
    del cast.ws.homes[cast.ada.id]  # Slack has forgotten it: the app was installed anew
    assert cast.open(cast.ada) == EMPTY


def test_a_tab_that_nobody_opens_for_a_month_is_cleared_and_let_go(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.open(cast.ben)
    cast.wait(LET_GO + timedelta(days=1))
    cast.type(cast.ada, "sev1")
    cast.wait(timedelta(minutes=2))
    assert cast.seen(cast.ben) == ["Open this tab again to see what is going on."]
    before = cast.published()
    cast.type(cast.ada, "sev2")
    cast.wait(timedelta(minutes=2))
    assert cast.published() == before
    assert "Checkout" in "\n".join(cast.open(cast.ben))


@pytest.mark.parametrize("code", ["not_enabled", "user_not_found", "user_disabled"])
def test_a_tab_that_slack_has_not_is_let_go_and_troubles_nobody(cast: Cast, code: str) -> None:
    cast.ws.fail("views.publish", error=code)
    cast.ws.open_home(cast.ada)
    cast.stage.pump()
    with cast.stage.app.store.reading() as tx:
        assert tx.homes(cast.ws.team) == []
        assert tx.letters("parked") == tx.letters("waiting") == []


@pytest.mark.parametrize("code", ["hash_conflict", "internal_error", "ratelimited"])
def test_what_slack_does_not_take_now_is_tried_again(cast: Cast, code: str) -> None:
    cast.ws.fail("views.publish", error=code)
    cast.ws.open_home(cast.ada)
    cast.stage.pump()
    cast.wait(timedelta(minutes=2))
    assert cast.seen(cast.ada) == EMPTY


def test_the_tab_for_messages_is_none_of_it_and_a_redelivery_changes_nothing(cast: Cast) -> None:
    direct = cast.ws.direct(cast.ada)
    event = {"type": "app_home_opened", "user": cast.ada.id, "channel": direct.id, "tab": "messages"}
    assert cast.ws.event(event).status == 200
    cast.stage.pump()
    assert cast.published() == 0
    for _ in range(3):
        cast.ws.event({**event, "tab": "home"}, event_id="Ev1")
    cast.stage.pump()
    assert cast.published() == 1
    assert cast.ws.event({**event, "tab": "home", "view": 7}).status == 400


# ---- the core ------------------------------------------------------------------------------------


def test_a_draft_waits_for_who_was_asked_and_who_commanded_until_they_approved() -> None:
    record = Record("x")
    assert reviewers(record.incident()) == {}
    record.say(Kind.RESOLUTION, "calm")
    assert reviewers(record.incident()) == {"a": core.OPENED}
    record.say(Kind.ROLE, "", role="commander", person="b", who="Ben")
    assert reviewers(record.incident()) == {"b": core.COMMANDED}
    record.mark(ev.ReviewCalled, person="c", who="Chidi", asked=("a", "c"))
    assert reviewers(record.incident()) == {"c": core.LEADS, "a": core.ASKED, "b": core.COMMANDED}
    record.mark(ev.Approved, by="c", upto=3)
    assert reviewers(record.incident()) == {"a": core.ASKED, "b": core.COMMANDED}
    record.mark(ev.Published, upto=4)
    assert reviewers(record.incident()) == {}


def test_who_was_named_and_taken_back_takes_no_part() -> None:
    record = Record("x")
    record.say(Kind.ROLE, "", role="commander", person="b", who="Ben")
    assert takes_part(record.incident(), "b")
    record.mark(ev.Undone, seq=2)
    assert not takes_part(record.incident(), "b")
    assert takes_part(record.incident(), "a")


# ---- what Slack takes ----------------------------------------------------------------------------


def place(number: int = 1, title: str = "Checkout returns errors", *, private: bool = False) -> Place:
    return Place(number, "T1", number, "C1", private, 9, "", title, "open", 1, MONDAY)


def item(number: int, text: str) -> Item:
    return Item(place(), number, text, text, True, "open", TODAY, None, 1, 0, None, "https://x.example/1", None, "")


def full(text: str) -> Home:
    """As much as a tab can hold, and more of everything."""
    where = place(title=text, private=True)
    link = "https://scribe.example/" + "x" * 1_000
    return Home(
        today=TODAY,
        zone="Europe/London",
        active=tuple(Active(where, True, MONDAY, True, text, (text,) * 5, "UTC") for _ in range(MOST_ACTIVE)),
        more_active=280,
        tasks=tuple(item(number, text) for number in range(MOST_TASKS)),
        more_tasks=285,
        overdue=300,
        drafts=tuple(Draft(where, core.LEADS, MONDAY, 9, link) for _ in range(10)),
        more_drafts=290,
        recent=tuple(Recent(where, True, (text,) * 9, MONDAY, link) for _ in range(MOST_RECENT)),
        more_recent=290,
    )


def of_home(view: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a Home tab."""
    if (kept := View(**view).to_dict()) != view:
        yield f"slack_sdk makes something else of it: {kept}"
    if len(json.dumps(view).encode()) > 250_000:
        yield "it has more than 250 kB"
    yield from of_blocks([{k: v for k, v in one.items() if k != "accessory"} for one in view["blocks"]], 100)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_fullest_tab_of_hostile_words_is_what_slack_takes(text: str) -> None:
    assert list(of_home(wording.home(full(text), "D1", "/incident"))) == []


def test_three_hundred_incidents_and_tasks_are_clipped_with_a_way_to_the_rest(cast: Cast) -> None:
    cast.type(cast.ada, "start A first one")
    with cast.stage.app.store.writing() as tx:
        for _ in range(299):
            made = tx.open_incident(cast.ws.team, "C9", private=False, now=MONDAY)
            tx.append(
                made,
                [ev.Started(by="p", recorded_at=MONDAY, entry=1, at=MONDAY, text="Another", severity=None, drill=False,
                            onset=MONDAY, onset_approx=False)],
            )  # fmt: skip
            tx.summarise(made.key, title="Another", status="open", severity=None)
    cast.type(cast.ada, *(f"todo @ada task {number}" for number in range(20)))
    seen = cast.open(cast.ada)
    assert f"… and {300 - MOST_ACTIVE} more: `/incident list`" in seen
    assert f"… and {20 - MOST_TASKS} more: `/incident tasks mine`" in seen
    assert list(of_home(cast.ws.homes[cast.ada.id].given)) == []


def test_tabs_read_like_this(golden: Callable[[str, str], None]) -> None:
    link = "https://scribe.example/d/1"
    home = Home(
        today=TODAY,
        zone="Europe/London",
        active=(
            Active(place(), False, MONDAY, True, "Ben", ("scribe",), "UTC"),
            Active(place(2, "The audit", private=True), True, MONDAY, False, "", (), "UTC"),
        ),
        tasks=(item(3, "Cap the pool"),),
        more_tasks=2,
        overdue=1,
        drafts=(Draft(place(4), core.ASKED, MONDAY, 3, link),),
        recent=(Recent(place(5), True, ("Ada", "Ben"), MONDAY, link), Recent(place(6), False, (), MONDAY)),
    )
    shown = {
        "full": wording.home(home, "D1", "/incident"),
        "empty": wording.home(Home(TODAY, "UTC"), "D1", "/incident"),
        "outside": wording.home(Home(TODAY, "UTC", outside=True), "D1", "/incident"),
        "cleared": wording.cleared(),
    }
    for view in shown.values():
        assert list(of_home(view)) == []
    golden("home.json", json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
