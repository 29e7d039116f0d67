"""The annex: every entry with its history, who took part, what else changed (POSTMORTEM.md, S22, S28)."""

from __future__ import annotations

from bot.core import events as ev
from bot.core import media, times
from bot.core.document import AnnexEntry, Change, Link, Responder
from bot.core.events import Kind
from bot.core.incident import Entry, history
from bot.core.wording import LABELS, REDACTED, Wording


def entries(wording: Wording, messages: str = "") -> tuple[AnnexEntry, ...]:
    """Every entry that was ever recorded, in the order in which they happened; removed ones too, marked.

    `messages` is where the messages of Slack lie (see `Options`).
    """
    changes = _changes_by_entry(wording)
    everything = sorted(wording.incident.entries.values(), key=lambda e: e.order)
    return tuple(_entry(wording, entry, changes.get(entry.number, []), messages) for entry in everything)


def _message(messages: str, said_in: str) -> str:
    """The address of a message: its channel, then p and its number without the point."""
    channel, _, number = said_in.partition("/")
    return f"{messages}{channel}/p{number.replace('.', '')}" if messages and number else ""


def _entry(wording: Wording, entry: Entry, changes: list[Change], messages: str) -> AnnexEntry:
    about = _hypothesis(wording, entry)
    return AnnexEntry(
        number=entry.number,
        seq=entry.seq,
        kind=entry.kind,
        at=entry.at,
        recorded=entry.recorded_at,
        label=wording.label(entry),
        when=wording.moment(entry.at, entry.approx),
        approx=entry.approx,
        text=wording.text(entry),
        by=wording.person(entry.by),
        recorded_by=wording.person(entry.event.by) if entry.event.by != entry.by else "",
        recorded_at=wording.moment(entry.recorded_at),
        withdrawn=entry.withdrawn,
        why_withdrawn=entry.why_withdrawn,
        redacted=entry.redacted,
        starred=entry.starred,
        late=wording.incident.is_addendum(entry),
        said_in=entry.event.said_in,
        message=_message(messages, entry.event.said_in),
        history=tuple(changes),
        about=about.number if about else None,
        about_text=wording.text(about) if about else "",
        files=media.files(wording.incident, entry),
    )


def _hypothesis(wording: Wording, entry: Entry) -> Entry | None:
    """What a dead end ruled out, also where that left the record: the annex has it still."""
    if entry.kind is not Kind.DEAD_END or not isinstance(entry.event, ev.RuledOut):
        return None
    found = wording.incident.entries.get(entry.event.hypothesis or 0)
    return found if found and found.kind is Kind.HYPOTHESIS else None


def _changes_by_entry(wording: Wording) -> dict[int, list[Change]]:
    incident = wording.incident
    of_task = {e.event.task: e for e in incident.entries.values() if isinstance(e.event, ev.TaskAdded)}
    redacted = {one.entry: seq for seq, one in enumerate(incident.happened, start=1) if isinstance(one, ev.Redacted)}
    found: dict[int, list[Change]] = {}
    corrected: set[int] = set()
    for seq, mark in history(incident):
        number = _about(mark, of_task)
        if number is None or number not in incident.entries:
            continue
        entry = incident.entries[number]
        said = _change(wording, seq, mark, redacted=redacted.get(number, 0) >= seq)
        if _replaces(mark) and number not in corrected:  # what was said first is lost in no change
            corrected.add(number)
            found.setdefault(number, []).insert(0, _first(wording, entry, number in redacted))
        found.setdefault(number, []).append(said)
    return found


def _replaces(mark: ev.Event) -> bool:
    """Whether a change puts something else in the place of what was recorded."""
    if isinstance(mark, ev.TaskChanged):
        return bool(mark.text)
    return isinstance(mark, ev.TextCorrected | ev.KindCorrected | ev.TimeCorrected)


def _about(mark: ev.Event, of_task: dict[int, Entry]) -> int | None:
    match mark:
        case ev.Numbered():
            return None
        case (
            ev.EffectSeen()
            | ev.HypothesisConfirmed()
            | ev.Starred()
            | ev.TextCorrected()
            | ev.KindCorrected()
            | ev.TimeCorrected()
            | ev.Removed()
            | ev.Redacted()
        ):
            return mark.entry
        case ev.TaskChanged() | ev.TaskDone() | ev.TaskDropped() | ev.TaskReopened():
            return of_task[mark.task].number if mark.task in of_task else None
        case _:
            return None


def _first(wording: Wording, entry: Entry, gone: bool) -> Change:
    """An entry as it was recorded first; `gone` when its words were destroyed since."""
    event = entry.event
    what = f"recorded as {LABELS[event.kind].lower()} of {wording.moment(event.at, event.approx)}"
    by, at = wording.person(entry.by), wording.moment(entry.recorded_at)
    return Change(entry.seq, what, REDACTED if gone else event.text, by, at, False)


def _change(wording: Wording, seq: int, mark: ev.Event, *, redacted: bool = False) -> Change:
    what, text = _in_words(wording, mark)
    if redacted and text and isinstance(mark, ev.TextCorrected | ev.TaskChanged):
        text = REDACTED
    undone = seq in wording.incident.undone
    return Change(seq, what, text, wording.person(mark.by), wording.moment(mark.recorded_at), undone)


