"""What is in the way of a run is recorded with the run, and raised."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from seatrial.engines._close import end
from seatrial.errors import FormError, SeatrialError, SupersededError
from seatrial.ledger import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.engines import Work
    from seatrial.ledger.runs import Run


@contextmanager
def recorded(work: Work, run: Run) -> Iterator[None]:
    """Data that cannot be used ends the run; anything else stops it, to be resumed."""
    try:
        yield
    except SupersededError:
        raise  # somebody else goes on with it, or has ended it
    except FormError as error:
        end(work, run, None, [str(m) for m in error.mistakes], error.mistakes[0].what)
        raise
    except SeatrialError as error:
        runs.stop(work.project.ledger, run.id, runs.State.STOPPED, [str(error)])
        raise
