"""Replays of real incidents: the files, the same bytes each time, every entry in the annex, every fact in the document.

What a file says is read here with nothing of Scribe's, so that a slip of its own reader would show.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from click.testing import CliRunner
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.cli import cli
from bot.core.facts import HAPPENING
from bot.render import words

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = sorted(p for p in (ROOT / "examples" / "incidents").glob("*.yaml") if not p.match("*.expect.yaml"))
SLUGS = [path.stem for path in SCENARIOS]
PARTS = ["Issue summary", "Timeline", "Root cause and resolution", "Corrective and preventative measures"]
COMMANDER = "incident commander"
MARKDOWN = MarkdownIt("commonmark", {"html": True})
SHOWN = re.compile(
    r"(\d+) · (?P<when>[^·]*?) · (?P<label>[^:]*?)(?::|\.)(?: (?P<text>.*?))?"
    r"\n+(?P<by>[^\n]*), recorded [^\n]*(?:\n\n.*)?",  # what follows is the history of the entry
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the record, as a file or an annex has it; `at` is aware."""

    at: datetime
    approx: bool
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as the annex shows it."""

    number: int
    when: str
    label: str
    entry: Entry


class Replay:
    """A scenario file, and what a replay made of it."""

    def __init__(self, path: Path, out: Path, output: str) -> None:
        self.path, self.out, self.output = path, out, output
        self.slug = path.stem
        self.file: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506

    def read(self, name: str) -> str:
        return (self.out / name).read_text(encoding="utf-8")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.file["timezone"])

    @cached_property
    def document(self) -> str:
        return self.read(f"{self.slug}.md")

    @cached_property
    def annex(self) -> str:
        return self.read(f"{self.slug}.timeline.md")

    @cached_property
    def told(self) -> list[Entry]:
        """The timeline of the file."""
        return [
            Entry(
                datetime.fromisoformat(one["at"]),
                one.get("approx") == "true",
                one["text"].strip(),
                one.get("by", COMMANDER),
            )
            for one in self.file["timeline"]
        ]

    @cached_property
    def shown(self) -> list[Shown]:
        """The entries of the annex, in its order, with their text as a reader sees it."""
        return [self._entry(item) for item in items(self.annex, "Entries")]

    def _entry(self, item: str) -> Shown:
        found = SHOWN.fullmatch(item)
        assert found, item
        at, approx = moment(found["when"], self.zone)
        return Shown(int(found[1]), found["when"], found["label"], Entry(at, approx, found["text"] or "", found["by"]))

    def facts(self) -> list[str]:
        """Every fact of the file that stands alone, as it stands there."""
        impact = self.file["impact"]
        single = [
            impact["description"],
            impact.get("symptoms"),
            self.file.get("root_cause"),
            self.file.get("resolution"),
        ]
        percent = impact.get("users_affected_percent")
        return [
            self.file["title"],
            *self.file.get("services", []),
            *(text for text in single if text),
            *([f"{percent} %"] if percent else []),
        ]

    def lists(self) -> dict[str, list[str]]:
        """The facts of the file that come in lists, by what is listed."""
        lessons, tasks = self.file.get("lessons", {}), self.file.get("action_items", [])
        return {
            "factors": self.file.get("contributing_factors", []),
            **{kind: lessons.get(kind, []) for kind in ("went_well", "went_wrong", "got_lucky")},
            "measures": self.file.get("corrective_measures", []),
            "tasks": [task["task"] for task in tasks],
        }


def moment(when: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The instant that a time of the annex names, and whether it is approximate; all that it says has to agree."""
    found = re.fullmatch(
        r"(?P<day>\d+ \w+ \d{4}) (?P<approx>~?)(?P<clock>\d\d:\d\d(?::\d\d)?) (?P<zone>\S+)"
        r"(?: \((?P<utc_day>\d+ \w+ \d{4} )?(?P<utc>\d\d:\d\d(?::\d\d)?) UTC\))?",
        when,
    )
    assert found, when
    local = plain(f"{found['day']} {found['clock']}")
    readings = [one for fold in (0, 1) if f"{(one := local.replace(tzinfo=zone, fold=fold)):%Z}" == found["zone"]]
    assert readings, f"{when}: nobody in {zone} calls that time {found['zone']}"
    at = readings[0].astimezone(UTC)
    if found["utc"]:
        said = plain(f"{(found['utc_day'] or found['day']).strip()} {found['utc']}").replace(tzinfo=UTC)
        assert said == at, when
    return at, bool(found["approx"])


