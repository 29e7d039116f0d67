"""What others wrote: a scenario file, turned into the lines that people would have typed after `/incident`.

This room knows the format of `examples/incidents` and how the /incident language writes each of its facts. It records
nothing: the lines go through the same door as everything that is typed. It knows no Slack, no store and no clock; the
moment at which each line is typed follows from the file alone, so the same file always gives the same lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from bot.core.errors import Refusal

COMMANDER = "incident commander"
"""Who types what the file gives to nobody: the start, header times without an entry, and what is said afterwards."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as a person types it.

    `at` (aware, UTC) is the moment of the workspace's clock when it is typed: never before the time that the line
    names, never before the line above it. `person` is the file's `by`, a role or a team. `text` is what stands after
    `/incident `. `event` is the position in the file's timeline of the entry that it tells, if it tells one.
    """

    at: datetime
    person: str
    text: str
    event: int | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole file. `people` are all who are named as author or owner, in order of first appearance; `entries` counts
    the timeline of the file."""

    slug: str
    title: str
    zone: str
    severity: str
    people: tuple[str, ...]
    lines: tuple[Line, ...]
    resolved: bool
    entries: int


def read(path: Path) -> Scenario:
    """The scenario in this file; raises one `Refusal` that names file, line and key of everything that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refusal(f"{path}: the file cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise Refusal(f"{path}:{line}: the file is not UTF-8.", "Save it as UTF-8 and try again.") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Scenario:
    """The scenario written in `text`; `path` gives its slug and its name in refusals. Raises like `read`."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)  # nodes know their line; times are not yet turned naive
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise Refusal(f"{path}:{line}: this is no YAML: {error.problem or error.context}.", _HINT) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        line = text[: position if isinstance(position, int) else 0].count("\n") + 1
        raise Refusal(f"{path}:{line}: this is no YAML: {str(error).splitlines()[0]}.", _HINT) from None
    except RecursionError:
        raise Refusal(f"{path}:1: the file is nested too deeply.", _HINT) from None
    check = _Check()
    story = check.story(root)
    if story is None or check.problems:
        raise Refusal("\n".join(f"{path}:{line}: {words}" for line, words in sorted(check.problems)), _HINT)
    return Scenario(
        slug=path.stem,
        title=story.title,
        zone=story.zone,
        severity=story.severity,
        people=_people(story),
        lines=tuple(_lines(story)),
        resolved=story.resolved_at is not None,
        entries=len(story.timeline),
    )


_HINT = "The files in examples/incidents show the format."


# --- what stands in the file ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    at: datetime  # aware, with the offset that the file gives
    kind: str
    text: str
    by: str = COMMANDER
    approx: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    text: str
    owner: str = ""
    category: str = ""
    due: str = ""  # a date as YYYY-MM-DD, or free words


@dataclass(frozen=True, slots=True)
class _Story:
    """The file, checked. Empty text: the file does not say."""

    title: str
    zone: str
    severity: str
    started_at: datetime
    detected_at: datetime | None
    detected_by: str
    mitigated_at: datetime | None
    resolved_at: datetime | None
    services: tuple[str, ...]
    description: str
    symptoms: str
    percent: str
    timeline: tuple[_Entry, ...]
    root_cause: str
    factors: tuple[str, ...]
    resolution: str
    well: tuple[str, ...]
    wrong: tuple[str, ...]
    lucky: tuple[str, ...]
    measures: tuple[str, ...]
    tasks: tuple[_Task, ...]


# --- reading it, all problems at once -------------------------------------------------------------------------------

