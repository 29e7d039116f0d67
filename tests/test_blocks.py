"""Everything that Scribe sends to Slack, before a judge: slack_sdk's models, and the limits of Slack's pages.

The workspace in memory looks at messages too. This judge knows nothing of it, so that both would have to be wrong.
Sources: https://docs.slack.dev/reference/block-kit/blocks and /reference/methods/chat.postMessage.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import scenarios
from bot.core.events import Kind
from bot.core.grammar import MAX_TEXT, TABLE
from bot.press import Digest, Order, Page, Press
from bot.slack import blocks
from bot.workspace import Answer, DoorReply, User
from bot.workspace.stage import Stage, play

SATURDAY = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = sorted(p for p in (ROOT / "examples" / "incidents").glob("*.yaml") if not p.match("*.expect.yaml"))

TEXT = 4_000
BLOCKS = 50
POSTED = 12_000
"""Characters in all blocks of a posted message: above 12,000 and a little for the blocks themselves, chat.postMessage
answers msg_blocks_too_long (https://github.com/slackapi/bolt-js/issues/2509). Answers to a command may be longer."""
MODAL_BLOCKS = 100
METADATA = 3_000
VIEW_BYTES = 250_000
LIMITS = {"section": 3_000, "field": 2_000, "header": 150, "button": 75, "markdown": 12_000, "input": 2_000}
MOST = defaultdict(lambda: 100, {"actions": 25, "context": 10, "fields": 10, "overflow": 5, "checkboxes": 10})

OURS = re.compile(r"<(?:https?://[^<>|\s]+(?:\|[^<>]*)?|[#@][A-Z0-9]+)>")
"""What may stand in angle brackets: a link, a channel, a person. All that people typed is escaped."""

MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("text_join")
MESSAGES = {"chat.postMessage", "chat.update", "chat.postEphemeral"}
VIEWS = {"views.open", "views.update", "views.push", "views.publish"}


# ---- the judge -----------------------------------------------------------------------------------


def of_text(text: Any, limit: int, mrkdwn: bool = True) -> Iterator[str]:
    """What is wrong with a text."""
    if not isinstance(text, str) or not text.strip():
        yield f"there is no text: {text!r}"
        return
    if len(text) > limit:
        yield f"{len(text)} characters, {limit} are allowed: {text[:60]!r}"
    if mrkdwn:
        rest = OURS.sub("", text)
        if found := re.search(r"<[^\n]{0,20}|(?<!&gt);?>", rest.replace("&gt;", "").replace("\n>", "\n")):
            yield f"not escaped: {found[0]!r} in {text[:200]!r}"
        if found := re.search(r"&(?!amp;|lt;|gt;).{0,5}", rest, re.DOTALL):
            yield f"an escape was cut: {found[0]!r}"


def of_object(given: Mapping[str, Any], limit: int) -> Iterator[str]:
    """What is wrong with a text object."""
    if given.get("type") not in ("mrkdwn", "plain_text"):
        yield f"not a text object: {given}"
    yield from of_text(given.get("text"), limit, given.get("type") == "mrkdwn")


def of_element(element: Mapping[str, Any]) -> Iterator[str]:
    if element["type"] == "button":
        yield from of_object(element["text"], LIMITS["button"])
    if len(element.get("value", "")) > 2_000:
        yield "the value of a button is too long"
    if len(element.get("action_id", "")) > 255:
        yield "an action_id is too long"
    groups = [*element.get("option_groups", []), {"options": element.get("options", [])}]
    if max(len(groups) - 1, *(len(group["options"]) for group in groups)) > MOST[element["type"]]:
        yield "too many options"
    options = [option for group in groups for option in group["options"]]
    for group in groups[:-1]:
        yield from of_object(group["label"], 75)
    for option in options:
        yield from of_object(option["text"], 75)
        yield from of_text(option["value"], 150, mrkdwn=False)
    if len(element.get("initial_value", "")) > element.get("max_length", 3_000):
        yield "more is filled in than may be typed"


def of_block(block: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a block: what slack_sdk says, what it drops, and what stands on Slack's pages."""
    parsed = Block.parse(dict(block))
    if parsed is None:
        yield f"slack_sdk knows no such block: {block}"
        return
    try:
        parsed.validate_json()
        kept = parsed.to_dict()
    except SlackObjectFormationError as refused:
        yield f"slack_sdk refuses: {refused}"
        return
    if kept != block:
        yield f"slack_sdk makes something else of it: {kept} of {block}"
    match block["type"]:
        case "section":
            if "text" in block:
                yield from of_object(block["text"], LIMITS["section"])
            for field in block.get("fields", []):
                yield from of_object(field, LIMITS["field"])
            if len(block.get("fields", [])) > MOST["fields"]:
                yield "too many fields"
            if "accessory" in block:
                yield from of_element(block["accessory"])
        case "header":
            yield from of_object(block["text"], LIMITS["header"])
        case "markdown":
            yield from of_text(block["text"], LIMITS["markdown"], mrkdwn=False)
            yield from of_markdown(block["text"])
        case "context" | "actions":
            if not 1 <= len(block["elements"]) <= MOST[block["type"]]:
                yield f"{len(block['elements'])} elements"
            for element in block["elements"]:
                yield from of_element(element) if block["type"] == "actions" else of_object(element, 2_000)
        case "input":
            yield from of_object(block["label"], LIMITS["input"])
            if "hint" in block:
                yield from of_object(block["hint"], LIMITS["input"])
            yield from of_element(block["element"])
        case other:
            yield f"this judge has no opinion on {other} yet"


def of_markdown(text: str) -> Iterator[str]:
    """What would call somebody: `<!`, `<@`, `<#` outside of code and not escaped, which makes a token of its own."""
    for token in MARKDOWN.parse(text):
        for part in token.children or []:
            if part.type == "text" and (found := re.search(r"<[!@#].{0,20}", part.content)):
                yield f"this may call somebody: {found[0]!r}"


def written(block: Mapping[str, Any]) -> int:
    """How many characters a block shows."""
    texts = [block.get("text"), *block.get("fields", []), *(e.get("text") for e in block.get("elements", []))]
    return sum(len(text["text"] if isinstance(text, dict) else text) for text in texts if text)


def of_blocks(given: list[dict[str, Any]], most: int) -> Iterator[str]:
    if len(given) > most:
        yield f"{len(given)} blocks, {most} are allowed"
    for block in given:
        yield from of_block(block)
    if sum(len(block["text"]) for block in given if block["type"] == "markdown") > LIMITS["markdown"]:
        yield "too much in all markdown blocks together"
    names = [block["block_id"] for block in given if "block_id" in block]
    if len(set(names)) < len(names) or any(len(name) > 255 for name in names):
        yield f"block_ids must be short and differ: {names}"


def of_message(message: Mapping[str, Any], *, posted: bool) -> Iterator[str]:
    """What is wrong with a message; its text is what notifications and screen readers give."""
    markdown = any(block["type"] == "markdown" for block in message.get("blocks", []))
    yield from of_text(message.get("text"), TEXT, mrkdwn=not markdown)
    yield from of_blocks(message.get("blocks", []), BLOCKS)
    if posted and (size := sum(map(written, message.get("blocks", [])))) > POSTED:
        yield f"{size} characters in all blocks of a posted message"
    try:
        json.dumps(message, ensure_ascii=False).encode()
    except UnicodeEncodeError as half:
        yield f"half a character: {half}"


def of_view(view: Mapping[str, Any]) -> Iterator[str]:
    try:
        if (kept := View(**view).to_dict()) != view:
            yield f"slack_sdk makes something else of it: {kept} of {view}"
    except SlackObjectFormationError as refused:
        yield f"slack_sdk refuses: {refused}"
    parts = {"title", "submit", "close"} if any(b["type"] == "input" for b in view["blocks"]) else {"title", "close"}
    for part in sorted(parts | (view.keys() & {"submit"})):
        yield from of_object(view[part], 24)
    if len(view["private_metadata"]) > METADATA:
        yield "private_metadata is too long"
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        yield "the view is too large"
    yield from of_blocks(view["blocks"], MODAL_BLOCKS)


class Judge:
    """Sits at both doors of a stage: hears every answer of the app, and every call that it makes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.answers = self.calls = 0
        self.wrong: list[str] = []
        door = stage.workspace.door
        assert door is not None

        def listening(path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
            reply = door(path, body, headers)
            if reply.header("Content-Type").startswith("application/json"):
                self.hear(json.loads(reply.body))
            elif body.startswith(b"token=") and not reply.body:  # a form opened instead: `verdict` looks at it
                self.answers += 1
            return reply

        stage.workspace.attach(listening)

    def hear(self, answer: dict[str, Any]) -> None:
        """An answer to a command or a form."""
        self.answers += 1
        if answer.get("response_action") == "errors":
            for field, error in answer["errors"].items():
                self.wrong += [f"the error of {field}: {wrong}" for wrong in of_text(error, 300, mrkdwn=False)]
        elif "text" in answer:
            known = {"response_type", "text", "blocks"}
            self.wrong += [f"an answer with {set(answer) - known}"] if set(answer) - known else []
            self.wrong += [f"an answer: {wrong}" for wrong in of_message(answer, posted=False)]

    def verdict(self) -> tuple[int, int]:
        """How many answers and messages there were; all of them have to be right."""
        sent = 0
        for call in self.stage.workspace.calls:
            if call.method in MESSAGES:
                sent += 1
                self.wrong += [f"{call.method}: {wrong}" for wrong in of_message(call.args, posted=True)]
            elif call.method in VIEWS:
                sent += 1
                self.wrong += [f"{call.method}: {wrong}" for wrong in of_view(call.args["view"])]
            elif "blocks" in call.args or "initial_comment" in call.args:
                self.wrong.append(f"{call.method} sends what nobody here looks at")
        assert self.wrong == []
        with self.stage.app.store.reading() as tx:
            assert tx.letters("parked") == []
        return self.answers, sent


class OneDraft(Press):
    """A press in this process that composes each page once and draws nothing: no judge here looks at pictures."""

    def __init__(self) -> None:
        super().__init__(inline=True)
        self.pages: list[tuple[Order, Page]] = []

    def page(self, order: Order) -> Page:
        plain = replace(order, png=False)
        found = next((page for known, page in self.pages if known == plain), None)
        if found is None:
            found = super().page(plain)
            self.pages.append((plain, found))
        return replace(found, png=b"a picture" if order.png else b"")


class Room:
    """Two people and a channel with the bot in it."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.workspace, self.judge = stage, stage.workspace, Judge(stage)
        self.ada = self.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = self.workspace.add_user("ben", display_name="Ben <!channel> & `co`", tz="America/New_York")
        for name in ("chidi", "dana"):
            self.workspace.add_user(name, display_name=name.title(), tz="UTC")
        self.workspace.add_channel("general", members=[self.ada])
        self.channel = self.workspace.add_channel("payments-oncall", members=[self.ada, self.ben], bot_in=True)

    def type(self, line: str, who: User | None = None) -> Answer:
        answer = self.workspace.command(who or self.ada, self.channel, line)
        assert answer.ok, (line, answer.failure)
        self.stage.pump()
        return answer

    def mention(self, line: str) -> None:
        """The same line as a message to the bot: it is answered by a letter."""
        self.workspace.say(self.ada, self.channel, f"@scribe {line}")
        self.stage.pump()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(Stage(tmp_path, SATURDAY, press=OneDraft()))
    yield made
    made.stage.app.store.close()


# ---- the judge itself ----------------------------------------------------------------------------


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": "x" * 4_001},
        {"text": "x", "blocks": [section("x")] * 51},
        {"text": "x", "blocks": [section("x" * 3_001)]},
        {"text": "x", "blocks": [section("x" * 2_900)] * 5},
        {"text": "x", "blocks": [section(" ")]},
        {"text": "x", "blocks": [section("hello <!channel>")]},
        {"text": "x", "blocks": [section("a &am")]},
        {"text": "x", "blocks": [{**section("x"), "colour": "red"}]},
        {"text": "x", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]},
        {"text": "x", "blocks": [{"type": "markdown", "text": "x" * 6_001}] * 2},
        {"text": "x", "blocks": [{"type": "actions", "elements": []}]},
        {"text": "x", "blocks": [{"type": "nonsense"}]},
        {"text": "\ud83d"},
    ],
)
def test_the_judge_refuses_what_slack_would(wrong: dict[str, Any]) -> None:
    assert list(of_message(wrong, posted=True)) != []


