"""Trainings that differ by their seed alone: the first is the version, the others show chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.models import NotExportable, Witnessed
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from seatrial.models import Fitted, Trainer, Training


@dataclass(frozen=True, slots=True)
class Trained:
    """The model of the first seed, and the others by their seed as far as they can be served."""

    first: Fitted
    others: Mapping[int, Served | None]

    @property
    def files(self) -> dict[str, bytes]:
        """The other seeds' models, by the names that they have among a version's files."""
        return {f"seed-{s}.{one.form}": one.content for s, one in self.others.items() if one}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """That the seeds make no difference, where they all gave the same model."""
        if not self.others or {_served(self.first)} != {*self.others.values()}:
            return ()
        return (
            Finding(
                what=f"the seed changes nothing: {1 + len(self.others)} seeds gave the same model",
                where="seeds",
                hint="`seeds: 1` costs less and tells as much",
            ),
        )


@dataclass(frozen=True, slots=True)
class Served:
    """A model in the form in which it is served, which is the ending of its file's name."""

    form: str
    content: bytes


def trained(
    trainer: Trainer, training: Training, seeds: Sequence[int], say: Callable[[str], None]
) -> Trained:
    """Train once with every seed, in that order; ``say`` is told which one comes."""
    fits = _fits(trainer, training, seeds, say)
    first = next(fits)
    return Trained(first, {seed: _served(next(fits)) for seed in seeds[1:]})


def planned(seeds: Sequence[int]) -> Iterator[str]:
    """What several seeds cost and tell, for the plan."""
    if len(seeds) > 1:
        yield (
            f"trains {len(seeds)} times, with the seeds {seeds[0]} to {seeds[-1]}: the first is"
            f" the version, the others show what chance alone changes ({len(seeds)} times the cost)"
        )


def _fits(
    trainer: Trainer, training: Training, seeds: Sequence[int], say: Callable[[str], None]
) -> Iterator[Fitted]:
    for seed in seeds:
        say(f" with seed {seed}" if len(seeds) > 1 else "")
        yield trainer.fit(replace(training, seed=seed))


def _served(fitted: Fitted) -> Served | None:
    """None when it has no form; that is told when the first one is registered."""
    if isinstance(fitted, Witnessed) and fitted.pickled is not None:
        return Served("pickle", fitted.pickled)
    try:
        return Served("onnx", fitted.to_onnx())
    except NotExportable:
        return None
