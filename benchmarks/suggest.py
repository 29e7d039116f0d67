"""How well messages that belong into a timeline are found: `make benchmark-suggest`.

Precision, recall and agreement on kind against answer keys: the exports in examples/incidents, and the invented
channels in tests/exports. ARGS="--why NAME" lists what was missed and what was offered without need;
ARGS=--held-out measures each channel by rules that were not made for it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot import chat_exports
from bot.core.clues import CLUES, Clue
from bot.core.suggest import KINDS, Suggestion, phrases, suggest

ROOT = Path(__file__).resolve().parent.parent
REAL = ROOT / "examples" / "incidents"
INVENTED = ROOT / "tests" / "exports"
UNSEEN = INVENTED / "unseen"
JSON = dict[str, Any]

_HEAD = re.compile(r"(zone|day|person|bot): (.+)")
_LINE = re.compile(
    r"(?P<clock>\d\d:\d\d) (?P<who>\S+)(?P<reply> >)?(?: \[(?P<kind>[a-z_]+)(?: (?P<at>\d\d:\d\d))?\])?"
    r" (?P<text>.*?)(?: \{(?P<mark>[\w+]+)\})?"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A channel and its answer key: kind and, where it is not the message's own, the time, by ts."""

    name: str
    export: chat_exports.Export
    worthy: dict[str, tuple[str, datetime | None]]


@dataclass(frozen=True, slots=True)
class Result:
    """What was found in a channel: how many were offered, are worthy, and are both; of these, with the same kind."""

    offered: int
    worthy: int
    right: int
    kinds: int
    times: int
    timed: int

    def __add__(self, other: Result) -> Result:
        return Result(
            self.offered + other.offered, self.worthy + other.worthy, self.right + other.right,
            self.kinds + other.kinds, self.times + other.times, self.timed + other.timed,
        )  # fmt: skip

    @property
    def precision(self) -> float:
        return self.right / self.offered if self.offered else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.worthy if self.worthy else 0.0

    @property
    def agreement(self) -> float:
        return self.kinds / self.right if self.right else 0.0


def cases() -> list[Case]:
    """All channels with a key: those of examples/incidents, the invented ones, those that no rule was made for."""
    return [_real(path) for path in sorted(REAL.glob("*.slack.json"))] + [
        _invented(path) for path in [*sorted(INVENTED.glob("*.txt")), *sorted(UNSEEN.glob("*.txt"))]
    ]


def _real(path: Path) -> Case:
    key = yaml.safe_load(path.with_name(path.name.replace(".slack.json", ".expect.yaml")).read_text(encoding="utf-8"))
    worthy = {one["ts"]: (one["kind"], _aware(one.get("event_at"))) for one in key["worthy"]}
    return Case(path.name.removesuffix(".slack.json"), chat_exports.read(path), worthy)


def _aware(said: object) -> datetime | None:
    return datetime.fromisoformat(said) if isinstance(said, str) else said if isinstance(said, datetime) else None


def _invented(path: Path) -> Case:
    export, worthy = written(path.read_text(encoding="utf-8"))
    return Case(
        path.relative_to(INVENTED).with_suffix("").as_posix(), chat_exports.parse(json.dumps(export), path.name), worthy
    )


def written(text: str) -> tuple[JSON, dict[str, tuple[str, datetime | None]]]:
    """An export as Slack writes it, and its key, from the short form of tests/exports."""
    zone, day, people, bots = "UTC", date(2026, 1, 1), dict[str, str](), list[str]()
    messages: list[JSON] = []
    worthy: dict[str, tuple[str, datetime | None]] = {}
    parent, before = "", ""
    for number, line in enumerate(text.splitlines()):
        if head := _HEAD.fullmatch(line):
            key, value = head.groups()
            zone = value if key == "zone" else zone
            day = date.fromisoformat(value) if key == "day" else day
            bots += [value] if key == "bot" else []
            people |= {value.split()[0]: value.split()[1]} if key == "person" else {}
            continue
        if line.startswith("## "):
            day = date.fromisoformat(line[3:])
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number + 1} cannot be read: {line}")
        who = found["who"]
        at = _local(day, found["clock"], zone)
        ts = f"{int(at.timestamp())}.{number:06d}"
        said = found["text"].replace("\\n", "\n").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        message: JSON = {"type": "message", "text": re.sub(r"@(\w+)", r"<@U\1>", said), "ts": ts}
        if who in bots:
            message |= {"subtype": "bot_message", "bot_id": f"B{who}", "username": who}
        else:
            people.setdefault(who, zone)
            message |= {"user": f"U{who}"}
        if found["reply"]:
            message["thread_ts"] = parent
        else:
            parent = ts
        if found["mark"]:
            message["reactions"] = [{"name": found["mark"], "users": ["Ux"], "count": 1}]
        messages.append(message)
        if found["kind"] in KINDS:
            about = _local(day, found["at"], zone) if found["at"] else None
            if about is not None and about > at:
                about -= timedelta(days=1)
            worthy[ts] = (found["kind"], about)
        assert ts > before, line
        before = ts
    users = [{"id": f"U{name}", "name": name, "tz": theirs} for name, theirs in people.items()]
    for user in users:  # mentions are upper case in Slack's markup
        user["id"] = user["id"].upper()
    for message in messages:
        message["text"] = re.sub(r"<@U\w+>", lambda hit: hit[0].upper(), message["text"])
        if "user" in message:
            message["user"] = message["user"].upper()
    return {"channel": {"id": "C1", "name": "incident"}, "users": users, "messages": messages}, worthy


