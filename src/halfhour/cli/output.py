"""How something is to be written, and where to."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.intervals import HALF_HOUR
from halfhour.model.question import Question
from halfhour.model.vocabulary import By, Format
from halfhour.render import atomic_file, formats, layouts
from halfhour.reports import questions
from halfhour.reports.data import ReportData
from halfhour.reports.pseudonyms import Pseudonymizer
from halfhour.store.store import Store

_FORMATS_BY_SUFFIX = {
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


def format_for_path(output: Path | None) -> Format:
    """The format that a file's ending stands for. Raises ConfigError for any other ending."""
    if output is None:
        return Format.TABLE
    if output.suffix.lower() not in _FORMATS_BY_SUFFIX:
        hint = suggest_name(output.suffix, _FORMATS_BY_SUFFIX)
        raise ConfigError(
            f"--output {output}: the ending is none of {', '.join(_FORMATS_BY_SUFFIX)}{hint}; "
            "say which with --format"
        )
    return _FORMATS_BY_SUFFIX[output.suffix.lower()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a report is to be written: *output* is None for stdout, *layout* that of a WFM file."""

    form: Format = Format.TABLE
    path: Path | None = None
    seconds: bool = False
    layout: str = ""
    pseudonyms: Pseudonymizer | None = None

    def adapt_question(self, question: Question) -> Question:
        """*question*, as far as the form decides what it is. Raises ConfigError."""
        if bool(self.layout) != (self.form is Format.WFM):
            raise ConfigError("--layout and --format wfm go together: name both, or neither")
        if self.seconds and self.form is not Format.TABLE:
            raise ConfigError(
                f"--seconds: only of --format table, not {self.form}; csv, json, ndjson and "
                "parquet have seconds to the millisecond without it"
            )
        if self.form in formats.CHART_FORMATS and question.by is not By.INTERVAL:
            raise ConfigError(
                f"--format {self.form}: only with --by interval, whose half-hours it shows"
            )
        if self.form in formats.CHART_FORMATS and question.width != HALF_HOUR:
            raise ConfigError(f"--format {self.form}: it shows half-hours; leave out --granularity")
        if not self.layout:
            return question
        layout = layouts.load_layout(self.layout)
        if question.width not in (HALF_HOUR, layout.interval_width):
            raise ConfigError(
                "--granularity: a layout says how long its intervals are; leave it out"
            )
        zone = layout.time_zone or question.zone
        question = replace(question, by=layout.report_by, width=layout.interval_width, zone=zone)
        if layout.wants_offered:
            for option in ("agent", "division", "team"):
                if getattr(question, f"{option}s"):
                    raise ConfigError(
                        f"--{option}: what a queue was offered is of no agent; leave it out"
                    )
        answer = questions.build_report(question, ReportData())
        layouts.validate_layout(layout, answer.schema, self.layout, question.basis)
        return question


@contextmanager
def open_output(
    shape: Output, store: Store | None
) -> Iterator[Callable[[Mapping[str, Iterable[pa.Table]]], None]]:
    """What writes tables by their titles. Raises ConfigError where that is no place for them."""
    layout = layouts.load_layout(shape.layout) if shape.layout else None
    how: dict[str, Any] = {"seconds": shape.seconds, "layout": layout}
    output, form = shape.path, shape.form
    if output is None:
        if form in formats.BINARY_FORMATS and sys.stdout.isatty():
            raise ConfigError(
                f"--format {form} is nothing to read in a terminal; name a file with --output"
            )
        yield lambda tables: formats.write_tables(
            tables, form, sys.stdout.buffer, _terminal_width(), **how
        )
        return
    if store and atomic_file.owning_database(output.resolve()) == store.path.resolve():
        raise ConfigError(f"--output {output}: that belongs to the store; name another file")
    with atomic_file.open_atomically(output) as file:
        yield lambda tables: formats.write_tables(tables, form, file, **how)


def _terminal_width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
