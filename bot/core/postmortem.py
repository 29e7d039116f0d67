"""Events -> Postmortem: what the document says, part by part (POSTMORTEM.md, "The default form", "Rules for the text").

Pure: the same events, names and options give the same document. Must not know Markdown, HTML or any template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.core import annex, budget, customers, metrics, review, timeline, times
from bot.core import events as ev
from bot.core.budget import EVERYTHING, Selection
from bot.core.document import (
    SHAPES,
    ActionItem,
    Actions,
    Header,
    Headlines,
    Impact,
    Length,
    Listed,
    Missing,
    Options,
    Postmortem,
    Shape,
    Statement,
    Timeline,
)
from bot.core.events import Kind
from bot.core.facts import LESSONS, State, gaps, open_tasks, states
from bot.core.incident import Entry, Incident, Stage, Status, Task, Window, fold
from bot.core.questions import Questions, guiding
from bot.core.wording import LABELS, SOURCES, Wording, length, listed, minute, opening, share, until_long

__all__ = ["Options", "Postmortem", "compile", "compose"]


Count = Callable[[Postmortem], int]
"""How many words a reader sees in the main document, through its template."""


def compile(
    happened: Sequence[ev.Event], names: Mapping[str, str], options: Options, count: Count | None = None
) -> Postmortem:
    """The postmortem of these events. `names` gives the display name for a person's key."""
    return compose(fold(happened, options.number), names, options, count)


def compose(incident: Incident, names: Mapping[str, str], options: Options, count: Count | None = None) -> Postmortem:
    """The postmortem of an incident as it stands, within its word budget if its words can be counted."""
    composition = _Composition(incident, names, options)
    if count is None:
        return composition.build(EVERYTHING)
    shape = SHAPES.get(options.template, Shape())
    made = budget.fit(composition.build, timeline.ranked(incident), count, options.limit, shape.lists)
    words = count(made)
    fill = _would_fill(incident) if words < options.least else ()
    if fill:
        made = replace(made, length=Length(words, fill=fill))
        words = count(made)
    if words > options.limit:  # a template may say less then, or why it is so
        made = replace(made, length=Length(words, True, fill))
        return replace(made, length=Length(count(made), True, fill))
    return replace(made, length=Length(words, fill=fill))


def _would_fill(incident: Incident) -> tuple[str, ...]:
    """The facts that are due and missing, in a word each; an exercise need not be long."""
    due = (gap.word for gap in gaps(incident) if gap.word and gap.due)
    return () if incident.drill else tuple(dict.fromkeys(due))


