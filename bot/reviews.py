"""What a review brings with it: its agenda in the draft's thread, who is told, a reminder, and what the post says.

Knows when each of these is due and where it stands. Must not know how it reads, nor SQL. Whom a direct message would
wake is told in the morning (see core.nudges).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core import events as ev
from bot.core import review, times
from bot.core.agenda import Agenda, agenda, remind_at
from bot.core.errors import Refusal, Undelivered
from bot.core.home import people_of
from bot.core.incident import Incident, Stage, Status
from bot.core.nudges import quiet_until
from bot.core.record import JSON, MUST, Letter, Person, Place, Revision, fingerprint
from bot.core.wording import Wording

AGENDA, POST, TOLD, SOON = "agenda", "post_anew", "review_told", "review_soon"
SECTION = "section"
"""The letter that brings a section's text into the form in which it is rewritten."""

WORKING_COPY = 0
"""The revision of a document that is only looked at."""

PACE = timedelta(seconds=3)
"""The agenda is brought up to date at most so often."""

LIFE = (ev.ReviewCalled, ev.Approved, ev.Published, ev.Undone, ev.WordsDestroyed)
"""What the post says without a new revision of the document."""

log = logging.getLogger("scribe.reviews")


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def people(self, keys: Iterable[str]) -> dict[str, Person]: ...
    def receipts(self, incident: int) -> dict[str, JSON]: ...
    def revision(self, incident: int, revision: int) -> Revision | None: ...
    def waiting_about(self, about: str) -> Letter | None: ...


class Store(Protocol):
    """Where it is kept what stands where."""

    def writing(self) -> AbstractContextManager[Any]: ...
    def reading(self) -> AbstractContextManager[Any]: ...


class Documents(Protocol):
    """Where documents are composed (see documents.py)."""

    def at(self, incident: int, upto: int, revision: int) -> Any: ...


class Outbox(Protocol):
    """How a message leaves (see outbox.py)."""

    def post(
        self, letter: Letter, channel: str, message: JSON, key: str, *, thread: str = "", look: bool = False
    ) -> str: ...
    def edited(self, channel: str, ts: str, message: JSON) -> bool: ...


class Slack(Protocol):
    """What else leaves for Slack (see slack/client.py)."""

    def direct(self, user: str) -> str: ...
    def change_form(self, view_id: str, view: Mapping[str, Any], timeout: float | None = None) -> object: ...


class Words(Protocol):
    """How it reads (see slack/review.py and slack/blocks.py)."""

    def agenda(self, a: Agenda, people: Mapping[str, Person], prefix: str) -> JSON: ...
    def no_agenda(self, place: Place) -> JSON: ...
    def told(self, a: Agenda, to: Person, people: Mapping[str, Person], *, soon: bool) -> JSON: ...


Draft = Callable[[Any, Mapping[str, JSON]], JSON]
"""The post of a document (see blocks.draft)."""

SectionForm = Callable[[Mapping[str, Any], Incident, str, str, int, str], JSON]
"""The form with a section in it (see slack/forms/section.py)."""

