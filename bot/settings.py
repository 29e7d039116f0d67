"""The environment -> Settings; all problems are reported at once.

Knows every setting's name, default, meaning and the place where its value is found. Must not know what is done with it,
and reads no environment of its own: the caller hands it in.
"""

from __future__ import annotations

import math
import os
import re
import secrets
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

SHORTEST_SECRET = 16

_INSTALL = "https://api.slack.com/apps → your app → OAuth & Permissions → Bot User OAuth Token"
_CREDENTIALS = "https://api.slack.com/apps → your app → Basic Information → App Credentials → Signing Secret"
_APP_TOKENS = "https://api.slack.com/apps → your app → Basic Information → App-Level Tokens (scope connections:write)"
_YOURS = "your choice"


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the settings table: its name, the field of Settings, the default as shown, what it means, where it is
    found."""

    name: str
    field: str
    default: str
    meaning: str
    where: str = _YOURS


TABLE: tuple[Setting, ...] = (
    Setting("SLACK_BOT_TOKEN", "bot_token", "", "The bot's token, xoxb-…", _INSTALL),
    Setting(
        "SLACK_SIGNING_SECRET",
        "signing_secret",
        "",
        "Turns on HTTP: `/slack/events` takes the requests that are signed with it",
        _CREDENTIALS,
    ),
    Setting(
        "SLACK_APP_TOKEN",
        "app_token",
        "",
        "Turns on Socket Mode, which needs no public address: the app's token, xapp-…",
        _APP_TOKENS,
    ),
    Setting("SLACK_API_URL", "api_url", "https://slack.com/api/", "Slack's Web API, or a stand-in for it"),
    Setting("SCRIBE_DATABASE", "database", "data/scribe.db", "The record"),
    Setting("SCRIBE_EXPORT_DIR", "export_dir", "data/postmortems", "The folder in which postmortems are written"),
    Setting(
        "SCRIBE_PUBLIC_URL",
        "public_url",
        "",
        "Where people reach this server; without it, links are those of the files in Slack",
        "the address that your platform or reverse proxy gives to this server",
    ),
    Setting(
        "SCRIBE_SECRET",
        "secret",
        "",
        "Signs links and the record's head; made and kept beside the database when absent",
        "your choice, at least 16 characters: openssl rand -hex 32",
    ),
    Setting(
        "SCRIBE_TIMEZONE",
        "timezone",
        "UTC",
        "The zone of times typed by people whose own zone is unknown",
        "https://en.wikipedia.org/wiki/List_of_tz_database_time_zones",
    ),
    Setting("SCRIBE_TEMPLATES", "templates", "", "A folder with templates of your own (docs/templates.md)"),
    Setting(
        "SCRIBE_ANNOUNCE_CHANNEL",
        "announce_channel",
        "",
        "A channel that hears of every incident of a public channel",
        "its id: the channel's name in Slack → About, at the bottom",
    ),
    Setting("SCRIBE_DRAFT_DELAY", "draft_delay", "15", "Seconds between `resolve` and the draft"),
    Setting("SCRIBE_COMMAND", "command", "/incident", "The slash command, as in the app's manifest"),
    Setting(
        "SCRIBE_CORRECTIONS",
        "corrections",
        "everybody",
        "Who may correct an entry: `everybody` in the channel, or its `author`",
    ),
    Setting(
        "SCRIBE_KEEP_CHAT_DAYS",
        "keep_chat_days",
        "0",
        "Days for which messages are kept that are written in a channel while an incident is open there, to suggest "
        "entries from; 0 keeps none (docs/suggestions.md)",
    ),
    Setting(
        "SCRIBE_FILE_LIMIT",
        "file_limit",
        "10",
        "Megabytes up to which a file of a captured message is kept (docs/document.md); 0 keeps none",
    ),
    Setting(
        "SCRIBE_REACTIONS",
        "reactions",
        "on",
        "Which reactions add a message to the timeline, and as what (docs/capture.md): `on`, `off`, or what is added "
        "to the usual ones, for example `eyes=note,star=off`",
    ),
    Setting(
        "SCRIBE_NUDGES",
        "nudges",
        "on",
        "Reminders of what is missing (docs/reminders.md): `on`, `off`, or how long each waits, for example "
        "`told=45m,busy=off`",
    ),
    Setting(
        "SCRIBE_TASK_DAYS",
        "task_days",
        "sev1=14,sev2=30,sev3=60,sev4=90,sev5=90,none=30",
        "Days until an action item counts as due where nobody said a date, by severity (`none`: no severity was set), "
        "or `off` (docs/action-items.md)",
    ),
    Setting(
        "SCRIBE_LOG",
        "log",
        "",
        "How the log looks: `json`, or `plain` for people; when absent, plain on a terminal and JSON elsewhere",
    ),
    Setting("PORT", "port", "3000", "The port of the web server; 0 takes a free one", "your platform sets it"),
    Setting("HOST", "host", "127.0.0.1", "The address it listens on; 0.0.0.0 when `PORT` is set"),
)
"""Every setting, in the order in which it is documented."""

_ROWS = {row.name: row for row in TABLE}

NUDGES: dict[str, timedelta] = {
    "commander": timedelta(minutes=5),
    "told": timedelta(minutes=30),
    "busy": timedelta(minutes=15),
    "detection": timedelta(minutes=20),
    "resolve": timedelta(hours=1),
    "facts": timedelta(hours=8),
    "review": timedelta(days=3),
    "tasks": timedelta(days=7),
}
"""How long each reminder waits unless SCRIBE_NUDGES says otherwise; for `tasks`, how long before it is due people hear
of an action item."""

REACTIONS: dict[str, str] = {
    "pushpin": "note",
    "mag_right": "action",
    "mag": "action",
    "bulb": "hypothesis",
    "no_entry_sign": "dead_end",
    "no_entry": "dead_end",
    "rotating_light": "detection",
    "mega": "update",
    "white_check_mark": "mitigation",
    "star": "key",
}
"""What each reaction makes of a message unless SCRIBE_REACTIONS says otherwise: a kind of entry, or `key`, which keeps
its entry in the main document."""

MADE_BY_REACTIONS: dict[str, str] = {
    **{
        kind: kind
        for kind in (
            "note", "action", "hypothesis", "dead_end", "detection", "decision", "escalation", "update", "impact",
            "mitigation", "mitigated", "trigger", "cause", "factor", "fix", "verified", "well", "wrong", "lucky", "key",
        )
    },
    "deadend": "dead_end", "dead-end": "dead_end", "ruledout": "dead_end", "detected": "detection", "told": "update",
    "escalated": "escalation", "decided": "decision", "suspect": "hypothesis", "did": "action", "keep": "key",
}  # fmt: skip
"""What may stand behind the name of a reaction, and what it means."""

_EMOJI = {
    "📌": "pushpin", "🔎": "mag_right", "🔍": "mag", "💡": "bulb", "🚫": "no_entry_sign", "⛔": "no_entry",
    "🚨": "rotating_light", "📣": "mega", "✅": "white_check_mark", "⭐": "star", "👀": "eyes", "🔧": "wrench",
}  # fmt: skip

LONGEST_NUDGE = timedelta(days=30)
LONGEST_TASK_DAYS = 730
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


SECRET = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SCRIBE_SECRET")
"""The settings that must never be shown."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What Scribe was told by its environment. Tokens and secrets do not show in its repr."""

    bot_token: str = field(default="", repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    app_token: str | None = field(default=None, repr=False)
    api_url: str = "https://slack.com/api/"
    database: Path = Path("data/scribe.db")
    export_dir: Path = Path("data/postmortems")
    public_url: str | None = None
    secret: str | None = field(default=None, repr=False)
    timezone: str = "UTC"
    templates: Path | None = None
    announce_channel: str | None = None
    draft_delay: float = 15.0
    command: str = "/incident"
    corrections: Literal["everybody", "author"] = "everybody"
    keep_chat_days: int = 0
    file_limit: int = 10
    reactions: str = "on"
    nudges: str = "on"
    task_days: str = "sev1=14,sev2=30,sev3=60,sev4=90,sev5=90,none=30"
    log: Literal["json", "plain"] | None = None
    port: int = 3000
    host: str = "127.0.0.1"

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(filter(None, (self.bot_token, self.signing_secret, self.app_token, self.secret)))


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting that is missing or wrong, and where its value is found."""

    name: str
    message: str
    where: str

    def __str__(self) -> str:
        return f"{self.name} {self.message} ({self.where})"


class Problems(ValueError):
    """Everything that is wrong with the settings."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def read(environment: Mapping[str, str], *, need_slack: bool = True) -> Settings:
    """Read and check the settings; an empty value counts as absent.

    Without `need_slack` (a replay, an export) what concerns Slack may be missing and is not checked. Raises Problems
    with everything that is wrong.
    """
    reading = _Reading(environment)
    given = reading.text
    if need_slack:
        reading.check_slack()
    settings = Settings(
        bot_token=given("SLACK_BOT_TOKEN") or "",
        signing_secret=given("SLACK_SIGNING_SECRET"),
        app_token=given("SLACK_APP_TOKEN"),
        api_url=(reading.url("SLACK_API_URL") or Settings().api_url).rstrip("/") + "/",
        database=Path(given("SCRIBE_DATABASE") or Settings().database),
        export_dir=Path(given("SCRIBE_EXPORT_DIR") or Settings().export_dir),
        public_url=reading.public_url(),
        secret=reading.secret(),
        timezone=reading.zone(),
        templates=reading.folder("SCRIBE_TEMPLATES"),
        announce_channel=reading.channel(),
        draft_delay=reading.number("SCRIBE_DRAFT_DELAY", 0, 3600),
        command=reading.command(),
        corrections=reading.corrections(),
        keep_chat_days=reading.whole("SCRIBE_KEEP_CHAT_DAYS", 0, 3650),
        file_limit=reading.whole("SCRIBE_FILE_LIMIT", 0, 100),
        reactions=reading.reactions(),
        nudges=reading.nudges(),
        task_days=reading.task_days(),
        log=reading.log(),
        port=reading.whole("PORT", 0, 65535),
        host=given("HOST") or ("0.0.0.0" if given("PORT") else Settings().host),  # noqa: S104 - a platform asks for it
    )
    if reading.problems:
        raise Problems(*reading.problems)
    return settings


def forget(environment: MutableMapping[str, str]) -> None:
    """Take the secrets out of an environment that has been read: processes that are started later inherit it."""
    for name in SECRET:
        environment.pop(name, None)


class _Reading:
    """One pass over the environment, gathering problems. Where a value is wrong, the default stands in for it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[Problem] = []

    def text(self, name: str) -> str | None:
        return self.environment.get(name, "").strip() or None

    def wrong(self, name: str, message: str) -> None:
        self.problems.append(Problem(name, message, _ROWS[name].where))

    def check_slack(self) -> None:
        token, signing, app = map(self.text, ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"))
        if token is None:
            self.wrong("SLACK_BOT_TOKEN", "is missing: without it nothing can be posted")
        elif not token.startswith("xoxb-"):
            kinds = {"xoxp-": "a user's token", "xapp-": "the app-level token", "xoxe": "a token that rotates"}
            kind = next((words for start, words in kinds.items() if token.startswith(start)), "something else")
            self.wrong("SLACK_BOT_TOKEN", f"is {kind}: a bot's token starts with xoxb-")
        if signing is None and app is None:
            self.wrong("SLACK_APP_TOKEN", "is missing: set it for Socket Mode, or SLACK_SIGNING_SECRET for HTTP")
        if signing is not None and not re.fullmatch(r"[0-9a-fA-F]{32}", signing):
            self.wrong("SLACK_SIGNING_SECRET", "is no signing secret: those are 32 characters of 0-9 and a-f")
        if app is not None and not app.startswith("xapp-"):
            kind = "the bot's token" if app.startswith("xoxb-") else "something else"
            self.wrong("SLACK_APP_TOKEN", f"is {kind}: an app-level token starts with xapp-")

    def url(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            fine = False
        if not fine or re.search(r"\s", value):
            self.wrong(name, "is no whole address: it starts with https:// or http://")
            return None
        if parts.query or parts.fragment:
            self.wrong(name, "is an address with ? or #: give it without")
            return None
        return value

    def public_url(self) -> str | None:
        value = self.url("SCRIBE_PUBLIC_URL")
        if value is not None and value.endswith("/"):
            self.wrong("SCRIBE_PUBLIC_URL", f"ends with a slash: give {value.rstrip('/')}")
            return None
        return value

    def secret(self) -> str | None:
        value = self.text("SCRIBE_SECRET")
        if value is not None and len(value) < SHORTEST_SECRET:
            self.wrong("SCRIBE_SECRET", f"is too short: it needs at least {SHORTEST_SECRET} characters")
        return value

    def zone(self) -> str:
        value = self.text("SCRIBE_TIMEZONE") or Settings().timezone
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            self.wrong("SCRIBE_TIMEZONE", f"is no time zone that is known here: {value}. One is Europe/London")
        return value

    def folder(self, name: str) -> Path | None:
        value = self.text(name)
        if value is None:
            return None
        if not Path(value).is_dir():
            self.wrong(name, f"is no folder: {value}")
        return Path(value)

    def channel(self) -> str | None:
        value = self.text("SCRIBE_ANNOUNCE_CHANNEL")
        if value is not None and not re.fullmatch(r"[CG][A-Z0-9]{2,}|#[^\s#A-Z]+", value):
            self.wrong("SCRIBE_ANNOUNCE_CHANNEL", f"is no channel: {value}. Give its id (C0123ABCD) or #its-name")
        return value

    def number(self, name: str, least: int, most: int) -> float:
        value = self.text(name) or _ROWS[name].default
        try:
            found = float(value)
        except ValueError:
            found = math.nan
        if not least <= found <= most:
            self.wrong(name, f"is {value}: it must be a number from {least} to {most}")
            return float(_ROWS[name].default)
        return found

    def whole(self, name: str, least: int, most: int) -> int:
        value = self.text(name) or _ROWS[name].default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            self.wrong(name, f"is {value}: it must be a whole number from {least} to {most}")
            return int(_ROWS[name].default)
        return int(value)

    def command(self) -> str:
        value = self.text("SCRIBE_COMMAND") or Settings().command
        if not re.fullmatch(r"/\S{1,31}", value):
            self.wrong("SCRIBE_COMMAND", f"is {value}: a command starts with / and holds no blanks, as /incident")
        return value

    def reactions(self) -> str:
        value = (self.text("SCRIBE_REACTIONS") or Settings().reactions).casefold()
        for problem in reaction_kinds(value)[1]:
            self.wrong("SCRIBE_REACTIONS", problem)
        return value

    def nudges(self) -> str:
        value = (self.text("SCRIBE_NUDGES") or Settings().nudges).casefold()
        for problem in nudge_times(value)[1]:
            self.wrong("SCRIBE_NUDGES", problem)
        return value

    def task_days(self) -> str:
        value = (self.text("SCRIBE_TASK_DAYS") or Settings().task_days).casefold()
        for problem in days_of_tasks(value)[1]:
            self.wrong("SCRIBE_TASK_DAYS", problem)
        return value

    def corrections(self) -> Literal["everybody", "author"]:
        value = self.text("SCRIBE_CORRECTIONS") or Settings().corrections
        if value not in ("everybody", "author"):
            self.wrong("SCRIBE_CORRECTIONS", f"is {value}: it must be everybody or author")
        return cast(Literal["everybody", "author"], value)

    def log(self) -> Literal["json", "plain"] | None:
        value = self.text("SCRIBE_LOG")
        if value not in (None, "json", "plain"):
            self.wrong("SCRIBE_LOG", f"is {value}: it must be json or plain")
            return None
        return cast(Literal["json", "plain"] | None, value)


def beside(database: Path) -> Path:
    """The file in which the secret of a database is kept, where the settings have none."""
    return database.with_name(database.name + ".secret")


def nudge_times(value: str) -> tuple[dict[str, timedelta], list[str]]:
    """How long each reminder waits by a value of SCRIBE_NUDGES, those that are off left out; and what is wrong."""
    if value in ("on", "off"):
        return (dict(NUDGES) if value == "on" else {}), []
    found, problems = dict(NUDGES), []
    for part in filter(None, re.split(r"[,\s]+", value)):
        name, given, length = part.partition("=")
        said = re.fullmatch(r"([0-9]{1,4})([smhd])", length)
        if name not in NUDGES or not given:
            problems.append(f"has {part}: it must be on, off, or name=time of {', '.join(NUDGES)}")
        elif length in ("0", "off"):
            found.pop(name, None)
        elif said is None or not int(said[1]):
            problems.append(f"has {part}: a time is 90s, 5m, 2h or 3d, and off turns it off")
        elif (time := timedelta(**{_UNITS[said[2]]: int(said[1])})) > LONGEST_NUDGE:
            problems.append(f"has {part}: {LONGEST_NUDGE.days}d is the longest")
        else:
            found[name] = time
    return found, problems


def reaction_kinds(value: str) -> tuple[dict[str, str], list[str]]:
    """What each reaction makes of a message by a value of SCRIBE_REACTIONS, and what is wrong with that value."""
    if value in ("on", "off"):
        return (dict(REACTIONS) if value == "on" else {}), []
    found, problems = dict(REACTIONS), []
    for part in filter(None, re.split(r"[,\s]+", value)):
        name, given, kind = part.rpartition("=")
        name = name.strip(":\ufe0f")
        name = _EMOJI.get(name, name)
        if not given or not re.fullmatch(r"[^\s:()=]{1,100}", name):
            problems.append(f"has {part}: it must be on, off, or reaction=kind, as in eyes=note")
        elif kind == "off":
            found.pop(name, None)
        elif kind not in MADE_BY_REACTIONS:
            problems.append(f"has {part}: the kind is off, or one of {', '.join(sorted(MADE_BY_REACTIONS))}")
        else:
            found[name] = MADE_BY_REACTIONS[kind]
    return found, problems


def days_of_tasks(value: str) -> tuple[dict[int, int], list[str]]:
    """How many days an action item has by a value of SCRIBE_TASK_DAYS, by severity (0: none was set); what is wrong."""
    if value == "off":
        return {}, []
    names = {"none": 0} | {f"sev{severity}": severity for severity in range(1, 6)}
    found: dict[int, int] = {}
    problems: list[str] = []
    for part in filter(None, re.split(r"[,\s]+", value)):
        name, _, days = part.partition("=")
        if name not in names:
            problems.append(f"has {part}: it must be off, or name=days of {', '.join(names)}")
        elif days in ("0", "off"):
            found.pop(names[name], None)
        elif not re.fullmatch(r"[0-9]{1,4}", days) or int(days) > LONGEST_TASK_DAYS:
            problems.append(f"has {part}: the days are a whole number up to {LONGEST_TASK_DAYS}, and off gives none")
        else:
            found[names[name]] = int(days)
    return found, problems


def secret_beside(database: Path, given: str | None) -> bytes:
    """Give the secret that signs: SCRIBE_SECRET (`given`), else what the file `<database>.secret` holds.

    The file is made when it is absent. Processes that start together agree on one, and none ever reads half of it.
    What it holds can be given as SCRIBE_SECRET to the same effect. Raises Problems when it holds none, OSError when it
    cannot be made.
    """
    if given:
        return given.encode()
    kept = beside(database)
    if not kept.exists():
        _make_secret(kept)
    secret = kept.read_bytes().strip()
    if len(secret) < SHORTEST_SECRET:
        raise Problems(
            Problem(
                "SCRIBE_SECRET",
                f"is absent, and {kept} holds none. Restore that file, or delete it: older links then stop working",
                _ROWS["SCRIBE_SECRET"].where,
            )
        )
    return secret


def _make_secret(kept: Path) -> None:
    """Write a secret in full under a name of its own, then link it into place: the first process wins."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = kept.with_name(f"{kept.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, kept)
        except FileExistsError:
            return  # another process was first: its secret counts
    finally:
        draft.unlink(missing_ok=True)
