"""Slack over Socket Mode: a connection that Scribe opens itself, so that no public address is needed.

This room knows how to stay connected and how old the last envelope is. What an envelope says goes to the same Bolt app
that HTTP requests go to, so a redelivery is known by its origin whichever way it comes.

The SDK's own client is not used: when Slack asks for a fresh connection, it ends the old one first and loses what is
typed in the half second, or the ten seconds, until the next one stands; it asks Slack two or three times for that one;
and it does not notice that a connection fell silent (docs/decisions/0005). Here a successor is opened before the old
connection goes, as Slack advises (https://docs.slack.dev/apis/events-api/using-socket-mode). Frames and handshakes are
websocket-client's business, envelopes the SDK's, answers Bolt's.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, cast

from slack_bolt import App
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from websocket import (
    ABNF,
    WebSocketBadStatusException,
    WebSocketException,
    WebSocketTimeoutException,
    create_connection,
)

SILENCE = 10.0
"""Seconds without a byte after which Slack is asked for a sign of life; after as many again the connection is dead."""

LINGER = 10.0
"""Seconds for which an old connection is still listened to when its successor is in use."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds to wait after the first, the second, … try that failed in a row."""

LONGEST_PAUSE = 60.0
"""Seconds, where Slack itself says when to come again."""

STEADY = 5.0
"""Seconds that a connection has to last for its successor to be opened without any pause."""

CLOSE_SECONDS = 3.0
WORKERS = 10

BROKEN = (OSError, WebSocketException)
# The last two are what the SDK raises over a body that is neither an object nor text.
NOT_OPENED = (*BROKEN, SlackApiError, HTTPException, AttributeError, ValueError)

log = logging.getLogger("scribe.sockets")


class Line(BaseSocketModeClient):
    """One connection, from its hello to its end. One thread reads, any thread may answer.

    Where Slack does not let us in, making one raises one of BROKEN.
    """

    def __init__(self, url: str, silence: float) -> None:
        self.logger = logging.getLogger("scribe.sockets.answers")  # Bolt's adapter speaks there
        self.leave = threading.Event()
        """Set when it needs a successor: Slack has asked for one, or this one has ended."""
        self._until: float | None = None
        self._socket = create_connection(url, timeout=silence)
        try:
            # One connection too many, or Socket Mode switched off: then the reason comes in place of the hello.
            first = next(self._messages(), {})
            if first.get("type") != "hello":
                raise ConnectionRefusedError(str(first.get("reason", "no hello")))
        except BROKEN:
            self._socket.shutdown()  # type: ignore[no-untyped-call]  # it has no annotations
            raise

    def envelopes(self) -> Iterator[SocketModeRequest]:
        """Gives what Slack sends until the connection has ended; raises one of BROKEN if it broke."""
        try:
            for message in self._messages():
                if message.get("type") == "disconnect":
                    self.leave.set()
                elif (request := SocketModeRequest.from_dict(message)) is not None:
                    yield request
        finally:
            self.leave.set()
            self._socket.shutdown()  # type: ignore[no-untyped-call]  # it has no annotations

    def send_message(self, message: str) -> None:
        """Sends an answer; raises one of BROKEN."""
        if not self._socket.connected:  # after a goodbye the bytes would still leave, and nobody would read them
            raise ConnectionAbortedError("this connection is ending")
        self._socket.send(message)

    def retire(self, seconds: float) -> None:
        """Lets it end after so many seconds: what Slack sent before it knew of the successor is still answered.

        Told so again it ends at once: Slack allows an app ten connections, and so one process keeps to two.
        """
        if self._until is None:
            self._until = time.monotonic() + seconds
        else:
            self.end()

    def end(self) -> None:
        """Says goodbye; whoever reads is through when Slack has said it too."""
        with suppress(*BROKEN):
            self._socket.send_close()

    def _messages(self) -> Iterator[dict[str, Any]]:
        asked = False
        while self._until is None or time.monotonic() < self._until:
            try:
                # Control frames too: each of Slack's pings is a sign of life, and a look at the clock.
                opcode, content = self._socket.recv_data(control_frame=True)
            except WebSocketTimeoutException:
                if asked:
                    raise
                asked = True
                self._socket.ping()
                continue
            asked = False
            if opcode == ABNF.OPCODE_CLOSE:
                return
            if opcode == ABNF.OPCODE_TEXT and (message := _object(content)):
                yield message
        self.end()


