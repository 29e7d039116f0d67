"""Many people at once, over real HTTP: each types line after line at the door of a `scribe serve` of its own process.

Each client keeps its connection, signs as Slack does, and says the next line when the one before was answered.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bot.workspace import Channel, User, Workspace

PATIENCE = 60.0
FORM, OBJECT = "application/x-www-form-urlencoded", "application/json"


def listening(out: Path) -> int:
    """The port of a `scribe serve`, once it has said that it listens."""
    until = time.monotonic() + PATIENCE
    while not (found := re.search(r"listens on http://127\.0\.0\.1:(\d+)", out.read_text())):
        assert time.monotonic() < until, f"scribe serve did not begin to listen:\n{out.read_text()}"
        time.sleep(0.02)
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Answered:
    """One line: who said it, as which one of theirs, the answer, and how long that took (seconds)."""

    client: int
    line: int
    status: int
    body: bytes
    begun: float
    seconds: float

    @property
    def recorded(self) -> bool:
        """Whether everybody in the channel sees the answer: a refusal is shown to its author alone."""
        return self.status == 200 and b'"in_channel"' in self.body


def as_command(workspace: Workspace, who: User, channel: Channel, text: str, origin: str) -> tuple[bytes, str]:
    """The body of a slash command, and what kind of body it is."""
    fields = {
        "command": "/incident",
        "text": text,
        "team_id": workspace.team,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": who.id,
        "user_name": who.name,
        "trigger_id": origin,
    }
    return urlencode(fields).encode(), FORM


def as_mention(workspace: Workspace, who: User, channel: Channel, text: str, origin: str) -> tuple[bytes, str]:
    """The same as a message to the bot, which is an event."""
    ts = f"{time.time():.6f}"
    said = f"<@{workspace.bot_user}> {text}"
    event = {"type": "app_mention", "user": who.id, "text": said, "ts": ts, "event_ts": ts, "channel": channel.id}
    envelope = {"type": "event_callback", "team_id": workspace.team, "event_id": origin, "event": event}
    return json.dumps(envelope | {"authorizations": []}).encode(), OBJECT


Body = Callable[[Workspace, User, Channel, str, str], tuple[bytes, str]]


def all_talk(
    workspace: Workspace, channel: Channel, people: Sequence[User], ports: Sequence[int], lines: int, body: Body
) -> list[Answered]:
    """Everybody says so many lines, all at once; the ports are dealt out in turn. Gives the answers as they came."""
    answers: list[Answered] = []
    faults: list[BaseException] = []
    together = threading.Barrier(len(people))

    def talk(client: int) -> None:
        try:
            together.wait(PATIENCE)
            port = ports[client % len(ports)]
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
                for line in range(1, lines + 1):
                    text = f"note client {client} line {line}"
                    content, kind = body(workspace, people[client], channel, text, f"{channel.id}.{client}.{line}")
                    headers = {"Content-Type": kind, **workspace.sign(content)}
                    begun = time.perf_counter()
                    connection.request("POST", "/slack/events", content, headers)
                    answer = connection.getresponse()
                    said = answer.read()
                    took = time.perf_counter() - begun
                    answers.append(Answered(client, line, answer.status, said, begun, took))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=talk, args=(client,)) for client in range(len(people))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if faults:
        raise faults[0]
    return answers


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def entries(found: Any) -> list[tuple[int, str]]:
    """Number and text of every entry of a folded incident, in order of recording."""
    return [(one.number, one.text) for one in sorted(found.entries.values(), key=lambda entry: entry.seq)]
