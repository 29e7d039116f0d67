"""What was said elsewhere: a Slack export, read as messages; and suggestions, as they are written to a file and read.

This room knows how Slack exports look: one file with users and messages, the list of one day, a folder or a zip with
`users.json`, `channels.json` and `channel/DATE.json` (https://slack.com/help/articles/220556107). What comes out is
plain words and aware times. It must not know what makes a message worth recording, the store, or who accepts what.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.core.errors import Refusal
from bot.core.events import Kind
from bot.core.grammar import MAX_TEXT
from bot.core.suggest import KINDS, Message, Suggestion
from bot.core.times import localize
from bot.slack.payloads import plain, ts_to_time

LARGEST = 128 * 1024 * 1024
"""Bytes of an export that are read, all its files together."""

LAST_YEAR = 2999
"""A message that claims to be later is left out: near the end of the calendar no zone can be applied."""

SPOKEN = frozenset(
    {"", "bot_message", "me_message", "thread_broadcast", "reply_broadcast", "file_share", "file_comment"}
)
"""Subtypes of what somebody says; all others are notices of Slack's own."""

RECORDED_AS = {
    **{kind: Kind(kind) for kind in KINDS},
    "resolution": Kind.MITIGATION,
    "root_cause": Kind.CAUSE,
    **{
        kind.value: kind
        for kind in (Kind.DECISION, Kind.IMPACT, Kind.TRIGGER, Kind.FACTOR, Kind.FIX, Kind.VERIFIED, Kind.ACK)
    },
}
"""Words for a kind in a suggestions file, and what an entry becomes: as in scenario files, `cause` is the trigger where
none is known (else a note), and nothing that is imported resolves an incident."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d\.json")
_HALVES = re.compile("[\ud800-\udfff]")
_HINT = "Give an export with messages, the file of one day, or the folder of a channel."

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """The messages of one channel in the order of time.

    `channel` is its id, "" where the export does not say; `names` are people's names by Slack id. `left_out` counts
    messages that have no time.
    """

    messages: tuple[Message, ...]
    names: Mapping[str, str]
    channel: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry of a suggestions file: the message, and what shall be recorded of it."""

    ts: str
    kind: str
    at: datetime
    text: str


def read(path: Path) -> Export:
    """The export at this path; raises Refusal where there is none."""
    if path.is_dir():
        return _of_folder(path)
    if zipfile.is_zipfile(path):
        return _of_zip(path)
    _small_enough(path.stat().st_size, path)
    beside = path.resolve().parent.parent / "users.json"
    users = _json(beside.read_bytes(), beside.name) if _DAY.fullmatch(path.name) and beside.is_file() else []
    return _export(_json(path.read_bytes(), path.name), path.name, users)


def parse(text: str, name: str) -> Export:
    """The export that is written in `text`; `name` is how refusals call it."""
    return _export(_json(text.encode(errors="replace"), name), name, [])


# ---- where it lies -------------------------------------------------------------------------------


def _of_folder(folder: Path) -> Export:
    days = sorted(one for one in folder.glob("*.json") if _DAY.fullmatch(one.name))
    root = folder.parent if days else folder
    if not days:
        channels = sorted({one.parent for one in folder.glob("*/*.json") if _DAY.fullmatch(one.name)})
        if not channels:
            raise Refusal(f"{folder} holds no Slack export.", _HINT)
        if len(channels) > 1:
            raise _several([one.name for one in channels], f"{folder}/{channels[0].name}")
        days = sorted(one for one in channels[0].glob("*.json") if _DAY.fullmatch(one.name))
    named = [root / name for name in ("users.json", "channels.json", "groups.json") if (root / name).is_file()]
    _small_enough(sum(one.stat().st_size for one in (*days, *named)), folder)
    beside = {one.name: one.read_bytes() for one in named}
    return _of_days({f"{one.parent.name}/{one.name}": one.read_bytes() for one in days}, beside)


def _of_zip(path: Path) -> Export:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            _small_enough(sum(one.file_size for one in entries if one.filename.endswith(".json")), path)
            days = [one for one in entries if _DAY.fullmatch(one.filename.split("/")[-1]) and "/" in one.filename]
            channels = sorted({one.filename.split("/")[-2] for one in days})
            if not days:
                raise Refusal(f"{path} holds no Slack export.", _HINT)
            if len(channels) > 1:
                raise _several(channels, f"FOLDER/{channels[0]}", "Unpack it first. ")
            named = [
                one for one in entries if one.filename.split("/")[-1] in ("users.json", "channels.json", "groups.json")
            ]
            beside = {one.filename.split("/")[-1]: archive.read(one) for one in named}
            return _of_days({"/".join(one.filename.split("/")[-2:]): archive.read(one) for one in days}, beside)
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        NotImplementedError,
        EOFError,
    ) as error:  # broken, encrypted, exotic
        raise Refusal(f"{path} cannot be unpacked.", "Unpack it and give the folder of the channel.") from error


