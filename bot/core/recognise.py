"""What a plain note says, where that is certain: offered as a suggestion, never taken as a fact on its own.

A closed table of phrases. A note is recognised only for a fact that is still open, so that nobody is asked about what
is known already. English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.core.events import Kind
from bot.core.facts import State, state_of
from bot.core.incident import Entry, Incident


@dataclass(frozen=True, slots=True)
class Clue:
    """A row of the table: the fact (of the contract), the kind of entry that would tell it, its verb, the words."""

    fact: str
    kind: Kind
    verb: str
    words: re.Pattern[str]


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_TEAM = r"(?:the |our )?[\w&/-]+(?: [\w&/-]+){0,2}"

CLUES: tuple[Clue, ...] = (
    Clue(
        "S4",
        Kind.DETECTION,
        "detected",
        _any_of(
            r"\b(?:alert|alarm|pager|page|monitor)s? (?:has |have |just )?(?:fired|went off|triggered|came in)\b",
            r"\b(?:pagerduty|opsgenie|datadog|nagios|prometheus|grafana|sentry)\b.{0,30}"
            r"\b(?:alert|alarm|fired|paged us)",
            r"\b(?:customers?|users?|clients?) (?:are |have |is |has )?"
            r"(?:reported|reporting|report|complaining|complained)",
            r"\b(?:support )?tickets? (?:are |is )?(?:coming in|piling up)\b",
            r"\bwe (?:first )?(?:noticed|spotted|found out)\b",
        ),
    ),
    Clue(
        "S8",
        Kind.ESCALATION,
        "escalated",
        _any_of(
            rf"\b(?:paged|escalated to|escalating to|called in|pulled in|looped in|woke(?: up)?) (?:@\w|{_TEAM})",
            r"\b(?:dba|network|security|platform|storage|database|vendor)s?(?: team| on-call)? (?:is|are|has been|was) "
            r"(?:paged|called|on the call|on it|joining)\b",
        ),
    ),
    Clue(
        "S24",
        Kind.UPDATE,
        "told",
        _any_of(
            r"\b(?:posted|updated|put|published)\b.{0,40}\bstatus ?page\b",
            r"\bstatus ?page\b.{0,20}\b(?:updated|posted|says)\b",
            r"\b(?:told|informed|e-?mailed|notified) (?:all |our |the )?"
            r"(?:customers|clients|users|merchants|partners)\b",
        ),
    ),
    Clue(
        "S2b",
        Kind.IMPACT,
        "impact",
        _any_of(
            r"\b\d{1,3}(?:[.,]\d+)? ?(?:%|percent|per cent) of (?:all |our |the )?(?:\w+ )?(?:users|customers|clients"
            r"|visitors|accounts|requests|calls|traffic|orders|payments|checkouts|logins|sessions|messages|transactions)\b",
            r"\b(?:customers?|users?|clients?|merchants?|patients?) "
            r"(?:can['’]?t|cannot|could not|couldn['’]?t|are unable to|get|see|are getting|are seeing)\b",
        ),
    ),
    Clue(
        "S16",
        Kind.VERIFIED,
        "verified",
        _any_of(
            r"\b(?:graphs?|errors?|error rates?|latency|traffic|queues?|metrics)\b.{0,40}"
            r"\b(?:flat|back to normal|normal again|at baseline|gone|to zero)\b",
            r"\b(?:verified|confirmed) (?:by|with|that)\b",
        ),
    ),
)


def clue(incident: Incident, entry: Entry) -> Clue | None:
    """What a note may tell that is not known yet, None where nothing is certain."""
    if entry.kind is not Kind.NOTE or not entry.live:
        return None
    found = [one for one in CLUES if one.words.search(entry.text)]
    if not found:
        return None
    still_open = {one.fact for one in found if state_of(one.fact, incident) is State.OPEN}
    return next((one for one in found if one.fact in still_open and (one.fact != "S16" or not incident.is_open)), None)


def may_tell(incident: Incident, fact: str) -> Entry | None:
    """The newest note that may tell an open fact."""
    of_fact = [one for one in CLUES if one.fact == fact]
    if not of_fact:
        return None
    for entry in reversed(incident.live(Kind.NOTE)):
        if any(one.words.search(entry.text) for one in of_fact):
            return entry
    return None
