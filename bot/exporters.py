"""Where a document goes: the folder of Markdown files, the file in Slack, the page behind a link. Each gives a receipt.

This room knows names of files and the order of calls; it knows no SQL and composes nothing. The Slack port and what
mints links arrive by constructor. An exporter may be asked twice for the same revision: the second time it leaves what
is there.
"""

from __future__ import annotations

import fcntl
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from bot.core import media
from bot.core.errors import Undelivered
from bot.core.record import JSON, Place

SLUG_LENGTH = 60


class Page(Protocol):
    """A document as the press made it."""

    @property
    def document(self) -> bytes: ...
    @property
    def annex(self) -> bytes: ...
    @property
    def json(self) -> bytes: ...
    @property
    def svg(self) -> bytes: ...
    @property
    def png(self) -> bytes: ...
    @property
    def files(self) -> Sequence[tuple[str, str, str, str]]: ...


class Shared(Protocol):
    """A file that was shared in Slack."""

    @property
    def file(self) -> str: ...
    @property
    def permalink(self) -> str: ...


class SlackFiles(Protocol):
    """What an exporter needs of Slack."""

    def upload(self, channel: str, *, name: str, title: str, content: bytes, thread: str = "") -> Any: ...
    def address_of(self, file: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the files of one revision: `0042-slug.md`, later revisions `0042-slug.r2.md`.

    A document in another form than the default says which: `0042-slug.r2.sre.md`.
    """

    document: str
    annex: str
    picture: str
    json: str

    @property
    def files(self) -> str:
        """The folder of what was attached: one for all revisions, as the same bytes have the same name."""
        return f"{self.document.partition('.')[0]}.files"

    @property
    def csv(self) -> str:
        """The table of entries."""
        return f"{self.document.removesuffix('.md')}.csv"

    @property
    def html(self) -> str:
        """The file that holds everything."""
        return f"{self.document.removesuffix('.md')}.html"


def slug(title: str) -> str:
    """A title as part of a file name: small letters, digits and dashes; never empty, never a path."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", title.casefold()) if not unicodedata.combining(sign))
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].rstrip("-")
    return made or "incident"


def names(number: int, title: str, revision: int, template: str = "default") -> Names:
    """How the files of a revision are called."""
    stem = f"{number:04d}-{slug(title)}" + (f".r{revision}" if revision > 1 else "")
    return named(stem if template == "default" else f"{stem}.{template}")


def named(stem: str) -> Names:
    """The four files of a document, by their stem."""
    return Names(f"{stem}.md", f"{stem}.timeline.md", f"{stem}.svg", f"{stem}.json")


class Kept(Protocol):
    """What was attached to incidents (by key): its bytes, by their digest."""

    def content(self, incident: int, digest: str) -> bytes | None: ...
    def digests(self, incident: int) -> Set[str]: ...


Content = Callable[[str], bytes | None]
"""The bytes of a file that was attached, by its digest; None when they were destroyed."""


def nothing(digest: str) -> None:
    """The bytes of a file where none are kept."""


def write(folder: Path, called: Names, page: Page, kept: Content = nothing) -> Path:
    """Writes document, annex, picture and JSON; each appears whole or not at all. Gives the document's path.

    What was not printed is not written: what customers read has nothing beside it. What was attached, of which `kept`
    gives the bytes, is written first, into a folder beside them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_files(folder / called.files, page, kept)
    for name, content in (
        (called.annex, page.annex),
        (called.picture, page.svg),
        (called.json, page.json),
        (called.document, page.document),
    ):
        if content:
            _write_whole(folder / name, content)
    return folder / called.document


def _write_files(folder: Path, page: Page, content: Content) -> None:
    """Writes what was attached, each once: its name says what is in it."""
    for name, digest, *_ in page.files:
        path = folder / name
        found = content(digest)
        if found is None or (path.is_file() and path.stat().st_size == len(found)):
            continue
        folder.mkdir(exist_ok=True)
        _write_whole(path, found)
        if content(digest) is None:  # destroyed meanwhile
            path.unlink(missing_ok=True)


def write_one(folder: Path, name: str, content: bytes) -> Path:
    """Writes a file that needs nothing beside it; it appears whole or not at all. Gives its path."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_whole(folder / name, content)
    return folder / name


