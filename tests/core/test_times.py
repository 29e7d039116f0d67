"""The language of times, as a table: what is typed, how it is understood, and what stays text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import Refusal
from bot.core.times import (
    When,
    ago,
    clock,
    coming,
    day,
    due,
    duration,
    iso,
    leading,
    localize,
    moment,
    offset_changes,
    parse_utc,
    trailing,
    whole,
    zone_name,
)

LONDON, NEW_YORK, LOS_ANGELES = "Europe/London", "America/New_York", "America/Los_Angeles"
KOLKATA, KATHMANDU, APIA, DHAKA = "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia", "Asia/Dhaka"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


NOW = utc("2026-11-21 03:15:20")  # a Saturday; Friday evening in New York
TWICE = "happened twice that night; the earlier one is taken"


def own(at: str, zone: str = LONDON, approx: bool = False, note: str = "") -> When:
    """A clock time without a date in the person's zone."""
    return When(utc(at), zone, approx=approx, clock_only=True, zone_used=True, note=note)


def dated(at: str, zone: str = LONDON, approx: bool = False, note: str = "") -> When:
    """A time with a date or a day in the person's zone."""
    return When(utc(at), zone, approx=approx, zone_used=True, note=note)


def zoned(at: str, zone: str, clock_only: bool = True, approx: bool = False) -> When:
    """A time whose zone was typed."""
    return When(utc(at), zone, approx=approx, clock_only=clock_only, zone_typed=True)


def relative(at: str, approx: bool = False) -> When:
    return When(utc(at), LONDON, approx=approx)


