"""What becomes of a request: Bolt, with a line in the log and a count for each thing that it was handed.

Knows the kinds of payloads. Must not know how one is answered: that is the listeners' business.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import App, BoltRequest
from slack_bolt.response import BoltResponse

from bot import logs

KINDS = {
    "block_actions": "button",
    "interactive_message": "button",
    "shortcut": "shortcut",
    "message_action": "shortcut",
    "view_submission": "form",
    "view_closed": "form",
}
"""What people do that payloads of these types tell of."""

FAILED = {"faulty", "unrecorded"}
QUIET = {"heard", "repeated"}
"""What is not worth a line: nothing changed, and nobody was told anything new."""

log = logging.getLogger("scribe.slack")


class Hearing(App):
    """Bolt's App, which tells `became(kind, outcome, seconds)` of every request, whichever way it came."""

    def __init__(self, became: Callable[[str, str, float], None], **given: Any) -> None:
        super().__init__(**given)
        self._became = became

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Answers a request; the lines that are logged meanwhile say which one."""
        began = time.perf_counter()
        kind = kind_of(req.body)
        with logs.about(request=kind, origin=origin_of(req.body), reference=logs.new_reference()) as slip:
            answer = super().dispatch(req)
            seconds = time.perf_counter() - began
            outcome = slip.get("outcome") or ("faulty" if answer.status >= 500 else "heard")
            if slip.get("repeated") and outcome not in FAILED:
                outcome = "repeated"
            slip["ms"] = round(seconds * 1000, 1)
            log.log(logging.DEBUG if outcome in QUIET else logging.INFO, "request: %s", outcome)
        self._became(kind, outcome, seconds)
        return answer


def kind_of(body: Mapping[str, Any]) -> str:
    """What a payload tells of: a command, a button, a form, a shortcut, a mention or another event."""
    if "command" in body:
        return "command"
    event = body.get("event")
    if isinstance(event, dict):
        return "mention" if event.get("type") == "app_mention" else "event"
    return KINDS.get(str(body.get("type", "")), "other")


def origin_of(body: Mapping[str, Any]) -> str:
    """Eight characters by which a request is known again when Slack repeats it, and which open nothing."""
    said = body.get("event_id") or body.get("trigger_id") or (body.get("view") or {}).get("id") or ""
    return hashlib.sha256(str(said).encode()).hexdigest()[:8] if said else ""
