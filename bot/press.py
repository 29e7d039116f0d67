"""The one worker process in which documents are compiled, rendered and drawn: events in, bytes out.

Python's lock makes eight clients crawl beside a thread that renders, so the serving process never does it itself
(DESIGN.md, invariant 12). Knows what a page consists of. Must not know where it goes.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot import figure, render
from bot.core import events as ev
from bot.core.document import Options, Postmortem
from bot.core.errors import Undelivered
from bot.core.facts import tasks_without_owner
from bot.core.incident import fold
from bot.core.postmortem import compose

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be printed: the record as the store keeps it, and the names of its people.

    `events` are (name, facts, words) in order; words are None where they were destroyed. `png` says whether the picture
    is wanted as PNG too. `templates` is a folder of one's own templates.
    """

    events: tuple[tuple[str, JSON, JSON | None], ...]
    names: dict[str, str]
    options: Options
    png: bool = True
    templates: str = ""


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

    def as_json(self) -> JSON:
        """The digest as a JSON object; `Digest(**…)` reads it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Page:
    """A document in every form, as bytes; `png` is empty when it was not ordered."""

    document: bytes
    annex: bytes
    json: bytes
    svg: bytes
    png: bytes
    digest: Digest


class Press:
    """Prints pages in a process of its own, which starts with the first order and is replaced when it dies.

    `inline` prints in the calling process instead: for replays and tests. Safe to use from several threads.
    """

    def __init__(self, inline: bool = False) -> None:
        self._inline = inline
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False

    def page(self, order: Order) -> Page:
        """Prints a page. Raises Undelivered when the worker process died twice over it."""
        if self._inline:
            return printed(order)
        for _ in range(2):
            pool = self._worker()
            try:
                return pool.submit(printed, order).result()
            except BrokenProcessPool:
                self._discard(pool)
        raise Undelivered("The process that composes documents died twice over this one.")

    def close(self) -> None:
        """Lets the worker finish what it has in hand and ends it. No page is printed afterwards."""
        with self._lock:
            pool, self._pool, self._closed = self._pool, None, True
        if pool:
            pool.shutdown(wait=True, cancel_futures=True)

    def _worker(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._closed:
                raise Undelivered("Scribe is stopping; the document is composed after the next start.")
            if self._pool is None:
                spawn = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(max_workers=1, mp_context=spawn, initializer=_settle)
            return self._pool

    def _discard(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False, cancel_futures=True)


def _settle() -> None:
    """The worker leaves Ctrl-C to the process that serves, and ends when that one is gone, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(0)


def printed(order: Order) -> Page:
    """The page of an order: what the worker runs."""
    happened = [ev.from_json(name, facts, said) for name, facts, said in order.events]
    own = Path(order.templates) if order.templates else None
    incident = fold(happened, order.options.number)

    def count_words(draft: Postmortem) -> int:
        return render.words(render.document(draft, own))

    postmortem = compose(incident, order.names, order.options, count_words)
    document = render.document(postmortem, own)
    count = postmortem.length.words
    picture = figure.svg(postmortem, own)
    return Page(
        document=document.encode(),
        annex=render.timeline(postmortem, own).encode(),
        json=render.as_json(postmortem, happened, order.names, count).encode(),
        svg=picture.encode(),
        png=figure.png(picture) if order.png else b"",
        digest=_digest(postmortem, incident.status.value, len(tasks_without_owner(incident)), count),
    )


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
    )
