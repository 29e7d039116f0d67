"""Images and files of captured messages: fetched as private as they are, kept, shown, hidden, destroyed."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from bot import attachments
from bot.cli import cli
from bot.core import commands as cmd
from bot.core import events as ev
from bot.core import media
from bot.core.answers import Heard, Recorded
from bot.core.errors import Undelivered
from bot.core.events import Kind
from bot.core.incident import Entry, Incident, fold
from bot.core.record import Letter, Place
from bot.core.times import When
from bot.slack import files as wording
from bot.slack.client import OverHTTP, Slack
from bot.workspace import Channel, Message, User, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import SIGNING_SECRET, Stage
from tests.conftest import started_serve
from tests.test_blocks import HOSTILE, of_message

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0" + bytes(range(256)) * 4
JPEG = b"\xff\xd8\xff\xe1\0\x22Exif\0\0GPS 51.5 N 0.1 W" + bytes(range(256))
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n<html><script>alert(1)</script>"
SITE = "https://scribe.example"
PATIENCE = 60.0


class Cast:
    """Two people in a channel with an incident, and a hand that captures messages with all that came with them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ada = stage.workspace.add_user("ada", display_name="Ada")
        self.ben = stage.workspace.add_user("ben", display_name="Ben")
        self.channel = stage.workspace.add_channel("payments", members=[self.ada, self.ben])
        self.type("start sev2 Checkout fails")

    def type(self, *lines: str, who: User | None = None) -> Any:
        for line in lines:
            answer = self.stage.workspace.command(who or self.ada, self.channel, line)
            assert answer.ok, answer.failure
            self.stage.pump()
        return answer

    def shared(self, name: str, content: bytes, *, captured: bool = True, text: str = "the graph", **more: Any) -> int:
        """Ben shares a file, and Ada captures it; gives the entry."""
        message = self.stage.workspace.share_file(self.ben, self.channel, name, content, text)
        return self.capture(message, **more) if captured else 0

    def capture(self, message: Message, kind: Kind = Kind.NOTE, *, pump: bool = True, times: int = 1) -> int:
        said_in = f"{self.channel.id}/{message.ts}"
        command = cmd.Record(
            kind=kind, text=message.text, when=When(self.stage.clock(), "UTC"), said_in=said_in, author=self.ben.id
        )
        objects = self.stage.workspace.message_json(message)["files"] * times
        attached = self.stage.app.attachments

        def then(tx: Any, done: Recorded) -> None:
            tx.enqueue(attached.wanted(done.place, done.happened[-1].entry, objects))  # type: ignore[attr-defined]

        heard = Heard(self.stage.workspace.team, self.channel.id, self.ada.id, f"{said_in} {kind}", quiet=True)
        outcome = self.stage.app.scribe.handle(command, heard, then=then)
        assert isinstance(outcome, Recorded)
        if pump:
            self.stage.pump()
        number: int = outcome.happened[-1].entry  # type: ignore[attr-defined]
        return number

    @property
    def place(self) -> Place:
        with self.stage.app.store.reading() as tx:
            found = tx.by_number(self.stage.workspace.team, 1)
        assert found is not None
        return found

    def incident(self) -> Incident:
        key = self.place.key
        with self.stage.app.store.reading() as tx:
            return fold(tx.events(key), 1)

    def entry(self, number: int) -> Entry:
        return self.incident().entries[number]

    def kept(self) -> dict[str, bytes]:
        """The bytes that are there, by digest."""
        kept = attachments.Kept(self.stage.app.store)
        found = {digest: kept.content(self.place.key, digest) for digest in kept.digests(self.place.key)}
        return {digest: content for digest, content in found.items() if content is not None}

    def whispers(self, who: User | None = None) -> list[str]:
        said = (self.stage.workspace.text(one) for one in self.stage.workspace.ephemerals(who or self.ada))
        return [one for one in said if "📎" in one]

    def letters(self, state: str) -> list[str]:
        with self.stage.app.store.reading() as tx:
            return [one.kind for one, _ in tx.letters(state) if one.kind in (attachments.KIND, attachments.TELL)]

    def exported(self) -> Path:
        """The folder of postmortems, once all that is due was written."""
        self.stage.settle()
        return self.stage.settings.export_dir


@pytest.fixture
def play(stage: Stage) -> Cast:
    return Cast(stage)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def calls(play: Cast) -> list[str]:
    return [one.method for one in play.stage.workspace.calls if one.method in ("files.info", "download")]


# ---- kept ----------------------------------------------------------------------------------------


