"""Which code was it? The git revision of a project folder, and what differs from it.

Only names and digests are kept, never a line of the difference. Git is asked questions that
change nothing and start no other program, whatever the repository's own settings say.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from seatrial.data.dataset import FOLDER, SUFFIXES
from seatrial.workspace import HOME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 20.0
"""So long one question may take; on a file system that does not answer, nothing is known."""

NAMED = 20
"""So many of the files that differ are named; the others are counted."""

FILE_BYTES = 32 << 20
"""A file that differs is read up to this size; of a greater one size and time of change count."""

ALL_BYTES = 256 << 20
"""So much is read in all, then size and time of change count for the files that are left."""

_SETTINGS = (
    "core.fsmonitor=false",  # else a program of the repository's choice lists the changes
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "protocol.allow=never",  # a partial clone fetches nothing
    "safe.bareRepository=explicit",  # a repository that is delivered inside another is not opened
    "status.renames=false",
)


class _Refused(Exception):  # noqa: N818 - never seen outside
    """Git said no; ``said`` is its message."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def revision(folder: Path) -> dict[str, object]:
    """The commit of ``folder`` and whether its files differ from it; empty without a repository.

    ``revision``  the commit's id in hex, None before the first one
    ``dirty``     up to 20 files under ``folder`` that differ from it or that it does not know
    ``changed``   how many there are in all
    ``digest``    SHA-256 over these files' names and contents, None where nothing differs

    Files that git ignores do not count; neither do compiled Python, ``.seatrial``, and the rows
    in ``data/``, which have fingerprints of their own. Submodules count by their commit alone. A
    repository that cannot be read gives ``{"trouble": sentence}`` and nothing else.
    """
    program = shutil.which("git")
    if program is None or not folder.is_dir():
        return {}
    git = _Git(program, folder)
    try:
        prefix = git.prefix()
        if prefix is None:
            return {}
        commit, changed = git.commit(), _code(git.changes(), prefix)
    except _Refused as refused:
        return {"trouble": _trouble(refused.said)}
    except subprocess.TimeoutExpired:
        return {"trouble": f"git did not answer within {TIMEOUT_S:g} s"}
    except OSError as error:
        return {"trouble": f"git cannot be started: {error.strerror}"}
    return {
        "revision": commit,
        "dirty": [_shown(path) for _, path in changed[:NAMED]],
        "changed": len(changed),
        "digest": _digest(folder, changed) if changed else None,
    }


def uncommitted(code: Mapping[str, object]) -> str:
    """What :func:`revision` found, in one sentence; empty when the commit says it all.

    >>> uncommitted({"revision": "0a1b", "dirty": ["fit.py", "new.py"], "changed": 3})
    'the code has uncommitted changes: fit.py, new.py and 1 more'
    """
    if "trouble" in code:
        return f"the code's revision is not known: {code['trouble']}"
    dirty = code.get("dirty")
    if not isinstance(dirty, list) or not dirty:
        return ""
    total = code.get("changed")
    more = total - len(dirty) if isinstance(total, int) else 0
    named = ", ".join(map(str, dirty)) + (f" and {more} more" if more > 0 else "")
    if code.get("revision") is None:
        return f"the code was never committed: {named}"
    return f"the code has uncommitted changes: {named}"


