"""The message shortcut "Add to the timeline": its form, and what was filled in.

The form is prefilled with what the message says and when it was written. Of a message that is recorded already it shows
the entry, and what is changed there is a correction. No words of a message travel but in the fields themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from slack_bolt import Ack, App

from bot.core import commands as cmd
from bot.core import suggest
from bot.core.answers import Heard, Outcome, Refused
from bot.core.errors import Refusal, Undelivered
from bot.core.events import Kind
from bot.core.record import Place
from bot.core.times import When
from bot.slack import capture as messages
from bot.slack.blocks import LABELS
from bot.slack.dialogs import from_form
from bot.slack.forms.pieces import (
    INPUT,
    Given,
    asked,
    chosen,
    field_errors,
    fields_of,
    modal,
    moment,
    number_of,
    option,
    remembered,
    shown,
    typed,
)
from bot.slack.payloads import Malformed, clip, escape, object_at, text_at, ts_to_time

JSON = dict[str, Any]

ADD_TO_TIMELINE = "add_to_timeline"
TITLE = "Add to the timeline"

KINDS = (
    Kind.NOTE,
    Kind.ACTION,
    Kind.HYPOTHESIS,
    Kind.DEAD_END,
    Kind.DETECTION,
    Kind.DECISION,
    Kind.ESCALATION,
    Kind.UPDATE,
    Kind.IMPACT,
    Kind.MITIGATION,
    Kind.MITIGATED,
    Kind.TRIGGER,
    Kind.CAUSE,
    Kind.FIX,
    Kind.VERIFIED,
)
"""What a message may be recorded as."""

_GUESSED = {**{kind.value: kind for kind in KINDS}, "resolution": Kind.MITIGATION, "cause": Kind.NOTE}
"""What a suggestion calls a message, and what the form then shows: what only sounds like a cause is a note."""

PLACES = 100
"""Slack's limit for the options of a menu."""

FILES = 10
"""Slack's limit for the files of a message; their ids travel with the form."""

log = logging.getLogger("scribe.slack")


