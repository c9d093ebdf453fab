"""Where the traffic log lies, and what its files are called.

``MODEL/v3/2026-11-05T14-WRITER-0.parquet`` holds what version 3 answered; ``MODEL/labels/…`` the
labels that came back. ``….arrows`` is a stream that is still being written, or that a killed writer
left behind; ``….part`` is half a file, which nobody reads. The hour is when the file was begun.
``MODEL/watched/…`` says which rows have counted (see :mod:`seatrial.traffic.marks`), ``.place`` how
the whole log is called.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STREAM = ".arrows"
PARQUET = ".parquet"
ASIDE = ".part"
LABELS = "labels"

_HOUR = "%Y-%m-%dT%H"
_HOUR_LENGTH = 13
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-.+-(\d+)\.(arrows|parquet)")
_VERSION = re.compile(r"v([1-9]\d*)")


def version_folder(traffic: Path, model: str, version: int) -> Path:
    """What a version answered."""
    return traffic / model / f"v{version}"


def labels_folder(traffic: Path, model: str) -> Path:
    """The labels of all versions of a model."""
    return traffic / model / LABELS


def versions(traffic: Path, model: str) -> list[int]:
    """The versions of a model that have a log, in order."""
    found = (_VERSION.fullmatch(folder.name) for folder in (traffic / model).glob("v*"))
    return sorted(int(match[1]) for match in found if match)


def stem(hour: datetime, writer: str, number: int) -> str:
    """The name of a file, less its ending.

    >>> stem(datetime(2026, 11, 5, 14, 30, tzinfo=UTC), "01J", 0)
    '2026-11-05T14-01J-0'
    """
    return f"{hour.astimezone(UTC):{_HOUR}}-{writer}-{number}"


def hour_of(file: Path) -> datetime:
    """The hour in which a file was begun."""
    return datetime.strptime(file.name[:_HOUR_LENGTH], _HOUR).replace(tzinfo=UTC)


def writer_of(file: Path) -> str:
    """Who wrote a file.

    >>> from pathlib import Path
    >>> writer_of(Path("2026-11-05T14-01J-0.parquet"))
    '01J'
    """
    return file.name[_HOUR_LENGTH + 1 :].rpartition("-")[0]


def listed(folder: Path) -> list[Path]:
    """The files of one folder, oldest first; each rows' file once, though it is just being rolled.

    Files that are called otherwise are not ours.
    """
    found = _names(folder)
    # A file that is rolled meanwhile may show under neither name: look until two looks agree.
    while (again := _names(folder)) != found:
        found = again
    return [folder / name for name in found]


def _names(folder: Path) -> list[str]:
    names = [path.name for path in folder.glob("*") if is_ours(path)]
    whole = {name.removesuffix(PARQUET) for name in names}
    kept = [n for n in names if not (n.endswith(STREAM) and n.removesuffix(STREAM) in whole)]
    return sorted(kept, key=_order)


def is_ours(file: Path) -> bool:
    """Whether a file is called as a writer calls its files.

    >>> from pathlib import Path
    >>> is_ours(Path("2026-11-05T14-01J-0.parquet")), is_ours(Path("notes.parquet"))
    (True, False)
    """
    if not _NAME.fullmatch(file.name):
        return False
    try:
        hour_of(file)
    except ValueError:
        return False
    return True


def _order(name: str) -> tuple[str, str, int]:
    head, _, number = name.rpartition(".")[0].rpartition("-")
    return name[:_HOUR_LENGTH], head, int(number)
