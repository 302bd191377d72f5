"""Answers that many ask for at once, worked out once."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

MAX_ANSWERS = 64


@dataclass(slots=True)
class AnswerCache:
    """Answers by what they depend on, the latest `MOST` of them.

    Whoever asks for one that is being worked out waits for it.
    """

    _answers: OrderedDict[Hashable, asyncio.Task[bytes]] = field(default_factory=OrderedDict)

    async def get_or_compute(self, key: Hashable, work: Callable[[], bytes]) -> bytes:
        """What *work* returns, or has for the same *key*. Raises what it raises."""
        task = self._answers.get(key)
        if task is None:
            task = self._answers[key] = asyncio.create_task(asyncio.to_thread(work))
            while len(self._answers) > MAX_ANSWERS:
                self._answers.popitem(last=False)
        try:
            return await asyncio.shield(task)  # others may wait for it when one has gone
        except Exception:
            self._answers.pop(key, None)
            raise
