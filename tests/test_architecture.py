"""ARCHITECTURE.md, held against the code: the import table row by row, and the invariants that are absences.

Nothing of Scribe is imported here (but for the last test, in a process of its own): the source is read with `ast`.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "bot").rglob("*.py"))
HEADER = "| room | from bot | third party |"


# --- the table ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What one room may import: names of rooms (`slack.*` for all below), names of third-party packages."""

    from_bot: frozenset[str]
    third_party: frozenset[str]


def names(cell: str) -> list[str]:
    """The names in a cell: what stands in parentheses is explanation, of `slack_bolt adapter` the first word counts."""
    plain = re.sub(r"\([^)]*\)", "", cell).replace("`", "")
    words = [part.split()[0] for part in re.split(r"[,;]", plain) if part.strip()]
    return [word for word in words if word not in {"–", "-"}]


def import_table() -> dict[str, Row]:
    lines = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    table: dict[str, Row] = {}
    for line in lines[lines.index(HEADER) + 2 :]:
        if not line.startswith("|"):
            break
        rooms, from_bot, third_party = (cell.strip() for cell in line.strip("|").split("|"))
        for room in names(rooms):
            assert room not in table, f"{room} has two rows"
            table[room] = Row(frozenset(names(from_bot)), frozenset(names(third_party)))
    return table


# --- the code -------------------------------------------------------------------------------------------------------


