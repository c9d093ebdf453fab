"""Measure everything, and write RESULTS.md and results.json beside this file.

python benchmarks/run.py [PART …], where a part is one of the names below.
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

from measuring import ROOT, Figure, machine

PARTS = (
    "help_cost", "engine_step", "pipeline_cost", "registry_mlflow",
    "gateway_cpu", "gateway_peers", "gateway_start", "gateway_shadow", "gateway_nginx",
    "gateway_switch", "traffic_log", "traffic_join",
)  # fmt: skip
HERE = Path(__file__).parent


def main(wanted: list[str]) -> int:
    """Measure, print, write; 1 when a part could not be measured."""
    unknown = set(wanted) - set(PARTS)
    if unknown:
        print(f"no part {', '.join(sorted(unknown))}; parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    # A module that is compiled anew each time costs three times as much to import as for users.
    for folder in (sysconfig.get_path("purelib"), ROOT / "src"):
        compileall.compile_dir(folder, quiet=2)
    head = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "machine": machine()}
    print(f"{head['date']}, {head['machine']}")
    found: list[Figure] = []
    failed: dict[str, str] = {}
    for part in wanted or PARTS:
        try:
            measured = import_module(part).figures()
        # A part that cannot run here (no network, say) must not hide what the others found.
        except Exception as error:  # noqa: BLE001
            failed[part] = f"{type(error).__name__}: {error}"
            print(f"{part} could not be measured: {failed[part]}", file=sys.stderr)
            continue
        for figure in measured:
            print(_line(figure))
        found += measured
    if not wanted:  # a part alone would overwrite the whole
        document = {**head, "figures": [asdict(figure) for figure in found], "failed": failed}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        (HERE / "results.json").write_text(text, encoding="utf-8")
        (HERE / "RESULTS.md").write_text(_page(head, found, failed), encoding="utf-8")
    return 1 if failed else 0


def _line(figure: Figure) -> str:
    mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
    goal = f" ({figure.goal}: {mark})" if figure.goal else ""
    return f"{figure.name}: {figure.value:.3g} {figure.unit}{goal}; {figure.detail}"


def _page(head: dict[str, str], found: list[Figure], failed: dict[str, str]) -> str:
    lines = [
        "# Results",
        "",
        f"{head['date']}. {head['machine']}.",
        "",
        "Made by `make bench`: medians, fresh processes, rivals in turn within one run.",
        "",
        "| figure | measured | goal | met | detail |",
        "|---|---|---|---|---|",
    ]
    marks = {True: "yes", False: "**no**", None: ""}
    lines += [
        f"| {f.name} | {f.value:.3g} {f.unit} | {f.goal} | {marks[f.met]} | {f.detail} |"
        for f in found
    ]
    # of what failed, the first line: the rest was printed
    lines += [
        f"| {part} | not measured | | | {why.splitlines()[0]} |" for part, why in failed.items()
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
