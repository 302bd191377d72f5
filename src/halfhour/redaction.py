"""Text from outside made safe to show: no secret is in it, and nothing that moves a cursor.

A server may send back what it was sent, in an error, a header or an id, and a terminal obeys the
control characters that it is shown.
"""

import html
import json
import re
from collections import deque
from functools import lru_cache

MASK = "***"
MAX_ERROR_LENGTH = 1_000
"""Characters of an error that are shown; a server may answer with millions."""
MAX_QUOTED_LENGTH = 500
"""Characters of one text of a server."""
_MIN_SECRET_LENGTH = 8
"""Whatever is shorter is part of common words, which would be masked in their place."""
_MAX_TOKENS = 16
"""The number of latest tokens that are remembered; a long sync may see a new one a request."""
_TAIL_SHARE = 0.3
"""The part of a shortened text that is its end, where our own errors say what to do."""

_CONTROL_CHARACTERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""C0, DEL, C1, line separators, what turns the direction of text, and halves of characters."""
_LIST_LINE_BREAK = "\n  "
"""A line break of our own, before an entry of a list."""

_secrets: set[str] = set()
_tokens: deque[str] = deque(maxlen=_MAX_TOKENS)


def register_secret(secret: str, *, passing: bool = False) -> None:
    """Mask *secret* from now on in all that is shown, also as URLs, JSON and Python write it.

    Of those that are *passing*, such as tokens, only the latest are remembered.
    """
    if len(secret) < _MIN_SECRET_LENGTH:
        return
    if not passing:
        _secrets.add(secret)
    elif secret not in _tokens:
        _tokens.append(secret)


def mask_secrets(text: str) -> str:
    """Return *text* with `MASK` in place of every secret that is registered."""
    for secret in sorted((*_secrets, *_tokens), key=len, reverse=True):
        text = _secret_pattern(secret).sub(MASK, text)
    return text


def sanitize_text(text: str, longest: int | None = None) -> str:
    """Return *text* as one line without secrets and control characters, which are escaped.

    One that has more than *longest* characters has an ellipsis in its middle.
    """
    shown = _CONTROL_CHARACTERS.sub(
        lambda at: at[0].encode("unicode_escape").decode(), mask_secrets(text)
    )
    if longest is None or len(shown) <= longest:
        return shown
    tail = int(longest * _TAIL_SHARE)
    return f"{shown[: longest - tail - 1]}…{shown[-tail:]}"


def sanitize_lines(text: str, longest: int | None = None) -> str:
    """Return *text* line by line as `harmless` does, where a line break of a list is our own."""
    return _LIST_LINE_BREAK.join(
        sanitize_text(line, longest) for line in text.split(_LIST_LINE_BREAK)
    )


@lru_cache(maxsize=64)
def _secret_pattern(secret: str) -> re.Pattern[str]:
    """Match *secret*, each letter of it in any way in which an answer or an error may write it."""
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
