"""`scribe serve` over Socket Mode: a process of its own, a workspace on a real websocket, and what goes wrong between.

After each fault a line is answered again, and the record on disk holds every line once.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.core.incident import fold
from bot.slack.sockets import Sockets
from bot.store import Store
from bot.workspace import Answer, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.sockets import Reason
from bot.workspace.stage import Stage
from tests.conftest import started_serve

ROOT = Path(__file__).resolve().parent.parent
SECRET = "the secret that signs links and the record"
PATIENCE = 20.0


def eventually(true: Callable[[], bool], what: str) -> None:
    """Waits for something that another process does."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, f"{what} did not happen in {PATIENCE:.0f} s"
        time.sleep(0.02)


class Process:
    """`scribe serve` with an app token and no signing secret: Socket Mode is its only way to hear Slack."""

    def __init__(self, folder: Path, database: Path, workspace: Workspace, api_url: str) -> None:
        self.out, self.log = folder / "stdout.txt", folder / "stderr.txt"
        self.popen = started_serve(
            workspace,
            api_url,
            folder,
            self.out,
            self.log,
            SLACK_APP_TOKEN=workspace.app_token,
            SCRIBE_DATABASE=str(database),
            SCRIBE_SECRET=SECRET,
        )

    def health(self) -> tuple[int, dict[str, Any]]:
        """What /healthz answers: the status, and what it tells of Socket Mode."""
        eventually(lambda: "listens on" in self.out.read_text(), "the line that says where Scribe listens")
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.out.read_text())
        assert found
        with closing(http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=PATIENCE)) as connection:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())["socket_mode"]

    def connected(self) -> bool:
        return bool(self.health()[1]["connected"])

    def stop(self) -> None:
        """SIGTERM; it has to end in good order, and to have kept its tokens to itself."""
        self.popen.terminate()
        try:
            status = self.popen.wait(PATIENCE)
        finally:
            self.popen.kill()
        said = self.out.read_text() + self.log.read_text()
        assert (status, "Traceback" in said, "xapp-" in said, "ticket=" in said) == (0, False, False, False), said


class Scene:
    """A channel of its own with an incident in it, in a workspace that a process is connected to."""

    def __init__(self, server: WorkspaceServer, process: Process, database: Path) -> None:
        self.server, self.process, self.database = server, process, database
        self.sockets = server.sockets
        self.workspace: Workspace = server.workspace  # type: ignore[assignment]
        number = self.workspace.count("scene")
        self.ada = self.workspace.add_user(f"ada{number}", display_name="Ada", tz="Europe/London")
        self.channel = self.workspace.add_channel(f"payments-{number}", members=[self.ada], bot_in=True)
        self.said: list[str] = []
        self.sockets.wait(timeout=PATIENCE)
        assert self.type("start Checkout returns errors").in_channel

    def type(self, line: str) -> Answer:
        return self.workspace.command(self.ada, self.channel, line)

    def note(self) -> Answer:
        """Types the next line; what was typed is in `said`, whatever came of it."""
        self.said.append(f"line {len(self.said) + 1}")
        return self.type(f"note {self.said[-1]}")

    def mention(self) -> None:
        """Says the next line in a message to the bot: it comes as an event, which Slack sends again without an ack."""
        self.said.append(f"line {len(self.said) + 1}")
        self.workspace.subscriptions = frozenset({"app_mention"})  # not as a message too: one envelope
        self.workspace.say(self.ada, self.channel, f"@scribe note {self.said[-1]}")

    def newest(self) -> int:
        return max((one.number for one in self.sockets.connections), default=0)

    def opens(self) -> int:
        return len(self.workspace.called("apps.connections.open"))

    def recovered(self, newer_than: int) -> None:
        """There is a new connection; the next line goes over it and is answered."""
        self.sockets.wait(newer_than=newer_than, timeout=PATIENCE)
        noted = self.note()
        assert noted.in_channel, (noted.failure, noted.text)
        assert self.said[-1] in noted.text

    def recorded(self) -> list[str]:
        """The notes on disk, as another process reads them."""
        store = Store(
            self.database, migrations=ROOT / "migrations", secret=SECRET.encode(), randomness=lambda n: b"\0" * n
        )
        with closing(store), store.reading() as tx:
            place = tx.in_channel(self.workspace.team, self.channel.id)
            assert place is not None
            return [entry.text for entry in fold(tx.events(place.key)).entries.values() if "line" in entry.text]