def _local(day: date, clock: str, zone: str) -> datetime:
    hour, minute = clock.split(":")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=ZoneInfo(zone))


def measure(case: Case, clues: Sequence[Clue] = CLUES) -> tuple[Result, list[Suggestion]]:
    """How well the rules do on a channel."""
    offered = suggest(case.export.messages, clues=clues)
    right = [one for one in offered if one.id in case.worthy]
    timed = [one for one in right if case.worthy[one.id][1] is not None]
    return Result(
        offered=len(offered),
        worthy=len(case.worthy),
        right=len(right),
        kinds=sum(one.kind == case.worthy[one.id][0] for one in right),
        times=sum(abs(one.at - (case.worthy[one.id][1] or one.at)) < timedelta(minutes=1) for one in timed),
        timed=len(timed),
    ), offered


def without(channel: str, every: Sequence[Case]) -> list[Clue]:
    """The rows without each pattern that matches in this channel and in no other: as if it had never been seen."""
    said = {case.name: [pair for one in case.export.messages for pair in phrases(one.text)] for case in every}

    def elsewhere(clue: Clue, pattern: str) -> bool:
        words = re.compile(pattern)
        return any(
            words.match(opening) if clue.opening else words.search(part)
            for name, pairs in said.items()
            if name != channel
            for part, opening in pairs
        )

    kept = [(clue, [one for one in clue.patterns if elsewhere(clue, one)]) for clue in CLUES]
    return [clue.only(patterns) for clue, patterns in kept if patterns]


def main(arguments: list[str]) -> int:
    """Prints the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument(
        "--why", default="", help="name of a channel (or the beginning): what was missed and what was offered"
    )
    asked.add_argument(
        "--held-out", action="store_true", help="leave out of each channel's rules what matches in that channel alone"
    )
    given = asked.parse_args(arguments)
    every = cases()
    print(f"{'':42}{'offered':>8}{'worthy':>8}{'precision':>11}{'recall':>8}{'kind':>7}{'times':>8}")
    totals = {
        name: Result(0, 0, 0, 0, 0, 0) for name in ("examples/incidents", "tests/exports", "tests/exports/unseen")
    }
    for case in every:
        result, offered = measure(case, without(case.name, every) if given.held_out else CLUES)
        _row(case.name, result)
        group = "examples/incidents" if case.name[0].isdigit() else str(Path("tests/exports", case.name).parent)
        totals[group] += result
        if given.why and case.name.startswith(given.why):
            _explain(case, offered)
    for name, total in totals.items():
        _row(name, total)
    print(f"\n10,000 messages: {_pace(10_000):.2f} s")
    return 0


def _row(name: str, result: Result) -> None:
    print(
        f"{name:42}{result.offered:8}{result.worthy:8}{result.precision:11.2f}{result.recall:8.2f}"
        f"{result.agreement:7.2f}{result.times:5}/{result.timed}"
    )


def _explain(case: Case, offered: list[Suggestion]) -> None:
    by_id = {one.id: one for one in offered}
    for message in case.export.messages:
        one, key = by_id.get(message.id), case.worthy.get(message.id)
        if one is None and key is None:
            continue
        mark = (
            "MISSED " if one is None else "EXTRA  " if key is None else "kind   " if one.kind != key[0] else "       "
        )
        told = f" @{one.at.astimezone(UTC):%H:%M}" if one and one.told else ""
        wanted = f" (want {key[0]}{f' @{key[1].astimezone(UTC):%H:%M}' if key[1] else ''})" if key else ""
        print(
            f"  {mark}{one.kind if one else '-'}{told}{wanted}: {message.text[:150]!r} {list(one.why) if one else ''}"
        )


def _pace(size: int) -> float:
    """Seconds of a processor for a channel of so many messages, made of all those there are."""
    every = [message for case in cases() for message in case.export.messages]
    start = every[0].said_at
    channel = [
        replace(every[n % len(every)], id=f"{n:012d}", said_at=start + timedelta(seconds=20 * n)) for n in range(size)
    ]
    begun = time.process_time()
    assert Counter(one.kind for one in suggest(channel))
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
