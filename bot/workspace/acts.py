"""What people do in a conversation, and the events by which the app hears of it.

Knows the Events API (SLACK.md 1.1): the envelope, who gets an event (an app hears what happens where its bot is), and
that Slack delivers an event again, up to three times, when the app does not answer 2xx. In memory that happens at
once.
"""

from __future__ import annotations

import json
from typing import Any

from .chat import erase, take_reaction
from .markup import typed
from .model import Channel, DoorReply, File, Json, Message, Pin, Request, User
from .people import People

RETRIES = 3


class Acts(People):
    """The workspace as the place where people talk."""

    def __init__(self, **people: Any) -> None:
        super().__init__(**people)
        # Event types as the manifest names them ("message.channels", "reaction_added"); None: all of them.
        self.subscriptions: frozenset[str] | None = None
        self.undelivered: list[Json] = []

    # --- talk

    def say(
        self, user: User | str, channel: Channel | str, text: str, thread_ts: str | Message | None = None
    ) -> Message:
        """Let somebody write a message, as typed on the screen; a mention of the bot is an app_mention as well."""
        who, where = self.user(user), self.channel(channel)
        self._may_speak(who, where)
        with self.lock:
            if where.kind == "channel" and who.id not in where.members:
                where.members.append(who.id)
            root = thread_ts.ts if isinstance(thread_ts, Message) else thread_ts
            text = typed(text, self.names(), self.channel_names(), labels=False)
            message = self.post(where, user=who.id, text=text, thread_ts=root)
        event = self._message_event(where) | self.message_json(message) | {"event_ts": message.ts}
        event.pop("reply_count", None)
        self._deliver(where, event)
        if f"<@{self.bot_user}>" in text:
            mention = {name: event[name] for name in ("user", "text", "ts", "channel", "team", "event_ts")}
            if root:
                mention["thread_ts"] = root
            self._deliver(where, {"type": "app_mention"} | mention)
        return message

    def edit_message(self, user: User | str, channel: Channel | str, ts: str | Message, text: str) -> Message:
        """Let somebody edit a message of theirs."""
        who, where, message = self._spot(user, channel, ts)
        self._own(who, message)
        with self.lock:
            previous = self.message_json(message)
            message.text = typed(text, self.names(), self.channel_names(), labels=False)
            message.edited = self._event_ts()
        event = self._message_event(where) | {
            "subtype": "message_changed",
            "hidden": True,
            "message": self.message_json(message),
            "previous_message": previous,
            "ts": message.edited,
            "event_ts": message.edited,
        }
        self._deliver(where, event)
        return message

    def delete_message(self, user: User | str, channel: Channel | str, ts: str | Message) -> None:
        """Let somebody delete a message of theirs."""
        who, where, message = self._spot(user, channel, ts)
        self._own(who, message)
        with self.lock:
            previous = self.message_json(message)
            erase(where, message)
        stamp = self._event_ts()
        event = {"subtype": "message_deleted", "hidden": True, "deleted_ts": message.ts, "previous_message": previous}
        self._deliver(where, self._message_event(where) | event | {"ts": stamp, "event_ts": stamp})

    # --- mark

    def react(self, user: User | str, channel: Channel | str, ts: str | Message, name: str) -> DoorReply | None:
        """Let somebody add a reaction, by its name without colons; the app's reply to the event, if it got one."""
        who, where, message = self._spot(user, channel, ts)
        users = message.reactions.setdefault(name, [])
        if who.id in users:
            raise ValueError(f"{who.name} has already reacted with {name}")
        users.append(who.id)
        return self._deliver(where, self._reaction("reaction_added", who, where, message, name))

    def unreact(self, user: User | str, channel: Channel | str, ts: str | Message, name: str) -> DoorReply | None:
        who, where, message = self._spot(user, channel, ts)
        take_reaction(message, name, who.id)
        return self._deliver(where, self._reaction("reaction_removed", who, where, message, name))

    def pin(self, user: User | str, channel: Channel | str, ts: str | Message) -> DoorReply | None:
        who, where, message = self._spot(user, channel, ts)
        if any(pin.ts == message.ts for pin in where.pins):
            raise ValueError("this message is pinned already")
        where.pins.append(Pin(message.ts, who.id, int(self.now().timestamp())))
        return self._deliver(where, self._pinned("pin_added", who, where, message))

    def unpin(self, user: User | str, channel: Channel | str, ts: str | Message) -> DoorReply | None:
        who, where, message = self._spot(user, channel, ts)
        where.pins = [pin for pin in where.pins if pin.ts != message.ts]
        return self._deliver(where, self._pinned("pin_removed", who, where, message))

    # --- come and go

    def join(self, user: User | str, channel: Channel | str) -> DoorReply | None:
        """Let somebody join a public channel of their own accord."""
        who, where = self.user(user), self.channel(channel)
        if where.private:
            raise ValueError(f"nobody joins {where.name} without being invited: it is private")
        return self._enter(who, where, None)

    def invite(self, user: User | str, channel: Channel | str, who: User | str) -> DoorReply | None:
        """Let somebody bring another person (or the bot) into a channel."""
        by, where = self.user(user), self.channel(channel)
        self._may_see(by, where)
        return self._enter(self.user(who), where, by)

    def invite_bot(self, channel: Channel | str, by: User | str | None = None) -> DoorReply | None:
        """Let a member type /invite @bot."""
        where = self.channel(channel)
        people = [one for one in where.members if one != self.bot_user]
        inviter = self.user(by) if by else self.users[people[0]] if people else None
        return self._enter(self.users[self.bot_user], where, inviter)

    def leave(self, user: User | str, channel: Channel | str) -> DoorReply | None:
        who, where = self.user(user), self.channel(channel)
        where.members.remove(who.id)
        self.note("act", who.id, where.id, "leaves")
        return self._deliver(where, self._membership("member_left_channel", who, where))

    def kick_bot(self, channel: Channel | str) -> DoorReply | None:
        """Take the bot out of a channel; it hears of that, and of nothing there afterwards."""
        where = self.channel(channel)
        if not self.bot_is_in(where):
            raise ValueError(f"the bot is not in {where.name}")
        where.members.remove(self.bot_user)
        bot = self.users[self.bot_user]
        self.note("act", bot.id, where.id, "is removed from the channel")
        kind = "group_left" if where.kind == "group" else "channel_left"
        self._deliver(where, self._membership("member_left_channel", bot, where), anyway=True)
        event = {"type": kind, "channel": where.id, "event_ts": self._event_ts()}
        return self._deliver(where, event, anyway=True)

    def rename(self, channel: Channel | str, name: str, by: User | str | None = None) -> DoorReply | None:
        where = self.channel(channel)
        where.name = name
        about = {"id": where.id, "name": name, "name_normalized": name, "created": int(where.created.timestamp())}
        kind = "group_rename" if where.kind == "group" else "channel_rename"
        return self._deliver(where, {"type": kind, "channel": about, "event_ts": self._event_ts()})

    def archive(self, channel: Channel | str, by: User | str | None = None) -> DoorReply | None:
        where = self.channel(channel)
        where.archived = True
        user = self.user(by).id if by else next((one for one in where.members if one != self.bot_user), "")
        kind = "group_archive" if where.kind == "group" else "channel_archive"
        return self._deliver(where, {"type": kind, "channel": where.id, "user": user, "event_ts": self._event_ts()})

    def unarchive(self, channel: Channel | str, by: User | str | None = None) -> DoorReply | None:
        where = self.channel(channel)
        where.archived = False
        user = self.user(by).id if by else next((one for one in where.members if one != self.bot_user), "")
        kind = "group_unarchive" if where.kind == "group" else "channel_unarchive"
        return self._deliver(where, {"type": kind, "channel": where.id, "user": user, "event_ts": self._event_ts()})

    def open_home(self, user: User | str) -> DoorReply | None:
        """Let somebody open the app's home tab."""
        who = self.user(user)
        direct = self.direct(who)
        event: Json = {"type": "app_home_opened", "user": who.id, "channel": direct.id, "tab": "home"}
        if who.id in self.homes:
            event["view"] = self.view_json(self.homes[who.id])
        return self._deliver(direct, event | {"event_ts": self._event_ts()})

    def share_file(
        self, user: User | str, channel: Channel | str, name: str, content: bytes, text: str = ""
    ) -> Message:
        """Let somebody put a file into a channel."""
        who, where = self.user(user), self.channel(channel)
        self._may_speak(who, where)
        with self.lock:
            file = File(self.new_id("F"), name, name, len(content), who.id, self.now(), "", content, completed=True)
            self.stored_files[file.id] = file
            message = self.post(where, user=who.id, text=text, subtype="file_share", files=[file])
            file.shares[where.id] = [message.ts]
        self._deliver(where, self._message_event(where) | self.message_json(message) | {"event_ts": message.ts})
        return message

    # --- events

    def event(
        self,
        event: Json,
        *,
        event_id: str | None = None,
        retry_num: int | None = None,
        retry_reason: str | None = None,
    ) -> DoorReply:
        """Deliver an event once, in its envelope, signed; with `retry_num` as one of Slack's repetitions."""
        return self._knock_event(self._envelope(event, event_id), retry_num, retry_reason)[0]

    def _envelope(self, event: Json, event_id: str | None = None) -> Json:
        where = self.channels.get(_channel_of(event))
        team = self.users[event["user"]].team if event.get("user") in self.users else self.team
        return {
            "token": "verification-token",
            "team_id": self.team,
            "context_team_id": self.team,
            "context_enterprise_id": None,
            "api_app_id": self.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id or self.new_id("Ev"),
            "event_time": int(self.now().timestamp()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.team,
                    "user_id": self.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": bool(where and where.ext_shared) or team != self.team,
            "event_context": self.digest("event context", 32),
        }

    def _knock_event(self, envelope: Json, retry: int | None, reason: str | None) -> tuple[DoorReply, str]:
        body = json.dumps(envelope).encode()
        headers = {"Content-Type": "application/json", **self.sign(body)}
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason or "http_error"}
        where = _channel_of(envelope["event"])
        request = Request("event", self.path, body, headers, str(envelope["event"].get("user") or ""), where or None)
        self.requests.append(request)
        if self.door is None:
            return DoorReply(0), "connection_failed"
        try:
            reply = self.door(request.path, request.body, dict(request.headers))
        except TimeoutError:
            return DoorReply(0), "http_timeout"
        except ConnectionError:
            return DoorReply(0), "connection_failed"
        return reply, "" if 200 <= reply.status < 300 else "http_error"

    def _deliver(self, where: Channel, event: Json, *, anyway: bool = False) -> DoorReply | None:
        """Deliver an event, and again up to three times, if the bot is there to hear it."""
        if self.door is None or not (anyway or self.bot_is_in(where)) or not self._subscribed(event, where):
            return None
        envelope = self._envelope(event)
        reply, reason = self._knock_event(envelope, None, None)
        for retry in range(1, RETRIES + 1):
            if not reason or reply.header("x-slack-no-retry") == "1":
                break
            reply, reason = self._knock_event(envelope, retry, reason)
        if reason:
            self.undelivered.append(envelope)
        return reply

    def _subscribed(self, event: Json, where: Channel) -> bool:
        if self.subscriptions is None:
            return True
        kind = str(event["type"])
        if kind == "message":
            kind = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}[where.kind]
        return kind in self.subscriptions

    # --- inside

    def _spot(self, user: User | str, channel: Channel | str, ts: str | Message) -> tuple[User, Channel, Message]:
        who, where = self.user(user), self.channel(channel)
        self._may_see(who, where)
        message = ts if isinstance(ts, Message) else self.message(where, ts)
        if message is None or message not in where.messages:
            raise LookupError(f"no message {ts} in {where.name}")
        return who, where, message

    @staticmethod
    def _own(who: User, message: Message) -> None:
        if message.user != who.id:
            raise ValueError(f"{who.name} did not write this message")

    def _event_ts(self) -> str:
        stamp = self.now()
        return f"{int(stamp.timestamp())}.{stamp.microsecond:06d}"

    @staticmethod
    def _message_event(where: Channel) -> Json:
        return {"type": "message", "channel": where.id, "channel_type": where.kind}

    def _reaction(self, kind: str, who: User, where: Channel, message: Message, name: str) -> Json:
        item = {"type": "message", "channel": where.id, "ts": message.ts}
        event: Json = {"type": kind, "user": who.id, "reaction": name, "item": item, "event_ts": self._event_ts()}
        # What an app answered to a command belongs to no user, and Slack then leaves item_user out (SLACK.md 1.1).
        return event | ({"item_user": message.user} if message.user else {})

    def _pinned(self, kind: str, who: User, where: Channel, message: Message) -> Json:
        item = {
            "type": "message",
            "channel": where.id,
            "message": self.message_json(message),
            "created": int(self.now().timestamp()),
            "created_by": who.id,
        }
        event: Json = {"type": kind, "user": who.id, "channel_id": where.id, "item": item, "event_ts": self._event_ts()}
        event |= {"item_user": message.user} if message.user else {}
        return event | ({"has_pins": bool(where.pins)} if kind == "pin_removed" else {"pin_count": len(where.pins)})

    def _enter(self, who: User, where: Channel, by: User | None) -> DoorReply | None:
        if who.id in where.members:
            raise ValueError(f"{who.name} is in {where.name} already")
        where.members.append(who.id)
        self.note("act", who.id, where.id, f"is invited by {by.shown}" if by else "joins")
        event = self._membership("member_joined_channel", who, where)
        return self._deliver(where, event | ({"inviter": by.id} if by else {}))

    def _membership(self, kind: str, who: User, where: Channel) -> Json:
        letter = "G" if where.kind == "group" else "C"
        event = {"type": kind, "user": who.id, "channel": where.id, "channel_type": letter, "team": who.team}
        return event | {"event_ts": self._event_ts()}


def _channel_of(event: Json) -> str:
    found = event.get("channel") or event.get("channel_id") or event.get("item", {}).get("channel") or ""
    return str(found.get("id", "") if isinstance(found, dict) else found)
