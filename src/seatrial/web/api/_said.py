"""What a request says, and how a document is answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from starlette.responses import Response

from seatrial.errors import Mistake, RequestError, nearest
from seatrial.web.api._operation import JSON
from seatrial.web.visit import visit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request

    from seatrial.errors import SeatrialError

Said = TypeVar("Said", bound=msgspec.Struct)
Row = TypeVar("Row")
Given = TypeVar("Given")

_PLACE = re.compile(r"(.*) - at `(key in )?\$?(.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


def answered(document: object, headers: Mapping[str, str] | None = None) -> Response:
    """A document as JSON; a number that is not finite is null there."""
    return Response(msgspec.json.encode(document), media_type=JSON, headers=headers)


def sent(request: Request, form: type[Said]) -> Said:
    """The body; :class:`RequestError` 415 when it is no JSON, 400 with what is wrong and where."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != JSON:
        raise RequestError(415, Mistake("what is sent here is JSON", fix=f"Content-Type: {JSON}"))
    try:
        return msgspec.convert(_whole(msgspec.json.decode(visit(request).body)), type=form)
    except msgspec.ValidationError as error:
        raise RequestError(400, _mistake(error, form, "the body")) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = f"the body is no JSON: {error}"
        raise RequestError(400, Mistake(what, where="the body")) from error


def _whole(value: Any) -> Any:
    """The same with 3.0 as 3, which are one number in JSON."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return value


def or_none(value: Given | msgspec.UnsetType) -> Given | None:
    """What was said, None where nothing was."""
    return None if isinstance(value, msgspec.UnsetType) else value


def asked(request: Request, form: type[Said]) -> Said:
    """What the query asks for; :class:`RequestError` 400 with what is wrong and where."""
    given = request.query_params
    twice = [name for name in given if len(given.getlist(name)) > 1]
    if twice:
        raise RequestError(400, Mistake(f"{twice[0]} is asked for twice", where="the query"))
    try:
        return msgspec.convert(dict(given), type=form, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(400, _mistake(error, form, "the query")) from error


def named(request: Request, name: str) -> str:
    """A part of the path."""
    return str(request.path_params[name])


def refused(status: int, error: SeatrialError) -> RequestError:
    """The same mistakes, with the status that says who must act here."""
    return RequestError(status, *error.mistakes)


def page(
    request: Request, rows: Sequence[Row], limit: int, name: Callable[[Row], str]
) -> tuple[Sequence[Row], dict[str, str]]:
    """The first ``limit`` rows; and, where there are more, the header that leads to those.

    ``name`` is what a row is called in ``?before=``.
    """
    if len(rows) <= limit:
        return rows, {}
    shown = rows[:limit]
    query = urlencode({**dict(request.query_params), "before": name(shown[-1])})
    return shown, {"Link": f'<{quote(request.url.path)}?{query}>; rel="next"'}


def _mistake(error: msgspec.ValidationError, form: type[msgspec.Struct], where: str) -> Mistake:
    """What is wrong, in which part of what was said."""
    found = _PLACE.fullmatch(str(error))
    what, place = (found[1], found[3]) if found else (str(error), "")
    unknown = _UNKNOWN.fullmatch(what)
    known = form.__struct_fields__
    return Mistake(
        what,
        where=f"{where}, {place.lstrip('.')}" if place else where,
        nearest=nearest(unknown[1], known) if unknown else "",
        fix=f"it may have: {', '.join(known)}" if unknown else "",
    )