TIMES_IN_LONDON: list[tuple[str, When, str]] = [
    # without `at`: H:MM
    ("14:05 db down", own("2026-11-20 14:05"), "db down"),
    ("3:12 db down", own("2026-11-21 03:12"), "db down"),
    ("03:12 db down", own("2026-11-21 03:12"), "db down"),
    ("03:12", own("2026-11-21 03:12"), ""),
    ("  03:12   db  down ", own("2026-11-21 03:12"), "db  down"),
    ("03:12:30 db down", own("2026-11-21 03:12:30"), "db down"),
    ("00:00 db down", own("2026-11-21 00:00"), "db down"),
    ("23:59 db down", own("2026-11-20 23:59"), "db down"),
    ("03:12\u00a0db\u00a0down", own("2026-11-21 03:12"), "db\u00a0down"),
    ("03:12\ndb down", own("2026-11-21 03:12"), "db down"),
    ("03:12 – db down", own("2026-11-21 03:12"), "– db down"),
    ("03:12 “quoted” ‘as typed’", own("2026-11-21 03:12"), "“quoted” ‘as typed’"),
    ("2:05pm db down", own("2026-11-20 14:05"), "db down"),
    ("2:05 PM db down", own("2026-11-20 14:05"), "db down"),
    ("3:05 p.m. db down", own("2026-11-20 15:05"), "db down"),
    ("12:00 am db down", own("2026-11-21 00:00"), "db down"),
    ("12:30pm db down", own("2026-11-20 12:30"), "db down"),
    # at most two minutes ahead counts as now
    ("03:16 db down", own("2026-11-21 03:15:20"), "db down"),
    ("03:17 db down", own("2026-11-21 03:15:20"), "db down"),
    ("03:17:20 db down", own("2026-11-21 03:15:20"), "db down"),
    ("03:17:21 db down", own("2026-11-20 03:17:21"), "db down"),
    ("03:18 db down", own("2026-11-20 03:18"), "db down"),
    # four digits
    ("0312 db down", own("2026-11-21 03:12"), "db down"),
    ("0312Z db down", zoned("2026-11-21 03:12", "UTC"), "db down"),
    ("at 0312 db down", own("2026-11-21 03:12"), "db down"),
    ("at 1405 db down", own("2026-11-20 14:05"), "db down"),
    ("at 1405 UTC db down", zoned("2026-11-20 14:05", "UTC"), "db down"),
    ("at 2359 db down", own("2026-11-20 23:59"), "db down"),
    # relative
    ("-5m db down", relative("2026-11-21 03:10:20"), "db down"),
    ("−5m db down", relative("2026-11-21 03:10:20"), "db down"),
    ("–5m db down", relative("2026-11-21 03:10:20"), "db down"),
    ("-10m db down", relative("2026-11-21 03:05:20"), "db down"),
    ("-90m db down", relative("2026-11-21 01:45:20"), "db down"),
    ("-2h db down", relative("2026-11-21 01:15:20"), "db down"),
    ("-72h db down", relative("2026-11-18 03:15:20"), "db down"),
    ("5m ago db down", relative("2026-11-21 03:10:20"), "db down"),
    ("5 min ago db down", relative("2026-11-21 03:10:20"), "db down"),
    ("5 minutes ago db down", relative("2026-11-21 03:10:20"), "db down"),
    ("5\u00a0min\u00a0ago", relative("2026-11-21 03:10:20"), ""),
    ("500m ago db down", relative("2026-11-20 18:55:20"), "db down"),
    ("-500m ago db down", relative("2026-11-20 18:55:20"), "db down"),
    ("2h ago db down", relative("2026-11-21 01:15:20"), "db down"),
    ("2 hours ago db down", relative("2026-11-21 01:15:20"), "db down"),
    ("1 h 12 min ago db down", relative("2026-11-21 02:03:20"), "db down"),
    ("1h30m ago db down", relative("2026-11-21 01:45:20"), "db down"),
    ("72h ago db down", relative("2026-11-18 03:15:20"), "db down"),
    ("3 days ago db down", relative("2026-11-18 03:15:20"), "db down"),
    ("30s ago db down", relative("2026-11-21 03:14:50"), "db down"),
    ("at 10m ago db down", relative("2026-11-21 03:05:20"), "db down"),
    ("at 10 min ago db down", relative("2026-11-21 03:05:20"), "db down"),
    ("at 10 minutes ago db down", relative("2026-11-21 03:05:20"), "db down"),
    ("at -10m db down", relative("2026-11-21 03:05:20"), "db down"),
    ("at -500m db down", relative("2026-11-20 18:55:20"), "db down"),
    ("at -1h30m db down", relative("2026-11-21 01:45:20"), "db down"),
    ("at now db down", relative("2026-11-21 03:15:20"), "db down"),
    ("at NOW", relative("2026-11-21 03:15:20"), ""),
    # dates
    ("2026-11-20 14:05 db down", dated("2026-11-20 14:05"), "db down"),
    ("2026‑11‑20 14:05 db down", dated("2026-11-20 14:05"), "db down"),
    ("2026-11-20 14:05:30 db down", dated("2026-11-20 14:05:30"), "db down"),
    ("2026-11-20, 14:05 db down", dated("2026-11-20 14:05"), "db down"),
    ("2026-11-20 2:05pm db down", dated("2026-11-20 14:05"), "db down"),
    ("2026-11-20 2pm db down", dated("2026-11-20 14:00"), "db down"),
    ("2026-11-20T14:05 db down", dated("2026-11-20 14:05"), "db down"),
    ("2026-07-01 14:05 db down", dated("2026-07-01 13:05"), "db down"),
    ("2026-11-20 db down", dated("2026-11-20 00:00", approx=True), "db down"),
    ("2026-07-01 db down", dated("2026-06-30 23:00", approx=True), "db down"),
    ("2026-11-21", dated("2026-11-21 00:00", approx=True), ""),
    ("2026-11-20 1200 users", dated("2026-11-20 00:00", approx=True), "1200 users"),
    ("2026-11-20 at least 5 nodes", dated("2026-11-20 00:00", approx=True), "at least 5 nodes"),
    ("2026-11-21 03:17 db down", dated("2026-11-21 03:15:20"), "db down"),
    ("2026-11-20T14:05Z db down", zoned("2026-11-20 14:05", "UTC", False), "db down"),
    ("2026-11-20T14:05:30.5Z db down", zoned("2026-11-20 14:05:30.500000", "UTC", False), "db down"),
    ("2026-11-20 14:05:30,123 db down", dated("2026-11-20 14:05:30.123000"), "db down"),
    ("20261120T140530Z db down", zoned("2026-11-20 14:05:30", "UTC", False), "db down"),
    ("2026-11-20T14:05+05:30 db down", zoned("2026-11-20 08:35", "+05:30", False), "db down"),
    ("2026-11-20T14:05+0530 db down", zoned("2026-11-20 08:35", "+05:30", False), "db down"),
    ("2026-11-20T02:00-03:00 db down", zoned("2026-11-20 05:00", "-03:00", False), "db down"),
    ("2026-11-20 02:00:00-03:00 db down", zoned("2026-11-20 05:00", "-03:00", False), "db down"),
    ("2026-11-20 14:05 PST db down", zoned("2026-11-20 22:05", "-08:00", False), "db down"),
    ("at 2026-11-20 14:05 db down", dated("2026-11-20 14:05"), "db down"),
    ("at 2026-11-20T14:05Z db down", zoned("2026-11-20 14:05", "UTC", False), "db down"),
    # days
    ("yesterday 23:50 db down", dated("2026-11-20 23:50"), "db down"),
    ("Yesterday at 11pm db down", dated("2026-11-20 23:00"), "db down"),
    ("at yesterday 23:50 db down", dated("2026-11-20 23:50"), "db down"),
    ("yesterday 23:50 UTC db down", zoned("2026-11-20 23:50", "UTC", False), "db down"),
    ("today 03:00 db down", dated("2026-11-21 03:00"), "db down"),
    ("Thu 14:00 db down", dated("2026-11-19 14:00"), "db down"),
    ("Thursday 14:00 db down", dated("2026-11-19 14:00"), "db down"),
    ("thursday 2pm db down", dated("2026-11-19 14:00"), "db down"),
    ("Thurs, 14:00 db down", dated("2026-11-19 14:00"), "db down"),
    ("Sat 03:00 db down", dated("2026-11-21 03:00"), "db down"),
    ("Sat 03:16 db down", dated("2026-11-21 03:15:20"), "db down"),
    ("Sat 14:00 db down", dated("2026-11-14 14:00"), "db down"),
    ("Sun 14:00 db down", dated("2026-11-15 14:00"), "db down"),
    ("at Fri 1405 db down", dated("2026-11-20 14:05"), "db down"),
    # zones
    ("14:05 UTC db down", zoned("2026-11-20 14:05", "UTC"), "db down"),
    ("14:05 utc db down", zoned("2026-11-20 14:05", "UTC"), "db down"),
    ("14:05UTC db down", zoned("2026-11-20 14:05", "UTC"), "db down"),
    ("14:05Z db down", zoned("2026-11-20 14:05", "UTC"), "db down"),
    ("14:05 Z db down", zoned("2026-11-20 14:05", "UTC"), "db down"),
    ("14:05 z axis", own("2026-11-20 14:05"), "z axis"),
    ("at 14:05 Z db down", zoned("2026-11-20 14:05", "UTC"), "db down"),
    ("14:05 GMT db down", zoned("2026-11-20 14:05", LONDON), "db down"),
    ("14:05 PST db down", zoned("2026-11-20 22:05", "-08:00"), "db down"),
    ("14:05 pst db down", zoned("2026-11-20 22:05", "-08:00"), "db down"),
    ("14:05 PDT db down", zoned("2026-11-20 21:05", "-07:00"), "db down"),
    ("14:05 EST db down", zoned("2026-11-20 19:05", "-05:00"), "db down"),
    ("03:05 CET db down", zoned("2026-11-21 02:05", "+01:00"), "db down"),
    ("14:05 CEST db down", zoned("2026-11-20 12:05", "+02:00"), "db down"),
    ("14:05 JST db down", zoned("2026-11-20 05:05", "+09:00"), "db down"),
    ("14:05 +05:30 db down", zoned("2026-11-20 08:35", "+05:30"), "db down"),
    ("14:05+05:30 db down", zoned("2026-11-20 08:35", "+05:30"), "db down"),
    ("14:05 +0530 db down", zoned("2026-11-20 08:35", "+05:30"), "db down"),
    ("14:05 −08:00 db down", zoned("2026-11-20 22:05", "-08:00"), "db down"),
    ("14:05-08:00 db down", zoned("2026-11-20 22:05", "-08:00"), "db down"),
    ("02:00 -03:00 db down", zoned("2026-11-20 05:00", "-03:00"), "db down"),
    ("14:05 UTC+2 db down", zoned("2026-11-20 12:05", "+02:00"), "db down"),
    ("14:05 UTC+5:45 db down", zoned("2026-11-20 08:20", "+05:45"), "db down"),
    ("14:05 Europe/Berlin db down", zoned("2026-11-20 13:05", "Europe/Berlin"), "db down"),
    ("14:05 america/new_york db down", zoned("2026-11-20 19:05", NEW_YORK), "db down"),
    ("at 2pm PST db down", zoned("2026-11-20 22:00", "-08:00"), "db down"),
    ("at 14:05 +1000 db down", zoned("2026-11-20 04:05", "+10:00"), "db down"),
    ("14:05 Redis died", own("2026-11-20 14:05"), "Redis died"),
    ("14:05 API down", own("2026-11-20 14:05"), "API down"),
    ("14:05 est tombé", own("2026-11-20 14:05"), "est tombé"),
    ("14:05 UTCs differ", own("2026-11-20 14:05"), "UTCs differ"),
    ("14:05 +1000 users", own("2026-11-20 14:05"), "+1000 users"),
    ("14:05 +25:00 odd", own("2026-11-20 14:05"), "+25:00 odd"),
    ("14:05 api/v2 down", own("2026-11-20 14:05"), "api/v2 down"),
    ("14:05 Singapore down", own("2026-11-20 14:05"), "Singapore down"),
    ("14:05 - 14:20 down", own("2026-11-20 14:05"), "- 14:20 down"),
    # at, and approximately
    ("at 14:05 db down", own("2026-11-20 14:05"), "db down"),
    ("At 14:05 db down", own("2026-11-20 14:05"), "db down"),
    ("at\u00a014:05 db down", own("2026-11-20 14:05"), "db down"),
    ("at 14:05:30 db down", own("2026-11-20 14:05:30"), "db down"),
    ("at 14:05, db down", own("2026-11-20 14:05"), "db down"),
    ("at 14:05: db down", own("2026-11-20 14:05"), "db down"),
    ("at 2pm db down", own("2026-11-20 14:00"), "db down"),
    ("at 2 pm db down", own("2026-11-20 14:00"), "db down"),
    ("at 2:05 pm db down", own("2026-11-20 14:05"), "db down"),
    ("~14:05 db down", own("2026-11-20 14:05", approx=True), "db down"),
    ("~ 14:05 db down", own("2026-11-20 14:05", approx=True), "db down"),
    ("~5m ago db down", relative("2026-11-21 03:10:20", approx=True), "db down"),
    ("~yesterday 23:50 db down", dated("2026-11-20 23:50", approx=True), "db down"),
    ("at ~14:05 db down", own("2026-11-20 14:05", approx=True), "db down"),
    ("at about 14:05 db down", own("2026-11-20 14:05", approx=True), "db down"),
    ("at about 2pm PST db down", zoned("2026-11-20 22:00", "-08:00", approx=True), "db down"),
]

