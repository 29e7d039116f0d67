"""The Home tab -> Block Kit, and its opening -> the room that shows it. What people wrote is escaped and clipped.

Slack takes 100 blocks and 250 kB in a view (https://docs.slack.dev/surfaces/app-home): each list is short and says how
much more there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from slack_bolt import App

from bot.core import times
from bot.core.home import ASKED, COMMANDED, LEADS, OPENED, Active, Draft, Home, Recent
from bot.core.record import Place
from bot.slack import tasks
from bot.slack.buttons import say_button
from bot.slack.payloads import Malformed, clip, escape, object_at, text_at

JSON = dict[str, Any]

TITLE = 120
NAME = 60
ROLES = 3

WHY = {
    LEADS: "you lead its review",
    ASKED: "you were asked to review it",
    COMMANDED: "you commanded the incident",
    OPENED: "you opened the incident",
}


class Homes(Protocol):
    """The room that shows it (see bot/home.py)."""

    def opened(self, team: str, user: str, channel: str, *, blank: bool) -> None: ...


def listening(homes: Homes) -> Callable[[App], None]:
    """Registers who hears that a Home tab was opened."""

    def register(app: App) -> None:
        @app.event("app_home_opened")
        def opened(body: JSON, event: JSON) -> None:
            if text_at(event, "tab", usual="home") == "home":  # "messages": the tab beside it
                blank = not object_at(event, "view")
                channel = text_at(event, "channel", usual="")
                homes.opened(text_at(body, "team_id"), text_at(event, "user"), channel, blank=blank)

    return register


def answered_in(view: Mapping[str, Any]) -> str:
    """The channel in which what was tapped on a Home tab is answered; "" for any other view."""
    if text_at(view, "type", usual="") != "home":
        return ""
    try:
        kept = json.loads(text_at(view, "private_metadata", usual="{}"))
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise Malformed("private_metadata is not what the view was given")
    return text_at(kept, "channel", usual="")


# ---- the view ------------------------------------------------------------------------------------


def home(h: Home, channel: str, prefix: str) -> JSON:
    """The whole tab; `channel` is where Scribe answers what is tapped here: its direct messages with the person."""
    blocks = [_section("Scribe keeps the incidents of another company's workspace. There is nothing for you here.")]
    if not h.outside:
        blocks = [*_blocks(h, prefix)]
    return {
        "type": "home",
        "callback_id": "home",
        "private_metadata": json.dumps({"channel": channel}),
        "blocks": blocks,
    }


def cleared() -> JSON:
    """What stays of a tab that nobody has opened for long."""
    said = "Open this tab again to see what is going on."
    return {"type": "home", "callback_id": "home", "private_metadata": "{}", "blocks": [_section(said)]}


def _blocks(h: Home, prefix: str) -> Iterator[JSON]:
    yield {"type": "actions", "elements": [say_button(0, "Start an incident", "start", "primary")]}
    yield _header("Going on")
    for one in h.active:
        yield _section(_active(one, h))
    if not h.active:
        yield _section("Nothing is going on that you may see. 🌿")
    yield from _more(h.more_active, f"`{prefix} list`")
    yield _header("My action items")
    for number, item in enumerate(h.tasks, start=1):
        button = say_button(number, "Done", f"done {item.place.name}: T{item.number}")
        yield {**_section(tasks.line_of(item, h.today)), "accessory": button}
    if not h.tasks:
        yield _section(f"You have none. `{prefix} todo @name … by Friday` adds one to an incident.")
    left = f", {h.overdue} overdue in all" if h.more_tasks and h.overdue else ""
    yield from _more(h.more_tasks, f"`{prefix} tasks mine`", left)
    if h.drafts:
        yield _header("Waiting for my review")
        for draft in h.drafts:
            yield _section(_draft(draft, h))
        yield from _more(h.more_drafts, f"`{prefix} list`", about="up to ")
    if h.recent:
        yield _header("Postmortems of the last 30 days")
        for recent in h.recent:
            yield _section(_recent(recent, h))
        yield from _more(h.more_recent, f"`{prefix} list`")
    how = f"In a channel: `{prefix} note …` records a line, `{prefix} help` shows the words."
    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": how}]}


def _more(count: int, where: str, also: str = "", about: str = "") -> Iterator[JSON]:
    if count:
        yield _section(f"… and {about}{count:,} more{also}: {where}")


def _active(one: Active, h: Home) -> str:
    mark = "🔴" if one.impact_on else "🟡"
    severity = f" · SEV{one.place.severity}" if one.place.severity else ""
    drill = " · DRILL" if one.drill else ""
    first = f"{mark} *{one.place.name}*{severity}{drill} · {_title(one.place)} · <#{one.place.channel}>"
    said = [f"Commander {escape(clip(_flat(one.commander), NAME))}" if one.commander else "No commander yet"]
    if one.since:
        state = "users affected since" if one.impact_on else "impact is over, it began"
        said.append(f"{state} {times.moment(one.since, h.zone)}")
    if one.mine:
        named = ", ".join(escape(clip(_flat(role), NAME)) for role in one.mine[:ROLES])
        said.append(f"*you are {named}*")
    return f"{first}\n{' · '.join(said)}"


def _draft(one: Draft, h: Home) -> str:
    said = [WHY[one.why]]
    if one.held_at:
        said.append(f"review {times.moment(one.held_at, h.zone)}")
    if one.questions:
        said.append(f"{one.questions} open {'question' if one.questions == 1 else 'questions'}")
    return f"📄 *{one.place.name}* {_linked(one.place, one.link)}\n{' · '.join(said)}"


def _recent(one: Recent, h: Home) -> str:
    state = "published" if one.published else "draft"
    by = ", ".join(escape(clip(_flat(name), NAME)) for name in one.approved[:ROLES])
    approved = f", approved by {by}" if by else ""
    mark = "📗" if one.published else "📝"
    when = times.day(one.over, h.zone)
    return f"{mark} *{one.place.name}* {_linked(one.place, one.link)} · {when} · {state}{approved}"


def _linked(place: Place, link: str) -> str:
    """The title, leading to the document where there is one."""
    usable = link.startswith(("https://", "http://")) and not set(link) & set("<>|\n ")
    return f"<{escape(link)}|{_title(place).replace('|', '¦')}>" if usable else _title(place)


def _title(place: Place) -> str:
    private = "🔒 " if place.private else ""
    return f"{private}{escape(clip(_flat(place.title), TITLE)) or '(no title)'}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _header(text: str) -> JSON:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}


def _section(text: str) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