def _several(channels: Sequence[str], one: str, first: str = "") -> Refusal:
    shown = ", ".join(channels[:8]) + (", …" if len(channels) > 8 else "")
    return Refusal(f"There are {len(channels)} channels in there: {shown}.", f"{first}Name one, for example {one}.")


def _of_days(days: Mapping[str, bytes], beside: Mapping[str, bytes]) -> Export:
    users, channels = (_json(beside.get(f"{name}.json", b"[]"), f"{name}.json") for name in ("users", "channels"))
    groups = _json(beside.get("groups.json", b"[]"), "groups.json")
    folder = next(iter(days)).split("/")[0]
    known = [one for one in (*_objects(channels), *_objects(groups)) if folder in (one.get("name"), one.get("id"))]
    messages: list[Any] = []
    for name, content in sorted(days.items()):
        day = _json(content, name)
        if not isinstance(day, list):
            raise Refusal(f"{name}: a day of an export is a list of messages.", _HINT)
        messages += day
    return _export({"channel": known[0] if known else {}, "messages": messages}, folder, users)


def _small_enough(size: int, path: Path) -> None:
    if size > LARGEST:
        raise Refusal(
            f"{path} is {size / 1024 / 1024:.0f} MB; up to {LARGEST // 1024 // 1024} MB are read.",
            "Give the folder of one channel, or the file of one day.",
        )


def _json(content: bytes, name: str) -> Any:
    """What a file says. Decimal numbers stay as they are written: a message's time has more digits than a float."""
    try:
        return json.loads(content.decode("utf-8-sig"), parse_float=str)
    except UnicodeDecodeError:
        raise Refusal(f"{name} is not UTF-8.", "Save it as UTF-8 and try again.") from None
    except RecursionError:
        raise Refusal(f"{name} is nested too deeply.", _HINT) from None
    except json.JSONDecodeError as error:
        raise Refusal(f"{name}:{error.lineno}: this is no JSON: {error.msg}.", _HINT) from None
    except ValueError:
        raise Refusal(f"{name} holds a number that cannot be read.", _HINT) from None


# ---- what stands in it ---------------------------------------------------------------------------


def _export(found: Any, name: str, users: Any) -> Export:
    channel: Any = {}
    if isinstance(found, dict):
        channel, users = found.get("channel"), found.get("users") or users
        found = found.get("messages")
    if not isinstance(found, list):
        raise Refusal(f"{name} holds no list of messages.", _HINT)
    people = {str(one.get("id")): one for one in _objects(users)}
    names = {key: _text(_name(one)) for key, one in people.items() if _name(one)}
    zones = {key: zone for key, one in people.items() if (zone := _zone(one))}
    programs = {key for key, one in people.items() if one.get("is_bot") is True}
    for one in _objects(found):
        if isinstance(one.get("bot_id"), str) and isinstance(one.get("username"), str) and one["username"].strip():
            names.setdefault(one["bot_id"], _text(one["username"].strip()))
    spoken: dict[str, Message] = {}
    left_out = 0
    common = _commonest(found, zones)
    for one in found:
        message = _message(one, names, zones, programs, common) if isinstance(one, dict) else None
        if message is None:
            left_out += 1
        else:
            spoken.setdefault(message.id, message)
    if found and not spoken:
        raise Refusal(f"{name}: none of its {len(found)} messages has a time (ts).", _HINT)
    ordered = sorted(spoken.values(), key=lambda one: (one.said_at, one.id))
    ident = str(channel.get("id") or "") if isinstance(channel, dict) else ""
    return Export(tuple(ordered), names, _text(ident), left_out)


def _objects(found: Any) -> list[JSON]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _message(
    one: JSON, names: Mapping[str, str], zones: Mapping[str, str], programs: set[str], common: str
) -> Message | None:
    """One message; None where it does not say when it was written."""
    given = one.get("ts")
    ts = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    try:
        said_at = ts_to_time(ts)
    except ValueError:
        return None
    if said_at.year > LAST_YEAR:
        return None
    user, bot = one.get("user"), one.get("bot_id")
    author = user if isinstance(user, str) and user else bot if isinstance(bot, str) else ""
    thread = one.get("thread_ts")
    subtype = one.get("subtype")
    files = one.get("files")
    return Message(
        id=ts,
        said_at=said_at,
        author=_text(author),
        text=_text(plain(_words(one), names)[0]),
        program=not isinstance(user, str) or user in programs or subtype == "bot_message",
        notice=not (subtype is None or (isinstance(subtype, str) and subtype in SPOKEN)),
        thread=str(thread) if isinstance(thread, str | int) and str(thread) != ts else "",
        zone=zones.get(author, common),
        reactions=tuple(str(mark.get("name", "")).split("::")[0] for mark in _objects(one.get("reactions"))),
        files=len(files) if isinstance(files, list) else 0,
    )


