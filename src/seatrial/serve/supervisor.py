"""The supervisor of a gateway: it starts its processes, and alone decides which version serves.

Nothing heavy happens here, and nothing waits: the ledger is read by the lookout and written by
the clerk, each in a thread of its own. A turn looks at what is wanted, publishes it, commits what
every worker has ready, and tends the processes.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from seatrial import workspace
from seatrial.gateway.board import Board
from seatrial.gateway.cells import Cells
from seatrial.gateway.log import logger
from seatrial.gateway.ring import Ring
from seatrial.registry import gateways, shadows
from seatrial.serve.child import Child
from seatrial.serve.clerk import Clerk
from seatrial.serve.control import address_of, demand_token, opened
from seatrial.serve.desired import STARTING
from seatrial.serve.listening import listen
from seatrial.serve.lookout import Lookout
from seatrial.serve.pipelines import serving_of
from seatrial.serve.proofs import Proofs
from seatrial.serve.shadowing import Shadowing
from seatrial.serve.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.registry.project import Project
    from seatrial.serve.control import Control
    from seatrial.serve.shadowing import Report
    from seatrial.serve.switch import Commit, Readiness

TURN_S = 0.05
BEAT_S = 5.0
STOP_S = 4.6
"""How long it may take to stop, all in all; the promise is 5 s."""

LAST_S = 1.2
"""What of that is kept for the log and the ledger, when workers are slow to finish."""


class Supervisor:
    """One gateway: ``seatrial serve``."""

    def __init__(
        self,
        project: Project,
        host: str,
        port: int,
        workers: int,
        told: Callable[[Commit], None],
        *,
        schedules: bool = True,
        control: Control | None = None,
    ) -> None:
        if control is not None:
            demand_token(control, project.ledger)
        self.project = project
        self.schedules = schedules
        self.identity = project.workspace.ids()
        self.log = logger("supervisor")
        self.cells = Cells(workers)
        self.board = Board.create(self.cells.count)
        self.rings = [Ring.create() for _ in range(workers)]
        self.socket = listen(host, port)
        self.host, self.port = self.socket.getsockname()[:2]
        self.control = control
        self.control_socket = None if control is None else opened(control)
        self.told = told
        self.stop = threading.Event()
        self.wake = threading.Event()
        self.clerk = Clerk(self.log)
        self.lookout = Lookout(
            project, lambda: serving_of(project.workspace.folder), self.wake, self.log
        )
        self.workers = [self._worker(number) for number in range(workers)]
        self.writer = self._writer()
        self.scheduler = self._scheduler()
        self.watcher = self._watcher()
        self.courier = self._courier()
        self.web = self._web()
        self.proofs = Proofs(project.workspace.home, self.log)
        self.switch = Switch(self.board, self.cells, self.workers, self.proofs)
        self.shadowing = Shadowing(self.board, self.cells, self._shadow)
        self._beaten_s = 0.0

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or SIGHUP."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # nohup has a process ignore SIGHUP: so it shall be
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
                signal.signal(number, self._ask_to_stop)
        # first of all: workers load their libraries while the ledger is being read
        self.board.publish(STARTING)
        self._tend()
        held = gateways.hold(self.project.workspace.home, self.identity)
        try:
            # noted, not awaited: requests are answered while the ledger is locked
            self.clerk.note("enter", self._enter)
            self.clerk.start()
            self.lookout.start()
            while not self.stop.is_set():
                self._turn()
                self.wake.wait(self.switch.patience_s(TURN_S))
                self.wake.clear()
        finally:
            self._leave()
            held.close()

    @property
    def address(self) -> str:
        """Where the gateway answers, as it is written in front of a path."""
        return address_of(self.host, self.port)

    @property
    def control_address(self) -> str | None:
        """Where the page is, for a browser; None where there is none."""
        if self.control_socket is None:
            return None
        return address_of(*self.control_socket.getsockname()[:2])

    @property
    def link(self) -> str | None:
        """What links to the page begin with; None where there is none that one can follow."""
        address = self.control_address
        return None if self.control is None or address is None else self.control.link(address)

    def _ask_to_stop(self, _signal: int, _frame: object) -> None:
        self.stop.set()
        self.wake.set()

    def _turn(self) -> None:
        now = time.monotonic()
        if self.lookout.replaced.is_set():
            self.lookout.replaced.clear()
            self.clerk.note("enter", self._enter)
            self.switch.forget()
        if self.lookout.seen is not None:
            self.switch.want(self.lookout.seen, now)
        for commit in self.switch.commits():
            self.log("committed", model=commit.model, version=commit.version, before=commit.before)
            self.told(commit)
        for readiness in self.switch.readiness():
            self.clerk.note(
                (readiness.model, readiness.version),
                partial(self._acknowledge, readiness),
            )
        self.shadowing.tend(now, self.switch.shadows)
        for report in self.shadowing.reports(now):
            self._note(report)
        self._tend()
        self._beat(now)

    def _acknowledge(self, said: Readiness) -> None:
        ledger, told = self.project.ledger, (said.model, said.version, said.digest, said.state)
        gateways.acknowledge(ledger, self.identity, *told, said.reason)

    def _note(self, report: Report) -> None:
        ledger, told = self.project.ledger, (report.shadow, self.identity, report.tally)
        self.clerk.note(("tally", report.shadow), partial(shadows.report, ledger, *told))

    def _tend(self) -> None:
        now = time.monotonic()
        aside = (self.writer, self.watcher, self.scheduler, self.courier, *self.web)
        for child in (*self.workers, *aside):
            child.tend(now)
        self.switch.end_the_hung(now)

    def _beat(self, now: float) -> None:
        if now - self._beaten_s >= BEAT_S:
            self._beaten_s = now
            self.clerk.note("beat", lambda: gateways.beat(self.project.ledger, self.identity))

    def _enter(self) -> None:
        gateways.enter(
            self.project.ledger,
            gateways.Gateway(
                id=self.identity,
                host=workspace.machine(self.project.workspace.home),
                pid=os.getpid(),
                address=self.address,
                workers=len(self.workers),
                started="",
                seen="",
                control=self.link,
            ),
        )

    def _leave(self) -> None:
        """Let requests under way finish; then the log; then say goodbye."""
        ends = time.monotonic() + STOP_S
        self.socket.close()
        if self.control_socket is not None:
            self.control_socket.close()
        self.lookout.stop()
        self.proofs.end()
        aside = (
            *self.shadowing.children,
            *(self.scheduler, self.watcher, self.courier),
            *self.web,
        )
        for child in (*aside, *self.workers):
            child.end()
        _await(self.workers, ends - LAST_S)
        self.writer.end()  # after the workers: what they answered last is logged too
        _await((*aside, self.writer), ends)
        for report in self.shadowing.last():
            self._note(report)
        self.clerk.note("leave", lambda: gateways.leave(self.project.ledger, self.identity))
        self.clerk.close(within_s=max(ends - time.monotonic(), 0.3))
        self.log("stopped")

    def _worker(self, number: int) -> Child:
        ring = self.rings[number].fd
        arguments = (
            *("--worker", str(number), "--workers", str(len(self.rings))),
            *("--board", str(self.board.fd), "--ring", str(ring)),
            *("--socket", str(self.socket.fileno())),
            *("--home", str(self.project.workspace.home)),
        )
        files = (self.board.fd, ring, self.socket.fileno())
        module = "seatrial.gateway.worker"
        return Child(f"worker {number}", module, arguments, files, self.log)

    def _writer(self) -> Child:
        arguments = (
            *self._shared(self.cells.writer),
            *("--name", self.identity),
        )
        module = "seatrial.gateway.writer"
        return Child("writer", module, arguments, self._files(), self.log)

    def _shadow(self, identity: str, slot: int) -> Child:
        arguments = (
            *self._shared(self.cells.shadows[slot]),
            *("--shadow", identity),
        )
        module = "seatrial.gateway.shadow"
        return Child(f"shadow {identity}", module, arguments, self._files(), self.log)

    def _scheduler(self) -> Child:
        arguments = (
            *("--folder", str(self.project.workspace.folder)),
            *("--board", str(self.board.fd), "--cell", str(self.cells.scheduler)),
            *(() if self.schedules else ("--no-schedules",)),
        )
        module = "seatrial.serve.scheduler"
        return Child("scheduler", module, arguments, (self.board.fd,), self.log)

    def _watcher(self) -> Child:
        arguments = (
            *("--folder", str(self.project.workspace.folder)),
            *("--workers", str(len(self.rings))),
            *("--board", str(self.board.fd), "--cell", str(self.cells.watcher)),
        )
        module = "seatrial.serve.watcher"
        return Child("watcher", module, arguments, (self.board.fd,), self.log)

    def _courier(self) -> Child:
        arguments = ("--folder", str(self.project.workspace.folder))
        return Child("courier", "seatrial.serve.courier", arguments, (), self.log)

    def _web(self) -> tuple[Child, ...]:
        """The page, where one is wanted; its socket stays open while it is started again."""
        if self.control is None or self.control_socket is None:
            return ()
        host, port = self.control_socket.getsockname()[:2]
        socket = self.control_socket.fileno()
        arguments = (
            *("--folder", str(self.project.workspace.folder)),
            *("--socket", str(socket), "--host", host, "--port", str(port)),
            *(word for name in self.control.names for word in ("--name", name)),
        )
        return (Child("web", "seatrial.web.server", arguments, (socket,), self.log),)

    def _shared(self, cell: int) -> tuple[str, ...]:
        rings = ",".join(str(ring.fd) for ring in self.rings)
        home = str(self.project.workspace.home)
        board = str(self.board.fd)
        return "--board", board, "--rings", rings, "--home", home, "--cell", str(cell)

    def _files(self) -> tuple[int, ...]:
        return (self.board.fd, *(ring.fd for ring in self.rings))


def _await(children: Sequence[Child], until_s: float) -> None:
    """Wait for their ends, until a moment for all of them together; then end them."""
    for child in children:
        if not child.gone(within_s=max(until_s - time.monotonic(), 0.0)):
            child.kill()
