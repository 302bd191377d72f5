"""What is loaded when: help must come at once."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"duckdb", "pyarrow", "pandas", "polars", "numpy", "httpx2", "altair", "vl_convert"}
LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {LOADED}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["report", "--help"], ["demo", "--help"], ["--version"]]
)
def test_help_loads_no_database_arrow_http_or_plotting(arguments):
    code = f"from halfhour.cli import app; app.app({arguments!r}, result_action='return_value')"

    assert HEAVY & loaded_by(code) == set()


def test_halfhour_itself_loads_nothing_until_it_is_asked():
    assert HEAVY & loaded_by("import halfhour") == set()


PACKAGE = Path(__file__).parents[2] / "src/halfhour"
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
