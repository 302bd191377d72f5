from pathlib import Path

import pytest

from halfhour.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "halfhour.duckdb")
