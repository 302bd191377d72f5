"""The rules that a cluster is to run are in the SQL that DuckDB and Spark share."""

import re

import pytest
import sqlglot
from sqlglot import exp

from halfhour.model.dialects import spark_rule, translate_to_spark
from halfhour.model.rules import DETAIL_STEPS, rule_text

PORTABLE_RULES = (
    *DETAIL_STEPS,
    "record_spans",
    "segments_by_day",
    "emitted",
    "detail_issues",
    "worked",
    "busy",
    "rebuilt",
    "session_overlaps",
)


SPARK_FUNCTIONS = {"TIMESTAMP_MICROS"}
"""Functions that Spark has and sqlglot does not know."""


@pytest.mark.parametrize("name", PORTABLE_RULES)
def test_a_rule_of_a_cluster_uses_only_what_spark_has(name):
    assert offences(rule_text(name)) == []


def offences(text: str) -> list[str]:
    """Return the parts of *text* that Spark does not take, or takes for something else."""
    spark = translate_to_spark(text)
    tree = sqlglot.parse_one(spark, read="spark")
    offending = [
        node.sql()
        for node in tree.find_all(exp.Window)
        if node.find(exp.Filter)  # Spark has no filter in a window function
    ]
    offending += [node.sql() for node in tree.find_all(exp.Star) if node.args.get("except_")]
    offending += [node.sql() for node in tree.find_all(exp.Explode) if nested(node)]
    offending += [
        node.sql() for node in tree.find_all(exp.Anonymous) if node.name not in SPARK_FUNCTIONS
    ]
    offending += [node.sql() for node in tree.find_all(exp.Select) if not node.expressions]
    # A percent sign is of DuckDB's format of a time.
    offending += [literal for literal in re.findall(r"'[^']*'", spark) if "%" in literal]
    return offending


def nested(generator: exp.Expr) -> bool:
    """Return whether *generator* is part of an expression; Spark wants it as a column."""
    parent = generator.parent
    return not isinstance(parent.parent if isinstance(parent, exp.Alias) else parent, exp.Select)


@pytest.mark.parametrize(
    "text",
    [
        "select max(a) filter (where b) over (order by c) as d from e",
        "select * exclude (a) from b",
        "select unnest(generate_series(a, b)) * 2 as c from d",
        "select epoch_ms(a) as b from c",
        "select strftime(a, '%Y.%g') as b from c",
    ],
)
def test_sql_that_spark_refuses_is_an_offence(text):
    assert offences(text)


def test_a_rule_for_spark_has_the_values_of_its_parameters():
    assert "emit_ms >= 7 " in spark_rule("emitted", start_ms=7, end_ms=9)
    with pytest.raises(KeyError, match="end_ms"):
        spark_rule("emitted", start_ms=7)
