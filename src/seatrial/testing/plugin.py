"""Fixtures for a project's own model tests, in the tool that people know.

pytest loads this in every environment that has seatrial, so it imports nothing but pytest until
a test asks for a fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.outcome import Measure
    from seatrial.testing.at_hand import AtHand
    from seatrial.testing.rows import Rows
    from seatrial.testing.versioned import VersionedModel

_OURS = {"assert_better_than", "seatrial_dataset", "seatrial_model", "seatrial_production"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which version and which file the tests are about, when no run says so."""
    group = parser.getgroup("seatrial", "seatrial: tests of models")
    for word, what, form in (
        ("model", "the version that `seatrial_model` is", "MODEL@CHANNEL|MODEL@NUMBER"),
        ("pipeline", "the pipeline file that declares the datasets", "FILE"),
    ):
        usual = {"model": "the newest", "pipeline": "pipeline.yaml of the nearest project"}[word]
        told = f"{what} (default: {usual})"
        group.addoption(f"--seatrial-{word}", metavar=form, help=told)
        parser.addini(f"seatrial_{word}", told, default=None)


@pytest.fixture(scope="session")
def _seatrial_at_hand(request: pytest.FixtureRequest) -> AtHand:
    from seatrial.testing.at_hand import at_hand  # noqa: PLC0415 - see above

    config = request.config
    asking = [item for item in request.session.items if _OURS & {*_fixtures(item)}]
    starts = [item.path.parent for item in asking] or [config.invocation_params.dir]
    pipeline = config.getoption("--seatrial-pipeline") or None
    if pipeline is None and (written := config.getini("seatrial_pipeline")):
        base = config.inipath.parent if config.inipath else config.rootpath
        pipeline = str(base / written)
    model = config.getoption("--seatrial-model") or config.getini("seatrial_model") or None
    return at_hand(starts, model, pipeline)


@pytest.fixture(scope="session")
def _seatrial_candidate(_seatrial_at_hand: AtHand) -> VersionedModel | None:
    from seatrial.testing.versioned import version_of  # noqa: PLC0415 - see above

    project = _seatrial_at_hand
    return version_of(project.candidate, project.blobs) if project.candidate else None


@pytest.fixture(scope="session")
def seatrial_model(
    _seatrial_at_hand: AtHand, _seatrial_candidate: VersionedModel | None
) -> VersionedModel:
    """The version under test: the run's, or alone the newest (see `--seatrial-model`)."""
    if _seatrial_candidate is not None:
        return _seatrial_candidate
    if _seatrial_at_hand.in_run:
        pytest.fail(_seatrial_at_hand.missing, pytrace=False)
    pytest.skip(_seatrial_at_hand.missing)


@pytest.fixture(scope="session")
def seatrial_production(_seatrial_at_hand: AtHand) -> VersionedModel:
    """The version in production; in a run, when the run began. Skips when there is none yet."""
    from seatrial.testing.versioned import version_of  # noqa: PLC0415 - see above

    if _seatrial_at_hand.production is None:
        pytest.skip("nothing is in production yet")
    return version_of(_seatrial_at_hand.production, _seatrial_at_hand.blobs)


@pytest.fixture(scope="session")
def seatrial_dataset(
    _seatrial_at_hand: AtHand, _seatrial_candidate: VersionedModel | None
) -> Callable[[str], Rows]:
    """Opens a dataset by its name in the pipeline file: `seatrial_dataset("validation_data")`."""
    opened: dict[str, Rows] = {}

    def dataset(name: str) -> Rows:
        __tracebackhide__ = True
        from seatrial.errors import FormError  # noqa: PLC0415 - see above
        from seatrial.testing.rows import rows_of  # noqa: PLC0415

        signature = _seatrial_candidate.signature if _seatrial_candidate else None
        try:
            if name not in opened:
                opened[name] = rows_of(_seatrial_at_hand, name, signature)
        except FormError as error:
            # told from where it was asked, not from inside
            raise FormError(*error.mistakes) from None
        return opened[name]

    return dataset


@pytest.fixture(scope="session")
def assert_better_than(
    _seatrial_at_hand: AtHand, seatrial_dataset: Callable[[str], Rows]
) -> Callable[..., Measure]:
    """Fails unless the evidence proves it: `assert_better_than(seatrial_model, 0.82)`."""

    def assert_better(
        model: VersionedModel,
        other: VersionedModel | float,
        *,
        on: str | Rows = "validation_data",
        metric: str | None = None,
        margin: float | None = None,
    ) -> Measure:
        __tracebackhide__ = True
        from seatrial.pipeline import DEFAULT_SEED  # noqa: PLC0415 - see above
        from seatrial.testing.better import SameModelError, demand_better  # noqa: PLC0415

        pipeline = _seatrial_at_hand.pipeline
        seed = pipeline.seed if pipeline is not None else DEFAULT_SEED
        rows = seatrial_dataset(on) if isinstance(on, str) else on
        try:
            return demand_better(model, other, rows, metric=metric, margin=margin, seed=seed)
        except SameModelError as same:
            pytest.skip(f"comparison skipped: {same}")

    return assert_better


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
