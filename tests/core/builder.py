"""Records for tests: events a minute after one another, and whole scenarios as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot import scenarios
from bot.core import events as ev
from bot.core import grammar
from bot.core.decide import Speaker, decide
from bot.core.document import Options, Postmortem
from bot.core.errors import Question
from bot.core.events import Kind
from bot.core.incident import Incident, fold
from bot.core.postmortem import compile

INCIDENTS = Path(__file__).parents[2] / "examples" / "incidents"
SCENARIOS = sorted(path for path in INCIDENTS.glob("*.yaml") if not path.name.endswith(".expect.yaml"))
NAMES = {"a": "Ada", "b": "Ben", "c": "Chidi"}
START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
OPTIONS = Options(number=42, document="0042-x.md", annex="0042-x.timeline.md", picture="0042-x.svg", chain="c0ffee")


class Record:
    """Events in the making. Times are minutes after 03:00 UTC on 21 November 2026."""

    def __init__(
        self, title: str = "Checkout returns errors", zone: str = "UTC", onset: float = 0, **more: Any
    ) -> None:
        self.happened: list[ev.Event] = []
        self.entries = 0
        self.tasks = 0
        self.minute = 0
        self.zone = zone
        head = {"severity": 1, "drill": False, "onset_approx": False, **more}
        self.say(Kind.STARTED, title, at=max(onset, 0), onset=START + timedelta(minutes=onset), **head)

    def say(self, kind: Kind, text: str = "", at: float | None = None, by: str = "a", **more: Any) -> int:
        """Records an entry and gives its number; `at` is now unless given."""
        self.entries += 1
        self.minute = max(self.minute + 1, int(at or 0))
        when = START + timedelta(minutes=self.minute if at is None else at)
        if kind is Kind.TASK:
            self.tasks += 1
            more = {"task": self.tasks, **more}
        more = {**DEFAULTS.get(kind, {}), "approx": False, "zone": self.zone, **more}
        head = {"by": by, "recorded_at": START + timedelta(minutes=self.minute), "entry": self.entries, "at": when}
        self.happened.append(ev.ENTRY_EVENTS[kind](text=text, **head, **more))
        return self.entries

    def mark(self, cls: type[ev.Event], by: str = "a", **more: Any) -> int:
        """Records what takes no number and gives its place in the record."""
        self.minute += 1
        self.happened.append(cls(by=by, recorded_at=START + timedelta(minutes=self.minute), **more))
        return len(self.happened)

    def incident(self) -> Incident:
        return fold(self.happened, 42)

    def postmortem(self, options: Options = OPTIONS) -> Postmortem:
        return compile(self.happened, NAMES, options)


DEFAULTS: dict[Kind, dict[str, Any]] = {
    Kind.DETECTION: {"source": None},
    Kind.DEAD_END: {"hypothesis": None},
    Kind.QUESTION: {"question": 6},
    Kind.ANSWER: {"question": None, "about": None},
}


@cache
def replayed(path: Path) -> tuple[tuple[ev.Event, ...], dict[str, str]]:
    """A scenario as its lines are understood and decided: the events, and the names of its people."""
    story = scenarios.read(path)
    keys = {name: f"p{number}" for number, name in enumerate(["incident commander", *story.people])}
    incident: Incident | None = None
    for line in story.lines:
        context = grammar.Context(
            now=line.at, zone=story.zone, mentions={f"@{name}": key for name, key in keys.items()}
        )
        command = grammar.parse(line.text, context).command
        speaker = Speaker(keys.setdefault(line.person, f"p{len(keys)}"), story.zone)
        try:
            decided = decide(incident, command, speaker, line.at)  # type: ignore[arg-type]
        except Question:
            decided = decide(incident, command, speaker, line.at, confirmed=True)  # type: ignore[arg-type]
        incident = incident or Incident(number=1)
        for one in decided:
            incident.apply(one)
    assert incident is not None
    return tuple(incident.happened), {key: name for name, key in keys.items()}


def scenario(name: str) -> Path:
    """The scenario whose file begins with that number."""
    return next(path for path in SCENARIOS if path.name.startswith(name))


def postmortem_of(path: Path) -> Postmortem:
    happened, names = replayed(path)
    slug = path.stem
    options = Options(1, 1, f"{slug}.md", f"{slug}.timeline.md", f"{slug}.svg", "c0ffee")
    return compile(happened, names, options)
