"""`seatrial token`: made, shown once, listed without, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.registry import tokens
from seatrial.registry.project import open_project
from seatrial.workspace import nearest_to

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from tests.cli.conftest import Program


def test_is_made_listed_and_revoked(
    seatrial: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no token" in seatrial("token", "list").out
    made = seatrial("token", "create", "anna", "--role", "operator")
    text = made.out.strip()
    assert made.code == 0
    assert tokens.FORM.fullmatch(text)  # alone on stdout, so that a script can keep it
    assert "not shown again" in made.err.replace("\n", " ")
    identity = text.split("_")[1]
    listed = seatrial("token", "list")
    assert identity in listed.out
    assert text.split("_")[2] not in listed.out
    by_json = seatrial("token", "create", "bert", "--role", "viewer", "--days", "1", "--json").json
    assert by_json["token"].split("_")[1] == by_json["id"]
    assert by_json["expires"] > by_json["created"]
    assert "revoked" in seatrial("token", "revoke", identity[:4]).out
    states = {each["name"]: each["state"] for each in seatrial("token", "list", "--json").json}
    assert states == {"anna": "revoked", "bert": "valid"}
    opened = open_project(nearest_to(tmp_path))
    assert tokens.check(opened.ledger, text) is None
    assert tokens.check(opened.ledger, by_json["token"]) is not None
    opened.ledger.close()


def test_serve_tells_who_others_would_reach_without_one(
    seatrial: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = seatrial("serve", "--port", "0", "--control-host-name", "ml.example.com")
    assert said.code == 2
    assert "nobody has a token" in said.err
    assert "seatrial token create" in said.err