def test_an_image_of_a_captured_message_is_kept_as_it_is(play: Cast) -> None:
    entry = play.entry(play.shared("graph.png", PNG))
    (one,) = entry.files
    assert (one.digest, one.media_type, one.size, one.file, one.unkept) == (
        digest(PNG),
        "image/png",
        len(PNG),
        "graph.png",
        "",
    )
    assert play.kept() == {digest(PNG): PNG}
    assert calls(play) == ["files.info", "download"]
    assert play.whispers() == []


def test_no_file_is_made_public_not_for_a_moment(play: Cast) -> None:
    """PEERS.md, defect 14: others call files.sharedPublicURL, fetch the image, and revoke the address again."""
    for name, content in {"graph.png": PNG, "photo.jpg": JPEG, "report.pdf": PDF}.items():
        play.shared(name, content)
    play.type("resolve fixed")
    play.stage.settle()
    assert len(play.kept()) == 3
    assert not [one for one in play.stage.workspace.calls if "public" in one.method.casefold()]
    assert {one.token for one in play.stage.workspace.calls if one.method == "download"} == {
        play.stage.workspace.bot_token
    }
    assert not [
        path for path in Path(attachments.__file__).parent.rglob("*.py") if "sharedPublicURL" in path.read_text()
    ]


def test_photos_keep_every_byte(play: Cast) -> None:
    play.shared("photo.jpg", JPEG)
    assert play.kept()[digest(JPEG)] == JPEG


def test_a_file_is_what_it_is_and_not_what_it_is_called(play: Cast) -> None:
    (one,) = play.entry(play.shared("errors.log", PNG)).files
    assert one.media_type == "image/png"


def test_a_reaction_to_a_message_keeps_its_files_a_second_one_does_not_keep_them_twice(play: Cast) -> None:
    ws = play.stage.workspace
    message = ws.share_file(play.ben, play.channel, "graph.png", PNG, "p99 is up")
    for who, sign in ((play.ada, "pushpin"), (play.ben, "pushpin"), (play.ada, "star")):
        ws.react(who, play.channel, message, sign)
        play.stage.settle()
    (number,) = [one.number for one in play.incident().entries.values() if one.event.said_in]
    entry = play.entry(number)
    assert (entry.text, entry.starred, [one.digest for one in entry.files]) == ("p99 is up", True, [digest(PNG)])
    assert calls(play) == ["files.info", "download"]


def test_a_reaction_in_a_thread_keeps_the_files_of_the_reply(play: Cast) -> None:
    ws = play.stage.workspace
    root = ws.share_file(play.ben, play.channel, "root.pdf", PDF, "the report")
    reply = ws.say(play.ben, play.channel, "and the graph", thread_ts=root.ts)
    reply.files.append(ws.share_file(play.ben, play.channel, "graph.png", PNG).files[0])
    ws.react(play.ada, play.channel, reply, "pushpin")
    play.stage.settle()
    assert play.kept() == {digest(PNG): PNG}


def test_nothing_is_asked_while_somebody_waits(play: Cast) -> None:
    message = play.stage.workspace.share_file(play.ben, play.channel, "graph.png", PNG)
    before = len(play.stage.workspace.calls)
    play.capture(message, pump=False)
    assert len(play.stage.workspace.calls) == before


def test_one_image_twice_in_an_incident_lies_there_once(play: Cast) -> None:
    first, second = play.shared("graph.png", PNG), play.shared("again.png", PNG)
    assert [len(play.entry(number).files) for number in (first, second)] == [1, 1]
    assert play.kept() == {digest(PNG): PNG}


def test_a_letter_holds_no_name_of_a_file(play: Cast) -> None:
    message = play.stage.workspace.share_file(play.ben, play.channel, "password hunter2.png", PNG)
    play.capture(message, pump=False)
    with play.stage.app.store.reading() as tx:
        bodies = [json.dumps(one.body) for one, _ in tx.letters("waiting") if one.kind == attachments.KIND]
    assert len(bodies) == 1
    assert "hunter2" not in bodies[0]


