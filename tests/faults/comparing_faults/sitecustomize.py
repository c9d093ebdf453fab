"""A library that does harm when a gateway compares its machine: on the path of its processes.

``SEATRIAL_COMPARING`` is ``segv``, ``raise`` or ``print``.
"""

import os
import platform
import signal
import sys


def _strike() -> tuple[str, str]:
    how = os.environ["SEATRIAL_COMPARING"]
    if how == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "raise":
        raise PermissionError(13, "not for you")
    sys.stdout.write("a library greets\n{}\nand does not end its line")
    return _build()


if "seatrial.gateway.proving" in sys.orig_argv:
    _build = platform.python_build
    platform.python_build = _strike
