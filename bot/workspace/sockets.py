"""Socket Mode, Slack's side: connections, envelopes, acks, and what goes wrong with them on purpose.

Knows SLACK.md 1.6 and docs.slack.dev/apis/events-api/using-socket-mode. Gets connections from the server, which has
shaken hands with the client; listens on nothing itself. Nothing is sent again by the passing of time: an event that
was not acked waits for `resend_unacked`.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import parse_qsl

from .acts import RETRIES, Acts
from .model import DoorReply, Json
from .wire import Link, Opcode, Reader, Stream, Violation, farewell, frame

MOST_CONNECTIONS = 10
PATIENCE = 3.0
"""Seconds that Slack waits for an ack."""

_HOST = "applink-workspace"
_LIFETIME = 18_060  # what Slack's hello says of how long a connection lasts, in seconds

Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


class Connection:
    """One connection of the app's; `sent` are the ids of the envelopes that went over it."""

    def __init__(self, number: int, link: Link) -> None:
        self.number = number
        self.sent: list[str] = []
        self.pongs = 0
        self.retiring = False
        self.frozen = False
        self._link = link
        self._closing = False

    @property
    def gone(self) -> threading.Event:
        return self._link.gone

    def send(self, message: Json) -> None:
        """Send a message; raises OSError if the app is gone."""
        if not self.frozen:
            self._link.send(frame(Opcode.TEXT, json.dumps(message).encode()))
        if "envelope_id" in message:
            self.sent.append(message["envelope_id"])

    def ping(self) -> None:
        """Send a ping, as Slack does; the answer is counted in `pongs`."""
        self._link.send(frame(Opcode.PING, f"Ping from {_HOST}".encode()))

    def close(self, code: int = 1000) -> None:
        """Say goodbye; the connection ends when the app has said it too."""
        self._closing = True
        try:
            self._link.send(farewell(code))
        except OSError:
            self._link.hang_up()

    def break_off(self) -> None:
        """Let the connection end with a TCP reset."""
        self._link.break_off()

    def listen(self, stream: Stream, heard: Callable[[str], None]) -> None:
        """Read until the connection ends; the texts go to `heard`."""
        reader = Reader(stream)
        try:
            while (message := reader.read()) is not None and not self._link.broken:
                if self.frozen:
                    continue
                match message:
                    case (Opcode.TEXT, content):
                        heard(content.decode())
                    case (Opcode.PING, content):
                        self._link.send(frame(Opcode.PONG, content))
                    case (Opcode.PONG, _):
                        self.pongs += 1
                    case (Opcode.CLOSE, content):
                        if not self._closing:
                            self._link.send(frame(Opcode.CLOSE, content[:2]))
                        return
                    case _:
                        raise Violation(1003, "Slack takes text only")
        except Violation as wrong:
            self._link.send(farewell(wrong.code, wrong.words))


