"""Handlers of conversation details: the query that answers at once, by id, and jobs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.answers import details
from genesys_emulator.answers.details_by_id import find_details
from genesys_emulator.http.jobs import JobHandlers
from genesys_emulator.http.json_io import Handler, json_response, read_json
from genesys_emulator.http.page_faults import row_range, total_hits
from genesys_emulator.queries.details import DetailsQuery, parse_details_job, parse_details_query
from genesys_emulator.simulation.detail_records import Detail
from genesys_emulator.simulation.restatements import Snapshot, SnapshotAt
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.cursors import CursorCache, ResultCursor
from genesys_emulator.state.jobs import LAG, Jobs, Kind, Row, Task
from genesys_emulator.wire import endpoints, errors
from genesys_emulator.wire.endpoints import Endpoint
from genesys_emulator.wire.timestamps import MINUTE

MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class QueryResults:
    """The conversations that a query finds, as they were known at one moment."""

    snapshot: Snapshot
    total: int
    cursor: ResultCursor[Detail]

    def serves_later_pages(self, now: int) -> bool:
        """Return whether a page after the first may still come from these results."""
        return 0 <= now - self.snapshot.now < MINUTE


class DetailsHandlers:
    """Answer requests for conversation details, once they are let in."""

    def __init__(
        self, centre: Centre, jobs: Jobs, cursors: CursorCache, snapshot_at: SnapshotAt
    ) -> None:
        self._centre = centre
        self._jobs = jobs
        self._cursors = cursors
        self._snapshot_at = snapshot_at
        self._kind = Kind(endpoints.DETAILS_JOBS, "conversations", self._read_task, LAG)

    @property
    def by_endpoint(self) -> Mapping[Endpoint, Handler]:
        jobs = JobHandlers(self._kind, self._jobs)
        return {
            endpoints.DETAILS: self.answer_query,
            endpoints.DETAILS_OF_SOME: self.show_several,
            endpoints.DETAILS_OF_ONE: self.show_conversation,
            endpoints.AVAILABILITY: jobs.show_availability,
            **jobs.by_endpoint,
        }

    async def answer_query(self, request: Request) -> Response:
        query = parse_details_query(await read_json(request))
        results = self._results_of(query)
        before = (query.page_number - 1) * query.page_size
        page, _ = results.cursor.read_rows(*row_range(before, query.page_size, request.state.fault))
        records = [detail.record(results.snapshot) for detail in page]
        total = total_hits(results.total, request.state.fault)
        return json_response({**total, **({"conversations": records} if records else {})})

    async def show_several(self, request: Request) -> Response:
        """Answer with the conversations that ``id`` names, in its order."""
        listed = ",".join(request.query_params.getlist("id")).split(",")
        ids = [conversation_id for conversation_id in dict.fromkeys(listed) if conversation_id]
        if not 1 <= len(ids) <= MOST_IDS:
            raise errors.bad_request(f"Give 1 to {MOST_IDS} ids.")
        snapshot = self._snapshot_at(self._jobs.now())
        by_id = find_details(self._centre, ids, snapshot)
        in_order = [by_id[conversation_id] for conversation_id in ids if conversation_id in by_id]
        return json_response({"conversations": [detail.record(snapshot) for detail in in_order]})

    async def show_conversation(self, request: Request) -> Response:
        snapshot, conversation_id = self._snapshot_at(self._jobs.now()), request.path_params["id"]
        by_id = find_details(self._centre, [conversation_id], snapshot)
        if not by_id:
            raise errors.standard_error(404)
        return json_response(by_id[conversation_id].record(snapshot))

    def _read_task(self, body: Any) -> Task:
        query = parse_details_job(body)

        def find_records(until: int) -> Iterator[Row]:
            snapshot = self._snapshot_at(until)
            active = details.active_details(query, self._centre, snapshot)
            return (detail.record(snapshot) for detail in active)

        return Task(find_records)

    def _results_of(self, query: DetailsQuery) -> QueryResults:
        """Return the results that the page of *query* is cut from.

        Every page but the first continues the results that an earlier page
        began, if that was less than a minute ago.
        """
        now, key = self._jobs.now(), replace(query, page_size=1, page_number=1)
        begun: QueryResults | None = self._cursors.get_value(key)
        snapshot = self._snapshot_at(now)
        if begun and (
            snapshot == begun.snapshot or (query.page_number > 1 and begun.serves_later_pages(now))
        ):
            return begun
        total = details.count_started(key, self._centre, snapshot)
        cursor = ResultCursor(lambda: details.started_details(key, self._centre, snapshot))
        return self._cursors.keep_value(key, QueryResults(snapshot, total, cursor))
