"""Every code block of the documentation is run against the emulator, or is parsed."""

import ast
import gzip
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.docs.blocks import NOT_RUN, PAGES, blocks_of, page_script, shifted
from tests.processes import Cloud, emulator, free_port

LIMIT_SECONDS = 300
NOT_RUN_PAGES = {
    "adding-a-figure.md": "its Python is a part of the program; the steps were tried by hand",
    "emulator.md": "its Python is in tests/contract/test_official_sdk.py, or a test itself",
    "scale.md": "its Python is for a cluster",
    "warehouse.md": "its Python belongs to Airflow and Dagster",
}
"""Pages whose Python is only parsed."""
PREPARED = {"warehouse.md": "halfhour sync --store emea.duckdb --last 2d\n"}
"""What a page takes for granted."""


def parse_ini(text: str) -> None:
    ConfigParser(strict=False, interpolation=None).read_string(text)


def parse_cron(text: str) -> None:
    for line in text.splitlines():
        assert re.fullmatch(r"(\S+ +){5}\S.*", line)


PARSERS: dict[str, Callable[[str], object]] = {
    "python": ast.parse,
    "toml": tomllib.loads,
    "json": json.loads,
    "ini": parse_ini,
    "cron": parse_cron,
}
SEEN_ELSEWHERE = {
    "sh": "run below",
    "sql": "run below",
    "text": "output, formulas",
    "nginx": "tests/web/test_proxies.py",
    "caddy": "tests/web/test_proxies.py",
    "dockerfile": "needs a daemon",
    "bat": "needs Windows",
    "diff": "adding-a-figure.md",
    "yaml": "settings of other programs",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_of_a_language_that_is_checked(page):
    for block in blocks_of(page):
        if parse := PARSERS.get(block.language):
            parse(block.text)
        else:
            assert block.language in SEEN_ELSEWHERE, block


def test_every_reason_not_to_run_a_line_is_used():
    lines = [line for page in PAGES for b in blocks_of(page) for line in b.text.splitlines()]

    assert [p for p in NOT_RUN if not any(re.search(p, line) for line in lines)] == []


@pytest.fixture(scope="module")
def present_cloud() -> Iterator[Cloud]:
    """An organisation whose clock is that of the machine, with four months of history."""
    yield from emulator("--agents", "3", "--days", "90", "--requests-per-minute", "100000")


@pytest.fixture
def folder(tmp_path: Path, present_cloud: Cloud) -> Path:
    """A folder with what the pages take for granted: files of details, two organisations."""
    present_cloud.reset()
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/halfhour"
    incomplete = '[ $code = 5 ] && [[ "$*" == *--offline* ]] && code=0'
    script.write_text(
        f'#!/bin/bash\n"{sys.executable}" -m halfhour "$@"\ncode=$?\n{incomplete}\nexit $code\n'
    )
    script.chmod(0o755)
    python = tmp_path / "bin/python"
    python.write_text(f'#!/bin/bash\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    details = detail_pages(present_cloud)
    for path in ("job-results/1.json.gz", "landed/acme/1.json.gz", "details/1.json.gz"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(gzip.compress(details))
    for path in ("details.json", "march.ndjson"):
        (tmp_path / path).write_bytes(details)
    client = (
        f'client_id = "{present_cloud.client_id}"\nclient_secret = "{present_cloud.client_secret}"'
        f'\nregion = "{present_cloud.url}"\n'
    )
    settings = tmp_path / "home/.config/halfhour/halfhour.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[org.acme]\n{client}[org.globex]\n{client}")
    settings.chmod(0o600)
    return tmp_path


def detail_pages(cloud: Cloud) -> bytes:
    """The conversations of the days that the pages call 1 and 2 March, as a query has them."""
    start = datetime.fromisoformat(shifted("2026-03-01"))
    interval = f"{start:%Y-%m-%dT00:00Z}/{start + timedelta(days=2):%Y-%m-%dT00:00Z}"
    with httpx2.Client(base_url=cloud.url) as client:
        token = client.post(
            "/oauth/token",
            auth=(cloud.client_id, cloud.client_secret),
            data={"grant_type": "client_credentials"},
        ).json()["access_token"]
        answer = client.post(
            "/api/v2/analytics/conversations/details/query",
            headers={"Authorization": f"Bearer {token}"},
            json={"interval": interval, "paging": {"pageSize": 100, "pageNumber": 1}},
        )
    assert len(answer.json()["conversations"]) > 10
    return answer.content


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[Envelope]]]:
    """The port of a mail server, and what it has received."""
    received: list[Envelope] = []

    class Handler:
        async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
            received.append(envelope)
            return "250 OK"

    port = free_port()
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port, received
    controller.stop()


@pytest.mark.soak
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run_in_their_order(page, folder, present_cloud, mailbox):
    blocks = blocks_of(page)
    if page.name in NOT_RUN_PAGES:
        blocks = [block for block in blocks if block.language != "python"]
    script = PREPARED.get(page.name, "") + page_script(blocks, folder, present_cloud.url)
    port, mails = mailbox
    organizations = page.name == "organizations.md"
    environment = {
        "PATH": f"{folder / 'bin'}:{os.defpath}:{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(port),
        "REPORT_FROM": "reports@example.com",
        "REPORT_TO": "team@example.com",
        **({} if organizations else present_cloud.environment),
    }

    result = subprocess.run(
        ["bash", "-x"], input=script, cwd=folder, env=environment, text=True,
        capture_output=True, timeout=LIMIT_SECONDS, check=False,
    )  # fmt: skip

    assert result.returncode == 0, f"{script}\n{result.stderr[-4000:]}"
    assert "Traceback" not in result.stderr
    assert len(mails) == (page.name == "mail.md")
    assert all(b'filename="yesterday.xlsx"' in mail.content for mail in mails)
