"""Simulated days on disk: the same as without, whatever becomes of the files."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from genesys_emulator.simulation.day_cache import DayCache, cache_folder
from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.source import SimulatedCentre
from genesys_emulator.wire.timestamps import DAY, midnight_of

OPENED = date(2026, 2, 27)
START = midnight_of(date(2026, 3, 2))


class Warnings(list[str]):
    """Warnings, in the order in which they were given."""


@pytest.fixture
def warnings() -> Warnings:
    return Warnings()


def a_cache(folder: Path, warnings: Warnings) -> DayCache:
    return DayCache(folder, warnings.append)


def make_something() -> list[int]:
    return [1, 2, 3]


def make_nothing() -> list[int]:
    raise AssertionError("it is on disk")


def everything(cache: DayCache | None, agents: int = 5, opened: date = OPENED) -> list[object]:
    centre = SimulatedCentre(make_organization(1, agents), opened, cache)
    return [
        list(centre.posted_values(START, START + DAY, lambda _: True)),
        list(centre.conversations_between(START, START + DAY)),
        [centre.status_changes(agent, START, START + DAY) for agent in centre.watched_agents],
    ]


def test_days_from_disk_are_the_same_as_simulated_ones(tmp_path, warnings):
    made = everything(a_cache(tmp_path, warnings))
    files = sorted(tmp_path.iterdir())
    read = everything(a_cache(tmp_path, warnings))

    assert made == read == everything(None)
    assert sorted(tmp_path.iterdir()) == files != []


def test_a_day_depends_on_who_is_in_the_team_and_on_when_the_centre_opened(tmp_path, warnings):
    for agents, opened in ((5, OPENED), (6, OPENED), (5, date(2026, 3, 2))):
        cached = everything(a_cache(tmp_path, warnings), agents, opened)
        assert cached == everything(None, agents, opened)


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x00\x00", b"no such file", None])
def test_a_file_that_is_damaged_is_made_anew(tmp_path, warnings, content):
    a_cache(tmp_path, warnings).get_or_make("name", list[int], make_something)
    (path,) = tmp_path.iterdir()
    intact = path.read_bytes()
    path.write_bytes(intact[:-1] + b"\x04" if content is None else content)

    made = a_cache(tmp_path, warnings).get_or_make("name", list[int], make_something)

    assert made == [1, 2, 3]
    assert path.read_bytes() == intact
    assert warnings == []


def test_the_files_longest_unused_are_deleted_once_all_are_too_large(tmp_path, warnings):
    for number in range(3):
        a_cache(tmp_path, warnings).get_or_make(str(number), list[int], make_something)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    size = max(path.stat().st_size for path in tmp_path.iterdir())
    a_cache(tmp_path, warnings).get_or_make("0", list[int], make_nothing)

    small = DayCache(tmp_path, warnings.append, largest=2 * size)
    small.get_or_make("3", list[int], make_something)

    assert len(list(tmp_path.iterdir())) == 2
    for number in (0, 3):
        a_cache(tmp_path, warnings).get_or_make(str(number), list[int], make_nothing)


def test_a_folder_that_cannot_be_written_is_told_once_and_done_without(tmp_path, warnings):
    occupied = tmp_path / "file"
    occupied.touch()
    cache = a_cache(occupied / "folder", warnings)

    for name in ("one", "two"):
        assert cache.get_or_make(name, list[int], make_something) == [1, 2, 3]

    (warning,) = warnings
    assert str(occupied) in warning
    assert "--no-cache" in warning


def test_several_processes_may_use_one_folder(tmp_path, warnings):
    script = """if True:
        import sys
        from pathlib import Path
        from genesys_emulator.simulation.day_cache import DayCache
        cache = DayCache(Path(sys.argv[1]), print)
        for number in [0, 1, 2, 3, 4] * 20:
            assert cache.get_or_make(str(number), list[int], lambda: [number]) == [number]
    """
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]

    assert [process.communicate()[0] for process in processes] == [b"", b"", b""]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(list(tmp_path.iterdir())) == 5


def test_the_folder_is_the_one_that_the_environment_names(tmp_path):
    chosen = {"GENESYS_EMULATOR_CACHE": str(tmp_path), "XDG_CACHE_HOME": "/elsewhere"}

    assert cache_folder(chosen) == tmp_path
    assert cache_folder({}).name == "genesys-emulator"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="they have folders of their own")
def test_the_folder_is_among_the_caches_of_the_platform():
    assert cache_folder({"XDG_CACHE_HOME": "/elsewhere"}) == Path("/elsewhere/genesys-emulator")
    assert cache_folder({}) == Path.home() / ".cache" / "genesys-emulator"
