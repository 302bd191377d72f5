"""A cache of answers that computes each answer once, however many requests wait for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

MAX_ANSWERS = 64


@dataclass(slots=True)
class AnswerCache:
    """The latest `MAX_ANSWERS` answers, by a key of everything that they depend on."""

    _answers: OrderedDict[Hashable, asyncio.Task[bytes]] = field(default_factory=OrderedDict)

    async def get_or_compute(self, key: Hashable, compute: Callable[[], bytes]) -> bytes:
        """Return the answer for *key*, and call *compute* in a thread if there is none.

        Raises the errors of *compute*, and forgets an answer that failed.
        """
        task = self._answers.get(key)
        if task is None:
            task = self._answers[key] = asyncio.create_task(asyncio.to_thread(compute))
            while len(self._answers) > MAX_ANSWERS:
                self._answers.popitem(last=False)
        try:
            return await asyncio.shield(task)  # other requests may still wait for a cancelled one
        except Exception:
            self._answers.pop(key, None)
            raise
