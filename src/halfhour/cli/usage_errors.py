"""The sentence for words on the command line that cannot be understood."""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from cyclopts import CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from halfhour.cli.options import DEBUG, QUIET, VERBOSE
from halfhour.errors import suggest_name
from halfhour.model.question import describe_choices
from halfhour.model.time_ranges import describe_negative_duration, is_negative_duration
from halfhour.model.vocabulary import Format
from halfhour.render.formats import ROWS_FORMATS

_HINTS_BY_OPTION = {
    "interval": "the range is --from, --to or --last; the length of intervals is --granularity 30m",
    "dateinterval": "the range is --from, --to or --last",
    "datefrom": "write --from",
    "dateto": "write --to",
    "start": "write --from",
    "end": "write --to",
    "groupby": "write --by agent, queue, media, day or interval",
    "agentid": "write --agent, with a name or an id",
    "userid": "write --agent, with a name or an id",
    "queueid": "write --queue, with a name or an id",
    "mediatype": "write --media",
    "metrics": "a report has all metrics; --sort orders its rows by one",
    "timezone": "write --zone",
}
"""Hints for options of Genesys' API and of scripts for it, without dashes and in lower case."""


_OPTIONS_OF_EVERY_COMMAND = [*QUIET, *VERBOSE, *DEBUG, "--help"]
"""Options that no command lists as its own."""


def describe_usage_error(error: CycloptsError) -> str:
    """Return what is wrong, and what to write instead if that is known."""
    command = " ".join(["halfhour", *(error.command_chain or ())])
    advice = f"see {command} --help"
    reason = re.sub(r"(?<!\.)\.$", "", str(error).strip())
    match error:
        case UnknownOptionError(token=token, argument_collection=arguments):
            option = (token.keyword or token.value).partition("=")[0]
            if hint := _HINTS_BY_OPTION.get(re.sub("[-_]", "", option).lower()):
                return f"unknown option {option}: {hint}"
            names = [name for argument in arguments if argument.parse for name in argument.names]
            names += _OPTIONS_OF_EVERY_COMMAND
            return f"unknown option {option}{suggest_name(option, names, advice)}"
        case UnknownCommandError(unused_tokens=[option, *_]) if option.startswith("-"):
            names = [*_OPTIONS_OF_EVERY_COMMAND, "--version"]
            return f"unknown option {option}{suggest_name(option, names, advice)}"
        case CoercionError(token=token, argument=argument, target_type=kind) if (
            token and argument and (choices := _choices(kind, error.command_chain))
        ):
            aliases = map(str.lower, getattr(kind, "__members__", ()))
            label = token.keyword or argument.name
            return describe_choices(label, token.value, choices, aliases=aliases, advice=advice)
        case MissingArgumentError(root_input_tokens=[*words]):
            for option, word in pairwise(words):  # a word with a dash passes for an option
                if option.startswith("--") and is_negative_duration(word):
                    return describe_negative_duration(option, word)
        case UnusedCliTokensError(unused_tokens=words):
            quoted = ", ".join(map(repr, words or ()))
            reason = f"{quoted}: write the option that this is for before it, as in --last 7d"
        case _:
            pass
    is_question = reason.endswith("?")
    return f"{reason} See {command} --help" if is_question else f"{reason}; {advice}"


def _choices(kind: Any, command_chain: Sequence[str] | None) -> Sequence[str]:
    """Return the values of *kind* that the command takes; none if it is not a choice."""
    if kind is Format and (not command_chain or command_chain[0] != "report"):
        return ROWS_FORMATS
    is_enum = isinstance(kind, type) and issubclass(kind, StrEnum)
    return list(kind) if is_enum else get_args(kind) if get_origin(kind) is Literal else []