_NEEDED = ("title", "timezone", "severity", "started_at", "impact", "timeline")
_OPTIONAL = (
    *("source", "services", "detected_at", "detected_by", "mitigated_at", "resolved_at", "root_cause"),
    *("contributing_factors", "resolution", "lessons", "corrective_measures", "action_items", "conflicts", "unknown"),
)
_SEVERITIES = ("sev1", "sev2", "sev3", "sev4", "sev5")
_SOURCES = ("monitoring", "engineer", "customer")
_CATEGORIES = ("prevent", "detect", "mitigate", "process")
_VERBS = {
    "detection": "detected",
    "action": "action",
    "hypothesis": "hypothesis",
    "dead_end": "ruledout",
    "escalation": "escalated",
    "update": "told",
    "mitigation": "mitigation",
    "resolution": "mitigation",
    "cause": "note",
    "note": "note",
}
"""Which verb tells an entry of this kind; `_told` makes the milestones of the header out of some of them."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?(?P<offset> ?(Z|z|[+-]\d\d:\d\d))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PERCENT = re.compile(r"\d+(\.\d+)?")
_NULL = "tag:yaml.org,2002:null"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Check:
    """Reads nodes into plain values and keeps every problem with its line."""

    problems: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, node: yaml.Node, words: str) -> None:
        self.problems.append((node.start_mark.line + 1, words))

    def story(self, root: yaml.Node | None) -> _Story | None:
        """The whole file; None, or a story that must not be used, where there are problems."""
        if root is None:
            self.problems.append((1, "the file is empty."))
            return None
        top = self.mapping(root, "", _NEEDED, _OPTIONAL)
        impact = self.mapping(top.get("impact"), "impact", ("description",), ("symptoms", "users_affected_percent"))
        lessons = self.mapping(top.get("lessons"), "lessons", (), ("went_well", "went_wrong", "got_lucky"))
        started_at = self.moment(top, "started_at")
        story = _Story(
            title=self.text(top, "title", one_line=True),
            zone=self.zone(top),
            severity=self.choice(top, "severity", _SEVERITIES),
            started_at=started_at or _EPOCH,
            detected_at=self.moment(top, "detected_at"),
            detected_by=self.choice(top, "detected_by", _SOURCES),
            mitigated_at=self.moment(top, "mitigated_at"),
            resolved_at=self.moment(top, "resolved_at"),
            services=self.services(top),
            description=self.text(impact, "description", "impact."),
            symptoms=self.text(impact, "symptoms", "impact."),
            percent=self.percent(impact),
            timeline=self.timeline(top),
            root_cause=self.text(top, "root_cause"),
            factors=self.texts(top, "contributing_factors"),
            resolution=self.text(top, "resolution"),
            well=self.texts(lessons, "went_well", "lessons."),
            wrong=self.texts(lessons, "went_wrong", "lessons."),
            lucky=self.texts(lessons, "got_lucky", "lessons."),
            measures=self.texts(top, "corrective_measures"),
            tasks=self.tasks(top),
        )
        if started_at is not None:
            self.order(top, story)
        return story

    def mapping(
        self, node: yaml.Node | None, where: str, needed: tuple[str, ...], optional: tuple[str, ...]
    ) -> dict[str, yaml.Node]:
        """The values of a mapping by key: unknown, double and missing keys are problems; `where` is empty on top."""
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{where or 'the file'} must be a mapping (key: value), not {_shape(node)}.")
            return {}
        dot = f"{where}." if where else ""
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else _shape(key_node)
            if key not in needed and key not in optional:
                self.wrong(key_node, f"{dot}{key} is not known here; known: {', '.join((*needed, *optional))}.")
            elif key in found:
                self.wrong(key_node, f"{dot}{key} stands here a second time.")
            else:
                found[key] = value
        for key in needed:
            if key not in found:
                self.wrong(node, f"{dot}{key} is missing.")
        return found

    def items(self, at: Mapping[str, yaml.Node], key: str, where: str = "") -> list[yaml.Node]:
        node = at.get(key)
        if node is None:
            return []
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.wrong(node, f"{where}{key} must be a list (- …), not {_shape(node)}.")
        return []

    def text(self, at: Mapping[str, yaml.Node], key: str, where: str = "", *, one_line: bool = False) -> str:
        node = at.get(key)
        return "" if node is None else self.words(node, f"{where}{key}", one_line=one_line)

    def texts(
        self, at: Mapping[str, yaml.Node], key: str, where: str = "", *, one_line: bool = False
    ) -> tuple[str, ...]:
        nodes = self.items(at, key, where)
        return tuple(self.words(node, f"{where}{key}[{i}]", one_line=one_line) for i, node in enumerate(nodes))

    def words(self, node: yaml.Node, key: str, *, one_line: bool = False) -> str:
        """A text as written (a number or a date counts as the text that stands there), without white space around."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"{key} must be text, not {_shape(node)}; put quotes around a text with a colon.")
            return ""
        words = "" if node.tag == _NULL else str(node.value).strip()
        if not words:
            self.wrong(node, f"{key} is empty; write something or leave it out.")
        elif one_line and len(words.splitlines()) > 1:
            self.wrong(node, f"{key} must be one line.")
        return words

    def choice(self, at: Mapping[str, yaml.Node], key: str, known: tuple[str, ...], where: str = "") -> str:
        value = self.text(at, key, where).lower()
        if value and value not in known:
            self.wrong(at[key], f"{where}{key} is {at[key].value!r}; it must be one of {', '.join(known)}.")
        return value

    def zone(self, top: Mapping[str, yaml.Node]) -> str:
        name = self.text(top, "timezone")
        if name:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                self.wrong(top["timezone"], f"timezone is {name!r}; it must be an IANA name such as Europe/London.")
        return name

    def moment(self, at: Mapping[str, yaml.Node], key: str, where: str = "") -> datetime | None:
        """An instant with the offset that the file gives; one without an offset is a problem, never guessed."""
        value = self.text(at, key, where)
        if not value:
            return None
        shape = _MOMENT.fullmatch(value)
        example = "write date, time and offset, such as 2026-03-30T08:56:00+01:00"
        if shape is None:
            self.wrong(at[key], f"{where}{key} is {value!r}, which is no time; {example}.")
        elif shape["offset"] is None:
            self.wrong(at[key], f"{where}{key} is {value!r}, without an offset from UTC; {example}.")
        else:
            try:
                moment = datetime.fromisoformat(value.upper().replace(" ", "T", 1).replace(" ", ""))
                if not 1970 <= moment.astimezone(UTC).year <= 9000:
                    raise ValueError
            except (ValueError, OverflowError):
                self.wrong(at[key], f"{where}{key} is {value!r}, which no calendar has; {example}.")
            else:
                return moment
        return None

    def services(self, top: Mapping[str, yaml.Node]) -> tuple[str, ...]:
        names = self.texts(top, "services", one_line=True)
        for i, (name, node) in enumerate(zip(names, self.items(top, "services"), strict=False)):
            if re.match(_DASH, name):  # the language would take the service away
                self.wrong(node, f"services[{i}] is {name!r}; a name cannot begin with a dash.")
        return names

    def percent(self, impact: Mapping[str, yaml.Node]) -> str:
        value = self.text(impact, "users_affected_percent", "impact.")
        if value and not (_PERCENT.fullmatch(value) and float(value) <= 100):
            self.wrong(
                impact["users_affected_percent"],
                f"impact.users_affected_percent is {value!r}; it must be a number from 0 to 100.",
            )
        return value

    def timeline(self, top: Mapping[str, yaml.Node]) -> tuple[_Entry, ...]:
        entries: list[_Entry] = []
        nodes = self.items(top, "timeline")
        if not nodes and isinstance(top.get("timeline"), yaml.SequenceNode):
            self.wrong(top["timeline"], "timeline is empty; it needs at least one entry.")
        latest: datetime | None = None
        for i, node in enumerate(nodes):
            where = f"timeline[{i}]"
            at = self.mapping(node, where, ("at", "kind", "text"), ("by", "approx"))
            moment = self.moment(at, "at", f"{where}.")
            if moment is not None:
                if latest is not None and moment < latest:
                    self.wrong(at["at"], f"{where}.at is before the entry above it; entries stand in order of time.")
                latest = moment
            entries.append(
                _Entry(
                    at=moment or _EPOCH,
                    kind=self.choice(at, "kind", tuple(_VERBS), f"{where}."),
                    text=self.text(at, "text", f"{where}."),
                    by=self.text(at, "by", f"{where}.", one_line=True) or COMMANDER,
                    approx=self.choice(at, "approx", ("true", "false"), f"{where}.") == "true",
                )
            )
        return tuple(entries)

    def tasks(self, top: Mapping[str, yaml.Node]) -> tuple[_Task, ...]:
        tasks: list[_Task] = []
        for i, node in enumerate(self.items(top, "action_items")):
            where = f"action_items[{i}]"
            at = self.mapping(node, where, ("task",), ("owner", "type", "due"))
            due = self.text(at, "due", f"{where}.", one_line=True)
            if _DATE.fullmatch(due) and not _is_date(due):
                self.wrong(at["due"], f"{where}.due is {due!r}, which no calendar has.")
            tasks.append(
                _Task(
                    text=self.text(at, "task", f"{where}."),
                    owner=self.text(at, "owner", f"{where}.", one_line=True),
                    category=self.choice(at, "type", _CATEGORIES, f"{where}."),
                    due=due,
                )
            )
        return tuple(tasks)

    def order(self, top: Mapping[str, yaml.Node], story: _Story) -> None:
        """Impact begins before it ends, and nothing that leads to the resolution comes after it."""
        for early, earlier, late, later in (
            ("started_at", story.started_at, "mitigated_at", story.mitigated_at),
            ("started_at", story.started_at, "resolved_at", story.resolved_at),
            ("mitigated_at", story.mitigated_at, "resolved_at", story.resolved_at),
            ("detected_at", story.detected_at, "resolved_at", story.resolved_at),
        ):
            if earlier is not None and later is not None and later < earlier:
                self.wrong(top[late], f"{late} is before {early}.")


