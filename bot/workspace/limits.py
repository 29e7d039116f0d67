"""Whether Slack would take a message or a view: lengths, counts and shapes of SLACK.md 1.4.

Knows docs.slack.dev/reference/block-kit (blocks, views) and reference/methods/chat.postMessage. Raises `SlackError`
with Slack's own codes. Stricter than Slack in one place: text above 4,000 characters, which Slack would silently cut
into several messages, is `msg_too_long` here, because nobody means it. Knows no workspace.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from .elements import IN_ACTIONS, IN_INPUT, IN_SECTION, Findings
from .model import Json, SlackError

TEXT = 4_000
MARKDOWN = 12_000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
ATTACHMENTS = 100
METADATA_BYTES = 16_000

Surface = Literal["message", "modal", "home"]

_PROPERTIES: dict[str, frozenset[str]] = {
    kind: frozenset(properties.split())
    for kind, properties in {
        "section": "block_id text fields accessory expand",
        "header": "block_id text",
        "context": "block_id elements",
        "divider": "block_id",
        "actions": "block_id elements",
        "image": "block_id alt_text image_url slack_file title",
        "markdown": "block_id text",
        "rich_text": "block_id elements",
        "input": "block_id label element hint optional dispatch_action",
        "table": "block_id rows column_settings",
        "video": "block_id alt_text video_url thumbnail_url title title_url description provider_icon_url"
        " provider_name author_name",
    }.items()
}
_MESSAGES_ONLY = frozenset({"markdown", "table"})
_RICH_PARTS = frozenset({"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"})
_RICH_LEAVES = frozenset(
    {"text", "link", "user", "channel", "usergroup", "emoji", "broadcast", "date", "color", "team"}
)


def check_blocks(blocks: Any, surface: Surface = "message") -> None:
    """Raise `invalid_blocks` (with messages) or `invalid_blocks_format` unless Slack would show the blocks."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    findings = Findings()
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    if len(blocks) > most:
        findings.add(f"no more than {most} items allowed", "/blocks")
    _blocks(blocks, surface, findings)
    if findings.messages:
        raise SlackError("invalid_blocks", tuple(findings.messages))


def check_message(
    text: str | None,
    blocks: Any = None,
    attachments: Any = None,
    markdown_text: str | None = None,
) -> None:
    """Raise unless Slack would post this; all texts as the API gets them."""
    if markdown_text is not None:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(markdown_text) > MARKDOWN:
            raise SlackError("msg_too_long")
    if text is not None and len(text) > TEXT:
        raise SlackError("msg_too_long")
    if blocks is not None:
        check_blocks(blocks)
    if attachments is not None:
        if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
            raise SlackError("invalid_attachments")
        if len(attachments) > ATTACHMENTS:
            raise SlackError("too_many_attachments")
        for attachment in attachments:
            if "blocks" in attachment:
                check_blocks(attachment["blocks"])
    if not (text and text.strip()) and not blocks and not attachments and not markdown_text:
        raise SlackError("no_text")


def check_metadata(metadata: Any) -> None:
    """Raise unless this is an event type and a payload (docs.slack.dev/messaging/message-metadata)."""
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if set(metadata) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_schema")
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(kind, str) or not kind or len(kind) > 255 or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(payload).encode()) > METADATA_BYTES:
        raise SlackError("metadata_too_large")


def check_view(view: Any, kind: Literal["modal", "home"]) -> None:
    """Raise `invalid_arguments` (with messages) or `view_too_large` unless Slack would open the view."""
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", ("[ERROR] view must be an object [json-pointer:/view]",))
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    findings = Findings()
    if view.get("type") != kind:
        findings.add(f"unsupported type: {view.get('type')}", "/view/type")
    allowed = {"blocks", "private_metadata", "callback_id", "external_id"}
    if kind == "modal":
        allowed |= {"title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled"}
        findings.text(view, "title", "/view", 24, plain=True)
        findings.text(view, "submit", "/view", 24, plain=True, required=False)
        findings.text(view, "close", "/view", 24, plain=True, required=False)
        findings.flag(view, "/view", "clear_on_close", "notify_on_close")
    findings.properties(view, allowed, "/view")
    findings.string(view, "private_metadata", "/view", 3000, least=0)
    findings.string(view, "callback_id", "/view", 255, least=0)
    findings.string(view, "external_id", "/view", 255, least=0)
    blocks = findings.items(view, "blocks", "/view", VIEW_BLOCKS, least=0)
    if all(isinstance(block, dict) for block in blocks):
        _blocks(blocks, kind, findings, "/view/blocks")
        if kind == "modal" and "submit" not in view and any(block.get("type") == "input" for block in blocks):
            findings.add("missing required field: submit", "/view")
    else:
        findings.add("must provide an object", "/view/blocks")
    if findings.messages:
        raise SlackError("invalid_arguments", tuple(findings.messages))


def check_answer(answer: Json) -> None:
    """Raise unless Slack would show this answer to a command, or this payload to a response_url."""
    known = {
        "response_type", "text", "blocks", "attachments", "thread_ts", "replace_original", "delete_original", "mrkdwn",
        "unfurl_links", "unfurl_media", "metadata", "parse", "link_names", "username", "icon_emoji", "icon_url",
    }  # fmt: skip
    if set(answer) - known:
        raise SlackError("invalid_response", (f"unknown fields: {', '.join(sorted(set(answer) - known))}",))
    if answer.get("response_type") not in (None, "in_channel", "ephemeral"):
        raise SlackError("invalid_response", (f"response_type {answer['response_type']!r}",))
    if not isinstance(answer.get("text", ""), str):
        raise SlackError("invalid_response", ("text must be a string",))
    if answer.get("delete_original") and not answer.get("text") and not answer.get("blocks"):
        return
    check_message(answer.get("text"), answer.get("blocks"), answer.get("attachments"))


