"""Plain English and names that stand on their own, as far as a machine can tell."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src"
PACKAGES = ("halfhour", "genesys_emulator")
RIDDLES = re.compile(
    r"(What|Those|These|This|They|Them|Who|Whom|Whose|Which|Whether|Where|When|How|If|Of|As|So|That"
    r"|It|Its|For|In|To|By|From|With|On|At|Instead|Nobody|Nothing|Nor|Not)\b"
)
VAGUE = {"each", "found", "known", "those", "told", "said"}


def trees(package: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def docstrings(package: str) -> list[tuple[str, str]]:
    """Every text that stands alone as a statement: of modules, classes, functions and constants."""
    return [
        (path, node.value.value)
        for path, tree in trees(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_begin_with_a_verb_or_name_the_thing(package):
    texts = docstrings(package)

    assert len(texts) > 300
    assert [text for text in texts if RIDDLES.match(text[1])] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_variables_are_named_after_the_thing(package):
    names = [
        (path, node.lineno, name)
        for path, tree in trees(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.arg)
        if (name := node.arg if isinstance(node, ast.arg) else node.id) in VAGUE
    ]

    assert names == []


@pytest.mark.parametrize("package", PACKAGES)
def test_few_functions_have_a_name_of_one_word(package):
    names = [
        node.name.strip("_")
        for _, tree in trees(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("__")
    ]

    assert sum("_" not in name for name in names) < 0.3 * len(names)


def test_no_module_outside_the_command_line_spells_an_option():
    """Errors and messages mark a parameter, as in ⟨top⟩; each front end spells it."""
    spelled = [
        f"{path}:{node.lineno} {node.value}"
        for path, tree in trees("halfhour")
        if not path.startswith("halfhour/cli/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(r"(?<![\w-])--[a-z]", node.value)
    ]

    assert spelled == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_root_folder_is_a_directory_listing(package):
    assert len(list((ROOT / package).glob("*.py"))) <= 10