def _shape(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _is_date(words: str) -> bool:
    try:
        date.fromisoformat(words)
    except ValueError:
        return False
    return bool(_DATE.fullmatch(words))


def _people(story: _Story) -> tuple[str, ...]:
    authors = (entry.by for entry in story.timeline)
    owners = (task.owner for task in story.tasks if task.owner)
    return tuple(dict.fromkeys((*authors, *owners)))


# --- when each line is typed ----------------------------------------------------------------------------------------

_STEP = timedelta(seconds=1)  # between lines of the same moment, so that no two are typed at once
_PAUSE = timedelta(minutes=1)  # between lines that are said afterwards
_ECHO = timedelta(seconds=91)  # the language asks about the same line by the same person within 90 seconds


def _lines(story: _Story) -> Iterator[Line]:
    """All lines in the order in which they are typed: the start, the timeline, then what is said afterwards."""
    clock = story.started_at.astimezone(UTC)
    typed: dict[tuple[str, str], datetime] = {}

    def line(due: datetime, person: str, text: str, event: int | None = None) -> Line:
        nonlocal clock
        before = typed.get((person, text))
        clock = due if before is None else max(due, before + _ECHO)
        typed[person, text] = clock
        return Line(clock, person, text, event)

    yield line(clock, COMMANDER, _start(story))
    for told in _told(story):
        yield line(max(clock + _STEP, told.at.astimezone(UTC)), told.person, told.text, told.event)
    for verb, words in _afterwards(story):
        yield line(clock + _PAUSE, COMMANDER, _said(verb, words, clock + _PAUSE))


@dataclass(frozen=True, slots=True)
class _Told:
    """A line of the timeline, before it has its moment of typing; `at` is the time that it names."""

    at: datetime
    person: str
    text: str
    event: int | None
    resolves: bool = False


def _told(story: _Story) -> list[_Told]:
    """The timeline in the order of the file; the header's milestones take the place of entries, or their own."""
    timeline = story.timeline
    resolves = _last(timeline, "resolution", story.resolved_at, len(timeline))
    until = len(timeline) if resolves is None else resolves
    mitigates = _last(timeline, "mitigation", story.mitigated_at, until)
    detects = _first_detection(story)
    causes = [i for i, entry in enumerate(timeline) if entry.kind == "cause"]
    verbs = {i: _VERBS[entry.kind] for i, entry in enumerate(timeline)}
    verbs |= {i: "trigger" for i in causes[:1]}
    verbs |= {i: "mitigated" for i in (mitigates,) if i is not None}
    verbs |= {i: "resolve" for i in (resolves,) if i is not None}

    told = [
        _Told(
            entry.at,
            entry.by,
            _entry(verbs[i], entry, story.detected_by if i == detects else ""),
            i,
            resolves=i == resolves,
        )
        for i, entry in enumerate(timeline)
    ]
    found = f" by {story.detected_by}" if story.detected_by else ""
    for verb, moment, rest, has_entry in (
        ("detected", story.detected_at, found, detects is not None),
        ("mitigated", story.mitigated_at, "", mitigates is not None),
        ("resolve", story.resolved_at, "", resolves is not None),
    ):
        if moment is not None and not has_entry:
            place = next((n for n, t in enumerate(told) if t.at > moment or (t.resolves and t.at == moment)), len(told))
            told.insert(place, _Told(moment, COMMANDER, f"{verb} at {moment.isoformat()}{rest}", None))
    return told


def _last(timeline: tuple[_Entry, ...], kind: str, moment: datetime | None, until: int) -> int | None:
    """The last entry of this kind at this very moment, before position `until`."""
    return max((i for i, e in enumerate(timeline[:until]) if e.kind == kind and e.at == moment), default=None)


def _first_detection(story: _Story) -> int | None:
    """The detection at `detected_at`; where the header has no time, the first one is how it was found."""
    detections = [i for i, entry in enumerate(story.timeline) if entry.kind == "detection"]
    if story.detected_at is not None:
        detections = [i for i in detections if story.timeline[i].at == story.detected_at]
    return detections[0] if detections else None


# --- how each line is written ---------------------------------------------------------------------------------------
#
# Recorded texts go into a line as they are. Where the language would take the beginning (of a task: the end) of a text
# for something else, a lone colon stands before it, or the line names its time, as nothing behind a time is one.

_DAY = r"(mon|tues?|wed|wednes|thu|thurs?|fri|sat|satur|sun)(day)?\b"
_MONTH = (
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?"
    r"|dec(ember)?)\b"
)
_DASH = "[-\u2010-\u2015\u2212]"
_CLAIMED = {  # what the verb takes for something else when a text begins like this
    "detected": r"by\s|:",
    "ruledout": r"#?\d+\b|:\s",
    "escalated": r"@|<@|to\s|.{0,40}?:(\s|$)",
    "told": r"@|<@|.{0,40}?:(\s|$)",
}
_TIME = (  # a time, or another incident, where a text begins right after its verb
    r"((at|about|around)\s+)*(~|about\s|around\s)?\s*"
    rf"(\d{{1,2}}:\d\d|0\d{{3}}\b|\d{{4}}-\d\d-\d\d|{_DASH}\s*\d+\s*[a-z]+\b|\d+\s*[a-z]+\s+ago\b"
    rf"|(yesterday|today|tomorrow|{_DAY}),?\s+(at\s+)?\d)"
    r"|at\s+(~|about\s|around\s)?\s*(\d|now\b|yesterday\b|today\b)|INC-\d+:"
)
_TASK_START = rf"{_TIME}|:(\s|$)|@|<@|for\s[^:]*:|({'|'.join(_CATEGORIES)})\s*:|#?T\d+\b"
_TASK_END = (
    rf".*\bby\s+((the|next|this|end|of|on|in|at|a|eod|eow|eom|today|tomorrow|tonight|days?|weeks?|months?|quarter|year"
    rf"|q[1-4]|{_DAY}|{_MONTH}|\d[\w:./+-]*)[\s,.]*)+$"
)
_OWNER_LENGTH = 80  # the language takes nothing longer for an owner
_TASK_TAG = rf".*#({'|'.join(_CATEGORIES)}|public|internal)\s*$"


def _is_claimed(words: str, *claims: str) -> bool:
    """Whether the language would read the text, or its beginning, as one of these."""
    return any(re.match(claim, words, re.IGNORECASE | re.DOTALL) for claim in claims)


def _entry(verb: str, entry: _Entry, found_by: str) -> str:
    """An entry of the timeline: verb, time, how it was found, text."""
    time = ("~" if entry.approx else "") + entry.at.isoformat()
    if found_by:
        return f"{verb} at {time} by {found_by} {entry.text}"
    colon = ": " if verb in _CLAIMED and _is_claimed(entry.text, _CLAIMED[verb]) else ""
    return f"{verb} at {time} {colon}{entry.text}"


def _start(story: _Story) -> str:
    """An explicit `since` closes the line, so that a title may end in words that look like one."""
    onset = story.started_at.isoformat()
    if _is_claimed(story.title, r"drill\b"):
        return f"start {story.severity} at {onset} {story.title}"
    return f"start {story.severity} {story.title} since {onset}"


def _said(verb: str, words: str, moment: datetime) -> str:
    """A text that happened when it is said; it names that time only where it would else be robbed of its beginning."""
    return f"{verb} at {moment.isoformat()} {words}" if _is_claimed(words, _TIME) else f"{verb} {words}"


def _afterwards(story: _Story) -> Iterator[tuple[str, str]]:
    """What is said when the timeline has been told, verb and rest, in the order of the document."""
    if story.detected_by and story.detected_at is None and _first_detection(story) is None:
        yield "note", f"found by {story.detected_by}, when is not known"  # the verb `detected` would invent a time
    if story.services:
        yield "services", ", ".join(story.services)
    yield "impact", story.description
    if story.symptoms:
        yield "impact", f"users saw: {story.symptoms}"
    if story.percent:
        yield "impact", f"{story.percent} % of users were affected"
    for verb, texts in (
        ("cause", (story.root_cause,) if story.root_cause else ()),
        ("factor", story.factors),
        ("fix", (story.resolution,) if story.resolution else ()),
        ("well", story.well),
        ("wrong", story.wrong),
        ("lucky", story.lucky),
        ("improve", story.measures),
    ):
        yield from ((verb, text) for text in texts)
    for number, task in enumerate(story.tasks, 1):
        yield from (("todo", rest) for rest in _todo(number, task))
    for number, task in enumerate(story.tasks, 1):
        if re.search(r"\(done\)\s*$", task.text, re.IGNORECASE):
            yield "done", f"T{number}"


def _todo(number: int, task: _Task) -> Iterator[str]:
    """One action item; a due date that is no date, or an owner whom the language cannot name, stays in the text."""
    words, owner, due = task.text, "", ""
    if ":" in task.owner or len(task.owner) > _OWNER_LENGTH:
        words += f" (owner: {task.owner})"
    elif task.owner:
        owner = f"for {task.owner}: "
    if _is_date(task.due):
        due = f"by {task.due}"
    elif task.due:
        words += f" (due {task.due})"
    category = f"{task.category}: " if task.category else ""
    robbed = _is_claimed(words, _TASK_TAG) or (not category and _is_claimed(words, _TASK_START))
    if robbed or (not due and _is_claimed(words, _TASK_END)):
        yield f"{owner}{category}: {words}"  # behind a lone colon even `by …` is text
        if due:
            yield f"T{number} {due}"
    else:
        yield f"{owner}{category}{words} {due}".rstrip()
