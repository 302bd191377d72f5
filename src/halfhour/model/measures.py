"""The catalogue of figures, and the measures, which divide one figure by another.

A row of `CATALOGUE` describes one figure. The select lists in `sql/`, the metrics that
halfhour requests and stores, the columns of tables, the data dictionary and docs/metrics.md are
made from these rows; docs/adding-a-figure.md shows how to add one.
A measure divides sums; it never averages quotients.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Literal

from halfhour.model.vocabulary import Basis, By, Source

SEGMENT_TYPES = tuple(
    "alert barging callback coaching contacting converting delay dialing hold interact ivr "
    "monitoring parked scheduled screenmonitoring sharing system transmitting unknown uploading "
    "voicemail wrapup".split()
)
"""The types of segments that the API's schema lists."""

WORK_SEGMENT_TYPES = ("contacting", "dialing", "interact", "hold", "wrapup")
"""The types of segments that are handle time."""
DIGITAL_MEDIA_TYPES = ("chat", "message", "email")
"""The media types in which an agent can hold one interaction and attend to another."""

COLUMN_DECIMALS = {"_sec": 3, "_ratio": 4, "_percent": 1}
"""Number of digits after the point, by the ending of a column's name."""

ALL_BASES = tuple(Basis)
POSTED_BASES = (Basis.POSTED, Basis.BOTH)
WORKED_BASES = (Basis.WORKED, Basis.BOTH)
BESIDE_POSTED = (Basis.BOTH,)
"""The basis of a worked figure that stands next to its posted counterpart."""

PER_INTERVAL = (By.INTERVAL,)
PER_AGENT = (By.INTERVAL, By.AGENT, By.DAY)
PER_DIMENSION = (*PER_AGENT, By.QUEUE, By.MEDIA)


class Tier(StrEnum):
    """The prominence of a column."""

    ALWAYS = "always"
    """Shown in every format."""
    ROOM = "room"
    """Shown in a table if it holds anything and the terminal has room; in files always."""
    FILE = "file"
    """Left out of tables and folded in workbooks; in files always."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition in SQL that selects the rows a figure counts, and the same *words* in prose.

    The words follow the name of the metric: "tHandle without a queue".
    """

    sql: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum that reports show as the column *name*, whose ending is its unit.

    On the posted basis it adds up *stat* of the Genesys *metric*, on the worked basis the time
    in segments of *segment_types*; a basis for which the row has neither lacks the column.
    *table* names the relation in `sql/` whose rows are added up. *groupings* lists the reports
    that have the column: none if the figure is only stored.
    """

    name: str
    meaning: str
    metric: str = ""
    stat: Literal["sum", "count", "mean"] = "sum"
    segment_types: Sequence[str] = ()
    rule: Rule | None = None
    table: Literal["figures", "worked", "callback_voice", "busy", "status", "capacity"] = "figures"
    bases: Collection[Basis] = ALL_BASES
    groupings: Collection[By] = PER_DIMENSION
    tier: Tier = Tier.ALWAYS
    sum_name: str = ""
    """The column in SQL, if it is not the name with `_ms` for `_time_sec`."""
    is_newer_than_store: bool = False
    """True if a store may hold days that halfhour read before it requested this metric.

    The figure is then null in every row that such a day is part of.
    """

    @property
    def sum_column(self) -> str:
        """The column in SQL that holds the sum: milliseconds or a count."""
        return self.sum_name or self.name.replace("_time_sec", "_ms")

    @property
    def source(self) -> Source | None:
        """The source of the figure; None if it is that of the report's basis."""
        match self.table:
            case "status":
                return Source.STATUS
            case "worked" | "callback_voice" | "busy":
                return Source.DETAILS
            case _:
                return None

    @property
    def is_stored(self) -> bool:
        """Tell whether posted and worked rows have a column of their own for the figure."""
        return self.table == "figures" and bool(self.metric) and not self.rule

    @property
    def counts_events(self) -> bool:
        """Tell whether the metric counts events: Genesys names it with an n, as nTransferred."""
        return self.metric.startswith("n")

    @property
    def posted_metric(self) -> str:
        """The posted metric in words, empty if there is none."""
        is_plain = self.stat == "sum" or self.counts_events
        metric = self.metric if is_plain else f"{self.stat} of {self.metric}"
        return self._with_rule_words(metric)

    @property
    def worked_segments(self) -> str:
        """The worked segments in words, empty if there are none."""
        segments = _join_words(self.segment_types)
        return self._with_rule_words(
            f"the union of {segments}" if self.table == "busy" else segments
        )

    def _with_rule_words(self, text: str) -> str:
        return f"{text} {self.rule.words}".rstrip() if text and self.rule else text


