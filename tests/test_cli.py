"""The command line: what it prints, where it writes, and the exit status: 0 done, 1 a fault, 2 cannot be done."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import __version__, app, settings
from bot.cli import cli
from bot.core import events as ev
from bot.press import Press
from bot.settings import TABLE
from bot.workspace.stage import SIGNING_SECRET, Stage

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = sorted(cli.commands)
SHORT = """
title: The printer is on fire
timezone: Africa/Lagos
severity: sev3
started_at: 2026-02-01T09:00:00+01:00
resolved_at: 2026-02-01T09:30:00+01:00
impact:
  description: Nobody can print.
timeline:
- at: 2026-02-01T09:10:00+01:00
  kind: action
  by: caretaker
  text: The plug is pulled.
- at: 2026-02-01T09:30:00+01:00
  kind: resolution
  text: It smokes no more.
"""

Scribe = Callable[..., Result]


@pytest.fixture
def scribe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scribe:
    """Runs a command in an empty folder, with no settings but those given; a defect is raised, not shown."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, **settings: str) -> Result:
        environment = {row.name: None for row in TABLE} | {name: str(value) for name, value in settings.items()}
        return CliRunner().invoke(cli, [str(one) for one in arguments], env=environment, catch_exceptions=False)

    return run


def refused(result: Result) -> str:
    """What was said on standard error by a command that could not do it, and did nothing."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr


# ---- help ----------------------------------------------------------------------------------------


def test_help_names_every_command_with_a_line(scribe: Scribe) -> None:
    shown = scribe("--help").stdout
    listed = re.findall(r"^  ([a-z]+)  +\S.*\.$", shown, re.MULTILINE)
    assert sorted(listed) == COMMANDS
    assert scribe("-h").stdout == shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(scribe: Scribe, command: str) -> None:
    result = scribe(command, "--help")
    assert result.exit_code == 0
    first, _, rest = result.stdout.partition("\n\n")
    assert first.startswith(f"Usage: cli {command}")
    about = rest.strip().partition("\n\n")[0]
    assert about.endswith(".")


def test_the_version_is_told(scribe: Scribe) -> None:
    assert scribe("--version").stdout == f"scribe, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [("resolve",), ("replay",), ("replay", "--colour", "red"), ("verify", "everything"), ("demo", "a", "b")],
)
def test_a_command_line_that_means_nothing_is_exit_status_2(scribe: Scribe, arguments: tuple[str, ...]) -> None:
    assert "Usage: " in refused(scribe(*arguments))


def test_the_exit_status_reaches_the_shell(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "bot", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    done, impossible = run("--help"), run("replay", "no-such-file.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: scribe ")
    assert (impossible.returncode, impossible.stdout) == (2, "")
    assert impossible.stderr == "scribe: no-such-file.yaml: the file cannot be read (No such file or directory).\n"


# ---- replay --------------------------------------------------------------------------------------


def test_a_scenario_that_is_not_there_is_named(scribe: Scribe, tmp_path: Path) -> None:
    assert "no-such-file.yaml: the file cannot be read" in refused(scribe("replay", "no-such-file.yaml"))
    assert f"{tmp_path}: the file cannot be read" in refused(scribe("replay", tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("broken", "line", "words"),
    [
        (("severity: sev3", "severity: sev9"), 4, "severity is 'sev9'"),
        (("timezone: Africa/Lagos", "timezone: Nigeria"), 3, "timezone is 'Nigeria'"),
        (("+01:00\nresolved_at", "\nresolved_at"), 5, "started_at is '2026-02-01T09:00:00', without an offset"),
        (("kind: action", "kind: miracle"), 11, "timeline[0].kind is 'miracle'"),
        (("  text: The plug", "  txet: The plug"), 13, "timeline[0].txet is not known here"),
        (("title: The", "title: [The"), 3, "this is no YAML"),
    ],
)
def test_a_broken_scenario_is_refused_by_file_line_and_key(
    scribe: Scribe, tmp_path: Path, broken: tuple[str, str], line: int, words: str
) -> None:
    assert broken[0] in SHORT
    Path("broken.yaml").write_text(SHORT.replace(*broken, 1))
    assert f"broken.yaml:{line}: {words}" in refused(scribe("replay", "broken.yaml"))
    assert [path.name for path in tmp_path.iterdir()] == ["broken.yaml"]


def test_everything_that_is_wrong_in_a_scenario_is_said_at_once(scribe: Scribe) -> None:
    Path("broken.yaml").write_text(SHORT.replace("sev3", "sev9").replace("kind: action", "kind: miracle"))
    assert re.findall(r"broken\.yaml:(\d+):", refused(scribe("replay", "broken.yaml"))) == ["4", "11"]


def test_an_unknown_template_is_refused_with_those_that_are_known(scribe: Scribe) -> None:
    Path("short.yaml").write_text(SHORT)
    said = refused(scribe("replay", "short.yaml", "--template", "../../etc/passwd"))
    assert "There is no template “../../etc/passwd”. Templates: default" in said
    assert not Path("out").exists()


def test_a_replay_writes_into_out_and_shows_its_progress_apart(scribe: Scribe) -> None:
    Path("short.yaml").write_text(SHORT)
    result = scribe("replay", "short.yaml")
    assert result.exit_code == 0
    assert result.stdout == "out/short.md\n"
    assert "Replaying" in result.stderr


def test_a_folder_that_cannot_be_written_is_named(scribe: Scribe) -> None:
    Path("short.yaml").write_text(SHORT)
    Path("taken").write_text("a file stands where the folder should be")
    assert "taken" in refused(scribe("replay", "short.yaml", "--out", "taken"))
    assert Path("taken").read_text().startswith("a file")


# ---- demo ----------------------------------------------------------------------------------------


def test_the_demo_tells_an_incident_and_says_where_the_draft_lies_and_what_to_do_next(scribe: Scribe) -> None:
    result = scribe("demo")
    assert result.exit_code == 0
    assert "Telling the incident" in result.stderr
    opening, *parts = re.split(
        r"^(?:The channel, as people saw it|The draft that Scribe posted|Where it lies|What to do next)$",
        result.stdout,
        flags=re.MULTILINE,
    )
    assert len(parts) == 4
    transcript, draft, places, following = parts
    assert "Login requests blocked after a web firewall upgrade" in opening
    assert "/incident start sev2 Login requests blocked" in transcript
    assert transcript.strip() == Path("out/demo/transcript.txt").read_text().strip()
    stem = "out/demo/13-moj-2026-waf-false-positives"
    assert draft.strip() == Path(f"{stem}.md").read_text().strip()
    assert [line.strip() for line in places.strip().splitlines()] == [
        f"{stem}.md",
        f"{stem}.timeline.md",
        f"{stem}.json",
        f"{stem}.svg",
        "out/demo/transcript.txt",
    ]
    assert all(Path(line.strip()).is_file() for line in places.strip().splitlines())
    assert "README.md" in following
    assert result.stdout.splitlines()[-1] == f"{stem}.md"


def test_the_demo_tells_a_scenario_of_ones_own(scribe: Scribe) -> None:
    Path("short.yaml").write_text(SHORT)
    result = scribe("demo", "short.yaml", "--out", "here")
    assert result.exit_code == 0
    assert "The plug is pulled." in result.stdout
    assert result.stdout.splitlines()[-1] == "here/short.md"


def test_the_demo_refuses_a_file_that_is_no_scenario(scribe: Scribe) -> None:
    Path("letter.yaml").write_text("Dear colleagues")
    assert "letter.yaml:1:" in refused(scribe("demo", "letter.yaml"))


# ---- export --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, press: Press) -> Path:
    """A folder with a record of two incidents, the first of them resolved and its draft posted."""
    folder = tmp_path_factory.mktemp("recorded")
    stage = Stage(folder, datetime(2026, 11, 21, 3, 6, tzinfo=UTC), press=press)
    ada = stage.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    for name, lines in {
        "payments": ["start sev1 Checkout returns errors", "note CPU is at 100 %", "resolve at now"],
        "search": ["start Search is slow"],
    }.items():
        channel = stage.workspace.add_channel(name, members=[ada])
        for line in lines:
            assert stage.workspace.command(ada, channel, line).in_channel
            stage.clock.advance(timedelta(minutes=5))
            stage.pump()
    stage.settle()
    stage.app.store.close()
    return folder


@pytest.fixture
def told(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a copy of that record."""
    folder = tmp_path_factory.mktemp("told") / "data"
    shutil.copytree(recorded, folder)
    return {
        "SCRIBE_DATABASE": str(folder / "scribe.db"),
        "SCRIBE_EXPORT_DIR": str(folder / "postmortems"),
        "SCRIBE_SECRET": SIGNING_SECRET,
    }


