"""The board of an incident, its announcement elsewhere, and the topic of its own channel -> Block Kit. Pure.

Nobody is called by any of them: people's names stand there as they were typed, never as mentions. What people wrote is
escaped and clipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core import times
from bot.core.board import Board
from bot.core.incident import Status
from bot.slack import blocks
from bot.slack.payloads import clip, escape

JSON = dict[str, Any]

LINE = 1_200
TITLE = 200
TEXT = 160
ROLES = 6
NAME = 40
TOPIC = 250  # Slack's limit, after escaping

ICONS = {
    Status.OPEN: "🔴",
    Status.MITIGATED: "🟡",
    Status.RESOLVED: "🟢",
    Status.CANCELLED: "⚪",
    Status.DUPLICATE: "⚪",
}

REOPEN = {
    "title": {"type": "plain_text", "text": "Open it again?"},
    "text": {"type": "plain_text", "text": "The channel is told that the incident goes on."},
    "confirm": {"type": "plain_text", "text": "Reopen"},
    "deny": {"type": "plain_text", "text": "Leave it"},
}


def board(b: Board, prefix: str, draft: str = "") -> JSON:
    """The board: some six lines and the buttons that fit what comes next; `draft` is where the draft stands."""
    lines = [_head(b)]
    if ended := _end(b):
        why = "" if b.status is Status.DUPLICATE or not b.ended_why else f": {_one(b.ended_why, TEXT)}"
        lines.append(ended + (why or "."))
    if b.status is Status.RESOLVED:
        lines.append(_draft(b, draft) or "The draft of the postmortem follows in this channel.")
    lines += _people(b, prefix)
    going_on = b.status in (Status.OPEN, Status.MITIGATED)
    if going_on or b.status is Status.RESOLVED:
        lines += _impact(b)
    if going_on:
        lines += [*_told(b), *_last(b)]
    if going_on or b.status is Status.RESOLVED:
        lines += [*_tasks(b), *_asks(b, prefix)]
    buttons = _buttons(b)
    shown = [_section(part) for part in _packed(lines)]
    if buttons:
        shown.append({"type": "actions", "elements": buttons})
    return {"text": lines[0], "blocks": shown}


def _head(b: Board) -> str:
    severity = f"SEV{b.severity}" if b.severity else "severity not set"
    drill = " · DRILL" if b.drill else ""
    standing = {Status.MITIGATED: " · mitigated", Status.OPEN: ""}.get(b.status, f" · {b.status.value}")
    return f"{ICONS[b.status]} *INC-{b.number}* · {severity}{drill} · {_one(b.title, TITLE)}{standing}"


def _end(b: Board) -> str:
    """How it ended, "" while it goes on."""
    match b.status:
        case Status.RESOLVED if b.ended_at:
            whole = f" after {times.duration(b.total)}" if b.total is not None else ""
            impact = f" (impact {times.duration(b.impact)})" if b.impact is not None and b.impact != b.total else ""
            return f"Resolved {_at(b, b.ended_at)}{whole}{impact}"
        case Status.CANCELLED:
            return "Cancelled"
        case Status.DUPLICATE:
            return f"The same as INC-{b.duplicate_of}: it goes on there"
        case _:
            return ""


def _draft(b: Board, link: str) -> str:
    """The way to the draft, "" where there is none."""
    if b.status is not Status.RESOLVED or not link:
        return ""
    return f"<{link}|{'The postmortem' if b.published else 'The draft of the postmortem'}>"


def _people(b: Board, prefix: str) -> Iterator[str]:
    named = [f"{_one(role[:1].upper() + role[1:], NAME)} {_one(who, NAME)}" for role, who in b.roles]
    if b.status in (Status.OPEN, Status.MITIGATED) and "commander" not in dict(b.roles):
        named.insert(0, f"No commander yet: `{prefix} lead @name`")
    more = [f"{len(named) - ROLES} more"] if len(named) > ROLES else []
    if named:
        yield " · ".join([*named[:ROLES], *more])


def _impact(b: Board) -> Iterator[str]:
    if b.since is None:
        return
    if b.until is None:
        spell = f"Impact since {_at(b, b.since)}" + (f", for the {_nth(b.windows)} time" if b.windows > 1 else "")
    else:
        lasted = f", {times.duration(b.impact)}" if b.impact is not None else ""
        several = f" in {b.windows} windows" if b.windows > 1 else ""
        spell = f"Impact {_at(b, b.since)} to {_at(b, b.until)}{lasted}{several}"
    yield spell + (f": {_one(b.impact_text, TEXT)}" if b.impact_text else "")


def _nth(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _told(b: Board) -> Iterator[str]:
    if b.told is None:
        return
    promised = f" · next promised {_at(b, b.told.promised)}" if b.told.promised else ""
    audience = _one(b.told.audience, NAME)
    yield f"Last told {audience} {_at(b, b.told.at)}{promised}".replace("  ", " ")


def _last(b: Board) -> Iterator[str]:
    if b.last is not None:
        last = replace(b.last, text=clip(b.last.text, TEXT), by=clip(b.last.by, NAME))
        yield f"Last {blocks.entry_line(last, b.zone)}"


def _tasks(b: Board) -> Iterator[str]:
    if b.tasks:
        yield f"{b.entries} entries · {b.tasks} task{'s' if b.tasks > 1 else ''}, {b.tasks_open} open"


def _asks(b: Board, prefix: str) -> Iterator[str]:
    """What to say next: the first fact with its question, the others as lines to type."""
    if not b.asks or b.published:
        return
    first, *others = b.asks
    also = " · ".join(f"`{escape(one.line)}`" for one in others)
    yield f"Say next: {escape(first.question)} `{prefix} {escape(first.line)}`" + (f" · also {also}" if also else "")


def _buttons(b: Board) -> list[JSON]:
    to = f"INC-{b.number}:"
    note, update = ("Note", f"note {to}"), ("Update", f"told {to}")
    missing, reopen = ("What is missing", f"gaps {to}"), ("Reopen", f"reopen {to}")
    rows: list[tuple[str, str]]
    match b.status:
        case Status.OPEN:
            rows = [note, update, ("Mitigated", f"mitigated {to}"), ("Resolve", f"resolve {to}"), missing]
        case Status.MITIGATED:
            rows = [note, update, ("Impact is back", f"again {to}"), ("Resolve", f"resolve {to}"), missing]
        case Status.RESOLVED if not b.published:
            rows = [("Answer the open questions", f"gaps {to}"), ("Add a task", f"todo {to}"), reopen]
        case Status.CANCELLED | Status.DUPLICATE:
            rows = [reopen]
        case _:
            rows = []
    return [
        blocks.say_button(number, label, line) | ({"confirm": REOPEN} if (label, line) == reopen else {})
        for number, (label, line) in enumerate(rows)
    ]


# ---- elsewhere -----------------------------------------------------------------------------------


def moved(b: Board, channel: str) -> JSON:
    """What stands where an incident was opened that has a channel of its own now."""
    said = f"{ICONS[b.status]} *INC-{b.number}* · {_one(b.title, TITLE)} goes on in <#{channel}>."
    return _message([said])


def stays(name: str, reason: str) -> JSON:
    """What the one who asked for a channel of its own is told when there is none."""
    return _message([f"{name} stays in this channel: {escape(clip(reason, 600))} Everything is recorded here."])


def announcement(b: Board, channel: str, draft: str = "") -> JSON:
    """What the announcement channel reads of an incident: two lines."""
    second = [f"In <#{channel}>"]
    commander = dict(b.roles).get("commander")
    if b.status in (Status.OPEN, Status.MITIGATED):
        second += _impact(replace(b, impact_text=""))
        second += [f"Commander {_one(commander, NAME)}"] if commander else []
    else:
        second += [part for part in (_end(b), _draft(b, draft)) if part]
    return _message([_head(b), " · ".join(second)])


def topic(b: Board, origin: str) -> str:
    """The topic of an incident's own channel: severity, title, commander, and where it was opened."""
    severity = f"SEV{b.severity} · " if b.severity else ""
    standing = "" if b.status in (Status.OPEN, Status.MITIGATED) else f" · {b.status.value}"
    commander = dict(b.roles).get("commander")
    led = f" · commander {_one(commander, NAME // 2)}" if commander else ""
    came = f" · from <#{origin}>" if origin else ""
    frame = len(f"INC-{b.number} · {severity}{standing}{led}{came}")
    title = next(made for most in range(TITLE, -1, -10) if len(made := _one(b.title, most)) + frame <= TOPIC)
    return f"INC-{b.number} · {severity}{title}{standing}{led}{came}"


# ---- pieces --------------------------------------------------------------------------------------


def _message(lines: Sequence[str]) -> JSON:
    parts = _packed(lines)
    return {"text": "\n".join(parts), "blocks": [_section(part) for part in parts]}


def _section(text: str) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _packed(lines: Sequence[str]) -> list[str]:
    """Lines in as few sections as Slack's limit for one allows."""
    parts: list[str] = []
    for line in (blocks.cut(one, LINE) for one in lines):
        if parts and len(parts[-1]) + 1 + len(line) <= blocks.SECTION:
            parts[-1] += f"\n{line}"
        else:
            parts.append(line)
    return parts


def _one(text: str, limit: int) -> str:
    """What somebody wrote, in one line: clipped, then escaped."""
    return escape(clip(" ".join(text.split()), limit))


def _at(b: Board, at: datetime) -> str:
    """The time of a day, with its date where that is another day than that of the last change."""
    same = times.localize(at, b.zone).date() == times.localize(b.day, b.zone).date()
    return times.clock(at, b.zone) if same else times.moment(at, b.zone)
