"""A version that somebody names on the command line, and the pipeline that it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.pipeline import Pipeline
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version


def version_of(project: Project, text: str) -> Version:
    """``MODEL@CHANNEL``, ``MODEL@NUMBER``, or the channel or number of the only model."""
    from seatrial.registry.opened import named

    return named(project.registry, text)


def judging_dataset(pipeline: Pipeline) -> str:
    """The dataset on which the pipeline judges its model in the end."""
    named = [
        task.parameters.get("dataset")
        for task in pipeline.tasks
        if task.word == "integration_tests"
    ]
    return str(next(filter(None, reversed(named)), "validation_data"))
