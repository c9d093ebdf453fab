"""Does a channel keep its promises: typed parameters, mistakes that are told, secrets unspoken?"""

from __future__ import annotations

import json
import typing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import msgspec

from seatrial import extend
from seatrial.errors import PassingError, StoreError
from seatrial.notify import VARIABLE, Channel, Telling, channels_of, check
from seatrial.notify._kinds import KINDS
from seatrial.pipeline.read import read
from seatrial.testing._demand import demand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.pipeline import Pipeline

NO_KEY = "no_such_key"
"""A parameter that no channel has."""

VALUE = "conformance-suite-value-of-a-secret"
LONGEST_TARGET = 80

_ENVELOPE = {
    "specversion": "1.0",
    "id": "0" * 32,
    "source": "/seatrial/conformance",
    "type": "dev.seatrial.promoted.v1",
    "subject": "conformance/1",
    "time": "2026-01-01T00:00:00+00:00",
    "datacontenttype": "application/json",
    "data": {
        "text": "conformance 1 went into production.",
        "kind": "promoted",
        "model": "conformance",
        "version": 1,
        "ledger_head": "0" * 64,
    },
}


def check_notifier(word: str, use: Mapping[str, object] | None = None) -> None:
    """Raise :class:`AssertionError` with a sentence unless the channel keeps its promises.

    ``use`` holds parameters that are right and lead nowhere: nothing may be sent by them while
    private addresses are not allowed and every secret is wrong. Without it the required ones are
    made up from their types, and must at least give mistakes that are told.

    >>> check_notifier("webhook", {"url_env": "OPS_URL", "secret_env": "OPS_SECRET"})
    """
    loaded = extend.load("notify", word)
    demand(
        isinstance(loaded, type) and issubclass(loaded, Channel),
        f"the channel {word} must be a class that extends seatrial.notify.Channel",
    )
    kind = cast("type[Channel]", loaded)
    _is_described(word, kind)
    _is_frozen(word, kind)
    _has_typed_parameters(word, kind)
    _tells_mistakes(word, use or _made_up(kind), must_be_right=use is not None)
    if use is not None:
        _names_whom_it_tells(word, use)
        _fails_as_it_should(word, use)


def _is_described(word: str, kind: type[Channel]) -> None:
    demand((kind.__dict__.get("__doc__") or "").strip(), f"the channel {word} has no docstring")
    for member in ("target", "send"):
        demand(member in kind.__dict__, f"the channel {word} has no `{member}`")


def _is_frozen(word: str, kind: type[Channel]) -> None:
    config = kind.__struct_config__
    demand(config.frozen, f"the channel {word} is not frozen: declare `(Channel, frozen=True)`")
    demand(config.forbid_unknown_fields, f"the channel {word} accepts keys that it does not know")


def _has_typed_parameters(word: str, kind: type[Channel]) -> None:
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
        msgspec.json.schema(kind)
    except (TypeError, NameError) as error:
        raise AssertionError(
            f"the parameters of {word} have no JSON Schema: {error};"
            " import their types when the program runs, and use only plain values"
        ) from error
    for field in msgspec.structs.fields(kind):
        shape = msgspec.json.schema(hints[field.name])
        demand(shape, f"the parameter `{field.encode_name}` of {word} may be anything: type it")
    (on,) = (field for field in msgspec.structs.fields(kind) if field.name == "on")
    demand(
        isinstance(on.default, tuple) and set(on.default) <= set(KINDS),
        f"the channel {word} is told of kinds that there are not",
    )


def _made_up(kind: type[Channel]) -> dict[str, object]:
    """A value of the right type for every parameter that has no default."""
    values: dict[str, object] = {"integer": 1, "number": 1, "boolean": False, "array": []}
    hints = typing.get_type_hints(kind, include_extras=True)
    made = {}
    for field in msgspec.structs.fields(kind):
        shape = msgspec.json.schema(hints[field.name])
        if field.required:
            first = shape.get("enum", [values.get(str(shape.get("type")), "SAMPLE")])[0]
            made[field.encode_name] = first
    return made


def _pipeline(word: str, use: Mapping[str, object]) -> Pipeline:
    return read(
        "name: conformance\nstages: [{name: first, tasks: [promote]}]\n"
        f"notify: {{channels: [{{{word}: {json.dumps(dict(use))}}}]}}\n",
        "pipeline.yaml",
    )


def _tells_mistakes(word: str, use: Mapping[str, object], *, must_be_right: bool) -> None:
    mistakes = [*check(_pipeline(word, use))]
    for mistake in mistakes:
        demand(mistake.what, f"a mistake of {word} does not say what is wrong")
        demand(mistake.where, f"a mistake of {word} has no place: {mistake.what}")
    demand(
        not (must_be_right and mistakes),
        f"the channel {word} refuses a use that should be right:\n{[*map(str, mistakes)]}",
    )
    told = [m for m in check(_pipeline(word, {**use, NO_KEY: 1})) if NO_KEY in m.what and m.where]
    demand(told, f"the channel {word} does not name an unknown key and its place")


def _names_whom_it_tells(word: str, use: Mapping[str, object]) -> None:
    (listener,) = channels_of(_pipeline(word, use))
    target = listener.channel.target()
    demand(
        target.strip() == target != "" and target.isprintable() and len(target) <= LONGEST_TARGET,
        f"the channel {word} must say whom it tells in a few words, not {target!r}",
    )


def _fails_as_it_should(word: str, use: Mapping[str, object]) -> None:
    names = [str(name) for key, name in use.items() if key.endswith(VARIABLE)]
    if names:
        error = _sent(word, use, {})
        demand(
            isinstance(error, PassingError) and any(name in str(error) for name in names),
            f"the channel {word} must raise a PassingError that names the variable that is missing,"
            f" not {error!r}: read it with Telling.secret",
        )
    error = _sent(word, use, dict.fromkeys(names, VALUE))
    demand(
        isinstance(error, StoreError),
        f"the channel {word} must raise a PassingError or a StoreError when it cannot tell,"
        f" not {error!r}",
    )
    demand(VALUE not in str(error), f"the channel {word} tells a secret in its error")


def _sent(word: str, use: Mapping[str, object], environment: Mapping[str, str]) -> Exception | None:
    (listener,) = channels_of(_pipeline(word, use))
    telling = Telling(
        envelope=_ENVELOPE, at=datetime.now(UTC), allow_private=False, environment=environment
    )
    try:
        listener.channel.send(telling)
    except Exception as error:  # noqa: BLE001 - which one it is, is what is asked
        return error
    return None
