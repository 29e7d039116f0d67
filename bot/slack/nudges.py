"""How reminders and earlier incidents read -> text and Block Kit. Pure; what people wrote is escaped and clipped.

A reminder says one thing in at most two lines, and has a button that does it and one that ends the reminders.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never

from bot.core import similar, times
from bot.core.nudges import Due, Nudge
from bot.core.record import Person, Place
from bot.slack.blocks import say_button
from bot.slack.payloads import clip, escape

JSON = dict[str, Any]

TITLE = 100
FIXED = 160
SILENCE = "No more reminders"


def reminder(place: Place, zone: str, due: Due, people: Sequence[Person], now: datetime, prefix: str) -> JSON:
    """A reminder of `due`, meant for `people` (nobody in particular where there are none); times are in `zone`."""
    lines, offered = _words(place, zone, due, now, prefix)
    if people and not (due.direct and not place.private):
        lines[0] = f"{' '.join(f'<@{person.user}>' for person in people)} {lines[0]}"
    offered = [*offered, (SILENCE, f"reminders {place.name}: off", "")]
    return _message(lines, offered)


def precedents(words: Sequence[str], found: Sequence[similar.Precedent], zone: str) -> JSON:
    """Earlier incidents that share `words` with the one that begins, and what fixed them; times are in `zone`."""
    named = " and ".join(f"“{escape(clip(word, 40))}”" for word in words)
    count = "One earlier incident names" if len(found) == 1 else "Two earlier incidents name"
    lines = [f"🕰️ {count} {named}:"]
    for one in found:
        said = "still open" if not one.over else f"fixed: {escape(clip(_line(one.fixed), FIXED))}" if one.fixed else ""
        when = ", ".join(filter(None, [times.day(one.began, zone), said]))
        lines.append(f"• *INC-{one.number}* {escape(clip(_line(one.title), TITLE))} ({when})")
    return _message(lines, [(f"Open INC-{one.number}", f"status INC-{one.number}:", "") for one in found])


def _words(
    place: Place, zone: str, due: Due, now: datetime, prefix: str
) -> tuple[list[str], list[tuple[str, str, str]]]:
    """What is said, and the buttons that do it: label, line, style."""
    name = place.name
    match due.what:
        case Nudge.COMMANDER:
            said = [f"👤 Nobody commands *{name}* yet, {_since(due, now)} after it was opened."]
            return said, [("I take command", f"lead {name}: me", "primary")]
        case Nudge.DETECTION:
            assert due.since is not None
            opened = f"at ~{times.iso(due.since)}"
            said = [
                f"🚨 Nobody has said how *{name}* was found. A tap records it for ~{times.clock(due.since, zone)}, "
                f"when it was opened; another time: `{prefix} detected {name}: 14:05 by alert …`"
            ]
            ways = (("Monitoring", "monitoring"), ("An engineer", "engineer"), ("A customer", "customer"))
            return said, [(label, f"detected {name}: {opened} by {way}", "") for label, way in ways]
        case Nudge.TOLD:
            how = f"was told for {_since(due, now)}" if due.since else "has been told yet"
            said = [f"📣 *{name}*: users are affected, and nobody outside {how}."]
            return said, [("Record what was told", f"told {name}:", "primary")]
        case Nudge.PROMISED:
            to = f" to {escape(clip(_line(due.audience), 60))}" if due.audience else ""
            said = [f"⏰ *{name}*: the next message{to} was promised for {times.clock(due.at, zone)}."]
            return said, [("Record what was told", f"told {name}:", "primary")]
        case Nudge.BUSY:
            assert due.since is not None
            said = [
                f"💬 *{name}*: {due.count} messages here, and nothing recorded since {times.clock(due.since, zone)}. "
                "What of it should be remembered?"
            ]
            return said, [("Show what looks like it", f"suggest {name}:", ""), ("Note", f"note {name}:", "")]
        case Nudge.RESOLVE:
            assert due.since is not None
            said = [
                f"🟢 *{name}*: impact stopped at {times.clock(due.since, zone)}, {_since(due, now)} ago. Is it over?"
            ]
            return said, [("Resolve", f"resolve {name}:", "primary")]
        case Nudge.FACTS:
            count = "1 question is open" if due.count == 1 else f"{due.count} questions are open"
            said = [
                f"📄 *{name}* {escape(clip(_line(place.title), TITLE))}: {count}. "
                f"Review meeting? `{prefix} review {name}: Tue 14:00 @name`"
            ]
            return said, [("What is missing", f"gaps {name}:", "primary")]
        case Nudge.REVIEW:
            said = [
                f"🔎 *{name}* {escape(clip(_line(place.title), TITLE))}: nobody has reviewed the draft for "
                f"{_since(due, now)}. With a date: `{prefix} review {name}: Tue 14:00 @name`"
            ]
            return said, [("Ask for a review", f"review {name}:", "primary"), ("Approve it", f"approve {name}:", "")]
        case _:
            assert_never(due.what)


def _since(due: Due, now: datetime) -> str:
    assert due.since is not None
    passed = now - due.since
    return f"{passed.days} days" if passed.days >= 2 else times.duration(passed)


def _line(text: str) -> str:
    return " ".join(text.split())


def _message(lines: Sequence[str], offered: Sequence[tuple[str, str, str]]) -> JSON:
    text = "\n".join(lines)
    buttons = [say_button(number, label, line, style) for number, (label, line, style) in enumerate(offered)]
    return {
        "text": text,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text}},
            {"type": "actions", "elements": buttons},
        ],
    }
