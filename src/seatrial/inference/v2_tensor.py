"""The values of one input tensor of the Open Inference Protocol, JSON or raw.

Everything that may be wrong with them is a RequestError 400 whose sentence names the input.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import chain
from math import nan, prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seatrial.errors import RequestError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

DATATYPES = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),
}
"""Every datatype of the protocol; raw tensors are little-endian."""

Values = NDArray[Any]

_RANGES = {
    "BOOL": (0, 1),
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
}
_NUMBERS = {int, float, bool}
_RANKS = (1, 2)
_SHOWN = 60
_U32 = struct.Struct("<I")


@dataclass(slots=True)
class Raw:
    """The raw tensors that follow the JSON, taken in the order of the inputs."""

    body: bytes
    at: int

    def take(self, size: int, whose: str) -> int:
        """Where the next ``size`` bytes begin."""
        begin, left = self.at, len(self.body) - self.at
        if size > left:
            raise wrong(f"{whose} says binary_data_size {size}, but only {left} bytes are left")
        self.at += size
        return begin


def wrong(sentence: str) -> RequestError:
    """What is wrong with a request."""
    return RequestError(400, sentence)


def shown(value: object) -> str:
    """A value of the client's, short enough for a sentence."""
    if isinstance(value, str):
        return repr(value) if len(value) < _SHOWN else f"{value[:_SHOWN]!r}…"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return "null"


def values(tensor: dict[str, Any], whose: str, raw: Raw, columns: int, *, strings: bool) -> Values:
    """The values, row by row: float32, or object strings ``[rows * columns]``.

    ``columns`` is how many make a row. Missing values are NaN or "". Numbers of any type and
    booleans become float32; what is too large for it becomes infinite.
    """
    datatype = _datatype(tensor.get("datatype"), whose, strings=strings)
    shape = _shape(tensor.get("shape"), whose, columns)
    parameters, data = tensor.get("parameters"), tensor.get("data")
    size = None if parameters is None else _binary_size(parameters, whose)
    if size is None:
        flat = _flat(data, shape, whose)
        return _strings(flat, whose) if strings else _numbers(flat, datatype, whose)
    if data is not None:
        raise wrong(f"{whose} has both data and binary_data_size: send one of them")
    begin = raw.take(size, whose)
    if strings:
        return _raw_strings(raw.body[begin : raw.at], prod(shape), whose)
    dtype, count = DATATYPES[datatype], prod(shape)
    if size != count * dtype.itemsize:
        needs = f"the shape {shape} of {datatype} takes {count * dtype.itemsize} bytes"
        raise wrong(f"{needs}, but {whose} says binary_data_size {size}")
    return _raw_numbers(np.ndarray((count,), dtype, raw.body, begin))


def _datatype(datatype: object, whose: str, *, strings: bool) -> str:
    if not isinstance(datatype, str):
        raise wrong(f"{whose} needs a datatype, such as {'BYTES' if strings else 'FP32'}")
    if datatype not in DATATYPES:
        close = nearest(datatype[:_SHOWN], DATATYPES)
        known = f"nearest: {close}" if close else f"known: {', '.join(DATATYPES)}"
        raise wrong(f"the datatype {shown(datatype)} of {whose} is unknown ({known})")
    if strings and datatype != "BYTES":
        raise wrong(f"{whose} takes strings (BYTES), not {datatype}")
    if not strings and datatype == "BYTES":
        raise wrong(f"{whose} takes numbers (such as FP32), not BYTES")
    return datatype


def _shape(shape: object, whose: str, columns: int) -> list[int]:
    takes = "[n] or [n, 1]" if columns == 1 else f"[n, {columns}], or [{columns}] for one row"
    if not isinstance(shape, list) or any(type(size) is not int or size < 0 for size in shape):
        told = shown(shape) if not isinstance(shape, list) else "something else in it"
        got = "none" if shape is None else told
        raise wrong(
            f"{whose} needs a shape, whole numbers not below 0, got {got}; it takes {takes}"
        )
    if len(shape) not in _RANKS or (shape[-1] != columns and (columns, len(shape)) != (1, 1)):
        got = f"{len(shape)} dimensions" if len(shape) > max(_RANKS) else str(shape)
        raise wrong(f"{whose} takes the shape {takes}, got {got}")
    return shape


