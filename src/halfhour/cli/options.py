"""The options that commands share."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from cyclopts import Group, Parameter

from halfhour.cli import console
from halfhour.errors import ConfigError
from halfhour.model.vocabulary import Basis, By, Format, LogFormat
from halfhour.render import formats

if TYPE_CHECKING:
    from halfhour.cli.output import Output
    from halfhour.genesys.connection import Settings
    from halfhour.model.intervals import Interval
    from halfhour.model.question import Question
    from halfhour.organizations import Organization
    from halfhour.reports.pseudonyms import Pseudonymizer
    from halfhour.store.store import Store

OPTIONS = Group("Options", sort_key=0)
ROWS = Group("Rows", sort_key=1)
TIME = Group("Time", sort_key=2)
OUTPUT = Group("Output", sort_key=3)
STORE = Group("Store", sort_key=4)
CONNECTION = Group("Connection", sort_key=5)
MESSAGES = Group("Messages", sort_key=6)
QUIET, VERBOSE, DEBUG = ["--quiet", "-q"], ["--verbose", "-v"], ["--debug"]
MESSAGE_FLAGS = frozenset(QUIET + VERBOSE + DEBUG)

DEFAULT_ZONE = "UTC"
NO_ORGANIZATION = "default"
"""The name in the paths of files if no option names an organisation."""
StorePath = Annotated[
    Path | None,
    Parameter(
        name="--store",
        group=STORE,
        help="Store, a DuckDB file [default: the setting store, or halfhour.duckdb].",
    ),
]
LogFormatChoice = Annotated[
    LogFormat,
    Parameter(
        name="--log-format",
        group=OUTPUT,
        help="Format of messages on stderr: sentences, or one JSON object per line.",
    ),
]


def warn_of_unknown_variables() -> None:
    """Warn of variables that look like settings and are none; settings are about to be read."""
    from halfhour.settings.settings_file import describe_unknown_variables

    for sentence in describe_unknown_variables(os.environ):
        console.announce_early(logging.WARNING, sentence)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationOptions:
    """Options that choose organisations in a settings file."""

    org: Annotated[
        tuple[str, ...],
        Parameter(
            group=CONNECTION,
            help="Organisation, by the name of its table [org.NAME] in the settings file; "
            "repeatable, or all, for report, sync and serve.",
        ),
    ] = ()
    settings: Annotated[
        Path | None,
        Parameter(
            group=CONNECTION,
            help="Settings file [env: HALFHOUR_SETTINGS; default: halfhour.toml, here or in "
            "~/.config/halfhour].",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Raise ConfigError if the settings file is wrong, even if no setting is used later.

        A secret in it that others can read gets a warning, and so does a misspelt variable.
        """
        from halfhour import settings

        warn_of_unknown_variables()
        content = settings.read_checked_file(self.settings)
        if content.exposes_secret:
            text = (
                f"{content.path} holds a secret that other users of this machine can read: chmod "
                f"600 {content.path}"
            )
            console.announce_early(logging.WARNING, text)

    @property
    def are_several(self) -> bool:
        """True if several organisations are chosen, which "all" does even of one."""
        from halfhour import organizations

        return organizations.are_several(self.org)

    @property
    def organizations(self) -> "list[Organization]":
        """The chosen organisations. Raises ConfigError for one that is not in the settings file."""
        from halfhour import settings

        return settings.load_organizations(self.org, file=self.settings) if self.org else []

    def organizations_without(self, store: Path | None) -> "list[Organization]":
        """Return the `organizations`. Raises ConfigError if an option names a *store* for all."""
        if store:
            raise ConfigError(
                f"--store {store}: each organisation has a store of its own; leave out --store, or "
                "name one organisation"
            )
        return self.organizations

    def organizations_by_name(self, store: Path | None) -> "dict[str, Organization | None]":
        """Return several organisations by name; otherwise the one or none that is chosen by "".

        Raises ConfigError if an option names a *store* for several.
        """
        if self.are_several:
            return {entry.name: entry for entry in self.organizations_without(store)}
        return {"": self.organization}

    def common_value(self, name: str, flag: object = None) -> Any:
        """Return the value of the setting *name* that the chosen organisations have in common.

        *flag* is the value of an option. Raises ConfigError.
        """
        from halfhour import organizations

        values = {
            entry.name if entry else "": self.value_of(entry, name, flag)
            for entry in (*self.organizations,) or (None,)
        }
        return organizations.require_common_value(name, values)

    def common_choice(self, name: str, flag: tuple[str, ...]) -> tuple[str, ...]:
        """Return the `common_value` of a choice of rows, and tell of one that no option makes."""
        choice: tuple[str, ...] = self.common_value(name, flag)
        if choice and not flag:
            text = f"only {name} {', '.join(choice)}: the settings say so ('halfhour settings')"
            console.announce_early(logging.INFO, text)
        return choice

    def value_of(self, organization: "Organization | None", name: str, flag: object = None) -> Any:
        """Return the value of the setting *name*, of *organization* if there is one.

        *flag* is the value of an option. Raises ConfigError.
        """
        from halfhour import settings

        return settings.configured_value(name, flag, file=self.settings, org=organization)

    @property
    def organization(self) -> "Organization | None":
        """The chosen organisation, None if no option names one. Raises ConfigError for several."""
        self.require_one()
        return next(iter(self.organizations), None)

    def require_one(self) -> None:
        """Raise ConfigError if options name several organisations."""
        if self.are_several:
            raise ConfigError("--org: this command is for one organisation; name one")

    def resolve_store(self, path: Path | None) -> "Store":
        """Return the store at *path*, or the one of the settings. Raises ConfigError."""
        from halfhour.store.store import Store

        return Store(self.value_of(self.organization, "store", path))


