"""Nothing doubled, nothing out of place: each way in, disturbed in each way, leaves the record of a calm night.

A `Way` makes one request; a `Disturbance` brings it to the app, more than once, too late, to two processes, or while
the clock jumps. What is compared is every event on disk and what stands in the channels.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import App, create
from bot.core.events import Kind
from bot.core.incident import Incident, fold
from bot.core.record import TIMERS, Letter
from bot.press import Press
from bot.slack.sockets import Sockets
from bot.store import Store
from bot.workspace import DoorReply, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import SIGNING_SECRET, Stage, Wire
from tests.clients import all_talk, as_command, as_mention, entries, listening
from tests.conftest import ROOT, SATURDAY, Bare, bare, started_serve

PATIENCE = 20.0
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CLOCKS_GO_BACK = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
"""London: half past one for the second time."""


SUBSCRIPTIONS = frozenset({"app_mention", "member_joined_channel", "channel_rename", "reaction_added", "pin_added"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request that Slack has made and nobody has answered yet."""

    body: bytes
    kind: str

    def anew(self, **changed: Any) -> Request:
        """The same event with other fields."""
        return Request(json.dumps(json.loads(self.body) | changed).encode(), self.kind)


class Night:
    """An incident of three hours with two people in it, and the way to the app in our hands."""

    def __init__(self, folder: Path, press: Press, at: datetime = SATURDAY) -> None:
        self.stage = Bare(folder, at, press=press)
        self.ws = self.stage.workspace
        self.ws.subscriptions = SUBSCRIPTIONS
        self.ada = self.ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.ws.add_user("ben", display_name="Ben", tz="America/New_York")
        self.channel = self.ws.add_channel("payments", members=[self.ada, self.ben], bot_in=True)
        self.other = self.ws.add_channel("search", members=[self.ada, self.ben])
        self.others: list[App] = []
        self.type("start sev1 Checkout returns errors since 3h ago")
        self.type("suspect the pool is full")
        self.pass_time(MINUTE)

    def type(self, line: str) -> None:
        assert self.ws.command(self.ada, self.channel, line).in_channel
        self.stage.pump()

    def pass_time(self, time: timedelta) -> None:
        self.stage.clock.at += time

    # ---- bringing requests to the app ------------------------------------------------------------

    @contextmanager
    def held(self) -> Iterator[list[Request]]:
        """Requests that are made meanwhile go nowhere: they are kept, in order, for us to deliver."""
        door, kept = self.ws.door, list[Request]()
        assert door is not None

        def keep(path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
            kept.append(Request(body, headers["Content-Type"]))
            return DoorReply(200)

        self.ws.attach(keep)
        yield kept
        self.ws.attach(door)

    def deliver(self, request: Request, app: App | None = None, **headers: str) -> tuple[int, bytes]:
        """Brings a request to the app, signed now, as Slack signs what it sends again."""
        signed = {"Content-Type": request.kind, **self.ws.sign(request.body), **headers}
        answer = (app or self.stage.app).web.test_client().post("/slack/events", data=request.body, headers=signed)
        return answer.status_code, answer.data

    def at_once(self, request: Request, *apps: App) -> list[tuple[int, bytes]]:
        """Brings it to each of these at the same time, each in a thread of its own."""
        together, answers = threading.Barrier(len(apps)), list[tuple[int, bytes]]()

        def knock(app: App) -> None:
            together.wait(PATIENCE)
            answers.append(self.deliver(request, app))

        threads = [threading.Thread(target=knock, args=(app,)) for app in apps]
        for one in threads:
            one.start()
        for one in threads:
            one.join(PATIENCE)
        assert len(answers) == len(apps)
        return answers

    def second(self) -> App:
        """Another process on the same database: a store, a scribe and an outbox of its own."""
        app = create(
            self.stage.settings,
            slack=Wire(self.ws),
            clock=self.stage.clock,
            secret=SIGNING_SECRET.encode(),
            press=self.stage.press,
            pause=lambda seconds: self.stage.clock.advance(timedelta(seconds=seconds)),
        )
        self.others.append(bare(app))
        return app

    # ---- what is left ----------------------------------------------------------------------------

    def events(self, *, timed: bool) -> list[list[tuple[str, Any]]]:
        """Every event of every incident, with Slack's ids for the keys of people; without its times if not `timed`."""
        told = []
        with self.stage.app.store.reading() as tx:
            for place in tx.all_places():
                stored = tx.stored(place.key)
                keys = {facts[name] for _, facts, _ in stored for name in ("by", "person", "author") if facts.get(name)}
                users = {key: one.user for key, one in tx.people(keys).items()}
                told.append(
                    [(name, self._plain({**facts, **(words or {})}, users, timed)) for name, facts, words in stored]
                )
        return told

    @staticmethod
    def _plain(facts: dict[str, Any], users: dict[str, str], timed: bool) -> dict[str, Any]:
        times = {"at", "recorded_at", "onset"}
        return {
            name: users.get(value, value) if isinstance(value, str) else value
            for name, value in facts.items()
            if timed or name not in times
        }

    def shown(self) -> list[tuple[str, int, int]]:
        """How many messages of Scribe's stand in each channel, threads too, and how many one person alone sees."""
        bot, channels = self.ws.bot_user, self.ws.channels.values()
        return [
            (one.name, sum(m.user == bot for m in one.messages), sum(m.user == bot for m in one.ephemerals))
            for one in channels
        ]

    def heard_of(self) -> list[tuple[str, bool | None, bool | None]]:
        """What is known of the channels: name, whether Scribe is in it, whether it is archived."""
        with self.stage.app.store.reading() as tx:
            found = [tx.channel(self.ws.team, one.id) for one in (self.channel, self.other)]
        return [(one.name, one.member, one.archived) for one in found]

    def unsent(self) -> list[tuple[str, str, str]]:
        with self.stage.app.store.reading() as tx:
            return [
                (one.kind, state, error)
                for state in ("waiting", "leased", "parked")
                for one, error in tx.letters(state)
            ]

    def incident(self, number: int = 1) -> Incident:
        with self.stage.app.store.reading() as tx:
            place = tx.by_number(self.ws.team, number)
            assert place is not None
            return fold(tx.events(place.key), number)

    def texts(self, number: int = 1) -> list[tuple[int, Kind, str]]:
        return [(one.number, one.kind, one.text) for one in self.incident(number).entries.values()]

    def end(self, *, timed: bool = True) -> list[Any]:
        """One more line, and everything that was left when all letters have gone out."""
        self.type("note the last line")
        self.stage.settle()
        assert self.stage.app.store.verify()[2] == []
        return [self.events(timed=timed), self.shown(), self.heard_of(), self.unsent()]

    def close(self) -> None:
        for app in (*self.others, self.stage.app):
            app.store.close()


Nights = Callable[..., Night]


@pytest.fixture
def night_of(tmp_path: Path, press: Press) -> Iterator[Nights]:
    """Nights that begin alike."""
    made: list[Night] = []

    def begin(at: datetime = SATURDAY) -> Night:
        made.append(Night(tmp_path / str(len(made)), press, at))
        return made[-1]

    yield begin
    for one in made:
        one.close()


# ---- the ways in ---------------------------------------------------------------------------------


def command(night: Night) -> None:
    night.ws.command(night.ada, night.channel, "note CPU is at 100 %")


def question(night: Night) -> None:
    """A command that is answered with a choice."""
    night.ws.command(night.ben, night.channel, "rolled back deploy 4711")


def mention(night: Night) -> None:
    night.ws.say(night.ben, night.channel, "@scribe note customers write in")


def mention_that_is_refused(night: Night) -> None:
    night.ws.say(night.ben, night.channel, "@scribe worked 17")


def mention_that_looks(night: Night) -> None:
    night.ws.say(night.ben, night.channel, "@scribe status")


def joined(night: Night) -> None:
    night.ws.invite_bot(night.other)


def renamed(night: Night) -> None:
    night.ws.rename(night.channel, "payments-2")


def button(night: Night) -> Callable[[], object]:
    offer = night.ws.command(night.ben, night.channel, "rolled back deploy 4711")
    return lambda: night.ws.click(night.ben, offer, "Action")


def undo(night: Night) -> Callable[[], object]:
    over = night.ws.command(night.ada, night.channel, "resolve graphs are flat")
    return lambda: night.ws.click(night.ada, over, "Undo")


def tap_that_is_refused(night: Night) -> Callable[[], object]:
    """By the time of the tap, what was offered cannot be done any more."""
    said = night.ws.command(night.ada, night.channel, "cause the pool is full")
    night.type("remove 3")
    return lambda: night.ws.click(night.ada, said, "It is a guess")


def form(night: Night) -> Callable[[], object]:
    assert night.ws.shortcut(night.ada, "start_incident").ok
    since = int((night.stage.clock() - 3 * HOUR).timestamp())
    values = {"title": "Search is slow", "channel": night.other.id, "severity": "2", "since": since}
    return lambda: night.ws.submit(night.ada, values=values)


def shortcut(night: Night) -> Callable[[], object]:
    said = night.ws.say(night.ben, night.channel, "the queue is at 40,000")
    night.pass_time(MINUTE)
    assert night.ws.message_shortcut(night.ada, night.channel, said, "add_to_timeline").ok
    return lambda: night.ws.submit(night.ada, values={"kind": "action"})


def reaction(night: Night) -> Callable[[], object]:
    said = night.ws.say(night.ben, night.channel, "halved the pool")
    night.pass_time(MINUTE)
    return lambda: night.ws.react(night.ada, night.channel, said, "mag_right")


def pin(night: Night) -> Callable[[], object]:
    said = night.ws.say(night.ben, night.channel, "the graph is flat")
    night.pass_time(MINUTE)
    return lambda: night.ws.pin(night.ada, night.channel, said)


def task_form(night: Night) -> Callable[[], object]:
    assert night.ws.command(night.ada, night.channel, "todo").ok
    return lambda: night.ws.submit(night.ada, values={"text": "cap the pool"})


AT_ONCE = (command, question, mention, mention_that_is_refused, mention_that_looks, joined, renamed)
PREPARED = (button, undo, tap_that_is_refused, form, shortcut, task_form)
BY_LETTER = (reaction, pin)
"""What they ask for is recorded when their letter is sent, not while Slack waits."""
WAYS = (*AT_ONCE, *PREPARED)


def asked(night: Night, way: Callable[[Night], Any]) -> Request:
    """The request that a way makes, in our hands."""
    act = way(night) if way in (*PREPARED, *BY_LETTER) else lambda: way(night)
    with night.held() as kept:
        act()
    (request,) = kept
    return request


# ---- the same request, more than once ------------------------------------------------------------


def alone(night: Night, request: Request) -> None:
    """A calm night."""
    assert night.deliver(request)[0] == 200


def again(night: Night, request: Request) -> None:
    assert night.deliver(request) == night.deliver(request)


def after_five_minutes(night: Night, request: Request) -> None:
    first = night.deliver(request)
    night.stage.pump()
    night.pass_time(5 * MINUTE)
    assert night.deliver(request) == first
    night.pass_time(-5 * MINUTE)


def after_a_restart(night: Night, request: Request) -> None:
    first = night.deliver(request)
    night.stage.restart()
    assert night.deliver(request) == first


def after_more_was_said(night: Night, request: Request) -> None:
    first = night.deliver(request)
    night.stage.pump()
    assert night.deliver(request, night.second()) == first


def in_two_threads(night: Night, request: Request) -> None:
    first, second = night.at_once(request, night.stage.app, night.stage.app)
    assert first == second


def in_two_processes(night: Night, request: Request) -> None:
    first, second = night.at_once(request, night.stage.app, night.second())
    assert first == second


def four_times_in_two_processes(night: Night, request: Request) -> None:
    app, other = night.stage.app, night.second()
    assert len(set(night.at_once(request, app, other, app, other))) == 1


def with_retry_headers(night: Night, request: Request) -> None:
    first = night.deliver(request)
    for retry in ("1", "2", "3"):
        said = {"X-Slack-Retry-Num": retry, "X-Slack-Retry-Reason": "http_timeout"}
        assert night.deliver(request, **said) == first
        night.stage.pump()


def as_a_retry_only(night: Night, request: Request) -> None:
    """The first try never came."""
    assert night.deliver(request, **{"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_error"})[0] == 200


def while_the_clock_is_put(by: timedelta) -> Callable[[Night, Request], None]:
    def disturb(night: Night, request: Request) -> None:
        first = night.deliver(request)
        night.pass_time(by)
        assert night.deliver(request) == first
        night.stage.pump()
        night.pass_time(-by)
        assert night.deliver(request) == first

    disturb.__name__ = f"clock_put_by_{by.total_seconds():.0f}_s"
    return disturb


def over_sockets(night: Night, request: Request) -> None:
    """In two envelopes, each of which comes twice."""
    door = night.ws.door
    assert door is not None
    with WorkspaceServer(night.ws) as server:
        server.attach_sockets(patience=PATIENCE)
        sockets = Sockets(night.stage.app.bolt, night.ws.app_token, server.api_url, night.stage.clock)
        sockets.start()
        server.sockets.wait(timeout=PATIENCE)
        headers = {"Content-Type": request.kind}
        for _ in range(2):
            assert server.sockets.door("/slack/events", request.body, headers).status == 200
            last = server.sockets.envelopes[-1]["envelope_id"]
            server.sockets.repeat()
            server.sockets.answers_to(last, 2, PATIENCE)
        sockets.close()
    night.ws.attach(door)


DISTURBANCES = (
    again,
    after_five_minutes,
    after_a_restart,
    after_more_was_said,
    in_two_threads,
    in_two_processes,
    four_times_in_two_processes,
    with_retry_headers,
    as_a_retry_only,
    while_the_clock_is_put(-HOUR),
    while_the_clock_is_put(HOUR),
    while_the_clock_is_put(3 * DAY),
    over_sockets,
)


def name(one: Callable[..., Any]) -> str:
    return one.__name__


@pytest.mark.parametrize("way", WAYS, ids=name)
def test_a_request_that_comes_again_changes_nothing(night_of: Nights, way: Callable[[Night], Any]) -> None:
    calm = night_of()
    alone(calm, asked(calm, way))
    wanted = calm.end()
    for disturb in DISTURBANCES:
        night = night_of()
        disturb(night, asked(night, way))
        assert (disturb.__name__, night.end()) == (disturb.__name__, wanted)


@pytest.mark.parametrize("way", BY_LETTER, ids=name)
def test_a_mark_that_comes_again_changes_nothing(night_of: Nights, way: Callable[[Night], Any]) -> None:
    calm = night_of()
    alone(calm, asked(calm, way))
    calm.stage.pump()
    wanted = calm.end()
    assert [kind for _, kind, _ in calm.texts()][2:] == [Kind.ACTION if way is reaction else Kind.NOTE, Kind.NOTE]
    for disturb in (again, in_two_threads, in_two_processes, four_times_in_two_processes, with_retry_headers):
        night = night_of()
        disturb(night, asked(night, way))
        night.stage.pump()
        assert (disturb.__name__, night.end()) == (disturb.__name__, wanted)


# ---- the clock -----------------------------------------------------------------------------------

JUMPS = (-HOUR, HOUR, DAY)


@pytest.mark.parametrize("way", WAYS, ids=name)
def test_a_clock_that_jumps_changes_no_more_than_the_times(night_of: Nights, way: Callable[[Night], Any]) -> None:
    for at in (SATURDAY, CLOCKS_GO_BACK):
        calm = night_of(at)
        alone(calm, asked(calm, way))
        wanted = calm.end(timed=False)
        for by in JUMPS:
            night = night_of(at)
            request = asked(night, way)
            night.pass_time(by)
            assert night.deliver(request)[0] == 200
            night.stage.pump()
            assert (by, night.unsent()) == (by, [])
            night.pass_time(-by)
            assert (by, night.end(timed=False)) == (by, wanted)


def answers(night: Night) -> list[str]:
    """Which mentions were answered in the channel, in order."""
    bot = night.ws.bot_user
    said = [night.ws.text(one) for one in night.ws.messages(night.channel) if one.user == bot]
    return [word for text in said for word in ("one", "two", "three") if f"line {word}" in text]


@pytest.mark.parametrize("by", [HOUR, DAY, 400 * DAY])
@pytest.mark.parametrize("restarted", [False, True])
def test_letters_that_a_wrong_clock_dated_do_not_wait_for_their_date(
    night_of: Nights, by: timedelta, restarted: bool
) -> None:
    night = night_of()
    night.pass_time(by)
    if not restarted:
        night.stage.pump()  # the outbox has seen that clock
    for word in ("one", "two"):
        night.ws.say(night.ada, night.channel, f"@scribe note line {word}")
    night.pass_time(-by)
    if restarted:
        night.stage.restart()
    night.ws.say(night.ada, night.channel, "@scribe note line three")
    night.stage.pump()
    assert answers(night) == ["one", "two", "three"]
    assert night.unsent() == []


def test_a_draft_that_a_wrong_clock_dated_keeps_its_distance(night_of: Nights) -> None:
    night = night_of()
    night.pass_time(3 * HOUR)
    night.ws.say(night.ada, night.channel, "@scribe note line one")
    night.pass_time(timedelta(seconds=10))
    assert night.ws.command(night.ada, night.channel, "resolve calm").in_channel
    night.pass_time(-3 * HOUR)
    night.stage.pump()
    assert answers(night) == ["one"]
    assert {kind for kind, _, _ in night.unsent()} == {"export", "announce"}
    night.pass_time(timedelta(seconds=30))
    night.stage.pump()
    assert night.unsent() == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_lease_of_a_wrong_clock_runs_out_by_the_right_one(night_of: Nights, restarted: bool) -> None:
    """A letter is in the hand of a process that dies, while the clock is a day ahead."""
    night = night_of()
    night.pass_time(3 * HOUR)
    night.stage.pump()
    night.ws.say(night.ada, night.channel, "@scribe note line one")
    with night.second().store.writing() as tx:
        while (taken := tx.lease(night.stage.clock(), 180)) is not None and taken.kind != "answer":
            pass
    assert taken is not None
    night.pass_time(-3 * HOUR)
    if restarted:
        night.stage.restart()
    night.stage.pump()
    assert answers(night) == []  # whoever has it may still be at it
    night.pass_time(timedelta(seconds=181))
    night.stage.pump()
    assert answers(night) == ["one"]


def test_a_first_draft_that_was_asked_to_come_late_is_not_brought_forward(stage_with: Callable[..., Stage]) -> None:
    stage = stage_with(draft_delay=3600.0)
    ada = stage.workspace.add_user("ada", tz="Europe/London")
    channel = stage.workspace.add_channel("payments", members=[ada])
    for line in ("start Checkout is down", "resolve calm"):
        assert stage.workspace.command(ada, channel, line).in_channel
    stage.pump()
    with stage.app.store.reading() as tx:
        due = {letter.due_at for letter, _ in tx.letters("waiting") if letter.kind not in TIMERS}
    assert due == {stage.clock() + HOUR}


@pytest.mark.parametrize("by", [timedelta(seconds=-2), -MINUTE, -HOUR])
def test_the_same_line_is_asked_about_though_the_clock_was_put_back(night_of: Nights, by: timedelta) -> None:
    night = night_of()
    night.type("note it is slow")
    night.pass_time(by)
    again = night.ws.command(night.ada, night.channel, "note it is slow")
    said = "You recorded the same line just now as entry 3. It is not recorded twice unless you say so."
    assert (again.in_channel, again.text) == (False, said)


def test_a_form_that_comes_again_is_answered_alike_though_its_time_is_still_to_come_now(night_of: Nights) -> None:
    night = night_of()
    assert night.ws.shortcut(night.ada, "start_incident").ok
    with night.held() as kept:
        night.ws.submit(night.ada, values={"title": "Search is slow", "channel": night.other.id})
    first = night.deliver(kept[0])
    night.pass_time(-HOUR)
    assert (first, night.deliver(kept[0])) == ((200, b""), (200, b""))
    assert [text for _, _, text in night.texts(2)] == ["Search is slow"]


# ---- late, and out of order ----------------------------------------------------------------------


def mentions(night: Night, *lines: str) -> list[Request]:
    """What Ben says to Scribe, a minute apart; nothing of it has been delivered."""
    kept = []
    for line in lines:
        with night.held() as held:
            night.ws.say(night.ben, night.channel, f"@scribe {line}")
        kept += held
        night.pass_time(MINUTE)
    return kept


def told(night: Night, number: int = 1) -> list[tuple[datetime, str, str]]:
    """What was recorded, in the order of the timeline: when it happened, what it is, what it says."""
    found = sorted(night.incident(number).entries.values(), key=lambda one: one.order)
    return [(one.at.replace(microsecond=0), one.kind.value, one.text) for one in found]


def test_what_comes_an_hour_late_is_recorded_with_the_time_at_which_it_was_said(night_of: Nights) -> None:
    calm, late = night_of(), night_of()
    for night, delay in ((calm, timedelta()), (late, HOUR)):
        requests = mentions(night, "note customers write in", "did restart pod 7", "mitigated -2m errors are gone")
        night.pass_time(delay)
        for request in requests:
            assert night.deliver(request)[0] == 200
    assert told(late) == told(calm)
    assert (SATURDAY + MINUTE, "note", "customers write in") in told(late)


def test_events_out_of_order_make_the_same_timeline(night_of: Nights) -> None:
    lines = ("note customers write in", "did restart pod 7", "resolve it is calm", "note graphs are flat")
    timelines = []
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2), (2, 0, 3, 1)):
        night = night_of()
        requests = mentions(night, *lines)
        for one in order:
            assert night.deliver(requests[one])[0] == 200
            night.stage.pump()
        timelines.append((told(night), night.incident().status, night.incident().impact(night.stage.clock())))
    assert timelines == [timelines[0]] * 4


