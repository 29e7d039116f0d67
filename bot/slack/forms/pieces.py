"""The pieces of which forms are made, and how what was filled in is read back. Pure.

A field's block and its element have the same name. What a form has to remember until it is sent travels in its
`private_metadata`, which Slack gives back unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.core import times
from bot.core.commands import Change
from bot.core.errors import Refusal
from bot.core.incident import Incident
from bot.core.record import Place
from bot.core.times import When
from bot.slack.payloads import Malformed, clip, object_at, text_at, ts_to_time

JSON = dict[str, Any]

INPUT = 3000  # Slack's limit for a text input
OPTION = 75  # and for the text of an option
LABEL = 2000
ERROR = 300


@dataclass(frozen=True, slots=True)
class Occasion:
    """For what, where and when a form is opened: what its view is made from.

    `what` is what stood after the verb (`edit INC-42: 5`), `names` what people are called, by key; `days` how long an
    action item may take, by severity. `behind` is the view on which it is laid, `page` the page that is shown there.
    """

    now: datetime
    zone: str
    channel: str
    thread: str = ""
    direct: bool = False
    verb: str = ""
    what: str = ""
    place: Place | None = None
    incident: Incident | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[int, int] = field(default_factory=dict)
    behind: str = ""
    page: int = 0

    @property
    def about(self) -> JSON:
        """What a form remembers of where it was opened."""
        said: JSON = {"channel": self.channel}
        for name, value in (("thread", self.thread), ("direct", self.direct), ("verb", self.verb)):
            if value:
                said[name] = value
        if self.place is not None:
            said["number"] = self.place.number
        if self.behind:
            said |= {"behind": self.behind, "page": self.page}
        return said


@dataclass(frozen=True, slots=True)
class Given:
    """A form as it was sent: the view, when, the zone in which its times are printed, and what people are called."""

    view: Mapping[str, Any]
    now: datetime
    zone: str = "UTC"
    called: Callable[[str], str] = lambda user: f"@{user}"

    def about(self, name: str) -> str:
        """What the form was given to remember, as text."""
        return text_at(remembered(self.view), name, usual="")

    def number(self, name: str) -> int:
        """A number that it was given to remember, 0 where it was none."""
        found = remembered(self.view).get(name, 0)
        if isinstance(found, bool) or not isinstance(found, int):
            raise Malformed(f"{name} is no number")
        return found

    def text(self, name: str) -> str:
        """What was typed into a field, chosen there or picked; "" where nothing was."""
        return value(self.view, name)

    def first(self, name: str) -> str:
        """What a field held when the form was opened: the text, the time, or the choice."""
        element = object_at(self._block(name), "element")
        found = element.get("initial_value") or element.get("initial_date") or element.get("initial_date_time")
        found = found or object_at(element, "initial_option").get("value")
        options = element.get("initial_options")
        if isinstance(options, list) and options and isinstance(options[0], dict):
            found = options[0].get("value")
        return str(found) if isinstance(found, str | int) else ""

    def _block(self, name: str) -> JSON:
        blocks = self.view.get("blocks") or []
        if not isinstance(blocks, list):
            raise Malformed("blocks is no list")
        return next((one for one in blocks if isinstance(one, dict) and one.get("block_id") == name), {})

    def has(self, name: str, option: str) -> bool:
        """Whether a box of a field was ticked."""
        return option in ticked(self.view, name)

    def time(self, name: str) -> When | None:
        """The time that was picked in a field, None where none was. Raises Refusal for one that is to come."""
        picked = self.text(name)
        if not picked:
            return None
        at = ts_to_time(picked)
        if at - self.now > times.AHEAD:
            raise Refusal("That is still to come: choose a time that is past.", field=name)
        return When(at=min(at, self.now), zone=self.zone)

    def day(self, name: str) -> date | None:
        """The day that was picked in a field."""
        picked = self.text(name)
        try:
            return date.fromisoformat(picked) if picked else None
        except ValueError:
            raise Malformed(f"{name} is no day") from None

    def needed(self, name: str, say: str = "Say what happened.") -> str:
        """What was typed into a field that may not be empty. Raises Refusal."""
        typed = self.text(name).strip()
        if not typed:
            raise Refusal(say, field=name)
        return typed


@dataclass(frozen=True, slots=True)
class Saying:
    """A command that a form says: `field` holds what it says, `when` the time of it."""

    command: Change
    field: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form says, to be recorded together or not at all; nothing where nothing was changed.

    `channel` and `number` are where: the incident of that number (0: that of the channel). `still` looks, before
    anything is recorded, whether the incident is as the form showed it, and raises Refusal where it is not. `then` is
    what stands in the line of the form that is shown next, in the place of this one; "" where it closes.
    """

    said: tuple[Saying, ...]
    channel: str
    number: int = 0
    still: Callable[[Incident], None] | None = None
    then: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form: `view` makes it, `read` says what was filled in; both raise Refusal, `read` with the field.

    A `read` that gives a view has that one shown in the place of what was sent.
    """

    callback: str
    view: Callable[[Occasion], JSON]
    read: Callable[[Given], Filled | Occasion]


# ---- a view --------------------------------------------------------------------------------------


def modal(callback: str, title: str, submit: str, blocks: Sequence[JSON], about: JSON) -> JSON:
    """A view; without `submit` there is nothing to send."""
    made: JSON = {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(clip(title, 24)),
        "close": plain_text("Cancel" if submit else "Close"),
        "private_metadata": json.dumps(about, sort_keys=True),
        "blocks": list(blocks),
    }
    return {**made, "submit": plain_text(submit)} if submit else made


def plain_text(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def shown(mrkdwn: str) -> JSON:
    """A line that is only read."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn}]}