TEXTS = [
    "", " ", "at", "at ", "~", "~ ", "-", ":", "db down",
    "1200 users affected", "1405 users affected", "~2000 requests", "~ 2000 requests", "2000", "0999 rows",
    "0312th row",
    "-500m CPU", "-100m CPU", "-99h budget", "-5 m", "-5mb heap", "-5m, then more", "-5", "- 5m away", "-5%",
    "now it is worse", "now", "~now", "about 14:05 it broke", "about 5m ago it broke", "2pm deploy failed", "5pm",
    "at least 5 nodes down", "at 5 nodes", "at 14.05 it broke", "at 5000 requests per second", "at 2460 rows",
    "at 10:1 odds", "at noon", "at the 14:05 deploy", "at 127.0.0.1:8080 nothing listens", "at 12:34:56:78 nothing",
    "at 14:05-15:00 db down", "at 14:05Uhr", "at14:05 db down", "at +5m", "at 2", "at 5 min", "at once", "at yesterday",
    "25:99 db down", "16:90 screens", "24:00 tickets", "14:60 db down", "100:50 ratio", "1:1 copies", "3:1 of them",
    "14:05, db down", "14:05: db down", "14:05. db down", "14:05pmish", "14:05–14:20 db down", "02:00-03:00 db down",
    "02:00–03:00 db down", "14:05/14:20 db down", "14:05:3 db down", "14:05:30:2 db down", "~14:05~ struck out",
    "yesterday db down", "yesterday 5000 rows", "Thursday db down", "Thu", "Friday 1200 users", "Sunday",
    "Monitor 14:05",
    "tomorrow 14:05", "last Thursday 14:00", "5m agony", "5m", "5 min later", "3 weeks ago", "in 5m", "an hour ago",
    "2026-11-20-backup broke", "2026-11-20x", "2026/11/20 14:05", "2026-11", "20.11.2026 14:05",
    "2026-11-20 14:05-15:00 w",
    "see 14:05 in the log", "db down at 14:05", "٠٣:١٢ db down", "@ 14:05 db down", "“14:05” it says", "v14:05 x",
]  # fmt: skip

