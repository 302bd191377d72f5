"""Handlers of the status of users: aggregates and details, at once and by jobs."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import users
from genesys_emulator.http.jobs import JobHandlers, split_page_size
from genesys_emulator.http.json_io import Handler, json_response, read_json
from genesys_emulator.http.page_faults import row_range, total_hits
from genesys_emulator.queries.filters import Clause
from genesys_emulator.queries.users import (
    UserDetailsQuery,
    UsersQuery,
    parse_user_details_job,
    parse_user_details_query,
    parse_users_query,
)
from genesys_emulator.simulation.organization import Agent
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.jobs import LAG, Jobs, Kind, Row, Task
from genesys_emulator.wire import endpoints
from genesys_emulator.wire.endpoints import Endpoint


class UserHandlers:
    """Answer requests for the status of users, once they are let in."""

    def __init__(self, centre: Centre, jobs: Jobs) -> None:
        self._centre = centre
        self._jobs = jobs
        self._mappings = {
            "systemToOrganizationMappings": users.presence_mappings(centre.organization)
        }
        self._aggregates = Kind(
            endpoints.USER_AGGREGATES_JOBS,
            "results",
            self._read_aggregates_task,
            extra_fields=self._mappings,
        )
        self._details = Kind(
            endpoints.USER_DETAILS_JOBS, "userDetails", self._read_details_task, LAG
        )

    @property
    def by_endpoint(self) -> Mapping[Endpoint, Handler]:
        details_jobs = JobHandlers(self._details, self._jobs)
        return {
            endpoints.USER_AGGREGATES: self.answer_aggregates,
            endpoints.USER_DETAILS: self.answer_details,
            endpoints.USER_AVAILABILITY: details_jobs.show_availability,
            **JobHandlers(self._aggregates, self._jobs).by_endpoint,
            **details_jobs.by_endpoint,
        }

    async def answer_aggregates(self, request: Request) -> Response:
        query = parse_users_query(await read_json(request))
        results = self._aggregate_status(query, self._jobs.now(), Random(await request.body()))
        return json_response({**self._mappings, "results": results})

    async def answer_details(self, request: Request) -> Response:
        query = parse_user_details_query(await read_json(request))
        before = (query.page_number - 1) * query.page_size
        start, stop = row_range(before, query.page_size, request.state.fault)
        agents = self._agents_in_order(query)
        page = list(self._status_records(query, agents[start:stop], self._jobs.now()))
        total = total_hits(len(agents), request.state.fault)
        return json_response({**total, **({"userDetails": page} if page else {})})

    def _read_aggregates_task(self, body: Any) -> Task:
        rest, page_size = split_page_size(body)
        query, order = parse_users_query(rest), msgspec.json.encode(rest)
        return Task(
            lambda until: iter(self._aggregate_status(query, until, Random(order))), page_size
        )

    def _read_details_task(self, body: Any) -> Task:
        query = parse_user_details_job(body)
        return Task(lambda until: self._status_records(query, self._agents_in_order(query), until))

    def _aggregate_status(self, query: UsersQuery, now: int, order: Random) -> list[dict[str, Any]]:
        shown = self._changes_by_agent(self._matching_agents(query.filter), query.start, query.end)
        return users.status_aggregates(query, self._centre.organization, shown, now, order)

    def _status_records(
        self, query: UserDetailsQuery, agents: Sequence[Agent], now: int
    ) -> Iterator[Row]:
        shown = self._changes_by_agent(agents, query.start, query.end)
        return users.status_records(query, self._centre.organization, shown, now)

    def _agents_in_order(self, query: UserDetailsQuery) -> list[Agent]:
        agents = self._matching_agents(query.combined_filter)
        return sorted(agents, key=lambda agent: agent.id, reverse=query.descending)

    def _matching_agents(self, clause: Clause) -> list[Agent]:
        return [
            agent
            for agent in self._centre.watched_agents
            if clause.holds_for({"userId": (agent.id,)}.get)
        ]

    def _changes_by_agent(
        self, agents: Sequence[Agent], start: int, end: int
    ) -> users.ChangesByAgent:
        return ((agent, self._centre.status_changes(agent, start, end)) for agent in agents)