class Sockets:
    """The connection to Slack, kept up until `close`. `clock` gives aware UTC; `silence` is in seconds."""

    def __init__(
        self, bolt: App, app_token: str, api_url: str, clock: Callable[[], datetime], silence: float = SILENCE
    ) -> None:
        quiet = logging.getLogger("scribe.sockets.sdk")
        quiet.setLevel(logging.CRITICAL)  # it logs each failed try with a traceback; we log them in a line
        # Seconds go to urllib, which takes fractions.
        self._web = WebClient(base_url=api_url, timeout=cast(int, silence), retry_handlers=[], logger=quiet)
        self._bolt = bolt
        self._token = app_token
        self._clock = clock
        self._silence = silence
        self._stop = threading.Event()
        self._last: datetime | None = None
        self.envelopes = 0
        """Envelopes that came so far."""
        self._lines: list[Line] = []  # those that stand, the newest last
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="envelope")
        self._keeper = threading.Thread(target=self._keep_up, name="sockets", daemon=True)

    def start(self) -> None:
        """Begins to connect; Slack may be away, then it is tried again until it is there."""
        self._keeper.start()

    def connected(self) -> bool:
        """Whether a connection stands."""
        return bool(self._lines)

    def age(self) -> timedelta | None:
        """How long ago the last envelope came; None when none has come."""
        return self._clock() - self._last if self._last else None

    def close(self) -> None:
        """Ends the connection; what is being answered is answered first."""
        self._stop.set()
        finishing = threading.Thread(target=self._workers.shutdown, daemon=True)
        finishing.start()
        finishing.join(CLOSE_SECONDS)
        for line in list(self._lines):
            line.leave.set()
            line.end()

    # --- one thread keeps a connection up

    def _keep_up(self) -> None:
        pause, failures = 0.0, 0
        while not self._stop.wait(pause):
            try:
                line = self._connect()
            except NOT_OPENED as failure:
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                pause = max(pause, min(_asked_to_wait(failure), LONGEST_PAUSE))
                failures += 1
                log.warning("Socket Mode: no connection (%s); trying again in %.1f s", _plain(failure), pause)
                continue
            log.info("Socket Mode: connected")
            opened, failures = time.monotonic(), 0
            for old in list(self._lines):
                old.retire(LINGER)
            self._lines.append(line)
            threading.Thread(target=self._read, args=(line,), name="line", daemon=True).start()
            if self._stop.is_set():  # close() has not seen this one
                line.end()
            line.leave.wait()
            pause = 0.0 if time.monotonic() - opened > STEADY else PAUSES[0]

    def _connect(self) -> Line:
        url = self._web.apps_connections_open(app_token=self._token).get("url")
        if not isinstance(url, str):
            raise ConnectionError("Slack gave no address")
        return Line(url, self._silence)

    # --- one thread a connection hears, the workers answer

    def _read(self, line: Line) -> None:
        try:
            for request in line.envelopes():
                self._last = self._clock()
                self.envelopes += 1
                # After close() there are no workers. What is not answered, Slack sends again or reports as failed.
                with suppress(RuntimeError):
                    self._workers.submit(self._answer, line, request).add_done_callback(_report)
        except BROKEN as failure:
            if not self._stop.is_set():
                log.info("Socket Mode: the connection broke (%s)", _plain(failure))
        finally:
            self._lines.remove(line)

    def _answer(self, line: Line, request: SocketModeRequest) -> None:
        began = time.time()
        response = run_bolt_app(self._bolt, request)
        for way in (line, *reversed(self._lines)):
            # Over the connection that it came by; if that is gone, Slack takes it over another one.
            with suppress(*BROKEN):
                send_response(way, request, response, began)
                return
        log.warning("Socket Mode: an answer could not be given, the connection is gone; what was recorded stays")


def _report(done: Future[None]) -> None:
    if not done.cancelled() and (failure := done.exception()) is not None:
        log.error("Socket Mode: an envelope was not answered", exc_info=failure)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _asked_to_wait(failure: Exception) -> float:
    """The seconds after which Slack wants to be asked again, 0 if it did not say."""
    if isinstance(failure, SlackApiError):
        headers = getattr(failure.response, "headers", None)
    else:
        headers = getattr(failure, "resp_headers", None)
    given = {name.lower(): value for name, value in (headers or {}).items()}.get("retry-after", "")
    return float(given) if str(given).isdecimal() else 0.0


def _plain(failure: Exception) -> str:
    if isinstance(failure, SlackApiError):
        said = getattr(failure.response, "data", None)
        return str(said.get("error", "refused")) if isinstance(said, dict) else "refused"
    if isinstance(failure, WebSocketBadStatusException):
        return f"the handshake was answered with {failure.status_code}"
    if type(failure) in (ConnectionError, ConnectionRefusedError) and failure.args and isinstance(failure.args[0], str):
        return failure.args[0]
    return type(failure).__name__
