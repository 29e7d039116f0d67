"""`scribe serve` over Socket Mode: a process of its own, a workspace on a real websocket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.workspace import Workspace
from bot.workspace.server import WorkspaceServer

ROOT = Path(__file__).resolve().parent.parent

PATIENCE = 20.0


def eventually(true: Callable[[], bool], what: str) -> None:
    """Waits for something that another process does."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, f"{what} did not happen in {PATIENCE:.0f} s"
        time.sleep(0.05)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[WorkspaceServer, Workspace]]:
    """A workspace that `scribe serve` has connected to."""
    workspace = Workspace(clock=lambda: datetime.now(UTC))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SCRIBE_"))},
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SCRIBE_DATABASE": str(tmp_path / "scribe.db"),
        "SCRIBE_EXPORT_DIR": str(tmp_path / "postmortems"),
        "SCRIBE_DRAFT_DELAY": "0",
        "PORT": "0",
        "HOST": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
    }
    with WorkspaceServer(workspace) as server:
        environment["SLACK_API_URL"] = server.api_url
        server.attach_sockets()
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            ada = workspace.add_user("ada", display_name="Ada", tz="Europe/London")
            channel = workspace.add_channel("payments-oncall", members=[ada])
            eventually(lambda: workspace.command(ada, channel, "start Checkout returns errors").in_channel, "a start")
            yield server, workspace
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        assert workspace.app_token not in errors


def test_an_incident_is_told_and_its_draft_posted_without_any_address_of_ours(
    served: tuple[WorkspaceServer, Workspace],
) -> None:
    _, workspace = served
    noted = workspace.command("ada", "payments-oncall", "note CPU is at 100 %")
    assert noted.in_channel
    assert "#2" in noted.text
    assert workspace.command("ada", "payments-oncall", "resolve").in_channel
    eventually(
        lambda: any(
            "Postmortem draft" in message.text and "Markdown:" in message.text
            for message in workspace.messages("payments-oncall")
        ),
        "the draft",
    )


def test_a_button_and_a_mention_arrive_over_the_socket(served: tuple[WorkspaceServer, Workspace]) -> None:
    _, workspace = served
    offered = workspace.command("ada", "payments-oncall", "rolled back 4711")
    workspace.click("ada", offered, "Action")
    eventually(
        lambda: any("rolled back 4711" in m.text for m in workspace.messages("payments-oncall")), "the tapped action"
    )
