"""Every rule on a case of its own; what is unknown, old or the same; what the lines say."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest

from seatrial.environment.capture import capture
from seatrial.environment.compare import compare
from seatrial.environment.difference import Difference, settled
from seatrial.environment.needs import Needs
from seatrial.environment.policy import RULES, Policy

ONNX = Needs(form="onnx", packages=("numpy", "onnxruntime"), providers=("CPUExecutionProvider",))
INT8 = Needs(form="onnx", packages=ONNX.packages, int8="static", saturates=True)
GPU = Needs(form="onnx", packages=ONNX.packages, providers=("CUDAExecutionProvider",))
PICKLE = Needs(form="pickle", packages=("numpy", "scikit-learn"))
ANY = Needs()

BUILD: dict[str, Any] = {
    "format": "seatrial.environment/1",
    "python_version": "3.11.7",
    "implementation": "CPython",
    "python_build": "main GCC 12",
    "os": "Linux",
    "os_release": "debian 12",
    "kernel": "6.1",
    "libc": "glibc 2.36",
    "machine": "x86_64",
    "cpu": {"model": "Fast", "flags": ["avx2", "avx512_vnni", "avx512f", "fma"], "cores": 8},
    "dependencies": {
        "numpy": "2.4.6", "onnxruntime": "1.32.0", "scikit-learn": "1.9.1", "click": "8.2.0",
    },
    "records": {"numpy": "sha256:aa", "scikit-learn": "sha256:bb", "click": "sha256:cc"},
    "editable": [],
    "hidden": {},
    "unnamed": [],
    "libraries": [
        {"api": "openblas", "version": "0.3.31", "architecture": "SkylakeX",
         "threading": "pthreads", "threads": 2},
        {"api": "openmp", "version": None, "architecture": None, "threading": None, "threads": 2},
    ],
    "onnxruntime": {
        "version": "1.32.0", "build": "Release",
        "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
    },
    "cuda": {"available": True, "version": "12.4", "cudnn": "9.1", "driver": "550", "gpus": ["A"]},
    "variables": {"OMP_NUM_THREADS": "2"},
    "locale": "C.UTF-8 (utf-8)",
    "timezone": "UTC",
    "image": "sha256:01",
}  # fmt: skip


def device(**changes: Any) -> dict[str, Any]:
    """The same machine but for some fields; `cpu__flags` is one in a part; None takes it away."""
    made = copy.deepcopy(BUILD)
    for key, value in changes.items():
        whole, _, inner = key.partition("__")
        within, name = (made[whole], inner.replace("__", "-")) if inner else (made, whole)
        if value is None:
            del within[name]
        else:
            within[name] = value
    return made


def told(found: tuple[Difference, ...]) -> list[tuple[str, str, str]]:
    return [(each.field, each.level, each.proven) for each in found]


def blas(**changes: Any) -> list[dict[str, Any]]:
    return [{**BUILD["libraries"][0], **changes}, BUILD["libraries"][1]]


# rule, what the model needs, what is otherwise there, the field, the level unproven and proven
CASES: list[tuple[str, Needs, dict[str, Any], str, str, str]] = [
    ("python.major", ONNX, {"python_version": "4.0.0"}, "python_version", "error", "warn"),
    ("python.minor", ONNX, {"python_version": "3.12.0"}, "python_version", "warn", "info"),
    ("python.minor", PICKLE, {"python_version": "3.12.0"}, "python_version", "error", "error"),
    ("python.minor", ANY, {"python_version": "3.12.0"}, "python_version", "error", "error"),
    ("python.patch", PICKLE, {"python_version": "3.11.8"}, "python_version", "info", "info"),
    ("python.implementation", ONNX, {"implementation": "PyPy"}, "implementation", "warn", "info"),
    ("python.build", ONNX, {"python_build": "Clang"}, "python_build", "info", "info"),
    ("onnxruntime.major", ONNX, {"onnxruntime__version": "2.0.0"},
     "dependencies.onnxruntime", "error", "warn"),
    ("onnxruntime.minor", ONNX, {"onnxruntime__version": "1.31.0"},
     "dependencies.onnxruntime", "error", "warn"),
    ("onnxruntime.patch", ONNX, {"onnxruntime__version": "1.32.1"},
     "dependencies.onnxruntime", "warn", "info"),
    ("package.major", ONNX, {"dependencies__numpy": "3.0"}, "dependencies.numpy", "warn", "info"),
    ("package.major", ANY, {"dependencies__click": "9.0"}, "dependencies.click", "error", "error"),
    ("package.minor", ONNX, {"dependencies__numpy": "2.5"}, "dependencies.numpy", "info", "info"),
    ("package.minor", ANY, {"dependencies__click": "8.3"}, "dependencies.click", "warn", "warn"),
    ("package.patch", PICKLE, {"dependencies__scikit__learn": "1.9.2"},
     "dependencies.scikit-learn", "error", "error"),
    ("package.patch", ANY, {"dependencies__click": "8.2.1"}, "dependencies.click", "info", "info"),
    ("package.missing", ONNX, {"dependencies__numpy": None},
     "dependencies.numpy", "error", "error"),
    ("package.extra", ANY, {"dependencies__scipy": "1.0"}, "dependencies.scipy", "warn", "warn"),
    ("package.build", ONNX, {"records__numpy": "sha256:ff"}, "records.numpy", "warn", "info"),
    ("package.build", PICKLE, {"records__numpy": "sha256:ff"}, "records.numpy", "error", "error"),
    ("package.other_build", PICKLE, {"records__numpy": "sha256:ff", "machine": "aarch64"},
     "records.numpy", "info", "info"),
    ("package.altered", ONNX, {"altered": {"numpy": ["numpy/core.py"]}},
     "altered.numpy", "error", "error"),
    ("package.editable", ONNX, {"editable": ["numpy"]}, "editable.numpy", "warn", "warn"),
    ("package.hidden", ONNX, {"hidden": {"numpy": ["1.26.4"]}}, "hidden.numpy", "warn", "warn"),
    ("package.unnamed", ONNX, {"unnamed": ["~umpy-2.4.dist-info"]}, "unnamed", "info", "info"),
    ("package.other", ONNX, {"dependencies__click": "9.0"}, "dependencies.click", "info", "info"),
    ("package.other_altered", ONNX, {"altered": {"click": ["click/core.py"]}},
     "altered.click", "warn", "warn"),
    ("machine", ONNX, {"machine": "aarch64"}, "machine", "error", "warn"),
    ("libc", ONNX, {"libc": "musl 1.2"}, "libc", "error", "warn"),
    ("libc.version", ONNX, {"libc": "glibc 2.41"}, "libc", "info", "info"),
    ("os", ONNX, {"os": "Darwin"}, "os", "info", "info"),
    ("os", PICKLE, {"os": "Darwin"}, "os", "warn", "info"),
    ("os.release", ONNX, {"os_release": "debian 13"}, "os_release", "info", "info"),
    ("kernel", ONNX, {"kernel": "6.12"}, "kernel", "info", "info"),
    ("cpu.model", ONNX, {"cpu__model": "Slow"}, "cpu.model", "info", "info"),
    ("cpu.cores", ONNX, {"cpu__cores": 4}, "cpu.cores", "info", "info"),
    ("cpu.flags", PICKLE, {"cpu__flags": [*BUILD["cpu"]["flags"], "sve"]},
     "cpu.flags", "info", "info"),
    ("cpu.flags.gone", PICKLE, {"cpu__flags": ["avx2", "fma", "avx512_vnni"]},
     "cpu.flags", "warn", "info"),
    ("cpu.flags.gone", ANY, {"cpu__flags": ["avx512_vnni"]}, "cpu.flags", "warn", "warn"),
    ("cpu.int8", INT8, {"cpu__flags": ["avx2", "avx512f", "fma"]},
     "cpu.flags.int8", "error", "info"),
    ("libraries", ONNX, {"libraries": blas(architecture="Haswell")}, "libraries", "info", "info"),
    ("libraries", PICKLE, {"libraries": blas(api="mkl")}, "libraries", "warn", "info"),
    ("libraries.version", ANY, {"libraries": blas(version="0.4")},
     "libraries.version", "info", "info"),
    ("libraries.threads", ANY, {"libraries": blas(threads=8)}, "libraries.threads", "info", "info"),
    ("onnxruntime.build", ONNX, {"onnxruntime__build": "Debug"},
     "onnxruntime.build", "info", "info"),
    ("providers", GPU, {"onnxruntime__providers": ["CPUExecutionProvider"]},
     "onnxruntime.providers.CUDAExecutionProvider", "error", "error"),
    ("providers.other", ONNX, {"onnxruntime__providers": ["CPUExecutionProvider"]},
     "onnxruntime.providers", "info", "info"),
    ("cuda.absent", GPU, {"cuda__available": False}, "cuda.available", "error", "error"),
    ("cuda", GPU, {"cuda__driver": "560"}, "cuda.driver", "warn", "info"),
    ("cuda.other", ONNX, {"cuda__driver": "560"}, "cuda.driver", "info", "info"),
    ("variables", ONNX, {"variables__OMP_NUM_THREADS": "8"},
     "variables.OMP_NUM_THREADS", "warn", "info"),
    ("locale", ONNX, {"locale": "de_DE.UTF-8 (utf-8)"}, "locale", "warn", "info"),
    ("timezone", ANY, {"timezone": "Europe/Berlin"}, "timezone", "warn", "warn"),
    ("image", ANY, {"image": "sha256:02"}, "image", "info", "info"),
    ("trouble", ONNX, {"trouble": {"pynvml": "no driver"}}, "trouble.pynvml", "warn", "info"),
    ("unknown", ANY, {"libraries": None}, "unknown", "info", "info"),
]  # fmt: skip


def test_every_rule_has_a_case() -> None:
    assert {rule for rule, *_ in CASES} == {*RULES}


@pytest.mark.parametrize(
    ("needs", "changes", "field", "level", "proven"), [case[1:] for case in CASES]
)
def test_what_differs_has_its_level(
    needs: Needs, changes: dict[str, Any], field: str, level: str, proven: str
) -> None:
    found = compare(BUILD, device(**changes), needs)
    assert (field, level, proven) in told(found)
    [own] = [each for each in found if each.field == field]
    assert "\n" not in str(own)
    assert own.why
    assert own.expected != own.got


@pytest.mark.parametrize(("rule", "needs", "changes", "field"), [case[:4] for case in CASES])
def test_a_policy_reaches_every_rule(
    rule: str, needs: Needs, changes: dict[str, Any], field: str
) -> None:
    for said in ("error", "warn", "info"):
        found = compare(BUILD, device(**changes), needs, Policy({rule: said}))
        assert (field, said, said) in told(found)
    ignored = compare(BUILD, device(**changes), needs, Policy({rule: "ignore"}))
    assert field not in {each.field for each in ignored}


def test_the_same_twice_differs_in_nothing() -> None:
    here = capture("2026-01-01T00:00:00Z")
    assert compare(here, capture("2026-02-02T00:00:00Z")) == ()
    assert compare(BUILD, device(), ONNX) == ()


def test_the_gravest_comes_first_then_the_fields_in_order() -> None:
    found = compare(BUILD, device(kernel="7", libc="musl 1", cpu__cores=1, locale="C"), ONNX)
    assert [each.field for each in found] == ["libc", "locale", "cpu.cores", "kernel"]


def test_packages_that_the_model_does_not_need_share_a_line_for_each_way_to_differ() -> None:
    there = device(dependencies=BUILD["dependencies"] | {f"a{n}": "1.0" for n in range(9)})
    here = device(dependencies=BUILD["dependencies"] | {"extra": "1.0"})
    missing, unexpected = compare(there, here, ONNX)
    assert missing.field == "dependencies, missing"
    assert "9 packages" in missing.why
    assert missing.expected == "a0 1.0, a1 1.0, a2 1.0, a3 1.0, a4 1.0, a5 1.0 and 3 more"
    assert missing.got == "not installed"
    assert (unexpected.expected, unexpected.got) == ("not installed", "extra 1.0")
    assert "a package that the model does not need" in unexpected.why
    apart = compare(there, here, ONNX, together=False)
    assert len(apart) == 10
    assert {each.level for each in apart} == {"info"}


def test_one_package_can_have_a_rule_of_its_own() -> None:
    here = device(dependencies__click="8.2.1", dependencies__numpy="2.4.7")
    found = compare(BUILD, here, ONNX, Policy({"packages.click": "error"}))
    assert told(found) == [
        ("dependencies.click", "error", "error"),
        ("dependencies.numpy", "info", "info"),
    ]
    quiet = Policy({"packages.click": "ignore", "packages.numpy": "ignore"})
    assert compare(BUILD, here, ONNX, quiet) == ()


def test_the_rule_of_one_package_beats_that_of_all() -> None:
    policy = Policy({"package.patch": "error", "packages.numpy": "warn"})
    found = compare(BUILD, device(dependencies__numpy="2.4.7"), ONNX, policy)
    assert told(found) == [("dependencies.numpy", "warn", "warn")]


def test_what_a_model_needs_must_be_there_even_if_it_never_was() -> None:
    nowhere = device(dependencies__numpy=None, records__numpy=None)
    [line] = compare(nowhere, nowhere, ONNX)
    assert (line.field, line.level, line.fix) == (
        "dependencies.numpy", "error", "pip install numpy",
    )  # fmt: skip
    [line, _] = compare({}, {"dependencies": {"onnxruntime": "1.32.0"}}, ONNX)
    assert (line.expected, line.got) == ("any version", "not installed")


def test_a_pickle_that_does_not_say_what_it_needs_may_need_anything() -> None:
    found = compare(BUILD, device(dependencies__click="9.0"), Needs(form="pickle"))
    assert told(found) == [("dependencies.click", "error", "error")]


def test_onnxruntime_counts_under_whatever_name_it_was_installed() -> None:
    here = device(dependencies__onnxruntime=None)
    here["dependencies"]["onnxruntime-gpu"] = "1.32.0"
    found = compare(BUILD, here, ONNX)
    assert [each.level for each in found] == ["info"]


def test_what_the_expected_side_does_not_know_is_no_difference_but_one_line() -> None:
    [line] = compare({"dependencies": BUILD["dependencies"]}, BUILD, ONNX)
    assert (line.field, line.level, line.got) == ("unknown", "info", "complete")
    assert "python_version" in line.expected
    assert "records" in line.expected


def test_a_device_without_threadpoolctl_is_told_in_one_line() -> None:
    [line] = compare(BUILD, {**BUILD, "libraries": None}, ONNX)
    assert str(line).startswith("info unknown: complete -> without libraries (")


def test_a_capture_of_before_is_compared_as_far_as_it_goes() -> None:
    old = {
        "python_version": "3.11.7", "machine": "x86_64", "libc": "glibc 2.36",
        "cpu": {"model": "Fast", "flags": BUILD["cpu"]["flags"]},
        "dependencies": BUILD["dependencies"],
        "onnxruntime_providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
        "variables": {"OMP_NUM_THREADS": "2"},
    }  # fmt: skip
    assert [each.field for each in compare(old, BUILD, ONNX)] == ["unknown"]
    found = compare(old, device(onnxruntime__providers=["CPUExecutionProvider"]), GPU)
    assert "onnxruntime.providers.CUDAExecutionProvider" in {each.field for each in found}


@pytest.mark.parametrize("wrong", [3, "text", None, ["x"], {"x": ["y"]}])
@pytest.mark.parametrize("key", sorted(BUILD))
def test_a_damaged_field_counts_as_not_known(key: str, wrong: object) -> None:
    if key == "format":
        return
    for needs in (ONNX, PICKLE, ANY, INT8):
        compare({**BUILD, key: wrong}, BUILD, needs)
        compare(BUILD, {**BUILD, key: wrong}, needs)


def test_an_arm_processor_has_one_name_and_its_flags_are_not_held_against_it() -> None:
    assert compare(device(machine="arm64"), device(machine="aarch64"), ONNX) == ()
    arm = device(machine="aarch64", cpu__flags=["asimd", "asimddp"])
    fields = [each.field for each in compare(BUILD, arm, INT8)]
    assert fields == ["machine"]
    fields = [
        each.field for each in compare(BUILD, device(machine="arm64", cpu__flags=["asimd"]), INT8)
    ]
    assert fields == ["cpu.flags.int8", "machine"]


def test_saturation_is_told_with_what_another_program_must_do() -> None:
    here = device(cpu__flags=["avx2", "avx512f", "fma"])
    [int8, flags] = compare(BUILD, here, INT8)
    assert "session.x64quantprecision" in int8.why
    assert (int8.expected, int8.got) == ("avx512_vnni", "without VNNI")
    assert flags.field == "cpu.flags"
    # Dynamic quantisation by itself, and a graph that cannot overflow, do not care.
    for needs in (ONNX, Needs(form="onnx", packages=ONNX.packages, int8="dynamic")):
        assert [each.field for each in compare(BUILD, here, needs)] == ["cpu.flags"]


def test_more_loaded_libraries_are_no_difference() -> None:
    more = [*BUILD["libraries"], {**BUILD["libraries"][0], "version": "0.3.30"}]
    assert compare(BUILD, device(libraries=more)) == ()
    assert compare(device(libraries=more), BUILD) == ()
    assert compare(device(libraries=BUILD["libraries"][:1]), BUILD) == ()


def test_another_platform_has_other_builds_without_reproach() -> None:
    here = device(machine="aarch64", records__numpy="sha256:ff", cpu__flags=["asimd"])
    found = {each.field: each.level for each in compare(BUILD, here, ONNX)}
    assert found == {"machine": "error", "records.numpy": "info"}


def test_a_version_that_is_none_counts_as_a_major_step_and_says_so() -> None:
    [line] = compare(BUILD, device(dependencies__numpy="latest"), ONNX)
    assert (line.level, line.why) == (
        "warn", "'latest' is no version, so it counts as a major step",
    )  # fmt: skip


def test_letters_and_time_zone_are_told_once() -> None:
    there = device(variables={"LC_ALL": "C", "TZ": "UTC"}, locale="C (utf-8)")
    here = device(variables={"LC_ALL": "de_DE"}, locale="de_DE (utf-8)")
    assert [each.field for each in compare(there, here)] == ["locale"]
    bare = {key: value for key, value in there.items() if key != "locale"}
    assert "variables.LC_ALL" in {each.field for each in compare(bare, here)}


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ({"dependencies__numpy": "2.0"}, "pip install numpy==2.4.6"),
        ({"dependencies__numpy": None}, "pip install numpy==2.4.6"),
        ({"dependencies__scipy": "1"}, "pip uninstall scipy"),
        ({"onnxruntime__version": "1.30.0"}, "pip install onnxruntime==1.32.0"),
        ({"records__numpy": "sha256:0"}, "pip install --force-reinstall --no-deps numpy==2.4.6"),
        ({"python_version": "3.12.1"}, "run Python 3.11"),
        ({"variables": {}}, "export OMP_NUM_THREADS=2"),
        ({"variables__TZ": "UTC", "timezone": None}, "unset TZ"),
        ({"locale": "C (ascii)"}, "export LC_ALL=C.UTF-8"),
        ({"timezone": "Europe/Berlin"}, "export TZ=UTC"),
        ({"machine": "aarch64"}, "run on x86_64, or prove the golden rows there"),
    ],
)
def test_the_fix_can_be_typed(changes: dict[str, Any], fix: str) -> None:
    assert fix in {each.fix for each in compare(BUILD, device(**changes))}


def test_a_proof_settles_what_it_can() -> None:
    here = device(onnxruntime__version="1.31.0", machine="aarch64", cpu__flags=["asimd"])
    found = compare(BUILD, here, ONNX)
    assert {each.level for each in settled(found, proven=False)} == {"error"}
    assert {each.level for each in settled(found, proven=True)} == {"warn"}


def test_comparing_loads_no_numeric_library() -> None:
    code = (
        "import sys; from seatrial.environment import compare, policy, table, requirements;"
        "compare.compare({'python_version': '3'}, {}); "
        "sys.exit(', '.join({'numpy', 'onnxruntime', 'click'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
