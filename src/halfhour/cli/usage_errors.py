"""The sentence for words on the command line that cannot be understood."""

import re

from cyclopts import CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from halfhour.cli.options import DEBUG, QUIET, VERBOSE
from halfhour.errors import suggest_name
from halfhour.model.vocabulary import WORDS_BY_GENESYS_NAME

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
    reason = re.sub(r"(?<!\.)\.$", "", str(error).strip())
    match error:
        case UnknownOptionError(token=token, argument_collection=arguments):
            option = (token.keyword or token.value).partition("=")[0]
            if hint := _HINTS_BY_OPTION.get(re.sub("[-_]", "", option).lower()):
                return f"unknown option {option}: {hint}"
            names = [name for argument in arguments if argument.parse for name in argument.names]
            nearest = suggest_name(option, [*names, *_OPTIONS_OF_EVERY_COMMAND])
            reason = f"unknown option {option}{nearest}"
        case UnknownCommandError(unused_tokens=[option, *_]) if option.startswith("-"):
            nearest = suggest_name(option, [*_OPTIONS_OF_EVERY_COMMAND, "--version"])
            reason = f"unknown option {option}{nearest}"
        case CoercionError(token=token) if token:
            if word := WORDS_BY_GENESYS_NAME.get(token.value.lower()):
                reason = f"{reason}. Write {token.keyword} {word}"
        case UnusedCliTokensError(unused_tokens=words):
            quoted = ", ".join(map(repr, words or ()))
            reason = f"{quoted}: write the option that this is for before it, as in --last 7d"
        case _:
            pass
    command = " ".join(["halfhour", *(error.command_chain or ())])
    return f"{reason}; see {command} --help"
