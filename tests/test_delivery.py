"""What leaves for Slack arrives once and in order, whichever call goes wrong, over real connections.

Every fault at every call that a resolved incident makes; then the whole story with `scribe serve` as a process, over
HTTP and over Socket Mode; then how many calls there are, as docs/delivery.md tells.
"""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.events import Kind
from bot.core.incident import fold
from bot.core.record import TIMERS
from bot.press import Press
from bot.slack.client import OverHTTP
from bot.store import Store
from bot.workspace import Answer, Call, File, Message, User, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import SIGNING_SECRET, Stage
from tests.conftest import Bare, Remembering, started_serve

ROOT = Path(__file__).resolve().parent.parent
DELIVERY = ROOT / "docs" / "delivery.md"
SATURDAY = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECRET = "the secret that signs links and the record"
UNSENT = ("waiting", "leased", "parked")
PATIENCE = 40.0
PATIENCE_OF_THE_CLIENT = 0.25
"""Seconds after which a client that is kept waiting on purpose gives up; Scribe's own takes ten."""


# ---- an incident on a real connection, with a clock that can be moved ----------------------------


@pytest.fixture(scope="module")
def remembering() -> Iterator[Press]:
    made = Remembering()
    yield made
    made.close()


class Served(Bare):
    """A stage whose app reaches Slack as `scribe serve` does: slack_sdk, HTTP, a port. Only the clock is ours."""

    back_at: datetime | None = None

    def __init__(self, folder: Path, press: Press, timeout: float) -> None:
        self.timeout = timeout
        super().__init__(folder, SATURDAY, press=press)

    def wire(self) -> OverHTTP:
        self.server = WorkspaceServer(self.workspace).start()
        return OverHTTP(self.workspace.bot_token, self.server.api_url, timeout=self.timeout)

    def settle(self) -> None:
        """Lets time pass until nothing is waiting (at most a day); a Slack that went away is back after an hour."""
        until = self.clock() + 24 * HOUR
        self.pump()
        while (due := self.app.outbox.next_due()) is not None and due < until:
            if self.workspace.away and self.back_at is None:
                self.server.go_away()
                self.back_at = self.clock() + HOUR
            self.clock.move_to(due)
            if self.back_at is not None and self.clock() >= self.back_at:
                self.server.come_back()
                self.back_at = None
            self.pump()

    def close(self) -> None:
        """Closes the port and the record; the press is not ours."""
        self.server.close()
        self.app.store.close()


@dataclass(frozen=True)
class End:
    """How an incident ended: the posts, the thread under each draft, all files in Slack and on disk, what is left."""

    posts: list[str]
    threads: list[list[str]]
    files: list[tuple[str, bytes]]
    written: dict[str, bytes]
    left: list[tuple[str, str, str]]


class Incident:
    """Ada, a channel that Scribe is in, and an incident there; what she says in a mention is answered by a letter."""

    def __init__(self, stage: Served) -> None:
        self.stage, self.workspace = stage, stage.workspace
        self.ada = self.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
        self.channel = self.workspace.add_channel("payments", members=[self.ada], bot_in=True)
        self.type("start Checkout fails since 02:50")
        self.type("note error rate at 20 %")
        stage.pump()
        self.told = len(self.workspace.calls)

    def type(self, line: str) -> Answer:
        answer = self.workspace.command(self.ada, self.channel, line)
        assert answer.in_channel, (answer.failure, answer.text)
        return answer

    def resolve(self) -> None:
        """Says one more thing in a mention, resolves, and lets everything leave."""
        self.workspace.say(self.ada, self.channel, "@scribe note traffic is back")
        self.type("resolve at now")
        self.stage.settle()

    def calls(self) -> list[Call]:
        """What was asked of Slack since the incident was told."""
        return self.workspace.calls[self.told :]

    def end(self) -> End:
        messages = self.workspace.messages(self.channel)
        drafts = [one for one in messages if "Postmortem draft" in one.text]
        threads = [self.workspace.thread(self.channel, draft) for draft in drafts]
        with self.stage.app.store.reading() as tx:
            left = [(one.kind, state, error) for state in UNSENT for one, error in tx.letters(state)]
        return End(
            posts=sorted(shown(self.workspace, one) for one in messages if one.by_bot and not one.is_reply),
            threads=[[shown(self.workspace, one) for one in under] for under in threads],
            files=sorted((file.name, file.content or b"") for file in self.workspace.files),
            written={path.name: path.read_bytes() for path in self.stage.settings.export_dir.glob("*")},
            left=left,
        )


