"""Does a bundled version answer on this machine as it must? Its golden rows say it.

The model is opened and asked in a child process, so that it may crash, hang or eat the memory
without harm: whoever asks loads neither numpy nor onnxruntime.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.environment.bundles import bundled
from seatrial.environment.compare import compare
from seatrial.environment.difference import settled
from seatrial.environment.document import upgraded
from seatrial.environment.needs import Needs
from seatrial.environment.policy import Policy
from seatrial.environment.proof.asked import Question, ask
from seatrial.errors import Mistake, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.environment.bundles.bundled import Bundled
    from seatrial.environment.difference import Difference
    from seatrial.environment.proof.asked import Asked

FORMAT = "seatrial.proof/1"
TIMEOUT_S = 300.0
"""How long the child may take in all: a pickled model loads its libraries first."""

NO = 1
"""The exit code of an answer; that of none is StoreError's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What was found out about a version, whose manifest has the ``digest``, on this machine.

    ``proof`` is how each form of the model answered, by the name of its file; None when it could
    not be asked, and ``trouble`` says why. ``found_out``: whether that trouble is itself an answer
    (the model cannot be opened here), or kept us from one (it took too long). ``differences``
    stand at the level that counts, the gravest first. ``environment`` is the capture of the
    machine, empty when there is none. ``plain``: asked by onnxruntime's own settings.
    """

    model: str
    version: int
    digest: str
    plain: bool
    proof: Mapping[str, Mapping[str, Any]] | None
    trouble: str
    found_out: bool
    differences: tuple[Difference, ...]
    environment: Mapping[str, Any]
    seconds: float

    @property
    def answers(self) -> bool:
        """Whether the golden rows were answered as they must be, in every form."""
        return answered(self.proof)

    @property
    def errors(self) -> int:
        """How many differences of the environment forbid to serve."""
        return sum(each.level == "error" for each in self.differences)

    @property
    def ok(self) -> bool:
        """Whether the version may answer on this machine."""
        return self.answers and not self.errors

    @property
    def exit_code(self) -> int:
        """0 yes, 1 no, 5 it could not be found out."""
        if self.ok:
            return 0
        known = self.proof is not None or self.found_out or self.errors
        return NO if known else StoreError.exit_code

    @property
    def rows(self) -> int:
        """How many golden rows were asked."""
        return max((int(each["rows"]) for each in (self.proof or {}).values()), default=0)

    @property
    def largest_difference(self) -> float | None:
        """By how much an answer differs at most, in the units of a parity; None: not asked."""
        each = [float(form["largest_difference"]) for form in (self.proof or {}).values()]
        return max(each, default=None)

    @property
    def said(self) -> str:
        """One sentence."""
        whose = f"{self.model} version {self.version}"
        if self.ok:
            return (
                f"{whose} answers its {self.rows} golden rows here as it must"
                f" (largest difference {self.largest_difference:.2g})"
            )
        if self.trouble and not self.errors:
            unknown = f"it is not known whether {whose} answers here as it must"
            doubt = f"{whose} cannot answer here" if self.found_out else unknown
            return f"{doubt}: {self.trouble.splitlines()[0]}"
        if self.proof is not None and not self.answers:
            return f"{whose} answers its golden rows otherwise here"
        forbid = "one difference of the environment forbids it"
        if self.errors > 1:
            forbid = f"{self.errors} differences of the environment forbid it"
        return f"{whose} must not answer here: {forbid}"

    def to_json(self) -> dict[str, Any]:
        """One document; it holds the capture, so it says of this machine what ``compare`` needs."""
        return {
            "format": FORMAT,
            "ok": self.ok,
            "said": self.said,
            "model": self.model,
            "version": self.version,
            "digest": self.digest,
            "plain": self.plain,
            "proof": self.proof,
            "trouble": self.trouble,
            "found_out": self.found_out,
            "differences": [each.to_json() for each in self.differences],
            "environment": self.environment,
            "seconds": round(self.seconds, 3),
        }


def prove(
    place: Path,
    *,
    digest: str | None = None,
    plain: bool = False,
    rows_at_once: int | None = None,
    timeout_s: float = TIMEOUT_S,
    trust_pickle: bool = False,
) -> Proven:
    """Prove the bundle in a folder or an archive on this machine.

    ``digest`` is the version that it must be. ``plain`` asks as a program would that sets none of
    onnxruntime's options. ``rows_at_once`` takes the place of how many rows are asked together.
    ``trust_pickle`` allows to run the code of a pickled model.

    What the model and the machine are at fault for is in the value. FileError when there is no
    bundle, StoreError when it is damaged, UsageError when it is pickled and not trusted.
    """
    began_s = time.monotonic()
    with bundled.opened(place, digest=digest) as bundle:
        _demand_trust(bundle, trust=trust_pickle)
        needs, policy = Needs.of_manifest(bundle.manifest), Policy.of_manifest(bundle.manifest)
        asked = ask(
            Question(
                folder=str(bundle.folder.absolute()),
                digest=bundle.listing.digest,
                packages=needs.packages,
                plain=plain,
                rows_at_once=rows_at_once,
            ),
            timeout_s,
        )
    found = _differences(bundle, asked, needs, policy)
    return Proven(
        model=bundle.listing.model,
        version=bundle.listing.version,
        digest=bundle.listing.digest,
        plain=plain,
        proof=asked.proof,
        trouble=asked.trouble,
        found_out=asked.found_out,
        differences=settled(found, proven=answered(asked.proof)),
        environment=asked.environment,
        seconds=time.monotonic() - began_s,
    )


def answered(proof: Mapping[str, Mapping[str, Any]] | None) -> bool:
    """Whether the golden rows were answered as they must be, in every form of the model.

    >>> answered({"model.onnx": {"ok": True}, "matrix.onnx": {"ok": False}}), answered(None)
    (False, False)
    """
    return bool(proof) and all(each["ok"] for each in (proof or {}).values())


def _differences(
    bundle: Bundled, asked: Asked, needs: Needs, policy: Policy
) -> tuple[Difference, ...]:
    """Between where the version was trained and this machine, as far as both are known."""
    trained = bundle.manifest.get("environment")
    if not asked.environment or not isinstance(trained, dict):
        return ()
    return compare(upgraded(trained), asked.environment, needs, policy)


def _demand_trust(bundle: Bundled, *, trust: bool) -> None:
    if bundle.pickled and not trust:
        what = f"{bundle} is a pickled model: to open it runs the code that it holds"
        fix = "say --trust-pickle, if you trust whoever made this bundle"
        raise UsageError(Mistake(what, where=str(bundle.folder), fix=fix))
