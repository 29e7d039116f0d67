"""`scribe doctor` against a Slack workspace over real HTTP: each finding where it is due, none where all is well."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from bot import app, settings
from bot.cli import cli
from bot.doctor import STOPS, VITAL, Finding, Level, Machine, machine
from bot.press import Press
from bot.slack.client import OverHTTP, Reply
from bot.slack.sockets import Sockets
from bot.store import OLDEST_SQLITE, SQLITE
from bot.workspace import Channel
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import SIGNING_SECRET, Stage

ROOT = Path(__file__).resolve().parent.parent
MANIFEST: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))
SCOPES: list[str] = MANIFEST["oauth_config"]["scopes"]["bot"]
HEX = "5e7f1c0d9a8b4c3d2e1f0a9b8c7d6e5f"
NOBODYS_PORT = "9"
"""The discard service, which nobody offers any more: connections are refused."""

Line = tuple[str, str]


@dataclass(frozen=True)
class Looked:
    """What was printed: for each line its level, about what, and the words with what is below them; the exit status."""

    exit_code: int
    lines: tuple[tuple[str, str, str], ...]
    output: str
    last: str

    def of(self, about: str) -> list[Line]:
        """Level and words of everything said about something."""
        return [(level, words) for level, what, words in self.lines if what == about]


def read(output: str, exit_code: int, errors: str) -> Looked:
    lines: list[tuple[str, str, str]] = []
    for line in output.splitlines():
        if found := re.match(r"  (ok|not checked|warning|problem) +(\S.*?)  +(\S.*)$", line):
            lines.append((found[1], found[2], found[3]))
        elif line.startswith(" " * 31):
            level, about, words = lines[-1]
            lines[-1] = level, about, f"{words} {line.strip()}"
    return Looked(exit_code, tuple(lines), output + errors, (errors or output).splitlines()[-1])


class Office:
    """An installation in order: a record with two open incidents, a Slack that is reached over HTTP, a web server."""

    def __init__(self, folder: Path, press: Press) -> None:
        self.folder = folder
        self.stage = Stage(folder / "data", datetime.now(UTC), press=press)
        self.workspace = self.stage.workspace
        self.workspace.scopes = frozenset(SCOPES)
        self.server = WorkspaceServer(self.workspace).start()
        self.site = make_server("127.0.0.1", 0, self.stage.app.web)
        self.thread = threading.Thread(target=self.site.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.ada = self.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
        self.payments = self.opened("payments", "Checkout returns errors")
        self.search = self.opened("search", "Search is slow")
        self.database = folder / "data" / "scribe.db"
        self.secret = folder / "data" / "scribe.db.secret"
        self.secret.touch(mode=0o600)
        self.secret.write_text(SIGNING_SECRET)
        self.settings = {
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_APP_TOKEN": self.workspace.app_token,
            "SLACK_API_URL": self.server.api_url,
            "SCRIBE_DATABASE": str(self.database),
            "SCRIBE_EXPORT_DIR": str(folder / "data" / "postmortems"),
            "PORT": str(self.site.server_port),
            "HOST": "127.0.0.1",
        }

    def opened(self, name: str, title: str, *, private: bool = False) -> Channel:
        """A channel with an incident in it."""
        channel = self.workspace.add_channel(name, members=[self.ada], private=private)
        assert self.workspace.command(self.ada, channel, f"start {title}").in_channel
        self.stage.pump()
        return channel

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.site.server_port}"

    def go_by_the_real_time(self) -> None:
        """From now on Slack's clock goes on by itself; nobody can type any more, as the app's stands still."""
        self.workspace.clock = lambda: datetime.now(UTC)

    def look(self, *arguments: str, **changed: str | None) -> Looked:
        """Runs the command with these settings instead of those in order."""
        ours = [name for name in os.environ if name.startswith(("SCRIBE_", "SLACK_"))]
        environment: dict[str, str | None] = dict.fromkeys(ours)
        environment |= {**self.settings, "HTTPS_PROXY": None, **changed}
        done = CliRunner().invoke(cli, ["doctor", *arguments], env=environment, catch_exceptions=False)
        return read(done.stdout, done.exit_code, done.stderr)

    def findings(self, **there: Any) -> list[Finding]:
        """The same without the command line, on another machine or with another way to Slack."""
        return list(app.examine(settings.read(self.settings), (), {}, **there))

    def run(self, *arguments: str, **changed: str) -> Looked:
        """The command as a process in which permissions count for root too."""
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **self.settings, **changed}
        done = subprocess.run(
            [*without_privileges(), sys.executable, "-m", "bot", "doctor", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return read(done.stdout, done.returncode, done.stderr)

    def change(self, statement: str) -> int:
        """Changes the database behind the program's back."""
        with closing(sqlite3.connect(self.database)) as database, database:
            return database.execute(statement).rowcount

    def park(self, channel: Channel, error: str = "restricted_action") -> None:
        """Lets a post into a channel fail for good."""
        self.workspace.fail("chat.postMessage", error=error, times=9, when=lambda given: given["channel"] == channel.id)
        self.workspace.command(self.ada, channel, "resolve at now")
        self.stage.clock.advance(timedelta(seconds=60))
        self.stage.pump()
        self.workspace.faults.clear()

    def close(self) -> None:
        self.site.shutdown()
        self.site.server_close()
        self.thread.join()
        self.server.close()
        self.stage.app.store.close()