Standing = Callable[[int, Callable[[Any, Place, Incident], Any]], Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A review as it stands: the agenda (None where none is asked for), its people, where things stand."""

    place: Place
    agenda: Agenda | None
    people: Mapping[str, Person]
    receipts: Mapping[str, JSON]
    called: int
    over: bool
    life: str
    stage: str
    status: Status


class Reviews:
    """Reviews of all incidents. `zone` counts where a person's own is not known, `prefix` is how the command is called;
    `shown` picks the receipts that a post may tell of."""

    def __init__(
        self,
        store: Store,
        standing: Standing,
        outbox: Outbox,
        slack: Slack,
        documents: Documents,
        clock: Callable[[], datetime],
        wording: Words,
        draft: Draft,
        section_form: SectionForm,
        *,
        zone: str,
        prefix: str,
        shown: frozenset[str],
    ) -> None:
        self._store = store
        self._standing = standing
        self._outbox = outbox
        self._slack = slack
        self._documents = documents
        self._clock = clock
        self._wording = wording
        self._draft = draft
        self._section_form = section_form
        self._zone = zone
        self._prefix = prefix
        self._shown = shown

    # ---- what is due -----------------------------------------------------------------------------

    def follow(
        self, tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: datetime
    ) -> Iterable[Letter]:
        """What leaves because of these events."""
        for one in happened:
            if isinstance(one, ev.ReviewCalled):
                yield from self._tell(tx, place, incident, one, now)
        destroyed = any(isinstance(one, ev.Redacted | ev.WordsDestroyed) for one in happened)
        if incident.review is None and not destroyed and not any(isinstance(one, LIFE) for one in happened):
            return
        receipts = tx.receipts(place.key)
        if "post" in receipts and any(isinstance(one, LIFE) for one in happened):
            yield _letter(POST, place, now, place.key)
        if AGENDA in receipts or (incident.review is not None and "post" in receipts):
            yield from self._agenda_due(tx, place, receipts, now, must=destroyed)

    def posted(self, letter: Letter) -> Sequence[Letter]:
        """A draft was posted: the agenda of a review that was asked for before follows it."""
        seen = self._seen(letter.incident or 0)
        if seen is None or seen.agenda is None or "post" not in seen.receipts:
            return ()
        with self._store.reading() as tx:
            return list(self._agenda_due(tx, seen.place, seen.receipts, self._clock(), must=False))

    def _agenda_due(
        self, tx: Reading, place: Place, receipts: Mapping[str, JSON], now: datetime, *, must: bool
    ) -> Iterable[Letter]:
        due = now + PACE if receipts.get(AGENDA, {}).get("ts") else now
        letter = _letter(AGENDA, place, due, place.key, must=must)
        there = tx.waiting_about(letter.about)
        if there is None or there.due_at > due or must:
            yield letter

    def _tell(
        self, tx: Reading, place: Place, incident: Incident, called: ev.ReviewCalled, now: datetime
    ) -> Iterable[Letter]:
        """The letters to those who shall come, and the timer that reminds the one who leads it."""
        people = tx.people({called.person, called.by, *called.asked})
        told = [key for key in dict.fromkeys((called.person, *called.asked)) if key in people and key != called.by]
        for key in told:
            yield self._personal(TOLD, place, incident, people[key], quiet_until(now, self._zone_of(people[key])))
        leads = people.get(called.person) or people.get(called.by)
        if leads is not None and called.held_at is not None:
            at = remind_at(called.held_at, self._zone_of(leads), now)
            if at is not None:
                yield self._personal(SOON, place, incident, leads, at)

    def _personal(self, kind: str, place: Place, incident: Incident, person: Person, due: datetime) -> Letter:
        # Without an incident of its own: `status` and `resend` are not about timers. The newest call counts.
        about = f"{kind}/{place.key}" if kind == SOON else f"{kind}/{place.key}/{person.key}"
        body = {"incident": place.key, "person": person.key, "user": person.user, "called": _called(incident)}
        return Letter(kind, place.team, f"{place.team}/{person.user}", body, due, blocking=False, about=about)

    def _zone_of(self, person: Person) -> str:
        return times.known_zone(person.zone, self._zone)

    # ---- in the channel --------------------------------------------------------------------------

    def send_agenda(self, letter: Letter) -> Sequence[Letter]:
        """Posts the agenda in the draft's thread, or brings it up to date."""
        seen = self._seen(letter.incident or 0)
        post = seen.receipts.get("post") if seen else None
        if seen is None or post is None:
            return ()
        kept = dict(seen.receipts.get(AGENDA, {}))
        kept.pop("revision", None)
        if kept.get("thread") != post["ts"]:  # the draft was posted anew
            kept = {}
        if seen.agenda is None and not kept:
            return ()
        message = (
            self._wording.agenda(seen.agenda, seen.people, self._prefix)
            if seen.agenda
            else self._wording.no_agenda(seen.place)
        )
        said = fingerprint(message)
        if kept.get("said") == said:
            return ()
        if not kept.get("ts") or not self._outbox.edited(kept["channel"], kept["ts"], message):
            if kept.get("ts") or seen.agenda is None or seen.over:
                if not kept.get("ts"):
                    return ()
                kept = {**kept, "said": said}  # somebody deleted it: it stays away
                return self._keep(seen.place, kept)
            key = f"{seen.place.name}-agenda"
            look = "thread" in seen.receipts.get(AGENDA, {})
            ts = self._outbox.post(letter, post["channel"], message, key, thread=post["ts"], look=look)
            kept = {"channel": post["channel"], "thread": post["ts"], "ts": ts}
        return self._keep(seen.place, {**kept, "said": said})

    def _keep(self, place: Place, kept: JSON) -> Sequence[Letter]:
        with self._store.writing() as tx:
            tx.keep_receipt(place, AGENDA, 0, kept)
        return ()

    def edit_post(self, letter: Letter) -> Sequence[Letter]:
        """Has the draft's post say who approved and published it, before the next revision of the document does."""
        seen = self._seen(letter.incident or 0)
        post = seen.receipts.get("post") if seen else None
        if seen is None or post is None or seen.status is not Status.RESOLVED:
            return ()
        with self._store.reading() as tx:
            found = tx.revision(seen.place.key, post["revision"])
        if found is None:
            return ()
        page = self._documents.at(seen.place.key, found.upto, found.revision).page
        digest = replace(page.digest, life=seen.life, stage=seen.stage)
        receipts = {name: one for name, one in seen.receipts.items() if name in self._shown}
        self._outbox.edited(post["channel"], post["ts"], self._draft(digest, receipts))
        return ()

    # ---- a section to rewrite --------------------------------------------------------------------

    def fill(self, letter: Letter) -> Sequence[Letter]:
        """Brings a section's text into its form; a form that was closed meanwhile is let be."""
        key, section, about = letter.incident or 0, letter.body["section"], letter.body["about"]

        def read(tx: Reading, place: Place, incident: Incident) -> tuple[int, bool]:
            return incident.seq, section in incident.sections

        base, written = self._standing(key, read) or (0, False)
        if not base:
            return ()
        document = ""
        if not written:
            try:
                document = self._documents.at(key, base, WORKING_COPY).page.document.decode()
            except Refusal as refusal:  # a template of their own
                log.info("a section cannot be composed: %s", refusal)

        def made(tx: Reading, place: Place, incident: Incident) -> JSON:
            by = incident.sections[section].by if section in incident.sections else ""
            name = person.name if (person := tx.people([by]).get(by)) else "somebody"
            return self._section_form(about, incident, section, document, base, name)

        try:
            self._slack.change_form(letter.body["view"], self._standing(key, made))
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.info("a form was closed before its text came: %s", failure.message)
        return ()

    # ---- to people -------------------------------------------------------------------------------

    def tell(self, letter: Letter) -> Sequence[Letter]:
        """Tells somebody of a review in a direct message: that they are asked to it, or that it is tomorrow."""
        body, soon, now = letter.body, letter.kind == SOON, self._clock()
        seen = self._seen(body["incident"])
        to = seen.people.get(body["person"]) if seen else None
        if seen is None or seen.agenda is None or to is None or seen.called != body["called"] or seen.over:
            return ()
        held_at = seen.agenda.held_at
        if held_at is not None and held_at <= now:
            return ()
        later = quiet_until(now, self._zone_of(to))  # after an outage, at night
        if soon and held_at is not None:  # their zone may have been learned since
            later = max(later, remind_at(held_at, self._zone_of(to), now) or later)
        if later > now:
            return (replace(letter, due_at=later, attempts=0, unsure=False),)
        if letter.unsure:  # in a direct message nothing can be looked for: rather none than two
            return ()
        message = self._wording.told(seen.agenda, to, seen.people, soon=soon)
        try:
            channel = self._slack.direct(to.user)
            self._outbox.post(letter, channel, message, f"{seen.place.name}-{letter.kind}-{seen.called}-{to.key}")
        except Undelivered as failure:
            if not failure.permanent:
                raise
            log.info("the review of %s is told to %s no further: %s", seen.place.name, to.key, failure.message)
        return ()

    def _seen(self, incident: int) -> Seen | None:
        found: Seen | None = self._standing(incident, _read)
        return found


class Wanted:
    """Hears which section somebody wants to rewrite. Its text comes by letter: the press composes it."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def section(self, team: str, incident: int, view: str, section: str, about: Mapping[str, Any]) -> None:
        """Has the text of a section brought into the form `view`, which remembers `about`."""
        lane = f"{team}/{view}"
        body = {"view": view, "section": section, "about": dict(about)}
        letter = Letter(SECTION, team, lane, body, self._clock(), incident, blocking=False, about=f"{SECTION}/{lane}")
        with self._store.writing() as tx:
            tx.enqueue([letter])


def _read(tx: Reading, place: Place, incident: Incident) -> Seen:
    people = tx.people({key for one in incident.happened for key in people_of(one)})
    names = {key: person.name for key, person in people.items()}
    over = incident.stage is Stage.PUBLISHED or incident.status in {Status.CANCELLED, Status.DUPLICATE}
    return Seen(
        place=place,
        agenda=agenda(place, incident, names),
        people=people,
        receipts=tx.receipts(place.key),
        called=_called(incident),
        over=over,
        life=review.life(Wording(incident, names)),
        stage=incident.stage.value,
        status=incident.status,
    )


def _called(incident: Incident) -> int:
    """Which call for a review counts: its place in the record, 0 for none."""
    return next((seq for seq in range(incident.seq, 0, -1) if incident.happened[seq - 1] is incident.review), 0)


def _letter(kind: str, place: Place, due: datetime, incident: int, *, must: bool = False) -> Letter:
    lane = f"{place.team}/{place.name}/review"
    body: JSON = {MUST: True} if must else {}
    return Letter(kind, place.team, lane, body, due, incident, blocking=False, about=f"{lane}/{kind}")
