"""Kills `scribe serve` at every moment, and looks whether anything was lost or doubled: `make torture`.

People in front of a workspace in memory type lines, tap buttons, fill in forms and mention the bot, and Slack's side of
it sends every unanswered request again, byte for byte. Meanwhile the process is killed: while it starts, between commit
and answer, while a letter is on its way, while a document is composed; sometimes it is asked to stop instead. Then the
record, the channels and the files are held against what people were told, and every document against that of a run
without any disturbance: the same requests in the order of the record, by a clock that shows the same times.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl

from bot import app
from bot.core.record import TIMERS, Place
from bot.core.times import parse_utc
from bot.press import Press
from bot.settings import Settings
from bot.store import NOT_TIMERS, Store
from bot.workspace import Answer, Channel, DoorReply, User, Workspace
from bot.workspace.model import Message, Request
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import Wire

ROOT = Path(__file__).resolve().parent.parent
SIGNING_SECRET = "5e7f1c0d9a8b4c3d2e1f0a9b8c7d6e5f"
OWN_SECRET = "the secret that seals the record of this run"
PATIENCE = 60.0
"""Seconds after which something that has to happen has not happened."""
GRACE = 10.0
"""Seconds that a process has after SIGTERM (DESIGN.md)."""
OUTGOING = (
    "chat.postMessage",
    "chat.update",
    "chat.postEphemeral",
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "conversations.info",
    "users.info",
)
"""Calls in which a letter can be interrupted."""

KINDS = {"block_actions": "button", "view_submission": "form", "message_action": "shortcut", "shortcut": "shortcut"}
"""What people call the requests that Slack calls otherwise."""

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done. The people of `crowd` talk in one channel, the others each in channels of their own."""

    kills: int = 200
    clients: int = 6
    crowd: int = 2
    seed: int = 1
    births: int = 10
    pause: float = 0.3
    """Seconds that a person takes for a line, on average."""


@dataclass(slots=True)
class Figures:
    """What was done, and what of it there was."""

    kills: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    starts: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    resent: int = 0
    compared: int = 0
    acknowledged: int = 0
    incidents: int = 0
    events: int = 0
    letters: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    files: int = 0
    documents: int = 0
    doubled_files: int = 0
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """The figures as they are printed."""
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(self.kills.items()))
        asked = ", ".join(f"{count} {name}s" for name, count in sorted(self.requests.items()))
        letters = ", ".join(f"{count} {name}" for name, count in sorted(self.letters.items()))
        return [
            f"kills            {sum(self.kills.values())} ({kinds})",
            f"stops            {self.stops} by SIGTERM, {self.starts} starts in all",
            f"requests         {sum(self.requests.values())} ({asked})",
            f"sent again       {self.resent} that were not answered; {self.compared} more to compare the answers",
            f"acknowledged     {self.acknowledged}",
            f"record           {self.incidents} incidents, {self.events} events, every chain whole",
            f"letters          {sum(self.letters.values())} ({letters})",
            f"posts            {self.posts} drafts, one an incident, {self.files} files written",
            f"files in Slack   {self.doubled_files} doubled by an upload whose answer was lost",
            f"documents        {self.documents} pairs, the same as without a kill",
            f"time             {self.seconds:.0f} s",
        ]


class Wrong(AssertionError):
    """A promise that was not kept."""


def held(condition: object, *words: object) -> None:
    """Raises Wrong where a promise is not kept."""
    if not condition:
        raise Wrong(" ".join(map(str, words)))


# ---- the process ---------------------------------------------------------------------------------


