"""Times as people type and read them: "14:05", "10m ago", "yesterday 23:50", "2026-11-20 14:05 PST" <-> aware UTC.

Knows the shapes of DESIGN.md, "The /incident language", paragraph Time, and the wording of POSTMORTEM.md, rule 2.
Must not know a clock (`now` is an argument), verbs, incidents, or how an answer looks.

Two levels. Without `at` only what can hardly be anything else is a time; after `at`, `since`, or alone (`whole`)
every form is. What has no such shape is text and stays as typed; what has one and cannot be is a Refusal, but for a
bare `H:MM` without `at`, which may be a ratio (16:90). The closed rules that keep text text:

- `-5m` counts without `at` with at most two digits, minutes or hours up to 72: `-500m` and `-100m` are text.
- Four digits without `at` count with a leading zero; after it a number that is no clock time (5000) is a count.
- `since 2019` may be a year: asked about, not guessed.
- `02:00-03:00` may be a span or an offset: text without `at`, refused after it (`02:00 -03:00` is an offset).
- A zone counts when it is known: an abbreviation of the table in capitals, an offset that is in use, `Area/City`.
- A date alone is its first moment in the person's zone, approximately.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from dateutil import parser

from bot.core.errors import Refusal

AHEAD = timedelta(minutes=2)
"""A time at most this far ahead counts as now: clocks differ."""
BACK = timedelta(hours=72)
"""How far "ago" reaches."""

EXAMPLES = "14:05, 2:05pm, 10m ago, yesterday 23:50, Thu 14:00 or 2026-11-20 14:05 UTC"


@dataclass(frozen=True, slots=True)
class When:
    """A time that a person gave, and how it was understood.

    `zone` is what it was read in and is printed in again: an IANA name, "UTC" or an offset such as "-08:00".
    `clock_only` marks a clock time without a date, `zone_typed` a zone in the text, `zone_used` that the reading leans
    on the person's own zone. `note` is empty or one clause for the answer. `typed` is the clock time as it stands in
    the line, `before` what stands before it there (`since `).
    """

    at: datetime
    zone: str
    approx: bool = False
    clock_only: bool = False
    zone_typed: bool = False
    zone_used: bool = False
    note: str = ""
    typed: str = field(default="", compare=False)
    before: str = field(default="", compare=False)


# What is typed ------------------------------------------------------------------------------------------------------

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys(
            "\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000",
            " ",
        ),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u02dc\u223c\uff5e", "~"),
    }
)
"""One character for one, so that a position in the plain text is the same position in what was typed."""

_FLAGS = re.IGNORECASE | re.ASCII
_UNIT = r"(?:d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![a-z])"
_SPAN = rf"\d{{1,9}} ?{_UNIT}(?: ?\d{{1,9}} ?{_UNIT})*"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAY_WORD = r"mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
_MONTH_WORD = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?"
)

_AT = re.compile(r"\s*at(?=\s)", _FLAGS)
_ABOUT = re.compile(r"\s*(?:~ ?|about\s+)", _FLAGS)
_TILDE = re.compile(r"\s*~ ?", _FLAGS)
_NOW = re.compile(r"now", _FLAGS)
_AGO = re.compile(rf"-?(?P<span>{_SPAN}) ?ago(?![a-z])", _FLAGS)
_MINUS = re.compile(rf"-(?P<span>{_SPAN})", _FLAGS)
_MINUS_SHORT = re.compile(r"-(?P<span>\d{1,2}(?:m|mins?|h|hrs?))(?![a-z])", _FLAGS)
_PART = re.compile(r"(\d+) ?([dhms])[a-z]*", _FLAGS)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?!\d)", _FLAGS)
_DATE_BASIC = re.compile(r"(\d{4})(\d{2})(\d{2})(?=T\d{4})", _FLAGS)
_DAY = re.compile(rf"(?P<day>yesterday|today|{_DAY_WORD})(?![a-z])", _FLAGS)
_BETWEEN = re.compile(r",?\s+(?P<at>at\s+)?", _FLAGS)
_HALF = r"(?P<half>[ap])(?:m(?!\w)|\.m\.)"
_SECOND = r"(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?"
_COLON = re.compile(rf"(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::{_SECOND})?(?!:?\d)(?: ?{_HALF})?", _FLAGS)
_HOUR = re.compile(rf"(\d{{1,2}}) ?{_HALF}", _FLAGS)
_DIGITS = re.compile(r"(?P<hour>\d{2})(?P<minute>\d{2})(?!\d)", _FLAGS)
_DIGITS_BASIC = re.compile(rf"(?P<hour>\d{{2}})(?P<minute>\d{{2}})(?:{_SECOND})?(?!\d)", _FLAGS)

_END = re.compile(r"(?=\s|$)", _FLAGS)
_END_AFTER_AT = re.compile(r"[,;:]?(?=\s|$)", _FLAGS)
_END_OF_ALL = re.compile(r"\s*$", _FLAGS)


@dataclass(frozen=True, slots=True)
class _Line:
    """What is read: the plain text, when and by whom; `full` admits every form, `end` is what has to follow a time."""

    plain: str
    now: datetime
    zone: str
    full: bool
    end: re.Pattern[str]

    def closed(self, position: int) -> int | None:
        """Where the text goes on after a time that ends here, None when a time cannot end here."""
        found = self.end.match(self.plain, position)
        return found.end() if found else None


_Reading = tuple[When, int]


def leading(text: str, now: datetime, zone: str) -> tuple[When | None, str]:
    """The time that `text` begins with, with or without `at`, and the text after it; (None, text) when there is none.

    Raises Refusal for a time that cannot be, lies ahead, is skipped by the clock change or names an ambiguous zone.
    """
    plain = text.translate(_PLAIN)
    at = _AT.match(plain)
    line = _Line(plain, now, zone, full=at is not None, end=_END_AFTER_AT if at else _END)
    found = _read(line, at.end() if at else 0)
    if found is None:
        return None, text
    when, position = found
    return when, text[position:].strip()


def trailing(text: str, keyword: str, now: datetime, zone: str) -> tuple[str, When | None]:
    """The time after the last `keyword` of the line when all that follows is a time, and the text before it."""
    plain = text.translate(_PLAIN)
    places = list(re.finditer(rf"(?:^|(?<=\s)){re.escape(keyword)}(?=\s)", plain, _FLAGS))
    if not places:
        return text, None
    start, position = places[-1].span()
    year = re.fullmatch(r"\s+(20\d\d)\s*", plain[position:], _FLAGS)
    if year and 2000 <= int(year[1]) <= now.year:
        clocked = f"{year[1][:2]}:{year[1][2:]}"
        raise Refusal(
            f"{keyword} {year[1]} may be {clocked} or the year.",
            f'Type "{keyword} {clocked}" for the time, "{keyword} the year {year[1]}" for the year.',
        )
    found = _read(_Line(plain, now, zone, full=True, end=_END_OF_ALL), position)
    if found is None:
        return text, None
    when, said = found[0], text[start:]
    before = said[: said.rfind(when.typed)] if when.typed and when.typed in said else ""
    return text[:start].strip(), replace(when, before=before)


def whole(text: str, now: datetime, zone: str) -> When:
    """The time that all of `text` is, with or without `at`; every form counts. Raises Refusal otherwise."""
    plain = text.translate(_PLAIN)
    at = _AT.match(plain)
    found = _read(_Line(plain, now, zone, full=True, end=_END_OF_ALL), at.end() if at else 0)
    if found is None:
        said = text.strip()
        raise Refusal(f'"{said}" is no time that can be read.' if said else "The time is missing.", f"Type {EXAMPLES}.")
    return found[0]


def _read(line: _Line, position: int) -> _Reading | None:
    about = (_ABOUT if line.full else _TILDE).match(line.plain, position)
    if about:
        position = about.end()
    while position < len(line.plain) and line.plain[position] in " \t\r\n\f\v":
        position += 1
    for form in (_read_now, _read_ago, _read_date, _read_day, _read_clock):
        found = form(line, position)
        if found is not None:
            when, end = found
            return (replace(when, approx=True) if about else when), end
    return None


# Forms --------------------------------------------------------------------------------------------------------------


def _read_now(line: _Line, position: int) -> _Reading | None:
    found = _NOW.match(line.plain, position) if line.full else None
    end = line.closed(found.end()) if found else None
    return None if end is None else (When(line.now, line.zone), end)


def _read_ago(line: _Line, position: int) -> _Reading | None:
    for shape in (_AGO, _MINUS if line.full else _MINUS_SHORT):
        found = shape.match(line.plain, position)
        end = line.closed(found.end()) if found else None
        if found is None or end is None:
            continue
        units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
        seconds = sum(int(number) * units[unit.lower()] for number, unit in _PART.findall(found["span"]))
        if seconds <= BACK.total_seconds():
            return When(line.now - timedelta(seconds=seconds), line.zone), end
        if shape is not _MINUS_SHORT:
            raise Refusal(
                f"{found[0]} is more than 72 hours back.", "Type the date and the time, for example 2026-11-20 14:05."
            )
    return None


def _read_date(line: _Line, position: int) -> _Reading | None:
    found = _DATE.match(line.plain, position) or _DATE_BASIC.match(line.plain, position)
    if found is None:
        return None
    if line.plain[found.end() : found.end() + 1] in ("T", "t"):
        clock = _clock_at(line, found.end() + 1, full=True, joined=True)
        return _on_days(line, position, clock, lambda _: [_date_of(found)]) if clock else None
    between = _BETWEEN.match(line.plain, found.end())
    clock = _clock_at(line, between.end(), full=line.full or bool(between["at"]), dated=True) if between else None
    if clock is not None:
        reading = _on_days(line, position, clock, lambda _: [_date_of(found)])
        if reading is not None or clock.style == "colon":
            return reading
    end = line.closed(found.end())
    return None if end is None else (_first_moment(line, _date_of(found)), end)


def _read_day(line: _Line, position: int) -> _Reading | None:
    found = _DAY.match(line.plain, position)
    between = _BETWEEN.match(line.plain, found.end()) if found else None
    if found is None or between is None:
        return None
    clock = _clock_at(line, between.end(), full=line.full or bool(between["at"]), dated=True)
    word = found["day"].lower()

    def days(typed: _Typed | None) -> list[date]:
        if word in ("today", "yesterday"):
            return [_today(line, typed) - timedelta(days=word == "yesterday")]
        return [day for day in _recent(line.now, 9) if _WEEKDAYS[day.weekday()].startswith(word[:3])]

    return _on_days(line, position, clock, days) if clock else None


def _read_clock(line: _Line, position: int) -> _Reading | None:
    clock = _clock_at(line, position, full=line.full)
    if clock is None:
        return None
    typed, end = _zone_after(line, clock)
    if end is None:
        return None
    if not (clock.possible or line.full or clock.half or typed):  # a ratio (16:90), a number (0999)
        return None
    clock.check()
    when = _settle(line, _recent(line.now, 3), clock, typed)
    written = line.plain[position:end].rstrip(" \t\r\n,;:")
    return (replace(when, clock_only=True, typed=written), end) if when else None


def _on_days(line: _Line, position: int, clock: _Clock, days: Callable[[_Typed | None], list[date]]) -> _Reading | None:
    """`clock` and the zone after it on the latest of `days` that is not ahead; Refusal when all are."""
    typed, end = _zone_after(line, clock, dated=True)
    if end is None:
        return None
    clock.check()
    when = _settle(line, days(typed), clock, typed)
    if when is None:
        raise _ahead(line.plain[position:end].rstrip(" ,;:"))
    return when, end


def _first_moment(line: _Line, day: date) -> When:
    """The beginning of a day: where the clock jumps over midnight, the moment after the jump."""
    zone = _tz(line.zone)
    at = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).date() != day:
        raise Refusal(f"There was no {day.isoformat()} in {line.zone}.", "Type the day before or the day after.")
    if at > line.now + AHEAD:
        raise _ahead(day.isoformat())
    return When(min(at, line.now), line.zone, approx=True, zone_used=True)


def _date_of(found: re.Match[str]) -> date:
    year, month, number = (int(part) for part in found.groups()[:3])
    day = _date(year, month, number)
    if day is None or not 1970 <= year < 9999:
        raise Refusal(f"There is no date {found[0]}.", "Dates are year-month-day, for example 2026-11-20 14:05.")
    return day


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _recent(now: datetime, days: int) -> list[date]:
    """The days that some zone may be in, the latest first."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return [tomorrow - timedelta(days=back) for back in range(days + 1)]


