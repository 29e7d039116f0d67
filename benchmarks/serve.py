"""How long a line takes while sixteen people talk, and whether that grows with the record: `make benchmark-serve`.

One incident, 16 clients, 200 lines each, over HTTP to `scribe serve`: as slash commands and as mentions, to one process
and to two on one database. The last columns compare the end of an incident with its beginning in the same run, so that
they do not depend on the machine: a line must not cost more because its incident is long.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bot.workspace import Workspace
from bot.workspace.server import WorkspaceServer
from tests.clients import Answered, Body, all_talk, as_command, as_mention, listening, percentile
from tests.conftest import started_serve

CLIENTS, LINES = 16, 200
SHARE = 0.1
"""The part of the lines that counts as the beginning, and as the end."""
CONSTANT = 1.5
"""A ratio above this is marked."""
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  invented, opens nothing


def measure(said: Body, processes: int, lines: int) -> tuple[list[Answered], float, dict[str, float]]:
    """The answers, the seconds that all took, and how long some looks take at the end (seconds)."""
    workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SECRET)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(WorkspaceServer(workspace))
        ports = []
        for number in range(processes):
            own = folder / str(number)
            own.mkdir()
            settings = {
                "SLACK_SIGNING_SECRET": SECRET,
                "SCRIBE_DATABASE": str(folder / "scribe.db"),
                "SCRIBE_SECRET": SECRET,
            }
            process = started_serve(workspace, server.api_url, own, own / "out", own / "log", **settings)
            stack.callback(_stop, process)
            ports.append(listening(own / "out"))
        people = [workspace.add_user(f"person-{number}", tz="UTC") for number in range(CLIENTS)]
        channel = workspace.add_channel("payments", members=people, bot_in=True)
        server.attach_http(f"http://127.0.0.1:{ports[0]}")
        if not workspace.command(people[0], channel, "start Checkout is down").in_channel:
            raise SystemExit("the incident could not be opened")
        begun = time.perf_counter()
        answers = all_talk(workspace, channel, people, ports, lines, said)
        took = time.perf_counter() - begun
        looks = {}
        for line in ("status", "timeline", "gaps"):
            begun = time.perf_counter()
            workspace.command(people[0], channel, line)
            looks[line] = time.perf_counter() - begun
    return answers, took, looks


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(20)


def row(answers: Sequence[Answered], took: float) -> str:
    """Entries a second, milliseconds, and the end against the beginning."""
    in_order = [one.seconds for one in sorted(answers, key=lambda one: one.begun)]
    part = max(1, int(len(in_order) * SHARE))
    first, last = in_order[part // 2 : part + part // 2], in_order[-part:]  # the very first ones warm up
    ratio = percentile(last, 0.5) / percentile(first, 0.5)
    numbers = [percentile(in_order, 0.5), percentile(in_order, 0.99), max(in_order)]
    refused = sum(one.status != 200 for one in answers)
    mark = "  dearer as the incident grows" if ratio > CONSTANT else ""
    each = "".join(f"{number * 1000:9.0f}" for number in numbers)
    return f"{len(answers) / took:10.0f}{each}{refused:9}{ratio:12.2f}{mark}"


def main(lines: int = LINES) -> int:
    """Prints the table."""
    print(f"{CLIENTS} clients, {lines} lines each; milliseconds\n")
    print(f"{'':24}{'entries/s':>10}{'p50':>9}{'p99':>9}{'slowest':>9}{'refused':>9}{'end/begin':>12}")
    for processes in (1, 2):
        for said, words in ((as_command, "commands"), (as_mention, "mentions")):
            answers, took, looks = measure(said, processes, lines)
            print(f"{words + f', {processes} process' + 'es' * (processes > 1):24}{row(answers, took)}", flush=True)
    seen = ", ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in looks.items())
    print(f"\nLooks at an incident of {CLIENTS * lines:,} entries: {seen}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
