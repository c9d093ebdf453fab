"""An installed package that adds words, as a third party would ship it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from seatrial import extend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Install = "Callable[[str, str, str], None]"


def _forget() -> None:
    extend.names.cache_clear()
    extend._built_in.cache_clear()
    extend._installed.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install one word of a kind: its source must define `Word`."""
    site = tmp_path / "site"
    meta = site / "others-1.0.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(site))
    made: list[str] = []

    def add(kind: str, word: str, source: str) -> None:
        module = f"others_{tmp_path.name.replace('-', '_')}_{word}"
        (site / f"{module}.py").write_text(source)
        (meta / "entry_points.txt").write_text(f"[seatrial.{kind}]\n{word} = {module}:Word\n")
        made.append(module)
        _forget()

    yield add
    for module in made:
        sys.modules.pop(module, None)
    monkeypatch.undo()
    _forget()