# ---- what people type ----------------------------------------------------------------------------


def test_every_example_of_the_grammar_is_answered_with_what_slack_takes(room: Room) -> None:
    """As a command before there is an incident, in one, and as a message to the bot."""
    for row in TABLE:
        room.type(row.example)
        room.type("start Checkout returns errors")
    for text in range(12):
        room.type(f"action step {text}")
    room.type("hypothesis the pool is exhausted")
    for row in TABLE:
        room.type(row.example)
        room.type(row.name)
        room.type(f"help {row.name}")
        room.mention(row.example)
    answers, sent = room.judge.verdict()
    assert answers > 4 * len(TABLE)
    assert sent > len(TABLE)


@pytest.mark.parametrize("before", ["", "start Checkout returns errors"])
def test_refusals_and_questions_are_what_slack_takes(room: Room, before: str) -> None:
    if before:
        room.type(before)
    lines = (
        "",
        "?",
        "rolled back 4711",
        "nots CPU is at 100 %",
        "note",
        "note " + "x" * (MAX_TEXT + 1),
        "x" * 3_999,
        "<!channel> " + "&" * 2_000,
        "`" * 500,
        "note 25:99 too late",
        "did tomorrow 12:00 something",
        "done T99",
        "edit 99 nothing",
        "move 1 in a while",
        "answer R9 what",
        "duplicate of 999999999",
        "severity sev9",
        "lead nobody",
        "share nowhere",
        "list " + "<@U123> & " * 300,
        "help " + "<b>" * 900,
        "zone Mars/Olympus",
        "export pdf",
        "draft nonsense",
        "cancel not one",
        "redact 1",
        "resolve resolve resolve",
    )
    for line in lines:
        answer = room.type(line)
        for block in answer.blocks:
            for button in block.get("elements", []):
                if block["type"] == "actions":
                    room.workspace.click(room.ada, answer, button["text"]["text"])
                    break
        room.mention(line or "?")
    room.stage.settle()
    answers, _ = room.judge.verdict()
    assert answers == len(lines) + bool(before)


