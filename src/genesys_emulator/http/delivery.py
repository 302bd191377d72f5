"""Delivery of an answer to the client, intact or as a fault prescribes."""

from genesys_emulator.http.connection import Answer, Connection
from genesys_emulator.state.faults import Fault

PROXY_PAGE = (
    b"<!doctype html>\n<title>Sign in</title>\n<h1>Sign in to use this network</h1>\n"
    b"<p>The proxy needs to know who you are.</p>\n"
)
DRIPS_PER_SECOND, MOST_DRIPS = 10, 500


async def deliver_answer(answer: Answer, fault: Fault | None, connection: Connection) -> None:
    """Send *answer* over *connection*, spoilt by *fault* if there is one."""
    match fault:
        case Fault(kind="reset"):
            await connection.reset_connection()
        case Fault(kind="hang", seconds=seconds):
            await _deliver_late(answer, seconds, connection)
        case Fault(kind="slow", seconds=seconds):
            await _deliver_slowly(answer, seconds, connection)
        case Fault(kind="truncate"):
            await connection.send_start(answer)
            await connection.send_part(_first_half(answer.body), more=True)
            await connection.close_early()
        case Fault(kind="cut"):
            await connection.send_answer(
                Answer(answer.status, answer.headers, _first_half(answer.body))
            )
        case Fault(kind="html"):
            await connection.send_answer(Answer(200, {"content-type": "text/html"}, PROXY_PAGE))
        case Fault(kind="wrong_type"):
            headers = {**answer.headers, "content-type": "text/plain; charset=utf-8"}
            await connection.send_answer(Answer(answer.status, headers, answer.body))
        case _:
            await connection.send_answer(answer)


async def _deliver_late(answer: Answer, seconds: float, connection: Connection) -> None:
    if await connection.wait_idle(seconds):
        await connection.send_answer(answer)
    elif connection.stopping.is_set():
        await connection.reset_connection()


async def _deliver_slowly(answer: Answer, seconds: float, connection: Connection) -> None:
    drips = max(1, min(int(seconds * DRIPS_PER_SECOND), MOST_DRIPS, len(answer.body)))
    size = max(1, -(-len(answer.body) // drips))
    await connection.send_start(answer)
    for at in range(0, len(answer.body), size):
        await connection.send_part(answer.body[at : at + size], more=True)
        if not await connection.wait_idle(seconds / drips):
            if connection.stopping.is_set():
                await connection.reset_connection()
            return
    await connection.send_part(b"", more=False)


def _first_half(body: bytes) -> bytes:
    return body[: len(body) // 2]