class Sockets:
    """The app's Socket Mode connections; the server keeps one of these."""

    def __init__(self, workspace: Acts) -> None:
        self.envelopes: list[Json] = []
        self.answers: list[Json] = []
        self.unacked: list[Json] = []
        self.patience = PATIENCE
        self._workspace = workspace
        self._live: list[Connection] = []
        self._numbers = 0
        self._tickets: set[str] = set()
        self._acks: dict[str, Json] = {}
        self._duplicates = 0
        self._drops: deque[Literal["before", "after"]] = deque()
        self._refusals: deque[tuple[int, int | None]] = deque()
        self._news = threading.Condition()

    # --- who is there

    @property
    def connections(self) -> list[Connection]:
        """The connections that stand, the oldest first."""
        with self._news:
            return list(self._live)

    def wait(self, connections: int = 1, *, newer_than: int = 0, timeout: float = 5) -> list[Connection]:
        """Wait until so many connections stand that are in use and have a number above `newer_than`; gives them."""

        def ready() -> list[Connection]:
            return [one for one in self._live if one.number > newer_than and not one.retiring]

        with self._news:
            if not self._news.wait_for(lambda: len(ready()) >= connections, timeout):
                raise TimeoutError(f"{len(ready())} of {connections} connections stand after {timeout} seconds")
            return ready()

    def ticket(self) -> str:
        """Issue the right to connect once."""
        ticket = self._workspace.digest("ticket", 32)
        with self._news:
            self._tickets.add(ticket)
        return ticket

    def admit(self, ticket: str) -> tuple[int, int | None]:
        """Take a ticket; gives the HTTP status of the answer (101 if all is well) and its Retry-After in seconds."""
        with self._news:
            if self._refusals:
                return self._refusals.popleft()
            if ticket not in self._tickets:
                return 403, None
            self._tickets.remove(ticket)
            return 101, None

    def serve(self, link: Link, stream: Stream) -> None:
        """Talk to the app until its connection ends; for the thread that accepted it."""
        with self._news:
            self._numbers += 1
            connection = Connection(self._numbers, link)
            if len(self._live) >= MOST_CONNECTIONS:
                connection.send(_disconnect("too_many_websockets"))
                connection.close()
            else:
                # Under the lock: nothing may be sent over it before its hello.
                connection.send(_hello(self._workspace.app_id, len(self._live) + 1))
                self._live.append(connection)
            self._news.notify_all()
        try:
            connection.listen(stream, self._heard)
        finally:
            with self._news:
                if connection in self._live:
                    self._live.remove(connection)
                self._news.notify_all()

    # --- what goes wrong

    def disconnect(self, reason: Reason = "refresh_requested") -> list[Connection]:
        """Ask the app to leave every connection. They stand until it does, or until `close`, and are used only as long
        as there is no other.
        """
        with self._news:
            asked = [one for one in self._live if not one.retiring]
            for connection in asked:
                connection.retiring = True
        for connection in asked:
            with contextlib.suppress(OSError):
                connection.send(_disconnect(reason))
        return asked

    def close(self, code: int = 1000) -> list[Connection]:
        """Close every connection in good order."""
        closing = self.connections
        for connection in closing:
            connection.close(code)
        return closing

    def reset(self, timeout: float = 5) -> list[Connection]:
        """Break every connection off with a TCP reset, and wait until that is done."""
        broken = self.connections
        for connection in broken:
            connection.break_off()
        for connection in broken:
            if not connection.gone.wait(timeout):
                raise TimeoutError(f"connection {connection.number} could not be broken off")
        return broken

    def freeze(self) -> list[Connection]:
        """Let every connection fall silent, as when a network eats all packets: each stands, nothing comes or goes."""
        freezing = self.connections
        for connection in freezing:
            connection.frozen = True
        return freezing

    def refuse(self, times: int = 1, *, status: int = 500, retry_after: int | None = None) -> None:
        """Refuse the next connections (not apps.connections.open: for that there is `Workspace.fail`)."""
        with self._news:
            self._refusals.extend([(status, retry_after)] * times)

    def duplicate(self, times: int = 1) -> None:
        """Send each of the next envelopes twice, over two connections if there are two."""
        with self._news:
            self._duplicates += times

    def drop(self, moment: Literal["before", "after"], times: int = 1) -> None:
        """Break the connection of each of the next envelopes off before the app has it, or instead of taking its ack.

        "after" waits for the ack and loses it: the app has done its part, Slack does not know.
        """
        with self._news:
            self._drops.extend([moment] * times)

    # --- envelopes

    def door(self, path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        """Bring a request of Slack's to the app as an envelope, and its ack back as an answer over HTTP.

        Raises TimeoutError without an ack in time and ConnectionError without a connection. An event that fails is kept
        in `unacked` instead.
        """
        envelope = self._envelope(body, headers)
        if envelope["type"] != "events_api":
            return self._deliver(envelope)
        try:
            return self._deliver(envelope)
        except (TimeoutError, ConnectionError):
            with self._news:
                self.unacked.append(envelope)
            # Otherwise the workspace would repeat it at once, as it does over HTTP.
            return DoorReply(0, {"X-Slack-No-Retry": "1"})

    def resend_unacked(self) -> int:
        """Send the events that were not acked once more, each at most three times; gives how many were acked now."""
        with self._news:
            waiting, self.unacked = self.unacked, []
        acked = 0
        for old in waiting:
            if old["retry_attempt"] >= RETRIES:
                continue
            retry = {"retry_attempt": old["retry_attempt"] + 1, "retry_reason": "timeout"}
            envelope = old | {"envelope_id": self._new_id()} | retry
            try:
                self._deliver(envelope)
            except (TimeoutError, ConnectionError):
                with self._news:
                    self.unacked.append(envelope)
            else:
                acked += 1
                self._workspace.undelivered = [
                    one for one in self._workspace.undelivered if one["event_id"] != old["payload"]["event_id"]
                ]
        return acked

    def repeat(self, envelope_id: str | None = None) -> Connection:
        """Send an envelope again as it was (the last one unless named) and wait for nothing."""
        with self._news:
            envelope = next(one for one in reversed(self.envelopes) if envelope_id in (None, one["envelope_id"]))
        return self._send(envelope)

    def answers_to(self, envelope_id: str, count: int = 1, timeout: float = 5) -> list[Json]:
        """Wait until the app has answered an envelope so often; gives its answers."""

        def found() -> list[Json]:
            return [one for one in self.answers if one.get("envelope_id") == envelope_id]

        with self._news:
            if not self._news.wait_for(lambda: len(found()) >= count, timeout):
                raise TimeoutError(f"{len(found())} of {count} answers to {envelope_id} after {timeout} seconds")
            return found()

    # --- inside

    def _heard(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            answer = {"unreadable": text}
        with self._news:
            self.answers.append(answer)
            self._acks.setdefault(str(answer.get("envelope_id")), answer)
            self._news.notify_all()

    def _envelope(self, body: bytes, headers: Mapping[str, str]) -> Json:
        kinds = {name.lower(): value for name, value in headers.items()}
        envelope: Json = {"envelope_id": self._new_id()}
        if kinds["content-type"].startswith("application/json"):
            reason = kinds.get("x-slack-retry-reason", "")
            return envelope | {
                "type": "events_api",
                "payload": json.loads(body),
                "accepts_response_payload": False,
                "retry_attempt": int(kinds.get("x-slack-retry-num", "0")),
                "retry_reason": {"http_timeout": "timeout"}.get(reason, reason),
            }
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if "payload" not in form:
            return envelope | {"type": "slash_commands", "payload": form, "accepts_response_payload": True}
        payload = json.loads(form["payload"])
        answerable = payload["type"] in ("view_submission", "block_suggestion")
        return envelope | {"type": "interactive", "payload": payload, "accepts_response_payload": answerable}

    def _new_id(self) -> str:
        digits = self._workspace.digest("envelope", 32)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _deliver(self, envelope: Json) -> DoorReply:
        with self._news:
            drop = self._drops.popleft() if self._drops else None
            twice = self._duplicates > 0
            self._duplicates -= twice
            self.envelopes.append(envelope)
        if drop == "before":
            self._pick().break_off()
            raise TimeoutError("the connection broke before the app had the envelope")
        connection = self._send(envelope)
        if twice:
            self._send(envelope, besides=connection)
        name = envelope["envelope_id"]
        with self._news:
            self._news.wait_for(lambda: name in self._acks, self.patience)
            ack = self._acks.get(name)
        if drop == "after":
            connection.break_off()
            raise TimeoutError("the connection broke before Slack had the ack")
        if ack is None:
            raise TimeoutError(f"no ack in {self.patience} seconds")
        if "payload" not in ack or not envelope["accepts_response_payload"]:
            return DoorReply(200)
        return DoorReply(200, {"Content-Type": "application/json"}, json.dumps(ack["payload"]).encode())

    def _pick(self, besides: Connection | None = None) -> Connection:
        """Give the connection that has had the least to do: any of them may get any envelope."""
        with self._news:
            usable = [one for one in self._live if not one.retiring] or self._live
            if not usable:
                raise ConnectionRefusedError("the app has no connection")
            others = [one for one in usable if one is not besides]
            return min(others or usable, key=lambda one: len(one.sent))

    def _send(self, envelope: Json, besides: Connection | None = None) -> Connection:
        until = time.monotonic() + self.patience
        while True:
            connection = self._pick(besides)
            try:
                connection.send(envelope)
            except OSError:
                connection.break_off()
                if not connection.gone.wait(max(0.0, until - time.monotonic())):
                    raise TimeoutError("no connection takes the envelope") from None
            else:
                return connection


def _hello(app_id: str, connections: int) -> Json:
    started = "2026-01-01 00:00:00.000"
    return {
        "type": "hello",
        "num_connections": connections,
        "debug_info": {
            "host": _HOST,
            "started": started,
            "build_number": 1,
            "approximate_connection_time": _LIFETIME,
        },
        "connection_info": {"app_id": app_id},
    }


def _disconnect(reason: Reason) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}
