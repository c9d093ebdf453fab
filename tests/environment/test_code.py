"""The git revision of a project folder: real repositories, sound and broken."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.environment import code
from seatrial.environment.code import revision, uncommitted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Git as in an account without settings of its own."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def ask(folder: Path, *words: str) -> str:
        settings = ["user.name=somebody", "user.email=somebody@example.org"]
        settings += ["init.defaultBranch=main", "protocol.file.allow=always"]
        chosen = [part for setting in settings for part in ("-c", setting)]
        done = subprocess.run(
            ["git", *chosen, *words], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return ask


@pytest.fixture
def project(tmp_path: Path, git: Git) -> Path:
    """A repository whose one commit holds two files."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    write(folder / "fit.py", "x = 1\n")
    write(folder / "data" / "rows.csv", "a\n1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def found(folder: Path) -> dict[str, Any]:
    return revision(folder)


def test_a_clean_tree_is_its_commit(project: Path, git: Git) -> None:
    assert found(project) == {
        "revision": git(project, "rev-parse", "HEAD"),
        "dirty": [],
        "changed": 0,
        "digest": None,
    }
    assert uncommitted(found(project)) == ""


def test_changed_staged_deleted_and_new_files_are_dirty(project: Path, git: Git) -> None:
    for name in ("gone.py", "staged.py"):
        write(project / name, "old\n")
    git(project, "add", ".")
    git(project, "commit", "-qm", "second")
    (project / "gone.py").unlink()
    write(project / "staged.py", "new\n")
    git(project, "add", "staged.py")
    write(project / "fit.py", "x = 2\n")
    write(project / "package" / "new.py", "")
    said = found(project)
    assert sorted(said["dirty"]) == ["fit.py", "gone.py", "package/new.py", "staged.py"]
    assert said["changed"] == 4
    assert said["revision"] == git(project, "rev-parse", "HEAD")


def test_a_touched_file_is_not_dirty(project: Path) -> None:
    os.utime(project / "fit.py", (1, 1))
    assert found(project)["dirty"] == []


def test_the_digest_is_of_the_contents_and_of_nothing_else(project: Path, git: Git) -> None:
    write(project / "fit.py", "x = 2\n")
    first = found(project)["digest"]
    os.utime(project / "fit.py", (1, 1))
    git(project, "add", "fit.py")
    assert found(project)["digest"] == first
    write(project / "fit.py", "x = 3\n")
    assert found(project)["digest"] != first
    write(project / "fit.py", "x = 2\n")
    assert found(project)["digest"] == first
    write(project / "other.py", "")
    assert found(project)["digest"] != first


def test_no_line_of_the_difference_is_kept(project: Path) -> None:
    write(project / ".env", "PASSWORD=hunter2\n")
    assert "hunter2" not in str(found(project))
    assert found(project)["dirty"] == [".env"]


@pytest.mark.parametrize(
    "name",
    [
        ".seatrial/ledger.db",
        "data/rows.csv",
        "data/more/rows.parquet",
        "__pycache__/fit.cpython-311.pyc",
        "package/__pycache__/fit.cpython-311.pyc",
        "environment/bin/tool.py",
        "ignored.txt",
    ],
)
def test_what_is_no_code_is_not_dirty(name: str, project: Path, git: Git) -> None:
    write(project / ".gitignore", "ignored.txt\n")
    git(project, "add", ".gitignore")
    git(project, "commit", "-qm", "ignores")
    write(project / name, "something else\n")
    if name.startswith("environment"):
        write(project / "environment" / "pyvenv.cfg", "home = /usr/bin\n")
    assert found(project)["dirty"] == []


@pytest.mark.parametrize("name", ["data/load.py", "airports.csv", "settings.json"])
def test_code_in_the_data_folder_and_tables_elsewhere_are_code(name: str, project: Path) -> None:
    write(project / name, "")
    assert found(project)["dirty"] == [name]


def test_only_the_project_folder_counts(project: Path) -> None:
    inner = project / "models" / "late"
    write(inner / "fit.py", "")
    write(project / "outside.py", "")
    assert found(inner)["dirty"] == ["fit.py"]


def test_a_folder_that_its_repository_ignores_is_none_of_its_code(project: Path) -> None:
    write(project / ".gitignore", "scratch/\n")
    write(project / "scratch" / "fit.py", "")
    assert found(project / "scratch") == {}


def test_many_files_are_counted_and_few_are_named(project: Path) -> None:
    for number in range(30):
        write(project / f"new_{number:02}.py", "")
    said = found(project)
    assert (len(said["dirty"]), said["changed"]) == (20, 30)
    assert uncommitted(said).endswith("new_19.py and 10 more")


def test_a_great_file_counts_by_size_and_time(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "FILE_BYTES", 4)
    write(project / "weights.bin", "12345")
    os.utime(project / "weights.bin", (1, 1))
    first = found(project)["digest"]
    write(project / "weights.bin", "54321")
    os.utime(project / "weights.bin", (1, 1))
    assert found(project)["digest"] == first
    os.utime(project / "weights.bin", (2, 2))
    assert found(project)["digest"] != first


def test_a_link_counts_by_where_it_leads_and_is_not_followed(project: Path) -> None:
    (project / "link").symlink_to("/dev/zero")
    first = found(project)["digest"]
    (project / "link").unlink()
    (project / "link").symlink_to("/dev/null")
    assert found(project)["digest"] != first


def test_names_that_break_lines_are_written_out(project: Path) -> None:
    write(project / "two\nlines.py", "")
    write(project / "über.py", "")
    (project / os.fsdecode(b"caf\xe9.py")).touch()
    assert found(project)["dirty"] == ["caf\\xe9.py", "two\\nlines.py", "über.py"]


def test_before_the_first_commit_there_is_no_revision(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "new")
    write(tmp_path / "new" / "fit.py", "")
    said = found(tmp_path / "new")
    assert said["revision"] is None
    assert uncommitted(said) == "the code was never committed: fit.py"


def test_a_submodule_counts_by_its_commit_and_is_not_entered(
    project: Path, tmp_path: Path, git: Git
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other)
    git(project, "submodule", "add", "-q", str(other), "library")
    git(project, "commit", "-qam", "library")
    write(project / "library" / "fit.py", "x = 5\n")
    assert found(project)["dirty"] == []
    git(project / "library", "commit", "-qam", "moved")
    assert found(project)["dirty"] == ["library"]


def test_without_a_repository_nothing_is_known(tmp_path: Path, git: Git) -> None:
    del git
    assert found(tmp_path) == {}
    assert found(tmp_path / "gone") == {}


def test_without_git_nothing_is_known(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert found(project) == {}


def test_a_bare_repository_holds_no_code(project: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(project), "bare.git")
    assert found(tmp_path / "bare.git") == {}
    shutil.copytree(tmp_path / "bare.git", project / "delivered")
    assert found(project / "delivered") == {}


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (".git/HEAD", "nonsense", "git does not take it for a repository"),
        (".git/config", "[bad", "git cannot read the repository"),
        (".git/index", "nonsense", "git cannot read the repository"),
    ],
)
def test_a_broken_repository_is_told(file: str, content: str, told: str, project: Path) -> None:
    write(project / file, content)
    said = found(project)
    assert [*said] == ["trouble"]
    assert told in said["trouble"]
    assert str(project) not in said["trouble"]
    assert uncommitted(said).startswith("the code's revision is not known: ")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_told(project: Path) -> None:
    os.chown(project, 12345, 12345)
    os.chown(project / ".git", 12345, 12345)
    assert "safe.directory" in found(project)["trouble"]


def test_settings_of_the_repository_start_no_program(
    project: Path, tmp_path: Path, git: Git
) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "filter.mine.clean", "filter.mine.process", "core.pager"):
        git(project, "config", name, str(program))
    git(project, "config", "filter.mine.required", "true")
    write(project / ".gitattributes", "*.py filter=mine\n")
    write(project / "fit.py", "x = 9\n")
    hooks = project / ".git" / "hooks"
    for name in ("fsmonitor-watchman", "post-index-change"):
        shutil.copy(program, hooks / name)
    assert sorted(found(project)["dirty"]) == [".gitattributes", "fit.py"]
    assert not ran.exists()


def test_variables_of_git_do_not_lead_elsewhere(
    project: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = git(project, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert found(project)["revision"] == wanted


def test_the_repository_is_not_written_to(project: Path) -> None:
    os.utime(project / "fit.py", (1, 1))
    before = (project / ".git" / "index").read_bytes()
    found(project)
    assert (project / ".git" / "index").read_bytes() == before


def test_a_git_that_does_not_answer_is_given_up(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    write(tools / "git", "#!/bin/sh\nexec sleep 60\n")
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(code, "TIMEOUT_S", 0.2)
    assert found(project) == {"trouble": "git did not answer within 0.2 s"}
