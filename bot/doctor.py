"""What is wrong with an installation, and what to do about it: the findings of `scribe doctor`.

Knows what Scribe needs in order to work: settings, a sound database on a disk that lasts, a token with its scopes, a
way to Slack and back, a right clock, nothing left undelivered. It looks and changes nothing, but that on request it
puts undelivered letters back into the outbox. Must not know SQL, Slack's JSON, or how findings are printed; and never
says a token or a secret.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.core.errors import Undelivered
from bot.core.record import TIMERS, Channel, Installation, Letter, Place
from bot.core.times import duration
from bot.outbox import FIRST_PAUSE, LONGEST_PAUSE
from bot.resources import resources
from bot.settings import SHORTEST_SECRET, TABLE, Problem, Settings

TIMEOUT = 5.0
"""Seconds that each question to the outside may take: somebody waits for the answer."""

MB = 1024 * 1024
LITTLE_SPACE, NO_SPACE = 200 * MB, 20 * MB
SKEW_WARNING, SKEW_PROBLEM = timedelta(seconds=60), timedelta(seconds=300)
"""By the second Slack's requests are refused (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
LONG_WAIT = timedelta(minutes=10)
MOST_CHANNELS = 25
"""So many channels are asked about: Slack allows about fifty questions a minute, and `serve` has some of its own."""

IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}
IN_CONTAINER = {"overlay", "aufs", "fuse.fuse-overlayfs"}
OVER_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.gcsfuse", "fuse.s3fs"}
"""Kinds of file systems, as Linux names them (https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html)."""

WITHOUT_VOLUMES = "DYNO"
PLATFORMS = {
    WITHOUT_VOLUMES: "Heroku",
    "K_SERVICE": "Cloud Run",
    "RENDER": "Render",
    "FLY_APP_NAME": "Fly.io",
    "RAILWAY_PROJECT_ID": "Railway",
}
"""What a platform sets in the environment of its programs, and its name."""

SECRETS = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SCRIBE_SECRET")
TOKEN_LIKE = re.compile(r"\bx(?:ox[a-z.]{1,4}|app)-[\w-]{6,}|(?<=://)[^/@\s]+(?=@)")

STOPS: dict[str, str] = {
    "app_mentions:read": "“@Scribe note …” in a thread is not heard",
    "bookmarks:write": "nothing can be bookmarked in a channel",
    "channels:history": "in public channels a post is not found again after a broken connection, and may stand twice",
    "channels:join": "Scribe has to be invited to public channels too",
    "channels:manage": "“start … in new channel” cannot open one",
    "channels:read": "public channels cannot be looked up: their incidents count as private",
    "chat:write": "nothing can be posted, neither answers nor drafts",
    "commands": "slash commands and shortcuts do not reach Scribe",
    "files:read": "the link to an uploaded draft cannot be found out, and no file of a message can be kept",
    "files:write": "the draft's Markdown and picture cannot be uploaded",
    "groups:history": "as channels:history, for private channels",
    "groups:read": "private channels cannot be looked up",
    "im:write": "nobody can be written to directly",
    "pins:read": "pinned messages are not noticed",
    "pins:write": "nothing can be pinned",
    "reactions:read": "messages marked by a reaction are not noticed",
    "users:read": "names and time zones of people stay unknown",
}
"""What stops working without a scope."""

VITAL = {
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:read",
    "users:read",
}
"""Without these an incident is not recorded, or its draft not delivered, as promised."""


