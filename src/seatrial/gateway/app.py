"""Answer requests: pick the version, read, predict, answer; then the record, off the way."""

from __future__ import annotations

from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING

from seatrial.errors import RequestError
from seatrial.gateway import bodies, pages
from seatrial.gateway.identity import uuid7
from seatrial.gateway.log import sparing
from seatrial.inference import v2
from seatrial.traffic import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from granian._granian import RSGIHeaders
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from seatrial.gateway.board import Board
    from seatrial.gateway.counts import Book
    from seatrial.gateway.loading import Offered, Ready
    from seatrial.gateway.ring import Ring
    from seatrial.inference.answer import Answer

REFUSALS_PER_S = 10
"""Refused requests that are logged; a client that goes wrong sends thousands."""

_JSON = [("content-type", "application/json")]


class App:
    """The RSGI application of one worker."""

    def __init__(
        self, board: Board, ring: Ring, book: Book, workers: int, log: Callable[..., None]
    ) -> None:
        self.board = board
        self.ring = ring
        self.book = book
        self.workers = workers
        self.log = log
        self._log_refused = sparing(log, REFUSALS_PER_S)
        self.offered: Mapping[str, Offered] = {}
        self._active = board.active
        self._infer: Mapping[str, tuple[str, int | None]] = {}

    def install(self, offered: Mapping[str, Offered]) -> None:
        """Serve these versions from now on; requests under way keep what they picked."""
        paths: dict[str, tuple[str, int | None]] = {}
        for name, each in offered.items():
            paths[f"/v2/models/{name}/infer"] = name, None
            for version in each.versions:
                paths[f"/v2/models/{name}/versions/{version}/infer"] = name, version
        self.offered = offered
        self._infer = paths

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """One request; whatever it brings, it gets an answer."""
        began = perf_counter_ns()
        target = self._infer.get(scope.path)
        if target is None or scope.method != "POST":
            await self._page(scope, protocol)
            return
        name, version = target
        headers = scope.headers
        ready: Ready | None = None
        identity = ""
        try:
            length, encoding = headers.get("content-length"), headers.get("content-encoding")
            most = self.offered[name].most_bytes
            if encoding is None and length is not None and int(length) <= most:
                read = await protocol()
            else:
                read = await bodies.body(protocol, length, encoding, most)
            # only now: the version that serves once the whole request is here
            ready = self._pick(name, version)
            served = ready.served
            json_length = headers.get("inference-header-content-length")
            asked = v2.decode(read, _number(json_length) if json_length else None, served)
            identity = asked.id or _given(headers) or uuid7(time_ns() // 1_000_000)
            answer = (
                served.answer(asked.features)
                if ready.apart is None
                else await ready.apart.answer(served, asked.features)
            )
            reply, head_length = v2.encode(asked, served, identity, answer)
        except RequestError as error:
            self._refuse(scope, protocol, error, name, ready)
            return
        except Exception as error:  # noqa: BLE001 - the last resort: a client never sees a traceback
            told = identity or uuid7(time_ns() // 1_000_000)
            sentence = f"the model could not answer this request; the log says why, id {told}"
            protocol.response_bytes(500, _JSON, pages.error(sentence))
            if ready is not None:
                ready.counts.errors += 1
                ready.counts.faults += 1
            self.log("fault", request=told, model=name, error=f"{type(error).__name__}: {error}")
            return
        protocol.response_bytes(200, _JSON if head_length is None else _binary(head_length), reply)
        took_us = (perf_counter_ns() - began) // 1000
        self._keep(ready, identity, asked, answer, took_us)

    def _keep(
        self, ready: Ready, identity: str, asked: v2.Asked, answer: Answer, took_us: int
    ) -> None:
        """After the answer: the record for log and shadow, and the counts."""
        features, told = asked.features, (ready.head, time_ns() // 1000, took_us, identity.encode())
        self.ring.put(
            record.of_columns(*told, features, answer)
            if isinstance(features, dict)
            else record.of_matrix(*told, features, answer)
        )
        ready.counts.answered(asked.rows, took_us)

    def _pick(self, name: str, version: int | None) -> Ready:
        for _ in range(2):
            offered = self.offered.get(name)
            if offered is None:
                raise RequestError(404, f"the model {name!r} is no longer served")
            serving = self._active[offered.index] if version is None else version
            ready = offered.versions.get(serving)
            if ready is not None:
                return ready
            # It was committed between the two looks: by now this worker offers it.
        raise RequestError(404, pages.not_served(name, version))

    def _refuse(
        self,
        scope: Scope,
        protocol: HTTPProtocol,
        error: RequestError,
        name: str,
        ready: Ready | None,
    ) -> None:
        protocol.response_bytes(error.status, _JSON, pages.error(str(error)))
        if ready is None:
            self.book.refuse(name)
        else:
            ready.counts.errors += 1
        request = scope.headers.get("x-request-id")
        where, why = scope.path[:200], str(error)[:500]
        self._log_refused(
            "request_refused", status=error.status, path=where, request=request, error=why
        )

    async def _page(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Everything but inference."""
        try:
            reply = await pages.page(self, scope, protocol)
        except RequestError as error:
            self._refuse(scope, protocol, error, "", None)
            return
        except Exception as error:  # noqa: BLE001 - as above
            protocol.response_bytes(500, _JSON, pages.error("this page could not be made"))
            self.log("fault", path=scope.path, error=f"{type(error).__name__}: {error}")
            return
        protocol.response_bytes(reply.status, [*reply.headers], reply.body)


def _given(headers: RSGIHeaders) -> str:
    """The id that a proxy gave the request; "" when there is none."""
    given: str = headers.get("x-request-id") or ""
    if len(given) > v2.LONGEST_ID:
        raise RequestError(400, f"the header x-request-id is longer than {v2.LONGEST_ID}")
    return given


def _binary(json_length: int) -> list[tuple[str, str]]:
    return [
        ("content-type", "application/octet-stream"),
        ("inference-header-content-length", str(json_length)),
    ]


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:  # noqa: PLR2004
        raise RequestError(400, f"the header inference-header-content-length is {text[:20]!r}")
    return int(text)
