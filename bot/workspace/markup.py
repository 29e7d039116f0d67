"""Slack's markup, in both directions: what people type becomes what the app hears, what the app posts becomes words.

Knows the escapes (&, <, >), mentions and links of docs.slack.dev/messaging/formatting-message-text. Knows no workspace:
names and ids come in as mappings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_TYPED = re.compile(r"(?P<url>https?://[^\s<>]+)|(?<![\w@.#/&])(?P<sigil>[@#])(?P<name>[\w][\w.-]*)", re.UNICODE)
_CONTROL = re.compile(r"<([^<>\n]+)>")
_BOLD = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_ITALIC = re.compile(r"(?<!\w)_(?=[^\s_])([^_\n]*[^\s_])_(?!\w)")
_STRIKE = re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])")


def escape(text: str) -> str:
    """Escape the three characters that Slack escapes, and no other."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def typed(text: str, users: Mapping[str, str], channels: Mapping[str, str], *, labels: bool) -> str:
    """Turn what a person typed into what Slack delivers.

    `users` and `channels` map lower-case names to ids. `labels` adds the name (`<@U1|ada>`), as a slash command with
    `should_escape` does; a message carries the bare id. A name that nobody has stays text.
    """
    out: list[str] = []
    rest = 0
    for match in _TYPED.finditer(text):
        if match["url"]:
            url = match["url"].rstrip(".,;:!?)")
            out += [escape(text[rest : match.start()]), f"<{escape(url)}>"]
            rest = match.start() + len(url)
            continue
        known = users if match["sigil"] == "@" else channels
        name = match["name"]
        if match["sigil"] == "@" and name.lower() in ("here", "channel", "everyone"):
            out += [escape(text[rest : match.start()]), f"<!{name.lower()}>"]
            rest = match.end()
            continue
        while name and name.lower() not in known:
            name = name[:-1].rstrip(".-_") if name[-1] in ".-_" else ""
        if not name:
            continue
        label = f"|{escape(name.lower())}" if labels else ""
        out += [escape(text[rest : match.start()]), f"<{match['sigil']}{known[name.lower()]}{label}>"]
        rest = match.start() + 1 + len(name)
    return "".join(out) + escape(text[rest:])


def words(text: str, user: Callable[[str], str], channel: Callable[[str], str], *, emphasis: bool = True) -> str:
    """Turn mrkdwn into plain words: mentions by name, links by label, escapes undone, emphasis without its marks."""

    def control(match: re.Match[str]) -> str:
        head, _, label = match[1].partition("|")
        if head.startswith("@"):
            return "@" + (label or user(head[1:]))
        if head.startswith("#"):
            return "#" + (label or channel(head[1:]))
        if head.startswith("!subteam^"):
            return label or "@" + head.removeprefix("!subteam^")
        if head.startswith("!date^"):
            return label or head
        if head.startswith("!"):
            return "@" + head[1:]
        return label or head

    plain = _CONTROL.sub(control, text)
    if emphasis:
        for mark in (_BOLD, _ITALIC, _STRIKE):
            plain = mark.sub(r"\1", plain)
    return unescape(plain)


def size(count: int) -> str:
    """Say a number of bytes as Slack does: 812 B, 4.2 kB, 1.3 MB."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
