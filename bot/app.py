"""The one place that wires rooms together: `create(settings, slack=…, clock=…)`. Only cli and workspace import it.

It decides nothing: it opens the store, hands each room what it needs, and closes everything again.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask
from slack_bolt import App as Bolt
from slack_bolt.authorization import AuthorizeResult
from waitress import wasyncore
from waitress.channel import HTTPChannel

from bot import __version__, attachments, channels, doctor, exporters, home, pages, render, reviews, web
from bot.board import KIND, TIMER, Boards
from bot.capture import CAPTURE, CHOSEN, TOLD, Capture
from bot.channels import Announcements, OwnChannels
from bot.chat import LOOK, PURGE, TAKE, Chat
from bot.core.document import SHAPES, Shape
from bot.core.errors import Refusal, Undelivered, Unrecorded
from bot.core.media import MEGABYTE
from bot.core.postmortem import Options
from bot.core.record import JSON, Letter, Place
from bot.documents import Document, Documents
from bot.health import Health
from bot.home import Homes
from bot.links import Links
from bot.nudges import Nudges, Precedents
from bot.outbox import SENDERS, Outbox
from bot.press import Order, Page, Press, Sheet
from bot.resources import resources
from bot.reviews import Reviews
from bot.scribe import Follower, Rules, Scribe
from bot.server import listen
from bot.settings import Problem, Settings, beside, days_of_tasks, nudge_times, reaction_kinds, secret_beside
from bot.slack import blocks, board, files, listeners, sections, shortcut, suggestions
from bot.slack import capture as messages
from bot.slack import home as home_view
from bot.slack import nudges as reminders
from bot.slack import review as review_wording
from bot.slack import tasks as task_wording
from bot.slack.client import Counted, OverHTTP, Slack, Transport
from bot.slack.forms import section
from bot.slack.hearing import Hearing
from bot.slack.sockets import Sockets
from bot.store import OLDEST_SQLITE, SQLITE, Store
from bot.tasks import KIND as DIGEST
from bot.tasks import Digests

ZONE_TIMEOUT = 1.5
"""Seconds that the first look-up of a person's zone may take: Slack waits three for the answer."""

GRACE_SECONDS = 6.0
"""How long what is in hand may take after SIGTERM: container platforms send SIGKILL after ten."""

LAST_SECONDS = 9.0
"""After SIGTERM; then the process ends, whatever still keeps it."""

LOOK_AFTER_SECONDS = 5.0
"""So often a disk that took nothing at the start is tried again, and threads are looked after."""

PAGES_KEPT = 32
"""Pages of the web that are kept as they were printed."""

LAST_ROUNDS = 16
"""Turns of the loop in which what has arrived before SIGTERM is still taken in."""

log = logging.getLogger("scribe")


def now() -> datetime:
    """The machine's clock: aware, UTC."""
    return datetime.now(UTC)


def store_at(
    settings: Settings, *, secret: bytes | None = None, randomness: Callable[[int], bytes] = os.urandom
) -> Store:
    """The record on disk, as it is."""
    secret = secret or secret_of(settings)
    return Store(settings.database, migrations=resources("migrations"), secret=secret, randomness=randomness)


def file_at(path: Path, secret: bytes, *, look_only: bool) -> Store:
    """A file with a record in it, wherever it lies."""
    migrations = resources("migrations")
    return Store(path, migrations=migrations, secret=secret, randomness=os.urandom, look_only=look_only)


def record_at(settings: Settings, secret: bytes) -> Store:
    """The record on disk, for one who looks at it beside a `serve`: its schema stays as it is.

    Where this user may not write, or the disk has become one that nobody can write, it is opened to be read.
    """
    path = settings.database
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return file_at(path, secret, look_only=not writable)


