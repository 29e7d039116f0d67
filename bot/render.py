"""How a postmortem reads: the document and the annex as Markdown through templates/, and the record as JSON.

Knows Markdown and the templates. Must not know events as they come in, Slack or files other than templates.

Text that people recorded passes through the filters `md` and `line`, so that it reads after rendering as it was
recorded and changes nothing around it. What Scribe itself says passes through them too: one rule for all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core import events as ev
from bot.core import times
from bot.core.document import Postmortem
from bot.core.incident import fold
from bot.core.wording import harmless, readable
from bot.core.wording import words as count_words
from bot.resources import resources

ARROW = "↗"


# ---- recorded text in Markdown -------------------------------------------------------------------

_URL = re.compile(r"https?://[^\s<>\x00-\x20\x7f-\x9f`\\]+", re.IGNORECASE)
_PLAIN_URL = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?(?:[/?#][!-$&-~]*)?")
"""Addresses that every renderer shows as they are when they stand in <>."""
_AFTER_URL = ".,;:!?'\"*_~)]}"
_ENTITY = re.compile(r"&(?=#?\w+;)")
_BLOCK = re.compile(
    r"(?P<sign>\#{1,6}(?=\s|$)|[-+*](?=\s|$)|>|=+\s*$|-{2,}\s*$|[:|-](?=[-:|\s]*$)|(?P<number>\d{1,9})[.)](?=\s|$))"
)


def markdown(text: str) -> str:
    """The text as inline Markdown that renders as that text; a newline becomes a hard break.

    >>> markdown("max_connections = 2 * 4, see [1] <b>")
    'max_connections = 2 * 4, see \\\\[1\\\\] \\\\<b>'
    """
    plain = readable(text)
    dollars = plain.count("$") > 1
    return "  \n  ".join(_block_start(_inline(part, dollars)) for part in plain.split("\n"))


def one_line(text: str) -> str:
    """The same for a place that holds a single line: a heading, a label."""
    said = markdown(readable(text).replace("\n", " "))
    return re.sub(r"(\\?)(#+)$", lambda m: m[0] if m[1] else "\\" + m[2], said)


def _inline(text: str, dollars: bool) -> str:
    parts: list[str] = []
    end = 0
    for found in _URL.finditer(text):
        address = _without_stop(found[0])
        if found.start() and text[found.start() - 1].isalnum():
            continue
        parts.append(_escaped(text, end, found.start(), dollars))
        end = found.start() + len(address)
        escaped = _escaped(text, found.start(), end, dollars)
        if escaped == address or not _PLAIN_URL.fullmatch(address) or _ENTITY.search(address):
            parts.append(escaped)
        else:
            parts.append(f"<{address}>")
    parts.append(_escaped(text, end, len(text), dollars))
    return "".join(parts)


def _without_stop(address: str) -> str:
    """An address without the punctuation of the sentence around it; brackets that it opened itself stay."""
    while address[-1] in _AFTER_URL:
        opening = {")": "(", "]": "[", "}": "{"}.get(address[-1])
        if opening and address.count(opening) >= address.count(address[-1]):
            break
        address = address[:-1]
    return address


def _escaped(text: str, start: int, end: int, dollars: bool) -> str:
    """What stands between two positions; neighbours outside decide whether a sign would mean something."""
    return "".join(
        f"\\{text[i]}" if text[i] in "\\`*_[]<~&$" and _means_something(text, i, dollars) else text[i]
        for i in range(start, end)
    )


def _means_something(text: str, i: int, dollars: bool) -> bool:
    sign = text[i]
    before, after = _around(text, i)
    match sign:
        case "_":
            return not (before.isalnum() and after.isalnum())
        case "*":
            return not (before.isspace() and before != "\n" and after.isspace())
        case "~":
            alone = text[i - 1 : i] != "~" and text[i + 1 : i + 2] != "~"
            return not (alone and before.isspace())
        case "&":
            return _ENTITY.match(text, i) is not None
        case "$":
            return dollars
        case _:
            return True


def _around(text: str, i: int) -> tuple[str, str]:
    """What stands before and after the run of equal signs that position i is in; at the ends a newline, nothing."""
    first, last = i, i
    while first > 0 and text[first - 1] == text[i]:
        first -= 1
    while last + 1 < len(text) and text[last + 1] == text[i]:
        last += 1
    before = text[first - 1] if first else "\n"
    after = text[last + 1] if last + 1 < len(text) else ""
    return before, after


def _block_start(line: str) -> str:
    found = _BLOCK.match(line)
    if not found:
        return line
    at = len(found["number"]) if found["number"] else 0
    return f"{line[:at]}\\{line[at:]}"


def section(text: str) -> str:
    """Markdown that a person wrote for a section, kept from breaking out: no HTML, no headings of a part's rank."""
    lines: list[str] = []
    fence = ""
    for line in harmless(text).strip("\n").split("\n"):
        opening = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if fence:
            if opening and opening[1][0] == fence[0] and len(opening[1]) >= len(fence) and line.strip() == opening[1]:
                fence = ""
            lines.append(line)
            continue
        if opening:
            fence = opening[1]
            lines.append(line)
            continue
        line = re.sub(r"^( {0,3})#{1,2}(?=\s|$)", r"\1###", line)
        if lines and lines[-1].strip():
            line = re.sub(r"^(\s*(?:[-*+>]\s+|\d+[.)]\s+)*)(=+|-+)(\s*)$", r"\1\\\2\3", line)
        lines.append("".join(_without_html(part) for part in re.split(r"(`+[^`]*`+)", line)))
    return "\n".join([*lines, *([fence] if fence else [])])


