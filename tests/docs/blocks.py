"""The code blocks of a page, and the script that runs them in their order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = {
    r"…": "a placeholder",
    r"pip install|python3 -m venv": "installing is tried by the tests of the packages",
    r"halfhour (serve|emulator|init)\b|--watch": "runs until it is ended, or asks; has tests",
    r"halfhour password": "asks for a password; has tests",
    r"docker": "needs a daemon; the test of the Dockerfile does its steps",
    r"--engine spark|spark-submit|venv-pack": "needs Java or a cluster; tests/spark has tests",
    r"proxy\.pem|trusted\.pem": "needs the certificate of a proxy; tests/genesys makes one",
    r"db\.example\.com|@db/|iceberg:lake": "needs a server or a catalogue; has tests",
    r"chmod a\+r|bigquery|snowflake": "belongs to a line that is not run",
    r"^make |HALFHOUR_WRITE_GOLDEN|^git ": "works on a checkout; CI does it",
    r"^export (PATH|GENESYS)": "where it was installed, and whose organisation it is",
}
"""Lines of a shell that are only parsed, and the reason."""


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8").replace(".venv/bin/", "")
    return [Block(*found) for found in BLOCK.findall(text)]


def is_run(command: str) -> bool:
    return not any(re.search(pattern, command) for pattern in NOT_RUN)


def shell_commands(text: str) -> Iterator[str]:
    """The commands of a block: lines, joined where they go on."""
    command = ""
    for line in text.splitlines():
        command += line + "\n"
        if command.count("'") % 2 or line.endswith(("\\", "|")):
            continue
        yield command
        command = ""
    assert not command


def shifted(text: str) -> str:
    """*text* with its dates of 2026 moved by weeks, so that 2 March is some six weeks ago."""
    weeks = (datetime.now(UTC).date() - date(2026, 3, 2)).days // 7 - 6

    def later(found: re.Match[str]) -> str:
        return f"{date.fromisoformat(found[0]) + timedelta(weeks=weeks)}"

    return re.sub(r"\b2026-\d\d-\d\d(?!\d)", later, text)


def page_script(blocks: Sequence[Block], folder: Path, url: str) -> str:
    """The shell script of a page: all that can be run here, in its order."""
    parts = ["set -euo pipefail"]
    python = "".join(block.text for block in blocks if block.language == "python")
    last_python = max((i for i, b in enumerate(blocks) if b.language == "python"), default=-1)
    for index, block in enumerate(blocks):
        match block.language:
            case "sh":
                parts += [c.rstrip("\n") for c in shell_commands(block.text) if is_run(c)]
            case "python" if index == last_python:
                (folder / "blocks.py").write_text(shifted(python), encoding="utf-8")
                parts.append("python blocks.py")
            case "sql":
                (folder / f"{index}.sql").write_text(shifted(block.text))
                query = f"import duckdb; duckdb.sql(open('{index}.sql').read()).fetchall()"
                parts.append(f'python -c "{query}"')
            case "toml":
                (folder / "ours.toml").write_text(block.text, encoding="utf-8")
    script = "\n".join(parts) + "\n"
    script = script.replace("http://127.0.0.1:8080", url).replace("/data/", f"{folder}/data/")
    return shifted(script)
