"""Where a document goes: names that stay in their folder, files that are whole or not there."""

from __future__ import annotations

import re
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Undelivered
from bot.core.record import Place
from bot.exporters import FileExporter, Names, SlackFileExporter, names, slug, write

PLACE = Place(
    1, "T0SCRIBE", 42, "C1", False, 7, "0" * 64, "Checkout fails", "resolved", 1, datetime(2026, 11, 21, tzinfo=UTC)
)
FIRST, SECOND = names(42, "Checkout fails", 1), names(42, "Checkout fails", 2)


@dataclass(frozen=True)
class Page:
    document: bytes = b"# Checkout fails\n"
    annex: bytes = b"the timeline"
    json: bytes = b"{}"
    svg: bytes = b"<svg/>"
    png: bytes = b""
    files: tuple[tuple[str, str, str, str], ...] = ()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "made"),
    [
        ("Checkout returns errors", "checkout-returns-errors"),
        ("../../etc/passwd", "etc-passwd"),
        (r"..\..\Windows\System32", "windows-system32"),
        ("/", "incident"),
        ("..", "incident"),
        ("CON", "con"),
        ("nul.txt", "nul-txt"),
        ("🔥🔥🔥", "incident"),
        ("", "incident"),
        ("   ", "incident"),
        ("a\x00b\nc", "a-b-c"),
        ("-rf --no-preserve-root", "rf-no-preserve-root"),
        ("הקופה מחזירה שגיאות", "incident"),
        ("\u202egpj.exe", "gpj-exe"),
        ("Störung im Büro: ½ der Straße", "storung-im-buro-1-2-der-strasse"),
        ("Ⅳ ﬁles", "iv-files"),
        ("Checkout—down since 3–4 o’clock", "checkout-down-since-3-4-o-clock"),
        ("x" * 300, "x" * 60),
        ("x" * 59 + " y", "x" * 59),
    ],
)
def test_a_title_becomes_part_of_a_file_name(title: str, made: str) -> None:
    assert slug(title) == made


@given(st.text(), st.integers(1, 10**9), st.integers(1, 10**6))
def test_no_title_leaves_the_folder(title: str, number: int, revision: int) -> None:
    called = names(number, title, revision)
    for name in (called.document, called.annex, called.picture, called.json):
        assert re.fullmatch(r"[a-z0-9.-]+", name)
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert name.startswith(f"{number:04d}-")
        assert len(name) < 120


def test_a_later_revision_has_its_number_in_its_names() -> None:
    assert names(42, "CON", 1) == Names("0042-con.md", "0042-con.timeline.md", "0042-con.svg", "0042-con.json")
    assert names(42, "CON", 2) == Names(
        "0042-con.r2.md", "0042-con.r2.timeline.md", "0042-con.r2.svg", "0042-con.r2.json"
    )
    assert names(12345, "CON", 10).document == "12345-con.r10.md"


# ---- the folder ----------------------------------------------------------------------------------


