"""Questions on the terminal, or answers from options and the environment where there is none."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from getpass import getpass
from typing import TypeVar

from halfhour.cli.spelling import option_name
from halfhour.errors import ConfigError, HalfhourError
from halfhour.redaction import register_secret, sanitize_text

T = TypeVar("T")

_NO_ANSWER = "there was no answer; nothing was written"


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the setting *name*, in words, and how to *parse* its answer.

    *given* is the answer of an option, *default* is the one to offer, and *variable* the variable
    that can answer too; each is empty if there is none.
    """

    name: str
    words: str
    parse: Callable[[str], object]
    given: str = ""
    default: str = ""
    variable: str = ""


def is_terminal() -> bool:
    """Tell whether a person can be asked."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


def show_line(text: str) -> None:
    """Show *text* on stderr, without secrets and control characters."""
    print(sanitize_text(text), file=sys.stderr)


def show_error(error: HalfhourError) -> None:
    """Show what *error* says on stderr."""
    show_line(error.spelled(option_name))


def ask_setting(question: Question) -> str:
    """Return the answer to *question*: of its option, or of a person, who is asked until it fits.

    Where there is no terminal, the default is the answer. Raises ConfigError.
    """
    if question.given or not is_terminal():
        answer = question.given or question.default
        if not answer:
            raise _missing_answer(question.name, question.variable)
        question.parse(answer)
        return answer
    while True:
        shown = f" [{sanitize_text(question.default)}]" if question.default else ""
        print(f"{question.words}{shown}: ", end="", file=sys.stderr, flush=True)
        answer = _read_line().strip() or question.default
        try:
            if answer:
                question.parse(answer)
                return answer
        except ConfigError as error:
            show_error(error)


def ask_secret(present: str, *, is_given: bool) -> str:
    """Return a secret that a person types unseen; nothing typed means the *present* one.

    Where there is no terminal, the first line of stdin is the secret, if it has one and it is not
    *is_given* by the environment. Raises ConfigError.
    """
    if not is_terminal():
        typed = "" if is_given or not sys.stdin or sys.stdin.isatty() else sys.stdin.readline()
        secret = typed.strip() or present
        if not secret:
            raise ConfigError(
                "the client secret is missing; set GENESYS_CLIENT_SECRET, or write it to the "
                "standard input (it has no option, so that it stays out of the shell's history)"
            )
        return _registered(secret)
    hint = "not shown; Enter keeps the present one" if present else "not shown"
    while True:
        try:
            secret = getpass(f"Client secret ({hint}): ", stream=sys.stderr).strip() or present
        except EOFError as error:
            raise ConfigError(_NO_ANSWER) from error
        if secret:
            return _registered(secret)


def confirm(words: str) -> bool:
    """Return whether a person agrees; nothing typed means yes, and another word is asked again."""
    while True:
        print(f"{words} [Y/n]: ", end="", file=sys.stderr, flush=True)
        answer = _read_line().strip().casefold()
        if answer in ("", "y", "yes", "n", "no"):
            return answer in ("", "y", "yes")


def _read_line() -> str:
    line = sys.stdin.readline()
    if not line:
        print(file=sys.stderr)
        raise ConfigError(_NO_ANSWER)
    return line


def _registered(secret: str) -> str:
    register_secret(secret)
    return secret


def _missing_answer(name: str, variable: str) -> ConfigError:
    return ConfigError(
        f"⟨{name}⟩ is missing, and there is no terminal to ask on; give ⟨{name}⟩, or set {variable}"
    )
