"""Does an addition keep the promises of its kind? One suite for each kind of word.

Each is a plain function that raises :class:`AssertionError` with a sentence. seatrial's own tests
call them for every word that is installed; whoever adds one calls the same.

>>> from seatrial.testing import check_metric
>>> check_metric("accuracy")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.testing.engine import check_engine
    from seatrial.testing.metric import check_metric
    from seatrial.testing.model import check_model
    from seatrial.testing.notifier import check_notifier
    from seatrial.testing.task import check_task

__all__ = ["check_engine", "check_metric", "check_model", "check_notifier", "check_task"]


def __getattr__(name: str) -> object:
    """Import on first use: who checks a metric needs no onnx."""
    if name not in __all__:
        raise AttributeError(f"module 'seatrial.testing' has no attribute {name!r}")
    module = importlib.import_module(f"seatrial.testing.{name.removeprefix('check_')}")
    return getattr(module, name)
