"""The workspace over HTTP and Socket Mode, on a port of this machine, for programs in other processes.

Knows how Slack is reached: the Web API, uploads, response_urls, the sockets of Socket Mode, and how requests reach the
app over HTTP. What is answered is the workspace's business; here it becomes a status, headers and bytes, or a
connection that breaks. Waits in real time only where it was told to be slow.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

from .acts import Acts
from .model import Door, DoorReply, Json, Reply
from .sockets import PATIENCE, Connection, Sockets
from .wire import Link, accept

MOST_BYTES = 64 * 1024 * 1024
"""How long the body of a request may be; Slack's own limit for files is larger."""

IDLE = 30
"""Seconds after which a client that connects and asks nothing is hung up on."""

log = logging.getLogger("scribe.workspace.server")


@dataclass(slots=True)
class _Slow:
    method: str
    seconds: float
    moment: Literal["before", "after"]
    times: int
    skip: int


class WorkspaceServer:
    """A workspace that others can reach; `port` 0 takes a free one.

    While it runs, the upload URLs, response_urls and addresses of files that the workspace hands out lead here.
    """

    def __init__(self, workspace: Acts, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.workspace = workspace
        self.sockets = Sockets(workspace)
        self.closing = threading.Event()
        self._host = host
        self._port = port
        self._listener: _Listener | None = None
        self._reserved: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._sites: tuple[str, str, str] | None = None
        self.waits: list[_Slow] = []

    # --- on and off

    def start(self) -> Self:
        """Begin to listen."""
        if self._listener is not None:
            raise RuntimeError("this server runs already")
        self._listen(self._bound())
        self._sites = self.workspace.hooks_site, self.workspace.upload_site, self.workspace.files_site
        self.workspace.hooks_site = f"{self.url}/hooks"
        self.workspace.upload_site = self.workspace.files_site = self.url
        return self

    def close(self) -> None:
        """Stop to listen, end all connections, and wait for all threads."""
        for connection in self.sockets.close(1001):
            connection.gone.wait(0.5)
        self._hush()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        if self._sites is not None:
            self.workspace.hooks_site, self.workspace.upload_site, self.workspace.files_site = self._sites
            self._sites = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def go_away(self) -> None:
        """Let Slack be away: every connection is reset, new ones are refused, the port stays ours."""
        self.workspace.away = True
        if self._listener is not None:
            for link in self._listener.links():
                link.break_off()
            self._hush()
            self._reserved = self._bound()

    def come_back(self) -> None:
        """Let Slack be there again, at the same address."""
        self.workspace.away = False
        if self._reserved is not None:
            self._listen(self._reserved)
            self._reserved = None

    # --- where

    @property
    def url(self) -> str:
        """The origin, without a slash at its end."""
        if not self._port:
            raise RuntimeError("this server has no address before it runs")
        return f"http://{self._host}:{self._port}"

    @property
    def api_url(self) -> str:
        """What a WebClient takes as its base_url."""
        return f"{self.url}/api/"

    # --- the way to the app

    def attach_sockets(self, patience: float = PATIENCE) -> None:
        """Let the workspace's requests go to the app over Socket Mode; `patience` in seconds, for each ack."""
        self.sockets.patience = patience
        self.workspace.attach(self.sockets.door)

    def attach_http(self, url: str, patience: float = PATIENCE) -> None:
        """Let the workspace's signed requests go to the app's Request URL, or to its origin; `patience` in seconds."""
        self.workspace.attach(over_http(url, patience))

    def resend_unacked(self) -> int:
        """Send the events that were not acked over Socket Mode once more; gives how many were acked now."""
        return self.sockets.resend_unacked()

    # --- what goes wrong

    def slow(
        self,
        method: str,
        seconds: float,
        *,
        times: int = 1,
        skip: int = 0,
        moment: Literal["before", "after"] = "after",
    ) -> None:
        """Let the next answers to a method take so long, `skip` of them excepted.

        The wait comes after the effect of the call, or before it (`moment`).
        "upload", "respond" and "connect" (the opening of a socket) are slowed like methods.
        """
        with self.workspace.lock:
            self.waits.append(_Slow(method, seconds, moment, times, skip))

    def slowness(self, method: str) -> tuple[float, float]:
        """Take the waits before and after a call that is being answered, in seconds."""
        with self.workspace.lock:
            for one in self.waits:
                if one.times > 0 and one.method == method:
                    if one.skip > 0:
                        one.skip -= 1
                        continue
                    one.times -= 1
                    return (one.seconds, 0) if one.moment == "before" else (0, one.seconds)
        return 0, 0

    # --- inside

    def _bound(self) -> socket.socket:
        """Take the port. A socket that is bound and does not listen refuses connections."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self._host, self._port))
        self._port = sock.getsockname()[1]
        return sock

    def _listen(self, sock: socket.socket) -> None:
        self.closing.clear()
        self._listener = _Listener(self, sock)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), name="workspace")
        self._thread.start()

    def _hush(self) -> None:
        listener, thread = self._listener, self._thread
        if listener is None or thread is None:
            return
        self.closing.set()
        listener.shutdown()
        thread.join()
        for link in listener.links():
            link.hang_up()
        listener.server_close()  # joins the threads of all requests
        self._listener = self._thread = None


class _Listener(ThreadingHTTPServer):
    """Accepts connections and remembers them, so that they can be ended from outside."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, owner: WorkspaceServer, sock: socket.socket) -> None:
        # HTTPServer.server_bind is left out on purpose: it asks the resolver for this machine's name.
        super().__init__(sock.getsockname(), _Request, bind_and_activate=False)
        self.socket.close()
        self.socket = sock
        self.owner = owner
        self._links: dict[socket.socket, Link] = {}
        self.server_activate()

    def links(self) -> list[Link]:
        return list(self._links.values())

    def link(self, sock: socket.socket) -> Link:
        return self._links[sock]

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        self._links[sock] = Link(sock)
        return sock, address

    def shutdown_request(self, request: Any) -> None:
        self._links.pop(request).close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what was a defect here; that the other side went away is none."""
        if not isinstance(sys.exception(), OSError):
            log.exception("the workspace could not answer %s", client_address)


class _Request(BaseHTTPRequestHandler):
    """One request, one connection; those that become WebSockets last longer."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    server_version = "Workspace"
    sys_version = ""
    timeout = IDLE

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/link/":
            self._open_socket()
        else:
            self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: the workspace remembers its calls."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What the header Date says: the time by the workspace's clock, which need not be that of this machine."""
        moment = self.server.owner.workspace.now().timestamp() if timestamp is None else timestamp
        return super().date_time_string(moment)

    # --- HTTP

    def _answer(self) -> None:
        self.close_connection = True
        owner, workspace = self.server.owner, self.server.owner.workspace
        body = self._body()
        if body is None:
            return
        place = urlsplit(self.path).path
        address = owner.url + self.path
        try:
            if place.startswith("/api/"):
                self._send(*self._call(place.removeprefix("/api/"), body))
            elif place.startswith("/upload/") and self.command == "POST":
                reply = self._slowly("upload", lambda: workspace.upload(address, body))
                self._send_text(reply, reply.body.get("text"))
            elif place.startswith("/files-pri/") and self.command == "GET":
                self._send_file(self._slowly("download", lambda: workspace.download(address, self._bearer())))
            elif place.startswith("/hooks/") and self.command == "POST":
                payload = _hook(self.headers.get_content_type(), body)
                if payload is None:
                    self._send_text(Reply(400, {}), "invalid_payload")
                    return
                reply = self._slowly("respond", lambda: workspace.respond(address, payload))
                self._send_text(reply, "ok" if reply.body.get("ok") else None)
            else:
                self._send_text(Reply(404, {}), "there is nothing here")
        except ConnectionRefusedError:
            self.server.link(self.connection).break_off()  # away
        except ConnectionResetError:
            pass  # a fault: the connection is closed without an answer

    def _call(self, method: str, body: bytes) -> tuple[Reply, bytes]:
        workspace = self.server.owner.workspace
        given = _arguments(self.headers.get_content_type(), body, urlsplit(self.path).query)
        if isinstance(given, str):
            reply = Reply(200, {"ok": False, "error": given}, {"Content-Type": "application/json; charset=utf-8"})
            return reply, _json(reply.body)
        token = self._bearer() or given.get("token")
        if method == "apps.connections.open":
            reply = self._slowly(method, lambda: workspace.open_connection(token, self._issue))
        else:
            reply = self._slowly(method, lambda: workspace.call(method, given, token))
        return reply, _json(reply.body)

    def _bearer(self) -> str:
        scheme, _, bearer = self.headers.get("Authorization", "").partition(" ")
        return bearer.strip() if scheme.lower() == "bearer" else ""

    def _send_file(self, reply: Reply) -> None:
        """A file, or what Slack has for one who may not see it: the way to the page where people sign in."""
        if "content" in reply.body:
            headers = {"Content-Type": str(reply.body["media_type"]), **reply.headers}
            self._send(Reply(200, {}, headers), bytes(reply.body["content"]))
        elif reply.status == 302:
            where = {"Location": f"{self.server.owner.url}/?redir={quote(self.path)}"}
            self._send(Reply(302, {}, {"Content-Type": "text/html", **where}), b"<!doctype html><title>Sign in</title>")
        else:
            self._send_text(reply, None)

    def _issue(self) -> str:
        owner = self.server.owner
        address = owner.url.replace("http:", "ws:", 1)
        return f"{address}/link/?ticket={owner.sockets.ticket()}&app_id={owner.workspace.app_id}"

    def _slowly(self, method: str, effect: Callable[[], Reply]) -> Reply:
        closing = self.server.owner.closing
        before, after = self.server.owner.slowness(method)
        closing.wait(before)
        try:
            return effect()
        finally:
            closing.wait(after)

    def _body(self) -> bytes | None:
        """Read the body; None if there is none to be had, and that was answered."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if length < 0 or "Transfer-Encoding" in self.headers:
            self._send_text(Reply(411, {}), "the length of the body must be announced")
            return None
        if length > MOST_BYTES:
            self._send_text(Reply(413, {}), f"the body has more than {MOST_BYTES} bytes")
            return None
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def _send_text(self, reply: Reply, text: str | None) -> None:
        """Answer as Slack's hosts beside the Web API do: in plain text, with the code of an error."""
        said = text if text is not None else str(reply.body.get("error", ""))
        headers = {name: value for name, value in reply.headers.items() if name.lower() == "retry-after"}
        self._send(Reply(reply.status, {}, headers | {"Content-Type": "text/plain; charset=utf-8"}), said.encode())

    def _send(self, reply: Reply, content: bytes) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    # --- WebSocket

    def _open_socket(self) -> None:
        self.close_connection = True
        owner = self.server.owner
        before, after = owner.slowness("connect")
        owner.closing.wait(before + after)
        link = self.server.link(self.connection)
        if owner.workspace.away or owner.closing.is_set():
            link.break_off()
            return
        key = accept(self.headers.get("Sec-WebSocket-Key", ""))
        upgrade = self.headers.get("Upgrade", "").lower() == "websocket"
        if key is None or not upgrade or "upgrade" not in self.headers.get("Connection", "").lower():
            self._send_text(Reply(400, {}), "this is no WebSocket handshake")
            return
        if self.headers.get("Sec-WebSocket-Version") != "13":
            self._send_text(Reply(426, {}), "this server speaks version 13")
            return
        status, retry_after = owner.sockets.admit(parse_qs(urlsplit(self.path).query).get("ticket", [""])[0])
        if status != 101:
            headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
            self._send_text(Reply(status, {}, headers), "refused")
            return
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", key)):
            self.send_header(name, value)
        self.end_headers()
        self.connection.settimeout(None)
        owner.sockets.serve(link, self.rfile)


def over_http(url: str, patience: float = PATIENCE) -> Door:
    """Make a door that posts signed requests to an app's Request URL; of an origin alone, the path is the request's.

    It raises TimeoutError when nothing was answered for `patience` seconds, ConnectionError when the app is not there.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"no address of an app: {url!r}; give http://host:port or http://host:port/path")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    host, own_path = parts.hostname, parts.path if parts.path.strip("/") else ""

    def door(path: str, body: bytes, headers: Mapping[str, str]) -> DoorReply:
        connection = kind(host, parts.port, timeout=patience)
        try:
            connection.request("POST", own_path or path, body, {**headers, "Connection": "close"})
            answer = connection.getresponse()
            return DoorReply(answer.status, dict(answer.getheaders()), answer.read())
        except (TimeoutError, ConnectionError):
            raise
        except (OSError, http.client.HTTPException) as broken:
            raise ConnectionError(f"{url}: {broken}") from broken
        finally:
            connection.close()

    return door


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _arguments(content_type: str, body: bytes, query: str) -> Json | str:
    """Read the arguments of a Web API call from the query and the body; gives Slack's code if they are unreadable."""
    given: Json = dict(parse_qsl(query, keep_blank_values=True))
    if not body:
        return given
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "invalid_charset"
    match content_type:
        case "application/json":
            found = _read(text)
            if found is None:
                return "invalid_json"
            if not isinstance(found, dict):
                return "json_not_object"
            # A call in JSON shows its token in the header, not among the arguments.
            return given | {name: value for name, value in found.items() if name != "token"}
        case "application/x-www-form-urlencoded":
            return given | dict(parse_qsl(text, keep_blank_values=True))
        case _:
            return "invalid_post_type"


def _hook(content_type: str, body: bytes) -> Json | None:
    """Read what was posted to a response_url: JSON, or JSON in the field "payload" of a form."""
    text = body.decode("utf-8", "replace")
    if content_type == "application/x-www-form-urlencoded":
        text = dict(parse_qsl(text)).get("payload", text)
    found = _read(text)
    return found if isinstance(found, dict) else None


def _read(text: str) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return None


__all__ = ["Connection", "Sockets", "WorkspaceServer", "over_http"]