def shown(workspace: Workspace, message: Message) -> str:
    """What people see of a message. Ids of files are put aside: an upload that broke has used one up."""
    seen = [workspace.text(message), message.text, *(f"[{file.name}]" for file in message.files)]
    return re.sub(r"\bF[0-9A-Z]{6,}\b", "FILE", "\n".join(seen))


# ---- every fault at every call -------------------------------------------------------------------


class Nth:
    """Holds for the n-th call from now on, whatever it is, and for no other; `then` is done at that moment."""

    def __init__(self, number: int, then: Callable[[], None] = lambda: None) -> None:
        self.number, self.then, self.seen = number, then, 0

    def __call__(self, args: dict[str, Any]) -> bool:
        self.seen += 1
        if self.seen != self.number + 1:
            return False
        self.then()
        return True


Break = Callable[[Served, int, str, int], None]
"""Makes a call go wrong: its number among all calls, its method, its number among those of the method; from 0."""


def fails(**fault: Any) -> Break:
    return lambda stage, number, method, nth: stage.workspace.fail("*", when=Nth(number), **fault)


def slow(stage: Served, number: int, method: str, nth: int) -> None:
    stage.server.slow(method, 2 * PATIENCE_OF_THE_CLIENT, skip=nth)


def away(stage: Served, number: int, method: str, nth: int) -> None:
    def leave() -> None:
        stage.workspace.away = True

    stage.workspace.fail("*", drop="before", when=Nth(number, leave))


FAULTS: dict[str, Break] = {
    "asked to wait": fails(retry_after=30),
    "500 before the effect": fails(status=500),
    "500 after the effect": fails(status=500, after=True),
    "broken before the effect": fails(drop="before"),
    "broken after the effect": fails(drop="after"),
    "no answer in time": slow,
    "away for an hour": away,
}


Told = Callable[..., AbstractContextManager[Incident]]
Clean = tuple[End, list[str]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, remembering: Press) -> Told:
    """Tells an incident up to the point where it is resolved; each on a stage of its own."""
    folder, numbers, making = tmp_path_factory.mktemp("told"), itertools.count(), threading.Lock()

    @contextmanager
    def build(timeout: float = 10) -> Iterator[Incident]:
        with making:  # CPython 3.11 does not compile in several threads at once, as Flask's routes do
            stage = Served(folder / str(next(numbers)), remembering, timeout)
        with closing(stage):
            yield Incident(stage)

    return build


@pytest.fixture(scope="module")
def undisturbed(told: Told) -> Clean:
    """How an incident ends when nothing goes wrong, and the methods that were called on the way."""
    with told() as incident:
        incident.resolve()
        return incident.end(), [call.method for call in incident.calls()]


def test_a_resolved_incident_has_one_post_with_picture_text_and_file_in_its_thread(
    undisturbed: Clean,
) -> None:
    end, _ = undisturbed
    assert [line.partition("\n")[0].partition(" · ")[0] for line in end.posts] == [
        "📄 Postmortem draft",
        "📝 #2",
        "📝 #3",
        "🔴 INC-1",
        "🟢 INC-1 resolved 03:06 GMT after 16 min.",
    ]
    ((picture, text, file),) = end.threads
    assert picture.endswith("[0001-checkout-fails.png]")
    assert text.startswith("# Checkout fails\n")
    assert file.endswith("[0001-checkout-fails.md]")
    assert [name for name, _ in end.files] == ["0001-checkout-fails.md", "0001-checkout-fails.png"]
    assert end.left == []


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_at_whichever_call_of_a_resolve_the_channel_ends_the_same(
    told: Told, undisturbed: Clean, fault: str
) -> None:
    end, methods = undisturbed

    def ends_the_same(number: int) -> bool:
        method, nth = methods[number], methods[:number].count(methods[number])
        with told(PATIENCE_OF_THE_CLIENT if fault == "no answer in time" else 10) as incident:
            FAULTS[fault](incident.stage, number, method, nth)
            incident.resolve()
            went_wrong = all(one.times == 0 for one in [*incident.workspace.faults, *incident.stage.server.waits])
            return went_wrong and incident.end() == end

    with ThreadPoolExecutor(4) as pool:  # they mostly wait, for disk and sockets
        same = list(pool.map(ends_the_same, range(len(methods))))
    assert [(number, methods[number]) for number, fine in enumerate(same) if not fine] == []


