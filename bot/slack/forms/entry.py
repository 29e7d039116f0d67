"""The form of an entry: one for what is only a text, and the same with a field more for what says more. Pure."""

from __future__ import annotations

import re

from bot.core import commands as cmd
from bot.core.decide import Speaker, decide
from bot.core.errors import Refusal
from bot.core.events import Kind, Source
from bot.core.grammar import TARGET_LENGTH, find, kind_of, service_names, share_of_users
from bot.core.incident import Incident
from bot.core.times import When
from bot.core.wording import SOURCES
from bot.slack.blocks import LABELS
from bot.slack.forms.pieces import (
    JSON,
    Filled,
    Form,
    Given,
    Occasion,
    Saying,
    asked,
    chosen,
    happened,
    modal,
    number_of,
    option,
    somebody,
    typed,
)
from bot.slack.forms.start import severities, severity_of
from bot.slack.payloads import Malformed, clip

RECORD = "record_entry"

PLAIN = (
    Kind.NOTE, Kind.ACTION, Kind.HYPOTHESIS, Kind.DECISION, Kind.MITIGATION, Kind.SUMMARY, Kind.TRIGGER, Kind.CAUSE,
    Kind.FACTOR, Kind.FIX, Kind.VERIFIED, Kind.IMPROVEMENT, Kind.WELL, Kind.WRONG, Kind.LUCKY, Kind.TAKEAWAY,
    Kind.QUESTION,
)  # fmt: skip
"""Kinds that are a text and a time: in the form of one of them, another may be chosen."""

ASKS = {
    Kind.SUMMARY: "What is going on, in plain words?",
    Kind.IMPACT: "What do users experience?",
    Kind.UPDATE: "What were they told?",
    Kind.ESCALATION: "What for?",
    Kind.DETECTION: "What was seen first?",
    Kind.MITIGATED: "What stopped the impact?",
    Kind.AGAIN: "What is back?",
    Kind.DEAD_END: "What misled, or why is it ruled out?",
    Kind.SERVICES: "Which services are affected?",
    Kind.LINK: "What is to be seen there?",
    Kind.SEVERITY: "Why?",
    Kind.ROLE: "What else is to be said?",
    Kind.HANDOVER: "What else is to be said?",
    Kind.QUESTION: "What is to be answered in the review?",
}

OTHERS = {"lead": Kind.ROLE, "role": Kind.ROLE, "handover": Kind.HANDOVER, "severity": Kind.SEVERITY}
TITLES = {"lead": "Who leads?", "role": "Give a role", "handover": "Hand command over", "severity": "Set the severity"}
WITHOUT_TEXT = frozenset({Kind.DETECTION, Kind.MITIGATED, Kind.ROLE, Kind.HANDOVER, Kind.SEVERITY, Kind.LINK})
"""Kinds whose text may be left out."""

SHOWN_HYPOTHESES = 100


def kind_for(verb: str) -> Kind:
    """The kind of entry that a verb records. Raises Malformed for one that records none."""
    row = find(verb)
    kind = OTHERS.get(row.name) or kind_of(row.name) if row else None
    if kind is None:
        raise Malformed(f"{verb[:40]!r} has no form")
    return kind


def view(occasion: Occasion) -> JSON:
    """The form of an entry of the kind that the verb says."""
    verb, kind = occasion.verb, kind_for(occasion.verb)
    assert occasion.incident is not None
    _possible(occasion.incident, kind, occasion)
    fields = [*_particulars(verb, kind, occasion.incident)]
    if kind is not Kind.SERVICES:
        label = ASKS.get(kind, "What happened?")
        text = asked("text", label, typed(), optional=kind in WITHOUT_TEXT)
        first = 0 if kind is Kind.IMPACT else 1 if kind in PLAIN else len(fields)
        fields.insert(first, text)
    fields.append(happened(occasion.now))
    title = TITLES.get(verb) or ("Add to the timeline" if kind in PLAIN else LABELS[kind])
    return modal(RECORD, title, "Record", fields, occasion.about)


def _possible(incident: Incident, kind: Kind, occasion: Occasion) -> None:
    """Raises Refusal where nothing of that kind is recorded now, whatever is filled in."""
    if kind in (Kind.SEVERITY, Kind.ANSWER):
        return
    when = When(at=occasion.now, zone="UTC")
    decide(incident, cmd.Record(kind=kind, when=when), Speaker(""), occasion.now, confirmed=True)


