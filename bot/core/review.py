"""What reviewers should look at: words that blame, sections that are behind the record.

Notes for reviewers, never part of what is published, and nothing is rewritten (POSTMORTEM.md, rule 7).
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.core import language
from bot.core.document import ReviewNote
from bot.core.events import Kind
from bot.core.facts import HAPPENING
from bot.core.incident import Incident, Stage, history
from bot.core.wording import Wording, counted

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


def _behind(wording: Wording) -> Iterator[ReviewNote]:
    for name, section in sorted(wording.incident.sections.items()):
        entries = newer(wording.incident, name)
        if entries:
            by = wording.person(section.by)
            yield ReviewNote(f"section {name}", None, f"written by {by}; newer than it:", entries=entries)


def _blame(wording: Wording) -> Iterator[ReviewNote]:
    people = frozenset(name for name in wording.names.values() if name)
    for entry in sorted(wording.incident.live(), key=lambda e: e.number):
        for phrase in language.blaming(wording.text(entry), people):
            yield ReviewNote(f"entry {entry.number}", entry.number, phrase.words, phrase.why, phrase.instead)
    for name, section in sorted(wording.incident.sections.items()):
        for phrase in language.blaming(section.text, people):
            yield ReviewNote(f"section {name}", None, phrase.words, phrase.why, phrase.instead)
