"""Who is at the keyboard: whoever begins a run, and whoever decides on one."""

from __future__ import annotations

import getpass
import os


def name() -> str:
    """The user's name; in a container that has none for the user, the number."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the version of Python
        return f"user {os.getuid()}"
