"""What Slack demands of text objects, options, dialogs and the elements inside blocks.

Knows docs.slack.dev/reference/block-kit (composition objects, block elements) and collects what is wrong in Slack's own
words, each with its JSON pointer. Knows no workspace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_CONFIRMED = "action_id confirm"
_SELECT = f"{_CONFIRMED} placeholder focus_on_load"
_TYPED = "action_id placeholder focus_on_load dispatch_action_config initial_value"

# The properties that each element may have besides `type`.
ELEMENTS: dict[str, frozenset[str]] = {
    kind: frozenset(properties.split())
    for kind, properties in {
        "button": f"{_CONFIRMED} text url value style accessibility_label",
        "image": "alt_text image_url slack_file",
        "overflow": f"{_CONFIRMED} options",
        "static_select": f"{_SELECT} options option_groups initial_option",
        "multi_static_select": f"{_SELECT} options option_groups initial_options max_selected_items",
        "external_select": f"{_SELECT} initial_option min_query_length",
        "multi_external_select": f"{_SELECT} initial_options min_query_length max_selected_items",
        "users_select": f"{_SELECT} initial_user",
        "multi_users_select": f"{_SELECT} initial_users max_selected_items",
        "conversations_select": f"{_SELECT} initial_conversation default_to_current_conversation filter"
        " response_url_enabled",
        "multi_conversations_select": f"{_SELECT} initial_conversations default_to_current_conversation filter"
        " max_selected_items",
        "channels_select": f"{_SELECT} initial_channel response_url_enabled",
        "multi_channels_select": f"{_SELECT} initial_channels max_selected_items",
        "datepicker": f"{_SELECT} initial_date",
        "timepicker": f"{_SELECT} initial_time timezone",
        "datetimepicker": f"{_CONFIRMED} focus_on_load initial_date_time",
        "checkboxes": f"{_CONFIRMED} focus_on_load options initial_options",
        "radio_buttons": f"{_CONFIRMED} focus_on_load options initial_option",
        "plain_text_input": f"{_TYPED} multiline min_length max_length",
        "number_input": f"{_TYPED} is_decimal_allowed min_value max_value",
        "email_text_input": _TYPED,
        "url_text_input": _TYPED,
        "rich_text_input": f"{_TYPED} min_lines max_lines",
        "file_input": "action_id filetypes max_files",
    }.items()
}
SELECTS = frozenset(kind for kind in ELEMENTS if kind.endswith("_select"))
_PICKERS = SELECTS | {"datepicker", "timepicker", "checkboxes", "radio_buttons"}
IN_SECTION = _PICKERS | {"button", "image", "overflow"}
IN_ACTIONS = _PICKERS | {"button", "overflow", "datetimepicker", "rich_text_input"}
IN_INPUT = _PICKERS | {kind for kind in ELEMENTS if kind.endswith("_input")} | {"datetimepicker"}

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_CLOCK = re.compile(r"\d{2}:\d{2}\Z")


class Findings:
    """The list of what is wrong, as Slack words it in `response_metadata.messages`."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.action_ids: dict[str, set[str]] = {}
        self.focused = 0

    def add(self, what: str, pointer: str) -> None:
        self.messages.append(f"[ERROR] {what} [json-pointer:{pointer}]")

    def properties(self, given: dict[str, Any], allowed: Iterable[str], pointer: str) -> None:
        for name in sorted(set(given) - set(allowed) - {"type"}):
            self.add(f"invalid additional property: {name}", pointer)

    def string(self, given: dict[str, Any], name: str, pointer: str, most: int, *, least: int = 1,
               required: bool = False) -> None:  # fmt: skip
        """Demand a string of `least` to `most` characters."""
        if given.get(name) is None:
            if required:
                self.add(f"missing required field: {name}", pointer)
        elif not isinstance(given[name], str):
            self.add("must be a string", f"{pointer}/{name}")
        elif len(given[name]) > most:
            self.add(f"must be less than {most + 1} characters", f"{pointer}/{name}")
        elif len(given[name]) < least:
            self.add(f"must be more than {least - 1} characters", f"{pointer}/{name}")

    def flag(self, given: dict[str, Any], pointer: str, *names: str) -> None:
        for name in names:
            if name in given and not isinstance(given[name], bool):
                self.add("must be a boolean", f"{pointer}/{name}")

    def items(self, given: dict[str, Any], name: str, pointer: str, most: int, *, least: int = 1) -> list[Any]:
        """Demand a list of `least` to `most` items and give it, or an empty one."""
        found = given.get(name)
        if found is None:
            self.add(f"missing required field: {name}", pointer)
            return []
        if not isinstance(found, list):
            self.add("must be an array", f"{pointer}/{name}")
            return []
        if len(found) > most:
            self.add(f"no more than {most} items allowed", f"{pointer}/{name}")
        if len(found) < least:
            self.add(f"no fewer than {least} items allowed", f"{pointer}/{name}")
        return found

    # --- composition objects

    def text(self, given: dict[str, Any], name: str, pointer: str, most: int, *, plain: bool = False,
             required: bool = True) -> None:  # fmt: skip
        """Demand a text object of at most `most` characters, `plain_text` only if `plain`."""
        if given.get(name) is None:
            if required:
                self.add(f"missing required field: {name}", pointer)
            return
        self.text_object(given[name], f"{pointer}/{name}", most, plain=plain)

    def text_object(self, found: Any, pointer: str, most: int, *, plain: bool = False) -> None:
        if not isinstance(found, dict):
            self.add("must provide an object", pointer)
            return
        kind = found.get("type")
        if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.add(f"unsupported type: {kind}", f"{pointer}/type")
            return
        self.properties(found, ("text", "emoji") if kind == "plain_text" else ("text", "verbatim"), pointer)
        self.flag(found, pointer, "emoji", "verbatim")
        self.string(found, "text", pointer, most, required=True)

    def options(self, found: list[Any], pointer: str, *, plain: bool, url: bool = False) -> None:
        seen: set[str] = set()
        for index, option in enumerate(found):
            at = f"{pointer}/{index}"
            if not isinstance(option, dict):
                self.add("must provide an object", at)
                continue
            self.properties(option, ("text", "value", "description", *(("url",) if url else ())), at)
            self.text(option, "text", at, 75, plain=plain)
            self.text(option, "description", at, 75, plain=plain, required=False)
            self.string(option, "value", at, 150, required=True)
            if url:
                self.string(option, "url", at, 3000)
            if option.get("value") in seen:
                self.add(f"options must have unique values: {option['value']}", at)
            seen.add(str(option.get("value")))

    def dialog(self, given: dict[str, Any], pointer: str) -> None:
        found = given.get("confirm")
        if found is None:
            return
        at = f"{pointer}/confirm"
        if not isinstance(found, dict):
            self.add("must provide an object", at)
            return
        self.properties(found, ("title", "text", "confirm", "deny", "style"), at)
        self.text(found, "title", at, 100, plain=True)
        self.text(found, "text", at, 300)
        self.text(found, "confirm", at, 30, plain=True, required=False)
        self.text(found, "deny", at, 30, plain=True, required=False)
        self.style(found, at)

    def style(self, given: dict[str, Any], pointer: str) -> None:
        if given.get("style") not in (None, "primary", "danger"):
            self.add("must be one of: primary, danger", f"{pointer}/style")

    def image(self, given: dict[str, Any], pointer: str) -> None:
        self.string(given, "alt_text", pointer, 2000, least=0, required=True)
        if ("image_url" in given) == ("slack_file" in given):
            self.add("exactly one of image_url and slack_file is required", pointer)
        self.string(given, "image_url", pointer, 3000)
        url = given.get("image_url")
        if isinstance(url, str) and not re.match(r"https?://\S+\Z", url):
            self.add("must be a valid URL", f"{pointer}/image_url")

    # --- elements

    def element(self, found: Any, pointer: str, allowed: Iterable[str], block: str) -> None:
        """Demand one of the `allowed` elements; `block` tells whose action_ids it has to differ from."""
        if not isinstance(found, dict):
            self.add("must provide an object", pointer)
            return
        kind = found.get("type")
        if not isinstance(kind, str) or kind not in set(allowed):
            self.add(f"unsupported type: {kind}", f"{pointer}/type")
            return
        self.properties(found, ELEMENTS[kind], pointer)
        self.flag(found, pointer, "focus_on_load", "multiline", "is_decimal_allowed", "response_url_enabled",
                  "default_to_current_conversation")  # fmt: skip
        if kind == "image":
            self.image(found, pointer)
            return
        self.string(found, "action_id", pointer, 255)
        name = found.get("action_id")
        taken = self.action_ids.setdefault(block, set())
        if isinstance(name, str):
            if name in taken:
                self.add(f"`action_id` {name} already exists for block_id {block}", f"{pointer}/action_id")
            taken.add(name)
        if found.get("focus_on_load"):
            self.focused += 1
            if self.focused > 1:
                self.add("only one element may have focus_on_load", pointer)
        self.dialog(found, pointer)
        self.text(found, "placeholder", pointer, 150, plain=True, required=False)
        if kind == "button":
            self._button(found, pointer)
        elif kind in SELECTS or kind in ("overflow", "checkboxes", "radio_buttons"):
            self._choice(kind, found, pointer)
        else:
            self._field(kind, found, pointer)

    def _button(self, found: dict[str, Any], pointer: str) -> None:
        self.text(found, "text", pointer, 75, plain=True)
        self.string(found, "url", pointer, 3000)
        self.string(found, "value", pointer, 2000, least=0)
        self.string(found, "accessibility_label", pointer, 75)
        self.style(found, pointer)

    def _choice(self, kind: str, found: dict[str, Any], pointer: str) -> None:
        offered: list[Any] = []
        if kind in ("static_select", "multi_static_select"):
            if ("options" in found) == ("option_groups" in found):
                self.add("exactly one of options and option_groups is required", pointer)
            if "options" in found:
                offered = self.items(found, "options", pointer, 100)
                self.options(offered, f"{pointer}/options", plain=True)
            if "option_groups" in found:
                for index, group in enumerate(self.items(found, "option_groups", pointer, 100)):
                    at = f"{pointer}/option_groups/{index}"
                    if not isinstance(group, dict):
                        self.add("must provide an object", at)
                        continue
                    self.properties(group, ("label", "options"), at)
                    self.text(group, "label", at, 75, plain=True)
                    members = self.items(group, "options", at, 100)
                    self.options(members, f"{at}/options", plain=True)
                    offered += members
        elif kind in ("overflow", "checkboxes", "radio_buttons"):
            offered = self.items(found, "options", pointer, 5 if kind == "overflow" else 10)
            self.options(offered, f"{pointer}/options", plain=kind == "overflow", url=kind == "overflow")
        elif "external" in kind:
            offered = [*found.get("initial_options", ()), found.get("initial_option")]
        chosen = found.get("initial_options", [found["initial_option"]] if "initial_option" in found else [])
        for option in chosen if isinstance(chosen, list) else []:
            if option not in offered:
                self.add("initial_option was not found in options", pointer)
        if isinstance(chosen, list) and "initial_options" in found and not chosen:
            self.add("no fewer than 1 items allowed", f"{pointer}/initial_options")
        most = found.get("max_selected_items")
        if most is not None and (not isinstance(most, int) or most < 1):
            self.add("must be at least 1", f"{pointer}/max_selected_items")

    def _field(self, kind: str, found: dict[str, Any], pointer: str) -> None:
        for name, shape, example in (
            ("initial_date", _DATE, "YYYY-MM-DD"),
            ("initial_time", _CLOCK, "HH:mm"),
        ):
            if name in found and not (isinstance(found[name], str) and shape.match(found[name])):
                self.add(f"must be of the format {example}", f"{pointer}/{name}")
        moment = found.get("initial_date_time")
        if moment is not None and not (isinstance(moment, int) and len(str(moment)) == 10):
            self.add("must be a UNIX timestamp of 10 digits", f"{pointer}/initial_date_time")
        if kind == "number_input" and not isinstance(found.get("is_decimal_allowed"), bool):
            self.add("missing required field: is_decimal_allowed", pointer)
        if kind == "plain_text_input":
            least, most = found.get("min_length", 0), found.get("max_length", 3000)
            if not isinstance(least, int) or not 0 <= least <= 3000:
                self.add("must be between 0 and 3000", f"{pointer}/min_length")
            elif not isinstance(most, int) or not 1 <= most <= 3000 or most < least:
                self.add("must be between 1 and 3000 and not below min_length", f"{pointer}/max_length")
            else:
                self.string(found, "initial_value", pointer, most, least=0)
        elif kind in ("email_text_input", "url_text_input", "number_input"):
            self.string(found, "initial_value", pointer, 3000, least=0)
