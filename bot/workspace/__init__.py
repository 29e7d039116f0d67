"""A Slack workspace in memory, which drives the real app: for the demo, for replays, for tests.

Knows what Slack shows, sends, refuses and limits (SLACK.md); knows nothing of incidents. The app talks to it as to
Slack (`call`, `upload`, `respond`), it talks to the app as Slack does (`attach`, signed requests), and people are
methods (`command`, `click`, `say`, …). It opens no socket, reads no clock of its own and draws no random number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from . import transcript as writing
from .acts import Acts
from .forms import NotFilled
from .limits import check_answer, check_blocks, check_message, check_view
from .model import (
    Answer,
    Call,
    Channel,
    Door,
    DoorReply,
    File,
    Json,
    Line,
    Message,
    Reply,
    Request,
    SlackError,
    User,
    View,
)

__all__ = [
    "Answer",
    "Call",
    "Channel",
    "Door",
    "DoorReply",
    "File",
    "Line",
    "Message",
    "NotFilled",
    "Reply",
    "Request",
    "SlackError",
    "User",
    "View",
    "Workspace",
    "check_answer",
    "check_blocks",
    "check_message",
    "check_view",
]


class Workspace(Acts):
    """One Slack workspace with one app installed in it."""

    def __init__(
        self,
        *,
        team: str = "T0SCRIBE",
        name: str = "Example",
        domain: str = "example",
        bot_token: str = "xoxb-workspace",  # noqa: S107  invented, opens nothing
        app_token: str = "xapp-workspace",  # noqa: S107  the same
        signing_secret: str = "workspace-signing-secret",  # noqa: S107  the same
        clock: Callable[[], datetime],
        seed: int = 0,
    ) -> None:
        super().__init__(
            team=team,
            name=name,
            domain=domain,
            bot_token=bot_token,
            app_token=app_token,
            signing_secret=signing_secret,
            clock=clock,
            seed=seed,
        )
        self.users[self.bot_user] = User(self.bot_user, "scribe", "Scribe", "Scribe", "UTC", team, is_bot=True)

    # --- furnish

    def add_user(
        self,
        name: str,
        *,
        real_name: str = "",
        display_name: str = "",
        tz: str = "UTC",
        is_bot: bool = False,
        id: str | None = None,
        team: str | None = None,
    ) -> User:
        """Let a person exist; `tz` is an IANA zone, `team` another workspace's id for a guest through Slack Connect."""
        if any(one.name == name for one in self.users.values()):
            raise ValueError(f"there is a user {name} already")
        letters = "".join(one for one in name.upper() if one.isascii() and one.isalnum())[:6]
        user_id = id or f"U{self.count('user'):03d}{letters:X<6}"
        user = User(user_id, name, real_name or name.capitalize(), display_name, tz, team or self.team, is_bot)
        self.users[user.id] = user
        return user

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        members: Iterable[User | str] = (),
        bot_in: bool = False,
        id: str | None = None,
        archived: bool = False,
        ext_shared: bool = False,
    ) -> Channel:
        """Let a channel exist; nobody is told of it."""
        if any(one.name == name and one.kind != "im" for one in self.channels.values()):
            raise ValueError(f"there is a channel {name} already")
        people = [self.user(one).id for one in members]
        letters = "".join(one for one in name.upper() if one.isascii() and one.isalnum())[:6]
        channel_id = id or f"C{self.count('channel'):03d}{letters:X<6}"
        channel = Channel(
            channel_id,
            name,
            "group" if private else "channel",
            self.now(),
            people[0] if people else self.bot_user,
            [*people, *([self.bot_user] if bot_in else [])],
            archived,
            ext_shared,
        )
        self.channels[channel.id] = channel
        return channel

    # --- look

    def messages(self, channel: Channel | str) -> list[Message]:
        """Give the messages of a channel in order, thread replies among them."""
        return list(self.channel(channel).messages)

    def thread(self, channel: Channel | str, ts: str | Message) -> list[Message]:
        """Give the replies under a message."""
        root = ts.ts if isinstance(ts, Message) else ts
        return [one for one in self.channel(channel).messages if one.is_reply and one.thread_ts == root]

    def ephemerals(self, user: User | str, channel: Channel | str | None = None) -> list[Message]:
        """Give what only this person saw, in order."""
        who = self.user(user)
        places = [self.channel(channel)] if channel is not None else list(self.channels.values())
        found = [one for place in places for one in place.ephemerals if one.only_for == who.id and not one.deleted]
        return sorted(found, key=lambda one: one.at)

    @property
    def files(self) -> list[File]:
        """The files that were uploaded and are not deleted."""
        return [one for one in self.stored_files.values() if one.completed and not one.deleted]

    def views(self, user: User | str) -> list[View]:
        """Give the modals that a person has open, the topmost last."""
        return list(self.modals.get(self.user(user).id, []))

    def home(self, user: User | str) -> View | None:
        """Give a person's home tab, if the app has published one."""
        return self.homes.get(self.user(user).id)

    def pins(self, channel: Channel | str) -> list[Message]:
        """Give the pinned messages, in the order of pinning."""
        where = self.channel(channel)
        return [one for pin in where.pins if (one := self.message(where, pin.ts)) is not None]

    def bookmarks(self, channel: Channel | str) -> list[Json]:
        return list(self.channel(channel).bookmarks)

    def text(self, message: Message | Answer | View) -> str:
        """Give the words that a message, an answer or a view shows, as the transcript has them."""
        if isinstance(message, Message):
            return "\n".join(writing.message_text(self, message))
        if isinstance(message, Answer) and not message.blocks:
            return message.text
        zone = self.users[message.user].tz if isinstance(message, View) else ""
        return "\n".join(writing.block_text(self, message.blocks, zone))

    def transcript(self, *, channel: Channel | str | None = None, zone: str = "UTC") -> str:
        """Write down a channel as people saw it (all channels if none is named); `zone` is an IANA name."""
        return writing.transcript(self, channel, zone)
