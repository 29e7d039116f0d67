"""The /incident language: one table, a row per verb. Parsing, help, usage errors and the README's table come from it.

`parse` turns a line into a command. It knows no incident: a number that may be a reference stays beside the text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime

from bot.core import promises, times
from bot.core.commands import (
    AddTask,
    Approve,
    CallReview,
    Cancel,
    ChangeTask,
    Command,
    CorrectKind,
    CorrectText,
    DropTask,
    FinishTask,
    Look,
    Mark,
    MarkDuplicate,
    MarkEntry,
    Move,
    Publish,
    Record,
    Redact,
    Remove,
    ReopenTask,
    Retitle,
    RevokeLink,
    SayNone,
    SetNudges,
    SetOnset,
    SetZone,
    Share,
    Start,
    Undo,
    View,
    WriteSection,
)
from bot.core.errors import Choice, Question, Refusal
from bot.core.events import Category, Kind, Source

MAX_TEXT = 4000
"""The longest text that is recorded, in characters: more than Slack lets anybody type in one command."""

TARGET_LENGTH = 40
"""What stands before the first `: ` is a target or an audience up to this length."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a line is read against: the time it was typed (UTC), the person's zone, and the mentions in it.

    `mentions` maps "@ada" or "#general", as they stand in the text, to the handle of that person or channel; `speaker`
    is what the one who typed it is called, with the handle.
    """

    now: datetime
    zone: str = "UTC"
    mentions: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "/incident"
    speaker: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A line that was understood: the command, its verb, and the incident it named (`note INC-42: …`)."""

    command: Command
    verb: str
    incident: int | None = None
    zone_used: bool = False


Reader = Callable[[str, Context], Command]


@dataclass(frozen=True, slots=True)
class Verb:
    """A row of the table. `syntax` is what follows the verb; `everyday` verbs are also everyday words."""

    name: str
    also: tuple[str, ...]
    syntax: str
    records: str
    example: str
    read: Reader
    everyday: bool = False
    looks: bool = False

    @property
    def usage(self) -> str:
        """The verb with its syntax."""
        return f"{self.name} {self.syntax}".strip()


SOURCES = {
    "monitoring": Source.MONITORING,
    "alert": Source.MONITORING,
    "alerts": Source.MONITORING,
    "monitor": Source.MONITORING,
    "engineer": Source.ENGINEER,
    "engineers": Source.ENGINEER,
    "us": Source.ENGINEER,
    "customer": Source.CUSTOMER,
    "customers": Source.CUSTOMER,
    "user": Source.CUSTOMER,
    "users": Source.CUSTOMER,
}

GAP_WORDS = (
    "impact",
    "services",
    "share",
    "detection",
    "escalation",
    "dead end",
    "cause",
    "fix",
    "confirmation",
    "lessons",
    "tasks",
    "messages",
)

SECTIONS = ("summary", "timeline", "cause", "measures", "questions")

_SHARE = re.compile(  # "30–40 %" names no one share, "34 % of customer requests" one of requests
    r"(?<![\d.,\-–—−])(\d{1,3}(?:[.,]\d+)?)\s*(?:%|percent|per cent)\s+of\s+"
    r"(?:(?:all|our|the|its|their|active|affected|paying|logged-in|signed-in|registered"
    r"|user|customer|client|merchant)\s+){0,3}"
    r"(?:users|customers|accounts|visitors|subscribers|members|clients|tenants|merchants|people)\b(?!['’])",
    re.IGNORECASE,
)
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"))
_ELSEWHERE = re.compile(r"inc-(\d{1,9}):(?:\s+|$)", re.IGNORECASE)
_SEVERITIES = ("sev1", "sev2", "sev3", "sev4", "sev5")


def share_of_users(text: str) -> str:
    """The percentage in "34 % of customers cannot pay", as a plain number, else "" (POSTMORTEM.md S2c)."""
    named = [share.replace(",", ".") for share in _SHARE.findall(text)]
    if len(named) != 1 or float(named[0]) > 100:  # two shares are of two groups: which of them is nobody's to guess
        return ""
    return str(named[0])


# ---- the pieces of a line ------------------------------------------------------------------------


def _word(text: str) -> tuple[str, str]:
    """The first word and what follows it; white space inside what follows is kept."""
    parts = text.split(None, 1)
    return (parts[0], parts[1].strip()) if len(parts) == 2 else (text.strip(), "")


def _plain(word: str) -> str:
    return word.translate(_DASHES).strip("\u200b").casefold()


def _bare(word: str) -> str:
    """A verb as it stands in the table: `note:` is `note`."""
    return _plain(word).rstrip(":,")


def _number(word: str, prefix: str = "") -> int | None:
    """12 and #12, or T3 and #T3 with a prefix; None for anything else."""
    match = re.fullmatch(rf"#?{prefix}(\d{{1,9}})[.,:;)]?", word, re.IGNORECASE)
    return int(match[1]) if match else None


def _mention(text: str, context: Context, sign: str = "@") -> tuple[str, str, str]:
    """A leading mention: its text, its handle and what follows; three times "" with the text when there is none."""
    fitting = [m for m in context.mentions if m.startswith(sign) and text.startswith(m)]
    for name in sorted(fitting, key=len, reverse=True):
        rest = text[len(name) :]
        if not rest or not (rest[0].isalnum() or rest[0] in "_-"):
            return name, context.mentions[name], rest.lstrip(" \t\u00a0:,").strip()
    return "", "", text


def _within(text: str, context: Context) -> tuple[str, str, str, str]:
    """The first mention of a person: what stands before it, its text, its handle, what follows; "" where none is."""
    for place in (found.start() for found in re.finditer("@", text)):
        name, handle, rest = _mention(text[place:], context)
        if name:
            return text[:place].strip(), name, handle, rest
    return text, "", "", ""


def _called(text: str, context: Context) -> tuple[str, str, str]:
    """Who is called at the beginning: a mention, or a group, which has no handle (`@dba-team`)."""
    name, handle, rest = _mention(text, context)
    group = None if name else re.match(r"(@\w[\w.-]*\w)(?=[\s:,]|$)[\s:,]*", text)
    return (group[1], "", text[group.end() :].strip()) if group else (name, handle, rest)


