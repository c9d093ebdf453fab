"""Does this environment answer as that one does? What differs, and how grave it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.environment.changes import recorded
from seatrial.environment.changes.change import Change
from seatrial.environment.changes.machine import machine_changes
from seatrial.environment.changes.packages import package_changes
from seatrial.environment.changes.settings import setting_changes
from seatrial.environment.difference import LEVELS, Difference
from seatrial.environment.document import upgraded
from seatrial.environment.needs import ANSWERING, Needs
from seatrial.environment.policy import ONE_PACKAGE, RULES, Policy
from seatrial.environment.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.environment.changes.recorded import Capture
    from seatrial.environment.needs import Form

NO_MODEL = Needs()
BY_DEFAULT = Policy()

COMPARED = (
    *("python_version", "implementation", "machine", "os", "libc", "cpu", "dependencies"),
    *("records", "libraries", "onnxruntime", "cuda", "variables", "locale", "timezone"),
)
"""The parts of a capture that are missed when they are not known."""


def compare(
    expected: Capture,
    got: Capture,
    needs: Needs = NO_MODEL,
    policy: Policy = BY_DEFAULT,
    *,
    together: bool = True,
) -> tuple[Difference, ...]:
    """What differs in ``got``, judged by what a model needs; the gravest first, then by field.

    Both are captures (:func:`seatrial.environment.capture.capture`), perhaps old or partial: what
    one of them does not know is no difference, but one info says what was not known. ``expected``
    is where the model was trained. The packages that the model does not need share a line,
    unless they are not to be ``together``.

    >>> found = compare(
    ...     {"python_version": "3.11.7", "dependencies": {"numpy": "2.4.6"}},
    ...     {"python_version": "3.12.1", "dependencies": {"numpy": "2.4.6"}},
    ... )
    >>> print(found[0])
    error python_version: 3.11.7 -> 3.12.1 (pickles and compiled packages are made for one minor \
version of Python); run Python 3.11
    """
    expected, got = upgraded(dict(expected)), upgraded(dict(got))
    machine = [
        *machine_changes(expected, got, saturates=needs.saturates),
        *setting_changes(expected, got, providers=needs.providers, every=needs.form == "any"),
        *_unknown(expected, got),
    ]
    needed = _needed(needs)
    named = {
        rule.removeprefix(ONE_PACKAGE) for rule in policy.levels if rule.startswith(ONE_PACKAGE)
    }
    packages = package_changes(expected, got, needed, named, together=together)
    # A pickle that does not say what it needs may need anything, but no demand can be exact.
    found = [
        *_judged(machine, needs.form, policy),
        *_judged(packages, "any" if needed is None else needs.form, policy),
    ]
    return tuple(sorted(found, key=lambda each: (LEVELS.index(each.level), each.field)))


def _needed(needs: Needs) -> tuple[str, ...] | None:
    """The packages that count; None when any may."""
    if needs.form == "onnx":
        return needs.packages or ANSWERING
    if needs.form == "pickle" and needs.packages:
        return needs.packages
    return None


def _judged(
    changes: Iterator[Change] | list[Change], form: Form, policy: Policy
) -> Iterator[Difference]:
    for change in changes:
        levels = policy.judged(change.rule, form, change.package)
        if levels is not None:
            yield Difference(
                level=levels[0],
                proven=levels[1],
                field=printable(change.field),
                expected=printable(change.expected),
                got=printable(change.got),
                why=printable(change.why) or RULES[change.rule],
                fix=printable(change.fix),
            )


def _unknown(expected: Capture, got: Capture) -> Iterator[Change]:
    """What only one of them knows."""
    known = [{key for key in COMPARED if _is_known(side, key)} for side in (expected, got)]
    gone = [", ".join(sorted(other - side)) for side, other in (known, known[::-1])]
    if any(gone):
        there, here = (f"without {each}" if each else "complete" for each in gone)
        yield Change(rule="unknown", field="unknown", expected=there, got=here)


def _is_known(capture: Capture, key: str) -> bool:
    if key == "cpu":
        return bool(recorded.flags(capture))
    if key == "onnxruntime":
        return bool(recorded.providers(capture))
    return bool(capture.get(key)) or capture.get(key) in ([], {})