REFUSED: list[tuple[str, str, str]] = [
    (
        "at 25:99 db down",
        "There is no time 25:99.",
        "Hours go from 00 to 23, minutes and seconds from 00 to 59. "
        "Type 14:05, 2:05pm, 10m ago, yesterday 23:50, Thu 14:00 or 2026-11-20 14:05 UTC.",
    ),
    (
        "at 2026-13-45 10:00 x",
        "There is no date 2026-13-45.",
        "Dates are year-month-day, for example 2026-11-20 14:05.",
    ),
    ("2026-02-30 x", "There is no date 2026-02-30.", "Dates are year-month-day, for example 2026-11-20 14:05."),
    (
        "2026-12-01 14:05 x",
        "2026-12-01 14:05 lies in the future.",
        "Type when it happened, for example 14:05 or 10m ago, or no time for now.",
    ),
    (
        "at 2026-11-21 03:18, x",
        "2026-11-21 03:18 lies in the future.",
        "Type when it happened, for example 14:05 or 10m ago, or no time for now.",
    ),
    (
        "73h ago x",
        "73h ago is more than 72 hours back.",
        "Type the date and the time, for example 2026-11-20 14:05.",
    ),
    (
        "14:05 BST x",
        "BST may be British Summer Time (+01:00) or Bangladesh Standard Time (+06:00).",
        "Type the offset: 14:05 +01:00 or 14:05 +06:00.",
    ),
    (
        "at 14:05 CST x",
        "CST may be Central Standard Time (-06:00), China Standard Time (+08:00) or Cuba Standard Time (-05:00).",
        "Type the offset: 14:05 -06:00, 14:05 +08:00 or 14:05 -05:00.",
    ),
    (
        "yesterday 14:05 IST x",
        "IST may be India Standard Time (+05:30), Irish Standard Time (+01:00) or Israel Standard Time (+02:00).",
        "Type the offset: 14:05 +05:30, 14:05 +01:00 or 14:05 +02:00.",
    ),
    (
        "at 02:00-03:00 x",
        "02:00-03:00 may be a span of time or a time with an offset.",
        'Type "02:00 -03:00" for the offset; of a span, type when it began: "02:00".',
    ),
    (
        "2026-03-29 01:30 x",
        "There was no 01:30 on 29 March 2026 in Europe/London: the clock was put forward past it.",
        'Type "2026-03-29 00:30 +00:00" or "2026-03-29 02:30 +01:00", whichever is meant.',
    ),
    (
        "2026-11-20T14:05+25:00 x",
        "There is no offset +25:00.",
        "Offsets go from -12:00 to +14:00, for example +05:30.",
    ),
]

IMPOSSIBLE = [
    "at 24:00 x", "at 14:60 x", "at 14:05:60 x", "at 0399 x", "at 13pm x", "at 0pm x", "at 14:05pm x", "14:05pm x",
    "25:10 UTC x", "2026-11-20 25:99 x", "2026-00-10 x", "2026-11-31 10:00 x", "0001-01-01 10:00 x",
    "9999-12-31 23:59 x",
    "yesterday 25:99 x", "Thu 14:75 x", "at 100h ago x", "at -73h x", "5 days ago x", "2026-11-22 x", "today 23:00 x",
    "at ~25:99 x", "99999999m ago x",
]  # fmt: skip

