import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.errors import ConfigError
from halfhour.model.names import name_sort_expression, name_sort_key, resolve_ids

AGENTS = [("1", "Björn Åkesson"), ("2", "Ada Rossi"), ("3", "Zoë Rossi"), ("4", None)]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("bjorn", "has that name; did you mean 'Björn Åkesson'?"),
        ("rossi", "has that name; did you mean 'Ada Rossi' or 'Zoë Rossi'?"),
        ("Ada Rosi", "has that name; did you mean 'Ada Rossi'?"),
        ("Nobody", "none of the 4 agents has that name; 'halfhour agents' lists them"),
        ("", "has that name; 'halfhour agents' lists them"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_contain_it(text, hint):
    with pytest.raises(ConfigError) as caught:
        resolve_ids("agents", [text], AGENTS, "agents")

    assert str(caught.value).endswith(hint)


ALPHABET = "aAbBzZ -'’1éÉłŁøØđĐðħŧıİŋəæÆœßẞþÞåÅñçüÜǅΣ王ن"


def test_names_with_letters_that_have_no_accent_to_take_off_are_among_their_neighbours():
    names = ["Zoë", "Øystein", "Peter", "Łukasz", "Lara", "Đorđe", "Dora", "Ægir", "Öner", "luz"]

    assert sorted(names, key=name_sort_key) == (
        ["Ægir", "Dora", "Đorđe", "Lara", "Łukasz", "luz", "Öner", "Øystein", "Peter", "Zoë"]
    )


@given(st.lists(st.text(st.sampled_from(ALPHABET))))
def test_sql_and_python_have_one_key_for_a_name(names):
    query = f"select {name_sort_expression('name')} from unnest($names::text[]) as rows(name)"
    keys = duckdb.execute(query, {"names": names}).fetchall()

    assert [key for (key,) in keys] == [name_sort_key(name) for name in names]
