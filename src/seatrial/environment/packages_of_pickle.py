"""Which installed packages does a pickled model need? Read from its names; nothing is executed."""

from __future__ import annotations

import importlib.metadata
import json
import pickletools
import re
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.environment.machine.packages import normalised
from seatrial.environment.markers import holds, variables
from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FEEDING = {"columns": ("numpy",), "matrix": ("numpy",), "pandas": ("numpy", "pandas")}
"""The packages by which the object is fed, by what the first line says under ``features``."""

_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_STORED = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_FETCHED = frozenset({"GET", "BINGET", "LONG_BINGET"})
_UNTOUCHED = frozenset({"PROTO", "FRAME", "MARK"})
_BY_NAME = "cloudpickle.cloudpickle subimport"
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")


def packages_of_pickle(content: bytes) -> tuple[str, ...]:
    r"""The distributions that the file ``model.pickle`` needs, by normalised name.

    Those whose modules it names, those by which it is fed, and all that these require in turn, as
    far as they are installed here. FormError when the file is damaged.

    >>> import pickle
    >>> "numpy" in packages_of_pickle(b'{"features": "matrix"}\n' + pickle.dumps({"a": 1}))
    True
    """
    head, _, body = content.partition(b"\n")
    found = set(_feeding(head))
    named = {module.partition(".")[0] for module in modules(body)}
    owners = importlib.metadata.packages_distributions()
    for module in named - sys.stdlib_module_names:
        # An editable install lists no modules; most are called as their distribution is.
        found |= {normalised(name) for name in owners.get(module, [module])}
    return tuple(sorted(_with_required(found)))


def modules(pickled: bytes) -> frozenset[str]:
    """The modules that a pickle loads when it is opened; FormError when it is damaged.

    >>> import collections, pickle
    >>> sorted(modules(pickle.dumps(collections.OrderedDict)))
    ['collections']
    """
    read = _Reading()
    try:
        for operation, argument, _ in pickletools.genops(pickled):
            read.take(operation.name, argument)
    except (ValueError, IndexError, OverflowError) as error:
        what = f"the pickled model is damaged: {str(error)[:80]}"
        raise FormError(Mistake(what, fix="register the model again")) from error
    return frozenset(read.found)


@dataclass(slots=True)
class _Reading:
    """What the pickle machine would hold, as far as names come from it.

    The last two things that were put on its stack, and what it remembers; a thing is a text or,
    for what was loaded, ``module name``; None for all others.
    """

    found: set[str] = field(default_factory=set)
    last: deque[str | None] = field(default_factory=lambda: deque([None, None], 2))
    memory: dict[int, str | None] = field(default_factory=dict)

    def take(self, operation: str, argument: Any) -> None:
        """Follow one instruction; ValueError when it loads what cannot be told."""
        if operation in _TEXTS:
            self._put(argument)
        elif operation == "MEMOIZE":
            self.memory[len(self.memory)] = self.last[-1]
        elif operation in _STORED:
            self.memory[int(argument)] = self.last[-1]
        elif operation in _FETCHED:
            self._put(self.memory.get(int(argument)))
        elif operation in {"GLOBAL", "INST"}:
            self._load(*argument.split(" ", 1))
        elif operation == "STACK_GLOBAL":
            self._load(*self.last)
        elif operation not in _UNTOUCHED:
            self.last.append(None)

    def _put(self, text: str | None) -> None:
        if text and self.last[-1] == _BY_NAME:  # what follows is a module, loaded by its name
            self.found.add(text)
        self.last.append(text)

    def _load(self, module: str | None, name: str | None) -> None:
        if not module or not name:
            raise ValueError("it loads what it does not name")
        self.found.add(module)
        self.last.append(f"{module} {name}")


def _feeding(head: bytes) -> tuple[str, ...]:
    try:
        return FEEDING[json.loads(head)["features"]]
    except (ValueError, KeyError, TypeError) as error:
        what = "the pickled model does not begin with a line that says how it is fed"
        raise FormError(Mistake(what, fix="register the model again")) from error


def _with_required(names: Iterable[str]) -> set[str]:
    """What is installed of these, and of all that they require here without extras."""
    found: set[str] = set()
    here = variables()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of the project itself, or of a requirement that does not apply
        found.add(name)
        waiting += _applying(required, here)
    return found


def _applying(required: Iterable[str], here: dict[str, str]) -> Iterator[str]:
    for line in required:
        named, (_, _, marker) = _NAME.match(line), line.partition(";")
        if named is not None and (not marker.strip() or _may_hold(marker, here)):
            yield normalised(named[1])


def _may_hold(marker: str, here: dict[str, str]) -> bool:
    """Rather one package too many: metadata may hold markers that nobody can read."""
    try:
        return holds(marker, here)
    except FormError:
        return True
