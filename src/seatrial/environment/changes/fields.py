"""A capture as one text a field, under the names that its differences have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.environment.changes import recorded
from seatrial.environment.changes.machine import LIBRARIES
from seatrial.environment.changes.packages import ABSENT, short, versions
from seatrial.environment.changes.settings import UNSET, said
from seatrial.environment.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.environment.changes.recorded import Capture

_PLAIN = (
    *("python_version", "implementation", "python_build", "os", "os_release", "kernel", "libc"),
    *("locale", "timezone", "image"),
)
_WITHIN = {
    "cpu": ("model", "cores", "flags"),
    "onnxruntime": ("build", "providers"),
    "cuda": ("available", "version", "cudnn", "driver", "gpus"),
}


def fields(captures: Sequence[Capture]) -> list[dict[str, str]]:
    """What each capture says by field; what one does not know, it lacks.

    A package or variable that another one names is told of all that know theirs.

    >>> fields([{"dependencies": {"numpy": "2.4.6"}}, {"dependencies": {}, "cpu": {"cores": 4}}])
    [{'dependencies.numpy': '2.4.6'}, {'cpu.cores': '4', 'dependencies.numpy': 'not installed'}]
    """
    found = [
        {printable(field): printable(value) for field, value in _fields(each)} for each in captures
    ]
    every = {field for each in found for field in each}
    for key, absent in (("dependencies", ABSENT), ("variables", UNSET)):
        named = [field for field in sorted(every) if field.startswith(f"{key}.")]
        for capture, known in zip(captures, found, strict=True):
            if recorded.part(capture, key) is not None:
                known |= {field: absent for field in named if field not in known}
    return found


def _fields(capture: Capture) -> Iterator[tuple[str, str]]:
    for key in _PLAIN:
        if capture.get(key):
            yield key, said(capture[key])
    if machine := recorded.machine(capture):
        yield "machine", machine
    for key, inner in _WITHIN.items():
        yield from _inner(key, recorded.part(capture, key) or {}, inner)
    yield from _libraries(capture)
    yield from ((f"dependencies.{name}", each) for name, each in (versions(capture) or {}).items())
    for name, digest in (recorded.packages(capture, "records") or {}).items():
        yield f"records.{name}", short(digest)
    for name, value in (recorded.part(capture, "variables") or {}).items():
        yield f"variables.{name}", str(value)


def _libraries(capture: Capture) -> Iterator[tuple[str, str]]:
    for rule, keys in LIBRARIES.items():
        for openmp in (False, True):
            if told := recorded.libraries(capture, keys, openmp=openmp):
                yield f"{rule}.openmp" if openmp else rule, ", ".join(sorted(told))


def _inner(
    key: str, within: Mapping[str, object], names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for name in names:
        value = within.get(name)
        if isinstance(value, bool):
            yield f"{key}.{name}", "yes" if value else "no"
        elif value:
            yield f"{key}.{name}", said(value)
