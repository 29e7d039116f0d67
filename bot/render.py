"""How a postmortem reads: document and annex as Markdown and as pages of the web.

Knows Markdown, HTML and the templates. Must not know events as they come in, Slack or files other than templates.

Text that people recorded passes through the filters `md` and `line`, so that it reads after rendering as it was
recorded and changes nothing around it. What Scribe itself says passes through them too: one rule for all.
"""

from __future__ import annotations

import base64
import difflib
import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from bot.core.document import CUSTOMER, TEMPLATES, Postmortem
from bot.core.errors import Refusal
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
    around = _around(text)
    for start, address in _addresses(text):
        parts.append(_escaped(text, end, start, around, dollars))
        end = start + len(address)
        escaped = _escaped(text, start, end, around, dollars)
        if escaped == address or not _PLAIN_URL.fullmatch(address) or _ENTITY.search(address):
            parts.append(escaped)
        else:
            parts.append(f"<{address}>")
    parts.append(_escaped(text, end, len(text), around, dollars))
    return "".join(parts)


def _addresses(text: str) -> Iterator[tuple[int, str]]:
    """The addresses in a text and where they begin."""
    for found in _URL.finditer(text):
        if not found.start() or not text[found.start() - 1].isalnum():
            yield found.start(), _without_stop(found[0])


def _without_stop(address: str) -> str:
    """An address without the punctuation of the sentence around it; brackets that it opened itself stay."""
    while address[-1] in _AFTER_URL:
        opening = {")": "(", "]": "[", "}": "{"}.get(address[-1])
        if opening and address.count(opening) >= address.count(address[-1]):
            break
        address = address[:-1]
    return address


Around = dict[int, tuple[str, str]]


def _escaped(text: str, start: int, end: int, around: Around, dollars: bool) -> str:
    """What stands between two positions; neighbours outside decide whether a sign would mean something."""
    return "".join(
        f"\\{text[i]}" if text[i] in "\\`*_[]<~&$" and _means_something(text, i, around, dollars) else text[i]
        for i in range(start, end)
    )


def _means_something(text: str, i: int, around: Around, dollars: bool) -> bool:
    sign = text[i]
    before, after = around.get(i, ("", ""))
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


def _around(text: str) -> Around:
    """For each sign that may emphasise: what stands before and after its run; at the ends a newline, nothing."""
    return {
        i: (text[run.start() - 1] if run.start() else "\n", text[run.end() : run.end() + 1])
        for run in re.finditer(r"\*+|_+|~+", text)
        for i in range(run.start(), run.end())
    }


def _block_start(line: str) -> str:
    found = _BLOCK.match(line)
    if not found:
        return line
    at = len(found["number"]) if found["number"] else 0
    return f"{line[:at]}\\{line[at:]}"


_END = "## end"
_SECTION = (MarkdownIt("commonmark"), MarkdownIt("commonmark").enable("table"))
"""Markdown as it is read where HTML counts, without tables and with them: a bar may end what was code."""
_PASSES = 50
_OURS = ("X",)
"""Labels that the documents hold in brackets, `[x]`: a definition would turn the boxes of done tasks into links."""


@lru_cache(maxsize=64)
def section(text: str) -> str:
    """Markdown that a person wrote for a section, kept from breaking out: no HTML, no headings of a part's rank.

    What would break out is escaped, as little as may be; where that does not come to an end, the text is only text.
    """
    lines = harmless(text).strip("\n").split("\n")
    for _ in range(_PASSES):
        if not any([_mended(lines, parser) for parser in _SECTION]):
            return "\n".join(lines)
    return markdown(text)


