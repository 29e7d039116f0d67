"""A scenario file becomes the lines that people would have typed; a bad one is refused with all that is wrong in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core import grammar
from bot.core.commands import AddTask, Command, Record, Start
from bot.core.errors import Refusal
from bot.scenarios import COMMANDER, Line, Scenario, parse, read

FOLDER = Path(__file__).parent.parent / "examples" / "incidents"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if not path.name.endswith(".expect.yaml"))
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:2])

VERBS = {  # kind in the file -> verbs that may tell it
    "detection": {"detected"},
    "action": {"action"},
    "hypothesis": {"hypothesis"},
    "dead_end": {"ruledout"},
    "escalation": {"escalated"},
    "update": {"told"},
    "mitigation": {"mitigation", "mitigated"},
    "resolution": {"mitigation", "resolve"},
    "cause": {"trigger", "note"},
    "note": {"note"},
}

SMALL = """\
title: Checkout fails since Tuesday
timezone: Europe/London
severity: sev2
started_at: 2026-03-30T07:11:00+01:00
detected_at: 2026-03-30T08:56:00+01:00
detected_by: customer
mitigated_at: 2026-03-30T09:43:00+01:00
resolved_at: 2026-03-30T14:39:00+01:00
services: [checkout, web shop, api]
impact:
  description: Nobody could pay.
  symptoms: Error pages.
  users_affected_percent: 34
timeline:
- {at: 2026-03-29T00:30:00Z, kind: cause, by: platform team, text: A beta is offered., approx: true}
- {at: 2026-03-30T07:11:00+01:00, kind: action, by: platform team, text: Rollout starts.}
- {at: 2026-03-30T07:11:00+01:00, kind: cause, by: platform team, text: "Rules match: too much."}
- {at: 2026-03-30T08:56:00+01:00, kind: detection, by: shop team, text: by customer mail}
- {at: 2026-03-30T08:56:00+01:00, kind: detection, by: shop team, text: by customer phone}
- {at: 2026-03-30T09:43:00+01:00, kind: mitigation, by: platform team, text: Rollback is pressed.}
- {at: 2026-03-30T09:43:00+01:00, kind: mitigation, by: platform team, text: Rollback is complete.}
- {at: 2026-03-30T10:00:00+01:00, kind: resolution, by: shop team, text: First part over.}
- {at: 2026-03-30T14:39:00+01:00, kind: resolution, by: shop team, text: It has not come back.}
- {at: 2026-03-30T14:41:00+01:00, kind: update, by: support, text: "Shops: all clear."}
root_cause: Two rules match the login.
contributing_factors: [Testing missed one.]
resolution: The upgrade was rolled back.
lessons:
  went_well: [Quick.]
  went_wrong: [Told late.]
  got_lucky: [Monday.]
corrective_measures: [Test more.]
action_items:
- {task: Alert on 429 (done), type: detect, owner: shop team}
- {task: Review, due: 2026-04-30}
- {task: Load test, type: prevent, due: within two weeks, owner: a team with a name of more than forty characters}
source: {name: somewhere}
conflicts: [some]
unknown: [much]
"""


@cache
def facts(path: Path) -> dict[str, Any]:
    """The file as PyYAML reads it, which is how the tests know better."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


known = cache(read)  # files do not change while they are tested


def small(**changes: Any) -> Scenario:
    """SMALL with some top-level values replaced (None: left out)."""
    content = yaml.load(SMALL, Loader=yaml.BaseLoader) | changes  # noqa: S506 - BaseLoader makes nothing but text
    kept = {key: value for key, value in content.items() if value is not None}
    return parse(yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=10_000), Path("small.yaml"))


def texts(scenario: Scenario, verb: str = "") -> list[str]:
    return [line.text for line in scenario.lines if line.text.split()[0].startswith(verb)]


# --- the small scenario, whole --------------------------------------------------------------------------------------


