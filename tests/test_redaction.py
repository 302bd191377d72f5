"""Tests of text from outside: it shows no secret, no control character and has a limited length."""

import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.errors import ApiError, HalfhourError, Incomplete, UnexpectedAnswer
from halfhour.redaction import MASK, mask_secrets, register_secret, sanitize_lines, sanitize_text

FALSE_LINE = "\r\nhalfhour: all went well\x1b[1A\x1b]0;title\x07\u202etxt.exe"

words = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), max_size=20)
# Such as no other test has, as what is registered stays so.
secrets = st.text(st.characters(exclude_characters="*"), min_size=1).map("{}-s3cr3t".format)


@given(secrets, words, words)
def test_a_secret_is_masked_wherever_it_stands_and_however_it_is_written(secret, before, after):
    register_secret(secret)
    in_urls = [quote(secret, errors="replace"), quote(secret, safe="", errors="replace")]
    in_urls += [quote_plus(secret, errors="replace")]
    in_python = [repr(secret)[1:-1], repr(secret.encode(errors="replace"))[2:-1]]
    written = [secret, *in_urls, *in_python, json.dumps(secret)[1:-1], html.escape(secret)]

    for form in written:
        shown = sanitize_text(f"{before}{form}{after}")
        assert form not in shown
        assert MASK in shown
        assert sanitize_text(shown) == shown


def test_percent_signs_of_a_url_may_be_followed_by_small_letters():
    register_secret("a/secret+of=mine")

    assert mask_secrets("?secret=a%2fsecret%2bof%3dmine&x=1") == f"?secret={MASK}&x=1"


def test_a_word_that_is_too_short_to_be_a_secret_stays_in_messages():
    register_secret("secret")

    assert mask_secrets("no client secret") == "no client secret"


def test_the_latest_tokens_are_masked_and_a_secret_outlasts_all_of_them():
    register_secret("the secret of the client")
    for number in range(100):
        register_secret(f"token number {number}", passing=True)

    assert mask_secrets("token number 99") == MASK
    assert mask_secrets("the secret of the client") == MASK
    assert mask_secrets("token number 00") == "token number 00"


@given(st.text())
def test_shown_text_moves_no_cursor_and_can_be_encoded(text):
    shown = sanitize_text(text)

    assert not [c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000]
    assert not {*"\u2028\u2029\u202a\u202e\u2066\u2069"} & {*shown}
    assert sanitize_text(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\r\nb", r"a\r\nb"),
        ("\u202eexe.txt\u2066", r"\u202eexe.txt\u2066"),
        ("\x9b\x7f\x00", r"\x9b\x7f\x00"),
        ("Zoë Łukasz 山田\u00a0– ok", "Zoë Łukasz 山田\u00a0– ok"),
    ],
)
def test_control_characters_are_escaped_and_letters_are_not(text, shown):
    assert sanitize_text(text) == shown


def test_a_text_that_is_too_long_keeps_its_beginning_and_its_end():
    shown = sanitize_text("what happened: " + "x" * 5_000_000 + "; what to do", 500)

    assert len(shown) == 500
    assert shown.startswith("what happened")
    assert "…" in shown
    assert shown.endswith("what to do")


def test_line_breaks_of_a_list_stay_and_no_other():
    assert sanitize_lines("two are missing:\n  one\n  two\nhalfhour: ok") == (
        "two are missing:\n  one\n  two\\nhalfhour: ok"
    )


@pytest.mark.parametrize("wrap", [str, repr])
def test_errors_hold_no_secret_and_no_control_character_from_a_server(wrap):
    register_secret("s3cr3t/of+the&client")
    message = f"s3cr3t/of+the&client {FALSE_LINE}" + "x" * 9_000
    plain = UnexpectedAnswer(f"details: {message}; try again")
    refusal = ApiError("queues", 400, code=message, message=message, correlation_id=message)
    incomplete = Incomplete(f"1 of 2 is missing:\n  posted: {refusal}\n  status: {plain}")

    for error in (plain, refusal, incomplete):
        shown = wrap(error)
        assert "s3cr3t" not in shown
        assert "\x1b" not in shown
        assert not [line for line in shown.splitlines()[1:] if not line.startswith("  ")]
        assert len(shown) < 4_000
    assert "s3cr3t" not in refusal.code + refusal.message + refusal.correlation_id
    assert str(plain).endswith("; try again")
    assert isinstance(plain, HalfhourError)
    assert len(str(incomplete).splitlines()) == 3
