"""The processor: what it is called, which instructions choose the kernels, how many cores count."""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath
from typing import Any

CPUINFO = Path("/proc/cpuinfo")
MEMBERSHIP = Path("/proc/self/cgroup")
CGROUPS = Path("/sys/fs/cgroup")

FLAGS = frozenset(
    {
        *("sse4_1", "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "amx_int8", "amx_bf16"),
        *("avx512f", "avx512bw", "avx512_vnni", "avx512_bf16"),
        *("neon", "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2"),
    }
)
"""Processor features that choose kernels in onnxruntime, numpy or LightGBM."""


def processor(
    cpuinfo: Path = CPUINFO, membership: Path = MEMBERSHIP, cgroups: Path = CGROUPS
) -> dict[str, Any]:
    """``model``, ``flags`` and ``cores``; empty or None where the system does not say.

    :func:`platform.processor` is not asked: it starts a program to find out.

    >>> processor(Path("/proc/none"))["flags"]
    []
    """
    return {**described(text(cpuinfo)), "cores": cores(text(membership), cgroups)}


def described(cpuinfo: str) -> dict[str, Any]:
    r"""Model and relevant flags from the text of ``/proc/cpuinfo`` (x86 or ARM).

    >>> described("processor : 0\nmodel name : Fast 3000\nflags : fpu avx2 ht")
    {'model': 'Fast 3000', 'flags': ['avx2']}
    """
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    part = f"{fields.get('CPU implementer', '')} {fields.get('CPU part', '')}".strip()
    flags = f"{fields.get('flags', '')} {fields.get('Features', '')}".split()
    return {"model": fields.get("model name") or part, "flags": sorted(FLAGS.intersection(flags))}


def cores(membership: str, cgroups: Path) -> int | None:
    """The cores that this process may use at once: those it may run on, or its share of them.

    ``membership`` is the text of ``/proc/self/cgroup``; a share is rounded up.
    """
    usable = _schedulable()
    share = _share(membership, cgroups)
    if usable is None or share is None:
        return usable
    return min(usable, max(1, math.ceil(share)))


def text(path: Path) -> str:
    """A file of the system, and nothing where there is none or it may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _schedulable() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _share(membership: str, cgroups: Path) -> float | None:
    """The least share of processor time that a cgroup (version 2) around this process grants."""
    inside = next(
        (line.removeprefix("0::/") for line in membership.splitlines() if line.startswith("0::/")),
        "",
    )
    # A container sees its own group as the root, whatever path it reads here.
    names = [name for name in PurePosixPath(inside).parts if name != ".."]
    folders = [cgroups.joinpath(*names[:depth]) for depth in range(len(names) + 1)]
    granted = [_granted(text(folder / "cpu.max")) for folder in folders]
    return min((share for share in granted if share is not None), default=None)


def _granted(line: str) -> float | None:
    """Cores, from the text of ``cpu.max``: microseconds granted in each period of so many.

    >>> _granted("150000 100000"), _granted("max 100000"), _granted("")
    (1.5, None, None)
    """
    parts = line.split()
    if len(parts) != len(("granted", "period")) or not all(part.isdecimal() for part in parts):
        return None
    granted, period = map(int, parts)
    return granted / period if period else None
