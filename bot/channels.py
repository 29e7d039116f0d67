"""Other channels of an incident: one of its own, where that was asked for, and the one that hears of all of them.

This room knows when a channel is made and who is asked into it, and what is announced where. A channel of its own is
opened for incidents of public channels only, and what was told in a private channel is announced nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core import commands as cmd
from bot.core import events as ev
from bot.core.answers import Heard, Outcome, Refused
from bot.core.board import Board, board, channel_name
from bot.core.errors import Undelivered
from bot.core.incident import REDACTED, Incident, Status
from bot.core.record import JSON, MUST, Channel, Installation, Letter, Person, Place, fingerprint
from bot.core.times import iso, not_before, parse_utc

OWN = "own_channel"
SETTLE_IN = "settle_in"
INVITE = "invite"
TOPIC = "topic"
STAYS = "stays"
ANNOUNCEMENT = "announcement"

MOVED = "moved"
"""The receipt of the post that says where an incident goes on."""

PASSING = frozenset({OWN, SETTLE_IN, INVITE, TOPIC, STAYS, ANNOUNCEMENT})
"""Letters that are let go where Slack refuses them: the record, the board and the draft do without."""

TRIES = 5
"""So often a channel is asked for, and so many names are tried."""

PACE = timedelta(seconds=10)
"""An announcement, or a topic, is changed at most once in this time."""

_SEEN_ELSEWHERE = (
    ev.SeveritySet
    | ev.RoleGiven
    | ev.HandedOver
    | ev.Mitigated
    | ev.Recurred
    | ev.Resolved
    | ev.Reopened
    | ev.Cancelled
    | ev.DuplicateFound
    | ev.Retitled
    | ev.TextCorrected
    | ev.TimeCorrected
    | ev.KindCorrected
    | ev.OnsetSet
    | ev.ZoneSet
    | ev.Removed
    | ev.Undone
    | ev.Redacted
    | ev.WordsDestroyed
    | ev.Published
    | ev.ChannelOpened
)
"""What may change a word of an announcement or a topic."""

_ENDED = (Status.CANCELLED, Status.DUPLICATE)

log = logging.getLogger("scribe.channels")


class Following(Protocol):
    """What the transaction that records lets us look up."""

    def letters(
        self, state: str, incident: int | None = None, kinds: Sequence[str] = ()
    ) -> list[tuple[Letter, str]]: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...


class Reading(Following, Protocol):
    """What the store lets us look up besides."""

    def people(self, keys: Sequence[str]) -> dict[str, Person]: ...
    def installation(self, team: str) -> Installation | None: ...


class Store(Protocol):
    """Where it is kept what stands in which channel."""

    def writing(self) -> AbstractContextManager[Any]: ...
    def reading(self) -> AbstractContextManager[Any]: ...


class Scribe(Protocol):
    """What is done about an incident (see scribe.py)."""

    def standing(self, key: int, read: Callable[[Any, Place, Incident], Any]) -> Any: ...
    def handle(self, command: cmd.Change, heard: Heard, *, incident: int | None = None) -> Outcome: ...


class Outbox(Protocol):
    """How a message leaves (see outbox.py)."""

    def post(
        self, letter: Letter, channel: str, message: JSON, key: str, *, thread: str = "", look: bool = False
    ) -> str: ...
    def edited(self, channel: str, ts: str, message: JSON) -> bool: ...


class Slack(Protocol):
    """What is asked of Slack (see slack/client.py)."""

    def look_at(self, team: str, channel: str) -> Channel: ...
    def join(self, channel: str) -> None: ...
    def make_channel(self, name: str) -> str: ...
    def find_channel(self, name: str) -> Mapping[str, Any] | None: ...
    def rename_channel(self, channel: str, name: str) -> None: ...
    def set_topic(self, channel: str, topic: str) -> None: ...
    def invite(self, channel: str, user: str) -> None: ...
    def whisper(self, channel: str, user: str, message: Mapping[str, Any], *, thread: str = "") -> None: ...
    def delete(self, channel: str, ts: str) -> None: ...
    def permalink(self, channel: str, ts: str) -> str: ...


class Wording(Protocol):
    """How it reads in Slack (see slack/board.py)."""

    def moved(self, b: Board, channel: str) -> JSON: ...
    def stays(self, name: str, reason: str) -> JSON: ...
    def announcement(self, b: Board, channel: str, draft: str = "") -> JSON: ...
    def topic(self, b: Board, origin: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """An incident as it stands: its board, who is to be in its channel, who opened it, and its receipts."""

    place: Place
    board: Board
    own_channel: str
    people: tuple[Person, ...]
    starter: Person
    receipts: Mapping[str, JSON]
    bot_user: str


def _read(tx: Reading, place: Place, incident: Incident) -> Standing:
    starter = incident.entries[1].event.by
    called = [incident.roles.get(role, "") for role in incident.roles]
    called += [getattr(entry.event, "person", "") for entry in incident.live(ev.Kind.ESCALATION)]
    keys = list(dict.fromkeys(key for key in [starter, *called] if key))
    people = tx.people(keys)
    installation = tx.installation(place.team)
    return Standing(
        place,
        board(incident, {}),
        incident.own_channel,
        tuple(people[key] for key in keys if key in people),
        people[starter],
        tx.receipts(place.key),
        installation.bot_user if installation else "",
    )


class OwnChannels:
    """Channels of incidents that asked for one of their own.

    `refresh` gives the letters for board and announcement of the incident that a letter is about.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        scribe: Scribe,
        *,
        outbox: Outbox,
        slack: Slack,
        wording: Wording,
        refresh: Callable[[Letter], list[Letter]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._scribe = scribe
        self._outbox = outbox
        self._slack = slack
        self._wording = wording
        self._refresh = refresh

    def follow(
        self, tx: Following, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> list[Letter]:
        """A channel was asked for; somebody joins who belongs into it; its topic is another."""
        lane = _own_lane(place)
        found: list[Letter] = []
        for one in happened:
            match one:
                case ev.Started(new_channel=True):
                    body = {"from": place.channel}
                    found.append(Letter(OWN, place.team, lane, body, now, place.key, blocking=False))
                case ev.RoleGiven() | ev.HandedOver() | ev.Escalated() if one.person and self._is_in(place, incident):
                    body = {"person": one.person}
                    found.append(Letter(INVITE, place.team, lane, body, now, place.key, blocking=False))
                case _:
                    pass
        if self._is_in(place, incident) and any(isinstance(one, _SEEN_ELSEWHERE) for one in happened):
            destroyed = any(isinstance(one, ev.Redacted | ev.WordsDestroyed) for one in happened)
            found += _once(tx, place, TOPIC, lane, now, must=destroyed)
        return found

    @staticmethod
    def _is_in(place: Place, incident: Incident) -> bool:
        return bool(incident.own_channel) and incident.own_channel == place.channel

    # ---- making it -------------------------------------------------------------------------------

    def make(self, letter: Letter) -> list[Letter]:
        """Makes the channel and records that; where none is to be had the incident stays, and its starter is told."""
        seen: Standing | None = self._scribe.standing(letter.incident or 0, _read)
        if seen is None:
            return []
        origin = str(letter.body["from"])
        if seen.own_channel:  # a try before this one came so far
            return [self._settle_in(letter, origin)]
        if seen.board.status not in (Status.OPEN, Status.MITIGATED):
            return self._refresh(letter)
        try:
            if self._is_private(letter.team, origin):
                raise Undelivered(
                    "it is told in a private channel, and a channel that Scribe makes can be read by all.",
                    permanent=True,
                )
            channel = self._made(letter, seen)
        except Undelivered as failure:
            if not failure.permanent and letter.attempts < TRIES:
                raise
            log.info("%s has no channel of its own: %s", seen.place.name, failure.message)
            return [self._stays(letter, seen, failure.message), *self._refresh(letter)]
        heard = Heard(
            letter.team, origin, seen.starter.user, f"own-channel/{seen.place.name}", user_name=seen.starter.name
        )
        outcome = self._scribe.handle(cmd.OpenChannel(channel=channel), heard, incident=seen.place.number)
        if isinstance(outcome, Refused):  # cancelled in this very moment
            return [self._stays(letter, seen, outcome.message), *self._refresh(letter)]
        return [self._settle_in(letter, origin)]

    def _is_private(self, team: str, channel: str) -> bool:
        with self._store.reading() as tx:
            known: Channel = tx.channel(team, channel)
        if known.private is None:
            try:
                known = self._slack.look_at(team, channel)
            except Undelivered as failure:
                if failure.code != "channel_not_found":  # what a private one that we are not in looks like
                    raise
                return True
        return known.private is not False

    def _made(self, letter: Letter, seen: Standing) -> str:
        """A new channel's id: under the first name that is free, or one that an earlier try has made already."""
        place = seen.place
        wanted = channel_name(place.number, seen.board.title)
        for number in range(1, TRIES + 1):
            name = wanted if number == 1 else f"{wanted[:77]}-{number}"
            try:
                channel = self._slack.make_channel(name)
            except Undelivered as failure:
                if failure.code != "name_taken":
                    raise
                there = self._slack.find_channel(name) if letter.attempts > 1 else None
                since = int(place.opened_at.timestamp())
                if not there or there.get("creator") != seen.bot_user or int(there.get("created") or 0) < since:
                    continue
                channel = str(there["id"])
            found = Channel(
                letter.team, channel, name, private=False, member=True, archived=False, looked_at=self._clock()
            )
            with self._store.writing() as tx:
                tx.learn_channel(found)
            return channel
        raise Undelivered(f"channels of the name {wanted} exist already.", permanent=True)

    def _settle_in(self, letter: Letter, origin: str) -> Letter:
        return replace(letter, kind=SETTLE_IN, body={"from": origin}, due_at=self._clock(), about="")

    def _stays(self, letter: Letter, seen: Standing, reason: str) -> Letter:
        body = {"channel": letter.body["from"], "user": seen.starter.user, "reason": reason}
        return replace(letter, kind=STAYS, body=body, due_at=self._clock(), about="")

    def stay(self, letter: Letter) -> list[Letter]:
        """Tells the one who asked why there is no channel."""
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident or 0)
        if place is not None:
            body = letter.body
            self._slack.whisper(body["channel"], body["user"], self._wording.stays(place.name, body["reason"]))
        return []

    # ---- living in it ----------------------------------------------------------------------------

    def settle_in(self, letter: Letter) -> list[Letter]:
        """Topic and people of a new channel; where the incident was opened, one post says where it goes on."""
        seen: Standing | None = self._scribe.standing(letter.incident or 0, _read)
        if seen is None or not seen.own_channel:
            return []
        self._set_topic(seen)
        for person in seen.people:
            self._ask_in(seen.own_channel, person)
        if MOVED not in seen.receipts and not seen.place.private:
            message, origin = self._wording.moved(seen.board, seen.own_channel), str(letter.body["from"])
            key, look = f"{seen.place.name}-moved", letter.attempts > 1
            try:
                ts = self._outbox.post(letter, origin, message, key, look=look)
            except Undelivered as failure:
                if failure.code != "not_in_channel":
                    raise
                self._slack.join(origin)  # the arrival there is still being tried
                ts = self._outbox.post(letter, origin, message, key)
            with self._store.writing() as tx:
                tx.keep_receipt(seen.place, MOVED, 0, {"channel": origin, "ts": ts, "said": fingerprint(message)})
        return []

    def _change_signpost(self, seen: Standing) -> None:
        """Keeps the post current that stands where the incident was opened; what is private by now leaves it."""
        kept = {name: value for name, value in seen.receipts.get(MOVED, {}).items() if name != "revision"}
        if kept and seen.place.private:
            self._slack.delete(kept["channel"], kept["ts"])
            with self._store.writing() as tx:
                tx.forget_receipt(seen.place.key, MOVED)
            return
        message = self._wording.moved(seen.board, seen.own_channel)
        if kept and kept["said"] != fingerprint(message):
            self._outbox.edited(kept["channel"], kept["ts"], message)
            with self._store.writing() as tx:
                tx.keep_receipt(seen.place, MOVED, 0, {**kept, "said": fingerprint(message)})

    def ask_in(self, letter: Letter) -> list[Letter]:
        """Somebody has a role now, or was called in: they are asked into the channel."""
        with self._store.reading() as tx:
            place: Place | None = tx.by_key(letter.incident or 0)
            people: dict[str, Person] = tx.people([letter.body["person"]])
        for person in people.values():
            if place is not None:
                self._ask_in(place.channel, person)
        return []

    def _ask_in(self, channel: str, person: Person) -> None:
        try:
            self._slack.invite(channel, person.user)
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.info("somebody could not be asked into a channel: %s", failure.message)

    def change_topic(self, letter: Letter) -> list[Letter]:
        """Keeps topic and signpost current; a name that holds a destroyed title is given up."""
        seen: Standing | None = self._scribe.standing(letter.incident or 0, _read)
        if seen is None or seen.own_channel != seen.place.channel:
            return []
        if letter.body.get(MUST) and seen.board.title == REDACTED:
            try:
                self._slack.rename_channel(seen.own_channel, channel_name(seen.place.number, REDACTED))
            except Undelivered as failure:
                if failure.code != "name_taken":
                    raise
                numbered = f"{channel_name(seen.place.number, REDACTED)}-{seen.own_channel.lower()}"
                self._slack.rename_channel(seen.own_channel, numbered)
        if seen.place.private:  # first: the topic of a channel that Scribe was put out of cannot be set
            self._change_signpost(seen)
        self._set_topic(seen)
        if not seen.place.private:
            self._change_signpost(seen)
        return []

    def looked(self, letter: Letter) -> list[Letter]:
        """A channel was looked at: where it is private by now, the post that leads into it is taken back."""
        channel = str(letter.body["channel"])
        with self._store.reading() as tx:
            if tx.channel(letter.team, channel).private is False:
                return []
            places = [one for one in tx.visible(letter.team, channel) if one.channel == channel]
            return [
                following
                for place in places
                if MOVED in tx.receipts(place.key)
                for following in _once(tx, place, TOPIC, _own_lane(place), self._clock(), must=True)
            ]

    def _set_topic(self, seen: Standing) -> None:
        with self._store.reading() as tx:
            place: Any = tx.by_key(seen.place.key)
        said = self._wording.topic(seen.board, place.origin)
        digest = fingerprint({"topic": said})
        if seen.receipts.get(TOPIC, {}).get("said") == digest:
            return
        try:
            self._slack.set_topic(seen.own_channel, said)
        except Undelivered as failure:
            if not failure.permanent or failure.code == "is_archived":
                raise
            log.info("a topic was refused: %s", failure.message)
        with self._store.writing() as tx:
            tx.keep_receipt(seen.place, TOPIC, 0, {"said": digest, "at": iso(self._clock())})


class Announcements:
    """What the announcement channel `where` (an id, or #name) hears of incidents of public channels; drills aside."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        standing: Callable[[int, Callable[[Any, Place, Incident], Any]], Any],
        *,
        outbox: Outbox,
        slack: Slack,
        wording: Wording,
        where: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._standing = standing
        self._outbox = outbox
        self._slack = slack
        self._wording = wording
        self._where = where
        self._named: dict[str, str] = {}

    # ---- when it is due --------------------------------------------------------------------------

    def follow(
        self, tx: Following, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> list[Letter]:
        """Something was recorded that an announcement tells. The first one comes with the arrival in the channel."""
        if not any(isinstance(one, _SEEN_ELSEWHERE) for one in happened):
            return []
        destroyed = any(isinstance(one, ev.Redacted | ev.WordsDestroyed) for one in happened)
        return _once(tx, place, ANNOUNCEMENT, _lane(place), now, must=destroyed)

    def refresh(self, letter: Letter) -> list[Letter]:
        """The letter about an incident of which another letter was sent: Scribe has come, the draft stands."""
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident or 0)
            return _once(tx, place, ANNOUNCEMENT, _lane(place), self._clock()) if place is not None else []

    def looked(self, letter: Letter) -> list[Letter]:
        """A channel was looked at: where it is private by now, what was announced of it is taken back."""
        channel = str(letter.body["channel"])
        found: list[Letter] = []
        with self._store.reading() as tx:
            if tx.channel(letter.team, channel).private is False:
                return []
            for place in tx.visible(letter.team, channel):
                if place.channel == channel and ANNOUNCEMENT in tx.receipts(place.key):
                    found += _once(tx, place, ANNOUNCEMENT, _lane(place), self._clock(), must=True)
        return found

    # ---- what is done about it -------------------------------------------------------------------

    def send(self, letter: Letter) -> list[Letter]:
        """Posts the announcement, brings it up to date, or takes it back."""
        seen: Standing | None = self._standing(letter.incident or 0, _read)
        if seen is None or seen.board.drill:
            return []
        place = seen.place
        kept = {name: value for name, value in seen.receipts.get(ANNOUNCEMENT, {}).items() if name != "revision"}
        if place.private:
            if kept.get("ts"):
                self._slack.delete(kept["channel"], kept["ts"])
                with self._store.writing() as tx:
                    tx.forget_receipt(place.key, ANNOUNCEMENT)
            return []
        if not kept.get("ts") and (seen.board.status in _ENDED or self._is_being_made(seen)):
            return []
        message = self._wording.announcement(seen.board, place.channel, self._link_to_draft(seen))
        said = fingerprint(message)
        if kept.get("ts"):
            if kept["said"] != said and self._outbox.edited(kept["channel"], kept["ts"], message):
                self._keep(place, {**kept, "said": said, "at": iso(self._clock())})
            return []  # one that somebody deleted is not posted again
        try:
            self._announce(letter, place, message, kept)
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.warning("%s is not announced: %s", place.name, failure.message)
        return []

    def _announce(self, letter: Letter, place: Place, message: JSON, kept: JSON) -> None:
        channel = kept.get("channel") or self._channel(letter.team)
        if not channel or channel == place.channel:
            return
        self._keep(place, {"channel": channel, "ts": ""})
        key = f"{place.name}-announcement"
        ts = self._outbox.post(letter, channel, message, key, look=bool(kept))  # an earlier try may have arrived
        self._keep(place, {"channel": channel, "ts": ts, "said": fingerprint(message), "at": iso(self._clock())})

    def _is_being_made(self, seen: Standing) -> bool:
        """Whether a channel of its own is on its way: it is announced with that one."""
        place = seen.place
        if seen.own_channel:
            return False
        with self._store.reading() as tx:
            return any(tx.letters(state, place.key, (OWN,)) for state in ("waiting", "leased"))

    def _channel(self, team: str) -> str:
        """The id of the announcement channel, which Scribe has joined; "" where nothing may be announced there."""
        channel = self._where
        if channel.startswith("#"):
            if channel not in self._named:
                there = self._slack.find_channel(channel[1:])
                if there is None:
                    raise Undelivered(f"SCRIBE_ANNOUNCE_CHANNEL: there is no channel {channel}.", permanent=True)
                self._named[channel] = str(there["id"])
            channel = self._named[channel]
        known = self._slack.look_at(team, channel)
        with self._store.writing() as tx:
            tx.learn_channel(replace(known, looked_at=self._clock()))
        if known.shared:
            log.warning("nothing is announced in %s: people of another company read there", self._where)
            return ""
        if known.private is False and not known.member and not known.archived:
            self._slack.join(channel)
        return channel

    def _link_to_draft(self, seen: Standing) -> str:
        post = seen.receipts.get("post")
        if post is None or seen.board.status is not Status.RESOLVED:
            return ""
        try:
            return self._slack.permalink(post["channel"], post["ts"])
        except Undelivered as failure:
            if not failure.permanent:
                raise
            return ""

    def _keep(self, place: Place, kept: JSON) -> None:
        with self._store.writing() as tx:
            tx.keep_receipt(place, ANNOUNCEMENT, 0, kept)


def _own_lane(place: Place) -> str:
    return f"{place.team}/{place.name}/channel"


def _lane(place: Place) -> str:
    return f"{place.team}/{place.name}/announcement"


def _once(tx: Following, place: Place, kind: str, lane: str, now: datetime, *, must: bool = False) -> list[Letter]:
    """A letter of a kind that brings something up to date, where none is on its way; `must`: see record.MUST."""
    about = f"{lane}/{kind}"
    waiting = tx.letters("waiting", place.key, (kind,))
    if waiting and not must:
        return []
    last = tx.receipts(place.key).get(kind, {}).get("at")
    due = not_before(parse_utc(last), PACE, now) if last and not must else now
    body = {MUST: True} if must else {}
    return [Letter(kind, place.team, lane, body, due, place.key, blocking=False, about=about)]