# ---- what people look at -------------------------------------------------------------------------


LOOKS = ("status", "brief", "timeline", "timeline all", "gaps", "list", "list step", "help", "help all")


def test_looks_at_three_hundred_entries_are_what_slack_takes(room: Room) -> None:
    room.type("start sev1 Checkout & <payments> return errors")
    for number in range(300):
        room.workspace.command(room.ada, room.channel, f"action step {number} <of> many & " + "more words " * 12)
        room.stage.clock.advance(timedelta(minutes=7))
    room.stage.pump()
    for look in LOOKS:
        assert room.type(look).blocks
        room.mention(look)
    room.type("resolve at now")
    room.stage.settle()
    room.type("timeline all")
    answers, sent = room.judge.verdict()
    assert answers == 1 + 300 + len(LOOKS) + 2
    assert sent > len(LOOKS)


# ---- the draft, and hostile words ----------------------------------------------------------------


HOSTILE = {
    "escapes without a space": "&<>" * 1_333,
    "one word": "x" * MAX_TEXT,
    "broadcasts": "<!channel> <!here|here> <@U000> <#C000|x> @channel @here <https://example.org|bank> " * 45,
    "backticks": "```\n<!channel>\n``` ` `` ```` ~~~ " * 100,
    "right to left": "\u202e\u2066שלום\u200f abc \u061c" * 200,
    "control characters": "".join(chr(n) for n in range(1, 32) if chr(n) not in "\r\n") * 100,
    "a table": "| a | b |\n|---|---|\n" + "| <script> | & |\n" * 200,
    "fences and headings": "```\n# Heading\n> quote\n- list\n\n---\n***\n" * 80,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪" * 180,
    "lines": "a\n" * 1_999,
    "blank": "\u00a0\u2003\u200b." * 900,
    "combining": "e" + "\u0301" * 3_900,
}

