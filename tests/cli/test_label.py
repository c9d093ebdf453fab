"""``seatrial label``: a person at a terminal, a file of labels, and what follows from them."""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.review.differing import EQUAL, WORSE, Differing, known_ids
from tests.tasks.conftest import MODEL, _delivered, _fresh  # noqa: F401 - fixtures

from seatrial.cli import label as command
from seatrial.ledger.verify import verify
from seatrial.registry import brakes, watches
from seatrial.review import items, person
from seatrial.traffic import files
from seatrial.watch import by_labels
from seatrial.watch.act import act
from seatrial.watch.decide import End

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program, Said
    from tests.tasks.conftest import Project

    from seatrial.review.items import Item

pytestmark = pytest.mark.slow  # each is quick, and there are many


@pytest.fixture(scope="module")
def _made(_delivered: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:  # noqa: F811
    """By hyperparameters: version 1 is in production, version 2 is staged."""
    folder, made = tmp_path_factory.mktemp("made"), {}
    for name, hyperparameters in (("equal", EQUAL), ("worse", WORSE)):
        made[name] = type(_delivered)(shutil.copytree(_delivered.folder, folder / name))
        Differing.make(made[name], hyperparameters)
    return made


@pytest.fixture(autouse=True)
def _ada(monkeypatch: pytest.MonkeyPatch) -> None:
    known_ids(monkeypatch)
    monkeypatch.setattr(person, "name", lambda: "ada")


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Types what it is told, then there is an end of input."""

    differing: Differing
    program: Program
    patch: pytest.MonkeyPatch

    def types(self, item: Item, *said: str) -> Said:
        """``true`` is what is true of the row that is asked about then."""
        truth = self.truth(item) if "true" in said else []
        lines = [str(truth.pop(0)) if word == "true" else word for word in said]
        self.patch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return self.program("label", item.id)

    def tells_the_truth(self, item: Item) -> Said:
        """Of every row, until nobody asks any more."""
        return self.types(item, *["true"] * len(self.rows(item)))

    def truth(self, item: Item) -> list[int]:
        return [self.differing.truth[each] for each in self.rows(item)]

    def rows(self, item: Item) -> list[str]:
        """The requests that wait for labels; none when the log has lost them."""
        said = self.program("label", item.id, "--json")
        return [] if said.code else [row["id"] for row in said.json["rows"]]


@pytest.fixture
def keyboard(
    request: pytest.FixtureRequest,
    _made: dict[str, Project],
    tmp_path: Path,
    seatrial: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> Keyboard:
    name = getattr(request, "param", "equal")
    project = type(_made[name])(shutil.copytree(_made[name].folder, tmp_path / name))
    monkeypatch.chdir(project.folder)
    return Keyboard(Differing.of(project), seatrial, monkeypatch)


worse = pytest.mark.parametrize("keyboard", ["worse"], indirect=True)


@pytest.fixture
def question(keyboard: Keyboard) -> Item:
    """The watch asks about answers that differ."""
    return keyboard.differing.watched()


def _served(keyboard: Keyboard) -> int:
    stores = keyboard.differing.open()
    channel = stores.registry.channel(MODEL, "production")
    assert channel is not None
    verify(stores.ledger)
    stores.ledger.close()
    return channel.version


def _status(keyboard: Keyboard, item: Item) -> str:
    stores = keyboard.differing.open()
    found = items.get(stores.ledger, item.id).status
    stores.ledger.close()
    return str(found)


def test_a_person_settles_it(keyboard: Keyboard, question: Item) -> None:
    said = keyboard.tells_the_truth(question)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == question.asked.question
    first = next(line for line in lines if line.startswith("row 1 of at most "))
    assert " labels settle it" in first
    assert "0 · 1 · s skip, cannot be judged · q quit" in lines
    assert lines[-2].startswith("pass: labels of ")
    assert "requests by ada:" in lines[-2]
    assert lines[-1] == "version 2 stays"
    assert (_status(keyboard, question), _served(keyboard)) == ("labelled", 2)


def test_features_stand_in_a_table_and_nobody_says_which_version_said_what(
    keyboard: Keyboard, question: Item
) -> None:
    said = keyboard.types(question, "true")
    shown = said.out.partition("row 1 of")[2].partition("row 2 of")[0].splitlines()
    assert [line.split()[0] for line in shown[1:4]] == ["feature_1", "feature_2", "feature_3"]
    assert len({line.index(line.split()[1]) for line in shown[1:4]}) == 1
    assert "version" not in "\n".join(shown)
    assert "predict" not in said.out


def test_a_missing_value_is_a_dash(keyboard: Keyboard) -> None:
    differing = keyboard.differing
    differing.promote()
    differing.answer(300, version=2, missing=True)
    differing.clocked.clock.move(milliseconds=1)
    said = keyboard.types(differing.ask())
    assert "  feature_3  -" in said.out.splitlines()


@worse
def test_what_does_harm_goes_back(keyboard: Keyboard, question: Item) -> None:
    said = keyboard.tells_the_truth(question)
    assert said.code == 1, said.out
    assert said.out.splitlines()[-1] == "production went back from version 2 to version 1"
    assert (_status(keyboard, question), _served(keyboard)) == ("resolved", 1)
    stores = keyboard.differing.open()
    move = stores.registry.history(MODEL)[-1]
    assert "requests by ada" in str(move["reason"])
    assert stores.registry.blobs.has(str(move["evidence"]))
    (held,) = brakes.all_quarantined(stores.ledger)
    assert held.version == 2
    assert keyboard.program("label", question.id).code == 2  # it is no longer asked
    stores.ledger.close()


@worse
def test_a_watch_that_could_not_tell_is_told_by_labels(keyboard: Keyboard) -> None:
    """Its time is over; the version goes back all the same."""
    differing = keyboard.differing
    differing.promote()
    differing.answer(600, version=2)
    differing.clocked.clock.move(milliseconds=1)
    stores = differing.open()
    watch = watches.current(stores.ledger, MODEL)
    assert watch is not None
    act(stores, watch, End(watches.State.INCONCLUSIVE, "too few labels"), {})
    stores.ledger.close()
    said = keyboard.tells_the_truth(differing.ask("watch_inconclusive"))
    assert (said.code, _served(keyboard)) == (1, 1)


@worse
def test_killed_before_the_rollback_the_next_call_makes_it(
    keyboard: Keyboard, question: Item
) -> None:
    def dies(*_words: Any) -> None:
        raise KeyboardInterrupt

    with keyboard.patch.context() as patch:
        patch.setattr(by_labels, "conclude", dies)
        assert keyboard.tells_the_truth(question).code == 5
    assert (_status(keyboard, question), _served(keyboard)) == ("open", 2)
    said = keyboard.types(question)
    assert (said.code, _served(keyboard)) == (1, 1)
    assert "row " not in said.out  # nobody was asked again


@worse
def test_a_frozen_model_is_not_moved_and_a_person_is_asked(
    keyboard: Keyboard, question: Item
) -> None:
    stores = keyboard.differing.open()
    stores.ledger.write(lambda t: brakes.freeze(t, MODEL, "a storm"))
    said = keyboard.tells_the_truth(question)
    assert (said.code, _served(keyboard)) == (1, 2)
    with stores.ledger.read() as connection:
        assert [item.kind for item in items.waiting(connection)] == ["rollback_blocked"]
    stores.ledger.close()


@worse
def test_what_no_longer_serves_is_not_moved(keyboard: Keyboard, question: Item) -> None:
    keyboard.program("rollback", MODEL, "1", "--reason", "complaints")
    said = keyboard.tells_the_truth(question)
    assert said.code == 1
    assert said.out.splitlines()[-1] == "version 2 is not in production any more: version 1 is"
    assert _status(keyboard, question) == "labelled"
    assert _served(keyboard) == 1
    stores = keyboard.differing.open()
    assert not brakes.all_quarantined(stores.ledger)
    stores.ledger.close()


@pytest.mark.parametrize("end", ["q", ""])
def test_quitting_or_the_end_of_input_loses_nothing(
    keyboard: Keyboard, question: Item, end: str
) -> None:
    said = keyboard.types(question, "true", *([end] if end else []))
    assert (said.code, said.err) == (3, "")
    assert "not settled: " in said.out
    assert "1 label" in said.out
    assert said.out.splitlines()[-1].endswith(f"seatrial label {question.id}")
    again = keyboard.types(question)
    assert "row 2 of at most " in again.out
    assert "row 1 of" not in again.out


def test_an_interrupt_loses_nothing(keyboard: Keyboard, question: Item) -> None:
    truth, words = keyboard.truth(question), [sys.executable, "-m", "seatrial", "label"]
    with subprocess.Popen(
        [*words, question.id], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(f"{truth[0]}\n")
        program.stdin.flush()
        seen = ""
        while not seen.partition("row 2 of")[2].endswith("label: "):
            seen += program.stdout.read(1)
        program.send_signal(signal.SIGINT)
        rest, _ = program.communicate(timeout=60)
    assert (program.returncode, "go on with" in rest) == (3, True)
    assert "row 2 of" in keyboard.types(question).out


def test_what_cannot_be_judged_is_left_out_and_counted(keyboard: Keyboard, question: Item) -> None:
    said = keyboard.types(question, "s", "s")
    assert "2 that nobody could judge left out" in said.out
    assert "row 3 of" in said.out


def test_a_word_that_is_no_class_is_asked_for_again(keyboard: Keyboard, question: Item) -> None:
    said = keyboard.types(question, "yes", "2", "true")
    for word in ("'yes'", "'2'"):
        assert f"{word} is none of these" in said.out
    assert "row 2 of" in said.out


def test_json_prints_the_rows_and_asks_nobody(keyboard: Keyboard, question: Item) -> None:
    said = keyboard.program("label", question.id, "--json")
    assert said.code == 0
    told = said.json
    assert (told["review"], told["kind"], told["verdict"]) == (
        question.id,
        "disagreement",
        "inconclusive",
    )
    assert (told["model"], told["version"], told["against"]) == (MODEL, 2, 1)
    assert told["classes"] == [0, 1]
    assert len(told["rows"]) > 5
    assert set(told["rows"][0]) == {"id", "row", "features", "answers"}
    assert sorted(told["rows"][0]["answers"]) == told["classes"]
    assert set(told["rows"][0]["features"]) == {"feature_1", "feature_2", "feature_3"}


def _file(keyboard: Keyboard, *lines: str, head: str = "id,label") -> str:
    (keyboard.differing.folder / "labels.csv").write_text("\n".join([head, *lines, ""]))
    return "labels.csv"


def test_a_file_of_labels_settles_it(keyboard: Keyboard, question: Item) -> None:
    rows = keyboard.rows(question)
    truth = keyboard.differing.truth
    file = _file(keyboard, *[f"{each},0,{truth[each]}" for each in rows], head="id,row,label")
    said = keyboard.program("label", question.id, "--labels", file, "--json")
    assert said.code == 0, said.err
    assert (said.json["verdict"], said.json["rows"]) == ("pass", [])
    assert said.json["follows"] == ["version 2 stays"]
    assert said.json["labels"] < len(rows)  # the first that settled it
    assert _status(keyboard, question) == "labelled"


def test_a_file_and_a_person_come_to_the_same(keyboard: Keyboard, question: Item) -> None:
    rows, truth = keyboard.rows(question), keyboard.differing.truth
    copy = keyboard.differing.folder.parent / "copy"
    shutil.copytree(keyboard.differing.folder, copy)
    said = keyboard.tells_the_truth(question)
    assert said.code == 0, said
    by_hand = said.out.splitlines()[-2]
    keyboard.patch.chdir(copy)
    (copy / "l.csv").write_text("id,label\n" + "".join(f"{r},{truth[r]}\n" for r in rows))
    by_file = keyboard.program("label", question.id, "--labels", "l.csv").out.splitlines()[-2]
    assert by_hand == by_file


def test_labels_after_a_gap_do_not_count_yet(keyboard: Keyboard, question: Item) -> None:
    rows, truth = keyboard.rows(question), keyboard.differing.truth
    lines = [f"{rows[0]},{truth[rows[0]]}", f"{rows[1]},", f"{rows[2]},{truth[rows[2]]}"]
    said = keyboard.program("label", question.id, "--labels", _file(keyboard, *lines))
    assert said.code == 3
    assert f"1 label does not count yet: request '{rows[1]}' (row 0) stands before" in said.out
    assert "by 1 label" in said.out
    lines[1] += str(truth[rows[1]])
    said = keyboard.program("label", question.id, "--labels", _file(keyboard, *lines))
    assert "not count yet" not in said.out
    assert "by 3 labels" in said.out


def test_all_mistakes_are_told_at_once_and_nothing_is_taken(
    keyboard: Keyboard, question: Item
) -> None:
    rows = keyboard.rows(question)
    lines = [
        f"{rows[0]},0,1",
        f"{rows[1]},0,yes",
        "nobody,0,1",
        f"{rows[2]},7,1",
        f"{rows[0]},0,0",
        f"{rows[3]},x,0",
    ]
    said = keyboard.program(
        "label", question.id, "--labels", _file(keyboard, *lines, head="id,row,label")
    )
    assert said.code == 2
    firsts = [mistake[0] for mistake in said.mistakes]
    assert firsts == [
        "'yes' is no class",
        "request 'nobody' was not asked for",
        f"row 7 of '{rows[2]}' was not asked for",
        f"row 0 of '{rows[0]}' is '0' here, and was '1' in line 2",
        f"row x of '{rows[3]}' was not asked for",
    ]
    wheres = [mistake[1].strip() for mistake in said.mistakes]
    assert wheres == [f"where: labels.csv, line {number}" for number in (3, 4, 5, 6, 7)]
    assert all(len(mistake) <= 6 for mistake in said.mistakes)
    assert keyboard.rows(question) == rows


def test_another_label_than_before_is_a_mistake(keyboard: Keyboard, question: Item) -> None:
    first = keyboard.rows(question)[0]
    assert keyboard.types(question, "true").code == 3
    truth = keyboard.differing.truth[first]
    same, other = f"{first},{truth}", f"{first},{1 - truth}"
    said = keyboard.program("label", question.id, "--labels", _file(keyboard, other))
    assert (said.code, "by ada before" in said.err) == (2, True)
    said = keyboard.program("label", question.id, "--labels", _file(keyboard, same))
    assert (said.code, "by 1 label" in said.out) == (3, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"request,klass\nr1,1\n", "there is no column 'id'"),
        (b"id,lable\nr1,1\n", "nearest: lable"),
        (b"", "there is no column 'id'"),
        (b"id,label\nr\xff,1\n", "cannot read the labels"),
    ],
)
def test_a_file_that_is_none(keyboard: Keyboard, question: Item, content: bytes, said: str) -> None:
    (keyboard.differing.folder / "labels.csv").write_bytes(content)
    told = keyboard.program("label", question.id, "--labels", "labels.csv")
    assert (told.code, said in told.err) == (2, True), told.err


def test_a_file_that_is_not_there(keyboard: Keyboard, question: Item) -> None:
    said = keyboard.program("label", question.id, "--labels", "nowhere.csv")
    assert (said.code, "No such file" in said.err) == (2, True)


def test_without_traffic_it_says_so(keyboard: Keyboard) -> None:
    keyboard.differing.promote()
    said = keyboard.types(keyboard.differing.ask())
    assert said.code == 3
    assert "no request without a label that version 2 answered since" in said.out


def test_traffic_that_is_gone_is_named(keyboard: Keyboard, question: Item) -> None:
    keyboard.types(question, "true")
    shutil.rmtree(files.version_folder(keyboard.differing.folder / ".seatrial/traffic", MODEL, 2))
    said = keyboard.types(question)
    assert said.code == 5
    assert "the traffic log no longer holds request" in said.err
    assert len(said.err.splitlines()) <= 6


def test_the_question_says_that_labels_settle_it(keyboard: Keyboard, question: Item) -> None:
    assert f"seatrial label {question.id}" in keyboard.program("reviews", question.id).out


def test_without_labels_no_answer_moves_anything_and_it_says_so(
    keyboard: Keyboard, question: Item
) -> None:
    said = keyboard.program("reject", question.id, "--reason=it is worse")
    assert said.code == 0
    assert f"moves nothing; to go back to the version before: seatrial rollback {MODEL}" in said.out
    assert (_status(keyboard, question), _served(keyboard)) == ("rejected", 2)


def test_an_unknown_item(keyboard: Keyboard) -> None:
    said = keyboard.program("label", "01XYZ")
    assert (said.code, "was ever in the queue" in said.err) == (2, True)


def test_the_watch_still_knows_its_own_end(keyboard: Keyboard, question: Item) -> None:
    """Labels answer the question; the watch goes on until its own end."""
    assert keyboard.tells_the_truth(question).code == 0
    stores = keyboard.differing.open()
    watch = watches.current(stores.ledger, MODEL)
    assert watch is not None
    assert watch.version == 2
    stores.ledger.close()


def test_classes_that_are_words_may_be_chosen_by_number() -> None:
    assert command._chosen("2", ("no", "yes")) == "yes"
    assert command._chosen("yes", ("no", "yes")) == "yes"
    assert command._chosen("3", ("no", "yes")) is None
    assert command._chosen("1", (0, 1)) == 1
    assert command._chosen("2", (0, 1)) is None
    assert command._chosen("-1", (-1, 1)) == -1
