"""Which messages of a channel look like entries of a timeline: offered to people, never recorded on their own.

Rules that can be read, no model: a table of clues (`CLUES`), each worth points for a kind of entry or against all, and
a few rules about what stands around a message. docs/suggestions.md explains them and says how well they do. English.
The room knows messages as data. It must not know Slack, a store or a clock; the same messages give the same answer.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from bot.core import times
from bot.core.clues import CLUES, COMES_AGAIN, Clue
from bot.core.errors import Refusal

KINDS = (
    "detection",
    "action",
    "hypothesis",
    "dead_end",
    "escalation",
    "update",
    "mitigation",
    "resolution",
    "cause",
    "note",
)  # fmt: skip
"""The words for a kind: those of the scenario files and of their answer keys."""

ENOUGH = 2
"""Points from which a message is offered."""

STATEMENT = 2
"""So much must a plain statement tell (see `_stated`) to be offered without a clue, while an incident is under way."""

MOST_MISSING = 3
"""It is not offered where more points than this are missing: something speaks against it."""

BUSY = 5
"""So many messages of people within an hour, by at least two of them, and something is going on."""

COOL = timedelta(hours=18)
"""After so long without anything to record, an incident in a channel is taken to be over."""

NEAR = timedelta(minutes=15)
"""What stands so close may belong together: an echo, an answer, the second half of an action."""

AT_ONCE = timedelta(minutes=2)
"""A program that announces more than this before a person does has its own news."""

TAKEN_UP = timedelta(minutes=60)
"""Within this time people speak after an alert that means something."""

AT_IT = timedelta(hours=3)
"""So long after people did something, what is rolled out to production is taken to be theirs."""

RELIEF = timedelta(minutes=45)
"""So long after something was done, that it is better is its effect."""

CLEARS = timedelta(minutes=5)
"""An alert that clears so soon was none."""

EARLIER = timedelta(hours=14)
"""A clock time without a date that would lie further back than this was not meant for the past."""

LONGEST = 2_000
"""Characters of a message that are read for clues: what is longer is a log, and its beginning tells."""


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote in a channel.

    `id` is the way in's own name for it; `said_at` is aware. `text` is plain words with line breaks, code between
    backticks. `author` is the id of a person or a program, `program` says which; `notice` that the chat itself wrote
    it (a join, a new topic). `thread` is the id of the message that it answers, "" for none. `zone` is the author's.
    """

    id: str
    said_at: datetime
    author: str
    text: str
    program: bool = False
    notice: bool = False
    thread: str = ""
    zone: str = "UTC"
    reactions: tuple[str, ...] = ()
    files: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A message that looks like an entry: what kind, when it happened (`zone` is that of its author), and why.

    `at` is the time that the message speaks of, else the one when it was written; `told` says which.
    """

    id: str
    kind: str
    at: datetime
    zone: str
    text: str
    author: str
    score: int
    why: tuple[str, ...]
    approx: bool = False
    told: bool = False


_BEFORE_ALL = re.compile(
    r"^(?:[\s,.:;!–—-]+|(?:@[\w.-]+|ok(?:ay)?|so|and|also|now|fyi|hey|hang on|well|right|yes|yep|yeah|got it|"
    r"alright|all right"
    r"|update|just|team|all|guys|folks|hi|quick update|heads[- ]up|for the record|note|meanwhile|btw|then|but|"
    r"next)\b(?= ?\S))+"
)
_CODE = re.compile(r"```.*?(?:```|$)", re.DOTALL)
_FAULT = re.compile(
    r"\b(?:fatal|error|exception|denied|refused|exceed\w*|could not|cannot|failed|traceback|panic|timeout)\b", re.I
)
_ASIDE = re.compile(r"""\s*(?:\(.*\)|[“"'‘][^“”"]*[”"'’])\s*""", re.DOTALL)
_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+")
_REQUEST = re.compile(r"\bhttps?://\S+/(?:pull|pulls|merge_requests|pull-requests)/\d\S*")
_SHORTCODE = re.compile(r":[a-z0-9_+'-]{2,40}:(?!\d)")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=\S)|\n+")
_TECHNICAL = re.compile(
    r"\d|[a-z][._/-][a-z0-9]|\b(?:api|db|dns|ssh|sql|http|tcp|tls|cpu|ram|disk|logs?|cache|config|cron|pods?|cluster"
    r"|nodes?|servers?|hosts?|service|queue|database|table|key|keys|token|tokens|network|cert\w*|deploy\w*|"
    r"release|version|backup)\b"
)
_PARTS = re.compile(r"[,;]\s+|\s[–—-]\s|\s(?:but|and then)\s")
_TALK = re.compile(
    r"\b(?:you|your|please|pls|shall|should|shouldn't|must|need to|let|always|never mind|welcome|honestly|whatever|"
    r"anyway|fwiw|means? that|supposed to|used to|give it|be (?:careful|patient|quick)|how (?:long|many|much|should)|"
    r"someone|somebody (?:else|said|asks|is)|nobody (?:is|knows)|who(?:'s| is| are)|everybody (?:\w+)|say the same|"
    r"i(?: a|')?m here|i (?:open|know|see)|want(?:ed)? that|my (?:mum|dad|wife|husband|boss|kids?|phone|laptop|"
    r"guess is)|"
    r"our (?:boss|vp|ceo)|ask(?:s|ing|ed)|feel\w*|fun|funny|lovely|mad|sad|proud|happy|angry|amused|famous|worst|"
    r"best of|press|news|journalists?|reporters?|bloomberg|reddit|hacker news|article|stock|quote|agenda|template|"
    r"action items?|review|doc is|first thing|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day (?:afternoon|morning|evening|night))\b|:\)"
    r"|^no \S+ (?:\S+ )*(?:please|this week|today)$"
)
"""What makes a statement talk: said to somebody, asked of somebody, felt, hoped, planned, or read in the news."""

