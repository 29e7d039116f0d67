"""What was attached: files of captured messages are fetched, looked at and kept with their entry.

Knows which files are kept and when one is to be fetched. Must not know SQL or Slack's JSON. A file is fetched with the
bot's token and by a letter; nothing makes it public, not for a moment. Its bytes are written in the transaction that
records that they are there, and go in the one that destroys the entry's text.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from bot.core import commands as cmd
from bot.core import events as ev
from bot.core import media
from bot.core.answers import Heard, Outcome
from bot.core.errors import Undelivered
from bot.core.incident import Incident
from bot.core.media import Unkept
from bot.core.record import JSON, Letter, Person, Place

KIND = "keep_file"
"""The letter by which a file is fetched and kept."""
TELL = "not_kept"
"""The letter that tells who captured a message that a file of it is not kept."""

MOST = 50
"""So many files of a message are named; Slack sends fewer."""

INSIDE = 20 * media.MEGABYTE
"""Bytes of images inside a document that is one file."""

OUR_OWN = frozenset(
    {"missing_scope", "not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive"}
    | {"not_allowed_token_type", "no_permission", "org_login_required", "ekm_access_denied"}
)
"""Slack's words for a token that gets no file at all: that is put right by who runs Scribe, and then sent again."""

log = logging.getLogger("scribe.attachments")


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def people(self, keys: Sequence[str]) -> dict[str, Person]: ...
    def file(self, incident: int, digest: str) -> bytes | None: ...
    def files(self, incident: int) -> dict[str, int]: ...
    def events(self, incident: int, after: int = 0, upto: int | None = None) -> list[ev.Event]: ...


class Store(Protocol):
    """Where the bytes are."""

    def reading(self) -> AbstractContextManager[Any]: ...


class Held(Protocol):
    """What Slack says of a file (see slack/client.py)."""

    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def elsewhere(self) -> bool: ...


class Slack(Protocol):
    """How a file is fetched (see slack/client.py)."""

    def file(self, file: str) -> Any: ...
    def download(self, url: str, most: int) -> bytes: ...
    def whisper(self, channel: str, user: str, message: JSON) -> None: ...


class Scribe(Protocol):
    """Where a file is recorded (see scribe.py)."""

    def handle(self, command: cmd.Change, heard: Heard, *, incident: int | None = None) -> Outcome: ...

    @property
    def standing(self) -> Callable[[int, Callable[[Any, Place, Incident], Any]], Any]: ...


class Wording(Protocol):
    """How files look in Slack (see slack/files.py)."""

    def ids(self, files: Sequence[JSON]) -> Sequence[str]: ...
    def not_kept(self, place: Place, one: ev.Attached, limit: int) -> JSON: ...


