"""`scribe import`: Slack exports of every shape, what is suggested, and what is recorded of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks import suggest as benchmark
from bot import chat_exports
from bot.cli import cli
from bot.core.errors import Refusal
from bot.core.events import Kind
from bot.core.incident import fold
from bot.settings import TABLE
from bot.workspace.stage import SIGNING_SECRET, Stage

ROOT = Path(__file__).resolve().parent.parent
REAL = sorted((ROOT / "examples" / "incidents").glob("*.slack.json"))

Scribe = Callable[..., Result]
JSON = dict[str, Any]

USERS = [
    {"id": "UADA", "name": "ada", "tz": "Europe/Berlin", "profile": {"display_name": "Ada"}},
    {"id": "UBOB", "name": "bob", "tz": "America/New_York"},
]
MESSAGES = [
    {"type": "message", "user": "UADA", "ts": "1772540000.000100", "text": "users are reporting errors at checkout"},
    {"type": "message", "user": "UBOB", "ts": "1772540060.000200", "text": "restarted the pool of <@UADA>"},
    {"type": "message", "user": "UBOB", "ts": "1772540090.000300", "text": "thanks!"},
    {"type": "message", "user": "UADA", "ts": "1772540120.000400", "text": "back to normal since 13:14"},
]
EXPORT = {"channel": {"id": "C0INC"}, "users": USERS, "messages": MESSAGES}


@pytest.fixture
def scribe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scribe:
    """Runs a command in an empty folder; a defect is raised, not shown."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, **given: str) -> Result:
        environment = {row.name: None for row in TABLE} | given
        return CliRunner().invoke(cli, [str(one) for one in arguments], env=environment, catch_exceptions=False)

    return run


def written(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def suggestions(folder: Path) -> list[JSON]:
    found: list[JSON] = json.loads((folder / "suggestions.json").read_text(encoding="utf-8"))
    return found


# ---- suggesting ----------------------------------------------------------------------------------


def test_suggestions_are_written_and_nothing_is_recorded(scribe: Scribe, tmp_path: Path) -> None:
    done = scribe("import", written(tmp_path / "x.slack.json", EXPORT), "--suggest", "--out", "found")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == ["3 suggestions from 4 messages", "found/suggestions.json"]
    assert suggestions(tmp_path / "found") == [
        {
            "ts": "1772540000.000100",
            "kind": "detection",
            "at": "2026-03-03T13:13:20+01:00",
            "text": "users are reporting errors at checkout",
        },
        {
            "ts": "1772540060.000200",
            "kind": "action",
            "at": "2026-03-03T07:14:20-05:00",
            "text": "restarted the pool of @Ada",
        },
        {
            "ts": "1772540120.000400",
            "kind": "mitigation",
            "at": "2026-03-03T13:14:00+01:00",
            "text": "back to normal since 13:14",
        },
    ]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["found", "x.slack.json"]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name[:2])
def test_the_same_export_gives_the_same_bytes_in_the_order_of_time(scribe: Scribe, tmp_path: Path, path: Path) -> None:
    for folder in ("one", "two"):
        assert scribe("import", path, "--suggest", "--out", folder).exit_code == 0
    assert (tmp_path / "one/suggestions.json").read_bytes() == (tmp_path / "two/suggestions.json").read_bytes()
    assert [float(one["ts"]) for one in suggestions(tmp_path / "one")] == sorted(
        float(one["ts"]) for one in suggestions(tmp_path / "one")
    )


def test_worthy_messages_are_found_in_exports_with_a_key() -> None:
    found = {name: benchmark.Result(0, 0, 0, 0, 0, 0) for name in ("real", "invented", "unseen")}
    for case in benchmark.cases():
        result, _ = benchmark.measure(case)
        assert result.recall >= 0.6, case.name
        assert result.precision >= 0.4, case.name
        found["real" if case.name[0].isdigit() else "unseen" if "/" in case.name else "invented"] += result
    for name, least in (("real", 0.85), ("invented", 0.85), ("unseen", 0.8)):
        assert found[name].recall >= least, name
        assert found[name].precision >= 0.65, name
        assert found[name].agreement >= 0.65, name
    assert found["invented"].times == found["invented"].timed


def test_worthy_messages_are_found_without_what_was_made_for_their_channel() -> None:
    every = benchmark.cases()
    held_out = benchmark.Result(0, 0, 0, 0, 0, 0)
    for case in every:
        if case.name[0].isdigit():
            held_out += benchmark.measure(case, benchmark.without(case.name, every))[0]
    assert (held_out.recall >= 0.8, held_out.precision >= 0.65, held_out.agreement >= 0.55) == (True, True, True)