def _ahead(said: str) -> Refusal:
    return Refusal(
        f"{said} lies in the future.", "Type when it happened, for example 14:05 or 10m ago, or no time for now."
    )


# Clock times --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Clock:
    """A clock time as typed: its parts, where it ends, and its style ("colon", "hour" for 2pm, "digits" for 0312)."""

    written: str
    end: int
    style: str
    hour: int
    minute: int = 0
    second: int | None = None
    fraction: str = ""
    half: str = ""
    joined: bool = False

    @property
    def possible(self) -> bool:
        hours = range(1, 13) if self.half else range(24)
        return self.hour in hours and self.minute < 60 and (self.second or 0) < 60

    def check(self) -> None:
        """Raises Refusal when there is no such time on any day."""
        if not self.possible:
            limits = "With am or pm, hours go from 1 to 12" if self.half else "Hours go from 00 to 23"
            raise Refusal(
                f"There is no time {self.written}.", f"{limits}, minutes and seconds from 00 to 59. Type {EXAMPLES}."
            )

    def on(self, day: date, zone: tzinfo) -> datetime:
        """This wall-clock time on `day` in `zone`."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        fraction = f".{self.fraction}" if self.fraction else ""
        half = f" {self.half}m" if self.half else ""
        spelled = f"{self.hour}:{self.minute:02}:{self.second or 0:02}{fraction}{half}"
        return parser.parse(spelled, default=midnight, tzinfos={})


def _clock_at(line: _Line, position: int, *, full: bool, dated: bool = False, joined: bool = False) -> _Clock | None:
    """The clock time at `position`; `dated`: after a date or a day, `joined`: after the T of ISO 8601."""
    if found := _COLON.match(line.plain, position):
        style = "colon"
    elif found := _HOUR.match(line.plain, position):
        half = found["half"].lower()
        return _Clock(found[0], found.end(), "hour", int(found[1]), half=half) if full or dated else None
    elif found := (_DIGITS_BASIC if joined else _DIGITS).match(line.plain, position):
        style = "digits"
        if not full and not found[0].startswith("0"):
            return None
    else:
        return None
    parts = found.groupdict()
    clock = _Clock(
        found[0],
        found.end(),
        style,
        int(parts["hour"]),
        int(parts["minute"]),
        int(parts["second"]) if parts.get("second") else None,
        parts.get("fraction") or "",
        (parts.get("half") or "").lower(),
        joined,
    )
    count = style == "digits" and not (joined or found[0].startswith("0") or clock.possible)
    return None if count else clock


def _settle(line: _Line, days: list[date], clock: _Clock, typed: _Typed | None) -> When | None:
    """The latest moment of `clock` on `days` (latest first) that is not ahead; None when all are."""
    for day in days:
        placed = _placed(line, day, clock, typed)
        if min(placed.before, placed.after) > line.now + AHEAD:
            continue
        if placed.unclear:
            raise _ambiguous(placed.unclear, clock)
        gap = placed.before - placed.after
        if gap >= timedelta(hours=24) and len(days) > 1:  # a day that a zone left out (Apia, 30 December 2011)
            continue
        if gap > timedelta(0):
            raise _skipped(clock, day, placed)
        twice = gap < timedelta(0) and placed.after <= line.now + AHEAD
        return When(
            min(placed.before, line.now),
            placed.zone,
            zone_typed=typed is not None,
            zone_used=typed is None,
            note=f"{clock.written} happened twice that night; the earlier one is taken" if twice else "",
        )
    return None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A wall-clock time in a zone as two instants: by the offset before a clock change and by the one after it.

    They are equal on ordinary days; `before` is the earlier in an overlap and the later in a gap (PEP 495). `unclear`
    is an abbreviation that means several zones, none of them the person's.
    """

    before: datetime
    after: datetime
    zone: str
    unclear: str = ""


