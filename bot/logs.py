"""How it is told to who runs it: one line an event, with what it was about.

Knows how a line of the log looks and which request or letter the present thread has in hand. Must not know what those
are; what is put on a line are numbers and names of ours, never what people wrote.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

Fields = dict[str, Any]

HIDDEN = "…"
"""What stands in place of a token or secret."""

_slip: ContextVar[Fields | None] = ContextVar("slip", default=None)


@contextmanager
def about(**fields: Any) -> Iterator[Fields]:
    """Puts these fields on every line that this thread logs while the block runs; gives them, with what was noted."""
    slip = {**(_slip.get() or {}), **fields}
    token = _slip.set(slip)
    try:
        yield slip
    finally:
        _slip.reset(token)


def note(**fields: Any) -> None:
    """Adds fields to what is in hand; where nothing is, they are let go."""
    slip = _slip.get()
    if slip is not None:
        slip.update(fields)


def reference() -> str:
    """The eight characters by which a defect is found in the log; the same throughout a request or letter."""
    found = (_slip.get() or {}).get("reference")
    return str(found) if found else new_reference()


def new_reference() -> str:
    """Eight characters that nobody had before."""
    return secrets.token_hex(4)


class Lines(logging.Formatter):
    """A record as one JSON object on one line. `hidden` are tokens and secrets, which never come through."""

    def __init__(self, hidden: Sequence[str] = ()) -> None:
        super().__init__()
        forms = {form for secret in filter(None, hidden) for form in _written(secret)}
        self._hidden = sorted(forms, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        fields: Fields = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_slip.get() or {}),
            "thread": record.threadName,
        }
        if error := self._error(record):
            fields["error"] = error
        # Beyond ASCII everything is escaped: half characters, and those that turn or break a line in a terminal.
        return self._without_secrets(json.dumps(fields, default=str))

    def _error(self, record: logging.LogRecord) -> str:
        error = self.formatException(record.exc_info) if record.exc_info else record.exc_text or ""
        return f"{error}\n{self.formatStack(record.stack_info)}" if record.stack_info else error

    def _without_secrets(self, line: str) -> str:
        for secret in self._hidden:
            line = line.replace(secret, HIDDEN)
        return line


class PlainLines(Lines):
    """The same for people: the message, then its fields; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={_shown(value)}" for name, value in (_slip.get() or {}).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {_shown(record.getMessage())}"
        lines = [f"{line} [{fields}]" if fields else line]
        lines += [f"    {_shown(one)}" for one in self._error(record).splitlines()]
        return self._without_secrets("\n".join(lines))


def start(stream: TextIO, *, as_json: bool, hidden: Sequence[str] = ()) -> None:
    """Sends every line of the process, from info on, to a stream; what a thread dies of becomes a line too."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(hidden) if as_json else PlainLines(hidden))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    threading.excepthook = _thread_died


def _thread_died(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "?"
    error = args.exc_value or args.exc_type()
    logging.getLogger("scribe").error("the thread %s died", name, exc_info=error)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(secret: str) -> set[str]:
    """The ways in which a secret can stand in a line: as it is, as Python shows text and bytes, and those as JSON."""
    plain = {secret, repr(secret)[1:-1], ascii(secret)[1:-1], repr(secret.encode())[2:-1]}
    return plain | {json.dumps(one)[1:-1] for one in plain}


def _shown(value: object) -> str:
    """A value on one line: what breaks or turns a line is written as an escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(value))
