"""What rooms hand each other about the record: where an incident is, who spoke, what waits to leave. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.core.errors import Choice

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """An incident in its workspace: whose it is, where it is told, who may see it, how long its record is.

    `key` is the store's own; `number` what people see (INC-42). `private` is true until the channel is known to be
    public. `seq` and `head` are the length of the chain and its last hash (hexadecimal). `url` is the address of its
    workspace, for links to messages, where that was asked for and is known.
    """

    key: int
    team: str
    number: int
    channel: str
    private: bool
    seq: int
    head: str
    title: str
    status: str
    severity: int | None
    opened_at: datetime
    url: str = ""

    @property
    def name(self) -> str:
        """INC-42."""
        return f"INC-{self.number}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a workspace: `key` names them in events, `user` in Slack.

    `zone` is None until it is known, `learned_at` when Slack last said name and zone, None until it has.
    """

    key: str
    team: str
    user: str
    name: str
    zone: str | None = None
    learned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """What is known, or was learned, of a channel; None where it is not.

    `shared`: people of other workspaces are in it (Slack Connect). `looked_at`: when Slack was last asked.
    """

    team: str
    channel: str
    name: str = ""
    private: bool | None = None
    member: bool | None = None
    archived: bool | None = None
    shared: bool | None = None
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """The workspace that the bot token belongs to."""

    team: str
    name: str
    bot_user: str
    bot_id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A line that was not recorded yet: kept with the time it was typed until its author taps one of the choices.

    `by` is the key of the one who may choose, "" for everybody; `incident` the number of the incident that it is about,
    whatever is open in the channel when it is tapped. `chosen` is the choice that was taken.
    """

    key: str
    team: str
    channel: str
    by: str
    line: str
    said_at: datetime
    choices: tuple[Choice, ...]
    mentions: JSON = field(default_factory=dict)
    chosen: int | None = None
    incident: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that shall leave the process. `body` is facts; wording happens when it is sent.

    Letters of a `lane` leave in order: one that was not tried holds back what is due with it or later, a `blocking` one
    what stands behind it until it is settled or was tried often. `about` names the message or file that it brings up to
    date, "" for none: a later letter about the same replaces those that still wait. `unsure`: an earlier try may have
    arrived all the same.
    """

    kind: str
    team: str
    lane: str
    body: JSON
    due_at: datetime
    incident: int | None = None
    blocking: bool = True
    key: int = 0
    attempts: int = 0
    about: str = ""
    unsure: bool = False


CAME_BACK = "restored"
"""The receipt of an incident that came back from a backup: Slack may show a draft of which nothing is known here."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A numbered state of an incident's document: the record up to event `upto`."""

    incident: int
    revision: int
    upto: int


@dataclass(frozen=True, slots=True)
class Glance:
    """How the record is doing: what keeps it from being written ("" for nothing), and how much there is of what.

    `waiting`, `in_hand` and `parked` count letters; `oldest` is since when the oldest that waits should have left.
    `sizes` are bytes by kind of file.
    """

    problem: str = ""
    waiting: int = 0
    in_hand: int = 0
    parked: int = 0
    oldest: datetime | None = None
    open: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)


def incident_name(number: int) -> str:
    """How people name an incident."""
    return f"INC-{number}"
