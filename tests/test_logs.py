"""The log: one line an event, with what it was about, and without a word of what people wrote."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bot import logs, settings
from bot.workspace.stage import Stage

TOKEN = "xoxb-1234567890-not-a-real-token"


class Log:
    """What is logged while a test runs, as it would stand in the log."""

    def __init__(self, lines: logging.Formatter, level: int = logging.INFO) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(lines)
        self.handler.setLevel(level)
        self.text = self.stream.getvalue

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log(logs.Lines([TOKEN]))
    root = logging.getLogger()
    level = root.level
    root.addHandler(made.handler)
    root.setLevel(logging.INFO)
    yield made
    root.setLevel(level)
    root.removeHandler(made.handler)


def plainly(message: str, *args: object, **more: Any) -> str:
    """A line as people read it."""
    record = logging.LogRecord("scribe", logging.INFO, __file__, 1, message, args, None)
    record.__dict__.update(more)
    return logs.PlainLines([TOKEN]).format(record)


@pytest.mark.parametrize("kind", [logs.Lines, logs.PlainLines])
@pytest.mark.parametrize(
    "secret", ['a "quoted" secret', 'it\'s "quoted" twice', "ein schönes Geheimnis", "back\\slash"]
)
def test_a_secret_of_whatever_characters_comes_through_in_no_way_of_writing(
    kind: type[logs.Lines], secret: str
) -> None:
    record = logging.LogRecord(
        "scribe", logging.INFO, __file__, 1, "%s|%r|%a|%r|%s", (secret, secret, secret, secret.encode(), [secret]), None
    )
    line = kind([secret]).format(record)
    assert not [word for word in re.findall(r"[a-z]{5,}", secret) if word in line]
    assert line.count("…") == 5


# ---- how a line looks ----------------------------------------------------------------------------

HOSTILE = 'x\n2026-11-21T03:06:00Z ERROR scribe: forged\r\u2028\u202e\x1b[2J\x00\ud83d"}'


def test_whatever_stands_in_a_message_it_stays_one_line(log: Log) -> None:
    server = logging.Logger("waitress")  # one of its own: half a character must not get into the report of the test
    server.addHandler(log.handler)
    with logs.about(incident="INC-1\nINC-2", request=HOSTILE):
        server.warning("a client sent %s", HOSTILE)
    assert log.text().count("\n") == 1
    assert log.text().isascii()
    (line,) = log.lines()
    assert (line["message"], line["request"]) == (f"a client sent {HOSTILE}", HOSTILE)
    with logs.about(incident="INC-1\nINC-2"):
        plain = plainly("a client sent %s", HOSTILE)
    assert len(plain.splitlines()) == 1
    assert plain.isprintable()


def test_a_line_says_when_in_utc_how_serious_and_who(log: Log) -> None:
    logging.getLogger("slack_sdk").error("it was %s", "late")
    (line,) = log.lines()
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {"level": "error", "logger": "slack_sdk", "message": "it was late", "thread": "MainThread"}


def test_a_traceback_is_a_field_or_stands_indented_below_its_line(log: Log) -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    logging.getLogger("scribe").error("it broke", exc_info=caught)
    (line,) = log.lines()
    assert line["error"].startswith("Traceback (most recent call last):\n")
    assert line["error"].endswith("ValueError: one\ntwo")
    first, *rest = plainly("it broke", exc_info=caught).splitlines()
    assert first.endswith("scribe: it broke")
    assert rest
    assert all(one.startswith("    ") for one in rest)


def test_no_token_comes_through(log: Log) -> None:
    with logs.about(request=TOKEN):
        logging.getLogger("scribe").warning("the token is %s", TOKEN, stack_info=True)
        plain = plainly("the token is %s", TOKEN)
    assert TOKEN not in log.text() + plain
    assert log.lines()[0]["message"] == "the token is …"


def test_what_is_in_hand_is_that_of_the_thread(log: Log) -> None:
    with logs.about(reference="aaaaaaaa"):
        logs.note(incident="INC-1")
        other = threading.Thread(target=lambda: logging.getLogger("scribe").info("elsewhere"), name="other")
        other.start()
        other.join()
        with logs.about(letter=7):
            logging.getLogger("scribe").info("inside")
        logging.getLogger("scribe").info("after")
    logs.note(incident="INC-9")
    logging.getLogger("scribe").info("outside")
    keys = ("message", "reference", "incident", "letter")
    assert [tuple(line.get(key) for key in keys) for line in log.lines()] == [
        ("elsewhere", None, None, None),
        ("inside", "aaaaaaaa", "INC-1", 7),
        ("after", "aaaaaaaa", "INC-1", None),
        ("outside", None, None, None),
    ]


def test_what_a_thread_dies_of_is_a_line() -> None:
    stream, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level, threading.excepthook
    try:
        logs.start(stream, as_json=True)
        dying = threading.Thread(target=lambda: 1 / 0, name="doomed")
        dying.start()
        dying.join()
    finally:
        root.handlers[:], _, threading.excepthook = before
        root.setLevel(before[1])
        logging.captureWarnings(False)
    (line,) = [json.loads(one) for one in stream.getvalue().splitlines()]
    assert line["message"] == "the thread doomed died"
    assert "ZeroDivisionError" in line["error"]


def test_how_the_log_looks_is_a_setting() -> None:
    assert [settings.read({"SCRIBE_LOG": given}, need_slack=False).log for given in ("json", "plain", "")] == [
        "json",
        "plain",
        None,
    ]
    with pytest.raises(settings.Problems, match="SCRIBE_LOG is xml: it must be json or plain"):
        settings.read({"SCRIBE_LOG": "xml"}, need_slack=False)


# ---- what is told of a request and a letter ------------------------------------------------------


def test_each_recorded_line_is_told_once_by_number_and_never_by_its_words(stage: Stage, log: Log) -> None:
    workspace = stage.workspace
    ada = workspace.add_user("ada", display_name="Ada Lovelace", tz="Europe/London")
    channel = workspace.add_channel("payments", members=[ada], bot_in=True)
    workspace.command(ada, channel, "start sev1 Zanzibar is unreachable")
    noted = workspace.command(ada, channel, "note Quagga is overloaded")
    assert noted.request is not None
    trigger = dict(parse_qsl(noted.request.body.decode()))["trigger_id"]
    workspace.redeliver(noted.request)
    workspace.command(ada, channel, "move 77 yesterday")
    workspace.command(ada, channel, "status")
    workspace.say(ada, channel, "@scribe note Walrus was restarted")
    told = [line for line in log.lines() if line["logger"] == "scribe.slack" and line["request"] != "event"]
    keys = ("request", "message", "incident", "verb", "entry", "event")
    assert [tuple(line.get(key) for key in keys) for line in told] == [
        ("command", "request: recorded", "INC-1", "started", 1, 1),
        ("command", "request: recorded", "INC-1", "note", 2, 2),
        ("command", "request: refused", None, None, None, None),
        ("command", "request: looked", None, None, None, None),
        ("mention", "request: recorded", "INC-1", "note", 3, 3),
    ]
    assert all(line["ms"] > 0 and re.fullmatch("[0-9a-f]{8}", line["reference"]) for line in told)
    assert len({line["reference"] for line in told}) == len(told)
    stage.pump()
    for word in ("Zanzibar", "Quagga", "Walrus", "Lovelace", "unreachable", trigger):
        assert word not in log.text(), word


def test_a_defect_carries_the_reference_that_the_person_sees(
    stage: Stage, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = stage.workspace
    ada = workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = workspace.add_channel("payments", members=[ada], bot_in=True)
    workspace.command(ada, channel, "start Checkout fails")
    with monkeypatch.context() as broken:
        broken.setattr("bot.scribe.decide", None)
        answer = workspace.command(ada, channel, "note it burns")
    (line,) = [line for line in log.lines() if "error" in line]
    assert line["reference"] in answer.text
    assert (line["level"], line["request"], "Traceback" in line["error"]) == ("error", "command", True)
    assert "it burns" not in log.text()


def test_the_line_of_a_letter_says_which_and_of_what_incident(stage: Stage, log: Log) -> None:
    workspace = stage.workspace
    ada = workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = workspace.add_channel("payments", members=[ada])
    workspace.command(ada, channel, "start Checkout fails")
    workspace.fail("conversations.info", error="internal_error")
    done = threading.Event()

    class OneTurn:
        """Lets the loop turn until it has nothing to send."""

        def is_set(self) -> bool:
            return done.is_set()

        def wait(self, seconds: float) -> None:
            done.set()

    stage.app.outbox.run(OneTurn())  # type: ignore[arg-type]
    told = [line for line in log.lines() if line["logger"] == "scribe.outbox"]
    (line,) = [line for line in told if line["kind"] == "arrive"]
    assert "is tried again" in line["message"]
    assert (line["incident"], line["channel"], type(line["letter"])) == ("INC-1", channel.id, int)
    assert re.fullmatch("[0-9a-f]{8}", line["reference"])
