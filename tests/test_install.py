"""How Scribe is installed: what people are told to type exists; Dockerfile, unit and Procfile start it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path

import pytest

from bot import app, settings
from bot.cli import cli
from bot.core.grammar import find
from bot.web import MAX_BODY
from bot.workspace.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
INSTALL = ROOT / "docs" / "install.md"
DOCKERFILE = ROOT / "Dockerfile"
UNIT = ROOT / "docs" / "scribe.service"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DEPLOYMENT = [DOCKERFILE, UNIT, ROOT / "Procfile"]

NAMES = {row.name for row in settings.TABLE}
OF_OTHERS = {"ARGS", "NAME", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "HTTPS_PROXY", "RAILWAY_RUN_UID"}
"""Variables that somebody else reads (Python, a library, a platform), and the word that stands for any."""

OF_THE_TESTS = {"SCRIBE_GOLDEN"}
"""Read by the tests, so a document for contributors may name it."""

GRACE = 10
"""Seconds in which `scribe serve` promises to be gone after SIGTERM."""


def blocks(text: str) -> list[str]:
    """The fenced blocks of a document, without their fences."""
    return [block.strip("\n") for block in re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)]


def section(title: str) -> str:
    """What stands under a heading of docs/install.md, up to the next heading of any rank."""
    pattern = rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)"
    found = re.search(pattern, INSTALL.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def typed(text: str) -> Iterator[str]:
    """What a document shows as typed: the lines of its blocks, joined where they go on, and its code spans."""
    for block in blocks(text):
        yield from re.sub(r"\s*\\\n\s*", " ", block).splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE))


def calls(line: str) -> Iterator[tuple[str, list[str]]]:
    """The calls of `scribe` in a line: the command, and the options it is given."""
    words = re.split(r"\s+", re.split(r"\s#|[|;&]", line)[0].strip())
    for at, word in enumerate(words[:-1]):
        if word.rpartition("/")[2] == "scribe" and re.fullmatch(r"[a-z]+", words[at + 1]) and words[at + 1] != "scribe":
            yield words[at + 1], [re.sub(r"[\]\[].*", "", one) for one in words[at + 2 :] if one.startswith("--")]


# ---- what the documents say ----------------------------------------------------------------------


def test_the_calls_of_scribe_are_found_where_they_stand() -> None:
    assert list(calls("docker exec scribe scribe export --all --format json  # everything")) == [
        ("export", ["--all", "--format"])
    ]
    assert list(calls("sudo install -o scribe -g scribe /opt/scribe")) == []
    assert list(typed("a `one` b\n\n```\ntwo \\\n  three\n```\n")) == ["two three", "one"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_tells_people_to_type_exists(document: Path) -> None:
    for line in typed(document.read_text("utf-8")):
        for name, options in calls(line):
            assert name in cli.commands, line
            known = {option for one in cli.commands[name].params for option in one.opts}
            assert set(options) - known == set(), line


def test_the_way_from_nothing_to_a_running_bot_names_the_commands_it_needs() -> None:
    named = {name for line in typed(INSTALL.read_text("utf-8")) for name, _ in calls(line)}
    assert {"serve", "doctor", "verify", "migrate", "export"} <= named


@pytest.mark.parametrize("document", [*DOCUMENTS, *DEPLOYMENT], ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    named = set(re.findall(r"\b(?:SCRIBE|SLACK)_[A-Z_]*[A-Z]\b", text))
    assigned = {name for line in typed(text) for name in re.findall(r"(?:^|\s)([A-Z][A-Z_]+)=", line)}
    assert named - NAMES - OF_THE_TESTS == set()
    assert assigned - NAMES - OF_OTHERS - OF_THE_TESTS == set()


def test_every_incident_line_begins_with_a_verb() -> None:
    without_a_verb = []
    for line in typed(INSTALL.read_text("utf-8")):
        if (found := re.match(r"/incident +(\S+)", line)) and find(found[1]) is None:
            without_a_verb.append(line)
    assert without_a_verb == ["/incident rolled back 4711"]  # the step about a line without a verb


def test_every_link_into_a_section_leads_to_a_heading() -> None:
    for document in DOCUMENTS:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", document.read_text("utf-8")):
            text = ((document.parent / target) if target else document).read_text("utf-8")
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
            assert anchor in anchors, f"{document.name}: {target}#{anchor}"


def test_the_first_words_are_all_recorded_and_end_with_the_draft(stage: Stage) -> None:
    ada = stage.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = stage.workspace.add_channel("sandbox", members=[ada])
    (words,) = blocks(section("First words"))
    answered = []
    for line in words.splitlines():
        answer = stage.workspace.command(ada, channel, line.removeprefix("/incident "))
        answered.append((line, answer.in_channel, "Ruled out: the deploy of this morning" in answer.text))
        stage.pump()
        stage.clock.advance(timedelta(seconds=100))
    assert answered == [(line, True, "ruledout" in line) for line in words.splitlines()]
    stage.settle()
    assert [one for one in stage.workspace.messages(channel) if "Postmortem draft" in one.text] != []
    assert stage.workspace.bot_user in channel.members, "no invitation is needed in a public channel"


def test_the_check_list_counts_the_scopes_of_the_manifest() -> None:
    manifest = json.loads((ROOT / "manifest.json").read_text("utf-8"))
    counted = re.search(r"(\d+) bot scopes", section("What was never verified against real Slack"))
    assert counted is not None
    assert int(counted[1]) == len(manifest["oauth_config"]["scopes"]["bot"])


def test_the_manifest_for_http_has_one_address_in_all_places(tmp_path: Path) -> None:
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("jq is not installed here; the document's line is written for it")
    (line,) = [one for one in blocks(section("HTTP")) if one.startswith("jq ")]
    shutil.copy(ROOT / "manifest.json", tmp_path)
    made = json.loads(subprocess.run(shlex.split(line), cwd=tmp_path, capture_output=True, check=True).stdout)

    url = "https://scribe.example.com/slack/events"
    wanted = json.loads((ROOT / "manifest.json").read_text("utf-8"))
    wanted["settings"]["socket_mode_enabled"] = False
    for place in (wanted["settings"]["event_subscriptions"], wanted["settings"]["interactivity"]):
        place["request_url"] = url
    wanted["features"]["slash_commands"][0]["url"] = url
    assert made == wanted


def test_the_reverse_proxies_let_through_what_scribe_takes_and_lead_to_where_it_listens() -> None:
    caddy, nginx = (one for one in blocks(section("HTTP")) if "scribe.example.com {" in one or "server {" in one)
    default = settings.Settings()
    assert f"reverse_proxy {default.host}:{default.port}" in caddy
    assert set(re.findall(r"proxy_pass http://([^;]+);", nginx)) == {f"{default.host}:{default.port}"}
    assert ("max_size 1MiB" in caddy, "client_max_body_size 1m;" in nginx, MAX_BODY) == (True, True, 1024 * 1024)


# ---- the environment files -----------------------------------------------------------------------


def environment_file(text: str) -> dict[str, str]:
    """The settings of an env file, as Docker reads it: as they stand, quotes and all."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def test_the_env_file_of_the_shell_is_one_that_scribe_takes() -> None:
    (block,) = [one for one in blocks(section("Socket Mode")) if "cat > .env" in one]
    given = environment_file(block[block.index("\n", block.index("<<")) : block.index("\nEND")])
    read = settings.read(given)
    assert (read.bot_token, read.app_token, read.timezone) == ("xoxb-…", "xapp-…", "Europe/London")


