"""Does a requirement apply to this interpreter? Environment markers as PEP 508 defines them."""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from typing import TYPE_CHECKING, Any

from seatrial.environment import versions
from seatrial.environment.machine.packages import normalised
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEEPEST = 50
"""So many parentheses a marker may have: each costs a few calls within calls."""

_TOKEN = re.compile(
    r"\s*(?: (?P<sign> [()] | ===|==|~=|!=|<=|>=|<|> )"
    r"| (?P<text> '[^']*' | \"[^\"]*\" ) | (?P<word> [A-Za-z_.]+ ) )",
    re.VERBOSE,
)
_SIGNS = frozenset({"===", "==", "~=", "!=", "<=", ">=", "<", ">", "in", "not in"})
_VERSIONS = frozenset(
    {"python_version", "python_full_version", "implementation_version", "platform_release"}
)
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def variables() -> dict[str, str]:
    """What the markers of this interpreter stand for.

    >>> variables()["extra"], "python_version" in variables()
    ('', True)
    """
    own = sys.implementation.version
    stage = "" if own.releaselevel == "final" else f"{own.releaselevel[0]}{own.serial}"
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": f"{own.major}.{own.minor}.{own.micro}{stage}",
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
        "extra": "",
    }


def holds(marker: str, here: Mapping[str, str]) -> bool:
    """Whether a marker is true for an interpreter; FormError when it cannot be read.

    >>> holds("os_name == 'nt' or python_version < '3.12'", variables() | {"python_version": "3.9"})
    True
    """
    tokens = [*_tokens(marker)]
    if tokens.count("(") > DEEPEST:
        raise _unreadable(f"the marker has more than {DEEPEST} parentheses")
    found = _either(tokens, here)
    if tokens:
        raise _unreadable(f"the marker goes on with {tokens[0]} where it should end")
    return found


def _tokens(marker: str) -> Iterator[str]:
    place = 0
    text = marker.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _unreadable(f"the marker cannot be read from {text[place:][:20]!r} on")
        place = found.end()
        yield found[found.lastgroup or 0]


def _either(tokens: list[str], here: Mapping[str, str]) -> bool:
    found = _both(tokens, here)
    while tokens[:1] == ["or"]:
        tokens.pop(0)
        found = _both(tokens, here) or found
    return found


def _both(tokens: list[str], here: Mapping[str, str]) -> bool:
    found = _one(tokens, here)
    while tokens[:1] == ["and"]:
        tokens.pop(0)
        found = _one(tokens, here) and found
    return found


def _one(tokens: list[str], here: Mapping[str, str]) -> bool:
    if tokens[:1] == ["("]:
        tokens.pop(0)
        found = _either(tokens, here)
        if not tokens or tokens.pop(0) != ")":
            raise _unreadable("the marker has a parenthesis that is never closed")
        return found
    first, left = _value(tokens, here)
    sign = _sign(tokens)
    second, right = _value(tokens, here)
    name = first or second
    if name == "extra":
        left, right = normalised(left), normalised(right)
    return _compared(left, sign, right, by_version=name in _VERSIONS)


def _value(tokens: list[str], here: Mapping[str, str]) -> tuple[str, str]:
    """The name of a variable, empty for a text, and its value."""
    token = tokens.pop(0) if tokens else ""
    if token[:1] in {"'", '"'}:
        return "", token[1:-1]
    # Some write the names of the modules that know: os.name, platform.machine.
    name = token.replace(".", "_")
    name = "platform_python_implementation" if name == "python_implementation" else name
    if name not in here:
        what = f"the marker asks for {token!r}" if token else "the marker ends too early"
        raise _unreadable(what, nearest(name, here))
    return name, here[name]


def _sign(tokens: list[str]) -> str:
    sign = tokens.pop(0) if tokens else ""
    if sign == "not" and tokens[:1] == ["in"]:
        sign = f"not {tokens.pop(0)}"
    if sign not in _SIGNS:
        raise _unreadable(f"the marker has {sign!r} where it should compare")
    return sign


def _compared(left: str, sign: str, right: str, *, by_version: bool) -> bool:
    if sign in {"in", "not in"}:
        return (left in right) == (sign == "in")
    if sign == "===":
        return left.lower() == right.lower()
    prefix = right.endswith(".*") and sign in {"==", "!="}
    mine, its = versions.read(left), versions.read(right.removesuffix(".*") if prefix else right)
    if by_version and mine is not None and its is not None:
        if prefix:
            return _begins(left, right.removesuffix(".*")) == (sign == "==")
        if sign == "~=":
            return mine.order() >= its.order() and _begins(left, right.rpartition(".")[0])
        return _ORDERED[sign](mine.order(), its.order())
    # Of texts PEP 508 leaves open which is the greater one.
    return (left == right) if sign in {"==", "<=", ">="} else sign == "!=" and left != right


def _begins(version: str, prefix: str) -> bool:
    """Whether the numbers of a version begin with those of another.

    >>> _begins("3.11", "3.11.0"), _begins("3.110", "3.11")
    (True, False)
    """
    numbers, wanted = (re.findall(r"\d+", text) for text in (version, prefix))
    numbers += ["0"] * (len(wanted) - len(numbers))
    return [int(each) for each in numbers[: len(wanted)]] == [int(each) for each in wanted]


def _unreadable(what: str, close: str = "") -> FormError:
    fix = "write it as PEP 508 has it: python_version < '3.12' and sys_platform == 'linux'"
    return FormError(Mistake(what, nearest=close, fix=fix))
