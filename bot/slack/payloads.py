"""Mentions, links, escapes and time stamps <-> plain words and times.

Knows how Slack writes text (https://docs.slack.dev/messaging/formatting-message-text) and message ids. Must not know
payloads as a whole, blocks, or what a line of the /incident language means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_CONTROL = re.compile(r"<([^<>]*)>")
_PERSON = re.compile(r"@([UW][A-Z0-9]+)")
_CHANNEL = re.compile(r"#([CGD][A-Z0-9]+)")
_LINK = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://)?(?P<address>.+)", re.DOTALL)
_ESCAPE = re.compile(r"&(amp|lt|gt);")
_PLAIN = {"amp": "&", "lt": "<", "gt": ">"}
_TS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Malformed(ValueError):
    """A payload that is not of the shape in which Slack documents it: nobody's doing who can read an answer."""


def text_at(payload: Mapping[str, Any], *path: str, usual: str | None = None) -> str:
    """Give the text at a path of a payload; `usual` where nothing is there.

    Raises Malformed where something else is there, or nothing and no `usual` was given.
    """
    found = object_at(payload, *path[:-1]).get(path[-1])
    if found is None or found == "":
        found = usual
    if not isinstance(found, str):
        raise Malformed(f"{'.'.join(path)} is no text")
    return found


def object_at(payload: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Give the object at a path of a payload, an empty one where nothing is there. Raises Malformed for all else."""
    found: Any = payload
    for name in path:
        found = found.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise Malformed(f"{name} is no object")
    return found  # type: ignore[no-any-return]


def plain(text: str, names: Mapping[str, str] | None = None) -> tuple[str, dict[str, str]]:
    """Turn text as Slack delivers it (a command with `should_escape`, a message) into plain words and its mentions.

    The mentions map each person and channel as they now stand in the words ("@ada", "#general") to their id. A mention
    without a label takes the name that `names` has for its id, else the id. Two people of the same name stay two:
    "@ada", "@ada (U2)". Escapes are undone once, after the markup was read, so what somebody typed in angle brackets
    stays what they typed. All else – lines, emoji, quotes – is kept exactly.
    """
    reading = _Reading(names or {})
    words: list[str] = []
    end = 0
    for control in _CONTROL.finditer(text):
        words += [_unescape(text[end : control.start()]), reading.control(control[1])]
        end = control.end()
    words.append(_unescape(text[end:]))
    return "".join(words), reading.mentions


class _Reading:
    """The names that one text has given away so far."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.mentions: dict[str, str] = {}
        self.taken: dict[str, str] = {}

    def control(self, inside: str) -> str:
        """Give the words for what stands between `<` and `>`; what is no markup of Slack's stays as it is."""
        head, _, label = inside.partition("|")
        label = _unescape(label)
        if person := _PERSON.fullmatch(head):
            return self._mention("@", person[1], label)
        if channel := _CHANNEL.fullmatch(head):
            return self._mention("#", channel[1], label)
        if head.startswith("!subteam^"):
            group = head.removeprefix("!subteam^")
            return self._claim("@" + (label.removeprefix("@") or self.names.get(group) or group), group)
        if head.startswith("!"):
            if label:
                return "@" + label if label == head[1:] else label
            return f"<{_unescape(inside)}>" if "^" in head else "@" + head[1:]
        if link := _LINK.fullmatch(head):
            return _link(link, label)
        return f"<{_unescape(inside)}>"

    def _mention(self, sigil: str, key: str, label: str) -> str:
        words = self._claim(sigil + (label.removeprefix(sigil) or self.names.get(key) or key), key)
        self.mentions[words] = key
        return words

    def _claim(self, words: str, key: str) -> str:
        """Give the words, told apart from those that already stand for somebody else."""
        if self.taken.setdefault(words, key) == key:
            return words
        apart = f"{words} ({key})"
        self.taken[apart] = key
        return apart


def _link(link: re.Match[str], label: str) -> str:
    whole, bare = _unescape(link[0]), _unescape(link["address"])
    if link["scheme"].lower() in ("mailto", "tel"):
        whole = bare
    if not label:
        return whole
    return label if label in (whole, bare) else f"{label} ({whole})"


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: _PLAIN[found[1]], text)


def escape(text: str) -> str:
    """Escape the three characters that Slack wants escaped, and no other."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(text: str) -> str:
    """Make recorded words safe to stand in mrkdwn: they call nobody, and no link hides behind other words.

    `*`, `_`, `~` and backticks would still be read as emphasis. Nothing in mrkdwn prevents that without changing the
    words; where they have to be shown exactly, use `plain_text` or `rich_text` objects, which are not parsed.
    """
    return escape(text)


def clip(text: str, limit: int) -> str:
    """Cut words that are only shown to at most `limit` characters, "…" included. Clip first, escape afterwards."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def ts_to_time(ts: str) -> datetime:
    """Read a message's id ("1700000000.000100") as the time it was written, exact to the microsecond.

    Raises Malformed for what is no such id.
    """
    found = _TS.fullmatch(ts)
    if found is None:
        raise Malformed(f"not a message's ts: {ts!r}")
    try:
        return _EPOCH + timedelta(seconds=int(found[1]), microseconds=int((found[2] or "").ljust(6, "0")))
    except OverflowError:
        raise Malformed(f"not a message's ts: {ts!r}") from None


def time_to_ts(time: datetime) -> str:
    """Write an aware time as Slack writes message ids. Raises ValueError for a time without a zone or before 1970."""
    if time.tzinfo is None:
        raise ValueError("the time has no zone")
    seconds, micros = divmod((time - _EPOCH) // _MICROSECOND, 1_000_000)
    if seconds < 0:
        raise ValueError(f"Slack has no ids before 1970: {time.isoformat()}")
    return f"{seconds}.{micros:06d}"