def without_privileges() -> list[str]:
    """What has to stand before a command so that file permissions hold for it, whoever runs the tests."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("as root nothing is forbidden, and there is no setpriv here to change that")
    return ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, press: Press) -> Iterator[Office]:
    """An installation that tests only look at."""
    made = Office(tmp_path_factory.mktemp("office"), press)
    made.go_by_the_real_time()
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path, press: Press) -> Iterator[Office]:
    """An installation that a test may spoil."""
    made = Office(tmp_path, press)
    yield made
    made.close()


def this_machine() -> Machine:
    """The machine of the tests, with a disk that nobody wipes."""
    mounts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
    return replace(machine({}, SQLITE, OLDEST_SQLITE), mounts=mounts, free=lambda _: 2**40)


def about(what: str, findings: list[Finding]) -> list[Finding]:
    return [found for found in findings if found.about == what]


@contextmanager
def answering(status: int, content: bytes, kind: str = "text/html") -> Iterator[str]:
    """Something that is neither Slack nor Scribe, at an address of its own."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# ---- all is well ---------------------------------------------------------------------------------


def test_an_installation_in_order_has_no_finding(office: Office) -> None:
    found = office.findings(machine=this_machine())
    assert [one for one in found if one.level is not Level.OK] == []
    assert [one.about for one in found] == [
        "settings",
        "SQLite",
        "time zones",
        "database",
        "disk",
        "disk space",
        "secret",
        "postmortems",
        "Slack",
        "clock",
        "bot token",
        "scopes",
        "command",
        "Socket Mode",
        "serve",
        "address",
        "channels",
        "deliveries",
    ]


def test_the_command_prints_the_same_and_exits_with_0(office: Office) -> None:
    looked = office.look()
    assert [line for line in looked.lines if line[0] != "ok" and line[1] != "disk"] == []
    assert looked.of("database") == [
        ("ok", f"{office.database} is whole, 2 incidents. Whether the record was altered, scribe verify says.")
    ]
    assert looked.of("bot token") == [("ok", "opens the workspace Example (T0SCRIBE), as bot U0SCRIBE.")]
    assert looked.of("scopes") == [("ok", f"all {len(SCOPES)} of the manifest are granted.")]
    assert looked.of("channels") == [("ok", "2 open incidents, and Scribe is where they are told.")]
    assert (looked.exit_code, looked.last[:10]) == (0, "No problem")


