"""The command ``halfhour sync`` for several organisations: their processes, states and summary."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

from halfhour import settings
from halfhour.cli.console import early_messages, log_table, logging_to_stderr
from halfhour.cli.exit_codes import SyncsFailed, announce_error
from halfhour.cli.organizations.display import show_states
from halfhour.cli.organizations.messages import option_words, parse_message
from halfhour.cli.organizations.processes import Command, ProcessGroup
from halfhour.cli.organizations.summary import (
    SyncSummary,
    describe_failures,
    describe_memory,
    exit_code_of_failures,
    peak_megabytes,
    summary_table,
)
from halfhour.cli.sync import wait_for_next
from halfhour.errors import ConfigError
from halfhour.model.vocabulary import LogFormat
from halfhour.organizations import Organization
from halfhour.render.table import render_text_tables

log = logging.getLogger("halfhour")


def sync_organizations(
    organizations: Sequence[Organization],
    options: Mapping[str, object],
    at_once: int,
    *,
    watch: timedelta | None = None,
    log_format: LogFormat = LogFormat.TEXT,
) -> None:
    """Sync *organizations* with *options*, at every full interval of *watch* if there is one.

    At most *at_once* are synced at the same time. Raises SyncsFailed if some failed and there is
    no *watch*.
    """
    if at_once < 1:
        raise ConfigError(f"--at-once {at_once}: write a number above 0")
    with logging_to_stderr(log_format):
        _warn_of_clashes(organizations)
        while True:
            try:
                _sync_each(organizations, options, at_once)
            except SyncsFailed as error:
                if not watch:
                    raise
                announce_error(error)
            if not watch:
                return
            wait_for_next(watch)


def _sync_each(
    organizations: Sequence[Organization], options: Mapping[str, object], at_once: int
) -> None:
    """Sync each of *organizations* in a process, and log the summary, also if interrupted.

    One that fails does not stop the others. Raises SyncsFailed if some failed.
    """
    summaries = {entry.name: SyncSummary(entry.name) for entry in organizations}
    try:
        with show_states() as show_message:

            def on_line(name: str, line: str) -> None:
                message = parse_message(line)
                if (message.level, message.text) in early_messages:  # said once for all
                    return
                summaries[name].add_message(message)
                show_message(name, message)

            def on_end(name: str, return_code: int, peak: int | None) -> None:
                memory = None if peak is None else peak_megabytes(peak, sys.platform)
                summaries[name].end(return_code, memory)

            ProcessGroup(at_once, on_line, on_end).run(
                {entry.name: _sync_command(entry, options) for entry in organizations}
            )
    finally:
        _log_summary([*summaries.values()], at_once)
    if failures := describe_failures([*summaries.values()]):
        raise SyncsFailed(failures, exit_code_of_failures(summaries.values()))


def _warn_of_clashes(organizations: Sequence[Organization]) -> None:
    """Log once which variables of the environment the *organizations* overrule."""
    clashes = {entry.title: settings.clashing_variables(entry) for entry in organizations}
    if variables := list(dict.fromkeys(name for names in clashes.values() for name in names)):
        titles = " and ".join(title for title, names in clashes.items() if names)
        log.warning("%s", settings.describe_clashes(variables, titles, organizations[0].path))


def _sync_command(organization: Organization, options: Mapping[str, object]) -> Command:
    """Return the sync of *organization*, without the variables that it would only warn of."""
    overruled = settings.clashing_variables(organization)
    environment = {name: value for name, value in os.environ.items() if name not in overruled}
    chosen = {**options, "org": organization.name, "log_format": "json"}
    return Command(["sync", *option_words(chosen)], environment)


def _log_summary(summaries: Sequence[SyncSummary], at_once: int) -> None:
    events = [{"event": "summary", **summary.as_row()} for summary in summaries]
    log_table(render_text_tables([summary_table(summaries)]), events)
    if memory := describe_memory(summaries, at_once):
        log.info("%s", memory)
