"""The commands. Data goes to stdout, messages to stderr."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from halfhour._version import __version__
from halfhour.cli.console import begin_json_log, set_verbosity
from halfhour.cli.exit_codes import run_and_exit
from halfhour.cli.options import (
    CONNECTION,
    MESSAGE_FLAGS,
    NO_ORGANIZATION,
    OPTIONS,
    OUTPUT,
    STORE,
    TIME,
    ConnectionOptions,
    LogFormatChoice,
    MessageOptions,
    OrganizationOptions,
    OutputOptions,
    RangeOptions,
    RowOptions,
    RowsOutputOptions,
    StorePath,
    UncheckedConnectionOptions,
    require_listed_organization,
    warn_of_unknown_variables,
)
from halfhour.errors import ConfigError
from halfhour.model.vocabulary import Format, LogFormat, Source

if TYPE_CHECKING:
    from halfhour.cli.output import Output
    from halfhour.model.intervals import Interval
    from halfhour.organizations import Organization
    from halfhour.store.store import EntityKind, Store


def _default_in_help(value: Any) -> str | None:
    return str(value) if value else None


app = App(
    name="halfhour",
    help="Report what every agent did, half-hour by half-hour, from Genesys Cloud.",
    version=__version__,
    version_flags=["--version", "-V"],
    help_format="plaintext",
    group_parameters=OPTIONS,
    default_parameter=Parameter(negative=(), show_default=_default_in_help),
    suppress_keyboard_interrupt=False,
)

_REPORT_EXAMPLES = """\
Examples:
  halfhour report
  halfhour report --from yesterday --to today --queue Billing
  halfhour report --last 7d --by agent --sort aht --top 10
  halfhour report --last 4w --by day --basis worked --output days.xlsx
  halfhour report --org acme --org globex --last 7d --by agent -o agents.csv
"""
_SYNC_EXAMPLES = """\
Examples:
  halfhour sync
  halfhour sync --last 31d --source posted
  halfhour sync --watch 15m --keep 400d
  halfhour sync --org all --at-once 4
  halfhour sync --dry-run
