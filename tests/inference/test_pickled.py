"""A pickled model in its own process: what it answers, and that no end of it is ours."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import pytest

from seatrial.errors import FormError, PassingError, StoreError
from seatrial.inference import golden, pickled, session
from seatrial.inference.opening import model_digest, open_model
from seatrial.inference.pickled import NoAnswerError, Pickled
from seatrial.inference.pickled_child import packed, packed_strings, unpacked
from seatrial.inference.served import Served
from seatrial.inference.signature import Input, Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow  # each is quick, and there are many

cloudpickle.register_pickle_by_value(sys.modules[__name__])

MIXED = Signature((Input("a", "FP32"), Input("word", "BYTES")), "classes", ("no", "yes"))
CODES = Signature(MIXED.inputs, "classes", (3, 7))
NUMBERS = Signature(MIXED.inputs, "numbers")
PATIENCE_S = 60.0


class Rule:
    """ "yes" where ``a`` is above 0 or the word is "DL"; answers whatever it is told to."""

    def __init__(self, **said: Any) -> None:
        self.said = said

    def predict(self, features: Any) -> Any:
        act = self.said.get("act")
        if act is not None and (np.asarray(features["a"]) == 666).any():
            act()
        if "label" in self.said:
            return self.said["label"](features)
        above = np.asarray(features["a"]) > 0
        return np.where(above | (np.asarray(features["word"]) == "DL"), "yes", "no")

    def predict_proba(self, features: Any) -> Any:
        if "table" in self.said:
            return self.said["table"](features)
        yes = (np.asarray(self.predict(features)) == "yes").astype(float)
        return np.column_stack([1 - yes, yes])


def content(model: object, kind: str = "columns", **more: object) -> bytes:
    head = json.dumps({"features": kind, **more}).encode()
    return bytes(head + b"\n" + cloudpickle.dumps(model))


def rows(*values: float, word: str = "UA") -> dict[str, np.ndarray]:
    return {"a": np.array(values, np.float32), "word": np.array([word] * len(values), object)}


def pid_of(model: Pickled) -> int:
    assert model._child is not None
    return model._child.process.pid


def is_gone(pid: int) -> bool:
    """Whether it runs no more, with all its threads; nobody may be left to bury it."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            threads = len([*Path(f"/proc/{pid}/task").iterdir()])
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX" and threads <= 1:  # the first thread is dead before the last one is
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def opened() -> Iterator[Callable[..., Pickled]]:
    """Open a model; all are closed when the test ends."""
    models: list[Pickled] = []

    def open_(model: object, signature: Signature = MIXED, **more: Any) -> Pickled:
        models.append(Pickled.open(content(model), signature, **more))
        return models[-1]

    yield open_
    for each in models:
        each.close()


# -- answers -----------------------------------------------------------------------------------


def test_words_and_numbers_come_and_go(opened: Callable[..., Pickled]) -> None:
    model = opened(Rule())
    answer = model.predict(
        {
            "word": np.array(["DL", "", "Ärø \ud800", None], object),
            "a": np.array([-1, 1, np.nan, 1e300]),
            "not read": np.zeros(4),
        }
    )
    assert answer.label.tolist() == ["yes", "yes", "no", "yes"]
    assert answer.label.dtype == object
    assert answer.probabilities is not None
    assert answer.probabilities.dtype == np.float32
    assert answer.probabilities.tolist() == [[0, 1], [0, 1], [1, 0], [0, 1]]
    answer.probabilities[0] = 0  # it is the caller's own


def test_no_rows_need_no_model(opened: Callable[..., Pickled]) -> None:
    model = opened(Rule(), CODES)
    answer = model.predict(rows())
    assert answer.label.dtype == np.int64
    assert answer.probabilities is not None
    assert answer.probabilities.shape == (0, 2)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_numbers(opened: Callable[..., Pickled], shape: tuple[int, ...]) -> None:
    model = opened(Rule(label=lambda f: (f["a"] * 2.0).astype(float).reshape(shape)), NUMBERS)
    answer = model.predict(rows(1, np.nan, np.inf, 1e38))
    assert answer.probabilities is None
    assert answer.label.dtype == np.float32
    np.testing.assert_array_equal(answer.label, np.array([2, np.nan, np.inf, 2e38], np.float32))


