"""Files and folders of details: which files are read, and which lines are records."""

import gzip
import json
from pathlib import Path

import pytest

from halfhour.errors import ConfigError
from halfhour.ingest.detail_files import find_detail_files, read_detail_pages


def write_files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}", encoding="utf-8")


def test_a_folder_stands_for_its_files_in_the_order_of_their_paths(tmp_path):
    write_files(tmp_path, "b/2.json", "b/1.json", "a.json", "b/_SUCCESS", ".x/y.json", "_log/z")

    paths = find_detail_files([tmp_path / "b" / "2.json", tmp_path])

    names = [str(path.relative_to(tmp_path)) for path in paths]
    assert names == ["b/2.json", "a.json", "b/1.json"]


def test_a_folder_without_files_is_refused(tmp_path):
    write_files(tmp_path, "_SUCCESS")

    with pytest.raises(ConfigError, match="there is no file in this folder; nothing was changed"):
        find_detail_files([tmp_path])


def test_a_file_that_does_not_exist_is_refused_with_the_name_that_is_much_like_it(tmp_path):
    write_files(tmp_path, "details.json")

    with pytest.raises(ConfigError, match=r"No such file or directory\); did you mean 'details"):
        list(read_detail_pages(tmp_path / "detials.json"))


def records(path: Path) -> list[str]:
    pages = read_detail_pages(path, keep_broken_lines=True)
    return [bytes(record).decode() for page in pages for record in page.conversations or ()]


GOOD = '{"conversationId": "a"}'


@pytest.mark.parametrize("broken", ['{"conversationId": "b", "par', "}", "7", '{"a": 1}', "NaN"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_broken_line_is_a_record(tmp_path, broken, pack):
    path = tmp_path / "details"
    path.write_bytes(pack(f"{GOOD}\n{broken}\n\n{GOOD}\n".encode()))

    assert [record.strip() for record in records(path)] == [GOOD, broken, GOOD]
    with pytest.raises(ConfigError):
        list(read_detail_pages(path))


def test_a_broken_first_line_is_a_record_if_a_whole_object_follows(tmp_path):
    path = tmp_path / "details"
    path.write_text(f'{{"conversationId": "b"\n{GOOD}\n{GOOD}', encoding="utf-8")

    assert [record.strip() for record in records(path)] == ['{"conversationId": "b"', GOOD, GOOD]


@pytest.mark.parametrize(
    "content",
    [
        f'{GOOD}\n{{"conversations": [{GOOD}',  # may have had any number of conversations
        f"{GOOD}\n[{GOOD}",
        '{"conversations": [\n' + GOOD,
        '{"results": []}\n',
        "",
    ],
)
def test_what_may_be_more_than_one_record_is_refused(tmp_path, content):
    path = tmp_path / "details"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError, match="nothing was changed"):
        records(path)


def test_an_object_over_several_lines_stays_whole(tmp_path):
    path = tmp_path / "details"
    for text in (f'{{"conversations": [\n{GOOD}\n]}}', f"[\n{GOOD}\n]", f"\n{GOOD}\n"):
        path.write_text(text, encoding="utf-8")
        assert [json.loads(record) for record in records(path)] == [{"conversationId": "a"}]
