"""Web API: files.* in its present form (files v2, SLACK.md 1.7).

Knows that a file is announced, uploaded, completed, and that it is shared *some time later*: `share_delay` polls of
files.info pass before its message is in the channel.
"""

from __future__ import annotations

from .arguments import Args, Method, method
from .chat import erase
from .conversations import joined
from .limits import check_blocks
from .model import File, Json
from .state import State, refuse


def _upload_url(ws: State, args: Args) -> Json:
    length = args.number("length", 0)
    if length <= 0:
        raise refuse("missing_argument", "[ERROR] length must be greater than 0")
    file_id = ws.new_id("F")
    url = f"{ws.upload_site}/upload/v1/{ws.digest('upload', 32)}"
    name = args.text("filename")
    ws.stored_files[file_id] = File(file_id, name, name, length, ws.bot_user, ws.now(), url)
    return {"upload_url": url, "file_id": file_id}


def _complete(ws: State, args: Args) -> Json:
    given = args.json("files", "invalid_arguments")
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) and "id" in one for one in given):
        raise refuse("invalid_arguments", "[ERROR] files must be a list of objects with an id")
    files = []
    for one in given:
        file = ws.stored_files.get(str(one["id"]))
        if file is None or file.deleted or file.content is None:
            raise refuse("file_not_found")
        if file.completed:
            raise refuse("file_already_completed")
        files.append(file)
    targets = args.names("channels") or args.names("channel_id")
    if len(targets) > 100:
        raise refuse("too_many_channels")
    thread_ts = args.maybe("thread_ts")
    if thread_ts and len(targets) != 1:
        raise refuse("invalid_arguments", "[ERROR] thread_ts needs exactly one channel")
    blocks = args.json("blocks", "invalid_blocks_format")
    if blocks is not None:
        check_blocks(blocks)
    for target in targets:
        channel = joined(ws, target, writing=True)
        if thread_ts and ws.message(channel, thread_ts) is None:
            raise refuse("invalid_thread_ts")
    for file, one in zip(files, given, strict=True):
        file.completed = True
        file.title = str(one.get("title") or file.name)
        file.polls_left = ws.share_delay
        file.waiting = [(target, thread_ts, args.text("initial_comment")) for target in targets]
    answer = {"files": [ws.file_json(file) for file in files]}
    if ws.share_delay == 0:
        _share(ws, files)
    return answer


def _share(ws: State, files: list[File]) -> None:
    """Let the files appear in their channels: one message for those that were completed together."""
    for target, thread_ts, comment in files[0].waiting:
        channel = ws.channels[target]
        message = ws.post(
            channel, user=ws.bot_user, text=comment, thread_ts=thread_ts, by_bot=True, subtype="file_share", files=files
        )
        for file in files:
            file.shares.setdefault(target, []).append(message.ts)
    for file in files:
        file.waiting = []


def _known(ws: State, args: Args) -> File:
    file = ws.stored_files.get(args.text("file"))
    if file is None or not file.completed:
        raise refuse("file_not_found")
    if file.deleted:
        raise refuse("file_deleted")
    return file


def _info(ws: State, args: Args) -> Json:
    file = _known(ws, args)
    if file.waiting:
        if file.polls_left <= 0:
            _share(ws, [file])
        file.polls_left -= 1
    return {"file": ws.file_json(file), "comments": []}


def _delete(ws: State, args: Args) -> Json:
    file = _known(ws, args)
    if file.user != ws.bot_user:
        raise refuse("cant_delete_file")
    file.deleted = True
    for channel in ws.channels.values():
        for message in [one for one in channel.messages if file in one.files]:
            if not message.text and all(one.deleted for one in message.files):
                erase(channel, message)
    return {}


METHODS: dict[str, Method] = {
    "files.completeUploadExternal": method(_complete, "files:write", "files"),
    "files.delete": method(_delete, "files:write", "file"),
    "files.getUploadURLExternal": method(_upload_url, "files:write", "filename"),
    "files.info": method(_info, "files:read", "file"),
}
