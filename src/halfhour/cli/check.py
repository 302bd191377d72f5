"""The command ``halfhour check``: print its findings and the next step, or JSON."""

import asyncio
import json
import sys
import textwrap

from rich.console import Console
from rich.text import Text

from halfhour.checking.checks import Check, CheckRequest
from halfhour.checking.findings import Finding, State, main_failure
from halfhour.checking.permissions import PERMISSIONS, role_definition
from halfhour.cli.console import log_retries, logging_to_stderr
from halfhour.cli.exit_codes import ExitCode, exit_code_of
from halfhour.cli.spelling import option_name
from halfhour.errors import spell_parameters
from halfhour.redaction import sanitize_text

_MARKS = {State.OK: "✓", State.NOTE: "!", State.FAILED: "✗", State.SKIPPED: "-"}
_ASCII_MARKS = {**_MARKS, State.OK: "+", State.FAILED: "x"}
_STYLES = {
    State.OK: "green",
    State.NOTE: "yellow",
    State.FAILED: "bold red",
    State.SKIPPED: "bright_black",
}
_TOPIC_WIDTH = 14
_INDENT = " " * (_TOPIC_WIDTH + 2)
_MIN_WIDTH = 20
_PERMISSION_NAMES = {permission.name for permission in PERMISSIONS}


def run_check(request: CheckRequest, *, as_json: bool) -> ExitCode:
    """Check all parts, print what was found, and return the exit code."""
    check = Check(request)
    with logging_to_stderr():
        log_retries()
        asyncio.run(_print_findings(check, as_json=as_json))
    failure = main_failure(check.findings)
    code = exit_code_of(failure.error) if failure and failure.error else ExitCode.DONE
    if as_json:
        print(json.dumps(_as_json(check, code), indent=2, ensure_ascii=False))
    else:
        _print_end(check)
    sys.stdout.flush()
    return code


async def _print_findings(check: Check, *, as_json: bool) -> None:
    console = _console()
    async for finding in check.run():
        if not as_json:
            _print_finding(console, finding)


def _print_finding(console: Console, finding: Finding) -> None:
    topic, message = finding.topic, finding.message
    if topic in _PERMISSION_NAMES:
        topic, message = "permission", f"{topic}: {message}"
    mark = (_marks()[finding.state], _STYLES[finding.state])
    lines = _wrap_text(console, message)
    _print_line(console, Text.assemble(mark, f" {topic:{_TOPIC_WIDTH}}{lines[0]}"))
    arrow = "→" if _is_unicode() else "->"
    fix = _wrap_text(console, f"{arrow} {finding.fix}") if finding.fix else []
    for line in (*lines[1:], *fix):
        _print_line(console, f"{_INDENT}{line}")


def _print_line(console: Console, line: str | Text) -> None:
    """Print *line* at once. Raises BrokenPipeError, with which rich would end the process."""
    with console.capture() as captured:
        console.print(line)
    print(captured.get(), end="", flush=True)


def _wrap_text(console: Console, text: str) -> list[str]:
    """Return the lines of *text* on a terminal, or else all of it in one."""
    safe = _safe_text(text)
    if not sys.stdout.isatty():
        return [safe]
    width = max(console.width - len(_INDENT), _MIN_WIDTH)
    return textwrap.wrap(safe, width, break_long_words=False, break_on_hyphens=False) or [""]


def _safe_text(text: str) -> str:
    return sanitize_text(spell_parameters(text, option_name))


def _print_end(check: Check) -> None:
    console = _console()
    if any(finding.error and finding.topic in _PERMISSION_NAMES for finding in check.findings):
        _print_line(console, "\nA role that grants what halfhour uses, and no more:")
        for permission in PERMISSIONS:
            preview = "  (only for a preview)" if permission.is_preview else ""
            _print_line(console, f"  {permission.name}{preview}")
    step = _safe_text(check.next_step)
    _print_line(console, f"\nNext: {step}.")


def _as_json(check: Check, code: ExitCode) -> dict[str, object]:
    return {
        "findings": [
            {
                "topic": finding.topic,
                "state": finding.state,
                "message": _safe_text(finding.message),
                "fix": _safe_text(finding.fix),
            }
            for finding in check.findings
        ],
        "exit_code": code,
        "next_step": _safe_text(check.next_step),
        "role": role_definition(),
    }


def _console() -> Console:
    return Console(file=sys.stdout, highlight=False, markup=False, soft_wrap=True)


def _marks() -> "dict[State, str]":
    return _MARKS if _is_unicode() else _ASCII_MARKS


def _is_unicode() -> bool:
    try:
        "✓✗→".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