def _mended(lines: list[str], parser: MarkdownIt) -> bool:
    """Escapes what breaks out, as far as it is seen at once; whether there was anything."""
    env: dict[str, Any] = {}
    before = list(lines)
    tokens = parser.parse("\n".join([*lines, "", _END]), env)
    for label in _OURS:
        if label in env.get("references", {}):
            at = env["references"][label]["map"][0]
            lines[at] = lines[at].replace("[", "\\[", 1)
    start, end = 0, 0
    for token in tokens:
        start, end = token.map or (start, end)
        if start >= len(before):  # our own end
            break
        match token.type:
            case "heading_open" if token.tag in ("h1", "h2") and token.markup.startswith("#"):
                lines[start] = re.sub(r"#{1,2}(?=\s|$)", "###", lines[start], count=1)
            case "heading_open" if token.tag in ("h1", "h2"):
                lines[end - 1] = re.sub(r"(=+|-+)(\s*)$", r"\\\1\2", lines[end - 1])
            case "html_block":
                lines[start] = lines[start].replace("<", "\\<", 1)
            case "inline" if any(child.type == "html_inline" for child in token.children or ()):
                for at in range(start, end):
                    lines[at] = re.sub(r"(?<!\\)((?:\\\\)*)<(?=[A-Za-z/!?])", r"\1\\<", lines[at])
            case "fence" if end > len(before):  # it was never closed
                lines.append(token.markup)
            case _:
                pass
    return lines != before


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


LARGEST = 20_000_000
"""Signs that a template of one's own may write: the annex of 10,000 entries has a tenth of that."""
LARGEST_POWER = 64

PUT_IT_RIGHT = "Put it right in the folder that SCRIBE_TEMPLATES names."

PIECES = frozenset({"annex", "parts"})
"""Templates in Markdown that are no document of their own."""

_NAME = re.compile(r"([a-z0-9][a-z0-9_-]{0,39})\.md\.j2")

_FAULTS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TimeoutError,
    TypeError,
    UnicodeError,
    ValueError,
)
"""What a template can go wrong with; TimeoutError is the press's word for one that does not end."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Templates see what they are given and change nothing. A power of two large numbers would never end."""

    intercepted_binops = frozenset({"**"})

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """Takes a number to a power."""
        if not (isinstance(right, int | float) and abs(right) <= LARGEST_POWER):
            raise jinja2.TemplateRuntimeError(f"a power is at most {LARGEST_POWER}")
        return super().call_binop(context, operator, left, right)


class _Missing(jinja2.StrictUndefined):
    """What a template asks for and is not there: its name, and the one that was perhaps meant."""

    @property
    def _undefined_message(self) -> str:
        name = str(self._undefined_name)
        if self._undefined_hint or not is_dataclass(self._undefined_obj):
            return super()._undefined_message
        near = difflib.get_close_matches(name, [f.name for f in fields(self._undefined_obj)], 1)
        meant = f"; did you mean '{near[0]}'?" if near else ""
        return f"{type(self._undefined_obj).__name__} has no '{name}'{meant}"


def templates(own: Path | None = None) -> tuple[str, ...]:
    """The names of the forms in which a document can be asked for: those that come with Scribe, then one's own."""
    found = sorted(match[1] for name, *_ in stamp(own) if (match := _NAME.fullmatch(name)))
    return tuple(dict.fromkeys([*TEMPLATES, *(name for name in found if name not in PIECES)]))


