"""The system below the interpreter: its name, its kernel, its C library."""

from __future__ import annotations

import platform
from pathlib import Path

LOADERS = Path("/lib")
"""Where the loader of a C library lies."""


def system() -> dict[str, str]:
    """As a capture says it; empty texts where the system does not tell. No host name.

    >>> sorted(system())
    ['kernel', 'libc', 'machine', 'os', 'os_release']
    """
    return {
        "os": platform.system(),
        "os_release": distribution(),
        "kernel": platform.release(),
        "libc": libc(platform.libc_ver()),
        "machine": platform.machine(),
    }


def distribution() -> str:
    """Name and version of the Linux distribution, such as ``debian 12``."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return f"{release.get('ID', '')} {release.get('VERSION_ID', '')}".strip()


def libc(told: tuple[str, str], loaders: Path = LOADERS) -> str:
    """The C library by what Python was told of it; musl does not tell, its loader does.

    >>> libc(("glibc", "2.36"))
    'glibc 2.36'
    """
    name = " ".join(part for part in told if part)
    return name or ("musl" if any(loaders.glob("ld-musl-*")) else "")
