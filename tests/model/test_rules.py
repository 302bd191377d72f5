"""The rules that a cluster is to run are in the SQL that DuckDB and Spark share."""

import pytest
import sqlglot
from sqlglot import exp

from halfhour.model.rules import DETAIL_STEPS, rule_text

PORTABLE_RULES = (*DETAIL_STEPS, "worked", "busy", "rebuilt", "session_overlaps")


def transpiled(text: str) -> exp.Expr:
    """Return *text* as Spark would parse it. Raises if it has no form in Spark's dialect."""
    (spark,) = sqlglot.transpile(
        text, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
    )
    return sqlglot.parse_one(spark, read="spark")


@pytest.mark.parametrize("name", PORTABLE_RULES)
def test_a_rule_of_a_cluster_uses_only_what_spark_has(name):
    assert offences(rule_text(name)) == []


def offences(text: str) -> list[str]:
    """Return the parts of *text* that Spark does not take, or takes for something else."""
    tree = transpiled(text)
    offending = [
        node.sql()
        for node in tree.find_all(exp.Window)
        if node.find(exp.Filter)  # Spark has no filter in a window function
    ]
    offending += [node.sql() for node in tree.find_all(exp.Star) if node.args.get("except_")]
    offending += [node.sql() for node in tree.find_all(exp.Explode) if nested(node)]
    offending += [node.sql() for node in tree.find_all(exp.Anonymous)]
    offending += [node.sql() for node in tree.find_all(exp.Select) if not node.expressions]
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
        "select make_timestamptz(a) as b from c",
    ],
)
def test_sql_that_spark_refuses_is_an_offence(text):
    assert offences(text)
