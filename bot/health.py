"""How it is doing: /healthz (alive), /readyz (can record, and why not), /metrics (figures for Prometheus).

Knows prometheus_client and what is worth counting. Must not know SQL, Slack or HTTP: it is told what happens, and looks
at the record through `glance`. Numbers and kinds only: no channel, incident, person, workspace or text, so that nothing
is given away and the number of time series is bounded.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.core.record import Glance

KEPT_SECONDS = 1.0
"""For so long what was seen of the record is shown again: who asks often costs no more than who asks once."""

PATIENCE = 1.0
"""Seconds to wait for a turn to write before the record counts as held by somebody else."""

LEAST_ROOM = 16 << 20
"""Bytes that have to be free where the database lies: below that the next lines may not find room."""

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds: Slack waits three for an answer."""
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Seconds: a document may take two minutes."""

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"

P = ParamSpec("P")
T = TypeVar("T")
JSON = dict[str, Any]


class Store(Protocol):
    """Where the record is."""

    def glance(self, now: datetime, patience: float) -> Glance: ...


class Sockets(Protocol):
    """Socket Mode (see slack/sockets.py)."""

    envelopes: int

    def connected(self) -> bool: ...
    def age(self) -> timedelta | None: ...
    def close(self) -> None: ...


class Counts:
    """What happened since the start. Each method is told of one thing; safe from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line for each counter, read by nobody

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"scribe_{name}", what, labels, registry=registry)

        def seconds(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"scribe_{name}_duration_seconds", what, labels, buckets=buckets, registry=registry)

        self._requests = counter("requests_total", "Requests of Slack, by what became of them.", "kind", "outcome")
        self._answer = seconds("request", "From a request that was let in to its answer.", FAST, "kind")
        self._web = counter("http_requests_total", "Requests over HTTP.", "route", "status")
        self._commit = seconds("commit", "A transaction, with the wait for its turn.", FAST)
        self._letters = counter("letters_total", "Letters that were taken in hand.", "kind", "outcome")
        self._calls = counter("slack_calls_total", "Calls of Slack's Web API.", "method", "result")
        self._call = seconds("slack_call", "A call of Slack's Web API.", SLOW)
        self._press = seconds("press", "A document or page, with the wait for the press.", SLOW, "work")
        self._revived = counter("senders_revived_total", "Threads that send and had to be started again.")

    def request(self, kind: str, outcome: str, seconds: float) -> None:
        """A request of Slack was answered."""
        self._requests.labels(kind, outcome).inc()
        self._answer.labels(kind).observe(seconds)

    def web(self, route: str, status: int) -> None:
        """A request over HTTP was answered; `route` is the rule, never the address."""
        self._web.labels(route, str(status)).inc()

    def commit(self, seconds: float) -> None:
        """Something was written."""
        self._commit.observe(seconds)

    def letter(self, kind: str, outcome: str) -> None:
        """A letter was taken in hand, and this became of it."""
        self._letters.labels(kind, outcome).inc()

    def call(self, method: str, result: str, seconds: float) -> None:
        """Slack was called."""
        self._calls.labels(method, result).inc()
        self._call.observe(seconds)

    def revived(self) -> None:
        """A thread that sends had died and was started again."""
        self._revived.inc()

    def pressing(self, work: str, way: Callable[P, T]) -> Callable[P, T]:
        """The same function, timed: it waits for the press."""
        timer = self._press.labels(work)

        def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            with timer.time():
                return way(*args, **kwargs)

        return timed