def _words(one: JSON) -> str:
    """The text of a message; where a program left it empty, that of what hangs on it."""
    text = one.get("text")
    if isinstance(text, str) and text.strip():
        return text
    parts: list[str] = []
    for hanging in _objects(one.get("attachments")):
        said = [hanging.get(key) for key in ("pretext", "title", "text")]
        words = [part for part in said if isinstance(part, str) and part.strip()]
        fallback = hanging.get("fallback")
        parts += words or ([fallback] if isinstance(fallback, str) else [])
    return "\n".join(parts)


def _name(user: JSON) -> str:
    profile = user.get("profile") if isinstance(user.get("profile"), dict) else {}
    assert isinstance(profile, dict)
    said = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((one for one in said if isinstance(one, str) and one.strip()), "")


def _zone(user: JSON) -> str:
    """A person's zone: the name that Slack gives, else the offset."""
    name, offset = user.get("tz"), user.get("tz_offset")
    if isinstance(name, str) and name:
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # no such zone, no name of a file
            pass
    if isinstance(offset, int) and abs(offset) < 15 * 3600:
        hours, rest = divmod(abs(offset) // 60, 60)
        return f"{'-' if offset < 0 else '+'}{hours:02d}:{rest:02d}"
    return ""


def _commonest(messages: Iterable[Any], zones: Mapping[str, str]) -> str:
    """The zone in which most was written: for programs, and people whose zone is not known."""
    count = Counter(zones.get(str(one.get("user")), "") for one in _objects(list(messages)))
    del count[""]
    return min(count, key=lambda zone: (-count[zone], zone)) if count else "UTC"


def _text(said: str) -> str:
    """The words without halves of characters, which cannot be written anywhere."""
    return _HALVES.sub("\ufffd", said)


# ---- suggestions as a file -----------------------------------------------------------------------


def as_json(found: Iterable[Suggestion]) -> str:
    """Suggestions as they are written to a file: in the order of the messages, times with the offset of the author."""
    rows = [
        {
            "ts": one.id,
            "kind": one.kind,
            "at": localize(one.at, one.zone).isoformat(timespec="seconds"),
            "text": one.text,
        }
        for one in found
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def read_accepted(path: Path) -> list[Accepted]:
    """The entries of a suggestions file, perhaps changed by hand; raises one Refusal that names all problems."""
    _small_enough(path.stat().st_size, path)
    found = _json(path.read_bytes(), path.name)
    if not isinstance(found, list):
        raise Refusal(f"{path.name} is no list of suggestions.", "scribe import EXPORT --suggest writes one.")
    problems: list[str] = []
    entries = [_accepted(position, one, problems) for position, one in enumerate(found, 1)]
    if problems:
        raise Refusal("\n".join(f"{path.name}: {words}" for words in problems[:20]), "Put it right and try again.")
    return [one for one in entries if one is not None]


def _accepted(position: int, one: Any, problems: list[str]) -> Accepted | None:
    wrong = len(problems)
    if not isinstance(one, dict):
        problems.append(f"entry {position} is no object with ts, kind, at and text.")
        return None
    said = {key: str(one.get(key, "")) for key in ("ts", "kind", "at")}
    text = one.get("text")
    words = _text(text).strip() if isinstance(text, str) else ""
    if said["kind"] not in RECORDED_AS:
        problems.append(f"entry {position}: “{said['kind']}” is no kind. Kinds: {', '.join(RECORDED_AS)}.")
    if not words or len(words) > MAX_TEXT:
        problems.append(f"entry {position} needs a text of at most {MAX_TEXT:,} characters.")
    try:
        ts_to_time(said["ts"])
    except ValueError:
        problems.append(f"entry {position}: “{said['ts']}” is no message's ts.")
    at = None
    with suppress(ValueError):
        at = datetime.fromisoformat(said["at"])
    if at is None or at.tzinfo is None or not 1970 < at.year < 9999:
        problems.append(
            f"entry {position}: “{said['at']}” is no time with an offset, such as 2026-11-20T14:05:00+01:00."
        )
        return None
    return Accepted(said["ts"], said["kind"], at, words) if len(problems) == wrong else None