def _placed(line: _Line, day: date, clock: _Clock, typed: _Typed | None) -> _Placed:
    zone, unclear = typed.zone if typed else line.zone, ""
    if typed is not None and typed.abbreviation:
        own = clock.on(day, _tz(line.zone))
        for fold in (0, 1):
            if own.replace(fold=fold).tzname() == typed.abbreviation:
                at = own.replace(fold=fold).astimezone(UTC)
                return _Placed(at, at, line.zone)
        zone = typed.zone or line.zone
        unclear = "" if typed.zone else typed.abbreviation
    wall = clock.on(day, _tz(zone))
    return _Placed(wall.replace(fold=0).astimezone(UTC), wall.replace(fold=1).astimezone(UTC), zone, unclear)


def _today(line: _Line, typed: _Typed | None) -> date:
    """The date in the zone that was typed, else in the person's own."""
    own = line.now.astimezone(_tz(line.zone))
    if typed is None or not typed.zone or typed.abbreviation == own.tzname():
        return own.date()
    return line.now.astimezone(_tz(typed.zone)).date()


def _skipped(clock: _Clock, on: date, placed: _Placed) -> Refusal:
    readings = [at.astimezone(_tz(placed.zone)) for at in (placed.after, placed.before)]
    first, second = (f'"{at:%Y-%m-%d %H:%M} {_offset_name(at)}"' for at in readings)
    return Refusal(
        f"There was no {clock.written} on {_spelled(on)} in {placed.zone}: the clock was put forward past it.",
        f"Type {first} or {second}, whichever is meant.",
    )


