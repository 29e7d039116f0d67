"""Events to JSON and back: what is kept, under which name, and what is apart so that it can be destroyed."""

from __future__ import annotations

import json
import re
import types
import typing
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest

from bot.core.events import (
    ENTRY_EVENTS,
    EVENTS,
    Category,
    Event,
    Kind,
    KindCorrected,
    Noted,
    Numbered,
    OnsetSet,
    RoleGiven,
    ServicesNamed,
    Source,
    TaskAdded,
    TaskChanged,
    TextCorrected,
    from_json,
    to_json,
)

AT = datetime(2026, 11, 21, 3, 6, 1, 2, tzinfo=UTC)

NAMES = {
    # entries
    "started", "note", "detection", "ack", "action", "hypothesis", "dead_end", "decision", "escalation", "update",
    "mitigation", "mitigated", "again", "summary", "services", "impact", "trigger", "cause", "factor", "fix",
    "verified", "improvement",
    "task", "well", "wrong", "lucky", "takeaway", "question", "answer", "role", "handover", "severity",
    "link", "resolution", "reopened", "cancelled", "duplicate",
    # marks, corrections, the document's life
    "effect_seen", "hypothesis_confirmed", "starred", "task_changed", "task_done", "task_dropped", "task_reopened",
    "text_corrected",
    "kind_corrected", "time_corrected", "removed", "undone", "redacted", "retitled", "onset_set", "zone_set",
    "not_applicable", "section_written", "review_called", "approved", "published", "shared_to", "link_revoked",
    "words_destroyed", "attached", "channel_opened", "nudges_set",
}  # fmt: skip
"""Every name that was ever written. One is added here with its event and never taken out: old rows stay readable."""

FACTS_OF_TEXT = {
    "by", "author", "person", "asked",  # a key, or several
    "said_in", "channel",  # Slack's ids
    "zone",  # an IANA name or an offset
    "share",  # digits
    "gap", "section", "audience", "what",  # a word of a closed list
    "digest", "media_type", "unkept",  # of a file
}  # fmt: skip
"""The fields of type `str` that are no words: nothing that a person wrote freely is in them."""


def example(hint: Any, *, empty: bool = False) -> Any:
    """A value of a field's type."""
    if isinstance(hint, types.UnionType):
        return None if empty else example(next(one for one in typing.get_args(hint) if one is not type(None)))
    if typing.get_origin(hint) is tuple:
        return () if empty else ("a, b", "ü “c”\n")
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return list(hint)[-1]
    values = {str: ("", "Es brennt – “hier” 🔥\nja"), int: (0, 7), bool: (False, True)}
    values |= {datetime: (AT, AT), date: (date(2026, 12, 1), date(2026, 12, 1))}
    return values[hint][not empty]


def made(cls: type[Event], *, empty: bool = False) -> Event:
    hints = typing.get_type_hints(cls)
    return cls(**{f.name: example(hints[f.name], empty=empty) for f in fields(cls)})


def words_of(cls: type[Event]) -> set[str]:
    return {f.name for f in fields(cls) if f.metadata.get("words")}


def test_the_names_are_stable() -> None:
    assert set(EVENTS) == NAMES


def test_an_event_knows_its_name() -> None:
    assert {name: cls.name for name, cls in EVENTS.items()} == {name: name for name in NAMES}


def test_every_kind_of_entry_has_its_event_under_the_same_name() -> None:
    assert {kind.value: cls.name for kind, cls in ENTRY_EVENTS.items()} == {kind.value: kind.value for kind in Kind}
    assert [cls for cls in EVENTS.values() if issubclass(cls, Numbered)] == list(ENTRY_EVENTS.values())


@pytest.mark.parametrize("empty", [False, True])
def test_an_event_comes_back_from_json_as_it_was(empty: bool) -> None:
    happened = {name: made(cls, empty=empty) for name, cls in EVENTS.items()}
    written = {name: json.loads(json.dumps(to_json(one))) for name, one in happened.items()}
    assert {name: from_json(name, *parts) for name, parts in written.items()} == happened


