"""Which function does an entry point mean, and does it stand there? Told without running it."""

from __future__ import annotations

import ast
import importlib.machinery
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GIVEN = ("features", "target", "classes", "problem", "hyperparameters", "seed", "training")
"""What a function may ask for, by the names of its parameters."""

_FORM = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<function>[^\W\d]\w*)")
_EXAMPLE = "write `entrypoint: module:function`, such as `entrypoint: my_model:build`"


def parts(entrypoint: str) -> tuple[str, str]:
    """The module and the function; two empty texts when it has another form.

    >>> parts("package.module:build"), parts("package.module.build")
    (('package.module', 'build'), ('', ''))
    """
    found = None if ".py:" in entrypoint else _FORM.fullmatch(entrypoint)
    return (found["module"], found["function"]) if found else ("", "")


def mistakes(entrypoint: str, folder: Path) -> Iterator[Mistake]:
    """What is wrong with an entry point of the project in ``folder``.

    Each has a place only when it is not the entry point itself that must be corrected.
    """
    module, function = parts(entrypoint)
    if not module:
        yield _malformed(entrypoint)
        return
    file = _in_project(module, folder)
    top = module.partition(".")[0]
    if file is None:
        yield from _installed(module, folder)
        return
    shown = str(file.relative_to(folder))
    if top in sys.stdlib_module_names:
        what = f"the module {module!r} has the name of a module of Python itself"
        yield Mistake(what, shown, fix=f"rename {shown}, for example to my_{file.name}")
        return
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError as error:
        what = f"the file of the entry point is no Python: {error.msg}"
        yield Mistake(what, f"{shown}:{error.lineno}:{error.offset}", fix="correct that line")
        return
    except (OSError, ValueError) as error:
        yield Mistake(f"the file of the entry point cannot be read: {error}", shown)
        return
    yield from _function(tree, function, shown)


def line_of(entrypoint: str, folder: Path) -> str:
    """Where the function stands, as ``file:line``; the file alone, or nothing, when not known."""
    module, function = parts(entrypoint)
    file = _in_project(module, folder) if module else None
    if file is None:
        return ""
    try:
        names = _Names.of(ast.parse(file.read_bytes()))
    except (OSError, ValueError, SyntaxError):
        return str(file.relative_to(folder))
    found = names.defined.get(function)
    line = "" if found is None else f":{getattr(found, 'lineno', 1)}"
    return f"{file.relative_to(folder)}{line}"


def _malformed(entrypoint: str) -> Mistake:
    head, dot, tail = entrypoint.rpartition(".")
    near = f"{head}:{tail}" if dot and ":" not in entrypoint else ""
    if head.endswith(".py") or "/" in entrypoint or ".py:" in entrypoint:
        # a path, as other tools have it
        path, _, function = entrypoint.partition(":")
        module = path.removesuffix(".py").strip("./").replace("/", ".")
        near = f"{module}:{function or 'FUNCTION'}"
    near = near if parts(near)[0] else ""
    return Mistake(f"the entry point {entrypoint!r} names no function", nearest=near, fix=_EXAMPLE)


def _in_project(module: str, folder: Path) -> Path | None:
    """The module's file in the project, or None."""
    return _below([folder], module.split("."))


def _below(places: Iterable[Path | str], names: Sequence[str]) -> Path | None:
    """The file of a dotted name below one of several folders."""
    for place in map(Path, places):
        inner = place / names[0]
        if len(names) > 1:
            found = _below([inner], names[1:]) if inner.is_dir() else None
            if found is not None:
                return found
        else:
            for file in (inner / "__init__.py", place / f"{names[0]}.py"):
                if file.is_file():
                    return file
    return None


def _installed(module: str, folder: Path) -> Iterator[Mistake]:
    """A module that is not in the project must be installed."""
    names = module.split(".")
    # imports nothing: what is below the first name is looked for as files
    spec = importlib.machinery.PathFinder.find_spec(names[0])
    if spec is not None and (folder / names[0]).is_dir():
        spec = None if spec.origin is None else spec
    if spec is not None:
        places = spec.submodule_search_locations
        if len(names) == 1 or (places is not None and _below(places, names[1:])):
            return
        yield Mistake(
            f"the installed package {names[0]} has no module {module!r}",
            nearest=nearest(module, _modules(map(Path, places or ()), names[0])),
            fix=_EXAMPLE,
        )
        return
    wanted = "/".join(names) + ".py"
    yield Mistake(
        f"there is no module {module!r}: no file {wanted} in the project, and no such package"
        " is installed",
        nearest=nearest(module, _modules([folder], "")),
        fix=f"write the function in {wanted}, or correct the entry point",
    )


def _modules(folders: Iterable[Path], package: str) -> list[str]:
    """The modules in some folders, two levels deep: enough to find the nearest name."""
    found = [
        (file.parent if file.name == "__init__.py" else file.with_suffix("")).relative_to(folder)
        for folder in folders
        for pattern in ("*.py", "*/*.py")
        for file in folder.glob(pattern)
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    return [".".join(filter(None, [package, *path.parts])) for path in sorted(found)]


@dataclass(frozen=True, slots=True)
class _Names:
    """The names at the top of a module, and whether there may be others."""

    defined: dict[str, ast.stmt]
    open: bool

    @classmethod
    def of(cls, tree: ast.Module) -> _Names:
        defined: dict[str, ast.stmt] = {}
        is_open = False
        for statement in _statements(tree.body):
            for name in _bound(statement):
                defined[name] = statement
                is_open |= name in {"*", "__getattr__"}
        return cls(defined, is_open)


def _function(tree: ast.Module, function: str, file: str) -> Iterator[Mistake]:
    names = _Names.of(tree)
    found = names.defined.get(function)
    if found is None:
        if not names.open:
            yield Mistake(
                f"there is no function {function!r} in {file}",
                nearest=nearest(function, names.defined),
                fix="correct the entry point, or define it there",
            )
        return
    place = f"{file}:{found.lineno}"
    if isinstance(found, ast.AsyncFunctionDef):
        yield Mistake(f"{function} is an async function", place, fix="write `def` alone")
    if isinstance(found, ast.FunctionDef) and not found.decorator_list:
        for name in _demanded(found.args):
            if name not in GIVEN:
                yield Mistake(
                    f"{function} demands a parameter {name!r}, which nobody gives",
                    place,
                    nearest=nearest(name, GIVEN),
                    fix=f"it may ask for: {', '.join(GIVEN)}",
                )


def _demanded(arguments: ast.arguments) -> list[str]:
    """The parameters that have no default."""
    plain = [*arguments.posonlyargs, *arguments.args]
    without = plain[: len(plain) - len(arguments.defaults)]
    only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [each.arg for each in (*without, *(each for each, default in only if default is None))]


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Those that run when a module is imported, under conditions too."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for inner in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, inner, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from _statements(handler.body)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id
