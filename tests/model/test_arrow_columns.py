from array import array

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model import arrow_columns
from halfhour.model.arrow_columns import NULL_MARKER

numbers = st.one_of(st.none(), st.integers(-(2**62), 2**62))


@given(st.lists(numbers))
def test_figures_come_out_as_they_went_in(values):
    column = arrow_columns.integer_column(
        array("q", (NULL_MARKER if value is None else value for value in values)), pa.int64()
    )

    column.validate(full=True)
    assert column.to_pylist() == values


@given(st.lists(st.one_of(st.none(), st.text())))
def test_texts_come_out_as_they_went_in(values):
    column = arrow_columns.string_column(values)

    column.validate(full=True)
    assert column.to_pylist() == values


@given(st.data())
def test_chosen_texts_stand_in_the_order_of_the_places_asked_for(data):
    values = data.draw(st.lists(st.one_of(st.none(), st.text()), min_size=1))
    places = data.draw(st.lists(st.integers(0, len(values) - 1)))

    column = arrow_columns.take_rows(arrow_columns.string_column(values), array("q", places))

    assert column.to_pylist() == [values[place] for place in places]
