"""Stories: people type in a Slack workspace, the real app answers, the record and the draft are what was said."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slack_sdk.models.blocks import Block

from bot.core import events as ev
from bot.core.events import Kind
from bot.core.incident import Incident, fold
from bot.core.record import Place
from bot.slack.payloads import time_to_ts
from bot.workspace import Answer, Channel, Message, User
from bot.workspace.stage import Stage


class Cast:
    """Four people and a channel, on a stage."""

    def __init__(self, stage: Stage, *, private: bool = False, bot_in: bool = False) -> None:
        self.stage = stage
        ws = stage.workspace
        self.ada = ws.add_user("ada", display_name="Ada", tz="Europe/London")
        self.ben = ws.add_user("ben", display_name="Ben", tz="America/New_York")
        self.chidi = ws.add_user("chidi", display_name="Chidi", tz="Africa/Lagos")
        self.channel = ws.add_channel(
            "payments-oncall", private=private, members=[self.ada, self.ben, self.chidi], bot_in=bot_in
        )

    def type(self, who: User, line: str, channel: Channel | None = None) -> Answer:
        """Types a command; every block of the answer is one that slack_sdk accepts."""
        answer = self.stage.workspace.command(who, channel or self.channel, line)
        assert answer.ok, answer.failure
        for block in answer.blocks:
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.validate_json()
        self.stage.pump()
        return answer

    def place(self, channel: Channel | None = None) -> Place | None:
        with self.stage.app.store.reading() as tx:
            return tx.in_channel(self.stage.workspace.team, (channel or self.channel).id)

    def incident(self, channel: Channel | None = None) -> Incident:
        place = self.place(channel)
        assert place is not None
        with self.stage.app.store.reading() as tx:
            return fold(tx.events(place.key), place.number)

    def texts(self) -> list[tuple[int, Kind, str]]:
        return [(e.number, e.kind, e.text) for e in self.incident().entries.values() if e.live]


@pytest.fixture
def cast(stage: Stage) -> Cast:
    return Cast(stage)


def test_one_impact_has_one_length_in_the_answer_the_status_and_the_document(cast: Cast) -> None:
    cast.stage.clock.advance(timedelta(seconds=50))
    cast.type(cast.ada, "start sev1 Checkout returns errors")
    cast.stage.clock.advance(timedelta(minutes=20, seconds=20))  # the clock shows 21 minutes more
    assert cast.type(cast.ada, "resolve calm").text.splitlines()[0] == (
        "🟢 *INC-1* resolved 03:27 GMT after 21 min: calm"
    )
    status = cast.type(cast.ada, "status").text
    assert re.findall(r"\*(?:Impact|Resolved)\*.*", status) == [
        "*Impact*  since 03:06 GMT, 21 min, over",
        "*Resolved*  after 21 min",
    ]
    cast.stage.settle()
    (markdown,) = (file for file in cast.stage.workspace.files if file.name.endswith(".md"))
    assert "- **Duration:** 21 min, 21 November 2026 03:06 GMT to 21 November 2026 03:27 GMT." in (
        markdown.content.decode()
    )


# ---- the main job --------------------------------------------------------------------------------


def test_an_incident_told_line_by_line_ends_with_its_draft_and_link_in_the_channel(cast: Cast) -> None:
    started = cast.type(cast.ada, "start sev1 Checkout returns errors since 02:50")
    cast.type(cast.ada, "detected 02:58 by alert 5xx rate on checkout above 20%")
    cast.type(cast.ada, "suspect deploy 4711 at 02:45")
    cast.type(cast.ada, "did rolled back 4711")
    cast.type(cast.ada, "ruledout 3 rollback changed nothing")
    cast.stage.clock.advance(timedelta(minutes=52))
    cast.type(cast.ben, "mitigated -3m pool halved, errors back to 0.1%")
    cast.stage.clock.advance(timedelta(hours=1))
    resolved = cast.type(cast.chidi, "resolve graphs flat for an hour")

    assert started.in_channel
    assert started.text.splitlines()[0] == (
        "🔴 *INC-1* · SEV1 · Checkout returns errors · impact since 02:50 GMT (16 min ago)"
    )
    assert resolved.text.splitlines()[0] == (
        "🟢 *INC-1* resolved 04:58 GMT after 2 h 8 min (impact 1 h 5 min): graphs flat for an hour"
    )
    assert "draft" not in [m.text for m in cast.stage.workspace.messages(cast.channel)]

    cast.stage.settle()
    posts = [m for m in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]
    assert len(posts) == 1
    thread = cast.stage.workspace.thread(cast.channel, posts[0].ts)
    files = {file.name: file for file in cast.stage.workspace.files}
    assert set(files) == {"0001-checkout-returns-errors.md", "0001-checkout-returns-errors.png"}
    markdown = files["0001-checkout-returns-errors.md"]
    assert f"{markdown.id}/{markdown.name}|" in posts[0].text
    assert len(posts[0].text.splitlines()) <= 12
    assert any("## Issue summary" in cast.stage.workspace.text(reply) for reply in thread)

    exported = cast.stage.settings.export_dir / "0001-checkout-returns-errors.md"
    assert exported.read_bytes() == markdown.content
    headings = [line for line in exported.read_text().splitlines() if line.startswith("## ")]
    assert headings == [
        "## Issue summary",
        "## Timeline",
        "## Root cause and resolution",
        "## Corrective and preventative measures",
        "## Open questions",
    ]


def test_two_people_in_two_zones_say_the_same_minute(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ben, "did 22:04 doubled max_connections")
    assert answer.text == "🔧 #2 · 03:04 GMT / 22:04 EST (2 min ago) · Ben: doubled max_connections"
    entry = cast.incident().entries[2]
    assert (entry.at.isoformat(), entry.zone) == ("2026-11-21T03:04:00+00:00", "America/New_York")


def test_a_time_that_was_given_is_the_time_in_the_document(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors since 02:50")
    cast.type(cast.ada, "note told at once")
    cast.type(cast.ada, "note 02:55 told late, seen early")
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    text = (cast.stage.settings.export_dir / "0001-checkout-returns-errors.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("- **[")]
    assert [line.split("]")[0] for line in lines] == ["- **[02:55", "- **[03:06", "- **[03:06"]
    assert "told late, seen early" in lines[0]


def test_the_duration_of_more_than_two_days_keeps_its_days(cast: Cast) -> None:
    cast.type(cast.ada, "start Slow disks")
    cast.stage.clock.advance(timedelta(days=2, hours=3, minutes=5))
    answer = cast.type(cast.ada, "resolve at now")
    assert "after 2 d 3 h 5 min" in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "`rm -rf` <b>bold</b> & a | table\nsecond line",
        "*stars* _under_ ~tilde~ [link](https://example.org) ![x](y)",
        "she said “it’s 5 < 6 & 7 > 3”",
        "# heading\n- item\n1. one\n> quote\n```\ncode\n```",
        "🎉 Ünïcödé बाज़ार ₹40,600 \u202eabc",
        "x" * 4000,
    ],
)
def test_a_text_is_kept_as_it_was_typed(cast: Cast, text: str) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, f"note {text}")
    assert answer.in_channel
    assert cast.texts()[-1] == (2, Kind.NOTE, text)
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    assert [m for m in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]


def test_a_mention_is_kept_as_a_name_and_a_broadcast_fires_nowhere(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, "note asked @ben and <!channel> about <@U999>")
    assert cast.texts()[-1][2] == "asked @ben and <!channel> about <@U999>"
    assert "<!channel>" not in answer.text
    assert "&lt;!channel&gt;" in answer.text


# ---- nothing is doubled --------------------------------------------------------------------------


def test_a_redelivered_command_is_answered_like_the_first_time_and_changes_nothing(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    first = cast.type(cast.ada, "note CPU is at 100 %")
    request = cast.stage.workspace.requests[-1]
    again = cast.stage.workspace.redeliver(request)
    assert (again.status, again.text, again.blocks) == (200, first.text, first.blocks)
    assert cast.texts() == [(1, Kind.STARTED, "Checkout returns errors"), (2, Kind.NOTE, "CPU is at 100 %")]


def test_a_redelivered_refusal_is_answered_like_the_first_time_even_when_it_could_be_done_now(cast: Cast) -> None:
    refused = cast.type(cast.ada, "note nobody opened an incident")
    request = cast.stage.workspace.requests[-1]
    cast.type(cast.ada, "start Checkout returns errors")
    again = cast.stage.workspace.redeliver(request)
    assert again.text == refused.text
    assert [kind for _, kind, _ in cast.texts()] == [Kind.STARTED]


def test_the_same_line_within_ninety_seconds_is_asked_about(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "note CPU is at 100 %")
    asked = cast.type(cast.ada, "note CPU is at 100 %")
    assert not asked.in_channel
    assert len(cast.texts()) == 2
    cast.stage.workspace.click(cast.ada, asked, "Record it again")
    assert [number for number, _, _ in cast.texts()] == [1, 2, 3]


def test_two_resolves_make_one_draft(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "resolve at now")
    second = cast.type(cast.ben, "resolve at now")
    assert not second.in_channel
    assert "already resolved" in second.text
    cast.stage.settle()
    assert len([m for m in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]) == 1


def test_undoing_a_resolve_within_the_delay_sends_no_draft(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    resolved = cast.type(cast.ada, "resolve at now")
    cast.stage.workspace.click(cast.ada, resolved, "Undo")
    cast.stage.settle()
    assert cast.incident().is_open
    assert [m for m in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text] == []
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    assert len([m for m in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]) == 1


def test_a_later_note_makes_revision_two_in_the_same_post(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    cast.stage.clock.advance(timedelta(hours=8))
    cast.type(cast.ada, "cause The pool had no upper limit.")
    cast.stage.settle()
    posts = [m for m in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]
    assert len(posts) == 1
    assert "revision 2" in posts[0].text
    assert "The pool had no upper limit." in posts[0].text
    names = sorted(path.name for path in cast.stage.settings.export_dir.glob("*.md"))
    assert names == [
        "0001-checkout-returns-errors.md",
        "0001-checkout-returns-errors.r2.md",
        "0001-checkout-returns-errors.r2.timeline.md",
        "0001-checkout-returns-errors.timeline.md",
    ]
    assert [f.name for f in cast.stage.workspace.files if not f.deleted and f.name.endswith(".md")] == [
        "0001-checkout-returns-errors.r2.md"
    ]


# ---- text without a verb -------------------------------------------------------------------------


def test_text_without_a_verb_is_offered_and_recorded_with_one_tap_at_the_time_it_was_typed(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    offered = cast.type(cast.ada, "rolled back 4711")
    assert not offered.in_channel
    assert [e["text"]["text"] for e in offered.blocks[-1]["elements"]] == ["Action", "Note", "Ruled out"]
    assert len(cast.texts()) == 1
    typed_at = cast.stage.clock()
    cast.stage.clock.advance(timedelta(minutes=3))
    cast.stage.workspace.click(cast.ada, offered, "Action")
    cast.stage.pump()
    assert cast.texts()[-1] == (2, Kind.ACTION, "rolled back 4711")
    entry = cast.incident().entries[2]
    assert (entry.at, entry.recorded_at) == (typed_at, cast.stage.clock())
    assert any("#2" in m.text for m in cast.stage.workspace.messages(cast.channel))


def test_a_second_tap_changes_nothing(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    offered = cast.type(cast.ada, "rolled back 4711")
    cast.stage.workspace.click(cast.ada, offered, "Action")
    cast.stage.workspace.click(cast.ada, offered, "Note")
    assert [kind for _, kind, _ in cast.texts()] == [Kind.STARTED, Kind.ACTION]


def test_an_offer_is_gone_after_a_day_and_says_so(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    offered = cast.type(cast.ada, "rolled back 4711")
    cast.stage.clock.advance(timedelta(hours=25))
    cast.stage.workspace.click(cast.ada, offered, "Action")
    cast.stage.pump()
    assert len(cast.texts()) == 1
    assert "Type the line again." in cast.stage.workspace.ephemerals(cast.ada)[-1].text


@pytest.mark.parametrize("line", ["well done everybody", "lucky us", "again the graphs are odd", "resolved by itself?"])
def test_an_everyday_word_taken_for_a_verb_is_made_a_note_with_one_tap(cast: Cast, line: str) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, line)
    cast.stage.workspace.click(cast.ada, answer, "Make it a note")
    assert cast.texts() == [(1, Kind.STARTED, "Checkout returns errors"), (3, Kind.NOTE, line)]
    assert cast.incident().is_open


def test_a_line_without_a_verb_opens_an_incident_with_one_tap_where_none_is_open(cast: Cast) -> None:
    offered = cast.type(cast.ada, "checkout is down")
    assert [e["text"]["text"] for e in offered.blocks[-1]["elements"]] == ["Start “checkout is down”"]
    cast.stage.workspace.click(cast.ada, offered, "Start “checkout is down”")
    cast.stage.settle()
    assert cast.texts() == [(1, Kind.STARTED, "checkout is down")]


def test_an_undo_says_what_it_took_back(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "note quiet")
    cast.type(cast.ada, "remove 2")
    assert cast.type(cast.ada, "undo").text == "↩️ Ada took back the removal of #2, which counts again: “quiet”"
    assert cast.type(cast.ada, "undo").text == "↩️ Ada took back #2: “quiet”"


def test_a_second_window_of_impact_says_its_own_length_and_the_sum(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors since 02:50")
    cast.type(cast.ada, "mitigated 03:00 pool halved")
    cast.type(cast.ada, "again 03:02 errors are back")
    answer = cast.type(cast.ada, "mitigated 03:06 pool gone")
    assert "Impact stopped after 4 min (14 min in 2 windows): pool gone" in answer.text


def test_the_nearest_verb_is_named(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    assert "“mitigated”" in cast.type(cast.ada, "mitigatd pool halved").text


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("start Another", "already open in this channel"),
        ("note at 03:01", "needs a text"),
        ("note -5m   ", "needs a text"),
        ("worked 99", "There is no entry 99"),
        ("confirmed 1", "is not a hypothesis"),
        ("note at 25:99 x", "25:99"),
        ("note at 2027-01-01 10:00 x", "lies in the future"),
        ("move 1 03:00", "opened the record"),
        ("edit 99 x", "There is no entry 99"),
        ("done T4", "no action item T4"),
        ("zone Europe/Lodnon", "Europe/London"),
        ("none everything", "There is no gap"),
        ("reopen", "is open"),
        ("note INC-77: x", "no INC-77"),
        ("help notte", "“note”"),
    ],
)
def test_bad_input_is_refused_to_the_person_alone_and_nothing_is_recorded(cast: Cast, line: str, says: str) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, line)
    assert not answer.in_channel
    assert says in answer.text
    assert cast.incident().seq == 1


def test_without_an_incident_the_refusal_says_how_to_open_one(cast: Cast) -> None:
    answer = cast.type(cast.ada, "note CPU is at 100 %")
    assert not answer.in_channel
    assert "start <title>" in answer.text or "start &lt;title&gt;" in answer.text


def test_a_line_typed_in_the_wrong_channel_is_recorded_to_the_open_incident_with_one_tap(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    other = cast.stage.workspace.add_channel("general", members=[cast.ada])
    offered = cast.type(cast.ada, "note CPU is at 100 %", other)
    assert not offered.in_channel
    cast.stage.workspace.click(cast.ada, offered, "Record to INC-1")
    assert cast.texts()[-1] == (2, Kind.NOTE, "CPU is at 100 %")


# ---- private channels ----------------------------------------------------------------------------


def test_a_private_channels_incident_shows_only_inside_that_channel(stage: Stage) -> None:
    cast = Cast(stage, private=True, bot_in=True)
    cast.type(cast.ada, "start Breach of the vault")
    cast.type(cast.ada, "note the intruder is called Mallory")
    outside = stage.workspace.add_channel("general", members=[cast.ada, cast.ben])
    for line in (
        "list",
        "list Breach",
        "search Mallory",
        "status",
        "note INC-1: x",
        "duplicate of 1",
        "timeline INC-1:",
    ):
        answer = cast.type(cast.ben, line, outside)
        said = answer.text.replace("mentions “Breach”", "").replace("mentions “Mallory”", "")
        assert "Breach" not in said
        assert "Mallory" not in said
    assert "Breach of the vault" in cast.type(cast.ada, "list").text
    assert "Breach of the vault" in cast.type(cast.ada, "search Mallory").text


def test_what_was_told_in_a_private_channel_is_shared_to_no_other(stage: Stage) -> None:
    cast = Cast(stage, private=True, bot_in=True)
    general = stage.workspace.add_channel("general", members=[cast.ada])
    cast.type(cast.ada, "start Breach of the vault")
    cast.type(cast.ada, "resolve at now")
    stage.settle()
    answer = cast.type(cast.ada, "share #general")
    assert "private channel" in answer.text
    stage.settle()
    assert stage.workspace.messages(general) == []


def test_a_public_channels_draft_is_shared_with_where_the_whole_text_is(cast: Cast) -> None:
    general = cast.stage.workspace.add_channel("general", members=[cast.ada])
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    cast.type(cast.ada, "share #general")
    cast.stage.settle()
    assert f"<#{cast.channel.id}>" in cast.stage.workspace.messages(general)[-1].text


def test_a_button_is_about_the_incident_that_it_was_shown_for(cast: Cast) -> None:
    cast.type(cast.ada, "start First")
    cast.type(cast.ada, "note the password is hunter2-secret")
    asked = cast.type(cast.ada, "redact 2")
    resolved = cast.type(cast.ada, "resolve at now")
    cast.type(cast.ada, "start Second")
    cast.type(cast.ada, "note precious")
    cast.stage.workspace.click(cast.ada, asked, "Destroy the text")
    cast.stage.workspace.click(cast.ada, resolved, "Undo")
    assert cast.texts() == [(1, Kind.STARTED, "Second"), (2, Kind.NOTE, "precious")]
    with cast.stage.app.store.reading() as tx:
        place = tx.by_number(cast.stage.workspace.team, 1)
        assert place is not None
        first = fold(tx.events(place.key), 1)
    assert first.entries[2].redacted
    assert first.is_open


def test_a_refused_tap_leaves_the_button_to_the_next_one(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, "cause the pool")
    cast.stage.workspace.command(cast.ada, cast.channel, "remove 2")
    cast.stage.workspace.click(cast.ben, answer, "It is a guess")
    assert [kind for _, kind, _ in cast.texts()] == [Kind.STARTED]
    cast.type(cast.ada, "undo")
    cast.stage.workspace.click(cast.ada, answer, "It is a guess")
    assert cast.texts()[-1] == (2, Kind.HYPOTHESIS, "the pool")


def test_the_first_draft_comes_when_it_was_promised_however_much_is_said(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "resolve at now")
    cast.stage.clock.advance(timedelta(seconds=5))
    cast.type(cast.ada, "well the alert was quick")
    cast.stage.clock.advance(timedelta(seconds=10))
    cast.stage.pump()
    assert any("Postmortem draft" in m.text for m in cast.stage.workspace.messages(cast.channel))


def test_what_was_resolved_and_reopened_had_not_stopped(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors since 02:30")
    cast.type(cast.ada, "resolve at 03:00")
    cast.type(cast.ada, "reopen errors are still there")
    cast.stage.clock.advance(timedelta(minutes=54))
    assert "after 1 h 30 min: " in cast.type(cast.ada, "resolve for good").text


def test_a_removed_task_leaves_no_words_behind_when_redacted(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "todo rotate it")
    cast.type(cast.ada, "todo T1 the password is hunter2-secret")
    cast.type(cast.ada, "remove 2")
    asked = cast.type(cast.ada, "redact 2")
    cast.stage.workspace.click(cast.ada, asked, "Destroy the text")
    for path in cast.stage.settings.database.parent.glob("scribe.db*"):
        assert b"hunter2-secret" not in path.read_bytes(), path.name
    assert cast.stage.app.store.verify()[2] == []


def test_a_public_channels_incident_is_found_from_elsewhere(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    outside = cast.stage.workspace.add_channel("general", members=[cast.ada])
    assert "Checkout returns errors" in cast.type(cast.ada, "list checkout", outside).text


def test_a_bot_that_is_not_in_a_public_channel_joins_it(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    assert cast.stage.workspace.bot_user in cast.channel.members


def test_a_bot_that_is_not_in_a_private_channel_records_all_the_same_and_the_draft_waits(stage: Stage) -> None:
    cast = Cast(stage, private=True)
    started = cast.type(cast.ada, "start Breach of the vault")
    assert "/invite @Scribe" in started.text
    cast.type(cast.ada, "note CPU is at 100 %")
    cast.type(cast.ada, "resolve at now")
    stage.settle()
    assert [number for number, _, _ in cast.texts()] == [1, 2, 3]
    assert not any("Postmortem draft" in m.text for m in stage.workspace.messages(cast.channel))
    assert "/invite" in cast.type(cast.ada, "status").text
    stage.workspace.invite_bot(cast.channel, cast.ada)
    stage.settle()
    posts = [m for m in stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]
    assert len(posts) == 1
    assert "Markdown:" in posts[0].text


# ---- corrections ---------------------------------------------------------------------------------


def test_undo_takes_back_ones_own_last_and_never_anothers(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ben, "note mine")
    cast.type(cast.ada, "note hers")
    cast.type(cast.ben, "undo")
    assert [text for _, _, text in cast.texts()] == ["Checkout returns errors", "hers"]
    cast.type(cast.ada, "note next")
    assert [number for number, _, _ in cast.texts()] == [1, 3, 4]


def test_a_redacted_text_is_gone_from_the_file_and_the_chain_holds(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "note the password is hunter2-secret")
    asked = cast.type(cast.ben, "redact 2")
    assert cast.texts()[-1][2] == "the password is hunter2-secret"
    cast.stage.workspace.click(cast.ben, asked, "Destroy the text")
    assert cast.incident().entries[2].redacted
    with cast.stage.app.store.reading() as tx:
        tx._connection.execute("SELECT 1")
    folder = cast.stage.settings.database.parent
    for path in folder.glob("scribe.db*"):
        assert b"hunter2-secret" not in path.read_bytes(), path.name
    incidents, _, findings = cast.stage.app.store.verify()
    assert (incidents, findings) == (1, [])


def test_a_text_redacted_after_the_draft_was_posted_is_nowhere_any_more(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "note the password is hunter2-secret")
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    cast.stage.clock.advance(timedelta(hours=1))
    asked = cast.type(cast.ben, "redact 2")
    cast.stage.workspace.click(cast.ben, asked, "Destroy the text")
    cast.stage.settle()
    for path in cast.stage.settings.database.parent.rglob("*"):
        assert path.is_dir() or b"hunter2-secret" not in path.read_bytes(), path.name
    assert sorted(path.name for path in cast.stage.settings.export_dir.glob("*.md")) == [
        "0001-checkout-returns-errors.r2.md",
        "0001-checkout-returns-errors.r2.timeline.md",
    ]
    for message in cast.stage.workspace.messages(cast.channel):
        assert (
            "hunter2-secret" not in cast.stage.workspace.text(message) or message.user != cast.stage.workspace.bot_user
        )
    assert not any(b"hunter2-secret" in (f.content or b"") for f in cast.stage.workspace.files if not f.deleted)


def test_every_event_of_a_story_comes_back_from_the_file(cast: Cast) -> None:
    lines = [
        "start sev2 drill Checkout returns errors since 02:50",
        "lead @ben",
        "services checkout, orders-db",
        "impact 34 % of customers cannot pay",
        "escalated @ben connections are all taken",
        "told customers: We are on it.",
        "suspect the pool",
        "confirmed 7",
        "action halved the pool",
        "worked 8",
        "mitigated",
        "again errors are back",
        "mitigated for good",
        "cause The pool had no limit.",
        "fix The pool has a limit.",
        "todo @ben prevent: alert on the pool by 2026-12-01",
        "todo T1 for platform team: by 2026-12-02",
        "done T1",
        "severity sev3 only one region",
        "link https://example.org/graph the graph",
        "question Why so late?",
        "answer R6 Nobody looked.",
        "edit 8 halved the connection pool",
        "move 8 03:05",
        "edit 8 as mitigation",
        "key 8",
        "title Checkout is down",
        "onset 02:51",
        "zone Africa/Lagos",
        "none lessons",
        "remove 16",
        "edit section summary It was the pool.",
        "resolve at now",
        "reopen not yet",
        "resolve at now",
        "review Tue 14:00 @chidi",
        "approve",
        "publish",
        "note an addendum",
    ]
    for line in lines:
        answer = cast.type(cast.ada, line)
        assert answer.in_channel, (line, answer.text)
        cast.stage.clock.advance(timedelta(minutes=2))
    names = {happened.name for happened in cast.incident().happened}
    assert len(names) >= 35
    before = cast.incident()
    cast.stage.restart()
    assert cast.incident() == before
    assert cast.stage.app.store.verify()[2] == []
    cast.stage.settle()
    assert cast.incident().entries[5].event == before.entries[5].event
    assert isinstance(before.entries[5].event, ev.Escalated)


# ---- the record is on disk before anybody is told ------------------------------------------------


def test_nothing_is_confirmed_when_the_insert_fails(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    connection = cast.stage.app.store._connection()
    connection.execute("PRAGMA query_only=ON")
    try:
        answer = cast.stage.workspace.command(cast.ada, cast.channel, "note CPU is at 100 %")
    finally:
        connection.execute("PRAGMA query_only=OFF")
    assert not answer.in_channel
    assert "Nothing was recorded: the disk of the machine that runs Scribe cannot be written to." in answer.text
    assert len(cast.texts()) == 1


def test_resolving_needs_no_call_to_slack_and_survives_its_absence(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.stage.workspace.away = True
    answer = cast.stage.workspace.command(cast.ada, cast.channel, "resolve at now")
    assert answer.in_channel
    assert not cast.incident().is_open
    for _ in range(5):
        cast.stage.clock.advance(timedelta(minutes=1))
        cast.stage.pump()
    cast.stage.restart()
    cast.stage.workspace.away = False
    cast.stage.settle()
    assert len([m for m in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]) == 1


def test_a_failing_export_blocks_neither_resolve_nor_the_draft(
    stage_with: Callable[..., Stage], tmp_path: Path
) -> None:
    blocked = tmp_path / "no-folder"
    blocked.write_text("a file stands where the folder should be")
    stage = stage_with()
    object.__setattr__(stage.settings, "export_dir", blocked)
    stage.restart()
    cast = Cast(stage)
    cast.type(cast.ada, "start Checkout returns errors")
    assert cast.type(cast.ada, "resolve at now").in_channel
    stage.clock.advance(timedelta(minutes=1))
    stage.pump()
    posts = [m for m in stage.workspace.messages(cast.channel) if "Postmortem draft" in m.text]
    assert len(posts) == 1
    blocked.unlink()
    stage.settle()
    assert (blocked / "0001-checkout-returns-errors.md").exists()


def test_listeners_are_registered_once(cast: Cast) -> None:
    before = len(cast.stage.app.bolt._listeners)
    for line in ("start Checkout returns errors", "note a", "note b", "status"):
        cast.type(cast.ada, line)
    assert len(cast.stage.app.bolt._listeners) == before


# ---- looking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ["", "status", "timeline", "timeline all", "gaps", "list", "help", "help all", "help told"]
)
def test_looking_answers_only_the_person_and_records_nothing(cast: Cast, line: str) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, line)
    assert not answer.in_channel
    assert answer.text
    assert cast.incident().seq == 1


def test_brief_answers_everybody(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    assert cast.type(cast.ada, "brief").in_channel


def test_draft_and_export_come_to_the_one_who_asked(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ben, "draft")
    assert any("## Issue summary" in cast.stage.workspace.text(m) for m in cast.stage.workspace.ephemerals(cast.ben))
    cast.type(cast.ben, "export json")
    assert [f.name for f in cast.stage.workspace.files] == ["0001-checkout-returns-errors.json"]
    assert [f.name for f in cast.stage.workspace.files if cast.channel.id in f.shares] == []


# ---- other ways in -------------------------------------------------------------------------------


def test_a_mention_in_a_thread_works_as_the_command_and_answers_there(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    root = cast.stage.workspace.say(cast.ben, cast.channel, "graphs look odd")
    cast.stage.workspace.say(cast.ben, cast.channel, "@scribe note the graphs look odd", thread_ts=root.ts)
    cast.stage.pump()
    assert cast.texts()[-1] == (2, Kind.NOTE, "the graphs look odd")
    assert any("#2" in m.text for m in cast.stage.workspace.thread(cast.channel, root.ts))


def test_the_message_shortcut_records_the_messages_own_text_author_and_time(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    said = cast.stage.workspace.say(cast.ben, cast.channel, "I halved the pool & it helped")
    said_at = cast.stage.clock()
    cast.stage.clock.advance(timedelta(minutes=7))
    cast.stage.workspace.message_shortcut(cast.ada, cast.channel, said.ts, "add_to_timeline")
    cast.stage.workspace.submit(cast.ada, values={"kind": "action"})
    cast.stage.pump()
    entry = cast.incident().entries[2]
    assert (entry.kind, entry.text) == (Kind.ACTION, "I halved the pool & it helped")
    assert entry.at.replace(microsecond=0) == said_at.replace(microsecond=0)
    with cast.stage.app.store.reading() as tx:
        assert tx.people([entry.by])[entry.by].user == cast.ben.id


def test_a_message_is_captured_once_for_a_kind(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    said = cast.stage.workspace.say(cast.ben, cast.channel, "I halved the pool")
    both = (cast.ada, cast.chidi)
    for who in both:
        cast.stage.workspace.message_shortcut(who, cast.channel, said.ts, "add_to_timeline")
    answers = [cast.stage.workspace.submit(who, values={"kind": "note"}) for who in both]
    assert len(cast.texts()) == 2
    assert "recorded already" in " ".join(answers[1].errors.values())


def test_the_shortcut_starts_an_incident(cast: Cast) -> None:
    cast.stage.workspace.shortcut(cast.ada, "start_incident")
    cast.stage.workspace.submit(
        cast.ada, values={"title": "Checkout is down", "channel": cast.channel.id, "severity": "1"}
    )
    cast.stage.pump()
    assert cast.texts() == [(1, Kind.STARTED, "Checkout is down")]


def test_no_subscribed_event_is_left_unanswered(cast: Cast) -> None:
    ws = cast.stage.workspace
    cast.type(cast.ada, "start Checkout returns errors")
    message = ws.say(cast.ada, cast.channel, "hello")
    ws.react(cast.ada, cast.channel, message.ts, "pushpin")
    ws.unreact(cast.ada, cast.channel, message.ts, "pushpin")
    ws.pin(cast.ada, cast.channel, message.ts)
    ws.edit_message(cast.ada, cast.channel, message.ts, "hello again")
    ws.delete_message(cast.ada, cast.channel, message.ts)
    ws.rename(cast.channel, "payments")
    ws.archive(cast.channel)
    ws.unarchive(cast.channel)
    ws.open_home(cast.ada)
    ws.kick_bot(cast.channel)
    assert ws.undelivered == []


# ---- mentions: what Slack brings late, and what is only looked at --------------------------------


def mention(cast: Cast, who: User, line: str, thread: Message | None = None) -> Message:
    said = cast.stage.workspace.say(who, cast.channel, f"@scribe {line}", thread_ts=thread)
    cast.stage.pump()
    return said


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("status", "INC-1"),
        ("timeline", "Checkout returns errors"),
        ("gaps", "facts known"),
        ("list", "INC-1"),
        ("help", "Say what happens"),
        ("help frobnicate", "is no verb"),
        ("frobnicate", "Nothing is recorded yet"),
    ],
)
def test_who_looks_by_a_mention_is_answered_alone_and_in_the_thread(cast: Cast, line: str, expected: str) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    root = cast.stage.workspace.say(cast.ben, cast.channel, "how far are we?")
    before = len(cast.stage.workspace.messages(cast.channel))
    mention(cast, cast.ben, line, root)
    (shown,) = cast.stage.workspace.ephemerals(cast.ben, cast.channel)
    assert expected in shown.text
    assert shown.thread_ts == root.ts
    assert len(cast.stage.workspace.messages(cast.channel)) == before + 1  # the question


def test_a_brief_that_is_asked_for_by_a_mention_is_for_everybody(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    asked = mention(cast, cast.ben, "brief")
    assert cast.stage.workspace.ephemerals(cast.ben, cast.channel) == []
    shown = [one.text for one in cast.stage.workspace.messages(cast.channel) if one.by_bot and one.ts > asked.ts]
    assert len(shown) == 1
    assert "Checkout returns errors" in shown[0]


def test_a_mention_that_asks_for_the_draft_is_answered_with_it(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    mention(cast, cast.ben, "draft")
    shown = [one.text for one in cast.stage.workspace.ephemerals(cast.ben, cast.channel)]
    assert "being composed" in shown[0]
    assert "The whole draft" in shown[1]


def test_a_mention_that_slack_brings_late_counts_from_when_it_was_said(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    ws, said_at = cast.stage.workspace, cast.stage.clock()
    cast.stage.clock.advance(timedelta(minutes=42))
    ts = time_to_ts(said_at)
    event = {"type": "app_mention", "user": cast.ben.id, "channel": cast.channel.id, "ts": ts, "event_ts": ts}
    ws.event(event | {"text": f"<@{ws.bot_user}> note the pool is empty"})
    ws.event(event | {"text": f"<@{ws.bot_user}> note -5m it began to fill"})
    first, second = (cast.incident().entries[number] for number in (2, 3))
    assert (first.at, second.at) == (said_at, said_at - timedelta(minutes=5))
    assert first.event.recorded_at == said_at + timedelta(minutes=42)


def test_a_fault_behind_a_button_is_told_to_who_tapped_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    asked = cast.type(cast.ben, "the pool is empty")
    with monkeypatch.context() as broken:
        broken.setattr("bot.scribe.decide", None)
        cast.stage.workspace.click(cast.ben, asked, "Note")
    cast.stage.pump()
    (told,) = cast.stage.workspace.ephemerals(cast.ben, cast.channel)[-1:]
    reference = re.search(r"reference ([0-9a-f]{8})", caplog.text)
    assert reference is not None
    assert reference[1] in told.text
    assert len(cast.texts()) == 1
    cast.stage.workspace.click(cast.ben, asked, "Note")
    assert cast.texts()[-1][2] == "the pool is empty", "the button still stands"


# ---- a slip is put right in one go ---------------------------------------------------------------


def test_a_verb_that_was_an_everyday_word_becomes_a_note_that_keeps_its_time(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, "well at 02:59 the cache was cold")
    cast.stage.workspace.click(cast.ada, answer, "Make it a note")
    number, kind, text = cast.texts()[-1]
    assert (number, kind, text) == (3, Kind.NOTE, "well the cache was cold")
    assert cast.incident().entries[3].at == datetime(2026, 11, 21, 2, 59, tzinfo=UTC)


def test_a_slip_is_not_taken_back_where_the_note_cannot_be_made(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, "well " + "x" * 3999)
    before = cast.texts()
    seq = cast.incident().seq
    cast.stage.workspace.click(cast.ada, answer, "Make it a note")
    cast.stage.pump()
    assert (cast.texts(), cast.incident().seq) == (before, seq)
    assert "characters" in cast.stage.workspace.ephemerals(cast.ada, cast.channel)[-1].text


def test_resolved_by_a_slip_is_open_again_with_the_same_tap_that_makes_it_a_note(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, "resolved the ticket with the vendor")
    cast.stage.workspace.click(cast.ada, answer, "Make it a note")
    assert cast.incident().is_open
    assert cast.texts()[-1][1:] == (Kind.NOTE, "resolved the ticket with the vendor")
    cast.stage.settle()
    assert not [one for one in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in one.text]


# ---- people and channels change ------------------------------------------------------------------


def asked_slack(cast: Cast, method: str) -> int:
    return sum(call.method == method for call in cast.stage.workspace.calls)


def test_people_are_looked_up_once_a_day(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    before = asked_slack(cast, "users.info")
    for hours in (1, 20):
        cast.stage.clock.advance(timedelta(hours=hours))
        cast.type(cast.ada, "note still the same")
    assert asked_slack(cast, "users.info") == before
    cast.ada.display_name, cast.ada.tz = "Ada King", "Europe/Paris"
    cast.stage.clock.advance(timedelta(hours=4))
    cast.type(cast.ada, "note a day later")
    assert asked_slack(cast, "users.info") == before + 1
    with cast.stage.app.store.reading() as tx:
        person = tx.person(cast.stage.workspace.team, cast.ada.id)
    assert person is not None
    assert (person.name, person.zone) == ("Ada King", "Europe/Paris")


def test_the_channel_of_an_incident_is_looked_at_once_a_day(cast: Cast) -> None:
    """It may have become private since: then nobody elsewhere sees its incidents any more."""
    cast.type(cast.ada, "start Checkout returns errors")
    other = cast.stage.workspace.add_channel("general", members=[cast.ben])
    assert "INC-1" in cast.type(cast.ben, "list", other).text
    cast.channel.kind = "group"
    cast.stage.clock.advance(timedelta(hours=25))
    cast.type(cast.ada, "note a day later")
    assert "INC-1" not in cast.type(cast.ben, "list", other).text


def test_a_channel_that_another_company_shares_sees_its_own_incidents_only(cast: Cast) -> None:
    ws = cast.stage.workspace
    cast.type(cast.ada, "start Checkout returns errors")
    guest = ws.add_user("guest", team="T0ACME")
    shared = ws.add_channel("with-acme", members=[cast.ben, guest], ext_shared=True, bot_in=True)
    ws.say(guest, shared, "@scribe list")
    cast.stage.pump()
    (shown,) = ws.ephemerals(guest, shared)
    assert "Checkout" not in shown.text
    assert "Checkout" not in cast.type(cast.ben, "list", shared).text
    assert "Checkout" not in cast.type(cast.ben, "note the pool is empty", shared).text
    assert "no INC-1 that you may see" in cast.type(cast.ben, "note INC-1: the pool is empty", shared).text
    cast.type(cast.ben, "start Acme's orders fail", shared)
    assert "Acme" in cast.type(cast.ben, "list", shared).text
    assert "Checkout" in cast.type(cast.ben, "list", cast.channel).text


# ---- what a note may tell ------------------------------------------------------------------------


def test_a_note_that_says_who_was_paged_is_offered_as_an_escalation_and_taken_as_none(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, "note paged the DBA team")
    assert cast.texts()[-1] == (2, Kind.NOTE, "paged the DBA team")
    assert "entry 2 may say: `/incident edit 2 as escalated`" in cast.type(cast.ben, "gaps").text
    cast.stage.workspace.click(cast.ben, answer, "Record as “escalated”")
    assert cast.texts()[-1] == (2, Kind.ESCALATION, "paged the DBA team")
    assert "may say" not in cast.type(cast.ben, "gaps").text
    again = cast.type(cast.ada, "note paged the network team")
    assert not any(block["type"] == "actions" for block in again.blocks)


# ---- words that blame, and secrets: for their author alone ---------------------------------------


def whispers(cast: Cast, who: User) -> list[str]:
    cast.stage.pump()
    return [one.text for one in cast.stage.workspace.ephemerals(who, cast.channel)]


def test_words_that_blame_are_pointed_out_to_their_author_alone_and_kept(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ben, "cause human error")
    assert answer.in_channel
    assert "ends the search" not in answer.text
    (told,) = whispers(cast, cast.ben)
    assert "“human error”" in told
    assert "Only you see this." in told
    assert "/incident edit 2" in told
    assert whispers(cast, cast.ada) == []
    assert cast.texts()[-1] == (2, Kind.CAUSE, "human error")
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    (annex,) = cast.stage.settings.export_dir.glob("*.timeline.md")
    notes = annex.read_text().split("Review notes")[1].split("## ")[0]
    assert "“human error”" in notes
    cast.type(cast.ada, "publish")
    cast.stage.settle()
    newest = max(cast.stage.settings.export_dir.glob("*.timeline.md"), key=lambda path: path.stat().st_mtime_ns)
    assert "Review notes" not in newest.read_text()


def test_a_colleague_named_as_the_cause_is_pointed_out_and_a_role_is_not(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ben, "note I look at the pool")
    cast.type(cast.ada, "cause caused by Ben")
    assert len(whispers(cast, cast.ada)) == 1
    cast.type(cast.ada, "action the engineer on call removed the directory")
    assert len(whispers(cast, cast.ada)) == 1


def test_a_pasted_secret_is_pointed_out_to_its_author_and_never_repeated(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    secret = "ghp_" + "a1B2c3D4" * 5
    cast.type(cast.ben, f"note the token is {secret}")
    (told,) = whispers(cast, cast.ben)
    assert "/incident redact 2" in told
    assert secret not in told
    assert secret[8:20] not in told


def test_what_slack_refuses_to_whisper_troubles_nobody(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.stage.workspace.fail("chat.postEphemeral", error="user_not_in_channel")
    cast.type(cast.ben, "cause human error")
    assert "Not delivered" not in cast.type(cast.ada, "status").text
    with cast.stage.app.store.reading() as tx:
        assert tx.letters("parked") == []


def test_a_section_that_a_person_wrote_says_what_is_newer_than_it(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, "edit section cause The pool was too small.")
    cast.type(cast.ada, "note not about the cause")
    cast.type(cast.ben, "factor the alert was muted")
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    (path,) = [p for p in cast.stage.settings.export_dir.glob("*.md") if "timeline" not in p.name]
    section = path.read_text().split("## Root cause and resolution")[1].split("\n## ")[0]
    assert "The pool was too small." in section
    assert re.findall(r"entry (\d+)", section.split("Newer than this text")[1]) == ["3"]


# ---- words that stand in no entry ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "redact"),
    [
        ("title Checkout is down, key hunter22", "redact title"),
        ("title customers: Payments fail, key hunter22", "redact title"),
        ("edit section cause the key is hunter22", "redact section cause"),
        ("review tomorrow hunter22", "redact review"),
    ],
)
def test_words_that_stand_in_no_entry_can_be_destroyed_as_well(cast: Cast, line: str, redact: str) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    cast.type(cast.ada, line)
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    asked = cast.type(cast.ben, redact)
    cast.stage.workspace.click(cast.ben, asked, "Destroy it")
    cast.stage.settle()
    database = cast.stage.settings.database
    for path in [*database.parent.glob("scribe.db*"), *cast.stage.settings.export_dir.glob("*")]:
        assert b"hunter22" not in path.read_bytes(), path.name
    shown = cast.type(cast.ada, "status").text + cast.type(cast.ada, "list").text + cast.type(cast.ada, "timeline").text
    assert "hunter22" not in shown
    posts = [one for one in cast.stage.workspace.messages(cast.channel) if "Postmortem draft" in one.text]
    assert all("hunter22" not in one.text for one in posts)
    assert cast.stage.app.store.verify()[2] == []
    cast.type(cast.ada, "title Payments are down")
    assert "Payments are down" in cast.type(cast.ada, "list").text


def test_there_is_nothing_to_destroy_where_nobody_wrote_anything(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    assert "Nobody has written a section cause" in cast.type(cast.ada, "redact section cause").text
    assert "There is no section" in cast.type(cast.ada, "redact section causes").text


def test_an_entry_that_was_captured_leads_to_its_message(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout returns errors")
    said = cast.stage.workspace.say(cast.ben, cast.channel, "I halved the pool")
    cast.stage.workspace.message_shortcut(cast.ada, cast.channel, said.ts, "add_to_timeline")
    cast.stage.workspace.submit(cast.ada, values={"kind": "action"})
    cast.type(cast.ada, "resolve at now")
    cast.stage.settle()
    (annex,) = cast.stage.settings.export_dir.glob("*.timeline.md")
    with cast.stage.app.store.reading() as tx:
        workspace = tx.installation(cast.stage.workspace.team)
    assert workspace is not None
    address = f"{workspace.url.rstrip('/')}/archives/{cast.channel.id}/p{said.ts.replace('.', '')}"
    assert f"[a Slack message]({address})" in annex.read_text()


# ---- answers that say how a line was understood --------------------------------------------------


def buttons(answer: Answer) -> list[str]:
    return [b["text"]["text"] for block in answer.blocks for b in block.get("elements", []) if b["type"] == "button"]


def test_a_line_with_a_verb_opens_an_incident_where_none_is_open_anywhere(cast: Cast) -> None:
    answer = cast.type(cast.ada, "note checkout down")
    assert answer.text.startswith("No incident is open in this channel.")
    assert buttons(answer) == ["Start “checkout down”"]
    cast.stage.workspace.click(cast.ada, answer, "Start “checkout down”")
    cast.stage.pump()
    assert cast.incident().title == "checkout down"


def test_what_is_no_beginning_of_an_incident_opens_none(cast: Cast) -> None:
    for line in ("note", "worked 3", "resolve all is well", "todo cap the pool"):
        assert buttons(cast.type(cast.ada, line)) == []


def test_a_mistyped_start_opens_the_incident_with_one_tap(cast: Cast) -> None:
    answer = cast.type(cast.ada, "strat sev1 checkout down")
    assert buttons(answer)[0] == "start sev1 checkout down"
    cast.stage.workspace.click(cast.ada, answer, "start sev1 checkout down")
    cast.stage.pump()
    assert (cast.incident().title, cast.incident().severity) == ("checkout down", 1)


def test_the_answer_to_an_end_of_impact_never_says_what_is_not_so(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down since 02:50")
    cast.type(cast.ada, "mitigated 02:58 pool halved")
    cast.type(cast.ada, "again 03:00 errors are back")
    assert "Impact was on already" in cast.type(cast.ada, "again 03:02 still").text
    asked = cast.type(cast.ada, "mitigated 02:59 pool halved again")
    assert asked.text.startswith("That is before impact came back (#3, 03:00 GMT).")
    cast.stage.workspace.click(cast.ada, asked, "Keep 21 November 2026 02:59 GMT")
    cast.stage.pump()
    kept = cast.stage.workspace.messages(cast.channel)[-1].text
    assert "Impact came back at 03:00 GMT (6 min ago) (#3) and is still on." in kept
    assert "stopped after" not in kept
    assert "Impact stopped after" in cast.type(cast.ada, "mitigated 03:04").text
    again = cast.type(cast.ada, "mitigated 03:05 for sure").text
    assert "Impact was over already, since 03:04 GMT (2 min ago); it now counts until the later time." in again


def test_a_late_fact_is_put_on_the_incidents_own_day_with_one_tap(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down since 02:50")
    cast.type(cast.ada, "resolve at now")
    cast.stage.clock.advance(timedelta(hours=30))
    asked = cast.type(cast.ada, "note 03:01 the graph was flat")
    assert buttons(asked) == ["21 November 2026 03:01 GMT", "22 November 2026 03:01 GMT"]
    cast.stage.workspace.click(cast.ada, asked, "21 November 2026 03:01 GMT")
    cast.stage.pump()
    entry = cast.incident().entries[3]
    assert (entry.at, entry.text) == (datetime(2026, 11, 21, 3, 1, tzinfo=UTC), "the graph was flat")
    assert "22 November 2026 09:06 GMT" in cast.type(cast.ada, "note somebody asks").text


def test_a_time_read_in_ones_own_zone_is_offered_in_the_incidents(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down since 02:50")
    asked = cast.type(cast.ben, "note 03:03 the pool is full")
    assert buttons(asked)[0] == "21 November 2026 03:03 GMT, 3 min ago"
    cast.stage.workspace.click(cast.ben, asked, "21 November 2026 03:03 GMT, 3 min ago")
    cast.stage.pump()
    entry = cast.incident().entries[2]
    assert (entry.at, entry.text) == (datetime(2026, 11, 21, 3, 3, tzinfo=UTC), "the pool is full")


def test_reopening_asks_whether_users_are_affected_again(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down since 02:50")
    cast.type(cast.ada, "mitigated")
    cast.type(cast.ada, "resolve at now")
    cast.stage.clock.advance(timedelta(minutes=10))
    answer = cast.type(cast.ada, "reopen errors are back")
    assert "Users affected again? /incident again …" in answer.text
    cast.stage.workspace.click(cast.ada, answer, "Users are affected again")
    cast.stage.pump()
    assert cast.texts()[-1] == (5, Kind.AGAIN, "errors are back")
    assert len(cast.incident().windows()) == 2


def test_none_by_number_answers_in_the_questions_own_words(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    gaps = cast.type(cast.ada, "gaps").text
    (number,) = re.findall(r"^(\d+)\. Which paths misled\?", gaps, re.MULTILINE)
    assert cast.type(cast.ada, f"none {number}").text == (
        "➖ Nothing to say about: What was assumed about the cause? Which paths misled?"
    )
    (leads,) = re.findall(r"^(\d+)\. Who leads\?", cast.type(cast.ada, "gaps").text, re.MULTILINE)
    assert "/incident lead @person" in cast.type(cast.ada, f"none {leads}").text
    cast.type(cast.ada, "escalated to DBAs: the pool is full")
    assert "Who was called in? That is known: #2." in cast.type(cast.ada, "none escalation").text


def test_each_question_of_the_review_is_a_gap_until_it_is_answered(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    assert "R2: Which warnings were missed?   `/incident answer R2 …`" in cast.type(cast.ada, "gaps").text
    answer = cast.type(cast.ada, "answer R2 the disk alert of Monday")
    assert "Answer to R2 “Which warnings were missed?”: the disk alert of Monday" in answer.text
    gaps = cast.type(cast.ada, "gaps").text
    assert "R2: " not in gaps
    assert "R3: Which actions helped?" in gaps
    cast.type(cast.ada, "question Why did the alert take so long?")
    assert "Answer to R6 “Why did the alert take so long?”: muted" in cast.type(cast.ada, "answer R6 muted").text


def test_a_review_is_called_for_a_time_with_its_zone(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    answer = cast.type(cast.ben, "review tomorrow 10:00 @chidi")
    assert "for 21 November 2026 15:00 GMT / 10:00 EST, led by" in answer.text
    assert "for after lunch" in cast.type(cast.ada, "review after lunch").text


def test_what_scribe_does_not_do_is_said_once_an_incident(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    assert "Scribe pages nobody" in cast.type(cast.ada, "escalated to DBAs: the pool is full").text
    assert "Scribe pages nobody" not in cast.type(cast.ada, "escalated to network: packets are lost").text
    assert "Scribe posts it nowhere" in cast.type(cast.ada, "told customers: payments fail").text
    assert "Scribe posts it nowhere" not in cast.type(cast.ada, "told customers: they still fail").text


def test_answers_use_the_right_words(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    cast.type(cast.ada, "note rolled back")
    assert cast.type(cast.ada, "edit 2 as action").text == "✏️ #2 is now an action: “rolled back”"
    assert cast.type(cast.ada, "undo").text == "↩️ Ada took back that #2 is an action; it is a note again: “rolled back”"
    assert "There is no entry 99: the number is part" in cast.type(cast.ada, "ruledout 99 nope").text
    cast.type(cast.ada, "todo cap the pool")
    assert cast.type(cast.ada, "done 1").text == "✅ T1 is done: “cap the pool”"
    assert "comes to you as a direct message" in cast.type(cast.ada, "export md").text
    assert "Formats: md" in cast.type(cast.ada, "export pdf").text
    assert "type /incident timeline to see" in cast.type(cast.ada, "remove 77").text


def test_the_status_shows_icons_dead_ends_and_the_stage(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    cast.type(cast.ada, "hypothesis deploy 4711")
    cast.type(cast.ada, "ruledout 2 rollback changed nothing")
    cast.type(cast.ada, "told some payments fail")
    status = cast.type(cast.ada, "status").text
    assert "💡 #2 deploy 4711 (ruled out: #3)" in status
    assert "*Told*  (no audience named)" in status
    assert "*Document*" not in status
    cast.type(cast.ada, "resolve at now")
    assert "*Document*  draft" in cast.type(cast.ada, "status").text


def test_a_redaction_is_no_addendum(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    cast.type(cast.ada, "note the key is hunter22")
    cast.type(cast.ada, "resolve at now")
    cast.type(cast.ada, "publish")
    cast.stage.settle()
    assert "this is an addendum" in cast.type(cast.ada, "note late").text
    asked = cast.type(cast.ada, "redact 2")
    cast.stage.workspace.click(cast.ada, asked, "Destroy the text")
    cast.stage.pump()
    said = [m.text for m in cast.stage.workspace.messages(cast.channel) if "The text of #2 is destroyed" in m.text]
    assert len(said) == 1
    assert "addendum" not in said[0]


def test_the_answer_to_a_captured_message_names_its_author(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    cast.type(cast.ben, "note here")
    said = cast.stage.workspace.say(cast.ben, cast.channel, "I halved the pool")
    cast.stage.workspace.message_shortcut(cast.ada, cast.channel, said.ts, "add_to_timeline")
    cast.stage.workspace.submit(cast.ada, values={"kind": "action"})
    cast.stage.pump()
    (answer,) = [m.text for m in cast.stage.workspace.messages(cast.channel) if m.text.startswith("🔧")]
    assert answer.endswith("· Ben: I halved the pool")


def test_a_mention_may_stand_before_the_verb_anywhere(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    cast.stage.workspace.say(cast.ben, cast.channel, "hey @scribe action doubled the pool")
    cast.stage.settle()
    assert cast.texts()[-1] == (2, Kind.ACTION, "doubled the pool")


def test_several_secrets_of_one_entry_are_one_line(cast: Cast) -> None:
    cast.type(cast.ada, "start Checkout is down")
    cast.type(cast.ada, "note password for orders-db is hunter2 and password for stock-db is hunter3")
    cast.stage.settle()
    said = [e.text for e in cast.stage.workspace.ephemerals(cast.ada, cast.channel) if "🔑" in e.text]
    assert len(said) == 1
    assert said[0].count("🔑") == 1
    assert "(and 1 more)" in said[0]
    assert "hunter" not in said[0]


def test_a_text_without_a_verb_that_is_too_long_is_answered_where_nothing_is_open(cast: Cast) -> None:
    assert "“latency” is no verb" in cast.type(cast.ada, "latency " * 600).text


def test_where_scribe_is_not_invited_the_draft_is_not_promised_for_a_time(stage: Stage) -> None:
    cast = Cast(stage, private=True)
    cast.type(cast.ada, "start Checkout returns errors")
    answer = cast.type(cast.ada, "resolve at now")
    assert "The draft waits until I am in this channel: /invite @Scribe." in answer.text
    assert "follows here" not in answer.text
    cast.stage.settle()
    cast.stage.workspace.invite_bot(cast.channel)
    cast.stage.settle()
    assert any("Postmortem draft" in one.text for one in cast.stage.workspace.messages(cast.channel))