def test_a_scenario_becomes_these_lines() -> None:
    scenario = parse(SMALL, Path("folder/99-small.yaml"))
    assert [(f"{line.at:%H:%M:%S}", line.person, line.text, line.event) for line in scenario.lines] == [
        (
            "06:11:00",
            COMMANDER,
            "start sev2 Checkout fails since Tuesday since 2026-03-30T07:11:00+01:00",
            None,
        ),
        ("06:11:01", "platform team", "trigger at ~2026-03-29T00:30:00+00:00 A beta is offered.", 0),
        ("06:11:02", "platform team", "action at 2026-03-30T07:11:00+01:00 Rollout starts.", 1),
        ("06:11:03", "platform team", "note at 2026-03-30T07:11:00+01:00 Rules match: too much.", 2),
        ("07:56:00", "shop team", "detected at 2026-03-30T08:56:00+01:00 by customer by customer mail", 3),
        ("07:56:01", "shop team", "detected at 2026-03-30T08:56:00+01:00 : by customer phone", 4),
        ("08:43:00", "platform team", "mitigation at 2026-03-30T09:43:00+01:00 Rollback is pressed.", 5),
        ("08:43:01", "platform team", "mitigated at 2026-03-30T09:43:00+01:00 Rollback is complete.", 6),
        ("09:00:00", "shop team", "mitigation at 2026-03-30T10:00:00+01:00 First part over.", 7),
        ("13:39:00", "shop team", "resolve at 2026-03-30T14:39:00+01:00 It has not come back.", 8),
        ("13:41:00", "support", "told at 2026-03-30T14:41:00+01:00 : Shops: all clear.", 9),
        ("13:42:00", COMMANDER, "services checkout, web shop, api", None),
        ("13:43:00", COMMANDER, "impact Nobody could pay.", None),
        ("13:44:00", COMMANDER, "impact users saw: Error pages.", None),
        ("13:45:00", COMMANDER, "impact 34 % of users were affected", None),
        ("13:46:00", COMMANDER, "cause Two rules match the login.", None),
        ("13:47:00", COMMANDER, "factor Testing missed one.", None),
        ("13:48:00", COMMANDER, "fix The upgrade was rolled back.", None),
        ("13:49:00", COMMANDER, "well Quick.", None),
        ("13:50:00", COMMANDER, "wrong Told late.", None),
        ("13:51:00", COMMANDER, "lucky Monday.", None),
        ("13:52:00", COMMANDER, "improve Test more.", None),
        ("13:53:00", COMMANDER, "todo for shop team: detect: Alert on 429 (done)", None),
        ("13:54:00", COMMANDER, "todo Review by 2026-04-30", None),
        (
            "13:55:00",
            COMMANDER,
            "todo for a team with a name of more than forty characters: prevent: Load test (due within two weeks)",
            None,
        ),
        ("13:56:00", COMMANDER, "done T1", None),
    ]
    assert (scenario.slug, scenario.title, scenario.zone, scenario.severity, scenario.resolved, scenario.entries) == (
        *("99-small", "Checkout fails since Tuesday", "Europe/London", "sev2", True, 10),
    )
    assert scenario.people == (
        *("platform team", "shop team", "support", "a team with a name of more than forty characters"),
    )


# --- every file that comes with Scribe ------------------------------------------------------------------------------


def test_there_are_files_to_read() -> None:
    assert len(FILES) == 13


@EVERY_FILE
def test_every_entry_is_told_once_by_its_author_with_its_time_and_its_very_words(path: Path) -> None:
    entries = facts(path)["timeline"]
    told = [line for line in known(path).lines if line.event is not None]
    assert [line.event for line in told] == list(range(len(entries)))
    for line, entry in zip(told, entries, strict=True):
        shape = re.match(r"(\w+) at (~?)(\S+)( by \w+(?= ))?( :)? ", line.text)
        assert shape is not None, line
        verb, approx, time, _, _ = shape.groups()
        assert verb in VERBS[entry["kind"]]
        assert (approx == "~") == entry.get("approx", False)
        assert datetime.fromisoformat(time) == entry["at"]
        assert datetime.fromisoformat(time).utcoffset() == entry["at"].utcoffset()
        assert line.text.endswith(f" {entry['text']}")
        assert line.person == entry["by"]


