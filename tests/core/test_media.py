"""What a file is by its bytes, what is kept of it, and what a document shows of it."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import events as ev
from bot.core import media
from bot.core.document import File, Line
from bot.core.events import Kind
from tests.core.builder import Record

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"
DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PNG, "graph.png", "image/png"),
        (PNG, "graph.txt", "image/png"),
        (b"\xff\xd8\xff\xe1\0\x10Exif\0", "photo.jpg", "image/jpeg"),
        (b"GIF89a\1\0\1\0", "loop.gif", "image/gif"),
        (b"GIF87a\1\0\1\0", "", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "w.webp", "image/webp"),
        (b"%PDF-1.7\n%\xe2\xe3", "report.pdf", "application/pdf"),
        (b"", "empty.log", "text/plain"),
        ("12:00 tür geschlossen 🔥\n".encode(), "app.log", "text/plain"),
        ("tür".encode("latin-1"), "old.log", "text/plain"),
        (b"\x1b[31mERROR\x1b[0m\r\n", "coloured.log", "text/plain"),
        (codecs.BOM_UTF16_LE + "fehler".encode("utf-16-le"), "windows.log", "text/plain"),
        (b"a,b\n1,2\n", "numbers.CSV", "text/csv"),
        (b'{"a": 1}', "dump.json", "application/json"),
        (b"<?xml version='1.0'?><suite tests='3'/>", "junit.xml", "text/plain"),
        (b"5 < 6 and <html is not at the beginning", "note.txt", "text/plain"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(content: bytes, name: str, kind: str) -> None:
    assert media.sniffed(content, name) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\xef\xbb\xbf  <?xml version='1.0'?>\n<!-- made by hand -->\n<svg onload='alert(1)'/>",
        b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'><svg/>",
        b"<!-- a --><s:svg xmlns:s='http://www.w3.org/2000/svg'/>",
        b"<!DOCTYPE html><title>x</title>",
        b"<HTML><body onload=alert(1)>",
        b"\n\n<script>alert(1)</script>",
        codecs.BOM_UTF16_LE + "<svg onload='alert(1)'/>".encode("utf-16-le"),
        b"PK\x03\x04\x14\0\0\0",
        b"\x1f\x8b\x08\0",
        b"\0\0\0\x18ftypmp42",
        b"\0\0\0\x18ftypheic",
        b"\x7fELF\2\1\1",
        b"MZ\x90\0",
        b"\x89PNG\r\n\x1a\nno header",
        b"RIFF\x24\0\0\0AVI LIST",
    ],
)
def test_what_may_run_and_what_is_of_no_known_kind_is_not_kept(content: bytes) -> None:
    assert media.sniffed(content, "graph.png") is None


def test_a_file_that_is_two_things_is_the_one_that_it_begins_as() -> None:
    assert media.sniffed(b"GIF89a/*" + b"\1" * 20 + b"*/=1;alert(1)", "x.js") == "image/gif"
    assert media.sniffed(b"%PDF-1.4\n<html><script>alert(1)</script>", "x.html") == "application/pdf"
    assert media.sniffed(PNG + b"<?php system('id'); ?>", "x.php") == "image/png"


def test_a_text_of_endless_comments_is_looked_at_once() -> None:
    """A pattern that tries every way to split them up never ends."""
    assert media.sniffed(b"<!--a-->" * 1000 + b"<", "x.txt") == "text/plain"
    assert media.sniffed(b"<?a?>" * 1000 + b" " * 5000 + b"<", "x.txt") == "text/plain"


@given(st.binary(max_size=64), st.text(max_size=20))
def test_every_file_has_a_path_that_stays_in_its_folder_or_none(content: bytes, name: str) -> None:
    kind = media.sniffed(content, name)
    if kind is not None:
        assert set(media.path(DIGEST, kind)) <= set("abcdefghijklmnopqrstuvwxyz0123456789.")
        assert media.path(DIGEST, kind).count(".") == 1


def test_what_is_no_media_type_is_nothing_in_particular() -> None:
    assert media.claimed("Text/HTML; charset=utf-8") == "text/html"
    assert (
        media.claimed("") == media.claimed("<script>") == media.claimed("a/" + "x" * 99) == "application/octet-stream"
    )


def test_what_surely_is_not_kept_need_not_be_fetched() -> None:
    hopeless = ["video/mp4", "audio/mpeg", "application/zip", "image/svg+xml", "text/html", "application/vnd.ms-excel"]
    assert [kind for kind in hopeless if not media.is_hopeless(kind)] == []
    perhaps = [*media.EXTENSIONS, "application/octet-stream", "application/x-yaml", "text/x-python", "image/heic"]
    assert [kind for kind in perhaps if media.is_hopeless(kind)] == []


@pytest.mark.parametrize(
    ("media_type", "size", "words"),
    [
        ("image/png", 240_000, "PNG image, 240 kB"),
        ("video/mp4", 48_000_000, "video, 48 MB"),
        ("application/zip", 999_600, "zip archive, 1.0 MB"),
        ("application/x-yaml", 980, "file, 980 bytes"),
        ("text/x-python", 9_949_999, "text, 9.9 MB"),
        ("application/octet-stream", 0, "file"),
    ],
)
def test_kind_and_size_are_said_as_people_say_them(media_type: str, size: int, words: str) -> None:
    assert media.in_words(media_type, size) == words


# ---- what a document shows -------------------------------------------------------------------------


def attached(r: Record, entry: int, **more: object) -> None:
    told = {"digest": DIGEST, "media_type": "image/png", "size": 240_000, "file": "graph.png", **more}
    r.mark(ev.Attached, entry=entry, **told)


KEPT = File(
    name="graph.png",
    path="abababababab.png",
    words="PNG image, 240 kB",
    media_type="image/png",
    size=240_000,
    digest=DIGEST,
    image=True,
)


def files_of(r: Record, entry: int) -> tuple[File, ...]:
    incident = r.incident()
    return media.files(incident, incident.entries[entry])


def test_an_entry_shows_what_came_with_its_message() -> None:
    r = Record()
    note = r.say(Kind.NOTE, "errors since 12:00")
    attached(r, note)
    attached(r, note, digest="", media_type="video/mp4", size=48_000_000, file="clip.mp4", unkept="size")
    shown = files_of(r, note)
    assert shown[0] == KEPT
    assert (shown[1].name, shown[1].path, shown[1].words, shown[1].why) == (
        "clip.mp4", "", "video, 48 MB", "it is too large",
    )  # fmt: skip


def test_an_entry_that_left_the_record_shows_no_file_until_it_is_back() -> None:
    r = Record()
    note = r.say(Kind.NOTE, "errors since 12:00")
    attached(r, note)
    removal = r.mark(ev.Removed, entry=note, text="wrong channel")
    assert files_of(r, note) == ()
    r.mark(ev.Undone, seq=removal)
    assert files_of(r, note) == (KEPT,)


def test_a_destroyed_file_is_destroyed_wherever_it_was_attached() -> None:
    r = Record()
    first, second = r.say(Kind.NOTE, "the password"), r.say(Kind.ACTION, "rotated it")
    attached(r, first)
    attached(r, second)
    r.mark(ev.Redacted, entry=first)
    for entry in (first, second):
        (shown,) = files_of(r, entry)
        assert (shown.destroyed, shown.name, shown.path) == (True, "", "")


def test_a_file_that_is_attached_anew_after_it_was_destroyed_is_there() -> None:
    r = Record()
    first, second = r.say(Kind.NOTE, "the password"), r.say(Kind.NOTE, "no password")
    attached(r, first)
    r.mark(ev.Redacted, entry=first)
    attached(r, second)
    assert [one.destroyed for one in (*files_of(r, first), *files_of(r, second))] == [True, False]


def test_only_images_of_entries_with_a_star_stand_in_the_document_and_cost_no_words() -> None:
    r = Record()
    plain, star = r.say(Kind.NOTE, "a log"), r.say(Kind.NOTE, "the graph of [errors](x)")
    attached(r, plain, digest="cd" * 32)
    attached(r, star)
    attached(r, star, digest="ef" * 32, media_type="application/pdf", file="report.pdf")
    assert [line.images for line in lines(r)] == [(), ()]
    r.mark(ev.Starred, entry=star, on=True)
    assert [(line.alt, line.images) for line in lines(r)] == [("", ()), ("the graph of [errors](x)", (KEPT,))]


def lines(r: Record) -> list[Line]:
    return [line for phase in r.postmortem().timeline.phases for line in phase.lines]
