"""Fit a model on a dataset that was checked."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from seatrial import models
from seatrial.data.leakage import target_copy
from seatrial.data.roles import features, labels
from seatrial.environment import code as versioned
from seatrial.environment.capture import capture
from seatrial.errors import FileError, nearest
from seatrial.ledger.store import canonical
from seatrial.models import Telling, Training
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.tasks import (
    VALIDATED,
    Context,
    Input,
    Scope,
    Task,
    _seeds,
    _source_words,
    check_dataset,
    roles_of,
)
from seatrial.tasks._sources import File, Function, Limits, ModelType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from seatrial.data.roles import Roles
    from seatrial.data.table import Table
    from seatrial.errors import Mistake
    from seatrial.tasks._sources import Source

FORMAT = 3
"""Counts up when the same training keeps other files: older ones are not re-used."""

MOST_SEEDS = 20
"""More trainings than this tell nothing new about how far they spread."""


class Train(Task, frozen=True, kw_only=True):
    """Parameters of ``train``. ``hyperparameters`` is a file, or the mapping itself.

    Exactly one of ``model_type``, ``entrypoint`` and ``artifact`` says where the model comes from.
    """

    model_type: str | None = None
    entrypoint: str | None = None
    artifact: str | None = None
    data: str
    hyperparameters: str | dict[str, Any] = msgspec.field(default_factory=dict)
    seeds: Annotated[int, msgspec.Meta(ge=1, le=MOST_SEEDS)] = 1
    timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 3600.0
    memory_mb: Annotated[int, msgspec.Meta(ge=1)] | None = None
    trust: Literal["pickle"] | None = None

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The training rows, the file of hyperparameters, and the files that make the model."""
        yield Input(self.data, labelled=True)
        if isinstance(self.hyperparameters, str):
            yield scope.path(self.hyperparameters)
        for source in self._sources(scope).values():
            yield from source.files()

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset, where the model comes from, and every hyperparameter by name and type."""
        yield from check_dataset(scope, self.data, "data")
        mistakes = [*_source_words.mistakes(scope, self._sources(scope))]
        yield from mistakes
        if mistakes:
            return
        try:
            given = self._given(scope)
        except FileError as error:
            yield from error.mistakes
            return
        if self.model_type is not None:
            where = str(scope.entry.where("hyperparameters"))
            named = self.hyperparameters if isinstance(self.hyperparameters, str) else where
            yield from models.get(self.model_type).check(given, named)

    def demands(self, scope: Scope) -> Iterable[str]:
        """What is fitted, with which seed, by whose code and within which limits."""
        seeds = self._seeds(scope)
        yield from self._source(scope).planned(self.data, seeds[0])
        yield from _seeds.planned(seeds)
        fails = scope.pipeline.leakage.target == "fail"
        yield (
            "a feature that alone gives the target away"
            f" {'fails' if fails else 'is told, and fails nothing (`leakage: {target: warn}`)'}"
        )

    def key(self, context: Context) -> str:
        """Digest of rows, parameters, seed, code and the libraries that fit."""
        table = context.table(self.data)
        roles = roles_of(context.scope.pipeline, table)
        source = self._source(context.scope)
        parts = [
            "train",
            FORMAT,
            source.libraries(),
            source.recorded(),
            self.trust,
            self._given(context.scope),
            table.fingerprint,
            [roles.target, roles.problem, [c.name for c in roles.features]],
            self._seeds(context.scope),
            self._checked(context),
            context.scope.pipeline.leakage.target,
        ]
        return hashlib.sha256(canonical(parts).encode()).hexdigest()

    def renew(self, context: Context, outcome: Outcome) -> Outcome | None:
        """The fitted model counts again while its blobs are kept."""
        return outcome if all(map(context.blobs.has, outcome.blobs.values())) else None

    def run(self, context: Context) -> Outcome:
        """Fit, and keep the fitted model with all that it was made from."""
        table = context.table(self.data)
        unsure = _unsure(self._checked(context), table.fingerprint)
        if unsure:
            return Outcome(verdict=Verdict.INCONCLUSIVE, reason=f"{self.data}: {unsure}")
        roles = roles_of(context.scope.pipeline, table)
        training = self._training(context.scope, table, roles)
        told = _given_away(training, table.dataset.name, roles.target)
        if told and context.scope.pipeline.leakage.target == "fail":
            return Outcome(
                verdict=Verdict.FAIL,
                reason="; ".join(finding.what for finding in told),
                findings=told,
            )
        code = versioned.revision(context.scope.folder)
        facts = self._facts(context.scope, table, roles, training) | {"code": code}
        source = self._source(context.scope)
        trained = _seeds.trained(
            source.trainer(),
            training,
            self._seeds(context.scope),
            lambda how: context.say(f"{source.doing} on {table.rows} rows{how}"),
        )
        first = trained.first
        kept = {"fitted": first.native(), "training": canonical(facts).encode(), **trained.files}
        kind = getattr(first, "made", "a model")
        said = source.said(kind, self.data, table.rows, len(roles.features))
        return Outcome(
            verdict=Verdict.PASS,
            reason=said if self.seeds == 1 else f"{said}, with {self.seeds} seeds",
            findings=(
                *told,
                *(first.findings if isinstance(first, Telling) else ()),
                *trained.findings,
                *_uncommitted(versioned.uncommitted(code)),
            ),
            facts={"trained_on": self.data},
            blobs={name: context.blobs.put(content) for name, content in kept.items()},
        )

    def _source(self, scope: Scope) -> Source:
        (source,) = self._sources(scope).values()
        return source

    def _sources(self, scope: Scope) -> dict[str, Source]:
        """Every place that the file names; :meth:`check` demands that it is one."""
        limits = Limits(self.timeout_s, self.memory_mb)
        found: dict[str, Source] = {}
        if self.model_type is not None:
            found["model_type"] = ModelType(self.model_type)
        if self.entrypoint is not None:
            trusts = self.trust == "pickle"
            found["entrypoint"] = Function(self.entrypoint, scope.folder, limits, trusts)
        if self.artifact is not None:
            found["artifact"] = File(self.artifact, scope.path(self.artifact), limits)
        return found

    def _training(self, scope: Scope, table: Table, roles: Roles) -> Training:
        """What is fitted on, with the first of the seeds."""
        return Training(
            features=features(table, roles),
            target=labels(table, roles),
            problem=roles.problem,
            classes=roles.classes,
            hyperparameters=self._given(scope),
            seed=scope.pipeline.seed,
        )

    def _seeds(self, scope: Scope) -> list[int]:
        return [scope.pipeline.seed + number for number in range(self.seeds)]

    def _facts(
        self, scope: Scope, table: Table, roles: Roles, training: Training
    ) -> dict[str, object]:
        """All that it takes to train again, and to see why another training differs."""
        return {
            "source": self._source(scope).recorded(),
            "pipeline": scope.pipeline.digest,
            "dataset": table.dataset.name,
            "fingerprint": table.fingerprint,
            "rows": table.rows,
            "target": roles.target,
            "problem": roles.problem,
            "classes": list(roles.classes),
            "features": [[column.name, column.kind] for column in roles.features],
            "hyperparameters": training.hyperparameters,
            "seed": training.seed,
            "seeds": self._seeds(scope),
            "trust": self.trust,
            "threads": len(os.sched_getaffinity(0)),
            "environment": capture(),
        }

    def _given(self, scope: Scope) -> Mapping[str, object]:
        if isinstance(self.hyperparameters, dict):
            return self.hyperparameters
        path = scope.path(self.hyperparameters)
        if not path.is_file():
            raise FileError(
                scope.mistake(
                    f"there is no file {self.hyperparameters}",
                    "hyperparameters",
                    nearest=nearest(path.name, [f.name for f in path.parent.glob("*.y*ml")]),
                    fix="write the hyperparameters there, or `hyperparameters: {}` for defaults",
                )
            )
        return models.read_hyperparameters(path)

    def _checked(self, context: Context) -> object:
        """Fingerprint that the checks of the dataset saw, empty when one of them did not pass.

        ``None`` when it need not be checked.
        """
        if not self.data.startswith(VALIDATED):
            return None
        name = self.data.removeprefix(VALIDATED)
        seen = [o for o in context.outcomes.values() if o.facts.get("dataset") == name]
        if not seen or not all(o.verdict.lets_through for o in seen):
            return ""
        return seen[-1].facts.get("fingerprint", "")


def _unsure(checked: object, fingerprint: str) -> str:
    """Why these are not the rows that a check passed; empty when they are, or need not be."""
    if checked == "":
        return "not every check of it passed, so it is not validated"
    if checked not in {None, fingerprint}:
        return "changed since it was checked; run again to check it"
    return ""


def _uncommitted(said: str) -> tuple[Finding, ...]:
    """That the revision does not say which code it was."""
    hint = "commit it, so that the version can be trained again from its revision"
    return (Finding(what=said, where="git", hint=hint),) if said else ()


def _given_away(training: Training, dataset: str, target: str) -> tuple[Finding, ...]:
    """The features that alone give the target away."""
    found = target_copy.copies(training.features, training.target, training.problem, training.seed)
    classes = training.problem == "classes"
    does = "predicts" if classes else "explains the ranks of"
    how = ", each class weighing the same" if classes else ""
    return tuple(
        Finding(
            what=f"{copy.feature!r} alone {does} {target!r} to {100 * copy.share:.1f} %"
            f" (of {copy.rows} rows{how})",
            where=f"dataset {dataset}, column {copy.feature}",
            hint="is it known when the prediction is made? If not, put it under `exclude:`",
        )
        for copy in found
    )
