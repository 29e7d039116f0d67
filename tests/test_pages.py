"""The pages behind links: they open for whoever has the link, show what was posted, and give nothing else away."""

from __future__ import annotations

import base64
import hashlib
import http.client
import logging
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urldefrag, urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bot import figure, pages, render, web
from bot.core.errors import Undelivered
from bot.core.incident import fold
from bot.core.wording import LABELS, readable
from bot.exporters import Names, names
from bot.links import Link, Links
from bot.press import Press
from bot.workspace import Answer, Channel, User, Workspace
from bot.workspace.server import WorkspaceServer
from bot.workspace.stage import SIGNING_SECRET, Stage
from tests.conftest import started_serve

ROOT = Path(__file__).resolve().parent.parent
SITE = "https://scribe.example/incidents"
SATURDAY = datetime(2026, 11, 21, 3, 6, tzinfo=UTC)
PATIENCE = 30.0
OURS = Links(SIGNING_SECRET.encode())
"""Signs as the app of a stage does."""

FRAME = render.Frame(42, "Checkout", "draft", 1, 9, "0042-x.md", "0042-x.timeline.md", "0042-x.svg")
EMPTY = {"br", "hr", "img", "link", "meta"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "footer", "span", "a", "p", "h1", "h2",
    "h3", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "br", "hr", "s", "img", "div", "table",
    "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "name", "content", "class", "href", "rel", "id", "title", "aria-label", "aria-current",
    "download", "role", "src", "alt", "tabindex", "start",
}  # fmt: skip


class Page(HTMLParser):
    """An HTML page taken apart: text, tags, the addresses that it leads to. Tags that do not nest are an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.links: list[str] = []
        self.ids: list[str] = []
        self.style = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert len(found) == len(attrs)
        self.tags.append((tag, found))
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.ids += [found["id"]] if "id" in found else []
        self.text += "\n" if tag == "br" else ""
        self._open += [] if tag in EMPTY else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.style += data
        else:
            self.text += data


def flat(text: str) -> str:
    return " ".join(text.split())


class Story:
    """An incident in a channel, and a browser. `site` is what the links of its posts begin with."""

    def __init__(self, stage: Stage, *, private: bool = False, title: str = "Checkout fails") -> None:
        self.stage = stage
        self.workspace = stage.workspace
        number = self.workspace.count("story")
        self.ada = self.workspace.add_user(f"ada{number}", display_name="Ada", tz="Europe/London")
        self.channel = self.workspace.add_channel(
            f"payments-{number}", private=private, members=[self.ada], bot_in=True
        )
        self.browser = stage.app.web.test_client()
        self.type(f"start sev1 {title} since 02:50")

    def type(self, line: str) -> Answer:
        answer = self.workspace.command(self.ada, self.channel, line)
        assert answer.in_channel, (line, answer.failure or answer.text)
        self.stage.pump()
        return answer

    def resolve(self) -> str:
        """Resolves; gives the path of the link in the post."""
        self.type("resolve graphs are flat")
        self.stage.settle()
        return self.link()

    def post(self) -> str:
        (post,) = [one for one in self.workspace.messages(self.channel) if "Postmortem draft" in one.text]
        return post.text

    def link(self) -> str:
        """The first link in the draft's post, as a path on this server."""
        found = re.search(r"<([^|>]+)\|", self.post())
        assert found is not None
        assert found[1].startswith(SITE)
        return found[1].removeprefix(SITE)

    def get(self, path: str) -> TestResponse:
        return self.browser.get(path)

    def read(self, path: str) -> Page:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    def revoke(self) -> None:
        asked = self.workspace.command(self.ada, self.channel, "link revoke")
        assert not asked.in_channel
        self.workspace.click(self.ada, asked, "Take the link back")
        self.stage.settle()


@pytest.fixture
def story(stage_with: Callable[..., Stage]) -> Story:
    return Story(stage_with(public_url=SITE))