@pytest.mark.parametrize("looks", [1, 7])
def test_a_file_that_slack_shares_late_is_waited_for_and_uploaded_once(
    told: Told, undisturbed: Clean, looks: int
) -> None:
    end, _ = undisturbed
    with told() as incident:
        incident.workspace.share_delay = looks
        incident.resolve()
        assert incident.end() == end
        asked = Counter(call.method for call in incident.calls())
        assert (asked["files.completeUploadExternal"], asked["files.info"]) == (2, 2 * (looks + 1))


WAYS: list[dict[str, Any]] = [
    {"retry_after": 30},
    {"status": 500},
    {"status": 500, "after": True},
    {"drop": "before"},
    {"drop": "after"},
]


@pytest.mark.parametrize("seed", range(3))
def test_many_faults_in_one_resolve_leave_no_trace(told: Told, undisturbed: Clean, seed: int) -> None:
    """Every third call goes wrong, in any of these ways; which, is drawn before."""
    end, methods = undisturbed
    chance = random.Random(seed)  # noqa: S311  the same faults each time
    drawn = {number: chance.choice(WAYS) for number in range(100) if chance.random() < 1 / 3}
    with told() as incident:
        for way in WAYS:
            incident.workspace.fail(
                "*", times=100, when=lambda args, way=way: drawn.get(len(incident.calls()) - 1) is way, **way
            )
        incident.resolve()
        assert incident.end() == end
        assert len(incident.calls()) > len(methods) + 2


# ---- the whole story, told to a process ----------------------------------------------------------


