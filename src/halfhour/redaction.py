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
LONGEST = 1_000
"""Characters of an error that are shown; a server may answer with millions."""
LONGEST_QUOTED = 500
"""Characters of one text of a server."""
_SHORTEST_SECRET = 8
"""Whatever is shorter is part of common words, which would be masked in their place."""
_TOKENS = 16
"""How many of the latest tokens are remembered: a long sync may see a new one with each request."""
_TAIL = 0.3
"""The part of a shortened text that is its end, where our own errors say what to do."""

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""C0, DEL, C1, line separators, what turns the direction of text, and halves of characters."""
_BREAK = "\n  "
"""A line break of our own, before an entry of a list."""

_secrets: set[str] = set()
_tokens: deque[str] = deque(maxlen=_TOKENS)


def register_secret(secret: str, *, passing: bool = False) -> None:
    """Mask *secret* from now on in all that is shown, also as URLs, JSON and Python write it.

    Of those that are *passing*, such as tokens, only the latest are remembered.
    """
    if len(secret) < _SHORTEST_SECRET:
        return
    if not passing:
        _secrets.add(secret)
    elif secret not in _tokens:
        _tokens.append(secret)


def masked(text: str) -> str:
    """Return *text* with `MASK` in place of every secret that is registered."""
    for secret in sorted((*_secrets, *_tokens), key=len, reverse=True):
        text = _pattern(secret).sub(MASK, text)
    return text


def harmless(text: str, longest: int | None = None) -> str:
    """Return *text* as one line without secrets and control characters, which are escaped.

    One that has more than *longest* characters has an ellipsis in its middle.
    """
    shown = _CONTROL.sub(lambda at: at[0].encode("unicode_escape").decode(), masked(text))
    if longest is None or len(shown) <= longest:
        return shown
    tail = int(longest * _TAIL)
    return f"{shown[: longest - tail - 1]}…{shown[-tail:]}"


def harmless_lines(text: str, longest: int | None = None) -> str:
    """Return *text* line by line as `harmless` does, where a line break of a list is our own."""
    return _BREAK.join(harmless(line, longest) for line in text.split(_BREAK))


@lru_cache(maxsize=64)
def _pattern(secret: str) -> re.Pattern[str]:
    """Match *secret*, each letter of it in any way in which an answer or an error may write it."""
    return re.compile("".join(map(_written, secret)))


def _written(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    in_url = "".join(f"%{byte:02x}" for byte in letter.encode(errors="replace"))
    in_python = repr(letter)[1:-1], repr(letter.encode(errors="replace"))[2:-1]
    in_json = json.dumps(letter)[1:-1], f"\\{letter}"
    in_form = "+" if letter == " " else letter
    forms = {letter, *in_python, *in_json, in_url, in_url.upper(), in_form, html.escape(letter)}
    return f"(?:{'|'.join(map(re.escape, sorted(forms, key=len, reverse=True)))})"
