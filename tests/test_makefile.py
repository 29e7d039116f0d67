"""The Makefile says what it can do, and can do what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.search(r"^\.PHONY:(.*)$", MAKEFILE, re.MULTILINE)

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")


def make(*arguments: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_make_alone_lists_every_target_with_a_line() -> None:
    assert TARGETS is not None
    listed = dict(line.split(maxsplit=2)[1:] for line in make().splitlines())
    assert sorted(listed) == sorted(TARGETS[1].split())
    assert make() == make("help")


def test_every_target_that_contributing_names_exists() -> None:
    assert TARGETS is not None
    said = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", ".ci/run"))
    named = set(re.findall(r"\bmake(?: --no-print-directory)? ([a-z][a-z-]+)\b(?=[`\n])", said))
    assert named - set(TARGETS[1].split()) == set()
    assert {"lint", "test"} <= named
