"""When the next message was promised: "Next news 03:50 GMT", "we will update you again in 30 minutes".

A closed table of phrases, English. What may mean two things promises nothing: a reminder that nobody asked for is worse
than none.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.core import events as ev
from bot.core import times
from bot.core.errors import Refusal
from bot.core.incident import Entry

FURTHEST = timedelta(days=8)
"""What is promised for later than this is no next message."""
SAME_DAY = timedelta(hours=18)
"""A clock time without a day that lies further ahead was just missed, or is of another zone: nothing is certain."""

WINDOW = 120
"""So many characters after a phrase are looked at."""
MOST = 10
"""So many phrases of a message, the last ones, are."""

_FLAGS = re.IGNORECASE | re.ASCII

_NEWS = r"(?:news|update|message|report|post|bulletin|communication|information|info|details|word)s?"
_US = r"\b(?:we|i)(?:['’]ll| will| shall| are going to|['’]re going to)(?: also| then| next)?"
_SPEAK = (
    r"(?:(?:be )?(?:updat(?:e|ing)|inform(?:ing)?|post(?:ing)?|report(?:ing)?|writ(?:e|ing))"
    r"(?: (?:you|everybody|everyone|all|here|back|this|it|on|the|status|page|channel))*(?: again| more)?"
    r"|(?:send|give|share|provide|post|publish)(?: you| out)?"
    rf"(?: an| another| the next| more| a further| further)+ {_NEWS}"
    r"|tell you more|get back(?: to you)?|be back|follow up|let you know(?: more)?|come back(?: to you)?)"
)
_LEAD = re.compile(
    rf"\b(?:the |our )?(?:next|another|further|more|expect (?:an|the next|another)) {_NEWS}\b|{_US} {_SPEAK}\b"
    rf"|\b{_NEWS} (?:to follow|will follow|follows|again)\b|\bupdates?(?= every\b)",
    _FLAGS,
)

_NUMBERS = {
    "a": 1, "an": 1, "the": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "fifteen": 15,
    "twenty": 20, "thirty": 30, "forty": 40, "forty-five": 45, "sixty": 60, "ninety": 90,
}  # fmt: skip
_SPAN = re.compile(
    r"\b(?:in|within|every)\s+(?:about\s+|around\s+|~\s*)?(?:the\s+next\s+)?"
    r"(?:(?P<half>half\s+an\s+hour)|(?P<quarter>a\s+quarter\s+of\s+an\s+hour)"
    rf"|(?P<number>\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\s*"
    r"(?P<unit>minutes?|mins?|m|hours?|hrs?|h)\b)",
    _FLAGS,
)
_CLOCK = re.compile(
    r"(?P<day>\b(?:today|tomorrow|(?:on\s+)?(?:mon|tues?|wednes|thurs?|fri|satur|sun)day)\b[\s,]*)?"
    r"(?P<at>\b(?:at|by|before|around|about|until)\s+|~\s*)*(?<![\d:.,%-])"
    r"(?P<clock>\d{1,2}:\d{2}(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?|(?P<digits>\d{4})(?![\d:%])|noon\b|midnight\b)"
    r"(?:\s?(?P<zone>(?:UTC|GMT)[+-]\d{1,2}(?::\d{2})?|[+-]\d{2}:\d{2}|[A-Za-z]+/[A-Za-z_]+|[A-Za-z]{2,4}\b))?",
    _FLAGS,
)
_BETWEEN = re.compile(r"[^.!?;\n]{0,40}\Z", _FLAGS)
"""What may stand between the phrase and its time: a few words of the same sentence."""


def promised(text: str, at: datetime, zone: str) -> times.When | None:
    """When the next message was promised by a message that was sent at `at`; None where no time is certain.

    `zone` is that of the speaker; a clock time is the next such time after `at`.
    """
    for lead in reversed([*_LEAD.finditer(text)][-MOST:]):  # the last one that was said counts
        found = _after(text[lead.end() : lead.end() + WINDOW], at, zone)
        if found is not None:
            return found if at < found.at <= at + FURTHEST else None
    return None


def promise_of(told: Entry) -> datetime | None:
    """When the entry of a message to others promises the next one; what was corrected since is read again."""
    corrected = any(isinstance(one, ev.TextCorrected | ev.TimeCorrected) for one in told.history)
    if isinstance(told.event, ev.ToldStakeholders) and not corrected:
        return told.event.promised
    found = promised(told.text, told.at, told.zone)
    return found.at if found else None


def _after(said: str, at: datetime, zone: str) -> times.When | None:
    """The first time in what follows a phrase, within its sentence."""
    for found in sorted([*_SPAN.finditer(said), *_CLOCK.finditer(said)], key=lambda one: one.start()):
        if not _BETWEEN.match(said[: found.start()]):
            return None
        when = _span(found, at, zone) if found.re is _SPAN else _clock(found, at, zone)
        if when is not None:
            return when
    return None


def _span(said: re.Match[str], at: datetime, zone: str) -> times.When:
    if said["half"]:
        length = timedelta(minutes=30)
    elif said["quarter"]:
        length = timedelta(minutes=15)
    else:
        word = said["number"].lower()
        number = _NUMBERS.get(word) or int(word)
        length = timedelta(hours=number) if said["unit"][0] in "hH" else timedelta(minutes=number)
    return times.When(at + length, zone)


def _clock(said: re.Match[str], at: datetime, zone: str) -> times.When | None:
    if said["digits"] and not said["at"]:  # "in 2027", "1200 users"
        return None
    clock = {"noon": "12:00", "midnight": "00:00"}.get(said["clock"].lower(), said["clock"].replace(".", ""))
    if said["digits"]:
        clock = f"{clock[:2]}:{clock[2:]}"
    day = re.sub(r"^on\s+", "", (said["day"] or "").strip(" ,\n\t"), flags=re.IGNORECASE)
    if day.lower() == "today":
        day = ""
    for named in dict.fromkeys((said["zone"] or "", "")):
        try:
            when = times.coming(f"{day} {clock} {named}".strip(), at, zone)
        except Refusal:  # an abbreviation that means several zones, none of them the speaker's
            return None
        if when is not None:
            return when if said["day"] or when.at - at <= SAME_DAY else None
    return None
