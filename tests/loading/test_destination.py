"""Addresses of destinations, the options of drivers, and what their errors mean."""

import sys
from contextlib import ExitStack

import pytest
from adbc_driver_manager import AdbcStatusCode, OperationalError

from halfhour.errors import AuthError, ConfigError, Unreachable, WriteError, install_command
from halfhour.loading import adbc
from halfhour.loading.destination import open_destination, parse_address


@pytest.mark.parametrize(
    ("text", "schema", "expected"),
    [
        ("postgresql://me@db/bi", None, ("postgresql", "//me@db/bi", "halfhour")),
        ("postgres://db/bi", "emea", ("postgresql", "//db/bi", "emea")),
        ("snowflake://me@acme-eu/BI", None, ("snowflake", "//me@acme-eu/BI", "halfhour")),
        ("bigquery://project", None, ("bigquery", "//project", "halfhour")),
        ("delta:/data/lake", None, ("delta", "/data/lake", "")),
        ("delta:s3://bucket/lake", None, ("delta", "s3://bucket/lake", "")),
        ("iceberg:lake/halfhour", None, ("iceberg", "lake/halfhour", "")),
    ],
)
def test_an_address_has_a_kind_a_place_and_a_schema(text, schema, expected):
    address = parse_address(text, schema)

    assert (address.kind, address.place, address.schema) == expected


@pytest.mark.parametrize(
    ("text", "schema", "words"),
    [
        ("postgresq://db/bi", None, "did you mean 'postgresql'? Write one like"),
        ("/data/lake", None, "no kind that halfhour loads; write one like postgresql"),
        ("mysql://me:secret-word@db/bi?password=secret-word", None, "'mysql://…@db/bi'"),
        ("host=127.0.0.1 password=secret-word", None, "'host=127.0.0.1 password=***'"),
        ("PASSWORD = 'a secret-word' host=db", None, "'PASSWORD = *** host=db'"),
        ("host=db password=of:secret-word", None, "as postgresql://USER@HOST/DATABASE, with the"),
        ("Server=db;Pwd=my secret-word", None, "'Server=db;Pwd=***'"),
        ("redshift:db;token=secret-word", None, "'redshift:db;token=***'"),
        ("mysql://me:a/?secret-word@db", None, "'mysql://…@db'"),
        ("iceberg:lake;token=secret-word", None, "'iceberg:lake;token=***' is incomplete"),
        ("postgresql:host=db password=secret-word", None, "set PGPASSWORD"),
        ("delta:", None, "names no place; write delta:FOLDER"),
        ("snowflake://", None, "names no place"),
        ("iceberg:lake", None, "is incomplete; write iceberg:CATALOG/NAMESPACE"),
        ("delta:lake", "other", "schema: delta has none"),
        ("postgresql://db/bi", 'x"; drop', "write a name of letters"),
        ("postgresql://me:secret-word@db/bi", None, "set PGPASSWORD"),
        ("postgresql://db/bi?user=me&password=secret-word", None, "set PGPASSWORD"),
        ("snowflake://me:secret-word@acme/BI", None, "set SNOWFLAKE_PASSWORD"),
        ("postgresql://[db/bi", None, "cannot be read as a URL"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_with_what_to_write(text, schema, words):
    with pytest.raises(ConfigError) as raised:
        parse_address(text, schema)

    assert words in str(raised.value)
    assert "secret-word" not in str(raised.value)


def test_an_address_is_shown_without_its_parameters():
    assert str(parse_address("postgresql://me@db/bi?sslkey=/home/me/key")) == (
        "postgresql://me@db/bi, schema halfhour"
    )


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("postgresql://me@db/bi", "adbc_driver_postgresql"),
        ("snowflake://me@acme/BI", "adbc_driver_snowflake"),
        ("bigquery://project", "adbc_driver_bigquery"),
        ("delta:lake", "deltalake"),
        ("iceberg:lake/halfhour", "pyiceberg"),
    ],
)
def test_a_missing_package_is_named_by_its_extra(text, module, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("halfhour.loading.")]:
        if name.rpartition(".")[2] in ("delta", "iceberg"):
            monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    address = parse_address(text)

    with ExitStack() as stack, pytest.raises(ConfigError) as raised:
        stack.enter_context(open_destination(address))

    assert install_command(address.kind) in str(raised.value)


SNOWFLAKE = "snowflake://me%40acme.com@acme-eu/BI?warehouse=LOADING&role=LOADER&other=x"
CONNECTION = {
    "username": "me@acme.com",
    "adbc.snowflake.sql.account": "acme-eu",
    "adbc.snowflake.sql.db": "BI",
    "adbc.snowflake.sql.warehouse": "LOADING",
    "adbc.snowflake.sql.role": "LOADER",
}


@pytest.mark.parametrize(
    ("environment", "credentials"),
    [
        ({"SNOWFLAKE_PASSWORD": "secret-word"}, {"password": "secret-word"}),
        (
            {"SNOWFLAKE_PRIVATE_KEY_FILE": "/key.p8"},
            {
                "adbc.snowflake.sql.auth_type": "auth_jwt",
                "adbc.snowflake.sql.client_option.jwt_private_key": "/key.p8",
            },
        ),
    ],
)
def test_snowflakes_driver_gets_the_connection_and_the_credentials(environment, credentials):
    options = adbc.snowflake_options(parse_address(SNOWFLAKE), environment)

    assert options == {**CONNECTION, **credentials}


def test_snowflake_without_credentials_or_database_is_refused():
    with pytest.raises(AuthError, match="set SNOWFLAKE_PASSWORD"):
        adbc.snowflake_options(parse_address(SNOWFLAKE), {})
    with pytest.raises(ConfigError, match="is incomplete"):
        adbc.snowflake_options(parse_address("snowflake://me@acme"), {"SNOWFLAKE_PASSWORD": "x"})


def test_bigquerys_driver_gets_the_project_and_the_dataset():
    assert adbc.bigquery_options(parse_address("bigquery://project", "bi")) == {
        "adbc.bigquery.sql.project_id": "project",
        "adbc.bigquery.sql.dataset_id": "bi",
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('IO: [libpq] Failed to connect: connection to server at "127.0.0.1", port 1 failed: '
         "Connection refused\n\tIs the server running?", Unreachable),
        ('IO: [libpq] Failed to connect: could not translate host name "db" to address: Name or '
         "service not known", Unreachable),
        ("IO: [libpq] Failed to execute: server closed the connection unexpectedly", Unreachable),
        ('IO: [libpq] Failed to connect: FATAL:  password authentication failed for user "me"',
         AuthError),
        ("INVALID_ARGUMENT: ERROR:  permission denied for database bi", AuthError),
        ('IO: [libpq] Failed to connect: FATAL:  database "bi" does not exist', ConfigError),
        ("IO: [libpq] ERROR:  could not extend file: No space left on device", WriteError),
        ("UNAUTHENTICATED: [snowflake] 390100: Incorrect username or password was specified",
         AuthError),
        ("IO: [bq] googleapi: Error 403: Access Denied: Dataset p:halfhour", AuthError),
    ],
)  # fmt: skip
def test_errors_of_drivers_say_what_to_do(text, kind):
    error = OperationalError(text, status_code=AdbcStatusCode.IO)
    explained = adbc.explain_error(parse_address("postgresql://me@db/bi"), error)

    assert type(explained) is kind
    assert str(explained).startswith("postgresql://me@db/bi, schema halfhour: ")
    assert "\n" not in str(explained)
    assert "IO:" not in str(explained)
