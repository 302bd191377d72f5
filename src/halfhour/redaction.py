"""Make text from outside safe to show: mask secrets and escape control characters.

A server may send back a secret in an error, a header or an id, and a terminal obeys the control
characters in its output.
"""

import html
import json
import re
from collections import deque
from functools import lru_cache

MASK = "***"
MAX_ERROR_LENGTH = 1_000
"""The most characters of an error; a server may answer with millions."""
MAX_QUOTED_LENGTH = 500
"""The most characters of a quoted text of a server."""
_MIN_SECRET_LENGTH = 8
"""The shortest secret that is masked; a shorter one could be a part of common words."""
_MAX_TOKENS = 16
"""The number of latest tokens that are masked; a long sync may get a new one with each request."""
_TAIL_SHARE = 0.3
"""The share of a shortened text for its end, where errors of halfhour tell what to do."""

_CONTROL_CHARACTERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""C0, DEL, C1, line separators, controls of text direction, and surrogates."""
_LIST_LINE_BREAK = "\n  "
"""The line break that halfhour writes before an entry of a list."""
_CREDENTIALS_OF_URL = re.compile("//.*@")
_PASSWORD_PART = re.compile(
    r"(\w*(?:passw|passphrase|pwd|token|secret|key)\w*\s*=\s*)"
    r"(?:'(?:\\.|[^'\\])*'?|.*?(?=\s+\w+\s*=|$))",
    re.IGNORECASE | re.DOTALL,
)
"""A name that tells of a secret, and its value, which may be quoted as libpq does it."""

_secrets: set[str] = set()
_tokens: deque[str] = deque(maxlen=_MAX_TOKENS)


def register_secret(secret: str, *, passing: bool = False) -> None:
    """Mask *secret* from now on in all output, also as URLs, JSON and Python write it.

    Only the latest *passing* secrets, such as tokens, are masked.
    """
    if len(secret) < _MIN_SECRET_LENGTH:
        return
    if not passing:
        _secrets.add(secret)
    elif secret not in _tokens:
        _tokens.append(secret)


def mask_secrets(text: str) -> str:
    """Return *text* with `MASK` in place of every registered secret."""
    for secret in sorted((*_secrets, *_tokens), key=len, reverse=True):
        text = _secret_pattern(secret).sub(MASK, text)
    return text


def mask_passwords(text: str) -> str:
    """Return *text* with `MASK` in place of each password of a connection string or a URL.

    A value in ``password=…`` ends before the next name with an equals sign, so a part of the text
    after it may be masked, too.
    """
    return _PASSWORD_PART.sub(rf"\1{MASK}", _CREDENTIALS_OF_URL.sub("//…@", text))


def sanitize_text(text: str, max_length: int | None = None) -> str:
    """Return *text* as one line with secrets masked and control characters escaped.

    A text of more than *max_length* characters has an ellipsis in its middle.
    """
    escaped = _CONTROL_CHARACTERS.sub(
        lambda match: match[0].encode("unicode_escape").decode(), mask_secrets(text)
    )
    if max_length is None or len(escaped) <= max_length:
        return escaped
    tail_length = int(max_length * _TAIL_SHARE)
    return f"{escaped[: max_length - tail_length - 1]}…{escaped[-tail_length:]}"


def sanitize_lines(text: str, max_length: int | None = None) -> str:
    """Return *text* with each entry of its list as `sanitize_text` makes it.

    Only line breaks before entries of a list stay.
    """
    return _LIST_LINE_BREAK.join(
        sanitize_text(line, max_length) for line in text.split(_LIST_LINE_BREAK)
    )


@lru_cache(maxsize=64)
def _secret_pattern(secret: str) -> re.Pattern[str]:
    """Return a pattern for *secret*, with each letter as answers and errors may write it."""
    return re.compile("".join(map(_letter_pattern, secret)))


def _letter_pattern(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    in_url = "".join(f"%{byte:02x}" for byte in letter.encode(errors="replace"))
    in_python = repr(letter)[1:-1], repr(letter.encode(errors="replace"))[2:-1]
    in_json = json.dumps(letter)[1:-1], f"\\{letter}"
    in_form = "+" if letter == " " else letter
    forms = {letter, *in_python, *in_json, in_url, in_url.upper(), in_form, html.escape(letter)}
    return f"(?:{'|'.join(map(re.escape, sorted(forms, key=len, reverse=True)))})"
