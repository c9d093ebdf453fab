"""A bundle is proven on this machine: yes or no, why, and whatever the model does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from bundles import Version, environment, flights_late, numbers_only
from interrupted import InterruptedThread
from seatrial.environment.capture import fingerprint
from seatrial.environment.needs import Needs
from seatrial.environment.proof.proving import prove
from seatrial.environment.proof.verdict import lines
from seatrial.errors import StoreError, UsageError
from seatrial.inference import golden
from seatrial.inference.pickled import Pickled
from seatrial.inference.signature import Input, Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow  # each is quick, and there are many

NUMBERS = Signature((Input("a", "FP32"),), "numbers")
HEAD = b'{"features": "matrix"}\n'


class Doubles:
    def predict(self, features: Any) -> Any:
        return np.asarray(features)[:, 0] * 2


class Hangs(Doubles):
    def predict(self, features: Any) -> Any:
        del features
        while True:
            time.sleep(1)


class Dies(Doubles):
    def predict(self, features: Any) -> Any:
        del features
        os.abort()


class Triples(Doubles):
    def predict(self, features: Any) -> Any:
        return np.asarray(features)[:, 0] * 3


def pickled(model: object) -> Version:
    """A pickled version whose golden rows are those of ``Doubles``."""
    honest = Pickled.open(HEAD + cloudpickle.dumps(Doubles()), NUMBERS)
    rows = {"a": np.random.default_rng(1).normal(size=200).astype(np.float32)}
    made = golden.make(honest, rows, seed=1)
    honest.close()
    files = {"model.pickle": HEAD + cloudpickle.dumps(model), "golden.json": made}
    needs = Needs(form="pickle", packages=("numpy",)).to_json()
    return Version(
        files,
        {
            "signature": NUMBERS.to_json(),
            "environment": flights_late().manifest["environment"],
            "trust": "pickle",
            "needs": needs,
        },
    )


@pytest.fixture(scope="module", autouse=True)
def _by_value() -> Iterator[None]:
    """A pickled model finds nothing of this file."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def endless() -> Version:
    """A model that never answers: it counts to 2**62."""
    body = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"]), helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1]),
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1]),
        ],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Loop", ["count", "on", "a"], ["looped"], body=body),
            helper.make_node("Reshape", ["looped", "flat"], ["label"]),
        ],
        "endless",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor_value_info("label", TensorProto.FLOAT, [None])],
        [
            helper.make_tensor("count", TensorProto.INT64, [], [1 << 62]),
            helper.make_tensor("on", TensorProto.BOOL, [], [True]),
            helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    rows = {"inputs": {"a": [1.0, 2.0]}, "label": [1.0, 2.0], "probabilities": None}
    return Version(
        {"model.onnx": model.SerializeToString(), "golden.json": json.dumps(rows).encode()},
        {"signature": NUMBERS.to_json(), "environment": flights_late().manifest["environment"]},
    )


def said(version: Version, tmp_path: Path, **how: Any) -> tuple[int, str]:
    """The exit code, and what a person reads."""
    proven = prove(version.write(tmp_path / "bundle").place, **how)
    json.dumps(proven.to_json(), allow_nan=False)
    told = list(lines(proven))
    assert told[0].startswith("yes: " if proven.ok else "no: ")
    return proven.exit_code, "\n".join(told)


# it answers


@pytest.mark.parametrize("ending", ["", ".tar.gz", ".zip"])
def test_where_it_was_trained_it_answers_as_it_must(tmp_path: Path, ending: str) -> None:
    written = flights_late().write(tmp_path / f"bundle{ending}")
    proven = prove(written.place, digest=written.listing.digest)
    assert (proven.ok, proven.exit_code, proven.differences) == (True, 0, ())
    assert proven.digest == written.listing.digest
    assert proven.environment["verified"] == ["numpy", "onnxruntime"]
    assert proven.proof is not None
    assert proven.rows == proven.proof["model.onnx"]["rows"] >= 64
    (line,) = lines(proven)
    assert line.startswith("yes: flights_late version 3 answers its ")


def test_every_form_is_asked_by_every_setting(tmp_path: Path) -> None:
    place = numbers_only().write(tmp_path / "bundle").place
    settings: list[dict[str, Any]] = [{}, {"plain": True}, {"rows_at_once": 1}, {"rows_at_once": 0}]
    for how in settings:
        proven = prove(place, **how)
        assert proven.ok
        assert proven.proof is not None
        assert set(proven.proof) == {"model.onnx", "matrix.onnx"}
        assert proven.plain == bool(how.get("plain"))


def test_a_version_from_before_demands_were_recorded_is_proven(tmp_path: Path) -> None:
    version = flights_late()
    version.manifest.pop("environment")
    rows = json.loads(version.files["golden.json"])
    rows.pop("kinds")
    version.files["golden.json"] = json.dumps(rows).encode()
    assert said(version, tmp_path)[0] == 0


# it answers otherwise


def spoilt(version: Version, change: Callable[[Any], object]) -> Version:
    """Other golden rows, registered so: the digests agree."""
    rows = json.loads(version.files["golden.json"])
    change(rows)
    version.files["golden.json"] = json.dumps(rows).encode()
    return version


def test_an_answer_that_is_another_is_a_no_that_names_the_row(tmp_path: Path) -> None:
    def other(rows: Any) -> None:
        rows["probabilities"][6] = rows["probabilities"][6][::-1]
        rows["label"][6] = "late" if rows["label"][6] == "on time" else "on time"

    code, text = said(spoilt(flights_late(), other), tmp_path)
    assert code == 1
    assert "no: flights_late version 3 answers its golden rows otherwise here" in text
    assert "model.onnx: it differs on 1 of " in text
    assert "row 7 (" in text


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows["inputs"].pop("carrier"),
        lambda rows: rows["label"].pop(),
        lambda rows: rows["probabilities"][0].append(0.0),
        lambda rows: rows.clear(),
        lambda rows: rows["label"].__setitem__(0, "never"),
    ],
)
def test_golden_rows_that_do_not_fit_the_model_prove_nothing(
    tmp_path: Path, change: Callable[[Any], object]
) -> None:
    code, text = said(spoilt(flights_late(), change), tmp_path)
    assert code == 5
    assert "golden rows" in text
    assert len(text.splitlines()) <= 7