class Level(Enum):
    """How serious a finding is."""

    OK = "ok"
    UNCHECKED = "not checked"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `about` what, in `words`, each of several things under `details`, and what to do about it."""

    level: Level
    about: str
    words: str
    remedy: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """What Scribe stands on.

    `mounts` is the text of /proc/self/mountinfo, None where the system has none; `free(folder)` gives bytes; `sqlite`
    and `oldest_sqlite` are versions; `knows_zone(name)` says whether the data of a time zone is there.
    """

    environment: Mapping[str, str]
    sqlite: tuple[int, ...]
    oldest_sqlite: tuple[int, ...]
    mounts: str | None
    free: Callable[[Path], int]
    knows_zone: Callable[[str], bool]


def machine(environment: Mapping[str, str], sqlite: tuple[int, ...], oldest_sqlite: tuple[int, ...]) -> Machine:
    """This machine."""
    try:
        mounts: str | None = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        mounts = None
    return Machine(
        environment,
        sqlite,
        oldest_sqlite,
        mounts,
        lambda folder: shutil.disk_usage(folder).free,
        _knows_zone,
    )


class Checkup(Protocol):
    """What the store says of its file."""

    @property
    def damage(self) -> str: ...
    @property
    def pending(self) -> tuple[str, ...]: ...
    @property
    def newer(self) -> tuple[str, ...]: ...
    @property
    def closed(self) -> bool: ...


class Reading(Protocol):
    """What the store lets us look up."""

    def all_places(self) -> list[Place]: ...
    def installations(self) -> list[Installation]: ...
    def channel(self, team: str, channel: str) -> Channel: ...
    def letters(self, state: str, incident: int | None = None) -> list[tuple[Letter, str]]: ...


class Store(Protocol):
    """The record, opened so that nothing can be written."""

    def check(self) -> Checkup: ...
    def seals(self, secret: bytes) -> tuple[int, int]: ...
    def reading(self) -> AbstractContextManager[Reading]: ...


class Token(Protocol):
    """Whose token it is, and what it may do."""

    @property
    def installation(self) -> Installation: ...
    @property
    def scopes(self) -> frozenset[str] | None: ...


class Slack(Protocol):
    """What Slack is asked (see slack/client.py)."""

    def knock(self) -> datetime | None: ...
    def token(self) -> Token: ...
    def may_connect(self) -> None: ...
    def look_at(self, team: str, channel: str) -> Channel: ...


@dataclass(frozen=True, slots=True)
class Record:
    """What was read from the record, at once, so that no transaction stays open while Slack is asked."""

    places: list[Place]
    installations: list[Installation]
    channels: dict[tuple[str, str], str]
    parked: list[tuple[Letter, str]]
    unsent: list[tuple[Letter, str]]

    def called(self, place: Place) -> str:
        """An incident with its channel: INC-42 in #payments."""
        name = self.channels.get((place.team, place.channel))
        return f"{place.name} in {f'#{name}' if name else place.channel}"


