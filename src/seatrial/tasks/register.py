"""Turn the fitted model into a version: ONNX, proven equal to what was trained."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial import metrics, models
from seatrial.data.profiles.as_read import profiled
from seatrial.data.profiles.profile import encode
from seatrial.data.roles import features, labels
from seatrial.errors import FormError
from seatrial.inference import golden
from seatrial.inference.matrix import Matrix
from seatrial.inference.parity import parity
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.ledger.store import canonical
from seatrial.metrics import Predictions
from seatrial.models._matrix import with_matrix_input
from seatrial.outcome import Finding, Measure, Outcome, Verdict
from seatrial.registry.drifts import PROFILE
from seatrial.tasks import Context, Input, Scope, Task, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from seatrial.data.roles import Roles
    from seatrial.errors import Mistake
    from seatrial.inference.session import Answer

MATRIX = "matrix.onnx"
FORMAT = 3
"""Counts up when a version gets other files from the same model: older ones are not re-used."""

PARITY_ROWS = 10_000
UNHEARD_OF = "\N{REPLACEMENT CHARACTER} never seen"


class Register(Task, frozen=True, kw_only=True):
    """Parameters of ``register``: the version's label, and the file of training metrics."""

    artifact: str = "{version}"
    metrics: str = "training_metrics.json"

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """A model was trained before; the label has no unknown words in braces."""
        if not any(type(task).__name__ == "Train" for _, task in scope.earlier()):
            yield scope.mistake(
                "register has no model: no earlier task trains one",
                "artifact",
                fix="put `- train: …` before it",
            )
        for word in re.findall(r"{([^}]*)}", self.artifact):
            if word != "version":
                yield scope.mistake(
                    f"the label has an unknown word {{{word}}}",
                    "artifact",
                    nearest="{version}",
                    fix="only {version} is known",
                )

    def demands(self, scope: Scope) -> Iterable[str]:
        """Parity."""
        del scope
        yield (
            f"ONNX equals the trained model on up to {PARITY_ROWS} rows, missing values and"
            " unknown categories among them: differences at most 1e-5, no label flips"
        )

    def key(self, context: Context) -> str:
        """Digest of the fitted model, the parameters, and the libraries that export."""
        libraries = {n: installed(n) for n in ("seatrial", "onnx", "onnxruntime")}
        parts = ["register", FORMAT, context.run.model, libraries, _blobs(context), self.artifact]
        return hashlib.sha256(canonical([*parts, self.metrics]).encode()).hexdigest()

    def renew(self, context: Context, outcome: Outcome) -> Outcome | None:
        """The same version again, staged again, while all its files are kept."""
        if not all(map(context.blobs.has, outcome.blobs.values())):
            return None
        number = int(str(outcome.facts["version"]))
        known = context.registry.version(context.run.model, number)
        manifest = context.registry.manifest(known)
        context.registry.register(
            known.model, manifest, label=known.label, run=context.run.id, by=f"run {context.run.id}"
        )
        return outcome

    def run(self, context: Context) -> Outcome:
        """Export, compare, keep, number."""
        training = json.loads(context.blobs.get(_blobs(context)["training"]))
        table = context.table(str(context.fact("trained_on")))
        if table.fingerprint != training["fingerprint"]:
            return Outcome(
                verdict=Verdict.INCONCLUSIVE,
                reason=f"{table.dataset.name} changed since it was trained on; run again",
            )
        roles = roles_of(context.scope.pipeline, table)
        _demand_readable(context, roles)
        rows, truth = features(table, roles), labels(table, roles)
        signature = Signature.of(rows, roles.problem, roles.classes)
        fitted = models.get(training["model_type"]).restore(
            context.blobs.get(_blobs(context)["fitted"]), signature
        )
        try:
            exported = fitted.to_onnx()
        except models.NotExportable as error:
            return Outcome(verdict=Verdict.FAIL, reason=f"cannot be exported to ONNX: {error}")
        model = Model.load(exported, signature)
        probe = _probe(rows, training["seed"])
        proof = parity(fitted.predict(probe), model.predict(probe))
        measures = (
            Measure(
                name="parity.largest_difference",
                value=proof.largest_difference,
                limit=1e-5,
                direction="at_most",  # type: ignore[arg-type]
                n=proof.rows,
                verdict=Verdict.PASS if proof.ok else Verdict.FAIL,
            ),
        )
        if not proof.ok:
            return Outcome(
                verdict=Verdict.FAIL,
                reason=f"ONNX differs from the trained model on {proof.outside} of {proof.rows}"
                f" rows ({proof.label_flips} labels flipped); no version was made",
                measures=measures,
                findings=(
                    Finding(
                        what=f"largest difference {proof.largest_difference:.3g}, allowed 1e-5",
                        where=f"model type {training['model_type']}",
                        hint="report it with the pipeline file: an export must be exact",
                    ),
                ),
            )
        put = context.blobs.put
        scores = _scores(truth, model.predict(rows), signature)
        files = {
            "model.onnx": put(exported),
            "native": _blobs(context)["fitted"],
            "golden.json": put(golden.make(model, rows, training["seed"])),
            self.metrics: put(json.dumps(scores, indent=2, sort_keys=True).encode()),
        }
        profile = profiled(rows, table.dataset.name, table.fingerprint)
        files[PROFILE] = put(encode(profile))
        joined, findings = _joined(exported, model, probe)
        if joined is not None:
            files[MATRIX] = put(joined)
        manifest = {
            "format": "seatrial.version/1",
            "model": context.run.model,
            "files": files,
            "signature": signature.to_json(),
            "training": {k: v for k, v in training.items() if k != "environment"},
            "environment": training["environment"],
            "parity": {"rows": proof.rows, "largest_difference": proof.largest_difference},
            "metrics": scores,
        }
        version = context.registry.register(
            context.run.model,
            manifest,
            label=self.artifact,
            run=context.run.id,
            by=f"run {context.run.id}",
        )
        return Outcome(
            verdict=Verdict.PASS,
            reason=f"{version} ({version.label}); ONNX equals the trained model on {proof.rows}"
            f" rows (largest difference {proof.largest_difference:.1e})",
            measures=measures,
            findings=findings,
            facts={"version": version.version, "digest": version.digest},
            blobs={**files, "manifest": version.digest},
        )


