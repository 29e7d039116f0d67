"""Slack over Socket Mode: one connection that Scribe opens itself, so that no public address is needed.

This room knows how to stay connected and how old the last envelope is. What an envelope says goes to the same Bolt app
that HTTP requests go to, so a redelivery is known by its origin whichever way it comes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from websocket import WebSocketException

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
CLOSE_SECONDS = 3.0

log = logging.getLogger("scribe.sockets")


class Sockets:
    """The connection to Slack, kept up until `close`. `clock` gives aware UTC."""

    def __init__(self, bolt: App, app_token: str, api_url: str, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._stop = threading.Event()
        self._last: datetime | None = None
        quiet = logging.getLogger("scribe.sockets.client")
        quiet.setLevel(logging.CRITICAL)  # it logs each failed try with a traceback; we log them in a line
        self._handler = SocketModeHandler(
            bolt, app_token, logger=quiet, web_client=WebClient(base_url=api_url, retry_handlers=[], logger=quiet)
        )
        listeners = self._handler.client.socket_mode_request_listeners
        listeners.insert(0, self._heard)
        self._opener = threading.Thread(target=self._open, name="sockets", daemon=True)

    def start(self) -> None:
        """Begins to connect; Slack may be away, then it is tried again until it is there."""
        self._opener.start()

    def connected(self) -> bool:
        """Whether the connection stands."""
        return bool(self._handler.client.is_connected())

    def age(self) -> timedelta | None:
        """How long ago the last envelope came; None when none has come."""
        return self._clock() - self._last if self._last else None

    def close(self) -> None:
        """Ends the connection; what is being answered is answered first."""
        self._stop.set()
        finishing = threading.Thread(target=self._handler.client.message_workers.shutdown, daemon=True)
        finishing.start()
        finishing.join(CLOSE_SECONDS)
        self._handler.close()  # type: ignore[no-untyped-call]  # Bolt's adapter has no annotations here

    def _heard(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        self._last = self._clock()

    def _open(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            try:
                self._handler.connect()  # type: ignore[no-untyped-call]  # the same
            except (SlackApiError, OSError, WebSocketException) as failure:
                log.warning("Socket Mode: no connection yet (%s); trying again in %.0f s", _plain(failure), pause)
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                log.info("Socket Mode: connected")
                return


def _plain(failure: Exception) -> str:
    if isinstance(failure, SlackApiError):
        return str(failure.response.get("error", "refused"))
    return type(failure).__name__
