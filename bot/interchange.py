"""How a record travels to other programs: the whole document as JSON, the entries as CSV.

Knows the names that stand in those files (docs/schema/postmortem-1.json describes the JSON, docs/formats.md both). Must
not know Markdown, HTML or any template. A text stands here as it was recorded.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.core import events as ev
from bot.core import times
from bot.core.document import ActionItem, AnnexEntry, Change, File, Line, Listed, Postmortem, Statement
from bot.core.incident import Entry, Incident

JSON = dict[str, Any]

SCHEMA = 1
"""The number of the JSON's schema: it changes when a key changes its meaning, not when one is added."""


# ---- JSON ----------------------------------------------------------------------------------------


def as_json(postmortem: Postmortem, incident: Incident, names: Mapping[str, str], count: int) -> str:
    """The record, and the document and annex that were composed from it, part by part.

    `names` gives the display name for a person's key, `count` is the number of words of the main document.
    """
    whole = {
        "schema": SCHEMA,
        "incident": _incident(postmortem, incident),
        **_document(postmortem),
        **_annex(postmortem, incident),
        "record": [_recorded(seq, one, names) for seq, one in enumerate(incident.happened, start=1)],
        "words": count,
        "length": {
            "least": postmortem.options.least,
            "limit": postmortem.options.limit,
            "over": postmortem.length.over,
            "would_fill": list(postmortem.length.fill),
        },
    }
    return json.dumps(_writable(whole), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _incident(postmortem: Postmortem, incident: Incident) -> JSON:
    header, options = postmortem.header, postmortem.options
    return {
        "number": options.number,
        "title": header.title,
        "severity": header.severity,
        "drill": header.drill,
        "status": incident.status.value,
        "status_in_words": header.status,
        "stage": header.stage,
        "revision": options.revision,
        "approvals": list(header.approvals),
        "reviewed": header.reviewed,
        "zone": postmortem.zone,
        "chain": options.chain,
        "template": options.template,
        "document": options.document,
        "annex": options.annex,
        "picture": options.picture,
        "files": options.files,
        "windows": [{"start": _time(w.start), "end": _time(w.end), "in_words": w.words} for w in postmortem.windows],
        "severities": [{"since": _time(since), "severity": severity} for since, severity in postmortem.severities],
    }


def _document(p: Postmortem) -> JSON:
    """The parts of the main document, as its word budget left them."""
    return {
        "headlines": asdict(p.headlines),
        "issue_summary": _statements(p.summary),
        "timeline": {
            "zones": p.timeline.zones,
            "phases": [
                {"name": phase.name, "day": phase.day, "lines": [_line(line) for line in phase.lines]}
                for phase in p.timeline.phases
            ],
            "more": p.timeline.more,
            "more_dead_ends": p.timeline.more_dead_ends,
            "missing": list(p.timeline.missing),
            "question": p.timeline.question,
        },
        "root_cause_and_resolution": {
            "cause": _statement(p.cause),
            "trigger": _perhaps(p.trigger),
            "contributing_factors": _some(p.factors),
            "contributing_factors_missing": _perhaps(p.factors_missing),
            "workaround": _perhaps(p.workaround),
            "fix": _statement(p.fix),
            "confirmed": _some(p.confirmed),
        },
        "measures": {
            "improvements": _some(p.improvements),
            "improvements_missing": _perhaps(p.improvements_missing),
            "action_items": {
                "items": [{"task": t.number, "text": t.text, "cut": t.cut} for t in p.actions.tasks.items],
                "more": p.actions.tasks.more,
                "ownerless": p.actions.ownerless,
                "missing": p.actions.missing,
                "question": p.actions.question,
            },
            "lessons": _some(p.lessons),
            "answers": _some(p.answers),
        },
        "open_questions": [
            {
                "number": q.number,
                "about": q.key,
                "question": q.text,
                "ask": q.ask,
                "may_say": q.hint,
                "said": q.said,
                "in_document": q.in_document,
            }
            for q in p.questions
        ],
        "written_sections": {
            name: {"text": text, "written": p.signed[name], "newer": list(p.newer.get(name, ()))}
            for name, text in p.written.items()
        },
    }


def _annex(p: Postmortem, incident: Incident) -> JSON:
    """What stands in the annex: everything, whatever the word budget is."""
    return {
        "entries": [_entry(entry, incident.entries[entry.number]) for entry in p.entries],
        "contributing_factors": _statements(p.all_factors),
        "tasks": [_task(task, incident) for task in p.all_tasks],
        "lessons": _statements(p.all_lessons),
        "review_questions": [
            {"name": g.name, "question": g.text, "entry": g.entry, "answers": _statements(g.answers)} for g in p.guiding
        ],
        "review_notes": [
            {
                "where": note.where,
                "entry": note.entry,
                "text": note.text,
                "why": note.why,
                "instead": note.instead,
                "newer": list(note.entries),
            }
            for note in p.review
        ],
        "responders": [{"name": r.name, "roles": list(r.roles), "entries": r.entries} for r in p.responders],
        "metrics": asdict(p.metrics),
        "metrics_in_words": [{"metric": m.label, "value": m.value} for m in p.metric_lines],
        "supporting_information": [{"url": link.url, "text": link.text, "entry": link.entry} for link in p.links],
        "changes": [_change(change) for change in p.changes],
        "customer_version": asdict(p.customer),
        "facts": [
            {"id": s.fact.id, "fact": s.fact.name, "state": s.state.value, "entries": list(s.entries)} for s in p.facts
        ],
    }


def _statement(one: Statement) -> JSON:
    return {
        "label": one.label,
        "text": one.text,
        "entries": list(one.entries),
        "missing": one.missing,
        "question": one.question,
        "see": one.see,
        "said": one.said,
        "cut": one.cut,
        "more": one.more,
        "after_publication": one.late,
    }


def _statements(some: Iterable[Statement]) -> list[JSON]:
    return [_statement(one) for one in some]


def _perhaps(one: Statement | None) -> JSON | None:
    return _statement(one) if one else None


def _some(listed: Listed[Statement]) -> JSON:
    return {"items": _statements(listed.items), "more": listed.more}


def _line(line: Line) -> JSON:
    return {
        "entry": line.entry,
        "at": _time(line.at),
        "clock": line.clock,
        "kind": line.kind.value,
        "label": line.label,
        "text": line.text,
        "cut": line.cut,
        "misleading": bool(line.mark),
        "milestone": line.milestone,
        "notes": list(line.notes),
        "hypothesis": line.about,
        "hypothesis_clock": line.about_clock,
        "images": [_file(one) for one in line.images],
        "alt": line.alt,
    }


def _task(item: ActionItem, incident: Incident) -> JSON:
    task = incident.tasks[item.number]
    return {
        "number": item.number,
        "entry": item.entry,
        "text": item.text,
        "owner": item.owner,
        "due": task.due.isoformat() if task.due else None,
        "category": item.category or None,
        "state": item.state,
        "done_at": _time(task.done_at),
        "why_dropped": item.why_dropped,
        "public": task.public,
        "url": item.url,
    }


def _entry(shown: AnnexEntry, entry: Entry) -> JSON:
    return {
        "entry": shown.number,
        "seq": shown.seq,
        "kind": shown.kind.value,
        "label": shown.label,
        "at": _time(shown.at),
        "approx": shown.approx,
        "when": shown.when,
        "text": shown.text,
        "by": shown.by,
        "recorded_at": _time(shown.recorded),
        "recorded_by": shown.recorded_by or shown.by,
        "recorded_when": shown.recorded_at,
        "worked": entry.worked,
        "confirmed": entry.confirmed,
        "starred": shown.starred,
        "withdrawn": shown.withdrawn,
        "why_withdrawn": shown.why_withdrawn,
        "redacted": shown.redacted,
        "after_publication": shown.late,
        "said_in": shown.said_in,
        "message": shown.message,
        "hypothesis": shown.about,
        "history": [_change(change) for change in shown.history],
        "files": [_file(one) for one in shown.files],
    }


def _file(one: File) -> JSON:
    return {
        "name": one.name,
        "path": one.path,
        "media_type": one.media_type,
        "size": one.size,
        "sha256": one.digest,
        "in_words": one.words,
        "destroyed": one.destroyed,
        "why_not_kept": one.why,
    }


def _change(change: Change) -> JSON:
    return {
        "seq": change.seq,
        "change": change.what,
        "text": change.text,
        "by": change.by,
        "when": change.at,
        "undone": change.undone,
    }


def _recorded(seq: int, one: ev.Event, names: Mapping[str, str]) -> JSON:
    facts, said = ev.to_json(one)
    shown = {**facts, **said, "seq": seq, "name": one.name, "by": names.get(one.by, one.by)}
    for key in ("person", "author"):
        if shown.get(key):
            shown[key] = names.get(shown[key], shown[key])
    if isinstance(one, ev.ReviewCalled):
        shown["asked"] = [names.get(key, key) for key in one.asked]
    if isinstance(one, ev.Undone):
        shown["undid"] = one.seq
    return shown


def _time(at: datetime | None) -> str | None:
    return times.iso(at) if at else None


def _writable(value: Any) -> Any:
    """The same with lone surrogates replaced, which no file can hold."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {key: _writable(item) for key, item in value.items()}
        case list() | tuple():
            return [_writable(item) for item in value]
        case _:
            return value


# ---- CSV -----------------------------------------------------------------------------------------

COLUMNS = (
    "entry", "time", "utc", "approx", "kind", "label", "text", "author", "recorded_at", "worked", "withdrawn",
    "starred", "slack_message",
)  # fmt: skip

BOM = "\ufeff"
"""Excel takes a file without it for one in the machine's old code page: “für” becomes “fÃ¼r”. Readers that know UTF-8
call it utf-8-sig."""

_FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
"""What a spreadsheet would calculate, with any apostrophes before it: so one of them can always be taken away again.
See https://owasp.org/www-community/attacks/CSV_Injection."""


def as_csv(postmortem: Postmortem, incident: Incident) -> str:
    """Every entry that was ever recorded as a row, in the order in which they happened (RFC 4180)."""
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for entry in postmortem.entries:
        worked = incident.entries[entry.number].worked
        rows.writerow(
            _writable(
                [
                    entry.number,
                    times.localize(entry.at, postmortem.zone).isoformat(),
                    _time(entry.at),
                    _yes(entry.approx),
                    entry.kind.value,
                    inert(entry.label),
                    inert(entry.text),
                    inert(entry.by),
                    _time(entry.recorded),
                    "" if worked is None else _yes(worked),
                    entry.withdrawn,
                    _yes(entry.starred),
                    inert(entry.said_in),
                ]
            )
        )
    return BOM + table.getvalue()


def inert(text: str) -> str:
    """A text as a cell that no spreadsheet calculates: one that would begin a formula gets an apostrophe before it.

    >>> inert("=1+1"), inert("'-5 °C"), inert("5 > 3")
    ("'=1+1", "''-5 °C", '5 > 3')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def recorded(cell: str) -> str:
    """The text that `inert` made this cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _yes(so: bool) -> str:
    return "yes" if so else "no"