@dataclass(frozen=True, slots=True)
class _Git:
    """Questions about one folder."""

    program: str
    folder: Path

    def prefix(self) -> bytes | None:
        """Where the folder lies in its repository, with a slash at the end; None outside any."""
        try:
            inside, _, prefix = self._ask("rev-parse", "--is-inside-work-tree", "--show-prefix")[
                1
            ].partition(b"\n")
        except _Refused as refused:
            if "cannot use bare repository" in refused.said:
                return None
            if "not a git repository" in refused.said and not self._has_repository():
                return None
            raise
        if inside != b"true":
            return None
        # A folder that the repository around it ignores is none of its code.
        ignored = self._ask("check-ignore", "-q", ".", may_say_no=True)[0] == 0
        return None if ignored else prefix.rstrip(b"\n")

    def commit(self) -> str | None:
        """The id of the commit; None before the first."""
        code, said = self._ask("rev-parse", "-q", "--verify", "HEAD^{commit}", may_say_no=True)
        return None if code else said.decode().strip()

    def changes(self) -> list[tuple[bytes, bytes]]:
        """What differs from the commit or is new to it: two letters and the path from the top."""
        found = self._ask(
            *("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"),
            *("--ignore-submodules=dirty", "--", "."),
            settings=self._no_filters(),
        )[1]
        return sorted((line[:2], line[3:]) for line in found.split(b"\0") if line)

    def _no_filters(self) -> dict[str, str]:
        """Settings that silence the programs which would rewrite files before they are compared."""
        pattern = r"^filter\..*\.(clean|smudge|process|required)$"
        found = self._ask("config", "-z", "--name-only", "--get-regexp", pattern, may_say_no=True)[
            1
        ]
        names = sorted({os.fsdecode(name) for name in found.split(b"\0") if name})
        settings = {"GIT_CONFIG_COUNT": str(len(names))}
        for number, name in enumerate(names):
            off = "false" if name.endswith(".required") else ""
            settings |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": off}
        return settings

    def _has_repository(self) -> bool:
        where = self.folder.absolute()
        return any(os.path.lexists(each / ".git") for each in (where, *where.parents))

    def _ask(
        self,
        *words: str,
        may_say_no: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        fixed = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
        chosen = [part for setting in _SETTINGS for part in ("-c", setting)]
        done = subprocess.run(  # noqa: S603 - git, with words of our own
            [self.program, "--no-pager", *chosen, *words],
            cwd=self.folder,
            env={**kept, **fixed, "LC_ALL": "C", **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode and not (may_say_no and done.returncode == 1):
            raise _Refused(done.stderr.decode("utf-8", "replace"))
        return done.returncode, done.stdout


def _code(changes: Sequence[tuple[bytes, bytes]], prefix: bytes) -> list[tuple[bytes, bytes]]:
    """The changes that are code, with paths from the project folder."""
    found = [(letters, path.removeprefix(prefix)) for letters, path in changes]
    # An environment that nobody told git to ignore is described by its packages instead.
    marked = b"/pyvenv.cfg"
    apart = tuple(path.removesuffix(marked[1:]) for _, path in found if path.endswith(marked))
    return [
        (letters, path)
        for letters, path in found
        if not path.startswith(apart) and _is_code(PurePosixPath(os.fsdecode(path)))
    ]


def _is_code(path: PurePosixPath) -> bool:
    """Whether a file says how a model is made, and is not made by running something.

    >>> [_is_code(PurePosixPath(p)) for p in ("data/rows.csv", "data/load.py", "airports.csv")]
    [False, True, True]
    """
    if path.parts[0] == HOME or "__pycache__" in path.parts or path.suffix == ".pyc":
        return False
    return not (path.parts[0] == FOLDER and path.name.endswith(SUFFIXES))


def _digest(folder: Path, changed: Sequence[tuple[bytes, bytes]]) -> str:
    found, left = hashlib.sha256(), ALL_BYTES
    for letters, path in changed:
        known, read = _content(folder / os.fsdecode(path), min(left, FILE_BYTES))
        left -= read
        # Staged or not is one to us: what counts is what lies there.
        kind = b"new" if letters == b"??" else b"changed"
        found.update(b"\0".join((kind, path, known.encode(), b"")))
    return f"sha256:{found.hexdigest()}"


def _content(path: Path, most: int) -> tuple[str, int]:
    """What stands for a file's content, and how many bytes were read for it."""
    try:
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            return f"link {os.fsencode(path.readlink()).hex()}", 0
        if not stat.S_ISREG(about.st_mode):
            return "none", 0
        if about.st_size > most:
            return f"size {about.st_size} time {about.st_mtime_ns}", 0
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), about.st_size
    except FileNotFoundError:
        return "gone", 0
    except OSError as error:
        return f"unreadable {error.errno}", 0


def _shown(path: bytes) -> str:
    """A path on one line, whatever bytes are in it."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _trouble(said: str) -> str:
    """A sentence of ours: git's own message names folders of the machine."""
    if "dubious ownership" in said:
        return (
            "the repository belongs to another user, so git does not read it"
            " (`git config --global --add safe.directory FOLDER` allows it)"
        )
    if "not a git repository" in said:
        return "there is a .git, but git does not take it for a repository"
    return "git cannot read the repository (`git status` says why)"
