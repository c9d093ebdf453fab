"""Whether two servers gave the same prediction, each in its own form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

if TYPE_CHECKING:
    from gateway.blocks import Lane

CLOSE = 1e-5


def agree(ours: Lane, theirs: Lane) -> None:
    """RuntimeError when they do not."""
    told = [np.ravel(_probabilities(orjson.loads(x.server.ask(x.request)))) for x in (ours, theirs)]
    if told[0].shape != told[1].shape or np.abs(told[0] - told[1]).max() > CLOSE:
        raise RuntimeError(f"{theirs.name} answers {told[1]}, {ours.name} {told[0]}")


def _probabilities(told: Any) -> Any:
    """What stands beside the word in any of the forms: V2's list of outputs, or an object."""
    if isinstance(told, dict):
        if told.get("name") == "probabilities":
            return told["data"]
        if "probabilities" in told:
            return told["probabilities"]
        told = [*told.values()]
    inner = told if isinstance(told, list) else []
    found = (each for each in map(_probabilities, inner) if each is not None)
    return next(found, None)
