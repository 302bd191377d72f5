"""The words that start the sync of an organisation, and the lines that it logs."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from halfhour.cli.exit_codes import ENDED
from halfhour.cli.spelling import option_name
from halfhour.syncing.progress import Event

_PROGRAM_PREFIX = "halfhour: "


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A line of the JSON log of a sync.

    *text* is the sentence for people, empty for an event that only moves a progress bar. *fields*
    are those of the line without its time and level.
    """

    text: str
    level: int = logging.ERROR
    event: Event | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """True if it is the last message of a command."""
        return self.fields.get("event") == ENDED


def parse_message(line: str) -> LogMessage:
    """Return the message in *line*, which is a sentence if the process has not begun its log."""
    try:
        fields = json.loads(line)
        level = logging.getLevelNamesMapping()[fields.pop("level").upper()]
        fields.pop("time")
    except (ValueError, TypeError, AttributeError, KeyError):
        text = line.removeprefix(_PROGRAM_PREFIX)
        return LogMessage(text, fields={"message": text})
    if fields.get("event") == ENDED:
        return LogMessage(str(fields.get("reason", "")), level, None, fields)
    if "event" not in fields:
        return LogMessage(str(fields.get("message", "")), level, None, fields)
    try:
        event = Event.from_json(fields)
    except ValueError:  # an event of no window, such as a summary
        return LogMessage("", level, None, fields)
    return LogMessage(event.message, level, event, fields)


def option_words(options: Mapping[str, object]) -> list[str]:
    """Return the words that give *options*; None, False and an empty text give none.

    An option with several values is repeated.
    """
    words = []
    for name, value in options.items():
        option = option_name(name.strip("_"))
        for text in value if isinstance(value, tuple | list) else (value,):
            if text is True:
                words.append(option)
            elif text is not None and text is not False and text != "":
                words.append(f"{option}={text}")
    return words
