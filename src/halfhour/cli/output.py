"""The format of the output, and the file or terminal that it goes to."""

import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halfhour.cli.spelling import option_name
from halfhour.errors import ConfigError, suggest_name
from halfhour.model.intervals import HALF_HOUR
from halfhour.model.question import Question
from halfhour.model.vocabulary import By, Format
from halfhour.render import atomic_file, formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa

    from halfhour.render.layouts import Layout
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

_OTHER_FORMATS_BY_SUFFIX = {
    ".txt": {Format.HEATMAP, Format.CSV, Format.JSON, Format.NDJSON, Format.WFM},
    ".csv": {Format.WFM},
    ".json": {Format.NDJSON},
}
"""Formats that a file with the suffix can have too, if --format names them."""


def require_fitting_suffix(form: Format, output: Path | None) -> None:
    """Raise ConfigError if the suffix of *output* is that of another format than *form*.

    A suffix that belongs to no format fits each.
    """
    fitting = [
        suffix
        for suffix, form_of_suffix in _FORMATS_BY_SUFFIX.items()
        if form in {form_of_suffix, *_OTHER_FORMATS_BY_SUFFIX.get(suffix, ())}
    ]
    suffix = output.suffix.lower() if output else ""
    if suffix in fitting or suffix not in _FORMATS_BY_SUFFIX:
        return
    option = "--layout" if form is Format.WFM else "--format"
    raise ConfigError(
        f"--output {output}: the suffix is that of {_FORMATS_BY_SUFFIX[suffix]}, and the format "
        f"is {form}; leave out {option}, or name a file with {fitting[0]}"
    )


def format_for_path(output: Path | None) -> Format:
    """Return the format for the suffix of *output*, a table if None.

    Raises ConfigError for an unknown suffix.
    """
    if output is None:
        return Format.TABLE
    atomic_file.refuse_folder(output)
    if output.suffix.lower() not in _FORMATS_BY_SUFFIX:
        advice = "rename the file, or name the format with --format"
        hint = suggest_name(output.suffix, _FORMATS_BY_SUFFIX, advice)
        raise ConfigError(
            f"--output {output}: the suffix is none of {', '.join(_FORMATS_BY_SUFFIX)}{hint}"
        )
    return _FORMATS_BY_SUFFIX[output.suffix.lower()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The format and file of a report.

    *path* is None for stdout; *layout* names the layout of a WFM file, and is empty otherwise.
    """

    form: Format = Format.TABLE
    path: Path | None = None
    seconds: bool = False
    ids: bool = False
    layout: str = ""
    pseudonyms: "Pseudonymizer | None" = None

    def load_layout(self) -> "Layout | None":
        """Return the layout, or None if there is none. Raises ConfigError."""
        if not self.layout:
            return None
        from halfhour.render import layouts

        return layouts.load_layout(self.layout)

    def require_room_for_organizations(self) -> None:
        """Raise ConfigError if the format cannot show several organisations."""
        if self.form not in formats.ROWS_FORMATS:
            raise ConfigError(
                f"--format {self.form}: this format shows one organisation; name one with --org, "
                f"or choose one of {', '.join(formats.ROWS_FORMATS)}"
            )

    def require_rows_format(self) -> None:
        """Raise ConfigError if the format cannot show rows of other tables than reports."""
        if self.form not in formats.ROWS_FORMATS:
            raise ConfigError(
                f"--format {self.form}: only a report has this format; choose one of "
                f"{', '.join(formats.ROWS_FORMATS)}"
            )

    def _require_layout_of_format(self) -> None:
        if self.form is Format.WFM and not self.layout:
            from halfhour.render.layouts import built_in_layout_names

            raise ConfigError(
                "--format wfm: choose a layout with --layout: "
                f"{', '.join(built_in_layout_names())}, or a TOML file"
            )
        if self.layout and self.form is not Format.WFM:
            raise ConfigError(
                f"--format {self.form}: only wfm has layouts; leave out --format or --layout"
            )

    def _explain_rows_of_layout(self, by: By, rows: str) -> str:
        """Return that the layout, which has *rows*, cannot have those of *by*."""
        other = (
            'use a layout with rows = "queue", such as genesys-wfm'
            if by in (By.QUEUE, By.QUEUE_INTERVAL)
            else "leave out --layout, as no layout has such rows"
        )
        return (
            f"--by {by}: a row of --layout {self.layout} stands for one {rows} and interval; leave "
            f"out --by, or {other}"
        )

    def adapt_question(self, question: Question) -> Question:
        """Return *question* with the rows, interval width and zone that the layout prescribes.

        Raises ConfigError if the question and the format do not fit together.
        """
        self._require_layout_of_format()
        if self.seconds and self.form is not Format.TABLE:
            raise ConfigError(
                f"--seconds: only --format table has this option, not {self.form}; csv, json, "
                "ndjson and parquet always show seconds, with milliseconds"
            )
        if self.form in formats.CHART_FORMATS and question.by is not By.INTERVAL:
            raise ConfigError(
                f"--format {self.form}: this format shows agents by half-hours; use --by interval"
            )
        if self.form in formats.CHART_FORMATS and question.width != HALF_HOUR:
            raise ConfigError(
                f"--format {self.form}: this format shows half-hours; leave out --granularity"
            )
        layout = self.load_layout()
        if layout is None:
            return question
        if question.width not in (HALF_HOUR, layout.interval_width):
            raise ConfigError(
                "--granularity: the layout sets the interval length; leave out --granularity"
            )
        if question.by not in (By.INTERVAL, layout.report_by):
            raise ConfigError(self._explain_rows_of_layout(question.by, layout.rows))
        zone = layout.time_zone or question.zone
        question = replace(question, by=layout.report_by, width=layout.interval_width, zone=zone)
        if layout.wants_offered:
            for option in ("agent", "division", "team"):
                if getattr(question, f"{option}s"):
                    raise ConfigError(
                        f"--{option}: the layout has offered interactions, which are counted by "
                        f"queue and not by agent; leave out --{option}"
                    )
        # Imported late, because a dry run without a layout needs no Arrow and no DuckDB.
        from halfhour.render import layouts
        from halfhour.reports import questions
        from halfhour.reports.data import ReportData

        answer = questions.build_report(question, ReportData.without_rows())
        layouts.validate_layout(layout, answer.schema, self.layout, question.basis)
        return question


@contextmanager
def open_output(
    output: Output, *stores: "Store | None"
) -> "Iterator[Callable[[Mapping[str, Iterable[pa.Table]]], None]]":
    """Open *output*, and give the function that writes tables, by title, to it.

    Raises ConfigError if the terminal cannot show the format, or if the file belongs to one of
    *stores*.
    """
    style: dict[str, Any] = {
        "seconds": output.seconds,
        "ids": output.ids,
        "layout": output.load_layout(),
        "spell": option_name,
    }
    path, form = output.path, output.form
    if path is None:
        if form in formats.BINARY_FORMATS and sys.stdout.isatty():
            raise ConfigError(
                f"--format {form}: a terminal cannot show this format; name a file with --output"
            )
        yield lambda tables: formats.write_tables(
            tables, form, sys.stdout.buffer, _terminal_width(), **style
        )
        return
    database = atomic_file.owning_database(path.resolve())
    if database in [store.path.resolve() for store in stores if store]:
        raise ConfigError(f"--output {path}: this file belongs to the store; name another file")
    with atomic_file.open_atomically(path) as file:
        yield lambda tables: formats.write_tables(tables, form, file, **style)


def _terminal_width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