# ---- not kept ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "unkept", "downloaded"),
    [
        ("clip.mp4", b"\0\0\0\x18ftypmp42", "kind", False),
        ("logs.zip", b"PK\3\4", "kind", False),
        ("page.html", b"<!doctype html><script>alert(1)</script>", "kind", False),
        ("drawing.svg", b"<svg onload='alert(1)'/>", "kind", False),
        ("drawing.png", b"<svg onload='alert(1)'/>", "kind", True),
        ("setup.log", b"MZ\x90\0\3", "kind", True),
    ],
)
def test_what_is_not_kept_is_named_and_told_once(
    play: Cast, name: str, content: bytes, unkept: str, downloaded: bool
) -> None:
    number = play.shared(name, content)
    play.stage.settle()
    (one,) = play.entry(number).files
    assert (one.file, one.digest, one.unkept, one.size) == (name, "", unkept, len(content))
    assert play.kept() == {}
    assert calls(play) == ["files.info", *(["download"] if downloaded else [])]
    (told,) = play.whispers()
    assert told.startswith(f"📎 “{name}”")
    assert play.whispers(play.ben) == []


def test_a_file_that_is_too_large_is_named_and_not_fetched(stage_with: Callable[..., Stage]) -> None:
    play = Cast(stage_with(file_limit=1))
    number = play.shared("dump.txt", b"x" * 1_000_001)
    fits = play.shared("fits.txt", b"x" * 1_000_000)
    assert [one.unkept for one in (*play.entry(number).files, *play.entry(fits).files)] == ["size", ""]
    assert calls(play).count("download") == 1
    (told,) = play.whispers()
    assert "1.0 MB) is named in entry 2 of INC-1, but not kept: files of up to 1.0 MB are." in told


def test_with_a_limit_of_nothing_no_file_is_looked_at(stage_with: Callable[..., Stage]) -> None:
    play = Cast(stage_with(file_limit=0))
    assert play.entry(play.shared("graph.png", PNG)).files == []
    assert calls(play) == []
    assert play.whispers() == []


def test_of_eleven_files_the_last_is_named(play: Cast) -> None:
    ws = play.stage.workspace
    message = ws.share_file(play.ben, play.channel, "graph 0.png", PNG + b"0")
    for number in range(1, 11):
        other = ws.share_file(play.ben, play.channel, f"graph {number}.png", PNG + b"%d" % number)
        message.files.append(other.files[0])
    entry = play.entry(play.capture(message))
    assert [one.unkept for one in entry.files] == [""] * 10 + ["count"]
    assert entry.files[-1].file == "graph 10.png"
    assert len(play.kept()) == 10


def test_an_incident_keeps_no_more_than_a_hundred_megabytes(play: Cast) -> None:
    first = play.shared("graph.png", PNG)
    with play.stage.app.store.writing() as tx:  # as much as is left, but for what the next file needs
        tx._run(
            "INSERT INTO files SELECT incident, ?, team, media_type, zeroblob(?) FROM files",
            "0" * 64,
            media.TOTAL - len(PNG) - len(PDF) + 1,
        )
    (one,) = play.entry(play.shared("report.pdf", PDF)).files
    assert one.unkept == "total"
    assert [one.unkept for one in play.entry(play.shared("the same.png", PNG)).files] == [""]
    assert play.entry(first).files[0].digest in play.kept()
    assert "INC-1 holds 100 MB already" in play.whispers()[0]


def test_a_file_that_was_deleted_before_it_was_read_is_named_as_refused_and_told_once(play: Cast) -> None:
    message = play.stage.workspace.share_file(play.ben, play.channel, "graph.png", PNG)
    number = play.capture(message, pump=False)
    message.files[0].deleted = True
    play.stage.settle()
    (one,) = play.entry(number).files
    assert (one.unkept, one.file) == ("refused", "")
    assert len(play.whispers()) == 1
    assert play.letters("parked") == []


# ---- what goes wrong on the way ------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "download", "retry_after": 40},
        {"method": "files.info", "retry_after": 40},
        {"method": "download", "status": 503},
        {"method": "download", "drop": "before"},
        {"method": "download", "drop": "after"},
        {"method": "files.info", "status": 500},
    ],
)
def test_a_download_that_fails_is_tried_again_and_nothing_doubles(play: Cast, fault: dict[str, Any]) -> None:
    began = play.stage.clock()
    play.stage.workspace.fail(**fault, times=2)
    number = play.shared("graph.png", PNG)
    assert play.entry(number).files == []
    play.stage.settle()
    assert [one.digest for one in play.entry(number).files] == [digest(PNG)]
    assert play.kept() == {digest(PNG): PNG}
    if fault.get("retry_after"):
        assert play.stage.clock() - began >= timedelta(seconds=80)


