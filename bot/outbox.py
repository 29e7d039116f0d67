"""How things leave: lease a letter, send it, settle it. The only thread that talks to Slack; it does I/O only.

A letter is settled after what it says has been done. What the outside world refuses is tried again with growing pauses,
or parked with the reason where another try cannot help. Documents come from the press, wording from `wording`.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core import events as ev
from bot.core.answers import Outcome
from bot.core.errors import Undelivered
from bot.core.incident import fold
from bot.core.record import JSON, Channel, Installation, Letter, Place, Revision

LEASE_SECONDS = 180.0  # a document of 10,000 entries takes more than two minutes to compose
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 600.0
FAULTS_BEFORE_PARKING = 6
IDLE_SECONDS = 0.25
FAULT_SECONDS = 5.0

log = logging.getLogger("scribe.outbox")


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def revision(self, incident: int, revision: int) -> Revision | None: ...
    def latest_revision(self, incident: int) -> Revision | None: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...
    def stored(self, incident: int, after: int = 0, upto: int | None = None) -> list[tuple[str, JSON, JSON | None]]: ...
    def head_at(self, incident: int, seq: int) -> str: ...
    def names_in(self, stored: Iterable[tuple[str, JSON, JSON | None]]) -> dict[str, str]: ...
    def next_due(self) -> datetime | None: ...


class Writing(Reading, Protocol):
    """What the store lets us write."""

    def lease(self, now: datetime, seconds: float) -> Letter | None: ...
    def settle(self, letter: Letter, state: str, now: datetime, error: str = "") -> bool: ...
    def again(self, letter: Letter, due_at: datetime, error: str) -> bool: ...
    def pin(self, incident: int, revision: int) -> None: ...
    def keep_receipt(self, place: Place, target: str, revision: int, receipt: JSON) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...
    def learn_channel(
        self,
        team: str,
        channel: str,
        *,
        name: str | None = None,
        private: bool | None = None,
        member: bool | None = None,
        archived: bool | None = None,
    ) -> None: ...
    def learn_person(self, team: str, user: str, *, name: str, zone: str | None, now: datetime) -> None: ...
    def learn_installation(self, found: Installation, now: datetime) -> None: ...


class Store(Protocol):
    """Where the letters are."""

    def writing(self) -> AbstractContextManager[Writing]: ...
    def reading(self) -> AbstractContextManager[Reading]: ...


class Slack(Protocol):
    """What leaves for Slack (see slack/client.py)."""

    def whoami(self) -> Installation: ...
    def person(self, user: str, timeout: float | None = None) -> Any: ...
    def look_at(self, team: str, channel: str) -> Channel: ...
    def join(self, channel: str) -> None: ...
    def post(self, channel: str, message: Mapping[str, Any], *, thread: str = "", key: str = "") -> str: ...
    def find(self, channel: str, key: str, *, thread: str = "", since: str = "") -> str | None: ...
    def edit(self, channel: str, ts: str, message: Mapping[str, Any]) -> None: ...
    def delete(self, channel: str, ts: str) -> None: ...
    def whisper(self, channel: str, user: str, message: Mapping[str, Any]) -> None: ...
    def direct(self, user: str) -> str: ...
    def upload(self, channel: str, *, name: str, title: str, content: bytes, thread: str = "") -> Any: ...
    def delete_file(self, file: str) -> None: ...


class Wording(Protocol):
    """How a letter reads in Slack (see slack/blocks.py)."""

    def message(self, outcome: Outcome) -> JSON: ...
    def draft(self, digest: Any, receipts: Mapping[str, JSON], told_in: str = "") -> JSON: ...
    def markdown(self, document: str) -> list[JSON]: ...


Compose = Callable[[Place, Sequence[tuple[str, JSON, JSON | None]], Mapping[str, str], int, bool], tuple[Any, Any]]
"""The press: place, stored events, names by key, revision, whether a PNG is wanted -> page and names of its files."""


class Outbox:
    """Sends what is due, one letter at a time.

    `exporters` by name; those named in `in_thread` put their file into the thread of the draft's post.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        *,
        slack: Slack,
        compose: Compose,
        exporters: Mapping[str, Any],
        in_thread: Sequence[str],
        wording: Wording,
        recall: Callable[[str, str], Outcome | None],
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._clock = clock
        self._slack = slack
        self._compose = compose
        self._exporters = exporters
        self._in_thread = in_thread
        self._wording = wording
        self._recall = recall
        self._jitter = jitter

    # ---- the loop --------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Sends what is due until `stop` is set; what is in hand then is finished first."""
        while not stop.is_set():
            try:
                sent = self.send_one()
            except Exception:  # a defect, or a store that cannot be written: the loop outlives both
                log.exception("a letter could not be handled, reference %s", secrets.token_hex(4))
                stop.wait(FAULT_SECONDS)
                continue
            if not sent:
                stop.wait(IDLE_SECONDS)

    def pump(self) -> int:
        """Sends everything that is due now; gives how many letters were taken in hand."""
        count = 0
        while self.send_one():
            count += 1
        return count

    def next_due(self) -> datetime | None:
        """When the next letter wants to leave."""
        with self._store.reading() as tx:
            return tx.next_due()

    def send_one(self) -> bool:
        """Takes one due letter, sends and settles it; False when none is due. A defect is raised after it is noted."""
        with self._store.writing() as tx:
            letter = tx.lease(self._clock(), LEASE_SECONDS)
        if letter is None:
            return False
        failure: Undelivered | None = Undelivered(
            "a fault of Scribe's own; its log has the details", permanent=letter.attempts >= FAULTS_BEFORE_PARKING
        )
        try:
            following = self._deliver(letter)
            failure = None
        except Undelivered as refused:
            failure = refused
        finally:  # a defect is written down as well, before it goes up to the loop
            if failure is not None:
                self._failed(letter, failure)
        if failure is None:
            with self._store.writing() as tx:
                if tx.settle(letter, "sent", self._clock()):
                    tx.enqueue(following)
        return True

    def _failed(self, letter: Letter, failure: Undelivered) -> None:
        now = self._clock()
        with self._store.writing() as tx:
            if failure.permanent:
                log.warning("letter %s (%s) is parked: %s", letter.key, letter.kind, failure.message)
                tx.settle(letter, "parked", now, failure.message)
                return
            pause = min(FIRST_PAUSE * 2 ** (letter.attempts - 1), LONGEST_PAUSE) * (1 + self._jitter() / 2)
            pause = max(pause, failure.retry_after or 0.0)
            log.info("letter %s (%s) is tried again in %.0f s: %s", letter.key, letter.kind, pause, failure.message)
            tx.again(letter, now + timedelta(seconds=pause), failure.message)

    # ---- one letter ------------------------------------------------------------------------------

    def _deliver(self, letter: Letter) -> list[Letter]:
        """Does what a letter says; gives the letters that follow from it."""
        match letter.kind:
            case "learn":
                self._learn()
            case "arrive":
                self._arrive(letter)
            case "meet":
                self._meet(letter)
            case "answer":
                self._answer(letter)
            case "export":
                self._export(letter)
            case "announce":
                self._announce(letter)
                return [
                    replace(letter, kind="export", body={**letter.body, "target": target}, blocking=False)
                    for target in self._in_thread
                ]
            case "discard":
                self._slack.delete_file(letter.body["file"])
            case "scrub":
                self._scrub(letter)
            case "share":
                self._share(letter)
            case "show":
                self._show_draft(letter)
            case "hand_over":
                self._hand_over(letter)
            case _:
                raise Undelivered(f"nobody knows how to send a letter of kind {letter.kind}", permanent=True)
        return []

    def _learn(self) -> None:
        found = self._slack.whoami()
        with self._store.writing() as tx:
            tx.learn_installation(found, self._clock())

    def _arrive(self, letter: Letter) -> None:
        """Learns the channel of a new incident; joins it where it is public."""
        channel = letter.body["channel"]
        try:
            found = self._slack.look_at(letter.team, channel)
            if found.private is False and not found.member and not found.archived:
                self._slack.join(channel)
                found = Channel(letter.team, channel, found.name, False, True, False)
        except Undelivered as failure:
            if failure.code == "channel_not_found":  # what a private channel that we are not in looks like
                with self._store.writing() as tx:
                    tx.learn_channel(letter.team, channel, private=True, member=False)
            raise
        with self._store.writing() as tx:
            tx.learn_channel(
                letter.team,
                channel,
                name=found.name,
                private=found.private,
                member=found.member,
                archived=found.archived,
            )

    def _meet(self, letter: Letter) -> None:
        found = self._slack.person(letter.body["user"])
        with self._store.writing() as tx:
            tx.learn_person(letter.team, letter.body["user"], name=found.name, zone=found.zone, now=self._clock())

    def _answer(self, letter: Letter) -> None:
        outcome = self._recall(letter.team, letter.body["origin"])
        if outcome is None:
            return
        message, channel, thread = self._wording.message(outcome), letter.body["channel"], letter.body["thread"]
        if letter.body["everybody"]:
            self._post(letter, channel, message, f"letter-{letter.key}", thread=thread)
        else:
            self._slack.whisper(channel, letter.body["user"], message)

    def _post(
        self, letter: Letter, channel: str, message: JSON, key: str, *, thread: str = "", look: bool = False
    ) -> str:
        """Posts a message once: before another try it is looked for by its key, as the last try may have arrived."""
        if (look or letter.attempts > 1) and (there := self._slack.find(channel, key, thread=thread)):
            return there
        return self._slack.post(channel, message, thread=thread, key=key)

    # ---- documents -------------------------------------------------------------------------------

    def _page(self, letter: Letter, upto: int, revision: int, *, png: bool = False) -> tuple[Place, Any, Any]:
        assert letter.incident is not None
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident)
            assert place is not None
            stored = tx.stored(place.key, upto=upto)
            names = tx.names_in(stored)
            # as it was after event `upto`: another try writes the same bytes under the same names
            title = fold((ev.from_json(*one) for one in stored), place.number).title
            place = replace(place, seq=upto, head=tx.head_at(place.key, upto), title=title)
        page, called = self._compose(place, stored, names, revision, png)
        return place, page, called

    def _revision(self, letter: Letter) -> tuple[int, int] | None:
        """Revision and reach of a letter of a document; from now on that revision reaches no further."""
        assert letter.incident is not None
        with self._store.writing() as tx:
            found = tx.revision(letter.incident, letter.body["revision"])
            if found is None:
                return None
            tx.pin(found.incident, found.revision)
            return found.revision, found.upto

    def _export(self, letter: Letter) -> None:
        found = self._revision(letter)
        if found is None:
            return
        revision, upto = found
        target: str = letter.body["target"]
        place, page, called = self._page(letter, upto, revision)
        with self._store.reading() as tx:
            receipts = tx.receipts(place.key)
        earlier = receipts.get(target)
        if earlier and earlier["revision"] > revision:
            return
        if earlier is None or earlier["revision"] < revision:
            if target == "file":
                receipt = self._exporters[target].export(page, place, called)
            else:
                post = receipts.get("post")
                if post is None:
                    raise Undelivered("the draft is not posted, so there is no thread for its file", permanent=True)
                receipt = self._exporters[target].export(page, place, called, thread=post["ts"])
            with self._store.writing() as tx:
                tx.keep_receipt(place, target, revision, receipt)
                tx.enqueue(_discard(letter, (earlier or {}).get("file", "")))
            receipts[target] = receipt
        if "link" in receipts[target]:
            self._link(place, page, receipts)

    def _link(self, place: Place, page: Any, receipts: Mapping[str, JSON]) -> None:
        """Puts a new link into the post."""
        if post := receipts.get("post"):
            self._slack.edit(post["channel"], post["ts"], self._wording.draft(page.digest, receipts))

    def _announce(self, letter: Letter) -> None:
        """Posts the draft, or brings the post up to date; picture and full text stand in its thread."""
        found = self._revision(letter)
        if found is None:
            return
        revision, upto = found
        place, page, called = self._page(letter, upto, revision, png=True)
        with self._store.reading() as tx:
            receipts = tx.receipts(place.key)
        if receipts.get("post", {}).get("revision", 0) > revision:
            return  # a newer one stands there already
        message = self._wording.draft(page.digest, receipts)
        post = {key: value for key, value in receipts.get("post", {}).items() if key != "revision"}
        if post:
            self._slack.edit(post["channel"], post["ts"], message)
        else:
            ts = self._post(letter, place.channel, message, f"{place.name}-draft", look=revision > 1)
            post = {"channel": place.channel, "ts": ts, "texts": [], "picture": "", "pictured": 0}
            self._keep_post(place, revision, post)
        self._picture(letter, place, page, called, revision, post)
        self._texts(letter, place, page, revision, post)

    def _picture(self, letter: Letter, place: Place, page: Any, called: Any, revision: int, post: JSON) -> None:
        if post["pictured"] >= revision or not page.png:
            return
        name = called.picture.removesuffix(".svg") + ".png"
        shared = self._slack.upload(
            post["channel"], name=name, title="The incident on a time axis", content=page.png, thread=post["ts"]
        )
        old, post["picture"], post["pictured"] = post["picture"], shared.file, revision
        with self._store.writing() as tx:
            tx.keep_receipt(place, "post", revision, post)
            tx.enqueue(_discard(letter, old))

    def _texts(self, letter: Letter, place: Place, page: Any, revision: int, post: JSON) -> None:
        messages = self._wording.markdown(page.document.decode())
        for number, message in enumerate(messages):
            if number < len(post["texts"]):
                self._slack.edit(post["channel"], post["texts"][number], message)
            else:
                key = f"{place.name}-text-{number}"
                post["texts"].append(self._post(letter, post["channel"], message, key, thread=post["ts"]))
                self._keep_post(place, revision, post)
        for ts in post["texts"][len(messages) :]:
            self._slack.delete(post["channel"], ts)
        post["texts"] = post["texts"][: len(messages)]
        self._keep_post(place, revision, post)

    def _keep_post(self, place: Place, revision: int, post: JSON) -> None:
        with self._store.writing() as tx:
            tx.keep_receipt(place, "post", revision, post)

    def _share(self, letter: Letter) -> None:
        assert letter.incident is not None
        with self._store.reading() as tx:
            found = tx.latest_revision(letter.incident)
            place = tx.by_key(letter.incident)
        assert place is not None
        upto, revision = (found.upto, found.revision) if found else (place.seq, 1)
        place, page, _ = self._page(letter, upto, revision)
        with self._store.reading() as tx:
            receipts = tx.receipts(place.key)
        channel = letter.body["channel"]
        known = self._slack.look_at(letter.team, channel)
        if known.private is False and not known.member:
            self._slack.join(channel)
        message = self._wording.draft(page.digest, receipts, place.channel)
        self._post(letter, channel, message, f"share-{letter.key}")

    def _scrub(self, letter: Letter) -> None:
        """A text was destroyed: files of earlier revisions, which hold it, are taken away once the new one is there."""
        assert letter.incident is not None
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident)
            receipts = tx.receipts(letter.incident)
        assert place is not None
        for target in receipts.keys() & self._exporters.keys():
            if receipts[target]["revision"] < letter.body["revision"]:
                raise Undelivered(f"revision {letter.body['revision']} is not written yet")
            self._exporters[target].scrub(place, receipts[target])

    def _show_draft(self, letter: Letter) -> None:
        _, page, _ = self._page(letter, letter.body["upto"], self._next_revision(letter))
        for message in self._wording.markdown(page.document.decode()):
            self._slack.whisper(letter.body["channel"], letter.body["user"], message)

    def _hand_over(self, letter: Letter) -> None:
        """`export`: the file comes to the person in a direct message."""
        place, page, called = self._page(letter, letter.body["upto"], self._next_revision(letter))
        channel = self._slack.direct(letter.body["user"])
        form = letter.body["format"]
        name, content = (called.json, page.json) if form == "json" else (called.document, page.document)
        self._slack.upload(channel, name=name, title=f"{place.name} {place.title}"[:200], content=content)

    def _next_revision(self, letter: Letter) -> int:
        assert letter.incident is not None
        with self._store.reading() as tx:
            found = tx.latest_revision(letter.incident)
        return found.revision if found else 1


def _discard(letter: Letter, file: str) -> list[Letter]:
    """A file in Slack that another one replaced goes by a letter of its own: it is tried until it is gone."""
    return [replace(letter, kind="discard", body={"file": file}, blocking=False)] if file else []
