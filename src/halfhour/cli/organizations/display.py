"""The states of several syncs: log messages with the name, and bars where a person watches."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from halfhour.cli.console import is_interactive
from halfhour.cli.organizations.messages import LogMessage

log = logging.getLogger("halfhour")

ShowMessage = Callable[[str, LogMessage], None]
"""Shows a message of the organisation of that name."""


@contextmanager
def show_states() -> Iterator[ShowMessage]:
    """Log each message, and show a bar for each organisation if a person watches."""
    if not is_interactive():
        yield _log_message
        return
    # Imported late, because a command without bars needs nothing of rich.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show_message(name: str, message: LogMessage) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=None)
            if message.event and message.event.of is not None:
                done, of = message.event.done or 0, message.event.of
                progress.update(tasks[name], completed=done, total=of, visible=done < of)
            _log_message(name, message)

        yield show_message


def _log_message(name: str, message: LogMessage) -> None:
    text = f"{name}: {message.text}" if message.text else ""
    log.log(message.level, "%s", text, extra={"event": {"org": name, **message.fields}})
