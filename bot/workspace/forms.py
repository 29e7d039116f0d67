"""What a person fills into a form, as the `state.values` that Slack sends along.

Knows the shape of the value of each kind of input
(docs.slack.dev/reference/interaction-payloads/view-interactions-payload) and what the form itself refuses before
anything is sent. Knows no workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .model import Blocks, Json

_OPTION = {"static_select", "radio_buttons", "external_select"}
_OPTIONS = {"multi_static_select", "checkboxes", "multi_external_select"}
_PLAIN = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", "initial_files"),
}
_STATEFUL = _OPTION | _OPTIONS | set(_PLAIN)


class NotFilled(ValueError):
    """Slack's form would not let the person press the button: a required field is empty, or a text too long."""


def state_values(blocks: Blocks, filled: Mapping[str, Any], *, submitting: bool = True) -> Json:
    """Give `state.values` for blocks that have ids.

    `filled` maps block_id, action_id or label to what the person put in: text, an option's value or label (a list for
    those that take several), a user or channel id, a date. What is not named keeps its initial value; None empties it.
    Raises KeyError for a field that is not there and NotFilled for what the form refuses.
    """
    rest = dict(filled)
    values: Json = {}
    problems: list[str] = []
    for block, element in elements(blocks):
        if element["type"] not in _STATEFUL:
            continue
        label = str(block.get("label", {}).get("text", ""))
        value = _initial(element)
        for name in (block["block_id"], element["action_id"], label):
            if name in rest:
                value = _entered(element, rest.pop(name))
                break
        if submitting and block["type"] == "input":
            problems += _problems(block, element, value, label)
        values.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], **value}
    if rest:
        have = [str(block.get("label", {}).get("text", "")) or block["block_id"] for block, _ in elements(blocks)]
        raise KeyError(f"the form has no field {', '.join(map(repr, rest))}; it has {', '.join(map(repr, have))}")
    if problems:
        raise NotFilled("; ".join(problems))
    return values


def elements(blocks: Blocks) -> Iterator[tuple[Json, Json]]:
    """Go through the interactive elements, each with its block."""
    for block in blocks:
        candidates = [*(block.get("elements", ()) if block["type"] == "actions" else ())]
        candidates += [block[key] for key in ("accessory", "element") if key in block]
        for element in candidates:
            if element.get("type") not in ("image", None):
                yield block, element


def choose(element: Json, wanted: Any) -> Json:
    """Find an option by value or label; raises KeyError."""
    offered = [*element.get("options", ())]
    for group in element.get("option_groups", ()):
        offered += group["options"]
    for option in offered:
        if wanted in (option, option["value"], option["text"]["text"]):
            found: Json = option
            return found
    raise KeyError(f"no option {wanted!r}; there are {', '.join(repr(one['value']) for one in offered)}")


def action_value(element: Json, chosen: Any) -> Json:
    """Give what a click on an element adds to its `actions` entry."""
    if element["type"] == "button":
        return {name: element[name] for name in ("text", "value", "style", "url") if name in element}
    if element["type"] == "overflow":
        return {"selected_option": choose(element, chosen)}
    return _entered(element, chosen)


def _initial(element: Json) -> Json:
    kind = element["type"]
    if kind in _OPTION:
        return {"selected_option": element.get("initial_option")}
    if kind in _OPTIONS:
        return {"selected_options": element.get("initial_options", [])}
    name, initial = _PLAIN[kind]
    return {name: element.get(initial, [] if kind.startswith("multi_") else None)}


def _entered(element: Json, value: Any) -> Json:
    kind = element["type"]
    if kind in _OPTION:
        return {"selected_option": None if value is None else choose(element, value)}
    if kind in _OPTIONS:
        several = [] if value is None else list(value) if isinstance(value, list | tuple | set) else [value]
        return {"selected_options": [choose(element, one) for one in several]}
    if kind.startswith("multi_"):
        return {_PLAIN[kind][0]: [] if value is None else list(value)}
    if kind in ("number_input",) and value is not None:
        value = str(value)
    return {_PLAIN[kind][0]: None if value == "" else value}


def _problems(block: Json, element: Json, value: Json, label: str) -> Iterator[str]:
    entered = next(iter(value.values()))
    if entered in (None, []):
        if not block.get("optional"):
            yield f"{label!r} is required"
    elif element["type"] == "plain_text_input":
        least, most = element.get("min_length", 0), element.get("max_length", 3000)
        if not least <= len(entered) <= most:
            yield f"{label!r} takes {least} to {most} characters, not {len(entered)}"
