"""An answer on its way to the client, as it is or as a fault has it."""

from genesys_emulator.http.connection import Answer, Line
from genesys_emulator.state.faults import Fault

PROXY_PAGE = (
    b"<!doctype html>\n<title>Sign in</title>\n<h1>Sign in to use this network</h1>\n"
    b"<p>The proxy needs to know who you are.</p>\n"
)
DRIPS_PER_SECOND, MOST_DRIPS = 10, 500


async def deliver(answer: Answer, fault: Fault | None, line: Line) -> None:
    """Send *answer*, or what *fault* makes of it."""
    match fault:
        case Fault(kind="reset"):
            await line.reset()
        case Fault(kind="hang", seconds=seconds):
            await _late(answer, seconds, line)
        case Fault(kind="slow", seconds=seconds):
            await _dripping(answer, seconds, line)
        case Fault(kind="truncate"):
            await line.start(answer)
            await line.part(_half(answer.body), more=True)
            await line.close()
        case Fault(kind="cut"):
            await line.whole(Answer(answer.status, answer.headers, _half(answer.body)))
        case Fault(kind="html"):
            await line.whole(Answer(200, {"content-type": "text/html"}, PROXY_PAGE))
        case Fault(kind="wrong_type"):
            headers = {**answer.headers, "content-type": "text/plain; charset=utf-8"}
            await line.whole(Answer(answer.status, headers, answer.body))
        case _:
            await line.whole(answer)


async def _late(answer: Answer, seconds: float, line: Line) -> None:
    if await line.idle(seconds):
        await line.whole(answer)
    elif line.stopping.is_set():
        await line.reset()


async def _dripping(answer: Answer, seconds: float, line: Line) -> None:
    drips = max(1, min(int(seconds * DRIPS_PER_SECOND), MOST_DRIPS, len(answer.body)))
    size = max(1, -(-len(answer.body) // drips))
    await line.start(answer)
    for at in range(0, len(answer.body), size):
        await line.part(answer.body[at : at + size], more=True)
        if not await line.idle(seconds / drips):
            if line.stopping.is_set():
                await line.reset()
            return
    await line.part(b"", more=False)


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]