def _write_whole(path: Path, content: bytes) -> None:
    """Writes a file beside its place and moves it there, so that power may fail at any moment.

    Who writes holds a lock on the unfinished one, as `scribe export` may write the same file while `scribe serve` does.
    What a process that was killed left unfinished is taken up by the next try.
    """
    draft = path.with_name(f".{path.name}.part")
    with _locked(draft) as file:
        try:
            file.truncate()
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name, too, has to reach the disk
    finally:
        os.close(folder)


@contextmanager
def _locked(draft: Path) -> Iterator[BinaryIO]:
    """An unfinished file that nobody else writes; made where there is none."""
    while True:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is(draft, file):  # else whoever held it before has moved it into place
                yield file
                return


def _is(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


class FileExporter:
    """Writes the Markdown and its annex into `SCRIBE_EXPORT_DIR`, and beside them what was attached."""

    def __init__(self, folder: Path, kept: Kept | None = None) -> None:
        self._folder = folder
        self._kept = kept

    def export(self, page: Page, place: Place, called: Names) -> JSON:
        """Writes the files; the receipt says where. Raises Undelivered when the disk does not take them."""
        try:
            content = partial(self._kept.content, place.key) if self._kept else nothing
            path = write(self._folder, called, page, content)
        except OSError as failure:
            raise Undelivered(f"The Markdown could not be written to {self._folder}: {failure.strerror}.") from failure
        return {"path": str(path)}

    def scrub(self, place: Place, newest: JSON) -> None:
        """Takes the files of earlier revisions away, and what was attached and is destroyed.

        Raises Undelivered when the disk does not let it.
        """
        newest_names = named(Path(str(newest["path"])).name.removesuffix(".md"))
        kept = {newest_names.document, newest_names.annex, newest_names.picture, newest_names.json}
        ours = re.compile(
            rf"{place.number:04d}-[a-z0-9-]+(\.r\d+)?(\.[a-z0-9_-]+)?(\.timeline)?\.(md|svg|json|csv|html)"
        )
        still = {digest[:12] for digest in self._kept.digests(place.key)} if self._kept else set()
        try:
            for path in self._folder.glob(f"{place.number:04d}-*"):
                if ours.fullmatch(path.name) and path.name not in kept:
                    path.unlink(missing_ok=True)
                elif path.name.endswith(".files") and path.is_dir() and not path.is_symlink():
                    self._scrub_files(path, whole=path.name != newest_names.files, still=still)
        except OSError as failure:
            raise Undelivered(f"Files in {self._folder} could not be taken away: {failure.strerror}.") from failure

    @staticmethod
    def _scrub_files(folder: Path, *, whole: bool, still: Set[str]) -> None:
        """Takes out of a folder what is not kept any more; with `whole` no document links to it, and all goes."""
        for path in folder.iterdir():
            ours = re.fullmatch(rf"\.?{media.PATH}(\.part)?", path.name)
            if ours and (whole or path.name.lstrip(".")[:12] not in still):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # something of somebody else's lies there
            folder.rmdir()


class LinkExporter:
    """Puts nothing anywhere: the document is read on this server, at the address that the receipt names.

    `generation` says how often the link of an incident (by key) was taken back; `url` mints the address of team, number
    and generation.
    """

    def __init__(self, generation: Callable[[int], int], url: Callable[[str, int, int], str]) -> None:
        self._generation = generation
        self._url = url

    def export(self, page: Page, place: Place, called: Names) -> JSON:
        """The link that is good now; the same until it is taken back."""
        link = self._url(place.team, place.number, self._generation(place.key))
        return {"link": link, "name": called.document}

    def scrub(self, place: Place, newest: JSON) -> None:
        """Nothing to do: behind the link is the newest revision alone."""


class SlackFileExporter:
    """Uploads the Markdown into the thread of the draft; its permalink is the link."""

    def __init__(self, slack: SlackFiles) -> None:
        self._slack = slack

    def export(self, page: Page, place: Place, called: Names, *, thread: str) -> JSON:
        """Uploads the file anew (Slack cannot replace a file; the outbox takes the one before it away)."""
        shared: Shared = self._slack.upload(
            place.channel, name=called.document, title=called.document, content=page.document, thread=thread
        )
        return {"file": shared.file, "link": shared.permalink, "name": called.document}

    def locate(self, receipt: JSON) -> JSON:
        """The receipt with its link, of a file of which Slack did not say where it is. Raises Undelivered."""
        return {**receipt, "link": self._slack.address_of(str(receipt["file"]))}

    def scrub(self, place: Place, newest: JSON) -> None:
        """Nothing to do: the outbox takes away what was replaced."""
