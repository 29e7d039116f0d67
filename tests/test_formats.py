"""The files for other programs: JSON that its schema describes and that holds the whole document; CSV; one page."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot import interchange, render
from bot.core import events as ev
from bot.core import times
from bot.core.document import (
    FORMATS,
    ActionItem,
    Actions,
    AnnexEntry,
    Change,
    CustomerVersion,
    File,
    GuidingQuestion,
    Header,
    Headlines,
    Impact,
    Length,
    Line,
    Link,
    Listed,
    Metric,
    Metrics,
    Missing,
    Options,
    Passage,
    Postmortem,
    PublicTask,
    Question,
    Responder,
    ReviewNote,
    Statement,
    Stretch,
    Timeline,
)
from bot.core.events import Category, Kind, Source
from bot.core.facts import LESSONS
from bot.core.incident import Incident, fold
from bot.core.postmortem import compose
from bot.core.record import Place
from bot.core.times import parse_utc
from bot.exporters import FileExporter, names, write_one
from bot.press import Order, Press
from bot.workspace.stage import Stage
from tests.core.builder import NAMES, OPTIONS, SCENARIOS, START, Record, replayed, scenario

SCHEMA = json.loads((Path(__file__).parents[1] / "docs/schema/postmortem-1.json").read_text(encoding="utf-8"))
VALID = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

HOSTILE = (
    '=HYPERLINK("https://example.org","pay")',
    'a,b;c"d"\n=2+3\r\n+4',
    "</td><script>alert(1)</script> <!channel> {{ 7*7 }}",
    "\x00 bell\x07 \u202eevil\u202c \ud83d half",
)


# ---- records -------------------------------------------------------------------------------------


def everything() -> Record:
    """A record with an event of every kind, and in which something can be said of every part of the document."""
    r = Record(
        "Checkout returns errors", zone="Europe/London", onset=-20, severity=None, onset_approx=True, new_channel=True
    )
    r.say(Kind.ROLE, role="commander", person="a", who="@ada")
    r.say(Kind.HANDOVER, "off to bed", person="b", who="@ben")
    r.say(Kind.DETECTION, "5xx above 20 %", at=-5, source=Source.CUSTOMER)
    r.say(Kind.ACK, at=1)
    for number in range(30):
        r.say(Kind.NOTE, f"graph number {number}: " + "the pool of connections is as full as it was before " * 4)
    first = r.say(Kind.HYPOTHESIS, "deploy 4711")
    misled = r.say(Kind.DEAD_END, "rolling back changed nothing", hypothesis=first)
    r.mark(ev.Starred, entry=misled, on=True)
    second = r.say(Kind.HYPOTHESIS, "the pool")
    r.mark(ev.HypothesisConfirmed, entry=second)
    for number in range(4):
        r.say(Kind.DEAD_END, f"it was not replica {number} either")
    useful = r.say(Kind.ACTION, "raised the limit of the pool", author="c", said_in="C1/1700000000.000100")
    r.mark(ev.EffectSeen, entry=useful, worked=True)
    r.say(Kind.DECISION, "no failover tonight", approx=True)
    r.say(Kind.ESCALATION, "all connections are taken", target="the DBAs", person="c")
    r.say(Kind.UPDATE, "we are looking into it", audience="customers", promised=START)
    r.say(Kind.MITIGATION, "halved the pool of the reports")
    r.say(Kind.MITIGATED, "errors are gone", at=60)
    r.say(Kind.AGAIN, "errors are back", at=90)
    r.say(Kind.MITIGATED, "reports are off", at=100)
    r.say(Kind.SEVERITY, "customers cannot pay", severity=2)
    r.say(Kind.RESOLUTION, "graphs flat for an hour", at=200)
    r.say(Kind.REOPENED, "too early")
    r.say(Kind.RESOLUTION, "now they are", at=220)
    r.say(Kind.SUMMARY, "Paying failed for a third of the customers")
    r.say(Kind.SERVICES, "checkout, orders", added=("checkout", "orders"))
    r.say(Kind.SERVICES, "-orders", removed=("orders",))
    r.say(Kind.IMPACT, "34% of customers could not pay", share="34", seen_by_users=True)
    for number in range(4):
        r.say(Kind.IMPACT, f"so many orders were lost in hour {number}")
    r.say(Kind.TRIGGER, "the nightly report", at=-21)
    r.say(Kind.CAUSE, "The pool of orders-db was full. It has no limit for reports, which take what they get.")
    for number in range(6):
        r.say(Kind.FACTOR, f"factor {number}: nobody looks at the pool")
        r.say(Kind.IMPROVEMENT, f"improvement {number}: alarms about pools")
        r.say(Kind.VERIFIED, f"check {number}: the pool stays below half")
        r.say(Kind.WELL, f"well {number}: people came quickly")
        r.say(Kind.WRONG, f"wrong {number}: Chidi should have known about the report")
        r.say(Kind.LUCKY, f"lucky {number}: it was night")
    r.say(Kind.FIX, "reports have a pool of their own")
    r.say(Kind.TAKEAWAY, "Give everything its own limit.")
    for number in range(7):
        r.say(Kind.TASK, f"limit pool {number}", category=Category.PREVENT)
    r.say(Kind.TASK, "say on the status page what cannot be paid for", public=True)
    r.mark(ev.TaskDone, task=8, at=START + timedelta(days=3))
    due = date(2026, 12, 1)
    r.mark(ev.TaskChanged, task=1, owner="@ben", person="b", category=Category.DETECT, due=due, text="limit it")
    r.mark(ev.TaskDone, task=2, at=START + timedelta(days=2))
    r.mark(ev.TaskDropped, task=3, text="not worth it")
    r.mark(ev.TaskReopened, task=3)
    r.mark(ev.TaskChanged, task=4, url="https://tracker.example.org/browse/PAY-4")
    r.mark(ev.TaskDropped, task=3, text="really not worth it")
    r.say(Kind.QUESTION, "Why at night?", question=6)
    r.say(Kind.QUESTION, "Why on a Saturday?", question=7)
    r.say(Kind.ANSWER, "because reports run then", question=6)
    r.say(Kind.ANSWER, "four hours of a change", question=1)
    r.say(Kind.ANSWER, "about the graph", about=6)
    r.say(Kind.LINK, "the graph", url="https://example.org/d/1")
    typo = r.say(Kind.NOTE, "CPU at 80 %")
    r.mark(ev.TextCorrected, entry=typo, text="CPU at 90 %")
    r.mark(ev.KindCorrected, entry=typo, to=Kind.ACTION)
    r.mark(ev.TimeCorrected, entry=typo, at=START, approx=True, zone="UTC")
    r.mark(ev.Starred, entry=typo, on=True)
    r.mark(ev.Attached, entry=typo, digest="cd" * 32, media_type="image/jpeg", size=240_000, file="cpu.jpg")
    clip: dict[str, Any] = {"digest": "", "media_type": "video/mp4", "unkept": "size"}
    r.mark(ev.Attached, entry=typo, size=48_000_000, file="clip.mp4", **clip)
    r.mark(ev.Undone, seq=r.mark(ev.TextCorrected, entry=typo, text="CPU at 9 %"))
    r.mark(ev.Removed, entry=6, text="wrong channel")
    password = r.say(Kind.NOTE, "", at=3)
    r.mark(ev.Attached, entry=password, digest="ef" * 32, media_type="image/png", size=9, file="password.png")
    r.mark(ev.Redacted, entry=password)
    r.say(Kind.NOTE, "never mind")
    r.mark(ev.Undone, seq=len(r.happened))
    r.mark(ev.Retitled, text="Paying fails")
    r.mark(ev.OnsetSet, at=START - timedelta(minutes=18), approx=True)
    r.mark(ev.ZoneSet, zone="Europe/Berlin")
    r.mark(ev.NotApplicable, gap="share")
    r.mark(ev.SectionWritten, section="measures", text="We *will* do this:\n\n- all of it")
    r.say(Kind.IMPROVEMENT, "and one more")
    r.mark(
        ev.ReviewCalled,
        person="b",
        who="@ben",
        text="tomorrow at ten",
        held_at=START + timedelta(hours=30),
        asked=("c",),
    )
    r.mark(ev.Approved, upto=len(r.happened))
    r.mark(ev.Approved, upto=len(r.happened), what="customer")
    r.mark(ev.SharedTo, channel="C2")
    r.mark(ev.LinkRevoked)
    r.mark(ev.Attached, entry=1, digest="ab" * 32, media_type="image/png", size=7, file="graph.png")
    r.mark(ev.ChannelOpened, channel="C0OWN")
    r.mark(ev.NudgesSet, on=False)
    r.mark(ev.WordsDestroyed, what="review")
    return r


def published() -> Record:
    r = everything()
    r.mark(ev.Published, upto=len(r.happened))
    r.say(Kind.NOTE, "it came back a day later")
    r.say(Kind.FIX, "reports are gone for good")
    return r


def long() -> Record:
    """Texts of which a document can print no more than the first sentence."""
    r = Record()
    words = "It began slowly. " + "Then nobody could tell what came first and what followed from it. " * 9
    for kind in (Kind.SUMMARY, Kind.CAUSE, Kind.FIX, Kind.FACTOR, Kind.IMPROVEMENT, Kind.VERIFIED, Kind.TASK, *LESSONS):
        r.say(kind, words * 2 if kind is Kind.TASK else words)
    for number in range(50):
        r.say(Kind.IMPACT, f"hour {number} was not better than the one before it")
    r.say(Kind.RESOLUTION, words, at=60)
    return r


def by_hand() -> Record:
    r = Record()
    r.mark(ev.SectionWritten, section="cause", text="Every word of it was weighed. " * 200)
    return r


def bare(kind: Kind | None = None, **more: Any) -> Record:
    r = Record(drill=True)
    if kind:
        r.say(kind, "it was none", **more)
    return r


def hostile() -> Record:
    r = Record(HOSTILE[0])
    for text in HOSTILE:
        r.say(Kind.NOTE, text)
        r.say(Kind.UPDATE, text, audience=text)
        r.say(Kind.ESCALATION, text, target=text)
        r.say(Kind.ROLE, role=text, person="", who=text)
        r.mark(ev.SectionWritten, section="cause", text=text)
    return r


def redacted() -> Record:
    """Words that are gone, as the store gives them back."""
    r = Record("hunter2 is the password", onset=-3)
    r.say(Kind.CAUSE, "hunter2")
    r.say(Kind.SERVICES, "hunter2", added=("hunter2",))
    r.say(Kind.TASK, "change hunter2", owner="hunter2")
    for entry in (1, 2, 3, 4):
        r.mark(ev.Redacted, entry=entry)
    gone = [(one.name, *ev.to_json(one)) for one in r.happened]
    r.happened = [ev.from_json(name, facts, None if facts.get("entry") else said) for name, facts, said in gone]
    return r


RECORDS: dict[str, Callable[[], Record]] = {
    "everything": everything,
    "published": published,
    "long": long,
    "by hand": by_hand,
    "open": bare,
    "cancelled": lambda: bare(Kind.CANCELLED),
    "duplicate": lambda: bare(Kind.DUPLICATE, of=7),
    "hostile": hostile,
    "redacted": redacted,
}
CORPUS = [*RECORDS, *(path.stem for path in SCENARIOS)]


def count(draft: Postmortem) -> int:
    return render.words(render.document(draft))


@cache
def told(name: str) -> tuple[Postmortem, Incident, dict[str, str]]:
    """A record of the corpus, composed within its word budget."""
    if name in RECORDS:
        options = replace(OPTIONS, messages="https://example.slack.com/archives/")
        incident, names = fold(RECORDS[name]().happened, 42), NAMES
    else:
        happened, names = replayed(scenario(name))
        incident = fold(happened, 1)
        options = Options(1, 1, f"{name}.md", f"{name}.timeline.md", f"{name}.svg", "c0ffee")
    return compose(incident, names, options, count), incident, names


@cache
def as_json(name: str) -> str:
    postmortem, incident, names = told(name)
    return interchange.as_json(postmortem, incident, names, postmortem.length.words)


# ---- the schema ----------------------------------------------------------------------------------


def test_the_schema_is_a_schema_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for where, node in described(SCHEMA, "$"):
        assert node.get("description") or "$ref" in node or "const" in node, where
        assert {"type", "$ref", "anyOf", "const"} & set(node), where
        if node.get("type") == "object":
            more = node["additionalProperties"]
            assert more is False or more["additionalProperties"] is False, where
            assert "required" in node or "propertyNames" in node, where


def described(node: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a schema, with where it stands."""
    for name, below in {**node.get("properties", {}), **node.get("$defs", {})}.items():
        yield f"{where}.{name}", below
        yield from described(below, f"{where}.{name}")
    for below in (node.get("items"), node.get("additionalProperties")):
        if isinstance(below, dict):
            yield from described(below, f"{where}[]")