def plain(words: str) -> datetime:
    form = "%d %B %Y %H:%M:%S" if words.count(":") == 2 else "%d %B %Y %H:%M"
    return datetime.strptime(words, form)  # noqa: DTZ007 - the zone is what is being looked at


def minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


# ---- how a reader sees Markdown ------------------------------------------------------------------


@lru_cache(maxsize=4)
def parsed(markdown: str) -> list[Token]:
    return MARKDOWN.parse(markdown)


def seen(tokens: list[Token]) -> str:
    """The words that a reader sees; a hard or soft break is a new line, paragraphs have one between them."""
    said = []
    for token in tokens:
        match token.type:
            case "inline":
                said.append("".join(_seen(one) for one in token.children or ()))
            case "fence" | "code_block":
                said.append(token.content)
    return "\n\n".join(said)


def _seen(token: Token) -> str:
    match token.type:
        case "text" | "code_inline":
            return token.content
        case "softbreak" | "hardbreak":
            return "\n"
        case _:
            return ""


def headings(markdown: str) -> list[str]:
    tokens = parsed(markdown)
    return [
        seen([tokens[i + 1]]) for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"
    ]


def items(markdown: str, heading: str) -> list[str]:
    """The items of the lists under a heading, nested ones within theirs."""
    found: list[str] = []
    inside: list[Token] = []
    here = False
    for i, token in enumerate(tokens := parsed(markdown)):
        if token.type == "heading_open" and token.tag == "h2":
            here = seen([tokens[i + 1]]) == heading
        if here and token.level >= 1:
            inside.append(token)
            if token.type == "list_item_close" and token.level == 1:
                found.append(seen(inside))
                inside = []
        else:
            inside = []
    return found


def spaced(text: str) -> str:
    """Without regard to line breaks."""
    return " ".join(text.split())


# ---- the replays ---------------------------------------------------------------------------------


def replay(path: Path, out: Path) -> Replay:
    """Replays a file in this process."""
    result = CliRunner().invoke(cli, ["replay", str(path), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return Replay(path, out, result.stdout)


AGAIN = """
import sys
from bot.cli import cli
for path in sys.argv[2:]:
    cli(["replay", path, "--out", sys.argv[1] + "/" + path.rpartition("/")[2]], standalone_mode=False)
"""


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Path]]:
    """Where another process, with another order of hashes, clock and language, replays all files, beside the tests."""
    out = tmp_path_factory.mktemp("elsewhere")
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "4711",
        "TZ": "Pacific/Chatham",
        "LC_ALL": "C",
        "SCRIBE_TIMEZONE": "Asia/Tokyo",
    }
    with (out / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", AGAIN, str(out / "out"), *map(str, SCENARIOS)],
            cwd=out,
            env=environment,
            stdout=log,
            stderr=log,
        )

    def done() -> Path:
        assert process.wait(60) == 0, (out / "log").read_text()
        return out / "out"

    yield done
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def replays(tmp_path_factory: pytest.TempPathFactory, elsewhere: Callable[[], Path]) -> Callable[[str], Replay]:
    """The replay of a scenario, made once."""
    made: dict[str, Replay] = {}

    def get(slug: str) -> Replay:
        if slug not in made:
            path = next(one for one in SCENARIOS if one.stem == slug)
            made[slug] = replay(path, tmp_path_factory.mktemp(slug))
        return made[slug]

    return get