@pytest.mark.parametrize(
    "label",
    [lambda f: np.where(f["a"] > 0, 7.0, 3.0), lambda f: [7 if a > 0 else 3 for a in f["a"]]],
)
def test_whole_classes_however_they_are_said(
    opened: Callable[..., Pickled], label: Callable[[Any], Any]
) -> None:
    table = lambda f: np.tile([0.4, 0.6], (len(f["a"]), 1))  # noqa: E731 - goes into the pickle
    answer = opened(Rule(label=label, table=table), CODES).predict(rows(1, -1))
    assert answer.label.tolist() == [7, 3]
    assert answer.label.dtype == np.int64


def test_more_rows_than_go_in_one_call(
    opened: Callable[..., Pickled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CHUNK_ROWS", 3)
    answer = opened(Rule()).predict(rows(1, -1, 1, -1, 1, 1, -1))
    assert answer.label.tolist() == ["yes", "no", "yes", "no", "yes", "yes", "no"]
    assert answer.probabilities is not None
    assert answer.probabilities[:, 1].tolist() == [1, 0, 1, 0, 1, 1, 0]


def test_a_body_larger_than_a_socket_holds(opened: Callable[..., Pickled]) -> None:
    answer = opened(Rule()).predict(rows(*np.resize([1, -1], 10_000), word="x" * 500))
    assert answer.label.tolist() == [*np.resize(["yes", "no"], 10_000)]


@pytest.mark.parametrize("kind", ["pandas", "matrix"])
def test_an_estimator_gets_what_it_was_fitted_on(kind: str) -> None:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to load

    random = np.random.default_rng(1)
    table = random.normal(size=(60, 2)).astype(np.float32)
    target = np.where(table[:, 0] > table[:, 1], "yes", "no")
    given: Any = table
    if kind == "pandas":
        given = pytest.importorskip("pandas").DataFrame(table, columns=["b", "a"])
    estimator = LogisticRegression().fit(given, target)
    signature = Signature(
        (Input("a", "FP32"), Input("c", "FP32"), Input("b", "FP32")), "classes", ("no", "yes")
    )
    model = Pickled.open(content(estimator, kind, columns=["b", "a"]), signature)
    answer = model.predict({"a": table[:, 1], "b": table[:, 0], "c": np.zeros(60)})
    model.close()
    assert answer.label.tolist() == estimator.predict(given).tolist()
    assert answer.probabilities is not None
    np.testing.assert_allclose(answer.probabilities, estimator.predict_proba(given), atol=1e-6)


def test_a_matrix_of_words_and_numbers_is_one_of_objects() -> None:
    class Sum:
        def predict(self, matrix: Any) -> Any:
            return [len(word) + number for number, word in matrix.tolist()]

    model = Pickled.open(content(Sum(), "matrix"), NUMBERS)
    assert model.predict(rows(1, 2, word="four")).label.tolist() == [5, 6]
    model.close()


def test_probabilities_follow_the_models_own_order(opened: Callable[..., Pickled]) -> None:
    model = Rule(table=lambda f: np.tile([0.9, 0.1], (len(f["a"]), 1)))
    model.classes_ = np.array(["yes", "no"])  # type: ignore[attr-defined]
    answer = opened(model).predict(rows(1))
    assert answer.probabilities is not None
    np.testing.assert_allclose(answer.probabilities, [[0.1, 0.9]], rtol=1e-6)


def test_a_model_may_change_what_it_is_given_and_print(opened: Callable[..., Pickled]) -> None:
    def label(features: Any) -> Any:
        features["a"] += 1
        print("x" * 100_000)  # noqa: T201
        os.write(1, b"\x00\x01garbage")
        os.write(2, b"and errors")
        return features["a"]

    assert opened(Rule(label=label), NUMBERS).predict(rows(1, 2)).label.tolist() == [2, 3]


def test_a_column_that_is_not_there_is_the_callers_mistake(opened: Callable[..., Pickled]) -> None:
    with pytest.raises(FormError, match="'word' is missing"):
        opened(Rule()).predict({"a": np.zeros(1)})


def test_threads_share_it(opened: Callable[..., Pickled]) -> None:
    model = opened(Rule())
    wrong: list[object] = []

    def ask(sign: int) -> None:
        for count in range(1, 60):
            label = model.predict(rows(*[sign] * count)).label.tolist()
            if label != ["yes" if sign > 0 else "no"] * count:
                wrong.append(label)

    threads = [threading.Thread(target=ask, args=(sign,)) for sign in (1, -1, 1, -1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong


# -- what it does wrong --------------------------------------------------------------------------


def sleep() -> None:
    time.sleep(1000)


def hang_in_foreign_code() -> None:
    # holds the interpreter's lock, so that no other thread of the model can do anything
    ctypes.PyDLL(None).pause()


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(3)


def write_on_the_wire() -> None:
    os.write(int(sys.argv[1]), b"\xff" * 64)
    time.sleep(0.2)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (crash, r"died \(SIGSEGV\) while it answered one row"),
        (be_killed, "was killed, as a system does that runs out of memory, while"),
        (leave, r"ended \(exit code 3\) while it answered"),
        (sleep, "was ended after 1 s while it answered"),
        (hang_in_foreign_code, "was ended after 1 s while it answered"),
        (write_on_the_wire, "wrote on the socket"),
    ],
)
def test_after_its_end_the_next_call_starts_it_anew(
    opened: Callable[..., Pickled], act: Callable[[], None], said: str
) -> None:
    model = opened(Rule(act=act), timeout_s=1.0)
    before = pid_of(model)
    with pytest.raises(NoAnswerError, match=said) as caught:
        model.predict(rows(666))
    assert len(str(caught.value).splitlines()) <= 6
    assert is_gone(before)
    assert model.predict(rows(1)).label.tolist() == ["yes"]
    assert pid_of(model) != before


def test_one_that_died_between_two_calls_is_started_anew(opened: Callable[..., Pickled]) -> None:
    model = opened(Rule())
    os.kill(pid_of(model), signal.SIGKILL)
    assert is_gone(pid_of(model))
    assert model.predict(rows(1)).label.tolist() == ["yes"]


def raise_it() -> None:
    raise LookupError("no such\ncarrier")


def exit_softly() -> None:
    sys.exit("enough")


def take_all_memory() -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (raise_it, r"LookupError: no such carrier \(.*:\d+\)"),
        (exit_softly, "SystemExit: enough"),
        (take_all_memory, "MemoryError"),
    ],
)
def test_what_it_raises_is_told_and_it_lives_on(
    opened: Callable[..., Pickled], act: Callable[[], None], said: str
) -> None:
    model = opened(Rule(act=act))
    before = pid_of(model)
    with pytest.raises(NoAnswerError, match=said):
        model.predict(rows(666, 1))
    assert model.predict(rows(1)).label.tolist() == ["yes"]
    assert pid_of(model) == before


