"""The things of which a Slack workspace is made: people, channels, messages, files, views, calls, answers.

Knows their shape and nothing else: no rule of Slack's, no clock, no transport. Times are aware and UTC; a `ts` is
Slack's message id, "1700000000.000100".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
Blocks = list[Json]


@dataclass(frozen=True, slots=True)
class Reply:
    """What Slack's Web API answers over HTTP."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DoorReply:
    """What the app answers to a request of Slack's."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Give a header's value whatever the case of its name, or an empty string."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


Door = Callable[[str, bytes, Mapping[str, str]], DoorReply]


class SlackError(Exception):
    """A refusal of the Web API: `code` becomes the answer's `error`, `messages` its `response_metadata.messages`."""

    def __init__(self, code: str, messages: tuple[str, ...] = (), **extra: Any) -> None:
        super().__init__(code + "".join(f"\n{message}" for message in messages))
        self.code = code
        self.messages = messages
        self.extra = extra


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Web API, whatever came of it; `upload` and `respond` are counted like methods."""

    method: str
    args: dict[str, Any]
    at: datetime
    token: str | None


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of a method for which `when` holds."""

    method: str
    error: str | None
    status: int | None
    retry_after: int | None
    drop: Literal["before", "after"] | None
    times: int
    when: Callable[[dict[str, Any]], bool] | None
    after: bool = False


@dataclass(eq=False, slots=True)
class User:
    """A person or a bot; `tz` is an IANA name."""

    id: str
    name: str
    real_name: str
    display_name: str
    tz: str
    team: str
    is_bot: bool = False
    deleted: bool = False
    guest: bool = False

    @property
    def shown(self) -> str:
        """The name that other people see."""
        return self.display_name or self.real_name or self.name


@dataclass(eq=False, slots=True)
class File:
    """An uploaded file; `shares` maps channel ids to the ts of the message that carries it."""

    id: str
    name: str
    title: str
    length: int
    user: str
    created: datetime
    upload_url: str
    content: bytes | None = None
    completed: bool = False
    deleted: bool = False
    shares: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[tuple[str, str | None, str]] = field(default_factory=list)
    polls_left: int = 0


@dataclass(eq=False, slots=True)
class Message:
    """A message as it is now. `user` is None for an app's answer to a command or a response_url (as in Slack)."""

    channel: str
    ts: str
    user: str | None
    text: str
    at: datetime
    blocks: Blocks = field(default_factory=list)
    attachments: Blocks = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    by_bot: bool = False
    subtype: str | None = None
    metadata: Json | None = None
    files: list[File] = field(default_factory=list)
    edited: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    only_for: str | None = None
    deleted: bool = False

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True, slots=True)
class Pin:
    ts: str
    by: str
    created: int


@dataclass(eq=False, slots=True)
class Channel:
    """A conversation: public channel, private channel ("group") or direct message ("im")."""

    id: str
    name: str
    kind: Literal["channel", "group", "im"]
    created: datetime
    creator: str
    members: list[str] = field(default_factory=list)
    archived: bool = False
    ext_shared: bool = False
    topic: str = ""
    purpose: str = ""
    messages: list[Message] = field(default_factory=list)
    ephemerals: list[Message] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)
    last_ts: int = 0

    @property
    def private(self) -> bool:
        return self.kind != "channel"


@dataclass(eq=False, slots=True)
class View:
    """A modal or a home tab that a person sees; `given` is the view as the app sent it."""

    id: str
    user: str
    given: Json
    hash: str
    root: str
    previous: str | None = None
    channel: str | None = None

    @property
    def type(self) -> str:
        return str(self.given["type"])

    @property
    def blocks(self) -> Blocks:
        return list(self.given["blocks"])

    @property
    def callback_id(self) -> str:
        return str(self.given.get("callback_id", ""))

    @property
    def title(self) -> str:
        return str(self.given.get("title", {}).get("text", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.given.get("private_metadata", ""))


@dataclass(slots=True)
class Trigger:
    """The right to open one modal within three seconds."""

    user: str
    channel: str | None
    issued: datetime
    view: str | None = None
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """The right to answer five times within thirty minutes."""

    channel: str
    user: str
    issued: datetime
    message: Message | None = None
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A signed request as it went to the app."""

    kind: Literal["command", "action", "shortcut", "view", "event"]
    path: str
    body: bytes
    headers: dict[str, str]
    user: str = ""
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person got back.

    `status` is 0 when the app could not be reached. `failure` is Slack's own word for what went wrong
    ("dispatch_failed", "operation_timeout"); `errors` are a form's field errors by block_id; `view` is the modal that
    the request left open in front of the person, if it opened or changed one.
    """

    status: int
    text: str = ""
    blocks: Blocks = field(default_factory=list)
    in_channel: bool = False
    raw: bytes = b""
    message: Message | None = None
    failure: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    view: View | None = None
    request: Request | None = None

    @property
    def ok(self) -> bool:
        return not self.failure


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that somebody saw, in the order in which it happened; the transcript is made of these.

    "typed": a command line; "message": a message, shown in its final state; "act": something a person did, in round
    brackets; "notice": what Slack itself says to one person; "form": a modal that opened.
    """

    at: datetime
    channel: str | None
    kind: Literal["typed", "message", "act", "notice", "form"]
    user: str
    text: str = ""
    message: Message | None = None
    view: View | None = None
