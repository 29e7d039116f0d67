"""The word budget: what of a record stands in the main document (POSTMORTEM.md, rules 4 and 5).

A document is built from the least that keeps a statement for every row of the contract; then what weighs most is
added as long as it fits. The rest is counted and stands in the annex. Pure: how many words a document has is asked of
`count`, because only a template knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.core.document import ActionItem, Line, Postmortem, Statement
from bot.core.events import Kind
from bot.core.wording import LONG, words

MANY = 400
"""A record with more lines than this does not fit as a whole: that is not tried."""

CAPS = {"tasks": 5, "impacts": 3, "factors": 3, "improvements": 4, "confirmed": 2}
"""So many items of a list stand in the document before the timeline is filled up; the rest only if all of it fits."""

ROWS = frozenset(
    {
        Kind.DETECTION, Kind.TRIGGER, Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.ESCALATION, Kind.UPDATE,
        Kind.MITIGATED, Kind.RESOLUTION,
    }
)  # fmt: skip
"""The kinds of which a line stands in every document: rows of the contract that are told in the timeline."""

INTERCHANGEABLE = frozenset({Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.UPDATE})
"""Of these one may stand for the others; of the milestones the first does."""

LISTS = ("factors", "lessons", "confirmed", "impacts", "improvements", "tasks", "answers")
"""The order in which whole lists are added."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the main document shows, by entry; None stands for everything.

    Texts of the entries in `short` print their first sentence.
    """

    lines: frozenset[int] | None = None
    lists: dict[str, frozenset[int]] = field(default_factory=dict)
    short: frozenset[int] = frozenset()

    def shows(self, what: str, entry: int) -> bool:
        """Whether an item of a list is shown."""
        return what not in self.lists or entry in self.lists[what]

    def adding(self, what: str, entries: Iterable[int]) -> Selection:
        """The same with these entries shown as well; `what` is a list or "lines"."""
        if what == "lines":
            return replace(self, lines=(self.lines or frozenset()) | frozenset(entries))
        return replace(self, lists={**self.lists, what: self.lists[what] | frozenset(entries)})


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that may be added: entries of a list or of the timeline, and about how many words they cost."""

    what: str
    entries: tuple[int, ...]
    cost: int


def fit(
    build: Callable[[Selection], Postmortem],
    ranked: Sequence[tuple[int, int]],
    count: Callable[[Postmortem], int],
    limit: int,
    prints: frozenset[str] | None = None,
) -> Postmortem:
    """The fullest document of at most `limit` words; the least one where even that has more.

    `prints` names the lists that the document prints, where it prints no timeline and not all of them: no words are
    set aside for the others.

    `ranked` are the entries of the timeline with their class (0 starred, 1 milestones, 2 what led to them, 3 the rest),
    those that must stand in the document first.
    """
    whole = build(EVERYTHING)
    if len(ranked) <= MANY and count(whole) <= limit:
        return whole
    chosen = _least(whole, ranked)
    made = build(chosen)
    room = limit - count(made)
    said_twice = whole.cause.entries  # a cause of one sentence stands in the summary whole
    for entry in (*said_twice, *_long(whole)):  # texts print their first sentence, as few as may be
        if room >= 0:
            break
        chosen = replace(chosen, short=chosen.short | {entry})
        made = build(chosen)
        room = limit - count(made)
    added: list[Selection] = [chosen]
    full = False
    for step in _steps(whole, ranked, chosen):
        if (step.what == "lines" and full) or (prints is not None and step.what not in prints):
            continue
        if step.cost <= room:
            added.append(added[-1].adding(step.what, step.entries))
            room -= step.cost
        elif step.what == "lines":
            full = room < SMALLEST
    while len(added) > 1:
        made = build(added[-1])
        if count(made) <= limit:
            return made
        added.pop()
    return build(added[0])


SMALLEST = 6
"""No line of a timeline has fewer words: where less room is left, no other is looked at."""


def _least(whole: Postmortem, ranked: Sequence[tuple[int, int]]) -> Selection:
    """One line of each kind, one item of each list: every row of the contract keeps a statement.

    Of several lines that stand for the same row and weigh the same, the shortest is taken.
    """
    by_entry = {line.entry: line for line in _lines(whole)}
    best: dict[Kind, tuple[int, int, int]] = {}
    for entry, weight in ranked:
        line = by_entry[entry]
        if line.kind in ROWS:
            mine = (weight, _cost(line) if line.kind in INTERCHANGEABLE else 0, entry)
            best[line.kind] = min(best.get(line.kind, mine), mine)
    seen = {one.entries[0] for one in (whole.trigger, whole.workaround) if one and one.see}
    lines = frozenset(entry for _, _, entry in best.values()) | (seen & by_entry.keys())
    lists = {what: frozenset(_first(what, items)) for what, items in _lists(whole).items()}
    return Selection(lines, lists)


