"""Where a version is asked that may take long: in its own thread, so that nobody else waits."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from seatrial.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer
    from seatrial.inference.served import Served

MOST_WAITING = 32
"""So many requests are with such a version or wait for it; one more is refused at once."""


class Apart:
    """Asks one version, a request at a time; belongs to the event loop of its worker.

    Its process answers one request at a time anyway, so a second thread would help nobody.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "pickled model")
        self._waiting = 0

    async def answer(
        self, served: Served, features: NDArray[np.float32] | dict[str, NDArray[Any]]
    ) -> Answer:
        """What the version says; RequestError 503 when too many wait for it already."""
        if self._waiting >= MOST_WAITING:
            raise RequestError(503, "the model is slower than its requests come; try again later")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, served.answer, features)
        finally:
            self._waiting -= 1