def require_listed_organization(name: str) -> None:
    """Raise ConfigError if the settings file has organisations, and none of this *name*.

    Without organisations the name is a label, and `NO_ORGANIZATION` always is.
    """
    from halfhour import settings

    if name != NO_ORGANIZATION and settings.read_checked_file(None).organizations:
        OrganizationOptions(org=(name,)).organization  # noqa: B018  (it raises)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions(OrganizationOptions):
    """Options of the connection. The secret has none: it comes from the environment or a file."""

    client_id: Annotated[
        str | None,
        Parameter(group=CONNECTION, help="Id of the OAuth client [env: GENESYS_CLIENT_ID]."),
    ] = None
    region: Annotated[
        str | None,
        Parameter(
            group=CONNECTION,
            help="AWS region, domain or base URL [env: GENESYS_REGION; default: mypurecloud.com].",
        ),
    ] = None
    timeout: Annotated[
        float | None,
        Parameter(
            group=CONNECTION,
            help="Seconds without an answer after which a request fails [default: 30].",
        ),
    ] = None
    attempts: Annotated[
        int | None,
        Parameter(
            group=CONNECTION,
            help="Number of attempts per request, the first one included [default: 5].",
        ),
    ] = None
    max_requests_per_minute: Annotated[
        int | None,
        Parameter(
            group=CONNECTION,
            help="Number of requests per minute at most, to leave some for other programs that "
            "use the same OAuth client [default: the limit that Genesys sets].",
        ),
    ] = None

    @property
    def flags(self) -> dict[str, Any]:
        """The values of the options by the names of their settings."""
        return {
            "client_id": self.client_id,
            "region": self.region,
            "timeout": self.timeout,
            "attempts": self.attempts,
            "max_requests_per_minute": self.max_requests_per_minute,
        }

    def resolve_settings(self, organization: "Organization | None" = None) -> "Settings":
        """Return the settings in force, those of *organization* if there is one.

        Raises ConfigError and AuthError, as `settings.load_settings` does.
        """
        from halfhour import settings

        return settings.load_settings(file=self.settings, org=organization or "", **self.flags)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class UncheckedConnectionOptions(ConnectionOptions):
    """Options of the connection of a command that looks for mistakes in the settings file."""

    def __post_init__(self) -> None:
        """Leave the settings file unread."""
        warn_of_unknown_variables()


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOptions:
    """Options of the messages on stderr, which every command has."""

    quiet: Annotated[
        bool,
        Parameter(name=QUIET, group=MESSAGES, help="Show warnings and errors only."),
    ] = False
    verbose: Annotated[
        bool, Parameter(name=VERBOSE, group=MESSAGES, help="Explain every notice.")
    ] = False
    debug: Annotated[
        bool,
        Parameter(name=DEBUG, group=MESSAGES, help="Show where an unexpected error came from."),
    ] = False


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class RangeOptions:
    """Options of a time range."""

    from_: Annotated[
        str | None,
        Parameter(
            name="--from",
            group=TIME,
            help="Start of the range: a date, a time such as 2026-11-20T09:30, today or yesterday.",
        ),
    ] = None
    to: Annotated[
        str | None,
        Parameter(
            group=TIME,
            help="End of the range, not included [default: the end of the last full half-hour].",
        ),
    ] = None
    last: Annotated[
        str | None,
        Parameter(
            group=TIME,
            help="Length of the range, from --from on, or else back from its end: 90m, 24h, 1d12h, "
            "7d or 2w.",
        ),
    ] = None
    zone: Annotated[
        str | None,
        Parameter(
            group=TIME,
            help="IANA time zone of dates and times, such as Europe/London [default: the "
            "setting zone, or UTC].",
        ),
    ] = None

    def with_zone(self, zone: str) -> Self:
        """Return the options with *zone*."""
        return replace(self, zone=zone)

    @property
    def chosen_interval(self) -> "Interval | None":
        """The chosen range, None if no option of it is given. Raises ConfigError."""
        from halfhour.clock import utc_now
        from halfhour.model.time_ranges import parse_interval

        if not (self.from_ or self.to or self.last):
            return None
        return parse_interval(
            start=self.from_,
            end=self.to,
            last=self.last,
            zone=self.zone or DEFAULT_ZONE,
            now=utc_now(),
        )


