"""Projects whose two versions answer some live requests otherwise, and a question about them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.tasks.conftest import MODEL
from tests.tasks.traffic import Clocked, Gateway

from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.registry import watches
from seatrial.registry.policy import Policy
from seatrial.registry.registry import PRODUCTION, Move, perform
from seatrial.review import items
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog
from seatrial.watch.act import act
from seatrial.watch.decide import Ask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray
    from tests.tasks.conftest import Project

    from seatrial.registry.project import Project as Stores
    from seatrial.review.items import Item

EQUAL = "n_estimators: 6\nlearning_rate: 0.4\nnum_leaves: 15\n"
"""Answers otherwise at times, and is as good."""

WORSE = "n_estimators: 1\nlearning_rate: 0.3\nnum_leaves: 3\n"
"""One tree that looks at little."""


def known_ids(patch: pytest.MonkeyPatch) -> None:
    """Items are numbered: the order in which requests are drawn goes by an item's id."""
    numbers = itertools.count(1)
    patch.setattr(items, "new_id", lambda _at: f"01M8A{next(numbers):021}")


@dataclass(slots=True)
class Differing:
    """Version 1 and version 2; requests ``r0`` and so on, what is true of each."""

    project: Project
    clocked: Clocked
    truth: dict[str, int] = field(default_factory=dict)

    @classmethod
    def make(cls, project: Project, hyperparameters: str) -> Differing:
        """Train version 2; it is only staged."""
        project.hyperparameters(hyperparameters)
        went = project.run()
        assert went.verdict("register") == "pass", went.document
        return cls(project, Clocked(project))

    @classmethod
    def of(cls, project: Project) -> Differing:
        """One that was made before, and copied."""
        return cls(project, Clocked(project))

    @property
    def folder(self) -> Path:
        return self.project.folder

    def open(self) -> Stores:
        return self.clocked.open()

    def answer(
        self,
        count: int,
        version: int,
        *,
        seed: int = 7,
        missing: bool = False,
        differing: float | None = None,
        rows: int = 1,
        redacted: Sequence[str] = (),
    ) -> None:
        """So many requests come, of so many ``rows``; what is true is known to the test only.

        ``differing`` is the share of them that the two versions answer otherwise, by choice.
        """
        random = np.random.default_rng(seed)
        stores = self.open()
        features = random.normal(size=(count, rows, 3)).astype(np.float32)
        if differing is not None:
            features[:, 0] = self._chosen(stores, random, count, differing)
        score = features[:, 0] @ np.array([1.0, 0.5, -0.3])
        true = score + random.normal(scale=0.2, size=count) > 0
        if missing:
            features[..., 2] = np.nan
        ids = [f"r{len(self.truth) + place}" for place in range(count)]
        self.truth |= dict(zip(ids, true.astype(int).tolist(), strict=True))
        model = self._model(stores, version)
        signature, found = model.signature, stores.registry.version(MODEL, version)
        head, names = record.head(MODEL, version, found.digest), [i.name for i in signature.inputs]
        records = []
        for asked, identity in zip(features, ids, strict=True):
            said = model.predict(dict(zip(names, asked.T, strict=True)))
            records.append(
                record.of_matrix(
                    head, self.clocked.clock.us, 90, identity.encode(), asked.copy(), said
                )
            )
        log = TrafficLog(
            stores.workspace.traffic, f"W{len(self.truth)}", self.clocked.clock, lambda _: signature
        )
        log.redact({MODEL: redacted})
        kept = log.append(records)
        assert kept.written == len(records), kept
        stores.ledger.close()

    def _chosen(
        self, stores: Stores, random: np.random.Generator, count: int, differing: float
    ) -> NDArray[np.float32]:
        """[count, 3]: rows of which that share is answered otherwise."""
        rows = random.normal(size=(100 * count, 3)).astype(np.float32)
        first, second = (self._answers(self._model(stores, n), rows) for n in (1, 2))
        apart, alike = np.flatnonzero(first != second), np.flatnonzero(first == second)
        many = round(differing * count)
        chosen = np.concatenate([apart[:many], alike[: count - many]])
        picked: NDArray[np.float32] = rows[random.permutation(chosen)]
        return picked

    @staticmethod
    def _model(stores: Stores, version: int) -> Model:
        found = stores.registry.version(MODEL, version)
        manifest: Any = stores.registry.manifest(found)
        signature = Signature.from_json(manifest["signature"])
        return Model.load(stores.registry.file(found, "model.onnx"), signature)

    @staticmethod
    def _answers(model: Model, rows: NDArray[np.float32]) -> NDArray[Any]:
        names = [each.name for each in model.signature.inputs]
        label: NDArray[Any] = model.predict(dict(zip(names, rows.T, strict=True))).label
        return label

    def feedback(self, *ids: str, version: int) -> None:
        """Labels come back by themselves."""
        with Gateway(self.clocked, "F") as gateway:
            gateway.label(ids, [self.truth[each] for each in ids], version)

    def promote(self, **policy: Any) -> None:
        """Version 2 replaces version 1, and is watched."""
        stores = self.open()
        current = stores.registry.channel(MODEL, PRODUCTION)
        assert current is not None
        move = Move(
            model=MODEL,
            channel=PRODUCTION,
            version=2,
            expect=current.revision,
            event="promote",
            by="grace",
            reason="passed",
        )
        told = Policy(**{"degradation_margin": 0.05, "metric": "accuracy", **policy}).to_json()
        stores.ledger.write(lambda transaction: perform(transaction, move, told))
        stores.ledger.close()

    def ask(self, kind: str = "disagreement") -> Item:
        """The watch of version 2 has a question."""
        stores = self.open()
        watch = watches.latest(stores.ledger, MODEL, 2)
        assert watch is not None
        act(
            stores,
            watch,
            Ask(
                kind=kind,
                question="Is version 2 right to answer otherwise so often?",
                recommended="label the requests on which they differ",
                on_timeout="keep",
                resolves="labels of the requests on which the two versions differ",
                reason="0.1 of the answers differ",
            ),
            {},
        )
        with stores.ledger.read() as connection:
            (item,) = [item for item in items.waiting(connection) if item.kind == kind]
        stores.ledger.close()
        return item

    def watched(self, requests: int = 800, **policy: Any) -> Item:
        """Version 2 serves, requests come, and the watch asks about the answers that differ."""
        self.promote(**policy)
        self.answer(requests, version=2)
        self.clocked.clock.move(milliseconds=1)
        return self.ask()
