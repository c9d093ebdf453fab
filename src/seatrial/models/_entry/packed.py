"""Values in one file that runs no code when it is read: JSON, arrays and bytes in a zip."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_DOCUMENT = "document.json"
_ARRAY, _WORDS, _FILE = "array/", "words/", "file/"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The zip's own beginning of time: the same values give the same bytes whenever it is written."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A JSON document, arrays (numbers, or object strings), and files as they are."""

    document: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The arrays whose names begin with ``prefix``, in order, without it."""
        return {
            name.removeprefix(prefix): values
            for name, values in self.arrays.items()
            if name.startswith(prefix)
        }


def pack(packed: Packed, *, small: bool = True) -> bytes:
    """One file; the same values give the same bytes. ``small`` compresses, which takes time.

    >>> there = pack(Packed({"a": 1}, {"x": np.array(["no", "yes"], object)}, {"f": b"1"}))
    >>> back = unpack(there)
    >>> back.document, back.arrays["x"].tolist(), back.files
    ({'a': 1}, ['no', 'yes'], {'f': b'1'})
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:

        def add(name: str, content: bytes) -> None:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
            archive.writestr(entry, content)

        order = [*packed.arrays]
        add(_DOCUMENT, _json({"document": packed.document, "arrays": order}))
        for place, values in enumerate(packed.arrays.values()):
            plain = values
            if values.dtype == object:
                codes: dict[str, int] = {}
                plain = np.array(
                    [codes.setdefault(word, len(codes)) for word in values.tolist()], np.int32
                )
                add(f"{_WORDS}{place}", _json([*codes]))
            add(f"{_ARRAY}{place}", _npy(plain))
        for name, content in packed.files.items():
            add(f"{_FILE}{name}", content)
    return written.getvalue()


def unpack(content: bytes) -> Packed:
    """What :func:`pack` wrote; FormError when it is something else."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            head = json.loads(archive.read(_DOCUMENT))
            arrays: dict[str, NDArray[Any]] = {}
            for place, name in enumerate(head["arrays"]):
                values = np.lib.format.read_array(
                    io.BytesIO(archive.read(f"{_ARRAY}{place}")), allow_pickle=False
                )
                if f"{_WORDS}{place}" in names:
                    words = json.loads(archive.read(f"{_WORDS}{place}"))
                    values = np.array([*words, None], object)[values]
                arrays[name] = values
            files = {
                name.removeprefix(_FILE): archive.read(name)
                for name in archive.namelist()
                if name.startswith(_FILE)
            }
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        raise FormError(Mistake("these bytes are no model that a project brought")) from error
    return Packed(head["document"], arrays, files)


def _json(value: object) -> bytes:
    # a date in a file of hyperparameters is a text to whoever reads it here
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode(
        "utf-8", "surrogatepass"
    )


def _npy(values: NDArray[Any]) -> bytes:
    written = io.BytesIO()
    np.lib.format.write_array(written, np.ascontiguousarray(values), allow_pickle=False)
    return written.getvalue()
