"""How forms are opened and what becomes of them: a line that says nothing yet -> its form -> scribe -> the answer.

A form's trigger lives three seconds, so nothing comes before its one call to Slack but a look at the record. Where
Slack does not take it, the line is answered in words, with a button that opens the form anew.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from slack_bolt import Ack, App

from bot import logs
from bot.core.answers import Heard, Outcome, Recorded, Refused
from bot.core.errors import Refusal, Undelivered
from bot.core.grammar import parts_of
from bot.core.incident import Incident
from bot.core.record import Place
from bot.scribe import Scribe
from bot.slack import forms, home
from bot.slack.payloads import object_at, text_at

JSON = dict[str, Any]

log = logging.getLogger("scribe.slack")


class Forms(Protocol):
    """The calls that a form takes: its trigger lives three seconds."""

    def open_form(self, trigger: str, view: JSON) -> object: ...
    def lay_over(self, trigger: str, view: JSON) -> object: ...
    def change_form(self, view_id: str, view: JSON, *, hash: str = "") -> object: ...


class Dialogs:
    """Opens forms and hears of them. `clock` gives aware UTC."""

    def __init__(self, scribe: Scribe, slack: Forms, clock: Callable[[], datetime]) -> None:
        self._scribe = scribe
        self._slack = slack
        self._clock = clock

    def listen(self, app: App) -> None:
        """Registers what Bolt hands over of forms."""

        @app.shortcut(forms.START_INCIDENT)
        def start_incident(ack: Ack, body: JSON) -> None:
            refused = Refused("The form to start an incident did not open.", "Try it again.", form="start")
            self.tapped(refused, "start", from_form(body), body)
            ack()

        @app.view(re.compile("|".join(f"^{re.escape(name)}$" for name in forms.BY_CALLBACK)))
        def sent(ack: Ack, body: JSON, view: JSON) -> None:
            answer = self.sent(body, view)
            ack(answer) if answer else ack()

    def say(self, line: str, body: JSON) -> None:
        """What a button says for the one who taps it: recorded, shown, or a form that it opens."""
        heard = replace(from_form(body), opens=True)
        outcome = self._scribe.say(line, heard)
        self.tapped(outcome, line, heard, body)
        if isinstance(outcome, Recorded):
            self._look_again(body)

    def tapped(self, outcome: Outcome, line: str, heard: Heard, body: JSON) -> None:
        """Opens the form that a tap calls for; where that fails, a letter says so."""
        if isinstance(outcome, Refused) and outcome.form:
            left = self.open(outcome, heard, body)
            if left is not None:
                refusal = Refusal(left.message, left.hint, left.field, left.form)
                self._scribe.refuse(refusal, line, replace(heard, opens=False))

    def open(self, refused: Refused, heard: Heard, body: Mapping[str, Any]) -> Refused | None:
        """Opens the form of a line that says nothing yet; gives what is to be answered where that cannot be."""
        try:
            view = self._view(refused.form, heard)
        except Refusal as refusal:
            return Refused(refusal.message, refusal.hint)
        trigger = text_at(body, "trigger_id", usual="")
        beneath = object_at(body, "view")
        try:
            if beneath.get("type") != "modal":
                self._slack.open_form(trigger, view)
            elif beneath.get("callback_id") == view["callback_id"]:
                seen = text_at(beneath, "hash", usual="")
                self._slack.change_form(text_at(beneath, "id"), view, hash=seen)
            else:
                self._slack.lay_over(trigger, _laid_on(view, beneath))
        except Undelivered as failure:
            log.warning("a form could not be opened: %s", failure.message)
            return refused
        logs.note(outcome="opened")
        return None

    def sent(self, body: Mapping[str, Any], view: Mapping[str, Any]) -> JSON:
        """What a form that was sent leads to: the answer to it, empty where it closes."""
        form = forms.BY_CALLBACK[text_at(view, "callback_id")]
        page = forms.remembered(view).get("part", "")
        heard = replace(in_view(body, view), origin=f"form {text_at(view, 'id')} {page}".rstrip())
        if isinstance(self._scribe.recall(heard.team, heard.origin), Recorded):  # sent twice: it is recorded
            return {}
        names = forms.fields_of(view)
        given = forms.Given(
            view, self._clock(), self._scribe.zone(heard, ask=True), lambda user: self._scribe.called(heard.team, user)
        )
        try:
            filled = form.read(given)
            if isinstance(filled, forms.Occasion):
                number = given.number("number")
                line = f"{filled.verb} INC-{number}: {filled.what}"
                return {"response_action": "update", "view": self._view(line, heard)}
            then = f"{given.about('verb')} INC-{filled.number}: {filled.then}" if filled.then else ""
            if not filled.said:
                return {"response_action": "update", "view": self._view(then, heard)} if then else {}
            outcome = self._scribe.handle_all(
                [(one.command, one.field, one.when) for one in filled.said],
                replace(heard, channel=filled.channel),
                incident=filled.number or None,
                still=filled.still,
            )
        except Refusal as refusal:
            return forms.field_errors(refusal, names)
        if isinstance(outcome, Refused):
            return forms.field_errors(Refusal(outcome.message, outcome.hint, outcome.field), names)
        if then:
            return self._next(then, heard)
        if behind := given.about("behind"):
            page = given.number("page")
            self._show_page(behind, f"timeline INC-{filled.number}: page {page}", heard)
        return {}

    def _next(self, line: str, heard: Heard) -> JSON:
        """The form that follows one that was recorded; nothing where there is no more to ask."""
        try:
            return {"response_action": "update", "view": self._view(line, heard)}
        except Refusal:
            return {}

    def _view(self, line: str, heard: Heard) -> JSON:
        """The form that a line opens. Raises Refusal where it opens none now."""
        verb, _, what = parts_of(line)
        zone, now = self._scribe.zone(heard), self._clock()

        def made(place: Place | None, incident: Incident | None, names: Mapping[str, str]) -> JSON:
            return forms.of(verb, what).view(
                forms.Occasion(
                    now,
                    zone,
                    heard.channel,
                    thread=heard.thread,
                    direct=heard.direct,
                    verb=verb,
                    what=what,
                    place=place,
                    incident=incident,
                    names=names,
                    days=self._scribe.task_days,
                )
            )

        return self._scribe.form_of(line, heard, made)

    def _look_again(self, body: Mapping[str, Any]) -> None:
        """Brings the timeline up to date on which something was tapped that is recorded."""
        view = object_at(body, "view")
        if view.get("callback_id") != forms.TIMELINE:
            return
        about = forms.remembered(view)
        line, heard = f"timeline INC-{about.get('number')}: page {about.get('page')}", in_view(body, view)
        self._show_page(text_at(view, "id"), line, heard)

    def _show_page(self, view_id: str, line: str, heard: Heard) -> None:
        try:
            self._slack.change_form(view_id, self._view(line, heard))
        except (Undelivered, Refusal) as failure:
            log.info("a timeline stays as it was shown: %s", failure)


def from_form(body: Mapping[str, Any]) -> Heard:
    """A button, a shortcut or a form; its answer leaves by letter."""
    view = object_at(body, "view")
    if view.get("type") == "modal" and view.get("callback_id") in forms.BY_CALLBACK:
        return in_view(body, view)
    channel = text_at(body, "channel", "id", usual="") or text_at(body, "container", "channel_id", usual="")
    channel = channel or home.answered_in(view)
    thread = text_at(body, "container", "thread_ts", usual="")
    if thread == text_at(body, "container", "message_ts", usual=""):  # the message that a thread hangs on
        thread = ""
    # only Scribe's own messages have its buttons
    return replace(_heard(body, channel, direct=channel.startswith("D")), thread=thread)


def in_view(body: Mapping[str, Any], view: Mapping[str, Any]) -> Heard:
    """Somebody in a form of Scribe's, which remembers where it was opened."""
    about = forms.remembered(view)
    heard = _heard(body, text_at(about, "channel", usual=""), direct=about.get("direct") is True)
    return replace(heard, thread=text_at(about, "thread", usual=""))


def _heard(body: Mapping[str, Any], channel: str, *, direct: bool) -> Heard:
    origin = text_at(body, "trigger_id", usual="") or text_at(body, "view", "id", usual="")
    return Heard(
        team=text_at(body, "team", "id", usual="") or text_at(body, "user", "team_id", usual=""),
        channel=channel,
        user=text_at(body, "user", "id"),
        origin=origin or secrets.token_hex(8),
        user_name=text_at(body, "user", "username", usual="") or text_at(body, "user", "name", usual=""),
        by_letter=True,
        direct=direct,
    )


def _laid_on(view: JSON, beneath: Mapping[str, Any]) -> JSON:
    """A view that knows the timeline on which it is laid, to bring that up to date when it is sent."""
    if beneath.get("callback_id") != forms.TIMELINE:
        return view
    about = forms.remembered(view) | {
        "behind": text_at(beneath, "id"),
        "page": forms.remembered(beneath).get("page", 0),
    }
    return {**view, "private_metadata": json.dumps(about, sort_keys=True)}
