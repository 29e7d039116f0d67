"""Buttons that say a line of the /incident language -> Block Kit. Pure; it knows no message that they stand in."""

from __future__ import annotations

from typing import Any

from bot.slack.payloads import clip

JSON = dict[str, Any]

BUTTON = 75

SAY = "say"
"""The action id of a button that says a line for the one who taps it; a number tells those of a message apart."""


def say_button(number: int, label: str, line: str, style: str = "") -> JSON:
    """A button that says `line` (of the /incident language, without the command) for the one who taps it."""
    made: JSON = {
        "type": "button",
        "action_id": f"{SAY}:{number}",
        "text": {"type": "plain_text", "text": clip(label, BUTTON), "emoji": True},
        "value": line,
    }
    return {**made, "style": style} if style else made