def test_nothing_is_written_whether_the_record_is_in_use_or_not(own: Office) -> None:
    def files() -> dict[str, bytes]:
        # SQLite keeps in the -shm who reads what at the moment; it belongs to whoever has the record open
        paths = [path for path in own.folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
        return {str(path): path.read_bytes() for path in paths}

    in_use = files()
    assert f"{own.database}-wal" in in_use
    assert own.look().of("database")[0][0] == "ok"
    assert files() == in_use

    own.stage.app.store.close()
    at_rest = files()
    assert f"{own.database}-wal" not in at_rest
    assert own.look().of("database")[0][0] == "ok"
    assert files() == at_rest
    assert sorted(path.name for path in own.database.parent.iterdir() if path.is_file()) == [
        "scribe.db",
        "scribe.db.secret",
    ]


def test_it_asks_slack_and_posts_nothing(own: Office) -> None:
    own.workspace.calls.clear()
    own.look()
    asked = {call.method for call in own.workspace.calls}
    assert asked == {"api.test", "auth.test", "apps.connections.open", "conversations.info"}
    assert own.server.sockets.connections == []


# ---- settings ------------------------------------------------------------------------------------


def test_all_that_is_wrong_with_the_settings_is_said_and_the_rest_is_looked_at(office: Office) -> None:
    looked = office.look(SLACK_BOT_TOKEN="xoxp-12-34-abcdef", SCRIBE_TIMEZONE="Mars/Olympus", SCRIBE_SECRET="short")
    assert [(level, words.split()[0]) for level, words in looked.of("settings")] == [
        ("problem", "SLACK_BOT_TOKEN"),
        ("problem", "SCRIBE_SECRET"),
        ("problem", "SCRIBE_TIMEZONE"),
    ]
    assert "is a user's token" in looked.of("settings")[0][1]
    assert "→ Where to find it: https://api.slack.com/apps" in looked.of("settings")[0][1]
    assert looked.of("bot token") == [("not checked", "SLACK_BOT_TOKEN comes first.")]
    assert looked.of("Socket Mode")[0][0] == looked.of("database")[0][0] == looked.of("Slack")[0][0] == "ok"
    assert looked.exit_code == 2
    assert looked.last.startswith("scribe: 3 problems (")


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(office: Office) -> None:
    looked = office.look(SCRIBE_DATABSE="x", SCRIBE_FLAVOUR="y", SLACK_CLIENT_ID="of another program")
    assert looked.of("settings")[:2] == [
        ("warning", "SCRIBE_DATABSE is set, and there is no such setting. → Did you mean SCRIBE_DATABASE?"),
        ("warning", "SCRIBE_FLAVOUR is set, and there is no such setting. → README.md lists those that there are."),
    ]
    assert "SLACK_CLIENT_ID" not in looked.output
    assert looked.exit_code == 0


def test_no_token_and_no_secret_is_ever_printed_wherever_it_was_put(office: Office) -> None:
    misplaced = "xoxb-11111111-2222-misplaced"
    looked = office.look(
        SLACK_SIGNING_SECRET="not hexadecimal, but secret",
        SCRIBE_SECRET="the secret of the record",
        SCRIBE_ANNOUNCE_CHANNEL=misplaced,
        SCRIBE_TIMEZONE="the secret of the record",
        SCRIBE_PUBLIC_URL="http://ada:password@127.0.0.1:9",
    )
    assert {"SCRIBE_ANNOUNCE_CHANNEL", "SCRIBE_TIMEZONE"} <= {words.split()[0] for _, words in looked.of("settings")}
    assert looked.of("address")[0][0] == "warning"
    for secret in (
        misplaced,
        "not hexadecimal",
        "the secret of the record",
        "password",
        office.workspace.bot_token,
        office.workspace.app_token,
        office.secret.read_text(),
    ):
        assert secret not in " ".join(looked.output.split()), secret


# ---- the machine ---------------------------------------------------------------------------------


def test_an_sqlite_that_is_too_old_is_a_problem(office: Office) -> None:
    (found,) = about("SQLite", office.findings(machine=replace(this_machine(), sqlite=(3, 36, 9))))
    assert (found.level, found.words) == (
        Level.PROBLEM,
        "version 3.36.9 is too old for the record, which needs 3.37.0.",
    )


def test_missing_time_zone_data_is_a_problem(office: Office) -> None:
    (found,) = about(
        "time zones",
        office.findings(machine=replace(this_machine(), knows_zone=lambda name: name.startswith("Europe/"))),
    )
    assert (found.level, found.remedy) == (Level.PROBLEM, "Type pip install tzdata in Scribe's environment.")
    assert "no America/New_York" in found.words


@pytest.mark.parametrize(
    ("mounts", "environment", "words"),
    [
        ("1 0 0:1 / / rw - overlay overlay rw", {}, "lie inside the container itself (overlay at /)"),
        ("1 0 8:1 / / rw - ext4 a rw\n2 1 0:2 / {data} rw - tmpfs t rw", {}, "lie in memory (tmpfs at {data})"),
        ("1 0 8:1 / / rw - ext4 a rw", {"DYNO": "web.1"}, "lie on a disk that Heroku wipes"),
        ("1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / {data} rw - ext4 b rw", {"DYNO": "web.1"}, "Heroku wipes"),
        ("1 0 8:1 / / rw - ext4 a rw", {"K_SERVICE": "scribe"}, "Cloud Run wipes"),
        ("1 0 8:1 / / rw - ext4 a rw", {"RENDER": "true"}, "Render wipes"),
        ("", {"RENDER": "true"}, "Render wipes"),
        ("1 0 8:1 / / rw - ext4 a rw\n2 1 0:2 / {data} rw - nfs4 n:/x rw", {}, "on a network disk (nfs4 at {data})"),
        # the later of two mounts at one place covers the earlier
        ("1 0 8:1 / {data} rw - ext4 a rw\n2 1 0:2 / {data} rw - ramfs r rw", {}, "lie in memory (ramfs"),
    ],
)
def test_a_disk_that_does_not_last_is_warned_of(
    office: Office, mounts: str, environment: dict[str, str], words: str
) -> None:
    data = str(office.database.parent.resolve())
    there = replace(this_machine(), mounts=mounts.format(data=data), environment=environment)
    (found,) = about("disk", office.findings(machine=there))
    assert found.level is Level.WARNING
    assert words.format(data=data) in found.words
    assert "Mount a volume" in found.remedy


@pytest.mark.parametrize(
    ("mounts", "environment"),
    [
        ("1 0 8:1 / / rw - ext4 a rw", {}),
        ("1 0 0:1 / / rw - overlay o rw\n2 1 8:2 / {data} rw shared:7 - ext4 b rw", {}),
        ("1 0 0:1 / / rw - overlay o rw\n2 1 8:2 / {data} rw - ext4 b rw", {"RENDER": "true"}),
        # a mount beside the folder whose name begins alike
        ("1 0 8:1 / / rw - ext4 a rw\n2 1 0:2 / {data}-old rw - tmpfs t rw", {}),
    ],
)
def test_a_disk_that_lasts_is_fine(office: Office, mounts: str, environment: dict[str, str]) -> None:
    data = str(office.database.parent.resolve())
    there = replace(this_machine(), mounts=mounts.format(data=data), environment=environment)
    assert [one.level for one in about("disk", office.findings(machine=there))] == [Level.OK]


def test_database_and_postmortems_on_two_disks_are_judged_apart(own: Office) -> None:
    data = own.database.parent.resolve()
    mounts = f"1 0 0:1 / / rw - overlay o rw\n2 1 8:2 / {data} rw - ext4 b rw\n"
    own.settings["SCRIBE_EXPORT_DIR"] = str(own.folder / "elsewhere")
    found = about("disk", own.findings(machine=replace(this_machine(), mounts=mounts)))
    assert [(one.level, one.words.split(" on ")[0].split(" inside ")[0]) for one in found] == [
        (Level.OK, "the database lies"),
        (Level.WARNING, "the postmortems lie"),
    ]


def test_a_folder_with_a_blank_in_its_name_is_found_among_the_mounts(own: Office) -> None:
    folder = own.folder / "my disk"
    folder.mkdir()
    own.settings |= {"SCRIBE_DATABASE": str(folder / "scribe.db"), "SCRIBE_EXPORT_DIR": str(folder)}
    escaped = str(folder.resolve()).replace(" ", r"\040")
    mounts = f"1 0 8:1 / / rw - ext4 a rw\n2 1 0:2 / {escaped} rw - tmpfs t rw\n"
    (found,) = about("disk", own.findings(machine=replace(this_machine(), mounts=mounts)))
    assert "in memory" in found.words


def test_a_system_that_lists_no_mounts_is_not_judged(office: Office) -> None:
    (found,) = about("disk", office.findings(machine=replace(this_machine(), mounts=None)))
    assert found.level is Level.UNCHECKED


@pytest.mark.parametrize(
    ("free", "level", "words"),
    [
        (201 * 2**20, Level.OK, "201 MB are free."),
        (199 * 2**20, Level.WARNING, "only 199 MB are free"),
        (19 * 2**20, Level.PROBLEM, "only 19 MB are free"),
    ],
)
def test_little_space_is_a_warning_and_next_to_none_a_problem(
    office: Office, free: int, level: Level, words: str
) -> None:
    (found,) = about("disk space", office.findings(machine=replace(this_machine(), free=lambda _: free)))
    assert found.level is level
    assert found.words.startswith(words)


# ---- the database --------------------------------------------------------------------------------


def test_a_database_that_is_not_there_is_reported_and_not_made(own: Office) -> None:
    looked = own.look(SCRIBE_DATABASE=str(own.folder / "other" / "scribe.db"), SCRIBE_EXPORT_DIR="elsewhere")
    ((level, words),) = looked.of("database")
    assert (level, words.partition(" → ")[0]) == ("warning", f"there is none at {own.folder}/other/scribe.db yet.")
    assert looked.of("secret")[0][0] == looked.of("postmortems")[0][0] == "ok"
    assert looked.of("channels") == looked.of("deliveries") == [("not checked", "the database comes first.")]
    assert looked.exit_code == 0
    assert not (own.folder / "other").exists()
    assert not Path("elsewhere").exists()


def test_a_folder_instead_of_a_database_is_a_problem(own: Office) -> None:
    ((level, words),) = own.look(SCRIBE_DATABASE=str(own.folder)).of("database")
    assert (level, words.partition(" → ")[0]) == ("problem", f"{own.folder} is a folder.")


def test_a_file_that_is_no_database_is_a_problem_and_stays_as_it_is(own: Office) -> None:
    letter = own.folder / "letter.db"
    letter.write_text("Dear colleagues, " * 200)
    ((level, words),) = own.look(SCRIBE_DATABASE=str(letter)).of("database")
    assert level == "problem"
    assert "is damaged, or no database: file is not a database." in words
    assert letter.read_text() == "Dear colleagues, " * 200
    assert sorted(path.name for path in own.folder.iterdir()) == ["data", "letter.db"]


def test_a_damaged_database_is_a_problem(own: Office) -> None:
    own.stage.app.store.close()
    whole = bytearray(own.database.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    whole[size * 3 : size * 12] = b"\xa5" * (size * 9)
    own.database.write_bytes(whole)
    looked = own.look()
    ((level, words),) = looked.of("database")
    assert level == "problem"
    assert "is damaged" in words
    assert "put a backup in its place" in words
    assert looked.of("deliveries") == [("not checked", "the database comes first.")]
    assert looked.exit_code == 2


def test_a_database_of_a_newer_scribe_is_a_problem(own: Office) -> None:
    own.change(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scribe', 'm9999_future', '2031')"
    )
    ((level, words),) = own.look().of("database")
    assert level == "problem"
    assert "was written by a newer Scribe (it has m9999_future)" in words


def test_a_database_of_an_older_scribe_is_a_warning(own: Office) -> None:
    own.change("DELETE FROM _sqlite_migrations WHERE name > 'm0001_record'")
    looked = own.look()
    ((level, words),) = looked.of("database")
    assert level == "warning"
    assert "restart scribe serve, which brings it up to date" in words
    assert looked.of("deliveries") == [("not checked", "the database comes first.")]


def test_a_record_that_this_user_may_not_write_is_a_problem_and_nothing_is_put_back(own: Office) -> None:
    own.park(own.payments)
    own.database.chmod(0o444)
    looked = own.run("--resend")
    ((level, words),) = looked.of("database")
    assert level == "problem"
    assert "this user may not write" in words
    assert looked.of("deliveries")[0] == (
        "problem",
        "nothing was put back: this user may not write the database.",
    )
    assert own.change("UPDATE letters SET state = 'parked' WHERE state = 'parked'") > 0
    assert looked.exit_code == 2


def test_a_folder_that_this_user_may_not_enter_is_a_problem_and_not_an_empty_one(own: Office) -> None:
    own.stage.app.store.close()
    own.database.parent.chmod(0o600)
    try:
        looked = own.run()
    finally:
        own.database.parent.chmod(0o700)
    assert looked.of("database") == [
        (
            "problem",
            f"this user may not look into {own.database.parent}. → Run scribe doctor as the user that runs scribe "
            "serve.",
        )
    ]
    assert looked.of("postmortems")[0][0] == "problem"


def test_a_folder_in_which_no_database_can_be_made_is_a_problem(own: Office) -> None:
    closed = own.folder / "closed"
    closed.mkdir(mode=0o555)
    looked = own.run(SCRIBE_DATABASE=str(closed / "scribe.db"), SCRIBE_EXPORT_DIR=str(closed / "postmortems"))
    assert "and this user may not make one there" in looked.of("database")[0][1]
    ((level, words),) = looked.of("postmortems")
    assert level == "problem"
    assert f"this user may not write {closed}." in words
    assert looked.exit_code == 2


# ---- secret and postmortems ----------------------------------------------------------------------


def test_a_secret_that_others_may_read_is_a_warning(own: Office) -> None:
    own.secret.chmod(0o644)
    words = f"other users of this machine may read {own.secret} (mode 644). → Type chmod 600 {own.secret}"
    assert own.look().of("secret") == [("warning", words)]
    own.secret.chmod(0o600)
    assert own.look().of("secret") == [("ok", f"{own.secret} is there, for its owner only.")]


def test_a_secret_that_is_gone_is_a_problem_unless_the_settings_have_it(own: Office) -> None:
    own.secret.unlink()
    ((level, words),) = own.look().of("secret")
    assert level == "problem"
    assert "is gone, with which the record was sealed" in words
    assert own.look(SCRIBE_SECRET=SIGNING_SECRET).of("secret") == [("ok", "SCRIBE_SECRET is set.")]
    assert not own.secret.exists()


def test_a_secret_that_was_cut_short_is_a_problem(own: Office) -> None:
    own.secret.write_text("abc\n")
    ((level, words),) = own.look().of("secret")
    assert level == "problem"
    assert "is cut short" in words


def test_a_file_where_the_postmortems_go_is_a_problem(own: Office) -> None:
    taken = own.folder / "taken"
    taken.write_text("a file stands where the folder should be")
    ((level, words),) = own.look(SCRIBE_EXPORT_DIR=str(taken)).of("postmortems")
    assert level == "problem"
    assert f"{taken} is a file." in words


# ---- Slack ---------------------------------------------------------------------------------------


def test_a_slack_that_is_away_is_a_problem_and_what_needs_it_is_not_judged(own: Office) -> None:
    own.server.go_away()
    looked = own.look()
    ((level, words),) = looked.of("Slack")
    assert level == "problem"
    assert words.startswith(f"{own.server.api_url}: Slack could not be reached (api.test).")
    assert "Does this machine reach 127.0.0.1?" in words
    assert [looked.of(one)[0][0] for one in ("clock", "bot token", "Socket Mode", "channels")] == ["not checked"] * 4
    assert looked.of("scopes") == []
    assert looked.exit_code == 2


def test_a_proxy_is_named_without_its_password(office: Office) -> None:
    looked = office.look(HTTPS_PROXY="http://ada:password@127.0.0.1:9")
    ((level, words),) = looked.of("Slack")
    assert (level, "through the proxy 127.0.0.1 (HTTPS_PROXY)" in words) == ("problem", True)
    assert "password" not in looked.output
    assert looked.of("serve")[0][0] == "ok", "what runs on this machine is asked directly"


@pytest.mark.parametrize(("status", "content"), [(200, b"<h1>Please log in</h1>"), (404, b"{}"), (502, b"Bad gateway")])
def test_something_else_at_slacks_address_is_a_problem(office: Office, status: int, content: bytes) -> None:
    with answering(status, content) as address:
        assert [level for level, _ in office.look(SLACK_API_URL=f"{address}/api/").of("Slack")] == ["problem"]


@pytest.mark.parametrize(
    ("seconds", "level", "words"),
    [
        (0, "ok", "agrees with Slack's."),
        (50, "ok", "agrees with Slack's."),
        (130, "warning", "is 2 min behind Slack's: entries get wrong times."),
        (-130, "warning", "is 2 min ahead of Slack's: entries get wrong times."),
        (400, "problem", "is 6 min behind Slack's: entries get wrong times, and over HTTP requests are refused."),
        (-400, "problem", "is 6 min ahead of Slack's: entries get wrong times, and over HTTP requests are refused."),
    ],
)
def test_a_clock_that_differs_from_slacks_is_named(own: Office, seconds: int, level: str, words: str) -> None:
    own.workspace.clock = lambda: datetime.now(UTC) + timedelta(seconds=seconds)
    ((found, said),) = own.look().of("clock")
    assert (found, said.partition(" → ")[0]) == (level, words)


class WithoutHeaders(OverHTTP):
    """The way to Slack through a proxy that cuts headers off."""

    def call(self, method: str, args: Mapping[str, Any], *, timeout: float | None = None) -> Reply:
        return replace(super().call(method, args, timeout=timeout), headers={})


def test_what_slack_does_not_say_is_not_judged(office: Office) -> None:
    found = office.findings(
        machine=this_machine(), carry=lambda token: WithoutHeaders(token, office.server.api_url, timeout=5)
    )
    assert [(one.about, one.level) for one in found if one.level is not Level.OK] == [
        ("clock", Level.UNCHECKED),
        ("scopes", Level.UNCHECKED),
    ]


def test_a_token_that_slack_does_not_know_is_a_problem(office: Office) -> None:
    looked = office.look(SLACK_BOT_TOKEN="xoxb-of-somebody-else")
    ((level, words),) = looked.of("bot token")
    assert level == "problem"
    assert words.startswith("Slack does not know the bot token. → Check SLACK_BOT_TOKEN")
    assert looked.of("scopes") == []
    assert looked.of("channels") == [("not checked", "the bot token comes first.")]


def test_a_persons_token_is_a_problem(own: Office) -> None:
    own.workspace.bot_id = ""
    ((level, words),) = own.look().of("bot token")
    assert level == "problem"
    assert words.startswith("this is a person's token")


def test_a_token_of_another_workspace_than_the_records_is_a_problem(own: Office) -> None:
    own.workspace.team, own.workspace.name = "T0OTHER", "Elsewhere"
    looked = own.look()
    ((level, words),) = looked.of("bot token")
    assert level == "problem"
    assert words.startswith("it belongs to the workspace Elsewhere (T0OTHER), the record to Example (T0SCRIBE).")
    own.stage.app.learn()
    own.stage.pump()
    assert own.look().of("bot token")[0][0] == "problem", "though serve has learned the other one since"


def test_missing_scopes_are_named_with_what_stops_working(own: Office) -> None:
    own.workspace.scopes = frozenset(SCOPES) - {"files:write", "pins:read"} | {"emoji:read"}
    ((level, words),) = own.look().of("scopes")
    assert level == "problem"
    assert words.startswith(
        "2 of the manifest are missing: - files:write: the draft's Markdown and picture cannot be uploaded - pins:read:"
    )
    assert "Install App once more" in words
    assert "emoji" not in words


def test_a_missing_scope_that_no_draft_needs_is_a_warning(own: Office) -> None:
    own.workspace.scopes = frozenset(SCOPES) - {"pins:read"}
    ((level, words),) = own.look().of("scopes")
    assert (level, words.partition(" → ")[0]) == (
        "warning",
        "1 of the manifest is missing: - pins:read: pinned messages are not noticed",
    )


def test_every_scope_of_the_manifest_is_explained() -> None:
    assert sorted(STOPS) == sorted(SCOPES)
    assert set(SCOPES) >= VITAL


def test_a_command_that_the_manifest_does_not_have_is_a_warning(office: Office) -> None:
    looked = office.look(SCRIBE_COMMAND="/outage")
    ((level, words),) = looked.of("command")
    assert level == "warning"
    assert words.startswith("SCRIBE_COMMAND is /outage, and the manifest that comes with Scribe says /incident.")
    assert looked.exit_code == 0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("invalid_auth", "Slack does not know the app-level token. → Set SLACK_APP_TOKEN anew"),
        ("missing_scope", "the app-level token lacks the scope connections:write. → Make one with it"),
        (
            "something_new",
            "Slack refused apps.connections.open: something_new. → Is Socket Mode switched on",
        ),
    ],
)
def test_an_app_token_that_opens_no_connection_is_a_problem(own: Office, error: str, words: str) -> None:
    own.workspace.fail("apps.connections.open", error=error)
    ((level, said),) = own.look().of("Socket Mode")
    assert level == "problem"
    assert said.startswith(words)
    assert own.look().of("Socket Mode") == [("ok", "Slack grants a connection (none was opened).")]


