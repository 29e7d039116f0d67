"""The /incident language, as a table: what is typed and the command that it is. Times themselves: test_times.py."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from bot.core.grammar import (
    FIRST_EIGHT,
    GAP_WORDS,
    MAX_TEXT,
    SECTIONS,
    TABLE,
    VERBS,
    Context,
    Parsed,
    find,
    kind_of,
    nearest,
    parse,
    service_names,
    share_of_users,
    verb_of,
)
from bot.core.times import EXAMPLES, When

NOW = datetime(2026, 11, 21, 3, 15, 20, tzinfo=UTC)  # a Saturday
LONDON = "Europe/London"
MENTIONS = {"@ada": "U1", "@ben": "U2", "@benjamin": "U3", "@dana (U9)": "U9", "#general": "C1", "#general-de": "C2"}
CONTEXT = Context(NOW, LONDON, MENTIONS)
NBSP = "\N{NO-BREAK SPACE}"


TUESDAY = When(datetime(2026, 11, 24, 14, 0, tzinfo=UTC), LONDON, zone_used=True)


def clock(hhmm: str, **more: Any) -> When:
    """A clock time of today in the person's own zone."""
    at = NOW.replace(hour=int(hhmm[:2]), minute=int(hhmm[3:]), second=0)
    return When(at, **{"zone": LONDON, "clock_only": True, "zone_used": True, **more})


def utc(text: str, **more: Any) -> When:
    """A time with a date in the person's own zone."""
    return When(datetime.fromisoformat(f"{text}+00:00"), LONDON, zone_used=True, **more)


def ago(minutes: int, **more: Any) -> When:
    return When(NOW - timedelta(minutes=minutes), LONDON, **more)


def entry(kind: Kind, text: str = "", when: When | None = None, **more: Any) -> Record:
    return Record(kind=kind, text=text, when=when, **more)


def note(text: str, when: When | None = None) -> Record:
    return entry(Kind.NOTE, text, when)


def told(text: str, target: str = "", person: str = "", when: When | None = None) -> Record:
    return entry(Kind.UPDATE, text, when, target=target, person=person)


def escalated(text: str, target: str = "", person: str = "", when: When | None = None) -> Record:
    return entry(Kind.ESCALATION, text, when, target=target, person=person)


def ruledout(text: str, number: int | None = None, rest: str = "", **more: Any) -> Record:
    return entry(Kind.DEAD_END, text, number=number, rest=rest, **more)


def detected(text: str = "", source: Source | None = None, when: When | None = None) -> Record:
    return entry(Kind.DETECTION, text, when, source=source)


def services(text: str, *added: str, removed: tuple[str, ...] = (), when: When | None = None) -> Record:
    return entry(Kind.SERVICES, text, when, added=added, removed=removed)


def impact(text: str, share: str = "", **more: Any) -> Record:
    return entry(Kind.IMPACT, text, share=share, **more)


def role(name: str, target: str, person: str, text: str = "", when: When | None = None) -> Record:
    return entry(Kind.ROLE, text, when, role=name, target=target, person=person)


def severity(number: int, text: str = "", when: When | None = None) -> Record:
    return entry(Kind.SEVERITY, text, when, severity=number)


def answer(text: str, question: int | None = None, number: int | None = None, when: When | None = None) -> Record:
    return entry(Kind.ANSWER, text, when, question=question, number=number)


def link(url: str, text: str = "", when: When | None = None) -> Record:
    return entry(Kind.LINK, text, when, url=url)


def change(task: int, **more: Any) -> ChangeTask:
    return ChangeTask(task=task, **more)


def look(view: View, words: str = "") -> Look:
    return Look(view=view, words=words)


FORTY = "the people who look after the warehouses"
LONG = ("One sentence. " * 400)[:MAX_TEXT].rstrip()
FRIDAY = date(2026, 11, 27)
BY_ALERT = Source.MONITORING