@EVERY_FILE
def test_the_clock_goes_forward_and_no_line_is_typed_before_what_it_tells(path: Path) -> None:
    scenario = known(path)
    moments = [line.at for line in scenario.lines]
    assert all(moment.tzinfo is UTC for moment in moments)
    assert all(earlier < later for earlier, later in pairwise(moments))
    for line in scenario.lines:
        named = [datetime.fromisoformat(time) for time in re.findall(r" (?:at ~?|since )(\d{4}-\S+T\S+)", line.text)]
        assert all(time <= line.at for time in named), line


@EVERY_FILE
def test_the_times_of_the_header_are_told_once(path: Path) -> None:
    content = facts(path)
    scenario = known(path)
    assert datetime.fromisoformat(scenario.lines[0].text.rpartition(" since ")[2]) == content["started_at"]
    assert scenario.resolved == ("resolved_at" in content)
    for verb, key in (("mitigated", "mitigated_at"), ("resolve", "resolved_at")):
        named = [datetime.fromisoformat(text.split()[2].lstrip("~")) for text in texts(scenario, verb)]
        assert named == ([content[key]] if key in content else [])
    found = [words for text in texts(scenario, "detected") if (words := text.split())[3] == "by"]
    assert [(datetime.fromisoformat(words[2].lstrip("~")), words[4]) for words in found] == (
        [(content["detected_at"], content["detected_by"])] if "detected_at" in content else []
    )
    assert len(texts(scenario, "trigger")) == any(entry["kind"] == "cause" for entry in content["timeline"])


@EVERY_FILE
def test_what_the_file_says_beside_its_timeline_is_said_afterwards(path: Path) -> None:
    content = facts(path)
    lines = known(path).lines
    last = max(n for n, line in enumerate(lines) if " at " in line.text and line.event is not None)
    afterwards = "\n".join(line.text for line in lines[last + 1 :])
    lessons = content.get("lessons", {})
    expected = [
        f"services {', '.join(content['services'])}",
        f"impact {content['impact']['description']}",
        f"impact users saw: {content['impact']['symptoms']}",
        f"cause {content['root_cause']}",
        *(f"factor {text}" for text in content["contributing_factors"]),
        f"fix {content['resolution']}",
        *(f"well {text}" for text in lessons.get("went_well", [])),
        *(f"wrong {text}" for text in lessons.get("went_wrong", [])),
        *(f"lucky {text}" for text in lessons.get("got_lucky", [])),
        *(f"improve {text}" for text in content.get("corrective_measures", [])),
        *(f"{item['type']}: {item['task']}" for item in content.get("action_items", [])),
    ]
    positions = [afterwards.find(text) for text in expected]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert len(texts(known(path), "todo")) == len(content.get("action_items", []))


@EVERY_FILE
def test_two_readings_are_equal(path: Path) -> None:
    assert read(path) == known(path)


def test_no_text_in_these_files_needs_a_colon_but_two_messages() -> None:
    guarded = [text for path in FILES for text in texts(known(path)) if re.match(r"\w+( at \S+)?( by \w+)? : ", text)]
    assert [text.split(": ")[1] for text in guarded] == ["Status message", "Statement"]


# --- header times without an entry ----------------------------------------------------------------------------------


def entry(at: str, kind: str, text: str = "Something.") -> dict[str, str]:
    return {"at": f"2026-03-30T{at}:00+01:00", "kind": kind, "by": "team", "text": text}


def timeline_of(scenario: Scenario) -> list[str]:
    return [re.sub(r"2026-03-30T(\d\d:\d\d):00\+01:00", r"\1", text) for text in texts(scenario) if " at " in text]


def test_header_times_without_an_entry_are_told_after_the_entries_of_that_minute() -> None:
    scenario = small(timeline=[entry("08:56", "note"), entry("09:43", "note"), entry("14:39", "update")])
    assert timeline_of(scenario) == [
        "note at 08:56 Something.",
        "detected at 08:56 by customer",
        "note at 09:43 Something.",
        "mitigated at 09:43",
        "told at 14:39 Something.",
        "resolve at 14:39",
    ]
    assert [line.person for line in scenario.lines if line.event is None] == [COMMANDER] * 19