def _format_parameter(choices: Iterable[Format], default: str) -> Parameter:
    return Parameter(
        name=["--format", "-f"],
        group=OUTPUT,
        show_choices=False,  # it would list the aliases too
        help=f"Output format: {', '.join(choices)} [default: by the suffix of --output, else "
        f"{default}].",
    )


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Options of the output's format and file."""

    form: Annotated[Format | None, _format_parameter(Format, "the setting format, or table")] = None
    output: Annotated[
        Path | None,
        Parameter(name=["--output", "-o"], group=OUTPUT, help="File to write [default: stdout]."),
    ] = None
    ids: Annotated[
        bool,
        Parameter(
            group=OUTPUT, help="Show ids beside names in a table; other formats always have them."
        ),
    ] = False
    pseudonyms: Annotated[
        bool,
        Parameter(
            group=OUTPUT,
            help="Replace names and ids by pseudonyms, made with the key in "
            "HALFHOUR_PSEUDONYM_KEY.",
        ),
    ] = False

    def with_settings(self, organization: OrganizationOptions) -> Self:
        """Return the options, with the format of the settings where no option decides it.

        Raises ConfigError.
        """
        if self.form or self.output:
            return self
        return replace(self, form=organization.common_value("format"))

    def to_output(
        self,
        *,
        settings: Path | None = None,
        organization: "Organization | None" = None,
        seconds: bool = False,
        layout: str = "",
    ) -> "Output":
        """Return the output. The key of pseudonyms may be in the *settings* file.

        Raises ConfigError.
        """
        from halfhour.cli.output import Output, format_for_path, require_fitting_suffix

        form = self.form or format_for_path(self.output)
        require_fitting_suffix(form, self.output)
        output = Output(
            form=form,
            path=self.output,
            seconds=seconds,
            ids=self.ids,
            layout=layout,
        )
        return replace(output, pseudonyms=self.load_pseudonyms(settings, organization))

    def load_pseudonyms(
        self, settings: Path | None, organization: "Organization | None"
    ) -> "Pseudonymizer | None":
        """Return the pseudonyms of *organization*, None if none are wanted. Raises ConfigError."""
        if not self.pseudonyms:
            return None
        from halfhour.reports.pseudonyms import Pseudonymizer
        from halfhour.settings import load_pseudonym_key

        return Pseudonymizer(load_pseudonym_key(file=settings, org=organization))


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class RowsOutputOptions(OutputOptions):
    """Options of the output of a command that shows rows of other tables than reports."""

    form: Annotated[Format | None, _format_parameter(formats.ROWS_FORMATS, "table")] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class RowOptions(RangeOptions):
    """Options of a report's rows: which ones, how they are grouped and in which order."""

    queue: Annotated[
        tuple[str, ...],
        Parameter(
            group=ROWS,
            help="Name or id of a queue; repeatable [default: the setting queues, or all].",
        ),
    ] = ()
    agent: Annotated[
        tuple[str, ...],
        Parameter(
            group=ROWS,
            help="Name or id of an agent; repeatable [default: the setting agents, or all].",
        ),
    ] = ()
    media: Annotated[
        tuple[str, ...], Parameter(group=ROWS, help="Media type, such as voice; repeatable.")
    ] = ()
    division: Annotated[
        tuple[str, ...],
        Parameter(
            group=ROWS,
            help="Name of the agents' division; repeatable [default: the setting divisions, or "
            "all].",
        ),
    ] = ()
    team: Annotated[
        tuple[str, ...], Parameter(group=ROWS, help="Name of the agents' team; repeatable.")
    ] = ()
    by: Annotated[
        By, Parameter(group=ROWS, help="One row per …; day is one row per agent and day.")
    ] = By.INTERVAL
    basis: Annotated[
        Basis | None,
        Parameter(
            group=ROWS,
            help="Basis of times: as Genesys posts them, as they were worked, or both side by "
            "side [default: the setting basis, or posted].",
        ),
    ] = None
    granularity: Annotated[
        Literal["15m", "30m"], Parameter(group=ROWS, help="Length of an interval.")
    ] = "30m"
    with_capacity: Annotated[
        bool,
        Parameter(
            group=ROWS,
            help="Add the share of their capacity that agents used, a preview feature that "
            "Genesys may change.",
        ),
    ] = False
    sort: Annotated[
        str,
        Parameter(group=ROWS, help="Column to sort by, such as aht; highest numbers first."),
    ] = ""
    top: Annotated[int | None, Parameter(group=ROWS, help="Number of rows at most.")] = None

    def with_settings(self, organization: OrganizationOptions) -> Self:
        """Return the options, with values of the settings where there are no options.

        Raises ConfigError.
        """
        return replace(
            self,
            zone=organization.common_value("zone", self.zone),
            queue=organization.common_choice("queues", self.queue),
            agent=organization.common_choice("agents", self.agent),
            division=organization.common_choice("divisions", self.division),
            basis=organization.common_value("basis", self.basis),
        )

    def to_question(self) -> "Question":
        """Return the question that the options ask now. Raises ConfigError."""
        from halfhour.clock import utc_now
        from halfhour.model.question import Question

        return Question.parse(
            now=utc_now(),
            start=self.from_,
            end=self.to,
            last=self.last,
            zone=self.zone or DEFAULT_ZONE,
            queues=self.queue,
            agents=self.agent,
            media=self.media,
            divisions=self.division,
            teams=self.team,
            by=self.by,
            basis=self.basis or Basis.POSTED,
            granularity=self.granularity,
            with_capacity=self.with_capacity,
            sort=self.sort,
            top=self.top,
        )
