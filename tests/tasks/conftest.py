"""Small projects to run, and what a run said, task by task."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import seatrial
from seatrial import workspace
from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.engines._drive import Driven
    from seatrial.registry.project import Project as Stores

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"
MODEL = "ml_model_training_pipeline"
TRAINING, VALIDATION = 1500, 600
INTEGRATION = "evaluate_model.integration_tests"
UNIT = "evaluate_model.unit_tests"


@dataclass(frozen=True, slots=True)
class Went:
    """How a run went."""

    driven: Driven
    lines: tuple[str, ...]

    @property
    def code(self) -> int:
        return self.driven.exit_code

    @property
    def document(self) -> dict[str, Any]:
        return self.driven.document

    @property
    def run(self) -> str:
        return str(self.document["run"])

    @property
    def production(self) -> tuple[int | None, int | None]:
        moved = self.document["production"]
        return moved["before"], moved["after"]

    @property
    def errors(self) -> str:
        return "\n".join(self.document["errors"])

    def task(self, word: str) -> Any:
        """What the document says of the first task of that word."""
        tasks = [task for stage in self.document["stages"] for task in stage["tasks"]]
        return next(task for task in tasks if task["task"] == word)

    def verdict(self, word: str) -> str | None:
        said = self.task(word)["verdict"]
        return None if said is None else str(said)

    def reason(self, word: str) -> str:
        return str(self.task(word)["reason"])

    def measures(self, word: str) -> dict[str, Any]:
        return {measure["name"]: measure for measure in self.task(word)["measures"]}


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "pipeline.yaml"

    def run(self, *changes: str, say: Callable[[str], None] | None = None) -> Went:
        """Run the pipeline file as it stands; ``say`` hears every line first."""
        lines: list[str] = []

        def hear(line: str) -> None:
            lines.append(line)
            if say:
                say(line)

        return Went(seatrial.run(self.file, changes, say=hear), tuple(lines))

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def rows(self, name: str, count: int, seed: int, **how: Any) -> None:
        """Write ``data/<name>.csv`` anew."""
        write_rows(self.folder / "data" / f"{name}.csv", count, seed, **how)

    def baseline(self) -> None:
        """`seatrial profile data/training_data.csv -o baseline_distribution.json`."""
        table = open_table(Dataset("training_data", self.folder / "data" / "training_data.csv"))
        profile.write(profile.make(table), self.folder / "baseline_distribution.json")

    def hyperparameters(self, text: str) -> None:
        (self.folder / "config" / "hyperparameters.yaml").write_text(text)

    def stores(self) -> Stores:
        return open_project(workspace.at(self.folder))


def write_rows(
    file: Path,
    count: int,
    seed: int,
    *,
    noise: float = 0.2,
    shuffled: bool = False,
    positives: int | None = None,
    first_id: int | None = None,
) -> None:
    """Three features and a target that they decide but for the noise."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 3))
    score = x @ np.array([1.0, 0.5, -0.3]) + random.normal(scale=noise, size=count)
    y = (score > 0).astype(int)
    if positives is not None:
        kept = np.sort(np.concatenate([np.flatnonzero(y)[:positives], np.flatnonzero(y == 0)]))
        x, y = x[kept], y[kept]
    if shuffled:
        random.shuffle(y)
    lines = [f"{a:.6f},{b:.6f},{c:.6f},{t}" for (a, b, c), t in zip(x.tolist(), y, strict=True)]
    head = "feature_1,feature_2,feature_3,target"
    if first_id is not None:
        head = f"id,{head}"
        lines = [f"p{first_id + place},{line}" for place, line in enumerate(lines)]
    file.write_text("\n".join([head, *lines, ""]))


def _make(folder: Path) -> Project:
    (folder / "data").mkdir(parents=True)
    (folder / "config").mkdir()
    shutil.copy(FOUNDING, folder / "pipeline.yaml")
    made = Project(folder)
    made.rows("training_data", TRAINING, 1)
    made.rows("validation_data", VALIDATION, 2)
    made.hyperparameters("n_estimators: 20\nlearning_rate: 0.2\nnum_leaves: 15\n")
    made.baseline()
    return made


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _make(tmp_path_factory.mktemp("fresh") / "project")


@pytest.fixture(scope="session")
def _delivered(tmp_path_factory: pytest.TempPathFactory, _fresh: Project) -> Project:
    folder = tmp_path_factory.mktemp("delivered") / "project"
    made = Project(Path(shutil.copytree(_fresh.folder, folder)))
    went = made.run()
    assert went.code == 0, went.document
    return made


def _copy(project: Project, folder: Path) -> Project:
    return Project(Path(shutil.copytree(project.folder, folder)))


@pytest.fixture
def fresh(_fresh: Project, tmp_path: Path) -> Project:
    """The founding project; nothing was run."""
    return _copy(_fresh, tmp_path / "fresh")


@pytest.fixture
def delivered(_delivered: Project, tmp_path: Path) -> Project:
    """The founding project after its first run: version 1 is in production."""
    return _copy(_delivered, tmp_path / "delivered")


@pytest.fixture
def stores() -> Iterator[Callable[[Project], Stores]]:
    """Opens the stores of a project, and closes them."""
    opened: list[Stores] = []

    def of(project: Project) -> Stores:
        opened.append(project.stores())
        return opened[-1]

    yield of
    for each in opened:
        each.ledger.close()
