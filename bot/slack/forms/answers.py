"""The form of a review that asks what nobody has said yet: a field for each open fact and question. Pure.

What is left empty is recorded as nothing. Where there are more questions than a form can hold, the rest comes on its
next page. What happened at a time is asked for with the time: an answer of today is none of the timeline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.core import commands as cmd
from bot.core import facts
from bot.core.errors import Refusal
from bot.core.events import Kind, Source
from bot.core.facts import GUIDING
from bot.core.grammar import Context, parse, share_of_users
from bot.core.incident import Incident
from bot.core.questions import answers
from bot.core.recognise import may_tell
from bot.core.times import When
from bot.core.wording import SOURCES
from bot.slack.forms.entry import services
from bot.slack.forms.pieces import (
    JSON,
    Filled,
    Form,
    Given,
    Occasion,
    Saying,
    asked,
    chosen,
    fields_of,
    modal,
    moment,
    number_of,
    option,
    shown,
    somebody,
    typed,
)
from bot.slack.forms.start import severities, severity_of
from bot.slack.payloads import Malformed, clip, ts_to_time

CALLBACK = "answer_questions"

PAGE = 20
"""Fields of a page, at most."""
TASKS = 5

_FROM = re.compile(r"from (\d{1,4}) part (\d{1,3})")
QUESTION = 300

TEXTS: dict[str, tuple[str, Kind]] = {
    "S2b": ("impact", Kind.IMPACT),
    "S2c": ("impact", Kind.IMPACT),
    "S20": ("impact", Kind.IMPACT),
    "S3": ("cause", Kind.CAUSE),
    "S10": ("cause", Kind.CAUSE),
    "S11": ("fix", Kind.FIX),
    "S16": ("verified", Kind.VERIFIED),
    "S19": ("factor", Kind.FACTOR),
    "S12": ("improve", Kind.IMPROVEMENT),
    "S17": ("takeaway", Kind.TAKEAWAY),
}
"""Facts that a text tells, whenever it is said: the field and the kind of entry. An answer may tell several facts."""

LABELS = {
    "impact": "What did users experience, and what share of them?",
    "well": "What went well?",
    "wrong": "What went wrong?",
    "lucky": "Where were we lucky?",
}

TIMED = {
    "S6a": "action",
    "S6b": "hypothesis",
    "S7": "ruledout",
    "S8": "escalated",
    "S24": "told",
    "S27": "note",
}
"""Facts of what happened: they are typed as a line is, the time first."""

EXAMPLES = {
    "escalated": "03:12 the DBA team: the replicas do not follow",
    "told": "03:20 customers: some payments fail",
    "link": "https://… the graph of that night",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """A question of the form: its fields (the first says what it is), and what they are."""

    fields: tuple[JSON, ...]


def asking(incident: Incident) -> list[Asking]:
    """What nobody has said, as it is asked: what can be known first, people's own questions last."""
    found: dict[str, Asking] = {}
    for gap in facts.gaps(incident):
        for name, fields in _of_gap(gap, incident):
            found.setdefault(name, Asking(tuple(fields)))
    for number, entry in sorted(incident.questions.items()):
        own = incident.entries[entry]
        if own.live and not own.redacted and not answers(incident, own):
            found[f"answer_{number}"] = Asking((_text(f"answer_{number}", f"R{number}: {clip(own.text, QUESTION)}"),))
    return list(found.values())