@pytest.mark.parametrize("name", CORPUS)
def test_every_export_is_valid(name: str) -> None:
    problems = [f"{found.json_path}: {found.message[:300]}" for found in VALID.iter_errors(json.loads(as_json(name)))]
    assert problems == []


def test_the_schema_refuses_what_it_does_not_describe() -> None:
    whole = json.loads(as_json("open"))
    assert not VALID.is_valid({**whole, "unheard_of": 1})
    assert not VALID.is_valid({key: value for key, value in whole.items() if key != "entries"})
    whole["entries"][0]["at"] = "2026-11-21 03:00"
    assert not VALID.is_valid(whole)


def test_everything_that_the_schema_describes_occurs_and_says_something() -> None:
    """A key that is empty in all of these records would be a promise that nobody has seen kept."""
    wanted = {where for where, node in described(SCHEMA, "$") if "$defs" not in where}
    wanted |= {where.removeprefix("$.") for where, _ in described({"$defs": SCHEMA["$defs"]}, "$")}
    definitions = set(SCHEMA["$defs"])
    wanted = {where for where in wanted if where not in definitions and where.removeprefix("$.") not in definitions}
    wanted = {where for where in wanted if where.removeprefix("$.").split(".")[0].split("[")[0] not in definitions} | {
        where for where in wanted if not where.startswith("$.")
    }
    seen: set[str] = set()
    for name in CORPUS:
        seen |= set(occurring(SCHEMA, json.loads(as_json(name)), "$"))
    assert not wanted - seen, "\n".join(sorted(wanted - seen))