def test_impact_ends_before_the_incident_is_resolved_even_in_the_same_minute() -> None:
    scenario = small(
        mitigated_at="2026-03-30T14:39:00+01:00",
        detected_at="2026-03-30T14:39:00+01:00",
        timeline=[entry("14:39", "resolution"), entry("14:39", "mitigation")],
    )
    assert timeline_of(scenario) == [
        "detected at 14:39 by customer",
        "mitigated at 14:39",
        "resolve at 14:39 Something.",
        "mitigation at 14:39 Something.",
    ]


def test_a_detection_without_a_known_source_names_none() -> None:
    scenario = small(detected_by=None, mitigated_at=None, resolved_at=None, timeline=[entry("08:56", "detection")])
    assert timeline_of(scenario) == ["detected at 08:56 Something."]
    assert not scenario.resolved


def test_a_source_without_a_time_belongs_to_the_first_detection() -> None:
    entries = [entry("08:56", "detection"), entry("08:57", "detection")]
    scenario = small(detected_at=None, mitigated_at=None, resolved_at=None, timeline=entries)
    assert timeline_of(scenario) == ["detected at 08:56 by customer Something.", "detected at 08:57 Something."]


def test_a_source_without_any_time_is_noted_and_no_time_is_made_up() -> None:
    scenario = small(detected_at=None, timeline=[entry("08:56", "note")])
    assert texts(scenario, "detected") == []
    assert "note found by customer, when is not known" in texts(scenario)


