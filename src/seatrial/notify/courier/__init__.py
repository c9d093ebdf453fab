"""Brings what waits in the outbox: a thread for each channel, so that none waits for another.

Nothing is sent inside a transaction, and no decision waits for a message. A message is brought at
least once: who is killed between the sending and the note of it sends it again, with the same id.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.errors import PassingError, SeatrialError, StoreError
from seatrial.notify import Listener, Telling, channels_of, check
from seatrial.notify.courier import deliveries
from seatrial.notify.courier.envelope import envelope
from seatrial.notify.courier.hold import hold
from seatrial.notify.courier.troubles import Trouble, trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from seatrial.ledger.databases.stamp import Stamp
    from seatrial.ledger.store import Ledger
    from seatrial.notify.courier.deliveries import Due
    from seatrial.pipeline import Pipeline
    from seatrial.workspace import Workspace

__all__ = ["Courier", "Trouble", "deliver", "trouble"]

TURN_S = 1.0
"""The longest sleep: how soon an edited file is seen."""

SURELY_S = 60.0
"""It looks at what is due at least so often, whatever clocks do."""

MOST_AT_ONCE = 8
"""Channels that are told at the same time."""

OVERDUE_S = 60.0
"""A channel that does not come back for so long has failed, as far as ``status`` is concerned."""

CLAIMED_S = 2 * OVERDUE_S
"""How long a message is on its way before a courier of another machine may bring it."""


def deliver(
    workspace: Workspace,
    ledger: Ledger,
    pipelines: Iterable[Pipeline],
    within_s: float = 10.0,
    page: Callable[[], str | None] = lambda: None,
) -> None:
    """Try once what is due, for so long at most: at the end of a command.

    ``page`` says where the web page is, for the links in what is told.

    Does nothing while another courier, such as the one of ``seatrial serve``, is at work. What is
    not told in time waits for the next.
    """
    courier = Courier(workspace, ledger, lambda _event, **_fields: None, page=page)
    known, ends_s = tuple(pipelines), time.monotonic() + within_s
    try:
        courier.turn(known)
        while courier.busy and (left_s := ends_s - time.monotonic()) > 0:
            courier.rest(left_s)
            courier.turn(known)
    finally:
        courier.end()


@dataclass(slots=True)
class _Trip:
    """One message on its way; ``error`` says what became of it once ``back`` is set."""

    listener: Listener
    due: Due
    telling: Telling
    started_s: float
    back: threading.Event = field(default_factory=threading.Event)
    error: str | None = "was cut short"
    for_good: bool = False
    recorded: bool = False
    overdue: bool = False


class Courier:
    """Looks, sets out, notes; ``turn`` by ``turn``. One is at work for a project at a time."""

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        log: Callable[..., None],
        environment: Mapping[str, str] = os.environ,
        *,
        page: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.ledger = ledger
        self.wake = threading.Event()
        self._workspace = workspace
        self._log = log
        self._environment = environment
        self._page = page
        self._held: int | None = None
        self._trips: dict[str, _Trip] = {}
        self._pipelines: tuple[Pipeline, ...] = ()
        self._listeners: dict[str, Listener] = {}
        self._since: dict[str, datetime] = {}
        self._stamp: Stamp | None = None
        self._looked_s = 0.0
        self._next: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is on its way or not yet noted."""
        return bool(self._trips)

    def turn(self, pipelines: Iterable[Pipeline]) -> float:
        """Set out with what is due, note what came back; the seconds until something may be due."""
        try:
            return self._turn(tuple(pipelines))
        except SeatrialError as error:
            # what could not be noted stays in hand, and is not told again meanwhile
            self._log("in_the_way", error=str(error))
            return TURN_S

    def rest(self, longest_s: float) -> None:
        """Wait until somebody comes back, or ``wake`` is set."""
        self.wake.wait(longest_s)
        self.wake.clear()

    def end(self, within_s: float = 0.0) -> None:
        """Wait so long for those who are on their way, then leave them to finish by themselves."""
        ends_s = time.monotonic() + within_s
        for trip in self._trips.values():
            trip.back.wait(max(ends_s - time.monotonic(), 0.0))
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _turn(self, pipelines: tuple[Pipeline, ...]) -> float:
        if self._held is None:
            self._held = hold(self._workspace.home)
        if self._held is None:
            return TURN_S
        self._settle()
        self._listen(pipelines)
        if not self._listeners:
            return TURN_S
        now = self.ledger.clock()
        if self._must_look(now):
            self._look()
        if self._next is None:
            return TURN_S
        return min(max((self._next - now).total_seconds(), 0.05), TURN_S)

    def _listen(self, pipelines: tuple[Pipeline, ...]) -> None:
        """Who is to be told: made anew when a file was edited."""
        if [*map(id, pipelines)] == [*map(id, self._pipelines)]:
            return
        self._pipelines = pipelines
        found = [listener for pipeline in pipelines for listener in channels_of(pipeline)]
        self._listeners = {listener.name: listener for listener in found}
        self._stamp = None
        for pipeline in pipelines:
            for mistake in check(pipeline):
                self._log("channel_not_usable", where=mistake.where, error=mistake.what)

    def _must_look(self, now: datetime) -> bool:
        """Whether the ledger may hold something that is due: a look costs microseconds."""
        stamp = self.ledger.stamp()
        surely = time.monotonic() - self._looked_s > SURELY_S
        if stamp == self._stamp and not surely and (self._next is None or now < self._next):
            return False
        self._stamp, self._looked_s = stamp, time.monotonic()
        return True

    def _look(self) -> None:
        listeners = list(self._listeners.values())
        if not self._listeners.keys() <= self._since.keys():
            self._since = deliveries.seen(self.ledger, listeners)
        deliveries.expand(self.ledger, listeners, self._since)
        for due in deliveries.due(self.ledger, self._listeners.keys() - self._trips.keys()):
            rests = due.channel not in self._trips and len(self._trips) < MOST_AT_ONCE
            if rests and deliveries.claim(self.ledger, due, CLAIMED_S):
                self._set_out(self._listeners[due.channel], due)
        free = self._listeners.keys() - self._trips.keys()
        self._next = deliveries.next_due(self.ledger, free)

    def _set_out(self, listener: Listener, due: Due) -> None:
        folder, head = self._workspace.folder.name, self.ledger.head()
        telling = Telling(
            envelope=envelope(due, folder, head, self._page()),
            at=self.ledger.clock(),
            allow_private=listener.allow_private,
            environment=self._environment,
        )
        assert self._held is not None
        # The lock lives until the last who holds a copy of it is back, even if we are not here.
        handle = os.dup(self._held)
        trip = _Trip(listener, due, telling, time.monotonic())
        self._trips[listener.name] = trip
        threading.Thread(
            target=self._tell, args=(trip, handle), name=f"tell {listener.name}", daemon=True
        ).start()

    def _tell(self, trip: _Trip, handle: int) -> None:
        try:
            trip.error, trip.for_good = _outcome(trip)
            self._record(trip)
        except SeatrialError as error:
            self._log("in_the_way", error=str(error))  # the next turn notes it
        finally:
            os.close(handle)
            trip.back.set()
            self.wake.set()

    def _record(self, trip: _Trip) -> None:
        told = {
            "channel": trip.due.channel,
            "message": trip.due.message,
            "kind": trip.due.kind,
            "attempt": trip.due.attempts + 1,
        }
        if trip.error is None:
            deliveries.sent(self.ledger, trip.due)
            self._log("told", **told)
        else:
            state = deliveries.failed(self.ledger, trip.due, trip.error, for_good=trip.for_good)
            self._log("not_told", **told, state=state, error=trip.error)
        trip.recorded = True

    def _settle(self) -> None:
        """Note what came back, and who is overdue."""
        for channel, trip in list(self._trips.items()):
            if trip.back.is_set():
                if not trip.recorded:
                    self._record(trip)
                del self._trips[channel]
                self._stamp = None
            elif not trip.overdue and time.monotonic() - trip.started_s > OVERDUE_S:
                trip.overdue = True
                error = f"has not come back within {OVERDUE_S:g} s"
                deliveries.failed(self.ledger, trip.due, error)
                self._log("overdue", channel=channel, message=trip.due.message)


def _outcome(trip: _Trip) -> tuple[str | None, bool]:
    """What went wrong, and whether it is for good; ``None`` when it was told."""
    try:
        trip.listener.channel.send(trip.telling)
    except StoreError as error:
        text = "; ".join(_line(mistake.what, mistake.fix) for mistake in error.mistakes)
        return trip.telling.without_secrets(text), not isinstance(error, PassingError)
    except Exception as error:  # noqa: BLE001 - a channel of somebody else may raise anything
        text = f"{type(error).__name__}: {error}"
        return trip.telling.without_secrets(" ".join(text.split())), False
    return None, False


def _line(what: str, fix: str) -> str:
    return f"{' '.join(what.split())} ({fix})" if fix else " ".join(what.split())
