"""A capture as a file: written whole; read, checked and upgraded, whichever release wrote it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from seatrial.data import whole_file
from seatrial.environment.capture import FORMAT, fingerprint
from seatrial.errors import FileError, Mistake, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Check = Callable[[str, object], Iterator[str]]

MOST_BYTES = 16 << 20
"""A capture of a thousand packages has a fifth of a megabyte."""

LONGEST_NAME = 200
"""Characters of the name of a package, a variable or a library."""

SHOWN_LETTERS = 20
"""So much of a wrong value is told."""

SHOWN = 3
"""So many wrong fields are told; the rest is counted."""

_FORMATS = "seatrial.environment/"
_FORMAT = re.compile(rf"{re.escape(_FORMATS)}(\d{{1,6}})")
_ANEW = "`seatrial env capture -o FILE` on that machine writes a new one"


def demand_replaceable(path: Path) -> None:
    """UsageError when something lies there that is no capture, not even one of another release."""
    try:
        found = json.loads(path.read_bytes())
        replaceable = str(found["format"]).startswith(_FORMATS)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        replaceable = False
    if not replaceable:
        what = "there is something else than a capture, and it is not overwritten"
        fix = "choose another name, or remove it"
        raise UsageError(Mistake(what, where=str(path), fix=fix))


def write(path: Path, capture: Mapping[str, Any]) -> None:
    """Write a capture, whole or not at all; FormError when the folder cannot be written."""
    content = json.dumps(capture, indent=2, ensure_ascii=False) + "\n"
    whole_file.replace(path, content.encode(), "the capture")


def read(path: Path) -> dict[str, Any]:
    """The capture in a file, in today's shape; FileError says what is wrong with it.

    Fields that are not known are kept: a later release may record more.
    """
    return demanded(parsed(path), str(path))


def parsed(path: Path) -> object:
    """What a file of JSON holds that may be a capture; FileError where it cannot be one."""
    text, where = _text(path), str(path)
    if not text.strip():
        raise FileError(Mistake("the file is empty", where, fix=_ANEW))
    try:
        found: object = json.loads(text)
    except json.JSONDecodeError as error:
        end = text.rstrip()
        cut = end.startswith("{") and (error.pos >= len(end) or not end.endswith("}"))
        what = "the file is cut off" if cut else f"this is no JSON: {error.msg}"
        raise FileError(Mistake(what, f"{where}:{error.lineno}:{error.colno}", fix=_ANEW)) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        raise FileError(Mistake("this is JSON, but no capture", where, fix=_ANEW)) from None
    return found


def demanded(value: object, where: str) -> dict[str, Any]:
    """The same for a value that was read already; ``where`` it stood is for the message.

    >>> demanded({"python_version": "3.11.7", "dependencies": {"numpy": 3}}, "a.json")
    Traceback (most recent call last):
    ...
    seatrial.errors.FileError: dependencies.numpy is 3, not a text
      where: a.json
      fix: `seatrial env capture -o FILE` on that machine writes a new one
    """
    capture = _known(value, where)
    wrong = [sentence for key, each in capture.items() for sentence in _wrong(key, each)]
    if wrong:
        more = [f"and {len(wrong) - SHOWN + 1} more"] if len(wrong) > SHOWN else []
        shown = wrong[: SHOWN - len(more)]
        raise FileError(Mistake("\n".join([*shown, *more]), where, fix=_ANEW))
    told = capture.get("hash")
    if told is None and "format" in capture:
        raise FileError(Mistake("the capture has lost its hash", where, fix=_ANEW))
    if told is not None and told != _own_hash(capture, where):
        what = "the capture was changed after it was made: its hash is that of something else"
        raise FileError(Mistake(what, where, fix=_ANEW))
    return upgraded(capture)


def _own_hash(capture: Mapping[str, Any], where: str) -> str:
    try:
        return fingerprint(capture)
    except RecursionError:  # to write takes a little more room than to read
        raise FileError(Mistake("this is JSON, but no capture", where, fix=_ANEW)) from None


def upgraded(capture: dict[str, Any]) -> dict[str, Any]:
    """A capture from before there was a format, in today's shape; any other as it is.

    What was not recorded then stays absent. A hash is taken anew, because it covers the shape.

    >>> upgraded({"onnxruntime_providers": ["CPUExecutionProvider"]})
    {'format': 'seatrial.environment/1', 'onnxruntime': {'providers': ['CPUExecutionProvider']}}
    """
    if "format" in capture:
        return dict(capture)
    found: dict[str, Any] = {"format": FORMAT}
    for key, value in capture.items():
        if key == "onnxruntime_providers":
            # It was empty where onnxruntime could not be imported.
            found["onnxruntime"] = {"providers": value} if value else None
        else:
            found[key] = value
    if "hash" in found:
        found["hash"] = fingerprint(found)
    return found


def _text(path: Path) -> str:
    where = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise FileError(Mistake("this is no capture: it is far too large", where, fix=_ANEW))
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        known = nearest(path.name, _beside(path))
        raise FileError(Mistake("there is no such file", where, known, _ANEW)) from None
    except IsADirectoryError:
        raise FileError(Mistake("this is a folder, not a capture", where, fix=_ANEW)) from None
    except UnicodeDecodeError as error:
        what = f"this is no text in UTF-8 (byte {error.start + 1})"
        fix = f"{_ANEW}; do not redirect its output in a shell that writes UTF-16"
        raise FileError(Mistake(what, where, fix=fix)) from None
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise FileError(Mistake(what, where, fix="check its permissions")) from None


def _beside(path: Path) -> list[str]:
    try:
        return [each.name for each in path.parent.iterdir()]
    except OSError:
        return []


def _known(value: object, where: str) -> dict[str, Any]:
    """The value as a capture that this release can read."""
    if not isinstance(value, dict):
        raise FileError(Mistake("this is JSON, but no capture", where, fix=_ANEW))
    told = value.get("format")
    if told is None and "format" not in value and {"python_version", "dependencies"} <= {*value}:
        return value
    match = _FORMAT.fullmatch(told) if isinstance(told, str) else None
    if match is None or match[1] == "0":
        raise FileError(Mistake("this is JSON, but no capture", where, fix=_ANEW))
    if told != FORMAT:
        what = f"the capture is in the format {told}, this release reads {FORMAT}"
        raise FileError(Mistake(what, where, fix="`pip install --upgrade seatrial`"))
    return value


def _wrong(key: str, value: object) -> Iterator[str]:
    """One sentence for each thing in a field that is not of its kind."""
    if key in _FIELDS:
        yield from _FIELDS[key](key, value)


def _a_text(at: str, value: object) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{at} is {_shown(value)}, not a text"
    elif not value.isprintable():
        yield f"{at} holds characters that cannot be shown"


def _a_number(at: str, value: object) -> Iterator[str]:
    if type(value) is not int or value < 0:
        yield f"{at} is {_shown(value)}, not a number"


def _a_flag(at: str, value: object) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{at} is {_shown(value)}, not true or false"


def _or_null(check: Check) -> Check:
    def checked(at: str, value: object) -> Iterator[str]:
        if value is not None:
            yield from check(at, value)

    return checked


def _a_list(of: Check) -> Check:
    def checked(at: str, value: object) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{at} is {_shown(value)}, not a list"
            return
        for number, each in enumerate(value):
            yield from of(f"{at}[{number}]", each)

    return checked


def _names(of: Check) -> Check:
    """An object whose keys are not known beforehand."""

    def checked(at: str, value: object) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at} is {_shown(value)}, not an object"
            return
        for name, each in value.items():
            if name.isprintable() and len(name) <= LONGEST_NAME:
                yield from of(f"{at}.{name}", each)
            else:
                yield f"{at} holds a name that cannot be shown"

    return checked


def _an_object(fields: dict[str, Check]) -> Check:
    def checked(at: str, value: object) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at} is {_shown(value)}, not an object"
            return
        for name, check in fields.items():
            if name in value:
                yield from check(f"{at}.{name}", value[name])

    return checked


def _shown(value: object) -> str:
    """A value of the wrong kind, in JSON's words and short.

    >>> _shown(None), _shown([1]), _shown("x" * 99)
    ('null', 'a list', '"xxxxxxxxxxxxxxxxxxx…')
    """
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}…"


_texts = _a_list(_a_text)
_text_or_null = _or_null(_a_text)

_FIELDS: dict[str, Check] = {
    **dict.fromkeys(
        (
            *("python_version", "implementation", "python_build", "os", "os_release", "kernel"),
            *("libc", "machine", "locale", "timezone", "hash", "timestamp"),
        ),
        _a_text,
    ),
    "cpu": _an_object({"model": _a_text, "flags": _texts, "cores": _or_null(_a_number)}),
    **dict.fromkeys(("dependencies", "records", "variables", "trouble"), _names(_a_text)),
    **dict.fromkeys(("editable", "unnamed", "verified", "onnxruntime_providers"), _texts),
    **dict.fromkeys(("hidden", "altered"), _names(_texts)),
    "libraries": _or_null(
        _a_list(
            _an_object(
                {
                    **dict.fromkeys(("api", "version", "architecture", "threading"), _text_or_null),
                    "threads": _or_null(_a_number),
                }
            )
        )
    ),
    "onnxruntime": _or_null(
        _an_object({"version": _a_text, "build": _text_or_null, "providers": _texts})
    ),
    "cuda": _or_null(
        _an_object(
            {
                "available": _a_flag,
                **dict.fromkeys(("version", "cudnn", "driver"), _text_or_null),
                "gpus": _texts,
            }
        )
    ),
    "image": _text_or_null,
}
"""Every field of a capture with what it holds. Any may be absent, which means not known."""
