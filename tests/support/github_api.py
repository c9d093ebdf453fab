"""GitHub's API on this machine, as far as comments on pull requests need it.

Written after https://docs.github.com/en/rest/issues/comments, /en/rest/pulls/pulls,
/en/rest/using-the-rest-api/using-pagination-in-the-rest-api and .../rate-limits-for-the-rest-api.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "ghs_0123456789abcdefABCDEF0123456789abcd"  # noqa: S105 - of nobody
US = "github-actions[bot]"
LONGEST = 65_536


@dataclass(slots=True)
class Refusal:
    """What is answered instead, once: a status, what it says, and headers."""

    status: int
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    does_it: bool = False
    """Whether what was asked for is done all the same."""


@dataclass(slots=True)
class GitHub:
    """A repository ``ada/shop`` with pull request 7; ``asked`` is what it was asked, in order."""

    api: str = ""
    below: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[tuple[str, str, Refusal]] = field(default_factory=list)
    may_write: bool = True
    head: str = "ada/shop"
    author: str = US

    def wrote(self, author: str, body: str) -> dict[str, Any]:
        """A comment that somebody wrote."""
        number = len(self.comments) + 1001
        comment = {
            "id": number,
            "html_url": f"https://github.com/ada/shop/pull/7#issuecomment-{number}",
            "body": body,
            "user": {"login": author, "type": "Bot" if author.endswith("[bot]") else "User"},
        }
        self.comments.append(comment)
        return comment

    def refuse(self, method: str, refusal: Refusal, path: str = "") -> None:
        """Answer the next request of that method, whose path ends so, like this."""
        self.refusals.append((method, path, refusal))

    @property
    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]


@contextlib.contextmanager
def github(below: str = "") -> Iterator[GitHub]:
    """It is there until the end; ``below`` is a path before its own, as at Enterprise Server."""
    state = GitHub(below=below)

    class Handler(_Handler):
        repository = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.api = f"http://127.0.0.1:{server.server_port}{below}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    repository: GitHub

    def do_GET(self) -> None:
        self._answered("GET")

    def do_POST(self) -> None:
        self._answered("POST")

    def do_PATCH(self) -> None:
        self._answered("PATCH")

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def _answered(self, method: str) -> None:
        it, address = self.repository, urlsplit(self.path)
        content = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        it.asked.append((method, self.path))
        named = {key.lower(): value for key, value in self.headers.items()}
        assert named["user-agent"] == "seatrial"
        assert named["accept"] == "application/vnd.github+json"
        assert named["x-github-api-version"] == "2022-11-28"
        refusal = self._refusal(method)
        if refusal is not None and not refusal.does_it:
            return self._refused(refusal)
        if named.get("authorization") != f"Bearer {TOKEN}":
            return self._refused(Refusal(401, "Bad credentials"))
        said = self._said(method, address.path, parse_qs(address.query), content)
        return self._refused(refusal) if refusal is not None else self._say(*said)

    def _refusal(self, method: str) -> Refusal | None:
        for each in self.repository.refusals:
            if each[0] == method and self.path.endswith(each[1]):
                self.repository.refusals.remove(each)
                return each[2]
        return None

    def _refused(self, refusal: Refusal) -> None:
        body: dict[str, Any] = {
            "message": refusal.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(refusal.status),
        }
        if refusal.errors:
            body["errors"] = refusal.errors
        self._say(refusal.status, body, refusal.headers)

    def _say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _said(
        self, method: str, path: str, query: dict[str, list[str]], content: dict[str, Any]
    ) -> tuple[int, Any, dict[str, str]]:
        it = self.repository
        below = path.removeprefix(it.below)
        if (method, path) == ("POST", f"{it.below.removesuffix('/v3')}/graphql"):
            assert content == {"query": "query { viewer { login } }"}
            return 200, {"data": {"viewer": {"login": it.author}}}, {}
        if (method, below) == ("GET", "/repos/ada/shop/pulls/7"):
            head = {"sha": "5ea7" * 10, "repo": {"full_name": it.head}}
            told = {"number": 7, "head": head, "base": {"repo": {"full_name": "ada/shop"}}}
            return 200, told, {}
        if (method, below) == ("GET", "/repos/ada/shop/issues/7/comments"):
            return self._page(query)
        return (*self._written(method, below, content), {})

    def _written(self, method: str, path: str, content: dict[str, Any]) -> tuple[int, Any]:
        it = self.repository
        one = re.fullmatch(r"PATCH /repos/ada/shop/issues/comments/(\d+)", f"{method} {path}")
        if not one and (method, path) != ("POST", "/repos/ada/shop/issues/7/comments"):
            return 404, {"message": "Not Found", "status": "404"}
        if not it.may_write:
            return 403, {"message": "Resource not accessible by integration"}
        if len(content["body"]) > LONGEST:
            told = {"message": f"Body is too long (maximum is {LONGEST} characters)"}
            return 422, {"message": "Validation Failed", "errors": [told]}
        if not one:
            return 201, it.wrote(it.author, content["body"])
        (found,) = [each for each in it.comments if each["id"] == int(one[1])]
        found["body"] = content["body"]
        return 200, found

    def _page(self, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        it = self.repository
        size = min(int(query.get("per_page", ["30"])[0]), 100)
        page = int(query.get("page", ["1"])[0])
        last = -(-len(it.comments) // size)
        links = []
        if page > 1:
            links.append(f'<{self._at(size, page - 1)}>; rel="prev"')
        if page < last:
            links.append(f'<{self._at(size, page + 1)}>; rel="next"')
            links.append(f'<{self._at(size, last)}>; rel="last"')
        headers = {"Link": ", ".join(links)} if links else {}
        return 200, it.comments[(page - 1) * size : page * size], headers

    def _at(self, size: int, page: int) -> str:
        """By the repository's number, as GitHub does it."""
        return f"{self.repository.api}/repos/ada/shop/issues/7/comments?per_page={size}&page={page}"
