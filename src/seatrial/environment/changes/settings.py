"""In what do two captures differ that somebody set: providers, GPU, variables, image?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from seatrial.environment.changes import recorded
from seatrial.environment.changes.change import Change
from seatrial.environment.machine.variables import A_PATH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from seatrial.environment.changes.recorded import Capture

ON_GPU = ("CUDA", "Tensorrt", "NvTensorRT")
"""How the names of the providers begin that compute on a GPU of NVIDIA's."""

UNSET = "not set"

_TOLD_ELSEWHERE = {"LANG": "locale", "LC_ALL": "locale", "LC_CTYPE": "locale", "TZ": "timezone"}


def setting_changes(
    expected: Capture, got: Capture, *, providers: Collection[str], every: bool
) -> Iterator[Change]:
    """What differs in settings; the model needs ``providers``, or perhaps ``every`` one.

    >>> [change.fix for change in setting_changes(
    ...     {"variables": {"OMP_NUM_THREADS": "2"}}, {"variables": {}}, providers=[], every=True)]
    ['export OMP_NUM_THREADS=2']
    """
    yield from _runtime(expected, got, providers)
    yield from _cuda(expected, got, providers, every=every)
    yield from _variables(expected, got)
    yield from _trouble(expected, got)
    for key in ("locale", "timezone", "image"):
        then, now = expected.get(key), got.get(key)
        if then and now and then != now:
            fix = _export(key, said(then))
            yield Change(rule=key, field=key, expected=said(then), got=said(now), fix=fix)


def said(value: Any) -> str:
    """A value of a capture in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {value[key]}" for key in sorted(value) if value[key])
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _runtime(expected: Capture, got: Capture, needed: Collection[str]) -> Iterator[Change]:
    then, now = recorded.providers(expected), recorded.providers(got)
    if not now:
        return
    for name in sorted(set(needed) - {*now}):
        yield Change(
            rule="providers",
            field=f"onnxruntime.providers.{name}",
            expected="available",
            got="not available",
            fix="install the build of onnxruntime that has it (onnxruntime-gpu for CUDA)",
        )
    gone, new = sorted({*then} - {*now} - {*needed}), sorted({*now} - {*then})
    if then and (gone or new):
        yield Change(
            rule="providers.other",
            field="onnxruntime.providers",
            expected=", ".join(gone) or "without them",
            got=", ".join(new) or "without them",
        )
    builds = [
        recorded.text(recorded.part(side, "onnxruntime") or {}, "build") for side in (expected, got)
    ]
    if all(builds) and builds[0] != builds[1]:
        yield Change(
            rule="onnxruntime.build", field="onnxruntime.build", expected=builds[0], got=builds[1]
        )


def _cuda(
    expected: Capture, got: Capture, needed: Collection[str], *, every: bool
) -> Iterator[Change]:
    then, now = recorded.part(expected, "cuda"), recorded.part(got, "cuda")
    if then is None or now is None:
        return
    on_gpu = any(name.startswith(ON_GPU) for name in needed)
    rule = "cuda" if on_gpu or every else "cuda.other"
    before, after = bool(then.get("available")), bool(now.get("available"))
    if before != after:
        yield Change(
            rule="cuda.absent" if on_gpu and before else rule,
            field="cuda.available",
            expected=_gpu(then),
            got=_gpu(now),
            fix="run on a machine with a GPU and its driver" if before else "",
        )
        return
    for key in ("version", "cudnn", "driver", "gpus"):
        if then.get(key) and now.get(key) and then[key] != now[key]:
            yield Change(
                rule=rule, field=f"cuda.{key}", expected=said(then[key]), got=said(now[key])
            )


def _variables(expected: Capture, got: Capture) -> Iterator[Change]:
    then, now = recorded.part(expected, "variables"), recorded.part(got, "variables")
    if then is None or now is None:
        return
    for name in sorted({*then, *now}):
        elsewhere = _TOLD_ELSEWHERE.get(name)
        if then.get(name) == now.get(name) or (
            elsewhere and expected.get(elsewhere) and got.get(elsewhere)
        ):
            continue
        value = str(then.get(name, ""))
        yield Change(
            rule="variables",
            field=f"variables.{name}",
            expected=str(then.get(name, UNSET)),
            got=str(now.get(name, UNSET)),
            fix=f"export {name}={shlex.quote(value)}" if name in then else f"unset {name}",
        )


def _trouble(expected: Capture, got: Capture) -> Iterator[Change]:
    then, now = (recorded.part(side, "trouble") or {} for side in (expected, got))
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield Change(
                rule="trouble",
                field=f"trouble.{name}",
                expected=str(then.get(name, "none")),
                got=str(now.get(name, "none")),
            )


def _export(key: str, value: str) -> str:
    """How to set it; empty where no variable does.

    >>> _export("locale", "C.UTF-8 (utf-8)"), _export("timezone", "UTC+01:00")
    ('export LC_ALL=C.UTF-8', '')
    """
    if value.startswith(A_PATH):
        return ""
    if key == "locale":
        return f"export LC_ALL={shlex.quote(value.partition(' ')[0])}"
    # An offset is no name, and TZ counts offsets the other way round.
    return f"export TZ={shlex.quote(value)}" if key == "timezone" and ":" not in value else ""


def _gpu(cuda: Capture) -> str:
    if not cuda.get("available"):
        return "no GPU"
    gpus = ", ".join(recorded.names(cuda, "gpus")) or "GPU"
    version = recorded.text(cuda, "version")
    return f"{gpus} (CUDA {version})" if version else gpus
