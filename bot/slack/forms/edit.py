"""The form that corrects an entry: its kind, time and words, or that it goes. Pure.

Only what was changed is recorded. A text that is longer than one field of Slack's stands in several, so that nothing
of it is lost; what somebody else corrected meanwhile is not written over.
"""

from __future__ import annotations

import hashlib

from bot.core import commands as cmd
from bot.core import times
from bot.core.decide import STRUCTURED, Speaker, decide
from bot.core.errors import Refusal
from bot.core.events import Kind
from bot.core.incident import LIFE_KINDS, Entry, Incident
from bot.slack.blocks import LABELS
from bot.slack.forms.pieces import (
    INPUT,
    JSON,
    Filled,
    Form,
    Given,
    Occasion,
    Saying,
    asked,
    boxes,
    chosen,
    modal,
    moment,
    number_of,
    option,
    remembered,
    shown,
    typed,
)
from bot.slack.payloads import clip

EDIT = "edit_entry"
CHOOSE = "choose_entry"

PARTS = 4
OFFERED = 500
GROUP = 100
REMOVE = "remove"


def view(occasion: Occasion) -> JSON:
    """The form of the entry that the line names; without one, it is chosen first."""
    incident = occasion.incident
    assert incident is not None
    number = occasion.what.strip().lstrip("#").rstrip(".,:;)")
    if not number.isascii() or not number.isdecimal():
        return _choice(occasion, incident)
    return _form(occasion, _editable(incident, int(number), occasion))


def _editable(incident: Incident, number: int, occasion: Occasion) -> Entry:
    """The entry, if it may be corrected at all. Raises Refusal with why not."""
    decide(incident, cmd.CorrectText(entry=number, text="–"), Speaker(""), occasion.now)
    return incident.entries[number]


