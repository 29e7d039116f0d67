"""The contract of POSTMORTEM.md as one table: what must be told, which entries tell it, what to type where none does.

Knows the rows S1 to S28 and how to see from an incident whether each is met. Must not know how a document looks. People
see names and lines to type, never the ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.core import events as ev
from bot.core.events import Kind
from bot.core.incident import Incident, Stage, Status, Task

GUIDING = (
    "What led up to it?",
    "Which warnings were missed?",
    "Which actions helped?",
    "Which process should change?",
    "How could communication be better?",
)
"""The questions of every review, R1 to R5 (POSTMORTEM.md S18)."""


class Phase(StrEnum):
    """From when on a fact is due: the state of the incident, or the review."""

    NOW = "now"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    REVIEW = "review"


class State(StrEnum):
    """Whether a row of the contract is met."""

    KNOWN = "known"
    OPEN = "open"
    NOT_APPLICABLE = "not applicable"


Known = Callable[[Incident], tuple[int, ...] | None]
"""The numbers of the entries that tell a fact (none where the record itself does), or None while it is open."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of the contract.

    `name` is a question in people's words, `line` what to type after the command's name ("" where nobody has to type
    anything), `gap` the word of the verb `none` ("" where it cannot be said to be missing).
    """

    id: str
    name: str
    phase: Phase
    line: str
    gap: str
    known: Known


@dataclass(frozen=True, slots=True)
class FactState:
    """A row of the contract and how it stands: `entries` are those that tell it."""

    fact: Fact
    state: State
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """An open fact as it is asked for: its number in `gaps`, the line to type; `due`: it can be known now."""

    number: int
    fact: Fact
    line: str
    due: bool

    @property
    def word(self) -> str:
        """What `none <number>` stands for, "" where there is no such word."""
        return self.fact.gap


# ---- how each is known ---------------------------------------------------------------------------


def _of(*kinds: Kind) -> Known:
    return lambda incident: tuple(e.number for e in incident.live(*kinds)) or None


def _always(incident: Incident) -> tuple[int, ...] | None:
    return ()


def _duration(incident: Incident) -> tuple[int, ...] | None:
    over = incident.resolution
    ends = tuple(w.ended_by for w in incident.windows() if w.ended_by)
    return tuple(dict.fromkeys((1, *ends, over.number))) if over and incident.onset else None


def _services(incident: Incident) -> tuple[int, ...] | None:
    return tuple(dict.fromkeys(number for _, number in incident.services())) or None


def _share(incident: Incident) -> tuple[int, ...] | None:
    entry = incident.share()
    return (entry.number,) if entry else None


def _detected(incident: Incident) -> tuple[int, ...] | None:
    entry = incident.detection
    return (entry.number,) if entry else None


def _source(incident: Incident) -> tuple[int, ...] | None:
    return _detected(incident) if incident.source() else None


def _latest(kind: Kind) -> Known:
    def known(incident: Incident) -> tuple[int, ...] | None:
        entry = incident.latest(kind)
        return (entry.number,) if entry else None

    return known


def _takeaway(incident: Incident) -> tuple[int, ...] | None:
    entry = incident.latest(Kind.TAKEAWAY) or next(iter(incident.live(Kind.WRONG)), None)
    return (entry.number,) if entry else None


def _tasks(incident: Incident) -> tuple[int, ...] | None:
    unfinished = tasks_without_owner(incident) or tasks_without_due(incident)
    return tuple(task.entry for task in incident.tasks.values()) or None if not unfinished else None


def _lessons(incident: Incident) -> tuple[int, ...] | None:
    return _of(*LESSONS)(incident) if not missing_lessons(incident) else None


def _answers(incident: Incident) -> tuple[int, ...] | None:
    return _of(Kind.ANSWER)(incident) if not unanswered(incident) else None


def unanswered(incident: Incident) -> list[int]:
    """The numbers of the guiding questions that nobody has answered."""
    said = {e.event.question for e in incident.live(Kind.ANSWER) if isinstance(e.event, ev.QuestionAnswered)}
    return [number for number in range(1, len(GUIDING) + 1) if number not in said]


def _severity(incident: Incident) -> tuple[int, ...] | None:
    set_by = tuple(e.number for e in incident.live(Kind.SEVERITY))
    return set_by or (1,) if incident.severity is not None else None


def _around(incident: Incident) -> tuple[int, ...] | None:
    onset, over = incident.onset, incident.resolution
    return (
        tuple(
            e.number
            for e in incident.live()
            if e.kind in HAPPENING and ((onset and e.order[0] < onset) or (over and e.at > over.at))
        )
        or None
    )


def _times(incident: Incident) -> tuple[int, ...] | None:
    return _detected(incident) if incident.resolution else None


LESSONS = (Kind.WELL, Kind.WRONG, Kind.LUCKY)

HAPPENING = frozenset(
    {
        Kind.NOTE, Kind.DETECTION, Kind.ACK, Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.DECISION,
        Kind.ESCALATION, Kind.UPDATE, Kind.MITIGATION, Kind.MITIGATED, Kind.AGAIN, Kind.TRIGGER,
        Kind.SEVERITY, Kind.HANDOVER, Kind.RESOLUTION, Kind.REOPENED,
    }
)  # fmt: skip
"""The kinds of entries that tell what happened when: they make the timeline. The others tell what is known about it."""


def missing_lessons(incident: Incident) -> tuple[Kind, ...]:
    """The kinds of lessons of which none is recorded."""
    return tuple(kind for kind in LESSONS if not incident.live(kind))


def open_tasks(incident: Incident) -> list[Task]:
    """The action items that are neither done nor dropped."""
    return [task for task in incident.tasks.values() if task.state == "open"]


def tasks_without_owner(incident: Incident) -> list[Task]:
    """The open action items that nobody owns."""
    return [task for task in open_tasks(incident) if not (task.owner or task.person)]


def tasks_without_due(incident: Incident) -> list[Task]:
    """The open action items without a due date."""
    return [task for task in open_tasks(incident) if task.due is None]


# ---- the table -----------------------------------------------------------------------------------

FACTS: tuple[Fact, ...] = (
    Fact("S1", "When did it begin and end?", Phase.MITIGATED, "resolve …", "", _duration),
    Fact("S2a", "Which services are affected?", Phase.NOW, "services …", "services", _services),
    Fact("S2b", "What do users experience?", Phase.NOW, "impact …", "impact", _of(Kind.IMPACT)),
    Fact("S2c", "What share of users is affected?", Phase.MITIGATED, "impact … % of users …", "share", _share),
    Fact("S3", "Why did it happen?", Phase.RESOLVED, "cause …", "cause", _latest(Kind.CAUSE)),
    Fact("S4", "When was it found?", Phase.NOW, "detected 14:05 by …", "detection", _detected),
    Fact("S5", "How was it found?", Phase.NOW, "detected by monitoring|engineer|customer …", "detection", _source),
    Fact("S6a", "What was done or looked at?", Phase.NOW, "action …", "", _of(Kind.ACTION, Kind.MITIGATION)),
    Fact("S6b", "What was assumed about the cause?", Phase.MITIGATED, "hypothesis …", "dead end", _of(Kind.HYPOTHESIS)),
    Fact("S7", "Which paths misled?", Phase.RESOLVED, "ruledout …", "dead end", _of(Kind.DEAD_END)),
    Fact("S8", "Who was called in?", Phase.MITIGATED, "escalated to …: …", "escalation", _of(Kind.ESCALATION)),
    Fact("S9", "How was it resolved?", Phase.MITIGATED, "mitigated …", "", _of(Kind.MITIGATED, Kind.RESOLUTION)),
    Fact("S10", "Why did it happen, in detail?", Phase.RESOLVED, "cause …", "cause", _latest(Kind.CAUSE)),
    Fact("S11", "What will keep it from coming back?", Phase.RESOLVED, "fix …", "fix", _latest(Kind.FIX)),
    Fact("S12", "What can be improved, broadly?", Phase.REVIEW, "improve …", "tasks", _of(Kind.IMPROVEMENT)),
    Fact("S13", "Tasks with owner and date", Phase.REVIEW, "todo @owner … by Friday", "tasks", _tasks),
    Fact("S14", "The length of the document", Phase.REVIEW, "", "", _always),
    Fact("S15", "The picture", Phase.REVIEW, "", "", _always),
    Fact("S16", "How do you know it is over?", Phase.RESOLVED, "verified …", "confirmation", _of(Kind.VERIFIED)),
    Fact("S17", "What is the key takeaway?", Phase.REVIEW, "takeaway …", "lessons", _takeaway),
    Fact("S18", "The questions of the review", Phase.REVIEW, "answer R1 …", "", _answers),
    Fact("S19", "Which conditions contributed?", Phase.REVIEW, "factor …", "cause", _of(Kind.FACTOR)),
    Fact("S20", "What did it do to data, business and trust?", Phase.RESOLVED, "impact …", "impact", _of(Kind.IMPACT)),
    Fact("S21", "What went well, badly, by luck?", Phase.REVIEW, "well … · wrong … · lucky …", "lessons", _lessons),
    Fact("S22", "Who leads?", Phase.NOW, "lead @person", "", _of(Kind.ROLE, Kind.HANDOVER)),
    Fact("S23", "The times to detect, acknowledge, mitigate, resolve", Phase.RESOLVED, "", "", _times),
    Fact("S24", "What was told to whom?", Phase.MITIGATED, "told customers: …", "messages", _of(Kind.UPDATE)),
    Fact("S25", "How severe is it?", Phase.NOW, "severity sev2", "", _severity),
    Fact("S26", "The state of the document", Phase.REVIEW, "", "", _always),
    Fact("S27", "What came before it began, what after it was over?", Phase.REVIEW, "note Thu 14:00 …", "", _around),
    Fact("S28", "Which graphs, changes and tickets belong to it?", Phase.REVIEW, "link https://…", "", _of(Kind.LINK)),
)

_DUE: dict[Status, frozenset[Phase]] = {
    Status.OPEN: frozenset({Phase.NOW}),
    Status.MITIGATED: frozenset({Phase.NOW, Phase.MITIGATED}),
}
_AFTER = frozenset({Phase.NOW, Phase.MITIGATED, Phase.RESOLVED})


def states(incident: Incident) -> tuple[FactState, ...]:
    """Every row of the contract with its state, in the order of the contract."""
    return tuple(_state(fact, incident) for fact in FACTS)


def _state(fact: Fact, incident: Incident) -> FactState:
    entries = fact.known(incident)
    if entries is not None:
        return FactState(fact, State.KNOWN, entries)
    said = bool(fact.gap) and fact.gap in incident.not_applicable
    return FactState(fact, State.NOT_APPLICABLE if said else State.OPEN, ())


def state_of(fact: str, incident: Incident) -> State:
    """The state of one row of the contract."""
    return next(_state(one, incident).state for one in FACTS if one.id == fact)


def due(incident: Incident) -> frozenset[Phase]:
    """The phases whose facts can be known by now."""
    if incident.stage is not Stage.DRAFT:
        return frozenset(Phase)
    return _DUE.get(incident.status, _AFTER)


def gaps(incident: Incident) -> list[Gap]:
    """What is still open, each asked once: what is due now first, then what can wait; numbered from 1."""
    phases = due(incident)
    asked: dict[str, Fact] = {}
    for state in states(incident):
        if state.state is State.OPEN and state.fact.line:
            asked.setdefault(state.fact.line, state.fact)
    listed = [one for fact in asked.values() for one in _each(fact, incident)]
    found = [fact for fact in listed if not (fact.id == "S5" and any(f.id == "S4" for f in asked.values()))]
    ordered = sorted(found, key=lambda fact: fact.phase not in phases)
    return [
        Gap(number, fact, _line(fact, incident), fact.phase in phases) for number, fact in enumerate(ordered, start=1)
    ]


def _each(fact: Fact, incident: Incident) -> list[Fact]:
    """A fact as it is asked for: the questions of the review one by one."""
    if fact.id != "S18":
        return [fact]
    return [replace(fact, name=f"R{n}: {GUIDING[n - 1]}", line=f"answer R{n} …") for n in unanswered(incident)]


def meant(incident: Incident, gap: str) -> tuple[str, ...]:
    """The names of what is not known and does not apply, for a word of the verb `none`."""
    named = [one.fact.name for one in states(incident) if one.fact.gap == gap and one.state is State.NOT_APPLICABLE]
    return tuple(dict.fromkeys(named))


def _line(fact: Fact, incident: Incident) -> str:
    match fact.id:
        case "S13" if tasks_without_owner(incident):
            return f"todo T{tasks_without_owner(incident)[0].number} @owner by Friday"
        case "S13" if tasks_without_due(incident):
            return f"todo T{tasks_without_due(incident)[0].number} by Friday"
        case "S21":
            return " · ".join(f"{kind.value} …" for kind in missing_lessons(incident))
        case _:
            return fact.line
