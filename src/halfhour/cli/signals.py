"""SIGINT and SIGTERM, which end a command soon and without a traceback at any time."""

import inspect
import os
import signal
import sys
import warnings
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_RETRY_SECONDS = 0.01
"""Seconds after which an interrupt that could not be raised is raised again."""
_PIPE_BYTES = 1 << 16
"""Capacity of a pipe on Linux; a signal writes one byte."""


class SignalHandlers:
    """Makes SIGTERM act like SIGINT inside the context; after it, either one kills the process.

    Both let the command clean up: asyncio cancels its tasks, other code gets a KeyboardInterrupt.
    """

    terminated = False
    """True once SIGTERM has arrived."""

    def __enter__(self) -> Self:
        frame = inspect.currentframe()
        self._outer_frame = frame.f_back if frame else None
        sys.unraisablehook = self._handle_unraisable
        _block_ignored_interrupts()
        if sys.platform != "win32":
            # Python writes the number of each signal there. A handler of SIGINT would tell as much,
            # but asyncio cancels its tasks only if that of Python is installed.
            self._arrived, written = os.pipe()
            os.set_blocking(self._arrived, False)
            os.set_blocking(written, False)
            signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._handle_sigterm)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Restore the default handlers, and ignore an interrupt that arrives meanwhile."""
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # Python ends itself by SIGINT if an interrupt arrived while it executed a string, as
        # dataclasses do, unless it has executed another string since.
        exec("")  # noqa: S102
        return kind is KeyboardInterrupt

    def have_arrived(self) -> bool:
        """Return whether SIGINT or SIGTERM has arrived since the last call."""
        if sys.platform == "win32":  # where reading a pipe may wait
            return self.terminated
        try:
            numbers = os.read(self._arrived, _PIPE_BYTES)
        except BlockingIOError:
            return False
        return not {signal.SIGINT, signal.SIGTERM}.isdisjoint(numbers)

    def silence_shutdown(self) -> None:
        """Suppress warnings about objects that an interrupt has left half built."""
        warnings.simplefilter("ignore")
        sys.unraisablehook = self._repeat_lost_interrupt

    def _handle_sigterm(self, number: int, frame: FrameType | None) -> None:
        self.terminated = True
        self._interrupt_unless_importing(number, frame)

    def _interrupt_unless_importing(self, _: int, frame: FrameType | None) -> None:
        """Act like SIGINT, but wait for the end of an import.

        Some libraries abort the process if their import is interrupted.
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
        if sys.platform == "win32":  # which has no alarm signal to wait with
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
        """Interrupt again if a callback of the garbage collector swallowed the interrupt."""
        if unraisable.exc_type is KeyboardInterrupt:
            self._interrupt_soon()

    def _handle_unraisable(self, unraisable: "UnraisableHookArgs") -> None:
        self._repeat_lost_interrupt(unraisable)
        if unraisable.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(unraisable)


def _block_ignored_interrupts() -> None:
    """Install the SIGINT handler where SIGINT is ignored, as in a script's background job.

    asyncio cancels its tasks on SIGTERM only if SIGINT has a handler. The signal itself is
    blocked, so it stays ignored.
    """
    if sys.platform != "win32" and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, signal.default_int_handler)
