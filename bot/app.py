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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from slack_bolt import App as Bolt
from slack_bolt.authorization import AuthorizeResult
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server

from bot import exporters, web
from bot.core.errors import Undelivered
from bot.core.postmortem import Options
from bot.core.record import JSON, Letter, Place
from bot.documents import Documents
from bot.outbox import SENDERS, Outbox
from bot.press import Order, Page, Press
from bot.resources import resources
from bot.scribe import Rules, Scribe
from bot.settings import Settings, secret_beside
from bot.slack import blocks, listeners
from bot.slack.client import OverHTTP, Slack, Transport
from bot.slack.sockets import Sockets
from bot.store import Store

ZONE_TIMEOUT = 1.5
"""Seconds that the first look-up of a person's zone may take: Slack waits three for the answer."""

GRACE_SECONDS = 7.0
"""How long what is in hand may take after SIGTERM: container platforms send SIGKILL after ten."""

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


def compose(
    press: Press,
    place: Place,
    stored: Sequence[tuple[str, JSON, JSON | None]],
    names: Mapping[str, str],
    revision: int,
    png: bool = False,
    called: exporters.Names | None = None,
) -> tuple[Page, exporters.Names]:
    """The document of an incident after these events, and how its files are called."""
    called = called or exporters.names(place.number, place.title, revision)
    options = Options(
        number=place.number,
        revision=revision,
        document=called.document,
        annex=called.annex,
        picture=called.picture,
        chain=place.head if len(stored) == place.seq else "",
    )
    return press.page(Order(tuple(stored), dict(names), options, png=png)), called


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
    store = open_store(settings, secret=secret, randomness=randomness)
    port = Slack(slack or OverHTTP(settings.bot_token, settings.api_url), pause=pause)
    press = press or Press()

    def zone_of(team: str, user: str) -> tuple[str, str] | None:
        try:
            found = port.person(user, ZONE_TIMEOUT)
        except Undelivered as failure:
            log.info("the zone of a person could not be looked up: %s", failure.message)
            return None
        return (found.name, found.zone) if found.zone else None

    rules = Rules(
        zone=settings.timezone,
        draft_delay=timedelta(seconds=settings.draft_delay),
        authors_only=settings.corrections == "author",
        command=settings.command,
        keep_chat_days=settings.keep_chat_days,
    )
    scribe = Scribe(store, clock, rules, zone_of)
    bolt = _bolt(settings, store)
    listeners.register(bolt, scribe, port, clock, settings.command)
    documents = Documents(
        store, lambda place, stored, names, revision, png: compose(press, place, stored, names, revision, png)
    )
    outbox = Outbox(
        store,
        clock,
        slack=port,
        documents=documents,
        exporters={
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
    site = web.create(bolt=bolt, signing_secret=settings.signing_secret, clock=clock, health=health)
    return App(settings, clock, store, press, scribe, port, outbox, bolt, site, health)


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
        name="scribe",
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
