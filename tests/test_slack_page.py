"""docs/slack.md: each way in as people see it, drawn from the real app; what each costs; what bad input is answered."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slack_sdk.models.views import View as SlackView

from bot.core.answers import Heard, Recorded
from bot.core.commands import Record
from bot.core.events import Kind
from bot.press import Press
from bot.workspace import Answer, Call, Channel, Message, User, View
from bot.workspace.stage import Stage
from tests.conftest import SATURDAY, Remembering
from tests.test_blocks import of_blocks, of_message, of_view

PAGE = Path(__file__).resolve().parent.parent / "docs" / "slack.md"


class Cast:
    """Four people in a channel, a channel where incidents are announced, and time that passes."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.ws = stage, stage.workspace
        add = self.ws.add_user
        self.ada = add("ada", display_name="Ada", tz="Europe/London")
        self.ben = add("ben", display_name="Ben", tz="America/New_York")
        self.chidi = add("chidi", display_name="Chidi", tz="Africa/Lagos")
        self.dana = add("dana", display_name="Dana", tz="Europe/Berlin")
        people = [self.ada, self.ben, self.chidi, self.dana]
        self.channel = self.ws.add_channel("payments", members=people)
        self.news = self.ws.add_channel("incidents", members=people)

    def wait(self, **time: float) -> None:
        """Time passes; what falls due on the way leaves at its time."""
        self.until(self.stage.clock() + timedelta(**time))

    def until(self, at: datetime) -> None:
        self.stage.pump()
        while (due := self.stage.app.outbox.next_due()) is not None and due <= at:
            self.stage.clock.move_to(due)
            self.stage.pump()
        self.stage.clock.move_to(at)
        self.stage.pump()

    def type(self, who: User, line: str, channel: Channel | None = None) -> Answer:
        answer = self.ws.command(who, channel or self.channel, line)
        assert answer.ok, (line, answer.failure)
        self.wait(seconds=5)
        return answer

    def say(self, who: User, text: str, thread: Message | None = None) -> Message:
        said = self.ws.say(who, self.channel, text, thread)
        self.wait(seconds=10)
        return said

    def form(self, who: User) -> View:
        return self.ws.views(who)[-1]

    def submit(self, who: User, **values: Any) -> Answer:
        answer = self.ws.submit(who, self.form(who), values)
        assert answer.ok, answer.failure
        self.wait(seconds=5)
        return answer

    def tap(self, who: User, where: Message | Answer | View, what: str, **more: Any) -> Answer:
        answer = self.ws.click(who, where, what, **more)
        assert answer.ok, answer.failure
        self.wait(seconds=5)
        return answer

    def react(self, who: User, message: Message, sign: str) -> None:
        self.ws.react(who, self.channel, message, sign)
        self.wait(seconds=5)

    def last(self, channel: Channel) -> Message:
        return [one for one in self.ws.messages(channel) if one.by_bot][-1]

    def board(self) -> Message:
        return self.ws.pins(self.channel)[0]

    def drawn(
        self, since: int, channel: Channel | None = None, *, without: Message | None = None, threads: bool = True
    ) -> str:
        """A channel since so many lines of the log, as the transcript has it, in London's time."""
        whole = self.ws.log
        self.ws.log = [one for one in whole[since:] if without is None or one.message is not without]
        try:
            text = self.ws.transcript(channel=channel or self.channel, zone="Europe/London")
        finally:
            self.ws.log = whole
        text = text.replace("the message shortcut add_to_timeline", "the shortcut Add to the timeline")
        title, _, rest = text.partition("\n")
        rest = re.sub(r"\n*--- .* ---\n\n", "", rest, count=1)
        if not threads:
            rest = re.sub(r"(?m)^ {14}└─ .*(\n {14} .*|\n(?=\n {14} ))*\n?", "", rest)
        return rest if channel is None else f"{title.partition(' (')[0]}\n\n{rest}"


# ---- the stories ---------------------------------------------------------------------------------


