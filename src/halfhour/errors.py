"""The failures that a caller can act on. Messages tell the place, the failure and the remedy."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from halfhour.redaction import MAX_ERROR_LENGTH, MAX_QUOTED_LENGTH, sanitize_lines, sanitize_text

DEBUG_VARIABLE = "HALFHOUR_DEBUG"
"""The variable that has a command show where an unexpected error came from."""
_PARAMETER = re.compile(r"⟨(\w+)⟩")


def spell_parameters(text: str, spell: Callable[[str], str] = str) -> str:
    """Return *text* with each marked parameter, such as ⟨top⟩, as *spell* writes its name."""
    return _PARAMETER.sub(lambda match: spell(match[1]), text)


def install_command(extra: str) -> str:
    """Return the command that adds *extra* to halfhour, in the way in which it was installed."""
    # Imported late, because only this message needs them.
    import json
    import shlex
    import shutil
    import sys
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        origin = json.loads(distribution("halfhour").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    # Another pip on the PATH would install for another Python.
    own_pip = shutil.which("pip", path=Path(sys.executable).parent)
    is_found = own_pip is not None and own_pip == shutil.which("pip")
    pip = "pip" if is_found else f"{shlex.quote(sys.executable)} -m pip"
    url = urlsplit(origin.get("url", ""))
    if url.scheme != "file":
        repository = f" @ git+{url.geturl()}" if "vcs_info" in origin else ""
        return f"{pip} install 'halfhour[{extra}]{repository}'"
    path = Path(url2pathname(url.path))
    editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
    return f"{pip} install {editable}'{'.' if path == Path.cwd() else path}[{extra}]'"


class HalfhourError(Exception):
    """The base class of every failure of this package. Never raised itself.

    The text marks the names of parameters, as in ``⟨top⟩ 0: write a number above 0``: `str`
    shows them as Python names them, `spelled` as a front end does. The text may quote a server,
    so `redaction.sanitize_text` makes it safe to show.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(
            *(
                sanitize_text(part, MAX_ERROR_LENGTH) if isinstance(part, str) else part
                for part in args
            )
        )

    def __str__(self) -> str:
        return spell_parameters(super().__str__())

    def spelled(self, spell: Callable[[str], str]) -> str:
        """Return the text with the name of every parameter as *spell* writes it."""
        marked = super().__str__()
        return spell_parameters(marked, spell) if _PARAMETER.search(marked) else str(self)


class ConfigError(HalfhourError):
    """A parameter, a setting or a file of the user cannot be understood."""

    @property
    def parameter(self) -> str:
        """The name of the first parameter that the text is about; empty if it names none."""
        first = _PARAMETER.search(Exception.__str__(self))
        return first[1] if first else ""


class WriteError(HalfhourError):
    """The output could not be written completely."""


class StoreError(HalfhourError):
    """The store cannot be opened, read or written; its data is unchanged."""


class StoreBusy(StoreError):  # noqa: N818
    """Another sync or another program uses the store at the moment."""


class Incomplete(HalfhourError):  # noqa: N818
    """A part of the data is missing, and the message lists it; all other data is stored.

    Each entry of the list has its own line, which begins with two blanks. *table* is the Arrow
    table of the available rows if `halfhour.report` raised the error; otherwise None.
    """

    def __init__(self, message: str) -> None:
        Exception.__init__(self, sanitize_lines(message, MAX_ERROR_LENGTH))
        self.table: Any = None


class AuthError(HalfhourError):
    """The credentials are missing or were refused. A retry does not help.

    *code* is Genesys' own word for a refusal, such as ``invalid_client``; otherwise empty.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = sanitize_text(code, MAX_QUOTED_LENGTH)


class Unreachable(HalfhourError):  # noqa: N818  (it reads as the sentence it is)
    """No complete answer came: there was no connection, or the answer timed out or broke off."""


class NoConnection(Unreachable):
    """No connection could be made. *may_pass* tells whether another attempt may succeed."""

    def __init__(self, message: str, *, may_pass: bool) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class UnexpectedAnswer(HalfhourError):  # noqa: N818
    """An answer came that does not fit Genesys Cloud's API."""


class ApiError(HalfhourError):
    """Genesys Cloud refused a request.

    *operation* is the name of the endpoint, *status* the HTTP status, *code* and *message* are
    Genesys' own. *retry_after* is in seconds; None if the answer has none.
    """

    def __init__(
        self,
        operation: str,
        status: int,
        *,
        code: str = "",
        message: str = "",
        correlation_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(operation, status, code, message)
        self.operation = operation
        self.status = status
        self.code = sanitize_text(code, MAX_QUOTED_LENGTH)
        self.message = sanitize_text(message, MAX_QUOTED_LENGTH)
        self.correlation_id = sanitize_text(correlation_id, MAX_QUOTED_LENGTH)
        self.retry_after = retry_after

    def __str__(self) -> str:
        reason = ": ".join(part for part in (self.code, self.message.strip()) if part)
        trace = f" [correlation id {self.correlation_id}]" if self.correlation_id else ""
        where = f"{self.operation}: HTTP {self.status}"
        return f"{where}: {reason or 'no reason given'} - {self.suggested_action}{trace}"

    @property
    def suggested_action(self) -> str:
        """The action that a person can take."""
        if self.retry_after:
            return f"Genesys asks to wait {self.retry_after:g} s; try again then"
        by_status = _ACTION_BY_STATUS.get(
            self.status, "try again later; if this stays, ask Genesys support"
        )
        return _ACTION_BY_CODE.get(self.code, by_status)


_ACTION_BY_STATUS = {
    400: "Genesys did not accept the query; please report this as a bug of halfhour",
    401: "the token was refused; check that the OAuth client is active and in this region",
    403: "ask an admin to give the OAuth client's role the permission named here",
    404: "the address does not exist on this host; check the region or base URL",
    408: "the request took too long; try again, or ask for a shorter range",
    413: "the request is too large; ask for fewer queues or agents",
    429: "the rate limit is used up; try again later, or ask Genesys for a higher limit",
    504: "Genesys took too long; try again, or ask for a shorter range or fewer agents",
}
_ACTION_BY_CODE = {
    "response.entity.too.large": "ask for a shorter range, fewer queues or fewer agents",
    "ip.not.authorized": "the organisation's allow-list lacks this machine's IP address; ask an "
    "admin to add it",
}


def suggest_name(word: str, candidates: Iterable[str], advice: str = "") -> str:
    """Return a hint such as ``; did you mean 'agent'?`` and *advice*, if there is either.

    The hint has the `nearest_name`. Advice after a hint is a new sentence.
    """
    nearest = nearest_name(word, candidates)
    if not nearest:
        return f"; {advice}" if advice else ""
    return f"; did you mean {nearest!r}? {advice[:1].upper()}{advice[1:]}".rstrip()


def nearest_name(word: str, candidates: Iterable[str]) -> str:
    """Return the shortest of *candidates* that begins with *word*, or else the closest one.

    It is empty if none is close. Case and the dashes before an option do not count.
    """
    by_folded = {name.casefold().lstrip("-"): str(name) for name in candidates}
    folded = word.casefold().lstrip("-")
    beginnings = [name for name in by_folded if name.startswith(folded) and len(word) > 2]
    beginnings.sort(key=lambda name: (name[len(folded) :][:1].isalnum(), len(name)))
    close = beginnings or get_close_matches(folded, by_folded, n=1)
    return by_folded[close[0]] if close else ""