def test_a_signing_secret_cannot_be_judged_and_it_is_said_how_to_see_it_work(office: Office) -> None:
    looked = office.look(SLACK_SIGNING_SECRET=HEX, SLACK_APP_TOKEN=None)
    ((level, words),) = looked.of("signing secret")
    assert level == "not checked"
    assert "→ Type /incident help in Slack." in words
    assert looked.of("Socket Mode") == []
    assert looked.exit_code == 0


# ---- the way here --------------------------------------------------------------------------------


def test_a_serve_that_does_not_run_is_a_warning(office: Office) -> None:
    ((level, words),) = office.look(PORT=NOBODYS_PORT).of("serve")
    assert level == "warning"
    assert words.startswith(f"no scribe serve at http://127.0.0.1:{NOBODYS_PORT}: connection refused.")


def test_something_else_where_serve_should_be_is_a_warning(office: Office) -> None:
    with answering(200, b"<h1>It works!</h1>") as address:
        ((level, words),) = office.look(PORT=address.rpartition(":")[2]).of("serve")
    assert level == "warning"
    assert "something else answers (HTTP 200)" in words


def test_a_port_that_nobody_can_know_is_not_judged(office: Office) -> None:
    assert [level for level, _ in office.look(PORT="0").of("serve")] == ["not checked"]


