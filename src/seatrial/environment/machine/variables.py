"""What is set around a process: variables, locale, time zone, the image it runs in."""

from __future__ import annotations

import locale
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.environment.machine.processor import text

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "BLIS_NUM_THREADS",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "DNNL_MAX_CPU_ISA",
    "GLIBC_TUNABLES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "MKL_CBWR",
    "MKL_DYNAMIC",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_NUM_THREADS",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_DYNAMIC",
    "OMP_NUM_THREADS",
    "OMP_PLACES",
    "OMP_PROC_BIND",
    "OMP_SCHEDULE",
    "OMP_THREAD_LIMIT",
    "OMP_WAIT_POLICY",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "TZ",
    "VECLIB_MAXIMUM_THREADS",
)
"""The only variables that are looked at: an allow-list, so no credential is ever recorded."""

IMAGE = "SEATRIAL_IMAGE"
"""The variable by which a container is told the digest of its image."""

A_PATH = "a path"
"""Stands for the value of a variable that is a path."""

LOCALTIME = Path("/etc/localtime")
TIMEZONE = Path("/etc/timezone")

_ZONE = re.compile(r"zoneinfo/(?:posix/|right/)?(\w[\w+/-]*)$")
_NAME = re.compile(r"[\w<][\w+/,.<>:-]*")
_UTC = frozenset({"", "UTC", "UCT", "Universal", "Zulu"})
_DIGEST = re.compile(r"(?:^|@)(sha256:[0-9a-f]{64})$")


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of the allow-list that are set; of a path only that it is one.

    >>> variables({"OMP_NUM_THREADS": "2", "TZ": ":/home/me/zone", "SEATRIAL_TOKEN": "secret"})
    {'OMP_NUM_THREADS': '2', 'TZ': 'a path'}
    """
    return {name: _pathless(environ[name]) for name in VARIABLES if name in environ}


def letters(environ: Mapping[str, str], encoding: str | None = None) -> str:
    """The locale of letters and its encoding, as the variables set it for programs.

    >>> letters({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, "UTF-8")
    'de_DE.UTF-8 (utf-8)'
    """
    chosen = next(filter(None, map(environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    return f"{_pathless(chosen)} ({(encoding or locale.getencoding()).lower()})"


def timezone(
    environ: Mapping[str, str], localtime: Path = LOCALTIME, named: Path = TIMEZONE
) -> str:
    """The zone's name where it can be known, else its offset without summer time.

    The variable TZ counts before the link ``localtime``, which counts before the text ``named``.

    >>> timezone({"TZ": ":Europe/Berlin"}), timezone({"TZ": "Etc/UTC"})
    ('Europe/Berlin', 'UTC')
    """
    told = environ.get("TZ")
    if told is not None:
        name = told.removeprefix(":")
        # A file of one's own: its path says nothing elsewhere.
        found = name if not name else _name(name) or _zone(name)
    else:
        found = _zone(_target(localtime)) or _name(text(named).strip())
    if found is None:
        return _offset(-time.timezone)
    return "UTC" if found.removeprefix("Etc/") in _UTC else found


def image(environ: Mapping[str, str]) -> str | None:
    """The digest of the container's image, where the process was told one.

    >>> image({"SEATRIAL_IMAGE": "shop/serving@sha256:" + "0" * 64})[:9]
    'sha256:00'
    >>> image({"SEATRIAL_IMAGE": "shop/serving:latest"}) is None
    True
    """
    match = _DIGEST.search(environ.get(IMAGE, "").strip())
    return match[1] if match else None


def _pathless(value: str) -> str:
    """The value; a file or folder of this machine says nothing elsewhere, but whose it is."""
    return A_PATH if value.lstrip(":").startswith(("/", "~")) else value


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _name(told: str) -> str | None:
    return told if _NAME.fullmatch(told) else None


def _zone(path: str) -> str | None:
    match = _ZONE.search(path)
    return match[1] if match else None


def _offset(seconds: int) -> str:
    """An offset from UTC, east positive.

    >>> _offset(3600), _offset(-12600)
    ('UTC+01:00', 'UTC-03:30')
    """
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"UTC{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"