class Doctor:
    """Examines one installation, once.

    `wrong` is what `given` lacks: there the default stands in. `slack` speaks with the bot's token, `sockets` with the
    app's. `send_again` puts parked letters back into the outbox and gives how many; None where nobody asked for it.
    """

    def __init__(
        self,
        given: Settings,
        wrong: Sequence[Problem],
        *,
        machine: Machine,
        clock: Callable[[], datetime],
        store: Store,
        slack: Slack,
        sockets: Slack,
        send_again: Callable[[], int] | None = None,
    ) -> None:
        self._given = given
        self._wrong = wrong
        self._machine = machine
        self._clock = clock
        self._store = store
        self._slack = slack
        self._sockets = sockets
        self._send_again = send_again
        self._record: Record | None = None
        self._writable = False
        self._reached = False
        self._team = ""

    def findings(self) -> Iterator[Finding]:
        """Everything that is looked at, in the order in which one thing needs another."""
        for check in (
            self._settings,
            self._libraries,
            self._database,
            self._disk,
            self._space,
            self._secret,
            self._exports,
            self._reach,
            self._token,
            self._command,
            self._app_token,
            self._signing_secret,
            self._serve,
            self._address,
            self._channels,
            self._letters,
        ):
            yield from map(self._hidden, check())

    def _hidden(self, found: Finding) -> Finding:
        """The finding without what nobody may read: a token that was put into the wrong setting, say."""
        known = [self._machine.environment.get(name, "").strip() for name in SECRETS]

        def hide(text: str) -> str:
            for one in known:
                text = text.replace(one, "…") if len(one) >= SHORTEST_SECRET // 2 else text
            return TOKEN_LIKE.sub("…", text)

        return replace(
            found, words=hide(found.words), remedy=hide(found.remedy), details=tuple(map(hide, found.details))
        )

    # ---- the machine -----------------------------------------------------------------------------

    def _settings(self) -> Iterator[Finding]:
        for one in self._wrong:
            where = f"Where to find it: {one.where}" if "→" in one.where or "://" in one.where else ""
            yield Finding(Level.PROBLEM, "settings", f"{one.name} {one.message}.", where)
        known = [row.name for row in TABLE]
        for name in sorted(self._machine.environment):
            if not name.startswith(("SCRIBE_", "SLACK_")) or name in known:
                continue
            near = difflib.get_close_matches(name, known, 1, 0.85)
            if near or name.startswith("SCRIBE_"):  # SLACK_… may well be another program's
                meant = f"Did you mean {near[0]}?" if near else "README.md lists those that there are."
                yield Finding(Level.WARNING, "settings", f"{name} is set, and there is no such setting.", meant)
        if not self._wrong:
            given = self._given
            ways = [way for way, on in (("Socket Mode", given.app_token), ("HTTP", given.signing_secret)) if on]
            words = f"{' and '.join(ways)}, {given.command}, times in {given.timezone}."
            yield Finding(Level.OK, "settings", words)

    def _libraries(self) -> Iterator[Finding]:
        here, needed = (".".join(map(str, one)) for one in (self._machine.sqlite, self._machine.oldest_sqlite))
        if self._machine.sqlite < self._machine.oldest_sqlite:
            yield Finding(
                Level.PROBLEM,
                "SQLite",
                f"version {here} is too old for the record, which needs {needed}.",
                "Use a Python that comes with a newer SQLite: a newer system or image, or python.org's.",
            )
        else:
            yield Finding(Level.OK, "SQLite", f"version {here}.")
        wanted = sorted({self._given.timezone, "Europe/London", "America/New_York"})
        if missing := [name for name in wanted if not self._machine.knows_zone(name)]:
            yield Finding(
                Level.PROBLEM,
                "time zones",
                f"the time zone data is missing or too small: no {', no '.join(missing)}.",
                "Type pip install tzdata in Scribe's environment.",
            )
        else:
            yield Finding(Level.OK, "time zones", "their data is there.")

    # ---- what is on disk -------------------------------------------------------------------------

    def _database(self) -> Iterator[Finding]:
        path = self._given.database.absolute()
        as_whom = "Run scribe doctor as the user that runs scribe serve."
        if (closed := _closed(path)) is not None:
            yield Finding(Level.PROBLEM, "database", f"this user may not look into {closed}.", as_whom)
        elif not os.path.exists(path):
            yield from self._no_database(path)
        elif path.is_dir():
            yield Finding(
                Level.PROBLEM,
                "database",
                f"{path} is a folder.",
                "Let SCRIBE_DATABASE name a file, as scribe.db in it.",
            )
        elif not os.access(path, os.R_OK):
            yield Finding(Level.PROBLEM, "database", f"this user may not read {path}.", as_whom)
        else:
            yield from self._existing(path)

    def _no_database(self, path: Path) -> Iterator[Finding]:
        if not os.access(_nearest(path.parent), os.W_OK):
            words = f"there is none at {path}, and this user may not make one there."
            remedy = "Let SCRIBE_DATABASE name a file in a folder that Scribe may write, or change the folder's owner."
            yield Finding(Level.PROBLEM, "database", words, remedy)
            return
        yield Finding(
            Level.WARNING,
            "database",
            f"there is none at {path} yet.",
            "scribe serve makes it. If Scribe has recorded before, SCRIBE_DATABASE leads to the wrong place, or the "
            "disk was wiped: scribe restore FILE puts a backup there.",
        )

    def _existing(self, path: Path) -> Iterator[Finding]:
        found = self._store.check()
        self._writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        if found.closed:
            yield Finding(
                Level.PROBLEM,
                "database",
                f"{path} cannot be opened.",
                "Run scribe doctor as the user that runs scribe serve. If it is that one: change the owner of the "
                "file, of those beside it and of their folder.",
            )
            return
        if found.damage:
            yield Finding(
                Level.PROBLEM,
                "database",
                f"{path} is damaged, or no database: {found.damage}.",
                "Stop Scribe, keep a copy of the file and of those beside it, and put a backup in its place: "
                "scribe restore FILE.",
            )
            return
        if found.newer:
            yield Finding(
                Level.PROBLEM,
                "database",
                f"{path} was written by a newer Scribe (it has {', '.join(found.newer)}).",
                "Install that version, or put back the backup from before.",
            )
            return
        if not found.pending:
            self._record = self._read()
        if not self._writable:
            yield Finding(
                Level.PROBLEM,
                "database",
                f"this user may not write {path}, or files beside it: nothing can be recorded.",
                "Run scribe doctor as the user that runs scribe serve. If it is that one: change the owner of the "
                "folder and of what is in it.",
            )
        elif found.pending:
            yield Finding(
                Level.WARNING,
                "database",
                f"the schema of {path} is of an older Scribe ({len(found.pending)} behind).",
                "Type scribe backup FILE, then restart scribe serve, which brings it up to date (scribe migrate does "
                "it too).",
            )
        elif self._record is not None:
            count = len(self._record.places)
            incidents = f"{count} incident" + ("" if count == 1 else "s")
            words = f"{path} is whole, {incidents}. Whether the record was altered, scribe verify says."
            yield Finding(Level.OK, "database", words)

    def _read(self) -> Record:
        with self._store.reading() as tx:
            places = tx.all_places()
            return Record(
                places,
                tx.installations(),
                {(one.team, one.channel): tx.channel(one.team, one.channel).name for one in places},
                tx.letters("parked"),
                [one for one in [*tx.letters("waiting"), *tx.letters("leased")] if one[0].kind not in TIMERS],
            )

    def _disk(self) -> Iterator[Finding]:
        """Whether the disk survives a restart."""
        platform = next((name for name in PLATFORMS if self._machine.environment.get(name)), "")
        remedy = (
            "Mount a volume, and let SCRIBE_DATABASE and SCRIBE_EXPORT_DIR point into it (docs/install.md). Until then "
            "a restart may cost the whole record."
        )
        if self._machine.mounts is None and not platform:
            words = "this system does not say on which disk the record lies, and whether it survives a restart."
            yield Finding(Level.UNCHECKED, "disk", words)
            return
        lying: dict[tuple[str, str], list[str]] = {}
        for what, where in (("the database", self._given.database), ("the postmortems", self._given.export_dir)):
            lying.setdefault(_mount(_nearest(where.absolute()), self._machine.mounts or ""), []).append(what)
        for (point, kind), things in lying.items():
            lie = f"{' and '.join(things)} {'lies' if things == ['the database'] else 'lie'}"
            if kind in IN_MEMORY:
                words = f"{lie} in memory ({kind} at {point}): gone at the next restart."
            elif platform == WITHOUT_VOLUMES or (platform and point in ("/", "")):
                words = f"{lie} on a disk that {PLATFORMS[platform]} wipes at each restart."
            elif kind in IN_CONTAINER:
                words = f"{lie} inside the container itself ({kind} at {point}): gone when it is replaced."
            elif kind in OVER_NETWORK and "the database" in things:
                words = f"{lie} on a network disk ({kind} at {point}), where SQLite's log does not work."
            else:
                yield Finding(Level.OK, "disk", f"{lie} on a disk of this machine ({kind} at {point}).")
                continue
            yield Finding(Level.WARNING, "disk", words, remedy)

    def _space(self) -> Iterator[Finding]:
        free = self._machine.free(_nearest(self._given.database.absolute().parent))
        left = f"{free / (1024 * MB):.0f} GB" if free >= 10 * 1024 * MB else f"{free // MB} MB"
        if free >= LITTLE_SPACE:
            yield Finding(Level.OK, "disk space", f"{left} are free.")
            return
        level = Level.PROBLEM if free < NO_SPACE else Level.WARNING
        words = f"only {left} are free where the database lies: on a full disk nothing can be recorded."
        yield Finding(level, "disk space", words, "Make room, or move Scribe to a larger disk.")

    def _secret(self) -> Iterator[Finding]:
        kept = self._given.database.absolute()
        kept = kept.with_name(kept.name + ".secret")
        restore = "Restore it from the backup, or set SCRIBE_SECRET to what it held."
        if self._given.secret:
            yield self._fits(self._given.secret.encode(), "SCRIBE_SECRET is set.")
        elif _closed(kept) is not None:
            return  # said of the database already
        elif not os.path.exists(kept):
            if self._record is not None and self._record.places:
                words = f"{kept} is gone, with which the record was sealed and links were signed."
                lost = "scribe serve does not start without it. If it is lost for good: scribe verify --reseal."
                yield Finding(Level.PROBLEM, "secret", words, f"{restore} {lost}")
            else:
                yield Finding(Level.OK, "secret", f"is made at the first start, as {kept}.")
        elif not os.access(kept, os.R_OK) or not kept.is_file():
            yield Finding(
                Level.PROBLEM,
                "secret",
                f"this user may not read {kept}.",
                "Run scribe doctor as the user that runs scribe serve, or change the file's owner.",
            )
        elif len(kept.read_bytes().strip()) < SHORTEST_SECRET:
            yield Finding(Level.PROBLEM, "secret", f"{kept} is cut short: scribe serve does not start.", restore)
        elif (mode := stat.S_IMODE(kept.stat().st_mode)) & 0o077:
            words = f"other users of this machine may read {kept} (mode {mode:o})."
            yield Finding(Level.WARNING, "secret", words, f"Type chmod 600 {kept}")
        else:
            yield self._fits(kept.read_bytes().strip(), f"{kept} is there, for its owner only.")

    def _fits(self, secret: bytes, words: str) -> Finding:
        """Whether the record was sealed with this secret."""
        incidents, ours = self._store.seals(secret) if self._record is not None else (0, 0)
        if incidents and not ours:
            return Finding(
                Level.PROBLEM,
                "secret",
                "it is not the one with which the record was sealed and older links were signed.",
                "Put that one back. If it was lost, or changed on purpose: scribe verify --reseal.",
            )
        return Finding(Level.OK, "secret", words)

    def _exports(self) -> Iterator[Finding]:
        folder = self._given.export_dir.absolute()
        near = _nearest(folder)
        if (closed := _closed(folder)) is not None or not near.is_dir() or not os.access(near, os.W_OK | os.X_OK):
            place = closed or near
            yield Finding(
                Level.PROBLEM,
                "postmortems",
                f"nothing can be written into {folder}: "
                + (f"{place} is a file." if place.is_file() else f"this user may not write {place}."),
                "Change the owner of the folder, or let SCRIBE_EXPORT_DIR name another.",
            )
        else:
            there = "can be written" if near == folder else "is made when the first is written"
            yield Finding(Level.OK, "postmortems", f"{folder} {there}.")

    # ---- Slack -----------------------------------------------------------------------------------

    def _reach(self) -> Iterator[Finding]:
        address = self._given.api_url
        through = self._proxy()
        before = self._clock()
        try:
            slacks = self._slack.knock()
        except Undelivered as failure:
            words, remedy = _parted(failure.message)
            remedy = remedy or f"Does this machine reach {urlsplit(address).hostname}? Look at DNS, firewall and proxy"
            yield Finding(Level.PROBLEM, "Slack", f"{address}{through}: {words}.", f"{remedy}.")
            yield Finding(Level.UNCHECKED, "clock", "Slack's answer would tell the time.")
            return
        self._reached = True
        after = self._clock()
        yield Finding(Level.OK, "Slack", f"{address} answers{through}.")
        yield self._skew(slacks, before + (after - before) / 2)

    def _skew(self, slacks: datetime | None, ours: datetime) -> Finding:
        if slacks is None:
            return Finding(Level.UNCHECKED, "clock", "Slack's answer did not tell the time; a proxy may have cut it.")
        ahead = ours - slacks
        skew = abs(ahead)
        if skew <= SKEW_WARNING:
            return Finding(Level.OK, "clock", "agrees with Slack's.")
        words = f"is {duration(skew)} {'ahead of' if ahead > timedelta() else 'behind'} Slack's"
        remedy = "Let NTP set the clock (timedatectl shows it)."
        if skew <= SKEW_PROBLEM:
            return Finding(Level.WARNING, "clock", f"{words}: entries get wrong times.", remedy)
        words += ": entries get wrong times, and over HTTP requests are refused."
        return Finding(Level.PROBLEM, "clock", words, remedy)

    def _proxy(self) -> str:
        """Words for the proxy that the SDK takes from the environment, in its order of names."""
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            if value := self._machine.environment.get(name):
                parts = urlsplit(value if "//" in value else f"//{value}")
                return f" through the proxy {parts.hostname} ({name})" if value.strip() else ""
        return ""

    def _token(self) -> Iterator[Finding]:
        if not self._given.bot_token or not self._reached:
            why = "Slack was not reached." if self._given.bot_token else "SLACK_BOT_TOKEN comes first."
            yield Finding(Level.UNCHECKED, "bot token", why)
            return
        try:
            found = self._slack.token()
        except Undelivered as failure:
            words, remedy = _parted(failure.message)
            yield Finding(Level.PROBLEM, "bot token", f"{words}.", f"{remedy}." if remedy else "")
            return
        team = found.installation
        if not team.bot_id:
            words = "this is a person's token: posts would be theirs."
            remedy = "Set SLACK_BOT_TOKEN to the Bot User OAuth Token (the app's page, OAuth & Permissions)."
            yield Finding(Level.PROBLEM, "bot token", words, remedy)
            return
        self._team = team.team
        if others := self._other_workspaces(team):
            yield Finding(
                Level.PROBLEM,
                "bot token",
                f"it belongs to the workspace {_workspace(team)}, the record to {others}.",
                "Set SLACK_BOT_TOKEN to that of the app in the record's workspace, or SCRIBE_DATABASE to another file: "
                "each workspace needs a record of its own.",
            )
        else:
            yield Finding(Level.OK, "bot token", f"opens the workspace {_workspace(team)}, as bot {team.bot_user}.")
        yield self._scopes(found.scopes)

    def _other_workspaces(self, team: Installation) -> str:
        """The workspaces of the record, where the token's is not among them."""
        if self._record is None:
            return ""
        known = {one.team: _workspace(one) for one in self._record.installations}
        # `serve` learns the token's workspace at its start, so what was recorded counts for more than what is known.
        of_record = {place.team for place in self._record.places} or set(known)
        return "" if not of_record or team.team in of_record else ", ".join(known.get(t, t) for t in sorted(of_record))

    def _scopes(self, granted: frozenset[str] | None) -> Finding:
        if granted is None:
            return Finding(Level.UNCHECKED, "scopes", "Slack's answer did not name them; a proxy may have cut it.")
        wanted = _manifest()["oauth_config"]["scopes"]["bot"]
        missing = [scope for scope in wanted if scope not in granted]
        if not missing:
            return Finding(Level.OK, "scopes", f"all {len(wanted)} of the manifest are granted.")
        return Finding(
            Level.PROBLEM if VITAL & set(missing) else Level.WARNING,
            "scopes",
            f"{len(missing)} of the manifest {'is' if len(missing) == 1 else 'are'} missing:",
            "On the app's page, paste manifest.json under App Manifest, then Install App once more.",
            tuple(f"{scope}: {STOPS.get(scope, 'something does not work')}" for scope in missing),
        )

    def _command(self) -> Iterator[Finding]:
        offered = [one["command"] for one in _manifest()["features"]["slash_commands"]]
        ours = self._given.command
        if ours in offered:
            yield Finding(Level.OK, "command", f"{ours}, as in the manifest.")
        else:
            yield Finding(
                Level.WARNING,
                "command",
                f"SCRIBE_COMMAND is {ours}, and the manifest that comes with Scribe says {', '.join(offered)}.",
                f"See that the app's page lists {ours} under Slash Commands; other commands get no answer.",
            )

    def _app_token(self) -> Iterator[Finding]:
        if not self._given.app_token:
            return
        if not self._reached:
            yield Finding(Level.UNCHECKED, "Socket Mode", "Slack was not reached.")
            return
        where = "the app's page, Basic Information, App-Level Tokens"
        try:
            self._sockets.may_connect()
        except Undelivered as failure:
            if failure.code in ("invalid_auth", "not_authed", "token_revoked", "account_inactive"):
                words, remedy = "Slack does not know the app-level token", f"Set SLACK_APP_TOKEN anew ({where})"
            elif failure.code in ("not_allowed_token_type", "missing_scope", "no_permission"):
                words = "the app-level token lacks the scope connections:write"
                remedy = f"Make one with it, and set SLACK_APP_TOKEN to that ({where})"
            else:
                words, remedy = _parted(failure.message)
                remedy = remedy or "Is Socket Mode switched on in the app?"
            yield Finding(Level.PROBLEM, "Socket Mode", f"{words}.", remedy if remedy.endswith("?") else f"{remedy}.")
        else:
            yield Finding(Level.OK, "Socket Mode", "Slack grants a connection (none was opened).")

    def _signing_secret(self) -> Iterator[Finding]:
        if self._given.signing_secret:
            yield Finding(
                Level.UNCHECKED,
                "signing secret",
                "only a request of Slack's can show whether it is the right one.",
                f"Type {self._given.command} help in Slack. If that fails, look for 401 in the log of your proxy: then "
                "copy the Signing Secret anew.",
            )

    # ---- the way here ----------------------------------------------------------------------------

    def _serve(self) -> Iterator[Finding]:
        """Whether `scribe serve` runs on this machine."""
        host, port = self._given.host, self._given.port
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
        if port == 0:
            yield Finding(Level.UNCHECKED, "serve", "PORT is 0: scribe serve takes a free one, which only it knows.")
            return
        where = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        health = _health(where, direct=True)
        if isinstance(health, str):
            words = f"no scribe serve at {where}: {health}."
            remedy = "While it does not run nothing is recorded or sent: start it, or look into its log."
            yield Finding(Level.WARNING, "serve", words, remedy)
            return
        line = health.get("socket_mode")
        if isinstance(line, dict) and not line.get("connected"):
            words = f"runs at {where}, but has no connection to Slack."
            remedy = "It tries again by itself; its log says why. Until then Slack shows people an error."
            yield Finding(Level.PROBLEM, "serve", words, remedy)
        else:
            connected = " and is connected to Slack" if isinstance(line, dict) else ""
            yield Finding(Level.OK, "serve", f"runs at {where}{connected}.")

    def _address(self) -> Iterator[Finding]:
        address, over_http = self._given.public_url, bool(self._given.signing_secret)
        if address is None:
            if over_http:
                yield Finding(
                    Level.UNCHECKED,
                    "address",
                    "Slack must reach /slack/events of this server from outside, with a valid certificate.",
                    "Set SCRIBE_PUBLIC_URL to its address, and scribe doctor looks whether it answers.",
                )
            else:
                words = "none is needed; links are those of the files in Slack."
                yield Finding(Level.OK, "address", words)
            return
        health = _health(address, direct=False)
        if isinstance(health, str):
            yield Finding(
                Level.WARNING,
                "address",
                f"{address}/healthz does not answer as Scribe does: {health}.",
                "Is scribe serve running, and does the reverse proxy lead to it? Some networks do not let a machine "
                "call itself from outside: then open the address in a browser.",
            )
        else:
            events = f" Slack is to call {address}/slack/events." if over_http else ""
            yield Finding(Level.OK, "address", f"{address} leads to Scribe.{events}")

    # ---- what is due -----------------------------------------------------------------------------

    def _channels(self) -> Iterator[Finding]:
        """The channels in which an incident is told right now."""
        if self._record is None or not self._team:
            why = "the database comes first." if self._record is None else "the bot token comes first."
            yield Finding(Level.UNCHECKED, "channels", why)
            return
        told = [one for one in self._record.places if one.status in ("open", "mitigated") and one.team == self._team]
        told = told[: -MOST_CHANNELS - 1 : -1]  # the newest
        trouble: list[str] = []
        for place in told:
            try:
                found = self._slack.look_at(place.team, place.channel)
            except Undelivered as failure:
                if failure.code != "channel_not_found":  # which is what a private channel looks like from outside
                    words = f"Slack did not say all: {_parted(failure.message)[0]}."
                    yield Finding(Level.UNCHECKED, "channels", words)
                    return
                trouble.append(
                    f"{self._record.called(place)}: Scribe cannot see the channel. Type /invite @Scribe there"
                )
                continue
            if found.archived:
                trouble.append(
                    f"{self._record.called(place)}: the channel is archived. Unarchive it, or go on elsewhere"
                )
            elif not found.member:
                trouble.append(
                    f"{self._record.called(place)}: Scribe is not in the channel. Type /invite @Scribe there"
                )
        if trouble:
            yield Finding(
                Level.WARNING,
                "channels",
                f"{_incidents(len(trouble))} cannot be posted to:",
                "What is recorded there is safe. What waits leaves by itself once Scribe is in the channel.",
                tuple(trouble),
            )
        elif not told:
            yield Finding(Level.OK, "channels", "no incident is open.")
        else:
            yield Finding(
                Level.OK, "channels", f"{_incidents(len(told))}, and Scribe is where {_they(len(told))} told."
            )

    def _letters(self) -> Iterator[Finding]:
        """What was not delivered, and what waits for long."""
        if self._record is None:
            yield Finding(Level.UNCHECKED, "deliveries", "the database comes first.")
            return
        parked = self._record.parked
        if self._send_again is not None and not self._writable:
            yield Finding(Level.PROBLEM, "deliveries", "nothing was put back: this user may not write the database.")
        elif self._send_again is not None:
            count = self._send_again()
            words = f"{_messages(count)} put back into the outbox; scribe serve sends what is there."
            yield Finding(Level.OK, "deliveries", words if count else "there was nothing to put back.")
            parked = []
        if parked:
            yield Finding(
                Level.PROBLEM,
                "deliveries",
                f"{_messages(len(parked))} could not be delivered:",
                f"Put right what it says, then type scribe doctor --resend (or {self._given.command} resend in a "
                "channel, for its incident).",
                tuple(self._by_incident(parked)),
            )
        late = sorted(
            ((waited, error) for letter, error in self._record.unsent if (waited := self._waited(letter)) > LONG_WAIT),
            reverse=True,
        )
        if late:
            error = next((error for _, error in late if error), "")
            if error:
                words, remedy = error, "It is tried again by itself, at least every 15 minutes."
            else:
                words, remedy = "nobody has tried yet.", "Is scribe serve running? It sends them once it does."
            begin = f"{_messages(len(late))} waiting for long, the oldest for {duration(late[0][0])}:"
            yield Finding(Level.WARNING, "deliveries", begin, remedy, (words,))
        elif not parked and self._send_again is None:
            waiting = len(self._record.unsent)
            words = f"everything was delivered{f', {waiting} on the way' if waiting else ''}."
            yield Finding(Level.OK, "deliveries", words)

    def _by_incident(self, letters: Iterable[tuple[Letter, str]]) -> Iterator[str]:
        """A line for each incident and reason: how many letters."""
        assert self._record is not None
        names = {place.key: self._record.called(place) for place in self._record.places}
        counted: dict[tuple[str, str], int] = {}
        for letter, error in letters:
            name = names.get(letter.incident or 0, "not about an incident")
            counted[name, error] = counted.get((name, error), 0) + 1
        for (name, error), count in counted.items():
            yield f"{name}{f' ({count})' if count > 1 else ''}: {error}"

    def _waited(self, letter: Letter) -> timedelta:
        """For about how long a letter has wanted to leave: the pauses after its tries, and what is over its time."""
        pauses = sum(min(FIRST_PAUSE * 2**tried, LONGEST_PAUSE) for tried in range(letter.attempts))
        return timedelta(seconds=pauses) + (self._clock() - letter.due_at)