@pytest.mark.parametrize("number", ["1", "INC-1", "inc-1", "#1", "0001"])
def test_an_export_writes_what_the_draft_was(scribe: Scribe, told: dict[str, str], number: str) -> None:
    result = scribe("export", number, "--out", "here", **told)
    assert (result.exit_code, result.stdout) == (0, "here/0001-checkout-returns-errors.md\n")
    posted = Path(told["SCRIBE_EXPORT_DIR"])
    for path in Path("here").iterdir():
        assert path.read_bytes() == (posted / path.name).read_bytes(), path.name
    assert {path.name.partition(".")[2] for path in Path("here").iterdir()} == {"md", "timeline.md", "json", "svg"}


def test_an_export_goes_to_the_folder_of_the_settings(scribe: Scribe, told: dict[str, str]) -> None:
    result = scribe("export", "2", **told)
    assert result.stdout == f"{told['SCRIBE_EXPORT_DIR']}/0002-search-is-slow.md\n"
    assert Path(result.stdout.strip()).read_text().startswith("# Search is slow\n")


def test_all_exports_every_incident(scribe: Scribe, told: dict[str, str]) -> None:
    result = scribe("export", "--all", "--out", "here", **told)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["here/0001-checkout-returns-errors.md", "here/0002-search-is-slow.md"]


