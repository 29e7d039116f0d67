"""Web API: conversations.*, users.*, auth.test.

Knows docs.slack.dev/reference/methods: what a bot may see of channels and people, and the codes with which it is
refused.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from .arguments import Args, Method, method
from .model import Channel, Json, Message, User
from .state import State, refuse

_PROBLEM_NAME = re.compile(r"[^\w-]|[A-Z]")
_READ = "channels:read groups:read im:read"
_HISTORY = "channels:history groups:history im:history"
_MANAGE = "channels:manage groups:write"


def visible(ws: State, channel_id: str) -> Channel:
    """Give a channel that the bot may know of: public, or one that it is in."""
    channel = ws.channels.get(channel_id)
    if channel is None or (channel.private and not ws.bot_is_in(channel)):
        raise refuse("channel_not_found")
    return channel


def joined(ws: State, channel_id: str, *, writing: bool = False) -> Channel:
    """Give a channel that the bot is in; `writing` demands that it is not archived."""
    channel = visible(ws, channel_id)
    if writing and channel.archived:
        raise refuse("is_archived")
    if not ws.bot_is_in(channel):
        raise refuse("not_in_channel")
    return channel


def person(ws: State, user_id: str, code: str = "user_not_found") -> User:
    if user_id not in ws.users:
        raise refuse(code)
    return ws.users[user_id]


def page(args: Args, items: Sequence[Json], default: int, most: int = 1000) -> tuple[list[Json], str]:
    """Cut one page out of a list, by `limit` and `cursor`; gives the page and the next cursor."""
    limit = args.number("limit", default)
    if not 1 <= limit <= most:
        raise refuse("invalid_limit")
    start = 0
    if cursor := args.maybe("cursor"):
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except ValueError:
            raise refuse("invalid_cursor") from None
    end = start + limit
    return list(items[start:end]), base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""


def micros(ts: str, name: str) -> int:
    """Read a ts as microseconds; refuses what is none."""
    match = re.fullmatch(r"(\d{1,12})(?:\.(\d{1,6}))?", ts)
    if match is None:
        raise refuse(f"invalid_ts_{name}" if name in ("latest", "oldest") else "invalid_timestamp")
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))


def within(args: Args, messages: Sequence[Message]) -> list[Message]:
    """Keep the messages between `oldest` and `latest`, both exclusive unless `inclusive`."""
    oldest = micros(args.text("oldest", "0") or "0", "oldest")
    latest = micros(args.text("latest"), "latest") if args.maybe("latest") else None
    inclusive = args.flag("inclusive")

    def inside(message: Message) -> bool:
        at = micros(message.ts, "ts")
        if inclusive:
            return at >= oldest and (latest is None or at <= latest)
        return at > oldest and (latest is None or at < latest)

    return [message for message in messages if inside(message)]


def _auth_test(ws: State, args: Args) -> Json:
    return {
        "url": ws.site + "/",
        "team": ws.name,
        "user": ws.users[ws.bot_user].name,
        "team_id": ws.team,
        "user_id": ws.bot_user,
        "bot_id": ws.bot_id,
        "is_enterprise_install": False,
    }


def _info(ws: State, args: Args) -> Json:
    channel = visible(ws, args.text("channel"))
    found = ws.channel_json(channel)
    if args.flag("include_num_members"):
        found["num_members"] = len(channel.members)
    return {"channel": found}


def _join(ws: State, args: Args) -> Json:
    channel = visible(ws, args.text("channel"))
    if channel.kind != "channel":
        raise refuse("method_not_supported_for_channel_type")
    if channel.archived:
        raise refuse("is_archived")
    if ws.bot_is_in(channel):
        return {"channel": ws.channel_json(channel), "warning": "already_in_channel"}
    channel.members.append(ws.bot_user)
    ws.note("act", ws.bot_user, channel.id, "joins")
    return {"channel": ws.channel_json(channel)}


def _list(ws: State, args: Args) -> Json:
    kinds = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
    wanted = args.names("types") or ["public_channel"]
    if set(wanted) - set(kinds):
        raise refuse("invalid_types")
    chosen = {kinds[one] for one in wanted}
    found = [
        ws.channel_json(channel)
        for channel in ws.channels.values()
        if channel.kind in chosen
        and (not channel.private or ws.bot_is_in(channel))
        and not (channel.archived and args.flag("exclude_archived"))
    ]
    items, cursor = page(args, found, 100)
    return {"channels": items, "response_metadata": {"next_cursor": cursor}}


def _members(ws: State, args: Args) -> Json:
    channel = visible(ws, args.text("channel"))
    items, cursor = page(args, [{"id": one} for one in channel.members], 100)
    return {"members": [one["id"] for one in items], "response_metadata": {"next_cursor": cursor}}


def _history(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"))
    shown = [one for one in channel.messages if not one.is_reply or one.broadcast]
    metadata = args.flag("include_all_metadata")
    newest_first = [ws.message_json(one, metadata=metadata) for one in reversed(within(args, shown))]
    items, cursor = page(args, newest_first, 100, 999)
    more = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": items, "has_more": bool(cursor), "pin_count": len(channel.pins), **more}


def _replies(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"))
    asked = ws.message(channel, args.text("ts"))
    if asked is None:
        raise refuse("thread_not_found")
    metadata = args.flag("include_all_metadata")
    if asked.is_reply:
        return {"messages": [ws.message_json(asked, metadata=metadata)], "has_more": False}
    replies = within(args, [one for one in channel.messages if one.is_reply and one.thread_ts == asked.ts])
    items, cursor = page(args, [ws.message_json(one, metadata=metadata) for one in replies], 1000)
    more = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": [ws.message_json(asked, metadata=metadata), *items], "has_more": bool(cursor), **more}


def _open(ws: State, args: Args) -> Json:
    if args.has("channel"):
        channel = visible(ws, args.text("channel"))
    else:
        users = args.names("users")
        if len(users) != 1:
            raise refuse("method_not_supported_for_channel_type" if users else "users_list_not_supplied")
        user = person(ws, users[0])
        if user.is_bot:
            raise refuse("cannot_dm_bot")
        channel = ws.direct(user)
    if channel.kind != "im":
        raise refuse("method_not_supported_for_channel_type")
    return {"channel": ws.channel_json(channel) if args.flag("return_im") else {"id": channel.id}}


def _create(ws: State, args: Args) -> Json:
    name = args.text("name")
    if len(name) > 80:
        raise refuse("invalid_name_maxlength")
    if _PROBLEM_NAME.search(name):
        raise refuse("invalid_name_specials")
    if any(one.name == name and one.kind != "im" for one in ws.channels.values()):
        raise refuse("name_taken")
    private = args.flag("is_private")
    channel = Channel(
        ws.new_id("C"), name, "group" if private else "channel", ws.now(), ws.bot_user, members=[ws.bot_user]
    )
    ws.channels[channel.id] = channel
    return {"channel": ws.channel_json(channel)}


def _invite(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"), writing=True)
    if channel.kind == "im":
        raise refuse("method_not_supported_for_channel_type")
    users = args.names("users")
    if not users:
        raise refuse("no_user")
    if len(users) > 1000:
        raise refuse("too_many_users")
    for user_id in users:
        if user_id == ws.bot_user:
            raise refuse("cant_invite_self")
        person(ws, user_id)
    fresh = [one for one in dict.fromkeys(users) if one not in channel.members]
    if not fresh:
        raise refuse("already_in_channel")
    channel.members += fresh
    for user_id in fresh:
        ws.note("act", user_id, channel.id, "is invited by the bot")
    return {"channel": ws.channel_json(channel)}


def _rename(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"), writing=True)
    name = args.text("name")
    if channel.creator != ws.bot_user:
        raise refuse("not_authorized")
    if len(name) > 80:
        raise refuse("invalid_name_maxlength")
    if _PROBLEM_NAME.search(name):
        raise refuse("invalid_name_specials")
    if any(one.name == name and one.kind != "im" and one is not channel for one in ws.channels.values()):
        raise refuse("name_taken")
    channel.name = name
    return {"channel": ws.channel_json(channel)}


def _set_topic(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"), writing=True)
    if len(args.text("topic")) > 250:
        raise refuse("too_long")
    channel.topic = args.text("topic")
    return {"channel": ws.channel_json(channel)}


def _set_purpose(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"), writing=True)
    if len(args.text("purpose")) > 250:
        raise refuse("too_long")
    channel.purpose = args.text("purpose")
    return {"channel": ws.channel_json(channel)}


def _archive(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"))
    if channel.archived:
        raise refuse("already_archived")
    if channel.kind == "im":
        raise refuse("method_not_supported_for_channel_type")
    channel.archived = True
    return {}


def _leave(ws: State, args: Args) -> Json:
    channel = visible(ws, args.text("channel"))
    if not ws.bot_is_in(channel):
        return {"not_in_channel": True}
    channel.members.remove(ws.bot_user)
    return {}


def _user_info(ws: State, args: Args) -> Json:
    return {"user": ws.user_json(person(ws, args.text("user")))}


def _user_list(ws: State, args: Args) -> Json:
    items, cursor = page(args, [ws.user_json(user) for user in ws.users.values()], 1000)
    return {"members": items, "cache_ts": int(ws.now().timestamp()), "response_metadata": {"next_cursor": cursor}}


def _api_test(ws: State, args: Args) -> Json:
    return {"args": args.given}


METHODS: dict[str, Method] = {
    "api.test": method(_api_test),
    "auth.test": method(_auth_test),
    "conversations.archive": method(_archive, _MANAGE, "channel"),
    "conversations.create": method(_create, _MANAGE, "name"),
    "conversations.history": method(_history, _HISTORY, "channel"),
    "conversations.info": method(_info, _READ, "channel"),
    "conversations.invite": method(_invite, _MANAGE, "channel"),
    "conversations.join": method(_join, "channels:join", "channel"),
    "conversations.leave": method(_leave, _MANAGE, "channel"),
    "conversations.list": method(_list, _READ),
    "conversations.members": method(_members, _READ, "channel"),
    "conversations.open": method(_open, "im:write channels:manage groups:write"),
    "conversations.rename": method(_rename, _MANAGE, "channel name"),
    "conversations.replies": method(_replies, _HISTORY, "channel ts"),
    "conversations.setPurpose": method(_set_purpose, _MANAGE, "channel"),
    "conversations.setTopic": method(_set_topic, _MANAGE, "channel topic"),
    "users.info": method(_user_info, "users:read", "user"),
    "users.list": method(_user_list, "users:read"),
}