def _join_words(words: Sequence[str]) -> str:
    """Join *words* as prose does: "a, b and c"."""
    *others, last = words or [""]
    return f"{', '.join(others)} and {last}" if others else last


def sql_list(values: Sequence[str]) -> str:
    """Return *values* as a list of SQL texts in parentheses."""
    return "({})".format(", ".join(f"'{value}'" for value in values))


ON_DIGITAL_MEDIA = Rule(
    f"media_type in {sql_list(DIGITAL_MEDIA_TYPES)}",
    f"of {_join_words([f'{media}s' for media in DIGITAL_MEDIA_TYPES])}",
)
WITHOUT_QUEUE = Rule("queue_id is null", "without a queue")


def _status_figure(
    name: str, meaning: str, metric: str, condition: str, tier: Tier = Tier.FILE
) -> Figure:
    """Return a figure that adds up the time in the statuses that *condition* selects."""
    rule = Rule(condition)
    return Figure(name, meaning, metric, rule=rule, table="status", groupings=PER_AGENT, tier=tier)


CAPACITY_USED_COLUMN = "preview_capacity_used_percent"
CAPACITY_METRIC = "oAgentUtilizationPercentage"
OFFERED_METRIC = "nOffered"
STATUS_KINDS = {"tSystemPresence": "presence", "tAgentRoutingStatus": "routing"}
"""The metrics of user aggregates, each with its kind of status."""

