"""What customers may see of an incident: an allow-list, and whether a person has approved it.

Whatever is not named here stays inside: entries, people, cause, dead ends, evidence, the title that the responders use.
Pure. Must not know any markup.
"""

from __future__ import annotations

import re
from datetime import timedelta

from bot.core import events as ev
from bot.core import metrics, times
from bot.core.document import CustomerVersion, Passage, PublicTask
from bot.core.events import Kind
from bot.core.incident import Incident, Status, fold
from bot.core.wording import Wording, length, readable, until_long

_PARTS = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*")
_READERS = re.compile(
    r"""
    (?:(?:all|the|our|affected|impacted|some|many|most|external|public|paying|trial|end|enterprise)[\s-]+)*
    (?:customers|clients|users|subscribers|visitors|merchants|members|tenants|account\s+holders
      |status[\s-]?page(?:\s+subscribers)?|public)
    |(?:every|each)\s+(?:affected\s+)?(?:customer|client|user|subscriber|visitor|merchant|member|tenant)
    """,
    re.VERBOSE,
)
_BY_WAY_OF = re.compile(r"\s+(?:via|on|by|through|over|per|in)\s.*", re.DOTALL)


def are_customers(audience: str) -> bool:
    """Whether something was told to customers: one of those named is customers as a whole, or the status page.

    `customers`, `all affected users`, `support and customers`, `customers via mail`, `status page`, `the public` are;
    `customer support`, `internal users` and `the customer` (one of them, whose affairs are nobody else's) are not.
    """
    plain = " ".join(audience.casefold().split())
    whole = _BY_WAY_OF.sub("", plain)
    return any(_READERS.fullmatch(part.strip(" .!@#")) for part in (plain, *_PARTS.split(whole)))


def version(incident: Incident) -> CustomerVersion:
    """What customers may see, as the incident stands. What is unknown, or was destroyed, is left out."""
    wording = Wording(incident, {})
    over, onset, windows = incident.resolution, incident.onset, incident.windows()
    last = windows[-1] if windows else None
    affected = metrics.measure(incident).impact
    ended = last.end if last and affected is not None else None
    return CustomerVersion(
        title=incident.title_for_customers or _neutral(incident),
        status=_status(incident),
        start=wording.moment(onset, incident.onset_approx) if onset else "",
        restored=wording.moment(ended, last.end_approx) if ended and last else "",
        affected_for=_about(
            until_long(timedelta(seconds=affected)), any(w.start_approx or w.end_approx for w in windows)
        )
        if affected is not None
        else "",
        times_affected=len(windows),
        end=wording.moment(over.at, over.approx) if over else "",
        lasted=_about(until_long(length(onset, over.at)), incident.onset_approx or over.approx)
        if onset and over
        else "",
        summary=_summary(wording),
        impact=tuple(_said(wording, Kind.IMPACT, seen_by_users=False)),
        seen=tuple(_said(wording, Kind.IMPACT, seen_by_users=True)),
        told=tuple(_told(wording)),
        tasks=tuple(_tasks(wording)),
    )


def title(incident: Incident) -> str:
    """The title that customers see: never the one that responders use."""
    return incident.title_for_customers or _neutral(incident)


def _neutral(incident: Incident) -> str:
    return f"Incident of {times.day(incident.onset, incident.zone)}" if incident.onset else "Incident"


def _about(lasted: str, approx: bool) -> str:
    return f"~{lasted}" if approx else lasted


def _status(incident: Incident) -> str:
    match incident.status:
        case Status.RESOLVED:
            return "resolved"
        case Status.MITIGATED:
            return "service is restored, not closed yet"
        case Status.OPEN:
            return "still going on"
        case Status.CANCELLED | Status.DUPLICATE:
            return "closed"


def _summary(wording: Wording) -> str:
    entry = wording.incident.latest(Kind.SUMMARY)
    return entry.text if entry and not wording.destroyed(entry) else ""


def _said(wording: Wording, kind: Kind, *, seen_by_users: bool) -> list[str]:
    found = []
    for entry in sorted(wording.incident.live(kind), key=lambda e: e.number):
        seen = isinstance(entry.event, ev.ImpactDescribed) and entry.event.seen_by_users
        if seen is seen_by_users and readable(entry.text) and not wording.destroyed(entry):
            found.append(entry.text)
    return found


def _told(wording: Wording) -> list[Passage]:
    found = []
    for entry in wording.incident.live(Kind.UPDATE):
        said = entry.event
        to_customers = isinstance(said, ev.ToldStakeholders) and are_customers(said.audience)
        if to_customers and readable(entry.text) and not wording.destroyed(entry):
            found.append(Passage(wording.moment(entry.at, entry.approx), entry.text))
    return found


def _tasks(wording: Wording) -> list[PublicTask]:
    found = []
    for _, task in sorted(wording.incident.tasks.items()):
        entry = wording.incident.entries[task.entry]
        if task.public and task.state != "dropped" and readable(entry.text) and not wording.destroyed(entry):
            found.append(PublicTask(entry.text, task.state == "done"))
    return found


# ---- approval --------------------------------------------------------------------------------------


def at(incident: Incident, upto: int) -> CustomerVersion:
    """What customers could have seen after event `upto`."""
    return version(fold(incident.happened[:upto], incident.number))


def approved(incident: Incident) -> int | None:
    """The event up to which customers may read the document; None while nobody has approved it."""
    return incident.approved_for_customers.upto if incident.approved_for_customers else None


def is_behind(incident: Incident) -> bool:
    """Whether customers would see something else now than what was approved."""
    upto = approved(incident)
    return upto is not None and at(incident, upto) != version(incident)