_PROGRESS = re.compile(
    r"^(?:[\w./-]+ ){0,5}(?:is )?(?:at|now at|down to|up to) (?:about |around |~ ?)?\d[\d.,]* ?(?:%|percent|k\b|m\b|"
    r"gb\b|tb\b)"
    r"(?: of (?:\S+ ?){1,3})?[.! ]*$|^(?:[\w./-]+ ){0,5}\d[\d.,]* ?%[.! ]*$|^\d[\d.,]* ?[km]? (?:to go|left|"
    r"remaining)[.! ]*$"
)
_COURTESY = re.compile(r"(?<=\w)[\s,.!–-]*\b(?:thanks|thank you|thx|cheers|sorry|please)(?: \w+){0,3}[\s!.]*$")
_WORD = re.compile(r"[a-z0-9][a-z0-9'_./%-]*")
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "*": "", "_": " ", "`": "", "\u00a0": " "})
_ORDER = (
    "dead_end",
    "resolution",
    "update",
    "escalation",
    "hypothesis",
    "cause",
    "mitigation",
    "detection",
    "action",
    "note",
)
"""Where two kinds have the same points, the one that says more comes first."""

_ALERT = re.compile(
    r"\b(?:firing|triggered|alert(?:ing)?|alarm|problem|critical|down|unreachable|fail(?:ed|ure|ing|s)?|errors?|"
    r"severity|"
    r"timeout|crash\w*|outage|breach\w*|exceed\w*|above|below|over threshold|unhealthy|degraded|incident #?\d|"
    r"page[ds]?)\b"
)
_LOUD = re.compile(r"\b(?:firing|triggered|critical|p[01])\b(?!.*\b(?:declared|resolved|recovered|cleared|closed)\b)")
_CALM = re.compile(
    r"\b(?:resolved|recover(?:ed|y)|ok|up|cleared|closed|acknowledged|ack|back to normal|succeeded|succeeds|"
    r"successful\w*|assigned|created|merged|"
    r"deployed|opened|pushed|commented|approved|started|new branch|info(?:rmation)?|warning|on call now|reminder|"
    r"scheduled)\b"
)
_UNDONE = re.compile(
    r"\b(?:has|have) (?:been |now been )?(?:invalidated|revoked|removed|restored|resolved|fixed|disabled|withdrawn|"
    r"taken down)\b"
    r"(?!.{0,20}\b(?:from the channel|alert|page)\b)"
)
_SENT_IN = re.compile(
    r"\b(?:new|incoming) (?:e-?mail|mail|ticket|report|complaint|message|post|call) (?:to|from|in|at|by)\b"
    r"|\bnew (?:issue|ticket|mail)\b|#\d+ \(new\)"
    r"|\b(?:issue|ticket|case) (?:#?\d+ )?(?:was )?(?:opened|created|filed) by an? (?:user|customer|client|community)\b"
)
_ROUTINE = re.compile(
    r"\b(?:pipeline|build|workflow|tests?|lint|specs?|rspec|checks?|unit)\b.{0,30}\bfailed\b|\bfailed (?:for|"
    r"on) (?:master|main|branch)"
)
_STATUS = re.compile(
    r"\b(?:investigating|identified|monitoring|status ?page|we are (?:currently|aware|investigating|experiencing|"
    r"working)|tweet(?:ed)?|apologi[sz]e|degraded performance|(?:partial|major|minor|service) (?:service )?outage|"
    r"degraded availability|operating normally|all systems operational|we (?:have|will|apologi[sz]e)|"
    r"this incident has been)\b"
)
_REAL = re.compile(r"\b(?:production|prod|live|global|everywhere|all regions)\b|100 ?%")
_OPERATION = re.compile(
    r"\b(?:deploy\w*|roll(?:ed|ing)?[ -]?(?:back|out)|rollback|revert\w*|restart\w*|released?|failover|started|"
    r"done|complete[d]?|"
    r"→|is live|removed|deleted|disabled|enabled|merged)\b"
)
_HELPS = re.compile(r"\broll(?:ed|ing)?[ -]?back\b|\brevert|\bis live\b|\brelease \S+ deployed\b")
_PART_OF_NAME = re.compile(r"[./_%'-]+")
_COMMON = frozenset(
    """
    the and for with from that this have has had are was were not but you all our can now new one two out its they
    them then than what when where who why how will would should could just also still been being get got into over
    after before some any more again back only very like here there down about error errors alert alerts critical
    warning failed failing production prod staging master main done started merged deployed release version minutes
    hours please users people team issue incident which their your yes too see say says said make made need look
    looks looking going same first last next think maybe
    """.split()  # noqa: SIM905 - a list of so many would fill the page
)
_NEW = "something new comes up"
_ALARMED = re.compile(r"^(?:hm+|uh+|um+|huh|wtf|guys|folks|whoa|hang on|hold on|wake up|wait)[.!…]+\s")
_DENIES = re.compile(
    r"^(?:no|nope|nah|it (?:is|has|was|does|did)(?:n't| not)|(?:it's|that's) not|"
    r"not)\b[\s.,:;!–—-]+\S+ \S+"
)
_ENDS = re.compile(
    r"\b(?:calling|closing|closed|declar\w+|resolved|resolving|standing down|over|done|verified|"
    r"all clear)\b"
)
_SEEN = frozenset({"it is fine", "it is better"})
_DONE = frozenset({"people can do it again", "the faulty thing is off"})
"""Rows of relief that tell what is seen, and those that tell what was done."""

