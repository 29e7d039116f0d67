"""What tests stand on: golden files, one press for the session, a stage with the real app on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.press import Press
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


@pytest.fixture(scope="session")
def press() -> Iterator[Press]:
    """A press in this process: quick, and the same code as in its own."""
    press = Press(inline=True)
    yield press
    press.close()


@pytest.fixture
def stage(tmp_path: Path, press: Press) -> Iterator[Stage]:
    """A workspace with the app on it, Saturday 21 November 2026, 03:06 UTC."""
    made = Stage(tmp_path, SATURDAY, press=press)
    yield made
    made.app.store.close()


@pytest.fixture
def stage_with(tmp_path: Path, press: Press) -> Iterator[Callable[..., Stage]]:
    """The same with settings of one's own."""
    made: list[Stage] = []

    def build(at: datetime = SATURDAY, **settings: Any) -> Stage:
        made.append(Stage(tmp_path / str(len(made)), at, press=press, settings=settings))
        return made[-1]

    yield build
    for one in made:
        one.app.store.close()
