"""The board: one message per incident, kept current while it goes on; it is edited in place and never posted twice.

This room knows when a board is due, where it stands, and what hangs it on the wall (a pin, a bookmark). What it says is
made of the incident as it stands when it is sent, so a letter holds no words and one that waits is good for everything
that is recorded meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core import events as ev
from bot.core.board import Board, board
from bot.core.errors import Undelivered
from bot.core.incident import Incident, Status
from bot.core.record import JSON, MUST, Channel, Letter, Person, Place, fingerprint
from bot.core.times import iso, not_before, parse_utc

PACE = timedelta(seconds=3)
"""At most one edit in this time, however much is recorded."""

PATIENCE = timedelta(minutes=1)
"""A letter that Slack makes wait for longer is replaced by a fresh one when something is recorded."""

TAKEN_DOWN_AFTER = timedelta(days=7)
"""The board of a resolved incident whose postmortem nobody publishes leaves the wall then."""

KIND = "board"
TIMER = "board_down"
"""The letter that takes a board down when its time has come."""

log = logging.getLogger("scribe.board")


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def channel(self, team: str, channel: str) -> Channel: ...
    def people(self, keys: Sequence[str]) -> dict[str, Person]: ...
    def letters(
        self, state: str, incident: int | None = None, kinds: Sequence[str] = ()
    ) -> list[tuple[Letter, str]]: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...


class Store(Protocol):
    """Where it is kept which message is the board."""

    def writing(self) -> AbstractContextManager[Any]: ...
    def reading(self) -> AbstractContextManager[Any]: ...


class Outbox(Protocol):
    """How a message leaves (see outbox.py)."""

    def post(
        self, letter: Letter, channel: str, message: JSON, key: str, *, thread: str = "", look: bool = False
    ) -> str: ...
    def edited(self, channel: str, ts: str, message: JSON) -> bool: ...


class Slack(Protocol):
    """What hangs a message on the wall (see slack/client.py)."""

    def pin(self, channel: str, ts: str) -> None: ...
    def unpin(self, channel: str, ts: str) -> None: ...
    def permalink(self, channel: str, ts: str) -> str: ...
    def bookmark(self, channel: str, title: str, link: str) -> str: ...
    def remove_bookmark(self, channel: str, bookmark: str) -> None: ...


class Wording(Protocol):
    """How a board reads in Slack (see slack/board.py)."""

    def board(self, b: Board, prefix: str, draft: str = "") -> JSON: ...
    def moved(self, b: Board, channel: str) -> JSON: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """An incident as it stands, its receipts, and whether a channel of its own is still being made for it."""

    place: Place
    board: Board
    receipts: Mapping[str, JSON]
    waits: bool


class Boards:
    """The boards of all incidents.

    `standing` is Scribe.standing; while a letter of the kinds in `waits_for` is on its way, no board is posted.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        standing: Callable[[int, Callable[[Any, Place, Incident], Any]], Any],
        *,
        outbox: Outbox,
        slack: Slack,
        wording: Wording,
        prefix: str,
        waits_for: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._clock = clock
        self._standing = standing
        self._outbox = outbox
        self._slack = slack
        self._wording = wording
        self._prefix = prefix
        self._waits_for = waits_for

    # ---- when it is due --------------------------------------------------------------------------

    def follow(
        self, tx: Reading, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> list[Letter]:
        """Something was recorded: the board says so soon."""
        destroyed = any(isinstance(one, ev.Redacted | ev.WordsDestroyed) for one in happened)
        known = tx.channel(place.team, place.channel)
        unreachable = known.archived or (known.private and known.member is False)
        if unreachable and not destroyed:
            return []  # when Scribe is invited, the board comes with its arrival
        opened = any(isinstance(one, ev.Started) for one in happened)
        return self._due(tx, place, now + PACE if opened else now, must=destroyed)  # the arrival there comes first

    def refresh(self, letter: Letter) -> list[Letter]:
        """The letter that brings the board of an incident up to date, after another one was sent that it tells of."""
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident or 0)
            return self._due(tx, place, self._clock()) if place is not None else []

    def _due(self, tx: Reading, place: Place, due: datetime, *, must: bool = False) -> list[Letter]:
        """A letter for the board, where none is on its way; one that waits keeps its time.

        `must`: a text was destroyed. Where Slack refuses that, it is not let go.
        """
        kept = tx.receipts(place.key).get(KIND, {})
        if kept.get("at"):
            due = max(due, not_before(parse_utc(kept["at"]), PACE, self._clock()))
        waiting = [one for one, _ in tx.letters("waiting", place.key, (KIND,))]
        soon = due if not any(one.attempts for one in waiting) else due + PATIENCE
        on_its_way = any(one.due_at <= soon for one in waiting)
        if on_its_way and not must:
            return []
        due = min([due, *(one.due_at for one in waiting if not one.attempts)])
        return [_letter(place, due, must=must or any(one.body.get(MUST) for one in waiting))]

    # ---- what is done about it -------------------------------------------------------------------

    def send(self, letter: Letter) -> list[Letter]:
        """Posts the board, or brings it up to date; gives the letter that follows, where there is one."""
        seen: Standing | None = self._standing(letter.incident or 0, self._read)
        if seen is None or seen.waits:
            return []
        place, now = seen.place, self._clock()
        kept = {name: value for name, value in seen.receipts.get(KIND, {}).items() if name != "revision"}
        if kept.get("at") and now < (free := not_before(parse_utc(kept["at"]), PACE, now)):
            with self._store.reading() as tx:
                return self._due(tx, place, free, must=bool(letter.body.get(MUST)))
        if kept.get("ts") and kept["channel"] != place.channel:
            self._leave(place, seen.board, kept)
            kept = {}
        try:
            kept = self._bring_up_to_date(letter, seen, kept)
        except Undelivered as failure:
            if kept.get("ts") or not failure.permanent:
                raise
            log.info("the board of %s is not posted: %s", place.name, failure.message)
            return []  # nothing stands there that would hold a destroyed text
        if not kept:
            return []
        if not seen.board.hangs or self._is_old(seen.board):
            self._take_down(place, kept)
            return []
        self._hang(place, kept)
        if seen.board.status is Status.RESOLVED and seen.board.ended_at:
            due = max(now + PACE, seen.board.ended_at + TAKEN_DOWN_AFTER)
            return [replace(letter, kind=TIMER, body={}, due_at=due, about=f"{letter.lane}/{TIMER}")]
        return []

    def _read(self, tx: Reading, place: Place, incident: Incident) -> Standing:
        kinds = tuple(self._waits_for)
        waits = bool(kinds) and any(tx.letters(state, place.key, kinds) for state in ("waiting", "leased"))
        people = tx.people([entry.by for entry in incident.entries.values()])
        return Standing(
            place,
            board(incident, {key: person.name for key, person in people.items()}),
            tx.receipts(place.key),
            waits and not incident.own_channel,
        )

    def _is_old(self, seen: Board) -> bool:
        over = seen.ended_at if seen.status is Status.RESOLVED else None
        return over is not None and self._clock() >= over + TAKEN_DOWN_AFTER

    def _bring_up_to_date(self, letter: Letter, seen: Standing, kept: JSON) -> JSON:
        """Edits the board, or posts it where there is none; what is kept of it then, nothing where none is wanted."""
        place = seen.place
        message = self._wording.board(seen.board, self._prefix, self._link_to_draft(seen, kept))
        said = fingerprint(message)
        if kept.get("ts"):
            if kept.get("said") == said:
                return kept
            if self._outbox.edited(kept["channel"], kept["ts"], message):
                return self._keep(place, {**kept, "at": iso(self._clock()), "said": said})
            self._unmark(place, kept)  # somebody deleted it
            kept = self._keep(place, {"channel": place.channel, "ts": ""})
            if not seen.board.hangs:
                return {}
        elif not seen.board.hangs or (seen.board.status is Status.RESOLVED and "channel" not in kept):
            return {}  # an incident that was over before there were boards needs none
        look = kept.get("channel") == place.channel  # an earlier try may have arrived
        self._keep(place, {"channel": place.channel, "ts": ""})
        ts = self._outbox.post(letter, place.channel, message, f"{place.name}-board", look=look)
        linked: JSON = {name: kept[name] for name in ("draft", "link") if name in kept}
        return self._keep(place, {"channel": place.channel, "ts": ts, "at": iso(self._clock()), "said": said, **linked})

    def _link_to_draft(self, seen: Standing, kept: JSON) -> str:
        """The address of the draft's post, "" while there is none or Slack does not say it."""
        post = seen.receipts.get("post")
        if post is None or seen.board.status is not Status.RESOLVED:
            return ""
        if kept.get("draft") != post["ts"]:
            try:
                kept["link"] = self._slack.permalink(post["channel"], post["ts"])
            except Undelivered as failure:
                if not failure.permanent:
                    raise
                kept["link"] = ""
            kept["draft"] = post["ts"]
        return str(kept["link"])

    def _leave(self, place: Place, seen: Board, kept: JSON) -> None:
        """The incident goes on in another channel: the board that stands here says so, and hangs here no more."""
        try:
            self._outbox.edited(kept["channel"], kept["ts"], self._wording.moved(seen, place.channel))
        except Undelivered as failure:
            if not failure.permanent:
                raise
        self._take_down(place, kept)

    # ---- the wall --------------------------------------------------------------------------------

    def _hang(self, place: Place, kept: JSON) -> None:
        """Pins and bookmarks a board, each once: what Slack refused, or a person undid, stays so."""
        if "pinned" not in kept:
            kept["pinned"] = self._as_far_as_slack_lets(lambda: self._slack.pin(kept["channel"], kept["ts"]))
            self._keep(place, kept)
        if "bookmark" not in kept:
            link = ""
            try:
                link = self._slack.permalink(kept["channel"], kept["ts"])
                kept["bookmark"] = ""  # it may be made and the answer lost: rather none than two
                self._keep(place, kept)
                kept["bookmark"] = self._slack.bookmark(kept["channel"], f"{place.name} board", link)
            except Undelivered as failure:
                if not failure.permanent and not failure.uncertain:
                    kept.pop("bookmark", None)
                if not failure.permanent:
                    self._keep(place, kept)
                    raise
                kept["bookmark"] = ""
            self._keep(place, kept)

    def _take_down(self, place: Place, kept: JSON) -> None:
        """Takes pin and bookmark away; the message stays."""
        if kept.get("pinned"):
            self._as_far_as_slack_lets(lambda: self._slack.unpin(kept["channel"], kept["ts"]))
        self._unmark(place, kept)
        if "pinned" in kept:
            del kept["pinned"]
            self._keep(place, kept)

    def _unmark(self, place: Place, kept: JSON) -> None:
        """Takes the bookmark away."""
        if kept.get("bookmark"):
            self._as_far_as_slack_lets(lambda: self._slack.remove_bookmark(kept["channel"], kept["bookmark"]))
        if kept.pop("bookmark", None) is not None:
            self._keep(place, kept)

    @staticmethod
    def _as_far_as_slack_lets(step: Callable[[], None]) -> bool:
        """Whether Slack let us: a board that cannot be pinned is a board all the same."""
        try:
            step()
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.info("a board stands, and one thing about it was refused: %s", failure.message)
            return False
        return True

    def _keep(self, place: Place, kept: JSON) -> JSON:
        with self._store.writing() as tx:
            tx.keep_receipt(place, KIND, 0, kept)
        return kept


def _letter(place: Place, due: datetime, *, must: bool) -> Letter:
    lane = f"{place.team}/{place.name}/board"
    return Letter(KIND, place.team, lane, {MUST: True} if must else {}, due, place.key, blocking=False, about=lane)