def test_a_file_that_says_little_gives_few_lines() -> None:
    keys = ("title", "timezone", "severity", "started_at")
    everything = yaml.load(SMALL, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader makes nothing but text
    little = small(
        **{key: None for key in everything if key not in keys}
        | {"impact": {"description": "Slow."}, "timeline": [entry("08:56", "note")]}
    )
    assert [line.text.split()[0] for line in little.lines] == ["start", "note", "impact"]


def test_the_same_words_by_the_same_person_are_typed_more_than_90_seconds_apart() -> None:
    scenario = small(timeline=[entry("08:56", "note")] * 3, lessons={"went_well": ["Quick.", "Quick."]})
    for verb in ("note", "well"):
        moments = [line.at for line in scenario.lines if line.text.startswith(verb)]
        gaps = {later - earlier for earlier, later in pairwise(moments)}
        assert gaps == {timedelta(seconds=91)}


# --- texts that the language would misread --------------------------------------------------------------------------


def understood(line: Line) -> Command:
    return grammar.parse(line.text, grammar.Context(now=line.at, zone="Europe/London")).command


@EVERY_FILE
def test_the_language_reads_every_line_and_finds_the_words_of_the_file(path: Path) -> None:
    content = facts(path)
    commands = [understood(line) for line in known(path).lines]
    entries = [c for line, c in zip(known(path).lines, commands, strict=True) if line.event is not None]
    assert [(c.text, c.target, c.when and (c.when.at, c.when.approx)) for c in entries if isinstance(c, Record)] == [
        (entry["text"], "", (entry["at"], entry.get("approx", False))) for entry in content["timeline"]
    ]
    tasks = [(c.text, c.owner, c.category, str(c.due or "")) for c in commands if isinstance(c, AddTask)]
    assert tasks == [
        (
            item["task"] + (f" (due {item['due']})" if item.get("due", "2")[0] != "2" else ""),
            item.get("owner", ""),
            item["type"],
            item["due"] if item.get("due", "")[:1] == "2" else "",
        )
        for item in content.get("action_items", [])
    ]


@pytest.mark.parametrize(
    ("kind", "text", "guarded"),
    [
        ("detection", "by alert 5xx above 20 %", True),
        ("detection", "by eye", True),
        ("detection", "Seen by eye", False),
        ("escalation", "@ben connections are all taken", True),
        ("escalation", "to be safe, two more are called", True),
        ("escalation", "DBA: connections are all taken", True),
        ("escalation", ": a colon", True),
        ("escalation", "Called the DBA at 10:30 because of locks", False),
        ("update", "Status: all is well", True),
        ("update", "A sentence of rather more than forty letters: all is well", False),
        ("update", "https://status.example.org shows it", False),
        ("dead_end", "Two bad disks", False),
        ("note", "14:05 is the time in the log", False),
        ("note", "~2000 requests", False),
        ("note", "10m ago it was fine", False),
        ("note", "Decision: restore", False),
        ("note", "UTC is the zone of the log", False),
        ("note", "pm was the wrong half of the day", False),
        ("note", ": a colon", False),
        ("note", "INC-42: see there", False),
        ("note", "₹40,600 crore `moved`\nबाज़ार: संचालन", False),
    ],
)
def test_a_text_in_the_timeline_stays_text(kind: str, text: str, guarded: bool) -> None:
    scenario = small(detected_by=None, timeline=[entry("09:00", kind, text)])
    (line,) = [line for line in scenario.lines if line.event == 0]
    assert line.text.split(" ", 3)[3] == (f": {text}" if guarded else text)
    command = understood(line)
    assert isinstance(command, Record)
    assert (command.text, command.target, command.source, command.number) == (text, "", None, None)


@pytest.mark.parametrize("text", ["2 bad disks", "#3 was wrong"])
def test_a_dead_end_that_begins_with_a_number_stays_text(text: str) -> None:
    scenario = small(detected_at=None, mitigated_at=None, resolved_at=None, timeline=[entry("09:00", "dead_end", text)])
    assert timeline_of(scenario) == [f"ruledout at 09:00 : {text}"]


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("At 14:05 the pager rang", True),
        ("at about 10 it was slow", True),
        ("14:05 was too late", True),
        ("0312 was too late", True),
        ("-5m of data", True),
        ("5m ago", True),
        ("2026-03-30 10:00 was too late", True),
        ("Thu 14:00 is a bad time", True),
        ("yesterday 23:50", True),
        ("INC-42: see there", True),
        (": a colon", False),
        ("~2000 requests were lost", False),
        ("At least nobody was hurt", False),
        ("Monitoring 24 hours a day helped", False),
        ("1200 users wrote", False),
        ("now it is worse", False),
        ("Found by customers since Tuesday", False),
    ],
)
def test_a_text_said_afterwards_stays_text(text: str, guarded: bool) -> None:
    scenario = small(
        root_cause=text,
        resolution=text,
        contributing_factors=[text],
        corrective_measures=[text],
        lessons={"got_lucky": [text]},
        impact={"description": text, "symptoms": text},
        services=["0312 servers"] if guarded else ["web"],
    )
    lines = [line for line in scenario.lines if line.text.split()[0] in {"cause", "fix", "factor", "improve", "lucky"}]
    lines += [line for line in scenario.lines if line.text.startswith(("impact", "services"))]
    assert len(lines) == 8
    for line in lines:
        verb, _, rest = line.text.partition(" ")
        users_saw = "users saw: " if rest.startswith("users saw: ") else ""
        time = f"at {line.at.isoformat()} " if guarded and not users_saw else ""
        words = {"services": "0312 servers" if guarded else "web"}.get(verb, text)
        assert line.text == f"{verb} {time}{users_saw}{words}"
        command = understood(line)
        assert isinstance(command, Record)
        assert command.text == words
        assert command.when is None or command.when.at == line.at


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        ({"task": "Stop by hand"}, ["todo Stop by hand"]),
        ({"task": "Ship by Friday", "type": "prevent"}, ["todo prevent: : Ship by Friday"]),
        ({"task": "Ship by the end of June 2026"}, ["todo : Ship by the end of June 2026"]),
        ({"task": "Ship by 2026-05-01", "due": "2026-06-01"}, ["todo Ship by 2026-05-01 by 2026-06-01"]),
        ({"task": "Ship", "due": "next week"}, ["todo Ship (due next week)"]),
        ({"task": "detect: it earlier", "type": "prevent"}, ["todo prevent: detect: it earlier"]),
        ({"task": "detect: it earlier"}, ["todo : detect: it earlier"]),
        ({"task": "Tag with #prevent", "due": "2026-06-01"}, ["todo : Tag with #prevent", "todo T1 by 2026-06-01"]),
        ({"task": "T3 is a word here"}, ["todo : T3 is a word here"]),
        ({"task": "T3 is a word here", "type": "detect"}, ["todo detect: T3 is a word here"]),
        ({"task": "for all: write it down"}, ["todo : for all: write it down"]),
        ({"task": "Note: write it down"}, ["todo Note: write it down"]),
        ({"task": "Ship", "owner": "team: red"}, ["todo Ship (owner: team: red)"]),
        ({"task": "Ship", "owner": "a, b"}, ["todo for a, b: Ship"]),
        ({"task": "Ship (done)", "due": "soon"}, ["todo Ship (done) (due soon)", "done T1"]),
    ],
)
def test_a_task_keeps_its_words_owner_and_date(item: dict[str, str], lines: list[str]) -> None:
    scenario = small(action_items=[item])
    said = [line for line in scenario.lines if line.text.startswith(("todo", "done"))]
    assert [line.text for line in said] == lines