def test_a_token_that_gets_no_file_at_all_parks_the_letter_until_that_is_put_right(play: Cast) -> None:
    ws = play.stage.workspace
    scopes, ws.scopes = ws.scopes, ws.scopes - {"files:read"}
    number = play.shared("graph.png", PNG)
    play.stage.settle()
    assert play.letters("parked") == [attachments.KIND]
    assert play.entry(number).files == []
    ws.scopes = scopes
    play.type("resend")
    play.stage.settle()
    assert play.kept() == {digest(PNG): PNG}
    assert len(play.entry(number).files) == 1


def test_after_a_restart_between_the_event_and_the_fetch_the_file_is_kept(play: Cast) -> None:
    message = play.stage.workspace.share_file(play.ben, play.channel, "graph.png", PNG)
    number = play.capture(message, pump=False)
    play.stage.restart()
    play.stage.settle()
    assert len(play.entry(number).files) == 1
    assert play.kept() == {digest(PNG): PNG}


def test_the_event_and_the_bytes_are_written_together_or_not_at_all(play: Cast) -> None:
    class PowerCut(Exception):
        pass

    def fails(tx: Any, place: Place, incident: Incident, happened: Sequence[ev.Event], now: Any) -> list[Letter]:
        if any(isinstance(one, ev.Attached) for one in happened):
            raise PowerCut
        return []

    play.stage.app.scribe.followers.append(fails)
    message = play.stage.workspace.share_file(play.ben, play.channel, "graph.png", PNG)
    number = play.capture(message, pump=False)
    with pytest.raises(PowerCut):
        play.stage.pump()
    assert (play.entry(number).files, play.kept()) == ([], {})
    play.stage.app.scribe.followers.remove(fails)
    play.stage.settle()
    assert (len(play.entry(number).files), play.kept()) == (1, {digest(PNG): PNG})


def test_a_file_that_is_fetched_a_second_time_is_recorded_once(play: Cast) -> None:
    """The process was killed after the transaction, before the letter was settled."""
    message = play.stage.workspace.share_file(play.ben, play.channel, "clip.zip", b"PK\3\4")
    number = play.capture(message, times=2)
    with play.stage.app.store.writing() as tx:
        tx._run("UPDATE letters SET state = 'waiting' WHERE kind = ?", attachments.KIND)
    play.stage.settle()
    assert len(play.entry(number).files) == 1
    assert len(play.whispers()) == 1


# ---- corrections ---------------------------------------------------------------------------------


def test_undo_takes_the_entry_back_and_not_its_file(play: Cast) -> None:
    number = play.shared("graph.png", PNG)
    play.type("undo")
    assert play.entry(number).withdrawn == "undone"


def test_a_file_of_an_entry_that_was_removed_is_kept_and_comes_back_with_it(play: Cast) -> None:
    message = play.stage.workspace.share_file(play.ben, play.channel, "graph.png", PNG)
    number = play.capture(message, pump=False)
    play.type(f"remove {number} wrong channel")
    play.stage.settle()
    incident = play.incident()
    assert media.files(incident, incident.entries[number]) == ()
    play.type("undo")
    incident = play.incident()
    assert [one.path for one in media.files(incident, incident.entries[number])] == [
        media.path(digest(PNG), "image/png")
    ]


def redact(play: Cast, number: int) -> None:
    asked = play.stage.workspace.command(play.ada, play.channel, f"redact {number}")
    play.stage.workspace.click(play.ada, asked, "Destroy the text")
    play.stage.pump()


def test_redacting_destroys_the_bytes_and_the_name_of_a_file_everywhere(stage_with: Callable[..., Stage]) -> None:
    play = Cast(stage_with(public_url=SITE))
    secret = PNG + b"hunter2 in a picture" * 500
    number = play.shared("hunter2.png", secret)
    twice = play.shared("harmless.png", secret)
    other = play.shared("other.png", PNG)
    play.type(f"key {number}", "resolve fixed", "export html")
    folder = play.exported()
    lying = folder / "0001-checkout-fails.files"
    assert sorted(path.read_bytes() for path in lying.iterdir()) == sorted([secret, PNG])
    link = receipt(play, "link")["link"]
    image = f"{link}0001-checkout-fails.files/{media.path(digest(secret), 'image/png')}"
    assert got(play, image).data == secret

    redact(play, number)
    play.stage.settle()

    assert play.kept() == {digest(PNG): PNG}
    assert [path.read_bytes() for path in lying.iterdir()] == [PNG]
    assert got(play, image).status_code == 404
    for path in [*play.stage.settings.database.parent.glob("scribe.db*"), *folder.rglob("*")]:
        if path.is_file():
            assert b"hunter2 in a picture" not in path.read_bytes(), path
            assert b"hunter2.png" not in path.read_bytes(), path
    ours = [one.name for one in play.stage.workspace.files if one.user == play.stage.workspace.bot_user]
    assert not [name for name in ours if name.endswith(".html")]
    annex = got(play, f"{link}timeline").data.decode()
    assert annex.count("destroyed") >= 2
    assert play.entry(twice).live
    assert play.entry(other).files[0].file == "other.png"
    assert play.stage.app.store.verify()[2] == []


