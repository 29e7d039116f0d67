"""The HTTP server: how long a client may take, how much it may send and how many may be connected at a time.

Knows waitress, bytes and connections. Must not know which addresses there are, nor what is answered there. A request
reaches a thread only when it is whole, so a slow client costs a connection and no thread; here it costs that for a
bounded time only, and where there are too many connections, those go that have kept us waiting longest.
"""

from __future__ import annotations

import errno
import logging
import math
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask

THREADS = 8
ACCEPTS = 16
MAX_HEADER = 32 * 1024
"""Bytes of the first line and the headers together: Slack's have about one thousand."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience there is: seconds, and connections.

    One call of select() takes 1,024 files, and those of the database are among them.
    """

    whole: float = 20.0
    """From the first byte of a request to its last."""
    taken: float = 60.0
    """Until an answer has been taken."""
    idle: float = 60.0
    """For which a connection may say nothing between requests."""
    connections: int = 400


WORDS = {
    400: ("400 Bad Request", "This is no HTTP request."),
    413: ("413 Content Too Large", "The body is too large."),
    431: ("431 Request Header Fields Too Large", "The headers are too large."),
    500: ("500 Internal Server Error", "Internal Server Error."),
}
"""What is said about a request that reached nobody; about any other one that it is none."""


class Parser(HTTPRequestParser):  # type: ignore[misc]  # ships no types
    """A reader of requests that refuses what two servers in a row could read in two ways."""

    def parse_header(self, header_plus: bytes) -> None:
        """Reads first line and headers. Raises ParsingError where they leave open where a request ends or begins."""
        try:
            super().parse_header(header_plus)
        except ParsingError:
            raise
        except ValueError:  # a length with more digits than Python reads as a number
            raise ParsingError("Content-Length is invalid") from None
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("The length of the body is said twice")
        if self.version == "1.1" and "HOST" not in self.headers:
            raise ParsingError("Host is missing")


class Problem(ErrorTask):  # type: ignore[misc]  # ships no types
    """The answer to what is no request: like every other one, and without a word of what was sent."""

    def execute(self) -> None:
        """Answers and closes: where the next request would begin is not known."""
        status, words = WORDS.get(self.request.error.code, WORDS[400])
        content = f"{words}\n".encode()
        self.status = status
        self.response_headers.append(("Content-Type", "text/plain; charset=utf-8"))
        self.response_headers.extend(self.channel.headers.items())
        self.set_close_on_finish()
        self.content_length = len(content)
        self.write(content)


class Connection(HTTPChannel):  # type: ignore[misc]  # ships no types
    """A connection that keeps us waiting for a bounded time only."""

    parser_class = Parser
    error_task_class = Problem

    def __init__(self, *given: Any, map: dict[int, Any], headers: Mapping[str, str], limits: Limits) -> None:
        self.headers = headers
        self.limits = limits
        self.since = time.monotonic()
        self.given_up = False
        self._answered = 0
        self._doing: tuple[object, ...] = ()
        _make_room(map, limits.connections)
        super().__init__(*given, map=map)

    def service(self) -> None:
        """Has a request answered, in a thread."""
        super().service()
        self._answered += 1

    def readable(self) -> bool:
        """Whether more may be read. The loop asks at each of its turns, so it is here that the late ones go."""
        now = time.monotonic()
        within = self._patience()
        doing = (within, self.request, self._answered)
        if doing != self._doing:
            self._doing, self.since = doing, now
        if self.given_up or now - self.since > within:
            self.given_up = True
            self.handle_close()  # not its `will_close`: that waits until the client would take more
            return False
        return bool(super().readable())

    def writable(self) -> bool:
        """Whether there is something to send."""
        return not self.given_up and bool(super().writable())

    def _patience(self) -> float:
        """Seconds that may be spent on what happens now."""
        if self.requests:
            return math.inf  # it is our turn
        if self.total_outbufs_len:
            return self.limits.taken
        return self.limits.idle if self.request is None else self.limits.whole


def _make_room(connected: Mapping[int, Any], most: int) -> None:
    """Gives up the connection that has kept us waiting longest, where there are too many."""
    there = [one for one in connected.values() if isinstance(one, Connection) and not one.given_up]
    waiting = [one for one in there if not one.requests]
    if len(there) >= most and waiting:
        min(waiting, key=lambda one: one.since).given_up = True


def _accept(one: Callable[[], None]) -> None:
    """Takes several connections at a turn of the loop: each turn looks at all that there are."""
    for _ in range(ACCEPTS):
        one()


def listen(
    site: Any,
    host: str,
    port: int,
    sockets: dict[int, Any],
    *,
    max_body: int,
    headers: Mapping[str, str],
    limits: Limits | None = None,
) -> Any:
    """The server, listening; raises OSError when the address cannot be had.

    `site` is a WSGI application, `max_body` in bytes, `headers` what the answers carry that are given before the
    application is asked. Its sockets are put into `sockets`, for the loop.
    """
    # Of a reader who hangs up it would tell the address, and in that the token of a link.
    logging.getLogger("waitress").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line for each request, just when there are many
    limits = limits or Limits()
    most = min(limits.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    try:
        server = create_server(
            site,
            map=sockets,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            connection_limit=most + 50,  # then it takes no more, which happens only where all are being answered
            max_request_header_size=MAX_HEADER,
            outbuf_high_watermark=1 << 27,  # an answer beyond that would keep its thread until it is taken
            max_request_body_size=max_body + 1,  # it refuses what is as large as this, or larger
        )
    except OSError:
        wasyncore.close_all(sockets)
        raise
    except ValueError as failure:  # waitress's word for a host that has no address
        raise OSError(errno.EADDRNOTAVAIL, "there is no such address") from failure
    made = partial(Connection, headers=headers, limits=replace(limits, connections=most))
    for one in list(sockets.values()):
        if isinstance(one, BaseWSGIServer):
            one.channel_class = made
            one.handle_accept = partial(_accept, one.handle_accept)
    return server