def test_the_layouts_in_which_slack_gives_an_export_all_read_the_same(tmp_path: Path) -> None:
    whole = chat_exports.read(written(tmp_path / "whole.json", EXPORT))
    root = tmp_path / "export"
    written(root / "users.json", USERS)
    written(root / "channels.json", [{"id": "C0INC", "name": "incident"}])
    written(root / "incident/2026-03-03.json", MESSAGES[:2])
    written(root / "incident/2026-03-04.json", MESSAGES[2:])
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in root.glob("**/*.json"):
            packed.write(path, path.relative_to(root))
    assert chat_exports.read(root) == chat_exports.read(root / "incident") == chat_exports.read(archive) == whole
    day = chat_exports.read(root / "incident/2026-03-03.json")
    assert (day.messages, day.names, day.channel) == (whole.messages[:2], whole.names, "")


def test_a_folder_of_several_channels_asks_which_one(tmp_path: Path) -> None:
    for name in ("general", "incident"):
        written(tmp_path / name / "2026-03-03.json", MESSAGES)
    with pytest.raises(
        Refusal, match=r"There are 2 channels in there: general, incident\. Name one, for example .*/general"
    ):
        chat_exports.read(tmp_path)


ODD = [
    {},
    [],
    None,
    "text",
    17,
    {"ts": None, "text": "no time"},
    {"ts": "x", "text": "no time"},
    {"ts": True, "text": "no time"},
    {"ts": "9" * 40, "text": "far"},
    {"ts": "253402300799", "text": "the end of the calendar"},
    {"ts": "1772540010.5"},
    {"ts": 1772540011.25, "text": "users are reporting errors at checkout", "user": "UNOBODY"},
    {"ts": 1772540012, "text": ["no", "text"], "user": {"id": 1}, "reactions": "x", "files": 3, "thread_ts": {}},
    {"ts": "1772540013.000000", "text": "\ud83d half a character", "subtype": "new_in_2031", "user": 5},
    {
        "ts": "1772540014.000000",
        "text": "users are reporting errors \udc00 at login",
        "user": "UADA",
        "reactions": [1, {}],
    },
    {"ts": "1772540015.000000", "bot_id": "B1", "text": "", "attachments": [{"fallback": 3, "title": "DOWN"}, 4]},
]


