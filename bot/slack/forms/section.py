"""The form in which a section of the document is rewritten. Pure.

It opens with a choice; the section's text, as Scribe composes it or somebody wrote it, comes when one is chosen
(see bot/reviews.py): documents are composed by the press, and Slack waits three seconds. An unchanged text records
nothing; one that was changed while the record went on is recorded only if the person says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.core import commands as cmd
from bot.core import review
from bot.core.errors import Refusal
from bot.core.grammar import SECTIONS
from bot.core.incident import Incident
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
    option,
    shown,
    typed,
)
from bot.slack.payloads import Malformed, clip, escape

CALLBACK = "edit_section"
PICK = "pick_section"
"""The action of the menu in which the section is chosen."""

BACK, ALL_THE_SAME = "back", "all_the_same"
MOST_NAMED = 8

NAMES = {
    "summary": "Issue summary",
    "timeline": "Timeline",
    "cause": "Root cause and resolution",
    "measures": "Corrective and preventative measures",
    "questions": "Open questions",
}
"""The sections by the names under which the document has them."""

_EVIDENCE = re.compile(r"\[↗\]\([^)\s]*#e(\d+)(?: \"[^\"]*\")?\)")
_RELATIVE = re.compile(r"(?<!\\)\[((?:[^\[\]\\]|\\.)*)\]\((?!https?://)[^)]*\)")


def view(occasion: Occasion) -> JSON:
    """The form behind `edit section`: which one."""
    incident = occasion.incident
    assert incident is not None
    fields = [_menu(""), shown("Its text comes in a moment, to be changed.")]
    return modal(CALLBACK, f"INC-{incident.number}: edit", "", fields, occasion.about)


def filled(about: Mapping[str, Any], incident: Incident, section: str, document: str, base: int, by: str) -> JSON:
    """The form with a section in it: in a person's words, else as the `document` after event `base` has it.

    `about` is what the form remembered so far, `by` what that person is called.
    """
    written = incident.sections.get(section)
    text = written.text if written else composed(document, section)
    fields = [_menu(section)]
    if written:
        fields.append(shown(f"Written by {escape(clip(by, 80))}. What Scribe would compose is not shown."))
    kept: JSON = {name: about[name] for name in ("channel", "thread", "direct", "verb", "number") if name in about}
    kept |= {"section": section, "base": base, "seen": mark(text)}
    if len(text) > INPUT:
        what = "the entries that it is made of: edit 12 …" if not written else f"the line edit section {section} …"
        fields.append(shown(f"It has {len(text):,} characters, and a form takes {INPUT:,}. It is changed by {what}"))
    else:
        label = f"{NAMES[section]}, in Markdown"
        said = "From then on these words stand in the document, whatever is recorded, until they are given back."
        fields.append(asked(f"text_{section}", label, typed(text), "" if written else said, optional=bool(written)))
    boxed = [option("Record my text although the record went on meanwhile", ALL_THE_SAME)]
    if written:
        boxed.insert(0, option("Give the section back: Scribe composes it again", BACK))
    fields.append(asked(f"how_{section}", "Or", boxes(boxed), optional=True))
    return modal(CALLBACK, f"INC-{incident.number}: edit", "Record", fields, kept)


def _menu(section: str) -> JSON:
    sections = [option(name, key) for key, name in NAMES.items()]
    return {
        "type": "section",
        "block_id": f"section_{section}" if section else "section",
        "text": {"type": "mrkdwn", "text": "*Which section?*"},
        "accessory": {**chosen(sections, section), "action_id": PICK},
    }


def read(given: Given) -> Filled:
    """The section in the person's words, or given back; nothing where the words are the same."""
    section = given.about("section")
    where = given.about("channel"), given.number("number")
    if section not in SECTIONS:
        raise Malformed("section is none that the form offers")
    if given.has(f"how_{section}", BACK):
        return Filled((Saying(cmd.WriteSection(section=section, text=""), f"how_{section}"),), *where)
    name = f"text_{section}"
    text = given.text(name).strip()
    if not text or mark(text) == given.about("seen"):
        return Filled((), *where)
    still = None if given.has(f"how_{section}", ALL_THE_SAME) else _still(section, given.number("base"), name)
    return Filled((Saying(cmd.WriteSection(section=section, text=text), name),), *where, still)


def _still(section: str, base: int, name: str) -> Callable[[Incident], None]:
    """Refuses a text that was written without what came to the section meanwhile."""

    def still(incident: Incident) -> None:
        if incident.section_seq.get(section, 0) > base:
            raise Refusal(
                "Somebody else rewrote this section while the form was open.",
                "Copy your words and open it anew, or tick below that yours shall stand.",
                name,
            )
        came = review.came(incident, section, base)
        if came:
            more = f" and {len(came) - MOST_NAMED} more" if len(came) > MOST_NAMED else ""
            numbers = ", ".join(f"#{number}" for number in came[:MOST_NAMED])
            raise Refusal(
                f"While the form was open this came, of which the section tells: {numbers}{more}.",
                "Look whether your words still hold, then tick below that they shall stand.",
                name,
            )

    return still


def mark(text: str) -> str:
    """What a text says, in a few characters, however Slack gives its white space back."""
    return hashlib.sha256("\n".join(line.rstrip() for line in text.strip().splitlines()).encode()).hexdigest()[:16]


def composed(document: str, section: str) -> str:
    """A section of a document as it reads in Slack; "" where a template of one's own has no such heading.

    Links into the annex lead nowhere in there: evidence is given as the number of the entry.
    """
    parts = re.split(r"^## (.+)$", document, flags=re.MULTILINE)
    texts = dict(zip((head.strip() for head in parts[1::2]), parts[2::2], strict=True))
    said = texts.get(NAMES[section], "").strip()
    return _RELATIVE.sub(r"\1", _EVIDENCE.sub(r"(#\1)", said))


FORM = Form(CALLBACK, view, read)