def test_the_env_file_of_the_unit_keeps_everything_in_its_state_directory() -> None:
    _, _, after = INSTALL.read_text("utf-8").partition("<!-- scribe.env -->")
    read = settings.read(environment_file(blocks(after)[0]))
    (state,) = unit()["Service"]["StateDirectory"]
    kept = Path("/var/lib") / state
    assert read.app_token is not None
    assert (read.database.parent, read.export_dir.parent) == (kept, kept)


# ---- Dockerfile ----------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile and what they are given; lines that go on are joined, comments left out."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(name, rest.strip()) for name, rest in re.findall(r"^([A-Z]+) (.+)$", whole, re.MULTILINE)]


def image() -> dict[str, list[str]]:
    """The instructions of the last stage, which is the image that people run."""
    found: dict[str, list[str]] = {}
    for name, rest in instructions():
        found = {} if name == "FROM" else found
        found.setdefault(name, []).append(rest)
    return found


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in image()["ENV"] for pair in shlex.split(line))


def copied() -> list[str]:
    """What is copied out of the checkout."""
    sources: list[str] = []
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from="):
            sources += rest.split()[:-1]
    return sources


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the build: its last line that fits decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        rule = line.removeprefix("!")
        if line and not line.startswith("#"):
            parts = path.split("/")
            upto = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
            anywhere = rule.removeprefix("**/")
            if any(fnmatch(one, rule) and one.count("/") == rule.count("/") for one in upto) or (
                anywhere != rule and any(fnmatch(part, anywhere) for part in parts)
            ):
                out = not line.startswith("!")
    return out


def test_the_image_is_built_from_what_is_copied_and_nothing_secret_gets_in() -> None:
    assert [one for one in copied() if not (ROOT / one).exists() or ignored(one)] == []
    assert [ignored(one) for one in (".env", "data/scribe.db", ".git/config", "tests/conftest.py")] == [True] * 4
    assert (ignored("bot/cli.py"), ignored("bot/__pycache__/cli.cpython-311.pyc")) == (False, True)


def test_the_wheel_can_be_built_from_what_is_copied(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [
        "pyproject.toml",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *wheel["packages"],
        *wheel["force-include"],
    ]
    there = [Path(one) for one in copied()]
    assert [one for one in needed if not any(Path(one).is_relative_to(given) for given in there)] == []

    context = tmp_path / "src"
    for one in copied():
        target = context / one
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / one).is_dir():
            shutil.copytree(ROOT / one, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / one, target)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(context)]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("*.whl"))) == 1


