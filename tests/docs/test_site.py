"""The site, as `make docs` builds it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from halfhour.cli.app import app
from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "true"}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    # Strict: a link or an anchor that leads nowhere, or a page that no menu has, is an error.
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
    return folder


def test_every_command_and_page_is_there(site):
    text = (site / "command-line.html").read_text(encoding="utf-8")

    for command in (name for name in app if not name.startswith("-")):
        assert f'id="halfhour-{command}"' in text, command
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {
        path.stem for path in site.glob("*.html")
    }


def test_a_page_asks_nothing_of_other_hosts(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "fonts.googleapis" not in text
        assert 'src="http' not in text, page
