"""The optional keys at the top of a pipeline file: which there are, and what each may say."""

from __future__ import annotations

import math
import zoneinfo
from typing import TYPE_CHECKING, Any

from seatrial.errors import nearest
from seatrial.pipeline import Serving
from seatrial.pipeline.notes import kind, short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.pipeline.located import Path
    from seatrial.pipeline.notes import Notes

CHOICES = {
    "problem": ("classes", "numbers"),
    "overlap": ("skip", "queue", "replace"),
    "catch_up": ("skip", "once"),
}
"""The keys that take one of a few words."""

LARGEST_SEED = 2**31 - 1
"""What LightGBM takes; scikit-learn and numpy take more."""

ENTRY = ("path", "target", "key", "time", "exclude", "engine")
"""What an entry under ``datasets:`` may say; ``exclude`` takes a list of columns too."""

RETAIN = ("memory", "disk")
"""Where the version that served before is kept."""

_LISTS = frozenset({"exclude"})
_ABSENT = object()


def settings(top: Mapping[str, object], notes: Notes) -> dict[str, object]:
    """The optional keys that are written and right; what is wrong with the others is noted."""
    found: dict[str, object] = {}
    for key, check in _CHECKS.items():
        if key not in top:
            continue
        if top[key] is None:
            fix = "write one, or remove the line for the default"
            notes.wrong((key,), f"{key!r} has no value", fix=fix)
            continue
        value = check(top[key], key, notes)
        if value is not _ABSENT:
            found[key] = value
    return found


def _model(value: object, key: str, notes: Notes) -> object:
    return value if notes.name((key,), value, "a model") else _ABSENT


def _text(value: object, key: str, notes: Notes) -> object:
    if isinstance(value, str) and value.strip():
        return value
    fix = "write a scikit-learn scorer name, such as accuracy, roc_auc or r2"
    notes.wrong((key,), f"{key!r} must be a text, not {kind(value)}", fix=fix)
    return _ABSENT


def _choice(value: object, key: str, notes: Notes) -> object:
    if isinstance(value, str) and value in CHOICES[key]:
        return value
    notes.unknown((key,), f"{key!r} cannot be", value, CHOICES[key])
    return _ABSENT


def _seed(value: object, key: str, notes: Notes) -> object:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and isinstance(value, int) and 0 <= value <= LARGEST_SEED:
        return value
    what = f"{key!r} must be a whole number from 0 to {LARGEST_SEED}, not {kind(value)}"
    notes.wrong((key,), what, fix=f"write such as {key}: 7, without quotes")
    return _ABSENT


def _timezone(value: object, key: str, notes: Notes) -> object:
    if isinstance(value, str) and _is_zone(value):
        return value
    zones = sorted(zoneinfo.available_timezones())
    # People misspell the city; the part before it is seldom wrong and would drown the rest.
    by_city = {zone.rpartition("/")[2]: zone for zone in reversed(zones)}
    word = str(value)[:60]
    near = nearest(word, zones) or by_city.get(nearest(word.rpartition("/")[2], by_city), "")
    fix = "write an IANA name, such as UTC or Europe/Berlin"
    notes.wrong((key,), f"unknown time zone {short(value)}", near=near, fix=fix)
    return _ABSENT


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    # "America" is a folder, "../x" is refused, an unknown zone is not found
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _datasets(value: object, key: str, notes: Notes) -> object:
    if not isinstance(value, dict):
        what = f"{key!r} must be a mapping of names, not {kind(value)}"
        notes.wrong((key,), what, fix="write 'name: {path: …, target: …}' below it")
        return _ABSENT
    entries = {}
    for name, entry in value.items():
        path: Path = (key, name if isinstance(name, int) else str(name))
        if not notes.name(path, name, "a dataset"):
            continue
        if isinstance(entry, dict):
            entries[name] = _entry(entry, path, notes)
        else:
            what = f"the dataset {name!r} must be a mapping, not {kind(entry)}"
            notes.wrong(path, what, fix=f"write '{name}: {{path: …, target: …}}'")
    return entries


def _entry(entry: Mapping[object, object], path: Path, notes: Notes) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in entry.items():
        step: Path = (*path, key if isinstance(key, int) else str(key))
        if not isinstance(key, str) or key not in ENTRY:
            notes.unknown(step, f"the dataset {path[-1]!r} has an unknown key", key, ENTRY)
        elif (isinstance(value, str) and value) or (key in _LISTS and _texts(value)):
            found[key] = value
        else:
            asked = "a text or a list of texts" if key in _LISTS else "a text"
            given = "a list with other things" if value and isinstance(value, list) else kind(value)
            what = f"{key!r} of the dataset {path[-1]!r} must be {asked}, not {given}"
            notes.wrong(step, what, fix="put column names that look like numbers into quotes")
    return found


def _serving(value: object, key: str, notes: Notes) -> object:
    if not isinstance(value, dict):
        fix = f"write one of {', '.join(_SERVING)} below it"
        notes.wrong((key,), f"{key!r} must be a mapping, not {kind(value)}", fix=fix)
        return _ABSENT
    found = {}
    for name, item in value.items():
        step: Path = (key, name if isinstance(name, int) else str(name))
        if name not in _SERVING:
            notes.unknown(step, f"{key!r} has an unknown key", name, _SERVING)
        elif (said := _SERVING[name](item, step, notes)) is not _ABSENT:
            found[name] = said
    return Serving(**found)


def _above_zero(value: object, path: Path, notes: Notes) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and isinstance(value, int | float) and 0 < value < math.inf:
        return value
    what = f"{path[-1]!r} must be a number above 0, not {kind(value)}"
    notes.wrong(path, what, fix=f"write such as {path[-1]}: 10, without quotes")
    return _ABSENT


def _retain(value: object, path: Path, notes: Notes) -> Any:
    if isinstance(value, str) and value in RETAIN:
        return value
    notes.unknown(path, f"{path[-1]!r} cannot be", value, RETAIN)
    return _ABSENT


def _redact(value: object, path: Path, notes: Notes) -> Any:
    if isinstance(value, list) and _texts(value):
        return tuple(value)
    given = "a list with other things" if value and isinstance(value, list) else kind(value)
    what = f"{path[-1]!r} must be a list of column names, not {given}"
    notes.wrong(path, what, fix="write such as redact: [email], with names like numbers in quotes")
    return _ABSENT


_SERVING: dict[str, Callable[[object, Path, Notes], Any]] = {
    "max_body_mb": _above_zero,
    "retain": _retain,
    "keep_days": _above_zero,
    "keep_gb": _above_zero,
    "redact": _redact,
}


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _as_written(value: object, key: str, notes: Notes) -> object:  # noqa: ARG001
    # What these may say is known above: by the notifiers, reviews and the watch.
    return value


_CHECKS: dict[str, Callable[[object, str, Notes], object]] = {
    "model": _model,
    "metric": _text,
    "problem": _choice,
    "datasets": _datasets,
    "timezone": _timezone,
    "overlap": _choice,
    "catch_up": _choice,
    "seed": _seed,
    "notify": _as_written,
    "review": _as_written,
    "serving": _serving,
    "watch": _as_written,
    "leakage": _as_written,
}

OPTIONAL = tuple(_CHECKS)
"""Every optional top-level key, in the order of the documentation."""