LINES: list[tuple[str, Command]] = [
    # ---- start
    ("start Checkout returns errors", Start(title="Checkout returns errors")),
    ("declare Checkout returns errors", Start(title="Checkout returns errors")),
    ("Start SEV1 Checkout is down", Start(title="Checkout is down", severity=1)),
    ("start sev5 Typo on a page", Start(title="Typo on a page", severity=5)),
    ("start SEV-2 Slow pages", Start(title="Slow pages", severity=2)),
    ("start sev–2 Slow pages", Start(title="Slow pages", severity=2)),
    ("start sev 2 Slow pages", Start(title="Slow pages", severity=2)),
    ("start severity 2 Slow pages", Start(title="Slow pages", severity=2)),
    ("start sev1: Checkout is down", Start(title="Checkout is down", severity=1)),
    ("start sev6 is no severity", Start(title="sev6 is no severity")),
    ("start severity is not known", Start(title="severity is not known")),
    ("start drill Lost a region", Start(title="Lost a region", drill=True)),
    ("start sev1 drill Lost a region", Start(title="Lost a region", severity=1, drill=True)),
    ("start drill sev1 Lost a region", Start(title="Lost a region", severity=1, drill=True)),
    ("start Fire drill went wrong", Start(title="Fire drill went wrong")),
    ("start Errors since 02:50", Start(title="Errors", since=clock("02:50"))),
    ("start sev1 Errors since ~02:50", Start(title="Errors", severity=1, since=clock("02:50", approx=True))),
    ("start Errors since yesterday 23:50", Start(title="Errors", since=utc("2026-11-20 23:50"))),
    ("start Errors since 10m ago", Start(title="Errors", since=ago(10))),
    ("start Errors since the deploy of 02:50", Start(title="Errors since the deploy of 02:50")),
    ("start Slow since Monday since 02:50", Start(title="Slow since Monday", since=clock("02:50"))),
    ("start 02:50 Errors", Start(title="Errors", since=clock("02:50"))),
    ("start at 02:50 sev1 Errors", Start(title="Errors", severity=1, since=clock("02:50"))),
    ("start sev1 -5m Errors", Start(title="Errors", severity=1, since=ago(5))),
    ("start 02:50 is when it began since 02:40", Start(title="02:50 is when it began", since=clock("02:40"))),
    ("start Errors in new channel", Start(title="Errors", new_channel=True)),
    ("start Errors since 02:50 in a new channel", Start(title="Errors", since=clock("02:50"), new_channel=True)),
    ("start Errors in new channel since 02:50", Start(title="Errors in new channel", since=clock("02:50"))),
    ("start Errors in new channels", Start(title="Errors in new channels")),
    ("start Two\n  lines", Start(title="Two lines")),
    # ---- note, and the traps of time and text
    ("note CPU is at 100 %", note("CPU is at 100 %")),
    ("NOTE CPU is at 100 %", note("CPU is at 100 %")),
    ("note: CPU is at 100 %", note("CPU is at 100 %")),
    ("  note   CPU  is   at 100 %  ", note("CPU  is   at 100 %")),
    ("note 03:12 CPU is at 100 %", note("CPU is at 100 %", clock("03:12"))),
    ("note at 03:12 CPU is at 100 %", note("CPU is at 100 %", clock("03:12"))),
    ("note at 3:12am: CPU is at 100 %", note("CPU is at 100 %", clock("03:12"))),
    ("note 0312 CPU is at 100 %", note("CPU is at 100 %", clock("03:12"))),
    ("note ~03:12 CPU", note("CPU", clock("03:12", approx=True))),
    ("note at about 03:12 CPU", note("CPU", clock("03:12", approx=True))),
    ("note -5m CPU", note("CPU", ago(5))),
    ("note –5m CPU", note("CPU", ago(5))),
    (f"note 5{NBSP}m{NBSP}ago CPU", note("CPU", ago(5))),
    ("note at now CPU", note("CPU", ago(0))),
    ("note Thu 14:00 a warning about the disk", note("a warning about the disk", utc("2026-11-19 14:00"))),
    ("note 2026-11-20 14:05 a warning", note("a warning", utc("2026-11-20 14:05"))),
    ("note 02:00 UTC CPU", note("CPU", clock("02:00", zone="UTC", zone_used=False, zone_typed=True))),
    ("note 1200 users affected", note("1200 users affected")),
    ("note ~2000 requests", note("~2000 requests")),
    ("note -500m CPU", note("-500m CPU")),
    ("note now it is worse", note("now it is worse")),
    ("note at least 5 hosts are down", note("at least 5 hosts are down")),
    ("note at 5000 requests a second it breaks", note("at 5000 requests a second it breaks")),
    ("note at", note("at")),
    ("note rolled back at 02:45", note("rolled back at 02:45")),
    ("note CPU was fine until 03:05, then not", note("CPU was fine until 03:05, then not")),
    ("note 16:90 is the ratio", note("16:90 is the ratio")),
    ("note 03:12:CPU", note("03:12:CPU")),
    ("note slow since 02:50", note("slow since 02:50")),
    ("note fixed by Friday", note("fixed by Friday")),
    ("note 12 is a number", note("12 is a number")),
    ("note first line\nsecond line\n\n  indented", note("first line\nsecond line\n\n  indented")),
    ("note\nfirst line\nsecond line", note("first line\nsecond line")),
    ("note :fire: on db1 🔥🧯", note(":fire: on db1 🔥🧯")),
    ("note “quoted” ‘words’ – and a dash — kept…", note("“quoted” ‘words’ – and a dash — kept…")),
    (f"note 34{NBSP}% of{NBSP}hosts", note(f"34{NBSP}% of{NBSP}hosts")),
    ('note "quoted" and \'quoted\'', note('"quoted" and \'quoted\'')),
    ("note `SELECT 1; -- 03:12` ran", note("`SELECT 1; -- 03:12` ran")),
    ("note ```\nTraceback:\n  File x\n```", note("```\nTraceback:\n  File x\n```")),
    ("note see https://grafana.example.org/d/1?a=b&c=d#e", note("see https://grafana.example.org/d/1?a=b&c=d#e")),
    ("note @ben says <b> & </b> *bold* _it_ ~no~", note("@ben says <b> & </b> *bold* _it_ ~no~")),
    ("note #prevent is a tag elsewhere", note("#prevent is a tag elsewhere")),
    ("note none", note("none")),
    (f"note {LONG}", note(LONG)),
    ("note customers: cannot pay", note("customers: cannot pay")),
    # ---- detected, ack
    ("detected", detected()),
    ("detected 02:58", detected(when=clock("02:58"))),
    ("detected 02:58 by alert 5xx rate", detected("5xx rate", BY_ALERT, clock("02:58"))),
    ("detected by alert 02:58 5xx rate", detected("5xx rate", BY_ALERT, clock("02:58"))),
    ("detected by monitoring", detected(source=Source.MONITORING)),
    ("detected by an alert: 5xx rate", detected("5xx rate", Source.MONITORING)),
    ("detected by engineer Ada saw it", detected("Ada saw it", Source.ENGINEER)),
    ("detected by us", detected(source=Source.ENGINEER)),
    ("detected by customer", detected(source=Source.CUSTOMER)),
    ("detected by a user on the forum", detected("on the forum", Source.CUSTOMER)),
    ("detected by Users, many", detected("many", Source.CUSTOMER)),
    ("detected by Ada in passing", detected("by Ada in passing")),
    ("detected by us-east-1 probes", detected("by us-east-1 probes")),
    ("detected errors by alert", detected("errors by alert")),
    ("detected : by alert is what it says", detected("by alert is what it says")),
    ("ack", entry(Kind.ACK)),
    ("ack 03:05", entry(Kind.ACK, when=clock("03:05"))),
    ("ack looking at it", entry(Kind.ACK, "looking at it")),
    # ---- action, worked, noeffect; hypothesis, confirmed
    ("action rolled back 4711", entry(Kind.ACTION, "rolled back 4711")),
    ("did -4m doubled max_connections", entry(Kind.ACTION, "doubled max_connections", ago(4))),
    ("tried a restart", entry(Kind.ACTION, "a restart")),
    ("worked 10", MarkEntry(entry=10, mark=Mark.WORKED)),
    ("worked #10", MarkEntry(entry=10, mark=Mark.WORKED)),
    ("noeffect 5.", MarkEntry(entry=5, mark=Mark.NO_EFFECT)),
    ("hypothesis the pool is exhausted", entry(Kind.HYPOTHESIS, "the pool is exhausted")),
    ("suspect deploy 4711 at 02:45", entry(Kind.HYPOTHESIS, "deploy 4711 at 02:45")),
    ("suspected 03:09 the pool", entry(Kind.HYPOTHESIS, "the pool", clock("03:09"))),
    ("confirmed #8", MarkEntry(entry=8, mark=Mark.CONFIRMED)),
    # ---- ruledout: decide looks whether the number fits
    ("ruledout 4", ruledout("4", 4)),
    ("ruledout 4 rollback changed nothing", ruledout("4 rollback changed nothing", 4, "rollback changed nothing")),
    ("ruledout #4 because", ruledout("#4 because", 4, "because")),
    ("ruledout 4: because", ruledout("4: because", 4, "because")),
    ("deadend 2 bad disks", ruledout("2 bad disks", 2, "bad disks")),
    ("ruledout 03:11 4 because", ruledout("4 because", 4, "because", when=clock("03:11"))),
    ("ruledout 4 at 03:11 because", ruledout("4 at 03:11 because", 4, "because", rest_when=clock("03:11"))),
    ("ruledout the network", ruledout("the network")),
    ("ruledout 4711 was not it", ruledout("4711 was not it", 4711, "was not it")),
    ("ruledout 4th disk", ruledout("4th disk")),
    ("ruledout : 4 disks are fine", ruledout("4 disks are fine")),
    # ---- decision
    ("decision restore the snapshot", entry(Kind.DECISION, "restore the snapshot")),
    ("decided 03:10 to wait", entry(Kind.DECISION, "to wait", clock("03:10"))),
    # ---- escalated
    ("escalated @ben connections are taken", escalated("connections are taken", "@ben", "U2")),
    ("escalate to @ben: connections are taken", escalated("connections are taken", "@ben", "U2")),
    ("paged @ben, please look", escalated("please look", "@ben", "U2")),
    ("escalated @benjamin look", escalated("look", "@benjamin", "U3")),
    ("escalated @dana (U9) look", escalated("look", "@dana (U9)", "U9")),
    ("escalated @dba-team connections are taken", escalated("connections are taken", "@dba-team")),
    ("escalated 03:07 to DBA on call: connections", escalated("connections", "DBA on call", when=clock("03:07"))),
    ("escalated to database team: all taken: 200", escalated("all taken: 200", "database team")),
    ("escalated to the database team", escalated("the database team")),
    ("escalated vendor:ticket 17", escalated("vendor:ticket 17")),
    ("escalated https://vendor.example/17: opened", escalated("https://vendor.example/17: opened")),
    ("escalated @ben", escalated("@ben")),
    ("escalated : to nobody: so far", escalated("to nobody: so far")),
    # ---- told
    ("told customers: Some payments fail.", told("Some payments fail.", "customers")),
    ("update customers: Some payments fail.", told("Some payments fail.", "customers")),
    ("told customers: News: 03:50 GMT", told("News: 03:50 GMT", "customers")),
    (f"told clients :{NBSP}des erreurs", told("des erreurs", "clients")),
    ("told customers:\nSome payments fail.", told("Some payments fail.", "customers")),
    ("told 03:10 customers: We are on it", told("We are on it", "customers", when=clock("03:10"))),
    ("told @ada we are on it", told("we are on it", "@ada", "U1")),
    ("told Some payments fail.", told("Some payments fail.")),
    (f"told {FORTY}: News", told("News", FORTY)),
    (f"told {FORTY}s: News", told(f"{FORTY}s: News")),
    ("told status.example.org:443 is up", told("status.example.org:443 is up")),
    ("told https://status.example.org: We are on it", told("https://status.example.org: We are on it")),
    ("told www.example.org: We are on it", told("www.example.org: We are on it")),
    ("told ops@example.org: We are on it", told("ops@example.org: We are on it")),
    ("told :mega: Some payments fail.", told(":mega: Some payments fail.")),
    ("told customers :mega: Some payments fail.", told("customers :mega: Some payments fail.")),
    ("told :mega: customers: Some fail.", told("Some fail.", ":mega: customers")),
    ("told first line\nthen: more", told("first line\nthen: more")),
    ("told : note: this is text", told("note: this is text")),
    # ---- mitigation, mitigated, again
    ("mitigation rollback begins", entry(Kind.MITIGATION, "rollback begins")),
    ("mitigated", entry(Kind.MITIGATED)),
    ("mitigated 03:05", entry(Kind.MITIGATED, when=clock("03:05"))),
    ("mitigated 03:05 pool halved", entry(Kind.MITIGATED, "pool halved", clock("03:05"))),
    ("again errors are back at 12 %", entry(Kind.AGAIN, "errors are back at 12 %")),
    ("again ~03:10 errors", entry(Kind.AGAIN, "errors", clock("03:10", approx=True))),
    # ---- summary, services, impact
    ("summary Payments fail.", entry(Kind.SUMMARY, "Payments fail.")),
    ("services checkout, orders-db", services("checkout, orders-db", "checkout", "orders-db")),
    ("services checkout (EU, US), db", services("checkout (EU, US), db", "checkout (EU, US)", "db")),
    ("services search [a, {b, c}]", services("search [a, {b, c}]", "search [a, {b, c}]")),
    ("services checkout\norders-db", services("checkout\norders-db", "checkout", "orders-db")),
    ("services -checkout", services("-checkout", removed=("checkout",))),
    ("services – checkout, search", services("– checkout, search", "search", removed=("checkout",))),
    ("services checkout,, ,orders-db,", services("checkout,, ,orders-db,", "checkout", "orders-db")),
    ("services 03:05 checkout", services("checkout", "checkout", when=clock("03:05"))),
    ("impact 34 % of customers cannot pay", impact("34 % of customers cannot pay", "34")),
    ("impact 34% of our paying customers", impact("34% of our paying customers", "34")),
    ("impact about 12,5 percent of all our users", impact("about 12,5 percent of all our users", "12.5")),
    ("impact 97% of requests fail", impact("97% of requests fail")),
    ("impact about a third of customers", impact("about a third of customers")),
    ("impact users saw: an empty basket", impact("an empty basket", seen_by_users=True)),
    ("impact Users saw: 5 % of users an error", impact("5 % of users an error", "5", seen_by_users=True)),
    ("impact 02:55 no mail was sent", impact("no mail was sent", when=clock("02:55"))),
    # ---- cause and resolution, improvement
    ("trigger deploy 4711 at 02:45", entry(Kind.TRIGGER, "deploy 4711 at 02:45")),
    ("trigger 02:45 deploy 4711", entry(Kind.TRIGGER, "deploy 4711", clock("02:45"))),
    ("cause The pool had no limit.", entry(Kind.CAUSE, "The pool had no limit.")),
    ("factor Nothing alerts on it.", entry(Kind.FACTOR, "Nothing alerts on it.")),
    ("fix The pool is capped.", entry(Kind.FIX, "The pool is capped.")),
    ("verified 03:14 errors below 0.1 %", entry(Kind.VERIFIED, "errors below 0.1 %", clock("03:14"))),
    ("improve Test limits under load.", entry(Kind.IMPROVEMENT, "Test limits under load.")),
    # ---- todo, done, drop
    ("todo Cap the pool", AddTask(text="Cap the pool")),
    ("todo @ben Cap the pool", AddTask(text="Cap the pool", owner="@ben", person="U2")),
    ("todo @benjamin: Cap it", AddTask(text="Cap it", owner="@benjamin", person="U3")),
    ("todo for Ben: Cap the pool", AddTask(text="Cap the pool", owner="Ben")),
    ("todo for @ben: Cap the pool", AddTask(text="Cap the pool", owner="@ben", person="U2")),
    ("todo for now we wait", AddTask(text="for now we wait")),
    ("todo prevent: Cap the pool", AddTask(text="Cap the pool", category=Category.PREVENT)),
    ("todo Detect: alert on it", AddTask(text="alert on it", category=Category.DETECT)),
    ("todo mitigate: a switch", AddTask(text="a switch", category=Category.MITIGATE)),
    ("todo process: a run book", AddTask(text="a run book", category=Category.PROCESS)),
    ("todo Cap the pool #prevent", AddTask(text="Cap the pool", category=Category.PREVENT)),
    ("todo Cap the pool #soon", AddTask(text="Cap the pool #soon")),
    ("todo Cap the pool #public", AddTask(text="Cap the pool", public=True)),
    ("todo Cap the pool #internal", AddTask(text="Cap the pool")),
    ("todo Cap the pool #prevent #public", AddTask(text="Cap the pool", category=Category.PREVENT, public=True)),
    ("todo Cap the pool #Public by Friday #prevent",
     AddTask(text="Cap the pool", category=Category.PREVENT, due=FRIDAY, public=True)),
    ("todo Make #public channels the default", AddTask(text="Make #public channels the default")),
    ("todo Cap it #public #public", AddTask(text="Cap it #public", public=True)),
    ("todo Cap it #prevent #detect", AddTask(text="Cap it #prevent", category=Category.DETECT)),
    ("todo : Write it #public", AddTask(text="Write it #public")),
    ("todo T3 #public", ChangeTask(task=3, public=True)),
    ("todo T3 by Friday #internal", ChangeTask(task=3, due=FRIDAY, public=False)),
    ("todo Cap the pool by Friday", AddTask(text="Cap the pool", due=FRIDAY)),
    ("todo Cap the pool by 2026-12-01", AddTask(text="Cap the pool", due=date(2026, 12, 1))),
    ("todo Cap the pool by 1 December #prevent",
     AddTask(text="Cap the pool", category=Category.PREVENT, due=date(2026, 12, 1))),
    ("todo Cap the pool #prevent by tomorrow",
     AddTask(text="Cap the pool", category=Category.PREVENT, due=date(2026, 11, 22))),
    ("todo Replace it by the end of summer", AddTask(text="Replace it by the end of summer")),
    ("todo Review by Friday what we know", AddTask(text="Review by Friday what we know")),
    ("todo Replace it by Ben by Friday", AddTask(text="Replace it by Ben", due=FRIDAY)),
    ("todo @ben prevent: Cap the pool by Friday",
     AddTask(text="Cap the pool", owner="@ben", person="U2", category=Category.PREVENT, due=FRIDAY)),
    ("todo prevent: @ben Cap the pool by Friday",
     AddTask(text="Cap the pool", owner="@ben", person="U2", category=Category.PREVENT, due=FRIDAY)),
    ("todo for DBA team: process: Write it down by next week",
     AddTask(text="Write it down", owner="DBA team", category=Category.PROCESS, due=FRIDAY)),
    ("todo 03:10 Cap the pool", AddTask(text="Cap the pool", when=clock("03:10"))),
    ("todo : for Ben: prevent: by Friday", AddTask(text="for Ben: prevent: by Friday")),
    ("todo for Ben: prevent: : T3 by Friday", AddTask(text="T3 by Friday", owner="Ben", category=Category.PREVENT)),
    ("todo @Override is missing", AddTask(text="@Override is missing")),
    ("todo T3 @ben by Friday", change(3, owner="@ben", person="U2", due=FRIDAY)),
    ("todo #t3: for the DBA team:", change(3, owner="the DBA team")),
    ("todo T3 by 2026-12-02", change(3, due=date(2026, 12, 2))),
    ("todo T3 #detect", change(3, category=Category.DETECT)),
    ("todo T3 process: Write it down",
     change(3, category=Category.PROCESS, text="Write it down", whole="T3 Write it down")),
    ("todo T3 instances are too small", change(3, text="instances are too small", whole="T3 instances are too small")),
    ("todo T3 at 03:10 restart it", change(3, text="at 03:10 restart it", whole="T3 at 03:10 restart it")),
    ("todo T3 : by Friday", change(3, text="by Friday", whole="T3 by Friday")),
    ("todo T3x is new", AddTask(text="T3x is new")),
    ("todo T3 https://t.example/PAY-4", change(3, url="https://t.example/PAY-4")),
    ("todo T3 @ben <https://t.example/PAY-4|PAY-4> by Friday",
     change(3, owner="@ben", person="U2", due=FRIDAY, url="https://t.example/PAY-4")),
    ("todo T3 detect: https://t.example/PAY-4", change(3, category=Category.DETECT, url="https://t.example/PAY-4")),
    ("todo T3 : https://t.example/PAY-4",
     change(3, text="https://t.example/PAY-4", whole="T3 https://t.example/PAY-4")),
    ("todo T3 see https://t.example", change(3, text="see https://t.example", whole="T3 see https://t.example")),
    ("todo T3 ftp://t.example", change(3, text="ftp://t.example", whole="T3 ftp://t.example")),
    ("link #T3 HTTPS://t.example/PAY-4", change(3, url="HTTPS://t.example/PAY-4")),
    ("todo T3 again", ReopenTask(task=3)),
    ("todo T3 Reopen.", ReopenTask(task=3)),
    ("todo T3 : again", change(3, text="again", whole="T3 again")),
    ("tasks", look(View.TASKS)),
    ("todos mine", look(View.TASKS, "mine")),
    ("tasks All overdue", look(View.TASKS, "all overdue")),
    ("tasks all page 12", look(View.TASKS, "all page 12")),
    ("tasks off", look(View.TASKS, "off")),
    ("done T3", FinishTask(task=3)),
    ("done #t3.", FinishTask(task=3)),
    ("done T3 yesterday 15:00", FinishTask(task=3, when=utc("2026-11-20 15:00"))),
    ("done at 03:10 T3", FinishTask(task=3, when=clock("03:10"))),
    ("drop T3 replaced by T5", DropTask(task=3, why="replaced by T5")),
    # ---- lessons, questions
    ("well The alert came soon.", entry(Kind.WELL, "The alert came soon.")),
    ("well, that was quick", entry(Kind.WELL, "that was quick")),
    ("wrong The run book was old.", entry(Kind.WRONG, "The run book was old.")),
    ("lucky Ben was awake.", entry(Kind.LUCKY, "Ben was awake.")),
    ("learned well It was clear.", entry(Kind.WELL, "It was clear.")),
    ("learned wrong: It was old.", entry(Kind.WRONG, "It was old.")),
    ("learned lucky Ben was awake.", entry(Kind.LUCKY, "Ben was awake.")),
    ("learned 03:10 well It was clear.", entry(Kind.WELL, "It was clear.", clock("03:10"))),
    ("takeaway No backup was usable.", entry(Kind.TAKEAWAY, "No backup was usable.")),
    ("question Why so late?", entry(Kind.QUESTION, "Why so late?")),
    ("answer R2 The disk alert.", answer("The disk alert.", question=2)),
    ("answer #r2: The disk alert.", answer("The disk alert.", question=2)),
    ("answer 12 Nobody looked.", answer("Nobody looked.", number=12)),
    ("answer 03:10 R2 It was.", answer("It was.", question=2, when=clock("03:10"))),
    # ---- roles, severity
    ("lead @ada", role("commander", "@ada", "U1")),
    ("lead @ada 03:05", role("commander", "@ada", "U1", when=clock("03:05"))),
    ("lead 03:05 @ada", role("commander", "@ada", "U1", when=clock("03:05"))),
    ("role communications @dana (U9)", role("communications", "@dana (U9)", "U9")),
    ("role orders-db expert: @benjamin from now on", role("orders-db expert", "@benjamin", "U3", "from now on")),
    ("role lead @ada", role("commander", "@ada", "U1")),
    ("role Commander @ada", role("commander", "@ada", "U1")),
    ("handover @ada", entry(Kind.HANDOVER, target="@ada", person="U1")),
    ("handover to @ada end of shift", entry(Kind.HANDOVER, "end of shift", target="@ada", person="U1")),
    ("handover @ada 03:10 end", entry(Kind.HANDOVER, "end", clock("03:10"), target="@ada", person="U1")),
    ("severity sev2 only one region", severity(2, "only one region")),
    ("severity 3", severity(3)),
    ("sev2", severity(2)),
    ("SEV2 only one region", severity(2, "only one region")),
    ("sev2: only one region", severity(2, "only one region")),
    ("sev2 03:10 only one region", severity(2, "only one region", clock("03:10"))),
    ("severity 03:10 sev2", severity(2, when=clock("03:10"))),
    # ---- key, link
    ("key 12", MarkEntry(entry=12, mark=Mark.KEY)),
    ("unkey #12", MarkEntry(entry=12, mark=Mark.UNKEY)),
    ("link https://grafana.example.org/d/1", link("https://grafana.example.org/d/1")),
    ("link <https://a.example/?x=1&y=2> 5xx graph", link("https://a.example/?x=1&y=2", "5xx graph")),
    ("link 03:10 http://a.example the graph", link("http://a.example", "the graph", clock("03:10"))),
    # ---- the end
    ("resolve", entry(Kind.RESOLUTION)),
    ("resolved graphs flat for an hour", entry(Kind.RESOLUTION, "graphs flat for an hour")),
    ("resolve 03:14", entry(Kind.RESOLUTION, when=clock("03:14"))),
    ("reopen", entry(Kind.REOPENED)),
    ("reopen errors are back", entry(Kind.REOPENED, "errors are back")),
    ("cancel false alarm", Cancel(why="false alarm")),
    ("duplicate of 41", MarkDuplicate(of=41)),
    ("duplicate of INC-41", MarkDuplicate(of=41)),
    ("duplicate #41", MarkDuplicate(of=41)),
    ("duplicate of INC–41", MarkDuplicate(of=41)),
    # ---- corrections
    ("edit 5 rolled back 4712", CorrectText(entry=5, text="rolled back 4712")),
    ("edit #5 03:10 was the time", CorrectText(entry=5, text="03:10 was the time")),
    ("edit 5 as hypothesis", CorrectKind(entry=5, kind=Kind.HYPOTHESIS)),
    ("edit 5 as an action", CorrectKind(entry=5, kind=Kind.ACTION)),
    ("edit 5 as dead end", CorrectKind(entry=5, kind=Kind.DEAD_END)),
    ("edit 5 as dead-end", CorrectKind(entry=5, kind=Kind.DEAD_END)),
    ("edit 5 as suspect", CorrectKind(entry=5, kind=Kind.HYPOTHESIS)),
    ("edit 5 as resolved", CorrectKind(entry=5, kind=Kind.RESOLUTION)),
    ("edit 5 : as planned", CorrectText(entry=5, text="as planned")),
    ("edit 5 as note-taking was hard", CorrectText(entry=5, text="as note-taking was hard")),
    ("edit section summary It was the pool.", WriteSection(section="summary", text="It was the pool.")),
    ("edit section Cause", WriteSection(section="cause", text="")),
    ("move 5 03:10", Move(entry=5, when=clock("03:10"))),
    ("move #5 to yesterday 23:50", Move(entry=5, when=utc("2026-11-20 23:50"))),
    ("move 5 at 10m ago", Move(entry=5, when=ago(10))),
    ("title Checkout\nis down", Retitle(title="Checkout is down")),
    ("title customers: Payments failed", Retitle(title="Payments failed", audience="customers")),
    ("title Customer: Payments failed", Retitle(title="Payments failed", audience="customers")),
    ("title customers cannot pay", Retitle(title="customers cannot pay")),
    ("title : customers: they cannot pay", Retitle(title="customers: they cannot pay")),
    ("onset ~02:50", SetOnset(when=clock("02:50", approx=True))),
    ("zone europe/london", SetZone(zone=LONDON)),
    ("remove 5", Remove(entry=5)),
    ("remove #5 said twice", Remove(entry=5, why="said twice")),
    ("undo", Undo()),
    ("redact 5", Redact(entry=5)),
    ("link revoke", RevokeLink()),
    ("link  Revoke:", RevokeLink()),
    # ---- looking
    ("", look(View.HERE)),
    ("   ", look(View.HERE)),
    ("status", look(View.STATUS)),
    ("brief", look(View.BRIEF)),
    ("timeline", look(View.TIMELINE)),
    ("timeline all", look(View.TIMELINE, "all")),
    ("gaps", look(View.GAPS)),
    ("suggest", look(View.SUGGEST)),
    ("draft", look(View.DRAFT)),
    ("draft default", look(View.DRAFT, "default")),
    ("export md", look(View.EXPORT, "md")),
    ("export json default", look(View.EXPORT, "json default")),
    ("resend", look(View.RESEND)),
    ("reminders off", SetNudges(on=False)),
    ("nudges on", SetNudges(on=True)),
    ("list", look(View.LIST)),
    ("list checkout errors", look(View.LIST, "checkout errors")),
    ("search checkout", look(View.LIST, "checkout")),
    ("help", look(View.HELP)),
    ("help all", look(View.HELP, "all")),
    ("help told", look(View.HELP, "told")),
    ("none 6", SayNone(gap="6")),
    ("none #6.", SayNone(gap="6")),
    ("none Dead-End", SayNone(gap="dead end")),
    *((f"none {word}", SayNone(gap=word)) for word in GAP_WORDS),
    # ---- the document's life
    ("review", CallReview()),
    ("review Tue 14:00", CallReview(when="Tue 14:00", on=TUESDAY)),
    ("review Tue 14:00 @benjamin", CallReview(when="Tue 14:00", on=TUESDAY, person="U3", who="@benjamin")),
    ("review after lunch @benjamin", CallReview(when="after lunch", person="U3", who="@benjamin")),
    ("review @ada on Tuesday", CallReview(when="on Tuesday", person="U1", who="@ada")),
    ("approve", Approve()),
    ("approve customer", Approve(what="customer")),
    ("approve customers 34", Approve(what="customer", upto=34)),
    ("approve Customer #34", Approve(what="customer", upto=34)),
    ("publish", Publish()),
    ("share #general", Share(channel="C1", name="#general")),
    ("share #general-de", Share(channel="C2", name="#general-de")),
]  # fmt: skip


