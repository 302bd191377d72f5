"""Answers about the status of users: sums by interval, and records."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from random import Random
from typing import Any

from genesys_emulator.answers.aggregates import shuffle_list
from genesys_emulator.queries.users import UserDetailsQuery, UsersQuery
from genesys_emulator.simulation.organization import Agent, Organization
from genesys_emulator.simulation.status import Status, StatusChanges, presences_of, statuses_between
from genesys_emulator.wire.timestamps import bucket_starts, format_timestamp

Sums = dict[str, dict[int, dict[tuple[str, str], int]]]
"""Sums in ms by group, number of the bucket, and metric with qualifier."""

ChangesByAgent = Iterable[tuple[Agent, StatusChanges]]


def status_aggregates(
    query: UsersQuery,
    organization: Organization,
    changes_by_agent: ChangesByAgent,
    now: int,
    order: Random,
) -> list[dict[str, Any]]:
    """Return the ``results``: the time of each status in each bucket, so far if it is running."""
    until = min(query.end, now)
    zone = query.zone or UTC
    starts = bucket_starts(query.start, query.end, query.granularity, zone=zone, until=until)
    edges = [*starts, query.end]
    sums: Sums = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for agent, shown in changes_by_agent:
        group = sums[agent.id if query.by_user else ""]
        for metric, qualifier, status in _measured_statuses(query, organization, agent, shown, now):
            since, end = max(status.start, query.start), min(status.end or until, until)
            for at in range(bisect_right(edges, since) - 1, bisect_left(edges, end)):
                lasted = min(end, edges[at + 1]) - max(since, edges[at])
                group[at][metric, qualifier] += lasted
    results = [
        {
            "group": {"userId": user_id} if user_id else {},
            "data": shuffle_list(
                order,
                [
                    {
                        "interval": "/".join(
                            format_timestamp(edge, zone) for edge in edges[at : at + 2]
                        ),
                        "metrics": shuffle_list(
                            order, [_metric_entry(*metric) for metric in metrics.items()]
                        ),
                    }
                    for at, metrics in buckets.items()
                ],
            ),
        }
        for user_id, buckets in sums.items()
        if buckets
    ]
    return shuffle_list(order, results)


def presence_mappings(organization: Organization) -> Mapping[str, list[str]]:
    """Return ``systemToOrganizationMappings``: the presences for each word of the platform."""
    mappings: dict[str, list[str]] = {}
    for presence in organization.presences:
        mappings.setdefault(presence.system, []).append(presence.id)
    return mappings


def status_records(
    query: UserDetailsQuery, organization: Organization, changes_by_agent: ChangesByAgent, now: int
) -> Iterator[dict[str, Any]]:
    """Yield a record for each user, with the statuses in the interval, whole."""
    for agent, shown in changes_by_agent:
        presences = presences_of(organization, agent)
        presence = [
            {
                **_status_times(status),
                "systemPresence": status.word,
                "organizationPresenceId": presences[status.word].id,
            }
            for status in statuses_between(shown.presences, query.start, query.end, now)
        ]
        routing = [
            {**_status_times(status), "routingStatus": status.word}
            for status in statuses_between(shown.routings, query.start, query.end, now)
        ]
        yield {"userId": agent.id, "primaryPresence": presence, "routingStatus": routing}


def _measured_statuses(
    query: UsersQuery, organization: Organization, agent: Agent, shown: StatusChanges, now: int
) -> Iterator[tuple[str, str, Status]]:
    presences = presences_of(organization, agent)
    for metric in query.metrics:
        changes = shown.routings if metric == "tAgentRoutingStatus" else shown.presences
        for status in statuses_between(changes, query.start, query.end, now):
            custom = metric == "tOrganizationPresence"
            yield metric, presences[status.word].id if custom else status.word, status


def _metric_entry(key: tuple[str, str], lasted: int) -> dict[str, Any]:
    metric, qualifier = key
    return {"metric": metric, "qualifier": qualifier, "stats": {"sum": lasted}}


def _status_times(status: Status) -> dict[str, str]:
    end = {} if status.end is None else {"endTime": format_timestamp(status.end)}
    return {"startTime": format_timestamp(status.start), **end}