ELSEWHERE: list[tuple[str, str, str, When]] = [
    # (now, zone, text, expected)
    ("2026-11-21 03:15", NEW_YORK, "22:05", own("2026-11-21 03:05", NEW_YORK)),
    ("2026-11-21 03:15", NEW_YORK, "22:18", own("2026-11-20 03:18", NEW_YORK)),
    ("2026-11-21 03:15", NEW_YORK, "yesterday 23:50", dated("2026-11-20 04:50", NEW_YORK)),
    ("2026-11-21 03:15", NEW_YORK, "yesterday 23:50 UTC", zoned("2026-11-20 23:50", "UTC", False)),
    ("2026-11-21 03:15", NEW_YORK, "Fri 22:00", dated("2026-11-21 03:00", NEW_YORK)),
    ("2026-11-21 03:15", NEW_YORK, "2026-11-20", dated("2026-11-20 05:00", NEW_YORK, approx=True)),
    ("2026-11-21 03:15", LOS_ANGELES, "14:05 PST", zoned("2026-11-20 22:05", LOS_ANGELES)),
    ("2026-11-21 03:15", KOLKATA, "08:40", own("2026-11-21 03:10", KOLKATA)),
    ("2026-11-21 03:15", KOLKATA, "08:40 IST", zoned("2026-11-21 03:10", KOLKATA)),
    ("2026-11-21 03:15", KATHMANDU, "08:55", own("2026-11-21 03:10", KATHMANDU)),
    ("2026-11-21 03:15", KATHMANDU, "2026-11-20", dated("2026-11-19 18:15", KATHMANDU, approx=True)),
    ("2026-11-21 03:15", APIA, "16:10", own("2026-11-21 03:10", APIA)),
    ("2026-11-21 03:15", APIA, "yesterday 16:10", dated("2026-11-20 03:10", APIA)),
    ("2026-11-21 12:30", APIA, "Sun 01:00", dated("2026-11-21 12:00", APIA)),
    ("2026-11-21 03:15", "Pacific/Kiritimati", "17:10", own("2026-11-21 03:10", "Pacific/Kiritimati")),
    ("2026-11-21 11:15", "Pacific/Niue", "00:10", own("2026-11-21 11:10", "Pacific/Niue")),
    ("2026-11-21 03:15", "Europe/Dublin", "03:10 GMT", zoned("2026-11-21 03:10", "Europe/Dublin")),
    ("2026-07-21 03:15", "Europe/Dublin", "04:10 IST", zoned("2026-07-21 03:10", "Europe/Dublin")),
    ("2026-11-21 03:15", "Asia/Jerusalem", "05:10 IST", zoned("2026-11-21 03:10", "Asia/Jerusalem")),
    ("2026-11-21 03:15", "America/Chicago", "21:10 CST", zoned("2026-11-21 03:10", "America/Chicago")),
    ("2026-11-21 03:15", "Asia/Shanghai", "11:10 CST", zoned("2026-11-21 03:10", "Asia/Shanghai")),
    ("2026-11-21 03:15", "Asia/Manila", "11:10 PST", zoned("2026-11-21 03:10", "Asia/Manila")),
    ("2026-07-21 03:15", LONDON, "04:10 BST", zoned("2026-07-21 03:10", LONDON)),
    ("2026-07-21 03:15", LONDON, "03:10 GMT", zoned("2026-07-21 03:10", "GMT")),
    ("2026-11-21 03:15", "+05:30", "08:40", own("2026-11-21 03:10", "+05:30")),
    ("2026-11-21 03:15", "UTC", "03:10", own("2026-11-21 03:10", "UTC")),
    # around midnight
    ("2026-11-20 23:59", "UTC", "00:01", own("2026-11-20 23:59", "UTC")),
    ("2026-11-20 23:59", "UTC", "00:02", own("2026-11-20 00:02", "UTC")),
    ("2026-11-20 23:59", "UTC", "Sat 00:00", dated("2026-11-20 23:59", "UTC")),
    ("2026-11-21 00:01", "UTC", "23:59", own("2026-11-20 23:59", "UTC")),
    ("2026-11-21 00:00", "UTC", "00:00", own("2026-11-21 00:00", "UTC")),
    ("2027-01-01 00:01", "UTC", "23:59", own("2026-12-31 23:59", "UTC")),
    # London, 29 March 2026: 01:00 GMT becomes 02:00 BST
    ("2026-03-29 00:40", LONDON, "00:30", own("2026-03-29 00:30", LONDON)),
    ("2026-03-29 01:10", LONDON, "02:05", own("2026-03-29 01:05", LONDON)),
    ("2026-03-29 01:10", LONDON, "00:59", own("2026-03-29 00:59", LONDON)),
    ("2026-03-29 00:10", LONDON, "01:30", own("2026-03-28 01:30", LONDON)),
    ("2026-03-29 12:00", LONDON, "01:30 GMT", zoned("2026-03-29 01:30", LONDON)),
    ("2026-03-29 12:00", LONDON, "01:30 +00:00", zoned("2026-03-29 01:30", "UTC")),
    ("2026-03-29 12:00", LONDON, "yesterday 01:30", dated("2026-03-28 01:30", LONDON)),
    ("2026-03-29 12:00", LONDON, "2026-03-29", dated("2026-03-29 00:00", LONDON, approx=True)),
    ("2026-03-30 12:00", LONDON, "10h ago", When(utc("2026-03-30 02:00"), LONDON)),
    # London, 25 October 2026: 02:00 BST becomes 01:00 GMT
    ("2026-10-25 12:00", LONDON, "01:30", own("2026-10-25 00:30", LONDON, note=f"01:30 {TWICE}")),
    ("2026-10-25 12:00", LONDON, "01:30 BST", zoned("2026-10-25 00:30", LONDON)),
    ("2026-10-25 12:00", LONDON, "01:30 GMT", zoned("2026-10-25 01:30", LONDON)),
    ("2026-10-25 12:00", LONDON, "01:30 +00:00", zoned("2026-10-25 01:30", "UTC")),
    ("2026-10-25 00:45", LONDON, "01:30", own("2026-10-25 00:30", LONDON)),
    ("2026-10-25 00:10", LONDON, "01:30", own("2026-10-24 00:30", LONDON)),
    ("2026-10-25 10:00", LONDON, "23:30 BST", zoned("2026-10-24 22:30", LONDON)),
    ("2026-10-26 12:00", LONDON, "2026-10-25 01:30", dated("2026-10-25 00:30", LONDON, note=f"01:30 {TWICE}")),
    # New York, 8 March and 1 November 2026
    ("2026-03-08 12:00", NEW_YORK, "01:59", own("2026-03-08 06:59", NEW_YORK)),
    ("2026-03-08 12:00", NEW_YORK, "03:00", own("2026-03-08 07:00", NEW_YORK)),
    ("2026-11-01 12:00", NEW_YORK, "01:30", own("2026-11-01 05:30", NEW_YORK, note=f"01:30 {TWICE}")),
    ("2026-11-01 12:00", NEW_YORK, "01:30 EST", zoned("2026-11-01 06:30", NEW_YORK)),
    ("2026-11-01 12:00", NEW_YORK, "01:30 EDT", zoned("2026-11-01 05:30", NEW_YORK)),
    # Cairo puts its clock forward at midnight; Apia had no 30 December 2011
    ("2026-04-24 12:00", "Africa/Cairo", "2026-04-24", dated("2026-04-23 22:00", "Africa/Cairo", approx=True)),
    ("2011-12-30 11:00", APIA, "23:50", own("2011-12-30 09:50", APIA)),
]


@pytest.mark.parametrize(("text", "expected", "rest"), TIMES_IN_LONDON)
def test_a_line_begins_with_a_time(text: str, expected: When, rest: str) -> None:
    assert leading(text, NOW, LONDON) == (expected, rest)


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_time_stays_as_it_was_typed(text: str) -> None:
    assert leading(text, NOW, LONDON) == (None, text)