def verb_in(line: str) -> str:
    row = find(line.split()[0]) if line.strip() else None
    return row.name if row else ""


@pytest.mark.parametrize("verb", sorted({verb_in(line) for line, _ in LINES}))
def test_a_line_is_read_as_a_command(verb: str) -> None:
    rows = {line: command for line, command in LINES if verb_in(line) == verb}
    assert {line: parse(line, CONTEXT).command for line in rows} == rows


def test_the_table_of_lines_has_no_line_twice() -> None:
    assert len({line for line, _ in LINES}) == len(LINES)


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("note INC-42: it is slow", Parsed(note("it is slow"), "note", 42)),
        ("note inc-42: 03:12 it is slow", Parsed(note("it is slow", clock("03:12")), "note", 42, True)),
        ("note INC–42: it is slow", Parsed(note("it is slow"), "note", 42)),
        ("note INC-42:\nit is slow", Parsed(note("it is slow"), "note", 42)),
        ("note INC-42 was like this", Parsed(note("INC-42 was like this"), "note")),
        ("note 42: it is slow", Parsed(note("42: it is slow"), "note")),
        ("note see INC-42: it is slow", Parsed(note("see INC-42: it is slow"), "note")),
        ("did INC-42: restarted", Parsed(entry(Kind.ACTION, "restarted"), "action", 42)),
        ("sev2 INC-42: one region", Parsed(severity(2, "one region"), "severity", 42)),
        ("mitigated INC-42:", Parsed(entry(Kind.MITIGATED), "mitigated", 42)),
        ("undo INC-42:", Parsed(Undo(), "undo", 42)),
        ("status INC-42:", Parsed(look(View.STATUS), "status", 42)),
        ("edit INC-42: 5 as note", Parsed(CorrectKind(entry=5, kind=Kind.NOTE), "edit", 42)),
        ("update customers: hello", Parsed(told("hello", "customers"), "told")),
        ("", Parsed(look(View.HERE), "")),
    ],
)
def test_a_line_may_name_another_incident_but_a_bare_number_is_text(line: str, parsed: Parsed) -> None:
    assert parse(line, CONTEXT) == parsed