@dataclass(frozen=True)
class Told:
    """An incident that was told and resolved, for everybody who only reads."""

    story: Story
    path: str
    names: Names


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, press: Press) -> Iterator[Told]:
    stage = Stage(tmp_path_factory.mktemp("told"), SATURDAY, press=press, settings={"public_url": SITE})
    story = Story(stage)
    story.type("detected 02:58 by monitoring 5xx rate above 20 %")
    story.type("suspect the connection pool is exhausted, see https://grafana.example.org/d/1?from=now-1h&to=now")
    story.type("ruledout 3 the pool was never above half")
    story.type("did rolled back deploy 4711")
    story.type("cause The pool had 20 connections for 40 workers.")
    story.type("todo for Ben: prevent: cap the pool by 2031-01-31")
    story.type("todo ask about the alert")
    story.type("done T2")
    for number in range(9):
        story.type(f"factor reason number {number}")
    path = story.resolve()
    yield Told(story, path, names(1, "Checkout fails", 1))
    stage.app.store.close()


# ---- what a reader gets --------------------------------------------------------------------------


def test_the_drafts_post_leads_to_a_page_of_the_document(told: Told) -> None:
    post, page = told.story.post(), told.story.read(told.path)
    assert post.splitlines()[1].startswith(f"<{SITE}{told.path}|Open the whole document> · Markdown file: <https://")
    assert len(post.splitlines()) <= 12
    headings = [tag for tag, _ in page.tags if tag in {"h1", "h2"}]
    assert headings == ["h1", *["h2"] * 5]
    text = flat(page.text)
    assert "Checkout fails" in text
    assert "Cause. The pool had 20 connections for 40 workers." in text
    assert re.search(r"INC-1 · revision 1 · draft · \d+ words · generated from 18 entries · Scribe$", text)


def test_without_a_public_url_the_post_has_the_files_link_alone(stage: Stage) -> None:
    story = Story(stage)
    story.type("resolve at now")
    stage.settle()
    assert story.post().splitlines()[1].startswith("Markdown: <https://")
    assert SITE not in story.post()


def test_every_link_of_the_pages_leads_somewhere(told: Told) -> None:
    waiting, seen = [told.path], {}
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        answer = told.story.get(path)
        assert answer.status_code == 200, path
        seen[path] = Page(answer.text) if answer.mimetype == "text/html" else None
        for link in seen[path].links if seen[path] else ():
            if not urlsplit(link).scheme:
                waiting.append(urldefrag(urljoin(path, link)).url)
    assert sorted(urlsplit(path).path.rpartition("/")[2] for path in seen) == sorted(
        ["", "timeline", told.names.document, told.names.annex, told.names.picture]
    )
    pointed = 0
    for path, page in seen.items():
        for link in page.links if page else ():
            target, place = urldefrag(urljoin(path, link))
            if place and not urlsplit(link).scheme:
                assert place in seen[target].ids, link
                pointed += 1
    assert pointed > 20


def test_an_entrys_place_is_marked_once_and_can_be_led_to(told: Told) -> None:
    page = told.story.read(told.path + "timeline")
    assert len(page.ids) == len(set(page.ids))
    assert {f"e{number}" for number in range(1, 19)} <= set(page.ids)
    assert {tag for tag, attributes in page.tags if attributes.get("id", "").startswith("e1")} == {"li"}


def test_what_lies_beside_the_page_is_the_file_that_was_written(told: Told) -> None:
    folder = told.story.stage.settings.export_dir
    kinds = {
        told.names.document: "text/markdown; charset=utf-8",
        told.names.annex: "text/markdown; charset=utf-8",
        told.names.picture: "image/svg+xml",
    }
    for name, kind in kinds.items():
        answer = told.story.get(told.path + name)
        assert (answer.status_code, answer.content_type) == (200, kind)
        assert answer.data == (folder / name).read_bytes()


def test_the_record_as_json_is_not_given_away(told: Told) -> None:
    assert (told.story.stage.settings.export_dir / told.names.json).exists()
    assert told.story.get(told.path + told.names.json).status_code == 404