class Entry(Protocol):
    """An entry that was made from a message (see bot/capture.py)."""

    @property
    def place(self) -> Place: ...
    @property
    def number(self) -> int: ...
    @property
    def now(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def text(self) -> str: ...


class Capture(Protocol):
    """What is done about messages (see bot/capture.py)."""

    def places(self, team: str, channel: str, ts: str) -> list[Place]: ...
    def entries_of(self, team: str, channel: str, ts: str) -> Sequence[Entry]: ...
    def names(self, team: str, ids: set[str], *, here: str = "") -> dict[str, str]: ...
    def is_ours(self, team: str, message: Mapping[str, Any]) -> bool: ...
    def add(self, number: int, command: cmd.Record, heard: Heard, *, files: Sequence[JSON], words: bool) -> Outcome: ...
    def add_later(self, number: int, channel: str, ts: str, kind: Kind, at: datetime, heard: Heard) -> None: ...


class Scribe(Protocol):
    """What records corrections together (see scribe.py)."""

    def handle_all(
        self, commands: Sequence[tuple[cmd.Change, str, str]], heard: Heard, *, incident: int | None = None
    ) -> Outcome: ...


class Slack(Protocol):
    """The one call that a form takes: its trigger lives three seconds."""

    def open_form(self, trigger: str, view: JSON) -> object: ...


def register(app: App, capture: Capture, scribe: Scribe, slack: Slack, clock: Callable[[], datetime]) -> None:
    """Registers the shortcut and its form."""

    @app.shortcut(ADD_TO_TIMELINE)
    def add_to_timeline(ack: Ack, body: JSON) -> None:
        view = _view_of(capture, from_form(body).team, text_at(body, "channel", "id"), object_at(body, "message"))
        try:
            slack.open_form(text_at(body, "trigger_id", usual=""), view)
        except Undelivered as failure:
            log.warning("a form could not be opened: %s", failure.message)
        ack()

    @app.view(ADD_TO_TIMELINE)
    def sent(ack: Ack, body: JSON, view: JSON) -> None:
        answer = _sent(capture, scribe, from_form(body), view, clock())
        ack(answer) if answer else ack()


# ---- the form ------------------------------------------------------------------------------------


def _view_of(capture: Capture, team: str, channel: str, message: Mapping[str, Any]) -> JSON:
    ts = text_at(message, "ts")
    if capture.is_ours(team, message):
        return told("That is what Scribe itself said: it is in the record already, or needs not be.")
    if messages.is_notice(message) or messages.is_gone(message):
        return told("That is a notice of Slack's own, which nobody wrote.")
    entries = capture.entries_of(team, channel, ts)
    places = capture.places(team, channel, ts)
    if not entries and not places:
        return told(
            "No incident is open here, nor elsewhere that may be seen from here. Open one with the shortcut “Start an "
            "incident”; then add this message: it keeps its own time."
        )
    said = messages.read(message, capture.names(team, messages.named(message), here=channel))
    return form(channel, ts, said, places, entries[0] if entries else None)


def form(channel: str, ts: str, said: messages.Said, places: Sequence[Place], entry: Entry | None = None) -> JSON:
    """The form for a message, with the incidents to which it may belong; of one that is recorded, with its entry."""
    at = ts_to_time(ts)
    text = entry.text if entry is not None else said.text
    fits = len(text) <= INPUT
    about: JSON = {"channel": channel, "ts": ts, "author": said.author, "thread": said.thread}
    blocks: list[JSON] = []
    if entry is not None:
        about |= {"number": entry.place.number, "entry": entry.number}
        named = f"*{entry.place.name}*, entry {entry.number}"
        blocks.append(shown(f"Recorded already: {named}. What you change here is corrected there."))
    elif len(places) == 1:
        about["number"] = places[0].number
        blocks.append(shown(f"*{places[0].name}* · {escape(clip(places[0].title, 200))}"))
    else:
        options = [option(f"{one.name} · {one.title}", str(one.number)) for one in places[:PLACES]]
        blocks.append(asked("number", "Which incident?", chosen(options, str(places[0].number))))
    if said.called:
        about["called"] = clip(said.called, 200)
    if files := [found for one in said.files[:FILES] if isinstance(found := one.get("id"), str)]:
        about["files"] = [one[:40] for one in files]
    kinds = [option(LABELS[kind], kind.value) for kind in KINDS]
    kind = entry.now if entry is not None else _guess(ts, at, said)
    if all(one["value"] != kind for one in kinds):  # somebody made it into another kind since
        kinds.insert(0, option(LABELS[Kind(kind)], kind))
    blocks.append(asked("kind", "What is it?", chosen(kinds, kind)))
    when = entry.at if entry is not None else at
    blocks.append(asked("when", "When was it?", moment(when), "The time of the message, if nobody says otherwise."))
    if fits:
        hint = "" if entry is not None else "It is recorded with the message's author."
        blocks.append(asked("text", "What happened?", typed(text), hint))
    else:
        about["long"] = True
        blocks.append(shown(f"_{len(text):,} characters:_ {escape(clip(text, 300))}"))
        hint = "Left empty, all of it is recorded." if entry is None else "Left empty, the entry keeps its words."
        blocks.append(asked("text", "In fewer words?", typed(), hint, optional=True))
    return modal(ADD_TO_TIMELINE, TITLE, "Add" if entry is None else "Save", blocks, about)


def told(words: str) -> JSON:
    """A view that only says something."""
    text = {"type": "mrkdwn", "text": words}
    return modal(ADD_TO_TIMELINE, TITLE, "", [{"type": "section", "text": text}], {})


def _guess(ts: str, at: datetime, said: messages.Said) -> str:
    """What a message looks like by its words alone."""
    program = not said.author.startswith(("U", "W"))
    one = suggest.Message(ts, at, said.author, said.text, program=program, files=len(said.files))
    found = suggest.suggest([one], under_way=True)
    return _GUESSED.get(found[0].kind, Kind.NOTE).value if found else Kind.NOTE.value


# ---- what was filled in --------------------------------------------------------------------------


def _sent(capture: Capture, scribe: Scribe, heard: Heard, view: JSON, now: datetime) -> JSON:
    names, about = fields_of(view), remembered(view)
    channel, thread = text_at(about, "channel"), text_at(about, "thread", usual="")
    heard = _in(heard, channel, thread)
    given = Given(view, now)
    try:
        kind = _kind(given)
        number = number_of(given.text("number")) if "number" in names else given.number("number")
        if "entry" in about:
            corrections = _corrections(given, given.number("entry"), kind)
            outcome = scribe.handle_all(corrections, heard, incident=number) if corrections else None
        elif given.text("text").strip() or not about.get("long"):
            outcome = capture.add(
                number, _record(given, kind, channel), heard, files=_files(about), words=_as_it_was(given)
            )
        else:
            capture.add_later(number, channel, text_at(about, "ts"), kind, _when(given).at, heard)
            outcome = None
    except Refusal as refusal:
        return field_errors(refusal, names)
    if isinstance(outcome, Refused):
        return field_errors(Refusal(outcome.message, outcome.hint, outcome.field), names)
    return {}


def _in(heard: Heard, channel: str, thread: str) -> Heard:
    return Heard(
        heard.team, channel, heard.user, heard.origin, user_name=heard.user_name, by_letter=True, thread=thread
    )


def _kind(given: Given) -> Kind:
    said = given.text("kind")
    if not said:
        raise Refusal("Choose what it is.", field="kind")
    if said not in {one.value for one in KINDS} | {given.first("kind")}:
        raise Malformed("kind is none that the form offers")
    return Kind(said)


def _when(given: Given) -> When:
    """The time that was picked; untouched it is that of the message, to the microsecond, and never still to come."""
    picked = None if given.text("when") == given.first("when") else given.time("when")
    return picked or When(at=min(ts_to_time(given.about("ts")), given.now), zone="UTC")


def _as_it_was(given: Given) -> bool:
    return given.text("text").strip() == given.first("text").strip()


def _record(given: Given, kind: Kind, channel: str) -> cmd.Record:
    return cmd.Record(
        kind=kind,
        text=given.needed("text"),
        when=_when(given),
        said_in=f"{channel}/{given.about('ts')}",
        author=given.about("author"),
        target=given.about("called"),
    )


def _files(about: JSON) -> list[JSON]:
    found = about.get("files") or []
    return [{"id": one} for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _corrections(given: Given, entry: int, kind: Kind) -> list[tuple[cmd.Change, str, str]]:
    """What was changed, and nothing else. Raises Refusal where a text was taken away."""
    made: list[tuple[cmd.Change, str, str]] = []
    if kind.value != given.first("kind"):
        made.append((cmd.CorrectKind(entry=entry, kind=kind), "kind", "kind"))
    when = None if given.text("when") == given.first("when") else given.time("when")
    if when is not None:
        made.append((cmd.Move(entry=entry, when=when), "when", "when"))
    if not _as_it_was(given):
        made.append((cmd.CorrectText(entry=entry, text=given.needed("text")), "text", "text"))
    return made