@pytest.mark.parametrize(("text", "message", "hint"), REFUSED)
def test_a_refusal_says_what_was_wrong_and_what_to_type(text: str, message: str, hint: str) -> None:
    with pytest.raises(Refusal) as refused:
        leading(text, NOW, LONDON)
    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_looks_like_a_time_and_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        leading(text, NOW, LONDON)


@pytest.mark.parametrize(("now", "zone", "text", "expected"), ELSEWHERE)
def test_a_time_is_read_in_the_zone_of_the_person(now: str, zone: str, text: str, expected: When) -> None:
    assert leading(f"{text} db down", utc(now), zone) == (expected, "db down")


@pytest.mark.parametrize(
    ("now", "zone", "text"),
    [
        ("2026-03-29 12:00", LONDON, "01:30"),
        ("2026-03-29 00:45", LONDON, "01:30"),
        ("2026-03-08 12:00", NEW_YORK, "at 2:30am"),
        ("2026-03-08 12:00", "UTC", "02:30 America/New_York"),
        ("2026-11-21 12:00", LONDON, "11:00 BST"),
        ("2011-12-31 11:00", APIA, "2011-12-30 10:00"),
        ("2011-12-31 11:00", APIA, "2011-12-30"),
    ],
)
def test_a_time_that_the_clock_skipped_is_refused(now: str, zone: str, text: str) -> None:
    with pytest.raises(Refusal):
        leading(text, utc(now), zone)


def test_both_readings_of_a_skipped_time_can_be_typed() -> None:
    now = utc("2026-03-29 12:00")
    with pytest.raises(Refusal) as refused:
        leading("01:30 db down", now, LONDON)
    assert refused.value.hint == ('Type "2026-03-29 00:30 +00:00" or "2026-03-29 02:30 +01:00", whichever is meant.')
    assert whole("2026-03-29 00:30 +00:00", now, LONDON).at == utc("2026-03-29 00:30")
    assert whole("2026-03-29 02:30 +01:00", now, LONDON).at == utc("2026-03-29 01:30")


@pytest.mark.parametrize(
    ("text", "expected", "rest"),
    [
        ("Checkout down since 02:50", own("2026-11-21 02:50"), "Checkout down"),
        ("Checkout down since 2:50 pm UTC", zoned("2026-11-20 14:50", "UTC"), "Checkout down"),
        ("Checkout down since 1450", own("2026-11-20 14:50"), "Checkout down"),
        ("Checkout down Since 10m ago ", relative("2026-11-21 03:05:20"), "Checkout down"),
        ("Checkout down since about 10 min ago", relative("2026-11-21 03:05:20", approx=True), "Checkout down"),
        ("Checkout down since yesterday 23:50", dated("2026-11-20 23:50"), "Checkout down"),
        ("Down since monday, worse since 02:50", own("2026-11-21 02:50"), "Down since monday, worse"),
        ("Down “since” x since\u00a02026-11-20", dated("2026-11-20 00:00", approx=True), "Down “since” x"),
        ("since now", relative("2026-11-21 03:15:20"), ""),
        ("Down since 2130", own("2026-11-20 21:30"), "Down"),
    ],
)
def test_since_counts_at_the_end_of_a_line(text: str, expected: When, rest: str) -> None:
    assert trailing(text, "since", NOW, LONDON) == (rest, expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "since",
        "Down since",
        "Down since the deploy",
        "Down since yesterday",
        "Down since 02:50 for everybody",
        "Down since 02:50 since the deploy",
        "Down since 2 deploys",
        "Errors insince 02:50",
        "Down since 02:50.",
        "Down since the year 2019",
    ],
)
def test_since_is_text_when_what_follows_is_no_time(text: str) -> None:
    assert trailing(text, "since", NOW, LONDON) == (text, None)


@pytest.mark.parametrize("text", ["Down since 25:99", "Down since 2026-12-01 10:00", "Slowest since 2019"])
def test_since_is_refused_when_its_time_cannot_be(text: str) -> None:
    with pytest.raises(Refusal):
        trailing(text, "since", NOW, LONDON)


@pytest.mark.parametrize(
    ("text", "rest", "expected"),
    [
        ("Add an alert by 2026-12-01", "Add an alert", date(2026, 12, 1)),
        ("Add an alert by 2026‑12‑01 ", "Add an alert", date(2026, 12, 1)),
        ("Add an alert by 2026-11-01", "Add an alert", date(2026, 11, 1)),
        ("Add an alert by 1 December", "Add an alert", date(2026, 12, 1)),
        ("Add an alert by 1st Dec", "Add an alert", date(2026, 12, 1)),
        ("Add an alert by December 1, 2027", "Add an alert", date(2027, 12, 1)),
        ("Add an alert by 3 March", "Add an alert", date(2027, 3, 3)),
        ("Add an alert by 29 February", "Add an alert", date(2028, 2, 29)),
        ("Add an alert by 21 November", "Add an alert", date(2026, 11, 21)),
        ("Add an alert by today", "Add an alert", date(2026, 11, 21)),
        ("Add an alert by tomorrow", "Add an alert", date(2026, 11, 22)),
        ("Add an alert by Friday", "Add an alert", date(2026, 11, 27)),
        ("Add an alert by Saturday", "Add an alert", date(2026, 11, 28)),
        ("Add an alert by sun", "Add an alert", date(2026, 11, 22)),
        ("Add an alert by next week", "Add an alert", date(2026, 11, 27)),
        ("Add an alert by next Friday", "Add an alert", date(2026, 11, 27)),
        ("Add an alert by next Sunday", "Add an alert", date(2026, 11, 29)),
        ("Add an alert by Next mon", "Add an alert", date(2026, 11, 23)),
        ("Add an alert by this Friday", "Add an alert", date(2026, 11, 27)),
        ("Add an alert by end of week", "Add an alert", date(2026, 11, 27)),
        ("Add an alert by the end of the month", "Add an alert", date(2026, 11, 30)),
        ("Cut load by half by Monday", "Cut load by half", date(2026, 11, 23)),
        ("by Monday", "", date(2026, 11, 23)),
        ("Cut load by half", "Cut load by half", None),
        ("Cut load by 2026-12-01 or so", "Cut load by 2026-12-01 or so", None),
        ("Sort rows by 12", "Sort rows by 12", None),
        ("Have it done by May", "Have it done by May", None),
        ("Move the lobby Friday", "Move the lobby Friday", None),
        ("Stand by", "Stand by", None),
        ("", "", None),
    ],
)
def test_a_task_is_due_by_the_date_at_its_end(text: str, rest: str, expected: date | None) -> None:
    assert due(text, NOW, LONDON) == (rest, expected)


