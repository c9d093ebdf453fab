"""A project's own model, from the pipeline file to a version, and all that can go wrong."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial.inference.pickled import Pickled
from seatrial.registry.opened import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.tasks.conftest import Project, Went

pytestmark = pytest.mark.slow  # each is quick, and there are many

ROWS = 300

PIPELINE = """
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

def build(hyperparameters, seed):
    columns = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["size", "weight"]),
        ("words", OneHotEncoder(handle_unknown="ignore"), ["colour"]),
    ])
    return make_pipeline(columns, LogisticRegression(random_state=seed, **hyperparameters))
"""

OWN = """
import numpy as np
from tools import squashed

class Own:
    def __init__(self, cut):
        self.cut = cut

    def predict_proba(self, features):
        greater = squashed(np.nan_to_num(features["size"]) - self.cut)
        return np.column_stack([1 - greater, greater])

    def predict(self, features):
        return (self.predict_proba(features)[:, 1] > 0.5).astype(int)

def build(features, target, seed):
    return Own(float(features["size"].mean()) + np.random.default_rng(seed).normal() / 100)
"""

TOOLS = "import numpy as np\ndef squashed(x): return 1 / (1 + np.exp(-x))\n"


@pytest.fixture
def project(fresh: Project) -> Project:
    """A project with numbers, a category and a target in ``rows``; no code of its own yet."""
    random = np.random.default_rng(1)
    size, weight = random.normal(size=(2, ROWS))
    colour = random.choice(["red", "green", "blue"], ROWS)
    target = (size + (colour == "red") + random.normal(scale=0.3, size=ROWS) > 0.5).astype(int)
    lines = [
        f"{a:.4f},{b:.4f},{c},{t}" for a, b, c, t in zip(size, weight, colour, target, strict=True)
    ]
    (fresh.folder / "data" / "rows.csv").write_text(
        "\n".join(["size,weight,colour,target", *lines, ""])
    )
    return fresh


def write(project: Project, train: Mapping[str, object], code: str = "", **files: str) -> None:
    project.file.write_text(
        "name: own\nstages:\n  - name: make\n    tasks:\n"
        f"      - train: {json.dumps({'data': 'rows', **train})}\n      - register: {{}}\n"
    )
    if code:
        (project.folder / "fits.py").write_text(code)
    for name, content in files.items():
        (project.folder / f"{name}.py").write_text(content)


def run(project: Project, train: Mapping[str, object], code: str = "", **files: str) -> Went:
    write(project, train, code, **files)
    return project.run()


def findings(went: Went, word: str = "train") -> list[str]:
    return [finding["what"] for finding in went.task(word)["findings"]]


BUILD: Mapping[str, object] = {"entrypoint": "fits:build"}


@pytest.mark.slow
def test_a_pipeline_of_scikit_learn_becomes_a_version(
    project: Project, stores: Callable[[Project], Any]
) -> None:
    write(project, {**BUILD, "hyperparameters": {"C": 0.5}}, PIPELINE)
    before = {path for path in project.folder.rglob("*") if path.is_file()}
    went = project.run()
    assert (went.code, went.verdict("train"), went.verdict("register")) == (0, "pass", "pass")
    assert went.reason("train") == "fits:build made Pipeline on 300 rows, 3 features"
    assert "ONNX equals the trained Pipeline on 300 rows" in went.reason("register")
    assert went.measures("register")["parity.largest_difference"]["value"] < 1e-5
    registry = stores(project).registry
    version = registry.version("own", 1)
    manifest = registry.manifest(version)
    training = manifest["training"]
    assert training["source"]["entrypoint"] == "fits:build"
    assert training["source"]["code"].startswith("sha256:")
    assert (training["hyperparameters"], training["seeds"]) == ({"C": 0.5}, [20130101])
    assert "trust" not in manifest
    assert "model.pickle" not in manifest["files"]
    assert opened(registry, version).predict(
        {"size": np.ones(1), "weight": np.ones(1), "colour": np.array(["unheard of"], object)}
    ).label.shape == (1,)
    left = {path for path in project.folder.rglob("*") if path.is_file()}
    assert {path for path in left - before if ".seatrial" not in path.parts} == set()
    again = project.run()
    assert "re-used" in again.reason("train")
    assert "re-used" in again.reason("register")


@pytest.mark.slow
def test_the_same_code_and_seed_give_the_same_version(
    project: Project, stores: Callable[[Project], Any]
) -> None:
    went = run(project, {**BUILD, "trust": "pickle"}, OWN, tools=TOOLS)
    assert went.verdict("register") == "pass"
    files = stores(project).registry.manifest(stores(project).registry.version("own", 1))["files"]
    (project.folder / "data" / "unused.py").write_text("x = 1\n")
    again_run = project.run()
    assert "re-used" not in again_run.reason("train")
    assert again_run.verdict("register") == "pass"
    again = stores(project).registry.manifest(stores(project).registry.version("own", 2))["files"]
    assert again["model.pickle"] == files["model.pickle"]
    assert again["native"] == files["native"]


@pytest.mark.slow
def test_an_object_without_onnx_is_refused_with_two_ways_out(project: Project) -> None:
    went = run(project, BUILD, OWN, tools=TOOLS)
    assert (went.code, went.verdict("train"), went.verdict("register")) == (1, "pass", "fail")
    assert "Own is no scikit-learn estimator" in went.reason("register")
    assert "to_onnx()" in went.reason("register")
    assert "`trust: pickle`" in went.reason("register")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "target"),
    [
        ("HistGradientBoostingClassifier(max_iter=10)", "words"),
        ("HistGradientBoostingRegressor(max_iter=10)", "numbers"),
    ],
)
def test_three_classes_and_numbers(project: Project, last: str, target: str) -> None:
    lines = (project.folder / "data" / "rows.csv").read_text().splitlines()
    rows = [line.rsplit(",", 1)[0] for line in lines[1:]]
    sizes = [float(row.split(",")[0]) for row in rows]
    labels: list[object] = [f"{100 * size:.2f}" for size in sizes]
    if target != "numbers":
        labels = ["high" if size > 1 else "mid" if size > 0 else "low" for size in sizes]
    told = [f"{row},{label}" for row, label in zip(rows, labels, strict=True)]
    (project.folder / "data" / "rows.csv").write_text("\n".join([lines[0], *told, ""]))
    code = PIPELINE.replace("LogisticRegression(random_state=seed, **hyperparameters)", last)
    went = run(project, BUILD, f"from sklearn.ensemble import *\n{code}")
    assert (went.errors, went.verdict("register")) == ("", "pass")
    assert "ONNX equals the trained Pipeline" in went.reason("register")


@pytest.mark.slow
def test_an_onnx_form_that_answers_otherwise_makes_no_version(project: Project) -> None:
    code = (
        OWN
        + """
