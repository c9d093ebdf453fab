"""The environment as a value: what could change a model's answers, and nothing secret.

Everything is read inside this process: the interpreter that runs is the one that is described.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from typing import TYPE_CHECKING, Any, Literal

from seatrial.environment.machine.accelerators import accelerators
from seatrial.environment.machine.libraries import libraries, runtime
from seatrial.environment.machine.packages import packages, verified
from seatrial.environment.machine.processor import processor
from seatrial.environment.machine.system import system
from seatrial.environment.machine.variables import image, letters, timezone, variables
from seatrial.environment.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FORMAT = "seatrial.environment/1"


def capture(
    timestamp: str | None = None, *, deep: Collection[str] | Literal["all"] | None = None
) -> dict[str, Any]:
    """The environment of this process as plain JSON values, with a ``hash`` over all of it.

    ``timestamp`` (ISO 8601, UTC) is added as it is given and stays outside the hash, so the
    rest is the same whenever the environment is. ``deep`` names packages of which every file is
    read and compared with what their installer recorded; "all" are all of them.

    A library that is installed and fails when it is asked is named under ``trouble``, with its
    message; that key is absent where nothing failed.

    >>> capture("2026-01-01T00:00:00Z")["hash"] == capture()["hash"]
    True
    """
    found: dict[str, Any] = {
        "format": FORMAT,
        "python_version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "python_build": " ".join((*platform.python_build(), platform.python_compiler())),
        **system(),
        "cpu": processor(),
        **_packages(deep),
    }
    found |= _libraries(found["dependencies"])
    found |= {
        "variables": variables(os.environ),
        "locale": letters(os.environ),
        "timezone": timezone(os.environ),
        "image": image(os.environ),
    }
    found = _printable(found)
    found["hash"] = fingerprint(found)
    if timestamp is not None:
        found["timestamp"] = timestamp
    return found


def fingerprint(environment: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of an environment, without its hash and timestamp.

    >>> fingerprint({"a": 1, "timestamp": "now"}) == fingerprint({"a": 1})
    True
    """
    kept = {key: value for key, value in environment.items() if key not in {"hash", "timestamp"}}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _packages(deep: Collection[str] | Literal["all"] | None) -> dict[str, Any]:
    found = packages()
    described = {
        "dependencies": found.dependencies,
        "records": found.records,
        "editable": found.editable,
        "hidden": found.hidden,
        "unnamed": found.unnamed,
    }
    if deep is None:
        return described
    read = verified(deep)
    return {**described, "altered": read.altered, "verified": read.names}


def _libraries(versions: Mapping[str, str]) -> dict[str, Any]:
    """What has to be imported to be asked, and what failed when it was."""
    answering, loaded, cuda = runtime(), libraries(), accelerators(versions)
    trouble = {"onnxruntime": answering.trouble, "threadpoolctl": loaded.trouble, **cuda.trouble}
    told = {library: text for library, text in trouble.items() if text}
    return {
        "libraries": loaded.value,
        "onnxruntime": answering.value,
        "cuda": cuda.found,
        **({"trouble": told} if told else {}),
    }


def _printable(value: Any) -> Any:
    r"""The same with every text on one line: metadata and variables may hold anything.

    >>> _printable({"a": ["x\ny"]})
    {'a': ['x\\ny']}
    """
    if isinstance(value, dict):
        return {_printable(key): _printable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return printable(value) if isinstance(value, str) else value