def _timed(text: str, context: Context) -> tuple[times.When | None, str]:
    return times.leading(text, context.now, context.zone)


def _addressed(text: str, context: Context) -> tuple[str, str, str]:
    """Target or audience, its handle, and the text: a leading mention, or what stands before the first `: `."""
    if _is_forced(text):
        return "", "", text[1:].strip()
    name, handle, rest = _called(text, context)
    if name and rest:
        return name, handle, rest
    colon = next((c for c in re.finditer(r":(?=\s)", text) if not _EMOJI_ENDS.search(text, 0, c.end())), None)
    if colon is None:
        return "", "", text
    before, after = text[: colon.start()].strip(), text[colon.end() :].strip()
    if after and len(before) <= TARGET_LENGTH and "\n" not in before and not _is_address(before):
        return before, "", after
    return "", "", text


_EMOJI_ENDS = re.compile(r"(?:^|\s):[\w+'-]+:$")
"""The second colon of `:fire:` ends no audience."""


def _is_forced(text: str) -> bool:
    """Whether a lone colon comes first: what follows is text, whatever it looks like."""
    return re.match(r":\s", text) is not None


def _is_address(text: str) -> bool:
    return "://" in text or re.search(r"\bwww\.|\S@\S+\.\S", text) is not None


def _needs_text(verb: str, text: str) -> str:
    if not text.strip():
        row = VERBS[verb]
        raise Refusal(f"“{verb}” needs a text.", f"Type {row.usage}, for example: {row.example}")
    return text


def _fitting(command: Command) -> Command:
    """The command, if every text in it is kept whole."""
    longest = max((len(v) for f in fields(command) if isinstance(v := getattr(command, f.name), str)), default=0)
    if longest > MAX_TEXT:
        raise Refusal(f"That text has {longest:,} characters; {MAX_TEXT:,} are kept whole.", "Split it into two lines.")
    return command


def _usage(verb: str) -> Refusal:
    row = VERBS[verb]
    return Refusal(f"“{verb}” was not understood.", f"Type {row.usage}, for example: {row.example}")


def _one_number(verb: str, text: str, prefix: str = "") -> tuple[int, str]:
    word, rest = _word(text)
    number = _number(word, prefix)
    if number is None:
        if not text:
            raise _usage(verb)
        what = "an action item" if prefix else "an entry"
        raise Question(
            f"“{verb}” needs the number of {what}; nothing is recorded yet.",
            (Choice("Note", f"note {verb} {text}"), Choice("Action", f"action {verb} {text}")),
            f"Type {VERBS[verb].usage}, for example: {VERBS[verb].example}",
        )
    return number, rest


def _number_alone(verb: str, text: str) -> int:
    """The number of an entry that is all there is: text after it is asked about, never lost."""
    number, rest = _one_number(verb, text)
    if rest:
        raise _left_over(verb, str(number), text)
    return number


def _left_over(verb: str, reference: str, text: str) -> Question:
    return Question(
        f"“{verb} {reference}” takes no text, and text follows it. Nothing is recorded yet.",
        (Choice(f"{verb} {reference}", f"{verb} {reference}"), Choice("Note", f"note {verb} {text}")),
        f"Type {VERBS[verb].usage}, or record what it says as a note.",
    )


def _alone(verb: str, command: Command, hint: str) -> Reader:
    """A verb that stands alone."""

    def read(text: str, context: Context) -> Command:
        if text:
            raise Refusal(f"“{verb}” stands alone; nothing is changed.", f"Type {verb}. {hint}")
        return command

    return read


# ---- readers: one per shape ----------------------------------------------------------------------


def _entry(kind: Kind, verb: str, *, optional: bool = False) -> Reader:
    def read(text: str, context: Context) -> Command:
        when, said = _timed(text, context)
        return Record(kind=kind, text=said if optional else _needs_text(verb, said), when=when)

    return read


def _start(text: str, context: Context) -> Command:
    new_channel = re.search(r"(?:^|\s+)in\s+(?:a\s+)?new\s+channel\s*$", text, re.IGNORECASE)
    if new_channel:
        text = text[: new_channel.start()]
    text, since = times.trailing(text, "since", context.now, context.zone)
    if since is None:
        since, text = _timed(text, context)
    severity: int | None = None
    drill = False
    while True:
        word, rest = _word(text)
        plain = _bare(word)
        if severity is None and re.fullmatch(r"sev-?[1-5]", plain):
            severity, text = int(plain[-1]), rest
        elif severity is None and plain in {"sev", "severity"} and (given := re.match(r"([1-5])[:,]?(?:\s+|$)", rest)):
            severity, text = int(given[1]), rest[given.end() :]
        elif plain == "drill" and not drill:
            drill, text = True, rest
        else:
            break
    if since is None:
        since, text = _timed(text, context)
    return Start(
        title=_needs_text("start", " ".join(text.split())),
        severity=severity,
        drill=drill,
        since=since,
        new_channel=bool(new_channel),
    )