@pytest.mark.parametrize(
    ("line", "used"),
    [
        ("note 03:12 x", True),
        ("start x since 02:50", True),
        ("ruledout 4 03:12 x", True),
        ("move 5 03:10", True),
        ("onset 02:50", True),
        ("note 03:12 UTC x", False),
        ("note -5m x", False),
        ("note x", False),
    ],
)
def test_it_is_known_whether_a_line_leans_on_the_persons_own_zone(line: str, used: bool) -> None:
    assert parse(line, CONTEXT).zone_used is used


# ---- what is refused -----------------------------------------------------------------------------


def refused(line: str) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        parse(line, CONTEXT)
    assert not isinstance(caught.value, Question)
    return caught.value.message, caught.value.hint


def asked(line: str) -> tuple[str, tuple[str, ...], str]:
    with pytest.raises(Question) as caught:
        parse(line, CONTEXT)
    return caught.value.message, tuple(choice.line for choice in caught.value.choices), caught.value.hint


NEED_TEXT = (
    "start", "note", "action", "hypothesis", "ruledout", "told", "decision", "escalated", "mitigation", "again",
    "summary", "services", "impact", "trigger", "cause", "factor", "fix", "verified", "improve", "todo", "well",
    "wrong", "lucky", "takeaway", "question", "cancel", "title",
)  # fmt: skip
NEED_MORE = (
    "worked", "noeffect", "confirmed", "key", "unkey", "done", "drop", "learned", "answer", "role", "duplicate", "edit",
    "move", "onset", "zone", "remove", "redact", "none", "reminders",
)  # fmt: skip
STAND_ALONE = (
    "mitigated", "resolve", "detected", "ack", "reopen", "undo", "status", "brief", "timeline", "gaps", "suggest",
    "draft", "export", "list", "review", "approve", "publish", "help", "resend", "tasks",
)  # fmt: skip