class Tour(Cast):
    """One incident from its first line to its review, told in every way there is; what people saw of each is kept."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.pictures: dict[str, str] = {}
        self.answers: list[dict[str, Any]] = []
        door = self.ws.door
        assert door is not None

        def listening(path: str, body: bytes, headers: Any) -> Any:
            reply = door(path, body, headers)
            if reply.header("Content-Type").startswith("application/json"):
                self.answers.append(json.loads(reply.body))
            return reply

        self.ws.attach(listening)
        for name in STORIES:
            getattr(self, name)()
        assert list(self.pictures) == list(STORIES)

    def keep(self, name: str, *seen: str) -> None:
        self.pictures[name] = "```\n" + "\n".join(one.rstrip("\n") for one in seen) + "\n```"

    def clock(self) -> str:
        return f"{self.stage.clock().astimezone(ZoneInfo('Europe/London')):%H:%M}"

    def mark(self) -> int:
        return len(self.ws.log)

    def framed(self, head: str, shown: Message | View) -> str:
        """Something that is looked at by itself."""
        text = self.ws.text(shown).split("\n")
        if isinstance(shown, View) and shown.type == "modal":
            text.append("  ".join(f"[ {shown.given[one]['text']} ]" for one in ("submit", "close")))
        lines = [
            part
            for line in text
            for part in textwrap.wrap(line, 110, initial_indent=" " * 6, subsequent_indent=" " * 8)
        ]
        return "\n".join([head, *lines])

    def command(self) -> None:
        since = self.mark()
        self.type(self.ada, "start sev1 Checkout returns errors since 02:50")
        self.wait(minutes=1)
        self.type(self.ada, "detected 02:58 by alert 5xx rate on checkout above 20 %")
        offer = self.type(self.ada, "rolled back 4711")
        self.tap(self.ada, offer, "Action")
        self.keep("command", self.drawn(since, without=self.board()))

    def form_start(self) -> None:
        self.ws.shortcut(self.dana, "start_incident")
        self.wait(seconds=1)
        head = f"{self.clock()} Dana:   (uses the shortcut Start an incident)"
        self.keep("form_start", self.framed(head, self.form(self.dana)))
        self.ws.close(self.dana)

    def reaction(self) -> None:
        self.wait(minutes=1)
        since = self.mark()
        message = self.say(self.ben, "connections to orders-db are all taken")
        self.react(self.dana, message, "bulb")
        self.react(self.ada, message, "bulb")
        self.keep("reaction", self.drawn(since))

    def pin(self) -> None:
        since = self.mark()
        message = self.say(self.dana, "Customers write that they cannot pay; they see “try again later”")
        self.ws.pin(self.dana, self.channel, message)
        self.wait(seconds=5)
        self.keep("pin", self.drawn(since))

    def shortcut(self) -> None:
        since = self.mark()
        message = self.say(self.chidi, "I halved the pool on checkout-2")
        self.wait(minutes=1)
        self.ws.message_shortcut(self.ben, self.channel, message, "add_to_timeline")
        self.wait(seconds=5)
        self.submit(self.ben)
        self.keep("shortcut", self.drawn(since))

    def thread(self) -> None:
        since = self.mark()
        root = self.say(self.ben, "the errors fall, who looks at checkout-3?")
        self.say(self.chidi, "@scribe did halved the pool there too", root)
        self.keep("thread", self.drawn(since))

    def reminder(self) -> None:
        since = self.mark()
        self.wait(minutes=3)
        (asked,) = [one for one in self.ws.messages(self.channel) if "Nobody commands" in one.text]
        self.tap(self.chidi, asked, "I take command")
        self.keep("reminder", self.drawn(since))

    def promise(self) -> None:
        since = self.mark()
        self.type(self.dana, "told customers: Some payments fail. Next news 04:40.")
        self.until(SATURDAY + timedelta(minutes=34, seconds=20))
        self.keep("promise", self.drawn(since))

    def form_impact(self) -> None:
        since = self.mark()
        self.type(self.dana, "impact")
        self.submit(self.dana, text="Payments fail; people see “try again later”", share="34", services="checkout")
        self.keep("form_impact", self.drawn(since))

    def form_edit(self) -> None:
        since = self.mark()
        self.type(self.ada, "edit 3")
        self.submit(self.ada, text0="rolled back deploy 4711")
        self.keep("form_edit", self.drawn(since))

    def suggest(self) -> None:
        self.say(self.ben, "thanks!")
        since = self.mark()
        self.say(self.ben, "Failed over the orders database to its replica")
        self.type(self.chidi, "suggest")
        form = self.form(self.chidi)
        shown = self.drawn(since)
        self.tap(self.chidi, form, "Add")
        after = [line for line in self.ws.text(form).split("\n") if "added" in line]
        self.keep(
            "suggest", shown, f"{self.clock()} Chidi:  (taps Add)", *(f"                {line}" for line in after)
        )
        self.ws.close(self.chidi, everything=True)

    def the_board(self) -> None:
        self.wait(minutes=1)
        self.keep("the_board", self.framed("📌 Scribe:", self.board()))

    def announcement(self) -> None:
        self.keep("announcement", self.drawn(0, self.news))

    def form_todo(self) -> None:
        since = self.mark()
        self.type(self.chidi, "todo")
        self.submit(self.chidi, text="Cap the pool", person=self.ben.id, due="2026-11-27", category="prevent")
        self.keep("form_todo", self.drawn(since))

    def form_resolve(self) -> None:
        self.type(self.ben, "mitigated pool halved everywhere, errors back to 0.1 %")
        self.wait(minutes=20)
        since = self.mark()
        self.type(self.ben, "resolve")
        self.submit(self.ben, text="failed over", verified="graphs flat for 20 minutes", cause="The pool had no limit.")
        self.keep("form_resolve", self.drawn(since))

    def draft(self) -> None:
        since = self.mark()
        self.wait(seconds=30)
        self.keep("draft", self.drawn(since, threads=False))

    def post(self) -> Message:
        return next(one for one in self.ws.messages(self.channel) if "Postmortem" in one.text and not one.is_reply)

    def questions(self) -> None:
        since = self.mark()
        self.tap(self.chidi, self.post(), "Answer the open questions")
        shown = self.drawn(since)
        since = self.mark()
        self.submit(self.chidi, fix="A limit in the deploy template", well="the alert came within eight minutes")
        self.wait(minutes=11)
        self.keep("questions", shown, self.drawn(since))

    def review(self) -> None:
        since = self.mark()
        self.tap(self.chidi, self.post(), "Ask for a review")
        tuesday = int(datetime(2026, 11, 24, 14, 0, tzinfo=UTC).timestamp())
        self.submit(self.chidi, when=tuesday, leads=self.dana.id, asked=[self.ben.id])
        self.wait(minutes=1)
        agenda = self.ws.thread(self.channel, self.post())
        self.keep(
            "review",
            self.drawn(since),
            self.framed(f"└─ {self.clock()} Scribe:", agenda[-1]),
        )

    def tasks(self) -> None:
        since = self.mark()
        listed = self.type(self.ben, "tasks")
        self.tap(self.ben, listed, "Done")
        self.type(self.ben, "todo T1 again")
        self.keep("tasks", self.drawn(since))

    def home(self) -> None:
        self.ws.open_home(self.ben)
        self.wait(seconds=10)
        shown = self.ws.home(self.ben)
        assert shown is not None
        self.keep("home", self.framed("Ben opens Scribe:", shown))

    def digest(self) -> None:
        self.until(datetime(2026, 11, 23, 16, 0, tzinfo=UTC))
        digest = self.last(self.ws.direct(self.ben))
        self.keep("digest", self.framed(f"{digest.at.astimezone(ZoneInfo(self.ben.tz)):%A %H:%M} Scribe:", digest))

    def own_channel(self) -> None:
        since = self.mark()
        self.type(self.ada, "start sev2 Search is down in new channel")
        self.wait(seconds=10)
        own = next(one for one in self.ws.channels.values() if one.name.startswith("inc-2"))
        self.keep("own_channel", self.drawn(since), "", self.drawn(since, own))


STORIES = (
    *("command", "form_start", "reaction", "pin", "shortcut", "thread", "reminder", "promise", "form_impact"),
    *("form_edit", "suggest", "the_board", "announcement", "form_todo", "form_resolve", "draft", "questions", "review"),
    *("tasks", "home", "digest", "own_channel"),
)


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    made = Remembering()
    yield made
    made.close()


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory, press: Press) -> Iterator[Tour]:
    stage = Stage(tmp_path_factory.mktemp("tour"), SATURDAY, press=press, settings={"announce_channel": "#incidents"})
    yield Tour(stage)
    stage.app.store.close()


@pytest.mark.parametrize("name", STORIES)
def test_the_page_has_the_golden_picture_of_each_way(
    name: str, tour: Tour, golden_part: Callable[[Path, str, str], None]
) -> None:
    golden_part(PAGE, name, tour.pictures[name])


def test_all_that_the_stories_send_is_what_slack_takes(tour: Tour) -> None:
    """Every message, form, Home tab and answer, by slack_sdk's models and the limits of Slack's pages."""
    wrong: list[str] = []
    seen: Counter[str] = Counter()

    def look(what: str, found: Iterable[str]) -> None:
        seen[what] += 1
        wrong.extend(f"{what}: {one}" for one in found)

    for call in tour.ws.calls:
        if call.method in ("chat.postMessage", "chat.postEphemeral", "chat.update"):
            look("messages", of_message(call.args, posted=True))
        elif call.method == "views.publish":
            look("Home tabs", of_home(call.args["view"]))
        elif "view" in call.args:
            look("forms", of_view(call.args["view"]))
        else:
            assert "blocks" not in call.args, call.method
    for answer in tour.answers:
        if "view" in answer:
            look("forms", of_view(answer["view"]))
        elif "text" in answer:
            look("answers", of_message(answer, posted=False))
    assert wrong == []
    assert min(seen[what] for what in ("messages", "Home tabs", "forms", "answers")) > 0
    assert seen.total() > 80
    with tour.stage.app.store.reading() as tx:
        assert tx.letters("parked") == []


def of_home(view: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a Home tab."""
    if SlackView(**view).to_dict() != view:
        yield "slack_sdk makes something else of it"
    yield from of_blocks(view["blocks"], 100)


