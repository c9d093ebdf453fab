"""What seatrial costs inside each engine: the exported file of ten steps that do nothing.

Each call of `seatrial` is a fresh process; its processor time is counted from its start to its
end. The engine's own time is the rest of a run: the wall time from the request to the end, without
that of the calls, which come one after the other; the processor time of all that takes part,
without theirs.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engines import metaflow, places, shop
from engines.airflow import airflow
from engines.called import interpreter, taken
from engines.prefect import prefect
from engines.spending import Rival, halt, median, one_run
from measuring import SEATRIAL, Cost, Figure, cost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engines.called import Called

ROUNDS = 1
LIMIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Lane:
    """An engine and its project: what each run cost as a whole, and the calls in it."""

    rival: Rival
    project: Path
    wholes: list[Cost] = field(default_factory=list)
    calls: list[list[Called]] = field(default_factory=list)


def figures() -> list[Figure]:
    """One line an engine: the processor time of a step."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lanes = [
            _loop(scratch / "loop"),
            _metaflow(scratch / "metaflow"),
            _prefect(stack, scratch / "prefect"),
            _airflow(stack, scratch / "airflow"),
        ]
        halt(server for lane in lanes for server in lane.rival.servers)
        for number in range(1 + ROUNDS):
            for lane in lanes:
                whole, calls = one_run(lane.rival), taken(lane.project)
                if number:  # the first run of each is let go
                    lane.wholes.append(whole)
                    lane.calls.append(calls)
    return [_figure(lane) for lane in lanes]


def _figure(lane: Lane) -> Figure:
    whole = median(lane.wholes)
    wall_s, cpu_s = (
        statistics.median(sum(getattr(call, name) for call in calls) for calls in lane.calls)
        for name in ("wall_s", "cpu_s")
    )
    step = _median(lane, "step")
    others = ", ".join(f"{word} {_median(lane, word).cpu_s:.2f} s" for word in ("begin", "report"))
    return Figure(
        name=f"seatrial step {lane.rival.name}",
        value=step.cpu_s,
        unit="s",
        goal=f"under {LIMIT_S:g} s of processor",
        met=step.cpu_s < LIMIT_S,
        detail=(
            f"wall {step.wall_s:.2f} s ({others} of processor);"
            f" the run {whole.wall_s:.1f} s, of which the engine's own"
            f" {whole.wall_s - wall_s:.1f} s; processor {whole.cpu_s:.1f} s, of which the engine's"
            f" own {whole.cpu_s - cpu_s:.1f} s"
        ),
    )


def _median(lane: Lane, word: str) -> Cost:
    """Of all calls with that word; RuntimeError when there were not as many as there must be."""
    found = [call for calls in lane.calls for call in calls if call.word == word]
    wanted = ROUNDS * (shop.STEPS if word == "step" else 1)
    if len(found) != wanted:
        raise RuntimeError(f"{lane.rival.name}: {len(found)} calls of {word}, not {wanted}")
    return median([Cost(wall_s=call.wall_s, cpu_s=call.cpu_s) for call in found])


def _loop(project: Path) -> Lane:
    shop.made(project)
    script = Path(__file__).parent / "engines" / "loop.py"
    words = [sys.executable, str(script), str(interpreter(project)), *shop.ADDRESSES]
    return _process("in a loop, without an engine", words, project, {})


def _metaflow(project: Path) -> Lane:
    python = places.python("metaflow")
    words = [str(python), str(_exported("metaflow", shop.made(project))), "run"]
    name = f"in Metaflow {places.release(python, 'metaflow')}"
    return _process(name, words, project, metaflow.environment(project))


def _prefect(stack: ExitStack, project: Path) -> Lane:
    running = stack.enter_context(prefect(project.with_name("prefect-home")))
    words = [str(running.python), str(_exported("prefect", shop.made(project)))]
    name = f"in Prefect {places.release(running.python, 'prefect')}"
    return _process(name, words, project, running.env, (running.server,))


def _airflow(stack: ExitStack, project: Path) -> Lane:
    dag = _exported("airflow", shop.made(project)).read_text(encoding="utf-8")
    home = project.with_name("airflow-home")
    running = stack.enter_context(airflow(home, {shop.NAME: dag}, shop.WORDS))
    name = f"in Airflow {places.release(places.python('airflow'), 'apache-airflow')}"
    return Lane(Rival(name, lambda: running.run(shop.NAME), running.servers), project)


def _process(
    name: str,
    command: Sequence[str],
    project: Path,
    env: Mapping[str, str],
    servers: tuple[int, ...] = (),
) -> Lane:
    """An engine whose run is a process."""
    everything = {**shop.WORDS, **env}
    return Lane(Rival(name, lambda: cost(command, cwd=project, env=everything), servers), project)


def _exported(engine: str, project: Path) -> Path:
    """The file that that engine runs, which calls an interpreter that notes what it costs."""
    python, file = interpreter(project), project / f"{engine}_file.py"
    words = ["export", engine, "pipeline.yaml", "--python", str(python), "-o", str(file)]
    cost([*SEATRIAL, *words], cwd=project, env=shop.WORDS)
    taken(project)  # it has asked the interpreter for its release
    return file
