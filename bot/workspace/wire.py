"""TCP connections that can be broken off, and WebSocket frames as a server reads and writes them (RFC 6455).

Knows bytes and sockets; knows nothing of Slack, and opens nothing itself. What a client does against the protocol is a
`Violation` with the code that its close frame carries.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import socket
import struct
import threading
from enum import IntEnum
from typing import Protocol

LIMIT = 1024 * 1024
"""Bytes that a message of a client may have."""

PATIENCE_TO_SEND = 5
"""Seconds after which a client that reads nothing counts as gone."""

_KEY_SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LONGEST_CONTROL = 125


class Opcode(IntEnum):
    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class Violation(Exception):
    """What the client sent is not WebSocket; `code` goes into the close frame (RFC 6455, 7.4.1)."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class Stream(Protocol):
    """Where bytes come from: gives as many as were asked for, fewer only at the end."""

    def read(self, size: int, /) -> bytes: ...


class Link:
    """An accepted TCP connection. One thread reads from it and closes it; any thread may send and may end it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.broken = False
        self.gone = threading.Event()
        self._sending = threading.Lock()
        # The one that reads may wait for ever, the one that sends may not.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", PATIENCE_TO_SEND, 0))

    def send(self, content: bytes) -> None:
        """Send all of it; raises OSError if the other side is gone."""
        with self._sending:
            if self.broken:
                raise ConnectionAbortedError("this connection was broken off")
            self.sock.sendall(content)

    def hang_up(self) -> None:
        """Let the thread that reads see the end; it then closes the connection in good order."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def break_off(self) -> None:
        """Let the connection end with a TCP reset: no farewell, and what was under way is lost."""
        self.broken = True
        # Lingering for zero seconds makes close() send RST. The thread in recv() must leave first: the kernel closes
        # nothing that is being read from.
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    def close(self) -> None:
        """Close it; for the thread that reads."""
        if not self.broken:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
        self.sock.close()
        self.gone.set()


def accept(key: str) -> str | None:
    """Give Sec-WebSocket-Accept for a client's Sec-WebSocket-Key, None if that is no key (RFC 6455, 4.2)."""
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            return None
    except (binascii.Error, ValueError):
        return None
    return base64.b64encode(hashlib.sha1((key + _KEY_SALT).encode(), usedforsecurity=False).digest()).decode()


def frame(opcode: Opcode, payload: bytes = b"") -> bytes:
    """Make an unmasked frame, as servers send them."""
    head = bytes([0x80 | opcode])
    if len(payload) <= _LONGEST_CONTROL:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + struct.pack("!BH", 126, len(payload)) + payload
    return head + struct.pack("!BQ", 127, len(payload)) + payload


def farewell(code: int, words: str = "") -> bytes:
    """Make a close frame."""
    return frame(Opcode.CLOSE, struct.pack("!H", code) + words.encode()[: _LONGEST_CONTROL - 2])


class Reader:
    """Reads a client's messages; fragments are put together, control frames between them are given at once."""

    def __init__(self, stream: Stream, limit: int = LIMIT) -> None:
        self._stream = stream
        self._limit = limit
        self._kind: Opcode | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def read(self) -> tuple[Opcode, bytes] | None:
        """Give the next message, None when the connection has ended; raises Violation."""
        while (one := self._frame()) is not None:
            final, opcode, payload = one
            if opcode >= Opcode.CLOSE:
                if opcode is Opcode.CLOSE:
                    _check_farewell(payload)
                return opcode, payload
            if (opcode is Opcode.CONTINUATION) != (self._kind is not None):
                raise Violation(1002, "a fragment without a beginning, or a message inside another")
            self._kind = self._kind or opcode
            self._parts.append(payload)
            self._size += len(payload)
            if final:
                kind, whole = self._kind, b"".join(self._parts)
                self._kind, self._parts, self._size = None, [], 0
                if kind is Opcode.TEXT:
                    _check_text(whole)
                return kind, whole
        return None

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        head = self._exactly(2)
        if head is None:
            return None
        final, bits, length = bool(head[0] & 0x80), head[0] & 0x0F, head[1] & 0x7F
        if head[0] & 0x70:
            raise Violation(1002, "reserved bits are set, but no extension was agreed on")
        if bits not in set(Opcode):
            raise Violation(1002, f"there is no opcode {bits}")
        opcode = Opcode(bits)
        if not head[1] & 0x80:
            raise Violation(1002, "a client masks its frames")
        if opcode >= Opcode.CLOSE and (length > _LONGEST_CONTROL or not final):
            raise Violation(1002, "a control frame is short and in one piece")
        if length >= 126:
            size = self._exactly(2 if length == 126 else 8)
            if size is None:
                return None
            length = int.from_bytes(size)
        if opcode < Opcode.CLOSE and self._size + length > self._limit:
            raise Violation(1009, f"a message has at most {self._limit} bytes")
        mask = self._exactly(4)
        payload = self._exactly(length)
        if mask is None or payload is None:
            return None
        return final, opcode, _unmasked(payload, mask)

    def _exactly(self, size: int) -> bytes | None:
        found = self._stream.read(size) if size else b""
        return found if len(found) == size else None


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)


def _check_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise Violation(1007, "the text is not UTF-8") from None


def _check_farewell(payload: bytes) -> None:
    if not payload:
        return
    code = int.from_bytes(payload[:2])
    if len(payload) < 2 or not (3000 <= code <= 4999 or code in {*range(1000, 1004), *range(1007, 1015)}):
        raise Violation(1002, "a close frame names a code that may be sent")
    _check_text(payload[2:])
