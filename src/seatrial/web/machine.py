"""What machine is this, to be laid beside the one on which a model was trained?"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def machine() -> Mapping[str, Any]:
    """As it was when somebody first looked: what is loaded stays so."""
    from seatrial.environment.capture import capture  # noqa: PLC0415 - for who asks for it

    return capture()
