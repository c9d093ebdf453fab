"""Measure everything, and write RESULTS.md and results.json beside this file.

python benchmarks/run.py [PART …], where a part is one of the names below; the others keep the
figures of their last time.
"""

from __future__ import annotations

import compileall
import json
import sys
import sysconfig
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from measuring import ROOT, Figure, machine

PARTS = (
    "help_cost", "engine_step", "pipeline_cost", "registry_mlflow",
    "gateway_cpu", "gateway_peers", "gateway_start", "gateway_shadow", "gateway_nginx",
    "gateway_switch", "traffic_log", "traffic_join",
    "evidence_offline", "evidence_intervals", "evidence_watch", "watch_rollback",
    "data_scan", "data_peers", "data_leakage", "data_drift",
    "evaluation_behaviour", "evaluation_quality", "evaluation_latency", "evaluation_repeat",
    "environment_capture", "environment_parity", "environment_power",
    "engines_noop", "engines_added", "engines_workers",
    "web_pages", "web_assets", "web_report", "web_gateway",
)  # fmt: skip
HERE = Path(__file__).parent
KEPT = HERE / "results.json"


def main(wanted: list[str]) -> int:
    """Measure, print, write; 1 when a part could not be measured."""
    unknown = set(wanted) - set(PARTS)
    if unknown:
        print(f"no part {', '.join(sorted(unknown))}; parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    # A module that is compiled anew each time costs three times as much to import as for users.
    for folder in (sysconfig.get_path("purelib"), ROOT / "src"):
        compileall.compile_dir(folder, quiet=2)
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    failed = False
    for part in wanted or PARTS:
        head = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "machine": machine()}
        print(f"{part}: {head['date']}, {head['machine']}")
        try:
            figures = import_module(part).figures()
        # A part that cannot run here (no network, say) must not hide what the others found.
        except Exception as error:  # noqa: BLE001
            failed = True
            print(f"{part} could not be measured: {error}", file=sys.stderr)
            continue
        for figure in figures:
            print(_line(figure))
        kept[part] = {**head, "figures": [asdict(figure) for figure in figures]}
        _write({name: kept[name] for name in PARTS if name in kept})
    return 1 if failed else 0


def _write(kept: dict[str, Any]) -> None:
    """All parts, each as it was measured last."""
    KEPT.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (HERE / "RESULTS.md").write_text(_page(kept), encoding="utf-8")


def _line(figure: Figure) -> str:
    mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
    goal = f" ({figure.goal}: {mark})" if figure.goal else ""
    return f"{figure.name}: {figure.value:.3g} {figure.unit}{goal}; {figure.detail}"


def _page(kept: dict[str, Any]) -> str:
    lines = [
        "# Results",
        "",
        "Made by `make bench`: medians, fresh processes, rivals in turn within one run.",
    ]
    for part, measured in kept.items():
        about = (import_module(part).__doc__ or "").partition("\n\n")[0]
        lines += [
            "",
            f"## {part}",
            "",
            f"{' '.join(about.split())} {measured['date']}; {measured['machine']}.",
            "",
            "| figure | measured | goal | met | detail |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(Figure(**figure)) for figure in measured["figures"]]
    return "\n".join([*lines, ""])


def _row(figure: Figure) -> str:
    mark = {True: "yes", False: "**no**", None: ""}[figure.met]
    measured = f"{figure.value:.3g} {figure.unit}"
    return f"| {figure.name} | {measured} | {figure.goal} | {mark} | {figure.detail} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
