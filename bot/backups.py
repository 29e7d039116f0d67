"""A second copy of the record: made while `serve` writes, and put back where there is none.

A copy gets its name when it is whole, was looked through and is on the disk; what has that name already stays. Knows
files and folders. Must not know SQL or the settings: it is told which files, and how a file is opened as a record.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bot.core.errors import Refusal

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; left over from another one it would be read into this one
(https://www.sqlite.org/howtocorrupt.html)."""


CANNOT = (errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
"""What file systems answer that have no links, or cannot bring a folder to the disk: those of sticks and shares."""


class Holdings(Protocol):
    """What a file holds (see store.py)."""

    @property
    def incidents(self) -> int: ...
    @property
    def events(self) -> int: ...
    @property
    def latest(self) -> datetime | None: ...
    @property
    def unsent(self) -> int: ...


class Checkup(Protocol):
    """What a look at a file found."""

    @property
    def damage(self) -> str: ...
    @property
    def newer(self) -> tuple[str, ...]: ...
    @property
    def blank(self) -> bool: ...
    @property
    def closed(self) -> bool: ...


class Writing(Protocol):
    """What is written into a record that came back."""

    def came_back(self, now: datetime) -> None: ...


class Store(Protocol):
    """A file that is opened as a record."""

    def is_served(self) -> bool: ...
    def check(self, *, thorough: bool = False) -> Checkup: ...
    def copy(self, target: Path) -> None: ...
    def holdings(self) -> Holdings: ...
    def verify(self) -> tuple[int, int, Sequence[Any]]: ...
    def migrate(self) -> list[str]: ...
    def writing(self) -> AbstractContextManager[Writing]: ...
    def close(self) -> None: ...


class Opening(Protocol):
    """Opens a file as a record."""

    def __call__(self, path: Path, *, look_only: bool) -> Store: ...


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds, how many bytes it has, and what was found changed in its chains."""

    holdings: Holdings
    size: int
    findings: Sequence[Any]
    migrated: Sequence[str] = ()


def back_up(record: Store, target: Path, opened: Opening, before: Callable[[], None]) -> Copied:
    """Copies a record that may be in use; gives what the copy holds.

    What is wrong with the chains is copied too, and told: a record with a fault needs its backups most. `before` is
    called when all is right and before the copy gets its name. Raises Refusal where the target is taken, cannot be
    written, or the copy is not whole.
    """
    _must_be_free(target)
    with _draft(target) as draft:
        least = record.holdings()
        record.copy(draft)
        most = record.holdings()
        with closing(opened(draft, look_only=True)) as copy:
            _must_be_whole(copy, target, "Nothing was kept; scribe doctor looks at the record itself.")
            held, (_, _, findings) = copy.holdings(), copy.verify()
        if not (least.incidents <= held.incidents <= most.incidents and least.events <= held.events <= most.events):
            raise Refusal(f"The copy holds {held.events} events and the record {most.events}.", "Nothing was kept.")
        _sync(draft)
        size = draft.stat().st_size
        before()
        _put(draft, target)
    return Copied(held, size, findings)


def restore(
    source: Path, database: Path, opened: Opening, now: datetime, *, anyway: bool, before: Callable[[], None]
) -> Copied:
    """Puts a backup in the place of a database that is not there any more; gives what it holds.

    The copy is looked through and brought to today's schema before it gets the database's name; the backup itself stays
    as it is. With findings it does so only `anyway`: else they are given back, and nothing is put anywhere. `before` as
    with a backup. Raises Refusal where there is a database, or what belongs to one, where the backup is damaged or of a
    newer program, and where nothing can be written.
    """
    with closing(opened(database, look_only=True)) as place:
        if place.is_served():
            raise Refusal(f"scribe serve is running on {database}.", "Stop it first.")
    _must_have_no_database(database)
    database.parent.mkdir(parents=True, exist_ok=True)
    with _draft(database) as draft:
        with closing(opened(source, look_only=True)) as backup:
            _must_be_whole(backup, source, "Take another backup.")
            backup.copy(draft)
        with closing(opened(draft, look_only=False)) as record:
            migrated = record.migrate()
            _, _, findings = record.verify()
            held = record.holdings()
            if findings and not anyway:
                return Copied(held, 0, findings)
            with record.writing() as tx:
                tx.came_back(now)
        _must_be_closed(draft, database)
        _sync(draft)
        size = draft.stat().st_size
        _must_have_no_database(database)
        before()
        _put(draft, database)
    return Copied(held, size, findings, migrated)


def keep(path: Path, content: bytes) -> None:
    """Keeps a few bytes in a file for its owner only; raises Refusal where others stand there already."""
    if os.path.lexists(path):
        if path.read_bytes() == content:
            return
        raise Refusal(f"{path} is there already, and holds something else.", "Move it away, or name another file.")
    with _draft(path) as draft:
        draft.write_bytes(content)
        _sync(draft)
        _put(draft, path)


def _must_be_free(target: Path) -> None:
    if target.is_dir():
        raise Refusal(f"{target} is a folder.", "Name a file in it.")
    if os.path.lexists(target):
        raise Refusal(f"{target} is there already, and is not overwritten.", "Name another file.")
    if not target.parent.is_dir():
        raise Refusal(f"There is no folder {target.parent}.", "Make it, or name another place.")


def _must_have_no_database(database: Path) -> None:
    if os.path.lexists(database):
        raise Refusal(
            f"There is a database at {database}, and it is not overwritten.",
            "Stop scribe serve and move the database away with what lies beside it, or set SCRIBE_DATABASE to another "
            "place.",
        )
    left = [path for path in (database.with_name(database.name + end) for end in BESIDE) if os.path.lexists(path)]
    if left:
        raise Refusal(
            f"{left[0]} belongs to a database that was here, and would spoil this one.",
            "Is scribe serve stopped? Then move that file to where the database went.",
        )


def _must_be_whole(store: Store, called: Path, remedy: str) -> None:
    found = store.check(thorough=True)
    if found.closed:
        raise Refusal(f"{called} cannot be opened.", "May you read it, and what lies beside it?")
    if found.damage:
        raise Refusal(f"{called} is damaged, or no database: {found.damage}.", remedy)
    if found.newer:
        raise Refusal(
            f"{called} was written by a newer Scribe (it has {', '.join(found.newer)}).", "Install that version."
        )
    if found.blank:
        raise Refusal(f"{called} is no record of Scribe's: it holds none of its tables.", remedy)


def _must_be_closed(draft: Path, target: Path) -> None:
    """SQLite says nothing where it could not take the log into the file when the file was closed."""
    if any(os.path.lexists(draft.with_name(draft.name + end)) for end in BESIDE):
        raise Refusal(f"The copy could not be finished in {target.parent}.", "Is there room? Then try again.")


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """An empty file beside the target, for its owner only; gone when the block ends, with what SQLite put beside it."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        for end in ("", *BESIDE):
            draft.with_name(draft.name + end).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as failure:
        if not path.is_dir() or failure.errno not in CANNOT:
            raise
    finally:
        os.close(handle)


def _put(draft: Path, target: Path) -> None:
    """Gives a file its name, which nothing may have; the name is on the disk too when this returns."""
    try:
        try:
            os.link(draft, target)
        except OSError as failure:
            if failure.errno not in CANNOT:
                raise
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # the name is ours now
            draft.replace(target)
    except FileExistsError:
        raise Refusal(f"{target} is there already, and is not overwritten.", "Name another file.") from None
    _sync(target.parent)
