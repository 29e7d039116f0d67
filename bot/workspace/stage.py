"""A workspace with the real app in it: what demo, replays and tests play on.

The app is the one that `scribe serve` runs; only Slack (this workspace), the clock and chance are ours. People knock
at its web door with signed requests; letters are pumped by hand.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from bot.app import App, create
from bot.core.errors import Undelivered
from bot.press import Press
from bot.settings import Settings
from bot.workspace import Answer, Channel, DoorReply, Reply, User, Workspace

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  invented, opens nothing
QUIET_AFTER = timedelta(days=2)


class Clock:
    """A clock that stands still until it is moved; aware, UTC."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        """Moves it on."""
        self.at += by

    def move_to(self, at: datetime) -> None:
        """Moves it on to a moment; it never goes back."""
        self.at = max(self.at, at.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Wire:
    """The workspace as the app's way to Slack."""

    workspace: Workspace

    def call(self, method: str, args: Mapping[str, Any], *, timeout: float | None = None) -> Reply:
        """A Web API call."""
        return self.workspace.call(method, args, self.workspace.bot_token)

    def upload(self, url: str, content: bytes) -> Reply:
        """The bytes of a file."""
        return self.workspace.upload(url, content)

    def download(self, url: str, most: int) -> bytes:
        """The bytes of a file that somebody shared."""
        reply = self.workspace.download(url, self.workspace.bot_token)
        if reply.status != 200:
            permanent = 300 <= reply.status < 500 and reply.status != 429
            code = "missing_scope" if reply.status == 302 else ""
            wait = reply.headers.get("Retry-After")
            raise Undelivered(
                f"Slack did not give the file (HTTP {reply.status}).",
                permanent=permanent,
                retry_after=float(wait) if wait else None,
                code=code,
            )
        content = bytes(reply.body["content"])
        if len(content) > most:
            raise Undelivered(f"The file is larger than {most} bytes.", permanent=True, code="too_large")
        return content


class Stage:
    """A workspace, the app and its clock. `folder` holds the database and the exported files."""

    def __init__(
        self,
        folder: Path,
        at: datetime,
        *,
        press: Press | None = None,
        seed: int = 0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.clock = Clock(at)
        self.workspace = Workspace(clock=self.clock, signing_secret=SIGNING_SECRET, seed=seed)
        self.settings = Settings(
            bot_token=self.workspace.bot_token,
            signing_secret=SIGNING_SECRET,
            database=folder / "scribe.db",
            export_dir=folder / "postmortems",
            **(settings or {}),
        )
        self._chance = random.Random(seed)  # noqa: S311  replays give the same bytes on purpose
        self.press = press or Press()
        self.app = self.open()
        self.app.learn()
        self.pump()

    def open(self) -> App:
        """The app on the record of this stage; called again it is the app after a restart."""
        app = create(
            self.settings,
            slack=self.wire(),
            clock=self.clock,
            randomness=self._chance.randbytes,
            secret=SIGNING_SECRET.encode(),
            press=self.press,
            pause=lambda seconds: self.clock.advance(timedelta(seconds=seconds)),
        )
        client = app.web.test_client()

        def door(path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
            answer = client.post(path, data=body, headers=list(headers.items()))
            return DoorReply(answer.status_code, dict(answer.headers), answer.data)

        self.workspace.attach(door)
        return app

    def wire(self) -> Any:
        """The app's way to Slack; a stage of another kind may take a longer one."""
        return Wire(self.workspace)

    def restart(self) -> None:
        """Closes the record and opens it again, as a new process would."""
        self.app.store.close()
        self.app = self.open()

    def pump(self) -> int:
        """Sends the letters that are due now."""
        return self.app.outbox.pump()

    def settle(self) -> None:
        """Lets time pass until nothing is waiting to be sent (at most two days)."""
        until = self.clock() + QUIET_AFTER
        self.pump()
        while (due := self.app.outbox.next_due()) is not None and due <= until:
            self.clock.move_to(due)
            self.pump()

    def close(self) -> None:
        """Closes the app."""
        self.app.close()


class Line(Protocol):
    """Something that somebody types at a moment."""

    @property
    def at(self) -> datetime: ...
    @property
    def person(self) -> str: ...
    @property
    def text(self) -> str: ...


class Story(Protocol):
    """What is replayed (see scenarios.py)."""

    @property
    def slug(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def lines(self) -> Sequence[Any]: ...


class NotAccepted(Exception):
    """A line of a story that Scribe did not record, with what it answered."""


def play(stage: Stage, story: Story, progress: Callable[[int, int], None] = lambda done, of: None) -> Channel:
    """Types every line of a story at its time, as signed slash commands; gives the channel it was told in.

    Raises NotAccepted at the first line that was not recorded.
    """
    channel = stage.workspace.add_channel("incident-" + story.slug[:60])
    people: dict[str, User] = {}
    for number, line in enumerate(story.lines, start=1):
        if line.person not in people:
            people[line.person] = stage.workspace.add_user(
                _handle(line.person, {person.name for person in people.values()}),
                display_name=line.person,
                real_name=line.person,
                tz=story.zone,
            )
            stage.workspace.join(people[line.person], channel)
        _let_time_pass(stage, line.at)
        answer = stage.workspace.command(people[line.person], channel, line.text)
        if not answer.in_channel:
            raise NotAccepted(f"line {number} “{line.text[:120]}” was answered: {answer.failure or answer.text}")
        stage.pump()
        progress(number, len(story.lines))
    stage.settle()
    return channel


def _handle(name: str, taken: set[str]) -> str:
    """A Slack user name for a role, as people would choose it; numbered where another has it."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "person"
    return next(handle for n in range(1, len(taken) + 2) if (handle := f"{plain}-{n}" if n > 1 else plain) not in taken)


def _let_time_pass(stage: Stage, until: datetime) -> None:
    """Sends what falls due on the way, each at its time."""
    while (due := stage.app.outbox.next_due()) is not None and due <= until:
        stage.clock.move_to(due)
        if not stage.pump():
            break
    stage.clock.move_to(until)


__all__ = ["Answer", "Clock", "NotAccepted", "Stage", "Wire", "play"]