def test_a_text_that_was_destroyed_gets_no_file_any_more(play: Cast) -> None:
    message = play.stage.workspace.share_file(play.ben, play.channel, "graph.png", PNG)
    number = play.capture(message, pump=False)
    redact(play, number)
    play.stage.settle()
    assert (play.entry(number).files, play.kept(), play.letters("parked")) == ([], {}, [])


# ---- verify --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE files SET content = x'00'", "the file was changed after it was recorded"),
        ("DELETE FROM files", "the file is gone and nobody redacted it"),
        (
            "INSERT INTO files SELECT incident, hex(zeroblob(32)), team, media_type, x'00' FROM files",
            "a file is kept that the record does not name",
        ),
    ],
)
def test_verify_finds_a_file_that_was_changed_behind_the_back_of_the_program(
    play: Cast, sql: str, problem: str
) -> None:
    play.shared("graph.png", PNG)
    assert play.stage.app.store.verify()[2] == []
    with sqlite3.connect(play.stage.settings.database) as database:
        database.execute(sql)
    database.close()
    assert [one.problem for one in play.stage.app.store.verify()[2]] == [problem]


# ---- shown ---------------------------------------------------------------------------------------


def receipt(play: Cast, name: str) -> dict[str, Any]:
    key = play.place.key
    with play.stage.app.store.reading() as tx:
        return tx.receipts(key)[name]


def got(play: Cast, url: str) -> Any:
    return play.stage.app.web.test_client().get(urlsplit(url).path)


@pytest.fixture
def told(stage_with: Callable[..., Stage]) -> tuple[Cast, str]:
    """A resolved incident with an image that has a star, others, and files; and its link."""
    play = Cast(stage_with(public_url=SITE))
    star = play.shared("graph.png", PNG, text="p99 of [checkout] <b>\nand more")
    play.type(f"key {star}")
    play.shared("photo.jpg", JPEG, text="the dashboard")
    play.shared("report.pdf", PDF, text="the vendor's report")
    play.shared('errors <x> & "y".log', b"12:00 ERROR\n", text="from the log")
    play.shared("clip.mp4", b"\0\0\0\x18ftypmp42", text="how it looks")
    play.type("resolve fixed")
    play.stage.settle()
    return play, receipt(play, "link")["link"]


def test_the_document_shows_images_with_a_star_and_the_annex_everything(told: tuple[Cast, str]) -> None:
    play, _ = told
    folder = play.exported()
    document = (folder / "0001-checkout-fails.md").read_text(encoding="utf-8")
    annex = (folder / "0001-checkout-fails.timeline.md").read_text(encoding="utf-8")
    graph, photo = (media.path(digest(one), kind) for one, kind in ((PNG, "image/png"), (JPEG, "image/jpeg")))
    shown = re.findall(r"!\[(.*)\]\((0001-checkout-fails\.files/[^)]+)\)", document)
    assert shown == [(r"p99 of \[checkout\] \<b> and more", f"0001-checkout-fails.files/{graph}")]
    assert [one for _, one in re.findall(r"!\[(.*)\]\((.*)\)", annex)] == [
        f"0001-checkout-fails.files/{one}" for one in (graph, photo)
    ]
    assert re.search(r"File: \[report\.pdf\]\(0001-checkout-fails\.files/[0-9a-f]{12}\.pdf\), PDF, \d+ bytes", annex)
    assert "File: clip.mp4, video, 12 bytes, *not kept: files of this kind are not kept*" in annex
    for name in re.findall(r"\((0001-checkout-fails\.files/[^)]+)\)", document + annex):
        assert (folder / name).is_file(), name


def test_an_image_adds_no_word_to_the_document(told: tuple[Cast, str]) -> None:
    play, _ = told
    page = play.stage.app.outbox._documents.at(play.place.key, play.place.seq, 0).page
    play.type("unkey 2")
    without = play.stage.app.outbox._documents.at(play.place.key, play.place.seq, 0).page
    assert page.digest.words == without.digest.words
    assert b"![p99" in page.document
    assert b"![p99" not in without.document


