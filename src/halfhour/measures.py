"""Derived measures as data: what over what. The sums are divided, never the quotients averaged."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """``sum(over) / sum(per)``; null where nothing lies below the line.

    *over* and *per* are columns of a basis or of status; *per* may also be
    `interval_count`, the half-hours in which handle time, ACW or hold was posted.
    """

    name: str
    over: str
    per: str
    unit: Literal["s", "ratio"]
    source: str


TUTORIAL = "the mean over an agent's rows, as interval reports are usually averaged"
AGENT_PERFORMANCE = (
    "https://help.mypurecloud.com/articles/view-agent-performance-statistics: "
    "handle time per handled interaction"
)
GAMIFICATION = "https://help.mypurecloud.com/articles/select-and-manage-metrics: total over total"
OCCUPANCY_SOURCE = (
    "https://community.genesys.com/discussion/does-occupancy-include-all-busy-time: "
    "interacting over interacting, communicating and idle"
)
OTHERS = "others call it occupancy or utilization; named here for what divides what"

OCCUPANCY = Measure("occupancy_ratio", "interacting_ms", "available_ms", "ratio", OCCUPANCY_SOURCE)

AGENT_MEASURES = (
    Measure("handle_time_mean_sec", "handle_ms", "interval_count", "s", TUTORIAL),
    Measure("acw_time_mean_sec", "acw_ms", "interval_count", "s", TUTORIAL),
    Measure("hold_time_mean_sec", "hold_ms", "interval_count", "s", TUTORIAL),
    Measure("aht_sec", "handle_ms", "handle_count", "s", AGENT_PERFORMANCE),
    Measure("acw_share_ratio", "acw_ms", "handle_ms", "ratio", GAMIFICATION),
    Measure("hold_share_ratio", "hold_ms", "handle_ms", "ratio", GAMIFICATION),
    OCCUPANCY,
    Measure("interacting_per_on_queue_ratio", "interacting_ms", "on_queue_ms", "ratio", OTHERS),
    Measure("interacting_per_logged_in_ratio", "interacting_ms", "logged_in_ms", "ratio", OTHERS),
)