VERBS = (
    "note", "action", "hypothesis", "ruledout", "told", "mitigated", "detected", "decision", "escalated", "summary",
    "services", "impact", "trigger", "cause", "factor", "fix", "verified", "improve", "todo", "well", "wrong",
    "lucky", "takeaway", "question", "link", "list", "search", "suggest", "export", "share",
)  # fmt: skip
TEXTS = (
    *VERBS,
    *(
        "impact users saw:",
        "answer R1",
        "role scribe @ada",
        "handover @ada",
        "severity sev2",
        "link https://example.org/",
    ),
    *("title", "edit 2", "edit section summary", "drop T1", "remove 3", "none escalation", "resolve", "reopen", ""),
)


@pytest.mark.parametrize("turn", range(4))
def test_hostile_words_are_answered_with_what_slack_takes(room: Room, turn: int) -> None:
    """Each verb meets another of the texts at each turn, and each text many verbs."""
    texts = [text[: MAX_TEXT - 60] for text in HOSTILE.values()]
    room.type(f"start sev1 {texts[turn]}")
    for number, verb in enumerate(TEXTS):
        room.type(f"{verb} {texts[(5 * number + 3 * turn) % len(texts)]}".strip())
    for look in LOOKS:
        room.type(look)
        room.mention(look)
    room.type("undo")
    answers, sent = room.judge.verdict()
    assert answers == 1 + len(TEXTS) + len(LOOKS) + 1
    assert sent >= len(LOOKS)


