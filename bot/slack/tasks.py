"""How action items read in lists and digests -> text and Block Kit. Pure; what people wrote is escaped and clipped.

A date is said in words, and one that nobody said is told from one that somebody did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.core.answers import Tasks, TasksTold
from bot.core.tasks import Item
from bot.slack.buttons import say_button
from bot.slack.payloads import clip, escape

JSON = dict[str, Any]

TEXT = 300
OWNER = 80
WHY = 160
ADDRESS = 300
TITLE = 100

IN_DIGEST = 20
ROOM = 9_000
"""Characters of a digest: chat.postMessage refuses messages that are longer than some 12,000 in all."""

_TORN = re.compile(r"&[a-z]{0,3}\Z")
_LINKED = re.compile(r"https?://[^\s<>|]+", re.IGNORECASE)


# ---- the list ------------------------------------------------------------------------------------


def listed(said: Tasks, prefix: str) -> JSON:
    """The action items that somebody asked to see, with buttons beside those that are to be done.

    Of a private incident nothing can be said outside its channel, but for what its digest offers: it has no buttons.
    """
    lines = [_heading(said)]
    blocks: list[JSON] = [_section(lines[0])]
    for item in said.items:
        line = _line(item, said.today, named=said.place is None, owned=not said.mine)
        lines.append(line)
        blocks.append(_section(line))
        if item.state == "open" and (said.place is not None or not item.place.private):
            blocks.append(_buttons(item, len(blocks)))
    if not said.items and said.place is not None and "overdue" not in said.words.split():
        hint = f"`{prefix} todo @owner … by Friday` adds one."
        lines.append(hint)
        blocks.append(_section(hint))
    if said.pages > 1:
        where = f"Page {said.page} of {said.pages}"
        more = []
        if said.page > 1:
            more.append(say_button(1000, "Earlier", _asked(said, said.page - 1)))
        if said.page < said.pages:
            more.append(say_button(1001, "More", _asked(said, said.page + 1)))
        lines.append(where)
        blocks += [_section(where), {"type": "actions", "elements": more}]
    return {"text": _cut("\n".join(lines), 3900), "blocks": blocks}


def told(said: TasksTold, prefix: str) -> JSON:
    """That somebody is told of their action items from now on, or no more."""
    text = (
        f"🔔 You are told of your action items when they are due. `{prefix} tasks off` ends that."
        if said.on
        else f"🔕 You are not told of your action items any more. `{prefix} tasks mine` shows them, "
        f"`{prefix} tasks on` turns it on again."
    )
    return {"text": text, "blocks": [_section(text)]}


def _asked(said: Tasks, page: int) -> str:
    """The line that asks for another page of the same."""
    where = f"{said.place.name}: " if said.place else ""
    return " ".join(f"tasks {where}{said.words} page {page}".split())


def _heading(said: Tasks) -> str:
    if said.place is not None:
        whose = f"☑️ *Action items of {said.place.name}* {escape(clip(_flat(said.place.title), TITLE))}"
    else:
        whose = "☑️ *Your action items*" if said.mine else "☑️ *Action items of the incidents that you may see from here*"
    if not said.total:
        return f"{whose}: none{' is overdue' if 'overdue' in said.words.split() else ''}."
    counts = [f"{said.open} open"]
    if said.overdue:
        counts.append(f"{said.overdue} overdue")
    if said.total > said.open:
        counts.append(f"{said.total - said.open} done or dropped")
    return f"{whose}: {', '.join(counts)}."


def _buttons(item: Item, number: int) -> JSON:
    """What can be said about an item with one tap; `number` tells its buttons from those of the others."""
    name = f"{item.place.name}: T{item.number}"
    offered = [("Done", f"done {name}"), ("Drop…", f"drop {name}"), ("Change…", f"todo {name}")]
    made = [say_button(number * 3 + place, label, line) for place, (label, line) in enumerate(offered)]
    return {"type": "actions", "elements": made}


# ---- the digest ----------------------------------------------------------------------------------


def digest(items: Sequence[Item], later: int, today: date, prefix: str) -> JSON:
    """What somebody is told of their action items that are due, all in one message; `later` counts those due later."""
    lines = [f"☑️ *Your action items*: {_due_counts(items, today)}."]
    blocks: list[JSON] = [_section(lines[0])]
    room = ROOM
    for number, item in enumerate(items[:IN_DIGEST]):
        line = _line(item, today, named=True, owned=False)
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
        button = say_button(number, "Done", f"done {item.place.name}: T{item.number}")
        blocks.append({**_section(line), "accessory": button})
    left = len(items) - (len(blocks) - 1) + later
    if left:
        more = f"… and {left} more: `{prefix} tasks mine`"
        lines.append(more)
        blocks.append(_section(more))
    ways = [say_button(100, "All of mine", "tasks mine"), say_button(101, "Stop these messages", "tasks off")]
    blocks.append({"type": "actions", "elements": ways})
    return {"text": _cut("\n".join(lines), 3900), "blocks": blocks}


def _due_counts(items: Sequence[Item], today: date) -> str:
    overdue = sum(item.is_overdue(today) for item in items)
    now = sum(item.until == today for item in items)
    counts = ((overdue, "overdue"), (now, "due today"), (len(items) - overdue - now, "due soon"))
    return ", ".join(f"{count} {what}" for count, what in counts if count)


# ---- one item ------------------------------------------------------------------------------------


def _line(item: Item, today: date, *, named: bool, owned: bool) -> str:
    """Number, what shall be done, whose it is, until when. `named`: with the incident; `owned`: with the owner."""
    name = f"*{item.place.name} T{item.number}*" if named else f"*T{item.number}*"
    hidden = "🔒 " if named and item.place.private else ""
    parts = [f"{hidden}{name} {_cut(escape(_flat(item.text)), TEXT)}"]
    whose = escape(clip(_flat(item.owner), OWNER)) if item.owner else "no owner yet"
    if owned:
        parts.append(whose)
    elif not item.named:  # they hear of it as nobody else can
        parts.append(f"for {whose}" if item.owner else whose)
    parts.append(_state(item, today))
    if item.category:
        parts.append(item.category.value)
    if item.url and (address := _address(item.url)):
        parts.append(address)
    return " · ".join(parts)


def line_of(item: Item, today: date) -> str:
    """An action item in a list of the person's own, from several incidents."""
    return _line(item, today, named=True, owned=False)