def test_a_model_that_cannot_be_opened_here_is_a_no(tmp_path: Path) -> None:
    version = flights_late()
    version.files["model.onnx"] = b"no model"
    code, text = said(version, tmp_path)
    assert code == 1
    assert "flights_late version 3 cannot answer here: onnxruntime cannot open the model" in text


def test_a_needed_package_that_is_missing_forbids_to_serve(tmp_path: Path) -> None:
    version = flights_late()
    trained = json.loads(json.dumps(version.manifest["environment"]))
    trained["dependencies"]["gone-package"] = "1.0"
    needs = Needs(form="onnx", packages=("numpy", "gone-package")).to_json()
    version.manifest |= {"environment": trained, "needs": needs}
    code, text = said(version, tmp_path)
    assert code == 1
    assert "no: flights_late version 3 must not answer here: one difference" in text
    assert "error dependencies.gone-package" in text


def test_a_machine_that_is_another_counts_less_once_the_model_answers(tmp_path: Path) -> None:
    version = flights_late()
    trained = json.loads(json.dumps(version.manifest["environment"]))
    version.manifest["environment"] = {**trained, "machine": "riscv64"}
    code, text = said(version, tmp_path)
    assert code == 0
    assert "warn machine: riscv64 -> " in text
    version.manifest["environment_policy"] = {"machine": "error"}
    proven = prove(version.write(tmp_path / "strict").place)
    assert proven.exit_code == 1


# whatever the model does


def test_a_model_that_never_answers_is_ended(tmp_path: Path) -> None:
    code, text = said(endless(), tmp_path, timeout_s=2)
    assert code == 5
    assert "the model did not answer within 2 s" in text


def test_a_pickled_model_runs_only_when_it_is_trusted(tmp_path: Path) -> None:
    place = pickled(Doubles()).write(tmp_path / "bundle").place
    with pytest.raises(UsageError, match="runs the code that it holds"):
        prove(place)
    assert prove(place, trust_pickle=True).ok
    assert "--trust-pickle" in (place / "README.txt").read_text()


def test_a_pickled_model_that_answers_otherwise_or_dies_is_a_no(tmp_path: Path) -> None:
    code, text = said(pickled(Triples()), tmp_path, trust_pickle=True)
    assert (code, "answers its golden rows otherwise here" in text) == (1, True)
    place = pickled(Dies()).write(tmp_path / "dies").place
    proven = prove(place, trust_pickle=True)
    assert (proven.exit_code, "died (SIGABRT)" in proven.trouble) == (1, True)


@pytest.mark.slow
def test_a_pickled_model_that_hangs_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARK", str(tmp_path))  # the model's own process knows no path of ours
    code, _ = said(pickled(Hangs()), tmp_path, trust_pickle=True, timeout_s=6)
    assert code == 5
    assert eventually(lambda: not of_this_test(str(tmp_path)))


