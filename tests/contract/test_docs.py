"""What the docs promise."""

import ast
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genesys_emulator.simulation.truth import TABLES
from genesys_emulator.state.faults import KINDS
from genesys_emulator.wire import endpoints
from halfhour.checking.permissions import PERMISSIONS, role_definition
from halfhour.cli.app import app
from halfhour.model.intervals import Interval
from halfhour.model.measures import AGENT_MEASURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, By
from halfhour.reports.questions import build_report
from tests.docs.blocks import PAGES, blocks_of
from tests.report_data import report_data

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def undocumented_names(path: Path) -> list[str]:
    """The module if it has no docstring, and the public names of halfhour without one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = str(path.relative_to(ROOT / "src"))
    missing = [] if ast.get_docstring(tree) else [name]
    # A struct of a few plain fields is named after the object that it reads.
    if "genesys_emulator" in path.parts or path.name == "payloads.py":
        return missing
    return missing + [
        f"{name}: {node.name}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]


def test_every_module_and_every_public_name_of_halfhour_has_a_docstring():
    assert len(SOURCES) > 100
    assert [name for path in SOURCES for name in undocumented_names(path)] == []


def test_every_measure_has_a_source():
    assert all(measure.source for measure in AGENT_MEASURES)


def test_the_readmes_commands_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile
    assert {"demo", "test"} <= set(re.findall(r"^make (\w+)", README, re.MULTILINE))


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("basis", Basis)
def test_a_report_exists_for_every_grouping_and_basis(by, basis):
    day = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))

    assert build_report(Question(day, UTC, by, basis), report_data()).num_rows == 0


MADE_WITH_THE_SITE = ("changes.md", "command-line.md")
"""Pages that `make docs` makes; tests/docs/test_site.py follows their links, too."""


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")))
def test_every_link_to_a_file_in_the_docs_leads_to_a_file(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists() or target in MADE_WITH_THE_SITE, target


def test_every_room_is_on_the_map():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    for package in ("halfhour", "genesys_emulator"):
        _, _, rooms = page.partition(f"src/{package}/")
        for path in (ROOT / "src" / package).glob("*/__init__.py"):
            assert f"  {path.parent.name}/ " in rooms, path


def test_every_room_of_halfhour_is_in_the_picture():
    picture = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    rooms = [path.parent.name for path in (ROOT / "src/halfhour").glob("*/__init__.py")]

    assert [room for room in rooms if f">{room}/<" not in picture] == []


def test_every_endpoint_permission_fault_and_table_of_the_emulator_is_in_its_docs():
    names = {*endpoints.NAMES, *endpoints.PERMISSIONS, *KINDS, *TABLES} - {"any"}
    page = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")

    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_the_role_to_paste_is_the_one_that_a_check_gives():
    page = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)

    assert json.loads(body) == role_definition()
    assert all(f"| `{permission.name}` |" in page for permission in PERMISSIONS)


COMMANDS = [
    (page.name, words)
    for page in PAGES
    for block in blocks_of(page)
    if block.language in ("sh", "ini")
    for words in re.findall(
        r"^(?:ExecStart=.*/)?halfhour ((?!emulator|-)[^#|<>…\n]+?) *(?:$|#|\||<|\d?>)",
        block.text,
        re.MULTILINE,
    )
]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda entry: entry.strip())
def test_every_command_in_the_docs_can_be_parsed(page, words):
    assert len(COMMANDS) > 50
    command, *_ = app.parse_args(shlex.split(words), exit_on_error=False, print_error=False)
    assert command.__module__ == "halfhour.cli.app"
