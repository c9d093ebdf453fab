"""Fit a model on a dataset that was checked."""

from __future__ import annotations

import hashlib
from importlib.metadata import version as installed
from pathlib import Path  # noqa: TC003 - in the signature of a runtime Protocol
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial import extend, models
from seatrial.data.leakage import target_copy
from seatrial.data.roles import features, labels
from seatrial.environment.capture import capture
from seatrial.errors import FileError, nearest
from seatrial.ledger.store import canonical
from seatrial.models import Training
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.tasks import VALIDATED, Context, Input, Scope, Task, check_dataset, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.errors import Mistake


class Train(Task, frozen=True, kw_only=True):
    """Parameters of ``train``. ``hyperparameters`` is a file, or the mapping itself."""

    model_type: str
    data: str
    hyperparameters: str | dict[str, Any] = msgspec.field(default_factory=dict)

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The training rows and the file of hyperparameters."""
        yield Input(self.data, labelled=True)
        if isinstance(self.hyperparameters, str):
            yield scope.path(self.hyperparameters)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset, the model type, and every hyperparameter by name and type."""
        yield from check_dataset(scope, self.data, "data")
        known = extend.names("models")
        if self.model_type not in known:
            yield scope.mistake(
                f"unknown model_type {self.model_type!r}",
                "model_type",
                nearest=nearest(self.model_type, known),
                fix=f"one of: {', '.join(known)}",
            )
            return
        try:
            given = self._given(scope)
        except FileError as error:
            yield from error.mistakes
            return
        where = str(scope.entry.where("hyperparameters"))
        if isinstance(self.hyperparameters, str):
            where = self.hyperparameters
        yield from models.get(self.model_type).check(given, where)

    def demands(self, scope: Scope) -> Iterable[str]:
        """What is fitted, with which seed."""
        yield f"fits {self.model_type} on {self.data} with seed {scope.pipeline.seed}"
        fails = scope.pipeline.leakage.target == "fail"
        yield (
            "a feature that alone gives the target away"
            f" {'fails' if fails else 'is told, and fails nothing (`leakage: {target: warn}`)'}"
        )

    def key(self, context: Context) -> str:
        """Digest of rows, parameters, seed and the libraries that fit."""
        table = context.table(self.data)
        libraries = {name: installed(name) for name in ("seatrial", "lightgbm", "numpy")}
        roles = roles_of(context.scope.pipeline, table)
        parts = [
            "train",
            libraries,
            self.model_type,
            self._given(context.scope),
            table.fingerprint,
            [roles.target, roles.problem, [c.name for c in roles.features]],
            context.scope.pipeline.seed,
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
        checked = self._checked(context)
        if checked == "":
            return Outcome(
                verdict=Verdict.INCONCLUSIVE,
                reason=f"{self.data}: not every check of it passed, so it is not validated",
            )
        if checked not in {None, table.fingerprint}:
            return Outcome(
                verdict=Verdict.INCONCLUSIVE,
                reason=f"{self.data}: changed since it was checked; run again to check it",
            )
        roles = roles_of(context.scope.pipeline, table)
        given = self._given(context.scope)
        training = Training(
            features=features(table, roles),
            target=labels(table, roles),
            problem=roles.problem,
            classes=roles.classes,
            hyperparameters=given,
            seed=context.scope.pipeline.seed,
        )
        told = _given_away(training, table.dataset.name, roles.target)
        if told and context.scope.pipeline.leakage.target == "fail":
            return Outcome(
                verdict=Verdict.FAIL,
                reason="; ".join(finding.what for finding in told),
                findings=told,
            )
        context.say(f"fitting {self.model_type} on {table.rows} rows")
        fitted = models.get(self.model_type).fit(training)
        facts: Mapping[str, object] = {
            "model_type": self.model_type,
            "dataset": table.dataset.name,
            "fingerprint": table.fingerprint,
            "rows": table.rows,
            "target": roles.target,
            "problem": roles.problem,
            "classes": list(roles.classes),
            "features": [[column.name, column.kind] for column in roles.features],
            "hyperparameters": given,
            "seed": training.seed,
            "environment": capture(),
        }
        return Outcome(
            verdict=Verdict.PASS,
            reason=f"{self.model_type} fitted on {table.rows} rows, {len(roles.features)} features",
            findings=told,
            facts={"trained_on": self.data},
            blobs={
                "fitted": context.blobs.put(fitted.native()),
                "training": context.blobs.put(canonical(facts).encode()),
            },
        )

    def _given(self, scope: Scope) -> dict[str, object]:
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