class Process:
    """`scribe serve`, and a workspace on a port; it hears Slack over HTTP or over Socket Mode."""

    def __init__(self, folder: Path, way: str) -> None:
        self.way = way
        self.workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
        self.server = WorkspaceServer(self.workspace).start()
        self.database, self.exports = folder / "scribe.db", folder / "postmortems"
        self.out, self.log = folder / "stdout.txt", folder / "stderr.txt"
        heard = {
            "http": {"SLACK_SIGNING_SECRET": self.workspace.signing_secret},
            "socket": {"SLACK_APP_TOKEN": self.workspace.app_token},
        }
        self.popen = started_serve(
            self.workspace, self.server.api_url, folder, self.out, self.log, SCRIBE_SECRET=SECRET, **heard[way]
        )

    def ready(self) -> None:
        """Waits until it hears Slack."""
        self.eventually(lambda: "listens on" in self.out.read_text(), "the line that says where Scribe listens")
        if self.way == "socket":
            self.server.attach_sockets()
            self.server.sockets.wait(timeout=PATIENCE)
        else:
            found = re.search(r"http://127\.0\.0\.1:\d+", self.out.read_text())
            assert found
            self.server.attach_http(found[0])

    def eventually(self, true: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not true():
            assert self.popen.poll() is None, f"scribe serve ended:\n{self.log.read_text()}"
            assert time.monotonic() < until, f"{what} did not come in {PATIENCE:.0f} s:\n{self.log.read_text()}"
            time.sleep(0.02)

    def close(self) -> None:
        """SIGTERM; it has to end in good order, without a defect in its log."""
        self.popen.terminate()
        try:
            status = self.popen.wait(PATIENCE)
        finally:
            self.popen.kill()
            self.server.close()
        log = self.log.read_text()
        assert (status, "Traceback" in log) == (0, False), log

    def left(self) -> list[tuple[str, str, str]]:
        """The letters that are not sent."""
        with self.reading() as tx:
            found = [(one.kind, state, error) for state in UNSENT for one, error in tx.letters(state)]
            return [one for one in found if one[0] not in TIMERS]

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """The record, as another process reads it."""
        store = Store(
            self.database, migrations=ROOT / "migrations", secret=SECRET.encode(), randomness=lambda n: b"\0" * n
        )
        with closing(store), store.reading() as tx:
            yield tx


class Scene:
    """Ada, Ben and a channel, in the workspace of a process."""

    def __init__(self, process: Process, name: str) -> None:
        self.process, self.workspace = process, process.workspace
        self.ada = self.workspace.add_user(f"ada-{name}", display_name="Ada", tz="Europe/London")
        self.ben = self.workspace.add_user(f"ben-{name}", display_name="Ben", tz="America/New_York")
        self.channel = self.workspace.add_channel(name, members=[self.ada, self.ben])
        self.heads: list[str] = []

    def record(self, who: User, line: str) -> Answer:
        """Types a line that has to be recorded; the head of its answer is kept."""
        answer = self.workspace.command(who, self.channel, line)
        assert answer.in_channel, (line, answer.failure, answer.text)
        head = re.match(r"\S+ (#\d+|INC-\d+( resolved)?)", answer.text.replace("*", ""))
        assert head, answer.text
        self.heads.append(re.sub(r"-\d+", "", head[0]))
        return answer

    def entries(self) -> list[tuple[int, Kind, str]]:
        """The record of the channel's incident."""
        with self.process.reading() as tx:
            place = next(one for one in tx.all_places() if one.channel == self.channel.id)
            return [(one.number, one.kind, one.text) for one in fold(tx.events(place.key)).entries.values()]

    def posts(self) -> list[Message]:
        """What Scribe has posted in the channel by letters, the board aside; answers to commands have no author."""
        bot = self.workspace.bot_user
        found = [one for one in self.workspace.messages(self.channel) if one.user == bot and not one.is_reply]
        return [one for one in found if "-board" not in str(one.metadata)]

    def draft(self) -> Message:
        """The draft, once everything that belongs to it is there."""
        self.process.eventually(lambda: any("Markdown: <http" in one.text for one in self.posts()), "the draft")
        self.process.eventually(lambda: self.process.left() == [], "the last letter")
        (draft,) = [one for one in self.posts() if "Postmortem draft" in one.text]
        return draft

    def thread(self) -> tuple[File, str, File]:
        """What stands in the thread of the draft, in order and nothing else: picture, text, file."""
        picture, text, file = self.workspace.thread(self.channel, self.draft())
        assert (picture.text, file.text, len(picture.files), len(file.files)) == ("", "", 1, 1)
        return picture.files[0], self.workspace.text(text), file.files[0]


def tell_the_story(process: Process) -> Scene:
    """All that people do in an incident: lines, a mention, a button, the end."""
    scene = Scene(process, "story")
    ada, ben, workspace = scene.ada, scene.ben, scene.workspace
    scene.record(ada, "start sev1 Checkout returns errors since 20m ago")
    scene.record(ada, "note CPU is at 100 %")
    scene.record(ben, "suspect the connection pool is too small")
    process.eventually(lambda: workspace.bot_user in scene.channel.members, "Scribe")
    workspace.say(ada, scene.channel, "@scribe note customers write in")
    process.eventually(lambda: len(scene.entries()) == 4, "the note of the mention")
    offer = workspace.command(ben, scene.channel, "rolled back deploy 4711")
    assert not offer.in_channel
    assert workspace.click(ben, offer, "Action").ok
    process.eventually(lambda: len(scene.entries()) == 5, "the action of the button")
    scene.record(ben, "ruledout 3 a larger pool changed nothing")
    scene.record(ada, "told support: we are looking into it")
    scene.record(ben, "mitigated error rate back to 0.1 %")
    scene.record(ada, "resolve graphs are flat")
    return scene


DISTURBED: dict[str, tuple[str, dict[str, Any]]] = {
    "asked to wait": ("chat.postMessage", {"retry_after": 3}),
    "broken after the post": ("chat.postMessage", {"drop": "after"}),
    "503 after a file was completed": ("files.completeUploadExternal", {"status": 503, "after": True}),
    "broken before a file was completed": ("files.completeUploadExternal", {"drop": "before"}),
}


def tell_with_a_fault(process: Process, number: int, method: str, fault: dict[str, Any]) -> Scene:
    """A short incident in a channel in which one call goes wrong once."""
    scene = Scene(process, f"fault-{number}")

    def in_it(args: dict[str, Any]) -> bool:
        return scene.channel.id in (args.get("channel"), args.get("channel_id"))

    process.workspace.fail(method, when=in_it, **fault)
    scene.record(scene.ada, "start Search is slow")
    scene.record(scene.ada, "resolve at now")
    return scene


def tell_everything(processes: dict[str, Process]) -> dict[str, Scene]:
    """Every story of this part, so that real pauses pass in all channels together."""
    for process in processes.values():
        process.ready()
    told = {
        name: tell_with_a_fault(processes["http"], number, method, fault)
        for number, (name, (method, fault)) in enumerate(DISTURBED.items())
    }
    return told | {way: tell_the_story(process) for way, process in processes.items()}


@pytest.fixture(scope="module", autouse=True)
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[dict[str, Scene]]]:
    """Two processes, each with a workspace of its own; they are told everything while the other tests run."""
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        processes = {way: Process(tmp_path_factory.mktemp(way), way) for way in ("http", "socket")}
        for one in processes.values():
            stack.callback(one.close)
        yield pool.submit(tell_everything, processes)


