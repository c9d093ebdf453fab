"""The environment as a value: what could change a model's answers, and nothing secret.

Everything is read inside this process: the interpreter that runs is the one that is described.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
from pathlib import Path

VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "GLIBC_TUNABLES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "LANG",
    "LC_ALL",
    "MKL_NUM_THREADS",
    "NPY_DISABLE_CPU_FEATURES",
    "OMP_DYNAMIC",
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "TZ",
)
"""The only variables that are looked at: an allow-list, so no credential is ever recorded."""

FLAGS = frozenset(
    {
        *("sse4_1", "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "amx_int8", "amx_bf16"),
        *("avx512f", "avx512bw", "avx512_vnni", "avx512_bf16"),
        *("asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2"),
    }
)
"""Processor features that choose kernels in onnxruntime, numpy or LightGBM."""


def capture(timestamp: str | None = None) -> dict[str, object]:
    """The environment of this process as plain JSON values, with a ``hash`` over all of it.

    ``timestamp`` (ISO 8601, UTC) is added as it is given and stays outside the hash, so the
    rest is the same whenever the environment is.

    >>> capture("2026-01-01T00:00:00Z")["hash"] == capture()["hash"]
    True
    """
    libc, libc_version = platform.libc_ver()
    found: dict[str, object] = {
        "python_version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "os": platform.system(),
        "os_release": _distribution(),
        "kernel": platform.release(),
        "libc": f"{libc} {libc_version}".strip(),
        "machine": platform.machine(),
        "cpu": cpu(_text(Path("/proc/cpuinfo"))),
        "dependencies": dependencies(),
        "onnxruntime_providers": _providers(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }
    found["hash"] = fingerprint(found)
    if timestamp is not None:
        found["timestamp"] = timestamp
    return found


def fingerprint(environment: dict[str, object]) -> str:
    """SHA-256 over the canonical JSON of an environment, without its hash and timestamp.

    >>> fingerprint({"a": 1, "timestamp": "now"}) == fingerprint({"a": 1})
    True
    """
    kept = {key: value for key, value in environment.items() if key not in {"hash", "timestamp"}}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def cpu(text: str) -> dict[str, object]:
    r"""Model and relevant flags from the text of ``/proc/cpuinfo`` (x86 or ARM); may be empty.

    >>> cpu("processor : 0\nmodel name : Fast 3000\nflags : fpu avx2 ht")
    {'model': 'Fast 3000', 'flags': ['avx2']}
    """
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    part = f"{fields.get('CPU implementer', '')} {fields.get('CPU part', '')}".strip()
    flags = f"{fields.get('flags', '')} {fields.get('Features', '')}".split()
    return {"model": fields.get("model name") or part, "flags": sorted(FLAGS.intersection(flags))}


def dependencies() -> dict[str, str]:
    """Every installed distribution by its normalised name (PEP 503), with its version.

    Of two on the path the first is the one that is imported, so it is the one that counts.

    >>> "numpy" in dependencies()
    True
    """
    found: dict[str, str] = {}
    for each in importlib.metadata.distributions():
        name = each.metadata["Name"]
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), each.version)
    return dict(sorted(found.items()))


def _providers() -> list[str]:
    try:
        import onnxruntime  # noqa: PLC0415 - heavy, and a machine without it can still be described
    except ImportError:
        return []
    return list(onnxruntime.get_available_providers())


def _distribution() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return f"{release.get('ID', '')} {release.get('VERSION_ID', '')}".strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
