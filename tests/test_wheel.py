"""The wheel, built and installed into an empty folder and used from a foreign one: what people get is complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCENARIO = "examples/incidents/13-moj-2026-waf-false-positives.yaml"


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Runs a program with next to no environment and gives its output; a failure shows both of its streams."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": os.defpath, "HOME": str(cwd), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the wheel's content; the libraries come from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps")
    run(*pip, "--target", folder, wheel, cwd=folder)
    return folder


def test_the_wheel_holds_templates_migrations_manifest_and_the_scenario_of_the_demo(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    beside = [path for folder in ("templates", "migrations") for path in sorted((ROOT / folder).rglob("*"))]
    wanted = {
        f"bot/{path.relative_to(ROOT).as_posix()}"
        for path in beside
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert {name for name in wanted if name.startswith("bot/templates/")} != set()
    assert {name for name in wanted if name.startswith("bot/migrations/")} != set()
    assert wanted | {"bot/manifest.json", f"bot/{SCENARIO}", "bot/cli.py", "bot/core/events.py"} <= inside


def test_the_wheel_holds_neither_tests_nor_anything_beside_the_package(wheel: Path) -> None:
    tops = {name.split("/")[0].split("-")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"bot", "incident_scribe"}


def test_the_installed_command_lists_its_commands(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "bin" / "scribe", "--help", cwd=tmp_path, PYTHONPATH=str(installed))
    as_module = run(sys.executable, "-m", "bot", "--help", cwd=tmp_path, PYTHONPATH=str(installed))
    assert {"serve", "demo", "replay", "export", "verify", "migrate"} <= set(said.split())
    assert said.splitlines()[1:] == as_module.splitlines()[1:]  # the first line names the program as it was called


def test_the_installed_command_replays_a_scenario_from_a_foreign_folder(installed: Path, tmp_path: Path) -> None:
    where = run(sys.executable, "-c", "import bot; print(bot.__file__)", cwd=tmp_path, PYTHONPATH=str(installed))
    assert Path(where.strip()).is_relative_to(installed)

    scenario = shutil.copy(ROOT / SCENARIO, tmp_path / "scenario.yaml")
    out = tmp_path / "out"
    said = run(sys.executable, "-m", "bot", "replay", scenario, "--out", out, cwd=tmp_path, PYTHONPATH=str(installed))
    document = Path(said.splitlines()[-1])
    assert (tmp_path / document).read_text(encoding="utf-8").startswith("# ")
    assert {path.suffix for path in out.iterdir()} >= {".md", ".json", ".svg", ".txt"}
    assert {path.name for path in tmp_path.iterdir()} == {"scenario.yaml", "out"}, "nothing is left beside --out"
