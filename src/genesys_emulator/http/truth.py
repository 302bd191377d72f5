"""The route of the right answers."""

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.http.json_io import Handler, said
from genesys_emulator.simulation import truth
from genesys_emulator.simulation.restatements import Told
from genesys_emulator.simulation.source import Centre, Simulated

EXAMPLE = "?interval=2026-03-02T00:00:00Z/2026-03-03T00:00:00Z&granularity=PT30M"


def truth_of(centre: Centre, told: Told) -> Handler:
    """A table of `truth`, as a file, for an interval."""

    async def answer(request: Request) -> Response:
        name, ending = request.path_params["table"], request.path_params["ending"]
        if not isinstance(centre, Simulated):
            return said({"message": "what was captured has no truth beside it"}, 404)
        if name not in truth.TABLES or ending not in truth.WRITTEN:
            files = ", ".join(f"{table}.{end}" for table in truth.TABLES for end in truth.WRITTEN)
            return said({"message": f"there is no {name}.{ending}; there are {files}"}, 404)
        asked = request.query_params
        interval, width = asked.get("interval", ""), asked.get("granularity", "PT30M")
        try:
            window = truth.window(interval, width, told)
        except ValueError as error:
            return said({"message": f"{str(error)!r} will not do; write {EXAMPLE}"}, 400)
        table = truth.TABLES[name](centre, window)
        return Response(truth.WRITTEN[ending](table), media_type="application/octet-stream")

    return answer