CATALOGUE = (
    Figure(
        "handle_time_sec",
        "contacting, dialing, talk, hold and ACW together",
        "tHandle",
        segment_types=WORK_SEGMENT_TYPES,
    ),
    Figure("acw_time_sec", "after-call work", "tAcw", segment_types=("wrapup",)),
    Figure("hold_time_sec", "hold", "tHeldComplete", segment_types=("hold",)),
    Figure("talk_time_sec", "talk", "tTalkComplete", segment_types=("interact",), tier=Tier.FILE),
    Figure(
        "contacting_time_sec",
        "until the agent's own station was reached for an outbound call",
        "tContacting",
        segment_types=("contacting",),
        groupings=PER_INTERVAL,
        tier=Tier.FILE,
    ),
    Figure(
        "dialing_time_sec",
        "dialing",
        "tDialing",
        segment_types=("dialing",),
        groupings=PER_INTERVAL,
        tier=Tier.FILE,
    ),
    Figure(
        "alert_time_sec",
        "being offered an interaction",
        "tAlert",
        segment_types=("alert",),
        groupings=PER_INTERVAL,
        tier=Tier.FILE,
    ),
    Figure(
        "not_responding_time_sec",
        "offers that were not answered",
        "tNotResponding",
        bases=POSTED_BASES,
        groupings=PER_INTERVAL,
        tier=Tier.FILE,
    ),
    Figure(
        "digital_hold_time_sec",
        "the part of hold that was attention to other interactions",
        "tHeldComplete",
        segment_types=("hold",),
        rule=ON_DIGITAL_MEDIA,
        tier=Tier.FILE,
    ),
    Figure(
        "no_queue_time_sec",
        "the part of handle time that was for no queue: an agent's own calls, and being consulted "
        "by a colleague",
        "tHandle",
        segment_types=WORK_SEGMENT_TYPES,
        rule=WITHOUT_QUEUE,
        tier=Tier.FILE,
    ),
    Figure(
        "callback_voice_time_sec",
        "the time that a callback and the call it led to have in common, where it was worked: "
        "it is posted under callback and under voice, so posted figures have it twice",
        table="callback_voice",
        bases=POSTED_BASES,
        tier=Tier.ROOM,
    ),
    Figure(
        "handled_count",
        "interactions that were completed",
        "tHandle",
        "count",
        bases=POSTED_BASES,
        sum_name="handle_count",
    ),
    Figure(
        "answered_count",
        "interactions that were answered",
        "tAnswered",
        "count",
        bases=POSTED_BASES,
        tier=Tier.FILE,
    ),
    Figure(
        "transferred_count",
        "interactions that were passed on, by the agent who did so and when it was done",
        "nTransferred",
        "count",
        bases=POSTED_BASES,
        tier=Tier.FILE,
        is_newer_than_store=True,
    ),
    Figure("acw_count", "interactions with after-call work", "tAcw", "count", groupings=()),
    Figure("hold_count", "interactions with hold", "tHeldComplete", "count", groupings=()),
    Figure("not_responding_count", "offers not answered", "tNotResponding", "count", groupings=()),
    Figure(
        "worked_time_sec",
        "handle time as it was worked",
        segment_types=WORK_SEGMENT_TYPES,
        table="worked",
        bases=BESIDE_POSTED,
    ),
    *(
        Figure(
            name,
            f"{noun} as it was worked",
            segment_types=(segment_type,),
            table="worked",
            bases=BESIDE_POSTED,
            groupings=PER_INTERVAL,
            tier=Tier.FILE,
        )
        for name, noun, segment_type in (
            ("worked_talk_time_sec", "talk", "interact"),
            ("worked_hold_time_sec", "hold", "hold"),
            ("worked_acw_time_sec", "ACW", "wrapup"),
        )
    ),
    Figure(
        "busy_time_sec",
        "time at work: what goes on at the same time counts once, so it fits into the interval",
        segment_types=WORK_SEGMENT_TYPES,
        table="busy",
        bases=WORKED_BASES,
        groupings=PER_AGENT,
        tier=Tier.ROOM,
    ),
    _status_figure(
        "logged_in_time_sec",
        "any presence but OFFLINE",
        "tSystemPresence",
        "kind = 'presence' and status <> 'OFFLINE'",
    ),
    _status_figure(
        "on_queue_time_sec",
        "the presence ON_QUEUE",
        "tSystemPresence",
        "kind = 'presence' and status = 'ON_QUEUE'",
        Tier.ROOM,
    ),
    _status_figure(
        "interacting_time_sec",
        "the routing status INTERACTING, ACW included",
        "tAgentRoutingStatus",
        "kind = 'routing' and status = 'INTERACTING'",
    ),
    _status_figure(
        "idle_time_sec",
        "the routing status IDLE",
        "tAgentRoutingStatus",
        "kind = 'routing' and status = 'IDLE'",
    ),
    _status_figure(
        "communicating_time_sec",
        "the routing status COMMUNICATING: on a call of no queue",
        "tAgentRoutingStatus",
        "kind = 'routing' and status = 'COMMUNICATING'",
    ),
    _status_figure(
        "status_not_responding_time_sec",
        "the routing status NOT_RESPONDING",
        "tAgentRoutingStatus",
        "kind = 'routing' and status = 'NOT_RESPONDING'",
    ),
    Figure(
        CAPACITY_USED_COLUMN,
        "how much of what an agent can do at once was used, in per cent: a preview of Genesys, "
        "which may change any day and whose meaning is not documented; only where it is asked for",
        CAPACITY_METRIC,
        "mean",
        table="capacity",
        groupings=PER_INTERVAL,
    ),
)
"""All figures, in the order of a report's columns."""

FIGURES = tuple(figure for figure in CATALOGUE if figure.groupings)
"""The figures that reports show."""
STORED_FIGURES = tuple(figure for figure in CATALOGUE if figure.is_stored)
"""The figures of which posted and worked rows have a column."""

QUEUE_INTERVAL_COLUMNS = (
    "handled_count",
    "answered_count",
    "handle_time_sec",
    "talk_time_sec",
    "hold_time_sec",
    "acw_time_sec",
    "callback_voice_time_sec",
)
"""The figures by queue and interval, in the order that workforce management expects."""

DASHBOARD_COLUMNS = (
    "handle_time_sec",
    "talk_time_sec",
    "hold_time_sec",
    "acw_time_sec",
    "busy_time_sec",
    "on_queue_time_sec",
    "occupancy_ratio",
    "handled_count",
)
"""The columns that the dashboard can show, in the order of its choices."""


