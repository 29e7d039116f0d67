"""The forms that Scribe opens: views for Slack, and what a person filled in -> commands. Pure; they call nobody.

A form that is filled in wrongly comes back with the error beside the field and nothing lost. `OF` says which form a
verb opens whose line says nothing yet, `BY_CALLBACK` whose a view is that comes back.
"""

from __future__ import annotations

from bot.slack.forms import answers, edit, entry, resolve, review, section, start, task, timeline
from bot.slack.forms.pieces import Filled, Form, Given, Occasion, Saying, field_errors, fields_of, remembered
from bot.slack.forms.start import START_INCIDENT
from bot.slack.forms.timeline import TIMELINE

FORMS = (
    start.FORM,
    resolve.FORM,
    entry.FORM,
    task.FORM,
    task.CHANGED,
    task.DROPPED,
    edit.FORM,
    edit.CHOICE,
    timeline.FORM,
    timeline.RETITLE,
    answers.FORM,
    review.FORM,
    review.SHARED,
    section.FORM,
)

BY_CALLBACK: dict[str, Form] = {form.callback: form for form in FORMS}

OF: dict[str, Form] = {
    "start": start.FORM,
    "resolve": resolve.FORM,
    "todo": task.FORM,
    "drop": task.DROPPED,
    "edit": edit.FORM,
    "move": edit.FORM,
    "title": timeline.RETITLE,
    "timeline": timeline.FORM,
    "answer": answers.FORM,
    "review": review.FORM,
    "share": review.SHARED,
}
"""The form of a verb; one that is not named here and records an entry has the form of an entry."""


def of(verb: str, what: str = "") -> Form:
    """The form that a verb opens; `what` is what stands after it."""
    return section.FORM if verb == "edit" and what == "section" else OF.get(verb, entry.FORM)


__all__ = [
    "BY_CALLBACK",
    "FORMS",
    "OF",
    "START_INCIDENT",
    "TIMELINE",
    "Filled",
    "Form",
    "Given",
    "Occasion",
    "Saying",
    "field_errors",
    "fields_of",
    "of",
    "remembered",
]