def test_messages_of_odd_shapes_do_no_harm(scribe: Scribe, tmp_path: Path) -> None:
    text = json.dumps(
        {
            "channel": 5,
            "users": [1, {"id": ["x"], "tz": "../../etc/passwd"}, {"id": "UX", "tz": "Nowhere/At_All"}, *USERS],
            "messages": ODD,
        }
    )
    done = scribe("import", written(tmp_path / "odd.json", text), "--suggest", "--out", ".")
    assert done.exit_code == 0
    assert "10 messages without a time left out" in done.stderr
    assert [one["ts"] for one in suggestions(tmp_path)] == ["1772540011.25", "1772540014.000000"]
    assert suggestions(tmp_path)[1]["text"] == "users are reporting errors \ufffd at login"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "this is no JSON"),
        ("{", "this is no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('"text"', "holds no list of messages"),
        ("3", "holds no list of messages"),
        ('{"messages": {}}', "holds no list of messages"),
        ('{"users": []}', "holds no list of messages"),
        ('[{"text": "x"}]', "none of its 1 messages has a time"),
        ("[" + "9" * 5000 + "]", "a number that cannot be read"),
    ],
)
def test_what_is_no_export_is_refused_in_a_sentence(scribe: Scribe, tmp_path: Path, content: str, words: str) -> None:
    done = scribe("import", written(tmp_path / "x.json", content), "--suggest")
    assert (done.exit_code, words in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_files_that_are_no_text_too_large_or_missing_are_refused(
    scribe: Scribe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.json").write_bytes(b"[\xff]")
    assert "is not UTF-8" in scribe("import", "x.json", "--suggest").stderr
    assert scribe("import", "nothing.json", "--suggest").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert "holds no Slack export" in scribe("import", "empty", "--suggest").stderr
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        packed.writestr("readme.txt", "hello")
    assert "holds no Slack export" in scribe("import", "x.zip", "--suggest").stderr
    monkeypatch.setattr(chat_exports, "LARGEST", 10)
    done = scribe("import", written(tmp_path / "large.json", EXPORT), "--suggest")
    assert (done.exit_code, "large.json is 0 MB; up to 0 MB are read" in done.stderr) == (2, True)


def test_an_empty_channel_has_no_suggestions(scribe: Scribe, tmp_path: Path) -> None:
    assert scribe("import", written(tmp_path / "x.json", []), "--suggest", "--out", ".").exit_code == 0
    assert suggestions(tmp_path) == []


# ---- recording -----------------------------------------------------------------------------------


class Desk:
    """A database with an open incident 1, and the command line beside it."""

    def __init__(self, run: Scribe, stage: Stage) -> None:
        self.run, self.stage = run, stage
        self.environment = {"SCRIBE_DATABASE": str(stage.settings.database), "SCRIBE_SECRET": SIGNING_SECRET}
        self.user = stage.workspace.add_user("grace", display_name="Grace", tz="UTC")
        self.channel = stage.workspace.add_channel("incident")
        stage.workspace.join(self.user, self.channel)
        self.types("start Checkout returns errors since 2026-03-03 12:00 UTC")

    def types(self, line: str) -> str:
        return self.stage.workspace.command(self.user, self.channel, line).text

    def imports(self, export: Path, *arguments: object) -> Result:
        return self.run("import", export, "--incident", "1", *arguments, **self.environment)

    def entries(self) -> list[tuple[Kind, str, str, str, str]]:
        """Kind, time, text, message and author of what was imported."""
        with self.stage.app.store.reading() as tx:
            incident = fold(tx.events(1), 1)
            authors = tx.people({entry.event.author for entry in incident.entries.values()})
        return [
            (entry.kind, f"{entry.at:%H:%M:%S}", entry.text, entry.event.said_in, authors[entry.event.author].name)
            for entry in incident.entries.values()
            if entry.event.said_in and entry.live
        ]


@pytest.fixture
def desk(scribe: Scribe, stage: Stage) -> Desk:
    return Desk(scribe, stage)


@pytest.fixture
def accepted(scribe: Scribe, tmp_path: Path) -> Path:
    """The suggestions of the small export, which lies beside them."""
    export = written(tmp_path / "x.slack.json", EXPORT)
    assert scribe("import", export, "--suggest", "--out", tmp_path).exit_code == 0
    return tmp_path / "suggestions.json"


def test_accepted_suggestions_are_recorded_with_their_time_author_and_message(desk: Desk, accepted: Path) -> None:
    done = desk.imports(accepted.with_name("x.slack.json"), "--accept", accepted)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "INC-1: 3 recorded, 0 recorded before, 0 refused"
    assert desk.entries() == [
        (Kind.DETECTION, "12:13:20", "users are reporting errors at checkout", "C0INC/1772540000.000100", "Ada"),
        (Kind.ACTION, "12:14:20", "restarted the pool of @Ada", "C0INC/1772540060.000200", "bob"),
        (Kind.MITIGATION, "12:14:00", "back to normal since 13:14", "C0INC/1772540120.000400", "Ada"),
    ]
    assert desk.run("verify", **desk.environment).exit_code == 0


def test_importing_again_records_nothing_twice_and_says_so(desk: Desk, accepted: Path) -> None:
    export = accepted.with_name("x.slack.json")
    desk.imports(export, "--accept", accepted)
    before = desk.entries()
    again = desk.imports(export, "--accept", accepted)
    assert again.exit_code == 0
    assert "1772540000.000100 is recorded already, as entry 2" in again.stdout
    assert again.stdout.splitlines()[-1] == "INC-1: 0 recorded, 3 recorded before, 0 refused"
    assert desk.entries() == before


def test_a_message_whose_entry_was_removed_can_be_imported_again(desk: Desk, accepted: Path) -> None:
    export = accepted.with_name("x.slack.json")
    desk.imports(export, "--accept", accepted)
    assert "removed" in desk.types("remove 3")
    assert desk.imports(export, "--accept", accepted).stdout.splitlines()[-1] == (
        "INC-1: 1 recorded, 2 recorded before, 0 refused"
    )
    assert [kind for kind, *_ in desk.entries()] == [Kind.DETECTION, Kind.MITIGATION, Kind.ACTION]


def test_a_file_changed_by_hand_is_recorded_as_it_was_changed(desk: Desk, accepted: Path) -> None:
    rows = json.loads(accepted.read_text(encoding="utf-8"))
    rows[0] |= {"kind": "cause", "text": "the pool was too small", "at": "2026-03-03T12:55:00+01:00"}
    rows[1] |= {"ts": MESSAGES[2]["ts"], "kind": "cause", "text": "and nobody knew", "at": "2026-03-03T12:20:00Z"}
    rows[2] |= {"kind": "resolution"}
    done = desk.imports(accepted.with_name("x.slack.json"), "--accept", written(accepted, rows))
    assert done.exit_code == 0
    assert [(kind, at, text) for kind, at, text, *_ in desk.entries()] == [
        (Kind.TRIGGER, "11:55:00", "the pool was too small"),
        (Kind.NOTE, "12:20:00", "and nobody knew"),
        (Kind.MITIGATION, "12:14:00", "back to normal since 13:14"),
    ]
    assert "open" in desk.types("status")


def test_an_alert_is_recorded_with_the_name_of_its_program(desk: Desk, tmp_path: Path) -> None:
    alert = {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B1",
        "username": "pager",
        "ts": "1772540000.000100",
    }
    export = written(tmp_path / "x.json", [alert | {"text": "FIRING: checkout down"}])
    row = {"ts": alert["ts"], "kind": "detection", "at": "2026-03-03T12:13:20+00:00", "text": "FIRING: checkout down"}
    assert desk.imports(export, "--accept", written(tmp_path / "s.json", [row])).exit_code == 0
    assert [(kind, said_in, author) for kind, _, _, said_in, author in desk.entries()] == [
        (Kind.DETECTION, f"{desk.channel.id}/1772540000.000100", "pager")
    ]


GOOD = {"ts": "1772540000.000100", "kind": "note", "at": "2026-03-03T13:13:20+01:00", "text": "x"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": 1}, "is no list of suggestions"),
        ([7], "entry 1 is no object"),
        ([GOOD | {"kind": "task"}], "entry 1: “task” is no kind"),
        ([GOOD | {"text": " "}], "entry 1 needs a text"),
        ([GOOD | {"text": "x" * 4001}], "entry 1 needs a text of at most 4,000 characters"),
        ([GOOD, GOOD | {"at": "2026-03-03T13:13"}], "entry 2: “2026-03-03T13:13” is no time with an offset"),
        ([GOOD | {"ts": "soon"}], "entry 1: “soon” is no message's ts"),
        ([GOOD | {"at": "2099-03-03T13:13:20Z"}], "The time of 1772540000.000100 lies ahead"),
        ([GOOD | {"ts": "1772549999.000000"}], "The export has no message 1772549999.000000"),
    ],
)
def test_suggestions_that_cannot_be_recorded_are_refused_before_anything_is(
    desk: Desk, accepted: Path, content: object, words: str
) -> None:
    done = desk.imports(accepted.with_name("x.slack.json"), "--accept", written(accepted, content))
    assert (done.exit_code, words in done.stderr, desk.entries()) == (2, True, [])


def test_what_the_record_refuses_is_said(desk: Desk, accepted: Path) -> None:
    asked = desk.stage.workspace.command(desk.user, desk.channel, "cancel a false alarm")
    desk.stage.workspace.click(desk.user, asked, "Cancel it")
    done = desk.imports(accepted.with_name("x.slack.json"), "--accept", accepted)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (2, "INC-1: 0 recorded, 0 recorded before, 3 refused")
    assert done.stderr.splitlines()[0] == "scribe: 1772540000.000100: INC-1 is cancelled."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Suggest, or record?"),
        (("--suggest", "--incident", "1"), "Suggest, or record?"),
        (("--suggest", "--accept", "suggestions.json"), "Suggest, or record?"),
        (("--incident", "1"), "Nobody is here to be asked."),
        (("--incident", "7", "--accept", "suggestions.json"), "There is no incident 7."),
        (("--incident", "x", "--accept", "suggestions.json"), "“x” is no incident number."),
    ],
)
def test_what_cannot_be_done_is_said(desk: Desk, accepted: Path, arguments: tuple[str, ...], words: str) -> None:
    done = desk.run("import", "x.slack.json", *arguments, **desk.environment)
    assert (done.exit_code, words in done.stderr) == (2, True)
    assert desk.entries() == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_at_a_terminal_each_suggestion_is_asked_about(desk: Desk, accepted: Path, tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"y\nwhat\nnote\nq\n")
        done = subprocess.run(
            [sys.executable, "-m", "bot", "import", "x.slack.json", "--incident", "1"],
            cwd=tmp_path,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **desk.environment},
            stdin=theirs,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Kinds: detection, action, hypothesis" in done.stdout
    assert done.stdout.rstrip().endswith("INC-1: 2 recorded, 0 recorded before, 0 refused")
    assert [kind for kind, *_ in desk.entries()] == [Kind.DETECTION, Kind.NOTE]
