"""Which messages look like entries, of what kind, and which time they tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.suggest import Message, suggest, told

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


def said(*lines: str, every: int = 60, zone: str = "UTC") -> list[Message]:
    """Messages a minute apart, each `who: text`; a name that ends in -bot is a program."""
    found = []
    for number, line in enumerate(lines):
        who, text = line.split(": ", 1)
        at = NOON + timedelta(seconds=every * number)
        found.append(Message(f"{number}", at, who, text, program=who.endswith("-bot"), zone=zone))
    return found


def kinds(*lines: str, under_way: bool = True, every: int = 60) -> dict[str, str]:
    return {one.text: one.kind for one in suggest(said(*lines, every=every), under_way=under_way)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("restarted the three app servers", "action"),
        ("I've rotated the signing key", "action"),
        ("draining node 7 now", "action"),
        ("going through the audit log of the last two days", "action"),
        ("maybe it's the new load balancer config", "hypothesis"),
        ("could it be that the cron job ran twice?", "hypothesis"),
        ("rolled out the old image, no effect", "dead_end"),
        ("it was not the deploy, ruled out", "dead_end"),
        ("the failover is stuck", "dead_end"),
        ("helps a bit, but not nearly enough", "dead_end"),
        ("our two-hour estimate was wrong", "dead_end"),
        ("there are no snapshots of the database servers", "dead_end"),
        ("my guess: the cache never warms up", "hypothesis"),
        ("are we being attacked?", "hypothesis"),
        ("I mistyped the selector", "cause"),
        ("the admin key was not rotated", "cause"),
        ("going yellow", "update"),
        ("press statement is released", "update"),
        ("they copied the password file", "note"),
        ("paged the storage on-call", "escalation"),
        ("can an engineer please look, nine tickets now", "escalation"),
        ("I need help to find a backup", "escalation"),
        ("declaring a sev1", "escalation"),
        ("status page updated: payments are delayed", "update"),
        ("we told all customers by mail", "update"),
        ("error rate is back to normal", "mitigation"),
        ("workaround is in place", "mitigation"),
        ("closing the incident", "resolution"),
        ("root cause: the certificate was not renewed", "cause"),
        ("p99 is at 4.2 s on all 12 pods", "note"),
    ],
)
def test_an_entry_is_found_with_its_kind(text: str, kind: str) -> None:
    assert kinds(f"ada: {text}") == {text: kind}


@pytest.mark.parametrize(
    "text",
    [
        "good morning everyone",
        "thanks!",
        "lol",
        "brb, lunch",
        "can you take a look please",
        "who owns this service?",
        "I will write a ticket tomorrow",
        "post-mortem is on Thursday, invite follows",
        ":tada: :tada:",
        "https://example.org/graph",
        "```\nkubectl get pods\n```",
        "> restarted the database",
        "yes",
        "",
    ],
)
def test_talk_is_left_out(text: str) -> None:
    assert kinds(f"ada: {text}") == {}


def test_a_join_is_no_entry() -> None:
    joined = Message("1", NOON, "ada", "restarted the database", notice=True)
    assert suggest([joined], under_way=True) == []


def test_what_is_recorded_already_is_not_offered() -> None:
    messages = said("ada: restarted the database", "bob: paged the storage on-call")
    assert [one.id for one in suggest(messages, {"0"}, under_way=True)] == ["1"]


def test_the_first_sight_of_trouble_is_how_it_was_found_and_later_ones_are_notes() -> None:
    found = kinds(
        "ada: users are reporting errors at login",
        "bob: restarted the login service",
        "ada: users are reporting errors at checkout too",
        under_way=False,
    )
    assert list(found.values()) == ["detection", "action", "note"]


def test_everyday_work_before_anything_happened_is_left_out() -> None:
    assert kinds("ada: deploying 8.16 to canary", "bob: bumped the linter", under_way=False) == {}


def test_of_a_person_and_a_program_that_say_the_same_the_person_stays() -> None:
    words = "declaring an incident: checkout returns errors in all regions"
    found = suggest(said(f"incident-bot: {words}", f"ada: {words}", "bob: on it"))
    assert [(one.author, one.kind) for one in found] == [("ada", "escalation")]


def test_what_differs_in_figures_only_is_offered_once() -> None:
    found = kinds("ada: 4100 orders are stuck in the queue", "ada: 3900 orders are stuck in the queue")
    assert list(found) == ["4100 orders are stuck in the queue"]


@pytest.mark.parametrize("text", ["copy is at 18 % of 300 GB", "index at 71%", "2.9M to go", "restore cluster-c 44%"])
def test_how_far_something_is_is_no_entry(text: str) -> None:
    assert kinds(f"ada: {text}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "nobody is mad at the database team",
        "the press wants a statement about the database",
        "someone on the forum claims that the servers burned",
        "no deploys of the api this week please",
        "architecture review of the cache layer on friday",
    ],
)
def test_a_statement_that_is_only_talk_is_left_out(text: str) -> None:
    assert kinds("ada: users report errors at login", f"bob: {text}") == {"users report errors at login": "detection"}


@pytest.mark.parametrize(
    "answer", ["no. the servers are clean, it is the dns that points elsewhere", "nope, volumes are flat"]
)
def test_a_no_to_a_guess_closes_a_path(answer: str) -> None:
    guess = "maybe somebody attacks the new servers"
    assert kinds(f"ada: {guess}", f"bob: {answer}") == {guess: "hypothesis", answer: "dead_end"}


def test_that_it_is_better_right_after_something_was_done_is_a_note() -> None:
    found = kinds(
        "ada: turned the new rule off", "ada: error rate is back to normal", "bob: maybe the cache is cold", every=600
    )
    assert list(found.values()) == ["mitigation", "note", "hypothesis"]


def test_the_last_good_news_is_the_end() -> None:
    found = kinds(
        "ada: users report errors at login",
        "ada: paged the storage on-call",
        "bob: reads are working again",
        "bob: restarted the write path",
        "bob: writes are working again",
        every=3600,
    )
    assert list(found.values()) == ["detection", "escalation", "mitigation", "action", "resolution"]


def test_an_end_that_is_followed_by_more_good_news_was_a_part() -> None:
    found = kinds(
        "ada: users report errors at login",
        "ada: restarted the login service",
        "bob: login has fully recovered",
        "bob: closing the incident, all fine",
        every=3600,
    )
    assert list(found.values()) == ["detection", "action", "mitigation", "resolution"]


def test_after_the_end_a_plain_statement_is_left_out_until_trouble_comes_again() -> None:
    story = ("ada: users report errors at login", "bob: closing the incident")
    after = "bob: main switch serves two racks with dual uplinks"
    again = "ada: another report: checkout returns errors"
    assert list(kinds(*story, after).values()) == ["detection", "resolution"]
    assert list(kinds(*story, again, after).values()) == ["detection", "resolution", "detection", "note"]


def test_a_program_that_announces_well_before_a_person_does_has_its_own_news() -> None:
    story = ("ada: checkout is down, users report errors", "host-bot: Hosting status: we are investigating slow disks")
    told = "ada: told all customers by mail that checkout is down"
    assert list(kinds(*story, told, every=300).values()) == ["detection", "update", "update"]
    assert list(kinds(*story[:1], told, *story[1:], every=60).values()) == ["detection", "update"]


def test_a_ticket_from_outside_counts_where_people_take_it_up() -> None:
    ticket = 'desk-bot: New ticket: "my parcel label is blank"'
    assert kinds(ticket, under_way=False) == {}
    found = kinds(ticket, "ada: labels are blank for all printers since the font change", under_way=False)
    assert next(iter(found.values())) == "detection"


def test_an_alarmed_opening_makes_a_finding_a_detection_even_late() -> None:
    found = kinds(
        "ada: users report errors at login",
        "ada: restarted the login service",
        "bob: hm. there is a strange key on the build server",
    )
    assert list(found.values()) == ["detection", "action", "detection"]


def test_an_alert_counts_where_people_take_it_up() -> None:
    alert = "alert-bot: [FIRING] orders-db connections 198/200"
    taken_up = suggest(said(alert, "ada: orders-db has no free connections, looking at the pool"))
    assert [one.author for one in taken_up][:1] == ["alert-bot"]
    assert suggest(said(alert)) == []
    assert suggest(said(alert, "alert-bot: [RESOLVED] orders-db connections 20/200", "ada: hm")) == []


def test_an_action_that_goes_on_in_half_a_sentence_is_found() -> None:
    assert list(kinds("ada: deleted the secret store", "ada: and the one in Azure").values()) == ["action", "action"]


def test_the_order_of_the_messages_does_not_matter() -> None:
    messages = said("ada: restarted the database", "bob: error rate is back to normal", "ada: closing the incident")
    assert suggest(messages[::-1], under_way=True) == suggest(messages, under_way=True)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("at 11:05 we restarted it", "UTC", "11:05"),
        ("down since 11:42", "UTC", "11:42"),
        ("it broke 10 minutes ago", "UTC", "11:50"),
        ("killed it half an hour ago", "UTC", "11:30"),
        ("started around 11am UTC", "Europe/Berlin", "11:00"),
        ("it failed @ 02:30 PST", "UTC", "10:30"),
        ("at 12:05 the alarm went off", "Europe/Berlin", "11:05"),
        ("yesterday 23:50 the disk filled up", "UTC", "23:50"),
        ("2026-03-03T09:15Z first error in the log", "UTC", "09:15"),
        ("first call was at 09:47 today, 1,912 in total", "UTC", "09:47"),
        ("restarted it", "UTC", ""),
        ("will be back at 18:00", "UTC", ""),
        ("meeting at 11:30", "UTC", ""),
        ("electrician arrives at 13:00", "UTC", ""),
        ("between 11:00 and 11:30 nobody could pay", "UTC", ""),
        ("the ratio is 16:90", "UTC", ""),
        ("docs 0:1 us", "UTC", ""),
        ("it is 10 am here", "UTC", ""),
        ("```\n11:05 error\n```", "UTC", ""),
    ],
)
def test_the_time_that_a_message_tells(text: str, zone: str, expected: str) -> None:
    when = told(text, NOON, zone)
    assert (f"{when.at:%H:%M}" if when else "") == expected


def test_a_time_said_about_is_about() -> None:
    when = told("started around 11:20", NOON, "UTC")
    assert when is not None
    assert when.approx


def test_a_time_that_cannot_be_the_authors_is_read_in_the_zone_of_the_others() -> None:
    messages = said(
        "lena: checkout is down, users report errors", "lena: 12 of 12 pods restarted", zone="Europe/Berlin"
    )
    far = Message(
        "9", NOON + timedelta(minutes=5), "kofi", "found it: the report job ran since 12:55", zone="Africa/Accra"
    )
    last = suggest([*messages, far])[-1]
    assert (last.author, last.told, last.at) == ("kofi", True, datetime(2026, 3, 3, 11, 55, tzinfo=UTC))


def test_no_text_of_repeated_words_keeps_the_rules_busy_for_ever() -> None:
    texts = [
        "a " * 5000,
        "at " * 3000,
        "(" * 5000,
        "no " * 3000,
        "1:" * 4000,
        ", " * 4000,
        "ed ing " * 2000,
        "@" * 5000,
        "i have " * 2000,
        "we have just " * 1000,
        "." * 9000,
        "ok " * 3000,
        "hm. " * 3000,
        "is at 9 % " * 2000,
        "need an " * 2000,
        "so people can " * 1000,
        "no x " * 3000,
        "keys removed " * 2000,
        "it is not " * 2000,
    ]
    found = suggest(said(*(f"ada: {text}" for text in texts), "ada: restarted the database"), under_way=True)
    assert found[-1].text == "restarted the database"