@pytest.mark.parametrize(
    ("signature", "answers", "said"),
    [
        (MIXED, {"label": lambda _: ["yes"]}, r"predict answered the shape \[1\] to 2 rows"),
        (MIXED, {"label": lambda _: ["yes", "perhaps"]}, "predict answered 'perhaps', which is no"),
        (MIXED, {"label": lambda _: [np.nan, np.nan]}, "predict answered nan, which is no class"),
        (MIXED, {"label": lambda _: None}, r"the shape \[\] to 2 rows"),
        (MIXED, {"table": lambda _: np.ones((2, 3))}, r"wanted numbers \[2, 2\]"),
        (MIXED, {"table": lambda _: [["a", "b"]] * 2}, "predict_proba answered"),
        (NUMBERS, {"label": lambda _: ["1", "2"]}, "instead of numbers"),
        (NUMBERS, {"label": lambda _: np.ones((2, 2))}, r"the shape \[2, 2\] to 2 rows"),
    ],
)
def test_answers_that_are_none(
    opened: Callable[..., Pickled], signature: Signature, answers: Any, said: str
) -> None:
    model = opened(Rule(**answers), signature)
    with pytest.raises(NoAnswerError, match=said):
        model.predict(rows(1, 2))


def test_probabilities_that_are_not_finite_are_told_as_they_are(
    opened: Callable[..., Pickled],
) -> None:
    answer = opened(Rule(table=lambda f: np.full((len(f["a"]), 2), np.nan))).predict(rows(1))
    assert not answer.finite.any()


# -- opening ---------------------------------------------------------------------------------------


