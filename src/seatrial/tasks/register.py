"""Turn the fitted model into a version, proven to answer as what was trained."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from seatrial import metrics, models
from seatrial.data.profiles.as_read import profiled
from seatrial.data.profiles.profile import encode
from seatrial.data.roles import features, labels
from seatrial.inference.opening import PICKLE, TRUST
from seatrial.inference.parity import TOLERANCE, parity
from seatrial.inference.session import Model
from seatrial.inference.signature import Input as Column
from seatrial.inference.signature import Signature
from seatrial.ledger.store import canonical
from seatrial.metrics import Predictions
from seatrial.models import Witness, Witnessed
from seatrial.models._entry.finished import GIVEN
from seatrial.models._probe import ROWS as PARITY_ROWS
from seatrial.models._probe import probe
from seatrial.outcome import Direction, Finding, Measure, Outcome, Verdict
from seatrial.registry.drifts import PROFILE
from seatrial.tasks import Context, Input, Scope, Task, roles_of
from seatrial.tasks._as_served import MATRIX, as_served, restored, with_one_matrix
from seatrial.tasks._demanded import demanded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from seatrial.data.roles import Roles
    from seatrial.data.table import Table
    from seatrial.errors import Mistake
    from seatrial.inference.answer import Answer
    from seatrial.inference.parity import Parity
    from seatrial.models import Fitted
    from seatrial.tasks._as_served import Opened

FORMAT = 6
"""Counts up when a version gets other files from the same model: older ones are not re-used."""

TRAINED = "the trained model"
WAYS_OUT = "let the object have a method `to_onnx()` that returns bytes, or say `trust: pickle`"


class Register(Task, frozen=True, kw_only=True):
    """Parameters of ``register``: the version's label, the file of training metrics, the proof.

    ``golden_rows`` are kept to prove the model on other machines; ``golden_tolerance`` stands for
    what is calibrated otherwise.
    """

    artifact: str = "{version}"
    metrics: str = "training_metrics.json"
    golden_rows: Annotated[int, msgspec.Meta(ge=64, le=512)] | None = None
    golden_tolerance: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """A model was trained before; the label has no unknown words in braces."""
        if not scope.follows("train"):
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
        proof = [self.golden_rows, self.golden_tolerance, _policy(context)]
        return hashlib.sha256(canonical([*parts, self.metrics, proof]).encode()).hexdigest()

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
        kept = _blobs(context)["fitted"]
        fitted = restored(training["source"], context.blobs.get(kept), _signature(roles))
        try:
            opened = as_served(fitted)
        except models.NotExportable as error:
            return _no_form(fitted, error)
        with contextlib.closing(opened):
            return self._registered(context, training, table, fitted, opened)

    def _registered(
        self,
        context: Context,
        training: Mapping[str, Any],
        table: Table,
        fitted: Fitted,
        opened: Opened,
    ) -> Outcome:
        """Compare, keep, number."""
        roles = roles_of(context.scope.pipeline, table)
        rows, model = features(table, roles), opened.model
        spoiled = probe(rows, training["seed"])
        witness = _witness(fitted, spoiled)
        proof = None if witness is None else parity(witness.answer, model.predict(witness.rows))
        if witness is not None and proof is not None and not proof.ok:
            return _differs(opened, witness, proof)
        scores = _scores(labels(table, roles), model.predict(rows), model.signature)
        profile = profiled(rows, table.dataset.name, table.fingerprint)
        contents = {
            opened.name: opened.content,
            self.metrics: json.dumps(scores, indent=2, sort_keys=True).encode(),
            PROFILE: encode(profile),
        }
        findings: tuple[Finding, ...] = ()
        if isinstance(model, Model):
            asked = spoiled if witness is None else witness.rows
            joined, findings = with_one_matrix(opened.content, model, asked)
            contents |= {} if joined is None else {MATRIX: joined}
        proven = demanded(
            opened,
            contents.get(MATRIX),
            rows,
            training["seed"],
            golden_rows=self.golden_rows,
            tolerance=self.golden_tolerance,
        )
        contents["golden.json"] = proven.golden
        made = _blobs(context)
        files = {
            "native": made["fitted"],
            **{name: context.blobs.put(content) for name, content in contents.items()},
            **{name: digest for name, digest in made.items() if name.startswith("seed-")},
        }
        manifest = {
            "format": "seatrial.version/1",
            "model": context.run.model,
            "files": files,
            "signature": model.signature.to_json(),
            "training": {k: v for k, v in training.items() if k != "environment"},
            "environment": training["environment"],
            "environment_policy": _policy(context),
            **proven.manifest,
            "parity": {
                "rows": proof.rows if proof else 0,
                "largest_difference": proof.largest_difference if proof else None,
            },
            "metrics": scores,
            **({"trust": TRUST} if opened.name == PICKLE else {}),
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
            reason=f"{version} ({version.label}); {_equals(opened, witness, proof)}",
            measures=() if proof is None else (_measure(proof),),
            findings=(*findings, *proven.findings),
            facts={"version": version.version, "digest": version.digest},
            blobs={**files, "manifest": version.digest},
        )


def _signature(roles: Roles) -> Signature:
    inputs = tuple(
        Column(each.name, "BYTES" if each.kind == "string" else "FP32") for each in roles.features
    )
    return Signature(inputs, roles.problem, roles.classes)


def _witness(fitted: Fitted, spoiled: Mapping[str, NDArray[Any]]) -> Witness | None:
    """What the trained model answers: now, or when it was at hand. None: there is no original."""
    if isinstance(fitted, Witnessed):
        return fitted.witness
    return Witness(spoiled, fitted.predict(spoiled), TRAINED)


def _measure(proof: Parity) -> Measure:
    return Measure(
        name="parity.largest_difference",
        value=proof.largest_difference,
        limit=TOLERANCE,
        direction=Direction.AT_MOST,
        n=proof.rows,
        verdict=Verdict.PASS if proof.ok else Verdict.FAIL,
    )


def _equals(opened: Opened, witness: Witness | None, proof: Parity | None) -> str:
    if witness is None or proof is None:
        return "nothing but the file itself says what it must answer, so there is no parity"
    return (
        f"{opened.said} equals {witness.by} on {proof.rows} rows"
        f" (largest difference {proof.largest_difference:.1e})"
    )


def _no_form(fitted: Fitted, error: models.NotExportable) -> Outcome:
    """A model that can be kept in no form; whoever brought it has two ways out."""
    why = error.mistakes[0].what
    ways_out = f"; {WAYS_OUT}" if isinstance(fitted, Witnessed) else ""
    return Outcome(
        verdict=Verdict.FAIL,
        reason=f"cannot be exported to ONNX: {why}{ways_out}",
        findings=tuple(
            Finding(what=each.what, where=each.where, hint=each.fix) for each in error.mistakes[1:]
        ),
    )


def _differs(opened: Opened, witness: Witness, proof: Parity) -> Outcome:
    """What would be served answers otherwise than what was trained."""
    report = "report it with the pipeline file: an export must be exact"
    return Outcome(
        verdict=Verdict.FAIL,
        reason=f"{opened.said} differs from {witness.by} on {proof.outside} of {proof.rows} rows"
        f" ({proof.label_flips} labels flipped); no version was made",
        measures=(_measure(proof),),
        findings=(
            Finding(
                what=f"largest difference {proof.largest_difference:.3g}, allowed {TOLERANCE:g}",
                where=opened.name,
                hint=report if witness.by in {TRAINED, GIVEN} else WAYS_OUT,
            ),
        ),
    )


def _policy(context: Context) -> dict[str, str]:
    """How grave it is when a machine differs, as the file says."""
    return dict(context.scope.pipeline.environment.policy)


def _blobs(context: Context) -> Mapping[str, str]:
    """What the newest training kept."""
    return next(o.blobs for o in reversed([*context.outcomes.values()]) if "fitted" in o.blobs)


def _demand_readable(context: Context, roles: Roles) -> None:
    """Rows that will judge have the features: no version is made that cannot be judged."""
    for task in context.scope.tasks.values():
        for read in task.inputs(context.scope):
            if isinstance(read, Input) and read.labelled:
                features(context.table(read.dataset), roles.features)


def _scores(truth: NDArray[Any], answer: Answer, signature: Signature) -> dict[str, float]:
    """Every metric of the problem, on the rows that the model was trained on."""
    answers = Predictions(answer.label, answer.probabilities, signature.classes)
    return metrics.scores(truth, answers, signature.problem)
