"""The door to the Web API: who may call, with which arguments, what goes wrong on purpose, and what is counted.

Knows tokens, scopes, faults and the shape of answers. What each method does stands in chat.py, conversations.py,
sharing.py and surfaces.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal

from . import chat, conversations, sharing, surfaces
from .arguments import Args, Method
from .limits import check_answer
from .model import Call, Fault, Json, Reply, SlackError
from .state import State

METHODS: dict[str, Method] = {**chat.METHODS, **conversations.METHODS, **sharing.METHODS, **surfaces.METHODS}

# What can be called and is no method of the table: it needs no bot token, or no token at all.
OTHERS = frozenset({"upload", "download", "respond", "apps.connections.open"})

RESPONSE_URL_USES = 5
RESPONSE_URL_LIFE = timedelta(minutes=30)


class Web(State):
    """The workspace as a client of the Web API sees it."""

    def __init__(self, *, bot_token: str, app_token: str, **state: Any) -> None:
        super().__init__(**state)
        self.bot_token = bot_token
        self.app_token = app_token
        self.away = False
        self.calls: list[Call] = []
        self.faults: list[Fault] = []

    def call(self, method: str, args: Mapping[str, Any], token: str | None = None) -> Reply:
        """Answer a call as Slack does over HTTP.

        `args` may hold JSON-encoded strings where Slack takes them (blocks, files, view, metadata). Raises
        ConnectionRefusedError while Slack is `away`, ConnectionResetError where a fault drops the connection.
        """
        given = {name: value for name, value in args.items() if value is not None and name != "token"}
        token = token or args.get("token")

        def effect() -> Reply:
            try:
                return Reply(200, {"ok": True} | self._perform(method, given, token), self._headers())
            except SlackError as error:
                return Reply(200, failed(error), self._headers())

        return self._guarded(method, given, token, effect)

    def upload(self, url: str, content: bytes) -> Reply:
        """Take the bytes that are posted to an upload_url."""

        def effect() -> Reply:
            file = next((one for one in self.stored_files.values() if one.upload_url == url), None)
            if file is None or file.completed:
                return Reply(404, {"ok": False, "error": "not_found"})
            if len(content) != file.length:
                return Reply(400, {"ok": False, "error": f"expected {file.length} bytes, got {len(content)}"})
            file.content = bytes(content)
            return Reply(200, {"ok": True, "text": f"OK - {len(content)}"})

        return self._guarded("upload", {"url": url, "length": len(content)}, None, effect)

    def download(self, url: str, token: str | None) -> Reply:
        """Give the file behind a url_private, in the body's "content": to the bot, where it is in a channel with it."""

        def effect() -> Reply:
            file = next((one for one in self.stored_files.values() if f"-{one.id}/" in url), None)
            seen = file is not None and any(self.bot_is_in(self.channels[one]) for one in file.shares)
            if token != self.bot_token or "files:read" not in self.scopes:
                return Reply(302, {"ok": False, "error": "not_authed"})
            if file is None or file.deleted or not file.completed or not seen:
                return Reply(404, {"ok": False, "error": "file_not_found"})
            kind = self.file_json(file)["mimetype"]
            return Reply(200, {"ok": True, "content": file.content or b"", "media_type": kind})

        return self._guarded("download", {"url": url}, token, effect)

    def respond(self, response_url: str, payload: Mapping[str, Any]) -> Reply:
        """Take an answer to a command or a click: five times in thirty minutes, ephemeral unless it says otherwise."""

        def effect() -> Reply:
            right = self.response_urls.get(response_url)
            if right is None:
                return Reply(404, {"ok": False, "error": "no_service"})
            if self.now() - right.issued > RESPONSE_URL_LIFE:
                return Reply(404, {"ok": False, "error": "expired_url"})
            if right.uses >= RESPONSE_URL_USES:
                return Reply(404, {"ok": False, "error": "used_url"})
            answer = dict(payload)
            try:
                check_answer(answer)
            except SlackError as error:
                return Reply(400, failed(error))
            right.uses += 1
            original = right.message
            if original is not None and answer.get("delete_original"):
                original.deleted = True
                channel = self.channels[original.channel]
                for place in (channel.messages, channel.ephemerals):
                    if original in place:
                        place.remove(original)
                return Reply(200, {"ok": True})
            if original is not None and answer.get("replace_original"):
                original.text, original.blocks = answer.get("text", ""), answer.get("blocks") or []
                return Reply(200, {"ok": True})
            self.post(
                self.channels[right.channel],
                user=None,
                text=answer.get("text", ""),
                blocks=answer.get("blocks") or [],
                attachments=answer.get("attachments") or [],
                thread_ts=answer.get("thread_ts"),
                by_bot=True,
                subtype="bot_message",
                only_for=None if answer.get("response_type") == "in_channel" else right.user,
            )
            return Reply(200, {"ok": True})

        return self._guarded("respond", {"response_url": response_url, "payload": dict(payload)}, None, effect)

    def open_connection(self, token: str | None, issue: Callable[[], str]) -> Reply:
        """Answer apps.connections.open, for which the app's own token counts; `issue` makes the address."""

        def effect() -> Reply:
            if token == self.app_token:
                return Reply(200, {"ok": True, "url": issue()}, self._headers())
            wrong = "not_allowed_token_type" if token == self.bot_token else "invalid_auth"
            return Reply(200, failed(SlackError(wrong if token else "not_authed")), self._headers())

        return self._guarded("apps.connections.open", {}, token, effect)

    def fail(
        self,
        method: str,
        *,
        error: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        drop: Literal["before", "after"] | None = None,
        after: bool = False,
        times: int = 1,
        when: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        """Let the next `times` calls of a method ("*": any; also those of OTHERS) go wrong.

        `error` is answered with ok: false, `status` as an HTTP status, `retry_after` (seconds) as 429; with `after`
        the call has its effect all the same. `drop` breaks the connection before or after the effect. `when` looks at
        the arguments.
        """
        if method not in METHODS and method not in OTHERS and method != "*":
            raise ValueError(f"there is no method {method!r}")
        with self.lock:
            self.faults.append(Fault(method, error, status, retry_after, drop, times, when, after))

    def called(self, method: str) -> list[Call]:
        """Give the calls of one method."""
        return [one for one in self.calls if one.method == method]

    # --- inside

    def _guarded(self, method: str, given: dict[str, Any], token: str | None, effect: Callable[[], Reply]) -> Reply:
        with self.lock:
            self.calls.append(Call(method, given, self.now(), token))
            if self.away:
                raise ConnectionRefusedError(f"Slack is away ({method})")
            fault = self._next_fault(method, given)
            if fault is None:
                return effect()
            if fault.drop == "before":
                raise ConnectionResetError(f"the connection broke before {method} had an effect")
            if fault.drop == "after" or fault.after:
                effect()
            if fault.drop == "after":
                raise ConnectionResetError(f"the connection broke after {method} had its effect")
            if fault.retry_after is not None or fault.status == 429:
                headers = self._headers() | {"Retry-After": str(fault.retry_after or 1)}
                return Reply(429, {"ok": False, "error": fault.error or "ratelimited"}, headers)
            if fault.status is not None and fault.status >= 400:
                return Reply(fault.status, {"ok": False, "error": fault.error or "internal_error"}, self._headers())
            return Reply(fault.status or 200, {"ok": False, "error": fault.error or "internal_error"}, self._headers())

    def _next_fault(self, method: str, given: dict[str, Any]) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method in (method, "*") and (fault.when is None or fault.when(given)):
                fault.times -= 1
                return fault
        return None

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json; charset=utf-8", "X-OAuth-Scopes": ",".join(sorted(self.scopes))}

    def _perform(self, method: str, given: dict[str, Any], token: str | None) -> Json:
        known = METHODS.get(method)
        if known is None:
            raise SlackError("unknown_method", req_method=method)
        if method != "api.test":
            if not token:
                raise SlackError("not_authed")
            if token != self.bot_token:
                raise SlackError("invalid_auth")
        if known.scopes and not self.scopes & known.scopes:
            raise SlackError("missing_scope", needed=sorted(known.scopes)[0], provided=",".join(sorted(self.scopes)))
        args = Args(given)
        args.require(*known.required)
        # Through JSON and back: what Slack keeps shares nothing with what the caller holds, and must be plain data.
        answer: Json = json.loads(json.dumps(known.function(self, args)))
        return answer


def failed(error: SlackError) -> Json:
    """Give the body with which the Web API refuses."""
    body: Json = {"ok": False, "error": error.code, **error.extra}
    if error.messages:
        body["errors"] = [message.removeprefix("[ERROR] ") for message in error.messages]
        body["response_metadata"] = {"messages": list(error.messages)}
    return body