def test_the_page_shows_images_and_hands_out_files_so_that_nothing_in_them_runs(told: tuple[Cast, str]) -> None:
    play, link = told
    page, annex = (got(play, one).data.decode() for one in (link, f"{link}timeline"))
    (image,) = re.findall(r'<a href="([^"]+)"><img class="shot" loading="lazy" src="\1" alt="([^"]*)">', page)
    assert image[1] == "p99 of [checkout] &lt;b&gt; and more"
    seen = got(play, link + image[0])
    assert (seen.status_code, seen.data, seen.headers["Content-Type"]) == (200, PNG, "image/png")
    assert seen.headers["Content-Disposition"].startswith("inline;")
    for address in re.findall(r'href="(0001-checkout-fails\.files/[^"]+)"', annex):
        answer = got(play, link + address)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox;")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        shown = address.endswith((".png", ".jpg"))
        assert answer.headers["Content-Disposition"].startswith("inline;" if shown else "attachment;")
    (log,) = re.findall(r'href="(0001-checkout-fails\.files/[^"]+\.txt)"', annex)
    answer = got(play, link + log)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''errors%20%3Cx%3E%20%26%20%22y%22.log")


def test_behind_a_link_there_are_the_files_of_its_document_and_no_others(told: tuple[Cast, str]) -> None:
    play, link = told
    graph = media.path(digest(PNG), "image/png")
    assert got(play, f"{link}0001-checkout-fails.files/{graph}").status_code == 200
    for wrong in (
        f"0002-checkout-fails.files/{graph}",
        f"0001-checkout-fails/{graph}",
        f"0001-checkout-fails.files/{'0' * 12}.png",
        "0001-checkout-fails.files/..%2f0001-checkout-fails.json",
        "0001-checkout-fails.files/",
        "x.files/" + graph,
    ):
        assert got(play, link + wrong).status_code == 404, wrong
    asked = play.type("link revoke")
    play.stage.workspace.click(play.ada, asked, "Take the link back")
    assert got(play, f"{link}0001-checkout-fails.files/{graph}").status_code == 410


def test_a_file_of_a_removed_entry_is_behind_the_link_no_more(told: tuple[Cast, str]) -> None:
    play, link = told
    graph = f"{link}0001-checkout-fails.files/{media.path(digest(PNG), 'image/png')}"
    play.type("remove 2 wrong channel")
    play.stage.settle()
    assert got(play, graph).status_code == 404
    assert play.kept()[digest(PNG)] == PNG


def test_customers_get_no_file(told: tuple[Cast, str]) -> None:
    play, _ = told
    one = play.stage.app.outbox._documents.at(play.place.key, play.place.seq, 0, template="customer")
    assert b".files" not in one.page.document
    assert one.page.files == ()


def test_slack_shows_no_link_to_a_file_that_leads_nowhere_there(told: tuple[Cast, str]) -> None:
    play, _ = told
    said = [json.dumps(one.blocks) for one in play.stage.workspace.calls and all_messages(play)]
    assert not [one for one in said if ".files/" in one]


def all_messages(play: Cast) -> list[Message]:
    ws = play.stage.workspace
    top = ws.messages(play.channel)
    return [*top, *(reply for one in top for reply in ws.thread(play.channel, one))]


def test_the_single_html_file_holds_each_image_once(told: tuple[Cast, str], tmp_path: Path) -> None:
    play, _ = told
    result = CliRunner().invoke(
        cli,
        ["export", "1", "--format", "html", "--out", str(tmp_path / "out")],
        env={"SCRIBE_DATABASE": str(play.stage.settings.database), "SCRIBE_SECRET": SIGNING_SECRET},
    )
    assert result.exit_code == 0, result.output
    html = Path(result.stdout.strip()).read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == 1
    assert html.count("data:image/jpeg;base64,") == 1
    assert ".files/" not in html
    (anchor,) = re.findall(r'id="(shot-[0-9a-f]{12})" src="data:image/png', html)
    assert f'<a href="#{anchor}">' in html
    assert "report.pdf" in html
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0001-checkout-fails.html"]


def test_the_command_line_writes_the_files_beside_the_markdown(told: tuple[Cast, str], tmp_path: Path) -> None:
    play, _ = told
    arguments = ["export", "1", "--out", str(tmp_path / "out")]
    env = {"SCRIBE_DATABASE": str(play.stage.settings.database), "SCRIBE_SECRET": SIGNING_SECRET}
    for _ in range(2):
        assert CliRunner().invoke(cli, arguments, env=env).exit_code == 0
    lying = {path.name: path.read_bytes() for path in (tmp_path / "out" / "0001-checkout-fails.files").iterdir()}
    assert sorted(lying) == sorted(
        [
            media.path(digest(PNG), "image/png"),
            media.path(digest(JPEG), "image/jpeg"),
            media.path(digest(PDF), "application/pdf"),
            media.path(digest(b"12:00 ERROR\n"), "text/plain"),
        ]
    )
    assert lying[media.path(digest(JPEG), "image/jpeg")] == JPEG


