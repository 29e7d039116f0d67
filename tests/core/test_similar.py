"""Which earlier incidents are like one that begins: by title and services, rare words counting more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.core import events as ev
from bot.core.events import Kind
from bot.core.similar import Known, Precedent, as_it_stands, precedent, rank, words
from tests.core.builder import START, Record


def known(number: int, title: str, **places: str) -> Known:
    return Known(number, {"title": [title], **{place: [text] for place, text in places.items()}})


def ranked(title: str, earlier: Sequence[Known], *services: str) -> list[tuple[int, tuple[str, ...]]]:
    return [(one.number, one.words) for one in rank(title, services, earlier)]


OTHERS = [
    known(number, title)
    for number, title in enumerate(
        ["Search is slow", "Mails are late", "Login fails", "DNS returns errors", "Disk full on db1", "Images missing"],
        50,
    )
]


def test_the_incident_that_names_the_same_thing_is_found_and_errors_are_no_likeness() -> None:
    earlier = [*OTHERS, known(31, "Checkout times out")]
    assert ranked("Checkout returns errors", earlier) == [(31, ("Checkout",))]


def test_the_word_is_named_as_it_is_spelled_now_whatever_its_case_or_number_was() -> None:
    assert ranked("Payments fail", [*OTHERS, known(31, "PAYMENT down")]) == [(31, ("Payments",))]


def test_two_rare_words_are_more_alike_than_one_and_of_two_alike_the_newer_comes_first() -> None:
    earlier = [*OTHERS, known(1, "Checkout broken"), known(2, "Checkout broken"), known(3, "Checkout of orders broken")]
    assert ranked("Checkout of orders is down", earlier) == [
        (3, ("orders", "Checkout")),
        (2, ("Checkout",)),
        (1, ("Checkout",)),
    ]


def test_a_service_counts_as_much_as_a_title_and_a_cause_alone_does_not() -> None:
    earlier = [*OTHERS, known(1, "Slow", services="orders-db"), known(2, "Slow", cause="orders-db had no index")]
    assert ranked("orders-db is down", earlier) == [(1, ("orders-db",))]
    assert ranked("Errors", earlier, "orders-db") == [(1, ("orders-db",))]


def test_a_word_that_most_incidents_have_tells_none_of_them_apart() -> None:
    earlier = [known(number, f"Checkout {word}") for number, word in enumerate("abcdefgh")]
    assert ranked("Checkout down", earlier) == []


def test_of_a_few_incidents_none_is_called_common() -> None:
    earlier = [known(1, "Checkout slow"), known(2, "Checkout down")]
    assert [number for number, _ in ranked("Checkout errors", earlier)] == [2, 1]


@pytest.mark.parametrize("title", ["", "Errors", "Service is down", "!!!", "500", "& < > *", "it is what it is"])
def test_a_title_that_says_nothing_is_like_none(title: str) -> None:
    assert ranked(title, [*OTHERS, known(1, title)]) == []


def test_nothing_before_it_is_like_nothing() -> None:
    assert ranked("Checkout", []) == []


def test_words_of_other_scripts_are_words() -> None:
    assert ranked("Zahlungsverkehr gestört", [*OTHERS, known(9, "zahlungsverkehr")]) == [(9, ("Zahlungsverkehr",))]
    assert set(words("оплата не работает")) == {"оплата", "работает"}


def test_an_incident_says_what_stands_and_not_what_was_removed_or_destroyed() -> None:
    record = Record()
    record.say(Kind.SERVICES, "checkout, orders-db", added=("checkout", "orders-db"), removed=())
    wrong = record.say(Kind.CAUSE, "The network")
    record.mark(ev.Removed, entry=wrong, text="")
    secret = record.say(Kind.IMPACT, "hunter2")
    record.mark(ev.Redacted, entry=secret)
    record.say(Kind.TRIGGER, "deploy 4711")
    assert as_it_stands(record.incident()) == Known(
        42,
        {
            "title": ["Checkout returns errors"],
            "services": ["checkout", "orders-db"],
            "cause": ["deploy 4711"],
            "impact": [],
        },
    )


def test_what_is_shown_is_the_fix_else_what_ended_it_else_the_action_that_helped() -> None:
    record = Record()
    began = START

    def shown() -> Precedent | None:
        return precedent(record.incident())

    assert shown() == Precedent(42, "Checkout returns errors", began, "", False)
    helped = record.say(Kind.ACTION, "restarted the pool")
    record.mark(ev.EffectSeen, entry=helped, worked=True)
    assert shown() == Precedent(42, "Checkout returns errors", began, "restarted the pool", False)
    record.say(Kind.MITIGATED, "pool halved")
    assert shown() == Precedent(42, "Checkout returns errors", began, "pool halved", False)
    record.say(Kind.FIX, "The pool is capped.")
    record.say(Kind.RESOLUTION)
    assert shown() == Precedent(42, "Checkout returns errors", began, "The pool is capped.", True)


def test_drills_and_what_was_no_incident_are_not_shown() -> None:
    cancelled = Record()
    cancelled.say(Kind.CANCELLED, "false alarm")
    assert precedent(cancelled.incident()) is None
    assert precedent(Record(drill=True).incident()) is None


def test_five_hundred_incidents_of_long_texts_are_compared() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    earlier = [known(number, f"Title {number} of unit{number % 50}", cause=text) for number in range(500)]
    assert [number for number, _ in ranked("unit7 down", earlier)][:2] == [457, 407]