def _of_gap(gap: facts.Gap, incident: Incident) -> Iterator[tuple[str, Sequence[JSON]]]:
    """The fields of an open fact, under the name by which it is asked once."""
    fact = gap.fact
    match fact.id:
        case "S2a":
            yield "services", [_text("services", fact.name, example="checkout, orders-db", lines=False)]
        case "S4" | "S5":
            found = [option(f"By {words}", source.value) for source, words in SOURCES.items()]
            fields = [asked("found", "How was it found?", chosen(found), optional=True)]
            if incident.detection is None:
                fields.append(asked("found_at", "When was it found?", moment(), optional=True))
            yield "found", fields
        case "S13":
            yield from _of_tasks(incident)
        case "S18":
            number = int(gap.line.split()[1].removeprefix("R"))
            yield f"answer_{number}", [_text(f"answer_{number}", f"R{number}: {GUIDING[number - 1]}")]
        case "S21":
            for kind in facts.missing_lessons(incident):
                yield kind.value, [_text(kind.value, LABELS[kind.value])]
        case "S22":
            yield "lead", [asked("lead", "Who led?", somebody(), optional=True)]
        case "S25":
            yield "severity", [asked("severity", "How severe was it?", chosen(severities()), optional=True)]
        case "S28":
            yield "link", [_text("link", fact.name, example=EXAMPLES["link"], lines=False)]
        case known if known in TEXTS:
            name, _ = TEXTS[known]
            yield name, [_text(name, LABELS.get(name, fact.name), _hint(incident, known))]
        case happened if happened in TIMED:
            name = TIMED[happened]
            hint = f"Begin with the time: {EXAMPLES.get(name, '03:12 …')}"
            yield name, [_text(name, fact.name, hint)]
        case _:
            return


def _of_tasks(incident: Incident) -> Iterator[tuple[str, Sequence[JSON]]]:
    """Who owns each action item and until when, as far as nobody has said; the first of them where there is none."""
    if not incident.tasks:
        yield "todo", [_text("todo", "What will be done about it?", "Owner and date can be said afterwards.")]
    unfinished = [task for task in facts.open_tasks(incident) if task.due is None or not (task.owner or task.person)]
    for task in unfinished[:TASKS]:
        what = f"T{task.number} “{clip(incident.entries[task.entry].text, QUESTION)}”"
        fields = []
        if not (task.owner or task.person):
            fields.append(asked(f"owner_{task.number}", f"Who owns {what}?", somebody(), optional=True))
        if task.due is None:
            fields.append(asked(f"due_{task.number}", f"Until when, {what}?", {"type": "datepicker"}, optional=True))
        yield f"task_{task.number}", fields


def _text(name: str, label: str, hint: str = "", *, example: str = "", lines: bool = True) -> JSON:
    return asked(name, label, typed(example=example, lines=lines), hint, optional=True)


def _hint(incident: Incident, fact: str) -> str:
    note = may_tell(incident, fact)
    return f"#{note.number} may say it: {clip(note.text, QUESTION)}" if note and not note.redacted else ""


# ---- the form ------------------------------------------------------------------------------------


def page(every: Sequence[Asking], start: int) -> list[Asking]:
    """The questions of a page that begins there: those of one question stay together."""
    found: list[Asking] = []
    for one in every[start:]:
        if sum(len(known.fields) for known in found) + len(one.fields) > PAGE:
            break
        found.append(one)
    return found


def view(occasion: Occasion) -> JSON:
    """The form behind `answer`; the line says with which question it begins, after so many that were left empty."""
    incident = occasion.incident
    assert incident is not None
    every = asking(incident)
    if not every:
        raise Refusal(f"No question of INC-{incident.number} is open.", "Type edit section summary … to rewrite one.")
    said = _FROM.fullmatch(occasion.what)
    start, part = (min(int(said[1]), len(every) - 1), int(said[2])) if said else (0, 1)
    here = page(every, start)
    left = len(every) - start - len(here)
    fields = [shown("What you leave empty stays open. All that you fill in is recorded together.")]
    fields += [field for one in here for field in one.fields]
    if left:
        fields.append(shown(f"{left} more {'question follows' if left == 1 else 'questions follow'}."))
    found_at = incident.detection.at if incident.detection else None
    about = occasion.about | {"part": part, "start": start, "count": len(here), "left": left}
    if found_at is not None:
        about["found_at"] = int(found_at.timestamp())
    return modal(CALLBACK, f"INC-{incident.number}: open", "Record and go on" if left else "Record", fields, about)


def read(given: Given) -> Filled:
    """What was answered, in the order of the form; what was left empty is asked no more on the pages that follow."""
    names = fields_of(given.view)
    said = [one for name in names for one in _said(given, name, names)]
    skipped = given.number("start") + max(0, given.number("count") - len(said))
    then = f"from {skipped} part {given.number('part') + 1}" if given.number("left") else ""
    fields = frozenset(one.field for one in said)
    return Filled(tuple(said), given.about("channel"), given.number("number"), _still_open(fields), then)


