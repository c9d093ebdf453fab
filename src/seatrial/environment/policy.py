"""How grave is a difference? The rules, and what a pipeline file says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from seatrial.environment.difference import LEVELS, Level
from seatrial.environment.machine.packages import normalised
from seatrial.errors import FileError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.environment.needs import Form

Levels = tuple[Level, Level]
"""The level without a proof, and the level once the golden rows were answered equally there."""

IGNORE = "ignore"
"""What a policy says so that a difference is not even told."""

WORDS = (*LEVELS, IGNORE)
"""Every level that a policy may state."""

ONE_PACKAGE = "packages."
"""``packages.NAME`` is the rule for any difference in one package."""

_LEVEL: dict[str, Level] = {level: level for level in LEVELS}

LONGEST = 60
"""Characters of a wrong value that are shown."""

_ERROR: Levels = ("error", "error")
_ERROR_WARN: Levels = ("error", "warn")
_ERROR_INFO: Levels = ("error", "info")
_WARN: Levels = ("warn", "warn")
_WARN_INFO: Levels = ("warn", "info")
_INFO: Levels = ("info", "info")


@dataclass(frozen=True, slots=True)
class Rule:
    """``why`` it matters; ``onnx``, ``pickle``, ``any`` are the levels by the form of the model.

    For "any" no model is known, so nothing can be proven and both levels are the same.
    """

    why: str
    onnx: Levels
    pickle: Levels
    any: Levels


_RULES = {
    "python.major": Rule(
        "another major version of Python is another language", _ERROR_WARN, _ERROR, _ERROR
    ),
    "python.minor": Rule(
        "pickles and compiled packages are made for one minor version of Python",
        *(_WARN_INFO, _ERROR, _ERROR),
    ),
    "python.patch": Rule("a patch of Python rarely moves an answer", _INFO, _INFO, _INFO),
    "python.implementation": Rule(
        "another implementation of Python runs other code", _WARN_INFO, _ERROR, _ERROR
    ),
    "python.build": Rule("Python was compiled otherwise", _INFO, _INFO, _INFO),
    "onnxruntime.major": Rule(
        "another onnxruntime may compute the graph otherwise", _ERROR_WARN, _ERROR, _ERROR
    ),
    "onnxruntime.minor": Rule(
        "another onnxruntime may compute the graph otherwise", _ERROR_WARN, _ERROR, _ERROR
    ),
    "onnxruntime.patch": Rule("a patch may mend a kernel", _WARN_INFO, _ERROR, _WARN),
    "package.major": Rule(
        "a major step may change what a function answers", _WARN_INFO, _ERROR, _ERROR
    ),
    "package.minor": Rule("a minor step may change defaults and rounding", _INFO, _ERROR, _WARN),
    "package.patch": Rule("a patch may mend what an answer depends on", _INFO, _ERROR, _INFO),
    "package.missing": Rule("the model cannot answer without it", _ERROR, _ERROR, _ERROR),
    "package.extra": Rule(
        "what is installed beside may replace or steer what answers", _INFO, _WARN, _WARN
    ),
    "package.build": Rule(
        "the same version with other files: another build, or altered",
        *(_WARN_INFO, _ERROR, _WARN),
    ),
    "package.other_build": Rule(
        "another platform has another build of the same version", _INFO, _INFO, _INFO
    ),
    "package.altered": Rule(
        "files differ from those that were installed: code that nobody released",
        *(_ERROR, _ERROR, _ERROR),
    ),
    "package.editable": Rule(
        "an editable install changes with its folder, whatever its version says",
        *(_WARN, _WARN, _WARN),
    ),
    "package.hidden": Rule(
        "two versions are on the path: another order of folders loads the other one",
        *(_WARN, _WARN, _WARN),
    ),
    "package.unnamed": Rule(
        "what says no name cannot be compared: a rest of a broken installation?",
        *(_INFO, _INFO, _INFO),
    ),
    "package.other": Rule("the model does not need it", _INFO, _INFO, _INFO),
    "package.other_altered": Rule(
        "the model does not need it, but somebody changes installed files",
        *(_WARN, _WARN, _WARN),
    ),
    "machine": Rule(
        "another processor architecture computes with other kernels",
        *(_ERROR_WARN, _ERROR_WARN, _ERROR),
    ),
    "libc": Rule("another C library has other mathematics", _ERROR_WARN, _ERROR_WARN, _ERROR),
    "libc.version": Rule("exp and log may differ in the last bit", _INFO, _INFO, _INFO),
    "os": Rule("another system loads other builds of every package", _INFO, _WARN_INFO, _WARN),
    "os.release": Rule("another release brings other system libraries", _INFO, _INFO, _INFO),
    "kernel": Rule("a kernel does not compute, but it schedules", _INFO, _INFO, _INFO),
    "cpu.model": Rule("another processor may choose other kernels", _INFO, _INFO, _INFO),
    "cpu.cores": Rule("the number of threads can change the order of a sum", _INFO, _INFO, _INFO),
    "cpu.flags": Rule("other instruction sets choose other kernels", _INFO, _INFO, _INFO),
    "cpu.flags.gone": Rule(
        "the numeric libraries choose other kernels without it", _INFO, _WARN_INFO, _WARN
    ),
    "cpu.int8": Rule(
        "its products of bytes overflow with AVX2 without VNNI: seatrial prevents that, another "
        "program must itself set session.x64quantprecision to 1",
        *(_ERROR_INFO, _ERROR_INFO, _ERROR),
    ),
    "libraries": Rule(
        "another BLAS, or another of its kernels, rounds otherwise", _INFO, _WARN_INFO, _WARN
    ),
    "libraries.version": Rule("another BLAS may have other kernels", _INFO, _INFO, _INFO),
    "libraries.threads": Rule(
        "the number of threads can change the order of a sum", _INFO, _INFO, _INFO
    ),
    "onnxruntime.build": Rule("onnxruntime was compiled otherwise", _INFO, _INFO, _INFO),
    "providers": Rule("the model is to be answered by it", _ERROR, _ERROR, _ERROR),
    "providers.other": Rule("another provider has other kernels", _INFO, _INFO, _WARN),
    "cuda.absent": Rule("the model is to be answered on a GPU", _ERROR, _ERROR, _ERROR),
    "cuda": Rule(
        "another GPU, driver or CUDA library rounds otherwise", _WARN_INFO, _WARN_INFO, _WARN
    ),
    "cuda.other": Rule("the model is answered without a GPU", _INFO, _INFO, _INFO),
    "variables": Rule("it steers threads, kernels or texts", _WARN_INFO, _WARN, _WARN),
    "locale": Rule("it decides how texts are read and sorted", _WARN_INFO, _WARN, _WARN),
    "timezone": Rule("it decides which day a moment belongs to", _WARN_INFO, _WARN, _WARN),
    "image": Rule("another container image may hold anything else", _INFO, _INFO, _INFO),
    "trouble": Rule(
        "a library that fails when it is asked may fail when it answers",
        *(_WARN_INFO, _WARN, _WARN),
    ),
    "unknown": Rule("what was not recorded on both sides cannot be compared", _INFO, _INFO, _INFO),
}

RULES: Mapping[str, str] = {name: rule.why for name, rule in _RULES.items()}
"""Every rule that a policy may name, with why a difference matters; and ``packages.NAME``."""


class Misstated(NamedTuple):
    """One thing that is wrong with a policy; ``key`` is empty when it is the whole."""

    key: str
    what: str
    nearest: str
    fix: str


@dataclass(frozen=True, slots=True)
class Policy:
    """``levels`` are the levels by rule that a user set: error, warn, info or ignore.

    What is set counts whether or not golden rows were proven.
    """

    levels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Policy:
        """The policy that the version's pipeline file stated."""
        told = manifest.get("environment_policy")
        return cls.read(told, "environment_policy in the manifest") if told is not None else cls()

    @classmethod
    def read(cls, told: object, where: str | Callable[[str], str]) -> Policy:
        """A policy from what a YAML or JSON file holds; FileError with all that is wrong.

        ``where`` says where that stands, or is asked for each key.

        >>> Policy.read({"kernel": "warn", "packages.Scikit_Learn": "error"}, "policy.yaml").levels
        {'kernel': 'warn', 'packages.scikit-learn': 'error'}
        """
        wrong = mistakes(told)
        if wrong:
            raise FileError(
                *(
                    Mistake(
                        each.what,
                        where if isinstance(where, str) else where(each.key),
                        each.nearest,
                        each.fix,
                    )
                    for each in wrong
                )
            )
        assert isinstance(told, Mapping)
        return cls({_normal(key): str(level) for key, level in told.items()})

    def judged(self, rule: str, form: Form, package: str = "") -> Levels | None:
        """The levels of a difference that falls under a rule; None when it is ignored.

        ``package`` is the normalised name where the difference is one of a package.

        >>> Policy().judged("machine", "onnx")
        ('error', 'warn')
        >>> Policy({"machine": "ignore"}).judged("machine", "onnx") is None
        True
        """
        said = self.levels.get(f"{ONE_PACKAGE}{package}") if package else None
        said = said or self.levels.get(rule)
        if said is None:
            rules = _RULES[rule]
            return {"onnx": rules.onnx, "pickle": rules.pickle, "any": rules.any}[form]
        return None if said == IGNORE else (_LEVEL[said], _LEVEL[said])


