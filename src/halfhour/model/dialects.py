"""The texts of rules in the SQL of a cluster: DuckDB's SQL, translated by sqlglot into Spark's."""

import re

from halfhour.model.rules import rule_text

_PARAMETER = re.compile(r"\$(\w+)")


def spark_rule(name: str, **parameters: int) -> str:
    """Return the SQL text of the rule *name* for Spark, with the values of its *parameters*.

    Raises KeyError if a parameter has no value, and sqlglot's UnsupportedError if a part of the
    text has no form in Spark's SQL. Times with a zone are instants in Spark.
    """
    text = rule_text(name)
    return translate_to_spark(_PARAMETER.sub(lambda match: str(parameters[match[1]]), text))


def translate_to_spark(text: str) -> str:
    """Return the SQL *text* of DuckDB as Spark takes it. Raises sqlglot's UnsupportedError."""
    import sqlglot  # imported late, because it is there only where Spark is

    # All timestamps of Spark have the zone of its session.
    text = text.replace("make_timestamptz(", "make_timestamp(")
    (translated,) = sqlglot.transpile(
        text, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
    )
    return translated
