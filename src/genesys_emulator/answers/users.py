"""The status of users as the API tells it: sums by interval, and records."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from random import Random
from typing import Any

from genesys_emulator.queries.users import UserDetailsQuery, UsersQuery
from genesys_emulator.simulation.organization import Agent, Organization
from genesys_emulator.simulation.status import Status, StatusChanges, presences_of, statuses_between
from genesys_emulator.wire.timestamps import bucket_starts, format_timestamp

Sums = dict[str, dict[int, dict[tuple[str, str], int]]]
"""By group, number of the bucket, and metric with qualifier, in ms."""

Of = Iterable[tuple[Agent, StatusChanges]]


def aggregates(
    query: UsersQuery, organization: Organization, of: Of, now: int, order: Random
) -> list[dict[str, Any]]:
    """The ``results``: how long each status lasted in each bucket; of the running one, so far."""
    until = min(query.end, now)
    zone = query.zone or UTC
    starts = bucket_starts(query.start, query.end, query.granularity, zone=zone, until=until)
    edges = [*starts, query.end]
    sums: Sums = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for agent, shown in of:
        group = sums[agent.id if query.by_user else ""]
        for metric, qualifier, status in _measured(query, organization, agent, shown, now):
            since, end = max(status.start, query.start), min(status.end or until, until)
            for at in range(bisect_right(edges, since) - 1, bisect_left(edges, end)):
                lasted = min(end, edges[at + 1]) - max(since, edges[at])
                group[at][metric, qualifier] += lasted
    results = [
        {
            "group": {"userId": user_id} if user_id else {},
            "data": _shuffled(
                order,
                [
                    {
                        "interval": "/".join(
                            format_timestamp(edge, zone) for edge in edges[at : at + 2]
                        ),
                        "metrics": _shuffled(order, [_metric(*each) for each in metrics.items()]),
                    }
                    for at, metrics in buckets.items()
                ],
            ),
        }
        for user_id, buckets in sums.items()
        if buckets
    ]
    return _shuffled(order, results)


def mappings(organization: Organization) -> Mapping[str, list[str]]:
    """``systemToOrganizationMappings``: which presences stand for each word of the platform."""
    found: dict[str, list[str]] = {}
    for presence in organization.presences:
        found.setdefault(presence.system, []).append(presence.id)
    return found


def details(
    query: UserDetailsQuery, organization: Organization, of: Of, now: int
) -> Iterator[dict[str, Any]]:
    """A record for each user: the statuses in the interval, whole, not cut to it."""
    for agent, shown in of:
        known = presences_of(organization, agent)
        presence = [
            {
                **_times(each),
                "systemPresence": each.word,
                "organizationPresenceId": known[each.word].id,
            }
            for each in statuses_between(shown.presences, query.start, query.end, now)
        ]
        routing = [
            {**_times(each), "routingStatus": each.word}
            for each in statuses_between(shown.routings, query.start, query.end, now)
        ]
        yield {"userId": agent.id, "primaryPresence": presence, "routingStatus": routing}


def _measured(
    query: UsersQuery, organization: Organization, agent: Agent, shown: StatusChanges, now: int
) -> Iterator[tuple[str, str, Status]]:
    known = presences_of(organization, agent)
    for metric in query.metrics:
        changes = shown.routings if metric == "tAgentRoutingStatus" else shown.presences
        for status in statuses_between(changes, query.start, query.end, now):
            custom = metric == "tOrganizationPresence"
            yield metric, known[status.word].id if custom else status.word, status


def _metric(of: tuple[str, str], lasted: int) -> dict[str, Any]:
    metric, qualifier = of
    return {"metric": metric, "qualifier": qualifier, "stats": {"sum": lasted}}


def _times(status: Status) -> dict[str, str]:
    end = {} if status.end is None else {"endTime": format_timestamp(status.end)}
    return {"startTime": format_timestamp(status.start), **end}


def _shuffled(order: Random, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order.shuffle(items)
    return items
