"""How long a document takes, and whether that grows in proportion to the record: `make benchmark-compose`.

Each step of the press is timed for 100, 1,000 and 10,000 entries in one run, so that the last column does not depend on
the machine: ten times the entries should take about ten times as long.
"""

from __future__ import annotations

import gc
import itertools
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot import figure, interchange, render
from bot.core import events as ev
from bot.core.document import Options, Postmortem
from bot.core.events import Category, Kind, Source
from bot.core.incident import fold
from bot.core.postmortem import compose

SIZES = (100, 1_000, 10_000)
PROPORTIONAL = 15
"""A ratio above this for ten times the entries is marked."""
START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
OPTIONS = Options(number=42)
NAMES = {f"p{number}": f"Responder {number}" for number in range(12)}

SAID = (
    (Kind.NOTE, "5xx of checkout at 23 %, p99 at 4.1 s, see https://graphs.example/d/4711?from=now-1h"),
    (Kind.HYPOTHESIS, "The pool of orders-db is full: 200 of 200 connections are taken."),
    (Kind.ACTION, "Restarted orders-api one by one (3 of 12 so far)"),
    (Kind.DEAD_END, "The deploy of 02:40 touched the search only."),
    (Kind.NOTE, "Nothing in the log of the proxy but `upstream timed out` for _one_ of the hosts"),
    (Kind.UPDATE, "We are working on the errors when paying. Orders that were placed are safe."),
    (Kind.ACTION, "Raised max_connections to 400 and watched it for five minutes"),
    (Kind.MITIGATION, "Half of the traffic goes to the other region."),
    (Kind.DECISION, "No failover tonight"),
    (Kind.ESCALATION, "All connections are taken and we do not know by whom."),
    (Kind.FACTOR, "Nobody is told when a pool is full."),
    (Kind.TASK, "Give reports a pool of their own"),
    (Kind.IMPACT, "Customers could not pay by card."),
    (Kind.WRONG, "It took an hour until the right people were there."),
)

Made = TypeVar("Made")


def record(entries: int) -> list[ev.Event]:
    """An incident with so many entries, a correction or a mark for every tenth, in the order of recording."""
    happened: list[ev.Event] = []
    numbered: list[int] = []
    kinds = itertools.cycle(SAID)
    tasks = 0

    def say(kind: Kind, text: str, **more: object) -> None:
        number = len(numbered) + 1
        at = START + timedelta(seconds=20 * number)
        head = {"by": f"p{number % 12}", "recorded_at": at + timedelta(seconds=3), "entry": number, "at": at}
        one = ev.ENTRY_EVENTS[kind](text=text, **head, **more)  # type: ignore[arg-type]
        numbered.append(number)
        happened.append(one)

    say(Kind.STARTED, "Checkout returns errors", severity=1, drill=False, onset=START, onset_approx=False)
    say(Kind.DETECTION, "alarm on 5xx", source=Source.MONITORING)
    while len(numbered) < entries - 2:
        kind, text = next(kinds)
        more: dict[str, object] = {}
        if kind is Kind.TASK:
            tasks += 1
            more = {"task": tasks, "category": Category.PREVENT}
        elif kind is Kind.DEAD_END:
            more = {"hypothesis": len(numbered) - 1}
        say(kind, f"{text} ({len(numbered)})", **more)
        last = happened[-1]
        if len(numbered) % 10 == 0:
            happened.append(
                ev.TextCorrected(by=last.by, recorded_at=last.recorded_at, entry=len(numbered), text=f"{text} (right)")
            )
        elif kind is Kind.ACTION:
            happened.append(ev.EffectSeen(by=last.by, recorded_at=last.recorded_at, entry=len(numbered), worked=False))
    say(Kind.MITIGATED, "errors are gone")
    say(Kind.RESOLUTION, "graphs are flat")
    return happened


def measure(entries: int) -> dict[str, float]:
    """Seconds for each step of the press."""
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Made]) -> Made:
        gc.collect()
        begun = time.perf_counter()
        made = work()
        seconds[step] = time.perf_counter() - begun
        return made

    stored = [(one.name, *ev.to_json(one)) for one in record(entries)]
    happened = timed("read events", lambda: [ev.from_json(*one) for one in stored])
    incident = timed("fold", lambda: fold(happened, 42))

    def words(draft: Postmortem) -> int:
        return render.words(render.document(draft))

    postmortem = timed("compose", lambda: compose(incident, NAMES, OPTIONS, words))
    timed("document", lambda: render.document(postmortem))
    timed("annex", lambda: render.timeline(postmortem))
    timed("JSON", lambda: interchange.as_json(postmortem, incident, NAMES, postmortem.length.words))
    timed("CSV", lambda: interchange.as_csv(postmortem, incident))
    timed("picture", lambda: figure.svg(postmortem))
    seconds["all"] = sum(seconds.values())
    return seconds


def main() -> int:
    """Prints the table."""
    measure(SIZES[0])  # templates and phrases are read once
    columns = []
    for entries in SIZES:
        columns.append(measure(entries))
        print(f"{entries:,} entries: {columns[-1]['all']:.2f} s", file=sys.stderr)
    print("\nSeconds, for 1,000 entries each")
    print(f"{'':14}" + "".join(f"{size:>12,}" for size in SIZES) + f"{'10,000 / 1,000':>18}")
    for step in columns[0]:
        each = "".join(f"{found[step] / size * 1000:12.3f}" for found, size in zip(columns, SIZES, strict=True))
        ratio = columns[-1][step] / columns[-2][step]
        mark = "  grows faster than the record" if ratio > PROPORTIONAL else ""
        print(f"{step:14}{each}{ratio:18.1f}{mark}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