def test_a_serve_without_connection_to_slack_is_a_problem(own: Office) -> None:
    running = own.stage.app
    running.health.sockets = Sockets(running.bolt, "xapp-not-connected", own.server.api_url, running.clock)
    ((level, words),) = own.look().of("serve")
    assert level == "problem"
    assert words.startswith(f"runs at {own.address}, but has no connection to Slack.")


def test_a_public_address_that_leads_here_is_fine(office: Office) -> None:
    looked = office.look(SCRIBE_PUBLIC_URL=office.address, SLACK_SIGNING_SECRET=HEX)
    words = f"{office.address} leads to Scribe. Slack is to call {office.address}/slack/events."
    assert looked.of("address") == [("ok", words)]


@pytest.mark.parametrize("status", [200, 404, 502])
def test_a_public_address_that_leads_elsewhere_is_a_warning(office: Office, status: int) -> None:
    with answering(status, b"<h1>Welcome to nginx!</h1>") as address:
        ((level, words),) = office.look(SCRIBE_PUBLIC_URL=address).of("address")
    assert level == "warning"
    assert f"{address}/healthz does not answer as Scribe does: something else answers (HTTP {status})." in words


def test_a_public_address_where_nobody_answers_is_a_warning(office: Office) -> None:
    ((level, words),) = office.look(SCRIBE_PUBLIC_URL=f"http://127.0.0.1:{NOBODYS_PORT}").of("address")
    assert level == "warning"
    assert "connection refused" in words


