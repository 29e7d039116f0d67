"""What a postmortem asks: one question a kind of gap, whom to ask, which entry may say (POSTMORTEM.md, rule 6, S18)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.core import events as ev
from bot.core.document import GuidingQuestion, Missing, Question, Statement
from bot.core.events import Kind
from bot.core.facts import (
    GUIDING,
    FactState,
    State,
    missing_lessons,
    open_tasks,
    tasks_without_due,
    tasks_without_owner,
)
from bot.core.incident import Entry, Incident, Task
from bot.core.wording import Wording, listed

IN_DOCUMENT = 5
"""So many questions stand in the document, the rest in the annex."""

_BY_IMPORTANCE = (
    "cause", "impact", "detection", "fix", "share", "confirmation", "path", "own", "tasks", "lessons", "messages",
    "factors", "measures", "severity",
)  # fmt: skip
_SAYS_IT_IS_OVER = re.compile(
    r"\b(?:check|verif|confirm|healthy|normal|baseline|stable|flat|as expected|recovered|no more|not come back"
    r"|not returned|gone|dropp|back (?:to|at|up))",
    re.IGNORECASE,
)


class Questions:
    """The open questions of an incident and their numbers."""

    def __init__(self, wording: Wording, states: tuple[FactState, ...]) -> None:
        self.wording = wording
        self.incident = wording.incident
        self.states = {state.fact.id: state.state for state in states}
        found = list(self._all())
        kept = sorted(found, key=lambda q: _BY_IMPORTANCE.index(q.key))[:IN_DOCUMENT]
        ordered = [q for q in found if q in kept] + [q for q in found if q not in kept]
        self.asked = tuple(
            Question(number, q.key, q.text, q.ask, q.hint, q.said, number <= IN_DOCUMENT)
            for number, q in enumerate(ordered, start=1)
        )

    def number(self, key: str) -> int | None:
        """The number of the question about a kind of gap."""
        return next((q.number for q in self.asked if q.key == key), None)

    def state(self, fact: str) -> State:
        """How a row of the contract stands."""
        return self.states[fact]

    def missing(self, fact: str, how: Missing = Missing.UNKNOWN) -> Missing:
        """What is printed in the place of a fact that is not known."""
        return Missing.NOT_APPLICABLE if self.states[fact] is State.NOT_APPLICABLE else how

    def statement(self, label: str, fact: str, key: str, how: Missing = Missing.UNKNOWN) -> Statement:
        """The line that stands in the place of a fact that is not known."""
        missing = self.missing(fact, how)
        return Statement(label, missing=missing, question=self.number(key) if missing is how else None)

    def _open(self, fact: str) -> bool:
        return self.states[fact] is State.OPEN

    # ---- in the order of the document ------------------------------------------------------------

    def _all(self) -> Iterator[Question]:
        incident = self.incident
        if self._open("S2a") and self._open("S2b"):
            yield self._question("impact", "What was affected, and what did users see?", self._who_saw())
        elif self._open("S2a"):
            yield self._question("impact", "Which services were affected?", self._who_saw())
        elif self._open("S2b"):
            yield self._question("impact", "What did users see?", self._who_saw())
        if self._open("S2c"):
            yield self._question("share", "What share of users was affected?", self._who_saw())
        if self._open("S4"):
            yield self._question("detection", "When and how was it found?", self._commander())
        elif self._open("S5"):
            yield self._question("detection", "How was it found?", self._author(incident.detection))
        if self._open("S3"):
            yield self._question("cause", "What was the root cause?", self._who_fixed(), self._likely_cause())
        if self._open("S19"):
            yield self._question("factors", "Which conditions contributed?", self._who_fixed())
        if self._open("S11"):
            yield self._question("fix", "What will keep it from coming back?", self._who_fixed())
        if self._open("S16"):
            hint = self._confirming()
            ask = "" if hint else self._who_fixed()
            yield self._question("confirmation", "How was the resolution confirmed?", ask, hint)
        yield from self._paths()
        if self._open("S24"):
            yield self._question(
                "messages", "What was told to whom?", self._role("communications") or self._commander()
            )
        if self._open("S12"):
            yield self._question("measures", "What can be improved, broadly?", self._commander())
        yield from self._lessons()
        yield from self._tasks()
        if self._open("S25"):
            yield self._question("severity", "How severe was it?", self._commander())
        for number in incident.questions.values():
            entry = incident.entries[number]
            if entry.live and not answers(incident, entry):
                yield Question(0, "own", self.wording.text(entry), said=True, hint=number)

    def _paths(self) -> Iterator[Question]:
        paths, people = self._open("S7"), self._open("S8")
        if paths and people:
            text = "Which paths misled, and who was called in?"
        elif paths:
            text = "Which paths misled?"
        elif people:
            text = "Who was called in?"
        else:
            return
        useless = next((e for e in self.incident.live(Kind.ACTION, Kind.MITIGATION) if e.worked is False), None)
        hint = useless.number if useless and paths else None
        yield self._question("path", f"{text} Nothing is recorded.", "", hint)

    def _lessons(self) -> Iterator[Question]:
        missing = missing_lessons(self.incident) if self._open("S21") else ()
        match missing:
            case ():
                return
            case (Kind.LUCKY,):
                text = "Where were we lucky?"
            case _:
                parts = {Kind.WELL: "well", Kind.WRONG: "badly", Kind.LUCKY: "by luck"}
                text = f"What went {listed([parts[kind] for kind in missing])}?"
        yield self._question("lessons", text, self._commander())

    def _tasks(self) -> Iterator[Question]:
        if not self._open("S13"):
            return
        if not self.incident.tasks:
            yield self._question("tasks", "What will be done about it, by whom and until when?", self._commander())
            return
        every = open_tasks(self.incident)
        ownerless, dateless = tasks_without_owner(self.incident), tasks_without_due(self.incident)
        if ownerless and ownerless == dateless:
            text = f"Who owns {_named(ownerless, every)}, and until when?"
        elif ownerless and dateless:
            are = "are" if len(dateless) > 1 else "is"
            text = f"Who owns {_named(ownerless, every)}, and when {are} {_named(dateless, every)} due?"
        elif ownerless:
            text = f"Who owns {_named(ownerless, every)}?"
        else:
            text = f"When {'are' if len(dateless) > 1 else 'is'} {_named(dateless, every)} due?"
        yield self._question("tasks", text, "")

    def _question(self, key: str, text: str, ask: str, hint: int | None = None) -> Question:
        return Question(0, key, text, ask, hint)

    # ---- whom to ask, where to look --------------------------------------------------------------

    def _role(self, name: str) -> str:
        person = self.incident.roles.get(name, "")
        return self.wording.person(person, self.incident.role_names.get(name, "")) if person else ""

    def _commander(self) -> str:
        return self._role("commander")

    def _author(self, entry: Entry | None) -> str:
        return self.wording.names.get(entry.by, "") if entry else ""

    def _last(self, *kinds: Kind) -> Entry | None:
        return next(iter(reversed(self.incident.live(*kinds))), None)

    def _who_saw(self) -> str:
        return self._author(self._last(Kind.IMPACT)) or self._author(self.incident.detection) or self._commander()

    def _who_fixed(self) -> str:
        fixed = self._last(Kind.MITIGATED) or self._last(Kind.MITIGATION, Kind.ACTION) or self.incident.resolution
        return self._author(fixed) or self._commander()

    def _likely_cause(self) -> int | None:
        right = [e for e in self.incident.live(Kind.HYPOTHESIS) if e.confirmed]
        entry = right[-1] if right else self._last(Kind.TRIGGER)
        return entry.number if entry else None

    def _confirming(self) -> int | None:
        windows, over = self.incident.windows(), self.incident.resolution
        if over and _SAYS_IT_IS_OVER.search(over.text):
            return over.number
        end = windows[-1].end if windows else None
        after = [e for e in self.incident.live(Kind.NOTE, Kind.ACTION) if end and e.at >= end]
        return next((e.number for e in reversed(after) if _SAYS_IT_IS_OVER.search(e.text)), None)


def _named(tasks: list[Task], every: list[Task]) -> str:
    if len(tasks) <= 3:
        return listed([f"T{task.number}" for task in tasks])
    return f"the {len(tasks)} tasks" if len(tasks) == len(every) else f"{len(tasks)} of the {len(every)} tasks"


def answers(incident: Incident, asked: Entry | int) -> list[Entry]:
    """The answers to an entry, or to the guiding question of that number."""
    found: list[Entry] = []
    for entry in incident.live(Kind.ANSWER):
        if not isinstance(entry.event, ev.QuestionAnswered):
            continue
        if isinstance(asked, int):
            fits = entry.event.question == asked
        else:
            own = [number for number, entry_of in incident.questions.items() if entry_of == asked.number]
            fits = entry.event.about == asked.number or entry.event.question in own
        if fits:
            found.append(entry)
    return found


def guiding(wording: Wording) -> tuple[GuidingQuestion, ...]:
    """The questions of the review, people's own after the five, each with its answers."""
    incident = wording.incident

    def said(found: list[Entry]) -> tuple[Statement, ...]:
        return tuple(Statement("", wording.text(e), (e.number,), said=True) for e in found)

    asked = [
        GuidingQuestion(f"R{number}", text, None, said(answers(incident, number)))
        for number, text in enumerate(GUIDING, start=1)
    ]
    for number, entry_number in sorted(incident.questions.items()):
        entry = incident.entries[entry_number]
        asked.append(GuidingQuestion(f"R{number}", wording.text(entry), entry.number, said(answers(incident, entry))))
    loose = [
        e
        for e in incident.live(Kind.ANSWER)
        if isinstance(e.event, ev.QuestionAnswered)
        and e.event.about is not None
        and e.event.about not in incident.questions.values()
    ]
    asked += [
        GuidingQuestion("", f"About entry {e.event.about}", e.event.about, said([e]))
        for e in loose
        if isinstance(e.event, ev.QuestionAnswered)
    ]
    return tuple(asked)