"""
_IMPORT_EXAMPLES = """\
Examples:
  halfhour import march.ndjson --from 2026-03-01 --to 2026-04-01
  halfhour import details/*.json.gz
"""
_WORKED_EXAMPLES = """\
Examples:
  halfhour worked landed/ -o figures --from 2026-03-01 --to 2026-03-02
  halfhour worked details/*.json.gz --output figures
  halfhour worked s3a://landed/acme -o s3a://figures --engine spark
"""
_LOAD_EXAMPLES = """\
Examples:
  halfhour load postgresql://halfhour@db.example.com/analytics
  halfhour load delta:/data/halfhour --store emea.duckdb
  halfhour load iceberg:lake/halfhour --dry-run
"""
_INIT_EXAMPLES = """\
Examples:
  halfhour init
  halfhour init --org acme --region eu-west-2 --zone Europe/London
  halfhour init --region mypurecloud.ie --store day.duckdb --history 90d --sync
"""
_SERVE_EXAMPLES = """\
Examples:
  halfhour serve --zone Europe/London
  halfhour serve --sync 15m
  halfhour serve --org all --sync 15m
  halfhour serve --host 0.0.0.0 --name stats.example.com --password-file pass
"""


@app.command(help_epilogue=_REPORT_EXAMPLES)
def report(
    rows: RowOptions | None = None,
    connection: ConnectionOptions | None = None,
    output_options: OutputOptions | None = None,
    *,
    layout: Annotated[
        str,
        Parameter(
            group=OUTPUT,
            help="Layout of --format wfm, which it implies: generic, scorecard, genesys-wfm, or "
            "a TOML file.",
        ),
    ] = "",
    store: Annotated[
        Path | None,
        Parameter(
            group=STORE,
            help="Store to bring up to date and read [default: the setting store, or "
            "halfhour.duckdb, if it exists].",
        ),
    ] = None,
    offline: Annotated[
        bool, Parameter(group=STORE, help="Read the store only, and send no request.")
    ] = False,
    seconds: Annotated[
        bool,
        Parameter(
            group=OUTPUT, help="Show times in a table as seconds, with milliseconds, not h:mm:ss."
        ),
    ] = False,
    dry_run: Annotated[
        bool, Parameter(group=OUTPUT, help="Print the requests as JSON, and send none.")
    ] = False,
) -> None:
    """Show the handle, after-call work and hold time of agents.

    Without a time range, the report covers the last 24 hours.

    On the posted basis, a time counts in full in the interval in which it was
    completed, as in the Genesys UI, so a half-hour can show more than 30 minutes.
    On the worked basis, each interval counts only the work inside it.
    """
    rows, connection = rows or RowOptions(), connection or ConnectionOptions()
    output_options = output_options or OutputOptions()
    if layout and not output_options.form:
        output_options = replace(output_options, form=Format.WFM)
    output_options = output_options.with_settings(connection)
    chosen = connection.organizations_by_name(store)
    question = rows.with_settings(connection).to_question()
    output = output_options.to_output(
        settings=connection.settings,
        organization=next(iter(chosen.values())),
        seconds=seconds,
        layout=layout,
    )
    if dry_run:
        from halfhour import settings
        from halfhour.cli.dry_run import print_requests

        hosts = {
            name: settings.configured_hosts(
                file=connection.settings, org=organization, region=connection.region
            )
            for name, organization in chosen.items()
        }
        print_requests(output.adapt_question(question), hosts)
        return
    from halfhour.cli.report import write_organizations_report
    from halfhour.service import Access

    accesses = {
        name: Access(
            load_settings=partial(connection.resolve_settings, organization),
            store=_store_to_read(
                store, connection.value_of(organization, "store"), offline=offline
            ),
            offline=offline,
            pseudonyms=output_options.load_pseudonyms(connection.settings, organization),
        )
        for name, organization in chosen.items()
    }
    write_organizations_report(question, accesses, output)


@app.command
def check(
    connection: UncheckedConnectionOptions | None = None,
    *,
    store: StorePath = None,
    json: Annotated[bool, Parameter(group=OUTPUT, help="Print the findings as JSON.")] = False,
) -> None:
    """Check settings, connection, permissions and store, and say what to do next.

    Every request is one that a sync or a report sends too; nothing is written.
    """
    from halfhour.checking.checks import CheckRequest
    from halfhour.cli.check import run_check
    from halfhour.settings import configured_hosts

    connection = connection or UncheckedConnectionOptions()
    connection.require_one()
    request = CheckRequest(
        load_settings=lambda: connection.resolve_settings(connection.organization),
        find_hosts=lambda: configured_hosts(
            file=connection.settings, org=connection.organization, region=connection.region
        ),
        find_store=lambda: connection.resolve_store(store),
        settings_file=connection.settings,
        organization="".join(connection.org),
    )
    sys.exit(run_check(request, as_json=json))


@app.command(help_epilogue=_SYNC_EXAMPLES)
def sync(
    time_range: RangeOptions | None = None,
    connection: ConnectionOptions | None = None,
    *,
    store: StorePath = None,
    granularity: Annotated[
        Literal["15m", "30m"] | None,
        Parameter(
            group=STORE,
            help="Interval length of a new store; 15m for time zones offset by a quarter hour "
            "[default: 30m].",
        ),
    ] = None,
    reread: Annotated[
        tuple[str, ...],
        Parameter(
            help="Fetch a day again this long after it ended; repeatable; now fetches every day "
            "of the range again [default: 1d and 4d].",
        ),
    ] = (),
    source: Annotated[
        tuple[Source, ...],
        Parameter(
            help="Source to fetch; repeatable [default: all that the OAuth client may read]."
        ),
    ] = (),
    watch: Annotated[
        str | None, Parameter(help="Keep running and sync at this interval, such as 15m.")
    ] = None,
    keep: Annotated[
        str | None, Parameter(group=STORE, help="Delete days older than this, such as 400d.")
    ] = None,
    keep_raw: Annotated[
        str | None,
        Parameter(
            group=STORE,
            help="Delete what Genesys said in details older than this, such as 90d; segments stay.",
        ),
    ] = None,
    at_once: Annotated[
        int, Parameter(help="Number of organisations at most that are synced at the same time.")
    ] = 4,
    log_format: LogFormatChoice = LogFormat.TEXT,
    dry_run: Annotated[
        bool,
        Parameter(group=OUTPUT, help="Print the days to fetch as JSON, and send no request."),
    ] = False,
) -> None:
    """Bring a store up to date with Genesys Cloud.

    It is safe to interrupt a sync, and to run it again at any time. Several
    organisations are synced in processes of their own; one that fails does not
    stop the others.

    Without a time range, a sync fetches every day since the first one in the
    store that is missing, incomplete or due to be fetched again. A new store
    begins 31 days ago; the setting history says otherwise.
    """
    from halfhour.model.coverage import KeptAges
    from halfhour.model.time_ranges import parse_duration
    from halfhour.syncing.planner import SyncRequest

    connection, time_range = connection or ConnectionOptions(), time_range or RangeOptions()
    width = parse_duration("granularity", granularity) if granularity else None
    reread_ages = tuple(parse_duration("reread", age) for age in reread if age != "now") or None

    def build_request(organization: "Organization | None") -> SyncRequest:
        zone = connection.value_of(organization, "zone", time_range.zone)
        return SyncRequest(
            time_range.with_zone(zone).chosen_interval,
            tuple(dict.fromkeys(source)) or None,
            width,
            reread_ages,
            reread_all="now" in reread,
            history=connection.value_of(organization, "history"),
        )

    def parse_kept_ages(organization: "Organization | None") -> KeptAges:
        return KeptAges(
            connection.value_of(organization, "keep", keep),
            parse_duration("keep_raw", keep_raw) if keep_raw else None,
        )

    watch_interval = parse_duration("watch", watch) if watch else None
    if watch_interval and "now" in reread:
        raise ConfigError(
            "--reread now: with --watch, every sync would fetch all days again; leave out one of "
            "the two"
        )
    if connection.are_several:
        organizations = connection.organizations_without(store)
        parse_kept_ages(None)  # raises before a process is started
        requests = [(entry, build_request(entry)) for entry in organizations]
        own = {"granularity": granularity, "reread": reread, "source": source, "keep": keep}
        options = {**asdict(connection), **asdict(time_range), **own, "keep_raw": keep_raw}
        if dry_run:
            from halfhour.cli.organizations.dry_run import print_due_windows_of_each

            print_due_windows_of_each(requests, connection)
            return
        from halfhour.cli.organizations.sync import sync_organizations

        sync_organizations(
            organizations, options, at_once, watch=watch_interval, log_format=log_format
        )
        return
    organization, target = connection.organization, connection.resolve_store(store)
    request, kept_ages = build_request(organization), parse_kept_ages(organization)
    if dry_run:
        from halfhour.cli.dry_run import print_due_windows
        from halfhour.settings import configured_request_rate

        request_rate = configured_request_rate(
            connection.settings, connection.max_requests_per_minute, organization
        )
        print_due_windows(target, request, request_rate)
        return
    from halfhour.cli.console import log_retries, logging_to_stderr
    from halfhour.cli.sync import sync_once, sync_repeatedly

    log_retries()
    with logging_to_stderr(log_format):
        settings = connection.resolve_settings(organization)
        if watch_interval:
            sync_repeatedly(
                settings, target, lambda: build_request(organization), kept_ages, watch_interval
            )
        sync_once(settings, target, request, kept_ages)


@app.command(name="import", help_epilogue=_IMPORT_EXAMPLES)
def import_(
    files: Annotated[
        list[Path], Parameter(help="JSON or NDJSON files, gzipped or not, or folders of them.")
    ],
    /,
    time_range: RangeOptions | None = None,
    organization: OrganizationOptions | None = None,
    *,
    store: StorePath = None,
    log_format: LogFormatChoice = LogFormat.TEXT,
) -> None:
    """Import conversation-details files into a store.

    The files are results of a conversation details job or query.

    The files must hold every conversation that began on the days (UTC) they
    cover. Name the days with --from and --to if other days are complete, or if
    the files are to replace days that the store already holds.
    """
    from halfhour.cli.console import logging_to_stderr
    from halfhour.cli.sync import import_with_progress

    organization = organization or OrganizationOptions()
    interval = _chosen_interval(organization, time_range)
    with logging_to_stderr(log_format):
        import_with_progress(organization.resolve_store(store), files, interval)


@app.command(help_epilogue=_WORKED_EXAMPLES)
def worked(
    files: Annotated[
        list[str], Parameter(help="JSON or NDJSON files, gzipped or not, or folders of them.")
    ],
    /,
    time_range: RangeOptions | None = None,
    *,
    output: Annotated[
        str, Parameter(name=["--output", "-o"], group=OUTPUT, help="Folder to write to.")
    ],
    org: Annotated[
        str,
        Parameter(
            group=OUTPUT,
            help="Name of the organisation in the paths of the files; one of the settings file if "
            "that has any.",
        ),
    ] = NO_ORGANIZATION,
    granularity: Annotated[
        Literal["15m", "30m"], Parameter(group=OUTPUT, help="Interval length of worked time.")
    ] = "30m",
    max_bad: Annotated[
        str,
        Parameter(
            help="Percentage of records that may be unreadable; with more, no day is replaced."
        ),
    ] = "0.1%",
    engine: Annotated[
        str, Parameter(help="Engine that does the work: duckdb on this machine, or spark.")
    ] = "duckdb",
    master: Annotated[
        str,
        Parameter(
            help="Master of Spark, such as local[4]; all cores of this machine if not given. "
            "spark-submit has its own."
        ),
    ] = "",
    log_format: LogFormatChoice = LogFormat.TEXT,
) -> None:
    """Turn conversation-details files into worked time in Parquet files, without a store.

    The files are results of a conversation details job or query, which must hold
    every conversation that began on the days (UTC) they cover. Name the days with
    --from and --to to write only these.

    A day is replaced whole, and it is safe to interrupt the command and to run it
    again. Records that cannot be read are put into the folder quarantine.

    With --engine spark, files and output can also be in the file systems that Spark
    reaches, such as s3a://bucket/landed.
    """
    if engine == "spark":
        _UnusedLibraryBlocker.uninstall()
    from halfhour.cli.console import logging_to_stderr
    from halfhour.cli.worked import require_engine, write_with_progress
    from halfhour.model.time_ranges import parse_duration
    from halfhour.syncing.worked_files import WorkedRequest

    require_engine(engine, master)
    require_listed_organization(org)
    request = WorkedRequest.parse(
        output=output,
        organization=org,
        interval=_chosen_interval(OrganizationOptions(), time_range),
        width=parse_duration("granularity", granularity),
        max_bad=max_bad,
    )
    with logging_to_stderr(log_format):
        write_with_progress(files, request, engine, master)


@app.command(name="rebuild")
def rebuild_(
    organization: OrganizationOptions | None = None,
    *,
    store: StorePath = None,
    log_format: LogFormatChoice = LogFormat.TEXT,
) -> None:
    """Derive the conversation details of a store anew, without a request.

    A store holds what Genesys said, so a newer halfhour can apply its rules to
    it. A sync does that by itself when the rules have changed. Figures that
    are different then are listed by halfhour revisions.
    """
    from halfhour.cli.console import logging_to_stderr
    from halfhour.cli.sync import rebuild_with_progress

    target = (organization or OrganizationOptions()).resolve_store(store)
    with logging_to_stderr(log_format):
        rebuild_with_progress(target)


@app.command(help_epilogue=_LOAD_EXAMPLES)
def load(
    destination: Annotated[
        str,
        Parameter(
            help="A URL that begins with postgresql:, snowflake: or bigquery:, without a password; "
            "or delta:FOLDER, or iceberg:CATALOG/NAMESPACE."
        ),
    ],
    /,
    organization: OrganizationOptions | None = None,
    *,
    store: StorePath = None,
    schema: Annotated[
        str | None,
        Parameter(
            group=OUTPUT,
            help="Schema of the tables, in BigQuery the dataset; made if it is missing "
            "[default: halfhour].",
        ),
    ] = None,
    delete_missing: Annotated[
        bool,
        Parameter(
            group=OUTPUT, help="Delete what the store lacks even if it is most of what is there."
        ),
    ] = False,
    log_format: LogFormatChoice = LogFormat.TEXT,
    dry_run: Annotated[
        bool,
        Parameter(group=OUTPUT, help="Print the windows to load as JSON, and write nothing."),
    ] = False,
) -> None:
    """Load a store into a warehouse: PostgreSQL, Snowflake, BigQuery, Delta or Iceberg.

    A load makes the rows of the store's organisation equal to the store. Days
    that have not changed since the last load are skipped; days that the store
    has deleted are deleted there too. It is safe to interrupt a load, and to run it
    again at any time.
    """
    from halfhour.loading.destination import open_destination, parse_address

    address = parse_address(destination, schema)
    target = (organization or OrganizationOptions()).resolve_store(store)
    if dry_run:
        from halfhour.cli.dry_run import print_load_plan

        with open_destination(address) as opened:
            print_load_plan(target, opened)
        return
    from halfhour.cli.console import logging_to_stderr
    from halfhour.cli.load import load_with_progress

    with logging_to_stderr(log_format):
        load_with_progress(target, address, delete_missing=delete_missing)


@app.command
def coverage(
    time_range: RangeOptions | None = None,
    output_options: RowsOutputOptions | None = None,
    organization: OrganizationOptions | None = None,
    *,
    store: StorePath = None,
) -> None:
    """Show which days a store holds: settled, provisional, unfinished or missing.

    A table has a row for several days in one state. Other formats have a row per
    day.
    """
    from halfhour.cli.inspect import write_coverage

    write_coverage(*_store_and_output(time_range, output_options, organization, store))


@app.command
def revisions(
    time_range: RangeOptions | None = None,
    output_options: RowsOutputOptions | None = None,
    organization: OrganizationOptions | None = None,
    *,
    store: StorePath = None,
) -> None:
    """Show the values that Genesys corrected after they were first fetched, old and new."""
    from halfhour.cli.inspect import write_revisions

    write_revisions(*_store_and_output(time_range, output_options, organization, store))


@app.command
def reconcile(
    time_range: RangeOptions | None = None,
    output_options: RowsOutputOptions | None = None,
    organization: OrganizationOptions | None = None,
    *,
    store: StorePath = None,
) -> None:
    """Show how posted and worked handle time differ, and why.

    A table has the total of each cause. Other formats have a row per agent and
    day (UTC), in milliseconds. Posted time is the time in conversation
    aggregates, rebuilt time the sum of what conversation details say was posted,
    worked time the part of the work that lies in the day.
    """
    from halfhour.cli.inspect import write_reconciliation

    write_reconciliation(*_store_and_output(time_range, output_options, organization, store))


@app.command
def queues(
    output_options: RowsOutputOptions | None = None,
    connection: ConnectionOptions | None = None,
    *,
    store: StorePath = None,
) -> None:
    """List the queues that a report can be about, from a store or from Genesys."""
    _write_directory("queue", output_options, connection, store)


@app.command
def agents(
    output_options: RowsOutputOptions | None = None,
    connection: ConnectionOptions | None = None,
    *,
    store: StorePath = None,
) -> None:
    """List the agents that a report can be about, from a store or from Genesys."""
    _write_directory("agent", output_options, connection, store)


def _write_directory(
    kind: "EntityKind",
    output_options: RowsOutputOptions | None,
    connection: ConnectionOptions | None,
    path: Path | None,
) -> None:
    from halfhour.cli.inspect import write_directory
    from halfhour.service import Access

    connection, output_options = (
        connection or ConnectionOptions(),
        output_options or RowsOutputOptions(),
    )
    organization = connection.organization
    if output_options.pseudonyms:
        raise ConfigError("--pseudonyms: this command lists names; leave it out")
    access = Access(
        load_settings=partial(connection.resolve_settings, organization),
        store=_store_to_read(path, connection.value_of(organization, "store"), offline=False),
    )
    output = output_options.to_output(settings=connection.settings)
    output.require_rows_format()
    write_directory(kind, access, output)


def _store_and_output(
    time_range: RangeOptions | None,
    output_options: RowsOutputOptions | None,
    organization_options: OrganizationOptions | None,
    path: Path | None,
) -> "tuple[Store, Interval | None, Output]":
    """Return the store to look into, the chosen range and the output. Raises ConfigError."""
    options = organization_options or OrganizationOptions()
    output = (output_options or RowsOutputOptions()).to_output(
        settings=options.settings, organization=options.organization
    )
    output.require_rows_format()
    return options.resolve_store(path), _chosen_interval(options, time_range), output


def _chosen_interval(
    options: OrganizationOptions, time_range: RangeOptions | None
) -> "Interval | None":
    """Return the chosen range, in the zone of the settings unless an option names one."""
    time_range = time_range or RangeOptions()
    zone = options.value_of(options.organization, "zone", time_range.zone)
    return time_range.with_zone(zone).chosen_interval


@app.command(help_epilogue=_SERVE_EXAMPLES)
def serve(
    connection: ConnectionOptions | None = None,
    *,
    store: StorePath = None,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on.")] = 8030,
    zone: Annotated[
        str | None,
        Parameter(
            help="IANA time zone of days and times, such as Europe/London [default: the setting "
            "zone, or UTC]."
        ),
    ] = None,
    sync_: Annotated[
        str | None,
        Parameter(name="--sync", group=STORE, help="Sync the store at this interval, such as 15m."),
    ] = None,
    password_file: Annotated[
        Path | None,
        Parameter(
            help="File with the hash of the password for the dashboard, written by "
            "'halfhour password'."
        ),
    ] = None,
    name: Annotated[
        tuple[str, ...],
        Parameter(help="Host name under which people reach the dashboard; repeatable."),
    ] = (),
    proxy: Annotated[
        str | None, Parameter(help="Trust forwarded headers from the proxy at this address.")
    ] = None,
) -> None:
    """Serve a dashboard of the store to browsers: each day as a heat map of agents."""
    from halfhour.cli.console import log_retries, logging_to_stderr
    from halfhour.model.time_ranges import parse_duration
    from halfhour.store.store import Store
    from halfhour.web import server
    from halfhour.web.background_sync import ServedStore

    connection = connection or ConnectionOptions()
    chosen = connection.organizations_by_name(store)
    served = {
        org: ServedStore(
            Store(connection.value_of(entry, "store", store)),
            connection.value_of(entry, "zone", zone),
            history=connection.value_of(entry, "history"),
        )
        for org, entry in chosen.items()
    }
    log_retries()
    with logging_to_stderr():
        server.serve_dashboard(
            served,
            {org: partial(connection.resolve_settings, entry) for org, entry in chosen.items()},
            host=host,
            port=port,
            password_file=password_file,
            names=name,
            proxy=proxy,
            every=parse_duration("sync", sync_) if sync_ else None,
        )


@app.command(help_epilogue=_INIT_EXAMPLES)
def init(
    *,
    region: Annotated[
        str,
        Parameter(
            group=CONNECTION,
            help="AWS region, domain or base URL of Genesys Cloud [env: GENESYS_REGION].",
        ),
    ] = "",
    client_id: Annotated[
        str, Parameter(group=CONNECTION, help="Id of the OAuth client [env: GENESYS_CLIENT_ID].")
    ] = "",
    secret_in: Annotated[
        Literal["keyring", "file"] | None,
        Parameter(
            group=CONNECTION,
            help="Place of the client secret: the system keyring or the settings file [default: "
            "the keyring if there is one].",
        ),
    ] = None,
    org: Annotated[
        str,
        Parameter(group=CONNECTION, help="Organisation whose table [org.NAME] is to be written."),
    ] = "",
    settings: Annotated[
        Path | None,
        Parameter(
            group=CONNECTION,
            help="Settings file to write [env: HALFHOUR_SETTINGS; default: halfhour.toml here if "
            "it exists, else in ~/.config/halfhour].",
        ),
    ] = None,
    zone: Annotated[
        str,
        Parameter(
            group=TIME,
            help="IANA time zone of dates and times, such as Europe/London [default: that of the "
            "machine].",
        ),
    ] = "",
    store: Annotated[
        str,
        Parameter(
            group=STORE, help="Store, a DuckDB file [default: halfhour.duckdb in this folder]."
        ),
    ] = "",
    history: Annotated[
        str,
        Parameter(group=STORE, help="Length of time that a store begins with [default: 31d]."),
    ] = "",
    sync_: Annotated[
        bool | None,
        Parameter(
            name="--sync",
            negative="--no-sync",
            group=STORE,
            help="Fetch the first days at once [default: ask; no without a terminal].",
        ),
    ] = None,
) -> None:
    """Ask for region, OAuth client, time zone and store, test them, and write them down.

    What an option answers is not asked. The client secret is typed unseen; without
    a terminal it is GENESYS_CLIENT_SECRET, or a line of stdin. Run it again to
    change answers: nothing else in the settings file changes.
    """
    from halfhour.cli.console import log_retries, logging_to_stderr
    from halfhour.cli.init import set_up

    warn_of_unknown_variables()
    given = {"region": region, "client_id": client_id, "zone": zone, "store": store}
    log_retries()
    with logging_to_stderr():
        path, wants_sync = set_up(
            settings, org, {**given, "history": history}, secret_in=secret_in, wants_sync=sync_
        )
    if wants_sync:
        sync(connection=ConnectionOptions(org=(org,) if org else (), settings=path))


@app.command(name="settings")
def settings_(
    connection: ConnectionOptions | None = None,
    *,
    store: StorePath = None,
    zone: Annotated[
        str | None, Parameter(help="IANA time zone of dates and times, such as Europe/London.")
    ] = None,
    json: Annotated[bool, Parameter(group=OUTPUT, help="Print the settings as JSON.")] = False,
) -> None:
    """Show the settings in force, and where each one comes from.

    A secret is not shown, only whether it is there.
    """
    from halfhour.cli.console import logging_to_stderr
    from halfhour.cli.show_settings import print_settings

    connection = connection or ConnectionOptions()
    with logging_to_stderr():
        print_settings(
            connection.settings,
            connection.organization,
            {**connection.flags, "store": store, "zone": zone},
            as_json=json,
        )


@app.command
def password(file: Annotated[Path, Parameter(help="File to write.")]) -> None:
    """Write the hash of a password for the dashboard to a file.

    The password is asked for, or read from a pipe.
    """
    from halfhour.web.server import write_password_file

    write_password_file(file)


@app.command
def demo(
    *,
    agents: Annotated[int, Parameter(help="Number of agents in the contact centre.")] = 8,
    seed: Annotated[
        int, Parameter(help="Number that selects the contact centre; equal seeds give equal data.")
    ] = 1,
    open_: Annotated[
        bool,
        Parameter(name="--open", help="Open the report and the dashboard in the browser."),
    ] = False,
) -> None:
    """Show a report from an emulated Genesys Cloud on this machine. No account is needed.

    The report covers the last 24 hours. With --open it is a page in the browser
    too, and the dashboard and the emulator run until Ctrl-C.
    """
    from halfhour.cli.demo import running_emulator
    from halfhour.cli.demo_report import show_in_browser, show_on_screen

    question = RowOptions().to_question()
    with running_emulator("--agents", str(agents), "--seed", str(seed), "--days", "2") as settings:
        if open_:
            show_in_browser(question, settings)
        else:
            show_on_screen(question, settings)


@app.command(help_flags=[], version_flags=[])
def emulator(
    *options: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)],
) -> None:
    """Run an emulated Genesys Cloud on this machine; see halfhour emulator --help."""
    from halfhour.cli.demo import run_emulator

    sys.exit(run_emulator(options))


@app.command(name="--install-completion")
def install_completion(
    *,
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"] | None,
        Parameter(help="Shell [default: the one that runs this command]."),
    ] = None,
) -> None:
    """Install completion of commands and options in bash, zsh, fish or PowerShell."""
    from cyclopts.completion.detect import ShellDetectionError

    try:
        path = app.install_completion(shell=shell)
    except ShellDetectionError as error:
        raise ConfigError(f"{error}; name the shell with --shell") from error
    print(f"{path}: completion is installed; it works in new shells", file=sys.stderr)


_RAISING: Any = {"exit_on_error": False, "print_error": False, "result_action": "return_value"}
"""Options of the parser with which it raises errors, which `exit_codes` turns into messages."""


app.meta.help_flags = app.meta.version_flags = ()  # the emulator has a help of its own


@app.meta.default
def _run_command(
    *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    messages: MessageOptions | None = None,
) -> None:
    messages = messages or MessageOptions()
    if messages.quiet and messages.verbose:
        raise ConfigError("--quiet and --verbose exclude each other; give one of them")
    set_verbosity(quiet=messages.quiet, verbose=messages.verbose, debug=messages.debug)
    app(words, **_RAISING)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    words = sys.argv[1:] if arguments is None else arguments
    # The meta app parses all words twice, so it is left out where it has nothing to do.
    parser = app.meta if MESSAGE_FLAGS.intersection(words) else app
    begin_json_log(words)
    sys.meta_path.insert(0, _UnusedLibraryBlocker())
    try:
        run_and_exit(lambda: parser(words, **_RAISING))
    finally:
        _UnusedLibraryBlocker.uninstall()


class _UnusedLibraryBlocker:
    """Keep pyarrow from importing numpy and pandas where they are installed.

    Each takes as long as everything else that a command imports. The command line needs neither,
    but for Spark; the Python functions hide nothing, because their tables have `to_pandas`.
    """

    @classmethod
    def uninstall(cls) -> None:
        """Let all libraries be imported."""
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, cls)]

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname in ("numpy", "pandas"):
            raise ModuleNotFoundError(name=fullname)


def _store_to_read(path: Path | None, usual_path: Path, *, offline: bool) -> "Store | None":
    """Return the store at *path*, or at *usual_path* if it exists or *offline* needs a store."""
    from halfhour.store.store import Store

    return Store(path or usual_path) if path or offline or usual_path.exists() else None