_THEIRS = "about what people deal with"

_MARKS = frozenset(
    """
    pushpin round_pushpin memo pencil white_check_mark heavy_check_mark bookmark rotating_light tada clap fire scream
    star spiral_note_pad
    """.split()  # noqa: SIM905
)
"""Reactions by which people keep a message."""

_LAUGHS = frozenset(
    """
    joy laughing rolling_on_the_floor_laughing rofl pizza beers coffee cake dog cat sweat_smile smile grin heart
    doughnut popcorn
    """.split()  # noqa: SIM905
)


@dataclass(slots=True)
class _Read:
    """A message with what its words say."""

    message: Message
    score: int
    votes: dict[str, int]
    why: list[str]
    words: frozenset[str]
    question: bool = False
    stated: int = 0
    kind: str = field(default="note")


def suggest(
    messages: Iterable[Message],
    already: Collection[str] = (),
    *,
    under_way: bool = False,
    clues: Sequence[Clue] = CLUES,
) -> list[Suggestion]:
    """The messages that look like entries, in the order in which they were written.

    `already` are ids of messages that are recorded. `under_way` says that an incident is known to be going on, so the
    first message need not be the one that found it. `clues` are rows to weigh by, for measurements.
    """
    ordered = sorted(messages, key=lambda one: (one.said_at, one.id))
    read = [_read(one, clues) for one in ordered]
    _leave_echoes(read)
    chosen = _in_context(read, under_way)
    usual = _usual_zone(ordered)
    return [_suggested(one, usual) for one in chosen if one.message.id not in already]


# ---- one message ---------------------------------------------------------------------------------


