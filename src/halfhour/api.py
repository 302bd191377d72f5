"""The Python functions: the rows of the command line, as Arrow tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from halfhour.clock import utc_now
from halfhour.errors import ConfigError, Incomplete, install_command
from halfhour.genesys.connection import Settings
from halfhour.model import time_ranges
from halfhour.model.coverage import DayCoverage, require_complete_coverage
from halfhour.model.question import Question
from halfhour.model.vocabulary import Source
from halfhour.organizations import Organization, are_several, require_common_value
from halfhour.reports import questions
from halfhour.reports.pseudonyms import Pseudonymizer
from halfhour.service import Access, Part, answer, run_async
from halfhour.settings import configured_value, load_organizations, load_settings
from halfhour.store.store import Store
from halfhour.syncing import runner
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Event, EventCallback, Outcome

if TYPE_CHECKING:
    from dlt.extract import DltSource

__all__ = ["Event", "Outcome", "Settings", "dlt_source", "load_settings", "report", "sync"]


def report(
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    last: str | None = None,
    queues: str | Sequence[str] = (),
    agents: str | Sequence[str] = (),
    media: str | Sequence[str] = (),
    divisions: str | Sequence[str] = (),
    teams: str | Sequence[str] = (),
    zone: str | None = None,
    by: Literal["interval", "agent", "queue", "media", "day", "queue-interval"] = "interval",
    basis: Literal["posted", "worked", "both"] = "posted",
    granularity: Literal["15m", "30m"] = "30m",
    with_capacity: bool = False,
    sort: str = "",
    top: int | None = None,
    pseudonym_key: str = "",
    org: str | Sequence[str] = (),
    settings: Settings | None = None,
    store: str | Path | None = None,
    offline: bool = False,
) -> pa.Table:
    """Return the figures of each agent, by half-hour or over the whole range.

    The range from *start* to *end* is half-open and on half-hours; times without an offset are in
    *zone*; if it is not given, in that of the settings, which is UTC until one is set. *last* is a
    length such as ``"24h"`` or ``"7d"``. Without any of the three the range is the 24 full hours
    before now. *queues* and *agents* are names or ids, *divisions* and *teams* are the names of
    the agents' divisions and teams; a single text is one name. *granularity* is the length of
    intervals. *with_capacity* adds `preview_capacity_used_percent`. *settings* are loaded from the
    environment and the settings file (`load_settings`) if they are not given. A *store* is first
    brought up to date, unless *offline*, and then gives the data; if Genesys cannot be reached, a
    warning is logged and the stored data is the answer.

    *org* names an organisation of the settings file, which gives the settings, and the store if
    that exists. Several names, or ``"all"``, give one table with the name in a first column,
    `org`; its rows are those of one organisation after the other unless *sort* orders them.

    ``by="interval"``: one row per interval and agent with activity, sorted by interval, name and
    id. Columns: `interval_start` and `interval_end` (timestamp[ms] in *zone*), `agent_id`,
    `agent_name`, then `handle_time_sec`, `acw_time_sec`, `hold_time_sec` and more `_time_sec`
    (float64 seconds, exact to the millisecond), `_count` (int64), `exceeds_interval` (bool),
    `provisional` (bool: Genesys may still correct the row) and `basis`. On the posted basis a
    value lies whole in the interval in which it was completed, so a half-hour can have more than
    1,800 seconds.

    ``by="agent"``: one row per agent with the totals, the means per interval with posted
    figures, AHT (`aht_sec`), and `acw_share_ratio` and `hold_share_ratio` of handle time; null
    if the divisor is zero.

    ``by="day"``: the same per local day of *zone* and agent. ``by="queue"`` and ``by="media"``:
    totals of the figures that a queue or media type has, the most handle time first.
    ``by="queue-interval"``: intervals of queues and media types. A *pseudonym_key* replaces names
    and ids. *sort* is the column to sort by, *top* the number of rows to keep.

    Raises ConfigError, AuthError, ApiError, Unreachable, UnexpectedAnswer or StoreError, each with
    a message that says what to do. Raises Incomplete if the store lacks a part of the range; the
    error's `table` has the rows of the stored part.
    """
    names = [org] if isinstance(org, str) and org else [*org]
    chosen = _choose_organizations(names, settings, store)
    question = Question.parse(
        now=utc_now(),
        start=start,
        end=end,
        last=last,
        zone=_common_zone(zone, chosen),
        by=by,
        basis=basis,
        granularity=granularity,
        queues=queues,
        agents=agents,
        media=media,
        divisions=divisions,
        teams=teams,
        with_capacity=with_capacity,
        sort=sort,
        top=top,
    )
    questions.validate_sort(question)
    tables, reasons = [], []
    for organization in chosen:
        access = Access(
            load_settings=partial(_load_settings, settings, organization),
            store=_store_to_read(store, organization, offline=offline),
            offline=offline,
            pseudonyms=Pseudonymizer(pseudonym_key) if pseudonym_key else None,
        )
        name = organization.name if organization and are_several(names) else ""
        try:
            tables.append(_answer_report(question, access, name))
        except Incomplete as error:
            tables.append(error.table)
            reasons.append(f"{name}: {error}" if name else str(error))
    table = tables[0]
    if len(tables) > 1:
        table = questions.sort_and_limit(pa.concat_tables(tables), question)
    if reasons:
        incomplete = Incomplete("\n  ".join(reasons))
        incomplete.table = table
        raise incomplete
    return table


def _answer_report(question: Question, access: Access, organization: str) -> pa.Table:
    """Return the report, with a column of the name of an *organization* if it is not empty.

    Raises Incomplete, which has the table, if data is missing.
    """

    def build(part: Part) -> tuple[pa.Table, Mapping[Source, Sequence[DayCoverage]]]:
        table = questions.build_report(question, part.data)
        if organization:
            table = questions.name_organization(table, organization)
        return table, part.data.days_by_source

    ((table, days_by_source),) = answer(question, access, build)
    try:
        require_complete_coverage(
            {source: days_by_source[source] for source in question.required_sources},
            question.interval,
        )
    except Incomplete as error:
        error.table = table
        raise
    return table


def _choose_organizations(
    names: Sequence[str], settings: Settings | None, store: str | Path | None
) -> Sequence[Organization | None]:
    """Return the organisations of *names*, and None in their place if there are no names.

    Raises ConfigError if *settings*, or a *store* for several, are given besides.
    """
    if names and settings:
        raise ConfigError("⟨org⟩ and ⟨settings⟩ both choose a connection; give one of them")
    if store and are_several(names):
        raise ConfigError("⟨store⟩: each organisation has a store of its own; leave out ⟨store⟩")
    return load_organizations(names) if names else [None]


def _load_settings(settings: Settings | None, organization: Organization | None) -> Settings:
    return settings or load_settings(org=organization or "")


def _store_to_read(
    store: str | Path | None, organization: Organization | None, *, offline: bool
) -> Store | None:
    if store:
        return Store(Path(store))
    if organization and (offline or organization.store_path.exists()):
        return Store(organization.store_path)
    return None


def _common_zone(zone: str | None, chosen: Sequence[Organization | None]) -> str:
    if zone:
        return zone
    values = {entry.name if entry else "": configured_value("zone", org=entry) for entry in chosen}
    return str(require_common_value("zone", values))


def sync(
    store: str | Path | None = None,
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    last: str | None = None,
    zone: str | None = None,
    org: str = "",
    settings: Settings | None = None,
    tell: EventCallback | None = None,
) -> Outcome:
    """Bring *store* up to date and return the outcome.

    *org* names an organisation of the settings file, which gives the settings, the zone and the
    store if they are not given. Without it they are those of the settings. Call it once for each
    organisation: several at once are processes of their own ('halfhour sync').

    Without a range it reads the days since the first stored one, or the last 31 days into a new
    store (or those of the setting `history`), that are missing, unfinished or due to be read again.
    *tell* is called with each `halfhour.Event`.

    Raises the errors of `report`, and Incomplete if some days could not be fetched. The others
    are kept, and the next call fetches the missing ones.
    """
    if are_several([org]):
        raise ConfigError(f"⟨org⟩ {org}: a sync in Python is of one organisation; name one")
    (organization,) = _choose_organizations([org] if org else [], settings, store)
    interval = None
    if start or end or last:
        interval = time_ranges.parse_interval(
            start=start,
            end=end,
            last=last,
            zone=_common_zone(zone, [organization]),
            now=utc_now(),
        )
    outcome = run_async(
        runner.run_sync(
            _load_settings(settings, organization),
            Store(configured_value("store", store, org=organization)),
            SyncRequest(interval, history=configured_value("history", org=organization)),
            utc_now,
            tell or (lambda event: None),
        )
    )
    outcome.raise_if_incomplete()
    return outcome


def dlt_source(store: str | Path, *, delete_missing: bool = False) -> "DltSource":
    """Return a source for a pipeline of dlt, with the tables of ``halfhour load``.

    Each table is a resource and has two columns more: *part*, the source and day that the row is
    of, which dlt replaces whole, and *deleted*, which is true only in rows on their way. A run
    sends what has changed in *store* since the last one, and deletes what the store has let go of.
    It stops before it deletes more than half of the days that are there, unless *delete_missing*.

    Raises ConfigError if dlt is not installed or the store does not know its organisation, and
    StoreError. The error of a pipeline has a ConfigError as its cause's cause if dlt would append
    to its destination instead of replacing rows, as in files.
    """
    try:
        from halfhour.loading.dlt_source import build_source
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a source for dlt needs more packages: {install_command('dlt')} ({error})"
        ) from error
    return build_source(Store(Path(store)), utc_now, delete_missing=delete_missing)
