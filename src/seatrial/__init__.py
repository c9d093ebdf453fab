"""CI/CD for machine-learning models: judged on data they never saw, watched, rolled back.

>>> import seatrial
>>> sorted(seatrial.__all__)
['EnvironmentValidator', 'Profile', 'make_plan', 'read_pipeline', 'run']
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.data.profiles.profile import Profile
    from seatrial.engines._drive import run
    from seatrial.environment.validator import EnvironmentValidator
    from seatrial.pipeline.read import read_file as read_pipeline
    from seatrial.plan import make as make_plan

# Nothing here calls home. onnxruntime does since 1.29, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_PLACES = {
    "EnvironmentValidator": ("seatrial.environment.validator", "EnvironmentValidator"),
    "Profile": ("seatrial.data.profiles.profile", "Profile"),
    "make_plan": ("seatrial.plan", "make"),
    "read_pipeline": ("seatrial.pipeline.read", "read_file"),
    "run": ("seatrial.engines._drive", "run"),
}

__all__ = ["EnvironmentValidator", "Profile", "make_plan", "read_pipeline", "run"]


def __getattr__(name: str) -> object:
    """Import on first use, so that ``import seatrial`` costs nothing (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module 'seatrial' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(module), attribute)