def mistakes(told: object) -> list[Misstated]:
    """What is wrong with a policy, in its order: unknown rules and levels.

    >>> [wrong.nearest for wrong in mistakes({"kernal": "warn", "libc": "warning"})]
    ['kernel', 'warn']
    """
    if not isinstance(told, Mapping):
        what = f"a policy is a level for each rule, not {_shown(told)}"
        return [Misstated("", what, "", "write for example `kernel: ignore`")]
    return [wrong for key, level in told.items() for wrong in _wrong(key, level)]


def _wrong(key: object, level: object) -> list[Misstated]:
    found = []
    place = str(key)
    if not isinstance(key, str) or not _known(key):
        what = f"there is no rule {_shown(key)} for environments"
        fix = f"the rules are in docs/reference/environment.md; for one package `{ONE_PACKAGE}NAME`"
        found.append(Misstated(place, what, nearest(place, RULES), fix))
    if not isinstance(level, str) or level not in WORDS:
        what = f"the level of {place} is {_shown(level)}"
        fix = f"one of {', '.join(WORDS)}"
        found.append(Misstated(place, what, nearest(str(level), WORDS), fix))
    return found


def _known(key: str) -> bool:
    return key in RULES or (key.startswith(ONE_PACKAGE) and len(key) > len(ONE_PACKAGE))


def _normal(key: str) -> str:
    if key.startswith(ONE_PACKAGE):
        return f"{ONE_PACKAGE}{normalised(key.removeprefix(ONE_PACKAGE))}"
    return key


def _shown(value: object) -> str:
    """A value in few characters, on one line."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
