"""Web API: chat.*, reactions.*, pins.*, bookmarks.*: what an app says in a channel and fastens to it.

Knows docs.slack.dev/reference/methods for these. Text is kept as the app gave it: who escapes, and how often, is the
app's business and shows in the transcript.
"""

from __future__ import annotations

from .arguments import Args, Method, method
from .conversations import joined, person, visible
from .limits import check_message, check_metadata
from .model import Blocks, Channel, Json, Message, Pin
from .state import State, refuse

PINS = 100
BOOKMARKS = 100


def _content(args: Args) -> tuple[str, Blocks, Blocks, Json | None]:
    """Read and check text, blocks, attachments and metadata of a message."""
    blocks = args.json("blocks", "invalid_blocks_format")
    attachments = args.json("attachments", "invalid_attachments")
    markdown = args.maybe("markdown_text")
    metadata = args.json("metadata", "invalid_metadata_format")
    check_message(args.maybe("text"), blocks, attachments, markdown)
    if metadata is not None:
        check_metadata(metadata)
    if markdown is not None:
        return markdown, [{"type": "markdown", "text": markdown}], [], metadata
    return args.text("text"), blocks or [], attachments or [], metadata


def _root(ws: State, channel: Channel, thread_ts: str | None) -> str | None:
    """Find the message under which a reply belongs."""
    if thread_ts is None:
        return None
    parent = ws.message(channel, thread_ts)
    if parent is None:
        raise refuse("thread_not_found")
    return parent.thread_ts if parent.is_reply else parent.ts


def _own(ws: State, args: Args, refusal: str) -> tuple[Channel, Message]:
    """Find a message that this app posted and may still change."""
    channel = visible(ws, args.text("channel"))
    if channel.archived:
        raise refuse("is_archived")
    message = ws.message(channel, args.text("ts"))
    if message is None:
        raise refuse("message_not_found")
    if message.user != ws.bot_user:
        raise refuse(refusal)
    return channel, message


def _post(ws: State, args: Args) -> Json:
    wanted = args.text("channel")
    if wanted in ws.users:
        channel = ws.direct(person(ws, wanted))
    else:
        named = (one.id for one in ws.channels.values() if wanted == "#" + one.name)
        channel = visible(ws, next(named, wanted))
    if channel.archived:
        raise refuse("is_archived")
    if not ws.bot_is_in(channel) and "chat:write.public" not in ws.scopes:
        raise refuse("not_in_channel")
    text, blocks, attachments, metadata = _content(args)
    message = ws.post(
        channel,
        user=ws.bot_user,
        text=text,
        blocks=blocks,
        attachments=attachments,
        thread_ts=_root(ws, channel, args.maybe("thread_ts")),
        broadcast=args.flag("reply_broadcast"),
        by_bot=True,
        metadata=metadata,
    )
    return {"channel": channel.id, "ts": message.ts, "message": ws.message_json(message, metadata=True)}


def _post_ephemeral(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"), writing=True)
    user = person(ws, args.text("user"), "user_not_found")
    if user.id not in channel.members:
        raise refuse("user_not_in_channel")
    text, blocks, attachments, _ = _content(args)
    message = ws.post(
        channel,
        user=ws.bot_user,
        text=text,
        blocks=blocks,
        attachments=attachments,
        thread_ts=_root(ws, channel, args.maybe("thread_ts")),
        by_bot=True,
        only_for=user.id,
    )
    return {"message_ts": message.ts}


def _update(ws: State, args: Args) -> Json:
    channel, message = _own(ws, args, "cant_update_message")
    text, blocks, attachments, metadata = _content(args)
    if args.has("text") or args.has("markdown_text"):
        message.text = text
    message.blocks = blocks
    message.attachments = attachments
    if metadata is not None:
        message.metadata = metadata
    if not blocks:
        message.edited = f"{ws.now().timestamp():.6f}"
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": ws.message_json(message, metadata=True),
    }


def _delete(ws: State, args: Args) -> Json:
    channel, message = _own(ws, args, "cant_delete_message")
    erase(channel, message)
    return {"channel": channel.id, "ts": message.ts}


def erase(channel: Channel, message: Message) -> None:
    """Take a message out of a channel, with its pin; its thread stays, as in Slack."""
    message.deleted = True
    channel.messages.remove(message)
    channel.pins = [pin for pin in channel.pins if pin.ts != message.ts]


def permalink(ws: State, channel: Channel, message: Message) -> str:
    link = f"{ws.site}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return f"{link}?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else link


def _permalink(ws: State, args: Args) -> Json:
    channel, message = _target(ws, args, "message_ts")
    return {"channel": channel.id, "permalink": permalink(ws, channel, message)}


def _target(ws: State, args: Args, name: str = "timestamp") -> tuple[Channel, Message]:
    channel = visible(ws, args.text("channel"))
    message = ws.message(channel, args.text(name))
    if message is None:
        raise refuse("message_not_found")
    return channel, message


