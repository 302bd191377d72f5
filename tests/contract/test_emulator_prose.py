"""Plain English in the emulator's docstrings, as far as a machine can tell."""

import ast
import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src" / "genesys_emulator"
RIDDLES = re.compile(
    r"(What|Those|These|They|Who|Whom|Whose|Whether|Where|Of|As|So|That|It|Instead|Nobody|Nothing"
    r"|Nor)\b"
)


def test_docstrings_of_the_emulator_begin_with_a_verb_or_name_the_thing():
    texts = [
        (path.name, node.value.value)
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str)
    ]

    assert len(texts) > 300
    assert [text for text in texts if RIDDLES.match(text[1])] == []
