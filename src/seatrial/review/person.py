"""Who is at the keyboard: whoever begins a run, and whoever decides on one."""

from __future__ import annotations

import os
import pwd


def name() -> str:
    """The user's name; in a container that has none for the user, the number.

    Not what the environment says: anybody could be anybody by setting LOGNAME.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
