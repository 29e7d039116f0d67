"""The environment, read and checked."""

from __future__ import annotations

import dataclasses
import os
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import NUDGES, TABLE, Problem, Problems, Settings, days_of_tasks, nudge_times, read, secret_beside

BOT, SIGNING, APP = "xoxb-1-2-abc", "0123456789abcdef0123456789abcdef", "xapp-1-A1-2-abc"
SLACK = {"SLACK_BOT_TOKEN": BOT, "SLACK_SIGNING_SECRET": SIGNING}


def problems(**environment: str) -> list[tuple[str, str]]:
    with pytest.raises(Problems) as caught:
        read(SLACK | environment)
    return [(problem.name, problem.message) for problem in caught.value.problems]


def test_nothing_but_slack_has_to_be_set() -> None:
    assert read(SLACK) == Settings(bot_token=BOT, signing_secret=SIGNING)


def test_socket_mode_needs_no_signing_secret() -> None:
    assert read({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP}) == Settings(bot_token=BOT, app_token=APP)


def test_without_slack_nothing_has_to_be_set_and_slack_is_not_checked() -> None:
    assert read({}, need_slack=False) == Settings()
    assert read({"SLACK_BOT_TOKEN": "wrong"}, need_slack=False) == Settings(bot_token="wrong")


def test_everything_can_be_set(tmp_path: Path) -> None:
    assert read(
        {
            "SLACK_BOT_TOKEN": BOT,
            "SLACK_SIGNING_SECRET": SIGNING,
            "SLACK_APP_TOKEN": APP,
            "SLACK_API_URL": "http://127.0.0.1:9/api",
            "SCRIBE_DATABASE": "/var/lib/scribe.db",
            "SCRIBE_EXPORT_DIR": "/srv/postmortems",
            "SCRIBE_PUBLIC_URL": "https://scribe.example",
            "SCRIBE_SECRET": "sixteen letters!",
            "SCRIBE_TIMEZONE": "Europe/London",
            "SCRIBE_TEMPLATES": str(tmp_path),
            "SCRIBE_ANNOUNCE_CHANNEL": "C0123ABCD",
            "SCRIBE_DRAFT_DELAY": "0.5",
            "SCRIBE_COMMAND": "/postmortem",
            "SCRIBE_CORRECTIONS": "author",
            "SCRIBE_KEEP_CHAT_DAYS": "30",
            "SCRIBE_NUDGES": "Told=45m, busy=off",
            "SCRIBE_TASK_DAYS": "SEV1=7 none=off",
            "PORT": "8080",
            "HOST": "::1",
        }
    ) == Settings(
        bot_token=BOT,
        signing_secret=SIGNING,
        app_token=APP,
        api_url="http://127.0.0.1:9/api/",
        database=Path("/var/lib/scribe.db"),
        export_dir=Path("/srv/postmortems"),
        public_url="https://scribe.example",
        secret="sixteen letters!",
        timezone="Europe/London",
        templates=tmp_path,
        announce_channel="C0123ABCD",
        draft_delay=0.5,
        command="/postmortem",
        corrections="author",
        keep_chat_days=30,
        nudges="told=45m, busy=off",
        task_days="sev1=7 none=off",
        port=8080,
        host="::1",
    )


def test_a_platform_that_sets_the_port_reaches_the_server() -> None:
    found = read(SLACK | {"PORT": "5000"})
    assert (found.port, found.host) == (5000, "0.0.0.0")  # noqa: S104 - what is being tested


def test_an_empty_value_counts_as_absent_and_blanks_around_one_are_dropped() -> None:
    empty = {row.name: " \n" for row in TABLE}
    assert read(empty | {"SLACK_BOT_TOKEN": f" {BOT}\n", "SLACK_APP_TOKEN": f"{APP}\r\n"}) == Settings(
        bot_token=BOT, app_token=APP
    )


def test_all_problems_are_reported_at_once_with_where_to_find_the_value() -> None:
    with pytest.raises(Problems) as caught:
        read({"SCRIBE_TIMEZONE": "Mars/Olympus", "PORT": "http"})
    where = {row.name: row.where for row in TABLE}
    assert caught.value.problems == (
        Problem("SLACK_BOT_TOKEN", "is missing: without it nothing can be posted", where["SLACK_BOT_TOKEN"]),
        Problem(
            "SLACK_APP_TOKEN",
            "is missing: set it for Socket Mode, or SLACK_SIGNING_SECRET for HTTP",
            where["SLACK_APP_TOKEN"],
        ),
        Problem(
            "SCRIBE_TIMEZONE",
            "is no time zone that is known here: Mars/Olympus. One is Europe/London",
            where["SCRIBE_TIMEZONE"],
        ),
        Problem("PORT", "is http: it must be a whole number from 0 to 65535", where["PORT"]),
    )
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    assert str(caught.value).count("\n") == 3


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("xoxp-1", "a user's token"),
        ("xapp-1", "the app-level token"),
        ("xoxe.xoxb-1", "a token that rotates"),
        ("abc", "something else"),
    ],
)
def test_a_token_of_the_wrong_kind_is_named(token: str, kind: str) -> None:
    assert problems(SLACK_BOT_TOKEN=token) == [("SLACK_BOT_TOKEN", f"is {kind}: a bot's token starts with xoxb-")]


