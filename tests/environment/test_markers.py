"""Environment markers against the `packaging` library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker, default_environment

from seatrial.environment.markers import holds, variables
from seatrial.errors import FormError

WORDS = {
    "os_name": ["posix", "nt", "java"],
    "sys_platform": ["linux", "win32", "darwin"],
    "platform_system": ["Linux", "Darwin", "Windows"],
    "platform_machine": ["x86_64", "aarch64", "arm64"],
    "platform_python_implementation": ["CPython", "PyPy"],
    "implementation_name": ["cpython", "pypy"],
    "extra": ["", "gpu", "Dev_Tools"],
}
VERSIONS = ["3.9", "3.11", "3.11.0", "3.11.7", "3.12", "3.14", "4"]


def _quoted(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"'{text}'", f'"{text}"'])


@st.composite
def _atom(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        name = draw(st.sampled_from(["python_version", "python_full_version"]))
        sign = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~="]))
        told = draw(st.sampled_from(VERSIONS[:-1]))
        if sign in {"==", "!="} and draw(st.booleans()):
            told += ".*"
    else:
        name = draw(st.sampled_from(sorted(WORDS)))
        sign = draw(st.sampled_from(["==", "!=", "in", "not in"]))
        told = draw(st.sampled_from(WORDS[name]))
        if sign in {"in", "not in"} and name != "extra":
            told = " ".join([told, draw(st.sampled_from(WORDS[name]))])
    value = draw(_quoted(told))
    if draw(st.booleans()) and sign in {"==", "!=", "<", "<=", ">", ">="} and "*" not in told:
        return f"{value} {sign} {name}"
    return f"{name}{draw(st.sampled_from([' ', '  ']))}{sign} {value}"


markers = st.recursive(
    _atom(),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map(lambda each: f"({each})"),
    ),
    max_leaves=6,
)


@given(
    markers,
    st.fixed_dictionaries(
        {name: st.sampled_from(words) for name, words in WORDS.items()}
        | {
            "python_version": st.sampled_from(["3.9", "3.11", "3.14"]),
            "python_full_version": st.sampled_from(["3.9.1", "3.11.0", "3.11.7", "3.14.2"]),
        }
    ),
)
def test_they_hold_where_packaging_says_so(marker: str, here: dict[str, str]) -> None:
    assert holds(marker, {**variables(), **here}) == Marker(marker).evaluate({**here})


def test_the_variables_are_those_of_this_interpreter() -> None:
    assert variables() == {**default_environment(), "extra": ""}


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("python_version in '3.9 3.11'", True),
        ("python_version not in '3.9, 3.12'", True),
        ("os.name == 'posix'", True),
        ("sys.platform=='linux'", True),
        ("python_implementation == 'CPython'", True),
        ("platform_release >= '6'", False),
        ("platform_release == '6.1.0-amd64'", True),
        ("extra == 'Dev.Tools'", True),
        ("python_version === '3.11'", True),
        ("os_name == 'nt' and os_name == 'posix' or os_name == 'posix'", True),
        ("os_name == 'nt' and (os_name == 'posix' or os_name == 'posix')", False),
    ],
)
def test_older_ways_to_write_them(marker: str, expected: object) -> None:
    here = {
        **variables(), "os_name": "posix", "sys_platform": "linux", "python_version": "3.11",
        "platform_python_implementation": "CPython", "platform_release": "6.1.0-amd64",
        "extra": "dev-tools",
    }  # fmt: skip
    assert holds(marker, here) is expected


@pytest.mark.parametrize(
    "marker",
    [
        "", "python_version", "python_version <", "< '3'", "python_version < 3",
        "(python_version < '3'", "python_version < '3')", "python_version < '3' and",
        "python_version < '3' 'x'", "pythn_version < '3'", "python_version <> '3'",
        "python_version not '3'", "__import__('os').system('x') == '0'", "a" * 5000, "(" * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(marker: str) -> None:
    with pytest.raises(FormError) as caught:
        holds(marker, variables())
    assert len(str(caught.value).splitlines()) <= 6


def test_the_nearest_variable_is_told() -> None:
    with pytest.raises(FormError) as caught:
        holds("pythn_version < '3'", variables())
    assert caught.value.mistakes[0].nearest == "python_version"
