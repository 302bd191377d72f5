"""The options that commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from halfhour.model.vocabulary import Basis, By, Format

if TYPE_CHECKING:
    from halfhour.cli.output import Output
    from halfhour.genesys.connection import Settings
    from halfhour.model.intervals import Interval
    from halfhour.model.question import Question


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """Where to ask, and as whom. The secret comes from GENESYS_CLIENT_SECRET or the file."""

    client_id: Annotated[str | None, Parameter(help="OAuth client [env: GENESYS_CLIENT_ID].")] = (
        None
    )
    region: Annotated[
        str | None,
        Parameter(
            help="AWS region, domain or base URL [env: GENESYS_REGION; default: mypurecloud.com]."
        ),
    ] = None
    settings: Annotated[
        Path | None,
        Parameter(help="Settings file [default: halfhour.toml, here or in ~/.config/halfhour]."),
    ] = None
    timeout: Annotated[
        float | None, Parameter(help="Seconds of silence before a request is given up [30].")
    ] = None
    attempts: Annotated[int | None, Parameter(help="How often a request is tried [5].")] = None
    max_requests_per_minute: Annotated[
        int | None, Parameter(help="Stay under it, where others share the client [the limit].")
    ] = None

    def __post_init__(self) -> None:
        """Raises ConfigError for a settings file that cannot be read or understood, even where
        nothing of it is needed in the end.
        """
        from halfhour import settings

        if self.settings:
            settings.validate_settings_file(self.settings)

    def resolve_settings(self) -> "Settings":
        """The settings in force. Raises what `settings.load` raises."""
        from halfhour import settings

        return settings.load_settings(
            file=self.settings,
            client_id=self.client_id,
            region=self.region,
            timeout=self.timeout,
            attempts=self.attempts,
            max_requests_per_minute=self.max_requests_per_minute,
        )


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class RangeOptions:
    """From when to when."""

    from_: Annotated[
        str | None,
        Parameter(name="--from", help="First half-hour: a date, a time, today or yesterday."),
    ] = None
    to: Annotated[
        str | None, Parameter(help="End, not included [default: the last full half-hour].")
    ] = None
    last: Annotated[str | None, Parameter(help="Length back from the end: 24h, 7d, 2w.")] = None
    zone: Annotated[str, Parameter(help="IANA time zone to read times in.")] = "UTC"

    @property
    def chosen_interval(self) -> "Interval | None":
        """What they ask for; None if nothing was typed. Raises ConfigError."""
        from halfhour.clock import utc_now
        from halfhour.model.time_ranges import parse_interval

        if not (self.from_ or self.to or self.last):
            return None
        return parse_interval(
            start=self.from_, end=self.to, last=self.last, zone=self.zone, now=utc_now()
        )


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """How it is written, and where to."""

    form: Annotated[
        Format | None,
        Parameter(name="--format", help="[default: by the ending of --output, else table]."),
    ] = None
    output: Annotated[Path | None, Parameter(help="File to write [default: stdout].")] = None
    pseudonyms: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Replace names and ids by those that HALFHOUR_PSEUDONYM_KEY makes of them.",
        ),
    ] = False

    def to_output(
        self, *, settings: Path | None = None, seconds: bool = False, layout: str = ""
    ) -> "Output":
        """What they ask for; *settings* is the file that may have the key. Raises ConfigError."""
        from halfhour.cli import output as shapes
        from halfhour.reports.pseudonyms import Pseudonymizer
        from halfhour.settings import load_pseudonym_key

        return shapes.Output(
            form=self.form or shapes.format_for_path(self.output),
            path=self.output,
            seconds=seconds,
            layout=layout,
            pseudonyms=Pseudonymizer(load_pseudonym_key(file=settings))
            if self.pseudonyms
            else None,
        )


StorePath = Annotated[Path, Parameter(name="--store", help="The store, one file.")]
DEFAULT_STORE = Path("halfhour.duckdb")


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class RowOptions(RangeOptions):
    """Which rows, and what one stands for."""

    last: Annotated[
        str | None, Parameter(help="Length back from the end: 90m, 24h, 7d, 2w [24h].")
    ] = None
    queue: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Queue name or id; repeatable.")
    ] = ()
    agent: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Agent name or id; repeatable.")
    ] = ()
    media: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Media type, such as voice; repeatable.")
    ] = ()
    division: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Division of agents, by name; repeatable.")
    ] = ()
    team: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Team of agents, by name; repeatable.")
    ] = ()
    zone: Annotated[
        str, Parameter(help="IANA time zone to read and write times in, such as Europe/London.")
    ] = "UTC"
    by: Annotated[
        By,
        Parameter(help="What a row stands for: day is day and agent."),
    ] = By.INTERVAL
    basis: Annotated[
        Basis, Parameter(help="As Genesys posts it, as it was worked, or both side by side.")
    ] = Basis.POSTED

    granularity: Annotated[
        Literal["15m", "30m"], Parameter(help="Length of the intervals that rows stand for.")
    ] = "30m"
    with_capacity: Annotated[
        bool,
        Parameter(negative=(), help="Add the capacity used, a preview that Genesys may change."),
    ] = False

    sort: Annotated[str, Parameter(help="Column to sort by; of figures the most first.")] = ""
    top: Annotated[int | None, Parameter(help="Only so many rows.")] = None

    def to_question(self) -> "Question":
        """What they ask. Raises ConfigError."""
        from halfhour.clock import utc_now
        from halfhour.model.question import Question

        return Question.parse(
            now=utc_now(),
            start=self.from_,
            end=self.to,
            last=self.last,
            zone=self.zone,
            queues=self.queue,
            agents=self.agent,
            media=self.media,
            divisions=self.division,
            teams=self.team,
            by=self.by,
            basis=self.basis,
            granularity=self.granularity,
            with_capacity=self.with_capacity,
            sort=self.sort,
            top=self.top,
        )
