"""Programs that ask the API of a project with three versions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from tests.web.pages.conftest import site  # noqa: F401 - a fixture

from seatrial.registry import tokens
from seatrial.registry.tokens import Role

if TYPE_CHECKING:
    import httpx
    from tests.web.pages.conftest import Site

    from visiting import Browser

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Program:
    """Asks with the token of ``headers``; the last answer is a document or a refusal."""

    browser: Browser
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.browser.ask(method, API + path, headers=headers, **more)

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        """The document at an address."""
        answer = self.ask("GET", path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def fits(self, path: str, at: str) -> Any:
        """The document at an address, which must have the keys that are published, and no other."""
        told = self.get("/openapi.json")
        answers = told["paths"][f"{API}{path}"]["get"]["responses"]["200"]["content"]
        components = told["components"]
        for schema in components["schemas"].values():
            if "properties" in schema:
                schema["additionalProperties"] = False
        document = self.get(at)
        schema = {**answers["application/json"]["schema"], "components": components}
        jsonschema.validate(document, schema)
        return document

    def post(self, path: str, document: object, status: int = 200) -> Any:
        """The document that is answered to one that is sent."""
        answer = self.ask("POST", path, json=document)
        assert answer.status_code == status, answer.text
        said = answer.json()
        if status != 200:
            assert said["error"]
            assert json.dumps(said).count("Traceback") == 0
        return said


def program(site: Site, role: Role | None = Role.OPERATOR, name: str = "robot") -> Program:  # noqa: F811
    """One with a token of that role, or without any."""
    headers = {}
    if role is not None:
        text = tokens.create(site.project.ledger, name, role, "root")[1]
        headers["Authorization"] = f"Bearer {text}"
    return Program(site.visitor(), headers)


@pytest.fixture
def robot(site: Site) -> Program:  # noqa: F811
    """Has an operator's token."""
    return program(site)
