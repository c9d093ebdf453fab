"""How great is the step from one version to another? Versions as PEP 440 orders them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

Step = Literal["same", "patch", "minor", "major", "unknown"]

STEPS: tuple[Step, ...] = ("same", "patch", "minor", "major")
"""The least first."""

LONGEST = 256
"""Characters of a version; what is longer is none (and its numbers could be costly to read)."""

_FORM = re.compile(
    r"""\s* v?
    (?: (?P<epoch>\d+) ! )?
    (?P<release> \d+ (?: \.\d+ )* )
    (?: [-_.]? (?P<stage> alpha | a | beta | b | preview | pre | c | rc ) [-_.]? (?P<pre>\d*) )?
    (?: -(?P<dash>\d+) | [-_.]? (?P<after> post | rev | r ) [-_.]? (?P<post>\d*) )?
    (?: [-_.]? (?P<working> dev ) [-_.]? (?P<dev>\d*) )?
    (?: \+ (?P<local> [a-z0-9]+ (?: [-_.][a-z0-9]+ )* ) )?
    \s*""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_STAGES = {"alpha": "a", "a": "a", "beta": "b", "b": "b"}  # every other word means "rc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """``release`` is without zeros at its end, so that 1.0 is 1; a part that is absent is None."""

    epoch: int
    release: tuple[int, ...]
    pre: tuple[str, int] | None
    post: int | None
    dev: int | None
    local: tuple[str | int, ...]

    @property
    def unfinished(self) -> bool:
        """Whether it came before the release that it is named after."""
        return self.pre is not None or self.dev is not None

    def order(self) -> tuple[object, ...]:
        """A key by which versions sort as PEP 440 wants it.

        >>> [read(a).order() < read(b).order() for a, b in (("1.0rc1", "1"), ("1.9", "1.10"))]
        [True, True]
        """
        if self.pre is not None:
            stage: tuple[object, ...] = (1, *self.pre)
        else:
            # 1.0.dev1 comes before 1.0a1, and both before 1.0 and 1.0.post1.
            stage = (0,) if self.dev is not None and self.post is None else (2,)
        return (
            self.epoch,
            self.release,
            stage,
            -1 if self.post is None else self.post,
            (1, 0) if self.dev is None else (0, self.dev),
            # In the local part numbers come after words, and more parts after fewer.
            tuple((1, each, "") if isinstance(each, int) else (0, 0, each) for each in self.local),
        )


def changed(first: str, second: str) -> Step:
    """The step between two versions, whichever is the later one.

    ``1.2.3``: the first number is major, the second minor, all others are patches, as are post
    releases and local parts. With 0.x a minor step counts as major, for it may break as much; so
    does the step to or from a version that is not finished (alpha, beta, candidate, dev): it
    counts as the next greater one. ``unknown`` when either text is no version.

    >>> [changed("2.4.6", other) for other in ("2.4.6.0", "2.4.7", "2.5", "3.0", "2.4.6rc1", "?")]
    ['same', 'patch', 'minor', 'major', 'minor', 'unknown']
    >>> changed("0.12.0", "0.13.0")
    'major'
    """
    if first == second:
        return "same"
    one, other = read(first), read(second)
    if one is None or other is None:
        return "unknown"
    if one == other:
        return "same"
    step = _step(one, other)
    if one.unfinished or other.unfinished:
        return STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]
    return step


def read(text: str) -> Version | None:
    """A version in its parts; None when the text is no version.

    >>> read("1!2.0.post3+cu121").release, read("latest")
    ((2,), None)
    """
    found = _FORM.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    stage, after, working = found["stage"], found["after"] or found["dash"], found["working"]
    return Version(
        epoch=int(found["epoch"] or 0),
        release=_release(found["release"]),
        pre=(_STAGES.get(stage.lower(), "rc"), int(found["pre"] or 0)) if stage else None,
        post=int(found["post"] or found["dash"] or 0) if after else None,
        dev=int(found["dev"] or 0) if working else None,
        local=_local(found["local"] or ""),
    )


def _step(one: Version, other: Version) -> Step:
    """The step by the first number that differs."""
    if one.epoch != other.epoch:
        return "major"
    numbers = zip_longest(one.release, other.release, fillvalue=0)
    place = next((n for n, (mine, its) in enumerate(numbers) if mine != its), None)
    if place == 0:
        return "major"
    if place == 1:
        return "minor" if one.release[0] else "major"
    return "patch"


def _release(text: str) -> tuple[int, ...]:
    numbers = [int(each) for each in text.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _local(text: str) -> tuple[str | int, ...]:
    parts = re.split(r"[-_.]", text.lower()) if text else []
    return tuple(int(each) if each.isdigit() else each for each in parts)