def secret_of_backup(settings: Settings, backup: Path, *, must: bool = True) -> bytes:
    """The secret for a backup: that of the settings, the one beside the database, or the one beside the backup.

    Raises Refusal where there is none of them and there `must` be one; else none is b"".
    """
    if settings.secret:
        return settings.secret.encode()
    places = [beside(path) for path in (settings.database, backup) if beside(path).exists()]
    if places:
        return places[0].read_bytes().strip()
    if must:
        raise Refusal(
            f"There is no secret for {backup}: neither {beside(backup)} nor {beside(settings.database)} is there.",
            "Put the one with which it was sealed there, or set SCRIBE_SECRET to it.",
        )
    return b""


def secret_of(settings: Settings, *, anew: bool = False) -> bytes:
    """The secret that seals the record and signs links; it is made before there is anything to seal.

    Raises Refusal where the file with the one that sealed the record is gone; with `anew` another one is made then.
    """
    database, kept = settings.database, beside(settings.database)
    if not (anew or settings.secret or kept.exists()) and database.exists():
        with closing(file_at(database, b"", look_only=True)) as store:
            told = store.is_told()
        if told and not kept.exists():
            raise Refusal(
                f"{kept} is gone, with which {database} was sealed and links were signed.",
                "Put it back from a backup, or set SCRIBE_SECRET to what it held. If it is lost for good: scribe "
                "verify --reseal (docs/operations.md).",
            )
    return secret_beside(database, settings.secret)


def open_store(
    settings: Settings, *, secret: bytes | None = None, randomness: Callable[[int], bytes] = os.urandom
) -> Store:
    """The record on disk, with its schema brought up to date."""
    store = store_at(settings, secret=secret, randomness=randomness)
    store.migrate()
    return store


def examine(
    settings: Settings,
    wrong: Sequence[Problem],
    environment: Mapping[str, str],
    *,
    resend: bool = False,
    clock: Callable[[], datetime] = now,
    machine: doctor.Machine | None = None,
    carry: Callable[[str], Transport] | None = None,
) -> Iterator[doctor.Finding]:
    """Looks an installation over, beside a `serve` that may be running; `carry` makes the way to Slack for a token."""
    carry = carry or (lambda token: OverHTTP(token, settings.api_url, doctor.TIMEOUT))

    def opened(*, look_only: bool) -> Store:
        # Neither looking nor sending again seals anything, so no secret is made where there is none.
        return file_at(settings.database, b"", look_only=look_only)

    def send_again() -> int:
        store = opened(look_only=False)
        try:
            with store.writing() as tx:
                return tx.send_again(clock())
        finally:
            store.close()

    store = opened(look_only=True)
    try:
        yield from doctor.Doctor(
            settings,
            wrong,
            machine=machine or doctor.machine(environment, SQLITE, OLDEST_SQLITE),
            clock=clock,
            store=store,
            slack=Slack(carry(settings.bot_token)),
            sockets=Slack(carry(settings.app_token or "")),
            send_again=send_again if resend else None,
        ).findings()
    finally:
        store.close()


def templates(own: Path | None) -> tuple[str, ...]:
    """The forms in which a document can be asked for; `own` is a folder of one's own."""
    return render.templates(own)


def compose(
    press: Press,
    place: Place,
    stored: Sequence[tuple[str, JSON, JSON | None]],
    names: Mapping[str, str],
    revision: int,
    png: bool = False,
    template: str = "default",
    also: tuple[str, ...] = (),
    *,
    called: exporters.Names | None = None,
    own: Path | None = None,
    kept: attachments.Kept | None = None,
) -> tuple[Page, exporters.Names]:
    """The document of an incident after these events, and how its files are called.

    `also` names formats that are made only when somebody asks for them; `own` is a folder of templates, `kept` where
    images come from that shall be inside a file.
    """
    called = called or exporters.names(place.number, place.title, revision, template)
    shape = SHAPES.get(template, Shape())
    options = Options(
        template=template,
        limit=shape.limit,
        least=shape.least,
        number=place.number,
        revision=revision,
        document=called.document,
        annex=called.annex,
        picture=called.picture,
        files=called.files,
        chain=place.head if len(stored) == place.seq else "",
        messages=f"{place.url.rstrip('/')}/archives/" if place.url else "",
    )
    images = tuple(kept.images(place.key, stored)) if kept is not None and "html" in also else ()
    folder = str(own) if own else ""
    order = Order(tuple(stored), dict(names), options, png, also, templates=folder, images=images)
    page = press.page(order)
    if page.fault:
        log.warning("%s – %s was printed through the template that comes with Scribe", page.fault, place.name)
    return page, called


