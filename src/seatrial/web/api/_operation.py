"""What can be asked of an address, and the routes that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import msgspec
    from starlette.requests import Request
    from starlette.responses import Response

PREFIX = "/api/v1"
JSON = "application/json"

Answer: TypeAlias = "Callable[[Request], Response]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address.

    ``path`` stands below :data:`PREFIX`. ``gives`` is the type of the document that is answered,
    None for any; ``query`` and ``takes`` are those of what may be asked and must be sent, of the
    fields ``either`` at least one. ``refusals`` are the statuses of its own; those of every address
    are added. ``forms`` are further media types of the answer. ``operates`` marks what only an
    operator may look at, ``paged`` what has a ``Link`` to the next page.
    """

    method: str
    path: str
    summary: str
    answer: Answer
    gives: Any = None
    query: type[msgspec.Struct] | None = None
    takes: type[msgspec.Struct] | None = None
    refusals: tuple[int, ...] = ()
    forms: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    operates: bool = False
    paged: bool = False

    @property
    def changes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"


def routes(operations: Sequence[Operation]) -> tuple[Route, ...]:
    """A route for each path: so a refused method is told every method that there is."""
    by_path: dict[str, dict[str, Answer]] = {}
    for each in operations:
        by_path.setdefault(each.path, {})[each.method] = each.answer
    return tuple(
        Route(f"{PREFIX}{path}", _by_method(answers), methods=[*answers])
        for path, answers in by_path.items()
    )


def _by_method(answers: Mapping[str, Answer]) -> Answer:
    def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return answers[method](request)

    return answer