def test_an_export_as_json_names_the_json(scribe: Scribe, told: dict[str, str]) -> None:
    result = scribe("export", "1", "--format", "json", "--out", "here", **told)
    assert result.stdout == "here/0001-checkout-returns-errors.json\n"
    whole = json.loads(Path(result.stdout.strip()).read_text())
    assert (whole["incident"]["title"], whole["incident"]["status"]) == ("Checkout returns errors", "resolved")
    assert [entry["text"] for entry in whole["entries"]] == ["Checkout returns errors", "CPU is at 100 %", ""]


@pytest.mark.parametrize(("form", "begins"), [("html", "<!doctype html>"), ("csv", "\ufeffentry,time,")])
def test_an_export_of_one_file_writes_that_file_alone(
    scribe: Scribe, told: dict[str, str], form: str, begins: str
) -> None:
    result = scribe("export", "1", "--format", form, "--out", "here", **told)
    (written,) = Path("here").iterdir()
    assert result.stdout == f"{written}\n" == f"here/0001-checkout-returns-errors.{form}\n"
    text = written.read_text(encoding="utf-8")
    assert text.startswith(begins)
    assert "CPU is at 100 %" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["9"], "There is no incident 9. Type scribe export --all"),
        (["nine"], "“nine” is no incident number. Type a number"),
        (["-1"], "No such option"),
        ([], "Which incident? Type scribe export 42, or scribe export --all."),
        (["1", "--all"], "Which incident?"),
        (["1", "--format", "docx"], "There is no format “docx”. Formats: md, html, json, csv"),
        (["1", "--template", "google"], "There is no template “google”. Templates: default"),
    ],
)
def test_an_export_that_cannot_be_made_says_what_to_type(
    scribe: Scribe, told: dict[str, str], arguments: list[str], words: str
) -> None:
    before = sorted(Path(told["SCRIBE_EXPORT_DIR"]).iterdir())
    assert words in refused(scribe("export", *arguments, **told))
    assert sorted(Path(told["SCRIBE_EXPORT_DIR"]).iterdir()) == before


@pytest.mark.parametrize("arguments", [("export", "1"), ("export", "--all"), ("verify",)])
def test_without_a_database_nothing_is_made(scribe: Scribe, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said = refused(scribe(*arguments, SCRIBE_DATABASE="data/other.db"))
    assert "There is no database at data/other.db. Set SCRIBE_DATABASE" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("export", "1"), ("verify",), ("migrate",)])
def test_settings_that_are_wrong_are_named(scribe: Scribe, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said = refused(scribe(*arguments, SCRIBE_TIMEZONE="Mars/Olympus", SCRIBE_SECRET="short"))
    assert re.findall(r"^  ([A-Z_]+) ", said, re.MULTILINE) == ["SCRIBE_SECRET", "SCRIBE_TIMEZONE"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("export", "1"), ("verify",), ("migrate",)])
def test_a_file_that_is_no_database_is_named(scribe: Scribe, arguments: tuple[str, ...]) -> None:
    Path("letter.db").write_text("Dear colleagues, " * 200)
    assert "letter.db" in refused(scribe(*arguments, SCRIBE_DATABASE="letter.db", SCRIBE_SECRET=SIGNING_SECRET))
    assert Path("letter.db").read_text().startswith("Dear colleagues, ")


# ---- verify --------------------------------------------------------------------------------------


def test_a_record_as_it_was_written_is_verified(scribe: Scribe, told: dict[str, str]) -> None:
    result = scribe("verify", **told)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{told['SCRIBE_DATABASE']}: 2 incidents with 4 events, all as they were recorded." in result.stdout


