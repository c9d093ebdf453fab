"""An environment as lines that pip reads, and such lines as an environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seatrial.environment.changes import recorded
from seatrial.environment.machine.packages import normalised
from seatrial.environment.markers import holds, variables
from seatrial.environment.versions import read as version
from seatrial.errors import FileError, FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.environment.changes.recorded import Capture

NAMED = 6
"""So many packages without a hash are named, the rest is counted."""

LONGEST = 1000
"""Characters of a requirement without its options; what is longer is none."""

_NOT_HERE = {
    "-r": "another file's lines would be missing here",
    "--requirement": "another file's lines would be missing here",
    "-c": "another file's pins would be missing here",
    "--constraint": "another file's pins would be missing here",
    "-e": "an editable install has no version to compare",
    "--hash": "the line that it belongs to ended above",
    "--editable": "an editable install has no version to compare",
}
_RESOLVE = "let a tool write all of it into one file: uv pip compile, pip-compile or pip freeze"
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_HASH = re.compile(r"\s--hash[=\s]\s*(\S+)")
_OPTION = re.compile(r"\s--?[A-Za-z].*$", re.DOTALL)
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^]]*\])?\s*"
    r"(?P<rest>[^;]*?)\s*(?:;\s*(?P<marker>.+?))?\s*",
    re.DOTALL,
)
_PINNED = re.compile(r"\(?\s*={2,3}\s*(?P<version>[^\s,*()]+)\s*\)?")
_DIGEST = re.compile(r"sha(?:256|384|512):[0-9a-f]{64,128}")


@dataclass(frozen=True, slots=True)
class Pin:
    """A package at one version, with the digests of the archives that it may be installed from."""

    version: str
    hashes: tuple[str, ...]


def lines(capture: Capture, locked: str = "") -> str:
    """The packages of a capture as a requirements file, with the hashes that a lock file knows.

    ``locked`` is the text of that lock file. What pip may install under a hash is said in its
    first line, for pip refuses a file in which only some lines have one. The digest of what lies
    in site-packages stands behind each as a comment.

    >>> print(lines({"dependencies": {"numpy": "2.4.6"}, "records": {"numpy": "sha256:ab"}}))
    # no hashes: an installed package does not know the archive it came from; a lock file does
    numpy==2.4.6
        # record sha256:ab
    """
    pins = pinned(locked, "the lock file") if locked else {}
    versions = recorded.packages(capture) or {}
    editable = {normalised(name) for name in recorded.names(capture, "editable")}
    records = recorded.packages(capture, "records") or {}
    hashes = {
        name: pins[name].hashes if _is_pinned(pins.get(name), str(versions[name])) else ()
        for name in versions
        if name not in editable
    }
    written = [_head(hashes)]
    for name in sorted(versions):
        if name in editable:
            written.append(f"# {name}=={versions[name]} is editable: install it from its folder")
            continue
        marks = [f"--hash={each}" for each in hashes[name]]
        written.append(" \\\n    ".join([f"{name}=={versions[name]}", *marks]))
        if name in records:
            written.append(f"    # record {records[name]}")
    return "\n".join(written)


def read(text: str, where: str) -> dict[str, Any]:
    r"""What a requirements or lock file pins, as the expected side of a comparison.

    A capture that knows ``dependencies`` alone: those whose marker holds for this interpreter.
    FileError with every line that pins nothing; ``where`` is the file's name.

    >>> read("numpy==2.4.6 ; python_version > '3'\n", "requirements.txt")
    {'dependencies': {'numpy': '2.4.6'}}
    """
    return {"dependencies": {name: pin.version for name, pin in pinned(text, where).items()}}


def pinned(text: str, where: str) -> dict[str, Pin]:
    """The pins of a requirements or lock file by normalised name; FileError as :func:`read`."""
    found: dict[str, Pin] = {}
    wrong = []
    here = variables()
    for number, line in _logical(text):
        try:
            name, pin = _pin(line, here)
        except FormError as error:
            wrong += [replace(each, where=f"{where}:{number}") for each in error.mistakes]
            continue
        if pin is not None and found.setdefault(name, pin).version != pin.version:
            what = f"{name} is pinned to {pin.version} here, and to {found[name].version} above"
            wrong.append(Mistake(what, f"{where}:{number}", fix="leave one of the lines"))
    if wrong:
        raise FileError(*wrong)
    if not found:
        raise FileError(Mistake("no package is pinned", where, fix="write lines: numpy==2.4.6"))
    return dict(sorted(found.items()))


def _logical(text: str) -> Iterator[tuple[int, str]]:
    r"""The lines that say something, joined where they end in ``\``, with their first number."""
    start, joined = 0, ""
    for number, line in enumerate([*text.lstrip("\ufeff").splitlines(), ""], 1):
        start = start or number
        bare = _COMMENT.sub("", line)
        if bare.rstrip().endswith("\\"):
            joined += bare.rstrip()[:-1] + " "
            continue
        if (whole := (joined + bare).strip()) != "":
            yield start, whole
        start, joined = 0, ""


def _pin(line: str, here: Mapping[str, str]) -> tuple[str, Pin | None]:
    """The name and the pin of a line; no pin when it says nothing about a package here."""
    if line.startswith("-"):
        option = re.split(r"[=\s]", line, maxsplit=1)[0]
        option = option if option.startswith("--") else option[:2]
        if option in _NOT_HERE:
            raise FormError(Mistake(f"{line[:60]!r}: {_NOT_HERE[option]}", fix=_RESOLVE))
        return "", None  # where to find archives and how to build them pins nothing
    hashes = tuple(_HASH.findall(line))
    bare = _OPTION.sub("", line)
    found = _REQUIREMENT.fullmatch(bare) if len(bare) <= LONGEST else None
    pinned_at = _PINNED.fullmatch(found["rest"]) if found else None
    if found is None or pinned_at is None:
        raise FormError(Mistake(f"{bare[:60]!r} is not pinned to one version", fix=_RESOLVE))
    if version(pinned_at["version"]) is None and "===" not in found["rest"]:
        what = f"{pinned_at['version']!r} is no version"
        raise FormError(Mistake(what, fix="write it as PEP 440 has it: numpy==2.4.6"))
    if odd := [each for each in hashes if not _DIGEST.fullmatch(each)]:
        fix = "a hash is sha256: and 64 hexadecimal digits"
        raise FormError(Mistake(f"{odd[0][:80]!r} is no hash", fix=fix))
    if found["marker"] and not holds(found["marker"], here):
        return "", None
    return normalised(found["name"]), Pin(pinned_at["version"], hashes)


def _is_pinned(pin: Pin | None, at: str) -> bool:
    if pin is None:
        return False
    mine, its = version(pin.version), version(at)
    return pin.version == at or (mine is not None and mine == its)


def _head(hashes: Mapping[str, tuple[str, ...]]) -> str:
    """The first line: what has no hash, for pip wants one for each or for none."""
    without = sorted(name for name, known in hashes.items() if not known)
    if not without:
        return "# every line has its hashes: pip install --require-hashes"
    if len(without) == len(hashes):
        return (
            "# no hashes: an installed package does not know the archive it came from; "
            "a lock file does"
        )
    some = ", ".join(without[:NAMED])
    more = f" and {len(without) - NAMED} more" if len(without) > NAMED else ""
    return f"# no hash is known for {some}{more}: pip refuses a file with hashes for some; lock all"
