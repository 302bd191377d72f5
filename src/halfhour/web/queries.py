"""What the page shows, from a store: JSON as plain values."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from halfhour import reports, wishes
from halfhour.columns import flags
from halfhour.errors import ConfigError
from halfhour.found import Found
from halfhour.holdings import holdings, missing
from halfhour.intervals import HALF_HOUR, Interval, epoch_ms, floored
from halfhour.measures import FIGURES
from halfhour.plan import Question
from halfhour.render.grid import told_apart
from halfhour.store import Store
from halfhour.vocabulary import Basis, By, Source, by_name
from halfhour.web.views import Sort, View
from halfhour.windows import DAY
from halfhour.wishes import Wish

DAYS = 28
"""How many an agent's page tells of."""
_AVAILABLE = ("interacting_time_sec", "communicating_time_sec", "idle_time_sec")
_PROFILE = ("handle_time_sec", "busy_time_sec", "handled_count", "on_queue_time_sec", *_AVAILABLE)


def day(store: Store, asked: View, now: datetime) -> dict[str, Any]:
    """The heat map of a view, the day's profile over it, and how sure all that is."""
    with store.snapshot() as held:
        known = _known(held, asked.interval)
        view = asked.among(known)
        problems = list(view.problems)
        try:
            found = holdings(held, view.question, now)
        except ConfigError as error:  # half-hours of a zone that it does not have
            found = Found()
            problems.append(str(error).removeprefix("--"))
        days = _days(held, view, now)
        latest = _latest(held)
    table = reports.report(view.question, found)
    column = view.measure.column
    if column not in table.column_names:
        problems.append(f"{view.measure} is not known on the {view.basis} basis")
    elif view.measure in ("on-queue", "occupancy") and not view.shows_status:
        problems.append(f"{view.measure} is of all that an agent does, not of one queue or media")
    starts = [each.start.astimezone(view.zone) for each in view.interval.windows(HALF_HOUR)]
    places = {epoch_ms(start): at for at, start in enumerate(starts)}
    return {
        **{name: str(getattr(view, name)) for name in ("day", "zone", "measure", "basis", "sort")},
        **{name: getattr(view, name) for name in known},
        "known": known,
        "starts": [start.isoformat() for start in starts],
        "agents": _sorted(_agents(table, column, places), view.sort),
        "profile": _profile(table, places, with_status=view.shows_status),
        "days": days,
        "latest": latest,
        "missing": [
            str(each) for each in missing(found.held(view.question.sources), view.interval)
        ],
        "problems": problems,
    }


def table(store: Store, asked: View, now: datetime) -> pa.Table:
    """What a view shows, with all that is known of each half-hour. Raises ConfigError for a view
    that the page would have told problems of.
    """
    with store.snapshot() as held:
        view = asked.among(_known(held, asked.interval))
        if view.problems:
            raise ConfigError("; ".join(view.problems))
        found = holdings(held, view.question, now)
    rows = reports.report(view.question, found)
    sought = view.find.casefold()
    return rows.filter(flags(sought in name.casefold() for name in rows["agent_name"].to_pylist()))


def _known(store: Store, interval: Interval) -> dict[str, list[str]]:
    """What a view of *interval* can be narrowed to."""
    places = store.places()
    media = store.ask(
        "select distinct media_type from posted where interval_start >= $start "
        "and interval_start < $end and media_type is not null",
        start=interval.start,
        end=interval.end,
    )
    columns = {
        "queue": store.names("queue")["name"],
        "media": media["media_type"],
        "division": places["division"],
        "team": places["team"],
    }
    return {
        name: sorted(pc.unique(column).drop_null().to_pylist(), key=_natural)
        for name, column in columns.items()
    }


def _natural(text: str) -> tuple[str, str]:
    """So that Team 10 comes after Team 9."""
    head = text.rstrip("0123456789")
    return head.casefold(), text[len(head) :].zfill(9)


def _agents(table: pa.Table, column: str, places: Mapping[int, int]) -> list[dict[str, Any]]:
    agents: dict[str, dict[str, Any]] = {}
    nothing = [None] * len(table)

    def values(name: str) -> list[Any]:
        return table[name].to_pylist() if name in table.column_names else nothing

    for start, id_, name, young, value, interacting, communicating, idle in zip(
        table["interval_start"].cast(pa.int64()).to_pylist(),
        *map(values, ("agent_id", "agent_name", "provisional", column, *_AVAILABLE)),
        strict=True,
    ):
        agent = agents.get(id_)
        if agent is None:
            agent = agents[id_] = {"id": id_, "name": name, "cells": [None] * len(places)}
            agent |= {"young": [], "load": 0, "interacting": 0.0, "available": 0.0}
        at = places[start]
        agent["cells"][at] = value
        agent["load"] += value or 0
        agent["interacting"] += interacting or 0
        agent["available"] += (interacting or 0) + (communicating or 0) + (idle or 0)
        if young:
            agent["young"].append(at)
    names = told_apart(list(agents), [agent["name"] for agent in agents.values()])
    return [agent | {"name": names[agent["id"]]} for agent in agents.values()]


