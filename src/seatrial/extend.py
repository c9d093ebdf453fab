"""What a word in the YAML means: the file of that name, or a third party's entry point.

``names`` lists words without importing anything; ``load`` imports the one that is meant.
A built-in word is a file in its kind's folder (``tasks/train.py``) whose class or value has
the same name in capitals-per-word (``Train``). Files that begin with an underscore are no words.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from pathlib import Path

from seatrial.errors import FileError, Mistake, nearest

KINDS = ("tasks", "models", "metrics", "engines", "notify")


@functools.cache
def names(kind: str) -> tuple[str, ...]:
    """Every known word of a kind, sorted.

    >>> "train" in names("tasks")
    True
    """
    return tuple(sorted({*_built_in(kind), *_installed(kind)}))


def load(kind: str, name: str) -> object:
    """The class or value that a word stands for."""
    if name in _built_in(kind):
        module = importlib.import_module(f"seatrial.{kind}.{name}")
        return getattr(module, "".join(part.capitalize() for part in name.split("_")))
    if name in _installed(kind):
        return _installed(kind)[name].load()
    raise FileError(
        Mistake(
            f"unknown word {name!r} among {kind}",
            nearest=nearest(name, names(kind)),
            fix=f"use one of: {', '.join(names(kind))}",
        )
    )


@functools.cache
def _built_in(kind: str) -> frozenset[str]:
    folder = Path(__file__).parent / kind
    return frozenset(f.stem for f in folder.glob("*.py") if not f.stem.startswith("_"))


@functools.cache
def _installed(kind: str) -> dict[str, importlib.metadata.EntryPoint]:
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for point in importlib.metadata.entry_points(group=f"seatrial.{kind}"):
        rival = found.get(point.name)
        if point.name in _built_in(kind) or (rival and rival.value != point.value):
            owner = rival.value if rival else "seatrial itself"
            raise FileError(
                Mistake(
                    f"the word {point.name!r} is claimed twice: by {owner} and by {point.value}",
                    where=f"entry points of seatrial.{kind}",
                    fix="uninstall one of the two packages",
                )
            )
        found[point.name] = point
    return found