def _blocks(blocks: list[Json], surface: Surface, findings: Findings, pointer: str = "/blocks") -> None:
    seen: set[str] = set()
    markdown = 0
    tables = 0
    for index, block in enumerate(blocks):
        at = f"{pointer}/{index}"
        kind = block.get("type")
        if kind is None:
            findings.add("missing required field: type", at)
            continue
        if kind not in _PROPERTIES or (surface != "message" and kind in _MESSAGES_ONLY):
            findings.add(f"unsupported type: {kind}", f"{at}/type")
            continue
        findings.properties(block, _PROPERTIES[kind], at)
        findings.string(block, "block_id", at, 255)
        name = block.get("block_id")
        if isinstance(name, str):
            if name in seen:
                findings.add(f"`block_id` {name} already exists in this view or message", f"{at}/block_id")
            seen.add(name)
        _block(kind, block, at, findings)
        if kind == "markdown" and isinstance(block.get("text"), str):
            markdown += len(block["text"])
            if markdown > MARKDOWN:
                findings.add(f"must be less than {MARKDOWN + 1} characters in all markdown blocks", f"{at}/text")
        if kind == "table":
            tables += 1
            if tables > 1:
                findings.add("only one table is allowed in a message", at)


def _block(kind: str, block: Json, at: str, findings: Findings) -> None:
    name = str(block.get("block_id", at))
    match kind:
        case "section":
            _section(block, at, name, findings)
        case "header":
            findings.text(block, "text", at, 150, plain=True)
        case "context":
            for index, part in enumerate(findings.items(block, "elements", at, 10)):
                if isinstance(part, dict) and part.get("type") == "image":
                    findings.element(part, f"{at}/elements/{index}", ("image",), name)
                else:
                    findings.text_object(part, f"{at}/elements/{index}", 3000)
        case "actions":
            for index, part in enumerate(findings.items(block, "elements", at, 25)):
                findings.element(part, f"{at}/elements/{index}", IN_ACTIONS, name)
        case "image":
            findings.image(block, at)
            findings.text(block, "title", at, 2000, plain=True, required=False)
        case "markdown":
            findings.string(block, "text", at, MARKDOWN, required=True)
        case "input":
            findings.text(block, "label", at, 2000, plain=True)
            findings.text(block, "hint", at, 2000, plain=True, required=False)
            findings.flag(block, at, "optional", "dispatch_action")
            if block.get("element") is None:
                findings.add("missing required field: element", at)
            else:
                findings.element(block["element"], f"{at}/element", IN_INPUT, name)
        case "rich_text":
            _rich_text(block, at, findings)
        case "table":
            _table(block, at, findings)
        case "video":
            findings.text(block, "title", at, 200, plain=True)
            for field in ("video_url", "thumbnail_url", "alt_text"):
                findings.string(block, field, at, 3000, required=True)
        case _:
            pass


def _section(block: Json, at: str, name: str, findings: Findings) -> None:
    if block.get("text") is None and block.get("fields") is None:
        findings.add("missing required field: text or fields", at)
    findings.text(block, "text", at, 3000, required=False)
    findings.flag(block, at, "expand")
    if block.get("fields") is not None:
        for index, part in enumerate(findings.items(block, "fields", at, 10)):
            findings.text_object(part, f"{at}/fields/{index}", 2000)
    if block.get("accessory") is not None:
        findings.element(block["accessory"], f"{at}/accessory", IN_SECTION, name)


def _rich_text(block: Json, at: str, findings: Findings) -> None:
    for index, part in enumerate(findings.items(block, "elements", at, 1000)):
        where = f"{at}/elements/{index}"
        if not isinstance(part, dict) or part.get("type") not in _RICH_PARTS:
            findings.add(f"unsupported type: {part.get('type') if isinstance(part, dict) else part}", f"{where}/type")
            continue
        if part["type"] == "rich_text_list" and part.get("style") not in ("bullet", "ordered"):
            findings.add("must be one of: bullet, ordered", f"{where}/style")
        for inner, leaf in enumerate(findings.items(part, "elements", where, 1000, least=0)):
            inside = f"{where}/elements/{inner}"
            wanted = _RICH_PARTS if part["type"] == "rich_text_list" else _RICH_LEAVES
            if not isinstance(leaf, dict) or leaf.get("type") not in wanted:
                kind = leaf.get("type") if isinstance(leaf, dict) else leaf
                findings.add(f"unsupported type: {kind}", f"{inside}/type")
            elif leaf["type"] == "text":
                findings.string(leaf, "text", inside, 100_000, required=True)


def _table(block: Json, at: str, findings: Findings) -> None:
    for index, row in enumerate(findings.items(block, "rows", at, 100)):
        if not isinstance(row, list) or not 1 <= len(row) <= 20:
            findings.add("must be an array of 1 to 20 cells", f"{at}/rows/{index}")
            continue
        for column, cell in enumerate(row):
            if not isinstance(cell, dict) or cell.get("type") not in ("raw_text", "rich_text", "raw_number"):
                findings.add("unsupported type of cell", f"{at}/rows/{index}/{column}/type")
