"""How often does a watch roll back, and after how many labels: our rule beside the usual ones.

Simulated labels of two versions on the same requests; every rule looks after every ten labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence.operating import first_rollback, row, simulated
from seatrial.evidence.watching import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from seatrial.evidence.operating import Row

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LOOK = 10
"""Labels between two looks."""
DISCORDANCE = 0.08
ERROR = 0.10
"""The error of the version before, which a frozen baseline takes for granted."""
MARGIN = 0.05
FEWEST = 100
HOURS = 48
Z = 1.645
AT_ONCE = 250
"""Watches that are held in memory together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What truly happens in a watch: the new version is worse from an hour on, or both are."""

    degradation: float
    onset_hour: int = 0
    both: float = 0.0
    """Error that both versions have more of from the onset on."""
    labels: int = 20_000

    @property
    def told(self) -> str:
        """In words."""
        worse = f"{self.degradation:g} worse"
        if self.both:
            worse = f"both {self.both:g} worse"
        late = f" from hour {self.onset_hour}" if self.onset_hour else ""
        few = f", {self.labels} labels" if self.labels != Scenario(degradation=0).labels else ""
        return worse + late + few


@dataclass(frozen=True, slots=True)
class Labels:
    """[watches, looks]: what came between looks; the rules see nothing else."""

    better: Ints
    worse: Ints
    errors: Ints
    """Errors of the new version, alone or together with the old one."""


def study(scenario: Scenario, watches: int, *, seed: int) -> dict[str, Row]:
    """What each rule does in so many watches."""
    looks = scenario.labels // LOOK
    ends = np.arange(1, looks + 1) * LOOK
    hours = (np.arange(looks) * HOURS) // looks
    rng = np.random.default_rng(seed)
    found: dict[str, list[Ints]] = {}
    for begin in range(0, watches, AT_ONCE):
        steps, labels = _drawn(rng, scenario, min(AT_ONCE, watches - begin), hours)
        for name, rule in OURS.items():
            found.setdefault(name, []).append(first_rollback(steps, hours, rule))
        for name, alarms in USUAL.items():
            found.setdefault(name, []).append(_first(alarms(labels)))
    # where nothing can be caught every rollback is false, also before both decay
    onset = scenario.onset_hour * scenario.labels // HOURS if scenario.degradation else 0
    return {
        name: row(scenario.degradation, np.concatenate(each), ends, onset=onset)
        for name, each in found.items()
    }


def _drawn(
    rng: np.random.Generator, scenario: Scenario, watches: int, hours: Ints
) -> tuple[Ints, Labels]:
    late = hours >= scenario.onset_hour
    sizes = np.full(len(hours), LOOK)
    steps = simulated(rng, watches, sizes, np.where(late, scenario.degradation, 0.0), DISCORDANCE)
    # the old version's errors are its own (where the new one is better) or both's
    own = np.where(late, max((DISCORDANCE - scenario.degradation) / 2, DISCORDANCE / 8), 0.04)
    shared = ERROR - own + np.where(late, scenario.both, 0.0)
    alike = 1 - np.where(late, scenario.degradation, 0.0) - 2 * own
    errors = steps[..., 2] + rng.binomial(steps[..., 1], shared / alike)
    return steps, Labels(better=steps[..., 0], worse=steps[..., 2], errors=errors)


def _rolling(rows: Ints, window: int, limit: float) -> NDArray[np.bool_]:
    """Whether the mean of the last ``window`` labels lies above the limit."""
    width = window // LOOK
    summed = np.cumsum(rows, axis=1)
    summed[:, width:] -= summed[:, :-width].copy()
    alarms: NDArray[np.bool_] = summed > limit * window
    alarms[:, : width - 1] = False
    return alarms


def _peeking(labels: Labels) -> NDArray[np.bool_]:
    """The one-sided z test of "worse than before" at 5 %, asked again at every look."""
    n = np.arange(1, labels.worse.shape[1] + 1) * LOOK
    worse, better = np.cumsum(labels.worse, axis=1), np.cumsum(labels.better, axis=1)
    mean = (worse - better) / n
    error = np.sqrt(np.maximum((worse + better) / n - mean**2, 0) / n)
    alarms: NDArray[np.bool_] = (mean > Z * error) & (n >= FEWEST)
    return alarms


def _first(alarms: NDArray[np.bool_]) -> Ints:
    """[watches]: the first look with an alarm, or the number of looks."""
    first: Ints = np.where(alarms.any(axis=1), alarms.argmax(axis=1), alarms.shape[1])
    return first


OURS = {mode: Rule(margin=MARGIN, mode=mode) for mode in ("balanced", "eager", "strict")}
USUAL: dict[str, Callable[[Labels], NDArray[np.bool_]]] = {
    "rolling 200 against a frozen baseline": lambda x: _rolling(x.errors, 200, ERROR + MARGIN),
    "rolling 500 against a frozen baseline": lambda x: _rolling(x.errors, 500, ERROR + MARGIN),
    "rolling 500 paired": lambda x: _rolling(x.worse - x.better, 500, MARGIN),
    "z test at every look": _peeking,
}
