"""Tests of the catalogue of figures, and of the SQL that it makes."""

import pytest

from halfhour.model.data_dictionary import column_unit
from halfhour.model.measures import (
    AGENT_MEASURES,
    CATALOGUE,
    FIGURES,
    STORED_FIGURES,
    WORK_SEGMENT_TYPES,
    dashboard_choices,
)
from halfhour.model.rules import rule_text
from halfhour.web.view_state import Measure


def test_every_column_has_a_name_of_its_own_and_a_unit():
    names = [figure.name for figure in CATALOGUE] + [measure.name for measure in AGENT_MEASURES]

    assert len(names) == len(set(names))
    assert all(map(column_unit, names))


def test_a_figure_with_a_rule_is_part_of_a_stored_figure():
    for figure in FIGURES:
        if figure.rule and figure.table == "figures":
            assert any(
                (stored.metric, stored.stat, stored.segment_types)
                == (figure.metric, figure.stat, figure.segment_types)
                for stored in STORED_FIGURES
            ), figure.name


def test_handle_time_is_the_time_in_segments_of_work():
    stored = {figure.name: figure for figure in STORED_FIGURES}

    assert stored["handle_time_sec"].segment_types == WORK_SEGMENT_TYPES


def test_the_dashboard_offers_the_columns_of_its_choices():
    assert dashboard_choices() == {choice.value: choice.report_column for choice in Measure}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("busy", {}),
        ("by_agent", {"minutes": 30}),
        ("by_dimension", {"key": "media_type", "label": "dimension as media_type"}),
        ("by_interval", {"minutes": 30}),
        ("by_queue_interval", {"minutes": 30}),
        ("rebuilt", {}),
        ("reconciled", {}),
        ("worked", {}),
    ],
)
def test_a_rule_is_complete_once_it_is_filled_in(name, values):
    assert "{" not in rule_text(name, **values)
