"""The ``/_emulator`` endpoints by which tests steer the emulator: no token, not in the log."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genesys_emulator.answers import entities
from genesys_emulator.http.json_io import json_response
from genesys_emulator.http.truth import truth_handler
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.clock import Clock, ClockError
from genesys_emulator.state.fault_parsing import FaultError, parse_document
from genesys_emulator.state.faults import Faults
from genesys_emulator.state.request_log import RequestLog
from genesys_emulator.wire.timestamps import format_timestamp


class Clearable(Protocol):
    """State that a reset puts back to how it was at the start."""

    def clear(self) -> None: ...


class ControlHandlers:
    """Show and set the state of an emulator. A reset clears the *others* too."""

    def __init__(
        self,
        centre: Centre,
        clock: Clock,
        faults: Faults,
        request_log: RequestLog,
        *others: Clearable,
    ) -> None:
        self._centre = centre
        self._clock = clock
        self._faults = faults
        self._request_log = request_log
        self._others = others

    @property
    def routes(self) -> list[Route]:
        truth = truth_handler(self._centre, self._faults.snapshot_at)
        return [
            Route("/_emulator/truth/{table}.{ending}", truth, methods=["GET"]),
            Route("/_emulator/requests", self.show_requests, methods=["GET"]),
            Route("/_emulator/faults", self.add_faults, methods=["POST"]),
            Route("/_emulator/faults", self.end_faults, methods=["DELETE"]),
            Route("/_emulator/clock", self.show_or_set_clock, methods=["GET", "POST"]),
            Route("/_emulator/reset", self.reset_state, methods=["POST"]),
            Route("/_emulator/org", self.show_organization, methods=["GET"]),
        ]

    async def show_requests(self, _: Request) -> Response:
        return json_response({"requests": list(self._request_log.entries)})

    async def add_faults(self, request: Request) -> Response:
        active = self._faults.active
        before = len(active)
        error = await _apply_json(
            request, lambda document: active.extend(parse_document(document, before))
        )
        return error or json_response({"added": len(active) - before, "active": len(active)})

    async def end_faults(self, _: Request) -> Response:
        self._faults.active.clear()
        return json_response({"active": 0})

    async def show_or_set_clock(self, request: Request) -> Response:
        clock = self._clock
        error = (
            await _apply_json(request, clock.apply_document) if request.method == "POST" else None
        )
        return error or json_response(
            {"now": format_timestamp(clock()), "stopped": clock.stopped is not None}
        )

    async def reset_state(self, _: Request) -> Response:
        parts: tuple[Clearable, ...] = (self._clock, self._faults, self._request_log, *self._others)
        for part in parts:
            part.clear()
        return json_response({})

    async def show_organization(self, _: Request) -> Response:
        organization = self._centre.organization
        return json_response(
            {
                "organization": entities.organization_entity(organization),
                "users": [
                    entities.user_entity(organization, agent) for agent in organization.agents
                ],
                "queues": [
                    entities.queue_entity(organization, queue) for queue in organization.queues
                ],
            }
        )


async def _apply_json(request: Request, apply: Callable[[Any], object]) -> Response | None:
    """Give the JSON of *request* to *apply*; return an error response if it is not accepted."""
    try:
        apply(msgspec.json.decode(await request.body()))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return json_response({"message": f"the body is not JSON: {error}"}, 400)
    except (ClockError, FaultError) as error:
        return json_response({"message": str(error)}, 400)
    return None