@pytest.fixture
def scenes(telling: Future[dict[str, Scene]]) -> dict[str, Scene]:
    return telling.result(PATIENCE)


@pytest.mark.parametrize("way", ["http", "socket"])
def test_the_whole_story_is_heard_recorded_and_posted(scenes: dict[str, Scene], way: str) -> None:
    scene = scenes[way]
    assert scene.heads == ["🔴 INC", "📝 #2", "💡 #3", "✗ #6", "📣 #7", "🟡 #8", "🟢 INC resolved"]
    assert scene.entries() == [
        (1, Kind.STARTED, "Checkout returns errors"),
        (2, Kind.NOTE, "CPU is at 100 %"),
        (3, Kind.HYPOTHESIS, "the connection pool is too small"),
        (4, Kind.NOTE, "customers write in"),
        (5, Kind.ACTION, "rolled back deploy 4711"),
        (6, Kind.DEAD_END, "a larger pool changed nothing"),
        (7, Kind.UPDATE, "we are looking into it"),
        (8, Kind.MITIGATED, "error rate back to 0.1 %"),
        (9, Kind.RESOLUTION, "graphs are flat"),
    ]
    draft = scene.draft()
    answers = [one.text.partition(" · ")[0] for one in scene.posts() if one is not draft]
    assert answers == ["📝 #4", "🔧 #5"]
    (number,) = re.findall(r"INC-(\d+)", draft.text)
    stem = f"{int(number):04d}-checkout-returns-errors"
    picture, text, file = scene.thread()
    assert (picture.name, file.name) == (f"{stem}.png", f"{stem}.md")
    assert (picture.content or b"")[:8] == b"\x89PNG\r\n\x1a\n"
    link = f"https://example.slack.com/files/{scene.workspace.bot_user}/{file.id}/{stem}.md"
    assert f"Markdown: <{link}|{stem}.md>" in draft.text
    assert text.startswith("# Checkout returns errors\n")
    assert (file.content or b"").startswith(b"# Checkout returns errors\n")
    assert sorted(path.name for path in scene.process.exports.glob(f"{stem}*")) == [
        f"{stem}.json",
        f"{stem}.md",
        f"{stem}.svg",
        f"{stem}.timeline.md",
    ]


@pytest.mark.parametrize("name", DISTURBED)
def test_a_process_gets_over_a_fault_with_its_real_pauses(scenes: dict[str, Scene], name: str) -> None:
    scene = scenes[name]
    picture, text, file = scene.thread()
    assert (picture.name[4:], file.name[4:]) == ("-search-is-slow.png", "-search-is-slow.md")
    assert text.startswith("# Search is slow\n")
    assert scene.posts() == [scene.draft()]
    method, _ = DISTURBED[name]
    assert not any(fault.times for fault in scene.workspace.faults if fault.method == method)


