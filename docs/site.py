"""Pages of the site that are made from the program: the command line and the changes."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that no file in docs holds."""
    from halfhour.cli.app import app

    pages = {
        "command-line.md": _command_line_page(app.generate_docs(output_format="markdown")),
        "changes.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def _command_line_page(text: str) -> str:
    """Return cyclopts' page as the page of a site, which has a table of contents of its own."""
    text = re.sub(r"## Table of Contents\n.*?\n(?=\*\*Commands)", "", text, flags=re.DOTALL)
    return text.replace("# halfhour\n", "# Command line\n", 1)