def _without_html(part: str) -> str:
    return part if part.startswith("`") and part.endswith("`") else re.sub(r"(?<!\\)<(?=[A-Za-z/!?])", r"\\<", part)


def address(name: str) -> str:
    """A file name or URL as the target of a Markdown link."""
    safe = "".join(sign if sign.isalnum() or sign in "-._~:/?#@!$&'*+,;=%" else _percent(sign) for sign in name)
    return safe if re.match(r"(?i)https?://|mailto:|[^:]*$", safe) else f"#{safe}"


def _percent(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "replace"))


# ---- words ---------------------------------------------------------------------------------------

_PARSER = MarkdownIt("commonmark", {"html": False})


def plain(document: str) -> str:
    """What a reader sees of a Markdown document: no link targets, no pictures, no titles."""
    seen: list[str] = []
    for block in _PARSER.parse(document):
        if block.type == "inline":
            seen.append("".join(_seen(token) for token in block.children or ()))
        elif block.type in ("fence", "code_block"):
            seen.append(block.content)
    return "\n".join(seen)


def _seen(token: Token) -> str:
    match token.type:
        case "text" | "code_inline":
            return token.content
        case "softbreak" | "hardbreak":
            return "\n"
        case _:
            return ""


def words(document: str) -> int:
    """How many words a reader sees in the main document (POSTMORTEM.md, rule 5): task boxes and bare marks are none."""
    return count_words(re.sub(r"^\[[ x]\]", "", plain(document), flags=re.MULTILINE))


# ---- through the templates -----------------------------------------------------------------------


@lru_cache(maxsize=4)
def environment(own: Path | None = None) -> jinja2.Environment:
    """The sandbox in which templates run; `own` is a folder that goes before those that come with Scribe."""
    folders = [*([own] if own else []), resources("templates")]
    sandbox = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    sandbox.filters.update(md=markdown, line=one_line, section=section, href=address)
    return sandbox


def document(postmortem: Postmortem, own: Path | None = None) -> str:
    """The main document in the template that the options name."""
    return _through(f"{postmortem.options.template}.md.j2", postmortem, own, address(postmortem.options.annex))


def timeline(postmortem: Postmortem, own: Path | None = None) -> str:
    """The annex: every entry with its history, full lists, responders, metrics."""
    return _through("annex.md.j2", postmortem, own, "")


def _through(name: str, postmortem: Postmortem, own: Path | None, annex: str) -> str:
    """`annex` is where links to entries lead: the file of the annex, or "" within it."""
    text = environment(own).get_template(name).render(p=postmortem, annex=annex)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


# ---- as JSON -------------------------------------------------------------------------------------

JSON_SCHEMA = 1


def as_json(postmortem: Postmortem, happened: Sequence[ev.Event], names: Mapping[str, str], count: int) -> str:
    """Record, entries, facts, metrics and questions. `count` is the number of words of the main document."""
    header, options = postmortem.header, postmortem.options
    whole = {
        "schema": JSON_SCHEMA,
        "incident": {
            "number": options.number,
            "title": header.title,
            "severity": header.severity,
            "drill": header.drill,
            "status": _status(happened),
            "stage": header.stage,
            "revision": options.revision,
            "approvals": list(header.approvals),
            "zone": postmortem.zone,
            "chain": options.chain,
            "document": options.document,
            "annex": options.annex,
            "picture": options.picture,
            "windows": [
                {"start": times.iso(w.start), "end": times.iso(w.end) if w.end else None} for w in postmortem.windows
            ],
        },
        "record": [_recorded(seq, one, names) for seq, one in enumerate(happened, start=1)],
        "entries": [_entry(entry) for entry in postmortem.entries],
        "facts": [
            {"id": s.fact.id, "fact": s.fact.name, "state": s.state.value, "entries": list(s.entries)}
            for s in postmortem.facts
        ],
        "metrics": asdict(postmortem.metrics),
        "open_questions": [
            {"number": q.number, "about": q.key, "question": q.text, "ask": q.ask, "may_say": q.hint}
            for q in postmortem.questions
        ],
        "words": count,
    }
    return json.dumps(_encodable(whole), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _status(happened: Sequence[ev.Event]) -> str:
    return fold(happened).status.value


def _recorded(seq: int, one: ev.Event, names: Mapping[str, str]) -> dict[str, Any]:
    facts, said = ev.to_json(one)
    shown = {**facts, **said, "seq": seq, "name": one.name, "by": names.get(one.by, one.by)}
    for key in ("person", "author"):
        if shown.get(key):
            shown[key] = names.get(shown[key], shown[key])
    return shown


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "entry": entry.number,
        "seq": entry.seq,
        "kind": entry.kind.value,
        "label": entry.label,
        "at": times.iso(entry.at),
        "approx": entry.approx,
        "text": entry.text,
        "by": entry.by,
        "recorded_at": times.iso(entry.recorded),
        "withdrawn": entry.withdrawn,
        "redacted": entry.redacted,
        "starred": entry.starred,
        "after_publication": entry.late,
        "said_in": entry.said_in,
    }


def _encodable(value: Any) -> Any:
    """The same with lone surrogates replaced, which no file can hold."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {key: _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [_encodable(item) for item in value]
        case _:
            return value
