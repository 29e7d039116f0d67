"""The web's doors: what a request must look like before Bolt sees it, and what every answer carries."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from werkzeug.test import TestResponse

from bot.web import create

NOW = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
STAMP = int(NOW.timestamp())
SECRET = "0123456789abcdef0123456789abcdef"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
COMMAND = {"command": "/incident", "text": "note it burns", "team_id": "T1", "user_id": "U1", "channel_id": "C1"}


class House:
    """A web application with a Bolt app behind it that writes down what it heard."""

    def __init__(self, *, signing_secret: str | None = SECRET, health: Callable[[], dict[str, Any]] = dict) -> None:
        self.heard: list[Any] = []
        bolt = App(
            signing_secret=SECRET,
            process_before_response=True,
            token_verification_enabled=False,
            authorize=lambda: AuthorizeResult(
                enterprise_id=None, team_id="T1", bot_user_id="UBOT", bot_id="B1", bot_token="xoxb-1"
            ),
        )

        @bolt.command("/incident")
        def command(ack: Any, body: dict[str, Any]) -> None:
            self.heard.append(body["text"])
            ack(f"heard {body['text']}")

        @bolt.event("reaction_added")
        def event(body: dict[str, Any]) -> None:
            self.heard.append(body["event_id"])

        @bolt.event("app_mention")
        def bug() -> None:
            raise LookupError("a bug")

        @bolt.action("undo")
        def action(ack: Any, action: dict[str, Any]) -> None:
            self.heard.append(action["value"])
            ack()

        @bolt.view("start")
        def view(ack: Any) -> None:
            ack(response_action="errors", errors={"title": "It is empty."})

        web = create(bolt=bolt, signing_secret=signing_secret, clock=lambda: NOW, health=health, max_body=10_000)
        self.client: FlaskClient = web.test_client()

    def knock(
        self, body: bytes | str, content_type: str = FORM, *, stamp: str | None = None, **headers: str
    ) -> TestResponse:
        """Post a signed body to /slack/events; keyword arguments replace headers."""
        raw = body.encode() if isinstance(body, str) else body
        signed = stamp if stamp is not None else str(STAMP)
        usual = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": signed,
            "X-Slack-Signature": sign(raw, signed),
        }
        given_headers = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/slack/events", data=raw, headers=given_headers)


def sign(body: bytes, stamp: str) -> str:
    """Sign as Slack does; slack_sdk's own signer takes nothing but UTF-8."""
    return "v0=" + hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def said(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_data(as_text=True).strip()


# --- what gets through ------------------------------------------------------------------------------------------------


def test_a_command_is_heard_and_answered() -> None:
    house = House()
    assert said(house.knock(urlencode(COMMAND))) == (200, "heard note it burns")
    assert house.heard == ["note it burns"]


def test_what_slacks_own_library_signs_is_heard() -> None:
    body = urlencode(COMMAND)
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=str(STAMP), body=body)
    assert House().knock(body, X_Slack_Signature=signature or "").status_code == 200


def test_a_command_may_hold_the_word_payload() -> None:
    """Bolt 1.30 takes a form for one with a `payload` field when the word occurs anywhere in it, and hears nothing."""
    assert said(House().knock(urlencode(COMMAND | {"text": "note payload= too big"}))) == (
        200,
        "heard note payload= too big",
    )


def test_a_command_keeps_every_character() -> None:
    text = "“quoted” 🔥 a+b&c=d % \u00a0 \n <@U1|ada>"
    assert said(House().knock(urlencode(COMMAND | {"text": text}))) == (200, f"heard {text}")


def test_an_event_is_heard() -> None:
    house = House()
    event = {"type": "reaction_added", "user": "U1", "item": {"type": "message", "channel": "C1", "ts": "1.000001"}}
    body = {"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": event}
    assert said(house.knock(json.dumps(body), "application/json; charset=utf-8")) == (200, "")
    assert house.heard == ["Ev1"]


def test_a_button_is_heard() -> None:
    house = House()
    payload = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "channel": {"id": "C1"},
        "enterprise": None,
        "actions": [{"type": "button", "action_id": "undo", "block_id": "b", "value": "12"}],
    }
    assert said(house.knock(urlencode({"payload": json.dumps(payload)}))) == (200, "")
    assert house.heard == ["12"]


def test_a_form_is_answered_in_json() -> None:
    view = {"type": "modal", "callback_id": "start"}
    payload = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U1"}, "view": view, "response_urls": []}
    answer = House().knock(urlencode({"payload": json.dumps(payload)}))
    assert (answer.status_code, answer.mimetype, answer.json) == (
        200,
        "application/json",
        {"response_action": "errors", "errors": {"title": "It is empty."}},
    )


def test_slack_may_verify_the_address() -> None:
    answer = House().knock(json.dumps({"type": "url_verification", "challenge": "abc"}), JSON)
    assert answer.json == {"challenge": "abc"}


def test_slack_may_probe_the_certificate() -> None:
    assert said(House().knock("ssl_check=1&token=x")) == (200, "")