class Health:
    """What is told of this process. `store` is the record, `folder` where it lies, `clock` gives aware UTC.

    Whoever serves sets `sockets`, `senders` (the threads that send) and `stopping`.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        clock: Callable[[], datetime],
        *,
        version: str,
        press_runs: Callable[[], bool],
        kept: float = KEPT_SECONDS,
    ) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock
        self._version = version
        self._press_runs = press_runs
        self._kept = kept
        self._looking = threading.Lock()
        self._seen: tuple[float, Glance] | None = None
        self._last_request: datetime | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self.sockets: Sockets | None = None
        self.senders: tuple[threading.Thread, ...] = ()
        self.stopping = False
        self.counts = Counts(self._registry)
        self._registry.register(_State(self._state))
        ProcessCollector(registry=self._registry)

    def __call__(self) -> JSON:
        """What /healthz says of a process that is alive: with Socket Mode whether it is connected, too."""
        return {} if self.sockets is None else {"socket_mode": self._socket_mode(self.sockets)}

    def request(self, kind: str, outcome: str, seconds: float) -> None:
        """Slack was heard, and answered."""
        self._last_request = self._clock()
        self.counts.request(kind, outcome, seconds)

    # ---- /readyz ---------------------------------------------------------------------------------

    def ready(self) -> tuple[bool, JSON]:
        """Whether what people type would be recorded now, and everything that one looks at when it is not."""
        now, seen, free = self._clock(), self._glance(), self._free()
        dead = sum(not one.is_alive() for one in self.senders)
        missing = {
            "stopping": "it is stopping" if self.stopping else "",
            "database": seen.problem,
            "disk": "" if free >= LEAST_ROOM else "the disk is full, or nearly",
            "senders": f"{dead} of {len(self.senders)} have died" if dead and not self.stopping else "",
        }
        found: JSON = {
            "status": "ready" if not any(missing.values()) else "not ready",
            "problems": {name: words for name, words in missing.items() if words},
            "disk_free_bytes": free,
            "letters": {
                "waiting": seen.waiting,
                "in_hand": seen.in_hand,
                "parked": seen.parked,
                "oldest_late_seconds": _age(seen.oldest, now),
            },
            "last_request_seconds": _age(self._last_request, now),
            "senders": len(self.senders) - dead,
            "press_running": self._press_runs(),
        }
        return not any(missing.values()), {**found, **self()}

    def _socket_mode(self, sockets: Sockets) -> JSON:
        age = sockets.age()
        seconds = round(age.total_seconds()) if age is not None else None
        return {"connected": sockets.connected(), "last_envelope_seconds": seconds}

    def _glance(self) -> Glance:
        if not self._looking.acquire(blocking=self._seen is None) and self._seen:
            return self._seen[1]  # somebody looks: nobody else waits for that
        try:
            if self._seen is None or time.monotonic() - self._seen[0] >= self._kept:
                found = self._store.glance(self._clock(), PATIENCE)
                self._seen = (time.monotonic(), found)
            return self._seen[1]
        finally:
            self._looking.release()

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0

    # ---- /metrics --------------------------------------------------------------------------------

    def metrics(self) -> tuple[bytes, str]:
        """Every figure in Prometheus' text format, and the name of that format."""
        return generate_latest(self._registry), TEXT_FORMAT

    def _state(self) -> Iterator[Metric]:
        now, seen = self._clock(), self._glance()

        def gauge(name: str, what: str, value: float) -> Metric:
            return GaugeMetricFamily(f"scribe_{name}", what, value=value)

        def by(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
            family = GaugeMetricFamily(f"scribe_{name}", what, labels=[label])
            for one, value in values.items():
                family.add_metric([one], value)
            return family

        build = InfoMetricFamily("scribe_build", "Which Scribe this is.")
        build.add_metric([], {"version": self._version})
        yield build
        yield gauge("database_writable", "Whether the last try to write succeeded.", not seen.problem)
        yield by("database_size_bytes", "The record on disk.", "file", seen.sizes)
        yield gauge("disk_free_bytes", "Room left where the record lies.", self._free())
        letters = {"waiting": seen.waiting, "in_hand": seen.in_hand, "parked": seen.parked}
        yield by("letters", "Letters that have not left, by state.", "state", letters)
        late = _age(seen.oldest, now) or 0
        yield gauge("letters_oldest_late_seconds", "For how long the oldest letter should have left.", late)
        yield gauge("incidents_open", "Incidents that are open or mitigated.", seen.open)
        alive = sum(one.is_alive() for one in self.senders)
        yield gauge("senders", "Threads that send and are alive.", alive)
        if self._last_request is not None:
            at = self._last_request.timestamp()
            yield gauge("last_request_timestamp_seconds", "When Slack was heard last, however it came.", at)
        if self.sockets is not None:
            yield gauge("socket_mode_connected", "Whether Socket Mode is connected.", self.sockets.connected())
            envelopes = CounterMetricFamily("scribe_socket_mode_envelopes", "Envelopes that came.")
            envelopes.add_metric([], self.sockets.envelopes)
            yield envelopes
            if (age := self.sockets.age()) is not None:
                yield gauge("socket_mode_last_envelope_seconds", "Since the last envelope.", age.total_seconds())


class _State(Collector):
    """What is looked up when somebody asks, rather than counted when it happens."""

    def __init__(self, look: Callable[[], Iterator[Metric]]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        return self._look()


def _age(since: datetime | None, now: datetime) -> int | None:
    return None if since is None else max(round((now - since).total_seconds()), 0)
