"""The forms that ask for a review, and that share a document to a channel. Pure."""

from __future__ import annotations

from bot.core import commands as cmd
from bot.core.errors import Refusal
from bot.core.incident import Stage
from bot.core.times import When
from bot.slack.forms.pieces import JSON, Filled, Form, Given, Occasion, Saying, asked, modal, moment, shown, somebody
from bot.slack.payloads import Malformed, object_at, ts_to_time

REVIEW, SHARE = "call_review", "share_document"

MOST_PEOPLE = 50


def view(occasion: Occasion) -> JSON:
    """The form behind `review`."""
    incident = occasion.incident
    assert incident is not None
    if incident.stage is Stage.PUBLISHED:
        raise Refusal("The document is published already.", "What is recorded now becomes an addendum.")
    fields = [
        asked("when", "When do you meet?", moment(), "Empty: whoever is asked reads it by themselves.", optional=True),
        asked("leads", "Who leads it?", somebody(), "They are told now, and again the day before.", optional=True),
        asked("asked", "Who else shall come?", {"type": "multi_users_select"}, optional=True),
        shown("The agenda comes into the thread of the draft: what is open, what misled us, what stood out."),
    ]
    return modal(REVIEW, f"Review of INC-{incident.number}", "Ask", fields, occasion.about)


def read(given: Given) -> Filled:
    """The call for a review."""
    picked, when = given.text("when"), None
    if picked:
        when = When(at=ts_to_time(picked), zone=given.zone)
        if when.at <= given.now:
            raise Refusal("That is past: choose a time to come.", field="when")
    others = _people(given, "asked")
    if len(others) > MOST_PEOPLE:
        raise Refusal(f"Ask up to {MOST_PEOPLE} people.", field="asked")
    leads = given.text("leads")
    command = cmd.CallReview(on=when, person=leads, who=given.called(leads) if leads else "", asked=others)
    return Filled((Saying(command, "when"),), given.about("channel"), given.number("number"))


def _people(given: Given, name: str) -> tuple[str, ...]:
    """The people who were chosen in a field."""
    found = object_at(given.view, "state", "values", name, name).get("selected_users") or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Malformed(f"{name} holds no people")
    return tuple(dict.fromkeys(found))


def share_view(occasion: Occasion) -> JSON:
    """The form behind `share`: public channels of this workspace only."""
    incident, place = occasion.incident, occasion.place
    assert incident is not None
    if place is not None and place.private:
        raise Refusal(
            f"{place.name} was told in a private channel; it is shared to no other.",
            "Type export md for the file, and give it to those whom it concerns.",
        )
    channels: JSON = {
        "type": "conversations_select",
        "filter": {"include": ["public"], "exclude_external_shared_channels": True, "exclude_bot_users": True},
    }
    hint = "Everybody there can read the summary and open the document."
    fields = [asked("channel", "To which channel?", channels, hint)]
    return modal(SHARE, f"Share INC-{incident.number}", "Share", fields, occasion.about)


def read_share(given: Given) -> Filled:
    """The channel to share it to."""
    channel = given.text("channel")
    if not channel.startswith("C"):
        raise Refusal("Choose a channel.", field="channel")
    command = cmd.Share(channel=channel, name=f"#{channel}")
    return Filled((Saying(command, "channel"),), given.about("channel"), given.number("number"))


FORM = Form(REVIEW, view, read)
SHARED = Form(SHARE, share_view, read_share)
