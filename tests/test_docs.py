"""The README says what the program does: every verb, command and setting, from the tables the program reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli import cli
from bot.core.grammar import TABLE
from bot.settings import TABLE as SETTINGS

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def verb_table() -> str:
    """The verbs as a Markdown table."""
    rows = ["| type | also | records |", "| --- | --- | --- |"]
    for row in TABLE:
        also = ", ".join(f"`{word}`" for word in row.also)
        rows.append(f"| `{_cell(row.usage)}` | {also} | {_cell(row.records)} |")
    return "\n".join(rows)


def settings_table() -> str:
    """The settings as a Markdown table."""
    rows = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for one in SETTINGS:
        default = f"`{one.default}`" if one.default else "–"
        rows.append(f"| `{one.name}` | {default} | {_cell(one.meaning)} |")
    return "\n".join(rows)


@pytest.mark.parametrize(("name", "table"), [("verbs", verb_table), ("settings", settings_table)])
def test_the_readme_has_the_golden_table_that_the_program_reads(
    name: str, table: Callable[[], str], golden_part: Callable[[Path, str, str], None]
) -> None:
    golden_part(README, name, table())


def test_the_readme_names_every_command_and_its_options() -> None:
    text = README.read_text(encoding="utf-8")
    documented = {line.split("`")[1].split()[1]: line for line in text.splitlines() if line.startswith("| `scribe ")}
    assert sorted(documented) == sorted(cli.commands)
    for name, command in cli.commands.items():
        for parameter in command.params:
            for option in (o for o in parameter.opts if o.startswith("--")):
                assert option in documented[name], f"{option} of scribe {name}"


def test_the_readme_names_the_two_commands() -> None:
    assert {"make demo", "make test"} <= {
        line.split("#")[0].strip() for line in README.read_text(encoding="utf-8").splitlines()
    }


def test_every_relative_link_of_the_documents_leads_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