def test_an_error_in_a_listener_is_heard_by_slack_as_500_so_that_the_event_comes_again() -> None:
    house = House()
    body = {"type": "event_callback", "team_id": "T1", "event": {"type": "app_mention", "user": "U1"}}
    assert house.knock(json.dumps(body), JSON).status_code == 500


# --- what does not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_request_may_be_five_minutes_off(seconds: int) -> None:
    assert House().knock(urlencode(COMMAND), stamp=str(STAMP + seconds)).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301, -STAMP, -2 * STAMP, 10**14])
def test_a_request_that_is_further_off_is_refused(house: House, seconds: int) -> None:
    status, words = said(house.knock(urlencode(COMMAND), stamp=str(STAMP + seconds)))
    assert (status, words) == (401, "The request is more than five minutes off: it is old, or a clock is wrong.")


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "1.5", " ", "1_0", "9" * 400, "0x10", "\u00b2"])
def test_a_time_stamp_that_is_no_number_is_refused(house: House, stamp: str) -> None:
    assert said(house.knock(urlencode(COMMAND), stamp=stamp)) == (
        400,
        "X-Slack-Request-Timestamp is missing or no number.",
    )


def test_a_request_without_a_time_stamp_is_refused(house: House) -> None:
    answer = house.client.post("/slack/events", data=urlencode(COMMAND), content_type=FORM)
    assert answer.status_code == 400


@pytest.mark.parametrize("signature", ["", "v0=", "v0=" + "0" * 64, "v0=é", "v1=" + "a" * 64])
def test_a_wrong_signature_is_refused(house: House, signature: str) -> None:
    assert said(house.knock(urlencode(COMMAND), X_Slack_Signature=signature)) == (
        401,
        "The signature does not fit: is SLACK_SIGNING_SECRET that of this app?",
    )


def test_a_request_without_a_signature_is_refused(house: House) -> None:
    headers = {"X-Slack-Request-Timestamp": str(STAMP)}
    answer = house.client.post("/slack/events", data=urlencode(COMMAND), content_type=FORM, headers=headers)
    assert answer.status_code == 401


def test_a_body_that_was_changed_is_refused(house: House) -> None:
    signature = sign(urlencode(COMMAND).encode(), str(STAMP))
    answer = house.knock(urlencode(COMMAND | {"text": "resolve"}), X_Slack_Signature=signature)
    assert answer.status_code == 401


def test_a_body_that_is_too_large_is_refused_before_all_else(house: House) -> None:
    assert said(house.knock(b"x" * 10_001, X_Slack_Signature="")) == (413, "The body is larger than 10000 bytes.")


@pytest.mark.parametrize("size", [10_000, 10_001])
def test_a_body_of_unannounced_length_is_read_within_bounds(house: House, size: int) -> None:
    source = io.BytesIO(b"x" * 1_000_000 if size > 10_000 else b"x" * size)
    answer = house.client.post(
        "/slack/events",
        input_stream=source,
        environ_overrides={"wsgi.input_terminated": True},
        headers={"Transfer-Encoding": "chunked", "Content-Type": FORM},
    )
    assert answer.status_code == (413 if size > 10_000 else 400)
    assert source.tell() < 100_000


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"", JSON, "The JSON cannot be read."),
        (b"{", JSON, "The JSON cannot be read."),
        (b"[" * 9000, JSON, "The JSON cannot be read."),
        (b'{"type": ' + b"9" * 5000 + b"}", JSON, "The JSON cannot be read."),
        (b'{"text": "\\ud83d"}', JSON, "The JSON cannot be read."),
        (b"[]", JSON, "The JSON is no object."),
        (b"null", JSON, "The JSON is no object."),
        (b'"x"', JSON, "The JSON is no object."),
        (b'{"type": "event_callback", "event": null}', JSON, "The event_callback is about nothing: event is missing."),
        (b'{"type": "event_callback", "event": [5]}', JSON, "event is not of the kind that Slack sends."),
        (b'{"type": 5}', JSON, "type is not of the kind that Slack sends."),
        (b'{"type": "x", "team": 5}', JSON, "team is not of the kind that Slack sends."),
        (b'{"authorizations": [1]}', JSON, "authorizations is not of the kind that Slack sends."),
        (b'{"item":' * 600 + b"1" + b"}" * 600, JSON, "item is not of the kind that Slack sends."),
        (b"", FORM, "The form holds neither a payload nor a command."),
        (b"a=b", FORM, "The form holds neither a payload nor a command."),
        (b"payload=", FORM, "The JSON cannot be read."),
        (b"payload=5", FORM, "The JSON is no object."),
        (
            b"payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%5D%7D",
            FORM,
            "The block_actions is about",
        ),
        (b"command=%ff", FORM, "The form cannot be read."),
        (b"command=x" + b"&a=b" * 200, FORM, "The form cannot be read."),
        (b"command=x&event=y", FORM, "event is not of the kind that Slack sends."),
        (b"command=\xff", FORM, "The body is not UTF-8."),
        (b"\xff", JSON, "The body is not UTF-8."),
        (b"{}", "text/plain", "The body is neither application/json nor application/x-www-form-urlencoded."),
        (b"{}", "", "The body is neither application/json nor application/x-www-form-urlencoded."),
    ],
)
def test_a_body_that_is_not_slacks_is_refused(house: House, body: bytes, content_type: str, words: str) -> None:
    status, found = said(house.knock(body, content_type))
    assert (status, found.startswith(words)) == (400, True), found


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options", "patch"])
def test_slacks_door_takes_post_only(house: House, method: str) -> None:
    answer = house.client.open("/slack/events", method=method.upper())
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_without_a_signing_secret_there_is_no_door() -> None:
    house = House(signing_secret=None)
    assert house.knock(urlencode(COMMAND)).status_code == 404
    assert house.heard == []