def _choice(occasion: Occasion, incident: Incident) -> JSON:
    """Which entry: the newest first, in groups."""
    live = [
        one for one in sorted(incident.entries.values(), key=lambda one: -one.number) if one.live and not one.redacted
    ]
    zone = incident.zone
    offered = [
        option(f"#{one.number} {times.clock(one.at, zone)} {LABELS[one.kind]}: {clip(one.text, 60)}", str(one.number))
        for one in live[:OFFERED]
    ]
    groups = [offered[start : start + GROUP] for start in range(0, len(offered), GROUP)]
    element: JSON = {"type": "static_select"}
    if len(groups) > 1:
        element["option_groups"] = [
            {
                "label": {"type": "plain_text", "text": f"#{group[0]['value']} to #{group[-1]['value']}"},
                "options": group,
            }
            for group in groups
        ]
    else:
        element["options"] = offered
    fields = [asked("number", "Which entry?", element, optional=len(live) > OFFERED)]
    if len(live) > OFFERED:
        typed_number = {"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}
        fields.append(asked("typed", "Or an earlier one, by its number", typed_number, optional=True))
    return modal(CHOOSE, "Correct an entry", "Next", fields, occasion.about)


def read_choice(given: Given) -> Occasion:
    """The entry that was chosen, whose form comes next."""
    number = given.text("number") or given.text("typed").strip()
    if not number:
        raise Refusal("Choose an entry, or type its number.", field="number")
    return Occasion(
        given.now,
        given.zone,
        given.about("channel"),
        thread=given.about("thread"),
        verb="edit",
        what=str(number_of(number)),
    )


def _form(occasion: Occasion, entry: Entry) -> JSON:
    fields: list[JSON] = [shown(f"*#{entry.number}* · recorded {times.moment(entry.recorded_at, occasion.zone)}")]
    about = occasion.about | {"entry": entry.number, "seen": mark(entry)}
    if _kinds(entry.kind):
        kinds = [option(LABELS[one], one.value) for one in _kinds(entry.kind)]
        fields.append(asked("kind", "What is it?", chosen(kinds, entry.kind.value)))
    parts = parted(entry.text)
    if len(parts) <= PARTS:
        about |= {"parts": len(parts), "joints": [joint for _, joint in parts[:-1]]}
        for number, (part, _) in enumerate(parts):
            label = "What happened?" if not number else f"… and then ({number + 1} of {len(parts)})"
            fields.append(asked(f"text{number}", label, typed(part), optional=not entry.text.strip() or number > 0))
    else:
        fields.append(shown(f"Its text has {len(entry.text):,} characters: too many for a form. It stays as it is."))
    if entry.kind is not Kind.STARTED:
        fields.append(asked("when", "When?", moment(entry.at)))
    if entry.kind not in LIFE_KINDS:
        gone = boxes([option("Take it out of the record", REMOVE)])
        fields.append(asked("remove", "Or", gone, "It stays in the history.", optional=True))
    if entry.kind is Kind.STARTED:
        fields.append(shown("This is the title. When impact began is another line: `onset 02:50`"))
    return modal(EDIT, f"Correct #{entry.number}", "Correct", fields, about)


def _kinds(now: Kind) -> list[Kind]:
    """The kinds that an entry of this kind may be turned into, its own first; none where it says more than a text."""
    if now in LIFE_KINDS or now in STRUCTURED:
        return []
    return [now, *(one for one in LABELS if one not in LIFE_KINDS and one not in STRUCTURED and one is not now)]


def parted(text: str) -> list[tuple[str, str]]:
    """A text in the pieces that fields hold, each with the blank that follows it and is left out."""
    parts: list[tuple[str, str]] = []
    while len(text) > INPUT:
        cut = max(text.rfind(" ", 1, INPUT), text.rfind("\n", 1, INPUT))
        joint = text[cut] if cut > 0 else ""
        cut = cut if cut > 0 else INPUT
        parts.append((text[:cut], joint))
        text = text[cut + len(joint) :]
    return [*parts, (text, "")]


def mark(entry: Entry) -> str:
    """What an entry says, in a few characters: another one when it was corrected since."""
    said = f"{entry.kind.value} {entry.at.isoformat()} {_smooth(entry.text)}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _smooth(text: str) -> str:
    """A text as a field of Slack's gives it back."""
    return "\n".join(text.splitlines()).strip()


def read(given: Given) -> Filled:
    """What is another than the form showed. It is compared with the entry in the transaction that records."""
    number, seen = given.number("entry"), given.about("seen")
    if given.has("remove", REMOVE):
        gone = Saying(cmd.Remove(entry=number), "remove")
        return Filled((gone,), given.about("channel"), given.number("number"))
    said: list[Saying] = []
    kind = given.text("kind")
    if kind and kind != given.first("kind"):
        if kind not in set(Kind):
            raise Refusal("Choose what it is.", field="kind")
        said.append(Saying(cmd.CorrectKind(entry=number, kind=Kind(kind)), "kind"))
    when = given.time("when")
    if when is not None and int(given.text("when")) // 60 != number_of(given.first("when")) // 60:
        said.append(Saying(cmd.Move(entry=number, when=when), "when", "when"))
    if (text := _text(given)) is not None:
        if not text:
            raise Refusal("Say what happened; to take it out of the record, tick the box below.", field="text0")
        said.append(Saying(cmd.CorrectText(entry=number, text=text), "text0"))

    def still(incident: Incident) -> None:
        entry = incident.entries.get(number)
        if entry is not None and entry.live and not entry.redacted and mark(entry) != seen:
            raise Refusal(
                f"Entry {number} was corrected meanwhile: {clip(entry.text, 120)}",
                "Copy what you typed, and open the form again.",
            )

    return Filled(tuple(said), given.about("channel"), given.number("number"), still if said else None)


def _text(given: Given) -> str | None:
    """The text that was typed, its pieces put together; None where it is as it was."""
    count = given.number("parts")
    names = [f"text{number}" for number in range(count)]
    if all(_smooth(given.text(name)) == _smooth(given.first(name)) for name in names):
        return None
    joints = remembered(given.view).get("joints") or []
    text = ""
    for number, name in enumerate(names):
        joint = joints[number - 1] if number and isinstance(joints, list) and number <= len(joints) else ""
        text += (joint if text and isinstance(joint, str) else "") + given.text(name)
    return text.strip()


FORM = Form(EDIT, view, read)
CHOICE = Form(CHOOSE, view, read_choice)