def test_whatever_a_file_is_called_slack_takes_what_is_said_of_it(play: Cast) -> None:
    for name in HOSTILE.values():
        for why in media.Unkept:
            more = {"media_type": "video/mp4", "size": 1, "unkept": why.value, "file": name}
            one = ev.Attached(by="k", recorded_at=play.stage.clock(), entry=7, digest="", **more)
            message = wording.not_kept(play.place, one, 10 * media.MEGABYTE)
            assert list(of_message(message, posted=False)) == []
            assert "<!" not in message["text"]


def test_whatever_files_are_called_the_document_stays_whole(play: Cast) -> None:
    contents = {name: PNG + name.encode() for name in HOSTILE}
    for name, content in contents.items():
        number = play.shared(HOSTILE[name][:200].replace("/", " "), content, text=HOSTILE[name][:2000])
        play.type(f"key {number}")
    page = play.stage.app.outbox._documents.at(play.place.key, play.place.seq, 0, also=("html",)).page
    annex, html = page.annex.decode(), page.html.decode()
    for content in contents.values():
        path = media.path(digest(content), "image/png")
        assert annex.count(f"](0001-checkout-fails.files/{path})") == 1
        assert html.count(base64.b64encode(content).decode()) == 1
    assert page.document.decode().count("](0001-checkout-fails.files/") >= 1
    assert not re.search(r"<(script|iframe|svg|img (?!src=\"data:|class=\"shot\"))", html)


# ---- over HTTP -----------------------------------------------------------------------------------


class Door(http.server.BaseHTTPRequestHandler):
    """Gives the answer that its kind was told, and remembers who asked with what."""

    asked: ClassVar[list[tuple[str, str]]]
    answer: ClassVar[tuple[int, dict[str, str], bytes]]
    pause: ClassVar[float]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        status, headers, content = self.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        step = 100 if self.pause else len(content) or 1
        with suppress(OSError):  # who asked has gone
            for at in range(0, len(content), step):
                self.wfile.write(content[at : at + step])
                time.sleep(self.pause)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def door(
    status: int = 200, headers: dict[str, str] | None = None, content: bytes = PNG, pause: float = 0
) -> Iterator[tuple[str, Any]]:
    """A server that gives that answer, a little after every `pause` seconds: its origin, and what it was asked."""
    kind: Any = type("Told", (Door,), {"asked": [], "answer": (status, headers or {}, content), "pause": pause})
    server = http.server.HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_stand_in_for_slack_gets_the_token_and_nobody_else_does() -> None:
    with door() as (slack, asked), door() as (other, asked_elsewhere):
        client = OverHTTP("xoxb-token", f"{slack}/api/")
        assert client.download(f"{slack}/files-pri/T1-F1/graph.png", 10_000) == PNG
        assert asked == [("/files-pri/T1-F1/graph.png", "Bearer xoxb-token")]
        for elsewhere in (
            f"{other}/files-pri/T1-F1/graph.png",
            f"{slack}@{other.removeprefix('http://')}/x.png",
            "http://files.slack.com/x.png",
            "https://files.slack.com.example.org/x.png",
            "https://evilslack.com/x.png",
            "https://slack.com@example.org/x.png",
            "file:///etc/passwd",
            "",
        ):
            with pytest.raises(Undelivered, match="does not lie with Slack") as refused:
                client.download(elsewhere, 10_000)
            assert refused.value.permanent
        assert asked_elsewhere == []


def test_a_redirect_is_not_followed_the_token_would_go_with_it() -> None:
    with door() as (other, asked_elsewhere), door(302, {"Location": f"{other}/graph.png"}, b"") as (slack, asked):
        with pytest.raises(Undelivered) as refused:
            OverHTTP("xoxb-token", f"{slack}/api/").download(f"{slack}/graph.png", 10_000)
        assert (refused.value.permanent, refused.value.code) == (True, "missing_scope")
        assert (len(asked), asked_elsewhere) == (1, [])