@pytest.mark.parametrize("title", ["drill for the board", "SEV1 in the shop", "14:05 outage", "Move in new channel"])
def test_a_title_stays_a_title(title: str) -> None:
    command = understood(small(title=title).lines[0])
    assert isinstance(command, Start)
    assert command.since is not None
    assert (command.title, command.severity, command.drill, command.new_channel, command.since.at) == (
        *(title, 2, False, False, datetime(2026, 3, 30, 6, 11, tzinfo=UTC)),
    )


# --- files that are refused -----------------------------------------------------------------------------------------


def refusal(text: str) -> list[str]:
    with pytest.raises(Refusal) as refused:
        parse(text, Path("bad.yaml"))
    return refused.value.message.splitlines()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("title: Checkout fails since Tuesday", "title: ''", 1, "title is empty"),
        ("title: Checkout fails since Tuesday", 'title: "two\\nlines"', 1, "title must be one line"),
        ("title: Checkout fails since Tuesday", "title: [a]", 1, "title must be text, not a list"),
        ("timezone: Europe/London", "timezone: Mars/Base", 2, "timezone is 'Mars/Base'"),
        ("timezone: Europe/London", "timezone: ../London", 2, "timezone is '../London'"),
        ("services: [checkout", "services: [-checkout", 9, "services[0] is '-checkout'"),
        ("severity: sev2", "severity: bad", 3, "severity is 'bad'"),
        ("severity: sev2", "severty: sev2", 3, "severty is not known here"),
        ("severity: sev2", "severity: sev2\nseverity: sev1", 4, "severity stands here a second time"),
        ("07:11:00+01:00\ndet", "07:11:00\ndet", 4, "started_at is '2026-03-30T07:11:00', without an offset"),
        ("started_at: 2026-03-30T07:11:00+01:00", "started_at: 2026-03-30", 4, "started_at is '2026-03-30', which is"),
        ("started_at: 2026-03-30", "started_at: 2026-02-30", 4, "started_at is '2026-02-30T07:11:00+01:00', which no"),
        ("started_at: 2026-03-30", "started_at: 2026-03-31", 7, "mitigated_at is before started_at"),
        ("detected_by: customer", "detected_by: a cat", 6, "detected_by is 'a cat'"),
        ("detected_at: 2026-03-30", "detected_at: 2026-03-31", 8, "resolved_at is before detected_at"),
        ("resolved_at: 2026-03-30T14", "resolved_at: 2026-03-30T08", 8, "resolved_at is before mitigated_at"),
        ("  description: Nobody could pay.\n", "", 11, "impact.description is missing"),
        ("  symptoms: Error pages.", "  symptom: Error pages.", 12, "impact.symptom is not known here"),
        ("percent: 34", "percent: 134", 13, "impact.users_affected_percent is '134'"),
        ("percent: 34", "percent: most", 13, "impact.users_affected_percent is 'most'"),
        ("approx: true", "approx: perhaps", 15, "timeline[0].approx is 'perhaps'"),
        ("2026-03-29T00:30:00Z", "2026-03-29T00:30:00", 15, "timeline[0].at is '2026-03-29T00:30:00', without an"),
        ("2026-03-29T00:30:00Z", "2026-04-29T00:30:00Z", 16, "timeline[1].at is before the entry above it"),
        ("kind: action", "kind: acton", 16, "timeline[1].kind is 'acton'"),
        ("text: Rollout starts.", "text: ' '", 16, "timeline[1].text is empty"),
        (", text: Rollout starts.", "", 16, "timeline[1].text is missing"),
        ("text: Rollout starts.", "text: {a: b}", 16, "timeline[1].text must be text, not a mapping"),
        ("text: Rollout starts.", "words: a, text: b", 16, "timeline[1].words is not known here"),
        ("resolution: The", "resolution: [The", 28, "this is no YAML"),
        ("contributing_factors: [Testing missed one.]", "contributing_factors: one", 26, "contributing_factors must"),
        ("went_wrong: [Told late.]", "went_wrong: ['']", 30, "lessons.went_wrong[0] is empty"),
        ("got_lucky:", "got_luck:", 31, "lessons.got_luck is not known here"),
        ("type: detect", "type: hope", 34, "action_items[0].type is 'hope'"),
        ("due: 2026-04-30", "due: 2026-04-31", 35, "action_items[1].due is '2026-04-31', which no calendar has"),
        ("task: Review, ", "", 35, "action_items[1].task is missing"),
        ("task: Review, ", "task: Review, done: yes, ", 35, "action_items[1].done is not known here"),
    ],
)
def test_a_bad_file_is_refused_with_file_line_and_key(old: str, new: str, line: int, words: str) -> None:
    assert SMALL.count(old) >= 1
    problems = refusal(SMALL.replace(old, new, 1))
    assert any(problem.startswith(f"bad.yaml:{line}: {words}") for problem in problems), problems