class _Composition:
    """One document in the making. What no budget changes is composed once."""

    def __init__(self, incident: Incident, names: Mapping[str, str], options: Options) -> None:
        self.incident = incident
        self.options = options
        self.wording = Wording(incident, names)
        self.states = states(incident)
        self.questions = Questions(self.wording, self.states)
        self.metrics = metrics.measure(incident)
        self.selection = EVERYTHING
        self._fixed: Postmortem | None = None

    def build(self, selection: Selection) -> Postmortem:
        """The document with what is selected, and everything in the annex."""
        self.selection = selection
        if self._fixed is None:
            self._fixed = self._whole()
        if selection == EVERYTHING:
            return self._fixed
        _, takeaway = self._lessons()
        return replace(
            self._fixed,
            summary=self._summary(takeaway),
            timeline=self._timeline(),
            cause=self._cause(),
            trigger=self._trigger(),
            workaround=self._workaround(),
            fix=self._latest("Fix", Kind.FIX, "S11", "fix"),
            **self._selected_lists(),
        )

    def _selected_lists(self) -> dict[str, Any]:
        lessons, _ = self._lessons()
        answered = [replace(self._shortened(a), label=g.text) for g in guiding(self.wording) for a in g.answers]
        return {
            "factors": self._some("factors", self._said("", Kind.FACTOR)),
            "improvements": self._some("improvements", self._said("", Kind.IMPROVEMENT)),
            "confirmed": self._some("confirmed", self._confirmed()),
            "lessons": self._some("lessons", lessons),
            "answers": self._some("answers", answered),
            "actions": self._actions(tuple(self._task(task) for _, task in sorted(self.incident.tasks.items()))),
        }

    def _some(self, what: str, statements: Iterable[Statement]) -> Listed[Statement]:
        """Those of a list that are shown, and how many more there are."""
        found = list(statements)
        shown = tuple(one for one in found if not one.said or self.selection.shows(what, one.entries[0]))
        return Listed(shown, len(found) - len(shown))

    def _whole(self) -> Postmortem:
        incident = self.incident
        guided = guiding(self.wording)
        if incident.stage is Stage.PUBLISHED:  # what nobody answered in the review is not published
            guided = tuple(g for g in guided if g.answers)
        factors = self._said("", Kind.FACTOR)
        improvements = self._said("", Kind.IMPROVEMENT)
        _, takeaway = self._lessons()
        return Postmortem(
            options=self.options,
            zone=incident.zone,
            header=self._header(),
            summary=self._summary(takeaway),
            timeline=self._timeline(),
            cause=self._cause(),
            trigger=self._trigger(),
            factors_missing=None if factors else self._none("", "S19", "factors", Missing.NOT_RECORDED),
            workaround=self._workaround(),
            fix=self._latest("Fix", Kind.FIX, "S11", "fix"),
            improvements_missing=None if improvements else self._none("", "S12", "measures", Missing.NOT_RECORDED),
            **self._selected_lists(),
            questions=self.questions.asked,
            guiding=guided,
            metrics=self.metrics,
            metric_lines=metrics.in_words(self.metrics),
            responders=annex.responders(self.wording),
            entries=annex.entries(self.wording, self.options.messages),
            all_factors=factors,
            all_tasks=tuple(self._task(task) for _, task in sorted(incident.tasks.items())),
            all_lessons=tuple(s for kind in (Kind.TAKEAWAY, *LESSONS) for s in self._said(LABELS[kind], kind)),
            links=annex.links(self.wording),
            changes=annex.changes(self.wording),
            windows=self._windows(),
            severities=self._severities(),
            facts=self.states,
            headlines=self._headlines(),
            customer=customers.version(incident),
            written={name: section.text for name, section in sorted(incident.sections.items())},
            signed={name: self._signed(section) for name, section in sorted(incident.sections.items())},
            newer={name: found for name in sorted(incident.sections) if (found := review.newer(incident, name))},
            review=review.notes(self.wording),
            life=review.life(self.wording),
        )

    def _signed(self, section: ev.SectionWritten) -> str:
        return f"{self.wording.person(section.by)}, {self.wording.moment(section.recorded_at)}"

    # ---- small pieces ----------------------------------------------------------------------------

    def _said(self, label: str, *kinds: Kind) -> tuple[Statement, ...]:
        """What was recorded of these kinds, in the order of recording."""
        found = sorted(self.incident.live(*kinds), key=lambda e: e.number)
        return tuple(self._statement(label, entry) for entry in found)

    def _statement(self, label: str, entry: Entry, text: str = "") -> Statement:
        late = self.incident.is_addendum(entry)
        said = text or self.wording.text(entry)
        return self._shortened(Statement(label, said, (entry.number,), said=True, late=late))

    def _shortened(self, one: Statement) -> Statement:
        """The first sentence alone, where the budget asks for it (POSTMORTEM.md, rule 1)."""
        if one.entries[0] not in self.selection.short:
            return one
        sentence = opening(one.text)
        return replace(one, text=sentence, cut=sentence != one.text.strip())

    def _latest(self, label: str, kind: Kind, fact: str, key: str, how: Missing = Missing.UNKNOWN) -> Statement:
        entry = self.incident.latest(kind)
        return self._statement(label, entry) if entry else self._none(label, fact, key, how)

    def _none(self, label: str, fact: str, key: str, how: Missing = Missing.UNKNOWN) -> Statement:
        return self.questions.statement(label, fact, key, how)

    # ---- above the first part --------------------------------------------------------------------

    def _header(self) -> Header:
        incident = self.incident
        approvals = {self.wording.person(a.by): a for a in incident.approvals}
        if approvals:
            reviewed = self._approved(approvals)
        elif incident.stage is Stage.DRAFT:
            reviewed = "not reviewed"
        else:
            reviewed = "not approved yet" if incident.stage is Stage.IN_REVIEW else "published without approval"
        return Header(
            title=self.wording.title,
            number=self.options.number,
            severity=incident.severity,
            drill=incident.drill,
            status=self._status(),
            stage=incident.stage.value,
            revision=self.options.revision,
            approvals=tuple(approvals),
            reviewed=reviewed,
            entries=len([e for e in incident.entries.values() if e.live]),
        )

    def _approved(self, approvals: Mapping[str, ev.Approved]) -> str:
        """Who approved the document as it is; and who approved it before it changed, when, and how much came since."""
        parts: list[str] = []
        agreed: list[str] = []
        for person, approved in approvals.items():
            since = review.since(self.incident, approved.upto)
            if since:
                parts.append(f"approved by {person} on {self.wording.moment(approved.recorded_at)}, {since} since")
            else:
                agreed.append(person)
        return "; ".join([f"approved by {listed(agreed)}", *parts] if agreed else parts)

    def _status(self) -> str:
        """How the incident stands, "" when it is resolved: then the document need not say it."""
        incident = self.incident
        match incident.status:
            case Status.RESOLVED:
                return ""
            case Status.OPEN:
                return "still going on"
            case Status.MITIGATED:
                return "mitigated, not resolved yet"
            case Status.CANCELLED:
                return "cancelled"
            case Status.DUPLICATE:
                last = incident.latest(Kind.DUPLICATE)
                of = last.event.of if last and isinstance(last.event, ev.DuplicateFound) else 0
                return f"duplicate of INC-{of}" if of else "duplicate"

    # ---- issue summary ---------------------------------------------------------------------------

    def _summary(self, takeaway: Statement) -> tuple[Statement, ...]:
        incident = self.incident
        lines: list[Statement] = []
        summary = incident.latest(Kind.SUMMARY)
        if summary:
            lines.append(self._statement("Summary", summary))
        lines.append(Statement("Duration", self._duration()))
        lines += self._affected()
        lines.append(self._share())
        lines.append(self._found_by())
        cause = incident.latest(Kind.CAUSE)
        if cause:
            lines.append(self._statement("Root cause", cause, opening(self.wording.text(cause))))
        else:
            lines.append(self._none("Root cause", "S3", "cause"))
        lines.append(takeaway)
        return tuple(lines)

    def _duration(self) -> str:
        incident, wording, over = self.incident, self.wording, self.incident.resolution
        onset = incident.onset
        if onset is None:
            return ""
        if over:
            about = "~" if incident.onset_approx or over.approx else ""
            lasted = f"{about}{until_long(length(onset, over.at))}"
            said = f"{lasted}, {wording.span(onset, over.at, incident.onset_approx, over.approx)}."
        else:
            state = self._status().split(",")[0]
            since = wording.moment(onset, incident.onset_approx)
            said = f"{state}, since {since}." if state == "still going on" else f"{state}; it began {since}."
        return f"{said} {self._users_affected()}".rstrip()

    def _users_affected(self) -> str:
        """The second duration: how long users were affected, where that is not the whole (S1)."""
        windows, over, onset = self.incident.windows(), self.incident.resolution, self.incident.onset
        last = windows[-1] if windows else None
        if last is None or last.end is None or onset is None or self.metrics.impact is None:
            return ""
        whole = over is not None and minute(last.end) >= minute(over.at)
        if whole and len(windows) == 1:
            return ""
        about = "~" if any(w.start_approx or w.end_approx for w in windows) else ""
        lasted = f"{about}{until_long(timedelta(seconds=self.metrics.impact))}"
        until = self.wording.near(last.end, onset, last.end_approx)
        several = f" in {len(windows)} windows, the last" if len(windows) > 1 else ","
        return f"Users were affected for {lasted}{several} until {until}."

    def _affected(self) -> list[Statement]:
        incident = self.incident
        lines: list[Statement] = []
        named = [(name, number) for name, number in incident.services() if not self._gone(number)]
        if named:
            numbers = tuple(dict.fromkeys(number for _, number in named))
            lines.append(Statement("Affected", ", ".join(name for name, _ in named), numbers, said=True))
        elif any(self.wording.destroyed(e) for e in incident.live(Kind.SERVICES)):
            entry = incident.live(Kind.SERVICES)[0]
            lines.append(self._statement("Affected", entry))
        else:
            lines.append(self._none("Affected", "S2a", "impact"))
        share = incident.share()
        told = sorted(incident.live(Kind.IMPACT), key=lambda e: e.number)
        told = [e for e in told if e is not share or not _SHARE_ALONE.fullmatch(e.text) or len(told) == 1]
        saw = [e for e in told if isinstance(e.event, ev.ImpactDescribed) and e.event.seen_by_users]
        shown = [e for e in told if self.selection.shows("impacts", e.number)]
        lines += [self._statement("Impact", entry) for entry in shown if entry not in saw]
        lines += [self._statement("Users saw", entry) for entry in shown if entry in saw]
        if len(shown) < len(told):
            lines.append(Statement("Impact", more=len(told) - len(shown)))
        if not told:
            lines.append(self._none("Impact", "S2b", "impact"))
        return lines

    def _gone(self, number: int) -> bool:
        return self.wording.destroyed(self.incident.entries[number])

    def _share(self) -> Statement:
        entry = self.incident.share()
        if entry:
            return Statement("Share of users", share(entry.share), (entry.number,))
        return self._none("Share of users", "S2c", "share")

    def _found_by(self) -> Statement:
        entry, source, onset = self.incident.detection, self.incident.source(), self.incident.onset
        if entry is None:
            return self._none("Found by", "S4", "detection")
        at = self.wording.near(entry.at, onset or entry.at, entry.approx)
        how_soon = f", {metrics.after(self.metrics.detect)}" if self.metrics.detect is not None else ""
        if source is None:
            missing = self._none("Found by", "S5", "detection")
            return Statement("Found by", f"at {at}{how_soon}.", (entry.number,), missing.missing, missing.question)
        return Statement("Found by", f"{SOURCES[source]} at {at}{how_soon}.", (entry.number,))

    # ---- timeline --------------------------------------------------------------------------------

    def _timeline(self) -> Timeline:
        looked_for = (("S6a", "actions"), ("S7", "dead ends"), ("S8", "escalations"), ("S24", "messages"))
        missing = tuple(word for fact, word in looked_for if self.questions.state(fact) is State.OPEN)
        question = self.questions.number("path") if {"dead ends", "escalations"} & set(missing) else None
        if question is None and "messages" in missing:
            question = self.questions.number("messages")
        return timeline.compose(self.wording, missing, question, self.selection.lines)

    # ---- root cause and resolution ---------------------------------------------------------------

    def _cause(self) -> Statement:
        cause = self._latest("Cause", Kind.CAUSE, "S10", "cause")
        above = "summary" not in self.incident.sections  # a person's summary may say another
        if above and cause.said and cause.entries[0] in self.selection.short:  # its first sentence stands there
            return Statement("Cause", "See the root cause above.", cause.entries, cut=cause.cut)
        return cause

    def _trigger(self) -> Statement | None:
        entry = self.incident.latest(Kind.TRIGGER)
        if entry is None:
            return None
        if timeline.happened(self.incident, entry):
            return Statement("Trigger", entries=(entry.number,), see=self._see(entry))
        return self._statement("Trigger", entry)

    def _workaround(self) -> Statement | None:
        """What stopped the impact, apart from the lasting fix (S11): it stands in the timeline already."""
        if self.incident.latest(Kind.FIX) is None and self.questions.state("S11") is not State.OPEN:
            return None
        step = timeline.workaround(self.incident)
        return Statement("Workaround", entries=(step.number,), see=self._see(step)) if step else None

    def _see(self, entry: Entry) -> str:
        return f"{self.wording.hour(entry.at, entry.approx)} {self.wording.letters(entry.at)}"

    def _confirmed(self) -> tuple[Statement, ...]:
        found = self._said("Confirmed", Kind.VERIFIED)
        return found or (self._none("Confirmed", "S16", "confirmation", Missing.NOT_RECORDED),)

    # ---- corrective and preventative measures ----------------------------------------------------

    def _task(self, task: Task) -> ActionItem:
        entry = self.incident.entries[task.entry]
        gone = self.wording.destroyed(entry)
        text = self.wording.text(entry)
        shown = opening(text) if task.entry in self.selection.short else text
        return ActionItem(
            number=task.number,
            entry=task.entry,
            text=shown,
            cut=shown != text,
            owner=self.wording.person(task.person, "" if gone else task.owner),
            due=_day(task.due) if task.due else "",
            category=task.category.value if task.category else "",
            state=task.state,
            done=times.day(task.done_at, self.incident.zone) if task.done_at else "",
            why_dropped=task.why_dropped,
            url="" if gone else task.url,
        )

    def _actions(self, tasks: tuple[ActionItem, ...]) -> Actions:
        undone = open_tasks(self.incident)
        bare = bool(undone) and all(not (t.owner or t.person) and t.due is None for t in undone)
        question = self.questions.number("tasks")
        missing = self.questions.missing("S13", Missing.NOT_RECORDED) if not tasks else None
        shown = tuple(task for task in tasks if self.selection.shows("tasks", task.entry))
        return Actions(Listed(shown, len(tasks) - len(shown)), bare and len(undone) > 1, missing, question)

    def _lessons(self) -> tuple[tuple[Statement, ...], Statement]:
        """The lessons and the takeaway: without one, the first that went badly moves up and is not repeated (S17)."""
        wrong = list(self._said(LABELS[Kind.WRONG], Kind.WRONG))
        entry = self.incident.latest(Kind.TAKEAWAY)
        moved = False
        if entry:
            takeaway = self._statement("Takeaway", entry)
        elif wrong:
            first = wrong.pop(0)
            takeaway = Statement("Takeaway", first.text, first.entries, said=True)
            moved = True
        else:
            takeaway = self._none("Takeaway", "S17", "lessons")
        lines = list(self._said(LABELS[Kind.WELL], Kind.WELL)) or [self._lesson_missing(Kind.WELL)]
        if wrong:
            lines += wrong
        elif moved:
            lines.append(Statement(LABELS[Kind.WRONG], "see the takeaway above."))
        else:
            lines.append(self._lesson_missing(Kind.WRONG))
        lines += list(self._said(LABELS[Kind.LUCKY], Kind.LUCKY)) or [self._lesson_missing(Kind.LUCKY)]
        return tuple(lines), takeaway

    def _lesson_missing(self, kind: Kind) -> Statement:
        return self._none(LABELS[kind], "S21", "lessons", Missing.NOT_RECORDED)

    # ---- for the picture and the channel ---------------------------------------------------------

    def _windows(self) -> tuple[Impact, ...]:
        def in_words(w: Window) -> str:
            if w.end is None:
                return f"Impact since {self.wording.moment(w.start, w.start_approx, utc=False)}"
            about = "~" if w.start_approx or w.end_approx else ""
            lasted = f"{about}{until_long(length(w.start, w.end))}"
            return f"Impact for {lasted}, {self.wording.span(w.start, w.end, w.start_approx, w.end_approx)}"

        return tuple(Impact(w.start, w.end, in_words(w)) for w in self.incident.windows())

    def _severities(self) -> tuple[tuple[datetime, int], ...]:
        """From when on which severity held; that of the start from onset on."""
        incident = self.incident
        first = incident.entries.get(1)
        changes: list[tuple[datetime, int]] = []
        if first and isinstance(first.event, ev.Started) and first.event.severity:
            changes.append((incident.onset or first.at, first.event.severity))
        for entry in sorted(incident.live(Kind.SEVERITY), key=lambda e: e.order):
            if isinstance(entry.event, ev.SeveritySet):
                changes.append((entry.at, entry.event.severity))
        return tuple(changes)

    def _headlines(self) -> Headlines:
        incident = self.incident
        found = self._found_by()
        cause = incident.latest(Kind.CAUSE)
        impacts = sorted(incident.live(Kind.IMPACT), key=lambda e: e.number)
        asks = [q.ask for q in self.questions.asked if q.ask]
        about_cause = next((q.ask for q in self.questions.asked if q.key == "cause"), "")
        return Headlines(
            duration=self._duration(),
            impact_duration=until_long(timedelta(seconds=self.metrics.impact))
            if self.metrics.impact is not None
            else "",
            impact=self.wording.text(impacts[0]) if impacts else "",
            found_by=found.text if found.missing is None else "",
            root_cause=opening(self.wording.text(cause)) if cause else "",
            ask=about_cause or (asks[0] if asks else ""),
        )


_SHARE_ALONE = re.compile(
    r"\s*(?:about |some |~ ?)?\d{1,3}(?:[.,]\d+)? ?(?:%|percent|per cent) of (?:all |our |the )?\w+"
    r"(?: (?:is|are|was|were) affected)?[.!]?\s*",
    re.IGNORECASE,
)
"""An impact that says the share of users and nothing else: it is printed once, as the share."""


def _day(on: date) -> str:
    return times.day(datetime(on.year, on.month, on.day, 12, tzinfo=UTC), "UTC")
