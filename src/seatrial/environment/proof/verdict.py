"""What was found out about a version on this machine, in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.environment.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.environment.proof.proving import Proven


def lines(proven: Proven) -> Iterator[str]:
    """Yes or no first, then one line a reason."""
    return map(printable, _lines(proven))


def _lines(proven: Proven) -> Iterator[str]:
    yield f"{'yes' if proven.ok else 'no'}: {proven.said}"
    for line in proven.trouble.splitlines():
        if not proven.said.endswith(line):
            yield f"  {line.strip()}"
    for form, proof in (proven.proof or {}).items():
        if not proof["ok"]:
            yield f"  {form}: {proof['said']}"
            yield from (f"    {_off(each)}" for each in proof.get("worst", ()))
    for difference in proven.differences:
        yield f"  {difference}"
    if proven.plain and not proven.ok:
        yield "  asked by onnxruntime's own settings; by ours it may answer as it must (no --plain)"


def _off(worst: Mapping[str, Any]) -> str:
    told = f"row {worst['row']} ({worst['kind']}): {worst['expected']} -> {worst['got']}"
    return told if worst["difference"] is None else f"{told}, off by {worst['difference']:.3g}"
