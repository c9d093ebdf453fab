"""Is a model served where it would be trained alike? The two questions, as values and lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seatrial import workspace
from seatrial.environment.capture import FORMAT, capture, fingerprint
from seatrial.environment.changes import recorded
from seatrial.environment.changes.packages import ABSENT
from seatrial.environment.compare import compare
from seatrial.environment.difference import LEVELS, Difference, Level
from seatrial.environment.document import demanded
from seatrial.environment.machine.packages import normalised
from seatrial.environment.policy import RULES
from seatrial.environment.versions import changed, read
from seatrial.errors import FileError, FormError, Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

NOT_FOUND = "not_found"
"""What stands for the version of an expected dependency that is not installed."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_OF_A_PACKAGE = frozenset({"dependencies", "records", "altered"})
_MISSING = frozenset({NOT_FOUND, "unknown"})
_STEPS: dict[str, Level] = {"major": "error", "minor": "error", "unknown": "error", "patch": "warn"}


class EnvironmentValidator:
    """Captures this interpreter's environment, and compares that of training with that of serving.

    ``expected_dependencies`` are the packages that matter: names, ``name==version`` where one
    version is demanded, or a mapping of names to versions (None for any). ``clock`` tells the time
    that a capture is stamped with.

    >>> validator = EnvironmentValidator(["numpy", "onnxruntime"])
    >>> here = validator.capture_environment_hash()
    >>> validator.validate_consistency(here, here)
    (True, [])
    >>> there = {**here, "dependencies": {**here["dependencies"], "numpy": "1.26.4"}}
    >>> consistent, lines = validator.validate_consistency(there, here)
    >>> consistent, lines[0].partition(" -> ")[0]
    (False, 'error dependencies.numpy: 1.26.4')
    """

    def __init__(
        self,
        expected_dependencies: Iterable[str] | Mapping[str, str | None],
        clock: Callable[[], datetime] = workspace.now,
    ) -> None:
        self.expected_dependencies = _expected(expected_dependencies)
        self._clock = clock

    def capture_environment_hash(self) -> dict[str, Any]:
        """The environment of this interpreter, with a ``hash`` over all but the ``timestamp``.

        A capture (:func:`seatrial.environment.capture.capture`) whose ``dependencies`` also name
        what is expected and not installed, as "not_found"; ``cpu_info`` is the processor in one
        line, ``cuda_available`` whether it can compute on a GPU.
        """
        found = capture(self._clock().isoformat(timespec="seconds"))
        absent = dict.fromkeys(self.expected_dependencies, NOT_FOUND)
        found["dependencies"] = dict(sorted({**absent, **found["dependencies"]}.items()))
        found["cpu_info"] = _one_line(found["cpu"])
        found["cuda_available"] = bool((found["cuda"] or {}).get("available"))
        found["hash"] = fingerprint(found)
        return found

    def validate_consistency(
        self, training_env: Mapping[str, Any], serving_env: Mapping[str, Any]
    ) -> tuple[bool, list[str]]:
        """Whether no error was found, and one line for each error and each warning.

        Both are what :meth:`capture_environment_hash` gave, or at least ``dependencies`` and
        ``python_version`` of that. An expected dependency must be there on both sides, in the
        version that is demanded and without a major or minor step; all other packages give
        warnings. FormError and UsageError say what is not in order with an argument.
        """
        training = _capture(training_env, "training_env")
        serving = _capture(serving_env, "serving_env")
        found = [
            *self._dependencies(training, serving),
            *(self._other(each) for each in compare(training, serving, together=False)),
            *_processor(training, serving),
        ]
        told = sorted(
            (each for each in found if each is not None and each.level != "info"),
            key=lambda each: (LEVELS.index(each.level), each.field),
        )
        return all(each.level != "error" for each in told), [str(each) for each in told]

    def _dependencies(
        self, training: Mapping[str, Any], serving: Mapping[str, Any]
    ) -> Iterator[Difference]:
        for name, version in self.expected_dependencies.items():
            then, now = (side["dependencies"].get(name) for side in (training, serving))
            if then is None or now is None:
                pin = version or then
                fix = f"pip install {name}=={pin}" if pin else f"pip install {name}"
                why = "expected on both sides, so that they can be alike"
                yield _difference("error", name, then or ABSENT, now or ABSENT, why, fix)
                continue
            if version is not None:
                for side, has in (("trained", then), ("served", now)):
                    if changed(version, has) != "same":
                        why = f"that version is demanded where it is {side}"
                        fix = f"pip install {name}=={version}"
                        yield _difference("error", name, version, has, why, fix)
            elif (step := changed(then, now)) != "same":
                why = RULES[f"package.{'major' if step == 'unknown' else step}"]
                yield _difference(_STEPS[step], name, then, now, why, f"pip install {name}=={then}")

    def _other(self, difference: Difference) -> Difference | None:
        """What has no line of its own yet; of packages that nobody expects no error comes."""
        place, _, name = difference.field.partition(".")
        expected = name in self.expected_dependencies
        if place == "dependencies" and expected:
            return None
        if place in _OF_A_PACKAGE and not expected and difference.level == "error":
            return replace(difference, level="warn", proven="warn")
        return difference