class Serving:
    """`scribe serve` on one folder and one port, as often as it is started.

    `disk` is where its record lies, that folder unless it is another; `within` is a command that starts a command.
    """

    def __init__(
        self, folder: Path, api_url: str, bot_token: str, *, disk: Path | None = None, within: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.within = within
        self.database = (disk or folder) / "data" / "scribe.db"
        self.exports = (disk or folder) / "postmortems"
        self.log = folder / "serve.log"
        self.port = free_port()
        self.ready = threading.Event()
        self.popen: subprocess.Popen[str] | None = None
        self.grown: set[int] = set()
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "SLACK_BOT_TOKEN": bot_token,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": api_url,
            "SCRIBE_DATABASE": str(self.database),
            "SCRIBE_EXPORT_DIR": str(self.exports),
            "SCRIBE_SECRET": OWN_SECRET,
            "SCRIBE_DRAFT_DELAY": "0",
            "HOST": "127.0.0.1",
        }

    def spawn(self) -> None:
        """Starts it, and does not wait for it."""
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [*self.within, sys.executable, "-m", "bot", "serve"],
                cwd=self.folder,
                env={**self.environment, "PORT": str(self.port)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def await_ready(self) -> None:
        """Returns when it says that it listens."""
        assert self.popen is not None
        assert self.popen.stdout is not None
        if "listens on" in self.popen.stdout.readline():
            self.ready.set()
            return
        status = self.popen.wait(PATIENCE)
        said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        if status == 2 and "cannot be listened on" in said:  # somebody else took the port meanwhile
            self.port = free_port()
            self.spawn()
            self.await_ready()
            return
        raise Wrong(f"scribe serve ended with {status} at its start:\n{said}")

    def kill(self) -> None:
        """What a crash or a lost machine does."""
        self.ready.clear()
        self._end(signal.SIGKILL)

    def stop(self, *, patience: float | None = None) -> bool:
        """SIGTERM; False where it was killed because it had not ended after `patience` seconds."""
        self.ready.clear()
        assert self.popen is not None
        self._note_children()
        self.popen.terminate()
        try:
            status = self.popen.wait(GRACE + 5 if patience is None else patience)
        except subprocess.TimeoutExpired:
            held(patience is not None, "it was still there", GRACE + 5, "seconds after SIGTERM")
            self._end(signal.SIGKILL)
            return False
        held(status == 0, "it ended with", status, "after SIGTERM")
        self._close_pipe()
        return True

    def _end(self, number: int) -> None:
        assert self.popen is not None
        self._note_children()
        self.popen.send_signal(number)
        self.popen.wait(PATIENCE)
        self._close_pipe()

    def _close_pipe(self) -> None:
        assert self.popen is not None
        assert self.popen.stdout is not None
        self.popen.stdout.close()

    def _note_children(self) -> None:
        assert self.popen is not None
        with suppress(OSError):
            told = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text()
            self.grown.update(map(int, told.split()))

    def orphans(self) -> set[int]:
        """The processes that killed ones left behind."""
        return {pid for pid in self.grown if _is_ours(pid)}

    def close(self) -> None:
        """Ends what still runs."""
        if self.popen is not None and self.popen.poll() is None:
            self.kill()


def _is_ours(pid: int) -> bool:
    """Whether that process is still a worker of Python's: its number may belong to somebody else by now."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and "multiprocessing" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# ---- Slack's side --------------------------------------------------------------------------------


def form(body: bytes) -> JSON:
    """The object in a request, whichever way it came."""
    text = body.decode()
    if text.startswith("{"):
        return dict(json.loads(text))
    fields = dict(parse_qsl(text, keep_blank_values=True))
    return dict(json.loads(fields["payload"])) if "payload" in fields else dict(fields)


def origins_of(heard: JSON) -> list[str]:
    """Under which names the record may keep a request (ARCHITECTURE.md, invariant 10)."""
    if "event_id" in heard:
        return [str(heard["event_id"])]
    if heard.get("type") == "block_actions" and heard["actions"][0]["action_id"].startswith("choose:"):
        return [f"offer:{heard['actions'][0]['value']}"]
    if heard.get("type") == "view_submission":
        return [str(heard["trigger_id"]), str(heard["view"]["id"])]
    return [str(heard["trigger_id"])]


class Forbearing:
    """The clock of the workspace: the machine's, but that a person who had to wait for an answer did not notice it.

    Slack gives an answer up after three seconds; here the line has to be told all the same, so the wait is taken off
    the next look at the clock.
    """

    def __init__(self) -> None:
        self._own = threading.local()

    def waited(self, seconds: float) -> None:
        """This thread has waited so long."""
        self._own.seconds = seconds

    def __call__(self) -> datetime:
        waited, self._own.seconds = getattr(self._own, "seconds", 0.0), 0.0
        return datetime.now(UTC) - timedelta(seconds=waited)


class Door:
    """Brings requests to the process, and again until each is answered with 200."""

    def __init__(self, serving: Serving, figures: Figures, clock: Forbearing, seed: int) -> None:
        self.serving = serving
        self.figures = figures
        self.clock = clock
        self.sent = threading.Event()
        self.answered: dict[str, tuple[Request, bytes]] = {}
        self._chance = random.Random(seed)  # noqa: S311 - chance that a seed brings back
        self._lock = threading.Lock()

    def __call__(self, path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        began, heard = time.monotonic(), form(body)
        kind = "event" if "event" in heard else "command" if "command" in heard else KINDS[str(heard.get("type"))]
        with self._lock:
            self.figures.requests[kind] += 1
            curious = self._chance.random() < 0.2
        reply = self._until_answered(path, body, headers)
        with self._lock:
            self.figures.acknowledged += 1
            for origin in origins_of(heard):
                self.answered.setdefault(origin, (Request("command", path, body, dict(headers)), reply.body))
        if curious:
            again = self._until_answered(path, body, headers)
            self.figures.compared += 1
            if kind != "command" or settled(reply.body):
                held(again.body == reply.body, "the same request was answered", again.body, "after", reply.body)
        self.clock.waited(time.monotonic() - began)
        return reply

    def _until_answered(self, path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        until = time.monotonic() + 4 * PATIENCE  # Slack's signature is good for five minutes
        first = True
        while time.monotonic() < until:
            if not self.serving.ready.wait(PATIENCE):
                continue
            with self._lock:
                self.figures.resent += not first
            first = False
            self.sent.set()
            with suppress(OSError, http.client.HTTPException):
                reply = self._once(path, body, headers)
                if reply.status == 200:
                    held(b"has a fault" not in reply.body, reply.body.decode())
                    return reply
                held(reply.status >= 500, "answered with", reply.status, reply.body)
        raise Wrong(f"a request was not answered in time: {body[:200]!r}")

    def _once(self, path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        with closing(http.client.HTTPConnection("127.0.0.1", self.serving.port, timeout=PATIENCE)) as connection:
            connection.request("POST", path, body, {**headers, "Connection": "close"})
            answer = connection.getresponse()
            return DoorReply(answer.status, dict(answer.getheaders()), answer.read())


def settled(answer: bytes) -> bool:
    """Whether an answer says the same however late it is asked for: looking shows what is so now."""
    return b'"in_channel"' in answer


# ---- people --------------------------------------------------------------------------------------

SAYINGS = (
    "note p99 of checkout stands at {n} ms {mark}",
    "note {clock} the first ticket came in {mark}",
    "action restarted worker {n} {mark}",
    "hypothesis pool {n} runs out of connections {mark}",
    "ruledout the network, no packet was lost {mark}",
    "decision we fail over to region {n} {mark}",
    "told customers: we are looking into it {mark}",
    "escalated database team: lag of {n} s {mark}",
    "todo prevent: alert on pool {n} {mark} by 2030-01-{day:02d}",
    "services api-{n}",
    "impact {n} users could not pay {mark}",
    "question why did alert {n} stay silent {mark}",
    "well the dashboard showed it at once {mark}",
)
"""Lines that record something wherever an incident is open."""


class Person:
    """Somebody who tells incidents, one after the other or with others in one channel."""

    def __init__(self, world: World, number: int, crowded: bool) -> None:
        self.world = world
        self.workspace = world.workspace
        self.chance = random.Random(world.plan.seed * 1000 + number)  # noqa: S311 - chance that a seed brings back
        self.name = f"person{number}"
        self.user: User = self.workspace.add_user(self.name, display_name=self.name, real_name=self.name, tz="UTC")
        self.crowded = crowded
        self.marks = 0
        self.told: list[str] = []
        """The marks of lines that were recorded."""

    def run(self) -> None:
        """Tells incidents until the world has seen enough."""
        story = 0
        while not self.world.enough.is_set() and not self.world.wrong:
            story += 1
            if self.crowded:
                self.chatter(self.world.market)
            else:
                self.story(self.world.channel(f"{self.name}-{story}", self.user), by_form=self.chance.random() < 0.3)

    def story(self, where: Channel, *, by_form: bool) -> None:
        """One incident from its start to the draft, and what comes after it."""
        if by_form:
            self.start_by_form(where)
        else:
            self.record(where, f"start sev{self.chance.randint(1, 4)} Checkout returns errors {self.mark()}")
        self.record(where, f"detected by monitoring alert {self.mark()}")
        numbers = [2]
        for _ in range(self.chance.randint(4, 12)):
            numbers += self.act(where, numbers)
        self.record(where, f"mitigated traffic moved {self.mark()}")
        self.record(where, f"cause a query without an index {self.mark()}")
        self.world.drafting.set()
        self.record(where, f"resolve it is over {self.mark()}")
        self.record(where, f"note all graphs are back to normal {self.mark()}")
        if self.chance.random() < 0.5:
            self.redact(where)

    def chatter(self, where: Channel) -> None:
        """A few lines in a channel in which others talk too."""
        for _ in range(5):
            self.act(where, [])

    def act(self, where: Channel, numbers: list[int]) -> list[int]:
        """Does one thing; gives the numbers of the entries that came of it."""
        time.sleep(self.chance.uniform(0, 2 * self.world.plan.pause))
        chance = self.chance.random()
        if chance < 0.62:
            return self.record(where, self.saying())
        if chance < 0.68 and numbers:
            self.record(where, f"edit {self.chance.choice(numbers)} it was otherwise {self.mark()}")
        elif chance < 0.72 and numbers:
            self.record(where, f"move {self.chance.choice(numbers)} {self.clock()}")
        elif chance < 0.76:
            self.record(where, self.saying())
            self.record(where, "undo")
        elif chance < 0.80:
            self.ask(where, "timeline" if chance < 0.78 else "status")
        elif chance < 0.88:
            self.choose(where)
        elif chance < 0.94:
            self.mention(where)
        else:
            self.capture(where)
        return []

    def saying(self) -> str:
        return self.chance.choice(SAYINGS).format(
            n=self.chance.randint(1, 9999), mark=self.mark(), clock=self.clock(), day=self.chance.randint(1, 28)
        )

    def clock(self) -> str:
        return (datetime.now(UTC) - timedelta(minutes=self.chance.randint(1, 9))).strftime("%H:%M")

    def mark(self) -> str:
        """A word that occurs once in the whole run."""
        self.marks += 1
        return f"{self.name}x{self.marks}x"

    def ask(self, where: Channel, line: str) -> Answer:
        answer = self.workspace.command(self.user, where, line)
        held(answer.ok, line, answer.failure)
        return answer

    def record(self, where: Channel, line: str) -> list[int]:
        """Types a line that has to be recorded; gives the number of its entry."""
        answer = self.ask(where, line)
        held(answer.in_channel, line, "was answered", answer.text)
        self.told += marks_in(line)
        found = re.match(r"\S+ #(\d+) ", answer.text)
        return [int(found[1])] if found else []

    def choose(self, where: Channel) -> None:
        """Types a line without a verb, and taps what it was."""
        line = f"the cache of node {self.chance.randint(1, 99)} looks odd {self.mark()}"
        answer = self.ask(where, line)
        held(not answer.in_channel, line, answer.text)
        self.workspace.click(self.user, answer, "Note")
        self.told += marks_in(line)

    def redact(self, where: Channel) -> None:
        """Has a text destroyed: asked about first, then the document is revised at once."""
        numbers = self.record(where, f"note the password is hunter2 {self.mark()}")
        self.told.pop()  # what is destroyed cannot be found
        asked = self.ask(where, f"redact {numbers[0]}")
        buttons = [one["action_id"] for block in asked.blocks for one in block.get("elements", ())]
        self.world.drafting.set()
        self.workspace.click(self.user, asked, buttons[0])

    def mention(self, where: Channel) -> None:
        line = f"note seen from the train {self.mark()}"
        self.workspace.say(self.user, where, f"@scribe {line}")
        self.told += marks_in(line)

    def capture(self, where: Channel) -> None:
        """Says something, and adds it to the timeline with the shortcut and its form."""
        line = f"rolled back to the build before {self.mark()}"
        said = self.workspace.say(self.user, where, line)
        self.form(
            lambda: self.workspace.message_shortcut(self.user, where, said, "add_to_timeline"), {"kind": "action"}
        )
        self.told += marks_in(line)

    def start_by_form(self, where: Channel) -> None:
        line = f"Payments are declined {self.mark()}"
        self.form(
            lambda: self.workspace.shortcut(self.user, "start_incident"),
            {"title": line, "channel": where.id, "severity": "2"},
        )
        self.told += marks_in(line)

    def form(self, opened: Callable[[], Answer], values: JSON) -> None:
        """Opens a form, again where its trigger ran out meanwhile, and sends it."""
        until = time.monotonic() + 2 * PATIENCE
        while not self.workspace.modals.get(self.user.id):
            held(time.monotonic() < until, "the form did not open")
            opened()
        view = self.workspace.modals[self.user.id][-1]
        answer = self.workspace.submit(self.user, view, values)
        held(answer.ok and not answer.errors, answer.failure, answer.errors)
        self.workspace.modals[self.user.id].clear()  # one that a second try opened


def marks_in(line: str) -> list[str]:
    """The words of a line that occur nowhere else."""
    return re.findall(r"person\d+x\d+x", line)


# ---- the whole -----------------------------------------------------------------------------------


class World:
    """A workspace, the people in it, the process at its door, and what ends that process."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.folder = folder
        self.say = say
        self.figures = Figures()
        self.chance = random.Random(plan.seed)  # noqa: S311 - chance that a seed brings back
        self.clock = Forbearing()
        self.workspace = Workspace(clock=self.clock, signing_secret=SIGNING_SECRET, seed=plan.seed)
        self.slack = WorkspaceServer(self.workspace)
        self.enough = threading.Event()
        self.drafting = threading.Event()
        self.wrong: list[BaseException] = []

    def run(self) -> Figures:
        """Does all of it; raises Wrong where a promise was not kept."""
        began = time.monotonic()
        with self.slack, ExitStack() as ending:
            self.serving = Serving(self.folder, self.slack.api_url, self.workspace.bot_token)
            ending.callback(self.serving.close)
            self.door = Door(self.serving, self.figures, self.clock, self.plan.seed)
            for number in range(self.plan.births):
                self._birth(number)
            self.serving.spawn()
            self.serving.await_ready()
            self.workspace.attach(self.door)
            self._talk_and_kill()
            self.say(f"{time.monotonic() - began:.0f} s: everybody has finished; what waits is sent")
            self._drain()
            held(self.serving.stop(), "it did not end")
            self.say(f"{time.monotonic() - began:.0f} s: all has left; now it is looked at")
            self._check()
        self.figures.seconds = time.monotonic() - began
        return self.figures

    def channel(self, name: str, *people: User) -> Channel:
        """A new channel with the bot in it."""
        made = self.workspace.add_channel(name, members=list(people))
        self.workspace.invite_bot(made)
        return made

    # ---- killing -----------------------------------------------------------------------------------

    def _birth(self, number: int) -> None:
        """Kills it while it makes the database, and looks whether the next start gets a whole one."""
        one = Serving(self.folder / f"birth-{number}", self.slack.api_url, self.workspace.bot_token)
        one.folder.mkdir()
        one.spawn()
        # When the database appears depends on the machine, so that is waited for; the rest is chance.
        until = time.monotonic() + PATIENCE
        while not one.database.exists() and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(self.chance.uniform(0, 0.03))
        one.kill()
        self.figures.kills["at a first start"] += 1
        one.spawn()
        one.await_ready()
        held(one.stop(), "it did not end")
        self.figures.starts += 2
        held_whole(one.database)

    def _talk_and_kill(self) -> None:
        people = [Person(self, number, number < self.plan.crowd) for number in range(self.plan.clients)]
        self.people = people
        self.market = self.channel("market", *(one.user for one in people if one.crowded))
        if self.plan.crowd:
            people[0].record(self.market, f"start sev2 The whole shop is slow {people[0].mark()}")
        threads = [threading.Thread(target=self._until_wrong, args=(one.run,), name=one.name) for one in people]
        for one in threads:
            one.start()
        try:
            self._until_wrong(self._kill_all)
        finally:
            self.enough.set()
            for one in threads:
                one.join(8 * PATIENCE)
        if self.wrong:
            raise self.wrong[0]
        held(not any(one.is_alive() for one in threads), "somebody still waits for an answer")

    def _until_wrong(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as wrong:  # told at the end, in the main thread
            self.wrong.append(wrong)
            self.enough.set()

    def _kill_all(self) -> None:
        moments: dict[str, tuple[int, Callable[[], None]]] = {
            "at any time": (3, self._any_time),
            "around a commit": (4, self._around_a_commit),
            "in a call to Slack": (4, self._in_a_call),
            "while a document was made": (3, self._while_drafting),
            "while it started": (2, self._any_time),
            "while it stopped": (2, self._any_time),
            "SIGTERM": (2, self._any_time),
        }
        names = list(moments)
        done = 0
        while done < self.plan.kills and not self.wrong:
            name = self.chance.choices(names, [moments[one][0] for one in names])[0]
            moments[name][1]()
            self.slack.waits.clear()
            if name == "SIGTERM":
                self.serving.stop()
                self.figures.stops += 1
            elif name == "while it stopped":
                if self.serving.stop(patience=self.chance.uniform(0, 0.3)):
                    self.figures.stops += 1
                else:
                    self.figures.kills[name] += 1
            else:
                self.serving.kill()
                self.figures.kills["at any time" if name == "while it started" else name] += 1
            self._start_again(name == "while it started")
            done = sum(self.figures.kills.values()) - self.plan.births
            if done and done % 10 == 0:
                self.say(f"{done} kills, {self.figures.acknowledged} requests acknowledged")

    def _start_again(self, restless: bool) -> None:
        self.serving.spawn()
        self.figures.starts += 1
        if restless:
            time.sleep(self.chance.uniform(0.05, 1.2))
            self.serving.kill()
            self.figures.kills["while it started"] += 1
            self.serving.spawn()
            self.figures.starts += 1
        self.serving.await_ready()

    def _any_time(self) -> None:
        time.sleep(self.chance.uniform(0, 1.5))

    def _around_a_commit(self) -> None:
        time.sleep(self.chance.uniform(0, 0.5))
        self.door.sent.clear()
        self.door.sent.wait(2)
        time.sleep(self.chance.uniform(0, 0.015))

    def _in_a_call(self) -> None:
        method = self.chance.choice(OUTGOING)
        self.slack.slow(method, 0.4, moment=self.chance.choice(("before", "after")))
        seen = len(self.workspace.calls)
        until = time.monotonic() + 3
        while time.monotonic() < until and not any(one.method == method for one in self.workspace.calls[seen:]):
            if self.slack.waits and self.slack.waits[-1].times == 0:  # taken, and it waits before the effect
                break
            time.sleep(0.005)
        time.sleep(self.chance.uniform(0, 0.1))

    def _while_drafting(self) -> None:
        self.drafting.clear()
        self.drafting.wait(3)
        time.sleep(self.chance.uniform(0, 2.5))

    # ---- the end -----------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Lets everything leave: what ten quiet minutes or a dead process hold back is due now."""
        until = time.monotonic() + 10 * PATIENCE
        while self._waiting():
            held(time.monotonic() < until, "letters still wait:", self._waiting())
            self.serving.stop()
            with closing(sqlite3.connect(self.serving.database)) as database, database:
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                waits = f"state = 'waiting' AND due_at > ? {NOT_TIMERS}"
                database.execute(f"UPDATE letters SET due_at = ? WHERE {waits}", (now, now))  # noqa: S608 - ours
                database.execute("UPDATE letters SET leased_until = ? WHERE state = 'leased'", (now,))
            self.serving.spawn()
            self.figures.starts += 1
            self.serving.await_ready()
            before, quiet = -1, time.monotonic()
            while time.monotonic() - quiet < 5 and self._due():
                if self._waiting() != before:
                    before, quiet = self._waiting(), time.monotonic()
                time.sleep(0.1)
            self.say(f"{self._waiting()} letters wait")

    def _waiting(self) -> int:
        return self._count("state IN ('waiting', 'leased')")

    def _due(self) -> int:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return self._count("state = 'leased' OR (state = 'waiting' AND due_at <= ?)", now)

    def _count(self, which: str, *values: str) -> int:
        with closing(sqlite3.connect(f"file:{self.serving.database}?mode=ro", uri=True)) as database:
            query = f"SELECT count(*) FROM letters WHERE ({which}) {NOT_TIMERS}"  # noqa: S608 - conditions of ours
            (count,) = database.execute(query, values).fetchone()
        return int(count)

    # ---- looking -----------------------------------------------------------------------------------

    def _check(self) -> None:
        held_whole(self.serving.database)
        log = self.serving.log.read_text(encoding="utf-8", errors="replace")
        # A worker whose parent is killed while it hands over what the worker needs says so, and ends.
        faults = [one for one in log.split("Traceback")[1:] if "in spawn_main" not in one.partition("{")[0]]
        held(not faults, *(one[:4000] for one in faults[:1]))
        until = time.monotonic() + GRACE
        while self.serving.orphans() and time.monotonic() < until:
            time.sleep(0.05)
        held(not self.serving.orphans(), "left behind:", self.serving.orphans())
        store = Store(
            self.serving.database,
            migrations=ROOT / "migrations",
            secret=OWN_SECRET.encode(),
            randomness=lambda n: b"\0" * n,
            look_only=True,
        )
        with closing(store):
            self.figures.incidents, self.figures.events, findings = store.verify()
            held(findings == [], findings)
            self._check_acknowledged(store)
            self._check_letters(store)
            self._check_posts(store)
            with Undisturbed(self, self.folder / "undisturbed") as reference:
                reference.replay(store)
                self._check_documents(store, reference)

    def _check_acknowledged(self, store: Store) -> None:
        """What people were told is in the record, once."""
        with closing(sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)) as database:
            found = Counter(
                mark for (words,) in database.execute("SELECT words FROM words") for mark in set(marks_in(words))
            )
        told = Counter(mark for person in self.people for mark in person.told)
        held(max(told.values()) == 1, "a mark was used twice")
        lost = [mark for mark in told if mark not in found]
        held(not lost, "acknowledged and not there:", lost)
        doubled = [mark for mark in told if found[mark] != 1]
        held(not doubled, "there more than once:", doubled)

    def _check_letters(self, store: Store) -> None:
        with store.reading() as tx:
            for state in ("waiting", "leased", "sent", "parked", "dropped"):
                self.figures.letters[state] = sum(one.kind not in TIMERS for one, _ in tx.letters(state))
            parked = [(letter.kind, error) for letter, error in tx.letters("parked")]
        held(not parked, "could not be delivered:", parked)
        held(not self.figures.letters["waiting"] + self.figures.letters["leased"], "letters are left")

    def _check_posts(self, store: Store) -> None:
        """Each draft stands in its channel once, with one text, one picture and one file in its thread."""
        for place in places(store):
            channel = self.workspace.channel(place.channel)
            keyed = Counter(key for one in channel.messages if not one.deleted for key in [key_of(one)] if key)
            doubled = {key: count for key, count in keyed.items() if count != 1}
            held(not doubled, place.name, "posted more than once:", doubled)
            drafts = [one for one in channel.messages if key_of(one) == f"{place.name}-draft" and not one.deleted]
            held(len(drafts) == (place.status == "resolved"), place.name, place.status, len(drafts), "drafts")
            self.figures.posts += len(drafts)
            for post in drafts:
                inside = [one for one in channel.messages if one.thread_ts == post.ts and not one.deleted]
                kinds = Counter(
                    file.name.rpartition(".")[2] for one in inside for file in one.files if not file.deleted
                )
                held(kinds["png"] >= 1 and kinds["md"] >= 1, place.name, "lacks a file:", kinds)
                self.figures.doubled_files += kinds["png"] + kinds["md"] - 2
        interrupted = sum(self.figures.kills.values()) + self.figures.stops
        held(self.figures.doubled_files <= interrupted, self.figures.doubled_files, "doubled files")

    def _check_documents(self, store: Store, reference: Undisturbed) -> None:
        """The files hold what the record says, whole; and the record says what it says without a kill."""
        press = Press(inline=True)
        again = reference.app.store
        for place in places(store):
            mine, other = record_of(store, place), record_of(again, place)
            held(mine == other, place.name, "is another record than undisturbed:", difference(mine, other))
            ours, theirs = composed(press, store, place), composed(press, again, place)
            for name, text in ours.items():
                lines, others = text.splitlines(), theirs[name].splitlines()
                held(lines == others, place.name, name, "differs:", difference(lines, others))
            self.figures.documents += 1
        for place in places(store):
            with store.reading() as tx:
                receipt = tx.receipts(place.key).get("file")
            if receipt is not None:
                self._check_file(press, store, place, receipt)
        left = sorted(path.name for path in self.serving.exports.glob(".*"))
        held(not left, "unfinished files were left:", left)
        self.figures.files = len(list(self.serving.exports.glob("*")))

    def _check_file(self, press: Press, store: Store, place: Place, receipt: JSON) -> None:
        with store.reading() as tx:
            found = tx.revision(place.key, receipt["revision"])
            assert found is not None
            stored = tx.stored(place.key, upto=found.upto)
            names = tx.names_of(place.key, found.revision)
            workspace = tx.installation(place.team)
            head = tx.head_at(place.key, found.upto)
        then = replace(place, seq=found.upto, head=head, url=workspace.url if workspace else "")
        page, called = app.compose(press, then, stored, names or {}, found.revision)
        path = self.serving.exports / called.document
        held(path.read_bytes() == page.document, path.name, "is not what the record says")
        held((self.serving.exports / called.annex).read_bytes() == page.annex, called.annex, "is not either")


def held_whole(database: Path) -> None:
    """The file is a sound database."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        said = [text for (text,) in connection.execute("PRAGMA integrity_check")]
        wrong = list(connection.execute("PRAGMA foreign_key_check"))
    held(said == ["ok"] and not wrong, database, said, wrong)


def places(store: Store) -> list[Place]:
    with store.reading() as tx:
        return tx.all_places()


def key_of(message: Message) -> str:
    payload = (message.metadata or {}).get("event_payload") or {}
    return str(payload.get("key", ""))


def record_of(store: Store, place: Place) -> list[Any]:
    """The events of an incident, with people named by their Slack ids instead of by keys made at random."""
    with store.reading() as tx:
        here = tx.by_number(place.team, place.number)
        assert here is not None
        stored = tx.stored(here.key)
        keys = {str(facts.get(name, "")) for _, facts, _ in stored for name in ("by", "person", "author")}
        who = {key: person.user for key, person in tx.people(keys).items()}
    text = json.dumps(stored, sort_keys=True)
    for key, user in who.items():
        text = text.replace(key, user)
    return list(json.loads(text))


def composed(press: Press, store: Store, place: Place) -> dict[str, str]:
    """The document of an incident as it stands, without what is made at random: keys of people, the chain's head."""
    with store.reading() as tx:
        here = tx.by_number(place.team, place.number)
        assert here is not None
        stored = tx.stored(here.key)
        names = tx.names_in(stored)
        who = {key: person.user for key, person in tx.people(names).items()}
    page, _ = app.compose(press, here, stored, names, 1)
    texts = {name: getattr(page, name).decode() for name in ("document", "annex", "json", "svg")}
    for name, text in texts.items():
        for key, user in (*who.items(), (here.head, "HEAD"), (here.head[:16], "HEAD"), (here.head[:12], "HEAD")):
            text = text.replace(key, user)
        texts[name] = text
    return texts


def difference(ours: Sequence[Any], theirs: Sequence[Any]) -> str:
    """The first lines or events that differ."""
    pairs = zip_longest(ours, theirs)
    return "\n".join(f"- {one}\n+ {other}" for one, other in pairs if one != other)[:1000]


# ---- the run that nobody disturbed ---------------------------------------------------------------


class Moments:
    """A clock that shows the times of a record: when a line was said, and from the third look when it was kept.

    A request looks twice before its transaction: at the age of its signature, and at the time at which it was said.
    """

    def __init__(self) -> None:
        self.said = self.kept = datetime.now(UTC)
        self.looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        return self.said if self.looks <= 2 else self.kept

    def show(self, said: datetime, kept: datetime) -> None:
        """What the next request sees."""
        self.said, self.kept, self.looks = said, kept, 0


class Undisturbed:
    """The same app in this process, which gets the same requests one after the other."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.clock = Moments()
        self.press = Press(inline=True)
        self.app = app.create(
            Settings(
                bot_token=world.workspace.bot_token,
                signing_secret=SIGNING_SECRET,
                database=folder / "scribe.db",
                export_dir=folder / "postmortems",
            ),
            slack=Wire(world.workspace),
            clock=self.clock,
            secret=OWN_SECRET.encode(),
            press=self.press,
        )
        self.offers: dict[str, str] = {}

    def __enter__(self) -> Undisturbed:
        return self

    def __exit__(self, *_: object) -> None:
        self.app.close()

    def replay(self, store: Store) -> None:
        """Hands in every request that the record has heard, in its order and at its time."""
        self.app.learn()
        self.app.outbox.pump()
        client = self.app.web.test_client()
        answered = self.world.door.answered
        for origin, kept_at, outcome, said_at in heard(store):
            known = origin.rpartition(" ")[2]  # what is heard of a channel is kept beside a mention of the same event
            held(known in answered, "the record has heard what nobody said:", origin)
            request, _ = answered[known]
            body, headers = request.body, dict(request.headers)
            for offer, ours in self.offers.items():
                if offer.encode() in body:
                    body = body.replace(offer.encode(), ours.encode())
                    headers |= self.world.workspace.sign(body, int(headers["X-Slack-Request-Timestamp"]))
            by_form = form(body).get("type") == "view_submission"  # which tells the time of its message itself
            self.clock.show(kept_at if by_form else said_at or kept_at, kept_at)
            reply = client.post(request.path, data=body, headers=list(headers.items()))
            held(reply.status_code == 200, origin, reply.status_code, reply.data)
            if outcome.get("offer"):
                ours_origin = origin
                for offer, ours in self.offers.items():
                    ours_origin = ours_origin.replace(offer, ours)
                with self.app.store.reading() as tx:
                    ours_kept = tx.heard(self.world.workspace.team, ours_origin)
                held(ours_kept is not None, origin, "was not heard undisturbed")
                self.offers[outcome["offer"]] = (ours_kept or {})["offer"]
        for user in list(self.world.workspace.users.values()):
            self.app.scribe.person_changed(self.world.workspace.team, user.id, user.shown, user.tz)


def heard(store: Store) -> Iterator[tuple[str, datetime, JSON, datetime | None]]:
    """Every request in the order of the record: its origin, when it was kept, its outcome, when it was said."""
    with closing(sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)) as database:
        requests = list(database.execute("SELECT origin, heard_at, outcome FROM requests ORDER BY rowid"))
        asked = dict(database.execute("SELECT key, said_at FROM offers"))
        facts = {
            (incident, seq): json.loads(text)
            for incident, seq, text in database.execute("SELECT incident, seq, facts FROM events")
        }
    for origin, heard_at, text in requests:
        outcome = json.loads(text)
        kept = parse_utc(heard_at)
        said: datetime | None = None
        if outcome["kind"] == "asked" and outcome["offer"] in asked:
            said = parse_utc(asked[outcome["offer"]])
        if outcome["kind"] == "recorded":
            happened = facts[outcome["incident"], outcome["seqs"][-1]]
            at = parse_utc(happened["at"]) if happened.get("at") else kept
            said = at if abs(kept - at) < timedelta(seconds=2.5) else None
        yield origin, kept, outcome, said


# ---- by hand -------------------------------------------------------------------------------------


def main(arguments: Iterable[str] | None = None) -> int:
    """`make torture`: prints how far it is, and the figures at the end; 1 where a promise was not kept."""
    usual = Plan()
    asked = argparse.ArgumentParser(prog="torture", description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--kills", type=int, default=usual.kills, help="kills in all (default %(default)s)")
    asked.add_argument("--clients", type=int, default=usual.clients, help="people who talk (default %(default)s)")
    asked.add_argument("--crowd", type=int, default=usual.crowd, help="of these in one channel (default %(default)s)")
    asked.add_argument("--births", type=int, default=usual.births, help="kills at a first start (default %(default)s)")
    asked.add_argument("--seed", type=int, default=usual.seed, help="of everything that is left to chance")
    asked.add_argument("--pause", type=float, default=usual.pause, help="seconds for a line (default %(default)s)")
    asked.add_argument("--keep", type=Path, help="a folder for the record and the log, which stays")
    given = asked.parse_args(list(arguments) if arguments is not None else None)
    plan = Plan(max(given.kills - given.births, 0), given.clients, given.crowd, given.seed, given.births, given.pause)
    with _folder(given.keep) as folder:
        try:
            figures = World(plan, folder, lambda words: _say(words, sys.stderr)).run()
        except Wrong as wrong:
            _say(f"A promise was not kept (seed {given.seed}): {wrong}", sys.stderr)
            return 1
    _say("\n".join(figures.lines()), sys.stdout)
    return 0


def _say(words: str, where: TextIO) -> None:
    where.write(f"{words}\n")
    where.flush()


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            yield Path(folder)
    else:
        kept.mkdir(parents=True)
        yield kept.resolve()


if __name__ == "__main__":
    sys.exit(main())
