"""`seatrial env compare`: in what do environments differ, and does it matter?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.conftest import MODEL

from seatrial.environment.capture import capture, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Program, Project, Said

KEYS = {"expected", "got", "for", "proven", "verdict", "differences"}


@pytest.fixture(scope="session")
def here() -> dict[str, Any]:
    return capture()


@pytest.fixture
def write(
    here: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Writes a capture of this machine, with some fields of another."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, **other: Any) -> Path:
        made = {**here, **other}
        made["hash"] = fingerprint(made)
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(made))
        return file

    return written


def _with(here: dict[str, Any], **versions: str) -> dict[str, str]:
    return {**here["dependencies"], **versions}


def test_the_same_twice_is_no_difference(write: Callable[..., Path], seatrial: Program) -> None:
    write("build.json")
    said = seatrial("env", "compare", "build.json", "build.json")
    assert (said.code, said.out) == (
        0, "pass: build.json (2) does not differ from build.json\n"
    )  # fmt: skip
    told = seatrial("env", "compare", "build.json", "here", "--json").json
    assert set(told) == KEYS
    assert (told["expected"], told["got"], told["for"]) == ("build", "here", None)
    assert (told["verdict"], told["differences"]) == ("pass", [])


def test_one_line_a_finding_and_the_verdict_last(
    write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    write("build.json")
    ort = {**here["onnxruntime"], "version": "1.20.0"}
    write("pi.json", dependencies=_with(here, onnxruntime="1.20.0"), onnxruntime=ort)
    said = seatrial("env", "compare", "build.json", "pi.json")
    assert said.code == 1
    *findings, verdict = said.out.splitlines()[: said.out.count("\n") - said.out.count("hint:")]
    assert findings[0].startswith("error ")
    assert "1.20.0" in findings[0]
    assert verdict.startswith("fail: pi differs from build: 1 error")


def test_what_the_model_needs_decides(
    delivered: Project, write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    write("build.json")
    write("pi.json", dependencies=_with(here, duckdb="0.1"))
    folder = str(delivered.folder)
    assert seatrial("env", "compare", "build.json", "pi.json").code == 1  # anything may matter
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        two = ("../build.json", "../pi.json")
        said = seatrial("env", "compare", *two, "--for", f"{MODEL}@production")
        assert said.code == 0
        assert said.out.splitlines()[-1].endswith(f"for {MODEL} version 1")
        told = seatrial("env", "compare", f"{MODEL}@production", "here", "--json").json
    assert (told["expected"], told["for"]) == (f"{MODEL} version 1", f"{MODEL} version 1")
    assert told["verdict"] == "pass"


def test_a_policy_file_says_how_grave(
    write: Callable[..., Path], here: dict[str, Any], tmp_path: Path, seatrial: Program
) -> None:
    write("build.json")
    write("pi.json", kernel="1.2.3")
    assert seatrial("env", "compare", "build.json", "pi.json").code == 0
    policy = tmp_path / "policy.yaml"
    policy.write_text("# our kernels are frozen\nkernel: error\n")
    said = seatrial("env", "compare", "build.json", "pi.json", "--policy", "policy.yaml")
    assert said.code == 1
    assert said.out.startswith(f"error kernel: {here['kernel']} -> 1.2.3")
    policy.write_text("kernel: ignore\n")
    said = seatrial("env", "compare", "build.json", "pi.json", "--policy", "policy.yaml")
    assert said.out == "pass: pi does not differ from build\n"


def test_every_mistake_of_a_policy_is_told_at_its_line(
    write: Callable[..., Path], tmp_path: Path, seatrial: Program
) -> None:
    write("build.json")
    (tmp_path / "policy.yaml").write_text("kernal: warn\nlibc: warning\n")
    said = seatrial("env", "compare", "build.json", "here", "--policy", "policy.yaml")
    assert said.code == 2
    first, second = said.mistakes
    assert "  where: policy.yaml:1:1" in first
    assert "  nearest: kernel" in first
    assert "  nearest: warn" in second
    (tmp_path / "policy.yaml").write_text("- kernel\n")
    said = seatrial("env", "compare", "build.json", "here", "--policy", "policy.yaml")
    assert (said.code, len(said.mistakes)) == (2, 1)


def test_many_are_a_table_that_marks_what_differs(
    write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    write("build.json", kernel="6.1")
    write("a/pi.json", kernel="6.1")
    write("b/pi.json", kernel="6.6")
    three = ("build.json", "a/pi.json", "b/pi.json")
    said = seatrial("env", "compare", *three)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split() == ["level", "field", "build", "a/pi.json", "b/pi.json"]
    assert lines[1].split() == ["info", "kernel", "6.1", "6.1", "!", "6.6"]
    assert len(lines) == 3
    told = seatrial("env", "compare", *three, "--json").json
    assert told["names"] == ["build", "a/pi.json", "b/pi.json"]
    everything = seatrial("env", "compare", *three, "--all")
    assert len(everything.out.splitlines()) > 20
    assert here["cpu"]["model"] in everything.out


def test_a_fleet_that_is_wider_than_the_terminal_is_told_by_value(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, seatrial: Program
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"device-{number:02}.json" for number in range(30)]
    for number, name in enumerate(names):
        write(name, kernel="6.6" if number in {7, 8} else "6.1")
    said = seatrial("env", "compare", *names)
    assert all(len(line) <= 80 for line in said.out.splitlines())
    assert "  ! 6.6: device-07, device-08" in said.out.splitlines()


def test_a_list_of_packages_is_an_environment(
    write: Callable[..., Path], here: dict[str, Any], tmp_path: Path, seatrial: Program
) -> None:
    write("pi.json", dependencies=_with(here, numpy="1.0.0"))
    (tmp_path / "want.txt").write_text(f"numpy=={here['dependencies']['numpy']}\n")
    told = seatrial("env", "compare", "want.txt", "pi.json", "--json").json
    assert told["verdict"] == "fail"
    assert told["differences"][0]["field"] == "dependencies.numpy"
    said = seatrial("env", "compare", "want.txt", "here")
    assert said.code == 0


def test_packages_that_nobody_expected_are_one_line_where_they_are_many(
    write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    write("build.json")
    write("pi.json", dependencies=_with(here, **{f"beside{n}": "1.0" for n in range(9)}))
    said = seatrial("env", "compare", "build.json", "pi.json")
    line, verdict = said.out.splitlines()
    assert line.startswith("warn dependencies: not installed -> beside0 1.0, beside1 1.0")
    assert "and 3 more (9 packages: " in line
    assert "`package.extra: ignore`" in line
    assert verdict == "pass: pi differs from build: 9 warnings"
    told = seatrial("env", "compare", "build.json", "pi.json", "--json").json
    assert len(told["differences"]) == 9


def test_without_a_model_no_package_is_said_to_be_what_the_model_needs(
    write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    write("build.json", dependencies=_with(here, pytest_plugin="1.0"))
    write("pi.json")
    line, *_, hint = seatrial("env", "compare", "build.json", "pi.json").out.splitlines()
    assert hint == "hint: no model is named, so all of it counts: --for MODEL@production"
    assert line.startswith("error ")
    assert "not installed (anything may need it); pip install" in line


def test_a_value_that_fills_the_screen_is_cut_there_and_whole_in_json(
    write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    write("build.json")
    build = f"cmake cxx flags: {'-Wno-some-warning ' * 40}"
    write("pi.json", onnxruntime={**here["onnxruntime"], "build": build})
    said = seatrial("env", "compare", "build.json", "pi.json")
    assert all(len(line) < 500 for line in said.out.splitlines())
    told = seatrial("env", "compare", "build.json", "pi.json", "--json").json
    assert told["differences"][0]["got"].startswith(build.strip())


def _refused(said: Said, *words: str) -> None:
    assert said.code == 2, said
    assert not said.out
    assert all(word in said.err for word in words), said.err
    assert all(len(lines) <= 6 for lines in said.mistakes)


BAD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "nothing there": ("buidl.json", "", ("'buidl.json'", "nearest: build.json")),
    "cut": ("x.json", '{"format": "seatrial.env', ("x.json",)),
    "no JSON": ("x.json", "\0", ("x.json",)),
    "no capture": ("x.json", '{"a": 1}', ("x.json",)),
    "a list": ("x.json", "[]", ("x.json",)),
    "of a later release": ("x.json", '{"format": "seatrial.environment/2"}', ("/2",)),
    "packages without a pin": ("x.txt", "numpy\n", ("x.txt", "numpy")),
    "a folder that is no bundle": ("x/readme", "", ("bundle.json",)),
}


@pytest.mark.parametrize(("name", "content", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(
    name: str,
    content: str,
    words: tuple[str, ...],
    write: Callable[..., Path],
    tmp_path: Path,
    seatrial: Program,
) -> None:
    write("build.json")
    file = tmp_path / name
    if name != "buidl.json":
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    _refused(seatrial("env", "compare", "build.json", name.partition("/")[0]), *words)


def test_a_hand_edited_capture_is_no_evidence(
    write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    file = write("build.json")
    file.write_text(file.read_text().replace(here["kernel"], "5.0.0"))
    _refused(seatrial("env", "compare", "build.json", "here"), "hash")


def test_a_version_needs_a_project_and_none_is_made(
    write: Callable[..., Path], tmp_path: Path, seatrial: Program
) -> None:
    write("build.json")
    _refused(seatrial("env", "compare", "m@production", "here"), "there is no project here")
    _refused(seatrial("env", "compare", "build.json", "here", "--for", "m@1"), "no project")
    assert not (tmp_path / ".seatrial").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([f"{MODEL}@9", "here"], "9"),
        (["other@production", "here"], "there is no model 'other'"),
        ([f"{MODEL}@stagging", "here"], "nearest: staging"),
        (["here"], "seatrial env compare MODEL@production here"),
        (["here", "here", "--for", "here"], "names no model"),
        (["production", "here"], "MODEL@production"),
    ],
)
@pytest.mark.usefixtures("delivered")
def test_names_of_versions_that_are_wrong(
    words: list[str], sentence: str, seatrial: Program
) -> None:
    _refused(seatrial("env", "compare", *words), sentence)


def test_a_word_that_is_no_command_is_told_the_nearest(seatrial: Program) -> None:
    said = seatrial("env", "comapre", "a", "b")
    _refused(said, "there is no command 'comapre'", "where: seatrial env", "nearest: compare")


def test_a_path_that_cannot_be_reached(write: Callable[..., Path], seatrial: Program) -> None:
    write("build.json")
    _refused(seatrial("env", "compare", "here", "build.json/x"), "Not a directory")
    _refused(seatrial("env", "compare", "here", "x" * 300), "File name too long")


def test_two_may_be_a_table_as_well(
    write: Callable[..., Path], here: dict[str, Any], seatrial: Program
) -> None:
    write("build.json")
    write("twin.json")
    told = seatrial("env", "compare", "build.json", "twin.json", "--all", "--json").json
    assert told["names"] == ["build", "twin"]
    assert told["equal"] == len(told["rows"])
    assert {row["level"] for row in told["rows"]} == {"same"}
    (numpy,) = (row for row in told["rows"] if row["field"] == "dependencies.numpy")
    assert numpy["values"] == [here["dependencies"]["numpy"]] * 2


def test_as_a_page(write: Callable[..., Path], tmp_path: Path, seatrial: Program) -> None:
    write("build.json", kernel="6.1")
    write("<pi>.json", kernel="6.6")
    words = ("env", "compare", "build.json", "<pi>.json")
    said = seatrial(*words, "-o", "page.html")
    assert (said.code, said.out) == (0, seatrial(*words).out)
    page = (tmp_path / "page.html").read_text()
    assert "<td>≠ 6.6</td>" in page
    assert '<th scope="col">&lt;pi&gt;</th>' in page
    wrong = seatrial(*words, "-o", "page.md")
    assert (wrong.code, wrong.out) == (2, "")
    assert "no report ends in '.md'" in wrong.err