def _read(message: Message, clues: Sequence[Clue]) -> _Read:
    """What the words of a message say, whatever stands around it."""
    prose = _prose(message.text)
    words = frozenset(_WORD.findall(prose))
    found = _Read(message, 0, {}, [], words)
    if message.notice or not words:
        return found
    if message.program:
        return _read_program(found, prose, clues)
    sentences = [_without_courtesy(one.strip()) for one in _SENTENCE.split(prose) if _WORD.search(one)]
    best = -99
    for sentence in sentences:
        score, votes, why = _weighed(sentence, clues)
        for kind, points in votes.items():
            found.votes[kind] = max(found.votes.get(kind, 0), points)
        if score > best:
            best, found.why = score, why
    if len(words) > 1 and any(_FAULT.search(code) for code in _CODE.findall(message.text[:LONGEST])):
        found.votes["note"] = max(2, found.votes.get("note", 0))
        best = max(best, 1) + 1
        found.why.append("an error is shown")
    found.score = best
    found.question = prose.rstrip(" )").endswith("?") and len(sentences) == 1
    if not found.question and len(sentences) > 1 and _ALARMED.match(prose) and best >= 0:
        found.votes["detection"] = max(3, found.votes.get("detection", 0))
        found.score = max(best, ENOUGH)
        found.why.append(_NEW)
    if len(words) <= 2 and best < 4 and not _DONE.intersection(found.why):
        found.score -= 2
        found.why.append("few words")
    if _ASIDE.fullmatch(message.text):
        found.score -= 3
        found.why.append("an aside")
    if _PROGRESS.search(prose):
        found.score -= 2
        found.why.append("how far it is")
    elif not found.question and ENOUGH - MOST_MISSING <= found.score < ENOUGH and not _TALK.search(prose):
        found.stated = max((_stated(one, clues) for one in sentences), default=0)
    found.score += _hints(message, found.why)
    found.kind = _kind(found.votes)
    return found


