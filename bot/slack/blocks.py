"""What Scribe says in Slack: answers, looks, the draft post, forms -> text and Block Kit. Pure; it calls nobody.

A message is `{"text": …, "blocks": […]}`. What people wrote is escaped, clipped only for display, and kept whole in the
record. An answer to a recorded line has at most two lines (DESIGN.md, "Answers").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, assert_never

from bot.core import events as ev
from bot.core import times, wording
from bot.core.answers import (
    Asked,
    EntryLine,
    Gaps,
    Help,
    Listed,
    OnItsWay,
    Outcome,
    Recorded,
    Refused,
    Status,
    Suggesting,
    Tasks,
    TasksTold,
    Timeline,
)
from bot.core.changes import Changes
from bot.core.errors import Choice
from bot.core.events import Kind
from bot.core.grammar import VERBS
from bot.core.language import Phrase
from bot.core.record import Place
from bot.core.wording import SOURCES
from bot.slack import tasks
from bot.slack.buttons import BUTTON
from bot.slack.buttons import SAY as SAY
from bot.slack.buttons import say_button as say_button
from bot.slack.payloads import clip, escape

JSON = dict[str, Any]

SECTION = 2900  # Slack's limit is 3,000 characters a section
MESSAGE = 3900  # and 4,000 a message's text
BLOCKS = 48  # and 50 blocks a message
ANSWERED = SECTION * (BLOCKS - 2) // 2
"""Characters in all blocks of an answer to a command: two neighbouring sections together always pass the limit of one,
so that these fit into the blocks, however the lines fall."""
POSTED = 11_500
"""Characters in all blocks of a posted message: chat.postMessage refuses more than some 12,000 as msg_blocks_too_long
(https://github.com/slackapi/bolt-js/issues/2509)."""
SHOWN_TEXT = 600
MOST_QUOTED = 1_000
LAST_LINE = 100  # room for the line that says what is left out

CHOOSE = "choose"
"""The action id of every button of an offer; it is followed by the number of the choice."""

ICONS: dict[Kind, str] = {
    Kind.STARTED: "🔴",
    Kind.NOTE: "📝",
    Kind.DETECTION: "🚨",
    Kind.ACK: "👀",
    Kind.ACTION: "🔧",
    Kind.HYPOTHESIS: "💡",
    Kind.DEAD_END: "✗",
    Kind.DECISION: "⚖️",
    Kind.ESCALATION: "📟",
    Kind.UPDATE: "📣",
    Kind.MITIGATION: "🩹",
    Kind.MITIGATED: "🟡",
    Kind.AGAIN: "🔴",
    Kind.SUMMARY: "📋",
    Kind.SERVICES: "🧩",
    Kind.IMPACT: "💥",
    Kind.TRIGGER: "⚡",
    Kind.CAUSE: "🎯",
    Kind.FACTOR: "➕",
    Kind.FIX: "🛠️",
    Kind.VERIFIED: "✅",
    Kind.IMPROVEMENT: "🌱",
    Kind.TASK: "☑️",
    Kind.WELL: "👍",
    Kind.WRONG: "👎",
    Kind.LUCKY: "🍀",
    Kind.TAKEAWAY: "📌",
    Kind.QUESTION: "❓",
    Kind.ANSWER: "💬",
    Kind.ROLE: "👤",
    Kind.HANDOVER: "🤝",
    Kind.SEVERITY: "🎚️",
    Kind.LINK: "🔗",
    Kind.RESOLUTION: "🟢",
    Kind.REOPENED: "🔴",
    Kind.CANCELLED: "⚪",
    Kind.DUPLICATE: "⚪",
}

LABELS: dict[Kind, str] = {
    **wording.LABELS,
    Kind.HYPOTHESIS: "Suspected",
    Kind.DEAD_END: "Ruled out",
    Kind.DECISION: "Decided",
    Kind.UPDATE: "Told",
    Kind.MITIGATED: "Impact stopped",
    Kind.AGAIN: "Impact is back",
    Kind.VERIFIED: "Confirmed over",
    Kind.WRONG: "Went wrong",
}
"""Kinds as the channel reads them: those of the document, but where somebody speaks while it goes on."""


# ---- the one door --------------------------------------------------------------------------------


def answer(outcome: Outcome, prefix: str = "/incident") -> JSON:
    """The response to a command: what was recorded (or `brief`) in the channel, anything else for the person alone."""
    shown = message(outcome, prefix, ANSWERED)
    everybody = isinstance(outcome, Recorded) or (isinstance(outcome, Status) and outcome.for_everybody)
    return {"response_type": "in_channel" if everybody else "ephemeral", **shown}


def message(outcome: Outcome, prefix: str = "/incident", most: int = POSTED) -> JSON:
    """The text and the blocks of an outcome, with at most `most` characters in all blocks."""
    match outcome:
        case Recorded():
            return _message(recorded(outcome, prefix), outcome.offer, outcome.choices)
        case Refused():
            return _message([_advice(outcome, prefix)], line=("Open the form", outcome.form) if outcome.form else None)
        case Asked():
            return _message([_advice(outcome, prefix)], outcome.offer, outcome.choices)
        case Status():
            return _message(_brief(outcome) if outcome.for_everybody else _status(outcome, prefix), most=most)
        case Timeline():
            whole = ("Whole timeline", f"timeline {outcome.place.name}: whole") if outcome.lines else None
            return _message(_timeline(outcome, prefix, most), line=whole)
        case Gaps():
            return _message(_gaps(outcome, prefix), most=most)
        case Listed():
            return _message(_listed(outcome, prefix), most=most)
        case Tasks():
            return tasks.listed(outcome, prefix)
        case TasksTold():
            return tasks.told(outcome, prefix)
        case Suggesting():
            return suggesting(outcome.place)
        case Help():
            return _message(_help(outcome), most=most)
        case OnItsWay() if outcome.what == "resend":
            if not outcome.count:
                return _message([f"Everything of {outcome.place.name} was sent, or still waits for its turn."])
            return _message([f"{_count(outcome.count, 'message')} of {outcome.place.name} will be tried again now."])
        case OnItsWay() if outcome.behind:
            return _message(
                [
                    f"What customers may read of {outcome.place.name} comes in a moment, as it was approved.",
                    f"What they would read has changed since: `{prefix} draft customer` shows it, to be approved.",
                ]
            )
        case OnItsWay() if outcome.what == "draft":
            return _message([f"The draft of {outcome.place.name} is being composed and comes in a moment."])
        case OnItsWay():
            return _message([f"The file of {outcome.place.name} comes to you as a direct message in a moment."])
        case _:
            assert_never(outcome)


def suggesting(place: Place) -> JSON:
    """The way to the form in which what looks like entries is shown."""
    said = _message([f"What was said about {place.name} and looks like an entry:"])
    button = say_button(0, "Look at it", f"suggest {place.name}:")
    return {**said, "blocks": [*said["blocks"], {"type": "actions", "elements": [button]}]}


def refusal(text: str) -> JSON:
    """An ephemeral answer that says one thing."""
    return {"response_type": "ephemeral", **_message([escape(text)])}


def unrecorded(reason: str, remedy: str, line: str) -> JSON:
    """An ephemeral answer to a line of which nothing is kept; it gives the line back, to be typed again."""
    said = escape(NOT_RECORDED.format(reason=reason, remedy=remedy))
    return {"response_type": "ephemeral", **_message([said, "Your line, for when you send it again:", escape(line)])}


def _advice(said: Refused | Asked, prefix: str) -> str:
    """What was wrong, then what to type; what was typed is quoted in there, and may be long."""
    hint = _LINE_TO_TYPE.sub(lambda found: f"{found[0]}{prefix} ", said.hint)
    return f"{escape(clip(said.message, MOST_QUOTED))} {escape(clip(hint, MOST_QUOTED))}".strip()


_VERB = "|".join(sorted(VERBS, key=len, reverse=True))
_LINE_TO_TYPE = re.compile(rf"(?:\b[Tt]ype |, or |; or )(?=(?:{_VERB})\b)")
"""Where a hint names a line to type: the core knows the language, but not what the command is called here."""


def _message(
    lines: Sequence[str],
    offer: str = "",
    choices: Sequence[Choice] = (),
    most: int = ANSWERED,
    line: tuple[str, str] | None = None,
) -> JSON:
    """Lines and buttons: those of an offer, or one that says a line of the language."""
    blocks: list[JSON] = [_section(part) for part in _packed(_fitting(lines, most))]
    if line is not None:
        blocks.append({"type": "actions", "elements": [say_button(0, *line)]})
    if choices and offer:
        blocks.append(
            {
                "type": "actions",
                "block_id": f"offer:{offer}",
                "elements": [
                    {
                        "type": "button",
                        "action_id": f"{CHOOSE}:{number}",
                        "text": {"type": "plain_text", "text": clip(choice.label, BUTTON), "emoji": True},
                        "value": offer,
                    }
                    for number, choice in enumerate(choices)
                ],
            }
        )
    return {"text": cut("\n".join(lines), MESSAGE), "blocks": blocks}


def _fitting(lines: Sequence[str], most: int, elsewhere: str = "") -> list[str]:
    """As many lines as fit, and how many are left out; `elsewhere` says where those are."""
    fitting: list[str] = []
    room = most - LAST_LINE
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            left = len(lines) - len(fitting)
            return [*fitting, f"… and {_count(left, 'more line')}{elsewhere}."]
        fitting.append(line)
    return fitting


_TORN = re.compile(r"(?:&[a-z]{0,3}|<[^<>]*)\Z")
"""The beginning of an escape or a link at the end of a text that was cut."""


def cut(text: str, limit: int) -> str:
    """Cut mrkdwn to at most `limit` characters, and through no escape or link."""
    return text if len(text) <= limit else _TORN.sub("", text[: limit - 1]).rstrip() + "…"


def _section(text: str) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _packed(lines: Iterable[str]) -> list[str]:
    """Lines put together into as few sections as their limit allows; a longer line is broken between words."""
    parts: list[str] = []
    for line in lines:
        while len(line) > SECTION:
            cut = max(line.rfind("\n", 1, SECTION), line.rfind(" ", 1, SECTION))
            head = line[: cut if cut > 0 else SECTION]
            head = _TORN.sub("", head) or head
            if head.strip():
                parts.append(head)
            line = line[len(head) :].lstrip()
        if parts and len(parts[-1]) + 1 + len(line) <= SECTION:
            parts[-1] += f"\n{line}"
        elif line.strip():
            parts.append(line)
    return parts or ["–"]


# ---- what was recorded ---------------------------------------------------------------------------


def recorded(said: Recorded, prefix: str = "/incident") -> list[str]:
    """The answer to a recorded line: at most two lines."""
    last = said.happened[-1]
    first = _entry(said, last) if isinstance(last, ev.Numbered) else _mark(said, last)
    second = " · ".join(filter(None, [_with_it(said), _second(said, last, prefix)]))
    return [first, second] if second else [first]


def _with_it(said: Recorded) -> str:
    """What was recorded together with the last: by one form."""
    return f"With it: {', '.join(_named(one) for one in said.happened[:-1])}" if said.happened[1:] else ""


def _named(happened: ev.Event) -> str:
    match happened:
        case ev.KindCorrected():
            return f"#{happened.entry} is {_as_kind(happened.to)}"
        case ev.Numbered():
            return f"#{happened.entry} {LABELS[happened.kind]}"
        case _:
            return escape(_MARKS[happened.name].format_map(vars(happened)))


def _entry(said: Recorded, entry: ev.Numbered) -> str:
    text = shown(entry.text)
    match entry:
        case ev.Started():
            severity = f"SEV{entry.severity}" if entry.severity else "severity not set"
            drill = " · DRILL" if entry.drill else ""
            onset = _time(said, entry.onset, approx=entry.onset_approx)
            return f"{ICONS[entry.kind]} *{said.place.name}* · {severity}{drill} · {text} · impact since {onset}"
        case ev.Resolved():
            whole = f" after {times.duration(said.total)}" if said.total is not None else ""
            impact = ""
            if said.impact is not None and said.impact != said.total:
                impact = f" (impact {times.duration(said.impact)})"
            reason = f": {text}" if text else "."
            when = _time(said, entry.at, approx=entry.approx)
            return f"{ICONS[entry.kind]} *{said.place.name}* resolved {when}{whole}{impact}{reason}"
        case ev.RoleGiven() | ev.HandedOver():
            role = entry.role if isinstance(entry, ev.RoleGiven) else "commander"
            return f"{ICONS[entry.kind]} #{entry.entry} · {_who(said, entry.person, entry.who)} is {escape(role)}." + (
                f" {text}" if text else ""
            )
        case _:
            typed = entry.zone if entry.at != entry.recorded_at else ""  # no time was typed: one zone says it
            when = _time(said, entry.at, zone=typed, approx=entry.approx)
            return f"{ICONS[entry.kind]} #{entry.entry} · {when} · {_labelled(said, entry, text)}"


def _labelled(said: Recorded, entry: ev.Numbered, text: str) -> str:
    """Kind and text of an entry."""
    label = LABELS[entry.kind]
    match entry:
        case ev.Noted() | ev.Acted():
            return f"{_author(said, entry)}: {text}"
        case ev.Detected():
            label = f"Detected by {SOURCES[entry.source]}" if entry.source else "Detected"
        case ev.RuledOut() if entry.hypothesis:
            why = f" – {text}" if text else ""
            return f"{label}: {shown(said.about)} (#{entry.hypothesis}){why}"
        case ev.Escalated() if entry.target:
            label = f"Escalated to {_who(said, entry.person, entry.target)}"
        case ev.ToldStakeholders() if entry.audience:
            label = f"Told {escape(entry.audience)}"
        case ev.Mitigated() if said.beside.over_since or said.beside.back:
            pass
        case ev.Recurred() if said.beside.on_already:
            label = "Impact is still on"
        case ev.Mitigated() if said.window is not None and said.impact is not None:
            label = f"Impact stopped after {times.duration(said.window)}"
            if said.windows > 1:
                label += f" ({times.duration(said.impact)} in {said.windows} windows)"
        case ev.ImpactDescribed() if entry.seen_by_users:
            label = "Users saw"
        case ev.TaskAdded():
            return _task(said, entry, text)
        case ev.QuestionAsked():
            label = f"Question R{entry.question}"
        case ev.QuestionAnswered():
            asked = f"R{entry.question}" if entry.question else f"#{entry.about}"
            question = said.beside.asked or said.about
            label = f"Answer to {asked}" + (f" “{shown(question, 160)}”" if question else "")
        case ev.SeveritySet():
            return f"Severity is now SEV{entry.severity}" + (f": {text}" if text else "")
        case ev.LinkAdded():
            return f"Link: {escape(entry.url)}" + (f" {text}" if text else "")
        case ev.DuplicateFound():
            return f"{said.place.name} is closed as a duplicate of INC-{entry.of}."
        case ev.Cancelled():
            return f"{said.place.name} is cancelled: {text}"
        case ev.Reopened():
            label = f"{said.place.name} is open again"
        case _:
            pass
    return f"{label}: {text}" if text else f"{label}."


def _task(said: Recorded, task: ev.TaskAdded, text: str) -> str:
    parts = [f"T{task.task} {text}"]
    parts.append(_who(said, task.person, task.owner) if task.owner else "no owner yet")
    parts.append(f"due {task.due:%-d %B %Y}" if task.due else "no date yet")
    if task.category:
        parts.append(task.category.value)
    if task.public:
        parts.append("for customers to read")
    return " · ".join(parts)


def _mark(said: Recorded, mark: ev.Event) -> str:
    """The answer to what takes no number."""
    about = f"“{shown(said.about, 160)}”" if said.about else "it"
    who = escape(said.by.name)
    match mark:
        case ev.EffectSeen():
            return (
                f"{'👍' if mark.worked else '👎'} #{mark.entry} {'helped' if mark.worked else 'had no effect'}: {about}"
            )
        case ev.HypothesisConfirmed():
            return f"🎯 #{mark.entry} is confirmed: {about}"
        case ev.Starred():
            return f"⭐ #{mark.entry} {'stays in' if mark.on else 'no longer must stand in'} the main document: {about}"
        case ev.TaskChanged():
            changed = [
                f"owner {_who(said, mark.person, mark.owner)}" if mark.owner else "",
                f"due {mark.due:%-d %B %Y}" if mark.due else "",
                mark.category.value if mark.category else "",
                f"“{shown(mark.text)}”" if mark.text else "",
                "" if mark.public is None else "for customers to read" if mark.public else "not for customers",
                f"tracker {escape(mark.url)}" if mark.url else "",
            ]
            return f"☑️ T{mark.task} now: {' · '.join(c for c in changed if c)}"
        case ev.TaskDone():
            return f"✅ T{mark.task} is done: {about}"
        case ev.TaskDropped():
            return f"☑️ T{mark.task} is dropped: {shown(mark.text)}"
        case ev.TaskReopened():
            return f"☑️ T{mark.task} is open again: {about}"
        case ev.TextCorrected():
            return f"✏️ #{mark.entry} corrected by {who}: {shown(mark.text)}"
        case ev.KindCorrected():
            return f"✏️ #{mark.entry} is now {_as_kind(mark.to)}: {about}"
        case ev.TimeCorrected():
            when = _time(said, mark.at, zone=mark.zone, approx=mark.approx, dated=True)
            return f"✏️ #{mark.entry} happened at {when}: {about}"
        case ev.Removed():
            why = f" ({shown(mark.text)})" if mark.text else ""
            return f"🗑️ #{mark.entry} removed by {who}{why}; it stays in the history: {about}"
        case ev.Redacted():
            return f"⬛ The text of #{mark.entry} is destroyed. What Slack still shows above, delete there."
        case ev.WordsDestroyed():
            what = escape(mark.what)
            return f"⬛ Every {what} that was written is destroyed. What Slack still shows above, delete there."
        case ev.Undone():
            return f"↩️ {who} took back {_undone(said)}" + (f": {about}" if said.about else ".")
        case ev.Retitled(audience="customers"):
            return f"✏️ Customers will read of {said.place.name} as: {shown(mark.text)}"
        case ev.Retitled():
            return f"✏️ {said.place.name} is now called: {shown(mark.text)}"
        case ev.OnsetSet():
            return f"✏️ Impact began at {_time(said, mark.at, approx=mark.approx, dated=True)}"
        case ev.ZoneSet():
            return f"✏️ Times of {said.place.name} are printed in {escape(mark.zone)}."
        case ev.NotApplicable():
            return f"➖ Nothing to say about: {escape(' '.join(said.beside.meant) or mark.gap)}"
        case ev.SectionWritten():
            owner = f"is now as {who} wrote it" if mark.text else "is again as Scribe composes it"
            return f"✏️ Section “{escape(mark.section)}” {owner}."
        case ev.ReviewCalled():
            led = f", led by {_who(said, mark.person, mark.who)}" if mark.who else ""
            when = f" for {shown(mark.text)}" if mark.text else ""
            if mark.held_at:
                when = f" for {_moment(said, mark.held_at, mark.zone)}"
            return f"🔎 Review of {said.place.name} asked for by {who}{when}{led}."
        case ev.Approved(what="customer"):
            return (
                f"✅ {who} approved what customers may read of {said.place.name}. Type export md customer for the file."
            )
        case ev.Approved():
            return f"✅ {who} approved the draft of {said.place.name}."
        case ev.Published():
            return f"📄 The postmortem of {said.place.name} is published; what is recorded from now on is an addendum."
        case ev.LinkRevoked():
            return (
                f"🔒 {who} took the web link of {said.place.name} back: it stopped working. "
                "The draft's post gets another one."
            )
        case ev.Attached():
            return f"📎 #{mark.entry} now holds {escape(clip(mark.file, 160)) or 'a file'}."
        case ev.ChannelOpened():
            return f"#️⃣ {said.place.name} has a channel of its own: <#{mark.channel}>."
        case ev.NudgesSet():
            if mark.on:
                return f"🔔 {who} turned the reminders of {said.place.name} on."
            return f"🔕 {who} turned the reminders of {said.place.name} off."
        case ev.SharedTo():
            return f"📤 {said.place.name} is being shared to <#{mark.channel}>."
        case _:
            raise AssertionError(f"no words for {mark.name}")


_MARKS = {
    "effect_seen": "whether #{entry} helped",
    "hypothesis_confirmed": "the confirmation of #{entry}",
    "starred": "the star of #{entry}",
    "task_changed": "the change of T{task}",
    "task_done": "that T{task} is done",
    "task_dropped": "that T{task} is dropped",
    "task_reopened": "that T{task} is open again",
    "text_corrected": "the correction of #{entry}",
    "time_corrected": "the other time of #{entry}",
    "removed": "the removal of #{entry}, which counts again",
    "retitled": "the other title",
    "onset_set": "the other onset",
    "zone_set": "the other zone",
    "not_applicable": "that there is nothing to say about {gap}",
    "section_written": "the section “{section}”",
    "review_called": "the call for a review",
    "approved": "the approval",
    "shared_to": "the sharing",
    "attached": "the file of #{entry}",
    "nudges_set": "the change of the reminders",
}


_NOUNS = frozenset(
    {
        Kind.NOTE, Kind.DETECTION, Kind.ACTION, Kind.HYPOTHESIS, Kind.DEAD_END, Kind.DECISION, Kind.ESCALATION,
        Kind.UPDATE, Kind.MITIGATION, Kind.SUMMARY, Kind.TRIGGER, Kind.CAUSE, Kind.FACTOR, Kind.FIX,
        Kind.IMPROVEMENT, Kind.TASK, Kind.TAKEAWAY, Kind.QUESTION, Kind.ANSWER, Kind.ROLE, Kind.HANDOVER, Kind.LINK,
    }
)  # fmt: skip
"""Kinds whose names are nouns that take an article; the others are named by their label."""


def _as_kind(kind: Kind) -> str:
    """ "an action", "a dead end", "“Went well”" """
    if kind not in _NOUNS:
        return f"“{LABELS[kind]}”"
    noun = kind.value.replace("_", " ")
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _undone(said: Recorded) -> str:
    """What an undo took back."""
    undone = said.undone
    if isinstance(undone, ev.KindCorrected):
        again = f"; it is {_as_kind(said.about_kind)} again" if said.about_kind else ""
        return f"that #{undone.entry} is {_as_kind(undone.to)}{again}"
    if isinstance(undone, ev.Resolved):
        return "the resolution: the incident is open again"
    if isinstance(undone, ev.Numbered):
        return f"#{undone.entry}"
    if undone is None:
        return "the last line"
    return escape(_MARKS[undone.name].format_map(vars(undone)))


def _second(said: Recorded, last: ev.Event, prefix: str) -> str:
    """The one clause that says what was understood or not done."""
    clauses: list[str] = []
    match last:
        case ev.Started():
            board = "" if said.invite or last.new_channel else "Board pinned. "
            clauses.append(f"{board}Say what happens: {prefix} note … · Commander? {prefix} lead @name")
            if said.keeps_chat:
                days = "1 day" if said.keeps_chat == 1 else f"{said.keeps_chat} days"
                clauses.append(f"Messages are kept for {days} to suggest entries from")
            if last.new_channel and said.place.private:
                clauses.append("A channel is made for it if this one is public; until then it is recorded here")
            elif last.new_channel:
                clauses.append("A channel is being made for it; until that is there, this one counts")
            if said.invite:
                clauses.append("I am not in this private channel: /invite @Scribe. Everything is recorded meanwhile.")
        case ev.Resolved():
            seconds = int(said.draft_delay.total_seconds())
            clauses.append(
                (
                    "The draft waits until I am in this channel: /invite @Scribe."
                    if said.invite
                    else f"The draft follows here in {seconds} s."
                )
                + " Entries, causes and tasks can be added until it is published."
            )
        case ev.Escalated() if last.person or said.beside.first:
            clauses.append("Scribe pages nobody" + (": they get this mention only." if last.person else "."))
        case ev.ToldStakeholders():
            told = ["Recorded only: Scribe posts it nowhere."] if said.beside.first else []
            if last.promised and said.reminded:
                names = [f"@{escape(said.people[key].name)}" for key in said.reminded if key in said.people]
                when = times.clock if last.promised - said.now < timedelta(hours=20) else times.moment
                told.append(f"I will remind {' and '.join(names)} at {when(last.promised, said.zone)}.")
            clauses += [" ".join(told)] if told else []
        case ev.ImpactDescribed() if last.share:
            clauses.append(f"→ share of users: {last.share} %")
        case ev.Mitigated() if said.beside.back:
            number, at = said.beside.back
            clauses.append(f"Impact came back at {_time(said, at)} (#{number}) and is still on.")
        case ev.Mitigated() if said.beside.over_since:
            moved = "" if said.beside.stays_over else "; it now counts until the later time"
            clauses.append(f"Impact was over already, since {_time(said, said.beside.over_since)}{moved}.")
        case ev.Mitigated():
            clauses.append(f"Not so? {prefix} again … starts a second window.")
        case ev.Recurred() if said.beside.on_already:
            clauses.append("Impact was on already: its windows have not changed.")
        case ev.Reopened():
            clauses.append(f"Users affected again? {prefix} again …")
        case ev.RuledOut() if said.beside.no_entry:
            clauses.append(f"There is no entry {said.beside.no_entry}: the number is part of the text.")
        case ev.CauseFound() if said.impact_on:
            clauses.append("Impact is still on. A guess?")
        case ev.Fixed() if said.impact_on:
            clauses.append("Impact is still on. A step on the way?")
        case _:
            pass
    if said.addendum and not isinstance(last, _NO_ADDENDUM):
        clauses.append("The postmortem is published: this is an addendum.")
    return " · ".join([*clauses, *(f"({escape(clause)})" for clause in said.understood)])


_NO_ADDENDUM = (
    ev.Redacted
    | ev.WordsDestroyed
    | ev.LinkRevoked
    | ev.SharedTo
    | ev.Approved
    | ev.ReviewCalled
    | ev.ChannelOpened
    | ev.NudgesSet
    | ev.TaskChanged
    | ev.TaskDone
    | ev.TaskDropped
    | ev.TaskReopened
)
"""What changes nothing that readers of a published document are told, or is no more than how its action items go on."""


def _author(said: Recorded, entry: ev.Numbered) -> str:
    """Who said it: of a message that somebody else added to the record, its author."""
    author = said.people.get(entry.author)
    if author is None:
        return escape(said.by.name)
    return escape(author.name) or f"<@{author.user}>"


def _who(said: Recorded, key: str, name: str | None) -> str:
    """A mention that notifies the one who is named; the name as it was said where nobody is known behind it."""
    person = said.people.get(key)
    return f"<@{person.user}>" if person else escape(name or "")


def _time(said: Recorded, at: Any, *, zone: str = "", approx: bool = False, dated: bool = False) -> str:
    """The time in the incident's zone, in the zone it was typed in where that differs, and its age."""
    here = times.localize(at, said.zone)
    now = times.localize(said.now, said.zone)
    over = times.localize(said.beside.over_at, said.zone) if said.beside.over_at else now
    other_day = dated or here.date() != now.date() or here.date() != over.date()
    text = times.moment(at, said.zone) if other_day else times.clock(at, said.zone)
    if zone and times.localize(at, zone).utcoffset() != here.utcoffset():
        text += f" / {times.clock(at, zone)}"
    age = f" ({times.ago(at, said.now)})" if abs(said.now - at) >= timedelta(minutes=1) else ""
    return f"{'~' if approx else ''}{text}{age}"


def _moment(said: Recorded, at: Any, zone: str) -> str:
    """Date and time to come in the incident's zone, and in the zone it was typed in where that differs."""
    there = times.localize(at, zone)
    also = f" / {times.clock(at, zone)}" if there.utcoffset() != times.localize(at, said.zone).utcoffset() else ""
    return f"{times.moment(at, said.zone)}{also}"


def shown(text: str | None, limit: int = SHOWN_TEXT) -> str:
    """A recorded text for display: escaped, and clipped where it is long (the record keeps it whole)."""
    text = text or ""
    if len(text) <= limit:
        return escape(text)
    return f"{escape(clip(text, limit))} _({len(text):,} characters, all kept)_"


def _line(text: str, limit: int) -> str:
    """The same in one line, whatever breaks lines in it."""
    return shown(" ".join(text.split()), limit)


# ---- looking -------------------------------------------------------------------------------------


def _title(place: Place, *, drill: bool = False) -> str:
    severity = f" · SEV{place.severity}" if place.severity else ""
    return f"*{place.name}*{severity}{' · DRILL' if drill else ''} · {_line(place.title, 200)}"


def _status(s: Status, prefix: str) -> list[str]:
    lines = [
        _title(s.place, drill=s.drill) + (f" · #{escape(s.channel)}" if s.channel else "") + f" · {s.place.status}"
    ]
    if s.onset:
        state = "still going on" if s.impact_on else "over"
        lines.append(f"*Impact*  since {_at(s, s.onset)}, {times.duration(s.impact)}, {state}")
    if s.total is not None:
        lines.append(f"*Resolved*  after {times.duration(s.total)}")
    found = "not recorded yet"
    if s.detected_at:
        by = f" by {SOURCES[s.source]}" if s.source else ""
        delay = ""
        if s.onset and s.detected_at - s.onset >= timedelta(minutes=1):
            delay = f", {times.duration(s.detected_at - s.onset)} after onset"
        found = f"{_at(s, s.detected_at)}{by}{delay}"
    lines.append(f"*Found*  {found}")
    roles = " · ".join(f"{escape(role)} {escape(who)}" for role, who in s.roles) or "no commander yet"
    lines.append(f"*Roles*  {roles}")
    if s.hypotheses:
        lines.append("*Open*  " + " · ".join(f"#{h.number} {shown(h.text, 80)}" for h in s.hypotheses))
    if s.latest:
        lines.append("*Latest*  " + " · ".join(_in_status(e) for e in s.latest))
    if s.told:
        last = s.told[0]
        audience = last.event.audience if isinstance(last.event, ev.ToldStakeholders) else ""
        lines.append(f"*Told*  {escape(audience) or '(no audience named)'} {times.ago(last.at, s.now)}")
    entries, people = _count(s.entries, "entry", "entries"), _count(s.people, "person", "people")
    lines.append(f"*Record*  {entries} by {people} · {_count(s.tasks, 'task')}, {s.tasks_open} open")
    if s.stage and s.place.status not in ("open", "mitigated"):
        lines.append(f"*Document*  {escape(s.stage)}")
    if s.waiting:
        lines.append(f"*Waiting*  {_count(s.waiting, 'message')} still to be sent")
    lines += [f"*Not delivered*  {escape(error)}" for error in dict.fromkeys(s.parked)]
    if s.parked:
        lines.append(f"When that is put right: `{prefix} resend` (what waits for an invitation leaves by itself)")
    due = [gap for gap in s.gaps if gap.due][:3]
    if due:
        lines.append("*Say next*  " + " · ".join(f"{escape(g.name)} `{prefix} {escape(g.line)}`" for g in due))
    return lines


def _in_status(e: EntryLine) -> str:
    ruled_out = f" (ruled out: #{e.dead_end})" if e.dead_end else ""
    return f"{ICONS[e.kind]} #{e.number} {shown(e.text or LABELS[e.kind], 60)}{ruled_out}"


def _brief(s: Status) -> list[str]:
    lines = [_title(s.place, drill=s.drill)]
    if s.summary:
        lines.append(shown(s.summary))
    if s.onset:
        when = f"since {_at(s, s.onset)}"
        lines.append(
            f"Impact {when}, {times.duration(s.impact)} so far."
            if s.impact_on
            else f"Impact lasted {times.duration(s.impact)}, {when}."
        )
    if s.impact_text:
        lines.append(shown(s.impact_text))
    lines += [f"Suspected: {shown(h.text)}" for h in s.hypotheses[:1]]
    if s.latest:
        last = s.latest[0]
        lines.append(f"Last, {_at(s, last.at)}: {LABELS[last.kind]}: {shown(last.text)}".rstrip(": "))
    commander = dict(s.roles).get("commander")
    lines.append(f"Commander: {escape(commander)}" if commander else "Nobody is named commander.")
    return lines


def _at(s: Status, at: Any) -> str:
    same_day = times.localize(at, s.zone).date() == times.localize(s.now, s.zone).date()
    return times.clock(at, s.zone) if same_day else times.moment(at, s.zone)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def entry_line(e: EntryLine, zone: str) -> str:
    """An entry in a list."""
    label = _list_label(e)
    tail = "".join(
        [
            " ⭐" if e.starred else "",
            " (helped)" if e.worked else " (no effect)" if e.worked is False else "",
            " (corrected)" if e.corrected else "",
            f" _({e.withdrawn})_" if e.withdrawn else "",
        ]
    )
    text = f": {shown(e.text, 300)}" if e.text else ""
    if e.withdrawn:
        text = f": ~{shown(e.text, 300)}~" if e.text else ""
    at = f"{'~' if e.approx else ''}{times.clock(e.at, zone)}"
    return f"#{e.number} · {at} · {ICONS[e.kind]} {label}{text}{tail} – {escape(e.by)}"


def _list_label(e: EntryLine) -> str:
    """What kind of entry it is, with the particulars that its text does not hold."""
    label = LABELS[e.kind]
    match e.event:
        case ev.Detected() if e.event.source:
            return f"{label} by {SOURCES[e.event.source]}"
        case ev.Escalated() if e.event.target:
            return f"{label} to {escape(e.event.target)}"
        case ev.ToldStakeholders() if e.event.audience:
            return f"{label} {escape(e.event.audience)}"
        case ev.RuledOut() if e.event.hypothesis:
            return f"{label} #{e.event.hypothesis}"
        case ev.RoleGiven():
            return f"{escape(e.event.who)} is {escape(e.event.role)}"
        case ev.HandedOver():
            return f"{escape(e.event.who)} is commander"
        case ev.SeveritySet():
            return f"{label} SEV{e.event.severity}"
        case ev.TaskAdded():
            return f"{label} T{e.event.task}"
        case ev.QuestionAsked():
            return f"{label} R{e.event.question}"
        case ev.LinkAdded():
            return f"{label} {escape(e.event.url)}"
        case _:
            return label


def _timeline(t: Timeline, prefix: str, most: int) -> list[str]:
    lines = [_title(t.place)]
    if t.hidden:
        lines.append(f"{_count(t.hidden, 'earlier entry', 'earlier entries')}: `{prefix} timeline all`")
    day = ""
    for entry in t.lines:
        on = times.day(entry.at, t.zone)
        if on != day:
            lines.append(f"*{on}*")
            day = on
        lines.append(entry_line(entry, t.zone))
    return _fitting(lines, most, f": `{prefix} export md` has them all")


def _gaps(g: Gaps, prefix: str) -> list[str]:
    total = len(g.gaps) + len(g.known)
    lines = [f"{_title(g.place)}: {len(g.known)} of {total} facts known.{' Copy a line.' if g.gaps else ''}"]
    groups = (("Now, while you remember", True), ("For the review", False))
    for heading, due in groups:
        chosen = [gap for gap in g.gaps if gap.due is due]
        if chosen:
            lines.append(f"*{heading}*")
            lines += [
                f"{gap.number}. {escape(gap.name)}"
                + (f"   `{prefix} {escape(gap.line)}`" if gap.line else "")
                + (f" – entry {gap.hint} may say: `{prefix} {escape(gap.as_line)}`" if gap.hint else "")
                for gap in chosen
            ]
    if not g.gaps:
        lines.append("Nothing is missing.")
    if g.not_applicable:
        lines.append(f"Not applicable: {escape('; '.join(g.not_applicable))}")
    if g.gaps:
        lines.append(f"Does one not apply? For example: `{prefix} none {g.gaps[0].number}`")
    return lines


def _listed(found: Listed, prefix: str) -> list[str]:
    if not found.places:
        what = (
            f"No incident that you may see from here mentions “{escape(clip(found.words, 160))}”."
            if found.words
            else (f"No incident yet that you may see from here. `{prefix} start …` opens one.")
        )
        return [what]
    lines = [
        f"{_title(one)} · {one.status} · opened {times.moment(one.opened_at, found.zone)}"
        + (" · 🔒" if one.private else "")
        for one in found.places
    ]
    if found.more:
        lines.append(f"… and {found.more} more: `{prefix} list …` with a word narrows it down.")
    return lines


def _help(h: Help) -> list[str]:
    if h.one:
        row = h.rows[0]
        also = f" (also: {', '.join(row.also)})" if row.also else ""
        return [
            f"`{h.prefix} {escape(row.usage)}`{escape(also)}",
            f"Records {escape(row.records)}." if not row.looks else f"Shows {escape(row.records)}.",
            f"For example: `{h.prefix} {escape(row.example)}`",
            "A time may follow the verb: `03:12`, `-5m`, `5m ago`, or anything after `at`."
            if not row.looks
            else "Only you see the answer."
            if row.name != "brief"
            else "Everybody here sees the answer.",
        ]
    lines = ["*Say what happens in one line; it is kept with its true time.*"]
    lines += [f"`{h.prefix} {escape(row.usage)}` – {escape(row.records)}" for row in h.rows]
    if not h.whole:
        lines.append(f"A time may follow the verb: `{h.prefix} note 03:12 …`, `-5m`, `at yesterday 23:50`.")
        lines.append(f"Every verb: `{h.prefix} help all` · one verb: `{h.prefix} help told`")
    return lines


# ---- the draft -----------------------------------------------------------------------------------

MARKDOWN = 11_500  # Slack's limit is 12,000 characters of `markdown` blocks a message


STANDING = {
    "open": "the incident is open again",
    "mitigated": "the incident is open again",
    "cancelled": "the incident was cancelled",
    "duplicate": "it was the same as another",
}
"""How an incident stands whose draft was posted, where it is not resolved."""


def draft(digest: Any, receipts: Mapping[str, JSON], told_in: str = "") -> JSON:
    """The one post of a document: the link first, then what an executive asks; at most twelve lines.

    `told_in` is the channel where the whole text is, for a post that stands in another.
    """
    severity = f" · SEV{digest.severity}" if digest.severity else ""
    drill = " · DRILL" if digest.drill else ""
    stage = "Postmortem" if digest.stage == "published" else "Postmortem draft"
    revision = f" · revision {digest.revision}" if digest.revision > 1 else ""
    if digest.status != "resolved":
        revision += f" · {STANDING.get(digest.status, digest.status)}"
    lines = [f"📄 *{stage} · INC-{digest.number} {_line(digest.title, 200)}*{severity}{drill}{revision}"]
    page, shared = receipts.get("link"), receipts.get("slack_file")
    links = [f"<{page['link']}|Open the whole document>"] if page else []
    if shared:
        links.append(f"{'Markdown file' if page else 'Markdown'}: <{shared['link']}|{escape(shared['name'])}>")
    if links:
        lines.append(" · ".join(links))
    lines.append(f"• Duration: {escape(digest.duration)}")
    if digest.impact:
        lines.append(f"• Impact: {_line(digest.impact, 300)}")
    lines.append(f"• Found by {escape(digest.found_by)}" if digest.found_by else "• How it was found: unknown")
    ask = f" (Ask {escape(digest.ask)})" if digest.ask and not digest.root_cause else ""
    lines.append(f"• Root cause: {_line(digest.root_cause, 300) or 'unknown.'}{ask}")
    unowned = f", {digest.tasks_without_owner} without owner" if digest.tasks_without_owner else ""
    lines.append(
        f"• {_count(digest.entries, 'entry', 'entries')} · {_count(digest.tasks, 'task')}{unowned} · "
        f"{_count(digest.open_questions, 'open question')} · {_count(digest.words, 'word')}"
    )
    place = f"in <#{told_in}>" if told_in else "in the thread"
    lines.append(f"The whole text is {place}.")
    if digest.life:
        lines.append(_line(digest.life, 400))
    message = _message(lines)
    if digest.status == "resolved" and not told_in:
        message["blocks"].append({"type": "actions", "elements": _next(digest)})
    return message


def _next(digest: Any) -> list[JSON]:
    """What can be done about the document by now: a button each."""
    to = f"INC-{digest.number}:"
    open_questions = _count(digest.open_questions, "open question")
    still = f"{open_questions} {'is' if digest.open_questions == 1 else 'are'} still there. "
    publish = "What is recorded afterwards becomes an addendum, and what is published stays published."
    found: list[tuple[str, str, JSON | None]] = [("Edit", f"edit {to} section", None)]
    if digest.open_questions:
        found.insert(0, ("Answer the open questions", f"answer {to}", None))
    if digest.stage == "draft":
        found.append(("Ask for a review", f"review {to}", None))
    elif digest.stage == "in review":
        approve = "You have read the draft as it is, and stand by it. Your name is printed in it."
        found.append(("Approve", f"approve {to}", _confirm("Approve the draft?", approve, "Approve")))
        anyway = "Publish anyway" if digest.open_questions else "Publish"
        said = f"{still if digest.open_questions else ''}{publish}"
        found.append(("Publish", f"publish {to}", _confirm("Publish the postmortem?", said, anyway)))
    if digest.stage == "published":
        found = [("Edit", f"edit {to} section", None)]
    found.append(("Share", f"share {to}", None))
    return [
        say_button(number, label, line) | ({"confirm": confirm} if confirm else {})
        for number, (label, line, confirm) in enumerate(found)
    ]


def _confirm(title: str, text: str, yes: str) -> JSON:
    """What Slack asks before a button does what it says."""
    return {
        "title": {"type": "plain_text", "text": title},
        "text": {"type": "plain_text", "text": text},
        "confirm": {"type": "plain_text", "text": yes},
        "deny": {"type": "plain_text", "text": "Not yet"},
    }


def changes(revision: int, made: Changes) -> JSON:
    """The line in the draft's thread that says what a revision changed."""
    said = [
        f"{_entries(made.added)} added" if made.added else "",
        f"{_entries(made.corrected)} corrected" if made.corrected else "",
        f"{_entries(made.removed)} taken out" if made.removed else "",
        f"text of {_entries(made.redacted)} destroyed" if made.redacted else "",
        f"{', '.join(made.destroyed)} destroyed" if made.destroyed else "",
        f"{', '.join(made.tasks)} changed" if made.tasks else "",
        f"{', '.join(made.sections)} rewritten" if made.sections else "",
        _count(made.marks, "other change") if made.marks else "",
    ]
    return _message([f"Revision {revision}: {' · '.join(filter(None, said))}."])


def _entries(numbers: Sequence[int]) -> str:
    """Numbers of entries, runs of them shortened: entries 3, 5–8."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    listed = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"{'entry' if len(numbers) == 1 else 'entries'} {', '.join(listed)}"


def fault(reference: str) -> JSON:
    """What a person is told of a defect."""
    return _message([escape(FAULT.format(reference=reference))])


def hint(place: Place, entry: int, blame: Sequence[Phrase], secrets: Sequence[Phrase]) -> JSON:
    """What the author alone is told of words of an entry (0: of a section) that blame, or look like a secret."""
    what = f"#{entry} of {place.name}" if entry else f"A section of {place.name}"
    lines: list[str] = []
    if secrets:
        several = f" (and {len(secrets) - 1} more)" if len(secrets) > 1 else ""
        lines.append(f"🔑 {what}: {escape(secrets[0].why)}{several}")
    if secrets:
        destroy = f"`/incident redact {entry}` destroys the text. " if entry else ""
        lines.append(f"{destroy}Change it where it is used, too: it may have been copied already. Only you see this.")
    for one in blame:
        lines.append(f"{what} says “{shown(one.words, 120)}”: {escape(one.why)} {escape(one.instead)}")
    if blame:
        edit = f"edit {entry} …" if entry else "edit section …"
        lines.append(f"Your words are kept as they are. To say it otherwise: `/incident {edit}`. Only you see this.")
    return _message(lines)


FAULT = "Scribe has a fault and recorded nothing. Please try it again, and name this reference: {reference}"

NOT_RECORDED = "Nothing was recorded: {reason}. {remedy}"

_PICTURE = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n+", re.MULTILINE)
_EVIDENCE = re.compile(r"\[↗\]\([^)\s]*#e(\d+)(?: \"[^\"]*\")?\)")
_RELATIVE = re.compile(r"(?<!\\)\[((?:[^\[\]\\]|\\.)*)\]\((?!https?://)[^)]*\)")


def _without_files(document: str) -> str:
    return _RELATIVE.sub(r"\1", _EVIDENCE.sub(r"(#\1)", _PICTURE.sub("", document)))


def looked_at(page: Any) -> list[JSON]:
    """The draft for one who asked to see it: how many words it has, then the document."""
    digest = page.digest
    head = f"INC-{digest.number} as it stands: {_count(digest.words, 'word')}."
    first, *rest = markdown(page.document.decode())
    context = {"type": "context", "elements": [{"type": "mrkdwn", "text": head}]}
    return [{"text": f"{first['text']}. {head}", "blocks": [context, *first["blocks"]]}, *rest]


def to_approve(name: str, line: str, standing: str) -> JSON:
    """What stands below the customer version for the one who looks at it: whether and how it is approved."""
    match standing:
        case "drill":
            return _message([f"Only you see this. {name} is a drill: it goes to no customer."])
        case "approved":
            return _message(
                [f"This is what was approved for customers. Type export md customer for the file of {name}."]
            )
        case "behind":
            said = (
                "Only you see this. It is not what was approved: until it is, customers get what was approved before."
            )
        case _:
            said = "Only you see this. Nobody has approved it for customers yet."
    return _message([said, f"To approve it exactly as it reads above, type: `{escape(line)}`"])


def markdown(document: str) -> list[JSON]:
    """A whole document as messages with `markdown` blocks, broken between paragraphs where it is long.

    Links into the annex lead nowhere in Slack: evidence is given as the entry's number, and the picture, which stands
    in the same thread, is left out.
    """
    parts: list[str] = []
    for paragraph in _without_files(document).split("\n\n"):
        while len(paragraph) > MARKDOWN:
            cut = max(paragraph.rfind("\n", 1, MARKDOWN), paragraph.rfind(" ", 1, MARKDOWN))
            cut = cut if cut > 0 else MARKDOWN
            parts.append(paragraph[:cut])
            paragraph = paragraph[cut:].lstrip("\n")
        if parts and len(parts[-1]) + 2 + len(paragraph) <= MARKDOWN:
            parts[-1] += f"\n\n{paragraph}"
        elif paragraph.strip():
            parts.append(paragraph)
    return [
        {
            "text": f"The whole draft, part {number} of {len(parts)}" if len(parts) > 1 else "The whole draft",
            "blocks": [{"type": "markdown", "text": part}],
        }
        for number, part in enumerate(_whole_fences(parts), start=1)
    ]


_FENCE = re.compile(r" {0,3}(`{3,100}|~{3,100})")


def _whole_fences(parts: Iterable[str]) -> Iterator[str]:
    """Parts in which no code block is torn: what is code, and calls nobody, would be read as text in the next part."""
    fence = ""
    for part in parts:
        said = f"{fence}\n{part}" if fence else part
        fence = ""
        for line in said.split("\n"):
            found = _FENCE.match(line)
            if found and not fence:
                fence = found[1]
            elif found and found[1].startswith(fence) and line.strip() == found[1]:
                fence = ""
        yield f"{said}\n{fence}" if fence else said