class Poison:
    """Does something while it is unpickled."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def __reduce__(self) -> Any:
        return self.act, ()


def mark(path: str) -> None:
    Path(path).write_text(str(os.getpid()))


def test_nothing_is_unpickled_in_this_process(tmp_path: Path) -> None:
    marked = tmp_path / "pid"

    class Marking:
        def __reduce__(self) -> Any:
            return mark, (str(marked),)

    with pytest.raises(FormError, match="a NoneType has no method predict"):
        Pickled.open(content(Marking()), MIXED)
    assert int(marked.read_text()) != os.getpid()


def cannot_import() -> None:
    import no_such_package  # type: ignore[import-not-found]  # noqa: F401, PLC0415


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"", "does not begin with a line"),
        (b"\x80\x05rubbish", "does not begin with a line"),
        (b'{"features": "anyhow"}\n', "does not begin with a line"),
        (b'{"features": "columns"}\nrubbish', "cannot be opened"),
        (content(Poison(cannot_import)), "ModuleNotFoundError: No module named 'no_such_package'"),
        (content(Poison(crash)), r"died \(SIGSEGV\) while it was opened"),
        (content(Poison(leave)), r"ended \(exit code 3\) while it was opened"),
        (content(object()), "a object has no method predict"),
        (content(Rule(), python="2.7"), "pickled by Python 2.7, this is Python 3"),
    ],
    ids=["empty", "no_line", "unknown", "rubbish", "import", "crash", "exit", "object", "python"],
)
def test_what_cannot_be_opened(given: bytes, said: str) -> None:
    with pytest.raises(FormError, match=said) as caught:
        Pickled.open(given, MIXED)
    assert len(str(caught.value).splitlines()) <= 6


def test_unpickling_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled, "OPENING_S", 1.0)
    with pytest.raises(FormError, match="was ended after 1 s while it was opened"):
        Pickled.open(content(Poison(sleep)), MIXED)


def test_classes_that_are_not_the_datas() -> None:
    model = Rule()
    model.classes_ = ["no", "maybe"]  # type: ignore[attr-defined]
    with pytest.raises(FormError, match=r"it knows the classes \['no', 'maybe'\], the data has"):
        Pickled.open(content(model), MIXED)


def test_no_process_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    before = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(PassingError, match="no process can be started"):
        Pickled.open(content(Rule()), MIXED)
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_what_is_opened_again_and_fails_is_no_answer(
    opened: Callable[..., Pickled], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(Rule(act=crash))
    with pytest.raises(NoAnswerError):
        model.predict(rows(666))
    monkeypatch.setattr(model, "_content", content(Poison(cannot_import)))
    with pytest.raises(NoAnswerError, match="cannot be opened"):
        model.predict(rows(1))


def test_the_project_is_not_imported_and_secrets_are_not_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[..., Pickled]
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the project was imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_DATABASE", "postgresql://me:secret@db")

    def count(features: Any) -> Any:
        own = [name for name in os.environ if name.startswith("SEATRIAL_")]
        return [len(own) for _ in features["a"]]

    assert opened(Rule(label=count), NUMBERS).predict(rows(1)).label.tolist() == [0]


# -- its end ---------------------------------------------------------------------------------------


def test_it_ends_when_it_is_closed() -> None:
    model = Pickled.open(content(Rule()), MIXED)
    pid = pid_of(model)
    model.close()
    model.close()
    assert is_gone(pid)
    with pytest.raises(StoreError, match="was closed"):
        model.predict(rows(1))


def test_it_ends_when_nobody_refers_to_it() -> None:
    model = Pickled.open(content(Rule()), MIXED)
    pid = pid_of(model)
    gc.disable()  # not even a cycle may keep it: a gateway looks for those rarely
    try:
        del model
        assert is_gone(pid)
    finally:
        gc.enable()


def start_others(features: Any) -> Any:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    return [child.pid for _ in features["a"]]


def test_what_it_has_started_ends_with_it() -> None:
    model = Pickled.open(content(Rule(label=start_others)), NUMBERS)
    other = int(model.predict(rows(1)).label[0])
    assert not Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].strip().startswith("Z")
    model.close()
    assert is_gone(other)


STARTER = """
import os, signal, sys, threading, time
sys.path.insert(0, sys.argv[1])
from test_pickled import MIXED, Pickled, Rule, content, pid_of, rows, hang_in_foreign_code
model = Pickled.open(content(Rule(act=hang_in_foreign_code)), MIXED)
if sys.argv[2] == "hanging":
    threading.Thread(target=lambda: model.predict(rows(666)), daemon=True).start()
    time.sleep(0.5)
print(pid_of(model), flush=True)
if sys.argv[2] == "leaving":
    sys.exit()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["idle", "hanging", "leaving"])
def test_it_ends_with_the_process_that_started_it(how: str) -> None:
    command = [sys.executable, "-c", STARTER, str(Path(__file__).parent), how]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True).stdout
    assert is_gone(int(said))


def test_the_thread_that_started_it_may_end(opened: Callable[..., Pickled]) -> None:
    held: list[Pickled] = []
    starter = threading.Thread(target=lambda: held.append(opened(Rule())))
    starter.start()
    starter.join()
    pid = pid_of(held[0])
    assert held[0].predict(rows(1)).label.tolist() == ["yes"]
    assert pid_of(held[0]) == pid