def test_without_a_public_address_http_is_not_judged_and_links_are_those_of_slack(office: Office) -> None:
    ((level, words),) = office.look(SLACK_SIGNING_SECRET=HEX).of("address")
    assert level == "not checked"
    assert "Slack must reach /slack/events of this server" in words
    ((level, words),) = office.look().of("address")
    assert level == "ok"
    assert "links are those of the files in Slack" in words


# ---- channels ------------------------------------------------------------------------------------


def test_channels_that_scribe_was_removed_from_and_archived_ones_are_named(own: Office) -> None:
    own.workspace.kick_bot(own.payments)
    own.workspace.archive(own.search)
    looked = own.look()
    ((level, words),) = looked.of("channels")
    assert level == "warning"
    assert words.startswith(
        "2 open incidents cannot be posted to: - INC-2 in #search: the channel is archived. Unarchive it, or go on "
        "elsewhere - INC-1 in #payments: Scribe is not in the channel. Type /invite @Scribe there"
    )
    assert looked.exit_code == 0


def test_a_private_channel_without_scribe_needs_an_invitation(own: Office) -> None:
    private = own.opened("secret-project", "Keys have leaked", private=True)
    ((level, words),) = own.look().of("channels")
    assert level == "warning"
    assert f"INC-3 in {private.id}: Scribe cannot see the channel. Type /invite @Scribe there" in words
    own.workspace.invite_bot(private)
    assert own.look().of("channels") == [("ok", "3 open incidents, and Scribe is where they are told.")]


