"""What is wrong with an entry point is told without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.models._entry import code, found

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import helpers
from other import taken
if True:
    def inside(seed): ...
else:
    late = None
try:
    from fast import swift
except ImportError:
    swift = None
class Builder: ...
def build(features, target, *, seed=1, **more): ...
def wants(features, traget): ...
async def later(): ...
@helpers.decorated
def decorated(anything): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fits.py").write_text(CODE)
    (tmp_path / "pack" / "deep").mkdir(parents=True)
    (tmp_path / "pack" / "__init__.py").write_text("from .deep import *\n")
    (tmp_path / "pack" / "deep" / "models.py").write_text("def build(): ...\n")
    (tmp_path / "types.py").write_text("def build(): ...\n")
    (tmp_path / "broken.py").write_text("x = 1\ndef build(:\n")
    (tmp_path / "binary.py").write_bytes(b"\0\xff")
    return tmp_path


@pytest.mark.parametrize(
    "entrypoint",
    [
        *("fits:build", "fits:Builder", "fits:taken", "fits:inside", "fits:late", "fits:swift"),
        *("fits:decorated", "pack.deep.models:build", "pack:anything", "sklearn.svm:SVC"),
    ],
)
def test_right_ones_have_no_mistake(project: Path, entrypoint: str) -> None:
    assert list(found.mistakes(entrypoint, project)) == []


@pytest.mark.parametrize(
    ("entrypoint", "what", "where", "near"),
    [
        ("fits.build", "names no function", "", "fits:build"),
        ("fits", "names no function", "", ""),
        ("./fits.py:build", "names no function", "", "fits:build"),
        ("pack/deep/models.py:build", "names no function", "", "pack.deep.models:build"),
        ("fits:build()", "names no function", "", ""),
        ("fits:", "names no function", "", ""),
        ("fist:build", "no file fist.py in the project", "", "fits"),
        ("pack.deep.model:build", "no file pack/deep/model.py", "", ""),
        ("pack.deap:build", "there is no module 'pack.deap'", "", "pack"),
        ("sklearn.svn:SVC", "the installed package sklearn has no module", "", "sklearn.svm"),
        ("fits:biuld", "there is no function 'biuld' in fits.py", "", "build"),
        ("fits:wants", "demands a parameter 'traget'", "fits.py:14", "target"),
        ("fits:later", "later is an async function", "fits.py:15", ""),
        ("types:build", "has the name of a module of Python itself", "types.py", ""),
        ("broken:build", "is no Python", "broken.py:2", ""),
        ("binary:build", "", "binary.py", ""),
    ],
)
def test_a_mistake_says_what_where_and_what_was_meant(
    project: Path, entrypoint: str, what: str, where: str, near: str
) -> None:
    (mistake,) = found.mistakes(entrypoint, project)
    assert what in mistake.what
    assert mistake.where.startswith(where)
    assert bool(mistake.where) == bool(where)
    assert mistake.nearest == near
    assert len(str(mistake).splitlines()) <= 6


def test_nothing_of_it_runs(project: Path) -> None:
    (project / "fits.py").write_text("raise SystemExit\ndef build(): ...\n")
    assert list(found.mistakes("fits:build", project)) == []


def test_where_a_function_stands(project: Path) -> None:
    assert found.line_of("fits:build", project) == "fits.py:13"
    assert found.line_of("sklearn.svm:SVC", project) == ""


def test_the_projects_own_code_is_what_counts(project: Path) -> None:
    for name in (".seatrial/x.py", ".venv/a.py", "env/lib/b.py", "node_modules/c.py", "data/d.txt"):
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (project / "env" / "pyvenv.cfg").write_text("")
    names = {path.relative_to(project).as_posix() for path in code.files(project)}
    ours = {"fits.py", "types.py", "broken.py", "binary.py"}
    assert names == ours | {"pack/__init__.py", "pack/deep/models.py"}
    before = code.digest(project)
    (project / "env" / "lib" / "b.py").write_text("x = 1")
    assert code.digest(project) == before
    (project / "pack" / "deep" / "models.py").write_text("def build(): return 1\n")
    changed = code.digest(project)
    assert changed != before
    (project / "fits.py").rename(project / "fits2.py")
    assert code.digest(project) not in {before, changed}
