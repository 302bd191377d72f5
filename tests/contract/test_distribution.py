"""The files that are published: built, checked, installed outside the clone, and run."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import halfhour
from halfhour.cli.app import app

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def run(*words: str | Path, folder: Path) -> str:
    """Return what a program prints that knows nothing of the clone; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if "PYTHON" not in name}
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, capture_output=True, encoding="utf-8",
        env={**environment, "HOME": str(folder)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT, folder=folder)
    return sorted((folder / "dist").glob("halfhour-*"))


def find_python(version: str) -> str | None:
    """Return a Python of the *version*, of the PATH, or of pyenv or uv."""
    folders = [
        *Path.home().glob(f".pyenv/versions/{version}.*/bin"),
        *Path.home().glob(f".local/share/uv/python/cpython-{version}.*/bin"),
    ]
    path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
    return shutil.which(f"python{version}", path=path)


@pytest.mark.soak
def test_the_files_are_what_an_index_takes_and_hold_what_they_should(files, tmp_path):
    wheel, source = sorted(files, key=lambda file: file.suffix, reverse=True)
    assert wheel.name == f"halfhour-{halfhour.__version__}-py3-none-any.whl"
    assert source.name == f"halfhour-{halfhour.__version__}.tar.gz"

    assert run(sys.executable, "-m", "twine", "check", "--strict", *files, folder=tmp_path).count(
        "PASSED"
    ) == len(files)

    names = set(zipfile.ZipFile(wheel).namelist())
    package = [path for path in (ROOT / "src").rglob("*") if path.is_file()]
    expected = {
        path.relative_to(ROOT / "src").as_posix()
        for path in package
        if "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == expected
    with tarfile.open(source) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "CHANGELOG.md", "LICENSE", "docs/metrics.md"} <= inside
    assert not [name for name in inside if name.startswith((".venv", ".git/"))]


@pytest.fixture(params=PYTHONS)
def installed(request: pytest.FixtureRequest, files: list[Path], tmp_path: Path) -> Iterator[Path]:
    """The folder of programs of a fresh environment, of each Python, with the wheel."""
    python = find_python(request.param)
    if not python:
        pytest.skip(f"there is no Python {request.param}")
    run(python, "-m", "venv", tmp_path / "environment", folder=tmp_path)
    programs = tmp_path / "environment/bin"
    (wheel,) = (file for file in files if file.suffix == ".whl")
    run(programs / "python", "-m", "pip", "install", "--quiet", wheel, folder=tmp_path)
    yield programs
    shutil.rmtree(tmp_path / "environment")


@pytest.mark.soak
def test_what_is_installed_runs(installed, tmp_path):
    assert run(installed / "halfhour", "--version", folder=tmp_path).strip() == halfhour.__version__
    program = "import halfhour, halfhour.web.server; print(halfhour.__version__, halfhour.__file__)"
    version, file = run(installed / "python", "-c", program, folder=tmp_path).split()
    assert version == halfhour.__version__
    assert Path(file).is_relative_to(installed.parent)
    assert "handle_time" in run(installed / "halfhour", "demo", folder=tmp_path)


def instructions(kind: str) -> list[str]:
    """Return the arguments of each instruction of a *kind* in the Dockerfile."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [line.partition(" ")[2] for line in lines if line.split(" ")[0] == kind]


@pytest.mark.soak
def test_the_steps_of_the_dockerfile_give_the_command(tmp_path):
    """Run by hand what the image runs, but for the user and the folders of the container."""
    image = tmp_path / "image"
    for sources, target in (text.rsplit(" ", 1) for text in instructions("COPY")):
        for name in sources.split():
            assert f"!{name}" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
            place = image / target.strip("/") / (name if target.endswith("/") else "")
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place)
            else:
                shutil.copy(ROOT / name, place)
    run(sys.executable, "-m", "venv", tmp_path / "environment", folder=tmp_path)
    programs = tmp_path / "environment/bin"
    install, _ = instructions("RUN")
    defaults = " ".join(instructions("ARG"))
    assert install.startswith("pip ")
    install = install.replace('"/src', f'"{image}/src')
    run("sh", "-c", f"{defaults}; {programs}/{install}", folder=tmp_path)

    (entry,) = json.loads(instructions("ENTRYPOINT")[0])
    assert run(programs / entry, "--version", folder=tmp_path).strip() == halfhour.__version__
    run(programs / entry, "serve", "--help", folder=tmp_path)
    shutil.rmtree(tmp_path / "environment")


def test_the_command_of_the_image_can_be_parsed():
    command, *_ = app.parse_args(
        json.loads(instructions("CMD")[0]), exit_on_error=False, print_error=False
    )
    assert command.__name__ == "sync"


def test_the_extra_all_is_every_extra_for_users():
    (everything,) = EXTRAS["all"]
    named = everything.removeprefix("halfhour[").removesuffix("]").split(",")

    assert sorted(named) == sorted(EXTRAS.keys() - {"all", "dev", "docs", "bench"})