def _sorted(agents: list[dict[str, Any]], sort: Sort) -> list[dict[str, Any]]:
    for agent in agents:
        agent["occupancy"] = _divided(agent.pop("interacting"), agent.pop("available"))
        agent["load"] = round(agent["load"], 4)
    key = {
        Sort.NAME: lambda agent: (by_name(agent["name"]), agent["name"], agent["id"]),
        Sort.LOAD: lambda agent: -agent["load"],
        Sort.OCCUPANCY: lambda agent: -(agent["occupancy"] or 0),
    }[sort]
    return sorted(agents, key=key)


def _divided(over: float, per: float) -> float | None:
    return round(over / per, 4) if per else None


def _profile(
    table: pa.Table, places: Mapping[int, int], *, with_status: bool
) -> list[dict[str, Any]]:
    """By half-hour, of all agents: handle time, or on the worked basis busy time, and on-queue time
    in seconds, interactions that were handled, and occupancy; null where nothing is known.
    """
    work = "busy_time_sec" if "busy_time_sec" in table.column_names else "handle_time_sec"
    names = [name for name in _PROFILE if name in table.column_names]
    columns = [f"{name}_sum" for name in names]
    summed = table.group_by("interval_start").aggregate([(name, "sum") for name in names])
    profile: list[dict[str, Any]] = [{} for _ in places]
    for start, *values in zip(
        summed["interval_start"].cast(pa.int64()).to_pylist(),
        *(summed[name].to_pylist() for name in columns),
        strict=True,
    ):
        sums = dict(zip(names, values, strict=True))
        interacting, communicating, idle = (sums[name] or 0 for name in _AVAILABLE)
        told = {"work": sums[work], "handled": sums.get("handled_count")}
        if with_status:
            told["on_queue"] = sums["on_queue_time_sec"]
            told["occupancy"] = _divided(interacting, interacting + communicating + idle)
        profile[places[start]] = told
    return profile


def _days(store: Store, view: View, now: datetime) -> list[dict[str, str | None]]:
    """How sure each day (UTC) is that *view* draws from, by source."""
    return [
        {
            "source": source.value,
            "day": str(each.day.start.date()),
            "state": each.state.value,
            "held_until": each.settled.window.end.isoformat() if each.settled else None,
            "read_at": each.settled.read_at.isoformat() if each.settled else None,
        }
        for source, held in wishes.held(store, Wish(view.interval), now).items()
        for each in held
    ]


def _latest(store: Store) -> str | None:
    """The last day that something is held of."""
    days = [each.window.start for each in store.settled(Source.POSTED) if each.rows]
    return str(max(days).date()) if days else None


def cell(store: Store, view: View, start: datetime, now: datetime) -> dict[str, Any]:
    """What made one half-hour of one agent: both bases, status, and the conversations behind it."""
    interval = Interval(start, start + HALF_HOUR)
    question = Question(interval, view.zone, basis=Basis.BOTH, agents=(view.agent,))
    with store.snapshot() as held:
        found = holdings(held, question, now)
        segments = _segments(held, interval, view.agent)
    rows = reports.report(question, found).to_pylist()
    row = rows[0] if rows else {}
    return {
        "start": start.astimezone(view.zone).isoformat(),
        "agent": row.get("agent_name", view.agent),
        "figures": [
            {"name": each.name, "meaning": each.meaning, "value": row[each.name]}
            for each in FIGURES
            if each.source is not Source.STATUS and row.get(each.name) is not None
        ],
        "status": [
            {key: each[key] for key in ("kind", "status", "status_ms")}
            for each in sorted(found.status.to_pylist(), key=lambda each: -each["status_ms"])
        ],
        "segments": segments,
        "provisional": bool(row.get("provisional")),
    }


def _segments(store: Store, interval: Interval, agent_id: str) -> list[dict[str, Any]]:
    """The segments of an agent with a part in *interval*, in order, each once."""
    return list(
        store.ask(
            "select distinct conversation_id, media_type, segment_type, start_ms, end_ms, open, "
            "coalesce(names.name, queue_id) as queue from segments "
            "left join names on names.kind = 'queue' and names.id = queue_id "
            "where window_start >= $first and window_start < $last "
            "and agent_id = $agent and start_ms < $end and end_ms > $start "
            "order by start_ms, end_ms, conversation_id",
            first=floored(interval.start, DAY),
            last=interval.end,
            agent=agent_id,
            start=epoch_ms(interval.start),
            end=epoch_ms(interval.end),
        ).to_pylist()
    )


def agent(store: Store, view: View, now: datetime) -> dict[str, Any]:
    """An agent's last weeks, day by day."""
    first = replace(view, day=view.day - timedelta(days=DAYS - 1))
    interval = Interval(first.interval.start, view.interval.end)
    question = Question(interval, view.zone, By.DAY, view.basis, agents=(view.agent,))
    with store.snapshot() as held:
        found = holdings(held, question, now)
    rows = reports.report(question, found).to_pylist()
    names = ("day", "handle_time_sec", "acw_time_sec", "hold_time_sec", "handled_count", "aht_sec",
             "on_queue_time_sec", "occupancy_ratio", "provisional")  # fmt: skip
    return {
        "agent": rows[0]["agent_name"] if rows else view.agent,
        "from": str(first.day),
        "days": [{name: row.get(name) for name in names} for row in rows],
        "missing": [str(each) for each in missing(found.held(question.sources), interval)],
    }
