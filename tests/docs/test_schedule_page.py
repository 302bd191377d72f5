"""The command that looks for failures in a log finds those of every kind."""

import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from tests.docs.blocks import ROOT, blocks_of

(SEARCH,) = (
    line
    for block in blocks_of(ROOT / "docs/schedule.md")
    for line in block.text.splitlines()
    if line.startswith("grep ")
)
SYNC = ("sync", "--from", "2026-03-02", "--to", "2026-03-03", "--source", "posted")
FAULT = {"kind": "status", "status": 500, "endpoint": "aggregates"}


@pytest.mark.parametrize(
    ("fault", "environment", "code"),
    [
        (None, {}, 0),
        (FAULT, {}, 5),
        (None, {"GENESYS_CLIENT_SECRET": "another-secret"}, 3),
        (None, {"GENESYS_REGION": "http://127.0.0.1:9"}, 4),
        (None, {"HALFHOUR_ZONE": "Mars/Olympus"}, 2),
    ],
)
def test_the_search_for_failures_finds_one_where_the_sync_failed(
    halfhour, cloud, fault: Any, environment: Mapping[str, str], code: int
):
    if fault:
        cloud.faults(fault)
    ran = halfhour(*SYNC, "--log-format", "json", **environment)
    (halfhour.folder / "sync.log").write_text(ran.err, encoding="utf-8")

    found = subprocess.run(
        ["sh", "-c", SEARCH], cwd=halfhour.folder, capture_output=True, text=True, check=True
    )

    assert ran.code == code
    assert (found.stdout == "nothing failed\n") is (code == 0)
