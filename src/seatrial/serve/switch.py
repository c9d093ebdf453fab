"""The switch: publish what was proven, commit a version once every worker has loaded it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.gateway.board import MODELS
from seatrial.serve.desired import STARTING
from seatrial.serve.proofs import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.gateway.board import Board
    from seatrial.gateway.cells import Cells
    from seatrial.serve.child import Child
    from seatrial.serve.desired import Document
    from seatrial.serve.proofs import Proofs

EAGER_S = 0.002
"""How soon workers are looked at again while they are asked for something."""

HUNG_S = 60.0
"""A worker that has not told anything for so long is ended, and started anew."""


@dataclass(frozen=True, slots=True)
class Commit:
    """From now on every request is answered by this version; ``before`` is None for a first one."""

    model: str
    version: int
    digest: str
    before: int | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What this gateway can say of a version: ready, serving, refused, failed or dropped; why.

    The reason of what is ready or serving tells where this machine differs, if that matters.
    """

    model: str
    version: int
    digest: str
    state: str
    reason: str


class Switch:
    """Sole writer of the board's wanted document and of its active versions."""

    def __init__(
        self, board: Board, cells: Cells, workers: Sequence[Child], proofs: Proofs
    ) -> None:
        self._board = board
        self._cells = cells
        self._workers = workers
        self._proofs = proofs
        self._places: dict[str, int] = {}
        self._wanted: Document = STARTING
        self._published: Document = STARTING
        self._said: dict[tuple[str, int], tuple[str, str]] = {}

    @property
    def shadows(self) -> list[Document]:
        """The shadow tests under way."""
        return list(self._published["shadows"])

    def want(self, wanted: Document, now_s: float) -> None:
        """Publish what the registry wants and was proven, and what answers meanwhile."""
        self._wanted = wanted
        self._proofs.tend(now_s, self._unproven())
        models = [self._placed(m) for m in wanted["models"]]
        document = {**wanted, "models": [m for m in models if m["index"] < MODELS]}
        if document != self._published:
            self._board.publish(document)
            self._published = document

    def forget(self) -> None:
        """The ledger is another one: say everything again."""
        self._said.clear()

    def _unproven(self) -> Iterator[Version]:
        """What must be proven before a worker opens it; then what answers without a proof.

        The latter was in production when this gateway started: its workers have proven its
        answers, and nobody has compared its machine yet.
        """
        answering = []
        for model in self._wanted["models"]:
            name, active = model["name"], self._active(self._places.get(model["name"], MODELS))
            for each in model["versions"]:
                delivered = each["version"] in model["delivered"]
                version = Version(name, each["version"], each["digest"], delivered)
                if not self._may_be_opened(name, model["production"], each):
                    yield version
                elif each["version"] == active and self._proofs.of(each["digest"]) is None:
                    answering.append(version)
        yield from answering

    def _may_be_opened(self, name: str, production: int | None, version: Document) -> bool:
        """Whether workers may open a version: it is open, or was proven, or nothing answers yet.

        While nothing answers, nobody is hurt when what is in production cannot be opened.
        """
        found = self._proofs.of(version["digest"])
        proven = found is not None and found.kind == "ready"
        active = self._active(self._places.get(name, MODELS))
        first = not active and version["version"] == production
        return proven or first or version in self._open(name)

    def _open(self, name: str) -> list[Document]:
        """The versions of a model that workers have been told to open."""
        published = {m["name"]: m["versions"] for m in self._published["models"]}
        return list(published.get(name, []))

    def _placed(self, model: Document) -> Document:
        index = self._places.setdefault(model["name"], len(self._places))
        active = self._active(index)
        versions = [
            each
            for each in model["versions"]
            if self._may_be_opened(model["name"], model["production"], each)
        ]
        if active not in {each["version"] for each in versions}:
            versions += [v for v in self._open(model["name"]) if v["version"] == active]
        return {**model, "index": index, "versions": versions}

    def commits(self) -> Iterator[Commit]:
        """Commit what is in production, wherever every worker has it."""
        for model in self._published["models"]:
            production, index = model["production"], model["index"]
            active = self._active(index)
            if production is None or production == active:
                continue
            digest = _digest(model, production)
            if digest is None or self._state(model["name"], production) != ("ready", ""):
                continue
            # One aligned store: from here on no request is answered by another version.
            self._board.active[index] = production
            yield Commit(model["name"], production, digest, active or None)

    def readiness(self) -> Iterator[Readiness]:
        """What changed about the versions that are asked for, or no longer are."""
        asked: set[tuple[str, int]] = set()
        for model in self._wanted["models"]:
            for each in model["versions"]:
                which = model["name"], each["version"]
                asked.add(which)
                said = self._standing(model["name"], each)
                if said is not None and self._said.get(which) != said:
                    self._said[which] = said
                    yield Readiness(*which, each["digest"], *said)
        for which in self._said.keys() - asked:
            del self._said[which]
            yield Readiness(*which, "", "dropped", "")

    def _standing(self, name: str, version: Document) -> tuple[str, str] | None:
        """What this gateway says of a version that is wanted; None while it cannot say."""
        index = self._places[name]
        if index >= MODELS:
            return "failed", f"a gateway serves at most {MODELS} models"
        if version not in self._open(name):
            found = self._proofs.of(version["digest"])
            return None if found is None else (found.kind, found.reason)
        said = self._state(name, version["version"])
        if said != ("ready", ""):
            return said
        found = self._proofs.of(version["digest"])
        remark = "" if found is None else found.reason
        return "serving" if version["version"] == self._active(index) else "ready", remark

    def patience_s(self, otherwise: float) -> float:
        """How long the next turn may wait."""
        return EAGER_S if self._asking() else otherwise

    def end_the_hung(self, now_s: float) -> None:
        """Kill workers that tell nothing any more; they are started anew."""
        for worker, cell in self._told():
            if now_s - cell["beat_s"] > HUNG_S:
                worker.kill()

    def _asking(self) -> bool:
        generation = self._board.generation()
        return any(cell["generation"] != generation for _, cell in self._told())

    def _state(self, model: str, version: int) -> tuple[str, str] | None:
        """What the workers say of a version; None until every one that runs has said."""
        generation = self._board.generation()
        told = [cell for _, cell in self._told()]
        if not told or any(cell["generation"] != generation for cell in told):
            return None
        for cell in told:
            for refused in cell["refused"]:
                if (refused["model"], refused["version"]) == (model, version):
                    return refused["kind"], refused["reason"]
        return "ready", ""

    def _told(self) -> Iterator[tuple[Child, dict[str, Any]]]:
        """The running workers that have said something; one that starts loads what is wanted."""
        for worker, number in zip(self._workers, self._cells.of_workers, strict=True):
            cell = self._board.read(number)
            if cell is not None and worker.pid is not None and cell["pid"] == worker.pid:
                yield worker, cell

    def _active(self, index: int) -> int:
        return self._board.active[index] if index < MODELS else 0


def _digest(model: Document, version: int) -> str | None:
    return next((v["digest"] for v in model["versions"] if v["version"] == version), None)
