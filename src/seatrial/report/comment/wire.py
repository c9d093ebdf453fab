"""How GitHub's API is asked: with the token, within a time, again when it asks for patience."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from seatrial.environment.printable import printable
from seatrial.errors import Mistake, PassingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message

    from seatrial.report.comment.place import Place

T = TypeVar("T")

ANSWER_S = 20.0
"""For each silence of the other side."""
PATIENCE_S = 180.0
"""For all waits together: a comment is not worth more of a runner's time."""
PAUSES_S = (1.0, 4.0, 16.0)
"""Before the second, third and last try."""
UNTOLD_S = 60.0
"""How long GitHub wants us to wait when it says that it does, and not how long."""
LARGEST_ANSWER = 32 * 1024 * 1024
_SHOWN = 200
_LIMITS = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_PATIENCE = _LIMITS | {HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub said. ``body`` is JSON, ``None`` where there was none."""

    status: int
    body: Any
    headers: Message

    @property
    def message(self) -> str:
        """Its reason, where it gives one."""
        said = self.body.get("message") if isinstance(self.body, dict) else None
        return str(said) if said else http.client.responses.get(self.status, "")

    @property
    def following(self) -> str | None:
        """The address of the next page, where there is one."""
        for link in self.headers.get("Link", "").split(","):
            target, *parameters = link.split(";")
            if any(each.strip().replace('"', "") == "rel=next" for each in parameters):
                return target.strip().removeprefix("<").removesuffix(">")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A way to one API. ``pause`` waits so many seconds, ``clock_s`` is the time in UTC seconds."""

    place: Place
    token: str = field(repr=False)
    pause: Callable[[float], None] = time.sleep
    clock_s: Callable[[], float] = time.time

    def ask(self, method: str, path: str, content: object = None) -> Answer:
        """One request; ``path`` is below the API, or a whole address on it.

        Any status is an answer, except one that may be another next time, or no answer at all:
        these are :class:`_LaterError`, for :meth:`patiently`.
        """
        address = self.place.api + path if path.startswith("/") else path
        if not self.place.holds(address):
            raise PassingError(Mistake("GitHub leads to another host", where=self.clean(address)))
        return self._judged(self._said(self._request(method, address, content)))

    def patiently(self, work: Callable[[], T]) -> T:
        """The work, done again from its start while something is in the way that may pass.

        From its start, because a request that got no answer may have done what it should.
        """
        left_s = PATIENCE_S
        for pause_s in (*PAUSES_S, None):
            try:
                return work()
            except _LaterError as later:
                wait_s = max(later.wait_s, pause_s or 0.0)
                left_s -= wait_s
                if pause_s is None or left_s < 0:
                    raise PassingError(self._in_the_way(later)) from later
                self.pause(wait_s)
        raise AssertionError("the last try ends it")

    def clean(self, said: str) -> str:
        """What the other side wrote, as it may be shown; never the token."""
        shown = printable(" ".join(said.replace(self.token, "***").split()))
        return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"

    def _request(self, method: str, address: str, content: object) -> urllib.request.Request:
        return urllib.request.Request(  # noqa: S310 - https, or this machine: see `place`
            address,
            None if content is None else json.dumps(content).encode(),
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "seatrial",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            method=method,
        )

    def _said(self, request: urllib.request.Request) -> Answer:
        # no redirect is followed: it would take the token along
        handlers: list[urllib.request.BaseHandler] = [_Stay()]
        if self.place.near:
            handlers.append(urllib.request.ProxyHandler({}))
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=ANSWER_S) as answer:
                return _answer(answer.status, answer, answer.headers)
        except urllib.error.HTTPError as refused:
            with refused:
                return _answer(refused.code, refused, refused.headers)
        except (OSError, http.client.HTTPException) as fault:
            reason = getattr(fault, "reason", fault)
            said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise _LaterError(f"{self.place.api} cannot be reached: {said}") from fault

    def _judged(self, answer: Answer) -> Answer:
        wait_s = self._asked_to_wait_s(answer)
        if wait_s is not None:
            raise _LaterError(f"GitHub asks to wait {wait_s:.0f} s: {answer.message}", wait_s)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _LaterError(f"GitHub answers {answer.status}: {answer.message}")
        return answer

    def _asked_to_wait_s(self, answer: Answer) -> float | None:
        """How long GitHub wants us to wait; ``None`` when it does not.

        Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api,
        "Exceeding the rate limit".
        """
        after, headers = answer.headers.get("Retry-After", ""), answer.headers
        if after.isdecimal() and answer.status in _PATIENCE:
            return float(after)
        if answer.status not in _LIMITS:
            return None
        ends = headers.get("X-RateLimit-Reset", "")
        if headers.get("X-RateLimit-Remaining") == "0" and ends.isdecimal():
            return max(1.0, float(ends) - self.clock_s())
        too_many = answer.status == HTTPStatus.TOO_MANY_REQUESTS
        limited = too_many or "rate limit" in answer.message.lower()
        return UNTOLD_S if limited else None

    def _in_the_way(self, later: _LaterError) -> Mistake:
        return Mistake(
            self.clean(later.what),
            where=str(self.place),
            fix="run the command again later; nothing is lost, the report stays where it is",
        )


class _LaterError(Exception):
    """Something that may pass; ``wait_s`` is what GitHub asked for."""

    def __init__(self, what: str, wait_s: float = 0.0) -> None:
        super().__init__(what)
        self.what, self.wait_s = what, wait_s


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _answer(status: int, content: Any, headers: Message) -> Answer:
    """What was said, within bounds; what is no JSON says nothing."""
    found = b"".join(_parts(content))
    try:
        return Answer(status, json.loads(found), headers)
    except ValueError:
        return Answer(status, None, headers)


def _parts(content: Any) -> Iterator[bytes]:
    """The parts of a body as they come. A slow drip is cut when its time is over."""
    ends_s, left = time.monotonic() + ANSWER_S, LARGEST_ANSWER
    while part := content.read1(65_536):
        left -= len(part)
        if left < 0 or time.monotonic() > ends_s:
            raise TimeoutError("the answer does not end")
        yield part