def test_channels_of_incidents_that_are_over_are_not_looked_at(own: Office) -> None:
    for channel in (own.payments, own.search):
        own.workspace.command(own.ada, channel, "resolve at now")
    own.stage.settle()
    own.workspace.kick_bot(own.payments)
    assert own.look().of("channels") == [("ok", "no incident is open.")]


def test_a_slack_that_stops_answering_about_channels_is_not_a_verdict(own: Office) -> None:
    own.workspace.fail("conversations.info", retry_after=30)
    assert own.look().of("channels") == [("not checked", "Slack did not say all: Slack asks to wait.")]


# ---- letters -------------------------------------------------------------------------------------


def parked(own: Office) -> int:
    return own.change("UPDATE letters SET state = 'parked' WHERE state = 'parked'")


def test_what_could_not_be_delivered_is_named_by_incident_with_its_reason_and_put_back(own: Office) -> None:
    own.park(own.payments)
    own.park(own.search, "msg_too_long")
    count = parked(own)
    assert count >= 2
    looked = own.look()
    ((level, words),) = looked.of("deliveries")
    assert level == "problem"
    assert words.startswith(f"{count} messages could not be delivered:")
    assert "INC-1 in #payments: The workspace's settings do not let Scribe post there." in words
    assert "INC-2 in #search: The message is too long for Slack." in words
    assert "type scribe doctor --resend (or /incident resend in a channel" in words
    assert looked.exit_code == 2
    assert parked(own) == count, "looking changes nothing"

    looked = own.look("--resend")
    words = f"{count} messages put back into the outbox; scribe serve sends what is there."
    assert looked.of("deliveries")[0] == ("ok", words)
    assert parked(own) == 0
    own.stage.settle()
    for channel in (own.payments, own.search):
        assert [one for one in own.workspace.messages(channel) if "Postmortem draft" in one.text] != []
    assert own.look("--resend").of("deliveries") == [("ok", "there was nothing to put back.")]


