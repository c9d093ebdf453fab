"""The checks of behaviour that every model must pass, on the run's candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.data.column import Column
from seatrial.data.roles import features
from seatrial.evaluation import behaviour
from seatrial.evaluation.behaviour.asking import count, part
from seatrial.evaluation.behaviour.exported import exported
from seatrial.evaluation.behaviour.noise import noise
from seatrial.evaluation.behaviour.save_and_load import Kept, reopening
from seatrial.registry.opened import files_of, opened
from seatrial.tasks._candidate import candidate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from seatrial.data.column import Kind
    from seatrial.data.table import Table
    from seatrial.evaluation.behaviour.found import Found
    from seatrial.evaluation.labelled import Labelled
    from seatrial.inference.opening import Answers
    from seatrial.outcome import Finding, Measure
    from seatrial.tasks import Context

    Features = Mapping[str, NDArray[Any]]

ROWS = 1000
"""Rows of a dataset that a model is made to behave on, drawn with the run's seed."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Some rows of a dataset: columns ``[n]``, and which rows they are, counted from 1."""

    features: Features
    numbers: tuple[int, ...]


def behave(context: Context, rows: Labelled) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    """All of them on up to 1000 of the rows: measures (limit 0, or reports), and what was found.

    No exception for what the model does; StoreError when its files cannot be read.
    """
    seed = context.scope.pipeline.seed
    chosen = drawn(rows.features, ROWS, seed)
    model = opened(context.registry, candidate(context))
    found = always(context, model, chosen.features) + noise(model, chosen.features, seed=seed)
    return found.measures, found.findings(f"dataset {rows.dataset}", chosen.numbers)


def always(context: Context, model: Answers, rows: Features, skip: Collection[str] = ()) -> Found:
    """Every check that needs no declaration and decides, but those to skip.

    ``save_and_load`` opens its copy in another process while the others run here.
    """
    version = candidate(context)
    manifest = context.registry.manifest(version)
    if "save_and_load" in skip:
        found = behaviour.checked(model, rows, skip)
    else:
        files, trust = files_of(context.registry, version), manifest.get("trust")
        kept = Kept(files, context.blobs.get, str(version), trust)
        with reopening(kept, model, rows) as compared:
            found = behaviour.checked(model, rows, skip) + compared()
    if "exported" not in skip:
        found += exported(manifest)
    return found


def drawn(every: Features, wanted: int, seed: int) -> Drawn:
    """Up to ``wanted`` rows, in their order."""
    rows = count(every)
    if rows <= wanted:
        return Drawn(every, tuple(range(1, rows + 1)))
    chosen = np.sort(np.random.default_rng(seed).choice(rows, wanted, replace=False))
    return Drawn(part(every, chosen), tuple((chosen + 1).tolist()))


def read_by(model: Answers, table: Table) -> Features:
    """The columns that the model reads, of its kinds; the rows need no target.

    FormError when one is missing, or holds text where the model reads a number.
    """
    kinds: Mapping[str, Kind] = {"FP32": "number", "BYTES": "string"}
    inputs = model.signature.inputs
    return features(table, [Column(each.name, kinds[each.datatype], "") for each in inputs])
