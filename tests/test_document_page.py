"""docs/document.md says what the code does: the weights of the timeline, and the figures of the budget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.core.budget import CAPS
from bot.core.document import Options
from bot.core.facts import HAPPENING
from bot.core.timeline import WEIGHTS
from bot.core.wording import LABELS, LONG
from bot.scribe import QUIET

PAGE = Path(__file__).resolve().parent.parent / "docs" / "document.md"


def test_the_page_has_the_golden_table_of_weights(golden_part: Callable[[Path, str, str], None]) -> None:
    rows = [f"| {LABELS[kind]} | {weight} |" for kind, weight in sorted(WEIGHTS.items(), key=lambda one: -one[1])]
    golden_part(PAGE, "weights", "\n".join(["| kind | weight |", "| --- | --- |", *rows]))


def test_every_kind_that_tells_what_happened_has_a_weight() -> None:
    assert set(WEIGHTS) == HAPPENING


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"{Options().least} to {Options().limit} words" in text
    assert f"more than {LONG} words" in text
    words = {3: "three", 4: "four", 5: "five"}
    for what, name in (("tasks", "tasks"), ("factors", "factors"), ("improvements", "improvements")):
        assert f"{words[CAPS[what]]} {name}" in text
    assert QUIET.total_seconds() == 600
    assert "ten quiet minutes" in text