@dataclass(frozen=True, slots=True)
class App:
    """A running Scribe: its rooms, wired."""

    settings: Settings
    clock: Callable[[], datetime]
    store: Store
    press: Press
    scribe: Scribe
    slack: Slack
    outbox: Outbox
    bolt: Bolt
    web: Flask
    health: Health
    digests: Digests
    attachments: attachments.Attachments
    chat: Chat

    def learn(self) -> bool:
        """Asks Slack, by letter, which workspace the token belongs to; sets what timers an older program did not.

        False where the disk takes no letter now.
        """
        try:
            self.digests.catch_up()
            self.chat.catch_up()
            with self.store.writing() as tx:
                if not tx.letters("waiting", kinds=("learn",)):
                    tx.enqueue([Letter("learn", "", "workspace", {}, self.clock(), blocking=False)])
        except Unrecorded:
            return False
        return True

    def close(self, seconds: float | None = None) -> None:
        """Closes press and store; a document in hand is finished first, in so many seconds at most."""
        self.press.close(seconds)
        self.store.close()


def create(
    settings: Settings,
    *,
    slack: Transport | None = None,
    clock: Callable[[], datetime] = now,
    randomness: Callable[[int], bytes] = os.urandom,
    secret: bytes | None = None,
    press: Press | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> App:
    """Wires an App. `slack` carries Web API calls (HTTP by default); `pause(seconds)` waits between looks at a file."""
    secret = secret or secret_of(settings)
    store = open_store(settings, secret=secret, randomness=randomness)
    incidents, ours = store.seals()
    if incidents and not ours:
        log.warning(
            "%s was sealed with another secret: links that were sent before end, and scribe verify --reseal says how "
            "the record can be sealed with this one",
            settings.database,
        )
    links = Links(secret, settings.public_url or "")
    press = press or Press()
    health = Health(store, settings.database.parent, clock, version=__version__, press_runs=press.runs)
    counts = health.counts
    store.committed = counts.commit
    port = Slack(Counted(slack or OverHTTP(settings.bot_token, settings.api_url), counts.call), pause=pause)

    def zone_of(team: str, user: str) -> tuple[str, str] | None:
        try:
            found = port.person(user, ZONE_TIMEOUT)
        except Undelivered as failure:
            log.info("the zone of a person could not be looked up: %s", failure.message)
            return None
        return (found.name, found.zone) if found.zone else None

    for wrong in render.unreadable(settings.templates):
        log.warning("a template of your own cannot be used: %s", wrong)
    rules = Rules(
        zone=settings.timezone,
        draft_delay=timedelta(seconds=settings.draft_delay),
        authors_only=settings.corrections == "author",
        command=settings.command,
        exports=("link", "file") if settings.public_url else ("file",),
        templates=lambda: templates(settings.templates),
        nudges=nudge_times(settings.nudges)[0],
        task_days=days_of_tasks(settings.task_days)[0],
        keep_chat_days=settings.keep_chat_days,
    )
    scribe = Scribe(store, clock, rules, zone_of)
    captures = _capture(settings, store, clock, scribe, port)
    bolt = _bolt(settings, store, health.request)
    homes = _homes(settings, store, clock, scribe, port, rules)
    chat = Chat(
        store,
        scribe,
        port,
        clock,
        suggestions,
        seen=press.looked_through,
        days=rules.keep_chat_days,
        zone=settings.timezone,
    )
    others = [
        home_view.listening(homes),
        sections.listening(scribe, reviews.Wanted(store, clock)),
        suggestions.listening(chat, scribe, port, settings.command),
    ]
    others.append(lambda app: messages.register(app, captures))
    others.append(lambda app: shortcut.register(app, captures, scribe, port, clock))
    listeners.register(bolt, scribe, port, clock, settings.command, others=others)
    kept = attachments.Kept(store)
    documents = Documents(
        store,
        counts.pressing("document", partial(compose, press, own=settings.templates, kept=kept)),
        lambda: render.stamp(settings.templates),
    )
    outbox = Outbox(
        store,
        clock,
        slack=port,
        documents=documents,
        exporters={
            **({"link": exporters.LinkExporter(scribe.links_revoked, links.url)} if settings.public_url else {}),
            "file": exporters.FileExporter(settings.export_dir, kept),
            "slack_file": exporters.SlackFileExporter(port),
        },
        in_thread=("slack_file",),
        wording=blocks,
        recall=scribe.recall,
        draft_delay=rules.draft_delay,
        jitter=lambda: int.from_bytes(randomness(4), "big") / 2**32,
        pause=pause,
        became=counts.letter,
    )
    _elsewhere(settings, store, clock, scribe, outbox, port)
    _reminding(settings, store, clock, scribe, outbox, port, bolt, rules)
    digests = Digests(
        store,
        scribe.tasks_of,
        outbox,
        port,
        clock,
        task_wording,
        ahead=rules.nudges.get("tasks"),
        days=rules.task_days,
        zone=settings.timezone,
        prefix=settings.command,
    )
    scribe.followers += [digests.follow, homes.follow, chat.follow]
    outbox.also |= {LOOK: chat.look, TAKE: chat.take, PURGE: chat.ring}
    outbox.also |= {home.SHOW: homes.show, home.SPREAD: homes.spread}
    _reviewing(settings, store, clock, scribe, outbox, port, documents)
    for kind in ("arrive", "look", "announce", "export"):
        outbox.then.setdefault(kind, []).append(homes.looked)
    outbox.also[DIGEST] = digests.ring
    limit = settings.file_limit * MEGABYTE
    attached = attachments.Attachments(store, clock, scribe, port, files, limit=limit)
    scribe.followers.append(attached.follow)
    outbox.also |= {attachments.KIND: attached.keep, attachments.TELL: attached.tell}
    captures.files = attached.wanted
    scribe.followers.append(captures.follow)
    outbox.also |= {CAPTURE: captures.take, CHOSEN: captures.choose, TOLD: captures.tell}
    site = web.create(
        bolt=bolt,
        signing_secret=settings.signing_secret,
        clock=clock,
        health=health,
        pages=_pages(links, store, scribe, documents, counts.pressing("page", press.html), kept),
        ready=health.ready,
        metrics=health.metrics,
        count=counts.web,
        public_url=settings.public_url,
    )
    return App(settings, clock, store, press, scribe, port, outbox, bolt, site, health, digests, attached, chat)


def _reviewing(
    settings: Settings,
    store: Store,
    clock: Callable[[], datetime],
    scribe: Scribe,
    outbox: Outbox,
    port: Slack,
    documents: Documents,
) -> None:
    """Reviews: their agendas, who is told, what the draft's post says."""
    review = Reviews(
        store,
        scribe.standing,
        outbox,
        port,
        documents,
        clock,
        review_wording,
        blocks.draft,
        section.filled,
        zone=settings.timezone,
        prefix=settings.command,
        shown=frozenset({"slack_file", "link"} if settings.public_url else {"slack_file"}),
    )
    scribe.followers.append(review.follow)
    outbox.also |= {
        reviews.AGENDA: review.send_agenda,
        reviews.POST: review.edit_post,
        reviews.TOLD: review.tell,
        reviews.SOON: review.tell,
        reviews.SECTION: review.fill,
    }
    outbox.then.setdefault("announce", []).append(review.posted)


def _homes(
    settings: Settings, store: Store, clock: Callable[[], datetime], scribe: Scribe, port: Slack, rules: Rules
) -> Homes:
    """The Home tabs."""
    return Homes(
        store,
        scribe.standing,
        scribe.tasks_of,
        port,
        clock,
        home_view,
        days=rules.task_days,
        zone=settings.timezone,
        prefix=settings.command,
        linked=bool(settings.public_url),
    )


def _capture(settings: Settings, store: Store, clock: Callable[[], datetime], scribe: Scribe, port: Slack) -> Capture:
    """What is taken over from messages."""
    kinds = reaction_kinds(settings.reactions)[0]
    prefix = settings.command
    return Capture(store, clock, scribe, slack=port, reading=messages, wording=messages, kinds=kinds, prefix=prefix)


def _elsewhere(
    settings: Settings, store: Store, clock: Callable[[], datetime], scribe: Scribe, outbox: Outbox, port: Slack
) -> None:
    """Boards, channels of their own and announcements: what they follow, and which letters are theirs."""
    boards = Boards(
        store,
        clock,
        scribe.standing,
        outbox=outbox,
        slack=port,
        wording=board,
        prefix=settings.command,
        waits_for=frozenset({channels.OWN}),
    )
    outbox.also |= {KIND: boards.send, TIMER: boards.send}
    follow: list[Follower] = [boards.follow]
    refresh: list[Callable[[Letter], list[Letter]]] = [boards.refresh]
    if settings.announce_channel:
        where = settings.announce_channel
        announced = Announcements(store, clock, scribe.standing, outbox=outbox, slack=port, wording=board, where=where)
        outbox.also[channels.ANNOUNCEMENT] = announced.send
        outbox.then.setdefault("look", []).append(announced.looked)
        follow.append(announced.follow)
        refresh.append(announced.refresh)
    own = OwnChannels(
        store,
        clock,
        scribe,
        outbox=outbox,
        slack=port,
        wording=board,
        refresh=lambda letter: [following for again in refresh for following in again(letter)],
    )
    outbox.also |= {
        channels.OWN: own.make,
        channels.SETTLE_IN: own.settle_in,
        channels.INVITE: own.ask_in,
        channels.TOPIC: own.change_topic,
        channels.STAYS: own.stay,
    }
    outbox.then.setdefault("look", []).append(own.looked)
    scribe.followers += [*follow, own.follow]
    for kind in ("arrive", "announce", "export"):
        outbox.then.setdefault(kind, []).extend(refresh)


def _reminding(
    settings: Settings,
    store: Store,
    clock: Callable[[], datetime],
    scribe: Scribe,
    outbox: Outbox,
    port: Slack,
    bolt: Bolt,
    rules: Rules,
) -> None:
    """Reminders, and earlier incidents at the start of one."""
    nudges = Nudges(
        store,
        scribe.standing,
        outbox,
        port,
        clock,
        reminders,
        after=rules.nudges,
        zone=settings.timezone,
        prefix=settings.command,
    )
    precedents = Precedents(store, scribe.standing, port, clock, reminders)
    scribe.followers += [nudges.follow, precedents.follow]
    outbox.also |= {"nudge": nudges.ring, "similar": precedents.show}
    nudges.listen(bolt)


def _pages(
    links: Links,
    store: Store,
    scribe: Scribe,
    documents: Documents,
    press_page: Callable[[Sheet], bytes],
    kept: attachments.Kept,
) -> Blueprint:
    """The pages behind links, which are there without a public URL too: it may have been taken out of the settings."""

    def is_taken_back(team: str, number: int, generation: int) -> bool:
        with store.reading() as tx:
            place = tx.by_number(team, number)
        return place is not None and scribe.links_revoked(place.key) != generation

    printed = lru_cache(maxsize=PAGES_KEPT)(press_page)

    def html(one: Document, timeline: bool) -> bytes:
        digest, called = one.page.digest, one.called
        frame = render.Frame(
            number=digest.number,
            title=digest.title,
            stage=digest.stage,
            revision=digest.revision,
            entries=digest.entries,
            document=called.document,
            annex=called.annex,
            picture=called.picture,
            files=called.files,
            timeline=timeline,
            words=digest.words,
        )
        return printed(Sheet(one.page.annex if timeline else one.page.document, frame))

    return pages.create(
        read=links.read,
        behind=scribe.behind_link,
        is_taken_back=is_taken_back,
        document=documents.at,
        content=kept.content,
        html=html,
        notice=render.notice,
        style=render.style(),
    )


def _bolt(settings: Settings, store: Store, became: Callable[[str, str, float], None]) -> Bolt:
    def authorize(enterprise_id: str | None, team_id: str | None, **_: Any) -> AuthorizeResult:
        """Who we are in that workspace, from the database: Slack may be away (DESIGN.md, invariant 3).

        Raises Refusal where it is another workspace than ours.
        """
        team = team_id or ""
        with store.reading() as tx:
            found = tx.installation(team)
            others = tx.installations() if found is None else []
        if others:
            log.warning("a request of workspace %s was refused: the bot token belongs to %s", team, others[0].team)
            # Not None for "nobody is authorised": then Bolt itself calls Slack back while Slack waits.
            raise Refusal("This Scribe belongs to another workspace. Nothing was recorded.")
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team,
            bot_token=settings.bot_token,
            bot_id=found.bot_id if found else None,
            bot_user_id=found.bot_user if found else None,
        )

    quiet = logging.getLogger("scribe.bolt")
    quiet.setLevel(logging.ERROR)
    return Hearing(
        became,
        name=quiet.name,  # at each request Bolt gives the logger of this name the level of the one below
        logger=quiet,
        signing_secret=settings.signing_secret,
        process_before_response=True,
        token_verification_enabled=False,
        authorize=authorize,
        # web.py has checked size, time stamp and signature on the raw bytes, by the clock it was given
        request_verification_enabled=False,
        ssl_check_enabled=False,
    )


