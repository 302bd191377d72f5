"""Where Spark cannot start, a sentence says why, and nothing of Java's is shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spark.conftest import require_spark
from tests.store.test_derived_details import GOOD

pytestmark = pytest.mark.soak
JAVA = "halfhour: --engine spark needs Java 17 or newer: {}; install it, such as with 'apt install default-jre-headless'\n"  # noqa: E501


@pytest.mark.parametrize(
    ("words", "environment", "code", "message"),
    [
        ("", {"PATH": "/nowhere"}, 2, JAVA.format("it is not installed, or not in PATH")),
        ("", {"JAVA_HOME": "/nowhere"}, 2, JAVA.format("JAVA_HOME (/nowhere) has none")),
        (
            "",
            {"JAVA_HOME": "{folder}"},
            2,
            "halfhour: --master local[*]: Spark did not start (Error: a class file of version 61, "
            "and this Java reads up to 52)\n",
        ),
        (
            "--master spark://127.0.0.1:1",
            {},
            4,
            "halfhour: --master spark://127.0.0.1:1: it does not answer (Connection refused)\n",
        ),
        (
            "--master locl[2]",
            {},
            2,
            "halfhour: --master 'locl[2]' is no master of Spark; write one like local[4], yarn, "
            "spark://HOST:7077 or k8s://https://HOST:6443; did you mean 'local'?\n",
        ),
        (
            "--master local[2]",
            {"PYSPARK_GATEWAY_PORT": "1"},
            2,
            "halfhour: --master: this program runs in an application of Spark, which has a master; "
            "leave it out\n",
        ),
    ],
)
def test_a_spark_that_cannot_start_is_a_sentence(tmp_path, words, environment, code, message):
    require_spark()
    (tmp_path / "details.ndjson").write_text(json.dumps(GOOD), encoding="utf-8")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(
        "#!/bin/sh\necho 'Error: a class file of version 61, and this Java reads up to 52' >&2\n"
        "exit 1\n",
        encoding="utf-8",
    )
    java.chmod(0o755)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("JAVA_HOME", "PYTHONWARNINGS")
    }
    changed = {name: value.format(folder=tmp_path) for name, value in environment.items()}
    command = [sys.executable, "-m", "halfhour", "worked", "details.ndjson", "--output", "out"]

    done = subprocess.run(
        [*command, "--engine", "spark", *words.split()],
        cwd=tmp_path, env=inherited | changed, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (code, "", message)
    assert not Path(tmp_path / "out").exists()