# Zones --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Typed:
    """A zone that was typed; `zone` is empty when the abbreviation alone does not say which."""

    zone: str
    abbreviation: str = ""


_MEANINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "AST": (("Atlantic Standard Time", "-04:00"), ("Arabia Standard Time", "+03:00")),
    "BST": (("British Summer Time", "+01:00"), ("Bangladesh Standard Time", "+06:00")),
    "CST": (
        ("Central Standard Time", "-06:00"),
        ("China Standard Time", "+08:00"),
        ("Cuba Standard Time", "-05:00"),
    ),
    "GST": (("Gulf Standard Time", "+04:00"), ("South Georgia Time", "-02:00")),
    "IST": (
        ("India Standard Time", "+05:30"),
        ("Irish Standard Time", "+01:00"),
        ("Israel Standard Time", "+02:00"),
    ),
    "SST": (("Samoa Standard Time", "-11:00"), ("Singapore Standard Time", "+08:00")),
}
"""Abbreviations that mean several zones: with each meaning its offset."""

_ABBREVIATIONS: dict[str, str] = {
    "GMT": "GMT", "WET": "UTC", "WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00", "EEST": "+03:00",
    "MSK": "+03:00", "WAT": "+01:00", "CAT": "+02:00", "SAST": "+02:00", "EAT": "+03:00", "IDT": "+03:00",
    "PKT": "+05:00", "NPT": "+05:45", "WIB": "+07:00", "WITA": "+08:00", "WIT": "+09:00", "HKT": "+08:00",
    "SGT": "+08:00", "JST": "+09:00", "KST": "+09:00", "AWST": "+08:00", "ACST": "+09:30", "ACDT": "+10:30",
    "AEST": "+10:00", "AEDT": "+11:00", "NZST": "+12:00", "NZDT": "+13:00", "NST": "-03:30", "NDT": "-02:30",
    "ADT": "-03:00", "BRT": "-03:00", "ART": "-03:00", "EST": "-05:00", "EDT": "-04:00", "CDT": "-05:00",
    "MST": "-07:00", "MDT": "-06:00", "PST": "-08:00", "PDT": "-07:00", "AKST": "-09:00", "AKDT": "-08:00",
    "HST": "-10:00",
}  # fmt: skip
"""Abbreviations with one meaning in use; the person's own zone comes before it (PST in Manila)."""

