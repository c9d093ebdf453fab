"""An environment that somebody names on the command line, and who it is that demands it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any

from seatrial.cli._options import existing_project
from seatrial.errors import Mistake, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from seatrial.environment.demands import Demands

NO_PROJECT = "go to the folder of the project; a bundle needs none: name its folder"

HERE = "here"
"""This machine, this interpreter."""

_MODEL = "a version such as MODEL@production, or what `seatrial bundle` wrote"
WHAT = f"a capture, a list of packages (.txt, .lock), {_MODEL}, or `{HERE}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """``name`` is the head of its column.

    ``demands`` are those of a version, or of one in a bundle, whose manifest has the ``digest``.
    Of a machine that brought its proof ``digest`` is the version that was asked there, and
    ``answers`` says whether it answered as it must; None: nobody asked.
    """

    name: str
    environment: Mapping[str, Any]
    demands: Demands | None = None
    digest: str = ""
    answers: bool | None = None


def sides(texts: Sequence[str], packages: Collection[str] = ()) -> tuple[Side, ...]:
    """What each text names, with names that differ; ``packages`` are verified file by file here.

    FileError or UsageError when a text names nothing, or something that is damaged.
    """
    found = [_side(text, packages) for text in texts]
    names = _distinct(texts, [each.name for each in found])
    return tuple(replace(each, name=name) for each, name in zip(found, names, strict=True))


def demanding(wanted: str | None, texts: Sequence[str]) -> Side | None:
    """The version whose demands count: the one that is wanted, else the first among the texts."""
    if wanted is not None and not (is_version(wanted) or _is_bundle(Path(wanted))):
        what = f"{wanted!r} names no model, so it needs nothing"
        raise UsageError(Mistake(what, fix=f"name {_MODEL}"))
    for text in texts if wanted is None else [wanted]:
        if is_version(text) or _is_bundle(Path(text)):
            return _with_demands(text)
    return None


def is_version(text: str) -> bool:
    """Whether a text names a version, not a file."""
    return "@" in text and not _mode(Path(text))


def _side(text: str, packages: Collection[str]) -> Side:
    path = Path(text)
    if text == HERE:
        from seatrial.environment.capture import capture

        return Side(name=HERE, environment=capture(deep=packages or None))
    if is_version(text) or _is_bundle(path):
        return _with_demands(text)
    try:
        path.stat()
    except OSError as error:
        raise UsageError(_nothing(text, error)) from error
    from seatrial.environment.machines import PINNED, expected_of, machine_of

    if path.suffix in PINNED:
        return Side(name=path.stem, environment=expected_of(path))
    machine = machine_of(path, path.stem)
    return Side(
        name=machine.name,
        environment=machine.environment,
        digest=machine.digest,
        answers=machine.answers,
    )


def _is_bundle(path: Path) -> bool:
    from seatrial.environment.bundles.archive import is_archive

    mode = _mode(path)
    return S_ISDIR(mode) or (S_ISREG(mode) and is_archive(path))


def _mode(path: Path) -> int:
    """Of what lies there; 0 where nothing does, or nothing that may be looked at."""
    try:
        return path.stat().st_mode
    except OSError:  # told where it is opened
        return 0


def _with_demands(text: str) -> Side:
    """A version of this project, or one in a bundle: where it was trained, and what it demands."""
    from seatrial.environment.bundles import bundled
    from seatrial.environment.demands import Demands

    if is_version(text):
        from seatrial.cli._version import version_of

        opened = existing_project(NO_PROJECT)
        version = version_of(opened, text)
        name, digest = str(version), version.digest
        manifest = dict(opened.registry.manifest(version))
    else:
        with bundled.opened(Path(text)) as bundle:
            name, digest = str(bundle), bundle.listing.digest
            manifest = dict(bundle.manifest)
    demands = Demands.of(manifest)
    return Side(name=name, environment=demands.environment, demands=demands, digest=digest)


def _nothing(text: str, error: OSError) -> Mistake:
    path = Path(text)
    if not isinstance(error, FileNotFoundError):
        what = f"{text!r} cannot be read: {error.strerror}"
        return Mistake(what, fix="check that you may read it, and the folders above it")
    near = nearest(path.name, [HERE, *(each.name for each in path.absolute().parent.glob("*"))])
    return Mistake(f"there is no {text!r}", nearest=near, fix=f"name {WHAT}")


def _distinct(texts: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Names that differ: those that would not are told by their paths, else counted.

    >>> [*_distinct(["a/env.json", "b/env.json", "pi.json"], ["env", "env", "pi"])]
    ['a/env.json', 'b/env.json', 'pi']
    >>> [*_distinct(["pi.json", "pi.json"], ["pi", "pi"])]
    ['pi.json', 'pi.json (2)']
    """
    seen: dict[str, int] = {}
    for text, name in zip(texts, names, strict=True):
        clear = name if names.count(name) == 1 else text
        seen[clear] = seen.get(clear, 0) + 1
        yield clear if seen[clear] == 1 else f"{clear} ({seen[clear]})"