def _first(what: str, items: Sequence[tuple[int, int, str]]) -> Iterator[int]:
    if what in ("lessons", "impacts"):  # one a kind
        seen: set[str] = set()
        for entry, _, kind in items:
            if kind not in seen:
                seen.add(kind)
                yield entry
    elif items and what != "answers":
        yield items[0][0]


def _lists(whole: Postmortem) -> dict[str, list[tuple[int, int, str]]]:
    """The lists of a document, items in the order in which they are added: entry, words, kind."""

    def said(statements: Iterable[Statement]) -> list[tuple[int, int, str]]:
        return [(s.entries[0], words(f"{s.label} {s.text}"), s.label) for s in statements if s.said and s.entries]

    impacts = [s for s in whole.summary if s.label in ("Impact", "Users saw")]
    return {
        "impacts": said(impacts),
        "factors": said(whole.factors.items),
        "improvements": said(whole.improvements.items),
        "lessons": said(whole.lessons.items),
        "answers": said(whole.answers.items),
        "confirmed": said(whole.confirmed.items),
        "tasks": [(t.entry, words(f"T1 {t.text} {t.owner} due {t.due} {t.category}"), "") for t in _by_kind(whole)],
    }


def _by_kind(whole: Postmortem) -> list[ActionItem]:
    """The tasks in the order in which they are added: open ones first, the first of each category before the rest."""
    tasks = sorted(whole.actions.tasks.items, key=lambda t: t.state != "open")
    first: dict[str, int] = {}
    for task in tasks:
        first.setdefault(task.category, task.number)
    return sorted(tasks, key=lambda t: (t.state != "open", first[t.category] != t.number, t.number))


def _steps(whole: Postmortem, ranked: Sequence[tuple[int, int]], least: Selection) -> Iterator[_Step]:
    """What may be added to the least document, what weighs most first."""
    lines = {line.entry: line for line in _lines(whole)}
    lists = _lists(whole)
    shown = least.lines or frozenset()

    def of_class(*classes: int) -> Iterator[_Step]:
        for entry, weight in ranked:
            if weight in classes and entry not in shown:
                yield _Step("lines", (entry,), _cost(lines[entry]))

    yield from of_class(0)
    for number in range(1, max(CAPS.values())):
        for what, cap in CAPS.items():
            for entry, cost, _ in lists[what][number : min(number + 1, cap)]:
                yield _Step(what, (entry,), cost)
    yield from of_class(1, 2)
    for what in LISTS:
        rest = [item for item in lists[what][:MANY] if item[0] not in least.lists[what]][CAPS.get(what, 1) - 1 :]
        if what == "answers":
            for entry, cost, _ in lists[what]:
                yield _Step(what, (entry,), cost)
        elif rest and len(lists[what]) <= MANY:
            yield _Step(what, tuple(entry for entry, _, _ in rest), sum(cost for _, cost, _ in rest))
    yield from of_class(3)


def _cost(line: Line) -> int:
    notes = " ".join(line.notes)
    about = f"hypothesis {line.about}, {line.about_clock}" if line.about else ""
    return words(f"{line.clock} {line.label} {about} {line.text} {notes}") + int(line.cut)


def _lines(whole: Postmortem) -> Iterator[Line]:
    for phase in whole.timeline.phases:
        yield from phase.lines


def _long(whole: Postmortem) -> list[int]:
    """The entries whose statements have more than 40 words: the longest first, but what users felt last."""
    lists = (whole.confirmed, whole.factors, whole.improvements, whole.lessons, whole.answers)
    others = [whole.cause, whole.trigger, whole.workaround, whole.fix, *(one for some in lists for one in some.items)]
    found: dict[int, tuple[bool, int]] = {}
    for last, statements in ((True, whole.summary), (False, others)):
        for one in statements:
            if one is not None and one.said and one.entries and words(one.text) > LONG:
                found[one.entries[0]] = (last, -words(one.text))
    for task in whole.actions.tasks.items:
        if words(task.text) > LONG:
            found[task.entry] = (False, -words(task.text))
    return sorted(found, key=lambda entry: found[entry])