def occurring(node: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    """The places of a schema at which a document says something."""
    for option in node.get("anyOf", ()):
        yield from occurring(option, value, where)
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        yield from occurring(SCHEMA["$defs"][name], value, name)
    if isinstance(value, dict):
        for key, below in value.items():
            one = node.get("properties", {}).get(key, node.get("additionalProperties"))
            if isinstance(one, dict):
                place = f"{where}.{key}" if key in node.get("properties", {}) else f"{where}[]"
                if below not in (None, "", [], {}, False):
                    yield place
                yield from occurring(one, below, place)
    if isinstance(value, list) and "items" in node:
        for below in value:
            yield from occurring(node["items"], below, f"{where}[]")


def test_the_schema_knows_every_event_kind_and_field() -> None:
    described_keys = set(SCHEMA["$defs"]["event"]["properties"])
    assert {one.name for cls in ev.EVENTS.values() for one in fields(cls)} - described_keys == set()
    assert SCHEMA["$defs"]["event"]["properties"]["name"]["enum"] == list(ev.EVENTS)
    assert SCHEMA["$defs"]["kind"]["enum"] == [kind.value for kind in Kind]
    assert {one.name for one in (*everything().happened, *published().happened)} | {"cancelled", "duplicate"} == set(
        ev.EVENTS
    )


# ---- the document, from its JSON -----------------------------------------------------------------


def statement(s: dict[str, Any]) -> Statement:
    return Statement(
        label=s["label"],
        text=s["text"],
        entries=tuple(s["entries"]),
        missing=Missing(s["missing"]) if s["missing"] else None,
        question=s["question"],
        see=s["see"],
        said=s["said"],
        cut=s["cut"],
        more=s["more"],
        late=s["after_publication"],
    )


def statements(some: list[dict[str, Any]]) -> tuple[Statement, ...]:
    return tuple(statement(one) for one in some)


def some(listed: dict[str, Any]) -> Listed[Statement]:
    return Listed(statements(listed["items"]), listed["more"])


def perhaps(one: dict[str, Any] | None) -> Statement | None:
    return statement(one) if one else None


def change(c: dict[str, Any]) -> Change:
    return Change(c["seq"], c["change"], c["text"], c["by"], c["when"], c["undone"])


def task(t: dict[str, Any], zone: str) -> ActionItem:
    due = times.day(datetime.combine(date.fromisoformat(t["due"]), datetime.min.time(), UTC), "UTC") if t["due"] else ""
    return ActionItem(
        number=t["number"],
        entry=t["entry"],
        text=t["text"],
        owner=t["owner"],
        due=due,
        category=t["category"] or "",
        state=t["state"],
        done=times.day(parse_utc(t["done_at"]), zone) if t["done_at"] else "",
        why_dropped=t["why_dropped"],
        url=t["url"],
    )


def entry(e: dict[str, Any], texts: dict[int, str]) -> AnnexEntry:
    return AnnexEntry(
        number=e["entry"],
        seq=e["seq"],
        kind=Kind(e["kind"]),
        at=parse_utc(e["at"]),
        recorded=parse_utc(e["recorded_at"]),
        label=e["label"],
        when=e["when"],
        approx=e["approx"],
        text=e["text"],
        by=e["by"],
        recorded_by="" if e["recorded_by"] == e["by"] else e["recorded_by"],
        recorded_at=e["recorded_when"],
        withdrawn=e["withdrawn"],
        why_withdrawn=e["why_withdrawn"],
        redacted=e["redacted"],
        starred=e["starred"],
        late=e["after_publication"],
        said_in=e["said_in"],
        message=e["message"],
        history=tuple(change(c) for c in e["history"]),
        about=e["hypothesis"],
        about_text=texts.get(e["hypothesis"], ""),
        files=tuple(file(one) for one in e["files"]),
    )


def file(one: dict[str, Any]) -> File:
    return File(
        name=one["name"],
        path=one["path"],
        words=one["in_words"],
        media_type=one["media_type"],
        size=one["size"],
        digest=one["sha256"],
        image=one["media_type"].startswith("image/"),
        destroyed=one["destroyed"],
        why=one["why_not_kept"],
    )


def line(one: dict[str, Any]) -> Line:
    return Line(
        entry=one["entry"],
        at=parse_utc(one["at"]),
        kind=Kind(one["kind"]),
        clock=one["clock"],
        label=one["label"],
        text=one["text"],
        mark="✗" if one["misleading"] else "",
        milestone=one["milestone"],
        notes=tuple(one["notes"]),
        about=one["hypothesis"],
        about_clock=one["hypothesis_clock"],
        cut=one["cut"],
        images=tuple(file(image) for image in one["images"]),
        alt=one["alt"],
    )


def rebuilt(whole: dict[str, Any]) -> Postmortem:
    """The document and its annex from the JSON alone: what people print with templates of another program."""
    about, cause, measures, length = (
        whole[key] for key in ("incident", "root_cause_and_resolution", "measures", "length")
    )
    timeline, items = whole["timeline"], measures["action_items"]
    texts = {one["entry"]: one["text"] for one in whole["entries"]}
    tasks = {one["number"]: task(one, about["zone"]) for one in whole["tasks"]}
    shown = [replace(tasks[one["task"]], text=one["text"], cut=one["cut"]) for one in items["items"]]
    return Postmortem(
        options=Options(
            number=about["number"],
            revision=about["revision"],
            document=about["document"],
            annex=about["annex"],
            picture=about["picture"],
            files=about["files"],
            chain=about["chain"],
            template=about["template"],
            least=length["least"],
            limit=length["limit"],
        ),
        zone=about["zone"],
        header=Header(
            title=about["title"],
            number=about["number"],
            severity=about["severity"],
            drill=about["drill"],
            status=about["status_in_words"],
            stage=about["stage"],
            revision=about["revision"],
            approvals=tuple(about["approvals"]),
            reviewed=about["reviewed"],
            entries=len([one for one in whole["entries"] if not one["withdrawn"]]),
        ),
        summary=statements(whole["issue_summary"]),
        timeline=Timeline(
            timeline["zones"],
            tuple(Stretch(p["name"], p["day"], tuple(line(one) for one in p["lines"])) for p in timeline["phases"]),
            tuple(timeline["missing"]),
            timeline["question"],
            timeline["more"],
            timeline["more_dead_ends"],
        ),
        cause=statement(cause["cause"]),
        trigger=perhaps(cause["trigger"]),
        factors=some(cause["contributing_factors"]),
        factors_missing=perhaps(cause["contributing_factors_missing"]),
        workaround=perhaps(cause["workaround"]),
        fix=statement(cause["fix"]),
        confirmed=some(cause["confirmed"]),
        improvements=some(measures["improvements"]),
        improvements_missing=perhaps(measures["improvements_missing"]),
        actions=Actions(
            Listed(tuple(shown), items["more"]),
            items["ownerless"],
            Missing(items["missing"]) if items["missing"] else None,
            items["question"],
        ),
        lessons=some(measures["lessons"]),
        answers=some(measures["answers"]),
        questions=tuple(
            Question(q["number"], q["about"], q["question"], q["ask"], q["may_say"], q["said"], q["in_document"])
            for q in whole["open_questions"]
        ),
        guiding=tuple(
            GuidingQuestion(g["name"], g["question"], g["entry"], statements(g["answers"]))
            for g in whole["review_questions"]
        ),
        metrics=Metrics(**whole["metrics"]),
        metric_lines=tuple(Metric(m["metric"], m["value"]) for m in whole["metrics_in_words"]),
        responders=tuple(Responder(r["name"], tuple(r["roles"]), r["entries"]) for r in whole["responders"]),
        entries=tuple(entry(one, texts) for one in whole["entries"]),
        all_factors=statements(whole["contributing_factors"]),
        all_tasks=tuple(tasks.values()),
        all_lessons=statements(whole["lessons"]),
        links=tuple(Link(one["url"], one["text"], one["entry"]) for one in whole["supporting_information"]),
        changes=tuple(change(one) for one in whole["changes"]),
        windows=tuple(
            Impact(parse_utc(w["start"]), parse_utc(w["end"]) if w["end"] else None, w["in_words"])
            for w in about["windows"]
        ),
        severities=tuple((parse_utc(one["since"]), one["severity"]) for one in about["severities"]),
        customer=CustomerVersion(
            **{
                **whole["customer_version"],
                **{key: tuple(whole["customer_version"][key]) for key in ("impact", "seen")},
                "told": tuple(Passage(**one) for one in whole["customer_version"]["told"]),
                "tasks": tuple(PublicTask(**one) for one in whole["customer_version"]["tasks"]),
            }
        ),
        facts=(),
        headlines=Headlines(**whole["headlines"]),
        written={name: one["text"] for name, one in whole["written_sections"].items()},
        signed={name: one["written"] for name, one in whole["written_sections"].items()},
        newer={name: tuple(one["newer"]) for name, one in whole["written_sections"].items() if one["newer"]},
        review=tuple(
            ReviewNote(n["where"], n["entry"], n["text"], n["why"], n["instead"], tuple(n["newer"]))
            for n in whole["review_notes"]
        ),
        length=Length(whole["words"], length["over"], tuple(length["would_fill"])),
    )


@pytest.mark.parametrize("name", CORPUS)
def test_document_and_annex_can_be_printed_from_the_json_alone(name: str) -> None:
    postmortem, _, _ = told(name)
    again = rebuilt(json.loads(as_json(name)))

    def writable(text: str) -> str:  # a file cannot hold half a pair of surrogates
        return text.encode("utf-8", "replace").decode()

    if name != "hostile":
        assert render.document(again) == render.document(postmortem)
        assert render.timeline(again) == render.timeline(postmortem)
    else:
        assert len(render.timeline(again)) > len(render.document(again)) > 0
        assert writable(again.header.title) == writable(postmortem.header.title)


def test_the_record_in_the_json_gives_every_event_back() -> None:
    postmortem, incident, _ = told("everything")
    whole = json.loads(interchange.as_json(postmortem, incident, {}, 0))
    again = []
    for one in whole["record"]:
        facts = {**one, "seq": one.get("undid")}
        again.append(ev.from_json(one["name"], facts, facts))
    assert again == incident.happened


def test_the_json_of_a_scenario_says_who_when_and_how_long() -> None:
    postmortem, incident, names = told(scenario("13").stem)
    text = as_json(scenario("13").stem)
    whole = json.loads(text)
    assert (whole["schema"], whole["words"], whole["incident"]["status"]) == (1, postmortem.length.words, "resolved")
    assert [one["seq"] for one in whole["record"]] == list(range(1, incident.seq + 1))
    assert {one["by"] for one in whole["record"]} <= set(names.values())
    assert whole["metrics"] == {
        "acknowledge": None, "detect": 6300, "impact": 9120, "mitigate": 9120, "resolve": 26880, "windows": 1,
    }  # fmt: skip
    assert whole["facts"][1] == {"id": "S2a", "fact": "Which services are affected?", "state": "known", "entries": [19]}
    assert text == json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def test_notes_for_reviewers_leave_the_json_when_the_document_is_published() -> None:
    assert json.loads(as_json("everything"))["review_notes"]
    assert json.loads(as_json("published"))["review_notes"] == []


def test_words_that_were_destroyed_are_in_no_format() -> None:
    postmortem, incident, _ = told("redacted")
    assert "hunter2" not in as_json("redacted") + interchange.as_csv(postmortem, incident)


# ---- CSV -----------------------------------------------------------------------------------------


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith(interchange.BOM)
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def at(local: str) -> datetime:
    return datetime.fromisoformat(local).astimezone(UTC)


def sheet(record: Record) -> list[dict[str, str]]:
    incident = record.incident()
    return rows(interchange.as_csv(compose(incident, NAMES, OPTIONS), incident))


def test_an_entry_is_a_row() -> None:
    record = Record(zone="Europe/Berlin")
    action = record.say(
        Kind.ACTION, "restarted “für alle”, twice", at=1, approx=True, by="b", author="c", said_in="C1/1.2"
    )
    record.mark(ev.EffectSeen, entry=action, worked=False)
    record.mark(ev.Starred, entry=action, on=True)
    record.mark(ev.Removed, entry=action)
    incident = record.incident()
    text = interchange.as_csv(compose(incident, NAMES, OPTIONS), incident)
    assert text == (
        "\ufeffentry,time,utc,approx,kind,label,text,author,recorded_at,worked,withdrawn,starred,slack_message\r\n"
        "1,2026-11-21T04:00:00+01:00,2026-11-21T03:00:00.000000Z,no,started,Started,Checkout returns errors,Ada,"
        "2026-11-21T03:01:00.000000Z,,,no,\r\n"
        "2,2026-11-21T04:01:00+01:00,2026-11-21T03:01:00.000000Z,yes,action,Action,"
        '"restarted “für alle”, twice",Chidi,2026-11-21T03:02:00.000000Z,no,removed,yes,C1/1.2\r\n'
    )


@pytest.mark.parametrize("name", CORPUS)
def test_every_entry_of_a_record_is_a_row_of_the_csv(name: str) -> None:
    postmortem, incident, _ = told(name)
    found = rows(interchange.as_csv(postmortem, incident))
    wanted = [
        (str(e.number), e.text.encode("utf-8", "replace").decode(), e.by, parse_utc(times.iso(e.at)))
        for e in postmortem.entries
    ]
    assert [
        (row["entry"], interchange.recorded(row["text"]), interchange.recorded(row["author"]), at(row["time"]))
        for row in found
    ] == wanted
    for row in found:
        offset = datetime.fromisoformat(row["time"]).utcoffset()
        assert offset is not None
        assert parse_utc(row["utc"]).astimezone(timezone(offset)).isoformat() == row["time"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-5 °C", "@sum(a1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1", "'=1", "''@x", "\u00a0-1"]
)
def test_a_text_that_a_spreadsheet_would_calculate_gets_an_apostrophe(text: str) -> None:
    record = Record()
    record.say(Kind.NOTE, text)
    (row,) = [row for row in sheet(record) if row["entry"] == "2"]
    assert row["text"] == f"'{text}"
    assert interchange.recorded(row["text"]) == text


@pytest.mark.parametrize("text", ["a = b", "5 - 3", "'quoted'", "", "'", "it's", "#1", "1-2", "e@example.org"])
def test_any_other_text_stands_in_the_csv_as_it_was_recorded(text: str) -> None:
    assert interchange.inert(text) == text == interchange.recorded(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.sampled_from("'=+-@\t\r\n \",;＝"), st.characters(codec="utf-8")), max_size=20))