def of_this_test(word: str) -> list[int]:
    """The processes whose command line or variables have a word."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            about = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in about and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


BROKEN = {
    "aborts": ("os.abort()", "died (SIGABRT)"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "was killed, as a system does that lacks"),
    "ends": ("os._exit(3)", "ended (exit code 3) and said nothing"),
    "silent": ("os._exit(0)", "ended (exit code 0) and said nothing"),
    "chatty": ("os.write(2, b'no ' * 9_000_000 + b'\\nlast words\\n'); os._exit(7)", "last words"),
    "hangs": ("time.sleep(1000)", "did not answer within 2 s"),
    "nonsense": (
        "open(sys.argv[-1], 'a').write('[]\\n{\"proof\": 3}\\n\\0'); os._exit(0)",
        "said nothing",
    ),
    "forks": ("os.fork() or time.sleep(1000); os._exit(9)", "ended (exit code 9)"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_library_that_takes_the_process_with_it_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    program, told = BROKEN[fault]
    library = tmp_path / "library" / "onnxruntime"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text(f"import os, signal, sys, time\n{program}\n")
    monkeypatch.setenv("PYTHONPATH", str(library.parent))
    code, text = said(flights_late(), tmp_path, timeout_s=2 if fault == "hangs" else 60)
    assert code == 5
    assert "no: it is not known whether flights_late version 3 answers here as it must: " in text
    assert told in text
    assert all(len(line) < 500 for line in text.splitlines())
    assert not of_this_test(str(tmp_path))


def test_the_process_ends_when_whoever_asks_is_killed(tmp_path: Path) -> None:
    place = endless().write(tmp_path / "bundle").place
    with subprocess.Popen([sys.executable, "-m", "seatrial.environment", "verify", place]) as asks:
        assert eventually(lambda: len(of_this_test(str(place))) == 2)
        asks.send_signal(signal.SIGKILL)
    assert eventually(lambda: not of_this_test(str(place)))


def eventually(happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_whoever_asks_stays_small(tmp_path: Path) -> None:
    place = flights_late().write(tmp_path / "bundle.tar.gz").place
    program = (
        "import sys; from pathlib import Path; from seatrial.environment.__main__ import main\n"
        f"code = main(['verify', {str(place)!r}])\n"
        "heavy = {'numpy', 'onnxruntime', 'threadpoolctl'} & set(sys.modules)\n"
        "status = Path('/proc/self/status')\n"
        "peak = status.read_text().partition('VmHWM:')[2].split()[0] if status.exists() else 0\n"
        "print(code, sorted(heavy), peak)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    code, heavy, kilobytes = ended.stdout.splitlines()[-1].split(maxsplit=2)
    assert (code, heavy) == ("0", "[]")
    assert int(kilobytes) < 60_000


# the program


def test_the_program_says_yes_and_its_json_holds_the_capture(tmp_path: Path) -> None:
    written = flights_late().write(tmp_path / "bundle")
    ended = environment("verify", written.place, "--json", "--digest", written.listing.digest)
    assert (ended.code, ended.err) == (0, "")
    told = ended.json
    assert told["format"] == "seatrial.proof/1"
    assert (told["ok"], told["digest"]) == (True, written.listing.digest)
    assert told["environment"]["hash"].startswith("sha256:")
    assert told["proof"]["model.onnx"]["ok"]
    assert environment("verify", ".", folder=written.place).out.startswith("yes: ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2), (["--help"], 0), (["verify"], 2), (["verify", "nowhere"], 2),
        (["verify", ".", "--rows-at-once", "-1"], 2), (["verify", ".", "--timeout-s", "0"], 2),
        (["verify", "bundle", "--digest", "sha256:0"], 2), (["compare", "a.json"], 2),
        (["verify", "bundle", "--digest", f"sha256:{'0' * 64}"], 5), (["verify", "x" * 300], 2),
        (["compare", "nowhere.json", "nowhere.json"], 2),
        (["capture", "-o", "bundle/README.txt/x"], 2), (["capture", "-o", "bundle/README.txt"], 2),
    ],
)  # fmt: skip
def test_wrong_use_is_a_few_lines_and_an_exit_code(
    tmp_path: Path, words: list[str], code: int
) -> None:
    flights_late().write(tmp_path / "bundle")
    ended = environment(*words, folder=tmp_path)
    assert ended.code == code
    assert bool(ended.err) == bool(code)
    assert "Traceback" not in ended.err
    assert not code or words == [] or not ended.out


def test_the_page_of_bundles_tells_every_option_and_file(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "bundle.md").read_text()
    options = re.findall(r"--[a-z-]+", environment("verify", "--help").out)
    names = [*numbers_only().write(tmp_path / "bundle").listing.files, "bundle.json"]
    for word in {*options, *(name for name in names if "/" not in name)} - {"--help"}:
        assert f"| `{word}" in page, word


def test_captures_are_written_and_compared(tmp_path: Path) -> None:
    assert environment("capture", "-o", tmp_path / "here.json").code == 0
    assert environment("capture", "-o", tmp_path / "here.json").code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["here.json"]
    shown = environment("capture").json
    assert {k: v for k, v in shown.items() if k != "timestamp"} == {
        k: v
        for k, v in json.loads((tmp_path / "here.json").read_text()).items()
        if k != "timestamp"
    }
    same = environment("compare", tmp_path / "here.json", tmp_path / "here.json")
    assert (same.code, len(same.out.splitlines())) == (0, 1)
    shown["dependencies"]["numpy"] = "1.0"
    shown["hash"] = fingerprint(shown)
    (tmp_path / "other.json").write_text(json.dumps(shown))
    other = environment("compare", tmp_path / "here.json", tmp_path / "other.json")
    assert other.code == 1
    assert "error dependencies.numpy: " in other.out
    told = environment(
        "compare", "--json", *(tmp_path / f"{name}.json" for name in ("here", "here", "other"))
    )
    assert told.code == 1
    assert len(told.json["others"]) == 2


def test_a_digest_in_capitals_is_the_same_one(tmp_path: Path) -> None:
    written = flights_late().write(tmp_path / "bundle")
    assert environment("verify", ".", "--digest", written.listing.digest.upper(),
                       folder=written.place).code == 0  # fmt: skip


def test_who_stops_it_sees_no_traceback(tmp_path: Path) -> None:
    place = endless().write(tmp_path / "bundle").place
    words = [sys.executable, "-m", "seatrial.environment", "verify", str(place)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        assert eventually(lambda: len(of_this_test(str(place))) == 2)
        asking.send_signal(signal.SIGINT)
        out, err = asking.communicate(timeout=60)
    assert (asking.returncode, out, err) == (130, b"", b"")
    assert eventually(lambda: not of_this_test(str(place)))


def test_who_stops_it_as_the_model_begins_does_not_wait_for_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads what the model's process prints already, and does not wait for its end yet."""
    place = endless().write(tmp_path / "bundle").place
    monkeypatch.setattr("seatrial.environment.proof.asked.threading.Thread", InterruptedThread)
    with pytest.raises(KeyboardInterrupt):
        prove(place, timeout_s=60)
    assert eventually(lambda: not of_this_test(str(place)))


