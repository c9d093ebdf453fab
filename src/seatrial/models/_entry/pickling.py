"""The file ``model.pickle``: what ``trust: pickle`` keeps of an object that has no ONNX form."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from seatrial.models._entry import code
from seatrial.models._entry.fault import blamed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.models._entry.asking import Way
    from seatrial.models._entry.request import Request


def pickled_file(model: object, way: Way, ask: Request) -> bytes:
    """The header's line, and the object with the project's own modules inside.

    The same code and training give the same bytes. Fault when the object cannot be pickled.
    """
    import cloudpickle  # noqa: PLC0415 - if trusted

    files: list[Path] = []
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if file and code.is_of_project(Path(file), ask.folder):
            cloudpickle.register_pickle_by_value(module)
            files.append(Path(file))
    doing = f"the {type(model).__name__} cannot be pickled"
    fix = "keep open files, locks and lambdas of other packages out of the object"
    with _repeatable(code.digest(ask.folder, files)), blamed(doing, ask.folder, ask.where, fix):
        content: bytes = cloudpickle.dumps(model)
    return json.dumps(way.header()).encode() + b"\n" + content


@contextlib.contextmanager
def _repeatable(digest: str) -> Iterator[None]:
    """Let cloudpickle number the project's classes by its code instead of by chance.

    It marks each with a random id, by which a process that reads several pickles knows that two
    of them mean one class. Other code has other ids here, so that stays as true as it was.
    """
    from cloudpickle import cloudpickle as inner  # noqa: PLC0415

    numbers = itertools.count()

    def by_code() -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{digest} {next(numbers)}")

    ours, inner.uuid = inner.uuid, SimpleNamespace(uuid4=by_code)
    try:
        yield
    finally:
        inner.uuid = ours
