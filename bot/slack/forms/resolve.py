"""The form that ends an incident: when, how, and what is still open and can be known by now. Pure.

Every question may be left for tomorrow: what is left empty is recorded as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.core import commands as cmd
from bot.core import facts, times
from bot.core.decide import Speaker, decide
from bot.core.errors import Refusal
from bot.core.events import Kind, Source
from bot.core.facts import Phase, State
from bot.core.grammar import share_of_users
from bot.core.incident import Incident
from bot.core.recognise import may_tell
from bot.core.times import When
from bot.core.wording import SOURCES
from bot.slack.forms.entry import services
from bot.slack.forms.pieces import (
    INPUT,
    JSON,
    Filled,
    Form,
    Given,
    Occasion,
    Saying,
    asked,
    chosen,
    modal,
    moment,
    number_of,
    option,
    remembered,
    shown,
    typed,
)
from bot.slack.forms.start import severities, severity_of
from bot.slack.payloads import Malformed, escape

RESOLVE = "resolve_incident"

TEXTS = {
    "S2b": ("impact", Kind.IMPACT, "What did users experience, and what share of them?"),
    "S3": ("cause", Kind.CAUSE, "Why did it happen?"),
    "S11": ("fix", Kind.FIX, "What will keep it from coming back?"),
    "S16": ("verified", Kind.VERIFIED, "How do you know it is over?"),
}
"""Open facts that a text tells: the field, the kind of entry, the question."""

FIELDS = ("verified", "services", "impact", "cause", "fix", "found", "severity")
"""The questions of the form, in the order in which they are asked: what is fresh in mind comes first."""

ASKED = {**{fact: name for fact, (name, _, _) in TEXTS.items()}, "S2a": "services", "S5": "found", "S25": "severity"}
SAME = {"S2c": "S2b", "S20": "S2b", "S10": "S3", "S4": "S5"}
"""Facts that the answer to another one's question tells as well."""

PHASES = {Phase.NOW, Phase.MITIGATED, Phase.RESOLVED}


def _open(incident: Incident) -> list[facts.Fact]:
    """What can be known once it is over and nobody has said."""
    found = [one.fact for one in facts.states(incident) if one.state is State.OPEN and one.fact.line]
    return [fact for fact in found if fact.phase in PHASES and fact.id not in ("S1", "S9")]


def view(occasion: Occasion) -> JSON:
    """The form behind `resolve`."""
    incident = occasion.incident
    assert incident is not None
    now = When(at=occasion.now, zone="UTC")
    decide(incident, cmd.Record(kind=Kind.RESOLUTION, when=now), Speaker(""), occasion.now, confirmed=True)
    windows = incident.windows()
    fields = [asked("when", "When was it over?", moment(occasion.now))]
    if windows and windows[-1].end is None:
        since = times.moment(windows[-1].start, incident.zone)
        hint = f"Since {since} by the record. Empty: it ended when the incident did."
        fields.append(asked("stopped", "When did impact stop?", moment(), hint, optional=True))
    fields.append(asked("text", "How did it end?", typed(example="graphs flat for an hour"), optional=True))
    missing = _open(incident)
    names = {ASKED[SAME.get(fact.id, fact.id)] for fact in missing if SAME.get(fact.id, fact.id) in ASKED}
    notes: dict[str, int] = {}
    if names:
        fields.append(shown("Not known yet. What you leave empty stays open, and the others can say it tomorrow."))
    for name in FIELDS:
        if name in names:
            fields += _question(name, incident, notes)
    later = [fact.name for fact in missing if SAME.get(fact.id, fact.id) not in ASKED]
    if later:
        fields.append(shown(f"For later: {escape(' · '.join(dict.fromkeys(later)))}"))
    about = occasion.about | ({"notes": notes} if notes else {})
    return modal(RESOLVE, f"Resolve INC-{incident.number}", "Resolve", fields, about)


def _question(name: str, incident: Incident, notes: dict[str, int]) -> Iterator[JSON]:
    """The field, or fields, of a question; a note that may answer it stands in there."""
    match name:
        case "services":
            yield asked(
                name, "Which services are affected?", typed(lines=False, example="checkout, orders-db"), optional=True
            )
        case "severity":
            yield asked(name, "How severe was it?", chosen(severities()), optional=True)
        case "found":
            found = [option(f"By {words}", source.value) for source, words in SOURCES.items()]
            yield asked(name, "How was it found?", chosen(found), optional=True)
            if incident.detection is None:
                yield asked("found_at", "When was it found?", moment(), optional=True)
        case _:
            fact, (_, _, label) = next((fact, one) for fact, one in TEXTS.items() if one[0] == name)
            note = may_tell(incident, fact)
            usable = note is not None and not note.redacted and len(note.text) <= INPUT
            hint = ""
            if note is not None and usable:
                notes[name] = note.number
                hint = f"#{note.number} may say it. Empty the field if it does not."
            yield asked(name, label, typed(note.text if note and usable else ""), hint, optional=True)


def read(given: Given) -> Filled:
    """The end, and before it what was answered."""
    over = given.time("when")
    if over is None:
        raise Refusal("Choose when it was over.", field="when")
    said = list(_answers(given, over))
    text = given.text("text").strip()
    said.append(Saying(cmd.Record(kind=Kind.RESOLUTION, text=text, when=over), "when", "when"))
    return Filled(tuple(said), given.about("channel"), given.number("number"))


def _answers(given: Given, over: When) -> Iterator[Saying]:
    stopped = given.time("stopped")
    if stopped is not None:
        if stopped.at > over.at:
            raise Refusal("That is after it was over: choose when users were well again.", field="stopped")
        yield Saying(cmd.Record(kind=Kind.MITIGATED, when=stopped), "stopped", "stopped")
    found_at, source = given.time("found_at"), given.text("found")
    if source not in {"", *Source}:
        raise Malformed("found is none that the form offers")
    if found_at is not None and found_at.at > over.at:
        raise Refusal("That is after it was over.", field="found_at")
    if source or found_at:
        command = cmd.Record(kind=Kind.DETECTION, source=Source(source) if source else None, when=found_at)
        yield Saying(command, "found", "found_at")
    if severity := severity_of(given):
        yield Saying(cmd.Record(kind=Kind.SEVERITY, severity=severity), "severity")
    if named := given.text("services").strip():
        yield services(named, None, "services")
    for name, kind, _ in TEXTS.values():
        if text := given.text(name).strip():
            yield Saying(_told(given, name, kind, text), name)


def _told(given: Given, name: str, kind: Kind, text: str) -> cmd.Change:
    """What a text tells; the note that stood in its field is that entry now, where nobody changed its words."""
    notes = remembered(given.view).get("notes") or {}
    if not isinstance(notes, dict):
        raise Malformed("notes is no object")
    if name in notes and text == given.first(name).strip():
        return cmd.CorrectKind(entry=number_of(str(notes[name])), kind=kind)
    return cmd.Record(kind=kind, text=text, share=share_of_users(text) if kind is Kind.IMPACT else "")


FORM = Form(RESOLVE, view, read)
