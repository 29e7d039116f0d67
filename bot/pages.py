"""The pages behind signed links: the document of an incident, its annex, and the files to which their Markdown links.

Knows HTTP: which addresses there are below a link, and what a browser may do with what it gets. Must not know how a
link is signed, what has been posted, or how a document is composed: those arrive by constructor. It has no page of its
own: what it sends was printed by the press, or was a notice.

A token stands in the address, so no address is ever logged here.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import quote

from flask import Blueprint, Response

from bot.core import media
from bot.core.errors import Undelivered

TIMELINE = "timeline"

AT_ONCE = 3
"""Requests for which a document may be composed at the same time. Slack's own need the other threads of the server."""
TURN_SECONDS = 0.5
"""How long another waits for its turn: Slack takes an answer for lost after three seconds."""
AGAIN_SECONDS = 5

HTML = "text/html; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
SVG = "image/svg+xml"

_CLOSED = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

NOT_FOUND = (
    "There is nothing here",
    "Is the link whole? The one that is good now is at the top of the draft's post, in the incident's channel.",
)
TAKEN_BACK = (
    "This link was taken back",
    "If you belong to the incident: the one that is good now is at the top of the draft's post, in its channel.",
)
NOT_YET = ("The document is being composed", "Please load this page again in a few seconds.")


class Link(Protocol):
    """What a token says."""

    @property
    def team(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def generation(self) -> int: ...


class Closed(Exception):
    """A request that gets a notice instead of a document."""

    def __init__(self, status: int, notice: tuple[str, str]) -> None:
        super().__init__(notice[0])
        self.status = status
        self.notice = notice


def create(
    *,
    read: Callable[[str], Link | None],
    behind: Callable[[str, int, int], tuple[int, int, int] | None],
    is_taken_back: Callable[[str, int, int], bool],
    document: Callable[[int, int, int], Any],
    content: Callable[[int, str], bytes | None],
    html: Callable[[Any, bool], bytes],
    notice: Callable[[str, str], str],
    style: str,
) -> Blueprint:
    """Builds the pages.

    `read` gives what a token says (None for one that is not ours); `behind` incident, event and revision that such a
    link (team, number, generation) shows, or None; `is_taken_back` whether that is because somebody took it back.
    `document` composes, `html` prints the document or (True) the annex as a page; both raise Undelivered. `content`
    gives the bytes of a file that was attached (incident, digest), None when they were destroyed. `notice` gives the
    page that says one thing, `style` is the style sheet inside all of them.
    """
    pages = Blueprint("pages", __name__)
    turns = threading.BoundedSemaphore(AT_ONCE)
    policy = (
        f"default-src 'none'; img-src 'self'; style-src {_fingerprint(style.encode())}; base-uri 'none'; "
        "form-action 'none'; "
        "frame-ancestors 'none'"
    )

    def opened(token: str) -> Link:
        link = read(token)
        if link is None:
            raise Closed(404, NOT_FOUND)
        return link

    @contextmanager
    def composed(link: Link) -> Iterator[Any]:
        """The newest document that was posted, while it is this request's turn."""
        found = behind(link.team, link.number, link.generation)
        if found is None:
            taken_back = is_taken_back(link.team, link.number, link.generation)
            raise Closed(410, TAKEN_BACK) if taken_back else Closed(404, NOT_FOUND)
        if not turns.acquire(timeout=TURN_SECONDS):
            raise Closed(503, NOT_YET)
        try:
            yield document(*found)
        except Undelivered:
            raise Closed(503, NOT_YET) from None
        finally:
            turns.release()

    @pages.get("/p/<token>")
    def without_its_slash(token: str) -> Response:
        opened(token)  # what is not ours is not sent back: it might be an address of another kind
        return _elsewhere(f"{token}/")

    @pages.get("/p/<token>/")
    def page(token: str) -> Response:
        with composed(opened(token)) as one:
            return _sent(html(one, False), HTML, policy)

    @pages.get("/p/<token>/<name>")
    def beside(token: str, name: str) -> Response:
        link = opened(token)
        if name != TIMELINE and not _may_be_ours(name, link.number):
            raise Closed(404, NOT_FOUND)
        with composed(link) as one:
            if name == TIMELINE:
                return _sent(html(one, True), HTML, policy)
            if name == one.called.document:
                return _sent(one.page.document, MARKDOWN)
            if name == one.called.annex:
                return _sent(one.page.annex, MARKDOWN)
            if name == one.called.picture:
                return _sent(one.page.svg, SVG, _of_a_picture(one.page.svg))
        return _elsewhere("./")  # a file of an earlier revision: what there is now is a link away from the page

    @pages.get("/p/<token>/<folder>/<name>")
    def attached(token: str, folder: str, name: str) -> Response:
        link = opened(token)
        if not _may_be_ours(f"{folder.removesuffix('.files')}.svg", link.number) or not folder.endswith(".files"):
            raise Closed(404, NOT_FOUND)
        with composed(link) as one:
            found = next((one for one in one.page.files if one[0] == name), None)
            incident = one.place.key
        held = content(incident, found[1]) if found is not None else None
        if found is None or held is None:  # it left the record, or was destroyed
            raise Closed(404, NOT_FOUND)
        return _handed_out(held, found)

    @pages.errorhandler(Closed)
    def closed(why: Closed) -> Response:
        answer = _sent(notice(*why.notice).encode(), HTML, policy, why.status)
        if why.status == 503:
            answer.headers["Retry-After"] = str(AGAIN_SECONDS)
        return answer

    return pages


def _handed_out(held: bytes, found: tuple[str, str, str, str]) -> Response:
    """Bytes that somebody attached, which may be anything: shown where they are an image, else only saved.

    Nothing in them runs: the type is what they are by their first bytes, a browser must not guess another
    (`nosniff`, on every answer of ours), and whatever opens by itself stands in a sandbox.
    """
    name, _, media_type, called = found
    answer = _sent(held, media_type, f"default-src 'none'; sandbox; {_CLOSED}")
    shown = "inline" if media.is_image(media_type) else "attachment"
    wide = quote(called.encode("utf-8", "replace") or name, safe="")
    answer.headers["Content-Disposition"] = f"{shown}; filename={name}; filename*=UTF-8''{wide}"
    return answer


def _may_be_ours(name: str, number: int) -> bool:
    """Whether a file of the incident could be called so. Its JSON is not given away: it names people and has it all."""
    return re.fullmatch(rf"{number:04d}-[a-z0-9-]+(\.r[0-9]+)?(\.timeline\.md|\.md|\.svg)", name) is not None


def _of_a_picture(svg: bytes) -> str:
    """What a picture may do that is looked at by itself: have the style sheet that was drawn with it."""
    styles = " ".join(_fingerprint(sheet) for sheet in re.findall(rb"<style>(.*?)</style>", svg, re.DOTALL)) or "'none'"
    return f"default-src 'none'; style-src {styles}; sandbox; {_CLOSED}"


def _fingerprint(style: bytes) -> str:
    """A style sheet as a policy names it: it and no other one counts."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style).digest()).decode()}'"


def _elsewhere(address: str) -> Response:
    """Relative, so that it is right behind every proxy."""
    return Response(status=302, headers={"Location": address})


def _sent(content: bytes, kind: str, policy: str = "", status: int = 200) -> Response:
    headers = {"Content-Security-Policy": policy} if policy else {}
    return Response(content, status, headers, content_type=kind)
