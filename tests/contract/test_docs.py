"""What the docs promise."""

import ast
import re
import shlex
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genesys_emulator.simulation.truth import TABLES
from genesys_emulator.state.faults import KINDS
from genesys_emulator.wire import endpoints
from halfhour import settings
from halfhour.cli import app
from halfhour.found import Found
from halfhour.intervals import Interval
from halfhour.measures import AGENT_MEASURES
from halfhour.plan import Question
from halfhour.reports import report
from halfhour.vocabulary import Basis, By

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_every_module_says_what_it_is_and_in_halfhour_every_public_name(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    if "genesys_emulator" in path.parts:
        return
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    ]
    undocumented = [node.name for node in public if not ast.get_docstring(node)]

    # A struct of a few plain fields is named after the object it reads.
    assert [name for name in undocumented if path.name != "wire.py"] == []


def test_every_setting_and_name_of_the_environment_is_in_the_readme():
    for known in settings.KNOWN.values():
        for name in (known.name, *known.environment):
            assert f"`{name}`" in README


def test_every_measure_has_a_source():
    assert all(measure.source for measure in AGENT_MEASURES)


def test_the_readmes_commands_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile
    assert {"demo", "test"} <= set(re.findall(r"^make (\w+)", README, re.MULTILINE))


def test_the_version_is_the_packages():
    import halfhour

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == halfhour.__version__


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("basis", Basis)
def test_reports_exist_for_all_that_a_row_may_stand_for(by, basis):
    day = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))

    assert report(Question(day, UTC, by, basis), Found()).num_rows == 0


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")))
def test_every_link_to_a_file_leads_to_one(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_module_is_on_the_map():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    for path in SOURCES:
        if "genesys_emulator" in path.parts:
            continue
        if not path.name.startswith("_") and path.parent.name != "render":
            assert path.name in page, path.name


def test_every_room_of_the_emulator_is_on_the_map():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, emulator = page.partition("src/genesys_emulator/")
    rooms = (ROOT / "src" / "genesys_emulator").glob("*/__init__.py")

    assert [path.parent.name for path in rooms if f"  {path.parent.name}/ " not in emulator] == []


@pytest.mark.parametrize(
    "name", sorted({*endpoints.NAMES, *endpoints.PERMISSIONS, *KINDS, *TABLES} - {"any"})
)
def test_whatever_the_emulator_goes_by_is_in_its_docs(name):
    assert f"`{name}`" in (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")


COMMANDS = [
    (path.name, words)
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for line in path.read_text(encoding="utf-8").splitlines()
    for words in re.findall(
        r"^(?:\.venv/bin/|ExecStart=.*/)?halfhour ((?!emulator)[^#|<>`…]+)", line
    )
]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda each: each.strip())
def test_every_command_in_the_docs_is_one(page, words):
    command, *_ = app.parse_args(shlex.split(words), exit_on_error=False, print_error=False)
    assert command.__module__ == "halfhour.cli"
