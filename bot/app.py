"""The one place that wires rooms together: `create(settings, slack=…, clock=…)`. Only cli and workspace import it.

It decides nothing: it opens the store, hands each room what it needs, and closes everything again.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from waitress.server import create_server

from bot import doctor, exporters, pages, render, web
from bot.core.document import SHAPES, Shape
from bot.core.errors import Undelivered
from bot.core.postmortem import Options
from bot.core.record import JSON, Letter, Place
from bot.documents import Document, Documents
from bot.links import Links
from bot.outbox import SENDERS, Outbox
from bot.press import Order, Page, Press, Sheet
from bot.resources import resources
from bot.scribe import Rules, Scribe
from bot.settings import Problem, Settings, secret_beside
from bot.slack import blocks, listeners
from bot.slack.client import OverHTTP, Slack, Transport
from bot.slack.sockets import Sockets
from bot.store import OLDEST_SQLITE, SQLITE, Store

ZONE_TIMEOUT = 1.5
"""Seconds that the first look-up of a person's zone may take: Slack waits three for the answer."""

GRACE_SECONDS = 7.0
"""How long what is in hand may take after SIGTERM: container platforms send SIGKILL after ten."""

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
    return Store(
        settings.database,
        migrations=resources("migrations"),
        secret=secret or secret_beside(settings.database, settings.secret),
        randomness=randomness,
    )


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
        migrations = resources("migrations")
        return Store(settings.database, migrations=migrations, secret=b"", randomness=os.urandom, look_only=look_only)

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
) -> tuple[Page, exporters.Names]:
    """The document of an incident after these events, and how its files are called.

    `also` names formats that are made only when somebody asks for them; `own` is a folder of templates.
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
        chain=place.head if len(stored) == place.seq else "",
        messages=f"{place.url.rstrip('/')}/archives/" if place.url else "",
    )
    page = press.page(Order(tuple(stored), dict(names), options, png, also, templates=str(own) if own else ""))
    if page.fault:
        log.warning("%s – %s was printed through the template that comes with Scribe", page.fault, place.name)
    return page, called


class Health:
    """What /healthz tells besides that the process is alive."""

    def __init__(self) -> None:
        self.sockets: Sockets | None = None

    def __call__(self) -> dict[str, Any]:
        """The state of Socket Mode, where it is on: connected, and seconds since the last envelope."""
        if self.sockets is None:
            return {}
        age = self.sockets.age()
        seconds = round(age.total_seconds()) if age is not None else None
        return {"socket_mode": {"connected": self.sockets.connected(), "last_envelope_seconds": seconds}}


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

    def learn(self) -> None:
        """Asks Slack, by letter, which workspace the token belongs to."""
        with self.store.writing() as tx:
            if not any(letter.kind == "learn" for letter, _ in tx.letters("waiting")):
                tx.enqueue([Letter("learn", "", "workspace", {}, self.clock(), blocking=False)])

    def close(self) -> None:
        """Closes press and store."""
        self.press.close()
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
    secret = secret or secret_beside(settings.database, settings.secret)
    store = open_store(settings, secret=secret, randomness=randomness)
    links = Links(secret, settings.public_url or "")
    port = Slack(slack or OverHTTP(settings.bot_token, settings.api_url), pause=pause)
    press = press or Press()

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
    )
    scribe = Scribe(store, clock, rules, zone_of)
    bolt = _bolt(settings, store)
    listeners.register(bolt, scribe, port, clock, settings.command)
    documents = Documents(
        store, partial(compose, press, own=settings.templates), lambda: render.stamp(settings.templates)
    )
    outbox = Outbox(
        store,
        clock,
        slack=port,
        documents=documents,
        exporters={
            **({"link": exporters.LinkExporter(scribe.links_revoked, links.url)} if settings.public_url else {}),
            "file": exporters.FileExporter(settings.export_dir),
            "slack_file": exporters.SlackFileExporter(port),
        },
        in_thread=("slack_file",),
        wording=blocks,
        recall=scribe.recall,
        jitter=lambda: int.from_bytes(randomness(4), "big") / 2**32,
        pause=pause,
    )
    health = Health()
    site = web.create(
        bolt=bolt,
        signing_secret=settings.signing_secret,
        clock=clock,
        health=health,
        pages=_pages(links, store, scribe, documents, press),
    )
    return App(settings, clock, store, press, scribe, port, outbox, bolt, site, health)


def _pages(links: Links, store: Store, scribe: Scribe, documents: Documents, press: Press) -> Blueprint:
    """The pages behind links, which are there without a public URL too: it may have been taken out of the settings."""

    def is_taken_back(team: str, number: int, generation: int) -> bool:
        with store.reading() as tx:
            place = tx.by_number(team, number)
        return place is not None and scribe.links_revoked(place.key) != generation

    printed = lru_cache(maxsize=PAGES_KEPT)(press.html)

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
            timeline=timeline,
            words=digest.words,
        )
        return printed(Sheet(one.page.annex if timeline else one.page.document, frame))

    return pages.create(
        read=links.read,
        behind=scribe.behind_link,
        is_taken_back=is_taken_back,
        document=documents.at,
        html=html,
        notice=render.notice,
        style=render.style(),
    )


def _bolt(settings: Settings, store: Store) -> Bolt:
    def authorize(enterprise_id: str | None, team_id: str | None, **_: Any) -> AuthorizeResult | None:
        """Who we are in that workspace, from the database: Slack may be away (DESIGN.md, invariant 3)."""
        team = team_id or ""
        with store.reading() as tx:
            found = tx.installation(team)
            others = tx.installations() if found is None else []
        if others:
            log.warning("a request of workspace %s was refused: the bot token belongs to %s", team, others[0].team)
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team,
            bot_token=settings.bot_token,
            bot_id=found.bot_id if found else None,
            bot_user_id=found.bot_user if found else None,
        )

    quiet = logging.getLogger("scribe.bolt")
    quiet.setLevel(logging.ERROR)
    return Bolt(
        name=quiet.name,  # at each request Bolt gives the logger of this name the level of the one below
        logger=quiet,
        signing_secret=settings.signing_secret,
        process_before_response=True,
        token_verification_enabled=False,
        authorize=authorize,  # type: ignore[arg-type]  # None means that nobody is authorised, as Bolt documents
        # web.py has checked size, time stamp and signature on the raw bytes, by the clock it was given
        request_verification_enabled=False,
        ssl_check_enabled=False,
    )


# ---- serve ---------------------------------------------------------------------------------------


def serve(app: App, ready: Callable[[str], None]) -> None:
    """Serves HTTP and sends letters until SIGTERM or SIGINT; then finishes what is in hand, within ten seconds.

    `ready` is called with the address once requests are answered. Raises OSError when the address cannot be had.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sockets: dict[int, Any] = {}
    server = _listen(app, sockets)
    # Daemons: a Slack that does not answer must not keep the process. The letter's lease runs out; it is sent again.
    senders = [
        threading.Thread(target=app.outbox.run, args=(stop,), name=f"outbox-{number}", daemon=True)
        for number in range(1, SENDERS + 1)
    ]
    app.learn()
    for sender in senders:
        sender.start()
    if app.settings.app_token:
        app.health.sockets = Sockets(app.bolt, app.settings.app_token, app.settings.api_url, app.clock)
        app.health.sockets.start()
    host, port = app.settings.host, getattr(server, "effective_port", app.settings.port)
    ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    while not stop.is_set():
        wasyncore.loop(timeout=0.2, map=sockets, count=1)
    log.info("stopping: what is in hand is finished first")
    until = time.monotonic() + GRACE_SECONDS
    wasyncore.loop(timeout=0, map=sockets, count=LAST_ROUNDS)
    for listening in [one for one in list(sockets.values()) if getattr(one, "accepting", False)]:
        # Not its own close(): that closes the pipe by which the threads wake this one, and their next byte then goes
        # into whichever file has taken the pipe's number.
        wasyncore.dispatcher.close(listening)
    while any(_busy(one) for one in list(sockets.values())) and time.monotonic() < until:
        wasyncore.loop(timeout=0.05, map=sockets, count=1)
    if app.health.sockets is not None:
        app.health.sockets.close()
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
    if not server.task_dispatcher.threads:  # one that still runs would write into that pipe
        wasyncore.close_all(sockets)
    for sender in senders:
        sender.join(timeout=max(0.3, until - time.monotonic()))
    if any(sender.is_alive() for sender in senders):
        log.warning("a letter was in hand for too long; it is sent again after the next start")
    app.close()


def _listen(app: App, sockets: dict[int, Any]) -> Any:
    """The HTTP server, listening; raises OSError when the address cannot be had."""
    given = app.settings
    # Of a reader who hangs up it would tell the address, and in that the token of a link.
    logging.getLogger("waitress").setLevel(logging.WARNING)
    try:
        return create_server(
            app.web,
            map=sockets,
            host=given.host,
            port=given.port,
            threads=8,
            ident=None,
            channel_timeout=60,
            max_request_body_size=web.MAX_BODY + 1,  # it refuses what is as large as this, or larger
        )
    except OSError:
        wasyncore.close_all(sockets)
        raise
    except ValueError as failure:  # waitress's word for a host that has no address
        raise OSError(errno.EADDRNOTAVAIL, "there is no such address") from failure


def _busy(one: Any) -> bool:
    """Whether a connection has a request that is not answered, or an answer that is not sent."""
    return isinstance(one, HTTPChannel) and bool(one.requests or one.request or one.total_outbufs_len)
