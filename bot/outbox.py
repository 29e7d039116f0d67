"""How things leave: lease a letter, send it, settle it. The only thread that talks to Slack; it does I/O only.

A letter is settled after what it says has been done. What the outside world refuses is tried again with growing pauses,
or parked with the reason where another try cannot help. Documents come from the press, wording from `wording`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot import logs
from bot.core.answers import Outcome, Refused
from bot.core.changes import Changes, between
from bot.core.errors import Refusal, Undelivered, Unrecorded
from bot.core.events import Event
from bot.core.language import Phrase
from bot.core.record import CAME_BACK, JSON, MUST, Channel, Installation, Letter, Person, Place, Revision

LEASE_SECONDS = 180.0  # to compose a document takes two minutes at most; it is renewed before each step that takes long
SENDERS = 3
"""Threads that send: a letter that takes long holds back its own lane only."""
POST_SECONDS = 1.0
"""Slack takes about one message a second in a channel (https://docs.slack.dev/apis/web-api/rate-limits)."""
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 600.0
LONGEST_WAIT = timedelta(hours=2)
"""No letter is put off for longer: one that waits for a later time was written before the clock was put back."""
USUAL_WAIT = timedelta(minutes=15)
"""The same at the start, and when the clock was seen to be put back: the longest pause, the quiet before a revision."""
CLOCK_STEP = timedelta(seconds=5)
"""A clock that goes back by less is only being trimmed."""
FAULTS_BEFORE_PARKING = 6
IDLE_SECONDS = 0.25
FAULT_SECONDS = 5.0

GONE = {"message_not_found", "thread_not_found", "invalid_thread_ts"}
"""Slack's words for a message that somebody deleted."""

SHARED = "shared/"
HANDED = "handed/"
"""How receipts of posts in other channels, and of files that were handed over, begin."""

PASSING = {"hint", "fault", "look", "meet", "nudge", "similar", "digest"} | {
    "home", "homes", "agenda", "post_anew", "review_told", "review_soon", "section",
    "suggest", "suggest_take", "purge",
    "board", "board_down", "own_channel", "settle_in", "invite", "topic", "stays", "announcement", "not_kept",
    "capture_told",
}  # fmt: skip
"""Letters that nobody misses later: one that Slack refuses is let go, and troubles nobody in `status`."""

WORKING_COPY = 0
"""The revision of a document that is only looked at."""

log = logging.getLogger("scribe.outbox")


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def visible(self, team: str, channel: str, words: str = "", *, only_open: bool = False) -> list[Place]: ...
    def revision(self, incident: int, revision: int) -> Revision | None: ...
    def latest_revision(self, incident: int) -> Revision | None: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...
    def events(self, incident: int, after: int = 0, upto: int | None = None) -> list[Event]: ...
    def stored(self, incident: int, after: int = 0, upto: int | None = None) -> list[tuple[str, JSON, JSON | None]]: ...
    def names_of(self, incident: int, revision: int) -> dict[str, str] | None: ...
    def unmet(self, stored: Iterable[tuple[str, JSON, JSON | None]]) -> list[Person]: ...
    def next_due(self) -> datetime | None: ...
    def to_send(self, now: datetime) -> tuple[int, bool] | None: ...
    def is_due_after(self, at: datetime) -> bool: ...


class Writing(Reading, Protocol):
    """What the store lets us write."""

    def bring_forward(self, now: datetime, furthest: timedelta, seconds: float) -> int: ...

    def lease(self, now: datetime, seconds: float) -> Letter | None: ...
    def settle(self, letter: Letter, state: str, now: datetime, error: str = "") -> bool: ...
    def again(self, letter: Letter, due_at: datetime, error: str, *, unsure: bool = True) -> bool: ...
    def revise(self, place: Place, upto: int) -> tuple[int, bool]: ...
    def pin(self, incident: int, revision: int) -> None: ...
    def keep_receipt(self, place: Place, target: str, revision: int, receipt: JSON) -> None: ...
    def enqueue(self, letters: Iterable[Letter]) -> None: ...
    def wipe(self) -> None: ...
    def renew(self, letter: Letter, until: datetime) -> bool: ...
    def free(self) -> int: ...
    def forget_receipt(self, incident: int, target: str) -> None: ...
    def learn_channel(self, found: Channel) -> None: ...
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
    def whisper(self, channel: str, user: str, message: Mapping[str, Any], *, thread: str = "") -> None: ...
    def direct(self, user: str) -> str: ...
    def upload(self, channel: str, *, name: str, title: str, content: bytes, thread: str = "") -> Any: ...
    def delete_file(self, file: str) -> None: ...


class Wording(Protocol):
    """How a letter reads in Slack (see slack/blocks.py)."""

    def message(self, outcome: Outcome) -> JSON: ...
    def draft(self, digest: Any, receipts: Mapping[str, JSON], told_in: str = "") -> JSON: ...
    def changes(self, revision: int, changes: Changes) -> JSON: ...
    def markdown(self, document: str) -> list[JSON]: ...
    def looked_at(self, page: Any) -> list[JSON]: ...
    def fault(self, reference: str) -> JSON: ...
    def to_approve(self, name: str, line: str, standing: str) -> JSON: ...
    def hint(self, place: Place, entry: int, blame: Sequence[Phrase], secrets: Sequence[Phrase]) -> JSON: ...


class Documents(Protocol):
    """Where documents are composed (see documents.py)."""

    def at(
        self,
        incident: int,
        upto: int,
        revision: int,
        *,
        png: bool = False,
        template: str = "default",
        also: tuple[str, ...] = (),
    ) -> Any: ...


class Outbox:
    """Sends what is due, a letter at a time in each thread that runs it.

    `exporters` by name; those named in `in_thread` put their file into the thread of the draft's post. `pause(seconds)`
    waits between two messages of a channel; `became(kind, outcome)` is told of every letter that was in hand;
    `draft_delay` is for how long a draft may wait.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        *,
        slack: Slack,
        documents: Documents,
        exporters: Mapping[str, Any],
        in_thread: Sequence[str],
        wording: Wording,
        recall: Callable[[str, str], Outcome | None],
        jitter: Callable[[], float],
        pause: Callable[[float], None],
        became: Callable[[str, str], None] = lambda kind, outcome: None,
        draft_delay: timedelta = timedelta(),
    ) -> None:
        self._store = store
        self._clock = clock
        self._slack = slack
        self._documents = documents
        self._exporters = exporters
        self._in_thread = in_thread
        self._wording = wording
        self._recall = recall
        self._jitter = jitter
        self._pause = pause
        self.also: dict[str, Callable[[Letter], Sequence[Letter]]] = {}
        """Letters of further kinds: what is done about one, and the letters that follow. Rooms add theirs (app.py)."""
        self.then: dict[str, list[Callable[[Letter], Sequence[Letter]]]] = {}
        """What else follows when a letter of a kind was sent: rooms tell of it, too."""
        self._became = became
        self._in_hand: dict[int, Letter] = {}
        self._pacing = threading.Lock()
        self._free_at: dict[str, datetime] = {}
        self._asked_to_wait: dict[str, tuple[datetime, datetime]] = {}
        self._usual_wait = max(USUAL_WAIT, draft_delay)
        self._looked_at: datetime | None = None

    # ---- the loop --------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Sends what is due until `stop` is set; what is in hand then is finished first."""
        while not stop.is_set():
            with logs.about(reference=logs.new_reference()):
                try:
                    pause = 0.0 if self.send_one() else IDLE_SECONDS
                except Unrecorded:  # the store has told the log; the letter leaves when there is room again
                    pause = FAULT_SECONDS
                except Exception:  # a defect: the loop outlives it
                    log.exception("a letter could not be handled, reference %s", logs.reference())
                    pause = FAULT_SECONDS
            if pause:
                stop.wait(pause)

    def take_over(self) -> int:
        """Takes what a process had in hand that was killed; gives how much it was. For when no other process sends."""
        with self._store.writing() as tx:
            return tx.free()

    def put_back(self) -> int:
        """Puts back what is in hand when the process ends, so that nobody waits for its leases; gives how much it was.

        Whoever takes it next looks first whether it arrived.
        """
        letters = list(self._in_hand.values())
        with self._store.writing() as tx:
            return sum(tx.again(one, one.due_at, "Scribe was stopped in the middle of it") for one in letters)

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
        now = self._clock()
        with self._store.reading() as tx:  # looking keeps nobody from writing
            furthest = self._furthest(now, tx)
            if furthest is None and tx.to_send(now) is None:
                return False
        with self._store.writing() as tx:
            if furthest is not None and (moved := tx.bring_forward(now, furthest, LEASE_SECONDS)):
                log.warning("the clock was put back: %d letters that waited for a time to come leave now", moved)
            letter = tx.lease(now, LEASE_SECONDS)
            place = tx.by_key(letter.incident) if letter is not None and letter.incident else None
        if letter is None:
            return False
        logs.note(letter=letter.key, kind=letter.kind)
        if place is not None:
            logs.note(incident=place.name, channel=place.channel)
        self._in_hand[letter.key] = letter
        try:
            self._send(letter)
        finally:
            self._in_hand.pop(letter.key, None)
        return True

    def _furthest(self, now: datetime, tx: Reading) -> timedelta | None:
        """How far from now a letter may be due, if the clock was put back since some were written; else None."""
        with self._pacing:
            before, self._looked_at = self._looked_at, now
        if before is None or now < before - CLOCK_STEP:
            return self._usual_wait
        return LONGEST_WAIT if tx.is_due_after(now + LONGEST_WAIT) else None

    def _send(self, letter: Letter) -> None:
        """Sends a letter and settles it."""
        failure: Undelivered | None = Undelivered(
            "a fault of Scribe's own; its log has the details", permanent=letter.attempts >= FAULTS_BEFORE_PARKING
        )
        outcome = "faulty"
        try:
            following = self._deliver(letter)
            also = [one for follow in self.then.get(letter.kind, ()) for one in follow(letter)]
            failure = None
        except Undelivered as refused:
            failure, outcome = refused, ""
        finally:  # a defect is written down as well, before it goes up to the loop
            if failure is not None:
                became = self._failed(letter, failure)
                self._became(letter.kind, outcome or became)
        if failure is None:
            with self._store.writing() as tx:
                if tx.settle(letter, "sent", self._clock()):
                    tx.enqueue([*following, *also])
            self._became(letter.kind, "sent")
            log.info("a letter was sent")

    def _failed(self, letter: Letter, failure: Undelivered) -> str:
        """Puts a letter back, parks it or lets it go; says which."""
        now = self._clock()
        with self._store.writing() as tx:
            if failure.permanent and letter.kind in PASSING and not letter.body.get(MUST):
                log.info("letter %s (%s) is let go: %s", letter.key, letter.kind, failure.message)
                tx.settle(letter, "dropped", now, failure.message)
                return "dropped"
            if failure.permanent:
                log.warning("letter %s (%s) is parked: %s", letter.key, letter.kind, failure.message)
                tx.settle(letter, "parked", now, failure.message)
                return "parked"
            pause = min(FIRST_PAUSE * 2 ** (letter.attempts - 1), LONGEST_PAUSE) * (1 + self._jitter() / 2)
            pause = min(max(pause, failure.retry_after or 0.0), LONGEST_WAIT.total_seconds())
            log.info("letter %s (%s) is tried again in %.0f s: %s", letter.key, letter.kind, pause, failure.message)
            tx.again(letter, now + timedelta(seconds=pause), failure.message, unsure=failure.uncertain)
            return "put_off"

    # ---- one letter ------------------------------------------------------------------------------

    def _deliver(self, letter: Letter) -> list[Letter]:
        """Does what a letter says; gives the letters that follow from it."""
        match letter.kind:
            case "learn":
                self._learn()
            case "arrive":
                self._arrive(letter)
            case "look":
                self._look_at(letter)
            case "hint":
                self._hint(letter)
            case "fault":
                body = letter.body
                message = self._wording.fault(body["reference"])
                self._slack.whisper(body["channel"], body["user"], message, thread=body["thread"])
            case "meet":
                self._meet(letter)
            case "answer":
                self._answer(letter)
            case "export":
                self._export(letter)
            case "announce":
                return self._announce(letter)
            case "discard":
                self._slack.delete_file(letter.body["file"])
            case "scrub":
                self._scrub(letter)
            case "share":
                self._share(letter)
            case "unshare":
                self._unshare(letter)
            case "show":
                self._show_draft(letter)
            case "hand_over":
                self._hand_over(letter)
            case kind if kind in self.also:
                return list(self.also[kind](letter))
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
                found = replace(found, member=True)
        except Undelivered as failure:
            if failure.code == "channel_not_found":  # what a private channel that we are not in looks like
                self._learn_channel(Channel(letter.team, channel, private=True, member=False))
            raise
        self._learn_channel(found)

    def _look_at(self, letter: Letter) -> None:
        """Learns what a channel is that was heard of."""
        channel = letter.body["channel"]
        try:
            found = self._slack.look_at(letter.team, channel)
        except Undelivered as failure:
            if failure.code != "channel_not_found":
                raise
            found = Channel(letter.team, channel, private=True, member=False)
        self._learn_channel(found)
        if found.private:
            with self._store.reading() as tx:
                told = [one for one in tx.visible(letter.team, channel) if one.channel == channel]
            for place in told:
                self._take_back(place.key, self._elsewhere(place))

    def _learn_channel(self, found: Channel) -> None:
        with self._store.writing() as tx:
            tx.learn_channel(replace(found, looked_at=self._clock()))

    def _meet(self, letter: Letter) -> None:
        found = self._slack.person(letter.body["user"])
        with self._store.writing() as tx:
            tx.learn_person(letter.team, letter.body["user"], name=found.name, zone=found.zone, now=self._clock())

    def _answer(self, letter: Letter) -> None:
        outcome = self._recall(letter.team, letter.body["origin"])
        if outcome is None:
            return
        message, channel, thread = self._wording.message(outcome), letter.body["channel"], letter.body["thread"]
        if not channel:  # of a shortcut, which is used nowhere in particular
            self.post(letter, self._slack.direct(letter.body["user"]), message, f"letter-{letter.key}")
        elif letter.body["everybody"]:
            self.post(letter, channel, message, f"letter-{letter.key}", thread=thread)
        else:
            self._slack.whisper(channel, letter.body["user"], message, thread=thread)

    def _hint(self, letter: Letter) -> None:
        """Shows the author alone which words of an entry blame, or look like a secret."""
        assert letter.incident is not None
        body = letter.body
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident)
            (said,) = tx.events(letter.incident, after=body["seq"] - 1, upto=body["seq"])
        text = getattr(said, "text", "") or ""
        found = {
            what: [Phrase(start, end, text[start:end], why, instead) for start, end, why, instead in body[what]]
            for what in ("blame", "secrets")
        }
        if place is None or not text:  # destroyed since
            return
        about = getattr(said, "entry", 0)
        message = self._wording.hint(place, about, found["blame"], found["secrets"])
        self._slack.whisper(body["channel"], body["user"], message, thread=body["thread"])

    def post(
        self, letter: Letter, channel: str, message: JSON, key: str, *, thread: str = "", look: bool = False
    ) -> str:
        """Posts a message once: before another try it is looked for by its key, as the last try may have arrived."""
        if (look or letter.unsure) and (there := self._slack.find(channel, key, thread=thread)):
            self.edited(channel, there, message)  # it may say what was so at an earlier try
            return there
        self.take_turn(channel)
        try:
            return self._slack.post(channel, message, thread=thread, key=key)
        except Undelivered as failure:
            if failure.retry_after:
                with self._pacing:
                    now = self._clock()
                    self._asked_to_wait[channel] = (now, now + timedelta(seconds=failure.retry_after))
            raise

    def take_turn(self, channel: str) -> None:
        """Waits until the channel takes another message. Raises Undelivered while Slack asks to wait longer."""
        with self._pacing:
            now = self._clock()
            asked_at, until = self._asked_to_wait.get(channel, (now, now))
            if asked_at <= now < until:
                raise Undelivered("Slack asks to wait.", retry_after=(until - now).total_seconds(), code="ratelimited")
            self._asked_to_wait.pop(channel, None)
            free = self._free_at.get(channel, now)
            wait = min(max((free - now).total_seconds(), 0.0), POST_SECONDS * SENDERS)  # the clock may have jumped
            self._free_at = {one: at for one, at in self._free_at.items() if at > now}
            self._free_at[channel] = now + timedelta(seconds=wait + POST_SECONDS)
        if wait:
            self._pause(wait)

    # ---- documents -------------------------------------------------------------------------------

    def _revision(self, letter: Letter) -> tuple[int, int] | None:
        """Revision and reach of a letter of a document; from now on that revision reaches no further."""
        assert letter.incident is not None
        with self._store.reading() as tx:
            named = tx.names_of(letter.incident, letter.body["revision"]) is not None
        if not named:
            self._meet_everybody(letter.team, letter.incident)
        with self._store.writing() as tx:
            found = tx.revision(letter.incident, letter.body["revision"])
            if found is None:
                return None
            tx.pin(found.incident, found.revision)
            return found.revision, found.upto

    def _meet_everybody(self, team: str, incident: int) -> None:
        """Asks for the names of those in a document who are known by their user name only, as far as Slack answers."""
        with self._store.reading() as tx:
            unmet = tx.unmet(tx.stored(incident))
        for person in unmet:
            try:
                found = self._slack.person(person.user)
            except Undelivered as failure:
                log.info("the name of a person could not be looked up: %s", failure.message)
                if not failure.permanent:
                    return  # the document must not wait for it
                continue
            with self._store.writing() as tx:
                tx.learn_person(team, person.user, name=found.name, zone=found.zone, now=self._clock())

    def _receipts(self, incident: int) -> dict[str, JSON]:
        """Where the document stands, by the ways out that are there now."""
        with self._store.reading() as tx:
            found = tx.receipts(incident)
        return {name: found[name] for name in found if name in self._exporters or name == "post"}

    def _export(self, letter: Letter) -> None:
        found = self._revision(letter)
        if found is None:
            return
        revision, upto = found
        target: str = letter.body["target"]
        if target not in self._exporters:
            raise Undelivered(f"There is no way out of the name {target}.", permanent=True)
        one = self._documents.at(letter.incident or 0, upto, revision)
        receipts = self._receipts(one.place.key)
        earlier = receipts.get(target)
        if earlier and earlier["revision"] > revision:
            return
        if earlier is None or earlier["revision"] < revision:
            where = {}
            if target in self._in_thread:
                post = receipts.get("post")
                if post is None:
                    raise Undelivered("the draft is not posted, so there is no thread for its file", permanent=True)
                self.take_turn(post["channel"])
                where = {"thread": post["ts"]}
            self._hold(letter)
            receipt = self._exporters[target].export(one.page, one.place, one.called, **where)
            with self._store.writing() as tx:
                tx.keep_receipt(one.place, target, revision, receipt)
                tx.enqueue(_discard(letter, (earlier or {}).get("file", "")))
            receipts[target] = {**receipt, "revision": revision}
        if target not in self._in_thread:
            return
        if not receipts[target]["link"]:  # it is there, and Slack did not say where
            receipts[target] = self._exporters[target].locate(receipts[target])
            with self._store.writing() as tx:
                tx.keep_receipt(one.place, target, revision, receipts[target])
        if post := receipts.get("post"):
            self._slack.edit(post["channel"], post["ts"], self._wording.draft(one.page.digest, receipts))
        try:
            self._bring_up_to_date(one, revision, self._shares(one.place.key))
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.info("a post of %s in another channel stays as it is: %s", one.place.name, failure.message)

    def _announce(self, letter: Letter) -> list[Letter]:
        """Posts the draft, or brings the post up to date; picture and text stand in its thread.

        Gives the letters that put files into the thread. What Slack refuses for good keeps nothing else back: the
        letter is parked with it once all the rest is done.
        """
        found = self._revision(letter)
        if found is None:
            return []
        revision, upto = found
        one = self._documents.at(letter.incident or 0, upto, revision, png=True)
        receipts = self._receipts(one.place.key)
        if receipts.get("post", {}).get("revision", 0) > revision:
            return []  # a newer one stands there already
        message = self._wording.draft(one.page.digest, receipts)
        post = {key: value for key, value in receipts.get("post", {}).items() if key != "revision"}
        refused: list[Undelivered] = []

        def as_far_as_slack_lets(step: Callable[[], bool | None]) -> bool | None:
            """What the step gives, None where Slack refused it."""
            self._hold(letter)
            try:
                return step()
            except Undelivered as failure:
                if not failure.permanent:
                    raise
                refused.append(failure)
                return None

        if post and as_far_as_slack_lets(lambda: self.edited(post["channel"], post["ts"], message)) is False:
            self._take_thread_away(letter, post)  # somebody deleted it: all of it comes anew
            post = {}
        if not post:
            if self._is_open(one.place.key):
                return []
            channel = one.place.channel
            ts = self.post(letter, channel, message, f"{one.place.name}-draft", look=self._may_stand(one, revision))
            post = {"channel": channel, "ts": ts, "texts": [], "picture": "", "pictured": 0, "told": upto}
            self._keep_post(one.place, revision, post)
        as_far_as_slack_lets(lambda: self._picture(letter, one, revision, post))
        as_far_as_slack_lets(lambda: self._texts(letter, one, revision, post))
        as_far_as_slack_lets(lambda: self._tell_changes(letter, one, revision, upto, post))
        self._keep_post(one.place, revision, post)
        following = [
            replace(
                letter,
                kind="export",
                body={**letter.body, "target": name},
                blocking=False,
                about=f"{letter.about}/{name}",
            )
            for name in self._in_thread
        ]
        if refused:
            with self._store.writing() as tx:
                tx.enqueue(following)
            raise refused[0]
        return following

    def _take_thread_away(self, letter: Letter, post: JSON) -> None:
        """What stands in the thread of a post that somebody deleted: it is no longer kept up to date."""
        for ts in post["texts"]:
            self._slack.delete(post["channel"], ts)
        with self._store.writing() as tx:
            tx.enqueue(_discard(letter, post["picture"]))

    def _hold(self, letter: Letter) -> None:
        """Keeps a letter in hand that takes long. Raises Undelivered where another sender has taken it over."""
        with self._store.writing() as tx:
            if not tx.renew(letter, self._clock() + timedelta(seconds=LEASE_SECONDS)):
                raise Undelivered("it took too long; another sender goes on with it")

    def edited(self, channel: str, ts: str, message: JSON) -> bool:
        """Edits a message of ours; False where somebody deleted it."""
        try:
            self._slack.edit(channel, ts, message)
        except Undelivered as failure:
            if failure.code not in GONE:
                raise
            return False
        return True

    def _is_open(self, incident: int) -> bool:
        """Whether the incident was reopened, or cancelled, while its first draft was in hand."""
        with self._store.reading() as tx:
            place = tx.by_key(incident)
        return place is None or place.status != "resolved"

    def _tell_changes(self, letter: Letter, one: Any, revision: int, upto: int, post: JSON) -> None:
        """Says in the thread what a revision changed, at most once in ten quiet minutes (see scribe.QUIET)."""
        told = post.get("told", upto)
        if letter.body.get("prompt") or told >= upto:
            return
        with self._store.reading() as tx:
            changes = between(tx.events(one.place.key, upto=upto), told)
        if changes:
            key = f"{one.place.name}-changes-{revision}"
            message = self._wording.changes(revision, changes)
            self.post(letter, post["channel"], message, key, thread=post["ts"])
        post["told"] = upto
        self._keep_post(one.place, revision, post)

    def _picture(self, letter: Letter, one: Any, revision: int, post: JSON) -> None:
        if post["pictured"] >= revision or not one.page.png:
            return
        name = one.called.picture.removesuffix(".svg") + ".png"
        self.take_turn(post["channel"])
        shared = self._slack.upload(
            post["channel"], name=name, title="The incident on a time axis", content=one.page.png, thread=post["ts"]
        )
        old, post["picture"], post["pictured"] = post["picture"], shared.file, revision
        with self._store.writing() as tx:
            tx.keep_receipt(one.place, "post", revision, post)
            tx.enqueue(_discard(letter, old))

    def _may_stand(self, one: Any, revision: int) -> bool:
        """Whether Slack may show a draft of which nothing is known here."""
        with self._store.reading() as tx:
            return revision > 1 or CAME_BACK in tx.receipts(one.place.key)

    def _texts(self, letter: Letter, one: Any, revision: int, post: JSON) -> None:
        messages = self._wording.markdown(one.page.document.decode())
        for number, message in enumerate(messages):
            if number < len(post["texts"]) and self.edited(post["channel"], post["texts"][number], message):
                continue
            key = f"{one.place.name}-text-{number}"
            self._hold(letter)
            look = self._may_stand(one, revision)
            ts = self.post(letter, post["channel"], message, key, thread=post["ts"], look=look)
            post["texts"][number : number + 1] = [ts]
            self._keep_post(one.place, revision, post)
        for ts in post["texts"][len(messages) :]:
            self._slack.delete(post["channel"], ts)
        post["texts"] = post["texts"][: len(messages)]
        self._keep_post(one.place, revision, post)

    def _keep_post(self, place: Place, revision: int, post: JSON) -> None:
        with self._store.writing() as tx:
            tx.keep_receipt(place, "post", revision, post)

    def _share(self, letter: Letter) -> None:
        """Posts the document's summary in another channel."""
        one, revision = self._as_it_stands(letter)
        channel = letter.body["channel"]
        if one.place.private and channel != one.place.channel:
            raise Undelivered("It was told in a channel that is private by now.", permanent=True)
        known = self._slack.look_at(letter.team, channel)
        self._learn_channel(known)
        if known.shared:
            raise Undelivered(
                "The channel is shared with another company; a postmortem is not posted there.", permanent=True
            )
        if known.private is False and not known.member:
            self._slack.join(channel)
        message = self._wording.draft(one.page.digest, self._receipts(one.place.key), one.place.channel)
        ts = self.post(letter, channel, message, f"share-{letter.key}")
        receipt = {"channel": channel, "ts": ts, "link": _link(self._receipts(one.place.key))}
        name = f"{SHARED}{channel}/{ts}"
        with self._store.writing() as tx:
            tx.keep_receipt(one.place, name, revision, receipt)
        if self._destroyed_since(one):
            fresh, revision = self._as_it_stands(letter)
            self._bring_up_to_date(fresh, revision, {name: {**receipt, "revision": -1}})

    def _unshare(self, letter: Letter) -> None:
        """Sharing was taken back: the newest post in that channel goes."""
        assert letter.incident is not None
        there = f"{SHARED}{letter.body['channel']}/"
        found = {name: one for name, one in self._shares(letter.incident).items() if name.startswith(there)}
        self._take_back(letter.incident, dict(sorted(found.items())[-1:]))

    def _take_back(self, incident: int, shares: Mapping[str, JSON]) -> None:
        """Deletes posts in other channels."""
        for name, receipt in shares.items():
            self._slack.delete(receipt["channel"], receipt["ts"])
            with self._store.writing() as tx:
                tx.forget_receipt(incident, name)

    def _shares(self, incident: int) -> dict[str, JSON]:
        """The posts in other channels, by the name of their receipt."""
        with self._store.reading() as tx:
            return {name: receipt for name, receipt in tx.receipts(incident).items() if name.startswith(SHARED)}

    def _elsewhere(self, place: Place) -> dict[str, JSON]:
        """The posts in channels other than the incident's own."""
        return {name: kept for name, kept in self._shares(place.key).items() if kept["channel"] != place.channel}

    def _bring_up_to_date(self, one: Any, revision: int, shares: Mapping[str, JSON]) -> None:
        """Edits posts in other channels that say or link something older; a refusal of one keeps no other back.

        Where the incident's channel is private by now they are taken back.
        """
        if one.place.private:
            elsewhere = self._elsewhere(one.place)
            self._take_back(one.place.key, elsewhere)
            shares = {name: kept for name, kept in shares.items() if name not in elsewhere}
        receipts = self._receipts(one.place.key)
        message = self._wording.draft(one.page.digest, receipts, one.place.channel)
        refused: list[Undelivered] = []
        for name, receipt in shares.items():
            if receipt["revision"] >= revision and receipt.get("link") == _link(receipts):
                continue
            try:
                self.edited(receipt["channel"], receipt["ts"], message)
            except Undelivered as failure:
                refused.append(failure)
                continue
            with self._store.writing() as tx:
                tx.keep_receipt(one.place, name, revision, {**receipt, "link": _link(receipts)})
        if refused:
            raise refused[0]

    def _destroyed_since(self, one: Any) -> bool:
        """Whether words were destroyed since a document was composed."""
        with self._store.reading() as tx:
            stored = tx.stored(one.place.key, upto=one.place.seq)
        return bool(sum(words is None for _, _, words in stored) > one.destroyed)

    def _scrub(self, letter: Letter) -> None:
        """What holds a text that was destroyed ("texts"), or a link that was taken back, is taken away or put right.

        Each place by itself: what cannot be done in one keeps no other back, and is tried again.
        """
        assert letter.incident is not None
        wanted, texts = letter.body["revision"], letter.body["texts"]
        with self._store.reading() as tx:
            place = tx.by_key(letter.incident)
            receipts = tx.receipts(letter.incident)
            found = tx.revision(letter.incident, wanted) or tx.latest_revision(letter.incident)
        assert place is not None
        late: list[Undelivered] = []
        for name, receipt in receipts.items():
            try:
                if texts and name.startswith(HANDED) and receipt["revision"] < wanted:
                    self._slack.delete_file(receipt["file"])
                    with self._store.writing() as tx:
                        tx.forget_receipt(place.key, name)
                elif texts and name in self._exporters and found and receipt["revision"] >= found.revision:
                    self._exporters[name].scrub(place, receipt)
                elif texts and name in self._exporters:
                    if receipt.get("file"):  # it goes at once; the new one follows
                        self._slack.delete_file(receipt["file"])
                    late.append(Undelivered("the document without the text is not written yet"))
            except Undelivered as failure:
                late.append(failure)
        if found:
            try:
                one = self._documents.at(place.key, found.upto, found.revision)
                self._bring_up_to_date(one, found.revision, self._shares(place.key))
            except Undelivered as failure:
                late.append(failure)
        if texts:  # names of files, which come from titles, stood in receipts
            with self._store.writing() as tx:
                tx.wipe()
        if late:
            raise next((one for one in late if not one.permanent), late[0])

    def _show_draft(self, letter: Letter) -> None:
        assert letter.incident is not None
        with self._store.reading() as tx:
            found = tx.latest_revision(letter.incident)
        upto = letter.body["upto"]
        revision = found.revision if found and found.upto == upto else WORKING_COPY
        body, template = letter.body, letter.body.get("template", "default")
        try:
            one = self._documents.at(letter.incident, upto, revision, template=template)
        except Refusal as refusal:  # a template of their own
            self._say_no(letter, refusal)
            return
        for message in self._wording.looked_at(one.page):
            self._slack.whisper(body["channel"], body["user"], message)
        if "approve" in body:
            message = self._wording.to_approve(one.place.name, body["approve"], body["standing"])
            self._slack.whisper(body["channel"], body["user"], message)

    def _say_no(self, letter: Letter, refusal: Refusal) -> None:
        """Tells the one who asked, and nobody else, why there is no document."""
        message = self._wording.message(Refused(refusal.message, refusal.hint))
        self._slack.whisper(letter.body["channel"], letter.body["user"], message)

    def _hand_over(self, letter: Letter) -> None:
        """`export`: the file comes to the person in a direct message."""
        try:
            one, revision = self._as_it_stands(letter)
        except Refusal as refusal:  # a template of their own
            self._say_no(letter, refusal)
            return
        channel = self._slack.direct(letter.body["user"])
        form = letter.body["format"]
        name, content = {
            "md": (one.called.document, one.page.document),
            "html": (one.called.html, one.page.html),
            "json": (one.called.json, one.page.json),
            "csv": (one.called.csv, one.page.csv),
        }[form]
        title = f"{one.place.name} {one.place.title}"[:200]
        shared = self._slack.upload(channel, name=name, title=title, content=content)
        if self._destroyed_since(one):
            self._slack.delete_file(shared.file)
            raise Undelivered("a text of it was destroyed meanwhile")
        with self._store.writing() as tx:
            tx.keep_receipt(one.place, f"{HANDED}{shared.file}", revision, {"file": shared.file})

    def _as_it_stands(self, letter: Letter) -> tuple[Any, int]:
        """The document now, as a revision: what leaves under a number never says something else later.

        What customers read is the document as it was approved.
        """
        assert letter.incident is not None
        with self._store.writing() as tx:
            place = tx.by_key(letter.incident)
            assert place is not None
            revision, _ = tx.revise(place, place.seq)
            tx.pin(place.key, revision)
            found = tx.revision(place.key, revision)
            assert found is not None
        template = letter.body.get("template", "default")
        if "approved" in letter.body:
            return self._documents.at(place.key, letter.body["approved"], WORKING_COPY, template=template), revision
        also = (letter.body["format"],) if letter.body.get("format") in ("html", "csv") else ()
        return self._documents.at(place.key, found.upto, revision, template=template, also=also), revision


def _link(receipts: Mapping[str, JSON]) -> str:
    """The links that a post shows now, to see when others take their place."""
    return " ".join(str(receipts[name].get("link", "")) for name in sorted(receipts) if name != "post")


def _discard(letter: Letter, file: str) -> list[Letter]:
    """A file in Slack that another one replaced goes by a letter of its own: it is tried until it is gone."""
    return [replace(letter, kind="discard", body={"file": file}, blocking=False, about="")] if file else []