def _expected(told: Iterable[str] | Mapping[str, str | None]) -> dict[str, str | None]:
    """The demanded version by normalised name, None for any."""
    if isinstance(told, str) or not isinstance(told, Iterable):
        what, fix = f"the expected dependencies are {told!r}", "give a list of names"
        raise UsageError(Mistake(what, fix=fix))
    if isinstance(told, Mapping):
        pairs = [_pair(name, version, told) for name, version in told.items()]
    else:
        pairs = [_pair(*_split(each), each) for each in told]
    return dict(sorted(pairs))


def _split(told: object) -> tuple[object, str | None]:
    """A name, or a name and the one version that is demanded.

    >>> _split("numpy == 2.4.6"), _split("numpy")
    (('numpy', '2.4.6'), ('numpy', None))
    """
    if not isinstance(told, str):
        return told, None
    name, pin, version = told.partition("==")
    return name.strip(), version.strip() if pin else None


def _pair(name: object, version: object, told: object) -> tuple[str, str | None]:
    """A package as it is expected; UsageError when ``told`` does not say that."""
    known = isinstance(name, str) and _NAME.fullmatch(name)
    if not known or not (version is None or (isinstance(version, str) and read(version))):
        what = f"{told!r} is no name of a package, nor one with a version"
        fix = "write 'numpy' or 'numpy==2.4.6'"
        raise UsageError(Mistake(what, "expected_dependencies", fix=fix))
    return normalised(str(name)), None if version is None else str(version)


def _capture(told: object, where: str) -> dict[str, Any]:
    """An argument as a capture, without what stands for a missing package."""
    if not isinstance(told, Mapping):
        what = f"{where} is of the type {type(told).__name__}, not a dict"
        raise UsageError(Mistake(what, fix="give what capture_environment_hash() returned"))
    lacking = [key for key in ("dependencies", "python_version") if key not in told]
    if lacking:
        what = f"{where} lacks {' and '.join(lacking)}"
        raise FormError(Mistake(what, fix="give what capture_environment_hash() returned"))
    found = _checked(dict(told), where)
    versions = recorded.packages(found) or {}
    found["dependencies"] = {
        name: version for name, version in versions.items() if version not in _MISSING
    }
    if "cuda" not in found and isinstance(found.get("cuda_available"), bool):
        found["cuda"] = {"available": found["cuda_available"]}
    return found


def _checked(told: dict[str, Any], where: str) -> dict[str, Any]:
    """The same as JSON would hold it, each field of its kind; FormError names those that are not.

    No hash is checked: this is a value in this process, which may be changed on purpose.
    """
    apart = {"hash", "format"} if told.get("format") == FORMAT else {"hash"}
    kept = {key: value for key, value in told.items() if key not in apart}
    try:
        return demanded(json.loads(json.dumps(kept)), where)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormError(Mistake(f"{where} is not made of plain values: {error}")) from error
    except FileError as error:
        raise FormError(*error.mistakes) from error


def _processor(training: Mapping[str, Any], serving: Mapping[str, Any]) -> Iterator[Difference]:
    """What is known of a processor where that is one text alone."""
    then, now = (recorded.text(side, "cpu_info") for side in (training, serving))
    if then and now and then != now and not ("cpu" in training and "cpu" in serving):
        yield Difference(
            level="warn", proven="warn", field="cpu_info", expected=then, got=now,
            why=RULES["cpu.model"],
        )  # fmt: skip


def _difference(level: Level, name: str, expected: str, got: str, why: str, fix: str) -> Difference:
    return Difference(
        level=level,
        proven=level,
        field=f"dependencies.{name}",
        expected=expected,
        got=got,
        why=why,
        fix=fix,
    )


def _one_line(cpu: Mapping[str, Any]) -> str:
    """A processor in one line.

    >>> _one_line({"model": "Fast 3000", "flags": ["avx2", "fma"], "cores": 4})
    'Fast 3000 (4 cores; avx2, fma)'
    """
    cores = f"{cpu['cores']} cores" if cpu.get("cores") else ""
    known = "; ".join(filter(None, (cores, ", ".join(cpu.get("flags") or ()))))
    model = cpu.get("model") or "unknown processor"
    return f"{model} ({known})" if known else str(model)