def stamp(own: Path | None) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of the files in a folder of one's own: another one when any of them was changed."""
    if own is None:
        return ()
    try:
        with os.scandir(own) as files:
            return tuple(sorted((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.is_file()))
    except OSError:  # it is gone: what comes with Scribe is there still
        return ()


def unreadable(own: Path | None) -> tuple[str, ...]:
    """What is wrong with templates of one's own before anything is put through them: file, line and why."""
    found = []
    for name in (name for name, *_ in stamp(own) if name.endswith(".j2")):
        try:
            with naming_the_line(own):
                environment(own).get_template(name)
        except Refusal as fault:
            found.append(fault.message)
    return tuple(found)


def environment(own: Path | None = None) -> jinja2.Environment:
    """The sandbox in which templates run; `own` is a folder that goes before those that come with Scribe.

    A file that was changed or added there counts from now on.
    """
    return _environment(own, stamp(own))


@lru_cache(maxsize=4)
def _environment(own: Path | None, as_it_is: tuple[tuple[str, int, int], ...]) -> jinja2.Environment:
    folders = [*([own] if own else []), resources("templates")]
    sandbox = _Sandbox(
        loader=jinja2.FileSystemLoader(folders),
        undefined=_Missing,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
    )
    sandbox.filters.update(md=markdown, line=one_line, section=section, href=address)
    return sandbox


def document(postmortem: Postmortem, own: Path | None = None) -> str:
    """The main document in the template that the options name.

    The one for customers is given what customers may see, and nothing else. Raises Refusal where a template of one's
    own is wrong.
    """
    template = postmortem.options.template
    if template not in templates(own):  # one's own that was taken away since it was asked for
        raise Refusal(f"There is no template “{template}”.", f"Templates: {', '.join(templates(own))}.")
    name = f"{template}.md.j2"
    if template == CUSTOMER:
        text = _through(name, own, c=postmortem.customer)
    else:
        text = _through(name, own, p=postmortem, annex=address(postmortem.options.annex))
    if not text.strip():
        raise Refusal(f"{name}: it writes nothing.", PUT_IT_RIGHT)
    return text


def timeline(postmortem: Postmortem, own: Path | None = None) -> str:
    """The annex: every entry with its history, full lists, responders, metrics."""
    return _through("annex.md.j2", own, p=postmortem, annex="")


def _through(name: str, own: Path | None, **given: Any) -> str:
    """`annex` is where links to entries lead: the file of the annex, or "" within it."""
    with naming_the_line(own):
        parts: list[str] = []
        size = 0
        for part in environment(own).get_template(name).generate(**given):
            parts.append(part)
            size += len(part)
            if own and size > LARGEST:
                raise Refusal(f"{name}: it writes more than {LARGEST:,} signs.", PUT_IT_RIGHT)
        text = "".join(parts)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


@contextmanager
def naming_the_line(own: Path | None) -> Iterator[None]:
    """Turns what goes wrong in a template of one's own into a Refusal that names its file and line.

    What goes wrong in a template of ours is a defect and stays one.
    """
    try:
        yield
    except _FAULTS as fault:
        place = _place_in(own, fault) if own else ""
        if not place:
            raise
        said = fault.message if isinstance(fault, jinja2.TemplateError) and fault.message else str(fault)
        why = " ".join((said or type(fault).__name__).split())
        raise Refusal(f"{place}: {why.rstrip('.')}.", PUT_IT_RIGHT) from None


def _place_in(own: Path, fault: BaseException) -> str:
    """File and line of one's own where it went wrong ("postmortem.md.j2, line 12"); "" where it was not one's own."""
    if isinstance(fault, jinja2.TemplateSyntaxError) and fault.filename:
        at = Path(fault.filename)
        return f"{at.name}, line {fault.lineno}" if at.parent == own else ""
    found = ""
    for frame, line in traceback.walk_tb(fault.__traceback__):
        at = Path(frame.f_code.co_filename)
        if at.parent == own and at.suffix == ".j2":
            found = f"{at.name}, line {line}"
    return found or _instead_of_ours(own)


def _instead_of_ours(own: Path) -> str:
    """The files of one's own that stand in for some of ours, and may lack what our others ask of them."""
    return ", ".join(name for name, *_ in stamp(own) if (resources("templates") / name).is_file())


# ---- as a page of the web ------------------------------------------------------------------------

FILE = r"[0-9a-f]{12}\.[a-z]{3,4}"
"""How a file that was attached is called in its folder (media.py)."""

TIMELINE = "timeline"
"""The address of the annex, beside that of the document."""

_ELSEWHERE = re.compile(r"https?://|mailto:", re.IGNORECASE)
_ANCHOR = re.compile(r'<a id="([a-z]+\d*)"></a>')
_TASK = re.compile(r"\[([ x])\](?= )")
_REL = "noopener noreferrer nofollow"


NO_BREAK = "\u00a0"
LEGEND = (
    "▼ impact begins", "▲ detected", "✓ mitigated", "⚑ resolved", "▽ reopened", "⚡\ufe0e trigger", "● note",
    "○ acknowledged", "◇ hypothesis", "✕ dead end", "■ action", "□ decision", "✚ mitigation", "⬆\ufe0e escalated",
    "▭ told", "⇄ handover", "▂▅ severity",
)  # fmt: skip
"""What the shapes of the picture stand for (figure.py); it holds no letters itself. Signs that most fonts have."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a document on its page, and the names by which its Markdown links to the files beside it.

    `files` is the folder of what was attached. `timeline` says that the page shows the annex; `words` counts those of
    the document.
    """

    number: int
    title: str
    stage: str
    revision: int
    entries: int
    document: str
    annex: str
    picture: str
    files: str = ""
    timeline: bool = False
    words: int = 0

    @property
    def name(self) -> str:
        """INC-42."""
        return f"INC-{self.number}"

    @property
    def kind(self) -> str:
        """What the document is by now."""
        return "postmortem" if self.stage == "published" else f"postmortem, {self.stage}"


def style(own: Path | None = None) -> str:
    """The style sheet of the pages, which stands in each of them."""
    sandbox = environment(own)
    assert sandbox.loader is not None
    return sandbox.loader.get_source(sandbox, "page.css")[0]


def page(markdown: str, frame: Frame, own: Path | None = None) -> str:
    """A document or an annex as a page of the web: safe as it is, whatever people wrote into it."""
    template = environment(own).get_template("page.html.j2")
    return template.render(f=frame, body=_body(markdown, frame), style=style(own)).strip() + "\n"


def single(
    document: str,
    annex: str,
    svg: str,
    frame: Frame,
    own: Path | None = None,
    images: Mapping[str, tuple[str, bytes]] | None = None,
) -> str:
    """Document, annex and picture as one file: no script, no other file, and links between its parts that work.

    `images` are those that shall be inside, by their name in the folder: media type and bytes.
    """
    picture = data("image/svg+xml", svg.encode())
    inside = {f"{frame.files}/{name}": data(*one) for name, one in (images or {}).items()}
    shown: set[str] = set()
    parts = {
        "body": _body(document, replace(frame, timeline=False), picture, inside, shown),
        "annex": _body(annex, replace(frame, timeline=True), picture, inside, shown),
    }
    template = environment(own).get_template("file.html.j2")
    return template.render(f=frame, style=style(own), **parts).strip() + "\n"


def data(media_type: str, content: bytes) -> str:
    """Bytes as an address that holds them."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def notice(title: str, words: str, own: Path | None = None) -> str:
    """The page of a link that leads to no document."""
    template = environment(own).get_template("notice.html.j2")
    return template.render(title=title, words=words, style=style(own)).strip() + "\n"


def _body(
    markdown: str,
    frame: Frame,
    inside: str = "",
    images: Mapping[str, str] | None = None,
    shown: set[str] | None = None,
) -> str:
    """The HTML of a document or annex. `inside` is the picture itself where everything stands in one file.

    So are `images` those that were attached, by their addresses; each stands in the file once, `shown` says which do.
    """
    pages = {frame.annex: TIMELINE, frame.document: "./"}
    parser = _WebMarkdown(frame)
    tokens = parser.parse(markdown)
    for at, token in enumerate(tokens):
        match token.type:
            case "heading_open" | "heading_close":
                if token.level and token.tag in {"h1", "h2"}:  # a person's, within a list or a quotation
                    token.tag = "h3"
                elif inside and frame.timeline:  # the annex is a part of the file
                    token.tag = {"h1": "h2", "h2": "h3"}.get(token.tag, token.tag)
            case "fence":
                token.info = ""
            case "th_open" | "td_open":
                align = str(token.attrs.pop("style", "")).removeprefix("text-align:")
                if align:
                    token.attrSet("class", align)
            case "inline":
                token.children = list(_with_links(token.children or [], parser))
                _place(tokens, at, frame.files)
                _aim(token, {frame.annex: "#annex", frame.document: "#top"} if inside else pages)
                if inside and frame.files:
                    token.children = list(_without_files(token.children or [], f"{frame.files}/"))
            case _:
                pass
    env = {
        "picture": frame.picture,
        "inside": inside,
        "files": frame.files,
        "images": images or {},
        "shown": set() if shown is None else shown,
    }
    return str(parser.renderer.render(tokens, parser.options, env))


def _without_files(children: Sequence[Token], folder: str) -> Iterator[Token]:
    """The same pieces of a text where links to files, which are not inside this one, are no links."""
    dropped = False
    for token in children:
        if token.type == "link_open" and str(token.attrGet("href") or "").startswith(folder):
            dropped = True
        elif token.type == "link_close" and dropped:
            dropped = False
        else:
            yield token


def _place(tokens: list[Token], at: int, files: str) -> None:
    """Gives the block around a text what its first sign says of it: its address, that it is a task or the picture.

    `files` is the folder of what was attached, which is no picture of ours.
    """
    inline, block = tokens[at], tokens[at - 1]
    first = next(iter(inline.children or ()), None)
    if first is None:
        return
    item = tokens[at - 2] if block.type == "paragraph_open" and tokens[at - 2].type == "list_item_open" else None
    if block.tag == "h2":
        block.attrSet("id", _slug(inline.content))
    if first.type == "anchor":
        (item or block).attrSet("id", first.content)
        inline.children = (inline.children or [])[1:]
    elif first.type == "task" and item:
        item.attrSet("class", "task")
    elif first.type == "image" and inline.children == [first] and block.type == "paragraph_open":
        attached = files and str(first.attrGet("src")).startswith(f"{files}/")
        if not attached:
            block.attrSet("class", "picture")


def _slug(heading: str) -> str:
    """The address that a heading has wherever Markdown is shown: `#open-questions`."""
    return re.sub(r"[^\w\- ]", "", heading.casefold()).strip().replace(" ", "-")


def _with_links(children: Sequence[Token], parser: MarkdownIt) -> Iterator[Token]:
    """The same pieces of a text, where an address that stands there bare has become a link."""
    linked = 0
    for token in children:
        linked += token.nesting if token.type in {"link_open", "link_close"} else 0
        if token.type != "text" or linked:
            yield token
            continue
        end = 0
        for start, address in _addresses(token.content):
            target = parser.normalizeLink(address)
            yield Token("text", "", 0, content=token.content[end:start])
            yield Token("link_open", "a", 1, attrs={"href": target})
            yield Token("text", "", 0, content=address)
            yield Token("link_close", "a", -1)
            end = start + len(address)
        yield Token("text", "", 0, content=token.content[end:])


def _aim(inline: Token, pages: Mapping[str, str]) -> None:
    """Leads links to our own files to their pages, and has those to elsewhere tell nobody where they stood."""
    children = inline.children or []
    for at, token in enumerate(children):
        if token.type != "link_open":
            continue
        target = str(token.attrGet("href") or "")
        if _ELSEWHERE.match(target):
            token.attrSet("rel", _REL)
            continue
        name, mark, place = target.partition("#")
        page = pages.get(name, name)
        token.attrSet("href", f"#{place}" if place and page.startswith("#") else f"{page}{mark}{place}")
        if children[at + 1].content == ARROW and token.attrGet("title"):  # an arrow says nothing when it is read out
            token.attrSet("aria-label", str(token.attrGet("title")))
            token.attrSet("class", "evidence")
            if at and children[at - 1].content.endswith(" "):  # it does not stand alone on a line
                children[at - 1].content = children[at - 1].content[:-1] + "\u00a0"


class _WebMarkdown(MarkdownIt):
    """Markdown as we and people write it -> HTML: nobody's HTML, and links only to the web and to our own files.

    Our annex holds anchors as HTML. They are read by a rule of their own, in the annex alone, which holds no Markdown
    of a person's.
    """

    def __init__(self, frame: Frame) -> None:
        super().__init__("commonmark", {"html": False, "xhtmlOut": False}, renderer_cls=_WebHTML)
        self.enable(["table", "strikethrough"])
        self._ours = {frame.document, frame.annex, frame.picture, ""}
        self._files = re.compile(rf"{re.escape(frame.files)}/{FILE}") if frame.files else None
        self.inline.ruler.before("escape", "task", _task)
        if frame.timeline:
            self.inline.ruler.before("autolink", "anchor", _anchor)

    def validateLink(self, url: str) -> bool:
        """Whether a text may be a link; what may not stays a text."""
        if self._files and self._files.fullmatch(url):
            return True
        return _ELSEWHERE.match(url) is not None or url.partition("#")[0] in self._ours

    def normalizeLinkText(self, link: str) -> str:
        """An address reads as it was recorded."""
        return link


def _task(state: StateInline, silent: bool) -> bool:
    """The box of an action item. It is read before links: a person's definition of “[x]” must not turn it into one."""
    found = _TASK.match(state.src) if state.pos == 0 else None
    if found is None:
        return False
    if not silent:
        state.push("task", "", 0).content = "done" if found[1] == "x" else "open"
    state.pos = found.end()
    return True


def _anchor(state: StateInline, silent: bool) -> bool:
    found = _ANCHOR.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("anchor", "", 0).content = found[1]
    state.pos = found.end()
    return True


class _WebHTML(RendererHTML):
    """Tokens -> HTML. A method is called for the tokens of its name; `env["picture"]` is the name of our picture."""

    def task(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
        if tokens[at].content == "done":
            return '<span class="box done" role="img" aria-label="done">✓</span>'
        return '<span class="box" role="img" aria-label="open"></span>'

    def anchor(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
        return f'<a id="{escapeHtml(tokens[at].content)}"></a>'

    def table_open(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def image(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
        """Our picture, or an image that was attached, which lead to themselves in full size.

        One from elsewhere is not loaded: it becomes a link.
        """
        source = escapeHtml(str(tokens[at].attrGet("src") or ""))
        said = escapeHtml(self.renderInlineAsText(tokens[at].children, options, env))
        linked = sum(token.nesting for token in tokens[:at] if token.type in {"link_open", "link_close"})
        if env["files"] and source.startswith(f"{env['files']}/"):
            return _attached(source, said, env, linked=bool(linked))
        if source == env["picture"]:
            shown = f'<img src="{env["inside"] or source}" alt="{said}">'
            if linked:
                return shown
            legend = f'<span class="legend">{" · ".join(one.replace(" ", NO_BREAK) for one in LEGEND)}</span>'
            if env["inside"]:  # it is there in full size already
                return f"<a>{shown}</a>{legend}"
            return f'<a href="{source}">{shown}</a>{legend}'
        if linked or not _ELSEWHERE.match(source):
            return said
        return f'<a href="{source}" rel="{_REL}">{said or source}</a>'


def _attached(source: str, said: str, env: EnvType, *, linked: bool) -> str:
    """An image that was attached, as large as there is room; where all is in one file, it stands there once."""
    if not env["inside"]:
        shown = f'<img class="shot" loading="lazy" src="{source}" alt="{said}">'
        return shown if linked else f'<a href="{source}">{shown}</a>'
    anchor = "shot-" + source.rpartition("/")[2].partition(".")[0]
    if source not in env["images"]:
        return f"<em>{said}: not in this file</em>"
    if source in env["shown"]:
        return said if linked else f'<a href="#{anchor}">{said}</a>'
    env["shown"].add(source)
    return f'<img class="shot" id="{anchor}" src="{env["images"][source]}" alt="{said}">'