def _stated(sentence: str, clues: Sequence[Clue]) -> int:
    """How much a sentence, or a part of it, looks like a plain statement about technical things: 0 to 4."""
    best = 0
    for part in {sentence, *_PARTS.split(sentence)}:
        words = _WORD.findall(part)
        if len(words) < 3 or _asks(part) or any(clue.points < 0 and clue.words.search(part) for clue in clues):
            continue
        content = sum(word not in _COMMON and len(word) > 2 for word in words)
        best = max(best, min(2, content // 2) + bool(_TECHNICAL.search(part)) + (len(words) >= 6))
    return best


def _without_courtesy(sentence: str) -> str:
    """The sentence without the thanks at its end, where something else was said before."""
    shorter = _COURTESY.sub("", sentence)
    return shorter if len(_WORD.findall(shorter)) > 1 else sentence


def _prose(text: str) -> str:
    """The words without code, quotes, links and emoji, in small letters."""
    text = _CODE.sub(" ", text[:LONGEST].translate({ord("’"): "'"}))
    text = _QUOTED.sub("", text).lower()
    return _SHORTCODE.sub(" ", _LINK.sub(" ", _REQUEST.sub("pull request", text))).translate(_PLAIN).strip()


def _weighed(sentence: str, clues: Sequence[Clue]) -> tuple[int, dict[str, int], list[str]]:
    """Points, what they speak for and why: of the whole sentence, or of the part between commas that has the most."""
    whole = _weighed_part(sentence, clues)
    parts = [one for one in _PARTS.split(sentence) if len(_WORD.findall(one)) > 2]
    if len(parts) < 2 or whole[0] >= ENOUGH or _asks(sentence):
        return whole
    return max((whole, *(_weighed_part(one, clues) for one in parts)), key=lambda one: one[0])


def phrases(text: str) -> list[tuple[str, str]]:
    """What the rows are held against: each sentence of a text and its parts, and the same without filler words."""
    sentences = [one for one in _SENTENCE.split(_prose(text)) if _WORD.search(one)]
    parts = dict.fromkeys(part for one in sentences for part in (one.strip(), *_PARTS.split(one)))
    return [(part, _BEFORE_ALL.sub("", part)) for part in parts]


def _asks(sentence: str) -> bool:
    end = sentence.rstrip(" )")
    return end.endswith("?") and not end.endswith("??")


def _weighed_part(sentence: str, clues: Sequence[Clue]) -> tuple[int, dict[str, int], list[str]]:
    opening = _BEFORE_ALL.sub("", sentence)
    votes: dict[str, int] = {}
    why: list[str] = []
    against = 0
    for clue in clues:
        if clue.unless.intersection(why) or clue.unless.intersection(votes):
            continue
        hit = clue.words.match(opening) if clue.opening else clue.words.search(sentence)
        if hit is None:
            continue
        why.append(clue.name)
        if clue.kind:
            votes[clue.kind] = max(votes.get(clue.kind, 0), clue.points)
        else:
            against += clue.points
    if _asks(sentence):
        if votes.get("hypothesis", 0) < 3 and "help is asked for" not in why:
            against -= 4
            why.append("a question")
        votes = {kind: points for kind, points in votes.items() if kind in ("hypothesis", "cause")} or votes
    score = max(votes.values(), default=0) + (1 if len(votes) > 1 else 0) + against
    return score, votes, why


def _hints(message: Message, why: list[str]) -> int:
    """What others made of it: marks put on a message, a file that came with it."""
    points = 0
    if _MARKS.intersection(message.reactions):
        points += 1
        why.append("marked by others")
    if _LAUGHS.intersection(message.reactions) and not _MARKS.intersection(message.reactions):
        points -= 1
        why.append("laughed at")
    if message.files:
        points += 1
        why.append("with a file")
    return points


def _kind(votes: dict[str, int]) -> str:
    if votes.get("action", 0) == 2 and votes.get("note", 0) >= 2:
        votes = {kind: points for kind, points in votes.items() if kind != "action"}
    return min(votes, key=lambda kind: (-votes[kind], _ORDER.index(kind)), default="note")


def _read_program(found: _Read, prose: str, clues: Sequence[Clue]) -> _Read:
    """Programs: alerts, what was announced, and much that is only routine."""
    if _UNDONE.search(prose):
        found.score, found.kind, found.why = 3, "mitigation", ["an announcement by a program"]
    elif _STATUS.search(prose) and not re.search(r"\b(?:merged|pr)\b", prose):
        found.score, found.kind, found.why = 3, "update", ["an announcement by a program"]
    elif _SENT_IN.search(prose):
        found.score, found.kind, found.why = 3, "detection", ["a report from outside", COMES_AGAIN]
    elif (_LOUD.search(prose) or (_ALERT.search(prose) and not _CALM.search(prose))) and not _ROUTINE.search(prose):
        found.score, found.kind, found.why = 3, "detection", ["an alert"]
    else:
        score, votes, found.why = _weighed(prose, clues)
        score -= 3 + (2 if _CALM.search(prose) else 0)
        found.score, found.kind = score, _kind(votes)
        found.why.append("a program")
    return found


# ---- what stands around it -----------------------------------------------------------------------


def _leave_echoes(read: Sequence[_Read]) -> None:
    """Of two messages that say the same, one stays: a person's before a program's, the first before the second."""
    recent: deque[_Read] = deque()
    for one in read:
        while recent and one.message.said_at - recent[0].message.said_at > NEAR:
            recent.popleft()
        for other in recent:
            if not _same(one, other):
                continue
            drop = other if other.message.program and not one.message.program else one
            drop.score -= 9
            drop.why.append("an echo")
            break
        if one.score > 0:
            recent.append(one)


def _same(one: _Read, other: _Read) -> bool:
    if other.score < 0:
        return False
    small, large = sorted((one.words, other.words), key=len)
    if len(small) < 4:
        return False
    shared = len(small & large)
    if one.message.program == other.message.program:
        return shared >= 0.85 * len(large)
    if one.kind == other.kind == "update":
        person, program = (other, one) if one.message.program else (one, other)
        return person.message.said_at - program.message.said_at <= AT_ONCE or shared >= 0.5 * len(small)
    return shared >= 0.7 * len(small)


def _in_context(read: Sequence[_Read], under_way: bool) -> list[_Read]:
    """Those with enough points, after what stands around each was looked at."""
    _weigh_programs(read)
    course = _Course(under_way)
    for position, one in enumerate(read):
        if not one.message.notice and one.words:
            course.take(one, partial(_busy, read, position))
    _settle_end(course.chosen)
    return course.chosen


class _Course:
    """How the talk went until now: what was chosen, and how far the incident has come."""

    def __init__(self, under_way: bool) -> None:
        self.under_way = under_way
        self.chosen: list[_Read] = []
        self.asked: _Read | None = None
        self.shapes: set[tuple[str, frozenset[str]]] = set()
        self.alerted: datetime | None = None
        self.found_out = self.answered = False
        self.over = False
        self.guessed: _Read | None = None
        self.eased: datetime | None = None

    def take(self, one: _Read, busy: Callable[[], bool]) -> None:
        """Weighs a message in its place, and chooses it where it has enough points."""
        last = self.chosen[-1] if self.chosen else None
        if (last is not None and one.message.said_at - last.message.said_at <= COOL) or busy():
            self._statement(one)
            if last is not None:
                self._beside(one, last)
        elif self.under_way:
            self._statement(one)
        else:
            self.found_out = self.answered = False
            tells = one.kind in ("detection", "escalation", "cause", "resolution")
            if not tells and _THEIRS not in one.why:
                one.score -= 2
                one.why.append("nothing was going on")
        self._progress(one)
        self._settle_detection(one)
        self._settle_answer(one)
        self.asked = one if one.question else None
        if one.score >= ENOUGH:
            self._settle_relief(one)
            self.chosen.append(one)
            self.guessed = one if one.kind == "hypothesis" else self.guessed
            self.over = one.kind == "resolution" or (self.over and one.kind in ("note", "action", "update"))
            if one.kind == "resolution":
                self.answered = False
                return
            found = one.kind == "detection"
            self.alerted = one.message.said_at if found and one.message.program and not self.answered else None
            self.found_out = self.found_out or found
            self.answered = self.found_out and (self.answered or one.kind not in ("detection", "cause", "note"))

    def _statement(self, one: _Read) -> None:
        """A plain statement needs no clue while an incident is under way."""
        missing = ENOUGH - one.score
        enough = STATEMENT + bool(one.message.thread)
        if 0 < missing <= MOST_MISSING and one.stated >= enough and not one.message.program and not self.over:
            one.score = ENOUGH
            one.why.append("a statement")

    def _beside(self, one: _Read, last: _Read) -> None:
        _continued(one, last)
        if self.asked is not None and one.message.said_at - self.asked.message.said_at <= NEAR and len(one.words) <= 4:
            one.score -= 1

    def _progress(self, one: _Read) -> None:
        """The same words with other figures tell how far something is, again and again."""
        shape = (one.message.author, frozenset(word for word in one.words if not any(map(str.isdigit, word))))
        if shape in self.shapes and len(one.words) <= 8:
            one.score -= 3
            one.why.append("the same with other figures")
        self.shapes.add(shape)

    def _settle_detection(self, one: _Read) -> None:
        """The first that people see, also right after an alert, is how it was found; what they see later is a note."""
        said_at, alerted = one.message.said_at, self.alerted
        if not self.under_way and not one.message.program and one.votes.get("action", 0) < 3:
            right_after = alerted is not None and said_at - alerted <= NEAR
            if one.kind == "note" and (right_after or not self.found_out):
                one.kind = "detection"
        again = {COMES_AGAIN, _NEW, "word from outside"}.intersection(one.why)
        if one.kind == "detection" and self.answered and not again:
            one.kind = "note"

    def _settle_answer(self, one: _Read) -> None:
        """A no to a guess or a question, with a reason, closes a path."""
        said_at = one.message.said_at
        before = [other for other in (self.guessed, self.asked) if other is not None]
        if any(said_at - other.message.said_at <= NEAR for other in before) and _DENIES.match(_prose(one.message.text)):
            if one.score >= ENOUGH:
                one.kind = "dead_end"
            self.guessed = None

    def _settle_relief(self, one: _Read) -> None:
        """Right after something was done about it, that it is better is what people see: a note."""
        said_at = one.message.said_at
        if one.kind == "mitigation" and not _DONE.intersection(one.why):
            if self.eased is not None and said_at - self.eased <= RELIEF:
                one.kind = "note"
            return
        if one.kind == "mitigation":
            self.eased = said_at
        elif one.kind in ("dead_end", "hypothesis", "detection"):
            self.eased = None


def _settle_end(chosen: Sequence[_Read]) -> None:
    """The last good news of an incident is its end, where nobody says so in so many words."""
    episode: list[_Read] = []
    for one in [*chosen, None]:
        if one is not None and (not episode or one.message.said_at - episode[-1].message.said_at <= COOL):
            episode.append(one)
            continue
        _settle_end_of(episode)
        episode = [one] if one is not None else []


def _settle_end_of(episode: Sequence[_Read]) -> None:
    """What was called an end and was followed by more good news was a part; the last such is the end."""
    good = [
        n
        for n, one in enumerate(episode)
        if one.kind in ("mitigation", "resolution") or (one.kind == "note" and _SEEN.intersection(one.why))
    ]
    if len(episode) < 4 or not good:
        return
    for n in good[:-1]:
        one = episode[n]
        if one.kind == "resolution" and "mitigation" in one.votes and not _ENDS.search(_prose(one.message.text)):
            one.kind = "mitigation"
    last = episode[good[-1]]
    later = {one.kind for one in episode[good[-1] + 1 :]}
    if any(one.kind == "resolution" for one in episode) or later & {"dead_end", "hypothesis", "detection", "cause"}:
        return
    if good[-1] >= len(episode) // 2 and last.votes.get("action", 0) < 3:
        last.kind = "resolution"
        last.why.append("the last good news")


def _weigh_programs(read: Sequence[_Read]) -> None:
    """What programs wrote counts by what people made of it.

    An alert counts where people then speak, and, when they were at it already, where they take up its subject as a new
    one. An operation (a deployment, a rollback) counts where it is about what people deal with.
    """
    subjects = _subjects(read)
    seen: dict[str, datetime] = {}
    active: datetime | None = None
    for position, one in enumerate(read):
        message = one.message
        names = _names(one)
        if not message.program:
            if one.score >= ENOUGH:
                seen |= dict.fromkeys(names, message.said_at)
            at_it = active is not None and message.said_at - active <= COOL
            if one.score >= ENOUGH and one.kind not in (("note",) if at_it else ("note", "action", "hypothesis")):
                active = message.said_at
            continue
        if one.score < -6:
            continue
        after = [other for other in _following(read, position) if not other.message.notice]
        if one.kind == "detection":
            people = [other for other in after if not other.message.program]
            close = [other for other in people if other.message.said_at - message.said_at <= NEAR]
            known = active is not None and message.said_at - active <= COOL
            fresh = not any(message.said_at - seen[name] <= AT_IT for name in names if name in seen)
            taken_up = fresh and any(names & _names(other) for other in close)
            if active is not None and message.said_at - active > AT_IT:  # quiet since: people at once, and it is new
                taken_up = taken_up or (fresh and bool(close))
            cleared = any(
                other.message.program
                and other.score < 0
                and len(names & _names(other)) > 0
                and other.message.said_at - message.said_at <= CLEARS
                for other in after
            )
            if not people or cleared or (known and not taken_up):
                one.score -= 4
                one.why.append("nobody took it up")
            elif one.score >= ENOUGH:
                one.why += [COMES_AGAIN] if known else []
                active = message.said_at
                seen |= dict.fromkeys(names, message.said_at)
        elif _OPERATION.search(prose := _prose(message.text)):
            real = _REAL.search(prose)
            if real and names & subjects and _found_soon(after, message.said_at):
                one.score, one.kind = ENOUGH + 2, "action"
                one.why.append("right before it was found")
            elif names & subjects or (active and message.said_at - active <= AT_IT and (real or _HELPS.search(prose))):
                one.score = max(one.score, ENOUGH)
                one.kind = "mitigation" if _HELPS.search(prose) else "action"
                one.why.append(_THEIRS)


def _found_soon(after: Sequence[_Read], said_at: datetime) -> bool:
    """Whether trouble is seen within a quarter of an hour."""
    return any(
        other.kind == "detection" and other.score >= ENOUGH and other.message.said_at - said_at <= NEAR
        for other in after
    )


def _busy(read: Sequence[_Read], position: int) -> bool:
    """Whether several people begin to talk a lot, or trouble is about to be seen."""
    after = [one for one in _following(read, position) if not one.message.program and not one.message.notice]
    if any(one.score > ENOUGH and one.kind in ("detection", "escalation") for one in _following(read, position)):
        return True
    return len(after) >= BUSY and len({one.message.author for one in after}) > 1


def _following(read: Sequence[_Read], position: int) -> Iterable[_Read]:
    start = read[position].message.said_at
    for other in read[position + 1 : position + 200]:
        if other.message.said_at - start > TAKEN_UP:
            return
        yield other


def _names(one: _Read) -> frozenset[str]:
    """The parts of the words that may name a thing: db2, core-sw-2, ingress."""
    parts = {part for word in one.words for part in _PART_OF_NAME.split(word)}
    return frozenset(part for part in parts if len(part) > 2 and not part.isdigit() and part not in _COMMON)


def _subjects(read: Sequence[_Read]) -> set[str]:
    """Names that several strong messages of people use, but not too many: what the incident is about."""
    count: dict[str, int] = {}
    strong = [one for one in read if not one.message.program and one.score >= ENOUGH]
    for one in strong:
        for name in _names(one):
            count[name] = count.get(name, 0) + 1
    return {name for name, often in count.items() if often > 1 and len(name) > 4}


def _continued(one: _Read, last: _Read) -> None:
    """The second half of what the same person, or the one before, did: "and the one in Azure"."""
    if one.message.said_at - last.message.said_at > NEAR or one.question or one.message.program:
        return
    if 0 <= one.score < ENOUGH and re.match(
        r"(?:and|also|same|plus|then|now) (?:the|for|with|on|in|it|our)\b", _prose(one.message.text)
    ):
        one.score, one.kind = ENOUGH, last.kind if last.kind in ("action", "dead_end") else "action"
        one.why.append("goes on")


# ---- the time that is told -----------------------------------------------------------------------


_ZONE = r"(?: ?(?:Z\b|UTC\b|GMT\b|[A-Z]{2,4}T\b|[+-]\d\d:?\d\d\b))?"
_CLOCK = rf"\d{{1,2}}(?::\d\d(?::\d\d)?(?: ?[ap]\.?m\b\.?)?| ?[ap]\.?m\b\.?){_ZONE}"
_TIMES = re.compile(
    rf"(?P<date>\b\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?{_ZONE})"
    rf"|(?P<lead>\b(?:since|at|around|about|approx(?:imately)?|from|by|ca|roughly|until|till|between|eta|for|"
    rf"before|after)\.? |[@~] ?)?"
    rf"(?P<day>(?:yesterday|today|last night|this morning|(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?: at|"
    rf" around)? )?"
    rf"(?<![\d:.,/#-])(?P<clock>{_CLOCK})(?![\d:%])(?! ?[-–] ?\d)(?P<after> (?:today|yesterday|this morning|"
    rf"last night))?"
    r"|(?P<ago>(?P<about>(?:about|around|roughly|some|~|maybe|like) ?)?(?P<span>half an hour|an hour|a (?:few|"
    r"couple of) "
    r"(?:minutes|hours)|a minute|\d{1,3} ?(?:m|mins?|minutes?|h|hrs?|hours?|s|secs?|seconds?|d|days?)\b) ago\b)",
    re.IGNORECASE,
)
_SPAN = re.compile(r"\b(?:between|from) \S+(?: [ap]m)? (?:and|to|until|till) \S+", re.IGNORECASE)
_AHEAD = re.compile(
    r"\b(?:will|going to|gonna|eta|until|till|tomorrow|next|scheduled|planned|'ll|plan|hard stop|invite|"
    r"leaving at|arrives?|"
    r"expect\w*|meeting|again at|starts at|deadline|shall)\b[^.!?]*$",
    re.IGNORECASE,
)
_NO_EVENT = re.compile(r"\b(?:(?:it|time) is|it's|be back|back by)\s*$", re.IGNORECASE)
_SPANS = {"half an hour": "30m", "an hour": "1h", "a minute": "1m", "a few minutes": "5m", "a couple of minutes": "2m",
          "a few hours": "3h", "a couple of hours": "2h"}  # fmt: skip


def told(text: str, said_at: datetime, zone: str) -> times.When | None:
    """The time in the past that a message speaks of, None where it speaks of none, of several, or of one to come."""
    found: dict[datetime, times.When] = {}
    first: times.When | None = None
    for hit in _TIMES.finditer(_SPAN.sub(" ", _CODE.sub(" ", text[:LONGEST]))):
        when = _when(hit, hit.string, said_at, zone)
        if when is None:
            continue
        if first is None and (hit["lead"] or hit["ago"] or hit["date"]):
            first = when
        found.setdefault(when.at, when)
    if len(found) == 1:
        return next(iter(found.values()))
    return first


def _when(hit: re.Match[str], text: str, said_at: datetime, zone: str) -> times.When | None:
    lead, before = (hit["lead"] or "").strip(" .").lower(), text[: hit.start()]
    if (
        _NO_EVENT.search(before)
        or lead in ("until", "till", "between", "eta", "for", "before", "by")
        or _AHEAD.search(before)
    ):
        return None
    try:
        if hit["ago"]:
            span = hit["span"].lower()
            when = times.whole(f"{_SPANS.get(span, span)} ago", said_at, zone)
            return replace(when, approx=bool(hit["about"]) or span in _SPANS)
        if hit["date"]:
            return times.whole(hit["date"], said_at, zone)
        day = f"{hit['day'] or ''}{hit['after'] or ''}".lower()
        word = next((one for one in ("yesterday", "today", *_DAYS) if one in day), "")
        word = "yesterday" if "last night" in day and said_at.hour >= 5 else word
        when = times.whole(f"{word} {hit['clock'].strip()}".strip(), said_at, zone)
    except Refusal:
        return None
    if not word and said_at - when.at > EARLIER:
        return None
    return replace(when, approx=lead in ("around", "about", "approx", "approximately", "ca", "roughly", "~"))


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _usual_zone(messages: Sequence[Message]) -> str:
    """The zone in which most was written: people far away often speak of times as the others do."""
    count = Counter(one.zone for one in messages if not one.program)
    return min(count, key=lambda zone: (-count[zone], zone), default="UTC")


def _suggested(one: _Read, usual: str) -> Suggestion:
    message = one.message
    when = told(message.text, message.said_at, message.zone)
    if when is None and message.zone != usual:
        when = told(message.text, message.said_at, usual)
    return Suggestion(
        id=message.id,
        kind=one.kind,
        at=when.at if when else message.said_at,
        zone=message.zone,
        text=message.text.strip(),
        author=message.author,
        score=one.score,
        why=tuple(one.why),
        approx=bool(when and when.approx),
        told=when is not None,
    )
