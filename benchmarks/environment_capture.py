"""A capture beside its peers: an environment of some 100 real packages, fresh processes in turn.

That of mlflow with watermark, py-cpuinfo, scikit-learn and onnxruntime, not activated, as under
cron. The jobs are not equal: only ours digests the RECORD of every package, and only --deep reads
every installed file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data.costs import median
from environment.timed import in_turn
from measuring import ROOT, Figure, environment, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from environment.timed import Costs

HERE = Path(__file__).parent
PEERS = HERE / "environment" / "peers"
ROUNDS = 7
MOST_S = 0.1
INSTALLED = ["mlflow==3.17.2", "watermark==2.6.0", "py-cpuinfo==9.0.0"]
EIGHT = (
    "numpy", "scipy", "pandas", "scikit-learn", "onnxruntime", "packaging", "flask", "sqlalchemy",
)  # fmt: skip
"""The packages of the jobs that look at eight."""

_PEERS: Mapping[str, tuple[str, Sequence[str]]] = {
    "pip show, once a package": ("pip_show.py", EIGHT),
    "importlib.metadata.version": ("metadata_versions.py", EIGHT),
    "pip inspect": ("pip_inspect.py", ()),
    "sklearn.show_versions": ("sklearn_versions.py", ()),
    "watermark": ("watermark_all.py", EIGHT),
    "py-cpuinfo": ("cpuinfo_info.py", ()),
    "mlflow.models.infer_pip_requirements": ("mlflow_requirements.py", ()),
}


def figures() -> list[Figure]:
    """Seconds of work, imports left out; and of the whole process."""
    python = environment(
        "capture", [*INSTALLED, *same("numpy", "onnxruntime", "scikit-learn", "threadpoolctl")]
    )
    path = f"PYTHONPATH={HERE / 'data' / 'peers'}:{ROOT / 'src'}"
    start = ["env", path, str(python)]
    rivals = {job: [*start, str(PEERS / "ours.py"), job] for job in ("packages", "capture", "deep")}
    rivals |= {
        name: [*start, str(PEERS / script), *words] for name, (script, words) in _PEERS.items()
    }
    costs = in_turn(rivals, ROUNDS)
    return [
        _packages(costs),
        _ours(
            costs, "capture", "a whole capture: also processor, libraries, onnxruntime (imported)"
        ),
        _ours(costs, "deep", "--deep: every file of every package verified"),
        *(_peer(costs, name) for name in _PEERS),
    ]


def _packages(costs: Costs) -> Figure:
    seconds = median(costs["packages"], "job_s")
    return Figure(
        name=f"{_many(costs, 'packages')}: names, versions, RECORD digests",
        value=1000 * seconds,
        unit="ms",
        goal=f"under {1000 * MOST_S:g} ms",
        met=seconds < MOST_S,
        detail=_detail(costs, "packages"),
    )


def _ours(costs: Costs, job: str, name: str) -> Figure:
    verified = int(median(costs[job], "verified"))
    more = f", {verified} packages verified" if verified else ""
    value, unit = _told(median(costs[job], "job_s"))
    return Figure(
        name=name,
        value=value,
        unit=unit,
        detail=_detail(costs, job) + more,
    )


def _peer(costs: Costs, name: str) -> Figure:
    wrong = costs[name][0].get("wrong")
    more = "" if wrong is None else f", wrong for {wrong} of them: it is another interpreter's pip"
    value, unit = _told(median(costs[name], "job_s"))
    return Figure(
        name=f"beside it: {name}, {_many(costs, name)}",
        value=value,
        unit=unit,
        detail=_detail(costs, name) + more,
    )


def _told(seconds: float) -> tuple[float, str]:
    """A time in the unit in which it is read."""
    return (seconds, "s") if seconds >= 1 else (1000 * seconds, "ms")


def _many(costs: Costs, name: str) -> str:
    many = int(costs[name][0]["packages"])
    return f"{many} packages" if many else "the processor alone"


def _detail(costs: Costs, name: str) -> str:
    process = 1000 * median(costs[name], "process_s")
    return f"the whole process {process:.0f} ms, {median(costs[name], 'peak_mb'):.0f} MB"