# ---- pieces --------------------------------------------------------------------------------------


def _knows_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _closed(path: Path) -> Path | None:
    """The first folder on the way to a path that this user may not enter."""
    above = reversed(path.parents)
    return next((one for one in above if os.path.isdir(one) and not os.access(one, os.X_OK)), None)


def _nearest(path: Path) -> Path:
    """The path itself, or the closest folder above it that is there."""
    return next((one for one in (path, *path.parents) if os.path.exists(one)), path)


def _mount(path: Path, mounts: str) -> tuple[str, str]:
    """Where the file system of a path is mounted, and of which kind it is; ("", "") where that is not said."""
    real = path.resolve()
    found = ("", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if len(before.split()) < 5 or not after:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split()[4])
        # The later of two at the same place covers the earlier.
        if real.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, after.split()[0])
    return found


def _health(address: str, *, direct: bool) -> dict[str, Any] | str:
    """What /healthz says at an address; in words why it says nothing of the kind. `direct`: through no proxy."""
    ways = [urllib.request.ProxyHandler({})] if direct else []
    request = urllib.request.Request(f"{address}/healthz", headers={"User-Agent": "scribe-doctor"})  # noqa: S310 - settings.py takes http and https only
    try:
        with urllib.request.build_opener(*ways).open(request, timeout=TIMEOUT) as answer:
            content = answer.read(64 * 1024)
    except urllib.error.HTTPError as refused:
        with refused:
            content = refused.read(64 * 1024)
            status = refused.code
    except (OSError, HTTPException) as broken:
        reason = getattr(broken, "reason", broken)
        if isinstance(reason, TimeoutError):
            return f"no answer within {TIMEOUT:.0f} seconds"
        return str(getattr(reason, "strerror", None) or reason or "the connection broke").lower()
    else:
        status = 200
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    if not isinstance(said, dict) or "status" not in said:
        return f"something else answers (HTTP {status})"
    return said if status == 200 else f"it says that it is not well (HTTP {status})"


def _manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources("manifest.json").read_text(encoding="utf-8"))
    return found


def _parted(message: str) -> tuple[str, str]:
    """What is wrong, and what to do about it, out of the words of an Undelivered; neither ends with a full stop."""
    words, _, remedy = message.rstrip(".").partition(". ")
    return words, remedy


def _workspace(found: Installation) -> str:
    return f"{found.name} ({found.team})" if found.name else found.team


def _incidents(count: int) -> str:
    return "1 open incident" if count == 1 else f"{count} open incidents"


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _they(count: int) -> str:
    return "it is" if count == 1 else "they are"