def test_a_bot_token_in_place_of_the_app_token_is_named() -> None:
    message = "is the bot's token: an app-level token starts with xapp-"
    assert problems(SLACK_APP_TOKEN=BOT) == [("SLACK_APP_TOKEN", message)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_SIGNING_SECRET", SIGNING[:-1]),
        ("SLACK_SIGNING_SECRET", APP),
        ("SLACK_API_URL", "slack.com/api"),
        ("SCRIBE_PUBLIC_URL", "scribe.example"),
        ("SCRIBE_PUBLIC_URL", "https://scribe.example/"),
        ("SCRIBE_PUBLIC_URL", "https://"),
        ("SCRIBE_PUBLIC_URL", "ftp://scribe.example"),
        ("SCRIBE_PUBLIC_URL", "https://scribe.example?a=b"),
        ("SCRIBE_PUBLIC_URL", "https://scribe example"),
        ("SCRIBE_PUBLIC_URL", "https://scribe.example:http"),
        ("SCRIBE_PUBLIC_URL", "https://[::1"),
        ("SCRIBE_SECRET", "fifteen letters"),
        ("SCRIBE_TIMEZONE", "../etc/passwd"),
        ("SCRIBE_TIMEZONE", "Europe"),
        ("SCRIBE_TEMPLATES", "/no/such/folder"),
        ("SCRIBE_ANNOUNCE_CHANNEL", "incidents"),
        ("SCRIBE_DRAFT_DELAY", "-1"),
        ("SCRIBE_DRAFT_DELAY", "nan"),
        ("SCRIBE_DRAFT_DELAY", "soon"),
        ("SCRIBE_DRAFT_DELAY", "3601"),
        ("SCRIBE_COMMAND", "incident"),
        ("SCRIBE_COMMAND", "/in cident"),
        ("SCRIBE_COMMAND", "/"),
        ("SCRIBE_CORRECTIONS", "nobody"),
        ("SCRIBE_KEEP_CHAT_DAYS", "1.5"),
        ("SCRIBE_KEEP_CHAT_DAYS", "-1"),
        ("SCRIBE_NUDGES", "yes"),
        ("SCRIBE_NUDGES", "told"),
        ("SCRIBE_NUDGES", "tolled=5m"),
        ("SCRIBE_NUDGES", "told=5"),
        ("SCRIBE_NUDGES", "told=0m"),
        ("SCRIBE_NUDGES", "told=-5m"),
        ("SCRIBE_NUDGES", "review=31d"),
        ("SCRIBE_TASK_DAYS", "on"),
        ("SCRIBE_TASK_DAYS", "sev6=7"),
        ("SCRIBE_TASK_DAYS", "sev1"),
        ("SCRIBE_TASK_DAYS", "sev1=-7"),
        ("SCRIBE_TASK_DAYS", "sev1=731"),
        ("PORT", "65536"),
        ("PORT", "٣"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    assert [found for found, _ in problems(**{name: value})] == [name]


def test_each_reminder_has_a_time_of_its_own_and_the_others_keep_theirs() -> None:
    assert nudge_times("told=45m, busy=off resolve=2h,facts=0") == (
        {name: length for name, length in NUDGES.items() if name not in ("busy", "facts")}
        | {"told": timedelta(minutes=45), "resolve": timedelta(hours=2)},
        [],
    )
    assert nudge_times("on") == (NUDGES, [])
    assert nudge_times("off") == ({}, [])


def test_an_action_item_has_as_many_days_as_its_severity_says() -> None:
    assert days_of_tasks("sev1=7, sev2=off none=30") == ({1: 7, 0: 30}, [])
    assert days_of_tasks(Settings().task_days) == ({1: 14, 2: 30, 3: 60, 4: 90, 5: 90, 0: 30}, [])
    assert days_of_tasks("off") == ({}, [])


def test_the_table_and_the_settings_are_in_step() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(Settings)}
    assert {row.field: row.default for row in TABLE} == {
        name: "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
        for name, default in fields.items()
    }
    assert len({row.name for row in TABLE}) == len(TABLE) == len(fields)


def test_what_must_stay_secret_does_not_show() -> None:
    shown = repr(read(SLACK | {"SLACK_APP_TOKEN": APP, "SCRIBE_SECRET": "sixteen letters!"}))
    assert [secret for secret in (BOT, SIGNING, APP, "sixteen letters!") if secret in shown] == []


def test_a_problem_does_not_repeat_a_secret() -> None:
    said = str(problems(SLACK_BOT_TOKEN="xoxp-very", SLACK_APP_TOKEN="very", SCRIBE_SECRET="very"))
    assert "very" not in said


def test_the_secret_that_was_given_counts(tmp_path: Path) -> None:
    assert secret_beside(tmp_path / "scribe.db", "sixteen letters!") == b"sixteen letters!"
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    database = tmp_path / "data" / "scribe.db"
    made = secret_beside(database, None)
    kept = tmp_path / "data" / "scribe.db.secret"
    assert len(bytes.fromhex(made.decode())) == 32
    assert secret_beside(database, None) == made
    assert secret_beside(database, kept.read_text().strip()) == made
    assert list(database.parent.iterdir()) == [kept]
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600


def test_those_who_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    start, found = threading.Barrier(8), set()

    def begin() -> None:
        start.wait()
        found.add(secret_beside(tmp_path / "scribe.db", None))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["scribe.db.secret"]


def test_a_file_that_holds_no_secret_is_named(tmp_path: Path) -> None:
    (tmp_path / "scribe.db.secret").write_text("\n")
    with pytest.raises(Problems, match=r"SCRIBE_SECRET is absent, and .*scribe\.db\.secret holds none"):
        secret_beside(tmp_path / "scribe.db", None)