@pytest.fixture(params=SLUGS)
def replayed(request: pytest.FixtureRequest, replays: Callable[[str], Replay]) -> Replay:
    return replays(request.param)


def names(slug: str) -> list[str]:
    return sorted([f"{slug}.md", f"{slug}.timeline.md", f"{slug}.json", f"{slug}.svg", "transcript.txt"])


# ---- files ---------------------------------------------------------------------------------------


def test_a_replay_writes_its_five_files_and_says_where_the_document_is(replayed: Replay) -> None:
    assert sorted(os.listdir(replayed.out)) == names(replayed.slug)
    assert replayed.output.splitlines()[-1] == str(replayed.out / f"{replayed.slug}.md")


def test_the_same_file_gives_the_same_bytes(replayed: Replay, elsewhere: Callable[[], Path]) -> None:
    there = elsewhere() / replayed.path.name
    for name in names(replayed.slug):
        assert (replayed.out / name).read_bytes() == (there / name).read_bytes(), name


# ---- the annex -----------------------------------------------------------------------------------


def in_order(entries: Iterable[Entry], wanted: list[Entry]) -> list[Entry]:
    """Those of the entries that are wanted, each as often as it is wanted."""
    left = Counter(wanted)
    found = []
    for one in entries:
        if left[one]:
            left[one] -= 1
            found.append(one)
    return found


def test_every_entry_is_in_the_annex_at_its_own_time_with_its_zone_and_unaltered(replayed: Replay) -> None:
    """The annex tells minutes."""
    told = [replace(one, at=minute(one.at)) for one in replayed.told]
    assert in_order((one.entry for one in replayed.shown), told) == told


def test_every_entry_is_in_the_json_at_its_own_second(replayed: Replay) -> None:
    entries = json.loads(replayed.read(f"{replayed.slug}.json"))["entries"]
    recorded = [Entry(datetime.fromisoformat(e["at"]), e["approx"], e["text"], e["by"]) for e in entries]
    assert in_order(recorded, replayed.told) == replayed.told


def test_the_annex_is_in_order_of_time_and_its_numbers_are_complete(replayed: Replay) -> None:
    times = [one.entry.at for one in replayed.shown]
    assert times == sorted(times)
    assert sorted(one.number for one in replayed.shown) == list(range(1, len(times) + 1))


def test_the_milestones_of_the_file_are_those_of_the_annex(replayed: Replay) -> None:
    file = replayed.file
    at = {key: datetime.fromisoformat(file[key]) for key in file if key.endswith("_at")}
    sources = {"monitoring": "monitoring", "engineer": "an engineer", "customer": "a customer"}
    milestones = {
        "started_at": "Started",
        "detected_at": f"Detected by {sources.get(file.get('detected_by', ''), '')}".removesuffix(" by "),
        "mitigated_at": "Mitigated",
        "resolved_at": "Resolved",
    }
    for key, label in milestones.items():
        shown = [one.entry.at for one in replayed.shown if one.label == label]
        assert shown == ([minute(at[key])] if key in at else []), label


# ---- the document --------------------------------------------------------------------------------


def test_the_document_has_its_parts_in_order(replayed: Replay) -> None:
    assert headings(replayed.document) == [*PARTS, "Open questions"]
    assert replayed.document.startswith("# ")


def test_every_fact_of_the_file_is_in_the_document(replayed: Replay) -> None:
    said = spaced(seen(parsed(replayed.document)))
    assert [fact for fact in replayed.facts() if spaced(fact) not in said] == []


def test_every_list_of_the_file_is_in_the_annex_and_begins_in_the_document(replayed: Replay) -> None:
    document, annex = (spaced(seen(parsed(text))) for text in (replayed.document, replayed.annex))
    for name, facts in replayed.lists().items():
        assert [fact for fact in facts if spaced(fact) not in annex] == [], name
        assert not facts or any(spaced(fact) in document for fact in facts), name