# ---- serve ---------------------------------------------------------------------------------------


def serve(app: App, ready: Callable[[str], None]) -> None:
    """Serves HTTP and sends letters until it is told to stop; then finishes what is in hand, within ten seconds.

    SIGTERM, SIGINT and the loss of the terminal stop it; to be told so twice changes nothing. `ready` is called with
    the address once requests are answered. Raises OSError when the address cannot be had.
    """
    stop, told, heeded = threading.Event(), False, []

    def stop_soon(*_: object) -> None:
        """Takes no lock, as stop.set() does: where a second signal comes in the middle of that, nobody gets further."""
        nonlocal told
        told = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup wants it ignored
            signal.signal(number, stop_soon)
            heeded.append(number)
    sockets: dict[int, Any] = {}
    server = _listen(app, sockets)
    learned, look_at = app.learn(), time.monotonic() + LOOK_AFTER_SECONDS
    _take_over(app)
    app.health.senders = tuple(_sender(app, stop, f"outbox-{number}") for number in range(1, SENDERS + 1))
    if app.settings.app_token:
        app.health.sockets = Sockets(app.bolt, app.settings.app_token, app.settings.api_url, app.clock)
        app.health.sockets.start()
    host, port = app.settings.host, getattr(server, "effective_port", app.settings.port)
    ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    while not told:
        wasyncore.loop(timeout=0.2, map=sockets, count=1)
        if time.monotonic() > look_at:
            look_at = time.monotonic() + LOOK_AFTER_SECONDS
            learned = learned or app.learn()  # the disk was full at the start
            _revive(app, stop)
    stop.set()
    log.info("stopping: what is in hand is finished first")
    _finish(app, server, sockets)
    sys.unraisablehook = lambda _: None  # of a signal in this very moment Python would tell on stderr
    for number in heeded:  # when Python ends it puts back what a signal does by itself, and that is to kill
        signal.signal(number, signal.SIG_IGN)


