"""The web: /slack/events, /healthz, and whatever pages it is given.

Knows HTTP: what a request must look like before Bolt may see it, and which headers an answer carries. Must not know
what a payload means, nor SQL, nor how the record reads.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, Request, Response, jsonify, request
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.flask.handler import to_flask_response

from bot.core.errors import Unrecorded

MAX_BODY = 1024 * 1024
MAX_AGE = 300
"""Seconds by which a request's time stamp may differ (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What every answer carries, where it does not say it better itself."""

ALWAYS_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
"""Where people come by https, they never come by http for a year. Browsers heed it in answers over https alone."""

FORM_FIELDS = {"payload", "command", "ssl_check"}
"""One of these is in every form that Slack posts: buttons and forms, slash commands, probes of the certificate."""


class Refused(Exception):
    """A request that goes no further: the status, and what was wrong with it."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Site(Flask):
    """Flask, but that its log names the rule and not the address: an address may hold the token of a link."""

    def log_exception(self, exc_info: Any) -> None:
        self.logger.error("a request for %s failed", request.url_rule, exc_info=exc_info)


def headers(public_url: str | None = None) -> dict[str, str]:
    """What every answer carries when people reach this server at that address."""
    return HEADERS | (ALWAYS_HTTPS if (public_url or "").startswith("https:") else {})


def create(
    *,
    bolt: App,
    signing_secret: str | None,
    clock: Callable[[], datetime],
    health: Callable[[], dict[str, Any]],
    pages: Blueprint | None = None,
    ready: Callable[[], tuple[bool, dict[str, Any]]] | None = None,
    metrics: Callable[[], tuple[bytes, str]] | None = None,
    count: Callable[[str, int], None] = lambda route, status: None,
    max_body: int = MAX_BODY,
    public_url: str | None = None,
) -> Flask:
    """Build the web application. Without a signing secret there is no /slack/events.

    `health` gives what /healthz shows; a `status` other than "ok" makes it a 503. `pages` are further addresses,
    `ready` gives what /readyz shows and whether it is a 200, `metrics` what /metrics shows and its content type,
    `count(route, status)` is told of every answer, `max_body` is in bytes, `public_url` where people reach this server.
    """
    app = Site(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    # One more than allowed: a body whose length was not announced is cut there without a word.
    app.config["MAX_CONTENT_LENGTH"] = max_body + 1
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    too_large = f"The body is larger than {max_body} bytes."

    @app.get("/")
    def front() -> Response:
        return _plain(200, "Scribe records incidents from Slack and writes their postmortems.")

    @app.get("/healthz")
    def healthz() -> tuple[Response, int]:
        found = {"status": "ok", **health()}
        return jsonify(found), 200 if found["status"] == "ok" else 503

    if ready is not None:

        @app.get("/readyz")
        def readyz() -> tuple[Response, int]:
            fine, found = ready()
            return jsonify(found), 200 if fine else 503

    if metrics is not None:

        @app.get("/metrics")
        def figures() -> Response:
            content, form = metrics()
            return Response(content, content_type=form)

    if signing_secret:
        key = signing_secret.encode()

        @app.post("/slack/events")
        def events() -> Response:
            body = request.get_data(parse_form_data=False)
            if len(body) > max_body:
                raise Refused(413, too_large)
            stamp, signature = (request.headers.get(f"X-Slack-{name}") for name in ("Request-Timestamp", "Signature"))
            check_signature(key, stamp, signature, body, clock())
            heard = read_body(request.mimetype, body)
            if "ssl_check" in heard:
                return _plain(200, "")
            return to_flask_response(bolt.dispatch(bolt_request(request, heard)))

    if pages is not None:
        app.register_blueprint(pages)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return _plain(error.status, error.words)

    @app.errorhandler(Unrecorded)
    def unrecorded(error: Unrecorded) -> Response:
        return _plain(503, f"This cannot be shown now: {error.reason}.")

    def failed(error: Any) -> Response:
        answer = _plain(error.code, too_large if error.code == 413 else f"{error.name}.")
        answer.headers.update({name: value for name, value in error.get_headers() if name == "Allow"})
        return answer

    for status in (400, 404, 405, 413, 500):
        app.register_error_handler(status, failed)

    every_answer = headers(public_url)

    @app.after_request
    def guard(answer: Response) -> Response:
        for name, value in every_answer.items():
            answer.headers.setdefault(name, value)
        count(str(request.url_rule or "none"), answer.status_code)
        return answer

    return app


def check_signature(secret: bytes, stamp: str | None, signature: str | None, body: bytes, now: datetime) -> None:
    """Raise Refused unless the raw body was signed with the secret less than five minutes from `now`.

    The source of the rule: https://docs.slack.dev/authentication/verifying-requests-from-slack.
    """
    if stamp is None or not re.fullmatch(r"-?[0-9]{1,15}", stamp):
        raise Refused(400, "X-Slack-Request-Timestamp is missing or no number.")
    if abs(now.timestamp() - int(stamp)) > MAX_AGE:
        raise Refused(401, "The request is more than five minutes off: it is old, or a clock is wrong.")
    expected = "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    # As bytes: compare_digest takes no text beyond ASCII, and a header may hold any.
    if not hmac.compare_digest(expected.encode(), (signature or "").encode("utf-8", "surrogateescape")):
        raise Refused(401, "The signature does not fit: is SLACK_SIGNING_SECRET that of this app?")


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """Give the object that Slack sent, as JSON or inside a form; raise Refused where there is none.

    Bolt answers what it cannot take apart with 500, which Slack takes for an outage, so its shape is looked at here.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "The body is not UTF-8.") from None
    if content_type == "application/json":
        heard = _object(text)
    elif content_type == "application/x-www-form-urlencoded":
        try:
            fields = dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100))
        except ValueError:
            raise Refused(400, "The form cannot be read.") from None
        if not FORM_FIELDS & set(fields):
            raise Refused(400, "The form holds neither a payload nor a command.")
        heard = _object(fields["payload"]) if "payload" in fields else fields
    else:
        raise Refused(400, "The body is neither application/json nor application/x-www-form-urlencoded.")
    _check_shape(heard)
    return heard


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()  # half a character ("\ud83d") can be read, but never stored
    except (ValueError, RecursionError):
        raise Refused(400, "The JSON cannot be read.") from None
    if not isinstance(found, dict):
        raise Refused(400, "The JSON is no object.")
    return found


