"""How something is to be written, and where to."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from halfhour.errors import ConfigError, near_miss
from halfhour.model.intervals import HALF_HOUR
from halfhour.model.question import Question
from halfhour.model.vocabulary import By, Format
from halfhour.render import atomic_file, formats, layouts
from halfhour.reports import questions
from halfhour.reports.data import Found
from halfhour.reports.pseudonyms import Pseudonyms
from halfhour.store.store import Store

_ENDINGS = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".parquet": Format.PARQUET,
    ".xlsx": Format.XLSX,
    ".html": Format.HTML,
    ".svg": Format.SVG,
    ".png": Format.PNG,
    ".txt": Format.TABLE,
}


def form_of(output: Path | None) -> Format:
    """The format that a file's ending stands for. Raises ConfigError for any other ending."""
    if output is None:
        return Format.TABLE
    if output.suffix.lower() not in _ENDINGS:
        hint = near_miss(output.suffix, _ENDINGS)
        raise ConfigError(
            f"--output {output}: the ending is none of {', '.join(_ENDINGS)}{hint}; "
            "say which with --format"
        )
    return _ENDINGS[output.suffix.lower()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a report is to be written: *output* is None for stdout, *layout* that of a WFM file."""

    form: Format = Format.TABLE
    output: Path | None = None
    seconds: bool = False
    layout: str = ""
    pseudonyms: Pseudonyms | None = None

    def question(self, question: Question) -> Question:
        """*question*, as far as the form decides what it is. Raises ConfigError."""
        if bool(self.layout) != (self.form is Format.WFM):
            raise ConfigError("--layout and --format wfm go together: name both, or neither")
        if self.seconds and self.form is not Format.TABLE:
            raise ConfigError(
                f"--seconds: only of --format table, not {self.form}; csv, json, ndjson and "
                "parquet have seconds to the millisecond without it"
            )
        if self.form in formats.DRAWN and question.by is not By.INTERVAL:
            raise ConfigError(
                f"--format {self.form}: only with --by interval, whose half-hours it shows"
            )
        if self.form in formats.DRAWN and question.width != HALF_HOUR:
            raise ConfigError(f"--format {self.form}: it shows half-hours; leave out --granularity")
        if not self.layout:
            return question
        layout = layouts.load(self.layout)
        if question.width not in (HALF_HOUR, layout.width):
            raise ConfigError(
                "--granularity: a layout says how long its intervals are; leave it out"
            )
        zone = layout.zone or question.zone
        question = replace(question, by=layout.by, width=layout.width, zone=zone)
        if layout.wants_offered:
            for option in ("agent", "division", "team"):
                if getattr(question, f"{option}s"):
                    raise ConfigError(
                        f"--{option}: what a queue was offered is of no agent; leave it out"
                    )
        answer = questions.report(question, Found())
        layouts.check(layout, answer.schema, self.layout, question.basis)
        return question


@contextmanager
def destination(
    shape: Shape, store: Store | None
) -> Iterator[Callable[[Mapping[str, Iterable[pa.Table]]], None]]:
    """What writes tables by their titles. Raises ConfigError where that is no place for them."""
    layout = layouts.load(shape.layout) if shape.layout else None
    how: dict[str, Any] = {"seconds": shape.seconds, "layout": layout}
    output, form = shape.output, shape.form
    if output is None:
        if form in formats.BINARY and sys.stdout.isatty():
            raise ConfigError(
                f"--format {form} is nothing to read in a terminal; name a file with --output"
            )
        yield lambda tables: formats.write(tables, form, sys.stdout.buffer, _width(), **how)
        return
    if store and atomic_file.database(output.resolve()) == store.path.resolve():
        raise ConfigError(f"--output {output}: that belongs to the store; name another file")
    with atomic_file.replacing(output) as file:
        yield lambda tables: formats.write(tables, form, file, **how)


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
