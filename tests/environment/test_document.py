"""A capture that somebody hands in: read as it was made, or refused in a few lines."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment import document
from seatrial.environment.capture import capture, fingerprint
from seatrial.errors import FileError

OLD: dict[str, Any] = {
    "python_version": "3.11.7",
    "implementation": "CPython",
    "os": "Linux",
    "os_release": "debian 12",
    "kernel": "6.1",
    "libc": "glibc 2.36",
    "machine": "x86_64",
    "cpu": {"model": "Fast 3000", "flags": ["avx2"]},
    "dependencies": {"numpy": "2.4.6", "onnxruntime": "1.32.0"},
    "onnxruntime_providers": ["CPUExecutionProvider"],
    "variables": {"LANG": "C.UTF-8"},
}
"""As they were recorded before there was a format."""


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return capture("2026-01-01T00:00:00Z", deep=["click"])


def written(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "device.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        document.read(path)
    told = str(caught.value)
    assert len(told.splitlines()) <= 6
    assert str(path) in told
    return told


def test_what_was_captured_is_read_again(tmp_path: Path, made: dict[str, Any]) -> None:
    assert document.read(written(tmp_path, made)) == made
    indented = json.dumps(made, indent=2, ensure_ascii=False)
    assert document.read(written(tmp_path, indented)) == made
    assert document.read(written(tmp_path, f"\ufeff{indented}\n\n")) == made


def test_a_file_that_is_not_there_is_missed_by_its_nearest_name(tmp_path: Path) -> None:
    written(tmp_path, {})
    told = refused(tmp_path / "devise.json")
    assert "there is no such file" in told
    assert "nearest: device.json" in told
    assert "there is no such file" in refused(tmp_path / "none" / "device.json")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"numpy==2.4.6\n", "this is no JSON"),
        (b"\xff\xfe{\x00}\x00", "no text in UTF-8 (byte 1)"),
        (b"[]", "no capture"),
        (b"3", "no capture"),
        (b"null", "no capture"),
        (b'{"a": 1}', "no capture"),
        (b'{"format": null, "python_version": "3", "dependencies": {}}', "no capture"),
        (b'{"format": 1}', "no capture"),
        (b'{"format": "seatrial.bundle/1"}', "no capture"),
        (b'{"format": "seatrial.environment/0"}', "no capture"),
        (b'{"format": "seatrial.environment/1"}', "has lost its hash"),
        (b'{"python_version": "3", "dependencies": {}, "hash": "x"}', "was changed"),
        (b"[" * 100_000, "no capture"),
        (b'{"format": ' + b"9" * 5000 + b"}", "no capture"),
        (b'{"python_version": "3", "dependencies": {}}}', "this is no JSON: Extra data"),
    ],
)
def test_what_is_no_capture_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "device.json"
    path.write_bytes(content)
    assert told in refused(path)


def test_what_cannot_be_a_file_of_ours_is_refused(tmp_path: Path) -> None:
    assert "this is a folder" in refused(tmp_path)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(document.MOST_BYTES + 1)
    assert "far too large" in refused(large)
    endless = tmp_path / "endless.json"
    endless.symlink_to(endless)
    assert "cannot be read" in refused(endless)


def test_a_newer_format_asks_for_a_newer_release(tmp_path: Path, made: dict[str, Any]) -> None:
    told = refused(written(tmp_path, {**made, "format": "seatrial.environment/2"}))
    assert "seatrial.environment/2, this release reads seatrial.environment/1" in told
    assert "upgrade" in told


def test_a_file_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = json.dumps({**OLD, "hash": fingerprint(OLD)}, indent=1)
    for length in range(len(whole)):
        told = refused(written(tmp_path, whole[:length]))
        assert ("is cut off" if length else "is empty") in told


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("dependencies", "numpy"), 3, "dependencies.numpy is 3, not a text"),
        (("dependencies", "numpy"), None, "dependencies.numpy is null, not a text"),
        (("dependencies",), ["numpy"], "dependencies is a list, not an object"),
        (("python_version",), 3.11, "python_version is 3.11, not a text"),
        (("os",), "Linux\x1b[31m", "os holds characters that cannot be shown"),
        (("variables", "A\nB"), "", "variables holds a name that cannot be shown"),
        (("cpu",), None, "cpu is null, not an object"),
        (("cpu", "flags"), "avx2", 'cpu.flags is "avx2", not a list'),
        (("cpu", "flags"), ["avx2", 7], "cpu.flags[1] is 7, not a text"),
        (("cpu", "cores"), True, "cpu.cores is true, not a number"),
        (("cpu", "cores"), -1, "cpu.cores is -1, not a number"),
        (("hidden",), {"numpy": "1.0"}, 'hidden.numpy is "1.0", not a list'),
        (("libraries",), [3], "libraries[0] is 3, not an object"),
        (("libraries",), [{"threads": "2"}], 'libraries[0].threads is "2", not a number'),
        (("onnxruntime", "providers"), None, "onnxruntime.providers is null, not a list"),
        (("cuda", "available"), "yes", 'cuda.available is "yes", not true or false'),
        (("image",), 3, "image is 3, not a text"),
        (("trouble",), {"torch": []}, "trouble.torch is a list, not a text"),
        (("timestamp",), 1, "timestamp is 1, not a text"),
    ],
)
def test_a_field_of_another_kind_is_named(
    tmp_path: Path, made: dict[str, Any], place: tuple[str, ...], value: object, told: str
) -> None:
    changed = copy.deepcopy(made)
    inside = changed
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    changed["hash"] = fingerprint(changed)
    assert told in refused(written(tmp_path, changed))


def test_many_wrong_fields_are_counted(tmp_path: Path) -> None:
    wrong = {**OLD, "dependencies": {f"p{number}": number for number in range(50)}}
    told = refused(written(tmp_path, wrong))
    assert "dependencies.p0 is 0, not a text" in told
    assert "and 48 more" in told


def test_what_was_changed_by_hand_is_refused(tmp_path: Path, made: dict[str, Any]) -> None:
    for changed in (
        {**made, "dependencies": {**made["dependencies"], "numpy": "9.9"}},
        {key: value for key, value in made.items() if key != "cpu"},
        {**made, "extra": 1},
        {**made, "hash": "sha256:" + "0" * 64},
    ):
        told = refused(written(tmp_path, changed))
        assert "was changed after it was made" in told
        assert "seatrial env capture" in told
    # When it was made is no part of what was found.
    assert document.read(written(tmp_path, {**made, "timestamp": "2027"}))["timestamp"] == "2027"


def test_a_file_without_an_end_is_read_no_further_than_a_capture_goes() -> None:
    assert "far too large" in refused(Path("/dev/zero"))


def test_a_name_that_cannot_be_shown_is_not_shown(tmp_path: Path, made: dict[str, Any]) -> None:
    for name in ("\x1b[2J", "\ud800", "a\nb\nc\nd\ne\nf\ng", "x" * 10_000):
        for value in ("1", 1):
            told = refused(written(tmp_path, {**made, "dependencies": {name: value}}))
            assert "dependencies holds a name that cannot be shown" in told
            assert name not in told


def test_brackets_within_brackets_are_refused_however_many(tmp_path: Path) -> None:
    file = tmp_path / "deep.json"
    for deep in range(800, 1000):
        inner = '{"a":' * deep + "1" + "}" * deep
        file.write_text(f'{{"format": "seatrial.environment/1", "hash": "x", "more": {inner}}}')
        refused(file)


def test_a_later_release_may_record_more(tmp_path: Path, made: dict[str, Any]) -> None:
    more = {**made, "firmware": {"bios": ["1.2"]}, "cpu": {**made["cpu"], "stepping": 3}}
    more["hash"] = fingerprint(more)
    assert document.read(written(tmp_path, more)) == more


def test_a_capture_from_before_takes_today_s_shape(tmp_path: Path) -> None:
    old = {**OLD, "hash": fingerprint(OLD), "timestamp": "2026-01-01T00:00:00Z"}
    found = document.read(written(tmp_path, old))
    assert found["format"] == "seatrial.environment/1"
    assert found["onnxruntime"] == {"providers": ["CPUExecutionProvider"]}
    unknown = {"records", "libraries", "cuda", "locale", "timezone", "image", "python_build"}
    assert not unknown & set(found)
    assert {key: found[key] for key in OLD if key in found} == {
        key: value for key, value in OLD.items() if key != "onnxruntime_providers"
    }
    # It is a capture like any other now, and was not changed where it came from.
    assert document.read(written(tmp_path, found)) == found
    assert document.upgraded(found) == found
    assert "format" not in old


def test_where_the_runtime_could_not_be_imported_there_was_none() -> None:
    assert document.upgraded({**OLD, "onnxruntime_providers": []})["onnxruntime"] is None


def test_a_value_inside_another_document_is_told_by_its_place() -> None:
    with pytest.raises(FileError, match=r"where: bundle\.json, environment"):
        document.demanded([], "bundle.json, environment")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.sampled_from([*OLD, "records", "hidden", "libraries", "cuda", "image", "anything"]),
)
def test_any_value_in_any_field_is_read_or_refused(value: object, field: str) -> None:
    told = ""
    try:
        document.demanded({**OLD, field: value}, "here")
    except FileError as error:
        told = str(error)
    assert len(told.splitlines()) <= 6