@pytest.mark.parametrize("verb", NEED_TEXT)
def test_a_verb_that_needs_a_text_refuses_none_with_its_usage_and_an_example(verb: str) -> None:
    row = VERBS[verb]
    wanted = (f"“{verb}” needs a text.", f"Type {row.usage}, for example: {row.example}")
    assert [refused(verb + rest) for rest in ("", "   ", NBSP, "\n", " INC-42: ")] == [wanted] * 5


def test_a_time_alone_is_no_text() -> None:
    verbs = [verb for verb in NEED_TEXT if verb not in {"cancel", "title"}]
    assert [refused(f"{verb} 03:12")[0] for verb in verbs] == [f"“{verb}” needs a text." for verb in verbs]


def test_a_verb_that_needs_more_refuses_nothing_with_its_usage_and_an_example() -> None:
    rows = [VERBS[verb] for verb in NEED_MORE]
    assert [refused(row.name) for row in rows] == [
        (f"“{row.name}” was not understood.", f"Type {row.usage}, for example: {row.example}") for row in rows
    ]


def test_a_verb_that_may_stand_alone_does() -> None:
    assert [parse(verb, CONTEXT).verb for verb in STAND_ALONE] == list(STAND_ALONE)


def test_every_verb_needs_a_text_or_more_or_a_mention_or_stands_alone() -> None:
    named = [*NEED_TEXT, *NEED_MORE, *STAND_ALONE, "lead", "handover", "severity", "link", "share"]
    assert sorted(named) == sorted(VERBS)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("start sev1", "“start” needs a text.",
         f"Type {VERBS['start'].usage}, for example: {VERBS['start'].example}"),
        ("start drill", "“start” needs a text.",
         f"Type {VERBS['start'].usage}, for example: {VERBS['start'].example}"),
        ("start since 02:50 in new channel", "“start” needs a text.",
         f"Type {VERBS['start'].usage}, for example: {VERBS['start'].example}"),
        ("lead", "Who? No person is mentioned.", "Type @ and choose the person: lead @person"),
        ("lead Ada", "Who? No person is mentioned.", "Type @ and choose the person: lead @person"),
        ("lead @adamant", "Who? No person is mentioned.", "Type @ and choose the person: lead @person"),
        ("handover now", "Who? No person is mentioned.", "Type @ and choose the person: handover @person [<text>]"),
        ("role dba @adamant", "“role” was not understood.",
         "Type role <name> @person, for example: role communications @dana"),
        (f"role {'x' * 41} @ada", "The name of a role has up to 40 characters.", "Type role <name> @person"),
        ("share #elsewhere", "Which channel? None is mentioned.", "Type # and choose the channel: share #channel"),
        ("severity", "A severity is sev1 to sev5.", "Type severity sev2 [<why>], for example: severity sev2"),
        ("severity sev6", "A severity is sev1 to sev5.", "Type severity sev2 [<why>], for example: severity sev2"),
        ("link grafana", "A link begins with https:// or http://.",
         "Type link <url> [<text>] | revoke, for example: link https://grafana.example.org/d/1 5xx graph"),
        ("services ,", "“services” was not understood.",
         "Type services <a>, <b> | -<a>, for example: services checkout, orders-db"),
        ("edit section outlook x", "There is no section “outlook”.", f"Sections: {', '.join(SECTIONS)}."),
        ("edit 5", "“edit” needs a text.", "Type edit <n> <text> | <n> as <kind> | section <name> <text>, "
         "for example: edit 5 rolled back deploy 4712"),
        ("move 5", "“move” was not understood.", "Type move <n> <when>, for example: move 5 03:10"),
        ("move 5 to", "“move” was not understood.", "Type move <n> <when>, for example: move 5 03:10"),
        ("todo T3", "“todo” was not understood.", f"Type {VERBS['todo'].usage}, for example: {VERBS['todo'].example}"),
        ("todo #prevent", "“todo” needs a text.", f"Type {VERBS['todo'].usage}, for example: {VERBS['todo'].example}"),
        ("todo @ben by Friday", "“todo” needs a text.",
         f"Type {VERBS['todo'].usage}, for example: {VERBS['todo'].example}"),
        ("drop T3", "“drop” needs a text.", "Type drop T3 <why>, for example: drop T3 replaced by T5"),
        ("answer R2", "“answer” needs a text.", "Type answer R2|<n> <text>, for example: answer R2 The disk alert of "
         "Monday."),
        ("answer it was so", "“answer” was not understood.",
         "Type answer R2|<n> <text>, for example: answer R2 The disk alert of Monday."),
        ("none deadend", "There is no gap “deadend”.",
         f"Did you mean “dead end”? Type its number in gaps, or one of: {', '.join(GAP_WORDS)}."),
        ("none ²", "There is no gap “²”.", f"Type its number in gaps, or one of: {', '.join(GAP_WORDS)}."),
        ("undo 5", "“undo” stands alone; nothing is changed.",
         "Type undo. It takes back your own last line; remove <n> takes out another."),
        ("publish tomorrow", "“publish” stands alone; nothing is changed.", "Type publish. "),
        (
            "approve it all",
            "“approve” stands alone; nothing is changed.",
            "Type approve, or draft customer for what customers see.",
        ),
        ("note at 25:99 x", "There is no time 25:99.",
         f"Hours go from 00 to 23, minutes and seconds from 00 to 59. Type {EXAMPLES}."),
        ("start x since 2019", "since 2019 may be 20:19 or the year.",
         'Type "since 20:19" for the time, "since the year 2019" for the year.'),
        ("todo x by 2026-02-30", "There is no date 2026-02-30.",
         "Dates are year-month-day, for example 2026-11-20 14:05."),
        ("onset soon", '"soon" is no time that can be read.', f"Type {EXAMPLES}."),
    ],
)  # fmt: skip
def test_a_refusal_says_what_was_wrong_and_what_to_type(line: str, message: str, hint: str) -> None:
    assert refused(line) == (message, hint)


