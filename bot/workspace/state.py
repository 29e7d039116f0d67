"""What a workspace remembers: who and what exists, the counters from which ids are made, the log of what was seen.

Knows how Slack numbers and describes things as JSON. Knows neither the methods of the Web API nor what people do.
Ids come from counters and the seed, times from the clock that was handed in, so that the same run gives the same bytes.
"""

from __future__ import annotations

import hashlib
import mimetypes
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from .model import Blocks, Channel, File, Json, Line, Message, ResponseUrl, SlackError, Trigger, User, View

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"

# What the app was granted (SLACK.md 1.9); chat:write.public is left out, so that a channel must be joined before it
# is posted to.
SCOPES = frozenset(
    {
        "app_mentions:read", "bookmarks:read", "bookmarks:write", "canvases:read", "canvases:write", "channels:history",
        "channels:join", "channels:manage", "channels:read", "chat:write", "commands", "files:read", "files:write",
        "groups:history", "groups:read", "groups:write", "im:history", "im:read", "im:write", "pins:read", "pins:write",
        "reactions:read", "reactions:write", "users:read",
    }
)  # fmt: skip

_ZONE_LABELS = {
    "GMT": "Greenwich Mean Time",
    "BST": "British Summer Time",
    "CET": "Central European Time",
    "CEST": "Central European Summer Time",
    "EST": "Eastern Standard Time",
    "EDT": "Eastern Daylight Time",
    "CST": "Central Standard Time",
    "CDT": "Central Daylight Time",
    "MST": "Mountain Standard Time",
    "PST": "Pacific Standard Time",
    "PDT": "Pacific Daylight Time",
    "IST": "India Standard Time",
    "JST": "Japan Standard Time",
    "WAT": "West Africa Time",
    "UTC": "Coordinated Universal Time",
}


