"""Which project, pipeline and versions a test is about: a run hands them over, or they are found.

Alone, under plain ``pytest``, the project is the nearest one above the tests, and its ledger
says which versions there are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial import workspace
from seatrial.errors import FileError
from seatrial.evaluation.handed import Numbered, handed_over

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.evaluation.handed import Handed
    from seatrial.ledger.blobs import Blobs
    from seatrial.pipeline import Pipeline
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Registry, Version

PIPELINE = "pipeline.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """What there is to test.

    ``folder`` is the project folder, where its data are. ``candidate`` is None when there is no
    version yet: ``missing`` then says why, and ``in_run`` whether that is a mistake.
    """

    folder: Path
    pipeline: Pipeline | None
    blobs: Blobs
    candidate: Numbered | None
    production: Numbered | None
    in_run: bool
    missing: str = ""


def of_run(handed: Handed) -> AtHand:
    """What the run that started pytest is about."""
    from seatrial.ledger.blobs import Blobs  # noqa: PLC0415 - pytest is started without it

    return AtHand(
        folder=Path(handed.folder),
        pipeline=_read(handed.text, handed.file, handed.changes),
        blobs=Blobs(Path(handed.blobs)),
        candidate=handed.candidate,
        production=handed.production,
        in_run=True,
        missing="this run has no version yet: put `unit_tests` after `register`,"
        " or keep the tests that need a model in a folder of their own",
    )


def alone(start: Path, model: str | None, pipeline: str | None) -> AtHand:
    """What a person means who types ``pytest``.

    ``model`` is ``MODEL@CHANNEL`` or ``MODEL@NUMBER``; else the newest version counts, that in
    *staging*, of the pipeline's model. ``pipeline`` is a file, from which the project folder
    follows; else the nearest project above ``start``, and its ``pipeline.yaml`` if it has one.
    UsageError when what is named does not exist.
    """
    place = workspace.of_file(Path(pipeline)) if pipeline else _nearest(start)
    file = Path(pipeline) if pipeline else place.folder / PIPELINE
    found = _read_file(file) if pipeline or file.is_file() else None
    missing = f"there is no version yet: `seatrial run {os.path.relpath(file)}` makes one"
    if place.database is None and not place.ledger.exists():
        return _without(place, found, missing)
    from seatrial.ledger.store import has_ledger  # noqa: PLC0415 - loads sqlalchemy
    from seatrial.registry.project import open_project  # noqa: PLC0415

    if not has_ledger(place):
        return _without(place, found, missing)
    project = open_project(place, existing=True)
    try:
        return _of_project(project, model, found, missing)
    finally:
        project.ledger.close()


def at_hand(starts: Iterable[Path], model: str | None, pipeline: str | None) -> AtHand:
    """By the run that started this process, else by what is above all of ``starts``."""
    handed = handed_over()
    if handed is not None:
        return of_run(handed)
    return alone(Path(os.path.commonpath([*starts])), model, pipeline)


def _nearest(start: Path) -> workspace.Workspace:
    """The nearest folder with a ledger, else with a pipeline file (the ledger may be elsewhere)."""
    found = workspace.nearest_to(start)
    if (found.folder / workspace.HOME).is_dir():
        return found
    holds = (folder for folder in (start, *start.parents) if (folder / PIPELINE).is_file())
    return workspace.at(next(holds, start))


def _without(place: workspace.Workspace, pipeline: Pipeline | None, missing: str) -> AtHand:
    from seatrial.ledger.blobs import open_blobs  # noqa: PLC0415 - as above

    return AtHand(
        folder=place.folder,
        pipeline=pipeline,
        blobs=open_blobs(place.home, place.blob_store),
        candidate=None,
        production=None,
        in_run=False,
        missing=missing,
    )


def _of_project(
    project: Project, model: str | None, pipeline: Pipeline | None, missing: str
) -> AtHand:
    from seatrial.evaluation.origin import pipeline_of  # noqa: PLC0415 - loads numpy and duckdb
    from seatrial.registry.opened import named  # noqa: PLC0415 - loads onnxruntime

    registry = project.registry
    known = {version.model for version in registry.versions()}
    if not known and model is None:
        return _without(project.workspace, pipeline, missing)
    usual = pipeline.model if pipeline is not None and pipeline.model in known else None
    version = named(registry, model or (f"{usual}@staging" if usual else "staging"))
    return AtHand(
        folder=project.workspace.folder,
        pipeline=pipeline if pipeline is not None else pipeline_of(registry, version),
        blobs=registry.blobs,
        candidate=_numbered(version),
        production=_serving(registry, version.model),
        in_run=False,
    )


def _serving(registry: Registry, model: str) -> Numbered | None:
    version = registry.resolve(model, "production")
    return None if version is None else _numbered(version)


def _numbered(version: Version) -> Numbered:
    return Numbered(model=version.model, version=version.version, digest=version.digest)


def _read_file(file: Path) -> Pipeline:
    from seatrial.pipeline.read import read_file  # noqa: PLC0415 - loads the reader of YAML

    return _whole(read_file(file))


def _read(text: str, file: str, changes: tuple[str, ...]) -> Pipeline:
    from seatrial.pipeline.read import read  # noqa: PLC0415 - as above

    return _whole(read(text, file, changes))


def _whole(pipeline: Pipeline) -> Pipeline:
    if pipeline.mistakes:
        raise FileError(*pipeline.mistakes)
    return pipeline
