"""Files of messages: which ones Slack names, and how it reads that one is not kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core import media
from bot.core.events import Attached
from bot.core.media import Unkept
from bot.core.record import Place
from bot.slack.payloads import clip, escape

JSON = dict[str, Any]

NAME = 80


def ids(files: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The ids of files as a message holds them, each once; one that was deleted has left its place."""
    found = [one.get("id") for one in files if one.get("mode") != "tombstone"]
    return tuple(dict.fromkeys(one for one in found if isinstance(one, str) and one))


def not_kept(place: Place, one: Attached, limit: int) -> JSON:
    """What somebody is told who captured a message of which a file is only named."""
    name = f"“{escape(clip(' '.join(one.file.split()), NAME))}”" if one.file else "A file"
    what = f" ({media.in_words(one.media_type, one.size)})" if one.size else ""
    reasons = {
        Unkept.KIND: "images, PDFs and texts are",
        Unkept.SIZE: f"files of up to {media.length(limit)} are",
        Unkept.TOTAL: f"{place.name} holds {media.length(media.TOTAL)} already",
        Unkept.COUNT: f"the first {media.EACH} files of a message are",
        Unkept.REFUSED: "Slack did not give it",
    }
    said = (
        f"📎 {name}{what} is named in entry {one.entry} of {place.name}, but not kept: {reasons[Unkept(one.unkept)]}."
    )
    return {"text": said, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": said}}]}