_ABOUT = {
    "event_callback": "event",
    "view_submission": "view",
    "view_closed": "view",
    "block_actions": "actions",
    "interactive_message": "actions",
}
"""What a payload of each type is about, and cannot be without."""

_OBJECT = {"event", "view", "item", "message", "previous_message", "container", "assistant_thread", "function_data"}
_OBJECT_OR_ID = {"team", "user", "channel", "enterprise"}
_OBJECTS = {"authorizations", "actions", "response_urls", "blocks"}
_TEXT = {
    *("type", "command", "callback_id", "action_id", "block_id", "subtype"),
    *("id", "team_id", "enterprise_id", "user_id", "app_installed_team_id"),
}
_TYPED = {"event", "view"}
_NEVER_NULL = {"type", "event", "response_urls"}
_DEEPEST = 10


def _check_shape(heard: Mapping[str, Any], deep: int = 0) -> None:
    """Refuse where Bolt would look for a field in something that has none; what it can do without may be null."""
    kind = heard.get("type", "")
    about = _ABOUT.get(kind, "") if isinstance(kind, str) else ""
    if about and not heard.get(about):
        raise Refused(400, f"The {kind} is about nothing: {about} is missing.")
    for name, value in heard.items():
        if value is None and name not in _NEVER_NULL:
            continue
        inner = value if isinstance(value, list) else [value]
        if name in _OBJECT | _OBJECT_OR_ID:
            fine = isinstance(value, dict | str if name in _OBJECT_OR_ID else dict)
        elif name in _OBJECTS:
            fine = isinstance(value, list) and all(isinstance(one, dict) for one in value)
        elif name in _TEXT:
            fine = isinstance(value, str)
        else:
            continue
        if kind == "block_actions" and name == "actions":
            fine = fine and all("action_id" in one for one in value)
        if not fine or deep > _DEEPEST or (name in _TYPED and "type" not in value):
            raise Refused(400, f"{name} is not of the kind that Slack sends.")
        for one in inner:
            if isinstance(one, dict):
                _check_shape(one, deep + 1)


def bolt_request(asked: Request, heard: dict[str, Any]) -> BoltRequest:
    """Hand Bolt what was read and verified here.

    Not the raw body: Bolt takes any form in which the word "payload" stands for one with such a field, so that
    `/incident note payload too big` would reach nobody. "socket_mode" is Bolt's name for a body that is an object by
    now; it also spares a second look at the signature, with a clock that is not ours. Left out is what Bolt stumbles
    over and nobody here reads: a view that is null, a second response_url.
    """
    if heard.get("view") is None:
        heard.pop("view", None)
    if "response_urls" in heard:
        heard["response_urls"] = heard["response_urls"][:1]
    return BoltRequest(body=heard, headers=dict(asked.headers.items()), mode="socket_mode")


def _plain(status: int, words: str) -> Response:
    return Response(words + "\n" if words else "", status, content_type="text/plain; charset=utf-8")