def _blobs(context: Context) -> Mapping[str, str]:
    """What the newest training kept."""
    return next(o.blobs for o in reversed([*context.outcomes.values()]) if "fitted" in o.blobs)


def _joined(
    exported: bytes, model: Model, probe: Mapping[str, NDArray[Any]]
) -> tuple[bytes | None, tuple[Finding, ...]]:
    """The model with one matrix as its input, for faster serving; None when it has no such form.

    It is a second door to a version that stands without it. So one that answers otherwise is
    left out and told, and fails nothing.
    """
    joined = with_matrix_input(exported, model.signature)
    if joined is None:
        return None, ()
    try:
        proof = parity(model.predict(probe), Matrix.load(joined, model.signature).predict(probe))
        what = "" if proof.ok else f"it differs on {proof.outside} of {proof.rows} rows"
    except FormError as error:
        what = " ".join(str(error).split())
    if not what:
        return joined, ()
    return None, (
        Finding(
            what=f"the same model with one matrix as its input is left out: {what}",
            where=MATRIX,
            hint="requests are answered by the model that takes columns, somewhat slower",
        ),
    )


def _demand_readable(context: Context, roles: Roles) -> None:
    """Rows that will judge have the features: no version is made that cannot be judged."""
    for task in context.scope.tasks.values():
        for read in task.inputs(context.scope):
            if isinstance(read, Input) and read.labelled:
                features(context.table(read.dataset), roles.features)


def _probe(rows: Mapping[str, NDArray[Any]], seed: int) -> dict[str, NDArray[Any]]:
    """Up to 10 000 training rows; in a tenth of each column's rows the value is unheard of.

    Numbers go missing, categories become one that was never seen: what a live request may bring.
    """
    total = len(next(iter(rows.values())))
    random = np.random.default_rng(seed)
    chosen = random.choice(total, min(total, PARITY_ROWS), replace=False)
    probe: dict[str, NDArray[Any]] = {}
    for name, values in rows.items():
        column = values[chosen].copy()
        spoiled = random.random(len(column)) < 0.1  # noqa: PLR2004
        column[spoiled] = (
            "\N{REPLACEMENT CHARACTER} never seen" if column.dtype == object else np.nan
        )
        probe[name] = column
    return probe


def _scores(truth: NDArray[Any], answer: Answer, signature: Signature) -> dict[str, float]:
    """Every metric of the problem, on the rows that the model was trained on."""
    answers = Predictions(answer.label, answer.probabilities, signature.classes)
    return metrics.scores(truth, answers, signature.problem)
