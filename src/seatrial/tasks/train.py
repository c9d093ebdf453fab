"""Fit a model on a dataset that was checked."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path  # noqa: TC003 - in the signature of a runtime Protocol
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from seatrial import extend, models
from seatrial.data.leakage import target_copy
from seatrial.data.roles import features, labels
from seatrial.environment import code as versioned
from seatrial.environment.capture import capture, dependencies
from seatrial.errors import FileError, nearest
from seatrial.ledger.store import canonical
from seatrial.models import Depending, Telling, Training, Witnessed
from seatrial.models._entry import code as own_code
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.tasks import VALIDATED, Context, Input, Scope, Task, check_dataset, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from seatrial.data.roles import Roles
    from seatrial.data.table import Table
    from seatrial.errors import Mistake
    from seatrial.models import Fitted, Trainer

FORMAT = 2
"""Counts up when the same training keeps other files: older ones are not re-used."""

MOST_SEEDS = 20
"""More trainings than this tell nothing new about how far they spread."""

SOURCES = ("model_type", "entrypoint", "artifact")
"""Where a model may come from: exactly one of these is said."""

_ONLY_FOR = {
    "timeout_s": ("entrypoint",),
    "memory_mb": ("entrypoint",),
    "trust": ("entrypoint",),
    "seeds": ("model_type", "entrypoint"),
    "hyperparameters": ("model_type", "entrypoint"),
}
"""Parameters that mean nothing for other sources."""


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
        if self.artifact is not None:
            yield scope.path(self.artifact)
        if self.entrypoint is not None:
            yield from own_code.files(scope.folder)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset, where the model comes from, and every hyperparameter by name and type."""
        yield from check_dataset(scope, self.data, "data")
        if len(self._sources()) != 1:
            yield self._ambiguous(scope)
            return
        mistakes = [*self._misplaced(scope), *self._unknown_source(scope)]
        yield from mistakes
        if mistakes:
            return
        try:
            given = self._given(scope)
        except FileError as error:
            yield from error.mistakes
            return
        where = str(scope.entry.where("hyperparameters"))
        if isinstance(self.hyperparameters, str):
            where = self.hyperparameters
        if self.model_type is not None:
            yield from models.get(self.model_type).check(given, where)

    def demands(self, scope: Scope) -> Iterable[str]:
        """What is fitted, with which seed, by whose code and within which limits."""
        yield from self._how(scope)
        fails = scope.pipeline.leakage.target == "fail"
        yield (
            "a feature that alone gives the target away"
            f" {'fails' if fails else 'is told, and fails nothing (`leakage: {target: warn}`)'}"
        )

    def key(self, context: Context) -> str:
        """Digest of rows, parameters, seed, code and the libraries that fit."""
        table = context.table(self.data)
        roles = roles_of(context.scope.pipeline, table)
        parts = [
            "train",
            FORMAT,
            self._libraries(),
            self.source(context.scope),
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
        training = self.training(context.scope, table, roles)
        told = _given_away(training, table.dataset.name, roles.target)
        if told and context.scope.pipeline.leakage.target == "fail":
            return Outcome(
                verdict=Verdict.FAIL,
                reason="; ".join(finding.what for finding in told),
                findings=told,
            )
        code = versioned.revision(context.scope.folder)
        facts = self._facts(context.scope, table, roles, training) | {"code": code}
        first, others = self._fitted(context, training, table.rows)
        kept = {"fitted": first.native(), "training": canonical(facts).encode()}
        exports = {seed: _export(each) for seed, each in others.items()}
        kept |= {f"seed-{seed}.{one.form}": one.content for seed, one in exports.items() if one}
        return Outcome(
            verdict=Verdict.PASS,
            reason=self._reason(first, table.rows, len(roles.features)),
            findings=(
                *told,
                *(first.findings if isinstance(first, Telling) else ()),
                *_chance(first, exports),
                *_uncommitted(versioned.uncommitted(code)),
            ),
            facts={"trained_on": self.data},
            blobs={name: context.blobs.put(content) for name, content in kept.items()},
        )

    def trainer(self, scope: Scope) -> Trainer:
        """What makes the model."""
        if self.model_type is not None:
            return models.get(self.model_type)
        if self.artifact is not None:
            from seatrial.models._entry.artifact import Artifact  # noqa: PLC0415 - brings in onnx

            return Artifact(scope.path(self.artifact), self.artifact)
        from seatrial.models._entry.trainer import EntryPoint  # noqa: PLC0415 - onnxruntime

        return EntryPoint(
            str(self.entrypoint),
            scope.folder,
            self.timeout_s,
            self.memory_mb,
            trusts_pickle=self.trust == "pickle",
        )

    def training(self, scope: Scope, table: Table, roles: Roles) -> Training:
        """What is fitted on, with the first of the seeds."""
        return Training(
            features=features(table, roles),
            target=labels(table, roles),
            problem=roles.problem,
            classes=roles.classes,
            hyperparameters=self._given(scope),
            seed=scope.pipeline.seed,
        )

    def source(self, scope: Scope) -> str | dict[str, str]:
        """Where the model comes from, with the digest of what the project brings."""
        if self.model_type is not None:
            return self.model_type
        if self.entrypoint is not None:
            return {"entrypoint": self.entrypoint, "code": own_code.digest(scope.folder)}
        from seatrial.models._entry.artifact import Artifact  # noqa: PLC0415 - brings in onnx

        file = Artifact(scope.path(str(self.artifact)), str(self.artifact))
        return {"artifact": file.shown, "digest": file.digest()}

    def _sources(self) -> list[str]:
        return [name for name in SOURCES if getattr(self, name) is not None]

    def _ambiguous(self, scope: Scope) -> Mistake:
        """None or several of the sources are said."""
        said = self._sources()
        known = ", ".join(extend.names("models"))
        if said:
            what = f"train takes one of {_listed(SOURCES)}, and is given {_listed(said)}"
            return scope.mistake(what, said[1], fix="remove all but one of them")
        return scope.mistake(
            f"train needs one of {_listed(SOURCES)}",
            "data",
            fix=f"add `model_type: …` ({known}), `entrypoint: module:function` or"
            " `artifact: model.onnx`",
        )

    def _misplaced(self, scope: Scope) -> Iterator[Mistake]:
        """Parameters that mean nothing for this source."""
        (source,) = self._sources()
        reasons = {
            "model_type": "a model type is fitted by seatrial itself",
            "artifact": "a finished file is taken as it is",
        }
        for name, sources in _ONLY_FOR.items():
            if name in scope.entry.parameters and source not in sources:
                what = f"`{name}` means nothing beside `{source}`: {reasons[source]}"
                yield scope.mistake(what, name, fix=f"remove `{name}`")

    def _unknown_source(self, scope: Scope) -> Iterator[Mistake]:
        known = extend.names("models")
        if self.model_type is None:
            (source,) = self._sources()
            yield from self.trainer(scope).check({}, str(scope.entry.where(source)))
        elif self.model_type not in known:
            yield scope.mistake(
                f"unknown model_type {self.model_type!r}",
                "model_type",
                nearest=nearest(self.model_type, known),
                fix=f"one of: {', '.join(known)}",
            )

    def _how(self, scope: Scope) -> Iterator[str]:
        """Where the model comes from, for the plan."""
        seeds = self._seeds(scope)
        if self.model_type is not None:
            yield f"fits {self.model_type} on {self.data} with seed {seeds[0]}"
        elif self.artifact is not None:
            yield f"takes {self.artifact} as it is; {self.data} says what it reads and answers"
        else:
            memory = "no limit of memory" if self.memory_mb is None else f"{self.memory_mb} MB"
            yield (
                f"runs {self.entrypoint} on {self.data} with seed {seeds[0]}, in a process of its"
                f" own: at most {self.timeout_s:g} s, {memory}"
            )
            yield (
                "what has no exact form in ONNX is kept pickled (`trust: pickle`): opening that"
                " runs code"
                if self.trust
                else "nothing is pickled: what has no exact form in ONNX becomes no version"
            )
        if len(seeds) > 1:
            yield (
                f"trains {len(seeds)} times, with the seeds {_listed(seeds)}: the first is the"
                f" version, the others show what chance alone changes ({len(seeds)} times the cost)"
            )

    def _seeds(self, scope: Scope) -> list[int]:
        return [scope.pipeline.seed + number for number in range(self.seeds)]

    def _libraries(self) -> dict[str, str]:
        """Versions of the packages that decide what a training gives."""
        if self.artifact is not None:
            named: tuple[str, ...] = ("onnx", "onnxruntime")
        else:
            trainer: object = models.get(self.model_type) if self.model_type else None
            if not isinstance(trainer, Depending):
                return dependencies()  # what the code of a project uses, only it knows
            named = trainer.libraries
        return {name: installed(name) for name in ("seatrial", "numpy", *named)}

    def _fitted(
        self, context: Context, training: Training, rows: int
    ) -> tuple[Fitted, dict[int, Fitted]]:
        """The model of the first seed, and those of the others by their seed."""
        trainer = self.trainer(context.scope)
        found: dict[int, Fitted] = {}
        for seed in self._seeds(context.scope):
            with_seed = f" with seed {seed}" if self.seeds > 1 else ""
            context.say(f"{self._doing()} on {rows} rows{with_seed}")
            found[seed] = trainer.fit(replace(training, seed=seed))
        return found.pop(training.seed), found

    def _doing(self) -> str:
        if self.model_type is not None:
            return f"fitting {self.model_type}"
        return f"running {self.entrypoint}" if self.entrypoint else f"reading {self.artifact}"

    def _reason(self, fitted: Fitted, rows: int, count: int) -> str:
        on = f"on {rows} rows, {count} features"
        if self.model_type is not None:
            said = f"{self.model_type} fitted {on}"
        elif self.entrypoint is not None:
            said = f"{self.entrypoint} made {getattr(fitted, 'made', 'a model')} {on}"
        else:
            said = f"{self.artifact} reads and answers as {self.data} has it ({count} features)"
        return said if self.seeds == 1 else f"{said}, with {self.seeds} seeds"

    def _facts(
        self, scope: Scope, table: Table, roles: Roles, training: Training
    ) -> dict[str, object]:
        """All that it takes to train again, and to see why another training differs."""
        return {
            "source": self.source(scope),
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


@dataclass(frozen=True, slots=True)
class _Export:
    """A model in the form in which it is served."""

    form: str
    content: bytes


def _export(fitted: Fitted) -> _Export | None:
    """None when it has no form; that is told when the first one is registered."""
    if isinstance(fitted, Witnessed) and fitted.pickled is not None:
        return _Export("pickle", fitted.pickled)
    try:
        return _Export("onnx", fitted.to_onnx())
    except models.NotExportable:
        return None


def _chance(first: Fitted, others: Mapping[int, _Export | None]) -> tuple[Finding, ...]:
    """That the seeds make no difference, where they are all the same model."""
    if not others or {_export(first)} != {*others.values()}:
        return ()
    return (
        Finding(
            what=f"the seed changes nothing: {1 + len(others)} seeds gave the same model",
            where="seeds",
            hint="`seeds: 1` costs less and tells as much",
        ),
    )


def _uncommitted(said: str) -> tuple[Finding, ...]:
    """That the revision does not say which code it was."""
    hint = "commit it, so that the version can be trained again from its revision"
    return (Finding(what=said, where="git", hint=hint),) if said else ()


def _listed(values: Iterable[object]) -> str:
    """Values in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = map(str, values)
    return f"{', '.join(most)} and {last}" if most else last


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
