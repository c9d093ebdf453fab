"""An S3 server with moods: what is asked of it goes to a real one, or is refused, or takes long."""

from __future__ import annotations

import http.client
import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CODES = {403: "AccessDenied", 404: "NoSuchBucket", 500: "InternalError"}
LONG_S = 60.0
DROPPED = {"connection", "transfer-encoding", "content-length", "host", "date", "server"}


class Moody:
    """``mood`` is a status of :data:`CODES`, ``slow``, or empty: then it does what it should."""

    def __init__(self, real: str) -> None:
        self.mood: str = ""
        self.asked = 0
        self.calm = threading.Event()
        self._real = real.removeprefix("http://")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        moody = self

        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                moody.asked += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if moody.mood == "slow":
                    moody.calm.wait(LONG_S)
                elif moody.mood:
                    status = int(moody.mood)
                    error = f"<Error><Code>{CODES[status]}</Code><Message>no</Message></Error>"
                    self._say(status, {}, error.encode())
                    return
                self._say(*moody.pass_on(self.command, self.path, dict(self.headers), body))

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the server's names

            def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in DROPPED:
                        self.send_header(name, value)
                length = headers.get("Content-Length", str(len(body)))
                self.send_header(
                    "Content-Length", length if self.command == "HEAD" else str(len(body))
                )
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Answer

    def pass_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask the real one."""
        real = http.client.HTTPConnection(self._real, timeout=30)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() != "host"}
            real.request(method, path, body, kept)
            said = real.getresponse()
            return said.status, dict(said.headers), said.read()
        finally:
            real.close()


@contextmanager
def moody(real: str) -> Iterator[Moody]:
    """In front of the real server at that address."""
    made = Moody(real)
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        made.calm.set()
        made.server.shutdown()
        thread.join()
        made.server.server_close()
