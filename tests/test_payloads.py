"""Slack's text and time stamps, to plain words and times and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.payloads import clip, escape, mrkdwn, plain, time_to_ts, ts_to_time


@pytest.mark.parametrize(
    ("heard", "words", "mentions"),
    [
        ("paged <@U1|ada>", "paged @ada", {"@ada": "U1"}),
        ("paged <@U1>", "paged @U1", {"@U1": "U1"}),
        ("paged <@W1>", "paged @Grace Hopper", {"@Grace Hopper": "W1"}),
        ("<@U1|> and <@U1|ada>", "@U1 and @ada", {"@U1": "U1", "@ada": "U1"}),
        ("<@U1|ada>, <@U2|ada>, <@U1|ada>", "@ada, @ada (U2), @ada", {"@ada": "U1", "@ada (U2)": "U2"}),
        ("<@U1|j&amp;j>", "@j&j", {"@j&j": "U1"}),
        ("see <#C1|general>", "see #general", {"#general": "C1"}),
        ("see <#C1|>", "see #C1", {"#C1": "C1"}),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone", {}),
        ("<!here|here>", "@here", {}),
        ("<!subteam^S1|@dba> and <!subteam^S2>", "@dba and @S2", {}),
        ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014", {}),
        ("<!date^1392734382^{date}^https://x.example/|18 Feb>", "18 Feb", {}),
        ("<https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2", {}),
        ("<http://x.example|x.example>", "x.example", {}),
        ("<https://x.example|https://x.example>", "https://x.example", {}),
        ("<https://evil.example|https://bank.example>", "https://bank.example (https://evil.example)", {}),
        ("<https://x.example/run|the runbook>", "the runbook (https://x.example/run)", {}),
        ("<mailto:a@b.example|a@b.example>", "a@b.example", {}),
        ("<mailto:a@b.example>", "a@b.example", {}),
        ("<mailto:a@b.example|Ann>", "Ann (a@b.example)", {}),
        ("<tel:+4412345|+44 12345>", "+44 12345 (+4412345)", {}),
    ],
)
def test_mentions_and_links_become_words(heard: str, words: str, mentions: dict[str, str]) -> None:
    assert plain(heard, {"W1": "Grace Hopper"}) == (words, mentions)


def test_what_was_typed_in_angle_brackets_stays_what_was_typed() -> None:
    assert plain("&lt;@U1&gt; and &lt;!channel&gt;") == ("<@U1> and <!channel>", {})


def test_escapes_are_undone_once() -> None:
    assert plain("&amp;lt; is how &lt; is written, &amp;amp; too") == ("&lt; is how < is written, &amp; too", {})


def test_brackets_that_are_no_markup_are_kept() -> None:
    assert plain("p99 <5 s, <b>, <>, a > b") == ("p99 <5 s, <b>, <>, a > b", {})


def test_a_group_and_a_person_of_the_same_name_stay_two() -> None:
    assert plain("<!subteam^S1|@dba> <@U1|dba>") == ("@dba @dba (U1)", {"@dba (U1)": "U1"})


def test_lines_emoji_and_quotes_are_kept_exactly() -> None:
    text = "“first”\n\n  second\t🔥 :fire: it's *bold* \u00a0"
    assert plain(text) == (text, {})


@given(st.text())
def test_what_was_escaped_comes_back_as_it_was(text: str) -> None:
    assert plain(escape(text)) == (text, {})


@given(st.text("<>@#!|^&;UCW1a:/\n", max_size=40))
def test_any_text_can_be_read_and_every_mention_stands_in_the_words(text: str) -> None:
    words, mentions = plain(text)
    assert [mention for mention in mentions if mention not in words] == []


@given(st.text())
def test_recorded_words_hold_no_markup(text: str) -> None:
    assert not set("<>") & set(mrkdwn(text))


def test_a_ts_is_a_time_to_the_microsecond() -> None:
    assert ts_to_time("1700000000.000100") == datetime(2023, 11, 14, 22, 13, 20, 100, tzinfo=UTC)
    assert ts_to_time("1700000000") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_time_of_another_zone_is_the_same_ts() -> None:
    paris = timezone(timedelta(hours=1))
    assert time_to_ts(datetime(2023, 11, 14, 23, 13, 20, 999999, tzinfo=paris)) == "1700000000.999999"


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_time_survives_being_a_ts(time: datetime) -> None:
    assert ts_to_time(time_to_ts(time)) == time


@pytest.mark.parametrize("ts", ["", "now", "1700000000.0001000", "-1.0", "1e9", "٣", "999999999999.000000", " 1.0"])
def test_what_is_no_ts_is_said_to_be_none(ts: str) -> None:
    with pytest.raises(ValueError, match="not a message's ts"):
        ts_to_time(ts)


@pytest.mark.parametrize("time", [datetime(2023, 11, 14), datetime(1969, 12, 31, tzinfo=UTC)])  # noqa: DTZ001 - the point
def test_a_time_that_cannot_be_a_ts_is_refused(time: datetime) -> None:
    with pytest.raises(ValueError, match=r"zone|1970"):
        time_to_ts(time)


def test_clipping_keeps_within_the_limit_and_shows_that_it_cut() -> None:
    assert [clip("abc def", limit) for limit in (7, 6, 5, 1)] == ["abc def", "abc d…", "abc…", "…"]