def test_next_friday_is_in_the_following_week_and_friday_is_the_coming_one() -> None:
    monday = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
    assert due("x by Friday", monday, LONDON) == ("x", date(2026, 11, 20))
    assert due("x by next Friday", monday, LONDON) == ("x", date(2026, 11, 27))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow 10:00", "2026-11-22T10:00"),
        ("10:00", "2026-11-21T10:00"),
        ("02:00", "2026-11-22T02:00"),
        ("Sat 14:00", "2026-11-21T14:00"),
        ("sat 02:00", "2026-11-28T02:00"),
        ("on Monday, 10am", "2026-11-23T10:00"),
        ("next Friday at 3pm", "2026-11-27T15:00"),
        ("1 December 09:30 CET", "2026-12-01T08:30"),
        ("2026-12-01 10:00", "2026-12-01T10:00"),
        ("tomorrow", None),
        ("next week 10:00", None),
        ("tomorrow 10:00-11:00", None),
        ("after lunch", None),
        ("with 10 people", None),
        ("", None),
    ],
)
def test_a_time_to_come_is_read_where_it_is_one(text: str, expected: str | None) -> None:
    found = coming(text, NOW, LONDON)
    assert (found.at.isoformat()[:16] if found else None) == expected


def test_a_due_day_is_counted_from_the_day_of_the_person() -> None:
    assert due("Add an alert by tomorrow", NOW, NEW_YORK) == ("Add an alert", date(2026, 11, 21))


@pytest.mark.parametrize("text", ["x by 2026-02-30", "x by 31 November", "x by 29 February 2027"])
def test_a_due_date_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        due(text, NOW, LONDON)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:05", own("2026-11-20 14:05")),
        ("1405", own("2026-11-20 14:05")),
        (" at 14:05 ", own("2026-11-20 14:05")),
        ("about 2pm", own("2026-11-20 14:00", approx=True)),
        ("-500m", relative("2026-11-20 18:55:20")),
        ("now", relative("2026-11-21 03:15:20")),
        ("Thursday at 14:00 PST", zoned("2026-11-19 22:00", "-08:00", False)),
    ],
)
def test_a_whole_text_is_a_time(text: str, expected: When) -> None:
    assert whole(text, NOW, LONDON) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The time is missing."),
        ("at", '"at" is no time that can be read.'),
        ("14:05 db down", '"14:05 db down" is no time that can be read.'),
        ("five", '"five" is no time that can be read.'),
        ("25:99", "There is no time 25:99."),
        ("2026-12-24 18:00", "2026-12-24 18:00 lies in the future."),
    ],
)
def test_a_whole_text_that_is_no_time_is_refused(text: str, message: str) -> None:
    with pytest.raises(Refusal) as refused:
        whole(text, NOW, LONDON)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Europe/London", LONDON),
        ("europe/london", LONDON),
        (" america/new york ", NEW_YORK),
        ("asia/KATHMANDU", KATHMANDU),
        ("utc", "UTC"),
        ("GMT", "GMT"),
    ],
)
def test_a_zone_is_named_in_any_case(text: str, expected: str) -> None:
    assert zone_name(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("London", '"London" is no time zone of the IANA list.', "Type a name such as Europe/London."),
        ("PST", '"PST" is no time zone of the IANA list.', "Type a name such as America/Los_Angeles."),
        ("../etc/passwd", '"../etc/passwd" is no time zone of the IANA list.', "Type a name such as Europe/London."),
        ("", "The time zone is missing.", "Type a name such as Europe/London."),
    ],
)
def test_an_unknown_zone_is_refused_with_the_nearest(text: str, message: str, hint: str) -> None:
    with pytest.raises(Refusal) as refused:
        zone_name(text)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_a_misspelled_zone_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(Refusal, match="Europe/London"):
        zone_name("Europe/Londn")


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (LONDON, "03:12 GMT"),
        ("UTC", "03:12 UTC"),
        (NEW_YORK, "22:12 EST"),
        (KOLKATA, "08:42 IST"),
        (KATHMANDU, "08:57 UTC+5:45"),
        ("Asia/Dubai", "07:12 UTC+4"),
        ("America/Sao_Paulo", "00:12 UTC-3"),
        ("+05:30", "08:42 UTC+5:30"),
        ("-08:00", "19:12 UTC-8"),
        ("+00:00", "03:12 UTC"),
    ],
)
def test_a_printed_time_names_its_zone(zone: str, expected: str) -> None:
    assert clock(utc("2026-11-21 03:12:09"), zone) == expected


