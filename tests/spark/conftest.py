"""One session of Spark for all tests, as its start takes longer than a test."""

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of Java for small tables: what is translated less is translated sooner."""


def require_spark() -> None:
    """Skip a test without Spark or Java, and let it fail in CI."""
    refuse = pytest.fail if os.environ.get("CI") else pytest.skip
    try:
        import pyspark  # noqa: F401
    except ModuleNotFoundError:
        refuse("Spark is not installed (pip install -e '.[spark]')")
    if not shutil.which("java"):
        refuse("Java is not installed (apt install default-jre-headless)")


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session of Spark, which is found as the one of a cluster is."""
    require_spark()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of pyspark
        from pyspark.sql import SparkSession

        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("JDK_JAVA_OPTIONS", QUICK_JAVA)
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        for name, value in {
            "spark.driver.memory": "2g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.codegen.wholeStage": "false",
        }.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        yield session
        session.stop()
