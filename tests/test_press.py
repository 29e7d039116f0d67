"""The press: stored events in, a page of bytes out, from a process of its own that may die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.core import events as ev
from bot.core.document import Options
from bot.core.errors import Undelivered
from bot.core.events import Kind
from bot.press import Digest, Order, Press
from tests.core.builder import NAMES, OPTIONS, Record, replayed, scenario

ROOT = Path(__file__).parent.parent


def order(happened: list[ev.Event], names: dict[str, str] | None = None, **more: Any) -> Order:
    stored = tuple((one.name, *ev.to_json(one)) for one in happened)
    return Order(stored, names or NAMES, **{"options": OPTIONS, **more})


@pytest.fixture(scope="module")
def worker() -> Iterator[Press]:
    press = Press()
    yield press
    press.close()


def test_a_page_is_the_document_in_every_form_and_its_digest() -> None:
    happened, names = replayed(scenario("13"))
    options = Options(1, 2, "13.md", "13.timeline.md", "13.svg", "c0ffee")
    page = Press(inline=True).page(order(list(happened), names, options=options))
    assert page.document.decode().startswith(
        "# Login requests blocked after a web firewall upgrade\n\n*SEV2 · draft, revision 2 ·"
    )
    assert page.annex.decode().startswith("# Annex: Login requests blocked")
    assert page.svg.startswith(b"<svg ")
    assert page.png.startswith(b"\x89PNG")
    whole = json.loads(page.json)
    assert (whole["words"], whole["incident"]["revision"]) == (page.digest.words, 2)
    assert page.digest == Digest(
        title="Login requests blocked after a web firewall upgrade",
        number=1,
        severity=2,
        drill=False,
        status="resolved",
        stage="draft",
        revision=2,
        duration="7 h 28 min, 30 March 2026 07:11 BST to 30 March 2026 14:39 BST (06:11–13:39 UTC). "
        "Users were affected for 2 h 32 min, until 09:43 BST (08:43 UTC).",
        impact_duration="2 h 32 min",
        impact="Users of one agency could not sign in to their line-of-business applications; others may have been "
        "affected through a second false positive.",
        found_by="a customer at 08:56 BST (07:56 UTC), 1 h 45 min after the start.",
        root_cause="The new rule set contained rules that matched legitimate requests: the content of an analytics "
        "cookie and an Expect header sent to the login service.",
        ask="incident commander",
        entries=34,
        tasks=3,
        tasks_without_owner=0,
        open_questions=5,
        words=page.digest.words,
    )
    assert Digest(**json.loads(json.dumps(page.digest.as_json()))) == page.digest


def test_the_worker_prints_the_same_bytes_as_this_process(worker: Press) -> None:
    happened, names = replayed(scenario("01"))
    wanted = order(list(happened), names)
    assert worker.page(wanted) == Press(inline=True).page(wanted)


def test_words_that_were_destroyed_are_printed_as_such() -> None:
    record = Record()
    note = record.say(Kind.NOTE, "hunter2", at=1)
    record.mark(ev.Redacted, entry=note)
    stored = [(one.name, *ev.to_json(one)) for one in record.happened]
    stored[1] = (stored[1][0], stored[1][1], None)
    page = Press(inline=True).page(Order(tuple(stored), NAMES, OPTIONS, png=False))
    assert b"Note: \\[redacted\\]" in page.document
    assert page.png == b""
    assert b"hunter2" not in page.document + page.annex + page.json + page.svg


def test_a_worker_that_dies_is_replaced() -> None:
    press = Press()
    wanted = order(Record().happened, png=False)
    first = press.page(wanted)
    assert press._pool is not None
    (process,) = press._pool._processes.values()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert press.page(wanted) == first
    press.close()


ORPHAN = """
import sys
from bot.core.document import Options
from bot.press import Order, Press
if __name__ == "__main__":
    press = Press()
    press.page(Order((), {}, Options(), png=False))
    print("printed", flush=True)
    sys.stdin.read()
"""


def test_a_worker_ends_when_the_process_that_serves_was_killed(tmp_path: Path) -> None:
    program = tmp_path / "serving.py"
    program.write_text(ORPHAN, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT)},
    ) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline() == b"printed\n"
        serving.kill()
        # The worker holds the other end of this pipe too: it reads as ended only when both are gone.
        assert serving.communicate(timeout=20)[0] == b""


def test_a_closed_press_prints_nothing_and_may_be_closed_again() -> None:
    press = Press()
    press.close()
    press.close()
    with pytest.raises(Undelivered):
        press.page(order(Record().happened))


def test_a_defect_in_the_worker_reaches_the_caller_and_leaves_the_worker_alive(worker: Press) -> None:
    with pytest.raises(KeyError):
        worker.page(Order((("no_such_event", {}, {}),), NAMES, OPTIONS))
    assert worker.page(order(Record().happened, png=False)).digest.title == "Checkout returns errors"
