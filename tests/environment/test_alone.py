"""A bare machine with two packages proves a bundle: a real virtual environment without others."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bundles import SOURCE, Said, change, flights_late

pytestmark = pytest.mark.slow

PACKAGES = ("numpy", "onnxruntime")


class Machine:
    """An interpreter with numpy and onnxruntime, copied so that a test may spoil them."""

    def __init__(self, folder: Path) -> None:
        words = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
        subprocess.run(words, check=True)
        self.python = folder / "bin" / "python"
        asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.packages = Path(self.run("-c", asked).out.strip())
        for name in PACKAGES:
            self.install(name)

    def install(self, name: str) -> None:
        """Copy what is installed here; of its great libraries a link does."""
        files = importlib.metadata.distribution(name).files or []
        for file in files:
            if ".." in file.parts or file.suffix == ".pyc":
                continue
            to = self.packages / file
            to.parent.mkdir(parents=True, exist_ok=True)
            source = Path(str(file.locate())).resolve()
            to.symlink_to(source) if file.suffix == ".so" else shutil.copy(source, to)

    def run(self, *words: str | Path, folder: Path | None = None, path: Path | None = None) -> Said:
        """Run its Python, with no variable of this machine."""
        ended = subprocess.run(
            [self.python, *map(str, words)],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", **({"PYTHONPATH": str(path)} if path else {})},
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(ended.returncode, ended.stdout, ended.stderr)

    def verify(self, bundle: Path, *words: str) -> Said:
        """Prove a bundle by its own code, from inside its folder."""
        return self.run("-m", "seatrial.environment", "verify", ".", *words, folder=bundle)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("alone") / "venv")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return flights_late().write(tmp_path / "bundle").place


def test_nothing_but_two_packages_is_there(machine: Machine) -> None:
    asked = "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))"
    assert machine.run("-c", asked).out.strip() == str(list(PACKAGES))
    assert machine.run("-c", "import seatrial").code == 1


def test_every_module_of_the_environment_imports_there(machine: Machine) -> None:
    names = sorted(
        f"seatrial.environment.{file.stem}".removesuffix(".__init__")
        for file in (SOURCE / "seatrial" / "environment").glob("*.py")
    )
    for name in names:
        said = machine.run("-c", f"import {name}", path=SOURCE)
        assert (said.code, said.err) == (0, ""), name


def test_a_bundle_is_proven_from_inside_its_folder(machine: Machine, bundle: Path) -> None:
    said = machine.verify(bundle)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("yes: flights_late version 3 answers its ")
    told = machine.verify(bundle, "--json", "--plain")  # and again: Python compiled its code
    assert told.code == 0
    assert told.json["environment"]["verified"] == list(PACKAGES)
    assert set(told.json["environment"]["dependencies"]) == set(PACKAGES)
    used = machine.run("-c", "import seatrial; print(seatrial.__file__)", folder=bundle)
    assert Path(used.out.strip()).is_relative_to(bundle)


def test_its_other_commands_work_there(machine: Machine, bundle: Path) -> None:
    environment = ("-m", "seatrial.environment")
    assert machine.run(*environment, "capture", "-o", "../here.json", folder=bundle).code == 0
    here = bundle.parent / "here.json"
    assert json.loads(here.read_text())["onnxruntime"]["providers"]
    assert machine.run(*environment, "compare", here, here, folder=bundle).code == 0


def test_what_a_bundle_carries_is_all_that_answers_there(machine: Machine, bundle: Path) -> None:
    program = (
        "import sys; from seatrial.environment.proof.asked import Question; import json, pathlib\n"
        "from seatrial.environment.proof import child\n"
        "listed = json.loads(pathlib.Path('bundle.json').read_text())\n"
        "asked = Question(folder='.', digest=listed['digest'], packages=(), plain=False,"
        " rows_at_once=None)\n"
        "child._proof(asked)\n"
        "standard = sys.stdlib_module_names | {'__main__', 'seatrial', 'numpy', 'onnxruntime'}\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules} - standard))"
    )
    said = machine.run("-c", program, folder=bundle)
    assert (said.out.strip(), said.code) == ("[]", 0), said.err


def test_other_golden_answers_are_a_no(machine: Machine, bundle: Path) -> None:
    rows = json.loads((bundle / "golden.json").read_text())
    (bundle / "golden.json").write_text(json.dumps(rows))
    assert machine.verify(bundle).code == 5  # the very same answers, but not the same file
    version = flights_late()
    rows["probabilities"][0] = [0.5, 0.5]
    version.files["golden.json"] = json.dumps(rows).encode()
    said = machine.verify(version.write(bundle.parent / "other").place)
    assert said.code == 1
    assert said.out.startswith("no: flights_late version 3 answers its golden rows otherwise here")


def test_one_bit_of_the_model_is_seen(machine: Machine, bundle: Path) -> None:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(content)
    said = machine.verify(bundle)
    assert (said.code, said.out) == (5, "")
    assert "is not what it was when the bundle was made\n  where: model.onnx" in said.err
    change(bundle, "model.onnx", bytes(content))
    said = machine.verify(bundle)
    assert (said.code, "model.onnx in the bundle is not that" in said.err) == (5, True)


def test_another_manifest_is_another_version(machine: Machine, bundle: Path) -> None:
    known = json.loads((bundle / "bundle.json").read_text())["digest"]
    assert machine.verify(bundle, "--digest", known).code == 0
    assert machine.verify(bundle, "--digest", known[:-1] + "x").code == 2
    assert machine.verify(bundle, "--digest", f"sha256:{'0' * 64}").code == 5
    manifest = json.loads((bundle / "manifest.json").read_text())
    change(bundle, "manifest.json", json.dumps({**manifest, "environment": {}}).encode())
    assert machine.verify(bundle).code == 5


@pytest.mark.parametrize("gone", PACKAGES)
def test_a_package_that_is_missing_is_named_with_what_to_install(
    tmp_path: Path, bundle: Path, gone: str
) -> None:
    machine = Machine(tmp_path / "venv")
    for folder in machine.packages.glob(f"{gone}*"):
        shutil.rmtree(folder)
    said = machine.verify(bundle)
    assert (said.code, said.err) == (1, "")
    assert f"error dependencies.{gone}: " in said.out
    assert f"pip install {gone}==" in said.out
    assert f"{gone} is not installed for this Python" in said.out


def test_an_altered_file_of_a_package_forbids_to_serve(tmp_path: Path, bundle: Path) -> None:
    machine = Machine(tmp_path / "venv")
    with (machine.packages / "onnxruntime" / "__init__.py").open("a") as file:
        file.write("# altered\n")
    said = machine.verify(bundle)
    assert (said.code, said.err) == (1, "")
    assert said.out.startswith("no: flights_late version 3 must not answer here: ")
    assert "onnxruntime/__init__.py" in said.out


def test_another_release_of_a_package_is_told(machine: Machine, tmp_path: Path) -> None:
    version = flights_late()
    trained = json.loads(json.dumps(version.manifest["environment"]))
    trained["dependencies"]["onnxruntime"] = trained["onnxruntime"]["version"] = "1.22.0"
    version.manifest["environment"] = trained
    said = machine.verify(version.write(tmp_path / "bundle").place)
    assert said.code == 0  # its golden rows are answered equally, so that much is forgiven
    assert "warn dependencies.onnxruntime: 1.22.0 -> " in said.out
