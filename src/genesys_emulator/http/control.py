"""``/_emulator``: what a test steers by. It asks for no token and is in no log."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genesys_emulator.answers import entities
from genesys_emulator.http.json_io import said
from genesys_emulator.http.truth import truth_of
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.clock import Clock, ClockError
from genesys_emulator.state.fault_parsing import FaultError, in_document
from genesys_emulator.state.faults import Faults
from genesys_emulator.state.request_log import Journal
from genesys_emulator.wire.timestamps import written


class Clearable(Protocol):
    """What a reset makes as good as new."""

    def clear(self) -> None: ...


def routes(
    centre: Centre, clock: Clock, faults: Faults, journal: Journal, *others: Clearable
) -> list[Route]:
    """The routes that show and set what is given here, and clear the *others* too."""

    async def requests(_: Request) -> Response:
        return said({"requests": list(journal.entries)})

    async def add(request: Request) -> Response:
        before = len(faults.active)
        refusal = await _refused(
            request, lambda document: faults.active.extend(in_document(document, before))
        )
        active = len(faults.active)
        return refusal or said({"added": active - before, "active": active})

    async def end(_: Request) -> Response:
        faults.active.clear()
        return said({"active": 0})

    async def time(request: Request) -> Response:
        refusal = await _refused(request, clock.set) if request.method == "POST" else None
        return refusal or said({"now": written(clock()), "stopped": clock.stopped is not None})

    async def reset(_: Request) -> Response:
        parts: tuple[Clearable, ...] = (clock, faults, journal, *others)
        for each in parts:
            each.clear()
        return said({})

    async def org(_: Request) -> Response:
        organization = centre.organization
        return said(
            {
                "organization": entities.organization_of(organization),
                "users": [entities.user(organization, each) for each in organization.agents],
                "queues": [entities.queue_of(organization, each) for each in organization.queues],
            }
        )

    return [
        Route("/_emulator/truth/{table}.{ending}", truth_of(centre, faults.told), methods=["GET"]),
        Route("/_emulator/requests", requests, methods=["GET"]),
        Route("/_emulator/faults", add, methods=["POST"]),
        Route("/_emulator/faults", end, methods=["DELETE"]),
        Route("/_emulator/clock", time, methods=["GET", "POST"]),
        Route("/_emulator/reset", reset, methods=["POST"]),
        Route("/_emulator/org", org, methods=["GET"]),
    ]


async def _refused(request: Request, act: Callable[[Any], object]) -> Response | None:
    """What is wrong with the JSON of *request*, if *act* will not have it."""
    try:
        act(msgspec.json.decode(await request.body()))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return said({"message": f"the body is not JSON: {error}"}, 400)
    except (ClockError, FaultError) as error:
        return said({"message": str(error)}, 400)
    return None