@pytest.mark.parametrize("verb", ["note", "mitigated", "resolve", "detected", "lead @ada", "edit 5", "told x:", "todo"])
def test_four_thousand_characters_are_kept_whole_and_one_more_is_refused(verb: str) -> None:
    text = "x" * MAX_TEXT
    assert parse(f"{verb} {text}", CONTEXT).command.text == text  # type: ignore[union-attr]
    assert refused(f"{verb} {text}x") == (
        "That text has 4,001 characters; 4,000 are kept whole.",
        "Split it into two lines.",
    )


# ---- what is asked about -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "word", "hint", "meant"),
    [
        ("rolled 4711 back", "rolled", "Record it with one tap, or see /incident help.", ()),
        ("updated 4711", "updated", "Or did you mean “update”? Then type /incident update …", ()),
        ("nte CPU is high", "nte", "Or did you mean “note”? Then type /incident note …", ("note CPU is high",)),
        (
            "suspcted the pool",
            "suspcted",
            "Or did you mean “suspected”? Then type /incident suspected …",
            ("suspected the pool",),
        ),
        ("Wrng call", "Wrng", "Or did you mean “wrong”? Then type /incident wrong …", ("wrong call",)),
        ("🔥 on db1", "🔥", "Record it with one tap, or see /incident help.", ()),
        ("4711 rolled\nback", "4711", "Record it with one tap, or see /incident help.", ()),
    ],
)
def test_text_without_a_verb_is_given_back_with_three_choices_and_the_nearest_verb(
    line: str, word: str, hint: str, meant: tuple[str, ...]
) -> None:
    assert asked(line) == (
        f"“{word}” is no verb. Nothing is recorded yet.",
        (*meant, f"action {line}", f"note {line}", f"ruledout {line}"),
        hint,
    )


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("strat sev1 checkout down", "start sev1 checkout down"),
        ("notee latency p99", "note latency p99"),
        ("stauts", "status"),
        ("wrked well enough", "action wrked well enough"),
        ("updated the config", "action updated the config"),
        ("actions are under way", "action actions are under way"),
    ],
)
def test_a_verb_that_is_mistyped_comes_first_with_the_rest_of_the_line(line: str, first: str) -> None:
    assert asked(line)[1][0] == first


