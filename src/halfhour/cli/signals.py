"""SIGINT and SIGTERM: either ends a command in time and without a traceback, whenever it comes."""

import inspect
import signal
import sys
import warnings
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_RETRY_SECONDS = 0.01
"""Seconds until an interrupt that could not be raised comes again."""


class SignalHandlers:
    """Has SIGTERM do what SIGINT does, as long as it is entered; afterwards either kills.

    So that what was begun is cleared away: asyncio ends its tasks, and otherwise there is a
    KeyboardInterrupt.
    """

    terminated = False
    """Whether SIGTERM came."""

    def __enter__(self) -> Self:
        frame = inspect.currentframe()
        self._outer_frame = frame.f_back if frame else None
        sys.unraisablehook = self._handle_unraisable
        _block_ignored_interrupts()
        signal.signal(signal.SIGTERM, self._handle_sigterm)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Take an interrupt in the very last moment for none."""
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # Python ends itself by SIGINT where an interrupt came while it ran a text, such as those
        # that dataclasses are made of, unless it has run another one since.
        exec("")  # noqa: S102
        return kind is KeyboardInterrupt

    def silence_shutdown(self) -> None:
        """Be silent about what an interrupt left half made, as the process ends."""
        warnings.simplefilter("ignore")
        sys.unraisablehook = self._repeat_lost_interrupt

    def _handle_sigterm(self, number: int, frame: FrameType | None) -> None:
        self.terminated = True
        self._interrupt_unless_importing(number, frame)

    def _interrupt_unless_importing(self, _: int, frame: FrameType | None) -> None:
        """Do what SIGINT does at this moment, but for an import, which is waited for: some
        libraries abort the process if theirs is interrupted.
        """
        if self._is_importing(frame):
            self._interrupt_soon()
            return
        self.silence_shutdown()
        handler = signal.getsignal(signal.SIGINT)
        if not callable(handler):
            raise KeyboardInterrupt
        handler(signal.SIGINT, None)

    def _is_importing(self, frame: FrameType | None) -> bool:
        if sys.platform == "win32":  # where there is no alarm to wait with
            return False
        while frame and frame is not self._outer_frame:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return True
            frame = frame.f_back
        return False

    def _interrupt_soon(self) -> None:
        if sys.platform != "win32":
            signal.signal(signal.SIGALRM, self._interrupt_unless_importing)
            signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)

    def _repeat_lost_interrupt(self, unraisable: "UnraisableHookArgs") -> None:
        """Interrupt again where that came in a callback of the garbage collector, and was lost."""
        if unraisable.exc_type is KeyboardInterrupt:
            self._interrupt_soon()

    def _handle_unraisable(self, unraisable: "UnraisableHookArgs") -> None:
        self._repeat_lost_interrupt(unraisable)
        if unraisable.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(unraisable)


def _block_ignored_interrupts() -> None:
    """Have SIGINT handled as ever where it is ignored, as in the background of a script, but never
    delivered: only where it is handled does asyncio end its tasks, and SIGTERM asks for the same.
    """
    if sys.platform != "win32" and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, signal.default_int_handler)
