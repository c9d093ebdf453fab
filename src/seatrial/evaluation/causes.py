"""What is not as it was when a version was trained? The likeliest cause of a difference first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

FITTING = (
    "seatrial",
    "lightgbm",
    "scikit-learn",
    "numpy",
    "scipy",
    "onnx",
    "skl2onnx",
    "onnxmltools",
    "onnxruntime",
)
"""The packages that fit and export what is built in: each has a line of its own."""

NAMED = 6
"""So many other packages are named in their one line."""

_SYSTEM = {
    "python_version": "Python",
    "implementation": "Python implementation",
    "machine": "processor architecture",
    "os": "operating system",
    "os_release": "operating system",
    "libc": "C library",
}
_ABSENT = "not installed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was ``then`` and is ``now``, as it is shown to people."""

    what: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Causes:
    """What changed, the likeliest cause first, and what was not recorded with the version."""

    changed: tuple[Change, ...]
    unknown: tuple[str, ...]


def causes(then: Mapping[str, object], now: Mapping[str, object]) -> Causes:
    """What differs between a version's manifest and that of the same training done again.

    ``now`` may lack parts, which then count as unchanged; what ``then`` lacks is unknown.

    >>> found = causes(
    ...     {"training": {"seed": 1}, "environment": {"dependencies": {"numpy": "2.2.0"}}},
    ...     {"training": {"seed": 1}, "environment": {"dependencies": {"numpy": "2.3.1"}}},
    ... )
    >>> found.changed[0]
    Change(what='numpy', then='2.2.0', now='2.3.1')
    """
    training, again = _part(then, "training"), _part(now, "training")
    there, here = _part(then, "environment"), _part(now, "environment")
    code = [*_code(training, again)]
    # No code of the project takes part in what is built in, so it comes last there.
    own = "entrypoint" in _source(training)
    changed = [
        *_data(training, again),
        *(code if own else ()),
        *_source_changes(training, again),
        *_hyperparameters(training, again),
        *_plain(training, again, "seed", "seed"),
        *_packages(there, here),
        *_system(there, here),
        *_cpu(there, here),
        *_plain(training, again, "threads", "threads"),
        *_variables(there, here),
        *(() if own else code),
    ]
    return Causes(tuple(changed), tuple(_unknown(then)))


def code_said(code: Mapping[str, object]) -> str:
    """A recorded revision in a few words; empty when there was none.

    >>> code_said({"revision": "0a1b2c3d4e5f60718293", "dirty": ["fit.py"], "changed": 1,
    ...            "digest": "sha256:99aa88bb77"})
    '0a1b2c3d4e5f, fit.py uncommitted (99aa88bb)'
    """
    if "revision" not in code:
        return ""
    revision = code["revision"]
    told = str(revision)[:12] if revision else "never committed"
    dirty = cast("list[object]", code.get("dirty") or [])
    if not dirty:
        return told
    more = int(str(code.get("changed", len(dirty)))) - 1
    named = f"{dirty[0]}{f' and {more} more' if more else ''}"
    digest = str(code.get("digest")).removeprefix("sha256:")[:8]
    return f"{told}, {named} uncommitted ({digest})"


def _data(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    if "fingerprint" in now and now["fingerprint"] != then.get("fingerprint"):
        yield Change(f"dataset {then.get('dataset')}", _rows(then), _rows(now))


def _rows(training: Mapping[str, Any]) -> str:
    digest = str(training.get("fingerprint", "?")).removeprefix("sha256:")[:12]
    return f"{training.get('rows', '?')} rows ({digest})"


def _code(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    before, after = _part(then, "code"), _part(now, "code")
    keys = ("revision", "digest")
    if not code_said(before) or "code" not in now:
        return
    if [before.get(key) for key in keys] != [after.get(key) for key in keys]:
        yield Change("code", code_said(before), code_said(after) or "no git repository")


def _source_changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """Another entry point's code, another ready file."""
    before, after = _source(then), _source(now)
    for key, what in (("code", "code of the entry point"), ("digest", "the file")):
        if key in before and key in after and before[key] != after[key]:
            yield Change(what, _short(before[key]), _short(after[key]))


def _source(training: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the model came from, when it was not a built-in type."""
    return _part(training, "source")


def _hyperparameters(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    if "hyperparameters" in then and "hyperparameters" in now:
        yield from named("hyperparameter", _part(then, "hyperparameters"), now["hyperparameters"])


def named(
    what: str, then: Mapping[str, object], now: Mapping[str, object], absent: str = "default"
) -> Iterator[Change]:
    """Every name whose value is another now.

    >>> [*named("hyperparameter", {"num_leaves": 7}, {"num_leaves": 7, "learning_rate": 0.1})]
    [Change(what='hyperparameter learning_rate', then='default', now='0.1')]
    """
    for name in sorted({*then, *now}):
        before, after = then.get(name, absent), now.get(name, absent)
        if before != after:
            yield Change(f"{what} {name}".strip(), str(before), str(after))


def _plain(
    then: Mapping[str, Any], now: Mapping[str, Any], key: str, what: str
) -> Iterator[Change]:
    if key in then and key in now and then[key] != now[key]:
        yield Change(what, str(then[key]), str(now[key]))


def _packages(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    before, after = _part(then, "dependencies"), _part(now, "dependencies")
    if not before or not after:
        return
    found = {change.what: change for change in named("", before, after, _ABSENT)}
    for name in FITTING:
        if name in found:
            yield found.pop(name)
    if found:
        shown = [*found.values()][:NAMED]
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        yield Change(
            "other packages",
            ", ".join(f"{change.what} {change.then}" for change in shown) + more,
            ", ".join(f"{change.what} {change.now}" for change in shown) + more,
        )


def _system(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for key, what in _SYSTEM.items():
        yield from _plain(then, now, key, what)


def _cpu(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    before, after = _part(then, "cpu"), _part(now, "cpu")
    if before and after:
        yield from _plain(before, after, "model", "processor")
        old, new = set(before.get("flags", ())), set(after.get("flags", ()))
        if old != new:
            gone, come = (", ".join(sorted(each)) or "-" for each in (old - new, new - old))
            yield Change("processor features", gone, come)


def _variables(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    if "variables" in then and "variables" in now:
        yield from named("variable", then["variables"], now["variables"], "not set")


def _unknown(then: Mapping[str, object]) -> Iterator[str]:
    training, environment = _part(then, "training"), _part(then, "environment")
    code = _part(training, "code")
    if "trouble" in code:
        yield f"the code's revision ({code['trouble']})"
    elif not code:
        why = "no git repository" if "code" in training else "not recorded then"
        yield f"the code's revision ({why})"
    for key, what in (("dependencies", "the packages"), ("cpu", "the processor")):
        if not _part(environment, key):
            yield f"{what} (not recorded then)"


def _part(whole: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = whole.get(key)
    return part if isinstance(part, Mapping) else {}


def _short(digest: object) -> str:
    return str(digest).removeprefix("sha256:")[:12]
