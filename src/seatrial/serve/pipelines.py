"""The pipelines of a project folder: every YAML file directly in it that has ``stages``."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import FileError
from seatrial.notify import channels_of
from seatrial.pipeline.read import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seatrial.pipeline import Pipeline, Serving

_ENDINGS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class Found:
    """The pipelines by name, and what is wrong with files that cannot be used, by file."""

    pipelines: Mapping[str, Pipeline]
    broken: Mapping[str, str]


def pipelines_of(folder: Path) -> Found:
    """What lies in a folder now; a file is read again when its time or its size has changed."""
    usable: dict[str, Pipeline] = {}
    broken: dict[str, str] = {}
    for file, read in _read(folder):
        if isinstance(read, FileError):
            broken[str(file)] = str(read)
        elif read.mistakes:
            broken[str(file)] = str(FileError(*read.mistakes))
        elif read.name in usable:
            broken[str(file)] = f"{read.name} is also the name of {usable[read.name].file}"
        else:
            usable[read.name] = read
    return Found(usable, broken)


def listeners_of(folder: Path) -> frozenset[str]:
    """The names of the channels that its pipelines tell."""
    pipelines = pipelines_of(folder).pipelines.values()
    return frozenset(each.name for pipeline in pipelines for each in channels_of(pipeline))


def serving_of(folder: Path) -> dict[str, Serving]:
    """How each model is served, by its name.

    While somebody edits a file it may say half of what it means, and what must not be logged is
    no matter for guesses: a file with mistakes counts as it was when it last had none. One that
    never was without mistakes counts as far as it can be read.
    """
    serving: dict[str, Serving] = {}
    for file, read in _read(folder):
        if not isinstance(read, FileError) and not read.mistakes:
            _without_mistakes[file] = read
        known = _without_mistakes.get(file, read)
        if not isinstance(known, FileError) and known.name:
            serving.setdefault(known.model, known.serving)
    return serving


_without_mistakes: dict[Path, Pipeline] = {}


def _read(folder: Path) -> Iterator[tuple[Path, Pipeline | FileError]]:
    """Every pipeline file, in the order of their names."""
    for file in sorted(folder.iterdir()):
        if file.suffix not in _ENDINGS or file.name.startswith("."):
            continue
        try:
            found = file.stat()
        except OSError:
            continue  # removed while we looked
        read = _pipeline(file, found.st_mtime_ns, found.st_size)
        if read is not None:
            yield file, read


@functools.lru_cache(maxsize=256)
def _pipeline(file: Path, _mtime_ns: int, _size: int) -> Pipeline | FileError | None:
    """What a file says; ``None`` when it is not about a pipeline."""
    try:
        # other YAML files may be large: those without the word are not parsed
        if b"stages" not in file.read_bytes():
            return None
        pipeline = read_file(file)
    except OSError:
        return None
    except FileError as error:
        return error
    # nothing has a place in a text that is no YAML: it may have been a pipeline before
    return pipeline if not pipeline.places or ("stages",) in pipeline.places else None