def _react(ws: State, args: Args) -> Json:
    channel, message = _target(ws, args)
    if channel.archived:
        raise refuse("is_archived")
    if not ws.bot_is_in(channel):
        raise refuse("not_in_channel")
    name = args.text("name").strip(":")
    if not name or any(not (part.isalnum() or part in "_+-:'") for part in name):
        raise refuse("invalid_name")
    users = message.reactions.setdefault(name, [])
    if ws.bot_user in users:
        raise refuse("already_reacted")
    users.append(ws.bot_user)
    return {}


def _unreact(ws: State, args: Args) -> Json:
    _, message = _target(ws, args)
    name = args.text("name").strip(":")
    if ws.bot_user not in message.reactions.get(name, []):
        raise refuse("no_reaction")
    take_reaction(message, name, ws.bot_user)
    return {}


def take_reaction(message: Message, name: str, user: str) -> None:
    message.reactions[name].remove(user)
    if not message.reactions[name]:
        del message.reactions[name]


def _reactions(ws: State, args: Args) -> Json:
    channel, message = _target(ws, args)
    return {"type": "message", "channel": channel.id, "message": ws.message_json(message)}


def _pin(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"), writing=True)
    message = ws.message(channel, args.text("timestamp"))
    if message is None:
        raise refuse("message_not_found")
    if any(pin.ts == message.ts for pin in channel.pins):
        raise refuse("already_pinned")
    if len(channel.pins) >= PINS:
        raise refuse("too_many_pins")
    channel.pins.append(Pin(message.ts, ws.bot_user, int(ws.now().timestamp())))
    return {}


def _unpin(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"), writing=True)
    kept = [pin for pin in channel.pins if pin.ts != args.text("timestamp")]
    if len(kept) == len(channel.pins):
        raise refuse("no_pin")
    channel.pins = kept
    return {}


def _pins(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel"))
    items = []
    for pin in reversed(channel.pins):
        message = ws.message(channel, pin.ts)
        if message is not None:
            shown = ws.message_json(message) | {"permalink": permalink(ws, channel, message)}
            about = {"type": "message", "created": pin.created, "created_by": pin.by, "channel": channel.id}
            items.append(about | {"message": shown})
    return {"items": items}


def _add_bookmark(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel_id"), writing=True)
    if args.text("type") != "link":
        raise refuse("invalid_bookmark_type")
    if not args.text("link").startswith(("http://", "https://")):
        raise refuse("invalid_link")
    if len(channel.bookmarks) >= BOOKMARKS:
        raise refuse("too_many_bookmarks")
    now = int(ws.now().timestamp())
    bookmark: Json = {
        "id": ws.new_id("Bk"),
        "channel_id": channel.id,
        "title": args.text("title"),
        "link": args.text("link"),
        "emoji": args.text("emoji"),
        "type": "link",
        "date_created": now,
        "date_updated": 0,
        "rank": "U",
        "app_id": ws.app_id,
    }
    channel.bookmarks.append(bookmark)
    return {"bookmark": bookmark}


def _edit_bookmark(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel_id"), writing=True)
    bookmark = next((one for one in channel.bookmarks if one["id"] == args.text("bookmark_id")), None)
    if bookmark is None:
        raise refuse("not_found")
    if args.has("link") and not args.text("link").startswith(("http://", "https://")):
        raise refuse("invalid_link")
    for name in ("title", "link", "emoji"):
        if args.has(name):
            bookmark[name] = args.text(name)
    bookmark["date_updated"] = int(ws.now().timestamp())
    return {"bookmark": bookmark}


def _remove_bookmark(ws: State, args: Args) -> Json:
    channel = joined(ws, args.text("channel_id"), writing=True)
    kept = [one for one in channel.bookmarks if one["id"] != args.text("bookmark_id")]
    if len(kept) == len(channel.bookmarks):
        raise refuse("not_found")
    channel.bookmarks = kept
    return {}


def _bookmarks(ws: State, args: Args) -> Json:
    return {"bookmarks": joined(ws, args.text("channel_id")).bookmarks}


METHODS: dict[str, Method] = {
    "bookmarks.add": method(_add_bookmark, "bookmarks:write", "channel_id title type link"),
    "bookmarks.edit": method(_edit_bookmark, "bookmarks:write", "bookmark_id channel_id"),
    "bookmarks.list": method(_bookmarks, "bookmarks:read", "channel_id"),
    "bookmarks.remove": method(_remove_bookmark, "bookmarks:write", "bookmark_id channel_id"),
    "chat.delete": method(_delete, "chat:write", "channel ts"),
    "chat.getPermalink": method(_permalink, "", "channel message_ts"),
    "chat.postEphemeral": method(_post_ephemeral, "chat:write", "channel user"),
    "chat.postMessage": method(_post, "chat:write", "channel"),
    "chat.update": method(_update, "chat:write", "channel ts"),
    "pins.add": method(_pin, "pins:write", "channel timestamp"),
    "pins.list": method(_pins, "pins:read", "channel"),
    "pins.remove": method(_unpin, "pins:write", "channel timestamp"),
    "reactions.add": method(_react, "reactions:write", "channel name timestamp"),
    "reactions.get": method(_reactions, "reactions:read", "channel timestamp"),
    "reactions.remove": method(_unreact, "reactions:write", "channel name timestamp"),
}