def test_words_are_apart_from_facts() -> None:
    apart = {name: tuple(map(set, to_json(made(cls)))) for name, cls in EVENTS.items()}
    assert apart == {
        name: ({f.name for f in fields(cls)} - words_of(cls), words_of(cls)) for name, cls in EVENTS.items()
    }


def test_no_free_text_is_among_the_facts() -> None:
    found = {
        f.name
        for cls in EVENTS.values()
        for f in fields(cls)
        if not f.metadata.get("words") and re.search(r"\bstr\b", str(f.type))
    }
    assert found == FACTS_OF_TEXT


def without_words(happened: Event) -> Event:
    empty: dict[str, Any] = {
        name: () if isinstance(getattr(happened, name), tuple) else "" for name in words_of(type(happened))
    }
    return replace(happened, **empty)


def test_words_that_were_destroyed_read_as_empty_and_the_facts_stay() -> None:
    happened = {name: made(cls) for name, cls in EVENTS.items()}
    assert {name: from_json(name, to_json(one)[0], None) for name, one in happened.items()} == {
        name: without_words(one) for name, one in happened.items()
    }


def test_a_name_of_a_newer_program_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="from_the_future"):
        from_json("from_the_future", {}, {})


HEAD = {"by": "a", "recorded_at": "2026-11-21T03:06:01.000002Z"}


@pytest.mark.parametrize(
    ("name", "facts", "said", "happened"),
    [
        (
            "note",
            {**HEAD, "entry": 2, "at": "2026-11-21T03:00:00Z"},
            {"text": "slow"},
            Noted(by="a", recorded_at=AT, entry=2, at=datetime(2026, 11, 21, 3, tzinfo=UTC), text="slow"),
        ),
        (
            "kind_corrected",
            {**HEAD, "entry": 2, "to": "dead_end"},
            {},
            KindCorrected(by="a", recorded_at=AT, entry=2, to=Kind.DEAD_END),
        ),
        (
            "task_changed",
            {**HEAD, "task": 3},
            {},
            TaskChanged(by="a", recorded_at=AT, task=3),
        ),
        (
            "text_corrected",
            {**HEAD, "entry": 2},
            {"text": "slower"},
            TextCorrected(by="a", recorded_at=AT, entry=2, text="slower"),
        ),
        (
            "onset_set",
            {**HEAD, "at": "2026-11-21T04:00:00+01:00", "from_the_future": 1},
            {},
            OnsetSet(by="a", recorded_at=AT, at=datetime(2026, 11, 21, 3, tzinfo=UTC)),
        ),
    ],
)
def test_an_old_row_without_a_field_that_has_a_default_stays_readable(
    name: str, facts: dict[str, Any], said: dict[str, Any], happened: Event
) -> None:
    assert from_json(name, facts, said) == happened


def test_json_looks_like_this() -> None:
    entry: dict[str, Any] = {"by": "a", "recorded_at": AT, "entry": 2, "at": AT, "said_in": "C1/1.2", "author": "b"}
    shared = {
        "by": "a", "recorded_at": "2026-11-21T03:06:01.000002Z", "entry": 2, "at": "2026-11-21T03:06:01.000002Z",
        "approx": False, "zone": "UTC", "said_in": "C1/1.2", "author": "b",
    }  # fmt: skip
    task = TaskAdded(**entry, text="Cap it", task=1, owner="Ben", category=Category.PREVENT, due=date(2026, 12, 1))
    services = ServicesNamed(**entry, text="x, -y", added=("x",), removed=("y",))
    role = RoleGiven(**entry, role="night shift", person="c", who="@chidi")
    assert [to_json(one) for one in (task, services, role)] == [
        (
            {**shared, "task": 1, "person": "", "category": "prevent", "due": "2026-12-01", "public": False},
            {"text": "Cap it", "owner": "Ben"},
        ),
        (shared, {"text": "x, -y", "added": ["x"], "removed": ["y"]}),
        ({**shared, "person": "c"}, {"text": "", "role": "night shift", "who": "@chidi"}),
    ]


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        to_json(Noted(by="a", recorded_at=AT.replace(tzinfo=None), entry=2, at=AT))


def test_sources_and_categories_are_stable() -> None:
    assert [*Source] == ["monitoring", "engineer", "customer"]
    assert [*Category] == ["prevent", "detect", "mitigate", "process"]