def test_the_document_has_at_most_600_words_and_400_where_a_dozen_entries_were_made(replayed: Replay) -> None:
    count = words(replayed.document)
    assert count <= 600
    assert count >= 400 or len(replayed.file["timeline"]) < 12
    assert json.loads(replayed.read(f"{replayed.slug}.json"))["words"] == count


def test_what_the_document_leaves_out_is_counted(replayed: Replay) -> None:
    shown = len(re.findall(r"(?m)^- \*\*\[", replayed.document))
    more = re.search(r"(?m)^\*(\d+) more(?:, (\d+) of them dead ends)?: \[annex\]", replayed.document)
    happened = [
        one for one in json.loads(replayed.read(f"{replayed.slug}.json"))["entries"] if one["kind"] in HAPPENING
    ]
    assert shown + (int(more[1]) if more else 0) <= len(happened)
    tasks = re.findall(r"(?m)^- \[.\] \*\*T", replayed.document)
    rest = re.search(r"(?m)^- \*(\d+) more: \[annex\]\([^)]*#tasks\)", replayed.document)
    assert len(tasks) + (int(rest[1]) if rest else 0) == len(replayed.file.get("action_items", []))


def test_every_link_leads_somewhere(replayed: Replay) -> None:
    pages = {name: replayed.read(name) for name in (f"{replayed.slug}.md", f"{replayed.slug}.timeline.md")}
    there = {f"{name}#{anchor}" for name, page in pages.items() for anchor in anchors(page)}
    for name, page in pages.items():
        for target in links(page):
            file, has_anchor, anchor = target.partition("#")
            if has_anchor:
                assert f"{file or name}#{anchor}" in there, (name, target)
            elif not target.startswith("https://"):
                assert (replayed.out / file).is_file(), (name, target)


def links(markdown: str) -> set[str]:
    children = [one for token in parsed(markdown) for one in token.children or ()]
    return {str(one.attrs["href"]) for one in children if one.type == "link_open"} | {
        str(one.attrs["src"]) for one in children if one.type == "image"
    }


def anchors(markdown: str) -> set[str]:
    """The ids in a page, and those that renderers make of headings."""
    made = {re.sub(r"[^\w -]", "", name).strip().lower().replace(" ", "-") for name in headings(markdown)}
    return made | set(re.findall(r'<a id="([^"]+)"></a>', markdown))


def test_an_incident_that_is_not_resolved_gives_the_draft_of_an_open_one(replays: Callable[[str], Replay]) -> None:
    matrix = replays("07-matrix-2019-breach")
    assert "resolved_at" not in matrix.file
    assert "not resolved yet" in matrix.document.splitlines()[2]
    assert json.loads(matrix.read(f"{matrix.slug}.json"))["incident"]["status"] not in ("resolved", "published")
    assert "Postmortem draft" not in matrix.read("transcript.txt")


# ---- JSON, picture, transcript -------------------------------------------------------------------


def test_the_json_holds_what_the_annex_shows(replayed: Replay) -> None:
    whole = json.loads(replayed.read(f"{replayed.slug}.json"))
    entries = [
        (one["entry"], minute(datetime.fromisoformat(one["at"])), one["approx"], spaced(one["text"]), one["by"])
        for one in whole["entries"]
    ]
    assert entries == [
        (one.number, minute(one.entry.at), one.entry.approx, spaced(one.entry.text), one.entry.by)
        for one in replayed.shown
    ]
    assert whole["incident"]["zone"] == replayed.file["timezone"]


def test_the_picture_is_one(replayed: Replay) -> None:
    svg = replayed.read(f"{replayed.slug}.svg")
    assert svg.startswith("<svg xmlns=")
    assert svg.rstrip().endswith("</svg>")


