"""The report of ``halfhour demo``: a table, and with ``--open`` a page and the dashboard."""

import logging
import webbrowser
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from halfhour.cli.console import logging_to_stderr
from halfhour.cli.output import Output
from halfhour.cli.report import write_report
from halfhour.cli.spelling import program_name
from halfhour.cli.sync import sync_once
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import KeptAges
from halfhour.model.question import Question
from halfhour.model.vocabulary import Format
from halfhour.service import Access
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest

SYNC_INTERVAL = timedelta(minutes=15)
_USUAL_STEPS = (
    "report --help: what else a report can show, and in which formats",
    "init: connect your own organisation, and test the connection",
)

log = logging.getLogger("halfhour")


def show_on_screen(question: Question, settings: Settings) -> None:
    """Answer *question* with a table on the screen, and log what to try next."""
    write_report(question, Access(load_settings=lambda: settings), Output())
    with logging_to_stderr():
        _log_next_steps("demo --open: the same as a page, and the dashboard")


def show_in_browser(question: Question, settings: Settings) -> None:
    """Answer *question* on the screen and with a page, and serve the dashboard until Ctrl-C.

    The browser opens both. Their files are gone at the end.
    """
    from halfhour.web import server
    from halfhour.web.background_sync import ServedStore

    with TemporaryDirectory(prefix="halfhour-demo-") as folder:
        store, page = Store(Path(folder) / "demo.duckdb"), Path(folder) / "report.html"
        with logging_to_stderr():
            sync_once(settings, store, SyncRequest(question.interval), KeptAges())
        access = Access(load_settings=lambda: settings, store=store, offline=True)
        write_report(question, access, Output(form=Format.HTML, path=page))
        write_report(question, access, Output())
        with logging_to_stderr():
            _log_next_steps("emulator --port 8080: a Genesys Cloud for your programs")
            log.info("the report and the dashboard, until Ctrl-C:")
            log.info("%s", page.as_uri())
            webbrowser.open(page.as_uri())
            server.serve_dashboard(
                {"": ServedStore(store, str(question.zone))},
                {"": lambda: settings},
                host="127.0.0.1",
                port=0,
                password_file=None,
                names=(),
                proxy=None,
                every=SYNC_INTERVAL,
                on_listening=webbrowser.open,
            )


def _log_next_steps(first: str) -> None:
    log.info("next:%s", "".join(f"\n  {program_name()} {step}" for step in (first, *_USUAL_STEPS)))