def test_the_page_where_people_sign_in_is_no_file() -> None:
    with door(200, {"Content-Type": "text/html; charset=utf-8"}, b"<!doctype html>Sign in") as (slack, _):
        with pytest.raises(Undelivered, match="files:read") as refused:
            OverHTTP("xoxb-token", f"{slack}/api/").download(f"{slack}/graph.png", 10_000)
        assert (refused.value.permanent, refused.value.code) == (True, "missing_scope")


def test_a_file_that_is_larger_than_it_said_is_not_read_to_its_end() -> None:
    with door(content=b"x" * 5000) as (slack, _):
        with pytest.raises(Undelivered) as refused:
            OverHTTP("xoxb-token", f"{slack}/api/").download(f"{slack}/x", 4999)
        assert (refused.value.permanent, refused.value.code) == (True, "too_large")


def test_half_a_file_is_no_file_and_fetched_again() -> None:
    with door(200, {"Content-Length": "5000"}, PNG) as (slack, _):
        with pytest.raises(Undelivered) as broken:
            OverHTTP("xoxb-token", f"{slack}/api/").download(f"{slack}/x", 10_000)
        assert not broken.value.permanent


def test_a_file_that_trickles_in_holds_nobody_up_for_ever() -> None:
    with door(content=b"x" * 100_000, pause=0.01) as (slack, _):
        with pytest.raises(Undelivered, match="too slowly") as slow:
            OverHTTP("xoxb-token", f"{slack}/api/", timeout=0.05).download(f"{slack}/x", 200_000)
        assert not slow.value.permanent


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (403, True), (429, False), (500, False), (503, False)])
def test_what_slack_answers_instead_of_a_file(status: int, permanent: bool) -> None:
    with door(status, {"Retry-After": "30"}, b"") as (slack, _):
        with pytest.raises(Undelivered) as refused:
            OverHTTP("xoxb-token", f"{slack}/api/").download(f"{slack}/x", 10_000)
        assert (refused.value.permanent, refused.value.retry_after) == (permanent, 30.0)


def test_the_workspace_gives_files_over_http_to_its_bot_alone(stage: Stage) -> None:
    ws: Workspace = stage.workspace
    ada = ws.add_user("ada")
    channel: Channel = ws.add_channel("payments", members=[ada])
    ws.invite_bot(channel)
    with WorkspaceServer(ws) as server:
        shared = ws.message_json(ws.share_file(ada, channel, "the graph.png", PNG))["files"][0]
        slack = Slack(OverHTTP(ws.bot_token, server.api_url))
        held = slack.file(shared["id"])
        assert (held.name, held.media_type, held.size) == ("the graph.png", "image/png", len(PNG))
        assert slack.download(held.url, 10_000) == PNG
        stranger = OverHTTP("xoxb-stranger", server.api_url)
        with pytest.raises(Undelivered) as refused:
            stranger.download(held.url, 10_000)
        assert refused.value.code == "missing_scope"


def until(there: Callable[[], Any]) -> Any:
    """What `there` gives once it is something; a minute at most."""
    end = time.monotonic() + PATIENCE
    while not (found := there()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@pytest.mark.slow
def test_scribe_serve_keeps_an_image_that_was_reacted_to_and_writes_it_beside_the_document(tmp_path: Path) -> None:
    ws = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET, seed=1)
    ada = ws.add_user("ada")
    channel = ws.add_channel("payments", members=[ada])
    out, log = tmp_path / "out.txt", tmp_path / "log.txt"
    with WorkspaceServer(ws) as server:
        popen = started_serve(
            ws, server.api_url, tmp_path, out, log, SLACK_SIGNING_SECRET=SIGNING_SECRET, PYTHONWARNINGS="error"
        )
        try:
            listens = re.compile(r"http://127\.0\.0\.1:\d+")
            server.attach_http(until(lambda: listens.search(out.read_text()))[0])
            assert ws.command(ada, channel, "start Checkout fails").in_channel
            until(lambda: ws.bot_is_in(channel))
            ws.react(ada, channel, ws.share_file(ada, channel, "graph.png", PNG, "p99 is up"), "pushpin")
            with closing(sqlite3.connect(tmp_path / "scribe.db")) as database:
                until(lambda: database.execute("SELECT 1 FROM files").fetchall())
            assert ws.command(ada, channel, "resolve it was the cache").in_channel
            image = tmp_path / "postmortems" / "0001-checkout-fails.files" / media.path(digest(PNG), "image/png")
            until(image.exists)
            assert image.read_bytes() == PNG
        finally:
            popen.terminate()
            assert popen.wait(PATIENCE) == 0, log.read_text()