def test_a_document_is_written_with_all_that_it_links_to(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    receipt = FileExporter(folder).export(Page(), PLACE, FIRST)
    assert receipt == {"path": str(folder / "0042-checkout-fails.md")}
    assert files(folder) == {
        "0042-checkout-fails.md": b"# Checkout fails\n",
        "0042-checkout-fails.timeline.md": b"the timeline",
        "0042-checkout-fails.json": b"{}",
        "0042-checkout-fails.svg": b"<svg/>",
    }


def test_writing_a_revision_twice_gives_the_same_files(tmp_path: Path) -> None:
    exporter = FileExporter(tmp_path)
    first = exporter.export(Page(), PLACE, FIRST)
    before = files(tmp_path)
    assert exporter.export(Page(), PLACE, FIRST) == first
    assert files(tmp_path) == before


def test_a_later_revision_leaves_the_one_before(tmp_path: Path) -> None:
    exporter = FileExporter(tmp_path)
    exporter.export(Page(), PLACE, FIRST)
    exporter.export(Page(document=b"two"), PLACE, SECOND)
    written = files(tmp_path)
    assert (written["0042-checkout-fails.md"], written["0042-checkout-fails.r2.md"]) == (b"# Checkout fails\n", b"two")
    assert len(written) == 8


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """As if the disk were full: the system refuses what goes beyond this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_does_not_fit_is_not_there_at_all_and_the_old_one_stays(tmp_path: Path) -> None:
    exporter = FileExporter(tmp_path)
    exporter.export(Page(), PLACE, FIRST)
    before = files(tmp_path)
    with files_no_longer_than(1000), pytest.raises(Undelivered) as refused:
        exporter.export(Page(document=b"x" * 1001), PLACE, FIRST)
    assert not refused.value.permanent
    assert files(tmp_path) == before
    with files_no_longer_than(1000), pytest.raises(Undelivered):
        exporter.export(Page(svg=b"x" * 1001), PLACE, SECOND)
    assert SECOND.document not in files(tmp_path)
    assert [name for name in files(tmp_path) if name.endswith(".part")] == []


def test_the_document_appears_after_all_that_it_links_to(tmp_path: Path) -> None:
    with files_no_longer_than(1000), pytest.raises(OSError, match="too large"):
        write(tmp_path, FIRST, Page(document=b"x" * 1001))
    assert sorted(files(tmp_path)) == [FIRST.json, FIRST.picture, FIRST.annex]


@pytest.mark.parametrize("blocked", ["", "0042-checkout-fails.md"])
def test_what_cannot_be_written_is_said_and_can_be_tried_again(tmp_path: Path, blocked: str) -> None:
    folder = tmp_path / "postmortems"
    if blocked:
        (folder / blocked).mkdir(parents=True)
    else:
        folder.write_text("a file stands where the folder should be")
    with pytest.raises(Undelivered, match=str(folder)) as refused:
        FileExporter(folder).export(Page(), PLACE, FIRST)
    assert not refused.value.permanent
    assert "None" not in refused.value.message
    if blocked:
        (folder / blocked).rmdir()
    else:
        folder.unlink()
    FileExporter(folder).export(Page(), PLACE, FIRST)
    assert len(files(folder)) == 4


def test_writers_of_the_same_file_do_not_mix(tmp_path: Path) -> None:
    pages = [Page(document=bytes([letter]) * 200_000) for letter in b"abcd"]
    go = threading.Barrier(len(pages))
    failures: list[BaseException] = []

    def export(page: Page) -> None:
        try:
            go.wait()
            for _ in range(5):
                FileExporter(tmp_path).export(page, PLACE, FIRST)
                assert (tmp_path / FIRST.document).read_bytes() in [one.document for one in pages]
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=export, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(files(tmp_path)) == 4


def test_scrubbing_leaves_the_newest_revision_and_what_is_not_ours(tmp_path: Path) -> None:
    exporter = FileExporter(tmp_path)
    others = {"0042-minutes-of-the-review.txt", "0042-minutes.docx", "0421-another.md", "README.md"}
    for name in others:
        (tmp_path / name).write_text("somebody else's")
    exporter.export(Page(), replace(PLACE, number=43), names(43, "Checkout fails", 1))
    others |= {name for name in files(tmp_path) if name.startswith("0043")}
    exporter.export(Page(), PLACE, names(42, "An earlier title", 1))
    exporter.export(Page(), PLACE, FIRST)
    exporter.export(Page(), PLACE, SECOND)
    newest = exporter.export(Page(), PLACE, names(42, "Checkout fails", 12))
    exporter.scrub(PLACE, newest)
    kept = names(42, "Checkout fails", 12)
    assert set(files(tmp_path)) == others | {kept.document, kept.annex, kept.picture, kept.json}
    exporter.scrub(PLACE, newest)


def test_scrubbing_keeps_a_first_revision_that_is_the_newest(tmp_path: Path) -> None:
    exporter = FileExporter(tmp_path)
    newest = exporter.export(Page(), PLACE, FIRST)
    exporter.scrub(PLACE, newest)
    assert len(files(tmp_path)) == 4


# ---- Slack ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shared:
    file: str
    permalink: str


@dataclass
class Shelf:
    """The files that a channel shows, in memory."""

    shown: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    made: int = 0

    def upload(self, channel: str, *, name: str, title: str, content: bytes, thread: str = "") -> Shared:
        self.made += 1
        file = f"F{self.made}"
        self.shown[file] = (name, thread, content)
        return Shared(file, f"https://example.org/{file}")


def test_a_revision_is_uploaded_into_the_thread_of_the_draft() -> None:
    shelf = Shelf()
    receipt = SlackFileExporter(shelf).export(Page(), PLACE, FIRST, thread="1.2")
    assert receipt == {"file": "F1", "link": "https://example.org/F1", "name": FIRST.document}
    assert shelf.shown == {"F1": (FIRST.document, "1.2", Page().document)}