def _said(given: Given, name: str, names: Sequence[str]) -> Iterator[Saying]:
    """What a field says; an action item's date is said with its owner, a time with what happened then."""
    text = given.text(name).strip()
    if not text:
        return
    kind, _, number = name.partition("_")
    match kind:
        case "answer":
            yield Saying(cmd.Record(kind=Kind.ANSWER, text=text, question=number_of(number)), name)
        case "owner":
            due = given.day(f"due_{number}") if f"due_{number}" in names else None
            owned = cmd.ChangeTask(task=number_of(number), owner=given.called(text), person=text, due=due)
            yield Saying(owned, name)
        case "due" if not (f"owner_{number}" in names and given.text(f"owner_{number}")):
            yield Saying(cmd.ChangeTask(task=number_of(number), due=given.day(name)), name)
        case "due":
            return
        case "found":
            yield from _found(given, name, number, text, names)
        case "lead":
            yield Saying(cmd.Record(kind=Kind.ROLE, role="commander", target=given.called(text), person=text), name)
        case "severity":
            yield Saying(cmd.Record(kind=Kind.SEVERITY, severity=severity_of(given) or 0), name)
        case "services":
            yield services(text, None, name)
        case "todo":
            yield Saying(cmd.AddTask(text=text), name)
        case "impact":
            yield Saying(cmd.Record(kind=Kind.IMPACT, text=text, share=share_of_users(text)), name)
        case "well" | "wrong" | "lucky":
            yield Saying(cmd.Record(kind=Kind(kind), text=text), name)
        case "link":
            yield Saying(_typed(given, name, text), name)
        case verb if verb in TIMED.values():
            command = _typed(given, name, text)
            if isinstance(command, cmd.Record) and not (command.when or command.rest_when):
                raise Refusal("When was that? Begin with the time, for example: 14:05 or Tue 14:05", field=name)
            yield Saying(command, name, name)
        case _:
            as_kind = next((one for field, one in TEXTS.values() if field == name), None)
            if as_kind is None:
                raise Malformed(f"{name} is no field of this form")
            yield Saying(cmd.Record(kind=as_kind, text=text), name)


def _found(given: Given, name: str, part: str, text: str, names: Sequence[str]) -> Iterator[Saying]:
    """How it was found, and when where nobody has said that either."""
    if part:  # the time: said with the other, or alone
        if not given.text("found"):
            yield Saying(cmd.Record(kind=Kind.DETECTION, when=given.time(name)), name, name)
        return
    if text not in set(Source):
        raise Malformed("found is none that the form offers")
    known = given.number("found_at")
    when = given.time("found_at") if "found_at" in names else When(at=ts_to_time(str(known)), zone=given.zone)
    if when is None:
        raise Refusal("Choose when, too.", field="found_at")
    beside = "found_at" if "found_at" in names else name
    yield Saying(cmd.Record(kind=Kind.DETECTION, source=Source(text), when=when), name, beside)


def _typed(given: Given, verb: str, text: str) -> cmd.Change:
    """A text read as the line of its verb. Raises Refusal beside the field."""
    try:
        command = parse(f"{verb} {text}", Context(given.now, given.zone)).command
    except Refusal as refusal:
        raise Refusal(refusal.message, refusal.hint, verb) from None
    assert not isinstance(command, cmd.Look)
    return command


def _still_open(fields: frozenset[str]) -> Callable[[Incident], None]:
    """Refuses what somebody else said while the form was open, where there can be one answer only."""

    def still(incident: Incident) -> None:
        for name, kind in (("cause", Kind.CAUSE), ("fix", Kind.FIX)):
            known = incident.latest(kind)
            if name in fields and known is not None:
                raise Refusal(
                    f"Somebody said it while this form was open, #{known.number}: “{clip(known.text, 120)}”.",
                    "Empty the field, or correct that entry.",
                    name,
                )
        if "severity" in fields and incident.severity is not None:
            raise Refusal(f"It is SEV{incident.severity} by now.", "Empty the field.", "severity")
        if "lead" in fields and incident.roles.get("commander"):
            raise Refusal("Somebody was named meanwhile.", "Empty the field.", "lead")
        if "found" in fields and incident.source() is not None:
            raise Refusal("Somebody said it meanwhile.", "Empty the field.", "found")

    return still


FORM = Form(CALLBACK, view, read)
