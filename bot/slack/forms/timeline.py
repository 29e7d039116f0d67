"""The whole timeline, page by page, each entry with what can be done about it; and a new title. Pure."""

from __future__ import annotations

import re

from bot.core import times
from bot.core.answers import EntryLine, line_of
from bot.core.commands import Retitle
from bot.core.decide import Speaker, decide
from bot.core.incident import Incident
from bot.slack.blocks import entry_line
from bot.slack.buttons import SAY, say_button
from bot.slack.forms.pieces import (
    INPUT,
    JSON,
    Filled,
    Form,
    Given,
    Occasion,
    Saying,
    asked,
    modal,
    option,
    shown,
    typed,
)
from bot.slack.payloads import Malformed

TIMELINE = "timeline"
TITLE = "title"

PAGE = 30


def view(occasion: Occasion) -> JSON:
    """A page of the timeline: the one that the line names, else the last."""
    incident, place = occasion.incident, occasion.place
    assert incident is not None
    assert place is not None
    entries = sorted(incident.entries.values(), key=lambda one: one.order)
    pages = max(1, -(-len(entries) // PAGE))
    named = re.search(r"\bpage (\d{1,6})", occasion.what)
    page = min(max(1, int(named[1])), pages) if named else pages
    first = (page - 1) * PAGE
    shown_here = [line_of(one, occasion.names) for one in entries[first : first + PAGE]]
    blocks: list[JSON] = [
        shown(f"*{place.name}* · {first + 1}–{first + len(shown_here)} of {len(entries)} entries"),
        *_turn(place.name, page, pages, 0),
    ]
    day = ""
    for number, entry in enumerate(shown_here, start=1):
        on = times.day(entry.at, incident.zone)
        if on != day:
            blocks.append(shown(f"*{on}*"))
            day = on
        blocks.append(_entry(entry, incident, place.name, number))
    if len(shown_here) > PAGE // 2:
        blocks += _turn(place.name, page, pages, 1)
    return modal(TIMELINE, f"Timeline of {place.name}", "", blocks, occasion.about | {"page": page})


def _turn(name: str, page: int, pages: int, row: int) -> list[JSON]:
    """The buttons that turn the page, none where there is one page only."""
    if pages == 1:
        return []
    buttons = []
    if page > 1:
        buttons.append(say_button(1000 + row, "◀ Earlier", f"timeline {name}: page {page - 1}"))
    if page < pages:
        buttons.append(say_button(2000 + row, "Later ▶", f"timeline {name}: page {page + 1}"))
    return [{"type": "actions", "block_id": f"turn{row}", "elements": buttons}]


def _entry(entry: EntryLine, incident: Incident, name: str, number: int) -> JSON:
    text = {"type": "mrkdwn", "text": entry_line(entry, incident.zone)}
    made: JSON = {"type": "section", "block_id": f"entry{entry.number}", "text": text}
    if entry.withdrawn:
        return made
    star = ("No longer keep it", "unkey") if entry.starred else ("⭐ Keep it in the document", "key")
    rows = [("Correct", "edit"), star, ("Remove", "remove")]
    options = [option(words, f"{verb} {name}: {entry.number}") for words, verb in rows]
    return {**made, "accessory": {"type": "overflow", "action_id": f"{SAY}:{number}", "options": options}}


def read(given: Given) -> Filled:
    """Nothing: it is only looked at."""
    raise Malformed("a timeline is not sent")


def title_view(occasion: Occasion) -> JSON:
    """The form of another title."""
    assert occasion.incident is not None
    decide(occasion.incident, Retitle(title="–"), Speaker(""), occasion.now)
    title = typed(occasion.incident.title, most=INPUT, lines=False)
    field = asked("text", "What is it called?", title)
    return modal(TITLE, "Another title", "Change", [field], occasion.about)


def read_title(given: Given) -> Filled:
    """The other title; nothing where it is the same."""
    title = " ".join(given.needed("text", "Say what it is called.").split())
    if title == " ".join(given.first("text").split()):
        return Filled((), given.about("channel"), given.number("number"))
    return Filled((Saying(Retitle(title=title), "text"),), given.about("channel"), given.number("number"))


FORM = Form(TIMELINE, view, read)
RETITLE = Form(TITLE, title_view, read_title)
