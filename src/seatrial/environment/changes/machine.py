"""In what do the machines differ that two captures describe: Python, system, processor, BLAS?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.environment.changes import recorded
from seatrial.environment.changes.change import Change
from seatrial.environment.versions import changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.environment.changes.recorded import Capture

VNNI = frozenset({"avx512_vnni", "avx_vnni", "asimddp", "i8mm"})
"""With one of these a processor multiplies bytes without an overflow between."""

COUNTING = frozenset({"avx2", "fma", "avx512f", "asimd"})
"""The instruction sets by which numpy, BLAS and the like choose their kernels."""

LIBRARIES = {
    "libraries": ("api", "architecture", "threading"),
    "libraries.version": ("api", "version"),
    "libraries.threads": ("api", "threads"),
}
"""By rule: what is looked at in a loaded BLAS or OpenMP."""


def machine_changes(expected: Capture, got: Capture, *, saturates: bool) -> Iterator[Change]:
    """What differs in the machine; ``saturates`` says that the model cares for VNNI.

    >>> [change.rule for change in machine_changes(
    ...     {"machine": "x86_64", "libc": "glibc 2.36"}, {"machine": "arm64", "libc": "glibc 2.41"},
    ...     saturates=False)]
    ['machine', 'libc.version']
    """
    yield from _python(expected, got)
    yield from _system(expected, got)
    yield from _processor(expected, got, saturates=saturates)
    yield from _libraries(expected, got)


def _python(expected: Capture, got: Capture) -> Iterator[Change]:
    then, now = (recorded.text(side, "python_version") for side in (expected, got))
    if then and now and (step := changed(then, now)) != "same":
        short = ".".join(then.split(".")[:2])
        yield Change(
            rule=f"python.{'major' if step == 'unknown' else step}",
            field="python_version",
            expected=then,
            got=now,
            fix=f"run Python {then if step == 'patch' else short}",
        )
    yield from _plain(expected, got, "implementation", "python.implementation", "run {}")
    yield from _plain(expected, got, "python_build", "python.build")


def _system(expected: Capture, got: Capture) -> Iterator[Change]:
    then, now = recorded.machine(expected), recorded.machine(got)
    if then and now and then != now:
        fix = f"run on {then}, or prove the golden rows there"
        yield Change(rule="machine", field="machine", expected=then, got=now, fix=fix)
    (family, version), (other, other_version) = recorded.libc(expected), recorded.libc(got)
    if family and other and family != other:
        whole = recorded.text(expected, "libc"), recorded.text(got, "libc")
        fix = f"run on a system with {family}, or prove the golden rows there"
        yield Change(rule="libc", field="libc", expected=whole[0], got=whole[1], fix=fix)
    elif family and other and version != other_version:
        whole = recorded.text(expected, "libc"), recorded.text(got, "libc")
        yield Change(rule="libc.version", field="libc", expected=whole[0], got=whole[1])
    yield from _plain(expected, got, "os", "os", "run on {}")
    yield from _plain(expected, got, "os_release", "os.release")
    yield from _plain(expected, got, "kernel", "kernel")


def _processor(expected: Capture, got: Capture, *, saturates: bool) -> Iterator[Change]:
    then, now = (recorded.part(side, "cpu") or {} for side in (expected, got))
    yield from _plain(then, now, "model", "cpu.model", field="cpu.model")
    yield from _plain(then, now, "cores", "cpu.cores", field="cpu.cores")
    had, has = recorded.flags(expected), recorded.flags(got)
    if not had or not has:
        return
    if saturates and bool(had & VNNI) != bool(has & VNNI):
        yield Change(
            rule="cpu.int8",
            field="cpu.flags.int8",
            expected=_listed(had & VNNI, "without VNNI"),
            got=_listed(has & VNNI, "without VNNI"),
            fix="prove the golden rows there, or quantise with reduce_range=True",
        )
    # Of another architecture the instruction sets have other names, which says nothing more.
    if had != has and recorded.machine(expected) == recorded.machine(got):
        yield Change(
            rule="cpu.flags.gone" if (had - has) & COUNTING else "cpu.flags",
            field="cpu.flags",
            expected=_listed(had - has, "without them"),
            got=_listed(has - had, "without them"),
        )


def _libraries(expected: Capture, got: Capture) -> Iterator[Change]:
    """The numeric libraries; more of them on one side only says that it had loaded more."""
    for rule, keys in LIBRARIES.items():
        for openmp in (False, True):
            then, now = (recorded.libraries(side, keys, openmp=openmp) for side in (expected, got))
            if then and now and not (then <= now or now <= then):
                yield Change(
                    rule=rule,
                    field=f"{rule}.openmp" if openmp else rule,
                    expected=", ".join(sorted(then)),
                    got=", ".join(sorted(now)),
                )


def _plain(
    expected: Mapping[str, Any],
    got: Mapping[str, Any],
    key: str,
    rule: str,
    fix: str = "",
    *,
    field: str = "",
) -> Iterator[Change]:
    """A value that both know; ``fix`` takes the expected one in its braces."""
    then, now = expected.get(key), got.get(key)
    if then and now and then != now:
        yield Change(
            rule=rule,
            field=field or key,
            expected=str(then),
            got=str(now),
            fix=fix.format(then),
        )


def _listed(found: frozenset[str], otherwise: str) -> str:
    return ", ".join(sorted(found)) or otherwise
