"""A channel as people saw it, as plain text.

Knows how blocks, markup, files, buttons, threads and forms read in words. Shows messages as they are now, in the order
in which they came; times are given in the zone that is asked for. Same log, same bytes.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from .markup import size, words
from .model import Blocks, Channel, Json, Line, Message, View
from .state import State

WIDTH = 118
INDENT = 14
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def transcript(ws: State, channel: Channel | str | None = None, zone: str = "UTC") -> str:
    """Write down one channel, or (channel=None) all in which something happened, one after the other."""
    with ws.lock:
        if channel is not None:
            return _one(ws, ws.channel(channel), ZoneInfo(zone), zone)
        used = [one for one in ws.channels.values() if any(line.channel == one.id for line in ws.log)]
        return "\n".join(_one(ws, one, ZoneInfo(zone), zone) for one in used)


def block_text(ws: State, blocks: Blocks, zone: str = "") -> list[str]:
    """Give the lines that blocks show, picked times in `zone`; a line may still be longer than the page."""
    lines: list[str] = []
    for block in blocks:
        lines += _block(ws, block, zone)
    return lines


def message_text(ws: State, message: Message) -> list[str]:
    """Give the lines that a message shows: its blocks, else its text; then attachments and files."""
    lines = block_text(ws, message.blocks) if message.blocks else _said(ws, message.text).split("\n")
    if message.subtype == "file_share" and not message.text and not message.blocks:
        lines = []
    for attachment in message.attachments:
        body = attachment.get("text") or attachment.get("fallback") or ""
        lines += [f"| {line}" for line in (block_text(ws, attachment.get("blocks", [])) or _said(ws, body).split("\n"))]
    for file in message.files:
        lines.append(f"(file: {file.name}, deleted)" if file.deleted else f"(file: {file.name}, {size(file.length)})")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines or [""]


# --- the page


def _one(ws: State, channel: Channel, zone: ZoneInfo, zone_name: str) -> str:
    seen = [line for line in ws.log if line.channel == channel.id and _shown(line)]
    seen.sort(key=lambda line: line.at)
    title = {"channel": "Channel #", "group": "Private channel #", "im": "Direct message with "}[channel.kind]
    pinned = {pin.ts for pin in channel.pins}
    out = [f"{title}{channel.name} (times in {zone_name})"]
    day: date | None = None
    minute = ""
    for line in seen:
        if line.message is not None and line.message.is_reply and _root(ws, line.message) is not None:
            continue
        local = line.at.astimezone(zone)
        if local.date() != day:
            day = local.date()
            minute = ""
            out += ["", f"--- {_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year} ---", ""]
        clock = f"{local:%H:%M}"
        follows = clock == minute and _from_bot(line)
        minute = clock
        out += _entry(ws, line, " " * 5 if follows else clock, pinned)
        if line.message is not None and line.message.thread_ts is None:
            out += _thread(ws, seen, line.message, zone, day)
    return "\n".join(line.rstrip() for line in out) + "\n"


def _entry(ws: State, line: Line, clock: str, pinned: set[str]) -> list[str]:
    head, body = _head_and_body(ws, line, pinned)
    return _laid_out(f"{clock} {head}", body, INDENT)


def _thread(ws: State, seen: Iterable[Line], root: Message, zone: ZoneInfo, day: date) -> list[str]:
    out: list[str] = []
    for line in seen:
        reply = line.message
        if reply is None or not reply.is_reply or reply.thread_ts != root.ts or reply.channel != root.channel:
            continue
        local = line.at.astimezone(zone)
        when = f"{local:%H:%M}" if local.date() == day else f"{local.day} {_MONTHS[local.month - 1][:3]} {local:%H:%M}"
        head, body = _head_and_body(ws, line, set())
        out += _laid_out(f"{' ' * INDENT}└─ {when} {head}", body, INDENT + 3)
    return out


def _head_and_body(ws: State, line: Line, pinned: set[str]) -> tuple[str, list[str]]:
    name = ws.users[line.user].shown
    bot = ws.users[ws.bot_user].shown
    if line.message is not None:
        message = line.message
        body = message_text(ws, message)
        if message.edited and not message.by_bot:
            body[-1] += " (edited)"
        if message.ts in pinned and not message.only_for:
            body.append("(pinned)")
        if message.reactions:
            marks = []
            for mark, users in message.reactions.items():
                marks.append(f":{mark}: {', '.join(ws.users[one].shown for one in users)}")
            body.append(f"({'; '.join(marks)})")
        author = bot if message.by_bot else name
        return (f"{author} (only {ws.users[message.only_for].shown}):" if message.only_for else f"{author}:"), body
    if line.view is not None:
        return f"{bot} (only {name}):", _form(ws, line.view)
    if line.kind == "notice":
        return f"Slack (only {name}):", line.text.split("\n")
    return f"{name}:", [f"({line.text})"] if line.kind == "act" else line.text.split("\n")


def _laid_out(head: str, body: list[str], indent: int) -> list[str]:
    """Put a head and a body on lines of at most WIDTH characters, what follows hanging at `indent`."""
    gap = " " * max(1, indent - len(head)) if len(head) < indent else " "
    out: list[str] = []
    for index, line in enumerate(body):
        first = head + gap if index == 0 else " " * indent
        own = len(line) - len(line.lstrip(" "))
        wrapped = textwrap.wrap(
            line,
            WIDTH,
            initial_indent=first,
            subsequent_indent=" " * (indent + own + (2 if line.lstrip().startswith(("• ", "- ")) else 0)),
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )
        out += wrapped or [first.rstrip()]
    return out or [head]


def _shown(line: Line) -> bool:
    return line.message is None or not line.message.deleted


def _from_bot(line: Line) -> bool:
    return line.kind in ("form", "notice") or (line.message is not None and line.message.by_bot)


def _root(ws: State, message: Message) -> Message | None:
    return ws.message(ws.channels[message.channel], message.thread_ts or "")


# --- the words


def _said(ws: State, text: str) -> str:
    def user(user_id: str) -> str:
        return ws.users[user_id].name if user_id in ws.users else user_id

    def channel(channel_id: str) -> str:
        return ws.channels[channel_id].name if channel_id in ws.channels else channel_id

    return words(text, user, channel)


def _text(ws: State, found: Json | None) -> str:
    if not found:
        return ""
    return str(found["text"]) if found["type"] == "plain_text" else _said(ws, found["text"])


def _block(ws: State, block: Json, zone: str) -> list[str]:
    match block["type"]:
        case "header":
            return [_text(ws, block["text"])]
        case "section":
            lines = _text(ws, block.get("text")).split("\n") if block.get("text") else []
            for field in block.get("fields", ()):
                lines.append(re.sub(r"\n+", " ", _text(ws, field)))
            if block.get("accessory"):
                lines = lines or [""]
                lines[-1] += f"  {_element(ws, block['accessory'], zone)}"
            return lines
        case "context":
            parts = [f"({one['alt_text']})" if one["type"] == "image" else _text(ws, one) for one in block["elements"]]
            return " · ".join(part for part in parts if part).split("\n")
        case "divider":
            return ["-" * 40]
        case "actions":
            return ["  ".join(_element(ws, one, zone) for one in block["elements"])]
        case "markdown":
            return str(block["text"]).rstrip("\n").split("\n")
        case "image":
            title = _text(ws, block.get("title"))
            return [f"(image: {', '.join(part for part in (title, block['alt_text']) if part)})"]
        case "rich_text":
            return [line for part in block["elements"] for line in _rich(ws, part, 0)]
        case "input":
            optional = " (optional)" if block.get("optional") else ""
            lines = [f"{_text(ws, block['label'])}{optional}: {_element(ws, block['element'], zone)}"]
            return lines + ([f"  {_text(ws, block['hint'])}"] if block.get("hint") else [])
        case "table":
            return [" | ".join(_cell(ws, cell) for cell in row) for row in block["rows"]]
        case kind:
            return [f"({kind})"]


def _element(ws: State, element: Json, zone: str) -> str:
    kind = element["type"]
    if kind == "button":
        return f"[ {_text(ws, element['text'])} ]"
    if kind == "image":
        return f"(image: {element['alt_text']})"
    if kind == "overflow":
        return "[ … " + " | ".join(_text(ws, option["text"]) for option in element["options"]) + " ]"
    if kind.endswith("_input"):
        return f"[{element.get('initial_value') or '…'}]"
    if kind == "datetimepicker" and "initial_date_time" in element:
        return f"[ {_moment(element['initial_date_time'], zone)} ▾ ]"
    chosen = element.get("initial_options") or ([element["initial_option"]] if element.get("initial_option") else [])
    if kind in ("checkboxes", "radio_buttons"):
        mark = {"checkboxes": ("[x]", "[ ]"), "radio_buttons": ("(x)", "( )")}[kind]
        return "  ".join(f"{mark[option not in chosen]} {_text(ws, option['text'])}" for option in element["options"])
    initial = next((element[name] for name in element if name.startswith("initial_") and "option" not in name), None)
    shown = ", ".join(_text(ws, option["text"]) for option in chosen) or _named(ws, initial)
    return f"[ {shown or _text(ws, element.get('placeholder')) or '…'} ▾ ]"


def _moment(stamp: int, zone: str) -> str:
    """A picked time; whose zone it is goes without saying where it is the one of who looks at it."""
    at = datetime.fromtimestamp(stamp, ZoneInfo(zone or "UTC"))
    return f"{at.day} {_MONTHS[at.month - 1]} {at:%Y %H:%M}{'' if zone else ' UTC'}"


def _named(ws: State, initial: object) -> str:
    several = initial if isinstance(initial, list) else [] if initial is None else [initial]
    known = {one.id: "@" + one.name for one in ws.users.values()}
    known |= {one.id: "#" + one.name for one in ws.channels.values()}
    return ", ".join(known.get(str(one), str(one)) for one in several)


def _cell(ws: State, cell: Json) -> str:
    if cell["type"] == "rich_text":
        return " ".join(line for part in cell["elements"] for line in _rich(ws, part, 0))
    return str(cell.get("text", cell.get("value", "")))


def _rich(ws: State, part: Json, depth: int) -> list[str]:
    match part["type"]:
        case "rich_text_list":
            lines: list[str] = []
            pad = "  " * (depth + int(part.get("indent", 0)))
            for number, item in enumerate(part["elements"], int(part.get("offset", 0)) + 1):
                mark = f"{number}. " if part.get("style") == "ordered" else "• "
                inner = _rich(ws, item, depth + 1)
                lines += [pad + mark + inner[0], *(pad + "  " + line for line in inner[1:])]
            return lines
        case "rich_text_quote":
            return [f"> {line}" for line in _leaves(ws, part)]
        case "rich_text_preformatted":
            return [f"    {line}" for line in _leaves(ws, part)]
        case _:
            return _leaves(ws, part)


def _leaves(ws: State, part: Json) -> list[str]:
    out = ""
    for leaf in part["elements"]:
        match leaf["type"]:
            case "text":
                out += leaf["text"]
            case "link":
                out += leaf.get("text") or leaf["url"]
            case "user":
                out += _said(ws, f"<@{leaf['user_id']}>")
            case "channel":
                out += _said(ws, f"<#{leaf['channel_id']}>")
            case "emoji":
                out += f":{leaf['name']}:"
            case "broadcast":
                out += f"@{leaf['range']}"
            case "date":
                out += leaf.get("fallback", str(leaf.get("timestamp", "")))
            case kind:
                out += f"({kind})"
    return out.rstrip("\n").split("\n")


def _form(ws: State, view: View) -> list[str]:
    given = view.given
    buttons = [f"[ {given[name]['text']} ]" for name in ("submit", "close") if given.get(name)]
    return [
        f"Form: {view.title}",
        *(f"  {line}" for line in block_text(ws, view.blocks, ws.users[view.user].tz)),
        f"  {'  '.join(buttons)}",
    ]
