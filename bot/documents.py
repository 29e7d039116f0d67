"""The document of an incident at a revision: composed once by the press, kept for those who ask next.

Several letters of one revision, and everybody who opens its link, need the same pages. Knows what a document is made
from. Must not know where it goes, nor SQL; store and press arrive by constructor.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bot.core import customers
from bot.core import events as ev
from bot.core.document import CUSTOMER
from bot.core.incident import fold
from bot.core.record import JSON, Installation, Place

KEPT = 16
"""Documents that are kept: those of the incidents that people look at."""
HEAVY = 2_000_000
"""One that is a larger file, with images inside, is composed anew for each who asks."""

Stored = Sequence[tuple[str, JSON, JSON | None]]

Compose = Callable[[Place, Stored, Mapping[str, str], int, bool, str, tuple[str, ...]], tuple[Any, Any]]
"""The press: place, stored events, names by key, revision, whether a PNG is wanted, template, further formats -> page
and names of its files."""


class Reading(Protocol):
    """What the store lets us look up."""

    def by_key(self, key: int) -> Place | None: ...
    def stored(self, incident: int, after: int = 0, upto: int | None = None) -> list[tuple[str, JSON, JSON | None]]: ...
    def installation(self, team: str) -> Installation | None: ...
    def head_at(self, incident: int, seq: int) -> str: ...
    def texts_gone(self, incident: int, upto: int) -> int: ...
    def names_of(self, incident: int, revision: int) -> dict[str, str] | None: ...
    def names_in(self, stored: Iterable[tuple[str, JSON, JSON | None]]) -> dict[str, str]: ...


class Store(Protocol):
    """Where the record is."""

    def reading(self) -> AbstractContextManager[Reading]: ...


@dataclass(frozen=True, slots=True)
class Document:
    """A composed document: the incident as it was then, the page in every form, the names of its files.

    `destroyed` counts the texts that were gone when it was composed.
    """

    place: Place
    page: Any
    called: Any
    destroyed: int = 0


class Documents:
    """Composes documents; safe to use from several threads. `stamp` is another one when a template was changed."""

    def __init__(self, store: Store, compose: Compose, stamp: Callable[[], object] = tuple) -> None:
        self._store = store
        self._compose = compose
        self._stamp = stamp
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Document] = OrderedDict()

    def at(
        self,
        incident: int,
        upto: int,
        revision: int,
        *,
        png: bool = False,
        template: str = "default",
        also: tuple[str, ...] = (),
    ) -> Document:
        """The document after event `upto`: the same record gives the same bytes under the same names.

        What was composed before is taken again, unless words were destroyed, people were renamed or templates changed
        since. `also` names formats that few ask for ("csv", "html"). Raises Undelivered when the press cannot compose
        it, Refusal when a template of one's own is wrong.
        """
        stored: Stored | None = None
        with self._store.reading() as tx:
            names = tx.names_of(incident, revision)
            if not names:  # nothing of that revision has left: people are called what they are called now
                stored = tx.stored(incident, upto=upto)
                names = tx.names_in(stored)
            destroyed = tx.texts_gone(incident, upto)
            key = (incident, upto, revision, destroyed, tuple(sorted(names.items())), template, also, self._stamp())
            if (known := self._known(key, png)) is not None:
                return known
            stored = tx.stored(incident, upto=upto) if stored is None else stored
            place = tx.by_key(incident)
            assert place is not None
            head = tx.head_at(incident, upto)
            workspace = tx.installation(place.team)
        then = fold((ev.from_json(*one) for one in stored), place.number)
        title = customers.title(then) if template == CUSTOMER else then.title
        place = replace(place, seq=upto, head=head, title=title, url=workspace.url if workspace else "")
        page, called = self._compose(place, stored, names, revision, png, template, also)
        made = Document(place, page, called, destroyed)
        if len(getattr(page, "html", b"")) > HEAVY:
            return made
        with self._lock:
            self._kept[(*key, png)] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def _known(self, key: tuple[Any, ...], png: bool) -> Document | None:
        """A document that was composed before; one with a picture does where none is wanted."""
        with self._lock:
            for one in ((*key, True),) if png else ((*key, True), (*key, False)):
                if one in self._kept:
                    self._kept.move_to_end(one)
                    return self._kept[one]
        return None
