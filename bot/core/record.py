"""What rooms hand each other about the record: where an incident is, who spoke, what waits to leave. Plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.core.errors import Choice

JSON = dict[str, Any]

TIMERS = frozenset({"nudge", "digest", "board_down", "purge", "review_told", "review_soon"})
"""Kinds of letters that are no more than a clock that will ring, perhaps days ahead: nothing waits to be sent."""

MUST = "must"
"""Set in the body of a letter that takes destroyed words away: where Slack refuses it, it is parked, never let go."""


@dataclass(frozen=True, slots=True)
class Place:
    """An incident in its workspace: whose it is, where it is told, who may see it, how long its record is.

    `key` is the store's own; `number` what people see (INC-42). `private` is true until the channel is known to be
    public. `seq` and `head` are the length of the chain and its last hash (hexadecimal). `url` is the address of its
    workspace, for links to messages, where that was asked for and is known. `origin` is the channel in which it was
    opened, where it has one of its own since.
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
    origin: str = ""

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
class OpenTask:
    """An action item that is to be done: number `number` of the incident with that key, and who hears of it.

    `person` is a key, `due` the date that was said, `added_on` the day on which it was added, `severity` that of the
    incident (0: none), `reminded` whether its reminders are on.
    """

    incident: int
    number: int
    person: str
    due: date | None
    added_on: date
    severity: int = 0
    reminded: bool = True


@dataclass(frozen=True, slots=True)
class HomeTab:
    """A person's Home tab: when they opened it last, what Slack shows there (`said`, a digest) and since when.

    `user` is their id in Slack, `channel` Scribe's direct messages with them. `sees` is "all", "own" (a guest: what
    they take part in), "nothing" (somebody of another company), "" until Slack has said who they are.
    """

    team: str
    user: str
    channel: str
    opened_at: datetime
    sees: str = ""
    shown_at: datetime | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a channel, its text as Slack delivers it ("": it was deleted).

    `ts` names it in its channel, `thread` the one that it answers. `author` is a Slack id, or the name of a `program`.
    `files` counts what came with it; `edited` is when it was changed last, as Slack says it, "" for never.
    """

    channel: str
    ts: str
    author: str
    text: str
    thread: str = ""
    program: bool = False
    files: int = 0
    edited: str = ""


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


def fingerprint(said: JSON) -> str:
    """What tells whether something says something else now (SHA-256, hexadecimal)."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def incident_name(number: int) -> str:
    """How people name an incident."""
    return f"INC-{number}"


PIN, EDITED, DELETED = "(pin)", "(edited)", "(deleted)"
"""Marks that are no reactions: a reaction's name holds no brackets."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was done to the message `ts`: a reaction by its name, or one of the marks above, put there or taken away.

    `holder` is whose reaction it is, "" for what is nobody's own; `by` who put it there or took it away (Slack ids).
    `done`: the record says so.
    """

    team: str
    channel: str
    ts: str
    sign: str
    holder: str
    by: str
    stands: bool
    at: datetime
    done: bool = False


@dataclass(frozen=True, slots=True)
class Captured:
    """Entry `entry` of the incident with that key was made from the message `ts`.

    `marked`: a reaction or a pin made it, and taking that away removes it. `followed` is the last event that brought
    the message's words into it, 0 where a person chose others.
    """

    team: str
    channel: str
    ts: str
    incident: int
    entry: int
    marked: bool = False
    followed: int = 0