def test_the_same_words_said_half_an_hour_apart_are_two_lines_though_they_come_together(night_of: Nights) -> None:
    night = night_of()
    (first,) = mentions(night, "note still down")
    night.pass_time(HOUR / 2)
    (second,) = mentions(night, "note still down")
    night.pass_time(HOUR)
    for request in (second, first):
        assert night.deliver(request)[0] == 200
    assert [text for _, _, text in told(night)[2:]] == ["still down", "still down"]


def test_what_comes_late_is_of_the_incident_that_was_on_when_it_was_said(night_of: Nights) -> None:
    night = night_of()
    late, choice = mentions(night, "note customers write in", "rolled back deploy 4711")
    night.pass_time(5 * MINUTE)
    night.type("resolve it is calm")
    night.pass_time(5 * MINUTE)
    night.type("start sev2 Search is slow")
    night.pass_time(HOUR)
    for request in (late, choice):
        assert night.deliver(request)[0] == 200
    night.stage.pump()
    asked_about = night.ws.ephemerals(night.ben, night.channel)[-1]
    assert night.ws.click(night.ben, asked_about, "Action").ok
    assert told(night)[2:] == [
        (SATURDAY + MINUTE, "note", "customers write in"),
        (SATURDAY + 2 * MINUTE, "action", "rolled back deploy 4711"),
        (SATURDAY + 8 * MINUTE, "resolution", "it is calm"),
    ]
    assert [text for _, _, text in told(night, 2)] == ["Search is slow"]


