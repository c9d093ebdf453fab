"""A gateway as the ledger and the traffic log know it, and a clock that the test moves."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from tests.tasks.conftest import MODEL, Project, Went

from seatrial import plan as plans
from seatrial.engines import Work, _drive
from seatrial.evidence.agreement import Tally
from seatrial.evidence.course import Course, Moment
from seatrial.evidence.times import Times
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.pipeline.read import read_file
from seatrial.registry import gateways, shadows
from seatrial.registry.project import open_project
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog
from seatrial.workspace import Workspace, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from seatrial.registry.project import Project as Stores

HEALTHY = Tally(
    seen=1000,
    sampled=1000,
    reached=1000,
    compared=1000,
    rows=1000,
    disagreed=10,
    candidate_us=Times({70: 1000}),
    production_us=Times({70: 1000}),
)
"""What a healthy candidate adds up to on 1000 requests."""


class Clock:
    """Begins now (files carry real times) and runs ahead when it is moved."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)

    @property
    def us(self) -> int:
        return int(self.time.timestamp() * 1e6)


@dataclass(frozen=True, slots=True)
class Clocked:
    """A project that runs by the test's clock; each run opens all anew, as a process does."""

    project: Project
    clock: Clock = field(default_factory=Clock)

    def open(self) -> Stores:
        folder = self.project.folder
        return open_project(Workspace(folder, folder / ".seatrial", self.clock))

    def run(self, *changes: str, say: Callable[[str], None] | None = None) -> Went:
        """What ``seatrial run`` does; ``say`` hears every line."""
        lines: list[str] = []

        def hear(line: str) -> None:
            lines.append(line)
            if say:
                say(line)

        plan = plans.make(read_file(self.project.file, changes), self.project.folder)
        stores = self.open()
        try:
            driven = _drive.drive(Work(stores, plan, hear), wait=False)
            return Went(driven, tuple(lines))
        finally:
            stores.ledger.close()

    def retrain(self, rounds: int = 21) -> None:
        """Another model, nearly the same."""
        text = f"n_estimators: {rounds}\nlearning_rate: 0.2\nnum_leaves: 15\n"
        self.project.hyperparameters(text)


class Gateway:
    """Says and counts what a gateway would, by the same functions; lives while it is entered."""

    def __init__(self, clocked: Clocked, identity: str = "G1") -> None:
        self.identity = identity
        self.stores = clocked.open()
        self.clock = clocked.clock
        self.last_count: Tally | None = None
        self._held: Any = None
        self._shadow = ""
        self._obeys: threading.Thread | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        home = self.stores.workspace.home
        self._held = gateways.hold(home, self.identity)
        gateways.enter(
            self.stores.ledger,
            gateways.Gateway(
                id=self.identity,
                host=machine(home),
                pid=os.getpid(),
                address="http://127.0.0.1:8080",
                workers=1,
            ),
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        if self._obeys is not None:
            self._obeys.join()
        self._held.close()
        self.stores.ledger.close()

    def die(self) -> None:
        """As by SIGKILL: nothing is said."""
        self._held.close()

    def say(self, version: int, state: str, reason: str = "") -> None:
        found = self.stores.registry.version(MODEL, version)
        gateways.acknowledge(
            self.stores.ledger, self.identity, MODEL, version, found.digest, state, reason
        )

    def obey(self) -> None:
        """From now on prepare what is staged, serve what is in production, and count to the end."""
        self._obeys = threading.Thread(target=self._obey, daemon=True)
        self._obeys.start()

    def _obey(self) -> None:
        while not self._over.wait(0.01):
            if self.last_count and self._shadow and not shadows.wanted(self.stores.ledger):
                self.clock.move(milliseconds=1)
                self._report(self._shadow, self.last_count)
                self.last_count = None
            for channel, state in (("staging", "ready"), ("production", "serving")):
                at = self.stores.registry.channel(MODEL, channel)
                said = gateways.readiness(self.stores.ledger, MODEL, at.version) if at else {}
                known = said[self.identity].state if self.identity in said else ""
                if at and known not in {state, "serving", "refused"}:
                    self.say(at.version, state)

    def count(self, tally: Tally) -> None:
        """Report this for the shadow test under way."""
        (shadow,) = shadows.wanted(self.stores.ledger)
        self._shadow = shadow.id
        self._report(shadow.id, tally)

    def _report(self, shadow: str, tally: Tally) -> None:
        told = tally.to_json()
        course = Course().later(Moment(self.clock.us - 1_000_000))
        course = course.later(Moment.of(self.clock.us, told))
        document = {**told, "course": course.to_json()}
        shadows.report(self.stores.ledger, shadow, self.identity, document)

    def answer(
        self,
        rows: NDArray[np.float32],
        ids: Sequence[str],
        version: int = 1,
        as_if: NDArray[np.float32] | None = None,
    ) -> None:
        """Answer each of these rows ``[n, 3]`` as a request of its own, and log it.

        What is answered is right for the rows ``as_if``: of a version that does harm, say.
        """
        shown = rows if as_if is None else as_if
        found = self.stores.registry.version(MODEL, version)
        signature, names = self._signature(version), ("feature_1", "feature_2", "feature_3")
        model = Model.load(self.stores.registry.file(found, "model.onnx"), signature)
        head = record.head(MODEL, version, found.digest)
        records = []
        for row, asked, identity in zip(rows, shown, ids, strict=True):
            one = np.ascontiguousarray(row[None])
            said = model.predict(dict(zip(names, asked[None].T, strict=True)))
            records.append(record.of_matrix(head, self.clock.us, 90, identity.encode(), one, said))
        kept = self._log().append(records)
        assert kept.written == len(records), kept

    def label(self, ids: Sequence[str], labels: Sequence[int], version: int = 1) -> None:
        """These labels come back."""
        digest = self.stores.registry.version(MODEL, version).digest
        told = [(identity, (label,)) for identity, label in zip(ids, labels, strict=True)]
        kept = self._log().append([record.of_labels(MODEL, self.clock.us, told, digest, version)])
        assert kept.labels == len(told), kept

    def _log(self) -> TrafficLog:
        digests = {v.digest: v.version for v in self.stores.registry.versions()}
        log = TrafficLog(
            self.stores.workspace.traffic,
            self.identity,
            self.clock,
            lambda digest: self._signature(digests[digest]),
        )
        log.redact({MODEL: ()})
        return log

    def _signature(self, version: int) -> Signature:
        registry = self.stores.registry
        manifest: Any = registry.manifest(registry.version(MODEL, version))
        return Signature.from_json(manifest["signature"])


def requests(count: int, seed: int) -> tuple[NDArray[np.float32], list[str], list[int]]:
    """Rows ``[n, 3]`` as the project's data has them, ids, and the true labels."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 3))
    labels = rows @ np.array([1.0, 0.5, -0.3]) + random.normal(scale=0.2, size=count) > 0
    return rows.astype(np.float32), [f"r{n}" for n in range(count)], labels.astype(int).tolist()