def half():
    import onnx
    from onnx import TensorProto, helper
    kinds = {"size": TensorProto.FLOAT, "weight": TensorProto.FLOAT, "colour": TensorProto.STRING}
    columns = [helper.make_tensor_value_info(n, k, ["n", 1]) for n, k in kinds.items()]
    out = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 1])
    nodes = [helper.make_node("IsNaN", ["size"], ["no"]),
             helper.make_node("Where", ["no", "half", "half"], ["p"])]
    graph = helper.make_graph(nodes, "g", columns, [out],
                              [helper.make_tensor("half", TensorProto.FLOAT, [], [0.5])])
    opset = [helper.make_opsetid("", 15)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
Own.to_onnx = lambda self: half()
"""
    )
    went = run(project, BUILD, code, tools=TOOLS)
    assert (went.code, went.verdict("register")) == (1, "fail")
    assert "ONNX differs from the trained Own on 300 of 300 rows" in went.reason("register")
    assert went.measures("register")["parity.largest_difference"]["verdict"] == "fail"


@pytest.mark.slow
def test_with_trust_it_is_kept_pickled_with_the_projects_code_and_never_opened_here(
    project: Project, stores: Callable[[Project], Any]
) -> None:
    went = run(project, {**BUILD, "trust": "pickle", "seeds": 2}, OWN, tools=TOOLS)
    assert (went.code, went.verdict("register")) == (0, "pass")
    assert "the pickled model, loaded again, equals the trained Own" in went.reason("register")
    registry = stores(project).registry
    version = registry.version("own", 1)
    manifest = registry.manifest(version)
    assert manifest["trust"] == "pickle"
    assert "model.onnx" not in manifest["files"]
    assert {"model.pickle", "seed-20130102.pickle"} <= set(manifest["files"])
    # it brings its own code along: the project's is gone
    (project.folder / "fits.py").unlink()
    (project.folder / "tools.py").unlink()
    model = opened(registry, version)
    assert isinstance(model, Pickled)
    columns = {"size": np.array([-9.0, 9.0]), "weight": np.zeros(2), "colour": np.array(["a", "b"])}
    assert model.predict(columns).label.tolist() == [0, 1]
    model.close()


@pytest.mark.slow
def test_trust_is_a_permission_and_not_a_wish(
    project: Project, stores: Callable[[Project], Any]
) -> None:
    code = PIPELINE.replace("build(", "unused(") + (
        "def build():\n    from sklearn.linear_model import LogisticRegression\n"
        "    numbers = [('n', SimpleImputer(), ['size'])]\n"
        "    return make_pipeline(ColumnTransformer(numbers), LogisticRegression())\n"
    )
    went = run(project, {**BUILD, "trust": "pickle"}, code)
    registry = stores(project).registry
    assert went.verdict("register") == "pass"
    assert "model.pickle" not in registry.manifest(registry.version("own", 1))["files"]


def test_an_onnx_model_that_is_returned_is_taken_as_it_is(project: Project) -> None:
    code = """
import onnx
from onnx import TensorProto, helper
def build(features):
    columns = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 1]) for n in features]
    out = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 1])
    nodes = [
        helper.make_node("IsNaN", ["size"], ["no"]),
        helper.make_node("Where", ["no", "zero", "size"], ["filled"]),
        helper.make_node("Sigmoid", ["filled"], ["p"]),
    ]
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    graph = helper.make_graph(nodes, "g", columns, [out], [zero])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
"""
    text = "datasets:\n  rows: {path: data/rows.csv, exclude: [colour]}\n"
    write(project, BUILD, code)
    project.file.write_text(text + project.file.read_text())
    went = project.run()
    assert went.errors == ""
    assert (went.verdict("train"), went.verdict("register")) == ("pass", "pass")


@pytest.mark.slow
def test_missing_values_that_a_model_refuses_are_told(project: Project) -> None:
    code = PIPELINE.replace("make_pipeline(SimpleImputer(), StandardScaler())", "StandardScaler()")
    went = run(project, BUILD, code)
    assert went.verdict("register") == "pass"
    (told,) = findings(went)
    assert told.startswith("the model does not answer rows with missing numbers (ValueError:")
    assert "contains NaN" in told


@pytest.mark.slow
def test_a_training_that_did_not_converge_says_so(project: Project) -> None:
    went = run(project, {**BUILD, "hyperparameters": {"max_iter": 1, "C": 1e6}}, PIPELINE)
    (told,) = findings(went)
    assert told.startswith("the training warns: ConvergenceWarning: lbfgs failed to converge")


@pytest.mark.parametrize(
    ("code", "what", "where"),
    [
        ("import no_such_thing\ndef build(): ...", "No module named 'no_such_thing'", "fits.py:1"),
        ("from tools import missing\ndef build(): ...", "cannot import name", "fits.py:1"),
        ("import bad\ndef build(): ...", "SyntaxError", "bad.py:1"),
        ("def build(): pass", "returns None", "fits.py:1"),
        ("def build(): return 3", "returns an int, which has no `predict`", "fits.py:1"),
        (
            "class M:\n  def predict(s): ...\ndef build(): return M",
            "returns the class M",
            "fits.py:3",
        ),
        ("def build():\n  raise KeyError('x')", "fails: KeyError: 'x'", "fits.py:2, in build"),
        ("import tools\ndef build():\n  tools.squashed('a')", "TypeError", "tools.py:2"),
        ("import sys\ndef build():\n  sys.exit(3)", "ends the program (exit 3)", "fits.py:3"),
        ("import os\ndef build():\n  print('bye')\n  os._exit(3)", "last: bye", "fits.py:2"),
        ("import os\ndef build(): os._exit(0)", "ended its process (exit 0)", "fits.py:2"),
        ("import os\ndef build():\n  os.kill(os.getpid(), 9)", "(SIGKILL)", "fits.py:2"),
        ("import ctypes\ndef build():\n  ctypes.string_at(0)", "(SIGSEGV)", "fits.py:3, in build"),
        ("def build(): return '/no/such.onnx'", "where there is no file", "fits.py:1"),
        ("def build(): return open('data/rows.csv')", "FileNotFoundError", "fits.py:1"),
        ("build = 3", "is no function but an int", "fits.py:1"),
    ],
)
def test_what_the_projects_code_does_wrong_is_told_in_a_few_lines(
    project: Project, code: str, what: str, where: str
) -> None:
    went = run(project, BUILD, code, tools=TOOLS, bad="x = (\n")
    assert went.code == 2
    assert what in went.errors
    assert f"where: {where}" in went.errors
    assert len(went.errors.splitlines()) <= 6
    assert went.document["model"] is None


OBJECT = """
import numpy as np
class M:
    def predict(self, features): return {labels}
    def predict_proba(self, features): return {probabilities}
