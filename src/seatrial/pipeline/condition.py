"""When a stage may start: a CEL expression over the verdicts of the stages before it.

The language is Google's Common Expression Language (https://cel.dev). An expression is checked
when the file is read, and evaluated when its stage is reached.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cel_expr_python import cel

ALL = "all_previous_stages_passed"
_COMPLAINT = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_UNKNOWN = re.compile(r"undeclared reference to '([^']*)'")
_NAME = re.compile(r"stages\.([a-z_][a-z0-9_]*)(?:\.|$)")
_WORDS = {"and": "&&", "or": "||", "not": "!", "=": "==", "&": "&&", "|": "||"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as written.

    >>> condition = Condition("stages.train_model.passed && all_previous_stages_passed")
    >>> condition.evaluate(facts({"validate_data": True, "train_model": True}))
    True
    >>> condition.evaluate(facts({"validate_data": False, "train_model": True}))
    False
    """

    text: str

    def evaluate(self, facts: Mapping[str, bool]) -> bool:
        """Whether the stage may start; a FileError when the expression has no yes or no."""
        from cel_expr_python import cel  # noqa: PLC0415 - loaded where a condition exists

        try:
            result = _compile(self.text, facts).eval(data=dict(facts))
        except (RuntimeError, TypeError) as error:
            raise FileError(self._undecided(str(error))) from error
        if result.type() != cel.Type.BOOL:
            raise FileError(self._undecided(str(result.value())))
        return bool(result.value())

    def _undecided(self, why: str) -> Mistake:
        return Mistake(
            f"the condition {self.text[:60]!r} has no answer: {' '.join(why.split())[:100]}",
            fix=f"ask {ALL} or stages.<name>.passed of earlier stages",
        )


def facts(passed: Mapping[str, bool]) -> dict[str, bool]:
    """What a condition may ask, from whether each earlier stage passed.

    >>> facts({"validate_data": True})
    {'all_previous_stages_passed': True, 'stages.validate_data.passed': True}
    """
    by_name = {f"stages.{name}.passed": verdict for name, verdict in passed.items()}
    return {ALL: all(passed.values()), **by_name}


def check(
    condition: Condition, where: str, earlier: Sequence[str], others: Iterable[str] = ()
) -> tuple[Mistake, ...]:
    """Everything wrong with a condition, given the earlier stages and those that come later."""
    known = facts(dict.fromkeys(earlier, True))
    try:
        kind = _compile(condition.text, known).return_type().name()
    except RuntimeError as error:
        return tuple(_explain(str(error), condition.text, where, known, set(others)))
    if kind == "BOOL":
        return ()
    return (
        Mistake(
            f"the condition {condition.text[:60]!r} is no yes or no, but {kind.lower()}",
            where,
            fix=f"compare, or ask a fact such as {ALL}",
        ),
    )


def _compile(text: str, facts: Iterable[str]) -> cel.Expression:
    from cel_expr_python import cel  # noqa: PLC0415 - loaded where a condition exists

    # Declared with their dots, unknown names are found when compiling, not when running.
    return cel.NewEnv(variables=dict.fromkeys(facts, cel.Type.BOOL)).compile(text)


def _explain(
    error: str, text: str, where: str, known: Mapping[str, bool], others: set[str]
) -> Iterator[Mistake]:
    complaints = _COMPLAINT.findall(error)
    unknown = [found[1] for _, _, said in complaints if (found := _UNKNOWN.search(said))]
    if unknown:
        for name in dict.fromkeys(unknown):
            yield _unknown(name, where, known, others)
        return
    line, column, said = complaints[0] if complaints else ("1", "1", error)
    yield Mistake(
        f"the condition is not CEL: {_plain(said)}\n{_shown(text, int(line), int(column))}",
        where,
        nearest=_spelling(text, int(line), int(column)),
        fix="combine facts with && (and), || (or), ! (not) and parentheses",
    )


def _unknown(name: str, where: str, known: Mapping[str, bool], others: set[str]) -> Mistake:
    stage = _NAME.match(name)
    if stage and stage[1] in others:
        what = f"the condition asks {name!r}, a stage that has not run by then"
        fix = "ask only stages that stand above this one"
        return Mistake(what, where, fix=fix)
    return Mistake(
        f"the condition asks an unknown fact {name[:60]!r}",
        where,
        nearest=_nearest_fact(name, stage[1] if stage else "", known),
        fix=f"use one of: {', '.join(known)}",
    )


def _nearest_fact(name: str, stage: str, known: Mapping[str, bool]) -> str:
    if not stage:
        return nearest(name, known)
    # All facts share their beginning and end; only the stage's own name tells them apart.
    stages = [fact.split(".")[1] for fact in known if fact != ALL]
    close = nearest(stage, stages)
    return f"stages.{close}.passed" if close else ""


def _plain(said: str) -> str:
    said = said.removeprefix("Syntax error: ")
    said = re.sub(r"\s*expecting \{.*", "", said)
    said = said.replace("mismatched input '<EOF>'", "it ends too early")
    said = said.replace("<EOF>", "the end").replace("token recognition error at:", "unknown sign")
    return " ".join(said.split())[:100]


def _shown(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    start = max(0, column - 60)
    visible = "".join(letter if letter.isprintable() else " " for letter in shown)
    return f"  | {visible[start : start + 76]}\n  | {'^':>{column - start}}"


def _spelling(text: str, line: int, column: int) -> str:
    """CEL's own spelling of an operator that another language spells as written here."""
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :].split() if line <= len(lines) else []
    before = lines[line - 1][: column - 1].split() if line <= len(lines) else []
    near = [*rest[:1], *before[-1:]]
    return next((_WORDS[word] for word in near if word in _WORDS), "")
