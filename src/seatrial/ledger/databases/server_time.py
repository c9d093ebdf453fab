"""What time is it by the clock of the database, between two looks at it?"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ServerTime:
    """The last time that the database told, and what this machine's clock has counted since.

    Of several machines the clocks may differ, and may be put right at any moment; this one is
    the same for all. It goes on while a machine sleeps (``CLOCK_BOOTTIME``).
    """

    def __init__(self) -> None:
        self._ahead_us = 0
        """The database's time less this machine's count."""

    def tell(self, at_s: Decimal) -> datetime:
        """Take the database's time, seconds since 1970; the same as a moment."""
        at_us = round(at_s * 1_000_000)
        self._ahead_us = at_us - _counted_us()
        return _moment(at_us)

    def __call__(self) -> datetime:
        """Now."""
        return _moment(_counted_us() + self._ahead_us)


def _counted_us() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def _moment(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)
