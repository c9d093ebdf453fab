"""What does a capture say? Read so that what is absent, null or ill-formed counts as not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seatrial.environment.machine.packages import normalised

Capture = Mapping[str, Any]

_SAME_MACHINE = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}


def part(capture: Capture, key: str) -> Capture | None:
    """A part that is an object itself; None when it is not known."""
    found = capture.get(key)
    return found if isinstance(found, Mapping) else None


def text(capture: Capture, key: str) -> str:
    """A text; empty when it is not known."""
    found = capture.get(key)
    return found if isinstance(found, str) else ""


def names(capture: Capture, key: str) -> tuple[str, ...]:
    """A list of texts; empty when it is not known."""
    found = capture.get(key)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(str(each) for each in found)


def packages(capture: Capture, key: str = "dependencies") -> dict[str, Any] | None:
    """What is said by package, under normalised names; None when it is not known."""
    found = part(capture, key)
    return None if found is None else {normalised(str(name)): found[name] for name in found}


def machine(capture: Capture) -> str:
    """The architecture by one name, whatever the system calls it.

    >>> machine({"machine": "arm64"})
    'aarch64'
    """
    found = text(capture, "machine")
    return _SAME_MACHINE.get(found.lower(), found)


def libc(capture: Capture) -> tuple[str, str]:
    """The family of the C library and its version.

    >>> libc({"libc": "glibc 2.36"})
    ('glibc', '2.36')
    """
    family, _, version = text(capture, "libc").partition(" ")
    return family, version.strip()


def flags(capture: Capture) -> frozenset[str]:
    """The instruction sets; empty when they are not known."""
    return frozenset(names(part(capture, "cpu") or {}, "flags"))


def providers(capture: Capture) -> tuple[str, ...]:
    """The providers of onnxruntime; empty when they are not known, or it is not installed."""
    return names(part(capture, "onnxruntime") or {}, "providers")


def libraries(capture: Capture, keys: Sequence[str], *, openmp: bool) -> frozenset[str]:
    """What is said under some keys of each loaded BLAS, or of each OpenMP.

    >>> sorted(libraries({"libraries": [{"api": "openblas", "threads": 2}]}, ["api", "threads"],
    ...                  openmp=False))
    ['openblas 2']
    """
    found = capture.get("libraries")
    return frozenset(
        " ".join(str(each[key]) for key in keys if each.get(key))
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, Mapping) and (each.get("api") == "openmp") == openmp
    )


def platform(capture: Capture) -> tuple[str, ...]:
    """By what a compiled package is built anew: each combination has a wheel of its own."""
    python = ".".join(text(capture, "python_version").split(".")[:2])
    return (
        python,
        text(capture, "implementation"),
        text(capture, "os"),
        libc(capture)[0],
        machine(capture),
    )