_LOWER = frozenset({"GMT", "CET", "CEST", "EDT", "CDT", "MST", "MDT", "PST", "PDT", "BST", "CST", "JST"})
"""Those that are no words when written small ("est" and "ist" are)."""

_ZULU = re.compile(r"Z(?!\w)", _FLAGS)
_SPACED_ZULU = re.compile(r"\s+Z(?!\w)", re.ASCII)
_UTC = re.compile(r"\s*(?:UTC|GMT)(?:(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?)?(?!\w)", _FLAGS)
_OFFSET = re.compile(
    r"(?P<space>\s*)(?P<sign>[+-])(?P<hours>\d{1,2})(?:(?P<colon>:?)(?P<minutes>\d{2}))?(?!\w)", _FLAGS
)
_ABBREVIATION = re.compile(r"\s*([A-Za-z]{3,4})(?!\w)", re.ASCII)
_AREA = re.compile(r"\s+([A-Za-z]+(?:/[A-Za-z0-9_+-]+)+)", re.ASCII)
_FIXED = re.compile(r"([+-])(\d{2}):(\d{2})", re.ASCII)


def _zone_after(line: _Line, clock: _Clock, *, dated: bool = False) -> tuple[_Typed | None, int | None]:
    """The zone after a clock time and where the text goes on, which is None when the time cannot end there."""
    for read in (_utc_at, _offset_at, _abbreviation_at, _area_at):
        found = read(line, clock)
        end = line.closed(found[1]) if found else None
        if found is None or end is None:
            continue
        if read is _offset_at and _may_be_span(line.plain[clock.end : found[1]], clock):
            written = line.plain[clock.end : found[1]]
            if not (line.full or dated):
                return None, None
            raise Refusal(
                f"{clock.written}{written} may be a span of time or a time with an offset.",
                f'Type "{clock.written} {written}" for the offset; of a span, type when it began: "{clock.written}".',
            )
        return found[0], end
    return None, line.closed(clock.end)


def _utc_at(line: _Line, clock: _Clock) -> tuple[_Typed, int] | None:
    zulu = _ZULU.match(line.plain, clock.end) or _SPACED_ZULU.match(line.plain, clock.end)
    if zulu:
        return _Typed("UTC"), zulu.end()
    found = _UTC.match(line.plain, clock.end)
    if found is None:
        return None
    if found["sign"] is None:
        return (_Typed("UTC"), found.end()) if found[0].strip().upper() == "UTC" else None
    offset = _offset(found)
    return None if offset is None else (_Typed(offset), found.end())


def _offset_at(line: _Line, clock: _Clock) -> tuple[_Typed, int] | None:
    found = _OFFSET.match(line.plain, clock.end)
    if found is None:
        return None
    attached = not found["space"]
    if found["minutes"] is None:
        if not attached or len(found["hours"]) < 2:
            return None
    elif not found["colon"] and (len(found["hours"]) < 2 or not (attached or line.full or found["hours"][0] == "0")):
        return None
    offset = _offset(found)
    if offset is None:
        if clock.joined and line.closed(found.end()) is not None:
            raise Refusal(
                f"There is no offset {found[0].strip()}.", "Offsets go from -12:00 to +14:00, for example +05:30."
            )
        return None
    return _Typed(offset), found.end()


