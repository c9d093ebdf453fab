"""Which packages are not the same in two captures?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from seatrial.environment.changes import recorded
from seatrial.environment.changes.change import Change
from seatrial.environment.machine.packages import normalised
from seatrial.environment.versions import changed, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from seatrial.environment.changes.recorded import Capture

ABSENT = "not installed"

RUNTIME = "onnxruntime"
"""The package that answers for an ONNX model; it has rules of its own."""

NAMED = 6
"""So many of the packages that do not matter are named in their one line."""

SHOWN = 3
"""So many altered files are named."""


class _About(TypedDict):
    field: str
    package: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """The packages of one capture; ``platform`` is what its builds were made for."""

    known: bool
    versions: Mapping[str, str]
    records: Mapping[str, Any]
    editable: frozenset[str]
    hidden: Mapping[str, tuple[str, ...]]
    altered: Mapping[str, tuple[str, ...]]
    verified: frozenset[str]
    platform: tuple[str, ...]


def package_changes(
    expected: Capture,
    got: Capture,
    needed: Collection[str] | None,
    named: Collection[str] = (),
    *,
    together: bool = True,
) -> Iterator[Change]:
    """The packages that differ: each that is needed by itself, all others together.

    ``needed`` are normalised names, None for all of them; ``named`` are others that have a line
    of their own, as have all when they are not to be ``together``. Of an expected side that does
    not know its packages, only what is needed counts.

    >>> [change.field for change in package_changes(
    ...     {"dependencies": {"numpy": "2.4.6", "a": "1", "b": "1"}},
    ...     {"dependencies": {"numpy": "2.5.0", "a": "2"}}, needed=["numpy"])]
    ['dependencies.numpy', 'dependencies', 'dependencies, missing']
    """
    there, here = _side(expected), _side(got)
    if not here.known:
        return
    every = {*there.versions, *here.versions} if there.known else set()
    chosen = every if needed is None else {*needed, *every.intersection(named)}
    others = []
    for name in sorted(every | chosen):
        for change in _changes(name, there, here):
            if needed is None and change.rule == "package.missing":
                yield replace(change, why="anything may need it")
            elif name in chosen:
                yield change
            elif change.rule == "package.altered":
                yield replace(change, rule="package.other_altered")
            else:
                others.append(change)
    if together:
        yield from _together(others)
    else:
        yield from (replace(change, rule="package.other", why="", fix="") for change in others)
    yield from _unnamed(expected, got)


def versions(capture: Capture) -> dict[str, str] | None:
    """The version of each package; None when they are not known."""
    found = recorded.packages(capture)
    if found is None:
        return None
    told = {name: str(version) for name, version in found.items()}
    runtime = recorded.text(recorded.part(capture, RUNTIME) or {}, "version")
    if runtime:
        # It may come from a distribution of another name, such as onnxruntime-gpu.
        told[RUNTIME] = runtime
    return told


def short(digest: object) -> str:
    """The beginning of a digest: enough to tell two apart.

    >>> short("sha256:0123456789abcdef")
    '0123456789ab'
    """
    return str(digest).removeprefix("sha256:")[:12]


def _side(capture: Capture) -> _Side:
    found = versions(capture)
    return _Side(
        known=found is not None,
        versions=found or {},
        records=recorded.packages(capture, "records") or {},
        editable=frozenset(map(normalised, recorded.names(capture, "editable"))),
        hidden=_lists(capture, "hidden"),
        altered=_lists(capture, "altered"),
        verified=frozenset(map(normalised, recorded.names(capture, "verified"))),
        platform=recorded.platform(capture),
    )


def _lists(capture: Capture, key: str) -> dict[str, tuple[str, ...]]:
    found = recorded.packages(capture, key) or {}
    return {name: recorded.names(found, name) for name in found}


def _changes(name: str, there: _Side, here: _Side) -> Iterator[Change]:
    """All that differs in one package."""
    now = here.versions.get(name)
    if now is None:
        yield _missing(name, there)
        return
    then = there.versions.get(name)
    if then is not None:
        yield from _version(name, then, now)
        if changed(then, now) == "same":
            yield from _build(name, there, here)
    elif there.known:
        yield Change(
            **_about(name), rule="package.extra", expected=ABSENT, got=now,
            fix=f"pip uninstall {name}",
        )  # fmt: skip
    yield from _altered(name, there, here)
    yield from _installed(name, there, here)


def _missing(name: str, there: _Side) -> Change:
    then = there.versions.get(name)
    return Change(
        **_about(name),
        rule="package.missing",
        expected=then or (ABSENT if there.known else "any version"),
        got=ABSENT,
        fix=f"pip install {name}=={then}" if then else f"pip install {name}",
    )


def _version(name: str, then: str, now: str) -> Iterator[Change]:
    step = changed(then, now)
    if step == "same":
        return
    odd = then if read(then) is None else now
    whose = RUNTIME if name == RUNTIME else "package"
    yield Change(
        **_about(name),
        rule=f"{whose}.{'major' if step == 'unknown' else step}",
        expected=then,
        got=now,
        why=f"{odd!r} is no version, so it counts as a major step" if step == "unknown" else "",
        fix=f"pip install {name}=={then}",
    )


def _build(name: str, there: _Side, here: _Side) -> Iterator[Change]:
    """The same version with other files."""
    then, now = there.records.get(name), here.records.get(name)
    if then is None or now is None or then == now:
        return
    alike = there.platform == here.platform
    yield Change(
        **_about(name, "records"),
        rule="package.build" if alike else "package.other_build",
        expected=short(then),
        got=short(now),
        fix=_anew(name, there.versions[name]) if alike else "",
    )


def _altered(name: str, there: _Side, here: _Side) -> Iterator[Change]:
    then, now = there.altered.get(name, ()), here.altered.get(name, ())
    if then == now or not (now or name in here.verified):
        return
    yield Change(
        **_about(name, "altered"),
        rule="package.altered",
        expected=_files(then),
        got=_files(now),
        fix=_anew(name, here.versions[name]),
    )


def _installed(name: str, there: _Side, here: _Side) -> Iterator[Change]:
    """How a package lies on the path; what the expected side does not know is as it should be."""
    then, now = (name in side.editable for side in (there, here))
    if then != now:
        yield Change(
            **_about(name, "editable"),
            rule="package.editable",
            expected="editable" if then else "installed",
            got="editable" if now else "installed",
            fix="" if then else _anew(name, here.versions[name]),
        )
    hides, hidden = (side.hidden.get(name, ()) for side in (there, here))
    if hides != hidden:
        yield Change(
            **_about(name, "hidden"),
            rule="package.hidden",
            expected=", ".join(hides) or "one version",
            got=f"{here.versions[name]} before {', '.join(hidden)}" if hidden else "one version",
            fix=f"pip uninstall {name} until none is left, then install it once" if hidden else "",
        )


def _together(others: Sequence[Change]) -> Iterator[Change]:
    """The packages that do not matter, the first change of each: a line for each way to differ."""
    found = [*{change.package: change for change in reversed(others)}.values()][::-1]
    if len(found) == 1:
        yield replace(found[0], rule="package.other", why="", fix="")
        return
    gone = [each for each in found if each.got == ABSENT]
    new = [each for each in found if each.expected == ABSENT]
    other = [each for each in found if ABSENT not in {each.expected, each.got}]
    ways = {"dependencies": other, "dependencies, missing": gone, "dependencies, unexpected": new}
    for field, group in ways.items():
        if group:
            yield Change(
                rule="package.other",
                field=field,
                expected=ABSENT if group is new else _several(group, "expected"),
                got=ABSENT if group is gone else _several(group, "got"),
                why=f"{_count(group)} that the model does not need",
            )


def _count(group: Sequence[Change]) -> str:
    return f"{len(group)} packages" if len(group) > 1 else "a package"


def _several(group: Sequence[Change], side: Literal["expected", "got"]) -> str:
    told = [f"{each.package} {getattr(each, side)}" for each in group[:NAMED]]
    more = f" and {len(group) - NAMED} more" if len(group) > NAMED else ""
    return ", ".join(told) + more


def _unnamed(expected: Capture, got: Capture) -> Iterator[Change]:
    then, now = (", ".join(recorded.names(side, "unnamed")) for side in (expected, got))
    if then != now:
        yield Change(
            rule="package.unnamed",
            field="unnamed",
            expected=then or "none",
            got=now or "none",
            fix="remove these folders from site-packages" if now else "",
        )


def _about(name: str, where: str = "dependencies") -> _About:
    return {"field": f"{where}.{name}", "package": name}


def _anew(name: str, version: str) -> str:
    return f"pip install --force-reinstall --no-deps {name}=={version}"


def _files(altered: Sequence[str]) -> str:
    if not altered:
        return "as installed"
    more = f" and {len(altered) - SHOWN} more" if len(altered) > SHOWN else ""
    return f"altered: {', '.join(altered[:SHOWN])}{more}"
