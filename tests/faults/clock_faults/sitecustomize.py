"""A wall clock that jumps ahead by ``SEATRIAL_JUMP_S`` two seconds after a process has started."""

import os
import time

_JUMP_S = float(os.environ.get("SEATRIAL_JUMP_S", "0"))
_JUMPS_AT_S = time.monotonic() + 2
_time, _time_ns = time.time, time.time_ns


def _ahead_s() -> float:
    return _JUMP_S if time.monotonic() > _JUMPS_AT_S else 0.0


time.time = lambda: _time() + _ahead_s()
time.time_ns = lambda: _time_ns() + int(_ahead_s() * 1e9)
