"""Makes the candidate of a shadow process misbehave: put this folder on its PYTHONPATH.

``SEATRIAL_FAULT`` is what every answer of the candidate does, with seconds for some::

    sleep[:5]  burn[:0.05]  raise  exit  segv  memory  shape  nan

Only the process ``python -m seatrial.gateway.shadow`` is touched, and in it only the greatest
version that is opened: the candidate is registered after the version in production.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

FAULT, _, SECONDS = os.environ.get("SEATRIAL_FAULT", "").partition(":")


def burn(seconds: float) -> None:
    """Keep the processor busy for so long, whatever share of it we get."""
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        sum(range(2000))


def before() -> None:
    """What happens instead of, or before, an answer."""
    match FAULT:
        case "sleep":
            time.sleep(float(SECONDS or 5))
        case "burn":
            burn(float(SECONDS or 0.05))
        case "raise":
            raise RuntimeError("told to fail")
        case "exit":
            os._exit(3)
        case "segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "memory":
            _ = b"x" * (4 << 30)


def after(answer: Any) -> Any:
    """What becomes of an answer."""
    import numpy as np  # noqa: PLC0415 - loaded by then

    from seatrial.inference.answer import Answer  # noqa: PLC0415 - likewise

    if FAULT == "shape":
        return Answer(answer.label[:, None], answer.probabilities)
    if FAULT == "nan" and answer.probabilities is None:
        return Answer(np.full_like(answer.label, np.nan))
    if FAULT == "nan":
        return Answer(answer.label, np.full_like(answer.probabilities, np.nan))
    return answer


def misbehave() -> None:
    """Patch the candidate's answers."""
    from seatrial.inference.served import Served  # noqa: PLC0415 - in a shadow process only

    opened: list[int] = []
    healthy_open, healthy_answer = Served.open, Served.answer

    def remembered(model: str, version: int, *rest: Any) -> Served:
        opened.append(version)
        return healthy_open(model, version, *rest)

    def answer(self: Served, features: Any) -> Any:
        if self.version != max(opened):
            return healthy_answer(self, features)
        before()
        return after(healthy_answer(self, features))

    Served.open = remembered  # type: ignore[method-assign,assignment]
    Served.answer = answer  # type: ignore[method-assign]


if FAULT and "seatrial.gateway.shadow" in sys.orig_argv:
    misbehave()
