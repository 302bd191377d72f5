"""Derived measures as data: what over what. The sums are divided, never the quotients averaged."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """``sum(over) / sum(per)``; null where nothing lies below the line.

    *over* and *per* are columns of the posted basis; *per* may also be
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

AGENT_MEASURES = (
    Measure("handle_time_mean_sec", "handle_ms", "interval_count", "s", TUTORIAL),
    Measure("acw_time_mean_sec", "acw_ms", "interval_count", "s", TUTORIAL),
    Measure("hold_time_mean_sec", "hold_ms", "interval_count", "s", TUTORIAL),
    Measure("aht_sec", "handle_ms", "handle_count", "s", AGENT_PERFORMANCE),
    Measure("acw_share_ratio", "acw_ms", "handle_ms", "ratio", GAMIFICATION),
    Measure("hold_share_ratio", "hold_ms", "handle_ms", "ratio", GAMIFICATION),
)