def _sender(app: App, stop: threading.Event, name: str) -> threading.Thread:
    # A daemon: a Slack that does not answer must not keep the process. Its letter is put back, and sent again.
    sender = threading.Thread(target=app.outbox.run, args=(stop,), name=name, daemon=True)
    sender.start()
    return sender


def _revive(app: App, stop: threading.Event) -> None:
    """Starts another thread in place of one that sends and died; what killed it stands in the log."""
    senders = app.health.senders
    if all(one.is_alive() for one in senders):
        return
    for dead in (one for one in senders if not one.is_alive()):
        log.error("the thread %s had died and is started again", dead.name)
        app.health.counts.revived()
    app.health.senders = tuple(one if one.is_alive() else _sender(app, stop, one.name) for one in senders)


def _take_over(app: App) -> None:
    """Takes what a process had in hand that was killed, so that nobody waits for its leases."""

    def alone() -> None:
        if count := app.outbox.take_over():
            log.info("letters that were in hand when Scribe was killed are taken again: %d", count)

    try:
        app.store.serves_alone(alone)
    except Unrecorded:
        log.warning("the disk takes nothing: letters in hand wait until their leases run out")


def _finish(app: App, server: Any, sockets: dict[int, Any]) -> None:
    """Answers what has come, over both ways, sends what is in hand, and closes everything."""
    until = time.monotonic() + GRACE_SECONDS
    threading.Thread(target=_end_all_the_same, args=(LAST_SECONDS,), name="last", daemon=True).start()
    app.health.stopping = True
    ending = [threading.Thread(target=one.close, daemon=True) for one in [app.health.sockets] if one is not None]
    for thread in ending:
        thread.start()
    wasyncore.loop(timeout=0, map=sockets, count=LAST_ROUNDS)
    for listening in [one for one in list(sockets.values()) if getattr(one, "accepting", False)]:
        # Not its own close(): that closes the pipe by which the threads wake this one, and their next byte then goes
        # into whichever file has taken the pipe's number.
        wasyncore.dispatcher.close(listening)
    while any(_busy(one) for one in list(sockets.values())) and time.monotonic() < until:
        wasyncore.loop(timeout=0.05, map=sockets, count=1)
    for thread in (*ending, *app.health.senders):
        thread.join(timeout=max(0.0, until - time.monotonic()))
    try:
        if count := app.outbox.put_back():
            log.warning("letters that took too long are sent after the next start: %d", count)
    except Unrecorded:
        log.warning("the disk takes nothing: letters in hand wait until their leases run out")
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
    if not server.task_dispatcher.threads:  # one that still runs would write into that pipe
        wasyncore.close_all(sockets)
    app.close(max(0.0, until - time.monotonic()))


def _end_all_the_same(seconds: float) -> None:
    """Ends the process where something keeps it that cannot be ended: all that was answered is on disk."""
    time.sleep(seconds)
    log.warning("stopping took too long: what is not finished is taken up after the next start")
    logging.shutdown()
    os._exit(0)


def _listen(app: App, sockets: dict[int, Any]) -> Any:
    """The HTTP server, listening; raises OSError when the address cannot be had."""
    given = app.settings
    return listen(
        app.web,
        given.host,
        given.port,
        sockets,
        max_body=web.MAX_BODY,
        headers=web.headers(given.public_url),
    )


def _busy(one: Any) -> bool:
    """Whether a connection has a request that is not answered, or an answer that is not sent."""
    return isinstance(one, HTTPChannel) and bool(one.requests or one.request or one.total_outbufs_len)
