"""The optional keys at the top of a pipeline file: which there are, and what each may say."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from seatrial import extend
from seatrial.errors import nearest
from seatrial.pipeline import (
    ChannelEntry,
    Environment,
    Leakage,
    Notify,
    Review,
    Serving,
    Watch,
    datasets,
    fields,
)
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

RETAIN = ("memory", "disk")
"""Where the version that served before is kept."""

RULES = ("balanced", "eager", "strict")
"""When the watch rolls back: see :mod:`seatrial.evidence.watching`."""

LEAKS = {"rows": ("fail", "warn"), "time": ("fail", "warn", "ignore"), "target": ("warn", "fail")}
"""What may be done about what a model has seen; a shared key always fails."""

LEVELS = ("error", "warn", "info", "ignore")
"""How grave a difference between two machines may be said to be."""

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
            entries[name] = datasets.entry(entry, path, notes)
        else:
            what = f"the dataset {name!r} must be a mapping, not {kind(entry)}"
            notes.wrong(path, what, fix=f"write '{name}: {{path: …, target: …}}'")
    return entries


def _serving(value: object, key: str, notes: Notes) -> object:
    found = fields.mapping(value, (key,), notes, SERVING)
    return _ABSENT if found is None else Serving(**found)


def _watch(value: object, key: str, notes: Notes) -> object:
    found = fields.mapping(value, (key,), notes, WATCH)
    if found is None:
        return _ABSENT
    watch = Watch(**found)
    if watch.longest_hours < watch.hours:
        what = f"'max_hours' is {short(watch.longest_hours)}, less than 'hours'"
        notes.wrong((key, "max_hours"), what, fix=f"write at least {watch.hours:g}")
    return watch


def _review(value: object, key: str, notes: Notes) -> object:
    found = fields.mapping(value, (key,), notes, REVIEW)
    return _ABSENT if found is None else Review(**found)


def _notify(value: object, key: str, notes: Notes) -> object:
    found = fields.mapping(value, (key,), notes, NOTIFY)
    return _ABSENT if found is None else Notify(**found)


def _leakage(value: object, key: str, notes: Notes) -> object:
    found = fields.mapping(value, (key,), notes, LEAKAGE)
    return _ABSENT if found is None else Leakage(**found)


def _environment(value: object, key: str, notes: Notes) -> object:
    found = fields.mapping(value, (key,), notes, ENVIRONMENT)
    return _ABSENT if found is None else Environment(**found)


def _channels(value: object, path: Path, notes: Notes) -> object:
    """Each a word and its parameters; what they may be is known to the notifiers."""
    if not isinstance(value, list):
        what = f"'channels' must be a list, not {kind(value)}"
        notes.wrong(path, what, fix="begin each with '- ', such as '- webhook: {url: …}'")
        return fields.ABSENT
    known = extend.names("notify")
    found = []
    for position, item in enumerate(value):
        step: Path = (*path, position)
        if not isinstance(item, dict) or len(item) != 1:
            what = f"a channel must be a word with its parameters, not {kind(item)}"
            notes.wrong(step, what, fix="write '- webhook: {url: …}'")
            continue
        ((word, parameters),) = item.items()
        at: Path = (*step, word if isinstance(word, int) else str(word))
        if word not in known:
            notes.unknown(at, "unknown channel", word, known)
        elif not isinstance(parameters, dict):
            what = f"the parameters of {word!r} must be a mapping, not {kind(parameters)}"
            notes.wrong(at, what, fix=f"write them below '{word}:', indented")
        else:
            found.append(ChannelEntry(str(word), position, parameters))
    return tuple(found)


SERVING: Mapping[str, fields.Check] = {
    "max_body_mb": fields.above_zero,
    "retain": fields.one_of(RETAIN),
    "keep_days": fields.above_zero,
    "keep_gb": fields.above_zero,
    "redact": fields.texts,
}

WATCH: Mapping[str, fields.Check] = {
    "hours": fields.above_zero,
    "max_hours": fields.above_zero,
    "rule": fields.one_of(RULES),
    "metric": fields.word,
    "margin": fields.margin,
    "min_labels": fields.count,
    "min_coverage_percent": fields.percent,
    "errors_percent": fields.percent,
    "cool_down_hours": fields.above_zero,
}

REVIEW: Mapping[str, fields.Check] = {"hours": fields.above_zero, "four_eyes": fields.truth}

LEAKAGE: Mapping[str, fields.Check] = {
    **{name: fields.one_of(words) for name, words in LEAKS.items()},
    "uses": fields.count,
}

ENVIRONMENT: Mapping[str, fields.Check] = {
    "policy": fields.by_word(LEVELS, "{libc: ignore}"),  # which rules there are, the plan knows
}

NOTIFY: Mapping[str, fields.Check] = {"allow_private": fields.truth, "channels": _channels}


_CHECKS: dict[str, Callable[[object, str, Notes], object]] = {
    "model": _model,
    "metric": _text,
    "problem": _choice,
    "datasets": _datasets,
    "timezone": _timezone,
    "overlap": _choice,
    "catch_up": _choice,
    "seed": _seed,
    "notify": _notify,
    "review": _review,
    "serving": _serving,
    "watch": _watch,
    "leakage": _leakage,
    "environment": _environment,
}

OPTIONAL = tuple(_CHECKS)
"""Every optional top-level key, in the order of the documentation."""