@pytest.fixture(scope="module")
def server() -> Iterator[WorkspaceServer]:
    with WorkspaceServer(Workspace(clock=lambda: datetime.now(UTC))) as made:
        made.attach_sockets()
        yield made


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("record") / "scribe.db"


@pytest.fixture(scope="module")
def process(server: WorkspaceServer, database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process for all tests: it has to get over every one of these faults in any order."""
    made = Process(tmp_path_factory.mktemp("served"), database, server.workspace, server.api_url)  # type: ignore[arg-type]
    yield made
    made.stop()


@pytest.fixture
def scene(server: WorkspaceServer, process: Process, database: Path) -> Scene:
    return Scene(server, process, database)


# ---- the main job --------------------------------------------------------------------------------


def test_an_incident_is_told_and_its_draft_posted_without_any_address_of_ours(scene: Scene) -> None:
    noted = scene.note()
    assert noted.in_channel
    assert "#2" in noted.text
    assert scene.type("resolve at now").in_channel
    eventually(
        lambda: any(
            "Postmortem draft" in message.text and "Markdown:" in message.text
            for message in scene.workspace.messages(scene.channel)
        ),
        "the draft",
    )


def test_a_button_and_a_mention_arrive_over_the_socket(scene: Scene) -> None:
    offered = scene.type("rolled back line 4711")
    scene.workspace.click(scene.ada, offered, "Action")
    eventually(lambda: scene.recorded() == ["rolled back line 4711"], "the tapped action")
    scene.mention()
    eventually(lambda: scene.recorded() == ["rolled back line 4711", *scene.said], "the mention's note")


def test_health_tells_that_slack_is_connected_and_how_old_the_last_envelope_is(scene: Scene) -> None:
    status, socket_mode = scene.process.health()
    assert (status, socket_mode["connected"]) == (200, True)
    assert 0 <= socket_mode["last_envelope_seconds"] <= PATIENCE


# ---- connections that go -------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_no_line_is_lost_while_slack_asks_for_a_fresh_connection(scene: Scene, reason: Reason) -> None:
    newest, opens = scene.newest(), scene.opens()
    scene.sockets.disconnect(reason)
    while scene.newest() == newest:
        assert scene.note().in_channel
    scene.recovered(newest)
    assert (scene.recorded(), scene.opens()) == (scene.said, opens + 1)


def test_a_connection_that_slack_closes_is_opened_again(scene: Scene) -> None:
    newest = scene.newest()
    for one in scene.sockets.close():
        assert one.gone.wait(PATIENCE)
    scene.recovered(newest)
    assert scene.recorded() == scene.said


def test_a_connection_that_is_reset_is_opened_again(scene: Scene) -> None:
    newest = scene.newest()
    scene.sockets.reset()
    assert scene.note().failure == "dispatch_failed"  # Slack tells the person
    scene.said.clear()
    scene.recovered(newest)
    assert scene.recorded() == scene.said


def test_a_slow_and_refused_reconnect_is_tried_again(scene: Scene) -> None:
    newest = scene.newest()
    opens = scene.opens()
    scene.workspace.fail("apps.connections.open", retry_after=1)
    scene.sockets.refuse(1, status=503)
    scene.server.slow("connect", 0.2)
    scene.sockets.reset()
    scene.recovered(newest)
    limited, refused, _ = scene.workspace.called("apps.connections.open")[opens:]
    assert (refused.at - limited.at).total_seconds() >= 1  # as Retry-After says
    assert scene.recorded() == scene.said


def test_slack_away_makes_no_restart_needed_and_is_seen_in_health(scene: Scene) -> None:
    newest = scene.newest()
    scene.server.go_away()
    try:
        eventually(lambda: not scene.process.connected(), "the loss")
        assert scene.process.health()[0] == 200
    finally:
        scene.server.come_back()
    scene.recovered(newest)
    assert scene.process.connected()
    assert scene.recorded() == scene.said


# ---- envelopes that come twice, or not at all ----------------------------------------------------


def test_an_envelope_that_comes_twice_is_answered_twice_and_recorded_once(scene: Scene) -> None:
    scene.sockets.duplicate()
    assert scene.note().in_channel
    envelope = scene.sockets.envelopes[-1]["envelope_id"]
    scene.sockets.repeat(envelope)
    first, second, third = (one["payload"] for one in scene.sockets.answers_to(envelope, 3))
    assert first == second == third
    assert scene.recorded() == scene.said


def test_a_line_whose_answer_was_lost_on_the_way_is_recorded_once(scene: Scene) -> None:
    newest = scene.newest()
    scene.sockets.drop("after")
    assert scene.note().failure
    scene.recovered(newest)
    assert scene.recorded() == scene.said


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_event_that_slack_sends_again_is_recorded_once(scene: Scene, moment: Literal["before", "after"]) -> None:
    newest = scene.newest()
    scene.sockets.drop(moment)
    scene.mention()
    assert scene.recorded() == (scene.said if moment == "after" else [])
    scene.sockets.wait(newer_than=newest, timeout=PATIENCE)
    assert scene.server.resend_unacked() == 1
    assert scene.recorded() == scene.said
    scene.recovered(newest)
    assert scene.recorded() == scene.said


def test_two_processes_on_one_record_share_the_envelopes(scene: Scene, tmp_path: Path) -> None:
    second = Process(tmp_path, scene.database, scene.workspace, scene.server.api_url)
    try:
        scene.sockets.wait(2, timeout=PATIENCE)
        scene.sockets.duplicate(4)
        for _ in range(4):
            assert scene.note().in_channel
        envelopes = [one["envelope_id"] for one in scene.sockets.envelopes[-4:]]
        for envelope in envelopes:
            scene.sockets.answers_to(envelope, 2)
        assert all(set(one.sent) >= set(envelopes) for one in scene.sockets.wait(2))
        assert scene.recorded() == scene.said
    finally:
        second.stop()
    assert scene.note().in_channel


# ---- silence: in this process, where it need not take ten seconds ---------------------------------


@pytest.fixture
def impatient(stage: Stage) -> Iterator[tuple[WorkspaceServer, Sockets]]:
    """The app on a stage, connected; 0.3 seconds of silence are long."""
    with WorkspaceServer(stage.workspace) as server:
        server.attach_sockets(patience=1)
        sockets = Sockets(stage.app.bolt, stage.workspace.app_token, server.api_url, stage.clock, silence=0.3)
        sockets.start()
        server.sockets.wait(timeout=PATIENCE)
        yield server, sockets
        sockets.close()


def typed(workspace: Any, line: str) -> Answer:
    if "ada" not in {user.name for user in workspace.users.values()}:
        workspace.add_channel("ops", members=[workspace.add_user("ada", tz="Europe/London")])
    answer: Answer = workspace.command("ada", "ops", line)
    return answer


def test_a_connection_on_which_nothing_is_heard_is_noticed_and_replaced(
    impatient: tuple[WorkspaceServer, Sockets],
) -> None:
    server, sockets = impatient
    assert typed(server.workspace, "start Checkout returns errors").in_channel
    (frozen,) = server.sockets.freeze()
    server.sockets.wait(newer_than=frozen.number, timeout=PATIENCE)
    assert frozen.gone.wait(PATIENCE)
    assert typed(server.workspace, "note it goes on").in_channel
    assert sockets.connected()


def test_a_connection_on_which_slack_only_pings_is_kept(impatient: tuple[WorkspaceServer, Sockets]) -> None:
    server, _ = impatient
    (quiet,) = server.sockets.connections
    for count in range(1, 9):  # ten times as long as it takes to lose patience
        quiet.ping()
        eventually(lambda count=count: quiet.pongs >= count, "the pong")  # type: ignore[misc]
        quiet.gone.wait(0.1)
    assert server.sockets.connections == [quiet]


def test_a_handshake_that_is_never_answered_is_given_up(impatient: tuple[WorkspaceServer, Sockets]) -> None:
    server, _ = impatient
    (old,) = server.sockets.connections
    server.slow("connect", 3)
    server.sockets.reset()
    since = time.monotonic()
    server.sockets.wait(newer_than=old.number, timeout=PATIENCE)
    assert time.monotonic() - since < 3
    assert typed(server.workspace, "start Checkout returns errors").in_channel