def test_the_choices_are_named_for_what_they_record() -> None:
    with pytest.raises(Question) as caught:
        parse("rolled back", CONTEXT)
    assert caught.value.choices == (
        Choice("Action", "action rolled back"),
        Choice("Note", "note rolled back"),
        Choice("Ruled out", "ruledout rolled back"),
    )


def test_text_without_a_verb_that_is_too_long_to_keep_has_no_choices() -> None:
    assert asked("x" * 4001)[1] == ()


def test_the_commands_name_is_a_setting() -> None:
    with pytest.raises(Question) as caught:
        parse("nte x", replace(CONTEXT, prefix="/scribe"))
    assert caught.value.hint == "Or did you mean “note”? Then type /scribe note …"


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("worked well enough", ("note worked well enough", "action worked well enough")),
        ("confirmed by Ben", ("note confirmed by Ben", "action confirmed by Ben")),
        ("done with it", ("note done with it", "action done with it")),
        ("done 3 of them", ("note done 3 of them", "action done 3 of them")),
        ("remove the cache", ("note remove the cache", "action remove the cache")),
        ("move it", ("note move it", "action move it")),
        ("worked INC-42: like this", ("note INC-42: worked like this", "action INC-42: worked like this")),
    ],
)
def test_a_verb_that_needs_a_number_gives_the_text_back(line: str, choices: tuple[str, str]) -> None:
    assert asked(line)[1] == choices


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("worked 10 minutes on it", ("worked 10", "note worked 10 minutes on it")),
        ("confirmed 8 by the trace", ("confirmed 8", "note confirmed 8 by the trace")),
        ("key 12 moment", ("key 12", "note key 12 moment")),
        ("redact 5 please", ("redact 5", "note redact 5 please")),
        ("done T3 with help", ("done T3", "note done T3 with help")),
        ("key INC-42: 12 moment", ("key INC-42: 12", "note INC-42: key 12 moment")),
    ],
)
def test_text_after_a_verb_that_takes_none_is_asked_about_not_lost(line: str, choices: tuple[str, str]) -> None:
    message, lines, _ = asked(line)
    assert lines == choices
    assert message.endswith("takes no text, and text follows it. Nothing is recorded yet.")


# ---- the pieces ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("34 % of customers cannot pay", "34"),
        ("34% of users", "34"),
        (f"34{NBSP}% of users", "34"),
        ("0.1 % of accounts", "0.1"),
        ("12,5 % of the visitors", "12.5"),
        ("up to 100 percent of our subscribers", "100"),
        ("some 7 per cent of all active users saw it", "7"),
        ("34 % of customer accounts are locked", "34"),
        ("97% of requests, 3% of users", "3"),
        ("2 % of people", "2"),
        ("97% of requests", ""),
        ("34 % of the traffic", ""),
        ("34 % of customer requests fail", ""),
        ("34 % of users' requests fail", ""),
        ("34 % of users’ requests fail", ""),
        ("34 % of usernames", ""),
        ("30-40 % of users", ""),
        ("30–40 % of users", ""),
        ("140 % of users", ""),
        ("about a third of customers", ""),
        ("34 customers", ""),
        ("1234 % of users", ""),
        ("", ""),
    ],
)
def test_the_share_of_users_is_only_what_is_said_as_one(text: str, share: str) -> None:
    assert share_of_users(text) == share