def build(): return M()
"""
HALF = "np.full((len(features['size']), 2), 0.5)"
ZEROS = "np.zeros(len(features['size']), int)"


@pytest.mark.parametrize(
    ("labels", "probabilities", "what"),
    [
        (
            "np.zeros(3)",
            HALF,
            "`predict` answers float64 of the shape [3]; needed is the shape [300]",
        ),
        ("['maybe'] * len(features['size'])", HALF, "'maybe', which is none of the classes"),
        (
            ZEROS,
            HALF.replace("2", "3"),
            "the shape [300, 3]; needed are numbers of the shape [300, 2]",
        ),
        (ZEROS, f"{HALF} * np.nan", "answers no number (NaN or infinite) for 300 of 300 rows"),
        (ZEROS, f"{HALF} * 3", "1.5, 1.5 in row 1: these are no probabilities"),
        ("1 / 0", HALF, "ZeroDivisionError"),
    ],
)
def test_answers_that_are_none_are_told(
    project: Project, labels: str, probabilities: str, what: str
) -> None:
    went = run(project, BUILD, OBJECT.format(labels=labels, probabilities=probabilities))
    assert went.code == 2
    assert what in went.errors
    assert len(went.errors.splitlines()) <= 6


def test_classes_need_probabilities(project: Project) -> None:
    went = run(project, BUILD, "class M:\n  def predict(self, f): ...\ndef build(): return M()")
    assert "the M of `fits:build` has no `predict_proba`" in went.errors


@pytest.mark.slow
def test_a_training_that_hangs_is_ended_and_shown_where(project: Project) -> None:
    code = "import time\ndef build():\n    print('waiting')\n    time.sleep(600)\n"
    went = run(project, {**BUILD, "timeout_s": 5}, code)
    assert went.code == 2
    assert "`fits:build` was not done after 5 s, and was ended" in went.errors
    assert "it printed last: waiting" in went.errors
    assert "where: fits.py:4, in build" in went.errors


def test_a_training_that_leaks_is_stopped_by_its_limit(project: Project) -> None:
    code = "import numpy as np\ndef build():\n    kept = []\n    while True:\n"
    code += "        kept.append(np.ones(1_000_000))\n"
    went = run(project, {**BUILD, "memory_mb": 300}, code)
    assert "it runs out of memory" in went.errors
    assert "where: fits.py:5, in build" in went.errors
    assert "fix: raise `memory_mb`" in went.errors


def test_what_it_prints_costs_nothing_and_what_it_starts_does_not_outlive_it(
    project: Project, tmp_path: Path
) -> None:
    code = f"""
