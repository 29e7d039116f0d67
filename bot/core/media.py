"""What a file is by its first bytes, what of it is kept, and how that is said.

Nothing here trusts what somebody says a file is, and nothing decodes one: a picture is shown as the bytes that came.
"""

from __future__ import annotations

import codecs
import re
from enum import StrEnum

from bot.core import events as ev
from bot.core.document import File
from bot.core.incident import Entry, Incident

MEGABYTE = 1_000_000

TOTAL = 100 * MEGABYTE
"""Bytes that are kept for one incident."""
EACH = 10
"""Files that are kept of one message."""

LONGEST_NAME = 200

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/csv": "csv",
    "application/json": "json",
}
"""The media types that are kept, and how their files end."""

PATH = r"[0-9a-f]{12}\.(?:" + "|".join(EXTENSIONS.values()) + ")"
"""How a file is called where it lies."""

_NAMES = {
    "image/png": "PNG image",
    "image/jpeg": "JPEG image",
    "image/gif": "GIF image",
    "image/webp": "WebP image",
    "image/svg+xml": "SVG drawing",
    "application/pdf": "PDF",
    "application/json": "JSON",
    "application/zip": "zip archive",
    "text/csv": "CSV table",
    "text/html": "web page",
}
_FAMILIES = {"image": "image", "video": "video", "audio": "sound", "text": "text"}

_NEVER = ("video/", "audio/", "font/", "application/vnd.", "application/msword")
_NEVER_EITHER = frozenset(
    {"text/html", "image/svg+xml", "application/zip", "application/gzip", "application/x-gzip", "application/x-tar"}
)

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")

_CONTROL = bytes(sign for sign in range(32) if sign not in b"\b\t\n\f\r\x1b") + b"\x7f"
"""What no text holds; a log may be coloured (ESC)."""

_MARKUP = re.compile(
    r"(?>\s+|<\?.*?\?>|<!--.*?-->|<!doctype\s(?!html\b|svg\b)[^>]*>)*+"  # atomic: it never looks twice
    r"<(?:!doctype\s+(?:html|svg)|(?:\w+:)?svg|html|head|body|script|iframe)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = 4096


class Unkept(StrEnum):
    """Why a file is named in the record, and its bytes are not kept."""

    KIND = "kind"
    SIZE = "size"
    TOTAL = "total"
    COUNT = "count"
    REFUSED = "refused"


REASONS = {
    Unkept.KIND: "files of this kind are not kept",
    Unkept.SIZE: "it is too large",
    Unkept.TOTAL: "the incident holds as much as is kept of one",
    Unkept.COUNT: f"{EACH} files of a message are kept",
    Unkept.REFUSED: "Slack did not give it",
}


def sniffed(content: bytes, name: str = "") -> str | None:
    """The media type of a file by its bytes, None for a kind that is not kept; `name` tells texts apart."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    return _text(content, name)


def _text(content: bytes, name: str) -> str | None:
    """A text that is none to be run: a page or a drawing may hold scripts, and is not kept."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            content = content.decode("utf-16").encode("utf-8", "replace")
        except UnicodeDecodeError:
            return None
    if len(content.translate(None, _CONTROL)) != len(content):
        return None
    head = content[:_HEAD].removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    if _MARKUP.match(head):
        return None
    return {"csv": "text/csv", "json": "application/json"}.get(name.rpartition(".")[2].casefold(), "text/plain")


def is_hopeless(claimed: str) -> bool:
    """Whether a file that is said to be of this media type need not be fetched to know that it is not kept."""
    return claimed.startswith(_NEVER) or claimed in _NEVER_EITHER


def claimed(media_type: str) -> str:
    """What somebody says a file is, as a media type; what cannot be one is nothing in particular."""
    plain = media_type.partition(";")[0].strip().casefold()
    return plain if _MEDIA_TYPE.fullmatch(plain) else "application/octet-stream"


def is_image(media_type: str) -> bool:
    """Whether a browser shows it, and runs nothing."""
    return media_type in ("image/png", "image/jpeg", "image/gif", "image/webp")


def path(digest: str, media_type: str) -> str:
    """How a file is called where it lies: the same bytes, the same name; never anything that a person wrote."""
    return f"{digest[:12]}.{EXTENSIONS[media_type]}"


def in_words(media_type: str, size: int) -> str:
    """Kind and size of a file as people say it: "PNG image, 240 kB"; no size where that is not known."""
    kind = _NAMES.get(media_type) or _FAMILIES.get(media_type.partition("/")[0], "file")
    return f"{kind}, {length(size)}" if size else kind


def length(size: int) -> str:
    """A number of bytes as people say it.

    >>> length(980), length(240_400), length(1_240_000), length(48_000_000)
    ('980 bytes', '240 kB', '1.2 MB', '48 MB')
    """
    if size < 1000:
        return f"{size} bytes"
    if size < 999_500:
        return f"{size / 1000:.0f} kB"
    return f"{size / MEGABYTE:.1f} MB" if size < 9_950_000 else f"{size / MEGABYTE:.0f} MB"


def files(incident: Incident, entry: Entry) -> tuple[File, ...]:
    """The files of an entry as a document shows them: none of one that was removed or taken back."""
    return tuple(_shown(incident, entry, one) for one in entry.files) if entry.live else ()


def _shown(incident: Incident, entry: Entry, one: ev.Attached) -> File:
    destroyed = entry.redacted or one.digest in incident.destroyed_files
    kept = bool(one.digest) and not destroyed
    why = REASONS[Unkept(one.unkept)] if one.unkept else ""
    return File(
        name="" if destroyed else " ".join(one.file.split())[:LONGEST_NAME],
        path=path(one.digest, one.media_type) if kept else "",
        words=in_words(one.media_type, one.size),
        media_type=one.media_type,
        size=one.size,
        digest=one.digest,
        image=is_image(one.media_type),
        destroyed=destroyed,
        why=why,
    )
