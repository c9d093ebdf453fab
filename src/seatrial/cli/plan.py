"""``seatrial plan``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seatrial import workspace
from seatrial.cli._options import file_argument, json_option, print_json, set_option

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.plan import Plan


@click.command(epilog="Example: seatrial plan pipeline.yaml")
@file_argument
@set_option
@json_option
def plan(file: Path, changes: tuple[str, ...], *, as_json: bool) -> None:
    """Show what would run, what each gate demands, and what it can prove."""
    import msgspec

    from seatrial import plan as plans
    from seatrial.pipeline.read import read_file

    made = plans.make(read_file(file, changes), workspace.of_file(file).folder)
    uses = _uses(made)
    told = [
        {
            "step": step.address,
            "parameters": msgspec.to_builtins(step.task),
            "demands": [*step.task.demands(step.scope), *uses.get(step.address, [])],
        }
        for step in made.steps
    ]
    pipeline = made.pipeline
    settings = {
        "model": pipeline.model,
        "seed": pipeline.seed,
        "metric": pipeline.metric or "accuracy for classes, r2 for numbers",
        "schedule": pipeline.schedule,
        "timezone": pipeline.timezone,
        "overlap": pipeline.overlap,
        "serving": asdict(pipeline.serving),
        "watch": asdict(pipeline.watch),
        "review": asdict(pipeline.review),
        "leakage": asdict(pipeline.leakage),
        "environment": asdict(pipeline.environment),
        "notify": [entry.word for entry in pipeline.notify.channels],
    }
    if as_json:
        print_json({"pipeline": pipeline.name, "settings": settings, "steps": told})
        return
    click.echo(pipeline.name)
    for name, value in settings.items():
        if value not in (None, []):
            click.echo(f"  {name}: {_flow(value)}")
    for stage in pipeline.stages:
        when = f" (when {stage.condition.text})" if stage.condition else ""
        click.echo(f"{stage.name}{when}")
        for line in told:
            if str(line["step"]).partition(".")[0] == stage.name:
                _step(line)


def _uses(made: Plan) -> dict[str, list[str]]:
    """How worn the rows are on which a model is judged, by the step; nothing is made to look."""
    from seatrial.data.opening import open_rows
    from seatrial.ledger.store import has_ledger
    from seatrial.registry import holdouts
    from seatrial.registry.project import open_project
    from seatrial.tasks import Input

    where = workspace.at(made.folder)
    judging = [step for step in made.steps if step.task.judges_on_dataset]
    if not judging or not has_ledger(where):
        return {}
    opened = open_project(where)
    known = holdouts.uses(opened.ledger, made.pipeline.model)
    opened.ledger.close()
    found: dict[str, list[str]] = {}
    for step in judging if known else []:
        for read in step.task.inputs(step.scope):
            if not (isinstance(read, Input) and read.labelled):
                continue
            fingerprint = open_rows(step.scope.dataset(read.dataset)).fingerprint
            judged = {use.version for use in known if use.fingerprint == fingerprint}
            if judged:
                many = f"{len(judged)} candidate{'' if len(judged) == 1 else 's'}"
                said = f"{read.dataset} has judged {many} of this model so far"
                found.setdefault(step.address, []).append(said)
    return found


def _step(line: dict[str, object]) -> None:
    click.echo(f"  {str(line['step']).partition('.')[2]}")
    parameters = line["parameters"]
    if isinstance(parameters, dict) and parameters:
        shown = {key: _flow(value) for key, value in parameters.items() if value is not None}
        said = [f"{key}: {value}" for key, value in shown.items() if value not in {"[]", "{}"}]
        click.echo(f"    {', '.join(said)}")
    for demand in line["demands"] if isinstance(line["demands"], list) else []:
        click.echo(f"    - {demand}")


def _flow(value: object) -> str:
    """A value as one would write it in the file; keys that nobody set are left out.

    >>> _flow({"dataset": "later", "slices": [{"age": [[40.0, None]]}], "metric": None})
    '{dataset: later, slices: [{age: [[40, null]]}]}'
    """
    if isinstance(value, dict):
        said = (f"{key}: {_flow(item)}" for key, item in value.items() if item is not None)
        return f"{{{', '.join(said)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")