@pytest.mark.parametrize("key", ["title", "timezone", "severity", "started_at", "impact", "timeline"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(Refusal, match=f"^small.yaml:1: {key} is missing"):
        small(**{key: None})


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = SMALL.replace("sev2", "bad").replace("kind: action", "kind: acton").replace("type: detect", "type: hope")
    assert [problem.split(" ")[:2] for problem in refusal(text)] == [
        ["bad.yaml:3:", "severity"],
        ["bad.yaml:16:", "timeline[1].kind"],
        ["bad.yaml:34:", "action_items[0].type"],
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "bad.yaml:1: the file is empty."),
        ("# nothing\n", "bad.yaml:1: the file is empty."),
        ("- a\n- b\n", "bad.yaml:1: the file must be a mapping (key: value), not a list."),
        ("just words", "bad.yaml:1: the file must be a mapping (key: value), not a single value."),
        ("title: a\nsource: b: c\n", "bad.yaml:2: this is no YAML: mapping values are not allowed here."),
        ("title: a\n---\ntitle: b\n", "bad.yaml:2: this is no YAML: but found another document."),
        ("title: a\nsource: \x07\n", "bad.yaml:2: this is no YAML: unacceptable character #x0007: special characters"),
        ("[" * 1000, "bad.yaml:1: the file is nested too deeply."),
    ],
)
def test_a_file_that_is_no_scenario_at_all_is_refused(text: str, problem: str) -> None:
    assert refusal(text)[0].startswith(problem)


def test_an_empty_timeline_is_refused() -> None:
    with pytest.raises(Refusal, match="timeline is empty"):
        small(timeline=[])


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"missing\.yaml: the file cannot be read"):
        read(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: a\nsource: über".encode("latin-1"))
    with pytest.raises(Refusal, match=r"latin\.yaml:2: the file is not UTF-8"):
        read(tmp_path / "latin.yaml")


def test_white_space_around_a_text_is_not_part_of_it() -> None:
    text = SMALL.replace("resolution: The upgrade was", "resolution: |\n  The upgrade\n  was")
    assert texts(parse(text, Path("a.yaml")), "fix") == ["fix The upgrade\nwas rolled back."]


def test_the_first_line_is_typed_when_impact_begins() -> None:
    first = parse(SMALL, Path("a.yaml")).lines[0]
    assert first == Line(datetime(2026, 3, 30, 6, 11, tzinfo=UTC), COMMANDER, first.text, None)