def _detected(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    source: Source | None = None
    match = re.match(r"by\s+(?:an?\s+|the\s+)?([a-z]+)[.,:;]?(?:\s+|$)", said, re.IGNORECASE)
    if match and match[1].casefold() in SOURCES:
        source, said = SOURCES[match[1].casefold()], said[match.end() :].strip()
        if when is None:
            when, said = _timed(said, context)
    elif _is_forced(said):
        said = said[1:].strip()
    return Record(kind=Kind.DETECTION, text=said, when=when, source=source)


def _ruledout(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    if _is_forced(said):
        return Record(kind=Kind.DEAD_END, text=_needs_text("ruledout", said[1:].strip()), when=when)
    word, rest = _word(_needs_text("ruledout", said))
    number = _number(word)
    rest_when, rest = (_timed(rest, context) if when is None else (None, rest)) if number is not None else (None, "")
    return Record(kind=Kind.DEAD_END, text=said, when=when, number=number, rest=rest, rest_when=rest_when)


def _escalated(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    to, rest = _word(said)
    if _plain(to) == "to" and rest:
        said = rest
    target, handle, said = _addressed(_needs_text("escalated", said), context)
    return Record(kind=Kind.ESCALATION, text=said, when=when, target=target, person=handle)


def _told(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    audience, handle, said = _addressed(_needs_text("told", said), context)
    promised = promises.promised(said, when.at if when else context.now, context.zone)
    return Record(kind=Kind.UPDATE, text=said, when=when, target=audience, person=handle, promised=promised)


def service_names(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The services that a text adds and takes away: names between commas (not within brackets), `-name` takes away."""
    names: list[str] = []
    depth, name = 0, ""
    for sign in text + ",":
        depth = max(0, depth + (sign in "([{") - (sign in ")]}"))
        if sign in ",\n" and (depth == 0 or sign == "\n"):
            names.append(" ".join(name.split()))
            name = ""
        else:
            name += sign
    names.append(" ".join(name.rstrip(",").split()))
    named = [n for n in names if n.strip("- ")]
    removed = tuple(n[1:].strip() for n in named if n[0] in "-–—−")
    return tuple(n for n in named if n[0] not in "-–—−"), removed


def _services(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    added, removed = service_names(_needs_text("services", said))
    if not added and not removed:
        raise _usage("services")
    return Record(kind=Kind.SERVICES, text=said, when=when, added=added, removed=removed)


def _impact(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    seen = re.match(r"users\s+saw:(?:\s+|$)", said, re.IGNORECASE)
    if seen:
        said = said[seen.end() :]
    said = _needs_text("impact", said)
    return Record(kind=Kind.IMPACT, text=said, when=when, seen_by_users=bool(seen), share=share_of_users(said))


_CATEGORY = "prevent|detect|mitigate|process"
_READERS = "public|internal"
"""Who may read an action item: customers too, or nobody else any more."""


def _todo(text: str, context: Context) -> Command:
    word, rest = _word(text)
    task = _number(word, "t")
    if task is None:
        when, text = _timed(text, context)
        said = _task_said(text, context)
        return AddTask(
            text=_needs_text("todo", said.text),
            when=when,
            owner=said.owner or "",
            person=said.person,
            category=said.category,
            due=said.due,
            public=bool(said.public),
        )
    if _plain(rest).rstrip(".") in {"again", "reopen", "reopened"}:
        return ReopenTask(task=task)
    said = _with_tracker(_task_said(rest, context), rest)
    if re.match(r"by\s", said.text, re.IGNORECASE) and f": {said.text}" not in rest:
        raise Refusal(
            f"“{said.text}” has no date that can be read; {word} is as it was.",
            f"Type {context.prefix} todo {word} by next Friday, by 1 December or by 2026-12-01; with a colon it is the "
            f"new text: {context.prefix} todo {word} : {said.text}",
        )
    if not (said.owner or said.category or said.due or said.text or said.url or said.public is not None):
        raise _usage("todo")
    return ChangeTask(
        task=task,
        owner=said.owner or None,
        person=said.person,
        category=said.category,
        due=said.due,
        text=said.text,
        whole=f"{word} {said.text}" if said.text else "",
        public=said.public,
        url=said.url,
    )


_ADDRESS = re.compile(r"<?(https?://[^\s>|]+)(?:\|[^>]*)?>?", re.IGNORECASE)


def _with_tracker(said: ChangeTask, line: str) -> ChangeTask:
    """What is said of an action item; an address that stands where its text would is where a tracker has it."""
    address = _ADDRESS.fullmatch(said.text)
    if address is None or re.search(rf"(?:^|\s):\s+{re.escape(said.text)}$", line):  # a lone colon makes it a text
        return said
    return replace(said, text="", url=address[1])


def _task_said(text: str, context: Context) -> ChangeTask:
    """What is said of an action item, in any order that people use; its text may be empty."""
    due: date | None = None
    category: Category | None = None
    public: bool | None = None
    forced = re.match(rf"((?:for\s+[^:\n]{{1,80}}:\s+)?(?:(?:{_CATEGORY}):\s+)?):\s", text, re.IGNORECASE)
    kept = ""
    if forced:  # a lone colon before the task: what follows is text to the end, whatever it looks like
        text, kept = forced[1], text[forced.end() :].strip()
    else:
        text, due = times.due(text, context.now, context.zone)
        while tag := re.search(rf"(?:^|\s+)#({_CATEGORY}|{_READERS})\s*$", text, re.IGNORECASE):
            word = tag[1].casefold()
            if word in _READERS.split("|") and public is None:
                public = word == "public"
            elif word in _CATEGORY.split("|") and category is None:
                category = Category(word)
            else:  # said twice: the first stands in the text
                break
            text = text[: tag.start()]
            if due is None:
                text, due = times.due(text, context.now, context.zone)
    owner, handle, text = _owner(text, context)
    kind = re.match(rf"({_CATEGORY}):(?:\s+|$)", text, re.IGNORECASE)
    if kind:
        category, text = Category(kind[1].casefold()), text[kind.end() :]
        if not owner:
            owner, handle, text = _owner(text, context)
    return ChangeTask(
        task=0, text=kept or text.strip(), owner=owner, person=handle, category=category, due=due, public=public
    )


def _owner(text: str, context: Context) -> tuple[str, str, str]:
    """`@ben …`, `for Ben: …` or `for @ben: …`."""
    name, handle, rest = _mention(text, context)
    if name:
        return name, handle, rest
    named = re.match(r"for\s+([^:\n]{1,80}):(?:\s+|$)", text, re.IGNORECASE)
    if not named:
        return "", "", text
    owner = named[1].strip()
    return owner, context.mentions.get(owner, ""), text[named.end() :]


def _done(text: str, context: Context) -> Command:
    before, said = _timed(text, context)
    if number := _number(said):  # "done 2": T2, where there is one
        return FinishTask(task=number, when=before, bare=True)
    task, rest = _one_number("done", said, "t")
    when, left = (before, rest) if before else _timed(rest, context)
    if left:
        raise _left_over("done", f"T{task}", said)
    return FinishTask(task=task, when=when)


def _drop(text: str, context: Context) -> Command:
    task, why = _one_number("drop", text, "t")
    return DropTask(task=task, why=_needs_text("drop", why))


def _learned(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    word, rest = _word(said)
    kind = {"well": Kind.WELL, "wrong": Kind.WRONG, "badly": Kind.WRONG, "lucky": Kind.LUCKY}.get(_bare(word))
    if kind is None:
        raise _usage("learned")
    if when is None:
        when, rest = _timed(rest, context)
    return Record(kind=kind, text=_needs_text("learned", rest), when=when)


def _answer(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    word, rest = _word(said)
    question, about = _number(word, "r"), _number(word)
    if question is None and about is None:
        raise _usage("answer")
    return Record(kind=Kind.ANSWER, text=_needs_text("answer", rest), when=when, question=question, number=about)


def _person(verb: str, text: str, context: Context) -> tuple[str, str, str]:
    name, handle, rest = _mention(text, context)
    if not name and (me := re.match(r"(?:me|myself)(?:[.,:]?\s+|$)", text, re.IGNORECASE)) and all(context.speaker):
        name, handle, rest = *context.speaker, text[me.end() :].strip()
    if not name:
        raise Refusal("Who? No person is mentioned.", f"Type @ and choose the person: {VERBS[verb].usage}")
    return name, handle, rest


def _also_timed(when: times.When | None, text: str, context: Context) -> tuple[times.When | None, str]:
    """The time, or else the one that the rest begins with: `lead @chidi 03:05`, `sev2 03:05 only one region`."""
    return (when, text) if when else _timed(text, context)


def _lead(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    who, handle, rest = _person("lead", said, context)
    when, rest = _also_timed(when, rest, context)
    return Record(kind=Kind.ROLE, role="commander", target=who, person=handle, text=rest, when=when)


def _role(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    before, name, handle, rest = _within(said, context)
    role = before.rstrip(": ")
    if not name or not role:
        raise _usage("role")
    if len(role) > TARGET_LENGTH:
        raise Refusal(f"The name of a role has up to {TARGET_LENGTH} characters.", f"Type {VERBS['role'].usage}")
    when, rest = _also_timed(when, rest, context)
    commander = _plain(role) in {"lead", "ic", "commander", "incident commander"}
    return Record(
        kind=Kind.ROLE,
        role="commander" if commander else role,
        target=name,
        person=handle,
        text=rest,
        when=when,
    )


def _handover(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    to, after = _word(said)
    who, handle, rest = _person("handover", after if _plain(to) == "to" else said, context)
    when, rest = _also_timed(when, rest, context)
    return Record(kind=Kind.HANDOVER, target=who, person=handle, text=rest, when=when)


def _severity(text: str, context: Context) -> Command:
    when, said = _timed(text, context)
    match = re.match(r"(?:sev[- ]?)?([1-5])[.,:;]?(?:\s+|$)", said.translate(_DASHES), re.IGNORECASE)
    if not match:
        raise Refusal("A severity is sev1 to sev5.", f"Type {VERBS['severity'].usage}, for example: severity sev2")
    when, rest = _also_timed(when, said[match.end() :].strip(), context)
    return Record(kind=Kind.SEVERITY, severity=int(match[1]), text=rest, when=when)


def _link(text: str, context: Context) -> Command:
    if _bare(text) == "revoke":  # with anything after it, it is no more than a link that is not written whole
        return RevokeLink()
    when, said = _timed(text, context)
    url, rest = _word(said)
    if (task := re.fullmatch(r"#?t(\d{1,9})[.,:;)]?", url, re.IGNORECASE)) and not when:
        if (address := _ADDRESS.fullmatch(rest)) is None:
            raise Refusal(f"Where is {url}? A link begins with https:// or http://.", "Type link T3 https://…")
        return ChangeTask(task=int(task[1]), url=address[1])
    match = _ADDRESS.fullmatch(url)
    if not match:
        raise Refusal(
            "A link begins with https:// or http://.",
            f"Type {VERBS['link'].usage}, for example: {VERBS['link'].example}",
        )
    return Record(kind=Kind.LINK, url=match[1], text=rest, when=when)


def _mark(mark: Mark) -> Reader:
    return lambda text, context: MarkEntry(entry=_number_alone(mark.value, text), mark=mark)


def kind_of(word: str) -> Kind | None:
    """The kind of entry that a verb or the name of a kind stands for."""
    plain = "_".join(re.split(r"[\s_-]+", _plain(word)))
    if plain in set(Kind):
        return Kind(plain)
    return _KIND_OF_VERB.get(_BY_WORD[plain].name) if plain in _BY_WORD else None


def _edit(text: str, context: Context) -> Command:
    word, rest = _word(text)
    if _plain(word) == "section":
        section, said = _word(rest)
        if not section:
            raise Refusal("Which section?", f"Sections: {', '.join(SECTIONS)}.", form="edit section")
        if _plain(section) not in SECTIONS:
            raise Refusal(f"There is no section “{section}”.", f"Sections: {', '.join(SECTIONS)}.")
        return WriteSection(section=_plain(section), text=said)
    number, rest = _one_number("edit", text)
    as_kind = re.fullmatch(r"as\s+(?:an?\s+)?([\w\s-]+)", rest.translate(_DASHES), re.IGNORECASE)
    if as_kind and (kind := kind_of(as_kind[1].strip())):
        return CorrectKind(entry=number, kind=kind)
    if as_kind and len(as_kind[1].split()) == 1:
        kinds = ", ".join(sorted(_KIND_OF_VERB))
        raise Question(
            f"“{as_kind[1].strip()}” is no kind of entry. Nothing is changed yet.",
            (Choice("It is the new text", f"edit {number} : {rest}"),),
            f"Kinds: {kinds}.",
        )
    if rest.startswith(": "):
        rest = rest[2:].strip()
    return CorrectText(entry=number, text=_needs_text("edit", rest))


def _move(text: str, context: Context) -> Command:
    number, rest = _one_number("move", text)
    to, after = _word(rest)
    if _plain(to) == "to":
        rest = after
    if not rest:
        raise _usage("move")
    return Move(entry=number, when=times.whole(rest, context.now, context.zone))


def _onset(text: str, context: Context) -> Command:
    if not text:
        raise _usage("onset")
    return SetOnset(when=times.whole(text, context.now, context.zone))


def _zone(text: str, context: Context) -> Command:
    if not text:
        raise _usage("zone")
    return SetZone(zone=times.zone_name(text))


def _remove(text: str, context: Context) -> Command:
    number, why = _one_number("remove", text)
    return Remove(entry=number, why=why)


def _redact(text: str, context: Context) -> Command:
    what = " ".join(_plain(text).split())
    if what in {"title", "review"}:
        return Redact(what=what)
    if what.startswith("section "):
        name = what.removeprefix("section ")
        if name not in SECTIONS:
            raise Refusal(f"There is no section “{name}”.", f"Sections: {', '.join(SECTIONS)}.")
        return Redact(what=what)
    return Redact(entry=_number_alone("redact", text))


def _none(text: str, context: Context) -> Command:
    if not text:
        raise _usage("none")
    number = _number(text)
    if number is not None:
        return SayNone(gap=str(number))
    plain = " ".join(_plain(text).replace("_", " ").replace("-", " ").split())
    if plain in GAP_WORDS:
        return SayNone(gap=plain)
    near = difflib.get_close_matches(plain, GAP_WORDS, 1)
    hint = f"Did you mean “{near[0]}”? " if near else ""
    raise Refusal(f"There is no gap “{text}”.", f"{hint}Type its number in gaps, or one of: {', '.join(GAP_WORDS)}.")


def _duplicate(text: str, context: Context) -> Command:
    match = re.fullmatch(r"(?:of\s+)?(?:#|inc-?)?(\d{1,9})", text.translate(_DASHES), re.IGNORECASE)
    if not match:
        raise _usage("duplicate")
    return MarkDuplicate(of=int(match[1]))


def _review(text: str, context: Context) -> Command:
    before, name, handle, rest = _within(text, context)
    when = f"{before} {rest}".strip()
    return CallReview(when=when, on=times.coming(when, context.now, context.zone), person=handle, who=name)


def _share(text: str, context: Context) -> Command:
    name, handle, _ = _mention(text, context, "#")
    if not name:
        raise Refusal("Which channel? None is mentioned.", "Type # and choose the channel: share #channel")
    return Share(channel=handle, name=name)


def _title(text: str, context: Context) -> Command:
    said = " ".join(text.split())
    if _is_forced(said):
        return Retitle(title=_needs_text("title", said[1:].strip()))
    if match := re.match(r"customers?:(?:\s+|$)", said, re.IGNORECASE):
        return Retitle(title=_needs_text("title", said[match.end() :]), audience="customers")
    return Retitle(title=_needs_text("title", said))


def _approve(text: str, context: Context) -> Command:
    if not text:
        return Approve()
    match = re.fullmatch(r"customers?(?:\s+#?(\d{1,9}))?", text, re.IGNORECASE)
    if match is None:
        raise Refusal(
            "“approve” stands alone; nothing is changed.", "Type approve, or draft customer for what customers see."
        )
    return Approve(what="customer", upto=int(match[1] or 0))


def _reminders(text: str, context: Context) -> Command:
    said = _plain(text).rstrip(".")
    if said not in {"on", "off"}:  # "reminders went out twice" is a thing that was seen
        raise _no_verb(f"reminders {text}", "reminders", context) if text else _usage("reminders")
    return SetNudges(on=said == "on")


def _look(view: View) -> Reader:
    return lambda text, context: Look(view=view, words=text)


def _tasks(text: str, context: Context) -> Command:
    words = _plain(text).rstrip(".").split()
    page = next((i for i, word in enumerate(words) if word == "page"), None)
    if page is not None and len(words) == page + 2 and words[page + 1].isdecimal() and len(words[page + 1]) < 5:
        said = words[:page]
    else:
        said = words
    if set(said) - {"mine", "all", "overdue"} and said not in (["on"], ["off"]):
        raise _no_verb(f"tasks {text}", "tasks", context)  # "tasks of the scheduler pile up" is a thing that was seen
    return Look(view=View.TASKS, words=" ".join(words))


def _timeline(text: str, context: Context) -> Command:
    words = _plain(text).rstrip(".").split()
    if words == ["whole"] or (len(words) == 2 and words[0] == "page" and re.fullmatch(r"[0-9]{1,6}", words[1])):
        raise Refusal(
            "The whole timeline opens in a window of its own.",
            "Type timeline all to see it here.",
            form=f"timeline {' '.join(words)}",
        )
    return Look(view=View.TIMELINE, words=text)


def _resend(text: str, context: Context) -> Command:
    if text:  # "resend the mails to customers" is a thing that somebody did
        raise _no_verb(f"resend {text}", "resend", context)
    return Look(view=View.RESEND)


TABLE: tuple[Verb, ...] = (
    Verb(
        "start",
        ("declare",),
        "[sev1…sev5] [drill] <title> [since <when>] [in new channel]",
        "an incident in this channel; since is when impact began",
        "start sev1 Checkout returns errors since 02:50",
        _start,
    ),
    Verb("note", (), "<text>", "what was seen", "note 03:12 CPU is at 100 % on db1", _entry(Kind.NOTE, "note")),
    Verb(
        "action",
        ("did", "tried"),
        "<text>",
        "what was done or looked at",
        "action rolled back deploy 4711",
        _entry(Kind.ACTION, "action"),
    ),
    Verb(
        "hypothesis",
        ("suspect", "suspected"),
        "<text>",
        "an assumption about the cause",
        "hypothesis the connection pool is exhausted",
        _entry(Kind.HYPOTHESIS, "hypothesis"),
    ),
    Verb(
        "ruledout",
        ("deadend",),
        "<n> [why] | <text>",
        "a path that misled, paired with its hypothesis",
        "ruledout 4 rollback changed nothing",
        _ruledout,
    ),
    Verb(
        "told",
        ("update",),
        "[<audience>:] <text>",
        "what was told to whom",
        "told customers: Some payments fail. We are on it.",
        _told,
    ),
    Verb(
        "mitigated",
        (),
        "[<text>]",
        "impact stopped",
        "mitigated 03:55 pool halved, errors back to 0.1 %",
        _entry(Kind.MITIGATED, "mitigated", optional=True),
    ),
    Verb(
        "resolve",
        ("resolved",),
        "[<text>]",
        "the incident is over; the draft follows",
        "resolve graphs flat for an hour",
        _entry(Kind.RESOLUTION, "resolve", optional=True),
        everyday=True,
    ),
    Verb(
        "detected",
        (),
        "[by monitoring|engineer|customer] [<text>]",
        "when and how it was found",
        "detected 02:58 by alert 5xx rate above 20 %",
        _detected,
    ),
    Verb("ack", (), "[<text>]", "somebody is on it", "ack", _entry(Kind.ACK, "ack", optional=True)),
    Verb("worked", (), "<n>", "action n helped", "worked 10", _mark(Mark.WORKED)),
    Verb("noeffect", (), "<n>", "action n did not help", "noeffect 5", _mark(Mark.NO_EFFECT)),
    Verb("confirmed", (), "<n>", "hypothesis n was right", "confirmed 8", _mark(Mark.CONFIRMED)),
    Verb(
        "decision",
        ("decided",),
        "<text>",
        "a choice that was made",
        "decision restore from the six-hour-old snapshot",
        _entry(Kind.DECISION, "decision"),
    ),
    Verb(
        "escalated",
        ("escalate", "paged"),
        "[to] [<target>:] <text>",
        "who was called in (Scribe pages nobody)",
        "escalated @ben connections to orders-db are all taken",
        _escalated,
    ),
    Verb(
        "mitigation",
        (),
        "<text>",
        "a step towards the end of the impact",
        "mitigation rollback begins",
        _entry(Kind.MITIGATION, "mitigation"),
    ),
    Verb(
        "again",
        (),
        "<text>",
        "impact came back: a second window begins",
        "again errors are back at 12 %",
        _entry(Kind.AGAIN, "again"),
        everyday=True,
    ),
    Verb(
        "summary",
        (),
        "<text>",
        "what is going on, in plain words",
        "summary Payments fail because the order database takes no connections",
        _entry(Kind.SUMMARY, "summary"),
    ),
    Verb(
        "services",
        (),
        "<a>, <b> | -<a>",
        "which services are affected (adds; -name takes away)",
        "services checkout, orders-db",
        _services,
    ),
    Verb(
        "impact",
        (),
        "[users saw:] <text>",
        "what is affected and how (adds)",
        "impact 34 % of customers cannot pay",
        _impact,
    ),
    Verb("trigger", (), "<text>", "what set it off", "trigger deploy 4711 at 02:45", _entry(Kind.TRIGGER, "trigger")),
    Verb(
        "cause",
        (),
        "<text>",
        "the root cause; a later one replaces it",
        "cause The pool had no upper limit.",
        _entry(Kind.CAUSE, "cause"),
    ),
    Verb(
        "factor",
        (),
        "<text>",
        "what contributed",
        "factor Nothing alerts on pool usage.",
        _entry(Kind.FACTOR, "factor"),
    ),
    Verb(
        "fix",
        (),
        "<text>",
        "the lasting fix; a later one replaces it",
        "fix The pool is capped at 200 connections.",
        _entry(Kind.FIX, "fix"),
    ),
    Verb(
        "verified",
        (),
        "<text>",
        "how it is known to be over",
        "verified 04:58 error rate below 0.1 % for an hour",
        _entry(Kind.VERIFIED, "verified"),
    ),
    Verb(
        "improve",
        (),
        "<text>",
        "a broad improvement",
        "improve Test pool limits under load.",
        _entry(Kind.IMPROVEMENT, "improve"),
    ),
    Verb(
        "todo",
        (),
        "[@owner|for <name>:] [prevent:|detect:|mitigate:|process:] <task> [by <date>] [#public] | T3 @owner by Friday "
        "| T3 <url> | T3 again",
        "an action item, or a change of one; #public shows it to customers, a url links it to a tracker",
        "todo @ben prevent: Cap the connection pool by Friday",
        _todo,
    ),
    Verb("done", (), "T3", "action item T3 is done", "done T3", _done),
    Verb("drop", (), "T3 <why>", "action item T3 will not be done", "drop T3 replaced by T5", _drop),
    Verb(
        "tasks",
        ("todos",),
        "[mine|all] [overdue] | on|off",
        "the action items; on and off: whether Scribe reminds you of yours",
        "tasks mine",
        _tasks,
        looks=True,
    ),
    Verb(
        "well",
        (),
        "<text>",
        "a lesson: what went well",
        "well The alert came within a minute.",
        _entry(Kind.WELL, "well"),
        everyday=True,
    ),
    Verb(
        "wrong",
        (),
        "<text>",
        "a lesson: what went wrong",
        "wrong The run book was out of date.",
        _entry(Kind.WRONG, "wrong"),
        everyday=True,
    ),
    Verb(
        "lucky",
        (),
        "<text>",
        "a lesson: where we were lucky",
        "lucky Ben happened to be awake.",
        _entry(Kind.LUCKY, "lucky"),
        everyday=True,
    ),
    Verb("learned", (), "well|wrong|lucky <text>", "the same three", "learned well The alert was clear.", _learned),
    Verb(
        "takeaway",
        (),
        "<text>",
        "the key takeaway",
        "takeaway No backup was usable as designed.",
        _entry(Kind.TAKEAWAY, "takeaway"),
    ),
    Verb(
        "question",
        (),
        "<text>",
        "a question for the review",
        "question Why did the alert take eight minutes?",
        _entry(Kind.QUESTION, "question"),
    ),
    Verb("answer", (), "R2|<n> <text>", "the answer to a question", "answer R2 The disk alert of Monday.", _answer),
    Verb("lead", (), "@person", "who commands the incident (me: you)", "lead @chidi", _lead),
    Verb("role", (), "<name> @person", "who has which role", "role communications @dana", _role),
    Verb("handover", (), "@person [<text>]", "command goes to another person", "handover @ada end of shift", _handover),
    Verb(
        "severity",
        _SEVERITIES,
        "sev2 [<why>]",
        "the severity, and each change of it",
        "severity sev2 only one region",
        _severity,
    ),
    Verb("key", (), "<n>", "entry n stays in the main document", "key 12", _mark(Mark.KEY)),
    Verb("unkey", (), "<n>", "it no longer must", "unkey 12", _mark(Mark.UNKEY)),
    Verb(
        "link",
        (),
        "<url> [<text>] | revoke",
        "supporting information; revoke takes the document's web link back (asks first)",
        "link https://grafana.example.org/d/1 5xx graph",
        _link,
    ),
    Verb(
        "reopen",
        (),
        "[<why>]",
        "it is not over after all",
        "reopen errors are back",
        _entry(Kind.REOPENED, "reopen", optional=True),
    ),
    Verb(
        "cancel",
        (),
        "<why>",
        "it was no incident (asks first)",
        "cancel false alarm of the probe",
        lambda text, context: Cancel(why=_needs_text("cancel", text)),
    ),
    Verb("duplicate", (), "of <number>", "it is the same as another (asks first)", "duplicate of 41", _duplicate),
    Verb(
        "edit",
        (),
        "<n> <text> | <n> as <kind> | section <name> <text>",
        "another text or kind of an entry; a section in your words",
        "edit 5 rolled back deploy 4712",
        _edit,
    ),
    Verb("move", (), "<n> <when>", "another time of an entry", "move 5 03:10", _move),
    Verb(
        "title",
        (),
        "[customers:] <text>",
        "another title; customers: the one that customers see",
        "title Checkout is down",
        _title,
    ),
    Verb("onset", (), "<when>", "when impact began", "onset 02:50", _onset),
    Verb("zone", (), "<IANA name>", "the zone of the document", "zone Europe/London", _zone),
    Verb("remove", (), "<n> [<why>]", "an entry leaves the record (kept in the history)", "remove 5 twice", _remove),
    Verb(
        "undo",
        (),
        "",
        "takes back your own last line",
        "undo",
        _alone("undo", Undo(), "It takes back your own last line; remove <n> takes out another."),
    ),
    Verb(
        "redact",
        (),
        "<n> | title | section <name> | review",
        "destroys a text for good (asks first)",
        "redact 5",
        _redact,
    ),
    Verb(
        "reminders",
        ("nudges",),
        "on|off",
        "whether Scribe reminds of what is missing in this incident",
        "reminders off",
        _reminders,
    ),
    Verb("status", (), "", "where the incident stands", "status", _look(View.STATUS), looks=True),
    Verb("brief", (), "", "the same in plain words, for everybody here", "brief", _look(View.BRIEF), looks=True),
    Verb("timeline", (), "[all]", "the entries so far", "timeline all", _timeline, looks=True),
    Verb("gaps", (), "", "what is still missing, each with the line to type", "gaps", _look(View.GAPS), looks=True),
    Verb("none", (), "<gap>", "there is nothing to say about a gap", "none escalation", _none),
    Verb("suggest", (), "", "messages that look like entries", "suggest", _look(View.SUGGEST), looks=True),
    Verb("draft", (), "[<template>]", "the document as it stands", "draft", _look(View.DRAFT), looks=True),
    Verb(
        "export", (), "[<format>] [<template>]", "the document as a file", "export md", _look(View.EXPORT), looks=True
    ),
    Verb("resend", (), "", "tries again what could not be sent", "resend", _resend, looks=True),
    Verb("list", ("search",), "[<words>]", "the incidents you may see", "list checkout", _look(View.LIST), looks=True),
    Verb("review", (), "[<when>] [@facilitator]", "asks for a review", "review Tue 14:00 @dana", _review),
    Verb(
        "approve",
        (),
        "[customer <n>]",
        "approves the draft as it is; customer: what customers see, as draft customer showed it",
        "approve",
        _approve,
    ),
    Verb("publish", (), "", "publishes the document as it is", "publish", _alone("publish", Publish(), "")),
    Verb("share", (), "#channel", "shares the document to a channel", "share #general", _share),
    Verb("help", (), "[<verb>|all]", "how to type it", "help all", _look(View.HELP), looks=True),
)

FIRST_EIGHT = ("start", "note", "action", "hypothesis", "ruledout", "told", "mitigated", "resolve")

VERBS: dict[str, Verb] = {row.name: row for row in TABLE}
_BY_WORD: dict[str, Verb] = {word: row for row in TABLE for word in (row.name, *row.also)}
_KIND_OF_VERB: dict[str, Kind] = {
    "note": Kind.NOTE,
    "action": Kind.ACTION,
    "hypothesis": Kind.HYPOTHESIS,
    "ruledout": Kind.DEAD_END,
    "told": Kind.UPDATE,
    "mitigated": Kind.MITIGATED,
    "detected": Kind.DETECTION,
    "ack": Kind.ACK,
    "decision": Kind.DECISION,
    "escalated": Kind.ESCALATION,
    "mitigation": Kind.MITIGATION,
    "again": Kind.AGAIN,
    "summary": Kind.SUMMARY,
    "impact": Kind.IMPACT,
    "services": Kind.SERVICES,
    "trigger": Kind.TRIGGER,
    "cause": Kind.CAUSE,
    "factor": Kind.FACTOR,
    "fix": Kind.FIX,
    "verified": Kind.VERIFIED,
    "improve": Kind.IMPROVEMENT,
    "todo": Kind.TASK,
    "well": Kind.WELL,
    "wrong": Kind.WRONG,
    "lucky": Kind.LUCKY,
    "takeaway": Kind.TAKEAWAY,
    "question": Kind.QUESTION,
    "answer": Kind.ANSWER,
    "link": Kind.LINK,
    "resolve": Kind.RESOLUTION,
    "start": Kind.STARTED,
}


def verb_of(kind: Kind) -> str:
    """The verb that records a kind of entry."""
    others = {Kind.REOPENED: "reopen", Kind.CANCELLED: "cancel"}
    return next((verb for verb, of in _KIND_OF_VERB.items() if of is kind), others.get(kind, kind.value))


def find(word: str) -> Verb | None:
    """The row of a verb or one of its other words."""
    return _BY_WORD.get(_bare(word))


def nearest(word: str) -> str | None:
    """The verb that a mistyped word is most like, if it is like one."""
    near = difflib.get_close_matches(_plain(word), list(_BY_WORD), 1, 0.72)
    return near[0] if near else None


def _meant(line: str, word: str, near: str | None, context: Context) -> tuple[Choice, ...]:
    """The line with the verb that was mistyped, if that can be recorded as it is."""
    if near is None or find(word) is not None or not _is_typo(word, near):
        return ()
    meant = f"{near} {_word(line)[1]}".strip()
    try:
        parse(meant, context)
    except Refusal:
        return ()
    return (Choice(meant, meant),)


def _is_typo(word: str, verb: str) -> bool:
    """Whether a word is a verb mistyped: its letters in another order, or nearly spelled so, and no form of it."""
    plain = _plain(word)
    if plain.removeprefix(verb) in {"d", "ed", "s", "es", "ing", "er"}:  # "updated the config"
        return False
    return sorted(plain) == sorted(verb) or difflib.SequenceMatcher(None, plain, verb).ratio() >= 0.85


def parse(line: str, context: Context) -> Parsed:
    """The command that a line says.

    Raises Refusal with what to type; Question where the text begins with no verb: its choices keep the text.
    """
    line = line.strip()
    if not line:
        return Parsed(Look(view=View.HERE), "")
    word, rest = _word(line)
    row = find(word)
    if row is None:
        raise _no_verb(line, word, context)
    elsewhere = _ELSEWHERE.match(rest.translate(_DASHES))
    if elsewhere:
        rest = rest[elsewhere.end() :]
    if _bare(word) in _SEVERITIES:
        rest = f"{_bare(word)} {rest}"
    aim = int(elsewhere[1]) if elsewhere else None
    try:
        command = _fitting(row.read(rest, context))
    except Question as question:
        if elsewhere is None:
            raise
        choices = tuple(replace(choice, line=aimed(choice.line, int(elsewhere[1]))) for choice in question.choices)
        raise Question(question.message, choices, question.hint, question.field) from None
    except Refusal as refusal:
        raise _with_form(refusal, row, rest, aim) from None
    return Parsed(command, row.name, aim, _zone_used(command))


WITH_FORM = frozenset(
    {
        "start", "note", "action", "hypothesis", "ruledout", "told", "mitigated", "resolve", "decision", "escalated",
        "mitigation", "again", "summary", "services", "impact", "trigger", "cause", "factor", "fix", "verified",
        "improve", "todo", "drop", "well", "wrong", "lucky", "takeaway", "question", "lead", "role", "handover",
        "severity", "link", "edit", "move", "title", "timeline", "answer", "review", "share",
    }
)  # fmt: skip
"""The verbs whose line opens a form where it says nothing yet (see slack/forms)."""


def asks_first(parsed: Parsed) -> Refusal | None:
    """The refusal of a line that could be recorded, and for which people get a form instead: None for any other.

    That is a bare `resolve`, and the line of a button that says `mitigated INC-42:` or `review INC-42:`.
    """
    command, by_button = parsed.command, parsed.incident is not None
    if parsed.verb != "resolve" and not (by_button and parsed.verb in ("mitigated", "review")):
        return None
    if command not in (Record(kind=Kind.RESOLUTION), Record(kind=Kind.MITIGATED), CallReview()):
        return None
    row = VERBS[parsed.verb]
    refusal = Refusal(
        f"“{row.name}” alone opens a form; nothing is recorded yet.",
        f"Type {row.name} at now, or with a text: {row.example}",
    )
    return _with_form(refusal, row, "", parsed.incident)


def _with_form(refusal: Refusal, row: Verb, rest: str, aim: int | None) -> Refusal:
    """The refusal of a line that says nothing yet, with the line that opens the form of its verb."""
    said = rest.strip()
    names_one = (row.name in {"edit", "move"} and _number(said) is not None) or (
        row.name in {"todo", "drop"} and _number(said, "t") is not None
    )
    if row.name not in WITH_FORM or not (refusal.form or names_one or (not said and row.name != "drop")):
        return refusal
    line = refusal.form or f"{row.name} {said}".strip()
    if aim is not None and row.name != "start":
        line = aimed(line, aim)
    return Refusal(refusal.message, refusal.hint, refusal.field, line)


def parts_of(line: str) -> tuple[str, int | None, str]:
    """A line taken apart: the verb as it stands in the table ("" where there is none), the incident named, the rest."""
    word, rest = _word(line)
    row = find(word)
    named = _ELSEWHERE.match(rest.translate(_DASHES))
    return row.name if row else "", int(named[1]) if named else None, rest[named.end() :].strip() if named else rest


def aimed(line: str, incident: int) -> str:
    """The line about the incident with that number."""
    word, rest = _word(line)
    return f"{word} INC-{incident}: {rest}".rstrip()


def _zone_used(command: Command) -> bool:
    whens = [getattr(command, name, None) for name in ("when", "since", "rest_when", "promised", "on")]
    return any(isinstance(when, times.When) and when.zone_used for when in whens)


def _no_verb(line: str, word: str, context: Context) -> Question:
    near = nearest(word)
    if near and not (_is_typo(word, near) or _plain(word).startswith(near)):  # "rolled back" is not about a role
        near = None
    hint = f"Or did you mean “{near}”? Then type {context.prefix} {near} …" if near else ""
    if len(line) > MAX_TEXT:
        return Question(f"“{word}” is no verb, and the text is longer than {MAX_TEXT:,} characters.", (), hint)
    return Question(
        f"“{word}” is no verb. Nothing is recorded yet.",
        (
            *_meant(line, word, near, context),
            Choice("Action", f"action {line}"),
            Choice("Note", f"note {line}"),
            Choice("Ruled out", f"ruledout {line}"),
        ),
        hint or f"Record it with one tap, or see {context.prefix} help.",
    )