def _state(item: Item, today: date) -> str:
    """Until when it is to be done, or that it was."""
    if item.state == "done":
        return f"✅ done {_day(item.done_on, today)}" if item.done_on else "✅ done"
    if item.state == "dropped":
        return "dropped" + (f": {escape(clip(_flat(item.why_dropped), WHY))}" if item.why_dropped else "")
    if item.until is None:
        return "no date yet"
    if item.due is None:
        severity = f"SEV{item.severity}" if item.severity else "without a severity"
        reason = f"by default {_day(item.until, today)} ({severity}: {item.days} days), nobody said a date"
        return f"*overdue* · {reason}" if item.is_overdue(today) else f"due {reason}"
    if item.is_overdue(today):
        days = (today - item.until).days
        return f"*overdue* since {_day(item.until, today)} ({days} {'day' if days == 1 else 'days'})"
    if item.until - today < timedelta(days=2):
        return "due today" if item.until == today else "due tomorrow"
    return f"due {_day(item.until, today)}"


def _day(on: date, today: date) -> str:
    """ "Friday 4 December", with the year where it is another."""
    return f"{on:%A} {on.day} {on:%B}" + (f" {on.year}" if on.year != today.year else "")


def _address(url: str) -> str:
    """A link to a tracker: a long address cannot be clipped, and is left out."""
    shown = escape(url)
    return f"<{shown}|tracker>" if _LINKED.fullmatch(url) and len(shown) <= ADDRESS else ""


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, limit: int) -> str:
    """Escaped text cut to at most `limit` characters, and through no escape."""
    return text if len(text) <= limit else _TORN.sub("", text[: limit - 1]).rstrip() + "…"


def _section(text: str) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
