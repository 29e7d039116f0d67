"""What people do at the app's door: commands, clicks, shortcuts, forms, each as the signed request that Slack makes.

Knows the payloads of docs.slack.dev/interactivity and what Slack shows of the answer. Nothing here is sent a second
time by itself: Slack repeats events only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from . import surfaces
from .api import Web
from .forms import action_value, elements, state_values
from .limits import check_answer, check_view
from .markup import typed
from .model import Answer, Channel, Door, DoorReply, Json, Message, Request, SlackError, User, View
from .state import with_ids

PATIENCE = timedelta(seconds=3)
Kind = Literal["command", "action", "shortcut", "view", "event"]


class People(Web):
    """The workspace as people's hands."""

    def __init__(self, *, signing_secret: str, **web: Any) -> None:
        super().__init__(**web)
        self.signing_secret = signing_secret
        self.path = "/slack/events"
        self.door: Door | None = None
        self.requests: list[Request] = []

    def attach(self, door: Door) -> None:
        """Connect the app: `door(path, raw body, headers)` answers a request."""
        self.door = door

    def sign(self, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        """Give the headers with which Slack signs a body (SLACK.md 1.3); `timestamp` in UNIX seconds, else now."""
        stamp = int(self.now().timestamp()) if timestamp is None else timestamp
        signed = hmac.new(self.signing_secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": str(stamp), "X-Slack-Signature": f"v0={signed}"}

    # --- commands

    def command(
        self,
        user: User | str,
        channel: Channel | str,
        text: str,
        *,
        command: str = "/incident",
        trigger_id: str | None = None,
        response_url: str | None = None,
        retry: int = 0,
    ) -> Answer:
        """Let somebody type a slash command; `text` is what stands on the screen.

        `retry` hands the same request in that many times more (a proxy's doing; Slack itself never repeats a command)
        and gives the last answer; only the first one is shown.
        """
        who, where = self.user(user), self.channel(channel)
        self._may_speak(who, where)
        line = f"{command} {text}".strip()
        with self.lock:
            fields = {
                "token": "verification-token",
                "team_id": self.team,
                "team_domain": self.domain,
                "channel_id": where.id,
                "channel_name": {"channel": where.name, "group": "privategroup", "im": "directmessage"}[where.kind],
                "user_id": who.id,
                "user_name": who.name,
                "command": command,
                "text": typed(text.strip(), self.names(), self.channel_names(), labels=True),
                "api_app_id": self.app_id,
                "is_enterprise_install": "false",
                "response_url": response_url or self.new_response_url("commands", who.id, where.id),
                "trigger_id": trigger_id or self.new_trigger(who.id, where.id),
            }
            self.note("typed", who.id, where.id, line)
        body = urlencode(fields).encode()
        request = self._request("command", body, "application/x-www-form-urlencoded", who, where)
        answer = self._ask(request, show=True)
        for _ in range(retry):
            answer = self.redeliver(request)
        return answer

    def redeliver(self, request: Request, *, show: bool = False) -> Answer:
        """Hand in a request again, unchanged, with its old signature; `show` puts the answer before people's eyes."""
        return self._ask(request, show=show)

    # --- clicks

    def click(
        self,
        user: User | str,
        where: Message | Answer | View,
        what: str,
        *,
        value: Any = None,
        values: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Let somebody use a button, menu or other element of a message, a form or the home tab.

        `what` is the element's action_id, label or value; `value` what is chosen in a menu (an option's value or
        label, a user id, a date); `values` what else is filled in there. Raises LookupError if there is no such
        element, or if the person cannot see the message.
        """
        who = self.user(user)
        target = self._target(where)
        with self.lock:
            blocks = with_ids(target.blocks, target.id if isinstance(target, View) else target.ts)
            block, element = _find(blocks, what)
            action = {
                "action_id": element["action_id"],
                "block_id": block["block_id"],
                "type": element["type"],
                "action_ts": f"{self.now().timestamp():.6f}",
                **action_value(element, value),
            }
            state = {"values": state_values(blocks, values or {}, submitting=False)}
            payload = self._payload("block_actions", who) | {"actions": [action], "state": state}
            channel: Channel | None = None
            if isinstance(target, View):
                view = self.view_json(target, state["values"])
                channel = self.channels.get(target.channel or "")
                payload |= {
                    "container": {"type": "view", "view_id": target.id},
                    "view": view,
                    "trigger_id": self.new_trigger(
                        who.id, target.channel, target.id if target.type == "modal" else None
                    ),
                }
                payload.pop("state")
            else:
                channel = self.channels[target.channel]
                if target.deleted or (target.only_for and target.only_for != who.id):
                    raise LookupError(f"{who.name} does not see this message")
                self._may_see(who, channel)
                payload |= self._about(target, channel, who)
            shown = element.get("text", {}).get("text") or element["action_id"]
            did = f"taps {shown}" if value is None else f"picks {value}"
            self.note("act", who.id, channel.id if channel else None, did)
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return self._ask(self._request("action", body, "application/x-www-form-urlencoded", who, channel), show=True)

    def shortcut(self, user: User | str, callback_id: str) -> Answer:
        """Let somebody use a global shortcut, which has no channel."""
        who = self.user(user)
        payload = self._payload("shortcut", who) | {
            "callback_id": callback_id,
            "action_ts": f"{self.now().timestamp():.6f}",
            "trigger_id": self.new_trigger(who.id, None),
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return self._ask(self._request("shortcut", body, "application/x-www-form-urlencoded", who, None), show=True)

    def message_shortcut(self, user: User | str, channel: Channel | str, ts: str | Message, callback_id: str) -> Answer:
        """Let somebody use a shortcut on a message."""
        who, where = self.user(user), self.channel(channel)
        self._may_see(who, where)
        message = ts if isinstance(ts, Message) else self.message(where, ts)
        if message is None:
            raise LookupError(f"no message {ts} in #{where.name}")
        self.note("act", who.id, where.id, f"uses the message shortcut {callback_id}")
        about = self._about(message, where, who)
        payload = self._payload("message_action", who) | {
            "callback_id": callback_id,
            "action_ts": f"{self.now().timestamp():.6f}",
            "message_ts": message.ts,
            "message": self.message_json(message),
            "channel": about["channel"],
            "response_url": about["response_url"],
            "trigger_id": about["trigger_id"],
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return self._ask(self._request("shortcut", body, "application/x-www-form-urlencoded", who, where), show=True)

    # --- forms

    def submit(self, user: User | str, view: View | None = None, values: Mapping[str, Any] | None = None) -> Answer:
        """Let somebody fill in a modal (the topmost open one unless given) and press its button.

        `values`: see `forms.state_values`. The answer has `errors` by block_id if the app refused, and `view` if
        another modal is open now. Raises NotFilled where Slack would not let the button be pressed.
        """
        who = self.user(user)
        with self.lock:
            view = self._top(who, view)
            filled = state_values(with_ids(view.blocks, view.id), values or {})
            payload = self._payload("view_submission", who) | {
                "trigger_id": self.new_trigger(who.id, view.channel, view.id),
                "view": self.view_json(view, filled),
                "response_urls": [],
            }
            self.note("act", who.id, view.channel, f"submits {view.title}")
        body = urlencode({"payload": json.dumps(payload)}).encode()
        where = self.channels.get(view.channel or "")
        request = self._request("view", body, "application/x-www-form-urlencoded", who, where)
        reply, failure = self._knock(request)
        if not failure and reply.body.strip():
            failure, errors = self._form_answer(who, view, reply.body)
        else:
            errors = {}
            if not failure:
                self._close_top(who, view)
        if failure:
            self.note("notice", who.id, view.channel, "We had some trouble connecting. Try again?")
        for field, message in errors.items():
            self.note("notice", who.id, view.channel, f"{_label(view, field)}: {message}")
        top = self.modals.get(who.id, [])
        return Answer(
            reply.status, raw=reply.body, failure=failure, errors=errors, view=top[-1] if top else None, request=request
        )

    def close(self, user: User | str, view: View | None = None, *, everything: bool = False) -> Answer:
        """Let somebody close a modal; the app hears of it if it asked to (`notify_on_close`)."""
        who = self.user(user)
        view = self._top(who, view)
        where = self.channels.get(view.channel or "")
        with self.lock:
            if everything:
                self.modals[who.id] = []
            else:
                self.modals[who.id].remove(view)
            self.note("act", who.id, view.channel, f"closes {view.title}")
        if not view.given.get("notify_on_close"):
            return Answer(200)
        payload = self._payload("view_closed", who) | {"view": self.view_json(view), "is_cleared": everything}
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return self._ask(self._request("view", body, "application/x-www-form-urlencoded", who, where), show=True)

    # --- inside

    def _request(self, kind: Kind, body: bytes, content_type: str, who: User | None, where: Channel | None) -> Request:
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        headers |= self.sign(body)
        request = Request(kind, self.path, body, headers, who.id if who else "", where.id if where else None)
        self.requests.append(request)
        return request

    def _knock(self, request: Request) -> tuple[DoorReply, str]:
        """Bring a request to the door; gives the reply and Slack's word for what failed, if it did."""
        if self.door is None:
            return DoorReply(0), "dispatch_failed"
        started = self.now()
        try:
            reply = self.door(request.path, request.body, dict(request.headers))
        except TimeoutError:
            return DoorReply(0), "operation_timeout"
        except ConnectionError:
            return DoorReply(0), "dispatch_failed"
        if self.now() - started > PATIENCE:
            return reply, "operation_timeout"
        return reply, "" if 200 <= reply.status < 300 else "dispatch_failed"

    def _ask(self, request: Request, *, show: bool) -> Answer:
        before = {view.id: view.hash for view in self.modals.get(request.user, [])}
        reply, failure = self._knock(request)
        text = ""
        content: Json = {}
        message: Message | None = None
        if not failure and request.kind == "command":
            text, content, failure = _command_answer(reply)
        if failure and show:
            self._complain(request, failure)
        if not failure and show and (text or content.get("blocks") or content.get("attachments")):
            message = self.post(
                self.channels[request.channel or ""],
                user=None,
                text=text,
                blocks=content.get("blocks") or [],
                attachments=content.get("attachments") or [],
                by_bot=True,
                subtype="bot_message",
                only_for=None if content.get("response_type") == "in_channel" else request.user,
            )
        top = self.modals.get(request.user, [])
        opened = top[-1] if top and before.get(top[-1].id) != top[-1].hash else None
        return Answer(
            reply.status,
            text,
            content.get("blocks") or [],
            content.get("response_type") == "in_channel",
            reply.body,
            message,
            failure,
            view=opened,
            request=request,
        )

    def _complain(self, request: Request, failure: str) -> None:
        if request.kind == "command":
            line = next(one.text for one in reversed(self.log) if one.kind == "typed" and one.user == request.user)
            self.note("notice", request.user, request.channel, f'{line.split()[0]} failed with the error "{failure}"')
        else:
            self.note("notice", request.user, request.channel, f"This did not work ({failure}). Try again?")

    def _form_answer(self, who: User, view: View, body: bytes) -> tuple[str, dict[str, str]]:
        """Do what the app answered to a submission; gives the failure, if any, and the field errors."""
        try:
            answer = json.loads(body)
        except ValueError:
            return "dispatch_failed", {}
        if not isinstance(answer, dict):
            return "dispatch_failed", {}
        match answer.get("response_action"):
            case None if not answer:
                self._close_top(who, view)
            case "clear":
                self.modals[who.id] = []
            case "errors":
                errors = answer.get("errors")
                inputs = {one["block_id"] for one in with_ids(view.blocks, view.id) if one["type"] == "input"}
                if not isinstance(errors, dict) or not errors or set(errors) - inputs:
                    return "dispatch_failed", {}
                return "", {str(field): str(message) for field, message in errors.items()}
            case "update" | "push" as action:
                try:
                    check_view(answer.get("view"), "modal")
                    if action == "push":
                        surfaces.push(self, who.id, answer["view"], view.channel)
                    else:
                        surfaces.change(self, view, answer["view"])
                        self.note("form", who.id, view.channel, view=view)
                except SlackError:
                    return "dispatch_failed", {}
            case _:
                return "dispatch_failed", {}
        return "", {}

    def _close_top(self, who: User, view: View) -> None:
        stack = self.modals.get(who.id, [])
        if view in stack:
            stack.remove(view)

    def _top(self, who: User, view: View | None) -> View:
        stack = self.modals.get(who.id, [])
        if view is None and stack:
            return stack[-1]
        if view is None or view not in stack:
            raise LookupError(f"{who.name} has no such form open")
        return view

    def _payload(self, kind: str, who: User) -> Json:
        return {
            "type": kind,
            "user": {"id": who.id, "username": who.name, "name": who.name, "team_id": who.team},
            "api_app_id": self.app_id,
            "token": "verification-token",
            "team": {"id": self.team, "domain": self.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _about(self, message: Message, channel: Channel, who: User) -> Json:
        """Give what an interaction with a message tells of it."""
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.only_for is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        name = {"channel": channel.name, "group": "privategroup", "im": "directmessage"}[channel.kind]
        about: Json = {
            "container": container,
            "channel": {"id": channel.id, "name": name},
            "response_url": self.new_response_url("actions", who.id, channel.id, message if message.by_bot else None),
            "trigger_id": self.new_trigger(who.id, channel.id),
        }
        # An ephemeral message is not kept by Slack: its content does not come along.
        return about if message.only_for else about | {"message": self.message_json(message)}

    @staticmethod
    def _target(where: Message | Answer | View) -> Message | View:
        if not isinstance(where, Answer):
            return where
        found = where.message or where.view
        if found is None:
            raise LookupError("this answer left nothing that could be clicked")
        return found

    def _may_see(self, who: User, where: Channel) -> None:
        if where.private and who.id not in where.members:
            raise LookupError(f"{who.name} is not in {where.name} and cannot see it")

    def _may_speak(self, who: User, where: Channel) -> None:
        self._may_see(who, where)
        if where.archived:
            raise LookupError(f"#{where.name} is archived: nobody can write there")


def _find(blocks: list[Json], what: str) -> tuple[Json, Json]:
    there = list(elements(blocks))
    for block, element in there:
        if what in (element["action_id"], element.get("text", {}).get("text"), element.get("value")):
            return block, element
    labels = [element.get("text", {}).get("text") or element["action_id"] for _, element in there]
    raise LookupError(f"nothing here is called {what!r}; there is {', '.join(map(repr, labels)) or 'nothing to click'}")


def _label(view: View, field: str) -> str:
    for block in with_ids(view.blocks, view.id):
        if block["block_id"] == field:
            return str(block["label"]["text"])
    return field


def _command_answer(reply: DoorReply) -> tuple[str, Json, str]:
    """Read the HTTP answer to a command: text, the whole answer, and Slack's word for what is wrong with it."""
    body = reply.body.strip()
    if not body:
        return "", {}, ""
    if "json" in reply.header("content-type") or body.startswith(b"{"):
        try:
            content = json.loads(body)
        except ValueError:
            return "", {}, "dispatch_failed"
        if not isinstance(content, dict):
            return "", {}, "dispatch_failed"
        if not content.keys() - {"response_type"}:
            return "", content, ""  # nothing to say: Slack shows the typed command alone
    else:
        content = {"text": body.decode("utf-8", "replace")}
    try:
        check_answer(content)
    except SlackError as error:
        return "", {}, error.code
    return content.get("text", ""), content, ""