@pytest.mark.parametrize(
    ("text", "added", "removed"),
    [
        ("a", ("a",), ()),
        ("a, b", ("a", "b"), ()),
        ("a,b", ("a", "b"), ()),
        ("  a   b ,c", ("a b", "c"), ()),
        ("a (b, c), d", ("a (b, c)", "d"), ()),
        ("a (b, c", ("a (b, c",), ()),
        ("a), b", ("a)", "b"), ()),
        ("a (b\nc", ("a (b", "c"), ()),
        ("-a, — b, c-d", ("c-d",), ("a", "b")),
        ("-, ,", (), ()),
        ("", (), ()),
    ],
)
def test_services_are_named_between_commas_but_not_within_brackets(
    text: str, added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    assert service_names(text) == (added, removed)


@pytest.mark.parametrize(
    ("word", "verb"),
    [("note", "note"), ("DID", "action"), ("sev3", "severity"), ("well,", "well"), ("told:", "told"), ("nope", None)],
)
def test_a_verb_is_found_by_any_of_its_words(word: str, verb: str | None) -> None:
    row = find(word)
    assert (row.name if row else None) == verb


@pytest.mark.parametrize(("word", "verb"), [("hypotesis", "hypothesis"), ("RESOLV", "resolve"), ("xyzzy", None)])
def test_the_nearest_verb_is_named_only_when_it_is_near(word: str, verb: str | None) -> None:
    assert nearest(word) == verb


# ---- the table -----------------------------------------------------------------------------------

DESIGN = re.findall(
    r"\w+",
    """
    start declare note detected ack action did tried worked noeffect hypothesis suspect suspected confirmed
    ruledout deadend decision decided escalated escalate paged told update mitigation mitigated again
    summary services impact trigger cause factor fix verified improve todo done drop
    well wrong lucky learned takeaway question answer lead role handover severity sev1 sev2 sev3 sev4 sev5
    key unkey link resolve resolved reopen cancel duplicate
    edit move title onset zone remove undo redact
    status brief timeline gaps none suggest draft export list search help review approve publish share
    resend reminders nudges tasks todos
    """,
)
"""Every word of the first design, "The /incident language", and those that came later."""

WORDS = [word for row in TABLE for word in (row.name, *row.also)]


def test_the_table_has_the_verbs_of_the_design_each_word_once() -> None:
    assert sorted(WORDS) == sorted(DESIGN)
    assert len(WORDS) == len(set(WORDS))


def test_the_verbs_that_help_shows_first_exist_and_are_eight() -> None:
    assert [VERBS[name].name for name in FIRST_EIGHT] == list(FIRST_EIGHT)
    assert len(FIRST_EIGHT) == 8


def test_the_example_of_every_verb_is_one_of_that_verb_and_looks_or_changes_as_its_row_says() -> None:
    mentions = {name: "X" for row in TABLE for name in re.findall(r"[@#][a-z]+", row.example)}
    parsed = {row.name: parse(row.example, replace(CONTEXT, mentions=mentions)) for row in TABLE}
    assert {name: (one.verb, isinstance(one.command, Look)) for name, one in parsed.items()} == {
        row.name: (row.name, row.looks) for row in TABLE
    }
    assert [row.example.split()[0] for row in TABLE] == [row.name for row in TABLE]


def test_every_word_of_the_design_is_read_in_the_table_above() -> None:
    shown = {line.split()[0].casefold().rstrip(":,") for line, _ in LINES if line.strip()}
    assert set(DESIGN) - shown == {"sev1", "sev3", "sev4", "sev5"}


def test_each_severity_alone_is_a_verb() -> None:
    assert [parse(f"sev{level} so it is", CONTEXT) for level in range(1, 6)] == [
        Parsed(severity(level, "so it is"), "severity") for level in range(1, 6)
    ]


def test_the_everyday_words_are_marked() -> None:
    assert {row.name for row in TABLE if row.everyday} == {"well", "wrong", "lucky", "again", "resolve"}


def test_every_kind_has_a_verb_and_can_be_named() -> None:
    assert [kind for kind in Kind if verb_of(kind) not in VERBS] == []
    assert [kind_of(kind.value) for kind in Kind] == list(Kind)
    assert [kind_of(kind.value.replace("_", " ")) for kind in Kind] == list(Kind)


def test_a_context_needs_no_more_than_a_time() -> None:
    assert parse("note 03:12 x", Context(NOW)).command == note("x", clock("03:12", zone="UTC"))


# ---- any text ------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*WORDS, *MENTIONS, "INC-42:", "03:12", "at", "~", "by", "since", "Friday", "2026-02-30", "-5m", "T3", "R2", "#5",
     "12", ":", ": ", ",", "–", "as", "of", "to", "section", "summary", "#prevent", "in new channel", "34 % of users",
     "🔥", NBSP, "\n", "\u200b", "\u0000", "²", "٣", "<https://a.example|x>", "`", "“", "customers:", ":fire:", "IST",
     "99:99"]
)  # fmt: skip
LINE = st.lists(PIECES | st.text(max_size=8), max_size=7).map(" ".join)


@settings(max_examples=30, deadline=None)
@given(LINE)
@example("none " + "9" * 5000)
@example("done T" + "9" * 5000)
@example("edit 5 as ")
@example("todo for : : ")
@example("sev1:")
@example("start " * 50)
def test_any_line_is_a_command_or_a_refusal(line: str) -> None:
    try:
        parsed = parse(line, CONTEXT)
    except Refusal as refusal:
        assert refusal.message  # noqa: PT017
    else:
        assert parsed.verb in VERBS or line.strip() == ""


@settings(max_examples=30, deadline=None)
@given(LINE)
@example("at 03:12: x")
@example("~")
@example("INC-42: note")
def test_whatever_a_note_records_is_the_end_of_what_was_typed(text: str) -> None:
    try:
        command = parse(f"note {text}", CONTEXT).command
    except Refusal:
        return
    assert isinstance(command, Record)
    assert command.text
    assert text.strip().endswith(command.text)


@settings(max_examples=25, deadline=None)
@given(LINE)
def test_a_lone_colon_makes_the_rest_text(text: str) -> None:
    said = text.strip()
    if not said or len(said) > MAX_TEXT:
        return
    for verb in ("detected", "ruledout", "escalated", "told", "todo"):
        assert parse(f"{verb} : {text}", CONTEXT).command.text == said  # type: ignore[union-attr]


@settings(max_examples=25, deadline=None)
@given(LINE)
def test_a_choice_that_is_offered_can_be_taken(text: str) -> None:
    try:
        parse(text, CONTEXT)
    except Question as question:
        for choice in question.choices:
            try:
                parse(choice.line, CONTEXT)
            except Question:
                raise AssertionError(f"{choice.line!r} is asked about once more") from None
            except Refusal:
                pass  # a time that cannot be
    except Refusal:
        pass