# --- whatever is sent -------------------------------------------------------------------------------------------------

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("event_callback") | st.just("message")
)
FIELDS = (
    "type event team user channel enterprise authorizations view item message actions id team_id user_id event_id"
    " command text callback_id action_id container response_urls is_ext_shared_channel subtype bot_id thread_ts"
    " previous_message response_url value block_id function_data assistant_thread channel_type state values"
    " is_enterprise_install name tab"
)
NAMES = st.sampled_from(FIELDS.split())
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6))
KINDS = (
    "event_callback block_actions view_submission view_closed message_action shortcut interactive_message"
    " dialog_submission block_suggestion url_verification workflow_step_edit"
)
TYPES = st.sampled_from(KINDS.split())
HOSTILE = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@HOSTILE
@given(st.dictionaries(NAMES, VALUES), st.none() | TYPES, st.booleans())
def test_no_signed_object_makes_a_fault(house: House, found: dict[str, Any], kind: str | None, form: bool) -> None:
    body = json.dumps(found | ({"type": kind} if kind else {}))
    answer = house.knock(f"payload={quote_plus(body)}", FORM) if form else house.knock(body, JSON)
    assert answer.status_code < 500


@HOSTILE
@given(st.dictionaries(NAMES | st.just("payload"), st.text(max_size=20)))
def test_no_signed_form_makes_a_fault(house: House, fields: dict[str, str]) -> None:
    assert house.knock(urlencode(fields | {"command": "/other"})).status_code < 500


@HOSTILE
@given(st.binary(max_size=200), st.sampled_from([JSON, FORM, "text/plain", "multipart/form-data"]), st.booleans())
def test_no_body_makes_a_fault(house: House, body: bytes, content_type: str, signed: bool) -> None:
    answer = house.knock(body, content_type, **({} if signed else {"X_Slack_Signature": "v0=x"}))
    assert 400 <= answer.status_code < 500


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)


@HOSTILE
@given(HEADER, HEADER, HEADER, st.text(max_size=20))
def test_no_header_and_no_address_makes_a_fault(house: House, stamp: str, signature: str, kind: str, tail: str) -> None:
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, "Content-Type": kind, "Host": "x"}
    for path in ("/slack/events?" + quote_plus(tail), "/" + quote_plus(tail)):
        assert 400 <= house.client.post(path, data=b"x", headers=headers).status_code < 500


def test_a_query_that_is_not_utf8_is_not_looked_at(house: House) -> None:
    body = urlencode(COMMAND).encode()
    answer = house.client.post(
        "/slack/events",
        data=body,
        content_type=FORM,
        headers={"X-Slack-Request-Timestamp": str(STAMP), "X-Slack-Signature": sign(body, str(STAMP))},
        environ_overrides={"QUERY_STRING": "\xff\xfe=%ff"},
    )
    assert answer.status_code == 200


# --- the other pages --------------------------------------------------------------------------------------------------


def test_health_is_told() -> None:
    answer = House(health=lambda: {"letters": 3}).client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "letters": 3})


def test_bad_health_is_told_in_the_status_too() -> None:
    answer = House(health=lambda: {"status": "the outbox has stopped"}).client.get("/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "the outbox has stopped"})


def test_the_front_page_names_the_program(house: House) -> None:
    assert said(house.client.get("/")) == (200, "Scribe records incidents from Slack and writes their postmortems.")


def test_an_unknown_page_is_plainly_not_found(house: House) -> None:
    assert said(house.client.get("/x")) == (404, "Not Found.")


def test_every_answer_carries_the_headers_that_keep_browsers_in_check(house: House) -> None:
    answers = [
        house.client.get("/"),
        house.client.get("/healthz"),
        house.client.get("/nothing"),
        house.client.get("/slack/events"),
        house.knock(urlencode(COMMAND)),
        house.knock(urlencode(COMMAND), stamp="x"),
        house.knock(b"x" * 10_001),
    ]
    found = [
        {
            name: answer.headers.get(name)
            for name in (
                "X-Content-Type-Options",
                "Content-Security-Policy",
                "Referrer-Policy",
                "Cache-Control",
                "Server",
            )
        }
        for answer in answers
    ]
    assert found == 7 * [
        {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Server": None,
        }
    ]
