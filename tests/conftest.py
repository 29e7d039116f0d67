"""What tests stand on: golden files, one press for the session, a stage with the real app on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.press import Order, Page, Press
from bot.workspace import Workspace
from bot.workspace.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).parent / "golden"
SATURDAY = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with tests/golden/NAME; `make golden` writes it instead."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("SCRIBE_GOLDEN") == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is not there: run make golden and look at it"
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def golden_part() -> Callable[[Path, str, str], None]:
    """Compares what stands between the marks `<!-- name -->` of a document; `make golden` writes it instead."""

    def check(path: Path, name: str, part: str) -> None:
        text = path.read_text(encoding="utf-8")
        wanted = f"<!-- {name} -->\n\n{part}\n\n<!-- /{name} -->"
        pattern = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
        if os.environ.get("SCRIBE_GOLDEN") == "write":
            text = pattern.sub(lambda _: wanted, text)
            path.write_text(text, encoding="utf-8")
        found = pattern.search(text)
        assert found is not None
        assert found[0] == wanted

    return check


class Remembering(Press):
    """A press that prints the same order once: for tests of what leaves, not of what is printed."""

    def __init__(self) -> None:
        super().__init__(inline=True)
        self.printed: dict[str, Page] = {}

    def page(self, order: Order) -> Page:
        if repr(order) not in self.printed:
            self.printed[repr(order)] = super().page(order)
        return self.printed[repr(order)]


def started_serve(
    workspace: Workspace, api_url: str, folder: Path, out: Path, log: Path, **settings: str
) -> subprocess.Popen[bytes]:
    """`scribe serve` as a process on a free port, in front of a workspace at `api_url`; its record lies in `folder`.

    Which way it hears Slack is for `settings` to say; nothing else of this environment reaches it.
    """
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_API_URL": api_url,
        "SCRIBE_DATABASE": str(folder / "scribe.db"),
        "SCRIBE_EXPORT_DIR": str(folder / "postmortems"),
        "SCRIBE_DRAFT_DELAY": "0",
        "HOST": "127.0.0.1",
        "PORT": "0",
        **settings,
    }
    with out.open("wb") as said, log.open("wb") as logged:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"], cwd=folder, env=environment, stdout=said, stderr=logged
        )


@pytest.fixture(scope="session")
def press() -> Iterator[Press]:
    """A press in this process: quick, and the same code as in its own."""
    press = Press(inline=True)
    yield press
    press.close()


class Bare(Stage):
    """A stage on which answers and documents leave and nothing else does: no board, reminder or announcement."""

    def open(self) -> App:
        return bare(super().open())


def bare(app: App) -> App:
    """The app without the rooms that have letters of their own to write."""
    app.scribe.followers.clear()
    app.outbox.then.clear()
    return app


@pytest.fixture
def kind_of_stage() -> type[Stage]:
    """Which stage the tests of a file play on; a file may name another one."""
    return Stage


@pytest.fixture
def stage(tmp_path: Path, press: Press, kind_of_stage: type[Stage]) -> Iterator[Stage]:
    """A workspace with the app on it, Saturday 21 November 2026, 03:06 UTC."""
    made = kind_of_stage(tmp_path, SATURDAY, press=press)
    yield made
    made.app.store.close()


@pytest.fixture
def stage_with(tmp_path: Path, press: Press, kind_of_stage: type[Stage]) -> Iterator[Callable[..., Stage]]:
    """The same with settings of one's own."""
    made: list[Stage] = []

    def build(at: datetime = SATURDAY, **settings: Any) -> Stage:
        made.append(kind_of_stage(tmp_path / str(len(made)), at, press=press, settings=settings))
        return made[-1]

    yield build
    for one in made:
        one.app.store.close()