class State:
    """Everything that is true in the workspace, under one lock."""

    def __init__(self, *, team: str, name: str, domain: str, clock: Callable[[], datetime], seed: int) -> None:
        self.team = team
        self.name = name
        self.domain = domain
        self.clock = clock
        self.seed = seed
        self.lock = threading.RLock()
        self.app_id = "A0SCRIBE"
        self.bot_id = "B0SCRIBE"
        self.bot_user = "U0SCRIBE"
        self.scopes: frozenset[str] = SCOPES
        self.share_delay = 0
        self.site = f"https://{domain}.slack.com"
        self.hooks_site = "https://hooks.slack.com"
        self.upload_site = "https://files.slack.com"
        self.files_site = "https://files.slack.com"
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.log: list[Line] = []
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.stored_files: dict[str, File] = {}
        self.stored_views: dict[str, View] = {}
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self._counters: Counter[str] = Counter()

    # --- time and numbers

    def now(self) -> datetime:
        moment = self.clock()
        if moment.tzinfo is None:
            raise ValueError("the workspace's clock gave a naive time; it has to give aware UTC")
        return moment.astimezone(UTC)

    def count(self, what: str) -> int:
        with self.lock:
            self._counters[what] += 1
            return self._counters[what]

    def digest(self, what: str, length: int = 24) -> str:
        """Give the next of an endless row of hexadecimal strings."""
        text = f"{self.seed}:{what}:{self.count(what)}"
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def new_id(self, prefix: str) -> str:
        number = int(self.digest("id " + prefix, 32), 16)
        out = ""
        for _ in range(10):
            number, rest = divmod(number, len(ALPHABET))
            out += ALPHABET[rest]
        return prefix + out

    def next_ts(self, channel: Channel, at: datetime) -> str:
        """Give a ts that is later than every other in the channel, even if the clock stands still."""
        whole = int(at.timestamp())
        wanted = whole * 1_000_000 + (at.microsecond or 100)
        channel.last_ts = wanted if wanted > channel.last_ts else channel.last_ts + 100
        return f"{channel.last_ts // 1_000_000}.{channel.last_ts % 1_000_000:06d}"

    def new_trigger(self, user: str, channel: str | None, view: str | None = None) -> str:
        number = self.count("trigger")
        trigger_id = f"{int(self.now().timestamp())}.{number:06d}.{self.digest('trigger id', 32)}"
        self.triggers[trigger_id] = Trigger(user, channel, self.now(), view)
        return trigger_id

    def new_response_url(self, kind: str, user: str, channel: str, message: Message | None = None) -> str:
        url = f"{self.hooks_site}/{kind}/{self.team}/{self.count('response url')}/{self.digest('response', 24)}"
        self.response_urls[url] = ResponseUrl(channel, user, self.now(), message)
        return url

    # --- who and where

    def user(self, who: User | str) -> User:
        """Find a person by id or name ("ada", "@ada"); raises LookupError."""
        if isinstance(who, User):
            return who
        if who in self.users:
            return self.users[who]
        name = who.removeprefix("@").lower()
        found = next((user for user in self.users.values() if user.name.lower() == name), None)
        if found is None:
            people = ", ".join(user.name for user in self.users.values())
            raise LookupError(f"nobody here is called {who!r}; people: {people}")
        return found

    def channel(self, where: Channel | str) -> Channel:
        """Find a channel by id or name ("ops", "#ops"); raises LookupError."""
        if isinstance(where, Channel):
            return where
        if where in self.channels:
            return self.channels[where]
        name = where.removeprefix("#")
        found = next((one for one in self.channels.values() if one.kind != "im" and one.name == name), None)
        if found is None:
            there = ", ".join(one.name for one in self.channels.values())
            raise LookupError(f"there is no channel {where!r}; channels: {there}")
        return found

    def direct(self, who: User | str) -> Channel:
        """Give the direct conversation between a person and the bot, opened if need be."""
        user = self.user(who)
        with self.lock:
            for channel in self.channels.values():
                if channel.kind == "im" and user.id in channel.members:
                    return channel
            channel = Channel(self.new_id("D"), user.name, "im", self.now(), self.bot_user, [user.id, self.bot_user])
            self.channels[channel.id] = channel
            return channel

    def bot_is_in(self, channel: Channel) -> bool:
        return self.bot_user in channel.members

    def message(self, channel: Channel, ts: str) -> Message | None:
        return next((one for one in channel.messages if one.ts == ts), None)

    def names(self) -> dict[str, str]:
        """Map what people type after "@" to user ids: name, and display name where it is one word."""
        known: dict[str, str] = {}
        for user in self.users.values():
            for name in (user.display_name.lower(), user.name.lower()):
                if name and " " not in name:
                    known[name] = user.id
        return known

    def channel_names(self) -> dict[str, str]:
        return {one.name.lower(): one.id for one in self.channels.values() if one.kind != "im"}

    # --- writing down

    def post(
        self,
        channel: Channel,
        *,
        user: str | None,
        text: str,
        blocks: Iterable[Json] = (),
        attachments: Iterable[Json] = (),
        thread_ts: str | None = None,
        broadcast: bool = False,
        by_bot: bool = False,
        subtype: str | None = None,
        metadata: Json | None = None,
        files: Iterable[File] = (),
        only_for: str | None = None,
    ) -> Message:
        """Put a message into a channel (or before one person's eyes) and into the log."""
        with self.lock:
            at = self.now()
            message = Message(
                channel.id, self.next_ts(channel, at), user, text, at, list(blocks), list(attachments), thread_ts,
                broadcast, by_bot, subtype, metadata, list(files), only_for=only_for,
            )  # fmt: skip
            (channel.ephemerals if only_for else channel.messages).append(message)
            self.note("message", self.bot_user if by_bot else user or self.bot_user, channel.id, message=message)
            return message

    def note(
        self,
        kind: Literal["typed", "message", "act", "notice", "form"],
        user: str,
        channel: str | None,
        text: str = "",
        message: Message | None = None,
        view: View | None = None,
    ) -> None:
        with self.lock:
            at = message.at if message else self.now()
            self.log.append(Line(at, channel, kind, user, text, message, view))

    # --- as JSON

    def user_json(self, user: User) -> Json:
        zone = ZoneInfo(user.tz)
        local = self.now().astimezone(zone)
        offset = local.utcoffset()
        short = local.tzname() or user.tz
        real = user.real_name or user.name
        return {
            "id": user.id,
            "team_id": user.team,
            "name": user.name,
            "deleted": user.deleted,
            "real_name": real,
            "tz": user.tz,
            "tz_label": _ZONE_LABELS.get(short, short),
            "tz_offset": int(offset.total_seconds()) if offset is not None else 0,
            "profile": {
                "title": "",
                "real_name": real,
                "real_name_normalized": real,
                "display_name": user.display_name,
                "display_name_normalized": user.display_name,
                "team": user.team,
            },
            "is_admin": False,
            "is_owner": False,
            "is_bot": user.is_bot,
            "is_restricted": user.guest,
            "is_ultra_restricted": False,
            "is_app_user": False,
            "updated": 0,
        }

    def channel_json(self, channel: Channel) -> Json:
        common: Json = {
            "id": channel.id,
            "created": int(channel.created.timestamp()),
            "is_archived": channel.archived,
            "is_im": channel.kind == "im",
            "is_org_shared": False,
            "context_team_id": self.team,
        }
        if channel.kind == "im":
            return common | {"user": next(one for one in channel.members if one != self.bot_user), "is_open": True}
        return common | {
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": channel.kind == "channel",
            "is_group": channel.kind == "group",
            "is_mpim": False,
            "is_private": channel.private,
            "is_general": channel.name == "general",
            "is_shared": channel.ext_shared,
            "is_ext_shared": channel.ext_shared,
            "is_member": self.bot_is_in(channel),
            "creator": channel.creator,
            "topic": {"value": channel.topic, "creator": "", "last_set": 0},
            "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
            "properties": {},
        }

    def message_json(self, message: Message, *, metadata: bool = False) -> Json:
        out: Json = {"type": "message", "ts": message.ts, "text": message.text, "team": self.team}
        if message.user is not None:
            out["user"] = message.user
        if message.subtype is not None:
            out["subtype"] = message.subtype
        if message.by_bot:
            out |= {"bot_id": self.bot_id, "app_id": self.app_id}
        if message.blocks:
            out["blocks"] = with_ids(message.blocks, message.ts)
        if message.attachments:
            out["attachments"] = message.attachments
        if message.edited:
            out["edited"] = {"user": message.user or self.bot_user, "ts": message.edited}
        if message.files:
            out["files"] = [self.file_json(one) for one in message.files if not one.deleted]
        if message.reactions:
            out["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
            ]
        if metadata and message.metadata is not None:
            out["metadata"] = message.metadata
        if message.only_for:
            out["is_ephemeral"] = True
            return out
        channel = self.channels[message.channel]
        if any(pin.ts == message.ts for pin in channel.pins):
            out["pinned_to"] = [channel.id]
        replies = [one for one in channel.messages if one.thread_ts == message.ts and one.is_reply]
        if replies:
            authors = list(dict.fromkeys(one.user or self.bot_id for one in replies))
            out |= {"thread_ts": message.ts, "reply_count": len(replies), "reply_users_count": len(authors)}
            out |= {"reply_users": authors, "latest_reply": replies[-1].ts}
        elif message.thread_ts:
            out["thread_ts"] = message.thread_ts
            root = self.message(channel, message.thread_ts)
            if root is not None and root.user:
                out["parent_user_id"] = root.user
        return out

    def file_json(self, file: File) -> Json:
        shares: Json = {}
        for channel_id, stamps in file.shares.items():
            channel = self.channels[channel_id]
            side = shares.setdefault("private" if channel.private else "public", {})
            side[channel_id] = [{"ts": ts, "channel_name": channel.name, "team_id": self.team} for ts in stamps]
        kinds: Json = {"channels": [], "groups": [], "ims": []}
        for channel_id in file.shares:
            kinds[self.channels[channel_id].kind + "s"].append(channel_id)
        extension = file.name.rpartition(".")[2].lower() if "." in file.name else "text"
        return {
            "id": file.id,
            "created": int(file.created.timestamp()),
            "timestamp": int(file.created.timestamp()),
            "name": file.name,
            "title": file.title,
            "filetype": {"md": "markdown"}.get(extension, extension),
            "mimetype": mimetypes.guess_type(file.name)[0] or "text/plain",
            "user": file.user,
            "size": file.length,
            "mode": "hosted",
            "is_external": False,
            "is_public": "public" in shares,
            "url_private": f"{self.files_site}/files-pri/{self.team}-{file.id}/{quote(file.name)}",
            "url_private_download": f"{self.files_site}/files-pri/{self.team}-{file.id}/download/{quote(file.name)}",
            "permalink": f"{self.site}/files/{file.user}/{file.id}/{file.name}",
            "shares": shares,
            **kinds,
        }

    def view_json(self, view: View, values: Json | None = None) -> Json:
        given = view.given
        return {
            "id": view.id,
            "team_id": self.team,
            "type": view.type,
            "title": given.get("title"),
            "submit": given.get("submit"),
            "close": given.get("close"),
            "blocks": with_ids(view.blocks, view.id),
            "private_metadata": given.get("private_metadata", ""),
            "callback_id": given.get("callback_id", ""),
            "external_id": given.get("external_id", ""),
            "state": {"values": values or {}},
            "hash": view.hash,
            "clear_on_close": bool(given.get("clear_on_close", False)),
            "notify_on_close": bool(given.get("notify_on_close", False)),
            "root_view_id": view.root,
            "previous_view_id": view.previous,
            "app_id": self.app_id,
            "app_installed_team_id": self.team,
            "bot_id": self.bot_id,
        }


def with_ids(blocks: Blocks, salt: str) -> Blocks:
    """Give blocks and interactive elements the ids that Slack makes up where the app named none."""

    def made(*place: object) -> str:
        return hashlib.sha256(f"{salt}:{place}".encode()).hexdigest()[:5]

    def element(one: Any, *place: object) -> Any:
        if not isinstance(one, dict) or one.get("type") in ("mrkdwn", "plain_text", "image") or "type" not in one:
            return one
        return {"action_id": made(*place), **one}

    out: Blocks = []
    for index, block in enumerate(blocks):
        full = {"block_id": made(index), **block}
        if block.get("type") == "actions":
            full["elements"] = [element(one, index, at) for at, one in enumerate(block["elements"])]
        for key in ("accessory", "element"):
            if key in block:
                full[key] = element(block[key], index, key)
        out.append(full)
    return out


def refuse(code: str, *messages: str, **extra: Any) -> SlackError:
    """Make the error that the Web API answers with."""
    return SlackError(code, messages, **extra)