def _abbreviation_at(line: _Line, clock: _Clock) -> tuple[_Typed, int] | None:
    found = _ABBREVIATION.match(line.plain, clock.end)
    name = found[1].upper() if found else ""
    if found is None or (found[1] != name and name not in _LOWER):
        return None
    if name not in _ABBREVIATIONS and name not in _MEANINGS:
        return None
    return _Typed(_ABBREVIATIONS.get(name, ""), name), found.end()


def _area_at(line: _Line, clock: _Clock) -> tuple[_Typed, int] | None:
    found = _AREA.match(line.plain, clock.end)
    name = _names().get(found[1].lower()) if found else None
    return (_Typed(name), found.end()) if found and name else None


def _offset(found: re.Match[str]) -> str | None:
    """The name of an offset that is in use somewhere, None for any other."""
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    total = (hours * 60 + minutes) * (-1 if found["sign"] == "-" else 1)
    if minutes not in (0, 30, 45) or not -12 * 60 <= total <= 14 * 60:
        return None
    return f"{found['sign']}{hours:02}:{minutes:02}" if total else "UTC"


def _may_be_span(written: str, clock: _Clock) -> bool:
    """Whether "02:00-03:00" may be from two to three: attached, negative, to the minute, and later than the clock."""
    if not written.startswith("-") or clock.joined or clock.half or clock.second is not None:
        return False
    digits = written[1:].replace(":", "")
    return (int(digits[:2]), int(digits[2:] or 0)) > (clock.hour, clock.minute)


def _ambiguous(abbreviation: str, clock: _Clock) -> Refusal:
    meanings = _MEANINGS[abbreviation]
    readings = [f"{name} ({offset})" for name, offset in meanings]
    typing = [f"{clock.written} {offset}" for _, offset in meanings]
    return Refusal(f"{abbreviation} may be {_either(readings)}.", f"Type the offset: {_either(typing)}.")


