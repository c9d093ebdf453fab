"""Where a comment goes: repository, pull request and API, as GitHub Actions tells them or a person.

The variables are those that every job of GitHub Actions has:
https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import json
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

GITHUB_API = "https://api.github.com"
TOKEN = "GITHUB_TOKEN"  # noqa: S105 - its name
"""The variable that holds the token, and the only place where one is looked for."""

_REPOSITORY = re.compile(r"(?!\.+/)[\w.-]+/(?!\.+$)[\w.-]+", re.ASCII)
_MERGED = re.compile(r"refs/pull/([0-9]+)/")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A pull request. ``api`` has no slash at its end; ``job`` is the page of this job's run."""

    api: str
    repository: str
    pull: int
    job: str | None

    def __str__(self) -> str:
        return f"{self.repository}#{self.pull}"

    @property
    def near(self) -> bool:
        """Whether the API is on this machine, where nothing is between us and it."""
        return urllib.parse.urlsplit(self.api).hostname in _LOOPBACK

    def holds(self, address: str) -> bool:
        """Whether an address is on the host of the API, and so may see the token."""
        here, there = urllib.parse.urlsplit(self.api), urllib.parse.urlsplit(address)
        return (here.scheme, here.netloc) == (there.scheme, there.netloc)


def place(
    environment: Mapping[str, str],
    *,
    repository: str | None = None,
    pull: int | None = None,
    api: str | None = None,
) -> Place:
    """Where the comment goes; what is given goes before the environment. UsageError if unknown.

    >>> str(place({"GITHUB_REPOSITORY": "ada/shop", "GITHUB_REF": "refs/pull/7/merge"}))
    'ada/shop#7'
    """
    found = repository or environment.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(found):
        what = f"{found!r} is no repository" if found else "no repository is named"
        raise UsageError(Mistake(what, fix="--repository OWNER/NAME, or $GITHUB_REPOSITORY"))
    return Place(
        api=_address(api or environment.get("GITHUB_API_URL") or GITHUB_API),
        repository=found,
        pull=_pull(environment) if pull is None else pull,
        job=_job(environment),
    )


def token(environment: Mapping[str, str]) -> str:
    """The token; UsageError when there is none. No message shows it."""
    found = environment.get(TOKEN, "").strip()
    if not found:
        raise UsageError(
            Mistake(
                f"no token: ${TOKEN} is not set",
                fix="in a workflow: `env: {GITHUB_TOKEN: '${{ github.token }}'}`",
            )
        )
    if not (found.isascii() and found.isprintable() and " " not in found):
        raise UsageError(Mistake(f"what ${TOKEN} holds is no token", fix="set it anew"))
    return found


def _pull(environment: Mapping[str, str]) -> int:
    """The pull request whose event started the job."""
    event = _event(environment.get("GITHUB_EVENT_PATH"))
    pull, issue = event.get("pull_request"), event.get("issue")
    if isinstance(issue, dict) and "pull_request" in issue:
        pull = issue
    number = pull.get("number") if isinstance(pull, dict) else None
    if isinstance(number, int):
        return number
    if merged := _MERGED.match(environment.get("GITHUB_REF", "")):
        return int(merged[1])
    on = environment.get("GITHUB_EVENT_NAME")
    raise UsageError(
        Mistake(
            f"this is no pull request: the job was started by {on!r}" if on else "no pull request",
            fix="--pull NUMBER, or run it on: pull_request",
        )
    )


def _event(file: str | None) -> dict[str, Any]:
    """What started the job, as the runner wrote it down; nothing where it did not."""
    if not file:
        return {}
    try:
        event = json.loads(Path(file).read_bytes())
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _job(environment: Mapping[str, str]) -> str | None:
    names = ("SERVER_URL", "REPOSITORY", "RUN_ID")
    server, repository, run = (environment.get(f"GITHUB_{name}", "") for name in names)
    if not (
        server.startswith("https://") and _REPOSITORY.fullmatch(repository) and run.isdecimal()
    ):
        return None
    return f"{server.rstrip('/')}/{repository}/actions/runs/{run}"


def _address(api: str) -> str:
    """The address, checked: a token goes nowhere in clear, and nowhere that the text hides."""
    parts = urllib.parse.urlsplit(api) if api.isascii() and api.isprintable() else None
    plain = parts is not None and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts is None or not plain or not parts.hostname or " " in api:
        raise UsageError(Mistake(f"{api!r} is no address of an API", fix=f"--api {GITHUB_API}"))
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        what = f"{api} is not encrypted: the token would be readable on its way"
        raise UsageError(Mistake(what, fix="--api https://…"))
    return api.rstrip("/")
