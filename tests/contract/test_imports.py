"""Test that a command imports only the libraries it uses, and that help comes at once."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS = sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"])
HEAVY = {
    *(re.split(r"[^\w-]", text)[0].replace("-", "_") for text in REQUIREMENTS),
    *"numpy pyarrow.compute pyarrow.dataset pyarrow.parquet rich.console rich.progress".split(),
    *"asyncio multiprocessing sqlite3 ssl tomllib unittest xml".split(),
} - {"halfhour"}
"""All that the project depends on, and parts of it and of Python that take long to import."""

DAY = "--from 2026-03-01 --to 2026-03-02"
STORE = "--store figures.duckdb"
HELP = "cyclopts rich rich.console"
HTTP = "asyncio httpx2 msgspec ssl stamina truststore"
TABLES = "cyclopts duckdb pyarrow pyarrow.compute"
DETAILS = "asyncio filelock msgspec pyarrow.dataset ssl"
LIBRARIES_BY_COMMAND = {
    "--help": HELP,
    "--version": HELP,
    "demo --help": HELP,
    "report --help": HELP,
    f"report {DAY} --dry-run": "cyclopts msgspec",
    f"report {DAY} --format csv": f"{TABLES} {HTTP}",
    f"report {DAY} {STORE} --offline": f"{TABLES} rich",
    f"coverage {STORE} --output days.xlsx": f"{TABLES} rich xlsxwriter",
    f"revisions {STORE}": f"{TABLES} rich",
    f"queues {STORE}": f"{TABLES} rich",
    f"reconcile {STORE}": f"{TABLES} rich",
    f"rebuild {STORE}": f"{TABLES} {DETAILS}",
    f"check {STORE}": f"{TABLES} {HTTP} filelock pyarrow.dataset rich rich.console",
    "check --help": HELP,
    "serve --help": HELP,
    "settings --json": "cyclopts",
    "init --help": HELP,
    "load --help": HELP,
    f"load delta:lake {STORE}": f"{TABLES} deltalake",
    f"sync {DAY} {STORE} --dry-run": "cyclopts duckdb msgspec pyarrow",
    f"import {DAY} details.json": f"{TABLES} {DETAILS}",
    f"worked {DAY} details.json --output worked": f"{TABLES} {DETAILS} pyarrow.parquet",
}
"""The heavy libraries that each command may import."""
PROGRAM = """
import sys
from halfhour.cli.app import main
try:
    main()
finally:
    print(*sys.modules)
"""


def loaded_by(program: str, *words: str, folder: Path, **environment: str) -> set[str]:
    """Return the heavy libraries that a new process has loaded when *program* ends."""
    inherited = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=folder, capture_output=True, encoding="utf-8",
        env={**inherited, "HOME": str(folder), **environment}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return HEAVY & set(done.stdout.splitlines()[-1].split())


@pytest.fixture(scope="module")
def libraries_of_sync(shared_cloud, folder):
    """Return what a sync loads that fills the store in *folder*."""
    shared_cloud.reset()
    words = f"sync {DAY} {STORE}".split()
    return loaded_by(PROGRAM, *words, folder=folder, **shared_cloud.environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    (folder / "details.json").write_text('{"conversations": []}', encoding="utf-8")
    return folder


def test_a_sync_loads_only_what_it_uses(libraries_of_sync):
    expected = f"{TABLES} {HTTP} filelock pyarrow.dataset"

    assert libraries_of_sync == set(expected.split())


@pytest.mark.usefixtures("libraries_of_sync")
@pytest.mark.parametrize(("command", "libraries"), LIBRARIES_BY_COMMAND.items())
def test_a_command_loads_only_what_it_uses(command, libraries, shared_cloud, folder):
    loaded = loaded_by(PROGRAM, *command.split(), folder=folder, **shared_cloud.environment)

    assert loaded == set(libraries.split())


def test_halfhour_itself_loads_nothing_until_it_is_asked(tmp_path):
    assert loaded_by("import halfhour, sys; print(*sys.modules)", folder=tmp_path) == set()


def test_the_python_functions_hide_no_library(tmp_path):
    """pyarrow imports numpy, without which `to_pandas` fails, unless somebody hides it."""
    program = "import halfhour, sys; halfhour.report; print(*sys.modules)"

    loaded = loaded_by(program, folder=tmp_path)
    assert "numpy" in loaded
    assert "dlt" not in loaded


PACKAGE = ROOT / "src/halfhour"
SQL_STATEMENT = re.compile(
    r"\s*(select\b.+\bfrom|with\s+\w+\s+as|insert\s+into|delete\s+from|update\s+\w+\s+set)\b",
    re.IGNORECASE | re.DOTALL,
)
WITHOUT_SQL = ("cli", "web", "service.py", "api.py")


def modules_under(*rooms: str) -> list[Path]:
    paths = [PACKAGE / room for room in rooms]
    return [
        module
        for path in paths
        for module in (sorted(path.rglob("*.py")) if path.is_dir() else [path])
    ]


def docstrings_of(tree: ast.Module) -> set[ast.expr]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


@pytest.mark.parametrize(
    "module", modules_under(*WITHOUT_SQL), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_front_ends_contain_no_sql(module):
    """Check that front ends ask methods of Store or functions of reports, not tables."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node not in docstrings_of(tree)
    ]

    assert [text for text in texts if SQL_STATEMENT.match(text)] == []


def test_only_the_store_runs_sql_of_its_own_on_a_store():
    """`Store._query` takes any SQL, so no other room may call it."""
    callers = {
        module.relative_to(PACKAGE).parts[0]
        for module in PACKAGE.rglob("*.py")
        if "._query(" in module.read_text(encoding="utf-8")
    }

    assert callers == {"store"}
