"""What docs/promises.md says: each promise names a fault and what shows it, and what it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMISES = (ROOT / "docs/promises.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """The rows of every table, without their headings."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in PROMISES.splitlines() if line[:1] == "|"]
    return [row for row in found if row[0] != "promise" and not set(row[0]) <= {"-", " "}]


def names_of_tests() -> set[str]:
    """The name of every test."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("test_*.py")]
    return {
        one.name
        for tree in trees
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef) and one.name[:5] == "test_"
    }


def test_each_promise_names_a_fault_what_shows_it_and_a_figure() -> None:
    assert rows()
    for row in rows():
        assert len(row) == 4, row
        assert all(row), row
        assert re.search(r"`(?:test_|make )|delivery\.md", row[2]), row


def test_what_shows_a_promise_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PROMISES))
    assert len(named) > 30
    assert named - names_of_tests() == set()
    targets = set(re.findall(r"`make ([a-z-]+)`", PROMISES))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {one for one in targets if not re.search(rf"^{one}:", makefile, re.MULTILINE)} == set()