def test_the_transcript_shows_what_everybody_typed_and_no_refusal(replayed: Replay) -> None:
    transcript = replayed.read("transcript.txt")
    said = spaced(transcript)
    assert [entry.text for entry in replayed.told if spaced(entry.text) not in said] == []
    assert [fact for fact in replayed.facts() if spaced(fact) not in said] == []
    typed = len(re.findall(r"^\d\d:\d\d .*: /incident ", transcript, re.MULTILINE))
    answered = len(re.findall(r"^      Scribe: ", transcript, re.MULTILINE))
    assert typed <= answered


# ---- what people really type ---------------------------------------------------------------------

HOSTILE = [
    "*bold* _slanted_ ~gone~ `code` **x** __y__ ~~z~~",
    "<script>alert('1')</script> & &amp; &lt;b&gt; <!channel> <@U0SCRIBE>",
    "# no heading",
    "- no item\n- nor this\n\n1. nor that",
    "[no link](javascript:alert(1)) ![no picture](x.png)",
    "| a | b |\n| - | - |\n| 1 | 2 |",
    "C:\\Users\\ada \\* \\_ \\\\server\\share",
    "see https://example.org/a_b_c?x=1&y=2#z (and <https://example.org/>)",
    "🔥 naïve “quotes” ‘single’ – dash … 日本語 e\u0301",
    "12:00 is no time here, nor is at 13:00",
    "by customer: told by nobody",
    "```\nfenced\n```",
    "    four spaces at the start of the second line\n    like this",
    "ends with a backslash \\",
    "> quoted\n> twice",
    "$x^2$ costs $5 and 10 %",
    "x" * 3500,
]


def lines(text: str) -> list[str]:
    """Without empty lines and indentation, which Markdown has no way to show in running text."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_what_people_really_type_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """In New York, over the night in which an hour comes twice."""
    at = [f"2026-11-01T0{hour}:{minute}:00-0{offset}:00" for offset in (4, 5) for hour in (0, 1) for minute in (10, 50)]
    moments = sorted(map(datetime.fromisoformat, at))[: len(HOSTILE)]
    kinds = ("note", "action", "hypothesis", "dead_end", "update", "escalation", "mitigation", "detection")
    story = {
        "title": "*Checkout* returns <errors> & `more`",
        "timezone": "America/New_York",
        "severity": "sev2",
        "started_at": moments[0].isoformat(),
        "impact": {"description": "_Nobody_ can <pay> | at all"},
        "timeline": [
            {
                "at": moments[i * len(moments) // len(HOSTILE)].isoformat(),
                "kind": kinds[i % len(kinds)],
                "by": f"team {i % 3} [a]",
                "text": text,
            }
            for i, text in enumerate(HOSTILE)
        ],
    }
    path = tmp_path / "hostile.yaml"
    path.write_text(yaml.safe_dump(story, allow_unicode=True), encoding="utf-8")
    made = replay(path, tmp_path / "out")
    told = [one.entry for one in made.shown if one.label != "Started"][: len(HOSTILE)]
    assert [lines(one.text) for one in told] == [lines(text) for text in HOSTILE]
    assert [(one.at, one.by) for one in told] == [(one.at, one.by) for one in made.told]
    recorded = [one for one in json.loads(made.read("hostile.json"))["entries"] if one["kind"] != "started"]
    assert [one["text"] for one in recorded[: len(HOSTILE)]] == [text.strip() for text in HOSTILE]
    assert {one.when.split()[4] for one in made.shown} == {"EDT", "EST"}
    assert headings(made.document) == [*PARTS, "Open questions"]


def test_a_second_replay_takes_the_place_of_the_first(tmp_path: Path) -> None:
    path = next(one for one in SCENARIOS if one.stem == "09-aws-s3-2017-capacity-removal")
    first, second = (
        {name: (made.out / name).read_bytes() for name in os.listdir(made.out)}
        for made in (replay(path, tmp_path), replay(path, tmp_path))
    )
    assert sorted(first) == names(path.stem)
    assert second == first