def test_a_start_that_comes_late_opens_no_second_incident_beside_an_open_one(night_of: Nights) -> None:
    night = night_of()
    night.type("resolve it is calm")
    (late,) = mentions(night, "start Search is slow")
    night.pass_time(HOUR)
    night.type("start Search is slow")
    night.pass_time(MINUTE)
    assert night.deliver(late)[0] == 200
    with night.stage.app.store.reading() as tx:
        assert [place.number for place in tx.all_places()] == [1, 2]


def test_impact_is_over_where_it_is_resolved_at_a_time_before_it_came_back(night_of: Nights) -> None:
    night = night_of()
    night.type("mitigated -30m errors are gone")
    night.type("again errors are back")
    night.type("resolve -1m false alarm")
    windows = night.incident().windows()
    assert [one.end is None for one in windows] == [False, False]
    night.pass_time(DAY)
    assert night.incident().impact(night.stage.clock()) == timedelta(hours=2, minutes=31)


# ---- two at once ---------------------------------------------------------------------------------


def test_two_people_who_tap_different_choices_at_once_take_one(night_of: Nights) -> None:
    night = night_of()
    offer = night.ws.command(night.ben, night.channel, "rolled back deploy 4711")
    taps = []
    for choice in ("Action", "Note"):
        with night.held() as kept:
            night.ws.click(night.ben, offer, choice)
        taps += kept
    apps, together = (night.stage.app, night.second()), threading.Barrier(2)

    def tap(app: App, request: Request) -> None:
        together.wait(PATIENCE)
        night.deliver(request, app)

    threads = [threading.Thread(target=tap, args=one) for one in zip(apps, taps, strict=True)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    (recorded,) = night.texts()[2:]
    assert recorded in [(3, kind, "rolled back deploy 4711") for kind in (Kind.ACTION, Kind.NOTE)]


def test_two_people_who_capture_one_message_at_once_record_it_once(night_of: Nights) -> None:
    night = night_of()
    said = night.ws.say(night.ben, night.channel, "the queue is at 40,000")
    forms = []
    for who in (night.ada, night.ben):
        assert night.ws.message_shortcut(who, night.channel, said, "add_to_timeline").ok
        with night.held() as kept:
            night.ws.submit(who, values={"kind": "action"})
        forms += kept
    other, together = night.second(), threading.Barrier(2)
    answers: list[bytes] = []

    def submit(app: App, request: Request) -> None:
        together.wait(PATIENCE)
        answers.append(night.deliver(request, app)[1])

    threads = [threading.Thread(target=submit, args=one) for one in zip((night.stage.app, other), forms, strict=True)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert night.texts()[2:] == [(3, Kind.ACTION, "the queue is at 40,000")]
    assert sorted(b"recorded already, as entry 3" in one for one in answers) == [False, True]


def test_what_another_process_recorded_counts_at_once(night_of: Nights) -> None:
    """Each process remembers incidents as they stood when it last looked."""
    night = night_of()
    apps = (night.stage.app, night.second())

    def both(act: Callable[[], object]) -> tuple[int, bytes]:
        """To one process and then the other: both have seen it, the second as a request that comes again."""
        with night.held() as kept:
            act()
        answers = {night.deliver(kept[0], app) for app in apps}
        assert len(answers) == 1
        return answers.pop()

    def see() -> None:
        for line in ("timeline all", "gaps", "status"):
            assert both(lambda line=line: night.ws.command(night.ada, night.channel, line))[0] == 200

    for line in ("note one", "suspect two", "ruledout 4 three", "remove 3", "resolve calm", "reopen no", "undo"):
        assert both(lambda line=line: night.ws.command(night.ada, night.channel, line))[0] == 200
        see()
        apps = apps[::-1]
    destroy = night.ws.command(night.ada, night.channel, "redact 4")
    assert both(lambda: night.ws.click(night.ada, destroy, "Destroy the text"))[0] == 200
    see()
    assert night.texts()[2:] == [
        (3, Kind.NOTE, "one"),
        (4, Kind.HYPOTHESIS, ""),
        (5, Kind.DEAD_END, "three"),
        (6, Kind.RESOLUTION, "calm"),
        (7, Kind.REOPENED, "no"),
    ]


def test_two_outboxes_send_what_there_is_once_and_in_order(night_of: Nights) -> None:
    night = night_of()
    words = ("one", "two", "three")
    for word in words:
        night.ws.say(night.ada, night.channel, f"@scribe note line {word}")
    outboxes = [night.stage.app.outbox, night.second().outbox]
    while any(outbox.send_one() for outbox in outboxes):
        pass
    assert answers(night) == list(words)
    assert night.unsent() == []


# ---- many at once, over HTTP ---------------------------------------------------------------------


@pytest.mark.parametrize("said", [as_command, as_mention], ids=name)
@pytest.mark.parametrize(
    ("lines", "processes"),
    [(12, 2), pytest.param(200, 1, marks=pytest.mark.slow), pytest.param(200, 2, marks=pytest.mark.slow)],
)
def test_sixteen_people_lose_nothing(tmp_path: Path, lines: int, processes: int, said: Any) -> None:
    """All lines are there, numbered in order, nobody's own are out of order, and none is refused for a lock."""
    clients = 16
    workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
    with WorkspaceServer(workspace) as server, serving(tmp_path, workspace, server.api_url, processes) as ports:
        people = [workspace.add_user(f"person-{number}", tz="UTC") for number in range(clients)]
        channel = workspace.add_channel("payments", members=people, bot_in=True)
        server.attach_http(f"http://127.0.0.1:{ports[0]}")
        assert workspace.command(people[0], channel, "start Checkout is down").in_channel
        found = all_talk(workspace, channel, people, ports, lines, said)
    assert {one.status for one in found} == {200}
    if said is as_command:
        assert all(one.recorded for one in found)
    secret = SIGNING_SECRET.encode()
    store = Store(tmp_path / "scribe.db", migrations=ROOT / "migrations", secret=secret, randomness=lambda n: b"\0" * n)
    with store.reading() as tx:
        record = entries(fold(tx.events(1)))
    assert store.verify() == (1, clients * lines + 1, [])
    store.close()
    assert [number for number, _ in record] == list(range(1, clients * lines + 2))
    spoken = [text for _, text in record[1:]]
    for client in range(clients):
        own = [text for text in spoken if text.startswith(f"client {client} ")]
        assert own == [f"client {client} line {line}" for line in range(1, lines + 1)]


@contextmanager
def serving(folder: Path, workspace: Workspace, api_url: str, processes: int) -> Iterator[list[int]]:
    """So many `scribe serve` on one database; gives their ports. They end in good order, without a defect."""
    started = []
    for number in range(processes):
        own = folder / str(number)
        own.mkdir()
        settings = {
            "SLACK_SIGNING_SECRET": workspace.signing_secret,
            "SCRIBE_DATABASE": str(folder / "scribe.db"),
            "SCRIBE_SECRET": SIGNING_SECRET,
        }
        log = own / "log"
        started.append((started_serve(workspace, api_url, own, own / "out", log, **settings), own / "out", log))
    try:
        yield [listening(out) for _, out, _ in started]
        for process, _, log in started:
            process.terminate()
            assert (process.wait(PATIENCE), "Traceback" in log.read_text()) == (0, False), log.read_text()
    finally:
        for process, _, _ in started:
            process.kill()
            process.wait(PATIENCE)


# ---- long incidents ------------------------------------------------------------------------------


def steps(store: Store, act: Callable[[], object]) -> int:
    """How many instructions SQLite runs for this thread meanwhile: unlike seconds, the same on every machine."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    with store.reading() as tx:
        connection = tx._connection
    connection.set_progress_handler(count, 1)
    act()
    connection.set_progress_handler(None, 1)
    return counted


def test_a_line_is_no_dearer_because_its_incident_is_long(night_of: Nights) -> None:
    night = night_of()
    store = night.stage.app.store

    def costs() -> list[int]:
        """Of a command, of a mention, of its answer, of a request that comes again."""
        with night.held() as kept:
            night.ws.command(night.ada, night.channel, f"note it goes on {night.stage.clock()}")
            night.ws.say(night.ben, night.channel, f"@scribe note and on {night.stage.clock()}")
        night.pass_time(MINUTE)
        acts = [lambda: night.deliver(kept[0]), lambda: night.deliver(kept[1]), night.stage.pump]
        return [steps(store, act) for act in (*acts, acts[0])]

    for _ in range(10):
        costs()
    short = costs()
    for _ in range(100):
        costs()
    assert all(now <= 1.5 * then for then, now in zip(short, costs(), strict=True))


def test_a_letter_is_found_at_once_behind_all_that_were_sent(night_of: Nights) -> None:
    night = night_of()
    store, now = night.stage.app.store, night.stage.clock()

    def cost(letters: int) -> int:
        """Of the next letter, with so many waiting in its lane, and those of before sent."""
        with store.writing() as tx:
            while (letter := tx.lease(now, 180)) is not None:
                tx.settle(letter, "sent", now)
            tx.enqueue([Letter("answer", night.ws.team, "lane", {}, now) for _ in range(letters)])

        def look() -> None:
            with store.reading() as tx:
                assert tx.to_send(now) is not None

        return steps(store, look)

    first = cost(100)
    assert [cost(100), cost(100)] == [first, first]