def test_times_and_dates_are_written_for_sentences() -> None:
    at = utc("2017-01-31 18:00:07")
    assert (clock(at, "UTC", seconds=True), day(at, APIA), moment(at, "UTC")) == (
        "18:00:07 UTC",
        "1 February 2017",
        "31 January 2017 18:00 UTC",
    )
    assert localize(at, "+05:30").isoformat() == "2017-01-31T23:30:07+05:30"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "just now"), (59, "just now"), (-59, "just now"), (60, "1 min ago"), (570, "9 min ago"), (-120, "in 2 min"),
     (4320, "1 h 12 min ago"), (183900, "2 days ago"), (-183900, "in 2 days")],
)  # fmt: skip
def test_an_age_is_told_in_minutes_hours_and_days(seconds: int, expected: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == expected


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(0), "less than 1 min"),
        (timedelta(seconds=59), "less than 1 min"),
        (timedelta(seconds=-5), "less than 1 min"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(minutes=60), "1 h"),
        (timedelta(hours=7, minutes=28), "7 h 28 min"),
        (timedelta(hours=24), "24 h"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(hours=48), "48 h"),
        (timedelta(hours=48, minutes=1), "2 d 1 min"),
        (timedelta(hours=49), "2 d 1 h"),
        (timedelta(days=2, hours=3, minutes=5), "2 d 3 h 5 min"),
        (timedelta(days=3), "3 d"),
    ],
)
def test_a_duration_drops_its_zero_parts(span: timedelta, expected: str) -> None:
    assert duration(span) == expected


@pytest.mark.parametrize(
    ("first", "last", "zone", "expected"),
    [
        ("2026-03-28 12:00", "2026-03-29 12:00", LONDON, [(utc("2026-03-29 01:00"), "BST")]),
        ("2026-03-29 01:00", "2026-03-29 12:00", LONDON, []),
        ("2026-03-29 00:59:59.500", "2026-03-29 01:00", LONDON, [(utc("2026-03-29 01:00"), "BST")]),
        ("2026-03-28 12:00", "2026-03-29 01:00:00.700", LONDON, [(utc("2026-03-29 01:00"), "BST")]),
        ("2026-03-28 12:00", "2026-03-29 00:59:59.900", LONDON, []),
        ("2026-03-29 12:00", "2026-03-28 12:00", LONDON, []),
        ("2026-01-01 00:00", "2027-01-01 00:00", NEW_YORK,
         [(utc("2026-03-08 07:00"), "EDT"), (utc("2026-11-01 06:00"), "EST")]),
        ("2026-01-01 00:00", "2027-01-01 00:00", KOLKATA, []),
        ("2011-12-30 00:00", "2011-12-31 00:00", APIA, [(utc("2011-12-30 10:00"), "UTC+14")]),
    ],
)  # fmt: skip
def test_changes_of_the_clock_are_found(first: str, last: str, zone: str, expected: list[tuple[datetime, str]]) -> None:
    assert offset_changes(utc(first), utc(last), zone) == expected


def test_a_kept_time_has_a_fixed_width_and_comes_back() -> None:
    at = utc("2026-11-21 03:06:00")
    assert (iso(at), parse_utc(iso(at))) == ("2026-11-21T03:06:00.000000Z", at)
    assert iso(localize(at, KATHMANDU)) == iso(at)


def test_a_naive_time_is_a_defect() -> None:
    with pytest.raises(ValueError, match="no zone"):
        iso(NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="no zone"):
        parse_utc("2026-11-21T03:06:00")


def test_what_is_printed_can_be_typed_again() -> None:
    at = utc("2026-11-20 13:05")
    for zone in (LONDON, NEW_YORK, KOLKATA, KATHMANDU, APIA, DHAKA, "Asia/Dubai", "-08:00"):
        printed = f"{localize(at, zone):%Y-%m-%d} {clock(at, zone)}"
        assert whole(printed, NOW, zone).at == at


PIECES = st.sampled_from(
    ["at ", "~", "about ", "14:05", "25:99", "0312", "2pm", "-5m", "5m ago", "yesterday ", "Thu ", "2026-11-20", "T",
     " ", "2026-13-45", "9999-12-31", "Z", "UTC", " BST", " +05:30", "-03:00", " Europe/London", "now", ",", "–",
     "\u00a0", "x"]
)  # fmt: skip
TYPED = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join))
ZONES = st.sampled_from(["UTC", LONDON, NEW_YORK, KOLKATA, KATHMANDU, APIA, "Africa/Cairo", "-08:00"])
NOWS = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@settings(max_examples=150, deadline=None)
@given(TYPED, NOWS, ZONES)
def test_any_text_is_read_or_refused_and_what_is_left_is_its_end(text: str, now: datetime, zone: str) -> None:
    try:
        when, rest = leading(text, now, zone)
    except Refusal as refusal:
        assert refusal.message  # noqa: PT017 - the refusal is one of two good ends
        return
    assert text.rstrip().endswith(rest) if when else rest == text
    assert when is None or (when.at <= now and when.at.tzinfo is UTC)


@settings(max_examples=100, deadline=None)
@given(TYPED, NOWS, ZONES)
def test_the_end_of_any_text_is_read_or_refused(text: str, now: datetime, zone: str) -> None:
    try:
        rest, when = trailing(f"Down since {text}", "since", now, zone)
        due(f"Repair by {text}", now, zone)
    except Refusal:
        return
    assert rest == (f"Down since {text}" if when is None else "Down")


@settings(max_examples=100, deadline=None)
@given(st.timedeltas(timedelta(minutes=1), timedelta(days=400)))
def test_a_duration_never_has_a_zero_part_and_keeps_its_minutes(span: timedelta) -> None:
    minutes = {"d": 1440, "h": 60, "min": 1}
    words = duration(span).split()
    parts = [(int(number), unit) for number, unit in zip(words[::2], words[1::2], strict=True)]
    assert [number for number, _ in parts if number == 0] == []
    assert sum(number * minutes[unit] for number, unit in parts) == span // timedelta(minutes=1)
