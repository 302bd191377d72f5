"""What is loaded when: help must come at once."""

import subprocess
import sys

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


def test_a_report_imports_no_pandas_even_where_it_is_installed():
    code = (
        "from array import array\n"
        "from halfhour import api\n"
        "from halfhour.cli import report\n"
        "from halfhour.ingest import aggregates\n"
        "from halfhour.genesys import payloads\n"
        "from halfhour.model import arrow_columns\n"
        "aggregates.names_table([payloads.DirectoryEntity('1', 'Ada')])"
    )

    assert "pandas" not in loaded_by(code)


def test_halfhour_itself_loads_nothing_until_it_is_asked():
    assert HEAVY & loaded_by("import halfhour") == set()