# ---- what it costs -------------------------------------------------------------------------------


def cost_table(cast: Cast) -> str:
    """Which calls each way of recording an entry makes, before Slack hears "ok" and after."""
    ws, ada, ben, channel = cast.ws, cast.ada, cast.ben, cast.channel
    for who in (ada, ben, cast.chidi, cast.dana):
        cast.type(who, "status")
    cast.type(ada, "start sev1 Checkout returns errors")
    cast.wait(minutes=1)
    said = [cast.say(ben, f"halved the pool on checkout-{number}") for number in range(3)]
    reply = cast.say(ben, "Restarted the payment pods", said[0])
    cast.say(ben, "I rolled back the payment service to 4.2.1")
    offer = cast.type(ada, "rolled back 4711")
    cast.wait(minutes=1)
    rows = ["| way in | while Slack waits | to read | to tell | to edit the board |", "| --- | --- | --- | --- | --- |"]

    def count(way: str, *acts: Callable[[], object], apart: float = 0) -> None:
        before, after = Counter[str](), Counter[str]()
        for act in acts:
            mark = len(ws.calls)
            act()
            before.update(kind(call) for call in ws.calls[mark:])
            mark = len(ws.calls)
            cast.wait(seconds=apart)
            after.update(kind(call) for call in ws.calls[mark:])
        mark = len(ws.calls)
        cast.wait(seconds=20)
        after.update(kind(call) for call in ws.calls[mark:])
        cells = [", ".join(f"{n} `{method}`" for method, n in before.items()) or "0"]
        for group in (READS, TELLS, {"the board"}):
            cells.append(", ".join(f"{n} `{method}`" for method, n in after.items() if method in group) or "–")
        if board := after.pop("the board", 0):
            cells[-1] = str(board)
        assert set(after) <= READS | TELLS, after
        rows.append(f"| {way} | {' | '.join(cells)} |")

    def kind(call: Call) -> str:
        on_board = call.method == "chat.update" and call.args["ts"] == cast.board().ts
        return "the board" if on_board else call.method

    def types(line: str) -> Callable[[], object]:
        return lambda: ws.command(ada, channel, line)

    def sends(**values: Any) -> Callable[[], object]:
        return lambda: ws.submit(ada, cast.form(ada), values)

    count("a line: `note …`", types("note it burns"))
    count("ten lines, one a second", *(types(f"note reading {n}") for n in range(10)), apart=1)
    count("sixty lines, one a second", *(types(f"note sample {n}") for n in range(60)), apart=1)
    count("a button under a line without a verb", lambda: ws.click(ada, offer, "Action"))
    count("a form: `todo`, `impact`, …", types("todo"), sends(text="cap the pool"))
    count("a button of the board, and its form", lambda: ws.click(ada, cast.board(), "Note"), sends(text="it smokes"))
    count("a reaction in the channel", lambda: ws.react(ada, channel, said[0], "mag_right"))
    count("a reaction on a reply in a thread", lambda: ws.react(ada, channel, reply, "mag_right"))
    count("the same reaction by somebody else", lambda: ws.react(ben, channel, reply, "mag_right"))
    count("a pin", lambda: ws.pin(ada, channel, said[1]))
    count(
        "*Add to the timeline*, and its form",
        lambda: ws.message_shortcut(ada, channel, said[2], "add_to_timeline"),
        sends(),
    )
    count("a mention in a thread", lambda: ws.say(ada, channel, "@scribe did halved the pool", said[0]))
    count("`suggest`, to look", types("suggest"))
    count("*Add* there", lambda: ws.click(ada, cast.form(ada), "Add"))
    return "\n".join(rows)