@cache
def dashboard_choices() -> Mapping[str, str]:
    """Return the columns that the dashboard can show, by their words in its address."""
    return {
        re.sub("_(time_sec|ratio|count)$", "", column).replace("_", "-"): column
        for column in DASHBOARD_COLUMNS
    }


@dataclass(frozen=True, slots=True)
class Measure:
    """The quotient ``sum(numerator) / sum(denominator)``, null if the denominator is zero.

    Both are sum columns of figures; the denominator may also be `available_ms`, the time that
    occupancy counts as available, or `interval_count`, the number of intervals in which there
    was handle time, ACW or hold.
    """

    name: str
    numerator: str
    denominator: str
    unit: Literal["s", "ratio"]
    source: str
    bases: Collection[Basis] = ALL_BASES
    tier: Tier = Tier.ALWAYS


INTERVAL_MEAN_SOURCE = "the mean over an agent's rows, as interval reports are usually averaged"
AHT_SOURCE = (
    "https://help.mypurecloud.com/articles/view-agent-performance-statistics: "
    "handle time per handled interaction"
)
SHARE_SOURCE = "https://help.mypurecloud.com/articles/select-and-manage-metrics: total over total"
TRANSFER_RATIO_SOURCE = (
    "named here for what divides what; one transfer counts when it is made, and the interaction "
    "once its handling is complete"
)
OCCUPANCY_SOURCE = (
    "https://community.genesys.com/discussion/does-occupancy-include-all-busy-time, where a "
    "consultant of Genesys explains that of its Agents views: interacting over interacting, "
    "communicating and idle"
)
STATUS_RATIO_SOURCE = "others call it occupancy or utilization; named here for what divides what"

OCCUPANCY = Measure(
    "occupancy_ratio",
    "interacting_ms",
    "available_ms",
    "ratio",
    OCCUPANCY_SOURCE,
    tier=Tier.ROOM,
)
STATUS_MEASURES = (
    OCCUPANCY,
    Measure(
        "interacting_per_on_queue_ratio",
        "interacting_ms",
        "on_queue_ms",
        "ratio",
        STATUS_RATIO_SOURCE,
        tier=Tier.FILE,
    ),
    Measure(
        "interacting_per_logged_in_ratio",
        "interacting_ms",
        "logged_in_ms",
        "ratio",
        STATUS_RATIO_SOURCE,
        tier=Tier.FILE,
    ),
)

DIMENSION_MEASURES = (
    Measure("aht_sec", "handle_ms", "handle_count", "s", AHT_SOURCE, POSTED_BASES),
    Measure("acw_share_ratio", "acw_ms", "handle_ms", "ratio", SHARE_SOURCE),
    Measure("hold_share_ratio", "hold_ms", "handle_ms", "ratio", SHARE_SOURCE),
    Measure(
        "transferred_per_handled_ratio",
        "transferred_count",
        "handle_count",
        "ratio",
        TRANSFER_RATIO_SOURCE,
        POSTED_BASES,
        Tier.FILE,
    ),
)
"""The measures that need neither status nor a number of intervals."""

AGENT_MEASURES = (
    Measure("handle_time_mean_sec", "handle_ms", "interval_count", "s", INTERVAL_MEAN_SOURCE),
    Measure("acw_time_mean_sec", "acw_ms", "interval_count", "s", INTERVAL_MEAN_SOURCE),
    Measure("hold_time_mean_sec", "hold_ms", "interval_count", "s", INTERVAL_MEAN_SOURCE),
    *DIMENSION_MEASURES,
    *STATUS_MEASURES,
)

_COLUMNS: tuple[Figure | Measure, ...] = (*FIGURES, *AGENT_MEASURES)

BASES_BY_COLUMN: Mapping[str, Collection[Basis]] = {
    "exceeds_interval": POSTED_BASES,
    **{row.name: row.bases for row in _COLUMNS},
}
"""The bases on which a column exists, all if the column is not listed."""


def columns_of_tier(tier: Tier) -> frozenset[str]:
    """Return the names of the figures and measures of *tier*."""
    return frozenset(row.name for row in _COLUMNS if row.tier is tier)
