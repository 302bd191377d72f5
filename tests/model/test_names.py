import pytest

from halfhour.errors import ConfigError
from halfhour.model.names import resolve_ids

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