READS = {"conversations.history", "conversations.replies", "users.info", "conversations.info"}
TELLS = {"chat.postMessage", "chat.postEphemeral", "views.update", "views.publish"}


def test_the_page_has_the_golden_table_of_calls(
    stage_with: Callable[..., Stage], golden_part: Callable[[Path, str, str], None]
) -> None:
    golden_part(PAGE, "calls", cost_table(Cast(stage_with(nudges="off"))))


def test_a_board_is_edited_once_in_three_seconds_at_most(tour: Tour) -> None:
    boards = [one.ts for one in tour.ws.messages(tour.channel) if one in tour.ws.pins(tour.channel)]
    edits = [call.at for call in tour.ws.called("chat.update") if call.args["ts"] in boards]
    assert len(edits) > 5
    assert all(later - earlier >= timedelta(seconds=3) for earlier, later in pairwise(edits))


# ---- what cannot be done as it was asked for -----------------------------------------------------


def refusal_table(build: Callable[..., Stage]) -> str:
    """What people are answered where something is not as it should be, as a Markdown table."""
    rows = ["| what is so | what the person sees |", "| --- | --- |"]

    def row(what: str, seen: str) -> None:
        said = " · ".join(" ".join(line.split()) for line in seen.split("\n") if line.strip()).replace("|", "\\|")
        parts = said.split("`")  # an angle bracket is HTML, but for what stands as code
        parts[::2] = [part.replace("<", "\\<") for part in parts[::2]]
        rows.append(f"| {what} | {'`'.join(parts)} |")

    cast = Cast(build())
    ws, ada, ben, channel = cast.ws, cast.ada, cast.ben, cast.channel

    def whisper(place: Channel = channel) -> str:
        return ws.text(ws.ephemerals(ada, place)[-1])

    secret = ws.add_channel("audit", private=True, members=[ada])
    row("Scribe is not in the private channel", ws.text(cast.type(ada, "start Keys in a log", secret)))
    message = ws.say(ada, secret, "rotated the keys")
    ws.message_shortcut(ada, secret, message, "add_to_timeline")
    cast.submit(ada)
    assert "rotated" not in ws.text(cast.last(secret))
    ws.invite_bot(secret, ada)
    cast.wait(seconds=10)
    answers = [one for one in ws.messages(secret) if one.by_bot and "rotated" in one.text]
    row("… a message shortcut there, once Scribe was invited", ws.text(answers[-1]))

    old = ws.say(ben, channel, "the pool is small")
    cast.wait(days=40)
    cast.type(ada, "start sev1 Checkout returns errors")
    cast.react(ada, old, "mag")
    row("a reaction to a message that is much older than the incident", whisper())
    gone = ws.say(ben, channel, "halved it")
    ws.react(ada, channel, gone, "mag")
    ws.delete_message(ben, channel, gone)
    cast.wait(seconds=10)
    row("the message was deleted before it could be read", whisper())
    large = ws.share_file(ben, channel, "graph.png", b"\x89PNG\r\n\x1a\n" + bytes(11 << 20), "the pool")
    cast.react(ada, large, "pushpin")
    row("a file is too large", whisper())
    program = ws.add_user("grafana", display_name="Grafana", is_bot=True)
    cast.react(ada, ws.say(program, channel, "5xx rate on checkout above 20 %"), "rotating_light")
    row("the message is a program's", whisper())
    ws.fail("conversations.history", retry_after=30)
    cast.react(ada, ws.say(ben, channel, "halved the pool"), "mag_right")
    before = whisper()
    cast.wait(seconds=40)
    assert whisper() != before
    row("Slack asks to wait before the message is read (30 seconds later)", whisper())
    ws.fail("views.open", error="expired_trigger_id")
    row("Slack does not open a form: it is too late, or away", ws.text(cast.type(ada, "impact")))
    cast.type(ada, "impact")
    late = int((cast.stage.clock() + timedelta(hours=1)).timestamp())
    errors = cast.submit(ada, text="Payments fail", when=late, share="120").errors
    row("a form is filled in wrongly", "\n".join(f"beside *{name}*: {said}" for name, said in errors.items()))
    ws.close(ada)
    long = ws.say(ben, channel, "words " * 600)
    cast.react(ada, long, "pushpin")
    (number,) = re.findall(r"📝 #(\d+)", whisper())
    cast.type(ada, f"edit {number}")
    fields = [block for block in cast.form(ada).blocks if block.get("block_id", "").startswith("text")]
    row(
        f"an entry of {len('words ' * 600):,} characters, of which a field takes 3,000: `edit`", f"{len(fields)} fields"
    )
    ws.close(ada, everything=True)
    for first in range(0, 300, 100):
        lines = [(Record(kind=Kind.NOTE, text=f"step {first + n}"), "text", "when") for n in range(100)]
        heard = Heard(ws.team, channel.id, ada.id, f"many {first}")
        assert isinstance(cast.stage.app.scribe.handle_all(lines, heard), Recorded)
    shown = ws.text(cast.type(ada, "timeline")).split("\n")
    opened = cast.tap(ada, ws.ephemerals(ada, channel)[-1], "Whole timeline").view
    assert opened is not None
    pages = [line for line in ws.text(opened).split("\n") if " of 305 entries" in line or "Earlier" in line]
    row("an incident of more than 300 entries: `timeline`", "\n".join([shown[1], "…", shown[-1]]))
    row("… and its whole timeline", "\n".join(pages))
    ws.close(ada)
    row("the command where no incident is open", ws.text(cast.type(ada, "note it burns", cast.news)))
    ws.archive(channel)
    cast.wait(seconds=10)
    row("the channel was archived: a line from elsewhere", ws.text(cast.type(ada, "note INC-2: it is calm", cast.news)))
    cast.type(ada, "resolve INC-2: at now", cast.news)
    cast.wait(seconds=60)
    status = ws.text(cast.type(ada, "status INC-2:", cast.news)).split("\n")
    parked = next(n for n, line in enumerate(status) if line.startswith("Not delivered"))
    row("… what could not be posted there, in `status`", "\n".join(status[parked : parked + 2]))
    shared = ws.add_channel("shared", members=[ada], ext_shared=True, bot_in=True)
    zoe = ws.add_user("zoe", display_name="Zoe", team="T0OTHER")
    ws.join(zoe, shared)
    cast.type(ada, "start Search is down", shared)
    cast.type(zoe, "list", shared)
    row("somebody of another company in a shared channel: a line", ws.text(cast.type(zoe, "note here too", shared)))
    row("… `list`, which shows the incidents of that channel alone", ws.text(cast.type(zoe, "list", shared)))
    ws.open_home(zoe)
    cast.wait(seconds=10)
    home = ws.home(zoe)
    assert home is not None
    row("… the Home tab", ws.text(home))
    return "\n".join(rows)


def test_the_page_has_the_golden_table_of_what_bad_input_is_answered(
    stage_with: Callable[..., Stage], golden_part: Callable[[Path, str, str], None]
) -> None:
    golden_part(PAGE, "answers", refusal_table(lambda: stage_with(nudges="off")))