def option(text: str, chosen: str) -> JSON:
    """A choice; what people wrote is put into one line and clipped."""
    return {"text": plain_text(clip(" ".join(text.split()), OPTION) or "–"), "value": chosen}


def asked(name: str, label: str, element: JSON, hint: str = "", *, optional: bool = False) -> JSON:
    """A field."""
    made: JSON = {
        "type": "input",
        "block_id": name,
        "label": plain_text(clip(label, LABEL)),
        "optional": optional,
        "element": {"action_id": name, **element},
    }
    if hint:
        made["hint"] = plain_text(clip(hint, LABEL))
    return made


def typed(initial: str = "", *, most: int = INPUT, lines: bool = True, example: str = "") -> JSON:
    """A text to type."""
    made: JSON = {"type": "plain_text_input", "max_length": most}
    if lines:
        made["multiline"] = True
    if initial.strip():
        made["initial_value"] = initial[:most]
    if example:
        made["placeholder"] = plain_text(clip(example, 150))
    return made


def chosen(options: Sequence[JSON], initial: str = "") -> JSON:
    """One of a list; `initial` is the value that is chosen already."""
    made: JSON = {"type": "static_select", "options": list(options)}
    found = next((one for one in options if one["value"] == initial), None)
    return {**made, "initial_option": found} if found else made


def boxes(options: Sequence[JSON]) -> JSON:
    """Boxes to tick."""
    return {"type": "checkboxes", "options": list(options)}


def somebody() -> JSON:
    """A person of the workspace."""
    return {"type": "users_select"}


def moment(at: datetime | None = None) -> JSON:
    """Day and time, shown by Slack in the zone of the one who picks."""
    made: JSON = {"type": "datetimepicker"}
    return {**made, "initial_date_time": int(at.timestamp())} if at else made


def happened(now: datetime, label: str = "When?", *, name: str = "when") -> JSON:
    """When it happened: now, if nobody says otherwise."""
    return asked(name, label, moment(now), optional=True)


# ---- what was filled in --------------------------------------------------------------------------


def remembered(view: Mapping[str, Any]) -> JSON:
    """What the form was given to remember."""
    try:
        about = json.loads(text_at(view, "private_metadata"))
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise Malformed("private_metadata is not what the form was given")
    return about


def value(view: Mapping[str, Any], name: str) -> str:
    """What was filled into a field, as text; "" where nothing was."""
    given = object_at(view, "state", "values", name, name)
    if isinstance(at := given.get("selected_date_time"), int):
        return str(at)
    places = [
        ("value",), ("selected_conversation",), ("selected_option", "value"), ("selected_user",), ("selected_date",),
    ]  # fmt: skip
    return next((found for one in places if (found := text_at(given, *one, usual=""))), "")


def ticked(view: Mapping[str, Any], name: str) -> set[str]:
    """The boxes that were ticked."""
    options = object_at(view, "state", "values", name, name).get("selected_options") or []
    if not isinstance(options, list) or not all(isinstance(one, dict) for one in options):
        raise Malformed(f"{name} holds no options")
    return {text_at(one, "value") for one in options}


def number_of(text: str) -> int:
    """A number that a form's own option holds."""
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise Malformed(f"{text[:40]!r} is no number that the form offers")
    return int(text)


def field_errors(refusal: Refusal, fields: Sequence[str]) -> JSON:
    """The response to a form that was filled in wrongly: the error beside its field, else beside the first."""
    if not fields:
        raise Malformed("a form without a field was sent")
    name = refusal.field if refusal.field in fields else fields[0]
    return {"response_action": "errors", "errors": {name: clip(str(refusal), ERROR)}}


def fields_of(view: Mapping[str, Any]) -> list[str]:
    """The names of a view's fields, in order."""
    blocks = view.get("blocks") or []
    if not isinstance(blocks, list):
        raise Malformed("blocks is no list")
    return [text_at(block, "block_id") for block in blocks if isinstance(block, dict) and block.get("type") == "input"]
