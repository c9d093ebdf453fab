"""Does an engine keep its promises: every step once, in order, to an end that is recorded?

One that writes a file for an engine elsewhere promises that the file is the same each time, and
that it leaves nothing out.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from seatrial import extend, plan, workspace
from seatrial.engines import Work
from seatrial.engines._begin import begin
from seatrial.engines._call import Call
from seatrial.engines._exported import edited, sealed
from seatrial.engines._outline import outline
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.outcome import Verdict
from seatrial.pipeline.read import read
from seatrial.registry.project import open_project
from seatrial.testing._demand import demand
from seatrial.testing._project import SAMPLE, write_project

if TYPE_CHECKING:
    from seatrial.engines import Engine, Exporter
    from seatrial.ledger.runs import Run

PLAN = f"""name: conformance
stages:
  - name: first
    tasks:
      - check_schema: {{dataset: {SAMPLE}, expected_columns: [size]}}
      - check_schema: {{dataset: {SAMPLE}, expected_columns: [WANTED]}}
      - check_schema: {{dataset: {SAMPLE}, expected_columns: [target]}}
  - name: second
    condition: all_previous_stages_passed
    tasks:
      - check_schema: {{dataset: {SAMPLE}}}
"""


def check_engine(word: str) -> None:
    """Raise :class:`AssertionError` with a sentence unless the engine keeps its promises.

    It runs a small plan to its end, once with every gate passing and once with one that fails; or
    exports that plan.

    >>> check_engine("embedded")
    """
    if hasattr(extend.load("engines", word), "export"):
        _exports(word)
        return
    _runs(word, "colour", Verdict.PASS, done=4)
    _runs(word, "no_such_column", Verdict.FAIL, done=2)


def _exports(word: str) -> None:
    engine = cast("type[Exporter]", extend.load("engines", word))
    shape = outline(read(PLAN, "it's a pipeline.yaml"))
    call = Call(Path("/srv/it's $HOME"), shape.file, "/opt/a b/python")
    text = engine().export(shape, call)
    demand(text == engine().export(shape, call), f"the engine {word} writes another file each time")
    demand(text.endswith("\n"), f"the last line of the file for {word} has no end")
    demand(edited(sealed(word, shape, text)) is False, f"the file for {word} breaks its own seal")
    whole = "seatrial run" in text  # then seatrial itself knows the steps, whenever it is called
    left_out = [each for each in (shape.digest, *shape.addresses) if each not in text]
    demand(whole or not left_out, f"the file for {word} does not name {', '.join(left_out)}")


def _runs(word: str, column: str, verdict: Verdict, *, done: int) -> None:
    engine = cast("type[Engine]", extend.load("engines", word))()
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder))
        project = open_project(workspace.at(Path(folder)))
        try:
            pipeline = read(PLAN.replace("WANTED", column), "pipeline.yaml")
            work = Work(project, plan.make(pipeline, Path(folder)), lambda _line: None)
            run, _ = begin(work)
            ended = engine.run(work, run, wait=False)
            _has_ended(word, work, ended, verdict, done)
        finally:
            project.ledger.close()


def _has_ended(word: str, work: Work, run: Run, verdict: Verdict, done: int) -> None:
    ledger = work.project.ledger
    demand(run.state is State.FINISHED, f"the engine {word} left the run {run.state}")
    demand(run.verdict is verdict, f"the engine {word} ends with {run.verdict}; {verdict} is right")
    demand(
        runs.get(ledger, run.id) == run, f"the engine {word} gives another run than the ledger has"
    )
    steps = runs.steps(ledger, run.id)
    states = [step.state for step in steps]
    demand(
        states == ["done"] * done + ["ready"] * (len(steps) - done),
        f"the engine {word} left the steps {states}; the first {done} and no others must be done",
    )
    order = [
        event.body["step"]
        for event in ledger.events("step_finished")
        if event.body["run"] == run.id
    ]
    demand(
        order == [step.address for step in steps[:done]],
        f"the engine {word} performed {order}: every step once, in the order of the file",
    )
    demand(all(s.owner is None for s in steps), f"the engine {word} still holds a step")
    verify(ledger)
