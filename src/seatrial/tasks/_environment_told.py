"""What is said of machines that serve: the differences that count, the verdict, the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seatrial.environment.compare import compare
from seatrial.environment.difference import Difference, settled
from seatrial.environment.gathered import gathered
from seatrial.outcome import Direction, Finding, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seatrial.environment.demands import Demands
    from seatrial.environment.machines import Machine
    from seatrial.inference.tolerance import Tolerance
    from seatrial.registry.registry import Version

TOLD = 20
"""So many differences of a machine are findings, the rest is counted."""

ROWS = "`seatrial env verify` tells which rows; where the machine differs stands beside it"


@dataclass(frozen=True, slots=True)
class Compared:
    """A machine with its differences at the level that counts.

    ``answers`` says whether it answered the golden rows of ``version`` equally; None when
    nobody knows.
    """

    machine: Machine
    version: Version | None
    differences: tuple[Difference, ...]
    answers: bool | None

    @property
    def errors(self) -> int:
        """What stops it: differences of that level, and answers that are not the same."""
        return self.count("error") + (self.answers is False)

    def count(self, level: str) -> int:
        """How many differences are of a level."""
        return sum(each.level == level for each in self.differences)

    @property
    def findings(self) -> Iterator[Finding]:
        """All but the infos, the gravest first."""
        name, version = self.machine.name, self.version
        if self.answers is False:
            yield Finding(what=_otherwise(self.machine), where=name, hint=ROWS)
        elif self.answers is None and self.machine.digest:
            yield Finding(what=_worthless(self.machine, version), where=name, hint=_prove(version))
        grave = gathered(each for each in self.differences if each.level != "info")
        for each in grave[:TOLD]:
            yield Finding(what=str(replace(each, fix="")), where=name, hint=self._hint(each))
        if len(grave) > TOLD:
            yield Finding(what=f"{len(grave) - TOLD} more differences", where=name)

    def to_json(self) -> dict[str, Any]:
        """For the ledger: the capture as it is, and what it was held to be."""
        return {
            "name": self.machine.name,
            "environment": self.machine.environment,
            "digest": self.machine.digest,
            "proof": self.machine.proof,
            "trouble": self.machine.trouble,
            "differences": [each.to_json() for each in self.differences],
        }

    def _hint(self, difference: Difference) -> str:
        """How to put it right; and how to show that it does not matter, where that is possible."""
        may_settle = self.answers is None and difference.level != difference.proven
        ways = [difference.fix, _prove(self.version) if may_settle else ""]
        return "; or ".join(way for way in ways if way)


def compared(machine: Machine, demanded: Demands, version: Version | None) -> Compared:
    """Hold a machine against what is demanded; a proof of this very version settles levels."""
    found = compare(demanded.environment, machine.environment, demanded.needs, demanded.policy)
    answers = _answers(machine, version)
    return Compared(machine, version, settled(found, proven=answers is True), answers)


def verdict(found: Iterable[Compared]) -> Verdict:
    """A fail when one of them has an error."""
    return Verdict.FAIL if any(each.errors for each in found) else Verdict.PASS


def measures(found: Sequence[Compared], tolerance: Tolerance) -> tuple[Measure, ...]:
    """The number of errors, and how far off the golden rows were answered where that is known."""
    errors = sum(each.errors for each in found)
    counted = Measure(
        name="environment.errors",
        value=errors,
        limit=0,
        direction=Direction.AT_MOST,
        n=len(found),
        verdict=verdict(found),
    )
    return counted, *_farthest(found, tolerance)


def reason(found: Sequence[Compared], expected: str) -> str:
    """The first error, else what fits what, with what was answered and what is left to know."""
    stopped = [each for each in found if each.errors]
    if stopped:
        first, errors = stopped[0], sum(each.errors for each in stopped)
        more = f"; and {errors - 1} more" if errors > 1 else ""
        return f"{first.machine.name} does not fit {expected}: {_first(first)}{more}"
    names = ", ".join(each.machine.name for each in found[:TOLD])
    fits = "fits" if len(found) == 1 else "fit"
    answered = [each for each in found if each.answers and each.machine.proof]
    rows = f"; {_answered(answered[0].machine)}" if answered else ""
    left = [
        f"{count} {level}{'' if count == 1 else 's'}"
        for level, word in (("warning", "warn"), ("info", "info"))
        if (count := sum(each.count(word) for each in found))
    ]
    return f"{names} {fits} {expected}{rows}{'; ' if left else ''}{', '.join(left)}"


def _answers(machine: Machine, version: Version | None) -> bool | None:
    """What it has shown about this very version."""
    same = version is not None and machine.digest == version.digest
    return machine.answers if same else None


def _farthest(found: Iterable[Compared], tolerance: Tolerance) -> Iterator[Measure]:
    known = [each for each in found if each.answers is not None and each.machine.proof]
    if not known:
        return
    worst = max((each.machine.worst for each in known), key=lambda form: form["largest_difference"])
    value = float(worst["largest_difference"])
    yield Measure(
        name="golden.largest_difference",
        value=value if math.isfinite(value) else None,
        limit=tolerance.answers,
        direction=Direction.AT_MOST,
        n=int(worst["rows"]),
        verdict=Verdict.PASS if all(each.answers for each in known) else Verdict.FAIL,
    )


def _first(machine: Compared) -> str:
    if machine.answers is False:
        return _otherwise(machine.machine)
    return str(replace(machine.differences[0], fix=""))


def _answered(machine: Machine) -> str:
    rows, far = machine.worst["rows"], float(machine.worst["largest_difference"])
    return f"the {rows} golden rows are answered equally (largest difference {far:.2g})"


def _otherwise(machine: Machine) -> str:
    if machine.trouble:
        return f"the golden rows cannot be answered: {' '.join(machine.trouble.split())}"
    said = next(str(form["said"]) for form in machine.proof.values() if not form["ok"])
    return f"the golden rows are answered otherwise than when it was registered: {said}"


def _worthless(machine: Machine, version: Version | None) -> str:
    """Why a proof that was brought settles nothing."""
    if version is not None and machine.digest == version.digest:
        return f"its proof came to nothing: {' '.join(machine.trouble.split())}"
    return (
        f"its proof is not of this run's version but of {machine.digest[:19]}…: it does not count"
    )


def _prove(version: Version | None) -> str:
    if version is None:
        return ""
    return (
        f"prove it there: `seatrial bundle {version.model}@{version.version} -o DIR`, copy DIR,"
        " `python -m seatrial.environment verify DIR --json > FILE`, and name FILE under `serving`"
    )
