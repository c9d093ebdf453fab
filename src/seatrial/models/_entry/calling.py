"""Call the function of an entry point: what it is given, and what it may return."""

from __future__ import annotations

import importlib
import inspect
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import Mistake, nearest
from seatrial.models._entry.asking import is_estimator, shaped, way_to_fit
from seatrial.models._entry.fault import Fault, blamed
from seatrial.models._entry.found import GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.models._entry.request import Request


def returned(ask: Request) -> object:
    """What the function returns for the arguments that it asks for."""
    module, _, name = ask.entrypoint.partition(":")
    random.seed(ask.training.seed)
    # for estimators that were given no seed: these draw from the global generator
    np.random.seed(ask.training.seed % (1 << 32))  # noqa: NPY002
    with blamed(f"{module} cannot be imported", ask.folder, ask.where):
        imported = importlib.import_module(module)
    function = getattr(imported, name, None)
    if function is None:
        what = f"{module} has no function {name!r}"
        near = nearest(name, dir(imported))
        raise Fault(Mistake(what, ask.where, near, "correct the entry point"))
    if not callable(function):
        what = f"`{ask.entrypoint}` is no function but {_an(type(function).__name__)}"
        raise Fault(Mistake(what, ask.where, fix="name a function that returns the model"))
    positional, named = _arguments(function, ask)
    with blamed(f"`{ask.entrypoint}` fails", ask.folder, ask.where):
        return function(*positional, **named)


def onnx_in(given: object, ask: Request) -> bytes | None:
    """The bytes of an ONNX model, when that is what was returned: bytes, a path, a ModelProto."""
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if not path.is_file():
            what = f"`{ask.entrypoint}` returns the path {str(given)!r}, where there is no file"
            fix = "write the ONNX file there first, or return its bytes"
            raise Fault(Mistake(what, ask.where, fix=fix))
        return path.read_bytes()
    is_proto = any(kind.__name__ == "ModelProto" for kind in type(given).__mro__)
    if is_proto or isinstance(given, bytes | bytearray | memoryview):
        from seatrial.models._entry.exporting import content_of  # noqa: PLC0415 - brings in onnx

        return content_of(given)
    return None


def trained(given: object, ask: Request) -> Any:
    """The trained object: an estimator that is not fitted yet is fitted here."""
    if given is None:
        what = f"`{ask.entrypoint}` returns None; it must return the model"
        raise Fault(Mistake(what, ask.where, fix="write `return model` at its end"))
    kind = given.__name__ if isinstance(given, type) else type(given).__name__
    if isinstance(given, type):
        what = f"`{ask.entrypoint}` returns the class {kind}, not an object of it"
        raise Fault(Mistake(what, ask.where, fix=f"return {kind}(…)"))
    if not callable(getattr(given, "predict", None)):
        what = f"`{ask.entrypoint}` returns {_an(kind)}, which has no `predict`"
        fix = "return an estimator, an ONNX model, or an object with `predict`"
        raise Fault(Mistake(what, ask.where, fix=fix))
    if is_estimator(given) and not _is_fitted(given):
        _fit(given, kind, ask)
    return given


def _fit(estimator: Any, kind: str, ask: Request) -> None:
    way = way_to_fit(ask.signature)
    doing = f"the {kind} that `{ask.entrypoint}` returns cannot be fitted"
    fix = "" if way.features == "pandas" else "columns by name need pandas: pip install pandas"
    with blamed(doing, ask.folder, ask.where, fix):
        estimator.fit(shaped(ask.training.features, way), ask.training.target)


def _is_fitted(estimator: Any) -> bool:
    from sklearn.exceptions import NotFittedError  # noqa: PLC0415 - only an estimator needs it
    from sklearn.utils.validation import check_is_fitted  # noqa: PLC0415

    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _arguments(
    function: Callable[..., object], ask: Request
) -> tuple[list[object], dict[str, object]]:
    """Those that the function accepts. Copies: what it changes is its own."""
    training = ask.training
    each: dict[str, object] = {
        "features": {name: values.copy() for name, values in training.features.items()},
        "target": training.target.copy(),
        "classes": training.classes,
        "problem": training.problem,
        "hyperparameters": {**training.hyperparameters},
        "seed": training.seed,
    }
    every = {**each, "training": training}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # built in C, without a signature
        return [], each
    positional: list[object] = []
    named: dict[str, object] = {}
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            asked_for = {other.name for other in parameters}
            named |= {name: value for name, value in each.items() if name not in asked_for}
        elif parameter.kind is parameter.POSITIONAL_ONLY and parameter.name in every:
            positional.append(every[parameter.name])
        elif parameter.name in every:
            named[parameter.name] = every[parameter.name]
        elif (
            parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
        ):
            what = f"`{ask.entrypoint}` demands a parameter {parameter.name!r}, which nobody gives"
            raise Fault(Mistake(what, ask.where, fix=f"it may ask for: {', '.join(GIVEN)}"))
    return positional, named


def _an(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"