@pytest.mark.parametrize(
    ("behind_the_back", "event"),
    [
        ("UPDATE words SET words = replace(words, '100', '10') WHERE incident = 1 AND seq = 2", 2),
        ("UPDATE events SET facts = replace(facts, 'T03:11', 'T03:10') WHERE incident = 1 AND seq = 2", 2),
        ("UPDATE events SET name = 'acknowledged' WHERE incident = 1 AND seq = 2", 2),
        ("UPDATE events SET recorded_at = '2026-11-20T00:00:00.000000Z' WHERE incident = 1 AND seq = 2", 2),
        ("DELETE FROM events WHERE incident = 1 AND seq = 2", 2),
        ("DELETE FROM words WHERE incident = 1 AND seq = 2", 2),
        ("DELETE FROM events WHERE incident = 1 AND seq = 3", 2),
        ("UPDATE incidents SET seal = '00' WHERE key = 1", 3),
    ],
)
def test_what_was_changed_behind_the_programs_back_is_named(
    scribe: Scribe, told: dict[str, str], behind_the_back: str, event: int
) -> None:
    with closing(sqlite3.connect(told["SCRIBE_DATABASE"])) as database, database:
        assert database.execute(behind_the_back).rowcount == 1
    result = scribe("verify", **told)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.findall(r"^(INC-\d+, event \d+): ", result.stderr, re.MULTILINE)[0] == f"INC-1, event {event}"
    assert "INC-2" not in result.stderr
    assert re.search(rf"(1 thing is|\d+ things are) wrong in {told['SCRIBE_DATABASE']}", result.stderr)


def test_another_secret_does_not_verify(scribe: Scribe, told: dict[str, str]) -> None:
    assert scribe("verify", **told | {"SCRIBE_SECRET": "not the secret of this record"}).exit_code == 1


# ---- migrate -------------------------------------------------------------------------------------


def test_a_second_migration_finds_nothing_to_do(scribe: Scribe, tmp_path: Path) -> None:
    first, second = scribe("migrate"), scribe("migrate")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert re.fullmatch(r"data/scribe\.db: applied m0001_record(, m\d{4}_\w+)*\.\n", first.stdout)
    assert second.stdout == "data/scribe.db: up to date.\n"
    assert scribe("verify").stdout.startswith("data/scribe.db: 0 incidents with 0 events")


def test_a_record_of_a_newer_program_is_left_alone(scribe: Scribe, told: dict[str, str]) -> None:
    with closing(sqlite3.connect(told["SCRIBE_DATABASE"])) as database, database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scribe', 'm9999_future', '2031')"
        )
    for arguments in (("migrate",), ("verify",), ("export", "1")):
        assert "was written by a newer Scribe (it has m9999_future)" in refused(scribe(*arguments, **told))


# ---- export --diff -------------------------------------------------------------------------------


def cause_is_found(told: dict[str, str], text: str) -> None:
    store = app.open_store(settings.read(told, need_slack=False))
    with store.writing() as tx:
        place = tx.by_number(tx.all_places()[0].team, 1)
        assert place is not None
        (first, *_) = tx.events(place.key)
        at = first.recorded_at + timedelta(hours=1)
        said = {"by": first.by, "recorded_at": at, "entry": 4, "at": at, "approx": False, "zone": "UTC", "text": text}
        tx.append(place, [ev.CauseFound(**said)])
    store.close()


def test_two_revisions_are_compared(scribe: Scribe, told: dict[str, str]) -> None:
    assert scribe("export", "1", **told).exit_code == 0
    refusal = refused(scribe("export", "1", "--diff", "1", "2", **told))
    assert "INC-1 has no revision 2. It has revisions 1 to 1." in refusal
    cause_is_found(told, "The pool had no upper limit.")
    assert scribe("export", "1", **told).stdout.endswith(".r2.md\n")
    shown = scribe("export", "1", "--diff", "1", "2", **told)
    assert shown.exit_code == 0
    changed = shown.stdout.splitlines()
    assert any(line.startswith("-- **Root cause:** *unknown*") for line in changed)
    assert any(line.startswith("+- **Root cause:** The pool had no upper limit.") for line in changed)
    assert scribe("export", "1", "--diff", "1", "1", **told).stdout == ""
    assert "Which incident?" in refused(scribe("export", "--all", "--diff", "1", "2", **told))


def test_an_export_of_the_same_record_is_the_same_revision(scribe: Scribe, told: dict[str, str]) -> None:
    first, second = scribe("export", "1", **told), scribe("export", "1", **told)
    assert first.stdout == second.stdout
    assert ".r2" not in second.stdout