def test_hostile_words_are_posted_as_a_draft_of_twelve_lines_that_slack_takes(room: Room) -> None:
    room.type("start sev1 Checkout returns errors")
    for verb, text in zip(
        ("title", "impact", "cause", "note", "todo", "edit section summary") * 2, HOSTILE.values(), strict=True
    ):
        room.type(f"{verb} {text[:1_500]}")
    room.type("resolve at now")
    room.stage.settle()
    room.type("edit 2 another text")
    room.stage.settle()
    (post,) = (one for one in room.workspace.messages(room.channel) if "Postmortem draft" in one.text)
    assert len(post.text.splitlines()) <= 12
    assert room.judge.verdict()[1] > 2


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_words_make_the_draft_longer_than_twelve_lines(text: str) -> None:
    said = Digest(
        number=1,
        title=text[:MAX_TEXT],
        severity=1,
        drill=True,
        status="resolved",
        stage="draft",
        revision=2,
        duration="2 h 5 min",
        impact_duration="1 h 5 min",
        impact=text[:MAX_TEXT],
        found_by="monitoring",
        root_cause=text[:MAX_TEXT],
        ask="",
        entries=300,
        tasks=4,
        tasks_without_owner=2,
        open_questions=3,
        words=1_200,
    )
    post = blocks.draft(said, {"slack_file": {"link": "https://files.example.org/F1/0001-x.md", "name": "0001-x.md"}})
    assert list(of_message(post, posted=True)) == []
    assert len(post["text"].splitlines()) <= 12
    assert "0001-x.md" in post["text"]


def test_the_parts_of_a_long_document_are_all_there(room: Room) -> None:
    document = "\n\n".join(f"Paragraph {number}. " + "word " * 300 for number in range(60)) + "\n\n" + "y" * 30_000
    parts = blocks.markdown(document)
    assert [wrong for part in parts for wrong in of_message(part, posted=True)] == []
    whole = "".join(part["blocks"][0]["text"] for part in parts)
    assert re.sub(r"\s", "", whole) == re.sub(r"\s", "", document)


def test_code_that_is_longer_than_a_part_stays_code() -> None:
    document = "# Draft\n\n```\n" + "<!channel> is what the script wrote\n\n" * 900 + "```\n\nThe end."
    parts = blocks.markdown(document)
    assert len(parts) > 2
    assert [wrong for part in parts for wrong in of_message(part, posted=True)] == []
    assert parts[-1]["blocks"][0]["text"].endswith("```\n\nThe end.")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_sends_what_slack_takes(path: Path, tmp_path: Path) -> None:
    story = scenarios.read(path)
    stage = Stage(tmp_path, story.lines[0].at, press=OneDraft())
    try:
        judge = Judge(stage)
        play(stage, story)
        answers, sent = judge.verdict()
    finally:
        stage.app.store.close()
    assert answers == len(story.lines)
    assert sent > 0  # the board, at least


# ---- forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "I halved the pool", *HOSTILE.values()])
def test_the_form_of_a_message_is_what_slack_takes(room: Room, text: str) -> None:
    room.type("start Checkout returns errors")
    said = room.workspace.say(room.ben, room.channel, text or "…")
    said.text = text or ""
    room.workspace.message_shortcut(room.ada, room.channel, said.ts, "add_to_timeline")
    (view,) = room.workspace.views(room.ada)
    room.workspace.submit(room.ada, view, values={"kind": Kind.ACTION.value, "text": "I halved the pool"})
    room.stage.settle()
    assert room.judge.verdict()[1] >= 2


def test_the_form_that_starts_an_incident_is_what_slack_takes(room: Room) -> None:
    room.workspace.shortcut(room.ada, "start_incident")
    wrong = room.workspace.submit(room.ada, values={"title": " ", "channel": room.channel.id})
    assert wrong.errors
    room.workspace.submit(
        room.ada, values={"title": "<!channel> " + "&" * 180, "channel": room.channel.id, "severity": "1"}
    )
    room.stage.settle()
    assert room.judge.verdict()[1] >= 2


def test_a_fault_is_told_in_what_slack_takes() -> None:
    assert list(of_message(blocks.fault("1a2b3c4d"), posted=True)) == []
    assert list(of_message(blocks.refusal("That is <not> possible & never was."), posted=False)) == []
