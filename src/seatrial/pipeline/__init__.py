"""A pipeline file as values: its stages and tasks in order, its settings, and where each stands.

``read`` makes them from text and collects every mistake on the way; nothing in this folder knows
what a task does. The types of parameters are the business of the plan, which adds its own
mistakes at the places kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.errors import Mistake
    from seatrial.pipeline.condition import Condition

DEFAULT_SEED = 20130101
"""The seed of a file that names none: fixed, so that two runs of one file are the same run."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: line and column count from 1; line 0 means "no line" (``--set``).

    >>> str(Place("pipeline.yaml", 12, 9)), str(Place("--set train_model.train.data"))
    ('pipeline.yaml:12:9', '--set train_model.train.data')
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """One task as written: its word, its address STAGE.TASK, its parameters as plain values.

    Parameters hold dict, list, str, int, float, bool and None; ISO dates stay strings.
    ``places`` has the place of every key and list item, by its path below the task.
    """

    word: str
    address: str
    parameters: Mapping[str, object]
    places: Mapping[tuple[str | int, ...], Place]
    place: Place

    def where(self, *path: str | int) -> Place:
        """The place of a parameter; of what holds it when it is not written; else of the task.

        >>> start, line = Place("p.yaml", 9, 9), Place("p.yaml", 11, 11)
        >>> entry = TaskEntry("train", "s.train", {"data": "d"}, {("data",): line}, start)
        >>> str(entry.where("data")), str(entry.where("model_type"))
        ('p.yaml:11:11', 'p.yaml:9:9')
        """
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.place


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its tasks in the order they run, and the condition for starting it, if any."""

    name: str
    condition: Condition | None
    tasks: tuple[TaskEntry, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How the model is served, and what is kept of its traffic: the key ``serving:``.

    ``retain``: where the version that served before is kept, ``memory`` (a rollback loads
    nothing) or ``disk``. ``keep_days`` and ``keep_gb`` bound the traffic log. ``redact`` are the
    columns that are never written into it.
    """

    max_body_mb: float = 16
    retain: str = "memory"
    keep_days: float = 30
    keep_gb: float = 5
    redact: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How production is followed after a promotion: the key ``watch:``.

    A version is compared with the one it replaced for ``hours``; when the labels cannot say by
    then, until ``max_hours`` (default: three and a half times as long). ``metric`` and ``margin``
    are what is watched when it is not the primary metric and the number of the rollback plan.
    Less than ``min_labels`` labelled requests say nothing, and a version whose predictions got
    labels to less than ``min_coverage_percent`` never counts as known good. More than
    ``errors_percent`` of failed requests roll back without statistics. For ``cool_down_hours``
    after a rollback nothing is promoted by itself.
    """

    hours: float = 48
    max_hours: float | None = None
    rule: str = "balanced"
    metric: str | None = None
    margin: float | None = None
    min_labels: int = 100
    min_coverage_percent: float = 20
    errors_percent: float = 1
    cool_down_hours: float = 24

    @property
    def longest_hours(self) -> float:
        """The longest that a watch may last."""
        return 3.5 * self.hours if self.max_hours is None else self.max_hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Who decides what the evidence cannot, and until when: the key ``review:``.

    An item is due after ``hours``; then its safe default counts. With ``four_eyes`` whoever began
    the run cannot approve it.
    """

    hours: float = 24
    four_eyes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """What happens when a model would be judged on what it has seen: the key ``leakage:``.

    ``rows``: evaluation rows that are training rows too, beyond chance. ``time``: evaluation rows
    from before the end of training. ``target``: a feature that gives the target away. Each may
    ``fail`` or ``warn``, ``time`` also ``ignore``. From so many ``uses`` of one evaluation set on
    it is said that it is no longer unseen.
    """

    rows: str = "fail"
    time: str = "fail"
    target: str = "warn"
    uses: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """How grave it is when machines differ: the key ``environment:``.

    ``policy`` are levels (error, warn, info or ignore) by rule; a rule that is not named keeps
    the level of :mod:`seatrial.environment.policy`, which also knows which rules there are.
    """

    policy: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """One channel as written: its word, its place in the list, its parameters."""

    word: str
    position: int
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Whom to tell: the key ``notify:``. Private addresses are refused unless allowed."""

    allow_private: bool = False
    channels: tuple[ChannelEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline file as it was read: what could be understood, and every mistake.

    ``digest`` is that of the file's bytes; ``changes`` (``--set``) are kept beside it, not in it.
    ``settings`` are the optional top-level keys that were written and passed their checks.
    """

    name: str
    file: str
    text: str
    digest: str
    stages: tuple[Stage, ...]
    schedule: str | None
    settings: Mapping[str, object]
    places: Mapping[tuple[str | int, ...], Place]
    mistakes: tuple[Mistake, ...]
    changes: tuple[str, ...] = field(default=())

    @property
    def tasks(self) -> tuple[TaskEntry, ...]:
        """Every task of the file, in order."""
        return tuple(task for stage in self.stages for task in stage.tasks)

    @property
    def model(self) -> str:
        """The model's name: ``model:``, else the pipeline's own name."""
        return cast("str", self.settings.get("model", self.name))

    @property
    def metric(self) -> str | None:
        """The primary metric, a scikit-learn scorer name; None leaves it to the problem."""
        return cast("str | None", self.settings.get("metric"))

    @property
    def problem(self) -> str | None:
        """``classes`` or ``numbers``; None leaves it to the target column."""
        return cast("str | None", self.settings.get("problem"))

    @property
    def datasets(self) -> Mapping[str, Mapping[str, object]]:
        """What ``datasets:`` says of each dataset: path, target, key, time, exclude, engine."""
        return cast("Mapping[str, Mapping[str, object]]", self.settings.get("datasets", {}))

    @property
    def seed(self) -> int:
        """What every draw of a run starts from."""
        return cast("int", self.settings.get("seed", DEFAULT_SEED))

    @property
    def timezone(self) -> str:
        """The time zone of the schedule."""
        return cast("str", self.settings.get("timezone", "UTC"))

    @property
    def overlap(self) -> str:
        """``skip``, ``queue`` or ``replace``: when the last scheduled run still waits."""
        return cast("str", self.settings.get("overlap", "skip"))

    @property
    def catch_up(self) -> str:
        """``skip`` or ``once``: what happens to times that passed while nothing was running."""
        return cast("str", self.settings.get("catch_up", "skip"))

    @property
    def serving(self) -> Serving:
        """What ``serving:`` says, and the defaults for what it does not say."""
        return cast("Serving", self.settings.get("serving", Serving()))

    @property
    def watch(self) -> Watch:
        """What ``watch:`` says, and the defaults for what it does not say."""
        return cast("Watch", self.settings.get("watch", Watch()))

    @property
    def review(self) -> Review:
        """What ``review:`` says, and the defaults for what it does not say."""
        return cast("Review", self.settings.get("review", Review()))

    @property
    def leakage(self) -> Leakage:
        """What ``leakage:`` says, and the defaults for what it does not say."""
        return cast("Leakage", self.settings.get("leakage", Leakage()))

    @property
    def environment(self) -> Environment:
        """What ``environment:`` says, and the defaults for what it does not say."""
        return cast("Environment", self.settings.get("environment", Environment()))

    @property
    def notify(self) -> Notify:
        """What ``notify:`` says; without it nobody is told."""
        return cast("Notify", self.settings.get("notify", Notify()))

    def where(self, *path: str | int) -> Place:
        """The place of a key or list item; of what holds it when it is not written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(self.file, 1, 1)
