"""Do the words of `train` say where the model comes from, once, and nothing that has no meaning?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial import extend
from seatrial.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.errors import Mistake
    from seatrial.tasks import Scope
    from seatrial.tasks._sources import Source

_ONE = "one of model_type, entrypoint and artifact"
_ONLY_FOR = {
    "timeout_s": ("entrypoint", "artifact"),
    "memory_mb": ("entrypoint", "artifact"),
    "trust": ("entrypoint",),
    "seeds": ("model_type", "entrypoint"),
    "hyperparameters": ("model_type", "entrypoint"),
}
"""Parameters that mean nothing beside other sources."""

_WHY = {
    "model_type": "a model type is fitted by seatrial itself",
    "artifact": "a finished file is taken as it is",
}


def mistakes(scope: Scope, sources: Mapping[str, Source]) -> Iterator[Mistake]:
    """What is wrong with the ``sources`` that the task names, and with what stands beside them."""
    if len(sources) != 1:
        yield _not_one(scope, [*sources])
        return
    ((word, source),) = sources.items()
    for name, meant in _ONLY_FOR.items():
        if name in scope.entry.parameters and word not in meant:
            what = f"`{name}` means nothing beside `{word}`: {_WHY[word]}"
            yield scope.mistake(what, name, fix=f"remove `{name}`")
    if word != "model_type":
        yield from source.trainer().check({}, str(scope.entry.where(word)))
        return
    named, known = str(scope.entry.parameters[word]), extend.names("models")
    if named not in known:
        yield scope.mistake(
            f"unknown model_type {named!r}",
            word,
            nearest=nearest(named, known),
            fix=f"one of: {', '.join(known)}",
        )


def _not_one(scope: Scope, said: list[str]) -> Mistake:
    """None or several of the sources are said."""
    if said:
        what = f"train takes {_ONE}, and is given {' and '.join(said)}"
        return scope.mistake(what, said[1], fix="remove all but one of them")
    return scope.mistake(
        f"train needs {_ONE}",
        "data",
        fix=f"add `model_type: …` ({', '.join(extend.names('models'))}),"
        " `entrypoint: module:function` or `artifact: model.onnx`",
    )
