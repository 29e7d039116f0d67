"""The Web API calls that Scribe makes; their errors become Undelivered.

Knows Slack's methods, their arguments, answers and error codes (https://docs.slack.dev/reference/methods), and how a
connection fails. Must not know incidents, letters, or how a message is worded; whether to try again is the outbox's
decision, so nothing is tried twice here.
"""

from __future__ import annotations

import email.utils
import errno
import http.client
import json
import logging
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.core.errors import Undelivered
from bot.core.record import Channel, Installation

EVENT_TYPE = "scribe_letter"
"""The type of the metadata that a posted letter carries."""

FORM_TIMEOUT = 2.5
"""Seconds for opening a form: its trigger lives three (https://docs.slack.dev/interactivity/handling-user-interaction)."""

PAUSES = (0.3, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
"""Seconds between looks at an uploaded file until it is in its channel: Slack shares files after it has said ok."""

LONGEST_WAIT = 30.0
"""Seconds for which Slack may ask us to wait between two such looks; a file that is late is looked for again later."""

NOT_HERE = ("external", "tombstone", "hidden_by_limit")
"""Modes of files that Slack has no bytes of."""

PAGES = 5
PAGE = 200

CHANNEL_PAGES = 20
CHANNEL_PAGE = 1000
"""Channels are looked through up to 20,000, a thousand a call (https://docs.slack.dev/reference/methods/conversations.list)."""


# --- what carries a call ----------------------------------------------------------------------------------------------


class Answer(Protocol):
    """What comes back over HTTP: the status, the body as an object, the headers."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


class Transport(Protocol):
    """What carries a Web API call: Slack over HTTP, or a workspace in memory.

    Gives whatever was answered, refusals included. Raises Undelivered, or the OSError of the broken connection.
    """

    def call(self, method: str, args: Mapping[str, Any], *, timeout: float | None = None) -> Answer:
        """Call a method; lists and objects among `args` are given as they are. `timeout` is in seconds."""
        ...

    def upload(self, url: str, content: bytes) -> Answer:
        """Post a file's bytes to the address that Slack gave for it."""
        ...

    def download(self, url: str, most: int) -> bytes:
        """Fetch a file with the bot's token. Raises Undelivered, permanently for one of more than `most` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that came over HTTP."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class OverHTTP:
    """Slack itself, or what stands in for it at `base_url`. `timeout` is in seconds."""

    def __init__(self, token: str, base_url: str, timeout: float = 10) -> None:
        self._token = token
        self._base_url = base_url
        self._timeout = timeout
        # Every failure leaves here as Undelivered. The SDK would log it a second time, and all arguments at debug.
        self._log = logging.getLogger(f"{__name__}.sdk")
        self._log.setLevel(logging.CRITICAL + 1)

    def call(self, method: str, args: Mapping[str, Any], *, timeout: float | None = None) -> Reply:
        """Call a method. The SDK's retries are off: they post a second time when a connection breaks after sending."""
        client = WebClient(
            token=self._token,
            base_url=self._base_url,
            timeout=cast(int, timeout or self._timeout),  # seconds go to urllib, which takes fractions
            retry_handlers=[],
            logger=self._log,
        )
        try:
            # A form, as every method takes it; users.info, conversations.* and files.getUploadURLExternal take no JSON.
            answer: Any = client.api_call(method, data={name: _form_value(value) for name, value in args.items()})
        except SlackApiError as refused:
            answer = refused.response
        except (OSError, http.client.HTTPException) as broken:
            raise _broken(method, broken) from broken
        except (AttributeError, ValueError) as unread:  # the SDK over a body that is neither an object nor text
            raise _unread(method) from unread
        body = answer.data if isinstance(answer.data, dict) else {}
        return Reply(int(answer.status_code), body, dict(answer.headers))

    def upload(self, url: str, content: bytes) -> Reply:
        if not url.startswith(("https://", "http://")):
            raise Undelivered(f"Slack gave no address to upload to: {url[:40]}", permanent=True)
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
            url, data=content, method="POST", headers={"Content-Type": "application/octet-stream"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310 - as above
                answer.read()
                return Reply(answer.status, {}, dict(answer.headers))
        except urllib.error.HTTPError as refused:
            with refused:
                return Reply(refused.code, {}, dict(refused.headers))
        except (OSError, http.client.HTTPException) as broken:
            raise _broken("the upload", broken) from broken

    def download(self, url: str, most: int) -> bytes:
        """The token goes to Slack's own hosts and the stand-in's only: an address in a message may be anybody's."""
        if not _is_slacks(url, self._base_url):
            raise Undelivered("The file does not lie with Slack.", permanent=True)
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310 - looked at
        try:
            with _NO_REDIRECTS.open(request, timeout=self._timeout) as answer:
                kind = str(answer.headers.get_content_type())
                content = self._read(answer, most + 1)
                announced = answer.headers.get("Content-Length", "")
        except urllib.error.HTTPError as refused:
            with refused:
                gone = 300 <= refused.code < 500 and refused.code not in (408, 429)
                retry_after = _retry_after(dict(refused.headers))
            raise Undelivered(
                f"Slack did not give the file (HTTP {refused.code}).",
                permanent=gone,
                retry_after=retry_after,
                code="missing_scope" if 300 <= refused.code < 400 else "",  # it leads to where people sign in
            ) from refused
        except (OSError, http.client.HTTPException) as broken:
            raise _broken("the download", broken) from broken
        if len(content) > most:
            raise Undelivered(f"The file is larger than {most} bytes.", permanent=True, code="too_large")
        if kind == "text/html":  # Slack's sign-in page, which is what a token without files:read gets
            raise Undelivered(
                "Slack gave its sign-in page instead of the file: the app lacks files:read.",
                permanent=True,
                code="missing_scope",
            )
        if announced.isdigit() and len(content) < int(announced):  # urllib says nothing of a connection that broke
            raise Undelivered("The connection to Slack broke (the download).")
        return content

    def _read(self, answer: Any, most: int) -> bytes:
        """So many bytes of an answer at most. Raises Undelivered where they trickle in: a lease lasts three minutes."""
        until = time.monotonic() + self._timeout * 10
        parts: list[bytes] = []
        while most > 0 and (part := answer.read1(min(most, 1 << 16))):
            parts.append(part)
            most -= len(part)
            if time.monotonic() > until:
                raise Undelivered("Slack gave the file too slowly.")
        return b"".join(parts)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token would go with it."""

    def redirect_request(self, *_: Any) -> None:
        return None


_NO_REDIRECTS = urllib.request.build_opener(_Stay)


def _is_slacks(url: str, base_url: str) -> bool:
    """Whether an address is one of Slack's, or of what stands in for it."""
    try:
        parts, ours = urlsplit(url), urlsplit(base_url)
        host = (parts.hostname or "").lower()
        if (parts.scheme, host, parts.port) == (ours.scheme, ours.hostname, ours.port):
            return True
    except ValueError:
        return False
    return parts.scheme == "https" and (host == "slack.com" or host.endswith((".slack.com", ".slack-files.com")))


class Counted:
    """A transport that tells `became(method, result, seconds)` of each call; a file's bytes count as "upload" or
    "download".

    The results: ok, rate_limited, refused, failed (Slack's own fault), no_answer.
    """

    def __init__(self, transport: Transport, became: Callable[[str, str, float], None]) -> None:
        self._transport = transport
        self._became = became

    def call(self, method: str, args: Mapping[str, Any], *, timeout: float | None = None) -> Answer:
        return self._counted(method, lambda: self._transport.call(method, args, timeout=timeout))

    def upload(self, url: str, content: bytes) -> Answer:
        return self._counted("upload", lambda: self._transport.upload(url, content))

    def download(self, url: str, most: int) -> bytes:
        began, result = time.perf_counter(), "no_answer"
        try:
            content = self._transport.download(url, most)
            result = "ok"
            return content
        except Undelivered as failure:
            result = "rate_limited" if failure.retry_after else "refused" if failure.permanent else "failed"
            raise
        finally:
            self._became("download", result, time.perf_counter() - began)

    def _counted(self, method: str, ask: Callable[[], Answer]) -> Answer:
        began, result = time.perf_counter(), "no_answer"
        try:
            answer = ask()
            result = _result(method, answer)
            return answer
        finally:
            self._became(method, result, time.perf_counter() - began)


def _result(method: str, answer: Answer) -> str:
    if answer.status == 429 or answer.body.get("error") in ("ratelimited", "rate_limited"):
        return "rate_limited"
    if answer.status >= 500:
        return "failed"
    fine = 200 <= answer.status < 300 and (method == "upload" or answer.body.get("ok") is True)
    return "ok" if fine else "refused"


def _form_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- what is called ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shared:
    """An uploaded file. `permalink` opens it; `ts` is its message in the channel, "" while Slack has not shared it."""

    file: str
    permalink: str
    ts: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A file that somebody shared: what Slack says of it, and where its bytes are; `url` is "" where it has none.

    `media_type` is Slack's claim, `size` in bytes. `elsewhere`: Slack holds a link to another program's file.
    """

    name: str
    media_type: str
    size: int
    url: str
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack says about a person; `zone` is an IANA name.

    `teams` are the workspaces that they belong to; `guest`: they see those channels only into which they were invited.
    """

    user: str
    name: str
    zone: str | None
    is_bot: bool
    guest: bool = False
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Token:
    """What Slack says about a token: whose it is, and its scopes; None where the answer does not name them."""

    installation: Installation
    scopes: frozenset[str] | None


class Slack:
    """The calls that Scribe makes. Each raises Undelivered when Slack did not take it."""

    def __init__(self, transport: Transport, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._transport = transport
        self._pause = pause

    def whoami(self) -> Installation:
        """Ask whose token it is."""
        return self.token().installation

    def token(self) -> Token:
        """Ask whose token it is, and what it may do: a header of each answer names the scopes."""
        answer = self._ask("auth.test", {})
        body = answer.body
        found = Installation(
            team=_text(body, "team_id"),
            name=str(body.get("team", "")),
            bot_user=_text(body, "user_id"),
            bot_id=str(body.get("bot_id") or ""),
            url=str(body.get("url", "")),
        )
        named = _header(answer.headers, "X-OAuth-Scopes")
        return Token(found, frozenset(re.findall(r"[\w:.-]+", named)) if named else None)

    def knock(self) -> datetime | None:
        """Ask whether Slack is there, whatever it thinks of the token; give the time by its clock where it says one."""
        try:
            answer = self._transport.call("api.test", {})
        except (OSError, http.client.HTTPException) as broken:
            raise _broken("api.test", broken) from broken
        # Over a page that is no JSON the SDK puts its text where Slack puts an error's code.
        ours = answer.body.get("ok") is True or _CODE.fullmatch(str(answer.body.get("error", "")))
        if answer.status != 200 or not ours:
            raise _refused("api.test", answer)
        try:
            said = email.utils.parsedate_to_datetime(_header(answer.headers, "Date"))
        except ValueError:
            return None
        return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)

    def may_connect(self) -> None:
        """Ask for a connection of Socket Mode and leave it unopened; the transport's token is the app-level one."""
        self._call("apps.connections.open")

    def person(self, user: str, timeout: float | None = None) -> Profile:
        """Look a person up. `timeout` is in seconds, for when somebody waits."""
        found = _object(self._call("users.info", timeout, user=user), "user")
        profile = found.get("profile") or {}
        name = profile.get("display_name") or profile.get("real_name") or found.get("real_name") or found.get("name")
        guest = bool(found.get("is_restricted") or found.get("is_ultra_restricted") or found.get("is_stranger"))
        # in an organisation of several workspaces a person has one team_id and belongs to several
        teams = {found.get("team_id"), *((found.get("enterprise_user") or {}).get("teams") or ())}
        return Profile(
            user,
            str(name or user),
            found.get("tz") or None,
            bool(found.get("is_bot")),
            guest,
            frozenset(str(team) for team in teams if team),
        )

    def look_at(self, team: str, channel: str) -> Channel:
        """Ask what a channel is. One that Scribe may not see is refused as channel_not_found."""
        found = _object(self._call("conversations.info", channel=channel), "channel")
        direct = bool(found.get("is_im") or found.get("is_mpim"))
        return Channel(
            team=team,
            channel=channel,
            name=str(found.get("name") or ""),
            private=bool(found.get("is_private")) or direct,
            # Slack says no is_member of direct messages: only who is in one can see it.
            member=bool(found.get("is_member", direct)),
            archived=bool(found.get("is_archived")),
            shared=bool(found.get("is_ext_shared") or found.get("is_pending_ext_shared")),
        )

    def join(self, channel: str) -> None:
        """Join a public channel; fine if Scribe is in it already."""
        self._call("conversations.join", channel=channel)

    def post(self, channel: str, message: Mapping[str, Any], *, thread: str = "", key: str = "") -> str:
        """Post a message ({"text", "blocks"}) and give its ts. `key` makes it possible to `find` it again.

        Slack fetches no address in it: a signed link would be opened before anybody clicked it.
        """
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}} if key else None
        body = self._call(
            "chat.postMessage",
            **message,
            channel=channel,
            thread_ts=thread or None,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
        return _text(body, "ts")

    def find(self, channel: str, key: str, *, thread: str = "", since: str = "") -> str | None:
        """Give the ts of the message that was posted with `key`, None if there is none in the last pages.

        For use after an uncertain failure. `since` is the ts from which on to look.
        """
        for message in self._messages(channel, thread, since):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == key and message.get("ts") != thread:
                return str(message["ts"])
        return None

    def edit(self, channel: str, ts: str, message: Mapping[str, Any]) -> None:
        """Put other text and blocks in place of a message of ours; its key stays."""
        self._call("chat.update", **{"blocks": [], **message}, channel=channel, ts=ts)

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours; fine if it is gone already."""
        self._call("chat.delete", channel=channel, ts=ts, fine=("message_not_found",))

    def whisper(self, channel: str, user: str, message: Mapping[str, Any], *, thread: str = "") -> None:
        """Show a message to one person of a channel, in a thread where one is given."""
        self._call("chat.postEphemeral", **message, channel=channel, user=user, thread_ts=thread or None)

    def direct(self, user: str) -> str:
        """Give the channel of the direct messages with a person."""
        return _text(_object(self._call("conversations.open", users=user), "channel"), "id")

    def upload(
        self, channel: str, *, name: str, title: str, content: bytes, thread: str = "", comment: str = ""
    ) -> Shared:
        """Upload a file into a channel and wait, within bounds, until it is there.

        A file that Slack took and did not show in time is given without `ts`; trying again would make a second one.
        """
        if not content:
            raise Undelivered(f"Slack takes no empty file ({name}).", permanent=True)
        try:
            ticket = self._call("files.getUploadURLExternal", filename=name, length=len(content))
            file = _text(ticket, "file_id")
            self._send(_text(ticket, "upload_url"), content)
        except Undelivered as error:
            error.uncertain = False  # a file that is not completed is seen by nobody
            raise
        try:
            self._call(
                "files.completeUploadExternal",
                files=[{"id": file, "title": title}],
                channel_id=channel,
                thread_ts=thread or None,
                initial_comment=comment or None,
            )
        except Undelivered as error:
            shared = self._wait(file, channel, thread) if error.uncertain else Shared(file, "")
            if not shared.ts:
                error.permanent = error.permanent and error.code not in LOST_ON_THE_WAY
                raise
            return shared
        return self._wait(file, channel, thread)

    def address_of(self, file: str) -> str:
        """Give the address that opens an uploaded file."""
        return _text(_object(self._call("files.info", file=file), "file"), "permalink")

    def file(self, file: str) -> Held:
        """Ask what a file is that somebody shared (https://docs.slack.dev/reference/objects/file-object)."""
        found = _object(self._call("files.info", file=file), "file")
        size = found.get("size")
        return Held(
            name=str(found.get("name") or found.get("title") or ""),
            media_type=str(found.get("mimetype") or ""),
            size=size if isinstance(size, int) and size > 0 else 0,
            url=str(found.get("url_private_download") or found.get("url_private") or ""),
            elsewhere=bool(found.get("is_external")) or found.get("mode") in NOT_HERE,
        )

    def delete_file(self, file: str) -> None:
        """Delete a file of ours; fine if it is gone already."""
        self._call("files.delete", file=file, fine=("file_not_found", "file_deleted"))

    def open_form(self, trigger: str, view: Mapping[str, Any], timeout: float | None = FORM_TIMEOUT) -> str:
        """Open a form in front of the person whose trigger it is; gives its id."""
        body = self._call("views.open", timeout, trigger_id=trigger, view=view)
        return str((body.get("view") or {}).get("id") or "")

    def change_form(
        self, view_id: str, view: Mapping[str, Any], timeout: float | None = FORM_TIMEOUT, hash: str = ""
    ) -> None:
        """Put another view in place of one that is open; with the `hash` of the one that was seen, of no other."""
        seen: dict[str, Any] = {"hash": hash} if hash else {}
        self._call("views.update", timeout, view_id=view_id, view=view, **seen)

    def lay_over(self, trigger: str, view: Mapping[str, Any], timeout: float | None = FORM_TIMEOUT) -> None:
        """Open a view on top of the one from which the trigger comes; Slack stacks three."""
        self._call("views.push", timeout, trigger_id=trigger, view=view)

    def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show a person's Home tab."""
        self._call("views.publish", user_id=user, view=view)

    def message(self, channel: str, ts: str) -> Mapping[str, Any] | None:
        """Look one message up, in a thread or not; None where there is none (any more).

        history knows no replies and would give the message before (PEERS.md, defect 13), so the ts is compared.
        """
        exactly: Any = {"channel": channel, "latest": ts, "oldest": ts, "inclusive": True, "limit": 1}
        for found in self._call("conversations.history", **exactly).get("messages") or ():
            if found.get("ts") == ts:
                return dict(found)
        body = self._call("conversations.replies", ts=ts, **exactly, fine=("thread_not_found", "message_not_found"))
        return next((dict(found) for found in body.get("messages") or () if found.get("ts") == ts), None)

    def messages(self, channel: str, since: str, until: str = "", cursor: str = "") -> tuple[list[Any], str]:
        """A page of a channel's messages between two ts, newest first, and the cursor of the next page ("": none)."""
        body = self._call(
            "conversations.history",
            channel=channel,
            oldest=since,
            latest=until or None,
            inclusive=True,
            limit=PAGE,
            cursor=cursor or None,
        )
        return list(body.get("messages") or ()), str((body.get("response_metadata") or {}).get("next_cursor") or "")

    def replies(self, channel: str, thread: str) -> list[Any]:
        """The replies in a thread, at most a page of them."""
        body = self._call("conversations.replies", channel=channel, ts=thread, limit=PAGE, fine=("thread_not_found",))
        return [one for one in body.get("messages") or () if one.get("ts") != thread]

    def pin(self, channel: str, ts: str) -> None:
        """Pin a message; fine if it is pinned already."""
        self._call("pins.add", channel=channel, timestamp=ts, fine=("already_pinned",))

    def unpin(self, channel: str, ts: str) -> None:
        """Unpin a message; fine if it is not pinned."""
        self._call("pins.remove", channel=channel, timestamp=ts, fine=("no_pin", "not_pinned", "message_not_found"))

    def bookmark(self, channel: str, title: str, link: str) -> str:
        """Put a link on top of a channel, and give its id."""
        body = self._call("bookmarks.add", channel_id=channel, title=title, type="link", link=link)
        return _text(_object(body, "bookmark"), "id")

    def remove_bookmark(self, channel: str, bookmark: str) -> None:
        """Take such a link away; fine if it is gone already."""
        self._call(
            "bookmarks.remove", channel_id=channel, bookmark_id=bookmark, fine=("not_found", "bookmark_not_found")
        )

    def make_channel(self, name: str) -> str:
        """Make a public channel and give its id. One of that name is refused as name_taken."""
        return _text(_object(self._call("conversations.create", name=name), "channel"), "id")

    def find_channel(self, name: str) -> Mapping[str, Any] | None:
        """Look a channel up by its name; None where there is none that Scribe may see. It may take several calls."""
        cursor = None
        for _ in range(CHANNEL_PAGES):
            body = self._call(
                "conversations.list", types="public_channel,private_channel", limit=CHANNEL_PAGE, cursor=cursor
            )
            for found in body.get("channels") or ():
                if found.get("name") == name:
                    return dict(found)
            cursor = (body.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return None

    def rename_channel(self, channel: str, name: str) -> None:
        """Give a channel that Scribe made another name."""
        self._call("conversations.rename", channel=channel, name=name)

    def set_topic(self, channel: str, topic: str) -> None:
        """Set a channel's topic."""
        self._call("conversations.setTopic", channel=channel, topic=topic)

    def invite(self, channel: str, user: str) -> None:
        """Invite a person into a channel; fine if they are in it."""
        self._call("conversations.invite", channel=channel, users=user, fine=("already_in_channel", "cant_invite_self"))

    def download(self, url: str, most: int) -> bytes:
        """Fetch a file that somebody shared, of at most `most` bytes; it stays as private as it was."""
        try:
            return self._transport.download(url, most)
        except (OSError, http.client.HTTPException) as broken:
            raise _broken("the download", broken) from broken

    def permalink(self, channel: str, ts: str) -> str:
        """Give the address of a message."""
        return _text(self._call("chat.getPermalink", channel=channel, message_ts=ts), "permalink")

    # --- inside

    def _call(self, method: str, timeout: float | None = None, *, fine: tuple[str, ...] = (), **args: Any) -> Any:
        given = {name: value for name, value in args.items() if value is not None}
        return self._ask(method, given, timeout, fine).body

    def _ask(
        self, method: str, given: Mapping[str, Any], timeout: float | None = None, fine: tuple[str, ...] = ()
    ) -> Answer:
        try:
            answer = self._transport.call(method, given, timeout=timeout)
        except (OSError, http.client.HTTPException) as broken:
            raise _broken(method, broken) from broken
        if answer.status == 200 and answer.body.get("ok") is True:
            return answer
        if answer.body.get("error") in fine:
            return answer
        raise _refused(method, answer)

    def _send(self, url: str, content: bytes) -> None:
        try:
            answer = self._transport.upload(url, content)
        except (OSError, http.client.HTTPException) as broken:
            raise _broken("the upload", broken) from broken
        if answer.status == 429:
            raise _refused("the upload", answer)
        if not 200 <= answer.status < 300:
            raise Undelivered(f"Slack did not take the file (HTTP {answer.status}).")

    def _wait(self, file: str, channel: str, thread: str) -> Shared:
        """Look at a file until it is in the channel or the pauses are used up."""
        permalink = ""
        for pause in (*PAUSES, None):
            asked = 0.0
            try:
                found = _object(self._call("files.info", file=file), "file")
            except Undelivered as error:
                if error.permanent:
                    break
                asked = min(error.retry_after or 0.0, LONGEST_WAIT)
            else:
                permalink = str(found.get("permalink") or "")
                if ts := _shared_at(found, channel, thread):
                    return Shared(file, permalink, ts)
            if pause is not None:
                self._pause(max(pause, asked))
        return Shared(file, permalink)

    def _messages(self, channel: str, thread: str, since: str) -> Iterator[Mapping[str, Any]]:
        cursor = None
        for _ in range(PAGES):
            about: dict[str, Any] = {
                "channel": channel,
                "oldest": since or None,
                "inclusive": True,
                "include_all_metadata": True,
                "limit": PAGE,
                "cursor": cursor,
            }
            if thread:
                body = self._call("conversations.replies", ts=thread, **about)
            else:
                body = self._call("conversations.history", **about)
            yield from body.get("messages") or ()
            cursor = (body.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return


def _shared_at(file: Mapping[str, Any], channel: str, thread: str) -> str:
    """Give the ts of the message that carries a file in a channel, "" if there is none yet."""
    places = [
        place
        for kind in (file.get("shares") or {}).values()
        for place in kind.get(channel, ())
        if not thread or place.get("thread_ts") in (None, thread)
    ]
    return str(places[0].get("ts", "")) if places else ""


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Undelivered(f"Slack's answer lacks {name}.", uncertain=True)
    return value


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if not isinstance(value, Mapping):
        raise Undelivered(f"Slack's answer lacks {name}.", uncertain=True)
    return value


# --- what goes wrong --------------------------------------------------------------------------------------------------

_INVITE = "Type /invite @Scribe in the channel."
_TOKEN = "Check SLACK_BOT_TOKEN (the app's page, Install App)."  # noqa: S105 - a sentence

AGAIN: dict[str, str] = {
    "ratelimited": "Slack asks to wait.",
    "rate_limited": "Slack asks to wait.",
    "internal_error": "Slack had an error of its own.",
    "fatal_error": "Slack had an error of its own.",
    "service_unavailable": "Slack is unavailable.",
    "request_timeout": "Slack did not receive the whole request.",
    "team_added_to_org": "Slack is moving this workspace into an organisation.",
    "accesslimited": "Slack limits access at the moment.",
    "external_channel_migrating": "Slack is moving this channel.",
}
"""Slack's codes for what may well work the next time, in plain words."""

PERHAPS = {"internal_error", "fatal_error"}
"""Of these Slack says that part of the operation may have succeeded."""

REMEDIES: dict[str, str] = {
    "not_in_channel": f"Scribe is not in the channel. {_INVITE}",
    "channel_not_found": f"Scribe cannot see the channel: it is private, or gone. {_INVITE}",
    "method_not_supported_for_channel_type": f"Scribe cannot join a private channel by itself. {_INVITE}",
    "is_archived": "The channel is archived. Unarchive it, or go on in another one.",
    "restricted_action": "The workspace's settings do not let Scribe post there. An admin can allow it.",
    "restricted_action_read_only_channel": "Only some people may post in this channel. An admin can allow Scribe to.",
    "restricted_action_thread_only_channel": "This channel allows replies in threads only. An admin can allow posts.",
    "posting_to_channel_denied": "Scribe may not post in this channel. An admin can allow it.",
    "ekm_access_denied": "Admins have suspended posting in this workspace.",
    "invalid_auth": f"Slack does not know the bot token. {_TOKEN}",
    "not_authed": f"No bot token was sent. {_TOKEN}",
    "account_inactive": f"The bot was removed from the workspace. Install the app again. {_TOKEN}",
    "token_revoked": f"The bot token was revoked. Install the app again. {_TOKEN}",
    "token_expired": f"The bot token has expired. Turn token rotation off. {_TOKEN}",
    "not_allowed_token_type": f"This is not a bot token (xoxb-…). {_TOKEN}",
    "msg_too_long": "The message is too long for Slack.",
    "msg_blocks_too_long": "The message is too long for Slack.",
    "no_text": "The message is empty.",
    "message_not_found": "The message is gone.",
    "thread_not_found": "The message to reply to is gone.",
    "invalid_thread_ts": "The message to reply to is gone.",
    "cant_update_message": "The message is not Scribe's own.",
    "cant_delete_message": "The message is not Scribe's own.",
    "edit_window_closed": "The workspace's settings do not let old messages be edited.",
    "user_not_found": "Slack does not know this person.",
    "user_not_visible": "Scribe may not see this person.",
    "user_not_in_channel": "The person is not in the channel.",
    "user_disabled": "The person's account is deactivated.",
    "cannot_dm_bot": "A bot takes no direct messages from Scribe.",
    "messages_tab_disabled": "The app takes no direct messages: turn on the Messages Tab under App Home.",
    "file_uploads_disabled": "The workspace does not allow uploading files.",
    "file_uploads_except_images_disabled": "The workspace allows uploading images only.",
    "blocked_file_type": "The workspace does not allow files of this kind.",
    "storage_limit_reached": "The workspace's storage for files is full.",
    "snippet_too_large": "The file is too large for Slack to show as text.",
    "file_not_found": "The file is gone.",
    "file_deleted": "The file is gone.",
    "expired_trigger_id": "The form came too late: Slack opens one within three seconds only. Try again.",
    "trigger_expired": "The form came too late: Slack opens one within three seconds only. Try again.",
    "exchanged_trigger_id": "The form was opened already.",
    "trigger_exchanged": "The form was opened already.",
    "view_too_large": "The form is too large for Slack.",
    "name_taken": "A channel of that name exists already.",
    "not_enabled": "The app's Home tab is turned off: turn it on under App Home.",
    "too_many_pins": "The channel has as many pins as Slack allows.",
    "too_many_bookmarks": "The channel has as many bookmarks as Slack allows.",
}
"""Slack's codes for what another try cannot help, in plain words, with what a person can do about it."""

LOST_ON_THE_WAY = {"file_not_found"}
"""Slack's code when an upload never arrived whole: uploading it anew helps."""

_CODE = re.compile(r"[a-z0-9_]+")


def _refused(method: str, answer: Answer) -> Undelivered:
    """Put an answer that is not ok in plain words."""
    said = answer.body.get("error")
    code = said if isinstance(said, str) and _CODE.fullmatch(said) else ""
    if answer.status == 429 or code in ("ratelimited", "rate_limited"):
        return Undelivered(AGAIN["ratelimited"], retry_after=_retry_after(answer.headers), code=code or "ratelimited")
    if answer.status >= 500 or answer.status == 408:
        return Undelivered(
            f"Slack had an error of its own (HTTP {answer.status}, {method}).", uncertain=True, code=code
        )
    if not code:
        return _unread(method, answer.status)
    if code in AGAIN:
        return Undelivered(f"{AGAIN[code]} ({method}: {code})", uncertain=code in PERHAPS, code=code)
    if code == "missing_scope":
        needed = answer.body.get("needed") or "a scope"
        words = f"The Slack app lacks {needed} ({method}). Add it under OAuth & Permissions and install the app again."
    elif code in REMEDIES:
        words = REMEDIES[code]
    else:
        words = f"Slack refused {method}: {code}."
    details = (answer.body.get("response_metadata") or {}).get("messages") or answer.body.get("errors") or ()
    return Undelivered(" ".join([words, *map(str, details)]), permanent=True, code=code)


def _unread(method: str, status: int = 200) -> Undelivered:
    """What answered is not Slack: a proxy's page, half an answer."""
    return Undelivered(f"The answer to {method} could not be read (HTTP {status}).", uncertain=status < 300)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = _header(headers, "Retry-After")
    return float(value) if re.fullmatch(r"[0-9]{1,6}", value) else None


def _header(headers: Mapping[str, str], name: str) -> str:
    """Give a header, "" where there is none; small and capital letters are alike."""
    return next((str(value).strip() for key, value in headers.items() if key.lower() == name.lower()), "")


_UNREACHABLE = {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


def _broken(what: str, error: Exception) -> Undelivered:
    """Say what became of a connection. Only what surely happened before anything was sent is certain."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, socket.gaierror):
        return Undelivered(f"Slack's address could not be looked up ({what}).")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Undelivered(f"Slack's certificate could not be verified ({what}): {reason.verify_message}.")
    if isinstance(reason, ConnectionRefusedError) or getattr(reason, "errno", None) in _UNREACHABLE:
        return Undelivered(f"Slack could not be reached ({what}).")
    if isinstance(reason, TimeoutError):
        return Undelivered(f"Slack did not answer in time ({what}).", uncertain=True)
    return Undelivered(f"The connection to Slack broke ({what}).", uncertain=True)