def _in_words(wording: Wording, mark: ev.Event) -> tuple[str, str]:
    """What a change did, and the words that belong to it."""
    match mark:
        case ev.EffectSeen(worked=worked):
            return "marked as helpful" if worked else "marked as without effect", ""
        case ev.HypothesisConfirmed():
            return "confirmed", ""
        case ev.Starred(on=on):
            return "kept in the document" if on else "no longer kept in the document", ""
        case ev.TextCorrected(text=text):
            return "text corrected", text
        case ev.KindCorrected(to=to):
            return f"kind corrected to {LABELS[to].lower()}", ""
        case ev.TimeCorrected(at=at, approx=approx):
            return f"moved to {wording.moment(at, approx)}", ""
        case ev.Removed(text=text):
            return "removed", text
        case ev.Redacted():
            return "text destroyed", ""
        case ev.TaskChanged():
            return _task_change(wording, mark), mark.text or ""
        case ev.TaskDone(at=at):
            return f"done {times.day(at, wording.zone)}", ""
        case ev.TaskDropped(text=text):
            return "dropped", text
        case ev.TaskReopened():
            return "open again", ""
        case ev.Retitled(text=text, audience="customers"):
            return "title for customers changed", text
        case ev.Retitled(text=text):
            return "title changed", text
        case ev.WordsDestroyed(what=what):
            return f"{what} destroyed", ""
        case ev.OnsetSet(at=at, approx=approx):
            return f"begin of impact set to {wording.moment(at, approx)}", ""
        case ev.ZoneSet(zone=zone):
            return f"zone set to {zone}", ""
        case ev.NotApplicable(gap=gap):
            return f"not applicable: {gap}", ""
        case ev.SectionWritten(section=section, text=text):
            return f"section {section} {'written by hand' if text else 'given back to Scribe'}", ""
        case ev.ReviewCalled():
            what = f"review asked for, {wording.moment(mark.held_at)}" if mark.held_at else "review asked for"
            return what, " ".join(part for part in (mark.who, mark.text) if part)
        case ev.Approved(upto=upto, what="customer"):
            return f"version for customers approved as it was after event {upto}", ""
        case ev.Approved(upto=upto):
            return f"approved as it was after event {upto}", ""
        case ev.Published(upto=upto):
            return f"published as it was after event {upto}", ""
        case ev.SharedTo():
            return "shared", ""
        case ev.LinkRevoked():
            return "web link taken back", ""
        case ev.Attached(file=file):
            return "file kept", file
        case ev.ChannelOpened():
            return "a channel of its own was made", ""
        case ev.NudgesSet(on=on):
            return f"reminders turned {'on' if on else 'off'}", ""
        case _:
            return mark.name, ""


def _task_change(wording: Wording, mark: ev.TaskChanged) -> str:
    parts = []
    if mark.owner is not None or mark.person:
        parts.append(f"owner {wording.person(mark.person, mark.owner or '') or 'nobody'}")
    if mark.category:
        parts.append(mark.category.value)
    if mark.due:
        parts.append(f"due {mark.due.isoformat()}")
    if mark.text:
        parts.append("text corrected")
    if mark.url:
        parts.append("linked to a tracker")
    if mark.public is not None:
        parts.append("shown to customers" if mark.public else "no longer shown to customers")
    return ", ".join(parts) or "changed"


def changes(wording: Wording) -> tuple[Change, ...]:
    """What changed about the incident or its document apart from entries, and what was taken back."""
    found: list[Change] = []
    for seq, one in history(wording.incident):
        if isinstance(
            one,
            ev.Retitled
            | ev.WordsDestroyed
            | ev.OnsetSet
            | ev.ZoneSet
            | ev.NotApplicable
            | ev.SectionWritten
            | ev.ReviewCalled
            | ev.Approved
            | ev.Published
            | ev.SharedTo
            | ev.LinkRevoked
            | ev.ChannelOpened
            | ev.NudgesSet,
        ):
            found.append(_change(wording, seq, one))
    return tuple(found)


def responders(wording: Wording) -> tuple[Responder, ...]:
    """Everybody who took part: who held roles first, then by number of entries, then in order of appearance."""
    incident = wording.incident
    entries: dict[str, int] = {}
    roles: dict[str, list[str]] = {}
    seen: list[str] = []
    for entry in sorted(incident.entries.values(), key=lambda e: e.number):
        if not entry.live:
            continue
        who = wording.person(entry.by)
        seen.append(who)
        entries[who] = entries.get(who, 0) + 1
        given = _given_role(wording, entry)
        if given:
            seen.append(given[0])
            held = roles.setdefault(given[0], [])
            if given[1] not in held:
                held.append(given[1])
    everybody = list(dict.fromkeys(seen))
    everybody.sort(key=lambda name: (name not in roles, -entries.get(name, 0)))
    return tuple(Responder(name, tuple(roles.get(name, ())), entries.get(name, 0)) for name in everybody)


def _given_role(wording: Wording, entry: Entry) -> tuple[str, str] | None:
    gone = wording.destroyed(entry)
    match entry.event:
        case ev.RoleGiven(role=role, person=person, who=who):
            return wording.person(person, who), role
        case ev.HandedOver(person=person, who=who):
            return wording.person(person, who), "commander"
        case ev.Escalated(target=target, person=person) if entry.kind is Kind.ESCALATION and (person or not gone):
            name = wording.person(person, target)
            return (name, "called in") if name else None
        case _:
            return None


def links(wording: Wording) -> tuple[Link, ...]:
    """Supporting information in the order in which it was recorded."""
    found = []
    for entry in sorted(wording.incident.live(Kind.LINK), key=lambda e: e.number):
        url = entry.event.url if isinstance(entry.event, ev.LinkAdded) and not wording.destroyed(entry) else ""
        found.append(Link(url, wording.text(entry), entry.number))
    return tuple(found)