def _binary_size(parameters: object, whose: str) -> int | None:
    if not isinstance(parameters, dict):
        raise wrong(f"the parameters of {whose} must be an object, got {shown(parameters)}")
    if "shared_memory_region" in parameters:
        raise wrong(f"{whose} is in shared memory, which is not offered here: send the values")
    size = parameters.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        told = "a whole number not below 0"
        raise wrong(f"binary_data_size of {whose} must be {told}, got {shown(size)}")
    return size


def _flat(data: object, shape: list[int], whose: str) -> list[Any]:
    """The values of a JSON tensor, which is flat or nested as its shape says."""
    if data is None:
        raise wrong(f"{whose} has no data")
    if not isinstance(data, list):
        raise wrong(f"the data of {whose} must be a list, got {shown(data)}")
    if len(shape) > 1 and data and isinstance(data[0], list):
        rows, width = shape
        if len(data) != rows or any(type(row) is not list or len(row) != width for row in data):
            raise wrong(f"the data of {whose} is nested otherwise than its shape {shape}")
        data = [*chain.from_iterable(data)]
    if len(data) != prod(shape):
        raise wrong(f"{whose} has {len(data)} values, its shape {shape} asks for {prod(shape)}")
    return data


def _numbers(flat: list[Any], datatype: str, whose: str) -> Values:
    kinds = {*map(type, flat)}
    if not kinds <= _NUMBERS:
        _demand(flat, _NUMBERS | {type(None)}, f"{whose} must hold numbers (null: missing)")
        flat = [nan if value is None else value for value in flat]
    lowest, greatest = _RANGES.get(datatype, (None, None))
    if lowest is not None and greatest is not None:
        for at, value in enumerate(flat):
            # NaN is what null became: integers have no other missing value
            if value == value and not (lowest <= value <= greatest and value == int(value)):  # noqa: PLR0124
                raise wrong(f"{whose} holds {shown(value)} at position {at}: no {datatype}")
    return np.ndarray((len(flat),), np.float32, struct.pack(f"{len(flat)}f", *flat))


def _strings(flat: list[Any], whose: str) -> Values:
    if {*map(type, flat)} != {str}:
        _demand(flat, {str, type(None)}, f"{whose} must hold strings (null: missing)")
        flat = ["" if value is None else value for value in flat]
    return np.array(flat, dtype=object)


def _demand(flat: list[Any], kinds: Iterable[type], told: str) -> None:
    for at, value in enumerate(flat):
        if type(value) not in kinds:
            raise wrong(f"{told}, got {shown(value)} at position {at}")


def _raw_numbers(read: NDArray[Any]) -> Values:
    if read.dtype == np.float32:
        return read if read.flags.aligned else read.copy()
    if read.dtype == np.bool_:
        # another client's true may be any byte but 0
        read = read.view(np.uint8) != 0
    with np.errstate(all="ignore"):
        return read.astype(np.float32)


def _raw_strings(content: bytes, count: int, whose: str) -> Values:
    """Each string is its length in bytes as u32, then its UTF-8."""
    read: list[str] = []
    at = 0
    while at < len(content):
        begin = at + _U32.size
        if begin > len(content):
            raise wrong(f"string {len(read)} of {whose} is cut short")
        at = begin + _U32.unpack_from(content, at)[0]
        if at > len(content):
            raise wrong(f"string {len(read)} of {whose} is cut short")
        try:
            read.append(content[begin:at].decode())
        except UnicodeDecodeError:
            raise wrong(f"string {len(read)} of {whose} is not UTF-8") from None
    if len(read) != count:
        raise wrong(f"{whose} has {len(read)} strings, its shape asks for {count}")
    return np.array(read, dtype=object)
