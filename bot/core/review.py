"""What reviewers should look at: words that blame, sections that are behind the record.

Notes for reviewers, never part of what is published, and nothing is rewritten (POSTMORTEM.md, rule 7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.core import changes, language, times
from bot.core import events as ev
from bot.core.document import ReviewNote
from bot.core.events import Kind
from bot.core.facts import HAPPENING
from bot.core.incident import Incident, Stage, history
from bot.core.wording import Wording, counted, listed

SECTION_KINDS: dict[str, frozenset[Kind]] = {
    "summary": frozenset(
        {
            Kind.SUMMARY, Kind.SERVICES, Kind.IMPACT, Kind.CAUSE, Kind.DETECTION, Kind.TAKEAWAY, Kind.MITIGATED,
            Kind.AGAIN, Kind.RESOLUTION, Kind.REOPENED,
        }
    ),
    "timeline": HAPPENING,
    "cause": frozenset({Kind.CAUSE, Kind.TRIGGER, Kind.FACTOR, Kind.FIX, Kind.VERIFIED, Kind.MITIGATED}),
    "measures": frozenset({Kind.IMPROVEMENT, Kind.TASK, Kind.WELL, Kind.WRONG, Kind.LUCKY, Kind.ANSWER}),
    "questions": frozenset({Kind.QUESTION, Kind.ANSWER}),
}  # fmt: skip
"""Which entries a section tells of."""

MOST = 20
"""So many phrases are pointed out; who has more of them has read enough."""


MOST_ENTRIES = 50
"""So many entries that a section does not show are named."""


def notes(wording: Wording) -> tuple[ReviewNote, ...]:
    """The notes for reviewers; none once the document is published."""
    if wording.incident.stage is Stage.PUBLISHED:
        return ()
    blame = list(_blame(wording))
    more = len(blame) - MOST
    rest = (ReviewNote("", None, f"{counted(more, 'more phrase')} like these."),) if more > 0 else ()
    return (*_behind(wording), *blame[:MOST], *rest)


def newer(incident: Incident, section: str) -> tuple[int, ...]:
    """The entries that were recorded or changed after a person wrote the section, and that it would tell of."""
    since = incident.section_seq.get(section)
    if since is None:
        return ()
    found: set[int] = set()
    for seq, one in history(incident):
        number = getattr(one, "entry", None)
        entry = incident.entries.get(number) if seq > since and number else None
        if entry and entry.live and entry.kind in SECTION_KINDS[section]:
            found.add(entry.number)
    return tuple(sorted(found))


def came(incident: Incident, section: str, upto: int) -> tuple[int, ...]:
    """The entries that were recorded or changed after event `upto`, and that the section tells of."""
    found: set[int] = set()
    for seq, one in history(incident):
        number = getattr(one, "entry", None)
        entry = incident.entries.get(number) if seq > upto and number else None
        if entry and entry.kind in SECTION_KINDS[section]:
            found.add(entry.number)
    return tuple(sorted(found))


def since(incident: Incident, upto: int) -> str:
    """What came to the document after event `upto`: "14 entries and 2 changes", "" for nothing."""
    found = changes.between(incident.happened, upto)
    entries = len(found.added)
    unseen = [
        one
        for seq, one in history(incident)
        if seq > upto and seq not in incident.undone and (isinstance(one, ev.ReviewCalled) or _for_customers(one))
    ]
    others = (found.corrected, found.removed, found.redacted, found.tasks, found.sections, found.destroyed)
    more = sum(len(one) for one in others) + found.marks - len(unseen)
    said = [counted(entries, "entry", "entries")] if entries else []
    return listed([*said, counted(more, "change")] if more else said)


def life(wording: Wording) -> str:
    """What became of the document so far: who asked for a review, who approved it when, who published it.

    Under what changed after an approval stands how much that was.
    """
    incident = wording.incident
    said: list[str] = []
    if (called := incident.review) is not None and incident.published is None:
        when = wording.moment(called.held_at, utc=False) if called.held_at else " ".join(called.text.split())
        led = wording.person(called.person, called.who)
        parts = [f"Review {when}" if when else "Review", f"led by {led}" if led else ""]
        said.append(", ".join(filter(None, [*parts, f"asked for by {wording.person(called.by)}"])))
    for approved in {one.by: one for one in incident.approvals}.values():
        changed = since(incident, approved.upto)
        day = times.day(approved.recorded_at, wording.zone)
        said.append(f"Approved by {wording.person(approved.by)}, {day}" + (f" ({changed} since)" if changed else ""))
    if incident.published is not None:
        day = times.day(incident.published.recorded_at, wording.zone)
        said.append(f"Published by {wording.person(incident.published.by)}, {day}")
    return " · ".join(said)


def _for_customers(one: ev.Event) -> bool:
    return isinstance(one, ev.Retitled) and bool(one.audience)


def _unshown(wording: Wording, name: str, newer: Collection[int]) -> Iterator[ReviewNote]:
    """The entries whose words a section that a person wrote does not show, save those that came later anyway."""
    section = wording.incident.sections[name]
    shown = _bare(section.text)
    entries = tuple(
        entry.number
        for entry in sorted(wording.incident.live(*SECTION_KINDS[name]), key=lambda e: e.number)
        if entry.number not in newer and _bare(wording.text(entry)) not in shown
    )
    if entries:
        more = f" and {len(entries) - MOST_ENTRIES} more" if len(entries) > MOST_ENTRIES else ""
        yield ReviewNote(f"section {name}", None, f"its words do not show these{more}:", entries=entries[:MOST_ENTRIES])


def _bare(text: str) -> str:
    """Letters and digits alone: what markup, white space and punctuation do not change."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _behind(wording: Wording) -> Iterator[ReviewNote]:
    for name, section in sorted(wording.incident.sections.items()):
        entries = newer(wording.incident, name)
        if entries:
            by = wording.person(section.by)
            yield ReviewNote(f"section {name}", None, f"written by {by}; newer than it:", entries=entries)
        yield from _unshown(wording, name, entries)


def _blame(wording: Wording) -> Iterator[ReviewNote]:
    people = frozenset(name for name in wording.names.values() if name)
    for entry in sorted(wording.incident.live(), key=lambda e: e.number):
        for phrase in language.blaming(wording.text(entry), people):
            yield ReviewNote(f"entry {entry.number}", entry.number, phrase.words, phrase.why, phrase.instead)
    for name, section in sorted(wording.incident.sections.items()):
        for phrase in language.blaming(section.text, people):
            yield ReviewNote(f"section {name}", None, phrase.words, phrase.why, phrase.instead)