def test_nothing_is_put_back_into_a_record_that_is_not_sound(own: Office) -> None:
    own.park(own.payments)
    own.change(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scribe', 'm9999_future', '2031')"
    )
    looked = own.look("--resend")
    assert looked.of("deliveries") == [("not checked", "the database comes first.")]
    assert parked(own) > 0


def test_what_waits_for_long_is_a_warning_with_the_last_error(own: Office) -> None:
    own.workspace.fail("chat.postMessage", status=503, times=99)
    own.workspace.command(own.ada, own.payments, "resolve at now")
    for _ in range(10):
        own.stage.clock.advance(timedelta(minutes=15))
        own.stage.pump()
    waited = own.stage.clock()
    found = own.findings(machine=this_machine(), clock=lambda: waited)
    (late,) = about("deliveries", found)
    assert late.level is Level.WARNING
    assert re.match(r"\d messages? waiting for long, the oldest for \d", late.words)
    assert late.details == ("Slack had an error of its own (HTTP 503, chat.postMessage).",)
    assert late.remedy == "It is tried again by itself, at least every 15 minutes."


def test_what_waits_for_a_short_while_is_on_its_way(own: Office) -> None:
    own.workspace.command(own.ada, own.payments, "resolve at now")
    ((level, words),) = own.look().of("deliveries")
    assert level == "ok"
    assert re.fullmatch(r"everything was delivered, \d+ on the way\.", words)


def test_what_nobody_has_tried_to_send_asks_for_serve(own: Office) -> None:
    own.workspace.command(own.ada, own.payments, "resolve at now")
    later = own.stage.clock() + timedelta(minutes=25)
    (late,) = about("deliveries", own.findings(machine=this_machine(), clock=lambda: later))
    assert late.level is Level.WARNING
    assert "the oldest for 24 min" in late.words
    assert (late.details, late.remedy) == (
        ("nobody has tried yet.",),
        "Is scribe serve running? It sends them once it does.",
    )


# ---- beside a running serve ----------------------------------------------------------------------


def test_it_works_beside_a_serve_that_runs_on_the_same_record(own: Office) -> None:
    own.stage.app.store.close()
    own.go_by_the_real_time()
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **own.settings, "PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"],
        cwd=own.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as serve:
        try:
            assert serve.stdout is not None
            assert serve.stderr is not None
            port = serve.stdout.readline().strip().rpartition(":")[2]
            for line in serve.stderr:
                if "Socket Mode: connected" in line:
                    break
            looked = own.run(PORT=port)
            resent = own.run("--resend", PORT=port)
        finally:
            serve.terminate()
            serve.communicate(timeout=15)
    assert looked.of("serve") == [("ok", f"runs at http://127.0.0.1:{port} and is connected to Slack.")]
    assert [line for line in looked.lines if line[0] != "ok" and line[1] != "disk"] == []
    assert (looked.exit_code, resent.exit_code, serve.returncode) == (0, 0, 0)
    assert resent.of("deliveries") == [("ok", "there was nothing to put back.")]