def test_tasks_have_boxes_that_say_whether_they_are_done(told: Told) -> None:
    boxes = [a["aria-label"] for tag, a in told.story.read(told.path).tags if tag == "span" and a.get("role") == "img"]
    assert boxes == ["open", "done"]


def test_a_recorded_address_is_a_link_that_tells_nobody_where_it_stood(told: Told) -> None:
    address = "https://grafana.example.org/d/1?from=now-1h&to=now"
    (link,) = [a for _, a in told.story.read(told.path + "timeline").tags if a.get("href") == address]
    assert link == {"href": address, "rel": "noopener noreferrer nofollow"}
    assert address in told.story.read(told.path + "timeline").text


def test_an_incident_of_a_private_channel_opens_for_whoever_has_the_link(stage_with: Callable[..., Stage]) -> None:
    story = Story(stage_with(public_url=SITE), private=True)
    assert "Checkout fails" in story.read(story.resolve()).text


def test_the_same_link_shows_the_newest_revision_that_was_posted(story: Story) -> None:
    path = story.resolve()
    story.type("note the pool is capped for good")
    assert "capped for good" not in story.read(path + "timeline").text  # it is posted after ten quiet minutes
    story.stage.settle()
    assert story.link() == path
    assert "capped for good" in story.read(path + "timeline").text
    assert "revision 2" in story.read(path).text


def test_the_file_of_an_earlier_revision_leads_to_what_there_is_now(story: Story) -> None:
    path = story.resolve()
    story.type("title Payments fail")
    story.stage.settle()
    now = names(1, "Payments fail", 2)
    assert [story.get(path + name).status_code for name in (now.document, now.annex, now.picture)] == [200] * 3
    for name in ("0001-checkout-fails.md", "0001-checkout-fails.timeline.md", "0001-checkout-fails.svg"):
        answer = story.get(path + name)
        assert (answer.status_code, answer.headers["Location"]) == (302, "./")


def test_what_was_destroyed_is_gone_from_the_page_at_once(story: Story) -> None:
    story.type("note the password is hunter2")
    path = story.resolve()
    assert "hunter2" in story.read(path + "timeline").text
    asked = story.workspace.command(story.ada, story.channel, "redact 2")
    story.workspace.click(story.ada, asked, "Destroy the text")
    for name in ("", "timeline", "0001-checkout-fails.md", "0001-checkout-fails.timeline.md"):
        assert "hunter2" not in story.get(path + name).text


def test_a_link_still_opens_after_a_restart_and_without_its_setting(story: Story) -> None:
    path = story.resolve()
    story.stage.settings = replace(story.stage.settings, public_url=None)
    story.stage.restart()
    story.browser = story.stage.app.web.test_client()
    assert "Checkout fails" in story.read(path).text


# ---- HTTP ----------------------------------------------------------------------------------------


def test_every_answer_keeps_the_browser_from_doing_anything_but_show_it(told: Told) -> None:
    bad = "/p/nothing/"
    for path in (told.path, told.path + "timeline", told.path + told.names.document, bad, told.path[:-1]):
        headers = told.story.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers


def test_the_style_of_a_page_is_the_one_that_its_policy_allows(told: Told) -> None:
    for path in (told.path, told.path + "timeline", "/p/nothing/"):
        answer = told.story.get(path)
        digest = base64.b64encode(hashlib.sha256(Page(answer.text).style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
        assert 'style="' not in answer.text


def test_below_the_picture_its_shapes_are_told_in_words(told: Told) -> None:
    page = told.story.read(told.path)
    legend = flat(" · ".join(render.LEGEND))
    assert flat(page.text).count(legend) == 1
    assert legend not in flat(told.story.read(told.path + "timeline").text)
    shapes, texts = zip(*(one.split(" ", 1) for one in render.LEGEND), strict=True)
    assert len(set(shapes)) == len(set(texts)) == len(figure.SHAPES), "one for each shape that is drawn"
    described = {LABELS[kind].casefold() for kind in figure.SHAPES}
    assert set(texts) == described - {"impact again", "update"} | {"impact begins", "told"}


def test_on_a_phone_the_summary_stands_before_the_picture(told: Told) -> None:
    page = told.story.read(told.path)
    order = [tag if found.get("class") != "picture" else "picture" for tag, found in page.tags if tag in {"p", "h2"}]
    first = order.index("picture")
    assert (order[first + 1], order.count("picture")) == ("h2", 1), "the Markdown has the picture first"
    narrow = page.style.split("@media screen and (max-width:45rem){")[1].split("@media")[0]
    assert "main>.picture{order:1}" in narrow
    assert "main>.picture~h2~h2,main>.picture~h2~h2~*{order:2}" in narrow


def test_the_picture_may_style_itself_and_do_nothing_else(told: Told) -> None:
    answer = told.story.get(told.path + told.names.picture)
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; sandbox; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert "style=" not in answer.text


@pytest.mark.parametrize("name", ["", "timeline", "0001-checkout-fails.md", "0001-checkout-fails.svg", "nothing"])
def test_head_is_get_without_a_body(told: Told, name: str) -> None:
    wanted, found = told.story.get(told.path + name), told.story.browser.head(told.path + name)
    assert (found.status_code, list(found.headers), found.data) == (wanted.status_code, list(wanted.headers), b"")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_there_is_nothing_to_do_but_read(told: Told, method: str) -> None:
    answer = getattr(told.story.browser, method)(told.path)
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_an_address_without_its_last_slash_leads_to_the_one_with_it(told: Told) -> None:
    answer = told.story.get(told.path[:-1])
    assert answer.status_code == 302
    assert urljoin(SITE + told.path[:-1], answer.headers["Location"]) == SITE + told.path


# ---- who does not get in -------------------------------------------------------------------------


def test_what_is_not_signed_here_looks_all_the_same(told: Told) -> None:
    team = told.story.workspace.team
    with told.story.stage.app.store.reading() as tx:
        assert tx.by_number(team, 1) is not None
    unknown = [
        OURS.token(Link(team, 999, 0)),
        OURS.token(Link("T0ELSEWHERE", 1, 0)),
        Links(b"another secret, as long as ours").token(Link(team, 1, 0)),
        "nothing",
        told.path.split("/")[2][:-1],
    ]
    answers = [told.story.get(f"/p/{token}/{name}") for token in unknown for name in ("", "timeline", "0001-x.md")]
    assert {(one.status_code, one.text, str(one.headers)) for one in answers} == {
        (404, answers[0].text, str(answers[0].headers))
    }
    assert "There is nothing here" in answers[0].text


def test_a_link_of_what_was_never_posted_shows_nothing(told: Told) -> None:
    other = Story(told.story.stage, title="Still going on")
    with told.story.stage.app.store.reading() as tx:
        place = tx.in_channel(other.workspace.team, other.channel.id)
    assert place is not None
    token = OURS.token(Link(place.team, place.number, 0))
    assert told.story.get(f"/p/{token}/").status_code == 404


NAMES_OF_FILES = st.text("./\\%:;~0n1-acehktulfisxmdpg\x00\r\n é", max_size=40)
TRICKS = st.sampled_from(
    [
        "../", "..%2f", "%2e%2e/", "..\\", "%5c..%5c", "%00", "%0d%0aX: y", "//", "/./", "timeline/", ";a=b", "0001-",
        "0001-checkout-fails", ".md", ".svg", ".json", ".timeline.md", ".r2", "%c3%28", "%ff", "healthz", "\u202e",
        "p/", "etc/passwd", "scribe.db", "?x=", "#", "%", "%zz", "٤٢",
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(TRICKS | NAMES_OF_FILES, max_size=6), st.booleans(), st.booleans())
def test_no_trick_with_the_address_gets_further(told: Told, pieces: list[str], below: bool, raw: bool) -> None:
    name = "".join(pieces)
    path = (told.path if below else "/p/") + (name if raw else quote(name, safe=""))
    answer = told.story.browser.get("/" + path.lstrip("/"))
    if answer.status_code == 302:
        assert answer.headers["Location"] in {"./", told.path.split("/")[2] + "/"}
    elif answer.status_code == 200:
        body = answer.text
        assert body.startswith(("<!doctype html>", "# ", "<svg ", "Scribe records incidents", '{"'))
    else:
        assert answer.status_code in {404, 400}, answer.status_code


# ---- taken back ----------------------------------------------------------------------------------


def test_a_link_that_was_taken_back_stops_working_and_the_post_gets_another(story: Story) -> None:
    path = story.resolve()
    other = Story(story.stage, title="Another")
    beside = other.resolve()
    asked = story.workspace.command(story.ada, story.channel, "link revoke")
    assert "Take the web link of INC-1 back?" in asked.text
    assert story.get(path).status_code == 200
    tapped = story.workspace.click(story.ada, asked, "Take the link back")
    assert tapped.ok

    for name in ("", "timeline", "0001-checkout-fails.md", "0001-checkout-fails.svg"):
        answer = story.get(path + name)
        assert (answer.status_code, "This link was taken back" in answer.text) == (410, True)
        assert "Checkout" not in answer.text

    story.stage.settle()
    assert any("🔒 Ada took the web link of INC-1 back" in one.text for one in story.workspace.messages(story.channel))
    fresh = story.link()
    assert fresh != path
    assert "web link taken back" in story.read(fresh + "timeline").text
    assert story.get(path).status_code == 410
    assert other.get(beside).status_code == 200


def test_each_time_it_is_taken_back_all_earlier_links_are_gone(story: Story) -> None:
    paths = [story.resolve()]
    for _ in range(3):
        story.revoke()
        paths.append(story.link())
    assert len(set(paths)) == 4
    assert [story.get(path).status_code for path in paths] == [410, 410, 410, 200]


def test_a_link_that_is_taken_back_while_it_is_open_again_stays_so(story: Story) -> None:
    path = story.resolve()
    story.type("reopen errors are back")
    story.revoke()
    assert story.get(path).status_code == 410
    fresh = story.resolve()
    assert [story.get(path).status_code, story.get(fresh).status_code] == [410, 200]


def test_a_link_of_the_future_is_not_good_yet(story: Story) -> None:
    path = story.resolve()
    token = OURS.token(Link(story.workspace.team, 1, 1))
    assert story.get(f"/p/{token}/").status_code == 410
    story.revoke()
    assert story.link() == f"/p/{token}/"
    assert [story.get(path).status_code, story.get(f"/p/{token}/").status_code] == [410, 200]


# ---- what people write ---------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>click</a>",
    "[click](javascript:alert(1))",
    "[click](  JaVaScRiPt:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](https://evil.example/pixel.png)",
    "<javascript:alert(1)>",
    '<https://evil.example/?a="onmouseover=alert(1)>',
    "[click](vbscript:x) [up](../../healthz) [over](//evil.example) [file](file:///etc/passwd)",
    "</main></body><!-- <style>body{display:none}</style>",
    "<!channel> <@U0SCRIBE> <#C1|general>",
    "\u202egnp.exe\u202c \u2066x\u2069 \u200bhidden",
    "&lt;b&gt; &#x3c;script&#x3e; &amp;",
    "# heading\n## another\n- [x] done\n> quoted\n```\ncode\n```\n| a |\n|---|\n| b |",
    "[x]: https://evil.example\n[ ]: https://evil.example",
    '<a id="e1"></a><a id="open-questions"></a>',
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "~~struck~~ __bold__ *em* `code` \\",
)


def check(page: Page) -> None:
    """Nothing in a page but what we put there: tags, attributes, and addresses of the web or of our own."""
    assert {tag for tag, _ in page.tags} <= TAGS
    assert {name for _, attributes in page.tags for name in attributes} <= ATTRIBUTES
    for link in page.links:
        assert urlsplit(link).scheme in {"", "http", "https", "mailto"}, link
        if not urlsplit(link).scheme:
            assert re.fullmatch(r"\./|(timeline)?(#[\w-]*)?|0001-[a-z0-9-]+(\.r\d)?(\.timeline)?\.(md|svg)", link), link
    assert all(attributes["src"].endswith(".svg") for tag, attributes in page.tags if tag == "img")
    assert len(page.ids) == len(set(page.ids))


def test_what_people_recorded_is_text_on_the_page(story: Story) -> None:
    for verb in ("note", "hypothesis", "cause", "factor", "well", "todo", "told", "impact", "summary", "trigger"):
        for text in HOSTILE:
            story.type(f"{verb} {text}")
            story.stage.clock.advance(timedelta(minutes=2))
    story.type("title " + HOSTILE[0] + " " + HOSTILE[4])
    path = story.resolve()
    with story.stage.app.store.reading() as tx:
        place = tx.in_channel(story.workspace.team, story.channel.id)
        assert place is not None
        recorded = [entry.text for entry in fold(tx.events(place.key)).entries.values() if entry.number > 1]
    assert len(recorded) == 10 * len(HOSTILE) + 1
    document, annex = story.read(path), story.read(path + "timeline")
    check(document)
    check(annex)
    shown = flat(annex.text)
    assert [text for text in recorded if flat(readable(text)) not in shown] == []
    assert flat(HOSTILE[0] + " " + HOSTILE[4]) in flat(document.text)


def test_a_section_of_a_persons_own_brings_in_neither_markup_nor_addresses_of_ours(story: Story) -> None:
    mine = "\n\n".join(HOSTILE)
    for section in ("summary", "timeline", "cause", "measures", "questions"):
        story.type(f"edit section {section} {mine}")
    page = story.read(story.resolve())
    check(page)
    assert page.ids.count("open-questions") == 1
    assert [a["href"] for tag, a in page.tags if tag == "a" and "evil" in a.get("href", "")] != []  # links are theirs
    assert not any("evil" in a.get("src", "") for _, a in page.tags)


def test_a_section_keeps_its_markdown(story: Story) -> None:
    story.type("edit section summary It was *short*:\n\n| when | what |\n|---|--:|\n| 02:50 | 5xx |\n\n1. one\n2. two")
    page = story.read(story.resolve())
    assert {"em", "table", "th", "ol"} <= {tag for tag, _ in page.tags}
    assert "right" in {a.get("class") for tag, a in page.tags if tag == "td"}


@pytest.mark.parametrize("timeline", [False, True])
def test_html_in_markdown_is_text_whoever_let_it_through(timeline: bool) -> None:
    written = "<b>x</b> <script>alert(1)</script> <a id='e1'></a>\n\n<div onclick='x'>\n\n<!-- y -->\n"
    whole = render.page(written, replace(FRAME, timeline=timeline))
    page = Page(whole[whole.index("<main>") : whole.index("</main>") + 7])
    assert {tag for tag, _ in page.tags} == {"main", "p"}
    assert flat(page.text) == flat(written)


def test_a_definition_of_a_persons_own_does_not_turn_the_box_of_a_task_into_a_link() -> None:
    page = Page(render.page("- [x] **T1** cap it\n\n[x]: https://evil.example\n", FRAME))
    assert [a.get("aria-label") for tag, a in page.tags if tag == "span" and "role" in a] == ["done"]
    assert not any("evil" in link for link in page.links)


SIGNS = st.text(
    st.sampled_from("<>&\"'`*_~[]()!|#-+=:\\/ .\n\t0123456789abxXé🔥\u202e\u200b$^{}%@")
    | st.characters(codec="utf-8", max_codepoint=0x2FFF),
    max_size=60,
)
MARKUP = st.sampled_from(
    [*HOSTILE, "http://a.example/", "- [ ] ", "| a |\n|--|", "~~", "```", "    code", "[x]", "![", "](", "<a id='e1'>"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SIGNS | MARKUP, max_size=4).map("".join), st.booleans())
def test_any_text_reads_on_the_page_as_it_was_recorded(text: str, timeline: bool) -> None:
    whole = render.page(f"- **x** {render.markdown(text)}\n", replace(FRAME, timeline=timeline))
    page = Page(whole[whole.index("<main>") : whole.index("</main>") + 7])
    assert flat(page.text) == flat(f"x {readable(text)}")
    assert {tag for tag, _ in page.tags} <= {"main", "ul", "li", "strong", "br", "a"}


# ---- what may go wrong ---------------------------------------------------------------------------


class Desk:
    """Pages over a document that is composed as a test wants it."""

    def __init__(self, compose: Callable[[], Any]) -> None:
        shelf = pages.create(
            read=OURS.read,
            behind=lambda team, number, generation: (1, 9, 1),
            is_taken_back=lambda team, number, generation: False,
            document=lambda key, upto, revision: compose(),
            content=lambda key, digest: None,
            html=lambda document, timeline: b"<!doctype html>",
            notice=render.notice,
            style=render.style(),
        )
        self.app = web.create(
            bolt=None,  # type: ignore[arg-type]  # without a signing secret nobody asks for it
            signing_secret=None,
            clock=lambda: SATURDAY,
            health=dict,
            pages=shelf,
        )
        self.path = f"/p/{OURS.token(Link('T1', 1, 0))}/"

    def get(self) -> TestResponse:
        return self.app.test_client().get(self.path)


def test_while_a_document_cannot_be_composed_the_page_says_so_and_when_to_come_back() -> None:
    def compose() -> Any:
        raise Undelivered("Scribe is stopping.")

    answer = Desk(compose).get()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The document is being composed" in answer.text


def test_readers_never_take_all_threads_of_the_server() -> None:
    """Slack waits three seconds: whoever opens a page while others are being composed is asked to come back."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def compose() -> Any:
        begun.release()
        go_on.wait(PATIENCE)

    desk = Desk(compose)
    answers: list[int] = []
    readers = [threading.Thread(target=lambda: answers.append(desk.get().status_code)) for _ in range(pages.AT_ONCE)]
    for reader in readers:
        reader.start()
    for _ in readers:
        assert begun.acquire(timeout=PATIENCE)
    since = time.monotonic()
    refused = desk.get()
    waited = time.monotonic() - since
    go_on.set()
    for reader in readers:
        reader.join(PATIENCE)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert waited < 1.5
    assert answers == [200] * pages.AT_ONCE
    assert desk.get().status_code == 200


def test_the_log_of_a_defect_does_not_hold_the_link(caplog: pytest.LogCaptureFixture) -> None:
    def compose() -> Any:
        raise LookupError("a defect")

    desk = Desk(compose)
    with caplog.at_level(logging.DEBUG):
        answer = desk.get()
    assert answer.status_code == 500
    assert "a request for /p/<token>/ failed" in caplog.text
    assert "LookupError: a defect" in caplog.text
    assert desk.path.split("/")[2] not in caplog.text
    assert desk.get().status_code == 500  # its turn was given back


# ---- scribe serve --------------------------------------------------------------------------------

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], what: Callable[[], str]) -> Found:
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > until:
            pytest.fail(what())
        time.sleep(0.02)
    return found


class Served:
    """`scribe serve` as a process, and a workspace that it reaches over HTTP."""

    def __init__(self, folder: Path, workspace: Workspace, api_url: str) -> None:
        self.out, self.log = folder / "out.txt", folder / "log.txt"
        self.popen = started_serve(
            workspace,
            api_url,
            folder,
            self.out,
            self.log,
            PYTHONWARNINGS="error",
            SLACK_SIGNING_SECRET=workspace.signing_secret,
            SCRIBE_PUBLIC_URL=SITE,
        )

    def listen(self) -> str:
        """Waits for the line that says where it listens."""
        self.url = eventually(self._address, self.said)
        return self.url

    def _address(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+", self.out.read_text())
        return found[0] if found else ""

    def said(self) -> str:
        return self.out.read_text() + self.log.read_text()

    def get(self, path: str, *, hang_up: bool = False) -> tuple[int, str]:
        host = urlsplit(self.url)
        with closing(http.client.HTTPConnection(host.hostname or "", host.port, timeout=PATIENCE)) as connection:
            connection.request("GET", path)
            if hang_up:
                return 0, ""
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


@contextmanager
def served(folder: Path) -> Iterator[tuple[Served, Workspace]]:
    workspace = Workspace(clock=lambda: datetime.now(UTC), signing_secret=SIGNING_SECRET)
    with WorkspaceServer(workspace) as server:
        process = Served(folder, workspace, server.api_url)
        try:
            server.attach_http(process.listen())
            yield process, workspace
            process.popen.send_signal(signal.SIGTERM)
            assert process.popen.wait(PATIENCE) == 0, process.said()
        finally:
            process.popen.kill()
            process.popen.wait()


def test_a_link_from_the_draft_to_its_successor(tmp_path: Path) -> None:
    with served(tmp_path) as (process, workspace):
        ada: User = workspace.add_user("ada", display_name="Ada", tz="Europe/London")
        channel: Channel = workspace.add_channel("payments", members=[ada], bot_in=True)

        def link(other_than: str = "") -> str:
            posts = [one.text for one in workspace.messages(channel) if "Postmortem draft" in one.text]
            found = re.search(rf"<{SITE}(/p/[^|>]+)\|", posts[0]) if posts else None
            return found[1] if found and found[1] != other_than else ""

        for line in ("start sev1 Checkout fails since 20m ago", "note CPU is at 100 %", "resolve graphs are flat"):
            assert workspace.command(ada, channel, line).in_channel, process.said()
        path = eventually(link, process.said)
        status, html = process.get(path)
        assert (status, "Checkout fails" in Page(html).text) == (200, True)
        assert process.get(path + "timeline")[0] == 200
        process.get(path + "timeline", hang_up=True)
        assert process.get(path.replace("/p/", "/p/x"))[0] == 404

        asked = workspace.command(ada, channel, "link revoke")
        assert workspace.click(ada, asked, "Take the link back").ok
        assert process.get(path)[0] == 410
        fresh = eventually(lambda: link(path), process.said)
        assert [process.get(one)[0] for one in (path, fresh, fresh + "timeline")] == [410, 200, 200]
    assert "/p/" not in process.said()
    assert "Traceback" not in process.said()


def test_posts_in_other_channels_lead_to_the_new_link_after_the_old_one_was_taken_back(
    stage_with: Callable[..., Stage],
) -> None:
    stage = stage_with(public_url="https://scribe.example.org")
    ada = stage.workspace.add_user("ada", display_name="Ada", tz="Europe/London")
    channel = stage.workspace.add_channel("payments", members=[ada], bot_in=True)
    other = stage.workspace.add_channel("general", members=[ada])
    for line in ("start Checkout fails", "resolve at now"):
        stage.workspace.command(ada, channel, line)
    stage.settle()
    stage.workspace.command(ada, channel, "share #general")
    stage.settle()
    (shared,) = [one for one in stage.workspace.messages(other) if one.by_bot]
    before = re.findall(r"https://scribe.example.org/p/[^|>]+", shared.text)
    asked = stage.workspace.command(ada, channel, "link revoke")
    stage.workspace.click(ada, asked, "Take the link back")
    stage.settle()
    after = re.findall(r"https://scribe.example.org/p/[^|>]+", shared.text)
    assert len(before) == len(after) == 1
    assert before != after
    assert len(list(stage.settings.export_dir.glob("0001-checkout-fails.md"))) == 1, "no file goes with a link"