def dotted(path: Path) -> str:
    """The module's name below `bot`: `core.times`, `slack` for the package itself, empty for `bot`."""
    parts = path.relative_to(ROOT / "bot").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import, wherever it stands (in functions and under TYPE_CHECKING too), as line and absolute name."""
    package = ["bot", *path.relative_to(ROOT / "bot").parts[:-1]]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base == "bot" or is_package(base):
                for alias in node.names:  # `from bot.slack import blocks` means bot.slack.blocks, if there is one
                    yield node.lineno, f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base
            else:
                yield node.lineno, base


def is_package(name: str) -> bool:
    return name.split(".")[0] == "bot" and (ROOT / Path(*name.split("."))).is_dir()


def is_module(name: str) -> bool:
    place = ROOT / Path(*name.split("."))
    return place.with_suffix(".py").is_file() or place.is_dir()


def room_of(module: str, rooms: set[str]) -> str | None:
    """The row for a module: its own name, else that of the closest package around it."""
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in rooms:
            return ".".join(parts[:end])
    return None


def covered(module: str, allowed: frozenset[str]) -> bool:
    return any(
        name in {"everything", module} or module.startswith(name.removesuffix("*").removesuffix(".") + ".")
        for name in allowed
    )


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a module but docstrings; the pieces of an f-string as one, with `x` for what is filled in."""
    whole = tree(path)
    seen = {id(node.value) for node in ast.walk(whole) if isinstance(node, ast.Expr)}
    for node in ast.walk(whole):
        if isinstance(node, ast.JoinedStr):
            seen.update(id(piece) for piece in node.values)
            pieces = [str(piece.value) if isinstance(piece, ast.Constant) else "x" for piece in node.values]
            yield node.lineno, "".join(pieces)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in seen:
            yield node.lineno, node.value


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the name that is called, as written: `datetime.now`, `App`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """What runs when a module is imported: everything but the insides of functions."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def module(name: str) -> Path:
    """The source of a room, whether it is a file or a package by now."""
    place = ROOT / "bot" / Path(*name.split("."))
    return place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"


# --- who may import what ----------------------------------------------------------------------------------------------


def test_the_table_is_read_whole() -> None:
    table = import_table()
    assert table["core"] == Row(frozenset({"core"}), frozenset({"dateutil"}))
    assert table["render"] == table["figure"]
    assert table["slack.listeners"].from_bot == {"core", "logs", "scribe", "slack.*"}
    assert table["web"].third_party == {"flask", "slack_bolt"}
    assert table["app"] == Row(frozenset({"everything"}), frozenset({"everything"}))


def test_every_module_has_a_row_in_the_table() -> None:
    rooms = set(import_table())
    without = [dotted(path) for path in SOURCES if path.name != "__init__.py" and not room_of(dotted(path), rooms)]
    assert without == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: dotted(path) or "bot")
def test_a_room_imports_only_what_its_row_allows(path: Path) -> None:
    table = import_table()
    room = room_of(dotted(path), set(table))
    row = table[room] if room else Row(frozenset(), frozenset())
    inside = frozenset({*row.from_bot, *([room] if room else [])})
    against = []
    for line, name in imports(path):
        top, _, rest = name.partition(".")
        if top == "bot":
            fine = not rest or covered(rest, inside)
        else:
            fine = top in sys.stdlib_module_names or covered(name, row.third_party)
        if not fine:
            against.append(f"{at(path, line)} imports {name}")
    assert against == []


def test_only_the_command_line_and_the_workspace_import_app_and_nobody_the_command_line() -> None:
    table = import_table()
    assert {room for room, row in table.items() if "app" in row.from_bot} == {"cli", "workspace", "workspace.stage"}
    assert {room for room, row in table.items() if "cli" in row.from_bot} <= {"__main__"}


def test_every_third_party_package_is_a_declared_dependency() -> None:
    import tomllib

    named = {
        "dateutil": "python-dateutil",
        "markdown_it": "markdown-it-py",
        "websocket": "websocket-client",
        "yaml": "pyyaml",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[~=<>!\[ ]", line)[0] for line in project["dependencies"]}
    used = {
        top
        for path in SOURCES
        for _, name in imports(path)
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names and top != "bot"
    }
    assert {named.get(top, top.replace("_", "-")) for top in used} <= declared


# --- what is not there ------------------------------------------------------------------------------------------------

SQL = re.compile(
    r"\b(SELECT\b.*\b(FROM|EXISTS)|UPDATE\s+\w+\s+SET|DELETE\s+FROM|DROP\s+(TABLE|INDEX)|ALTER\s+TABLE|SAVEPOINT)\b"
    r"|(?i:\b(insert\s+(or\s+\w+\s+)?into|create\s+(table|(unique\s+)?index|trigger|virtual)|begin\s+immediate)\b)"
    r"|(?i:^\s*pragma\s+\w+)",
    re.DOTALL,
)
CATCH_ALL = {"Exception", "BaseException"}


def test_only_the_store_says_sql() -> None:
    said = [
        f"{at(path, line)} says {text[:40]!r}"
        for path in SOURCES
        if path != module("store")
        for line, text in strings(path)
        if SQL.search(text)
    ]
    assert said == []


def test_only_the_store_imports_sqlite() -> None:
    importing = {dotted(path) for path in SOURCES for _, name in imports(path) if name.startswith("sqlite")}
    assert importing <= {"store"}


def test_except_exception_stands_in_two_places() -> None:
    places = []
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler):
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                if any(kind is None or ast.unparse(kind) in CATCH_ALL for kind in kinds):
                    places.append((dotted(path), at(path, node.lineno)))
    assert {room for room, _ in places} <= {"slack.listeners", "app", "outbox"}, places
    assert len(places) <= 2, places


def test_the_core_touches_nothing_outside() -> None:
    forbidden = {
        "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil", "socket",
        "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
    }  # fmt: skip
    asking = re.compile(r"(^|\.)(now|utcnow|today|localtime|gmtime|tzlocal|getenv|open|print|input)$")
    against = []
    for path in (ROOT / "bot" / "core").rglob("*.py"):
        against += [at(path, line) for line, name in imports(path) if name.partition(".")[0] in forbidden]
        against += [f"{at(path, node.lineno)} calls {name}" for node, name in calls(path) if asking.search(name)]
    assert against == []


def test_no_time_is_without_a_zone() -> None:
    against = []
    for path in SOURCES:
        for node, name in calls(path):
            naive = (
                re.search(r"\b(utcnow|utcfromtimestamp|date\.today|datetime\.today)$", name)
                or (re.search(r"\bdatetime\.now$", name) and not (node.args or node.keywords))
                or (re.search(r"\bdatetime\.fromtimestamp$", name) and len(node.args) + len(node.keywords) < 2)
            )
            if naive:
                against.append(f"{at(path, node.lineno)} calls {name}")
    assert against == []


def test_only_settings_and_the_command_line_read_the_environment() -> None:
    reading = {
        dotted(path)
        for path in SOURCES
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and any("env" in name.name for name in node.names))
    }
    assert reading <= {"settings", "cli"}


def test_importing_builds_no_app_and_opens_nothing() -> None:
    building = re.compile(r"(^|\.)(App|Flask|WebClient|Database|connect|getenv|environ\.get|Thread|Process|open)$")
    against = [
        f"{at(path, node.lineno)} calls {ast.unparse(node.func)}"
        for path in SOURCES
        for node in at_import(tree(path).body)
        if isinstance(node, ast.Call) and building.search(ast.unparse(node.func))
    ]
    assert against == []


def test_listeners_never_take_bolts_own_ways_out() -> None:
    listeners = [path for path in SOURCES if f"{dotted(path)}.".startswith("slack.listeners.")]
    assert listeners != []
    taken = []
    for path in listeners:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                taken += [
                    f"{at(path, node.lineno)} takes {argument.arg}"
                    for argument in arguments
                    if argument.arg in {"client", "say", "respond"}
                ]
            elif isinstance(node, ast.Attribute) and re.fullmatch(
                r"(context|args)\.(client|say|respond)", ast.unparse(node)
            ):
                taken.append(f"{at(path, node.lineno)} uses {ast.unparse(node)}")
    assert taken == []


def test_importing_every_module_leaves_no_trace(tmp_path: Path) -> None:
    """In a process of its own, with an empty environment and an empty folder: no file, no thread, no output."""
    program = (
        "import importlib, threading\n"
        f"for name in {[f'bot.{dotted(path)}'.rstrip('.') for path in SOURCES if path.name != '__main__.py']!r}:\n"
        "    importlib.import_module(name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
