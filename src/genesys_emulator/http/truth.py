"""The handler of the right answers, as files."""

from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.http.json_io import Handler, json_response
from genesys_emulator.simulation.restatements import SnapshotAt
from genesys_emulator.simulation.source import Centre, SimulatedCentre

EXAMPLE = "?interval=2026-03-02T00:00:00Z/2026-03-03T00:00:00Z&granularity=PT30M"


def truth_handler(centre: Centre, snapshot_at: SnapshotAt) -> Handler:
    """Return a handler that answers with a table of `simulation.truth` for an interval."""

    async def show_table(request: Request) -> Response:
        from genesys_emulator.simulation import truth  # with Arrow, which takes long to import

        name, ending = request.path_params["table"], request.path_params["ending"]
        if not isinstance(centre, SimulatedCentre):
            return json_response({"message": "what was captured has no truth beside it"}, 404)
        if name not in truth.TABLES or ending not in truth.WRITTEN:
            files = ", ".join(f"{table}.{end}" for table in truth.TABLES for end in truth.WRITTEN)
            return json_response(
                {"message": f"there is no {name}.{ending}; there are {files}"}, 404
            )
        asked = request.query_params
        interval, width = asked.get("interval", ""), asked.get("granularity", "PT30M")
        try:
            window = truth.parse_window(interval, width, snapshot_at)
        except ValueError as error:
            return json_response({"message": f"{str(error)!r} will not do; write {EXAMPLE}"}, 400)
        table = truth.TABLES[name](centre, window)
        return Response(truth.WRITTEN[ending](table), media_type="application/octet-stream")

    return show_table
