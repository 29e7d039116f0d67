"""The one worker process in which documents are compiled, rendered and drawn: events in, bytes out.

Python's lock makes eight clients crawl beside a thread that renders, so the serving process never does it itself
(DESIGN.md, invariant 12). Knows what a page consists of. Must not know where it goes.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from bot import figure, interchange, render
from bot.core import events as ev
from bot.core.document import CUSTOMER, Options, Postmortem
from bot.core.errors import Refusal, Undelivered
from bot.core.facts import tasks_without_owner
from bot.core.incident import fold
from bot.core.postmortem import compose
from bot.core.suggest import Message, Suggestion, suggest

LONGEST = 120.0
"""Seconds for one order: shorter than the lease of its letter (see outbox.py). A template may never end."""

MEMORY = 4 << 30
"""Bytes that the worker may ask the system for: a template may want to write more than there is."""

ENDING_SECONDS = 1.0
"""For the worker to be gone when it is told so in the middle of an order."""

STOPPING = "Scribe is stopping; the document is composed after the next start."

JSON = dict[str, Any]
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be printed: the record as the store keeps it, and the names of its people.

    `events` are (name, facts, words) in order; words are None where they were destroyed. `png` says whether the picture
    is wanted as PNG too, `also` names further formats ("csv", "html"). `templates` is a folder of one's own templates,
    `images` what was attached and shall be inside the HTML, by its name in the folder: media type and bytes.
    """

    events: tuple[tuple[str, JSON, JSON | None], ...]
    names: dict[str, str]
    options: Options
    png: bool = True
    also: tuple[str, ...] = ()
    templates: str = ""
    images: tuple[tuple[str, str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """What the channel's post needs to know of a page; texts are "" where unknown."""

    title: str
    number: int
    severity: int | None
    drill: bool
    status: str
    stage: str
    revision: int
    duration: str
    impact_duration: str
    impact: str
    found_by: str
    root_cause: str
    ask: str
    entries: int
    tasks: int
    tasks_without_owner: int
    open_questions: int
    words: int
    life: str = ""

    def as_json(self) -> JSON:
        """The digest as a JSON object; `Digest(**…)` reads it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Page:
    """A document in every form, as bytes; `png`, `csv` and `html` are empty when they were not ordered.

    `fault` says what is wrong with a template of one's own, in whose place the one that comes with Scribe was taken.
    `files` are the attached ones to which it links: name in their folder, digest, media type, and how people called it.
    """

    document: bytes
    annex: bytes
    json: bytes
    svg: bytes
    png: bytes
    digest: Digest
    csv: bytes = b""
    html: bytes = b""
    fault: str = ""
    files: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document that was printed as Markdown and shall be a page of the web, and what stands around it there."""

    markdown: bytes
    frame: render.Frame


class Press:
    """Prints pages in a process of its own, which starts with the first order and is replaced when it dies.

    `inline` prints in the calling process instead: for replays and tests. `seconds` is how long the worker may take
    for one order. Safe to use from several threads.
    """

    def __init__(self, inline: bool = False, seconds: float = LONGEST) -> None:
        self._inline = inline
        self._seconds = seconds
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._leash: Connection | None = None
        self._closed = False

    def page(self, order: Order) -> Page:
        """Prints a page. Raises Undelivered when the worker process died twice over it or took too long.

        Raises Refusal, with file and line, where a template of one's own is wrong; not for the default document, which
        is then printed as it comes with Scribe.
        """
        return self._run(printed, order)

    def html(self, sheet: Sheet) -> bytes:
        """Prints a document for the web. Raises Undelivered when the worker process died twice over it."""
        return self._run(framed, sheet)

    def looked_through(self, messages: Sequence[Message]) -> list[Suggestion]:
        """Finds the messages of an incident's channel that look like entries. Raises Undelivered as `html` does."""
        return self._run(suggested, tuple(messages))

    def _run(self, work: Callable[[Given], Made], given: Given) -> Made:
        if self._inline:
            return work(given)
        for _ in range(2):
            pool = self._worker()
            try:
                return pool.submit(in_time, work, given, self._seconds).result()
            except BrokenProcessPool:
                self._discard(pool)
            except TimeoutError as failure:
                raise Undelivered(f"The document could not be composed: {failure}.") from failure
            except (CancelledError, RuntimeError):
                if not self._closed:
                    raise
                raise Undelivered(STOPPING) from None
        raise Undelivered("The process that composes documents died twice over this one.")

    def runs(self) -> bool:
        """Whether there is a worker process: the first order starts it."""
        with self._lock:
            return self._pool is not None

    def close(self, seconds: float | None = None) -> None:
        """Lets the worker finish what it has in hand, for so many seconds at most, and ends it.

        No page is printed afterwards; an order that was not finished raises Undelivered where it was given.
        """
        with self._lock:
            pool, self._pool, self._closed = self._pool, None, True
            leash, self._leash = self._leash, None
        if pool:
            ending = threading.Thread(target=pool.shutdown, kwargs={"wait": True, "cancel_futures": True}, daemon=True)
            ending.start()
            ending.join(seconds)
            if leash:
                leash.close()
            ending.join(ENDING_SECONDS)

    def _worker(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._closed:
                raise Undelivered(STOPPING)
            if self._pool is None:
                spawn = multiprocessing.get_context("spawn")
                end, self._leash = spawn.Pipe(duplex=False)
                self._pool = ProcessPoolExecutor(max_workers=1, mp_context=spawn, initializer=_settle, initargs=(end,))
            return self._pool

    def _discard(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
                if self._leash:
                    self._leash.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _settle(leash: Connection) -> None:
    """The worker leaves Ctrl-C to the process that serves, and ends when that one is gone or lets go of the leash."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError, OSError):  # not every system has that limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_end_with, args=(parent.sentinel, leash), daemon=True).start()


def _end_with(sentinel: int, leash: Connection) -> None:
    multiprocessing.connection.wait([sentinel, leash])
    os._exit(0)


def in_time(work: Callable[[Given], Made], given: Given, seconds: float) -> Made:
    """Does a work in the worker; raises TimeoutError in the middle of it when it takes longer than that."""

    def late(*_: object) -> None:
        raise TimeoutError(f"it took longer than {seconds:g} seconds")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return work(given)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def printed(order: Order) -> Page:
    """The page of an order: what the worker runs.

    A template of one's own that is wrong keeps nobody from the default document: it is printed as it comes with Scribe.
    """
    if not order.templates:
        return _printed(order, None)
    try:
        return _printed(order, Path(order.templates))
    except Refusal as fault:
        if order.options.template != "default":
            raise
        return replace(_printed(order, None), fault=fault.message)


def _printed(order: Order, own: Path | None) -> Page:
    happened = [ev.from_json(name, facts, said) for name, facts, said in order.events]
    incident = fold(happened, order.options.number)

    def count_words(draft: Postmortem) -> int:
        return render.words(render.document(draft, own))

    postmortem = compose(incident, order.names, order.options, count_words)
    document = render.document(postmortem, own)
    count = postmortem.length.words
    digest = _digest(postmortem, incident.status.value, len(tasks_without_owner(incident)), count)
    if order.options.template == CUSTOMER:  # nothing else is for their eyes
        return Page(document=document.encode(), annex=b"", json=b"", svg=b"", png=b"", digest=digest)
    with render.naming_the_line(own):
        picture = figure.svg(postmortem, own)
    annex = render.timeline(postmortem, own)
    return Page(
        document=document.encode(),
        annex=annex.encode(),
        json=interchange.as_json(postmortem, incident, order.names, count).encode(),
        svg=picture.encode(),
        png=figure.png(picture) if order.png else b"",
        digest=digest,
        csv=interchange.as_csv(postmortem, incident).encode() if "csv" in order.also else b"",
        html=_single(postmortem, document, annex, picture, order, own).encode() if "html" in order.also else b"",
        files=_files(postmortem),
    )


def _files(postmortem: Postmortem) -> tuple[tuple[str, str, str, str], ...]:
    """What was attached, each file once."""
    found = (one for entry in postmortem.entries for one in entry.files if one.path)
    return tuple({one.path: (one.path, one.digest, one.media_type, one.name) for one in found}.values())


def _single(postmortem: Postmortem, document: str, annex: str, picture: str, order: Order, own: Path | None) -> str:
    options, header = postmortem.options, postmortem.header
    frame = render.Frame(
        number=header.number,
        title=header.title,
        stage=header.stage,
        revision=header.revision,
        entries=header.entries,
        document=options.document,
        annex=options.annex,
        picture=options.picture,
        files=options.files,
        words=postmortem.length.words,
    )
    shown = {name for name, *_ in _files(postmortem)}
    images = {name: (media_type, content) for name, media_type, content in order.images if name in shown}
    return render.single(document, annex, picture, frame, own, images)


def framed(sheet: Sheet) -> bytes:
    """A document as a page of the web: what the worker runs."""
    return render.page(sheet.markdown.decode(), sheet.frame).encode()


def suggested(messages: Sequence[Message]) -> list[Suggestion]:
    """What looks like entries, in a channel in which an incident is known to be: what the worker runs."""
    return suggest(messages, under_way=True)


def _digest(postmortem: Postmortem, status: str, ownerless: int, count: int) -> Digest:
    header, said = postmortem.header, postmortem.headlines
    return Digest(
        title=header.title,
        number=header.number,
        severity=header.severity,
        drill=header.drill,
        status=status,
        stage=header.stage,
        revision=header.revision,
        duration=said.duration,
        impact_duration=said.impact_duration,
        impact=said.impact,
        found_by=said.found_by,
        root_cause=said.root_cause,
        ask=said.ask,
        entries=header.entries,
        tasks=len(postmortem.all_tasks),
        tasks_without_owner=ownerless,
        open_questions=len(postmortem.questions),
        words=count,
        life=postmortem.life,
    )
