"""What the columns of reports mean, as data: figures, and measures, which are one over another.

The sums are divided, never the quotients averaged.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from halfhour.model.vocabulary import Basis, Source

_POSTED_BASES = (Basis.POSTED, Basis.BOTH)
_BOTH_BASES_ONLY = (Basis.BOTH,)


@dataclass(frozen=True, slots=True)
class Figure:
    """A column that is a sum: which metric of Genesys it is on the posted basis, and which
    segments of conversations on the worked one; empty where that basis has nothing for it.
    """

    name: str
    meaning: str
    posted_metric: str = ""
    worked_segments: str = ""
    source: Source | None = None
    """Where it always comes from, whatever the basis."""
    bases: Collection[Basis] = tuple(Basis)
    """On which it is a column."""


_WORK_SEGMENTS = "contacting, dialing, interact, hold and wrapup"
_DIGITAL_MEDIA = "of chats, messages and emails"
_STATUS_SOURCE, _DETAILS_SOURCE = Source.STATUS, Source.DETAILS

CAPACITY_USED_COLUMN = "preview_capacity_used_percent"

FIGURES = (
    Figure(
        "handle_time_sec",
        "contacting, dialing, talk, hold and ACW together",
        "tHandle",
        _WORK_SEGMENTS,
    ),
    Figure("acw_time_sec", "after-call work", "tAcw", "wrapup"),
    Figure("hold_time_sec", "hold", "tHeldComplete", "hold"),
    Figure("talk_time_sec", "talk", "tTalkComplete", "interact"),
    Figure(
        "contacting_time_sec",
        "until the agent's own station was reached for an outbound call",
        "tContacting",
        "contacting",
    ),
    Figure("dialing_time_sec", "dialing", "tDialing", "dialing"),
    Figure("alert_time_sec", "being offered an interaction", "tAlert", "alert"),
    Figure(
        "not_responding_time_sec",
        "offers that were not answered",
        "tNotResponding",
        bases=_POSTED_BASES,
    ),
    Figure(
        "digital_hold_time_sec",
        "the part of hold that was attention to other interactions",
        f"tHeldComplete {_DIGITAL_MEDIA}",
        f"hold {_DIGITAL_MEDIA}",
    ),
    Figure(
        "no_queue_time_sec",
        "the part of handle time that was for no queue: an agent's own calls, and being consulted "
        "by a colleague",
        "tHandle without a queue",
        f"{_WORK_SEGMENTS} without a queue",
    ),
    Figure(
        "callback_voice_time_sec",
        "the time that a callback and the call it led to have in common, where it was worked: "
        "it is posted under callback and under voice, so posted figures have it twice",
        source=_DETAILS_SOURCE,
        bases=_POSTED_BASES,
    ),
    Figure(
        "handled_count", "interactions that were completed", "count of tHandle", bases=_POSTED_BASES
    ),
    Figure(
        "answered_count",
        "interactions that were answered",
        "count of tAnswered",
        bases=_POSTED_BASES,
    ),
    Figure(
        "transferred_count",
        "interactions that were passed on, by the agent who did so and when it was done",
        "nTransferred",
        bases=_POSTED_BASES,
    ),
    *(
        Figure(name, f"{what} as it was worked", "", segments, _DETAILS_SOURCE, _BOTH_BASES_ONLY)
        for name, what, segments in (
            ("worked_time_sec", "handle time", _WORK_SEGMENTS),
            ("worked_talk_time_sec", "talk", "interact"),
            ("worked_hold_time_sec", "hold", "hold"),
            ("worked_acw_time_sec", "ACW", "wrapup"),
        )
    ),
    Figure(
        "busy_time_sec",
        "time at work: what goes on at the same time counts once, so it fits into the interval",
        worked_segments=f"the union of {_WORK_SEGMENTS}",
        source=_DETAILS_SOURCE,
        bases=(Basis.WORKED, Basis.BOTH),
    ),
    Figure(
        "logged_in_time_sec", "any presence but OFFLINE", "tSystemPresence", source=_STATUS_SOURCE
    ),
    Figure("on_queue_time_sec", "the presence ON_QUEUE", "tSystemPresence", source=_STATUS_SOURCE),
    Figure(
        "interacting_time_sec",
        "the routing status INTERACTING, ACW included",
        "tAgentRoutingStatus",
        source=_STATUS_SOURCE,
    ),
    Figure(
        "idle_time_sec", "the routing status IDLE", "tAgentRoutingStatus", source=_STATUS_SOURCE
    ),
    Figure(
        "communicating_time_sec",
        "the routing status COMMUNICATING: on a call of no queue",
        "tAgentRoutingStatus",
        source=_STATUS_SOURCE,
    ),
    Figure(
        "status_not_responding_time_sec",
        "the routing status NOT_RESPONDING",
        "tAgentRoutingStatus",
        source=_STATUS_SOURCE,
    ),
    Figure(
        CAPACITY_USED_COLUMN,
        "how much of what an agent can do at once was used, in per cent: a preview of Genesys, "
        "which may change any day and whose meaning is not documented; only where it is asked for",
        "mean of oAgentUtilizationPercentage",
    ),
)


@dataclass(frozen=True, slots=True)
class Measure:
    """``sum(over) / sum(per)``; null where nothing lies below the line.

    *over* and *per* are columns of a basis or of status; *per* may also be
    `interval_count`, the intervals in which there was handle time, ACW or hold.
    """

    name: str
    numerator: str
    denominator: str
    unit: Literal["s", "ratio"]
    source: str
    bases: Collection[Basis] = tuple(Basis)


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

OCCUPANCY = Measure("occupancy_ratio", "interacting_ms", "available_ms", "ratio", OCCUPANCY_SOURCE)
STATUS_MEASURES = (
    OCCUPANCY,
    Measure(
        "interacting_per_on_queue_ratio",
        "interacting_ms",
        "on_queue_ms",
        "ratio",
        STATUS_RATIO_SOURCE,
    ),
    Measure(
        "interacting_per_logged_in_ratio",
        "interacting_ms",
        "logged_in_ms",
        "ratio",
        STATUS_RATIO_SOURCE,
    ),
)

DIMENSION_MEASURES = (
    Measure("aht_sec", "handle_ms", "handle_count", "s", AHT_SOURCE, _POSTED_BASES),
    Measure("acw_share_ratio", "acw_ms", "handle_ms", "ratio", SHARE_SOURCE),
    Measure("hold_share_ratio", "hold_ms", "handle_ms", "ratio", SHARE_SOURCE),
    Measure(
        "transferred_per_handled_ratio",
        "transferred_count",
        "handle_count",
        "ratio",
        TRANSFER_RATIO_SOURCE,
        _POSTED_BASES,
    ),
)
"""Those that need neither status nor intervals."""

AGENT_MEASURES = (
    Measure("handle_time_mean_sec", "handle_ms", "interval_count", "s", INTERVAL_MEAN_SOURCE),
    Measure("acw_time_mean_sec", "acw_ms", "interval_count", "s", INTERVAL_MEAN_SOURCE),
    Measure("hold_time_mean_sec", "hold_ms", "interval_count", "s", INTERVAL_MEAN_SOURCE),
    *DIMENSION_MEASURES,
    *STATUS_MEASURES,
)

BASES_BY_COLUMN: Mapping[str, Collection[Basis]] = {
    "exceeds_interval": _POSTED_BASES,
    **{figure.name: figure.bases for figure in FIGURES},
    **{measure.name: measure.bases for measure in AGENT_MEASURES},
}
"""On which bases a column is; on all of them if it is not here."""