def test_what_a_bundle_says_steers_no_terminal(tmp_path: Path) -> None:
    version = flights_late()
    version.manifest["environment"] |= {
        "machine": "\ud800", "kernel": "6.1\nyes: all is well", "locale": "\x1b[2J",
        "dependencies": {"\x1b[2J": "1", "numpy": "\x1b[2J"},
    }  # fmt: skip
    place = version.write(tmp_path / "bundle").place
    told = environment("verify", place, variables={"PYTHONIOENCODING": "ascii"})
    assert told.code in {0, 1}, told.err
    assert all(line.isprintable() for line in told.out.splitlines())
    assert "\nyes: all" not in told.out
    assert environment("verify", place, "--json").json["differences"]


def test_a_reader_that_has_enough_is_no_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "seatrial.environment", "capture"]
    ended = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (5, b"")


def test_an_older_python_is_told_before_anything_fails_in_it() -> None:
    program = (
        "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0);"
        "runpy.run_module('seatrial.environment', run_name='__main__')"
    )
    words = [sys.executable, "-c", program]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (5, "")
    needed, fix = ended.stderr.splitlines()
    assert needed == "this needs Python 3.11 or newer, and this is 3.9.2"
    assert fix.startswith("  fix: ")


def test_a_damaged_bundle_is_told_in_a_few_lines(tmp_path: Path) -> None:
    place = flights_late().write(tmp_path / "bundle").place
    (place / "golden.json").write_text("{}")
    with pytest.raises(StoreError):
        prove(place)
    ended = environment("verify", place)
    assert ended.code == 5
    assert "golden.json" in ended.err
    assert len(ended.err.splitlines()) <= 6