def test_a_post_gets_its_link_when_slack_went_away_before_it_said_where_the_file_is(told: Told) -> None:
    with told() as incident:

        def leave() -> None:
            incident.workspace.away = True

        incident.workspace.fail("files.info", drop="before", when=Nth(1, leave))
        incident.resolve()
        (draft,) = [one for one in incident.workspace.messages(incident.channel) if "Postmortem draft" in one.text]
        assert "Markdown: <https://" in draft.text


def test_looking_at_a_file_waits_as_long_as_slack_asks_for(told: Told) -> None:
    with told() as incident:
        incident.workspace.fail("files.info", retry_after=30)
        incident.resolve()
        limited, again, *_ = incident.workspace.called("files.info")
        assert (again.at - limited.at).total_seconds() >= 30


def test_a_refusal_with_429_is_tried_again_without_looking_for_it(told: Told) -> None:
    with told() as incident:
        incident.workspace.fail("chat.postMessage", retry_after=5)
        incident.resolve()
        assert incident.workspace.called("conversations.history") == []


def test_nothing_else_is_posted_in_a_channel_while_slack_asks_to_wait(told: Told) -> None:
    with told() as incident:
        incident.workspace.fail("chat.postMessage", retry_after=60)
        incident.resolve()
        limited, after, *_ = incident.workspace.called("chat.postMessage")
        assert (after.at - limited.at).total_seconds() >= 60


# ---- how many calls there are --------------------------------------------------------------------


def counted(stage: Stage, act: Callable[[], object]) -> Counter[str]:
    """The calls that an act causes, by method, until nothing is left to be sent."""
    before = len(stage.workspace.calls)
    act()
    stage.settle()
    return Counter(call.method for call in stage.workspace.calls[before:])


def calls_table(stage: Stage) -> str:
    """How often Slack is called in the life of an incident, as a Markdown table."""
    workspace = stage.workspace
    ada = workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = workspace.add_channel("payments", members=[ada])

    def types(*lines: str) -> Callable[[], None]:
        def type_all() -> None:
            for line in lines:
                assert workspace.command(ada, channel, line).in_channel

        return type_all

    columns = {
        "start": counted(stage, types("start Checkout fails since 02:50")),
        "ten notes": counted(stage, types(*(f"note reading {number}" for number in range(10)))),
        "one in a mention": counted(stage, lambda: workspace.say(ada, channel, "@scribe note traffic is back")),
        "resolve": counted(stage, types("resolve at now")),
        "revision": counted(stage, types("cause The pool had no upper limit.", "factor The alert was muted.")),
    }
    rows = [f"| method | {' | '.join(columns)} |", "| --- |" + " --- |" * len(columns)]
    for method in sorted(set().union(*columns.values())):
        name = "the upload itself" if method == "upload" else f"`{method}`"
        rows.append(f"| {name} | {' | '.join(str(found[method] or '') for found in columns.values())} |")
    rows.append(f"| together | {' | '.join(str(found.total()) for found in columns.values())} |")
    return "\n".join(rows)


def test_the_delivery_document_has_the_golden_table_of_calls(
    stage_with: Callable[..., Stage], golden_part: Callable[[Path, str, str], None]
) -> None:
    golden_part(DELIVERY, "calls", calls_table(stage_with(nudges="off")))


def test_a_command_is_answered_without_a_call_to_slack(stage: Stage) -> None:
    """But for the first words of a person at `start`, whose time zone is asked for."""
    workspace = stage.workspace
    ada = workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = workspace.add_channel("payments", members=[ada], bot_in=True)
    workspace.command(ada, channel, "start Checkout fails")
    assert [call.method for call in workspace.called("users.info")] == ["users.info"]
    before = len(workspace.calls)
    first = ("note it burns", "note 03:02 it began here", "ruledout the deploy")
    for line in (*first, "status", "timeline", "resolve at now"):
        assert workspace.command(ada, channel, line).ok
    offer = workspace.command(ada, channel, "rolled back 4711")
    assert workspace.click(ada, offer, "Action").ok
    workspace.say(ada, channel, "@scribe note graphs are flat")
    assert workspace.calls[before:] == []