def test_a_fork_starts_its_own_and_leaves_ours_alone(opened: Callable[..., Pickled]) -> None:
    model = opened(Rule())
    reading, writing = os.pipe()
    fork = os.fork()
    if not fork:
        try:
            own = model.predict(rows(1)).label.tolist() == ["yes"]
            os.write(writing, json.dumps([own, pid_of(model)]).encode())
            model.close()
        finally:
            os._exit(0)
    os.waitpid(fork, 0)
    answered, other = json.loads(os.read(reading, 1000))
    os.close(reading)
    os.close(writing)
    assert answered
    assert other != pid_of(model)
    before = pid_of(model)
    assert model.predict(rows(-1)).label.tolist() == ["no"]
    assert pid_of(model) == before


# -- as a version's file -----------------------------------------------------------------------


def files_of(
    model: object, signature: Signature = MIXED
) -> tuple[dict[str, str], dict[str, bytes]]:
    blobs = {"sha256:p": content(model)}
    kept = Pickled.open(blobs["sha256:p"], signature)
    blobs["sha256:g"] = golden.make(kept, rows(*np.linspace(-2, 2, 30)), seed=1)
    kept.close()
    return {"model.pickle": "sha256:p", "golden.json": "sha256:g"}, blobs


def version(files: dict[str, str], blobs: dict[str, bytes], **more: object) -> Served:
    manifest = {"files": files, "signature": MIXED.to_json(), **more}
    blobs = {**blobs, "manifest": json.dumps(manifest).encode()}
    return Served.open("m", 3, "manifest", blobs.__getitem__)


def test_a_version_is_opened_only_when_its_manifest_says_that_it_is_trusted() -> None:
    files, blobs = files_of(Rule())
    with pytest.raises(StoreError, match="does not say `trust: pickle`"):
        version(files, blobs)
    with pytest.raises(StoreError, match="m version 3 is a pickled model"):
        open_model(files, blobs.__getitem__, MIXED, "m version 3")
    assert model_digest(files, "m version 3") == "sha256:p"
    opened = open_model(files, blobs.__getitem__, MIXED, "m version 3", "pickle")
    assert opened.predict(rows(1)).label.tolist() == ["yes"]


def test_it_is_served_and_proven() -> None:
    served = version(*files_of(Rule()), trust="pickle")
    served.prove()
    assert served.matrix is None
    # columns as a request may have them, in another order
    asked = {name: rows(1, -1)[name] for name in ("word", "a")}
    assert served.answer(asked).label.tolist() == ["yes", "no"]
    assert served.answer(rows()).label.tolist() == []


def test_numbers_alone_may_still_be_asked_for_as_a_matrix() -> None:
    class Difference:
        def predict(self, features: Any) -> Any:
            return features["b"] - features["a"]

    signature = Signature((Input("b", "FP32"), Input("a", "FP32")), "numbers")
    raw = content(Difference())
    files = {"model.pickle": "p", "golden.json": "p"}
    manifest = {"files": files, "trust": "pickle", "signature": signature.to_json()}
    blobs = {"p": raw, "manifest": json.dumps(manifest).encode()}
    served = Served.open("m", 1, "manifest", blobs.__getitem__)
    got = served.answer(np.array([[3, 1], [5, 0]], np.float32))
    assert got.label.tolist() == [2, 5]


def test_golden_rows_that_come_out_otherwise_are_refused() -> None:
    files, blobs = files_of(Rule())
    blobs["sha256:p"] = content(Rule(label=lambda f: ["no"] * len(f["a"])))
    with pytest.raises(FormError, match="answers otherwise here"):
        version(files, blobs, trust="pickle").prove()


def test_one_that_fails_on_a_first_row_is_refused_at_the_door() -> None:
    def label(features: Any) -> Any:
        if np.isnan(features["a"]).any():
            raise_it()
        return ["no"] * len(features["a"])

    files, blobs = files_of(Rule(label=label))
    with pytest.raises(FormError, match="the model fails on a row of missing values"):
        version(files, blobs, trust="pickle")


# -- the wire ----------------------------------------------------------------------------------


def test_what_is_packed_is_unpacked() -> None:
    words = np.array(["", "é", "\ud800", "x" * 9], object)
    numbers = np.array([1, -0.0, np.nan, np.inf], "<f4")
    body = packed_strings(words) + numbers.tobytes()
    read = unpacked(body, 4, [("w", True), ("n", False)])
    assert read["w"].tolist() == words.tolist()
    np.testing.assert_array_equal(read["n"], numbers)
    assert read["n"].flags.writeable
    assert packed({"rows": 1}, b"abc").endswith(b"}abc")