import subprocess
def build():
    child = subprocess.Popen(["sleep", "600"])
    open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
    for _ in range(20000): print("x" * 1000)
"""
    assert "returns None" in run(project, BUILD, code).errors
    pid = (tmp_path / "pid").read_text()
    running = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, check=False)
    assert running.stdout.strip() in {b"", b"Z", b"Zs"}


@pytest.mark.slow
def test_files_of_the_project_that_change_are_told(project: Project) -> None:
    code = OWN.replace(
        "    return Own(",
        "    import pathlib\n    pathlib.Path(__file__).with_name('notes.txt').write_text('x')\n"
        "    open('here.txt', 'w').write('x')\n    return Own(",
    )
    went = run(project, BUILD, code, tools=TOOLS)
    assert findings(went) == ["files of the project changed while it trained: notes.txt"]
    assert not (project.folder / "here.txt").exists()


@pytest.mark.slow
def test_uncommitted_code_is_told_and_fails_nothing(project: Project) -> None:
    write(project, BUILD, OWN, tools=TOOLS)
    (project.folder / ".gitignore").write_text(".seatrial\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], cwd=project.folder, check=True)
    subprocess.run([*git, "add", "."], cwd=project.folder, check=True)
    subprocess.run([*git, "commit", "-qm", "a"], cwd=project.folder, check=True)
    assert findings(project.run()) == []
    (project.folder / "tools.py").write_text(TOOLS + "\n# changed\n")
    went = project.run()
    assert findings(went) == ["the code has uncommitted changes: tools.py"]
    assert went.verdict("train") == "pass"