class Kept:
    """The bytes that are kept, for those who show them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def content(self, incident: int, digest: str) -> bytes | None:
        """The bytes of a file of an incident (by key); None when they were destroyed."""
        with self._store.reading() as tx:
            found: bytes | None = tx.file(incident, digest)
        return found

    def digests(self, incident: int) -> frozenset[str]:
        """What is kept with an incident."""
        with self._store.reading() as tx:
            return frozenset(tx.files(incident))

    def images(self, incident: int, stored: Iterable[tuple[str, JSON, JSON | None]]) -> list[tuple[str, str, bytes]]:
        """The images that these events (name, facts, words) attached, as far as a file that holds all has room.

        Name in their folder, media type and bytes.
        """
        found: dict[str, tuple[str, str, bytes]] = {}
        room = INSIDE
        for name, facts, _ in stored:
            if name != ev.Attached.name or not media.is_image(facts["media_type"]) or facts["digest"] in found:
                continue
            content = self.content(incident, facts["digest"]) if 0 < facts["size"] <= room else None
            if content is not None:
                room -= len(content)
                called = media.path(facts["digest"], facts["media_type"])
                found[facts["digest"]] = (called, facts["media_type"], content)
        return list(found.values())


class _Ours(threading.local):
    """The bytes that the transaction of this thread brings along."""

    content: bytes | None = None


class Attachments:
    """The files of all incidents. `limit` is the most bytes of one that is kept; with 0 none is.

    Whoever captures a message writes the letters that `wanted` gives in the transaction that records the entry.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], scribe: Scribe, slack: Slack, wording: Wording, *, limit: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._scribe = scribe
        self._slack = slack
        self._wording = wording
        self._limit = limit
        self._ours = _Ours()

    # ---- when something is recorded --------------------------------------------------------------

    def wanted(self, place: Place, entry: int, files: Sequence[JSON]) -> list[Letter]:
        """A message was captured as that entry, and these files (Slack's objects) came with it: a letter for each.

        It names a file by its id alone, for what a file is called are somebody's words.
        """
        now = self._clock()
        return [
            Letter(
                KIND,
                place.team,
                f"{place.team}/{place.name}/files",
                {"entry": entry, "file": file, "place": at},
                now,
                place.key,
                blocking=False,
            )
            for at, file in enumerate(self._wording.ids(files)[: MOST if self._limit else 0])
        ]

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> list[Letter]:
        """Something was recorded: a file that is there, or is only named, or texts that go with their files."""
        letters: list[Letter] = []
        for one in happened:
            match one:
                case ev.Attached() if one.unkept:
                    letters.append(self._tell(tx, place, incident, one, now))
                case ev.Attached() if self._ours.content is not None:
                    tx.keep_file(place, one.digest, one.media_type, self._ours.content)
                case ev.Redacted():
                    tx.destroy_files(place.key, [file.digest for file in incident.entries[one.entry].files])
                case _:
                    pass
        return letters

    def _tell(self, tx: Reading, place: Place, incident: Incident, one: ev.Attached, now: datetime) -> Letter:
        """Who captured the message is told once, as the letter is written with what it tells."""
        user = tx.people([one.by])[one.by].user
        said_in = incident.entries[one.entry].event.said_in
        channel = said_in.partition("/")[0] or place.channel
        body = {"seq": incident.seq, "channel": channel, "user": user}
        return Letter(TELL, place.team, f"{place.team}/{user}", body, now, place.key, blocking=False)

    # ---- what is done about it -------------------------------------------------------------------

    def keep(self, letter: Letter) -> list[Letter]:
        """Fetches a file and records it; of one that is not kept, its name and why.

        Raises Undelivered where another try may get it, or where this installation gets none.
        """
        number, file = letter.body["entry"], letter.body["file"]
        found: tuple[Place, str] | None = self._scribe.standing(
            letter.incident or 0, lambda tx, place, incident: (place, _captured_by(tx, incident, number))
        )
        if found is None or not found[1]:
            return []
        place, user = found
        try:
            command, content = self._looked_at(place, number, letter)
        except Undelivered as failure:
            if not failure.permanent or failure.code in OUR_OWN:
                raise
            log.info("a file of %s is not kept: %s", place.name, failure.message)
            command, content = _unkept(number, Unkept.REFUSED), None
        origin = f"file {place.number}/{number}/{file}"
        heard = Heard(place.team, place.channel, user, origin, quiet=True)
        self._ours.content = content
        try:
            self._scribe.handle(command, heard, incident=place.number)  # a refusal: it is there, or may not be any more
        finally:
            self._ours.content = None
        return []

    def _looked_at(self, place: Place, number: int, letter: Letter) -> tuple[cmd.Attach, bytes | None]:
        """What there is to record of a file, and its bytes; none of one that is not kept."""
        held: Held = self._slack.file(letter.body["file"])
        if letter.body["place"] >= media.EACH:
            return _unkept(number, Unkept.COUNT, held), None
        if held.elsewhere or not held.url or media.is_hopeless(media.claimed(held.media_type)):
            return _unkept(number, Unkept.KIND, held), None
        if held.size > self._limit:
            return _unkept(number, Unkept.SIZE, held), None
        try:
            content = self._slack.download(held.url, self._limit)
        except Undelivered as failure:
            if failure.code != "too_large":
                raise
            return _unkept(number, Unkept.SIZE, held), None
        kind = media.sniffed(content, held.name)
        if kind is None:
            return _unkept(number, Unkept.KIND, held), None
        digest = hashlib.sha256(content).hexdigest()
        with self._store.reading() as tx:
            kept = tx.files(place.key)
        if digest not in kept and sum(kept.values()) + len(content) > media.TOTAL:
            return _unkept(number, Unkept.TOTAL, held), None
        name = held.name[: media.LONGEST_NAME]
        return cmd.Attach(entry=number, digest=digest, media_type=kind, size=len(content), file=name), content

    def tell(self, letter: Letter) -> list[Letter]:
        """Tells who captured a message that a file of it is only named in the record."""
        body = letter.body
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident or 0)
            (one,) = tx.events(letter.incident or 0, after=body["seq"] - 1, upto=body["seq"])
        if place is not None and isinstance(one, ev.Attached):
            message = self._wording.not_kept(place, one, self._limit)
            self._slack.whisper(body["channel"], body["user"], message)
        return []


def _captured_by(tx: Reading, incident: Incident, number: int) -> str:
    """The Slack id of who made an entry of a message; "" where its text was destroyed, and nothing is added to it."""
    entry = incident.entries[number]
    return "" if entry.redacted else tx.people([entry.event.by])[entry.event.by].user


def _unkept(entry: int, why: Unkept, held: Held | None = None) -> cmd.Attach:
    return cmd.Attach(
        entry=entry,
        digest="",
        media_type=media.claimed(held.media_type if held else ""),
        size=held.size if held else 0,
        file=held.name[: media.LONGEST_NAME] if held else "",
        unkept=why.value,
    )
