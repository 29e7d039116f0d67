"""A section of the document was chosen in its form -> the room that brings its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from slack_bolt import Ack, App

from bot.core.errors import Refusal
from bot.core.grammar import SECTIONS
from bot.scribe import Scribe
from bot.slack.dialogs import in_view
from bot.slack.forms import remembered
from bot.slack.forms.section import PICK
from bot.slack.payloads import Malformed, object_at, text_at

JSON = dict[str, Any]


class Wanted(Protocol):
    """What brings a section's text into the form (see reviews.Wanted)."""

    def section(self, team: str, incident: int, view: str, section: str, about: Mapping[str, Any]) -> None: ...


def listening(scribe: Scribe, wanted: Wanted) -> Callable[[App], None]:
    """Registers who hears that a section was chosen."""

    def register(app: App) -> None:
        @app.action(PICK)
        def picked(ack: Ack, body: JSON, action: JSON) -> None:
            view = object_at(body, "view")
            section = text_at(action, "selected_option", "value")
            if section not in SECTIONS:
                raise Malformed("section is none that the form offers")
            heard, about = in_view(body, view), remembered(view)
            line = f"edit INC-{about.get('number')}: section"
            try:
                key = scribe.form_of(line, heard, lambda place, incident, names: place.key if place else 0)
            except Refusal:  # it may not be seen any more
                ack()
                return
            wanted.section(heard.team, key, text_at(view, "id"), section, about)
            ack()

    return register