def _particulars(verb: str, kind: Kind, incident: Incident) -> list[JSON]:
    """The fields that an entry has besides its text and its time."""
    match kind:
        case _ if kind in PLAIN:
            kinds = [option(LABELS[one], one.value) for one in PLAIN]
            return [asked("kind", "What is it?", chosen(kinds, kind.value))]
        case Kind.DETECTION:
            found = [option(f"By {words}", source.value) for source, words in SOURCES.items()]
            return [asked("source", "How was it found?", chosen(found), optional=True)]
        case Kind.UPDATE:
            example = typed(most=TARGET_LENGTH, lines=False, example="customers")
            return [asked("audience", "Who was told?", example, optional=True)]
        case Kind.IMPACT:
            share = {"type": "number_input", "is_decimal_allowed": True, "min_value": "0", "max_value": "100"}
            services = typed(lines=False, example="checkout, orders-db")
            return [
                asked("share", "What share of users, in per cent?", share, optional=True),
                asked("services", "Which services, beside those that are named already?", services, optional=True),
            ]
        case Kind.ESCALATION:
            return [
                asked("person", "Who was called in?", somebody(), "Scribe pages nobody.", optional=True),
                asked("target", "Or which team?", typed(most=TARGET_LENGTH, lines=False), optional=True),
            ]
        case Kind.DEAD_END:
            open_ones = [
                one
                for one in incident.live(Kind.HYPOTHESIS)
                if not one.confirmed and not incident.dead_end_of(one.number)
            ]
            options = [option(f"#{one.number} {one.text}", str(one.number)) for one in open_ones[-SHOWN_HYPOTHESES:]]
            return [asked("number", "Which hypothesis?", chosen(options), optional=True)] if options else []
        case Kind.SERVICES:
            example = typed(example="checkout, orders-db")
            return [asked("text", ASKS[kind], example, "Commas between them; -name takes one away.")]
        case Kind.LINK:
            return [asked("url", "Link", {"type": "url_text_input"})]
        case Kind.SEVERITY:
            now = str(incident.severity or "")
            return [asked("severity", "Severity", chosen(severities(), now))]
        case Kind.ROLE if verb == "role":
            name = typed(most=TARGET_LENGTH, lines=False, example="communications")
            return [asked("role", "Which role?", name), asked("person", "Who?", somebody())]
        case Kind.ROLE | Kind.HANDOVER:
            return [asked("person", "Who commands the incident?", somebody())]
        case _:
            return []


def read(given: Given) -> Filled:
    """What the form says."""
    verb = given.about("verb")
    kind = kind_for(verb)
    if kind in PLAIN:
        wanted = given.text("kind")
        if wanted not in PLAIN:
            raise Refusal("Choose what it is.", field="kind")
        kind = Kind(wanted)
    when = given.time("when")
    text = given.text("text").strip()
    if not text and kind not in WITHOUT_TEXT and not (kind is Kind.DEAD_END and given.text("number")):
        raise Refusal("Say what happened.", field="text")
    said = [Saying(_command(given, verb, kind, text, when), _named(kind), "when")]
    if kind is Kind.IMPACT and (named := given.text("services").strip()):
        said.insert(0, services(named, when, "services"))
    return Filled(tuple(said), given.about("channel"), given.number("number"))


def services(named: str, when: When | None, name: str) -> Saying:
    """The services that a field names."""
    added, removed = service_names(named)
    if not added and not removed:
        raise Refusal("Name a service, for example: checkout, orders-db.", field=name)
    return Saying(cmd.Record(kind=Kind.SERVICES, text=named, when=when, added=added, removed=removed), name, "when")


def _named(kind: Kind) -> str:
    """The field beside which it is said why an entry of that kind is refused."""
    return {Kind.SEVERITY: "severity", Kind.ROLE: "person", Kind.HANDOVER: "person"}.get(kind, "text")


def _command(given: Given, verb: str, kind: Kind, text: str, when: When | None) -> cmd.Change:
    match kind:
        case Kind.DETECTION:
            source = given.text("source")
            if source not in {"", *Source}:
                raise Malformed("source is none that the form offers")
            return cmd.Record(kind=kind, text=text, when=when, source=Source(source) if source else None)
        case Kind.UPDATE:
            audience = " ".join(given.text("audience").split()).rstrip(":")
            return cmd.Record(kind=kind, text=text, when=when, target=clip(audience, TARGET_LENGTH))
        case Kind.IMPACT:
            return cmd.Record(kind=kind, text=text, when=when, share=_share(given) or share_of_users(text))
        case Kind.ESCALATION:
            person, team = given.text("person"), " ".join(given.text("target").split())
            target = given.called(person) if person else clip(team, TARGET_LENGTH)
            return cmd.Record(kind=kind, text=text, when=when, target=target, person=person)
        case Kind.DEAD_END if chosen_one := given.text("number"):
            number = number_of(chosen_one)
            return cmd.Record(kind=kind, text=text, when=when, number=number, rest=text)
        case Kind.SERVICES:
            return services(text, when, "text").command
        case Kind.LINK:
            url = given.text("url").strip()
            if not re.fullmatch(r"https?://[^\s<>|]+", url, re.IGNORECASE):
                raise Refusal("A link begins with https:// or http://.", field="url")
            return cmd.Record(kind=kind, url=url, text=text, when=when)
        case Kind.SEVERITY:
            severity = severity_of(given)
            if severity is None:
                raise Refusal("Choose a severity.", field="severity")
            return cmd.Record(kind=kind, severity=severity, text=text, when=when)
        case Kind.ROLE | Kind.HANDOVER:
            person = given.needed("person", "Choose a person.")
            role = "commander" if verb == "lead" else ""
            if verb == "role":
                role = " ".join(given.needed("role", "Name the role.").split())
                role = "commander" if role.casefold() in {"lead", "ic", "incident commander"} else role
            who = given.called(person)
            return cmd.Record(kind=kind, role=role, target=who, person=person, text=text, when=when)
        case _:
            return cmd.Record(kind=kind, text=text, when=when)


def _share(given: Given) -> str:
    """The share of users that was typed, as a plain number."""
    said = given.text("share").strip().replace(",", ".").rstrip("% ")
    if not said:
        return ""
    if not re.fullmatch(r"\d{1,3}(?:\.\d{1,6})?", said) or float(said) > 100:
        raise Refusal("A share is a number from 0 to 100.", field="share")
    return said


FORM = Form(RECORD, view, read)