def test_every_text_comes_back_from_the_csv(text: str) -> None:
    record = Record()
    record.say(Kind.NOTE, text, at=1)
    cell = sheet(record)[1]["text"]
    assert interchange.recorded(cell) == text
    assert cell.lstrip()[:1] not in set("=+-@＝＋－＠")
    assert cell[:1] not in set("\t\r\n")


def test_the_columns_and_the_way_back_to_the_text_are_documented() -> None:
    text = (Path(__file__).parents[1] / "docs/formats.md").read_text(encoding="utf-8")
    table = text.split("| column | holds |")[1].split("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == interchange.COLUMNS
    program = re.search(r"def recorded.*?\n\n", text, re.DOTALL)
    assert program is not None
    known: dict[str, Any] = {"re": re}
    exec(program[0], known)  # noqa: S102 - the example that people copy
    for said in ("=1", "'=1", "'' -x", "'quoted'", "a = b", "\t", "'\n", "it's", "'"):
        assert known["recorded"](interchange.inert(said)) == said


# ---- one page ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """A page taken apart: tags with their attributes, ids, text. A tag that is closed out of turn is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in {"br", "hr", "img", "meta"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def every(self, attribute: str) -> list[str]:
        return [found[attribute] for _, found in self.tags if attribute in found]


@cache
def page(name: str) -> Page:
    postmortem, incident, names = told(name)
    stored = tuple((one.name, *ev.to_json(one)) for one in incident.happened)
    order = Order(stored, names, postmortem.options, png=False, also=("html",))
    return Page(Press(inline=True).page(order).html.decode())


PAGES = [*RECORDS, scenario("01").stem, scenario("07").stem, scenario("13").stem]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_one_file_whose_links_lead_into_it_or_to_the_web(name: str) -> None:
    made = page(name)
    ids = made.every("id")
    assert len(ids) == len(set(ids))
    inner = {link.removeprefix("#") for link in made.every("href") if link.startswith("#")}
    assert inner - {*ids, "top"} == set()
    elsewhere = {link for link in made.every("href") if not link.startswith("#")}
    assert [link for link in elsewhere if not link.startswith(("https://", "http://", "mailto:"))] == []
    (picture,) = made.every("src")
    assert base64.b64decode(picture.removeprefix("data:image/svg+xml;base64,")).startswith(b"<svg ")
    tags = {tag for tag, _ in made.tags}
    assert tags & {"script", "link", "iframe", "object", "embed", "form", "base", "video", "audio"} == set()
    assert [one for _, found in made.tags for one in found if one.startswith("on") or one == "style"] == []
    assert [tag for tag, _ in made.tags].count("h1") == 1


def test_the_page_holds_document_and_annex() -> None:
    made = page(scenario("13").stem)
    _, incident, _ = told(scenario("13").stem)
    text = " ".join(made.text.split())
    for heading in ("Issue summary", "Timeline", "Open questions", "Entries", "Responders", "The record"):
        assert f" {heading} " in text
    assert [one.text for one in incident.entries.values() if " ".join(one.text.split()) not in text] == []
    assert {f"e{number}" for number in incident.entries} <= set(made.every("id"))
    policy = [found["content"] for tag, found in made.tags if "http-equiv" in found]
    assert policy == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_what_was_destroyed_leaves_the_folder_in_every_format(tmp_path: Path) -> None:
    first, second = names(42, "Checkout fails", 1), names(42, "Checkout fails", 2)
    for called in (first.csv, first.html, first.document, second.document):
        write_one(tmp_path, called, b"hunter2" if called != second.document else b"")
    place = Place(1, "T1", 42, "C1", False, 7, "", "Checkout fails", "resolved", 1, START)
    FileExporter(tmp_path).scrub(place, {"path": str(tmp_path / second.document)})
    assert [path.name for path in tmp_path.iterdir()] == [second.document]


# ---- ordered by people ---------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_a_person_gets_each_format_as_a_file(stage: Stage, form: str) -> None:
    ada = stage.workspace.add_user("ada", display_name="Ada", tz="UTC")
    channel = stage.workspace.add_channel("payments", members=[ada], bot_in=True)
    for line in ("start sev1 Checkout fails", "note the pool is full", f"export {form}"):
        stage.workspace.command(ada, channel, line)
    stage.pump()
    (file,) = [one for one in stage.workspace.files if one.name.startswith("0001-checkout-fails")]
    assert file.name == f"0001-checkout-fails.{form}"
    begins = {"md": b"# Checkout fails", "html": b"<!doctype html>", "json": b"{\n", "csv": b"\xef\xbb\xbfentry,"}
    assert file.content.startswith(begins[form])
    assert b"the pool is full" in file.content