def _either(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + " or " + parts[-1]


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """The IANA names by their lower-case spelling."""
    return {name.lower(): name for name in sorted(available_timezones() - {"localtime", "Factory", "posixrules"})}


@lru_cache(maxsize=1024)
def _tz(zone: str) -> tzinfo:
    fixed = _FIXED.fullmatch(zone)
    if fixed:
        offset = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
        return timezone(-offset if fixed[1] == "-" else offset)
    return UTC if zone == "UTC" else ZoneInfo(zone_name(zone))


def zone_name(text: str) -> str:
    """The IANA name that `text` spells, in any case; raises Refusal with the nearest names otherwise."""
    said = text.translate(_PLAIN).strip()
    name = _names().get(re.sub(r"\s+", "_", said).lower())
    if name:
        return name
    near = _nearest(said)
    message = f'"{said}" is no time zone of the IANA list.' if said else "The time zone is missing."
    raise Refusal(message, f"Type {_either(near)}." if len(near) > 1 else f"Type a name such as {near[0]}.")


def _nearest(said: str) -> list[str]:
    """Up to three names: those whose city it is, else those that are spelled nearly so, else an example."""
    wanted = re.sub(r"\s+", "_", said).lower()
    cities: dict[str, list[str]] = {}
    for lower, name in _names().items():
        cities.setdefault(lower.rpartition("/")[2], []).append(name)
    if wanted in cities:
        return cities[wanted][:3]
    usual = {"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
             "EDT": "America/New_York", "ET": "America/New_York", "CDT": "America/Chicago", "CT": "America/Chicago",
             "MDT": "America/Denver", "MT": "America/Denver", "BST": "Europe/London", "CEST": "Europe/Berlin",
             "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "AEST": "Australia/Sydney"}  # fmt: skip
    if said.upper() in usual:
        return [usual[said.upper()]]
    spelled = [_names()[lower] for lower in difflib.get_close_matches(wanted, _names(), 3, 0.7)]
    by_city = difflib.get_close_matches(wanted.rpartition("/")[2], cities, 3, 0.75) if wanted else []
    near = spelled or [cities[city][0] for city in by_city]
    return near or ["Europe/London"]


def known_zone(zone: str | None, usual: str) -> str:
    """Somebody's zone, or the usual one where it is not known, or one that Slack has and this machine does not."""
    try:
        return zone_name(zone) if zone else usual
    except Refusal:
        return usual


def localize(at: datetime, zone: str) -> datetime:
    """`at` on the clocks of `zone`: an IANA name, "UTC", or an offset such as "+05:30"."""
    return at.astimezone(_tz(zone))


def dated(when: When, at: datetime, zone: str) -> str:
    """What to type in the place of the clock time of `when` for `at`: the date, the time and the distance from UTC."""
    local = localize(at, zone)
    return f"{when.before}{local:{'%Y-%m-%d %H:%M:%S' if local.second else '%Y-%m-%d %H:%M'}} {_offset_name(local)}"


def same_clock(when: When, zone: str, until: datetime) -> datetime:
    """The latest moment, not after `until`, at which the clocks of `zone` show what those of `when` did."""
    shown = localize(when.at, when.zone).replace(tzinfo=None).time()
    days = (datetime.combine(day, shown, tzinfo=_tz(zone)).astimezone(UTC) for day in _recent(until, 3))
    return next(at for at in days if at <= until)


# Dates to come ------------------------------------------------------------------------------------------------------

_BY = re.compile(r"(?:^|(?<=\s))by(?=\s)", _FLAGS)
_DUE_DAY = re.compile(rf"today|tomorrow|(?:(?P<which>next|this|on) )?(?P<day>{_DAY_WORD})", _FLAGS)
_DUE_END = re.compile(
    r"(?P<week>(?:the )?end of (?:the |this )?week|eow)|(?P<month>(?:the )?end of (?:the |this )?month|eom)"
    r"|(?P<next>next week)",
    _FLAGS,
)
_DUE_DATE = re.compile(
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?P<month>{_MONTH_WORD})|(?P<month2>{_MONTH_WORD}) (?P<day2>\d{{1,2}})"
    r"(?:st|nd|rd|th)?)(?:,? (?P<year>\d{4}))?",
    _FLAGS,
)


def coming(text: str, now: datetime, zone: str) -> When | None:
    """The time that all of `text` is, where it may lie ahead: a day as in `due` (none: the next such time) and a clock.

    None where it is no such time: the words are kept as they are.
    """
    plain = re.sub(r"\s+", " ", text.translate(_PLAIN)).strip()
    line = _Line(plain, now, zone, full=False, end=_END_OF_ALL)
    for place in [found.end() for found in re.finditer(r"^|\s", plain)]:
        clock = _clock_at(line, place, full=True, dated=True)
        if clock is None or not clock.possible or (clock.style == "digits" and place == 0):
            continue
        typed, end = _zone_after(line, clock)
        if end is None:
            continue
        said = re.sub(r"\bat$", "", plain[:place].strip(" ,"), flags=re.IGNORECASE).strip(" ,")
        if _DUE_END.fullmatch(said):  # "next week 10:00" names no day
            return None
        today = _today(line, typed)
        day = _due_day(re.sub(r"^on ", "", said, flags=re.IGNORECASE), today) if said else today
        if day is None:
            return None
        if not said and _placed(line, day, clock, typed).before <= now:
            day += timedelta(days=1)
        elif day == today + timedelta(weeks=1) and re.match(_DAY_WORD, said, _FLAGS):  # "Tue 14:00", on a Tuesday
            day = today if _placed(line, today, clock, typed).before > now else day
        placed = _placed(line, day, clock, typed)
        if placed.unclear:
            raise _ambiguous(placed.unclear, clock)
        return When(placed.before, placed.zone, zone_typed=typed is not None, zone_used=typed is None)
    return None


def due(text: str, now: datetime, zone: str) -> tuple[str, date | None]:
    """The date of a `by <date>` that ends the line, and the text before it.

    An ISO date, `1 December` or `December 1` with or without a year (without: the next one), `today`, `tomorrow`, a
    weekday (the coming one, never today), `next Friday` (the one in the following week, which begins on Monday), `end
    of week` (its Friday), `end of month`, `next week` (its Friday).
    Dates are counted from today in `zone`; one that has a year may lie in the past. Raises Refusal for a date that is
    none.
    """
    plain = text.translate(_PLAIN)
    places = list(_BY.finditer(plain))
    if not places:
        return text, None
    said = re.sub(r"\s+", " ", plain[places[-1].end() :].strip())
    day = _due_day(said, localize(now, zone).date())
    return (text[: places[-1].start()].strip(), day) if day else (text, None)


def _due_day(said: str, today: date) -> date | None:
    if found := _DATE.fullmatch(said):
        return _date_of(found)
    if found := _DUE_DAY.fullmatch(said):
        if found["day"] is None:
            return today + timedelta(days=said.lower() == "tomorrow")
        number = [name[:3] for name in _WEEKDAYS].index(found["day"][:3].lower())
        if (found["which"] or "").lower() == "next":
            return today - timedelta(days=today.weekday()) + timedelta(weeks=1, days=number)
        return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    if found := _DUE_END.fullmatch(said):
        monday = today - timedelta(days=today.weekday())
        if found["month"]:
            return (today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        weeks = 1 if found["next"] or today.weekday() > 4 else 0
        return monday + timedelta(weeks=weeks, days=4)
    if found := _DUE_DATE.fullmatch(said):
        month = [name[:3] for name in _MONTHS].index((found["month"] or found["month2"])[:3].lower()) + 1
        number = int(found["day"] or found["day2"])
        years = [int(found["year"])] if found["year"] else range(today.year, today.year + 9)
        days = [day for year in years if (day := _date(year, month, number)) and (found["year"] or day >= today)]
        if not days:
            raise Refusal(f"There is no date {said}.", 'Type for example "by 2026-12-01" or "by 1 December".')
        return days[0]
    return None


# Times and durations for sentences ----------------------------------------------------------------------------------


def clock(at: datetime, zone: str, seconds: bool = False) -> str:
    """ "03:12 GMT": 24 hours, with the zone's letters, or its distance from UTC where it has none ("07:12 UTC+4")."""
    local = localize(at, zone)
    return f"{local:{'%H:%M:%S' if seconds else '%H:%M'}} {_letters(local)}"


def day(at: datetime, zone: str) -> str:
    """ "31 January 2017" """
    return _spelled(localize(at, zone).date())


def moment(at: datetime, zone: str) -> str:
    """ "31 January 2017 18:00 UTC" """
    return f"{day(at, zone)} {clock(at, zone)}"


def ago(at: datetime, now: datetime) -> str:
    """ "9 min ago", "in 2 min", "3 days ago" from 48 hours on, or "just now" within a minute."""
    if abs(now - at) < timedelta(minutes=1):
        return "just now"
    away = abs(now - at)
    length = duration(away) if away < timedelta(hours=48) else f"{away.days} days"
    return f"{length} ago" if at < now else f"in {length}"


def duration(d: timedelta) -> str:
    """ "59 min", "7 h 28 min" up to 48 h, then "2 d 3 h 5 min" (POSTMORTEM.md, rule 2); whole minutes, rounded down."""
    minutes = max(d, timedelta(0)) // timedelta(minutes=1)
    days, rest = divmod(minutes, 24 * 60) if minutes > 48 * 60 else (0, minutes)
    parts = ((days, "d"), (rest // 60, "h"), (rest % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "less than 1 min"


def offset_changes(first: datetime, last: datetime, zone: str) -> list[tuple[datetime, str]]:
    """The instants after `first`, up to `last`, at which the clocks of `zone` change, with the letters from then on."""
    changes: list[tuple[datetime, str]] = []
    step = timedelta(hours=6)
    low, end = (at.astimezone(UTC).replace(microsecond=0) for at in (first, last))  # clocks change on whole seconds
    while low < end:
        high = min(low + step, end)
        before = localize(low, zone).utcoffset()
        if localize(high, zone).utcoffset() != before:
            at, until = low, high
            while until - at > timedelta(seconds=1):
                middle = at + timedelta(seconds=(until - at) // timedelta(seconds=2))
                at, until = (middle, until) if localize(middle, zone).utcoffset() == before else (at, middle)
            changes.append((until, _letters(localize(until, zone))))
        low = high
    return changes


def _spelled(on: date) -> str:
    return f"{on.day} {_MONTHS[on.month - 1].capitalize()} {on.year}"


def _letters(local: datetime) -> str:
    name = local.tzname() or ""
    if name.isalpha():
        return name
    offset = _offset_name(local)
    hours, minutes = offset[1:].split(":")
    tail = "" if minutes == "00" else f":{minutes}"
    return "UTC" if offset == "+00:00" else f"UTC{offset[0]}{int(hours)}{tail}"


def _offset_name(local: datetime) -> str:
    """ "+05:30" """
    minutes = (local.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


# Times as they are kept ---------------------------------------------------------------------------------------------


def not_before(last: datetime, pace: timedelta, now: datetime) -> datetime:
    """From when on something may happen again that happened at `last`, at its pace.

    Now, where the clock has been put back since: that holds nothing up.
    """
    return max(now, last + pace) if last <= now else now


def iso(at: datetime) -> str:
    """ "2026-11-21T03:06:00.000000Z": always as long, so that the order of texts is the order of times."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_utc(s: str) -> datetime:
    """The time that `iso` wrote (any ISO 8601 time with a zone is read)."""
    at = datetime.fromisoformat(s)
    if at.tzinfo is None:
        raise ValueError(f"{s} has no zone")
    return at.astimezone(UTC)
