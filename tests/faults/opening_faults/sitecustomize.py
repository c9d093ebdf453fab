"""A version that does harm when it is opened: on the path of a gateway's processes.

``SEATRIAL_OPENING`` is ``segv`` or ``raise``, and strikes version ``SEATRIAL_OPENED``.
"""

import os
import signal
import sys
from typing import Any


def _strike(served: Any) -> None:
    if str(served.version) != os.environ["SEATRIAL_OPENED"]:
        _prove(served)
    elif os.environ["SEATRIAL_OPENING"] == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    else:
        raise ValueError("it does not like this machine")


if any(word.startswith("seatrial.gateway.") for word in sys.orig_argv):
    from seatrial.inference.served import Served

    _prove = Served.prove
    Served.prove = _strike  # type: ignore[assignment, method-assign]
