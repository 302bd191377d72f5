"""The commands. Data goes to stdout, talk to stderr."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from halfhour._version import __version__
from halfhour.cli.exit_codes import run_and_exit
from halfhour.cli.options import (
    DEFAULT_STORE,
    ConnectionOptions,
    OutputOptions,
    RangeOptions,
    RowOptions,
    StorePath,
)
from halfhour.errors import ConfigError
from halfhour.model.vocabulary import LogFormat, Source

if TYPE_CHECKING:
    from types import ModuleType

    from halfhour.store.store import Store


app = App(
    name="halfhour",
    help="What every agent did, half-hour by half-hour, from Genesys Cloud.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
)


@app.command
def report(
    rows: RowOptions | None = None,
    connection: ConnectionOptions | None = None,
    written: OutputOptions | None = None,
    *,
    layout: Annotated[
        str, Parameter(help="Of --format wfm: generic, scorecard, genesys-wfm, or a file.")
    ] = "",
    store: Annotated[
        Path | None,
        Parameter(
            help="Store to answer from, which is brought up to date [halfhour.duckdb, if there]."
        ),
    ] = None,
    offline: Annotated[bool, Parameter(negative=(), help="Only read the store.")] = False,
    seconds: Annotated[
        bool, Parameter(negative=(), help="Show seconds in a table, to the millisecond.")
    ] = False,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show the requests as JSON and send none.")
    ] = False,
) -> None:
    """Show handle, after-call work and hold time of agents.

    Posted basis: a value lies whole in the interval in which it was
    completed, as in the Genesys UI, so a half-hour can hold more than 1,800 s.
    Worked basis: what lies in the interval of the work, cut at its edges.
    """
    from halfhour import settings
    from halfhour.cli import report as show
    from halfhour.service import Access

    rows, connection = rows or RowOptions(), connection or ConnectionOptions()
    question = rows.to_question()
    written = written or OutputOptions()
    shape = written.to_output(settings=connection.settings, seconds=seconds, layout=layout)
    held = _store_to_read(store, offline=offline)
    if dry_run:
        hosts = settings.configured_hosts(file=connection.settings, region=connection.region)
        show.print_requests(shape.adapt_question(question), hosts)
        return
    access = Access(
        load_settings=connection.resolve_settings,
        store=held,
        offline=offline,
        pseudonyms=shape.pseudonyms,
    )
    show.write_report(question, access, shape)


@app.command
def sync(
    range_: RangeOptions | None = None,
    connection: ConnectionOptions | None = None,
    *,
    store: StorePath = DEFAULT_STORE,
    granularity: Annotated[
        Literal["15m", "30m"] | None,
        Parameter(help="Of a new store; 15m for zones whose half-hours start at :15 or :45 [30m]."),
    ] = None,
    reread: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(),
            help="Read days again so long after their end [1d and 4d]; now: all of the range.",
        ),
    ] = (),
    source: Annotated[
        tuple[Source, ...],
        Parameter(negative=(), help="Only read this; repeatable [all that the client may]."),
    ] = (),
    watch: Annotated[str | None, Parameter(help="Go on for ever, every 15m or so.")] = None,
    keep: Annotated[str | None, Parameter(help="Let go of days that are older, as 400d.")] = None,
    log_format: Annotated[
        LogFormat, Parameter(help="For people, or JSON by the line.")
    ] = LogFormat.TEXT,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show as JSON what is due and send nothing.")
    ] = False,
) -> None:
    """Bring a store up to date. Safe to end anywhere, and to run again at any time.

    Without a range: all days since the first that is held (31 days for a new
    store), as far as they are missing, unfinished, or due to be read again.
    """
    from halfhour.cli import console
    from halfhour.cli import sync as syncs
    from halfhour.model import time_ranges
    from halfhour.settings import configured_request_rate
    from halfhour.store.store import Store
    from halfhour.syncing.planner import SyncRequest

    range_, connection, held = (
        range_ or RangeOptions(),
        connection or ConnectionOptions(),
        Store(store),
    )
    width = time_ranges.parse_duration("granularity", granularity) if granularity else None
    ages = (
        tuple(time_ranges.parse_duration("reread", text) for text in reread if text != "now")
        or None
    )

    def wish() -> SyncRequest:
        sources = tuple(dict.fromkeys(source)) or None
        return SyncRequest(range_.chosen_interval, sources, width, ages, reread_all="now" in reread)

    kept = time_ranges.parse_duration("keep", keep) if keep else None
    every = time_ranges.parse_duration("watch", watch) if watch else None
    if every and "now" in reread:
        raise ConfigError("--reread now: it would read all days again for ever; leave out --watch")
    if dry_run:
        allowed = configured_request_rate(connection.settings, connection.max_requests_per_minute)
        syncs.print_due_windows(held, wish(), allowed)
        return
    settings = connection.resolve_settings()
    with console.logging_to_stderr(log_format):
        if every:
            syncs.sync_repeatedly(settings, held, wish, kept, every)
        syncs.sync_once(settings, held, wish(), kept)


@app.command(name="import")
def import_(
    files: Annotated[list[Path], Parameter(negative=(), help="JSON or NDJSON, gzipped or not.")],
    /,
    range_: RangeOptions | None = None,
    *,
    store: StorePath = DEFAULT_STORE,
    log_format: Annotated[
        LogFormat, Parameter(help="For people, or JSON by the line.")
    ] = LogFormat.TEXT,
) -> None:
    """Read conversation details into a store that a details job or query has left in files.

    They are taken for all there was of the days (UTC) in which their conversations began;
    say with --from and --to if other days are complete, or are to replace what is held.
    """
    from halfhour.cli import console
    from halfhour.cli import sync as syncs
    from halfhour.store.store import Store

    with console.logging_to_stderr(log_format):
        syncs.import_with_progress(Store(store), files, (range_ or RangeOptions()).chosen_interval)


@app.command
def coverage(
    range_: RangeOptions | None = None,
    written: OutputOptions | None = None,
    *,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Show what a store holds of each day: settled, provisional, unfinished or missing."""
    from halfhour.cli import inspect
    from halfhour.store.store import Store

    inspect.write_coverage(
        Store(store),
        (range_ or RangeOptions()).chosen_interval,
        (written or OutputOptions()).to_output(),
    )


