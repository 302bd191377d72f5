"""The help of the command line: complete, grouped, and free of what says nothing."""

import re
import shlex
from io import StringIO

import pytest
from rich.console import Console

from halfhour.cli.app import app
from halfhour.cli.options import CONNECTION, MESSAGES, OUTPUT, ROWS, STORE, TIME
from tests.processes import Halfhour

COMMANDS = [name for name in app if not name.startswith("-")]
WITH_EXAMPLES = ["import", "init", "load", "report", "serve", "sync", "worked"]


def help_text(*command: str) -> str:
    out = StringIO()
    app.help_print(command, console=Console(file=out, width=200))
    return out.getvalue()


def example_commands(command: str) -> list[str]:
    _, _, examples = help_text(command).partition("\nExamples:\n")
    return [line.strip() for line in examples.splitlines() if line.strip()]


def test_the_commands_are_those_that_these_tests_look_at():
    assert sorted(COMMANDS) == [
        "agents",
        "check",
        "coverage",
        "demo",
        "emulator",
        "import",
        "init",
        "load",
        "password",
        "queues",
        "rebuild",
        "reconcile",
        "report",
        "revisions",
        "serve",
        "settings",
        "sync",
        "worked",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_no_empty_default(command):
    assert re.findall(r"""default: (?:\(\)|""|''|False|None|)\]""", help_text(command)) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text_that_begins_a_sentence_and_ends_it(command):
    arguments = [
        argument
        for argument in app[command].assemble_argument_collection()
        if argument.parse and argument.show
    ]
    assert arguments or command == "emulator"

    texts = {argument.name: argument.parameter.help or "" for argument in arguments}
    assert {name: text for name, text in texts.items() if not re.match(r"[A-Z].*\.$", text)} == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described_by_one_whole_sentence_in_the_list(command):
    assert re.search(rf"│ {command} +[A-Z][^│]+\. +│", help_text())


@pytest.mark.parametrize("command", WITH_EXAMPLES)
def test_help_ends_in_examples_that_can_be_parsed(command):
    examples = example_commands(command)

    assert len(examples) >= 2
    for example in examples:
        program, *words = shlex.split(example)
        assert (program, words[0]) == ("halfhour", command)
        assert len(example) < 79  # a terminal would break it
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_no_other_command_repeats_those_examples():
    others = set(COMMANDS) - set(WITH_EXAMPLES)

    assert [name for name in sorted(others) if "Examples:" in help_text(name)] == []


def test_the_options_of_report_are_grouped():
    grouped = {
        group.name: re.findall(r"^│ +(--[a-z-]+)", box, re.MULTILINE)
        for group in (ROWS, TIME, OUTPUT, STORE, CONNECTION, MESSAGES)
        for box in re.findall(rf"─ {group.name} ─.*?╰", help_text("report"), re.DOTALL)
    }

    assert list(grouped) == ["Rows", "Time", "Output", "Store", "Connection", "Messages"]
    every_option = re.findall(r"^│ +(--[a-z-]+)", help_text("report"), re.MULTILINE)
    assert sum(map(len, grouped.values())) == len(every_option)
    assert grouped["Time"] == ["--from", "--to", "--last", "--zone"]
    assert grouped["Store"] == ["--store", "--offline"]
    assert {"--queue", "--by", "--basis", "--top"} <= set(grouped["Rows"])
    assert {"--format", "--output"} <= set(grouped["Output"])
    assert {"--client-id", "--region"} <= set(grouped["Connection"])


def test_help_lists_each_format_once():
    assert "table, heatmap, csv, json, ndjson, parquet, xlsx, html, svg, png, wfm [" in help_text(
        "report"
    )


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".local/share/bash-completion/completions/halfhour"),
        ("zsh", ".zsh/completions/_cyclopts_halfhour"),
        ("fish", ".config/fish/completions/halfhour.fish"),
    ],
)
def test_completion_of_options_is_installed(tmp_path, shell, file):
    ran = Halfhour(tmp_path, {"HOME": str(tmp_path)})("--install-completion", "--shell", shell)

    assert (ran.code, ran.out) == (0, "")
    assert f"{tmp_path / file}: completion is installed" in ran.err
    script = (tmp_path / file).read_text(encoding="utf-8")
    assert all(word in script for word in ("reconcile", "basis", "worked", "quiet"))