def test_the_image_has_a_python_that_scribe_runs_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bases = {rest.split()[0] for name, rest in instructions() if name == "FROM"}
    assert len(bases) == 1, "what is built in one Python runs in the other"
    found = re.fullmatch(r"python:(3\.\d+)-slim-[a-z]+", bases.pop())
    assert found is not None
    assert f"Programming Language :: Python :: {found[1]}" in project["classifiers"]


def test_the_image_serves_without_a_shell_in_between_and_not_as_root() -> None:
    made = image()
    (entry,), (command,) = made["ENTRYPOINT"], made["CMD"]
    assert [*json.loads(entry), *json.loads(command)] == ["scribe", "serve"]
    (user,) = made["USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "a number, so that a platform can see that it is not root"
    names = [name for name, _ in instructions()]
    assert "VOLUME" not in names
    number = user.partition(":")[0]
    assert f"-o {number} -g {number}" in section("In a container"), "whoever mounts a folder is told whose it has to be"


def test_the_image_keeps_the_record_on_its_volume_and_listens_for_its_port() -> None:
    given = {name: value for name, value in image_environment().items() if name not in OF_OTHERS}
    read = settings.read(given, need_slack=False)
    assert set(given) <= NAMES
    assert (read.database, read.export_dir) == (Path("/data/scribe.db"), Path("/data/postmortems"))
    assert (read.host, [str(read.port)]) == ("0.0.0.0", image()["EXPOSE"])  # noqa: S104 - a container's own addresses
    assert "-v scribe-data:/data" in section("In a container")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`scribe serve` on a port of its own; nothing answers where it takes Slack to be."""
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | {
        "SLACK_BOT_TOKEN": "xoxb-not-a-real-token",
        "SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "SCRIBE_DATABASE": str(tmp_path / "scribe.db"),
        "SCRIBE_EXPORT_DIR": str(tmp_path / "postmortems"),
        "PORT": "0",
        "HOST": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"listens on http://127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found is not None, "it did not start"
            yield process, int(found[1])
        finally:
            process.terminate()


def test_the_health_check_of_the_image_tells_a_server_from_none(serving: tuple[subprocess.Popen[str], int]) -> None:
    process, port = serving
    (check,) = image()["HEALTHCHECK"]
    command = json.loads(check[check.index("CMD") + 3 :])
    assert command[0] == "python"

    def healthy() -> int:
        asked = [sys.executable, *command[1:]]
        # a proxy that is set for Slack is not asked
        given = {"PORT": str(port), "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
        return subprocess.run(asked, env=given, capture_output=True, check=False, timeout=10).returncode

    assert healthy() == 0
    began = time.monotonic()
    process.terminate()
    assert process.wait(GRACE) == 0
    assert time.monotonic() - began < GRACE
    assert healthy() != 0


# ---- systemd, Procfile ---------------------------------------------------------------------------


def unit() -> dict[str, dict[str, list[str]]]:
    """The sections of the unit; a name may be given more than once."""
    found: dict[str, dict[str, list[str]]] = {}
    part: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            part = found.setdefault(heading[1], {})
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            part.setdefault(name, []).append(value)
    return found


def test_the_unit_serves_as_a_user_of_its_own_with_settings_that_only_root_reads() -> None:
    service = unit()["Service"]
    (started,) = service["ExecStart"]
    assert list(calls(started)) == [("serve", [])]
    assert (service["User"], service["EnvironmentFile"]) == (["scribe"], ["/etc/scribe.env"])
    assert set(dict(pair.split("=", 1) for pair in service["Environment"])) <= NAMES | OF_OTHERS
    lines = section("With systemd")
    for told in ("install -m 600 /dev/null /etc/scribe.env", "venv /opt/scribe", "cp docs/scribe.service"):
        assert told in lines
    assert started.startswith("/opt/scribe/bin/")


def test_whoever_stops_scribe_gives_it_the_time_it_takes_to_finish() -> None:
    (seconds,) = unit()["Service"]["TimeoutStopSec"]
    docker = re.search(r"--stop-timeout (\d+)", section("In a container"))
    assert docker is not None
    assert app.GRACE_SECONDS < GRACE < min(int(seconds), int(docker[1]))
    assert unit()["Service"]["KillMode"] == ["mixed"], "the worker with a document in hand hears no SIGTERM"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here")
    program = tmp_path / "scribe"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    here = tmp_path / "scribe.service"
    here.write_text(UNIT.read_text("utf-8").replace("/opt/scribe/bin/scribe", str(program)))
    done = subprocess.run([analyze, "verify", str(here)], capture_output=True, text=True, check=False, timeout=15)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_procfile_serves() -> None:
    kind, _, command = (ROOT / "Procfile").read_text("utf-8").strip().partition(": ")
    assert kind == "web"
    assert list(calls(command)) == [("serve", [])]