@app.command
def revisions(
    range_: RangeOptions | None = None,
    written: OutputOptions | None = None,
    *,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Show what Genesys has changed since it was first read, figure by figure."""
    from halfhour.cli import inspect
    from halfhour.store.store import Store

    inspect.write_revisions(
        Store(store),
        (range_ or RangeOptions()).chosen_interval,
        (written or OutputOptions()).to_output(),
    )


@app.command
def reconcile(
    range_: RangeOptions | None = None,
    written: OutputOptions | None = None,
    *,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Show how posted and worked handle time differ by agent and day (UTC), and why.

    In milliseconds: posted as aggregates say, rebuilt from what conversation
    details have posted, worked as segments lie in the day.
    """
    from halfhour.cli import inspect
    from halfhour.store.store import Store

    inspect.write_reconciliation(
        Store(store),
        (range_ or RangeOptions()).chosen_interval,
        (written or OutputOptions()).to_output(),
    )


@app.command
def serve(
    connection: ConnectionOptions | None = None,
    *,
    store: StorePath = DEFAULT_STORE,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on.")] = 8030,
    zone: Annotated[str, Parameter(help="IANA time zone of days and times.")] = "UTC",
    sync_: Annotated[
        str | None, Parameter(name="--sync", help="Keep the store fresh, every 15m or so.")
    ] = None,
    password_file: Annotated[
        Path | None, Parameter(help="File with the hash of the password that lets people in.")
    ] = None,
    name: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="Host name that people reach it by; repeatable."),
    ] = (),
    proxy: Annotated[str | None, Parameter(help="Address of a proxy that is believed.")] = None,
) -> None:
    """Serve the dashboard of a store: the day as a heat map, in a browser."""
    from halfhour.cli import console
    from halfhour.model import time_ranges
    from halfhour.store.store import Store

    run = _import_dashboard().serve_dashboard
    with console.logging_to_stderr():
        run(
            (connection or ConnectionOptions()).resolve_settings,
            Store(store),
            host=host,
            port=port,
            zone=zone,
            password_file=password_file,
            names=name,
            proxy=proxy,
            every=time_ranges.parse_duration("sync", sync_) if sync_ else None,
        )


@app.command
def password(file: Path) -> None:
    """Ask for a password, or read it from a pipe, and write its hash to FILE, for serve."""
    _import_dashboard().write_password_file(file)


def _import_dashboard() -> "ModuleType":
    try:
        from halfhour.web import server
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the dashboard needs more packages: pip install 'halfhour[dashboard]' ({error})"
        ) from error
    return server


@app.command
def demo(
    *,
    agents: Annotated[int, Parameter(help="Agents in the contact centre.")] = 8,
    seed: Annotated[int, Parameter(help="Which contact centre.")] = 1,
) -> None:
    """Show the last 24 hours of a Genesys Cloud on this machine: no account needed."""
    from halfhour.cli import report as show
    from halfhour.cli.demo import running_emulator
    from halfhour.cli.output import Output
    from halfhour.service import Access

    question = RowOptions().to_question()
    with running_emulator("--agents", str(agents), "--seed", str(seed), "--days", "2") as settings:
        show.write_report(question, Access(load_settings=lambda: settings), Output())


@app.command(help_flags=[], version_flags=[])
def emulator(
    *options: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)],
) -> None:
    """Run a Genesys Cloud on this machine (its own options: halfhour emulator --help)."""
    from halfhour.cli.demo import run_emulator

    sys.exit(run_emulator(options))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    sys.meta_path.insert(0, _PandasBlocker())
    run_and_exit(
        lambda: app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    )


class _PandasBlocker(MetaPathFinder):
    """Wherever pandas is installed pyarrow imports it, which takes as long as all else we do."""

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def _store_to_read(named: Path | None, *, offline: bool) -> "Store | None":
    """The store that is named, or else the usual one if there is one, or if nothing else may be
    asked.
    """
    from halfhour.store.store import Store

    return Store(named or DEFAULT_STORE) if named or offline or DEFAULT_STORE.exists() else None
